//! Actions with an argument or two.

use alloc::vec::Vec;

use crate::{
    model::{
        action::Action,
        field::Field,
        matches::Value,
        port::{Port, PortRef},
    },
    text::{
        action::{Argument, Entry, entries},
        error::{ErrorKind, Fault},
        lex,
        value::Token,
    },
};

/// `None`: it is none of these.
pub(super) fn action(item: Token<'_>, entry: Entry<'_>) -> Result<Option<Action>, Fault> {
    let argument = match entry.argument {
        Argument::None => return bare(entry.key),
        Argument::Value(argument) => argument,
        Argument::Arrow(len, dst) if entry.key == b"check_pkt_larger" => {
            return Ok(Some(Action::CheckPktLarger {
                len: len.u16()?,
                dst: dst.subfield()?,
            }));
        }
        _ => return Ok(None),
    };
    Ok(Some(match entry.key {
        b"output" => return output(argument),
        b"push_vlan" => Action::PushVlan(argument.u16()?),
        b"mod_vlan_vid" => Action::ModVlanVid(argument.uint(MAX_VID)?),
        b"mod_vlan_pcp" => Action::ModVlanPcp(argument.uint(MAX_PCP)?),
        b"set_vlan_vid" => Action::SetVlanVid(argument.uint(MAX_VID)?),
        b"set_vlan_pcp" => Action::SetVlanPcp(argument.uint(MAX_PCP)?),
        b"mod_dl_src" => Action::ModDlSrc(argument.eth_addr()?),
        b"mod_dl_dst" => Action::ModDlDst(argument.eth_addr()?),
        b"mod_nw_src" => Action::ModNwSrc(argument.ipv4()?),
        b"mod_nw_dst" => Action::ModNwDst(argument.ipv4()?),
        b"mod_nw_tos" => Action::ModNwTos(argument.u8()?),
        b"mod_nw_ecn" => Action::ModNwEcn(argument.uint(MAX_ECN)?),
        b"mod_nw_ttl" | b"set_nw_ttl" => Action::ModNwTtl(argument.u8()?),
        b"mod_tp_src" => Action::ModTpSrc(argument.u16()?),
        b"mod_tp_dst" => Action::ModTpDst(argument.u16()?),
        b"set_field" => return set_field(argument),
        b"load" => load(argument)?,
        b"move" => {
            let (src, dst) = arrow(argument)?;
            let (src, target) = (src.subfield()?, dst.subfield()?);
            if src.len().zip(target.len()).is_some_and(|(src, dst)| src != dst) {
                return Err(dst.expected("as many bits as are copied"));
            }
            Action::Move { src, dst: target }
        }
        b"push" => Action::Push(argument.subfield()?),
        b"pop" => Action::Pop(argument.subfield()?),
        b"set_tunnel" => {
            let id = argument.u64()?;
            u32::try_from(id).map_or(Action::SetTunnel64(id), Action::SetTunnel)
        }
        b"set_tunnel64" => Action::SetTunnel64(argument.u64()?),
        b"resubmit" => resubmit(argument)?,
        b"goto_table" => Action::GotoTable(argument.table()?),
        b"group" => Action::Group(argument.u32()?),
        b"meter" => Action::Meter(argument.u32()?),
        b"enqueue" => enqueue(argument)?,
        b"set_queue" => Action::SetQueue(argument.u32()?),
        b"dec_ttl" => {
            let ids = entries(argument).map(|id| id?.u16());
            let ids: Vec<_> = ids.collect::<Result<_, _>>()?;
            Action::DecTtl(Some(ids))
        }
        b"set_mpls_label" => Action::SetMplsLabel(argument.uint(MAX_LABEL)?),
        b"set_mpls_tc" => Action::SetMplsTc(argument.uint(MAX_TC)?),
        b"set_mpls_ttl" => Action::SetMplsTtl(argument.u8()?),
        b"push_mpls" => Action::PushMpls(argument.u16()?),
        b"pop_mpls" => Action::PopMpls(argument.u16()?),
        b"delete_field" => match Field::from_name(argument.str()?) {
            Some(field) => Action::DeleteField(field),
            None => return Ok(None),
        },
        b"write_metadata" => {
            let (value, mask) = argument.masked();
            Action::WriteMetadata {
                value: value.u64()?,
                mask: mask.map(Token::u64).transpose()?,
            }
        }
        b"note" => Action::Note(argument.dotted()?),
        b"conjunction" => conjunction(argument)?,
        [] => return Err(item.expected("an action")),
        _ => return Ok(None),
    }))
}

