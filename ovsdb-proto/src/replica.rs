//! A copy of the monitored columns, kept up to date by updates.
//!
//! A [`Replica`] takes the updates of any of the three monitor methods and says, as
//! [`RowChange`]s, what they changed. Its rows are whole: a column that an update leaves out has
//! its default value or the value that it had. An update that does not fit what is there is an
//! error, and changes nothing: then the copy is not the server's, and must be fetched again.
//!
//! Rows are kept as [`Row`]s, or, with less memory and time, as a type of yours: see [`Typed`].
//!
//! ```
//! use ovsdb_proto::monitor::MonitorRequest;
//! use ovsdb_proto::replica::{Change, Replica};
//! use ovsdb_proto::schema::DatabaseSchema;
//! use ovsdb_proto::value::Atom;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let schema = DatabaseSchema::parse(
//!     r#"{"name":"db","tables":{"T":{"columns":{"n":{"type":"integer"},"s":{"type":"string"}}}}}"#,
//! )?;
//! let request = MonitorRequest::new("db").all_columns("T").index("T", "s");
//! let mut replica = Replica::new(&schema, &request)?;
//!
//! let row = "17deb00b-9e3a-4b0c-9d6e-3b1c5a2f4e6d";
//! replica.apply(format!(r#"{{"T":{{"{row}":{{"insert":{{"s":"a"}}}}}}}}"#))?;
//! let changes = replica.apply(format!(r#"{{"T":{{"{row}":{{"modify":{{"n":1}}}}}}}}"#))?;
//! let Change::Modify { old, new, changed } = &changes[0].change else {
//!     panic!("the row was there");
//! };
//! assert_eq!(old.get("n"), Some(&Atom::Integer(0).into()));
//! assert_eq!(new.get("n"), Some(&Atom::Integer(1).into()));
//! assert_eq!(changed[0].as_ref(), "n");
//!
//! let table = replica.table("T").expect("it is monitored");
//! assert_eq!(table.find("s", "a").count(), 1);
//! # Ok(())
//! # }
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::cursor::Cursor;
use crate::monitor::{MonitorRequest, TableRequest};
use crate::operation::CheckError;
use crate::rpc::JsonError;
use crate::schema::{DatabaseSchema, TypeError};
use crate::value::{Row, Uuid, UuidError};

mod change;
mod columns;
mod form;
mod index;
mod table;

pub use self::change::{Change, RowChange};
pub use self::form::{Misfit, RowForm, Typed};
pub use self::table::Table;

/// The monitored columns of a database.
#[derive(Debug, Clone, PartialEq)]
pub struct Replica<R = Row> {
    database: String,
    tables: BTreeMap<Arc<str>, Table<R>>,
    /// What was asked for if it is there, and is not: `Table`, `Table.column`.
    absent: BTreeSet<String>,
}

