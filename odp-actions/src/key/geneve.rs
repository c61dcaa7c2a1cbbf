//! Geneve options.

use alloc::vec::Vec;
use core::fmt;

use netlink_genl::nlattr::{EncodeError, Sink};

use super::format::{Dec8, Format, Hex8, Hex16, parse_wide};
use super::list::List;
use super::options::Bytes;
use super::payload::{Context, Payload};
use crate::text::ParseError;
use crate::text::lex::Lexer;

/// Geneve options, one behind the other as in the header: class (2 bytes in network byte order), type (1), three reserved
/// bits and length of the data in words of 4 bytes (5 bits), data.
///
/// The mask has the options of the value at the same places: the lengths in it are masks, too. So the bytes are kept,
/// and [`GeneveOpts::options`] takes them apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct GeneveOpts {
    bytes: Vec<u8>,
}

impl GeneveOpts {
    /// The options in these bytes.
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into() }
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Appends an option, unless its data is no multiple of 4 bytes or longer than 124 bytes, or all of them would be
    /// longer than 252 bytes; returns whether it did.
    pub fn push(&mut self, class: u16, kind: u8, data: &[u8]) -> bool {
        let fits = data.len() % 4 == 0
            && data.len() <= MAX_OPTION_DATA
            && self.bytes.len() + OPTION_HEADER + data.len() <= MAX_OPTIONS;
        if let (true, Ok(words)) = (fits, u8::try_from(data.len() / 4)) {
            self.bytes.extend(class.to_be_bytes());
            self.bytes.extend([kind, words]);
            self.bytes.extend(data);
        }
        fits
    }

    /// Whether `mask` covers each part of each option whole, or not at all, because the text has not named it.
    pub(super) fn is_whole(&self, mask: &Self) -> bool {
        if self.bytes.len() != mask.bytes.len() {
            return false;
        }
        let (mut rest, mut masks) = (&self.bytes[..], &mask.bytes[..]);
        while let Some((option, behind)) = GeneveOption::split_off(rest) {
            let (mask, masks_behind) = masks.split_at(OPTION_HEADER + option.data.len());
            let is_whole =
                |part: &[u8]| part.iter().all(|byte| *byte == 0) || part.iter().all(|byte| *byte == u8::MAX);
            let (class, kind, words, data) = (&mask[..2], &mask[2..3], mask[3] & WORDS, &mask[4..]);
            if ![class, kind, data].into_iter().all(is_whole) || !matches!(words, 0 | WORDS) {
                return false;
            }
            (rest, masks) = (behind, masks_behind);
        }
        true
    }

    /// The options, up to the first that does not fit.
    pub fn options(&self) -> impl Iterator<Item = GeneveOption<'_>> {
        let mut rest = &self.bytes[..];
        core::iter::from_fn(move || {
            let (option, behind) = GeneveOption::split_off(rest)?;
            rest = behind;
            Some(option)
        })
    }
}

/// One Geneve option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GeneveOption<'a> {
    /// Class.
    pub class: u16,
    /// Type. (`type` is a word of Rust.)
    pub kind: u8,
    /// Data, up to 124 bytes, a multiple of 4.
    pub data: &'a [u8],
}

impl<'a> GeneveOption<'a> {
    fn split_off(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (&[class_high, class_low, kind, words], rest) = bytes.split_first_chunk()?;
        let (data, rest) = rest.split_at_checked(data_len(words))?;
        let class = u16::from_be_bytes([class_high, class_low]);
        Some((Self { class, kind, data }, rest))
    }
}

impl Payload for GeneveOpts {
    type Value = Self;
    const LEN: Option<usize> = None;

    fn encode<S: Sink>(opts: &Self, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        sink.attr(kind, &opts.bytes)
    }

    fn decode(payload: &[u8], _: usize) -> Option<Self> {
        Some(Self::from_bytes(payload))
    }

    fn print(
        name: &str,
        opts: &Self,
        mask: Option<&Self>,
        verbose: bool,
        list: &mut List<'_, '_>,
    ) -> fmt::Result {
        list.nest(name, |list| {
            let (value_len, mask_len) = (opts.bytes.len(), mask.map(|mask| mask.bytes.len()));
            if let Some(mask_len) = mask_len.filter(|len| *len != value_len) {
                return write!(list.f, "value len {value_len} different from mask len {mask_len}");
            }
            let mut rest = &opts.bytes[..];
            while !rest.is_empty() {
                let at = value_len - rest.len();
                let Some((option, behind)) = GeneveOption::split_off(rest) else {
                    return match rest.get(OPTION_HEADER - 1) {
                        None => write!(list.f, "opt len {} less than minimum 4", rest.len()),
                        Some(words) => write!(
                            list.f,
                            "opt len {} greater than remaining {}",
                            OPTION_HEADER + data_len(*words),
                            rest.len()
                        ),
                    };
                };
                print_option(&option, mask.map(|mask| &mask.bytes[at..]), verbose, list)?;
                rest = behind;
            }
            Ok(())
        })
    }

