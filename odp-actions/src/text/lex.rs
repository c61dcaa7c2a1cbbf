//! Words, numbers and addresses: the only file that knows nom.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::{Ipv4Addr, Ipv6Addr};

use nom::Parser;
use nom::bytes::complete::{tag_no_case, take_while1};
use nom::error::Error;

use super::ParseError;

/// A cursor over a text.
#[derive(Clone, Copy)]
pub(crate) struct Lexer<'a> {
    text: &'a str,
    rest: &'a str,
    depth: usize,
    /// Datapath ports that may stand by name.
    ports: Option<&'a BTreeMap<String, u32>>,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self {
            text,
            rest: text,
            depth: 0,
            ports: None,
        }
    }

    /// Over a text in which ports may have these names.
    pub(crate) fn with_ports(text: &'a str, ports: &'a BTreeMap<String, u32>) -> Self {
        Self {
            ports: Some(ports),
            ..Self::new(text)
        }
    }

    /// The name of a port, as its number. It reaches up to what may stand behind an action.
    pub(crate) fn port_name(&mut self) -> Option<u32> {
        let ports = self.ports?;
        let mut ahead = *self;
        let name = ahead.take_while(|c| !matches!(c, ',' | ' ' | '\t' | '\r' | '\n' | ')'));
        let port = ports.get(name)?;
        *self = ahead;
        Some(*port)
    }

    #[inline]
    pub(crate) fn offset(&self) -> usize {
        self.text.len() - self.rest.len()
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    #[inline]
    pub(crate) fn at_digit(&self) -> bool {
        self.at(|byte| byte.is_ascii_digit())
    }

    /// Takes what may stand between actions: `, \t\r\n`, any number of them, as Open vSwitch does.
    pub(crate) fn separators(&mut self) -> bool {
        let is_in = |byte| matches!(byte, b',' | b' ' | b'\t' | b'\r' | b'\n');
        !self.take_bytes(is_in).is_empty()
    }

    #[inline]
    pub(crate) fn eat(&mut self, literal: &str) -> bool {
        match self.rest.strip_prefix(literal) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    #[inline]
    pub(crate) fn expect(&mut self, literal: &'static str) -> Result<(), ParseError> {
        if self.eat(literal) {
            Ok(())
        } else {
            Err(self.expected(literal))
        }
    }

    /// A word: letters, digits and `_`, not a digit first.
    #[inline]
    pub(crate) fn word(&mut self, wanted: &'static str) -> Result<&'a str, ParseError> {
        if self.at_digit() {
            return Err(self.expected(wanted));
        }
        match self.take_bytes(|byte| IN_WORD[usize::from(byte)]) {
            "" => Err(self.expected(wanted)),
            word => Ok(word),
        }
    }

    /// A number as `%i` of C reads it: decimal, `0x` hexadecimal, or octal after a leading 0.
    #[inline]
    pub(crate) fn number(&mut self, limit: u64) -> Result<u64, ParseError> {
        match plain_number(self.rest.as_bytes()) {
            (number, len) if len > 0 && number <= limit => {
                self.skip(len);
                Ok(number)
            }
            _ => self.any_number(limit),
        }
    }

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
        let digits = self
            .accept(take_while1(|c: char| c.is_ascii_hexdigit()))
            .ok_or_else(|| start.expected("a hexadecimal number"))?;
        match u64::from_str_radix(digits, 16) {
            Ok(value) if value <= limit => Ok(value),
            _ => Err(ParseError::TooBig {
                offset: start.offset(),
                found: start.found(),
                limit,
            }),
        }
    }

    /// A number of 128 bits, as [`Lexer::number`] reads it.
    pub(crate) fn number128(&mut self) -> Result<u128, ParseError> {
        let start = *self;
        let (digits, radix) = if self.eat("0x") || self.eat("0X") {
            (16, 16)
        } else {
            (10, 10)
        };
        self.accept(take_while1(|c: char| c.is_digit(digits)))
            .and_then(|text| u128::from_str_radix(text, radix).ok())
            .ok_or_else(|| start.expected("a number of 128 bits"))
    }

    /// A fraction such as `12.5` or `1e1`, as `%lf` of C reads it, but neither signed nor infinite.
    pub(crate) fn fraction(&mut self) -> Result<f64, ParseError> {
        let start = *self;
        self.accept(take_while1(|c: char| {
            c.is_ascii_digit() || c == '.' || c == 'e' || c == 'E'
        }))
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| start.expected("a fraction"))
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

    /// Hexadecimal digits after `0x` as bytes, the first one perhaps of one digit; `0` alone is no bytes.
    pub(crate) fn hex_string(&mut self) -> Result<Vec<u8>, ParseError> {
        let start = *self;
        let wrong = || start.expected("0x and hexadecimal digits");
        if !self.eat("0x") {
            return if self.eat("0") {
                Ok(Vec::new())
            } else {
                Err(wrong())
            };
        }
        let digits = self
            .accept(take_while1(|c: char| c.is_ascii_hexdigit()))
            .ok_or_else(wrong)?;
        let odd = digits.len() % 2;
        let first = u8::from_str_radix(&digits[..odd], 16).ok();
        let pairs = (odd..digits.len())
            .step_by(2)
            .filter_map(|at| u8::from_str_radix(&digits[at..at + 2], 16).ok());
        Ok(first.into_iter().chain(pairs).collect())
    }

    /// Pairs of hexadecimal digits, with spaces between them or not.
    pub(crate) fn hex_pairs(&mut self) -> Result<Vec<u8>, ParseError> {
        let mut bytes = Vec::new();
        loop {
            self.spaces();
            let start = *self;
            let Some(digits) = self.accept(take_while1(|c: char| c.is_ascii_hexdigit())) else {
                return Ok(bytes);
            };
            if digits.len() % 2 != 0 {
                return Err(start.expected("pairs of hexadecimal digits"));
            }
            let pairs = (0..digits.len()).step_by(2);
            bytes.extend(pairs.filter_map(|at| u8::from_str_radix(&digits[at..at + 2], 16).ok()));
        }
    }

    /// Whether this text comes next.
    pub(crate) fn starts_with(&self, literal: &str) -> bool {
        self.rest.starts_with(literal)
    }

    /// Everything up to one of the characters that end a name inside `ct(..)`.
    pub(crate) fn name(&mut self, limit: usize) -> Result<&'a str, ParseError> {
        let start = *self;
        self.accept(take_while1(|c: char| {
            !matches!(c, ',' | ' ' | '\t' | '\r' | '\n' | ')')
        }))
        .filter(|name| name.len() <= limit)
        .ok_or_else(|| start.expected("a name that is not too long"))
    }

    /// Compares without regard to case.
    pub(crate) fn eat_any_case(&mut self, literal: &str) -> bool {
        self.accept(tag_no_case(literal)).is_some()
    }

    /// Goes into a nested list, or refuses to go deeper.
    pub(crate) fn enter(&mut self) -> Result<(), ParseError> {
        if self.depth >= MAX_DEPTH {
            return Err(ParseError::TooDeep {
                offset: self.offset(),
                limit: MAX_DEPTH,
            });
        }
        self.depth += 1;
        Ok(())
    }

    pub(crate) fn leave(&mut self) {
        self.depth -= 1;
    }

    #[inline]
    pub(crate) fn ipv4(&mut self) -> Result<Ipv4Addr, ParseError> {
        match ipv4(self.rest.as_bytes()) {
            (_, 0) => Err(self.expected("an IPv4 address")),
            (address, len) => {
                self.skip(len);
                Ok(address.into())
            }
        }
    }

    pub(crate) fn ipv6(&mut self) -> Result<Ipv6Addr, ParseError> {
        self.address("an IPv6 address", |byte| {
            byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.')
        })
    }

    /// Pairs of hexadecimal digits, one space between them, up to the first other character.
    pub(crate) fn hex_bytes(&mut self) -> Result<Vec<u8>, ParseError> {
        let mut bytes = Vec::new();
        loop {
            let start = *self;
            let byte = self
                .accept(take_while1(|c: char| c.is_ascii_hexdigit()))
                .filter(|digits| digits.len() == 2)
                .and_then(|digits| u8::from_str_radix(digits, 16).ok())
                .ok_or_else(|| start.expected("two hexadecimal digits"))?;
            bytes.push(byte);
            if !self.eat(" ") {
                return Ok(bytes);
            }
        }
    }

    /// Takes the bytes that are `of` a kind of ASCII characters, perhaps none.
    #[inline]
    pub(crate) fn take_bytes(&mut self, of: impl Fn(u8) -> bool) -> &'a str {
        let mut len = 0;
        while self.rest.as_bytes().get(len).is_some_and(|byte| of(*byte)) {
            len += 1;
        }
        self.take(len)
    }

    /// Takes the characters that are `of` a kind, perhaps none.
    #[inline]
    pub(crate) fn take_while(&mut self, of: impl Fn(char) -> bool) -> &'a str {
        self.take(self.rest.find(|c| !of(c)).unwrap_or(self.rest.len()))
    }

    /// Takes `len` bytes; nothing if there are not so many, or a character would be split.
    #[inline]
    fn take(&mut self, len: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(len).unwrap_or(("", self.rest));
        self.rest = rest;
        taken
    }

    /// Takes what C's `%i` skips before a number.
    #[inline]
    pub(crate) fn spaces(&mut self) {
        self.take_bytes(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
    }

    /// Whether the next byte is `of` a kind.
    #[inline]
    pub(crate) fn at(&self, of: impl Fn(u8) -> bool) -> bool {
        self.rest.as_bytes().first().is_some_and(|byte| of(*byte))
    }

    /// Takes `len` bytes; nothing if there are not so many, or a character would be split.
    #[inline]
    pub(crate) fn skip(&mut self, len: usize) {
        self.take(len);
    }

    #[cold]
    pub(crate) fn expected(&self, wanted: &'static str) -> ParseError {
        ParseError::Expected {
            offset: self.offset(),
            wanted,
            found: self.found(),
        }
    }

    fn address<T: core::str::FromStr>(
        &mut self,
        wanted: &'static str,
        of: impl Fn(u8) -> bool,
    ) -> Result<T, ParseError> {
        let start = *self;
        let address = self.take_bytes(of).parse();
        address.map_err(|_| start.expected(wanted))
    }

    fn accept(
        &mut self,
        mut parser: impl Parser<&'a str, Output = &'a str, Error = Error<&'a str>>,
    ) -> Option<&'a str> {
        let (rest, taken) = parser.parse(self.rest).ok()?;
        self.rest = rest;
        Some(taken)
    }

    /// What an error quotes: the token at the cursor, cut where it gets long.
    fn found(&self) -> String {
        let end = self
            .rest
            .char_indices()
            .enumerate()
            .find(|(n, (at, c))| *n >= FOUND_CHARS || (*at > 0 && matches!(c, ',' | '(' | ')' | '=' | '|')))
            .map_or(self.rest.len(), |(_, (at, _))| at);
        self.rest[..end].to_owned()
    }
}

