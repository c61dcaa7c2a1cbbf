//! `OVS_ACTION_ATTR_CT`: connection tracking, and address translation inside it.

use alloc::borrow::ToOwned;
use alloc::ffi::CString;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

use netlink_genl::nlattr::{Attr, DecodeError, EncodeError, RawAttr, Sink};

use super::nest::{HexNumber, nests, silent_about_unknown, strictly};
use crate::key::codec::{Codec, Faults, Flag};
use crate::key::format::Alt;
use crate::text::ParseError;
use crate::text::lex::Lexer;

attributes! {
    /// One attribute of [`Ct`] (`OVS_CT_ATTR_*`). Numbers are in host byte order.
    pub enum CtAttr {
        /// Commit the connection.
        1 Commit Flag "commit";
        /// The zone. A kernel's dump always has one.
        2 Zone(u16) Zone "zone";
        /// Value and mask of the connection's mark.
        3 Mark(Masked<u32>) Mark "mark";
        /// Value and mask of the connection's label.
        4 Labels(Masked<u128>) Labels "label";
        /// A helper, such as `ftp`.
        5 Helper(CString) Helper "helper";
        /// Address translation.
        6 Nat(Nat) NatCodec "nat";
        /// Commit it, or replace the entry of the other direction.
        7 ForceCommit Flag "force_commit";
        /// Which events conntrack tells of. Text does not show it.
        8 EventMask(u32) EventMask "event_mask";
        /// A timeout policy.
        9 Timeout(CString) Timeout "timeout";
    }
}

attributes! {
    /// One attribute of [`Nat`] (`OVS_NAT_ATTR_*`). Ports are in host byte order.
    pub enum NatAttr {
        /// Translate the source.
        1 Src Flag "src";
        /// Translate the destination.
        2 Dst Flag "dst";
        /// The first address to translate to.
        3 IpMin(IpAddr) Address "ip_min";
        /// The last one.
        4 IpMax(IpAddr) Address "ip_max";
        /// The first port.
        5 ProtoMin(u16) Zone "proto_min";
        /// The last one.
        6 ProtoMax(u16) Zone "proto_max";
        /// Keep the translation over reboots.
        7 Persistent Flag "persistent";
        /// Choose the port by a hash.
        8 ProtoHash Flag "hash";
        /// Choose the port by chance.
        9 ProtoRandom Flag "random";
    }
}

nests! {
    /// `ct(..)`.
    Ct of CtAttr;
    /// `nat(..)` inside `ct(..)`.
    Nat of NatAttr;
}

impl CtAttr {
    /// Open vSwitch passes over what it does not know, and says so of a `nat` that it cannot read.
    fn print_unknown(unknown: &RawAttr, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if unknown.kind() == KIND_NAT {
            "nat(error: nl_parse_nested() failed.)"
        } else {
            ""
        })
    }
}

silent_about_unknown!(NatAttr);

/// A value and the bits of it that count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Masked<T> {
    /// The value.
    pub value: T,
    /// The bits that count.
    pub mask: T,
}

impl Codec for Ct {
    type Value = Self;

    fn encode<S: Sink>(ct: &Self, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        ct.encode_nest(kind, sink)
    }

    fn decode(attr: &Attr<'_>) -> Result<Self, DecodeError> {
        strictly(attr, Self::decode_in)
    }

    /// A bad `nat` costs itself only.
    fn decode_in(attr: &Attr<'_>, faults: &mut Faults) -> Result<Self, DecodeError> {
        let mut attrs = Vec::new();
        for attr in attr.attrs() {
            let attr = attr?;
            attrs.push(match CtAttr::decode_in(&attr, faults) {
                Err(error) if attr.kind() == KIND_NAT => {
                    faults.add(error);
                    CtAttr::Unknown(attr.into())
                }
                decoded => decoded?,
            });
        }
        Ok(Self { attrs })
    }

