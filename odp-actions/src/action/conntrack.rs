//! `OVS_ACTION_ATTR_CT`: connection tracking.

mod nat;

use alloc::borrow::ToOwned;
use alloc::ffi::CString;
use alloc::vec::Vec;
use core::fmt;

use netlink_genl::nlattr::{Attr, DecodeError, EncodeError, RawAttr, Sink};

use self::nat::NatCodec;
pub use self::nat::{Nat, NatAttr};
use super::nest::{HexNumber, nests, strictly};
use crate::key::codec::{Codec, Faults, Flag};
use crate::key::format::Alt;
use crate::text::ParseError;
use crate::text::lex::Lexer;
use crate::text::print::Printer;

attributes! {
    /// One attribute of [`Ct`] (`OVS_CT_ATTR_*`). Numbers are in host byte order.
    pub enum CtAttr {
        /// Commit the connection.
        1 Commit Flag "commit";
        /// The zone. A kernel's dump always has one.
        2 Zone(u16) Zone "zone";
        /// Value and mask of the connection's mark.
        3 Mark(Masked<u32>) Mark "mark";
        /// Value and mask of the connection's label.
        4 Labels(Masked<u128>) Labels "label";
        /// A helper, such as `ftp`.
        5 Helper(CString) Helper "helper";
        /// Address translation.
        6 Nat(Nat) NatCodec "nat";
        /// Commit it, or replace the entry of the other direction.
        7 ForceCommit Flag "force_commit";
        /// Which events conntrack tells of. Text does not show it.
        8 EventMask(u32) EventMask "event_mask";
        /// A timeout policy.
        9 Timeout(CString) Timeout "timeout";
    }
}

nests! {
    /// `ct(..)`.
    Ct of CtAttr;
}

impl CtAttr {
    /// Open vSwitch passes over what it does not know, and says so of a `nat` that it cannot read.
    fn print_unknown(unknown: &RawAttr, f: &mut Printer<'_>) -> fmt::Result {
        f.write_str(if unknown.kind() == KIND_NAT {
            "nat(error: nl_parse_nested() failed.)"
        } else {
            ""
        })
    }
}

/// A value and the bits of it that count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Masked<T> {
    /// The value.
    pub value: T,
    /// The bits that count.
    pub mask: T,
}

impl Codec for Ct {
    type Value = Self;

    fn encode<S: Sink>(ct: &Self, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        ct.encode_nest(kind, sink)
    }

    fn decode(attr: &Attr<'_>) -> Result<Self, DecodeError> {
        strictly(attr, Self::decode_in)
    }

    /// A bad `nat` costs itself only.
    fn decode_in(attr: &Attr<'_>, faults: &mut Faults) -> Result<Self, DecodeError> {
        let mut attrs = Vec::new();
        for attr in attr.attrs() {
            let attr = attr?;
            attrs.push(match CtAttr::decode_in(&attr, faults) {
                Err(error) if attr.kind() == KIND_NAT => {
                    faults.add(error);
                    CtAttr::Unknown(attr.into())
                }
                decoded => decoded?,
            });
        }
        Ok(Self { attrs })
    }

    fn print(ct: &Self, name: &str, f: &mut Printer<'_>) -> fmt::Result {
        f.write_str(name)?;
        let mut before = "(";
        for kind in TEXT_ORDER {
            match ct.attrs.iter().rev().find(|attr| attr.kind() == kind) {
                // Zone 0 is the one that a packet is in anyway.
                None | Some(CtAttr::Zone(0)) => {}
                Some(attr) => {
                    f.write_str(before)?;
                    attr.print(f)?;
                    before = ",";
                }
            }
        }
        f.write_str(if before == "," { ")" } else { "" })
    }

    /// Bytes in the order of Open vSwitch's parser, whatever that of the text.
    fn parse(lexer: &mut Lexer<'_>) -> Result<Self, ParseError> {
        let mut attrs: Vec<CtAttr> = Vec::new();
        if lexer.eat("(") {
            loop {
                lexer.separators();
                if lexer.eat(")") {
                    break;
                }
                let start = *lexer;
                let name = lexer.word("an attribute of ct")?;
                let attr = CtAttr::parse(name, lexer).filter(|_| name != "event_mask");
                let attr = attr.ok_or_else(|| start.expected("an attribute of ct"))??;
                attrs.retain(|before| before.kind() != attr.kind());
                attrs.push(attr);
            }
        }
        if attrs.contains(&CtAttr::Commit) && attrs.contains(&CtAttr::ForceCommit) {
            return Err(lexer.expected("either commit or force_commit before this"));
        }
        // What has no effect is not written.
        attrs.retain(|attr| match attr {
            CtAttr::Zone(zone) => *zone != 0,
            CtAttr::Mark(mark) => mark.mask != 0,
            CtAttr::Labels(label) => label.mask != 0,
            _ => true,
        });
        attrs.sort_by_key(|attr| TEXT_ORDER.iter().position(|kind| *kind == attr.kind()));
        Ok(Self { attrs })
    }
}

/// COMMIT, FORCE_COMMIT, ZONE, MARK, LABELS, HELPER, TIMEOUT, NAT.
const TEXT_ORDER: [u16; 8] = [1, 7, 2, 3, 4, 5, 9, KIND_NAT];
/// `OVS_CT_ATTR_NAT`.
const KIND_NAT: u16 = 6;

/// `zone=5`: a `u16` in host byte order, decimal whatever its first digit.
struct Zone;

impl Codec for Zone {
    type Value = u16;

    fn encode<S: Sink>(zone: &u16, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        sink.attr_u16(kind, *zone)
    }

    fn decode(attr: &Attr<'_>) -> Result<u16, DecodeError> {
        attr.u16()
    }

