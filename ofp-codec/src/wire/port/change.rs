use alloc::vec::Vec;
use core::fmt;

use crate::{
    model::{addr::EthAddr, port::Port, version::Version},
    wire::{
        error::{DecodeError, EncodeError, Fault},
        message::Message,
        port::{PortConfig, PortFeatures, decode_port, encode_port},
        property::{BAD_LEN, Property, check_property},
        write::Writer,
    },
};

/// `OFPT_PORT_MOD`: configures a port. `struct ofp10_port_mod` of 24 bytes, `struct ofp11_port_mod` of 32, and
/// since OpenFlow 1.4 `struct ofp14_port_mod` of 24 and properties; padding is written as zeros.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortMod {
    /// The port.
    pub port: Port,
    /// Its Ethernet address, which must be the right one.
    pub hw_addr: EthAddr,
    /// How it is to be configured.
    pub config: PortConfig,
    /// The bits of it that are to be changed.
    pub mask: PortConfig,
    /// What it is to say that it can, as bits of the version; 0 leaves it as it is. Before OpenFlow 1.4.
    pub advertise: u32,
    /// What is to be configured besides. Since OpenFlow 1.4.
    pub properties: Vec<Property>,
}

impl PortMod {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// If it ends too early, for a port that no version has, and for a malformed property.
    pub fn decode(message: &Message<'_>) -> Result<Self, DecodeError> {
        let version = message.header().version;
        let mut body = message.body();
        let reader = &mut body;
        let port = match version {
            Version::V1_0 => Port::from_text_number(reader.u16("port number")?.into()),
            _ => decode_port(reader)?,
        };
        if version > Version::V1_0 {
            reader.u32("padding")?;
        }
        let hw_addr = EthAddr(reader.array("Ethernet address")?);
        if version > Version::V1_0 {
            reader.u16("padding")?;
        }
        let mut change = PortMod {
            port,
            hw_addr,
            config: PortConfig(reader.u32("configuration")?),
            mask: PortConfig(reader.u32("mask of the configuration")?),
            advertise: 0,
            properties: Vec::new(),
        };
        if version < Version::V1_4 {
            change.advertise = reader.u32("features")?;
            return Ok(change);
        }
        let mut left = body;
        while !left.is_empty() {
            let (kind, value) = check_property(&mut left, u16::MAX)?;
            if kind == ETHERNET && value.len() != 4 {
                let (wanted, got) = (4, value.len());
                return Err(value
                    .named(BAD_LEN)
                    .error("property", Fault::Length { wanted, got }));
            }
        }
        change.properties = Property::decode_all(body)?;
        Ok(change)
    }

    /// Writes the body.
    ///
    /// # Errors
    ///
    /// [`EncodeError::NotInVersion`] for properties before OpenFlow 1.4, [`EncodeError::OutOfRange`] for a
    /// port that OpenFlow 1.0 has no number for.
    pub fn encode(&self, version: Version, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        if version < Version::V1_4 && !self.properties.is_empty() {
            let what = "property of a port";
            return Err(EncodeError::NotInVersion { what, version });
        }
        let padding = version > Version::V1_0;
        encode_port(self.port, version, writer)?;
        writer.zeros(if padding { 4 } else { 0 });
        writer.bytes(&self.hw_addr.0);
        writer.zeros(if padding { 2 } else { 0 });
        writer.u32(self.config.0);
        writer.u32(self.mask.0);
        match version {
            Version::V1_0 | Version::V1_1 | Version::V1_2 | Version::V1_3 => {
                writer.u32(self.advertise);
                writer.zeros(4);
                Ok(())
            }
            _ => self
                .properties
                .iter()
                .try_for_each(|property| property.encode(writer)),
        }
    }

    /// What it is to say that it can, in the numbering of OpenFlow 1.1 and later.
    pub fn advertised(&self, version: Version) -> PortFeatures {
        match version {
            Version::V1_0 => PortFeatures::from_openflow10(self.advertise),
            Version::V1_1 | Version::V1_2 | Version::V1_3 => PortFeatures(self.advertise),
            _ => {
                let mut properties = self.properties.iter().rev();
                let found = properties.find(|property| property.kind == ETHERNET);
                let bits = found.and_then(Property::number).map(u32::from_be_bytes);
                PortFeatures(bits.unwrap_or(0))
            }
        }
    }

    /// As `ovs-ofctl` prints it in this version.
    pub(crate) fn write(&self, version: Version, f: &mut impl fmt::Write) -> fmt::Result {
        let known = if version == Version::V1_0 { 0x7f } else { 0x65 };
        let mask = PortConfig(self.mask.0 & known);
        let config = PortConfig(self.config.0 & mask.0);
        writeln!(f, " port: {}: addr:{}", self.port, self.hw_addr)?;
        writeln!(f, "     config: {config}\n     mask:   {mask}")?;
        let features = PortFeatures(self.advertised(version).0 & 0xffff);
        match features.0 {
            0 => writeln!(f, "     advertise: UNCHANGED"),
            _ => writeln!(f, "     advertise: {features}"),
        }
    }
}

const ETHERNET: u16 = 0;
