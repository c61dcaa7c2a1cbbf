//! The few messages of rtnetlink that say what happens to the devices behind ports.
//!
//! A port whose device dies with its network namespace leaves its datapath without a word of `ovs_vport`. Rtnetlink
//! has the two messages that tell: `RTM_DELLINK` when the device goes to another namespace, and `RTM_DELNSID` when
//! that namespace dies.
//!
//! ```
//! use netlink_genl::message::Messages;
//! use netlink_genl::route::Notification;
//!
//! // RTM_DELNSID, struct rtgenmsg and its padding, NETNSA_NSID = 3.
//! let mut datagram = Vec::new();
//! datagram.extend(28u32.to_ne_bytes());
//! datagram.extend([89u16, 0].map(u16::to_ne_bytes).as_flattened());
//! datagram.extend([0; 12]);
//! datagram.extend([8u16, 1].map(u16::to_ne_bytes).as_flattened());
//! datagram.extend(3i32.to_ne_bytes());
//! let message = Messages::new(&datagram).next().unwrap()?;
//! assert_eq!(Notification::decode(&message)?, Some(Notification::NamespaceDeleted { nsid: 3 }));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use alloc::ffi::CString;

use crate::message::{DecodeError, Message, MessageType};
use crate::nlattr::Attrs;

/// `RTNLGRP_LINK`: the group that tells of devices.
pub const GROUP_LINK: u32 = 1;

/// `RTNLGRP_NSID`: the group that tells of the numbers that namespaces have in this one.
pub const GROUP_NSID: u32 = 28;

/// What rtnetlink told.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notification {
    /// `RTM_NEWLINK` (16): a device is new or has changed.
    LinkChanged(Link),
    /// `RTM_DELLINK` (17): a device is gone, or went to the namespace [`Link::new_nsid`].
    LinkDeleted(Link),
    /// `RTM_NEWNSID` (88): a namespace has got a number.
    NamespaceAdded {
        /// The number.
        nsid: i32,
    },
    /// `RTM_DELNSID` (89): a namespace is dead, and its number is free.
    NamespaceDeleted {
        /// The number.
        nsid: i32,
    },
}

impl Notification {
    /// Reads a notification; `None` if it is of another kind.
    ///
    /// # Errors
    /// [`DecodeError::Short`] if the header does not fit; [`DecodeError::Missing`] without a number of the namespace;
    /// [`DecodeError::Attr`] for a bad attribute.
    pub fn decode(message: &Message<'_>) -> Result<Option<Self>, DecodeError> {
        Ok(Some(match message.kind() {
            NEWLINK => Self::LinkChanged(Link::decode(message)?),
            DELLINK => Self::LinkDeleted(Link::decode(message)?),
            NEWNSID => Self::NamespaceAdded {
                nsid: decode_nsid(message)?,
            },
            DELNSID => Self::NamespaceDeleted {
                nsid: decode_nsid(message)?,
            },
            _ => return Ok(None),
        }))
    }
}

/// A device.
///
/// ```text
/// struct ifinfomsg { u8 family; u8 pad; u16 type; i32 index; u32 flags; u32 change; }    host byte order
/// ```
///
/// | # | attribute | payload | here |
/// |---|---|---|---|
/// | 3 | `IFLA_IFNAME` | string with NUL | `name` |
/// | 45 | `IFLA_NEW_NETNSID` | i32 | `new_nsid` |
/// | 49 | `IFLA_NEW_IFINDEX` | i32 | `new_ifindex` |
///
/// The some sixty other attributes are passed over. Source: `linux/rtnetlink.h`, `linux/if_link.h`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Interface index in the namespace that the message is from.
    pub ifindex: i32,
    /// The name.
    pub name: Option<CString>,
    /// Of a device that went to another namespace: the number of that one.
    pub new_nsid: Option<i32>,
    /// Of a device that went to another namespace: its interface index there.
    pub new_ifindex: Option<i32>,
}

impl Link {
    fn decode(message: &Message<'_>) -> Result<Self, DecodeError> {
        let (header, attrs) = message.split_header::<16>()?;
        let [_, _, _, _, a, b, c, d, ..] = header;
        let mut link = Self {
            ifindex: i32::from_ne_bytes([a, b, c, d]),
            name: None,
            new_nsid: None,
            new_ifindex: None,
        };
        for attr in attrs {
            let attr = attr?;
            match attr.kind() {
                IFLA_IFNAME => link.name = Some(attr.c_str()?.into()),
                IFLA_NEW_NETNSID => link.new_nsid = Some(attr.i32()?),
                IFLA_NEW_IFINDEX => link.new_ifindex = Some(attr.i32()?),
                _ => {}
            }
        }
        Ok(link)
    }
}

/// `struct rtgenmsg { u8 family; }`, three bytes of padding, and `NETNSA_NSID` (1), i32.
fn decode_nsid(message: &Message<'_>) -> Result<i32, DecodeError> {
    let (_, attrs): ([u8; 4], Attrs<'_>) = message.split_header()?;
    let mut nsid = None;
    for attr in attrs {
        let attr = attr?;
        if attr.kind() == NETNSA_NSID {
            nsid = Some(attr.i32()?);
        }
    }
    nsid.ok_or(DecodeError::Missing {
        offset: message.offset(),
        kind: NETNSA_NSID,
    })
}

const NEWLINK: MessageType = MessageType(16);
const DELLINK: MessageType = MessageType(17);
const NEWNSID: MessageType = MessageType(88);
const DELNSID: MessageType = MessageType(89);
const IFLA_IFNAME: u16 = 3;
const IFLA_NEW_NETNSID: u16 = 45;
const IFLA_NEW_IFINDEX: u16 = 49;
const NETNSA_NSID: u16 = 1;
