//! Items of a list, by hand: where one ends depends on quotes and on nested parentheses.

use crate::text::error::{ErrorKind, Fault};

/// The end of the word at `at`: letters, digits and underscores.
#[inline]
pub(super) fn word_end(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    let len = rest.iter().position(|byte| !is_word(*byte));
    len.map_or(text.len(), |len| at + len)
}

/// Whether a byte is one of words.
#[inline]
pub(super) fn is_word(byte: u8) -> bool {
    WORD[usize::from(byte)]
}

/// The items of a list, one after the other: what is between the commas and white space that stand outside of quotes and
/// parentheses.
#[derive(Clone, Debug)]
pub(super) struct List<'a> {
    text: &'a [u8],
    /// The byte after the item that came last, and after what ended it.
    here: usize,
    specials: Specials,
    depth: usize,
}

/// Where an item of a list is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    pub(super) start: usize,
    /// The first `=`, quote or parenthesis, or the end.
    pub(super) key_end: usize,
    pub(super) end: usize,
}

impl<'a> List<'a> {
    /// The items from `start` on, in which parentheses may nest up to `depth`.
    pub(super) fn new(text: &'a [u8], start: usize, depth: usize) -> Self {
        List {
            text,
            here: start,
            specials: Specials::from(text, start),
            depth,
        }
    }

    /// The next item. `None`: there is none.
    #[inline(always)]
    pub(super) fn next_item(&mut self) -> Result<Option<Item>, Fault> {
        let text = self.text;
        let mut specials = self.specials;
        let mut start = self.here;
        while let Some(b',' | b' ' | b'\t') = text.get(start) {
            start = specials.next(text) + 1;
        }
        if start >= text.len() {
            return Ok(None);
        }
        let mut key_end = None;
        let end = loop {
            let at = specials.next(text);
            match text.get(at) {
                None | Some(b',' | b' ' | b'\t') => break at,
                Some(b'=') => {}
                Some(b'"') => specials = Specials::from(text, quote_end(text, at)?),
                Some(b'(') => specials = parentheses(text, at, specials, self.depth)?,
                Some(b')') => {
                    return Err(Fault {
                        span: at..at + 1,
                        kind: ErrorKind::Expected("`(` before `)`"),
                    });
                }
                Some(_) => continue,
            }
            key_end.get_or_insert(at);
        };
        self.here = end + 1;
        self.specials = specials;
        Ok(Some(Item {
            start,
            key_end: key_end.unwrap_or(end),
            end,
        }))
    }
}

/// What is special behind the parenthesis that closes the one at `outermost`.
fn parentheses(
    text: &[u8],
    outermost: usize,
    mut specials: Specials,
    depth: usize,
) -> Result<Specials, Fault> {
    let (mut at, mut open) = (outermost, 0);
    loop {
        match text.get(at) {
            None => {
                return Err(Fault {
                    span: outermost..text.len(),
                    kind: ErrorKind::Expected("`)`"),
                });
            }
            Some(b'"') => specials = Specials::from(text, quote_end(text, at)?),
            Some(b'(') if open == depth => {
                return Err(Fault {
                    span: at..at + 1,
                    kind: ErrorKind::TooDeep { limit: depth },
                });
            }
            Some(b'(') => open += 1,
            Some(b')') if open == 1 => return Ok(specials),
            Some(b')') => open -= 1,
            Some(_) => {}
        }
        at = specials.next(text);
    }
}

/// The bytes where an item may end, its key end or its nesting change, and a few more.
#[derive(Clone, Copy, Debug)]
struct Specials {
    /// The high bit of each of the eight bytes from `base` on that is one and was not given.
    marks: u64,
    base: usize,
}

impl Specials {
    #[inline(always)]
    fn from(text: &[u8], at: usize) -> Self {
        Specials {
            marks: marks(text, at),
            base: at,
        }
    }

    /// The next one, or the length of the text.
    #[inline(always)]
    fn next(&mut self, text: &[u8]) -> usize {
        while self.marks == 0 {
            if self.base >= text.len() {
                return text.len();
            }
            *self = Specials::from(text, self.base + size_of::<u64>());
        }
        let at = self.base + (self.marks.trailing_zeros() / u8::BITS) as usize;
        self.marks &= self.marks - 1;
        at
    }
}

/// Marks what is special among the eight bytes from `at` on: what is below `-`, and `=`.
#[inline(always)]
fn marks(text: &[u8], at: usize) -> u64 {
    let Some(rest) = text.get(at..) else { return 0 };
    let word = rest
        .first_chunk()
        .map_or_else(|| last_word(rest), |word| u64::from_le_bytes(*word));
    // Seven bits at a time carry nothing to the next byte.
    let high = ONES << 7;
    let at_least = |word: u64, limit: u8| ((word & !high) + ONES * u64::from(0x80 - limit)) | word;
    !(at_least(word, b'-') & at_least(word ^ (ONES * u64::from(b'=')), 1)) & high
}

/// The last bytes, fewer than eight, and some that are not special.
fn last_word(rest: &[u8]) -> u64 {
    rest.iter()
        .rev()
        .fold(ONES << 6, |word, byte| word << 8 | u64::from(*byte))
}

/// Where the first of these bytes in `text` is.
#[inline]
pub(super) fn position<const N: usize>(text: &[u8], bytes: [u8; N]) -> Option<usize> {
    // Compilers compare the bytes of a chunk at once.
    let has = |chunk: &[u8], byte: u8| chunk.iter().fold(false, |has, other| has | (*other == byte));
    let has_one = |chunk: &[u8]| bytes.iter().fold(false, |one, byte| one | has(chunk, *byte));
    let without = text.chunks_exact(32).take_while(|chunk| !has_one(chunk)).count() * 32;
    let marks = |word| bytes.iter().fold(0, |marks, byte| marks | equal(word, *byte));
    find(text, without, marks, |other| bytes.contains(&other))
}

