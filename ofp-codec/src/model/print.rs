use core::{
    fmt::{self, Display},
    net::{Ipv4Addr, Ipv6Addr},
};

use crate::model::{
    addr::EthAddr,
    field::{Field, Format},
    matches::Value,
    port::{Port, write_name},
};

/// Where a value stands: `match_format` and `mf_format` of Open vSwitch differ a little.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Match,
    SetField,
}

/// Writes a value and its mask as Open vSwitch does.
pub(crate) fn value(
    f: &mut fmt::Formatter<'_>,
    field: Field,
    value: &Value,
    mask: Option<u128>,
    place: Place,
) -> fmt::Result {
    let number = match value {
        Value::Number(number) => *number,
        Value::Name(name) => return write_name(f, name),
    };
    if place == Place::SetField && mask == Some(0) {
        return f.write_str("ANY");
    }
    // All bits count: the mask says nothing, and is not printed.
    let mask = mask.filter(|mask| *mask != field.mask_max());
    match field.info().format {
        Format::Decimal => match mask {
            Some(mask) if place == Place::Match => write!(f, "{number:#x}/{mask:#x}"),
            Some(mask) => write!(f, "{number}/{mask:#x}"),
            None => write!(f, "{number}"),
        },
        Format::Hex16 if place == Place::Match => {
            write!(f, "{number:#06x}")?;
            mask.map_or(Ok(()), |mask| write!(f, "/{mask:#06x}"))
        }
        Format::Hex | Format::Hex16 => {
            write!(f, "{}", Hex(number))?;
            mask.map_or(Ok(()), |mask| write!(f, "/{}", Hex(mask)))
        }
        Format::Ipv4 => {
            ipv4(number).fmt(f)?;
            mask.map_or(Ok(()), |mask| match prefix_len(mask << 96) {
                Some(len) => write!(f, "/{len}"),
                None => write!(f, "/{}", ipv4(mask)),
            })
        }
        Format::Ipv6 => {
            Ipv6Addr::from_bits(number).fmt(f)?;
            mask.map_or(Ok(()), |mask| match prefix_len(mask) {
                Some(len) => write!(f, "/{len}"),
                None => write!(f, "/{}", Ipv6Addr::from_bits(mask)),
            })
        }
        Format::Ethernet => {
            EthAddr::from_bits(number).fmt(f)?;
            mask.map_or(Ok(()), |mask| write!(f, "/{}", EthAddr::from_bits(mask)))
        }
        Format::Port => {
            match u32::try_from(number) {
                Ok(number) => Port(number).fmt(f)?,
                Err(_) => write!(f, "{number}")?,
            }
            mask.map_or(Ok(()), |mask| write!(f, "/{mask:#x}"))
        }
        Format::CtState => ct_state(f, number, mask),
    }
}

/// C's `%#x`: zero has no prefix.
pub(crate) struct Hex(pub(crate) u128);

impl Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("0"),
            number => write!(f, "{number:#x}"),
        }
    }
}

/// The names of the bits of `ct_state`, from bit 0 (`ct_state_to_string` in lib/odp-util.c).
pub(crate) const CT_STATE: [&str; 8] = ["new", "est", "rel", "rpl", "inv", "trk", "snat", "dnat"];

/// The bits of `ct_state` that have names: a mask of exactly these is a full one.
const CT_STATE_MASK: u128 = 0xff;

fn ct_state(f: &mut fmt::Formatter<'_>, number: u128, mask: Option<u128>) -> fmt::Result {
    let named = CT_STATE
        .iter()
        .enumerate()
        .map(|(bit, name)| (1_u128 << bit, name));
    let mask = mask.filter(|mask| *mask != CT_STATE_MASK);
    if number & !CT_STATE_MASK != 0 || mask.is_some_and(|mask| mask & !CT_STATE_MASK != 0) {
        write!(f, "{}", Hex(number))?;
        return mask.map_or(Ok(()), |mask| write!(f, "/{}", Hex(mask)));
    }
    match mask {
        Some(mask) => {
            for (bit, name) in named.filter(|(bit, _)| mask & bit != 0) {
                let sign = if number & bit != 0 { '+' } else { '-' };
                write!(f, "{sign}{name}")?;
            }
            Ok(())
        }
        None if number == 0 => f.write_str("0"),
        None => {
            let mut bar = "";
            for (_, name) in named.filter(|(bit, _)| number & bit != 0) {
                write!(f, "{bar}{name}")?;
                bar = "|";
            }
            Ok(())
        }
    }
}

fn ipv4(number: u128) -> Ipv4Addr {
    let b = number.to_be_bytes();
    Ipv4Addr::new(b[12], b[13], b[14], b[15])
}

/// The length of a mask of 128 bits that is a run of ones from the top.
fn prefix_len(mask: u128) -> Option<u32> {
    (mask.leading_ones() == mask.count_ones()).then(|| mask.count_ones())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::matches::FieldMatch;
    use alloc::string::{String, ToString};

    fn show(field: Field, number: u128, mask: Option<u128>) -> String {
        FieldMatch {
            field,
            value: Value::Number(number),
            mask,
        }
        .to_string()
    }

    #[test]
    fn a_mask_prints_as_a_prefix_length_where_it_is_one() {
        assert_eq!(
            show(Field::IpSrc, 0x0a00_0000, Some(0xff00_0000)),
            "nw_src=10.0.0.0/8"
        );
        assert_eq!(show(Field::IpSrc, 0, Some(0)), "nw_src=0.0.0.0/0");
        assert_eq!(show(Field::IpSrc, 1, Some(0xff)), "nw_src=0.0.0.1/0.0.0.255");
        assert_eq!(show(Field::IpSrc, 1, Some(0xffff_ffff)), "nw_src=0.0.0.1");
        assert_eq!(
            show(Field::Ipv6Dst, 1 << 127, Some(1 << 127)),
            "ipv6_dst=8000::/1"
        );
        assert_eq!(show(Field::Ipv6Dst, 1, Some(1)), "ipv6_dst=::1/::1");
    }

    #[test]
    fn numbers_print_as_open_vswitch_prints_them() {
        assert_eq!(show(Field::TcpDst, 0x50, Some(0xfff0)), "tp_dst=0x50/0xfff0");
        assert_eq!(show(Field::Reg0, 0, Some(0xf)), "reg0=0/0xf");
        assert_eq!(show(Field::VlanTci, 0, Some(0x1fff)), "vlan_tci=0x0000/0x1fff");
        assert_eq!(show(Field::CtState, 0x20, Some(0x21)), "ct_state=-new+trk");
        assert_eq!(show(Field::CtState, 0x21, Some(0xff)), "ct_state=new|trk");
        assert_eq!(show(Field::CtState, 0, None), "ct_state=0");
    }
}
