//! Monitors: which columns to follow.
//!
//! There are three methods, one newer than the other, and each has its own form of update:
//! `monitor` (RFC 7047 section 4.1.5), `monitor_cond` and `monitor_cond_since`
//! (ovsdb-server(7)). A [`Replica`](crate::replica::Replica) reads all of them, and makes the same
//! [`RowChange`](crate::replica::RowChange)s of all of them.
//!
//! ```
//! use ovsdb_proto::monitor::{Columns, MonitorRequest};
//! use serde::Deserialize;
//!
//! #[derive(Deserialize)]
//! struct Interface {
//!     name: String,
//!     ofport: Option<i64>,
//! }
//!
//! let request = MonitorRequest::new("Open_vSwitch").table_of::<Interface>("Interface");
//! let Columns::Named(columns) = &request.tables()[0].columns else {
//!     panic!("it has fields");
//! };
//! assert_eq!(columns, &["name", "ofport"]);
//! ```

use serde::de::DeserializeOwned;

use crate::operation::Condition;
use crate::value::fields_of;

/// Which columns of which tables to follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonitorRequest {
    database: String,
    tables: Vec<TableRequest>,
}

/// What to follow of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TableRequest {
    /// The table.
    pub name: String,
    /// Which columns.
    pub columns: Columns,
    /// A server that does not have the table is no error: see [`MonitorRequest::if_there`].
    pub is_optional: bool,
    /// Columns that are followed where the server has them: see [`MonitorRequest::columns_if_there`].
    pub optional_columns: Vec<String>,
    /// Which rows: those for which any of these is true; if there is none, all.
    pub conditions: Vec<Condition>,
    /// The columns by whose elements a replica finds rows quickly.
    pub indexes: Vec<String>,
}

/// The columns of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Columns {
    /// Every column that the schema has.
    All,
    /// These.
    Named(Vec<String>),
}

impl MonitorRequest {
    /// A request that follows nothing yet.
    #[must_use]
    pub fn new(database: impl Into<String>) -> Self {
        Self {
            database: database.into(),
            tables: Vec::new(),
        }
    }

    /// Follows these columns of a table. Asked for twice, a table gets the columns of both.
    #[must_use]
    pub fn table<C: Into<String>>(
        self,
        table: impl Into<String>,
        columns: impl IntoIterator<Item = C>,
    ) -> Self {
        let columns = columns.into_iter().map(Into::into).collect();
        self.with(table.into(), Columns::Named(columns))
    }

    /// Follows the columns of a table that a type of yours has fields for; if it is no struct, or
    /// has flattened fields, every column.
    #[must_use]
    pub fn table_of<T: DeserializeOwned>(self, table: impl Into<String>) -> Self {
        match fields_of::<T>() {
            None => self.all_columns(table),
            Some(fields) => {
                let columns = fields.iter().filter(|field| **field != "_uuid");
                self.table(table, columns.copied())
            }
        }
    }

    /// Follows every column of a table.
    #[must_use]
    pub fn all_columns(self, table: impl Into<String>) -> Self {
        self.with(table.into(), Columns::All)
    }

    /// Follows the table where the server has it; where it has not, the replica has no rows of it. To be said after the columns
    /// of the table; of a table that is not followed it says nothing.
    ///
    /// ```
    /// use ovsdb_proto::monitor::MonitorRequest;
    ///
    /// let request = MonitorRequest::new("Open_vSwitch")
    ///     .table("Mirror", ["name", "output_port"])
    ///     .columns_if_there("Mirror", ["filter"])
    ///     .all_columns("CT_Zone")
    ///     .if_there("CT_Zone");
    /// ```
    #[must_use]
    pub fn if_there(mut self, table: &str) -> Self {
        if let Some(there) = self.tables.iter_mut().find(|there| there.name == table) {
            there.is_optional = true;
        }
        self
    }

    /// Follows these columns of a table, too, where its schema has them; where it has not, rows are without them. To be said
    /// after the other columns of the table; of a table that is not followed it says nothing.
    #[must_use]
    pub fn columns_if_there<C: Into<String>>(
        mut self,
        table: &str,
        columns: impl IntoIterator<Item = C>,
    ) -> Self {
        if let Some(there) = self.tables.iter_mut().find(|there| there.name == table) {
            there.optional_columns.extend(columns.into_iter().map(Into::into));
        }
        self
    }

    /// Follows only rows of a table for which any of the conditions is true; without conditions,
    /// all rows. (The conditions of a transaction must all be true.) To be said after the columns
    /// of the table; of a table that is not followed it says nothing.
    ///
    /// A row that begins or ceases to fit is inserted or deleted, as far as the monitor goes.
    /// Needs a server that knows `monitor_cond`: 2.6.
    #[must_use]
    pub fn rows_where(mut self, table: &str, conditions: impl IntoIterator<Item = Condition>) -> Self {
        self.set_conditions(table, conditions.into_iter().collect());
        self
    }

    /// Keeps an index by a column, so that [`Table::find`](crate::replica::Table::find) is quick. To
    /// be said after the columns of the table; of a table that is not followed it says nothing.
    #[must_use]
    pub fn index(mut self, table: &str, column: impl Into<String>) -> Self {
        if let Some(there) = self.tables.iter_mut().find(|there| there.name == table) {
            there.indexes.push(column.into());
        }
        self
    }

    /// The database.
    #[must_use]
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The tables, each once.
    #[must_use]
    pub fn tables(&self) -> &[TableRequest] {
        &self.tables
    }

    /// The tables in the order of their names.
    #[cfg(feature = "client")]
    pub(crate) fn sorted_tables(&self) -> Vec<&TableRequest> {
        let mut tables: Vec<_> = self.tables.iter().collect();
        tables.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        tables
    }

    pub(crate) fn set_conditions(&mut self, table: &str, conditions: Vec<Condition>) {
        if let Some(there) = self.tables.iter_mut().find(|there| there.name == table) {
            there.conditions = conditions;
        }
    }

    fn with(mut self, table: String, columns: Columns) -> Self {
        match self.tables.iter_mut().find(|there| there.name == table) {
            None => self.tables.push(TableRequest {
                name: table,
                columns,
                is_optional: false,
                optional_columns: Vec::new(),
                conditions: Vec::new(),
                indexes: Vec::new(),
            }),
            Some(there) => match (&mut there.columns, columns) {
                (Columns::Named(there), Columns::Named(more)) => there.extend(more),
                (there, _) => *there = Columns::All,
            },
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_asked_for_twice_is_followed_once() {
        let request = MonitorRequest::new("db")
            .table("T", ["a"])
            .table("U", ["a"])
            .table("T", ["b"])
            .all_columns("U");
        let table = |name: &str, columns| TableRequest {
            name: name.into(),
            columns,
            is_optional: false,
            optional_columns: vec![],
            conditions: vec![],
            indexes: vec![],
        };
        let named = Columns::Named(vec!["a".into(), "b".into()]);
        assert_eq!(request.tables(), [table("T", named), table("U", Columns::All)]);
    }
}
