//! `OVS_KEY_ATTR_TUNNEL`.

use alloc::vec::Vec;
use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr};

use netlink_genl::nlattr::{Attr, Attrs, EncodeError, HEADER_LEN, Sink};

use super::flags::{parse_flags, print_flags, print_masked_flags};
use super::format::{Dec8, Dec16, Hex8, Hex64, Ip4, Ip6};
use super::geneve::GeneveOpts;
use super::header::Gtpu;
use super::list::List;
use super::options::{Erspan, VxlanAttr, VxlanOpts};
use super::pairs::{Pairs, fit};
use super::payload::{
    Attribute, Context, Flag, Masks, Named, Payload, TextAttribute, decode_prefix, parse_misfit, print_each,
    whole_attrs,
};
use super::{MAX_DEPTH, parse_raw_masked, print_raw};
use crate::text::ParseError;
use crate::text::lex::Lexer;

keys! {
    /// One attribute inside a tunnel key (`OVS_TUNNEL_KEY_ATTR_*` of `linux/openvswitch.h`).
    ///
    /// Numbers are in network byte order. Sizes are those of the whole attribute.
    pub enum TunnelAttr {
        /// `ID`, 12 bytes: the tunnel key (VNI, GRE key).
        0 Id(u64): Named<Hex64>, "tun_id";
        /// `IPV4_SRC`, 8 bytes: the outer source address; OVS writes it for a port with `local_ip`.
        1 Ipv4Src(Ipv4Addr): Named<Ip4>, "src";
        /// `IPV4_DST`, 8 bytes: the outer destination address.
        2 Ipv4Dst(Ipv4Addr): Named<Ip4>, "dst";
        /// `TOS`, 8 bytes: TOS of the outer header, ECN bits included. OVS leaves it out if it is 0.
        3 Tos(u8): Named<Hex8>, "tos";
        /// `TTL`, 8 bytes: TTL of the outer header. The kernel refuses a tunnel key without it.
        4 Ttl(u8): Named<Dec8>, "ttl";
        /// `DONT_FRAGMENT`, 4 bytes, a flag.
        5 DontFragment: Flag, "df";
        /// `CSUM`, 4 bytes, a flag: compute the outer checksum.
        6 Csum: Flag, "csum";
        /// `OAM`, 4 bytes, a flag.
        7 Oam: Flag, "oam";
        /// `GENEVE_OPTS`: all options of the header.
        8 Geneve(GeneveOpts): GeneveOpts, "geneve";
        /// `TP_SRC`, 8 bytes: the outer source port.
        9 TpSrc(u16): Named<Dec16>, "tp_src";
        /// `TP_DST`, 8 bytes: the outer destination port. OVS writes it since 2.7.
        10 TpDst(u16): Named<Dec16>, "tp_dst";
        /// `VXLAN_OPTS`: the Group Based Policy.
        11 Vxlan(VxlanOpts): VxlanOpts, "vxlan";
        /// `IPV6_SRC`, 20 bytes.
        12 Ipv6Src(Ipv6Addr): Named<Ip6>, "ipv6_src";
        /// `IPV6_DST`, 20 bytes.
        13 Ipv6Dst(Ipv6Addr): Named<Ip6>, "ipv6_dst";
        /// `ERSPAN_OPTS`, 16 bytes.
        15 Erspan(Erspan): Erspan, "erspan";
        /// `GTPU_OPTS` of Open vSwitch, 8 bytes. In the kernel the number is that of the flag `IPV4_INFO_BRIDGE`, which
        /// has no payload and stays `Unknown`.
        16 Gtpu(Gtpu): Gtpu, "gtpu";
    }
}

impl TunnelAttr {
    const NESTS: &[u16] = &[11];

    /// The length that Open vSwitch wants of an attribute without a row; 14 is padding.
    fn len_of_unknown(kind: u16) -> Option<usize> {
        (kind == 14).then_some(0)
    }

    /// Its bit in `flags(..)`, or 0.
    fn flag(&self) -> u32 {
        match self {
            Self::Oam => 1,
            Self::DontFragment => 2,
            Self::Csum => 4,
            _ => 0,
        }
    }

