use crate::model::{
    field::{Field, Prerequisite},
    version::Version,
};

/// Why bytes were refused, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} at byte {offset}: {fault}")]
pub struct DecodeError {
    /// The byte of the message at which the part begins that is at fault.
    pub offset: usize,
    /// The part: `"flow entry"`.
    pub what: &'static str,
    /// What is wrong with it.
    pub fault: Fault,
    /// The name that Open vSwitch has for the error, and that it answers with: `OFPBAC_BAD_LEN`.
    pub name: &'static str,
}

/// What is wrong with bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The bytes end too early.
    #[error("needs {wanted} bytes, has {got}")]
    Truncated {
        /// How many bytes the part has.
        wanted: usize,
        /// How many there are.
        got: usize,
    },
    /// A length is not one that the part may have.
    #[error("length {got}, expected {wanted}")]
    Length {
        /// The length it must have, or the least one.
        wanted: usize,
        /// The length that it says.
        got: usize,
    },
    /// A number has no meaning here.
    #[error("value {0:#x} is not allowed")]
    Value(u64),
    /// Bits of the value are 1 that do not count, or the part has no such mask.
    #[error("mask is not allowed")]
    Mask,
    /// The part may stand once only.
    #[error("stands there twice")]
    Repeated,
    /// What it needs beside it is not there before it.
    #[error("prerequisite is not matched")]
    Prerequisite,
    /// These parts may not stand together, in this order, or in this place.
    #[error("not allowed together")]
    Combination,
    /// Parts nest too deeply.
    #[error("nested deeper than {limit}")]
    TooDeep {
        /// The deepest nesting allowed.
        limit: usize,
    },
    /// More bytes than the parts need.
    #[error("{left} bytes too many")]
    TrailingBytes {
        /// How many bytes are left.
        left: usize,
    },
}

/// Why a value has no bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The version has no form for it.
    #[error("{what} cannot be expressed in OpenFlow version {}", .version.0)]
    NotInVersion {
        /// What was to be written: `"group action"`.
        what: &'static str,
        /// The version on the wire.
        version: Version,
    },
    /// It does not fit its length field.
    #[error("{what} of {len} bytes is longer than {limit}")]
    TooLong {
        /// What was to be written.
        what: &'static str,
        /// Its length in bytes.
        len: usize,
        /// The greatest length.
        limit: usize,
    },
    /// The model holds a name or a text for which only a switch knows the bytes.
    #[error("{what} is known by name only: {name}")]
    Unresolved {
        /// What it is: `"port"`.
        what: &'static str,
        /// The name or text.
        name: alloc::boxed::Box<str>,
    },
    /// A field is matched without what it needs beside it. Open vSwitch would leave it out, and match more; who wants
    /// that takes it out with [`Match::take_ignored`](crate::Match::take_ignored).
    #[error("{field} needs {needs} beside it")]
    Prerequisite {
        /// The field.
        field: Field,
        /// What it needs.
        needs: Prerequisite,
    },
    /// A mask on a field that is matched or set as a whole.
    #[error("{field} takes no mask here")]
    NotMaskable {
        /// The field.
        field: Field,
    },
    /// Parts that may not stand together, or not in this order; the switch would do something else.
    #[error("{what} may not stand there")]
    Misplaced {
        /// The part: `"drop beside other actions"`.
        what: &'static str,
    },
    /// A value is out of the range of its place.
    #[error("{what} of {value:#x} is out of range")]
    OutOfRange {
        /// What was to be written.
        what: &'static str,
        /// Its value.
        value: u128,
    },
}
