use alloc::vec::Vec;
use core::ops::Range;

use crate::wire::header::Header;

/// Cuts a stream of bytes into messages; no socket, clock or runtime.
///
/// Each message tells its length, of at most 65535 bytes, in its header, so nothing in the body
/// of one disturbs the next. Every byte is looked at once.
///
/// ```
/// use ofp_codec::wire::Frames;
///
/// let hello = [6, 0, 0, 8, 0, 0, 0, 1];
/// let mut frames = Frames::new();
/// frames.push(&hello[..3]);
/// assert_eq!(frames.next()?, None);
/// frames.push(&hello[3..]);
/// assert_eq!(frames.next()?, Some(&hello[..]));
/// assert_eq!(frames.next()?, None);
/// # Ok::<(), ofp_codec::wire::FrameError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Frames {
    bytes: Vec<u8>,
    taken: usize,
}

/// A header whose length is none: where the next message begins cannot be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("message {header:?} says it has {} bytes, fewer than its header", .header.len)]
pub struct FrameError {
    /// The header.
    pub header: Header,
}

impl Frames {
    /// Without any bytes yet.
    pub fn new() -> Self {
        Frames::default()
    }

    /// Adds bytes of the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.taken > 0 {
            self.bytes.drain(..self.taken);
            self.taken = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// The next message, if it is there as a whole.
    ///
    /// # Errors
    ///
    /// [`FrameError`] if a header says a length of less than 8; every further call says so again.
    #[allow(clippy::should_implement_trait, reason = "the message borrows from here")]
    pub fn next(&mut self) -> Result<Option<&[u8]>, FrameError> {
        let range = self.next_range()?;
        Ok(range.map(|range| self.get(range)))
    }

    /// Where the next message is, until bytes are added.
    pub(crate) fn next_range(&mut self) -> Result<Option<Range<usize>>, FrameError> {
        let left = &self.bytes[self.taken..];
        let len = frame_len(left)?.filter(|len| *len <= left.len());
        Ok(len.map(|len| {
            self.taken += len;
            self.taken - len..self.taken
        }))
    }

    /// The message that is there.
    pub(crate) fn get(&self, range: Range<usize>) -> &[u8] {
        &self.bytes[range]
    }

    /// How many bytes there are of a message that is not whole yet.
    pub fn pending(&self) -> usize {
        self.bytes.len() - self.taken
    }
}

/// The length of the message that begins here, once its header is there.
///
/// # Errors
///
/// [`FrameError`] if the header says a length of less than 8.
pub fn frame_len(bytes: &[u8]) -> Result<Option<usize>, FrameError> {
    let Some(header) = bytes.first_chunk().map(Header::decode) else {
        return Ok(None);
    };
    match usize::from(header.len) {
        len if len < Header::LEN => Err(FrameError { header }),
        len => Ok(Some(len)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_out_as_they_went_in_wherever_the_stream_is_cut() {
        let stream = [
            6, 0, 0, 8, 0, 0, 0, 1, 6, 2, 0, 10, 0, 0, 0, 2, 7, 8, 6, 3, 0, 8, 0, 0, 0, 3,
        ];
        for cut in 0..=stream.len() {
            let mut frames = Frames::new();
            let mut lens = Vec::new();
            for part in [&stream[..cut], &stream[cut..]] {
                frames.push(part);
                while let Some(message) = frames.next().unwrap() {
                    lens.push(message.len());
                }
            }
            assert_eq!((lens.as_slice(), frames.pending()), (&[8, 10, 8][..], 0));
        }
    }

    #[test]
    fn a_length_of_less_than_its_header_ends_the_stream_and_8_does_not() {
        let mut frames = Frames::new();
        frames.push(&[4, 0, 0, 8, 0, 0, 0, 1, 4, 0, 0, 7, 0, 0, 0, 2]);
        assert!(frames.next().unwrap().is_some());
        for _ in 0..2 {
            let error = frames.next().unwrap_err();
            assert_eq!((error.header.len, error.header.xid), (7, 2));
        }
    }
}
