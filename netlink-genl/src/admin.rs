//! What an admin can change, by both clients.

use alloc::vec::Vec;
use core::ffi::CStr;

use crate::Error;
use crate::exchange::Event;
use crate::link::Inbox;
use crate::ovs::ct_limit::{self, CtLimits};
use crate::ovs::datapath::{self, Datapath, Features, Settings};
use crate::ovs::flow::{self, NewFlow};
use crate::ovs::meter::{self, Meter, NewMeter};
use crate::ovs::packet;
use crate::ovs::vport::{self, NewVport, Upcall, Vport};
use crate::ovs::{Batch, DpIfindex};
use crate::socket::Options;

both! { wait;
    /// Makes, changes and deletes datapaths, ports and flows, and sends packets. It needs `CAP_NET_ADMIN`.
    ///
    /// `ovs-vswitchd` owns the datapaths that it made, and takes away what others put there.
    ///
    /// With `blocking`:
    ///
    /// ```no_run
    /// use netlink_genl::blocking::Admin;
    /// use netlink_genl::ovs::datapath::Features;
    /// use netlink_genl::ovs::vport::{NewVport, Upcall};
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
        pub(crate) connection: Connection,
    }

    impl Admin {
        /// Opens a socket and looks the families up.
        ///
        /// # Errors
        /// As [`Ovs::open`].
        pub fn open() -> Result<Self, Error> {
            wait!(Self::with_options(&Options::default()))
        }

        /// As [`Admin::open`], with a socket of one's own choice.
        ///
        /// # Errors
        /// As [`Admin::open`].
        pub fn with_options(options: &Options) -> Result<Self, Error> {
            let connection = wait!(Ovs::with_options(options))?.connection;
            Ok(Self { connection })
        }

        /// Makes a port, and returns it as the kernel made it.
        ///
        /// # Errors
        /// [`Error::Kernel`]: `EPERM`; `EEXIST` if the name is taken or the device is a port already; `EBUSY` if the
        /// number is taken or the device has another master; `ENODEV` without such a datapath or device; `EINVAL` for a
        /// wrong name, kind or upcall port; `EFBIG` if no number is left. Otherwise as [`Connection::reply`].
        pub fn add_vport(&mut self, port: &NewVport) -> Result<Vport, Error> {
            let request = |family| vport::add(family, port);
            wait!(self.connection.one(vport::FAMILY, Vport::decode, request))
        }

        /// Changes who takes the packets of a port that have no flow.
        ///
        /// # Errors
        /// [`Error::Kernel`]: `EPERM`; `ENODEV` without such a port; `EINVAL` for no or too many ports. Otherwise as
        /// [`Connection::reply`].
        pub fn set_upcall(&mut self, datapath: DpIfindex, port_no: u32, upcall: &Upcall) -> Result<Vport, Error> {
            let request = |family| vport::set_upcall(family, datapath, port_no, upcall);
            wait!(self.connection.one(vport::FAMILY, Vport::decode, request))
        }

        /// Deletes a port, and returns what it was.
        ///
        /// # Errors
        /// [`Error::Kernel`]: `EPERM`; `ENODEV` without such a port; `EINVAL` for the local port. Otherwise as
        /// [`Connection::reply`].
        pub fn delete_vport(&mut self, datapath: DpIfindex, port_no: u32) -> Result<Vport, Error> {
            let request = |family| vport::delete(family, datapath, port_no);
            wait!(self.connection.one(vport::FAMILY, Vport::decode, request))
        }

        /// Makes a datapath with its local port, whose packets without a flow go to the netlink port `upcall_pid`, 0
        /// for none. It dispatches per port; [`Admin::set_datapath`] changes that.
        ///
        /// # Errors
        /// [`Error::Kernel`]: `EPERM`; `EEXIST` if the name is taken; `EOPNOTSUPP` for a feature that the kernel lacks;
        /// `EINVAL` for a wrong name. Otherwise as [`Connection::reply`].
        pub fn add_datapath(&mut self, name: &CStr, features: Features, upcall_pid: u32) -> Result<Datapath, Error> {
            let request = |family| datapath::add(family, name, features, upcall_pid);
            wait!(self.connection.one(datapath::FAMILY, Datapath::decode, request))
        }

        /// Changes a datapath: reads what it is, lets `change` change it, and writes it back.
        ///
        /// The kernel turns off every feature that such a request does not name. Two that do this at the same time can
        /// undo each other's change.
        ///
        /// # Errors
        /// [`Error::Kernel`]: `EPERM`; `ENODEV` without such a datapath; `EOPNOTSUPP` for a feature that the kernel
        /// lacks; `ERANGE` for a cache that is too big. Otherwise as [`Connection::reply`].
        pub fn set_datapath(
            &mut self,
            datapath: DpIfindex,
            change: impl FnOnce(&mut Settings),
        ) -> Result<Datapath, Error> {
            let get = |family| Ok(datapath::get(family, datapath));
            let current = wait!(self.connection.one(datapath::FAMILY, Datapath::decode, get))?;
            let mut settings = Settings::of(&current);
            change(&mut settings);
            let set = |family| datapath::set(family, &current, &settings);
            wait!(self.connection.one(datapath::FAMILY, Datapath::decode, set))
        }

        /// Deletes a datapath with its ports and flows, and returns what it was.
        ///
        /// # Errors
        /// [`Error::Kernel`]: `EPERM`; `ENODEV` without such a datapath. Otherwise as [`Connection::reply`].
        pub fn delete_datapath(&mut self, datapath: DpIfindex) -> Result<Datapath, Error> {
            let request = |family| datapath::delete(family, datapath);
            wait!(self.connection.one(datapath::FAMILY, Datapath::decode, request))
        }

        /// Makes a flow.
        ///
        /// # Errors
        /// [`Error::Kernel`]: `EPERM`; `EEXIST` if there is one with this key; `EINVAL` for a wrong key or action, the
        /// reason of which is in the kernel's log only; `ENODEV` without such a datapath. [`Error::Encode`] if key, mask
        /// or actions exceed an attribute. Otherwise as [`Connection::acknowledged`].
        pub fn add_flow(&mut self, flow: &NewFlow) -> Result<(), Error> {
            wait!(self.connection.done(flow::FAMILY, |family| flow::add(family, flow)))
        }

        /// Makes a flow, or gives the one with the same key these actions.
        ///
        /// # Errors
        /// As [`Admin::add_flow`], except `EEXIST`.
        pub fn put_flow(&mut self, flow: &NewFlow) -> Result<(), Error> {
            wait!(self.connection.done(flow::FAMILY, |family| flow::put(family, flow)))
        }

        /// Deletes the flow with this identifier.
        ///
        /// # Errors
        /// [`Error::Kernel`]: `EPERM`; `ENOENT` without such a flow; `ENODEV` without such a datapath. Otherwise as
        /// [`Connection::acknowledged`].
        pub fn delete_flow(&mut self, datapath: DpIfindex, ufid: &[u8]) -> Result<(), Error> {
            wait!(self.connection.done(flow::FAMILY, |family| flow::delete(family, datapath, ufid)))
        }

        /// Deletes the flow with this key, which was made without an identifier.
        ///
        /// # Errors
        /// As [`Admin::delete_flow`].
        pub fn delete_flow_by_key(&mut self, datapath: DpIfindex, key: &[u8]) -> Result<(), Error> {
            wait!(self.connection.done(flow::FAMILY, |family| flow::delete_by_key(family, datapath, key)))
        }

        /// Deletes all flows of a datapath.
        ///
        /// # Errors
        /// [`Error::Kernel`]: `EPERM`; `ENODEV` without such a datapath. Otherwise as [`Connection::acknowledged`].
        pub fn flush_flows(&mut self, datapath: DpIfindex) -> Result<(), Error> {
            wait!(self.connection.done(flow::FAMILY, |family| flow::flush(family, datapath)))
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
            let request = |family| packet::execute(family, datapath, packet, key, actions);
            wait!(self.connection.done(packet::FAMILY, request))
        }

        /// Makes these changes, in as few datagrams as possible, and says what became of each, in their order.
        ///
        /// # Errors
        /// [`Error::Io`], [`Error::Timeout`] or [`Error::Overrun`] if it is not known what became of the rest; those of one
        /// change are in the list.
        pub fn commit(&mut self, batch: Batch) -> Result<Vec<Result<(), Error>>, Error> {
            let flows = wait!(self.connection.family(flow::FAMILY))?.id;
            let packets = wait!(self.connection.family(packet::FAMILY))?.id;
            let mut results = Vec::with_capacity(batch.len());
            for part in batch.parts(|family| if family == flow::FAMILY { flows } else { packets }) {
                self.connection.link.send(&part)?;
                while self.connection.link.is_pending() {
                    wait!(self.connection.receive(|event| results.extend(match event {
                        Ok(Event::Done { .. }) => Some(Ok(())),
                        Ok(Event::Failed(status)) => Some(Err(Error::Kernel(status))),
                        Ok(_) => None,
                        Err(error) => Some(Err(error.into())),
                    })))?;
                }
            }
            Ok(results)
        }

        /// Makes a meter, or replaces the one with its number, and returns what that had counted.
        ///
        /// # Errors
        /// [`Error::FamilyMissing`] before Linux 4.15; [`Error::Kernel`]: `EPERM`; `ENODEV` without such a datapath;
        /// `EINVAL` for too many limits; `EFBIG` or `ENOSPC` for too many meters. Otherwise as [`Connection::reply`].
        pub fn set_meter(&mut self, meter: &NewMeter) -> Result<Meter, Error> {
            let request = |family| meter::set(family, meter);
            wait!(self.connection.one(meter::FAMILY, Meter::decode, request))
        }

        /// Deletes a meter, and returns what it had counted. The kernel does not mind if there is none.
        ///
        /// # Errors
        /// [`Error::Kernel`]: `EPERM`; `ENODEV` without such a datapath. Otherwise as [`Admin::set_meter`].
        pub fn delete_meter(&mut self, datapath: DpIfindex, id: u32) -> Result<Meter, Error> {
            let request = |family| meter::delete(family, datapath, id);
            wait!(self.connection.one(meter::FAMILY, Meter::decode, request))
        }

        /// Gives zones of connection tracking limits, 0 for any number of connections.
        ///
        /// # Errors
        /// [`Error::FamilyMissing`] if the kernel was built without `CONFIG_NETFILTER_CONNCOUNT`; [`Error::Kernel`]:
        /// `EPERM`; `EINVAL` without any zone. Otherwise as [`Connection::reply`].
        pub fn set_ct_limits(&mut self, limits: &[(i32, u32)]) -> Result<(), Error> {
            let request = |family| ct_limit::set(family, limits);
            wait!(self.connection.one(ct_limit::FAMILY, CtLimits::decode, request)).map(drop)
        }

        /// Gives these zones the default limit again.
        ///
        /// # Errors
        /// As [`Admin::set_ct_limits`].
        pub fn delete_ct_limits(&mut self, zones: &[i32]) -> Result<(), Error> {
            let request = |family| ct_limit::delete(family, zones);
            wait!(self.connection.one(ct_limit::FAMILY, CtLimits::decode, request)).map(drop)
        }

        /// Opens a socket that takes packets. It gets those of the ports and datapaths that are told to send to its
        /// [`port`](Upcalls::port), by [`Admin::set_upcall`] or [`Admin::set_datapath`].
        ///
        /// `options` are for this socket; a larger `receive_buffer` lets more packets wait.
        ///
        /// # Errors
        /// As [`Admin::open`].
        pub fn upcalls(&mut self, options: &Options) -> Result<Upcalls, Error> {
            let family = wait!(self.connection.family(packet::FAMILY))?;
            Upcalls::new(Inbox::open(family.id, self.connection.link.options(), options)?)
        }
    }
}

same! {
    impl Upcalls {
        /// The netlink port that packets are to be sent to.
        pub fn port(&self) -> u32 {
            self.inbox.socket().port()
        }
    }
}
