//! What every attribute of a flow key can do, and the attributes that are one value.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::borrow::Borrow;
use core::fmt;
use core::marker::PhantomData;

use netlink_genl::nlattr::{Attr, Attrs, EncodeError, HEADER_LEN, RawAttr, Sink, align};

use super::format::Format;
use super::list::List;
use super::pairs::Pairs;
use super::{Hex, MAX_DEPTH};
use crate::text::ParseError;
use crate::text::lex::Lexer;
use crate::text::print::Printer;

/// Where a text is read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Context {
    /// How many nests stand around it.
    pub(crate) depth: usize,
}

/// Bytes, mask and text of the payload of one attribute.
///
/// `print` writes the name, too, since the forms differ (`ttl=64`, `eth(..)`); `parse` starts behind it, and gives the
/// value and the mask, which is exact where the text has none.
pub(crate) trait Payload {
    type Value;
    /// The only length that is right, if there is one.
    const LEN: Option<usize>;
    /// Whether it stands in a text by its name.
    const HAS_TEXT: bool = true;

    fn encode<S: Sink>(value: &Self::Value, kind: u16, sink: &mut S) -> Result<(), EncodeError>;
    /// Nothing if the payload is not of this form.
    fn decode(payload: &[u8], depth: usize) -> Option<Self::Value>;
    fn print(
        name: &str,
        value: &Self::Value,
        mask: Option<&Self::Value>,
        verbose: bool,
        list: &mut List<'_, '_>,
    ) -> fmt::Result;
    fn parse(lexer: &mut Lexer<'_>, context: Context) -> Result<(Self::Value, Self::Value), ParseError>;
    /// Whether a mask covers everything, or nothing, as Open vSwitch asks before it prints.
    fn is_all(mask: &Self::Value, ones: bool) -> bool;
}

/// An enum of attributes that the table made, as text.
pub(crate) trait TextAttribute: Sized {
    fn print_known(&self, mask: Option<&Self>, verbose: bool, list: &mut List<'_, '_>) -> fmt::Result;
    fn parse_known(
        name: &str,
        lexer: &mut Lexer<'_>,
        context: Context,
    ) -> Option<Result<(Self, Self), ParseError>>;
    /// As `parse_known`, but reads the name, too, and appends value and mask as bytes.
    fn parse_into(
        lexer: &mut Lexer<'_>,
        context: Context,
        pairs: &mut Pairs,
    ) -> Option<Result<(), ParseError>>;
    fn is_all(&self, ones: bool) -> bool;
}

/// An enum of attributes that the table made.
pub(crate) trait Attribute: TextAttribute + PartialEq {
    fn kind(&self) -> u16;
    fn encode_to<S: Sink>(&self, sink: &mut S) -> Result<(), EncodeError>;
    fn decode_at(raw_kind: u16, payload: &[u8], depth: usize) -> Self;
    fn raw(&self) -> Option<&RawAttr>;
    fn expected_len(kind: u16) -> Option<usize>;

    /// The type with its flags, which only attributes have that are kept as bytes.
    fn raw_kind(&self) -> u16 {
        self.raw().map_or(self.kind(), |raw| raw.raw_kind)
    }

    /// Bytes of payload.
    fn payload(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        // What does not fit an attribute cannot be compared with one.
        let encoded = self.encode_to(&mut bytes).is_ok();
        Attrs::new(&bytes)
            .next()
            .and_then(Result::ok)
            .filter(|_| encoded)
            .map_or_else(Vec::new, |attr| attr.payload().to_vec())
    }

    /// The mask that covers nothing, which stands for one that is missing.
    fn wildcard(&self) -> Self {
        let len = match Self::is_nest(self.kind()) {
            true => 0,
            false => self.payload().len(),
        };
        Self::decode_at(self.kind(), &alloc::vec![0; len], 0)
    }

    /// Whether the payload is a list of attributes.
    fn is_nest(kind: u16) -> bool;

    /// Whether the length of value or mask is one that Open vSwitch prints as wrong.
    fn is_misfit(&self, mask: Option<&Self>) -> bool {
        Self::expected_len(self.kind()).is_some_and(|wanted| {
            [Some(self), mask]
                .into_iter()
                .flatten()
                .filter_map(Self::raw)
                .any(|raw| raw.payload.len() != wanted)
        })
    }

