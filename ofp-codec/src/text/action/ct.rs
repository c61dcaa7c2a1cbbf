//! `ct` and `nat`.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use alloc::boxed::Box;

use crate::{
    model::action::{
        Action,
        ct::{Ct, FTP, Nat, NatSide, TFTP},
    },
    text::{
        action::{entries, list, nested::number_or_subfield, pair},
        error::Fault,
        value::Token,
    },
};

/// `None`: it has an argument that is not known.
pub(super) fn ct(arguments: Token<'_>, depth: usize) -> Result<Option<Box<Ct>>, Fault> {
    let mut ct = Box::<Ct>::default();
    for item in entries(arguments) {
        let (key, value) = pair(item?);
        match key {
            b"commit" => ct.commit = true,
            b"force" => ct.force = true,
            b"table" => ct.table = Some(value.table()?),
            b"zone" => ct.zone = Some(number_or_subfield(value, Token::u16)?),
            b"exec" => ct.exec.extend(list(value, depth)?),
            b"nat" => match nat(value)? {
                // Open vSwitch keeps the order, and prints a later one inside `exec`.
                Some(nat) if !ct.exec.is_empty() => ct.exec.push(Action::Nat(Box::new(nat))),
                Some(nat) => ct.nat = Some(nat),
                None => return Ok(None),
            },
            b"alg" => {
                ct.alg = match value.text {
                    b"ftp" => FTP,
                    b"tftp" => TFTP,
                    _ => value.u16()?,
                }
            }
            _ => return Ok(None),
        }
    }
    if ct.force && !ct.commit {
        return Err(arguments.expected("`commit` beside `force`"));
    }
    Ok(Some(ct))
}

/// `None`: it has an argument that is not known.
pub(super) fn nat(arguments: Token<'_>) -> Result<Option<Nat>, Fault> {
    let mut nat = Nat::default();
    for item in entries(arguments) {
        let (key, value) = pair(item?);
        match key {
            b"src" | b"dst" => {
                if nat.side.is_some() {
                    return Err(value.expected("one of `src` and `dst`"));
                }
                nat.side = Some(if key == b"src" { NatSide::Src } else { NatSide::Dst });
                if !value.text.is_empty() {
                    nat_range(value, &mut nat)?;
                }
            }
            b"persistent" => nat.persistent = true,
            b"hash" => nat.hash = true,
            b"random" => nat.random = true,
            _ => return Ok(None),
        }
    }
    if nat.side.is_none() && (nat.persistent || nat.hash || nat.random) {
        return Err(arguments.expected("`src` or `dst`"));
    }
    if nat.hash && nat.random {
        return Err(arguments.expected("one of `hash` and `random`"));
    }
    Ok(Some(nat))
}

/// `A[-B][:P[-Q]]`; an IPv6 address may be in brackets.
fn nat_range(range: Token<'_>, nat: &mut Nat) -> Result<(), Fault> {
    let (addrs, ports) = nat_parts(range)?;
    let min = nat_addr(addrs.first)?;
    let max = addrs.last.map(nat_addr).transpose()?;
    if max.is_some_and(|max| max < min || max.is_ipv4() != min.is_ipv4()) {
        return Err(range.expected("a last address that is not below the first"));
    }
    nat.min_addr = Some(min);
    nat.max_addr = max.filter(|max| *max != min);
    let Some(ports) = ports else { return Ok(()) };
    let min = ports.first.u16()?;
    let max = ports.last.map(Token::u16).transpose()?;
    if max.is_some_and(|max| max < min) {
        return Err(ports.whole.expected("a last port that is not below the first"));
    }
    nat.min_port = Some(min);
    nat.max_port = max.filter(|max| *max != min);
    Ok(())
}

/// `FIRST-LAST`, or one alone.
pub(in crate::text) struct NatPart<'a> {
    pub(in crate::text) whole: Token<'a>,
    pub(in crate::text) first: Token<'a>,
    pub(in crate::text) last: Option<Token<'a>>,
}

/// The addresses and the ports of a range.
pub(in crate::text) fn nat_parts(range: Token<'_>) -> Result<(NatPart<'_>, Option<NatPart<'_>>), Fault> {
    let (first, rest) = nat_addr_text(range)?;
    let (last, rest) = match rest.text {
        [b'-', ..] => {
            let (last, rest) = nat_addr_text(rest.from(1))?;
            (Some(last), rest)
        }
        _ => (None, rest),
    };
    let whole = range.until(range.text.len() - rest.text.len());
    let addrs = NatPart { whole, first, last };
    let ports = match rest.text {
        [] => return Ok((addrs, None)),
        [b':', ..] => rest.from(1),
        _ => return Err(rest.expected("`:` and ports")),
    };
    let (first, last) = match ports.split(b"-") {
        Some((first, last)) => (first, Some(last)),
        None => (ports, None),
    };
    let ports = NatPart {
        whole: ports,
        first,
        last,
    };
    Ok((addrs, Some(ports)))
}

/// An address without its brackets, and what follows it.
fn nat_addr_text(text: Token<'_>) -> Result<(Token<'_>, Token<'_>), Fault> {
    let end = |bytes: &[u8]| text.text.iter().position(|byte| bytes.contains(byte));
    let all = text.text.len();
    if text.text.first() == Some(&b'[') {
        let close = end(b"]").ok_or_else(|| text.expected("`]`"))?;
        let addr = text.from(1).until(close - 1);
        return match addr.text.contains(&b':') {
            true => Ok((addr, text.from(close + 1))),
            false => Err(addr.expected("an IPv6 address")),
        };
    }
    let v4 = end(b"-:").unwrap_or(all);
    let end = match text.text[..v4].contains(&b'.') {
        true => v4,
        false => end(b"-").unwrap_or(all),
    };
    Ok((text.until(end), text.from(end)))
}

fn nat_addr(addr: Token<'_>) -> Result<IpAddr, Fault> {
    match addr.text.contains(&b':') {
        true => addr.addr::<Ipv6Addr>("an IPv6 address").map(IpAddr::V6),
        false => addr.addr::<Ipv4Addr>("an address").map(IpAddr::V4),
    }
}
