use core::fmt;

use alloc::vec::Vec;

use crate::{
    model::{
        flow::{Flow, Stats},
        flow_mod::FlowMod,
        port::TableRef,
        print::Elapsed,
        version::Version,
    },
    wire::{
        error::{DecodeError, EncodeError},
        kind::{MessageKind, Namespace},
        matches::{Match10, MatchRef},
        message::Message,
        oxs::{OxsRef, duration},
        record::record,
    },
};

record! {
    /// What stands behind the match in `struct ofp10_flow_removed` of `openflow-1.0.h`.
    pub struct FlowRemoved10 "flow_removed" {
        /// The cookie.
        cookie: u64,
        /// The priority.
        priority: u16,
        /// `OFPRR_*`.
        reason: u8,
        /// Padding.
        pad: u8,
        /// How long the flow was there.
        duration_sec: u32,
        /// Nanoseconds beyond that.
        duration_nsec: u32,
        /// Its idle timeout.
        idle_timeout: u16,
        /// Padding.
        pad2: [u8; 2],
        /// Packets that matched.
        packet_count: u64,
        /// Bytes of these.
        byte_count: u64,
    }

    /// `struct ofp12_flow_removed` of `openflow-1.2.h`; a match follows.
    pub struct FlowRemoved11 "flow_removed" {
        /// The cookie.
        cookie: u64,
        /// The priority.
        priority: u16,
        /// `OFPRR_*`.
        reason: u8,
        /// The table.
        table_id: u8,
        /// How long the flow was there.
        duration_sec: u32,
        /// Nanoseconds beyond that.
        duration_nsec: u32,
        /// Its idle timeout.
        idle_timeout: u16,
        /// Its hard timeout, since OpenFlow 1.2.
        hard_timeout: u16,
        /// Packets that matched.
        packet_count: u64,
        /// Bytes of these.
        byte_count: u64,
    }

    /// `struct ofp15_flow_removed` of `openflow-1.5.h`; a match and OXS statistics follow.
    pub struct FlowRemoved15 "flow_removed" {
        /// The table.
        table_id: u8,
        /// `OFPRR_*`.
        reason: u8,
        /// The priority.
        priority: u16,
        /// Its idle timeout.
        idle_timeout: u16,
        /// Its hard timeout.
        hard_timeout: u16,
        /// The cookie.
        cookie: u64,
    }

    /// `struct nx_flow_removed` of `nicira-ext.h`; a match follows.
    pub struct NxFlowRemoved "flow_removed" {
        /// The cookie.
        cookie: u64,
        /// The priority.
        priority: u16,
        /// `OFPRR_*`.
        reason: u8,
        /// The table, plus 1; 0 is not known.
        table_id: u8,
        /// How long the flow was there.
        duration_sec: u32,
        /// Nanoseconds beyond that.
        duration_nsec: u32,
        /// Its idle timeout.
        idle_timeout: u16,
        /// The length of the match, without padding.
        match_len: u16,
        /// Packets that matched.
        packet_count: u64,
        /// Bytes of these.
        byte_count: u64,
    }
}

/// `OFPT_FLOW_REMOVED` as it stands in a message: a flow went. It encodes to the bytes that it was
/// decoded from.
#[derive(Clone, Copy, Debug)]
pub struct FlowRemovedRef<'a> {
    version: Version,
    /// What is there beside the match.
    pub head: FlowRemovedHead,
    /// The match.
    pub matches: MatchRef<'a>,
    /// The statistics, in OpenFlow 1.5.
    pub stats: Option<OxsRef<'a>>,
    /// What stands behind all that.
    rest: &'a [u8],
}

/// The fixed part of a [`FlowRemovedRef`], by its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FlowRemovedHead {
    /// OpenFlow 1.0's; it stands behind the match.
    Of10(FlowRemoved10),
    /// Of OpenFlow 1.1 to 1.4.
    Of11(FlowRemoved11),
    /// Of OpenFlow 1.5.
    Of15(FlowRemoved15),
    /// Nicira's.
    Nicira(NxFlowRemoved),
}

/// A flow that went, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowRemoved {
    /// The flow, without its actions. Table [`FlowMod::ANY_TABLE`] is not known.
    pub flow: Flow,
    /// Why.
    pub reason: FlowRemovedReason,
}

