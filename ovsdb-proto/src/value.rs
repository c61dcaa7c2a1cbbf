//! Column values: what a row of a database holds.
//!
//! A column holds a set or a map of atoms (RFC 7047 section 3.2). A scalar column is a set of
//! exactly one, an optional column a set of none or one. On the wire a set of one may stand as
//! the bare atom, so `"p1"` and `["set",["p1"]]` are the same value; both are read, and a set of
//! one is written as the bare atom, as the server does it.
//!
//! ```
//! use ovsdb_proto::value::{Atom, Datum};
//!
//! # fn main() -> Result<(), serde_json::Error> {
//! let bare: Datum = serde_json::from_str("7")?;
//! let set: Datum = serde_json::from_str(r#"["set",[7]]"#)?;
//! assert_eq!(bare, set);
//! assert_eq!(bare.as_scalar(), Some(&Atom::Integer(7)));
//! assert_eq!(serde_json::to_string(&set)?, "7");
//! # Ok(())
//! # }
//! ```
//!
//! A [`Row`] can be read as it is, or into a type of yours: see [`Row::read`]. Atoms and data print as `ovs-vsctl` prints
//! them.

use std::cmp::Ordering;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use serde::ser::{self, Serialize, Serializer};

mod datum;
mod fields;
mod row;
mod row_de;
mod row_ser;
mod scalar;
mod text;
mod uuid;
mod wire_de;

pub use self::datum::{Datum, Map, MapError, Set, SetError};
pub(crate) use self::fields::fields_of;
pub use self::row::Row;
pub use self::row_de::RowError;
pub(crate) use self::row_de::Value;
#[cfg(feature = "server")]
pub(crate) use self::text::client_json;
pub use self::uuid::{Uuid, UuidError};
pub(crate) use self::wire_de::WireValue;

/// One indivisible value: RFC 7047 section 3.1.
///
/// Equality and order are total: reals compare as numbers, so that `-0.0` is `0.0`, and kinds in the order below. (What is
/// not a number is no value of a database; it compares by [`f64::total_cmp`].)
/// An [`Integer`](Self::Integer) is never equal to a [`Real`](Self::Real); the server may write a
/// real column's `100.0` as `100`, which [`ColumnType::conform`](crate::schema::ColumnType::conform)
/// puts right.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Atom {
    /// A JSON number without fraction and exponent, in the range of `i64`.
    Integer(i64),
    /// Any other JSON number. Must be finite to be written.
    Real(f64),
    /// `true` or `false`.
    Boolean(bool),
    /// A JSON string.
    String(String),
    /// `["uuid", "36 characters"]`.
    Uuid(Uuid),
    /// `["named-uuid", "id"]`: the row that an `insert` of the same transaction names so. In
    /// requests only; no column ever holds one.
    NamedUuid(String),
}

impl Atom {
    /// The integer, if it is one.
    #[must_use]
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(value) => Some(*value),
            _ => None,
        }
    }

    /// The real, if it is one.
    #[must_use]
    pub fn as_real(&self) -> Option<f64> {
        match self {
            Self::Real(value) => Some(*value),
            _ => None,
        }
    }

    /// The boolean, if it is one.
    #[must_use]
    pub fn as_boolean(&self) -> Option<bool> {
        match self {
            Self::Boolean(value) => Some(*value),
            _ => None,
        }
    }

    /// The string, if it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(value) => Some(value),
            _ => None,
        }
    }

    /// The UUID, if it is one.
    #[must_use]
    pub fn as_uuid(&self) -> Option<Uuid> {
        match self {
            Self::Uuid(value) => Some(*value),
            _ => None,
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Integer(_) => 0,
            Self::Real(_) => 1,
            Self::Boolean(_) => 2,
            Self::String(_) => 3,
            Self::Uuid(_) => 4,
            Self::NamedUuid(_) => 5,
        }
    }
}

