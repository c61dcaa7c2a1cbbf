//! How one value stands in bytes, and in text beside its mask.

use alloc::vec::Vec;
use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr};

use super::MacAddr;
use super::list::List;
use crate::text::ParseError;
use crate::text::lex::Lexer;
use crate::text::print::Printer;

/// Bytes and text of one value, and of the mask beside it.
pub(crate) trait Format {
    type Value: Copy + PartialEq;
    const LEN: usize;
    const ZERO: Self::Value;
    const ONES: Self::Value;
    /// The mask of a value that has none in its text.
    const FULL: Self::Value = Self::ONES;

    /// Reads [`Format::LEN`] bytes.
    fn read(bytes: &[u8]) -> Self::Value;
    /// Writes [`Format::LEN`] bytes.
    fn write(value: Self::Value, bytes: &mut [u8]);
    fn show(value: Self::Value, f: &mut Printer<'_>) -> fmt::Result;
    fn show_mask(mask: Self::Value, f: &mut Printer<'_>) -> fmt::Result;
    fn parse(lexer: &mut Lexer<'_>) -> Result<Self::Value, ParseError>;

    fn is_all(mask: Self::Value, ones: bool) -> bool {
        mask == if ones { Self::ONES } else { Self::ZERO }
    }

    /// `name=value`, `name=value/mask` if the mask is not full; a terse text leaves out what no mask covers.
    fn print(
        name: &str,
        value: Self::Value,
        mask: Option<Self::Value>,
        verbose: bool,
        list: &mut List<'_, '_>,
    ) -> fmt::Result {
        if !verbose && mask == Some(Self::ZERO) {
            return Ok(());
        }
        list.begin(name)?;
        list.f.write_str("=")?;
        Self::show(value, list.f)?;
        match mask {
            Some(mask) if !Self::is_all(mask, true) => {
                list.f.write_str("/")?;
                Self::show_mask(mask, list.f)
            }
            _ => Ok(()),
        }
    }

    /// `value` or `value/mask`.
    #[inline]
    fn scan(lexer: &mut Lexer<'_>) -> Result<(Self::Value, Self::Value), ParseError> {
        let value = Self::parse(lexer)?;
        match lexer.eat("/") {
            false => Ok((value, Self::FULL)),
            true => Self::scan_mask(lexer).map(|mask| (value, mask)),
        }
    }

    /// Apart, so that the compiler puts the rest of [`Format::scan`] where it is called.
    #[cold]
    fn scan_mask(lexer: &mut Lexer<'_>) -> Result<Self::Value, ParseError> {
        Self::parse(lexer)
    }
}

/// Prints as `%#x` of C: hexadecimal after `0x`, but `0`.
pub(crate) struct Alt(pub(crate) u128);

impl fmt::Display for Alt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("0"),
            value => write!(f, "{value:#x}"),
        }
    }
}

