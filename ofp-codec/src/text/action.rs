//! One action, typed.

use crate::{
    model::{
        action::Action,
        field::Field,
        matches::Value,
        port::{Port, PortRef},
    },
    text::{
        error::{ErrorKind, Fault},
        lex,
        value::Token,
    },
};

pub(super) fn action(item: Token<'_>) -> Result<Action, Fault> {
    let name = lex::word(item.text);
    let rest = item.from(name.len());
    let argument = match rest.text {
        [] => Argument::None,
        [b':', ..] => Argument::Colon(rest.from(1)),
        [b'(', .., b')'] => Argument::Call(rest.from(1).until(rest.text.len() - 2)),
        _ => Argument::Other,
    };
    match typed(item, name, argument)? {
        Some(action) => Ok(action),
        None => Ok(Action::Unknown {
            name: Token {
                text: name,
                at: item.at,
            }
            .str()?
            .into(),
            text: item.str()?.into(),
        }),
    }
}

/// What follows the name of an action.
#[derive(Clone, Copy)]
enum Argument<'a> {
    None,
    /// `:` and this.
    Colon(Token<'a>),
    /// This in parentheses, up to the end of the action.
    Call(Token<'a>),
    /// Anything else.
    Other,
}

/// `None`: an action, or a form of one, that has no type here.
fn typed(item: Token<'_>, name: &[u8], argument: Argument<'_>) -> Result<Option<Action>, Fault> {
    use Argument::{Call, Colon, None as Bare};
    Ok(Some(match (name, argument) {
        (b"drop", Bare) => Action::Drop,
        (b"strip_vlan", Bare) => Action::StripVlan,
        (b"pop_vlan", Bare) => Action::PopVlan,
        (b"output", Colon(port)) if !port.text.contains(&b'[') || port.text[0] == b'"' => {
            output(port.port()?)
        }
        (b"push_vlan", Colon(tpid)) => Action::PushVlan(tpid.u16()?),
        (b"mod_vlan_vid", Colon(vid)) => Action::ModVlanVid(vid.uint(MAX_VID)?),
        (b"mod_vlan_pcp", Colon(pcp)) => Action::ModVlanPcp(pcp.uint(MAX_PCP)?),
        (b"set_vlan_vid", Colon(vid)) => Action::SetVlanVid(vid.uint(MAX_VID)?),
        (b"set_vlan_pcp", Colon(pcp)) => Action::SetVlanPcp(pcp.uint(MAX_PCP)?),
        (b"mod_dl_src", Colon(addr)) => Action::ModDlSrc(addr.eth_addr()?),
        (b"mod_dl_dst", Colon(addr)) => Action::ModDlDst(addr.eth_addr()?),
        (b"set_field", Colon(argument)) => return set_field(argument),
        (b"load", Colon(argument)) => load(argument)?,
        (b"set_tunnel", Colon(id)) => Action::SetTunnel(id.u32()?),
        (b"set_tunnel64", Colon(id)) => Action::SetTunnel64(id.u64()?),
        (b"resubmit", Colon(port)) => Action::Resubmit {
            port: Some(port.port()?),
            table: None,
            ct: false,
        },
        (b"resubmit", Call(arguments)) => resubmit(arguments)?,
        (b"goto_table", Colon(table)) => Action::GotoTable(table.table()?),
        (b"group", Colon(id)) => Action::Group(id.u32()?),
        _ if name.eq_ignore_ascii_case(b"controller") => match argument {
            Bare => Action::Controller { max_len: u16::MAX },
            Colon(max_len) => Action::Controller {
                max_len: max_len.u16()?,
            },
            _ => return Ok(None),
        },
        // A port alone, by word, number or quoted name.
        (_, Bare) => match item.str().ok().and_then(Port::from_word) {
            Some(port) => output(port.into()),
            None if name.first().is_some_and(u8::is_ascii_digit) => output(item.port()?),
            None => return Ok(None),
        },
        ([], _) if item.text.starts_with(b"\"") => output(item.port()?),
        ([], _) => return Err(item.expected("an action")),
        _ => return Ok(None),
    }))
}

fn output(port: PortRef) -> Action {
    match port {
        PortRef::Number(Port::CONTROLLER) => Action::Controller { max_len: u16::MAX },
        port => Action::Output(port),
    }
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
fn load(argument: Token<'_>) -> Result<Action, Fault> {
    let (value, dst) = arrow(argument)?;
    let dst = dst.subfield()?;
    // Open vSwitch splits what is wider than 64 bits.
    let width = dst.bits().map_or(64, |(first, last)| (last - first).min(63) + 1);
    let limit = u64::MAX >> (64 - width);
    Ok(Action::Load {
        value: value.uint(limit)?,
        dst,
    })
}

fn arrow(argument: Token<'_>) -> Result<(Token<'_>, Token<'_>), Fault> {
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
