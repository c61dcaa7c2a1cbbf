//! A packet as text.

use ofp_codec::{Field, Flow, MatchEntry, text::FlowRef};

use crate::{
    config::NO_PORT,
    fields::{CFI, Fields, at},
    matching,
    switch::Switch,
};

/// A packet: the fields by which it is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    pub(crate) fields: Fields,
}

impl Packet {
    /// A packet of these fields: those that a [`Round`](crate::Round) came with, or made from them.
    pub fn new(fields: Fields) -> Self {
        Self { fields }
    }

    /// Its fields.
    pub fn fields(&self) -> &Fields {
        &self.fields
    }
}

/// Why a text is no packet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PacketError {
    /// The text is no list of fields.
    #[error(transparent)]
    Text(#[from] ofp_codec::text::ParseError),
    /// A field has a mask, which a packet's have not.
    #[error("`{0}` has a mask, or is not understood")]
    Field(Box<str>),
    /// The switch has no such bridge.
    #[error("no bridge {0}")]
    Bridge(Box<str>),
}

impl Switch {
    /// A packet of this bridge, as `ofproto/trace` takes it: `in_port=1,tcp,nw_dst=10.0.0.1,tcp_dst=80`.
    ///
    /// # Errors
    /// [`PacketError`]
    pub fn packet(&self, bridge: &str, text: &str) -> Result<Packet, PacketError> {
        let index = self
            .bridge(bridge)
            .ok_or_else(|| PacketError::Bridge(bridge.into()))?;
        let bridge = &self.bridges[index];
        let flow = read(&as_printed(text))?;
        for entry in &flow.matches.0 {
            let is_exact = match entry {
                MatchEntry::Protocol(_) => true,
                MatchEntry::Field(found) => {
                    found.mask.is_none() || found.field == Field::IpFrag || found.field == Field::CtState
                }
                _ => false,
            };
            if !is_exact {
                return Err(PacketError::Field(entry.to_string().into()));
            }
        }
        let port = |name: &str| Some(bridge.port_named(name)?.number);
        let (mut fields, mask) = matching::to_fields(&flow.matches, &bridge.config.options, &port)
            .map_err(|unknown| PacketError::Field(unknown.to_string().into()))?;
        if mask.u32(at::IN_PORT) == 0 {
            fields.put(at::IN_PORT, NO_PORT);
        }
        if fields.u16(at::TCI[0]) & CFI != 0 && fields.u16(at::TPID[0]) == 0 {
            fields.put(at::TPID[0], 0x8100_u16);
        }
        // A packet type of the other name space is the Ethernet type, too.
        let packet_type = fields.u32(at::PACKET_TYPE);
        if packet_type >> 16 == 1 {
            fields.put(at::DL_TYPE, packet_type & 0xffff);
        }
        Ok(Packet { fields })
    }
}

impl Switch {
    /// The value and the mask of a match on packets of this bridge, as `ofproto/trace` prints a megaflow.
    ///
    /// # Errors
    /// [`PacketError`]
    pub fn megaflow(&self, bridge: &str, text: &str) -> Result<(Fields, Fields), PacketError> {
        let index = self
            .bridge(bridge)
            .ok_or_else(|| PacketError::Bridge(bridge.into()))?;
        let bridge = &self.bridges[index];
        let flow = read(text)?;
        let port = |name: &str| Some(bridge.port_named(name)?.number);
        matching::to_fields(&flow.matches, &bridge.config.options, &port)
            .map_err(|unknown| PacketError::Field(unknown.to_string().into()))
    }
}

fn read(text: &str) -> Result<Flow, PacketError> {
    let line = format!("{text} actions=drop");
    Ok(FlowRef::parse(line.as_bytes())?.to_flow()?)
}

/// Open vSwitch prints `tun_tos` in hexadecimal without saying so, and reads it as any number.
fn as_printed(text: &str) -> String {
    let parts = text.split(',').map(|part| {
        let number = part
            .strip_prefix("tun_tos=")
            .and_then(|number| match number.strip_prefix("0x") {
                Some(hex) => u8::from_str_radix(hex, 16).ok(),
                None => number.parse().ok(),
            });
        number.map_or_else(|| part.to_owned(), |number| format!("tun_tos={number:x}"))
    });
    parts.collect::<Vec<_>>().join(",")
}
