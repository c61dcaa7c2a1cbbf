//! Values of fields, in the formats that `mf_parse` (lib/meta-flow.c) reads.

use alloc::vec::Vec;
use core::net::Ipv6Addr;

use crate::{
    model::{
        addr::EthAddr,
        field::{Field, Format},
        flags::Flags,
        matches::{Value, Wide},
        port::{NumberOrName, Port},
        print::{FRAG_MASK, FRAGS},
    },
    text::{error::Fault, lex, value::Token},
};

impl Token<'_> {
    /// A value of `field`, and its mask if there is one.
    #[inline]
    pub(super) fn field_value(self, field: Field) -> Result<(Value, Option<u128>), Fault> {
        match self.usual_value(field) {
            Some((number, mask)) => Ok((Value::Number(number.into()), mask.map(u128::from))),
            None => self.any_value(field),
        }
    }

    /// As [`field_value`](Self::field_value), which reads what is usual.
    fn any_value(self, field: Field) -> Result<(Value, Option<u128>), Fault> {
        match field.info().format {
            Format::CtState | Format::TcpFlags | Format::TunnelFlags => {
                let flags = Flags::of(field.info().format);
                return flags.map_or_else(|| Err(self.expected("flags")), |flags| self.flags(field, &flags));
            }
            Format::Frag => return self.frag(),
            Format::PacketType => return self.packet_type().map(|n| (Value::Number(n), None)),
            Format::Hex if field.info().bits > 128 => return self.option(),
            // A name may contain a slash.
            Format::Port if !self.text.first().is_some_and(u8::is_ascii_digit) => {
                return self.port().map(|port| (port.into(), None));
            }
            _ => {}
        }
        let (value, mask) = self.masked();
        let number = value.one_value(field, field.max())?;
        let mask = mask.map(|mask| match field.info().format {
            Format::Ipv4 if !mask.text.contains(&b'.') => {
                mask.number(32).map(|len| prefix_mask(len + 96) & field.max())
            }
            Format::Ipv6 if !mask.text.contains(&b':') => mask.number(128).map(prefix_mask),
            _ => mask.one_value(field, field.mask_max()),
        });
        Ok((Value::Number(number), mask.transpose()?))
    }

    /// A value that fits into 64 bits, and its mask, in one go. `None`: it is not so, or not well.
    #[inline]
    fn usual_value(self, field: Field) -> Option<(u64, Option<u64>)> {
        let fits = |number: u64, limit: u128| (u128::from(number) <= limit).then_some(number);
        match field.info().format {
            Format::Decimal | Format::Hex | Format::Hex16 | Format::Hex20 => {
                let (value, rest) = lex::leading_number(self.text)?;
                let value = fits(value, field.max())?;
                match rest {
                    [] => Some((value, None)),
                    [b'/', mask @ ..] => match lex::leading_number(mask)? {
                        (mask, []) => Some((value, Some(fits(mask, field.mask_max())?))),
                        _ => None,
                    },
                    _ => None,
                }
            }
            Format::Ipv4 => match lex::leading_ipv4(self.text)? {
                (value, []) => Some((value.into(), None)),
                _ => None,
            },
            Format::Ethernet => Some((EthAddr(lex::ethernet(self.text)?).to_bits(), None)),
            _ => None,
        }
    }

    /// Bits of `field`: an address where its values are some, else a number.
    #[cfg(feature = "serde")]
    pub(super) fn bits_of(self, field: Field) -> Result<u128, Fault> {
        match field.info().format {
            Format::Ipv4 | Format::Ipv6 | Format::Ethernet => self.one_value(field, field.mask_max()),
            _ => self.number(field.mask_max()),
        }
    }

    fn one_value(self, field: Field, limit: u128) -> Result<u128, Fault> {
        match field.info().format {
            Format::Ipv4 => self.ipv4().map(|ip| ip.to_bits().into()),
            Format::Ipv6 => self.addr("an IPv6 address").map(Ipv6Addr::to_bits),
            Format::Ethernet => self.eth_addr().map(|addr| addr.to_bits().into()),
            Format::Port => Ok(match self.port()? {
                NumberOrName::Number(Port(number)) => number.into(),
                NumberOrName::Name(_) => return Err(self.expected("a number")),
            }),
            Format::HexBare => match self.text.strip_prefix(b"0x") {
                Some(_) => self.number(limit),
                None => lex::digits(16, self.text)
                    .filter(|number| *number <= limit && !self.text.is_empty())
                    .ok_or_else(|| self.expected("a hexadecimal number of 8 bits")),
            },
            _ => self.number(limit),
        }
    }

    /// `+trk-new`: these bits; `trk|new`: exactly these; or a number.
    fn flags(self, field: Field, flags: &Flags) -> Result<(Value, Option<u128>), Fault> {
        if self.text.first().is_some_and(u8::is_ascii_digit) {
            let (value, mask) = self.masked();
            let value = value.number(field.mask_max())?;
            let mask = mask.map(|mask| mask.number(field.mask_max())).transpose()?;
            return Ok((Value::Number(value), mask));
        }
        let (set, mask) = flags.parse(self.text).ok_or_else(|| {
            self.expected(match field.info().format {
                Format::CtState => "flags of ct_state",
                Format::TcpFlags => "flags of TCP",
                _ => "flags of a tunnel",
            })
        })?;
        Ok((Value::Number(set), mask))
    }

    /// A value of an option of a tunnel, which may have more than 128 bits.
    fn option(self) -> Result<(Value, Option<u128>), Fault> {
        if self.text == b"NP" {
            return Ok((Value::Absent, None));
        }
        let (value, mask) = self.masked();
        let narrow = |token: &Self| token.text.len() <= 34;
        if [Some(value), mask].iter().flatten().all(narrow) {
            let mask = mask.map(|mask| mask.number(u128::MAX)).transpose()?;
            return Ok((Value::Number(value.number(u128::MAX)?), mask));
        }
        let wide = Wide {
            value: value.hex_bytes().map(without_zeros)?,
            mask: mask.map(|mask| mask.hex_bytes().map(without_zeros)).transpose()?,
        };
        Ok((Value::Wide(wide.into()), None))
    }

    /// `(1,0x894f)`.
    fn packet_type(self) -> Result<u128, Fault> {
        let fault = || self.expected("`(`, two numbers of 16 bits and `)`");
        let [b'(', .., b')'] = self.text else {
            return Err(fault());
        };
        let inner = self.from(1).until(self.text.len() - 2);
        let (space, kind) = inner.split(b",").ok_or_else(fault)?;
        Ok(u128::from(space.u16()?) << 16 | u128::from(kind.u16()?))
    }

    fn frag(self) -> Result<(Value, Option<u128>), Fault> {
        let found = FRAGS
            .iter()
            .find(|(word, ..)| word.as_bytes().eq_ignore_ascii_case(self.text));
        let (_, mask, value) = found.ok_or_else(|| self.expected("a kind of fragment"))?;
        Ok((
            Value::Number(*value),
            Some(*mask).filter(|mask| *mask != FRAG_MASK),
        ))
    }
}