    /// Prints an attribute for which [`Attribute::is_misfit`] holds.
    fn print_misfit(&self, mask: Option<&Self>, f: &mut Printer<'_>) -> fmt::Result {
        let wanted = Self::expected_len(self.kind()).unwrap_or_default();
        let payload = self.payload();
        if payload.len() != wanted {
            write!(f, "(bad key length {}, expected {wanted})(", payload.len())?;
        }
        write!(f, "{}", Hex(&payload))?;
        if let Some(mask) = mask.map(Self::payload) {
            f.write_str("/")?;
            if mask.len() != wanted {
                write!(f, "(bad mask length {}, expected {wanted})(", mask.len())?;
            }
            write!(f, "{}", Hex(&mask))?;
        }
        f.write_str(")")
    }
}

/// Reads `key4(bad key length 2, expected 1)(05 00)`, an attribute of a wrong length with its type, as it stands in a tunnel
/// key, and its mask. Nothing if something else stands there.
#[cold]
pub(crate) fn parse_misfit<A: Attribute>(lexer: &mut Lexer<'_>) -> Result<Option<(A, A)>, ParseError> {
    let start = *lexer;
    let mut ahead = *lexer;
    let kind = ahead.word("an attribute")?.strip_prefix("key");
    let Some(kind) = kind.and_then(|kind| kind.parse().ok()) else {
        return Ok(None);
    };
    if !eat_lengths(&mut ahead, "(bad key length ")? {
        return Ok(None);
    }
    let value = hex(&mut ahead)?;
    let mask = if ahead.eat("/") {
        eat_lengths(&mut ahead, "(bad mask length ")?;
        hex(&mut ahead)?
    } else {
        alloc::vec![u8::MAX; value.len()]
    };
    ahead.expect(")")?;
    *lexer = ahead;
    let [value, mask] = [value, mask].map(|bytes| A::decode_at(kind, &bytes, 0));
    match value.is_misfit(None) {
        true => Ok(Some((value, mask))),
        false => Err(start.expected("an attribute of a wrong length")),
    }
}

/// `(bad key length 2, expected 1)(`.
fn eat_lengths(lexer: &mut Lexer<'_>, what: &str) -> Result<bool, ParseError> {
    let is_there = lexer.eat(what);
    if is_there {
        lexer.decimal(u64::from(u16::MAX))?;
        lexer.expect(", expected ")?;
        lexer.decimal(u64::from(u16::MAX))?;
        lexer.expect(")(")?;
    }
    Ok(is_there)
}

/// Bytes as [`Hex`] prints them, or none.
fn hex(lexer: &mut Lexer<'_>) -> Result<Vec<u8>, ParseError> {
    match lexer.at(|byte| byte.is_ascii_hexdigit()) {
        true => lexer.hex_bytes(),
        false => Ok(Vec::new()),
    }
}

/// Appends a list of attributes as one.
pub(crate) fn encode_nest<A: Attribute, S: Sink>(
    attrs: &[A],
    kind: u16,
    sink: &mut S,
) -> Result<(), EncodeError> {
    sink.nest(kind, |sink| {
        attrs.iter().try_for_each(|attr| attr.encode_to(sink))
    })
}

/// Reads a list of attributes, if encoding it gives the same bytes again.
pub(crate) fn decode_nest<A: Attribute>(payload: &[u8], depth: usize) -> Option<Vec<A>> {
    if depth >= MAX_DEPTH {
        return None;
    }
    whole_attrs(payload)
        .map(|attr| attr.map(|attr| A::decode_at(attr.raw_kind(), attr.payload(), depth + 1)))
        .collect()
}

/// The attributes of a list; `None` for what does not encode to the same bytes again.
pub(crate) fn whole_attrs(payload: &[u8]) -> impl Iterator<Item = Option<Attr<'_>>> {
    Attrs::new(payload).map(|attr| {
        let attr = attr.ok()?;
        let end = attr.offset() + HEADER_LEN + attr.payload().len();
        let padding = payload.get(end..align(end))?;
        padding.iter().all(|byte| *byte == 0).then_some(attr)
    })
}

