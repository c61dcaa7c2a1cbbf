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

/// The names of single bits, and which form of text they have.
pub(crate) trait Names {
    type Bits: Format<Value: Into<u32> + TryFrom<u32>>;
    /// Bits that a mask can cover.
    const ALL: u32;
    /// Whether a verbose text shows a number.
    const NUMBER: bool;

    fn name(bit: u32) -> Option<&'static str>;
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
            None => print_flags(N::name, (*value).into(), list.f),
            Some(mask) => {
                print_masked_flags(N::name, (*value).into(), (*mask).into() & N::ALL, N::ALL, list.f)
            }
        })
    }

    fn parse(lexer: &mut Lexer<'_>, _: Context) -> Result<(Self::Value, Self::Value), ParseError> {
        lexer.expect("(")?;
        let start = *lexer;
        if lexer.eat(")") {
            return Err(start.expected("a flag"));
        }
        let (value, mask) = parse_flags(N::name, N::ALL, lexer)?;
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
pub(crate) fn print_flags(
    name: impl Fn(u32) -> Option<&'static str>,
    flags: u32,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let mut bar = "";
    let mut rest = flags;
    for bit in bits(flags) {
        if let Some(name) = name(bit) {
            write!(f, "{bar}{name}")?;
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
    name: impl Fn(u32) -> Option<&'static str>,
    flags: u32,
    mask: u32,
    full: u32,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    if mask == full {
        return print_flags(name, flags, f);
    }
    if mask == 0 {
        return f.write_str("0/0");
    }
    bits(mask).try_for_each(|bit| {
        let sign = if flags & bit == 0 { '-' } else { '+' };
        write!(f, "{sign}{}", name(bit).unwrap_or("[Unknown]"))
    })
}

/// Reads what stands up to `)`, and that, too: `5/7`, `+a-b`, `a|b|0x400`; the last form has no mask.
pub(crate) fn parse_flags(
    name: impl Fn(u32) -> Option<&'static str>,
    allowed: u32,
    lexer: &mut Lexer<'_>,
) -> Result<(u32, Option<u32>), ParseError> {
    let number = |lexer: &mut Lexer<'_>| {
        lexer
            .number(allowed.into())
            .map(|number| u32::try_from(number).unwrap_or(u32::MAX))
    };
    let named = |lexer: &mut Lexer<'_>| {
        let start = *lexer;
        let text = lexer.take_bytes(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'[' | b']'));
        bits(allowed)
            .find(|bit| name(*bit).is_some_and(|name| name == text))
            .ok_or_else(|| start.expected("a flag"))
    };
    let start = *lexer;
    lexer.spaces();
    if lexer.at_digit() {
        let value = number(lexer)?;
        if lexer.eat("/") {
            let mask = number(lexer)?;
            lexer.expect(")")?;
            return Ok((value, Some(mask)));
        }
    }
    *lexer = start;
    let (mut value, mut mask) = (0, 0);
    loop {
        let at = *lexer;
        let plus = lexer.eat("+");
        if !plus && !lexer.eat("-") {
            break;
        }
        let bit = named(lexer)?;
        if mask & bit != 0 {
            return Err(at.expected("each flag once"));
        }
        mask |= bit;
        value |= if plus { bit } else { 0 };
    }
    if mask != 0 {
        lexer.expect(")")?;
        return Ok((value, Some(mask)));
    }
    while !lexer.eat(")") {
        let is_name = lexer.at(|c| c.is_ascii_alphabetic() || c == '[');
        value |= if is_name { named(lexer) } else { number(lexer) }?;
        if !lexer.eat("|") {
            lexer.expect(")")?;
            break;
        }
    }
    Ok((value, None))
}

fn bits(flags: u32) -> impl Iterator<Item = u32> {
    // Each step takes the lowest bit away.
    iter::successors(Some(flags), |rest| Some(rest & rest.wrapping_sub(1)))
        .take_while(|rest| *rest != 0)
        .map(|rest| 1 << rest.trailing_zeros())
}
