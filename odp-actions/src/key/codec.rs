//! How a value stands in bytes and in text: one type for each pair of the two.

use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr};

use netlink_genl::nlattr::{Attr, DecodeError, EncodeError, Sink};

use crate::text::ParseError;
use crate::text::lex::Lexer;

/// Bytes and text of one kind of value.
///
/// `print` writes the name, too, since the forms differ (`ttl=64`, `pop_vlan`, a bare port number); `parse` starts
/// behind it.
pub(crate) trait Codec {
    type Value;

    fn encode<S: Sink>(value: &Self::Value, kind: u16, sink: &mut S) -> Result<(), EncodeError>;
    fn decode(attr: &Attr<'_>) -> Result<Self::Value, DecodeError>;
    fn print(value: &Self::Value, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result;
    fn parse(lexer: &mut Lexer<'_>) -> Result<Self::Value, ParseError>;
}

/// A number as `name=N`.
macro_rules! number_codecs {
    ($($(#[$doc:meta])* $Codec:ident $Type:ty, $put:ident $get:ident $format:literal;)*) => {$(
        $(#[$doc])*
        pub(crate) struct $Codec;

        impl Codec for $Codec {
            type Value = $Type;

            fn encode<S: Sink>(value: &$Type, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
                sink.$put(kind, *value)
            }

            fn decode(attr: &Attr<'_>) -> Result<$Type, DecodeError> {
                attr.$get()
            }

            fn print(value: &$Type, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, $format, name, value)
            }

            fn parse(lexer: &mut Lexer<'_>) -> Result<$Type, ParseError> {
                lexer.expect("=")?;
                // `number` returns at most MAX, so that the conversion cannot fail.
                lexer.number(u64::from(<$Type>::MAX)).map(|n| <$Type>::try_from(n).unwrap_or(<$Type>::MAX))
            }
        }
    )*};
}

number_codecs! {
    /// A `u8`, printed in decimal.
    Dec8 u8, attr_u8 u8 "{}={}";
    /// A `u8`, printed in hexadecimal.
    Hex8 u8, attr_u8 u8 "{}={:#x}";
    /// A `u16` in network byte order, printed in decimal.
    Dec16 u16, attr_be16 be16 "{}={}";
    /// A `u64` in network byte order, printed in hexadecimal.
    Hex64 u64, attr_be64 be64 "{}={:#x}";
}

/// An IPv4 address.
pub(crate) struct Ip4;

impl Codec for Ip4 {
    type Value = Ipv4Addr;

    fn encode<S: Sink>(value: &Ipv4Addr, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        sink.attr(kind, &value.octets())
    }

    fn decode(attr: &Attr<'_>) -> Result<Ipv4Addr, DecodeError> {
        attr.array().map(<[u8; 4]>::into)
    }

    fn print(value: &Ipv4Addr, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{name}={value}")
    }

    fn parse(lexer: &mut Lexer<'_>) -> Result<Ipv4Addr, ParseError> {
        lexer.expect("=")?;
        lexer.ipv4()
    }
}

/// An IPv6 address.
pub(crate) struct Ip6;

impl Codec for Ip6 {
    type Value = Ipv6Addr;

    fn encode<S: Sink>(value: &Ipv6Addr, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        sink.attr(kind, &value.octets())
    }

    fn decode(attr: &Attr<'_>) -> Result<Ipv6Addr, DecodeError> {
        attr.array().map(<[u8; 16]>::into)
    }

    fn print(value: &Ipv6Addr, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{name}={value}")
    }

    fn parse(lexer: &mut Lexer<'_>) -> Result<Ipv6Addr, ParseError> {
        lexer.expect("=")?;
        lexer.ipv6()
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

    fn print((): &(), name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(name)
    }

    fn parse(_: &mut Lexer<'_>) -> Result<(), ParseError> {
        Ok(())
    }
}