fn bare(key: &[u8]) -> Result<Option<Action>, Fault> {
    Ok(Some(match key {
        b"drop" => Action::Drop,
        b"strip_vlan" => Action::StripVlan,
        b"pop_vlan" => Action::PopVlan,
        b"dec_ttl" => Action::DecTtl(None),
        b"dec_mpls_ttl" => Action::DecMplsTtl,
        b"dec_nsh_ttl" => Action::DecNshTtl,
        b"decap" => Action::Decap(None),
        b"pop_queue" => Action::PopQueue,
        b"exit" => Action::Exit,
        b"ct_clear" => Action::CtClear,
        b"clear_actions" => Action::ClearActions,
        b"debug_recirc" => Action::DebugRecirc,
        b"debug_slow" => Action::DebugSlow,
        _ => return Ok(None),
    }))
}

/// A port alone, by word, number or quoted name.
pub(super) fn port(item: Token<'_>, entry: Entry<'_>) -> Result<Option<Action>, Fault> {
    let alone = matches!(entry.argument, Argument::None);
    let word = item.str().ok().and_then(Port::from_word);
    if let Some(port) = word.filter(|_| alone) {
        return Ok(Some(to_port(port.into())));
    }
    match item.text {
        [b'0'..=b'9', ..] if alone => item.port().map(to_port).map(Some),
        [b'"', ..] => item.port().map(to_port).map(Some),
        _ if entry.key.is_empty() => Err(item.expected("an action")),
        _ => Ok(None),
    }
}

fn to_port(port: PortRef) -> Action {
    match port {
        PortRef::Number(Port::CONTROLLER) => Action::Controller { max_len: u16::MAX },
        port => Action::Output(port),
    }
}

/// A port, `port=1,max_len=100`, or the bits that hold a port.
fn output(argument: Token<'_>) -> Result<Option<Action>, Fault> {
    let has = |word: &[u8]| argument.text.windows(word.len()).any(|part| part == word);
    if has(b"max_len") && has(b"port") {
        let (mut port, mut max_len) = (None, None);
        for item in entries(argument) {
            let entry = Entry::of(item?);
            match (entry.key, entry.argument) {
                (b"port", Argument::Value(value)) => port = Some(value.port()?),
                (b"max_len", Argument::Value(value)) => max_len = Some(value.u32()?),
                _ => return Ok(None),
            }
        }
        return match (port, max_len) {
            (Some(port), Some(max_len)) => Ok(Some(Action::OutputTrunc { port, max_len })),
            _ => Err(argument.expected("`port=` and `max_len=`")),
        };
    }
    let quoted = argument.text.first() == Some(&b'"');
    // The name of a port wins over that of a field: `in_port` is both.
    let is_port = argument.str().is_ok_and(|word| Port::from_word(word).is_some());
    let is_field = argument.text.contains(&b'[') || Field::from_bytes(argument.text).is_some();
    if !quoted && !is_port && is_field {
        return argument.subfield().map(Action::OutputReg).map(Some);
    }
    argument.port().map(to_port).map(Some)
}

/// `PORT:QUEUE`, `PORT,QUEUE` or, with a number, `PORTqQUEUE`.
fn enqueue(argument: Token<'_>) -> Result<Action, Fault> {
    let by_q = argument
        .split(b"q")
        .filter(|(port, _)| !port.text.is_empty() && port.text.iter().all(u8::is_ascii_digit));
    let (port, queue) = argument
        .split(b":")
        .or_else(|| argument.split(b","))
        .or(by_q)
        .ok_or_else(|| argument.expected("a port, `:` and a queue"))?;
    Ok(Action::Enqueue {
        port: port.port()?,
        queue: queue.u32()?,
    })
}

