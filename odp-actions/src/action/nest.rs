//! Actions that hold lists of actions, and what every nest of attributes shares.

use alloc::vec::Vec;
use core::fmt;

use netlink_genl::nlattr::{Attr, DecodeError, EncodeError, Sink};

use super::Actions;
use crate::key::codec::{Codec, Faults};
use crate::text::ParseError;
use crate::text::lex::Lexer;
use crate::text::print::Printer;

/// A nest: its attributes in the order in which they stand in the message.
///
/// Open vSwitch's translation, its parser and the kernel's dump each write another order; keeping it makes decoding and
/// encoding the identity.
macro_rules! nests {
    ($($(#[$doc:meta])* $Nest:ident of $Attr:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
        pub struct $Nest {
            attrs: alloc::vec::Vec<$Attr>,
        }

        impl $Nest {
            /// A nest of these attributes.
            pub fn new(attrs: impl IntoIterator<Item = $Attr>) -> Self {
                Self { attrs: attrs.into_iter().collect() }
            }

            /// The attributes in order.
            pub fn attrs(&self) -> &[$Attr] {
                &self.attrs
            }

            #[allow(dead_code, reason = "not every nest is a whole action")]
            fn encode_nest<S: netlink_genl::nlattr::Sink>(&self, kind: u16, sink: &mut S) -> Result<(), crate::EncodeError> {
                sink.nest(kind, |sink| self.attrs.iter().try_for_each(|attr| attr.encode(sink)))
            }

            #[allow(dead_code, reason = "as above")]
            fn decode_nest(
                attr: &netlink_genl::nlattr::Attr<'_>,
                faults: &mut crate::key::codec::Faults,
            ) -> Result<Self, crate::DecodeError> {
                let attrs = attr.attrs().map(|attr| $Attr::decode_in(&attr?, faults)).collect::<Result<_, _>>()?;
                Ok(Self { attrs })
            }
        }
    )*};
}

attributes! {
    /// One attribute of [`Sample`] (`OVS_SAMPLE_ATTR_*`).
    pub enum SampleAttr {
        /// How many of 2^32 - 1 packets are sampled.
        1 Probability(u32) Percentage "sample";
        /// What is done with those.
        2 Actions(Actions) List "actions";
    }
}

attributes! {
    /// One attribute of [`CheckPktLen`] (`OVS_CHECK_PKT_LEN_ATTR_*`).
    pub enum CheckPktLenAttr {
        /// The length to compare with, in host byte order.
        1 PktLen(u16) Size "size";
        /// What is done with longer packets.
        2 Greater(Actions) List "gt";
        /// What is done with the others.
        3 LessEqual(Actions) List "le";
    }
}

attributes! {
    /// One attribute of [`DecTtl`] (`OVS_DEC_TTL_ATTR_*`).
    pub enum DecTtlAttr {
        /// What is done with packets whose TTL is 1 or less.
        1 Exceeded(Actions) List "le_1";
    }
}

/// Open vSwitch passes over attributes inside a nest that it does not know.
macro_rules! silent_about_unknown {
    ($($Attr:ident),*) => {$(
        impl $Attr {
            fn print_unknown(_: &netlink_genl::nlattr::RawAttr, _: &mut Printer<'_>) -> core::fmt::Result {
                Ok(())
            }
        }
    )*};
}

silent_about_unknown!(SampleAttr, CheckPktLenAttr, DecTtlAttr);
pub(super) use silent_about_unknown;

nests! {
    /// `sample(sample=50.0%,actions(..))`: does something with a share of the packets.
    Sample of SampleAttr;
    /// `check_pkt_len(size=200,gt(..),le(..))`: does one of two things, by the length of the packet.
    CheckPktLen of CheckPktLenAttr;
    /// `dec_ttl(le_1(..))`: decrements the TTL, or does something else where it is spent.
    DecTtl of DecTtlAttr;
}

pub(super) use nests;

/// `name(ACTIONS)`.
pub(super) struct List;

impl Codec for List {
    type Value = Actions;

    fn encode<S: Sink>(actions: &Actions, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        sink.nest(kind, |sink| actions.encode(sink))
    }

    fn decode(attr: &Attr<'_>) -> Result<Actions, DecodeError> {
        strictly(attr, Self::decode_in)
    }

    fn decode_in(attr: &Attr<'_>, faults: &mut Faults) -> Result<Actions, DecodeError> {
        if attr.depth() >= MAX_DEPTH {
            return Err(DecodeError::TooDeep {
                offset: attr.offset(),
                kind: attr.kind(),
                limit: MAX_DEPTH,
            });
        }
        Ok(Actions::decode_attrs(attr.attrs(), faults))
    }

    fn print(actions: &Actions, name: &str, f: &mut Printer<'_>) -> fmt::Result {
        f.write_str(name)?;
        f.write_str("(")?;
        actions.print(f)?;
        f.write_str(")")
    }

    fn parse(lexer: &mut Lexer<'_>) -> Result<Actions, ParseError> {
        lexer.expect("(")?;
        let actions = Actions::parse_nested(lexer)?;
        lexer.expect(")")?;
        Ok(actions)
    }
}

impl Codec for Sample {
    type Value = Self;

    fn encode<S: Sink>(sample: &Self, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        sample.encode_nest(kind, sink)
    }

    fn decode(attr: &Attr<'_>) -> Result<Self, DecodeError> {
        strictly(attr, Self::decode_in)
    }

    fn decode_in(attr: &Attr<'_>, faults: &mut Faults) -> Result<Self, DecodeError> {
        let sample = Self::decode_nest(attr, faults)?;
        require(attr, sample.attrs.iter().map(SampleAttr::kind), &[1, 2])?;
        Ok(sample)
    }

    fn print(sample: &Self, name: &str, f: &mut Printer<'_>) -> fmt::Result {
        print_in_order(
            f,
            name,
            &sample.attrs,
            SampleAttr::kind,
            SampleAttr::print,
            &[1, 2],
        )
    }

    fn parse(lexer: &mut Lexer<'_>) -> Result<Self, ParseError> {
        parse_in_order(lexer, &["sample", "actions"], SampleAttr::parse).map(Self::new)
    }
}

impl Codec for CheckPktLen {
    type Value = Self;

    fn encode<S: Sink>(check: &Self, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        check.encode_nest(kind, sink)
    }

    fn decode(attr: &Attr<'_>) -> Result<Self, DecodeError> {
        strictly(attr, Self::decode_in)
    }

    fn decode_in(attr: &Attr<'_>, faults: &mut Faults) -> Result<Self, DecodeError> {
        let check = Self::decode_nest(attr, faults)?;
        require(attr, check.attrs.iter().map(CheckPktLenAttr::kind), &[1, 2, 3])?;
        Ok(check)
    }

    fn print(check: &Self, name: &str, f: &mut Printer<'_>) -> fmt::Result {
        print_in_order(
            f,
            name,
            &check.attrs,
            CheckPktLenAttr::kind,
            CheckPktLenAttr::print,
            &[1, 2, 3],
        )
    }

    fn parse(lexer: &mut Lexer<'_>) -> Result<Self, ParseError> {
        parse_in_order(lexer, &["size", "gt", "le"], CheckPktLenAttr::parse).map(Self::new)
    }
}

impl Codec for DecTtl {
    type Value = Self;

    fn encode<S: Sink>(dec_ttl: &Self, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        dec_ttl.encode_nest(kind, sink)
    }

    fn decode(attr: &Attr<'_>) -> Result<Self, DecodeError> {
        strictly(attr, Self::decode_in)
    }

    fn decode_in(attr: &Attr<'_>, faults: &mut Faults) -> Result<Self, DecodeError> {
        Self::decode_nest(attr, faults)
    }

    /// Shows the first list only, and an empty nest as Open vSwitch does.
    fn print(dec_ttl: &Self, name: &str, f: &mut Printer<'_>) -> fmt::Result {
        let first = dec_ttl
            .attrs
            .iter()
            .find(|attr| matches!(attr, DecTtlAttr::Exceeded(_)));
        match first {
            Some(first) => {
                write!(f, "{name}(")?;
                first.print(f)?;
                f.write_str(")")
            }
            None => write!(f, "{name}(le_1())"),
        }
    }

    fn parse(lexer: &mut Lexer<'_>) -> Result<Self, ParseError> {
        if lexer.eat("(le_1())") {
            return Ok(Self::default());
        }
        parse_in_order(lexer, &["le_1"], DecTtlAttr::parse).map(Self::new)
    }
}

/// Reads a nest and fails at the first fault in it.
pub(super) fn strictly<T>(
    attr: &Attr<'_>,
    decode_in: impl FnOnce(&Attr<'_>, &mut Faults) -> Result<T, DecodeError>,
) -> Result<T, DecodeError> {
    let mut faults = Faults::default();
    let value = decode_in(attr, &mut faults)?;
    faults.strict(value)
}

/// Fails unless every type in `kinds` is there.
pub(super) fn require(
    attr: &Attr<'_>,
    there: impl Iterator<Item = u16> + Clone,
    kinds: &[u16],
) -> Result<(), DecodeError> {
    match kinds
        .iter()
        .find(|kind| !there.clone().any(|there| there == **kind))
    {
        None => Ok(()),
        Some(kind) => Err(DecodeError::Missing {
            offset: attr.offset(),
            kind: *kind,
        }),
    }
}

/// `name(a,b)`: the last attribute of each type in `kinds`, in this order.
pub(super) fn print_in_order<A>(
    f: &mut Printer<'_>,
    name: &str,
    attrs: &[A],
    kind: impl Fn(&A) -> u16,
    print: impl Fn(&A, &mut Printer<'_>) -> fmt::Result,
    kinds: &[u16],
) -> fmt::Result {
    let mut before = "(";
    f.write_str(name)?;
    for wanted in kinds {
        if let Some(attr) = attrs.iter().rev().find(|attr| kind(attr) == *wanted) {
            f.write_str(before)?;
            print(attr, f)?;
            before = ",";
        }
    }
    f.write_str(")")
}

/// `(a,b)`: exactly the attributes of these names, in this order.
fn parse_in_order<'a, A>(
    lexer: &mut Lexer<'a>,
    names: &[&'static str],
    parse: impl Fn(&str, &mut Lexer<'a>) -> Option<Result<A, ParseError>>,
) -> Result<Vec<A>, ParseError> {
    let mut attrs = Vec::with_capacity(names.len());
    for (i, name) in names.iter().enumerate() {
        lexer.expect(if i == 0 { "(" } else { "," })?;
        lexer.expect(name)?;
        attrs.extend(parse(name, lexer).transpose()?);
    }
    lexer.expect(")")?;
    Ok(attrs)
}

/// `sample=50.0%` of 2^32 - 1, with one decimal.
struct Percentage;

impl Codec for Percentage {
    type Value = u32;

    fn encode<S: Sink>(probability: &u32, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        sink.attr_u32(kind, *probability)
    }

    fn decode(attr: &Attr<'_>) -> Result<u32, DecodeError> {
        attr.u32()
    }

    fn print(probability: &u32, name: &str, f: &mut Printer<'_>) -> fmt::Result {
        write!(
            f,
            "{name}={:.1}%",
            100.0 * f64::from(*probability) / f64::from(u32::MAX)
        )
    }

    fn parse(lexer: &mut Lexer<'_>) -> Result<u32, ParseError> {
        lexer.expect("=")?;
        let start = *lexer;
        let percentage = lexer.fraction()?;
        lexer.expect("%")?;
        if percentage > 100.0 {
            return Err(start.expected("a percentage up to 100"));
        }
        let probability = f64::from(u32::MAX) * (percentage / 100.0) + 0.5;
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "from 0.5 to u32::MAX + 0.5"
        )]
        Ok(probability as u32)
    }
}

/// `size=200`.
struct Size;

impl Codec for Size {
    type Value = u16;

    fn encode<S: Sink>(size: &u16, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        sink.attr_u16(kind, *size)
    }

    fn decode(attr: &Attr<'_>) -> Result<u16, DecodeError> {
        attr.u16()
    }

    fn print(size: &u16, name: &str, f: &mut Printer<'_>) -> fmt::Result {
        write!(f, "{name}={size}")
    }

    fn parse(lexer: &mut Lexer<'_>) -> Result<u16, ParseError> {
        lexer.expect("=")?;
        // Read with a limit that fits.
        lexer
            .number(0xffff)
            .map(|size| u16::try_from(size).unwrap_or(u16::MAX))
    }
}

/// Bytes as one hexadecimal number (`ds_put_hex` of Open vSwitch).
pub(super) struct HexNumber<'a>(pub(super) &'a [u8]);

impl fmt::Display for HexNumber<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let zeros = self.0.iter().take_while(|byte| **byte == 0).count();
        match &self.0[zeros..] {
            [] => f.write_str("0"),
            [first, rest @ ..] => {
                write!(f, "{first:#x}")?;
                rest.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
    }
}

/// Levels of attributes in each other that are read. A level costs 4 bytes, so 64 KiB could hold 16 thousand.
const MAX_DEPTH: usize = 256;