/// Reads the attributes of a list that [`decode_nest`] refuses, as far as it can be read, and how many bytes are left.
pub(crate) fn decode_prefix<A: Attribute>(payload: &[u8]) -> (Vec<A>, &[u8]) {
    let mut end = 0;
    let attrs = Attrs::new(payload)
        .map_while(Result::ok)
        .map(|attr| {
            end = align(attr.offset() + HEADER_LEN + attr.payload().len());
            A::decode_at(attr.kind(), attr.payload(), 0)
        })
        .collect();
    (attrs, payload.get(end..).unwrap_or_default())
}

/// Prints the attributes of a nest, each with its mask; one that is missing covers nothing. Those of a wrong length do not
/// come to `print`.
pub(crate) fn print_each<A: Attribute>(
    attrs: impl IntoIterator<Item = impl Borrow<A>>,
    masks: Option<&[A]>,
    list: &mut List<'_, '_>,
    mut print: impl FnMut(&A, Option<&A>, &mut List<'_, '_>) -> fmt::Result,
) -> fmt::Result {
    let mut masks = masks.map(Masks::new);
    attrs.into_iter().try_for_each(|attr| {
        let attr = attr.borrow();
        let missing;
        let mask = match &mut masks {
            None => None,
            Some(masks) => Some(match masks.next_of(attr) {
                Some(mask) => mask,
                None => {
                    missing = attr.wildcard();
                    &missing
                }
            }),
        };
        if attr.is_misfit(mask) {
            list.separate()?;
            write!(list.f, "key{}", attr.kind())?;
            attr.print_misfit(mask, list.f)
        } else {
            print(attr, mask, list)
        }
    })
}

/// Finds the masks of attributes in a list of masks, for one attribute after the other: the first of its type for the first
/// attribute of a type, the second for the second. Where there are not so many, the first, as Open vSwitch has it for all.
pub(crate) struct Masks<'a, A> {
    list: &'a [A],
    /// The type of each.
    kinds: Vec<u16>,
    /// Those of a short list that have been given away, as bits.
    given: u64,
    /// For a list that is too long to search once for each attribute: where each type stands, and how many were given away.
    index: BTreeMap<u16, (Vec<usize>, usize)>,
}

impl<'a, A: Attribute> Masks<'a, A> {
    pub(crate) fn new(list: &'a [A]) -> Self {
        let kinds: Vec<_> = list.iter().map(A::kind).collect();
        let mut index = BTreeMap::<u16, (Vec<usize>, usize)>::new();
        if list.len() > LONG_LIST {
            for (at, kind) in kinds.iter().enumerate() {
                index.entry(*kind).or_default().0.push(at);
            }
        }
        Self {
            list,
            kinds,
            given: 0,
            index,
        }
    }

    pub(crate) fn next_of(&mut self, attr: &A) -> Option<&'a A> {
        let kind = attr.kind();
        let at = if self.list.len() <= LONG_LIST {
            let mut places = (0..self.kinds.len()).filter(|at| self.kinds[*at] == kind);
            let first = places.next()?;
            let is_free = |at: &usize| self.given >> at & 1 == 0;
            let at = [first].into_iter().chain(places).find(is_free);
            self.given |= at.map_or(0, |at| 1 << at);
            at.unwrap_or(first)
        } else {
            let (places, given) = self.index.get_mut(&kind)?;
            let at = places.get(*given).or(places.first())?;
            *given += 1;
            *at
        };
        self.list.get(at)
    }
}

/// A value alone: `name(value/mask)`.
pub(crate) struct Single<F>(PhantomData<F>);

impl<F: Format> Payload for Single<F> {
    type Value = F::Value;
    const LEN: Option<usize> = Some(F::LEN);

    #[inline]
    fn encode<S: Sink>(value: &F::Value, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        encode_value::<F, S>(*value, kind, sink)
    }

    fn decode(payload: &[u8], _: usize) -> Option<F::Value> {
        (payload.len() == F::LEN).then(|| F::read(payload))
    }

    fn print(
        name: &str,
        value: &F::Value,
        mask: Option<&F::Value>,
        _: bool,
        list: &mut List<'_, '_>,
    ) -> fmt::Result {
        list.nest(name, |list| {
            F::show(*value, list.f)?;
            match mask {
                Some(mask) if !F::is_all(*mask, true) => {
                    list.f.write_str("/")?;
                    F::show_mask(*mask, list.f)
                }
                _ => Ok(()),
            }
        })
    }

