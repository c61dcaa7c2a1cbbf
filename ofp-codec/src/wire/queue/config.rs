use alloc::{string::String, vec::Vec};
use core::fmt::Write as _;

use crate::{
    model::{port::Port, version::Version},
    wire::{
        entries::{BadEntry, Entries, Entry},
        error::{DecodeError, EncodeError, Fault},
        message::Message,
        port::{decode_port, encode_port},
        property::{Property, check_property},
        read::Reader,
        write::Writer,
    },
};

/// How a queue is configured: an entry of `OFPMP_QUEUE_DESC` since OpenFlow 1.4 and of
/// `OFPT_QUEUE_GET_CONFIG_REPLY` before.
///
/// The entry has 16 bytes (8 before OpenFlow 1.2) and properties; padding is written as zeros.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueConfig {
    /// The port of the queue.
    pub port: Port,
    /// The number of the queue at its port.
    pub queue: u32,
    /// What is configured. Before OpenFlow 1.4 the value begins with four bytes of padding.
    pub properties: Vec<Property>,
}

impl QueueConfig {
    /// A queue with these rates, in tenths of a percent of the rate of its port.
    pub fn new(
        port: Port,
        queue: u32,
        min_rate: Option<u16>,
        max_rate: Option<u16>,
        version: Version,
    ) -> Self {
        let property = |kind, rate: Option<u16>| {
            let [a, b] = rate?.to_be_bytes();
            Some(match version >= Version::V1_4 {
                true => Property::new(kind, &[a, b, 0, 0]),
                false => Property::new(kind, &[0, 0, 0, 0, a, b, 0, 0, 0, 0, 0, 0]),
            })
        };
        let rates = [property(MIN_RATE, min_rate), property(MAX_RATE, max_rate)];
        QueueConfig {
            port,
            queue,
            properties: rates.into_iter().flatten().collect(),
        }
    }

    /// The rate that it has at least, in tenths of a percent; more than 1000 is none.
    pub fn min_rate(&self, version: Version) -> Option<u16> {
        self.rate(MIN_RATE, version)
    }

    /// The rate that it has at most.
    pub fn max_rate(&self, version: Version) -> Option<u16> {
        self.rate(MAX_RATE, version)
    }

    fn rate(&self, kind: u16, version: Version) -> Option<u16> {
        let at = if version >= Version::V1_4 { 0 } else { 4 };
        let mut properties = self.properties.iter().rev();
        let value = &properties.find(|property| property.kind == kind)?.value;
        value.get(at..at + 2)?.try_into().ok().map(u16::from_be_bytes)
    }

    /// The queues of a reply of the kind `QueueDescReply` or `QueueGetConfigReply`; one that is malformed
    /// costs only itself.
    ///
    /// # Errors
    ///
    /// If the port is none that all queues of a `QueueGetConfigReply` have.
    pub fn entries<'a>(
        message: &Message<'a>,
    ) -> Result<impl Iterator<Item = Result<QueueConfig, BadEntry<'a>>>, DecodeError> {
        let version = message.header().version;
        let mut body = message.body();
        let port = match version {
            Version::V1_0 => {
                let port = Port::from_text_number(body.u16("port")?.into());
                body.bytes(6, "padding")?;
                Some(port)
            }
            Version::V1_1 | Version::V1_2 | Version::V1_3 => {
                let port = decode_port(&mut { body });
                body.u64("port")?;
                // Without queues nothing looks at the port.
                match port {
                    Err(error) if !body.is_empty() => return Err(error),
                    port => port.ok(),
                }
            }
            _ => None,
        };
        let entries = Entries::<QueueConfig>::new(body, version);
        Ok(entries.map(move |queue| {
            queue.map(|queue| QueueConfig {
                port: port.unwrap_or(queue.port),
                ..queue
            })
        }))
    }

    /// Writes the body of a `QueueGetConfigReply` or `QueueDescReply` with these queues; `port` is that of
    /// all of them, which only the former has.
    ///
    /// # Errors
    ///
    /// [`EncodeError::OutOfRange`] for a port that OpenFlow 1.0 has no number for, [`EncodeError::TooLong`]
    /// for properties of more than 64 KiB.
    pub fn encode_reply(
        port: Port,
        queues: &[QueueConfig],
        version: Version,
        writer: &mut Writer<'_>,
    ) -> Result<(), EncodeError> {
        if version < Version::V1_4 {
            encode_port(port, version, writer)?;
            writer.zeros(if version == Version::V1_0 { 6 } else { 4 });
        }
        queues.iter().try_for_each(|queue| queue.encode(version, writer))
    }

    fn encode(&self, version: Version, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let start = writer.len();
        match version {
            Version::V1_0 | Version::V1_1 => writer.u32(self.queue),
            Version::V1_2 | Version::V1_3 => {
                writer.u32(self.queue);
                writer.u32(self.port.0);
            }
            _ => {
                writer.u32(self.port.0);
                writer.u32(self.queue);
            }
        }
        let len_at = writer.len();
        writer.zeros(head_len(version) - (len_at - start));
        self.properties
            .iter()
            .try_for_each(|property| property.encode(writer))?;
        writer.fill_len(len_at, start, "queue")
    }
}