/// The first place outside of quotes where `text` goes on with `separator`. `None`: there is none, or
/// quotes before it do not close.
pub(super) fn separator(text: &[u8], separator: &[u8]) -> Option<usize> {
    let first = *separator.first()?;
    let mut here = 0;
    loop {
        let marks = |word| equal(word, first) | equal(word, b'"');
        here = find(text, here, marks, |byte| byte == first || byte == b'"')?;
        if text[here..].starts_with(separator) {
            return Some(here);
        }
        here = match text[here] {
            b'"' => quote_end(text, here).ok()?,
            _ => here + 1,
        };
    }
}

/// The first byte from `at` on that is such a one. Eight bytes at a time: of a word of them `marks` has the high bit
/// of the first one that is, and perhaps of others.
#[inline(always)]
fn find(text: &[u8], at: usize, marks: impl Fn(u64) -> u64, such: impl Fn(u8) -> bool) -> Option<usize> {
    let mut here = at;
    while let Some(chunk) = text.get(here..).and_then(|rest| rest.first_chunk()) {
        let marks = marks(u64::from_le_bytes(*chunk));
        if marks == 0 {
            here += chunk.len();
            continue;
        }
        here += (marks.trailing_zeros() / 8) as usize;
        if such(text[here]) {
            return Some(here);
        }
        here += 1;
    }
    let len = text.get(here..)?.iter().position(|byte| such(*byte))?;
    Some(here + len)
}

/// Marks the first byte that is `byte` (Anderson, Bit Twiddling Hacks: "determine if a word has a zero byte").
fn equal(word: u64, byte: u8) -> u64 {
    let zero = word ^ (ONES * u64::from(byte));
    zero.wrapping_sub(ONES) & !zero & (ONES << 7)
}

const ONES: u64 = 0x0101_0101_0101_0101;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_a_byte_is_found_wherever_that_is() {
        for len in 0..80 {
            // Bytes that differ from a line end in one bit, or follow it in a word.
            let text: alloc::vec::Vec<u8> = [0x0b, 0x8a, 0x00, 0x0a ^ 0x01, 0xff]
                .into_iter()
                .cycle()
                .take(len)
                .collect();
            assert_eq!(position(&text, [b'\n', 0x7f]), None);
            for at in 0..len {
                let mut text = text.clone();
                text[at] = b'\n';
                assert_eq!(position(&text, [b'\n', 0x7f]), Some(at));
                text[len - 1] = b'\n';
                assert_eq!(position(&text, [b'\n', 0x7f]), Some(at));
            }
        }
    }

    fn first_end(text: &[u8], depth: usize) -> Result<Option<usize>, Fault> {
        Ok(List::new(text, 0, depth).next_item()?.map(|item| item.end))
    }

    #[test]
    fn items_are_found_wherever_they_are() {
        let items = [
            "a",
            "bc=d",
            "e(f, g)",
            "\"h i\"=\"\"",
            "\u{e9}*!=(=)",
            "12345678",
            "x=y=z",
        ];
        for (gap, first) in [",", " ", ", ", " \t,, "]
            .iter()
            .flat_map(|gap| (0..items.len()).map(move |n| (gap, n)))
        {
            let mut order = items;
            order.rotate_left(first);
            for text in [order.join(gap), [gap, order.join(gap).as_str(), gap].concat()] {
                let mut list = List::new(text.as_bytes(), 0, 1);
                for expected in order {
                    let Item { start, key_end, end } = list.next_item().expect("it ends").expect("an item");
                    assert_eq!(&text[start..end], expected, "{text}");
                    let key_len = expected.find(['=', '(', '"']).unwrap_or(expected.len());
                    assert_eq!(key_end - start, key_len, "{text}");
                }
                assert!(matches!(list.next_item(), Ok(None)), "{text}");
                assert!(matches!(list.next_item(), Ok(None)), "{text}");
            }
        }
    }

    #[test]
    fn an_item_ends_outside_of_quotes_and_parentheses() {
        for item in ["a", "a=\"b, (c\"", "f(a, b(c) d)->e", "p=(1,0x2)", "\"a\\\",b\""] {
            for rest in ["", ",x", " x", "\tx"] {
                let text = [item, rest].concat();
                assert_eq!(first_end(text.as_bytes(), 2), Ok(Some(item.len())), "{text}");
            }
        }
    }

    #[test]
    fn the_nesting_allowed_is_the_limit_and_not_one_more() {
        assert_eq!(first_end(b"a((b))", 2), Ok(Some(6)));
        let fault = Fault {
            span: 2..3,
            kind: ErrorKind::TooDeep { limit: 1 },
        };
        assert_eq!(first_end(b"a((b))", 1), Err(fault));
    }

    #[test]
    fn what_does_not_close_is_named_from_where_it_opened() {
        let fault = |span, what| {
            Err(Fault {
                span,
                kind: ErrorKind::Expected(what),
            })
        };
        assert_eq!(first_end(b"a(b(c)", 9), fault(1..6, "`)`"));
        assert_eq!(first_end(b"a)", 9), fault(1..2, "`(` before `)`"));
        assert_eq!(first_end(b"a=\"b", 9), fault(2..4, "`\"`"));
        assert_eq!(first_end(b"a=\"b\\", 9), fault(2..5, "`\"`"));
    }
}
