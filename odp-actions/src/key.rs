//! Flow keys: attributes (`OVS_KEY_ATTR_*`), with and without masks, in bytes and in text.
//!
//! ```
//! use odp_actions::FlowKey;
//!
//! let text = "recirc_id(0),in_port(1),eth(dst=01:00:00:00:00:00/01:00:00:00:00:00),eth_type(0x0800),ipv4(proto=6,frag=no)";
//! let key: FlowKey = text.parse()?;
//! assert_eq!(key.to_string(), text);
//! assert!(key.verbose().to_string().contains("ipv4(src=0.0.0.0/0.0.0.0,dst=0.0.0.0/0.0.0.0,proto=6,"));
//!
//! let (mut keys, mut masks) = (Vec::new(), Vec::new());
//! key.encode(&mut keys)?;
//! key.encode_masks(&mut masks)?;
//! assert_eq!(FlowKey::decode(&keys, &masks)?, key);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[macro_use]
mod table;

pub(crate) mod codec;
mod flags;
mod flow_key;
pub(crate) mod format;
mod geneve;
mod header;
mod list;
mod masked;
mod mpls;
mod nsh;
mod options;
mod pairs;
pub(crate) mod payload;
mod recover;
mod tunnel;
mod ufid;
mod vlan;

use alloc::vec::Vec;
use core::fmt;

use netlink_genl::nlattr::RawAttr;

use self::flags::{Flags, Names};
use self::flow_key::Encap;
use self::format::{Dec32, EthType, Hex32, Hex128, Host16};
use self::mpls::Mpls;
use self::payload::{Attribute, Context, Masks, Optional, Payload, Single, TextAttribute};
use self::vlan::Vlan;
use crate::text::ParseError;
use crate::text::lex::Lexer;
use crate::text::print::Printer;

pub use self::flow_key::{FlowKey, Verbose};
pub(crate) use self::flow_key::{PortName, ShownPort};
pub use self::geneve::{GeneveOption, GeneveOpts};
pub use self::header::{
    Arp, CtTuple4, CtTuple6, Ethernet, Gtpu, Icmp, Ipv4, Ipv6, Nd, NdExt, NshBase, NshContext, PacketType,
    Ports,
};
pub(crate) use self::list::List;
pub use self::masked::MaskedKey;
pub(crate) use self::mpls::LSE_FIELDS;
pub use self::nsh::{Nsh, NshAttr};
pub use self::options::{Erspan, Gbp, VxlanAttr, VxlanOpts};
pub use self::tunnel::{Tunnel, TunnelAttr};
pub use self::ufid::Ufid;

keys! {
    /// One attribute of a flow key (`OVS_KEY_ATTR_*` of `linux/openvswitch.h`), or of the mask beside it. Sizes are those
    /// of the whole attribute.
    pub enum Key {
        /// `ENCAP`: what follows a VLAN header.
        1 Encap(Vec<Key>): Encap, "encap";
        /// `PRIORITY`, 8 bytes: `skb->priority`.
        2 Priority(u32): Single<Hex32>, "skb_priority";
        /// `IN_PORT`, 8 bytes: the datapath port that the packet came from.
        3 InPort(u32): Single<Dec32>, "in_port";
        /// `ETHERNET`, 16 bytes.
        4 Ethernet(Ethernet): Ethernet, "eth";
        /// `VLAN`, 8 bytes: the TCI: priority (3 bits), CFI (bit 12, set if there is a tag), VLAN id (12 bits).
        5 Vlan(u16): Vlan, "vlan";
        /// `ETHERTYPE`, 8 bytes.
        6 EtherType(u16): Single<EthType>, "eth_type";
        /// `IPV4`, 16 bytes.
        7 Ipv4(Ipv4): Ipv4, "ipv4";
        /// `IPV6`, 44 bytes.
        8 Ipv6(Ipv6): Ipv6, "ipv6";
        /// `TCP`, 8 bytes.
        9 Tcp(Ports): Ports, "tcp";
        /// `UDP`, 8 bytes.
        10 Udp(Ports): Ports, "udp";
        /// `ICMP`, 8 bytes.
        11 Icmp(Icmp): Icmp, "icmp";
        /// `ICMPV6`, 8 bytes.
        12 Icmpv6(Icmp): Icmp, "icmpv6";
        /// `ARP`, 28 bytes.
        13 Arp(Arp): Arp, "arp";
        /// `ND`, 32 bytes.
        14 Nd(Nd): Nd, "nd";
        /// `SKB_MARK`, 8 bytes: `skb->mark`.
        15 SkbMark(u32): Single<Hex32>, "skb_mark";
        /// `TUNNEL`: where and how a tunnel device sends the packet, or how it came.
        16 Tunnel(Tunnel): Tunnel, "tunnel";
        /// `SCTP`, 8 bytes.
        17 Sctp(Ports): Ports, "sctp";
        /// `TCP_FLAGS`, 8 bytes, of which 12 bits count.
        18 TcpFlags(u16): Flags<TcpFlagNames>, "tcp_flags";
        /// `DP_HASH`, 8 bytes: what the action `hash` has left.
        19 DpHash(u32): Single<Hex32>, "dp_hash";
        /// `RECIRC_ID`, 8 bytes.
        20 RecircId(u32): Single<Hex32>, "recirc_id";
        /// `MPLS`, 4 + 4n bytes: label stack entries, the outermost first: label (20 bits), traffic class (3), bottom
        /// of stack (1), TTL (8).
        21 Mpls(Vec<u32>): Mpls, "mpls";
        /// `CT_STATE`, 8 bytes.
        22 CtState(u32): Flags<CtStateNames>, "ct_state";
        /// `CT_ZONE`, 8 bytes.
        23 CtZone(u16): Optional<Host16>, "ct_zone";
        /// `CT_MARK`, 8 bytes.
        24 CtMark(u32): Optional<Hex32>, "ct_mark";
        /// `CT_LABELS`, 20 bytes, in the byte order of the host.
        25 CtLabels(u128): Optional<Hex128>, "ct_label";
        /// `CT_ORIG_TUPLE_IPV4`, 20 bytes.
        26 CtTuple4(CtTuple4): CtTuple4, "ct_tuple4";
        /// `CT_ORIG_TUPLE_IPV6`, 44 bytes.
        27 CtTuple6(CtTuple6): CtTuple6, "ct_tuple6";
        /// `NSH`.
        28 Nsh(Nsh): Nsh, "nsh";
        /// `PACKET_TYPE`, 8 bytes, of the userspace datapath alone.
        29 PacketType(PacketType): PacketType, "packet_type";
        /// `ND_EXTENSIONS`, 12 bytes, of the userspace datapath alone.
        30 NdExt(NdExt): NdExt, "nd_ext";
    }
}

