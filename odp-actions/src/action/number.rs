//! Actions, and attributes inside actions, that are one number.

use core::fmt;

use netlink_genl::nlattr::{Attr, DecodeError, EncodeError, Sink};

use crate::key::codec::Codec;
use crate::key::format::Alt;
use crate::text::ParseError;
use crate::text::lex::Lexer;
use crate::text::print::Printer;

/// A `u32` in host byte order, and how it stands in text behind the name of its action.
macro_rules! numbers {
    ($($(#[$doc:meta])* $Codec:ident |$name:ident, $value:ident, $f:ident| $print:expr, |$lexer:ident| $parse:expr;)*) => {$(
        $(#[$doc])*
        pub(super) struct $Codec;

        impl Codec for $Codec {
            type Value = u32;

            fn encode<S: Sink>(value: &u32, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
                sink.attr_u32(kind, *value)
            }

            fn decode(attr: &Attr<'_>) -> Result<u32, DecodeError> {
                attr.u32()
            }

            fn print($value: &u32, $name: &str, $f: &mut Printer<'_>) -> fmt::Result {
                $print
            }

            fn parse($lexer: &mut Lexer<'_>) -> Result<u32, ParseError> {
                $parse
            }
        }
    )*};
}

numbers! {
    /// `4`: a port number alone.
    Port |_name, value, f| f.port(*value), |lexer| number(lexer, Lexer::number);
    /// `pid=5`.
    Named |name, value, f| write!(f, "{name}={value}"), |lexer| {
        lexer.expect("=")?;
        number(lexer, Lexer::number)
    };
    /// `tunnel_out_port=5`: a port.
    NamedPort |name, value, f| {
        write!(f, "{name}=")?;
        f.port(*value)
    }, |lexer| {
        lexer.expect("=")?;
        number(lexer, Lexer::port)
    };
    /// `tnl_pop(4)`: a port.
    PortCall |name, value, f| {
        write!(f, "{name}(")?;
        f.port(*value)?;
        f.write_str(")")
    }, |lexer| parenthesised(lexer, Lexer::port);
    /// `trunc(100)`.
    Number |name, value, f| write!(f, "{name}({value})"), |lexer| parenthesised(lexer, Lexer::number);
    /// `lb_output(1)`: decimal whatever the first digit.
    Decimal |name, value, f| write!(f, "{name}({value})"), |lexer| parenthesised(lexer, Lexer::decimal);
    /// `recirc(0x1)`: printed in hexadecimal, and read in decimal, too.
    RecircId |name, value, f| write!(f, "{name}({})", Alt((*value).into())),
        |lexer| parenthesised(lexer, Lexer::decimal);
    /// `drop`: the number is not shown.
    Hidden |name, _value, f| f.write_str(name), |_lexer| Ok(0);
}

#[inline]
fn number<'a>(
    lexer: &mut Lexer<'a>,
    read: impl FnOnce(&mut Lexer<'a>, u64) -> Result<u64, ParseError>,
) -> Result<u32, ParseError> {
    // It reads at most the limit, which fits.
    read(lexer, u64::from(u32::MAX)).map(|number| u32::try_from(number).unwrap_or(u32::MAX))
}

fn parenthesised<'a>(
    lexer: &mut Lexer<'a>,
    read: impl FnOnce(&mut Lexer<'a>, u64) -> Result<u64, ParseError>,
) -> Result<u32, ParseError> {
    lexer.expect("(")?;
    let number = number(lexer, read)?;
    lexer.expect(")")?;
    Ok(number)
}
