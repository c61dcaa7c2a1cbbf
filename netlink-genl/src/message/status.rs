//! What the kernel says about a request: an error number and the attributes that explain it.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::{Flags, HEADER_LEN, MessageType};
use crate::nlattr::{self, Attr, Attrs, RawAttr};

numbers! {
    /// An error number of the kernel, positive, 0 for none.
    ///
    /// The constants are those of `asm-generic/errno.h`; a few architectures (mips, sparc, parisc, alpha) number those
    /// above 34 otherwise.
    pub struct Errno(i32);
    /// No error.
    NONE = 0 "no error",
    /// `EPERM`: the request needs `CAP_NET_ADMIN`.
    EPERM = 1 "EPERM",
    /// `ENOENT`: no such flow, or no such family.
    ENOENT = 2 "ENOENT",
    /// `EINTR`: a signal came first.
    EINTR = 4 "EINTR",
    /// `EAGAIN`: not now.
    EAGAIN = 11 "EAGAIN",
    /// `ENOMEM`: no memory.
    ENOMEM = 12 "ENOMEM",
    /// `EBUSY`: the port number is taken, or the socket has a dump running.
    EBUSY = 16 "EBUSY",
    /// `EEXIST`: there is one already.
    EEXIST = 17 "EEXIST",
    /// `ENODEV`: no such datapath, port or device.
    ENODEV = 19 "ENODEV",
    /// `EINVAL`: an attribute is missing or wrong.
    EINVAL = 22 "EINVAL",
    /// `EFBIG`: no port number is left, or it is too high.
    EFBIG = 27 "EFBIG",
    /// `EOVERFLOW`: lists of actions stand in each other too deep.
    EOVERFLOW = 75 "EOVERFLOW",
    /// `EMSGSIZE`: what was asked for does not fit a message.
    EMSGSIZE = 90 "EMSGSIZE",
    /// `EOPNOTSUPP`: unknown command or feature.
    EOPNOTSUPP = 95 "EOPNOTSUPP",
    /// `EAFNOSUPPORT`: unknown kind of port.
    EAFNOSUPPORT = 97 "EAFNOSUPPORT",
}

/// The payload of [`MessageType::ERROR`] and [`MessageType::DONE`].
///
/// ```text
/// ERROR: i32 error; struct nlmsghdr request; the request's payload unless CAPPED; attributes if ACK_TLVS
/// DONE:  i32 error;                                                               attributes if ACK_TLVS
/// ```
///
/// `error` is negative, or 0 for success. Source: `linux/netlink.h`, `net/netlink/af_netlink.c`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The error, or [`Errno::NONE`].
    pub errno: Errno,
    /// What the kernel says about it.
    pub ext_ack: ExtAck,
}

impl Status {
    /// Whether the request succeeded.
    pub fn is_ok(&self) -> bool {
        self.errno == Errno::NONE
    }

    pub(super) fn decode(kind: MessageType, flags: Flags, error: i32, rest: &[u8]) -> Self {
        let quoted = match (kind, rest.first_chunk()) {
            (MessageType::ERROR, _) if flags.contains(Flags::CAPPED) => HEADER_LEN,
            (MessageType::ERROR, Some(&len)) => {
                usize::try_from(u32::from_ne_bytes(len)).unwrap_or(usize::MAX)
            }
            _ => 0,
        };
        let attrs = match quoted.checked_next_multiple_of(nlattr::HEADER_LEN) {
            Some(start) if flags.contains(Flags::ACK_TLVS) => rest.get(start..).unwrap_or_default(),
            _ => &[],
        };
        Self {
            errno: Errno(error.saturating_abs()),
            ext_ack: ExtAck::decode(attrs),
        }
    }
}

/// Prints the error, then what is known about its cause: `EINVAL: bad name (attribute 3 at byte 24 of the request)`.
impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.errno.name() {
            Some(name) => f.write_str(name)?,
            None => write!(f, "errno {}", self.errno.0)?,
        }
        if let Some(message) = &self.ext_ack.message {
            write!(f, ": {message}")?;
        }
        if let Some(offset) = self.ext_ack.offset {
            f.write_str(" (attribute ")?;
            for kind in &self.ext_ack.attribute {
                write!(f, "{kind} ")?;
            }
            write!(f, "at byte {offset} of the request)")?;
        }
        if let Some(kind) = self.ext_ack.missing {
            write!(f, " (attribute {kind} is missing)")?;
        }
        Ok(())
    }
}