    fn print(zone: &u16, name: &str, f: &mut Printer<'_>) -> fmt::Result {
        write!(f, "{name}={zone}")
    }

    fn parse(lexer: &mut Lexer<'_>) -> Result<u16, ParseError> {
        lexer.expect("=")?;
        port(lexer)
    }
}

/// `mark=0x1/0xff`: value and mask, in hexadecimal with or without `0x`.
struct Mark;

impl Codec for Mark {
    type Value = Masked<u32>;

    fn encode<S: Sink>(mark: &Masked<u32>, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        let [a, b, c, d] = mark.value.to_ne_bytes();
        let [e, f, g, h] = mark.mask.to_ne_bytes();
        sink.attr(kind, &[a, b, c, d, e, f, g, h])
    }

    fn decode(attr: &Attr<'_>) -> Result<Masked<u32>, DecodeError> {
        let [a, b, c, d, e, f, g, h] = attr.array()?;
        Ok(Masked {
            value: u32::from_ne_bytes([a, b, c, d]),
            mask: u32::from_ne_bytes([e, f, g, h]),
        })
    }

    fn print(mark: &Masked<u32>, name: &str, f: &mut Printer<'_>) -> fmt::Result {
        write!(f, "{name}={}/{}", Alt(mark.value.into()), Alt(mark.mask.into()))
    }

    fn parse(lexer: &mut Lexer<'_>) -> Result<Masked<u32>, ParseError> {
        // Read with a limit that fits.
        let word = |lexer: &mut Lexer<'_>| {
            lexer
                .hex(u64::from(u32::MAX))
                .map(|n| u32::try_from(n).unwrap_or(u32::MAX))
        };
        lexer.expect("=")?;
        let value = word(lexer)?;
        let mask = if lexer.eat("/") { word(lexer)? } else { u32::MAX };
        Ok(Masked { value, mask })
    }
}

/// `label=0x1/0xff`: 128 bits in host byte order.
struct Labels;

impl Codec for Labels {
    type Value = Masked<u128>;

    fn encode<S: Sink>(label: &Masked<u128>, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        let mut bytes = [0; 32];
        bytes[..16].copy_from_slice(&label.value.to_ne_bytes());
        bytes[16..].copy_from_slice(&label.mask.to_ne_bytes());
        sink.attr(kind, &bytes)
    }

    fn decode(attr: &Attr<'_>) -> Result<Masked<u128>, DecodeError> {
        let bytes: [u8; 32] = attr.array()?;
        let (mut value, mut mask) = ([0; 16], [0; 16]);
        value.copy_from_slice(&bytes[..16]);
        mask.copy_from_slice(&bytes[16..]);
        Ok(Masked {
            value: u128::from_ne_bytes(value),
            mask: u128::from_ne_bytes(mask),
        })
    }

    fn print(label: &Masked<u128>, name: &str, f: &mut Printer<'_>) -> fmt::Result {
        write!(f, "{name}={}", HexNumber(&label.value.to_be_bytes()))?;
        if label.mask == u128::MAX {
            Ok(())
        } else {
            write!(f, "/{}", HexNumber(&label.mask.to_be_bytes()))
        }
    }

    fn parse(lexer: &mut Lexer<'_>) -> Result<Masked<u128>, ParseError> {
        lexer.expect("=")?;
        let value = lexer.number128()?;
        let mask = if lexer.eat("/") {
            lexer.number128()?
        } else {
            u128::MAX
        };
        Ok(Masked { value, mask })
    }
}

/// A string with a NUL: `helper=ftp`, `timeout=policy`.
macro_rules! names {
    ($($Codec:ident $limit:literal;)*) => {$(
        struct $Codec;

        impl Codec for $Codec {
            type Value = CString;

            fn encode<S: Sink>(name: &CString, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
                sink.attr(kind, name.as_bytes_with_nul())
            }

            /// The string is the whole payload, its NUL included, so that encoding gives the same bytes.
            fn decode(attr: &Attr<'_>) -> Result<CString, DecodeError> {
                let name = attr.c_str()?;
                match attr.payload().len() == name.to_bytes_with_nul().len() && name.count_bytes() <= $limit {
                    true => Ok(name.to_owned()),
                    false => Err(DecodeError::WrongSize {
                        offset: attr.offset(),
                        kind: attr.kind(),
                        wanted: name.count_bytes().min($limit) + 1,
                        got: attr.payload().len(),
                    }),
                }
            }

            fn print(value: &CString, name: &str, f: &mut Printer<'_>) -> fmt::Result {
                write!(f, "{name}={}", value.to_string_lossy())
            }

            fn parse(lexer: &mut Lexer<'_>) -> Result<CString, ParseError> {
                lexer.expect("=")?;
                let start = *lexer;
                CString::new(lexer.name($limit)?).map_err(|_| start.expected("a name without NUL"))
            }
        }
    )*};
}

names! {
    Helper 15;
    Timeout 31;
}

/// A `u32` that text does not show.
struct EventMask;

impl Codec for EventMask {
    type Value = u32;

    fn encode<S: Sink>(mask: &u32, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        sink.attr_u32(kind, *mask)
    }

    fn decode(attr: &Attr<'_>) -> Result<u32, DecodeError> {
        attr.u32()
    }

    fn print(mask: &u32, name: &str, f: &mut Printer<'_>) -> fmt::Result {
        write!(f, "{name}={mask:#x}")
    }

    fn parse(lexer: &mut Lexer<'_>) -> Result<u32, ParseError> {
        Err(lexer.expected("an attribute that has a text"))
    }
}

fn port(lexer: &mut Lexer<'_>) -> Result<u16, ParseError> {
    // Read with a limit that fits.
    lexer
        .decimal(0xffff)
        .map(|port| u16::try_from(port).unwrap_or(u16::MAX))
}
