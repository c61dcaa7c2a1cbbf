//! `ovs_vport`: the ports of a datapath.
//!
//! Source: `linux/openvswitch.h` (`enum ovs_vport_attr`); the rules are those of `net/openvswitch/datapath.c`.
//!
//! ```
//! use netlink_genl::message::{Messages, Request};
//! use netlink_genl::nlattr::Sink;
//! use netlink_genl::ovs::vport::{Kind, Vport};
//!
//! // What the kernel would answer.
//! let answer = Request::genl(0x21, 1, 1, &9i32.to_ne_bytes()).attrs(|s| {
//!     s.attr_u32(1, 2)?;
//!     s.attr_u32(2, Kind::INTERNAL.0)?;
//!     s.attr(3, b"int0\0")
//! })?;
//! let mut datagram = Vec::new();
//! answer.encode(7, &mut datagram)?;
//!
//! let message = Messages::new(&datagram).next().unwrap()?;
//! let port = Vport::decode(&message)?;
//! assert_eq!((port.port_no, port.kind, port.name.as_c_str()), (2, Kind::INTERNAL, c"int0"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod borrowed;
mod change;
mod options;

use alloc::ffi::CString;
use alloc::vec::Vec;
use core::ffi::CStr;

pub use self::borrowed::VportRef;
pub use self::change::{NewVport, Upcall, add, delete, set_upcall};
pub use self::options::{Extensions, Options};

use super::table::{Payload, encode_raw};
use super::{Attribute, DpIfindex};
use crate::message::{DecodeError, EncodeError, Errno, Message, Request};
use crate::nlattr::{self, Attr, RawAttr, Sink};

/// Name of the family, and of its multicast group.
pub const FAMILY: &CStr = c"ovs_vport";

/// `OVS_VPORT_VERSION`.
pub const VERSION: u8 = 1;

/// A request for every port of datapath `dp`. `family` is the number of [`FAMILY`].
///
/// The kernel answers `ENODEV`, inside the message that ends the dump, if there is no such datapath.
pub fn dump(family: u16, dp: DpIfindex) -> Request {
    super::dump::<VportAttr>(family, VERSION, dp)
}

/// A request for the port with number `port_no` of datapath `dp`; `ENODEV` if there is none.
///
/// # Errors
/// None: an [`EncodeError`] is for attributes that are too big, and this one is not.
pub fn get(family: u16, dp: DpIfindex, port_no: u32) -> Result<Request, EncodeError> {
    let request = super::get::<VportAttr>(family, VERSION, dp).suspecting(&ABSENT);
    Ok(request.attrs(|s| s.attr_u32(ATTR_PORT_NO, port_no))?)
}

/// A request for the port called `name`, of whichever datapath of the network namespace; `ENODEV` if there is none.
///
/// # Errors
/// [`EncodeError::Attr`] if the name exceeds an attribute. (The kernel takes 15 bytes.)
pub fn get_by_name(family: u16, name: &CStr) -> Result<Request, EncodeError> {
    let request = super::get::<VportAttr>(family, VERSION, DpIfindex(0)).suspecting(&ABSENT);
    Ok(request.attrs(|s| s.attr(ATTR_NAME, name.to_bytes_with_nul()))?)
}

numbers! {
    /// `OVS_VPORT_ATTR_TYPE`, u32: what is behind a port.
    ///
    /// Since Open vSwitch 2.8 tunnels are devices of their own (`vxlan_sys_4789`) under ports of kind `NETDEV`; the
    /// tunnel kinds are what older releases make.
    pub struct Kind(u32);
    /// `OVS_VPORT_TYPE_NETDEV`: a network device.
    NETDEV = 1 "netdev",
    /// `OVS_VPORT_TYPE_INTERNAL`: a device that the datapath made.
    INTERNAL = 2 "internal",
    /// `OVS_VPORT_TYPE_GRE`.
    GRE = 3 "gre",
    /// `OVS_VPORT_TYPE_VXLAN`.
    VXLAN = 4 "vxlan",
    /// `OVS_VPORT_TYPE_GENEVE`.
    GENEVE = 5 "geneve",
}

