//! Conditions as they are written on a command line.

use std::str::FromStr;

use super::{Condition, Function};
use crate::schema::{AtomicType, TableSchema};
use crate::value::{Atom, Datum, Map, Set};

/// `ofport>0`, `type=internal`, `external_ids:iface-id!=vm1`: a condition as `ovs-vsctl find` and `ovsdb-client` take it.
///
/// What it means depends on the type of the column, so it becomes a [`Condition`] by a schema. Of a column that holds
/// many elements `=` asks whether this is one of them.
///
/// ```
/// use ovsdb_proto::operation::Comparison;
/// use ovsdb_proto::schema::DatabaseSchema;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let schema = DatabaseSchema::parse(
///     r#"{"name": "Example", "version": "1.0.0", "tables": {"Interface": {"columns": {
///         "external_ids": {"type": {"key": "string", "value": "string", "min": 0, "max": "unlimited"}}}}}}"#,
/// )?;
/// let comparison: Comparison = "external_ids:iface-id=vm1".parse()?;
/// assert_eq!(
///     serde_json::to_string(&comparison.condition(&schema.tables["Interface"])?)?,
///     r#"["external_ids","includes",["map",[["iface-id","vm1"]]]]"#
/// );
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    column: String,
    key: Option<String>,
    function: Function,
    value: String,
}

/// Why a text is no condition, or not one of a table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ComparisonError {
    /// It has not the form of one.
    #[error("{0:?} is not COLUMN=VALUE, COLUMN:KEY=VALUE, or with != < <= > >= instead of =")]
    Syntax(String),
    /// The table does not have the column.
    #[error("there is no column {0}")]
    Column(String),
    /// The column is no map.
    #[error("column {0} has no keys")]
    NoKeys(String),
    /// The column is a map.
    #[error("column {0} is a map and needs a key, as in external_ids:iface-id=vm1")]
    NeedsKey(String),
    /// The text is not of the type of the column.
    #[error("column {column}: {text:?} is not of type {wanted}")]
    Type {
        /// The column.
        column: String,
        /// The key or the value.
        text: String,
        /// What it should be.
        wanted: AtomicType,
    },
}

impl FromStr for Comparison {
    type Err = ComparisonError;

