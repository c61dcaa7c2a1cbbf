//! Whole flow keys: lists of attributes and of their masks.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use netlink_genl::nlattr::{Attrs, Counter, DecodeError, EncodeError, Sink};

use super::list::List;
use super::payload::{
    Attribute, Context, Masks, Payload, TextAttribute, decode_nest, decode_prefix, encode_nest,
};
use super::{Key, Ufid, recover};
use crate::PortNames;
use crate::text::ParseError;
use crate::text::lex::Lexer;
use crate::text::print::Printer;

/// A flow key: its attributes, and their masks, each in the order of its message.
///
/// Without any mask every bit counts. Otherwise an attribute without one is not looked at. The two lists are kept as
/// they are, since the kernel and Open vSwitch order and omit independently in both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct FlowKey {
    keys: Vec<Key>,
    masks: Vec<Key>,
}

impl FlowKey {
    /// A key of these attributes, of which every bit counts.
    pub fn exact(keys: impl IntoIterator<Item = Key>) -> Self {
        Self {
            keys: keys.into_iter().collect(),
            masks: Vec::new(),
        }
    }

    /// A key of pairs of attribute and mask.
    pub fn masked(pairs: impl IntoIterator<Item = (Key, Key)>) -> Self {
        let (keys, masks) = pairs.into_iter().unzip();
        Self { keys, masks }
    }

    /// The same key, of which every bit counts.
    #[must_use]
    pub fn without_masks(self) -> Self {
        Self::exact(self.keys)
    }

    /// The attributes in order.
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// The masks in order; empty if every bit counts.
    pub fn masks(&self) -> &[Key] {
        &self.masks
    }

    /// The attributes, each with its mask: the first of its type, the second for the second attribute of this type.
    pub fn pairs(&self) -> impl Iterator<Item = (&Key, Option<&Key>)> {
        let mut masks = Masks::new(&self.masks);
        self.keys.iter().map(move |key| (key, masks.next_of(key)))
    }

    /// Whether every bit of every attribute counts.
    pub fn is_exact(&self) -> bool {
        self.masks.is_empty()
            || self
                .pairs()
                .all(|(key, mask)| mask.is_some_and(|mask| key.is_exact(mask)))
    }

    /// Reads `OVS_FLOW_ATTR_KEY` and `OVS_FLOW_ATTR_MASK`; the latter is empty if there is none. Offsets in errors count
    /// from the start of each.
    ///
    /// # Errors
    /// [`DecodeError`]: an attribute whose length cannot be true. One of another length than its type has is kept as
    /// bytes.
    pub fn decode(keys: &[u8], masks: &[u8]) -> Result<Self, DecodeError> {
        let list = |bytes| {
            Attrs::new(bytes)
                .map(|attr| attr.map(|attr| Key::decode(&attr)))
                .collect::<Result<Vec<_>, _>>()
        };
        Ok(Self {
            keys: list(keys)?,
            masks: list(masks)?,
        })
    }

    /// Appends the attributes to `sink`: `OVS_FLOW_ATTR_KEY`.
    ///
    /// # Errors
    /// [`EncodeError`]: they do not fit the sink, or one does not fit the 16 bits of its length.
    pub fn encode<S: Sink>(&self, sink: &mut S) -> Result<(), EncodeError> {
        self.keys.iter().try_for_each(|key| key.encode(sink))
    }

    /// Appends the masks to `sink`: `OVS_FLOW_ATTR_MASK`, which is to be left out if there are none.
    ///
    /// # Errors
    /// As [`FlowKey::encode`].
    pub fn encode_masks<S: Sink>(&self, sink: &mut S) -> Result<(), EncodeError> {
        self.masks.iter().try_for_each(|mask| mask.encode(sink))
    }

