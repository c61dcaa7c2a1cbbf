//! Attributes that are bits with names.

use core::fmt;
use core::iter;
use core::marker::PhantomData;

use netlink_genl::nlattr::{EncodeError, Sink};

use super::format::{Alt, Format};
use super::list::List;
use super::payload::{Context, Payload, Single, encode_value};
use crate::text::ParseError;
use crate::text::lex::Lexer;
use crate::text::print::Printer;

/// The names of single bits, and which form of text they have.
pub(crate) trait Names {
    type Bits: Format<Value: Into<u32> + TryFrom<u32>>;
    /// Bits that a mask can cover.
    const ALL: u32;
    /// Whether a verbose text shows a number.
    const NUMBER: bool;

    /// From the lowest bit on.
    const NAMES: &'static [&'static str];
}

/// Bits by name: `name(a|b)`, or with a mask `name(+a-b)`.
pub(crate) struct Flags<N>(PhantomData<N>);

impl<N: Names> Payload for Flags<N> {
    type Value = <N::Bits as Format>::Value;
    const LEN: Option<usize> = Some(<N::Bits as Format>::LEN);

    fn encode<S: Sink>(value: &Self::Value, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        encode_value::<N::Bits, S>(*value, kind, sink)
    }

    fn decode(payload: &[u8], depth: usize) -> Option<Self::Value> {
        Single::<N::Bits>::decode(payload, depth)
    }

    fn print(
        name: &str,
        value: &Self::Value,
        mask: Option<&Self::Value>,
        verbose: bool,
        list: &mut List<'_, '_>,
    ) -> fmt::Result {
        if verbose && N::NUMBER {
            return Single::<N::Bits>::print(name, value, mask, verbose, list);
        }
        let mask = mask.filter(|mask| !Self::is_all(mask, true));
        list.nest(name, |list| match mask {
            None => print_flags(N::NAMES, (*value).into(), list.f),
            Some(mask) => {
                print_masked_flags(N::NAMES, (*value).into(), (*mask).into() & N::ALL, N::ALL, list.f)
            }
        })
    }

    fn parse(lexer: &mut Lexer<'_>, _: Context) -> Result<(Self::Value, Self::Value), ParseError> {
        lexer.expect("(")?;
        let start = *lexer;
        if lexer.eat(")") {
            return Err(start.expected("a flag"));
        }
        let (value, mask) = parse_flags(N::NAMES, N::ALL, lexer)?;
        let fit =
            |bits: u32| Self::Value::try_from(bits).map_err(|_| start.expected("flags that fit the field"));
        let mask = match mask {
            Some(mask) => fit(mask)?,
            None => N::Bits::ONES,
        };
        Ok((fit(value)?, mask))
    }

    fn is_all(mask: &Self::Value, ones: bool) -> bool {
        (*mask).into() & N::ALL == if ones { N::ALL } else { 0 }
    }
}

