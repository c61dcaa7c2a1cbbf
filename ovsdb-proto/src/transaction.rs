//! Transactions: operations that happen together or not at all.
//!
//! A [`Transaction`] is built, checked against a schema, and sent: by
//! `client::Client::transact`, or as the parameters of the method `transact`, which it
//! serializes to. [`Transaction::results`] reads the reply.
//!
//! ```
//! use ovsdb_proto::operation::{Condition, Mutation};
//! use ovsdb_proto::transaction::Transaction;
//!
//! # fn main() -> Result<(), serde_json::Error> {
//! let mut transaction = Transaction::new("Open_vSwitch");
//! let interface = transaction.insert("Interface", [("name", "p1".into())]);
//! let port = transaction.insert("Port", [("name", "p1".into()), ("interfaces", (&interface).into())]);
//! transaction.mutate("Bridge", [Condition::equal("name", "br0")], [Mutation::insert("ports", [&port])]);
//! let params = serde_json::to_value(&transaction)?;
//! assert_eq!(params[0], "Open_vSwitch");
//! assert_eq!(params[2]["row"]["interfaces"], serde_json::json!(["named-uuid", "row0"]));
//! # Ok(())
//! # }
//! ```

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use serde::ser::{Serialize, SerializeSeq, Serializer};
use thiserror::Error;

use crate::operation::{CheckError, Condition, Mutation, Operation, Until};
use crate::schema::DatabaseSchema;
use crate::value::{Atom, Datum, Row, Uuid};

mod outcome;

pub use self::outcome::{Aborted, Committed, OperationResult};

/// Operations on one database that happen together or not at all.
///
/// It serializes to the parameters of `transact`: the name of the database, then the operations.
#[derive(Debug, Clone, PartialEq)]
pub struct Transaction {
    database: String,
    operations: Vec<Operation>,
}

/// An operation's place in its transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationId(usize);

/// A row that a transaction inserts. Its reference can stand wherever a UUID can.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRow {
    operation: OperationId,
    reference: Atom,
}

/// An operation does not fit the schema.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("operation {operation} ({name}) does not fit the schema")]
pub struct Invalid {
    /// Which one.
    pub operation: OperationId,
    /// Its name.
    pub name: &'static str,
    /// Why.
    #[source]
    pub source: CheckError,
}

impl Transaction {
    /// A transaction without operations.
    #[must_use]
    pub fn new(database: impl Into<String>) -> Self {
        Self {
            database: database.into(),
            operations: Vec::new(),
        }
    }

    /// The database.
    #[must_use]
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The operations.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// Adds any operation.
    pub fn push(&mut self, operation: Operation) -> OperationId {
        let id = OperationId(self.operations.len());
        self.operations.push(operation);
        id
    }

    /// Inserts a row. The server chooses its UUID.
    pub fn insert(&mut self, table: impl Into<String>, row: impl Into<Row>) -> NewRow {
        // The place makes it unique, whatever operations stand between.
        let name = format!("row{}", self.operations.len());
        let operation = self.push(Operation::Insert {
            table: table.into(),
            row: row.into(),
            uuid_name: Some(name.clone()),
            uuid: None,
        });
        NewRow {
            operation,
            reference: Atom::NamedUuid(name),
        }
    }

    /// Inserts a row with a UUID of our choice: see [`Uuid::random`]. Such a transaction can be
    /// committed only once, so that an unknown outcome can be resolved. Let it be the first operation,
    /// so that no other fails first in an attempt that is one too many. Needs ovsdb-server 2.13.
    pub fn insert_with_uuid(&mut self, table: impl Into<String>, uuid: Uuid, row: impl Into<Row>) -> NewRow {
        let operation = self.push(Operation::Insert {
            table: table.into(),
            row: row.into(),
            uuid_name: None,
            uuid: Some(uuid),
        });
        NewRow {
            operation,
            reference: Atom::Uuid(uuid),
        }
    }

    /// Reads columns of the rows for which all conditions are true.
    pub fn select<C: Into<String>>(
        &mut self,
        table: impl Into<String>,
        conditions: impl IntoIterator<Item = Condition>,
        columns: impl IntoIterator<Item = C>,
    ) -> OperationId {
        self.push(Operation::Select {
            table: table.into(),
            conditions: conditions.into_iter().collect(),
            columns: Some(columns.into_iter().map(Into::into).collect()),
            sort: None,
        })
    }

    /// Overwrites columns of the rows for which all conditions are true.
    pub fn update(
        &mut self,
        table: impl Into<String>,
        conditions: impl IntoIterator<Item = Condition>,
        row: impl Into<Row>,
    ) -> OperationId {
        self.push(Operation::Update {
            table: table.into(),
            conditions: conditions.into_iter().collect(),
            row: row.into(),
        })
    }