    /// Whether `mask` covers each part of the attribute whole, or not at all, because the text has not named it.
    fn is_whole(&self, mask: &Self) -> bool {
        let is_whole = |part: u32, ones: u32| part == 0 || part == ones;
        match (self, mask) {
            (Self::Geneve(opts), Self::Geneve(mask)) => opts.is_whole(mask),
            (Self::Vxlan(_), Self::Vxlan(mask)) => mask.attrs().iter().all(|mask| match mask {
                VxlanAttr::Gbp(gbp) => {
                    is_whole(gbp.id().into(), 0xffff) && is_whole(gbp.flags().into(), 0xff)
                }
                VxlanAttr::Unknown(_) => false,
            }),
            (_, Self::Gtpu(mask)) => is_whole(mask.flags.into(), 0xff) && is_whole(mask.msgtype.into(), 0xff),
            (_, Self::Unknown(mask)) => mask.payload.iter().all(|byte| *byte == u8::MAX),
            _ => mask.is_all(true),
        }
    }

    /// Prints an attribute of the right length.
    fn print(&self, mask: Option<&Self>, verbose: bool, list: &mut List<'_, '_>) -> fmt::Result {
        let Self::Unknown(raw) = self else {
            // Open vSwitch takes no mask for an empty one here, and here alone.
            let is_hidden = matches!(self, Self::Id(_)) && mask.is_none() && !verbose;
            return if is_hidden {
                Ok(())
            } else {
                self.print_known(mask, verbose, list)
            };
        };
        match Self::decode_at(raw.kind(), &raw.payload, 0) {
            Self::Unknown(_) if raw.kind() == 11 => {
                VxlanOpts::print("vxlan", &VxlanOpts::prefix_of(&raw.payload), None, verbose, list)
            }
            Self::Unknown(_) if raw.kind() == 14 => Ok(()),
            Self::Unknown(_) => {
                let mask = mask.map(Self::payload);
                // Open vSwitch asks by the wrong table whether the mask is exact: that of the flow keys.
                let exact =
                    |mask: &[u8]| matches!(raw.kind(), 17..=30) && mask.iter().all(|byte| *byte == u8::MAX);
                print_raw(raw, mask.as_deref().filter(|mask| !exact(mask)), list)
            }
            known => known.print_known(mask, verbose, list),
        }
    }
}

/// A tunnel key: its attributes in the order in which they stand, or will stand, in the message.
///
/// OVS, the kernel's dump and a text each have an order of their own; keeping it makes decoding and encoding the
/// identity. A flood has thousands of tunnel keys that are written far more often than looked into, so what is kept is
/// their bytes, and [`Tunnel::attrs`] takes them apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tunnel {
    bytes: Vec<u8>,
}

impl Tunnel {
    /// A key of these attributes.
    ///
    /// # Errors
    /// [`EncodeError::AttrTooBig`]: one of them does not fit the 16 bits of its length.
    pub fn new(attrs: impl IntoIterator<Item = TunnelAttr>) -> Result<Self, EncodeError> {
        let mut tunnel = Self::default();
        attrs
            .into_iter()
            .try_for_each(|attr| attr.encode(&mut tunnel.bytes))?;
        Ok(tunnel)
    }

