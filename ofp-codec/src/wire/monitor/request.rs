use core::fmt;

use crate::{
    model::{
        flow_mod::FlowMod,
        matches::Match,
        port::{Port, TableRef},
        version::Version,
    },
    wire::{
        bits::{bits, write_bit_names},
        error::{DecodeError, EncodeError, Fault},
        flow_request,
        matches::{MatchRef, MatchWriter, Use},
        port::port_in_16_bits,
        read::Reader,
        record::record,
        write::Writer,
    },
};

record! {
    /// `struct nx_flow_monitor_request` of `nicira-ext.h`; a match follows.
    struct NxMonitorRequest "flow monitor request" {
        id: u32,
        flags: u16,
        out_port: u16,
        match_len: u16,
        table_id: u8,
        zeros: [u8; 5],
    }

    /// `struct onf_flow_monitor_request` of `openflow-1.3.h`; a match follows.
    struct OnfMonitorRequest "flow monitor request" {
        id: u32,
        flags: u16,
        match_len: u16,
        out_port: u32,
        table_id: u8,
        zeros: [u8; 3],
    }

    /// `struct ofp14_flow_monitor_request` of `openflow-1.4.h`; a match follows.
    struct MonitorRequest14 "flow monitor request" {
        monitor_id: u32,
        out_port: u32,
        out_group: u32,
        flags: u16,
        table_id: u8,
        command: u8,
    }
}

bits! {
    /// What a flow monitor tells, in the numbering of OpenFlow 1.4 (`enum ofp14_flow_monitor_flags`).
    MonitorFlags {
        /// The flows that are there when it begins.
        INITIAL = 1 << 0, "initial";
        /// Flows that are added.
        ADD = 1 << 1, "add";
        /// Flows that are removed.
        REMOVED = 1 << 2, "delete";
        /// Flows that are changed.
        MODIFY = 1 << 3, "modify";
        /// What the flows do, too.
        INSTRUCTIONS = 1 << 4, "actions";
        /// Changes by this connection in full; Open vSwitch 3 refuses it.
        NO_ABBREV = 1 << 5, "no-abbrev";
        /// Changes by this connection, too.
        ONLY_OWN = 1 << 6, "own";
    }
}

/// What a monitor watches: `struct ofp14_flow_monitor_request` since OpenFlow 1.4,
/// `struct onf_flow_monitor_request` in 1.3, `struct nx_flow_monitor_request` before; 16 bytes and a match.
/// By default all flows of all tables, with all that is known of them, those that are there first. A
/// message may hold several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MonitorRequest {
    /// The number of the monitor among those of its connection.
    pub id: u32,
    /// What is done to the monitor; before OpenFlow 1.4 it can only be added.
    pub command: MonitorCommand,
    /// What it tells.
    pub flags: MonitorFlags,
    /// The table; [`FlowMod::ANY_TABLE`] is every one.
    pub table: TableRef,
    /// Flows that send to this port; [`Port::ANY`]: or do not.
    pub out_port: Port,
    /// Flows that use this group; [`FlowMod::ANY_GROUP`]: or do not. Since OpenFlow 1.4.
    pub out_group: u32,
    /// Flows whose match this one covers.
    pub matches: Match,
}

/// What is done to a monitor (`enum ofp14_flow_monitor_command`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MonitorCommand(pub u8);

impl MonitorCommand {
    /// It is made.
    pub const ADD: MonitorCommand = MonitorCommand(0);
    /// It is replaced.
    pub const MODIFY: MonitorCommand = MonitorCommand(1);
    /// It ends; nothing but its number counts.
    pub const DELETE: MonitorCommand = MonitorCommand(2);
}

impl Default for MonitorRequest {
    fn default() -> Self {
        MonitorRequest {
            id: 0,
            command: MonitorCommand::ADD,
            flags: MonitorFlags(0x5f),
            table: TableRef::Number(FlowMod::ANY_TABLE),
            out_port: Port::ANY,
            out_group: FlowMod::ANY_GROUP,
            matches: Match::default(),
        }
    }
}

