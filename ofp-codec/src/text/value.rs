//! Values: pieces of a line that know where they are in it.

use alloc::{boxed::Box, string::String, vec::Vec};
use core::{
    net::{Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use crate::{
    model::{
        addr::EthAddr,
        field::{Field, Format},
        flags::Flags,
        matches::{Value, Wide},
        port::{NumberOrName, Port, PortRef, TableRef},
        print::{FRAG_MASK, FRAGS},
        subfield::Subfield,
    },
    text::{
        error::{ErrorKind, Fault},
        lex, scan,
    },
};

/// A piece of a line without its colours.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'a> {
    pub(super) text: &'a [u8],
    /// The byte of the line at which it begins.
    pub(super) at: usize,
}

impl<'a> Token<'a> {
    pub(super) fn fault(self, kind: ErrorKind) -> Fault {
        Fault {
            span: self.at..self.at + self.text.len(),
            kind,
        }
    }

    pub(super) fn expected(self, what: &'static str) -> Fault {
        self.fault(ErrorKind::Expected(what))
    }

    pub(super) fn from(self, start: usize) -> Self {
        Token {
            text: &self.text[start..],
            at: self.at + start,
        }
    }

    pub(super) fn until(self, end: usize) -> Self {
        Token {
            text: &self.text[..end],
            at: self.at,
        }
    }

    /// What is before and after the first `separator` outside of quotes.
    pub(super) fn split(self, separator: &[u8]) -> Option<(Self, Self)> {
        let mut here = 0;
        while here < self.text.len() {
            if self.text[here..].starts_with(separator) {
                return Some((self.until(here), self.from(here + separator.len())));
            }
            here = match self.text[here] {
                b'"' => scan::quote_end(self.text, here).ok()?,
                _ => here + 1,
            };
        }
        None
    }

    pub(super) fn str(self) -> Result<&'a str, Fault> {
        core::str::from_utf8(self.text).map_err(|_| self.fault(ErrorKind::NotUtf8))
    }

    pub(super) fn number(self, limit: u128) -> Result<u128, Fault> {
        let (radix, digits) = lex::number(self.text).ok_or_else(|| self.expected("a number"))?;
        lex::digits(radix, digits)
            .filter(|number| *number <= limit)
            .ok_or_else(|| self.fault(ErrorKind::TooLarge { limit }))
    }

    pub(super) fn u8(self) -> Result<u8, Fault> {
        self.uint(u8::MAX)
    }

    pub(super) fn u16(self) -> Result<u16, Fault> {
        self.uint(u16::MAX)
    }

    pub(super) fn u32(self) -> Result<u32, Fault> {
        self.uint(u32::MAX)
    }

    pub(super) fn u64(self) -> Result<u64, Fault> {
        self.uint(u64::MAX)
    }

    /// A number of at most `limit`.
    pub(super) fn uint<T: TryFrom<u128> + Into<u128>>(self, limit: T) -> Result<T, Fault> {
        let limit = limit.into();
        let number = self.number(limit)?;
        T::try_from(number).map_err(|_| self.fault(ErrorKind::TooLarge { limit }))
    }

    pub(super) fn eth_addr(self) -> Result<EthAddr, Fault> {
        let mut addr = [0; 6];
        let mut parts = self.text.split(|byte| *byte == b':');
        for byte in &mut addr {
            let part = parts.next().filter(|part| (1..=2).contains(&part.len()));
            *byte = part
                .and_then(|digits| lex::digits(16, digits))
                .and_then(|number| u8::try_from(number).ok())
                .ok_or_else(|| self.expected("an Ethernet address"))?;
        }
        match parts.next() {
            Some(_) => Err(self.expected("an Ethernet address")),
            None => Ok(EthAddr(addr)),
        }
    }

    pub(super) fn port(self) -> Result<PortRef, Fault> {
        if self.text.first().is_some_and(u8::is_ascii_digit) {
            return self.u32().map(|number| Port::from_text_number(number).into());
        }
        if let Some(port) = self.str().ok().and_then(Port::from_word) {
            return Ok(port.into());
        }
        self.name("a port").map(PortRef::Name)
    }

    pub(super) fn table(self) -> Result<TableRef, Fault> {
        if self.text.first().is_some_and(u8::is_ascii_digit) {
            return self.u8().map(TableRef::Number);
        }
        self.name("a table").map(TableRef::Name)
    }

    /// A name, bare or in quotes.
    fn name(self, what: &'static str) -> Result<Box<str>, Fault> {
        if self.text.first() == Some(&b'"') {
            return self.quoted();
        }
        let bare = self.text.first().is_some_and(u8::is_ascii_alphabetic)
            && self
                .text
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(byte));
        if !bare {
            return Err(self.expected(what));
        }
        self.str().map(Box::from)
    }

    /// A string in double quotes with JSON's escapes.
    fn quoted(self) -> Result<Box<str>, Fault> {
        if scan::quote_end(self.text, 0)? != self.text.len() {
            return Err(self.expected("one string in quotes"));
        }
        let inner = self.from(1).until(self.text.len() - 2).str()?;
        let mut name = String::with_capacity(inner.len());
        let mut chars = inner.chars();
        while let Some(c) = chars.next() {
            let c = match c {
                '\\' => escaped(&mut chars).ok_or_else(|| self.expected("an escape of JSON"))?,
                c => c,
            };
            name.push(c);
        }
        Ok(name.into())
    }

    /// `NXM_NX_REG0[0..15]`. The bits are checked against the field if it is known.
    pub(super) fn subfield(self) -> Result<Subfield, Fault> {
        let words = lex::subfield(self.text).map_err(|fault| Fault {
            span: fault.span.start + self.at..fault.span.end + self.at,
            ..fault
        })?;
        let name = Token {
            text: words.0,
            at: self.at,
        }
        .str()?;
        let limit = Field::from_name(name).map_or(u16::MAX, |field| field.info().bits - 1);
        let Some((first, last)) = words.1 else {
            return Ok(Subfield::new(name, None));
        };
        let number = |digits| {
            let number = lex::digits(10, digits).filter(|number| *number <= limit.into());
            number
                .and_then(|number| u16::try_from(number).ok())
                .ok_or_else(|| self.fault(ErrorKind::TooLarge { limit: limit.into() }))
        };
        let (first, last) = (number(first)?, number(last)?);
        if first > last {
            return Err(self.expected("a first bit that is not above the last"));
        }
        Ok(Subfield::new(name, Some((first, last))))
    }

    /// A value of `field`, and its mask if there is one.
    pub(super) fn field_value(self, field: Field) -> Result<(Value, Option<u128>), Fault> {
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

    fn one_value(self, field: Field, limit: u128) -> Result<u128, Fault> {
        match field.info().format {
            Format::Ipv4 => self.addr("an IPv4 address", |ip: Ipv4Addr| ip.to_bits().into()),
            Format::Ipv6 => self.addr("an IPv6 address", Ipv6Addr::to_bits),
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

    fn addr<T: FromStr>(self, what: &'static str, bits: impl FnOnce(T) -> u128) -> Result<u128, Fault> {
        self.str()?.parse().map(bits).map_err(|_| self.expected(what))
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

    /// The value and the mask behind the slash.
    fn masked(self) -> (Self, Option<Self>) {
        match self.split(b"/") {
            Some((value, mask)) => (value, Some(mask)),
            None => (self, None),
        }
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
            value: value.hex_bytes()?,
            mask: mask.map(Token::hex_bytes).transpose()?,
        };
        Ok((Value::Wide(wide.into()), None))
    }

    /// The bytes of a hexadecimal number, without zeros in front.
    fn hex_bytes(self) -> Result<Vec<u8>, Fault> {
        let fault = || self.expected("a hexadecimal number of up to 124 bytes");
        let digits = self.text.strip_prefix(b"0x").ok_or_else(fault)?;
        let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
        let digits = &digits[zeros..];
        if digits.len() > 2 * usize::from(Field::TunMetadata0.info().bytes) {
            return Err(fault());
        }
        let (first, rest) = digits.split_at(digits.len() % 2);
        let pairs = Some(first)
            .filter(|first| !first.is_empty())
            .into_iter()
            .chain(rest.chunks(2));
        let bytes = pairs.map(|pair| {
            pair.iter().try_fold(0, |byte, digit| {
                let digit = char::from(*digit).to_digit(16)?;
                Some(byte << 4 | u8::try_from(digit).ok()?)
            })
        });
        bytes.collect::<Option<_>>().ok_or_else(fault)
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

/// The character of an escape, after its backslash. A pair of surrogates is one character.
fn escaped(chars: &mut core::str::Chars<'_>) -> Option<char> {
    Some(match chars.next()? {
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => {
            let unit = hex4(chars)?;
            if !(0xd800..0xdc00).contains(&unit) {
                return char::from_u32(unit);
            }
            let low = chars.as_str().starts_with("\\u").then(|| {
                chars.nth(1);
                hex4(chars)
            })??;
            let low = low.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
            char::from_u32(0x1_0000 + ((unit - 0xd800) << 10) + low)?
        }
        c @ ('"' | '\\' | '/') => c,
        _ => return None,
    })
}

fn hex4(chars: &mut core::str::Chars<'_>) -> Option<u32> {
    (0..4).try_fold(0, |unit, _| Some(unit << 4 | chars.next()?.to_digit(16)?))
}

/// The mask of the upper `len` of 128 bits.
fn prefix_mask(len: u128) -> u128 {
    let len = u32::try_from(len).unwrap_or(128);
    u128::MAX.checked_shl(128_u32.saturating_sub(len)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: &str) -> Token<'_> {
        Token {
            text: text.as_bytes(),
            at: 10,
        }
    }

    #[test]
    fn a_number_at_its_limit_is_read_and_one_above_names_the_limit() {
        assert_eq!(token("254").uint(254_u8), Ok(254));
        assert_eq!(token("0xff").u8(), Ok(255));
        let fault = Fault {
            span: 10..13,
            kind: ErrorKind::TooLarge { limit: 255 },
        };
        assert_eq!(token("256").u8(), Err(fault));
        let limit = u64::MAX.into();
        assert_eq!(token("18446744073709551615").u64(), Ok(u64::MAX));
        let fault = Fault {
            span: 10..30,
            kind: ErrorKind::TooLarge { limit },
        };
        assert_eq!(token("18446744073709551616").u64(), Err(fault));
    }

    #[test]
    fn names_lose_their_quotes_and_escapes() {
        let name = |text| token(text).port().map(|port| port.name().map(Box::<str>::from));
        assert_eq!(name(r#""a,b""#), Ok(Some("a,b".into())));
        assert_eq!(
            name(r#""\"\\\/\b\f\n\r\t\u0041\ud83d\ude00""#),
            Ok(Some("\"\\/\u{8}\u{c}\n\r\tA😀".into()))
        );
        assert_eq!(name("eth0"), Ok(Some("eth0".into())));
        let fault = Fault {
            span: 10..18,
            kind: ErrorKind::Expected("an escape of JSON"),
        };
        for text in [r#""\ud800""#, r#""\udc00""#, r#""\u00zz""#, r#""\xaaaa""#] {
            assert_eq!(name(text), Err(fault.clone()), "{text}");
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
