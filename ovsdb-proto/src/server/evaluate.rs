//! Conditions and mutations on values.

use serde_json::{Value, json};

use super::database::Columns;
use crate::json::Fault;
use crate::operation::{Condition, Function, Mutation, Mutator};
use crate::schema::{BaseType, ColumnType, RefType, TableSchema};
use crate::value::{Atom, Datum, Map, Set, Uuid};

/// Why an operation, or a whole transaction, is refused.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Refusal {
    error: &'static str,
    details: String,
}

impl Refusal {
    pub(super) fn new(error: &'static str, details: impl Into<String>) -> Self {
        Self {
            error,
            details: details.into(),
        }
    }

    pub(super) fn to_json(&self) -> Value {
        json!({ "error": self.error, "details": self.details })
    }
}

impl From<Fault<'_>> for Refusal {
    fn from(fault: Fault<'_>) -> Self {
        Self::new("syntax error", fault.message())
    }
}

/// Whether a condition, which was checked, is true of a row.
pub(super) fn is_met(condition: &Condition, schema: &TableSchema, uuid: Uuid, row: &Columns) -> bool {
    let Condition::Column {
        column,
        function,
        value,
    } = condition
    else {
        return *condition == Condition::Constant(true);
    };
    let own = Datum::from(uuid);
    let found = match column.as_str() {
        "_uuid" => Some(&own),
        column => row.get(column),
    };
    let (Some(found), Some(ty)) = (found, schema.column_type(column)) else {
        return false;
    };
    let wanted = ty.conform_atoms(value.clone()).unwrap_or_else(|_| value.clone());
    let order = || Some(found.as_scalar()?.cmp(wanted.as_scalar()?));
    match function {
        Function::Equal => *found == wanted,
        Function::NotEqual => *found != wanted,
        Function::Includes => elements(&wanted).all(|element| has(found, element)),
        Function::Excludes => !elements(&wanted).any(|element| has(found, element)),
        Function::Less => order().is_some_and(|order| order.is_lt()),
        Function::LessOrEqual => order().is_some_and(|order| order.is_le()),
        Function::Greater => order().is_some_and(|order| order.is_gt()),
        Function::GreaterOrEqual => order().is_some_and(|order| order.is_ge()),
    }
}

/// Applies a mutation, which was checked.
pub(super) fn mutate(ty: &ColumnType, value: &Datum, mutation: &Mutation) -> Result<Datum, Refusal> {
    let by = &mutation.value;
    let changed: Datum = match (mutation.mutator, value, by) {
        (Mutator::Insert, Datum::Set(old), Datum::Set(new)) => {
            old.iter().chain(new.iter()).cloned().collect::<Set>().into()
        }
        (Mutator::Insert, Datum::Map(old), Datum::Map(new)) => {
            // A key that is there keeps its value.
            let pairs = new.iter().chain(old.iter());
            pairs.map(cloned).collect::<Map>().into()
        }
        (Mutator::Delete, Datum::Set(old), Datum::Set(gone)) => {
            let kept = old.iter().filter(|atom| !gone.contains(atom));
            kept.cloned().collect::<Set>().into()
        }
        (Mutator::Delete, Datum::Map(old), Datum::Set(keys)) => {
            let kept = old.iter().filter(|(key, _)| !keys.contains(key));
            kept.map(cloned).collect::<Map>().into()
        }
        (Mutator::Delete, Datum::Map(old), Datum::Map(gone)) => {
            let kept = old.iter().filter(|(key, value)| gone.get(key) != Some(value));
            kept.map(cloned).collect::<Map>().into()
        }
        (mutator, Datum::Set(old), by) => {
            let Some(by) = by.as_scalar() else {
                return Ok(value.clone());
            };
            let results = old.iter().map(|atom| calculate(mutator, atom, by));
            let results = results.collect::<Result<Vec<_>, _>>()?;
            let set = Set::new(results);
            set.map_err(|_| Refusal::new("constraint violation", "Result of mutation has equal elements."))?
                .into()
        }
        _ => value.clone(),
    };
    let changed = ty.conform_atoms(changed);
    let changed = changed.map_err(|error| Refusal::new("constraint violation", error.to_string()))?;
    match ty.check(&changed) {
        Ok(()) => Ok(changed),
        Err(error) => Err(Refusal::new("constraint violation", error.to_string())),
    }
}

