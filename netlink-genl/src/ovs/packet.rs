//! `ovs_packet`: packets on their way between a datapath and user space.
//!
//! The kernel sends those without a flow (`MISS`, 1) and those that an action sends (`ACTION`, 2) to the netlink ports
//! that ports and datapaths name; user space sends packets with actions (`EXECUTE`, 3).
//!
//! Source: `linux/openvswitch.h` (`enum ovs_packet_attr`); the order of attributes is that of `queue_userspace_packet` in
//! `net/openvswitch/datapath.c`.
//!
//! ```
//! use netlink_genl::ovs::Attribute;
//! use netlink_genl::ovs::packet::PacketAttr;
//!
//! assert_eq!(PacketAttr::name(4), Some("OVS_PACKET_ATTR_USERDATA"));
//! ```

mod upcall;

use alloc::vec;
use alloc::vec::Vec;
use core::ffi::CStr;

pub use self::upcall::{Packet, Reason};

use super::DpIfindex;
use crate::message::{EncodeError, Flags, Request};

/// Name of the family. It has no multicast group.
pub const FAMILY: &CStr = c"ovs_packet";

/// `OVS_PACKET_VERSION`.
pub const VERSION: u8 = 1;

attributes! {
    /// `enum ovs_packet_attr`. All numbers are in host byte order.
    ///
    /// The kernel writes [`PacketAttr::Packet`] last, and without padding if the datapath has
    /// [`Features::UNALIGNED`](super::datapath::Features::UNALIGNED); here it is always written with padding.
    pub enum PacketAttr "OVS_PACKET_ATTR_" {
        /// The packet from its Ethernet header on.
        1 Packet(Vec<u8>) "PACKET",
        /// Attributes: what the packet has.
        2 Key(Vec<u8>) "KEY",
        /// Attributes: what is to be done with it.
        3 Actions(Vec<u8>) "ACTIONS",
        /// What the action that sent it was given.
        4 Userdata(Vec<u8>) "USERDATA",
        /// Attributes: the tunnel that it is to leave through.
        5 EgressTunKey(Vec<u8>) "EGRESS_TUN_KEY",
        /// The kernel shall not log what is wrong with the request.
        8 Probe(()) "PROBE",
        /// The largest fragment that it was reassembled from.
        9 Mru(u16) "MRU",
        /// Its length before it was cut.
        10 Len(u32) "LEN",
        /// Its hash, with two flags in bits 32 and 33.
        11 Hash(u64) "HASH",
        /// The netlink port that it went to. Newer than Linux 6.12.
        12 UpcallPid(u32) "UPCALL_PID",
    }
}

/// A request to apply `actions` to a packet, which begins with its Ethernet header. `key` says what the packet does not,
/// the port where it came in for one; it may be empty.
///
/// # Errors
/// [`EncodeError::Attr`] if one of them exceeds an attribute.
pub fn execute(
    family: u16,
    dp: DpIfindex,
    packet: &[u8],
    key: &[u8],
    actions: &[u8],
) -> Result<Request, EncodeError> {
    let attrs = vec![
        PacketAttr::Packet(packet.to_vec()),
        PacketAttr::Key(key.to_vec()),
        PacketAttr::Actions(actions.to_vec()),
    ];
    let request = super::change(family, VERSION, dp, CMD_EXECUTE, attrs)?;
    Ok(request.with(Flags::ACK))
}

/// `OVS_PACKET_CMD_EXECUTE`.
const CMD_EXECUTE: u8 = 3;
