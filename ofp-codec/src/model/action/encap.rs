//! Headers that are put on and taken off.

use alloc::vec::Vec;
use core::fmt;

use crate::model::print::{BytesHex, Hex, Separated};

/// The header of `encap(ethernet)`, `encap(nsh(md_type=2,tlv(0x1000,10,0x12345678)))`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Encap {
    /// `ethernet`.
    Ethernet,
    /// `mpls`.
    Mpls,
    /// `mpls_mc`.
    MplsMulticast,
    /// `nsh`, with its properties in order.
    Nsh(Vec<NshProperty>),
}

/// A property of a network service header.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum NshProperty {
    /// `md_type=1`: the type of the metadata.
    MdType(u8),
    /// `tlv(0x1000,10,0x12345678)`: an option of metadata type 2.
    Tlv {
        /// The class.
        class: u16,
        /// The type.
        kind: u8,
        /// The value.
        value: Vec<u8>,
    },
}

/// A kind of packet: `ns=1,type=0x800`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PacketType {
    /// The name space (`enum ofp_header_type_namespaces`): 0 is ONF's, 1 Ethernet types.
    pub namespace: u16,
    /// The type in it.
    pub kind: u16,
}

impl PacketType {
    /// A packet that begins with an Ethernet header.
    pub const ETHERNET: PacketType = PacketType {
        namespace: 0,
        kind: 0,
    };
}

impl fmt::Display for Encap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let properties = match self {
            Encap::Ethernet => return f.write_str("encap(ethernet)"),
            Encap::Mpls => return f.write_str("encap(mpls)"),
            Encap::MplsMulticast => return f.write_str("encap(mpls_mc)"),
            Encap::Nsh(properties) if properties.is_empty() => return f.write_str("encap(nsh)"),
            Encap::Nsh(properties) => properties,
        };
        f.write_str("encap(nsh(")?;
        let mut list = Separated::new(f);
        properties.iter().try_for_each(|property| list.item(property))?;
        f.write_str("))")
    }
}

impl fmt::Display for NshProperty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NshProperty::MdType(kind) => write!(f, "md_type={kind}"),
            NshProperty::Tlv { class, kind, value } => {
                write!(f, "tlv({class:#06x},{kind},{})", BytesHex(value))
            }
        }
    }
}

impl fmt::Display for PacketType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "packet_type(ns={},type={})",
            self.namespace,
            Hex(self.kind.into())
        )
    }
}
