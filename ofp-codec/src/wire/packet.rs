use alloc::{vec, vec::Vec};
use core::fmt;

use crate::{
    model::{
        action::{encap::PacketType, report::PacketInReason},
        field::Field,
        matches::{FieldMatch, Match, MatchEntry},
        port::Port,
        print::Dotted,
        version::Version,
    },
    wire::{
        error::{DecodeError, EncodeError, Fault},
        kind::{MessageKind, Namespace},
        matches::{MatchRef, MatchWriter, OxmList, Use},
        message::Message,
        port::{decode_port, encode_port},
        property::{BAD_LEN, Property, decode_property},
        read::Reader,
        write::Writer,
    },
};

mod continuation;
mod headers;
mod out;

pub use continuation::{Continuation, Continued};
pub use headers::Packet;
pub use out::PacketOut;

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
    /// What else `NXT_PACKET_IN2` says, and is not known here.
    pub other: Vec<Property>,
}

/// In which form a switch gives packets to a connection (`enum ofputil_packet_in_format`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PacketInFormat {
    /// `OFPT_PACKET_IN`.
    Standard,
    /// `NXT_PACKET_IN`: with all metadata, also before OpenFlow 1.2.
    Nicira,
    /// `NXT_PACKET_IN2`: also with what the action says, and what is needed to go on.
    Nicira2,
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
            packet.metadata = metadata(MatchRef::decode_nxm(&mut body, match_len)?)?;
            body.u16("padding")?;
        } else if version >= Version::V1_2 {
            packet.metadata = metadata(MatchRef::decode_oxm(&mut body)?)?;
            body.u16("padding")?;
        }
        packet.data = body.rest();
        Ok(packet)
    }

    /// Reads properties (`enum nx_packet_in2_prop_type`).
    fn decode_2(mut body: Reader<'a>) -> Result<Self, DecodeError> {
        let at = body;
        let mut packet = PacketIn::empty();
        let mut total_len = None;
        while !body.is_empty() {
            let mut property = body;
            let (kind, mut value) = decode_property(&mut body)?;
            let wanted = match kind {
                FULL_LEN | BUFFER_ID => 4,
                COOKIE => 12,
                _ => value.len(),
            };
            if value.len() != wanted {
                let got = value.len();
                return Err(value
                    .named(BAD_LEN)
                    .error("property", Fault::Length { wanted, got }));
            }
            match kind {
                PACKET => packet.data = value.rest(),
                FULL_LEN => total_len = usize::try_from(value.u32("full length")?).ok(),
                BUFFER_ID => packet.buffer_id = decode_buffer_id(&mut value)?,
                TABLE_ID => packet.table = value.u8("table")?,
                COOKIE => {
                    value.u32("padding")?;
                    packet.cookie = decode_cookie(&mut value)?;
                }
                REASON => packet.reason = PacketInReason(value.u8("reason")?),
                METADATA => packet.metadata = metadata(MatchRef::Nxm(OxmList::of(value, value.len())?))?,
                USERDATA => packet.userdata = value.rest(),
                CONTINUATION => {
                    value.u32("padding")?;
                    packet.continuation = Some(value.rest());
                }
                _ => packet.other.push(Property::decode(&mut property)?),
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
            other: Vec::new(),
        }
    }

    /// Appends the message in which a switch gives the packet in this form.
    ///
    /// # Errors
    ///
    /// [`EncodeError::OutOfRange`] for a length or a port that the form has no place for,
    /// [`EncodeError::NotInVersion`] and [`EncodeError::Unresolved`] for metadata.
    pub fn encode(
        &self,
        format: PacketInFormat,
        version: Version,
        xid: u32,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        let nicira = format == PacketInFormat::Nicira;
        let kind = match format {
            PacketInFormat::Nicira2 => {
                return MessageKind::PacketIn2.encode(version, xid, out, |writer| {
                    self.encode_2(version, writer)?;
                    match self.userdata {
                        [] => Ok(()),
                        userdata => Property::new(USERDATA, userdata).encode(writer),
                    }
                });
            }
            _ => MessageKind::PacketIn,
        };
        let form = kind.form_of(version, nicira)?;
        kind.encode_form(form, version, xid, out, |writer| match nicira {
            true => self.encode_nicira(writer),
            false => self.encode_standard(version, writer),
        })
    }

    /// Appends `NXT_RESUME`: the switch goes on with a packet that it gave with its
    /// [`continuation`](Self::continuation).
    ///
    /// # Errors
    ///
    /// As [`encode`](Self::encode).
    pub fn encode_resume(&self, version: Version, xid: u32, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        MessageKind::Resume.encode(version, xid, out, |writer| self.encode_2(version, writer))
    }

    /// The packet, to look at.
    pub fn packet(&self) -> Packet<'a> {
        Packet {
            kind: packet_type(&self.metadata),
            bytes: self.data,
        }
    }

    fn encode_standard(&self, version: Version, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let port = port_of(&self.metadata).unwrap_or(Port::ANY);
        writer.u32(self.buffer_id.unwrap_or(NO_BUFFER));
        if version == Version::V1_1 {
            writer.u32(port.0);
            writer.u32(port.0);
        }
        writer.u16(self.encode_total_len()?);
        if version == Version::V1_0 {
            encode_port(port, version, writer)?;
        }
        writer.u8(self.reason.0);
        writer.u8(if version == Version::V1_0 { 0 } else { self.table });
        if version >= Version::V1_3 {
            writer.u64(self.cookie.unwrap_or(NO_COOKIE));
        }
        if version >= Version::V1_2 {
            MatchWriter::new(&self.metadata)?.encode_oxm(version, writer)?;
            writer.u16(0);
        }
        writer.bytes(self.data);
        Ok(())
    }

    fn encode_nicira(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        writer.u32(self.buffer_id.unwrap_or(NO_BUFFER));
        writer.u16(self.encode_total_len()?);
        writer.u8(self.reason.0);
        writer.u8(self.table);
        writer.u64(self.cookie.unwrap_or(NO_COOKIE));
        let len_at = writer.len();
        writer.zeros(8);
        let match_len = MatchWriter::new(&self.metadata)?.encode_nxm(None, writer)?;
        writer.fill(len_at, match_len.to_be_bytes());
        writer.u16(0);
        writer.bytes(self.data);
        Ok(())
    }

    /// The properties in Open vSwitch's order, without those that are of a packet-in only.
    fn encode_2(&self, version: Version, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let number = |kind, number: [u8; 4]| Property::new(kind, &number);
        Property::new(PACKET, self.data).encode(writer)?;
        if self.total_len != self.data.len() {
            let len = u32::try_from(self.total_len).map_err(|_| self.too_long())?;
            number(FULL_LEN, len.to_be_bytes()).encode(writer)?;
        }
        if let Some(buffer) = self.buffer_id {
            number(BUFFER_ID, buffer.to_be_bytes()).encode(writer)?;
        }
        Property::new(TABLE_ID, &[self.table]).encode(writer)?;
        if let Some(cookie) = self.cookie {
            nested(COOKIE, &cookie.to_be_bytes()).encode(writer)?;
        }
        Property::new(REASON, &[self.reason.0]).encode(writer)?;
        let mut metadata = Vec::new();
        let entries = MatchWriter::new(&self.metadata)?;
        entries.encode_entries(version, &mut Writer::new(&mut metadata))?;
        Property::new(METADATA, &metadata).encode(writer)?;
        if let Some(continuation) = self.continuation {
            nested(CONTINUATION, continuation).encode(writer)?;
        }
        self.other.iter().try_for_each(|property| property.encode(writer))
    }

    fn encode_total_len(&self) -> Result<u16, EncodeError> {
        u16::try_from(self.total_len).map_err(|_| self.too_long())
    }

    fn too_long(&self) -> EncodeError {
        EncodeError::OutOfRange {
            what: "length of a packet",
            value: u128::try_from(self.total_len).unwrap_or(u128::MAX),
        }
    }
}

