use core::fmt;

use crate::{
    model::{
        action::Action,
        flow::{ActionList, Flow},
        flow_mod::FlowMod,
        matches::Match,
        port::{Port, TableRef},
        version::Version,
    },
    wire::{
        action::decode_actions,
        bits::bits,
        entries::Entry,
        error::{DecodeError, EncodeError, Fault},
        flow_removed::FlowRemovedReason,
        instruction::decode_instructions,
        matches::{MatchRef, encode_nxm, encode_oxm},
        read::Reader,
        write::Writer,
    },
};

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
/// By default all flows of all tables, with all that is known of them, those that are there first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MonitorRequest {
    /// The number of the monitor among those of its connection.
    pub id: u32,
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

impl Default for MonitorRequest {
    fn default() -> Self {
        MonitorRequest {
            id: 0,
            flags: MonitorFlags(0x5f),
            table: TableRef::Number(FlowMod::ANY_TABLE),
            out_port: Port::ANY,
            out_group: FlowMod::ANY_GROUP,
            matches: Match::default(),
        }
    }
}

impl MonitorRequest {
    /// Writes the body.
    ///
    /// # Errors
    ///
    /// [`EncodeError::NotInVersion`] for what the version cannot say, [`EncodeError::Unresolved`] for what
    /// only a switch knows the number of.
    pub fn encode(&self, version: Version, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let start = writer.len();
        let table = self.table.encode()?;
        writer.u32(self.id);
        match version {
            Version::V1_0 | Version::V1_1 | Version::V1_2 => {
                writer.u16(self.flags.to_nicira()?);
                writer.u16(self.out_port.to_16_bits().ok_or(EncodeError::OutOfRange {
                    what: "out_port",
                    value: self.out_port.0.into(),
                })?);
                writer.u16(0);
                writer.u8(table);
                writer.zeros(5);
                let len = encode_nxm(&self.matches, None, writer)?;
                writer.fill(start + 8, len.to_be_bytes());
                Ok(())
            }
            Version::V1_3 => {
                writer.u16(self.flags.to_nicira()?);
                writer.u16(0);
                writer.u32(self.out_port.0);
                writer.u8(table);
                writer.zeros(3);
                encode_oxm(&self.matches, version, writer)
            }
            _ => {
                writer.u32(self.out_port.0);
                writer.u32(self.out_group);
                writer.u16(self.flags.to_16_bits()?);
                writer.u8(table);
                writer.u8(0);
                encode_oxm(&self.matches, version, writer)
            }
        }
    }
}

impl MonitorFlags {
    fn to_16_bits(self) -> Result<u16, EncodeError> {
        let range = |_| EncodeError::OutOfRange {
            what: "monitor flags",
            value: self.0.into(),
        };
        u16::try_from(self.0).map_err(range)
    }

    /// In Nicira's numbering, which has no `NO_ABBREV` (`ofp_to_nx_flow_monitor_flags`).
    fn to_nicira(self) -> Result<u16, EncodeError> {
        let bits = self.to_16_bits()?;
        Ok(bits & 0x1f | (bits & 0x40) >> 1)
    }
}

/// What a monitor tells of one flow.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FlowUpdate {
    /// It is there. Before OpenFlow 1.4 it is not told from [`Added`](Self::Added).
    Initial(Flow),
    /// It was added.
    Added(Flow),
    /// It was removed.
    Removed {
        /// The flow, without its actions.
        flow: Flow,
        /// Why.
        reason: FlowRemovedReason,
    },
    /// Its actions or its cookie were changed, to these.
    Modified(Flow),
    /// All that this connection's request of this number changed.
    Abbreviated {
        /// The number of the request.
        xid: u32,
    },
    /// The switch has no room for more updates; they stop until [`Resumed`](Self::Resumed).
    Paused,
    /// The switch has told all that changed since [`Paused`](Self::Paused): nothing is missing.
    Resumed,
}

impl<'a> Entry<'a> for FlowUpdate {
    const WHAT: &'static str = "flow update";

    fn len(mut reader: Reader<'a>, _: Version) -> Result<usize, DecodeError> {
        let at = reader;
        let len = reader.u16("length")?.into();
        match len % 8 {
            0 => Ok(len),
            _ => Err(at.error("length", Fault::Length { wanted: 8, got: len })),
        }
    }

    fn decode(mut entry: Reader<'a>, version: Version) -> Result<Self, DecodeError> {
        let reader = &mut entry;
        reader.u16("length")?;
        let at = reader.named("NXBRC_FM_BAD_EVENT");
        let number = reader.u16("event")?;
        let event = match version >= Version::V1_4 {
            true => EVENTS.get(usize::from(number)),
            false => EVENTS_1_0.get(usize::from(number)),
        };
        let Some(event) = event else {
            return Err(at.error("event", Fault::Value(number.into())));
        };
        match event {
            Event::Abbreviated => {
                let xid = reader.u32("xid")?;
                entry.finish("flow update")?;
                return Ok(FlowUpdate::Abbreviated { xid });
            }
            Event::Paused | Event::Resumed => {
                reader.u32("padding")?;
                entry.finish("flow update")?;
                return Ok(match event {
                    Event::Paused => FlowUpdate::Paused,
                    _ => FlowUpdate::Resumed,
                });
            }
            _ => {}
        }
        let (flow, reason) = decode_full(entry, version)?;
        Ok(match event {
            Event::Initial => FlowUpdate::Initial(flow),
            Event::Added => FlowUpdate::Added(flow),
            Event::Removed => FlowUpdate::Removed { flow, reason },
            _ => FlowUpdate::Modified(flow),
        })
    }
}

