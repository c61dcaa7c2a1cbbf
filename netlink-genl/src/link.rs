//! A socket and what is under way on it. It never waits: how to do that is all that the two clients differ in.

mod follower;
#[cfg(feature = "write")]
mod inbox;

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::ffi::CStr;
use core::fmt;
use core::time::Duration;

use tracing::debug;

pub(crate) use self::follower::{Follower, Step};
#[cfg(feature = "write")]
pub(crate) use self::inbox::Inbox;

use crate::Error;
use crate::ctrl::{self, Cache, Family};
use crate::exchange::{Event, Exchange};
use crate::message::{DecodeError, Request};
use crate::socket::{Options, Protocol, Socket};

/// A socket, the requests under way on it, and the families that it knows.
pub(crate) struct Link {
    socket: Arc<Socket>,
    options: Options,
    exchange: Exchange,
    families: Cache,
    outgoing: Vec<u8>,
    buffer: Vec<u8>,
}

impl Link {
    pub(crate) fn open(options: &Options) -> Result<Self, Error> {
        let socket = Socket::open(options)?;
        if options.protocol == Protocol::Generic {
            socket.join(ctrl::NOTIFY)?;
        }
        Ok(Self {
            exchange: Exchange::new(socket.port(), 1),
            socket: Arc::new(socket),
            options: options.clone(),
            families: Cache::default(),
            outgoing: Vec::new(),
            buffer: vec![0; DATAGRAM_MAX],
        })
    }

    pub(crate) fn socket(&self) -> &Arc<Socket> {
        &self.socket
    }

    #[cfg(feature = "write")]
    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    /// How long to wait for a datagram.
    pub(crate) fn timeout(&self) -> Duration {
        self.options.timeout
    }

    pub(crate) fn is_pending(&self) -> bool {
        self.exchange.is_pending()
    }

    /// Sends requests in one datagram.
    pub(crate) fn send<'r>(&mut self, requests: impl IntoIterator<Item = &'r Request>) -> Result<(), Error> {
        self.outgoing.clear();
        let sent = requests
            .into_iter()
            .try_for_each(|request| self.exchange.begin(request, &mut self.outgoing))
            .map_err(Error::from)
            .and_then(|()| self.socket.send(&self.outgoing));
        if sent.is_err() {
            self.exchange.abandon();
        }
        debug!(bytes = self.outgoing.len(), ok = sent.is_ok(), "sent a request");
        sent
    }

    /// Takes a datagram and hands out the part of an answer that it holds; `false` if none is there.
    pub(crate) fn take(&mut self, each: impl FnMut(Result<Event<'_>, DecodeError>)) -> Result<bool, Error> {
        let received = self.socket.try_receive(&mut self.buffer);
        match &received {
            // More reads would end the same way.
            Err(Error::Io { .. }) => self.exchange.abandon(),
            Err(_) => self.families.clear(),
            Ok(_) => {}
        }
        let Some(datagram) = received? else {
            return Ok(false);
        };
        self.exchange
            .datagram(datagram.source, datagram.bytes)?
            .for_each(each);
        self.families.datagram(datagram.bytes);
        Ok(true)
    }

    /// Nothing came in time.
    pub(crate) fn timed_out(&mut self) -> Error {
        self.exchange.abandon();
        Error::Timeout {
            after: self.timeout(),
        }
    }

    /// The family called `name`, if it was looked up before and nothing happened to it since.
    pub(crate) fn family(&mut self, name: &CStr) -> Result<Option<&Family>, Error> {
        while self.take(|_| ())? {}
        Ok(self.families.family(name))
    }

    pub(crate) fn add_family(&mut self, family: Family) {
        debug!(name = ?family.name, id = family.id, "resolved a family");
        self.families.add(family);
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("socket", &self.socket)
            .field("exchange", &self.exchange)
            .field("families", &self.families)
            .finish_non_exhaustive()
    }
}

/// Longer than any datagram of the kernel: a dump comes in parts of 32 KiB, and a flow with its attributes at their
/// limits has about 65 900 bytes.
pub(crate) const DATAGRAM_MAX: usize = 128 * 1024;
