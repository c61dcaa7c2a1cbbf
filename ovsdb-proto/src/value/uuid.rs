//! UUIDs.

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::str::FromStr;

use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use thiserror::Error;

use super::{UUID_FORM, element, end};

/// A UUID: 16 bytes, most significant first. The text form has 36 characters, in groups of 8, 4,
/// 4, 4 and 12 hexadecimal digits.
///
/// As a value in its own right it is a JSON string; inside an [`Atom`](super::Atom) it is written
/// as `["uuid", string]`. Both forms are read.
///
/// ```
/// use ovsdb_proto::value::Uuid;
///
/// # fn main() -> Result<(), ovsdb_proto::value::UuidError> {
/// let uuid: Uuid = "17deb00b-9e3a-4b0c-9d6e-3b1c5a2f4e6d".parse()?;
/// assert_eq!(uuid.to_string(), "17deb00b-9e3a-4b0c-9d6e-3b1c5a2f4e6d");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid([u8; 16]);

/// Why a text is not a UUID.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum UuidError {
    /// Not 36 bytes long.
    #[error("uuid has {len} bytes, wanted {TEXT_LEN}")]
    Length {
        /// Its length in bytes.
        len: usize,
    },
    /// Something else than a hexadecimal digit, or than a hyphen where one must be.
    #[error("uuid has a wrong character at offset {offset}")]
    Character {
        /// Where it stands.
        offset: usize,
    },
}

impl Uuid {
    /// All bits zero. The server uses it for "no transaction".
    pub const ZERO: Self = Self([0; 16]);

    /// A random UUID, of version 4: RFC 4122 section 4.4. For a row whose UUID the client chooses.
    #[must_use]
    pub fn random() -> Self {
        // The standard library keys each of its hash maps from the system's random numbers.
        let word = || RandomState::new().build_hasher().finish().to_be_bytes();
        let (high, low) = (word(), word());
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&high);
        bytes[8..].copy_from_slice(&low);
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Self(bytes)
    }

    /// The UUID with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl FromStr for Uuid {
    type Err = UuidError;

    fn from_str(text: &str) -> Result<Self, UuidError> {
        let wrong_len = |_| UuidError::Length { len: text.len() };
        let text: &[u8; TEXT_LEN] = text.as_bytes().try_into().map_err(wrong_len)?;
        let mut bytes = [0; 16];
        // Checked when all are read: a processor cannot guess which digits are letters.
        let mut checked = 0;
        for (byte, at) in bytes.iter_mut().zip(DIGITS) {
            let [high, low] = [text[at], text[at + 1]].map(|digit| VALUES[usize::from(digit)]);
            checked |= high | low;
            *byte = high << 4 | low;
        }
        let is_wrong = |offset: &usize| match HYPHENS.contains(offset) {
            true => text[*offset] != b'-',
            false => VALUES[usize::from(text[*offset])] == NO_DIGIT,
        };
        if checked == NO_DIGIT || HYPHENS.iter().any(is_wrong) {
            let offset = (0..TEXT_LEN).find(is_wrong).unwrap_or_default();
            return Err(UuidError::Character { offset });
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [b'-'; TEXT_LEN];
        for (byte, at) in self.0.iter().zip(DIGITS) {
            text[at] = HEX[usize::from(byte >> 4)];
            text[at + 1] = HEX[usize::from(byte & 0xf)];
        }
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Uuid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(UUID_FORM, &self.to_string())
    }
}

impl<'de> Deserialize<'de> for Uuid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TaggedVisitor)
    }
}

/// Reads the bare and the tagged form.
pub(super) struct TaggedVisitor;

impl<'de> Visitor<'de> for TaggedVisitor {
    type Value = Uuid;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a uuid or [\"uuid\", string]")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Uuid, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Uuid, A::Error> {
        let UuidTag::Uuid = element(&mut seq, 0, &self)?;
        let BareUuid(uuid) = element(&mut seq, 1, &self)?;
        end(seq, 2, &self)?;
        Ok(uuid)
    }
}

/// A UUID in its bare form only.
pub(super) struct BareUuid(pub(super) Uuid);

impl<'de> Deserialize<'de> for BareUuid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(BareVisitor).map(Self)
    }
}

struct BareVisitor;

impl Visitor<'_> for BareVisitor {
    type Value = Uuid;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a uuid")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Uuid, E> {
        text.parse().map_err(E::custom)
    }
}

/// The first element of an atom that is an array.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Tag {
    Uuid,
    NamedUuid,
}

/// The first element of a tagged UUID.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum UuidTag {
    Uuid,
}

const TEXT_LEN: usize = 36;
const HYPHENS: [usize; 4] = [8, 13, 18, 23];
/// Where the two digits of each byte stand.
const DIGITS: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
const HEX: &[u8; 16] = b"0123456789abcdef";
/// The value of each character as a hexadecimal digit.
static VALUES: [u8; 256] = {
    let mut values = [NO_DIGIT; 256];
    let mut value = 0;
    while value < 16 {
        let digit = HEX[value as usize];
        values[digit as usize] = value;
        values[digit.to_ascii_uppercase() as usize] = value;
        value += 1;
    }
    values
};
const NO_DIGIT: u8 = u8::MAX;
