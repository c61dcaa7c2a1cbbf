//! Numbers and addresses.

use core::net::{Ipv4Addr, Ipv6Addr};

use super::Lexer;
use crate::text::ParseError;

impl Lexer<'_> {
    /// A number as `%i` of C reads it: decimal, `0x` hexadecimal, or octal after a leading 0.
    #[inline]
    pub(crate) fn number(&mut self, limit: u64) -> Result<u64, ParseError> {
        match plain_number(self.rest.as_bytes()) {
            Some((number, len)) if number <= limit => {
                self.skip(len);
                Ok(number)
            }
            _ => self.any_number(limit),
        }
    }

    /// The numbers that are no [`plain_number`], and what is wrong where there is none.
    #[cold]
    fn any_number(&mut self, limit: u64) -> Result<u64, ParseError> {
        self.spaces();
        let (prefix, radix) = match self.rest.as_bytes() {
            [b'0', b'x' | b'X', ..] => (2, 16),
            [b'0', b'0'..=b'9', ..] => (1, 8),
            _ => (0, 10),
        };
        let mut ahead = *self;
        ahead.skip(prefix);
        let digits = ahead.take_while(|c| c.is_digit(radix));
        if digits.is_empty() || ahead.at(|byte| byte.is_ascii_alphanumeric()) {
            return Err(self.expected("a number"));
        }
        let number = u64::from_str_radix(digits, radix).ok();
        let number = number
            .filter(|number| *number <= limit)
            .ok_or_else(|| ParseError::TooBig {
                offset: self.offset(),
                found: self.found(),
                limit,
            })?;
        *self = ahead;
        Ok(number)
    }

    /// A decimal number, whatever its first digit, or a hexadecimal one after `0x`.
    pub(crate) fn decimal(&mut self, limit: u64) -> Result<u64, ParseError> {
        self.spaces();
        let mut trimmed = *self;
        while let [b'0', b'0'..=b'9', ..] = trimmed.rest.as_bytes() {
            trimmed.skip(1);
        }
        let number = trimmed.number(limit)?;
        self.rest = trimmed.rest;
        Ok(number)
    }

    /// A hexadecimal number, with or without `0x`.
    pub(crate) fn hex(&mut self, limit: u64) -> Result<u64, ParseError> {
        self.spaces();
        let start = *self;
        if !self.eat("0x") {
            self.eat("0X");
        }
        let digits = self.take_bytes(|byte| byte.is_ascii_hexdigit());
        if digits.is_empty() {
            return Err(start.expected("a hexadecimal number"));
        }
        match u64::from_str_radix(digits, 16) {
            Ok(value) if value <= limit => Ok(value),
            _ => Err(ParseError::TooBig {
                offset: start.offset(),
                found: start.found(),
                limit,
            }),
        }
    }

    /// An Ethernet address.
    pub(crate) fn mac(&mut self) -> Result<[u8; 6], ParseError> {
        let start = *self;
        let mut mac = [0; 6];
        for (i, byte) in mac.iter_mut().enumerate() {
            if i > 0 {
                self.expect(":")
                    .map_err(|_| start.expected("an Ethernet address"))?;
            }
            let number = self
                .hex(0xff)
                .map_err(|_| start.expected("an Ethernet address"))?;
            *byte = u8::try_from(number).unwrap_or(u8::MAX);
        }
        Ok(mac)
    }

    /// An IPv4 address.
    #[inline]
    pub(crate) fn ipv4(&mut self) -> Result<Ipv4Addr, ParseError> {
        match ipv4(self.rest.as_bytes()) {
            Some((address, len)) => {
                self.skip(len);
                Ok(address.into())
            }
            None => Err(self.expected("an IPv4 address")),
        }
    }

    /// An IPv6 address.
    pub(crate) fn ipv6(&mut self) -> Result<Ipv6Addr, ParseError> {
        let start = *self;
        let address = self.take_bytes(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'));
        address.parse().map_err(|_| start.expected("an IPv6 address"))
    }
}

/// The number that stands first and how long it is, if it is one as Open vSwitch prints them: decimal, or hexadecimal
/// after `0x`, with nothing before it and no digits that 64 bits might have no room for.
#[inline]
fn plain_number(bytes: &[u8]) -> Option<(u64, usize)> {
    let (radix, start) = match bytes {
        [b'0', b'x', ..] => (16, 2),
        [b'0', b'0'..=b'9', ..] => return None,
        _ => (10, 0),
    };
    let (mut number, mut end) = (0_u64, start);
    while let Some(byte) = bytes.get(end) {
        match DIGIT[usize::from(*byte)] {
            digit if digit < radix => number = number.wrapping_mul(radix.into()).wrapping_add(digit.into()),
            NO_DIGIT => break,
            _ => return None,
        }
        end += 1;
    }
    matches!(end - start, 1..=16).then_some((number, end))
}

/// The IPv4 address that stands first, and how long it is.
#[inline]
fn ipv4(bytes: &[u8]) -> Option<(u32, usize)> {
    let (mut address, mut end) = (0, 0);
    for dot in [false, true, true, true] {
        if dot && bytes.get(end) != Some(&b'.') {
            return None;
        }
        end += usize::from(dot);
        let (mut octet, start) = (0_u32, end);
        while let Some(byte @ b'0'..=b'9') = bytes.get(end) {
            octet = octet.wrapping_mul(10).wrapping_add(u32::from(byte - b'0'));
            end += 1;
        }
        let has_zero_in_front = end - start > 1 && bytes[start] == b'0';
        if !matches!(end - start, 1..=3) || octet > 255 || has_zero_in_front {
            return None;
        }
        address = address << 8 | octet;
    }
    Some((address, end))
}

/// What [`DIGIT`] has for bytes that are neither digits nor letters.
const NO_DIGIT: u8 = u8::MAX;

/// The value of each byte as a digit of base 36.
const DIGIT: [u8; 256] = {
    let mut table = [NO_DIGIT; 256];
    let mut digit = 0;
    while digit < 36 {
        let byte = b"0123456789abcdefghijklmnopqrstuvwxyz"[digit as usize];
        table[byte as usize] = digit;
        table[byte.to_ascii_uppercase() as usize] = digit;
        digit += 1;
    }
    table
};
