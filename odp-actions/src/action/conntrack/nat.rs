//! `OVS_CT_ATTR_NAT`: address translation.

use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

use netlink_genl::nlattr::{Attr, DecodeError, EncodeError, Sink};

use super::{Zone, port};
use crate::action::nest::{nests, silent_about_unknown};
use crate::key::codec::{Codec, Faults, Flag};
use crate::text::ParseError;
use crate::text::lex::Lexer;
use crate::text::print::Printer;

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
    /// `nat(..)` inside `ct(..)`.
    Nat of NatAttr;
}

silent_about_unknown!(NatAttr);

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

    fn print(address: &IpAddr, _: &str, f: &mut Printer<'_>) -> fmt::Result {
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
pub(super) struct NatCodec;

impl Codec for NatCodec {
    type Value = Nat;

    fn encode<S: Sink>(nat: &Nat, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        nat.encode_nest(kind, sink)
    }

    fn decode(attr: &Attr<'_>) -> Result<Nat, DecodeError> {
        Nat::decode_nest(attr, &mut Faults::default())
    }

    fn print(nat: &Nat, name: &str, f: &mut Printer<'_>) -> fmt::Result {
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
