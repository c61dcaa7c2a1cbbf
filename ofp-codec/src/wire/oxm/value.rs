//! The value of a field as bytes.

use alloc::string::ToString;

use crate::{
    model::{field::Field, matches::Value, port::Port},
    wire::{error::EncodeError, oxm::OxmHeader, write::Writer},
};

impl OxmHeader {
    /// Writes an entry of this header's field: the header with the length and the mask bit of what
    /// follows, a value, and its mask if that leaves out a bit.
    ///
    /// The option of a tunnel has as many bytes as it needs, or as its [`Wide`](crate::Wide) has.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Unresolved`] for a name and for a field that is not known;
    /// [`EncodeError::OutOfRange`] for a value that has no bytes here.
    pub fn encode_entry(
        self,
        value: &Value,
        mask: Option<u128>,
        writer: &mut Writer<'_>,
    ) -> Result<(), EncodeError> {
        let field = self.field().ok_or_else(|| EncodeError::Unresolved {
            what: "OXM field",
            name: self.to_string().into(),
        })?;
        match value {
            Value::Number(number) => self.encode_number(field, *number, mask, writer),
            Value::Wide(wide) => self.encode_bytes(&wide.value, wide.mask.as_deref(), writer),
            Value::Name(name) => Err(EncodeError::Unresolved {
                what: field.name(),
                name: name.clone(),
            }),
            Value::Absent => Err(EncodeError::OutOfRange {
                what: field.name(),
                value: 0,
            }),
        }
    }

    /// The same of a number, by a caller who knows that this is the header's field.
    #[inline]
    pub(crate) fn encode_number(
        self,
        field: Field,
        number: u128,
        mask: Option<u128>,
        writer: &mut Writer<'_>,
    ) -> Result<(), EncodeError> {
        let all = field.mask_max();
        let mask = mask.filter(|mask| mask & all != all);
        let number = match field {
            // Some of its bits are no port.
            Field::InPort if mask.is_none() => port_in_16_bits(number)?,
            _ => number & all,
        };
        let len = match field.info().bits > 128 {
            true => option_len(number, mask),
            false => field.info().bytes.into(),
        };
        self.encode_header(len, mask.is_some(), writer)?;
        writer.low_bytes(number, len);
        if let Some(mask) = mask {
            writer.low_bytes(mask, len);
        }
        Ok(())
    }

    /// A value and its mask; the shorter one gets zeros in front.
    fn encode_bytes(
        self,
        value: &[u8],
        mask: Option<&[u8]>,
        writer: &mut Writer<'_>,
    ) -> Result<(), EncodeError> {
        let len = value.len().max(mask.map_or(0, <[u8]>::len));
        self.encode_header(len, mask.is_some(), writer)?;
        for bytes in [Some(value), mask].into_iter().flatten() {
            writer.zeros(len - bytes.len());
            writer.bytes(bytes);
        }
        Ok(())
    }

    #[inline]
    fn encode_header(self, len: usize, has_mask: bool, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let header = self.with_len(len, has_mask).ok_or(EncodeError::TooLong {
            what: "OXM value",
            len,
            limit: 255,
        })?;
        header.encode(writer);
        Ok(())
    }
}

/// The number of a port as NXM has it.
fn port_in_16_bits(number: u128) -> Result<u128, EncodeError> {
    let port = u32::try_from(number)
        .ok()
        .and_then(|port| Port(port).to_16_bits());
    port.map(u128::from).ok_or(EncodeError::OutOfRange {
        what: Field::InPort.name(),
        value: number,
    })
}

/// How many bytes the option of a tunnel needs (`mf_field_len` in lib/meta-flow.c); one that only has
/// to be there needs none.
pub(super) fn option_len(number: u128, mask: Option<u128>) -> usize {
    match mask {
        None => significant(number).max(1),
        Some(mask) => significant(number).max(significant(mask)),
    }
}

/// How many bytes a number has without zeros in front.
fn significant(number: u128) -> usize {
    16 - usize::try_from(number.leading_zeros() / 8).unwrap_or(16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::matches::{FieldMatch, Wide},
        wire::{oxm::OxmRef, read::Reader},
    };
    use alloc::{boxed::Box, vec::Vec};

    fn round_trip(field: Field, value: Value, mask: Option<u128>) -> Vec<u8> {
        let mut out = Vec::new();
        let header = OxmHeader::of(field, None).unwrap();
        header
            .encode_entry(&value, mask, &mut Writer::new(&mut out))
            .unwrap();
        let entry = OxmRef::decode(&mut Reader::new(&out)).unwrap();
        assert_eq!(entry.to_field_match(field), Ok(FieldMatch { field, value, mask }));
        out
    }

    #[test]
    fn a_value_has_the_bytes_of_its_field_and_an_option_those_it_needs() {
        let reg = round_trip(Field::Reg0, Value::Number(5), None);
        assert_eq!(reg, [0, 1, 0, 4, 0, 0, 0, 5]);
        let masked = round_trip(Field::TcpSrc, Value::Number(5), Some(0xf));
        assert_eq!(masked[3..], [4, 0, 5, 0, 15]);
        let option = round_trip(Field::TunMetadata0, Value::Number(0x105), None);
        assert_eq!(option, [0, 1, 0x50, 2, 1, 5]);
        let zero = round_trip(Field::TunMetadata0, Value::Number(0), None);
        assert_eq!(zero[3..], [1, 0]);
        let there = round_trip(Field::TunMetadata0, Value::Number(0), Some(0));
        assert_eq!(there, [0, 1, 0x51, 0]);
        let wide = |value: Vec<u8>, mask| Value::Wide(Box::new(Wide { value, mask }));
        round_trip(Field::TunMetadata1, wide(alloc::vec![0, 5], None), None);
        round_trip(
            Field::TunMetadata63,
            wide(alloc::vec![7; 20], Some(alloc::vec![15; 20])),
            None,
        );
    }

    #[test]
    fn the_ports_of_openflow_1_0_have_16_bits() {
        let local = || Value::Number(Port::LOCAL.0.into());
        assert_eq!(round_trip(Field::InPort, local(), None)[4..], [0xff, 0xfe]);
        let none = OxmHeader::of(Field::InPort, None).unwrap().encode_entry(
            &Value::Number(0x1_0000),
            None,
            &mut Writer::new(&mut Vec::new()),
        );
        let error = EncodeError::OutOfRange {
            what: "in_port",
            value: 0x1_0000,
        };
        assert_eq!(none, Err(error));
    }
}
