//! What a `FLOW_MOD` has beside match and actions.

use alloc::vec::Vec;

use crate::{
    model::{
        action::Action,
        flow::{Flow, FlowFlags},
        flow_mod::{FlowCommand, FlowMod},
        matches::Match,
        port::{Port, TableRef},
        version::Version,
    },
    wire::{error::DecodeError, flow_mod::HEADER_LEN, flow_request::out_port, read::Reader, record::record},
};

record! {
    /// What stands behind the match in `struct ofp10_flow_mod` of `openflow-1.0.h`.
    pub struct FlowMod10 "flow_mod" {
        /// The cookie.
        cookie: u64,
        /// `OFPFC_*`; in the upper byte the table, if the switch takes one.
        command: u16,
        /// Seconds without a packet until the flow goes; 0 is never.
        idle_timeout: u16,
        /// Seconds until the flow goes; 0 is never.
        hard_timeout: u16,
        /// The priority.
        priority: u16,
        /// The packet that the switch keeps; 0xffffffff is none.
        buffer_id: u32,
        /// The port that flows that are deleted send to.
        out_port: u16,
        /// `OFPFF_*`.
        flags: u16,
    }

    /// `struct ofp11_flow_mod` of `openflow-1.1.h`; a match follows.
    pub struct FlowMod11 "flow_mod" {
        /// The cookie that is set or asked for.
        cookie: u64,
        /// The bits of it that are asked for.
        cookie_mask: u64,
        /// The table; 0xff is every one.
        table_id: u8,
        /// `OFPFC_*`.
        command: u8,
        /// Seconds without a packet until the flow goes; 0 is never.
        idle_timeout: u16,
        /// Seconds until the flow goes; 0 is never.
        hard_timeout: u16,
        /// The priority.
        priority: u16,
        /// The packet that the switch keeps; 0xffffffff is none.
        buffer_id: u32,
        /// The port that flows that are deleted send to.
        out_port: u32,
        /// The group that flows that are deleted use.
        out_group: u32,
        /// `OFPFF_*`.
        flags: u16,
        /// The importance, since OpenFlow 1.4.
        importance: u16,
    }

    /// `struct nx_flow_mod` of `nicira-ext.h`; a match follows.
    pub struct NxFlowMod "flow_mod" {
        /// The cookie.
        cookie: u64,
        /// `OFPFC_*`; in the upper byte the table, if the switch takes one.
        command: u16,
        /// Seconds without a packet until the flow goes; 0 is never.
        idle_timeout: u16,
        /// Seconds until the flow goes; 0 is never.
        hard_timeout: u16,
        /// The priority.
        priority: u16,
        /// The packet that the switch keeps; 0xffffffff is none.
        buffer_id: u32,
        /// The port that flows that are deleted send to.
        out_port: u16,
        /// `OFPFF_*`.
        flags: u16,
        /// The length of the match, without padding.
        match_len: u16,
        /// Padding.
        pad: [u8; 6],
    }
}

/// The fixed part of a [`FlowModRef`](super::FlowModRef), by its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FlowModHead {
    /// OpenFlow 1.0's; it stands behind the match.
    Of10(FlowMod10),
    /// Of OpenFlow 1.1 and later.
    Of11(FlowMod11),
    /// Nicira's.
    Nicira(NxFlowMod),
}

impl FlowModHead {
    /// What is to be done.
    pub(super) fn command(&self) -> FlowCommand {
        match self {
            FlowModHead::Of11(head) => FlowCommand(head.command),
            FlowModHead::Of10(FlowMod10 { command, .. }) | FlowModHead::Nicira(NxFlowMod { command, .. }) => {
                FlowCommand(command.to_be_bytes()[1])
            }
        }
    }

    /// The port that flows that are deleted send to.
    pub(super) fn out_port(&self) -> Result<Port, DecodeError> {
        match self {
            FlowModHead::Of11(head) => out_port(head.out_port, &Reader::at(&[], HEADER_LEN)),
            FlowModHead::Of10(FlowMod10 { out_port, .. })
            | FlowModHead::Nicira(NxFlowMod { out_port, .. }) => Ok(Port::from_16_bits(*out_port)),
        }
    }

    /// The change, with what stands elsewhere in the message.
    #[inline]
    pub(super) fn to_flow_mod(
        self,
        version: Version,
        out_port: Port,
        matches: Match,
        actions: Vec<Action>,
    ) -> FlowMod {
        let buffer = |id| Some(id).filter(|id| *id != NO_BUFFER);
        match self {
            FlowModHead::Of11(head) => {
                let command = FlowCommand(head.command);
                let adds = command == FlowCommand::ADD
                    || version == Version::V1_1
                        && matches!(command, FlowCommand::MODIFY | FlowCommand::MODIFY_STRICT)
                        && head.cookie_mask == 0;
                FlowMod {
                    command,
                    cookie: if adds {
                        (0, 0)
                    } else {
                        (head.cookie, head.cookie_mask)
                    },
                    buffer_id: buffer(head.buffer_id),
                    out_port,
                    out_group: match command.deletes() {
                        true => head.out_group,
                        false => FlowMod::ANY_GROUP,
                    },
                    flow: Flow {
                        table: TableRef::Number(head.table_id),
                        priority: head.priority,
                        cookie: if adds { head.cookie } else { FlowMod::KEEP_COOKIE },
                        idle_timeout: head.idle_timeout,
                        hard_timeout: head.hard_timeout,
                        importance: match version >= Version::V1_4 && command == FlowCommand::ADD {
                            true => head.importance,
                            false => 0,
                        },
                        flags: FlowFlags(head.flags.into()),
                        matches,
                        actions,
                        ..Flow::default()
                    },
                }
            }
            FlowModHead::Of10(FlowMod10 {
                cookie,
                command,
                idle_timeout,
                hard_timeout,
                priority,
                buffer_id,
                flags,
                ..
            })
            | FlowModHead::Nicira(NxFlowMod {
                cookie,
                command,
                idle_timeout,
                hard_timeout,
                priority,
                buffer_id,
                flags,
                ..
            }) => {
                let [table, command] = command.to_be_bytes();
                FlowMod {
                    command: FlowCommand(command),
                    buffer_id: buffer(buffer_id),
                    out_port,
                    ..FlowMod::add(Flow {
                        table: TableRef::Number(table),
                        priority,
                        cookie,
                        idle_timeout,
                        hard_timeout,
                        flags: FlowFlags(flags.into()),
                        matches,
                        actions,
                        ..Flow::default()
                    })
                }
            }
        }
    }
}

pub(super) const NO_BUFFER: u32 = 0xffff_ffff;
