//! What the server tells a client that follows tables: RFC 7047 sections 4.1.5 and 4.1.6, and
//! ovsdb-server(7).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map as Object, Value, json};

use super::database::{Columns, Tables, object, project};
use super::evaluate::{self, Refusal};
use super::parse::{self, syntax};
use crate::json::{Json, Members};
use crate::operation::Condition;
use crate::schema::{ColumnType, DatabaseSchema, TableSchema};
use crate::value::{Datum, Map, Uuid};

/// A monitor of one client.
pub(super) struct Watch {
    /// As the client chose it.
    pub(super) id: Value,
    pub(super) database: String,
    form: Form,
    tables: BTreeMap<String, TableWatch>,
}

/// How changes are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `monitor` and `update`.
    Plain,
    /// `monitor_cond` and `update2`.
    Cond,
    /// `monitor_cond_since` and `update3`.
    Since,
}

struct TableWatch {
    requests: Vec<Request>,
    /// Of which any must be true; none: all rows.
    conditions: Vec<Condition>,
    /// A change of any of these columns is told, and be it without a column: those of the requests, whatever they select,
    /// and those of conditions, former ones included.
    watched: BTreeSet<String>,
}

/// `<monitor-request>`
struct Request {
    columns: Option<Vec<String>>,
    select: Select,
    conditions: Option<Vec<Condition>>,
}

#[derive(Clone, Copy)]
struct Select {
    initial: bool,
    insert: bool,
    delete: bool,
    modify: bool,
}

impl Form {
    /// The notification's name.
    pub(super) fn update(self) -> &'static str {
        match self {
            Self::Plain => "update",
            Self::Cond => "update2",
            Self::Since => "update3",
        }
    }
}

impl Watch {
    pub(super) fn new(
        id: Value,
        database: String,
        form: Form,
        schema: &DatabaseSchema,
        requests: Json<'_>,
    ) -> Result<Self, Refusal> {
        let requests = requests.object().ok_or_else(|| syntax("wanted an object"))?;
        let tables = requests.into_iter().map(|(table, requests)| {
            let schema = schema.tables.get(&table);
            let schema = schema.ok_or_else(|| syntax(format!("no table named {table}")))?;
            Ok((table, TableWatch::new(schema, form, requests)?))
        });
        Ok(Self {
            id,
            database,
            form,
            tables: tables.collect::<Result<_, Refusal>>()?,
        })
    }

    pub(super) fn form(&self) -> Form {
        self.form
    }

    /// The rows that are there.
    pub(super) fn initial(&self, schema: &DatabaseSchema, tables: &Tables) -> Value {
        let rows = self.changes(schema, &Tables::new(), &self.visible(schema, tables), true);
        let rows = rows.unwrap_or_else(|| json!({}));
        match self.form {
            Form::Since => json!([false, Uuid::ZERO.to_string(), rows]),
            _ => rows,
        }
    }

    /// The parameters of the notification about what turned `old` into `new`, if it says anything.
    pub(super) fn update(&self, schema: &DatabaseSchema, old: &Tables, new: &Tables) -> Option<Value> {
        let (old, new) = (self.visible(schema, old), self.visible(schema, new));
        let updates = self.changes(schema, &old, &new, false)?;
        Some(self.params(updates))
    }

    /// Changes conditions and the id. Gives the rows that come and go by that.
    pub(super) fn change_conditions(
        &mut self,
        schema: &DatabaseSchema,
        tables: &Tables,
        id: &Value,
        requests: Json<'_>,
    ) -> Result<Option<Value>, Refusal> {
        let requests = requests.object().ok_or_else(|| syntax("wanted an object"))?;
        let mut conditions = BTreeMap::new();
        for (table, requests) in requests {
            let followed = schema
                .tables
                .get(&table)
                .filter(|_| self.tables.contains_key(&table));
            let followed =
                followed.ok_or_else(|| syntax(format!("no table named {table} in monitor session")))?;
            let requests = requests.array().ok_or_else(|| syntax("wanted an array"))?;
            let mut new = Vec::new();
            for request in requests {
                let request = change_request(followed, request)?;
                new.extend(request);
            }
            conditions.insert(table, new);
        }
        let old = self.visible(schema, tables);
        for (table, new) in conditions {
            if let Some(watch) = self.tables.get_mut(&table) {
                watch.watched.extend(columns_of(&new));
                watch.conditions = new;
            }
        }
        self.id = id.clone();
        let new = self.visible(schema, tables);
        let updates = self.changes(schema, &old, &new, false);
        Ok(updates.map(|updates| self.params(updates)))
    }

    fn params(&self, updates: Value) -> Value {
        match self.form {
            Form::Since => json!([self.id, Uuid::ZERO.to_string(), updates]),
            _ => json!([self.id, updates]),
        }
    }