/// A property whose value begins at a multiple of 8 bytes.
fn nested(kind: u16, value: &[u8]) -> Property {
    Property::new(kind, &[&[0; 4], value].concat())
}

/// As `ovs-ofctl` prints it, up to what the [`Continuation`] has and the fields of the
/// [`packet`](PacketIn::packet).
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

fn decode_buffer_id(reader: &mut Reader<'_>) -> Result<Option<u32>, DecodeError> {
    let buffer_id = reader.u32("buffer id")?;
    Ok((buffer_id != NO_BUFFER).then_some(buffer_id))
}

/// A cookie; all ones stand for none.
fn decode_cookie(reader: &mut Reader<'_>) -> Result<Option<u64>, DecodeError> {
    let cookie = reader.u64("cookie")?;
    Ok((cookie != u64::MAX).then_some(cookie))
}

/// What a packet has.
fn metadata(matches: MatchRef<'_>) -> Result<Match, DecodeError> {
    matches.check_as(Use::Packet)?;
    matches.to_match()
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

/// The type of packet that a match says.
fn packet_type(metadata: &Match) -> PacketType {
    let number = metadata.exact(Field::PacketType).unwrap_or(0);
    let half = |number: u128| u16::try_from(number & 0xffff).unwrap_or(0);
    PacketType {
        namespace: half(number >> 16),
        kind: half(number),
    }
}

const NO_BUFFER: u32 = 0xffff_ffff;
const NO_COOKIE: u64 = u64::MAX;

// `enum nx_packet_in2_prop_type`.
const PACKET: u16 = 0;
const FULL_LEN: u16 = 1;
const BUFFER_ID: u16 = 2;
const TABLE_ID: u16 = 3;
const COOKIE: u16 = 4;
const REASON: u16 = 5;
const METADATA: u16 = 6;
const USERDATA: u16 = 7;
const CONTINUATION: u16 = 8;
