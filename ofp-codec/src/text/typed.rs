//! A whole flow, typed.

use alloc::vec::Vec;
use core::{mem::take, time::Duration};

use crate::{
    model::{
        action::Action,
        field::Field,
        flow::{Flow, FlowFlags, Unsaid},
        matches::{FieldMatch, Match, MatchEntry, Unknown, Value},
        port::TableRef,
        protocol::Protocol,
    },
    text::{
        action,
        error::{ErrorKind, Fault},
        flow::{Pair, Part, parts},
        lex,
        value::Token,
    },
};

/// Puts the flow of a line without colours in the place of `flow`, whose memory it takes over.
pub(super) fn flow(line: &[u8], depth: usize, flow: &mut Flow) -> Result<(), Fault> {
    let mut actions = clear(flow);
    let (read, part, mut said) = head(line, flow);
    let mut shared = false;
    let pair = |part, pair: Pair<'_>| {
        match pair.key {
            b"cookie" => said.cookie = true,
            b"table" => said.table = true,
            _ => {}
        }
        match part {
            Part::Match => {
                if let Some(entry) = known_entry(pair)? {
                    shared |= entry.has_shared_name();
                    flow.matches.0.push(entry);
                } else if !info(flow, pair)? {
                    // A flow as `add-flow` takes it has no fixed order.
                    let entry = other_entry(&flow.matches, pair)?;
                    flow.matches.0.push(entry);
                }
            }
            Part::Info => {
                if !info(flow, pair)? {
                    flow.unknown.push(unknown(pair)?);
                }
            }
        }
        Ok(())
    };
    let action = |item| action::push(&mut actions, item);
    let typed = parts(line, read, part, depth, pair, action);
    flow.actions = actions;
    // `dump-flows` prints a table with every duration, `bridge/dump-flows` has another name for it, and a comma here.
    let counted =
        flow.stats.duration.is_some() && flow.stats.n_packets.is_some() && flow.stats.n_bytes.is_some();
    if counted && !said.table && line.windows(9).any(|text| text == b",actions=") {
        flow.unsaid = Unsaid {
            cookie: !said.cookie,
            settings: true,
        };
    }
    if shared {
        flow.matches.settle_shared_names();
    }
    typed.map(drop)
}

/// Takes in what a line begins with, as far as it is what a switch prints first and in its order and form: how many bytes
/// that is, and what they are of. [`parts`] would find the same, item by item; this is half of a line of OVN's.
fn head(line: &[u8], flow: &mut Flow) -> (usize, Part, Said) {
    /// A number that fits its place.
    fn number<T: TryFrom<u64>>(text: &[u8]) -> Option<(T, &[u8])> {
        let (number, rest) = lex::leading_number(text)?;
        Some((T::try_from(number).ok()?, rest))
    }
    let seconds = |text| {
        let (duration, rest) = lex::leading_seconds(text)?;
        Some((duration, rest.strip_prefix(b"s")?))
    };
    let stats = &mut flow.stats;
    let mut said = Said::default();
    let mut rest = line.strip_prefix(b" ").unwrap_or(line);
    if let Some((cookie, behind)) = printed(rest, b"cookie=", number, b", ") {
        (flow.cookie, rest, said.cookie) = (cookie, behind, true);
    }
    if let Some((duration, behind)) = printed(rest, b"duration=", seconds, b", ") {
        (stats.duration, rest) = (Some(duration), behind);
    }
    if let Some((table, behind)) = printed(rest, b"table=", number, b", ") {
        (flow.table, rest, said.table) = (TableRef::Number(table), behind, true);
    }
    if let Some((packets, behind)) = printed(rest, b"n_packets=", number, b", ") {
        (stats.n_packets, rest) = (Some(packets), behind);
    }
    if let Some((bytes, behind)) = printed(rest, b"n_bytes=", number, b", ") {
        (stats.n_bytes, rest) = (Some(bytes), behind);
    }
    let mut part = Part::Info;
    if let Some((priority, behind)) = printed(rest, b"priority=", number, b",") {
        (flow.priority, rest, part) = (priority, behind, Part::Match);
    }
    (line.len() - rest.len(), part, said)
}

