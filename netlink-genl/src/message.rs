//! Netlink messages: the frame around every request and answer.
//!
//! ```text
//! struct nlmsghdr   { u32 nlmsg_len; u16 nlmsg_type; u16 nlmsg_flags; u32 nlmsg_seq; u32 nlmsg_pid; }
//! struct genlmsghdr { u8 cmd; u8 version; u16 reserved; }    the family's own header    attributes
//! ```
//!
//! All words are in host byte order. `nlmsg_len` counts its own header, not the padding to 4 bytes that separates
//! messages in a datagram. `nlmsg_type` is a [`MessageType`] or the number that the kernel gave a family.
//! Source: `linux/netlink.h`, `linux/genetlink.h`.
//!
//! ```
//! use netlink_genl::message::{Messages, Request};
//! use netlink_genl::nlattr::Sink;
//!
//! let request = Request::genl(0x21, 3, 1, &9i32.to_ne_bytes()).attrs(|s| s.attr_u32(1, 7))?;
//! let mut datagram = Vec::new();
//! request.encode(1, &mut datagram)?;
//! assert_eq!(datagram.len(), 32);
//!
//! let message = Messages::new(&datagram).next().unwrap()?;
//! let (dp_ifindex, mut attrs) = message.genl()?.split_header::<4>()?;
//! assert_eq!(i32::from_ne_bytes(dp_ifindex), 9);
//! assert_eq!(attrs.next().unwrap()?.u32()?, 7);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod ext_ack;
mod read;
mod status;
mod write;

use core::ops::BitOr;

pub use self::ext_ack::{AttrPath, ExtAck, Policy, PolicyKind};
pub use self::read::{DecodeError, Genl, Message, Messages};
pub use self::status::{Errno, Status};
pub use self::write::{EncodeError, Names, Request};

/// Bytes of `struct nlmsghdr`.
pub const HEADER_LEN: usize = 16;

/// Bytes of `struct genlmsghdr`.
pub const GENL_HEADER_LEN: usize = 4;

numbers! {
    /// `nlmsg_type`, 16 bits: what a message is.
    ///
    /// Below 16 they are netlink's own; above, generic netlink hands them to families at run time.
    pub struct MessageType(u16);
    /// `NLMSG_NOOP`: nothing.
    NOOP = 1 "NLMSG_NOOP",
    /// `NLMSG_ERROR`: a refusal, or with errno 0 an acknowledgement.
    ERROR = 2 "NLMSG_ERROR",
    /// `NLMSG_DONE`: the end of a dump, which may be an error, too.
    DONE = 3 "NLMSG_DONE",
    /// `NLMSG_OVERRUN`: data was lost. Kernels do not send it; they return `ENOBUFS` instead.
    OVERRUN = 4 "NLMSG_OVERRUN",
    /// `GENL_ID_CTRL`: the family that names the others.
    CTRL = 16 "nlctrl",
}

/// `nlmsg_flags`, 16 bits. Unknown bits are kept.
///
/// Their meaning depends on the direction and the message, so that two constants may be the same bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags(pub u16);

impl Flags {
    /// `NLM_F_REQUEST`: must be on every message to the kernel.
    pub const REQUEST: Self = Self(0x1);
    /// `NLM_F_MULTI`: one of several answers, which end with [`MessageType::DONE`].
    pub const MULTI: Self = Self(0x2);
    /// `NLM_F_ACK`: acknowledge success as well as failure.
    pub const ACK: Self = Self(0x4);
    /// `NLM_F_ECHO`: answer with the object that the request made or changed.
    pub const ECHO: Self = Self(0x8);
    /// `NLM_F_DUMP_INTR`: the dump is not consistent, since what it lists changed meanwhile.
    pub const DUMP_INTR: Self = Self(0x10);
    /// `NLM_F_CAPPED` of [`MessageType::ERROR`]: only the header of the request is quoted.
    pub const CAPPED: Self = Self(0x100);
    /// `NLM_F_ACK_TLVS` of [`MessageType::ERROR`] and [`MessageType::DONE`]: attributes follow.
    pub const ACK_TLVS: Self = Self(0x200);
    /// `NLM_F_DUMP` of a GET: `NLM_F_ROOT | NLM_F_MATCH`, list everything.
    pub const DUMP: Self = Self(0x300);

    /// `NLM_F_CREATE` of a NEW: make it. With it, and only with it, a flow that is there already is `EEXIST`.
    pub const CREATE: Self = Self(0x400);

    /// Whether all bits of `other` are set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for Flags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
