//! A call under way.

use std::sync::Arc;

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

    /// What the call gave, once the engine says that it is over.
    pub(in crate::client) fn take(&self) -> Option<Result<Bytes, CallError>> {
        self.link.state().connection.take_reply(self.id)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let mut state = self.link.state();
        state.connection.cancel(self.id);
        if !state.connection.outgoing().is_empty() {
            state.wake_reader();
        }
    }
}
