use alloc::{boxed::Box, string::String};
use core::{fmt, ops::Range};

/// Why a line was refused, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParseError {
    /// The line in the dump, from 1.
    pub line: u64,
    /// The byte in the line at which the fault is, from 1.
    pub column: usize,
    /// The bytes of the line that are at fault; empty if something is missing.
    pub span: Range<usize>,
    /// The byte in the dump at which the span begins.
    pub offset: u64,
    /// What is wrong with them.
    pub kind: ErrorKind,
    /// The beginning of these bytes, at most 64 of them.
    pub token: Box<str>,
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Something else stands where this was expected.
    #[error("expected {0}")]
    Expected(&'static str),
    /// A number is above its limit.
    #[error("number above the limit of {limit}")]
    TooLarge {
        /// The greatest number allowed.
        limit: u128,
    },
    /// Parentheses nest deeper than [`Limits::depth`](super::Limits::depth).
    #[error("parentheses nested deeper than {limit}")]
    TooDeep {
        /// The deepest nesting allowed.
        limit: usize,
    },
    /// The line is longer than [`Limits::line_len`](super::Limits::line_len).
    #[error("line longer than {limit} bytes")]
    LineTooLong {
        /// The length allowed.
        limit: usize,
    },
    /// A match on this field cannot have a mask.
    #[error("mask on a field that has none")]
    NotMaskable,
    /// The line begins with a word that is none of flows, as the lines of a log do: the flow stands behind it.
    #[error("text before the flow, as of a log: take it away")]
    TextBefore,
    /// The bytes are not UTF-8. [`FlowRef`](super::FlowRef) still gives them.
    #[error("not UTF-8")]
    NotUtf8,
}

impl ParseError {
    /// What was expected at the place of the fault.
    pub fn expected(&self) -> Option<&'static str> {
        match self.kind {
            ErrorKind::Expected(what) => Some(what),
            _ => None,
        }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.kind)?;
        match &*self.token {
            "" => f.write_str(", found nothing"),
            token => write!(f, ", found {token:?}"),
        }
    }
}

impl core::error::Error for ParseError {}

/// Where a line is in its dump.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The number of the line, from 1.
    pub(super) line: u64,
    /// The byte at which it begins.
    pub(super) offset: u64,
}

impl Place {
    pub(super) const START: Place = Place { line: 1, offset: 0 };

    /// The place of the next line, when this one took `taken` bytes with its end.
    pub(super) fn after(self, taken: usize) -> Place {
        let taken = u64::try_from(taken).unwrap_or(u64::MAX);
        Place {
            line: self.line.saturating_add(1),
            offset: self.offset.saturating_add(taken),
        }
    }

    /// The error at `span` of `raw`, the line at this place.
    pub(super) fn error(self, raw: &[u8], span: Range<usize>, kind: ErrorKind) -> ParseError {
        let end = span.end.min(span.start.saturating_add(TOKEN_LEN)).min(raw.len());
        let token = raw.get(span.start..end).unwrap_or_default();
        ParseError {
            line: self.line,
            column: span.start + 1,
            offset: self.after(span.start).offset,
            span,
            kind,
            token: String::from_utf8_lossy(token).into(),
        }
    }
}

/// A fault at bytes of a line without its colours: what [`ParseError`] is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) span: Range<usize>,
    pub(super) kind: ErrorKind,
}

const TOKEN_LEN: usize = 64;
