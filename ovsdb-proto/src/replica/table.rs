//! The rows of one table.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::columns::{Columns, Extent, Partial};
use super::form::{Misfit, RowForm, Source};
use super::index::{Element, Index};
use super::{Change, ReplicaError, RowChange, SchemaError};
use crate::cursor::Cursor;
use crate::monitor::TableRequest;
use crate::schema::DatabaseSchema;
use crate::value::{Atom, Row, Uuid};

/// The monitored columns of one table.
#[derive(Debug, Clone, PartialEq)]
pub struct Table<R = Row> {
    columns: Arc<Columns>,
    rows: BTreeMap<Uuid, Arc<R>>,
    indexes: Vec<Index>,
}

/// What a message says about one row.
enum RowUpdate<R> {
    /// `{"new": row}` of `monitor`.
    New(R),
    /// `{"old": row, "new": row}` of `monitor`: the columns that changed, and all.
    OldNew(Partial, R),
    /// `{"old": row}` of `monitor`: the row was deleted.
    Old(Partial),
    /// `{"initial": row}`.
    Initial(R),
    /// `{"insert": row}`.
    Insert(R),
    /// `{"modify": row}`: see [`ColumnType::apply_diff`](crate::schema::ColumnType::apply_diff).
    Modify(Partial),
    /// `{"delete": null}`.
    Delete,
}

impl<R> Table<R> {
    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.columns.table
    }

    /// The monitored columns, in order.
    pub fn columns(&self) -> impl ExactSizeIterator<Item = &str> {
        self.columns.names.iter().map(|name| &**name)
    }

    /// The rows, in the order of their UUIDs.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = (Uuid, &Arc<R>)> {
        self.rows.iter().map(|(uuid, row)| (*uuid, row))
    }

    /// A row.
    #[must_use]
    pub fn row(&self, uuid: Uuid) -> Option<&Arc<R>> {
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

    pub(super) fn shared_name(&self) -> &Arc<str> {
        &self.columns.table
    }
}

impl Table {
    pub(super) fn read_as<'a, T: Deserialize<'a>>(&self, uuid: Uuid, row: &'a Row) -> Result<T, Misfit> {
        Misfit::or(&self.columns.table, uuid, row)
    }
}

impl<R: RowForm> Table<R> {
    /// The rows whose column holds an atom: a scalar or an optional column is it, a set has it. In
    /// the order of their UUIDs. Quick if the request has an
    /// [`index`](crate::monitor::MonitorRequest::index) for the column; else all rows are looked
    /// at. None if the column is not monitored, or holds a map.
    pub fn find(&self, column: &str, atom: impl Into<Atom>) -> impl Iterator<Item = (Uuid, &Arc<R>)> {
        let key = atom.into();
        self.find_element(column, Element { key, value: None })
    }

    /// The rows whose column is a map with this pair; else as [`find`](Self::find).
    pub fn find_pair(
        &self,
        column: &str,
        key: impl Into<Atom>,
        value: impl Into<Atom>,
    ) -> impl Iterator<Item = (Uuid, &Arc<R>)> {
        let (key, value) = (key.into(), Some(value.into()));
        self.find_element(column, Element { key, value })
    }

    fn find_element(&self, column: &str, element: Element) -> impl Iterator<Item = (Uuid, &Arc<R>)> {
        let at = self.columns.index(column);
        let index = self.indexes.iter().find(|index| Some(index.column) == at);
        let quick = index.map(|index| index.rows(&element).collect::<Vec<_>>());
        let slow = at.filter(|_| quick.is_none()).map(|at| {
            self.rows().filter(move |(uuid, row)| {
                let row = row.row(&self.columns, *uuid);
                row.is_ok_and(|row| element.is_in(&row.values()[at]))
            })
        });
        let quick = quick.into_iter().flatten();
        let quick = quick.filter_map(|uuid| self.row(uuid).map(|row| (uuid, row)));
        quick.chain(slow.into_iter().flatten())
    }

    pub(super) fn new(schema: &DatabaseSchema, asked: &TableRequest) -> Result<Self, SchemaError> {
        let columns = Columns::new(schema, asked)?;
        let place = |column: &str| {
            let place = columns.index(column);
            place.ok_or_else(|| SchemaError::NotRequested {
                table: asked.name.clone(),
                column: column.to_owned(),
            })
        };
        let is_there = |column: &str| {
            let is_optional = asked.optional_columns.iter().any(|optional| optional == column);
            !is_optional || columns.index(column).is_some()
        };
        let mut fields = R::fields()
            .iter()
            .filter(|field| **field != "_uuid" && is_there(field));
        fields.try_for_each(|field| place(field).map(drop))?;
        let indexes = asked.indexes.iter().filter(|column| is_there(column));
        let indexes = indexes.map(|column| place(column).map(Index::new));
        let indexes = indexes.collect::<Result<_, _>>()?;
        Ok(Self {
            indexes,
            columns: Arc::new(columns),
            rows: BTreeMap::new(),
        })
    }

