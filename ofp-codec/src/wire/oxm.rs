//! OXM: a match as a list of fields, each with its type and length (OpenFlow 1.3.5, section 7.2.3), and
//! Nicira's NXM, which it was made of.
//!
//! ```
//! use ofp_codec::{Field, Version, wire::{OxmHeader, OxmRef, Reader, DecodeError}};
//!
//! // NXM_OF_VLAN_TCI_W: class 0, field 4, with a mask, 4 bytes.
//! let mut reader = Reader::new(&[0x00, 0x00, 0x09, 0x04, 0x10, 0x00, 0x10, 0x00]);
//! let entry = OxmRef::decode(&mut reader)?;
//! assert_eq!(entry.header.field(), Some(Field::VlanTci));
//! assert_eq!(entry.to_entry()?.to_string(), "vlan_tci=0x1000/0x1000");
//! assert_eq!(OxmHeader::of(Field::EthSrc, Some(Version::V1_3)).unwrap().to_string(), "OXM_OF_ETH_SRC");
//! # Ok::<(), DecodeError>(())
//! ```

mod header;
mod value;

use alloc::boxed::Box;

pub use header::OxmHeader;

use crate::{
    model::{
        field::Field,
        matches::{FieldMatch, MatchEntry, UnknownOxm, Value, Wide},
        port::Port,
    },
    wire::{
        error::{DecodeError, Fault},
        oxm::value::option_len,
        read::Reader,
        write::Writer,
    },
};

/// An entry of a match, or the value of a `set_field`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OxmRef<'a> {
    /// The header.
    pub header: OxmHeader,
    /// The value.
    pub value: &'a [u8],
    /// The bits of it that count, in as many bytes. `None`: all.
    pub mask: Option<&'a [u8]>,
    /// The byte of the message at which the header begins.
    pub offset: usize,
}

impl<'a> OxmRef<'a> {
    /// Reads an entry: header, value and mask.
    ///
    /// # Errors
    ///
    /// As [`OxmHeader::decode`]; [`Fault::Truncated`] if the value is not all there.
    #[inline]
    pub fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let offset = reader.offset();
        let header = OxmHeader::decode(reader)?;
        let payload = reader.bytes(header.payload_len(), "OXM value")?;
        let (value, mask) = match header.has_mask() {
            // The last byte of an odd length stays with the mask.
            true => payload.split_at(payload.len() / 2),
            false => (payload, &[][..]),
        };
        Ok(OxmRef {
            header,
            value,
            mask: header.has_mask().then_some(mask),
            offset,
        })
    }

    /// Writes the very bytes that it was decoded from.
    pub fn encode(&self, writer: &mut Writer<'_>) {
        self.header.encode(writer);
        writer.bytes(self.value);
        writer.bytes(self.mask.unwrap_or_default());
    }

    /// What the entry says. One of a field that is not known keeps its bytes.
    ///
    /// # Errors
    ///
    /// [`Fault::Value`] for a port number that no version has; `OFPBMC_BAD_VALUE`.
    pub fn to_entry(&self) -> Result<MatchEntry, DecodeError> {
        let Some(field) = self.header.field() else {
            return Ok(MatchEntry::UnknownOxm(Box::new(UnknownOxm {
                class: self.header.class(),
                number: self.header.number(),
                experimenter: self.header.experimenter().unwrap_or(0),
                value: self.value.into(),
                mask: self.mask.map(Box::from),
            })));
        };
        Ok(MatchEntry::Field(self.to_field_match(field)?))
    }

    /// The value and the mask as those of `field`.
    #[inline]
    pub(crate) fn to_field_match(self, field: Field) -> Result<FieldMatch, DecodeError> {
        if field.info().bits > 128 {
            return Ok(self.to_option(field));
        }
        let (field, value) = self.to_number(field)?;
        Ok(FieldMatch {
            field,
            value: Value::Number(value),
            mask: self.to_mask(),
        })
    }

    /// The value as that of `field`, which has no more than 128 bits.
    #[inline]
    pub(crate) fn to_number(self, field: Field) -> Result<(Field, u128), DecodeError> {
        match field {
            // Some of the bits are no port.
            Field::InPort | Field::InPortOxm | Field::ActsetOutput if self.mask.is_none() => {
                self.to_port(field)
            }
            field => Ok((field, number(self.value))),
        }
    }

    /// The mask, if there is one.
    #[inline]
    pub(crate) fn to_mask(self) -> Option<u128> {
        self.mask.map(|mask| number(&mask[..self.value.len()]))
    }

    /// The two names of the port of entry differ in the width of their number only.
    fn to_port(self, field: Field) -> Result<(Field, u128), DecodeError> {
        let (field, port) = match (field, self.value) {
            (Field::InPort, &[a, b]) => (field, Port::from_16_bits(u16::from_be_bytes([a, b]))),
            (_, &[a, b, c, d]) => {
                let number = u32::from_be_bytes([a, b, c, d]);
                let Some(port) = Port::from_32_bits(number) else {
                    return Err(self.error(Fault::Value(number.into()), "OFPBMC_BAD_VALUE"));
                };
                match field {
                    Field::ActsetOutput => (field, port),
                    _ => (Field::InPort, port),
                }
            }
            (_, value) => return Ok((field, number(value))),
        };
        Ok((field, port.0.into()))
    }

    /// The option of a tunnel has the length of its bytes, which numbers keep only if they need them
    /// all.
    fn to_option(self, field: Field) -> FieldMatch {
        let (value_len, mask) = (self.value.len(), self.mask.map(|mask| &mask[..self.value.len()]));
        let numbers = (number(self.value), mask.map(number));
        if value_len <= 16 && option_len(numbers.0, numbers.1) == value_len {
            return FieldMatch {
                field,
                value: Value::Number(numbers.0),
                mask: numbers.1,
            };
        }
        FieldMatch {
            field,
            value: Value::Wide(Box::new(Wide {
                value: self.value.into(),
                mask: mask.map(Into::into),
            })),
            mask: None,
        }
    }

    pub(crate) fn error(&self, fault: Fault, name: &'static str) -> DecodeError {
        DecodeError {
            offset: self.offset,
            what: "OXM entry",
            fault,
            name,
        }
    }
}

/// A number, most significant byte first; of more than 16 bytes the last ones.
#[inline]
pub(crate) fn number(bytes: &[u8]) -> u128 {
    match bytes {
        [a] => (*a).into(),
        [a, b] => u16::from_be_bytes([*a, *b]).into(),
        [a, b, c, d] => u32::from_be_bytes([*a, *b, *c, *d]).into(),
        [a, b, c, d, e, f] => u64::from_be_bytes([0, 0, *a, *b, *c, *d, *e, *f]).into(),
        [a, b, c, d, e, f, g, h] => u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]).into(),
        bytes => match bytes.try_into() {
            Ok(all) => u128::from_be_bytes(all),
            Err(_) => bytes
                .iter()
                .fold(0, |number, byte| number << 8 | u128::from(*byte)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn every_truncation_of_an_entry_is_refused() {
        let bytes = [0xff, 0xff, 0x55, 0x08, 0x4f, 0x4e, 0x46, 0x00, 0, 2, 0, 2];
        for len in 0..bytes.len() {
            let error = OxmRef::decode(&mut Reader::new(&bytes[..len])).unwrap_err();
            assert!(matches!(error.fault, Fault::Truncated { .. }), "{len}");
        }
        let entry = OxmRef::decode(&mut Reader::new(&bytes)).unwrap();
        assert_eq!(entry.to_entry().unwrap().to_string(), "tcp_flags=+syn");
    }
}
