//! JSON text, read as Open vSwitch reads it: a value at a time, and only as deep as it is asked for.
//!
//! A number is an integer if its value is, however it is written: `1.0`, `1e3`, `-0`
//! (`json_lex_number()` of Open vSwitch's `lib/json.c`). Of a member that an object has twice the
//! last counts.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::rpc::JsonError;

/// The text of one value. It is JSON, as far as brackets and quotes go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Json<'a>(&'a str);

/// A number as Open vSwitch has it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    Integer(i64),
    /// Never negative zero.
    Real(f64),
}

/// The members of an object, each to be asked for by its name.
pub(crate) struct Members<'a> {
    object: Json<'a>,
    members: BTreeMap<String, Json<'a>>,
}

/// What is wrong with a value.
#[derive(Debug, Clone)]
pub(crate) struct Fault<'a> {
    /// The value.
    at: Json<'a>,
    message: String,
}

impl<'a> Json<'a> {
    /// The value that a text is.
    pub(crate) fn new(text: &'a str) -> Result<Self, JsonError> {
        let raw: &RawValue = serde_json::from_str(text).map_err(|error| JsonError::new(&error))?;
        Ok(raw.into())
    }

    pub(crate) fn boolean(self) -> Option<bool> {
        match self.0 {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    pub(crate) fn integer(self) -> Option<i64> {
        match self.number()? {
            Number::Integer(value) => Some(value),
            Number::Real(_) => None,
        }
    }

    pub(crate) fn real(self) -> Option<f64> {
        match self.number()? {
            #[allow(clippy::cast_precision_loss)] // as the server does it
            Number::Integer(value) => Some(value as f64),
            Number::Real(value) => Some(value),
        }
    }

    pub(crate) fn number(self) -> Option<Number> {
        match self.0.as_bytes().first()? {
            b'-' | b'0'..=b'9' => number(self.0),
            _ => None,
        }
    }

    pub(crate) fn string(self) -> Option<String> {
        match self.0.as_bytes().first()? {
            b'"' => serde_json::from_str(self.0).ok(),
            _ => None,
        }
    }

    /// A string that is an `<id>`: RFC 7047 section 3.1.
    pub(crate) fn id(self) -> Option<String> {
        self.string().filter(|text| is_id(text))
    }

    pub(crate) fn array(self) -> Option<Vec<Self>> {
        let elements: Vec<&RawValue> = serde_json::from_str(self.0).ok()?;
        Some(elements.into_iter().map(Self::from).collect())
    }

    pub(crate) fn object(self) -> Option<BTreeMap<String, Self>> {
        let members: BTreeMap<String, &RawValue> = serde_json::from_str(self.0).ok()?;
        let members = members.into_iter().map(|(name, value)| (name, value.into()));
        Some(members.collect())
    }

    pub(crate) fn text(self) -> &'a str {
        self.0
    }

    pub(crate) fn fault(self, message: impl Into<String>) -> Fault<'a> {
        Fault {
            at: self,
            message: message.into(),
        }
    }
}

impl<'a> From<&'a RawValue> for Json<'a> {
    fn from(raw: &'a RawValue) -> Self {
        Self(raw.get())
    }
}

impl<'a> Members<'a> {
    pub(crate) fn of(json: Json<'a>) -> Result<Self, Fault<'a>> {
        let members = json.object().ok_or_else(|| json.fault("wanted an object"))?;
        let object = json;
        Ok(Self { object, members })
    }

    /// A member that must be there. `read` says whether it is of the right kind.
    pub(crate) fn required<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(Json<'a>) -> Option<T>,
    ) -> Result<T, Fault<'a>> {
        let missing = self.object.fault(format!("member \"{name}\" is missing"));
        self.optional(name, read)?.ok_or(missing)
    }

    /// A member that may be there. `null` is no way to leave it out.
    pub(crate) fn optional<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(Json<'a>) -> Option<T>,
    ) -> Result<Option<T>, Fault<'a>> {
        let Some(member) = self.members.remove(name) else {
            return Ok(None);
        };
        let value =
            read(member).ok_or_else(|| member.fault(format!("member \"{name}\" is of a wrong kind")))?;
        Ok(Some(value))
    }

    /// Says that there may be no other.
    pub(crate) fn finish(self) -> Result<(), Fault<'a>> {
        match self.members.first_key_value() {
            None => Ok(()),
            Some((name, _)) => Err(self.object.fault(format!("member \"{name}\" may not stand here"))),
        }
    }
}

