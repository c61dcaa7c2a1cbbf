use alloc::{vec, vec::Vec};
use core::fmt;

use crate::{
    model::{
        action::{Action, report::PacketInReason},
        canonical::{actions::Context, printed::PrintedActions},
        field::Field,
        matches::{FieldMatch, Match, MatchEntry},
        port::Port,
        print::Dotted,
        version::Version,
    },
    wire::{
        action::{decode_actions, encode_actions},
        error::{DecodeError, EncodeError, Fault},
        kind::{MessageKind, Namespace},
        matches::{MatchRef, OxmList, encode_oxm},
        message::Message,
        port::decode_port,
        property::decode_property,
        read::Reader,
        write::Writer,
    },
};

/// A packet that the switch gives to a controller: `OFPT_PACKET_IN` of every version, `NXT_PACKET_IN` and
/// `NXT_PACKET_IN2`, and `NXT_RESUME`, which is the last of them on its way back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PacketIn<'a> {
    /// How long the packet is, of which [`data`](Self::data) may be the beginning.
    pub total_len: usize,
    /// The number under which the switch keeps the packet.
    pub buffer_id: Option<u32>,
    /// Why it is given.
    pub reason: PacketInReason,
    /// The table of the flow that gives it.
    pub table: u8,
    /// The cookie of that flow; since OpenFlow 1.3 and in Nicira's forms.
    pub cookie: Option<u64>,
    /// The port that it came in on, and the rest of its metadata.
    pub metadata: Match,
    /// What the action said to give with it; `NXT_PACKET_IN2` only.
    pub userdata: &'a [u8],
    /// What the switch needs to go on with it; `NXT_PACKET_IN2` only. It is returned as it is.
    pub continuation: Option<&'a [u8]>,
    /// The packet.
    pub data: &'a [u8],
}

impl<'a> PacketIn<'a> {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// If it ends too early or its metadata is malformed, and if `NXT_PACKET_IN2` has no packet.
    pub fn decode(message: &Message<'a>) -> Result<Self, DecodeError> {
        if matches!(message.kind(), Some(MessageKind::PacketIn2 | MessageKind::Resume)) {
            return PacketIn::decode_2(message.body());
        }
        let nicira = matches!(message.number().namespace, Namespace::Experimenter(_));
        let version = message.header().version;
        let mut body = message.body();
        let mut packet = PacketIn::empty();
        packet.buffer_id = decode_buffer_id(&mut body)?;
        match version {
            _ if nicira => {}
            Version::V1_1 => {
                packet.metadata = in_port(decode_port(&mut body)?);
                body.u32("physical port")?;
            }
            _ => {}
        }
        packet.total_len = body.u16("total length")?.into();
        if version == Version::V1_0 && !nicira {
            packet.metadata = in_port(Port::from_text_number(body.u16("port")?.into()));
            packet.reason = PacketInReason(body.u8("reason")?);
            body.u8("padding")?;
            packet.data = body.rest();
            return Ok(packet);
        }
        packet.reason = PacketInReason(body.u8("reason")?);
        packet.table = body.u8("table")?;
        if nicira || version >= Version::V1_3 {
            packet.cookie = decode_cookie(&mut body)?;
        }
        if nicira {
            let match_len = body.u16("match length")?;
            body.bytes(6, "padding")?;
            packet.metadata = MatchRef::decode_nxm(&mut body, match_len)?.to_match()?;
            body.u16("padding")?;
        } else if version >= Version::V1_2 {
            packet.metadata = MatchRef::decode(&mut body)?.to_match()?;
            body.u16("padding")?;
        }
        packet.data = body.rest();
        Ok(packet)
    }

    /// Reads properties (`enum nx_packet_in2_prop_type`); those that are not known are passed over.
    fn decode_2(mut body: Reader<'a>) -> Result<Self, DecodeError> {
        let at = body;
        let mut packet = PacketIn::empty();
        let mut total_len = None;
        while !body.is_empty() {
            let (kind, mut value) = decode_property(&mut body)?;
            match kind {
                0 => packet.data = value.rest(),
                1 => total_len = usize::try_from(value.u32("full length")?).ok(),
                2 => packet.buffer_id = decode_buffer_id(&mut value)?,
                3 => packet.table = value.u8("table")?,
                4 => {
                    value.u32("padding")?;
                    packet.cookie = decode_cookie(&mut value)?;
                }
                5 => packet.reason = PacketInReason(value.u8("reason")?),
                6 => packet.metadata = MatchRef::Nxm(OxmList::of(value, value.len())?).to_match()?,
                7 => packet.userdata = value.rest(),
                8 => {
                    value.u32("padding")?;
                    packet.continuation = Some(value.rest());
                }
                _ => {}
            }
        }
        packet.total_len = total_len.filter(|len| *len != 0).unwrap_or(packet.data.len());
        if packet.data.is_empty() || packet.total_len < packet.data.len() {
            let (wanted, got) = (packet.data.len().max(1), packet.total_len);
            return Err(at.error("packet", Fault::Length { wanted, got }));
        }
        Ok(packet)
    }

