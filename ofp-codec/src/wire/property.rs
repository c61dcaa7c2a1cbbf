use crate::wire::{
    error::{DecodeError, Fault},
    read::Reader,
};

/// A property: type u16, length u16 of type, length and value, the value, and padding to 8 bytes.
/// Gives the type, and a reader of the value.
pub(crate) fn decode_property<'a>(reader: &mut Reader<'a>) -> Result<(u16, Reader<'a>), DecodeError> {
    *reader = reader.named("OFPBPC_BAD_LEN");
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

const HEAD_LEN: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

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
}
