//! The words of the language. The only file that knows `nom`.

use core::{ops::Range, time::Duration};

use nom::{
    Err, IResult, Parser,
    branch::alt,
    bytes::complete::{tag, take_while, take_while_m_n, take_while1},
    character::complete::{char, digit1, hex_digit1, one_of},
    combinator::{all_consuming, cut, eof, map, opt, recognize, rest, value},
    error::{ErrorKind as NomKind, ParseError as NomError},
    multi::many0_count,
    sequence::{delimited, preceded, separated_pair, terminated},
};

use crate::text::{
    error::{ErrorKind, Fault},
    scan,
};

/// The header of a reply: its words, not yet typed.
pub(super) struct HeaderWords<'a> {
    pub(super) nxst: bool,
    /// The digits after `OF1.`.
    pub(super) minor: Option<&'a [u8]>,
    /// The hexadecimal digits of the transaction id.
    pub(super) xid: &'a [u8],
    pub(super) more: bool,
    /// The hexadecimal digits of flags that have no name.
    pub(super) unknown_flags: Option<&'a [u8]>,
    /// The name of the error, if the first flow of the message could not be decoded.
    pub(super) decode_error: Option<&'a [u8]>,
}

/// `OFPST_FLOW reply (OF1.3) (xid=0x2): flags=[more]`. `None`: the line is not a header.
pub(super) fn header(text: &[u8]) -> Option<Result<HeaderWords<'_>, Fault>> {
    if !matches!(text, [b'N' | b'O', ..]) {
        return None;
    }
    let kind = alt((
        value(true, tag("NXST_FLOW reply")),
        value(false, tag("OFPST_FLOW reply")),
    ));
    let minor = opt(delimited(
        tag(" (OF1."),
        cut(expect("a version", digit1)),
        cut(text_of(")", "`)`")),
    ));
    let xid = delimited(
        text_of(" (xid=0x", "` (xid=0x`"),
        expect("a hexadecimal number", hex_digit1),
        text_of("):", "`):`"),
    );
    let unknown = delimited(
        tag("[***unknown flags 0x"),
        cut(expect("a hexadecimal number", hex_digit1)),
        cut(text_of("***]", "`***]`")),
    );
    let flags = preceded(tag(" flags="), (opt(tag("[more]")), opt(unknown)));
    let error = opt(preceded(char(' '), decode_error_words()));
    let words = map(
        (kind, minor, cut(xid), opt(flags), error),
        |(nxst, minor, xid, flags, decode_error)| {
            let (more, unknown_flags) = flags.unwrap_or_default();
            HeaderWords {
                nxst,
                minor,
                xid,
                more: more.is_some(),
                unknown_flags,
                decode_error,
            }
        },
    );
    finish(
        text,
        terminated(words, cut(expect("end of line", eof))).parse(text),
    )
}

/// The name in `***decode error: OFPBAC_BAD_VENDOR_TYPE***`.
pub(super) fn decode_error(text: &[u8]) -> Option<Result<&[u8], Fault>> {
    finish(
        text,
        terminated(decode_error_words(), cut(expect("end of line", eof))).parse(text),
    )
}

fn decode_error_words<'a>() -> impl Parser<&'a [u8], Output = &'a [u8], Error = Stop<'a>> {
    delimited(
        tag("***decode error: "),
        cut(expect("the name of an error", take_while1(|byte| byte != b'*'))),
        cut(text_of("***", "`***`")),
    )
}

/// The offset and the bytes of a line of a hex dump, both as digits; the bytes as characters may
/// follow between bars.
pub(super) fn hex_line(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let hex = |min, max| take_while_m_n(min, max, |byte: u8| byte.is_ascii_hexdigit());
    let bytes = recognize((hex(2, 2), many0_count((one_of(" -"), hex(2, 2)))));
    // The dash between the eighth and the ninth byte is printed in a short line, too.
    let chars = (take_while(|byte| b" -".contains(&byte)), opt((char('|'), rest)));
    let line: IResult<_, _, Stop<'_>> =
        all_consuming(terminated(separated_pair(hex(8, 16), tag("  "), bytes), chars)).parse(text);
    line.ok().map(|(_, line)| line)
}

/// A key of the match or the name of an action: letters, digits and underscores.
pub(super) fn word(text: &[u8]) -> &[u8] {
    &text[..scan::word_end(text, 0)]
}

/// A number, as C's `strtoull` reads it with base 0. `None`: it is none, or above `u128::MAX`.
pub(super) fn number(text: &[u8]) -> Option<u128> {
    let (radix, digits) = radix(text);
    self::digits(radix, digits)
}

/// Whether the text is a number, however large.
pub(super) fn is_number(text: &[u8]) -> bool {
    let (radix, digits) = radix(text);
    !digits.is_empty() && digits.iter().all(|byte| digit(radix, *byte).is_some())
}