    fn print(ct: &Self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(name)?;
        let mut before = "(";
        for kind in TEXT_ORDER {
            match ct.attrs.iter().rev().find(|attr| attr.kind() == kind) {
                // Zone 0 is the one that a packet is in anyway.
                None | Some(CtAttr::Zone(0)) => {}
                Some(attr) => {
                    f.write_str(before)?;
                    attr.print(f)?;
                    before = ",";
                }
            }
        }
        f.write_str(if before == "," { ")" } else { "" })
    }

    /// Bytes in the order of Open vSwitch's parser, whatever that of the text.
    fn parse(lexer: &mut Lexer<'_>) -> Result<Self, ParseError> {
        let mut attrs: Vec<CtAttr> = Vec::new();
        if lexer.eat("(") {
            loop {
                lexer.separators();
                if lexer.eat(")") {
                    break;
                }
                let start = *lexer;
                let name = lexer.word("an attribute of ct")?;
                let attr = CtAttr::parse(name, lexer).filter(|_| name != "event_mask");
                let attr = attr.ok_or_else(|| start.expected("an attribute of ct"))??;
                attrs.retain(|before| before.kind() != attr.kind());
                attrs.push(attr);
            }
        }
        if attrs.contains(&CtAttr::Commit) && attrs.contains(&CtAttr::ForceCommit) {
            return Err(lexer.expected("either commit or force_commit before this"));
        }
        // What has no effect is not written.
        attrs.retain(|attr| match attr {
            CtAttr::Zone(zone) => *zone != 0,
            CtAttr::Mark(mark) => mark.mask != 0,
            CtAttr::Labels(label) => label.mask != 0,
            _ => true,
        });
        attrs.sort_by_key(|attr| TEXT_ORDER.iter().position(|kind| *kind == attr.kind()));
        Ok(Self { attrs })
    }
}

/// COMMIT, FORCE_COMMIT, ZONE, MARK, LABELS, HELPER, TIMEOUT, NAT.
const TEXT_ORDER: [u16; 8] = [1, 7, 2, 3, 4, 5, 9, KIND_NAT];
/// `OVS_CT_ATTR_NAT`.
const KIND_NAT: u16 = 6;

/// `zone=5`: a `u16` in host byte order, decimal whatever its first digit.
struct Zone;

impl Codec for Zone {
    type Value = u16;

    fn encode<S: Sink>(zone: &u16, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        sink.attr_u16(kind, *zone)
    }

    fn decode(attr: &Attr<'_>) -> Result<u16, DecodeError> {
        attr.u16()
    }

    fn print(zone: &u16, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{name}={zone}")
    }

    fn parse(lexer: &mut Lexer<'_>) -> Result<u16, ParseError> {
        lexer.expect("=")?;
        port(lexer)
    }
}

/// `mark=0x1/0xff`: value and mask, in hexadecimal with or without `0x`.
struct Mark;

impl Codec for Mark {
    type Value = Masked<u32>;

    fn encode<S: Sink>(mark: &Masked<u32>, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        let [a, b, c, d] = mark.value.to_ne_bytes();
        let [e, f, g, h] = mark.mask.to_ne_bytes();
        sink.attr(kind, &[a, b, c, d, e, f, g, h])
    }

    fn decode(attr: &Attr<'_>) -> Result<Masked<u32>, DecodeError> {
        let [a, b, c, d, e, f, g, h] = attr.array()?;
        Ok(Masked {
            value: u32::from_ne_bytes([a, b, c, d]),
            mask: u32::from_ne_bytes([e, f, g, h]),
        })
    }

    fn print(mark: &Masked<u32>, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{name}={}/{}", Alt(mark.value.into()), Alt(mark.mask.into()))
    }

    fn parse(lexer: &mut Lexer<'_>) -> Result<Masked<u32>, ParseError> {
        // Read with a limit that fits.
        let word = |lexer: &mut Lexer<'_>| {
            lexer
                .hex(u64::from(u32::MAX))
                .map(|n| u32::try_from(n).unwrap_or(u32::MAX))
        };
        lexer.expect("=")?;
        let value = word(lexer)?;
        let mask = if lexer.eat("/") { word(lexer)? } else { u32::MAX };
        Ok(Masked { value, mask })
    }
}

