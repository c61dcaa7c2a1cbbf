//! The rows of a database, and transactions on them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::evaluate::{self, Refusal};
use crate::operation::{CheckError, Condition, Operation, Until};
use crate::schema::{DatabaseSchema, TableSchema, TypeError};
use crate::value::{Atom, Datum, Row, Set, Uuid};

/// All columns of a row, and `_version`.
pub(super) type Columns = BTreeMap<String, Datum>;

/// Tables by name, rows by UUID.
pub(super) type Tables = BTreeMap<String, BTreeMap<Uuid, Arc<Columns>>>;

/// A database in memory.
pub(super) struct Database {
    pub(super) schema: DatabaseSchema,
    /// As it was given.
    pub(super) schema_json: Value,
    pub(super) tables: Tables,
}

/// What a transaction came to.
pub(super) enum Outcome {
    /// It was committed, or given up: the result.
    Done(Value),
    /// A `wait` is not over: for how long it may last, in milliseconds.
    Waits(Option<u64>),
}

/// A transaction under way.
pub(super) struct Work<'a> {
    pub(super) schema: &'a DatabaseSchema,
    pub(super) before: &'a Tables,
    pub(super) tables: Tables,
    /// UUIDs by the names that operations gave to them.
    names: BTreeMap<String, Uuid>,
    owns: &'a dyn Fn(&str) -> bool,
    /// The server alone writes it.
    reserved: bool,
}

/// Why an operation did not succeed.
enum Failure {
    Refused(Refusal),
    Waits(Option<u64>),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Database {
    pub(super) fn new(schema: DatabaseSchema, schema_json: Value) -> Self {
        let tables = schema.tables.keys().map(|table| (table.clone(), BTreeMap::new()));
        Self {
            tables: tables.collect(),
            schema,
            schema_json,
        }
    }

    /// Executes a transaction: commits all of it or nothing. `waited` says that no `wait` of it may
    /// last any longer.
    pub(super) fn transact(
        &mut self,
        operations: &[Value],
        owns: &dyn Fn(&str) -> bool,
        waited: bool,
    ) -> Outcome {
        let reserved = self.schema.name.starts_with('_');
        self.run(operations, owns, waited, reserved)
    }

    /// Executes a transaction of the server's own, which fits.
    pub(super) fn write(&mut self, operations: &[Value]) {
        self.run(operations, &|_| false, true, false);
    }

    /// The same rows with another schema: without the tables and columns that it does not have,
    /// and with default values in those that are new.
    pub(super) fn converted(&self, schema: DatabaseSchema, schema_json: Value) -> Result<Self, Refusal> {
        let mut new = Self::new(schema, schema_json);
        for (name, schema) in &new.schema.tables {
            for (uuid, row) in self.tables.get(name).into_iter().flatten() {
                let columns = schema.columns.iter().map(|(column, schema)| {
                    let Some(value) = row.get(column) else {
                        return Ok((column.clone(), schema.ty.default_value()));
                    };
                    let value = schema.ty.conform(value.clone()).map_err(type_refusal)?;
                    schema.ty.check(&value).map_err(type_refusal)?;
                    Ok((column.clone(), value))
                });
                let mut columns = columns.collect::<Result<Columns, Refusal>>()?;
                columns.insert("_version".to_owned(), Uuid::random().into());
                let rows = new.tables.entry(name.clone()).or_default();
                rows.insert(*uuid, Arc::new(columns));
            }
        }
        new.tables = new.work(&|_| false, false).finish()?;
        Ok(new)
    }

    fn work<'a>(&'a self, owns: &'a dyn Fn(&str) -> bool, reserved: bool) -> Work<'a> {
        Work {
            schema: &self.schema,
            before: &self.tables,
            tables: self.tables.clone(),
            names: BTreeMap::new(),
            owns,
            reserved,
        }
    }

    fn run(
        &mut self,
        operations: &[Value],
        owns: &dyn Fn(&str) -> bool,
        waited: bool,
        reserved: bool,
    ) -> Outcome {
        let mut work = self.work(owns, reserved);
        let mut results = Vec::new();
        let mut failed = false;
        for operation in operations {
            if failed {
                results.push(Value::Null);
                continue;
            }
            match work.operation(operation) {
                Ok(result) => results.push(result),
                Err(Failure::Waits(timeout)) if !waited => return Outcome::Waits(timeout),
                Err(failure) => {
                    results.push(failure.into_refusal().to_json());
                    failed = true;
                }
            }
        }
        if !failed {
            match work.finish() {
                Ok(tables) => self.tables = tables,
                Err(refusal) => results.push(refusal.to_json()),
            }
        }
        Outcome::Done(Value::Array(results))
    }
}

impl Failure {
    fn into_refusal(self) -> Refusal {
        match self {
            Self::Refused(refusal) => refusal,
            Self::Waits(_) => Refusal::new("timed out", "\"wait\" timed out"),
        }
    }
}

impl Work<'_> {
    fn operation(&mut self, operation: &Value) -> Result<Value, Failure> {
        let operation = Operation::deserialize_value(operation)?;
        if let Operation::Insert {
            table,
            uuid: Some(uuid),
            ..
        } = &operation
        {
            // Before the columns are looked at, and a row deleted just now counts, too.
            self.check_unused(table, *uuid)?;
        }
        operation.check(self.schema).map_err(check_refusal)?;
        let name = operation.name();
        let result = self.execute(operation)?;
        if self.reserved && matches!(name, "insert" | "update" | "mutate" | "delete") {
            let database = &self.schema.name;
            let details = format!("{name} operation not allowed on table in reserved database {database}");
            return Err(Refusal::new("not allowed", details).into());
        }
        Ok(result)
    }

