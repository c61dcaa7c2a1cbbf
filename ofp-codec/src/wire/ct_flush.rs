use alloc::vec::Vec;
use core::{fmt, net::Ipv6Addr};

use crate::model::print::{BytesHex, Hex};
use crate::wire::{
    error::{DecodeError, EncodeError, Fault},
    message::Message,
    property::{Property, check_property},
    read::Reader,
    write::Writer,
};

/// `NXT_CT_FLUSH` (`struct nx_ct_flush`): which connections the switch is to forget. `ip_proto u8`, seven zeros,
/// and properties; those that are not known are kept.
///
/// ```
/// use ofp_codec::{Version, wire::{CtFlush, CtTuple, Message, MessageKind}};
///
/// let flush = CtFlush {
///     ip_proto: 6,
///     original: CtTuple { dst: "::ffff:10.0.0.1".parse()?, ports: [0, 80], ..CtTuple::default() },
///     zone: Some(5),
///     ..CtFlush::default()
/// };
/// let mut bytes = Vec::new();
/// MessageKind::CtFlush.encode(Version::V1_3, 1, &mut bytes, |writer| flush.encode(writer))?;
/// assert_eq!(CtFlush::decode(&Message::parse(&bytes)?)?, flush);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CtFlush {
    /// The IP protocol; 0 is any.
    pub ip_proto: u8,
    /// What the packets of the side that began look like.
    pub original: CtTuple,
    /// What those of the other side look like.
    pub reply: CtTuple,
    /// The zone. `None`: each.
    pub zone: Option<u16>,
    /// The mark, and the bits of it that count; Open vSwitch has it since release 3.3, and older ones flush whatever the
    /// mark is.
    pub mark: Option<(u32, u32)>,
    /// The labels, and the bits of them that count; as the mark.
    pub labels: Option<(u128, u128)>,
    /// The properties that are not known.
    pub other: Vec<Property>,
}

/// The addresses and ports of one direction of a connection. Zeros are not looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CtTuple {
    /// From where; one of IPv4 is mapped (`::ffff:10.0.0.1`).
    pub src: Ipv6Addr,
    /// Where to.
    pub dst: Ipv6Addr,
    /// The ports. Of ICMP these are its id, and its code and type in a byte each.
    pub ports: [u16; 2],
    /// The properties that are not known.
    pub other: Vec<Property>,
}

impl Default for CtTuple {
    fn default() -> Self {
        CtTuple {
            src: Ipv6Addr::UNSPECIFIED,
            dst: Ipv6Addr::UNSPECIFIED,
            ports: [0; 2],
            other: Vec::new(),
        }
    }
}

impl CtFlush {
    /// Reads it (`ofp_ct_match_decode` in lib/ofp-ct.c).
    ///
    /// # Errors
    ///
    /// If what must be zero is not (`NXBRC_MUST_BE_ZERO`), a property is too short (`OFPBPC_BAD_LEN`), or one
    /// address is of IPv4 and another is not (`OFPBPC_BAD_VALUE`).
    pub fn decode(message: &Message<'_>) -> Result<Self, DecodeError> {
        Self::read(message, Unknown::Kept)
    }

    /// The same, with the error of Open vSwitch since release 3.3 for a property that is not known.
    pub(super) fn decode_known(message: &Message<'_>) -> Result<Self, DecodeError> {
        Self::read(message, Unknown::Refused)
    }

    fn read(message: &Message<'_>, unknown: Unknown) -> Result<Self, DecodeError> {
        let mut body = message.body();
        let mut flush = CtFlush {
            ip_proto: body.u8(WHAT)?,
            ..CtFlush::default()
        };
        let at = body.named("NXBRC_MUST_BE_ZERO");
        if let Some(byte) = body.bytes(7, WHAT)?.iter().find(|byte| **byte != 0) {
            return Err(at.error(WHAT, Fault::Value((*byte).into())));
        }
        let mut is_ipv4 = None;
        let (mut mark, mut labels) = ((None, None), (None, None));
        while !body.is_empty() {
            let mut whole = body;
            let (kind, mut value) = check_property(&mut body, EXPERIMENTER)?;
            match kind {
                ORIGINAL => flush.original.decode(value, &mut is_ipv4, unknown)?,
                REPLY => flush.reply.decode(value, &mut is_ipv4, unknown)?,
                ZONE => flush.zone = Some(value.u16("zone")?),
                MARK => mark.0 = Some(u32::from_be_bytes(exactly(value)?)),
                MARK_MASK => mark.1 = Some(u32::from_be_bytes(exactly(value)?)),
                LABELS => labels.0 = Some(u128::from_be_bytes(exactly(value)?)),
                LABELS_MASK => labels.1 = Some(u128::from_be_bytes(exactly(value)?)),
                _ => flush.other.push(unknown.take(kind, &mut whole)?),
            }
        }
        flush.mark = masked(mark, u32::MAX);
        flush.labels = masked(labels, u128::MAX);
        Ok(flush)
    }

