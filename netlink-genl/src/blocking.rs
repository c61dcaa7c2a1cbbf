//! A client that waits for each answer: for programs without a runtime.
//!
//! [`Ovs`] reads, `Admin` (with the feature `write`) changes, [`Connection`] is for other families. The module `client` has
//! the same names for programs with tokio.
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
mod upcalls;
mod watch;

use alloc::vec::Vec;
use core::iter::FusedIterator;
use std::time::Instant;

#[cfg(feature = "write")]
pub use self::upcalls::Upcalls;
pub use self::watch::Watch;
#[cfg(feature = "write")]
pub use crate::admin::blocking::Admin;
#[cfg(feature = "write")]
#[doc(no_inline)]
pub use crate::ovs::{
    datapath::{PerCpu, Settings},
    flow::NewFlow,
    meter::{NewBand, NewMeter},
    vport::{NewVport, Upcall},
};
pub use crate::reader::blocking::Ovs;

use crate::Error;
use crate::exchange::{Answers, Event};
use crate::link::Link;
use crate::message::DecodeError;
use crate::socket::{self, Options};

/// A socket with one request at a time under way, for any family.
#[derive(Debug)]
pub struct Connection {
    pub(crate) link: Link,
}

impl Connection {
    /// Opens a socket.
    ///
    /// # Errors
    /// As [`Socket::open`](socket::Socket::open).
    pub fn open() -> Result<Self, Error> {
        Self::with_options(&Options::default())
    }

    /// As [`Connection::open`], with a socket of one's own choice.
    ///
    /// # Errors
    /// As [`Connection::open`].
    pub fn with_options(options: &Options) -> Result<Self, Error> {
        Link::open(options).map(|link| Self { link })
    }

    pub(crate) fn into_link(self) -> Link {
        self.link
    }

    /// Waits for one datagram and hands out the part of the answer that it holds.
    pub(crate) fn receive(
        &mut self,
        mut each: impl FnMut(Result<Event<'_>, DecodeError>),
    ) -> Result<(), Error> {
        let start = Instant::now();
        while !self.link.take(&mut each)? {
            let left = self.link.timeout().saturating_sub(start.elapsed());
            if left.is_zero() {
                return Err(self.link.timed_out());
            }
            socket::wait_for_any([self.link.socket()], left)?;
        }
        Ok(())
    }
}

/// The answer to a request, one object at a time.
///
/// The objects of one datagram are held, 32 KiB for a dump, never the whole answer. A message that cannot be read is
/// an error item, and the others are delivered. The answer is complete if no item was an error.
#[derive(Debug)]
#[must_use = "an answer is read by iterating"]
pub struct Replies<'c, T> {
    pub(crate) connection: &'c mut Connection,
    pub(crate) answers: Answers<T>,
}

impl<T> Replies<'_, T> {
    /// The whole answer.
    ///
    /// # Errors
    /// The first item that is an error.
    pub fn whole(self) -> Result<Vec<T>, Error> {
        self.collect()
    }
}

impl<T> Iterator for Replies<'_, T> {
    type Item = Result<T, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(answer) = self.answers.next() {
                return Some(answer);
            }
            if !self.connection.link.is_pending() {
                return None;
            }
            if let Err(error) = self.connection.receive(|event| self.answers.add(event)) {
                return Some(Err(error));
            }
        }
    }
}

impl<T> FusedIterator for Replies<'_, T> {}