/// Which of what `dump-flows` always prints a line has.
#[derive(Default)]
struct Said {
    cookie: bool,
    table: bool,
}

/// The value of `key`, if the text begins with it, and what is behind its end.
#[inline]
fn printed<'a, T>(
    text: &'a [u8],
    key: &[u8],
    value: impl FnOnce(&'a [u8]) -> Option<(T, &'a [u8])>,
    end: &[u8],
) -> Option<(T, &'a [u8])> {
    let (value, rest) = value(text.strip_prefix(key)?)?;
    Some((value, rest.strip_prefix(end)?))
}

/// Makes of `flow` one with lists that are as long as they need to be, and leaves it their memory.
pub(super) fn kept(flow: &mut Flow) -> Flow {
    let (mut entries, mut actions) = (take(&mut flow.matches.0), take(&mut flow.actions));
    let mut kept = take(flow);
    kept.matches.0 = exact(&mut entries);
    kept.actions = exact(&mut actions);
    (flow.matches.0, flow.actions) = (entries, actions);
    kept
}

fn exact<T>(scratch: &mut Vec<T>) -> Vec<T> {
    let mut exact = Vec::with_capacity(scratch.len());
    exact.append(scratch);
    exact
}

/// Makes the flow the default one, with the memory of its match; the memory of its actions.
fn clear(flow: &mut Flow) -> Vec<Action> {
    let (mut entries, mut actions) = (take(&mut flow.matches.0), take(&mut flow.actions));
    entries.clear();
    actions.clear();
    *flow = Flow {
        matches: Match(entries),
        ..Flow::default()
    };
    actions
}

/// Whether `key` is a known key of the information before the match.
pub(super) fn is_info_key(key: &[u8]) -> bool {
    info_key(key).is_some() || FlowFlags::from_word(key).is_some()
}

/// Whether `key` is a known key of the match.
pub(super) fn is_match_key(key: &[u8]) -> bool {
    let is_known = |key| Field::from_bytes(key).is_some();
    // `reg0[0..3]`: some bits of a field.
    let subfield = || key.iter().position(|byte| *byte == b'[');
    key == PRIORITY
        || key == ETH
        || is_known(key)
        || Protocol::from_bytes(key).is_some()
        || subfield().is_some_and(|bracket| is_known(&key[..bracket]))
}

/// Whether `key` is one of flows.
pub(super) fn is_known(key: &[u8]) -> bool {
    is_info_key(key) || is_match_key(key)
}

/// Takes `pair` in if it is information. `false`: it is not.
fn info(flow: &mut Flow, pair: Pair<'_>) -> Result<bool, Fault> {
    if pair.key == PRIORITY {
        flow.priority = pair.value_token()?.u16()?;
    } else if let Some(set) = info_key(pair.key) {
        set(flow, pair.value_token()?)?;
    } else if let (Some(flag), None) = (FlowFlags::from_word(pair.key), pair.value) {
        flow.flags |= flag;
    } else {
        return Ok(false);
    }
    Ok(true)
}

fn field_match(field: Field, pair: Pair<'_>) -> Result<FieldMatch, Fault> {
    let field = match field {
        // One field under two headers.
        Field::InPortOxm => Field::InPort,
        field => field,
    };
    if field.info().bits > 128 && pair.value.is_none() {
        let (value, mask) = (Value::Number(0), Some(0));
        return Ok(FieldMatch { field, value, mask });
    }
    let token = pair.value_token()?;
    let (value, mask) = token.field_value(field)?;
    if mask.is_some() && !field.info().maskable {
        return Err(token.fault(ErrorKind::NotMaskable));
    }
    Ok(FieldMatch { field, value, mask })
}

/// A protocol word or a field.
#[inline]
fn known_entry(pair: Pair<'_>) -> Result<Option<MatchEntry>, Fault> {
    if pair.value.is_none() {
        if let Some(protocol) = Protocol::from_bytes(pair.key) {
            return Ok(Some(MatchEntry::Protocol(protocol)));
        }
    }
    match Field::from_bytes(pair.key) {
        Some(field) => field_match(field, pair).map(|found| Some(MatchEntry::Field(found))),
        None if pair.key == ETH && pair.value.is_none() => {
            let ethernet = FieldMatch::exact(Field::PacketType, 0);
            Ok(Some(MatchEntry::Field(ethernet)))
        }
        None => Ok(None),
    }
}

