//! Datapath actions (`OVS_ACTION_ATTR_*`) and lists of them.
//!
//! ```
//! use odp_actions::Actions;
//!
//! let text = "set(tunnel(tun_id=0x1,dst=10.0.0.1,ttl=64,tp_dst=4789,flags(df|key))),4";
//! let actions: Actions = text.parse()?;
//! assert_eq!((actions.encoded_len()?, actions.output_count()), (56, 1));
//! assert_eq!(Actions::decode(&actions.to_bytes()?)?, actions);
//! assert_eq!(actions.to_string(), text);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod vlan;

use alloc::vec::Vec;
use core::fmt;
use core::ops::Deref;
use core::str::FromStr;

use netlink_genl::nlattr::{
    Attr, Attrs, Counter, DecodeError, EncodeError, HEADER_LEN, RawAttr, Sink, attr_len,
};

pub use self::vlan::PushVlan;
use self::vlan::PushVlanCodec;
use crate::key::codec::{Codec, Flag as Word};
use crate::key::{Hex, Key, parse_raw};
use crate::text::ParseError;
use crate::text::lex::Lexer;

attributes! {
    /// One datapath action (`OVS_ACTION_ATTR_*` of `linux/openvswitch.h`). Sizes are those of the whole attribute.
    pub enum Action {
        /// `OUTPUT`, 8 bytes: send the packet to a datapath port.
        1 Output(u32) OutputCodec "output";
        /// `SET`: overwrite one header, or say how a tunnel device is to send the packet.
        3 Set(Key) SetCodec "set";
        /// `PUSH_VLAN`, 8 bytes: add an 802.1Q header.
        4 PushVlan(PushVlan) PushVlanCodec "push_vlan";
        /// `POP_VLAN`, 4 bytes: remove the outermost 802.1Q header.
        5 PopVlan Word "pop_vlan";
    }
}

impl Action {
    /// Bytes that the action takes in a list.
    ///
    /// # Errors
    /// [`EncodeError::AttrTooBig`]: it cannot be encoded.
    pub fn encoded_len(&self) -> Result<usize, EncodeError> {
        let mut counter = Counter::new();
        self.encode(&mut counter)?;
        Ok(counter.position())
    }

    /// What the bytes of the action are spent on, headers of nests included, in order.
    ///
    /// # Errors
    /// As [`Action::encoded_len`].
    pub fn parts(&self) -> Result<Vec<Part>, EncodeError> {
        let mut parts = Vec::new();
        match self {
            Self::Set(Key::Tunnel(tunnel)) => {
                parts.push(Part {
                    name: self.name(),
                    bytes: HEADER_LEN,
                });
                parts.push(Part {
                    name: "tunnel",
                    bytes: HEADER_LEN,
                });
                for attr in tunnel.attrs() {
                    let mut counter = Counter::new();
                    attr.encode(&mut counter)?;
                    parts.push(Part {
                        name: attr.name(),
                        bytes: counter.position(),
                    });
                }
            }
            _ => parts.push(Part {
                name: self.name(),
                bytes: self.encoded_len()?,
            }),
        }
        Ok(parts)
    }

    /// The sizes of the pieces in which a kernel that converts actions reserves memory for this one
    /// (`reserve_sfa_size` in `net/openvswitch/flow_netlink.c`), or `None` for an action that this crate does not know.
    ///
    /// Valid for 64-bit kernels.
    pub(crate) fn converted(&self) -> Option<[usize; 2]> {
        Some(match self {
            // The tunnel key becomes a pointer to a metadata_dst: a nest and one attribute of 8 bytes.
            Self::Set(Key::Tunnel(_)) => [HEADER_LEN, attr_len(8)],
            // Any other `set` becomes a masked one: the key twice.
            Self::Set(Key::Unknown(key)) => [HEADER_LEN, attr_len(2 * key.payload.len())],
            Self::Output(_) | Self::PushVlan(_) | Self::PopVlan => [self.encoded_len().ok()?, 0],
            Self::Unknown(_) => return None,
        })
    }

    fn parse_from(lexer: &mut Lexer<'_>) -> Result<Self, ParseError> {
        // A bare number is an output.
        if lexer.at_digit() {
            return OutputCodec::parse(lexer).map(Self::Output);
        }
        let start = *lexer;
        let name = lexer.word("an action")?;
        if let Some(kind) = name.strip_prefix("action") {
            if let Ok(kind) = kind.parse() {
                return parse_raw(kind, lexer).map(Self::Unknown);
            }
        }
        Self::parse(name, lexer).unwrap_or_else(|| Err(start.expected("an action")))
    }

    fn print_unknown(unknown: &RawAttr, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "action{}", unknown.kind())?;
        if unknown.payload.is_empty() {
            Ok(())
        } else {
            write!(f, "({})", Hex(&unknown.payload))
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.print(f)
    }
}

