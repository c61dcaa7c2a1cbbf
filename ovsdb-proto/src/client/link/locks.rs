//! The locks of a connection: RFC 7047 sections 4.1.8 to 4.1.10.

use serde::Deserialize;
use tokio::sync::watch;

use super::Link;
use crate::rpc::JsonError;

/// Whether a lock is owned.
#[derive(Debug)]
pub(in crate::client) struct LockState(watch::Sender<bool>);

impl LockState {
    pub(super) fn new(owned: bool) -> Self {
        Self(watch::Sender::new(owned))
    }
}

impl Link {
    /// Whether a lock is owned, now and later. Closed when the connection has ended.
    pub(in crate::client) fn watch_lock(&self, name: &str) -> Option<watch::Receiver<bool>> {
        self.state().locks.get(name).map(|lock| lock.0.subscribe())
    }

    /// Gives a lock back.
    pub(in crate::client) fn unlock(&self, name: &str) {
        if self.state().locks.remove(name).is_some() {
            self.send_and_forget("unlock", &[name]);
        }
    }

    /// Takes a `locked` or a `stolen`. The reader sees it in its place between the replies.
    pub(super) fn note_lock(&self, params: &[u8], owned: bool) {
        if let Ok((name,)) = JsonError::decode::<(String,)>(params) {
            if let Some(lock) = self.state().locks.get(&name) {
                lock.0.send_replace(owned);
            }
        }
    }
}

/// Reads the reply to `lock` or `steal`.
pub(super) fn is_locked(reply: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Reply {
        locked: bool,
    }
    JsonError::decode::<Reply>(reply).is_ok_and(|reply| reply.locked)
}
