use alloc::vec::Vec;
use core::fmt;

use crate::{
    model::{
        action::Action,
        canonical::{actions::Context, printed::PrintedActions},
        matches::Match,
        port::Port,
        version::Version,
    },
    wire::{
        action::{decode_actions, encode_actions},
        error::{DecodeError, EncodeError, Fault},
        matches::{MatchRef, MatchWriter, Use},
        message::Message,
        packet::{NO_BUFFER, Packet, decode_buffer_id, in_port, packet_type, port_of},
        port::{decode_port, port_in_16_bits},
        write::Writer,
    },
};

/// A packet that a controller gives to the switch, and what is to be done with it: `OFPT_PACKET_OUT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PacketOut {
    /// The packet is the one that the switch keeps under this number.
    pub buffer_id: Option<u32>,
    /// The port that it counts as received on, and since OpenFlow 1.5 other metadata.
    pub metadata: Match,
    /// What is done with it.
    pub actions: Vec<Action>,
    /// The packet, if the switch keeps none.
    pub data: Vec<u8>,
}

impl PacketOut {
    /// Gives the switch a packet that counts as received on `port`.
    pub fn new(port: Port, actions: Vec<Action>, data: Vec<u8>) -> Self {
        PacketOut {
            buffer_id: None,
            metadata: in_port(port),
            actions,
            data,
        }
    }

    /// The packet, to look at.
    pub fn packet(&self) -> Packet<'_> {
        Packet {
            kind: packet_type(&self.metadata),
            bytes: &self.data,
        }
    }

    /// Reads it.
    ///
    /// # Errors
    ///
    /// If it ends too early, its metadata or actions are malformed, or it has no port, or one that
    /// packets do not come in on.
    pub fn decode(message: &Message<'_>) -> Result<Self, DecodeError> {
        let version = message.header().version;
        let mut body = message.body();
        let at = body.named("OFPBRC_BAD_PORT");
        let buffer_id = decode_buffer_id(&mut body)?;
        let (metadata, actions_len);
        match version {
            Version::V1_0 => {
                metadata = in_port(Port::from_text_number(body.u16("port")?.into()));
                actions_len = body.u16("length of actions")?;
            }
            Version::V1_5 => {
                actions_len = body.u16("length of actions")?;
                body.u16("padding")?;
                let matches = MatchRef::decode_oxm(&mut body)?;
                matches.check_as(Use::PacketOut)?;
                metadata = matches.to_match()?;
            }
            _ => {
                metadata = in_port(decode_port(&mut body)?);
                actions_len = body.u16("length of actions")?;
                body.bytes(6, "padding")?;
            }
        }
        let bad_port = |port: Port| at.error("port", Fault::Value(port.0.into()));
        let port = port_of(&metadata).ok_or_else(|| bad_port(Port::UNSET))?;
        let actions = body.part(actions_len.into(), "actions")?;
        let actions = decode_actions(actions, version)?;
        let received = port.0 < 0xff00 || [Port::LOCAL, Port::ANY, Port::CONTROLLER].contains(&port);
        if !received {
            return Err(bad_port(port));
        }
        Ok(PacketOut {
            buffer_id,
            metadata,
            actions,
            data: match buffer_id {
                Some(_) => Vec::new(),
                None => body.rest().into(),
            },
        })
    }

    /// Writes the body.
    ///
    /// # Errors
    ///
    /// For what the version cannot say; before OpenFlow 1.5 that is all metadata but the port.
    pub fn encode(&self, version: Version, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let only_port = self.metadata.0.len() == 1;
        let port = port_of(&self.metadata).filter(|_| only_port || version >= Version::V1_5);
        let port = port.ok_or(EncodeError::NotInVersion {
            what: "metadata of a packet",
            version,
        })?;
        if self.buffer_id.is_some() && !self.data.is_empty() {
            let what = "packet beside the number of one that the switch keeps";
            return Err(EncodeError::Misplaced { what });
        }
        if self.buffer_id == Some(NO_BUFFER) {
            let value = NO_BUFFER.into();
            return Err(EncodeError::OutOfRange {
                what: "buffer id",
                value,
            });
        }
        writer.u32(self.buffer_id.unwrap_or(NO_BUFFER));
        let len_at = match version {
            Version::V1_0 => {
                writer.u16(port_in_16_bits(port, "port")?);
                writer.u16(0);
                writer.len() - 2
            }
            Version::V1_5 => {
                writer.u16(0);
                writer.u16(0);
                let at = writer.len() - 4;
                MatchWriter::new(&self.metadata)?.encode_oxm(version, writer)?;
                at
            }
            _ => {
                writer.u32(port.0);
                writer.zeros(8);
                writer.len() - 8
            }
        };
        let actions_at = writer.len();
        encode_actions(&self.actions, &Context::of_match(version, &self.metadata), writer)?;
        writer.fill_len(len_at, actions_at, "actions")?;
        writer.bytes(&self.data);
        Ok(())
    }
}

/// As `ovs-ofctl` prints it, up to the fields of the [`packet`](PacketOut::packet).
impl fmt::Display for PacketOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " {} actions={}", self.metadata, PrintedActions(&self.actions))?;
        match self.buffer_id {
            Some(buffer) => write!(f, " buffer=0x{buffer:08x}"),
            None => write!(f, " data_len={}", self.data.len()),
        }
    }
}
