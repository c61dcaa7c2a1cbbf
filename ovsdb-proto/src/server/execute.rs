//! The operations, as `ovsdb/execution.c` of Open vSwitch executes them.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::database::{Columns, Failure, Tables, Work, project};
use super::evaluate::{self, Refusal};
use super::parse::{self, syntax};
use crate::json::{Fault, Json, Members};
use crate::operation::Condition;
use crate::schema::TableSchema;
use crate::value::{Atom, Datum, Uuid};

type Result<T, E = Failure> = std::result::Result<T, E>;

impl<'a> Work<'a> {
    /// Executes an operation. What is wrong with its members comes before all else.
    pub(super) fn operation(&mut self, json: Json<'_>) -> Result<Value> {
        let mut members = Members::of(json)?;
        let name = members.required("op", Json::id)?;
        let result = match name.as_str() {
            "insert" => self.insert(members)?,
            "select" => self.select(members)?,
            "update" => self.update(members)?,
            "mutate" => self.mutate(members)?,
            "delete" => self.delete(members)?,
            "wait" => self.wait(members)?,
            "commit" => {
                members.required("durable", Json::boolean)?;
                members.finish()?;
                json!({})
            }
            "abort" => {
                members.finish()?;
                return Err(Refusal::new("aborted", "aborted by request").into());
            }
            "comment" => {
                members.required("comment", Json::string)?;
                members.finish()?;
                json!({})
            }
            "assert" => {
                let lock = members.required("lock", Json::id)?;
                members.finish()?;
                if !(self.owns)(&lock) {
                    let details = format!("Asserted lock {lock} not held.");
                    return Err(Refusal::new("not owner", details).into());
                }
                json!({})
            }
            _ => return Err(syntax(format!("No operation \"{name}\"")).into()),
        };
        let writes = !matches!(name.as_str(), "select" | "wait" | "abort" | "comment" | "assert");
        if self.reserved && writes {
            let database = &self.schema.name;
            let details = format!("{name} operation not allowed on table in reserved database {database}");
            return Err(Refusal::new("not allowed", details).into());
        }
        Ok(result)
    }

    fn insert(&mut self, mut members: Members<'_>) -> Result<Value> {
        let (name, table) = self.table(&mut members)?;
        let uuid = members.optional("uuid", Json::string)?;
        let uuid_name = members.optional("uuid-name", Json::id)?;
        let row = whole_row(&mut members)?;
        members.finish()?;
        let uuid: Option<Uuid> = match uuid {
            None => None,
            Some(uuid) => Some(uuid.parse().map_err(|_| syntax("bad uuid"))?),
        };
        if let Some(uuid) = uuid {
            // A row deleted just now counts, too.
            let has = |tables: &Tables| tables.get(&name).is_some_and(|rows| rows.contains_key(&uuid));
            if has(self.before) || has(&self.tables) {
                let details = format!("row {uuid} is there already");
                return Err(Refusal::new("duplicate uuid", details).into());
            }
        }
        let uuid = match uuid_name {
            Some(name) => self.names.take(name, uuid)?,
            None => uuid.unwrap_or_else(Uuid::random),
        };
        let mut columns = complete(table, parse::row(table, row, Some(&mut self.names))?);
        for (name, column) in &table.columns {
            // Not every column may have its default value.
            if let Some(value) = columns.get(name).filter(|value| value.len() == 1) {
                column.ty.check(value).map_err(|error| parse::violation(&error))?;
            }
        }
        // What was written in their place is lost.
        columns.remove("_uuid");
        columns.insert("_version".to_owned(), Uuid::random().into());
        self.tables
            .entry(name)
            .or_default()
            .insert(uuid, Arc::new(columns));
        Ok(json!({ "uuid": Atom::Uuid(uuid) }))
    }

