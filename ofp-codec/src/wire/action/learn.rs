//! `learn`: flows that flows make.

use crate::{
    model::{
        action::{
            Action,
            learn::{Learn, LearnSpec},
        },
        field::Field,
        matches::{FieldMatch, Value},
        port::Port,
        subfield::Subfield,
    },
    wire::{
        action::{
            args::{Args, BAD_ARGUMENT, BAD_LEN, BAD_SET_ARGUMENT, Bits, NO_TABLE, Out, unresolved},
            table::Form,
            whole::{one_bit, out_of_range, same_width},
        },
        error::{DecodeError, EncodeError, Fault},
        oxm::{OxmHeader, OxmRef, number},
    },
};

/// Timeouts, priority, cookie, flags, table, a zero, timeouts, then specs (`struct nx_action_learn`).
pub(super) fn learn(args: &mut Args<'_>) -> Result<Action, DecodeError> {
    let (mut learn, flags) = head(args)?;
    args.check(
        flags & !(SEND_FLOW_REM | DELETE_LEARNED) == 0,
        flags,
        BAD_ARGUMENT,
    )?;
    specs(args, &mut learn)?;
    Ok(Action::Learn(learn.into()))
}

/// As the first, with limit, result bit, zeros and perhaps the field of the result before the specs
/// (`struct nx_action_learn2`).
pub(super) fn learn2(args: &mut Args<'_>) -> Result<Action, DecodeError> {
    // Open vSwitch looks at the last of these first.
    let start = args.reader;
    args.bytes(28)?;
    args.zeros(2, "NXBAC_MUST_BE_ZERO")?;
    let specs_start = core::mem::replace(&mut args.reader, start);
    let (mut learn, flags) = head(args)?;
    learn.limit = args.u32()?;
    let first = args.u16()?;
    args.reader = specs_start;
    let known = SEND_FLOW_REM | DELETE_LEARNED | WRITE_RESULT;
    args.check(flags & !known == 0, flags, BAD_ARGUMENT)?;
    if flags & WRITE_RESULT != 0 {
        let field = args.oxm_field()?;
        args.check(field.info().writable, first, BAD_SET_ARGUMENT)?;
        learn.result_dst = Some(args.bits(field, first, 1)?);
    } else {
        args.check(first == 0, first, BAD_ARGUMENT)?;
    }
    specs(args, &mut learn)?;
    Ok(Action::Learn(learn.into()))
}

fn head(args: &mut Args<'_>) -> Result<(Learn, u16), DecodeError> {
    let (idle_timeout, hard_timeout, priority) = (args.u16()?, args.u16()?, args.u16()?);
    let (cookie, flags, table) = (args.u64()?, args.u16()?, args.u8()?);
    args.zeros(1, BAD_ARGUMENT)?;
    args.check(table != NO_TABLE, table, BAD_ARGUMENT)?;
    let learn = Learn {
        table: table.into(),
        idle_timeout,
        hard_timeout,
        fin_idle_timeout: args.u16()?,
        fin_hard_timeout: args.u16()?,
        priority,
        send_flow_rem: flags & SEND_FLOW_REM != 0,
        delete_learned: flags & DELETE_LEARNED != 0,
        cookie,
        limit: 0,
        result_dst: None,
        specs: alloc::vec::Vec::new(),
    };
    Ok((learn, flags))
}

fn specs(args: &mut Args<'_>, learn: &mut Learn) -> Result<(), DecodeError> {
    while !args.reader.is_empty() {
        // Specs have even lengths, and so has the whole.
        let header = args.reader.u16("learn spec")?;
        if header == 0 {
            break;
        }
        learn.specs.push(spec(args, header)?);
    }
    args.rest_is_zero(BAD_ARGUMENT)
}