    /// The rows that the client follows.
    fn visible(&self, schema: &DatabaseSchema, tables: &Tables) -> Tables {
        let tables = self.tables.iter().filter_map(|(name, watch)| {
            let table_schema = schema.tables.get(name)?;
            let rows = tables.get(name)?.iter().filter(|(uuid, row)| {
                let mut conditions = watch.conditions.iter();
                watch.conditions.is_empty()
                    || conditions.any(|c| evaluate::is_met(c, table_schema, **uuid, row))
            });
            let rows = rows.map(|(uuid, row)| (*uuid, Arc::clone(row)));
            Some((name.clone(), rows.collect()))
        });
        tables.collect()
    }

    /// What turned `old` into `new`, of which all rows are visible.
    fn changes(&self, schema: &DatabaseSchema, old: &Tables, new: &Tables, initial: bool) -> Option<Value> {
        let none = BTreeMap::new();
        let mut updates = Object::new();
        for (table, watch) in &self.tables {
            let Some(table_schema) = schema.tables.get(table) else {
                continue;
            };
            let (old, new) = (old.get(table).unwrap_or(&none), new.get(table).unwrap_or(&none));
            let mut rows = Object::new();
            for uuid in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
                let (gone, come) = (old.get(uuid).map(|row| &**row), new.get(uuid).map(|row| &**row));
                let update = match self.form {
                    Form::Plain => watch.plain(*uuid, gone, come, initial),
                    _ => watch.cond(table_schema, *uuid, gone, come, initial),
                };
                if let Some(update) = update {
                    rows.insert(uuid.to_string(), update);
                }
            }
            if !rows.is_empty() {
                updates.insert(table.clone(), rows.into());
            }
        }
        (!updates.is_empty()).then(|| updates.into())
    }
}

impl TableWatch {
    fn new(table: &TableSchema, form: Form, requests: Json<'_>) -> Result<Self, Refusal> {
        let requests = requests.array().unwrap_or_else(|| vec![requests]).into_iter();
        let requests = requests.map(|request| Request::parse(table, form, request));
        let mut requests = requests.collect::<Result<Vec<_>, _>>()?;
        let mut seen = BTreeSet::new();
        let mut conditions = Vec::new();
        for request in &mut requests {
            let all = || table.columns.keys().cloned().chain(["_version".to_owned()]);
            for column in request.columns.get_or_insert_with(|| all().collect()) {
                if !seen.insert(column.clone()) {
                    return Err(syntax(format!("column {column} mentioned more than once")));
                }
            }
            conditions.extend(request.conditions.take().unwrap_or_default());
        }
        seen.extend(columns_of(&conditions));
        Ok(Self {
            requests,
            conditions,
            watched: seen,
        })
    }

    fn is_changed(&self, old: &Columns, new: &Columns) -> bool {
        self.watched
            .iter()
            .any(|column| old.get(column) != new.get(column))
    }

    fn columns(&self, wanted: impl Fn(Select) -> bool) -> Option<Vec<String>> {
        let requests = self.requests.iter().filter(|request| wanted(request.select));
        let mut columns = None;
        for request in requests {
            let columns = columns.get_or_insert_with(Vec::new);
            columns.extend(request.columns.iter().flatten().cloned());
        }
        columns
    }

    /// The columns to be told of a row that is new.
    fn inserted(&self, initial: bool) -> Option<Vec<String>> {
        self.columns(|select| if initial { select.initial } else { select.insert })
    }

    fn plain(
        &self,
        uuid: Uuid,
        old: Option<&Columns>,
        new: Option<&Columns>,
        initial: bool,
    ) -> Option<Value> {
        match (old, new) {
            (None, Some(new)) => {
                let columns = self.inserted(initial)?;
                Some(json!({ "new": object(project(uuid, new, &columns)) }))
            }
            (Some(old), None) => {
                let columns = self.columns(|select| select.delete)?;
                Some(json!({ "old": object(project(uuid, old, &columns)) }))
            }
            (Some(old), Some(new)) => {
                let columns = self.columns(|select| select.modify)?;
                let mut differ = project(uuid, old, &columns);
                differ.retain(|(name, value)| new.get(*name).is_some_and(|new| new != value));
                let new_row = || object(project(uuid, new, &columns));
                self.is_changed(old, new)
                    .then(|| json!({ "old": object(differ), "new": new_row() }))
            }
            (None, None) => None,
        }
    }

