use core::{
    fmt::{self, Display},
    net::{Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use crate::model::{
    addr::EthAddr,
    field::{Field, Format, Prerequisite},
    flags::Flags,
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
        Value::Wide(wide) => return wide.fmt(f),
        Value::Absent => return f.write_str("NP"),
    };
    if place == Place::SetField && mask == Some(0) {
        return f.write_str("ANY");
    }
    let info = field.info();
    let in_match = place == Place::Match;
    // All bits count: the mask says nothing, and is not printed.
    let full = if info.bits > 128 {
        None
    } else {
        Some(field.mask_max())
    };
    let mask = mask.filter(|mask| Some(*mask) != full);
    if let Some(flags) = Flags::of(info.format) {
        // `format_flow_tunnel` compares with a mask of more flags than there are.
        let always = in_match && info.format == Format::TunnelFlags;
        return match mask.or(full) {
            Some(mask) if always => f
                .write_str(if mask & number & 1 == 0 { "-" } else { "+" })
                .and(f.write_str("oam")),
            // `mf_format` in lib/meta-flow.c does not look at the mask of these.
            _ if info.format == Format::TunnelFlags => flags.print(f, number, None),
            _ => flags.print(f, number, mask),
        };
    }
    let slash = |f: &mut fmt::Formatter<'_>, part: &dyn Display| write!(f, "/{part}");
    match info.format {
        Format::Decimal => match mask {
            Some(mask) if in_match && info.bytes == 1 => write!(f, "{number:#04x}/{mask:#04x}"),
            Some(mask) if in_match => write!(f, "{number:#x}/{mask:#x}"),
            Some(mask) => write!(f, "{number}/{}", Hex(mask)),
            None => write!(f, "{number}"),
        },
        Format::Hex16 if in_match => {
            write!(f, "{number:#06x}")?;
            mask.map_or(Ok(()), |mask| write!(f, "/{mask:#06x}"))
        }
        Format::Hex20 if in_match => {
            write!(f, "{number:#07x}")?;
            mask.map_or(Ok(()), |mask| write!(f, "/{mask:#07x}"))
        }
        Format::HexBare if in_match => write!(f, "{number:x}"),
        // `format_uint16_masked`, where `set_field` and `learn` have hexadecimal numbers.
        Format::Hex if in_match && field == Field::CtZone => write!(f, "{number}"),
        // `format_be32_masked_hex`: zero has the prefix.
        Format::Hex if in_match && info.prerequisite == Prerequisite::Nsh => {
            write!(f, "{number:#x}")?;
            mask.map_or(Ok(()), |mask| write!(f, "/{mask:#x}"))
        }
        Format::Hex | Format::Hex16 | Format::Hex20 | Format::HexBare => {
            write!(f, "{}", Hex(number))?;
            mask.map_or(Ok(()), |mask| slash(f, &Hex(mask)))
        }
        Format::Ipv4 => {
            ipv4(number).fmt(f)?;
            mask.map_or(Ok(()), |mask| match prefix_len(mask << 96) {
                Some(len) => slash(f, &len),
                None => slash(f, &ipv4(mask)),
            })
        }
        Format::Ipv6 => {
            Inet6(Ipv6Addr::from_bits(number)).fmt(f)?;
            mask.map_or(Ok(()), |mask| match prefix_len(mask) {
                Some(len) => slash(f, &len),
                None => slash(f, &Inet6(Ipv6Addr::from_bits(mask))),
            })
        }
        Format::Ethernet => {
            EthAddr::from_bits(number).fmt(f)?;
            mask.map_or(Ok(()), |mask| slash(f, &EthAddr::from_bits(mask)))
        }
        Format::Port => {
            match u32::try_from(number) {
                Ok(number) => Port(number).fmt(f)?,
                Err(_) => write!(f, "{number}")?,
            }
            mask.map_or(Ok(()), |mask| write!(f, "/{mask:#x}"))
        }
        Format::Frag => f.write_str(frag(number, mask.unwrap_or(FRAG_MASK))),
        Format::PacketType => {
            // `put_u16_masked` in lib/flow.c.
            let half = |f: &mut fmt::Formatter<'_>, half: u128| match half {
                0..=9 => write!(f, "{half}"),
                _ => write!(f, "{half:#x}"),
            };
            f.write_str("(")?;
            half(f, number >> 16)?;
            f.write_str(",")?;
            half(f, number & 0xffff)?;
            f.write_str(")")
        }
        Format::CtState | Format::TcpFlags | Format::TunnelFlags => Ok(()),
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

/// A time as `ofp_print_duration` in `lib/ofp-print.c` prints it: `5s`, `1906.172s`, and as many
/// decimals as it needs if it is not of whole milliseconds.
pub(crate) struct Elapsed(pub(crate) Duration);

impl Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.as_secs())?;
        match self.0.subsec_nanos() {
            0 => {}
            nanos if nanos % 1_000_000 == 0 => write!(f, ".{:03}", nanos / 1_000_000)?,
            nanos => {
                let decimals = alloc::format!("{nanos:09}");
                write!(f, ".{}", decimals.trim_end_matches('0'))?;
            }
        }
        f.write_str("s")
    }
}

