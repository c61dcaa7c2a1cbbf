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
mod redump;
mod set;
mod tunnel;
mod userspace;
mod vlan;

use alloc::vec::Vec;
use core::fmt;
use core::ops::Deref;
use core::str::FromStr;

use netlink_genl::nlattr::{Attrs, Counter, DecodeError, EncodeError, HEADER_LEN, RawAttr, Sink, attr_len};

pub use self::conntrack::{Ct, CtAttr, Masked, Nat, NatAttr};
pub use self::header::{AddMpls, Hash, MplsLse, PushEth, PushMpls};
use self::header::{Call, EthType};
use self::nest::List;
pub use self::nest::{
    CheckPktLen, CheckPktLenAttr, DecTtl, DecTtlAttr, Psample, PsampleAttr, Sample, SampleAttr,
};
use self::nsh::PushNsh;
use self::number::{Decimal, Hidden, Number, Port, RecircId};
use self::set::{SetCodec, SetMaskedCodec};
pub use self::tunnel::TunnelPush;
pub use self::userspace::{Cookie, SLOW_PATH_REASONS, Userdata, Userspace, UserspaceAttr};
pub use self::vlan::PushVlan;
use self::vlan::PushVlanCodec;
use crate::key::codec::{Codec, Faults, Flag as Word};
use crate::key::{Hex, Key, MaskedKey, Nsh, parse_raw};
use crate::limits::Nests;
use crate::text::ParseError;
use crate::text::lex::Lexer;
use crate::version::OvsVersion;

attributes! {
    /// One datapath action (`OVS_ACTION_ATTR_*` of `linux/openvswitch.h`), with the numbers of kernels and of Open
    /// vSwitch since 3.4. Sizes are those of the whole attribute.
    pub enum Action {
        /// `OUTPUT`, 8 bytes: send the packet to a datapath port.
        1 Output(u32) Port "output" since 1 0;
        /// `USERSPACE`: send it to ovs-vswitchd.
        2 Userspace(Userspace) Userspace "userspace" since 1 0;
        /// `SET`: overwrite one header, or say how a tunnel device is to send the packet.
        3 Set(Key) SetCodec "set" since 1 0;
        /// `PUSH_VLAN`, 8 bytes: add an 802.1Q header.
        4 PushVlan(PushVlan) PushVlanCodec "push_vlan" since 1 0;
        /// `POP_VLAN`, 4 bytes: remove the outermost 802.1Q header.
        5 PopVlan Word "pop_vlan" since 1 0;
        /// `SAMPLE`: do something with a share of the packets.
        6 Sample(Sample) Sample "sample" since 1 0;
        /// `RECIRC`, 8 bytes: look the packet up again, with this recirculation id.
        7 Recirc(u32) RecircId "recirc" since 2 2;
        /// `HASH`, 12 bytes: compute the packet's hash.
        8 Hash(Hash) Hash "hash" since 2 2;
        /// `PUSH_MPLS`, 12 bytes: add a label, with the EtherType that follows from it.
        9 PushMpls(PushMpls) PushMpls "push_mpls" since 1 11;
        /// `POP_MPLS`, 8 bytes: remove a label; what follows has this EtherType.
        10 PopMpls(u16) EthType "pop_mpls" since 1 11;
        /// `SET_MASKED`: overwrite the bits of one header that a mask covers. Text shows it as `set`, too.
        11 SetMasked(MaskedKey) SetMaskedCodec "set_masked" since 2 1;
        /// `CT`: track the connection.
        12 Ct(Ct) Ct "ct" since 2 5;
        /// `TRUNC`, 8 bytes: cut the packet to this length at the next output.
        13 Trunc(u32) Number "trunc" since 2 6;
        /// `PUSH_ETH`, 16 bytes: add an Ethernet header.
        14 PushEth(PushEth) PushEth "push_eth" since 2 8;
        /// `POP_ETH`, 4 bytes: remove it.
        15 PopEth Word "pop_eth" since 2 8;
        /// `CT_CLEAR`, 4 bytes: forget the connection.
        16 CtClear Word "ct_clear" since 2 10;
        /// `PUSH_NSH`: add a network service header.
        17 PushNsh(Nsh) PushNsh "push_nsh" since 2 9;
        /// `POP_NSH`, 4 bytes: remove it.
        18 PopNsh Call "pop_nsh" since 2 9;
        /// `METER`, 8 bytes: drop the packet if it exceeds a meter.
        19 Meter(u32) Number "meter" since 2 8;
        /// `CLONE`: do something with a copy.
        20 Clone(Actions) List "clone" since 2 8;
        /// `CHECK_PKT_LEN`: do one of two things, by the packet's length.
        21 CheckPktLen(CheckPktLen) CheckPktLen "check_pkt_len" since 2 12;
        /// `ADD_MPLS`, 12 bytes: add a label anywhere.
        22 AddMpls(AddMpls) AddMpls "add_mpls" since 2 17;
        /// `DEC_TTL`: decrement the TTL, or do something else if it is spent.
        23 DecTtl(DecTtl) DecTtl "dec_ttl" since 3 4;
        /// `DROP`, 8 bytes: drop the packet, and say why. Text does not show why.
        24 Drop(u32) Hidden "drop" since 2 13;
        /// `PSAMPLE`: hand a sample to the psample module. Its type carries `NLA_F_NESTED`.
        0x8019 Psample(Psample) Psample "psample" since 3 4;
        /// `TUNNEL_PUSH`, userspace datapath only: put an outer header before the packet.
        26 TunnelPush(TunnelPush) TunnelPush "tnl_push" since 2 4;
        /// `TUNNEL_POP`, 8 bytes, userspace datapath only: take the packet out of a tunnel.
        27 TunnelPop(u32) Number "tnl_pop" since 2 4;
        /// `LB_OUTPUT`, 8 bytes, userspace datapath only: send it to a member of a bond.
        28 LbOutput(u32) Decimal "lb_output" since 2 14;
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

    /// The first release of Open vSwitch that has the action; kernels have theirs earlier or later. `None` for
    /// [`Action::Unknown`].
    pub fn since(&self) -> Option<OvsVersion> {
        let row = Self::SINCE.iter().find(|(name, ..)| *name == self.name())?;
        Some(OvsVersion::new(row.1, row.2))
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
            // One word for two actions: Open vSwitch takes the short one if the mask covers everything, or is not as
            // long as the value.
            let set = SetMaskedCodec::parse(lexer)?;
            return Ok(match set.is_exact() || !set.is_aligned() {
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
                // Whoever wrote this need not have looked whether they are attributes after all.
                let leftover = Self::decode_lossless(&parse_leftover(lexer)?);
                actions.list.extend(leftover.list);
                actions.leftover = leftover.leftover;
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

/// `struct ovs_conntrack_info` and its header.
const CONVERTED_CT: usize = 164;

#[cfg(test)]
mod tests;
