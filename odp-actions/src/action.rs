//! Datapath actions (`OVS_ACTION_ATTR_*`) and lists of them.
//!
#![doc = include_str!("action/table.md")]
//!
//! Numbers 26 and up are of the userspace datapath alone; numbers from 22 on were others before 3.4, see
//! [`dialect`](crate::dialect).
//!
//! ```
//! use odp_actions::Actions;
//!
//! let text = "set(tunnel(tun_id=0x1,dst=10.0.0.1,ttl=64,tp_dst=4789,flags(df|key))),4";
//! let actions: Actions = text.parse()?;
//! assert_eq!((actions.encoded_len()?, actions.output_count()), (56, 1));
//! assert_eq!(Actions::decode(&actions.to_bytes()?)?, actions);
//! assert_eq!(actions.to_string(), text);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod conntrack;
mod header;
mod nest;
mod nsh;
mod number;
mod tunnel;
mod userspace;
mod vlan;

use alloc::vec::Vec;
use core::fmt;
use core::ops::Deref;
use core::str::FromStr;

use netlink_genl::nlattr::{
    Attr, Attrs, Counter, DecodeError, EncodeError, HEADER_LEN, RawAttr, Sink, attr_len,
};

pub use self::conntrack::{Ct, CtAttr, Masked, Nat, NatAttr};
pub use self::header::{AddMpls, Hash, MplsLse, PushEth, PushMpls};
use self::header::{Call, EthType};
use self::nest::List;
pub use self::nest::{
    CheckPktLen, CheckPktLenAttr, DecTtl, DecTtlAttr, Psample, PsampleAttr, Sample, SampleAttr,
};
use self::nsh::PushNsh;
use self::number::{Decimal, Hidden, Number, Port, RecircId};
pub use self::tunnel::TunnelPush;
pub use self::userspace::{Cookie, SLOW_PATH_REASONS, Userdata, Userspace, UserspaceAttr};
pub use self::vlan::PushVlan;
use self::vlan::PushVlanCodec;
use crate::key::codec::{Codec, Faults, Flag as Word};
use crate::key::{Hex, Key, MaskedKey, Nsh, parse_raw};
use crate::limits::Nests;
use crate::text::ParseError;
use crate::text::lex::Lexer;

