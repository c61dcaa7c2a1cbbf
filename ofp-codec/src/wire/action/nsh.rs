//! Putting headers on and taking them off.

use alloc::vec::Vec;

use crate::{
    model::action::{
        Action,
        encap::{Encap, NshProperty, PacketType},
    },
    wire::{
        action::{
            args::{Args, BAD_LEN, Out},
            table::Form,
        },
        error::{DecodeError, EncodeError},
    },
};

/// Size of the header, type of packet, properties (`struct nx_action_encap`).
pub(super) fn encap(args: &mut Args<'_>) -> Result<Action, DecodeError> {
    args.u16()?;
    let kind = args.u32()?;
    let known = [ETHERNET, NSH, MPLS, MPLS_MULTICAST];
    args.check(known.contains(&kind), kind, "NXBAC_BAD_HEADER_TYPE")?;
    let mut properties = Vec::new();
    while !args.reader.is_empty() {
        properties.push(property(args)?);
    }
    // Open vSwitch takes them with any header, and has no use for them there.
    args.check(kind == NSH || properties.is_empty(), kind, BAD_PROPERTY)?;
    Ok(Action::Encap(match kind {
        ETHERNET => Encap::Ethernet,
        MPLS => Encap::Mpls,
        MPLS_MULTICAST => Encap::MplsMulticast,
        _ => Encap::Nsh(properties),
    }))
}

/// Class, type and length of the whole, then what belongs to it, padded to a multiple of 8 bytes
/// (`struct ofp_ed_prop_header`).
fn property(args: &mut Args<'_>) -> Result<NshProperty, DecodeError> {
    let mut rest = args.reader;
    let (class, kind, len) = (rest.u16(WHAT)?, rest.u8(WHAT)?, rest.u8(WHAT)?);
    args.check(len >= 4, len, BAD_LEN)?;
    let mut property = args.reader.part(usize::from(len).next_multiple_of(8), WHAT)?;
    property.bytes(4, WHAT)?;
    match (class, kind) {
        (NSH_CLASS, MD_TYPE) => {
            args.check(len <= 8, len, BAD_PROPERTY)?;
            Ok(NshProperty::MdType(property.u8(WHAT)?))
        }
        (NSH_CLASS, TLV) => {
            let (class, kind, value_len) = (property.u16(WHAT)?, property.u8(WHAT)?, property.u8(WHAT)?);
            let whole = 8 + usize::from(value_len).next_multiple_of(8);
            args.check(usize::from(len) == whole, len, BAD_PROPERTY)?;
            Ok(NshProperty::Tlv {
                class,
                kind,
                value: property.bytes(value_len.into(), WHAT)?.into(),
            })
        }
        _ => Err(args.refuse(class, "NXBAC_UNKNOWN_ED_PROP")),
    }
}

/// Padding, type of packet (`struct nx_action_decap`).
pub(super) fn decap(args: &mut Args<'_>) -> Result<Action, DecodeError> {
    args.bytes(2)?;
    let (namespace, kind) = (args.u16()?, args.u16()?);
    let more = args.reader.len();
    args.check(
        more == 0,
        u64::try_from(more).unwrap_or(0),
        "NXBAC_UNKNOWN_ED_PROP",
    )?;
    let packet_type = PacketType { namespace, kind };
    Ok(Action::Decap(
        Some(packet_type).filter(|packet_type| *packet_type != NEXT),
    ))
}

impl Out<'_, '_> {
    pub(super) fn encap(&mut self, encap: &Encap) -> Result<(), EncodeError> {
        let (kind, properties) = match encap {
            Encap::Ethernet => (ETHERNET, &[][..]),
            Encap::Mpls => (MPLS, &[][..]),
            Encap::MplsMulticast => (MPLS_MULTICAST, &[][..]),
            Encap::Nsh(properties) => (NSH, &properties[..]),
        };
        self.action(Form::Encap, |out| {
            out.writer.u16(0);
            out.writer.u32(kind);
            properties
                .iter()
                .try_for_each(|property| out.nsh_property(property))
        })
    }

    fn nsh_property(&mut self, property: &NshProperty) -> Result<(), EncodeError> {
        self.writer.u16(NSH_CLASS);
        match property {
            NshProperty::MdType(kind) => {
                self.writer.bytes(&[MD_TYPE, 5, *kind]);
                self.writer.zeros(3);
            }
            NshProperty::Tlv { class, kind, value } => {
                let padded = value.len().next_multiple_of(8);
                let (len, whole) = u8::try_from(value.len())
                    .ok()
                    .zip(u8::try_from(8 + padded).ok())
                    .ok_or(EncodeError::TooLong {
                        what: "NSH option",
                        len: value.len(),
                        limit: 240,
                    })?;
                self.writer.bytes(&[TLV, whole]);
                self.writer.u16(*class);
                self.writer.bytes(&[*kind, len]);
                self.writer.bytes(value);
                self.writer.zeros(padded - value.len());
            }
        }
        Ok(())
    }

    pub(super) fn decap(&mut self, below: Option<PacketType>) -> Result<(), EncodeError> {
        let PacketType { namespace, kind } = below.unwrap_or(NEXT);
        self.action(Form::Decap, |out| {
            out.writer.u16(0);
            out.writer.u16(namespace);
            out.writer.u16(kind);
            Ok(())
        })
    }
}

// `PT_ETH` and others in lib/packets.h: a name space and a type in it.
const ETHERNET: u32 = 0;
const NSH: u32 = 0x1_894f;
const MPLS: u32 = 0x1_8847;
const MPLS_MULTICAST: u32 = 0x1_8848;
/// `PT_USE_NEXT_PROTO`: what the header says that follows it.
const NEXT: PacketType = PacketType {
    namespace: 0,
    kind: 0xfffe,
};
/// `OFPPPC_NSH`.
const NSH_CLASS: u16 = 4;
// `enum ofp_ed_nsh_prop_type`.
const MD_TYPE: u8 = 1;
const TLV: u8 = 2;
const BAD_PROPERTY: &str = "NXBAC_BAD_ED_PROP";
const WHAT: &str = "property";
