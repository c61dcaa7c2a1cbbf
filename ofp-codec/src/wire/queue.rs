use core::{fmt, time::Duration};

use crate::{
    model::{port::Port, print::Elapsed, version::Version},
    wire::{
        counter::{Counters, decode_counter, decode_duration, encode_counter, encode_duration},
        entries::Entry,
        error::{DecodeError, EncodeError},
        port::{decode_port, encode_port},
        read::Reader,
        write::Writer,
    },
};

mod config;

pub use config::QueueConfig;
pub(crate) use config::write_queues;

/// What a queue counted: 32 bytes before OpenFlow 1.3, then 40, and since 1.4 length, padding, the
/// same and properties. A counter that the switch does not have is `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueStats {
    /// The port of the queue.
    pub port: Port,
    /// The number of the queue at its port.
    pub queue: u32,
    /// Bytes sent.
    pub tx_bytes: Option<u64>,
    /// Packets sent.
    pub tx_packets: Option<u64>,
    /// Packets that were dropped because there was no room.
    pub tx_errors: Option<u64>,
    /// How long it has been there; since OpenFlow 1.3.
    pub duration: Option<Duration>,
}

impl<'a> Entry<'a> for QueueStats {
    const WHAT: &'static str = "queue statistics";

    fn len(mut reader: Reader<'a>, version: Version) -> Result<usize, DecodeError> {
        Ok(match version {
            Version::V1_0 | Version::V1_1 | Version::V1_2 => 32,
            Version::V1_3 => 40,
            _ => reader.u16("length")?.into(),
        })
    }

    fn decode(mut entry: Reader<'a>, version: Version) -> Result<Self, DecodeError> {
        if version >= Version::V1_4 {
            { entry }.bytes(48, Self::WHAT)?;
        }
        let reader = &mut entry;
        if version >= Version::V1_4 {
            reader.u64("length")?;
        }
        let port = match version {
            Version::V1_0 => {
                let port = Port::from_text_number(reader.u16("port number")?.into());
                reader.u16("padding")?;
                port
            }
            _ => decode_port(reader)?,
        };
        let queue = reader.u32("queue")?;
        Ok(QueueStats {
            port,
            queue,
            tx_bytes: decode_counter(reader)?,
            tx_packets: decode_counter(reader)?,
            tx_errors: decode_counter(reader)?,
            duration: match version {
                Version::V1_0 | Version::V1_1 | Version::V1_2 => None,
                _ => decode_duration(reader)?,
            },
        })
    }
}

impl QueueStats {
    /// Writes the entry.
    ///
    /// # Errors
    ///
    /// [`EncodeError::OutOfRange`] for a port that OpenFlow 1.0 has no number for, and for more seconds than
    /// 32 bits.
    pub fn encode(&self, version: Version, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        if version >= Version::V1_4 {
            writer.u16(48);
            writer.zeros(6);
        }
        encode_port(self.port, version, writer)?;
        if version == Version::V1_0 {
            writer.zeros(2);
        }
        writer.u32(self.queue);
        for counter in [self.tx_bytes, self.tx_packets, self.tx_errors] {
            encode_counter(counter, writer);
        }
        match version {
            Version::V1_0 | Version::V1_1 | Version::V1_2 => Ok(()),
            _ => encode_duration(self.duration, writer),
        }
    }
}

/// As `ovs-ofctl queue-stats` prints it.
impl fmt::Display for QueueStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "  port {} queue ", self.port)?;
        match self.queue {
            u32::MAX => write!(f, "ALL: ")?,
            queue => write!(f, "{queue}: ")?,
        }
        let counters = [
            ("bytes", self.tx_bytes),
            ("pkts", self.tx_packets),
            ("errors", self.tx_errors),
        ];
        write!(f, "{}, duration=", Counters(&counters))?;
        match self.duration {
            Some(duration) => writeln!(f, "{}", Elapsed(duration)),
            None => writeln!(f, "?"),
        }
    }
}
