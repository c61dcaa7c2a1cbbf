//! What the kernel says about a request: an error number and the attributes that explain it.

use alloc::boxed::Box;
use core::fmt;

use super::{ExtAck, Flags, HEADER_LEN, MessageType};
use crate::nlattr;

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
    /// `EBUSY`: the port number is taken, the device has another master, or the socket has a dump running.
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
    pub ext_ack: Box<ExtAck>,
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
            ext_ack: Box::new(ExtAck::decode(attrs)),
        }
    }
}

/// Prints the error, then what is known about its cause: `EINVAL: bad name (OVS_VPORT_ATTR_NAME at byte 24 of the
/// request: at most 15 bytes)`.
impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.errno.name() {
            Some(name) => f.write_str(name)?,
            None => write!(f, "errno {}", self.errno.0)?,
        }
        self.ext_ack.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use alloc::borrow::ToOwned;
    use alloc::string::ToString;
    use alloc::vec;
    use alloc::vec::Vec;

    use super::*;
    use crate::message::PolicyKind;
    use crate::nlattr::{EncodeError, Sink};

    const MSG: u16 = 1;
    const OFFS: u16 = 2;
    const MISS_TYPE: u16 = 5;

    const BOTH: Flags = Flags(Flags::CAPPED.0 | Flags::ACK_TLVS.0);

    fn explained() -> Vec<u8> {
        let mut attrs = vec![];
        attrs.attr(MSG, b"bad name\0").unwrap();
        attrs.attr_u32(OFFS, 24).unwrap();
        attrs
            .nest(4, |s| {
                s.attr_u32(1, 12)?;
                s.attr_u32(7, 15)
            })
            .unwrap();
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
        let ext_ack = &short.ext_ack;
        assert_eq!((ext_ack.offset, ext_ack.missing_kind), (Some(24), Some(5)));
        let policy = ext_ack.policy.as_ref().unwrap();
        assert_eq!(
            (policy.kind, policy.max_length),
            (Some(PolicyKind::NUL_STRING), Some(15))
        );
        assert!(ext_ack.other.is_empty() && policy.other.is_empty());
        assert_eq!((&short, &short), (&long, &done));
    }

    #[test]
    fn prints_the_cause_after_the_error() {
        let status = Status::decode(MessageType::DONE, Flags::ACK_TLVS, -22, &explained());
        assert_eq!(
            status.to_string(),
            "EINVAL: bad name (byte 24 of the request: a string with NUL, at most 15 bytes) (attribute 5 is missing)"
        );
        assert_eq!(
            Status::decode(MessageType::DONE, Flags(0), -133, &[]).to_string(),
            "errno 133"
        );
    }

    #[test]
    fn prints_what_an_attribute_must_be() {
        let printed = |fill: fn(&mut Vec<u8>) -> Result<(), EncodeError>| {
            let mut attrs = vec![];
            attrs.attr_u32(OFFS, 24).unwrap();
            attrs.nest(4, fill).unwrap();
            let ext_ack = ExtAck::decode(&attrs);
            assert!(
                ext_ack
                    .policy
                    .as_ref()
                    .is_some_and(|policy| policy.other.is_empty())
            );
            let text = ext_ack.to_string();
            let text = text.strip_prefix(" (byte 24 of the request: ").unwrap();
            text.strip_suffix(')').unwrap().to_owned()
        };
        let signed = printed(|s| {
            s.attr_u32(1, 8)?;
            s.attr(2, &(-1i64).to_ne_bytes())?;
            s.attr(3, &7i64.to_ne_bytes())
        });
        let unsigned = printed(|s| {
            s.attr_u32(1, 17)?;
            s.attr_u64(4, 1)?;
            s.attr_u64(5, u64::MAX)
        });
        let bytes = printed(|s| {
            s.attr_u32(1, 10)?;
            s.attr_u32(6, 1)?;
            s.attr_u32(7, 16)
        });
        let [some, all] = [
            printed(|s| s.attr_u32(10, 3)),
            printed(|s| s.attr_u64(12, 1 << 40)),
        ];
        assert_eq!(signed, "i32 from -1 to 7");
        assert_eq!(unsigned, "u32 or u64 from 1 to 18446744073709551615");
        assert_eq!(bytes, "bytes, at least 1 bytes, at most 16 bytes");
        assert_eq!(some, "an attribute, of the bits 0x3");
        assert_eq!(all, "an attribute, of the bits 0x10000000000");
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
                (status.errno, *status.ext_ack),
                (Errno(i32::MAX), ExtAck::default())
            );
        }
    }
}
