//! The families of `openvswitch.ko`.
//!
//! All of them put the same header between `struct genlmsghdr` and the attributes:
//!
//! ```text
//! struct ovs_header { i32 dp_ifindex; }    host byte order
//! ```
//!
//! Source: `linux/openvswitch.h`.
//!
//! ```
//! use netlink_genl::message::Messages;
//! use netlink_genl::ovs::{DpIfindex, vport};
//!
//! let mut datagram = Vec::new();
//! vport::dump(0x21, DpIfindex(9)).encode(1, &mut datagram)?;
//! let genl = Messages::new(&datagram).next().unwrap()?.genl()?;
//! assert_eq!(genl.split_header()?.0, 9i32.to_ne_bytes());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod datapath;
pub mod vport;

use alloc::vec::Vec;
use core::{array, fmt};

use crate::message::{DecodeError, Flags, Message, Request};
use crate::nlattr::{self, Attr, Attrs};

/// Identifies a datapath: the interface index of its local port in the network namespace that made it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DpIfindex(pub i32);

impl fmt::Display for DpIfindex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

numbers! {
    /// `OVS_DP_CMD_*`, `OVS_VPORT_CMD_*` and `OVS_FLOW_CMD_*`, which are the same numbers: what to do, or in a
    /// notification what was done.
    pub struct Command(u8);
    /// `NEW`: make it, or it was made.
    NEW = 1 "NEW",
    /// `DEL`: delete it, or it was deleted.
    DEL = 2 "DEL",
    /// `GET`: say what it is.
    GET = 3 "GET",
    /// `SET`: change it, or it was changed.
    SET = 4 "SET",
}

/// A request for every object of a family, under datapath `dp`.
fn dump(family: u16, version: u8, dp: DpIfindex) -> Request {
    get(family, version, dp).with(Flags::DUMP)
}

/// A request for the object of a family that the attributes still to come select.
fn get(family: u16, version: u8, dp: DpIfindex) -> Request {
    Request::genl(family, Command::GET.0, version, &dp.0.to_ne_bytes())
}

/// The header of the family and the attributes of an object.
fn split<'a>(message: &Message<'a>) -> Result<(DpIfindex, Attrs<'a>), DecodeError> {
    let (dp, attrs) = message.genl()?.split_header()?;
    Ok((DpIfindex(i32::from_ne_bytes(dp)), attrs))
}

/// The payload of an attribute as 32-bit numbers in host byte order.
fn u32_array(attr: &Attr<'_>) -> Result<Vec<u32>, nlattr::DecodeError> {
    let words = attr.payload().chunks_exact(4);
    if !words.remainder().is_empty() {
        return Err(nlattr::DecodeError::WrongSize {
            offset: attr.offset(),
            kind: attr.kind(),
            wanted: attr.payload().len().next_multiple_of(4),
            got: attr.payload().len(),
        });
    }
    Ok(words
        .map(|word| u32::from_ne_bytes(array::from_fn(|byte| word[byte])))
        .collect())
}

/// The number in host byte order at byte `start` of `bytes`, which has room for it.
fn u64_at(bytes: &[u8], start: usize) -> u64 {
    u64::from_ne_bytes(array::from_fn(|byte| bytes[start + byte]))
}