impl Key {
    const NESTS: &[u16] = &[1, 16, 28];

    /// The length that Open vSwitch wants of an attribute without a row: none for the two that never stand in a message.
    fn len_of_unknown(kind: u16) -> Option<usize> {
        matches!(kind, 0 | 31).then_some(0)
    }

    /// Reads an attribute for `set(..)`, all of it: what a mask leaves out is an error.
    pub(crate) fn parse_from(lexer: &mut Lexer<'_>) -> Result<Self, ParseError> {
        let start = *lexer;
        let masked = MaskedKey::parse_from(lexer)?;
        match masked.is_exact() {
            true => Ok(masked.key),
            false => Err(start.expected("an attribute with all of its fields and without a mask")),
        }
    }

    /// Prints it terse: connection tracking fields and tunnel id hide without a mask. Open vSwitch does so with the
    /// payload of a masked `set` that is more than 40 bytes of value and as many of mask.
    pub fn terse(&self) -> Terse<'_> {
        Terse(self)
    }

    /// Bytes of payload, without padding.
    pub(crate) fn payload_len(&self) -> usize {
        self.payload().len()
    }

    /// Whether `mask` covers every bit; of a tunnel key, everything that has a value.
    pub(crate) fn is_exact(&self, mask: &Self) -> bool {
        let ones = |payload: Vec<u8>| payload.iter().all(|byte| *byte == u8::MAX);
        match (self, mask) {
            (Self::Tunnel(tunnel), Self::Tunnel(mask)) => tunnel.is_whole(mask),
            (Self::Encap(keys), Self::Encap(masks)) => {
                let mut masks = Masks::new(masks);
                keys.iter()
                    .all(|key| masks.next_of(key).is_some_and(|mask| key.is_exact(mask)))
            }
            (Self::Nsh(nsh), Self::Nsh(mask)) => {
                let mut masks = Masks::new(mask.attrs());
                nsh.attrs()
                    .iter()
                    .all(|attr| masks.next_of(attr).is_some_and(|mask| ones(mask.payload())))
            }
            _ => ones(mask.payload()),
        }
    }

    /// Reads value and mask of one attribute.
    fn parse_masked(lexer: &mut Lexer<'_>, context: Context) -> Result<(Self, Self), ParseError> {
        let start = *lexer;
        if context.depth >= MAX_DEPTH {
            return Err(ParseError::TooDeep {
                offset: start.offset(),
                limit: MAX_DEPTH - 1,
            });
        }
        let name = lexer.word("a flow key attribute")?;
        if let Some(kind) = name.strip_prefix("key").and_then(|kind| kind.parse().ok()) {
            return parse_raw_masked(kind, lexer);
        }
        Self::parse_known(name, lexer, context).unwrap_or_else(|| Err(start.expected("a flow key attribute")))
    }

    /// Prints the attribute.
    pub(crate) fn print(&self, mask: Option<&Self>, verbose: bool, list: &mut List<'_, '_>) -> fmt::Result {
        if self.is_misfit(mask) {
            return self.print_misfit(mask, list.f);
        }
        let known;
        let key = match self {
            // The type may have flags, which Open vSwitch does not look at.
            Self::Unknown(raw) if list.depth <= MAX_DEPTH => {
                known = Self::decode_at(raw.kind(), &raw.payload, 0);
                &known
            }
            key => key,
        };
        let Self::Unknown(raw) = key else {
            return key.print_known(mask, verbose, list);
        };
        match raw.kind() {
            _ if list.depth > MAX_DEPTH => {}
            1 => return flow_key::print_broken_encap(&raw.payload, verbose, list),
            16 => {
                let mask = mask.map(|mask| Tunnel::prefix_of(&mask.payload()));
                return Tunnel::print(
                    "tunnel",
                    &Tunnel::prefix_of(&raw.payload),
                    mask.as_ref(),
                    verbose,
                    list,
                );
            }
            21 => return list.item(format_args!("mpls((bad key length {})", raw.payload.len())),
            28 => return Nsh::print("nsh", &Nsh::prefix_of(&raw.payload), None, verbose, list),
            0 => return list.item(format_args!("unspec()")),
            31 => return list.item(format_args!("<error: kernel-only tunnel_info>()")),
            _ => {}
        }
        print_raw(raw, mask.map(Self::payload).as_deref(), list)
    }
}