/// `label=0x1/0xff`: 128 bits in host byte order.
struct Labels;

impl Codec for Labels {
    type Value = Masked<u128>;

    fn encode<S: Sink>(label: &Masked<u128>, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        let mut bytes = [0; 32];
        bytes[..16].copy_from_slice(&label.value.to_ne_bytes());
        bytes[16..].copy_from_slice(&label.mask.to_ne_bytes());
        sink.attr(kind, &bytes)
    }

    fn decode(attr: &Attr<'_>) -> Result<Masked<u128>, DecodeError> {
        let bytes: [u8; 32] = attr.array()?;
        let (mut value, mut mask) = ([0; 16], [0; 16]);
        value.copy_from_slice(&bytes[..16]);
        mask.copy_from_slice(&bytes[16..]);
        Ok(Masked {
            value: u128::from_ne_bytes(value),
            mask: u128::from_ne_bytes(mask),
        })
    }

    fn print(label: &Masked<u128>, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{name}={}", HexNumber(&label.value.to_be_bytes()))?;
        if label.mask == u128::MAX {
            Ok(())
        } else {
            write!(f, "/{}", HexNumber(&label.mask.to_be_bytes()))
        }
    }

    fn parse(lexer: &mut Lexer<'_>) -> Result<Masked<u128>, ParseError> {
        lexer.expect("=")?;
        let value = lexer.number128()?;
        let mask = if lexer.eat("/") {
            lexer.number128()?
        } else {
            u128::MAX
        };
        Ok(Masked { value, mask })
    }
}

/// A string with a NUL: `helper=ftp`, `timeout=policy`.
macro_rules! names {
    ($($Codec:ident $limit:literal;)*) => {$(
        struct $Codec;

        impl Codec for $Codec {
            type Value = CString;

            fn encode<S: Sink>(name: &CString, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
                sink.attr(kind, name.as_bytes_with_nul())
            }

            /// The string is the whole payload, its NUL included, so that encoding gives the same bytes.
            fn decode(attr: &Attr<'_>) -> Result<CString, DecodeError> {
                let name = attr.c_str()?;
                match attr.payload().len() == name.to_bytes_with_nul().len() && name.count_bytes() <= $limit {
                    true => Ok(name.to_owned()),
                    false => Err(DecodeError::WrongSize {
                        offset: attr.offset(),
                        kind: attr.kind(),
                        wanted: name.count_bytes().min($limit) + 1,
                        got: attr.payload().len(),
                    }),
                }
            }

            fn print(value: &CString, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{name}={}", value.to_string_lossy())
            }

            fn parse(lexer: &mut Lexer<'_>) -> Result<CString, ParseError> {
                lexer.expect("=")?;
                let start = *lexer;
                CString::new(lexer.name($limit)?).map_err(|_| start.expected("a name without NUL"))
            }
        }
    )*};
}

names! {
    Helper 15;
    Timeout 31;
}

/// A `u32` that text does not show.
struct EventMask;

impl Codec for EventMask {
    type Value = u32;

    fn encode<S: Sink>(mask: &u32, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        sink.attr_u32(kind, *mask)
    }

    fn decode(attr: &Attr<'_>) -> Result<u32, DecodeError> {
        attr.u32()
    }

    fn print(mask: &u32, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{name}={mask:#x}")
    }

    fn parse(lexer: &mut Lexer<'_>) -> Result<u32, ParseError> {
        Err(lexer.expected("an attribute that has a text"))
    }
}

/// An address of 4 or 16 bytes.
struct Address;

impl Codec for Address {
    type Value = IpAddr;

    fn encode<S: Sink>(address: &IpAddr, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        match address {
            IpAddr::V4(address) => sink.attr(kind, &address.octets()),
            IpAddr::V6(address) => sink.attr(kind, &address.octets()),
        }
    }

    fn decode(attr: &Attr<'_>) -> Result<IpAddr, DecodeError> {
        if attr.payload().len() == 16 {
            attr.array::<16>().map(IpAddr::from)
        } else {
            attr.array::<4>().map(IpAddr::from)
        }
    }

    fn print(address: &IpAddr, _: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{address}")
    }

