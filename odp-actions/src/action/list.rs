//! Lists of actions.

use alloc::vec::Vec;
use core::fmt;
use core::ops::Deref;
use core::str::FromStr;

use netlink_genl::nlattr::{Attrs, Counter, DecodeError, EncodeError, Sink};

use super::Action;
use crate::PortNames;
use crate::key::Key;
use crate::key::codec::Faults;
use crate::limits::Nests;
use crate::text::ParseError;
use crate::text::lex::Lexer;
use crate::text::print::Printer;

/// A list of actions: the payload of `OVS_FLOW_ATTR_ACTIONS`, or of an action that holds a list.
///
/// An empty list drops the packet and prints as `drop`; so does [`Action::Drop`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Actions {
    list: Vec<Action>,
    leftover: Vec<u8>,
}

impl Actions {
    /// An empty list.
    pub const fn new() -> Self {
        Self {
            list: Vec::new(),
            leftover: Vec::new(),
        }
    }

    /// Appends one action.
    pub fn push(&mut self, action: Action) {
        self.list.push(action);
    }

    /// Takes the actions from this one on out of the list.
    pub(crate) fn split_off(&mut self, at: usize) -> Self {
        Self {
            list: self.list.split_off(at),
            leftover: Vec::new(),
        }
    }

    /// Reads a list. Offsets in errors count from the start of `bytes`.
    ///
    /// What was decoded encodes to the same bytes again, but for padding, which becomes zeros, also where it was missing
    /// at the end of a list. Attributes whose type nothing here knows, or whose type word has flags, are
    /// [`Action::Unknown`].
    ///
    /// # Errors
    /// [`DecodeError`]: a length that cannot be true, or a payload that is not what its action has, at any depth.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut faults = Faults::default();
        let actions = Self::decode_attrs(Attrs::new(bytes), &mut faults);
        faults.strict(actions)
    }

    /// Reads whatever there is: an action that cannot be read is [`Action::Unknown`] and costs no other, bytes that are
    /// no attribute are [`Actions::leftover`]. It prints as Open vSwitch prints such a list.
    pub fn decode_lossless(bytes: &[u8]) -> Self {
        Self::decode_attrs(Attrs::new(bytes), &mut Faults::default())
    }

    /// Bytes at the end of a list that are no attribute.
    pub fn leftover(&self) -> &[u8] {
        &self.leftover
    }

    pub(crate) fn decode_attrs(mut attrs: Attrs<'_>, faults: &mut Faults) -> Self {
        let mut actions = Self::new();
        loop {
            let rest = attrs.rest();
            match attrs.next() {
                None => return actions,
                Some(Err(error)) => {
                    faults.add(error);
                    actions.leftover = rest.to_vec();
                    return actions;
                }
                // Most of a long list, as in `encode`.
                Some(Ok(attr)) if attr.raw_kind() == OUTPUT && attr.payload().len() == 4 => {
                    actions.list.extend(attr.u32().map(Action::Output));
                }
                Some(Ok(attr)) => actions.push(Action::decode_in(&attr, faults).unwrap_or_else(|error| {
                    faults.add(error);
                    Action::Unknown(attr.into())
                })),
            }
        }
    }

    /// Appends the list to `sink`.
    ///
    /// A list longer than 65 531 bytes is written in full: whether it fits an attribute is what
    /// [`Limits::verdict`](crate::Limits::verdict) says, and nesting it fails.
    ///
    /// # Errors
    /// [`EncodeError`]: an action does not fit the sink, or the 16 bits of its length.
    pub fn encode<S: Sink>(&self, sink: &mut S) -> Result<(), EncodeError> {
        self.list.iter().try_for_each(|action| match action {
            // What floods are made of costs half as much if it need not go through the whole table.
            Action::Output(port) => sink.attr_u32(OUTPUT, *port),
            Action::Set(Key::Tunnel(tunnel)) => sink.attr_in(SET, TUNNEL, tunnel.as_bytes()),
            action => action.encode(sink),
        })?;
        if self.leftover.is_empty() {
            Ok(())
        } else {
            sink.put(&self.leftover)
        }
    }

    /// The encoded list.
    ///
    /// # Errors
    /// As [`Actions::encode`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, EncodeError> {
        let mut bytes = Vec::new();
        self.encode(&mut bytes)?;
        Ok(bytes)
    }

    /// Bytes of the encoded list, counted by the code that encodes.
    ///
    /// # Errors
    /// As [`Actions::encode`].
    pub fn encoded_len(&self) -> Result<usize, EncodeError> {
        let mut counter = Counter::new();
        self.encode(&mut counter)?;
        Ok(counter.position())
    }

    /// Outputs as Open vSwitch counts them against `net.core.netdev_max_backlog`: those at the top level, to a port or to
    /// a bond.
    pub fn output_count(&self) -> usize {
        self.list
            .iter()
            .filter(|action| matches!(action, Action::Output(_) | Action::LbOutput(_)))
            .count()
    }

    pub(crate) fn convert(&self, pieces: &mut Vec<usize>) -> Option<()> {
        self.list.iter().try_for_each(|action| action.convert(pieces))
    }

    /// What kernels check of the lists inside actions.
    pub(crate) fn nests(&self) -> Nests {
        let nest = |action: &Action| {
            let inside: Nests = action.lists().map(Self::nests).fold(Nests::default(), Nests::max);
            let mut pieces = Vec::new();
            // What is not known is not sent to a kernel either.
            let converted = action.convert(&mut pieces).map_or(0, |()| pieces.iter().sum());
            Nests {
                depth: inside.depth + 1,
                converted: inside.converted.max(converted),
            }
        };
        let nests = self.list.iter().filter(|action| action.lists().next().is_some());
        nests.map(nest).fold(Nests::default(), Nests::max)
    }

    /// Reads a list as [`FromStr`] does, in which ports may stand by name, as Open vSwitch prints them with `--names`:
    /// a name that `ports` has becomes its number.
    ///
    /// # Errors
    /// [`ParseError`]: it is no such list, or a name is not among `ports`.
    pub fn parse_named(text: &str, ports: &PortNames) -> Result<Self, ParseError> {
        Self::parse_whole(text, Lexer::over(text, Some(ports)))
    }

    /// Prints the list with ports by name, as `ovs-appctl dpctl/dump-flows --names` does.
    pub fn named<'a>(&'a self, ports: &'a PortNames) -> Named<'a> {
        Named(self, ports)
    }

    pub(crate) fn print(&self, f: &mut Printer<'_>) -> fmt::Result {
        match (&self.list[..], &self.leftover[..]) {
            ([], []) => return f.write_str("drop"),
            ([], _) => f.write_str("<empty>")?,
            (list, _) => {
                for (i, action) in list.iter().enumerate() {
                    if i > 0 {
                        f.write_str(",")?;
                    }
                    action.print(f)?;
                }
            }
        }
        if !self.leftover.is_empty() {
            write!(f, ",***{} leftover bytes*** (", self.leftover.len())?;
            self.leftover
                .iter()
                .try_for_each(|byte| write!(f, "{byte:02x}"))?;
            f.write_str(")")?;
        }
        Ok(())
    }

    fn parse_whole(text: &str, mut lexer: Lexer<'_>) -> Result<Self, ParseError> {
        let mut drop = lexer;
        // A port may have this name.
        if drop.port_name().is_none() && drop.eat_any_case("drop") && drop.is_empty() {
            return Ok(Self::from_iter([Action::Drop(0)]));
        }
        let mut actions = Self::new();
        actions.list.reserve(text.len() / TEXT_OF_TUNNEL * 2);
        actions.parse_until(&mut lexer, |lexer| lexer.is_empty())?;
        Ok(actions)
    }

    /// The list between two parentheses; `drop` alone, in any case, is an empty one.
    pub(crate) fn parse_nested(lexer: &mut Lexer<'_>) -> Result<Self, ParseError> {
        lexer.enter()?;
        let mut drop = *lexer;
        let mut actions = Self::new();
        if drop.eat_any_case("drop") && drop.starts_with(")") {
            *lexer = drop;
        } else {
            actions.parse_until(lexer, |lexer| lexer.starts_with(")"))?;
        }
        lexer.leave();
        Ok(actions)
    }

    /// Appends the actions up to the end.
    fn parse_until(
        &mut self,
        lexer: &mut Lexer<'_>,
        end: impl Fn(&Lexer<'_>) -> bool,
    ) -> Result<(), ParseError> {
        lexer.separators();
        lexer.eat("<empty>,");
        while !end(lexer) {
            if lexer.eat("***") {
                // Whoever wrote this need not have looked whether they are attributes after all.
                let leftover = Self::decode_lossless(&parse_leftover(lexer)?);
                self.list.extend(leftover.list);
                self.leftover = leftover.leftover;
                return if end(lexer) {
                    Ok(())
                } else {
                    Err(lexer.expected("the end"))
                };
            }
            self.push(Action::parse_from(lexer)?);
            if !lexer.separators() && !end(lexer) {
                return Err(lexer.expected(", or the end"));
            }
        }
        Ok(())
    }
}

