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

use crate::text::error::{ErrorKind, Fault};

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
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let end = text.iter().position(|byte| !is_word(byte));
    &text[..end.unwrap_or(text.len())]
}

/// The radix and the digits of a number, as C's `strtoull` reads it with base 0.
pub(super) fn number(text: &[u8]) -> Option<(u32, &[u8])> {
    let (radix, digits) = match text {
        [b'0', b'x' | b'X', digits @ ..] if !digits.is_empty() => (16, digits),
        [b'0', digits @ ..] => (8, digits),
        [] => return None,
        digits => (10, digits),
    };
    let all = digits.iter().all(|digit| char::from(*digit).is_digit(radix));
    all.then_some((radix, digits))
}

/// The value of these digits. `None`: it is above `u128::MAX`.
pub(super) fn digits(radix: u32, digits: &[u8]) -> Option<u128> {
    // So many fit into 64 bits in every radix, where arithmetic is quick.
    if digits.len() <= 16 {
        let number = digits.iter().try_fold(0_u64, |number, &byte| {
            Some(number * u64::from(radix) + u64::from(char::from(byte).to_digit(radix)?))
        });
        return number.map(u128::from);
    }
    digits.iter().try_fold(0_u128, |number, &byte| {
        let digit = char::from(byte).to_digit(radix)?;
        number.checked_mul(radix.into())?.checked_add(digit.into())
    })
}

/// `315.493s`: seconds, up to nine decimals.
pub(super) fn duration(text: &[u8]) -> Option<Duration> {
    let decimals = opt(preceded(
        char('.'),
        take_while_m_n(1, 9, |byte: u8| byte.is_ascii_digit()),
    ));
    let parsed: IResult<_, _, Stop<'_>> =
        all_consuming(terminated((digit1, decimals), char('s'))).parse(text);
    let (_, (seconds, decimals)) = parsed.ok()?;
    let nanos = decimals.map_or(Some(0), |decimals: &[u8]| {
        let scale = 10_u128.pow(9_u32.checked_sub(u32::try_from(decimals.len()).ok()?)?);
        u32::try_from(digits(10, decimals)? * scale).ok()
    })?;
    Some(Duration::new(u64::try_from(digits(10, seconds)?).ok()?, nanos))
}

/// `NXM_NX_REG0[0..15]`: the name, and the digits of the first and last bit unless it is whole.
pub(super) type SubfieldWords<'a> = (&'a [u8], Option<(&'a [u8], &'a [u8])>);

/// `NXM_NX_REG0[0..15]`, `reg0[8]`, `reg0[]`.
pub(super) fn subfield(text: &[u8]) -> Result<SubfieldWords<'_>, Fault> {
    let name = expect(
        "the name of a field",
        take_while1(|byte: u8| byte.is_ascii_alphanumeric() || byte == b'_'),
    );
    let last = opt(preceded(tag(".."), cut(expect("the last bit", digit1))));
    let bits = map((digit1, last), |(first, last)| (first, last.unwrap_or(first)));
    let brackets = delimited(text_of("[", "`[`"), opt(bits), text_of("]", "`]`"));
    // Without brackets it is the whole field.
    let brackets = alt((map(eof, |_| None), brackets));
    let parsed = (name, brackets).parse(text);
    let whole = parsed.and_then(|(rest, parsed)| match rest {
        [] => Ok((rest, parsed)),
        _ => Err(Err::Error(Stop {
            rest,
            expected: "end of the subfield",
        })),
    });
    whole
        .map(|(_, parsed)| parsed)
        .map_err(|error| fault(text, error))
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
            let (radix, found) = number(text.as_bytes()).expect(text);
            assert_eq!(digits(radix, found), Some(expected), "{text}");
        }
        for text in ["", "x", "0x", "09", "1a", "-1", "+1", " 1"] {
            assert!(number(text.as_bytes()).is_none(), "{text}");
        }
        assert_eq!(digits(16, &[b'f'; 32]), Some(u128::MAX));
        assert_eq!(digits(16, b"100000000000000000000000000000000"), None);
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

    #[test]
    fn a_subfield_has_a_name_and_bits() {
        assert_eq!(subfield(b"reg0[]"), Ok((&b"reg0"[..], None)));
        assert_eq!(subfield(b"R[8]"), Ok((&b"R"[..], Some((&b"8"[..], &b"8"[..])))));
        assert_eq!(
            subfield(b"R[0..15]"),
            Ok((&b"R"[..], Some((&b"0"[..], &b"15"[..]))))
        );
        let fault = |span, what| {
            Err(Fault {
                span,
                kind: ErrorKind::Expected(what),
            })
        };
        assert_eq!(subfield(b"reg0"), Ok((&b"reg0"[..], None)));
        assert_eq!(subfield(b"reg0x["), fault(6..6, "`]`"));
        assert_eq!(subfield(b"reg-0"), fault(3..5, "`[`"));
        assert_eq!(subfield(b"[]"), fault(0..2, "the name of a field"));
        assert_eq!(subfield(b"a[1..]"), fault(5..6, "the last bit"));
        assert_eq!(subfield(b"a[1]x"), fault(4..5, "end of the subfield"));
    }
}
