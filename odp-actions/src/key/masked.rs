//! One attribute with its mask: what `set(..)` has in text, and the payload of `OVS_ACTION_ATTR_SET_MASKED`.

use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use netlink_genl::nlattr::{Attr, Attrs, EncodeError, HEADER_LEN, Sink, Slice};

use super::Key;
use super::list::List;
use super::nsh::{Nsh, NshAttr};
use super::payload::{Attribute, Context, decode_nest};
use crate::text::ParseError;
use crate::text::lex::Lexer;
use crate::text::print::Printer;

/// An attribute and its mask, which is an attribute of the same type.
///
/// ```
/// use odp_actions::key::MaskedKey;
///
/// let ttl: MaskedKey = "ipv4(ttl=64/0xf0)".parse()?;
/// assert!(!ttl.is_exact());
/// let mut bytes = Vec::new();
/// ttl.encode(&mut bytes)?;
/// assert_eq!(bytes.len(), 4 + 2 * 12);
/// assert_eq!(ttl.to_string(), "ipv4(ttl=64/0xf0)");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MaskedKey {
    /// The value.
    pub key: Key,
    /// Its mask.
    pub mask: Key,
}

impl MaskedKey {
    /// Whether the mask covers every bit, padding included: what Open vSwitch asks before it writes `SET` instead of
    /// `SET_MASKED`. Of a tunnel key only what it names has to be covered, since no kernel takes a masked one.
    pub fn is_exact(&self) -> bool {
        self.key.is_exact(&self.mask)
    }

    /// Whether the mask is as long as the value, as the bytes have to be halved.
    pub(crate) fn is_aligned(&self) -> bool {
        self.key.payload_len() == self.mask.payload_len()
    }

    /// Reads an attribute whose payload is a value and a mask of the same length, nothing between them; in an NSH key
    /// this holds for each attribute inside.
    ///
    /// `None` if the payload cannot be halved, or is more than Open vSwitch looks at: two IPv6 headers of 40 bytes.
    pub fn decode(attr: &Attr<'_>) -> Option<Self> {
        let (key, mask) = if attr.raw_kind() == NSH {
            let pairs: Option<Vec<_>> = decode_nest::<NshAttr>(attr.payload(), 0)?
                .iter()
                .map(|attr| decode_halves(attr.raw_kind(), &attr.payload()))
                .collect();
            let (keys, masks): (Vec<_>, Vec<_>) = pairs?.into_iter().unzip();
            (Key::Nsh(Nsh::new(keys)), Key::Nsh(Nsh::new(masks)))
        } else {
            decode_halves(attr.raw_kind(), attr.payload())?
        };
        Some(Self { key, mask })
    }

    /// Appends one attribute that has the value and the mask.
    ///
    /// # Errors
    /// [`EncodeError`]: it does not fit the sink, or the 16 bits of its length.
    pub fn encode<S: Sink>(&self, sink: &mut S) -> Result<(), EncodeError> {
        match (&self.key, &self.mask) {
            (Key::Nsh(key), Key::Nsh(mask)) => sink.nest(NSH, |sink| {
                let mut pairs = key.attrs().iter().zip(mask.attrs());
                pairs.try_for_each(|(key, mask)| encode_halves(key, mask, sink))
            }),
            (key, mask) => encode_halves(key, mask, sink),
        }
    }

    /// The value, and the mask behind it.
    fn payload(&self) -> Vec<u8> {
        [self.key.payload(), self.mask.payload()].concat()
    }

    pub(crate) fn print(&self, f: &mut Printer<'_>) -> fmt::Result {
        let mut list = List::new(f);
        match (&self.key, &self.mask) {
            (Key::Nsh(key), Key::Nsh(mask)) => key.print_in_set(mask, &mut list),
            (Key::Tunnel(_), _) => {
                let payload = self.payload();
                match decode_halves(self.key.raw_kind(), &payload) {
                    Some((key, mask)) => Key::print(&key, Some(&mask), false, &mut list),
                    None => Key::decode_at(self.key.raw_kind(), &payload, 0).print(None, false, &mut list),
                }
            }
            (key, mask) => key.print(Some(mask), false, &mut list),
        }
    }

