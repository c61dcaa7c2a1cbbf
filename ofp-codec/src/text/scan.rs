//! Items of a list, by hand: where one ends depends on quotes and on nested parentheses.

use crate::text::error::{ErrorKind, Fault};

/// The end of the item that begins at `at`: the comma, white space or end of `text` that comes
/// first outside of quotes and parentheses.
#[inline]
pub(super) fn item_end(text: &[u8], at: usize, depth: usize) -> Result<usize, Fault> {
    // Most items are words and numbers.
    let plain = text[at..].iter().position(|byte| SPECIAL[usize::from(*byte)]);
    match plain {
        None => Ok(text.len()),
        Some(plain) if b", \t".contains(&text[at + plain]) => Ok(at + plain),
        Some(plain) => item_end_from(text, at, at + plain, depth),
    }
}

/// The end of the item that begins at `at` and has nothing special before `here`.
fn item_end_from(text: &[u8], at: usize, mut here: usize, depth: usize) -> Result<usize, Fault> {
    let mut open = 0;
    let mut outermost = at;
    while let Some(plain) = text[here..].iter().position(|byte| SPECIAL[usize::from(*byte)]) {
        here += plain;
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

/// The bytes at which an item may end, or its nesting change.
const SPECIAL: [bool; 256] = {
    let mut special = [false; 256];
    let bytes = b", \t\"()";
    let mut at = 0;
    while at < bytes.len() {
        special[bytes[at] as usize] = true;
        at += 1;
    }
    special
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
    let len = text[here..]
        .iter()
        .take_while(|byte| b", \t".contains(byte))
        .count();
    here + len
}

#[cfg(test)]
mod tests {
    use super::*;

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
