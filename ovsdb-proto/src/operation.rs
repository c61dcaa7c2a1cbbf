//! The operations of a transaction: RFC 7047 section 5.2, with the extensions of
//! ovsdb-server(7).
//!
//! ```
//! use ovsdb_proto::operation::{Condition, Function, Mutation};
//!
//! # fn main() -> Result<(), serde_json::Error> {
//! let condition = Condition::new("ofport", Function::Greater, 10);
//! assert_eq!(serde_json::to_string(&condition)?, r#"["ofport",">",10]"#);
//! let mutation = Mutation::delete("external_ids", ["iface-id"]);
//! assert_eq!(serde_json::to_string(&mutation)?, r#"["external_ids","delete","iface-id"]"#);
//! # Ok(())
//! # }
//! ```

use std::fmt;
use std::time::Duration;

use serde::de::{self, Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

use crate::value::{Atom, Datum, Map, Row, Set, Uuid};

mod check;
mod comparison;

pub use self::check::CheckError;
pub use self::comparison::{Comparison, ComparisonError};

/// One operation. Its form on the wire is an object with the member `op` and those of the operation.
///
/// Reading it from JSON, a member that the operation does not have, or that is `null`, is an error, as it is for the server.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "op", rename_all = "lowercase", deny_unknown_fields, remote = "Self")]
#[non_exhaustive]
pub enum Operation {
    /// Adds a row. Columns left out get their default values. A row of a table that is not a root
    /// vanishes again if nothing refers to it when the transaction ends.
    Insert {
        /// The table.
        table: String,
        /// The columns.
        row: Row,
        /// A name by which other operations of the transaction may refer to the row.
        #[serde(rename = "uuid-name", default, skip_serializing_if = "Option::is_none")]
        uuid_name: Option<String>,
        /// The UUID that the row is to have; else the server chooses it. Needs ovsdb-server 2.13.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        uuid: Option<Uuid>,
    },
    /// Reads rows.
    Select {
        /// The table.
        table: String,
        /// Which rows: those for which all of these are true.
        #[serde(rename = "where")]
        conditions: Vec<Condition>,
        /// The columns; `None`: all, `_uuid` and `_version` included.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        columns: Option<Vec<String>>,
        /// The columns by which the server sorts the rows, the first foremost; `None`: any order. An extension of
        /// ovsdb-server.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sort: Option<Vec<String>>,
    },
    /// Overwrites columns.
    Update {
        /// The table.
        table: String,
        /// Which rows: those for which all of these are true.
        #[serde(rename = "where")]
        conditions: Vec<Condition>,
        /// The new values.
        row: Row,
    },
    /// Changes columns in place.
    Mutate {
        /// The table.
        table: String,
        /// Which rows: those for which all of these are true.
        #[serde(rename = "where")]
        conditions: Vec<Condition>,
        /// The changes, in this order.
        mutations: Vec<Mutation>,
    },
    /// Deletes rows.
    Delete {
        /// The table.
        table: String,
        /// Which rows: those for which all of these are true.
        #[serde(rename = "where")]
        conditions: Vec<Condition>,
    },
    /// Waits until a query gives, or no longer gives, exactly these rows. With a timeout of zero
    /// it is a condition for the whole transaction.
    Wait {
        /// The table.
        table: String,
        /// Which rows: those for which all of these are true.
        #[serde(rename = "where")]
        conditions: Vec<Condition>,
        /// The columns that are compared; `None`: all, `_uuid` and `_version` included.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        columns: Option<Vec<String>>,
        /// Which of the two.
        until: Until,
        /// The rows. A column that one leaves out has its default value.
        rows: Vec<Row>,
        /// How long to wait, in whole milliseconds; `None`: for ever.
        #[serde(with = "millis", default, skip_serializing_if = "Option::is_none")]
        timeout: Option<Duration>,
    },
    /// Ends the transaction on the disk, if `durable`, before the reply.
    Commit {
        /// Whether to wait for the disk.
        durable: bool,
    },
    /// Gives the transaction up.
    Abort,
    /// Writes a text to the server's log of the database.
    Comment {
        /// The text.
        comment: String,
    },
    /// Gives the transaction up unless the client owns a lock.
    Assert {
        /// The lock.
        lock: String,
    },
}

/// What must be true of a row: RFC 7047 section 5.1.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Condition {
    /// `[column, function, value]`.
    Column {
        /// The column.
        column: String,
        /// How the two are compared.
        function: Function,
        /// What the column is compared with.
        value: Datum,
    },
    /// `true` or `false`: every row or none. An extension of ovsdb-server.
    Constant(bool),
}

