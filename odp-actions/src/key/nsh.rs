//! `OVS_KEY_ATTR_NSH`: the Network Service Header.

use alloc::vec::Vec;
use core::fmt;

use netlink_genl::nlattr::{EncodeError, Sink};

use super::header::{NshBase, NshContext};
use super::list::List;
use super::options::Bytes;
use super::payload::{Attribute, Context, Masks, Payload, decode_nest, decode_prefix, encode_nest};
use crate::text::ParseError;
use crate::text::lex::Lexer;

keys! {
    /// One attribute inside an NSH key (`OVS_NSH_KEY_ATTR_*` of `linux/openvswitch.h`).
    pub enum NshAttr {
        /// `BASE`, 12 bytes.
        1 Base(NshBase): NshBase, "base";
        /// `MD1`, 20 bytes: metadata of type 1.
        2 Md1(NshContext): NshContext, "md1";
        /// `MD2`: metadata of type 2, which no text shows.
        3 Md2(Vec<u8>): Bytes, "md2";
    }
}

impl NshAttr {
    const NESTS: &[u16] = &[];

    /// The length that Open vSwitch wants of an attribute without a row.
    fn len_of_unknown(kind: u16) -> Option<usize> {
        (kind == 0).then_some(0)
    }
}

/// An NSH key: its attributes in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Nsh {
    attrs: Vec<NshAttr>,
}

impl Nsh {
    /// A key of these attributes.
    pub fn new(attrs: impl IntoIterator<Item = NshAttr>) -> Self {
        Self {
            attrs: attrs.into_iter().collect(),
        }
    }

    /// The attributes in order.
    pub fn attrs(&self) -> &[NshAttr] {
        &self.attrs
    }

    pub(super) fn prefix_of(payload: &[u8]) -> Self {
        Self {
            attrs: decode_prefix(payload).0,
        }
    }

    /// As [`Payload::print`], but what is not there is not covered.
    pub(super) fn print_in_set(&self, mask: &Self, list: &mut List<'_, '_>) -> fmt::Result {
        let (fields, masks) = (self.fields(Fields::default()), mask.fields(Fields::default()));
        list.nest("nsh", |list| print_masked(&fields, &masks, list))
    }

    /// The fields of all attributes; `nothing` for the ones that are not there.
    fn fields(&self, nothing: Fields) -> Fields {
        self.attrs.iter().fold(nothing, |fields, attr| match attr {
            NshAttr::Base(base) => Fields {
                base: *base,
                ..fields
            },
            NshAttr::Md1(context) => Fields {
                context: *context,
                ..fields
            },
            _ => fields,
        })
    }
}

impl Payload for Nsh {
    type Value = Self;
    const LEN: Option<usize> = None;

    fn encode<S: Sink>(nsh: &Self, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        encode_nest(&nsh.attrs, kind, sink)
    }

    fn decode(payload: &[u8], depth: usize) -> Option<Self> {
        decode_nest(payload, depth).map(|attrs| Self { attrs })
    }

    /// Without a mask all fields, with one those that it covers, terse and verbose alike.
    fn print(name: &str, nsh: &Self, mask: Option<&Self>, _: bool, list: &mut List<'_, '_>) -> fmt::Result {
        list.nest(name, |list| {
            let masks = || Masks::new(mask.map_or(&[][..], |mask| &mask.attrs));
            let mut each = masks();
            for attr in &nsh.attrs {
                let mask = each.next_of(attr);
                if attr.is_misfit(mask) {
                    write!(list.f, "key{}", attr.kind())?;
                    attr.print_misfit(mask, list.f)?;
                }
            }
            let fields = nsh.fields(Fields::default());
            match mask {
                None => print_fields(&fields, list),
                Some(_) => {
                    // Only a mask whose value is there counts; without one all bits do.
                    let mut each = masks();
                    let masks = nsh.attrs.iter().filter_map(|attr| each.next_of(attr));
                    let masks = Self::new(masks.cloned());
                    print_masked(&fields, &masks.fields(Fields::ONES), list)
                }
            }
        })
    }

    /// Open vSwitch has a parser of this key whose result it throws away; this is its language.
    fn parse(lexer: &mut Lexer<'_>, _: Context) -> Result<(Self, Self), ParseError> {
        let (mut value, mut mask) = (Fields::default(), Fields::default());
        lexer.expect("(")?;
        while let Some(name) = NAMES.iter().position(|name| lexer.eat(name)) {
            let full: u32 = match name {
                ..=3 | 5 => 0xff,
                4 => 0xff_ffff,
                _ => u32::MAX,
            };
            lexer.spaces();
            let number = number(lexer, full)?;
            let covered = if lexer.eat("/") {
                lexer.spaces();
                number_of_mask(lexer, full)?
            } else {
                full
            };
            value.set(name, number);
            mask.set(name, covered);
            if !lexer.eat(",") {
                break;
            }
        }
        lexer.expect(")")?;
        let has_context = value.context != NshContext::default();
        let attrs = if value.base.mdtype == 1 || mask.base.mdtype == 0 || has_context {
            Vec::from([NshAttr::Base(value.base), NshAttr::Md1(value.context)])
        } else {
            Vec::from([NshAttr::Base(value.base)])
        };
        let masks = [NshAttr::Base(mask.base), NshAttr::Md1(mask.context)];
        Ok((Self { attrs }, Self::new(masks)))
    }

    fn is_all(nsh: &Self, _: bool) -> bool {
        nsh.attrs.is_empty()
    }
}