    /// Whether releases before 3.3 would flush more than is asked for: they pass over the mark and the labels.
    pub fn needs_release_3_3(&self) -> bool {
        self.mark.is_some() || self.labels.is_some()
    }

    /// Writes the body as Open vSwitch does.
    ///
    /// # Errors
    ///
    /// None today; a property has room for all of it.
    pub fn encode(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        writer.u8(self.ip_proto);
        writer.zeros(7);
        for (kind, tuple) in [(ORIGINAL, &self.original), (REPLY, &self.reply)] {
            let mut value = alloc::vec![0; 4];
            tuple.encode(is_icmp(self.ip_proto), &mut Writer::new(&mut value))?;
            if value.len() > 4 {
                Property::new(kind, &value).encode(writer)?;
            }
        }
        let zone = self.zone.map(|zone| number(ZONE, zone));
        let mut values: Vec<Property> = zone.into_iter().collect();
        if let Some((mark, mask)) = self.mark {
            values.push(Property::new(MARK, &mark.to_be_bytes()));
            values.push(Property::new(MARK_MASK, &mask.to_be_bytes()));
        }
        if let Some((labels, mask)) = self.labels {
            values.push(Property::new(LABELS, &labels.to_be_bytes()));
            values.push(Property::new(LABELS_MASK, &mask.to_be_bytes()));
        }
        let mut behind = values.iter().chain(&self.other);
        behind.try_for_each(|property| property.encode(writer))
    }

    /// Whether the addresses are of IPv4, as far as there are any.
    fn is_ipv4(&self) -> bool {
        let addresses = [
            self.reply.dst,
            self.reply.src,
            self.original.dst,
            self.original.src,
        ];
        let first = addresses.iter().find(|addr| !addr.is_unspecified());
        first.is_some_and(|addr| addr.to_ipv4_mapped().is_some())
    }
}

/// What becomes of properties that are not known.
#[derive(Clone, Copy)]
enum Unknown {
    Kept,
    Refused,
}

impl Unknown {
    fn take(self, kind: u16, whole: &mut Reader<'_>) -> Result<Property, DecodeError> {
        let name = match kind {
            EXPERIMENTER => "OFPBPC_BAD_EXPERIMENTER",
            _ => "OFPBPC_BAD_TYPE",
        };
        match self {
            Unknown::Kept => Property::decode(whole),
            Unknown::Refused => Err(whole.named(name).error("property", Fault::Value(kind.into()))),
        }
    }
}

impl CtTuple {
    /// Reads properties behind four bytes of padding.
    fn decode(
        &mut self,
        mut value: Reader<'_>,
        is_ipv4: &mut Option<bool>,
        unknown: Unknown,
    ) -> Result<(), DecodeError> {
        value.bytes(4, "padding")?;
        let [port, other] = &mut self.ports;
        while !value.is_empty() {
            let mut whole = value;
            let (kind, mut value) = check_property(&mut value, EXPERIMENTER)?;
            match kind {
                SRC => self.src = address(&mut value, is_ipv4)?,
                DST => self.dst = address(&mut value, is_ipv4)?,
                SRC_PORT | ICMP_ID => *port = value.u16("port")?,
                DST_PORT => *other = value.u16("port")?,
                ICMP_TYPE => *other = *other & 0xff00 | u16::from(value.u8("ICMP type")?),
                ICMP_CODE => *other = *other & 0x00ff | u16::from(value.u8("ICMP code")?) << 8,
                _ => self.other.push(unknown.take(kind, &mut whole)?),
            }
        }
        Ok(())
    }

    fn encode(&self, is_icmp: bool, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let address = |kind, addr: Ipv6Addr| Property::new(kind, &addr.octets());
        let [port, other] = self.ports;
        let mut all = Vec::new();
        for (kind, addr) in [(SRC, self.src), (DST, self.dst)] {
            if !addr.is_unspecified() {
                all.push(address(kind, addr));
            }
        }
        if is_icmp {
            let [code, kind] = other.to_be_bytes();
            all.extend([
                number(ICMP_ID, port),
                Property::new(ICMP_TYPE, &[kind]),
                Property::new(ICMP_CODE, &[code]),
            ]);
        } else {
            let ports = [(SRC_PORT, port), (DST_PORT, other)];
            let there = ports.into_iter().filter(|(_, port)| *port != 0);
            all.extend(there.map(|(kind, port)| number(kind, port)));
        }
        all.iter()
            .chain(&self.other)
            .try_for_each(|property| property.encode(writer))
    }

