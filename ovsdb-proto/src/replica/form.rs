//! What rows are kept as.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::{self, DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;
use thiserror::Error;

use super::ReplicaError;
use super::columns::{ColumnName, Columns, Extent};
use crate::cursor::Cursor;
use crate::rpc::JsonError;
use crate::schema::ColumnType;
use crate::value::{Row, RowError, Uuid, Value, WireValue, fields_of};

/// What the rows of a [`Replica`](super::Replica) are kept as: [`Row`], or [`Typed`] with a type
/// of yours.
pub trait RowForm: Form {}

impl<F: Form> RowForm for F {}

/// A row as a type of yours, read from the server's text in one pass; or why it is none.
///
/// ```
/// use ovsdb_proto::monitor::MonitorRequest;
/// use ovsdb_proto::replica::Replica;
/// use ovsdb_proto::schema::DatabaseSchema;
/// use serde::Deserialize;
///
/// #[derive(Debug, Deserialize)]
/// struct Port {
///     name: String,
///     tag: Option<u16>,
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let schema = DatabaseSchema::parse(
/// #     r#"{"name":"db","tables":{"Port":{"columns":{"name":{"type":"string"},
/// #        "tag":{"type":{"key":"integer","min":0}}}}}}"#,
/// # )?;
/// let request = MonitorRequest::new("db").table_of::<Port>("Port");
/// let mut ports = Replica::typed::<Port>(&schema, &request)?;
/// let row = "17deb00b-9e3a-4b0c-9d6e-3b1c5a2f4e6d";
/// ports.load(format!(r#"{{"Port":{{"{row}":{{"initial":{{"name":"p1"}}}}}}}}"#))?;
/// ports.apply(format!(r#"{{"Port":{{"{row}":{{"modify":{{"tag":7}}}}}}}}"#))?;
/// for (_, port) in ports.table("Port").expect("it is monitored").rows() {
///     let port = port.value().expect("it fits");
///     assert_eq!((port.name.as_str(), port.tag), ("p1", Some(7)));
/// }
/// // A tag of 12 bits or not, the schema allows it. The type does not, which costs no other row.
/// ports.apply(format!(r#"{{"Port":{{"{row}":{{"modify":{{"tag":70000}}}}}}}}"#))?;
/// let (_, port) = ports.table("Port").expect("it is monitored").rows().next().expect("a row");
/// let misfit = port.value().expect_err("it does not fit");
/// assert_eq!(misfit.error().column(), Some("tag"));
/// assert_eq!(misfit.row().get("name"), Some(&"p1".into()));
/// # Ok(())
/// # }
/// ```
///
/// The types of columns are those of [`Row::read`]. Every field must have its column. The text is
/// kept beside the value, for the updates to come are differences; the rows of the start share the
/// memory of the message that they came in.
#[derive(Clone)]
pub struct Typed<T> {
    value: Result<T, Box<Misfit>>,
    text: Bytes,
}

/// A row that fits its schema, but not the type that it was to be read as.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("row {uuid} of table {table} does not fit its type")]
pub struct Misfit {
    table: Arc<str>,
    uuid: Uuid,
    row: Row,
    #[source]
    error: RowError,
}

/// The work behind [`RowForm`].
pub trait Form: Sized + Send + Sync + 'static {
    /// The columns that it cannot do without.
    fn fields() -> &'static [&'static str];

    /// Reads a row.
    fn read(source: Source<'_, '_, '_>) -> Result<Self, ReplicaError>;

    /// Makes the form of a row.
    fn from_row(columns: &Columns, uuid: Uuid, row: Row) -> Result<Self, ReplicaError>;

    /// The row.
    fn row(&self, columns: &Columns, uuid: Uuid) -> Result<Cow<'_, Row>, ReplicaError>;

    /// Whether it is certain that two rows are equal.
    fn is_equal(&self, other: &Self) -> bool;
}

/// A row that is to be read.
pub struct Source<'a, 'c, 't> {
    pub(super) columns: &'a Columns,
    pub(super) uuid: Uuid,
    pub(super) extent: Extent,
    pub(super) message: &'a Bytes,
    /// It is about rows of the start, of which most will stay.
    pub(super) is_initial: bool,
    /// In the message.
    pub(super) cursor: &'c mut Cursor<'t>,
}

impl<T> Typed<T> {
    /// The value.
    ///
    /// # Errors
    ///
    /// The row as it is, and why it does not fit.
    pub fn value(&self) -> Result<&T, &Misfit> {
        self.value.as_ref().map_err(|misfit| &**misfit)
    }

