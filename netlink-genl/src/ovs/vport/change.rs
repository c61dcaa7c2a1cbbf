//! Requests that make, change and delete ports.

use alloc::borrow::ToOwned;
use alloc::ffi::CString;
use alloc::vec;
use alloc::vec::Vec;
use core::ffi::CStr;

use super::{ABSENT, ATTR_NAME, ATTR_PORT_NO, ATTR_TYPE, Kind, Options, VERSION, VportAttr};
use crate::message::{EncodeError, Errno, Flags, Request};
use crate::ovs::{self, Command, DpIfindex};

/// A port that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewVport {
    /// The datapath that shall have it.
    pub datapath: DpIfindex,
    /// What is behind it.
    pub kind: Kind,
    /// Its name, 15 bytes at most; of a [`Kind::NETDEV`] that of its device.
    pub name: CString,
    /// Who takes its packets without a flow.
    pub upcall: Upcall,
    /// The number that it shall have; `None` for the lowest that is free.
    pub port_no: Option<u32>,
    /// Options of a tunnel.
    pub options: Option<Options>,
    /// The interface index that the device of a [`Kind::INTERNAL`] shall have. Since Linux 6.1; `EOPNOTSUPP` for other
    /// kinds.
    pub ifindex: Option<u32>,
}

/// Who takes the packets of a port that have no flow. The kernel takes no new port without an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upcall {
    /// Nobody: they are dropped.
    Drop,
    /// The sockets with these netlink ports: one, or as many as there are CPUs at most with
    /// [`Features::VPORT_PIDS`](crate::ovs::datapath::Features::VPORT_PIDS).
    Ports(Vec<u32>),
}

impl NewVport {
    /// A port with a device that the datapath makes.
    pub fn internal(datapath: DpIfindex, name: &CStr, upcall: Upcall) -> Self {
        Self::new(datapath, Kind::INTERNAL, name, upcall)
    }

    /// A port with the device called `name`.
    pub fn netdev(datapath: DpIfindex, name: &CStr, upcall: Upcall) -> Self {
        Self::new(datapath, Kind::NETDEV, name, upcall)
    }

    /// A VXLAN port, as Open vSwitch made them before 2.8, that listens on UDP port `dst_port`.
    pub fn vxlan(datapath: DpIfindex, name: &CStr, dst_port: u16, upcall: Upcall) -> Self {
        Self::new(datapath, Kind::VXLAN, name, upcall).listening(dst_port)
    }

    /// A Geneve port, as Open vSwitch made them before 2.8, that listens on UDP port `dst_port`.
    pub fn geneve(datapath: DpIfindex, name: &CStr, dst_port: u16, upcall: Upcall) -> Self {
        Self::new(datapath, Kind::GENEVE, name, upcall).listening(dst_port)
    }

    fn new(datapath: DpIfindex, kind: Kind, name: &CStr, upcall: Upcall) -> Self {
        Self {
            datapath,
            kind,
            name: name.to_owned(),
            upcall,
            port_no: None,
            options: None,
            ifindex: None,
        }
    }

    fn listening(self, dst_port: u16) -> Self {
        let options = Options {
            dst_port: Some(dst_port),
            ..Options::default()
        };
        Self {
            options: Some(options),
            ..self
        }
    }
}

impl Upcall {
    fn attr(&self) -> VportAttr {
        VportAttr::UpcallPid(match self {
            Self::Drop => vec![0],
            Self::Ports(ports) => ports.clone(),
        })
    }
}

/// A request to make a port, answered with the port as the kernel made it.
///
/// # Errors
/// [`EncodeError::Attr`] if an attribute is too big.
pub fn add(family: u16, port: &NewVport) -> Result<Request, EncodeError> {
    let mut attrs = vec![
        VportAttr::Type(port.kind),
        VportAttr::Name(port.name.clone()),
        port.upcall.attr(),
    ];
    attrs.extend(port.port_no.map(VportAttr::PortNo));
    attrs.extend(port.options.clone().map(VportAttr::Options));
    attrs.extend(port.ifindex.map(VportAttr::Ifindex));
    let request = change(family, port.datapath, Command::NEW, attrs)?;
    Ok(request.suspecting(match (port.kind, port.port_no) {
        (Kind::NETDEV, Some(_)) => &TAKEN_DEVICE,
        (Kind::NETDEV, None) => &BUSY_DEVICE,
        _ => &TAKEN,
    }))
}

/// A request to change who takes the packets of a port that have no flow, answered with the port.
///
/// # Errors
/// As [`add`].
pub fn set_upcall(family: u16, dp: DpIfindex, port_no: u32, upcall: &Upcall) -> Result<Request, EncodeError> {
    let attrs = vec![VportAttr::PortNo(port_no), upcall.attr()];
    Ok(change(family, dp, Command::SET, attrs)?.suspecting(&ABSENT))
}

/// A request to delete a port, answered with what it was.
///
/// # Errors
/// None: see [`get`](super::get).
pub fn delete(family: u16, dp: DpIfindex, port_no: u32) -> Result<Request, EncodeError> {
    Ok(change(family, dp, Command::DEL, vec![VportAttr::PortNo(port_no)])?.suspecting(&ABSENT))
}

/// The kernel answers with the object only if it is asked to.
fn change(
    family: u16,
    datapath: DpIfindex,
    command: Command,
    attrs: Vec<VportAttr>,
) -> Result<Request, EncodeError> {
    let request = ovs::change(family, VERSION, datapath, command.0, attrs)?;
    Ok(request.with(Flags::ECHO))
}

/// What an error is about that refuses a new port.
const TAKEN: [(Errno, u16); 4] = [
    (Errno::EEXIST, ATTR_NAME),
    (Errno::EBUSY, ATTR_PORT_NO),
    (Errno::EFBIG, ATTR_PORT_NO),
    (Errno::EAFNOSUPPORT, ATTR_TYPE),
];
/// The same if it is to have a device that is there already. A device that has another master is `EBUSY`, as is a number
/// that is taken.
const TAKEN_DEVICE: [(Errno, u16); 3] = [
    (Errno::EEXIST, ATTR_NAME),
    (Errno::ENODEV, ATTR_NAME),
    (Errno::EFBIG, ATTR_PORT_NO),
];
/// The same if no number is asked for.
const BUSY_DEVICE: [(Errno, u16); 4] = [
    (Errno::EBUSY, ATTR_NAME),
    TAKEN_DEVICE[0],
    TAKEN_DEVICE[1],
    TAKEN_DEVICE[2],
];
