use alloc::boxed::Box;

use crate::wire::{
    error::{DecodeError, EncodeError, Fault},
    read::Reader,
    write::Writer,
};

/// A property of a message, as it stands: `type u16`, `length u16` of type, length and value, the value,
/// and padding to a multiple of 8 bytes. It encodes to the bytes that it was decoded from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// The type; what it means depends on the message.
    pub kind: u16,
    /// The value. That of an experimenter begins with its number and a type of its own.
    pub value: Box<[u8]>,
    padding: Box<[u8]>,
}

impl Property {
    /// A property of this type and value, padded with zeros.
    pub fn new(kind: u16, value: &[u8]) -> Self {
        let len = HEAD_LEN + value.len();
        Property {
            kind,
            value: value.into(),
            padding: alloc::vec![0; len.next_multiple_of(8) - len].into(),
        }
    }

    /// Reads the next property.
    ///
    /// # Errors
    ///
    /// If it, or its padding, is longer than what is left: `OFPBPC_BAD_LEN`.
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut rest = *reader;
        let (kind, value) = decode_property(reader)?;
        let padding = rest
            .part(rest.len() - reader.len(), "property")?
            .rest()
            .get(HEAD_LEN + value.len()..);
        Ok(Property {
            kind,
            value: value.rest().into(),
            padding: padding.unwrap_or_default().into(),
        })
    }

    /// Reads properties up to the end.
    pub(crate) fn decode_all(mut reader: Reader<'_>) -> Result<alloc::vec::Vec<Self>, DecodeError> {
        let mut all = alloc::vec::Vec::new();
        while !reader.is_empty() {
            all.push(Property::decode(&mut reader)?);
        }
        Ok(all)
    }

    /// Writes it.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLong`] for a value of more than 65531 bytes.
    pub fn encode(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let start = writer.len();
        writer.u16(self.kind);
        writer.u16(0);
        writer.bytes(&self.value);
        writer.fill_len(start + 2, start, "property")?;
        writer.bytes(&self.padding);
        Ok(())
    }

    /// The value, if it is a number of these many bytes.
    pub(crate) fn number<const N: usize>(&self) -> Option<[u8; N]> {
        <[u8; N]>::try_from(&*self.value).ok()
    }
}

/// A property: its type, and a reader of the value.
pub(crate) fn decode_property<'a>(reader: &mut Reader<'a>) -> Result<(u16, Reader<'a>), DecodeError> {
    *reader = reader.named(BAD_LEN);
    let mut head = *reader;
    let kind = head.u16("property")?;
    let len = usize::from(head.u16("property length")?);
    if len < HEAD_LEN {
        let wanted = HEAD_LEN;
        return Err(reader.error("property", Fault::Length { wanted, got: len }));
    }
    let mut padded = reader.part(len.next_multiple_of(8), "property")?;
    let mut property = padded.part(len, "property")?;
    property.part(HEAD_LEN, "property")?;
    Ok((kind, property))
}

/// The same, checked as Open vSwitch checks it: types from `first` on are those of experimenters, whose
/// number is not 0 (`ofpprop_pull__` in lib/ofp-prop.c).
pub(crate) fn check_property<'a>(
    reader: &mut Reader<'a>,
    first: u16,
) -> Result<(u16, Reader<'a>), DecodeError> {
    let start = *reader;
    let (kind, value) = decode_property(reader)?;
    if kind >= first {
        let mut head = value;
        let experimenter = head.u32("experimenter")?;
        head.u32("type of the experimenter")?;
        if experimenter == 0 {
            let start = start.named("OFPBPC_BAD_EXPERIMENTER");
            return Err(start.error("experimenter", Fault::Value(0)));
        }
    }
    Ok((kind, value))
}

pub(crate) const BAD_LEN: &str = "OFPBPC_BAD_LEN";
const HEAD_LEN: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn a_property_is_padded_to_eight_bytes_and_at_least_its_head() {
        let bytes = [0, 1, 0, 6, 7, 8, 0, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 3, 0, 3];
        let mut reader = Reader::new(&bytes);
        let (kind, value) = decode_property(&mut reader).unwrap();
        assert_eq!((kind, value.rest(), value.offset()), (1, &[7, 8][..], 4));
        let (kind, value) = decode_property(&mut reader).unwrap();
        assert_eq!((kind, value.rest(), value.offset()), (2, &[][..], 12));
        let error = decode_property(&mut reader).unwrap_err();
        assert_eq!(
            (error.offset, error.fault),
            (16, Fault::Length { wanted: 4, got: 3 })
        );
        // The padding must be there.
        let error = decode_property(&mut Reader::new(&bytes[..7])).unwrap_err();
        assert_eq!(
            (error.name, error.fault),
            ("OFPBPC_BAD_LEN", Fault::Truncated { wanted: 8, got: 7 })
        );
    }

    #[test]
    fn a_property_encodes_to_its_bytes_padding_included() {
        let bytes = [0, 1, 0, 6, 7, 8, 0xee, 0xff, 0xff, 0xff, 0, 4, 1, 2, 3, 4];
        let all = Property::decode_all(Reader::new(&bytes)).unwrap();
        assert_eq!((all.len(), &*all[0].value), (2, &[7, 8][..]));
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out);
        all.iter()
            .for_each(|property| property.encode(&mut writer).unwrap());
        assert_eq!(out, bytes);
        let mut out = Vec::new();
        let new = Property::new(1, &[7, 8]);
        new.encode(&mut Writer::new(&mut out)).unwrap();
        assert_eq!(out, [0, 1, 0, 6, 7, 8, 0, 0]);
    }
}
