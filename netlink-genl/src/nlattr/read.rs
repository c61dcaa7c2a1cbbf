//! Reading attributes: borrowed, unaligned-safe, with positions.

use core::ffi::CStr;
use core::iter::FusedIterator;

use super::{HEADER_LEN, KIND_MASK, NESTED, align};

/// An iterator over the attributes of a list.
///
/// Each attribute is checked as it is reached: everything before a bad one is delivered, the bad one is an error, and
/// nothing follows it, since its length is what would lead to the next. The last attribute may lack its padding, as
/// kernel datapaths write it under `OVS_DP_F_UNALIGNED`.
#[derive(Clone, Debug)]
pub struct Attrs<'a> {
    rest: &'a [u8],
    offset: usize,
    depth: usize,
}

impl<'a> Attrs<'a> {
    /// The attributes in `bytes`; offsets count from its start.
    #[inline]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self::at(bytes, 0)
    }

    /// The attributes in `bytes`, which stand at `offset` of the message that errors should point into.
    #[inline]
    pub fn at(bytes: &'a [u8], offset: usize) -> Self {
        Self {
            rest: bytes,
            offset,
            depth: 0,
        }
    }

    /// The bytes that were not read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    #[inline]
    fn parse(&self) -> Result<Attr<'a>, DecodeError> {
        let offset = self.offset;
        let got = self.rest.len();
        let Some((&[a, b, c, d], _)) = self.rest.split_first_chunk::<HEADER_LEN>() else {
            return Err(DecodeError::Truncated { offset, got });
        };
        let len = usize::from(u16::from_ne_bytes([a, b]));
        let raw_kind = u16::from_ne_bytes([c, d]);
        let kind = raw_kind & KIND_MASK;
        if len < HEADER_LEN {
            return Err(DecodeError::BadLength { offset, kind, len });
        }
        let payload = self.rest.get(HEADER_LEN..len).ok_or(DecodeError::Overrun {
            offset,
            kind,
            len,
            got,
        })?;
        Ok(Attr {
            offset,
            depth: self.depth,
            raw_kind,
            payload,
        })
    }
}

impl<'a> Iterator for Attrs<'a> {
    type Item = Result<Attr<'a>, DecodeError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let attr = self.parse();
        let taken = match &attr {
            Ok(attr) => align(HEADER_LEN + attr.payload.len()).min(self.rest.len()),
            Err(_) => self.rest.len(),
        };
        self.rest = &self.rest[taken..];
        self.offset += taken;
        Some(attr)
    }
}

impl FusedIterator for Attrs<'_> {}

/// One attribute: its type, its payload, and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attr<'a> {
    offset: usize,
    depth: usize,
    raw_kind: u16,
    payload: &'a [u8],
}

impl<'a> Attr<'a> {
    /// The attribute type without flags.
    #[inline]
    pub fn kind(&self) -> u16 {
        self.raw_kind & KIND_MASK
    }

    /// The whole `nla_type`, flags included.
    #[inline]
    pub fn raw_kind(&self) -> u16 {
        self.raw_kind
    }

    /// Whether [`NESTED`] is set. Most families leave it clear on nests, too.
    pub fn is_nested(&self) -> bool {
        self.raw_kind & NESTED != 0
    }

