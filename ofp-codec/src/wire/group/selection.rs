use alloc::vec::Vec;

use crate::{
    model::{
        group::{GroupType, Selection, SelectionField},
        matches::Value,
        version::Version,
    },
    wire::{
        error::{DecodeError, EncodeError, Fault},
        group::{EXPERIMENTER, unknown_property},
        oxm::{OxmHeader, OxmRef},
        property::decode_property,
        read::Reader,
        write::Writer,
    },
};

/// Netronome's property: experimenter, type, padding, method in 16 bytes, argument, and the fields as
/// entries whose value has the bits that count (`struct ntr_group_prop_selection_method`).
pub(super) fn decode_selection(
    mut reader: Reader<'_>,
    kind: GroupType,
    allowed: Result<(), &'static str>,
) -> Result<Option<Selection>, DecodeError> {
    let mut selection = None;
    while !reader.is_empty() {
        let (number, property) = decode_property(&mut reader)?;
        let mut rest = property;
        let known = number == EXPERIMENTER
            && rest
                .u32("experimenter")
                .is_ok_and(|id| [NETRONOME, NETRONOME_BEFORE].contains(&id))
            && rest.u32("type").is_ok_and(|kind| kind == SELECTION_METHOD);
        if !known {
            return Err(unknown_property(number, property));
        }
        let refuse = |name| Err(property.named(name).error("selection method", Fault::Combination));
        if kind.0 > GroupType::FAST_FAILOVER.0 {
            return refuse("OFPGMFC_BAD_TYPE");
        }
        if kind != GroupType::SELECT {
            return refuse("OFPBPC_BAD_VALUE");
        }
        if let Err(name) = allowed {
            return refuse(name);
        }
        rest.u32("padding")?;
        let name: [u8; 16] = rest.array("selection method")?;
        let Some(end) = name.iter().position(|byte| *byte == 0) else {
            return refuse("OFPBPC_BAD_VALUE");
        };
        let method = core::str::from_utf8(&name[..end]).ok();
        let Some(method) = method.filter(|method| ["hash", "dp_hash"].contains(method)) else {
            return refuse("OFPBPC_BAD_VALUE");
        };
        let param = rest.u64("selection method")?;
        let mut fields: Vec<SelectionField> = Vec::new();
        if method != "hash" && !rest.is_empty() {
            return refuse("OFPBPC_BAD_VALUE");
        }
        rest = rest.named("OFPBMC_BAD_LEN");
        while !rest.is_empty() {
            let entry = OxmRef::decode(&mut rest)?;
            let Some(field) = entry.header.field() else {
                return refuse("OFPBMC_BAD_FIELD");
            };
            if entry.mask.is_some() {
                return refuse("OFPBMC_BAD_MASK");
            }
            if fields.iter().any(|known| known.field == field) {
                return refuse("OFPBMC_DUP_FIELD");
            }
            let found = entry.to_field_match(field)?;
            fields.push(SelectionField {
                field,
                bits: found.value.number().filter(|bits| *bits != field.mask_max()),
            });
        }
        fields.sort_by_key(|found| found.field);
        selection = Some(Selection {
            method: method.into(),
            param,
            fields,
        });
    }
    Ok(selection)
}

pub(super) fn encode_selection(
    selection: &Selection,
    version: Version,
    writer: &mut Writer<'_>,
) -> Result<(), EncodeError> {
    let start = writer.len();
    writer.u16(EXPERIMENTER);
    writer.u16(0);
    writer.u32(NETRONOME);
    writer.u32(SELECTION_METHOD);
    writer.u32(0);
    let method = selection.method.as_bytes();
    // One byte is for the zero at the end.
    if method.len() > 15 {
        return Err(EncodeError::TooLong {
            what: "selection method",
            len: method.len(),
            limit: 15,
        });
    }
    writer.bytes(method);
    writer.zeros(16 - method.len());
    writer.u64(selection.param);
    for SelectionField { field, bits } in &selection.fields {
        let header = OxmHeader::of(*field, Some(version));
        let what = field.name();
        let header = header.ok_or(EncodeError::NotInVersion { what, version })?;
        let bits = Value::Number(bits.unwrap_or(field.mask_max()));
        header.encode_entry(&bits, None, writer)?;
    }
    writer.fill_len(start + 2, start, "selection method")?;
    writer.pad(start, 8);
    Ok(())
}

/// `NTR_VENDOR_ID`, and its one type of property.
const NETRONOME: u32 = 0x154d;
const SELECTION_METHOD: u32 = 1;
/// `NTR_COMPAT_VENDOR_ID`: what Open vSwitch 2.5 wrote by mistake.
const NETRONOME_BEFORE: u32 = 0x1540;
