//! The monitored columns of a table, and the reading of rows by them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, Visitor};

use super::{ReplicaError, SchemaError};
use crate::cursor::Cursor;
use crate::monitor::{Columns as Asked, TableRequest};
use crate::schema::{ColumnType, DatabaseSchema, TypeError};
use crate::value::{Datum, Row, Set, Uuid};

/// The monitored columns of a table.
#[derive(Debug, PartialEq)]
pub struct Columns {
    pub(super) table: Arc<str>,
    /// In order.
    pub(super) names: Arc<[Arc<str>]>,
    /// As many as `names`.
    pub(super) types: Vec<ColumnType>,
    /// As many as `names`.
    pub(super) defaults: Vec<Datum>,
}

/// Some columns, by their places, as they came, each once.
pub(super) type Partial = Vec<(usize, Datum)>;

/// Whether a row must have every column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// It must: the form of `monitor`.
    Whole,
    /// Columns with default values are left out: the form of `monitor_cond`.
    Sparse,
}

impl Columns {
    pub(super) fn new(schema: &DatabaseSchema, asked: &TableRequest) -> Result<Self, SchemaError> {
        let table = asked.name.as_str();
        let Some(found) = schema.tables.get(table) else {
            return Err(SchemaError::NoTable {
                database: schema.name.clone(),
                version: schema.version.clone(),
                table: table.to_owned(),
            });
        };
        let mut columns: BTreeMap<&str, ColumnType> = match &asked.columns {
            Asked::All => {
                let all = found.columns.iter();
                all.map(|(name, column)| (name.as_str(), column.ty.clone()))
                    .collect()
            }
            Asked::Named(names) => names
                .iter()
                .map(|column| match found.column_type(column) {
                    Some(ty) => Ok((column.as_str(), ty)),
                    None => Err(SchemaError::NoColumn {
                        database: schema.name.clone(),
                        version: schema.version.clone(),
                        table: table.to_owned(),
                        column: column.clone(),
                    }),
                })
                .collect::<Result<_, _>>()?,
        };
        let optional = asked.optional_columns.iter();
        columns.extend(optional.filter_map(|column| Some((column.as_str(), found.column_type(column)?))));
        let (names, types): (Vec<Arc<str>>, Vec<_>) =
            columns.into_iter().map(|(name, ty)| (name.into(), ty)).unzip();
        let defaults = types.iter().map(ColumnType::default_value);
        Ok(Self {
            table: table.into(),
            names: names.into(),
            defaults: defaults.collect(),
            types,
        })
    }

    pub(super) fn index(&self, column: &str) -> Option<usize> {
        self.index_from(0, column)
    }

    /// Looks from a place on, and then before it.
    fn index_from(&self, first: usize, column: &str) -> Option<usize> {
        let (before, behind) = self.names.split_at(first);
        // There are few, and their lengths tell most of them apart.
        let at = |names: &[Arc<str>]| names.iter().position(|name| **name == *column);
        at(behind).map(|at| first + at).or_else(|| at(before))
    }

    /// Reads a row.
    pub(super) fn row(
        &self,
        uuid: Uuid,
        cursor: &mut Cursor<'_>,
        extent: Extent,
    ) -> Result<Row, ReplicaError> {
        let mut values = vec![None; self.names.len()];
        for (at, value) in self.conforming(uuid, cursor)? {
            values[at] = Some(value);
        }
        let values = values.into_iter().enumerate().map(|(at, value)| match value {
            Some(value) => Ok(value),
            None if extent == Extent::Sparse => Ok(self.defaults[at].clone()),
            None => Err(self.missing(uuid, at)),
        });
        Ok(self.row_of(values.collect::<Result<_, _>>()?))
    }

    /// Reads some columns, checked against their types.
    pub(super) fn conforming(&self, uuid: Uuid, cursor: &mut Cursor<'_>) -> Result<Partial, ReplicaError> {
        let mut partial = self.partial(cursor)?;
        for (at, value) in &mut partial {
            let taken = std::mem::replace(value, Set::default().into());
            let conforming = self.types[*at].conform(taken);
            *value = conforming.map_err(|source| self.wrong_value(uuid, *at, source))?;
        }
        Ok(partial)
    }

    /// Reads some columns.
    pub(super) fn partial(&self, cursor: &mut Cursor<'_>) -> Result<Partial, ReplicaError> {
        let mut unknown = None;
        let seed = PartialSeed {
            columns: self,
            unknown: &mut unknown,
        };
        let partial = cursor.value(seed);
        match (partial, unknown) {
            (Ok(partial), _) => Ok(partial),
            (Err(_), Some(column)) => Err(self.no_column(column)),
            (Err(error), None) => Err(cursor.place(&error).into()),
        }
    }

    /// A row with a diff applied.
    pub(super) fn changed(&self, uuid: Uuid, old: &Row, diff: Partial) -> Result<Row, ReplicaError> {
        let mut values = old.values().to_vec();
        for (at, diff) in diff {
            let value = self.types[at].apply_diff(&old.values()[at], diff);
            values[at] = value.map_err(|source| self.wrong_value(uuid, at, source))?;
        }
        Ok(self.row_of(values))
    }

    pub(super) fn row_of(&self, values: Vec<Datum>) -> Row {
        Row::from_parts(Arc::clone(&self.names), values)
    }

    pub(super) fn no_column(&self, column: String) -> ReplicaError {
        ReplicaError::NoColumn {
            table: Arc::clone(&self.table),
            column,
        }
    }

    pub(super) fn missing(&self, uuid: Uuid, at: usize) -> ReplicaError {
        ReplicaError::MissingColumn {
            table: Arc::clone(&self.table),
            uuid,
            column: Arc::clone(&self.names[at]),
        }
    }

    fn wrong_value(&self, uuid: Uuid, at: usize, source: TypeError) -> ReplicaError {
        ReplicaError::Value {
            table: Arc::clone(&self.table),
            uuid,
            column: Arc::clone(&self.names[at]),
            source,
        }
    }
}

/// Reads the name of a column as its place. A name that is not monitored is left in `unknown`.
pub(super) struct ColumnName<'c, 'u> {
    pub(super) columns: &'c Columns,
    /// Where it is likely: behind the last, for the server sends them in order.
    pub(super) likely: usize,
    pub(super) unknown: &'u mut Option<String>,
}

impl<'de> DeserializeSeed<'de> for ColumnName<'_, '_> {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for ColumnName<'_, '_> {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a column")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<usize, E> {
        self.columns.index_from(self.likely, name).ok_or_else(|| {
            *self.unknown = Some(name.to_owned());
            E::custom("unknown column")
        })
    }
}

struct PartialSeed<'c, 'u> {
    columns: &'c Columns,
    unknown: &'u mut Option<String>,
}

impl<'de> DeserializeSeed<'de> for PartialSeed<'_, '_> {
    type Value = Partial;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Partial, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for PartialSeed<'_, '_> {
    type Value = Partial;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Partial, A::Error> {
        let mut partial = Partial::with_capacity(self.columns.names.len());
        // All that came are before it.
        let mut fresh = 0;
        loop {
            let name = ColumnName {
                columns: self.columns,
                likely: partial.last().map_or(0, |(last, _)| last + 1),
                unknown: &mut *self.unknown,
            };
            let Some(at) = map.next_key_seed(name)? else {
                return Ok(partial);
            };
            // Of a column that comes twice the last value counts.
            if at < fresh {
                partial.retain(|(there, _)| *there != at);
            }
            partial.push((at, map.next_value()?));
            fresh = fresh.max(at + 1);
        }
    }
}
