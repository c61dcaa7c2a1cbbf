//! Words and bytes of a text: the only file that knows nom.

mod number;

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use nom::Parser;
use nom::bytes::complete::take_while1;
use nom::error::Error;

use super::ParseError;
use crate::PortNames;

/// A cursor over a text.
#[derive(Clone, Copy)]
pub(crate) struct Lexer<'a> {
    text: &'a str,
    rest: &'a str,
    depth: usize,
    /// Datapath ports that may stand by name.
    ports: Option<&'a PortNames>,
    is_printed: bool,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self::over(text, None)
    }

    /// Over a text in which ports may have names.
    pub(crate) fn over(text: &'a str, ports: Option<&'a PortNames>) -> Self {
        Self {
            text,
            rest: text,
            depth: 0,
            ports,
            is_printed: false,
        }
    }

    /// Over a line that a release of Open vSwitch has printed, and does not read. Where the two languages differ a text is
    /// otherwise taken as Open vSwitch takes it.
    pub(crate) fn printed(self) -> Self {
        Self {
            is_printed: true,
            ..self
        }
    }

    #[inline]
    pub(crate) fn is_printed(&self) -> bool {
        self.is_printed
    }

    /// The same language, and the same ports, in another text.
    pub(crate) fn at_start_of<'b>(&self, text: &'b str) -> Lexer<'b>
    where
        'a: 'b,
    {
        Lexer {
            text,
            rest: text,
            ..*self
        }
    }

    /// The name of a port, as its number. It reaches up to what may stand behind an action.
    #[inline]
    pub(crate) fn port_name(&mut self) -> Option<u32> {
        self.ports.and_then(|ports| self.port_among(ports))
    }

    fn port_among(&mut self, ports: &PortNames) -> Option<u32> {
        let mut ahead = *self;
        let name = ahead.take_while(|c| !matches!(c, ',' | ' ' | '\t' | '\r' | '\n' | ')'));
        let port = ports.number(name)?;
        *self = ahead;
        Some(port)
    }

    /// The port of this name.
    pub(crate) fn number_of(&self, name: &str) -> Option<u32> {
        self.ports?.number(name)
    }

    /// A port by its name or its number.
    pub(crate) fn port(&mut self, limit: u64) -> Result<u64, ParseError> {
        match self.port_name() {
            Some(port) => Ok(port.into()),
            None => self.number(limit),
        }
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

    /// Takes this word, if it is the whole one that stands here.
    #[inline]
    pub(crate) fn eat_word(&mut self, word: &str) -> bool {
        match self.rest.strip_prefix(word) {
            Some(rest) if !matches!(rest.as_bytes(), [byte, ..] if IN_WORD[usize::from(*byte)]) => {
                self.rest = rest;
                true
            }
            _ => false,
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
    #[inline]
    pub(crate) fn eat_any_case(&mut self, literal: &str) -> bool {
        match self.rest.split_at_checked(literal.len()) {
            Some((taken, rest)) if taken.eq_ignore_ascii_case(literal) => {
                self.rest = rest;
                true
            }
            _ => false,
        }
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
    pub(crate) fn take(&mut self, len: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(len).unwrap_or(("", self.rest));
        self.rest = rest;
        taken
    }

    /// Takes what stands before the next comma that is in no brackets, or the end; nothing if brackets do not match.
    pub(crate) fn item(&mut self) -> Option<&'a str> {
        let mut depth = 0_usize;
        let mut len = self.rest.len();
        for (at, byte) in self.rest.bytes().enumerate() {
            match byte {
                b'(' | b'{' => depth += 1,
                b')' | b'}' => depth = depth.checked_sub(1)?,
                b',' if depth == 0 => {
                    len = at;
                    break;
                }
                _ => {}
            }
        }
        (depth == 0).then(|| self.take(len))
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