    fn from_str(text: &str) -> Result<Self, ComparisonError> {
        let wrong = || ComparisonError::Syntax(text.to_owned());
        let at = text.find(['=', '!', '<', '>']).ok_or_else(wrong)?;
        let (column, rest) = text.split_at(at);
        let mut operators = OPERATORS
            .iter()
            .filter_map(|(name, function)| Some((*function, rest.strip_prefix(name)?)));
        let (function, value) = operators.next().ok_or_else(wrong)?;
        let (column, key) = match column.split_once(':') {
            Some((column, key)) => (column, Some(key.to_owned())),
            None => (column, None),
        };
        let is_ordered = !matches!(function, Function::Equal | Function::NotEqual);
        if column.is_empty() || key.is_some() && is_ordered {
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

impl Comparison {
    /// The condition on rows of this table. `[]` is the empty value.
    ///
    /// # Errors
    ///
    /// All of [`ComparisonError`] but `Syntax`.
    pub fn condition(&self, table: &TableSchema) -> Result<Condition, ComparisonError> {
        let column = || self.column.clone();
        let ty = table
            .column_type(&self.column)
            .ok_or_else(|| ComparisonError::Column(column()))?;
        let read = |wanted: AtomicType, text: &str| {
            atom(wanted, text).ok_or_else(|| ComparisonError::Type {
                column: column(),
                text: text.to_owned(),
                wanted,
            })
        };
        let datum: Datum = match (&self.key, &ty.value) {
            (Some(key), Some(values)) => {
                let pair = (read(ty.key.atomic, key)?, read(values.atomic, &self.value)?);
                Map::from_iter([pair]).into()
            }
            (None, _) if self.value == "[]" && ty.is_map() => Map::default().into(),
            (None, None) if self.value == "[]" => Set::default().into(),
            (None, None) => read(ty.key.atomic, &self.value)?.into(),
            (Some(_), None) => return Err(ComparisonError::NoKeys(column())),
            (None, Some(_)) => return Err(ComparisonError::NeedsKey(column())),
        };
        // One of many is meant, not that it is the only one.
        let is_one_of_many = ty.max != Some(1) && !datum.is_empty();
        let function = match self.function {
            Function::Equal if is_one_of_many => Function::Includes,
            Function::NotEqual if is_one_of_many => Function::Excludes,
            function => function,
        };
        Ok(Condition::new(column(), function, datum))
    }
}

fn atom(wanted: AtomicType, text: &str) -> Option<Atom> {
    Some(match wanted {
        AtomicType::Integer => Atom::Integer(text.parse().ok()?),
        AtomicType::Real => Atom::from(text.parse::<f64>().ok().filter(|real| real.is_finite())?),
        AtomicType::Boolean => Atom::Boolean(text.parse().ok()?),
        AtomicType::String => text.into(),
        AtomicType::Uuid => Atom::Uuid(text.parse().ok()?),
    })
}

/// The longer ones first.
const OPERATORS: [(&str, Function); 7] = [
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
    use crate::schema::DatabaseSchema;

    #[test]
    fn a_comparison_is_a_column_an_operator_and_a_value() {
        for (text, column, key, function, value) in [
            ("ofport>=3", "ofport", None, Function::GreaterOrEqual, "3"),
            ("type=", "type", None, Function::Equal, ""),
            ("name==a=b", "name", None, Function::Equal, "a=b"),
            (
                "ids:iface-id!=vm1",
                "ids",
                Some("iface-id"),
                Function::NotEqual,
                "vm1",
            ),
            ("ids:a:b=c", "ids", Some("a:b"), Function::Equal, "c"),
        ] {
            let wanted = Comparison {
                column: column.to_owned(),
                key: key.map(str::to_owned),
                function,
                value: value.to_owned(),
            };
            assert_eq!(text.parse(), Ok(wanted));
        }
        for text in ["", "ofport", "=3", "ofport!3", "ids:a<3"] {
            let wrong = ComparisonError::Syntax(text.to_owned());
            assert_eq!(text.parse::<Comparison>(), Err(wrong), "{text}");
        }
    }

    #[test]
    fn a_condition_has_the_type_of_its_column() {
        let schema = DatabaseSchema::parse(
            r#"{"name": "d", "version": "1.0.0", "tables": {"t": {"columns": {
                "number": {"type": {"key": "integer", "min": 0, "max": 1}},
                "real": {"type": "real"},
                "ids": {"type": {"key": "string", "value": "string", "min": 0, "max": "unlimited"}},
                "tags": {"type": {"key": "integer", "min": 0, "max": 9}}}}}}"#,
        )
        .unwrap();
        let condition = |text: &str| text.parse::<Comparison>().unwrap().condition(&schema.tables["t"]);
        for (text, wire) in [
            ("number>3", r#"["number",">",3]"#),
            ("number=[]", r#"["number","==",["set",[]]]"#),
            ("real<=0.5", r#"["real","<=",0.5]"#),
            ("tags=3", r#"["tags","includes",3]"#),
            ("tags!=3", r#"["tags","excludes",3]"#),
            ("ids:a=b", r#"["ids","includes",["map",[["a","b"]]]]"#),
            ("ids=[]", r#"["ids","==",["map",[]]]"#),
        ] {
            let condition = condition(text).unwrap();
            assert_eq!(serde_json::to_string(&condition).unwrap(), wire, "{text}");
        }
        for (text, why) in [
            ("other=1", "there is no column other"),
            ("number=x", "column number: \"x\" is not of type integer"),
            ("real=inf", "column real: \"inf\" is not of type real"),
            ("number:a=1", "column number has no keys"),
            (
                "ids=a",
                "column ids is a map and needs a key, as in external_ids:iface-id=vm1",
            ),
        ] {
            assert_eq!(condition(text).unwrap_err().to_string(), why, "{text}");
        }
    }
}