/// Numbers by rows `Format Type limit, to_bytes from_bytes, value mask`; value and mask are `dec`, `alt` (as [`Alt`]),
/// `hex` or `word` (four digits).
macro_rules! numbers {
    ($($(#[$doc:meta])* $Format:ident $Type:ident $limit:expr, $to:ident $from:ident, $show:ident $mask:ident;)*) => {$(
        $(#[$doc])*
        pub(crate) struct $Format;

        impl Format for $Format {
            type Value = $Type;
            const LEN: usize = size_of::<$Type>();
            const ZERO: $Type = 0;
            const ONES: $Type = $Type::MAX;
            const FULL: $Type = $limit;

            fn read(bytes: &[u8]) -> $Type {
                bytes.try_into().map_or(0, $Type::$from)
            }

            #[inline]
            fn write(value: $Type, bytes: &mut [u8]) {
                bytes.copy_from_slice(&value.$to());
            }

            fn show(value: $Type, f: &mut Printer<'_>) -> fmt::Result {
                numbers!(@$show value f)
            }

            fn show_mask(mask: $Type, f: &mut Printer<'_>) -> fmt::Result {
                numbers!(@$mask mask f)
            }

            #[inline]
            fn parse(lexer: &mut Lexer<'_>) -> Result<$Type, ParseError> {
                // `number` returns at most the limit, so that the conversion cannot fail.
                lexer.number($limit.into()).map(|n| $Type::try_from(n).unwrap_or($limit))
            }

            fn is_all(mask: $Type, ones: bool) -> bool {
                match ones {
                    true => mask & $limit == $limit,
                    false => mask & $limit == 0,
                }
            }
        }
    )*};
    (@dec $value:ident $f:ident) => { $f.decimal($value.into()) };
    (@alt $value:ident $f:ident) => { $f.alternate($value.into()) };
    (@hex $value:ident $f:ident) => {{
        $f.write_str("0x")?;
        $f.hexadecimal($value.into())
    }};
    (@word $value:ident $f:ident) => {{
        $f.write_str("0x")?;
        $f.octets(&$value.to_be_bytes())
    }};
}

numbers! {
    Dec8 u8 u8::MAX, to_be_bytes from_be_bytes, dec alt;
    Hex8 u8 u8::MAX, to_be_bytes from_be_bytes, alt alt;
    Dec16 u16 u16::MAX, to_be_bytes from_be_bytes, dec alt;
    Hex16 u16 u16::MAX, to_be_bytes from_be_bytes, alt alt;
    EthType u16 u16::MAX, to_be_bytes from_be_bytes, word word;
    /// In the byte order of the host.
    Host16 u16 u16::MAX, to_ne_bytes from_ne_bytes, alt alt;
    /// In the byte order of the host.
    Hex32 u32 u32::MAX, to_ne_bytes from_ne_bytes, alt alt;
    /// In the byte order of the host.
    Dec32 u32 u32::MAX, to_ne_bytes from_ne_bytes, dec alt;
    Net32 u32 u32::MAX, to_be_bytes from_be_bytes, hex hex;
    /// The 20 bits of a flow label.
    Label u32 0xf_ffff_u32, to_be_bytes from_be_bytes, alt alt;
    Hex64 u64 u64::MAX, to_be_bytes from_be_bytes, hex alt;
}

/// 128 bits in the byte order of the host.
pub(crate) struct Hex128;

impl Format for Hex128 {
    type Value = u128;
    const LEN: usize = 16;
    const ZERO: u128 = 0;
    const ONES: u128 = u128::MAX;

    fn read(bytes: &[u8]) -> u128 {
        bytes.try_into().map_or(0, u128::from_ne_bytes)
    }

    #[inline]
    fn write(value: u128, bytes: &mut [u8]) {
        bytes.copy_from_slice(&value.to_ne_bytes());
    }

    fn show(value: u128, f: &mut Printer<'_>) -> fmt::Result {
        write!(f, "{}", Alt(value))
    }

    fn show_mask(mask: u128, f: &mut Printer<'_>) -> fmt::Result {
        Self::show(mask, f)
    }

    fn parse(lexer: &mut Lexer<'_>) -> Result<u128, ParseError> {
        let bytes: [u8; 16] = parse_wide(lexer, 16)?.try_into().unwrap_or_default();
        Ok(u128::from_be_bytes(bytes))
    }
}

/// Reads a number of `len` bytes, the most significant first; one above 64 bits is hexadecimal.
pub(crate) fn parse_wide(lexer: &mut Lexer<'_>, len: usize) -> Result<Vec<u8>, ParseError> {
    lexer.spaces();
    let start = *lexer;
    let mut bytes = alloc::vec![0; len];
    if lexer.eat("0x") || lexer.eat("0X") {
        let digits = lexer.take_while(|c| c.is_ascii_hexdigit());
        let significant = digits.trim_start_matches('0').as_bytes();
        if digits.is_empty() || significant.len() > 2 * len {
            return Err(start.expected("a hexadecimal number that fits"));
        }
        for (byte, digits) in bytes.iter_mut().rev().zip(significant.rchunks(2)) {
            *byte = digits.iter().fold(0, |byte, digit| {
                byte << 4
                    | char::from(*digit)
                        .to_digit(16)
                        .and_then(|n| u8::try_from(n).ok())
                        .unwrap_or(0)
            });
        }
    } else {
        let number = lexer.number(u64::MAX)?.to_be_bytes();
        let zeros = number.iter().take_while(|byte| **byte == 0).count();
        if number.len() - zeros > len {
            return Err(start.expected("a number that fits"));
        }
        for (byte, from) in bytes.iter_mut().rev().zip(number.iter().rev()) {
            *byte = *from;
        }
    }
    Ok(bytes)
}

/// An Ethernet address.
pub(crate) struct Mac;

impl Format for Mac {
    type Value = MacAddr;
    const LEN: usize = 6;
    const ZERO: MacAddr = MacAddr([0; 6]);
    const ONES: MacAddr = MacAddr([0xff; 6]);

    fn read(bytes: &[u8]) -> MacAddr {
        bytes.try_into().map_or(Self::ZERO, MacAddr)
    }

    #[inline]
    fn write(value: MacAddr, bytes: &mut [u8]) {
        bytes.copy_from_slice(&value.0);
    }

    fn show(value: MacAddr, f: &mut Printer<'_>) -> fmt::Result {
        let MacAddr([first, rest @ ..]) = value;
        f.octets(&[first])?;
        rest.iter().try_for_each(|octet| {
            f.write_str(":")?;
            f.octets(&[*octet])
        })
    }

    fn show_mask(mask: MacAddr, f: &mut Printer<'_>) -> fmt::Result {
        Self::show(mask, f)
    }

    fn parse(lexer: &mut Lexer<'_>) -> Result<MacAddr, ParseError> {
        let start = *lexer;
        let text = lexer.take_bytes(|byte| byte.is_ascii_hexdigit() || byte == b':');
        let digit = |byte: u8| {
            char::from(byte)
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
        };
        let mut parts = text
            .as_bytes()
            .split(|byte| *byte == b':')
            .map(|part| match *part {
                [low] => digit(low),
                [high, low] => Some(digit(high)? << 4 | digit(low)?),
                _ => None,
            });
        let mut mac = [0; 6];
        let all = mac
            .iter_mut()
            .all(|byte| parts.next().flatten().inspect(|part| *byte = *part).is_some());
        if !all || parts.next().is_some() {
            return Err(start.expected("an Ethernet address"));
        }
        Ok(MacAddr(mac))
    }
}

/// An IPv4 address.
pub(crate) struct Ip4;

impl Format for Ip4 {
    type Value = Ipv4Addr;
    const LEN: usize = 4;
    const ZERO: Ipv4Addr = Ipv4Addr::UNSPECIFIED;
    const ONES: Ipv4Addr = Ipv4Addr::BROADCAST;

    fn read(bytes: &[u8]) -> Ipv4Addr {
        <[u8; 4]>::try_from(bytes).map_or(Self::ZERO, Ipv4Addr::from)
    }

    #[inline]
    fn write(value: Ipv4Addr, bytes: &mut [u8]) {
        bytes.copy_from_slice(&value.octets());
    }

    fn show(value: Ipv4Addr, f: &mut Printer<'_>) -> fmt::Result {
        let [a, b, c, d] = value.octets();
        f.decimal(a.into())?;
        [b, c, d].into_iter().try_for_each(|octet| {
            f.write_str(".")?;
            f.decimal(octet.into())
        })
    }

    fn show_mask(mask: Ipv4Addr, f: &mut Printer<'_>) -> fmt::Result {
        Self::show(mask, f)
    }

    #[inline]
    fn parse(lexer: &mut Lexer<'_>) -> Result<Ipv4Addr, ParseError> {
        lexer.ipv4()
    }
}

/// An IPv6 address.
pub(crate) struct Ip6;

impl Format for Ip6 {
    type Value = Ipv6Addr;
    const LEN: usize = 16;
    const ZERO: Ipv6Addr = Ipv6Addr::UNSPECIFIED;
    const ONES: Ipv6Addr = Ipv6Addr::from_bits(u128::MAX);

    fn read(bytes: &[u8]) -> Ipv6Addr {
        <[u8; 16]>::try_from(bytes).map_or(Self::ZERO, Ipv6Addr::from)
    }

    #[inline]
    fn write(value: Ipv6Addr, bytes: &mut [u8]) {
        bytes.copy_from_slice(&value.octets());
    }

    /// As `inet_ntop` of glibc, which has an IPv4 address at the end of `::a.b.c.d`, too.
    fn show(value: Ipv6Addr, f: &mut Printer<'_>) -> fmt::Result {
        match value.segments() {
            [0, 0, 0, 0, 0, 0, high, _] if high != 0 => {
                let [.., a, b, c, d] = value.octets();
                write!(f, "::{}", Ipv4Addr::new(a, b, c, d))
            }
            _ => write!(f, "{value}"),
        }
    }

    fn show_mask(mask: Ipv6Addr, f: &mut Printer<'_>) -> fmt::Result {
        Self::show(mask, f)
    }

    fn parse(lexer: &mut Lexer<'_>) -> Result<Ipv6Addr, ParseError> {
        lexer.ipv6()
    }
}

/// `enum ovs_frag_type`; a mask covers all of it or nothing.
pub(crate) struct Frag;

impl Format for Frag {
    type Value = u8;
    const LEN: usize = 1;
    const ZERO: u8 = 0;
    const ONES: u8 = u8::MAX;

    fn read(bytes: &[u8]) -> u8 {
        Dec8::read(bytes)
    }

    #[inline]
    fn write(value: u8, bytes: &mut [u8]) {
        Dec8::write(value, bytes);
    }

    fn show(value: u8, f: &mut Printer<'_>) -> fmt::Result {
        f.write_str(FRAGS.get(usize::from(value)).unwrap_or(&"<error>"))
    }

    fn show_mask(_: u8, _: &mut Printer<'_>) -> fmt::Result {
        Ok(())
    }

    fn parse(lexer: &mut Lexer<'_>) -> Result<u8, ParseError> {
        let start = *lexer;
        let text = lexer.take_while(|c| c.is_ascii_lowercase());
        FRAGS
            .iter()
            .position(|frag| *frag == text)
            .and_then(|value| u8::try_from(value).ok())
            .ok_or_else(|| start.expected("no, first or later"))
    }

    fn print(name: &str, value: u8, mask: Option<u8>, _: bool, list: &mut List<'_, '_>) -> fmt::Result {
        match mask {
            Some(0) => Ok(()),
            None | Some(u8::MAX) => {
                list.begin(name)?;
                list.f.write_str("=")?;
                Self::show(value, list.f)
            }
            Some(mask) => list.item(format_args!(
                "error: partial mask not supported for frag ({})",
                Alt(mask.into())
            )),
        }
    }

    /// Open vSwitch up to 2.3 shows the mask, `no/0xff`; none reads it.
    fn scan(lexer: &mut Lexer<'_>) -> Result<(u8, u8), ParseError> {
        let value = Self::parse(lexer)?;
        match lexer.is_printed() && lexer.eat("/") {
            false => Ok((value, Self::FULL)),
            true => Hex8::parse(lexer).map(|mask| (value, mask)),
        }
    }
}

/// The reserved word of a Neighbour Discovery message, which shows whatever its mask is.
pub(crate) struct Reserved;

impl Format for Reserved {
    type Value = u32;
    const LEN: usize = 4;
    const ZERO: u32 = 0;
    const ONES: u32 = u32::MAX;

    fn read(bytes: &[u8]) -> u32 {
        Net32::read(bytes)
    }

    #[inline]
    fn write(value: u32, bytes: &mut [u8]) {
        Net32::write(value, bytes);
    }

    fn show(value: u32, f: &mut Printer<'_>) -> fmt::Result {
        Net32::show(value, f)
    }

    fn show_mask(mask: u32, f: &mut Printer<'_>) -> fmt::Result {
        Net32::show(mask, f)
    }

    fn parse(lexer: &mut Lexer<'_>) -> Result<u32, ParseError> {
        Net32::parse(lexer)
    }

    fn print(name: &str, value: u32, _: Option<u32>, verbose: bool, list: &mut List<'_, '_>) -> fmt::Result {
        Net32::print(name, value, None, verbose, list)
    }
}

/// Padding inside a payload; `COUNTED` if Open vSwitch looks at it when it asks whether a mask is full or empty.
pub(crate) struct Padding<const N: usize, const COUNTED: bool>;

impl<const N: usize, const COUNTED: bool> Format for Padding<N, COUNTED> {
    type Value = [u8; N];
    const LEN: usize = N;
    const ZERO: [u8; N] = [0; N];
    const ONES: [u8; N] = [u8::MAX; N];

    fn read(bytes: &[u8]) -> [u8; N] {
        bytes.try_into().unwrap_or(Self::ZERO)
    }

    #[inline]
    fn write(value: [u8; N], bytes: &mut [u8]) {
        bytes.copy_from_slice(&value);
    }

    fn show(_: [u8; N], _: &mut Printer<'_>) -> fmt::Result {
        Ok(())
    }

    fn show_mask(_: [u8; N], _: &mut Printer<'_>) -> fmt::Result {
        Ok(())
    }

    fn parse(_: &mut Lexer<'_>) -> Result<[u8; N], ParseError> {
        Ok(Self::ZERO)
    }

    fn is_all(mask: [u8; N], ones: bool) -> bool {
        !COUNTED || mask == if ones { Self::ONES } else { Self::ZERO }
    }
}

pub(crate) type Padding2 = Padding<2, false>;
pub(crate) type Padding3 = Padding<3, false>;
pub(crate) type CountedPadding3 = Padding<3, true>;

const FRAGS: [&str; 3] = ["no", "first", "later"];