/// Why a flow went (`enum ofp_flow_removed_reason`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FlowRemovedReason(pub u16);

impl<'a> FlowRemovedRef<'a> {
    /// Reads the parts of a message of the kind `FlowRemoved`.
    ///
    /// # Errors
    ///
    /// If the message is of another kind, or a part is longer than the message.
    pub fn decode(message: &Message<'a>) -> Result<Self, DecodeError> {
        let version = message.header().version;
        let form = message.expect(MessageKind::FlowRemoved)?;
        let mut reader = message.body();
        let mut stats = None;
        let (head, matches) = if form.namespace != Namespace::Openflow {
            let head = NxFlowRemoved::decode(&mut reader)?;
            let matches = MatchRef::decode_nxm(&mut reader, head.match_len)?;
            (FlowRemovedHead::Nicira(head), matches)
        } else if version == Version::V1_0 {
            let matches = MatchRef::Fixed10(Match10::decode(&mut reader)?);
            let head = FlowRemoved10::decode(&mut reader)?;
            (FlowRemovedHead::Of10(head), matches)
        } else if version < Version::V1_5 {
            let head = FlowRemoved11::decode(&mut reader)?;
            (FlowRemovedHead::Of11(head), MatchRef::decode(&mut reader)?)
        } else {
            let head = FlowRemoved15::decode(&mut reader)?;
            let matches = MatchRef::decode(&mut reader)?;
            stats = Some(OxsRef::decode(&mut reader)?);
            (FlowRemovedHead::Of15(head), matches)
        };
        Ok(FlowRemovedRef {
            version,
            head,
            matches,
            stats,
            rest: reader.rest(),
        })
    }

    /// Appends the message: the very bytes that it was decoded from, where no part was changed.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLong`] if the parts were made longer than a message may be.
    pub fn encode(&self, xid: u32, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let kind = MessageKind::FlowRemoved;
        let nicira = matches!(self.head, FlowRemovedHead::Nicira(_));
        let form = kind.form_of(self.version, nicira)?;
        kind.encode_form(form, self.version, xid, out, |writer| {
            match &self.head {
                FlowRemovedHead::Of10(head) => {
                    self.matches.encode(writer)?;
                    head.encode(writer);
                }
                FlowRemovedHead::Of11(head) => {
                    head.encode(writer);
                    self.matches.encode(writer)?;
                }
                FlowRemovedHead::Of15(head) => {
                    head.encode(writer);
                    self.matches.encode(writer)?;
                }
                FlowRemovedHead::Nicira(head) => {
                    head.encode(writer);
                    self.matches.encode(writer)?;
                }
            }
            self.stats.map_or(Ok(()), |stats| stats.encode(writer))?;
            writer.bytes(self.rest);
            Ok(())
        })
    }

    /// What it says.
    ///
    /// # Errors
    ///
    /// If the match or the statistics are malformed.
    pub fn to_flow_removed(&self) -> Result<FlowRemoved, DecodeError> {
        let mut removed = self.head.to_flow_removed();
        removed.flow.matches = self.matches.to_match()?;
        if let Some(stats) = self.stats {
            removed.flow.stats = stats.to_stats()?.0;
        }
        Ok(removed)
    }
}

impl FlowRemovedHead {
    fn to_flow_removed(self) -> FlowRemoved {
        // The table is not known in OpenFlow 1.0, and of the statistics of 1.5 nothing yet.
        let (reason, table, flow, stats) = match self {
            FlowRemovedHead::Of10(head) => {
                let flow = (head.priority, head.cookie, head.idle_timeout, 0);
                let counts = (head.packet_count, head.byte_count);
                let stats = counted(head.duration_sec, head.duration_nsec, counts);
                (head.reason, FlowMod::ANY_TABLE, flow, stats)
            }
            FlowRemovedHead::Of11(head) => {
                let flow = (head.priority, head.cookie, head.idle_timeout, head.hard_timeout);
                let counts = (head.packet_count, head.byte_count);
                let stats = counted(head.duration_sec, head.duration_nsec, counts);
                (head.reason, head.table_id, flow, stats)
            }
            FlowRemovedHead::Of15(head) => {
                let flow = (head.priority, head.cookie, head.idle_timeout, head.hard_timeout);
                (head.reason, head.table_id, flow, Stats::default())
            }
            FlowRemovedHead::Nicira(head) => {
                let flow = (head.priority, head.cookie, head.idle_timeout, 0);
                let counts = (head.packet_count, head.byte_count);
                let stats = counted(head.duration_sec, head.duration_nsec, counts);
                (head.reason, head.table_id.wrapping_sub(1), flow, stats)
            }
        };
        let (priority, cookie, idle_timeout, hard_timeout) = flow;
        FlowRemoved {
            flow: Flow {
                table: TableRef::Number(table),
                priority,
                cookie,
                idle_timeout,
                hard_timeout,
                stats,
                ..Flow::default()
            },
            reason: FlowRemovedReason(reason.into()),
        }
    }
}