attributes! {
    /// One datapath action (`OVS_ACTION_ATTR_*` of `linux/openvswitch.h`), with the numbers of kernels and of Open
    /// vSwitch since 3.4. Sizes are those of the whole attribute.
    pub enum Action {
        /// `OUTPUT`, 8 bytes: send the packet to a datapath port.
        1 Output(u32) Port "output";
        /// `USERSPACE`: send it to ovs-vswitchd.
        2 Userspace(Userspace) Userspace "userspace";
        /// `SET`: overwrite one header, or say how a tunnel device is to send the packet.
        3 Set(Key) SetCodec "set";
        /// `PUSH_VLAN`, 8 bytes: add an 802.1Q header.
        4 PushVlan(PushVlan) PushVlanCodec "push_vlan";
        /// `POP_VLAN`, 4 bytes: remove the outermost 802.1Q header.
        5 PopVlan Word "pop_vlan";
        /// `SAMPLE`: do something with a share of the packets.
        6 Sample(Sample) Sample "sample";
        /// `RECIRC`, 8 bytes: look the packet up again, with this recirculation id.
        7 Recirc(u32) RecircId "recirc";
        /// `HASH`, 12 bytes: compute the packet's hash.
        8 Hash(Hash) Hash "hash";
        /// `PUSH_MPLS`, 12 bytes: add a label, with the EtherType that follows from it.
        9 PushMpls(PushMpls) PushMpls "push_mpls";
        /// `POP_MPLS`, 8 bytes: remove a label; what follows has this EtherType.
        10 PopMpls(u16) EthType "pop_mpls";
        /// `SET_MASKED`: overwrite the bits of one header that a mask covers. Text shows it as `set`, too.
        11 SetMasked(MaskedKey) SetMaskedCodec "set_masked";
        /// `CT`: track the connection.
        12 Ct(Ct) Ct "ct";
        /// `TRUNC`, 8 bytes: cut the packet to this length at the next output.
        13 Trunc(u32) Number "trunc";
        /// `PUSH_ETH`, 16 bytes: add an Ethernet header.
        14 PushEth(PushEth) PushEth "push_eth";
        /// `POP_ETH`, 4 bytes: remove it.
        15 PopEth Word "pop_eth";
        /// `CT_CLEAR`, 4 bytes: forget the connection.
        16 CtClear Word "ct_clear";
        /// `PUSH_NSH`: add a network service header.
        17 PushNsh(Nsh) PushNsh "push_nsh";
        /// `POP_NSH`, 4 bytes: remove it.
        18 PopNsh Call "pop_nsh";
        /// `METER`, 8 bytes: drop the packet if it exceeds a meter.
        19 Meter(u32) Number "meter";
        /// `CLONE`: do something with a copy.
        20 Clone(Actions) List "clone";
        /// `CHECK_PKT_LEN`: do one of two things, by the packet's length.
        21 CheckPktLen(CheckPktLen) CheckPktLen "check_pkt_len";
        /// `ADD_MPLS`, 12 bytes: add a label anywhere.
        22 AddMpls(AddMpls) AddMpls "add_mpls";
        /// `DEC_TTL`: decrement the TTL, or do something else if it is spent.
        23 DecTtl(DecTtl) DecTtl "dec_ttl";
        /// `DROP`, 8 bytes: drop the packet, and say why. Text does not show why.
        24 Drop(u32) Hidden "drop";
        /// `PSAMPLE`: hand a sample to the psample module. Its type carries `NLA_F_NESTED`.
        0x8019 Psample(Psample) Psample "psample";
        /// `TUNNEL_PUSH`, userspace datapath only: put an outer header before the packet.
        26 TunnelPush(TunnelPush) TunnelPush "tnl_push";
        /// `TUNNEL_POP`, 8 bytes, userspace datapath only: take the packet out of a tunnel.
        27 TunnelPop(u32) Number "tnl_pop";
        /// `LB_OUTPUT`, 8 bytes, userspace datapath only: send it to a member of a bond.
        28 LbOutput(u32) Decimal "lb_output";
    }
}

impl Action {
    /// Bytes that the action takes in a list.
    ///
    /// # Errors
    /// [`EncodeError::AttrTooBig`]: it cannot be encoded.
    pub fn encoded_len(&self) -> Result<usize, EncodeError> {
        let mut counter = Counter::new();
        self.encode(&mut counter)?;
        Ok(counter.position())
    }

    /// What the bytes of the action are spent on, headers of nests included, in order.
    ///
    /// # Errors
    /// As [`Action::encoded_len`].
    pub fn parts(&self) -> Result<Vec<Part>, EncodeError> {
        let mut parts = Vec::new();
        match self {
            Self::Set(Key::Tunnel(tunnel)) => {
                parts.push(Part {
                    name: self.name(),
                    bytes: HEADER_LEN,
                });
                parts.push(Part {
                    name: "tunnel",
                    bytes: HEADER_LEN,
                });
                for attr in tunnel.attrs() {
                    let mut counter = Counter::new();
                    attr.encode(&mut counter)?;
                    parts.push(Part {
                        name: attr.name(),
                        bytes: counter.position(),
                    });
                }
            }
            _ => parts.push(Part {
                name: self.name(),
                bytes: self.encoded_len()?,
            }),
        }
        Ok(parts)
    }

    /// The lists inside the action.
    pub fn lists(&self) -> impl Iterator<Item = &Actions> {
        let mut lists = Vec::new();
        match self {
            Self::Clone(actions) => lists.push(actions),
            Self::Sample(sample) => lists.extend(sample.attrs().iter().filter_map(|attr| match attr {
                SampleAttr::Actions(actions) => Some(actions),
                _ => None,
            })),
            Self::CheckPktLen(check) => lists.extend(check.attrs().iter().filter_map(|attr| match attr {
                CheckPktLenAttr::Greater(actions) | CheckPktLenAttr::LessEqual(actions) => Some(actions),
                _ => None,
            })),
            Self::DecTtl(dec_ttl) => lists.extend(dec_ttl.attrs().iter().filter_map(|attr| match attr {
                DecTtlAttr::Exceeded(actions) => Some(actions),
                DecTtlAttr::Unknown(_) => None,
            })),
            _ => {}
        }
        lists.into_iter()
    }

