//! Words, numbers and addresses: the only file that knows nom.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::{Ipv4Addr, Ipv6Addr};

use nom::Parser;
use nom::bytes::complete::{tag, take_while, take_while1};
use nom::combinator::recognize;
use nom::error::Error;

use super::ParseError;

/// A cursor over a text.
#[derive(Clone, Copy)]
pub(crate) struct Lexer<'a> {
    text: &'a str,
    rest: &'a str,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, rest: text }
    }

    pub(crate) fn offset(&self) -> usize {
        self.text.len() - self.rest.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn at_digit(&self) -> bool {
        self.rest.starts_with(|c: char| c.is_ascii_digit())
    }

    /// Takes what may stand between actions: `, \t\r\n`, any number of them, as Open vSwitch does.
    pub(crate) fn separators(&mut self) -> bool {
        self.accept(take_while1(|c| matches!(c, ',' | ' ' | '\t' | '\r' | '\n')))
            .is_some()
    }

    pub(crate) fn eat(&mut self, literal: &str) -> bool {
        self.accept(tag(literal)).is_some()
    }

    pub(crate) fn expect(&mut self, literal: &'static str) -> Result<(), ParseError> {
        if self.eat(literal) {
            Ok(())
        } else {
            Err(self.expected(literal))
        }
    }

    /// A word: letters, digits and `_`, not a digit first.
    pub(crate) fn word(&mut self, wanted: &'static str) -> Result<&'a str, ParseError> {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let first = |c: char| c.is_ascii_alphabetic() || c == '_';
        self.accept(recognize((take_while1(first), take_while(word))))
            .ok_or_else(|| self.expected(wanted))
    }

    /// A number as `%i` of C reads it: decimal, `0x` hexadecimal, or octal after a leading 0.
    pub(crate) fn number(&mut self, limit: u64) -> Result<u64, ParseError> {
        let start = *self;
        let digits = self
            .accept(take_while1(|c: char| c.is_ascii_alphanumeric()))
            .ok_or_else(|| start.expected("a number"))?;
        let (digits, radix) = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
            Some(hex) => (hex, 16),
            None if digits.len() > 1 && digits.starts_with('0') => (digits, 8),
            None => (digits, 10),
        };
        if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
            return Err(start.expected("a number"));
        }
        match u64::from_str_radix(digits, radix) {
            Ok(value) if value <= limit => Ok(value),
            _ => Err(ParseError::TooBig {
                offset: start.offset(),
                found: start.found(),
                limit,
            }),
        }
    }

    pub(crate) fn ipv4(&mut self) -> Result<Ipv4Addr, ParseError> {
        self.address("an IPv4 address", |c| c.is_ascii_digit() || c == '.')
    }

    pub(crate) fn ipv6(&mut self) -> Result<Ipv6Addr, ParseError> {
        self.address("an IPv6 address", |c| {
            c.is_ascii_hexdigit() || c == ':' || c == '.'
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
        of: impl Fn(char) -> bool,
    ) -> Result<T, ParseError> {
        let start = *self;
        self.accept(take_while1(of))
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| start.expected(wanted))
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

const FOUND_CHARS: usize = 24;
