//! Writing requests.

use alloc::vec::Vec;

use super::{AttrPath, Errno, Flags, HEADER_LEN, MessageType, Status};
use crate::nlattr::{self, Attrs};

/// One request, still without the sequence number that it gets when it is sent.
#[derive(Clone, Debug)]
pub struct Request {
    kind: MessageType,
    flags: Flags,
    body: Vec<u8>,
    /// Where the attributes begin in the body.
    attrs_at: usize,
    names: Names,
    suspects: &'static [(Errno, u16)],
}

/// The name of an attribute that may stand in others: its number behind theirs, from the outermost on.
pub type Names = fn(&[u16]) -> Option<&'static str>;

impl Request {
    /// A request to the generic netlink family with number `family`. The family's own header, which may be empty, is
    /// padded to 4 bytes.
    pub fn genl(family: u16, cmd: u8, version: u8, header: &[u8]) -> Self {
        let mut body = [&[cmd, version, 0, 0], header].concat();
        body.resize(nlattr::align(body.len()), 0);
        Self {
            kind: MessageType(family),
            flags: Flags::REQUEST,
            attrs_at: body.len(),
            body,
            names: |_| None,
            suspects: &[],
        }
    }

    /// Gives the attributes names, for errors.
    #[must_use]
    pub fn naming(mut self, names: Names) -> Self {
        self.names = names;
        self
    }

    /// Says which attribute an error of the kernel is about, where the kernel does not say it.
    #[must_use]
    pub fn suspecting(mut self, suspects: &'static [(Errno, u16)]) -> Self {
        self.suspects = suspects;
        self
    }

    /// Adds `flags` to those that the request has.
    #[must_use]
    pub fn with(mut self, flags: Flags) -> Self {
        self.flags = self.flags | flags;
        self
    }

