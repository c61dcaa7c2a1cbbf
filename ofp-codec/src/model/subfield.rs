use alloc::borrow::Cow;
use core::fmt;

use crate::model::field::Field;

/// A run of bits of a field: `NXM_NX_REG0[0..15]`, `reg0[8]`, `vlan_tci[]`.
///
/// Prints as it was written: the name of a field differs between OpenFlow versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subfield {
    name: Cow<'static, str>,
    field: Option<Field>,
    bits: Option<(u16, u16)>,
}

impl Subfield {
    /// The whole of `field`.
    pub fn whole(field: Field) -> Self {
        Subfield {
            name: Cow::Borrowed(field.name()),
            field: Some(field),
            bits: None,
        }
    }

    /// The field or header name `name`, and the first and last bit if it is not the whole field.
    pub(crate) fn new(name: &str, bits: Option<(u16, u16)>) -> Self {
        match Field::spelling(name.as_bytes()) {
            Some((field, name)) => Subfield {
                name: Cow::Borrowed(name),
                field: Some(field),
                bits,
            },
            None => Subfield {
                name: Cow::Owned(name.into()),
                field: None,
                bits,
            },
        }
    }

    /// The field, if it is a known one.
    pub fn field(&self) -> Option<Field> {
        self.field
    }

    /// The name of the field as it was written.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first and the last bit. `None` for the whole of a field that is not known.
    pub fn bits(&self) -> Option<(u16, u16)> {
        self.bits
            .or_else(|| self.field.map(|field| (0, field.info().bits - 1)))
    }
}

impl fmt::Display for Subfield {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.bits {
            None => write!(f, "{}[]", self.name),
            Some((first, last)) if first == last => write!(f, "{}[{first}]", self.name),
            Some((first, last)) => write!(f, "{}[{first}..{last}]", self.name),
        }
    }
}