fn radix(text: &[u8]) -> (u8, &[u8]) {
    match text {
        [b'0', b'x' | b'X', digits @ ..] => (16, digits),
        [b'0', digits @ ..] if !digits.is_empty() => (8, digits),
        digits => (10, digits),
    }
}

/// The number that the text begins with, as in [`number`], and what follows it. `None`: there is none, it is octal, or
/// it may have more than 64 bits.
#[inline]
pub(super) fn leading_number(text: &[u8]) -> Option<(u64, &[u8])> {
    match text {
        [b'0', b'x' | b'X', digits @ ..] => leading_digits::<16>(digits),
        [b'0', b'0'..=b'9', ..] => None,
        digits => leading_digits::<10>(digits),
    }
}

/// The digits that the text begins with, at least one and so many as fit into 64 bits in every radix.
#[inline]
fn leading_digits<const RADIX: u8>(text: &[u8]) -> Option<(u64, &[u8])> {
    let (mut number, mut rest) = (0_u64, text);
    while let [first, behind @ ..] = rest {
        let Some(value) = digit(RADIX, *first) else { break };
        number = number.wrapping_mul(RADIX.into()).wrapping_add(value.into());
        rest = behind;
    }
    matches!(text.len() - rest.len(), 1..=16).then_some((number, rest))
}

/// The IPv4 address that the text begins with: four numbers of 8 bits without zeros in front, and what follows it.
#[inline]
pub(super) fn leading_ipv4(text: &[u8]) -> Option<(u32, &[u8])> {
    let (mut addr, mut rest) = (0, text);
    for part in 0..4 {
        if part > 0 {
            rest = rest.strip_prefix(b".")?;
        }
        let (byte, behind) = leading_digits::<10>(rest)?;
        let len = rest.len() - behind.len();
        if byte > 255 || len > 1 && rest[0] == b'0' {
            return None;
        }
        addr = addr << 8 | u32::try_from(byte).ok()?;
        rest = behind;
    }
    Some((addr, rest))
}

/// Six bytes of two hexadecimal digits each, with colons between.
#[inline]
pub(super) fn ethernet(text: &[u8]) -> Option<[u8; 6]> {
    let text: &[u8; 17] = text.try_into().ok()?;
    let mut bytes = [0; 6];
    for (byte, digits) in bytes.iter_mut().zip(text.chunks(3)) {
        *byte = match digits {
            [high, low] | [high, low, b':'] => digit(16, *high)? << 4 | digit(16, *low)?,
            _ => return None,
        };
    }
    Some(bytes)
}

/// The value of these digits. `None`: they are none, or it is above `u128::MAX`.
pub(super) fn digits(radix: u8, digits: &[u8]) -> Option<u128> {
    let mut values = digits.iter().map(|byte| digit(radix, *byte));
    // So many fit into 64 bits in every radix, where arithmetic is quick.
    match digits.len() {
        0 => None,
        1..=16 => values
            .try_fold(0, |number, value| {
                Some(number * u64::from(radix) + u64::from(value?))
            })
            .map(u128::from),
        _ => values.try_fold(0_u128, |number, value| {
            number.checked_mul(radix.into())?.checked_add(value?.into())
        }),
    }
}

/// A byte of one or two hexadecimal digits.
pub(super) fn hex_byte(text: &[u8]) -> Option<u8> {
    match *text {
        [low] => digit(16, low),
        [high, low] => Some(digit(16, high)? << 4 | digit(16, low)?),
        _ => None,
    }
}

fn digit(radix: u8, byte: u8) -> Option<u8> {
    Some(DIGITS[usize::from(byte)]).filter(|value| *value < radix)
}

static POWERS_OF_10: [u32; 10] = [
    1,
    10,
    100,
    1_000,
    10_000,
    100_000,
    1_000_000,
    10_000_000,
    100_000_000,
    1_000_000_000,
];

/// The value of each byte that is a digit in radix 16; of others, 255.
static DIGITS: [u8; 256] = {
    let mut values = [u8::MAX; 256];
    let mut value = 0;
    while value < 16 {
        values[b"0123456789abcdef"[value as usize] as usize] = value;
        values[b"0123456789ABCDEF"[value as usize] as usize] = value;
        value += 1;
    }
    values
};

/// `315.493s`: seconds, up to nine decimals.
pub(super) fn duration(text: &[u8]) -> Option<Duration> {
    let (duration, rest) = leading_seconds(text)?;
    (rest == b"s").then_some(duration)
}

/// `315.493`, and perhaps an `s`.
pub(super) fn seconds(text: &[u8]) -> Option<Duration> {
    let (duration, rest) = leading_seconds(text)?;
    matches!(rest, [] | [b's']).then_some(duration)
}

/// `315.493`, and what follows it.
pub(super) fn leading_seconds(text: &[u8]) -> Option<(Duration, &[u8])> {
    let (seconds, rest) = decimal(text);
    let seconds = digits(10, seconds)?.try_into().ok()?;
    let [b'.', rest @ ..] = rest else {
        return Some((Duration::from_secs(seconds), rest));
    };
    let (decimals, behind) = leading_digits::<10>(rest)?;
    let missing = 9_usize.checked_sub(rest.len() - behind.len())?;
    let nanos = u32::try_from(decimals).ok()? * POWERS_OF_10[missing];
    Some((Duration::new(seconds, nanos), behind))
}

