//! `OVS_ACTION_ATTR_TUNNEL_PUSH`: the userspace datapath puts a whole outer header before the packet.

use alloc::vec::Vec;
use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr};

use netlink_genl::nlattr::{Attr, DecodeError, EncodeError, Sink};

use crate::key::MacAddr;
use crate::key::codec::Codec;
use crate::key::format::Alt;
use crate::text::ParseError;
use crate::text::lex::Lexer;
use crate::text::print::Printer;

mod parse;

/// `struct ovs_action_push_tnl`: two ports, the header's length and type, and the header itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TunnelPush {
    /// The tunnel port.
    pub tnl_port: u32,
    /// The port of the underlay that the packet leaves by.
    pub out_port: u32,
    /// `OVS_VPORT_TYPE_*`: 3 GRE, 4 VXLAN, 5 Geneve, 107 ERSPAN, 108 IP6ERSPAN, 109 IP6GRE, 110 GTP-U, 112 SRv6.
    pub tnl_type: u32,
    /// The header from Ethernet on.
    pub header: Vec<u8>,
}

impl Codec for TunnelPush {
    type Value = Self;

    fn encode<S: Sink>(push: &Self, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        let too_big = EncodeError::AttrTooBig {
            kind,
            len: FIXED.saturating_add(push.header.len()),
        };
        let header_len = u32::try_from(push.header.len()).map_err(|_| too_big)?;
        sink.nest(kind, |sink| {
            [push.tnl_port, push.out_port, header_len, push.tnl_type]
                .iter()
                .try_for_each(|word| sink.put(&word.to_ne_bytes()))?;
            sink.put(&push.header)
        })
    }

    /// The header must have the length that it claims.
    fn decode(attr: &Attr<'_>) -> Result<Self, DecodeError> {
        let payload = attr.payload();
        let wrong = |wanted| DecodeError::WrongSize {
            offset: attr.offset(),
            kind: attr.kind(),
            wanted,
            got: payload.len(),
        };
        let (fixed, rest) = payload.split_first_chunk::<FIXED>().ok_or(wrong(FIXED))?;
        let word = |at: usize| u32::from_ne_bytes([fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]]);
        match usize::try_from(word(8)) {
            Ok(header_len) if header_len == rest.len() => {}
            Ok(header_len) => return Err(wrong(FIXED.saturating_add(header_len))),
            Err(_) => return Err(wrong(usize::MAX)),
        }
        Ok(Self {
            tnl_port: word(0),
            out_port: word(4),
            tnl_type: word(12),
            header: rest.to_vec(),
        })
    }

    fn print(push: &Self, name: &str, f: &mut Printer<'_>) -> fmt::Result {
        write!(f, "{name}(tnl_port(")?;
        f.port(push.tnl_port)?;
        f.write_str("),")?;
        print_header(push, f)?;
        f.write_str(",out_port(")?;
        f.port(push.out_port)?;
        f.write_str("))")
    }

    fn parse(lexer: &mut Lexer<'_>) -> Result<Self, ParseError> {
        parse::tunnel_push(lexer)
    }
}

/// `header(size=50,type=4,eth(..),ipv4(..),udp(..),vxlan(..))`, cut off where the header is.
fn print_header(push: &TunnelPush, f: &mut Printer<'_>) -> fmt::Result {
    write!(f, "header(size={},type={},", push.header.len(), push.tnl_type)?;
    let mut rest = Rest(&push.header);
    let Some(eth) = rest.take::<14>() else {
        return f.write_str(" eth(truncated header))");
    };
    let (dst, src) = (
        [eth[0], eth[1], eth[2], eth[3], eth[4], eth[5]],
        [eth[6], eth[7], eth[8], eth[9], eth[10], eth[11]],
    );
    let eth_type = u16::from_be_bytes([eth[12], eth[13]]);
    write!(
        f,
        "eth(dst={},src={},dl_type={eth_type:#06x}),",
        MacAddr(dst),
        MacAddr(src)
    )?;
    let ip = if eth_type == ETH_TYPE_IP {
        print_ipv4(&mut rest, f)?
    } else {
        print_ipv6(&mut rest, f)?
    };
    if !ip {
        return Ok(());
    }
    match push.tnl_type {
        VXLAN => print_vxlan(&mut rest, f),
        GENEVE => print_geneve(&mut rest, f),
        SRV6 => print_srv6(&mut rest, f),
        GRE | IP6GRE => print_gre(&mut rest, f),
        ERSPAN | IP6ERSPAN => print_erspan(&mut rest, f),
        GTPU => print_gtpu(&mut rest, f),
        _ => f.write_str(")"),
    }
}

