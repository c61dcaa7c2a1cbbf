//! The colours of `--color`: `ESC [ parameters letter`.

use alloc::{borrow::Cow, vec::Vec};

use crate::text::scan::position;

/// The line without its escape sequences; borrowed if it has none.
pub(super) fn strip(raw: &[u8]) -> Cow<'_, [u8]> {
    if position(raw, [ESC]).is_none() {
        return Cow::Borrowed(raw);
    }
    let mut plain = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while !rest.is_empty() {
        match escape_len(rest) {
            Some(len) => rest = &rest[len..],
            None => {
                plain.push(rest[0]);
                rest = &rest[1..];
            }
        }
    }
    Cow::Owned(plain)
}

/// Where byte `at` of the stripped line is in the line itself.
pub(super) fn raw_offset(raw: &[u8], at: usize) -> usize {
    let (mut seen, mut here) = (0, 0);
    while here < raw.len() {
        match escape_len(&raw[here..]) {
            Some(len) => here += len,
            None if seen == at => return here,
            None => {
                seen += 1;
                here += 1;
            }
        }
    }
    raw.len()
}

/// The length of the escape sequence that `text` begins with. ECMA-48, 5.4: parameter bytes
/// 0x30–0x3f, intermediate bytes 0x20–0x2f, final byte 0x40–0x7e.
fn escape_len(text: &[u8]) -> Option<usize> {
    let body = text.strip_prefix(&[ESC, b'['])?;
    let inner = body.iter().position(|byte| !(0x20..=0x3f).contains(byte))?;
    (0x40..=0x7e).contains(&body[inner]).then_some(inner + 3)
}

pub(super) const ESC: u8 = 0x1b;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_go_and_positions_stay() {
        let raw = b"a\x1b[36m\x1b[Kb\x1b[1;31mc\x1b[m";
        assert_eq!(&*strip(raw), b"abc");
        for (at, byte) in b"abc".iter().enumerate() {
            assert_eq!(raw[raw_offset(raw, at)], *byte);
        }
        assert_eq!(raw_offset(raw, 3), raw.len());
    }

    #[test]
    fn an_escape_that_does_not_end_stays() {
        for raw in [&b"\x1b"[..], b"\x1b[", b"\x1b[36", b"\x1bx", b"\x1b[\x1b"] {
            assert_eq!(&*strip(raw), raw);
        }
    }
}
