use alloc::{format, vec::Vec};
use core::fmt;

use crate::{
    model::{
        action::encap::PacketType,
        canonical::bits::{ARP, IPV4, IPV6, MPLS, MPLS_MULTICAST, NSH, RARP, VID},
        field::Field,
        matches::{FieldMatch, Match, MatchEntry, Unknown},
        protocol::Protocol,
    },
    wire::packet::headers::ip::Ip,
};

mod ip;

/// A packet as bytes, to look at.
///
/// [`PacketIn::packet`](crate::wire::PacketIn::packet) and
/// [`PacketOut::packet`](crate::wire::PacketOut::packet) give that of a message. It prints as `ovs-ofctl`
/// prints it: its [`fields`](Self::fields), and the checksum of its transport, which is not verified.
///
/// ```
/// use ofp_codec::{Field, wire::Packet};
///
/// let arp = b"\xff\xff\xff\xff\xff\xff\x02\0\0\0\0\x01\x08\x06\0\x01\x08\0\x06\x04\0\x01\
///     \x02\0\0\0\0\x01\x0a\0\0\x01\0\0\0\0\0\0\x0a\0\0\x02";
/// let packet = Packet::ethernet(arp);
/// assert_eq!(
///     packet.to_string(),
///     "arp,vlan_tci=0x0000,dl_src=02:00:00:00:00:01,dl_dst=ff:ff:ff:ff:ff:ff,\
///      arp_spa=10.0.0.1,arp_tpa=10.0.0.2,arp_op=1,\
///      arp_sha=02:00:00:00:00:01,arp_tha=00:00:00:00:00:00"
/// );
/// assert_eq!(packet.fields().exact(Field::ArpTpa), Some(0x0a00_0002));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// What its bytes begin with.
    pub kind: PacketType,
    /// Its bytes.
    pub bytes: &'a [u8],
}

impl<'a> Packet<'a> {
    /// A packet that begins with an Ethernet header.
    pub fn ethernet(bytes: &'a [u8]) -> Self {
        let kind = PacketType::ETHERNET;
        Packet { kind, bytes }
    }

    /// What a flow can match of its headers, in the order in which Open vSwitch prints it.
    ///
    /// Of a header that is cut off or malformed all fields are 0, and what is behind it is not looked at
    /// (`flow_extract` in lib/flow.c). A second VLAN tag and the MPLS labels below the first, for which
    /// there are no fields, are [`MatchEntry::Unknown`] under the names that Open vSwitch prints.
    pub fn fields(&self) -> Match {
        self.dissect().0
    }

    /// The fields, and the IP header if there is one.
    fn dissect(&self) -> (Match, Option<Ip<'a>>) {
        let (eth_type, link, payload) = self.link();
        let ip = match eth_type {
            IPV4 => Some(Ip::v4(payload)),
            IPV6 => Some(Ip::v6(payload)),
            _ => None,
        };
        let is_ethernet = self.kind == PacketType::ETHERNET;
        let proto = ip.as_ref().map(|ip| ip.proto);
        let word = Protocol::of(eth_type, proto).filter(|_| is_ethernet);
        let mut fields = Fields(Vec::new());
        fields.0.extend(word.map(MatchEntry::Protocol));
        fields.0.extend(link.0);
        if is_ethernet && word.is_none() {
            fields.push(Field::EthType, eth_type);
        }
        match (eth_type, &ip) {
            (_, Some(ip)) => ip.push(word, &mut fields),
            (ARP | RARP, _) => fields.arp(payload),
            (MPLS | MPLS_MULTICAST, _) => fields.mpls(payload),
            (NSH, _) => fields.nsh(payload),
            _ => {}
        }
        if !is_ethernet && self.kind.namespace != ETH_TYPES {
            // To Open vSwitch the type of another name space is an Ethernet type in part only (`get_dl_type`
            // in lib/flow.h).
            let hidden = [Field::TcpFlags, Field::NdTarget, Field::NdSll, Field::NdTll];
            fields
                .0
                .retain(|entry| !matches!(entry, MatchEntry::Field(found) if hidden.contains(&found.field)));
        }
        (Match(fields.0), ip)
    }

    /// The Ethernet type, the fields before it, and what is behind it.
    fn link(&self) -> (u128, Fields, &'a [u8]) {
        let mut fields = Fields(Vec::new());
        if self.kind != PacketType::ETHERNET {
            let (namespace, kind) = (u128::from(self.kind.namespace), u128::from(self.kind.kind));
            fields.push(Field::PacketType, namespace << 16 | kind);
            return (kind, fields, self.bytes);
        }
        let Some((addresses, mut tagged)) = self
            .bytes
            .split_at_checked(12)
            .filter(|(_, rest)| rest.len() >= 2)
        else {
            fields.ethernet(&[], &[0; 12]);
            return (0, fields, &[]);
        };
        let mut tags = Vec::new();
        while let [0x81, 0x00, tag @ ..] | [0x88, 0xa8, tag @ ..] = tagged {
            if tags.len() == 2 || tag.len() < 4 {
                break;
            }
            tags.push(number(&tag[..2]));
            tagged = &tag[2..];
        }
        fields.ethernet(&tags, addresses);
        let (eth_type, payload) = tagged.split_at(2);
        match number(eth_type) {
            // A length; a header of 802.2 follows.
            0..MIN_ETH_TYPE => match payload.strip_prefix(&SNAP) {
                Some([high, low, payload @ ..]) if *high >= 6 => (number(&[*high, *low]), fields, payload),
                _ => (NOT_ETH_TYPE, fields, payload),
            },
            eth_type => (eth_type, fields, payload),
        }
    }
}

