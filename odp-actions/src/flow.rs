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

mod shape;

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use netlink_genl::ovs::flow as kernel;

use crate::action::Actions;
use crate::key::{FlowKey, List, PortName, ShownPort, Ufid};
use crate::text::ParseError;
use crate::text::lex::Lexer;
use crate::text::print::Printer;
use crate::text::same::first_difference;
use crate::{DecodeError, PortNames};

/// A flow of a datapath, with what the datapath tells about it.
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
    /// Milliseconds since the last packet; `None` if there was none.
    pub used_ms: Option<u64>,
    /// TCP flags of the packets, those of [`Key::TcpFlags`](crate::Key::TcpFlags).
    pub tcp_flags: u16,
    /// Whether hardware handles it.
    pub offloaded: Option<Offloaded>,
    /// Who handles it: `ovs`, `tc`, `dpdk`.
    pub dp_layer: Option<String>,
    /// Fields before the actions that this crate does not know, as `name:value`.
    pub other: Vec<String>,
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
}

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
        dump.lines()
            .filter(|line| !line.is_empty() && !line.starts_with("flow-dump from "))
            .map(str::parse)
    }

    fn prints_key_as(&self, verbose: bool, ports: Option<&PortNames>, text: &str) -> bool {
        first_difference(&PrintedKey(self, verbose, ports), text).is_none()
    }
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
    ///
    /// What `Display` makes of the flow is the line again; one that says the same in other words is an error.
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
        let key = PrintedKey(flow, flow.verbose, ports);
        match &flow.actions {
            FlowActions::Parsed(actions) => Line(flow, &key, &PrintedActions(actions, ports)).fmt(f),
            FlowActions::Text { text, .. } => Line(flow, &key, text).fmt(f),
        }
    }
}

impl Flow {
    fn parse(line: &str, ports: Option<&PortNames>) -> Result<Self, ParseError> {
        let mut lexer = Lexer::over(line, ports);
        let mut flow = Self::default();
        if lexer.starts_with("ufid:") {
            flow.ufid = Some(Ufid::parse_from(&mut lexer)?);
            flow.ufid_without_comma = lexer.eat(" ");
            if !flow.ufid_without_comma {
                lexer.expect(", ")?;
            }
        }
        let start = lexer.offset();
        (flow.key, flow.in_port) = FlowKey::parse_from(&mut lexer, "packets:")?;
        let key = line.get(start..lexer.offset()).unwrap_or_default();
        lexer.expect("packets:")?;
        flow.packets = lexer.number(u64::MAX)?;
        lexer.expect(", bytes:")?;
        flow.bytes = lexer.number(u64::MAX)?;
        lexer.expect(", used:")?;
        flow.used_ms = parse_used(&mut lexer)?;
        loop {
            lexer.expect(", ")?;
            if lexer.eat("actions:") {
                break;
            } else if lexer.eat("flags:") {
                flow.tcp_flags = parse_tcp_flags(&mut lexer)?;
            } else if lexer.eat("offloaded:partial") {
                flow.offloaded = Some(Offloaded::Partial);
            } else if lexer.eat("offloaded:yes") {
                flow.offloaded = Some(Offloaded::Yes);
            } else if lexer.eat("dp:") {
                flow.dp_layer = Some(lexer.take_while(|c| c != ',').to_owned());
            } else {
                flow.other.push(lexer.take_while(|c| c != ',').to_owned());
            }
        }
        let rest = lexer.take_while(|_| true);
        let (actions, extra) = match rest.rsplit_once(", dp-extra-info:") {
            Some((actions, extra)) => (actions, Some(extra.to_owned())),
            None => (rest, None),
        };
        flow.actions = FlowActions::of_text(actions, ports);
        flow.dp_extra_info = extra;
        // Nothing in a line says which form it has, but a ufid stands in verbose ones alone.
        let key = key.strip_suffix(", ").unwrap_or(key);
        flow.verbose = flow.ufid.is_some();
        flow.key_is_hidden = key.is_empty();
        let forms = [flow.verbose, !flow.verbose];
        let form = forms
            .into_iter()
            .find(|form| flow.prints_key_as(*form, ports, key));
        flow.verbose = form.unwrap_or(flow.verbose);
        let difference = match form {
            // Key and actions, which are most of the line, were compared.
            Some(_) => first_difference(&Line(&flow, &key, &actions), line),
            None => first_difference(&NamedFlow(&flow, ports), line),
        };
        match difference {
            None => Ok(flow),
            Some(offset) => {
                let mut lexer = Lexer::new(line);
                lexer.skip(offset);
                Err(lexer.expected("the words of Open vSwitch"))
            }
        }
    }
}

