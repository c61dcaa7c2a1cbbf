//! `ovs_datapath`: the switches in the kernel.
//!
//! ```
//! use netlink_genl::ovs::datapath;
//!
//! let mut datagram = Vec::new();
//! datapath::dump(0x20).encode(1, &mut datagram)?;
//! assert_eq!(datagram.len(), 24);
//! # Ok::<(), netlink_genl::message::EncodeError>(())
//! ```

use alloc::ffi::CString;
use alloc::vec::Vec;
use core::ffi::CStr;

use super::DpIfindex;
use crate::message::{DecodeError, Message, Request};
use crate::nlattr::RawAttr;

/// Name of the family.
pub const FAMILY: &CStr = c"ovs_datapath";

/// `OVS_DATAPATH_VERSION`.
pub const VERSION: u8 = 2;

/// A request for every datapath of the socket's network namespace. `family` is the number of [`FAMILY`].
pub fn dump(family: u16) -> Request {
    super::dump(family, VERSION, DpIfindex(0))
}

/// A datapath, `enum ovs_datapath_attr`.
///
/// | # | attribute | payload | here |
/// |---|---|---|---|
/// | 1 | `NAME` | string with NUL, 16 bytes at most | [`Datapath::name`] |
///
/// All others stay raw in [`Datapath::other`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datapath {
    /// `dp_ifindex` of the header: what names the datapath in every request.
    pub ifindex: DpIfindex,
    /// The name, which is that of its local port when it was made.
    pub name: CString,
    /// Attributes that are not decoded, byte for byte and in their order.
    pub other: Vec<RawAttr>,
}

impl Datapath {
    /// Reads a datapath from an answer or a notification of the family.
    ///
    /// # Errors
    /// [`DecodeError::Missing`] without a name; [`DecodeError::Attr`] for a bad attribute; [`DecodeError::Short`] if
    /// the headers do not fit.
    pub fn decode(message: &Message<'_>) -> Result<Self, DecodeError> {
        let (ifindex, attrs) = super::split(message)?;
        let mut name = None;
        let mut other = Vec::new();
        for attr in attrs {
            let attr = attr?;
            match attr.kind() {
                ATTR_NAME => name = Some(attr.c_str()?.into()),
                _ => other.push(attr.into()),
            }
        }
        let missing = DecodeError::Missing {
            offset: message.offset(),
            kind: ATTR_NAME,
        };
        Ok(Self {
            ifindex,
            name: name.ok_or(missing)?,
            other,
        })
    }
}

const ATTR_NAME: u16 = 1;