    /// Prints what no mask covers, too, as `dpctl/dump-flows -m`.
    pub fn verbose(&self) -> Verbose<'_> {
        Verbose(self)
    }

    /// Reads attributes up to the end; what has a name before a colon ends a printed line's, too.
    pub(crate) fn parse_from(lexer: &mut Lexer<'_>) -> Result<ReadKey, ParseError> {
        let mut read = ReadKey::default();
        let key = &mut read.key;
        let mut sizes = [Counter::new(), Counter::new()];
        lexer.eat("<empty>");
        lexer.separators();
        while !is_end(lexer) {
            let start = *lexer;
            let position = key.keys.len();
            if let Some(mask) = parse_lone_ether_type(lexer, is_end) {
                key.masks.push(mask);
            } else if let Some(name) = parse_port_name(lexer) {
                match lexer.number_of(name) {
                    Some(number) => {
                        key.push_read(Key::InPort(number), Key::InPort(u32::MAX), &mut sizes, start)?;
                    }
                    None if read.port.is_none() => {
                        let name = name.into();
                        read.port = Some(PortName { name, position });
                    }
                    None => return Err(start.expected("one port")),
                }
            } else if lexer.starts_with("ufid:") {
                // Open vSwitch reads the id of a flow before any attribute, and has no use for it in a key.
                read.ufid = Some(Ufid::parse_from(lexer)?);
            } else if let Some((value, mask)) = recover::parse_attribute(lexer, &mut read.unknown)? {
                key.push_read(value, mask, &mut sizes, start)?;
            }
            lexer.separators();
        }
        Ok(read)
    }

    /// Appends what a text has at `start`, unless it is more than an attribute holds.
    fn push_read(
        &mut self,
        key: Key,
        mask: Key,
        sizes: &mut [Counter; 2],
        start: Lexer<'_>,
    ) -> Result<(), ParseError> {
        let too_long = ParseError::TooLong {
            offset: start.offset(),
            limit: MAX_BYTES,
        };
        let [keys, masks] = sizes;
        if key.encode(keys).is_err()
            || mask.encode(masks).is_err()
            || keys.position().max(masks.position()) > MAX_BYTES
        {
            return Err(too_long);
        }
        self.keys.push(key);
        self.masks.push(mask);
        Ok(())
    }

    pub(crate) fn print(&self, verbose: bool, port: ShownPort<'_>, list: &mut List<'_, '_>) -> fmt::Result {
        if self.keys.is_empty() && !matches!(port, ShownPort::Name(_)) {
            return list.f.write_str("<empty>");
        }
        print_keys(&self.keys, &self.masks, verbose, port, list)
    }

    /// Puts in a port where its name stands.
    pub(crate) fn insert_port(&mut self, port: &PortName, number: u32) {
        let position = port.position.min(self.keys.len());
        self.keys.insert(position, Key::InPort(number));
        self.masks
            .insert(position.min(self.masks.len()), Key::InPort(u32::MAX));
    }
}

impl FromStr for FlowKey {
    type Err = ParseError;

    /// Reads what `ovs-dpctl` prints and reads for a flow key. What has no mask in the text is covered by an exact one.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let read = Self::parse_from(&mut Lexer::new(text))?;
        match read.port {
            None => Ok(read.key),
            Some(_) => {
                let at = text.find("in_port(").map_or(0, |at| at + "in_port(".len());
                let mut lexer = Lexer::new(text);
                lexer.skip(at);
                Err(lexer.expected("a port number"))
            }
        }
    }
}

/// Terse: without what no mask covers.
impl fmt::Display for FlowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Printer::print(f, |f| self.print(false, ShownPort::Number, &mut List::new(f)))
    }
}

/// Prints a [`FlowKey`] with all of its fields.
#[derive(Clone, Copy, Debug)]
pub struct Verbose<'a>(&'a FlowKey);

impl fmt::Display for Verbose<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Printer::print(f, |f| self.0.print(true, ShownPort::Number, &mut List::new(f)))
    }
}

/// What a text has of a flow key.
#[derive(Default)]
pub(crate) struct ReadKey {
    pub(crate) key: FlowKey,
    pub(crate) ufid: Option<Ufid>,
    /// A port by its name, in the place of an attribute.
    pub(crate) port: Option<PortName>,
    /// What cannot be read, each part inside the names around it.
    pub(crate) unknown: Vec<String>,
}

/// A port that stands in a flow by its name, before the attribute at `position`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PortName {
    pub(crate) name: String,
    position: usize,
}

