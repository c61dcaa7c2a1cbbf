//! Values in JSON, read as they are in a line: what `model::json` writes.

use alloc::{format, string::String, vec::Vec};
use core::{fmt::Display, ops::BitOr, time::Duration};

use serde::{Deserialize, Deserializer, de::Error};

use crate::{
    model::{
        action::{
            report::PacketInReason,
            select::{BundleAlgorithm, HashFields, MultipathAlgorithm},
        },
        addr::EthAddr,
        field::{Field, Format},
        flow::FlowFlags,
        group::{GroupType, SelectionField},
        matches::{FieldMatch, MatchEntry, Unknown, Value},
        meter::{BandType, MeterFlags},
        port::{NumberOrName, Port, PortRef, TableRef},
        protocol::Protocol,
        subfield::Subfield,
    },
    text::{error::Fault, value::Token},
};

/// Types that are one word.
macro_rules! words {
    ($($type:ty: $what:literal, $find:expr;)*) => {
        $(impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                let find: fn(&[u8]) -> Option<Self> = $find;
                read(&text, |word| find(word.text).ok_or_else(|| word.expected($what)))
            }
        })*
    };
}

words! {
    BundleAlgorithm: "an algorithm of bundle", BundleAlgorithm::from_word;
    Field: "a field", Field::from_bytes;
    HashFields: "fields to hash", HashFields::from_word;
    MultipathAlgorithm: "an algorithm of multipath", MultipathAlgorithm::from_word;
    PacketInReason: "a reason", PacketInReason::from_word;
    Protocol: "a protocol", Protocol::from_bytes;
}

impl<'de> Deserialize<'de> for EthAddr {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(&String::deserialize(deserializer)?, Token::eth_addr)
    }
}

impl<'de> Deserialize<'de> for Subfield {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(&String::deserialize(deserializer)?, Token::subfield)
    }
}

impl<'de> Deserialize<'de> for FlowFlags {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bits = |word: &[u8]| FlowFlags::from_word(word).map(|flag| flag.0);
        flags(deserializer, bits, |text| text.u32()).map(FlowFlags)
    }
}

impl<'de> Deserialize<'de> for MeterFlags {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bits = |word: &[u8]| MeterFlags::from_word(word).map(|flag| flag.0);
        flags(deserializer, bits, |text| text.u16()).map(MeterFlags)
    }
}

/// Words, and numbers of bits that have none.
fn flags<'de, D: Deserializer<'de>, T: Default + BitOr<Output = T>>(
    deserializer: D,
    bits: impl Fn(&[u8]) -> Option<T>,
    number: impl for<'a> Fn(Token<'a>) -> Result<T, Fault>,
) -> Result<T, D::Error> {
    let words = Vec::<String>::deserialize(deserializer)?;
    words.iter().try_fold(T::default(), |flags, word| {
        let flag = bits(word.as_bytes());
        let flag = flag.map_or_else(|| read(word, &number), Ok)?;
        Ok(flags | flag)
    })
}

impl<'de> Deserialize<'de> for GroupType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        word_or_number(deserializer, GroupType::from_word, "a type of groups", GroupType)
    }
}

impl<'de> Deserialize<'de> for BandType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        word_or_number(deserializer, BandType::from_word, "a type of bands", BandType)
    }
}

fn word_or_number<'de, D: Deserializer<'de>, T, N: TryFrom<u32>>(
    deserializer: D,
    find: impl Fn(&[u8]) -> Option<T>,
    what: &'static str,
    of_number: impl Fn(N) -> T,
) -> Result<T, D::Error>
where
    N::Error: Display,
{
    match NumberOrText::deserialize(deserializer)? {
        NumberOrText::Number(number) => N::try_from(number).map(of_number).map_err(D::Error::custom),
        NumberOrText::Text(text) => read(&text, |word| find(word.text).ok_or_else(|| word.expected(what))),
    }
}

impl<'de> Deserialize<'de> for SelectionField {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Entry {
            field: Field,
            mask: Option<String>,
        }
        let Entry { field, mask } = Entry::deserialize(deserializer)?;
        let bits = mask.map(|mask| read(&mask, |mask| mask.bits_of(field)));
        let bits = bits.transpose()?;
        Ok(SelectionField { field, bits })
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum NumberOrText {
    Number(u32),
    Text(String),
}

impl<'de> Deserialize<'de> for PortRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match NumberOrText::deserialize(deserializer)? {
            NumberOrText::Number(number) => Port(number).into(),
            NumberOrText::Text(text) => port(text),
        })
    }
}

