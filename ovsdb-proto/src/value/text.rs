//! Values for people, as `ovs-vsctl` and `ovsdb-client` print them.
//!
//! `ovsdb_atom_to_string` and `ovsdb_datum_to_string` of Open vSwitch's `lib/ovsdb-data.c` are the model, and
//! `lib/json.c` for JSON.

use std::fmt::{self, Display};
use std::io;

use serde::Serialize;
use serde_json::ser::Formatter;

use super::{Atom, Datum, Uuid};

/// As `ovs-vsctl` prints it: a string in JSON's quotes unless it is a word, a UUID bare, a real with 15 digits.
impl Display for Atom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(value) => value.fmt(f),
            Self::Real(value) => f.write_str(&real(*value)),
            Self::Boolean(value) => value.fmt(f),
            Self::String(text) if is_word(text) => f.write_str(text),
            Self::String(text) => serde_json::Value::from(text.as_str()).fmt(f),
            Self::Uuid(value) => value.fmt(f),
            Self::NamedUuid(name) => name.fmt(f),
        }
    }
}

/// `21`, `[1, 2]`, `[]`, `{iface-id=vm1}`, as `ovs-vsctl` prints it.
///
/// A set of one stands bare, as in a column that has one element at most. The form `{:#}` is that of a column that may
/// have more: `[21]`.
///
/// ```
/// use ovsdb_proto::value::{Atom, Datum, Map, Set};
///
/// let one = Datum::from(21);
/// assert_eq!((format!("{one}"), format!("{one:#}")), ("21".into(), "[21]".into()));
/// let pair = (Atom::from("iface-id"), Atom::from("a vm"));
/// assert_eq!(Datum::from(Map::from_iter([pair])).to_string(), r#"{iface-id="a vm"}"#);
/// ```
impl Display for Datum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Set(set) if set.len() == 1 && !f.alternate() => list(f, set.iter()),
            Self::Set(set) => {
                f.write_str("[")?;
                list(f, set.iter())?;
                f.write_str("]")
            }
            Self::Map(map) => {
                f.write_str("{")?;
                list(f, map.iter().map(|(key, value)| Pair(key, value)))?;
                f.write_str("}")
            }
        }
    }
}

impl Datum {
    /// The form on the wire, as Open vSwitch's tools print it: reals have 15 digits, so that they may be read back as
    /// others. What serde writes, which `ovsdb-server` gets, keeps them.
    ///
    /// ```
    /// use ovsdb_proto::value::Datum;
    ///
    /// let datum = Datum::from(100.0);
    /// assert_eq!(datum.to_client_json()?, "100");
    /// assert_eq!(serde_json::to_string(&datum)?, "100.0");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    ///
    /// # Errors
    /// A real is not finite: no database has one.
    pub fn to_client_json(&self) -> Result<String, serde_json::Error> {
        client_json(self)
    }
}

/// JSON as Open vSwitch writes it: see [`Datum::to_client_json`].
pub(crate) fn client_json(value: &impl Serialize) -> Result<String, serde_json::Error> {
    let mut json = Vec::new();
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut json, FewDigits))?;
    String::from_utf8(json).map_err(serde::ser::Error::custom)
}

struct Pair<'a>(&'a Atom, &'a Atom);

impl Display for Pair<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.0, self.1)
    }
}

/// JSON whose reals are those of C's `%.15g`.
struct FewDigits;

impl Formatter for FewDigits {
    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        writer.write_all(real(value).as_bytes())
    }
}

fn list<T: Display>(f: &mut fmt::Formatter<'_>, items: impl Iterator<Item = T>) -> fmt::Result {
    for (n, item) in items.enumerate() {
        let comma = if n > 0 { ", " } else { "" };
        write!(f, "{comma}{item}")?;
    }
    Ok(())
}

/// Whether a string stands without quotes: `string_needs_quotes`.
fn is_word(text: &str) -> bool {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    let other = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    text.starts_with(first)
        && text.chars().all(other)
        && !matches!(text, "true" | "false")
        && text.parse::<Uuid>().is_err()
}

/// `%.15g` of C.
fn real(number: f64) -> String {
    let scientific = format!("{number:.14e}");
    let Some((digits, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let trimmed = |digits: &str| match digits.contains('.') {
        true => digits.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => digits.to_owned(),
    };
    match usize::try_from(14 - exponent) {
        Ok(decimals) if exponent >= -4 => trimmed(&format!("{number:.decimals$}")),
        _ => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{}e{sign}{:02}", trimmed(digits), exponent.unsigned_abs())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reals_are_those_of_printf() {
        for (number, text) in [
            (0.0, "0"),
            (5.0, "5"),
            (0.1, "0.1"),
            (-2.5, "-2.5"),
            (1e-4, "0.0001"),
            (1e-5, "1e-05"),
            (123_456_789_012_345.0, "123456789012345"),
            (1e15, "1e+15"),
            (1.5e100, "1.5e+100"),
            (2.0 / 3.0, "0.666666666666667"),
        ] {
            assert_eq!(real(number), text);
        }
    }

    #[test]
    fn only_words_stand_without_quotes() {
        for (string, text) in [
            ("p1", "p1"),
            ("_a.b-c", "_a.b-c"),
            ("", "\"\""),
            ("1a", "\"1a\""),
            ("-a", "\"-a\""),
            ("a b", "\"a b\""),
            ("true", "\"true\""),
            ("\u{e4}", "\"\u{e4}\""),
            ("\u{1b}\"\\", "\"\\u001b\\\"\\\\\""),
            (
                "abcdef01-2345-6789-abcd-ef0123456789",
                "\"abcdef01-2345-6789-abcd-ef0123456789\"",
            ),
        ] {
            assert_eq!(Atom::from(string).to_string(), text);
        }
    }
}