/// The mask of the upper `len` of 128 bits.
fn prefix_mask(len: u128) -> u128 {
    let len = u32::try_from(len).unwrap_or(128);
    u128::MAX.checked_shl(128_u32.saturating_sub(len)).unwrap_or(0)
}

fn without_zeros(bytes: Vec<u8>) -> Vec<u8> {
    bytes.into_iter().skip_while(|byte| *byte == 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::error::ErrorKind;

    fn token(text: &str) -> Token<'_> {
        Token {
            text: text.as_bytes(),
            at: 10,
        }
    }

    #[test]
    fn a_value_and_its_mask_are_read_in_the_format_of_the_field() {
        let value = |field, text: &'static str| {
            let (value, mask) = token(text).field_value(field).expect(text);
            (value.number().expect("a number"), mask)
        };
        assert_eq!(
            value(Field::IpSrc, "10.0.0.0/8"),
            (0x0a00_0000, Some(0xff00_0000))
        );
        assert_eq!(
            value(Field::IpSrc, "1.0.0.1/255.0.0.255"),
            (0x0100_0001, Some(0xff00_00ff))
        );
        assert_eq!(value(Field::IpSrc, "0.0.0.0/0"), (0, Some(0)));
        assert_eq!(
            value(Field::Ipv6Src, "fe80::/10"),
            (0xfe80 << 112, Some(0x3ff << 118))
        );
        assert_eq!(value(Field::Ipv6Src, "::1/::3"), (1, Some(3)));
        assert_eq!(value(Field::Ipv6Src, "::1/128"), (1, Some(u128::MAX)));
        assert_eq!(value(Field::EthDst, "01:00:00:00:00:00"), (1 << 40, None));
        assert_eq!(value(Field::CtState, "+trk-new"), (0x20, Some(0x21)));
        assert_eq!(value(Field::CtState, "-inv+trk"), (0x20, Some(0x30)));
        assert_eq!(value(Field::CtState, "new|trk"), (0x21, None));
        assert_eq!(value(Field::CtState, "0"), (0, None));
        assert_eq!(value(Field::InPort, "LOCAL"), (0xffff_fffe, None));
    }

    #[test]
    fn a_value_that_is_none_of_the_field_is_refused_where_it_stands() {
        let fault = |field, text: &'static str| token(text).field_value(field).expect_err(text);
        let expected = |span, what| Fault {
            span,
            kind: ErrorKind::Expected(what),
        };
        let large = |span, limit| Fault {
            span,
            kind: ErrorKind::TooLarge { limit },
        };
        assert_eq!(
            fault(Field::IpSrc, "10.0.0.256"),
            expected(10..20, "an IPv4 address")
        );
        assert_eq!(fault(Field::IpSrc, "10.0.0.0/33"), large(19..21, 32));
        assert_eq!(fault(Field::Ipv6Src, "::/129"), large(13..16, 128));
        assert_eq!(
            fault(Field::EthSrc, "1:2:3:4:5"),
            expected(10..19, "an Ethernet address")
        );
        assert_eq!(
            fault(Field::EthSrc, "1:2:3:4:5:6:7"),
            expected(10..23, "an Ethernet address")
        );
        assert_eq!(
            fault(Field::EthSrc, "1:2:3:4:5:"),
            expected(10..20, "an Ethernet address")
        );
        assert_eq!(fault(Field::Reg0, "0x100000000"), large(10..21, u32::MAX.into()));
        assert_eq!(fault(Field::DlVlanPcp, "8"), large(10..11, 7));
        assert_eq!(
            fault(Field::CtState, "+new-"),
            expected(10..15, "flags of ct_state")
        );
        assert_eq!(fault(Field::CtState, ""), expected(10..10, "flags of ct_state"));
        assert_eq!(fault(Field::InPort, "%"), expected(10..11, "a port"));
    }
}
