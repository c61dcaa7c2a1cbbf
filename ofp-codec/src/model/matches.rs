use alloc::{boxed::Box, vec::Vec};
use core::{fmt, net::Ipv4Addr, net::Ipv6Addr};

use crate::model::{
    addr::EthAddr,
    field::Field,
    port::{NumberOrName, Port, PortRef},
    print,
    protocol::Protocol,
};

/// What a packet must look like: every entry holds. An empty match matches every packet.
///
/// ```
/// use ofp_codec::{Field, PortRef, text::FlowRef};
///
/// let line = b" priority=3,tcp,in_port=\"patch-tun\",vlan_tci=0x1000/0x1000,tp_dst=80 actions=drop";
/// let flow = FlowRef::parse(line)?.to_flow()?;
/// assert_eq!(flow.matches.in_port(), Some(PortRef::Name("patch-tun".into())));
/// assert_eq!(flow.matches.exact(Field::EthType), Some(0x800));
/// assert_eq!(flow.matches.exact(Field::TcpDst), Some(80));
/// assert_eq!(flow.matches.masked(Field::VlanTci), Some((0x1000, 0x1000)));
/// assert_eq!(flow.matches.to_string(), "tcp,in_port=\"patch-tun\",vlan_tci=0x1000/0x1000,tp_dst=80");
/// # Ok::<(), ofp_codec::text::ParseError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Match(pub Vec<MatchEntry>);

/// One entry of a match.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MatchEntry {
    /// A protocol word, which stands for an Ethernet type and perhaps an IP protocol.
    Protocol(Protocol),
    /// A known field.
    Field(FieldMatch),
    /// What is not known here, byte for byte.
    Unknown(Unknown),
    /// A field on the wire that is not known here, byte for byte.
    UnknownOxm(Box<UnknownOxm>),
}

/// A field, the value it must have, and the bits that count if not all do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldMatch {
    /// The field.
    pub field: Field,
    /// The value.
    pub value: Value,
    /// The bits of the value that count. `None`: all.
    pub mask: Option<u128>,
}

/// The value of a field.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Value {
    /// A number, also an address (its first byte is the most significant one).
    Number(u128),
    /// The name of a port, for which only the switch knows the number.
    Name(Box<str>),
    /// More than 128 bits, of a `tun_metadata` field.
    Wide(Box<Wide>),
    /// `NP`: the tunnel's option must not be there.
    Absent,
}

/// The value of an option of a tunnel, most significant byte first.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Wide {
    /// The value's bytes, without zeros in front.
    pub value: Vec<u8>,
    /// The bits that count, as many bytes or more. `None`: all.
    pub mask: Option<Vec<u8>>,
}

/// A key, and its value if it has one, as they were written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Unknown {
    /// The key.
    pub key: Box<str>,
    /// What followed the `=`.
    pub value: Option<Box<str>>,
}

/// A field that is known by its numbers only (OpenFlow 1.3.5, section 7.2.3.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UnknownOxm {
    /// The class.
    pub class: u16,
    /// The number in its class.
    pub number: u8,
    /// The experimenter, of class 0xffff; else 0.
    pub experimenter: u32,
    /// The value.
    pub value: Box<[u8]>,
    /// The bits of it that count. `None`: all.
    pub mask: Option<Box<[u8]>>,
}

impl Match {
    /// What the match says of `field`: its last entry, as in Open vSwitch. A protocol word
    /// speaks of the Ethernet type and of the IP protocol.
    pub fn field(&self, field: Field) -> Option<FieldMatch> {
        self.0.iter().rev().find_map(|entry| match entry {
            MatchEntry::Field(found) if found.field == field => Some(found.clone()),
            MatchEntry::Protocol(protocol) => protocol
                .implies(field)
                .map(|number| FieldMatch::exact(field, number)),
            _ => None,
        })
    }

    /// The number that `field` must have, if all its bits count.
    pub fn exact(&self, field: Field) -> Option<u128> {
        let found = self.field(field)?;
        found
            .value
            .number()
            .filter(|_| found.mask.is_none_or(|mask| mask & field.max() == field.max()))
    }

