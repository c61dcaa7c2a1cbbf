use alloc::{boxed::Box, string::String, vec::Vec};
use core::{fmt, time::Duration};

use crate::{
    model::{port::Port, print::Elapsed, version::Version},
    wire::{
        counter::{Counters, decode_counter, decode_duration, encode_counter, encode_duration},
        entries::Entry,
        error::{DecodeError, EncodeError},
        port::{decode_port, encode_port},
        property::{Property, decode_property},
        read::Reader,
        write::Writer,
    },
};

/// What a port counted: `struct ofp10_port_stats` and `ofp11_port_stats` of 104 bytes,
/// `ofp13_port_stats` of 112, and since OpenFlow 1.4 `ofp14_port_stats` of 80 and properties. A counter
/// that the switch does not have is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortStats {
    /// The number of the port.
    pub port: Port,
    /// How long it has been there; since OpenFlow 1.3.
    pub duration: Option<Duration>,
    /// Packets received.
    pub rx_packets: Option<u64>,
    /// Packets sent.
    pub tx_packets: Option<u64>,
    /// Bytes received.
    pub rx_bytes: Option<u64>,
    /// Bytes sent.
    pub tx_bytes: Option<u64>,
    /// Received packets that were dropped.
    pub rx_dropped: Option<u64>,
    /// Packets that were dropped instead of sent.
    pub tx_dropped: Option<u64>,
    /// Errors of reception of all kinds.
    pub rx_errors: Option<u64>,
    /// Errors of sending of all kinds.
    pub tx_errors: Option<u64>,
    /// Frames that were not aligned.
    pub rx_frame_errors: Option<u64>,
    /// Packets that did not find room.
    pub rx_over_errors: Option<u64>,
    /// Frames with a wrong checksum.
    pub rx_crc_errors: Option<u64>,
    /// Collisions.
    pub collisions: Option<u64>,
    /// Counters by size of packet (RFC 2819), those that the switch has, by the names that Open vSwitch
    /// gives them.
    pub rfc2819_rx: Vec<(&'static str, u64)>,
    /// The same of packets sent.
    pub rfc2819_tx: Vec<(&'static str, u64)>,
    /// Counters of the device, by its own names.
    pub custom: Vec<(Box<str>, u64)>,
}

impl<'a> Entry<'a> for PortStats {
    const WHAT: &'static str = "port statistics";

    fn len(mut reader: Reader<'a>, version: Version) -> Result<usize, DecodeError> {
        Ok(match version {
            Version::V1_0 | Version::V1_1 | Version::V1_2 => 104,
            Version::V1_3 => 112,
            _ => reader.u16("length")?.into(),
        })
    }

    fn decode(mut entry: Reader<'a>, version: Version) -> Result<Self, DecodeError> {
        let since_1_4 = version >= Version::V1_4;
        if since_1_4 {
            { entry }.bytes(80, Self::WHAT)?;
        }
        let reader = &mut entry;
        if since_1_4 {
            reader.u32("length")?;
        }
        let mut stats = PortStats::new(match version {
            Version::V1_0 => Port::from_text_number(reader.u16("port number")?.into()),
            _ => decode_port(reader)?,
        });
        match version {
            Version::V1_0 => drop(reader.bytes(6, "padding")?),
            _ if since_1_4 => stats.duration = decode_duration(reader)?,
            _ => drop(reader.u32("padding")?),
        }
        for counter in [
            &mut stats.rx_packets,
            &mut stats.tx_packets,
            &mut stats.rx_bytes,
            &mut stats.tx_bytes,
            &mut stats.rx_dropped,
            &mut stats.tx_dropped,
            &mut stats.rx_errors,
            &mut stats.tx_errors,
        ] {
            *counter = decode_counter(reader)?;
        }
        if since_1_4 {
            while !reader.is_empty() {
                stats.decode_property(reader)?;
            }
        } else {
            stats.decode_ethernet(reader)?;
        }
        if version == Version::V1_3 {
            stats.duration = decode_duration(reader)?;
        }
        Ok(stats)
    }
}

impl PortStats {
    fn new(port: Port) -> Self {
        PortStats {
            port,
            duration: None,
            rx_packets: None,
            tx_packets: None,
            rx_bytes: None,
            tx_bytes: None,
            rx_dropped: None,
            tx_dropped: None,
            rx_errors: None,
            tx_errors: None,
            rx_frame_errors: None,
            rx_over_errors: None,
            rx_crc_errors: None,
            collisions: None,
            rfc2819_rx: Vec::new(),
            rfc2819_tx: Vec::new(),
            custom: Vec::new(),
        }
    }

    fn decode_ethernet(&mut self, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        for counter in [
            &mut self.rx_frame_errors,
            &mut self.rx_over_errors,
            &mut self.rx_crc_errors,
            &mut self.collisions,
        ] {
            *counter = decode_counter(reader)?;
        }
        Ok(())
    }

    /// Ethernet's counters, and two kinds of Intel's; others are passed over.
    fn decode_property(&mut self, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        let (kind, mut value) = decode_property(reader)?;
        let kind = match kind {
            EXPERIMENTER => (value.u32("experimenter")?, value.u32("experimenter type")?),
            kind => (0, kind.into()),
        };
        match kind {
            ETHERNET => {
                value.u32("padding")?;
                self.decode_ethernet(&mut value)?;
                value.finish("port statistics")
            }
            RFC_2819 => {
                value.u32("padding")?;
                for (direction, name) in RFC_2819_COUNTERS {
                    let counters = match direction {
                        Direction::Rx => &mut self.rfc2819_rx,
                        Direction::Tx => &mut self.rfc2819_tx,
                    };
                    counters.extend(decode_counter(&mut value)?.map(|counter| (name, counter)));
                }
                value.finish("port statistics")
            }
            CUSTOM => self.decode_custom(&mut value),
            _ => Ok(()),
        }
    }

    /// Two bytes of padding, `count u16`, and then for each `length u8, name, value u64`.
    fn decode_custom(&mut self, value: &mut Reader<'_>) -> Result<(), DecodeError> {
        value.u16("padding")?;
        let count = value.u16("number of counters")?;
        self.custom.clear();
        for _ in 0..count {
            let len = value.u8("length of a counter's name")?;
            let name = value.bytes(len.into(), "name of a counter")?;
            let name = String::from_utf8_lossy(name).into();
            self.custom.push((name, value.u64("counter")?));
        }
        Ok(())
    }
}

impl PortStats {
    /// Writes the entry as Open vSwitch does.
    ///
    /// # Errors
    ///
    /// [`EncodeError::OutOfRange`] for a port that OpenFlow 1.0 has no number for, and for more seconds than
    /// 32 bits; [`EncodeError::TooLong`] for the name of a counter of more than 255 bytes, and for more
    /// counters than fit.
    pub fn encode(&self, version: Version, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let since_1_4 = version >= Version::V1_4;
        let start = writer.len();
        if since_1_4 {
            writer.zeros(4);
        }
        encode_port(self.port, version, writer)?;
        match version {
            Version::V1_0 => writer.zeros(6),
            _ if since_1_4 => encode_duration(self.duration, writer)?,
            _ => writer.zeros(4),
        }
        for counter in [
            self.rx_packets,
            self.tx_packets,
            self.rx_bytes,
            self.tx_bytes,
            self.rx_dropped,
            self.tx_dropped,
            self.rx_errors,
            self.tx_errors,
        ] {
            encode_counter(counter, writer);
        }
        if since_1_4 {
            self.encode_properties(writer)?;
            return writer.fill_len(start, start, Self::WHAT);
        }
        self.encode_ethernet(writer);
        if version == Version::V1_3 {
            encode_duration(self.duration, writer)?;
        }
        Ok(())
    }

    fn encode_ethernet(&self, writer: &mut Writer<'_>) {
        for counter in [
            self.rx_frame_errors,
            self.rx_over_errors,
            self.rx_crc_errors,
            self.collisions,
        ] {
            encode_counter(counter, writer);
        }
    }

    fn encode_properties(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let mut ethernet = alloc::vec![0; 4];
        self.encode_ethernet(&mut Writer::new(&mut ethernet));
        Property::new(ETHERNET_PROPERTY, &ethernet).encode(writer)?;

        let mut sizes = head_of(RFC_2819);
        let mut value = Writer::new(&mut sizes);
        value.zeros(4);
        for (direction, name) in RFC_2819_COUNTERS {
            let counters = match direction {
                Direction::Rx => &self.rfc2819_rx,
                Direction::Tx => &self.rfc2819_tx,
            };
            let known = counters.iter().find(|(known, _)| *known == name);
            encode_counter(known.map(|(_, counter)| *counter), &mut value);
        }
        Property::new(EXPERIMENTER, &sizes).encode(writer)?;

        if self.custom.is_empty() {
            return Ok(());
        }
        let too_long = |what, len, limit| EncodeError::TooLong { what, len, limit };
        let mut custom = head_of(CUSTOM);
        let mut value = Writer::new(&mut custom);
        let count = self.custom.len();
        value.zeros(2);
        value.u16(
            count
                .try_into()
                .map_err(|_| too_long("counters", count, u16::MAX.into()))?,
        );
        for (name, counter) in &self.custom {
            let len = name.len();
            value.u8(len
                .try_into()
                .map_err(|_| too_long("name of a counter", len, u8::MAX.into()))?);
            value.bytes(name.as_bytes());
            value.u64(*counter);
        }
        Property::new(EXPERIMENTER, &custom).encode(writer)
    }
}

/// The number of an experimenter and a type of its own.
fn head_of((experimenter, kind): (u32, u32)) -> Vec<u8> {
    [experimenter.to_be_bytes(), kind.to_be_bytes()].concat()
}

/// As `ovs-ofctl dump-ports` prints it.
impl fmt::Display for PortStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let space = if self.port.0 < 10 { " " } else { "" };
        write!(f, "  port {space}{}: rx ", self.port)?;
        let received = [
            ("pkts", self.rx_packets),
            ("bytes", self.rx_bytes),
            ("drop", self.rx_dropped),
            ("errs", self.rx_errors),
            ("frame", self.rx_frame_errors),
            ("over", self.rx_over_errors),
            ("crc", self.rx_crc_errors),
        ];
        writeln!(f, "{}", Counters(&received))?;
        let sent = [
            ("pkts", self.tx_packets),
            ("bytes", self.tx_bytes),
            ("drop", self.tx_dropped),
            ("errs", self.tx_errors),
            ("coll", self.collisions),
        ];
        writeln!(f, "           tx {}", Counters(&sent))?;
        if let Some(duration) = self.duration {
            writeln!(f, "           duration={}", Elapsed(duration))?;
        }
        for (direction, counters) in [("rx", &self.rfc2819_rx), ("tx", &self.rfc2819_tx)] {
            if counters.is_empty() {
                continue;
            }
            write!(f, "           {direction} rfc2819 ")?;
            for (name, counter) in counters {
                write!(f, "{name}={counter}, ")?;
            }
            writeln!(f)?;
        }
        self.write_custom(f)
    }
}

