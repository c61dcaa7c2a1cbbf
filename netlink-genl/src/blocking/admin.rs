//! Changing datapaths, ports and flows.

use alloc::borrow::ToOwned;
use alloc::ffi::CString;
use alloc::vec;
use alloc::vec::Vec;
use core::ffi::CStr;

use super::{Connection, Decode};
use crate::Error;
use crate::ctrl::Family;
use crate::message::Flags;
use crate::ovs::datapath::{self, Datapath, DatapathAttr, Features};
use crate::ovs::flow::{self, FlowAttr};
use crate::ovs::packet::{self, PacketAttr};
use crate::ovs::vport::{self, Kind, Options, Vport, VportAttr};
use crate::ovs::{Attribute, Command, DpIfindex, Object};
use crate::socket;

/// Makes, changes and deletes datapaths, ports and flows, and sends packets. It needs `CAP_NET_ADMIN`.
///
/// `ovs-vswitchd` owns the datapaths that it made, and takes away what others put there.
///
/// ```no_run
/// use netlink_genl::blocking::{Admin, NewVport, Upcall};
/// use netlink_genl::ovs::datapath::Features;
///
/// let mut admin = Admin::open()?;
/// let datapath = admin.add_datapath(c"dp0", Features::default(), 0)?;
/// let port = admin.add_vport(&NewVport::internal(datapath.ifindex, c"int0", Upcall::Drop))?;
/// println!("port {}", port.port_no);
/// admin.delete_vport(datapath.ifindex, port.port_no)?;
/// # Ok::<(), netlink_genl::Error>(())
/// ```
#[derive(Debug)]
pub struct Admin {
    connection: Connection,
    vport: Family,
    datapath: Family,
    flow: Family,
    packet: Family,
}

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
    /// [`Features::VPORT_PIDS`].
    Ports(Vec<u32>),
}

/// A flow that is to be made. Key, mask and actions are attributes, as the crate `odp-actions` writes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFlow {
    /// The datapath that shall have it.
    pub datapath: DpIfindex,
    /// What a packet has.
    pub key: Vec<u8>,
    /// Which bits of the key count; `None` for all.
    pub mask: Option<Vec<u8>>,
    /// What is done with a packet; empty to drop it.
    pub actions: Vec<u8>,
    /// Its identifier, 1 to 16 bytes. A flow with one is looked up by that alone.
    pub ufid: Option<Vec<u8>>,
}