impl MonitorRequest {
    /// Reads the next request of the body of a message.
    ///
    /// # Errors
    ///
    /// As Open vSwitch: if it ends too early, tells nothing or what there is not, and if its match is
    /// malformed.
    pub fn decode(reader: &mut Reader<'_>, version: Version) -> Result<Self, DecodeError> {
        let at = *reader;
        let mut request = MonitorRequest::default();
        let (flags, out_port, match_len);
        match version {
            Version::V1_0 | Version::V1_1 | Version::V1_2 => {
                let head = NxMonitorRequest::decode(reader)?;
                (request.id, request.table) = (head.id, TableRef::Number(head.table_id));
                out_port = Port::from_16_bits(head.out_port);
                (flags, match_len) = (MonitorFlags::from_nicira(head.flags, at)?, Some(head.match_len));
                check_zeros(&head.zeros, at)?;
            }
            Version::V1_3 => {
                let head = OnfMonitorRequest::decode(reader)?;
                (request.id, request.table) = (head.id, TableRef::Number(head.table_id));
                (flags, match_len) = (MonitorFlags::from_nicira(head.flags, at)?, None);
                check_zeros(&head.zeros, at)?;
                out_port = flow_request::out_port(head.out_port, &at)?;
            }
            _ => {
                let head = MonitorRequest14::decode(reader)?;
                (request.id, request.table) = (head.monitor_id, TableRef::Number(head.table_id));
                request.command = MonitorCommand(head.command);
                (request.out_group, match_len) = (head.out_group, None);
                flags = MonitorFlags(head.flags.into());
                out_port = match request.command {
                    // Nothing else of it is looked at.
                    MonitorCommand::DELETE => Port::from_32_bits(head.out_port).unwrap_or(Port::ANY),
                    _ => {
                        flags.check(MonitorFlags::ALL, at)?;
                        flow_request::out_port(head.out_port, &at)?
                    }
                };
            }
        }
        (request.flags, request.out_port) = (flags, out_port);
        let matches = match match_len {
            Some(len) => MatchRef::decode_nxm(reader, len)?,
            None => MatchRef::decode(reader)?,
        };
        matches.check_as(Use::Report)?;
        request.matches = matches.to_match()?;
        Ok(request)
    }

    /// Writes the body, or the next part of it.
    ///
    /// # Errors
    ///
    /// [`EncodeError::NotInVersion`] for what the version cannot say, [`EncodeError::Unresolved`] for what
    /// only a switch knows the number of.
    pub fn encode(&self, version: Version, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let start = writer.len();
        let table_id = self.table.encode()?;
        if version < Version::V1_4 && self.command != MonitorCommand::ADD {
            let what = "change of a flow monitor";
            return Err(EncodeError::NotInVersion { what, version });
        }
        if version < Version::V1_4 && self.out_group != FlowMod::ANY_GROUP {
            let what = "group of flows";
            return Err(EncodeError::NotInVersion { what, version });
        }
        match version {
            Version::V1_0 | Version::V1_1 | Version::V1_2 => {
                let head = NxMonitorRequest {
                    id: self.id,
                    flags: self.flags.to_nicira()?,
                    out_port: port_in_16_bits(self.out_port, "out_port")?,
                    table_id,
                    ..NxMonitorRequest::default()
                };
                head.encode(writer);
                let len = MatchWriter::new(&self.matches)?.encode_nxm(None, writer)?;
                writer.fill(start + 8, len.to_be_bytes());
                return Ok(());
            }
            Version::V1_3 => {
                let head = OnfMonitorRequest {
                    id: self.id,
                    flags: self.flags.to_nicira()?,
                    out_port: self.out_port.0,
                    table_id,
                    ..OnfMonitorRequest::default()
                };
                head.encode(writer);
            }
            _ => {
                let head = MonitorRequest14 {
                    monitor_id: self.id,
                    out_port: self.out_port.0,
                    out_group: self.out_group,
                    flags: self.flags.to_16_bits()?,
                    table_id,
                    command: self.command.0,
                };
                head.encode(writer);
            }
        }
        let match_at = writer.len();
        MatchWriter::new(&self.matches)?.encode_oxm(version, writer)?;
        if version == Version::V1_3 {
            // The length of the match stands in it, and here once more.
            let len = [writer.written()[match_at + 2], writer.written()[match_at + 3]];
            writer.fill(start + 6, len);
        }
        Ok(())
    }
}