/// Without weak references to rows that are not there.
pub(super) fn without_weak(ty: &ColumnType, value: &Datum, is_there: &dyn Fn(&str, Uuid) -> bool) -> Datum {
    let stays = |base: &BaseType, atom: &Atom| match (&base.ref_table, atom) {
        (Some(table), Atom::Uuid(uuid)) if base.ref_type == RefType::Weak => is_there(table, *uuid),
        _ => true,
    };
    match value {
        Datum::Set(set) => {
            let kept = set.iter().filter(|atom| stays(&ty.key, atom));
            kept.cloned().collect::<Set>().into()
        }
        Datum::Map(map) => {
            let stays_value = |value: &Atom| ty.value.as_ref().is_none_or(|base| stays(base, value));
            let kept = map
                .iter()
                .filter(|(key, value)| stays(&ty.key, key) && stays_value(value));
            kept.map(cloned).collect::<Map>().into()
        }
    }
}

/// Whether the column holds references to rows.
pub(super) fn refers(ty: &ColumnType) -> bool {
    ty.key.ref_table.is_some() || ty.value.as_ref().is_some_and(|value| value.ref_table.is_some())
}

/// The atoms, each with its type.
pub(super) fn atoms<'a>(ty: &'a ColumnType, value: &'a Datum) -> Vec<(&'a BaseType, &'a Atom)> {
    match value {
        Datum::Set(set) => set.iter().map(|atom| (&ty.key, atom)).collect(),
        Datum::Map(map) => {
            let values = map
                .iter()
                .filter_map(|(_, value)| Some((ty.value.as_ref()?, value)));
            map.iter().map(|(key, _)| (&ty.key, key)).chain(values).collect()
        }
    }
}

fn elements(value: &Datum) -> impl Iterator<Item = (&Atom, Option<&Atom>)> {
    let set = value
        .as_set()
        .into_iter()
        .flat_map(Set::iter)
        .map(|atom| (atom, None));
    let map = value.as_map().into_iter().flat_map(Map::iter);
    set.chain(map.map(|(key, value)| (key, Some(value))))
}

fn has(value: &Datum, (key, pair): (&Atom, Option<&Atom>)) -> bool {
    match (value, pair) {
        (Datum::Set(set), _) => set.contains(key),
        (Datum::Map(map), Some(value)) => map.get(key) == Some(value),
        (Datum::Map(map), None) => map.get(key).is_some(),
    }
}

fn calculate(mutator: Mutator, atom: &Atom, by: &Atom) -> Result<Atom, Refusal> {
    let zero = || Refusal::new("domain error", "Division by zero.");
    let range = || Refusal::new("range error", "Result of mutation is out of range.");
    #[allow(clippy::cast_precision_loss)] // as the server does it
    let (a, b) = match (atom, by) {
        (Atom::Integer(a), Atom::Integer(b)) => {
            let result = match mutator {
                Mutator::Add => a.checked_add(*b),
                Mutator::Subtract => a.checked_sub(*b),
                Mutator::Multiply => product(*a, *b),
                Mutator::Divide | Mutator::Remainder if *b == 0 => return Err(zero()),
                Mutator::Divide => a.checked_div(*b),
                Mutator::Remainder => a.checked_rem(*b),
                Mutator::Insert | Mutator::Delete => Some(*a),
            };
            return result.map(Atom::Integer).ok_or_else(range);
        }
        (Atom::Real(a), Atom::Real(b)) => (*a, *b),
        (Atom::Real(a), Atom::Integer(b)) => (*a, *b as f64),
        _ => return Ok(atom.clone()),
    };
    let result = match mutator {
        Mutator::Add => a + b,
        Mutator::Subtract => a - b,
        Mutator::Multiply => a * b,
        Mutator::Divide if b == 0.0 => return Err(zero()),
        Mutator::Divide => a / b,
        _ => a,
    };
    match result.is_finite() {
        true => Ok(Atom::Real(result)),
        false => Err(range()),
    }
}

fn cloned((key, value): (&Atom, &Atom)) -> (Atom, Atom) {
    (key.clone(), value.clone())
}

/// The server takes some products for too large that are not: `mul_int()` of `ovsdb/mutation.c`.
fn product(a: i64, b: i64) -> Option<i64> {
    let is_refused = match (a > 0, b > 0) {
        (true, true) => a >= i64::MAX / b,
        (true, false) => b < i64::MIN / a,
        (false, true) => a < i64::MIN / b,
        (false, false) => a != 0 && b < i64::MAX / a,
    };
    if is_refused { None } else { a.checked_mul(b) }
}
