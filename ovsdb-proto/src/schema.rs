//! Database schemas: RFC 7047 section 3.2, as `get_schema` gives them.
//!
//! [`DatabaseSchema::parse`] takes what Open vSwitch takes, and refuses what it refuses. A schema that a server sends may
//! have members that the RFC does not have: read by serde, they are left out, so that a newer server's can be read.
//!
//! ```
//! use ovsdb_proto::schema::DatabaseSchema;
//!
//! # fn main() -> Result<(), ovsdb_proto::rpc::JsonError> {
//! let schema = DatabaseSchema::parse(
//!     r#"{"name":"db","version":"1.0.0","tables":{"T":{"columns":{
//!         "tag":{"type":{"key":{"type":"integer","minInteger":0,"maxInteger":4095},"min":0,"max":1}}
//!     }}}}"#,
//! )?;
//! let tag = &schema.tables["T"].columns["tag"];
//! assert!(tag.ty.is_optional_scalar());
//! assert_eq!(tag.ty.key.max_integer, Some(4095));
//! # Ok(())
//! # }
//! ```

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use thiserror::Error;

use crate::json::Json;
use crate::rpc::JsonError;
use crate::value::{Atom, Datum, Map, Set, Uuid};

mod check;
mod parse;
mod write;

use self::parse::Unknown;

/// The schema of one database.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct DatabaseSchema {
    /// The name of the database.
    pub name: String,
    /// Its version, `x.y.z`. Absent in old schemas.
    pub version: Option<String>,
    /// Its checksum. It changes with the schema.
    pub cksum: Option<String>,
    /// The tables by name.
    pub tables: BTreeMap<String, TableSchema>,
}

/// The schema of one table.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TableSchema {
    /// The columns by name, without `_uuid` and `_version`, which every table has.
    pub columns: BTreeMap<String, ColumnSchema>,
    /// How many rows there may be; `None`: any number.
    pub max_rows: Option<u64>,
    /// Whether a row stays without another row that refers to it. In a schema that says it of no table, every table is
    /// a root.
    pub is_root: bool,
    /// Whether rows can be changed, as the schema says. No server of Open vSwitch heeds it.
    pub mutable: bool,
    /// Groups of columns whose values are unique together.
    pub indexes: Vec<Vec<String>>,
}

/// The schema of one column.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ColumnSchema {
    /// Its type.
    pub ty: ColumnType,
    /// Whether the server may forget the value when it restarts. Never of strong references to rows of a table that is no
    /// root.
    pub ephemeral: bool,
    /// Whether the value can be changed after the row was inserted. Always of weak references.
    pub mutable: bool,
}

/// The type of a column: how many elements, and of what.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ColumnType {
    /// The elements of a set, or the keys of a map.
    pub key: BaseType,
    /// The values of a map; `None`: the column is a set.
    pub value: Option<BaseType>,
    /// The least number of elements: 0 or 1.
    pub min: u64,
    /// The greatest number of elements; `None`: any number.
    pub max: Option<u64>,
}

/// The type of one atom, with its limits.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct BaseType {
    /// The kind of atom.
    pub atomic: AtomicType,
    /// The only values allowed.
    pub allowed: Option<Set>,
    /// The least integer.
    pub min_integer: Option<i64>,
    /// The greatest integer.
    pub max_integer: Option<i64>,
    /// The least real.
    pub min_real: Option<f64>,
    /// The greatest real.
    pub max_real: Option<f64>,
    /// The least length of a string, in characters.
    pub min_length: Option<u64>,
    /// The greatest length of a string, in characters.
    pub max_length: Option<u64>,
    /// The table whose rows the UUIDs name.
    pub ref_table: Option<String>,
    /// Whether a reference keeps its row alive. Only with `ref_table`.
    pub ref_type: RefType,
}

/// The kind of an atom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AtomicType {
    /// An `i64`.
    Integer,
    /// An `f64`.
    Real,
    /// `true` or `false`.
    Boolean,
    /// A string.
    String,
    /// A UUID.
    Uuid,
}

/// What a reference to a row does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RefType {
    /// It keeps the row alive, and the row must exist.
    #[default]
    Strong,
    /// It vanishes with the row.
    Weak,
}