    /// Appends the sizes of the pieces in which a kernel that converts actions reserves memory for this one
    /// (`reserve_sfa_size` in `net/openvswitch/flow_netlink.c`). `None` for what no kernel takes or this crate does not
    /// know.
    ///
    /// Valid for 64-bit kernels.
    pub(crate) fn convert(&self, pieces: &mut Vec<usize>) -> Option<()> {
        match self {
            // The tunnel key becomes a pointer to a metadata_dst: a nest and one attribute of 8 bytes.
            Self::Set(Key::Tunnel(_)) => pieces.extend([HEADER_LEN, attr_len(8)]),
            // Any other `set` becomes a masked one: the key twice.
            Self::Set(key) => pieces.extend([HEADER_LEN, attr_len(2 * key.payload_len())]),
            Self::Ct(_) => pieces.push(CONVERTED_CT),
            // A list gets a flag of its own before it: whether it is the last action.
            Self::Clone(actions) => {
                pieces.extend([HEADER_LEN, attr_len(4)]);
                actions.convert(pieces)?;
            }
            Self::Sample(sample) => {
                pieces.extend([HEADER_LEN, attr_len(8)]);
                for attr in sample.attrs() {
                    if let SampleAttr::Actions(actions) = attr {
                        actions.convert(pieces)?;
                    }
                }
            }
            Self::CheckPktLen(check) => {
                pieces.extend([HEADER_LEN, attr_len(4)]);
                for attr in check.attrs() {
                    if let CheckPktLenAttr::Greater(actions) | CheckPktLenAttr::LessEqual(actions) = attr {
                        pieces.push(HEADER_LEN);
                        actions.convert(pieces)?;
                    }
                }
            }
            Self::DecTtl(dec_ttl) => {
                pieces.push(HEADER_LEN);
                for attr in dec_ttl.attrs() {
                    if let DecTtlAttr::Exceeded(actions) = attr {
                        pieces.push(HEADER_LEN);
                        actions.convert(pieces)?;
                    }
                }
            }
            Self::TunnelPush(_) | Self::TunnelPop(_) | Self::LbOutput(_) | Self::Unknown(_) => return None,
            _ => pieces.push(self.encoded_len().ok()?),
        }
        Some(())
    }

    /// An attribute that is not what its type says, in Open vSwitch's words.
    fn print_unknown(unknown: &RawAttr, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = unknown.kind();
        let expected = match kind {
            5 | 15 | 16 | 18 => "0",
            10 => "2",
            1 | 4 | 7 | 13 | 19 | 24 | 27 | 28 => "4",
            8 | 9 | 22 => "8",
            14 => "12",
            2 => return f.write_str("userspace(error)"),
            6 => return f.write_str("sample(error)"),
            12 => return f.write_str("ct(error)"),
            17 => {
                return f.write_str(
                    "push_nsh(flags=0,ttl=63,mdtype=0,np=0,spi=0x0,si=0,<error: unknown mdtype>)",
                );
            }
            21 => return f.write_str("check_pkt_len(error)"),
            23 => return f.write_str("dec_ttl(le_1())"),
            25 => return f.write_str("psample()"),
            // Open vSwitch prints the first attribute inside, and reads beyond the end where there is none.
            3 | 11 => {
                if let Some(Ok(key)) = Attrs::new(&unknown.payload).next() {
                    let key = Key::decode(&key);
                    return match kind {
                        3 => write!(f, "set({key})"),
                        _ => write!(f, "set({})", key.terse()),
                    };
                }
                "a list"
            }
            // Open vSwitch has no words for these: it looks at what is there and may stop.
            20 | 26 => "a list",
            _ => "-1",
        };
        write!(
            f,
            "bad length {}, expected {expected} for: action{kind}",
            unknown.payload.len()
        )?;
        if unknown.payload.is_empty() {
            Ok(())
        } else {
            write!(f, "({})", Hex(&unknown.payload))
        }
    }