    /// The attributes in order.
    pub fn attrs(&self) -> impl Iterator<Item = TunnelAttr> + '_ {
        let attrs = Attrs::new(&self.bytes).map_while(Result::ok);
        attrs.map(|attr| TunnelAttr::decode(&attr))
    }

    /// The attributes as they stand in a message.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether `mask` covers all that it has a value for. Flags count as covered.
    pub(crate) fn is_whole(&self, mask: &Self) -> bool {
        // A text without masks, as most are, needs no look at the single attributes.
        let mut masks = mask.counted();
        let is_covered = |attr: Attr<'_>| {
            let mask = masks.next().filter(|mask| mask.raw_kind() == attr.raw_kind());
            mask.is_some_and(|mask| mask.payload().iter().all(|byte| *byte == u8::MAX))
        };
        if self.counted().all(is_covered) {
            return true;
        }
        let masks: Vec<_> = mask.attrs().collect();
        let mut masks = Masks::new(&masks);
        self.attrs()
            .filter(|attr| attr.flag() == 0)
            .all(|attr| masks.next_of(&attr).is_some_and(|mask| attr.is_whole(mask)))
    }

    /// The attributes that are no flags.
    fn counted(&self) -> impl Iterator<Item = Attr<'_>> {
        let attrs = Attrs::new(&self.bytes).map_while(Result::ok);
        attrs.filter(|attr| !matches!((attr.raw_kind(), attr.payload()), (5..=7, [])))
    }

    /// A key of attributes that are short, or were attributes before, and so are known to fit.
    pub(crate) fn of_fitting(attrs: impl IntoIterator<Item = TunnelAttr>) -> Self {
        Self::new(attrs).unwrap_or_default()
    }

    /// What can be read of a list that is no whole one.
    pub(super) fn prefix_of(payload: &[u8]) -> Self {
        Self::of_fitting(decode_prefix(payload).0)
    }

    /// The bits of `flags(..)` for the flags that are there.
    fn flags(&self) -> u32 {
        self.attrs().fold(0, |flags, attr| flags | attr.flag())
    }

    /// Reads the key, and its mask; there is none if it would cover everything and `has_mask` does not say that it is
    /// wanted.
    pub(crate) fn parse_masked(
        lexer: &mut Lexer<'_>,
        context: Context,
        has_mask: bool,
    ) -> Result<(Self, Option<Self>), ParseError> {
        let mut pairs = Pairs::new(has_mask);
        lexer.expect("(")?;
        while !lexer.eat(")") {
            // No comma stands behind one.
            if lexer.starts_with("key") && parse_misfit_part(&mut pairs, lexer)? {
                continue;
            }
            parse_part(&mut pairs, lexer, context)?;
            if !lexer.eat(",") {
                lexer.expect(")")?;
                break;
            }
        }
        let tunnel = Self { bytes: pairs.values };
        Ok((tunnel, pairs.masks.map(|bytes| Self { bytes })))
    }
}

impl Payload for Tunnel {
    type Value = Self;
    const LEN: Option<usize> = None;

    fn encode<S: Sink>(tunnel: &Self, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        sink.attr(kind, &tunnel.bytes)
    }

    fn decode(payload: &[u8], depth: usize) -> Option<Self> {
        let is_whole = depth < MAX_DEPTH && whole_attrs(payload).all(|attr| attr.is_some());
        is_whole.then(|| Self {
            bytes: payload.to_vec(),
        })
    }

    fn print(
        name: &str,
        tunnel: &Self,
        mask: Option<&Self>,
        verbose: bool,
        list: &mut List<'_, '_>,
    ) -> fmt::Result {
        list.nest(name, |list| {
            let (mut flags, mut covered) = (0, mask.map_or(0, |mask| mask.flags()));
            let masks: Option<Vec<_>> = mask.map(|mask| mask.attrs().collect());
            print_each(tunnel.attrs(), masks.as_deref(), list, |attr, mask, list| {
                flags |= attr.flag();
                // Open vSwitch shows the presence of the tunnel id as a flag of its own.
                if matches!(attr, TunnelAttr::Id(_)) {
                    flags |= FLAG_KEY;
                    covered |= FLAG_KEY;
                }
                attr.print(mask, verbose, list)
            })?;
            match mask {
                None => {
                    list.begin("flags(")?;
                    print_flags(&FLAGS, flags, list.f)?;
                    list.f.write_str(")")
                }
                Some(_) if verbose || covered != 0 => {
                    list.begin("flags(")?;
                    print_masked_flags(&FLAGS, flags, covered, ALL_FLAGS, list.f)?;
                    list.f.write_str(")")
                }
                Some(_) => Ok(()),
            }
        })
    }

    fn parse(lexer: &mut Lexer<'_>, context: Context) -> Result<(Self, Self), ParseError> {
        let (tunnel, mask) = Self::parse_masked(lexer, context, true)?;
        Ok((tunnel, mask.unwrap_or_default()))
    }

    fn is_all(tunnel: &Self, _: bool) -> bool {
        tunnel.bytes.is_empty()
    }
}