impl Fault<'_> {
    /// With its place in the text.
    pub(crate) fn within(self, text: &str) -> JsonError {
        let offset = (self.at.0.as_ptr() as usize).checked_sub(text.as_ptr() as usize);
        let offset = offset.filter(|offset| *offset <= text.len()).unwrap_or(0);
        JsonError::at(text, offset, &self.message)
    }

    pub(crate) fn message(self) -> String {
        self.message
    }
}

/// Whether it is an `<id>`: a letter or `_`, then letters, digits and `_`.
pub(crate) fn is_id(text: &str) -> bool {
    let first = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    let bytes = text.as_bytes();
    bytes.first().is_some_and(|&byte| first(byte))
        && bytes.iter().all(|&byte| first(byte) || byte.is_ascii_digit())
}

/// Reads a number. `None` if it is none, or out of the range of a real.
fn number(text: &str) -> Option<Number> {
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (digits, exponent) = match digits.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.parse::<i32>().ok()?),
        None => (digits, 0),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    // Digits are kept as long as they fit; those that do not fit must be zeros.
    let (mut significand, mut power, mut is_exact) = (0_u64, i64::from(exponent), true);
    for (digits, per_kept, per_lost) in [(whole, 0, 1), (fraction, -1, 0)] {
        for digit in digits.bytes() {
            if significand <= u64::MAX / 10 {
                // It wraps where the server's does, at 18446744073709551616.
                significand = significand
                    .wrapping_mul(10)
                    .wrapping_add(u64::from(digit.wrapping_sub(b'0')));
                power += per_kept;
            } else {
                is_exact &= digit == b'0';
                power += per_lost;
            }
        }
    }
    if significand == 0 {
        return Some(Number::Integer(0));
    }
    while is_exact && power > 0 && significand < u64::MAX / 10 {
        significand *= 10;
        power -= 1;
    }
    while is_exact && power < 0 && significand % 10 == 0 {
        significand /= 10;
        power += 1;
    }
    let integer = match is_negative {
        true => 0_i64.checked_sub_unsigned(significand),
        false => i64::try_from(significand).ok(),
    };
    match integer {
        Some(integer) if is_exact && power == 0 => Some(Number::Integer(integer)),
        _ => {
            let real: f64 = text.parse().ok()?;
            // Minus zero is written, but never read.
            real.is_finite().then_some(Number::Real(real + 0.0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_an_integer_if_its_value_is() {
        for (text, integer) in [
            ("0", 0),
            ("-0", 0),
            ("-0.0e5", 0),
            ("1.0", 1),
            ("1e0", 1),
            ("1e3", 1000),
            ("2e10", 20_000_000_000),
            ("1.5E1", 15),
            ("1200e-2", 12),
            ("-100.00e+1", -1000),
            ("9223372036854775807", i64::MAX),
            ("9223372036854775807.0", i64::MAX),
            ("-9223372036854775808", i64::MIN),
            ("-92233720368547758.08e2", i64::MIN),
            ("123456789012345678.0", 123_456_789_012_345_678),
            // The server's digits wrap.
            ("18446744073709551617", 1),
        ] {
            assert_eq!(number(text), Some(Number::Integer(integer)), "{text}");
        }
        let reals: [(&str, f64); 8] = [
            ("0.5", 0.5),
            ("1e-1", 0.1),
            ("9223372036854775808", 9_223_372_036_854_775_808.0),
            ("-9223372036854775809", -9_223_372_036_854_775_809.0),
            ("1e19", 1e19),
            ("1e300", 1e300),
            ("1.00000000000000000000001", 1.0),
            ("-1e-999", 0.0),
        ];
        for (text, real) in reals {
            let Some(Number::Real(found)) = number(text) else {
                panic!("{text}");
            };
            assert_eq!(found.to_bits(), real.to_bits(), "{text}");
        }
        assert_eq!(number("1e999"), None);
        assert_eq!(number("1e99999999999"), None);
    }

    #[test]
    fn a_fault_has_its_place() {
        let text = "{\"a\":1,\n \"b\":[true, nul]}";
        assert!(Json::new(text).is_err());
        let text = "{\"a\":1,\n \"b\":[true, null]}";
        let object = Json::new(text).unwrap().object().unwrap();
        let elements = object["b"].array().unwrap();
        let error = elements[1].fault("wanted a number").within(text);
        assert_eq!((error.line(), error.column()), (2, 13));
        assert_eq!(error.to_string(), "wanted a number at line 2 column 13");
    }
}