/// A header, where the bits come from, and where they go:
///
/// ```text
///  15 14 13 12  11 10 9         0
/// +-----+---+-----+--+-----------+
/// |     |src| dst |  |  n_bits   |
/// +-----+---+-----+--+-----------+
/// ```
///
/// `src` 0: a field and a first bit; 1: a number of `n_bits` in whole pairs of bytes. `dst` 0: match a
/// field, 1: load it, each with a first bit; 2: output, with nothing.
fn spec(args: &mut Args<'_>, header: u16) -> Result<LearnSpec, DecodeError> {
    let len = header & N_BITS;
    let (immediate, dst) = (header & IMMEDIATE != 0, header & DST);
    let allowed = dst == DST_MATCH || dst == DST_LOAD || dst == DST_OUTPUT && !immediate;
    args.check(allowed, header, BAD_ARGUMENT)?;
    let src_len = if immediate {
        2 * usize::from(len).div_ceil(16)
    } else {
        6
    };
    let wanted = src_len + if dst == DST_OUTPUT { 0 } else { 6 };
    if args.reader.len() < wanted {
        let got = args.reader.len();
        return Err(args.error(Fault::Truncated { wanted, got }, BAD_LEN));
    }
    if immediate {
        let bytes = args.bytes(src_len)?;
        // As many bytes as there are bits.
        let value = &bytes[src_len - usize::from(len).div_ceil(8)..];
        let dst = bits(args, len, dst == DST_LOAD)?;
        return number_spec(args, header, value, dst);
    }
    let src = bits(args, len, false)?;
    Ok(match dst {
        DST_OUTPUT => LearnSpec::Output(src),
        DST_LOAD => LearnSpec::LoadPacket {
            src,
            dst: bits(args, len, true)?,
        },
        _ => {
            let dst = bits(args, len, false)?;
            LearnSpec::MatchPacket {
                src: Some(src).filter(|src| *src != dst),
                dst,
            }
        }
    })
}

/// A field, 4 bytes, and the first of `len` bits of it.
fn bits(args: &mut Args<'_>, len: u16, load: bool) -> Result<Subfield, DecodeError> {
    let field = args.field()?;
    let first = args.reader.u16("learn spec")?;
    match load {
        true => args.writable(field, first, len),
        false => args.bits(field, first, len),
    }
}

fn number_spec(args: &Args<'_>, header: u16, bytes: &[u8], dst: Subfield) -> Result<LearnSpec, DecodeError> {
    let load = header & DST == DST_LOAD;
    match dst.field() {
        Some(field) if !load && dst.is_whole() => {
            let header = OxmHeader::of(field, None).unwrap_or(OxmHeader(0));
            let entry = OxmRef {
                header,
                value: bytes,
                mask: None,
                offset: args.reader.offset(),
            };
            let FieldMatch { value, .. } = entry.to_field_match(field)?;
            return Ok(LearnSpec::MatchField { field, value });
        }
        _ => {}
    }
    let (high, low) = bytes.split_at(bytes.len().saturating_sub(16));
    // Of the options of tunnels alone; the model has no place for more.
    args.check(high.iter().all(|byte| *byte == 0), header, BAD_ARGUMENT)?;
    let value = number(low);
    Ok(match load {
        true => LearnSpec::LoadNumber { value, dst },
        false => LearnSpec::MatchNumber { dst, value },
    })
}

/// Checks that each part has room for its value.
pub(super) fn check(learn: &Learn) -> Result<(), EncodeError> {
    learn.result_dst.as_ref().map_or(Ok(()), one_bit)?;
    learn.specs.iter().try_for_each(|spec| match spec {
        LearnSpec::MatchField { field, value } => match value {
            Value::Number(number) => {
                let fits = match field {
                    Field::InPort => {
                        u32::try_from(*number).is_ok_and(|port| Port(port).to_16_bits().is_some())
                    }
                    _ => *number <= (*field).max(),
                };
                match fits {
                    true => Ok(()),
                    false => Err(out_of_range(field.name(), *number)),
                }
            }
            Value::Absent => Err(out_of_range(field.name(), 0_u8)),
            _ => Ok(()),
        },
        LearnSpec::MatchNumber { dst, value } | LearnSpec::LoadNumber { dst, value }
            if *value > dst.max() =>
        {
            Err(out_of_range("value of a learn spec", *value))
        }
        LearnSpec::MatchPacket { dst, src: Some(src) } | LearnSpec::LoadPacket { src, dst } => {
            same_width(src, dst)
        }
        _ => Ok(()),
    })
}

