//! Watching the ports of a datapath, as a stream.

use core::future::poll_fn;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures_core::Stream;

use super::waiter::Waiter;
use crate::Error;
use crate::link::{Follower, Step};
use crate::watch::Event;

/// The ports of a datapath, and what happens to them: a stream that ends when the datapath is gone.
///
/// It is [`blocking::Watch`](crate::blocking::Watch) for tokio. An error does not end it: what comes after goes on, and no
/// event is lost.
///
/// ```no_run
/// use netlink_genl::client::Ovs;
/// use netlink_genl::socket::Options;
///
/// # async fn example() -> Result<(), netlink_genl::Error> {
/// let mut ovs = Ovs::open().await?;
/// let datapath = ovs.datapath_by_name(c"ovs-system").await?;
/// let mut watch = ovs.watch(datapath.ifindex, &Options::default()).await?;
/// println!("{} ports", watch.ports().count());
/// while let Some(event) = watch.event().await? {
///     println!("{event:?}");
/// }
/// # Ok(())
/// # }
/// ```
pub struct Watch {
    waiter: Waiter,
    pub(crate) follower: Follower,
}

impl Watch {
    pub(crate) fn new(follower: Follower) -> Result<Self, Error> {
        let waiter = Waiter::new(&follower.sockets())?;
        Ok(Self { waiter, follower })
    }

    /// Waits for the next event; `None` if the datapath is gone. To wait not longer than some time, put it into
    /// [`timeout`](tokio::time::timeout): nothing is lost by that.
    ///
    /// # Errors
    /// As [`blocking::Watch::event`](crate::blocking::Watch::event).
    pub async fn event(&mut self) -> Result<Option<Event>, Error> {
        poll_fn(|context| self.poll_event(context)).await
    }

    /// Makes the first list.
    pub(crate) async fn settle(&mut self) -> Result<(), Error> {
        poll_fn(|context| self.poll_until(context, |follower| follower.is_settled().then_some(()))).await
    }

    fn poll_event(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Event>, Error>> {
        self.poll_until(context, |follower| match follower.watcher.event() {
            Some(event) => Some(Some(event)),
            None => follower.watcher.is_deleted().then_some(None),
        })
    }

    /// Does what there is to do until `done` has something.
    fn poll_until<T>(
        &mut self,
        context: &mut Context<'_>,
        done: impl Fn(&mut Follower) -> Option<T>,
    ) -> Poll<Result<T, Error>> {
        for _ in 0..STEPS {
            if let Some(done) = done(&mut self.follower) {
                return Poll::Ready(Ok(done));
            }
            if let Step::Idle(due) = self.follower.step()? {
                let due = due.map(|due| (self.follower.start() + due).into());
                ready!(self.waiter.poll(context, due))?;
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Stream for Watch {
    type Item = Result<Event, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_event(context).map(Result::transpose)
    }
}

/// Datagrams in a row, after which other tasks have their turn.
const STEPS: usize = 32;
