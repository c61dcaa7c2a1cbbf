//! `OVS_ACTION_ATTR_PSAMPLE`: samples for the psample module of the kernel.

use alloc::vec::Vec;
use core::fmt;

use netlink_genl::nlattr::{Attr, DecodeError, EncodeError, Sink};

use super::nest::{HexNumber, nests, silent_about_unknown, strictly};
use super::number::Named;
use crate::key::codec::{Codec, Faults};
use crate::text::ParseError;
use crate::text::lex::Lexer;
use crate::text::print::Printer;

attributes! {
    /// One attribute of [`Psample`] (`OVS_PSAMPLE_ATTR_*`).
    pub enum PsampleAttr {
        /// The psample group.
        1 Group(u32) Named "group";
        /// At most 16 bytes that go with each sample. Text drops leading zeros.
        2 Cookie(Vec<u8>) Cookie "cookie";
    }
}

silent_about_unknown!(PsampleAttr);

nests! {
    /// `psample(group=1,cookie=0x..)`: hands a sample to the psample module.
    Psample of PsampleAttr;
}

impl Codec for Psample {
    type Value = Self;

    fn encode<S: Sink>(psample: &Self, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        psample.encode_nest(kind, sink)
    }

    fn decode(attr: &Attr<'_>) -> Result<Self, DecodeError> {
        strictly(attr, Self::decode_in)
    }

    fn decode_in(attr: &Attr<'_>, faults: &mut Faults) -> Result<Self, DecodeError> {
        Self::decode_nest(attr, faults)
    }

    fn print(psample: &Self, name: &str, f: &mut Printer<'_>) -> fmt::Result {
        write!(f, "{name}(")?;
        let mut attrs = psample
            .attrs
            .iter()
            .filter(|attr| !matches!(attr, PsampleAttr::Unknown(_)))
            .peekable();
        while let Some(attr) = attrs.next() {
            attr.print(f)?;
            // No comma follows a cookie, even if something else does.
            if attrs.peek().is_some() && matches!(attr, PsampleAttr::Group(_)) {
                f.write_str(",")?;
            }
        }
        f.write_str(")")
    }

    fn parse(lexer: &mut Lexer<'_>) -> Result<Self, ParseError> {
        lexer.expect("(")?;
        let (mut group, mut cookie) = (None, None);
        loop {
            lexer.separators();
            if lexer.eat(")") {
                break;
            }
            let start = *lexer;
            match lexer.word("group or cookie")? {
                "group" if group.is_none() => group = Some(Named::parse(lexer)?),
                "cookie" if cookie.is_none() => cookie = Some(Cookie::parse(lexer)?),
                _ => return Err(start.expected("group or cookie, once each")),
            }
        }
        let group = group.ok_or_else(|| lexer.expected("a group before this"))?;
        let cookie = cookie
            .filter(|cookie| !cookie.is_empty())
            .map(PsampleAttr::Cookie);
        Ok(Self::new(
            [Some(PsampleAttr::Group(group)), cookie].into_iter().flatten(),
        ))
    }
}

/// `cookie=0x12ab`: bytes, of which text drops leading zeros.
struct Cookie;

impl Codec for Cookie {
    type Value = Vec<u8>;

    fn encode<S: Sink>(cookie: &Vec<u8>, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        sink.attr(kind, cookie)
    }

    fn decode(attr: &Attr<'_>) -> Result<Vec<u8>, DecodeError> {
        Ok(attr.payload().to_vec())
    }

    fn print(cookie: &Vec<u8>, name: &str, f: &mut Printer<'_>) -> fmt::Result {
        write!(f, "{name}={}", HexNumber(cookie))
    }

    fn parse(lexer: &mut Lexer<'_>) -> Result<Vec<u8>, ParseError> {
        lexer.expect("=")?;
        let start = *lexer;
        let cookie = lexer.hex_string()?;
        match cookie.len() {
            // All zeros, however many.
            0 if start.starts_with("0") && !start.starts_with("0x") => Ok([0].into()),
            ..=MAX_COOKIE => Ok(cookie),
            _ => Err(start.expected("at most 16 bytes")),
        }
    }
}

/// `OVS_PSAMPLE_COOKIE_MAX_SIZE`.
const MAX_COOKIE: usize = 16;