    /// The action that these bytes are, if they are one.
    fn from_raw(raw: RawAttr) -> Self {
        let mut bytes = Vec::new();
        let attr = bytes
            .attr(raw.raw_kind, &raw.payload)
            .ok()
            .and_then(|()| Attrs::new(&bytes).next()?.ok());
        // A broken list inside is kept as a list, as `Actions::decode_lossless` keeps it.
        attr.and_then(|attr| Self::decode_in(&attr, &mut Faults::default()).ok())
            .unwrap_or(Self::Unknown(raw))
    }

    fn parse_from(lexer: &mut Lexer<'_>) -> Result<Self, ParseError> {
        // A bare number is an output.
        if lexer.at_digit() {
            return Port::parse(lexer).map(Self::Output);
        }
        let start = *lexer;
        if lexer.eat("bad length ") {
            return Self::parse_malformed(lexer);
        }
        let name = lexer.word("an action")?;
        if let Some(kind) = name.strip_prefix("action") {
            if let Ok(kind) = kind.parse() {
                return parse_raw(kind, lexer).map(Self::from_raw);
            }
        }
        if name == "set" {
            // One word for two actions: Open vSwitch takes the short one if the mask covers everything.
            let set = SetMaskedCodec::parse(lexer)?;
            return Ok(match set.is_exact() {
                true => Self::Set(set.key),
                false => Self::SetMasked(set),
            });
        }
        Self::parse(name, lexer)
            .filter(|_| !matches!(name, "output" | "set_masked"))
            .unwrap_or_else(|| Err(start.expected("an action")))
    }

    /// `6, expected 8 for: action9(00 00 00 00 88 47)`.
    fn parse_malformed(lexer: &mut Lexer<'_>) -> Result<Self, ParseError> {
        lexer.decimal(u64::from(u16::MAX))?;
        lexer.expect(", expected ")?;
        lexer.eat("-");
        if !lexer.eat("a list") {
            lexer.decimal(u64::from(u16::MAX))?;
        }
        lexer.expect(" for: ")?;
        let start = *lexer;
        let kind = lexer
            .word("an action number")?
            .strip_prefix("action")
            .and_then(|kind| kind.parse().ok());
        parse_raw(kind.ok_or_else(|| start.expected("an action number"))?, lexer).map(Self::from_raw)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.print(f)
    }
}

/// A share of an action's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The attribute, by the name that Open vSwitch prints.
    pub name: &'static str,
    /// Its bytes; of a nest only the header.
    pub bytes: usize,
}

/// A list of actions: the payload of `OVS_FLOW_ATTR_ACTIONS`, or of an action that holds a list.
///
/// An empty list drops the packet and prints as `drop`; so does [`Action::Drop`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Actions {
    list: Vec<Action>,
    leftover: Vec<u8>,
}

impl Actions {
    /// An empty list.
    pub const fn new() -> Self {
        Self {
            list: Vec::new(),
            leftover: Vec::new(),
        }
    }

    /// Appends one action.
    pub fn push(&mut self, action: Action) {
        self.list.push(action);
    }