/// Whether the header went on.
fn print_ipv4(rest: &mut Rest<'_>, f: &mut Printer<'_>) -> Result<bool, fmt::Error> {
    let Some(ip) = rest.take::<20>() else {
        f.write_str("ipv4(truncated header))")?;
        return Ok(false);
    };
    let address = |at: usize| Ipv4Addr::new(ip[at], ip[at + 1], ip[at + 2], ip[at + 3]);
    let (proto, tos, ttl) = (ip[9], Alt(ip[1].into()), ip[8]);
    let frag = u16::from_be_bytes([ip[6], ip[7]]);
    write!(
        f,
        "ipv4(src={},dst={},proto={proto},tos={tos},ttl={ttl},frag={frag:#x}),",
        address(12),
        address(16)
    )?;
    Ok(true)
}

fn print_ipv6(rest: &mut Rest<'_>, f: &mut Printer<'_>) -> Result<bool, fmt::Error> {
    let Some(ip) = rest.take::<40>() else {
        f.write_str("ipv6(truncated header))")?;
        return Ok(false);
    };
    let address = |at: usize| {
        let mut octets = [0; 16];
        octets.copy_from_slice(&ip[at..at + 16]);
        Ipv6Addr::from(octets)
    };
    let flow = u32::from_be_bytes([ip[0], ip[1], ip[2], ip[3]]);
    let (label, tclass, next, hop_limit) = (flow & 0xf_ffff, flow >> 20 & 0xff, ip[6], ip[7]);
    let (src, dst) = (address(8), address(24));
    write!(
        f,
        "ipv6(src={src},dst={dst},label={label},proto={next},tclass={tclass:#x},hlimit={hop_limit}),"
    )?;
    Ok(true)
}

fn print_udp(rest: &mut Rest<'_>, f: &mut Printer<'_>) -> Result<bool, fmt::Error> {
    let Some([a, b, c, d, _, _, e, g]) = rest.take::<8>() else {
        f.write_str("udp(truncated header))")?;
        return Ok(false);
    };
    let half = |a, b| u16::from_be_bytes([a, b]);
    write!(
        f,
        "udp(src={},dst={},csum={:#x}),",
        half(a, b),
        half(c, d),
        half(e, g)
    )?;
    Ok(true)
}

fn print_vxlan(rest: &mut Rest<'_>, f: &mut Printer<'_>) -> fmt::Result {
    if !print_udp(rest, f)? {
        return Ok(());
    }
    match (rest.word(), rest.word()) {
        (Some(flags), Some(vni)) => write!(f, "vxlan(flags={flags:#x},vni={:#x}))", vni >> 8),
        _ => f.write_str("vxlan(truncated header))"),
    }
}

fn print_geneve(rest: &mut Rest<'_>, f: &mut Printer<'_>) -> fmt::Result {
    if !print_udp(rest, f)? {
        return Ok(());
    }
    let Some([options, flags, _, _, a, b, c, _]) = rest.take::<8>() else {
        return f.write_str("geneve(truncated header))");
    };
    let (oam, critical) = (
        if flags & 0x80 != 0 { "oam," } else { "" },
        if flags & 0x40 != 0 { "crit," } else { "" },
    );
    write!(
        f,
        "geneve({oam}{critical}vni={:#x}",
        u32::from_be_bytes([0, a, b, c])
    )?;
    let len = 4 * usize::from(options & 0x3f);
    if len > 0 {
        let Some(options) = rest.0.get(..len) else {
            return f.write_str(",options(invalid length)))");
        };
        f.write_str(",options(")?;
        print_geneve_options(options, f)?;
        f.write_str(")")?;
    }
    f.write_str("))")
}

fn print_geneve_options(mut options: &[u8], f: &mut Printer<'_>) -> fmt::Result {
    while !options.is_empty() {
        let Some((&[a, b, kind, flags], rest)) = options.split_first_chunk::<4>() else {
            return write!(f, "opt len {} less than minimum 4", options.len());
        };
        let len = 4 * usize::from(flags & 0x1f);
        let Some((data, rest)) = rest.split_at_checked(len) else {
            return write!(f, "opt len {} greater than remaining {}", 4 + len, options.len());
        };
        write!(
            f,
            "{{class={:#x},type={kind:#x},len={len}",
            u16::from_be_bytes([a, b])
        )?;
        if len > 0 {
            write!(f, ",{}", super::nest::HexNumber(data))?;
        }
        f.write_str("}")?;
        options = rest;
    }
    Ok(())
}