impl PortStats {
    /// Three in a line.
    fn write_custom(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.custom.is_empty() {
            return Ok(());
        }
        write!(f, "           CUSTOM Statistics")?;
        let named = self.custom.iter().enumerate();
        for (at, (name, counter)) in named.filter(|(_, (name, _))| !name.is_empty()) {
            let before = if at % 3 == 0 {
                "\n                      "
            } else {
                " "
            };
            write!(f, "{before}{name}={counter},")?;
        }
        writeln!(f)
    }
}

#[derive(Clone, Copy)]
enum Direction {
    Rx,
    Tx,
}

const EXPERIMENTER: u16 = 0xffff;
const ETHERNET_PROPERTY: u16 = 0;
const ETHERNET: (u32, u32) = (0, 0);
const INTEL: u32 = 0x0000_aa01;
const RFC_2819: (u32, u32) = (INTEL, 1);
const CUSTOM: (u32, u32) = (INTEL, 2);

/// In the order of `struct intel_port_stats_rfc2819` in `include/openflow/intel-ext.h`.
const RFC_2819_COUNTERS: [(Direction, &str); 21] = [
    (Direction::Rx, "1_to_64_packets"),
    (Direction::Rx, "65_to_127_packets"),
    (Direction::Rx, "128_to_255_packets"),
    (Direction::Rx, "256_to_511_packets"),
    (Direction::Rx, "512_to_1023_packets"),
    (Direction::Rx, "1024_to_1522_packets"),
    (Direction::Rx, "1523_to_max_packets"),
    (Direction::Tx, "1_to_64_packets"),
    (Direction::Tx, "65_to_127_packets"),
    (Direction::Tx, "128_to_255_packets"),
    (Direction::Tx, "256_to_511_packets"),
    (Direction::Tx, "512_to_1023_packets"),
    (Direction::Tx, "1024_to_1522_packets"),
    (Direction::Tx, "1523_to_max_packets"),
    (Direction::Tx, "multicast_packets"),
    (Direction::Rx, "broadcast_packets"),
    (Direction::Tx, "broadcast_packets"),
    (Direction::Rx, "undersized_errors"),
    (Direction::Rx, "oversize_errors"),
    (Direction::Rx, "rx_fragmented_errors"),
    (Direction::Rx, "rx_jabber_errors"),
];