    /// Reads what a message says about a row, and applies it. Changes nothing if it fails.
    pub(super) fn apply(
        &mut self,
        uuid: Uuid,
        message: &Bytes,
        cursor: &mut Cursor<'_>,
    ) -> Result<Change<R>, ReplicaError> {
        match self.read(uuid, message, cursor)? {
            RowUpdate::Initial(row) => self.insert(uuid, row).map(Change::Initial),
            RowUpdate::Insert(row) | RowUpdate::New(row) => self.insert(uuid, row).map(Change::Insert),
            RowUpdate::OldNew(old, new) => {
                self.check_old(uuid, &old)?;
                let (old, new) = self.replace(uuid, new)?;
                let changed = changed(uuid, (&self.columns, &*old), (&self.columns, &*new));
                Ok(Change::Modify { old, new, changed })
            }
            RowUpdate::Modify(diff) => {
                let there = self.there(uuid)?;
                let row = self.columns.changed(uuid, &there, diff)?;
                let changed = there.changed_names(&row);
                let (old, new) = self.replace(uuid, R::from_row(&self.columns, uuid, row)?)?;
                Ok(Change::Modify { old, new, changed })
            }
            RowUpdate::Old(old) => {
                self.check_old(uuid, &old)?;
                self.delete(uuid)
            }
            RowUpdate::Delete => self.delete(uuid),
        }
    }

