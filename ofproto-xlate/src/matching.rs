//! A match as values and masks of [`Fields`].

use ofp_codec::{Field, FieldMatch, Match, MatchEntry, Port, Value};

use crate::{
    fields::{CFI, Fields, Place, at, option_number, place, sub},
    options::OptionMap,
    unknown::Unknown,
};

/// The value and the mask of a match. `port` gives the number of a port's name.
pub(crate) fn to_fields(
    matches: &Match,
    options: &OptionMap,
    port: &dyn Fn(&str) -> Option<u16>,
) -> Result<(Fields, Fields), Unknown> {
    let (mut value, mut mask) = (Fields::ZERO, Fields::ZERO);
    for entry in &matches.0 {
        match entry {
            MatchEntry::Protocol(_) => {
                let alone = Match(vec![entry.clone()]);
                for field in [Field::EthType, Field::IpProto] {
                    if let Some(number) = alone.exact(field) {
                        put(&mut value, &mut mask, place(field), number, u128::MAX);
                    }
                }
            }
            MatchEntry::Field(found) => add(found, &mut value, &mut mask, options, port)?,
            MatchEntry::Unknown(_) | MatchEntry::UnknownOxm(_) => {
                return Err(Unknown::Match(entry.to_string().into()));
            }
            _ => return Err(Unknown::Match(entry.to_string().into())),
        }
    }
    // A match that does not speak of the packet's type is one on Ethernet packets (`match_set_default_packet_type`).
    if mask.u32(at::PACKET_TYPE) == 0 {
        mask.mask(at::PACKET_TYPE);
    }
    Ok((value, mask))
}

fn add(
    found: &FieldMatch,
    value: &mut Fields,
    mask: &mut Fields,
    options: &OptionMap,
    port: &dyn Fn(&str) -> Option<u16>,
) -> Result<(), Unknown> {
    let unknown = || Unknown::Match(found.to_string().into());
    let bits = found.mask.unwrap_or(u128::MAX);
    if let Some(option) = option_number(found.field) {
        let there = sub(at::OPTIONS_PRESENT, u32::try_from(option).unwrap_or(0), 1);
        let at = options.place(option).ok_or_else(unknown)?;
        match &found.value {
            Value::Absent => put(value, mask, there, 0, 1),
            Value::Number(number) => {
                put(value, mask, at, *number, bits);
                put(value, mask, there, 1, 1);
            }
            _ => return Err(unknown()),
        }
        return Ok(());
    }
    let number = match &found.value {
        Value::Number(number) => *number,
        Value::Name(name) => port(name).ok_or_else(unknown)?.into(),
        _ => return Err(unknown()),
    };
    match found.field {
        // A VLAN's number stands for a tag that is there, 0xffff for none.
        Field::DlVlan if number == 0xffff => put(value, mask, at::TCI[0], 0, 0xffff),
        Field::DlVlan => put(value, mask, at::TCI[0], number | u128::from(CFI), 0x1fff),
        Field::DlVlanPcp | Field::VlanPcp => {
            put(value, mask, at::TCI[0], number << 13 | u128::from(CFI), 0xf000);
        }
        Field::NwTos => put(value, mask, at::NW_TOS, number, 0xfc & bits),
        Field::IpFrag => put(value, mask, at::NW_FRAG, number, bits & 3),
        Field::InPort | Field::InPortOxm | Field::ActsetOutput => {
            put(value, mask, place(found.field), narrow(number), bits);
        }
        field => put(value, mask, place(field), number, bits),
    }
    Ok(())
}

fn put(value: &mut Fields, mask: &mut Fields, place: Place, number: u128, bits: u128) {
    value.set_at(place, number & bits, bits);
    mask.set_at(place, bits, bits);
}

/// A port's number as OpenFlow 1.0 has it, which is what Open vSwitch keeps.
pub(crate) fn narrow(number: u128) -> u128 {
    u32::try_from(number)
        .ok()
        .and_then(|number| Port(number).to_16_bits())
        .map_or(number, u128::from)
}