    fn parse(lexer: &mut Lexer<'_>, _: Context) -> Result<(Self, Self), ParseError> {
        let (mut opts, mut mask) = (Self::default(), Self::default());
        lexer.expect("(")?;
        let mut start = *lexer;
        while lexer.eat("{") {
            parse_option(lexer, &mut opts.bytes, &mut mask.bytes)?;
            if opts.bytes.len() > MAX_OPTIONS {
                return Err(start.expected("at most 252 bytes of options"));
            }
            start = *lexer;
        }
        lexer.expect(")")?;
        Ok((opts, mask))
    }

    fn is_all(mask: &Self, ones: bool) -> bool {
        Bytes::is_all(&mask.bytes, ones)
    }
}

/// `mask` begins where the option does.
fn print_option(
    option: &GeneveOption<'_>,
    mask: Option<&[u8]>,
    verbose: bool,
    list: &mut List<'_, '_>,
) -> fmt::Result {
    let len = option.data.len();
    let data_mask = mask.and_then(|mask| mask.get(OPTION_HEADER..OPTION_HEADER + len));
    let mask = mask.and_then(|mask| mask.first_chunk::<OPTION_HEADER>());
    list.f.write_str("{")?;
    list.fresh(|list| {
        let class_mask = mask.map(|[high, low, ..]| u16::from_be_bytes([*high, *low]));
        Hex16::print("class", option.class, class_mask, verbose, list)?;
        Hex8::print("type", option.kind, mask.map(|mask| mask[2]), verbose, list)?;
        let len_mask = mask.map(|mask| match mask[3] & WORDS {
            WORDS => u8::MAX,
            words => words,
        });
        let shown = u8::try_from(len).unwrap_or(u8::MAX);
        Dec8::print("len", shown, len_mask, verbose, list)?;
        if len > 0 && (verbose || data_mask.is_none_or(|mask| mask.iter().any(|byte| *byte != 0))) {
            list.item(format_args!("{}", WideHex(option.data)))?;
            if let Some(mask) = data_mask.filter(|mask| mask.iter().any(|byte| *byte != u8::MAX)) {
                write!(list.f, "/{}", WideHex(mask))?;
            }
        }
        Ok(())
    })?;
    list.f.write_str("}")
}

/// Reads `class=..,type=..,len=..,data}`, in this order; each may be missing, and so may commas.
fn parse_option(lexer: &mut Lexer<'_>, opts: &mut Vec<u8>, masks: &mut Vec<u8>) -> Result<(), ParseError> {
    let (mut class, mut kind, mut len) = ((0, 0), (0, 0), (0, 0));
    if lexer.eat("class=") {
        class = Hex16::scan(lexer)?;
    }
    lexer.eat(",");
    if lexer.eat("type=") {
        kind = Hex8::scan(lexer)?;
    }
    let mut comma = lexer.eat(",");
    if lexer.eat("len=") {
        let start = *lexer;
        len = Dec8::scan(lexer)?;
        if usize::from(len.0) > MAX_OPTION_DATA || len.0 % 4 != 0 {
            return Err(start.expected("a multiple of 4 up to 124"));
        }
        comma = lexer.eat(",");
    } else if lexer.is_printed() {
        // What is not matched is not in a terse line, but data may be.
        len.0 = shown_len(*lexer);
        comma = len.0 > 0;
    } else {
        // So Open vSwitch reads it, without the mask of the type.
        (kind.1, len.1) = (0, u8::MAX);
        comma |= lexer.eat(",");
    }
    let (mut data, mut mask) = (alloc::vec![0; len.0.into()], alloc::vec![u8::MAX; len.0.into()]);
    if comma {
        data = parse_wide(lexer, data.len())?;
    } else if lexer.is_printed() {
        mask.fill(0);
    }
    if lexer.eat("/") {
        mask = parse_wide(lexer, mask.len())?;
    }
    lexer.expect("}")?;
    let ((class, class_mask), (kind, kind_mask)) = (class, kind);
    for (bytes, class, kind, words, data) in [
        (opts, class, kind, len.0 / 4, data),
        (masks, class_mask, kind_mask, len.1, mask),
    ] {
        bytes.extend(class.to_be_bytes());
        bytes.extend([kind, words & WORDS]);
        bytes.extend(data);
    }
    Ok(())
}

/// The least length of data whose digits come next, or 0.
fn shown_len(mut lexer: Lexer<'_>) -> u8 {
    let mut digits = || {
        lexer.eat("0x");
        let digits = lexer.take_while(|c| c.is_ascii_hexdigit()).len();
        (digits, lexer.eat("/"))
    };
    let longest = match digits() {
        (value, true) => value.max(digits().0),
        (value, false) => value,
    };
    u8::try_from(longest.div_ceil(8).min(MAX_OPTION_DATA / 4) * 4).unwrap_or(0)
}

/// Prints bytes as one number: `0x102`, or `0`.
struct WideHex<'a>(&'a [u8]);

impl fmt::Display for WideHex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.0.iter().skip_while(|byte| **byte == 0);
        match bytes.next() {
            None => f.write_str("0"),
            Some(first) => {
                write!(f, "{first:#x}")?;
                bytes.try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
    }
}

const fn data_len(words: u8) -> usize {
    (words & WORDS) as usize * 4
}

const OPTION_HEADER: usize = 4;
/// The bits of an option's length.
const WORDS: u8 = 0x1f;
const MAX_OPTION_DATA: usize = 124;
/// What a Geneve header has room for.
const MAX_OPTIONS: usize = 252;