    fn cond(
        &self,
        schema: &TableSchema,
        uuid: Uuid,
        old: Option<&Columns>,
        new: Option<&Columns>,
        initial: bool,
    ) -> Option<Value> {
        match (old, new) {
            (None, Some(new)) => {
                let columns = self.inserted(initial)?;
                let mut row = project(uuid, new, &columns);
                row.retain(|(name, value)| {
                    let ty = schema.column_type(name);
                    ty.is_none_or(|ty| ty.default_value() != *value)
                });
                let action = if initial { "initial" } else { "insert" };
                Some(json!({ action: object(row) }))
            }
            (Some(_), None) => {
                self.columns(|select| select.delete)?;
                Some(json!({ "delete": null }))
            }
            (Some(old), Some(new)) => {
                let columns = self.columns(|select| select.modify)?;
                let row = project(uuid, new, &columns);
                let differ = row.into_iter().filter_map(|(name, new)| {
                    let old = old.get(name).filter(|old| **old != new)?;
                    Some((name, difference(&schema.column_type(name)?, old, &new)))
                });
                self.is_changed(old, new)
                    .then(|| json!({ "modify": object(differ) }))
            }
            (None, None) => None,
        }
    }
}

/// What [`ColumnType::apply_diff`] makes `new` of `old` with.
fn difference(ty: &ColumnType, old: &Datum, new: &Datum) -> Datum {
    match (old, new) {
        _ if ty.max == Some(1) => new.clone(),
        (Datum::Set(old), Datum::Set(new)) => old.symmetric_difference(new).into(),
        (Datum::Map(old), Datum::Map(new)) => {
            let come = new.iter().filter(|(key, value)| old.get(key) != Some(*value));
            let gone = old.iter().filter(|(key, _)| new.get(key).is_none());
            let pairs = come.chain(gone);
            let pairs = pairs.map(|(key, value)| (key.clone(), value.clone()));
            pairs.collect::<Map>().into()
        }
        (_, new) => new.clone(),
    }
}

impl Request {
    fn parse(table: &TableSchema, form: Form, json: Json<'_>) -> Result<Self, Refusal> {
        let mut members = Members::of(json)?;
        let conditions = match form {
            Form::Plain => None,
            Form::Cond | Form::Since => members.optional("where", Json::array)?,
        };
        let columns = members.optional("columns", Json::array)?;
        let select = members.optional("select", Some)?;
        members.finish()?;
        Ok(Self {
            select: Select::parse(select)?,
            columns: columns
                .map(|columns| parse::columns(table, &columns))
                .transpose()?,
            conditions: conditions
                .map(|conditions| parse::conditions(table, &conditions, None))
                .transpose()?,
        })
    }
}

impl Select {
    fn parse(json: Option<Json<'_>>) -> Result<Self, Refusal> {
        let mut members = json.map(Members::of).transpose()?;
        let mut take = |name| {
            let taken = members
                .as_mut()
                .map(|members| members.optional(name, Json::boolean));
            taken.transpose().map(|taken| taken.flatten().unwrap_or(true))
        };
        let select = Self {
            initial: take("initial")?,
            insert: take("insert")?,
            delete: take("delete")?,
            modify: take("modify")?,
        };
        match members {
            Some(members) => Ok(members.finish().map(|()| select)?),
            None => Ok(select),
        }
    }
}

fn columns_of(conditions: &[Condition]) -> impl Iterator<Item = String> + '_ {
    conditions.iter().filter_map(|condition| match condition {
        Condition::Column { column, .. } => Some(column.clone()),
        Condition::Constant(_) => None,
    })
}

/// The conditions that take the place of what there are.
fn change_request(table: &TableSchema, json: Json<'_>) -> Result<Vec<Condition>, Refusal> {
    let mut members = Members::of(json)?;
    let columns = members.optional("columns", Json::array)?;
    let conditions = members.optional("where", Json::array)?.unwrap_or_default();
    members.finish()?;
    if columns.is_some() {
        return Err(syntax("changing columns is unsupported"));
    }
    parse::conditions(table, &conditions, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Atom, Set};

    /// The client's side is the other half.
    #[test]
    fn a_difference_leads_from_the_old_value_to_the_new() {
        let types = [
            (r#"{"key":"integer","min":0,"max":"unlimited"}"#, false),
            (
                r#"{"key":"integer","value":"integer","min":0,"max":"unlimited"}"#,
                true,
            ),
            (r#"{"key":"integer","min":0,"max":1}"#, false),
        ];
        for (ty, is_map) in types {
            let ty: ColumnType = serde_json::from_str(ty).unwrap();
            let values = (0_i64..8).map(|bits| {
                let some = (0..3).filter(|n| bits & (1 << n) != 0);
                match is_map {
                    true => Datum::Map(some.map(|n| (Atom::from(n), Atom::from(bits % 3))).collect()),
                    false => Datum::Set(some.map(Atom::from).collect::<Set>()),
                }
            });
            let fits = |value: &Datum| ty.check(value).is_ok();
            let values: Vec<Datum> = values.filter(fits).collect();
            assert!(values.len() > 3);
            for (old, new) in values
                .iter()
                .flat_map(|old| values.iter().map(move |new| (old, new)))
            {
                let diff = difference(&ty, old, new);
                assert_eq!(ty.apply_diff(old, diff).as_ref(), Ok(new));
            }
        }
    }
}
