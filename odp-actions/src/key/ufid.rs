//! Unique flow identifiers.

use core::fmt;
use core::str::FromStr;

use crate::text::ParseError;
use crate::text::lex::Lexer;

/// `OVS_FLOW_ATTR_UFID`: 16 bytes that name a flow of a datapath.
///
/// Open vSwitch takes them for four words in the byte order of the host.
///
/// ```
/// use odp_actions::Ufid;
///
/// let ufid: Ufid = "ufid:f81b7825-39fa-486f-9391-27b2ccb691e1".parse()?;
/// assert_eq!(ufid.to_string(), "ufid:f81b7825-39fa-486f-9391-27b2ccb691e1");
/// # Ok::<(), odp_actions::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ufid(pub [u8; 16]);

impl Ufid {
    pub(crate) fn parse_from(lexer: &mut Lexer<'_>) -> Result<Self, ParseError> {
        lexer.expect("ufid:")?;
        let start = *lexer;
        let wrong = || start.expected("a flow id");
        let text = lexer.take(36).as_bytes();
        if text.is_empty() {
            return Err(wrong());
        }
        let mut number: u128 = 0;
        for (at, c) in text.iter().enumerate() {
            match (at, char::from(*c).to_digit(16)) {
                (8 | 13 | 18 | 23, None) => {}
                (8 | 13 | 18 | 23, Some(_)) | (_, None) => return Err(wrong()),
                (_, Some(digit)) => number = number << 4 | u128::from(digit),
            }
        }
        let mut bytes = [0; 16];
        for (to, from) in bytes
            .chunks_exact_mut(4)
            .zip(number.to_be_bytes().chunks_exact(4))
        {
            let word = from.try_into().map_or(0, u32::from_be_bytes);
            to.copy_from_slice(&word.to_ne_bytes());
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Ufid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = [0; 4];
        for (word, bytes) in words.iter_mut().zip(self.0.chunks_exact(4)) {
            *word = bytes.try_into().map_or(0, u32::from_ne_bytes);
        }
        let [a, b, c, d] = words;
        let (b_high, b_low, c_high, c_low) = (b >> 16, b & 0xffff, c >> 16, c & 0xffff);
        write!(
            f,
            "ufid:{a:08x}-{b_high:04x}-{b_low:04x}-{c_high:04x}-{c_low:04x}{d:08x}"
        )
    }
}

impl FromStr for Ufid {
    type Err = ParseError;

    /// Reads `ufid:` and 32 hexadecimal digits in five groups.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut lexer = Lexer::new(text);
        let ufid = Self::parse_from(&mut lexer)?;
        match lexer.is_empty() {
            true => Ok(ufid),
            false => Err(lexer.expected("the end")),
        }
    }
}
