//! A client that waits for each answer: for programs without a runtime.
//!
//! ```no_run
//! use netlink_genl::blocking::Connection;
//! use netlink_genl::ctrl;
//!
//! let mut connection = Connection::open()?;
//! let family = connection.family(ctrl::FAMILY)?;
//! assert_eq!(family.id, 16);
//! # Ok::<(), netlink_genl::Error>(())
//! ```

#[cfg(feature = "write")]
mod admin;
mod watch;

use alloc::collections::VecDeque;
use alloc::vec;
use alloc::vec::Vec;
use core::ffi::CStr;
use core::fmt;
use core::iter::FusedIterator;

use tracing::debug;

#[cfg(feature = "write")]
pub use self::admin::{Admin, NewFlow, NewVport, Settings, Upcall};
pub use self::watch::Watch;

use crate::Error;
use crate::ctrl::{self, Family};
use crate::exchange::{Event, Exchange};
use crate::message::{DecodeError, Errno, Message, Request};
use crate::ovs::DpIfindex;
use crate::ovs::datapath::{self, Datapath};
use crate::ovs::flow::{self, Flow};
use crate::ovs::vport::{self, Vport};
use crate::socket::{Options, Socket};

/// A reader of the datapaths in the kernel.
///
/// It only ever sends `GET`, so it changes nothing and needs no privilege. (`ovs-dpctl show` does change something: it
/// sets the features of the datapath, which needs `CAP_NET_ADMIN` and can stop a switch that dispatches per port.)
/// It sees the network namespace that the thread was in when it opened it.
#[derive(Debug)]
pub struct Ovs {
    connection: Connection,
    vport: Family,
    datapath: Family,
    flow: Family,
}

impl Ovs {
    /// Opens a socket and looks the families up.
    ///
    /// # Errors
    /// [`Error::FamilyMissing`] if `openvswitch.ko` is not loaded and the kernel cannot load it; otherwise as
    /// [`Connection::replies`].
    pub fn open() -> Result<Self, Error> {
        Self::with_options(&Options::default())
    }

    /// As [`Ovs::open`], with a socket of one's own choice.
    ///
    /// # Errors
    /// As [`Ovs::open`].
    pub fn with_options(options: &Options) -> Result<Self, Error> {
        let mut connection = Connection::with_options(options)?;
        Ok(Self {
            vport: connection.family(vport::FAMILY)?,
            datapath: connection.family(datapath::FAMILY)?,
            flow: connection.family(flow::FAMILY)?,
            connection,
        })
    }

