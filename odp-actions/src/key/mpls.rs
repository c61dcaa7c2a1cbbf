//! `OVS_KEY_ATTR_MPLS`.

use alloc::vec::Vec;
use core::fmt;

use netlink_genl::nlattr::{EncodeError, Sink};

use super::format::{Format, Net32};
use super::list::List;
use super::payload::{Context, Payload};
use crate::text::ParseError;
use crate::text::lex::Lexer;

/// Label stack entries in network byte order, the outermost first, and `mpls(label=7,tc=0,ttl=64,bos=1,label=..)`.
pub(super) struct Mpls;

impl Payload for Mpls {
    type Value = Vec<u32>;
    const LEN: Option<usize> = None;

    fn encode<S: Sink>(stack: &Vec<u32>, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        sink.nest(kind, |sink| {
            stack.iter().try_for_each(|entry| sink.put(&entry.to_be_bytes()))
        })
    }

    fn decode(payload: &[u8], _: usize) -> Option<Vec<u32>> {
        let entries = payload.chunks_exact(4);
        let fits = !payload.is_empty() && entries.remainder().is_empty();
        fits.then(|| {
            entries
                .map(|entry| entry.try_into().map_or(0, u32::from_be_bytes))
                .collect()
        })
    }

    fn print(
        name: &str,
        stack: &Vec<u32>,
        mask: Option<&Vec<u32>>,
        _: bool,
        list: &mut List<'_, '_>,
    ) -> fmt::Result {
        let mask = mask.filter(|mask| !Self::is_all(mask, true));
        if let Some(mask) = mask.filter(|mask| mask.len() != stack.len()) {
            return list.item(format_args!(
                "{name}((key length {} != mask length {})",
                4 * stack.len(),
                4 * mask.len()
            ));
        }
        list.nest(name, |list| {
            for (i, entry) in stack.iter().enumerate() {
                for (field, shift, full, prefix) in LSE_FIELDS {
                    list.item(format_args!("{field}{}", entry >> shift & full))?;
                    if let Some(mask) = mask.and_then(|mask| mask.get(i)) {
                        write!(list.f, "/{prefix}{:x}", mask >> shift & full)?;
                    }
                }
            }
            Ok(())
        })
    }

    /// A field that was already there begins the next entry.
    fn parse(lexer: &mut Lexer<'_>, _: Context) -> Result<(Vec<u32>, Vec<u32>), ParseError> {
        let (mut stack, mut masks) = (Vec::new(), Vec::new());
        let (mut entry, mut mask, mut seen) = (0, 0, 0_u32);
        lexer.expect("(")?;
        if lexer.is_printed() && lexer.starts_with("lse0=") {
            return parse_words(lexer);
        }
        loop {
            let start = *lexer;
            let Some((_, shift, full, _)) = LSE_FIELDS.iter().find(|(name, ..)| lexer.eat(name)) else {
                break;
            };
            // Each field has a shift of its own.
            if seen >> shift & 1 != 0 {
                if stack.len() + 1 == MAX_ENTRIES {
                    return Err(start.expected("at most 3 label stack entries"));
                }
                stack.push(core::mem::take(&mut entry));
                masks.push(core::mem::take(&mut mask));
                seen = 0;
            }
            seen |= 1 << shift;
            let bits = |lexer: &mut Lexer<'_>| {
                lexer.spaces();
                lexer
                    .number((*full).into())
                    .map(|bits| u32::try_from(bits).unwrap_or(*full) << shift)
            };
            entry |= bits(lexer)?;
            mask |= if lexer.eat("/") {
                bits(lexer)?
            } else {
                full << shift
            };
            if !lexer.eat(",") {
                break;
            }
        }
        lexer.expect(")")?;
        stack.push(entry);
        masks.push(mask);
        Ok((stack, masks))
    }

    fn is_all(mask: &Vec<u32>, ones: bool) -> bool {
        mask.iter().all(|mask| *mask == if ones { u32::MAX } else { 0 })
    }
}

/// `lse0=0x1100,lse1=0x2140/0xfff00000)`: how Open vSwitch 2.3 to 2.5 print several entries.
#[cold]
fn parse_words(lexer: &mut Lexer<'_>) -> Result<(Vec<u32>, Vec<u32>), ParseError> {
    let (mut stack, mut masks) = (Vec::new(), Vec::new());
    for name in ["lse0=", "lse1=", "lse2="] {
        if stack.is_empty() || lexer.eat(",") {
            lexer.expect(name)?;
            let (entry, mask) = Net32::scan(lexer)?;
            stack.push(entry);
            masks.push(mask);
        }
    }
    lexer.expect(")")?;
    Ok((stack, masks))
}

/// Open vSwitch's `FLOW_MAX_MPLS_LABELS`.
const MAX_ENTRIES: usize = 3;
/// The fields of a label stack entry in the order of the text: name, shift, bits, and what Open vSwitch prints before the
/// mask.
pub(crate) const LSE_FIELDS: [(&str, u32, u32, &str); 4] = [
    ("label=", 12, 0xf_ffff, "0x"),
    ("tc=", 9, 7, ""),
    ("ttl=", 0, 0xff, "0x"),
    ("bos=", 8, 1, ""),
];