impl Deref for Actions {
    type Target = [Action];

    fn deref(&self) -> &[Action] {
        &self.list
    }
}

impl FromIterator<Action> for Actions {
    fn from_iter<I: IntoIterator<Item = Action>>(actions: I) -> Self {
        Self {
            list: actions.into_iter().collect(),
            leftover: Vec::new(),
        }
    }
}

impl Extend<Action> for Actions {
    fn extend<I: IntoIterator<Item = Action>>(&mut self, actions: I) {
        self.list.extend(actions);
    }
}

impl fmt::Display for Actions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Printer::print(f, |f| self.print(f))
    }
}

/// Prints [`Actions`] with ports by name.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a>(&'a Actions, &'a PortNames);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Printer::print_named(f, self.1, |f| self.0.print(f))
    }
}

impl FromStr for Actions {
    type Err = ParseError;

    /// Reads what `ovs-dpctl` prints for a list. `drop` alone, in any case, is [`Action::Drop`]; no text is no action.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse_whole(text, Lexer::new(text))
    }
}

/// Bytes of text that an output through a tunnel takes, which is two actions.
const TEXT_OF_TUNNEL: usize = 64;

/// `8 leftover bytes*** (0102030405060708)`.
fn parse_leftover(lexer: &mut Lexer<'_>) -> Result<Vec<u8>, ParseError> {
    lexer.decimal(u64::from(u32::MAX))?;
    lexer.expect(" leftover bytes*** (")?;
    let bytes = lexer.hex_pairs()?;
    lexer.expect(")")?;
    Ok(bytes)
}

/// `OVS_ACTION_ATTR_OUTPUT`.
const OUTPUT: u16 = 1;
/// `OVS_ACTION_ATTR_SET`.
const SET: u16 = 3;
/// `OVS_KEY_ATTR_TUNNEL`.
const TUNNEL: u16 = 16;
