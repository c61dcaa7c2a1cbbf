use alloc::vec::Vec;

use crate::model::field::Field;

/// Values of a few fields, in the order of the fields. Of the many fields that a match does not have, a bit
/// each says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldMap<V> {
    present: [u64; WORDS],
    values: Vec<(Field, V)>,
}

impl<V> Default for FieldMap<V> {
    fn default() -> Self {
        FieldMap {
            present: [0; WORDS],
            values: Vec::new(),
        }
    }
}

impl<V> FieldMap<V> {
    pub(crate) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    #[inline]
    pub(crate) fn contains(&self, field: Field) -> bool {
        let (word, bit) = place(field);
        self.present[word] & bit != 0
    }

    #[inline]
    pub(crate) fn get(&self, field: Field) -> Option<&V> {
        if !self.contains(field) {
            return None;
        }
        // There are few.
        let found = self.values.iter().find(|(known, _)| *known == field);
        found.map(|(_, value)| value)
    }

    pub(crate) fn insert(&mut self, field: Field, value: V) {
        let (word, bit) = place(field);
        self.present[word] |= bit;
        // There are few, and a later one mostly belongs behind.
        let before = self.values.iter().rposition(|(known, _)| *known <= field);
        match before.map(|before| (before, &mut self.values[before])) {
            Some((_, (known, old))) if *known == field => *old = value,
            before => {
                let at = before.map_or(0, |(before, _)| before + 1);
                if self.values.capacity() == 0 {
                    // As many as most matches have.
                    self.values.reserve(8);
                }
                self.values.insert(at, (field, value));
            }
        }
    }

    #[inline]
    pub(crate) fn remove(&mut self, field: Field) {
        if self.contains(field) {
            let (word, bit) = place(field);
            self.present[word] &= !bit;
            self.values.retain(|(known, _)| *known != field);
        }
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (Field, &mut V)> {
        self.values.iter_mut().map(|(field, value)| (*field, value))
    }

    /// All of them, in the order of the fields.
    pub(crate) fn into_values(self) -> Vec<(Field, V)> {
        self.values
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Field, &V)> {
        self.values.iter().map(|(field, value)| (*field, value))
    }
}

#[inline]
fn place(field: Field) -> (usize, u64) {
    let number = field as usize;
    (number / 64, 1 << (number % 64))
}

const WORDS: usize = Field::ALL.len().div_ceil(64);

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;

    #[test]
    fn it_is_a_map_in_the_order_of_the_fields() {
        let (mut map, mut wanted) = (FieldMap::default(), BTreeMap::new());
        // All fields, three of four removed again, some twice.
        for (n, step) in (0..4 * Field::ALL.len()).zip((0..).step_by(37)) {
            let field = Field::ALL[step % Field::ALL.len()];
            match n % 4 {
                0 | 1 => {
                    map.insert(field, n);
                    wanted.insert(field, n);
                }
                2 => assert_eq!(map.get(field), wanted.get(&field)),
                _ => {
                    map.remove(field);
                    wanted.remove(&field);
                }
            }
            assert_eq!(map.contains(field), wanted.contains_key(&field));
        }
        assert!(map.iter().eq(wanted.iter().map(|(field, n)| (*field, n))));
        assert!(wanted.len() > 50);
    }
}
