//! A call under way.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;

use super::{CallId, Link};
use crate::connection::CallError;

/// A call that waits for its reply. Dropped before that, it is canceled.
pub(in crate::client) struct Call {
    pub(super) link: Arc<Link>,
    pub(super) id: CallId,
}

impl Call {
    pub(in crate::client) fn id(&self) -> CallId {
        self.id
    }

    /// Waits until the call is over, and takes what it gave: the JSON of its result.
    pub(in crate::client) async fn reply(&self) -> Result<Bytes, CallError> {
        poll_fn(|cx| {
            let mut state = self.link.state();
            if let Some(reply) = state.connection.take_reply(self.id) {
                return Poll::Ready(reply);
            }
            state.callers.insert(self.id, cx.waker().clone());
            Poll::Pending
        })
        .await
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let mut state = self.link.state();
        state.callers.remove(&self.id);
        state.connection.cancel(self.id);
        if !state.connection.outgoing().is_empty() {
            state.wake_reader();
        }
    }
}
