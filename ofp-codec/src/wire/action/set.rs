//! Setting and moving bits of fields.

use crate::{
    model::{
        action::Action,
        field::Field,
        matches::{FieldMatch, Value},
        subfield::Subfield,
        validity::has_value,
        version::Version,
    },
    wire::{
        action::{
            args::{Args, BAD_ARGUMENT, BAD_LEN, BAD_SET_ARGUMENT, Bits, MUST_BE_ZERO, Out, split_ofs_nbits},
            table::Form,
        },
        error::{DecodeError, EncodeError},
        oxm::{OxmHeader, OxmRef},
    },
};

/// The DSCP in the upper 6 of 8 bits.
pub(super) fn nw_tos(args: &mut Args<'_>) -> Result<Action, DecodeError> {
    let tos = args.u8()?;
    args.check(tos & 3 == 0, tos, BAD_ARGUMENT)?;
    Ok(Action::ModNwTos(tos))
}

/// A field, its value and perhaps a mask, then zeros (`struct ofp12_action_set_field`).
pub(super) fn set_field(args: &mut Args<'_>) -> Result<Action, DecodeError> {
    let entry = entry(args)?;
    valid(args, entry)
}

/// The same without a mask, before OpenFlow 1.5.
pub(super) fn set_field12(args: &mut Args<'_>) -> Result<Action, DecodeError> {
    let (field, entry) = entry(args)?;
    args.check(
        !entry.header.has_mask(),
        entry.header.0 >> 32,
        "OFPBAC_BAD_SET_MASK",
    )?;
    valid(args, (field, entry))
}

/// A field, its value and perhaps a mask, then zeros (`decode_NXAST_RAW_REG_LOAD2`).
pub(super) fn reg_load2(args: &mut Args<'_>) -> Result<Action, DecodeError> {
    let (field, entry) = entry(args)?;
    args.rest_is_zero(BAD_SET_ARGUMENT)?;
    to_action(args, field, entry)
}

/// Value and mask as `nx_pull_entry__` (lib/nx-match.c) takes them.
fn entry<'a>(args: &mut Args<'a>) -> Result<(Field, OxmRef<'a>), DecodeError> {
    let mut reader = args.reader.named("OFPBMC_BAD_LEN");
    let header = OxmHeader::decode(&mut reader.clone())?;
    let Some(field) = header.field() else {
        return Err(args.refuse(header.0 >> 32, header.set_error()));
    };
    let entry = OxmRef::decode(&mut reader)?;
    args.reader = reader.named(BAD_LEN);
    let mut bytes = entry.value.iter().zip(entry.mask.unwrap_or_default());
    match bytes.find(|(value, mask)| *value & !*mask != 0) {
        Some((value, _)) => Err(args.refuse(*value, "OFPBMC_BAD_WILDCARDS")),
        None => Ok((field, entry)),
    }
}

/// What `decode_ofpat_set_field` asks of an entry.
fn valid(args: &mut Args<'_>, (field, entry): (Field, OxmRef<'_>)) -> Result<Action, DecodeError> {
    args.rest_is_zero(BAD_SET_ARGUMENT)?;
    let header = entry.header.0 >> 32;
    args.check(field != Field::InPortOxm, header, BAD_SET_ARGUMENT)?;
    let action = to_action(args, field, entry)?;
    if let Action::SetField { value, mask, .. } = &action {
        // OpenFlow 1.5, section 7.2.3.8: the bit that says that there is a tag must be set.
        let number = value.number().unwrap_or(0);
        let tagged = field != Field::VlanVid || number & mask.unwrap_or(CFI) & CFI != 0;
        args.check(tagged && has_value(field, value), header, BAD_SET_ARGUMENT)?;
    }
    Ok(action)
}

fn to_action(args: &Args<'_>, field: Field, entry: OxmRef<'_>) -> Result<Action, DecodeError> {
    args.check(field.info().writable, entry.header.0 >> 32, BAD_SET_ARGUMENT)?;
    let FieldMatch { value, mask, .. } = entry.to_field_match(field)?;
    Ok(Action::SetField { field, value, mask })
}

/// Bits of a field, 64 at most (`struct nx_action_reg_load`).
pub(super) fn reg_load(args: &mut Args<'_>) -> Result<Action, DecodeError> {
    let (first, len) = split_ofs_nbits(args.u16()?);
    let field = args.field()?;
    let dst = args.writable(field, first, len)?;
    let value = args.u64()?;
    args.check(u128::from(value) <= dst.max(), value, BAD_ARGUMENT)?;
    Ok(Action::Load {
        value: value.into(),
        dst,
    })
}

/// `struct ofp15_action_copy_field`.
pub(super) fn copy_field(args: &mut Args<'_>) -> Result<Action, DecodeError> {
    let bits = [args.u16()?, args.u16()?, args.u16()?];
    args.bytes(2)?;
    moved(args, bits)
}

/// `struct onf_action_copy_field`.
pub(super) fn copy_field13(args: &mut Args<'_>) -> Result<Action, DecodeError> {
    args.bytes(2)?;
    copy_field(args)
}

/// `struct nx_action_reg_move`.
pub(super) fn reg_move(args: &mut Args<'_>) -> Result<Action, DecodeError> {
    let bits = [args.u16()?, args.u16()?, args.u16()?];
    moved(args, bits)
}

fn moved(args: &mut Args<'_>, [len, src, dst]: [u16; 3]) -> Result<Action, DecodeError> {
    let (from, to) = (args.oxm_field()?, args.oxm_field()?);
    args.rest_is_zero(MUST_BE_ZERO)?;
    Ok(Action::Move {
        src: args.bits(from, src, len)?,
        dst: args.writable(to, dst, len)?,
    })
}

