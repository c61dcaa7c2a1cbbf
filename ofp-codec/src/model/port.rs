use alloc::boxed::Box;
use core::fmt;

/// An OpenFlow port number, in the 32-bit numbering of OpenFlow 1.1 and later.
///
/// Port numbers of OpenFlow 1.0 have 16 bits; their reserved range 0xff00–0xffff is the range
/// 0xffffff00–0xffffffff here (`OFPP11_OFFSET` in `openflow-1.1.h`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Port(pub u32);

impl Port {
    /// `OFPP_UNSET`: no output port is set in the action set.
    pub const UNSET: Port = Port(0xffff_fff7);
    /// `OFPP_IN_PORT`: the port that the packet came in on.
    pub const IN_PORT: Port = Port(0xffff_fff8);
    /// `OFPP_TABLE`: the flow table, for packets that a controller sends.
    pub const TABLE: Port = Port(0xffff_fff9);
    /// `OFPP_NORMAL`: forwarding as an ordinary switch does it.
    pub const NORMAL: Port = Port(0xffff_fffa);
    /// `OFPP_FLOOD`: every port but the one of entry and those that do not flood.
    pub const FLOOD: Port = Port(0xffff_fffb);
    /// `OFPP_ALL`: every port but the one of entry.
    pub const ALL: Port = Port(0xffff_fffc);
    /// `OFPP_CONTROLLER`: the controller.
    pub const CONTROLLER: Port = Port(0xffff_fffd);
    /// `OFPP_LOCAL`: the bridge's own port.
    pub const LOCAL: Port = Port(0xffff_fffe);
    /// `OFPP_ANY`, in OpenFlow 1.0 `OFPP_NONE`: no port.
    pub const ANY: Port = Port(0xffff_ffff);

    /// The port of a number as text gives it: a number of OpenFlow 1.0's reserved range is
    /// the reserved port (`ofputil_port_from_string` in `lib/ofp-port.c`).
    pub fn from_text_number(number: u32) -> Self {
        match number {
            0xff00..=0xffff => Port(number + OFPP11_OFFSET),
            _ => Port(number),
        }
    }

    /// The port of a number as OpenFlow 1.0 has it.
    pub fn from_16_bits(number: u16) -> Self {
        Port::from_text_number(number.into())
    }

    /// The port of a number as OpenFlow 1.1 and later have it. `None`: Open vSwitch has no
    /// port between those of 16 bits and the reserved ones (`ofputil_port_from_ofp11` in `lib/ofp-port.c`).
    pub fn from_32_bits(number: u32) -> Option<Self> {
        let none = 0xff00..0xff00 + OFPP11_OFFSET;
        (!none.contains(&number)).then_some(Port(number))
    }

    /// The number as OpenFlow 1.0 has it. `None`: it has none for this port.
    pub fn to_16_bits(self) -> Option<u16> {
        let number = self
            .0
            .checked_sub(OFPP11_OFFSET)
            .filter(|number| *number >= 0xff00);
        u16::try_from(number.unwrap_or(self.0)).ok()
    }

    /// Whether a switch may have it: Open vSwitch keeps 16 bits (`ofputil_port_from_ofp11`).
    pub(crate) fn exists(self) -> bool {
        self.0 < 0xff00 || self.0 >= 0xffff_ff00
    }

    /// The reserved port of this word, in any case of letters.
    pub fn from_word(word: &str) -> Option<Self> {
        let known = |&&(name, _): &&(&str, Port)| name.eq_ignore_ascii_case(word);
        WORDS.iter().find(known).map(|&(_, port)| port)
    }

    /// The word that Open vSwitch prints for a reserved port.
    pub fn word(self) -> Option<&'static str> {
        WORDS
            .iter()
            .find(|(_, port)| *port == self)
            .map(|&(word, _)| word)
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.word() {
            Some(word) => f.write_str(word),
            // Open vSwitch keeps 16 bits and prints these.
            None if self.0 >= 0xffff_ff00 => write!(f, "{}", self.0 - OFPP11_OFFSET),
            None => write!(f, "{}", self.0),
        }
    }
}