/// What the text shows.
#[derive(Clone, Copy, Default)]
struct Fields {
    base: NshBase,
    context: NshContext,
}

impl Fields {
    const ONES: Self = Self {
        base: NshBase {
            flags: u8::MAX,
            ttl: u8::MAX,
            mdtype: u8::MAX,
            np: u8::MAX,
            path: u32::MAX,
        },
        context: NshContext {
            c1: u32::MAX,
            c2: u32::MAX,
            c3: u32::MAX,
            c4: u32::MAX,
        },
    };

    /// The values in the order of [`NAMES`].
    fn values(&self) -> [u32; 10] {
        let NshBase {
            flags,
            ttl,
            mdtype,
            np,
            path,
        } = self.base;
        let NshContext { c1, c2, c3, c4 } = self.context;
        let [flags, ttl, mdtype, np] = [flags, ttl, mdtype, np].map(u32::from);
        [flags, ttl, mdtype, np, path >> 8, path & 0xff, c1, c2, c3, c4]
    }

    /// Sets the value of `NAMES[name]`.
    fn set(&mut self, name: usize, value: u32) {
        let byte = u8::try_from(value).unwrap_or(u8::MAX);
        match name {
            0 => self.base.flags = byte,
            1 => self.base.ttl = byte,
            2 => self.base.mdtype = byte,
            3 => self.base.np = byte,
            4 => self.base.path = self.base.path & 0xff | value << 8,
            5 => self.base.path = self.base.path & !0xff | value,
            6 => self.context.c1 = value,
            7 => self.context.c2 = value,
            8 => self.context.c3 = value,
            _ => self.context.c4 = value,
        }
    }
}

fn print_fields(fields: &Fields, list: &mut List<'_, '_>) -> fmt::Result {
    // The context follows metadata of type 1 alone.
    let shown = if fields.base.mdtype == 1 { 10 } else { 6 };
    for (i, (name, value)) in NAMES.iter().zip(fields.values()).take(shown).enumerate() {
        match i {
            ..=3 | 5 => list.item(format_args!("{name}{value}"))?,
            _ => list.item(format_args!("{name}{value:#x}"))?,
        }
    }
    Ok(())
}

fn print_masked(fields: &Fields, masks: &Fields, list: &mut List<'_, '_>) -> fmt::Result {
    for (i, (name, (value, mask))) in NAMES
        .iter()
        .zip(fields.values().into_iter().zip(masks.values()))
        .enumerate()
    {
        match (i, mask) {
            (_, 0) => {}
            (..=3 | 5, 0xff) => list.item(format_args!("{name}{value}"))?,
            (..=3 | 5, _) => list.item(format_args!("{name}{value:#04x}/{mask:#04x}"))?,
            (4, 0xff_ffff) | (6.., u32::MAX) => list.item(format_args!("{name}{value:#x}"))?,
            _ => list.item(format_args!("{name}{value:#x}/{mask:#010x}"))?,
        }
    }
    Ok(())
}

fn number(lexer: &mut Lexer<'_>, limit: u32) -> Result<u32, ParseError> {
    lexer
        .number(limit.into())
        .map(|n| u32::try_from(n).unwrap_or(limit))
}

fn number_of_mask(lexer: &mut Lexer<'_>, full: u32) -> Result<u32, ParseError> {
    match full {
        0xff_ffff => Ok(number(lexer, u32::MAX)? & full),
        _ => number(lexer, full),
    }
}

const NAMES: [&str; 10] = [
    "flags=", "ttl=", "mdtype=", "np=", "spi=", "si=", "c1=", "c2=", "c3=", "c4=",
];

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;
    use crate::FlowKey;

    #[test]
    fn reads_what_open_vswitch_prints_and_cannot_read() {
        for text in [
            "nsh(flags=2,ttl=63,mdtype=1,np=3,spi=0x123,si=255,c1=0x1,c2=0x2,c3=0x3,c4=0x4)",
            "nsh(flags=0x02/0x0f,mdtype=1,spi=0x100/0x00000f00,c2=0x2/0x000000ff)",
            "nsh(np=4)",
            "nsh()",
            // Without metadata of type 1 the printer takes what is not there for zeros that count.
            "nsh(mdtype=2,np=3,c1=0x0,c2=0x0,c3=0x0,c4=0x0)",
        ] {
            let key: FlowKey = text.parse().unwrap();
            assert_eq!(key.to_string(), text);
            let (mut keys, mut masks) = (Vec::new(), Vec::new());
            key.encode(&mut keys).unwrap();
            key.encode_masks(&mut masks).unwrap();
            assert_eq!(FlowKey::decode(&keys, &masks).unwrap(), key);
        }
    }

    #[test]
    fn metadata_stands_where_its_type_says() {
        let kinds = |text: &str| -> Vec<u16> {
            let key: FlowKey = text.parse().unwrap();
            let [super::super::Key::Nsh(nsh)] = key.keys() else {
                panic!("{key:?}");
            };
            nsh.attrs().iter().map(NshAttr::kind).collect()
        };
        assert_eq!(kinds("nsh(mdtype=1)"), [1, 2]);
        assert_eq!(kinds("nsh(mdtype=2)"), [1]);
        assert_eq!(kinds("nsh(np=1,c1=7)"), [1, 2]);
    }

    #[test]
    fn refuses_a_path_above_24_bits() {
        assert_eq!(
            "nsh(spi=0x1000000)".parse::<FlowKey>(),
            Err(ParseError::TooBig {
                offset: 8,
                found: "0x1000000".into(),
                limit: 0xff_ffff
            })
        );
    }
}