/// A share of an action's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The attribute, by the name that Open vSwitch prints.
    pub name: &'static str,
    /// Its bytes; of a nest only the header.
    pub bytes: usize,
}

/// A list of actions: the payload of `OVS_FLOW_ATTR_ACTIONS`.
///
/// An empty list drops the packet and prints as `drop`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Actions(Vec<Action>);

impl Actions {
    /// An empty list.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Appends one action.
    pub fn push(&mut self, action: Action) {
        self.0.push(action);
    }

    /// Reads a list. Offsets in errors count from the start of `bytes`.
    ///
    /// Encoding gives the same bytes again, but for two things that neither Open vSwitch nor the kernel looks at:
    /// padding, which becomes zeros, also where it was missing at the end of a list; and the flags `NLA_F_NESTED` and
    /// `NLA_F_NET_BYTEORDER` in the types of attributes that have a row in the table.
    ///
    /// # Errors
    /// [`DecodeError`]: a length that cannot be true, or a payload of another size than its action has.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        Attrs::new(bytes).map(|attr| Action::decode(&attr?)).collect()
    }

    /// Appends the list to `sink`.
    ///
    /// A list longer than 65 531 bytes is written in full: whether it fits an attribute is what
    /// [`Limits::verdict`](crate::Limits::verdict) says, and nesting it fails.
    ///
    /// # Errors
    /// [`EncodeError`]: an action does not fit the sink, or the 16 bits of its length.
    pub fn encode<S: Sink>(&self, sink: &mut S) -> Result<(), EncodeError> {
        self.iter().try_for_each(|action| action.encode(sink))
    }

    /// The encoded list.
    ///
    /// # Errors
    /// As [`Actions::encode`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, EncodeError> {
        let mut bytes = Vec::new();
        self.encode(&mut bytes)?;
        Ok(bytes)
    }

    /// Bytes of the encoded list, counted by the code that encodes.
    ///
    /// # Errors
    /// As [`Actions::encode`].
    pub fn encoded_len(&self) -> Result<usize, EncodeError> {
        let mut counter = Counter::new();
        self.encode(&mut counter)?;
        Ok(counter.position())
    }

    /// Outputs as Open vSwitch counts them against `net.core.netdev_max_backlog`: those at the top level.
    pub fn output_count(&self) -> usize {
        self.iter()
            .filter(|action| matches!(action, Action::Output(_)))
            .count()
    }
}

impl Deref for Actions {
    type Target = [Action];

    fn deref(&self) -> &[Action] {
        &self.0
    }
}

impl FromIterator<Action> for Actions {
    fn from_iter<I: IntoIterator<Item = Action>>(actions: I) -> Self {
        Self(actions.into_iter().collect())
    }
}

impl Extend<Action> for Actions {
    fn extend<I: IntoIterator<Item = Action>>(&mut self, actions: I) {
        self.0.extend(actions);
    }
}

impl fmt::Display for Actions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("drop");
        }
        self.iter().enumerate().try_for_each(|(i, action)| {
            let comma = if i == 0 { "" } else { "," };
            write!(f, "{comma}{action}")
        })
    }
}

impl FromStr for Actions {
    type Err = ParseError;

    /// Reads what `ovs-dpctl` prints for a list.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut actions = Self::new();
        if text == "drop" {
            return Ok(actions);
        }
        let mut lexer = Lexer::new(text);
        lexer.separators();
        while !lexer.is_empty() {
            actions.push(Action::parse_from(&mut lexer)?);
            if !lexer.separators() && !lexer.is_empty() {
                return Err(lexer.expected(", or the end"));
            }
        }
        Ok(actions)
    }
}

/// `4`: a port number alone.
struct OutputCodec;

impl Codec for OutputCodec {
    type Value = u32;

    fn encode<S: Sink>(port: &u32, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        sink.attr_u32(kind, *port)
    }

    fn decode(attr: &Attr<'_>) -> Result<u32, DecodeError> {
        attr.u32()
    }

    fn print(port: &u32, _: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{port}")
    }

    fn parse(lexer: &mut Lexer<'_>) -> Result<u32, ParseError> {
        lexer
            .number(u64::from(u32::MAX))
            .map(|port| u32::try_from(port).unwrap_or(u32::MAX))
    }
}

/// `set(KEY)`.
struct SetCodec;

impl Codec for SetCodec {
    type Value = Key;

    fn encode<S: Sink>(key: &Key, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        sink.nest(kind, |sink| key.encode(sink))
    }

    /// Exactly one key attribute stands inside: the kernel refuses none and more.
    fn decode(attr: &Attr<'_>) -> Result<Key, DecodeError> {
        let wrong = |wanted| DecodeError::WrongSize {
            offset: attr.offset(),
            kind: attr.kind(),
            wanted,
            got: attr.payload().len(),
        };
        let mut keys = attr.attrs();
        let key = keys.next().ok_or(wrong(HEADER_LEN))??;
        match keys.next() {
            None => Key::decode(&key),
            Some(_) => Err(wrong(attr_len(key.payload().len()))),
        }
    }

