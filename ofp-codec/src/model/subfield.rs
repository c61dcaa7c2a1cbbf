use alloc::boxed::Box;
use core::fmt;

use crate::model::field::{Field, Spelling};

/// A run of bits of a field: `NXM_NX_REG0[0..15]`, `reg0[8]`, `vlan_tci[]`.
///
/// Prints as it was written: the name of a field differs between OpenFlow versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subfield {
    name: Name,
    bits: Option<(u16, u16)>,
}

/// The name of a field, which is known or not. Flows have many: of those that are known, no text is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    Known(Spelling),
    Unknown(Box<str>),
}

impl Subfield {
    /// The whole of `field`.
    pub fn whole(field: Field) -> Self {
        Subfield {
            name: Name::Known(field.into()),
            bits: None,
        }
    }

    /// `len` bits of `field` from `first` on, under the name of its first header, which is NXM's
    /// where there is one.
    pub(crate) fn of(field: Field, first: u32, len: u32) -> Self {
        let bit = |bit: u32| u16::try_from(bit).unwrap_or(u16::MAX);
        Subfield {
            name: Name::Known(Spelling::of_header(field)),
            bits: Some((bit(first), bit(first.saturating_add(len).saturating_sub(1)))),
        }
    }

    /// The field or header name `name`, and the first and last bit if it is not the whole field.
    pub(crate) fn new(name: Name, bits: Option<(u16, u16)>) -> Self {
        Subfield { name, bits }
    }

    /// The field, if it is a known one.
    pub fn field(&self) -> Option<Field> {
        match &self.name {
            Name::Known(name) => Some(name.field()),
            Name::Unknown(_) => None,
        }
    }

    /// The name of the field as it was written.
    pub fn name(&self) -> &str {
        match &self.name {
            Name::Known(name) => name.name(),
            Name::Unknown(name) => name,
        }
    }

    /// The first and the last bit. `None` for the whole of a field that is not known.
    pub fn bits(&self) -> Option<(u16, u16)> {
        self.bits
            .or_else(|| self.field().map(|field| (0, field.info().bits - 1)))
    }

    /// How many bits it has. `None` for the whole of a field that is not known.
    pub(crate) fn len(&self) -> Option<u16> {
        self.bits().map(|(first, last)| (last - first).saturating_add(1))
    }

    /// The greatest number that fits.
    pub(crate) fn max(&self) -> u128 {
        u128::MAX >> 128_u32.saturating_sub(self.len().unwrap_or(128).into())
    }

    /// Whether it is all of a known field.
    pub(crate) fn is_whole(&self) -> bool {
        self.field()
            .is_some_and(|field| self.len() == Some(field.info().bits))
    }
}

impl fmt::Display for Subfield {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.bits {
            _ if self.bits.is_none() || self.is_whole() => write!(f, "{}[]", self.name()),
            None => Ok(()),
            Some((first, last)) if first == last => write!(f, "{}[{first}]", self.name()),
            Some((first, last)) => write!(f, "{}[{first}..{last}]", self.name()),
        }
    }
}