    fn print(&self, f: &mut fmt::Formatter<'_>, flush: &CtFlush) -> fmt::Result {
        let family = if flush.is_ipv4() { "ct_nw" } else { "ct_ipv6" };
        let (src, dst) = (self.src.to_canonical(), self.dst.to_canonical());
        let [port, other] = self.ports;
        write!(f, "{family}_src={src},{family}_dst={dst}")?;
        if is_icmp(flush.ip_proto) {
            let [code, kind] = other.to_be_bytes();
            write!(f, ",icmp_id={port},icmp_type={kind},icmp_code={code}")
        } else {
            write!(f, ",ct_tp_src={port},ct_tp_dst={other}")
        }
    }
}

/// As `ovs-ofctl` prints it.
impl fmt::Display for CtFlush {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " zone={} ", self.zone.unwrap_or(0))?;
        if let Some((mark, mask)) = self.mark.filter(|(_, mask)| *mask != 0) {
            write!(f, "mark={}", Hex(mark.into()))?;
            if mask != u32::MAX {
                write!(f, "/{}", Hex(mask.into()))?;
            }
            f.write_str(" ")?;
        }
        if let Some((labels, mask)) = self.labels.filter(|(_, mask)| *mask != 0) {
            write!(f, "labels={}", BytesHex(&labels.to_be_bytes()))?;
            if mask != u128::MAX {
                write!(f, "/{}", BytesHex(&mask.to_be_bytes()))?;
            }
            f.write_str(" ")?;
        }
        f.write_str("'")?;
        self.original.print(f, self)?;
        write!(f, ",ct_nw_proto={}' '", self.ip_proto)?;
        self.reply.print(f, self)?;
        write!(f, "'")
    }
}

/// An address; all of a message are of one family.
fn address(value: &mut Reader<'_>, is_ipv4: &mut Option<bool>) -> Result<Ipv6Addr, DecodeError> {
    let at = value.named("OFPBPC_BAD_VALUE");
    let addr = Ipv6Addr::from(value.array::<16>("address")?);
    let found = (!addr.is_unspecified()).then(|| addr.to_ipv4_mapped().is_some());
    if is_ipv4.is_some() && found.is_some() && *is_ipv4 != found {
        return Err(at.error("address", Fault::Combination));
    }
    *is_ipv4 = found;
    Ok(addr)
}

/// A value and its mask; without one all bits count.
fn masked<T: Default>((value, mask): (Option<T>, Option<T>), all: T) -> Option<(T, T)> {
    match (value, mask) {
        (None, None) => None,
        (value, mask) => Some((value.unwrap_or_default(), mask.unwrap_or(all))),
    }
}

/// All of a property, which has this length.
fn exactly<const N: usize>(mut value: Reader<'_>) -> Result<[u8; N], DecodeError> {
    let fault = Fault::Length {
        wanted: N,
        got: value.len(),
    };
    match value.len() == N {
        true => value.array(WHAT),
        false => Err(value.named("OFPBPC_BAD_LEN").error(WHAT, fault)),
    }
}

/// A number with two bytes behind it.
fn number(kind: u16, number: u16) -> Property {
    let [a, b] = number.to_be_bytes();
    Property::new(kind, &[a, b, 0, 0])
}

fn is_icmp(ip_proto: u8) -> bool {
    [1, 58].contains(&ip_proto)
}

const WHAT: &str = "flush of connections";
const EXPERIMENTER: u16 = 0xffff;
// `enum nx_ct_flush_tlv_type`.
const ORIGINAL: u16 = 0;
const REPLY: u16 = 1;
const ZONE: u16 = 2;
const MARK: u16 = 3;
const MARK_MASK: u16 = 4;
const LABELS: u16 = 5;
const LABELS_MASK: u16 = 6;
// `enum nx_ct_flush_tuple_tlv_type`.
const SRC: u16 = 0;
const DST: u16 = 1;
const SRC_PORT: u16 = 2;
const DST_PORT: u16 = 3;
const ICMP_ID: u16 = 4;
const ICMP_TYPE: u16 = 5;
const ICMP_CODE: u16 = 6;
