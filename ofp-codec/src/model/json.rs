//! How values are written by serde, where deriving it would not do.
//!
//! What a reader of JSON could not keep as a number is a string: every number of 64 bits or more, always, so that
//! its type does not depend on its size.

use core::{
    fmt::{self, Display, LowerHex},
    time::Duration,
};

use serde::{
    Serialize, Serializer,
    ser::{SerializeSeq as _, SerializeStruct as _},
};

use crate::model::{
    action::{
        report::PacketInReason,
        select::{BundleAlgorithm, HashFields, MultipathAlgorithm},
    },
    addr::EthAddr,
    field::{Field, Format},
    flow::FlowFlags,
    group::{GroupType, SelectionField},
    matches::{FieldMatch, MatchEntry, UnknownOxm, Value},
    meter::{BandType, MeterFlags},
    port::{NumberOrName, Port},
    print::{self, BytesHex, Hex},
    protocol::Protocol,
    subfield::Subfield,
};

/// Types that are written as they print.
macro_rules! as_printed {
    ($($type:ty),*) => {
        $(impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        })*
    };
}

as_printed!(
    BundleAlgorithm,
    EthAddr,
    Field,
    HashFields,
    MultipathAlgorithm,
    PacketInReason,
    Protocol,
    Subfield,
    UnknownOxm
);

/// `"0x5"`.
pub(crate) fn hex<S: Serializer>(number: &impl LowerHex, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{number:#x}"))
}

/// `"0x5"`, or null.
pub(crate) fn hex_mask<S: Serializer>(mask: &Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
    match mask {
        Some(mask) => hex(mask, serializer),
        None => serializer.serialize_none(),
    }
}

/// `"5"`, or null.
pub(crate) fn decimal<S: Serializer>(
    number: &(impl Copy + Into<Option<u64>>),
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match &(*number).into() {
        Some(number) => serializer.collect_str(number),
        None => serializer.serialize_none(),
    }
}

/// `5.25`, or null.
pub(crate) fn seconds<S: Serializer>(
    duration: &(impl Copy + Into<Option<Duration>>),
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let duration: Option<Duration> = (*duration).into();
    duration
        .map(|duration| duration.as_secs_f64())
        .serialize(serializer)
}

/// `{"field": "ip_src", "value": "10.0.0.0", "mask": "255.0.0.0"}`.
pub(crate) fn field<S: Serializer>(
    field: &Field,
    value: &Value,
    mask: &Option<u128>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut entry = serializer.serialize_struct("FieldMatch", 3)?;
    entry.serialize_field("field", field)?;
    entry.serialize_field("value", &Printed(Text { field: *field, value }))?;
    let mask = match (value, mask) {
        (Value::Wide(wide), _) => wide.mask.as_deref().map(Bits::Bytes),
        (_, mask) => mask.map(|mask| Bits::Number(*field, mask)),
    };
    entry.serialize_field("mask", &mask.map(Printed))?;
    entry.end()
}

/// As [`field`], of a field that has no mask.
pub(crate) fn whole_field<S: Serializer>(
    of: &Field,
    value: &Value,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    field(of, value, &None, serializer)
}

impl Serialize for FieldMatch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        field(&self.field, &self.value, &self.mask, serializer)
    }
}

/// `{"protocol": "tcp"}`, a field, or `{"unknown": ..}`.
impl Serialize for MatchEntry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (key, value) = match self {
            MatchEntry::Field(found) => return found.serialize(serializer),
            MatchEntry::Protocol(protocol) => ("protocol", Printed(protocol as &dyn Display)),
            MatchEntry::Unknown(unknown) => ("unknown", Printed(unknown as &dyn Display)),
            MatchEntry::UnknownOxm(unknown) => ("unknown", Printed(unknown as &dyn Display)),
        };
        let mut entry = serializer.serialize_struct("MatchEntry", 1)?;
        entry.serialize_field(key, &value)?;
        entry.end()
    }
}

/// The number, or the word of a reserved port.
impl Serialize for Port {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        word_or_number(self.word(), self.0, serializer)
    }
}

/// The number, or the name as a string.
impl<T: Serialize> Serialize for NumberOrName<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            NumberOrName::Number(number) => number.serialize(serializer),
            NumberOrName::Name(name) => serializer.serialize_str(name),
        }
    }
}

impl Serialize for FlowFlags {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        flags(self.words(), self.unknown(), serializer)
    }
}

impl Serialize for MeterFlags {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        flags(self.words(), self.unknown().into(), serializer)
    }
}

/// The words, and the bits that have none as one number.
fn flags<S: Serializer>(
    words: impl Iterator<Item = &'static str>,
    unknown: u32,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut list = serializer.serialize_seq(None)?;
    for word in words {
        list.serialize_element(word)?;
    }
    if unknown != 0 {
        list.serialize_element(&Printed(Hex(unknown.into())))?;
    }
    list.end()
}

impl Serialize for GroupType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        word_or_number(self.word(), self.0.into(), serializer)
    }
}

impl Serialize for BandType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        word_or_number(self.word(), self.0.into(), serializer)
    }
}

fn word_or_number<S: Serializer>(word: Option<&str>, number: u32, serializer: S) -> Result<S::Ok, S::Error> {
    match word {
        Some(word) => serializer.serialize_str(word),
        None => serializer.serialize_u32(number),
    }
}

/// `{"field": "ip_dst", "mask": "255.255.255.0"}`.
impl Serialize for SelectionField {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut entry = serializer.serialize_struct("SelectionField", 2)?;
        entry.serialize_field("field", &self.field)?;
        let mask = self.bits.map(|bits| Printed(Bits::Number(self.field, bits)));
        entry.serialize_field("mask", &mask)?;
        entry.end()
    }
}

/// A string of what prints.
struct Printed<T>(T);

impl<T: Display> Serialize for Printed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// A value without its mask, in the format of its field; flags as a number.
struct Text<'a> {
    field: Field,
    value: &'a Value,
}

impl Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use Format::{CtState, Frag, TcpFlags, TunnelFlags};
        match (self.field.info().format, self.value) {
            (CtState | Frag | TcpFlags | TunnelFlags, Value::Number(number)) => Hex(*number).fmt(f),
            (_, Value::Wide(wide)) => BytesHex(&wide.value).fmt(f),
            (_, Value::Name(name)) => f.write_str(name),
            _ => print::value(f, self.field, self.value, None, print::Place::SetField),
        }
    }
}

/// A mask: an address for addresses, else a number.
enum Bits<'a> {
    Number(Field, u128),
    Bytes(&'a [u8]),
}

impl Display for Bits<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Bits::Bytes(bytes) => BytesHex(bytes).fmt(f),
            Bits::Number(field, mask) => match field.info().format {
                Format::Ipv4 | Format::Ipv6 | Format::Ethernet => {
                    print::value(f, field, &Value::Number(mask), None, print::Place::SetField)
                }
                _ => Hex(mask).fmt(f),
            },
        }
    }
}
