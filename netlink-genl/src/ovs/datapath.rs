//! `ovs_datapath`: the switches in the kernel.
//!
//! Source: `linux/openvswitch.h` (`enum ovs_datapath_attr`); the rules are those of `net/openvswitch/datapath.c`.
//!
//! ```
//! use netlink_genl::ovs::datapath;
//!
//! let mut datagram = Vec::new();
//! datapath::dump(0x20).encode(1, &mut datagram)?;
//! assert_eq!(datagram.len(), 24);
//! # Ok::<(), netlink_genl::message::EncodeError>(())
//! ```

mod change;

use alloc::ffi::CString;
use alloc::vec::Vec;
use core::ffi::CStr;

pub use self::change::{PerCpu, Settings, add, delete, set};

use super::table::Payload;
use super::{Attribute, DpIfindex};
use crate::message::{DecodeError, EncodeError, Message, Request};
use crate::nlattr::{self, Attr, RawAttr, Sink};

/// Name of the family, and of its multicast group.
pub const FAMILY: &CStr = c"ovs_datapath";

/// `OVS_DATAPATH_VERSION`.
pub const VERSION: u8 = 2;

/// A request for every datapath of the socket's network namespace. `family` is the number of [`FAMILY`].
pub fn dump(family: u16) -> Request {
    super::dump::<DatapathAttr>(family, VERSION, DpIfindex(0))
}

/// A request for datapath `dp`; `ENODEV` if there is none.
pub fn get(family: u16, dp: DpIfindex) -> Request {
    super::get::<DatapathAttr>(family, VERSION, dp)
}

/// A request for the datapath called `name`; `ENODEV` if there is none.
///
/// # Errors
/// [`EncodeError::Attr`] if the name exceeds an attribute. (The kernel takes 15 bytes.)
pub fn get_by_name(family: u16, name: &CStr) -> Result<Request, EncodeError> {
    let request = super::get::<DatapathAttr>(family, VERSION, DpIfindex(0));
    Ok(request.attrs(|s| s.attr(ATTR_NAME, name.to_bytes_with_nul()))?)
}

attributes! {
    /// `enum ovs_datapath_attr`. All numbers are in host byte order.
    pub enum DatapathAttr "OVS_DP_ATTR_" {
        /// String with NUL, 16 bytes at most: the name.
        1 Name(CString) "NAME",
        /// Of a new datapath: the netlink port that takes the packets of its local port, 0 for none.
        2 UpcallPid(u32) "UPCALL_PID",
        /// What became of its packets.
        3 Stats(Stats) "STATS",
        /// How its packets were looked up.
        4 MegaflowStats(MegaflowStats) "MEGAFLOW_STATS",
        /// What its user asks for. If a request to change something else lacks it, all features are turned off.
        5 UserFeatures(Features) "USER_FEATURES",
        /// Nothing, to align what follows.
        6 Pad(()) "PAD",
        /// Entries of the cache of masks, per CPU. Since Linux 5.10.
        7 MasksCacheSize(u32) "MASKS_CACHE_SIZE",
        /// Netlink ports, one for each CPU. Since Linux 5.15.
        8 PerCpuPids(Vec<u32>) "PER_CPU_PIDS",
        /// Of a new datapath: the interface index that its local port shall have.
        9 Ifindex(i32) "IFINDEX",
    }
}

/// A datapath.
///
/// Of an attribute that comes twice, the last counts, as in the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Datapath {
    /// `dp_ifindex` of the header: what names the datapath in every request.
    pub ifindex: DpIfindex,
    /// The name, which is that of its local port when it was made.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::text"))]
    pub name: CString,
    /// What became of its packets.
    pub stats: Option<Stats>,
    /// How its packets were looked up.
    pub megaflow_stats: Option<MegaflowStats>,
    /// What its user asked for.
    pub features: Features,
    /// Entries of the cache that finds a packet's mask, per CPU. Since Linux 5.10.
    pub masks_cache_size: Option<u32>,
    /// Under [`Features::DISPATCH_UPCALL_PER_CPU`] the netlink ports that take packets without a flow: the number of a
    /// CPU, modulo their count, is the index. Since Linux 5.15.
    pub per_cpu_pids: Vec<u32>,
    /// Attributes that are not known here, or that only requests have, byte for byte and in their order.
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
        let mut datapath = Self {
            ifindex,
            name: CString::default(),
            stats: None,
            megaflow_stats: None,
            features: Features::default(),
            masks_cache_size: None,
            per_cpu_pids: Vec::new(),
            other: Vec::new(),
        };
        for attr in attrs {
            let attr = attr?;
            match DatapathAttr::decode(&attr)? {
                DatapathAttr::Name(it) => name = Some(it),
                DatapathAttr::Stats(it) => datapath.stats = Some(it),
                DatapathAttr::MegaflowStats(it) => datapath.megaflow_stats = Some(it),
                DatapathAttr::UserFeatures(it) => datapath.features = it,
                DatapathAttr::MasksCacheSize(it) => datapath.masks_cache_size = Some(it),
                DatapathAttr::PerCpuPids(it) => datapath.per_cpu_pids = it,
                DatapathAttr::Pad(()) => {}
                DatapathAttr::UpcallPid(_) | DatapathAttr::Ifindex(_) | DatapathAttr::Unknown(_) => {
                    datapath.other.push(attr.into());
                }
            }
        }
        let missing = DecodeError::Missing {
            offset: message.offset(),
            kind: ATTR_NAME,
        };
        Ok(Self {
            name: name.ok_or(missing)?,
            ..datapath
        })
    }

    /// Who takes the packets without a flow.
    pub fn dispatch(&self) -> Dispatch {
        if self.features.contains(Features::DISPATCH_UPCALL_PER_CPU) {
            Dispatch::PerCpu
        } else {
            Dispatch::PerVport
        }
    }
}

