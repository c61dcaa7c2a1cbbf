//! The language that `ovs-dpctl` prints: errors, the lexer beneath the parsers, and whether a
//! value prints as a text.
//!
//! Each type parses and prints itself beside its bytes; this module holds what they share.

pub(crate) mod lex;
pub(crate) mod print;
pub(crate) mod same;

use alloc::string::String;

/// Text that is not the language of datapath actions, with the place where it stops being so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// Something else stands where this was expected.
    #[error("at byte {offset}: expected {wanted}, found {found:?}")]
    Expected {
        /// Where in the text.
        offset: usize,
        /// What may stand there.
        wanted: &'static str,
        /// The first characters of what stands there.
        found: String,
    },
    /// Lists stand in each other deeper than they are read.
    #[error("at byte {offset}: nested deeper than {limit}")]
    TooDeep {
        /// Where the list begins.
        offset: usize,
        /// The deepest nesting that is read.
        limit: usize,
    },
    /// The attributes up to here take more bytes than a list of them can have.
    #[error("at byte {offset}: more than {limit} bytes of attributes")]
    TooLong {
        /// Where the attribute begins that does not fit.
        offset: usize,
        /// The most bytes that fit.
        limit: usize,
    },
    /// A number does not fit its field. (Open vSwitch truncates it without a word.)
    #[error("at byte {offset}: {found} exceeds {limit}")]
    TooBig {
        /// Where in the text.
        offset: usize,
        /// The number as it stands there.
        found: String,
        /// The largest value of the field.
        limit: u64,
    },
}
