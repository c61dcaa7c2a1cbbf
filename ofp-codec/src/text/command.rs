//! The flow of a command, and what only commands have.

use core::ops::Range;

use alloc::vec::Vec;

use crate::{
    model::{
        flow::Flow,
        flow_mod::{FlowCommand, FlowMod},
        group::Group,
        port::{NumberOrName, TableRef},
    },
    text::{
        Limits, ParseError,
        error::{Fault, Place},
        flow::{FlowRef, Pair},
        line::Line,
    },
};

/// The change in a line, at this number of a file and behind its command. Commands that delete have no actions.
pub(crate) fn flow_mod(command: FlowCommand, number: u64, text: &[u8]) -> Result<FlowMod, ParseError> {
    let place = Place {
        line: number,
        offset: 0,
    };
    let deletes = command.deletes();
    let mut line = text.to_vec();
    if deletes {
        line.extend(b" actions=");
    }
    let mut change = FlowMod::new(command, Flow::default());
    let (mut own, mut has_table, mut has_cookie) = (Vec::new(), false, false);
    let flow = flow_ref(&line, place)?;
    for pair in flow.info().chain(flow.matches()) {
        has_table |= [&b"table"[..], b"table_id"].contains(&pair.key);
        let found =
            own_part(&mut change, pair).map_err(|Fault { span, kind }| place.error(text, span, kind))?;
        has_cookie |= pair.key == b"cookie" && found.is_none();
        own.extend(found);
    }
    // The others are where they were.
    own.into_iter().for_each(|span| line[span].fill(b' '));
    change.flow = flow_ref(&line, place)?.to_flow()?;
    if deletes && !has_table {
        // The other commands mean the first table then, in every version but 1.0.
        change.flow.table = TableRef::Number(FlowMod::ANY_TABLE);
    }
    if deletes {
        change.flow.actions.clear();
    }
    if deletes || change.cookie.1 != 0 && !has_cookie {
        change.flow.cookie = FlowMod::KEEP_COOKIE;
    }
    Ok(change)
}

fn flow_ref(raw: &[u8], place: Place) -> Result<FlowRef<'_>, ParseError> {
    let line = Line {
        raw,
        place,
        limits: Limits::default(),
        coloured: false,
    };
    line.check_len()?;
    FlowRef::of_line(line)
}

/// Takes in what flows have not, and says where it stands (`parse_ofp_str__` in lib/ofp-flow.c).
fn own_part(change: &mut FlowMod, pair: Pair<'_>) -> Result<Option<Range<usize>>, Fault> {
    let deletes = change.command.deletes();
    match pair.key {
        b"cookie" => {
            let (cookie, mask) = pair.value_token()?.masked();
            match mask {
                Some(mask) if change.command == FlowCommand::ADD => {
                    return Err(mask.expected("a cookie without a mask"));
                }
                Some(mask) => {
                    let mask = match mask.text {
                        b"-1" => u64::MAX,
                        _ => mask.u64()?,
                    };
                    change.cookie = (cookie.u64()?, mask);
                }
                None if deletes => return Err(cookie.expected("a cookie and its mask")),
                None => return Ok(None),
            }
        }
        b"out_port" if deletes => {
            let port = pair.value_token()?;
            change.out_port = match port.port()? {
                NumberOrName::Number(port) => port,
                NumberOrName::Name(_) => return Err(port.expected("the number of a port")),
            };
        }
        b"out_group" if deletes => {
            let group = pair.value_token()?;
            change.out_group = match group.text {
                text if text.eq_ignore_ascii_case(b"any") => FlowMod::ANY_GROUP,
                text if text.eq_ignore_ascii_case(b"all") => Group::ALL,
                _ => group.u32()?,
            };
        }
        _ => return Ok(None),
    }
    Ok(Some(pair.span()))
}