    fn print(key: &Key, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{name}({key})")
    }

    fn parse(lexer: &mut Lexer<'_>) -> Result<Key, ParseError> {
        lexer.expect("(")?;
        let key = Key::parse_from(lexer)?;
        lexer.expect(")")?;
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use alloc::vec;

    use super::*;
    use crate::{Tunnel, TunnelAttr};

    fn one_of_each() -> Actions {
        let tunnel = Tunnel::new([
            TunnelAttr::Id(0x1234),
            TunnelAttr::Ipv4Src([10, 0, 0, 1].into()),
            TunnelAttr::Ipv4Dst([10, 0, 0, 2].into()),
            TunnelAttr::Ipv6Src([1; 16].into()),
            TunnelAttr::Ipv6Dst([2; 16].into()),
            TunnelAttr::Tos(0x20),
            TunnelAttr::Ttl(64),
            TunnelAttr::TpSrc(1000),
            TunnelAttr::TpDst(4789),
            TunnelAttr::DontFragment,
            TunnelAttr::Csum,
            TunnelAttr::Oam,
        ]);
        Actions::from_iter([
            Action::Output(7),
            Action::Set(Key::Tunnel(tunnel)),
            Action::PushVlan(PushVlan::new(5, 3)),
            Action::PopVlan,
        ])
    }

    #[test]
    fn every_action_comes_back_from_its_bytes_and_its_text() {
        let actions = one_of_each();
        let bytes = actions.to_bytes().unwrap();
        assert_eq!(Actions::decode(&bytes).unwrap(), actions);
        assert_eq!(actions.encoded_len().unwrap(), bytes.len());
        assert_eq!(actions.to_string().parse::<Actions>().unwrap(), actions);
    }

    #[test]
    fn the_parts_add_up_to_the_size() {
        for action in one_of_each().iter() {
            let sum: usize = action.parts().unwrap().iter().map(|part| part.bytes).sum();
            assert_eq!(sum, action.encoded_len().unwrap(), "{action}");
        }
    }

    #[test]
    fn every_truncation_fails_or_ends_between_two_actions() {
        let actions = one_of_each();
        let bytes = actions.to_bytes().unwrap();
        let mut ends = vec![0];
        for action in actions.iter() {
            ends.push(ends[ends.len() - 1] + action.encoded_len().unwrap());
        }
        for end in 0..bytes.len() {
            assert_eq!(
                Actions::decode(&bytes[..end]).is_ok(),
                ends.contains(&end),
                "cut at {end}"
            );
        }
    }

    #[test]
    fn keeps_what_it_does_not_know_byte_for_byte() {
        let mut bytes = vec![];
        bytes.attr(0x8019, &[1, 2, 3]).unwrap();
        bytes.attr_u32(1, 9).unwrap();
        bytes.nest(3, |s| s.attr(20, &[1, 2, 3, 4])).unwrap();
        let actions = Actions::decode(&bytes).unwrap();
        assert_eq!(actions.to_bytes().unwrap(), bytes);
        assert_eq!(
            actions.to_string(),
            "action25(01 02 03),9,set(key20(01 02 03 04))"
        );
        let parsed: Actions = actions.to_string().parse().unwrap();
        assert_eq!(parsed.to_string(), actions.to_string());
    }

    #[test]
    fn points_at_the_fault() {
        let expected = |offset, wanted, found: &str| {
            Err::<Actions, _>(ParseError::Expected {
                offset,
                wanted,
                found: found.into(),
            })
        };
        for (text, error) in [
            ("1,flod", expected(2, "an action", "flod")),
            ("pop_vlanX", expected(0, "an action", "pop_vlanX")),
            ("pop_vlan;", expected(8, ", or the end", ";")),
            (
                "set(tunnel(ttl=64,bogus=1))",
                expected(18, "a tunnel attribute", "bogus"),
            ),
            ("set(tunnel(ttl=))", expected(15, "a number", ")")),
            (
                "set(tunnel(dst=10.0.0))",
                expected(15, "an IPv4 address", "10.0.0"),
            ),
            ("set(tunnel(df))", expected(11, "a tunnel attribute", "df")),
            ("set(tunnel(flags(ttl))", expected(17, "a tunnel flag", "ttl")),
            ("set(tunnel(ttl=64)", expected(18, ")", "")),
            (
                "4294967296",
                Err(ParseError::TooBig {
                    offset: 0,
                    found: "4294967296".into(),
                    limit: 0xffff_ffff,
                }),
            ),
        ] {
            assert_eq!(text.parse::<Actions>(), error, "{text}");
        }
    }
}
