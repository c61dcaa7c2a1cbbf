//! Checks of values that are to be sent.

use super::{AtomicType, BaseType, ColumnType, TypeError};
use crate::value::{Atom, Datum};

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
        self.check_count(value)
    }
}

impl BaseType {
    fn check(&self, atom: &Atom) -> Result<(), TypeError> {
        let found = AtomicType::of(atom);
        let is_real = self.atomic == AtomicType::Real;
        if found != self.atomic && !(is_real && found == AtomicType::Integer) {
            let wanted = self.atomic;
            return Err(TypeError::Atom { found, wanted });
        }
        if let Some(allowed) = &self.allowed {
            // An integer may stand for a real, here and there.
            let found = self.atomic.conform(atom.clone()).unwrap_or_else(|_| atom.clone());
            let mut allowed = allowed.iter().map(|atom| self.atomic.conform(atom.clone()));
            if !allowed.any(|atom| atom.as_ref() == Ok(&found)) {
                return Err(TypeError::NotAllowed { found });
            }
        }
        match *atom {
            Atom::Integer(found) if !is_real => self.check_integer(found),
            #[allow(clippy::cast_precision_loss)] // as the server does it
            Atom::Integer(found) => self.check_real(found as f64),
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
