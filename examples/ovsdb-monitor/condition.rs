//! Conditions of rows, as they are written on a command line.

use std::str::FromStr;

use examples::cli::Failure;
use ovsdb_proto::operation::{Condition, Function};
use ovsdb_proto::schema::{AtomicType, DatabaseSchema};
use ovsdb_proto::value::{Atom, Datum, Map, Set};

/// `ofport>0`, `type=internal`, `external_ids:iface-id!=vm1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Where {
    column: String,
    key: Option<String>,
    function: Function,
    value: String,
}

impl FromStr for Where {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("{text:?} is not COLUMN=VALUE, COLUMN:KEY=VALUE, or with != < <= > >= instead of =");
        let at = text.find(['=', '!', '<', '>']).ok_or_else(wrong)?;
        let (column, rest) = text.split_at(at);
        let operators = FUNCTIONS.iter();
        let mut operators =
            operators.filter_map(|(name, function)| Some((*function, rest.strip_prefix(name)?)));
        let (function, value) = operators.next().ok_or_else(wrong)?;
        let (column, key) = match column.split_once(':') {
            Some((column, key)) => (column, Some(key.to_owned())),
            None => (column, None),
        };
        let ordered = !matches!(function, Function::Equal | Function::NotEqual);
        if column.is_empty() || key.is_some() && ordered {
            return Err(wrong());
        }
        Ok(Self {
            column: column.to_owned(),
            key,
            function,
            value: value.to_owned(),
        })
    }
}

impl Where {
    /// The condition, with values of the column's type.
    ///
    /// # Errors
    /// [`Failure`]: there is no such column, or the value is not of its type.
    pub fn condition(&self, schema: &DatabaseSchema, table: &str) -> Result<Condition, Failure> {
        let Self {
            column, key, value, ..
        } = self;
        let ty = schema
            .tables
            .get(table)
            .and_then(|table| table.column_type(column));
        let ty = ty.ok_or_else(|| Failure::blind(format_args!("no column {column} in table {table}")))?;
        let wrong = |what: &str| Failure::usage(format_args!("--where {column}: {what}"));
        let read = |kind: AtomicType, text: &str| {
            atom(kind, text).ok_or_else(|| wrong(&format!("{text:?} is not of type {}", kind.name())))
        };
        let datum: Datum = match (key, &ty.value) {
            (Some(key), Some(values)) => {
                let pair = (read(ty.key.atomic, key)?, read(values.atomic, value)?);
                Map::from_iter([pair]).into()
            }
            (None, None) if value == "[]" => Set::default().into(),
            (None, None) => read(ty.key.atomic, value)?.into(),
            (Some(_), None) => return Err(wrong("has no keys")),
            (None, Some(_)) => return Err(wrong("a map needs a key, as external_ids:iface-id=vm1")),
        };
        // One of many is meant, not that it is the only one.
        let function = match self.function {
            Function::Equal if ty.max != Some(1) && !datum.is_empty() => Function::Includes,
            Function::NotEqual if ty.max != Some(1) && !datum.is_empty() => Function::Excludes,
            function => function,
        };
        Ok(Condition::new(column, function, datum))
    }
}

fn atom(kind: AtomicType, text: &str) -> Option<Atom> {
    Some(match kind {
        AtomicType::Integer => Atom::Integer(text.parse().ok()?),
        AtomicType::Real => Atom::from(text.parse::<f64>().ok()?),
        AtomicType::Boolean => Atom::Boolean(text.parse().ok()?),
        AtomicType::String => text.into(),
        AtomicType::Uuid => Atom::Uuid(text.parse().ok()?),
    })
}

/// The longer ones first.
const FUNCTIONS: [(&str, Function); 7] = [
    ("==", Function::Equal),
    ("!=", Function::NotEqual),
    ("<=", Function::LessOrEqual),
    (">=", Function::GreaterOrEqual),
    ("=", Function::Equal),
    ("<", Function::Less),
    (">", Function::Greater),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_a_column_an_operator_and_a_value() {
        for (text, column, key, function, value) in [
            ("ofport>=3", "ofport", None, Function::GreaterOrEqual, "3"),
            ("type=", "type", None, Function::Equal, ""),
            ("name==a=b", "name", None, Function::Equal, "a=b"),
            (
                "external_ids:iface-id!=vm1",
                "external_ids",
                Some("iface-id"),
                Function::NotEqual,
                "vm1",
            ),
            (
                "external_ids:a:b=c",
                "external_ids",
                Some("a:b"),
                Function::Equal,
                "c",
            ),
        ] {
            let wanted = Where {
                column: column.to_owned(),
                key: key.map(str::to_owned),
                function,
                value: value.to_owned(),
            };
            assert_eq!(text.parse(), Ok(wanted));
        }
        for text in ["", "ofport", "=3", "ofport!3", "external_ids:a<3"] {
            assert!(text.parse::<Where>().is_err(), "{text}");
        }
    }
}