/// Reads what stands between two commas.
#[inline]
fn parse_part(pairs: &mut Pairs, lexer: &mut Lexer<'_>, context: Context) -> Result<(), ParseError> {
    let start = *lexer;
    if lexer.eat_word("flags") {
        return parse_flag_names(pairs, lexer, start.offset());
    }
    if lexer.starts_with("vxlan(") {
        return parse_vxlan(pairs, lexer, context);
    }
    if let Some(parsed) = TunnelAttr::parse_into(lexer, context, pairs) {
        return parsed;
    }
    let name = lexer.word("a tunnel attribute")?;
    let kind = name.strip_prefix("key").and_then(|kind| kind.parse().ok());
    let kind = kind.ok_or_else(|| start.expected("a tunnel attribute"))?;
    let (attr, mask): (TunnelAttr, TunnelAttr) = parse_raw_masked(kind, lexer)?;
    fit(mask.encode(pairs.masks()), start.offset())?;
    fit(attr.encode(&mut pairs.values), start.offset())
}

/// Whether an attribute of a wrong length stood there.
#[cold]
fn parse_misfit_part(pairs: &mut Pairs, lexer: &mut Lexer<'_>) -> Result<bool, ParseError> {
    let offset = lexer.offset();
    let Some((attr, mask)) = parse_misfit::<TunnelAttr>(lexer)? else {
        return Ok(false);
    };
    fit(mask.encode(pairs.masks()), offset)?;
    fit(attr.encode(&mut pairs.values), offset)?;
    Ok(true)
}

/// As any other attribute, but Open vSwitch writes no VXLAN options if there are none.
#[cold]
fn parse_vxlan(pairs: &mut Pairs, lexer: &mut Lexer<'_>, context: Context) -> Result<(), ParseError> {
    let ends = [pairs.masks().len(), pairs.values.len()];
    if let Some(parsed) = TunnelAttr::parse_into(lexer, context, pairs) {
        parsed?;
    }
    if lexer.is_printed() {
        return Ok(());
    }
    let Pairs { values, masks } = pairs;
    for (bytes, end) in masks.iter_mut().chain([values]).zip(ends) {
        if bytes.len() == end + HEADER_LEN {
            bytes.truncate(end);
        }
    }
    Ok(())
}

/// Reads `(df|csum|key)`.
fn parse_flag_names(pairs: &mut Pairs, lexer: &mut Lexer<'_>, offset: usize) -> Result<(), ParseError> {
    lexer.expect("(")?;
    let (flags, mask) = parse_flags(&FLAGS, ALL_FLAGS, lexer)?;
    // A terse flow shows no more than this of a tunnel id that is there, but not matched.
    if lexer.is_printed() && flags & FLAG_KEY != 0 {
        add_hidden_id(pairs);
    }
    // Flags count as covered. Only masks behind them tell where theirs stands.
    if pairs.masks.is_some() || !lexer.starts_with(")") {
        fit(encode_flags(mask.unwrap_or(ALL_FLAGS), pairs.masks()), offset)?;
    }
    fit(encode_flags(flags, &mut pairs.values), offset)
}

/// Appends flags in the order DF, CSUM, OAM, as Open vSwitch writes them from text.
fn encode_flags(flags: u32, bytes: &mut Vec<u8>) -> Result<(), EncodeError> {
    static ORDER: [TunnelAttr; 3] = [TunnelAttr::DontFragment, TunnelAttr::Csum, TunnelAttr::Oam];
    let mut set = ORDER.iter().filter(|flag| flags & flag.flag() != 0);
    set.try_for_each(|flag| bytes.flag(flag.kind()))
}

/// Puts in a tunnel id that is not matched, unless there is one.
fn add_hidden_id(pairs: &mut Pairs) {
    let mut attrs = Attrs::new(&pairs.values).map_while(Result::ok);
    if !attrs.any(|attr| matches!(TunnelAttr::decode(&attr), TunnelAttr::Id(_))) {
        let id = Tunnel::of_fitting([TunnelAttr::Id(0)]).bytes;
        pairs.masks().splice(0..0, id.iter().copied());
        pairs.values.splice(0..0, id);
    }
}

/// The bits of `flags(..)` from the lowest, which are no bits of an attribute.
const FLAGS: [&str; 4] = ["oam", "df", "csum", "key"];
const FLAG_KEY: u32 = 8;
const ALL_FLAGS: u32 = 15;
