//! Rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

use super::row_de::{RowDeserializer, RowError};
use super::row_ser;
use super::{Datum, Uuid};

/// The columns of one row, in the order of their names.
///
/// The rows of one table share the names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    names: Arc<[Arc<str>]>,
    values: Vec<Datum>,
}

impl Row {
    /// The value of a column, if the row has it.
    #[must_use]
    pub fn get(&self, column: &str) -> Option<&Datum> {
        let at = self.names.binary_search_by(|name| (**name).cmp(column)).ok()?;
        self.values.get(at)
    }

    /// Names and values, in the order of the names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Datum)> {
        self.names.iter().map(|name| &**name).zip(&self.values)
    }

    /// How many columns there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Reads the row into a type of yours: anything that serde can read from a map.
    ///
    /// | column | Rust |
    /// |---|---|
    /// | scalar | `i64` and the other numbers, `f64`, `bool`, `String`, [`Uuid`], a unit-only enum |
    /// | optional | `Option` of these |
    /// | set | `Vec`, `BTreeSet` and so on |
    /// | map | `BTreeMap`, `HashMap` |
    ///
    /// A field that has no column is an error, also if it is an `Option` or has
    /// `#[serde(default)]`: a column that was not asked for is not an empty one. An alias counts
    /// as a field. A column that has no field is left out. A field named `_uuid` gets `uuid`, the row's own.
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use ovsdb_proto::value::{Atom, Datum, Map, Row, Set, Uuid};
    /// use serde::Deserialize;
    ///
    /// #[derive(Debug, PartialEq, Deserialize)]
    /// struct Interface {
    ///     name: String,
    ///     ofport: Option<i64>,
    ///     external_ids: BTreeMap<String, String>,
    /// }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let row: Row = [
    ///     ("name", Datum::from(Atom::from("p1"))),
    ///     ("ofport", Datum::from(Set::default())),
    ///     ("external_ids", Map::new(vec![("iface-id".into(), "x1".into())])?.into()),
    /// ]
    /// .into_iter()
    /// .collect();
    /// let interface: Interface = row.read(Uuid::ZERO)?;
    /// assert_eq!(interface.name, "p1");
    /// assert_eq!(interface.ofport, None);
    /// assert_eq!(interface.external_ids["iface-id"], "x1");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`RowError`] if a column does not fit its field.
    pub fn read<'de, T: Deserialize<'de>>(&'de self, uuid: Uuid) -> Result<T, RowError> {
        T::deserialize(RowDeserializer::new(self, Some(uuid)))
    }

    /// Makes a row of a type of yours: anything that serde writes as a struct or a map, with the
    /// same types of columns as [`read`](Self::read). Fields named `_uuid` and `_version` are left
    /// out, so that what was read can be written.
    ///
    /// ```
    /// use ovsdb_proto::value::{Row, Set, Uuid};
    /// use serde::Serialize;
    ///
    /// #[derive(Serialize)]
    /// struct Port {
    ///     name: &'static str,
    ///     tag: Option<i64>,
    ///     interfaces: Vec<Uuid>,
    /// }
    ///
    /// # fn main() -> Result<(), ovsdb_proto::value::RowError> {
    /// let port = Port { name: "p1", tag: None, interfaces: vec![Uuid::ZERO] };
    /// let row = Row::write(&port)?;
    /// assert_eq!(row.get("tag"), Some(&Set::default().into()));
    /// assert_eq!(row.get("interfaces"), Some(&Uuid::ZERO.into()));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`RowError`] if no column could hold a field.
    pub fn write<T: Serialize + ?Sized>(value: &T) -> Result<Self, RowError> {
        row_ser::row_of(value)
    }

    /// As [`read`](Self::read), of the columns alone.
    pub(crate) fn read_columns<'de, T: Deserialize<'de>>(&'de self) -> Result<T, RowError> {
        T::deserialize(RowDeserializer::new(self, None))
    }

    /// The names must be in order, and as many as the values.
    pub(crate) fn from_parts(names: Arc<[Arc<str>]>, values: Vec<Datum>) -> Self {
        debug_assert_eq!(names.len(), values.len());
        Self { names, values }
    }

    /// The columns in which `new` differs, or which only one of the two has, in order.
    pub(crate) fn changed_names(&self, new: &Self) -> Vec<Arc<str>> {
        if Arc::ptr_eq(&self.names, &new.names) {
            let both = self.values.iter().zip(&new.values);
            let changed = self.names.iter().zip(both);
            let changed = changed.filter(|(_, (old, new))| old != new);
            return changed.map(|(name, _)| Arc::clone(name)).collect();
        }
        let mut names: Vec<_> = self.names.iter().chain(&*new.names).collect();
        names.sort_unstable();
        names.dedup();
        names.retain(|name| self.get(name) != new.get(name));
        names.into_iter().cloned().collect()
    }

    pub(crate) fn values(&self) -> &[Datum] {
        &self.values
    }
}

/// If a name comes twice, its last value stays.
impl<N: Into<Arc<str>>> FromIterator<(N, Datum)> for Row {
    fn from_iter<I: IntoIterator<Item = (N, Datum)>>(columns: I) -> Self {
        let columns: BTreeMap<Arc<str>, Datum> = columns
            .into_iter()
            .map(|(name, value)| (name.into(), value))
            .collect();
        let (names, values): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
        Self::from_parts(names.into(), values)
    }
}

impl<N: Into<Arc<str>>, const COLUMNS: usize> From<[(N, Datum); COLUMNS]> for Row {
    fn from(columns: [(N, Datum); COLUMNS]) -> Self {
        columns.into_iter().collect()
    }
}

/// The form on the wire: an object of the columns.
impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

/// The form on the wire.
impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let columns = BTreeMap::<String, Datum>::deserialize(deserializer)?;
        Ok(columns.into_iter().collect())
    }
}
