//! Sets and maps of atoms, and their forms on the wire.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeTuple, Serializer};
use thiserror::Error;

use super::uuid::BareUuid;
use super::{Atom, Uuid, WIRE_FORM, Wire, element, end};

/// The value of one column.
///
/// Layout on the wire: an atom, `["set", [atom, …]]` or `["map", [[atom, atom], …]]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Datum {
    /// A set; scalar and optional columns are sets, too.
    Set(Set),
    /// A map.
    Map(Map),
}

/// Atoms, each once, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Set(Vec<Atom>);

/// Pairs of atoms, each key once, in the order of the keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Map(Vec<(Atom, Atom)>);

/// A set has an element twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("set holds an element twice")]
pub struct SetError;

/// A map has a key twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("map holds a key twice")]
pub struct MapError;

impl Datum {
    /// The set, if it is one.
    #[must_use]
    pub fn as_set(&self) -> Option<&Set> {
        match self {
            Self::Set(set) => Some(set),
            Self::Map(_) => None,
        }
    }

    /// The map, if it is one.
    #[must_use]
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Self::Map(map) => Some(map),
            Self::Set(_) => None,
        }
    }

    /// The atom, if it is a set of exactly one.
    #[must_use]
    pub fn as_scalar(&self) -> Option<&Atom> {
        match self.as_set()?.0.as_slice() {
            [atom] => Some(atom),
            _ => None,
        }
    }

    /// Elements of the set, or pairs of the map.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Set(set) => set.len(),
            Self::Map(map) => map.len(),
        }
    }

    /// Whether it has no element.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Set {
    /// A set of these atoms.
    ///
    /// # Errors
    ///
    /// [`SetError`] if one is there twice.
    pub fn new(mut atoms: Vec<Atom>) -> Result<Self, SetError> {
        atoms.sort_unstable();
        if atoms.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(SetError);
        }
        Ok(Self(atoms))
    }

    /// The atoms, in order.
    #[must_use]
    pub fn as_slice(&self) -> &[Atom] {
        &self.0
    }

    /// The atoms, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Atom> {
        self.0.iter()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `atom` is one of them.
    #[must_use]
    pub fn contains(&self, atom: &Atom) -> bool {
        self.0.binary_search(atom).is_ok()
    }

    /// The elements of exactly one of the two sets: how a `modify` of an update2 changes a set.
    #[must_use]
    pub fn symmetric_difference(&self, diff: &Self) -> Self {
        Self(merge(&self.0, &diff.0, Atom::cmp, |_, _| None))
    }

    pub(crate) fn into_vec(self) -> Vec<Atom> {
        self.0
    }
}

impl Map {
    /// A map of these pairs.
    ///
    /// # Errors
    ///
    /// [`MapError`] if a key is there twice.
    pub fn new(mut pairs: Vec<(Atom, Atom)>) -> Result<Self, MapError> {
        pairs.sort_unstable();
        if pairs.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return Err(MapError);
        }
        Ok(Self(pairs))
    }

    /// The pairs, in the order of the keys.
    #[must_use]
    pub fn as_slice(&self) -> &[(Atom, Atom)] {
        &self.0
    }

    /// The pairs, in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&Atom, &Atom)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &Atom) -> Option<&Atom> {
        let at = self.0.binary_search_by(|(k, _)| k.cmp(key)).ok()?;
        Some(&self.0[at].1)
    }

    /// How a `modify` of an update2 changes a map: a pair whose key is not there is added, a pair
    /// that is there is removed, another value for a key replaces the old one.
    #[must_use]
    pub fn apply_diff(&self, diff: &Self) -> Self {
        Self(merge(
            &self.0,
            &diff.0,
            |(a, _), (b, _)| a.cmp(b),
            |old, new| (old != new).then(|| new.clone()),
        ))
    }

    pub(crate) fn into_vec(self) -> Vec<(Atom, Atom)> {
        self.0
    }
}

impl From<Atom> for Datum {
    fn from(atom: Atom) -> Self {
        Self::Set(Set(vec![atom]))
    }
}

impl From<Set> for Datum {
    fn from(set: Set) -> Self {
        Self::Set(set)
    }
}

impl From<Map> for Datum {
    fn from(map: Map) -> Self {
        Self::Map(map)
    }
}

macro_rules! from_scalars {
    ($($scalar:ty),*) => {
        $(
            /// A set of one.
            impl From<$scalar> for Datum {
                fn from(value: $scalar) -> Self {
                    Atom::from(value).into()
                }
            }
        )*
    };
}

from_scalars!(i64, f64, bool, &str, String, Uuid);

/// A set of one or none.
impl<T: Into<Atom>> From<Option<T>> for Datum {
    fn from(value: Option<T>) -> Self {
        Self::Set(Set(value.map(Into::into).into_iter().collect()))
    }
}

impl<T: Into<Atom>> From<BTreeSet<T>> for Datum {
    fn from(values: BTreeSet<T>) -> Self {
        values.into_iter().collect::<Set>().into()
    }
}

impl<K: Into<Atom>, V: Into<Atom>> From<BTreeMap<K, V>> for Datum {
    fn from(pairs: BTreeMap<K, V>) -> Self {
        pairs.into_iter().collect::<Map>().into()
    }
}

