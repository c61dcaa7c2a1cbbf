//! Writing attributes: one code path for bytes and for sizes.

use alloc::vec::Vec;

use super::{HEADER_LEN, MAX_PAYLOAD, align, attr_len};

/// Where attributes are written: bytes, or only a count of them.
///
/// Four methods make a sink; the attribute methods are built on them, but for a shortcut here and there. Every attribute method leaves the sink as it
/// was when it fails.
pub trait Sink: Sized {
    /// Bytes written so far.
    fn position(&self) -> usize;

    /// Appends `bytes`.
    ///
    /// # Errors
    /// [`EncodeError::BufferFull`] if the sink has a fixed size and it is used up.
    fn put(&mut self, bytes: &[u8]) -> Result<(), EncodeError>;

    /// Overwrites the two bytes at `at`, which were written before.
    fn patch(&mut self, at: usize, bytes: [u8; 2]);

    /// Forgets everything from `position` on.
    fn truncate(&mut self, position: usize);

    /// Appends one attribute of type `kind` with `payload` and its padding.
    ///
    /// # Errors
    /// [`EncodeError::AttrTooBig`] if the payload exceeds [`MAX_PAYLOAD`]; [`EncodeError::BufferFull`] as for `put`.
    #[inline]
    fn attr(&mut self, kind: u16, payload: &[u8]) -> Result<(), EncodeError> {
        // Short ones go out in one piece, which the compiler knows the size of where the payload is an array.
        if payload.len() <= SHORT {
            let mut piece = [0; HEADER_LEN + SHORT];
            piece[..HEADER_LEN].copy_from_slice(&header(kind, payload.len())?);
            piece[HEADER_LEN..HEADER_LEN + payload.len()].copy_from_slice(payload);
            return self.put(&piece[..attr_len(payload.len())]);
        }
        let start = self.position();
        let written = header(kind, payload.len()).and_then(|header| {
            self.put(&header)?;
            self.put(payload)?;
            self.put(&PADDING[..align(payload.len()) - payload.len()])
        });
        if written.is_err() {
            self.truncate(start);
        }
        written
    }

    /// Appends an attribute without payload: its presence is its value.
    ///
    /// # Errors
    /// As [`Sink::attr`].
    #[inline]
    fn flag(&mut self, kind: u16) -> Result<(), EncodeError> {
        self.attr(kind, &[])
    }

    /// Appends a `u8` attribute (8 bytes with padding).
    ///
    /// # Errors
    /// As [`Sink::attr`].
    #[inline]
    fn attr_u8(&mut self, kind: u16, value: u8) -> Result<(), EncodeError> {
        self.attr(kind, &[value])
    }

    /// Appends a `u16` in host byte order (8 bytes with padding).
    ///
    /// # Errors
    /// As [`Sink::attr`].
    #[inline]
    fn attr_u16(&mut self, kind: u16, value: u16) -> Result<(), EncodeError> {
        self.attr(kind, &value.to_ne_bytes())
    }

    /// Appends a `u16` in network byte order (8 bytes with padding).
    ///
    /// # Errors
    /// As [`Sink::attr`].
    #[inline]
    fn attr_be16(&mut self, kind: u16, value: u16) -> Result<(), EncodeError> {
        self.attr(kind, &value.to_be_bytes())
    }

    /// Appends a `u32` in host byte order (8 bytes).
    ///
    /// # Errors
    /// As [`Sink::attr`].
    #[inline]
    fn attr_u32(&mut self, kind: u16, value: u32) -> Result<(), EncodeError> {
        self.attr(kind, &value.to_ne_bytes())
    }

    /// Appends a `u64` in host byte order (12 bytes: attributes align to 4, not 8).
    ///
    /// # Errors
    /// As [`Sink::attr`].
    #[inline]
    fn attr_u64(&mut self, kind: u16, value: u64) -> Result<(), EncodeError> {
        self.attr(kind, &value.to_ne_bytes())
    }

    /// Appends a `u64` in network byte order (12 bytes).
    ///
    /// # Errors
    /// As [`Sink::attr`].
    #[inline]
    fn attr_be64(&mut self, kind: u16, value: u64) -> Result<(), EncodeError> {
        self.attr(kind, &value.to_be_bytes())
    }

