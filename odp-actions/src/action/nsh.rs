//! `OVS_ACTION_ATTR_PUSH_NSH`: a network service header (RFC 8300).

use alloc::vec::Vec;
use core::fmt;

use netlink_genl::nlattr::{Attr, DecodeError, EncodeError, Sink};

use super::nest::{HexNumber, nests, require, silent_about_unknown};
use crate::key::codec::{Codec, Faults};
use crate::text::ParseError;
use crate::text::lex::Lexer;

attributes! {
    /// One attribute of [`PushNsh`] (`OVS_NSH_KEY_ATTR_*`).
    pub enum NshAttr {
        /// The base header.
        1 Base(NshBase) BaseCodec "base";
        /// The four context headers of metadata type 1, in network byte order on the wire.
        2 Md1([u32; 4]) Md1Codec "md1";
        /// The context headers of metadata type 2. Text drops leading zeros.
        3 Md2(Vec<u8>) Md2Codec "md2";
    }
}

silent_about_unknown!(NshAttr);

nests! {
    /// `push_nsh(..)`: on the wire a nest with one key attribute, which holds these.
    PushNsh of NshAttr;
}

/// `struct ovs_nsh_key_base`: 8 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NshBase {
    /// Flags, 2 bits.
    pub flags: u8,
    /// TTL, 6 bits.
    pub ttl: u8,
    /// 1 or 2.
    pub mdtype: u8,
    /// The protocol that follows.
    pub np: u8,
    /// Service path (24 bits) and index (8 bits), in network byte order on the wire.
    pub path_hdr: u32,
}

impl Codec for PushNsh {
    type Value = Self;

    fn encode<S: Sink>(nsh: &Self, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        sink.nest(kind, |sink| nsh.encode_nest(KEY_NSH, sink))
    }

    /// Exactly one key attribute stands inside, the base header and at most one kind of context in it.
    fn decode(attr: &Attr<'_>) -> Result<Self, DecodeError> {
        let missing = DecodeError::Missing {
            offset: attr.offset(),
            kind: KEY_NSH,
        };
        let mut keys = attr.attrs();
        let key = keys.next().ok_or(missing)??;
        if key.raw_kind() != KEY_NSH || keys.next().is_some() {
            return Err(missing);
        }
        let nsh = Self::decode_nest(&key, &mut Faults::default())?;
        require(&key, nsh.attrs.iter().map(NshAttr::kind), &[1])?;
        Ok(nsh)
    }