fn print_srv6(rest: &mut Rest<'_>, f: &mut Printer<'_>) -> fmt::Result {
    let Some([_, _, _, left, last, ..]) = rest.take::<8>() else {
        return f.write_str("srv6(truncated header))");
    };
    write!(f, "srv6(segments_left={left},segs(")?;
    let count = usize::from(last) + 1;
    let Some(segments) = rest.0.get(..16 * count) else {
        return f.write_str("truncated segs)))");
    };
    // The last segment of the path stands first in the header.
    for (i, segment) in segments.chunks_exact(16).rev().enumerate() {
        let mut octets = [0; 16];
        octets.copy_from_slice(segment);
        write!(f, "{}{}", if i > 0 { "," } else { "" }, Ipv6Addr::from(octets))?;
    }
    f.write_str(")))")
}

fn print_gre(rest: &mut Rest<'_>, f: &mut Printer<'_>) -> fmt::Result {
    let Some([a, b, c, d]) = rest.take::<4>() else {
        return f.write_str("gre(truncated header))");
    };
    let flags = u16::from_be_bytes([a, b]);
    write!(
        f,
        "gre((flags={flags:#x},proto={:#x})",
        u16::from_be_bytes([c, d])
    )?;
    if flags & GRE_CSUM != 0 {
        let Some([a, b]) = rest.peek::<2>() else {
            return f.write_str(",csum=<truncated>))");
        };
        write!(f, ",csum={:#x}", u16::from_be_bytes([a, b]))?;
        // Open vSwitch steps over 4 bytes here and counts 2.
        rest.0 = rest.0.get(4..).unwrap_or_default();
    }
    for (flag, name) in [(GRE_KEY, "key"), (GRE_SEQ, "seq")] {
        if flags & flag != 0 {
            match rest.word() {
                Some(word) => write!(f, ",{name}={word:#x}")?,
                None => return write!(f, ",{name}=<truncated>))"),
            }
        }
    }
    f.write_str("))")
}

fn print_erspan(rest: &mut Rest<'_>, f: &mut Printer<'_>) -> fmt::Result {
    // A GRE header with a sequence number, then ERSPAN's own of 4 bytes.
    let Some([.., a, _, b, c]) = rest.take::<12>() else {
        return f.write_str("erspan(truncated header))");
    };
    let (version, sid) = (a >> 4, u16::from_be_bytes([b & 3, c]));
    match version {
        1 => match rest.word() {
            Some(index) => write!(f, "erspan(ver=1,sid={sid:#x},idx={index:#x}))"),
            None => f.write_str("erspan(ver=1,truncated header))"),
        },
        2 => match rest.take::<8>() {
            Some([.., flags, more]) => {
                let (dir, hwid) = (more >> 3 & 1, (flags & 3) << 4 | more >> 4);
                write!(f, "erspan(ver=2,sid={sid:#x},dir={dir},hwid={hwid:#x}))")
            }
            None => f.write_str("erspan(ver=2, truncated header))"),
        },
        _ => f.write_str(")"),
    }
}

fn print_gtpu(rest: &mut Rest<'_>, f: &mut Printer<'_>) -> fmt::Result {
    if !print_udp(rest, f)? {
        return Ok(());
    }
    match rest.take::<8>() {
        Some([flags, kind, _, _, a, b, c, d]) => {
            let teid = u32::from_be_bytes([a, b, c, d]);
            write!(f, "gtpu(flags={flags:#x},msgtype={kind},teid={teid:#x}))")
        }
        None => f.write_str("gtpu(truncated header))"),
    }
}

/// What is left of a header.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn peek<const N: usize>(&self) -> Option<[u8; N]> {
        self.0.first_chunk::<N>().copied()
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let taken = self.peek::<N>()?;
        self.0 = &self.0[N..];
        Some(taken)
    }

    fn word(&mut self) -> Option<u32> {
        self.take::<4>().map(u32::from_be_bytes)
    }
}

/// The fields before the header.
const FIXED: usize = 16;
const ETH_TYPE_IP: u16 = 0x0800;
const GRE: u32 = 3;
const VXLAN: u32 = 4;
const GENEVE: u32 = 5;
const ERSPAN: u32 = 107;
const IP6ERSPAN: u32 = 108;
const IP6GRE: u32 = 109;
const GTPU: u32 = 110;
const SRV6: u32 = 112;
const GRE_CSUM: u16 = 0x8000;
const GRE_KEY: u16 = 0x2000;
const GRE_SEQ: u16 = 0x1000;
