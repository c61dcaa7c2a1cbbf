//! What VXLAN and ERSPAN tunnels carry besides addresses and key.

use alloc::vec::Vec;
use core::fmt;

use netlink_genl::nlattr::{EncodeError, Sink};

use super::format::{Alt, Dec8, Dec16, Format, Hex8, Hex32};
use super::list::List;
use super::payload::{
    Attribute, Context, Payload, TextAttribute, decode_nest, decode_prefix, encode_nest, parse_misfit,
    print_each,
};
use super::print_raw;
use crate::text::ParseError;
use crate::text::lex::Lexer;

/// Bytes without a text.
pub(super) struct Bytes;

impl Payload for Bytes {
    type Value = Vec<u8>;
    const LEN: Option<usize> = None;

    fn encode<S: Sink>(bytes: &Vec<u8>, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        sink.attr(kind, bytes)
    }

    fn decode(payload: &[u8], _: usize) -> Option<Vec<u8>> {
        Some(payload.to_vec())
    }

    fn print(_: &str, _: &Vec<u8>, _: Option<&Vec<u8>>, _: bool, _: &mut List<'_, '_>) -> fmt::Result {
        Ok(())
    }

    fn parse(lexer: &mut Lexer<'_>, _: Context) -> Result<(Vec<u8>, Vec<u8>), ParseError> {
        Err(lexer.expected("an attribute that has a text"))
    }

    fn is_all(bytes: &Vec<u8>, ones: bool) -> bool {
        bytes.iter().all(|byte| *byte == if ones { u8::MAX } else { 0 })
    }
}

/// `struct erspan_metadata`, 12 bytes: the version in the byte order of the host, and 8 bytes by version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Erspan {
    /// 1 (type II) or 2 (type III).
    pub version: u32,
    /// Version 1: the index, 4 bytes in network byte order. Version 2: timestamp (4), security group tag (2), and
    /// two bytes of bits.
    pub data: [u8; 8],
}

impl Erspan {
    /// The index of version 1.
    pub fn index(&self) -> u32 {
        let [a, b, c, d, ..] = self.data;
        u32::from_be_bytes([a, b, c, d])
    }

    /// The direction of version 2.
    pub fn direction(&self) -> u8 {
        self.data[7] >> 3 & 1
    }

    /// The low four bits of the hardware id of version 2: those that the text shows.
    pub fn hardware_id(&self) -> u8 {
        self.data[7] >> 4
    }
}

impl Payload for Erspan {
    type Value = Self;
    const LEN: Option<usize> = None;