    /// Reads a list. Offsets in errors count from the start of `bytes`.
    ///
    /// What was decoded encodes to the same bytes again, but for padding, which becomes zeros, also where it was missing
    /// at the end of a list. Attributes whose type nothing here knows, or whose type word has flags, are
    /// [`Action::Unknown`].
    ///
    /// # Errors
    /// [`DecodeError`]: a length that cannot be true, or a payload that is not what its action has, at any depth.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut faults = Faults::default();
        let actions = Self::decode_attrs(Attrs::new(bytes), &mut faults);
        faults.strict(actions)
    }

    /// Reads whatever there is: an action that cannot be read is [`Action::Unknown`] and costs no other, bytes that are
    /// no attribute are [`Actions::leftover`]. It prints as Open vSwitch prints such a list.
    pub fn decode_lossless(bytes: &[u8]) -> Self {
        Self::decode_attrs(Attrs::new(bytes), &mut Faults::default())
    }

    /// Bytes at the end of a list that are no attribute.
    pub fn leftover(&self) -> &[u8] {
        &self.leftover
    }

    pub(crate) fn decode_attrs(mut attrs: Attrs<'_>, faults: &mut Faults) -> Self {
        let mut actions = Self::new();
        loop {
            let rest = attrs.rest();
            match attrs.next() {
                None => return actions,
                Some(Err(error)) => {
                    faults.add(error);
                    actions.leftover = rest.to_vec();
                    return actions;
                }
                Some(Ok(attr)) => actions.push(Action::decode_in(&attr, faults).unwrap_or_else(|error| {
                    faults.add(error);
                    Action::Unknown(attr.into())
                })),
            }
        }
    }

    /// Appends the list to `sink`.
    ///
    /// A list longer than 65 531 bytes is written in full: whether it fits an attribute is what
    /// [`Limits::verdict`](crate::Limits::verdict) says, and nesting it fails.
    ///
    /// # Errors
    /// [`EncodeError`]: an action does not fit the sink, or the 16 bits of its length.
    pub fn encode<S: Sink>(&self, sink: &mut S) -> Result<(), EncodeError> {
        self.list.iter().try_for_each(|action| action.encode(sink))?;
        if self.leftover.is_empty() {
            Ok(())
        } else {
            sink.put(&self.leftover)
        }
    }

    /// The encoded list.
    ///
    /// # Errors
    /// As [`Actions::encode`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, EncodeError> {
        let mut bytes = Vec::new();
        self.encode(&mut bytes)?;
        Ok(bytes)
    }

    /// Bytes of the encoded list, counted by the code that encodes.
    ///
    /// # Errors
    /// As [`Actions::encode`].
    pub fn encoded_len(&self) -> Result<usize, EncodeError> {
        let mut counter = Counter::new();
        self.encode(&mut counter)?;
        Ok(counter.position())
    }

    /// Outputs as Open vSwitch counts them against `net.core.netdev_max_backlog`: those at the top level, to a port or to
    /// a bond.
    pub fn output_count(&self) -> usize {
        self.list
            .iter()
            .filter(|action| matches!(action, Action::Output(_) | Action::LbOutput(_)))
            .count()
    }

    pub(crate) fn convert(&self, pieces: &mut Vec<usize>) -> Option<()> {
        self.list.iter().try_for_each(|action| action.convert(pieces))
    }

    /// What kernels check of the lists inside actions.
    pub(crate) fn nests(&self) -> Nests {
        let nest = |action: &Action| {
            let inside: Nests = action.lists().map(Self::nests).fold(Nests::default(), Nests::max);
            let mut pieces = Vec::new();
            // What is not known is not sent to a kernel either.
            let converted = action.convert(&mut pieces).map_or(0, |()| pieces.iter().sum());
            Nests {
                depth: inside.depth + 1,
                converted: inside.converted.max(converted),
            }
        };
        let nests = self.list.iter().filter(|action| action.lists().next().is_some());
        nests.map(nest).fold(Nests::default(), Nests::max)
    }

    /// The list between two parentheses; `drop` alone, in any case, is an empty one.
    pub(crate) fn parse_nested(lexer: &mut Lexer<'_>) -> Result<Self, ParseError> {
        lexer.enter()?;
        let mut drop = *lexer;
        let actions = if drop.eat_any_case("drop") && drop.starts_with(")") {
            *lexer = drop;
            Self::new()
        } else {
            Self::parse_until(lexer, |lexer| lexer.starts_with(")"))?
        };
        lexer.leave();
        Ok(actions)
    }

    fn parse_until(lexer: &mut Lexer<'_>, end: impl Fn(&Lexer<'_>) -> bool) -> Result<Self, ParseError> {
        let mut actions = Self::new();
        lexer.separators();
        lexer.eat("<empty>,");
        while !end(lexer) {
            if lexer.eat("***") {
                actions.leftover = parse_leftover(lexer)?;
                return if end(lexer) {
                    Ok(actions)
                } else {
                    Err(lexer.expected("the end"))
                };
            }
            actions.push(Action::parse_from(lexer)?);
            if !lexer.separators() && !end(lexer) {
                return Err(lexer.expected(", or the end"));
            }
        }
        Ok(actions)
    }
}