/// `ID,CLAUSE/CLAUSES`, with white space where one likes it.
fn conjunction(argument: Token<'_>) -> Result<Action, Fault> {
    let parts = argument
        .split(b",")
        .and_then(|(id, rest)| Some((id.trim(), rest.split(b"/")?)));
    let (id, (clause, n_clauses)) = parts.ok_or_else(|| argument.expected("ID,K/N"))?;
    let id = match id.text {
        // `%i` of C takes it, and 32 bits of it are kept.
        [b'-', ..] => id.from(1).uint(1_u32 << 31)?.wrapping_neg(),
        _ => id.u32()?,
    };
    let (clause, last) = (clause.trim(), n_clauses.trim());
    let (part, n_clauses) = (clause.uint(MAX_CLAUSES)?, last.uint(MAX_CLAUSES)?);
    if n_clauses < 2 {
        return Err(last.expected("2 clauses or more"));
    }
    if part < 1 || part > n_clauses {
        return Err(clause.expected("a clause from 1 to their number"));
    }
    Ok(Action::Conjunction {
        id,
        clause: part,
        n_clauses,
    })
}

/// `VALUE[/MASK]->FIELD`. `None`: the field is not known.
fn set_field(argument: Token<'_>) -> Result<Option<Action>, Fault> {
    let (value, dst) = arrow(argument)?;
    let Some(field) = Field::from_name(dst.str()?) else {
        return Ok(None);
    };
    // `mf_format` in lib/meta-flow.c prints a mask of zero so.
    let (value, mask) = match value.text {
        b"ANY" if field != Field::InPort => (Value::Number(0), Some(0)),
        _ => value.field_value(field)?,
    };
    Ok(Some(Action::SetField { field, value, mask }))
}

/// `NUMBER->SUBFIELD`.
#[inline]
fn load(argument: Token<'_>) -> Result<Action, Fault> {
    let (value, dst) = arrow(argument)?;
    let dst = dst.subfield()?;
    let limit = dst
        .len()
        .map_or(u64::MAX.into(), |len| u128::MAX >> (128 - len.clamp(1, 128)));
    Ok(Action::Load {
        value: value.number(limit)?,
        dst,
    })
}

/// What is before and after the `->`.
pub(super) fn arrow(argument: Token<'_>) -> Result<(Token<'_>, Token<'_>), Fault> {
    let word = lex::word(argument.text).len();
    if argument.text[word..].starts_with(b"->") {
        return Ok((argument.until(word), argument.from(word + 2)));
    }
    argument
        .split(b"->")
        .ok_or_else(|| argument.expected("`->` and a field"))
}

/// `[PORT],[TABLE][,ct]`.
fn resubmit(arguments: Token<'_>) -> Result<Action, Fault> {
    let (port, rest) = arguments
        .split(b",")
        .unwrap_or((arguments, arguments.from(arguments.text.len())));
    let (table, ct) = match rest.split(b",") {
        Some((table, ct)) => (table, Some(ct)),
        None => (rest, None),
    };
    if let Some(ct) = ct.filter(|ct| ct.text != b"ct") {
        return Err(ct.expected("`ct`"));
    }
    let given = |token: &Token<'_>| !token.text.is_empty();
    let port = Some(port).filter(given).map(Token::port).transpose()?;
    let table = Some(table).filter(given).map(Token::table).transpose()?;
    if port.is_none() && table.is_none() {
        return Err(arguments.fault(ErrorKind::Expected("a port or a table")));
    }
    Ok(Action::Resubmit {
        port,
        table,
        ct: ct.is_some(),
    })
}

/// The VLAN id has 12 bits.
const MAX_VID: u16 = 0xfff;
/// The VLAN priority has 3 bits.
const MAX_PCP: u8 = 7;
/// The ECN has 2 bits.
const MAX_ECN: u8 = 3;
/// An MPLS label has 20 bits, its traffic class 3.
const MAX_LABEL: u32 = 0xf_ffff;
const MAX_TC: u8 = 7;
/// `parse_CONJUNCTION` in lib/ofp-actions.c.
const MAX_CLAUSES: u8 = 64;
