//! Reads rows into types that derive `Deserialize`.

use std::fmt;

use serde::de::value::{MapDeserializer, SeqDeserializer, StrDeserializer};
use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::scalar::{Scalar, ScalarDeserializer};
use super::{Atom, Datum, Map, Row, Set, Uuid, WIRE_FORM};

/// Why a row does not fit a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowError {
    column: Option<String>,
    reason: String,
}

/// A row as a map from names to values, `_uuid` first.
pub(super) struct RowDeserializer<'de> {
    row: &'de Row,
    uuid: Option<Uuid>,
}

struct Columns<'de, I> {
    uuid: Option<Uuid>,
    columns: I,
    value: Option<(&'de str, Value<'de>)>,
}

/// One column's value.
pub(crate) enum Value<'de> {
    Datum(&'de Datum),
    RowUuid(Uuid),
}

/// One atom.
type AtomDeserializer<'de> = ScalarDeserializer<'de, RowError>;

impl RowError {
    /// The column that does not fit; `None` if the row as a whole does not.
    #[must_use]
    pub fn column(&self) -> Option<&str> {
        self.column.as_deref()
    }

    pub(crate) fn new(column: Option<&str>, reason: String) -> Self {
        Self {
            column: column.map(str::to_owned),
            reason,
        }
    }

    fn missing(column: &str) -> Self {
        Self::new(Some(column), "not in the row".to_owned())
    }

    pub(super) fn in_column(mut self, column: &str) -> Self {
        self.column.get_or_insert_with(|| column.to_owned());
        self
    }
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(column) = &self.column {
            write!(f, "column {column}: ")?;
        }
        f.write_str(&self.reason)
    }
}

impl std::error::Error for RowError {}

impl de::Error for RowError {
    fn custom<T: fmt::Display>(reason: T) -> Self {
        Self {
            column: None,
            reason: reason.to_string(),
        }
    }
}

impl<'de> RowDeserializer<'de> {
    pub(super) fn new(row: &'de Row, uuid: Option<Uuid>) -> Self {
        Self { row, uuid }
    }
}

impl<'de> Deserializer<'de> for RowDeserializer<'de> {
    type Error = RowError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        visitor.visit_map(Columns {
            uuid: self.uuid.filter(|_| self.row.get("_uuid").is_none()),
            columns: self.row.iter(),
            value: None,
        })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, RowError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        visitor.visit_some(self)
    }

    /// Serde would fill a missing optional field silently.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, RowError> {
        let is_there =
            |field: &str| self.row.get(field).is_some() || (field == "_uuid" && self.uuid.is_some());
        match fields.iter().find(|field| !is_there(field)) {
            Some(field) => Err(RowError::missing(field)),
            None => self.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

impl<'de, I: Iterator<Item = (&'de str, &'de Datum)>> MapAccess<'de> for Columns<'de, I> {
    type Error = RowError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, RowError> {
        let next = match self.uuid.take() {
            Some(uuid) => Some(("_uuid", Value::RowUuid(uuid))),
            None => self
                .columns
                .next()
                .map(|(name, datum)| (name, Value::Datum(datum))),
        };
        let Some((name, value)) = next else {
            return Ok(None);
        };
        self.value = Some((name, value));
        let key: StrDeserializer<'de, RowError> = name.into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, RowError> {
        let (name, value) = self
            .value
            .take()
            .ok_or_else(|| de::Error::custom("value asked for before its name"))?;
        seed.deserialize(value).map_err(|error| error.in_column(name))
    }
}

impl<'de> Value<'de> {
    /// The one atom of a scalar.
    fn scalar<V: Visitor<'de>>(
        self,
        visitor: V,
        read: impl FnOnce(AtomDeserializer<'de>, V) -> Result<V::Value, RowError>,
    ) -> Result<V::Value, RowError> {
        match self {
            Self::RowUuid(uuid) => visitor.visit_string(uuid.to_string()),
            Self::Datum(Datum::Set(set)) => match set.as_slice() {
                [atom] => read(scalar(atom), visitor),
                atoms => Err(de::Error::invalid_type(
                    de::Unexpected::Other(&format!("set of {}", atoms.len())),
                    &visitor,
                )),
            },
            Self::Datum(Datum::Map(_)) => Err(de::Error::invalid_type(de::Unexpected::Map, &visitor)),
        }
    }
}

impl<'de> Deserializer<'de> for Value<'de> {
    type Error = RowError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        match self {
            Self::Datum(Datum::Map(map)) => visit_map(map, visitor),
            Self::Datum(Datum::Set(set)) if set.len() != 1 => visit_set(set, visitor),
            scalar => scalar.scalar(visitor, AtomDeserializer::deserialize_any),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        match self {
            Self::Datum(Datum::Set(set)) if set.is_empty() => visitor.visit_none(),
            value => visitor.visit_some(value),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        match self {
            Self::Datum(Datum::Set(set)) => visit_set(set, visitor),
            value => value.deserialize_any(visitor),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        self.deserialize_any(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, RowError> {
        self.deserialize_any(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, RowError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, RowError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, RowError> {
        match self {
            value if name != WIRE_FORM => visitor.visit_newtype_struct(value),
            Self::RowUuid(uuid) => uuid_scalar(uuid).deserialize_newtype_struct(name, visitor),
            Self::Datum(datum) => match datum.as_scalar() {
                Some(atom) => scalar(atom).deserialize_newtype_struct(name, visitor),
                None => serde_json::to_value(datum)
                    .and_then(|wire| wire.deserialize_any(visitor))
                    .map_err(de::Error::custom),
            },
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, RowError> {
        self.scalar(visitor, |atom, visitor| {
            atom.deserialize_enum(name, variants, visitor)
        })
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct identifier
    }
}

fn visit_set<'de, V: Visitor<'de>>(set: &'de Set, visitor: V) -> Result<V::Value, RowError> {
    let mut atoms = SeqDeserializer::new(set.iter().map(scalar));
    let value = visitor.visit_seq(&mut atoms)?;
    atoms.end()?;
    Ok(value)
}

fn visit_map<'de, V: Visitor<'de>>(map: &'de Map, visitor: V) -> Result<V::Value, RowError> {
    let pairs = map.iter().map(|(key, value)| (scalar(key), scalar(value)));
    let mut pairs = MapDeserializer::new(pairs);
    let value = visitor.visit_map(&mut pairs)?;
    pairs.end()?;
    Ok(value)
}

fn scalar(atom: &Atom) -> AtomDeserializer<'_> {
    Scalar::from(atom).into_deserializer()
}

fn uuid_scalar(uuid: Uuid) -> AtomDeserializer<'static> {
    Scalar::Uuid(uuid.to_string().into()).into_deserializer()
}
