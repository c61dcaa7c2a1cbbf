//! Reading messages: borrowed, one datagram at a time, with positions.

use core::iter::FusedIterator;

use super::{Flags, GENL_HEADER_LEN, HEADER_LEN, MessageType, Status};
use crate::nlattr::{self, Attrs};

/// An iterator over the messages of one datagram.
///
/// Each message is checked as it is reached. A frame that cannot be true is an error, and nothing follows it, since
/// its length is what would lead to the next. What is wrong inside a message costs that message only.
#[derive(Clone, Debug)]
pub struct Messages<'a> {
    rest: &'a [u8],
    offset: usize,
}

impl<'a> Messages<'a> {
    /// The messages in `datagram`.
    #[inline]
    pub fn new(datagram: &'a [u8]) -> Self {
        Self {
            rest: datagram,
            offset: 0,
        }
    }

    #[inline]
    fn parse(&self) -> Result<Message<'a>, DecodeError> {
        let offset = self.offset;
        let got = self.rest.len();
        let Some((&header, _)) = self.rest.split_first_chunk::<HEADER_LEN>() else {
            return Err(DecodeError::HeaderTruncated { offset, got });
        };
        let [l0, l1, l2, l3, t0, t1, f0, f1, s0, s1, s2, s3, p0, p1, p2, p3] = header;
        let len = u32::from_ne_bytes([l0, l1, l2, l3]);
        let overrun = DecodeError::Overrun { offset, len, got };
        let size = usize::try_from(len).map_err(|_| overrun)?;
        if size < HEADER_LEN {
            return Err(DecodeError::BadLength { offset, len });
        }
        Ok(Message {
            offset,
            kind: MessageType(u16::from_ne_bytes([t0, t1])),
            flags: Flags(u16::from_ne_bytes([f0, f1])),
            seq: u32::from_ne_bytes([s0, s1, s2, s3]),
            port: u32::from_ne_bytes([p0, p1, p2, p3]),
            payload: self.rest.get(HEADER_LEN..size).ok_or(overrun)?,
        })
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>, DecodeError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let message = self.parse();
        let taken = match &message {
            // The last message may lack its padding: datapaths with OVS_DP_F_UNALIGNED send upcalls like that.
            Ok(message) => nlattr::align(HEADER_LEN + message.payload.len()).min(self.rest.len()),
            Err(_) => self.rest.len(),
        };
        self.rest = &self.rest[taken..];
        self.offset += taken;
        Some(message)
    }
}

impl FusedIterator for Messages<'_> {}

/// One message: its header, its payload, and where it stands in its datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    offset: usize,
    kind: MessageType,
    flags: Flags,
    seq: u32,
    port: u32,
    payload: &'a [u8],
}

impl<'a> Message<'a> {
    /// `nlmsg_type`.
    pub fn kind(&self) -> MessageType {
        self.kind
    }

    /// `nlmsg_flags`.
    pub fn flags(&self) -> Flags {
        self.flags
    }

    /// `nlmsg_seq`: the number of the request that this answers, 0 if the kernel spoke by itself.
    pub fn seq(&self) -> u32 {
        self.seq
    }

    /// `nlmsg_pid`: the port of the socket whose request this answers, 0 if the kernel spoke by itself.
    pub fn port(&self) -> u32 {
        self.port
    }

    /// What follows the header, without padding.
    pub fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// Where the header stands in the datagram.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// The payload as a generic netlink message.
    ///
    /// # Errors
    /// [`DecodeError::Short`] if it has no room for `struct genlmsghdr`.
    #[inline]
    pub fn genl(&self) -> Result<Genl<'a>, DecodeError> {
        let ([cmd, version, ..], body) = split::<GENL_HEADER_LEN>(self.payload, self.offset, HEADER_LEN)?;
        Ok(Genl {
            cmd,
            version,
            body,
            offset: self.offset,
        })
    }

    /// The header of a protocol without `struct genlmsghdr`, `N` bytes and a multiple of 4, and the attributes after it.
    ///
    /// # Errors
    /// [`DecodeError::Short`] if there is no room for it.
    #[inline]
    pub fn split_header<const N: usize>(&self) -> Result<([u8; N], Attrs<'a>), DecodeError> {
        let (header, rest) = split(self.payload, self.offset, HEADER_LEN)?;
        Ok((header, Attrs::at(rest, self.offset + HEADER_LEN + N)))
    }

    /// The payload of [`MessageType::ERROR`] or [`MessageType::DONE`].
    ///
    /// # Errors
    /// [`DecodeError::Short`] if it has no room for the error number.
    pub fn status(&self) -> Result<Status, DecodeError> {
        let (errno, rest) = split(self.payload, self.offset, HEADER_LEN)?;
        Ok(Status::decode(
            self.kind,
            self.flags,
            i32::from_ne_bytes(errno),
            rest,
        ))
    }
}

