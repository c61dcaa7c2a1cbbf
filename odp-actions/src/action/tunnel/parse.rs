//! `tnl_push(..)` from text: builds the header that the text describes.

use alloc::vec::Vec;

use super::{
    ERSPAN, ETH_TYPE_IP, GENEVE, GRE, GRE_CSUM, GRE_KEY, GRE_SEQ, GTPU, IP6ERSPAN, IP6GRE, SRV6, TunnelPush,
    VXLAN,
};
use crate::text::ParseError;
use crate::text::lex::Lexer;

pub(super) fn tunnel_push(lexer: &mut Lexer<'_>) -> Result<TunnelPush, ParseError> {
    lexer.expect("(tnl_port(")?;
    let tnl_port = port(lexer)?;
    lexer.expect("),header(size=")?;
    let start = *lexer;
    let size = lexer.number(u64::from(u32::MAX))?;
    lexer.expect(",type=")?;
    let tnl_type = number32(lexer)?;
    let mut header = Vec::new();
    let ipv4 = eth(lexer, &mut header)?;
    if ipv4 {
        ip4(lexer, &mut header)?;
    } else {
        ip6(lexer, &mut header)?;
    }
    let tunnel = *lexer;
    let found = if lexer.eat("udp(") {
        udp(lexer, &mut header)?
    } else if lexer.eat("gre((") {
        gre(lexer, &mut header)?;
        if ipv4 { GRE } else { IP6GRE }
    } else if lexer.eat("erspan(") {
        erspan(lexer, &mut header)?;
        if ipv4 { ERSPAN } else { IP6ERSPAN }
    } else if lexer.eat("srv6(") {
        srv6(lexer, &mut header)?;
        SRV6
    } else {
        return Err(lexer.expected("udp, gre, erspan or srv6"));
    };
    if found != tnl_type {
        return Err(tunnel.expected("the tunnel header of this type"));
    }
    if u64::try_from(header.len()) != Ok(size) {
        return Err(start.expected("the size of the header that follows"));
    }
    lexer.expect("),out_port(")?;
    let out_port = port(lexer)?;
    lexer.expect("))")?;
    Ok(TunnelPush {
        tnl_port,
        out_port,
        tnl_type,
        header,
    })
}

/// Whether IPv4 follows.
fn eth(lexer: &mut Lexer<'_>, header: &mut Vec<u8>) -> Result<bool, ParseError> {
    lexer.expect(",eth(dst=")?;
    header.extend(lexer.mac()?);
    lexer.expect(",src=")?;
    header.extend(lexer.mac()?);
    lexer.expect(",dl_type=")?;
    let eth_type = hex16(lexer)?;
    header.extend(eth_type.to_be_bytes());
    lexer.expect("),")?;
    Ok(eth_type == ETH_TYPE_IP)
}

/// Total length and id stay 0: the datapath fills them in.
fn ip4(lexer: &mut Lexer<'_>, header: &mut Vec<u8>) -> Result<(), ParseError> {
    lexer.expect("ipv4(src=")?;
    let src = lexer.ipv4()?.octets();
    lexer.expect(",dst=")?;
    let dst = lexer.ipv4()?.octets();
    lexer.expect(",proto=")?;
    let proto = number8(lexer)?;
    lexer.expect(",tos=")?;
    let tos = number8(lexer)?;
    lexer.expect(",ttl=")?;
    let ttl = number8(lexer)?;
    lexer.expect(",frag=")?;
    let [frag_hi, frag_lo] = hex16(lexer)?.to_be_bytes();
    lexer.expect("),")?;
    let mut ip = [
        0x45, tos, 0, 0, 0, 0, frag_hi, frag_lo, ttl, proto, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];
    ip[12..16].copy_from_slice(&src);
    ip[16..].copy_from_slice(&dst);
    let checksum = checksum(&ip);
    ip[10..12].copy_from_slice(&checksum);
    header.extend(ip);
    Ok(())
}

/// The payload length stays 0: the datapath fills it in.
fn ip6(lexer: &mut Lexer<'_>, header: &mut Vec<u8>) -> Result<(), ParseError> {
    lexer.expect("ipv6(src=")?;
    let src = lexer.ipv6()?.octets();
    lexer.expect(",dst=")?;
    let dst = lexer.ipv6()?.octets();
    lexer.expect(",label=")?;
    let label = lexer.number(0xf_ffff)?;
    lexer.expect(",proto=")?;
    let next = number8(lexer)?;
    lexer.expect(",tclass=")?;
    let tclass = lexer.hex(0xff)?;
    lexer.expect(",hlimit=")?;
    let hop_limit = number8(lexer)?;
    lexer.expect("),")?;
    // Both were read with limits that keep them in their bits.
    let flow = 6 << 28 | u32::try_from(tclass << 20 | label).unwrap_or(0);
    header.extend(flow.to_be_bytes());
    header.extend([0, 0, next, hop_limit]);
    header.extend(src);
    header.extend(dst);
    Ok(())
}

