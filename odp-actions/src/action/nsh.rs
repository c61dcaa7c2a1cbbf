//! `OVS_ACTION_ATTR_PUSH_NSH`: a network service header (RFC 8300).

use alloc::vec::Vec;
use core::fmt;

use netlink_genl::nlattr::{Attr, DecodeError, EncodeError, Sink};

use super::nest::{HexNumber, require};
use crate::key::codec::Codec;
use crate::key::payload::Payload;
use crate::key::{Nsh, NshAttr, NshBase, NshContext};
use crate::text::ParseError;
use crate::text::lex::Lexer;
use crate::text::print::Printer;

/// `push_nsh(..)`: on the wire a nest with one key attribute, which holds those of the header.
pub(super) struct PushNsh;

impl Codec for PushNsh {
    type Value = Nsh;

    fn encode<S: Sink>(nsh: &Nsh, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        sink.nest(kind, |sink| <Nsh as Payload>::encode(nsh, KEY_NSH, sink))
    }

    /// Exactly one key attribute stands inside, the base header in it. Unlike a key, it has nothing of a wrong length.
    fn decode(attr: &Attr<'_>) -> Result<Nsh, DecodeError> {
        let missing = DecodeError::Missing {
            offset: attr.offset(),
            kind: KEY_NSH,
        };
        let mut keys = attr.attrs();
        let key = keys.next().ok_or(missing)??;
        if key.raw_kind() != KEY_NSH || keys.next().is_some() {
            return Err(missing);
        }
        let attrs: Vec<NshAttr> = key
            .attrs()
            .map(|attr| decode_attr(&attr?))
            .collect::<Result<_, _>>()?;
        require(&key, attrs.iter().map(NshAttr::kind), &[1])?;
        Ok(Nsh::new(attrs))
    }

    fn print(nsh: &Nsh, name: &str, f: &mut Printer<'_>) -> fmt::Result {
        write!(f, "{name}(")?;
        let base = nsh.attrs().iter().rev().find_map(|attr| match attr {
            NshAttr::Base(base) => Some(*base),
            _ => None,
        });
        let NshBase {
            flags,
            ttl,
            mdtype,
            np,
            path,
        } = base.unwrap_or(DEFAULT);
        // The header has 2 bits of flags and 6 of TTL.
        let (flags, ttl, spi, si) = (flags & 3, ttl & 63, path >> 8, path & 0xff);
        write!(
            f,
            "flags={flags},ttl={ttl},mdtype={mdtype},np={np},spi={spi:#x},si={si}"
        )?;
        match mdtype {
            1 => {
                let context = nsh.attrs().iter().rev().find_map(|attr| match attr {
                    NshAttr::Md1(context) => Some(*context),
                    _ => None,
                });
                let NshContext { c1, c2, c3, c4 } = context.unwrap_or_default();
                write!(f, ",c1={c1:#x},c2={c2:#x},c3={c3:#x},c4={c4:#x}")?;
            }
            2 => {
                let metadata = nsh.attrs().iter().rev().find_map(|attr| match attr {
                    NshAttr::Md2(metadata) => Some(metadata.as_slice()),
                    _ => None,
                });
                write!(f, ",md2={}", HexNumber(metadata.unwrap_or_default()))?;
            }
            _ => f.write_str(",<error: unknown mdtype>")?,
        }
        f.write_str(")")
    }

    fn parse(lexer: &mut Lexer<'_>) -> Result<Nsh, ParseError> {
        let mut base = DEFAULT;
        let (mut spi, mut si) = (0, 255);
        let mut context = NshContext::default();
        let mut metadata = None;
        // Where the type of the metadata stands, and whether Open vSwitch says that it does not know it.
        let (mut mdtype, mut is_unknown) = (*lexer, false);
        // Each number is read with a limit that fits.
        let byte = |lexer: &mut Lexer<'_>| lexer.number(0xff).map(|n| u8::try_from(n).unwrap_or(u8::MAX));
        let word = |lexer: &mut Lexer<'_>, limit| {
            let start = *lexer;
            if !start.starts_with("0x") {
                return Err(start.expected("0x and a hexadecimal number"));
            }
            lexer.hex(limit).map(|n| u32::try_from(n).unwrap_or(u32::MAX))
        };
        lexer.expect("(")?;
        loop {
            lexer.separators();
            if lexer.eat(")") {
                break;
            }
            if lexer.eat("<error: unknown mdtype>") {
                is_unknown = true;
                continue;
            }
            let start = *lexer;
            let name = lexer.word("a field of nsh")?;
            lexer.expect("=")?;
            match (name, base.mdtype) {
                ("flags", _) => base.flags = byte(lexer)?,
                ("ttl", _) => base.ttl = byte(lexer)?,
                ("mdtype", _) => (mdtype, base.mdtype) = (start, byte(lexer)?),
                ("np", _) => base.np = byte(lexer)?,
                ("spi", _) => spi = word(lexer, 0xff_ffff)?,
                ("si", _) => si = u32::from(byte(lexer)?),
                ("c1", 1) => context.c1 = word(lexer, u64::from(u32::MAX))?,
                ("c2", 1) => context.c2 = word(lexer, u64::from(u32::MAX))?,
                ("c3", 1) => context.c3 = word(lexer, u64::from(u32::MAX))?,
                ("c4", 1) => context.c4 = word(lexer, u64::from(u32::MAX))?,
                ("md2", 2) => {
                    let mut bytes = lexer.hex_string()?;
                    bytes.resize(bytes.len().next_multiple_of(4), 0);
                    if bytes.len() > MAX_CONTEXT {
                        return Err(start.expected("at most 248 bytes of metadata"));
                    }
                    metadata = Some(bytes);
                }
                _ => return Err(start.expected("a field of nsh")),
            }
        }
        if is_unknown == matches!(base.mdtype, 1 | 2) {
            return Err(mdtype.expected("mdtype=1 or mdtype=2"));
        }
        base.path = spi << 8 | si;
        let context = match base.mdtype {
            1 => Some(NshAttr::Md1(context)),
            _ => metadata.filter(|metadata| !metadata.is_empty()).map(NshAttr::Md2),
        };
        Ok(Nsh::new([NshAttr::Base(base)].into_iter().chain(context)))
    }
}

fn decode_attr(attr: &Attr<'_>) -> Result<NshAttr, DecodeError> {
    let wrong = |wanted| DecodeError::WrongSize {
        offset: attr.offset(),
        kind: attr.kind(),
        wanted,
        got: attr.payload().len(),
    };
    match (NshAttr::decode(attr), attr.raw_kind()) {
        (NshAttr::Unknown(_), 1) => Err(wrong(8)),
        (NshAttr::Unknown(_), 2) => Err(wrong(16)),
        (known, _) => Ok(known),
    }
}

/// What text leaves out: metadata type 1 around Ethernet.
const DEFAULT: NshBase = NshBase {
    flags: 0,
    ttl: 63,
    mdtype: 1,
    np: 3,
    path: 255,
};
/// `OVS_KEY_ATTR_NSH`.
const KEY_NSH: u16 = 28;
/// `NSH_CTX_HDRS_MAX_LEN`.
const MAX_CONTEXT: usize = 248;