    /// Lists the datapaths of the network namespace.
    ///
    /// # Errors
    /// As [`Connection::replies`].
    pub fn datapaths(&mut self) -> Result<Replies<'_, Datapath>, Error> {
        let request = datapath::dump(self.datapath.id);
        self.connection.replies(&request, Datapath::decode)
    }

    /// Lists the flows of a datapath, in no order.
    ///
    /// A flow whose actions do not fit a part of the answer has none, [`Flow::actions`]: ask for it by
    /// [`Ovs::complete`]. If there is no such datapath, the list has one item, [`Error::Kernel`] with `ENODEV`.
    ///
    /// # Errors
    /// As [`Connection::replies`].
    pub fn flows(&mut self, datapath: DpIfindex) -> Result<Replies<'_, Flow>, Error> {
        let request = flow::dump(self.flow.id, datapath);
        self.connection.replies(&request, Flow::decode)
    }

    /// Looks a flow up by its identifier, 1 to 16 bytes.
    ///
    /// # Errors
    /// [`Error::Kernel`] with `ENOENT` if there is none, with `ENODEV` if there is no such datapath; otherwise as
    /// [`Connection::reply`].
    pub fn flow(&mut self, datapath: DpIfindex, ufid: &[u8]) -> Result<Flow, Error> {
        let request = flow::get(self.flow.id, datapath, ufid)?;
        self.connection.reply(&request, Flow::decode)
    }

    /// Brings the actions that a list lacks: the flow as it is, or, without actions, as it is now.
    ///
    /// ```no_run
    /// use netlink_genl::blocking::Ovs;
    ///
    /// let mut ovs = Ovs::open()?;
    /// let datapath = ovs.datapath_by_name(c"ovs-system")?.ifindex;
    /// let listed: Vec<_> = ovs.flows(datapath)?.collect::<Result<_, _>>()?;
    /// for flow in listed {
    ///     let flow = ovs.complete(flow)?;
    ///     println!("{} bytes of actions", flow.actions.unwrap_or_default().len());
    /// }
    /// # Ok::<(), netlink_genl::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Ovs::flow`]: `ENOENT` says that the flow has gone since. [`Error::Decode`] if it has neither an identifier
    /// nor a key.
    pub fn complete(&mut self, flow: Flow) -> Result<Flow, Error> {
        if flow.actions.is_some() {
            return Ok(flow);
        }
        let request = match (&flow.ufid, &flow.key) {
            (Some(ufid), _) => flow::get(self.flow.id, flow.datapath, ufid)?,
            (None, Some(key)) => flow::get_by_key(self.flow.id, flow.datapath, key)?,
            (None, None) => {
                return Err(DecodeError::Missing {
                    offset: 0,
                    kind: flow::ATTR_KEY,
                }
                .into());
            }
        };
        self.connection.reply(&request, Flow::decode)
    }

    /// Looks a datapath up.
    ///
    /// # Errors
    /// [`Error::Kernel`] with `ENODEV` if there is none; otherwise as [`Connection::reply`].
    pub fn datapath(&mut self, datapath: DpIfindex) -> Result<Datapath, Error> {
        let request = datapath::get(self.datapath.id, datapath);
        self.connection.reply(&request, Datapath::decode)
    }

    /// Looks a datapath up by its name.
    ///
    /// # Errors
    /// As [`Ovs::datapath`]; [`Error::Kernel`] with `EINVAL` for a name of more than 15 bytes.
    pub fn datapath_by_name(&mut self, name: &CStr) -> Result<Datapath, Error> {
        let request = datapath::get_by_name(self.datapath.id, name)?;
        self.connection.reply(&request, Datapath::decode)
    }

    /// Looks a port up.
    ///
    /// # Errors
    /// [`Error::Kernel`] with `ENODEV` if there is none; otherwise as [`Connection::reply`].
    pub fn vport(&mut self, datapath: DpIfindex, port_no: u32) -> Result<Vport, Error> {
        let request = vport::get(self.vport.id, datapath, port_no)?;
        self.connection.reply(&request, Vport::decode)
    }

    /// Looks a port up by its name, in whichever datapath of the network namespace it is.
    ///
    /// # Errors
    /// As [`Ovs::vport`]; [`Error::Kernel`] with `EINVAL` for a name of more than 15 bytes.
    pub fn vport_by_name(&mut self, name: &CStr) -> Result<Vport, Error> {
        let request = vport::get_by_name(self.vport.id, name)?;
        self.connection.reply(&request, Vport::decode)
    }

    /// Lists the ports of a datapath, in no order.
    ///
    /// A port that is added or deleted meanwhile may be in the list or not: the kernel does not say. If there is no
    /// such datapath, the list has one item, [`Error::Kernel`] with `ENODEV`.
    ///
    /// # Errors
    /// As [`Connection::replies`].
    pub fn vports(&mut self, datapath: DpIfindex) -> Result<Replies<'_, Vport>, Error> {
        let request = vport::dump(self.vport.id, datapath);
        self.connection.replies(&request, Vport::decode)
    }
}

/// A socket with one request at a time under way, for any family.
pub struct Connection {
    socket: Socket,
    exchange: Exchange,
    outgoing: Vec<u8>,
    buffer: Vec<u8>,
}