    fn encode<S: Sink>(erspan: &Self, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&erspan.version.to_ne_bytes());
        bytes[4..].copy_from_slice(&erspan.data);
        sink.attr(kind, &bytes)
    }

    fn decode(payload: &[u8], _: usize) -> Option<Self> {
        let (version, data) = payload.split_first_chunk()?;
        Some(Self {
            version: u32::from_ne_bytes(*version),
            data: data.try_into().ok()?,
        })
    }

    fn print(
        name: &str,
        erspan: &Self,
        mask: Option<&Self>,
        verbose: bool,
        list: &mut List<'_, '_>,
    ) -> fmt::Result {
        list.nest(name, |list| {
            let [ver, ..] = erspan.version.to_le_bytes();
            let ver_mask = mask.map(|mask| mask.version.to_le_bytes()[0]);
            Dec8::print("ver", ver, ver_mask, verbose, list)?;
            match erspan.version {
                1 => {
                    list.item(format_args!("idx={}", Alt(erspan.index().into())))?;
                    mask.map_or(Ok(()), |mask| write!(list.f, "/{}", Alt(mask.index().into())))
                }
                2 => {
                    Dec8::print(
                        "dir",
                        erspan.direction(),
                        mask.map(Self::direction),
                        verbose,
                        list,
                    )?;
                    Hex8::print(
                        "hwid",
                        erspan.hardware_id(),
                        mask.map(Self::hardware_id),
                        verbose,
                        list,
                    )
                }
                _ => Ok(()),
            }
        })
    }

    fn parse(lexer: &mut Lexer<'_>, _: Context) -> Result<(Self, Self), ParseError> {
        lexer.expect("(")?;
        let start = *lexer;
        let mut version = (0, 0);
        if lexer.eat("ver=") {
            version = Dec8::scan(lexer)?;
        } else if lexer.is_printed() {
            // A version that is not matched is not in a terse line.
            version.0 = if lexer.starts_with("idx=") { 1 } else { 2 };
        }
        lexer.eat(",");
        let mut erspan = Self {
            version: version.0.into(),
            data: [0; 8],
        };
        // Open vSwitch drops the mask of the version, and takes all bits that the text does not show as covered.
        let mut mask = Self {
            version: match version.1 {
                u8::MAX => u32::MAX,
                covered if lexer.is_printed() => covered.into(),
                _ => u32::MAX,
            },
            data: [u8::MAX; 8],
        };
        match version.0 {
            1 => {
                let mut index = (0, 0);
                if lexer.eat("idx=") {
                    index = Hex32::scan(lexer)?;
                }
                erspan.data[..4].copy_from_slice(&index.0.to_be_bytes());
                mask.data[..4].copy_from_slice(&index.1.to_be_bytes());
            }
            2 => {
                let (mut direction, mut hardware) = ((0, 0), (0, 0));
                if lexer.eat("dir=") {
                    direction = Dec8::scan(lexer)?;
                }
                lexer.eat(",");
                if lexer.eat("hwid=") {
                    hardware = Hex8::scan(lexer)?;
                }
                erspan.data[7] = direction.0 << 7 >> 4 | hardware.0 << 4;
                mask.data[7] = 7 | direction.1 << 7 >> 4 | hardware.1 << 4;
            }
            _ => return Err(start.expected("ver=1 or ver=2")),
        }
        lexer.expect(")")?;
        Ok((erspan, mask))
    }

    fn is_all(mask: &Self, ones: bool) -> bool {
        let (word, byte) = if ones { (u32::MAX, u8::MAX) } else { (0, 0) };
        mask.version == word && mask.data == [byte; 8]
    }
}

keys! {
    /// One attribute inside VXLAN options (`OVS_VXLAN_EXT_*` of `linux/openvswitch.h`).
    pub enum VxlanAttr {
        /// `GBP`, 8 bytes: the Group Based Policy.
        1 Gbp(Gbp): Gbp, "gbp";
    }
}

impl VxlanAttr {
    const NESTS: &[u16] = &[];

    /// The length that Open vSwitch wants of an attribute without a row, up to its last number.
    fn len_of_unknown(kind: u16) -> Option<usize> {
        (kind <= 8).then_some(0)
    }
}

/// A group policy id in the low 16 bits, flags in the next 8, in the byte order of the host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Gbp(pub u32);

impl Gbp {
    /// Of an id and flags.
    pub const fn new(id: u16, flags: u8) -> Self {
        Self((flags as u32) << 16 | id as u32)
    }

    /// The policy id.
    pub fn id(&self) -> u16 {
        let [low, high, ..] = self.0.to_le_bytes();
        u16::from_le_bytes([low, high])
    }

    /// The flags.
    pub fn flags(&self) -> u8 {
        self.0.to_le_bytes()[2]
    }
}

impl Payload for Gbp {
    type Value = Self;
    const LEN: Option<usize> = Some(4);

    fn encode<S: Sink>(gbp: &Self, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        sink.attr_u32(kind, gbp.0)
    }

    fn decode(payload: &[u8], _: usize) -> Option<Self> {
        payload.try_into().ok().map(u32::from_ne_bytes).map(Self)
    }