    fn empty() -> Self {
        PacketIn {
            total_len: 0,
            buffer_id: None,
            reason: PacketInReason(0),
            table: 0,
            cookie: None,
            metadata: Match::default(),
            userdata: &[],
            continuation: None,
            data: &[],
        }
    }
}

/// As `ovs-ofctl` prints it, up to the packet's own fields and what the continuation has.
impl fmt::Display for PacketIn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.table != 0 {
            write!(f, " table_id={}", self.table)?;
        }
        if let Some(cookie) = self.cookie {
            write!(f, " cookie={cookie:#x}")?;
        }
        let (total_len, data_len) = (self.total_len, self.data.len());
        write!(f, " total_len={total_len} {} (via ", self.metadata)?;
        write!(f, "{})", self.reason)?;
        write!(f, " data_len={data_len}")?;
        match self.buffer_id {
            None if total_len != data_len => write!(f, " (unbuffered) (***total_len != data_len***)")?,
            None => write!(f, " (unbuffered)")?,
            Some(buffer) => {
                write!(f, " buffer=0x{buffer:08x}")?;
                if total_len < data_len {
                    write!(f, " (***total_len < data_len***)")?;
                }
            }
        }
        writeln!(f)?;
        match self.userdata {
            [] => Ok(()),
            userdata => writeln!(f, " userdata={}", Dotted(userdata)),
        }
    }
}

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
                metadata = MatchRef::decode(&mut body)?.to_match()?;
            }
            _ => {
                metadata = in_port(decode_port(&mut body)?);
                actions_len = body.u16("length of actions")?;
                body.bytes(6, "padding")?;
            }
        }
        let port = port_of(&metadata).unwrap_or(Port::UNSET);
        let received = port.0 < 0xff00 || [Port::LOCAL, Port::ANY, Port::CONTROLLER].contains(&port);
        if !received {
            return Err(at.error("port", Fault::Value(port.0.into())));
        }
        let actions = body.named("OFPBAC_BAD_LEN").part(actions_len.into(), "actions")?;
        body.bytes(actions_len.into(), "actions")?;
        Ok(PacketOut {
            buffer_id,
            metadata,
            actions: decode_actions(actions, version)?,
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
        writer.u32(self.buffer_id.unwrap_or(NO_BUFFER));
        let len_at = match version {
            Version::V1_0 => {
                writer.u16(port.to_16_bits().ok_or(EncodeError::OutOfRange {
                    what: "port",
                    value: port.0.into(),
                })?);
                writer.u16(0);
                writer.len() - 2
            }
            Version::V1_5 => {
                writer.u16(0);
                writer.u16(0);
                let at = writer.len() - 4;
                encode_oxm(&self.metadata, version, writer)?;
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

/// As `ovs-ofctl` prints it, up to the packet's own fields.
impl fmt::Display for PacketOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " {} actions={}", self.metadata, PrintedActions(&self.actions))?;
        match self.buffer_id {
            Some(buffer) => write!(f, " buffer=0x{buffer:08x}"),
            None => write!(f, " data_len={}", self.data.len()),
        }
    }
}

fn decode_buffer_id(reader: &mut Reader<'_>) -> Result<Option<u32>, DecodeError> {
    let buffer_id = reader.u32("buffer id")?;
    Ok((buffer_id != NO_BUFFER).then_some(buffer_id))
}

/// A cookie; all ones stand for none.
fn decode_cookie(reader: &mut Reader<'_>) -> Result<Option<u64>, DecodeError> {
    let cookie = reader.u64("cookie")?;
    Ok((cookie != u64::MAX).then_some(cookie))
}

/// The match of packets that came in on this port.
fn in_port(port: Port) -> Match {
    let entry = FieldMatch::exact(Field::InPort, port.0.into());
    Match(vec![MatchEntry::Field(entry)])
}

/// The port that a match says.
fn port_of(metadata: &Match) -> Option<Port> {
    let number = metadata.exact(Field::InPort)?;
    number.try_into().ok().map(Port)
}

const NO_BUFFER: u32 = 0xffff_ffff;
