//! A line of a dump, and what is to be known of it.

use alloc::borrow::Cow;

use crate::text::{
    Limits, ansi,
    error::{ErrorKind, Fault, ParseError, Place},
    scan,
};

/// A line without its end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    pub(super) raw: &'a [u8],
    pub(super) place: Place,
    pub(super) limits: Limits,
    /// Whether it has colours, perhaps.
    pub(super) coloured: bool,
}

impl<'a> Line<'a> {
    /// The line without its colours.
    pub(super) fn text(&self) -> Cow<'a, [u8]> {
        match self.coloured {
            true => ansi::strip(self.raw),
            false => Cow::Borrowed(self.raw),
        }
    }

    /// Refuses a line that is longer than the limit.
    pub(super) fn check_len(&self) -> Result<(), ParseError> {
        let limit = self.limits.line_len;
        match self.raw.len() > limit {
            true => Err(self
                .place
                .error(self.raw, limit..limit + 1, ErrorKind::LineTooLong { limit })),
            false => Ok(()),
        }
    }

    /// The error of a fault in the line without its colours.
    #[cold]
    pub(super) fn error(&self, fault: Fault) -> ParseError {
        let start = ansi::raw_offset(self.raw, fault.span.start);
        let end = match fault.span.len() {
            0 => start,
            _ => ansi::raw_offset(self.raw, fault.span.end - 1) + 1,
        };
        self.place.error(self.raw, start..end.max(start), fault.kind)
    }
}

/// Where the line ends that `text` begins with, if it does, and whether it has colours, perhaps.
pub(super) fn end(text: &[u8]) -> (Option<usize>, bool) {
    match scan::position(text, [b'\n', ansi::ESC]) {
        Some(at) if text[at] == ansi::ESC => {
            let len = scan::position(&text[at..], [b'\n']);
            (len.map(|len| at + len), true)
        }
        end => (end, false),
    }
}
