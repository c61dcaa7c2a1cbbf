//! All of a match, or an error: what is written must not match more than was asked for.

use crate::{
    model::{
        canonical::bits::{ARP, CFI, ICMP, ICMPV6, IPV4, IPV6, MatchBits, PCP, RARP, SCTP, UDP, holder},
        field::{Field, Format, Prerequisite},
        matches::{FieldMatch, Match, MatchEntry, Value},
        version::Version,
    },
    wire::error::EncodeError,
};

/// The bits of a match, all of which can be written: each field has a value of its own and what it needs beside it.
///
/// # Errors
///
/// For the first entry of which something would be left out or changed.
pub(super) fn bits(matches: &Match) -> Result<MatchBits, EncodeError> {
    matches.0.iter().try_for_each(check_entry)?;
    let bits = MatchBits::of(matches);
    let (kind, has_vlan) = (bits.eth_type(), bits.has_vlan());
    for entry in &matches.0 {
        let MatchEntry::Field(found) = entry else { continue };
        let (field, needs) = (found.field, found.field.info().prerequisite);
        if needs == Prerequisite::None || found.mask == Some(0) {
            continue;
        }
        if !bits.meet(needs, kind, has_vlan) && !is_shared(field, &bits, kind) {
            return Err(EncodeError::Prerequisite { field, needs });
        }
    }
    // 0 is how Open vSwitch says that the protocol of the connection is not looked at.
    if bits.has(Field::CtNwProto) && bits.masked(Field::CtNwProto).0 == 0 {
        return Err(out_of_range(Field::CtNwProto, 0));
    }
    let kept = bits.clone().pruned();
    let is_lost = |holder| holder != Field::PacketType && !kept.has(holder);
    let is_one_lost = bits.iter().any(|(holder, _)| is_lost(holder));
    match is_one_lost {
        // Of fields whose prerequisites are met, these need another one.
        true => Err(EncodeError::Misplaced {
            what: "ct_tp_src or ct_tp_dst without ct_nw_proto",
        }),
        false => Ok(bits),
    }
}

/// Checks that OXM can say what is matched of the tag: all of a priority, and only of a tag that is there.
///
/// # Errors
///
/// [`EncodeError::NotInVersion`].
pub(super) fn check_tag(bits: &MatchBits, version: Version) -> Result<(), EncodeError> {
    let (tci, mask) = bits.masked(Field::VlanTci);
    let is_untagged = mask & CFI != 0 && tci == 0;
    let has_priority = mask & PCP == PCP && tci & mask & CFI != 0;
    match mask & PCP == 0 || is_untagged || has_priority {
        true => Ok(()),
        false => Err(EncodeError::NotInVersion {
            what: Field::VlanTci.name(),
            version,
        }),
    }
}

fn check_entry(entry: &MatchEntry) -> Result<(), EncodeError> {
    match entry {
        MatchEntry::Field(found) => check_field(found),
        MatchEntry::Unknown(unknown) => Err(EncodeError::Unresolved {
            what: "match entry",
            name: unknown.key.clone(),
        }),
        MatchEntry::Protocol(_) | MatchEntry::UnknownOxm(_) => Ok(()),
    }
}

fn check_field(found: &FieldMatch) -> Result<(), EncodeError> {
    let field = found.field;
    let info = field.info();
    if info.bits > 128 {
        return Ok(());
    }
    let number = match &found.value {
        Value::Number(number) => *number,
        Value::Name(name) => {
            return Err(EncodeError::Unresolved {
                what: field.name(),
                name: name.clone(),
            });
        }
        Value::Wide(_) | Value::Absent => return Err(out_of_range(field, 0)),
    };
    let mask = found.mask.unwrap_or(u128::MAX);
    let counts = number & mask;
    if mask == 0 {
        return Ok(());
    }
    let in_range = match field {
        // 0xffff: no tag.
        Field::DlVlan => counts <= 0xfff || counts == 0xffff,
        Field::NwTos => counts <= 0xff && counts & 3 == 0,
        // The low byte is all that Open vSwitch keeps.
        Field::ArpOp => counts <= 0xff,
        _ if info.format == Format::Port => counts <= u32::MAX.into(),
        field => counts <= field.max(),
    };
    if !in_range {
        return Err(out_of_range(field, counts));
    }
    let ones = match field {
        Field::NwTos => 0xfc,
        Field::ArpOp => 0xff,
        field => field.max(),
    };
    match info.maskable || mask & ones == ones {
        true => Ok(()),
        false => Err(EncodeError::NotMaskable { field }),
    }
}

/// Whether the field stands for another one in such packets: `tp_src` is also that of UDP, and `nw_src` that of ARP.
fn is_shared(field: Field, bits: &MatchBits, kind: u128) -> bool {
    let proto = bits.ip_proto();
    let ip = kind == IPV4 || kind == IPV6;
    let icmp6 = kind == IPV6 && proto == ICMPV6;
    match holder(field) {
        Field::IpSrc | Field::IpDst | Field::IpProto => {
            (kind == ARP || kind == RARP) && [Field::IpSrc, Field::IpDst, Field::IpProto].contains(&field)
        }
        Field::TcpSrc | Field::TcpDst => match field {
            Field::TcpSrc | Field::TcpDst => {
                icmp6 || kind == IPV4 && proto == ICMP || ip && (proto == UDP || proto == SCTP)
            }
            Field::IcmpType | Field::IcmpCode => icmp6,
            _ => false,
        },
        _ => false,
    }
}

fn out_of_range(field: Field, value: u128) -> EncodeError {
    EncodeError::OutOfRange {
        what: field.name(),
        value,
    }
}