    /// Changes columns, in place, of the rows for which all conditions are true.
    pub fn mutate(
        &mut self,
        table: impl Into<String>,
        conditions: impl IntoIterator<Item = Condition>,
        mutations: impl IntoIterator<Item = Mutation>,
    ) -> OperationId {
        self.push(Operation::Mutate {
            table: table.into(),
            conditions: conditions.into_iter().collect(),
            mutations: mutations.into_iter().collect(),
        })
    }

    /// Deletes the rows for which all conditions are true.
    pub fn delete(
        &mut self,
        table: impl Into<String>,
        conditions: impl IntoIterator<Item = Condition>,
    ) -> OperationId {
        self.push(Operation::Delete {
            table: table.into(),
            conditions: conditions.into_iter().collect(),
        })
    }

    /// Gives the transaction up unless a row exists for which all conditions are true, and its
    /// column is, or is not, `value`. More than one such row is as good as none.
    pub fn require(
        &mut self,
        table: impl Into<String>,
        conditions: impl IntoIterator<Item = Condition>,
        column: impl Into<String>,
        until: Until,
        value: impl Into<Datum>,
    ) -> OperationId {
        let column = column.into();
        self.push(Operation::Wait {
            table: table.into(),
            conditions: conditions.into_iter().collect(),
            columns: Some(vec![column.clone()]),
            until,
            rows: vec![Row::from([(column, value.into())])],
            timeout: Some(Duration::ZERO),
        })
    }

    /// Writes a text to the server's log of the database.
    pub fn comment(&mut self, comment: impl Into<String>) -> OperationId {
        self.push(Operation::Comment {
            comment: comment.into(),
        })
    }

    /// Gives the transaction up unless the client owns a lock.
    pub fn assert(&mut self, lock: impl Into<String>) -> OperationId {
        self.push(Operation::Assert { lock: lock.into() })
    }

    /// Wants the transaction on the disk before the reply.
    pub fn durable(&mut self) -> OperationId {
        self.push(Operation::Commit { durable: true })
    }

    /// Checks every operation, see [`Operation::check`], and that no two new rows have the same name.
    ///
    /// # Errors
    ///
    /// [`Invalid`] for the first that does not fit.
    pub fn check(&self, schema: &DatabaseSchema) -> Result<(), Invalid> {
        let mut names = BTreeSet::new();
        for (at, operation) in self.operations.iter().enumerate() {
            let checked = operation.check(schema).and_then(|()| match operation {
                Operation::Insert {
                    uuid_name: Some(name),
                    ..
                } if !names.insert(name) => Err(CheckError::DuplicateName { name: name.clone() }),
                _ => Ok(()),
            });
            checked.map_err(|source| Invalid {
                operation: OperationId(at),
                name: operation.name(),
                source,
            })?;
        }
        Ok(())
    }

    /// Whether it can be committed only once, because it inserts a row with a UUID of our choice.
    #[must_use]
    pub fn is_guarded(&self) -> bool {
        self.guard().is_some()
    }

    /// The transaction behind a `wait` that fails if the first row with a UUID of our choice is
    /// there, and the operation that inserts that row. `None` if there is no such row.
    #[cfg(feature = "client")]
    pub(crate) fn once(&self) -> Option<(Self, OperationId)> {
        let (at, table, uuid) = self.guard()?;
        let absent = Operation::Wait {
            table: table.to_owned(),
            conditions: vec![Condition::uuid(uuid)],
            columns: Some(vec!["_uuid".to_owned()]),
            until: Until::Equal,
            rows: Vec::new(),
            timeout: Some(Duration::ZERO),
        };
        let operations = std::iter::once(absent).chain(self.operations.iter().cloned());
        let attempt = Self {
            database: self.database.clone(),
            operations: operations.collect(),
        };
        Some((attempt, OperationId(at + 1)))
    }

    fn guard(&self) -> Option<(usize, &str, Uuid)> {
        let mut operations = self.operations.iter().enumerate();
        operations.find_map(|(at, operation)| match operation {
            Operation::Insert {
                table,
                uuid: Some(uuid),
                ..
            } => Some((at, table.as_str(), *uuid)),
            _ => None,
        })
    }
}

impl OperationId {
    /// The place, from 0.
    #[must_use]
    pub fn index(self) -> usize {
        self.0
    }
}

impl NewRow {
    /// The operation that inserts it.
    #[must_use]
    pub fn operation(&self) -> OperationId {
        self.operation
    }
}

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<&NewRow> for Atom {
    fn from(row: &NewRow) -> Self {
        row.reference.clone()
    }
}

impl From<&NewRow> for Datum {
    fn from(row: &NewRow) -> Self {
        row.reference.clone().into()
    }
}

impl Serialize for Transaction {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(Some(1 + self.operations.len()))?;
        seq.serialize_element(&self.database)?;
        for operation in &self.operations {
            seq.serialize_element(operation)?;
        }
        seq.end()
    }
}

#[cfg(test)]
mod tests;
