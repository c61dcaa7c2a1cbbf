//! Waiting for sockets and for the time.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::io;

use tokio::io::unix::AsyncFd;
use tokio::time::{Instant, Sleep};

use crate::Error;
use crate::socket::Socket;

/// Wakes a task when something may have come on one of its sockets.
pub(super) struct Waiter {
    sockets: Vec<AsyncFd<Arc<Socket>>>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Waiter {
    #[allow(
        deprecated,
        reason = "`register`, which came later, is unsafe for the sake of types that close their descriptor early; this \
                  one keeps it open"
    )]
    pub(super) fn new(sockets: &[&Arc<Socket>]) -> Result<Self, Error> {
        let watched = sockets.iter().map(|socket| AsyncFd::new(Arc::clone(socket)));
        Ok(Self {
            sockets: watched.collect::<io::Result<_>>().map_err(refused)?,
            sleep: None,
        })
    }

    /// Ready when something may have come since the last call, or at `until`. Who calls has tried to read before, and
    /// tries again after.
    pub(super) fn poll(
        &mut self,
        context: &mut Context<'_>,
        until: Option<Instant>,
    ) -> Poll<Result<(), Error>> {
        for socket in &self.sockets {
            if let Poll::Ready(readiness) = socket.poll_read_ready(context) {
                readiness.map_err(refused)?.clear_ready();
                return Poll::Ready(Ok(()));
            }
        }
        let Some(until) = until else {
            return Poll::Pending;
        };
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(until)));
        if sleep.deadline() != until {
            sleep.as_mut().reset(until);
        }
        sleep.as_mut().poll(context).map(Ok)
    }
}

impl fmt::Debug for Waiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiter")
            .field("sockets", &self.sockets)
            .finish_non_exhaustive()
    }
}

fn refused(source: io::Error) -> Error {
    Error::Io {
        operation: "epoll",
        source,
    }
}