    /// Appends the attributes that `fill` writes.
    ///
    /// # Errors
    /// Whatever `fill` returns.
    pub fn attrs<E>(mut self, fill: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Result<Self, E> {
        let mut attrs = Vec::new();
        fill(&mut attrs)?;
        self.body.append(&mut attrs);
        Ok(self)
    }

    /// The attribute that stands `offset` bytes after the start of the message, as the kernel counts in
    /// [`ExtAck::offset`](super::ExtAck::offset): its type behind those of the attributes around it. `None` if none
    /// begins there. Which payloads are attributes is not known: one that looks like some counts as such.
    pub fn attribute_at(&self, offset: u32) -> Option<AttrPath> {
        let offset = usize::try_from(offset).ok()?;
        let mut path = Vec::new();
        let mut list = Attrs::at(&self.body[self.attrs_at..], HEADER_LEN + self.attrs_at);
        loop {
            let attr = list
                .map_while(Result::ok)
                .find(|attr| offset < attr.offset() + nlattr::attr_len(attr.payload().len()))?;
            path.push(attr.kind());
            if attr.offset() == offset {
                return Some(AttrPath::new(path, self.names));
            }
            list = attr.attrs();
        }
    }

    /// Names the attributes that an answer to this request is about.
    pub(crate) fn explain(&self, status: &mut Status) {
        let Status { errno, ext_ack } = status;
        ext_ack.attribute = ext_ack.offset.and_then(|offset| self.attribute_at(offset));
        ext_ack.missing = ext_ack
            .missing_kind
            .and_then(|kind| self.missing(ext_ack.missing_nest, kind));
        if ext_ack.attribute.is_none() && ext_ack.missing.is_none() {
            ext_ack.suspect = self.suspect(*errno);
        }
    }

    /// The attribute of type `kind` that is missing in the one at `nest`, or among the outermost.
    fn missing(&self, nest: Option<u32>, kind: u32) -> Option<AttrPath> {
        let mut path = match nest.filter(|&offset| offset != 0) {
            Some(offset) => self.attribute_at(offset)?.kinds,
            None => Vec::new(),
        };
        path.push(u16::try_from(kind).ok()?);
        Some(AttrPath::new(path, self.names))
    }

    /// The attribute that `errno` is about, if it is in the request.
    fn suspect(&self, errno: Errno) -> Option<AttrPath> {
        let about = |&&(error, kind): &&(Errno, u16)| error == errno && self.has(kind);
        let (_, kind) = self.suspects.iter().find(about)?;
        Some(AttrPath::new(alloc::vec![*kind], self.names))
    }

    fn has(&self, kind: u16) -> bool {
        let mut attrs = Attrs::new(&self.body[self.attrs_at..]).map_while(Result::ok);
        attrs.any(|attr| attr.kind() == kind)
    }

    /// The message type, for generic netlink the number of the family.
    pub fn kind(&self) -> MessageType {
        self.kind
    }

    /// The flags.
    pub fn flags(&self) -> Flags {
        self.flags
    }

    /// The same to another family.
    #[cfg(feature = "write")]
    pub(crate) fn to(mut self, family: u16) -> Self {
        self.kind = MessageType(family);
        self
    }

    /// Bytes of the message, padding included.
    pub fn encoded_len(&self) -> usize {
        nlattr::align(HEADER_LEN + self.body.len())
    }

    /// Appends the message to `datagram` as number `seq`, padded so that another may follow.
    ///
    /// `nlmsg_pid` stays 0: the kernel answers to the socket that sent the message.
    ///
    /// # Errors
    /// [`EncodeError::TooBig`] if the message exceeds what `nlmsg_len` can count; `datagram` is as before then.
    pub fn encode(&self, seq: u32, datagram: &mut Vec<u8>) -> Result<(), EncodeError> {
        let len = message_len(self.body.len())?;
        datagram.extend_from_slice(&len.to_ne_bytes());
        datagram.extend_from_slice(&self.kind.0.to_ne_bytes());
        datagram.extend_from_slice(&self.flags.0.to_ne_bytes());
        datagram.extend_from_slice(&seq.to_ne_bytes());
        datagram.extend_from_slice(&0u32.to_ne_bytes());
        datagram.extend_from_slice(&self.body);
        datagram.resize(nlattr::align(datagram.len()), 0);
        Ok(())
    }
}

/// A request that cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The message does not fit the 32 bits of `nlmsg_len`.
    #[error("a body of {len} bytes exceeds what nlmsg_len can count")]
    TooBig {
        /// Bytes after the header.
        len: usize,
    },
    /// An attribute cannot be written.
    #[error(transparent)]
    Attr(#[from] nlattr::EncodeError),
}

fn message_len(body: usize) -> Result<u32, EncodeError> {
    body.checked_add(HEADER_LEN)
        .and_then(|len| u32::try_from(len).ok())
        .ok_or(EncodeError::TooBig { len: body })
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::nlattr::Sink;

    #[test]
    #[cfg(target_endian = "little")]
    fn writes_the_dump_request_that_ovs_dpctl_sends() {
        let request =
            Request::genl(0x21, 3, 1, &9i32.to_ne_bytes()).with(Flags::ACK | Flags::ECHO | Flags::DUMP);
        let mut datagram = vec![];
        request.encode(14, &mut datagram).unwrap();
        let sent = b"\x18\0\0\0\x21\0\x0d\x03\x0e\0\0\0\0\0\0\0\x03\x01\0\0\x09\0\0\0";
        assert_eq!(datagram, sent);
    }

    #[test]
    fn pads_between_messages_of_a_datagram() {
        let odd = Request::genl(0x21, 3, 1, &[1]);
        let mut datagram = vec![];
        odd.encode(1, &mut datagram).unwrap();
        odd.encode(2, &mut datagram).unwrap();
        assert_eq!(datagram.len(), 48);
    }

    #[test]
    fn finds_the_attribute_at_an_offset_in_whatever_it_stands() {
        let request = Request::genl(0x21, 1, 1, &9i32.to_ne_bytes()).attrs(|s| {
            s.attr_u32(2, 0)?;
            s.nest(4, |s| {
                s.attr_u16(1, 4789)?;
                s.nest(2, |s| s.flag(7))
            })?;
            s.attr(3, b"x\0")
        });
        let request = request.unwrap_or_else(|error: nlattr::EncodeError| panic!("{error}"));
        let found: Vec<_> = (0..70)
            .filter_map(|offset| Some((offset, request.attribute_at(offset)?.kinds)))
            .collect();
        let expected = [
            (24, vec![2]),
            (32, vec![4]),
            (36, vec![4, 1]),
            (44, vec![4, 2]),
            (48, vec![4, 2, 7]),
            (52, vec![3]),
        ];
        assert_eq!(found, expected);
        assert_eq!(request.attribute_at(u32::MAX), None);
        assert_eq!(request.missing(Some(32), 3).unwrap().kinds, [4, 3]);
        assert_eq!(request.missing(None, 9).unwrap().kinds, [9]);
        assert_eq!(request.missing(Some(33), 3), None);
    }

    #[test]
    fn a_refused_attribute_refuses_the_request() {
        let too_big = vec![0; nlattr::MAX_PAYLOAD + 1];
        let refused = Request::genl(0x21, 3, 1, &[]).attrs(|s| s.attr(3, &too_big));
        assert_eq!(
            refused.unwrap_err(),
            nlattr::EncodeError::AttrTooBig { kind: 3, len: 65_532 }
        );
    }

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn refuses_a_message_above_32_bits() {
        let limit = 0xffff_ffff - HEADER_LEN;
        assert_eq!(message_len(limit - 1), Ok(u32::MAX - 1));
        assert_eq!(message_len(limit), Ok(u32::MAX));
        assert_eq!(
            message_len(limit + 1),
            Err(EncodeError::TooBig { len: limit + 1 })
        );
        assert_eq!(
            message_len(usize::MAX),
            Err(EncodeError::TooBig { len: usize::MAX })
        );
    }
}
