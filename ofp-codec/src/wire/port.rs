use alloc::{boxed::Box, string::String};
use core::fmt;

use crate::{
    model::{addr::EthAddr, port::Port, version::Version},
    wire::{
        bits::bits,
        entries::Entry,
        error::{DecodeError, EncodeError, Fault},
        property::{Property, decode_property},
        read::Reader,
        write::Writer,
    },
};

mod change;
mod stats;
mod status;

pub use change::PortMod;
pub use stats::PortStats;
pub use status::{PortReason, PortStatus};

bits! {
    /// How a port is configured (`ofputil_port_config`); unknown bits are kept.
    PortConfig {
        /// The administrator took it down.
        PORT_DOWN = 1 << 0, "PORT_DOWN";
        /// No spanning tree on it; OpenFlow 1.0 only.
        NO_STP = 1 << 1, "NO_STP";
        /// What it receives is dropped.
        NO_RECV = 1 << 2, "NO_RECV";
        /// Packets of the spanning tree that it receives are dropped; OpenFlow 1.0 only.
        NO_RECV_STP = 1 << 3, "NO_RECV_STP";
        /// A flood leaves it out; OpenFlow 1.0 only.
        NO_FLOOD = 1 << 4, "NO_FLOOD";
        /// What would leave by it is dropped.
        NO_FWD = 1 << 5, "NO_FWD";
        /// No packet-in for it.
        NO_PACKET_IN = 1 << 6, "NO_PACKET_IN";
    }
}

bits! {
    /// The state of a port (`ofputil_port_state`); unknown bits are kept. OpenFlow 1.0 has a state
    /// of the spanning tree in bits 8 and 9.
    PortState {
        /// There is no link.
        LINK_DOWN = 1 << 0, "LINK_DOWN";
        /// It is blocked; since OpenFlow 1.1.
        BLOCKED = 1 << 1, "BLOCKED";
        /// A fast failover group may use it; since OpenFlow 1.1.
        LIVE = 1 << 2, "LIVE";
    }
}

bits! {
    /// Speeds and media of a port, in the numbering of OpenFlow 1.1 and later; unknown bits are kept.
    PortFeatures {
        /// 10 Mb/s half-duplex.
        HD_10MB = 1 << 0, "10MB-HD";
        /// 10 Mb/s full-duplex.
        FD_10MB = 1 << 1, "10MB-FD";
        /// 100 Mb/s half-duplex.
        HD_100MB = 1 << 2, "100MB-HD";
        /// 100 Mb/s full-duplex.
        FD_100MB = 1 << 3, "100MB-FD";
        /// 1 Gb/s half-duplex.
        HD_1GB = 1 << 4, "1GB-HD";
        /// 1 Gb/s full-duplex.
        FD_1GB = 1 << 5, "1GB-FD";
        /// 10 Gb/s full-duplex.
        FD_10GB = 1 << 6, "10GB-FD";
        /// 40 Gb/s full-duplex.
        FD_40GB = 1 << 7, "40GB-FD";
        /// 100 Gb/s full-duplex.
        FD_100GB = 1 << 8, "100GB-FD";
        /// 1 Tb/s full-duplex.
        FD_1TB = 1 << 9, "1TB-FD";
        /// Another speed.
        OTHER = 1 << 10, "OTHER";
        /// Copper.
        COPPER = 1 << 11, "COPPER";
        /// Fiber.
        FIBER = 1 << 12, "FIBER";
        /// It negotiates.
        AUTO_NEG = 1 << 13, "AUTO_NEG";
        /// It pauses.
        AUTO_PAUSE = 1 << 14, "AUTO_PAUSE";
        /// It pauses in one direction.
        AUTO_PAUSE_ASYM = 1 << 15, "AUTO_PAUSE_ASYM";
    }
}

/// A port of a switch: `struct ofp10_phy_port` of 48 bytes, `struct ofp11_port` of 64, and since
/// OpenFlow 1.4 `struct ofp14_port` of 40 and properties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortDesc {
    /// The number.
    pub port: Port,
    /// The Ethernet address.
    pub hw_addr: EthAddr,
    /// The name, of 15 bytes at most; what is not UTF-8 in it is replaced.
    pub name: Box<str>,
    /// How it is configured.
    pub config: PortConfig,
    /// Its state.
    pub state: PortState,
    /// What it does now.
    pub current: PortFeatures,
    /// What it says it can.
    pub advertised: PortFeatures,
    /// What it can.
    pub supported: PortFeatures,
    /// What its peer says it can.
    pub peer: PortFeatures,
    /// Its speed in kb/s; OpenFlow 1.0 has only the features.
    pub current_speed: u32,
    /// Its highest speed in kb/s.
    pub max_speed: u32,
}

impl<'a> Entry<'a> for PortDesc {
    const WHAT: &'static str = "port";