    /// The payload without padding.
    #[inline]
    pub fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// Where the header of the attribute stands in the outermost list.
    #[inline]
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// How many attributes this one stands in.
    ///
    /// A payload that claims to be a nest costs 4 bytes a level, so a message may hold thousands of levels: who reads
    /// nests by recursion stops at a depth of its own.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// The payload as attributes; their offsets count on in the outermost list.
    #[inline]
    pub fn attrs(&self) -> Attrs<'a> {
        Attrs {
            rest: self.payload,
            offset: self.offset + HEADER_LEN,
            depth: self.depth + 1,
        }
    }

    /// The payload as exactly `N` bytes.
    ///
    /// # Errors
    /// [`DecodeError::WrongSize`] if there are more or fewer.
    #[inline]
    pub fn array<const N: usize>(&self) -> Result<[u8; N], DecodeError> {
        self.payload.try_into().map_err(|_| DecodeError::WrongSize {
            offset: self.offset,
            kind: self.kind(),
            wanted: N,
            got: self.payload.len(),
        })
    }

    /// Checks that there is no payload: the attribute is a flag.
    ///
    /// # Errors
    /// [`DecodeError::WrongSize`] if there is one.
    pub fn flag(&self) -> Result<(), DecodeError> {
        self.array::<0>().map(|_| ())
    }

    /// The payload as a `u8`.
    ///
    /// # Errors
    /// As [`Attr::array`].
    #[inline]
    pub fn u8(&self) -> Result<u8, DecodeError> {
        self.array().map(u8::from_ne_bytes)
    }

    /// The payload as a `u16` in host byte order.
    ///
    /// # Errors
    /// As [`Attr::array`].
    #[inline]
    pub fn u16(&self) -> Result<u16, DecodeError> {
        self.array().map(u16::from_ne_bytes)
    }

    /// The payload as a `u16` in network byte order.
    ///
    /// # Errors
    /// As [`Attr::array`].
    pub fn be16(&self) -> Result<u16, DecodeError> {
        self.array().map(u16::from_be_bytes)
    }

    /// The payload as a `u32` in host byte order.
    ///
    /// # Errors
    /// As [`Attr::array`].
    #[inline]
    pub fn u32(&self) -> Result<u32, DecodeError> {
        self.array().map(u32::from_ne_bytes)
    }

    /// The payload as an `i32` in host byte order.
    ///
    /// # Errors
    /// As [`Attr::array`].
    #[inline]
    pub fn i32(&self) -> Result<i32, DecodeError> {
        self.array().map(i32::from_ne_bytes)
    }

    /// The payload as a `u64` in host byte order.
    ///
    /// # Errors
    /// As [`Attr::array`].
    #[inline]
    pub fn u64(&self) -> Result<u64, DecodeError> {
        self.array().map(u64::from_ne_bytes)
    }

    /// The payload as a `u64` in network byte order.
    ///
    /// # Errors
    /// As [`Attr::array`].
    pub fn be64(&self) -> Result<u64, DecodeError> {
        self.array().map(u64::from_be_bytes)
    }

    /// The payload as a string that ends at its first NUL (`NLA_NUL_STRING`).
    ///
    /// # Errors
    /// [`DecodeError::NotTerminated`] if there is no NUL.
    pub fn c_str(&self) -> Result<&'a CStr, DecodeError> {
        CStr::from_bytes_until_nul(self.payload).map_err(|_| DecodeError::NotTerminated {
            offset: self.offset,
            kind: self.kind(),
        })
    }
}

