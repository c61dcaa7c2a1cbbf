//! The controller, `nlctrl`: from the name of a family to the number that the running kernel gave it.
//!
//! Source: `linux/genetlink.h` (`CTRL_ATTR_*`).
//!
//! ```
//! use netlink_genl::ctrl;
//!
//! let request = ctrl::get_family(c"ovs_vport")?;
//! let mut datagram = Vec::new();
//! request.encode(1, &mut datagram)?;
//! assert_eq!(datagram.len(), 16 + 4 + 4 + 12);
//! # Ok::<(), netlink_genl::message::EncodeError>(())
//! ```

mod cache;

use alloc::ffi::CString;
use alloc::vec::Vec;
use core::ffi::CStr;

pub use self::cache::Cache;

use crate::message::{DecodeError, EncodeError, Message, MessageType, Request};
use crate::nlattr::{Attr, Sink};

/// Name of the controller's own family, whose number is fixed: [`MessageType::CTRL`].
pub const FAMILY: &CStr = c"nlctrl";

/// `notify`, the controller's group, whose number is fixed, too: it tells of families that come and go.
pub const NOTIFY: u32 = 16;

/// A request for the family called `name`. The kernel loads the module that has it, if it can; without one it answers
/// `ENOENT`.
///
/// # Errors
/// [`EncodeError::Attr`] if the name exceeds an attribute. (The kernel takes 15 bytes.)
pub fn get_family(name: &CStr) -> Result<Request, EncodeError> {
    let request = Request::genl(MessageType::CTRL.0, CMD_GETFAMILY, VERSION, &[]).naming(|path| match path {
        [ATTR_FAMILY_NAME] => Some("CTRL_ATTR_FAMILY_NAME"),
        _ => None,
    });
    Ok(request.attrs(|s| s.attr(ATTR_FAMILY_NAME, name.to_bytes_with_nul()))?)
}

/// A family of the running kernel, `CTRL_CMD_NEWFAMILY`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family {
    /// `CTRL_ATTR_FAMILY_ID`, u16: the type of its messages until its module is unloaded.
    pub id: u16,
    /// `CTRL_ATTR_FAMILY_NAME`.
    pub name: CString,
    /// `CTRL_ATTR_VERSION`, u32.
    pub version: u32,
    /// `CTRL_ATTR_HDRSIZE`, u32: bytes of the header between `struct genlmsghdr` and the attributes.
    pub hdrsize: u32,
    /// `CTRL_ATTR_MCAST_GROUPS`: the groups that a socket may join.
    pub groups: Vec<Group>,
}

impl Family {
    /// Reads the answer to [`get_family`]. Operations and policies are passed over.
    ///
    /// # Errors
    /// [`DecodeError::Missing`] without a number or a name; [`DecodeError::Attr`] for a bad attribute;
    /// [`DecodeError::Short`] if it is no generic netlink message.
    pub fn decode(message: &Message<'_>) -> Result<Self, DecodeError> {
        let (mut id, mut name) = (None, None);
        let (mut version, mut hdrsize) = (0, 0);
        let mut groups = Vec::new();
        for attr in message.genl()?.attrs() {
            let attr = attr?;
            match attr.kind() {
                ATTR_FAMILY_ID => id = Some(attr.u16()?),
                ATTR_FAMILY_NAME => name = Some(attr.c_str()?.into()),
                ATTR_VERSION => version = attr.u32()?,
                ATTR_HDRSIZE => hdrsize = attr.u32()?,
                ATTR_MCAST_GROUPS => {
                    groups = attr
                        .attrs()
                        .map(|group| Group::decode(&group?, message))
                        .collect::<Result<_, _>>()?;
                }
                _ => {}
            }
        }
        let missing = |kind| DecodeError::Missing {
            offset: message.offset(),
            kind,
        };
        Ok(Self {
            id: id.ok_or(missing(ATTR_FAMILY_ID))?,
            name: name.ok_or(missing(ATTR_FAMILY_NAME))?,
            version,
            hdrsize,
            groups,
        })
    }

    /// The number of the multicast group called `name`.
    pub fn group(&self, name: &CStr) -> Option<u32> {
        let group = self.groups.iter().find(|group| group.name.as_c_str() == name)?;
        Some(group.id)
    }
}

/// A multicast group of a family, `CTRL_ATTR_MCAST_GRP_*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name, unique in its family.
    pub name: CString,
    /// Its number, unique in the kernel.
    pub id: u32,
}

impl Group {
    fn decode(attr: &Attr<'_>, message: &Message<'_>) -> Result<Self, DecodeError> {
        let (mut id, mut name) = (None, None);
        for attr in attr.attrs() {
            let attr = attr?;
            match attr.kind() {
                ATTR_MCAST_GRP_NAME => name = Some(attr.c_str()?.into()),
                ATTR_MCAST_GRP_ID => id = Some(attr.u32()?),
                _ => {}
            }
        }
        let missing = DecodeError::Missing {
            offset: message.offset(),
            kind: ATTR_MCAST_GROUPS,
        };
        Ok(Self {
            name: name.ok_or(missing)?,
            id: id.ok_or(missing)?,
        })
    }
}

// linux/genetlink.h
const VERSION: u8 = 2;
const CMD_GETFAMILY: u8 = 3;
const ATTR_FAMILY_ID: u16 = 1;
const ATTR_FAMILY_NAME: u16 = 2;
const ATTR_VERSION: u16 = 3;
const ATTR_HDRSIZE: u16 = 4;
const ATTR_MCAST_GROUPS: u16 = 7;
const ATTR_MCAST_GRP_NAME: u16 = 1;
const ATTR_MCAST_GRP_ID: u16 = 2;
