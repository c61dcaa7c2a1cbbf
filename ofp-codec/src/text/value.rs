//! Values: pieces of a line that know where they are in it.

use alloc::{borrow::Cow, boxed::Box, string::String, vec::Vec};
use core::{net::Ipv4Addr, ops::Range, str::FromStr};

use crate::{
    model::{
        addr::EthAddr,
        field::{Field, Spelling},
        port::{Port, PortRef, TableRef},
        subfield::{Name, Subfield},
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
    /// These bytes of a line.
    #[inline]
    pub(super) fn of(line: &'a [u8], span: Range<usize>) -> Self {
        Token {
            at: span.start,
            text: &line[span],
        }
    }

    #[cold]
    pub(super) fn fault(self, kind: ErrorKind) -> Fault {
        Fault {
            span: self.at..self.at + self.text.len(),
            kind,
        }
    }

    #[cold]
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
        let at = scan::separator(self.text, separator)?;
        Some((self.until(at), self.from(at + separator.len())))
    }

    pub(super) fn str(self) -> Result<&'a str, Fault> {
        core::str::from_utf8(self.text).map_err(|_| self.fault(ErrorKind::NotUtf8))
    }

    #[inline]
    pub(super) fn number(self, limit: u128) -> Result<u128, Fault> {
        match lex::leading_number(self.text) {
            Some((number, [])) if u128::from(number) <= limit => Ok(number.into()),
            _ => self.any_number(limit),
        }
    }

    /// As [`number`](Self::number), which reads what is usual.
    #[cold]
    fn any_number(self, limit: u128) -> Result<u128, Fault> {
        match lex::number(self.text) {
            Some(number) if number <= limit => Ok(number),
            None if !lex::is_number(self.text) => Err(self.expected("a number")),
            _ => Err(self.fault(ErrorKind::TooLarge { limit })),
        }
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
        if let Some(addr) = lex::ethernet(self.text) {
            return Ok(EthAddr(addr));
        }
        let mut addr = [0; 6];
        let mut parts = self.text.split(|byte| *byte == b':');
        for byte in &mut addr {
            let part = parts.next().and_then(lex::hex_byte);
            *byte = part.ok_or_else(|| self.expected("an Ethernet address"))?;
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

    /// The text itself, or what its quotes enclose.
    pub(super) fn unquoted(self) -> Cow<'a, [u8]> {
        match self.text {
            [b'"', ..] => match self.quoted() {
                Ok(name) => Cow::Owned(name.into_boxed_bytes().into()),
                Err(_) => Cow::Borrowed(self.text),
            },
            text => Cow::Borrowed(text),
        }
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

    /// `NXM_NX_REG0[0..15]`, `reg0[8]`, `reg0[]`, `reg0`. The bits are checked against the field if it is known.
    pub(super) fn subfield(self) -> Result<Subfield, Fault> {
        // What a known name ends with is near the end.
        let bracket = self.text.iter().rposition(|byte| *byte == b'[');
        let bracket = bracket.unwrap_or(self.text.len());
        let (name, bits, limit) = match Spelling::of(&self.text[..bracket]) {
            Some(name) => (Name::Known(name), bracket, name.field().info().bits - 1),
            None => {
                let name = lex::word(self.text).len();
                if name == 0 {
                    return Err(self.expected("the name of a field"));
                }
                (Name::Unknown(self.until(name).str()?.into()), name, u16::MAX)
            }
        };
        let Some((first, last)) = self.from(bits).bits()? else {
            return Ok(Subfield::new(name, None));
        };
        let bit = |number| {
            u16::try_from(number)
                .ok()
                .filter(|bit| *bit <= limit)
                .ok_or_else(|| self.fault(ErrorKind::TooLarge { limit: limit.into() }))
        };
        let (first, last) = (bit(first)?, bit(last)?);
        if first > last {
            return Err(self.expected("a first bit that is not above the last"));
        }
        Ok(Subfield::new(name, Some((first, last))))
    }

    /// `[0..15]`, `[8]`: the first and the last bit. `None` for `[]` and nothing: all.
    fn bits(self) -> Result<Option<(u64, u64)>, Fault> {
        let expected = |rest: &[u8], what| Err(self.from(self.text.len() - rest.len()).expected(what));
        let bits = match self.text {
            [] | [b'[', b']'] => return Ok(None),
            [b'[', bits @ ..] => bits,
            rest => return expected(rest, "`[`"),
        };
        let (first, rest) = lex::leading_bit(bits);
        let (last, rest) = match rest {
            [b'.', b'.', rest @ ..] if first.is_some() => match lex::leading_bit(rest) {
                (None, _) => return expected(rest, "the last bit"),
                found => found,
            },
            _ => (first, rest),
        };
        match rest {
            [b']'] => Ok(first.zip(last)),
            [b']', rest @ ..] => expected(rest, "end of the subfield"),
            rest => expected(rest, "`]`"),
        }
    }

    pub(super) fn ipv4(self) -> Result<Ipv4Addr, Fault> {
        match lex::leading_ipv4(self.text) {
            Some((addr, [])) => Ok(Ipv4Addr::from_bits(addr)),
            _ => self.addr("an IPv4 address"),
        }
    }

    pub(super) fn addr<T: FromStr>(self, what: &'static str) -> Result<T, Fault> {
        self.str()?.parse().map_err(|_| self.expected(what))
    }

    /// Pairs of hexadecimal digits, with dots between some of them.
    pub(super) fn dotted(self) -> Result<Vec<u8>, Fault> {
        let mut bytes = Vec::new();
        let mut rest = self.text;
        loop {
            match rest {
                [] => return Ok(bytes),
                [b'.', tail @ ..] => rest = tail,
                [a, b, tail @ ..] => {
                    let byte = lex::hex_byte(&[*a, *b]);
                    bytes.push(byte.ok_or_else(|| self.expected("pairs of hexadecimal digits"))?);
                    rest = tail;
                }
                [_] => return Err(self.expected("pairs of hexadecimal digits")),
            }
        }
    }

    /// Without white space around it.
    pub(super) fn trim(self) -> Self {
        let start = self.text.len() - self.text.trim_ascii_start().len();
        self.from(start).until(self.text.trim_ascii().len())
    }

    /// The value and the mask behind the slash.
    pub(super) fn masked(self) -> (Self, Option<Self>) {
        match self.text.iter().position(|byte| *byte == b'/') {
            Some(slash) => (self.until(slash), Some(self.from(slash + 1))),
            None => (self, None),
        }
    }

    /// The bytes of a hexadecimal number.
    pub(super) fn hex_bytes(self) -> Result<Vec<u8>, Fault> {
        let fault = || self.expected("a hexadecimal number of up to 124 bytes");
        let digits = match self.text {
            b"0" => &[],
            [b'0', b'x', digits @ ..] if !digits.is_empty() => digits,
            _ => return Err(fault()),
        };
        if digits.len() > 2 * usize::from(Field::TunMetadata0.info().bytes) {
            return Err(fault());
        }
        let (first, rest) = digits.split_at(digits.len() % 2);
        let first = Some(first).filter(|first| !first.is_empty());
        let bytes = first.into_iter().chain(rest.chunks(2)).map(lex::hex_byte);
        bytes.collect::<Option<_>>().ok_or_else(fault)
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

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

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
    fn a_subfield_has_a_name_and_bits() {
        let read = |text| {
            token(text)
                .subfield()
                .map(|found| (found.name().to_string(), found.bits()))
        };
        let found = |name: &str, bits| Ok((name.to_string(), bits));
        assert_eq!(read("reg0[]"), found("reg0", Some((0, 31))));
        assert_eq!(read("reg0"), found("reg0", Some((0, 31))));
        assert_eq!(read("reg0[31]"), found("reg0", Some((31, 31))));
        assert_eq!(read("R[]"), found("R", None));
        assert_eq!(read("R[8]"), found("R", Some((8, 8))));
        assert_eq!(read("R[0..65535]"), found("R", Some((0, 65535))));
        let fault = |span, what| {
            Err(Fault {
                span,
                kind: ErrorKind::Expected(what),
            })
        };
        assert_eq!(read("reg0x["), fault(16..16, "`]`"));
        assert_eq!(read("reg-0"), fault(13..15, "`[`"));
        assert_eq!(read("[]"), fault(10..12, "the name of a field"));
        assert_eq!(read("a[1..]"), fault(15..16, "the last bit"));
        assert_eq!(read("a[1]x"), fault(14..15, "end of the subfield"));
        assert_eq!(read("reg0[1][2]"), fault(17..20, "end of the subfield"));
        assert_eq!(read("reg0[..2]"), fault(15..19, "`]`"));
        let large = |span, limit| {
            Err(Fault {
                span,
                kind: ErrorKind::TooLarge { limit },
            })
        };
        assert_eq!(read("reg0[32]"), large(10..18, 31));
        assert_eq!(read("R[18446744073709551616]"), large(10..33, 65535));
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
}
