//! Locks.

use std::fmt;
use std::sync::Arc;

use super::link::Link;
use super::{Client, Error};
use crate::connection::Starts;

/// A lock that was asked for, and is owned sooner or later. Dropped, it is given back.
///
/// A lock belongs to the connection and to this one server: it is not shared by a cluster. Another
/// client can steal it. So a transaction that needs it says so, by
/// [`Transaction::assert`](crate::transaction::Transaction::assert).
///
/// ```no_run
/// use ovsdb_proto::client::{Client, Error};
///
/// # async fn example(client: &Client) -> Result<(), Error> {
/// let mut lock = client.lock("my_program").await?;
/// lock.owned().await?;
/// println!("no other instance is at work");
/// lock.lost().await?;
/// # Ok(())
/// # }
/// ```
pub struct Lock {
    link: Arc<Link>,
    name: String,
}

impl Lock {
    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the lock is owned, as far as the server has said.
    #[must_use]
    pub fn is_owned(&self) -> bool {
        self.link.is_lock_owned(&self.name) == Some(true)
    }

    /// Waits until the lock is owned.
    ///
    /// # Errors
    ///
    /// Why the connection has ended.
    pub async fn owned(&mut self) -> Result<(), Error> {
        self.link.lock_becomes(&self.name, true).await
    }

    /// Waits until the lock is not owned: until another client has stolen it. It stays asked for,
    /// and is owned again when that client gives it back.
    ///
    /// # Errors
    ///
    /// Why the connection has ended.
    pub async fn lost(&mut self) -> Result<(), Error> {
        self.link.lock_becomes(&self.name, false).await
    }
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock")
            .field("name", &self.name)
            .field("owned", &self.is_owned())
            .finish_non_exhaustive()
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.link.unlock(&self.name);
    }
}

impl Client {
    /// Asks for a lock. It is owned when no other client has it any more.
    ///
    /// # Errors
    ///
    /// [`Error::Rpc`] if the name is no identifier or this connection has asked for the lock
    /// already; else as [`call`](Self::call).
    pub async fn lock(&self, name: &str) -> Result<Lock, Error> {
        self.ask_for_lock("lock", name).await
    }

    /// Takes a lock, from another client if need be.
    ///
    /// # Errors
    ///
    /// As [`lock`](Self::lock).
    pub async fn steal(&self, name: &str) -> Result<Lock, Error> {
        self.ask_for_lock("steal", name).await
    }

    async fn ask_for_lock(&self, method: &'static str, name: &str) -> Result<Lock, Error> {
        let starts = Starts::Lock(name.to_owned());
        self.call_starting(method, &[name], starts).await?;
        Ok(Lock {
            link: Arc::clone(self.link()),
            name: name.to_owned(),
        })
    }
}