impl Deref for Actions {
    type Target = [Action];

    fn deref(&self) -> &[Action] {
        &self.list
    }
}

impl FromIterator<Action> for Actions {
    fn from_iter<I: IntoIterator<Item = Action>>(actions: I) -> Self {
        Self {
            list: actions.into_iter().collect(),
            leftover: Vec::new(),
        }
    }
}

impl Extend<Action> for Actions {
    fn extend<I: IntoIterator<Item = Action>>(&mut self, actions: I) {
        self.list.extend(actions);
    }
}

impl fmt::Display for Actions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.list[..], &self.leftover[..]) {
            ([], []) => return f.write_str("drop"),
            ([], _) => f.write_str("<empty>")?,
            (list, _) => {
                for (i, action) in list.iter().enumerate() {
                    if i > 0 {
                        f.write_str(",")?;
                    }
                    action.print(f)?;
                }
            }
        }
        if !self.leftover.is_empty() {
            write!(f, ",***{} leftover bytes*** (", self.leftover.len())?;
            self.leftover
                .iter()
                .try_for_each(|byte| write!(f, "{byte:02x}"))?;
            f.write_str(")")?;
        }
        Ok(())
    }
}

impl FromStr for Actions {
    type Err = ParseError;

    /// Reads what `ovs-dpctl` prints for a list. `drop` alone, in any case, is [`Action::Drop`]; no text is no action.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        if text.eq_ignore_ascii_case("drop") {
            return Ok(Self::from_iter([Action::Drop(0)]));
        }
        Self::parse_until(&mut Lexer::new(text), |lexer| lexer.is_empty())
    }
}

/// `8 leftover bytes*** (0102030405060708)`.
fn parse_leftover(lexer: &mut Lexer<'_>) -> Result<Vec<u8>, ParseError> {
    lexer.decimal(u64::from(u32::MAX))?;
    lexer.expect(" leftover bytes*** (")?;
    let bytes = lexer.hex_pairs()?;
    lexer.expect(")")?;
    Ok(bytes)
}

/// `set(KEY)`.
struct SetCodec;

impl Codec for SetCodec {
    type Value = Key;

    fn encode<S: Sink>(key: &Key, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        sink.nest(kind, |sink| key.encode(sink))
    }

    /// Exactly one key attribute stands inside: the kernel refuses none and more.
    fn decode(attr: &Attr<'_>) -> Result<Key, DecodeError> {
        let wrong = |wanted| DecodeError::WrongSize {
            offset: attr.offset(),
            kind: attr.kind(),
            wanted,
            got: attr.payload().len(),
        };
        let mut keys = attr.attrs();
        let key = keys.next().ok_or(wrong(HEADER_LEN))??;
        match keys.next() {
            None => Ok(Key::decode(&key)),
            Some(_) => Err(wrong(attr_len(key.payload().len()))),
        }
    }

    fn print(key: &Key, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{name}({key})")
    }

    fn parse(lexer: &mut Lexer<'_>) -> Result<Key, ParseError> {
        lexer.expect("(")?;
        let key = Key::parse_from(lexer)?;
        lexer.expect(")")?;
        Ok(key)
    }
}

/// The most that Open vSwitch reads as value and mask: two IPv6 headers.
const MAX_MASKED: usize = 80;

/// `set(ipv4(ttl=64/0xf0))`: a nest around one key attribute, whose payload is the value and then the mask.
struct SetMaskedCodec;

impl Codec for SetMaskedCodec {
    type Value = MaskedKey;

    fn encode<S: Sink>(set: &MaskedKey, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        sink.nest(kind, |sink| set.encode(sink))
    }

    fn decode(attr: &Attr<'_>) -> Result<MaskedKey, DecodeError> {
        let missing = DecodeError::Missing {
            offset: attr.offset(),
            kind: attr.kind(),
        };
        let mut keys = attr.attrs();
        let key = keys.next().ok_or(missing)??;
        match keys.next() {
            None => MaskedKey::decode(&key).ok_or(DecodeError::WrongSize {
                offset: key.offset(),
                kind: key.kind(),
                wanted: key.payload().len().next_multiple_of(2).min(MAX_MASKED),
                got: key.payload().len(),
            }),
            Some(_) => Err(missing),
        }
    }

