//! The line of a flow.

use alloc::borrow::ToOwned;
use core::fmt;

use super::{Flow, FlowActions, Offloaded, Spelling};
use crate::key::{FlowKey, List, ShownPort, Ufid};
use crate::text::ParseError;
use crate::text::lex::Lexer;
use crate::text::print::Printer;
use crate::text::same::first_difference;
use crate::{Actions, PortNames};

impl Flow {
    pub(super) fn parse(line: &str, ports: Option<&PortNames>) -> Result<Self, ParseError> {
        let mut lexer = Lexer::over(line, ports).printed();
        let mut flow = Self::default();
        lexer.spaces();
        if lexer.starts_with("ufid:") {
            flow.ufid = Some(Ufid::parse_from(&mut lexer)?);
            flow.ufid_without_comma = lexer.eat(" ");
            lexer.separators();
        }
        let start = lexer.offset();
        let read = FlowKey::parse_from(&mut lexer)?;
        (flow.key, flow.in_port, flow.other_keys) = (read.key, read.port, read.unknown);
        flow.ufid = flow.ufid.or(read.ufid);
        let key = line.get(start..lexer.offset()).unwrap_or_default();
        flow.parse_fields(&mut lexer)?;
        let rest = lexer.take_while(|_| true);
        let (actions, extra) = match rest.rsplit_once(", dp-extra-info:") {
            Some((actions, extra)) => (actions, Some(extra.to_owned())),
            None => (rest.trim_end(), None),
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
            .find(|form| first_difference(&PrintedKey(&flow, *form, ports), key).is_none());
        flow.verbose = form.unwrap_or(flow.verbose);
        // Key and actions, which are most of the line, were compared.
        if form.is_none() || first_difference(&Line(&flow, &key, &actions), line).is_some() {
            flow.spelling = Spelling(Some(line.into()));
        }
        Ok(flow)
    }

    /// Reads the fields before the actions, each behind its name, and the name of these. What is not known may stand
    /// anywhere among them.
    fn parse_fields(&mut self, lexer: &mut Lexer<'_>) -> Result<(), ParseError> {
        let (mut packets, mut bytes, mut used) = (None, None, None);
        while !lexer.eat("actions:") {
            let start = *lexer;
            if packets.is_none() && lexer.eat("packets:") {
                packets = Some(lexer.number(u64::MAX)?);
            } else if bytes.is_none() && lexer.eat("bytes:") {
                bytes = Some(lexer.number(u64::MAX)?);
            } else if used.is_none() && lexer.eat("used:") {
                used = Some(parse_used(lexer)?);
            } else {
                let field = lexer.item().unwrap_or_default();
                if field.is_empty() || packets.is_none() && field.contains('(') {
                    return Err(start.expected(if packets.is_none() { "packets:" } else { "actions:" }));
                }
                self.add_field(field);
            }
            lexer.expect(",")?;
            lexer.separators();
        }
        self.packets = packets.ok_or_else(|| lexer.expected("packets: before the actions"))?;
        self.bytes = bytes.ok_or_else(|| lexer.expected("bytes: before the actions"))?;
        self.used_ms = used.ok_or_else(|| lexer.expected("used: before the actions"))?;
        Ok(())
    }

    /// Takes a field that need not be there.
    fn add_field(&mut self, field: &str) {
        let is_new = |old: bool| !old;
        match field.split_once(':') {
            Some(("flags", letters)) if is_new(self.tcp_flags != 0) => match parse_tcp_flags(letters) {
                Some(flags) => self.tcp_flags = flags,
                None => self.other.push(field.to_owned()),
            },
            Some(("offloaded", "partial")) if is_new(self.offloaded.is_some()) => {
                self.offloaded = Some(Offloaded::Partial);
            }
            Some(("offloaded", "yes")) if is_new(self.offloaded.is_some()) => {
                self.offloaded = Some(Offloaded::Yes);
            }
            Some(("dp", layer)) if is_new(self.dp_layer.is_some()) => self.dp_layer = Some(layer.to_owned()),
            _ => self.other.push(field.to_owned()),
        }
    }
}

/// A flow, and what its key and its actions print as.
pub(super) struct Line<'a>(
    pub(super) &'a Flow,
    pub(super) &'a dyn fmt::Display,
    pub(super) &'a dyn fmt::Display,
);

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

/// Actions, with ports by name or not.
pub(super) struct PrintedActions<'a>(pub(super) &'a Actions, pub(super) Option<&'a PortNames>);

impl fmt::Display for PrintedActions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.1 {
            None => fmt::Display::fmt(self.0, f),
            Some(ports) => fmt::Display::fmt(&self.0.named(ports), f),
        }
    }
}

/// The key of a flow, verbose or terse, with the name of its port.
pub(super) struct PrintedKey<'a>(
    pub(super) &'a Flow,
    pub(super) bool,
    pub(super) Option<&'a PortNames>,
);

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
        let has_attribute = !flow.key.keys().is_empty() || flow.in_port.is_some();
        if has_attribute || flow.other_keys.is_empty() {
            Printer::print(f, |f| flow.key.print(verbose, port, &mut List::new(f)))?;
        }
        let mut comma = if has_attribute { "," } else { "" };
        flow.other_keys.iter().try_for_each(|text| {
            write!(f, "{comma}{text}")?;
            comma = ",";
            Ok(())
        })
    }
}

/// `never`, or seconds with three decimals: `0.512s`. A packet that came after Open vSwitch looked at its clock makes them
/// negative.
fn parse_used(lexer: &mut Lexer<'_>) -> Result<Option<u64>, ParseError> {
    if lexer.eat("never") {
        return Ok(None);
    }
    let start = *lexer;
    let is_negative = lexer.eat("-");
    let seconds: Option<u64> = lexer.take_while(|c| c.is_ascii_digit()).parse().ok();
    lexer.expect(".")?;
    let thousandths = lexer.take_while(|c| c.is_ascii_digit());
    lexer.expect("s")?;
    seconds
        .filter(|_| thousandths.len() == 3)
        .and_then(|seconds| seconds.checked_mul(1000)?.checked_add(thousandths.parse().ok()?))
        .map(|ms| Some(if is_negative { 0 } else { ms }))
        .ok_or_else(|| start.expected("seconds with three decimals"))
}

/// `SFP.`. (Open vSwitch up to 2.0 has no letters for two of them.)
fn parse_tcp_flags(letters: &str) -> Option<u16> {
    let mut lexer = Lexer::new(letters);
    let mut flags = 0;
    while !lexer.is_empty() {
        let mut names = TCP_FLAGS.iter().chain(&OLD_TCP_FLAGS);
        flags |= names.find(|(_, name)| lexer.eat(name))?.0;
    }
    Some(flags)
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
const OLD_TCP_FLAGS: [(u16, &str); 2] = [(0x040, "[40]"), (0x080, "[80]")];