/// A flow, and what its key and its actions print as.
struct Line<'a>(&'a Flow, &'a dyn fmt::Display, &'a dyn fmt::Display);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(flow, key, actions) = self;
        if let Some(ufid) = &flow.ufid {
            let comma = if flow.ufid_without_comma { "" } else { "," };
            write!(f, "{ufid}{comma} ")?;
        }
        write!(f, "{key}, packets:{}, bytes:{}, used:", flow.packets, flow.bytes)?;
        match flow.used_ms {
            None => f.write_str("never")?,
            Some(ms) => write!(f, "{}.{:03}s", ms / 1000, ms % 1000)?,
        }
        if flow.tcp_flags != 0 {
            f.write_str(", flags:")?;
            for (bit, letter) in TCP_FLAGS {
                f.write_str(if flow.tcp_flags & bit == 0 { "" } else { letter })?;
            }
        }
        match flow.offloaded {
            None => {}
            Some(Offloaded::Partial) => f.write_str(", offloaded:partial")?,
            Some(Offloaded::Yes) => f.write_str(", offloaded:yes")?,
        }
        if let Some(dp_layer) = &flow.dp_layer {
            write!(f, ", dp:{dp_layer}")?;
        }
        flow.other.iter().try_for_each(|field| write!(f, ", {field}"))?;
        write!(f, ", actions:{actions}")?;
        match &flow.dp_extra_info {
            Some(info) => write!(f, ", dp-extra-info:{info}"),
            None => Ok(()),
        }
    }
}

struct PrintedActions<'a>(&'a Actions, Option<&'a PortNames>);

impl fmt::Display for PrintedActions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.1 {
            None => fmt::Display::fmt(self.0, f),
            Some(ports) => fmt::Display::fmt(&self.0.named(ports), f),
        }
    }
}

/// The key of a flow, verbose or terse, with the name of its port.
struct PrintedKey<'a>(&'a Flow, bool, Option<&'a PortNames>);

impl fmt::Display for PrintedKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.key_is_hidden && self.0.key.keys().is_empty() {
            return Ok(());
        }
        let Self(flow, verbose, ports) = *self;
        let port = match (&flow.in_port, ports) {
            (Some(port), _) => ShownPort::Name(port),
            (None, Some(ports)) => ShownPort::Among(ports),
            (None, None) => ShownPort::Number,
        };
        Printer::print(f, |f| flow.key.print(verbose, port, &mut List::new(f)))
    }
}

/// `never`, or seconds with three decimals: `0.512s`.
fn parse_used(lexer: &mut Lexer<'_>) -> Result<Option<u64>, ParseError> {
    if lexer.eat("never") {
        return Ok(None);
    }
    let start = *lexer;
    let seconds: Option<u64> = lexer.take_while(|c| c.is_ascii_digit()).parse().ok();
    lexer.expect(".")?;
    let thousandths = lexer.take_while(|c| c.is_ascii_digit());
    lexer.expect("s")?;
    seconds
        .filter(|_| thousandths.len() == 3)
        .and_then(|seconds| seconds.checked_mul(1000)?.checked_add(thousandths.parse().ok()?))
        .map(Some)
        .ok_or_else(|| start.expected("seconds with three decimals"))
}

fn parse_tcp_flags(lexer: &mut Lexer<'_>) -> Result<u16, ParseError> {
    let mut flags = 0;
    while !lexer.at(|byte| byte == b',') {
        let Some((bit, _)) = TCP_FLAGS.iter().find(|(_, letter)| lexer.eat(letter)) else {
            return Err(lexer.expected("a TCP flag"));
        };
        flags |= bit;
    }
    Ok(flags)
}

/// In the order in which they are printed.
const TCP_FLAGS: [(u16, &str); 12] = [
    (0x002, "S"),
    (0x001, "F"),
    (0x008, "P"),
    (0x004, "R"),
    (0x020, "U"),
    (0x010, "."),
    (0x040, "E"),
    (0x080, "C"),
    (0x100, "N"),
    (0x200, "[200]"),
    (0x400, "[400]"),
    (0x800, "[800]"),
];