/// `a|b|0x400`, or `0`.
pub(crate) fn print_flags(names: &[&'static str], flags: u32, f: &mut Printer<'_>) -> fmt::Result {
    let mut bar = "";
    let mut rest = flags;
    for bit in bits(flags) {
        if let Some(name) = name_of(names, bit) {
            f.write_str(bar)?;
            f.write_str(name)?;
            bar = "|";
            rest &= !bit;
        }
    }
    match (flags, rest) {
        (0, _) => f.write_str("0"),
        (_, 0) => Ok(()),
        _ => write!(f, "{bar}{}", Alt(rest.into())),
    }
}

/// `+a-b`, or `0/0` if the mask is empty; as [`print_flags`] if it is full.
pub(crate) fn print_masked_flags(
    names: &[&'static str],
    flags: u32,
    mask: u32,
    full: u32,
    f: &mut Printer<'_>,
) -> fmt::Result {
    if mask == full {
        return print_flags(names, flags, f);
    }
    if mask == 0 {
        return f.write_str("0/0");
    }
    bits(mask).try_for_each(|bit| {
        let sign = if flags & bit == 0 { "-" } else { "+" };
        f.write_str(sign)?;
        f.write_str(name_of(names, bit).unwrap_or("[Unknown]"))
    })
}

/// Reads what stands up to `)`, and that, too: `5/7`, `+a-b`, `a|b|0x400`; the last form has no mask.
pub(crate) fn parse_flags(
    names: &[&'static str],
    allowed: u32,
    lexer: &mut Lexer<'_>,
) -> Result<(u32, Option<u32>), ParseError> {
    if lexer.at(|byte| matches!(byte, b'+' | b'-')) {
        return parse_signed_flags(names, lexer);
    }
    if !lexer.at(begins_name) {
        if let Some((value, mask)) = parse_masked_number(allowed, lexer)? {
            return Ok((value, Some(mask)));
        }
    }
    let mut value = 0;
    while !lexer.eat(")") {
        value |= match lexer.at(begins_name) {
            true => parse_flag(names, lexer)?,
            false => parse_number(allowed, lexer)?,
        };
        // Up to Open vSwitch 2.4 a comma stands between them.
        if !(lexer.eat("|") || lexer.is_printed() && lexer.eat(",")) {
            lexer.expect(")")?;
            break;
        }
    }
    Ok((value, None))
}

/// `+a-b)`.
fn parse_signed_flags(
    names: &[&'static str],
    lexer: &mut Lexer<'_>,
) -> Result<(u32, Option<u32>), ParseError> {
    let (mut value, mut mask) = (0, 0);
    loop {
        let start = *lexer;
        let is_set = lexer.eat("+");
        if !is_set && !lexer.eat("-") {
            lexer.expect(")")?;
            return Ok((value, Some(mask)));
        }
        let bit = parse_flag(names, lexer)?;
        if mask & bit != 0 {
            return Err(start.expected("each flag once"));
        }
        mask |= bit;
        value |= if is_set { bit } else { 0 };
    }
}

/// `5/7)`; nothing is read if there is no mask.
fn parse_masked_number(allowed: u32, lexer: &mut Lexer<'_>) -> Result<Option<(u32, u32)>, ParseError> {
    let mut ahead = *lexer;
    ahead.spaces();
    if !ahead.at_digit() {
        return Ok(None);
    }
    let value = parse_number(allowed, &mut ahead)?;
    if !ahead.eat("/") {
        return Ok(None);
    }
    let mask = parse_number(allowed, &mut ahead)?;
    ahead.expect(")")?;
    *lexer = ahead;
    Ok(Some((value, mask)))
}

fn parse_number(allowed: u32, lexer: &mut Lexer<'_>) -> Result<u32, ParseError> {
    let number = lexer.number(allowed.into());
    number.map(|number| u32::try_from(number).unwrap_or(u32::MAX))
}

#[inline]
fn parse_flag(names: &[&'static str], lexer: &mut Lexer<'_>) -> Result<u32, ParseError> {
    let start = *lexer;
    let name = lexer.take_bytes(is_in_name);
    let bit = names.iter().position(|known| *known == name);
    bit.map(|bit| 1 << bit).ok_or_else(|| start.expected("a flag"))
}

fn begins_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'['
}

fn is_in_name(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'A'..=b'Z' | b'[' | b']')
}

#[inline]
fn name_of(names: &[&'static str], bit: u32) -> Option<&'static str> {
    names.get(usize::try_from(bit.trailing_zeros()).ok()?).copied()
}

fn bits(flags: u32) -> impl Iterator<Item = u32> {
    // Each step takes the lowest bit away.
    iter::successors(Some(flags), |rest| Some(rest & rest.wrapping_sub(1)))
        .take_while(|rest| *rest != 0)
        .map(|rest| 1 << rest.trailing_zeros())
}