impl Out<'_, '_> {
    /// In the newer form only where the arguments need it.
    pub(super) fn learn(&mut self, learn: &Learn) -> Result<(), EncodeError> {
        let result = learn.result_dst.as_ref().map(Bits::of).transpose()?;
        let newer = learn.limit != 0 || result.is_some();
        self.action(if newer { Form::Learn2 } else { Form::Learn }, |out| {
            let flag = |set, flag| if set { flag } else { 0 };
            out.writer.u16(learn.idle_timeout);
            out.writer.u16(learn.hard_timeout);
            out.writer.u16(learn.priority);
            out.writer.u64(learn.cookie);
            out.writer.u16(
                flag(learn.send_flow_rem, SEND_FLOW_REM)
                    | flag(learn.delete_learned, DELETE_LEARNED)
                    | flag(result.is_some(), WRITE_RESULT),
            );
            out.table(Some(&learn.table))?;
            out.writer.u8(0);
            out.writer.u16(learn.fin_idle_timeout);
            out.writer.u16(learn.fin_hard_timeout);
            if newer {
                out.writer.u32(learn.limit);
                out.writer.u16(result.as_ref().map_or(0, |bit| bit.first));
                out.writer.u16(0);
            }
            if let Some(bit) = result {
                out.oxm_field(bit.field, None)?;
            }
            learn.specs.iter().try_for_each(|spec| out.spec(spec))
        })
    }

    fn spec(&mut self, spec: &LearnSpec) -> Result<(), EncodeError> {
        match spec {
            LearnSpec::MatchField { field, value } => {
                let value = match value {
                    Value::Number(number) => number.to_be_bytes().to_vec(),
                    Value::Wide(wide) => wide.value.clone(),
                    Value::Name(name) => return Err(unresolved(field.name(), name)),
                    Value::Absent => alloc::vec::Vec::new(),
                };
                self.immediate(&value, &Subfield::whole(*field), DST_MATCH)
            }
            LearnSpec::MatchNumber { dst, value } => self.immediate(&value.to_be_bytes(), dst, DST_MATCH),
            LearnSpec::LoadNumber { dst, value } => self.immediate(&value.to_be_bytes(), dst, DST_LOAD),
            LearnSpec::MatchPacket { dst, src } => {
                self.field_spec(src.as_ref().unwrap_or(dst), Some(dst), DST_MATCH)
            }
            LearnSpec::LoadPacket { src, dst } => self.field_spec(src, Some(dst), DST_LOAD),
            LearnSpec::Output(src) => self.field_spec(src, None, DST_OUTPUT),
        }
    }

    /// The last bytes of `value`, most significant first, as a number.
    fn immediate(&mut self, value: &[u8], dst: &Subfield, kind: u16) -> Result<(), EncodeError> {
        let dst = Bits::of(dst)?;
        self.spec_header(dst.len, kind | IMMEDIATE)?;
        let len = usize::from(dst.len).div_ceil(8);
        self.writer.zeros(2 * len.div_ceil(2) - len.min(value.len()));
        self.writer.bytes(&value[value.len().saturating_sub(len)..]);
        self.spec_bits(&dst)
    }

    fn field_spec(&mut self, src: &Subfield, dst: Option<&Subfield>, kind: u16) -> Result<(), EncodeError> {
        let src = Bits::of(src)?;
        self.spec_header(src.len, kind)?;
        self.spec_bits(&src)?;
        match dst {
            Some(dst) => self.spec_bits(&Bits::of(dst)?),
            None => Ok(()),
        }
    }

    fn spec_header(&mut self, len: u16, flags: u16) -> Result<(), EncodeError> {
        if len > N_BITS {
            return Err(EncodeError::OutOfRange {
                what: "bits of a field",
                value: len.into(),
            });
        }
        self.writer.u16(flags | len);
        Ok(())
    }

    fn spec_bits(&mut self, bits: &Bits) -> Result<(), EncodeError> {
        self.field(bits.field)?;
        self.writer.u16(bits.first);
        Ok(())
    }
}

// `enum nx_learn_flags`.
const SEND_FLOW_REM: u16 = 1;
const DELETE_LEARNED: u16 = 2;
const WRITE_RESULT: u16 = 4;
// `NX_LEARN_*_MASK` and the values below these.
const N_BITS: u16 = 0x3ff;
const IMMEDIATE: u16 = 1 << 13;
const DST: u16 = 3 << 11;
const DST_MATCH: u16 = 0;
const DST_LOAD: u16 = 1 << 11;
const DST_OUTPUT: u16 = 2 << 11;
