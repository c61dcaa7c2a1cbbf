//! Checks of values that are to be sent.

use super::{AtomicType, BaseType, ColumnType, TypeError};
use crate::json::is_id;
use crate::value::{Atom, Datum, Set};

impl ColumnType {
    /// Checks that a value that is to be sent is of this type: kind, number of elements, ranges,
    /// lengths and enumerations. A name may stand for a UUID, and an integer for a real.
    ///
    /// # Errors
    ///
    /// [`TypeError`] if it is not.
    pub fn check(&self, value: &Datum) -> Result<(), TypeError> {
        match (value, &self.value) {
            (Datum::Set(set), None) => set.iter().try_for_each(|atom| self.key.check(atom))?,
            (Datum::Map(map), Some(value)) => map
                .iter()
                .try_for_each(|(k, v)| self.key.check(k).and_then(|()| value.check(v)))?,
            (Datum::Set(_), Some(_)) => return Err(TypeError::NotAMap),
            (Datum::Map(_), None) => return Err(TypeError::NotASet),
        }
        self.check_numbers(value)?;
        self.check_count(value)
    }

    /// Integers where the type has reals, or the other way: as what they are, two may be equal.
    fn check_numbers(&self, value: &Datum) -> Result<(), TypeError> {
        let keys: Vec<&Atom> = match value {
            Datum::Set(set) => set.iter().collect(),
            Datum::Map(map) => map.iter().map(|(key, _)| key).collect(),
        };
        let key = self.key.atomic;
        let is_number = matches!(key, AtomicType::Integer | AtomicType::Real);
        if is_number && keys.iter().any(|found| AtomicType::of(found) != key) {
            let keys = keys.into_iter().map(|found| key.conform(found.clone()));
            let keys = keys.collect::<Result<_, _>>()?;
            Set::new(keys).map_err(|_| TypeError::Duplicate)?;
        }
        Ok(())
    }
}

impl BaseType {
    pub(crate) fn check(&self, atom: &Atom) -> Result<(), TypeError> {
        match (atom, self.atomic) {
            // A number is what it is compared as.
            (Atom::Integer(_), AtomicType::Real) | (Atom::Real(_), AtomicType::Integer) => {
                return self.check(&self.atomic.conform(atom.clone())?);
            }
            (Atom::NamedUuid(name), _) if !is_id(name) => {
                return Err(TypeError::Identifier { name: name.clone() });
            }
            (atom, wanted) => {
                let found = AtomicType::of(atom);
                if found != wanted {
                    return Err(TypeError::Atom { found, wanted });
                }
            }
        }
        if self
            .allowed
            .as_ref()
            .is_some_and(|allowed| !allowed.contains(atom))
        {
            return Err(TypeError::NotAllowed { found: atom.clone() });
        }
        match *atom {
            Atom::Integer(found) => self.check_integer(found),
            Atom::Real(found) => self.check_real(found),
            Atom::String(ref found) => self.check_length(found),
            Atom::Boolean(_) | Atom::Uuid(_) | Atom::NamedUuid(_) => Ok(()),
        }
    }

    fn check_integer(&self, found: i64) -> Result<(), TypeError> {
        let min = self.min_integer.unwrap_or(i64::MIN);
        let max = self.max_integer.unwrap_or(i64::MAX);
        if (min..=max).contains(&found) {
            return Ok(());
        }
        Err(TypeError::IntegerRange { found, min, max })
    }

    fn check_real(&self, found: f64) -> Result<(), TypeError> {
        let min = self.min_real.unwrap_or(f64::MIN);
        let max = self.max_real.unwrap_or(f64::MAX);
        if (min..=max).contains(&found) {
            return Ok(());
        }
        Err(TypeError::RealRange { found, min, max })
    }

    fn check_length(&self, found: &str) -> Result<(), TypeError> {
        let (min, max) = (self.min_length.unwrap_or(0), self.max_length);
        let found = u64::try_from(found.chars().count()).unwrap_or(u64::MAX);
        if found >= min && max.is_none_or(|max| found <= max) {
            return Ok(());
        }
        Err(TypeError::Length { found, min, max })
    }
}
