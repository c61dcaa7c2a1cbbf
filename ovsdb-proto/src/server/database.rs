//! The rows of a database, and transactions on them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::evaluate::Refusal;
use super::parse::{self, Names};
use crate::json::Json;
use crate::schema::DatabaseSchema;
use crate::value::{Datum, Uuid};

/// All columns of a row, and `_version`.
pub(super) type Columns = BTreeMap<String, Datum>;

/// Rows by UUID.
pub(super) type Rows = BTreeMap<Uuid, Arc<Columns>>;

/// Tables by name.
pub(super) type Tables = BTreeMap<String, Rows>;

/// A database in memory.
pub(super) struct Database {
    pub(super) schema: DatabaseSchema,
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
    pub(super) names: Names,
    pub(super) owns: &'a dyn Fn(&str) -> bool,
    /// The server alone writes it.
    pub(super) reserved: bool,
}

/// Why an operation did not succeed.
pub(super) enum Failure {
    Refused(Refusal),
    Waits(Option<u64>),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Database {
    pub(super) fn new(schema: DatabaseSchema) -> Self {
        let tables = schema.tables.keys().map(|table| (table.clone(), BTreeMap::new()));
        Self {
            tables: tables.collect(),
            schema,
        }
    }

    /// Executes a transaction: commits all of it or nothing. `waited` says that no `wait` of it may
    /// last any longer.
    pub(super) fn transact(
        &mut self,
        operations: &[Json<'_>],
        owns: &dyn Fn(&str) -> bool,
        waited: bool,
    ) -> Outcome {
        let reserved = self.schema.name.starts_with('_');
        self.run(operations, owns, waited, reserved)
    }

    /// Executes a transaction of the server's own, which fits.
    pub(super) fn write(&mut self, operations: &[Value]) {
        let texts: Vec<String> = operations.iter().map(Value::to_string).collect();
        let operations = texts.iter().filter_map(|text| Json::new(text).ok());
        self.run(&operations.collect::<Vec<_>>(), &|_| false, true, false);
    }

    /// The same rows with another schema: without the tables and columns that it does not have,
    /// and with default values in those that are new.
    pub(super) fn converted(&self, schema: DatabaseSchema) -> Result<Self, Refusal> {
        let mut new = Self::new(schema);
        for (name, schema) in &new.schema.tables {
            for (uuid, row) in self.tables.get(name).into_iter().flatten() {
                let columns = schema.columns.iter().map(|(column, schema)| {
                    let Some(value) = row.get(column) else {
                        return Ok((column.clone(), schema.ty.default_value()));
                    };
                    let value = schema.ty.conform(value.clone());
                    let value = value.map_err(|error| parse::syntax(error.to_string()))?;
                    schema
                        .ty
                        .check(&value)
                        .map_err(|error| parse::violation(&error))?;
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
            names: Names::default(),
            owns,
            reserved,
        }
    }

    fn run(
        &mut self,
        operations: &[Json<'_>],
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
            match work.operation(*operation) {
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