/// An IPv6 address as the C library's `inet_ntop` prints it: `::1.2.3.4` where Rust has `::102:304`.
pub(crate) struct Inet6(pub(crate) Ipv6Addr);

impl Display for Inet6 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = self.0.to_bits();
        match u32::try_from(bits) {
            Ok(low) if low > 0xffff => write!(f, "::{}", Ipv4Addr::from_bits(low)),
            _ => write!(f, "{}", self.0),
        }
    }
}

/// Items with a comma between two.
pub(crate) struct Separated<'a, 'f> {
    pub(crate) f: &'a mut fmt::Formatter<'f>,
    comma: &'static str,
}

impl<'a, 'f> Separated<'a, 'f> {
    pub(crate) fn new(f: &'a mut fmt::Formatter<'f>) -> Self {
        Separated { f, comma: "" }
    }

    pub(crate) fn item(&mut self, item: &dyn Display) -> fmt::Result {
        write!(self.f, "{}{item}", self.comma)?;
        self.comma = ",";
        Ok(())
    }
}

/// Items with a comma between two.
pub(crate) fn write_list<T: Display>(f: &mut fmt::Formatter<'_>, items: &[T]) -> fmt::Result {
    let mut list = Separated::new(f);
    items.iter().try_for_each(|item| list.item(item))
}

/// `01.0a.ff`.
pub(crate) struct Dotted<'a>(pub(crate) &'a [u8]);

impl Display for Dotted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut dot = "";
        self.0.iter().try_for_each(|byte| {
            write!(f, "{dot}{byte:02x}")?;
            dot = ".";
            Ok(())
        })
    }
}

/// Bytes as one hexadecimal number, as `ds_put_hex` prints it: no zeros in front.
pub(crate) struct BytesHex<'a>(pub(crate) &'a [u8]);

impl Display for BytesHex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let from = self.0.iter().position(|byte| *byte != 0);
        let [first, rest @ ..] = &self.0[from.unwrap_or(self.0.len())..] else {
            return f.write_str("0");
        };
        write!(f, "{first:#x}")?;
        rest.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The words of `nw_frag` with their masks and values (`all_frags` in lib/meta-flow.c): bit 0 is
/// any fragment, bit 1 a later one. Of words or values that are there twice the first counts.
pub(crate) const FRAGS: [(&str, u128, u128); 7] = [
    ("no", 3, 0),
    ("first", 3, 1),
    ("later", 3, 3),
    ("no", 1, 0),
    ("yes", 1, 1),
    ("not_later", 2, 0),
    ("later", 2, 2),
];
pub(crate) const FRAG_MASK: u128 = 3;

fn frag(value: u128, mask: u128) -> &'static str {
    let mask = mask & FRAG_MASK;
    let found = FRAGS
        .iter()
        .find(|(_, known, of)| *known == mask && *of == value & mask);
    found.map_or("<error>", |(word, ..)| word)
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
        assert_eq!(show(Field::PacketType, 0x1_0800, None), "packet_type=(1,0x800)");
        assert_eq!(show(Field::PacketType, 0x64_0009, None), "packet_type=(0x64,9)");
    }
}