impl Ord for Atom {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => a.cmp(b),
            (Self::Real(a), Self::Real(b)) => a.partial_cmp(b).unwrap_or_else(|| a.total_cmp(b)),
            (Self::Boolean(a), Self::Boolean(b)) => a.cmp(b),
            (Self::String(a), Self::String(b)) => a.cmp(b),
            (Self::Uuid(a), Self::Uuid(b)) => a.cmp(b),
            (Self::NamedUuid(a), Self::NamedUuid(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Atom {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Atom {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Atom {}

impl From<i64> for Atom {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<f64> for Atom {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl From<bool> for Atom {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<&str> for Atom {
    fn from(value: &str) -> Self {
        Self::String(value.to_owned())
    }
}

impl From<String> for Atom {
    fn from(value: String) -> Self {
        Self::String(value)
    }
}

impl From<Uuid> for Atom {
    fn from(value: Uuid) -> Self {
        Self::Uuid(value)
    }
}

/// The form on the wire.
impl Serialize for Atom {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(WIRE_FORM, &Wire(self))
    }
}

impl Serialize for Wire<'_, Atom> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Atom::Integer(value) => serializer.serialize_i64(*value),
            Atom::Real(value) if value.is_finite() => serializer.serialize_f64(*value),
            Atom::Real(_) => Err(ser::Error::custom("a real must be finite")),
            Atom::Boolean(value) => serializer.serialize_bool(*value),
            Atom::String(value) => serializer.serialize_str(value),
            Atom::Uuid(value) => ("uuid", value).serialize(serializer),
            Atom::NamedUuid(name) => ("named-uuid", name).serialize(serializer),
        }
    }
}

/// The form on the wire. An integer outside `i64` is read as a real, as the server does it.
impl<'de> Deserialize<'de> for Atom {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(WIRE_FORM, AtomVisitor)
    }
}

struct AtomVisitor;

impl<'de> Visitor<'de> for AtomVisitor {
    type Value = Atom;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, a boolean, a string, [\"uuid\", string] or [\"named-uuid\", string]")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<Atom, D::Error> {
        inner.deserialize_any(self)
    }

    fn visit_i64<E>(self, value: i64) -> Result<Atom, E> {
        Ok(Atom::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Atom, E> {
        #[allow(clippy::cast_precision_loss)] // what the server does with such a number
        Ok(i64::try_from(value).map_or(Atom::Real(value as f64), Atom::Integer))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Atom, E> {
        Ok(Atom::Real(value))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Atom, E> {
        Ok(Atom::Boolean(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Atom, E> {
        Ok(Atom::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Atom, E> {
        Ok(Atom::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Atom, A::Error> {
        let atom = match element(&mut seq, 0, &self)? {
            uuid::Tag::Uuid => {
                let uuid::BareUuid(uuid) = element(&mut seq, 1, &self)?;
                Atom::Uuid(uuid)
            }
            uuid::Tag::NamedUuid => Atom::NamedUuid(element(&mut seq, 1, &self)?),
        };
        end(seq, 2, &self)?;
        Ok(atom)
    }
}

/// Reads the next element of a fixed-length array.
fn element<'de, T: Deserialize<'de>, A: SeqAccess<'de>>(
    seq: &mut A,
    nth: usize,
    expected: &dyn de::Expected,
) -> Result<T, A::Error> {
    seq.next_element()?
        .ok_or_else(|| de::Error::invalid_length(nth, expected))
}

/// Checks that an array has no more than the `len` elements that were read.
fn end<'de, A: SeqAccess<'de>>(mut seq: A, len: usize, expected: &dyn de::Expected) -> Result<(), A::Error> {
    match seq.next_element::<de::IgnoredAny>()? {
        None => Ok(()),
        Some(_) => Err(de::Error::invalid_length(len + 1, expected)),
    }
}

/// A value in its form on the wire.
struct Wire<'a, T>(&'a T);

/// The name under which [`Atom`] and [`Datum`] ask for themselves and write themselves, so that a
/// [`Row`] can give them their form on the wire, and everything else a plain one: UUIDs as strings,
/// sets as sequences.
const WIRE_FORM: &str = "$ovsdb_proto::WireForm";

/// The name under which a [`Uuid`] writes itself, so that a [`Row`] can tell it from a string.
const UUID_FORM: &str = "$ovsdb_proto::Uuid";

#[cfg(test)]
mod tests;
