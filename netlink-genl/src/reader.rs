//! What a reader can ask, by both clients.

use core::ffi::CStr;
use core::fmt;

use crate::Error;
use crate::accounting::{Accounting, Process, References};
use crate::link::Follower;
use crate::message::DecodeError;
use crate::ovs::DpIfindex;
use crate::ovs::ct_limit::{self, CtLimits};
use crate::ovs::datapath::{self, Datapath};
use crate::ovs::flow::{self, Flow};
use crate::ovs::meter::{self, Meter, MeterFeatures};
use crate::ovs::vport::{self, Vport};
use crate::socket::Options;

both! { wait;
    /// A reader of the datapaths in the kernel.
    ///
    /// It only ever sends `GET`, so it changes nothing and needs no privilege. (`ovs-dpctl show` does change something: it
    /// sets the features of the datapath, which needs `CAP_NET_ADMIN` and can stop a switch that dispatches per port.)
    /// It sees the network namespace that the thread was in when it opened it, or that of [`Options::namespace`].
    #[derive(Debug)]
    pub struct Ovs {
        pub(crate) connection: Connection,
    }

    impl Ovs {
        /// Opens a socket and looks the families up.
        ///
        /// # Errors
        /// [`Error::FamilyMissing`] if `openvswitch.ko` is not loaded and the kernel cannot load it; otherwise as
        /// [`Connection::replies`].
        pub fn open() -> Result<Self, Error> {
            wait!(Self::with_options(&Options::default()))
        }

        /// As [`Ovs::open`], with a socket of one's own choice.
        ///
        /// # Errors
        /// As [`Ovs::open`].
        pub fn with_options(options: &Options) -> Result<Self, Error> {
            let mut connection = Connection::with_options(options)?;
            for family in [vport::FAMILY, datapath::FAMILY, flow::FAMILY] {
                wait!(connection.family(family))?;
            }
            Ok(Self { connection })
        }

        /// Lists the datapaths of the network namespace.
        ///
        /// # Errors
        /// As [`Connection::replies`].
        pub fn datapaths(&mut self) -> Result<Replies<'_, Datapath>, Error> {
            wait!(self.connection.all(datapath::FAMILY, Datapath::decode, datapath::dump))
        }

        /// Looks a datapath up.
        ///
        /// # Errors
        /// [`Error::Kernel`] with `ENODEV` if there is none; otherwise as [`Connection::reply`].
        pub fn datapath(&mut self, datapath: DpIfindex) -> Result<Datapath, Error> {
            let request = |family| Ok(datapath::get(family, datapath));
            wait!(self.connection.one(datapath::FAMILY, Datapath::decode, request))
        }

        /// Looks a datapath up by its name.
        ///
        /// # Errors
        /// As [`Ovs::datapath`]; [`Error::Kernel`] with `EINVAL` for a name of more than 15 bytes.
        pub fn datapath_by_name(&mut self, name: &CStr) -> Result<Datapath, Error> {
            let request = |family| datapath::get_by_name(family, name);
            wait!(self.connection.one(datapath::FAMILY, Datapath::decode, request))
        }

        /// Lists the ports of a datapath, in no order.
        ///
        /// A port that is added or deleted meanwhile may be in the list or not: the kernel does not say. If there is no
        /// such datapath, the list has one item, [`Error::Kernel`] with `ENODEV`.
        ///
        /// # Errors
        /// As [`Connection::replies`].
        pub fn vports(&mut self, datapath: DpIfindex) -> Result<Replies<'_, Vport>, Error> {
            let request = |family| vport::dump(family, datapath);
            wait!(self.connection.all(vport::FAMILY, Vport::decode, request))
        }

        /// Looks a port up.
        ///
        /// # Errors
        /// [`Error::Kernel`] with `ENODEV` if there is none; otherwise as [`Connection::reply`].
        pub fn vport(&mut self, datapath: DpIfindex, port_no: u32) -> Result<Vport, Error> {
            let request = |family| vport::get(family, datapath, port_no);
            wait!(self.connection.one(vport::FAMILY, Vport::decode, request))
        }

        /// Looks a port up by its name, in whichever datapath of the network namespace it is.
        ///
        /// # Errors
        /// As [`Ovs::vport`]; [`Error::Kernel`] with `EINVAL` for a name of more than 15 bytes.
        pub fn vport_by_name(&mut self, name: &CStr) -> Result<Vport, Error> {
            let request = |family| vport::get_by_name(family, name);
            wait!(self.connection.one(vport::FAMILY, Vport::decode, request))
        }

        /// Lists the flows of a datapath, in no order.
        ///
        /// A flow whose actions do not fit a part of the answer has none, [`Flow::actions`]: ask for it by
        /// [`Ovs::complete`]. If there is no such datapath, the list has one item, [`Error::Kernel`] with `ENODEV`.
        ///
        /// # Errors
        /// As [`Connection::replies`].
        pub fn flows(&mut self, datapath: DpIfindex) -> Result<Replies<'_, Flow>, Error> {
            let request = |family| flow::dump(family, datapath);
            wait!(self.connection.all(flow::FAMILY, Flow::decode, request))
        }

        /// Looks a flow up by its identifier, 1 to 16 bytes.
        ///
        /// # Errors
        /// [`Error::Kernel`] with `ENOENT` if there is none, with `ENODEV` if there is no such datapath; otherwise as
        /// [`Connection::reply`].
        pub fn flow(&mut self, datapath: DpIfindex, ufid: &[u8]) -> Result<Flow, Error> {
            let request = |family| flow::get(family, datapath, ufid);
            wait!(self.connection.one(flow::FAMILY, Flow::decode, request))
        }

        /// Brings the actions that a list lacks: the flow as it is, or, without actions, as it is now.
        ///
        /// # Errors
        /// As [`Ovs::flow`]: `ENOENT` says that the flow has gone since. [`Error::Decode`] if it has neither an
        /// identifier nor a key.
        pub fn complete(&mut self, flow: Flow) -> Result<Flow, Error> {
            if flow.actions.is_some() {
                return Ok(flow);
            }
            let (ufid, key) = (flow.ufid.as_deref(), flow.key.as_deref());
            if ufid.or(key).is_none() {
                return Err(Error::Decode(DecodeError::Missing { offset: 0, kind: flow::ATTR_KEY }));
            }
            let request = |family| match ufid {
                Some(ufid) => flow::get(family, flow.datapath, ufid),
                None => flow::get_by_key(family, flow.datapath, key.unwrap_or_default()),
            };
            wait!(self.connection.one(flow::FAMILY, Flow::decode, request))
        }

        /// What meters of a datapath can do.
        ///
        /// # Errors
        /// [`Error::FamilyMissing`] before Linux 4.15; [`Error::Kernel`] with `ENODEV` if there is no such datapath;
        /// otherwise as [`Connection::reply`].
        pub fn meter_features(&mut self, datapath: DpIfindex) -> Result<MeterFeatures, Error> {
            let request = |family| meter::features(family, datapath);
            wait!(self.connection.one(meter::FAMILY, MeterFeatures::decode, request))
        }

        /// Looks a meter up. They cannot be listed.
        ///
        /// # Errors
        /// [`Error::Kernel`] with `ENOENT` if there is none; otherwise as [`Ovs::meter_features`].
        pub fn meter(&mut self, datapath: DpIfindex, id: u32) -> Result<Meter, Error> {
            let request = |family| meter::get(family, datapath, id);
            wait!(self.connection.one(meter::FAMILY, Meter::decode, request))
        }

        /// The limits of these zones of connection tracking, or of all that have one, and the default, if there are none.
        ///
        /// # Errors
        /// [`Error::FamilyMissing`] if the kernel was built without `CONFIG_NETFILTER_CONNCOUNT`; otherwise as
        /// [`Connection::reply`].
        pub fn ct_limits(&mut self, zones: &[i32]) -> Result<CtLimits, Error> {
            let request = |family| ct_limit::get(family, zones);
            wait!(self.connection.one(ct_limit::FAMILY, CtLimits::decode, request))
        }

        /// Accounts for the generic netlink sockets of process `pid`, which must be in the network namespace that is read.
        ///
        /// Ports that come and go meanwhile make no socket an orphan: those of before and after count. It reads files of
        /// `/proc`, which take no wait.
        ///
        /// # Errors
        /// [`Error::File`] if there is no such process, [`Error::Row`] if the kernel writes something else than
        /// expected; otherwise as [`Ovs::datapaths`] and [`Ovs::vports`] and their items.
        pub fn accounting(&mut self, pid: u32) -> Result<Accounting, Error> {
            let mut references = References::default();
            wait!(self.refer(&mut references))?;
            let process = Process::read(pid)?;
            wait!(self.refer(&mut references))?;
            Ok(process.account(references))
        }

        /// Adds what refers to sockets now.
        fn refer(&mut self, references: &mut References) -> Result<(), Error> {
            for datapath in wait!(wait!(self.datapaths())?.whole())? {
                references.of_datapath(&datapath);
                for port in wait!(wait!(self.vports(datapath.ifindex))?.whole())? {
                    references.of_port(&port);
                }
            }
            Ok(())
        }

        /// Watches the ports of a datapath: joins the groups, lists the ports, and takes in what happened meanwhile.
        ///
        /// `options` is for the two sockets that listen; a larger `receive_buffer` lets more happen between two events
        /// that are taken before the ports must be listed again. It needs no privilege.
        ///
        /// # Errors
        /// [`Error::Kernel`] with `ENODEV` if there is no such datapath; otherwise as [`Ovs::open`] and [`Ovs::vports`].
        pub fn watch(mut self, datapath: DpIfindex, options: &Options) -> Result<Watch, Error> {
            let vports = wait!(self.connection.family(vport::FAMILY))?;
            let datapaths = wait!(self.connection.family(datapath::FAMILY))?;
            wait!(self.datapath(datapath))?;
            let follower = Follower::new(self.connection.into_link(), datapath, [&vports, &datapaths], options)?;
            let mut watch = Watch::new(follower)?;
            wait!(watch.settle())?;
            Ok(watch)
        }
    }
}

same! {
    impl Watch {
        /// The ports, by number, as the events up to now have left them.
        pub fn ports(&self) -> impl ExactSizeIterator<Item = &Vport> {
            self.follower.watcher.ports()
        }

        /// 1, and one more after every loss of notifications.
        pub fn generation(&self) -> u64 {
            self.follower.watcher.generation()
        }

        /// Whether the datapath is gone. Its last ports are told as removed; after that there are no events.
        pub fn is_deleted(&self) -> bool {
            self.follower.watcher.is_deleted()
        }
    }

    impl fmt::Debug for Watch {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("Watch")
                .field("datapath", &self.follower.watcher.datapath())
                .field("generation", &self.generation())
                .finish_non_exhaustive()
        }
    }
}