/// The tunnel type that follows.
fn udp(lexer: &mut Lexer<'_>, header: &mut Vec<u8>) -> Result<u32, ParseError> {
    lexer.expect("src=")?;
    header.extend(number16(lexer)?.to_be_bytes());
    lexer.expect(",dst=")?;
    header.extend(number16(lexer)?.to_be_bytes());
    // The length: the datapath fills it in.
    header.extend([0, 0]);
    lexer.expect(",csum=")?;
    header.extend(hex16(lexer)?.to_be_bytes());
    lexer.expect("),")?;
    if lexer.eat("vxlan(flags=") {
        header.extend(hex32(lexer)?.to_be_bytes());
        lexer.expect(",vni=")?;
        header.extend(vni(lexer.hex(0xff_ffff)?));
        lexer.expect(")")?;
        Ok(VXLAN)
    } else if lexer.eat("geneve(") {
        geneve(lexer, header)?;
        Ok(GENEVE)
    } else if lexer.eat("gtpu(flags=") {
        // Open vSwitch prints this and cannot read it back.
        let flags = number8(lexer)?;
        lexer.expect(",msgtype=")?;
        header.extend([flags, number8(lexer)?, 0, 0]);
        lexer.expect(",teid=")?;
        header.extend(hex32(lexer)?.to_be_bytes());
        lexer.expect(")")?;
        Ok(GTPU)
    } else {
        Err(lexer.expected("vxlan, geneve or gtpu"))
    }
}

fn geneve(lexer: &mut Lexer<'_>, header: &mut Vec<u8>) -> Result<(), ParseError> {
    let oam = if lexer.eat("oam,") { 0x80 } else { 0 };
    let critical = if lexer.eat("crit,") { 0x40 } else { 0 };
    lexer.expect("vni=")?;
    let vni = vni(lexer.number(0xff_ffff)?);
    let mut options = Vec::new();
    let start = *lexer;
    if lexer.eat(",options(") {
        while lexer.eat("{class=") {
            options.extend(number16(lexer)?.to_be_bytes());
            lexer.expect(",type=")?;
            let kind = number8(lexer)?;
            lexer.expect(",len=")?;
            let start = *lexer;
            let len = lexer.number(124)?;
            let len = usize::try_from(len).ok().filter(|len| len % 4 == 0);
            let len = len.ok_or_else(|| start.expected("a length in words of 4 bytes"))?;
            // At most 31 words.
            options.extend([kind, u8::try_from(len / 4).unwrap_or(0)]);
            if len > 0 {
                lexer.expect(",")?;
                let start = *lexer;
                let data = lexer.hex_string()?;
                let zeros = len
                    .checked_sub(data.len())
                    .ok_or_else(|| start.expected("no more bytes than len"))?;
                options.resize(options.len() + zeros, 0);
                options.extend(data);
            }
            lexer.expect("}")?;
            lexer.eat(",");
        }
        lexer.expect(")")?;
    }
    lexer.expect(")")?;
    let words = u8::try_from(options.len() / 4).ok().filter(|words| *words <= 63);
    let words = words.ok_or_else(|| start.expected("at most 252 bytes of options"))?;
    let [hi, lo] = ETH_TYPE_TEB.to_be_bytes();
    header.extend([words, oam | critical, hi, lo]);
    header.extend(vni);
    header.extend(options);
    Ok(())
}

fn gre(lexer: &mut Lexer<'_>, header: &mut Vec<u8>) -> Result<(), ParseError> {
    lexer.expect("flags=")?;
    let flags = hex16(lexer)?;
    lexer.expect(",proto=")?;
    let proto = hex16(lexer)?;
    lexer.expect(")")?;
    header.extend(flags.to_be_bytes());
    header.extend(proto.to_be_bytes());
    if flags & GRE_CSUM != 0 {
        lexer.expect(",csum=")?;
        header.extend(hex16(lexer)?.to_be_bytes());
        header.extend([0, 0]);
    }
    if flags & GRE_KEY != 0 {
        lexer.expect(",key=")?;
        header.extend(hex32(lexer)?.to_be_bytes());
    }
    if flags & GRE_SEQ != 0 {
        lexer.expect(",seq=")?;
        header.extend(hex32(lexer)?.to_be_bytes());
    }
    lexer.expect(")")
}

