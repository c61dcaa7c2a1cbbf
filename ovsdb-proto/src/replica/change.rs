//! What happened to rows.

use std::sync::Arc;

use serde::Deserialize;

use super::Misfit;
use crate::value::{Row, Uuid};

/// What happened to one row.
#[derive(Debug, PartialEq, Eq)]
pub struct RowChange<R = Row> {
    /// The table.
    pub table: Arc<str>,
    /// The row.
    pub uuid: Uuid,
    /// What happened.
    pub change: Change<R>,
}

/// How a row changed. Rows are whole: they have every monitored column.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change<R = Row> {
    /// The row is there from the start.
    Initial(Arc<R>),
    /// The row was inserted.
    Insert(Arc<R>),
    /// Columns of the row changed.
    Modify {
        /// The row before.
        old: Arc<R>,
        /// The row after.
        new: Arc<R>,
        /// The columns in which the two differ.
        changed: Vec<Arc<str>>,
    },
    /// The row was deleted.
    Delete(Arc<R>),
}

impl RowChange {
    /// The change with its rows read into a type of yours, as [`Row::read`] does it.
    ///
    /// # Errors
    ///
    /// The first row that does not fit, as it is, and why.
    pub fn read<'de, T: Deserialize<'de>>(&'de self) -> Result<RowChange<T>, Misfit> {
        let read = |row: &'de Arc<Row>| Misfit::or(&self.table, self.uuid, row).map(Arc::new);
        let change = match &self.change {
            Change::Initial(row) => Change::Initial(read(row)?),
            Change::Insert(row) => Change::Insert(read(row)?),
            Change::Modify { old, new, changed } => Change::Modify {
                old: read(old)?,
                new: read(new)?,
                changed: changed.clone(),
            },
            Change::Delete(row) => Change::Delete(read(row)?),
        };
        Ok(RowChange {
            table: Arc::clone(&self.table),
            uuid: self.uuid,
            change,
        })
    }
}

/// The rows are shared.
impl<R> Clone for RowChange<R> {
    fn clone(&self) -> Self {
        Self {
            table: Arc::clone(&self.table),
            uuid: self.uuid,
            change: self.change.clone(),
        }
    }
}

/// The rows are shared.
impl<R> Clone for Change<R> {
    fn clone(&self) -> Self {
        match self {
            Self::Initial(row) => Self::Initial(Arc::clone(row)),
            Self::Insert(row) => Self::Insert(Arc::clone(row)),
            Self::Modify { old, new, changed } => Self::Modify {
                old: Arc::clone(old),
                new: Arc::clone(new),
                changed: changed.clone(),
            },
            Self::Delete(row) => Self::Delete(Arc::clone(row)),
        }
    }
}
