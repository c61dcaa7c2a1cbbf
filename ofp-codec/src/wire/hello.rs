use core::fmt;

use crate::{
    model::version::Version,
    wire::{error::EncodeError, message::Message, write::Writer},
};

/// A set of OpenFlow versions.
///
/// ```
/// use ofp_codec::{Version, wire::Versions};
///
/// let ours = Versions::from_iter([Version::V1_3, Version::V1_5]);
/// let theirs = Versions::up_to(Version::V1_4);
/// assert_eq!(ours.common(theirs).newest(), Some(Version::V1_3));
/// assert_eq!(ours.to_string(), "0x04, 0x06");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Versions {
    /// Bit `n` stands for the version of number `n`.
    bits: u32,
}

impl Versions {
    /// OpenFlow 1.0 to 1.5.
    pub const ALL: Versions = Versions { bits: 0x7e };

    /// Every version from OpenFlow 1.0 up to this one.
    pub fn up_to(version: Version) -> Self {
        (1..=version.0.min(31)).map(Version).collect()
    }

    /// Those that are in both sets.
    #[must_use]
    pub fn common(self, other: Versions) -> Self {
        Versions {
            bits: self.bits & other.bits,
        }
    }

    /// The newest one.
    pub fn newest(self) -> Option<Version> {
        let highest = self.bits.checked_ilog2()?;
        u8::try_from(highest).ok().map(Version)
    }

    /// Whether this one is among them.
    pub fn contains(self, version: Version) -> bool {
        self.iter().any(|known| known == version)
    }

    /// Each of them, the oldest first.
    pub fn iter(self) -> impl Iterator<Item = Version> {
        (0..32).filter(move |bit| self.bits & 1 << bit != 0).map(Version)
    }

    /// Whether the version of the header does not say it all.
    fn needs_bitmap(self) -> bool {
        self.newest().map(Versions::up_to) != Some(self)
    }
}

/// Those of a number above 31 have no place in a hello, and are left out.
impl FromIterator<Version> for Versions {
    fn from_iter<I: IntoIterator<Item = Version>>(versions: I) -> Self {
        let bits = versions.into_iter().fold(0, |bits, version| {
            bits | 1_u32.checked_shl(version.0.into()).unwrap_or(0)
        });
        Versions { bits }
    }
}

/// Their numbers as Open vSwitch prints them: `0x01, 0x04`.
impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut comma = "";
        for version in self.iter() {
            write!(f, "{comma}0x{:02x}", version.0)?;
            comma = ", ";
        }
        Ok(())
    }
}

/// The first message of either side: what it can speak.
///
/// The version of its header is the newest one, and without a bitmap all older ones are meant.
/// Elements: type u16, length u16 of the element without the padding to 8 bytes; type 1 is the bitmap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hello {
    /// The versions.
    pub versions: Versions,
    /// Whether there is something that is not understood; it is no error.
    pub unknown: bool,
}

impl Hello {
    /// Reads a hello, which is never an error.
    pub fn decode(message: &Message<'_>) -> Self {
        let mut hello = Hello {
            versions: Versions::up_to(message.header().version),
            unknown: false,
        };
        let mut body = message.body();
        while !body.is_empty() {
            let mut element = || {
                let mut reader = body;
                let (kind, len) = (reader.u16("element").ok()?, reader.u16("length").ok()?);
                let padded = usize::from(len).next_multiple_of(8);
                let mut element = body.part(padded, "element").ok()?;
                let versions = element.part(len.into(), "element").ok()?;
                Some((kind, versions.rest().get(4..)?))
            };
            let Some((kind, value)) = element() else {
                hello.unknown = true;
                return hello;
            };
            match (kind, Versions::from_bitmap(value)) {
                (VERSION_BITMAP, Some(versions)) => hello.versions = versions,
                _ => hello.unknown = true,
            }
        }
        hello
    }

    /// Writes the body. The header's version must be the newest of the versions.
    pub fn encode(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        if self.versions.needs_bitmap() {
            writer.u16(VERSION_BITMAP);
            writer.u16(8);
            writer.u32(self.versions.bits);
        }
        Ok(())
    }
}

impl Versions {
    /// The first 32 bits of a bitmap; there is no version 0, and a bitmap of none is no bitmap.
    fn from_bitmap(value: &[u8]) -> Option<Self> {
        let first = value.first_chunk().filter(|_| value.len() % 4 == 0)?;
        let bits = u32::from_be_bytes(*first) & !1;
        (bits != 0).then_some(Versions { bits })
    }
}

const VERSION_BITMAP: u16 = 1;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::kind::MessageKind;
    use alloc::vec::Vec;

    fn decode(bytes: &[u8]) -> Hello {
        Hello::decode(&Message::parse(bytes).unwrap())
    }

    #[test]
    fn a_set_of_versions_with_a_gap_needs_a_bitmap() {
        for (versions, len) in [
            (Versions::ALL, 8),
            (Versions::up_to(Version::V1_3), 8),
            (Versions::from_iter([Version::V1_3]), 16),
            (Versions::from_iter([Version::V1_0, Version::V1_5]), 16),
        ] {
            let mut out = Vec::new();
            let hello = Hello {
                versions,
                unknown: false,
            };
            let newest = versions.newest().unwrap();
            let encoded = MessageKind::Hello.encode(newest, 1, &mut out, |writer| hello.encode(writer));
            assert_eq!((encoded, out.len()), (Ok(()), len));
            assert_eq!(decode(&out), hello);
        }
    }

    #[test]
    fn what_is_not_understood_is_said_and_is_no_error() {
        // An element of another type, a bitmap of no version, and one that ends early.
        let unknown: [&[u8]; 3] = [
            &[4, 0, 0, 16, 0, 0, 0, 1, 0, 9, 0, 8, 1, 2, 3, 4],
            &[4, 0, 0, 16, 0, 0, 0, 1, 0, 1, 0, 8, 0, 0, 0, 1],
            &[4, 0, 0, 12, 0, 0, 0, 1, 0, 1, 0, 8],
        ];
        for bytes in unknown {
            let hello = decode(bytes);
            assert_eq!(
                (hello.versions, hello.unknown),
                (Versions::up_to(Version::V1_3), true)
            );
        }
        // A version that is not known here means the older ones, too.
        let hello = decode(&[9, 0, 0, 8, 0, 0, 0, 1]);
        assert_eq!(hello.versions.common(Versions::ALL).newest(), Some(Version::V1_5));
    }
}