    fn execute(&mut self, operation: Operation) -> Result<Value, Failure> {
        match operation {
            Operation::Insert {
                table,
                row,
                uuid_name,
                uuid,
            } => Ok(self.insert(table, &row, uuid_name, uuid)?),
            Operation::Select {
                table,
                conditions,
                columns,
            } => {
                let found = self.find(&table, &conditions)?;
                let columns = columns.unwrap_or_else(|| self.all_columns(&table));
                let rows = found.iter().map(|(uuid, row)| project(*uuid, row, &columns));
                // The server gives equal rows once.
                let rows: BTreeSet<Vec<(&str, Datum)>> = rows.collect();
                let rows = rows.into_iter().map(|row| {
                    let row = row
                        .into_iter()
                        .map(|(name, value)| (name.to_owned(), json!(value)));
                    Value::Object(row.collect())
                });
                Ok(json!({ "rows": rows.collect::<Vec<_>>() }))
            }
            Operation::Update {
                table,
                conditions,
                row,
            } => {
                let row = self.row(&table, &row)?;
                self.change(&table, &conditions, |_, columns| {
                    columns.extend(row.clone());
                    Ok(())
                })
            }
            Operation::Mutate {
                table,
                conditions,
                mutations,
            } => {
                let mutations = mutations.into_iter().map(|mut mutation| {
                    mutation.value = self.resolve(mutation.value);
                    mutation
                });
                let mutations: Vec<_> = mutations.collect();
                self.change(&table, &conditions, |schema, columns| {
                    for mutation in &mutations {
                        let Some(ty) = schema.column_type(&mutation.column) else {
                            continue;
                        };
                        if let Some(value) = columns.get_mut(&mutation.column) {
                            *value = evaluate::mutate(&ty, value, mutation)?;
                        }
                    }
                    Ok(())
                })
            }
            Operation::Delete { table, conditions } => {
                let found = self.find(&table, &conditions)?;
                let rows = self.tables.entry(table).or_default();
                for (uuid, _) in &found {
                    rows.remove(uuid);
                }
                Ok(json!({ "count": found.len() }))
            }
            Operation::Wait {
                table,
                conditions,
                columns,
                until,
                rows,
                timeout,
            } => {
                let found = self.find(&table, &conditions)?;
                let found = found.iter().map(|(uuid, row)| project(*uuid, row, &columns));
                let found: BTreeSet<Vec<(&str, Datum)>> = found.collect();
                let wanted = rows.iter().map(|row| {
                    let row = self.row(&table, row)?;
                    Ok(project(Uuid::ZERO, &row, &columns))
                });
                let mut wanted_rows = BTreeSet::new();
                for row in wanted {
                    let row: Vec<(&str, Datum)> = row.map_err(|refusal: Refusal| refusal)?;
                    wanted_rows.insert(row);
                }
                if (found == wanted_rows) == (until == Until::Equal) {
                    return Ok(json!({}));
                }
                let timeout = timeout.map(|timeout| u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX));
                match timeout {
                    Some(0) => Err(Refusal::new("timed out", "\"where\" clause test failed").into()),
                    timeout => Err(Failure::Waits(timeout)),
                }
            }
            Operation::Commit { .. } | Operation::Comment { .. } => Ok(json!({})),
            Operation::Abort => Err(Refusal::new("aborted", "aborted by request").into()),
            Operation::Assert { lock } => match (self.owns)(&lock) {
                true => Ok(json!({})),
                false => Err(Refusal::new("not owner", format!("Asserted lock {lock} not held.")).into()),
            },
        }
    }

    fn insert(
        &mut self,
        table: String,
        row: &Row,
        name: Option<String>,
        uuid: Option<Uuid>,
    ) -> Result<Value, Refusal> {
        let uuid = match (uuid, name) {
            (Some(uuid), None) => uuid,
            (None, None) => Uuid::random(),
            (uuid, Some(name)) => {
                let uuid = uuid.unwrap_or_else(|| self.named(&name));
                if self.tables.values().any(|rows| rows.contains_key(&uuid)) {
                    return Err(Refusal::new(
                        "duplicate uuid-name",
                        format!("{name} is used twice"),
                    ));
                }
                self.names.insert(name, uuid);
                uuid
            }
        };
        let mut columns = self.row(&table, row)?;
        let schema = self.schema.tables.get(&table);
        for (name, column) in schema.into_iter().flat_map(|schema| &schema.columns) {
            if !columns.contains_key(name) {
                let value = column.ty.default_value();
                // Not every column may have it.
                column.ty.check(&value).map_err(type_refusal)?;
                columns.insert(name.clone(), value);
            }
        }
        columns.insert("_version".to_owned(), Uuid::random().into());
        let rows = self.tables.entry(table).or_default();
        if rows.contains_key(&uuid) {
            return Err(Refusal::new(
                "duplicate uuid",
                format!("row {uuid} is there already"),
            ));
        }
        rows.insert(uuid, Arc::new(columns));
        Ok(json!({ "uuid": Atom::Uuid(uuid) }))
    }

    fn check_unused(&self, table: &str, uuid: Uuid) -> Result<(), Refusal> {
        let has = |tables: &Tables| tables.get(table).is_some_and(|rows| rows.contains_key(&uuid));
        if has(self.before) || has(&self.tables) {
            return Err(Refusal::new(
                "duplicate uuid",
                format!("row {uuid} is there already"),
            ));
        }
        Ok(())
    }

    /// Changes the rows for which all conditions are true.
    fn change(
        &mut self,
        table: &str,
        conditions: &[Condition],
        change: impl Fn(&TableSchema, &mut Columns) -> Result<(), Refusal>,
    ) -> Result<Value, Failure> {
        let found = self.find(table, conditions)?;
        let count = found.len();
        for (uuid, row) in found {
            let mut columns = Columns::clone(&row);
            if let Some(schema) = self.schema.tables.get(table) {
                change(schema, &mut columns)?;
            }
            if columns != *row {
                columns.insert("_version".to_owned(), Uuid::random().into());
                let rows = self.tables.entry(table.to_owned()).or_default();
                rows.insert(uuid, Arc::new(columns));
            }
        }
        Ok(json!({ "count": count }))
    }

    fn find(&mut self, table: &str, conditions: &[Condition]) -> Result<Vec<(Uuid, Arc<Columns>)>, Refusal> {
        let conditions: Vec<Condition> = conditions
            .iter()
            .map(|condition| self.resolved_condition(condition))
            .collect();
        let schema = self.schema.tables.get(table);
        let rows = self.tables.get(table).into_iter().flatten();
        let met = |uuid: Uuid, row: &Columns| {
            let mut conditions = conditions.iter();
            schema.is_some_and(|schema| conditions.all(|c| evaluate::is_met(c, schema, uuid, row)))
        };
        let rows = rows.filter(|(uuid, row)| met(**uuid, row));
        Ok(rows.map(|(uuid, row)| (*uuid, Arc::clone(row))).collect())
    }

    fn resolved_condition(&mut self, condition: &Condition) -> Condition {
        match condition {
            Condition::Column {
                column,
                function,
                value,
            } => Condition::new(column.clone(), *function, self.resolve(value.clone())),
            other => other.clone(),
        }
    }

    /// Columns to be written, with names of rows resolved and reals made of integers.
    fn row(&mut self, table: &str, row: &Row) -> Result<Columns, Refusal> {
        let schema = self.schema.tables.get(table);
        row.iter()
            .map(|(name, value)| {
                let value = self.resolve(value.clone());
                let ty = schema.and_then(|schema| schema.column_type(name));
                let value = match ty {
                    Some(ty) => ty.conform(value).map_err(type_refusal)?,
                    None => value,
                };
                Ok((name.to_owned(), value))
            })
            .collect()
    }

    fn resolve(&mut self, value: Datum) -> Datum {
        let mut resolve = |atom: Atom| match atom {
            Atom::NamedUuid(name) => Atom::Uuid(self.named(&name)),
            atom => atom,
        };
        match value {
            Datum::Set(set) => set.into_vec().into_iter().map(resolve).collect::<Set>().into(),
            Datum::Map(map) => {
                let pairs = map.into_vec().into_iter();
                let pairs = pairs.map(|(key, value)| (resolve(key), resolve(value)));
                pairs.collect::<crate::value::Map>().into()
            }
        }
    }

    /// The UUID that a name stands for, whether its row was inserted already or not.
    fn named(&mut self, name: &str) -> Uuid {
        *self.names.entry(name.to_owned()).or_insert_with(Uuid::random)
    }

    fn all_columns(&self, table: &str) -> Vec<String> {
        let schema = self.schema.tables.get(table);
        let names = schema
            .into_iter()
            .flat_map(|schema| schema.columns.keys().cloned());
        names.chain(["_uuid".to_owned(), "_version".to_owned()]).collect()
    }
}

