//! Items of a list, by hand: where one ends depends on quotes and on nested parentheses.

use crate::text::error::{ErrorKind, Fault};

/// The end of the word at `at`: letters, digits and underscores.
#[inline]
pub(super) fn word_end(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    let len = rest.iter().position(|byte| !WORD[usize::from(*byte)]);
    len.map_or(text.len(), |len| at + len)
}

/// The end of the item that begins at `at`, or that begins with a word which ends there: the comma,
/// white space or end of `text` that comes first outside of quotes and parentheses.
#[inline]
pub(super) fn item_end(text: &[u8], at: usize, depth: usize) -> Result<usize, Fault> {
    // Most items are words and numbers.
    let plain = find(text, at, b'-', is_special).unwrap_or(text.len());
    match text.get(plain) {
        None | Some(b',' | b' ' | b'\t') => Ok(plain),
        Some(_) => nested_item_end(text, plain, depth),
    }
}

/// The end of the item that has nothing special before `here`.
fn nested_item_end(text: &[u8], mut here: usize, depth: usize) -> Result<usize, Fault> {
    let mut open = 0;
    let mut outermost = here;
    while let Some(special) = find(text, here, b'-', is_special) {
        here = special;
        match text[here] {
            b',' | b' ' | b'\t' if open == 0 => return Ok(here),
            b'"' => here = quote_end(text, here)? - 1,
            b'(' => {
                if open == 0 {
                    outermost = here;
                }
                open += 1;
                if open > depth {
                    return Err(Fault {
                        span: here..here + 1,
                        kind: ErrorKind::TooDeep { limit: depth },
                    });
                }
            }
            b')' if open == 0 => {
                return Err(Fault {
                    span: here..here + 1,
                    kind: ErrorKind::Expected("`(` before `)`"),
                });
            }
            b')' => open -= 1,
            _ => {}
        }
        here += 1;
    }
    if open > 0 {
        return Err(Fault {
            span: outermost..text.len(),
            kind: ErrorKind::Expected("`)`"),
        });
    }
    Ok(text.len())
}

/// Where the first line of `text` ends.
pub(super) fn line_end(text: &[u8]) -> Option<usize> {
    find(text, 0, b'\n' + 1, |byte| byte == b'\n')
}

/// The first byte from `at` on that is such a one; all of these are below `limit`, which is 128 or
/// less. Eight bytes at a time: the lowest of them that is below the limit has its high bit set in
/// `below` (Anderson, Bit Twiddling Hacks: "determine if a word has a byte less than n").
#[inline(always)]
fn find(text: &[u8], at: usize, limit: u8, such: impl Fn(u8) -> bool) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let mut here = at;
    while let Some(chunk) = text.get(here..).and_then(|rest| rest.first_chunk()) {
        let word = u64::from_le_bytes(*chunk);
        let below = word.wrapping_sub(ONES * u64::from(limit)) & !word & (ONES << 7);
        if below == 0 {
            here += chunk.len();
            continue;
        }
        here += (below.trailing_zeros() / 8) as usize;
        if such(text[here]) {
            return Some(here);
        }
        here += 1;
    }
    let len = text.get(here..)?.iter().position(|byte| such(*byte))?;
    Some(here + len)
}

/// Whether an item may end there, or its nesting change.
fn is_special(byte: u8) -> bool {
    matches!(byte, b',' | b' ' | b'\t' | b'"' | b'(' | b')')
}

/// The bytes of words.
static WORD: [bool; 256] = {
    let mut word = [false; 256];
    let mut byte = 0_u8;
    while byte < u8::MAX {
        word[byte as usize] = byte.is_ascii_alphanumeric() || byte == b'_';
        byte += 1;
    }
    word
};

/// The byte after the string in quotes that begins at `at`.
pub(super) fn quote_end(text: &[u8], at: usize) -> Result<usize, Fault> {
    let mut here = at + 1;
    while let Some(&byte) = text.get(here) {
        match byte {
            b'"' => return Ok(here + 1),
            b'\\' => here += 2,
            _ => here += 1,
        }
    }
    Err(Fault {
        span: at..text.len(),
        kind: ErrorKind::Expected("`\"`"),
    })
}

/// The first byte from `here` on that separates no items.
pub(super) fn skip_separators(text: &[u8], here: usize) -> usize {
    let rest = text.get(here..).unwrap_or_default();
    let len = rest.iter().position(|byte| !matches!(byte, b',' | b' ' | b'\t'));
    len.map_or(text.len(), |len| here + len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_ends_at_its_first_line_end_wherever_that_is() {
        for len in 0..40 {
            // Bytes that differ from a line end in one bit, or follow it in a word.
            let text: alloc::vec::Vec<u8> = [0x0b, 0x8a, 0x00, 0x0a ^ 0x01, 0xff]
                .into_iter()
                .cycle()
                .take(len)
                .collect();
            assert_eq!(line_end(&text), None);
            for at in 0..len {
                let mut text = text.clone();
                text[at] = b'\n';
                assert_eq!(line_end(&text), Some(at));
                text[len - 1] = b'\n';
                assert_eq!(line_end(&text), Some(at));
            }
        }
    }

    #[test]
    fn an_item_ends_outside_of_quotes_and_parentheses() {
        for item in [
            "a",
            "a=\"b, (c\"",
            "f(a, b(c) d)->e",
            "p=(1,0x2)",
            "\"a\\\",b\"",
            "",
        ] {
            for rest in ["", ",x", " x", "\tx"] {
                let text = [item, rest].concat();
                assert_eq!(item_end(text.as_bytes(), 0, 2), Ok(item.len()), "{text}");
            }
        }
    }

    #[test]
    fn the_nesting_allowed_is_the_limit_and_not_one_more() {
        assert_eq!(item_end(b"a((b))", 0, 2), Ok(6));
        let fault = Fault {
            span: 2..3,
            kind: ErrorKind::TooDeep { limit: 1 },
        };
        assert_eq!(item_end(b"a((b))", 0, 1), Err(fault));
    }

    #[test]
    fn what_does_not_close_is_named_from_where_it_opened() {
        let fault = |span, what| {
            Err(Fault {
                span,
                kind: ErrorKind::Expected(what),
            })
        };
        assert_eq!(item_end(b"a(b(c)", 0, 9), fault(1..6, "`)`"));
        assert_eq!(item_end(b"a)", 0, 9), fault(1..2, "`(` before `)`"));
        assert_eq!(item_end(b"a=\"b", 0, 9), fault(2..4, "`\"`"));
        assert_eq!(item_end(b"a=\"b\\", 0, 9), fault(2..5, "`\"`"));
    }
}
