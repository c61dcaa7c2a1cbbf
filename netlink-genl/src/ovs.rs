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

#[macro_use]
mod table;

mod batch;
pub mod ct_limit;
pub mod datapath;
pub mod flow;
pub mod meter;
pub mod packet;
pub mod vport;

use alloc::vec::Vec;
use core::fmt;

pub use self::batch::Batch;

use crate::message::{DecodeError, EncodeError, Flags, Message, Request};
use crate::nlattr::{self, Attr, Attrs, Sink};

/// Identifies a datapath: the interface index of its local port in the network namespace that made it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
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

/// An attribute of a family, one of the tables `VportAttr`, `FlowAttr` and so on.
///
/// What was read is written back as it was, except that the bits [`NESTED`](nlattr::NESTED) and
/// [`NET_BYTEORDER`](nlattr::NET_BYTEORDER) of known attributes are left out, of which these families use neither.
pub trait Attribute: Sized {
    /// Reads an attribute; one that is not known is kept raw.
    ///
    /// # Errors
    /// As the methods of [`Attr`], if the payload is not what the attribute has.
    fn decode(attr: &Attr<'_>) -> Result<Self, nlattr::DecodeError>;

    /// Appends the attribute.
    ///
    /// # Errors
    /// As [`Sink::attr`].
    fn encode<S: Sink>(&self, sink: &mut S) -> Result<(), nlattr::EncodeError>;

    /// The name that `linux/openvswitch.h` gives the attribute with this number.
    fn name(number: u16) -> Option<&'static str>;

    /// The name of an attribute that may stand in others: its number behind theirs, from the outermost on.
    fn name_at(path: &[u16]) -> Option<&'static str>;
}

/// A message of one of the families, attribute by attribute: a request, an answer or a notification.
///
/// It keeps the order of attributes, and those that come twice.
///
/// ```
/// use netlink_genl::message::{Flags, Messages};
/// use netlink_genl::ovs::vport::VportAttr;
/// use netlink_genl::ovs::{Command, DpIfindex, Object};
///
/// let request = Object {
///     datapath: DpIfindex(9),
///     command: Command::DEL.0,
///     version: 1,
///     attrs: vec![VportAttr::PortNo(2)],
/// };
/// let mut datagram = Vec::new();
/// request.request(0x21, Flags::ACK)?.encode(1, &mut datagram)?;
/// let message = Messages::new(&datagram).next().unwrap()?;
/// assert_eq!(Object::<VportAttr>::decode(&message)?, request);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object<A> {
    /// `dp_ifindex` of the header.
    pub datapath: DpIfindex,
    /// The command, one of the family's. [`Command`] has those of datapaths, ports and flows.
    pub command: u8,
    /// The version of the family.
    pub version: u8,
    /// The attributes.
    pub attrs: Vec<A>,
}

impl<A: Attribute> Object<A> {
    /// Reads a message of the family that has the attributes `A`.
    ///
    /// # Errors
    /// [`DecodeError::Attr`] for a bad attribute; [`DecodeError::Short`] if the headers do not fit.
    pub fn decode(message: &Message<'_>) -> Result<Self, DecodeError> {
        let (datapath, attrs) = split(message)?;
        let genl = message.genl()?;
        Ok(Self {
            datapath,
            command: genl.cmd(),
            version: genl.version(),
            attrs: attrs.map(|attr| A::decode(&attr?)).collect::<Result<_, _>>()?,
        })
    }

    /// The message as a request to the family with number `family`.
    ///
    /// # Errors
    /// [`EncodeError::Attr`] if an attribute is too big.
    pub fn request(&self, family: u16, flags: Flags) -> Result<Request, EncodeError> {
        let request = Request::genl(family, self.command, self.version, &self.datapath.0.to_ne_bytes());
        let write = |s: &mut Vec<u8>| self.attrs.iter().try_for_each(|attr| attr.encode(s));
        Ok(request.with(flags).naming(A::name_at).attrs(write)?)
    }
}

/// A request for every object of a family, under datapath `dp`.
fn dump<A: Attribute>(family: u16, version: u8, dp: DpIfindex) -> Request {
    get::<A>(family, version, dp).with(Flags::DUMP)
}

/// A request for the object of a family that the attributes still to come select.
fn get<A: Attribute>(family: u16, version: u8, dp: DpIfindex) -> Request {
    Request::genl(family, Command::GET.0, version, &dp.0.to_ne_bytes()).naming(A::name_at)
}

/// A request to do `command`, one of the family's, to the object that the attributes say.
fn change<A: Attribute>(
    family: u16,
    version: u8,
    datapath: DpIfindex,
    command: u8,
    attrs: Vec<A>,
) -> Result<Request, EncodeError> {
    let object = Object {
        datapath,
        command,
        version,
        attrs,
    };
    object.request(family, Flags::default())
}

/// The header of the family and the attributes of an object.
fn split<'a>(message: &Message<'a>) -> Result<(DpIfindex, Attrs<'a>), DecodeError> {
    let (dp, attrs) = message.genl()?.split_header()?;
    Ok((DpIfindex(i32::from_ne_bytes(dp)), attrs))
}