/// How the port of a key is shown.
#[derive(Clone, Copy)]
pub(crate) enum ShownPort<'a> {
    /// By its number.
    Number,
    /// By a name, for which the key has no attribute.
    Name(&'a PortName),
    /// By its name among these.
    Among(&'a PortNames),
}

impl<'a> ShownPort<'a> {
    /// The name of a port of which every bit counts.
    fn name_of(self, key: &Key, mask: Option<&Key>) -> Option<&'a str> {
        match (self, key, mask) {
            (Self::Among(ports), Key::InPort(number), None | Some(Key::InPort(u32::MAX))) => {
                ports.name(*number)
            }
            _ => None,
        }
    }
}

/// The nest of `encap(..)`.
pub(super) struct Encap;

impl Payload for Encap {
    type Value = Vec<Key>;
    const LEN: Option<usize> = None;

    fn encode<S: Sink>(keys: &Vec<Key>, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        encode_nest(keys, kind, sink)
    }

    fn decode(payload: &[u8], depth: usize) -> Option<Vec<Key>> {
        decode_nest(payload, depth)
    }

    fn print(
        name: &str,
        keys: &Vec<Key>,
        mask: Option<&Vec<Key>>,
        verbose: bool,
        list: &mut List<'_, '_>,
    ) -> fmt::Result {
        let masks = mask.map_or(&[][..], Vec::as_slice);
        list.nest(name, |list| {
            print_keys(keys, masks, verbose, ShownPort::Number, list)
        })
    }

    fn parse(lexer: &mut Lexer<'_>, context: Context) -> Result<(Vec<Key>, Vec<Key>), ParseError> {
        let (mut keys, mut masks) = (Vec::new(), Vec::new());
        lexer.expect("(")?;
        loop {
            lexer.separators();
            if lexer.eat(")") {
                return Ok((keys, masks));
            }
            // Something always stands before it.
            if let Some(mask) = (!keys.is_empty())
                .then(|| parse_lone_ether_type(lexer, |behind| behind.starts_with(")")))
                .flatten()
            {
                masks.push(mask);
                continue;
            }
            let inside = Context {
                depth: context.depth + 1,
            };
            let (key, mask) = Key::parse_masked(lexer, inside)?;
            keys.push(key);
            masks.push(mask);
        }
    }

    fn is_all(_: &Vec<Key>, _: bool) -> bool {
        false
    }
}

/// Prints a nest whose end cannot be read.
pub(super) fn print_broken_encap(payload: &[u8], verbose: bool, list: &mut List<'_, '_>) -> fmt::Result {
    let (keys, rest) = decode_prefix::<Key>(payload);
    list.nest("encap", |list| {
        print_keys(&keys, &[], verbose, ShownPort::Number, list)?;
        if keys.is_empty() {
            list.f.write_str("<empty>")?;
        }
        if !rest.is_empty() {
            write!(list.f, ",***{} leftover bytes*** (", rest.len())?;
            rest.iter().try_for_each(|byte| write!(list.f, "{byte:02x}"))?;
            list.f.write_str(")")?;
        }
        Ok(())
    })
}

