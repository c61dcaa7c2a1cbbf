//! `OVS_ACTION_ATTR_PUSH_VLAN`.

use core::fmt;

use netlink_genl::nlattr::{Attr, DecodeError, EncodeError, Sink};

use crate::key::codec::Codec;
use crate::text::ParseError;
use crate::text::lex::Lexer;
use crate::text::print::Printer;

/// An 802.1Q header to add: `struct ovs_action_push_vlan`, two words in network byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PushVlan {
    /// The EtherType, 0x8100 or 0x88a8; the kernel takes no other.
    pub tpid: u16,
    /// Priority (3 bits), CFI (bit 12, set to say that there is a tag), VLAN id (12 bits).
    pub tci: u16,
}

impl PushVlan {
    /// A tag of EtherType 0x8100 with VLAN id `vid` (its low 12 bits) and priority `pcp` (its low 3 bits).
    pub const fn new(vid: u16, pcp: u8) -> Self {
        Self {
            tpid: ETH_TYPE_VLAN,
            tci: ((pcp as u16 & 7) << 13) | CFI | (vid & VID_MASK),
        }
    }

    /// The VLAN id.
    pub const fn vid(&self) -> u16 {
        self.tci & VID_MASK
    }

    /// The priority.
    pub const fn pcp(&self) -> u8 {
        self.tci.to_be_bytes()[0] >> 5
    }
}

pub(super) struct PushVlanCodec;

impl Codec for PushVlanCodec {
    type Value = PushVlan;

    fn encode<S: Sink>(vlan: &PushVlan, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        let [a, b] = vlan.tpid.to_be_bytes();
        let [c, d] = vlan.tci.to_be_bytes();
        sink.attr(kind, &[a, b, c, d])
    }

    fn decode(attr: &Attr<'_>) -> Result<PushVlan, DecodeError> {
        let [a, b, c, d] = attr.array()?;
        Ok(PushVlan {
            tpid: u16::from_be_bytes([a, b]),
            tci: u16::from_be_bytes([c, d]),
        })
    }

    fn print(vlan: &PushVlan, name: &str, f: &mut Printer<'_>) -> fmt::Result {
        write!(f, "{name}(")?;
        if vlan.tpid != ETH_TYPE_VLAN {
            write!(f, "tpid={:#06x},", vlan.tpid)?;
        }
        write!(f, "vid={},pcp={}", vlan.vid(), vlan.pcp())?;
        f.write_str(if vlan.tci & CFI == 0 { ",cfi=0)" } else { ")" })
    }

    /// `(tpid=0x88a8,vid=5,pcp=0,cfi=1)`; `tpid` and `cfi` may be left out.
    fn parse(lexer: &mut Lexer<'_>) -> Result<PushVlan, ParseError> {
        // `number` returns at most `limit`, which fits.
        let number =
            |lexer: &mut Lexer<'_>, limit| lexer.number(limit).map(|n| u16::try_from(n).unwrap_or(u16::MAX));
        let mut tpid = ETH_TYPE_VLAN;
        lexer.expect("(")?;
        if lexer.eat("tpid=") {
            tpid = number(lexer, 0xffff)?;
            lexer.expect(",")?;
        }
        lexer.expect("vid=")?;
        let vid = number(lexer, u64::from(VID_MASK))?;
        lexer.expect(",")?;
        lexer.expect("pcp=")?;
        let pcp = number(lexer, 7)?;
        let cfi = if lexer.eat(",cfi=") { number(lexer, 1)? } else { 1 };
        lexer.expect(")")?;
        Ok(PushVlan {
            tpid,
            tci: pcp << 13 | cfi << 12 | vid,
        })
    }
}

const ETH_TYPE_VLAN: u16 = 0x8100;
const CFI: u16 = 0x1000;
const VID_MASK: u16 = 0x0fff;
