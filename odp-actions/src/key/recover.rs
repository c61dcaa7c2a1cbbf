//! Attributes of which a part is not known, as another release or a vendor prints them.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::iter;

use super::payload::{Context, TextAttribute};
use super::{Key, MAX_DEPTH};
use crate::text::ParseError;
use crate::text::lex::Lexer;

/// Reads an attribute with its mask. In a line that was printed, what cannot be read of it goes to `unknown`, inside the
/// names around it: `newattr(5)`, `ipv4(newfield=3)`.
pub(super) fn parse_attribute(
    lexer: &mut Lexer<'_>,
    unknown: &mut Vec<String>,
) -> Result<Option<(Key, Key)>, ParseError> {
    let start = *lexer;
    let error = match Key::parse_masked(lexer, Context::default()) {
        Ok(pair) => return Ok(Some(pair)),
        Err(error) => error,
    };
    *lexer = start;
    let has_colon = |item: &str| {
        item.split(['(', '{'])
            .next()
            .is_some_and(|name| name.contains(':'))
    };
    let item = match start.is_printed() {
        // No attribute has a colon in its name, but the prefix of a log has one: `host: recirc_id(0)`.
        true => lexer.item().filter(|item| !has_colon(item)),
        false => None,
    };
    let item = item.ok_or(error)?;
    *lexer = start;
    let item = lexer.take(attribute_len(item));
    let parts = match is_name(item.split('(').next().unwrap_or_default(), &start) {
        true => Parts::of(item, ["", ""], 0, &start),
        false => Parts::unknown(item),
    };
    unknown.extend(parts.unknown);
    Ok(parts.known.and_then(|known| read(&known, &start)))
}

/// A text in two.
struct Parts {
    /// What can be read.
    known: Option<String>,
    /// What cannot.
    unknown: Option<String>,
}

impl Parts {
    /// Takes apart what stands between the two texts of `around`. What stands between commas is read, or not, on its own.
    fn of(text: &str, around: [&str; 2], depth: usize, lexer: &Lexer<'_>) -> Self {
        let [before, behind] = around;
        let can_read = |text: &str| read(&format!("{before}{text}{behind}"), lexer).is_some();
        if can_read(text) {
            return Self {
                known: Some(text.to_owned()),
                unknown: None,
            };
        }
        let Some([head, inside, end]) = brackets(text).filter(|_| depth < MAX_DEPTH) else {
            return Self::unknown(text);
        };
        // Up to Open vSwitch 2.1: `sctp((src=1,dst=2))`.
        let inside = brackets(inside)
            .filter(|[head, ..]| *head == "(")
            .map_or(inside, |[_, inside, _]| inside);
        let (items, comma) = items(inside);
        let around = [format!("{before}{head}"), format!("{end}{behind}")];
        let around = [around[0].as_str(), &around[1]];
        let parts: Vec<_> = items
            .iter()
            .map(|item| Self::of(item, around, depth + 1, lexer))
            .collect();
        let join = |part: fn(&Self) -> Option<&String>| {
            let parts: Vec<_> = parts.iter().filter_map(part).map(String::as_str).collect();
            (!parts.is_empty()).then(|| format!("{head}{}{end}", parts.join(comma)))
        };
        let known = join(|part| part.known.as_ref()).unwrap_or_else(|| format!("{head}{end}"));
        match can_read(&known) {
            true => Self {
                known: Some(known),
                unknown: join(|part| part.unknown.as_ref()),
            },
            false => Self::unknown(text),
        }
    }

    fn unknown(text: &str) -> Self {
        Self {
            known: None,
            unknown: Some(text.to_owned()),
        }
    }
}

/// How much of an item is an attribute: Open vSwitch prints no comma behind some `eth()`, but writes two pairs of brackets for a
/// value of a wrong length.
fn attribute_len(item: &str) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in item.bytes().enumerate() {
        match byte {
            b'(' | b'{' => depth += 1,
            b')' | b'}' => depth = depth.saturating_sub(1),
            _ => continue,
        }
        if depth == 0 && !item[at + 1..].starts_with('(') {
            return at + 1;
        }
    }
    item.len()
}

/// Whether an attribute has this name.
fn is_name(name: &str, lexer: &Lexer<'_>) -> bool {
    Key::parse_known(name, &mut lexer.at_start_of(""), Context::default()).is_some()
}

/// The whole of a text as an attribute.
fn read(text: &str, lexer: &Lexer<'_>) -> Option<(Key, Key)> {
    let mut lexer = lexer.at_start_of(text);
    let pair = Key::parse_masked(&mut lexer, Context::default()).ok()?;
    lexer.is_empty().then_some(pair)
}

/// `name(`, what stands in the parentheses, and `)`; or `{..}`.
fn brackets(text: &str) -> Option<[&str; 3]> {
    let open = text.find(['(', '{']).filter(|open| *open < LONGEST_NAME)?;
    let (head, rest) = text.split_at(open + 1);
    let (inside, end) = rest.split_at_checked(rest.len().checked_sub(1)?)?;
    matches!((head.as_bytes()[open], end), (b'(', ")") | (b'{', "}")).then_some([head, inside, end])
}

/// The items of a list, and what stands between them: commas, bars between names of flags, nothing between `+a-b` and
/// between `{..}{..}`.
fn items(text: &str) -> (Vec<&str>, &'static str) {
    let is_flags = !text.contains([',', '=', '(', '{']);
    if is_flags && text.contains('|') {
        return (text.split('|').collect(), "|");
    }
    let begins: fn(u8) -> bool = match text.as_bytes().first() {
        Some(b'+' | b'-') if is_flags => |byte| matches!(byte, b'+' | b'-'),
        // An option ends with its bracket.
        Some(b'{') => |_| true,
        _ => {
            let mut lexer = Lexer::new(text);
            let items = iter::from_fn(|| {
                let item = (!lexer.is_empty()).then(|| lexer.item())?;
                lexer.eat(",");
                item
            });
            return (items.collect(), ",");
        }
    };
    let (mut depth, mut start, mut items) = (0_usize, 0, Vec::new());
    for (at, byte) in text.bytes().enumerate() {
        if depth == 0 && at > start && begins(byte) && !text[start..at].starts_with(',') {
            items.push(&text[start..at]);
            start = at;
        }
        match byte {
            b'(' | b'{' => depth += 1,
            b')' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    items.push(&text[start..]);
    (items, "")
}

/// No name is as long.
const LONGEST_NAME: usize = 16;