/// How a [`Condition`] compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Function {
    /// `==`
    #[serde(rename = "==")]
    Equal,
    /// `!=`
    #[serde(rename = "!=")]
    NotEqual,
    /// `<`, of an integer or a real. Not true of an optional column that is empty.
    #[serde(rename = "<")]
    Less,
    /// `<=`, likewise.
    #[serde(rename = "<=")]
    LessOrEqual,
    /// `>`, likewise.
    #[serde(rename = ">")]
    Greater,
    /// `>=`, likewise.
    #[serde(rename = ">=")]
    GreaterOrEqual,
    /// `includes`: the column has every element of the value.
    #[serde(rename = "includes")]
    Includes,
    /// `excludes`: the column has no element of the value.
    #[serde(rename = "excludes")]
    Excludes,
}

/// A change of a column in place: RFC 7047 section 5.1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutation {
    /// The column.
    pub column: String,
    /// What is done.
    pub mutator: Mutator,
    /// With what.
    pub value: Datum,
}

/// What a [`Mutation`] does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Mutator {
    /// `+=`, of every element of an integer or real column.
    #[serde(rename = "+=")]
    Add,
    /// `-=`, likewise.
    #[serde(rename = "-=")]
    Subtract,
    /// `*=`, likewise.
    #[serde(rename = "*=")]
    Multiply,
    /// `/=`, likewise.
    #[serde(rename = "/=")]
    Divide,
    /// `%=`, of integers.
    #[serde(rename = "%=")]
    Remainder,
    /// `insert`: adds elements. A key that is there keeps its value.
    #[serde(rename = "insert")]
    Insert,
    /// `delete`: removes elements; of a map, pairs that are equal, or whatever has one of the
    /// keys of a set.
    #[serde(rename = "delete")]
    Delete,
}

/// When a `wait` is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Until {
    /// `==`
    #[serde(rename = "==")]
    Equal,
    /// `!=`
    #[serde(rename = "!=")]
    NotEqual,
}

impl Condition {
    /// `[column, function, value]`.
    #[must_use]
    pub fn new(column: impl Into<String>, function: Function, value: impl Into<Datum>) -> Self {
        Self::Column {
            column: column.into(),
            function,
            value: value.into(),
        }
    }

    /// The column is equal to the value.
    #[must_use]
    pub fn equal(column: impl Into<String>, value: impl Into<Datum>) -> Self {
        Self::new(column, Function::Equal, value)
    }

    /// The column has every element of the value.
    #[must_use]
    pub fn includes(column: impl Into<String>, value: impl Into<Datum>) -> Self {
        Self::new(column, Function::Includes, value)
    }

    /// It is this row.
    #[must_use]
    pub fn uuid(uuid: Uuid) -> Self {
        Self::equal("_uuid", uuid)
    }
}

impl Mutation {
    /// `[column, mutator, value]`.
    #[must_use]
    pub fn new(column: impl Into<String>, mutator: Mutator, value: impl Into<Datum>) -> Self {
        Self {
            column: column.into(),
            mutator,
            value: value.into(),
        }
    }

    /// Adds elements to a set.
    #[must_use]
    pub fn insert<A: Into<Atom>>(column: impl Into<String>, elements: impl IntoIterator<Item = A>) -> Self {
        Self::new(column, Mutator::Insert, elements.into_iter().collect::<Set>())
    }

    /// Adds pairs to a map. A key that is there keeps its value.
    #[must_use]
    pub fn insert_pairs<K: Into<Atom>, V: Into<Atom>>(
        column: impl Into<String>,
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        Self::new(column, Mutator::Insert, pairs.into_iter().collect::<Map>())
    }

