//! The queue of one monitor.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::Notify;

use super::Link;
use crate::client::Error;

/// The updates of one monitor. Dropped, it ends the monitor.
pub(in crate::client) struct Updates {
    pub(super) link: Arc<Link>,
    pub(super) monitor: u64,
    pub(super) arrived: Arc<Notify>,
    /// The server has the monitor.
    pub(super) live: bool,
}

/// One notification for a monitor.
pub(in crate::client) enum Notice {
    /// `update`, `update2` or `update3`, and its parameters.
    Update(&'static str, Bytes),
    /// `monitor_canceled`.
    Canceled,
}

pub(super) struct Queue {
    pub(super) notices: VecDeque<Notice>,
    pub(super) bytes: usize,
    pub(super) arrived: Arc<Notify>,
}

impl Updates {
    /// The id of the monitor.
    pub(in crate::client) fn monitor(&self) -> u64 {
        self.monitor
    }

    /// Says that the server has the monitor.
    pub(in crate::client) fn started(&mut self) {
        self.live = true;
    }

    /// The next notification. What arrived before the connection ended is given first.
    pub(in crate::client) async fn next(&self) -> Result<Notice, Error> {
        loop {
            let arrived = self.arrived.notified();
            if let Some(next) = self.try_next() {
                return next;
            }
            arrived.await;
        }
    }

    fn try_next(&self) -> Option<Result<Notice, Error>> {
        let mut state = self.link.state();
        let notice = state.queues.get_mut(&self.monitor).and_then(Queue::pop);
        match notice {
            Some(notice) => {
                state.queued -= notice.len();
                self.link.gate.notify_one();
                Some(Ok(notice))
            }
            None => state.closed.clone().map(Err),
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
        if let Some(queue) = state.queues.remove(&self.monitor) {
            state.queued -= queue.bytes;
        }
        drop(state);
        self.link.gate.notify_one();
        if self.live {
            self.link.send_and_forget("monitor_cancel", &[self.monitor]);
        }
    }
}

impl Queue {
    pub(super) fn new(arrived: &Arc<Notify>) -> Self {
        Self {
            notices: VecDeque::new(),
            bytes: 0,
            arrived: Arc::clone(arrived),
        }
    }

    fn pop(&mut self) -> Option<Notice> {
        let notice = self.notices.pop_front()?;
        self.bytes -= notice.len();
        Some(notice)
    }
}

impl Notice {
    /// What it counts in the queue: its bytes, and some for itself.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Update(_, params) => size_of::<Self>() + params.len(),
            Self::Canceled => size_of::<Self>(),
        }
    }
}