    /// Appends an attribute of type `outer` that holds one attribute and nothing else, as actions that set a header do.
    ///
    /// The bytes are those of [`Sink::nest`] around [`Sink::attr`]; all lengths are known before the first is written.
    ///
    /// # Errors
    /// As [`Sink::attr`], for the outer attribute, too.
    #[inline]
    fn attr_in(&mut self, outer: u16, kind: u16, payload: &[u8]) -> Result<(), EncodeError> {
        self.nest(outer, |sink| sink.attr(kind, payload))
    }

    /// Appends an attribute whose payload is what `fill` writes.
    ///
    /// `nla_len` stays 0, which no reader accepts, until `fill` has returned and the length is known to fit.
    ///
    /// # Errors
    /// [`EncodeError::AttrTooBig`] if `fill` wrote more than [`MAX_PAYLOAD`]; whatever `fill` returns.
    #[inline]
    fn nest<E: From<EncodeError>>(
        &mut self,
        kind: u16,
        fill: impl FnOnce(&mut Self) -> Result<(), E>,
    ) -> Result<(), E> {
        let start = self.position();
        let [_, _, kind_lo, kind_hi] = header(kind, 0)?;
        self.put(&[0, 0, kind_lo, kind_hi])?;
        let filled = fill(self).and_then(|()| {
            let [len_lo, len_hi, ..] = header(kind, self.position() - start - HEADER_LEN)?;
            self.patch(start, [len_lo, len_hi]);
            // Attributes leave nothing to pad; bytes that `fill` put itself may.
            let len = self.position() - start;
            match align(len) - len {
                0 => Ok(()),
                padding => Ok(self.put(&PADDING[..padding])?),
            }
        });
        if filled.is_err() {
            self.truncate(start);
        }
        filled
    }
}

impl Sink for Vec<u8> {
    #[inline]
    fn position(&self) -> usize {
        self.len()
    }

    #[inline]
    fn put(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.extend_from_slice(bytes);
        Ok(())
    }

    #[inline]
    fn patch(&mut self, at: usize, bytes: [u8; 2]) {
        self[at..at + 2].copy_from_slice(&bytes);
    }

    #[inline]
    fn truncate(&mut self, position: usize) {
        Vec::truncate(self, position);
    }
}

/// A sink that keeps no bytes, only their number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counter {
    position: usize,
}

impl Counter {
    /// A counter at zero.
    pub const fn new() -> Self {
        Self { position: 0 }
    }
}

impl Sink for Counter {
    #[inline]
    fn position(&self) -> usize {
        self.position
    }

    #[inline]
    fn put(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.position += bytes.len();
        Ok(())
    }

    /// Counts in one step, so that nobody has to make the bytes.
    #[inline]
    fn attr(&mut self, kind: u16, payload: &[u8]) -> Result<(), EncodeError> {
        header(kind, payload.len())?;
        self.position += attr_len(payload.len());
        Ok(())
    }

    #[inline]
    fn attr_in(&mut self, outer: u16, kind: u16, payload: &[u8]) -> Result<(), EncodeError> {
        let (_, wanted) = headers(outer, kind, payload.len())?;
        self.position += wanted;
        Ok(())
    }

    #[inline]
    fn patch(&mut self, _: usize, _: [u8; 2]) {}

    #[inline]
    fn truncate(&mut self, position: usize) {
        self.position = position;
    }
}

/// A sink over a caller's buffer; nothing is allocated.
#[derive(Debug)]
pub struct Slice<'a> {
    buffer: &'a mut [u8],
    position: usize,
}

impl<'a> Slice<'a> {
    /// Writes from the start of `buffer`.
    pub fn new(buffer: &'a mut [u8]) -> Self {
        Self { buffer, position: 0 }
    }

    #[cold]
    fn full(&self, wanted: usize) -> EncodeError {
        EncodeError::BufferFull {
            offset: self.position,
            wanted,
            capacity: self.buffer.len(),
        }
    }