impl MonitorFlags {
    /// All but `NO_ABBREV`, which Open vSwitch refuses.
    const ALL: u32 = 0x5f;

    /// From Nicira's numbering.
    fn from_nicira(bits: u16, at: Reader<'_>) -> Result<Self, DecodeError> {
        MonitorFlags(bits.into()).check(0x3f, at)?;
        Ok(MonitorFlags((bits & 0x1f | (bits & 0x20) << 1).into()))
    }

    /// Checks that these tell something, and nothing that there is not.
    fn check(self, known: u32, at: Reader<'_>) -> Result<(), DecodeError> {
        let changes = MonitorFlags::ADD.0 | MonitorFlags::REMOVED.0 | MonitorFlags::MODIFY.0;
        match self.0 & changes == 0 || self.0 & !known != 0 {
            true => Err(at
                .named("OFPMOFC_BAD_FLAGS")
                .error("monitor flags", Fault::Value(self.0.into()))),
            false => Ok(()),
        }
    }

    fn to_16_bits(self) -> Result<u16, EncodeError> {
        let range = |_| EncodeError::OutOfRange {
            what: "monitor flags",
            value: self.0.into(),
        };
        u16::try_from(self.0).map_err(range)
    }

    /// In Nicira's numbering, which has no `NO_ABBREV` (`ofp_to_nx_flow_monitor_flags`) and none of later ones.
    fn to_nicira(self) -> Result<u16, EncodeError> {
        let bits = self.to_16_bits()?;
        if self.0 & !MonitorFlags::ALL != 0 {
            return Err(EncodeError::OutOfRange {
                what: "monitor flags",
                value: self.0.into(),
            });
        }
        Ok(bits & 0x1f | (bits & 0x40) >> 1)
    }
}

impl MonitorRequest {
    /// The request as a switch prints it that speaks this version of OpenFlow.
    #[must_use]
    pub fn canonical(&self, version: Version) -> MonitorRequest {
        MonitorRequest {
            matches: self.matches.canonical(version),
            ..self.clone()
        }
    }

    /// The request as `ovs-ofctl` prints it that has read it.
    pub(crate) fn as_received(&self) -> MonitorRequest {
        MonitorRequest {
            matches: self.matches.as_received(),
            ..self.clone()
        }
    }
}

/// As `ovs-ofctl` prints it.
impl fmt::Display for MonitorRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n id={}", self.id)?;
        if self.command == MonitorCommand::DELETE {
            return f.write_str(" command=delete");
        }
        write!(f, " flags=")?;
        write_bit_names(f, self.flags.0, MonitorFlags::NAMES, ",")?;
        if self.out_port != Port::ANY {
            write!(f, " out_port={}", self.out_port)?;
        }
        if ![0, FlowMod::ANY_GROUP].contains(&self.out_group) {
            // As a number with a sign.
            write!(
                f,
                " out_group={}",
                i32::from_ne_bytes(self.out_group.to_ne_bytes())
            )?;
        }
        if self.table != TableRef::Number(FlowMod::ANY_TABLE) {
            write!(f, " table={}", self.table)?;
        }
        match self.matches.0.is_empty() {
            true => Ok(()),
            false => write!(f, " {}", self.matches),
        }
    }
}

fn check_zeros(zeros: &[u8], at: Reader<'_>) -> Result<(), DecodeError> {
    match zeros.iter().find(|byte| **byte != 0) {
        Some(byte) => Err(at
            .named("NXBRC_MUST_BE_ZERO")
            .error("padding", Fault::Value((*byte).into()))),
        None => Ok(()),
    }
}
