//! Headers that actions add and remove: MPLS, Ethernet; and `hash`.

use core::fmt;

use netlink_genl::nlattr::{Attr, DecodeError, EncodeError, Sink};

use crate::key::codec::Codec;
use crate::key::{LSE_FIELDS, MacAddr};
use crate::text::ParseError;
use crate::text::lex::Lexer;
use crate::text::print::Printer;

/// An MPLS label stack entry: `label:20 tc:3 bos:1 ttl:8`, the most significant bit first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MplsLse(pub u32);

impl MplsLse {
    fn parse(lexer: &mut Lexer<'_>) -> Result<Self, ParseError> {
        let (mut lse, mut before) = (0, "");
        for (name, shift, full, _) in LSE_FIELDS {
            lexer.expect(before)?;
            lexer.expect(name)?;
            // The limit has at most 20 bits.
            lse |= u32::try_from(lexer.number(full.into())?).unwrap_or(0) << shift;
            before = ",";
        }
        Ok(Self(lse))
    }
}

impl fmt::Display for MplsLse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before = "";
        for (name, shift, full, _) in LSE_FIELDS {
            write!(f, "{before}{name}{}", self.0 >> shift & full)?;
            before = ",";
        }
        Ok(())
    }
}

/// `struct ovs_action_push_mpls`: 8 bytes, the last two of them padding that counts as payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PushMpls {
    /// The label stack entry, in network byte order on the wire.
    pub lse: MplsLse,
    /// 0x8847 or 0x8848, in network byte order on the wire.
    pub eth_type: u16,
    /// The padding, which the kernel does not look at.
    pub padding: [u8; 2],
}

/// `struct ovs_action_add_mpls`: 8 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AddMpls {
    /// The label stack entry, in network byte order on the wire.
    pub lse: MplsLse,
    /// 0x8847 or 0x8848, in network byte order on the wire.
    pub eth_type: u16,
    /// `OVS_MPLS_L3_TUNNEL_FLAG_MASK` in bit 0, in host byte order. Text does not show it.
    pub tun_flags: u16,
}

/// `struct ovs_action_push_eth`: the two addresses of the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PushEth {
    /// Source address.
    pub src: [u8; 6],
    /// Destination address.
    pub dst: [u8; 6],
}

/// `struct ovs_action_hash`: 8 bytes, both words in host byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Hash {
    /// `OVS_HASH_ALG_L4` (0) or `OVS_HASH_ALG_SYM_L4` (1).
    pub algorithm: u32,
    /// What the hash starts from.
    pub basis: u32,
}

impl Codec for PushMpls {
    type Value = Self;

    fn encode<S: Sink>(mpls: &Self, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        sink.attr(kind, &mpls_bytes(mpls.lse, mpls.eth_type, mpls.padding))
    }

    fn decode(attr: &Attr<'_>) -> Result<Self, DecodeError> {
        let (lse, eth_type, padding) = mpls_parts(attr)?;
        Ok(Self {
            lse,
            eth_type,
            padding,
        })
    }

    fn print(mpls: &Self, name: &str, f: &mut Printer<'_>) -> fmt::Result {
        write!(f, "{name}({},eth_type={:#x})", mpls.lse, mpls.eth_type)
    }

    fn parse(lexer: &mut Lexer<'_>) -> Result<Self, ParseError> {
        let (lse, eth_type) = parse_mpls(lexer)?;
        Ok(Self {
            lse,
            eth_type,
            padding: [0; 2],
        })
    }
}

impl Codec for AddMpls {
    type Value = Self;

    fn encode<S: Sink>(mpls: &Self, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        sink.attr(
            kind,
            &mpls_bytes(mpls.lse, mpls.eth_type, mpls.tun_flags.to_ne_bytes()),
        )
    }

    fn decode(attr: &Attr<'_>) -> Result<Self, DecodeError> {
        let (lse, eth_type, flags) = mpls_parts(attr)?;
        Ok(Self {
            lse,
            eth_type,
            tun_flags: u16::from_ne_bytes(flags),
        })
    }

    fn print(mpls: &Self, name: &str, f: &mut Printer<'_>) -> fmt::Result {
        write!(f, "{name}({},eth_type={:#x})", mpls.lse, mpls.eth_type)
    }

    fn parse(lexer: &mut Lexer<'_>) -> Result<Self, ParseError> {
        let (lse, eth_type) = parse_mpls(lexer)?;
        Ok(Self {
            lse,
            eth_type,
            tun_flags: 0,
        })
    }
}

impl Codec for PushEth {
    type Value = Self;

    fn encode<S: Sink>(eth: &Self, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        let [a, b, c, d, e, f] = eth.src;
        let [g, h, i, j, k, l] = eth.dst;
        sink.attr(kind, &[a, b, c, d, e, f, g, h, i, j, k, l])
    }

    fn decode(attr: &Attr<'_>) -> Result<Self, DecodeError> {
        let [a, b, c, d, e, f, g, h, i, j, k, l] = attr.array()?;
        Ok(Self {
            src: [a, b, c, d, e, f],
            dst: [g, h, i, j, k, l],
        })
    }