    fn len(mut reader: Reader<'a>, version: Version) -> Result<usize, DecodeError> {
        Ok(match version {
            Version::V1_0 => 48,
            Version::V1_1 | Version::V1_2 | Version::V1_3 => 64,
            _ => {
                reader.u32("port number")?;
                reader.u16("port length")?.into()
            }
        })
    }

    fn decode(mut entry: Reader<'a>, version: Version) -> Result<Self, DecodeError> {
        if version >= Version::V1_4 {
            { entry }.bytes(40, Self::WHAT)?;
        }
        let reader = &mut entry;
        let port = match version {
            Version::V1_0 => Port::from_text_number(reader.u16("port number")?.into()),
            _ => {
                let port = decode_port(reader)?;
                // The length, or padding.
                reader.u32("port length")?;
                port
            }
        };
        let hw_addr = EthAddr(reader.array("hardware address")?);
        if version != Version::V1_0 {
            reader.u16("padding")?;
        }
        let mut desc = PortDesc {
            port,
            hw_addr,
            name: decode_name_of(16, reader)?,
            config: PortConfig(reader.u32("config")?),
            state: PortState(reader.u32("state")?),
            current: PortFeatures::default(),
            advertised: PortFeatures::default(),
            supported: PortFeatures::default(),
            peer: PortFeatures::default(),
            current_speed: 0,
            max_speed: 0,
        };
        match version {
            Version::V1_0 | Version::V1_1 | Version::V1_2 | Version::V1_3 => {
                desc.decode_features(reader, version)?;
            }
            _ => {
                while !reader.is_empty() {
                    let (kind, mut property) = decode_property(reader)?;
                    if kind == ETHERNET {
                        property.u32("padding")?;
                        desc.decode_features(&mut property, version)?;
                    }
                }
            }
        }
        Ok(desc)
    }
}

impl PortDesc {
    /// Writes the entry as Open vSwitch does.
    ///
    /// # Errors
    ///
    /// [`EncodeError::OutOfRange`] for a port that OpenFlow 1.0 has no number for; [`EncodeError::TooLong`] for
    /// a name of more than 15 bytes.
    pub fn encode(&self, version: Version, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let start = writer.len();
        encode_port(self.port, version, writer)?;
        if version > Version::V1_0 {
            writer.zeros(4);
        }
        writer.bytes(&self.hw_addr.0);
        if version > Version::V1_0 {
            writer.zeros(2);
        }
        encode_text(&self.name, 15, "name of a port", writer)?;
        writer.zeros(1);
        writer.u32(self.config.0);
        writer.u32(self.state.0);
        if version < Version::V1_4 {
            self.encode_features(version, writer);
            return Ok(());
        }
        let mut ethernet = alloc::vec![0; 4];
        self.encode_features(version, &mut Writer::new(&mut ethernet));
        Property::new(ETHERNET, &ethernet).encode(writer)?;
        writer.fill_len(start + 4, start, Self::WHAT)
    }

    /// With those bits alone that the version has: Open vSwitch prints no others.
    pub(crate) fn with_known_bits(&self, version: Version) -> PortDesc {
        let (config, state) = match version {
            Version::V1_0 => (0x7f, PortState::LINK_DOWN.0 | SPANNING_TREE),
            _ => (0x65, 0x7),
        };
        let features = |features: PortFeatures| PortFeatures(features.0 & 0xffff);
        PortDesc {
            config: PortConfig(self.config.0 & config),
            state: PortState(self.state.0 & state),
            current: features(self.current),
            advertised: features(self.advertised),
            supported: features(self.supported),
            peer: features(self.peer),
            ..self.clone()
        }
    }

    fn encode_features(&self, version: Version, writer: &mut Writer<'_>) {
        for features in [self.current, self.advertised, self.supported, self.peer] {
            writer.u32(match version {
                Version::V1_0 => features.to_openflow10(),
                _ => features.0,
            });
        }
        if version > Version::V1_0 {
            writer.u32(self.current_speed);
            writer.u32(self.max_speed);
        }
    }

    fn decode_features(&mut self, reader: &mut Reader<'_>, version: Version) -> Result<(), DecodeError> {
        for features in [
            &mut self.current,
            &mut self.advertised,
            &mut self.supported,
            &mut self.peer,
        ] {
            let bits = reader.u32("features")?;
            *features = match version {
                Version::V1_0 => PortFeatures::from_openflow10(bits),
                _ => PortFeatures(bits),
            };
        }
        if version == Version::V1_0 {
            self.current_speed = self.current.kbps();
            self.max_speed = self.supported.kbps();
        } else {
            self.current_speed = reader.u32("speed")?;
            self.max_speed = reader.u32("highest speed")?;
        }
        Ok(())
    }
}

