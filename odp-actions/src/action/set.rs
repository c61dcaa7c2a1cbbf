//! `OVS_ACTION_ATTR_SET` and `SET_MASKED`: a nest around one key attribute.

use alloc::boxed::Box;
use core::fmt;

use netlink_genl::nlattr::{Attr, DecodeError, EncodeError, HEADER_LEN, Sink, attr_len};

use super::Action;
use crate::key::codec::Codec;
use crate::key::payload::Context;
use crate::key::{Key, List, MaskedKey, Tunnel};
use crate::text::ParseError;
use crate::text::lex::Lexer;
use crate::text::print::Printer;

/// `set(KEY)`.
pub(super) struct SetCodec;

impl Codec for SetCodec {
    type Value = Key;

    fn encode<S: Sink>(key: &Key, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        sink.nest(kind, |sink| key.encode(sink))
    }

    /// Exactly one key attribute stands inside: the kernel refuses none and more.
    fn decode(attr: &Attr<'_>) -> Result<Key, DecodeError> {
        let wrong = |wanted| DecodeError::WrongSize {
            offset: attr.offset(),
            kind: attr.kind(),
            wanted,
            got: attr.payload().len(),
        };
        let mut keys = attr.attrs();
        let key = keys.next().ok_or(wrong(HEADER_LEN))??;
        match keys.next() {
            None => Ok(Key::decode(&key)),
            Some(_) => Err(wrong(attr_len(key.payload().len()))),
        }
    }

    fn print(key: &Key, name: &str, f: &mut Printer<'_>) -> fmt::Result {
        f.write_str(name)?;
        f.write_str("(")?;
        key.print(None, true, &mut List::new(f))?;
        f.write_str(")")
    }

    fn parse(lexer: &mut Lexer<'_>) -> Result<Key, ParseError> {
        lexer.expect("(")?;
        let key = Key::parse_from(lexer)?;
        lexer.expect(")")?;
        Ok(key)
    }
}

/// `set(ipv4(ttl=64/0xf0))`: a nest around one key attribute, whose payload is the value and then the mask.
pub(super) struct SetMaskedCodec;

impl Codec for SetMaskedCodec {
    type Value = Box<MaskedKey>;

    fn encode<S: Sink>(set: &Box<MaskedKey>, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        sink.nest(kind, |sink| set.encode(sink))
    }

    fn decode(attr: &Attr<'_>) -> Result<Box<MaskedKey>, DecodeError> {
        let missing = DecodeError::Missing {
            offset: attr.offset(),
            kind: attr.kind(),
        };
        let mut keys = attr.attrs();
        let key = keys.next().ok_or(missing)??;
        match keys.next() {
            None => MaskedKey::decode(&key)
                .map(Box::new)
                .ok_or(DecodeError::WrongSize {
                    offset: key.offset(),
                    kind: key.kind(),
                    wanted: key.payload().len().next_multiple_of(2).min(MAX_MASKED),
                    got: key.payload().len(),
                }),
            Some(_) => Err(missing),
        }
    }

    fn print(set: &Box<MaskedKey>, _: &str, f: &mut Printer<'_>) -> fmt::Result {
        f.write_str("set(")?;
        set.print(f)?;
        f.write_str(")")
    }

    fn parse(lexer: &mut Lexer<'_>) -> Result<Box<MaskedKey>, ParseError> {
        lexer.expect("(")?;
        let set = MaskedKey::parse_from(lexer)?;
        lexer.expect(")")?;
        Ok(Box::new(set))
    }
}

/// Reads either, which have one word in text: Open vSwitch takes the short one if the mask covers everything.
pub(super) fn parse_set(lexer: &mut Lexer<'_>) -> Result<Action, ParseError> {
    lexer.expect("(")?;
    // Floods are made of these, and hardly ever have a mask.
    if lexer.eat_word("tunnel") {
        let (tunnel, mask) = Tunnel::parse_masked(lexer, Context::default(), false)?;
        lexer.expect(")")?;
        return Ok(match mask.filter(|mask| !tunnel.is_whole(mask)) {
            None => Action::Set(Key::Tunnel(tunnel)),
            Some(mask) => set_masked(Key::Tunnel(tunnel), Key::Tunnel(mask)),
        });
    }
    let set = MaskedKey::parse_from(lexer)?;
    lexer.expect(")")?;
    Ok(match set.is_exact() {
        true => Action::Set(set.key),
        false => set_masked(set.key, set.mask),
    })
}

/// The long one, unless its mask would not be as long as the value.
fn set_masked(key: Key, mask: Key) -> Action {
    let set = Box::new(MaskedKey { key, mask });
    match set.is_aligned() {
        true => Action::SetMasked(set),
        false => Action::Set(set.key),
    }
}

/// The most that Open vSwitch reads as value and mask: two IPv6 headers.
const MAX_MASKED: usize = 80;