    fn print(
        name: &str,
        gbp: &Self,
        mask: Option<&Self>,
        verbose: bool,
        list: &mut List<'_, '_>,
    ) -> fmt::Result {
        list.nest(name, |list| {
            Dec16::print("id", gbp.id(), mask.map(Self::id), verbose, list)?;
            Hex8::print("flags", gbp.flags(), mask.map(Self::flags), verbose, list)
        })
    }

    fn parse(lexer: &mut Lexer<'_>, _: Context) -> Result<(Self, Self), ParseError> {
        let (mut id, mut flags) = ((0, 0), (0, 0));
        lexer.expect("(")?;
        if lexer.eat("id=") {
            id = Dec16::scan(lexer)?;
        }
        lexer.eat(",");
        if lexer.eat("flags=") {
            flags = Hex8::scan(lexer)?;
        }
        lexer.expect(")")?;
        Ok((Self::new(id.0, flags.0), Self::new(id.1, flags.1)))
    }

    fn is_all(mask: &Self, ones: bool) -> bool {
        mask.0 == if ones { u32::MAX } else { 0 }
    }
}

/// VXLAN options: the attributes in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct VxlanOpts {
    attrs: Vec<VxlanAttr>,
}

impl VxlanOpts {
    /// Options of these attributes.
    pub fn new(attrs: impl IntoIterator<Item = VxlanAttr>) -> Self {
        Self {
            attrs: attrs.into_iter().collect(),
        }
    }

    /// The attributes in order.
    pub fn attrs(&self) -> &[VxlanAttr] {
        &self.attrs
    }

    pub(super) fn prefix_of(payload: &[u8]) -> Self {
        Self {
            attrs: decode_prefix(payload).0,
        }
    }

    /// Attributes of a wrong length, and nothing else.
    fn parse_misfits(lexer: &mut Lexer<'_>) -> Result<(Self, Self), ParseError> {
        let mut pairs = Vec::new();
        while !lexer.eat(")") {
            let pair = parse_misfit(lexer)?;
            pairs.push(pair.ok_or_else(|| lexer.expected("an attribute of a wrong length"))?);
        }
        let (attrs, masks) = pairs.into_iter().unzip();
        Ok((Self { attrs }, Self { attrs: masks }))
    }
}

impl Payload for VxlanOpts {
    type Value = Self;
    const LEN: Option<usize> = None;

    fn encode<S: Sink>(opts: &Self, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        encode_nest(&opts.attrs, kind, sink)
    }

    fn decode(payload: &[u8], depth: usize) -> Option<Self> {
        decode_nest(payload, depth).map(|attrs| Self { attrs })
    }

    fn print(
        name: &str,
        opts: &Self,
        mask: Option<&Self>,
        verbose: bool,
        list: &mut List<'_, '_>,
    ) -> fmt::Result {
        list.nest(name, |list| {
            let masks = mask.map(|mask| &mask.attrs[..]);
            print_each(&opts.attrs, masks, list, |attr, mask, list| match attr.raw() {
                Some(raw) => print_raw(raw, mask.map(Attribute::payload).as_deref(), list),
                None => attr.print_known(mask, verbose, list),
            })
        })
    }

    fn parse(lexer: &mut Lexer<'_>, context: Context) -> Result<(Self, Self), ParseError> {
        lexer.expect("(")?;
        if lexer.eat(")") {
            return Ok(Default::default());
        }
        if lexer.starts_with("key") {
            return Self::parse_misfits(lexer);
        }
        lexer.expect("gbp")?;
        let (value, mask) = Gbp::parse(lexer, context)?;
        lexer.expect(")")?;
        // Open vSwitch writes no attribute for a policy of zeros, and none for a mask of zeros.
        let opts = |gbp: Gbp| Self::new((lexer.is_printed() || gbp.0 != 0).then_some(VxlanAttr::Gbp(gbp)));
        Ok((opts(value), opts(mask)))
    }

    fn is_all(opts: &Self, ones: bool) -> bool {
        opts.attrs.iter().all(|attr| attr.is_all(ones))
    }
}