    /// IPv6 may stand in brackets.
    fn parse(lexer: &mut Lexer<'_>) -> Result<IpAddr, ParseError> {
        let start = *lexer;
        if let Ok(address) = lexer.ipv4() {
            return Ok(IpAddr::V4(address));
        }
        *lexer = start;
        let bracket = lexer.eat("[");
        let address = lexer.ipv6()?;
        if bracket {
            lexer.expect("]")?;
        }
        Ok(IpAddr::V6(address))
    }
}

/// `nat`, `nat(src=10.0.0.1-10.0.0.9:80-90,persistent,hash)`.
struct NatCodec;

impl Codec for NatCodec {
    type Value = Nat;

    fn encode<S: Sink>(nat: &Nat, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        nat.encode_nest(kind, sink)
    }

    fn decode(attr: &Attr<'_>) -> Result<Nat, DecodeError> {
        Nat::decode_nest(attr, &mut Faults::default())
    }

    fn print(nat: &Nat, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nat = Range::of(nat);
        if let Some(error) = nat.error() {
            return write!(f, "{name}({error})");
        }
        f.write_str(name)?;
        if !nat.src && !nat.dst {
            return Ok(());
        }
        write!(f, "({nat})")
    }

    fn parse(lexer: &mut Lexer<'_>) -> Result<Nat, ParseError> {
        let mut nat = Range::default();
        let start = *lexer;
        if lexer.eat("(") {
            loop {
                lexer.separators();
                if lexer.eat(")") {
                    break;
                }
                let start = *lexer;
                match lexer.word("an attribute of nat")? {
                    "src" => {
                        nat.src = true;
                        nat.parse_range(lexer)?;
                    }
                    "dst" => {
                        nat.dst = true;
                        nat.parse_range(lexer)?;
                    }
                    "persistent" => nat.persistent = true,
                    "hash" => nat.hash = true,
                    "random" => nat.random = true,
                    _ => return Err(start.expected("an attribute of nat")),
                }
            }
        }
        if nat.src && nat.dst {
            return Err(start.expected("either src or dst"));
        }
        if nat.hash && nat.random {
            return Err(start.expected("either hash or random"));
        }
        if nat.is_backwards() {
            return Err(start.expected("a range that ends behind its beginning"));
        }
        Ok(nat.attrs())
    }
}

/// What the attributes of a `nat` say together.
#[derive(Default)]
struct Range {
    src: bool,
    dst: bool,
    ip_min: Option<IpAddr>,
    ip_max: Option<IpAddr>,
    proto_min: Option<u16>,
    proto_max: Option<u16>,
    persistent: bool,
    hash: bool,
    random: bool,
}

impl Range {
    fn of(nat: &Nat) -> Self {
        let mut range = Self::default();
        for attr in &nat.attrs {
            match attr {
                NatAttr::Src => range.src = true,
                NatAttr::Dst => range.dst = true,
                NatAttr::IpMin(ip) => range.ip_min = Some(*ip),
                NatAttr::IpMax(ip) => range.ip_max = Some(*ip),
                NatAttr::ProtoMin(port) => range.proto_min = Some(*port),
                NatAttr::ProtoMax(port) => range.proto_max = Some(*port),
                NatAttr::Persistent => range.persistent = true,
                NatAttr::ProtoHash => range.hash = true,
                NatAttr::ProtoRandom => range.random = true,
                NatAttr::Unknown(_) => {}
            }
        }
        range
    }

    /// The attributes in Open vSwitch's order; options count only where there is an address.
    fn attrs(&self) -> Nat {
        let mut attrs = Vec::new();
        if self.src || self.dst {
            attrs.push(if self.src { NatAttr::Src } else { NatAttr::Dst });
            if let Some(ip_min) = self.ip_min {
                attrs.push(NatAttr::IpMin(ip_min));
                attrs.extend(self.ip_max.filter(|max| *max > ip_min).map(NatAttr::IpMax));
                if let Some(min) = self.proto_min.filter(|min| *min != 0) {
                    attrs.push(NatAttr::ProtoMin(min));
                    attrs.extend(self.proto_max.filter(|max| *max > min).map(NatAttr::ProtoMax));
                }
                let options = [
                    (self.persistent, NatAttr::Persistent),
                    (self.hash, NatAttr::ProtoHash),
                    (self.random, NatAttr::ProtoRandom),
                ];
                attrs.extend(options.into_iter().filter(|(set, _)| *set).map(|(_, attr)| attr));
            }
        }
        Nat { attrs }
    }

