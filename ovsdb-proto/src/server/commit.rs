//! What must be true of a database when a transaction ends.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::database::{Columns, Tables, Work, project, type_refusal};
use super::evaluate::{self, Refusal};
use crate::schema::RefType;
use crate::value::Uuid;

impl Work<'_> {
    /// What must be true of the whole: see RFC 7047 section 5.2 and `ovsdb_txn_precommit()`.
    pub(super) fn finish(mut self) -> Result<Tables, Refusal> {
        self.collect_garbage();
        self.check_references()?;
        for (name, schema) in &self.schema.tables {
            let rows = self.tables.get(name).into_iter().flatten();
            let count = rows.clone().count();
            if schema
                .max_rows
                .is_some_and(|max| u64::try_from(count).is_ok_and(|count| count > max))
            {
                let details = format!("transaction causes {name} table to contain {count} rows");
                return Err(Refusal::new("constraint violation", details));
            }
            for index in &schema.indexes {
                let mut seen = BTreeSet::new();
                for (uuid, row) in rows.clone() {
                    if !seen.insert(project(*uuid, row, index)) {
                        let details = format!("index on {} of {name} is not unique", index.join(", "));
                        return Err(Refusal::new("constraint violation", details));
                    }
                }
            }
        }
        Ok(self.tables)
    }

    /// Removes the rows of tables that are no roots and that nothing refers to, until there is
    /// none.
    fn collect_garbage(&mut self) {
        // A schema without roots has nothing but roots: RFC 7047 section 3.2.
        if !self.schema.tables.values().any(|schema| schema.is_root) {
            return;
        }
        loop {
            let mut kept = BTreeSet::new();
            self.each_reference(|from, ty, to| {
                if ty == RefType::Strong && from != to {
                    kept.insert(to.1);
                }
                true
            });
            let mut removed = false;
            for (table, rows) in &mut self.tables {
                if !self.schema.tables.get(table).is_some_and(|schema| schema.is_root) {
                    let before = rows.len();
                    rows.retain(|uuid, _| kept.contains(uuid));
                    removed |= rows.len() < before;
                }
            }
            if !removed {
                return;
            }
        }
    }

    /// Removes weak references to rows that are not there; strong ones are refused.
    fn check_references(&mut self) -> Result<(), Refusal> {
        let mut dangling = None;
        let (schema, tables) = (self.schema, &self.tables);
        let is_there =
            |table: &str, uuid: Uuid| tables.get(table).is_some_and(|rows| rows.contains_key(&uuid));
        self.each_reference(|from, ty, to| {
            if ty == RefType::Strong && !is_there(to.0, to.1) {
                dangling = Some((from.0.to_owned(), from.1, to.0.to_owned(), to.1));
            }
            dangling.is_none()
        });
        if let Some((table, uuid, to, target)) = dangling {
            let was_there = self
                .before
                .get(&to)
                .is_some_and(|rows| rows.contains_key(&target));
            let details = match was_there {
                true => {
                    format!("cannot delete {to} row {target} because of a remaining reference in {table}")
                }
                false => {
                    format!("Table {table} row {uuid} references nonexistent row {target} in table {to}.")
                }
            };
            return Err(Refusal::new("referential integrity violation", details));
        }
        let mut changes = Vec::new();
        for (table, rows) in tables {
            let Some(schema) = schema.tables.get(table) else {
                continue;
            };
            for (uuid, row) in rows {
                let mut columns = Columns::clone(row);
                for (name, column) in &schema.columns {
                    let Some(value) = columns.get_mut(name) else {
                        continue;
                    };
                    let kept = evaluate::without_weak(&column.ty, value, &is_there);
                    if kept != *value {
                        column.ty.check(&kept).map_err(type_refusal)?;
                        *value = kept;
                    }
                }
                if columns != **row {
                    columns.insert("_version".to_owned(), Uuid::random().into());
                    changes.push((table.clone(), *uuid, Arc::new(columns)));
                }
            }
        }
        for (table, uuid, row) in changes {
            self.tables.entry(table).or_default().insert(uuid, row);
        }
        Ok(())
    }

    /// Gives every reference, from and to a row of a table, until false.
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
                            if !each((table, *uuid), base.ref_type, (to, target)) {
                                return;
                            }
                        }
                    }
                }
            }
        }
    }
}