/// Why a request does not fit a schema.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// The schema is that of another database.
    #[error("schema is that of database {found}, wanted {wanted}")]
    Database {
        /// Whose schema it is.
        found: String,
        /// Whose it must be.
        wanted: String,
    },
    /// The database has no such table, and will not have it with this schema.
    #[error("database {database} has no table {table}{}", in_version(.version))]
    NoTable {
        /// The database.
        database: String,
        /// The version of its schema, if that has one.
        version: Option<String>,
        /// The table asked for.
        table: String,
    },
    /// The table has no such column, and will not have it with this schema.
    #[error("table {table} of database {database} has no column {column}{}", in_version(.version))]
    NoColumn {
        /// The database.
        database: String,
        /// The version of its schema, if that has one.
        version: Option<String>,
        /// The table.
        table: String,
        /// The column asked for.
        column: String,
    },
    /// A column that a type or an index needs is not asked for.
    #[error("column {column} of table {table} is not requested")]
    NotRequested {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// A condition does not fit.
    #[error(transparent)]
    Condition(#[from] CheckError),
}

/// Why an update does not fit the replica: the replica is not, or is no longer, a copy of what
/// the server has.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum ReplicaError {
    /// A table that is not monitored.
    #[error("table {table} is not monitored, but {}", monitored.join(", "))]
    NoTable {
        /// The table.
        table: String,
        /// Those that are.
        monitored: Vec<String>,
    },
    /// A column that is not monitored.
    #[error("column {column} of table {table} is not monitored")]
    NoColumn {
        /// The table.
        table: Arc<str>,
        /// The column.
        column: String,
    },
    /// A row that is new is there already.
    #[error("row {uuid} of table {table} is there already")]
    RowExists {
        /// The table.
        table: Arc<str>,
        /// The row.
        uuid: Uuid,
    },
    /// A row that changed or was deleted is not there.
    #[error("row {uuid} of table {table} is not there")]
    NoRow {
        /// The table.
        table: Arc<str>,
        /// The row.
        uuid: Uuid,
    },
    /// A value, or the result of a diff, is not of the column's type.
    #[error("column {column} of row {uuid} of table {table} has a wrong value")]
    Value {
        /// The table.
        table: Arc<str>,
        /// The row.
        uuid: Uuid,
        /// The column.
        column: Arc<str>,
        /// What is wrong in it.
        #[source]
        source: TypeError,
    },
    /// The former value that an update names is not the one that is there.
    #[error("column {column} of row {uuid} of table {table} had another value")]
    OldValue {
        /// The table.
        table: Arc<str>,
        /// The row.
        uuid: Uuid,
        /// The column.
        column: Arc<str>,
    },
    /// A whole row lacks a column.
    #[error("column {column} of row {uuid} of table {table} is missing")]
    MissingColumn {
        /// The table.
        table: Arc<str>,
        /// The row.
        uuid: Uuid,
        /// The column.
        column: Arc<str>,
    },
    /// An update is not the JSON that it must be.
    #[error("malformed update")]
    Json(#[from] JsonError),
}

impl ReplicaError {
    pub(crate) fn no_table(table: &str, monitored: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let monitored = monitored.into_iter().map(|name| name.as_ref().to_owned());
        Self::NoTable {
            table: table.to_owned(),
            monitored: monitored.collect(),
        }
    }
}

impl Replica {
    /// An empty replica of what `request` asks for.
    ///
    /// # Errors
    ///
    /// [`SchemaError`] if the schema does not have it.
    pub fn new(schema: &DatabaseSchema, request: &MonitorRequest) -> Result<Self, SchemaError> {
        Self::of(schema, request)
    }

    /// An empty replica whose rows are kept as a type of yours: see [`Typed`].
    ///
    /// # Errors
    ///
    /// [`SchemaError`] if the schema does not have what `request` asks for, or `request` does not
    /// ask for what the type has.
    pub fn typed<T>(
        schema: &DatabaseSchema,
        request: &MonitorRequest,
    ) -> Result<Replica<Typed<T>>, SchemaError>
    where
        T: DeserializeOwned + Send + Sync + 'static,
    {
        Replica::of(schema, request)
    }

    /// The rows of a table, each read into a type of yours as [`Row::read`] does it. A row that
    /// does not fit is given as it is, beside why, and costs no other.
    ///
    /// # Errors
    ///
    /// [`ReplicaError::NoTable`] if the table is not monitored. One that was asked for
    /// [if it is there](MonitorRequest::if_there), and is not, has no rows.
    pub fn rows<'a, T: Deserialize<'a>>(
        &'a self,
        table: &str,
    ) -> Result<impl Iterator<Item = Result<T, Misfit>> + 'a, ReplicaError> {
        let there = match self.table(table) {
            None if !self.absent.contains(table) => return Err(self.no_table(table)),
            there => there,
        };
        let rows = there
            .into_iter()
            .flat_map(|table| table.rows().map(move |row| (table, row)));
        Ok(rows.map(|(table, (uuid, row))| table.read_as(uuid, row)))
    }
}

impl<R> Replica<R> {
    /// The database.
    #[must_use]
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The monitored tables, in the order of their names.
    pub fn tables(&self) -> impl ExactSizeIterator<Item = &Table<R>> {
        self.tables.values()
    }

    /// A monitored table.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&Table<R>> {
        self.tables.get(name)
    }

    /// Tables and columns that were asked for [if they are there](MonitorRequest::if_there), and are not: `Table`,
    /// `Table.column`.
    pub fn absent(&self) -> impl Iterator<Item = &str> {
        self.absent.iter().map(String::as_str)
    }

    /// What is wrong with a table that is not there.
    pub(crate) fn no_table(&self, table: &str) -> ReplicaError {
        ReplicaError::no_table(table, self.tables.keys())
    }
}

impl<R: RowForm> Replica<R> {
    /// An empty replica.
    pub(crate) fn of(schema: &DatabaseSchema, request: &MonitorRequest) -> Result<Self, SchemaError> {
        if schema.name != request.database() {
            return Err(SchemaError::Database {
                found: schema.name.clone(),
                wanted: request.database().to_owned(),
            });
        }
        let is_there = |asked: &&TableRequest| !asked.is_optional || schema.tables.contains_key(&asked.name);
        let tables = request.tables().iter().filter(is_there).map(|asked| {
            let table = Table::new(schema, asked)?;
            for condition in &asked.conditions {
                condition.check(schema, &asked.name)?;
            }
            Ok::<_, SchemaError>((Arc::clone(table.shared_name()), table))
        });
        Ok(Self {
            database: schema.name.clone(),
            tables: tables.collect::<Result<_, _>>()?,
            absent: absent(schema, request),
        })
    }