    /// Writes `wanted` bytes: a header, a payload, and zeros up to a multiple of 4.
    #[inline]
    fn put_padded(&mut self, header: &[u8], payload: &[u8], wanted: usize) -> Result<(), EncodeError> {
        let Some(free) = self.buffer[self.position..].get_mut(..wanted) else {
            return Err(self.full(wanted));
        };
        // The last word has the padding, if there is any; the rest of it is overwritten.
        free[wanted - PADDING.len() - 1..].fill(0);
        let (start, rest) = free.split_at_mut(header.len());
        start.copy_from_slice(header);
        rest[..payload.len()].copy_from_slice(payload);
        self.position += wanted;
        Ok(())
    }

    /// What was written so far.
    pub fn written(&self) -> &[u8] {
        &self.buffer[..self.position]
    }
}

impl Sink for Slice<'_> {
    #[inline]
    fn position(&self) -> usize {
        self.position
    }

    #[inline]
    fn put(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        let end = self.position + bytes.len();
        match self.buffer.get_mut(self.position..end) {
            Some(free) => free.copy_from_slice(bytes),
            None => return Err(self.full(bytes.len())),
        }
        self.position = end;
        Ok(())
    }

    /// Asks once whether the whole attribute fits.
    #[inline]
    fn attr(&mut self, kind: u16, payload: &[u8]) -> Result<(), EncodeError> {
        let header = header(kind, payload.len())?;
        self.put_padded(&header, payload, attr_len(payload.len()))
    }

    #[inline]
    fn attr_in(&mut self, outer: u16, kind: u16, payload: &[u8]) -> Result<(), EncodeError> {
        let (headers, wanted) = headers(outer, kind, payload.len())?;
        self.put_padded(&headers, payload, wanted)
    }

    #[inline]
    fn patch(&mut self, at: usize, bytes: [u8; 2]) {
        self.buffer[at..at + 2].copy_from_slice(&bytes);
    }

    #[inline]
    fn truncate(&mut self, position: usize) {
        self.position = position;
    }
}

/// An attribute that cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The payload does not fit the 16 bits of `nla_len`.
    #[error("attribute {kind}: a payload of {len} bytes exceeds the {MAX_PAYLOAD} that nla_len can count")]
    AttrTooBig {
        /// Type of the attribute, with its flags.
        kind: u16,
        /// Bytes of payload.
        len: usize,
    },
    /// The caller's buffer is used up.
    #[error("at byte {offset}: {wanted} more bytes do not fit a buffer of {capacity}")]
    BufferFull {
        /// Where the bytes should have gone.
        offset: usize,
        /// How many there were.
        wanted: usize,
        /// Size of the buffer.
        capacity: usize,
    },
}

#[inline]
fn header(kind: u16, payload: usize) -> Result<[u8; HEADER_LEN], EncodeError> {
    let len =
        u16::try_from(HEADER_LEN + payload).map_err(|_| EncodeError::AttrTooBig { kind, len: payload })?;
    let [a, b] = len.to_ne_bytes();
    let [c, d] = kind.to_ne_bytes();
    Ok([a, b, c, d])
}

/// The headers of an attribute in another, and the bytes of the two.
#[inline]
fn headers(outer: u16, kind: u16, payload: usize) -> Result<([u8; 2 * HEADER_LEN], usize), EncodeError> {
    let [e, f, g, h] = header(kind, payload)?;
    let inner = attr_len(payload);
    let [a, b, c, d] = header(outer, inner)?;
    Ok(([a, b, c, d, e, f, g, h], HEADER_LEN + inner))
}

