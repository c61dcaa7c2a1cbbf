//! The rows of one table.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use super::{Change, ReplicaError, RowChange, SchemaError};
use crate::monitor::{Columns, RawRow, RowUpdate};
use crate::schema::{ColumnType, DatabaseSchema, TypeError};
use crate::value::{Datum, Row, Uuid};

/// The monitored columns of one table.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    name: Arc<str>,
    /// In order.
    columns: Arc<[Arc<str>]>,
    /// As many as `columns`.
    types: Vec<ColumnType>,
    rows: BTreeMap<Uuid, Arc<Row>>,
}

impl Table {
    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The monitored columns, in order.
    pub fn columns(&self) -> impl ExactSizeIterator<Item = &str> {
        self.columns.iter().map(|name| &**name)
    }

    /// The rows, in the order of their UUIDs.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = (Uuid, &Arc<Row>)> {
        self.rows.iter().map(|(uuid, row)| (*uuid, row))
    }

    /// A row.
    #[must_use]
    pub fn row(&self, uuid: Uuid) -> Option<&Arc<Row>> {
        self.rows.get(&uuid)
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn new(schema: &DatabaseSchema, name: &str, columns: &Columns) -> Result<Self, SchemaError> {
        let Some(table) = schema.tables.get(name) else {
            return Err(SchemaError::NoTable {
                database: schema.name.clone(),
                table: name.to_owned(),
            });
        };
        let columns: BTreeMap<&str, ColumnType> = match columns {
            Columns::All => {
                let all = table.columns.iter();
                all.map(|(name, column)| (name.as_str(), column.ty.clone()))
                    .collect()
            }
            Columns::Named(names) => names
                .iter()
                .map(|column| match table.column_type(column) {
                    Some(ty) => Ok((column.as_str(), ty)),
                    None => Err(SchemaError::NoColumn {
                        table: name.to_owned(),
                        column: column.clone(),
                    }),
                })
                .collect::<Result<_, _>>()?,
        };
        let (names, types): (Vec<Arc<str>>, Vec<_>) =
            columns.into_iter().map(|(name, ty)| (name.into(), ty)).unzip();
        Ok(Self {
            name: name.into(),
            columns: names.into(),
            types,
            rows: BTreeMap::new(),
        })
    }

    /// Changes nothing if it fails.
    pub(super) fn apply(&mut self, uuid: Uuid, update: RowUpdate) -> Result<Change, ReplicaError> {
        match update {
            RowUpdate::Initial(raw) => {
                let row = self.sparse_row(uuid, raw)?;
                self.insert(uuid, row).map(Change::Initial)
            }
            RowUpdate::Insert(raw) => {
                let row = self.sparse_row(uuid, raw)?;
                self.insert(uuid, row).map(Change::Insert)
            }
            RowUpdate::New(raw) => {
                let row = self.whole_row(uuid, raw)?;
                self.insert(uuid, row).map(Change::Insert)
            }
            RowUpdate::OldNew { old, new } => {
                self.check_old(uuid, old)?;
                let row = self.whole_row(uuid, new)?;
                self.replace(uuid, row)
            }
            RowUpdate::Modify(diff) => {
                let row = self.changed_row(uuid, diff)?;
                self.replace(uuid, row)
            }
            RowUpdate::Old(old) => {
                self.check_old(uuid, old)?;
                self.delete(uuid)
            }
            RowUpdate::Delete => self.delete(uuid),
        }
    }

    /// What turns these rows into those of `new`, both in the order of their UUIDs.
    pub(super) fn changes_to(&self, new: Option<&Self>, changes: &mut Vec<RowChange>) {
        let none = BTreeMap::new();
        let new_rows = new.map_or(&none, |new| &new.rows);
        let same_columns = new.is_some_and(|new| new.columns == self.columns);
        let differ = |old: &Row, new: &Row| match same_columns {
            true => old.values() != new.values(),
            false => old != new,
        };
        let (mut old, mut new) = (self.rows.iter().peekable(), new_rows.iter().peekable());
        loop {
            let order = match (old.peek(), new.peek()) {
                (Some((old, _)), Some((new, _))) => old.cmp(new),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => return,
            };
            let (gone, come) = match order {
                Ordering::Less => (old.next(), None),
                Ordering::Greater => (None, new.next()),
                Ordering::Equal => (old.next(), new.next()),
            };
            let (uuid, change) = match (gone, come) {
                (Some((uuid, old)), None) => (uuid, Change::Delete(Arc::clone(old))),
                (None, Some((uuid, new))) => (uuid, Change::Insert(Arc::clone(new))),
                (Some((uuid, old)), Some((_, new))) if differ(old, new) => {
                    let (old, new) = (Arc::clone(old), Arc::clone(new));
                    let changed = old.changed_names(&new);
                    (uuid, Change::Modify { old, new, changed })
                }
                _ => continue,
            };
            changes.push(self.change(*uuid, change));
        }
    }

    /// Every row as inserted.
    pub(super) fn insertions(&self, changes: &mut Vec<RowChange>) {
        let rows = self.rows.iter();
        changes.extend(rows.map(|(uuid, row)| self.change(*uuid, Change::Insert(Arc::clone(row)))));
    }

    fn change(&self, uuid: Uuid, change: Change) -> RowChange {
        RowChange {
            table: Arc::clone(&self.name),
            uuid,
            change,
        }
    }

    /// Takes back the last change.
    pub(super) fn undo(&mut self, uuid: Uuid, change: Change) {
        match change {
            Change::Initial(_) | Change::Insert(_) => self.rows.remove(&uuid),
            Change::Modify { old, .. } | Change::Delete(old) => self.rows.insert(uuid, old),
        };
    }

    pub(super) fn shared_name(&self) -> &Arc<str> {
        &self.name
    }

    fn insert(&mut self, uuid: Uuid, row: Row) -> Result<Arc<Row>, ReplicaError> {
        match self.rows.entry(uuid) {
            Entry::Occupied(_) => Err(ReplicaError::RowExists {
                table: Arc::clone(&self.name),
                uuid,
            }),
            Entry::Vacant(entry) => Ok(Arc::clone(entry.insert(Arc::new(row)))),
        }
    }

    fn replace(&mut self, uuid: Uuid, row: Row) -> Result<Change, ReplicaError> {
        let new = Arc::new(row);
        let Some(old) = self.rows.insert(uuid, Arc::clone(&new)) else {
            self.rows.remove(&uuid);
            return Err(self.no_row(uuid));
        };
        let changed = old.changed_names(&new);
        Ok(Change::Modify { old, new, changed })
    }

    fn delete(&mut self, uuid: Uuid) -> Result<Change, ReplicaError> {
        let row = self.rows.remove(&uuid);
        row.map(Change::Delete).ok_or_else(|| self.no_row(uuid))
    }

    /// A row in which every column must be.
    fn whole_row(&self, uuid: Uuid, raw: RawRow) -> Result<Row, ReplicaError> {
        let values = self.values(uuid, raw)?.into_iter().enumerate();
        let values = values.map(|(at, value)| {
            value.ok_or_else(|| ReplicaError::MissingColumn {
                table: Arc::clone(&self.name),
                uuid,
                column: Arc::clone(&self.columns[at]),
            })
        });
        Ok(self.row_of(values.collect::<Result<_, _>>()?))
    }

    /// A row in which columns with default values are left out.
    fn sparse_row(&self, uuid: Uuid, raw: RawRow) -> Result<Row, ReplicaError> {
        let values = self.values(uuid, raw)?.into_iter().zip(&self.types);
        let values = values.map(|(value, ty)| value.unwrap_or_else(|| ty.default_value()));
        Ok(self.row_of(values.collect()))
    }

    /// The row that is there, with a diff applied.
    fn changed_row(&self, uuid: Uuid, diff: RawRow) -> Result<Row, ReplicaError> {
        let old = self.rows.get(&uuid).ok_or_else(|| self.no_row(uuid))?;
        let mut values = old.values().to_vec();
        for (name, diff) in diff {
            let at = self.index(name)?;
            let value = self.types[at].apply_diff(&old.values()[at], diff);
            values[at] = value.map_err(|source| self.wrong_value(uuid, at, source))?;
        }
        Ok(self.row_of(values))
    }

    /// The values of the columns, checked against their types.
    fn values(&self, uuid: Uuid, raw: RawRow) -> Result<Vec<Option<Datum>>, ReplicaError> {
        let mut values = vec![None; self.columns.len()];
        for (name, value) in raw {
            let at = self.index(name)?;
            let value = self.types[at].conform(value);
            values[at] = Some(value.map_err(|source| self.wrong_value(uuid, at, source))?);
        }
        Ok(values)
    }

    fn check_old(&self, uuid: Uuid, old: RawRow) -> Result<(), ReplicaError> {
        let there = self.rows.get(&uuid).ok_or_else(|| self.no_row(uuid))?;
        let old = self.values(uuid, old)?.into_iter().zip(there.values());
        for (at, (old, there)) in old.enumerate() {
            if old.is_some_and(|old| old != *there) {
                return Err(ReplicaError::OldValue {
                    table: Arc::clone(&self.name),
                    uuid,
                    column: Arc::clone(&self.columns[at]),
                });
            }
        }
        Ok(())
    }

    fn row_of(&self, values: Vec<Datum>) -> Row {
        Row::from_parts(Arc::clone(&self.columns), values)
    }

    fn index(&self, column: String) -> Result<usize, ReplicaError> {
        let found = self.columns.binary_search_by(|name| (**name).cmp(&column));
        found.map_err(|_| ReplicaError::NoColumn {
            table: Arc::clone(&self.name),
            column,
        })
    }

    fn no_row(&self, uuid: Uuid) -> ReplicaError {
        ReplicaError::NoRow {
            table: Arc::clone(&self.name),
            uuid,
        }
    }

    fn wrong_value(&self, uuid: Uuid, at: usize, source: TypeError) -> ReplicaError {
        ReplicaError::Value {
            table: Arc::clone(&self.name),
            uuid,
            column: Arc::clone(&self.columns[at]),
            source,
        }
    }
}