    fn select(&mut self, mut members: Members<'_>) -> Result<Value> {
        let (name, table) = self.table(&mut members)?;
        let conditions = members.required("where", Json::array)?;
        let columns = members.optional("columns", Json::array)?;
        let sort = members.optional("sort", Json::array)?;
        members.finish()?;
        let conditions = parse::conditions(table, &conditions, Some(&mut self.names))?;
        let columns = parse_columns(table, columns)?;
        let sort = parse_columns(table, sort)?;
        let mut rows = self.find(&name, table, &conditions);
        if !columns.iter().any(|column| column == "_uuid") {
            // Equal rows are given once.
            let mut seen = BTreeSet::new();
            rows.retain(|(uuid, row)| seen.insert(identity(*uuid, row, &columns)));
        }
        rows.sort_by(|a, b| {
            let orders = sort.iter().map(|column| compare(column, a, b));
            orders.fold(Ordering::Equal, Ordering::then)
        });
        let rows = rows
            .iter()
            .map(|(uuid, row)| super::database::object(project(*uuid, row, &columns)));
        Ok(json!({ "rows": rows.collect::<Vec<_>>() }))
    }

    fn update(&mut self, mut members: Members<'_>) -> Result<Value> {
        let (name, table) = self.table(&mut members)?;
        let conditions = members.required("where", Json::array)?;
        let row = whole_row(&mut members)?;
        members.finish()?;
        let columns = parse::row(table, row, Some(&mut self.names))?;
        if let Some(column) = columns.keys().find(|column| !parse::is_mutable(table, column)) {
            return Err(parse::immutable(column).into());
        }
        let conditions = parse::conditions(table, &conditions, Some(&mut self.names))?;
        let found = self.find(&name, table, &conditions);
        let rows = self.tables.entry(name).or_default();
        for (uuid, row) in &found {
            if columns
                .iter()
                .any(|(column, value)| row.get(column) != Some(value))
            {
                let mut row = Columns::clone(row);
                row.extend(columns.clone());
                rows.insert(*uuid, Arc::new(row));
            }
        }
        Ok(json!({ "count": found.len() }))
    }

    fn mutate(&mut self, mut members: Members<'_>) -> Result<Value> {
        let (name, table) = self.table(&mut members)?;
        let conditions = members.required("where", Json::array)?;
        let mutations = members.required("mutations", Json::array)?;
        members.finish()?;
        let mutations = parse::mutations(table, &mutations, Some(&mut self.names))?;
        let conditions = parse::conditions(table, &conditions, Some(&mut self.names))?;
        let found = self.find(&name, table, &conditions);
        let rows = self.tables.entry(name).or_default();
        for (uuid, row) in &found {
            let mut row = Columns::clone(row);
            for mutation in &mutations {
                let column = table.columns.get(&mutation.column);
                if let Some((column, value)) = column.zip(row.get_mut(&mutation.column)) {
                    *value = evaluate::mutate(&column.ty, value, mutation)?;
                }
            }
            rows.insert(*uuid, Arc::new(row));
        }
        Ok(json!({ "count": found.len() }))
    }

    fn delete(&mut self, mut members: Members<'_>) -> Result<Value> {
        let (name, table) = self.table(&mut members)?;
        let conditions = members.required("where", Json::array)?;
        members.finish()?;
        let conditions = parse::conditions(table, &conditions, Some(&mut self.names))?;
        let found = self.find(&name, table, &conditions);
        let rows = self.tables.entry(name).or_default();
        for (uuid, _) in &found {
            rows.remove(uuid);
        }
        Ok(json!({ "count": found.len() }))
    }

    fn wait(&mut self, mut members: Members<'_>) -> Result<Value> {
        let (name, table) = self.table(&mut members)?;
        let timeout = members.optional("timeout", Json::integer)?;
        let conditions = members.required("where", Json::array)?;
        let columns = members.optional("columns", Json::array)?;
        let until = members.required("until", Json::string)?;
        let rows = members.required("rows", Json::array)?;
        members.finish()?;
        let conditions = parse::conditions(table, &conditions, Some(&mut self.names))?;
        let columns = parse_columns(table, columns)?;
        let timeout = timeout.map(u64::try_from).transpose();
        let timeout = timeout.map_err(|_| syntax("timeout must be nonnegative"))?;
        let wants_equal = match until.as_str() {
            "==" => true,
            "!=" => false,
            _ => return Err(syntax("\"until\" must be \"==\" or \"!=\"").into()),
        };
        let wanted = rows.into_iter().map(|row| {
            let row = complete(table, parse::row(table, row, Some(&mut self.names))?);
            Ok(identity(Uuid::ZERO, &row, &columns))
        });
        let wanted = wanted.collect::<Result<BTreeSet<_>, Refusal>>()?;
        let found = self.find(&name, table, &conditions);
        let found = found.iter().map(|(uuid, row)| identity(*uuid, row, &columns));
        if (found.collect::<BTreeSet<_>>() == wanted) == wants_equal {
            return Ok(json!({}));
        }
        match timeout {
            Some(0) => Err(Refusal::new("timed out", "\"where\" clause test failed").into()),
            timeout => Err(Failure::Waits(timeout)),
        }
    }

