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
mod list;
mod nest;
mod nsh;
mod number;
mod psample;
mod redump;
mod set;
mod tunnel;
mod userspace;
mod vlan;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use netlink_genl::nlattr::{Attrs, Counter, EncodeError, HEADER_LEN, RawAttr, Sink, attr_len};

pub use self::conntrack::{Ct, CtAttr, Masked, Nat, NatAttr};
pub use self::header::{AddMpls, Hash, MplsLse, PushEth, PushMpls};
use self::header::{Call, EthType};
pub use self::list::{Actions, Named};
use self::nest::List;
pub use self::nest::{CheckPktLen, CheckPktLenAttr, DecTtl, DecTtlAttr, Sample, SampleAttr};
use self::nsh::PushNsh;
use self::number::{Decimal, Hidden, Number, Port, PortCall, RecircId};
pub use self::psample::{Psample, PsampleAttr};
use self::set::{SetCodec, SetMaskedCodec, parse_set};
pub use self::tunnel::TunnelPush;
pub use self::userspace::{Cookie, SLOW_PATH_REASONS, Userdata, Userspace, UserspaceAttr};
pub use self::vlan::PushVlan;
use self::vlan::PushVlanCodec;
use crate::key::codec::{Codec, Faults, Flag as Word};
use crate::key::{Hex, Key, MaskedKey, Nsh, parse_raw};
use crate::text::ParseError;
use crate::text::lex::Lexer;
use crate::text::print::Printer;
use crate::version::OvsVersion;

attributes! {
    /// One datapath action (`OVS_ACTION_ATTR_*` of `linux/openvswitch.h`), with the numbers of kernels and of Open
    /// vSwitch since 3.4. Sizes are those of the whole attribute.
    pub enum Action {
        /// `OUTPUT`, 8 bytes: send the packet to a datapath port.
        1 Output(u32) Port "output" since 1 0;
        /// `USERSPACE`: send it to ovs-vswitchd.
        2 Userspace(Userspace) Userspace "userspace" since 1 2;
        /// `SET`: overwrite one header, or say how a tunnel device is to send the packet.
        3 Set(Key) SetCodec "set" since 1 3;
        /// `PUSH_VLAN`, 8 bytes: add an 802.1Q header.
        4 PushVlan(PushVlan) PushVlanCodec "push_vlan" since 1 4;
        /// `POP_VLAN`, 4 bytes: remove the outermost 802.1Q header.
        5 PopVlan Word "pop_vlan" since 1 4;
        /// `SAMPLE`: do something with a share of the packets.
        6 Sample(Sample) Sample "sample" since 1 3;
        /// `RECIRC`, 8 bytes: look the packet up again, with this recirculation id.
        7 Recirc(u32) RecircId "recirc" since 2 2;
        /// `HASH`, 12 bytes: compute the packet's hash.
        8 Hash(Hash) Hash "hash" since 2 2;
        /// `PUSH_MPLS`, 12 bytes: add a label, with the EtherType that follows from it.
        9 PushMpls(PushMpls) PushMpls "push_mpls" since 1 11;
        /// `POP_MPLS`, 8 bytes: remove a label; what follows has this EtherType.
        10 PopMpls(u16) EthType "pop_mpls" since 1 11;
        /// `SET_MASKED`: overwrite the bits of one header that a mask covers. Text shows it as `set`, too.
        11 SetMasked(Box<MaskedKey>) SetMaskedCodec "set_masked" since 2 4;
        /// `CT`: track the connection.
        12 Ct(Ct) Ct "ct" since 2 5;
        /// `TRUNC`, 8 bytes: cut the packet to this length at the next output.
        13 Trunc(u32) Number "trunc" since 2 6;
        /// `PUSH_ETH`, 16 bytes: add an Ethernet header.
        14 PushEth(PushEth) PushEth "push_eth" since 2 8;
        /// `POP_ETH`, 4 bytes: remove it.
        15 PopEth Word "pop_eth" since 2 8;
        /// `CT_CLEAR`, 4 bytes: forget the connection.
        16 CtClear Word "ct_clear" since 2 9;
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
        27 TunnelPop(u32) PortCall "tnl_pop" since 2 4;
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

    /// The first release of Open vSwitch whose `linux/openvswitch.h` has the attribute; kernels have theirs earlier or later.
    /// `None` for [`Action::Unknown`].
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
    fn print_unknown(unknown: &RawAttr, f: &mut Printer<'_>) -> fmt::Result {
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
        // Before any number and any word: a port may be called as an action is.
        if let Some(port) = lexer.port_name() {
            return Ok(Self::Output(port));
        }
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
            return parse_set(lexer);
        }
        Self::parse(name, lexer)
            .filter(|_| !matches!(name, "output" | "set_masked"))
            .unwrap_or_else(|| Err(start.expected("an action")))
            .or_else(|error| {
                *lexer = start;
                Self::parse_unreadable(lexer).ok_or(error)
            })
    }

    /// An action that Open vSwitch could not read, and of which it shows no more than its name.
    fn parse_unreadable(lexer: &mut Lexer<'_>) -> Option<Self> {
        let (_, raw_kind) = UNREADABLE.iter().find(|(text, _)| lexer.eat(text))?;
        Some(Self::Unknown(RawAttr {
            raw_kind: *raw_kind,
            payload: NO_ATTRIBUTE.to_vec(),
        }))
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
        Printer::print(f, |f| self.print(f))
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

/// What Open vSwitch prints for an action that it cannot read, and the type.
const UNREADABLE: [(&str, u16); 5] = [
    ("userspace(error)", 2),
    ("sample(error)", 6),
    ("ct(error)", 12),
    ("check_pkt_len(error)", 21),
    ("psample()", 0x8019),
];
/// The shortest payload that is no list of attributes. It stands for one that was not shown.
const NO_ATTRIBUTE: [u8; 1] = [0];
/// `struct ovs_conntrack_info` and its header.
const CONVERTED_CT: usize = 164;

#[cfg(test)]
mod tests;