impl Connection {
    /// Opens a socket.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn open() -> Result<Self, Error> {
        Self::with_options(&Options::default())
    }

    /// As [`Connection::open`], with a socket of one's own choice.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn with_options(options: &Options) -> Result<Self, Error> {
        let socket = Socket::open(options)?;
        Ok(Self {
            exchange: Exchange::new(socket.port(), 1),
            socket,
            outgoing: Vec::new(),
            buffer: vec![0; DATAGRAM_MAX],
        })
    }

    /// Looks a family up by its name.
    ///
    /// # Errors
    /// [`Error::FamilyMissing`] if there is none; otherwise as [`Connection::reply`].
    pub fn family(&mut self, name: &CStr) -> Result<Family, Error> {
        let request = ctrl::get_family(name)?;
        let family = match self.reply(&request, Family::decode) {
            Err(Error::Kernel(status)) if status.errno == Errno::ENOENT => {
                Err(Error::FamilyMissing { name: name.into() })
            }
            family => family,
        }?;
        debug!(name = ?family.name, id = family.id, "resolved a family");
        Ok(family)
    }

    /// Sends `request` and gives out what it is answered with, each object read by `decode`.
    ///
    /// A request that asks for neither a dump nor an acknowledgement must be one that has an answer: the first object
    /// ends it. If an earlier answer was not read to its end, what is left of it is read and dropped first.
    ///
    /// # Errors
    /// [`Error::Encode`] if the request cannot be written, [`Error::Io`] if it cannot be sent. Everything that goes
    /// wrong later is an item of the answer.
    pub fn replies<T>(&mut self, request: &Request, decode: Decode<T>) -> Result<Replies<'_, T>, Error> {
        // The kernel refuses a dump while the socket has another one running. What goes wrong in the rest of an
        // answer that nobody reads is nobody's error; what could make this loop endless also ends the exchange.
        while self.exchange.is_pending() {
            let _ = self.receive(|_| ());
        }
        self.outgoing.clear();
        self.exchange.begin(request, &mut self.outgoing)?;
        if let Err(error) = self.socket.send(&self.outgoing) {
            self.exchange.abandon();
            return Err(error);
        }
        debug!(kind = %request.kind(), bytes = self.outgoing.len(), "sent a request");
        Ok(Replies {
            connection: self,
            decode,
            ready: VecDeque::new(),
        })
    }

    /// As [`Connection::replies`], for a request that is answered with one object.
    ///
    /// # Errors
    /// [`Error::Kernel`] if the kernel refuses it, [`Error::NoReply`] if it only acknowledges it; otherwise as
    /// [`Connection::replies`] and its items.
    pub fn reply<T>(&mut self, request: &Request, decode: Decode<T>) -> Result<T, Error> {
        self.replies(request, decode)?
            .next()
            .unwrap_or(Err(Error::NoReply))
    }

    /// As [`Connection::replies`], for a request that is answered with an acknowledgement alone, for which it must ask.
    ///
    /// # Errors
    /// [`Error::Kernel`] if the kernel refuses it; otherwise as [`Connection::replies`] and its items.
    pub fn acknowledged(&mut self, request: &Request) -> Result<(), Error> {
        self.replies(request, |_| Ok(()))?.collect()
    }

    /// Waits for one datagram and hands out the part of the answer that it holds.
    fn receive(&mut self, each: impl FnMut(Result<Event<'_>, DecodeError>)) -> Result<(), Error> {
        let received = self.socket.receive(&mut self.buffer);
        // After these, more reads would end the same way.
        if matches!(received, Err(Error::Io { .. } | Error::Timeout { .. })) {
            self.exchange.abandon();
        }
        let (datagram, source) = received?;
        self.exchange.datagram(source, datagram)?.for_each(each);
        Ok(())
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("socket", &self.socket)
            .field("exchange", &self.exchange)
            .finish_non_exhaustive()
    }
}

/// Reads one object from a message: `Vport::decode`, for one.
pub type Decode<T> = fn(&Message<'_>) -> Result<T, DecodeError>;

/// The answer to a request, one object at a time.
///
/// The objects of one datagram are held, 32 KiB for a dump, never the whole answer. A message that cannot be read is
/// an error item, and the others are delivered. The answer is complete if no item was an error.
#[derive(Debug)]
#[must_use = "an answer is read by iterating"]
pub struct Replies<'c, T> {
    connection: &'c mut Connection,
    decode: Decode<T>,
    ready: VecDeque<Result<T, Error>>,
}

impl<T> Iterator for Replies<'_, T> {
    type Item = Result<T, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let Self {
            connection,
            decode,
            ready,
        } = self;
        while ready.is_empty() && connection.exchange.is_pending() {
            let received = connection.receive(|event| {
                ready.extend(match event {
                    Ok(Event::Reply(message)) => Some(decode(&message).map_err(Error::from)),
                    Ok(Event::Done { interrupted: false }) => None,
                    Ok(Event::Done { interrupted: true }) => Some(Err(Error::DumpInterrupted)),
                    Ok(Event::Failed(status)) => Some(Err(Error::Kernel(status))),
                    Err(error) => Some(Err(error.into())),
                });
            });
            if let Err(error) = received {
                return Some(Err(error));
            }
        }
        ready.pop_front()
    }
}

impl<T> FusedIterator for Replies<'_, T> {}

/// Longer than any datagram of the kernel: a dump comes in parts of 32 KiB, and a flow with its attributes at their
/// limits has about 65 900 bytes.
const DATAGRAM_MAX: usize = 128 * 1024;
