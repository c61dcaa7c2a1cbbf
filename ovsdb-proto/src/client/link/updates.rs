//! The notifications for one monitor.

use std::fmt;
use std::sync::Arc;

use tokio::sync::Notify;

use super::Link;
use crate::connection::{End, MonitorId, Notice};

/// Dropped, it ends the monitor.
pub(in crate::client) struct Updates {
    pub(super) link: Arc<Link>,
    pub(super) monitor: MonitorId,
    pub(super) arrived: Arc<Notify>,
    /// The server has the monitor.
    pub(super) live: bool,
}

impl Updates {
    /// The id of the monitor.
    pub(in crate::client) fn monitor(&self) -> MonitorId {
        self.monitor
    }

    /// Says that the server has the monitor.
    pub(in crate::client) fn started(&mut self) {
        self.live = true;
    }

    /// The next notification. What arrived before the connection ended is given first.
    pub(in crate::client) async fn next(&self) -> Result<Notice, End> {
        loop {
            let arrived = self.arrived.notified();
            if let Some(next) = self.try_next() {
                return next;
            }
            arrived.await;
        }
    }

    fn try_next(&self) -> Option<Result<Notice, End>> {
        let mut state = self.link.state();
        let was_shut = state.connection.is_shut();
        match state.connection.take_notice(self.monitor) {
            Some(notice) => {
                if was_shut {
                    state.wake_reader();
                }
                Some(Ok(notice))
            }
            None => state.connection.ended().cloned().map(Err),
        }
    }
}

impl fmt::Debug for Updates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { monitor, live, .. } = self;
        f.debug_struct("Updates")
            .field("monitor", monitor)
            .field("live", live)
            .finish_non_exhaustive()
    }
}

impl Drop for Updates {
    fn drop(&mut self) {
        let mut state = self.link.state();
        state.arrivals.remove(&self.monitor);
        state.connection.unsubscribe(self.monitor, self.live);
        state.wake_reader();
    }
}
