//! `OVS_KEY_ATTR_VLAN`.

use core::fmt;

use netlink_genl::nlattr::{EncodeError, Sink};

use super::list::List;
use super::payload::{Context, Payload};
use crate::text::ParseError;
use crate::text::lex::Lexer;

/// The TCI in network byte order, and `vlan(vid=5,pcp=0,cfi=0)`, where a CFI of 1 says nothing.
pub(super) struct Vlan;

impl Payload for Vlan {
    type Value = u16;
    const LEN: Option<usize> = Some(2);

    fn encode<S: Sink>(tci: &u16, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        sink.attr_be16(kind, *tci)
    }

    fn decode(payload: &[u8], _: usize) -> Option<u16> {
        payload.try_into().ok().map(u16::from_be_bytes)
    }

    fn print(
        name: &str,
        tci: &u16,
        mask: Option<&u16>,
        verbose: bool,
        list: &mut List<'_, '_>,
    ) -> fmt::Result {
        let mask = mask.unwrap_or(&u16::MAX);
        list.nest(name, |list| {
            for (name, shift, full) in &FIELDS[..2] {
                let (value, mask) = (tci >> shift & full, mask >> shift & full);
                if verbose || value != 0 || mask != 0 {
                    list.item(format_args!("{name}{value}"))?;
                    if mask != *full {
                        write!(list.f, "/{mask:#x}")?;
                    }
                }
            }
            match tci & CFI {
                0 => list.item(format_args!("cfi=0")),
                _ => Ok(()),
            }
        })
    }

    fn parse(lexer: &mut Lexer<'_>, _: Context) -> Result<(u16, u16), ParseError> {
        let (mut tci, mut mask) = (CFI, CFI);
        lexer.expect("(")?;
        loop {
            let Some((_, shift, full)) = FIELDS.iter().find(|(name, ..)| lexer.eat(name)) else {
                lexer.expect(")")?;
                return Ok((tci, mask));
            };
            let bits = |lexer: &mut Lexer<'_>| {
                lexer.spaces();
                lexer
                    .number((*full).into())
                    .map(|bits| u16::try_from(bits).unwrap_or(*full) << shift)
            };
            tci = tci & !(full << shift) | bits(lexer)?;
            let covered = if lexer.eat("/") {
                bits(lexer)?
            } else {
                full << shift
            };
            mask = mask & !(full << shift) | covered;
            if !lexer.eat(",") {
                lexer.expect(")")?;
                return Ok((tci, mask));
            }
        }
    }

    fn is_all(mask: &u16, ones: bool) -> bool {
        *mask == if ones { u16::MAX } else { 0 }
    }
}

const CFI: u16 = 0x1000;
/// Name, shift and bits of each field of the TCI.
const FIELDS: [(&str, u16, u16); 3] = [("vid=", 0, 0xfff), ("pcp=", 13, 7), ("cfi=", 12, 1)];