    fn print(set: &MaskedKey, _: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "set({set})")
    }

    fn parse(lexer: &mut Lexer<'_>) -> Result<MaskedKey, ParseError> {
        lexer.expect("(")?;
        let set = MaskedKey::parse_from(lexer)?;
        lexer.expect(")")?;
        Ok(set)
    }
}

/// `struct ovs_conntrack_info` and its header.
const CONVERTED_CT: usize = 164;

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use alloc::vec;

    use super::*;
    use crate::{Tunnel, TunnelAttr};
    use netlink_genl::nlattr::NESTED;

    fn one_of_each() -> Actions {
        let tunnel = Tunnel::new([
            TunnelAttr::Id(0x1234),
            TunnelAttr::Ipv4Src([10, 0, 0, 1].into()),
            TunnelAttr::Ipv4Dst([10, 0, 0, 2].into()),
            TunnelAttr::Ipv6Src([1; 16].into()),
            TunnelAttr::Ipv6Dst([2; 16].into()),
            TunnelAttr::Tos(0x20),
            TunnelAttr::Ttl(64),
            TunnelAttr::TpSrc(1000),
            TunnelAttr::TpDst(4789),
            TunnelAttr::DontFragment,
            TunnelAttr::Csum,
            TunnelAttr::Oam,
        ]);
        Actions::from_iter([
            Action::Output(7),
            Action::Set(Key::Tunnel(tunnel)),
            Action::PushVlan(PushVlan::new(5, 3)),
            Action::PopVlan,
        ])
    }

    #[test]
    fn every_action_comes_back_from_its_bytes_and_its_text() {
        let actions = one_of_each();
        let bytes = actions.to_bytes().unwrap();
        assert_eq!(Actions::decode(&bytes).unwrap(), actions);
        assert_eq!(actions.encoded_len().unwrap(), bytes.len());
        assert_eq!(actions.to_string().parse::<Actions>().unwrap(), actions);
    }

    #[test]
    fn the_parts_add_up_to_the_size() {
        for action in one_of_each().iter() {
            let sum: usize = action.parts().unwrap().iter().map(|part| part.bytes).sum();
            assert_eq!(sum, action.encoded_len().unwrap(), "{action}");
        }
    }

    #[test]
    fn every_truncation_fails_or_ends_between_two_actions() {
        let actions = one_of_each();
        let bytes = actions.to_bytes().unwrap();
        let mut ends = vec![0];
        for action in actions.iter() {
            ends.push(ends[ends.len() - 1] + action.encoded_len().unwrap());
        }
        for end in 0..bytes.len() {
            assert_eq!(
                Actions::decode(&bytes[..end]).is_ok(),
                ends.contains(&end),
                "cut at {end}"
            );
        }
    }

    #[test]
    fn keeps_what_it_does_not_know_byte_for_byte() {
        let mut bytes = vec![];
        bytes.attr(29, &[1, 2, 3]).unwrap();
        bytes.attr_u32(1 | NESTED, 9).unwrap();
        bytes.nest(3, |s| s.attr(90, &[1, 2, 3, 4])).unwrap();
        bytes.nest(20, |s| s.attr_u32(1, 8)).unwrap();
        let actions = Actions::decode(&bytes).unwrap();
        assert_eq!(actions.to_bytes().unwrap(), bytes);
        assert_eq!(
            actions.output_count(),
            0,
            "Open vSwitch counts by the whole type word"
        );
        let text = actions.to_string();
        assert_eq!(
            text,
            "bad length 3, expected -1 for: action29(01 02 03),9,set(key90(01 02 03 04)),clone(8)"
        );
        assert_eq!(text.parse::<Actions>().unwrap().to_string(), text);
    }

    #[test]
    fn the_table_in_the_docs_is_that_of_the_code() {
        let rows = include_str!("action/table.md").lines().skip(2);
        let mut numbers = vec![];
        for row in rows {
            let cells: Vec<&str> = row.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
            let [_, number, name, example, bytes, _, _] = cells[..] else {
                panic!("{row}")
            };
            let actions: Actions = example
                .parse()
                .unwrap_or_else(|error| panic!("{example}: {error}"));
            let [action] = &actions[..] else {
                panic!("{example}")
            };
            assert_eq!(
                (action.kind().to_string().as_str(), action.name()),
                (number, name)
            );
            assert_eq!(action.encoded_len().unwrap().to_string(), bytes, "{example}");
            assert_eq!(actions.to_string(), example);
            assert_eq!(Actions::decode(&actions.to_bytes().unwrap()).unwrap(), actions);
            numbers.push((action.kind(), action.name()));
        }
        assert_eq!(numbers, Action::ROWS, "one example of each");
    }

    #[test]
    fn a_bad_action_costs_no_other() {
        let mut bytes = vec![];
        bytes.attr_u32(1, 9).unwrap();
        bytes.attr(13, &[1, 2]).unwrap();
        bytes.nest(20, |s| s.put(&[1, 2, 3])).unwrap();
        bytes.extend([9, 9]);
        let wrong = DecodeError::WrongSize {
            offset: 8,
            kind: 13,
            wanted: 4,
            got: 2,
        };
        assert_eq!(Actions::decode(&bytes), Err(wrong));
        let actions = Actions::decode_lossless(&bytes);
        assert_eq!(
            actions.to_string(),
            "9,bad length 2, expected 4 for: action13(01 02),clone(<empty>,***3 leftover bytes*** (010203)),\
             ***2 leftover bytes*** (0909)"
        );
        assert_eq!(actions.to_bytes().unwrap(), bytes);
        assert_eq!(actions.to_string().parse::<Actions>().unwrap(), actions);
        let by_number: Actions = "action20(00)".parse().unwrap();
        assert_eq!(
            by_number,
            Actions::decode_lossless(&by_number.to_bytes().unwrap())
        );
    }

    #[test]
    fn hostile_nesting_ends_in_an_error() {
        let clones = |levels: usize| "clone(".repeat(levels) + "1" + &")".repeat(levels);
        assert!(clones(128).parse::<Actions>().is_ok());
        assert!(matches!(
            clones(129).parse::<Actions>(),
            Err(ParseError::TooDeep { limit: 128, .. })
        ));
        assert!(clones(100_000).parse::<Actions>().is_err());
        // 16 thousand levels in one attribute.
        let mut bytes = vec![];
        for len in (1..=16_383_u16).rev() {
            bytes.extend((4 * len).to_ne_bytes());
            bytes.extend(20_u16.to_ne_bytes());
        }
        assert!(matches!(
            Actions::decode(&bytes),
            Err(DecodeError::TooDeep { .. })
        ));
        assert_eq!(Actions::decode_lossless(&bytes).to_bytes().unwrap(), bytes);
    }

    #[test]
    fn points_at_the_fault() {
        let expected = |offset, wanted, found: &str| {
            Err::<Actions, _>(ParseError::Expected {
                offset,
                wanted,
                found: found.into(),
            })
        };
        for (text, error) in [
            ("1,flod", expected(2, "an action", "flod")),
            ("pop_vlanX", expected(0, "an action", "pop_vlanX")),
            ("pop_vlan;", expected(8, ", or the end", ";")),
            (
                "set(tunnel(ttl=64,bogus=1))",
                expected(18, "a tunnel attribute", "bogus"),
            ),
            ("set(tunnel(ttl=))", expected(15, "a number", ")")),
            (
                "set(tunnel(dst=10.0.0))",
                expected(15, "an IPv4 address", "10.0.0"),
            ),
            ("set(tunnel(df))", expected(11, "a tunnel attribute", "df")),
            ("set(tunnel(flags(ttl))", expected(17, "a flag", "ttl")),
            ("set(tunnel(ttl=64)", expected(18, ")", "")),
            (
                "4294967296",
                Err(ParseError::TooBig {
                    offset: 0,
                    found: "4294967296".into(),
                    limit: 0xffff_ffff,
                }),
            ),
        ] {
            assert_eq!(text.parse::<Actions>(), error, "{text}");
        }
    }
}
