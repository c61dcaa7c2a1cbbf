use alloc::vec::Vec;

use crate::wire::error::EncodeError;

/// Appends one message, or a part of one, to a vector.
///
/// A length that stands before what it counts is written as zeros and filled in when what it counts
/// is there.
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
}

impl<'a> Writer<'a> {
    /// Writes behind what `out` holds; positions count from there.
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        let start = out.len();
        Writer { out, start }
    }

    /// How many bytes this writer has written: the position of the next one.
    pub fn len(&self) -> usize {
        self.out.len() - self.start
    }

    /// Whether it has written nothing yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What this writer has written.
    pub fn written(&self) -> &[u8] {
        &self.out[self.start..]
    }

    /// Forgets what was written from `position` on.
    pub fn truncate(&mut self, position: usize) {
        self.out.truncate(self.start + position);
    }

    /// Appends these bytes.
    #[inline]
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// Appends a number of one byte.
    #[inline]
    pub fn u8(&mut self, number: u8) {
        self.out.push(number);
    }

    /// Appends a number of two bytes.
    #[inline]
    pub fn u16(&mut self, number: u16) {
        self.bytes(&number.to_be_bytes());
    }

    /// Appends a number of four bytes.
    #[inline]
    pub fn u32(&mut self, number: u32) {
        self.bytes(&number.to_be_bytes());
    }

    /// Appends a number of eight bytes.
    #[inline]
    pub fn u64(&mut self, number: u64) {
        self.bytes(&number.to_be_bytes());
    }

    /// Appends a number in its lowest `len` bytes, 16 at most.
    #[inline]
    pub(crate) fn low_bytes(&mut self, number: u128, len: usize) {
        // All 16 and a cut take less than a copy of a length that is not known beforehand.
        let bits = u32::try_from(8 * len).unwrap_or(128);
        self.bytes(
            &number
                .checked_shl(128_u32.saturating_sub(bits))
                .unwrap_or(0)
                .to_be_bytes(),
        );
        self.out.truncate(self.out.len() - 16 + len.min(16));
    }

    /// Appends `count` zeros.
    #[inline]
    pub fn zeros(&mut self, count: usize) {
        self.out.resize(self.out.len() + count, 0);
    }

    /// Appends zeros until what was written from position `from` on is a multiple of `multiple`
    /// bytes.
    pub fn pad(&mut self, from: usize, multiple: usize) {
        let len = self.len() - from;
        self.zeros(len.next_multiple_of(multiple) - len);
    }

    /// Fills in the two bytes at position `at` with the number of bytes from position `from` on.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLong`] if these are more than 65535.
    pub fn fill_len(&mut self, at: usize, from: usize, what: &'static str) -> Result<(), EncodeError> {
        let len = self.len() - from;
        let limit = u16::MAX.into();
        let filled = u16::try_from(len).map_err(|_| EncodeError::TooLong { what, len, limit })?;
        self.fill(at, filled.to_be_bytes());
        Ok(())
    }

    /// Fills in the bytes at position `at`, which must have been written.
    pub(crate) fn fill<const N: usize>(&mut self, at: usize, bytes: [u8; N]) {
        let at = self.start + at;
        self.out[at..at + N].copy_from_slice(&bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_filled_in_and_positions_count_from_the_message() {
        let mut out = alloc::vec![9];
        let mut writer = Writer::new(&mut out);
        writer.u16(4);
        let at = writer.len();
        writer.u16(0);
        writer.u8(7);
        writer.fill_len(at, 0, "part").unwrap();
        writer.pad(0, 8);
        assert_eq!(writer.written(), [0, 4, 0, 5, 7, 0, 0, 0]);
        assert_eq!(out[0], 9);
    }

    #[test]
    fn a_number_has_as_many_bytes_as_are_asked_for() {
        for len in 0..=16 {
            let (mut out, number) = (alloc::vec![9], 0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10_u128);
            Writer::new(&mut out).low_bytes(number, len);
            assert_eq!(out[1..], number.to_be_bytes()[16 - len..]);
        }
    }

    #[test]
    fn a_length_above_65535_is_refused() {
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out);
        writer.zeros(65_535);
        assert_eq!(writer.fill_len(0, 0, "message"), Ok(()));
        writer.u8(0);
        let error = EncodeError::TooLong {
            what: "message",
            len: 65_536,
            limit: 65_535,
        };
        assert_eq!(writer.fill_len(0, 0, "message"), Err(error));
    }
}
