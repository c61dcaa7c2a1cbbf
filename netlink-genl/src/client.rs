//! A client for programs with tokio: the names of [`blocking`](crate::blocking), with `.await`.
//!
//! Whatever is awaited here may be dropped before it is done, in `select!` for one. A request is sent before the first
//! wait, so that a change may have been made; its answer is read and dropped before the next request. A [`Watch`] loses
//! no event by it.
//!
//! It takes a runtime with I/O and time enabled: outside of one, opening panics, as tokio's own types do.
//!
//! ```no_run
//! use netlink_genl::client::Ovs;
//!
//! # async fn example() -> Result<(), netlink_genl::Error> {
//! let mut ovs = Ovs::open().await?;
//! let datapath = ovs.datapath_by_name(c"ovs-system").await?;
//! let mut ports = ovs.vports(datapath.ifindex).await?;
//! while let Some(port) = ports.next().await {
//!     println!("{:?}", port?.name);
//! }
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "write")]
mod upcalls;
mod waiter;
mod watch;

use alloc::vec::Vec;
use core::future::poll_fn;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures_core::Stream;
use tokio::time::Instant;

#[cfg(feature = "write")]
pub use self::upcalls::Upcalls;
use self::waiter::Waiter;
pub use self::watch::Watch;
#[cfg(feature = "write")]
pub use crate::admin::client::Admin;
#[cfg(feature = "write")]
#[doc(no_inline)]
pub use crate::ovs::{
    datapath::{PerCpu, Settings},
    flow::NewFlow,
    meter::{NewBand, NewMeter},
    vport::{NewVport, Upcall},
};
pub use crate::reader::client::Ovs;

use crate::Error;
use crate::exchange::{Answers, Event};
use crate::link::Link;
use crate::message::DecodeError;
use crate::socket::Options;

/// A socket with one request at a time under way, for any family.
#[derive(Debug)]
pub struct Connection {
    waiter: Waiter,
    /// When it has waited long enough.
    until: Option<Instant>,
    pub(crate) link: Link,
}

impl Connection {
    /// Opens a socket.
    ///
    /// # Errors
    /// As [`Socket::open`](crate::socket::Socket::open).
    ///
    /// # Panics
    /// Outside of a runtime.
    pub fn open() -> Result<Self, Error> {
        Self::with_options(&Options::default())
    }

    /// As [`Connection::open`], with a socket of one's own choice.
    ///
    /// # Errors
    /// As [`Connection::open`].
    ///
    /// # Panics
    /// As [`Connection::open`].
    pub fn with_options(options: &Options) -> Result<Self, Error> {
        let link = Link::open(options)?;
        Ok(Self {
            waiter: Waiter::new(&[link.socket()])?,
            until: None,
            link,
        })
    }

    pub(crate) fn into_link(self) -> Link {
        self.link
    }

    /// Waits for one datagram and hands out the part of the answer that it holds.
    pub(crate) async fn receive(
        &mut self,
        mut each: impl FnMut(Result<Event<'_>, DecodeError>),
    ) -> Result<(), Error> {
        poll_fn(|context| self.poll_receive(context, &mut each)).await
    }

    fn poll_receive(
        &mut self,
        context: &mut Context<'_>,
        mut each: impl FnMut(Result<Event<'_>, DecodeError>),
    ) -> Poll<Result<(), Error>> {
        loop {
            // The kernel answers most requests before they are sent, so to say: then there is nothing to wait for.
            let taken = self.link.take(&mut each);
            if !matches!(taken, Ok(false)) {
                self.until = None;
                return Poll::Ready(taken.map(drop));
            }
            let now = Instant::now();
            let until = *self.until.get_or_insert(now + self.link.timeout());
            if until <= now {
                self.until = None;
                return Poll::Ready(Err(self.link.timed_out()));
            }
            ready!(self.waiter.poll(context, Some(until)))?;
        }
    }
}

/// The answer to a request, one object at a time: [`blocking::Replies`](crate::blocking::Replies) for tokio.
#[derive(Debug)]
#[must_use = "an answer is read by taking its objects"]
pub struct Replies<'c, T> {
    pub(crate) connection: &'c mut Connection,
    pub(crate) answers: Answers<T>,
}

impl<T> Replies<'_, T> {
    /// The next object; `None` at the end of the answer.
    pub async fn next(&mut self) -> Option<Result<T, Error>> {
        poll_fn(|context| self.poll(context)).await
    }

    /// The whole answer.
    ///
    /// # Errors
    /// The first item that is an error.
    pub async fn whole(mut self) -> Result<Vec<T>, Error> {
        let mut whole = Vec::new();
        while let Some(object) = self.next().await {
            whole.push(object?);
        }
        Ok(whole)
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<T, Error>>> {
        let Self { connection, answers } = self;
        loop {
            if let Some(answer) = answers.next() {
                return Poll::Ready(Some(answer));
            }
            if !connection.link.is_pending() {
                return Poll::Ready(None);
            }
            if let Err(error) = ready!(connection.poll_receive(context, |event| answers.add(event))) {
                return Poll::Ready(Some(Err(error)));
            }
        }
    }
}

impl<T> Stream for Replies<'_, T> {
    type Item = Result<T, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll(context)
    }
}

impl<T> Unpin for Replies<'_, T> {}
