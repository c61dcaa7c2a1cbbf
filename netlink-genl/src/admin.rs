//! What an admin can change, by both clients.

use core::ffi::CStr;

use crate::Error;
use crate::ovs::DpIfindex;
use crate::ovs::datapath::{self, Datapath, Features, Settings};
use crate::ovs::flow::{self, NewFlow};
use crate::ovs::packet;
use crate::ovs::vport::{self, NewVport, Upcall, Vport};
use crate::socket::Options;

both! { wait;
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
        /// number is taken; `ENODEV` without such a datapath or device; `EINVAL` for a wrong name, kind or upcall port;
        /// `EFBIG` if no number is left. Otherwise as [`Connection::reply`].
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
    }
}
