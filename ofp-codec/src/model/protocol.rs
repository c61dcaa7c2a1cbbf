use core::fmt;

use crate::model::field::Field;

/// A word that stands for an Ethernet type and perhaps an IP protocol: `tcp6`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Protocol {
    word: &'static str,
    eth_type: u16,
    ip_proto: Option<u8>,
}

impl Protocol {
    /// The protocol of a word: `ip`, `arp`, `tcp6`.
    pub fn from_word(word: &str) -> Option<Self> {
        Protocol::from_bytes(word.as_bytes())
    }

    pub(crate) fn from_bytes(word: &[u8]) -> Option<Self> {
        // The longest word has five letters.
        if word.len() > 5 {
            return None;
        }
        // Few begin with the same letter, and a call of `memcmp` costs more.
        let known = |protocol: &&Protocol| {
            let known = protocol.word.as_bytes();
            known.first() == word.first() && known == word
        };
        PROTOCOLS.iter().find(known).copied()
    }

    /// The word that Open vSwitch has for an Ethernet type, and for an IP protocol that has one of its own.
    pub(crate) fn of(eth_type: u128, ip_proto: Option<u128>) -> Option<Self> {
        let find = |proto: Option<u128>| {
            PROTOCOLS.into_iter().find(|known| {
                u128::from(known.eth_type) == eth_type && known.ip_proto.map(u128::from) == proto
            })
        };
        find(ip_proto).or_else(|| find(None))
    }

    /// The word.
    pub fn word(self) -> &'static str {
        self.word
    }

    /// The Ethernet type.
    pub fn eth_type(self) -> u16 {
        self.eth_type
    }

    /// The IP protocol.
    pub fn ip_proto(self) -> Option<u8> {
        self.ip_proto
    }

    /// What it says of a field.
    pub(crate) fn implies(self, field: Field) -> Option<u128> {
        match field {
            Field::EthType => Some(self.eth_type.into()),
            Field::IpProto => self.ip_proto.map(u128::from),
            _ => None,
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word)
    }
}

const fn protocol(word: &'static str, eth_type: u16, ip_proto: Option<u8>) -> Protocol {
    Protocol {
        word,
        eth_type,
        ip_proto,
    }
}

// `ofp_parse_protocol` in lib/ofp-parse.c.
const PROTOCOLS: [Protocol; 17] = [
    protocol("ip", 0x0800, None),
    protocol("ipv4", 0x0800, None),
    protocol("ip4", 0x0800, None),
    protocol("arp", 0x0806, None),
    protocol("icmp", 0x0800, Some(1)),
    protocol("tcp", 0x0800, Some(6)),
    protocol("udp", 0x0800, Some(17)),
    protocol("sctp", 0x0800, Some(132)),
    protocol("ipv6", 0x86dd, None),
    protocol("ip6", 0x86dd, None),
    protocol("icmp6", 0x86dd, Some(58)),
    protocol("tcp6", 0x86dd, Some(6)),
    protocol("udp6", 0x86dd, Some(17)),
    protocol("sctp6", 0x86dd, Some(132)),
    protocol("rarp", 0x8035, None),
    protocol("mpls", 0x8847, None),
    protocol("mplsm", 0x8848, None),
];