    /// Applies the reply to a monitor request: as [`apply`](Self::apply), but every row is
    /// [`Change::Initial`], also where the form of the message cannot tell it from an insertion.
    ///
    /// # Errors
    ///
    /// [`ReplicaError`] if it does not fit.
    pub fn load(&mut self, updates: impl Into<Bytes>) -> Result<Vec<RowChange<R>>, ReplicaError> {
        let mut changes = self.apply(updates)?;
        for change in &mut changes {
            if let Change::Insert(row) = &change.change {
                change.change = Change::Initial(Arc::clone(row));
            }
        }
        Ok(changes)
    }

    /// Applies one message: the JSON text of a `<table-updates>` or a `<table-updates2>`, in which
    /// tables and rows may come in any order. All of it is applied, or nothing.
    ///
    /// # Errors
    ///
    /// [`ReplicaError`] if it is malformed, or does not fit.
    pub fn apply(&mut self, updates: impl Into<Bytes>) -> Result<Vec<RowChange<R>>, ReplicaError> {
        let mut changes = Vec::new();
        let applied = self.apply_each(&updates.into(), &mut changes);
        match applied {
            Ok(()) => Ok(changes),
            Err(error) => {
                for change in changes.into_iter().rev() {
                    self.undo(change);
                }
                Err(error)
            }
        }
    }

    /// What turns this replica into `new`, which is one of the same database at a later time: an
    /// insertion, a modification or a deletion for each row that differs, and nothing else.
    #[must_use]
    pub fn changes_to(&self, new: &Self) -> Vec<RowChange<R>> {
        let mut changes = Vec::new();
        for table in self.tables() {
            table.changes_to(new.table(table.name()), &mut changes);
        }
        for table in new.tables().filter(|table| self.table(table.name()).is_none()) {
            table.insertions(&mut changes);
        }
        changes
    }

    fn apply_each(&mut self, message: &Bytes, changes: &mut Vec<RowChange<R>>) -> Result<(), ReplicaError> {
        let mut cursor = Cursor::over(message)?;
        let mut seen = Vec::new();
        cursor.object(|cursor, name| {
            let Some(table) = self.tables.get_mut(name) else {
                return Err(ReplicaError::no_table(name, self.tables.keys()));
            };
            if seen.contains(table.shared_name()) {
                return Err(cursor.error(&format!("table {name} comes twice")).into());
            }
            seen.push(Arc::clone(table.shared_name()));
            let first = changes.len();
            cursor.object(|cursor, uuid| {
                let uuid = uuid
                    .parse()
                    .map_err(|error: UuidError| cursor.error(&error.to_string()))?;
                changes.push(RowChange {
                    table: Arc::clone(table.shared_name()),
                    uuid,
                    change: table.apply(uuid, message, cursor)?,
                });
                Ok::<_, ReplicaError>(())
            })?;
            match row_twice(&changes[first..]) {
                Some(uuid) => Err(cursor
                    .error(&format!("row {uuid} of table {name} comes twice"))
                    .into()),
                None => Ok(()),
            }
        })?;
        Ok(cursor.finish()?)
    }

    fn undo(&mut self, change: RowChange<R>) {
        if let Some(table) = self.tables.get_mut(&change.table) {
            table.undo(change.uuid, change.change);
        }
    }
}

/// A row that has two changes in one message. (One that is inserted twice is there already.)
fn row_twice<R>(changes: &[RowChange<R>]) -> Option<Uuid> {
    let is_insertion =
        |change: &RowChange<R>| matches!(change.change, Change::Initial(_) | Change::Insert(_));
    if changes.iter().all(is_insertion) {
        return None;
    }
    let mut uuids: Vec<Uuid> = changes.iter().map(|change| change.uuid).collect();
    uuids.sort_unstable();
    uuids
        .windows(2)
        .find(|pair| pair[0] == pair[1])
        .map(|pair| pair[0])
}

fn in_version(version: &Option<String>) -> String {
    let version = version.as_deref();
    version.map_or_else(String::new, |version| {
        format!(" in version {version} of its schema")
    })
}

/// What a request asks for if it is there, and a schema does not have.
fn absent(schema: &DatabaseSchema, request: &MonitorRequest) -> BTreeSet<String> {
    let absent = request.tables().iter().flat_map(|asked| {
        let found = schema.tables.get(&asked.name);
        let table = (found.is_none() && asked.is_optional).then(|| asked.name.clone());
        let columns = asked
            .optional_columns
            .iter()
            .filter(move |column| found.is_some_and(|found| found.column_type(column).is_none()));
        table
            .into_iter()
            .chain(columns.map(|column| format!("{}.{column}", asked.name)))
    });
    absent.collect()
}

#[cfg(test)]
mod tests;