/// Why a value is not of a column's type.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum TypeError {
    /// A set where a map must be.
    #[error("found a set, wanted a map")]
    NotAMap,
    /// A map where a set must be.
    #[error("found a map, wanted a set")]
    NotASet,
    /// An atom of another kind.
    #[error("found {found}, wanted {wanted}")]
    Atom {
        /// The kind that is there.
        found: AtomicType,
        /// The kind that must be there.
        wanted: AtomicType,
    },
    /// The name of a new row that is not an identifier: a letter or `_`, then letters, digits and `_`.
    #[error("the name {name:?} is not an identifier")]
    Identifier {
        /// The name.
        name: String,
    },
    /// A name where the UUID of a row must be.
    #[error("found the name {name:?}, wanted a uuid")]
    Name {
        /// The name.
        name: String,
    },
    /// An integer out of range.
    #[error("{found} is not in the range {min} to {max}")]
    IntegerRange {
        /// The integer.
        found: i64,
        /// The least allowed.
        min: i64,
        /// The greatest allowed.
        max: i64,
    },
    /// A real out of range.
    #[error("{found} is not in the range {min} to {max}")]
    RealRange {
        /// The real.
        found: f64,
        /// The least allowed.
        min: f64,
        /// The greatest allowed.
        max: f64,
    },
    /// A string too short or too long.
    #[error("string has {found} characters, wanted {min} to {}", Max(*.max))]
    Length {
        /// Its length in characters.
        found: u64,
        /// The least length.
        min: u64,
        /// The greatest length; `None`: any.
        max: Option<u64>,
    },
    /// A value that is not one of those that the column allows.
    #[error("{found} is not one of the values allowed")]
    NotAllowed {
        /// The value.
        found: Atom,
    },
    /// An element, or a key, for the second time: as a real it is equal to another.
    #[error("found an element twice")]
    Duplicate,
    /// Too few or too many elements.
    #[error("found {found} elements, wanted {min} to {}", Max(*.max))]
    Count {
        /// How many are there.
        found: usize,
        /// The least number.
        min: u64,
        /// The greatest number; `None`: any.
        max: Option<u64>,
    },
}

impl DatabaseSchema {
    /// Reads the JSON text of a schema: a `.ovsschema` file, or the result of `get_schema`.
    ///
    /// # Errors
    ///
    /// [`JsonError`] if it is not JSON, or not a schema that Open vSwitch takes.
    pub fn parse(text: &str) -> Result<Self, JsonError> {
        parse::database(Json::new(text)?, Unknown::Refused).map_err(|fault| fault.within(text))
    }
}

impl TableSchema {
    /// The type of a column, also of the `_uuid` and the `_version` that every table has.
    #[must_use]
    pub fn column_type(&self, column: &str) -> Option<ColumnType> {
        match column {
            "_uuid" | "_version" => Some(ColumnType::scalar(AtomicType::Uuid)),
            _ => self.columns.get(column).map(|column| column.ty.clone()),
        }
    }
}

impl ColumnType {
    /// One atom without limits.
    pub(crate) fn scalar(atomic: AtomicType) -> Self {
        Self {
            key: BaseType::plain(atomic),
            value: None,
            min: 1,
            max: Some(1),
        }
    }

    /// Whether the column holds a map.
    #[must_use]
    pub fn is_map(&self) -> bool {
        self.value.is_some()
    }

    /// Whether it holds exactly one atom.
    #[must_use]
    pub fn is_scalar(&self) -> bool {
        self.value.is_none() && self.min == 1 && self.max == Some(1)
    }

    /// Whether it holds one atom or none.
    #[must_use]
    pub fn is_optional_scalar(&self) -> bool {
        self.value.is_none() && self.min == 0 && self.max == Some(1)
    }

    /// What a column holds that was never written: nothing, or one zero, `false` or empty string
    /// (RFC 7047 section 5.2.1). An update2 leaves such a value out.
    #[must_use]
    pub fn default_value(&self) -> Datum {
        match (&self.value, self.min) {
            (None, 0) => Set::default().into(),
            (None, _) => self.key.atomic.default_value().into(),
            (Some(_), 0) => Map::default().into(),
            (Some(value), _) => {
                let pair = (self.key.atomic.default_value(), value.atomic.default_value());
                Map::new(vec![pair]).unwrap_or_default().into()
            }
        }
    }

    /// Checks that a value from the wire is of this type, and makes a real of an integer where
    /// the type says so, for the server writes `100.0` as `100`; and an integer of `1e3` or `1.0`, as the server does it.
    /// Ranges and enumerations are the server's business and not checked.
    ///
    /// # Errors
    ///
    /// [`TypeError`] if it is not.
    pub fn conform(&self, value: Datum) -> Result<Datum, TypeError> {
        self.checked_count(self.conform_atoms(value)?)
    }