impl<'a> Entry<'a> for QueueConfig {
    const WHAT: &'static str = "queue";

    fn len(reader: Reader<'a>, version: Version) -> Result<usize, DecodeError> {
        let head = head_len(version);
        let mut left = { reader }.part(head, Self::WHAT)?;
        left.bytes(head / 2, "queue")?;
        let len = usize::from(left.u16("length")?);
        if len >= head && len % 8 == 0 && len <= reader.len() {
            return Ok(len);
        }
        if version >= Version::V1_4 {
            // Of two faults Open vSwitch finds that of the port first.
            decode_port(&mut { reader })?;
        }
        Err(reader.error(
            "length",
            Fault::Length {
                wanted: head,
                got: len,
            },
        ))
    }

    fn decode(mut entry: Reader<'a>, version: Version) -> Result<Self, DecodeError> {
        let mut head = entry.part(head_len(version), Self::WHAT)?;
        let (port, queue) = match version {
            Version::V1_4 | Version::V1_5 => (decode_port(&mut head)?, head.u32("queue")?),
            _ => (Port::ANY, head.u32("queue")?),
        };
        let mut left = entry;
        while !left.is_empty() {
            check_rate(&mut left, version)?;
        }
        Ok(QueueConfig {
            port,
            queue,
            properties: Property::decode_all(entry)?,
        })
    }
}

/// Checks a property as Open vSwitch does.
fn check_rate(reader: &mut Reader<'_>, version: Version) -> Result<(), DecodeError> {
    let at = *reader;
    let bad = |at: Reader<'_>, wanted, got| at.error("queue property", Fault::Length { wanted, got });
    if version >= Version::V1_4 {
        let (kind, value) = check_property(reader, u16::MAX)?;
        return match value.len() < 2 && [MIN_RATE, MAX_RATE].contains(&kind) {
            true => Err(bad(value, 2, value.len())),
            false => Ok(()),
        };
    }
    let mut head = at;
    let kind = head.u16("queue property")?;
    let len = usize::from(head.u16("queue property")?);
    let rate = [MIN_RATE, MAX_RATE].contains(&kind);
    if len < 8 || len % 8 != 0 || rate && len != RATE_LEN {
        return Err(bad(at, RATE_LEN, len));
    }
    reader.bytes(len, "queue property").map(drop)
}

/// The queues as `ovs-ofctl queue-get-config` prints them, by port and number.
pub(crate) fn write_queues(text: &mut String, queues: &mut [QueueConfig], version: Version) {
    queues.sort_by_key(|queue| (queue.port.0 & 0xffff, queue.queue));
    text.push(' ');
    let mut port = Port(0);
    for queue in queues {
        if queue.port != port {
            port = queue.port;
            let _ = writeln!(text, "port={port}");
        }
        let _ = write!(text, "queue {}:", queue.queue);
        let (min_rate, max_rate) = (queue.min_rate(version), queue.max_rate(version));
        for (name, rate) in [("min_rate", min_rate), ("max_rate", max_rate)] {
            let _ = match rate {
                Some(rate @ ..=1000) => write!(text, " {name}:{}.{}%", rate / 10, rate % 10),
                None | Some(u16::MAX) => Ok(()),
                Some(_) => write!(text, " {name}:(disabled)"),
            };
        }
        text.push('\n');
    }
}

/// The bytes of an entry before its properties: `struct ofp10_packet_queue`, then `ofp12_packet_queue`
/// and `ofp14_queue_desc`.
fn head_len(version: Version) -> usize {
    if version < Version::V1_2 { 8 } else { 16 }
}

const MIN_RATE: u16 = 1;
const MAX_RATE: u16 = 2;

/// The bytes of a rate before OpenFlow 1.4: `struct ofp10_queue_prop_rate`.
const RATE_LEN: usize = 16;