    fn print(eth: &Self, name: &str, f: &mut Printer<'_>) -> fmt::Result {
        write!(f, "{name}(src={},dst={})", MacAddr(eth.src), MacAddr(eth.dst))
    }

    fn parse(lexer: &mut Lexer<'_>) -> Result<Self, ParseError> {
        lexer.expect("(src=")?;
        let src = lexer.mac()?;
        lexer.expect(",dst=")?;
        let dst = lexer.mac()?;
        lexer.expect(")")?;
        Ok(Self { src, dst })
    }
}

impl Codec for Hash {
    type Value = Self;

    fn encode<S: Sink>(hash: &Self, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        let [a, b, c, d] = hash.algorithm.to_ne_bytes();
        let [e, f, g, h] = hash.basis.to_ne_bytes();
        sink.attr(kind, &[a, b, c, d, e, f, g, h])
    }

    fn decode(attr: &Attr<'_>) -> Result<Self, DecodeError> {
        let [a, b, c, d, e, f, g, h] = attr.array()?;
        Ok(Self {
            algorithm: u32::from_ne_bytes([a, b, c, d]),
            basis: u32::from_ne_bytes([e, f, g, h]),
        })
    }

    fn print(hash: &Self, name: &str, f: &mut Printer<'_>) -> fmt::Result {
        match hash.algorithm {
            0 => write!(f, "{name}(l4({}))", hash.basis),
            1 => write!(f, "{name}(sym_l4({}))", hash.basis),
            unknown => write!(f, "{name}(Unknown hash algorithm({unknown}))"),
        }
    }

    fn parse(lexer: &mut Lexer<'_>) -> Result<Self, ParseError> {
        lexer.expect("(")?;
        let forms = ["l4(", "sym_l4(", "Unknown hash algorithm("];
        let form = forms
            .iter()
            .position(|form| lexer.eat(form))
            .ok_or_else(|| lexer.expected("l4 or sym_l4"))?;
        // Read with a limit that fits.
        let number = u32::try_from(lexer.number(u64::from(u32::MAX))?).unwrap_or(u32::MAX);
        lexer.expect("))")?;
        Ok(match form {
            0 => Self {
                algorithm: 0,
                basis: number,
            },
            1 => Self {
                algorithm: 1,
                basis: number,
            },
            // The basis is not shown.
            _ => Self {
                algorithm: number,
                basis: 0,
            },
        })
    }
}

/// `pop_mpls(eth_type=0x800)`: a `u16` in network byte order.
pub(super) struct EthType;

impl Codec for EthType {
    type Value = u16;

    fn encode<S: Sink>(eth_type: &u16, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        sink.attr_be16(kind, *eth_type)
    }

    fn decode(attr: &Attr<'_>) -> Result<u16, DecodeError> {
        attr.be16()
    }

    fn print(eth_type: &u16, name: &str, f: &mut Printer<'_>) -> fmt::Result {
        write!(f, "{name}(eth_type={eth_type:#x})")
    }

    fn parse(lexer: &mut Lexer<'_>) -> Result<u16, ParseError> {
        lexer.expect("(")?;
        let eth_type = parse_eth_type(lexer)?;
        lexer.expect(")")?;
        Ok(eth_type)
    }
}

/// `pop_nsh()`: a flag with parentheses.
pub(super) struct Call;

impl Codec for Call {
    type Value = ();

    fn encode<S: Sink>((): &(), kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        sink.flag(kind)
    }

    fn decode(attr: &Attr<'_>) -> Result<(), DecodeError> {
        attr.flag()
    }

    fn print((): &(), name: &str, f: &mut Printer<'_>) -> fmt::Result {
        write!(f, "{name}()")
    }

    fn parse(lexer: &mut Lexer<'_>) -> Result<(), ParseError> {
        lexer.expect("()")
    }
}

fn mpls_bytes(MplsLse(lse): MplsLse, eth_type: u16, [g, h]: [u8; 2]) -> [u8; 8] {
    let [a, b, c, d] = lse.to_be_bytes();
    let [e, f] = eth_type.to_be_bytes();
    [a, b, c, d, e, f, g, h]
}

fn mpls_parts(attr: &Attr<'_>) -> Result<(MplsLse, u16, [u8; 2]), DecodeError> {
    let [a, b, c, d, e, f, g, h] = attr.array()?;
    Ok((
        MplsLse(u32::from_be_bytes([a, b, c, d])),
        u16::from_be_bytes([e, f]),
        [g, h],
    ))
}

fn parse_mpls(lexer: &mut Lexer<'_>) -> Result<(MplsLse, u16), ParseError> {
    lexer.expect("(")?;
    let lse = MplsLse::parse(lexer)?;
    lexer.expect(",")?;
    let eth_type = parse_eth_type(lexer)?;
    lexer.expect(")")?;
    Ok((lse, eth_type))
}

fn parse_eth_type(lexer: &mut Lexer<'_>) -> Result<u16, ParseError> {
    lexer.expect("eth_type=")?;
    // Read with a limit that fits.
    lexer
        .hex(0xffff)
        .map(|eth_type| u16::try_from(eth_type).unwrap_or(u16::MAX))
}
