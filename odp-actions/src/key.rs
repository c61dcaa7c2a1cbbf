//! Flow key attributes (`OVS_KEY_ATTR_*`), as far as `set` writes them.
//!
//! ```
//! use odp_actions::{Key, Tunnel, TunnelAttr};
//!
//! let tunnel = Tunnel::new([TunnelAttr::Id(7), TunnelAttr::Ipv4Dst([10, 0, 0, 1].into()), TunnelAttr::Ttl(64)]);
//! assert_eq!(Key::Tunnel(tunnel).to_string(), "tunnel(tun_id=0x7,dst=10.0.0.1,ttl=64,flags(key))");
//! ```

pub(crate) mod codec;
mod tunnel;

use alloc::vec::Vec;
use core::fmt;

use netlink_genl::nlattr::RawAttr;

use self::tunnel::TunnelCodec;
pub use self::tunnel::{Tunnel, TunnelAttr};
use crate::text::ParseError;
use crate::text::lex::Lexer;

attributes! {
    /// One attribute of a flow key, as the payload of `set`.
    pub enum Key {
        /// `OVS_KEY_ATTR_TUNNEL`: where and how a tunnel device sends the packet.
        16 Tunnel(Tunnel) TunnelCodec "tunnel";
    }
}

impl Key {
    pub(crate) fn parse_from(lexer: &mut Lexer<'_>) -> Result<Self, ParseError> {
        let start = *lexer;
        let name = lexer.word("a flow key attribute")?;
        if let Some(kind) = name.strip_prefix("key") {
            if let Ok(kind) = kind.parse() {
                return parse_raw(kind, lexer).map(Self::Unknown);
            }
        }
        Self::parse(name, lexer).unwrap_or_else(|| Err(start.expected("a flow key attribute")))
    }

    fn print_unknown(unknown: &RawAttr, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print_raw(unknown, f)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.print(f)
    }
}

/// Reads the payload of an attribute without a name: what [`Hex`] printed, between parentheses, or nothing.
pub(crate) fn parse_raw(raw_kind: u16, lexer: &mut Lexer<'_>) -> Result<RawAttr, ParseError> {
    let mut payload = Vec::new();
    if lexer.eat("(") && !lexer.eat(")") {
        payload = lexer.hex_bytes()?;
        lexer.expect(")")?;
    }
    Ok(RawAttr { raw_kind, payload })
}

/// Prints a nested attribute without a name.
fn print_raw(attr: &RawAttr, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "key{}({})", attr.kind(), Hex(&attr.payload))
}

/// Prints bytes as `01 ab`.
pub(crate) struct Hex<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().enumerate().try_for_each(|(i, byte)| {
            let space = if i == 0 { "" } else { " " };
            write!(f, "{space}{byte:02x}")
        })
    }
}