/// `OVS_DP_ATTR_USER_FEATURES`, 32 bits. Unknown bits are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Features(pub u32);

impl Features {
    /// `OVS_DP_F_UNALIGNED`: the last attribute of a packet sent to user space may lack its padding.
    pub const UNALIGNED: Self = Self(0x1);
    /// `OVS_DP_F_VPORT_PIDS`: a port may have several netlink ports.
    pub const VPORT_PIDS: Self = Self(0x2);
    /// `OVS_DP_F_TC_RECIRC_SHARING`: recirculation works across hardware offload.
    pub const TC_RECIRC_SHARING: Self = Self(0x4);
    /// `OVS_DP_F_DISPATCH_UPCALL_PER_CPU`: see [`Dispatch::PerCpu`]. Since Linux 5.15.
    pub const DISPATCH_UPCALL_PER_CPU: Self = Self(0x8);

    /// Whether all bits of `other` are set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Which netlink port takes a packet without a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Dispatch {
    /// One of the port where it came in, [`Vport::upcall_pids`](super::vport::Vport::upcall_pids).
    PerVport,
    /// That of the CPU where it came in, [`Datapath::per_cpu_pids`]. If the list is empty, all are lost.
    PerCpu,
}

/// Counters of packets, `struct ovs_dp_stats`: four u64 in host byte order, in the order of the fields, 32 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Stats {
    /// Packets that met a flow.
    pub hit: u64,
    /// Packets without one, which went to user space.
    pub missed: u64,
    /// Packets that should have gone to user space and were lost.
    pub lost: u64,
    /// Flows now, not a counter.
    pub flows: u64,
}

record! {
    Stats {
        hit: u64,
        missed: u64,
        lost: u64,
        flows: u64,
    }
}

/// Counters of lookups, `struct ovs_dp_megaflow_stats`, 32 bytes in host byte order: `u64 n_mask_hit; u32 n_masks;
/// u32 pad0; u64 n_cache_hit; u64 pad1`. The pads are read as
/// anything and written as zeros.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct MegaflowStats {
    /// Masks that were tried.
    pub mask_hit: u64,
    /// Masks now, not a counter.
    pub masks: u32,
    /// Lookups that the cache of masks answered.
    pub cache_hit: u64,
}

impl Payload for MegaflowStats {
    fn decode(attr: &Attr<'_>) -> Result<Self, nlattr::DecodeError> {
        let Padded {
            mask_hit,
            masks,
            cache_hit,
            ..
        } = Padded::decode(attr)?;
        Ok(Self {
            mask_hit,
            masks,
            cache_hit,
        })
    }

    fn encode<S: Sink>(&self, kind: u16, sink: &mut S) -> Result<(), nlattr::EncodeError> {
        let padded = Padded {
            mask_hit: self.mask_hit,
            masks: self.masks,
            pad0: 0,
            cache_hit: self.cache_hit,
            pad1: 0,
        };
        padded.encode(kind, sink)
    }
}

/// [`MegaflowStats`] as it stands there.
struct Padded {
    mask_hit: u64,
    masks: u32,
    pad0: u32,
    cache_hit: u64,
    pad1: u64,
}

record! {
    Padded {
        mask_hit: u64,
        masks: u32,
        pad0: u32,
        cache_hit: u64,
        pad1: u64,
    }
}

impl Payload for Features {
    fn decode(attr: &Attr<'_>) -> Result<Self, nlattr::DecodeError> {
        attr.u32().map(Self)
    }

    fn encode<S: Sink>(&self, kind: u16, sink: &mut S) -> Result<(), nlattr::EncodeError> {
        sink.attr_u32(kind, self.0)
    }
}

const ATTR_NAME: u16 = 1;
