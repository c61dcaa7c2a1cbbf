//! What comes out of a walk.

use odp_actions::{Action, Actions};

use crate::{
    fields::{Fields, at},
    packet::Packet,
    switch::Switch,
    unknown::Unknown,
    walk::{Frozen, Walk},
};

/// What becomes of a packet.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Trace {
    /// The way of the packet, and the ways of its copies that came back from connection tracking.
    pub rounds: Vec<Round>,
}

/// One way of a packet from the datapath through ovs-vswitchd.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Round {
    /// The number under which the packet came back; 0 in the first round.
    pub recirc_id: u32,
    /// The packet as it came.
    pub flow: Fields,
    /// The packet at the end of its own way; what copies of it became is not in it.
    pub last_flow: Fields,
    /// What was looked at: packets that are equal under this mask get the same actions.
    pub mask: Fields,
    /// The actions for the datapath.
    pub actions: Actions,
    /// Why there are none, if the translation failed.
    pub failure: Option<Failure>,
    /// Why such packets go through ovs-vswitchd.
    pub flags: Flags,
    /// What happened.
    pub steps: Vec<Step>,
    /// Tables entered, of 4096.
    pub resubmits: u32,
}

/// Why packets go through ovs-vswitchd.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Flags {
    /// The datapath has no action for something that is done.
    pub slow_action: bool,
    /// The actions have more bytes than a netlink attribute.
    pub oversized: bool,
}

/// Something that happened to a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// How many tables, buckets and bridges are around it.
    pub depth: u32,
    /// What it was.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum What {
    /// The packet entered a bridge.
    Bridge(Box<str>),
    /// It took a flow.
    Flow {
        /// The table.
        table: u8,
        /// The flow's priority.
        priority: u16,
        /// Its cookie.
        cookie: u64,
        /// Its match.
        matches: Box<str>,
    },
    /// It found no flow in a table.
    Miss(u8),
    /// An action is done.
    Action(Box<str>),
    /// A bucket of a group was chosen.
    Bucket(u32),
    /// Something that ovs-vswitchd remarks.
    Note(&'static str),
}

/// Why a translation failed: the packet is dropped (`xlate_strerror`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// More than 64 levels.
    #[error("Recursion too deep")]
    RecursionTooDeep,
    /// More than 4096 tables.
    #[error("Too many resubmits")]
    TooManyResubmits,
    /// 64 kB of stack.
    #[error("Stack too deep")]
    StackTooDeep,
    /// The state to go on from is gone.
    #[error("No recirculation context")]
    NoRecirculationContext,
    /// More than three labels.
    #[error("Too many MPLS labels")]
    TooManyMplsLabels,
    /// A header that cannot be put on or taken off here.
    #[error("Unsupported packet type")]
    UnsupportedPacketType,
    /// The outer header tells of congestion, and the inner one cannot.
    #[error("Congestion Drop")]
    CongestionDrop,
}

impl Failure {
    /// Its number (`enum xlate_error` in `lib/odp-execute.h`'s neighbour `include/openvswitch`).
    const fn number(self) -> u32 {
        match self {
            Self::RecursionTooDeep => 2,
            Self::TooManyResubmits => 3,
            Self::StackTooDeep => 4,
            Self::NoRecirculationContext => 5,
            Self::TooManyMplsLabels => 7,
            Self::UnsupportedPacketType => 9,
            Self::CongestionDrop => 10,
        }
    }
}

impl Switch {
    /// What becomes of a packet, as `ofproto/trace` says. `states` are the connection states of the rounds that follow, in their
    /// order (`--ct-next`); behind them the packet is of a new connection.
    ///
    /// # Errors
    /// [`Unknown`]: it cannot be told, and why.
    pub fn trace(&self, bridge: &str, packet: &Packet, states: &[u8]) -> Result<Trace, Unknown> {
        let bridge = self.bridge(bridge).ok_or(Unknown::Missing("the bridge"))?;
        let mut states = states.iter().copied();
        let mut rounds = Vec::new();
        let mut known: Vec<Frozen> = Vec::new();
        let mut waiting: std::collections::VecDeque<(u32, Fields)> = std::collections::VecDeque::new();
        waiting.push_back((0, packet.fields));
        while let Some((number, mut flow)) = waiting.pop_front() {
            if rounds.len() >= MAX_ROUNDS {
                return Err(Unknown::Missing("an end of the recirculations"));
            }
            let frozen = number
                .checked_sub(1)
                .and_then(|index| known.get(index as usize))
                .cloned();
            if number != 0 {
                flow.put(at::RECIRC_ID, number);
                flow.put(at::CT_STATE, states.next().unwrap_or(NEW));
            }
            let mut walk = Walk::new(self, bridge, &Packet { fields: flow });
            walk.frozen = core::mem::take(&mut known);
            walk.run(frozen.as_ref())?;
            waiting.extend(walk.forks.drain(..));
            if walk.actions.is_empty() && self.datapath.explicit_drop {
                walk.actions
                    .push(Action::Drop(walk.failure.map_or(0, Failure::number)));
            }
            known = core::mem::take(&mut walk.frozen);
            rounds.push(Round {
                recirc_id: number,
                flow,
                last_flow: walk.flow,
                mask: walk.mask,
                actions: walk.actions.into_iter().collect(),
                failure: walk.failure,
                flags: walk.flags,
                steps: walk.steps,
                resubmits: walk.resubmits,
            });
        }
        Ok(Trace { rounds })
    }
}

/// Tracked, and the first packet of a connection.
const NEW: u8 = 0x21;
/// Rounds of one packet that are followed.
const MAX_ROUNDS: usize = 4096;