/// What comes twice is there once.
impl<T: Into<Atom>> FromIterator<T> for Set {
    fn from_iter<I: IntoIterator<Item = T>>(atoms: I) -> Self {
        let atoms: BTreeSet<Atom> = atoms.into_iter().map(Into::into).collect();
        Self(atoms.into_iter().collect())
    }
}

/// If a key comes twice, its last value stays.
impl<K: Into<Atom>, V: Into<Atom>> FromIterator<(K, V)> for Map {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let pairs = pairs.into_iter().map(|(key, value)| (key.into(), value.into()));
        let pairs: BTreeMap<Atom, Atom> = pairs.collect();
        Self(pairs.into_iter().collect())
    }
}

impl<'a> IntoIterator for &'a Set {
    type Item = &'a Atom;
    type IntoIter = std::slice::Iter<'a, Atom>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Serialize for Datum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Set(set) => set.serialize(serializer),
            Self::Map(map) => map.serialize(serializer),
        }
    }
}

/// A bare atom if it has one element, else `["set", [atom, …]]`.
impl Serialize for Set {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(WIRE_FORM, &Wire(self))
    }
}

impl Serialize for Wire<'_, Set> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.0.as_slice() {
            [atom] => atom.serialize(serializer),
            atoms => tagged(serializer, "set", atoms),
        }
    }
}

/// `["map", [[atom, atom], …]]`.
impl Serialize for Map {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(WIRE_FORM, &Wire(self))
    }
}

impl Serialize for Wire<'_, Map> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        tagged(serializer, "map", &self.0.0)
    }
}

impl<'de> Deserialize<'de> for Datum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(WIRE_FORM, DatumVisitor)
    }
}

impl<'de> Deserialize<'de> for Set {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Datum::deserialize(deserializer)? {
            Datum::Set(set) => Ok(set),
            Datum::Map(_) => Err(de::Error::custom("found a map, wanted a set")),
        }
    }
}

impl<'de> Deserialize<'de> for Map {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Datum::deserialize(deserializer)? {
            Datum::Map(map) => Ok(map),
            Datum::Set(_) => Err(de::Error::custom("found a set, wanted a map")),
        }
    }
}

struct DatumVisitor;

impl<'de> Visitor<'de> for DatumVisitor {
    type Value = Datum;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an atom, [\"set\", array] or [\"map\", array]")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<Datum, D::Error> {
        inner.deserialize_any(self)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Datum, E> {
        super::AtomVisitor.visit_i64(value).map(Datum::from)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Datum, E> {
        super::AtomVisitor.visit_u64(value).map(Datum::from)
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Datum, E> {
        super::AtomVisitor.visit_f64(value).map(Datum::from)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Datum, E> {
        super::AtomVisitor.visit_bool(value).map(Datum::from)
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Datum, E> {
        super::AtomVisitor.visit_str(value).map(Datum::from)
    }

    fn visit_string<E: de::Error>(self, value: String) -> Result<Datum, E> {
        super::AtomVisitor.visit_string(value).map(Datum::from)
    }

    // No atom is an array that starts with "set" or "map", so the first element decides.
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Datum, A::Error> {
        let datum = match element(&mut seq, 0, &self)? {
            Tag::Set => {
                let set = Set::new(element(&mut seq, 1, &self)?);
                set.map_err(de::Error::custom)?.into()
            }
            Tag::Map => {
                let map = Map::new(element(&mut seq, 1, &self)?);
                map.map_err(de::Error::custom)?.into()
            }
            Tag::Uuid => {
                let BareUuid(uuid) = element(&mut seq, 1, &self)?;
                Atom::Uuid(uuid).into()
            }
            Tag::NamedUuid => Atom::NamedUuid(element(&mut seq, 1, &self)?).into(),
        };
        end(seq, 2, &self)?;
        Ok(datum)
    }
}

/// The first element of an array.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Tag {
    Set,
    Map,
    Uuid,
    NamedUuid,
}

fn tagged<S: Serializer, T: Serialize + ?Sized>(
    serializer: S,
    tag: &str,
    elements: &T,
) -> Result<S::Ok, S::Error> {
    let mut tuple = serializer.serialize_tuple(2)?;
    tuple.serialize_element(tag)?;
    tuple.serialize_element(elements)?;
    tuple.end()
}

/// Merges two sorted lists. Where both have the key, `both` says what stays.
fn merge<T: Clone>(
    old: &[T],
    diff: &[T],
    order: impl Fn(&T, &T) -> Ordering,
    both: impl Fn(&T, &T) -> Option<T>,
) -> Vec<T> {
    let mut merged = Vec::with_capacity(old.len() + diff.len());
    let (mut old, mut diff) = (old.iter().peekable(), diff.iter().peekable());
    while let (Some(a), Some(b)) = (old.peek(), diff.peek()) {
        match order(a, b) {
            Ordering::Less => merged.extend(old.next().cloned()),
            Ordering::Greater => merged.extend(diff.next().cloned()),
            Ordering::Equal => {
                merged.extend(both(a, b));
                old.next();
                diff.next();
            }
        }
    }
    merged.extend(old.cloned());
    merged.extend(diff.cloned());
    merged
}
