//! IP, and what it carries.

use alloc::vec::Vec;

use crate::{
    model::{
        canonical::bits::{ICMP, ICMPV6, IPV4, IPV6, SCTP, TCP, UDP},
        field::Field,
        protocol::Protocol,
    },
    wire::packet::headers::{Fields, number},
};

/// The header of IPv4 or IPv6, those of extension included.
#[derive(Default)]
pub(super) struct Ip<'a> {
    eth_type: u128,
    /// The addresses, and the label of IPv6.
    addresses: Vec<(Field, u128)>,
    /// The protocol of the payload.
    pub(super) proto: u128,
    tos: u128,
    ttl: u128,
    frag: u128,
    /// Without padding behind it; nothing of a packet that is malformed.
    payload: &'a [u8],
}

impl<'a> Ip<'a> {
    pub(super) fn v4(bytes: &'a [u8]) -> Self {
        let (header, payload) = v4_header(bytes).unwrap_or((&[0; 20], &[]));
        let offset = number(&header[6..8]);
        Ip {
            eth_type: IPV4,
            addresses: [
                (Field::IpSrc, number(&header[12..16])),
                (Field::IpDst, number(&header[16..20])),
            ]
            .into(),
            proto: header[9].into(),
            tos: header[1].into(),
            ttl: header[8].into(),
            frag: match (offset & V4_OFFSET, offset & V4_MORE_FRAGMENTS) {
                (0, 0) => NO_FRAGMENT,
                (0, _) => FIRST_FRAGMENT,
                _ => LATER_FRAGMENT,
            },
            payload,
        }
    }

    pub(super) fn v6(bytes: &'a [u8]) -> Self {
        let (header, payload) = v6_header(bytes).unwrap_or((&[0; 40], &[]));
        let head = number(&header[..4]);
        let start = Ip {
            eth_type: IPV6,
            addresses: [
                (Field::Ipv6Src, number(&header[8..24])),
                (Field::Ipv6Dst, number(&header[24..])),
                (Field::Ipv6Label, head & V6_LABEL),
            ]
            .into(),
            proto: header[6].into(),
            tos: head >> 20 & 0xff,
            ttl: header[7].into(),
            frag: NO_FRAGMENT,
            payload,
        };
        let mut addresses = start.addresses.clone();
        start.behind_extensions().unwrap_or_else(|| {
            // Open vSwitch keeps the addresses only.
            addresses[2].1 = 0;
            Ip {
                eth_type: IPV6,
                addresses,
                ..Ip::default()
            }
        })
    }

    /// Skips the headers of extension; none are behind that of a later fragment.
    fn behind_extensions(mut self) -> Option<Self> {
        loop {
            let len = match (self.proto, self.payload) {
                (HOP_OPTIONS | ROUTING | DESTINATION_OPTIONS, [_, len, ..]) => 8 * (usize::from(*len) + 1),
                (AUTHENTICATION, [_, len, ..]) => 4 * (usize::from(*len) + 2),
                (FRAGMENT, _) => 8,
                (HOP_OPTIONS | ROUTING | DESTINATION_OPTIONS | AUTHENTICATION, _) => return None,
                _ => return Some(self),
            };
            let (header, payload) = self.payload.split_at_checked(len)?;
            let offset = number(header.get(2..4)?);
            if self.proto == FRAGMENT && offset != 0 {
                self.frag = FIRST_FRAGMENT;
            }
            let is_later = self.proto == FRAGMENT && offset & V6_OFFSET != 0;
            self.payload = payload;
            if is_later {
                self.frag = LATER_FRAGMENT;
                return Some(self);
            }
            self.proto = header[0].into();
        }
    }

    /// All fields; those that the word before them says only if it does not.
    pub(super) fn push(&self, word: Option<Protocol>, fields: &mut Fields) {
        for (field, value) in &self.addresses {
            fields.push(*field, *value);
        }
        if word.and_then(Protocol::ip_proto).is_none() {
            fields.push(Field::IpProto, self.proto);
        }
        fields.push(Field::NwTos, self.tos & !ECN);
        fields.push(Field::NwEcn, self.tos & ECN);
        fields.push(Field::NwTtl, self.ttl);
        fields.push(Field::IpFrag, self.frag);
        if self.frag != LATER_FRAGMENT {
            self.push_transport(fields);
        }
    }

