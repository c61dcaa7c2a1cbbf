//! Taking packets from a datapath, as a stream.

use core::future::poll_fn;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures_core::Stream;

use super::waiter::Waiter;
use crate::Error;
use crate::link::Inbox;
use crate::ovs::packet::Packet;

/// Packets that ports or a datapath send to [`Upcalls::port`]: a stream without end.
///
/// It is [`blocking::Upcalls`](crate::blocking::Upcalls) for tokio.
#[derive(Debug)]
pub struct Upcalls {
    waiter: Waiter,
    pub(crate) inbox: Inbox,
}

impl Upcalls {
    pub(crate) fn new(inbox: Inbox) -> Result<Self, Error> {
        let waiter = Waiter::new(&[inbox.socket()])?;
        Ok(Self { waiter, inbox })
    }

    /// Waits for the next packet. The wait may be dropped.
    ///
    /// # Errors
    /// As [`blocking::Upcalls::packet`](crate::blocking::Upcalls::packet).
    pub async fn packet(&mut self) -> Result<Packet, Error> {
        poll_fn(|context| self.poll_packet(context)).await
    }

    fn poll_packet(&mut self, context: &mut Context<'_>) -> Poll<Result<Packet, Error>> {
        loop {
            if let Some(packet) = self.inbox.take()? {
                return Poll::Ready(Ok(packet));
            }
            ready!(self.waiter.poll(context, None))?;
        }
    }
}

impl Stream for Upcalls {
    type Item = Result<Packet, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_packet(context).map(Some)
    }
}