    fn parse_range(&mut self, lexer: &mut Lexer<'_>) -> Result<(), ParseError> {
        if !lexer.eat("=") {
            return Ok(());
        }
        let start = *lexer;
        let ip_min = Address::parse(lexer)?;
        self.ip_min = Some(ip_min);
        if lexer.eat("-") {
            let ip_max = Address::parse(lexer)?;
            if ip_max.is_ipv4() != ip_min.is_ipv4() {
                return Err(start.expected("a range of one address family"));
            }
            self.ip_max = Some(ip_max);
        }
        if lexer.eat(":") {
            self.proto_min = Some(port(lexer)?);
            if lexer.eat("-") {
                self.proto_max = Some(port(lexer)?);
            }
        }
        Ok(())
    }

    fn is_backwards(&self) -> bool {
        let ip = self.ip_max.filter(|max| !max.is_unspecified()).zip(self.ip_min);
        let port = self
            .proto_max
            .filter(|max| *max != 0)
            .map(|max| (max, self.proto_min.unwrap_or(0)));
        ip.is_some_and(|(max, min)| max < min) || port.is_some_and(|(max, min)| max < min)
    }

    /// What Open vSwitch says of attributes that do not go together.
    fn error(&self) -> Option<&'static str> {
        let options = self.ip_min.is_some()
            || self.ip_max.is_some()
            || self.proto_min.is_some()
            || self.proto_max.is_some()
            || self.persistent
            || self.hash
            || self.random;
        if !self.src && !self.dst && options {
            Some("error: options allowed only with \"src\" or \"dst\"")
        } else if self.src && self.dst {
            Some("error: Only one of \"src\" or \"dst\" may be present.")
        } else if self.ip_min.is_none() && self.proto_min.is_some() {
            Some("error: proto but no IP.")
        } else if self.ip_min.is_none() && self.ip_max.is_some()
            || self.proto_min.is_none() && self.proto_max.is_some()
        {
            Some("error: range max without min.")
        } else if self
            .ip_min
            .zip(self.ip_max)
            .is_some_and(|(min, max)| min.is_ipv4() != max.is_ipv4())
        {
            Some("error: IP address sizes do not match")
        } else if self.is_backwards() {
            Some("range error")
        } else {
            None
        }
    }
}

/// What stands between the parentheses of `nat(..)`.
impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.src { "src" } else { "dst" })?;
        if let Some(min) = self.ip_min {
            let port = self.proto_min.filter(|port| *port != 0);
            let address = |f: &mut fmt::Formatter<'_>, address: IpAddr| match address {
                IpAddr::V6(address) if port.is_some() => write!(f, "[{address}]"),
                _ => write!(f, "{address}"),
            };
            f.write_str("=")?;
            address(f, min)?;
            if let Some(max) = self.ip_max.filter(|max| !max.is_unspecified() && *max != min) {
                f.write_str("-")?;
                address(f, max)?;
            }
            if let Some(port) = port {
                write!(f, ":{port}")?;
                if let Some(max) = self.proto_max.filter(|max| *max != 0 && *max != port) {
                    write!(f, "-{max}")?;
                }
            }
        }
        for (set, name) in [
            (self.persistent, ",persistent"),
            (self.hash, ",hash"),
            (self.random, ",random"),
        ] {
            if set {
                f.write_str(name)?;
            }
        }
        Ok(())
    }
}

fn port(lexer: &mut Lexer<'_>) -> Result<u16, ParseError> {
    // Read with a limit that fits.
    lexer
        .decimal(0xffff)
        .map(|port| u16::try_from(port).unwrap_or(u16::MAX))
}