    /// The number that `field` must have, and the bits that count.
    pub fn masked(&self, field: Field) -> Option<(u128, u128)> {
        let found = self.field(field)?;
        Some((found.value.number()?, found.mask.unwrap_or(field.max())))
    }

    /// The port that the packet must come in on.
    pub fn in_port(&self) -> Option<PortRef> {
        match self.field(Field::InPort)?.value {
            Value::Number(number) => u32::try_from(number).ok().map(|n| Port(n).into()),
            Value::Name(name) => Some(PortRef::Name(name)),
            _ => None,
        }
    }

    /// The unknown entry of this key, the last one as in [`field`](Self::field).
    pub fn unknown(&self, key: &str) -> Option<&Unknown> {
        self.0.iter().rev().find_map(|entry| match entry {
            MatchEntry::Unknown(unknown) if &*unknown.key == key => Some(unknown),
            _ => None,
        })
    }

    /// Makes the ports and the ICMP type and code those of the protocol that is matched:
    /// a dump prints `udp,tp_src=53` and `icmp6,icmp_type=136`.
    pub(crate) fn settle_shared_names(&mut self) {
        let Some(proto) = self.exact(Field::IpProto) else {
            return;
        };
        for entry in &mut self.0 {
            if let MatchEntry::Field(found) = entry {
                found.field = of_protocol(found.field, proto);
            }
        }
    }
}

impl MatchEntry {
    /// Whether it is a field whose name says another one beside another protocol.
    pub(crate) fn has_shared_name(&self) -> bool {
        use Field::{IcmpCode, IcmpType, TcpDst, TcpSrc};
        match self {
            MatchEntry::Field(found) => matches!(found.field, TcpSrc | TcpDst | IcmpType | IcmpCode),
            _ => false,
        }
    }
}

/// The match as a dump prints it, without the priority.
impl fmt::Display for Match {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, entry) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            entry.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for MatchEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MatchEntry::Protocol(protocol) => protocol.fmt(f),
            MatchEntry::Field(field) => field.fmt(f),
            MatchEntry::Unknown(unknown) => unknown.fmt(f),
            MatchEntry::UnknownOxm(unknown) => unknown.fmt(f),
        }
    }
}

impl FieldMatch {
    /// The whole of `field` is `number`.
    pub fn exact(field: Field, number: u128) -> Self {
        FieldMatch {
            field,
            value: Value::Number(number),
            mask: None,
        }
    }
}

impl FieldMatch {
    /// The same, as text has it, which does not tell how long the option of a tunnel is.
    pub(crate) fn shortest(&self) -> Self {
        let Value::Wide(wide) = &self.value else {
            return self.clone();
        };
        let number = |bytes: &Vec<u8>| {
            let bytes = significant(bytes);
            (bytes.len() <= 16).then(|| {
                bytes
                    .iter()
                    .fold(0, |number, byte| number << 8 | u128::from(*byte))
            })
        };
        let mask = wide.mask.as_ref().map(number);
        match (number(&wide.value), mask) {
            (Some(value), None | Some(Some(_))) => FieldMatch {
                value: Value::Number(value),
                mask: mask.flatten(),
                ..*self
            },
            _ => FieldMatch {
                value: Value::Wide(Box::new(Wide {
                    value: significant(&wide.value).into(),
                    mask: wide.mask.as_deref().map(|mask| significant(mask).into()),
                })),
                ..*self
            },
        }
    }
}

/// Without zeros in front.
fn significant(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    &bytes[zeros..]
}

/// `nw_dst=10.0.0.0/8`, as a match prints it.
impl fmt::Display for FieldMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.field.info().printed)?;
        // The option must be there, whatever it is.
        if self.field.info().bits > 128 && self.mask == Some(0) {
            return Ok(());
        }
        f.write_str("=")?;
        print::value(f, self.field, &self.value, self.mask, print::Place::Match)
    }
}

