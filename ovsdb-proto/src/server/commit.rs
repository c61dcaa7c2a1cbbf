//! What must be true of a database when a transaction ends.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::database::{Columns, Rows, Tables, Work};
use super::evaluate::{self, Refusal};
use super::execute::identity;
use crate::schema::RefType;
use crate::value::Uuid;

impl Work<'_> {
    /// What must be true of the whole: see RFC 7047 section 5.2 and `ovsdb_txn_precommit()`.
    pub(super) fn finish(mut self) -> Result<Tables, Refusal> {
        self.keep_equal_rows();
        self.check_strong_references()?;
        self.collect_garbage();
        self.check_counts()?;
        // A change that goes with the row that it referred to is a change.
        self.renew_versions();
        // A pair of a map may go with its weak half, and with its other half the last reference to a row.
        while self.remove_weak_references()? {
            self.collect_garbage();
        }
        self.check_indexes()?;
        Ok(self.tables)
    }

    /// A row that is equal to what it was has not changed.
    fn keep_equal_rows(&mut self) {
        for (rows, before) in tables_of(&mut self.tables, self.before) {
            for (uuid, row) in rows {
                if let Some(old) = before.get(uuid).filter(|old| *old == row) {
                    *row = Arc::clone(old);
                }
            }
        }
    }

    /// A strong reference is to a row that is there, even if its own row is about to go.
    fn check_strong_references(&self) -> Result<(), Refusal> {
        let mut dangling = None;
        self.each_reference(|from, ty, to| {
            let is_there = || self.tables.get(to.0).is_some_and(|rows| rows.contains_key(&to.1));
            if ty == RefType::Strong && !is_there() {
                dangling = Some((from.0.to_owned(), from.1, to.0.to_owned(), to.1));
            }
            dangling.is_none()
        });
        let Some((table, uuid, to, target)) = dangling else {
            return Ok(());
        };
        let was_there = self
            .before
            .get(&to)
            .is_some_and(|rows| rows.contains_key(&target));
        let details = match was_there {
            true => format!("cannot delete {to} row {target} because of a remaining reference in {table}"),
            false => {
                format!("Table {table} row {uuid} references nonexistent row {target} in table {to}.")
            }
        };
        Err(Refusal::new("referential integrity violation", details))
    }

    /// Removes the rows of tables that are no roots and that nothing refers to, until there is
    /// none.
    fn collect_garbage(&mut self) {
        loop {
            let mut kept = BTreeSet::new();
            self.each_reference(|_, ty, (table, uuid)| {
                if ty == RefType::Strong {
                    kept.insert((table.to_owned(), uuid));
                }
                true
            });
            let mut removed = false;
            for (table, rows) in &mut self.tables {
                if !self.schema.tables.get(table).is_some_and(|schema| schema.is_root) {
                    let before = rows.len();
                    rows.retain(|uuid, _| kept.contains(&(table.clone(), *uuid)));
                    removed |= rows.len() < before;
                }
            }
            if !removed {
                return;
            }
        }
    }

    fn check_counts(&self) -> Result<(), Refusal> {
        for (name, schema) in &self.schema.tables {
            let count = self.tables.get(name).map_or(0, Rows::len);
            if schema
                .max_rows
                .is_some_and(|max| u64::try_from(count).is_ok_and(|count| count > max))
            {
                let details = format!("transaction causes {name} table to contain {count} rows");
                return Err(Refusal::new("constraint violation", details));
            }
        }
        Ok(())
    }

    /// Removes weak references to rows that are not there. False: there was none.
    fn remove_weak_references(&mut self) -> Result<bool, Refusal> {
        let mut changes = Vec::new();
        let tables = &self.tables;
        let is_there =
            |table: &str, uuid: Uuid| tables.get(table).is_some_and(|rows| rows.contains_key(&uuid));
        for (table, rows) in tables {
            let Some(schema) = self.schema.tables.get(table) else {
                continue;
            };
            for (uuid, row) in rows {
                let mut columns = Columns::clone(row);
                for (name, column) in &schema.columns {
                    let Some(value) = columns.get_mut(name) else {
                        continue;
                    };
                    let kept = evaluate::without_weak(&column.ty, value, &is_there);
                    if kept.is_empty() && column.ty.min > 0 {
                        let details =
                            format!("Column {name} of {table} became empty with the rows it referred to");
                        return Err(Refusal::new("constraint violation", details));
                    }
                    *value = kept;
                }
                if columns != **row {
                    columns.insert("_version".to_owned(), Uuid::random().into());
                    changes.push((table.clone(), *uuid, Arc::new(columns)));
                }
            }
        }
        let is_changed = !changes.is_empty();
        for (table, uuid, row) in changes {
            self.tables.entry(table).or_default().insert(uuid, row);
        }
        Ok(is_changed)
    }

    fn check_indexes(&self) -> Result<(), Refusal> {
        for (name, schema) in &self.schema.tables {
            for index in &schema.indexes {
                let mut seen = BTreeSet::new();
                for (uuid, row) in self.tables.get(name).into_iter().flatten() {
                    if !seen.insert(identity(*uuid, row, index)) {
                        let details = format!("index on {} of {name} is not unique", index.join(", "));
                        return Err(Refusal::new("constraint violation", details));
                    }
                }
            }
        }
        Ok(())
    }

    /// A row that has changed has another version.
    fn renew_versions(&mut self) {
        for (rows, before) in tables_of(&mut self.tables, self.before) {
            for (uuid, row) in rows {
                if before.get(uuid).is_some_and(|old| old != row) {
                    Arc::make_mut(row).insert("_version".to_owned(), Uuid::random().into());
                }
            }
        }
    }

    /// Gives every reference, from and to a row of a table, until false; but not those of a row to itself. The server
    /// knows these by their UUIDs, whatever the tables.
    fn each_reference(&self, mut each: impl FnMut((&str, Uuid), RefType, (&str, Uuid)) -> bool) {
        for (table, rows) in &self.tables {
            let schema = self.schema.tables.get(table);
            for (name, column) in schema.into_iter().flat_map(|schema| &schema.columns) {
                if !evaluate::refers(&column.ty) {
                    continue;
                }
                for (uuid, row) in rows {
                    let values = row.get(name).into_iter();
                    for (base, atom) in values.flat_map(|value| evaluate::atoms(&column.ty, value)) {
                        if let (Some(to), Some(target)) = (&base.ref_table, atom.as_uuid()) {
                            if target != *uuid && !each((table, *uuid), base.ref_type, (to, target)) {
                                return;
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The rows of each table beside those that it had.
fn tables_of<'a>(
    tables: &'a mut Tables,
    before: &'a Tables,
) -> impl Iterator<Item = (&'a mut Rows, &'a Rows)> {
    let tables = tables.iter_mut();
    tables.filter_map(|(name, rows)| Some((rows, before.get(name)?)))
}
