//! Values as `ovsdb-client` prints them.

use ovsdb_proto::value::{Atom, Datum, Uuid};

/// The form on the wire.
pub fn json(datum: &Datum) -> String {
    let list = |atoms: Vec<String>| atoms.join(",");
    match datum {
        Datum::Set(set) if set.len() == 1 => list(set.iter().map(json_atom).collect()),
        Datum::Set(set) => format!("[\"set\",[{}]]", list(set.iter().map(json_atom).collect())),
        Datum::Map(map) => {
            let pair = |(key, value)| format!("[{},{}]", json_atom(key), json_atom(value));
            format!("[\"map\",[{}]]", list(map.iter().map(pair).collect()))
        }
    }
}

fn json_atom(atom: &Atom) -> String {
    match atom {
        Atom::String(text) => quoted(text),
        Atom::Uuid(uuid) => format!("[\"uuid\",\"{uuid}\"]"),
        atom => text_atom(atom),
    }
}

/// The form for people.
pub fn text(datum: &Datum, many: bool) -> String {
    let (open, close, items): (_, _, Vec<String>) = match datum {
        Datum::Set(set) => ('[', ']', set.iter().map(text_atom).collect()),
        Datum::Map(map) => {
            let pair = |(key, value)| format!("{}={}", text_atom(key), text_atom(value));
            ('{', '}', map.iter().map(pair).collect())
        }
    };
    let items = items.join(", ");
    if many || datum.is_empty() {
        format!("{open}{items}{close}")
    } else {
        items
    }
}

fn text_atom(atom: &Atom) -> String {
    match atom {
        Atom::Integer(number) => number.to_string(),
        Atom::Real(number) => real(*number),
        Atom::Boolean(value) => value.to_string(),
        Atom::String(text) if is_word(text) => text.clone(),
        Atom::String(text) => quoted(text),
        Atom::Uuid(uuid) => uuid.to_string(),
        // RFC 7047 section 5.1 has no other atom.
        _ => String::new(),
    }
}

/// Whether a string stands without quotes.
fn is_word(text: &str) -> bool {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    let other = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    text.starts_with(first)
        && text.chars().all(other)
        && !matches!(text, "true" | "false")
        && text.parse::<Uuid>().is_err()
}

/// A JSON string.
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
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
            assert_eq!(text_atom(&string.into()), text);
        }
    }
}