/// The decimal number that the text begins with, if it does, and the rest. One that is too large is the largest.
#[inline]
pub(super) fn leading_bit(text: &[u8]) -> (Option<u64>, &[u8]) {
    let (mut bit, mut rest) = (None, text);
    while let [digit @ b'0'..=b'9', behind @ ..] = rest {
        let upper = bit.unwrap_or(0_u64).saturating_mul(10);
        (bit, rest) = (Some(upper.saturating_add((digit - b'0').into())), behind);
    }
    (bit, rest)
}

/// The decimal digits that the text begins with, and the rest.
fn decimal(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit());
    text.split_at(end.unwrap_or(text.len()))
}

/// Where a parser stopped, and what it would have liked to see there.
struct Stop<'a> {
    rest: &'a [u8],
    expected: &'static str,
}

impl<'a> NomError<&'a [u8]> for Stop<'a> {
    fn from_error_kind(rest: &'a [u8], _: NomKind) -> Self {
        Stop {
            rest,
            expected: "end of line",
        }
    }

    fn append(_: &'a [u8], _: NomKind, other: Self) -> Self {
        other
    }
}

fn expect<'a, O>(
    expected: &'static str,
    mut parser: impl Parser<&'a [u8], Output = O, Error = Stop<'a>>,
) -> impl Parser<&'a [u8], Output = O, Error = Stop<'a>> {
    move |input| {
        parser
            .parse(input)
            .map_err(|error| error.map(|stop: Stop<'a>| Stop { expected, ..stop }))
    }
}

fn text_of<'a>(
    text: &'static str,
    expected: &'static str,
) -> impl Parser<&'a [u8], Output = &'a [u8], Error = Stop<'a>> {
    expect(expected, tag(text))
}

/// `None` for an error before the commitment that `cut` makes.
fn finish<'a, O>(text: &[u8], result: IResult<&'a [u8], O, Stop<'a>>) -> Option<Result<O, Fault>> {
    match result {
        Ok((_, output)) => Some(Ok(output)),
        Err(Err::Failure(stop)) => Some(Err(fault(text, Err::Failure(stop)))),
        Err(_) => None,
    }
}

fn fault(text: &[u8], error: Err<Stop<'_>>) -> Fault {
    let (rest, expected) = match error {
        Err::Error(stop) | Err::Failure(stop) => (stop.rest, stop.expected),
        Err::Incomplete(_) => (&[][..], "more"),
    };
    let span: Range<usize> = text.len() - rest.len()..text.len();
    Fault {
        span,
        kind: ErrorKind::Expected(expected),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_c_reads_them() {
        for (text, expected) in [("0", 0), ("10", 10), ("0x1F", 31), ("010", 8), ("0X0", 0)] {
            assert_eq!(number(text.as_bytes()), Some(expected), "{text}");
            assert!(is_number(text.as_bytes()));
        }
        for text in ["", "x", "0x", "09", "1a", "-1", "+1", " 1"] {
            assert_eq!(number(text.as_bytes()), None, "{text}");
            assert!(!is_number(text.as_bytes()));
        }
        assert_eq!(digits(16, &[b'f'; 32]), Some(u128::MAX));
        assert_eq!(digits(16, b"100000000000000000000000000000000"), None);
        assert!(is_number(b"0x100000000000000000000000000000000"));
    }

    #[test]
    fn a_duration_has_up_to_nine_decimals() {
        assert_eq!(duration(b"315s"), Some(Duration::new(315, 0)));
        assert_eq!(duration(b"0.113s"), Some(Duration::new(0, 113_000_000)));
        assert_eq!(duration(b"1.000000001s"), Some(Duration::new(1, 1)));
        for text in [
            "",
            "s",
            "1",
            "1.s",
            "1.0000000001s",
            "1s ",
            "1ss",
            "18446744073709551616s",
        ] {
            assert_eq!(duration(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_line_of_a_hex_dump_has_an_offset_and_bytes() {
        let found = |offset, bytes| Some((offset, bytes));
        assert_eq!(
            hex_line(b"00000010  00 ff-0a |...|"),
            found(&b"00000010"[..], &b"00 ff-0a"[..])
        );
        assert_eq!(hex_line(b"00000010  00      |.|"), found(b"00000010", b"00"));
        assert_eq!(hex_line(b"00000010  00-     |.|"), found(b"00000010", b"00"));
        assert_eq!(hex_line(b"00000010  00"), found(b"00000010", b"00"));
        for text in [
            "00000010",
            "00000010  ",
            "00000010  0",
            "00000010  00 garbage",
            "0000010  00",
        ] {
            assert_eq!(hex_line(text.as_bytes()), None, "{text}");
        }
    }
}
