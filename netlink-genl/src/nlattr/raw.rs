//! Attributes that outlive the bytes they were read from.

use alloc::vec::Vec;

use super::{Attr, KIND_MASK};

/// An attribute that nothing here decodes, kept byte for byte.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct RawAttr {
    /// The whole `nla_type`, flags included.
    pub raw_kind: u16,
    /// The payload without padding.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::hex"))]
    pub payload: Vec<u8>,
}

impl RawAttr {
    /// The attribute type without flags.
    pub fn kind(&self) -> u16 {
        self.raw_kind & KIND_MASK
    }
}

impl From<Attr<'_>> for RawAttr {
    fn from(attr: Attr<'_>) -> Self {
        Self {
            raw_kind: attr.raw_kind(),
            payload: attr.payload().to_vec(),
        }
    }
}