fn print_keys(
    keys: &[Key],
    masks: &[Key],
    verbose: bool,
    port: ShownPort<'_>,
    list: &mut List<'_, '_>,
) -> fmt::Result {
    let print_port = |at, list: &mut List<'_, '_>| match port {
        ShownPort::Name(port) if port.position == at => list.item(format_args!("in_port({})", port.name)),
        _ => Ok(()),
    };
    let (mut has_ether_type, mut has_packet_type) = (false, false);
    let mut by_kind = Masks::new(masks);
    for (at, key) in keys.iter().enumerate() {
        print_port(at, list)?;
        let mask = by_kind.next_of(key);
        if key.is_misfit(mask) {
            key.print_misfit(mask, list.f)?;
            continue;
        }
        has_ether_type |= key.kind() == ETHER_TYPE;
        has_packet_type |= key.kind() == PACKET_TYPE;
        let is_wildcard = !masks.is_empty() && mask.is_none_or(|mask| mask.is_all(false));
        if verbose || !is_wildcard || Key::is_nest(key.kind()) {
            if let Some(name) = port.name_of(key, mask) {
                list.item(format_args!("in_port({name})"))?;
                continue;
            }
            let missing = (is_wildcard && mask.is_none()).then(|| key.wildcard());
            key.print(mask.or(missing.as_ref()), verbose, list)?;
        } else if key.kind() == ETHERNET && !has_packet_type {
            // In the kernel's datapath an Ethernet header is matched by this attribute alone, also without a bit.
            list.separate_and_keep()?;
            list.f.write_str("eth()")?;
        } else if key.kind() == PACKET_TYPE {
            has_packet_type = false;
        }
    }
    print_port(keys.len(), list)?;
    // A mask without a value: the packet has no EtherType, and has to have none.
    let lone = masks.iter().find(|mask| mask.kind() == ETHER_TYPE);
    match lone {
        Some(Key::EtherType(mask)) if !has_ether_type && !keys.is_empty() => {
            write!(list.f, ",eth_type(0/{mask:#06x})")
        }
        _ => Ok(()),
    }
}

/// `in_port(eth0)`. A line that was printed has numbers in decimal; where they are read, they may be in hexadecimal, too.
fn parse_port_name<'a>(lexer: &mut Lexer<'a>) -> Option<&'a str> {
    let mut ahead = *lexer;
    if !ahead.eat("in_port(") {
        return None;
    }
    let name = ahead.take_while(|c| c != ')');
    ahead.expect(")").ok()?;
    let digits = name.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_number = match lexer.is_printed() {
        true => digits.len() < name.len() && (digits.is_empty() || digits.starts_with('/')),
        false => name.starts_with(|c: char| c.is_ascii_digit() || c == ' '),
    };
    if is_number && lexer.number_of(name).is_none() {
        return None;
    }
    *lexer = ahead;
    Some(name)
}

/// What [`print_keys`] has at the end for a mask without a value. It is read as that only in a printed line, and before
/// the end: Open vSwitch, which never reads such lines, takes it for a value of 0.
fn parse_lone_ether_type(lexer: &mut Lexer<'_>, is_end: impl Fn(&Lexer<'_>) -> bool) -> Option<Key> {
    let mut ahead = *lexer;
    if !lexer.is_printed() || !ahead.eat("eth_type(0/0x") {
        return None;
    }
    let mask = u16::from_str_radix(ahead.take_while(|c| c.is_ascii_hexdigit()), 16).ok()?;
    ahead.expect(")").ok()?;
    let is_last = {
        let mut behind = ahead;
        behind.separators();
        is_end(&behind)
    };
    is_last.then(|| *lexer = ahead)?;
    Some(Key::EtherType(mask))
}

/// Whether a key ends here: at the end of the text, and at the first of the fields behind it, `packets:6`, in a line that was
/// printed.
fn is_end(lexer: &Lexer<'_>) -> bool {
    let mut ahead = *lexer;
    lexer.is_empty()
        || lexer.is_printed()
            && !lexer.starts_with("ufid:")
            && ahead.word("a name").is_ok()
            && ahead.eat(":")
            && !ahead.at(|byte| byte.is_ascii_whitespace())
}

/// What Open vSwitch's parser takes; a message has less room.
const MAX_BYTES: usize = 65_535;
const ETHERNET: u16 = 4;
const ETHER_TYPE: u16 = 6;
const PACKET_TYPE: u16 = 29;

#[cfg(test)]
mod tests {
    use super::super::MAX_DEPTH;
    use super::*;

    #[test]
    fn refuses_the_32nd_nest_and_takes_the_31st() {
        let nests = |n: usize| alloc::format!("{}{}", "encap(".repeat(n), ")".repeat(n));
        assert!(nests(MAX_DEPTH).parse::<FlowKey>().is_ok());
        assert_eq!(
            nests(MAX_DEPTH + 1).parse::<FlowKey>(),
            Err(ParseError::TooDeep {
                offset: 6 * MAX_DEPTH,
                limit: MAX_DEPTH - 1
            })
        );
    }
}