    pub(crate) fn parse_from(lexer: &mut Lexer<'_>) -> Result<Self, ParseError> {
        Key::parse_masked(lexer, Context::default()).map(|(key, mask)| Self { key, mask })
    }
}

/// As `set(..)` shows it: terse. What is too long for Open vSwitch to halve shows as one value; only tunnel keys are.
impl fmt::Display for MaskedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Printer::print(f, |f| self.print(f))
    }
}

impl FromStr for MaskedKey {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut lexer = Lexer::new(text);
        let masked = Self::parse_from(&mut lexer)?;
        match lexer.is_empty() {
            true => Ok(masked),
            false => Err(lexer.expected("the end")),
        }
    }
}

/// Appends one attribute: the payload of the value, and that of the mask behind it.
fn encode_halves<A: Attribute, S: Sink>(key: &A, mask: &A, sink: &mut S) -> Result<(), EncodeError> {
    sink.nest(key.raw_kind(), |sink| {
        [key, mask]
            .into_iter()
            .try_for_each(|half| put_payload(half, sink))
    })
}

fn put_payload<A: Attribute, S: Sink>(attr: &A, sink: &mut S) -> Result<(), EncodeError> {
    let mut room = [0; HEADER_LEN + MAX_HALF];
    let mut slice = Slice::new(&mut room);
    // What Open vSwitch does not look at is longer.
    let long = match attr.encode_to(&mut slice) {
        Ok(()) => None,
        Err(_) => {
            let mut bytes = Vec::new();
            attr.encode_to(&mut bytes)?;
            Some(bytes)
        }
    };
    let mut written = Attrs::new(long.as_deref().unwrap_or(slice.written())).flatten();
    written.try_for_each(|attr| sink.put(attr.payload()))
}

/// A value and its mask of the same type and length.
fn decode_halves<A: Attribute>(raw_kind: u16, payload: &[u8]) -> Option<(A, A)> {
    let half = payload.len() / 2;
    if payload.len() % 2 != 0 || half > MAX_HALF {
        return None;
    }
    let (key, mask) = payload.split_at(half);
    Some((A::decode_at(raw_kind, key, 0), A::decode_at(raw_kind, mask, 0)))
}

const NSH: u16 = 28;
const MAX_HALF: usize = 40;

#[cfg(test)]
mod tests {
    use alloc::vec;

    use netlink_genl::nlattr::{Counter, MAX_PAYLOAD, RawAttr};

    use super::*;

    fn unknown(half: usize) -> MaskedKey {
        let [key, mask] = [1, 2].map(|byte| {
            Key::Unknown(RawAttr {
                raw_kind: 99,
                payload: vec![byte; half],
            })
        });
        MaskedKey { key, mask }
    }

    #[test]
    fn halves_stand_side_by_side_however_long_they_are() {
        for half in [0, 1, MAX_HALF, MAX_HALF + 1, MAX_PAYLOAD / 2] {
            let mut bytes = Vec::new();
            unknown(half).encode(&mut bytes).unwrap();
            let mut attrs = Attrs::new(&bytes);
            let attr = attrs.next().unwrap().unwrap();
            assert_eq!(attr.payload(), [vec![1; half], vec![2; half]].concat());
            assert!(attrs.next().is_none());
        }
    }

    #[test]
    fn refuses_what_no_attribute_holds() {
        let too_big = |len| Err(EncodeError::AttrTooBig { kind: 99, len });
        for (half, len) in [
            (MAX_PAYLOAD / 2 + 1, MAX_PAYLOAD + 1),
            (MAX_PAYLOAD + 1, MAX_PAYLOAD + 1),
        ] {
            assert_eq!(unknown(half).encode(&mut Vec::new()), too_big(len));
            assert_eq!(unknown(half).encode(&mut Counter::new()), too_big(len));
        }
    }
}