/// As `set(..)` shows it: verbose, without a mask.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Printer::print(f, |f| self.print(None, true, &mut List::new(f)))
    }
}

/// Prints a [`Key`] terse.
#[derive(Clone, Copy, Debug)]
pub struct Terse<'a>(&'a Key);

impl fmt::Display for Terse<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Printer::print(f, |f| self.0.print(None, false, &mut List::new(f)))
    }
}

/// An Ethernet address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MacAddr(pub [u8; 6]);

impl fmt::Display for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// The flags of a TCP header.
struct TcpFlagNames;

impl Names for TcpFlagNames {
    type Bits = format::Hex16;
    const ALL: u32 = 0xfff;
    const NUMBER: bool = false;

    const NAMES: &[&str] = &[
        "fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr", "ns", "[200]", "[400]", "[800]",
    ];
}

/// `OVS_CS_F_*`.
struct CtStateNames;

impl Names for CtStateNames {
    type Bits = Hex32;
    const ALL: u32 = u32::MAX;
    const NUMBER: bool = true;

    const NAMES: &[&str] = &["new", "est", "rel", "rpl", "inv", "trk", "snat", "dnat"];
}

/// Reads the payload of an attribute without a name: what [`Hex`] printed, between parentheses, or nothing.
pub(crate) fn parse_raw(raw_kind: u16, lexer: &mut Lexer<'_>) -> Result<RawAttr, ParseError> {
    let mut payload = Vec::new();
    if lexer.eat("(") && !lexer.eat(")") {
        payload = lexer.hex_bytes()?;
        lexer.expect(")")?;
    }
    Ok(RawAttr { raw_kind, payload })
}

/// As [`parse_raw`], with a mask: `(01 ab/ff 00)`.
fn parse_raw_masked<A: Attribute>(raw_kind: u16, lexer: &mut Lexer<'_>) -> Result<(A, A), ParseError> {
    let start = *lexer;
    let (mut payload, mut mask) = (Vec::new(), None);
    lexer.expect("(")?;
    if lexer.at(|byte| byte.is_ascii_hexdigit()) {
        payload = lexer.hex_bytes()?;
    }
    if lexer.eat("/") {
        let has_mask = lexer.at(|byte| byte.is_ascii_hexdigit());
        mask = Some(if has_mask { lexer.hex_bytes()? } else { Vec::new() });
    }
    lexer.expect(")")?;
    let mask = mask.unwrap_or_else(|| alloc::vec![u8::MAX; payload.len()]);
    let [value, mask] = [payload, mask].map(|bytes| A::decode_at(raw_kind, &bytes, 0));
    if value.raw().is_none() || mask.raw().is_none() {
        return Err(start.expected("bytes of an attribute that has no name"));
    }
    Ok((value, mask))
}

/// Prints an attribute without a name.
fn print_raw(attr: &RawAttr, mask: Option<&[u8]>, list: &mut List<'_, '_>) -> fmt::Result {
    list.item(format_args!("key{}({}", attr.kind(), Hex(&attr.payload)))?;
    if let Some(mask) = mask {
        write!(list.f, "/{}", Hex(mask))?;
    }
    list.f.write_str(")")
}

/// Prints bytes as `01 ab`.
pub(crate) struct Hex<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().enumerate().try_for_each(|(i, byte)| {
            let space = if i == 0 { "" } else { " " };
            write!(f, "{space}{byte:02x}")
        })
    }
}

/// Attributes stand in each other at most so deep, in bytes and in text; Open vSwitch's parser has the same limit
/// (`MAX_ODP_NESTED`), the kernel takes two nests.
pub(crate) const MAX_DEPTH: usize = 31;