    /// Applies what an update2 says about a column of this type to the old value. If the type
    /// allows several elements, `diff` holds those that differ: see
    /// [`Set::symmetric_difference`] and [`Map::apply_diff`]. Else it is the new value.
    ///
    /// # Errors
    ///
    /// [`TypeError`] if the diff or the result is not of this type: then the old value is not the
    /// one that the server has.
    pub fn apply_diff(&self, old: &Datum, diff: Datum) -> Result<Datum, TypeError> {
        let diff = self.conform_atoms(diff)?;
        self.checked_count(match (old, diff) {
            (_, diff) if self.max == Some(1) => diff,
            (Datum::Set(old), Datum::Set(diff)) => old.symmetric_difference(&diff).into(),
            (Datum::Map(old), Datum::Map(diff)) => old.apply_diff(&diff).into(),
            (Datum::Set(_), Datum::Map(_)) => return Err(TypeError::NotASet),
            (Datum::Map(_), Datum::Set(_)) => return Err(TypeError::NotAMap),
        })
    }

    pub(crate) fn conform_atoms(&self, value: Datum) -> Result<Datum, TypeError> {
        match (value, &self.value) {
            (Datum::Set(set), None) => {
                let key = self.key.atomic;
                let atoms = set.into_vec().into_iter().map(|atom| key.conform(atom));
                let atoms = atoms.collect::<Result<_, _>>()?;
                Set::new(atoms).map(Datum::from).map_err(|_| TypeError::Duplicate)
            }
            (Datum::Map(map), Some(value)) => {
                let (key, value) = (self.key.atomic, value.atomic);
                let pairs = map.into_vec().into_iter();
                let pairs = pairs.map(|(k, v)| Ok((key.conform(k)?, value.conform(v)?)));
                let pairs = pairs.collect::<Result<_, _>>()?;
                Map::new(pairs).map(Datum::from).map_err(|_| TypeError::Duplicate)
            }
            (Datum::Set(_), Some(_)) => Err(TypeError::NotAMap),
            (Datum::Map(_), None) => Err(TypeError::NotASet),
        }
    }

    fn checked_count(&self, value: Datum) -> Result<Datum, TypeError> {
        self.check_count(&value).map(|()| value)
    }

    fn check_count(&self, value: &Datum) -> Result<(), TypeError> {
        let found = value.len();
        let count = u64::try_from(found).unwrap_or(u64::MAX);
        if count < self.min || self.max.is_some_and(|max| count > max) {
            let Self { min, max, .. } = *self;
            return Err(TypeError::Count { found, min, max });
        }
        Ok(())
    }
}

impl AtomicType {
    /// The name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Real => "real",
            Self::Boolean => "boolean",
            Self::String => "string",
            Self::Uuid => "uuid",
        }
    }

    fn of(atom: &Atom) -> Self {
        // A named UUID stands for the UUID of a row.
        match atom {
            Atom::Integer(_) => Self::Integer,
            Atom::Real(_) => Self::Real,
            Atom::Boolean(_) => Self::Boolean,
            Atom::String(_) => Self::String,
            Atom::Uuid(_) | Atom::NamedUuid(_) => Self::Uuid,
        }
    }

    fn default_value(self) -> Atom {
        match self {
            Self::Integer => Atom::Integer(0),
            Self::Real => Atom::Real(0.0),
            Self::Boolean => Atom::Boolean(false),
            Self::String => Atom::String(String::new()),
            Self::Uuid => Atom::Uuid(Uuid::ZERO),
        }
    }

    fn conform(self, atom: Atom) -> Result<Atom, TypeError> {
        match (self, atom) {
            #[allow(clippy::cast_precision_loss)] // the server writes it with 15 digits
            (Self::Real, Atom::Integer(value)) => Ok(Atom::Real(value as f64)),
            (Self::Integer, Atom::Real(value)) => match integral(value) {
                Some(value) => Ok(Atom::Integer(value)),
                None => Err(TypeError::Atom {
                    found: Self::Real,
                    wanted: self,
                }),
            },
            (_, Atom::NamedUuid(name)) => Err(TypeError::Name { name }),
            (wanted, atom) => match Self::of(&atom) {
                found if found == wanted => Ok(atom),
                found => Err(TypeError::Atom { found, wanted }),
            },
        }
    }
}

impl fmt::Display for AtomicType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl BaseType {
    /// A type with no limits.
    fn plain(atomic: AtomicType) -> Self {
        Self {
            atomic,
            allowed: None,
            min_integer: None,
            max_integer: None,
            min_real: None,
            max_real: None,
            min_length: None,
            max_length: None,
            ref_table: None,
            ref_type: RefType::Strong,
        }
    }
}

/// The integer that a real is, as far as reals tell integers apart.
fn integral(real: f64) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "it is an integer of 53 bits")]
    (real.fract() == 0.0 && real.abs() <= EXACT).then_some(real as i64)
}

/// Prints a greatest number of elements.
struct Max(Option<u64>);

impl fmt::Display for Max {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(max) => max.fmt(f),
            None => f.write_str("any number"),
        }
    }
}

/// 2^53.
const EXACT: f64 = 9_007_199_254_740_992.0;

#[cfg(test)]
mod tests;