impl PortFeatures {
    /// From the numbering of OpenFlow 1.0, in which the media have other bits.
    fn from_openflow10(bits: u32) -> Self {
        PortFeatures(bits & 0x7f | (bits & 0xf80) << 4)
    }

    /// The other way round; OpenFlow 1.0 has no bits for the rest.
    fn to_openflow10(self) -> u32 {
        self.0 & 0x7f | self.0 >> 4 & 0xf80
    }

    /// The highest speed among them, in kb/s; 0 if there is none (`netdev_features_to_bps`).
    fn kbps(self) -> u32 {
        let speeds = [
            (PortFeatures::FD_1TB.0, 1_000_000_000),
            (PortFeatures::FD_100GB.0, 100_000_000),
            (PortFeatures::FD_40GB.0, 40_000_000),
            (PortFeatures::FD_10GB.0, 10_000_000),
            (PortFeatures::FD_1GB.0 | PortFeatures::HD_1GB.0, 1_000_000),
            (PortFeatures::FD_100MB.0 | PortFeatures::HD_100MB.0, 100_000),
            (PortFeatures::FD_10MB.0 | PortFeatures::HD_10MB.0, 10_000),
        ];
        let speed = speeds.iter().find(|(bits, _)| self.0 & bits != 0);
        speed.map_or(0, |&(_, kbps)| kbps)
    }
}

/// As `ovs-ofctl show` prints it, in five lines or more.
impl fmt::Display for PortDesc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let printable = |c: &char| c.is_ascii_graphic() || *c == ' ';
        let name: String = self.name.chars().take_while(printable).collect();
        writeln!(f, " {}({name}): addr:{}", self.port, self.hw_addr)?;
        writeln!(f, "     config:     {}", self.config)?;
        write!(f, "     state:      ")?;
        let spanning_tree = ["", "STP_LEARN", "STP_FORWARD", "STP_BLOCK"];
        let stp = (self.state.0 >> 8 & 3) as usize;
        let rest = PortState(self.state.0 & !SPANNING_TREE);
        match (stp, rest.0) {
            (0, _) => writeln!(f, "{rest}")?,
            (stp, 0) => writeln!(f, "{}", spanning_tree[stp])?,
            (stp, _) => writeln!(f, "{}{rest}", spanning_tree[stp])?,
        }
        for (name, features) in [
            ("current:    ", self.current),
            ("advertised: ", self.advertised),
            ("supported:  ", self.supported),
            ("peer:       ", self.peer),
        ] {
            if features.0 != 0 {
                writeln!(f, "     {name}{features}")?;
            }
        }
        let (now, max) = (self.current_speed / 1000, self.max_speed / 1000);
        writeln!(f, "     speed: {now} Mbps now, {max} Mbps max")
    }
}

/// A port number of OpenFlow 1.1 and later. Open vSwitch has 16 bits for it, and refuses others.
pub(crate) fn decode_port(reader: &mut Reader<'_>) -> Result<Port, DecodeError> {
    let at = *reader;
    match reader.u32("port number")? {
        number @ 0xff00..=0xffff_feff => {
            let error = at.named("OFPBAC_BAD_OUT_PORT");
            Err(error.error("port number", Fault::Value(number.into())))
        }
        number => Ok(Port(number)),
    }
}

/// The number of a port in as many bits as the version has.
pub(crate) fn encode_port(port: Port, version: Version, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
    if version > Version::V1_0 {
        writer.u32(port.0);
        return Ok(());
    }
    writer.u16(port_in_16_bits(port, "port")?);
    Ok(())
}

/// The number of a port as OpenFlow 1.0 has it.
pub(crate) fn port_in_16_bits(port: Port, what: &'static str) -> Result<u16, EncodeError> {
    port.to_16_bits().ok_or(EncodeError::OutOfRange {
        what,
        value: port.0.into(),
    })
}

/// A text of `len` bytes, filled up with zeros; the last byte is always one.
pub(crate) fn decode_name_of(len: usize, reader: &mut Reader<'_>) -> Result<Box<str>, DecodeError> {
    let name = reader.bytes(len, "name")?;
    let end = name.iter().position(|byte| *byte == 0).unwrap_or(len - 1);
    Ok(String::from_utf8_lossy(&name[..end]).into())
}

/// A text in `len` bytes, filled up with zeros.
pub(crate) fn encode_text(
    text: &str,
    len: usize,
    what: &'static str,
    writer: &mut Writer<'_>,
) -> Result<(), EncodeError> {
    let Some(zeros) = len.checked_sub(text.len()) else {
        let (len, limit) = (text.len(), len);
        return Err(EncodeError::TooLong { what, len, limit });
    };
    writer.bytes(text.as_bytes());
    writer.zeros(zeros);
    Ok(())
}

const ETHERNET: u16 = 0;
/// The bits of a port's state that are one of the spanning tree's, in OpenFlow 1.0.
const SPANNING_TREE: u32 = 0x300;