/// As `ovs-ofctl` prints it.
impl fmt::Display for Packet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (fields, ip) = self.dissect();
        write!(f, "{fields}")?;
        match ip.and_then(|ip| ip.checksum()) {
            Some((name, checksum)) => write!(f, " {name}_csum:{checksum:x}"),
            None => Ok(()),
        }
    }
}

/// What is known of a packet, as far as it is read.
struct Fields(Vec<MatchEntry>);

impl Fields {
    fn push(&mut self, field: Field, value: u128) {
        self.0.push(MatchEntry::Field(FieldMatch::exact(field, value)));
    }

    /// What is no field of its own here.
    fn unknown(&mut self, key: &str, value: &dyn fmt::Display) {
        self.0.push(MatchEntry::Unknown(Unknown {
            key: key.into(),
            value: Some(format!("{value}").into()),
        }));
    }

    /// The tags, two at most, and the addresses. That there is no further tag is said, too.
    fn ethernet(&mut self, tags: &[u128], addresses: &[u8]) {
        match tags {
            [] => self.push(Field::VlanTci, 0),
            [first, rest @ ..] => {
                self.push(Field::DlVlan, first & VID);
                self.push(Field::DlVlanPcp, first >> 13);
                match rest {
                    [] => self.unknown("vlan_tci1", &"0x0000"),
                    [second, ..] => {
                        self.unknown("dl_vlan1", &(second & VID));
                        self.unknown("dl_vlan_pcp1", &(second >> 13));
                    }
                }
            }
        }
        self.push(Field::EthSrc, number(&addresses[6..]));
        self.push(Field::EthDst, number(&addresses[..6]));
    }

    /// ARP for IPv4 on Ethernet.
    fn arp(&mut self, bytes: &[u8]) {
        let header = bytes
            .first_chunk::<28>()
            .filter(|header| header.starts_with(&[0, 1, 8, 0, 6, 4]))
            .unwrap_or(&[0; 28]);
        self.push(Field::ArpSpa, number(&header[14..18]));
        self.push(Field::ArpTpa, number(&header[24..28]));
        let operation = number(&header[6..8]);
        self.push(Field::ArpOp, if operation > 0xff { 0 } else { operation });
        self.push(Field::ArpSha, number(&header[8..14]));
        self.push(Field::ArpTha, number(&header[18..24]));
    }

    /// The labels down to the bottom of the stack, three at most.
    fn mpls(&mut self, bytes: &[u8]) {
        let label = |n: usize| bytes.get(4 * n..4 * n + 4).map_or(0, number);
        let [first, second, third] = [0, 1, 2].map(label);
        let is_bottom = |label| label & BOTTOM_OF_STACK != 0;
        self.push(Field::MplsLabel, first >> 12);
        self.push(Field::MplsTc, first >> 9 & 7);
        self.push(Field::MplsTtl, first & 0xff);
        self.push(Field::MplsBos, first >> 8 & 1);
        if !is_bottom(first) {
            self.unknown("mpls_lse1", &second);
            if !is_bottom(second) {
                self.unknown("mpls_lse2", &third);
            }
        }
    }

    /// The header of RFC 8300; metadata of type 2 is not looked at. Open vSwitch prints the fields of IP
    /// behind it, all 0.
    fn nsh(&mut self, bytes: &[u8]) {
        let header = nsh_header(bytes).unwrap_or(&[0; 8]);
        let head = number(&header[..2]);
        self.push(Field::NshFlags, head >> 12 & 3);
        self.push(Field::NshTtl, head >> 6 & 0x3f);
        self.push(Field::NshMdtype, header[2].into());
        self.push(Field::NshNp, header[3].into());
        self.push(Field::NshSpi, number(&header[4..7]));
        self.push(Field::NshSi, header[7].into());
        if header[2] == 1 {
            let contexts = [Field::NshC1, Field::NshC2, Field::NshC3, Field::NshC4];
            for (field, context) in contexts.into_iter().zip(header[8..].chunks(4)) {
                self.push(field, number(context));
            }
        }
        Ip::default().push(None, self);
    }
}

/// The header, as long as it says, if that is right for its metadata.
fn nsh_header(bytes: &[u8]) -> Option<&[u8]> {
    let base: &[u8; 8] = bytes.first_chunk()?;
    let header = bytes.get(..4 * usize::from(base[1] & 0x3f))?;
    let is_right = match base[2] {
        1 => header.len() == 24,
        2 => header.len() >= 8,
        _ => true,
    };
    let header = if header.len() < 8 { &base[..] } else { header };
    (is_right && base[0] >> 6 == 0).then_some(header)
}

/// The number in these bytes, most significant byte first.
fn number(bytes: &[u8]) -> u128 {
    bytes
        .iter()
        .fold(0, |number, byte| number << 8 | u128::from(*byte))
}

/// The name space of packets that begin with what the Ethernet type says.
const ETH_TYPES: u16 = 1;
/// What is less than this is a length (IEEE 802.3).
const MIN_ETH_TYPE: u128 = 0x600;
/// A packet without an Ethernet type (`FLOW_DL_TYPE_NONE` in include/openvswitch/flow.h).
const NOT_ETH_TYPE: u128 = 0x5ff;
/// The headers of 802.2 and SNAP in front of an Ethernet type.
const SNAP: [u8; 6] = [0xaa, 0xaa, 3, 0, 0, 0];
/// Of a label.
const BOTTOM_OF_STACK: u128 = 0x100;
