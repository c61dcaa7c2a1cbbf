use core::fmt;

use crate::model::{
    flow::{ActionList, DEFAULT_PRIORITY, Flow},
    port::{Port, TableRef},
};

/// A change of a table: what is done with which flow (`OFPT_FLOW_MOD`).
///
/// Prints as Open vSwitch prints the message, behind its name.
///
/// ```
/// use ofp_codec::{FlowMod, Version, text::FlowRef};
///
/// let flow = FlowRef::parse(b"table=3,priority=7,tcp,nw_dst=10.0.0.1 actions=output:2")?.to_flow()?;
/// let add = FlowMod::add(flow);
/// assert_eq!(
///     add.canonical(Version::V1_3).to_string(),
///     "ADD table:3 priority=7,tcp,nw_dst=10.0.0.1 actions=output:2"
/// );
/// # Ok::<(), ofp_codec::text::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowMod {
    /// What is done.
    pub command: FlowCommand,
    /// The flow, or the match, table and priority of those that are meant. Its cookie is the one that
    /// they get: [`KEEP_COOKIE`](Self::KEEP_COOKIE) leaves them theirs. Table
    /// [`ANY_TABLE`](Self::ANY_TABLE) is every one, or when adding, the switch's choice.
    pub flow: Flow,
    /// Which cookies flows that are changed or deleted have: these bits, and which of them count.
    pub cookie: (u64, u64),
    /// The packet that the switch has kept under this number goes through the flow.
    pub buffer_id: Option<u32>,
    /// Flows that are deleted send packets to this port; [`Port::ANY`]: or do not.
    pub out_port: Port,
    /// Flows that are deleted use this group; [`ANY_GROUP`](Self::ANY_GROUP): or do not.
    pub out_group: u32,
}

/// What a [`FlowMod`] does (`enum ofp_flow_mod_command`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FlowCommand(pub u8);

impl FlowMod {
    /// `OFPTT_ALL`: no table in particular.
    pub const ANY_TABLE: u8 = 0xff;
    /// `OFPG_ANY`: no group in particular.
    pub const ANY_GROUP: u32 = 0xffff_ffff;
    /// The cookie that stands for none: a flow that is changed keeps its own.
    pub const KEEP_COOKIE: u64 = u64::MAX;

    /// Adds `flow`, or replaces the one with its match and priority.
    pub fn add(flow: Flow) -> Self {
        FlowMod {
            command: FlowCommand::ADD,
            flow,
            cookie: (0, 0),
            buffer_id: None,
            out_port: Port::ANY,
            out_group: FlowMod::ANY_GROUP,
        }
    }

    /// Does `command` with `flow`.
    pub fn new(command: FlowCommand, flow: Flow) -> Self {
        FlowMod {
            command,
            ..FlowMod::add(flow)
        }
    }
}

impl FlowCommand {
    /// Add, or replace what has the same match and priority.
    pub const ADD: FlowCommand = FlowCommand(0);
    /// Change the actions of all flows that the match covers.
    pub const MODIFY: FlowCommand = FlowCommand(1);
    /// Change the actions of the flow with this match and priority.
    pub const MODIFY_STRICT: FlowCommand = FlowCommand(2);
    /// Delete all flows that the match covers.
    pub const DELETE: FlowCommand = FlowCommand(3);
    /// Delete the flow with this match and priority.
    pub const DELETE_STRICT: FlowCommand = FlowCommand(4);

    /// Whether flows are deleted.
    pub(crate) fn deletes(self) -> bool {
        self == FlowCommand::DELETE || self == FlowCommand::DELETE_STRICT
    }
}

/// `ADD`, `MOD_STRICT`.
impl fmt::Display for FlowCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            FlowCommand::ADD => f.write_str("ADD"),
            FlowCommand::MODIFY => f.write_str("MOD"),
            FlowCommand::MODIFY_STRICT => f.write_str("MOD_STRICT"),
            FlowCommand::DELETE => f.write_str("DEL"),
            FlowCommand::DELETE_STRICT => f.write_str("DEL_STRICT"),
            FlowCommand(number) => write!(f, "cmd:{number}"),
        }
    }
}

impl fmt::Display for FlowMod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, None)
    }
}

impl FlowMod {
    /// Prints it, with this text for the match if there is one. Then the priority follows the timeouts.
    pub(crate) fn write(&self, f: &mut dyn fmt::Write, matches: Option<&str>) -> fmt::Result {
        let flow = &self.flow;
        write!(f, "{}", self.command)?;
        if flow.table != TableRef::Number(0) {
            write!(f, " table:{}", flow.table)?;
        }
        f.write_str(" ")?;
        match matches {
            Some(matches) => write!(f, "{matches} ")?,
            None if flow.selector().is_empty() => {}
            None => write!(f, "{} ", flow.selector())?,
        }
        if flow.cookie != 0 && flow.cookie != FlowMod::KEEP_COOKIE {
            write!(f, "cookie:{:#x} ", flow.cookie)?;
        }
        if self.cookie.1 != 0 {
            write!(f, "cookie:{:#x}/{:#x} ", self.cookie.0, self.cookie.1)?;
        }
        for (key, number) in [
            ("idle", flow.idle_timeout),
            ("hard", flow.hard_timeout),
            ("importance", flow.importance),
        ] {
            if number != 0 {
                write!(f, "{key}:{number} ")?;
            }
        }
        if matches.is_some() && flow.priority != DEFAULT_PRIORITY {
            write!(f, "pri:{} ", flow.priority)?;
        }
        if let Some(buffer) = self.buffer_id {
            write!(f, "buf:{buffer:#x} ")?;
        }
        if self.out_port != Port::ANY {
            write!(f, "out_port:{} ", self.out_port)?;
        }
        if flow.flags != Default::default() {
            write!(f, "{} ", flow.flags)?;
        }
        write!(f, "actions={}", ActionList(&flow.actions))
    }
}