/// What can be changed about a datapath.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Its features.
    pub features: Features,
    /// Entries of its cache of masks, per CPU.
    pub masks_cache_size: Option<u32>,
    /// Netlink ports, one for each CPU. Only for [`Features::DISPATCH_UPCALL_PER_CPU`], and then all packets without a
    /// flow are lost unless there are some.
    pub per_cpu_pids: Vec<u32>,
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

    fn attrs(&self) -> Vec<VportAttr> {
        let mut attrs = vec![
            VportAttr::Type(self.kind),
            VportAttr::Name(self.name.clone()),
            self.upcall.attr(),
        ];
        attrs.extend(self.port_no.map(VportAttr::PortNo));
        attrs.extend(self.options.clone().map(VportAttr::Options));
        attrs.extend(self.ifindex.map(VportAttr::Ifindex));
        attrs
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

impl Admin {
    /// Opens a socket and looks the families up.
    ///
    /// # Errors
    /// As [`Ovs::open`](super::Ovs::open).
    pub fn open() -> Result<Self, Error> {
        Self::with_options(&socket::Options::default())
    }

    /// As [`Admin::open`], with a socket of one's own choice.
    ///
    /// # Errors
    /// As [`Admin::open`].
    pub fn with_options(options: &socket::Options) -> Result<Self, Error> {
        let mut connection = Connection::with_options(options)?;
        Ok(Self {
            vport: connection.family(vport::FAMILY)?,
            datapath: connection.family(datapath::FAMILY)?,
            flow: connection.family(flow::FAMILY)?,
            packet: connection.family(packet::FAMILY)?,
            connection,
        })
    }

    /// Makes a port, and returns it as the kernel made it.
    ///
    /// # Errors
    /// [`Error::Kernel`]: `EPERM`; `EEXIST` if the name is taken or the device is a port already; `EBUSY` if the number
    /// is taken; `ENODEV` without such a datapath or device; `EINVAL` for a wrong name, kind or upcall port; `EFBIG`
    /// if no number is left. Otherwise as [`Connection::reply`].
    pub fn add_vport(&mut self, port: &NewVport) -> Result<Vport, Error> {
        self.vport(port.datapath, Command::NEW, port.attrs())
    }

    /// Changes who takes the packets of a port that have no flow.
    ///
    /// # Errors
    /// [`Error::Kernel`]: `EPERM`; `ENODEV` without such a port; `EINVAL` for no or too many ports. Otherwise as
    /// [`Connection::reply`].
    pub fn set_upcall(&mut self, datapath: DpIfindex, port_no: u32, upcall: &Upcall) -> Result<Vport, Error> {
        let attrs = vec![VportAttr::PortNo(port_no), upcall.attr()];
        self.vport(datapath, Command::SET, attrs)
    }

    /// Deletes a port, and returns what it was.
    ///
    /// # Errors
    /// [`Error::Kernel`]: `EPERM`; `ENODEV` without such a port; `EINVAL` for the local port. Otherwise as
    /// [`Connection::reply`].
    pub fn delete_vport(&mut self, datapath: DpIfindex, port_no: u32) -> Result<Vport, Error> {
        self.vport(datapath, Command::DEL, vec![VportAttr::PortNo(port_no)])
    }

    /// Makes a datapath with its local port, whose packets without a flow go to the netlink port `upcall_pid`, 0 for
    /// none.
    ///
    /// # Errors
    /// [`Error::Kernel`]: `EPERM`; `EEXIST` if the name is taken; `EOPNOTSUPP` for a feature that the kernel lacks;
    /// `EINVAL` for a wrong name. Otherwise as [`Connection::reply`].
    pub fn add_datapath(
        &mut self,
        name: &CStr,
        features: Features,
        upcall_pid: u32,
    ) -> Result<Datapath, Error> {
        let attrs = vec![
            DatapathAttr::Name(name.to_owned()),
            DatapathAttr::UpcallPid(upcall_pid),
            DatapathAttr::UserFeatures(features),
        ];
        self.datapath(DpIfindex(0), Command::NEW, attrs)
    }

    /// Changes a datapath: reads what it is, lets `change` change it, and writes it back.
    ///
    /// The kernel turns off every feature that such a request does not name. Two that do this at the same time can undo
    /// each other's change.
    ///
    /// # Errors
    /// [`Error::Kernel`]: `EPERM`; `ENODEV` without such a datapath; `EOPNOTSUPP` for a feature that the kernel lacks;
    /// `ERANGE` for a cache that is too big. Otherwise as [`Connection::reply`].
    pub fn set_datapath(
        &mut self,
        datapath: DpIfindex,
        change: impl FnOnce(&mut Settings),
    ) -> Result<Datapath, Error> {
        let request = datapath::get(self.datapath.id, datapath);
        let current = self.connection.reply(&request, Datapath::decode)?;
        let mut settings = Settings {
            features: current.features,
            masks_cache_size: current.masks_cache_size,
            per_cpu_pids: current.per_cpu_pids,
        };
        change(&mut settings);
        let mut attrs = vec![DatapathAttr::UserFeatures(settings.features)];
        if settings.masks_cache_size != current.masks_cache_size {
            attrs.extend(settings.masks_cache_size.map(DatapathAttr::MasksCacheSize));
        }
        if settings.features.contains(Features::DISPATCH_UPCALL_PER_CPU) && !settings.per_cpu_pids.is_empty()
        {
            attrs.push(DatapathAttr::PerCpuPids(settings.per_cpu_pids));
        }
        self.datapath(datapath, Command::SET, attrs)
    }

    /// Deletes a datapath with its ports and flows, and returns what it was.
    ///
    /// # Errors
    /// [`Error::Kernel`]: `EPERM`; `ENODEV` without such a datapath. Otherwise as [`Connection::reply`].
    pub fn delete_datapath(&mut self, datapath: DpIfindex) -> Result<Datapath, Error> {
        self.datapath(datapath, Command::DEL, vec![])
    }

    /// Makes a flow.
    ///
    /// # Errors
    /// [`Error::Kernel`]: `EPERM`; `EEXIST` if there is one with this key; `EINVAL` for a wrong key or action, the reason
    /// of which is in the kernel's log only; `ENODEV` without such a datapath. [`Error::Encode`] if key, mask or actions
    /// exceed an attribute. Otherwise as [`Connection::acknowledged`].
    pub fn add_flow(&mut self, flow: &NewFlow) -> Result<(), Error> {
        self.flow(flow, Flags::CREATE)
    }

    /// Makes a flow, or gives the one with the same key these actions.
    ///
    /// # Errors
    /// As [`Admin::add_flow`], except `EEXIST`.
    pub fn put_flow(&mut self, flow: &NewFlow) -> Result<(), Error> {
        self.flow(flow, Flags::default())
    }

    /// Deletes the flow with this identifier.
    ///
    /// # Errors
    /// [`Error::Kernel`]: `EPERM`; `ENOENT` without such a flow; `ENODEV` without such a datapath. Otherwise as
    /// [`Connection::acknowledged`].
    pub fn delete_flow(&mut self, datapath: DpIfindex, ufid: &[u8]) -> Result<(), Error> {
        self.delete_flows(datapath, vec![FlowAttr::Ufid(ufid.to_vec())])
    }

    /// Deletes the flow with this key, which was made without an identifier.
    ///
    /// # Errors
    /// As [`Admin::delete_flow`].
    pub fn delete_flow_by_key(&mut self, datapath: DpIfindex, key: &[u8]) -> Result<(), Error> {
        self.delete_flows(datapath, vec![FlowAttr::Key(key.to_vec())])
    }

    /// Deletes all flows of a datapath.
    ///
    /// # Errors
    /// [`Error::Kernel`]: `EPERM`; `ENODEV` without such a datapath. Otherwise as [`Connection::acknowledged`].
    pub fn flush_flows(&mut self, datapath: DpIfindex) -> Result<(), Error> {
        self.delete_flows(datapath, vec![])
    }

    /// Applies `actions` to a packet, which begins with its Ethernet header. `key` says what the packet does not, the
    /// port where it came in for one; it may be empty.
    ///
    /// # Errors
    /// [`Error::Kernel`]: `EPERM`; `EINVAL` for a wrong packet, key or action; `ENODEV` without such a datapath.
    /// [`Error::Encode`] if one of them exceeds an attribute. Otherwise as [`Connection::acknowledged`].
    pub fn execute(
        &mut self,
        datapath: DpIfindex,
        packet: &[u8],
        key: &[u8],
        actions: &[u8],
    ) -> Result<(), Error> {
        let object = Object {
            datapath,
            command: CMD_EXECUTE,
            version: packet::VERSION,
            attrs: vec![
                PacketAttr::Packet(packet.to_vec()),
                PacketAttr::Key(key.to_vec()),
                PacketAttr::Actions(actions.to_vec()),
            ],
        };
        let request = object.request(self.packet.id, Flags::ACK)?;
        self.connection.acknowledged(&request)
    }

    fn flow(&mut self, flow: &NewFlow, flags: Flags) -> Result<(), Error> {
        let mut attrs = vec![];
        attrs.extend(flow.ufid.clone().map(FlowAttr::Ufid));
        attrs.push(FlowAttr::Key(flow.key.clone()));
        attrs.extend(flow.mask.clone().map(FlowAttr::Mask));
        attrs.push(FlowAttr::Actions(flow.actions.clone()));
        let object = Object {
            datapath: flow.datapath,
            command: Command::NEW.0,
            version: flow::VERSION,
            attrs,
        };
        let request = object.request(self.flow.id, Flags::ACK | flags)?;
        self.connection.acknowledged(&request)
    }

    /// Without attributes it deletes all.
    fn delete_flows(&mut self, datapath: DpIfindex, attrs: Vec<FlowAttr>) -> Result<(), Error> {
        let object = Object {
            datapath,
            command: Command::DEL.0,
            version: flow::VERSION,
            attrs,
        };
        let request = object.request(self.flow.id, Flags::ACK)?;
        self.connection.acknowledged(&request)
    }

    fn vport(
        &mut self,
        datapath: DpIfindex,
        command: Command,
        attrs: Vec<VportAttr>,
    ) -> Result<Vport, Error> {
        let object = Object {
            datapath,
            command: command.0,
            version: vport::VERSION,
            attrs,
        };
        self.echo(self.vport.id, &object, Vport::decode)
    }

    fn datapath(
        &mut self,
        datapath: DpIfindex,
        command: Command,
        attrs: Vec<DatapathAttr>,
    ) -> Result<Datapath, Error> {
        let object = Object {
            datapath,
            command: command.0,
            version: datapath::VERSION,
            attrs,
        };
        self.echo(self.datapath.id, &object, Datapath::decode)
    }

    /// Sends a request, and reads the object that it made, changed or deleted. The kernel sends that only if asked to
    /// (`NLM_F_ECHO`).
    fn echo<A: Attribute, T>(
        &mut self,
        family: u16,
        object: &Object<A>,
        decode: Decode<T>,
    ) -> Result<T, Error> {
        let request = object.request(family, Flags::ECHO)?;
        self.connection.reply(&request, decode)
    }
}

/// `OVS_PACKET_CMD_EXECUTE`.
const CMD_EXECUTE: u8 = 3;
