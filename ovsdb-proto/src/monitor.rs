//! Monitors: which columns to follow, and what the server says about them.
//!
//! There are three methods, one newer than the other, and each has its own form of update:
//! `monitor` (RFC 7047 section 4.1.5), `monitor_cond` and `monitor_cond_since`
//! (ovsdb-server(7)). [`TableUpdates`] reads all of them, and a [`Replica`](crate::replica::Replica)
//! makes the same [`RowChange`](crate::replica::RowChange)s of all of them.
//!
//! ```
//! use ovsdb_proto::monitor::{MonitorRequest, RowUpdate, TableUpdates};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let request = MonitorRequest::new("Open_vSwitch").table("Interface", ["name", "ofport"]);
//! assert_eq!(request.database(), "Open_vSwitch");
//!
//! let updates = TableUpdates::parse(
//!     r#"{"Interface":{"17deb00b-9e3a-4b0c-9d6e-3b1c5a2f4e6d":{"modify":{"ofport":7}}}}"#,
//! )?;
//! let (table, rows) = &updates.tables()[0];
//! assert_eq!(table, "Interface");
//! assert!(matches!(rows[0].1, RowUpdate::Modify(_)));
//! # Ok(())
//! # }
//! ```

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};

use crate::operation::Condition;
use crate::rpc::JsonError;
use crate::value::{Datum, Uuid};

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
    /// Which rows: those for which any of these is true; if there is none, all.
    pub conditions: Vec<Condition>,
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

/// What one message says: for each table, for each row, what happened. In the order of the
/// message, which means nothing: the server merges transactions that it could not send in time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableUpdates(Vec<(String, Vec<(Uuid, RowUpdate)>)>);

/// What happened to one row.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RowUpdate {
    /// `{"new": row}` of `monitor`: the row is there from the start, or was inserted. All columns.
    New(RawRow),
    /// `{"old": row, "new": row}` of `monitor`: columns changed.
    OldNew {
        /// The former values of the columns that changed.
        old: RawRow,
        /// All columns.
        new: RawRow,
    },
    /// `{"old": row}` of `monitor`: the row was deleted. All columns.
    Old(RawRow),
    /// `{"initial": row}`: the row is there from the start. Columns with default values are left
    /// out.
    Initial(RawRow),
    /// `{"insert": row}`: the row was inserted. Columns with default values are left out.
    Insert(RawRow),
    /// `{"modify": row}`: columns changed; see
    /// [`ColumnType::apply_diff`](crate::schema::ColumnType::apply_diff).
    Modify(RawRow),
    /// `{"delete": null}`: the row was deleted.
    Delete,
}

/// Columns as they came, not checked against a schema.
pub type RawRow = Vec<(String, Datum)>;

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

    /// Follows every column of a table.
    #[must_use]
    pub fn all_columns(self, table: impl Into<String>) -> Self {
        self.with(table.into(), Columns::All)
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
                conditions: Vec::new(),
            }),
            Some(there) => match (&mut there.columns, columns) {
                (Columns::Named(there), Columns::Named(more)) => there.extend(more),
                (there, _) => *there = Columns::All,
            },
        }
        self
    }
}

impl TableUpdates {
    /// Reads the JSON text of a `<table-updates>` or `<table-updates2>`.
    ///
    /// # Errors
    ///
    /// [`JsonError`] if it is not one.
    pub fn parse(text: &str) -> Result<Self, JsonError> {
        JsonError::decode(text.as_bytes())
    }

    /// The tables, and the rows of each.
    #[must_use]
    pub fn tables(&self) -> &[(String, Vec<(Uuid, RowUpdate)>)] {
        &self.0
    }

    /// The tables, and the rows of each.
    #[must_use]
    pub fn into_tables(self) -> Vec<(String, Vec<(Uuid, RowUpdate)>)> {
        self.0
    }
}

impl<'de> Deserialize<'de> for TableUpdates {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let tables = Pairs::<String, Pairs<Uuid, RowUpdate>>::deserialize(deserializer)?;
        let tables = tables.0.into_iter();
        Ok(Self(tables.map(|(name, rows)| (name, rows.0)).collect()))
    }
}

impl<'de> Deserialize<'de> for RowUpdate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RowUpdateVisitor)
    }
}

struct RowUpdateVisitor;

impl<'de> Visitor<'de> for RowUpdateVisitor {
    type Value = RowUpdate;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row update")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RowUpdate, A::Error> {
        let mut update = None;
        while let Some(action) = map.next_key()? {
            update = Some(match (action, update) {
                (Action::Old, None) => RowUpdate::Old(row(&mut map)?),
                (Action::New, None) => RowUpdate::New(row(&mut map)?),
                (Action::Old, Some(RowUpdate::New(new))) => RowUpdate::OldNew {
                    old: row(&mut map)?,
                    new,
                },
                (Action::New, Some(RowUpdate::Old(old))) => RowUpdate::OldNew {
                    old,
                    new: row(&mut map)?,
                },
                (Action::Initial, None) => RowUpdate::Initial(row(&mut map)?),
                (Action::Insert, None) => RowUpdate::Insert(row(&mut map)?),
                (Action::Modify, None) => RowUpdate::Modify(row(&mut map)?),
                (Action::Delete, None) => {
                    map.next_value::<de::IgnoredAny>()?;
                    RowUpdate::Delete
                }
                (_, Some(_)) => return Err(de::Error::custom("row update with two actions")),
            });
        }
        update.ok_or_else(|| de::Error::custom("row update without an action"))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    Old,
    New,
    Initial,
    Insert,
    Modify,
    Delete,
}

/// A JSON object as a list, in its own order.
pub(crate) struct Pairs<K, V>(pub(crate) Vec<(K, V)>);

impl<'de, K: Deserialize<'de>, V: Deserialize<'de>> Deserialize<'de> for Pairs<K, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PairsVisitor(PhantomData))
    }
}

struct PairsVisitor<K, V>(PhantomData<(K, V)>);

impl<'de, K: Deserialize<'de>, V: Deserialize<'de>> Visitor<'de> for PairsVisitor<K, V> {
    type Value = Pairs<K, V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<K, V>, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(Pairs(pairs))
    }
}

fn row<'de, A: MapAccess<'de>>(map: &mut A) -> Result<RawRow, A::Error> {
    map.next_value().map(|Pairs(row)| row)
}

#[cfg(test)]
mod tests;