/// The number that stands first and how long it is, if it is one as Open vSwitch prints them: decimal, or hexadecimal after
/// `0x`, with nothing before it and no digits that 64 bits might have no room for. A length of 0 if it is not.
///
/// Two numbers instead of an `Option` stay in registers, which makes a flood's text a tenth faster to read.
fn plain_number(bytes: &[u8]) -> (u64, usize) {
    let (radix, start) = match bytes {
        [b'0', b'x', ..] => (16, 2),
        [b'0', b'0'..=b'9', ..] => return (0, 0),
        _ => (10, 0),
    };
    let (mut number, mut end) = (0_u64, start);
    while let Some(byte) = bytes.get(end) {
        match DIGIT[usize::from(*byte)] {
            digit if digit < radix => number = number.wrapping_mul(radix.into()).wrapping_add(digit.into()),
            NO_DIGIT => break,
            _ => return (0, 0),
        }
        end += 1;
    }
    match end - start {
        1..=16 => (number, end),
        _ => (0, 0),
    }
}

/// The IPv4 address that stands first, and how long it is; a length of 0 if there is none.
fn ipv4(bytes: &[u8]) -> (u32, usize) {
    let (mut address, mut octet, mut dots, mut digits, mut end) = (0, 0, 0, 0, 0);
    while let Some(byte) = bytes.get(end) {
        match byte {
            // No zeros in front.
            b'0'..=b'9' if digits > 0 && octet == 0 => return (0, 0),
            b'0'..=b'9' => (octet, digits) = (octet * 10 + u32::from(byte - b'0'), digits + 1),
            b'.' if digits > 0 && dots < 3 => {
                (address, octet, digits, dots) = (address << 8 | octet, 0, 0, dots + 1);
            }
            _ => break,
        }
        if octet > 255 {
            return (0, 0);
        }
        end += 1;
    }
    match (dots, digits) {
        (3, 1..) => (address << 8 | octet, end),
        _ => (0, 0),
    }
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

/// Which bytes are letters, digits and `_`: one look instead of four comparisons.
const IN_WORD: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    while byte < 0x80 {
        table[byte as usize] = byte.is_ascii_alphanumeric() || byte == b'_';
        byte += 1;
    }
    table
};
const FOUND_CHARS: usize = 24;
/// How deep lists may stand in each other. Open vSwitch parses 30 levels, kernels take 16.
const MAX_DEPTH: usize = 128;