    fn push_transport(&self, fields: &mut Fields) {
        let payload = self.payload;
        let (min_len, names) = match (self.eth_type, self.proto) {
            (_, TCP) => (20, [Field::TcpSrc, Field::TcpDst]),
            (_, UDP) => (8, [Field::UdpSrc, Field::UdpDst]),
            (_, SCTP) => (12, [Field::SctpSrc, Field::SctpDst]),
            (IPV4, ICMP) => (8, [Field::IcmpType, Field::IcmpCode]),
            (IPV6, ICMPV6) => (8, [Field::Icmpv6Type, Field::Icmpv6Code]),
            // Where they have no names of their own, type and code print as ports.
            (_, ICMP | ICMPV6 | IGMP) => (8, [Field::TcpSrc, Field::TcpDst]),
            _ => return,
        };
        let tcp_len = |payload: &[u8]| 4 * usize::from(payload[12] >> 4);
        let header = match payload.get(..min_len) {
            Some(header) if self.proto != TCP => header,
            Some(header) if (20..=payload.len()).contains(&tcp_len(header)) => header,
            _ => &[0; 20],
        };
        let is_of_ports = matches!(self.proto, TCP | UDP | SCTP);
        let [src, dst] = match is_of_ports {
            true => [number(&header[..2]), number(&header[2..4])],
            false => [header[0].into(), header[1].into()],
        };
        fields.push(names[0], src);
        fields.push(names[1], dst);
        if self.proto == TCP {
            fields.push(Field::TcpFlags, number(&header[12..14]) & TCP_FLAGS);
        }
        if let ([Field::Icmpv6Type, _], SOLICITATION | ADVERTISEMENT, 0) = (names, src, dst) {
            let [target, source_address, target_address] = neighbor(payload).unwrap_or_default();
            fields.push(Field::NdTarget, target);
            fields.push(Field::NdSll, source_address);
            fields.push(Field::NdTll, target_address);
        }
    }

    /// The checksum of the payload, and the name of its protocol. Open vSwitch takes it from later
    /// fragments of IPv4, too.
    pub(super) fn checksum(&self) -> Option<(&'static str, u128)> {
        let (name, min_len, at) = match self.proto {
            TCP => ("tcp", 20, 16..18),
            UDP => ("udp", 8, 6..8),
            SCTP => ("sctp", 12, 8..12),
            ICMP => ("icmp", 8, 2..4),
            ICMPV6 => ("icmp6", 4, 2..4),
            _ => return None,
        };
        Some((name, number(self.payload.get(..min_len)?.get(at)?)))
    }
}

/// The header without its options, and the payload, if their lengths are right.
fn v4_header(bytes: &[u8]) -> Option<(&[u8; 20], &[u8])> {
    let header: &[u8; 20] = bytes.first_chunk()?;
    let header_len = 4 * usize::from(header[0] & 0xf);
    let total_len = usize::from(u16::from_be_bytes([header[2], header[3]]));
    let payload = bytes.get(..total_len)?.get(header_len..)?;
    (header_len >= header.len()).then_some((header, payload))
}

/// The header and the payload, if its length is right.
fn v6_header(bytes: &[u8]) -> Option<(&[u8; 40], &[u8])> {
    let (header, payload) = bytes.split_first_chunk::<40>()?;
    let payload_len = usize::from(u16::from_be_bytes([header[4], header[5]]));
    Some((header, payload.get(..payload_len)?))
}

/// The target of neighbor discovery, and the link-layer addresses of its source and target (RFC 4861).
/// None of them if an address is there twice.
fn neighbor(payload: &[u8]) -> Option<[u128; 3]> {
    let (header, mut options) = payload.split_first_chunk::<24>()?;
    let mut found = [number(&header[8..]), 0, 0];
    while let [kind, len, ..] = options {
        let len = 8 * usize::from(*len);
        let Some((option, rest)) = options.split_at_checked(len).filter(|_| len != 0) else {
            break;
        };
        if let (1 | 2, 8) = (*kind, len) {
            let address = &mut found[usize::from(*kind)];
            if *address != 0 {
                return None;
            }
            *address = number(&option[2..]);
        }
        options = rest;
    }
    Some(found)
}

/// Protocols.
const IGMP: u128 = 2;
/// Headers of extension.
const HOP_OPTIONS: u128 = 0;
const ROUTING: u128 = 43;
const FRAGMENT: u128 = 44;
const AUTHENTICATION: u128 = 51;
const DESTINATION_OPTIONS: u128 = 60;
/// Types of ICMPv6.
const SOLICITATION: u128 = 135;
const ADVERTISEMENT: u128 = 136;
/// Parts of fields.
const V4_OFFSET: u128 = 0x1fff;
const V4_MORE_FRAGMENTS: u128 = 0x2000;
const V6_OFFSET: u128 = 0xfff8;
const V6_LABEL: u128 = 0xf_ffff;
const ECN: u128 = 3;
const TCP_FLAGS: u128 = 0xfff;
/// Values of [`Field::IpFrag`].
const NO_FRAGMENT: u128 = 0;
const FIRST_FRAGMENT: u128 = 1;
const LATER_FRAGMENT: u128 = 3;