/// Open vSwitch prints this and cannot read it back.
fn erspan(lexer: &mut Lexer<'_>, header: &mut Vec<u8>) -> Result<(), ParseError> {
    lexer.expect("ver=")?;
    let start = *lexer;
    let version = number8(lexer)?;
    lexer.expect(",sid=")?;
    let [sid_hi, sid_lo] = u16::try_from(lexer.hex(0x3ff)?).unwrap_or(0).to_be_bytes();
    let (proto, rest) = match version {
        1 => {
            lexer.expect(",idx=")?;
            (ETH_TYPE_ERSPAN1, hex32(lexer)?.to_be_bytes().to_vec())
        }
        2 => {
            lexer.expect(",dir=")?;
            let dir = u8::try_from(lexer.number(1)?).unwrap_or(0);
            lexer.expect(",hwid=")?;
            let hwid = u8::try_from(lexer.hex(0x3f)?).unwrap_or(0);
            (
                ETH_TYPE_ERSPAN2,
                [0, 0, 0, 0, 0, 0, hwid >> 4, hwid << 4 | dir << 3].to_vec(),
            )
        }
        _ => return Err(start.expected("version 1 or 2")),
    };
    header.extend(GRE_SEQ.to_be_bytes());
    header.extend(proto.to_be_bytes());
    header.extend([0; 4]);
    header.extend([version << 4, 0, sid_hi, sid_lo]);
    header.extend(rest);
    lexer.expect(")")
}

fn srv6(lexer: &mut Lexer<'_>, header: &mut Vec<u8>) -> Result<(), ParseError> {
    lexer.expect("segments_left=")?;
    let left = u8::try_from(lexer.decimal(SRV6_MAX_SEGS - 1)?).unwrap_or(0);
    lexer.expect(",segs(")?;
    let start = *lexer;
    let mut segments = Vec::new();
    while !lexer.eat(")") {
        segments.push(lexer.ipv6()?);
        lexer.eat(",");
    }
    if segments.len() != usize::from(left) + 1 {
        return Err(start.expected("one segment more than are left"));
    }
    // The outer header says what follows it.
    let next = header.len() - 40 + 6;
    header[next] = IPPROTO_ROUTING;
    header.extend([0, 2 * (left + 1), IPV6_SRCRT_TYPE_4, left, left, 0, 0, 0]);
    header.extend(segments.iter().rev().flat_map(|segment| segment.octets()));
    lexer.expect(")")
}

/// The one's complement of the one's complement sum (RFC 1071).
fn checksum(bytes: &[u8; 20]) -> [u8; 2] {
    let sum: u32 = bytes
        .chunks_exact(2)
        .map(|two| u32::from(two[0]) << 8 | u32::from(two[1]))
        .sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    let folded = (folded & 0xffff) + (folded >> 16);
    let [_, _, a, b] = (!folded).to_be_bytes();
    [a, b]
}

/// 24 bits, then 8 reserved ones.
fn vni(vni: u64) -> [u8; 4] {
    let [.., a, b, c] = vni.to_be_bytes();
    [a, b, c, 0]
}

// What follows reads with limits that fit.

fn number8(lexer: &mut Lexer<'_>) -> Result<u8, ParseError> {
    lexer
        .number(0xff)
        .map(|number| u8::try_from(number).unwrap_or(u8::MAX))
}

fn number16(lexer: &mut Lexer<'_>) -> Result<u16, ParseError> {
    lexer
        .number(0xffff)
        .map(|number| u16::try_from(number).unwrap_or(u16::MAX))
}

fn port(lexer: &mut Lexer<'_>) -> Result<u32, ParseError> {
    lexer
        .port(u64::from(u32::MAX))
        .map(|number| u32::try_from(number).unwrap_or(u32::MAX))
}

fn number32(lexer: &mut Lexer<'_>) -> Result<u32, ParseError> {
    lexer
        .number(u64::from(u32::MAX))
        .map(|number| u32::try_from(number).unwrap_or(u32::MAX))
}

fn hex16(lexer: &mut Lexer<'_>) -> Result<u16, ParseError> {
    lexer
        .hex(0xffff)
        .map(|number| u16::try_from(number).unwrap_or(u16::MAX))
}

fn hex32(lexer: &mut Lexer<'_>) -> Result<u32, ParseError> {
    lexer
        .hex(u64::from(u32::MAX))
        .map(|number| u32::try_from(number).unwrap_or(u32::MAX))
}

const ETH_TYPE_TEB: u16 = 0x6558;
const ETH_TYPE_ERSPAN1: u16 = 0x88be;
const ETH_TYPE_ERSPAN2: u16 = 0x22eb;
const IPPROTO_ROUTING: u8 = 43;
const IPV6_SRCRT_TYPE_4: u8 = 4;
const SRV6_MAX_SEGS: u64 = 6;
