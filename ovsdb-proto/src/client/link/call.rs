//! A call under way.

use std::sync::Arc;

use super::{Body, Link, Slot};

/// A call that waits for its reply. Dropped before that, it is canceled.
pub(in crate::client) struct Call {
    pub(super) link: Arc<Link>,
    pub(super) id: u64,
    pub(super) patient: bool,
}

impl Call {
    pub(in crate::client) fn id(&self) -> u64 {
        self.id
    }

    /// Whether the call has not reached the peer, and never will.
    pub(in crate::client) fn is_unsent(&self) -> bool {
        let state = self.link.state();
        let unsent = matches!(state.slots.get(&self.id), Some(Slot::Waiting { sent: false, .. }));
        unsent && state.closed.is_some()
    }

    /// What the call gave, once the engine says that it is complete.
    pub(in crate::client) fn take(&self) -> Option<Body> {
        match self.link.state().slots.remove(&self.id) {
            Some(Slot::Done(body, _)) => Some(body),
            _ => None,
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let mut state = self.link.state();
        state.calls -= 1;
        state.patient -= usize::from(self.patient);
        let open = state.closed.is_none();
        match state.slots.remove(&self.id) {
            Some(Slot::Waiting { starts, .. }) if open => {
                state.slots.insert(self.id, Slot::Abandoned { starts });
                drop(state);
                self.link.cancel(self.id);
            }
            Some(Slot::Done(Ok(_), starts)) => {
                drop(state);
                self.link.end(&starts);
            }
            _ => {}
        }
    }
}
