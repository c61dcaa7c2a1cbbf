//! A whole flow, typed.

use crate::{
    model::{
        field::Field,
        flow::{Flow, FlowFlags},
        matches::{FieldMatch, MatchEntry, Protocol, Unknown, Value},
    },
    text::{
        error::{ErrorKind, Fault},
        flow::{FlowRef, Pair},
        lex,
    },
};

pub(super) fn flow(line: &FlowRef<'_>) -> Result<Flow, Fault> {
    let mut flow = Flow::default();
    for pair in line.info() {
        if !info(&mut flow, pair)? {
            flow.unknown.push(unknown(pair)?);
        }
    }
    for pair in line.matches() {
        // A flow as `add-flow` takes it has no fixed order.
        if !info(&mut flow, pair)? {
            let mut entry = match_entry(pair)?;
            if let (MatchEntry::Field(found), true) = (&mut entry, pair.key.ends_with(b"]")) {
                join(&flow.matches.0, found);
            }
            flow.matches.0.push(entry);
        }
    }
    flow.matches.settle_shared_names();
    for item in line.actions() {
        flow.actions.push(item.typed()?);
    }
    Ok(flow)
}

/// Whether `key` is a known key of the information before the match.
pub(super) fn is_info_key(key: &[u8]) -> bool {
    INFO_KEYS.iter().any(|(known, _)| known.as_bytes() == key) || FlowFlags::from_word(key).is_some()
}

/// Whether `key` is a known key of the match.
pub(super) fn is_match_key(key: &[u8]) -> bool {
    key == PRIORITY.0.as_bytes() || Field::spelling(key).is_some() || Protocol::from_bytes(key).is_some()
}

/// Takes `pair` in if it is information. `false`: it is not.
fn info(flow: &mut Flow, pair: Pair<'_>) -> Result<bool, Fault> {
    if let (Some(flag), None) = (FlowFlags::from_word(pair.key), pair.value) {
        flow.flags |= flag;
        return Ok(true);
    }
    let found = INFO_KEYS
        .iter()
        .chain(&[PRIORITY])
        .find(|(key, _)| key.as_bytes() == pair.key);
    match found {
        Some((_, set)) => set(flow, pair).map(|()| true),
        None => Ok(false),
    }
}

fn match_entry(pair: Pair<'_>) -> Result<MatchEntry, Fault> {
    if let (Some(protocol), None) = (Protocol::from_bytes(pair.key), pair.value) {
        return Ok(MatchEntry::Protocol(protocol));
    }
    let field = match Field::spelling(pair.key).map(|(field, _)| field) {
        // One field under two headers.
        Some(Field::InPortOxm) => Field::InPort,
        Some(field) => field,
        None => return bits(pair),
    };
    if field.info().bits > 128 && pair.value.is_none() {
        let (value, mask) = (Value::Number(0), Some(0));
        return Ok(MatchEntry::Field(FieldMatch { field, value, mask }));
    }
    let token = pair.value_token()?;
    let (value, mask) = token.field_value(field)?;
    if mask.is_some() && !field.info().maskable {
        return Err(token.fault(ErrorKind::NotMaskable));
    }
    Ok(MatchEntry::Field(FieldMatch { field, value, mask }))
}

/// `reg0[0..3]=5`: some bits of a field. A field that is not known is kept.
fn bits(pair: Pair<'_>) -> Result<MatchEntry, Fault> {
    let key = pair.key_token();
    let known = key.split(b"[").and_then(|(name, _)| Field::spelling(name.text));
    let (Some((field, _)), true) = (known, pair.value.is_some()) else {
        return unknown(pair).map(MatchEntry::Unknown);
    };
    let subfield = key.subfield()?;
    let first = subfield.bits().map_or(0, |(first, _)| u32::from(first));
    let (ones, value) = (subfield.max(), pair.value_token()?.number(subfield.max())?);
    let shift = |bits: u128| bits.checked_shl(first).unwrap_or(0);
    Ok(MatchEntry::Field(FieldMatch {
        field,
        value: Value::Number(shift(value)),
        mask: Some(shift(ones)),
    }))
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

fn duration(flow: &mut Flow, pair: Pair<'_>) -> Result<(), Fault> {
    let token = pair.value_token()?;
    let found = lex::duration(token.text).ok_or_else(|| token.expected("a duration in seconds"))?;
    flow.stats.duration = Some(found);
    Ok(())
}

/// A counter; `?` is one that is not known.
fn counter(pair: Pair<'_>) -> Result<Option<u64>, Fault> {
    match pair.value_token()? {
        token if token.text == b"?" => Ok(None),
        token => token.u64().map(Some),
    }
}

type Set = fn(&mut Flow, Pair<'_>) -> Result<(), Fault>;

/// The row of `$key`, which sets `$place` of the flow to `$value`.
macro_rules! key {
    ($key:literal, $($place:ident).+, |$pair:ident| $value:expr) => {
        ($key, |flow, $pair| {
            flow.$($place).+ = $value;
            Ok(())
        })
    };
}

// `ofputil_flow_stats_format` in lib/ofp-flow.c and `flow_stats_ds` in ofproto/ofproto.c.
const INFO_KEYS: [(&str, Set); 13] = [
    key!("cookie", cookie, |pair| pair.value_token()?.u64()?),
    ("duration", duration),
    key!("table", table, |pair| pair.value_token()?.table()?),
    key!("table_id", table, |pair| pair.value_token()?.table()?),
    key!("n_packets", stats.n_packets, |pair| counter(pair)?),
    key!("n_bytes", stats.n_bytes, |pair| counter(pair)?),
    key!("n_offload_packets", stats.n_offload_packets, |pair| counter(
        pair
    )?),
    key!("n_offload_bytes", stats.n_offload_bytes, |pair| counter(pair)?),
    key!("idle_timeout", idle_timeout, |pair| pair.value_token()?.u16()?),
    key!("hard_timeout", hard_timeout, |pair| pair.value_token()?.u16()?),
    key!("importance", importance, |pair| pair.value_token()?.u16()?),
    key!("idle_age", stats.idle_age, |pair| Some(
        pair.value_token()?.u32()?
    )),
    key!("hard_age", stats.hard_age, |pair| Some(
        pair.value_token()?.u32()?
    )),
];

// Printed at the head of the match.
const PRIORITY: (&str, Set) = key!("priority", priority, |pair| pair.value_token()?.u16()?);
