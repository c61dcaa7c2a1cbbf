//! `ovs_flow`: the flows of a datapath, as the kernel has them.
//!
//! Keys, masks and actions are bytes here, attributes in attributes; the crate `odp-actions` reads and writes them.
//!
//! Source: `linux/openvswitch.h` (`enum ovs_flow_attr`); the rules are those of `net/openvswitch/datapath.c`.
//!
//! ```
//! use netlink_genl::ovs::{DpIfindex, flow};
//!
//! let mut datagram = Vec::new();
//! flow::dump(0x22, DpIfindex(9)).encode(1, &mut datagram)?;
//! assert_eq!(datagram.len(), 24);
//! # Ok::<(), netlink_genl::message::EncodeError>(())
//! ```

mod change;

use alloc::vec::Vec;
use core::ffi::CStr;

pub use self::change::{NewFlow, add, delete, delete_by_key, flush, put};

use super::{Attribute, DpIfindex};
use crate::message::{DecodeError, EncodeError, Message, Request};
use crate::nlattr::{RawAttr, Sink};

/// Name of the family, and of its multicast group.
pub const FAMILY: &CStr = c"ovs_flow";

/// `OVS_FLOW_VERSION`.
pub const VERSION: u8 = 1;

/// A request for every flow of datapath `dp`. `family` is the number of [`FAMILY`].
///
/// The kernel leaves the actions of a flow out if they do not fit a part of the answer.
pub fn dump(family: u16, dp: DpIfindex) -> Request {
    super::dump::<FlowAttr>(family, VERSION, dp)
}

/// A request for the flow with identifier `ufid`; `ENOENT` if there is none.
///
/// # Errors
/// [`EncodeError::Attr`] if it exceeds an attribute. (The kernel takes 1 to 16 bytes.)
pub fn get(family: u16, dp: DpIfindex, ufid: &[u8]) -> Result<Request, EncodeError> {
    Ok(super::get::<FlowAttr>(family, VERSION, dp).attrs(|s| s.attr(ATTR_UFID, ufid))?)
}

/// A request for the flow with exactly this key, for one without identifier; `ENOENT` if there is none.
///
/// # Errors
/// [`EncodeError::Attr`] if it exceeds an attribute.
pub fn get_by_key(family: u16, dp: DpIfindex, key: &[u8]) -> Result<Request, EncodeError> {
    Ok(super::get::<FlowAttr>(family, VERSION, dp).attrs(|s| s.attr(ATTR_KEY, key))?)
}

attributes! {
    /// `enum ovs_flow_attr`. All numbers are in host byte order.
    pub enum FlowAttr "OVS_FLOW_ATTR_" {
        /// Attributes: what a packet has.
        1 Key(Vec<u8>) "KEY",
        /// Attributes: what is done with it.
        2 Actions(Vec<u8>) "ACTIONS",
        /// Counters of packets and bytes.
        3 Stats(Stats) "STATS",
        /// All TCP flags that were seen.
        4 TcpFlags(u8) "TCP_FLAGS",
        /// Milliseconds of the monotonic clock when it was used last.
        5 Used(u64) "USED",
        /// Sets the counters to zero.
        6 Clear(()) "CLEAR",
        /// Attributes: which bits of the key count.
        7 Mask(Vec<u8>) "MASK",
        /// The kernel shall not log what is wrong with the request.
        8 Probe(()) "PROBE",
        /// 1 to 16 bytes: the flow's identifier.
        9 Ufid(Vec<u8>) "UFID",
        /// Which of key (1), mask (2) and actions (4) the answer shall leave out.
        10 UfidFlags(u32) "UFID_FLAGS",
        /// Nothing, to align what follows.
        11 Pad(()) "PAD",
    }
}

/// A flow.
///
/// Of an attribute that comes twice, the last counts, as in the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Flow {
    /// `dp_ifindex` of the header: the datapath that has the flow.
    pub datapath: DpIfindex,
    /// What a packet has.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::hex_if_any"))]
    pub key: Option<Vec<u8>>,
    /// Which bits of the key count.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::hex_if_any"))]
    pub mask: Option<Vec<u8>>,
    /// What is done with a packet; empty to drop it. `None` if the kernel left the actions out, since they did not fit:
    /// ask for the flow alone.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::hex_if_any"))]
    pub actions: Option<Vec<u8>>,
    /// The flow's identifier, if it was made with one.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::hex_if_any"))]
    pub ufid: Option<Vec<u8>>,
    /// Counters; none before the first packet.
    pub stats: Option<Stats>,
    /// All TCP flags that were seen.
    pub tcp_flags: Option<u8>,
    /// Milliseconds of the monotonic clock when it was used last.
    pub used_ms: Option<u64>,
    /// Attributes that are not known here, or that only requests have, byte for byte and in their order.
    pub other: Vec<RawAttr>,
}

impl Flow {
    /// Reads a flow from an answer or a notification of the family.
    ///
    /// # Errors
    /// [`DecodeError::Attr`] for a bad attribute; [`DecodeError::Short`] if the headers do not fit.
    pub fn decode(message: &Message<'_>) -> Result<Self, DecodeError> {
        let (datapath, attrs) = super::split(message)?;
        let mut flow = Self {
            datapath,
            key: None,
            mask: None,
            actions: None,
            ufid: None,
            stats: None,
            tcp_flags: None,
            used_ms: None,
            other: Vec::new(),
        };
        for attr in attrs {
            let attr = attr?;
            match FlowAttr::decode(&attr)? {
                FlowAttr::Key(it) => flow.key = Some(it),
                FlowAttr::Mask(it) => flow.mask = Some(it),
                FlowAttr::Actions(it) => flow.actions = Some(it),
                FlowAttr::Ufid(it) => flow.ufid = Some(it),
                FlowAttr::Stats(it) => flow.stats = Some(it),
                FlowAttr::TcpFlags(it) => flow.tcp_flags = Some(it),
                FlowAttr::Used(it) => flow.used_ms = Some(it),
                FlowAttr::Pad(()) => {}
                FlowAttr::Clear(()) | FlowAttr::Probe(()) | FlowAttr::UfidFlags(_) | FlowAttr::Unknown(_) => {
                    flow.other.push(attr.into());
                }
            }
        }
        Ok(flow)
    }
}

/// Counters, `struct ovs_flow_stats`: two u64 in host byte order, 16 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Stats {
    /// Packets that met it.
    pub packets: u64,
    /// Bytes of these packets.
    pub bytes: u64,
}

record! {
    Stats {
        packets: u64,
        bytes: u64,
    }
}

pub(crate) const ATTR_KEY: u16 = 1;
const ATTR_UFID: u16 = 9;