/// An extended acknowledgement: `enum nlmsgerr_attrs`, sent to sockets that asked for `NETLINK_EXT_ACK`.
///
/// It explains an error and must not hide one: an attribute that cannot be read lands in `other`, and what follows a
/// broken one is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExtAck {
    /// `NLMSGERR_ATTR_MSG`: the kernel's words. Bytes that are not UTF-8 are replaced.
    pub message: Option<String>,
    /// `NLMSGERR_ATTR_OFFS`, u32: where the bad attribute stands in the request, from the start of its header.
    pub offset: Option<u32>,
    /// The attribute at `offset`: its type behind those of the attributes around it. An
    /// [`Exchange`](crate::exchange::Exchange) finds it in the request that it sent; empty if it is not known.
    /// [`Attribute::name`](crate::ovs::Attribute::name) has its name.
    pub attribute: Vec<u16>,
    /// `NLMSGERR_ATTR_MISS_TYPE`, u32: type of an attribute that is missing.
    pub missing: Option<u32>,
    /// Everything else, `NLMSGERR_ATTR_COOKIE` (3), `_POLICY` (4) and `_MISS_NEST` (6) among them.
    pub other: Vec<RawAttr>,
}

impl ExtAck {
    fn decode(bytes: &[u8]) -> Self {
        let mut ext_ack = Self::default();
        for attr in Attrs::new(bytes).map_while(Result::ok) {
            if ext_ack.set(attr).is_err() {
                ext_ack.other.push(attr.into());
            }
        }
        ext_ack
    }

    fn set(&mut self, attr: Attr<'_>) -> Result<(), nlattr::DecodeError> {
        match attr.kind() {
            MSG => self.message = Some(attr.c_str()?.to_string_lossy().into_owned()),
            OFFS => self.offset = Some(attr.u32()?),
            MISS_TYPE => self.missing = Some(attr.u32()?),
            _ => self.other.push(attr.into()),
        }
        Ok(())
    }
}

const MSG: u16 = 1;
const OFFS: u16 = 2;
const MISS_TYPE: u16 = 5;

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use alloc::vec;

    use super::*;
    use crate::nlattr::Sink;

    const BOTH: Flags = Flags(Flags::CAPPED.0 | Flags::ACK_TLVS.0);

    fn explained() -> Vec<u8> {
        let mut attrs = vec![];
        attrs.attr(MSG, b"bad name\0").unwrap();
        attrs.attr_u32(OFFS, 24).unwrap();
        attrs.nest(4, |s| s.attr_u32(1, 12)).unwrap();
        attrs.attr_u32(MISS_TYPE, 5).unwrap();
        attrs
    }

    fn quoted(len: u32, bytes: usize) -> Vec<u8> {
        let mut request = vec![0; bytes];
        request[..4].copy_from_slice(&len.to_ne_bytes());
        request
    }

    #[test]
    fn finds_the_explanation_behind_a_capped_and_a_whole_request() {
        let mut capped = quoted(30, 16);
        capped.extend(explained());
        let mut whole = quoted(30, 32);
        whole.extend(explained());
        let short = Status::decode(MessageType::ERROR, BOTH, -22, &capped);
        let long = Status::decode(MessageType::ERROR, Flags::ACK_TLVS, -22, &whole);
        let done = Status::decode(MessageType::DONE, Flags::ACK_TLVS, -22, &explained());
        assert_eq!(short.errno, Errno::EINVAL);
        assert_eq!(short.ext_ack.message.as_deref(), Some("bad name"));
        assert_eq!((short.ext_ack.offset, short.ext_ack.missing), (Some(24), Some(5)));
        let policy = &short.ext_ack.other[0];
        assert_eq!((policy.raw_kind, policy.payload.len()), (4, 8));
        assert_eq!((&short, &short), (&long, &done));
    }

    #[test]
    fn prints_the_cause_after_the_error() {
        let status = Status::decode(MessageType::DONE, Flags::ACK_TLVS, -22, &explained());
        assert_eq!(
            status.to_string(),
            "EINVAL: bad name (attribute at byte 24 of the request) (attribute 5 is missing)"
        );
        assert_eq!(
            Status::decode(MessageType::DONE, Flags(0), -133, &[]).to_string(),
            "errno 133"
        );
    }

    #[test]
    fn keeps_the_error_whatever_is_cut_off_its_explanation() {
        let mut whole = quoted(16, 16);
        whole.extend(explained());
        for end in 0..whole.len() {
            let status = Status::decode(MessageType::ERROR, BOTH, -22, &whole[..end]);
            assert_eq!(status.errno, Errno::EINVAL);
            let has_message = end >= 16 + 4 + 9;
            assert_eq!(status.ext_ack.message.is_some(), has_message, "cut at {end}");
        }
    }

    #[test]
    fn keeps_an_attribute_of_the_wrong_size_raw() {
        let mut attrs = vec![];
        attrs.attr_u16(OFFS, 24).unwrap();
        attrs.attr(MSG, b"late\0").unwrap();
        let ext_ack = ExtAck::decode(&attrs);
        assert_eq!((ext_ack.offset, ext_ack.other.len()), (None, 1));
        assert_eq!(ext_ack.message.as_deref(), Some("late"));
    }

    #[test]
    fn an_impossible_length_of_the_quoted_request_hides_only_the_explanation() {
        for len in [17, u32::MAX] {
            let status = Status::decode(MessageType::ERROR, Flags::ACK_TLVS, i32::MIN, &quoted(len, 16));
            assert_eq!(
                (status.errno, status.ext_ack),
                (Errno(i32::MAX), ExtAck::default())
            );
        }
    }
}