/// The payload of a generic netlink message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Genl<'a> {
    cmd: u8,
    version: u8,
    body: &'a [u8],
    offset: usize,
}

impl<'a> Genl<'a> {
    /// The command, one of the family's.
    pub fn cmd(&self) -> u8 {
        self.cmd
    }

    /// The version of the family that the sender speaks.
    pub fn version(&self) -> u8 {
        self.version
    }

    /// The attributes of a family without a header of its own. Their offsets count in the datagram.
    pub fn attrs(&self) -> Attrs<'a> {
        Attrs::at(self.body, self.offset + HEADER_LEN + GENL_HEADER_LEN)
    }

    /// The header of the family, `N` bytes and a multiple of 4, and the attributes after it.
    ///
    /// # Errors
    /// [`DecodeError::Short`] if there is no room for it.
    #[inline]
    pub fn split_header<const N: usize>(&self) -> Result<([u8; N], Attrs<'a>), DecodeError> {
        let before = HEADER_LEN + GENL_HEADER_LEN;
        let (header, rest) = split(self.body, self.offset, before)?;
        Ok((header, Attrs::at(rest, self.offset + before + N)))
    }
}

/// Bytes that are not messages, or not the message that was expected.
///
/// `offset` is where the message starts in the datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Fewer bytes are left than a header has.
    #[error("at byte {offset}: {got} bytes are left, a message header has {HEADER_LEN}")]
    HeaderTruncated {
        /// Where the header should stand.
        offset: usize,
        /// Bytes left.
        got: usize,
    },
    /// `nlmsg_len` is smaller than its own header.
    #[error("at byte {offset}: a message claims {len} bytes, its header alone has {HEADER_LEN}")]
    BadLength {
        /// Where the message stands.
        offset: usize,
        /// `nlmsg_len` as it stands there.
        len: u32,
    },
    /// `nlmsg_len` reaches past the end of the datagram.
    #[error("at byte {offset}: a message claims {len} bytes, {got} are left")]
    Overrun {
        /// Where the message stands.
        offset: usize,
        /// `nlmsg_len` as it stands there.
        len: u32,
        /// Bytes left, header included.
        got: usize,
    },
    /// A message is too short for the fixed part of its payload.
    #[error("at byte {offset}: a message has {got} bytes, its fixed part has {wanted}")]
    Short {
        /// Where the message stands.
        offset: usize,
        /// Bytes of header and fixed part.
        wanted: usize,
        /// Bytes that are there, header included.
        got: usize,
    },
    /// An answer is of another family than the request.
    #[error("at byte {offset}: a message of type {got} answers a request of type {wanted}")]
    UnexpectedType {
        /// Where the message stands.
        offset: usize,
        /// The type of the request.
        wanted: MessageType,
        /// The type of the answer.
        got: MessageType,
    },
    /// An attribute that every object has is not there.
    #[error("at byte {offset}: the message lacks attribute {kind}")]
    Missing {
        /// Where the message stands.
        offset: usize,
        /// Type of the attribute.
        kind: u16,
    },
    /// A bad attribute. Its offset counts from the start of the datagram.
    #[error(transparent)]
    Attr(#[from] nlattr::DecodeError),
}