    /// The value alone.
    ///
    /// # Errors
    ///
    /// The row as it is, and why it does not fit.
    pub fn into_inner(self) -> Result<T, Misfit> {
        self.value.map_err(|misfit| *misfit)
    }
}

impl<T: fmt::Debug> fmt::Debug for Typed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Ok(value) => value.fmt(f),
            Err(misfit) => misfit.fmt(f),
        }
    }
}

/// The values are compared.
impl<T: PartialEq> PartialEq for Typed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for Typed<T> {}

impl Misfit {
    /// Reads a row.
    pub(super) fn or<'de, T: Deserialize<'de>>(
        table: &Arc<str>,
        uuid: Uuid,
        row: &'de Row,
    ) -> Result<T, Self> {
        row.read(uuid).map_err(|error| Self {
            table: Arc::clone(table),
            uuid,
            row: row.clone(),
            error,
        })
    }

    /// The table.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
    }

    /// The UUID of the row.
    #[must_use]
    pub fn uuid(&self) -> Uuid {
        self.uuid
    }

    /// The row.
    #[must_use]
    pub fn row(&self) -> &Row {
        &self.row
    }

    /// Which column does not fit, and what was expected.
    #[must_use]
    pub fn error(&self) -> &RowError {
        &self.error
    }
}

impl Form for Row {
    fn fields() -> &'static [&'static str] {
        &[]
    }

    fn read(source: Source<'_, '_, '_>) -> Result<Self, ReplicaError> {
        source.columns.row(source.uuid, source.cursor, source.extent)
    }

    fn from_row(_columns: &Columns, _uuid: Uuid, row: Row) -> Result<Self, ReplicaError> {
        Ok(row)
    }

    fn row(&self, _columns: &Columns, _uuid: Uuid) -> Result<Cow<'_, Row>, ReplicaError> {
        Ok(Cow::Borrowed(self))
    }

    fn is_equal(&self, other: &Self) -> bool {
        self == other
    }
}

impl<T: DeserializeOwned + Send + Sync + 'static> Form for Typed<T> {
    fn fields() -> &'static [&'static str] {
        fields_of::<T>().unwrap_or_default()
    }

    fn read(source: Source<'_, '_, '_>) -> Result<Self, ReplicaError> {
        let Source {
            columns,
            uuid,
            extent,
            message,
            is_initial,
            cursor,
        } = source;
        let start = cursor.next_value();
        let read = cursor.value(TypedSeed {
            columns,
            uuid,
            extent,
            value: PhantomData,
        });
        let value = match read {
            Ok(value) => Ok(value),
            // Whether the row is a row at all is another question. One that has a column twice is, and so is one whose
            // integers are written as reals.
            Err(error) if error.is_data() => {
                let row = columns.row(uuid, cursor, extent)?;
                Misfit::or(&columns.table, uuid, &row).map_err(Box::new)
            }
            Err(error) => return Err(cursor.place(&error).into()),
        };
        let text = start..cursor.offset();
        let text = match is_initial && message.len() >= PINNED_LEN {
            true => message.slice(text),
            false => Bytes::copy_from_slice(&message[text]),
        };
        Ok(Self { value, text })
    }

    fn from_row(columns: &Columns, uuid: Uuid, row: Row) -> Result<Self, ReplicaError> {
        let text = serde_json::to_string(&row).map_err(|error| JsonError::new(&error))?;
        let message = Bytes::from(text);
        let mut cursor = Cursor::over(&message)?;
        Self::read(Source {
            columns,
            uuid,
            extent: Extent::Whole,
            message: &message,
            is_initial: false,
            cursor: &mut cursor,
        })
    }

    fn row(&self, columns: &Columns, uuid: Uuid) -> Result<Cow<'_, Row>, ReplicaError> {
        let mut cursor = Cursor::over(&self.text)?;
        let row = columns.row(uuid, &mut cursor, Extent::Sparse)?;
        Ok(Cow::Owned(row))
    }

    fn is_equal(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// Reads a row's text into a type.
struct TypedSeed<'de, T> {
    columns: &'de Columns,
    uuid: Uuid,
    extent: Extent,
    value: PhantomData<T>,
}

/// A row's text as a map from names to values, `_uuid` first.
struct RowText<'de, D> {
    json: D,
    columns: &'de Columns,
    uuid: Uuid,
    extent: Extent,
}

struct RowVisitor<'de, V> {
    visitor: V,
    columns: &'de Columns,
    uuid: Uuid,
    extent: Extent,
}

