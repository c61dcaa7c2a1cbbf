//! Whole datapath flows, as `ovs-dpctl dump-flows` and `ovs-appctl dpctl/dump-flows [-m] [--names]` print them, and as the
//! kernel has them.
//!
//! ```
//! use odp_actions::Flow;
//!
//! let line = "recirc_id(0),in_port(vnet0),eth(),eth_type(0x0806), packets:6, bytes:252, used:0.512s, actions:1";
//! let flow: Flow = line.parse()?;
//! assert_eq!((flow.packets, flow.used_ms), (6, Some(512)));
//! assert_eq!(flow.in_port_name(), Some("vnet0"));
//! assert_eq!(flow.actions.parsed().map(|actions| actions.output_count()), Some(1));
//! assert_eq!(flow.to_string(), line);
//! # Ok::<(), odp_actions::ParseError>(())
//! ```

mod line;
mod shape;

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use netlink_genl::ovs::flow as kernel;

use self::line::{Line, PrintedActions, PrintedKey};
use crate::action::Actions;
use crate::key::{FlowKey, PortName, Ufid};
use crate::text::ParseError;
use crate::text::same::first_difference;
use crate::{DecodeError, PortNames};

/// A flow of a datapath, with what the datapath tells about it.
///
/// A flow that was read prints as its line, whichever release printed that, until it is changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Flow {
    /// The flow's identifier, which only a verbose line has.
    pub ufid: Option<Ufid>,
    /// What packets have to look like. A port that stands in the line by its name is not in it: see
    /// [`Flow::in_port_name`].
    pub key: FlowKey,
    in_port: Option<PortName>,
    /// Packets that it has handled.
    pub packets: u64,
    /// Bytes that it has handled.
    pub bytes: u64,
    /// Milliseconds since the last packet, at least 0; `None` if there was none.
    pub used_ms: Option<u64>,
    /// TCP flags of the packets, those of [`Key::TcpFlags`](crate::Key::TcpFlags); 0 if `other` has them, because not all
    /// of their letters are known.
    pub tcp_flags: u16,
    /// Whether hardware handles it.
    pub offloaded: Option<Offloaded>,
    /// Who handles it: `ovs`, `tc`, `dpdk`.
    pub dp_layer: Option<String>,
    /// Fields before the actions that this crate does not know, or that come once more, as `name:value`.
    pub other: Vec<String>,
    /// Attributes and fields of the key that this crate does not know, inside the names around them: `newattr(5)`,
    /// `ipv4(newfield=3)`.
    pub other_keys: Vec<String>,
    /// What happens to the packets.
    pub actions: FlowActions,
    /// What the datapath adds, such as `miniflow_bits(4,1)`.
    pub dp_extra_info: Option<String>,
    /// Whether the key is printed with the fields that no mask covers.
    pub verbose: bool,
    /// `dpif/dump-flows` has no comma behind the ufid.
    ufid_without_comma: bool,
    /// Nothing of the key was to be seen. (A key that has no attribute is `<empty>`.)
    key_is_hidden: bool,
    spelling: Spelling,
}

/// The line that a flow was read from, if the flow alone would print otherwise: another release made it, or somebody indented
/// it. It is no part of the flow's value.
#[derive(Clone, Debug, Default)]
struct Spelling(Option<Box<str>>);

impl Spelling {
    /// The line, if it still says what the flow does.
    fn of(&self, flow: &Flow, ports: Option<&PortNames>) -> Option<&str> {
        let line = self.0.as_deref()?;
        let is_same = Flow::parse(line, ports).is_ok_and(|read| read == *flow);
        is_same.then_some(line)
    }
}

impl PartialEq for Spelling {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Spelling {}

/// How much of a flow is in hardware.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Offloaded {
    /// A part: `offloaded:partial`.
    Partial,
    /// All: `offloaded:yes`.
    Yes,
}

/// The actions of a flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlowActions {
    /// Actions that print back as they stood in the line.
    Parsed(Actions),
    /// Text that is kept as it is.
    Text {
        /// The text.
        text: String,
        /// Why it is not [`FlowActions::Parsed`]; `None` if it can be read, but would not print back the same.
        error: Option<ParseError>,
    },
}

impl Flow {
    /// A flow as the kernel has it, at a time of its monotonic clock. `None` if the kernel left the actions out of a list,
    /// which is not the same as a flow without any: see [`kernel::Flow::actions`].
    ///
    /// Actions that cannot be read are kept: see [`Actions::decode_lossless`].
    ///
    /// # Errors
    /// As [`FlowKey::decode`].
    pub fn of_kernel(flow: &kernel::Flow, now_ms: u64) -> Result<Option<Self>, DecodeError> {
        let Some(actions) = &flow.actions else {
            return Ok(None);
        };
        let bytes = |bytes: &Option<Vec<u8>>| bytes.clone().unwrap_or_default();
        let stats = flow.stats.unwrap_or_default();
        Ok(Some(Self {
            ufid: flow
                .ufid
                .as_deref()
                .and_then(|ufid| ufid.try_into().ok())
                .map(Ufid),
            key: FlowKey::decode(&bytes(&flow.key), &bytes(&flow.mask))?,
            packets: stats.packets,
            bytes: stats.bytes,
            used_ms: flow.used_ms.map(|used| now_ms.saturating_sub(used)),
            tcp_flags: flow.tcp_flags.unwrap_or_default().into(),
            actions: FlowActions::Parsed(Actions::decode_lossless(actions)),
            ..Self::default()
        }))
    }