/// Bytes that are not attributes, or not the attribute that was asked for.
///
/// `offset` is where the attribute's header stands in the outermost list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Fewer bytes are left than a header has.
    #[error("at byte {offset}: {got} bytes are left, an attribute header has 4")]
    Truncated {
        /// Where the header should stand.
        offset: usize,
        /// Bytes left.
        got: usize,
    },
    /// `nla_len` is smaller than its own header.
    #[error("at byte {offset}: attribute {kind} claims {len} bytes, its header alone has 4")]
    BadLength {
        /// Where the attribute stands.
        offset: usize,
        /// Its type.
        kind: u16,
        /// `nla_len` as it stands there.
        len: usize,
    },
    /// `nla_len` reaches past the end of the list.
    #[error("at byte {offset}: attribute {kind} claims {len} bytes, {got} are left")]
    Overrun {
        /// Where the attribute stands.
        offset: usize,
        /// Its type.
        kind: u16,
        /// `nla_len` as it stands there.
        len: usize,
        /// Bytes left, header included.
        got: usize,
    },
    /// The payload has another size than its type.
    #[error("at byte {offset}: attribute {kind} has a payload of {got} bytes, not {wanted}")]
    WrongSize {
        /// Where the attribute stands.
        offset: usize,
        /// Its type.
        kind: u16,
        /// Bytes that its type has.
        wanted: usize,
        /// Bytes that are there.
        got: usize,
    },
    /// Nests stand in each other deeper than the reader follows.
    #[error("at byte {offset}: attribute {kind} is nested deeper than {limit}")]
    TooDeep {
        /// Where the attribute stands.
        offset: usize,
        /// Its type.
        kind: u16,
        /// The deepest nesting that is read.
        limit: usize,
    },
    /// A nest lacks an attribute that it must have.
    #[error("at byte {offset}: attribute {kind} is missing in this nest")]
    Missing {
        /// Where the nest stands.
        offset: usize,
        /// Type of the attribute that is not there.
        kind: u16,
    },
    /// A string lacks its NUL.
    #[error("at byte {offset}: the string in attribute {kind} has no terminating NUL")]
    NotTerminated {
        /// Where the attribute stands.
        offset: usize,
        /// Its type.
        kind: u16,
    },
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::super::Sink;
    use super::*;

    fn collect(bytes: &[u8]) -> Result<Vec<Attr<'_>>, DecodeError> {
        Attrs::new(bytes).collect()
    }

    #[test]
    fn reads_back_what_was_written() {
        let mut bytes = vec![];
        bytes.attr_be64(1, 7).unwrap();
        bytes.attr(2, b"eth0\0").unwrap();
        bytes.nest(3 | NESTED, |s| s.attr_u16(9, 4789)).unwrap();
        let attrs = collect(&bytes).unwrap();
        assert_eq!(attrs[0].be64(), Ok(7));
        assert_eq!(attrs[1].c_str().unwrap(), c"eth0");
        assert!(attrs[2].is_nested());
        assert_eq!(attrs[2].kind(), 3);
        let inner = attrs[2].attrs().next().unwrap().unwrap();
        assert_eq!((inner.offset(), inner.u16()), (12 + 12 + 4, Ok(4789)));
        assert_eq!((attrs[2].depth(), inner.depth()), (0, 1));
    }

    #[test]
    fn reads_from_any_alignment() {
        let mut bytes = vec![];
        bytes.attr_u32(5, 0x0102_0304).unwrap();
        for shift in 0..8 {
            let mut moved = vec![0; shift];
            moved.extend_from_slice(&bytes);
            assert_eq!(collect(&moved[shift..]).unwrap()[0].u32(), Ok(0x0102_0304));
        }
    }

    #[test]
    fn accepts_a_last_attribute_without_padding() {
        let mut bytes = vec![];
        bytes.attr(5, b"x").unwrap();
        assert_eq!(collect(&bytes[..5]).unwrap()[0].payload(), b"x");
    }

    #[test]
    fn names_the_place_of_every_truncation() {
        use DecodeError::{Overrun, Truncated};

        let mut bytes = vec![];
        bytes.attr_u32(1, 1).unwrap();
        bytes.attr_u32(2, 2).unwrap();
        let first = Attrs::new(&bytes).next();
        for end in 0..bytes.len() {
            let expected = match end {
                0 => None,
                1..=3 => Some(Err(Truncated { offset: 0, got: end })),
                4..=7 => Some(Err(Overrun {
                    offset: 0,
                    kind: 1,
                    len: 8,
                    got: end,
                })),
                8 => first,
                9..=11 => Some(Err(Truncated {
                    offset: 8,
                    got: end - 8,
                })),
                _ => Some(Err(Overrun {
                    offset: 8,
                    kind: 2,
                    len: 8,
                    got: end - 8,
                })),
            };
            assert_eq!(Attrs::new(&bytes[..end]).last(), expected, "cut at {end}");
        }
    }

    #[test]
    fn stops_at_a_length_below_the_header() {
        let [a, b] = 3u16.to_ne_bytes();
        let [c, d] = 6u16.to_ne_bytes();
        let bytes = [a, b, c, d, 0, 0, 0, 0];
        let mut attrs = Attrs::new(&bytes);
        assert_eq!(
            attrs.next(),
            Some(Err(DecodeError::BadLength {
                offset: 0,
                kind: 6,
                len: 3
            }))
        );
        assert_eq!(attrs.next(), None);
    }

    #[test]
    fn refuses_a_payload_of_another_size() {
        let mut bytes = vec![];
        bytes.attr_u32(1, 1).unwrap();
        let attr = collect(&bytes).unwrap()[0];
        assert_eq!(
            attr.u16(),
            Err(DecodeError::WrongSize {
                offset: 0,
                kind: 1,
                wanted: 2,
                got: 4
            })
        );
        assert!(attr.flag().is_err());
    }
}