    fn parse(lexer: &mut Lexer<'_>, _: Context) -> Result<(F::Value, F::Value), ParseError> {
        lexer.expect("(")?;
        let scanned = F::scan(lexer)?;
        lexer.expect(")")?;
        Ok(scanned)
    }

    fn is_all(mask: &F::Value, ones: bool) -> bool {
        F::is_all(*mask, ones)
    }
}

/// As [`Single`], but a terse text shows only a value that has a mask: `name()`.
pub(crate) struct Optional<F>(PhantomData<F>);

impl<F: Format> Payload for Optional<F> {
    type Value = F::Value;
    const LEN: Option<usize> = Some(F::LEN);

    #[inline]
    fn encode<S: Sink>(value: &F::Value, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        encode_value::<F, S>(*value, kind, sink)
    }

    fn decode(payload: &[u8], depth: usize) -> Option<F::Value> {
        Single::<F>::decode(payload, depth)
    }

    fn print(
        name: &str,
        value: &F::Value,
        mask: Option<&F::Value>,
        verbose: bool,
        list: &mut List<'_, '_>,
    ) -> fmt::Result {
        if verbose || mask.is_some_and(|mask| *mask != F::ZERO) {
            Single::<F>::print(name, value, mask, verbose, list)
        } else {
            list.item(format_args!("{name}()"))
        }
    }

    fn parse(lexer: &mut Lexer<'_>, context: Context) -> Result<(F::Value, F::Value), ParseError> {
        if lexer.eat("()") {
            return Ok((F::ZERO, F::ZERO));
        }
        Single::<F>::parse(lexer, context)
    }

    fn is_all(mask: &F::Value, ones: bool) -> bool {
        F::is_all(*mask, ones)
    }
}

/// A value with its name: `name=value/mask`.
pub(crate) struct Named<F>(PhantomData<F>);

impl<F: Format> Payload for Named<F> {
    type Value = F::Value;
    const LEN: Option<usize> = Some(F::LEN);

    #[inline]
    fn encode<S: Sink>(value: &F::Value, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        encode_value::<F, S>(*value, kind, sink)
    }

    fn decode(payload: &[u8], depth: usize) -> Option<F::Value> {
        Single::<F>::decode(payload, depth)
    }

    fn print(
        name: &str,
        value: &F::Value,
        mask: Option<&F::Value>,
        verbose: bool,
        list: &mut List<'_, '_>,
    ) -> fmt::Result {
        F::print(name, *value, mask.copied(), verbose, list)
    }

    #[inline]
    fn parse(lexer: &mut Lexer<'_>, _: Context) -> Result<(F::Value, F::Value), ParseError> {
        lexer.expect("=")?;
        F::scan(lexer)
    }

    fn is_all(mask: &F::Value, ones: bool) -> bool {
        F::is_all(*mask, ones)
    }
}

/// An attribute without payload. It stands in no text of its own: `flags(..)` of the tunnel shows it.
pub(crate) struct Flag;

impl Payload for Flag {
    type Value = ();
    const LEN: Option<usize> = Some(0);
    const HAS_TEXT: bool = false;

    fn encode<S: Sink>((): &(), kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        sink.flag(kind)
    }

    fn decode(payload: &[u8], _: usize) -> Option<()> {
        payload.is_empty().then_some(())
    }

    fn print(_: &str, (): &(), _: Option<&()>, _: bool, _: &mut List<'_, '_>) -> fmt::Result {
        Ok(())
    }

    fn parse(lexer: &mut Lexer<'_>, _: Context) -> Result<((), ()), ParseError> {
        Err(lexer.expected("flags(..)"))
    }

    fn is_all((): &(), _: bool) -> bool {
        true
    }
}

#[inline]
pub(super) fn encode_value<F: Format, S: Sink>(
    value: F::Value,
    kind: u16,
    sink: &mut S,
) -> Result<(), EncodeError> {
    let mut bytes = [0; MAX_VALUE];
    F::write(value, &mut bytes[..F::LEN]);
    sink.attr(kind, &bytes[..F::LEN])
}

/// Longer lists of masks have an index.
const LONG_LIST: usize = 64;
/// The longest value that is an attribute of its own: an IPv6 address.
const MAX_VALUE: usize = 16;
