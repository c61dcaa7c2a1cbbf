//! Transactions on a connection.

use std::collections::BTreeMap;
use std::sync::{Arc, MutexGuard, PoisonError};

use thiserror::Error;

use super::{Client, Error};
use crate::connection::{CallError, Starts};
use crate::rpc::{ErrorKind, ErrorReply};
use crate::schema::DatabaseSchema;
use crate::transaction::{Aborted, Committed, Invalid, Transaction};

/// Why a transaction was not committed, or may not have been.
///
/// [`Indeterminate`](Self::Indeterminate) leaves open what happened, and so may
/// [`Aborted`](Self::Aborted) in a cluster; of each other variant it is certain that nothing did.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum TransactError {
    /// It does not fit the schema, and was not sent.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// It was not sent: the connection was gone, or the schema could not be read.
    #[error("transaction not sent")]
    NotSent(#[source] Error),
    /// The server refused to look at it.
    #[error("transaction refused: {0}")]
    Refused(ErrorReply),
    /// The server gave it up.
    ///
    /// A member of a cluster that loses its leader while it commits tries the transaction again by
    /// itself (`ovsdb_trigger_try()` in ovsdb/trigger.c). What it says is about the last attempt,
    /// and an earlier one may have been committed. A transaction that begins with an insertion with
    /// a UUID of our choice finds that out: it is [`ErrorKind::DuplicateUuid`] then.
    #[error(transparent)]
    Aborted(#[from] Aborted),
    /// It was sent, and there is no reply that says what became of it. It may have been committed,
    /// or may still be. Never send it again as it is: see [`Client::resolve`].
    #[error("transaction sent, outcome unknown")]
    Indeterminate(#[source] Error),
    /// [`Client::resolve`] needs a transaction that can be committed only once: one with an
    /// insertion whose UUID we chose.
    #[error("transaction has no guard")]
    Unguarded,
}

/// What became of a transaction in the end.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Resolution {
    /// It was committed the first time.
    Before,
    /// It was not, but is now.
    Now(Committed),
}

impl TransactError {
    /// Whether there is reason to believe that the transaction was committed nevertheless:
    /// [`Indeterminate`](Self::Indeterminate), and the abort of one whose UUID is there already.
    /// [`Client::resolve`] finds out.
    #[must_use]
    pub fn is_indeterminate(&self) -> bool {
        match self {
            Self::Indeterminate(_) => true,
            Self::Aborted(aborted) => aborted.error.kind() == ErrorKind::DuplicateUuid,
            _ => false,
        }
    }

    /// What the server said about the transaction, if it said something.
    #[must_use]
    pub fn reply(&self) -> Option<&ErrorReply> {
        match self {
            Self::Refused(error) | Self::Aborted(Aborted { error, .. }) => Some(error),
            _ => None,
        }
    }
}

impl Client {
    /// Commits a transaction. It is checked against the schema first, which is read once for each
    /// connection, and read again before a transaction is refused by an old one.
    ///
    /// When it is committed, every monitor of this connection has the updates in its queue, before
    /// anything that comes later. It is never sent twice. Dropping the future leaves open whether
    /// it is committed.
    ///
    /// # Errors
    ///
    /// [`TransactError`] says whether something may have happened.
    pub async fn transact(&self, transaction: &Transaction) -> Result<Committed, TransactError> {
        let schema = self.checked_schema(transaction).await?;
        let call = self
            .start_call("transact", transaction, Starts::Nothing)
            .map_err(TransactError::NotSent)?;
        match self.inner.engine.make(&call).await {
            Ok(result) => match transaction.results(&schema, &result) {
                Ok(results) => Ok(results?),
                Err(error) => Err(TransactError::Indeterminate(Error::json("transact")(error))),
            },
            Err(CallError::Ended { end, sent: false }) => Err(TransactError::NotSent(end.into())),
            // A clustered server that was asked to cancel may commit nevertheless:
            // ovsdb_trigger_cancel() in ovsdb/trigger.c.
            Err(CallError::Refused(error)) if error.kind() != ErrorKind::Canceled => {
                Err(TransactError::Refused(error))
            }
            Err(error) => Err(TransactError::Indeterminate(Error::call("transact")(error))),
        }
    }

    /// Finds out what became of a transaction whose outcome is
    /// [`Indeterminate`](TransactError::Indeterminate), on a new connection: commits it unless it
    /// is committed already.
    ///
    /// The transaction must insert a row with a UUID of our choice:
    /// [`Transaction::insert_with_uuid`]. Whether the row is there is looked up in the same
    /// transaction; so the answer is certain unless somebody deleted the row in the meantime. And
    /// the server does not accept the UUID twice: if the first attempt is still under way, in a
    /// cluster that has lost its majority, at most one of the two is committed.
    ///
    /// # Errors
    ///
    /// [`TransactError::Unguarded`] if there is no such row; else as [`transact`](Self::transact).
    /// An abort says that it is not committed now.
    pub async fn resolve(&self, transaction: &Transaction) -> Result<Resolution, TransactError> {
        let (attempt, guard) = transaction.once().ok_or(TransactError::Unguarded)?;
        match self.transact(&attempt).await {
            Ok(committed) => Ok(Resolution::Now(committed.without_first())),
            Err(TransactError::Aborted(aborted))
                if aborted.is_first_unmet()
                    || (aborted.operation == Some(guard)
                        && aborted.error.kind() == ErrorKind::DuplicateUuid) =>
            {
                Ok(Resolution::Before)
            }
            Err(TransactError::Aborted(aborted)) => Err(aborted.without_first().into()),
            Err(error) => Err(error),
        }
    }

    /// The schema that a transaction fits.
    async fn checked_schema(&self, transaction: &Transaction) -> Result<Arc<DatabaseSchema>, TransactError> {
        let database = transaction.database();
        let known = self.schemas().get(database).cloned();
        if let Some(schema) = known.filter(|schema| transaction.check(schema).is_ok()) {
            return Ok(schema);
        }
        let schema = match self.get_schema(database).await {
            Ok(schema) => Arc::new(schema),
            Err(Error::Rpc { error, .. }) => return Err(TransactError::Refused(error)),
            Err(error) => return Err(TransactError::NotSent(error)),
        };
        self.schemas().insert(database.to_owned(), Arc::clone(&schema));
        transaction.check(&schema)?;
        Ok(schema)
    }

    fn schemas(&self) -> MutexGuard<'_, BTreeMap<String, Arc<DatabaseSchema>>> {
        self.inner.schemas.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