    /// What turns these rows into those of `new`, both in the order of their UUIDs.
    pub(super) fn changes_to(&self, new: Option<&Self>, changes: &mut Vec<RowChange<R>>) {
        let none = BTreeMap::new();
        let new_rows = new.map_or(&none, |new| &new.rows);
        let new_columns = new.map_or(&self.columns, |new| &new.columns);
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
                (Some((uuid, old)), Some((_, new))) => {
                    let changed = changed(*uuid, (&self.columns, &**old), (new_columns, &**new));
                    if changed.is_empty() {
                        continue;
                    }
                    let (old, new) = (Arc::clone(old), Arc::clone(new));
                    (uuid, Change::Modify { old, new, changed })
                }
                (None, None) => return,
            };
            changes.push(self.change(*uuid, change));
        }
    }

    /// Every row as inserted.
    pub(super) fn insertions(&self, changes: &mut Vec<RowChange<R>>) {
        let rows = self.rows.iter();
        changes.extend(rows.map(|(uuid, row)| self.change(*uuid, Change::Insert(Arc::clone(row)))));
    }

    /// Takes back the last change.
    pub(super) fn undo(&mut self, uuid: Uuid, change: Change<R>) {
        match change {
            Change::Initial(_) | Change::Insert(_) => self.set(uuid, None),
            Change::Modify { old, .. } | Change::Delete(old) => self.set(uuid, Some(old)),
        };
    }

    fn read(
        &self,
        uuid: Uuid,
        message: &Bytes,
        cursor: &mut Cursor<'_>,
    ) -> Result<RowUpdate<R>, ReplicaError> {
        let columns = &*self.columns;
        let read = |cursor: &mut Cursor<'_>, extent, is_initial| {
            R::read(Source {
                columns,
                uuid,
                extent,
                message,
                is_initial,
                cursor,
            })
        };
        let row = |cursor: &mut Cursor<'_>, extent| read(cursor, extent, false);
        let mut update = None;
        cursor.object(|cursor, action| {
            update = Some(match (action, update.take()) {
                ("initial", None) => RowUpdate::Initial(read(cursor, Extent::Sparse, true)?),
                ("insert", None) => RowUpdate::Insert(row(cursor, Extent::Sparse)?),
                ("modify", None) => RowUpdate::Modify(columns.partial(cursor)?),
                ("delete", None) => {
                    let value = cursor.value(std::marker::PhantomData::<IgnoredAny>);
                    value.map_err(|error| cursor.place(&error))?;
                    RowUpdate::Delete
                }
                ("old", None) => RowUpdate::Old(columns.conforming(uuid, cursor)?),
                ("new", None) => RowUpdate::New(row(cursor, Extent::Whole)?),
                ("old", Some(RowUpdate::New(new))) => {
                    RowUpdate::OldNew(columns.conforming(uuid, cursor)?, new)
                }
                ("new", Some(RowUpdate::Old(old))) => RowUpdate::OldNew(old, row(cursor, Extent::Whole)?),
                (_, Some(_)) => return Err(cursor.error("row update with two actions").into()),
                _ => return Err(cursor.error(&format!("unknown action `{action}`")).into()),
            });
            Ok::<_, ReplicaError>(())
        })?;
        update.ok_or_else(|| cursor.error("row update without an action").into())
    }

    fn change(&self, uuid: Uuid, change: Change<R>) -> RowChange<R> {
        RowChange {
            table: Arc::clone(&self.columns.table),
            uuid,
            change,
        }
    }

    fn insert(&mut self, uuid: Uuid, row: R) -> Result<Arc<R>, ReplicaError> {
        self.check_indexed(uuid, &row)?;
        let row = Arc::new(row);
        match self.set(uuid, Some(Arc::clone(&row))) {
            None => Ok(row),
            there => {
                self.set(uuid, there);
                Err(ReplicaError::RowExists {
                    table: Arc::clone(&self.columns.table),
                    uuid,
                })
            }
        }
    }

    /// Gives the row that was there, and the one that is.
    fn replace(&mut self, uuid: Uuid, row: R) -> Result<(Arc<R>, Arc<R>), ReplicaError> {
        self.check_indexed(uuid, &row)?;
        let new = Arc::new(row);
        match self.rows.get(&uuid).cloned() {
            Some(old) => {
                self.set(uuid, Some(Arc::clone(&new)));
                Ok((old, new))
            }
            None => Err(self.no_row(uuid)),
        }
    }

    fn delete(&mut self, uuid: Uuid) -> Result<Change<R>, ReplicaError> {
        let row = self.set(uuid, None);
        row.map(Change::Delete).ok_or_else(|| self.no_row(uuid))
    }

    /// Puts a row, or none, in the place of what is there. Nothing else changes `rows`.
    fn set(&mut self, uuid: Uuid, row: Option<Arc<R>>) -> Option<Arc<R>> {
        let indexed = |table: &Self, row: &Option<Arc<R>>| {
            let row = row.as_ref().filter(|_| !table.indexes.is_empty())?;
            Some(row.row(&table.columns, uuid).ok()?.into_owned())
        };
        let come = indexed(self, &row);
        let old = match row {
            Some(row) => self.rows.insert(uuid, row),
            None => self.rows.remove(&uuid),
        };
        let gone = indexed(self, &old);
        for index in &mut self.indexes {
            if let Some(row) = &gone {
                index.remove(uuid, row);
            }
            if let Some(row) = &come {
                index.insert(uuid, row);
            }
        }
        old
    }

    /// What an index is made of must be readable.
    fn check_indexed(&self, uuid: Uuid, row: &R) -> Result<(), ReplicaError> {
        match self.indexes.is_empty() {
            true => Ok(()),
            false => row.row(&self.columns, uuid).map(drop),
        }
    }

    fn check_old(&self, uuid: Uuid, old: &Partial) -> Result<(), ReplicaError> {
        let there = self.there(uuid)?;
        match old.iter().find(|(at, old)| there.values()[*at] != *old) {
            None => Ok(()),
            Some((at, _)) => Err(ReplicaError::OldValue {
                table: Arc::clone(&self.columns.table),
                uuid,
                column: Arc::clone(&self.columns.names[*at]),
            }),
        }
    }

    fn there(&self, uuid: Uuid) -> Result<std::borrow::Cow<'_, Row>, ReplicaError> {
        let row = self.rows.get(&uuid).ok_or_else(|| self.no_row(uuid))?;
        row.row(&self.columns, uuid)
    }

    fn no_row(&self, uuid: Uuid) -> ReplicaError {
        ReplicaError::NoRow {
            table: Arc::clone(&self.columns.table),
            uuid,
        }
    }
}

/// The columns in which two rows differ; all, if that cannot be said.
fn changed<R: RowForm>(uuid: Uuid, old: (&Columns, &R), new: (&Columns, &R)) -> Vec<Arc<str>> {
    if old.1.is_equal(new.1) {
        return Vec::new();
    }
    match (old.1.row(old.0, uuid), new.1.row(new.0, uuid)) {
        (Ok(old), Ok(new)) => old.changed_names(&new),
        _ => new.0.names.to_vec(),
    }
}