/// What follows length and event: `struct nx_flow_update_full` or `struct ofp_flow_update_full` of 24
/// bytes, the match and what the flow does.
fn decode_full(mut reader: Reader<'_>, version: Version) -> Result<(Flow, FlowRemovedReason), DecodeError> {
    let mut flow = Flow::default();
    let (reason, match_len);
    if version >= Version::V1_4 {
        flow.table = TableRef::Number(reader.u8("table")?);
        reason = reader.u8("reason")?;
        match_len = 0;
        flow.idle_timeout = reader.u16("idle timeout")?;
        flow.hard_timeout = reader.u16("hard timeout")?;
        flow.priority = reader.u16("priority")?;
        reader.u32("padding")?;
    } else {
        // In 16 bits here; all reasons fit into 8.
        reason = reader.u16("reason")?.try_into().unwrap_or(u8::MAX);
        flow.priority = reader.u16("priority")?;
        flow.idle_timeout = reader.u16("idle timeout")?;
        flow.hard_timeout = reader.u16("hard timeout")?;
        match_len = reader.u16("match length")?;
        flow.table = TableRef::Number(reader.u8("table")?);
        reader.u8("padding")?;
    }
    flow.cookie = reader.u64("cookie")?;
    if version >= Version::V1_3 {
        flow.matches = MatchRef::decode(&mut reader)?.to_match()?;
        flow.actions = decode_instructions(reader, version)?;
    } else {
        flow.matches = MatchRef::decode_nxm(&mut reader, match_len)?.to_match()?;
        flow.actions = decode_actions(reader, version)?;
    }
    Ok((flow, FlowRemovedReason(reason)))
}

impl FlowUpdate {
    /// The same, with the flow in the words of this version.
    #[must_use]
    pub fn canonical(&self, version: Version) -> FlowUpdate {
        let mut update = self.clone();
        match &mut update {
            FlowUpdate::Initial(flow)
            | FlowUpdate::Added(flow)
            | FlowUpdate::Removed { flow, .. }
            | FlowUpdate::Modified(flow) => *flow = flow.canonical(version),
            FlowUpdate::Abbreviated { .. } | FlowUpdate::Paused | FlowUpdate::Resumed => {}
        }
        update
    }
}

/// As `ovs-ofctl monitor` prints it: without the priority.
impl fmt::Display for FlowUpdate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flow = match self {
            FlowUpdate::Abbreviated { xid } => return write!(f, "event=ABBREV xid={xid:#x}"),
            FlowUpdate::Paused => return f.write_str("event=PAUSED"),
            FlowUpdate::Resumed => return f.write_str("event=RESUMED"),
            FlowUpdate::Initial(flow) => {
                f.write_str("event=INITIAL")?;
                flow
            }
            FlowUpdate::Added(flow) => {
                f.write_str("event=ADDED")?;
                flow
            }
            FlowUpdate::Removed { flow, reason } => {
                write!(f, "event=DELETED reason={reason}")?;
                flow
            }
            FlowUpdate::Modified(flow) => {
                f.write_str("event=MODIFIED")?;
                flow
            }
        };
        write!(f, " table={}", flow.table)?;
        for (key, seconds) in [
            ("idle_timeout", flow.idle_timeout),
            ("hard_timeout", flow.hard_timeout),
        ] {
            if seconds != 0 {
                write!(f, " {key}={seconds}")?;
            }
        }
        match flow.cookie {
            0 => f.write_str(" cookie=0 ")?,
            cookie => write!(f, " cookie={cookie:#x} ")?,
        }
        write!(f, "{}", flow.matches)?;
        match flow.actions[..] {
            [] | [Action::Drop] => Ok(()),
            _ => {
                let space = if flow.matches.0.is_empty() { "" } else { " " };
                write!(f, "{space}actions={}", ActionList(&flow.actions))
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Event {
    Initial,
    Added,
    Removed,
    Modified,
    Abbreviated,
    Paused,
    Resumed,
}

/// `enum nx_flow_update_event`.
const EVENTS_1_0: [Event; 4] = [Event::Added, Event::Removed, Event::Modified, Event::Abbreviated];

/// `enum ofp_flow_update_event`.
const EVENTS: [Event; 7] = [
    Event::Initial,
    Event::Added,
    Event::Removed,
    Event::Modified,
    Event::Abbreviated,
    Event::Paused,
    Event::Resumed,
];