impl Value {
    /// The number, unless it is a name.
    pub fn number(&self) -> Option<u128> {
        match self {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The name, if it is one.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Value::Name(name) => Some(name),
            _ => None,
        }
    }

    /// The low 32 bits as an IPv4 address.
    pub fn ipv4(&self) -> Option<Ipv4Addr> {
        self.number()
            .and_then(|n| u32::try_from(n).ok())
            .map(Ipv4Addr::from_bits)
    }

    /// The number as an IPv6 address.
    pub fn ipv6(&self) -> Option<Ipv6Addr> {
        self.number().map(Ipv6Addr::from_bits)
    }

    /// The number as an Ethernet address.
    pub fn eth_addr(&self) -> Option<EthAddr> {
        self.number()
            .filter(|n| *n <= Field::EthSrc.max())
            .map(EthAddr::from_bits)
    }
}

impl From<PortRef> for Value {
    fn from(port: PortRef) -> Self {
        match port {
            NumberOrName::Number(Port(number)) => Value::Number(number.into()),
            NumberOrName::Name(name) => Value::Name(name),
        }
    }
}

/// `0x1f`, `0x1f/0xff`.
impl fmt::Display for Wide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print::BytesHex(&self.value).fmt(f)?;
        match &self.mask {
            Some(mask) => write!(f, "/{}", print::BytesHex(mask)),
            None => Ok(()),
        }
    }
}

/// `key` or `key=value`, as it was written.
impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key)?;
        match &self.value {
            Some(value) => write!(f, "={value}"),
            None => Ok(()),
        }
    }
}

/// `32768:127=0x01/0xff`, or `65535:127:0x2320=0x01` of an experimenter: class, number, value and mask.
impl fmt::Display for UnknownOxm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.class, self.number)?;
        if self.class == 0xffff {
            write!(f, ":{:#x}", self.experimenter)?;
        }
        write!(f, "=0x")?;
        self.value.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        let Some(mask) = &self.mask else { return Ok(()) };
        write!(f, "/0x")?;
        mask.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The field of that name that the protocol has.
fn of_protocol(field: Field, proto: u128) -> Field {
    match (field, proto) {
        (Field::TcpSrc, 17) => Field::UdpSrc,
        (Field::TcpDst, 17) => Field::UdpDst,
        (Field::TcpSrc, 132) => Field::SctpSrc,
        (Field::TcpDst, 132) => Field::SctpDst,
        (Field::IcmpType, 58) => Field::Icmpv6Type,
        (Field::IcmpCode, 58) => Field::Icmpv6Code,
        _ => field,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_entry_of_a_field_counts() {
        let entry = |n| MatchEntry::Field(FieldMatch::exact(Field::Reg0, n));
        assert_eq!(Match(alloc::vec![entry(1), entry(2)]).exact(Field::Reg0), Some(2));
    }

    #[test]
    fn a_protocol_word_says_the_ethernet_type_and_the_ip_protocol() {
        let word = Protocol::from_word("tcp6").expect("a word of the table");
        let matches = Match(alloc::vec![MatchEntry::Protocol(word)]);
        assert_eq!(matches.exact(Field::EthType), Some(0x86dd));
        assert_eq!(matches.exact(Field::IpProto), Some(6));
        assert_eq!(matches.exact(Field::VlanTci), None);
    }

    #[test]
    fn a_partly_masked_field_is_not_exact() {
        let masked = FieldMatch {
            mask: Some(0x1000),
            ..FieldMatch::exact(Field::VlanTci, 0x1000)
        };
        let full = FieldMatch {
            mask: Some(0xffff),
            ..FieldMatch::exact(Field::VlanTci, 3)
        };
        assert_eq!(
            Match(alloc::vec![MatchEntry::Field(masked)]).exact(Field::VlanTci),
            None
        );
        assert_eq!(
            Match(alloc::vec![MatchEntry::Field(full)]).exact(Field::VlanTci),
            Some(3)
        );
    }
}