/// Some bits of a field: `reg0[0..3]=5`. What is not known is kept.
fn other_entry(before: &Match, pair: Pair<'_>) -> Result<MatchEntry, Fault> {
    let key = pair.key_token();
    let known = key.split(b"[").and_then(|(name, _)| Field::from_bytes(name.text));
    let (Some(field), true) = (known, pair.value.is_some()) else {
        return unknown(pair).map(MatchEntry::Unknown);
    };
    let subfield = key.subfield()?;
    let first = subfield.bits().map_or(0, |(first, _)| u32::from(first));
    let (ones, value) = (subfield.max(), pair.value_token()?.number(subfield.max())?);
    let shift = |bits: u128| bits.checked_shl(first).unwrap_or(0);
    let mut found = FieldMatch {
        field,
        value: Value::Number(shift(value)),
        mask: Some(shift(ones)),
    };
    join(&before.0, &mut found);
    Ok(MatchEntry::Field(found))
}

/// Takes up what the entries before said of other bits of the same field.
fn join(entries: &[MatchEntry], found: &mut FieldMatch) {
    let same = entries.iter().rev().find_map(|entry| match entry {
        MatchEntry::Field(other) if other.field == found.field => Some(other),
        _ => None,
    });
    let (Some(other), Some(mask)) = (same, found.mask) else {
        return;
    };
    let (Value::Number(value), Some(old)) = (&mut found.value, other.value.number()) else {
        return;
    };
    let old_mask = other.mask.unwrap_or(other.field.max());
    *value |= old & old_mask & !mask;
    found.mask = Some(mask | old_mask);
}

fn unknown(pair: Pair<'_>) -> Result<Unknown, Fault> {
    let value = match pair.value {
        Some(_) => Some(pair.value_token()?.str()?.into()),
        None => None,
    };
    Ok(Unknown {
        key: pair.key_token().str()?.into(),
        value,
    })
}

/// What takes in the value of a key of the information before the match
/// (`ofputil_flow_stats_format` in lib/ofp-flow.c and `flow_stats_ds` in ofproto/ofproto.c).
fn info_key(key: &[u8]) -> Option<Set> {
    /// Puts a value in its place.
    macro_rules! set {
        ($($place:ident).+, |$value:ident| $typed:expr) => {
            |flow, $value| {
                flow.$($place).+ = $typed;
                Ok(())
            }
        };
    }
    Some(match key {
        b"cookie" => set!(cookie, |value| value.u64()?),
        b"duration" => set!(stats.duration, |value| Some(duration(value)?)),
        b"table" | b"table_id" => set!(table, |value| value.table()?),
        b"n_packets" => set!(stats.n_packets, |value| counter(value)?),
        b"n_bytes" => set!(stats.n_bytes, |value| counter(value)?),
        b"n_offload_packets" => set!(stats.n_offload_packets, |value| counter(value)?),
        b"n_offload_bytes" => set!(stats.n_offload_bytes, |value| counter(value)?),
        b"idle_timeout" => set!(idle_timeout, |value| value.u16()?),
        b"hard_timeout" => set!(hard_timeout, |value| value.u16()?),
        b"importance" => set!(importance, |value| value.u16()?),
        b"idle_age" => set!(stats.idle_age, |value| Some(value.u32()?)),
        b"hard_age" => set!(stats.hard_age, |value| Some(value.u32()?)),
        _ => return None,
    })
}

type Set = fn(&mut Flow, Token<'_>) -> Result<(), Fault>;

fn duration(value: Token<'_>) -> Result<Duration, Fault> {
    lex::duration(value.text).ok_or_else(|| value.expected("a duration in seconds"))
}

/// A counter; `?` is one that is not known.
fn counter(value: Token<'_>) -> Result<Option<u64>, Fault> {
    match value.text {
        b"?" => Ok(None),
        _ => value.u64().map(Some),
    }
}

/// Printed at the head of the match.
const PRIORITY: &[u8] = b"priority";
/// The word for packets that are Ethernet frames, as nearly all are: what a match on any of their fields implies.
const ETH: &[u8] = b"eth";
