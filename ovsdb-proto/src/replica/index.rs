//! Rows by what they hold.

use std::collections::{BTreeMap, BTreeSet};

use crate::value::{Atom, Datum, Row, Uuid};

/// Rows by the elements of one column.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Index {
    /// The place of the column.
    pub(super) column: usize,
    rows: BTreeMap<Element, BTreeSet<Uuid>>,
}

/// An element of a set, or a pair of a map.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Element {
    pub(super) key: Atom,
    pub(super) value: Option<Atom>,
}

impl Index {
    pub(super) fn new(column: usize) -> Self {
        Self {
            column,
            rows: BTreeMap::new(),
        }
    }

    pub(super) fn insert(&mut self, uuid: Uuid, row: &Row) {
        for element in Element::all(&row.values()[self.column]) {
            self.rows.entry(element).or_default().insert(uuid);
        }
    }

    pub(super) fn remove(&mut self, uuid: Uuid, row: &Row) {
        for element in Element::all(&row.values()[self.column]) {
            if let Some(rows) = self.rows.get_mut(&element) {
                rows.remove(&uuid);
                if rows.is_empty() {
                    self.rows.remove(&element);
                }
            }
        }
    }

    /// In the order of their UUIDs.
    pub(super) fn rows(&self, element: &Element) -> impl Iterator<Item = Uuid> + '_ {
        self.rows.get(element).into_iter().flatten().copied()
    }
}

impl Element {
    fn all(value: &Datum) -> Vec<Self> {
        match value {
            Datum::Set(set) => set
                .iter()
                .map(|key| Self {
                    key: key.clone(),
                    value: None,
                })
                .collect(),
            Datum::Map(map) => map
                .iter()
                .map(|(key, value)| Self {
                    key: key.clone(),
                    value: Some(value.clone()),
                })
                .collect(),
        }
    }

    pub(super) fn is_in(&self, value: &Datum) -> bool {
        match value {
            Datum::Set(set) => self.value.is_none() && set.contains(&self.key),
            Datum::Map(map) => self.value.is_some() && map.get(&self.key) == self.value.as_ref(),
        }
    }
}