impl<'de> Deserialize<'de> for TableRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match NumberOrText::deserialize(deserializer)? {
            NumberOrText::Number(number) => u8::try_from(number)
                .map(NumberOrName::Number)
                .map_err(D::Error::custom),
            NumberOrText::Text(name) => Ok(NumberOrName::Name(name.into())),
        }
    }
}

/// A reserved port by its very word, or a name.
fn port(text: String) -> PortRef {
    match Port::from_word(&text).filter(|port| port.word() == Some(&text)) {
        Some(port) => port.into(),
        None => NumberOrName::Name(text.into()),
    }
}

/// An entry of a match: each kind has its own keys.
#[derive(Deserialize)]
struct Entry {
    protocol: Option<Protocol>,
    unknown: Option<String>,
    field: Option<Field>,
    value: Option<String>,
    mask: Option<String>,
}

impl Entry {
    fn field<E: Error>(self) -> Result<FieldMatch, E> {
        let field = self.field.ok_or_else(|| E::missing_field("field"))?;
        let value = self.value.ok_or_else(|| E::missing_field("value"))?;
        let format = field.info().format;
        if format == Format::Port && !value.starts_with(|first: char| first.is_ascii_digit()) {
            let (value, mask) = (port(value).into(), None);
            return Ok(FieldMatch { field, value, mask });
        }
        let (value, mask) = match self.mask {
            // Their words are those of a value and a mask together.
            mask if format == Format::Frag => {
                let mask = mask.map(|mask| read(&mask, |mask| mask.number(field.mask_max())));
                (
                    Value::Number(read(&value, |value| value.number(field.max()))?),
                    mask.transpose()?,
                )
            }
            Some(mask) => read(&format!("{value}/{mask}"), |text| text.field_value(field))?,
            None => read(&value, |text| text.field_value(field))?,
        };
        Ok(FieldMatch { field, value, mask })
    }
}

impl<'de> Deserialize<'de> for FieldMatch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Entry::deserialize(deserializer)?.field()
    }
}

impl<'de> Deserialize<'de> for MatchEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entry = Entry::deserialize(deserializer)?;
        if let Some(protocol) = entry.protocol {
            return Ok(MatchEntry::Protocol(protocol));
        }
        let Some(unknown) = &entry.unknown else {
            return entry.field().map(MatchEntry::Field);
        };
        let (key, value) = match unknown.split_once('=') {
            Some((key, value)) => (key, Some(value.into())),
            None => (&unknown[..], None),
        };
        let key = key.into();
        Ok(MatchEntry::Unknown(Unknown { key, value }))
    }
}

/// A field, its value and its mask.
pub(crate) fn field<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<(Field, Value, Option<u128>), D::Error> {
    let FieldMatch { field, value, mask } = FieldMatch::deserialize(deserializer)?;
    Ok((field, value, mask))
}

/// A field and its value.
pub(crate) fn whole_field<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(Field, Value), D::Error> {
    let FieldMatch { field, value, .. } = FieldMatch::deserialize(deserializer)?;
    Ok((field, value))
}

/// `"0x5"`, `"5"`.
pub(crate) fn number<'de, D: Deserializer<'de>, T>(deserializer: D) -> Result<T, D::Error>
where
    T: TryFrom<u128>,
    T::Error: Display,
{
    number_in(&String::deserialize(deserializer)?)
}

/// `"0x5"`, or null.
pub(crate) fn hex_mask<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    decimal(deserializer)
}

/// `"5"`, or null.
pub(crate) fn decimal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| number_in(&text)).transpose()
}

/// `5.25`, or null.
pub(crate) fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let seconds = Option::<f64>::deserialize(deserializer)?;
    let duration = seconds.map(Duration::try_from_secs_f64);
    duration.transpose().map_err(D::Error::custom)
}

/// `5.25`.
pub(crate) fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    Duration::try_from_secs_f64(f64::deserialize(deserializer)?).map_err(D::Error::custom)
}

fn number_in<T: TryFrom<u128>, E: Error>(text: &str) -> Result<T, E>
where
    T::Error: Display,
{
    T::try_from(read(text, |text| text.number(u128::MAX))?).map_err(E::custom)
}

/// What `parse` makes of a whole text.
fn read<'a, T, E: Error>(text: &'a str, parse: impl FnOnce(Token<'a>) -> Result<T, Fault>) -> Result<T, E> {
    let token = Token::of(text.as_bytes(), 0..text.len());
    parse(token).map_err(|fault| E::custom(format_args!("{}, found {text:?}", fault.kind)))
}
