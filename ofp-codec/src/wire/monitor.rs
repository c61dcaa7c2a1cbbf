use core::fmt;

use crate::{
    model::{
        action::Action,
        flow::{ActionList, Flow},
        port::TableRef,
        validity::order::{Place, verify},
        version::Version,
    },
    wire::{
        action::decode_list,
        entries::Entry,
        error::{DecodeError, Fault},
        flow_removed::FlowRemovedReason,
        instruction::decode_program,
        matches::MatchRef,
        read::Reader,
    },
};

mod request;

pub use request::{MonitorCommand, MonitorFlags, MonitorRequest};

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

    fn len(mut reader: Reader<'a>, version: Version) -> Result<usize, DecodeError> {
        let at = reader;
        let len = reader.u16("length")?.into();
        match len % 8 {
            0 if len == 0 => {
                // The event is looked at before the length that goes with it.
                event(&mut reader, version).map(|_| len)
            }
            0 => Ok(len),
            _ => Err(at.error("length", Fault::Length { wanted: 8, got: len })),
        }
    }

    fn decode(mut entry: Reader<'a>, version: Version) -> Result<Self, DecodeError> {
        let reader = &mut entry;
        reader.u16("length")?;
        let event = event(reader, version)?;
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

fn event(reader: &mut Reader<'_>, version: Version) -> Result<Event, DecodeError> {
    let at = reader.named("NXBRC_FM_BAD_EVENT");
    let number = reader.u16("event")?;
    let event = match version >= Version::V1_4 {
        true => EVENTS.get(usize::from(number)),
        false => EVENTS_1_0.get(usize::from(number)),
    };
    event
        .copied()
        .ok_or_else(|| at.error("event", Fault::Value(number.into())))
}

/// What follows length and event: `struct nx_flow_update_full` or `struct ofp_flow_update_full` of 24
/// bytes, the match and what the flow does.
fn decode_full(mut reader: Reader<'_>, version: Version) -> Result<(Flow, FlowRemovedReason), DecodeError> {
    let mut flow = Flow::default();
    let (reason, match_len);
    if version >= Version::V1_4 {
        flow.table = TableRef::Number(reader.u8("table")?);
        reason = reader.u8("reason")?.into();
        match_len = 0;
        flow.idle_timeout = reader.u16("idle timeout")?;
        flow.hard_timeout = reader.u16("hard timeout")?;
        flow.priority = reader.u16("priority")?;
        reader.u32("padding")?;
    } else {
        reason = reader.u16("reason")?;
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
        flow.actions = decode_program(reader, version)?;
    } else {
        flow.matches = MatchRef::decode_nxm(&mut reader, match_len)?.to_match()?;
        flow.actions = decode_list(reader, version, 0)?;
    }
    Ok((flow, FlowRemovedReason(reason)))
}

impl FlowUpdate {
    /// The name of the error with which `ovs-ofctl` refuses what the flow does.
    pub(crate) fn check(&self, version: Version) -> Result<(), &'static str> {
        let place = if version < Version::V1_3 {
            Place::List
        } else {
            Place::Flow
        };
        self.flow()
            .map_or(Ok(()), |flow| verify(&flow.actions, version, place))
            .map_err(|problem| problem.error_name(version).unwrap_or("OFPBAC_UNSUPPORTED_ORDER"))
    }

    /// The flow that it is about, if it is about one.
    pub fn flow(&self) -> Option<&Flow> {
        match self {
            FlowUpdate::Initial(flow)
            | FlowUpdate::Added(flow)
            | FlowUpdate::Removed { flow, .. }
            | FlowUpdate::Modified(flow) => Some(flow),
            FlowUpdate::Abbreviated { .. } | FlowUpdate::Paused | FlowUpdate::Resumed => None,
        }
    }

    /// The same, with the flow in the words of this version.
    #[must_use]
    pub fn canonical(&self, version: Version) -> FlowUpdate {
        self.with_flow(|flow| flow.canonical(version))
    }

    /// The same, with the flow as `ovs-ofctl` prints it that has read it.
    pub(crate) fn as_received(&self) -> FlowUpdate {
        self.with_flow(Flow::as_received)
    }

    fn with_flow(&self, change: impl FnOnce(&Flow) -> Flow) -> FlowUpdate {
        let mut update = self.clone();
        match &mut update {
            FlowUpdate::Initial(flow)
            | FlowUpdate::Added(flow)
            | FlowUpdate::Removed { flow, .. }
            | FlowUpdate::Modified(flow) => *flow = change(flow),
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