/// First bit, field, number of bits, zeros (`struct nx_action_stack`).
pub(super) fn stack_push(args: &mut Args<'_>) -> Result<Action, DecodeError> {
    let (field, first, len) = stack(args)?;
    args.bits(field, first, len).map(Action::Push)
}

/// The same.
pub(super) fn stack_pop(args: &mut Args<'_>) -> Result<Action, DecodeError> {
    let (field, first, len) = stack(args)?;
    args.writable(field, first, len).map(Action::Pop)
}

fn stack(args: &mut Args<'_>) -> Result<(Field, u16, u16), DecodeError> {
    let first = args.u16()?;
    let field = args.oxm_field()?;
    let len = args.u16()?;
    args.rest_is_zero(MUST_BE_ZERO)?;
    Ok((field, first, len))
}

/// A field, then anything (`struct nx_action_delete_field`).
pub(super) fn delete_field(args: &mut Args<'_>) -> Result<Action, DecodeError> {
    args.oxm_field().map(Action::DeleteField)
}

/// Length, bit, field, zeros (`struct nx_action_check_pkt_larger`).
pub(super) fn check_pkt_larger(args: &mut Args<'_>) -> Result<Action, DecodeError> {
    let (len, first) = (args.u16()?, args.u16()?);
    let field = args.oxm_field()?;
    args.rest_is_zero(MUST_BE_ZERO)?;
    Ok(Action::CheckPktLarger {
        len,
        dst: args.writable(field, first, 1)?,
    })
}

/// Zeros, value and mask (`struct nx_action_write_metadata`).
pub(super) fn write_metadata(args: &mut Args<'_>) -> Result<Action, DecodeError> {
    args.zeros(6, MUST_BE_ZERO)?;
    Ok(metadata(args.u64()?, args.u64()?))
}

pub(in crate::wire) fn metadata(value: u64, mask: u64) -> Action {
    Action::WriteMetadata {
        value,
        mask: Some(mask).filter(|mask| *mask != u64::MAX),
    }
}

impl Out<'_, '_> {
    /// In OpenFlow 1.2 to 1.4 only Nicira's form has a mask, and before that it is the only one.
    pub(super) fn set_field(
        &mut self,
        field: Field,
        value: &Value,
        mask: Option<u128>,
    ) -> Result<(), EncodeError> {
        let version = self.version();
        let masked = mask.is_some() || matches!(value, Value::Wide(wide) if wide.mask.is_some());
        let (form, header) = match version {
            _ if version >= Version::V1_5 => (Form::SetField, Some(version)),
            _ if version >= Version::V1_2 && !masked => (Form::SetField12, Some(version)),
            _ => (Form::RegLoad2, None),
        };
        self.action(form, |out| {
            let header = OxmHeader::of(field, header).ok_or(out.not_in_version(field.name()))?;
            header.encode_entry(value, mask, out.writer)
        })
    }

    pub(super) fn reg_load(&mut self, value: u128, dst: &Subfield) -> Result<(), EncodeError> {
        let dst = Bits::of(dst)?;
        let range = |_| EncodeError::OutOfRange { what: "load", value };
        let value = u64::try_from(value).map_err(range)?;
        self.action(Form::RegLoad, |out| {
            out.ofs_nbits(&dst)?;
            out.field(dst.field)?;
            out.writer.u64(value);
            Ok(())
        })
    }

    pub(super) fn reg_move(&mut self, src: &Subfield, dst: &Subfield) -> Result<(), EncodeError> {
        let (src, dst) = (Bits::of(src)?, Bits::of(dst)?);
        let (form, version) = match self.version() {
            version if version >= Version::V1_5 => (Form::CopyField, Some(version)),
            _ => (Form::RegMove, None),
        };
        self.action(form, |out| {
            for number in [dst.len, src.first, dst.first] {
                out.writer.u16(number);
            }
            if form == Form::CopyField {
                out.writer.zeros(2);
            }
            out.oxm_field(src.field, version)?;
            out.oxm_field(dst.field, version)
        })
    }

    pub(super) fn stack(&mut self, form: Form, bits: &Subfield) -> Result<(), EncodeError> {
        let bits = Bits::of(bits)?;
        self.action(form, |out| {
            out.writer.u16(bits.first);
            out.oxm_field(bits.field, None)?;
            out.writer.u16(bits.len);
            Ok(())
        })
    }

    pub(super) fn delete_field(&mut self, field: Field) -> Result<(), EncodeError> {
        self.action(Form::DeleteField, |out| {
            let start = out.writer.len();
            out.oxm_field(field, None)?;
            out.writer.zeros(start + 14 - out.writer.len());
            Ok(())
        })
    }

    pub(super) fn check_pkt_larger(&mut self, len: u16, dst: &Subfield) -> Result<(), EncodeError> {
        let dst = Bits::of(dst)?;
        self.action(Form::CheckPktLarger, |out| {
            out.writer.u16(len);
            out.writer.u16(dst.first);
            out.oxm_field(dst.field, None)
        })
    }

    pub(super) fn write_metadata(&mut self, value: u64, mask: Option<u64>) -> Result<(), EncodeError> {
        self.action(Form::WriteMetadata, |out| {
            out.writer.zeros(6);
            out.writer.u64(value);
            out.writer.u64(mask.unwrap_or(u64::MAX));
            Ok(())
        })
    }
}

/// `OFPVID12_PRESENT`.
const CFI: u128 = 0x1000;