/// A number, or the name that text gave in its place: only the switch knows its number.
///
/// A name prints bare if it is a letter and then letters and digits, and else in double quotes
/// with JSON's escapes (`namemap_put_name` in `lib/namemap.c`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NumberOrName<T> {
    /// The number.
    Number(T),
    /// The name, without quotes and escapes.
    Name(Box<str>),
}

/// A port by number or, in a dump with `--names`, by name.
pub type PortRef = NumberOrName<Port>;

/// A flow table by number or, in a dump with `--names`, by name.
pub type TableRef = NumberOrName<u8>;

impl<T> NumberOrName<T> {
    /// The number, if it is one.
    pub fn number(&self) -> Option<&T> {
        match self {
            NumberOrName::Number(number) => Some(number),
            NumberOrName::Name(_) => None,
        }
    }

    /// The name, if it is one.
    pub fn name(&self) -> Option<&str> {
        match self {
            NumberOrName::Number(_) => None,
            NumberOrName::Name(name) => Some(name),
        }
    }
}

impl<T> From<T> for NumberOrName<T> {
    fn from(number: T) -> Self {
        NumberOrName::Number(number)
    }
}

impl<T: fmt::Display> fmt::Display for NumberOrName<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NumberOrName::Number(number) => number.fmt(f),
            NumberOrName::Name(name) => write_name(f, name),
        }
    }
}

pub(crate) fn write_name(f: &mut impl fmt::Write, name: &str) -> fmt::Result {
    let bare = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric());
    if bare {
        return f.write_str(name);
    }
    f.write_char('"')?;
    for c in name.chars() {
        match c {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\u{8}' => f.write_str("\\b")?,
            '\u{c}' => f.write_str("\\f")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            c if c < ' ' => write!(f, "\\u{:04x}", u32::from(c))?,
            c => f.write_char(c)?,
        }
    }
    f.write_char('"')
}

const OFPP11_OFFSET: u32 = 0xffff_0000;

const WORDS: [(&str, Port); 10] = [
    ("UNSET", Port::UNSET),
    ("IN_PORT", Port::IN_PORT),
    ("TABLE", Port::TABLE),
    ("NORMAL", Port::NORMAL),
    ("FLOOD", Port::FLOOD),
    ("ALL", Port::ALL),
    ("CONTROLLER", Port::CONTROLLER),
    ("LOCAL", Port::LOCAL),
    ("ANY", Port::ANY),
    ("NONE", Port::ANY),
];

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn the_reserved_ports_of_openflow_1_0_are_those_of_later_versions() {
        assert_eq!(Port::from_text_number(0xfffe), Port::LOCAL);
        assert_eq!(Port::from_text_number(0xff00).to_string(), "65280");
        assert_eq!(Port::from_text_number(0xfeff), Port(0xfeff));
        assert_eq!(Port::from_text_number(0x1_0000), Port(0x1_0000));
    }

    #[test]
    fn every_reserved_word_names_its_port_in_any_case() {
        for (word, port) in WORDS {
            assert_eq!(Port::from_word(&word.to_ascii_lowercase()), Some(port));
        }
        assert_eq!(Port::ANY.to_string(), "ANY");
        assert_eq!(Port::from_word("LOCALE"), None);
    }

    #[test]
    fn a_name_is_quoted_unless_it_is_a_letter_and_then_letters_and_digits() {
        let show = |name: &str| PortRef::Name(name.into()).to_string();
        assert_eq!(show("eth0"), "eth0");
        assert_eq!(show("0eth"), "\"0eth\"");
        assert_eq!(show("a,b"), "\"a,b\"");
        assert_eq!(show("a\"\\\u{1}"), "\"a\\\"\\\\\\u0001\"");
    }
}