attributes! {
    /// `enum ovs_vport_attr`. All numbers are in host byte order.
    pub enum VportAttr "OVS_VPORT_ATTR_" {
        /// The port number; of a new port the one that it shall have.
        1 PortNo(u32) "PORT_NO",
        /// What is behind the port.
        2 Type(Kind) "TYPE",
        /// String with NUL, 16 bytes at most: the name.
        3 Name(CString) "NAME",
        /// Options of a tunnel.
        4 Options(Options) "OPTIONS",
        /// Netlink ports that take packets without a flow.
        5 UpcallPid(Vec<u32>) "UPCALL_PID",
        /// Counters of packets and bytes, 64 bytes that are aligned to 4 only.
        6 Stats(Stats) "STATS",
        /// Nothing, to align what follows.
        7 Pad(()) "PAD",
        /// Interface index of the device.
        8 Ifindex(u32) "IFINDEX",
        /// The namespace of the device.
        9 Netnsid(i32) "NETNSID",
        /// Counters of upcalls. Since Linux 6.5.
        10 UpcallStats(UpcallStats) "UPCALL_STATS",
    }
}

/// A port.
///
/// Of an attribute that comes twice, the last counts, as in the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Vport {
    /// `dp_ifindex` of the header: the datapath that has the port.
    pub datapath: DpIfindex,
    /// The port number, 0 for the local port.
    pub port_no: u32,
    /// What is behind the port.
    pub kind: Kind,
    /// The name of its device, or of the tunnel. The kernel requires no encoding.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::text"))]
    pub name: CString,
    /// Options of a tunnel; other kinds have none.
    pub options: Option<Options>,
    /// Netlink ports that take packets without a flow: one, or with `OVS_DP_F_VPORT_PIDS` several. 0 drops them.
    pub upcall_pids: Vec<u32>,
    /// Counters of packets and bytes.
    pub stats: Option<Stats>,
    /// Interface index of the device in the namespace where it is now.
    pub ifindex: Option<u32>,
    /// The namespace of the device as a number of the socket's namespace, if it is in another one. Negative if the
    /// kernel could not give it a number.
    pub netnsid: Option<i32>,
    /// Counters of upcalls. Linux 6.1 has none, 6.12 has.
    pub upcall_stats: Option<UpcallStats>,
    /// Attributes that are not known here, byte for byte and in their order.
    pub other: Vec<RawAttr>,
}

impl Vport {
    /// Reads a port from an answer or a notification of the family.
    ///
    /// # Errors
    /// [`DecodeError::Missing`] without a number, kind or name; [`DecodeError::Attr`] for a bad attribute;
    /// [`DecodeError::Short`] if the headers do not fit.
    pub fn decode(message: &Message<'_>) -> Result<Self, DecodeError> {
        let (datapath, attrs) = super::split(message)?;
        let (mut port_no, mut kind, mut name) = (None, None, None);
        let mut port = Self {
            datapath,
            port_no: 0,
            kind: Kind(0),
            name: CString::default(),
            options: None,
            upcall_pids: Vec::new(),
            stats: None,
            ifindex: None,
            netnsid: None,
            upcall_stats: None,
            other: Vec::new(),
        };
        for attr in attrs {
            match VportAttr::decode(&attr?)? {
                VportAttr::PortNo(it) => port_no = Some(it),
                VportAttr::Type(it) => kind = Some(it),
                VportAttr::Name(it) => name = Some(it),
                VportAttr::Options(it) => port.options = Some(it),
                VportAttr::UpcallPid(it) => port.upcall_pids = it,
                VportAttr::Stats(it) => port.stats = Some(it),
                VportAttr::Pad(()) => {}
                VportAttr::Ifindex(it) => port.ifindex = Some(it),
                VportAttr::Netnsid(it) => port.netnsid = Some(it),
                VportAttr::UpcallStats(it) => port.upcall_stats = Some(it),
                VportAttr::Unknown(it) => port.other.push(it),
            }
        }
        let missing = |kind| DecodeError::Missing {
            offset: message.offset(),
            kind,
        };
        Ok(Self {
            port_no: port_no.ok_or(missing(ATTR_PORT_NO))?,
            kind: kind.ok_or(missing(ATTR_TYPE))?,
            name: name.ok_or(missing(ATTR_NAME))?,
            ..port
        })
    }