    fn print(nsh: &Self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{name}(")?;
        let base = nsh.attrs.iter().rev().find_map(|attr| match attr {
            NshAttr::Base(base) => Some(*base),
            _ => None,
        });
        let NshBase {
            flags,
            ttl,
            mdtype,
            np,
            path_hdr,
        } = base.unwrap_or(DEFAULT);
        // The header has 2 bits of flags and 6 of TTL.
        let (flags, ttl, spi, si) = (flags & 3, ttl & 63, path_hdr >> 8, path_hdr & 0xff);
        write!(
            f,
            "flags={flags},ttl={ttl},mdtype={mdtype},np={np},spi={spi:#x},si={si}"
        )?;
        match mdtype {
            1 => {
                let context = nsh.attrs.iter().rev().find_map(|attr| match attr {
                    NshAttr::Md1(context) => Some(*context),
                    _ => None,
                });
                for (i, word) in (1..).zip(context.unwrap_or_default()) {
                    write!(f, ",c{i}={word:#x}")?;
                }
            }
            2 => {
                let metadata = nsh.attrs.iter().rev().find_map(|attr| match attr {
                    NshAttr::Md2(metadata) => Some(metadata.as_slice()),
                    _ => None,
                });
                write!(f, ",md2={}", HexNumber(metadata.unwrap_or_default()))?;
            }
            _ => f.write_str(",<error: unknown mdtype>")?,
        }
        f.write_str(")")
    }

    fn parse(lexer: &mut Lexer<'_>) -> Result<Self, ParseError> {
        let mut base = DEFAULT;
        let (mut spi, mut si) = (0, 255);
        let mut context = [0; 4];
        let mut metadata = None;
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
            let start = *lexer;
            let name = lexer.word("a field of nsh")?;
            lexer.expect("=")?;
            match (name, base.mdtype) {
                ("flags", _) => base.flags = byte(lexer)?,
                ("ttl", _) => base.ttl = byte(lexer)?,
                ("mdtype", _) => {
                    base.mdtype = byte(lexer)?;
                    if !matches!(base.mdtype, 1 | 2) {
                        return Err(start.expected("mdtype=1 or mdtype=2"));
                    }
                }
                ("np", _) => base.np = byte(lexer)?,
                ("spi", _) => spi = word(lexer, 0xff_ffff)?,
                ("si", _) => si = u32::from(byte(lexer)?),
                ("c1", 1) => context[0] = word(lexer, u64::from(u32::MAX))?,
                ("c2", 1) => context[1] = word(lexer, u64::from(u32::MAX))?,
                ("c3", 1) => context[2] = word(lexer, u64::from(u32::MAX))?,
                ("c4", 1) => context[3] = word(lexer, u64::from(u32::MAX))?,
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
        base.path_hdr = spi << 8 | si;
        let context = match base.mdtype {
            1 => Some(NshAttr::Md1(context)),
            _ => metadata.filter(|metadata| !metadata.is_empty()).map(NshAttr::Md2),
        };
        Ok(Self::new([NshAttr::Base(base)].into_iter().chain(context)))
    }
}

struct BaseCodec;

impl Codec for BaseCodec {
    type Value = NshBase;

    fn encode<S: Sink>(base: &NshBase, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        let [a, b, c, d] = base.path_hdr.to_be_bytes();
        sink.attr(kind, &[base.flags, base.ttl, base.mdtype, base.np, a, b, c, d])
    }

    fn decode(attr: &Attr<'_>) -> Result<NshBase, DecodeError> {
        let [flags, ttl, mdtype, np, a, b, c, d] = attr.array()?;
        Ok(NshBase {
            flags,
            ttl,
            mdtype,
            np,
            path_hdr: u32::from_be_bytes([a, b, c, d]),
        })
    }

    fn print(_: &NshBase, _: &str, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }

    fn parse(lexer: &mut Lexer<'_>) -> Result<NshBase, ParseError> {
        Err(lexer.expected("a field of nsh"))
    }
}

struct Md1Codec;

impl Codec for Md1Codec {
    type Value = [u32; 4];

    fn encode<S: Sink>(context: &[u32; 4], kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        let mut bytes = [0; 16];
        for (four, word) in bytes.chunks_exact_mut(4).zip(context) {
            four.copy_from_slice(&word.to_be_bytes());
        }
        sink.attr(kind, &bytes)
    }

    fn decode(attr: &Attr<'_>) -> Result<[u32; 4], DecodeError> {
        let bytes: [u8; 16] = attr.array()?;
        let mut context = [0; 4];
        for (word, four) in context.iter_mut().zip(bytes.chunks_exact(4)) {
            *word = four.iter().fold(0, |word, byte| word << 8 | u32::from(*byte));
        }
        Ok(context)
    }

    fn print(_: &[u32; 4], _: &str, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }

    fn parse(lexer: &mut Lexer<'_>) -> Result<[u32; 4], ParseError> {
        Err(lexer.expected("a field of nsh"))
    }
}

struct Md2Codec;

impl Codec for Md2Codec {
    type Value = Vec<u8>;

    fn encode<S: Sink>(metadata: &Vec<u8>, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        sink.attr(kind, metadata)
    }

    fn decode(attr: &Attr<'_>) -> Result<Vec<u8>, DecodeError> {
        Ok(attr.payload().to_vec())
    }

    fn print(_: &Vec<u8>, _: &str, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }

    fn parse(lexer: &mut Lexer<'_>) -> Result<Vec<u8>, ParseError> {
        Err(lexer.expected("a field of nsh"))
    }
}

/// What text leaves out: metadata type 1 around Ethernet.
const DEFAULT: NshBase = NshBase {
    flags: 0,
    ttl: 63,
    mdtype: 1,
    np: 3,
    path_hdr: 255,
};
/// `OVS_KEY_ATTR_NSH`.
const KEY_NSH: u16 = 28;
/// `NSH_CTX_HDRS_MAX_LEN`.
const MAX_CONTEXT: usize = 248;