/// The first `N` bytes of `bytes`, which stand `before` bytes into the message at `offset`, and the rest.
fn split<const N: usize>(
    bytes: &[u8],
    offset: usize,
    before: usize,
) -> Result<([u8; N], &[u8]), DecodeError> {
    match bytes.split_first_chunk() {
        Some((&first, rest)) => Ok((first, rest)),
        None => Err(DecodeError::Short {
            offset,
            wanted: before + N,
            got: before + bytes.len(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::super::Request;
    use super::*;

    fn two_messages() -> Vec<u8> {
        let mut datagram = vec![];
        let odd = Request::genl(0x20, 3, 2, &[1, 2, 3, 4, 5]);
        odd.encode(1, &mut datagram).unwrap();
        Request::genl(0x21, 3, 1, &[]).encode(2, &mut datagram).unwrap();
        datagram
    }

    #[test]
    fn finds_each_message_behind_the_padding_of_the_one_before() {
        let datagram = two_messages();
        let messages: Vec<_> = Messages::new(&datagram).map(Result::unwrap).collect();
        let seen: Vec<_> = messages
            .iter()
            .map(|m| (m.offset(), m.kind().0, m.seq(), m.payload().len()))
            .collect();
        assert_eq!(seen, [(0, 0x20, 1, 12), (28, 0x21, 2, 4)]);
    }

    #[test]
    fn names_the_place_of_every_truncation() {
        let datagram = two_messages();
        for end in 1..datagram.len() {
            let last = Messages::new(&datagram[..end]).last().unwrap();
            let offset = if end <= 28 { 0 } else { 28 };
            match end - offset {
                got @ 0..16 => assert_eq!(last, Err(DecodeError::HeaderTruncated { offset, got })),
                28 => assert!(last.is_ok()),
                got => {
                    let len = if offset == 0 { 28 } else { 20 };
                    assert_eq!(
                        last,
                        Err(DecodeError::Overrun { offset, len, got }),
                        "cut at {end}"
                    );
                }
            }
        }
    }

    #[test]
    fn accepts_a_last_message_without_padding() {
        let mut datagram = vec![];
        Request::genl(0x20, 3, 2, &[]).encode(1, &mut datagram).unwrap();
        datagram.truncate(18);
        datagram[..4].copy_from_slice(&18u32.to_ne_bytes());
        let message = Messages::new(&datagram).next().unwrap().unwrap();
        assert_eq!(message.payload(), [3, 2]);
        let short = DecodeError::Short {
            offset: 0,
            wanted: 20,
            got: 18,
        };
        assert_eq!(message.genl(), Err(short));
    }

    #[test]
    fn stops_at_a_length_below_the_header() {
        for len in [0, 15] {
            let mut datagram = two_messages();
            datagram[28..32].copy_from_slice(&u32::to_ne_bytes(len));
            let mut messages = Messages::new(&datagram);
            assert!(messages.next().unwrap().is_ok());
            let bad = DecodeError::BadLength { offset: 28, len };
            assert_eq!(messages.next(), Some(Err(bad)));
            assert_eq!(messages.next(), None);
        }
    }

    #[test]
    fn a_length_of_four_gigabytes_is_an_error_and_no_allocation() {
        let mut datagram = two_messages();
        datagram[..4].copy_from_slice(&u32::MAX.to_ne_bytes());
        let bad = DecodeError::Overrun {
            offset: 0,
            len: u32::MAX,
            got: 48,
        };
        assert_eq!(Messages::new(&datagram).next(), Some(Err(bad)));
    }

    #[test]
    fn splits_the_header_of_a_family_off_its_attributes() {
        let datagram = two_messages();
        let mut messages = Messages::new(&datagram);
        let genl = messages.next().unwrap().unwrap().genl().unwrap();
        assert_eq!((genl.cmd(), genl.version()), (3, 2));
        let (header, mut attrs) = genl.split_header::<4>().unwrap();
        assert_eq!(header, [1, 2, 3, 4]);
        let bad = nlattr::DecodeError::Overrun {
            offset: 24,
            kind: 0,
            len: u16::from_ne_bytes([5, 0]).into(),
            got: 4,
        };
        assert_eq!(attrs.next(), Some(Err(bad)));
        let bare = messages.next().unwrap().unwrap().genl().unwrap();
        let short = DecodeError::Short {
            offset: 28,
            wanted: 24,
            got: 20,
        };
        assert_eq!(bare.split_header::<4>().unwrap_err(), short);
        assert!(bare.attrs().next().is_none());
    }
}