    /// Whether `other` differs in counters at most.
    pub fn is_like(&self, other: &Self) -> bool {
        let Self {
            datapath,
            port_no,
            kind,
            name,
            options,
            upcall_pids,
            stats: _,
            ifindex,
            netnsid,
            upcall_stats: _,
            other: unknown,
        } = self;
        *datapath == other.datapath
            && *port_no == other.port_no
            && *kind == other.kind
            && *name == other.name
            && *options == other.options
            && *upcall_pids == other.upcall_pids
            && *ifindex == other.ifindex
            && *netnsid == other.netnsid
            && *unknown == other.other
    }
}

/// Counters of a port, `struct ovs_vport_stats`: eight u64 in host byte order, in the order of the fields, 64 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Stats {
    /// Packets received.
    pub rx_packets: u64,
    /// Packets sent.
    pub tx_packets: u64,
    /// Bytes received.
    pub rx_bytes: u64,
    /// Bytes sent.
    pub tx_bytes: u64,
    /// Bad packets received.
    pub rx_errors: u64,
    /// Packets that could not be sent.
    pub tx_errors: u64,
    /// Received packets dropped for want of buffers.
    pub rx_dropped: u64,
    /// Packets to send dropped for want of buffers.
    pub tx_dropped: u64,
}

record! {
    Stats {
        rx_packets: u64,
        tx_packets: u64,
        rx_bytes: u64,
        tx_bytes: u64,
        rx_errors: u64,
        tx_errors: u64,
        rx_dropped: u64,
        tx_dropped: u64,
    }
}

impl Payload for Kind {
    fn decode(attr: &Attr<'_>) -> Result<Self, nlattr::DecodeError> {
        attr.u32().map(Self)
    }

    fn encode<S: Sink>(&self, kind: u16, sink: &mut S) -> Result<(), nlattr::EncodeError> {
        sink.attr_u32(kind, self.0)
    }
}

/// Counters of the upcalls of a port, `OVS_VPORT_UPCALL_ATTR_*`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct UpcallStats {
    /// `SUCCESS` (0), u64: packets that were handed to user space.
    pub success: u64,
    /// `FAIL` (1), u64: packets that were lost on the way.
    pub fail: u64,
    /// Attributes that are not known here.
    pub other: Vec<RawAttr>,
}

impl Payload for UpcallStats {
    fn decode(nest: &Attr<'_>) -> Result<Self, nlattr::DecodeError> {
        let mut stats = Self::default();
        for attr in nest.attrs() {
            let attr = attr?;
            match attr.kind() {
                UPCALL_SUCCESS => stats.success = attr.u64()?,
                UPCALL_FAIL => stats.fail = attr.u64()?,
                _ => stats.other.push(attr.into()),
            }
        }
        Ok(stats)
    }

    fn encode<S: Sink>(&self, kind: u16, sink: &mut S) -> Result<(), nlattr::EncodeError> {
        sink.nest(kind, |s| {
            s.attr_u64(UPCALL_SUCCESS, self.success)?;
            s.attr_u64(UPCALL_FAIL, self.fail)?;
            encode_raw(&self.other, s)
        })
    }
}

// enum ovs_vport_attr
const ATTR_PORT_NO: u16 = 1;
const ATTR_TYPE: u16 = 2;
const ATTR_NAME: u16 = 3;
const ATTR_UPCALL_PID: u16 = 5;
const ATTR_STATS: u16 = 6;
const ATTR_IFINDEX: u16 = 8;
const ATTR_NETNSID: u16 = 9;

/// What an error is about that looks a port up.
const ABSENT: [(Errno, u16); 3] = [
    (Errno::ENODEV, ATTR_NAME),
    (Errno::ENODEV, ATTR_PORT_NO),
    (Errno::EFBIG, ATTR_PORT_NO),
];

// enum ovs_vport_upcall_attr
const UPCALL_SUCCESS: u16 = 0;
const UPCALL_FAIL: u16 = 1;
