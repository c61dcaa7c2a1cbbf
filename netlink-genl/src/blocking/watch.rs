//! Watching the ports of a datapath, waiting for each event.

use core::time::Duration;
use std::time::Instant;

use crate::Error;
use crate::link::{Follower, Step};
use crate::socket;
use crate::watch::Event;

/// The ports of a datapath, and what happens to them.
///
/// Nothing is lost silently: see [`watch`](crate::watch). It sees the network namespace of the [`Ovs`](super::Ovs) that
/// made it, and does nothing between two calls of [`Watch::event`].
///
/// ```no_run
/// use std::time::Duration;
///
/// use netlink_genl::blocking::Ovs;
/// use netlink_genl::socket::Options;
/// use netlink_genl::watch::{Event, Why};
///
/// let mut ovs = Ovs::open()?;
/// let datapath = ovs.datapath_by_name(c"ovs-system")?;
/// let mut watch = ovs.watch(datapath.ifindex, &Options::default())?;
/// println!("{} ports", watch.ports().count());
/// while !watch.is_deleted() {
///     match watch.event(Duration::from_secs(60))? {
///         Some(Event::Removed { port, why: Why::Vanished { nsid } }) => {
///             println!("{:?} went with namespace {nsid}, and nobody was told", port.name);
///         }
///         Some(event) => println!("{event:?}"),
///         None => println!("a quiet minute"),
///     }
/// }
/// # Ok::<(), netlink_genl::Error>(())
/// ```
pub struct Watch {
    pub(crate) follower: Follower,
}

impl Watch {
    pub(crate) fn new(follower: Follower) -> Result<Self, Error> {
        Ok(Self { follower })
    }

    /// Waits for the next event, not longer than `within`; `None` if there is none, and at once if the datapath is
    /// gone.
    ///
    /// # Errors
    /// [`Error::UnexpectedSource`] if another process sent to the groups; [`Error::Io`]; and as
    /// [`Ovs::vports`](super::Ovs::vports) and its items if ports cannot be listed. After an error the next call goes
    /// on: no event is lost by it.
    pub fn event(&mut self, within: Duration) -> Result<Option<Event>, Error> {
        let until = Instant::now().checked_add(within);
        loop {
            if let Some(event) = self.follower.watcher.event() {
                return Ok(Some(event));
            }
            if self.is_deleted() || !self.step(until)? {
                return Ok(None);
            }
        }
    }

    /// Makes the first list.
    pub(crate) fn settle(&mut self) -> Result<(), Error> {
        while !self.follower.is_settled() {
            self.step(None)?;
        }
        Ok(())
    }

    /// Does what there is to do, or waits for it; `false` if there was nothing until then.
    fn step(&mut self, until: Option<Instant>) -> Result<bool, Error> {
        let Step::Idle(due) = self.follower.step()? else {
            return Ok(true);
        };
        let now = Instant::now();
        if until.is_some_and(|until| until <= now) {
            return Ok(false);
        }
        let due = due.map(|due| self.follower.start() + due);
        let next = due.into_iter().chain(until).min();
        let left = next.map_or(Duration::MAX, |next| next.saturating_duration_since(now));
        socket::wait_for_any(self.follower.sockets().map(|socket| &**socket), left)?;
        Ok(true)
    }
}