struct RowColumns<'de, A> {
    map: A,
    columns: &'de Columns,
    extent: Extent,
    uuid: Option<Uuid>,
    seen: Seen,
    /// The column that is likely to come next.
    likely: usize,
    /// All before it were seen, or given.
    missing: Option<usize>,
    value: Option<Given>,
}

/// Which columns a row has. Most tables have few, and need no memory for that.
#[derive(Default)]
struct Seen {
    first: u64,
    more: Vec<bool>,
}

/// The value that comes next.
enum Given {
    Uuid(Uuid),
    Text(usize),
    Default(usize),
}

impl<'de, T: DeserializeOwned> DeserializeSeed<'de> for TypedSeed<'de, T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<T, D::Error> {
        T::deserialize(RowText {
            json,
            columns: self.columns,
            uuid: self.uuid,
            extent: self.extent,
        })
    }
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for RowText<'de, D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.json.deserialize_map(RowVisitor {
            visitor,
            columns: self.columns,
            uuid: self.uuid,
            extent: self.extent,
        })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct option seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for RowVisitor<'de, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_map(RowColumns {
            map,
            columns: self.columns,
            extent: self.extent,
            uuid: Some(self.uuid).filter(|_| self.columns.index("_uuid").is_none()),
            seen: Seen::default(),
            likely: 0,
            missing: None,
            value: None,
        })
    }
}

impl<'de, A: MapAccess<'de>> RowColumns<'de, A> {
    fn next_column(&mut self) -> Result<Option<Given>, A::Error> {
        if let Some(uuid) = self.uuid.take() {
            return Ok(Some(Given::Uuid(uuid)));
        }
        if self.missing.is_none() {
            let mut unknown = None;
            let name = ColumnName {
                columns: self.columns,
                likely: self.likely,
                unknown: &mut unknown,
            };
            if let Some(at) = self.map.next_key_seed(name)? {
                if self.seen.has(at) {
                    return Err(de::Error::custom("column twice"));
                }
                self.seen.note(at);
                self.likely = at + 1;
                return Ok(Some(Given::Text(at)));
            }
        }
        let from = self.missing.unwrap_or(0);
        let columns = self.columns.names.len();
        let Some(at) = (from..columns).find(|at| !self.seen.has(*at)) else {
            self.missing = Some(columns);
            return Ok(None);
        };
        self.missing = Some(at + 1);
        if self.extent == Extent::Whole {
            return Err(de::Error::custom("missing column"));
        }
        Ok(Some(Given::Default(at)))
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for RowColumns<'de, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        self.value = self.next_column()?;
        let name: &'de str = match &self.value {
            None => return Ok(None),
            Some(Given::Uuid(_)) => "_uuid",
            Some(Given::Text(at) | Given::Default(at)) => &self.columns.names[*at],
        };
        seed.deserialize(de::value::BorrowedStrDeserializer::new(name))
            .map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        let fit = |error: RowError| de::Error::custom(error);
        match self.value.take() {
            Some(Given::Text(at)) => {
                let column = &self.columns.types[at];
                self.map.next_value_seed(WireSeed { seed, column })
            }
            Some(Given::Default(at)) => {
                let value = seed.deserialize(Value::Datum(&self.columns.defaults[at]));
                value.map_err(fit)
            }
            Some(Given::Uuid(uuid)) => seed.deserialize(Value::RowUuid(uuid)).map_err(fit),
            None => Err(de::Error::custom("value asked for before its name")),
        }
    }
}

impl Seen {
    fn note(&mut self, at: usize) {
        match at.checked_sub(FIRST) {
            None => self.first |= 1 << at,
            Some(at) => {
                let len = self.more.len().max(at + 1);
                self.more.resize(len, false);
                self.more[at] = true;
            }
        }
    }

    fn has(&self, at: usize) -> bool {
        match at.checked_sub(FIRST) {
            None => self.first >> at & 1 == 1,
            Some(at) => self.more.get(at) == Some(&true),
        }
    }
}

struct WireSeed<'c, S> {
    seed: S,
    column: &'c ColumnType,
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for WireSeed<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<S::Value, D::Error> {
        let column = self.column;
        self.seed.deserialize(WireValue { json, column })
    }
}

/// Rows of the start share the memory of the message that they came in from this length on. Of a
/// shorter one, a single row would hold what it was read with; of an update, the rows around it
/// that have long gone, and of each update others.
const PINNED_LEN: usize = 64 * 1024;

/// Bits of [`Seen::first`].
const FIRST: usize = 64;

#[cfg(test)]
mod tests;
