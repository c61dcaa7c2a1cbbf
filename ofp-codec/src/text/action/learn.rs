//! `learn`: the flow that a packet makes.

use alloc::boxed::Box;

use crate::{
    model::{
        action::learn::{Learn, LearnSpec},
        field::Field,
        subfield::Subfield,
    },
    text::{
        action::{entries, pair, plain::arrow},
        error::Fault,
        value::Token,
    },
};

/// `None`: it has an argument that is not known.
pub(super) fn learn(arguments: Token<'_>) -> Result<Option<Box<Learn>>, Fault> {
    let mut learn = Box::<Learn>::default();
    for item in entries(arguments) {
        let item = item?;
        let (key, value) = pair(item);
        match key {
            b"table" => learn.table = value.table()?,
            b"idle_timeout" => learn.idle_timeout = value.u16()?,
            b"hard_timeout" => learn.hard_timeout = value.u16()?,
            b"fin_idle_timeout" => learn.fin_idle_timeout = value.u16()?,
            b"fin_hard_timeout" => learn.fin_hard_timeout = value.u16()?,
            b"priority" => learn.priority = value.u16()?,
            b"cookie" => learn.cookie = value.u64()?,
            b"limit" => learn.limit = value.u32()?,
            b"send_flow_rem" => learn.send_flow_rem = true,
            b"delete_learned" => learn.delete_learned = true,
            b"result_dst" => {
                let dst = value.subfield()?;
                if dst.len().is_some_and(|len| len != 1) {
                    return Err(value.expected("one bit"));
                }
                learn.result_dst = Some(dst);
            }
            _ => match learn_spec(item, key, value)? {
                Some(spec) => learn.specs.push(spec),
                None => return Ok(None),
            },
        }
    }
    Ok(Some(learn))
}

/// `None`: the field is not known.
fn learn_spec(item: Token<'_>, key: &[u8], value: Token<'_>) -> Result<Option<LearnSpec>, Fault> {
    match key {
        b"load" => {
            let (value, dst) = arrow(value)?;
            let target = dst.subfield()?;
            return Ok(Some(match value.text.first() {
                Some(b'0'..=b'9') => LearnSpec::LoadNumber {
                    value: value.number(target.max())?,
                    dst: target,
                },
                _ => LearnSpec::LoadPacket {
                    src: same_len(value.subfield()?, &target, value)?,
                    dst: target,
                },
            }));
        }
        b"output" => return value.subfield().map(LearnSpec::Output).map(Some),
        _ => {}
    }
    let (dst, value) = match item.split(b"=") {
        Some((dst, value)) => (dst, Some(value)),
        None => (item, None),
    };
    let known = Field::from_bytes(dst.text);
    if known.is_none() && !dst.text.contains(&b'[') {
        return Ok(None);
    }
    let target = dst.subfield()?;
    let Some(value) = value else {
        return Ok(Some(LearnSpec::MatchPacket {
            dst: target,
            src: None,
        }));
    };
    let word = value.text.iter().position(|byte| *byte == b'[');
    let word = &value.text[..word.unwrap_or(value.text.len())];
    let is_bits = value.text.first().is_some_and(u8::is_ascii_alphabetic)
        && (Field::from_bytes(word).is_some() || word.len() < value.text.len());
    if is_bits {
        let src = same_len(value.subfield()?, &target, value)?;
        let same = src.bits() == target.bits() && src.field() == target.field() && src.field().is_some();
        return Ok(Some(LearnSpec::MatchPacket {
            dst: target,
            src: (!same).then_some(src),
        }));
    }
    Ok(Some(match target.field() {
        Some(field) if target.is_whole() => match value.field_value(field)? {
            (value, None) => LearnSpec::MatchField { field, value },
            _ => return Err(value.expected("a value without a mask")),
        },
        _ => LearnSpec::MatchNumber {
            value: value.number(target.max())?,
            dst: target,
        },
    }))
}

/// `src` in `at`, if it has as many bits as `dst`.
fn same_len(src: Subfield, dst: &Subfield, at: Token<'_>) -> Result<Subfield, Fault> {
    match src.len().zip(dst.len()) {
        Some((src, dst)) if src != dst => Err(at.expected("as many bits as are matched or set")),
        _ => Ok(src),
    }
}