    fn table(&self, members: &mut Members<'_>) -> Result<(String, &'a TableSchema)> {
        let name = members.required("table", Json::id)?;
        match self.schema.tables.get(&name) {
            Some(table) => Ok((name, table)),
            None => Err(syntax(format!("No table named {name}.")).into()),
        }
    }

    /// The rows for which all conditions are true.
    fn find(&self, name: &str, table: &TableSchema, conditions: &[Condition]) -> Vec<(Uuid, Arc<Columns>)> {
        let rows = self.tables.get(name).into_iter().flatten();
        let met =
            |uuid: Uuid, row: &Columns| conditions.iter().all(|c| evaluate::is_met(c, table, uuid, row));
        let rows = rows.filter(|(uuid, row)| met(**uuid, row));
        rows.map(|(uuid, row)| (*uuid, Arc::clone(row))).collect()
    }
}

impl From<Fault<'_>> for Failure {
    fn from(fault: Fault<'_>) -> Self {
        Refusal::from(fault).into()
    }
}

/// With default values for the columns that are left out.
fn complete(table: &TableSchema, mut row: Columns) -> Columns {
    let own = ["_uuid", "_version"].into_iter();
    let columns = table.columns.keys().map(String::as_str).chain(own);
    for (column, ty) in columns.filter_map(|column| Some((column, table.column_type(column)?))) {
        row.entry(column.to_owned()).or_insert_with(|| ty.default_value());
    }
    row
}

/// The row of an operation, whose columns are read when all of its members are known.
fn whole_row<'a>(members: &mut Members<'a>) -> Result<Json<'a>> {
    let row = members.required("row", Some)?;
    match row.object() {
        Some(_) => Ok(row),
        None => Err(syntax("a row is an object").into()),
    }
}

/// Some columns; all, if none are named.
fn parse_columns(table: &TableSchema, columns: Option<Vec<Json<'_>>>) -> Result<Vec<String>> {
    Ok(match columns {
        Some(columns) => parse::columns(table, &columns)?,
        None => {
            let own = ["_uuid", "_version"].into_iter().map(str::to_owned);
            table.columns.keys().cloned().chain(own).collect()
        }
    })
}

/// The order of two rows by a column: shorter values first.
fn compare(column: &str, a: &(Uuid, Arc<Columns>), b: &(Uuid, Arc<Columns>)) -> Ordering {
    let split = |datum: &Datum| match datum {
        Datum::Set(set) => (set.iter().cloned().collect(), Vec::new()),
        Datum::Map(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), value.clone()))
            .unzip(),
    };
    let key = |(uuid, row): &(Uuid, Arc<Columns>)| -> (usize, (Vec<Atom>, Vec<Atom>)) {
        let datum = row.get(column).cloned().unwrap_or_else(|| (*uuid).into());
        (datum.len(), split(&datum))
    };
    key(a).cmp(&key(b))
}

/// What tells rows apart where the server looks them up by their hashes: there, unlike elsewhere,
/// 0 and minus zero are two.
pub(super) fn identity<'c>(
    uuid: Uuid,
    row: &Columns,
    columns: &'c [String],
) -> (Vec<(&'c str, Datum)>, Vec<bool>) {
    let values = project(uuid, row, columns);
    let negative = |atom: &Atom| {
        atom.as_real()
            .is_some_and(|real| real == 0.0 && real.is_sign_negative())
    };
    let signs = values.iter().flat_map(|(_, value)| match value {
        Datum::Set(set) => set.iter().map(negative).collect::<Vec<_>>(),
        Datum::Map(map) => map.iter().flat_map(|(k, v)| [negative(k), negative(v)]).collect(),
    });
    let signs = signs.collect();
    (values, signs)
}