impl Operation {
    fn deserialize_value(value: &Value) -> Result<Self, Refusal> {
        serde::Deserialize::deserialize(value).map_err(|error: serde_json::Error| {
            Refusal::new("syntax error", format!("Parsing ovsdb operation failed: {error}"))
        })
    }
}

/// Columns of a row, in the order of their names.
pub(super) fn project<'c>(uuid: Uuid, row: &Columns, columns: &'c [String]) -> Vec<(&'c str, Datum)> {
    let mut values: Vec<(&str, Datum)> = columns
        .iter()
        .filter_map(|name| match name.as_str() {
            "_uuid" if !row.contains_key("_uuid") => Some(("_uuid", uuid.into())),
            name => row.get(name).map(|value| (name, value.clone())),
        })
        .collect();
    values.sort_unstable();
    values
}

/// Columns as a JSON object.
pub(super) fn object(columns: impl IntoIterator<Item = (impl Into<String>, Datum)>) -> Value {
    let columns = columns
        .into_iter()
        .map(|(name, value)| (name.into(), json!(value)));
    Value::Object(columns.collect::<Map<_, _>>())
}

fn check_refusal(error: CheckError) -> Refusal {
    let details = error.to_string();
    match error {
        CheckError::Value { source, .. } => type_refusal(source),
        CheckError::NoColumn { .. } => Refusal::new("unknown column", details),
        CheckError::Immutable { .. } => Refusal::new("constraint violation", details),
        _ => Refusal::new("syntax error", details),
    }
}

pub(super) fn type_refusal(error: TypeError) -> Refusal {
    let details = error.to_string();
    match error {
        TypeError::IntegerRange { .. }
        | TypeError::RealRange { .. }
        | TypeError::Length { .. }
        | TypeError::NotAllowed { .. } => Refusal::new("constraint violation", details),
        _ => Refusal::new("syntax error", details),
    }
}
