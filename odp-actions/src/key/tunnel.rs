//! `OVS_KEY_ATTR_TUNNEL`.

use alloc::vec::Vec;
use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr};

use netlink_genl::nlattr::{Attr, DecodeError, EncodeError, RawAttr, Sink};

use super::codec::{Codec, Dec8, Dec16, Flag, Hex8, Hex64, Ip4, Ip6};
use super::{parse_raw, print_raw};
use crate::text::ParseError;
use crate::text::lex::Lexer;

attributes! {
    /// One attribute inside a tunnel key (`OVS_TUNNEL_KEY_ATTR_*` of `linux/openvswitch.h`).
    ///
    /// Numbers are in network byte order. Sizes are those of the whole attribute.
    pub enum TunnelAttr {
        /// `ID`, 12 bytes: the tunnel key (VNI, GRE key).
        0 Id(u64) Hex64 "tun_id";
        /// `IPV4_SRC`, 8 bytes: the outer source address; OVS writes it for a port with `local_ip`.
        1 Ipv4Src(Ipv4Addr) Ip4 "src";
        /// `IPV4_DST`, 8 bytes: the outer destination address.
        2 Ipv4Dst(Ipv4Addr) Ip4 "dst";
        /// `TOS`, 8 bytes: TOS of the outer header, ECN bits included. OVS leaves it out if it is 0.
        3 Tos(u8) Hex8 "tos";
        /// `TTL`, 8 bytes: TTL of the outer header. The kernel refuses a tunnel key without it.
        4 Ttl(u8) Dec8 "ttl";
        /// `DONT_FRAGMENT`, 4 bytes, a flag.
        5 DontFragment Flag "df";
        /// `CSUM`, 4 bytes, a flag: compute the outer checksum.
        6 Csum Flag "csum";
        /// `OAM`, 4 bytes, a flag.
        7 Oam Flag "oam";
        /// `TP_SRC`, 8 bytes: the outer source port.
        9 TpSrc(u16) Dec16 "tp_src";
        /// `TP_DST`, 8 bytes: the outer destination port. OVS writes it since 2.7.
        10 TpDst(u16) Dec16 "tp_dst";
        /// `IPV6_SRC`, 20 bytes.
        12 Ipv6Src(Ipv6Addr) Ip6 "ipv6_src";
        /// `IPV6_DST`, 20 bytes.
        13 Ipv6Dst(Ipv6Addr) Ip6 "ipv6_dst";
    }
}

impl TunnelAttr {
    /// Whether this is one of the flags that stand together in `flags(..)`.
    fn is_flag(&self) -> bool {
        matches!(self, Self::DontFragment | Self::Csum | Self::Oam)
    }

    fn print_unknown(unknown: &RawAttr, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print_raw(unknown, f)
    }
}

/// A tunnel key: its attributes in the order in which they stand, or will stand, in the message.
///
/// OVS, the kernel's dump and a text each have an order of their own; keeping it makes decoding and encoding the
/// identity.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tunnel {
    attrs: Vec<TunnelAttr>,
}

impl Tunnel {
    /// A key of these attributes.
    pub fn new(attrs: impl IntoIterator<Item = TunnelAttr>) -> Self {
        Self {
            attrs: attrs.into_iter().collect(),
        }
    }

    /// The attributes in order.
    pub fn attrs(&self) -> &[TunnelAttr] {
        &self.attrs
    }
}

/// The nest of the attributes, and `tunnel(..)`.
pub(super) struct TunnelCodec;

impl Codec for TunnelCodec {
    type Value = Tunnel;

    fn encode<S: Sink>(tunnel: &Tunnel, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        sink.nest(kind, |sink| {
            tunnel.attrs.iter().try_for_each(|attr| attr.encode(sink))
        })
    }

    fn decode(attr: &Attr<'_>) -> Result<Tunnel, DecodeError> {
        let attrs = attr
            .attrs()
            .map(|attr| TunnelAttr::decode(&attr?))
            .collect::<Result<_, _>>()?;
        Ok(Tunnel { attrs })
    }

    fn print(tunnel: &Tunnel, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{name}(")?;
        for attr in tunnel.attrs.iter().filter(|attr| !attr.is_flag()) {
            attr.print(f)?;
            f.write_str(",")?;
        }
        // Open vSwitch shows the presence of the tunnel id as a flag of its own.
        let key = tunnel
            .attrs
            .iter()
            .any(|attr| matches!(attr, TunnelAttr::Id(_)))
            .then_some("key");
        let flags = [TunnelAttr::Oam, TunnelAttr::DontFragment, TunnelAttr::Csum];
        let flags = flags
            .iter()
            .filter(|flag| tunnel.attrs.contains(flag))
            .map(TunnelAttr::name)
            .chain(key);
        let mut before = "flags(";
        for flag in flags {
            write!(f, "{before}{flag}")?;
            before = "|";
        }
        f.write_str(if before == "|" { "))" } else { "flags(0))" })
    }

    fn parse(lexer: &mut Lexer<'_>) -> Result<Tunnel, ParseError> {
        lexer.expect("(")?;
        let mut attrs = Vec::new();
        while !lexer.eat(")") {
            let start = *lexer;
            let wrong = || start.expected("a tunnel attribute");
            match lexer.word("a tunnel attribute")? {
                "flags" => parse_flags(lexer, &mut attrs)?,
                name => {
                    let unknown = name.strip_prefix("key").and_then(|kind| kind.parse().ok());
                    let attr = match unknown {
                        Some(kind) => TunnelAttr::Unknown(parse_raw(kind, lexer)?),
                        None => TunnelAttr::parse(name, lexer).ok_or_else(wrong)??,
                    };
                    attrs.push(if attr.is_flag() { Err(wrong()) } else { Ok(attr) }?);
                }
            }
            if !lexer.eat(",") {
                lexer.expect(")")?;
                break;
            }
        }
        Ok(Tunnel { attrs })
    }
}

/// `flags(df|csum|key)`: attributes in the order DF, CSUM, OAM, as Open vSwitch writes them from text.
fn parse_flags(lexer: &mut Lexer<'_>, attrs: &mut Vec<TunnelAttr>) -> Result<(), ParseError> {
    lexer.expect("(")?;
    let mut seen = Vec::new();
    lexer.eat("0");
    while !lexer.eat(")") {
        let start = *lexer;
        let name = lexer.word("a tunnel flag")?;
        // `key` only repeats that there is a tunnel id.
        if name != "key" {
            let flag = TunnelAttr::parse(name, lexer)
                .and_then(Result::ok)
                .filter(TunnelAttr::is_flag);
            seen.push(flag.ok_or_else(|| start.expected("a tunnel flag"))?);
        }
        if !lexer.eat("|") {
            lexer.expect(")")?;
            break;
        }
    }
    attrs.extend(
        [TunnelAttr::DontFragment, TunnelAttr::Csum, TunnelAttr::Oam]
            .into_iter()
            .filter(|flag| seen.contains(flag)),
    );
    Ok(())
}