    /// The name of the port in `in_port(eth0)`, which `--names` makes of its number.
    pub fn in_port_name(&self) -> Option<&str> {
        self.in_port.as_ref().map(|port| port.name.as_str())
    }

    /// Reads a line as [`FromStr`] does, in which ports may stand by name, as Open vSwitch prints them with `--names`: names
    /// that `ports` has become numbers, in the key and in the actions.
    ///
    /// ```
    /// use odp_actions::{Flow, PortNames};
    ///
    /// let ports = PortNames::from_iter([(1, "eth0"), (2, "vnet0")]);
    /// let line = "recirc_id(0),in_port(vnet0),eth_type(0x0806), packets:6, bytes:252, used:0.512s, actions:eth0,5";
    /// let flow = Flow::parse_named(line, &ports)?;
    /// assert_eq!(flow.actions.to_string(), "1,5");
    /// assert_eq!(flow.named(&ports).to_string(), line);
    /// # Ok::<(), odp_actions::ParseError>(())
    /// ```
    ///
    /// # Errors
    /// [`ParseError`]: it is no such line. A port whose name is not among `ports` stays a name.
    pub fn parse_named(line: &str, ports: &PortNames) -> Result<Self, ParseError> {
        Self::parse(line, Some(ports))
    }

    /// Prints the flow with ports by name, as `ovs-appctl dpctl/dump-flows --names` does.
    pub fn named<'a>(&'a self, ports: &'a PortNames) -> NamedFlow<'a> {
        NamedFlow(self, Some(ports))
    }

    /// Puts the number of the port into the key, in the place of its name; without a name nothing happens.
    pub fn resolve_in_port(&mut self, number: u32) {
        if let Some(port) = self.in_port.take() {
            self.key.insert_port(&port, number);
        }
    }

    /// Reads the lines of a dump. Those that tell which thread's flows follow (`flow-dump from ..`) and empty ones are
    /// left out; a line that cannot be read does not keep the others from being read.
    pub fn parse_dump(dump: &str) -> impl Iterator<Item = Result<Self, ParseError>> {
        flow_lines(dump).map(str::parse)
    }

    /// Reads the lines of a dump as [`Flow::parse_dump`] does, with ports by name as [`Flow::parse_named`].
    pub fn parse_named_dump(dump: &str, ports: &PortNames) -> impl Iterator<Item = Result<Self, ParseError>> {
        flow_lines(dump).map(|line| Self::parse(line, Some(ports)))
    }
}

fn flow_lines(dump: &str) -> impl Iterator<Item = &str> {
    dump.lines().filter(|line| {
        let line = line.trim_start();
        !line.is_empty() && !line.starts_with("flow-dump from ")
    })
}

impl FlowActions {
    /// The actions, if they were read.
    pub fn parsed(&self) -> Option<&Actions> {
        match self {
            Self::Parsed(actions) => Some(actions),
            Self::Text { .. } => None,
        }
    }

    fn of_text(text: &str, ports: Option<&PortNames>) -> Self {
        let parsed = match ports {
            None => text.parse::<Actions>(),
            Some(ports) => Actions::parse_named(text, ports),
        };
        let error = match parsed {
            Ok(actions) if first_difference(&PrintedActions(&actions, ports), text).is_none() => {
                return Self::Parsed(actions);
            }
            Ok(_) => None,
            Err(error) => Some(error),
        };
        Self::Text {
            text: text.to_owned(),
            error,
        }
    }
}

/// No actions: `drop`.
impl Default for FlowActions {
    fn default() -> Self {
        Self::Parsed(Actions::new())
    }
}

impl fmt::Display for FlowActions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parsed(actions) => write!(f, "{actions}"),
            Self::Text { text, .. } => f.write_str(text),
        }
    }
}

impl FromStr for Flow {
    type Err = ParseError;

    /// Reads one line, without its end. Actions that cannot be read stay text; their error counts from their start.
    /// Attributes and fields that are not known go to [`Flow::other_keys`] and [`Flow::other`].
    ///
    /// What `Display` makes of the flow is the line again.
    fn from_str(line: &str) -> Result<Self, ParseError> {
        Self::parse(line, None)
    }
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        NamedFlow(self, None).fmt(f)
    }
}

/// Prints a [`Flow`] with ports by name.
#[derive(Clone, Copy, Debug)]
pub struct NamedFlow<'a>(&'a Flow, Option<&'a PortNames>);

impl fmt::Display for NamedFlow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(flow, ports) = *self;
        if let Some(line) = flow.spelling.of(flow, ports) {
            return f.write_str(line);
        }
        let key = PrintedKey(flow, flow.verbose, ports);
        match &flow.actions {
            FlowActions::Parsed(actions) => Line(flow, &key, &PrintedActions(actions, ports)).fmt(f),
            FlowActions::Text { text, .. } => Line(flow, &key, text).fmt(f),
        }
    }
}