fn counted(seconds: u32, nanoseconds: u32, (packets, bytes): (u64, u64)) -> Stats {
    Stats {
        duration: Some(duration(seconds.into(), nanoseconds)),
        n_packets: Some(packets),
        n_bytes: Some(bytes),
        ..Stats::default()
    }
}

impl FlowRemoved {
    /// The message as a switch prints it that speaks this version of OpenFlow.
    #[must_use]
    pub fn canonical(&self, version: Version) -> FlowRemoved {
        FlowRemoved {
            flow: self.flow.canonical(version),
            reason: self.reason,
        }
    }

    /// The message as `ovs-ofctl` prints it that has read it.
    pub(crate) fn as_received(&self) -> FlowRemoved {
        FlowRemoved {
            flow: self.flow.as_received(),
            reason: self.reason,
        }
    }
}

impl FlowRemovedReason {
    /// `OFPRR_IDLE_TIMEOUT`: no packet came for as long as the flow allows.
    pub const IDLE_TIMEOUT: FlowRemovedReason = FlowRemovedReason(0);
    /// `OFPRR_HARD_TIMEOUT`: its time was over.
    pub const HARD_TIMEOUT: FlowRemovedReason = FlowRemovedReason(1);
    /// `OFPRR_DELETE`: it was deleted.
    pub const DELETE: FlowRemovedReason = FlowRemovedReason(2);
    /// `OFPRR_GROUP_DELETE`: its group was deleted.
    pub const GROUP_DELETE: FlowRemovedReason = FlowRemovedReason(3);
    /// `OFPRR_METER_DELETE`: its meter was deleted.
    pub const METER_DELETE: FlowRemovedReason = FlowRemovedReason(4);
    /// `OFPRR_EVICTION`: the table was full.
    pub const EVICTION: FlowRemovedReason = FlowRemovedReason(5);
}

/// `idle`, `group_delete`.
impl fmt::Display for FlowRemovedReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            FlowRemovedReason::IDLE_TIMEOUT => f.write_str("idle"),
            FlowRemovedReason::HARD_TIMEOUT => f.write_str("hard"),
            FlowRemovedReason::DELETE => f.write_str("delete"),
            FlowRemovedReason::GROUP_DELETE => f.write_str("group_delete"),
            FlowRemovedReason::METER_DELETE => f.write_str("meter_delete"),
            FlowRemovedReason::EVICTION => f.write_str("eviction"),
            FlowRemovedReason(number) => write!(f, "{number}"),
        }
    }
}

/// As Open vSwitch prints it, behind the name of the message.
impl fmt::Display for FlowRemoved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flow = &self.flow;
        write!(f, "{} reason={}", flow.selector(), self.reason)?;
        if flow.table != TableRef::Number(FlowMod::ANY_TABLE) {
            write!(f, " table_id={}", flow.table)?;
        }
        if flow.cookie != 0 {
            write!(f, " cookie:{:#x}", flow.cookie)?;
        }
        let stats = &flow.stats;
        let lasted = Elapsed(stats.duration.unwrap_or_default());
        write!(f, " duration{lasted} idle{}", flow.idle_timeout)?;
        if flow.hard_timeout != 0 {
            write!(f, " hard{}", flow.hard_timeout)?;
        }
        let (packets, bytes) = (
            stats.n_packets.unwrap_or(u64::MAX),
            stats.n_bytes.unwrap_or(u64::MAX),
        );
        write!(f, " pkts{packets} bytes{bytes}")
    }
}
