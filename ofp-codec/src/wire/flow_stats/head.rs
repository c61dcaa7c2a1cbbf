//! What an entry has beside match and actions.

use crate::{
    model::{
        flow::{Flow, FlowFlags, Stats},
        port::TableRef,
        version::Version,
    },
    wire::{oxs::duration, record::record},
};

record! {
    /// What stands before the match in `struct ofp10_flow_stats` of `openflow-1.0.h`.
    pub struct FlowStatsHead10 "flow entry" {
        /// The length of the entry.
        length: u16,
        /// The table.
        table_id: u8,
        /// Padding.
        pad: u8,
    }

    /// What stands behind the match in `struct ofp10_flow_stats` of `openflow-1.0.h`.
    pub struct FlowStats10 "flow entry" {
        /// How long the flow has been there.
        duration_sec: u32,
        /// Nanoseconds beyond that.
        duration_nsec: u32,
        /// The priority.
        priority: u16,
        /// Seconds without a packet until the flow goes; 0 is never.
        idle_timeout: u16,
        /// Seconds until the flow goes; 0 is never.
        hard_timeout: u16,
        /// Padding.
        pad2: [u8; 6],
        /// The cookie.
        cookie: u64,
        /// Packets that matched.
        packet_count: u64,
        /// Bytes of these.
        byte_count: u64,
    }

    /// `struct ofp11_flow_stats` of `openflow-1.1.h`; a match follows.
    pub struct FlowStats11 "flow entry" {
        /// The length of the entry.
        length: u16,
        /// The table.
        table_id: u8,
        /// Padding.
        pad: u8,
        /// How long the flow has been there.
        duration_sec: u32,
        /// Nanoseconds beyond that.
        duration_nsec: u32,
        /// The priority.
        priority: u16,
        /// Seconds without a packet until the flow goes; 0 is never.
        idle_timeout: u16,
        /// Seconds until the flow goes; 0 is never.
        hard_timeout: u16,
        /// `OFPFF_*`, since OpenFlow 1.3.
        flags: u16,
        /// The importance, since OpenFlow 1.4.
        importance: u16,
        /// Padding.
        pad2: [u8; 2],
        /// The cookie.
        cookie: u64,
        /// Packets that matched.
        packet_count: u64,
        /// Bytes of these.
        byte_count: u64,
    }

    /// `struct ofp15_flow_desc` of `openflow-1.5.h`; a match and OXS statistics follow.
    pub struct FlowDesc15 "flow entry" {
        /// The length of the entry.
        length: u16,
        /// Padding.
        pad2: [u8; 2],
        /// The table.
        table_id: u8,
        /// Padding.
        pad: u8,
        /// The priority.
        priority: u16,
        /// Seconds without a packet until the flow goes; 0 is never.
        idle_timeout: u16,
        /// Seconds until the flow goes; 0 is never.
        hard_timeout: u16,
        /// `OFPFF_*`.
        flags: u16,
        /// The importance.
        importance: u16,
        /// The cookie.
        cookie: u64,
    }

    /// `struct nx_flow_stats` of `nicira-ext.h`; a match follows.
    pub struct NxFlowStats "flow entry" {
        /// The length of the entry.
        length: u16,
        /// The table.
        table_id: u8,
        /// Padding.
        pad: u8,
        /// How long the flow has been there.
        duration_sec: u32,
        /// Nanoseconds beyond that.
        duration_nsec: u32,
        /// The priority.
        priority: u16,
        /// Seconds without a packet until the flow goes; 0 is never.
        idle_timeout: u16,
        /// Seconds until the flow goes; 0 is never.
        hard_timeout: u16,
        /// The length of the match, without padding.
        match_len: u16,
        /// Seconds since the last packet, plus 1; 0 is not known.
        idle_age: u16,
        /// Seconds since the last change, plus 1; 0 is not known.
        hard_age: u16,
        /// The cookie.
        cookie: u64,
        /// Packets that matched.
        packet_count: u64,
        /// Bytes of these.
        byte_count: u64,
    }
}

/// The fixed part of a [`FlowStatsRef`](super::FlowStatsRef), by its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FlowStatsHead {
    /// OpenFlow 1.0's; the match stands between its two parts.
    Of10(FlowStatsHead10, FlowStats10),
    /// Of OpenFlow 1.1 to 1.4.
    Of11(FlowStats11),
    /// Of OpenFlow 1.5.
    Of15(FlowDesc15),
    /// Nicira's.
    Nicira(NxFlowStats),
}

impl FlowStatsHead {
    /// How many bytes stand before the match.
    pub(crate) fn len(&self) -> usize {
        match self {
            FlowStatsHead::Of10(..) => FlowStatsHead10::LEN,
            FlowStatsHead::Of11(_) => FlowStats11::LEN,
            FlowStatsHead::Of15(_) => FlowDesc15::LEN,
            FlowStatsHead::Nicira(_) => NxFlowStats::LEN,
        }
    }

    pub(super) fn to_flow(self, version: Version) -> Flow {
        match self {
            FlowStatsHead::Of10(head, stats) => Flow {
                table: TableRef::Number(head.table_id),
                priority: stats.priority,
                cookie: stats.cookie,
                idle_timeout: stats.idle_timeout,
                hard_timeout: stats.hard_timeout,
                stats: counted(
                    stats.duration_sec,
                    stats.duration_nsec,
                    stats.packet_count,
                    stats.byte_count,
                ),
                ..Flow::default()
            },
            FlowStatsHead::Of11(head) => Flow {
                table: TableRef::Number(head.table_id),
                priority: head.priority,
                cookie: head.cookie,
                idle_timeout: head.idle_timeout,
                hard_timeout: head.hard_timeout,
                importance: if version < Version::V1_4 {
                    0
                } else {
                    head.importance
                },
                flags: FlowFlags(if version < Version::V1_3 {
                    0
                } else {
                    head.flags.into()
                }),
                stats: counted(
                    head.duration_sec,
                    head.duration_nsec,
                    head.packet_count,
                    head.byte_count,
                ),
                ..Flow::default()
            },
            FlowStatsHead::Of15(head) => Flow {
                table: TableRef::Number(head.table_id),
                priority: head.priority,
                cookie: head.cookie,
                idle_timeout: head.idle_timeout,
                hard_timeout: head.hard_timeout,
                importance: head.importance,
                flags: FlowFlags(head.flags.into()),
                ..Flow::default()
            },
            FlowStatsHead::Nicira(head) => Flow {
                table: TableRef::Number(head.table_id),
                priority: head.priority,
                cookie: head.cookie,
                idle_timeout: head.idle_timeout,
                hard_timeout: head.hard_timeout,
                stats: Stats {
                    idle_age: age(head.idle_age),
                    // As in a dump, which leaves out what the duration says.
                    hard_age: age(head.hard_age).filter(|age| *age != head.duration_sec),
                    ..counted(
                        head.duration_sec,
                        head.duration_nsec,
                        head.packet_count,
                        head.byte_count,
                    )
                },
                ..Flow::default()
            },
        }
    }
}

fn counted(seconds: u32, nanoseconds: u32, packets: u64, bytes: u64) -> Stats {
    Stats {
        duration: Some(duration(seconds.into(), nanoseconds)),
        n_packets: known(packets),
        n_bytes: known(bytes),
        ..Stats::default()
    }
}

/// A count that the switch knows.
fn known(count: u64) -> Option<u64> {
    Some(count).filter(|count| *count != u64::MAX)
}

fn age(number: u16) -> Option<u32> {
    number.checked_sub(1).map(u32::from)
}