    /// Removes elements from a set, or keys from a map.
    #[must_use]
    pub fn delete<A: Into<Atom>>(column: impl Into<String>, elements: impl IntoIterator<Item = A>) -> Self {
        Self::new(column, Mutator::Delete, elements.into_iter().collect::<Set>())
    }
}

/// An object: see [`Operation`].
impl Serialize for Operation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

/// An object: see [`Operation`].
impl<'de> Deserialize<'de> for Operation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let members = serde_json::Map::deserialize(deserializer)?;
        let refuse = |name: &str| Err(de::Error::custom(format_args!("unknown field `{name}`")));
        // What serde takes: an option that is null, and anything beside the name alone.
        match members.iter().find(|(name, value)| {
            value.is_null() || *name != "op" && members.get("op").is_some_and(|op| op == "abort")
        }) {
            Some((name, _)) => refuse(name),
            None => Self::deserialize(serde_json::Value::Object(members)).map_err(de::Error::custom),
        }
    }
}

impl Operation {
    /// The name on the wire.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Insert { .. } => "insert",
            Self::Select { .. } => "select",
            Self::Update { .. } => "update",
            Self::Mutate { .. } => "mutate",
            Self::Delete { .. } => "delete",
            Self::Wait { .. } => "wait",
            Self::Commit { .. } => "commit",
            Self::Abort => "abort",
            Self::Comment { .. } => "comment",
            Self::Assert { .. } => "assert",
        }
    }
}

impl Function {
    /// The name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Includes => "includes",
            Self::Excludes => "excludes",
        }
    }
}

impl Mutator {
    /// The name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Add => "+=",
            Self::Subtract => "-=",
            Self::Multiply => "*=",
            Self::Divide => "/=",
            Self::Remainder => "%=",
            Self::Insert => "insert",
            Self::Delete => "delete",
        }
    }
}

impl Until {
    /// The name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
        }
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Mutator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// `[column, function, value]`, or `true` or `false`.
impl Serialize for Condition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Column {
                column,
                function,
                value,
            } => (column, function, value).serialize(serializer),
            Self::Constant(value) => value.serialize(serializer),
        }
    }
}

/// `[column, mutator, value]`.
impl Serialize for Mutation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&self.column, self.mutator, &self.value).serialize(serializer)
    }
}

/// `[column, function, value]`, or `true` or `false`.
impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(untagged)]
        enum Wire {
            Constant(bool),
            Column(String, Function, Datum),
        }
        Ok(match Wire::deserialize(deserializer)? {
            Wire::Constant(value) => Self::Constant(value),
            Wire::Column(column, function, value) => Self::new(column, function, value),
        })
    }
}

/// `[column, mutator, value]`.
impl<'de> Deserialize<'de> for Mutation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (column, mutator, value): (String, Mutator, Datum) = Deserialize::deserialize(deserializer)?;
        Ok(Self::new(column, mutator, value))
    }
}

/// A time in whole milliseconds, which the server reads as an `i64`.
mod millis {
    use std::time::Duration;

    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::schema::{AtomicType, ColumnType};
    use crate::value::Atom;

    #[expect(clippy::ref_option, reason = "serde gives it so")]
    pub(super) fn serialize<S: Serializer>(
        time: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let millis = time.map(|time| i64::try_from(time.as_millis()).unwrap_or(i64::MAX));
        millis.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        // The server takes 0.0 for 0, too.
        let Some(number) = Option::<Atom>::deserialize(deserializer)? else {
            return Ok(None);
        };
        let millis = ColumnType::scalar(AtomicType::Integer).conform(number.into());
        let millis = millis.map_err(D::Error::custom)?;
        let millis = millis
            .as_scalar()
            .and_then(Atom::as_integer)
            .and_then(|millis| u64::try_from(millis).ok());
        let millis = millis.ok_or_else(|| D::Error::custom("wanted milliseconds"))?;
        Ok(Some(Duration::from_millis(millis)))
    }
}

#[cfg(test)]
mod tests;
