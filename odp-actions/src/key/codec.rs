//! How a value stands in bytes and in text: one type for each pair of the two.

use core::fmt;

use netlink_genl::nlattr::{Attr, DecodeError, EncodeError, Sink};

use crate::text::ParseError;
use crate::text::lex::Lexer;
use crate::text::print::Printer;

/// Bytes and text of one kind of value.
///
/// `print` writes the name, too, since the forms differ (`ttl=64`, `pop_vlan`, a bare port number); `parse` starts
/// behind it.
pub(crate) trait Codec {
    type Value;

    fn encode<S: Sink>(value: &Self::Value, kind: u16, sink: &mut S) -> Result<(), EncodeError>;
    fn decode(attr: &Attr<'_>) -> Result<Self::Value, DecodeError>;

    /// As `decode`, but a fault in a list of actions inside goes to `faults` and costs only the action that has it.
    fn decode_in(attr: &Attr<'_>, _: &mut Faults) -> Result<Self::Value, DecodeError> {
        Self::decode(attr)
    }

    fn print(value: &Self::Value, name: &str, f: &mut Printer<'_>) -> fmt::Result;
    fn parse(lexer: &mut Lexer<'_>) -> Result<Self::Value, ParseError>;
}

/// The first thing that was wrong in lists of actions.
#[derive(Default)]
pub(crate) struct Faults(pub(crate) Option<DecodeError>);

impl Faults {
    pub(crate) fn add(&mut self, error: DecodeError) {
        self.0.get_or_insert(error);
    }

    /// The value, if nothing was wrong.
    pub(crate) fn strict<T>(self, value: T) -> Result<T, DecodeError> {
        self.0.map_or(Ok(value), Err)
    }
}

/// An attribute without payload; its name is its text.
pub(crate) struct Flag;

impl Codec for Flag {
    type Value = ();

    fn encode<S: Sink>((): &(), kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        sink.flag(kind)
    }

    fn decode(attr: &Attr<'_>) -> Result<(), DecodeError> {
        attr.flag()
    }

    fn print((): &(), name: &str, f: &mut Printer<'_>) -> fmt::Result {
        f.write_str(name)
    }

    fn parse(_: &mut Lexer<'_>) -> Result<(), ParseError> {
        Ok(())
    }
}