/// The longest payload that [`Sink::attr`] writes in one piece: an IPv6 address.
const SHORT: usize = 16;
const PADDING: [u8; 3] = [0; 3];

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn one_of_each<S: Sink>(s: &mut S) -> Result<(), EncodeError> {
        s.flag(1)?;
        s.attr_u8(2, 0x12)?;
        s.attr_u16(3, 0x1234)?;
        s.attr_be16(4, 0x1234)?;
        s.attr_u32(5, 0x1234_5678)?;
        s.attr_u64(6, 0x1234_5678_9abc_def0)?;
        s.attr_be64(7, 0x1234_5678_9abc_def0)?;
        s.attr(8, b"abcde")?;
        s.attr_in(12, 13, b"abcde")?;
        s.nest(9, |s| s.nest(10, |s| s.attr_u32(11, 1)))
    }

    #[test]
    fn counts_what_it_writes() {
        let mut bytes = vec![];
        one_of_each(&mut bytes).unwrap();
        let mut counter = Counter::new();
        one_of_each(&mut counter).unwrap();
        let mut buffer = vec![0xff; bytes.len()];
        let mut slice = Slice::new(&mut buffer);
        one_of_each(&mut slice).unwrap();
        assert_eq!(counter.position(), bytes.len());
        assert_eq!(slice.written(), bytes);
        assert_eq!(bytes.len(), 4 + 8 * 4 + 12 * 2 + 4 + 2 * attr_len(5) + 4 + 4 + 8);
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn pads_with_zeros_and_counts_without_them() {
        let mut bytes = vec![];
        bytes.attr(8, b"abcde").unwrap();
        assert_eq!(bytes, [9, 0, 8, 0, b'a', b'b', b'c', b'd', b'e', 0, 0, 0]);
    }

    #[test]
    fn refuses_a_payload_above_65531_and_leaves_the_sink_alone() {
        let mut bytes = vec![1, 2, 3, 4];
        let payload = vec![0; MAX_PAYLOAD + 1];
        bytes.attr(1, &payload[..MAX_PAYLOAD]).unwrap();
        assert_eq!(bytes.len(), 4 + 65_536);
        let refused = bytes.attr(1, &payload).unwrap_err();
        assert_eq!(refused, EncodeError::AttrTooBig { kind: 1, len: 65_532 });
        assert_eq!(bytes.len(), 4 + 65_536);
    }

    #[test]
    fn an_attribute_in_another_is_a_nest_of_one_up_to_the_last_byte_that_fits() {
        fn of<S: Sink>(sink: &mut S, len: usize) -> Result<(), EncodeError> {
            sink.attr_in(7, 8, &vec![3; len])
        }
        // The padding inside is payload outside.
        for len in [0, 1, 4, 17, 65_524, 65_525, 65_528, 65_531, 65_532] {
            let (mut bytes, mut counter) = (vec![], Counter::new());
            let mut buffer = vec![0xff; 70_000];
            let mut slice = Slice::new(&mut buffer);
            let nested = bytes.nest(7, |s| s.attr(8, &vec![3; len]));
            assert_eq!(of(&mut slice, len), nested, "{len}");
            assert_eq!(of(&mut counter, len), nested, "{len}");
            assert_eq!(slice.written(), bytes, "{len}");
            assert_eq!(counter.position(), bytes.len(), "{len}");
        }
    }

    #[test]
    fn refuses_a_nest_above_65531_at_any_depth() {
        fn flags(s: &mut Vec<u8>, n: usize) -> Result<(), EncodeError> {
            (0..n).try_for_each(|_| s.flag(1))
        }
        let mut bytes = vec![];
        bytes.nest(7, |s| flags(s, 65_528 / 4)).unwrap();
        assert_eq!(bytes.len(), 65_532);
        bytes.clear();
        let inner = bytes.nest(7, |s| flags(s, 65_532 / 4));
        assert_eq!(inner, Err(EncodeError::AttrTooBig { kind: 7, len: 65_532 }));
        assert!(bytes.is_empty());
        let outer = bytes.nest(8, |s| s.nest(7, |s| flags(s, 65_528 / 4)));
        assert_eq!(outer, Err(EncodeError::AttrTooBig { kind: 8, len: 65_532 }));
        assert!(bytes.is_empty());
    }

    #[test]
    fn fills_a_buffer_to_the_last_byte_and_no_further() {
        let mut bytes = vec![];
        one_of_each(&mut bytes).unwrap();
        for size in 0..bytes.len() {
            let mut buffer = vec![0; size];
            let mut slice = Slice::new(&mut buffer);
            let full = one_of_each(&mut slice).unwrap_err();
            assert!(matches!(full, EncodeError::BufferFull { capacity, .. } if capacity == size));
            let kept = slice.position();
            assert_eq!(slice.written(), &bytes[..kept], "whole attributes only");
        }
    }
}
