use crate::wire::error::{DecodeError, Fault};

/// Reads big-endian numbers and runs of bytes of a message, and knows where in it they are.
///
/// Reading past the end is an error that names the part. A part that Open vSwitch has its own error
/// name for gives it with [`named`](Self::named).
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
    name: &'static str,
}

impl<'a> Reader<'a> {
    /// Reads from the first byte of a message.
    pub fn new(message: &'a [u8]) -> Self {
        Reader::at(message, 0)
    }

    /// Reads bytes that stand at `offset` of their message.
    pub fn at(bytes: &'a [u8], offset: usize) -> Self {
        Reader {
            bytes,
            offset,
            name: "OFPBRC_BAD_LEN",
        }
    }

    /// The same, whose errors of length have this name of Open vSwitch's instead of
    /// `OFPBRC_BAD_LEN`.
    #[must_use]
    pub fn named(self, name: &'static str) -> Self {
        Reader { name, ..self }
    }

    /// The byte of the message that is read next.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// What is not read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    /// How many bytes are not read yet.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether all is read.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The next `len` bytes.
    ///
    /// # Errors
    ///
    /// [`Fault::Truncated`] if there are fewer; nothing is read then.
    #[inline]
    pub fn bytes(&mut self, len: usize, what: &'static str) -> Result<&'a [u8], DecodeError> {
        let Some((taken, rest)) = self.bytes.split_at_checked(len) else {
            return Err(self.truncated(len, what));
        };
        self.bytes = rest;
        self.offset += len;
        Ok(taken)
    }

    /// The next `N` bytes.
    ///
    /// # Errors
    ///
    /// As [`bytes`](Self::bytes).
    #[inline]
    pub fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], DecodeError> {
        let Some((taken, rest)) = self.bytes.split_first_chunk() else {
            return Err(self.truncated(N, what));
        };
        self.bytes = rest;
        self.offset += N;
        Ok(*taken)
    }

    /// A reader of the next `len` bytes, which are read by it alone.
    ///
    /// # Errors
    ///
    /// As [`bytes`](Self::bytes).
    #[inline]
    pub fn part(&mut self, len: usize, what: &'static str) -> Result<Reader<'a>, DecodeError> {
        let offset = self.offset;
        let bytes = self.bytes(len, what)?;
        Ok(Reader {
            bytes,
            offset,
            ..*self
        })
    }

    /// A number of one byte.
    ///
    /// # Errors
    ///
    /// As [`bytes`](Self::bytes).
    #[inline]
    pub fn u8(&mut self, what: &'static str) -> Result<u8, DecodeError> {
        self.array(what).map(|[byte]| byte)
    }

    /// A number of two bytes.
    ///
    /// # Errors
    ///
    /// As [`bytes`](Self::bytes).
    #[inline]
    pub fn u16(&mut self, what: &'static str) -> Result<u16, DecodeError> {
        self.array(what).map(u16::from_be_bytes)
    }

    /// A number of four bytes.
    ///
    /// # Errors
    ///
    /// As [`bytes`](Self::bytes).
    #[inline]
    pub fn u32(&mut self, what: &'static str) -> Result<u32, DecodeError> {
        self.array(what).map(u32::from_be_bytes)
    }

    /// A number of eight bytes.
    ///
    /// # Errors
    ///
    /// As [`bytes`](Self::bytes).
    #[inline]
    pub fn u64(&mut self, what: &'static str) -> Result<u64, DecodeError> {
        self.array(what).map(u64::from_be_bytes)
    }

    /// Checks that all is read.
    ///
    /// # Errors
    ///
    /// [`Fault::TrailingBytes`] if something is left.
    pub fn finish(self, what: &'static str) -> Result<(), DecodeError> {
        match self.len() {
            0 => Ok(()),
            left => Err(self.error(what, Fault::TrailingBytes { left })),
        }
    }

    /// An error at the byte that is read next.
    pub fn error(&self, what: &'static str, fault: Fault) -> DecodeError {
        DecodeError {
            offset: self.offset,
            what,
            fault,
            name: self.name,
        }
    }

    #[cold]
    fn truncated(&self, wanted: usize, what: &'static str) -> DecodeError {
        self.error(
            what,
            Fault::Truncated {
                wanted,
                got: self.len(),
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_keeps_its_place_in_the_message() {
        let mut reader = Reader::at(&[1, 2, 3, 4, 5], 10);
        assert_eq!(reader.u8("first").unwrap(), 1);
        let mut part = reader.part(3, "part").unwrap().named("OFPBMC_BAD_LEN");
        assert_eq!((part.offset(), reader.offset()), (11, 14));
        assert_eq!(part.u16("number").unwrap(), 0x203);
        let error = part.u32("number").unwrap_err();
        assert_eq!(
            (error.offset, error.fault, error.name),
            (13, Fault::Truncated { wanted: 4, got: 1 }, "OFPBMC_BAD_LEN")
        );
        assert_eq!(part.rest(), [4]);
        assert_eq!(
            reader.finish("message").unwrap_err().fault,
            Fault::TrailingBytes { left: 1 }
        );
    }
}
