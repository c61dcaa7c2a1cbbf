use alloc::{boxed::Box, string::String, vec::Vec};
use core::fmt;

use crate::{
    model::version::Version,
    wire::{
        action_set::ActionSet,
        bits::{bits, write_bit_names},
        entries::Entries,
        error::{DecodeError, EncodeError, Fault},
        message::Message,
        port::{PortDesc, encode_text},
        write::Writer,
    },
};

bits! {
    /// What a switch can (`ofputil_capabilities`); unknown bits are kept. Which version has which bit
    /// is in the constants' documentation.
    Capabilities {
        /// It counts by flow.
        FLOW_STATS = 1 << 0, "FLOW_STATS";
        /// It counts by table.
        TABLE_STATS = 1 << 1, "TABLE_STATS";
        /// It counts by port.
        PORT_STATS = 1 << 2, "PORT_STATS";
        /// Since OpenFlow 1.1 it counts by group; in 1.0 it runs a spanning tree.
        GROUP_STATS = 1 << 3, "GROUP_STATS";
        /// It reassembles fragments.
        IP_REASM = 1 << 5, "IP_REASM";
        /// It counts by queue.
        QUEUE_STATS = 1 << 6, "QUEUE_STATS";
        /// It matches addresses in ARP; OpenFlow 1.0 and 1.1.
        ARP_MATCH_IP = 1 << 7, "ARP_MATCH_IP";
        /// It blocks looping ports; since OpenFlow 1.2.
        PORT_BLOCKED = 1 << 8, "PORT_BLOCKED";
        /// It has bundles; since OpenFlow 1.4.
        BUNDLES = 1 << 9, "BUNDLES";
        /// It monitors flows; since OpenFlow 1.4.
        FLOW_MONITORING = 1 << 10, "FLOW_MONITORING";
    }
}

/// `OFPT_FEATURES_REPLY` (`struct ofp_switch_features`, 24 bytes): `datapath_id u64, n_buffers u32,
/// n_tables u8, auxiliary_id u8, two bytes of padding, capabilities u32, actions u32`, and before
/// OpenFlow 1.3 the ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Features {
    /// The version, which gives some bits their meaning.
    pub version: Version,
    /// The number of the switch: of a bridge, mostly its Ethernet address.
    pub datapath_id: u64,
    /// How many packets it keeps for the controller.
    pub n_buffers: u32,
    /// How many flow tables it has.
    pub n_tables: u8,
    /// The number of the connection among those of one controller; since OpenFlow 1.3.
    pub auxiliary_id: u8,
    /// What it can.
    pub capabilities: Capabilities,
    /// The actions that it has, as bits of their numbers; OpenFlow 1.0.
    pub actions: u32,
    /// The ports, before OpenFlow 1.3. Where there are too many for one message, some are missing:
    /// ask for port descriptions.
    pub ports: Vec<PortDesc>,
}

impl Features {
    /// Reads a features reply.
    ///
    /// # Errors
    ///
    /// If it ends too early or a port is malformed.
    pub fn decode(message: &Message<'_>) -> Result<Self, DecodeError> {
        let mut body = message.body();
        let version = message.header().version;
        let datapath_id = body.u64("datapath id")?;
        let n_buffers = body.u32("buffers")?;
        let [n_tables, auxiliary_id, _, _] = body.array("tables")?;
        let capabilities = Capabilities(body.u32("capabilities")?);
        let actions = body.u32("actions")?;
        let ports = match version < Version::V1_3 {
            true => Entries::new(body, version).collect::<Result<_, _>>(),
            false => Ok(Vec::new()),
        };
        Ok(Features {
            version,
            datapath_id,
            n_buffers,
            n_tables,
            auxiliary_id,
            capabilities,
            actions,
            ports: ports.map_err(|bad| bad.error)?,
        })
    }
}

impl Features {
    /// Writes the body, for the version that it is of.
    ///
    /// # Errors
    ///
    /// As [`PortDesc::encode`]; since OpenFlow 1.3 ports are not written.
    pub fn encode(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        writer.u64(self.datapath_id);
        writer.u32(self.n_buffers);
        writer.bytes(&[self.n_tables, self.auxiliary_id, 0, 0]);
        writer.u32(self.capabilities.0);
        writer.u32(self.actions);
        if self.version >= Version::V1_3 {
            return Ok(());
        }
        let mut ports = self.ports.iter();
        ports.try_for_each(|port| port.encode(self.version, writer))
    }
}

/// As `ovs-ofctl show` prints it, the ports by number.
impl fmt::Display for Features {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Features {
            datapath_id,
            n_buffers,
            n_tables,
            auxiliary_id,
            ..
        } = self;
        write!(
            f,
            " dpid:{datapath_id:016x}\nn_tables:{n_tables}, n_buffers:{n_buffers}"
        )?;
        if self.version >= Version::V1_3 && *auxiliary_id != 0 {
            write!(f, ", auxiliary_id:{auxiliary_id}")?;
        }
        write!(f, "\ncapabilities: ")?;
        // What the version has no bit for, Open vSwitch does not print.
        let bits = self.capabilities.0;
        match self.version {
            Version::V1_0 => {
                // The order is that of Open vSwitch's own bits.
                write_bit_names(f, bits & 0xef, &CAPABILITIES_1_0, " ")?;
            }
            Version::V1_1 => write!(f, "{}", Capabilities(bits & 0xef))?,
            Version::V1_2 | Version::V1_3 => write!(f, "{}", Capabilities(bits & 0x16f))?,
            _ => write!(f, "{}", Capabilities(bits & 0x76f))?,
        }
        writeln!(f)?;
        let actions = ActionSet::from_bits(self.actions, Version::V1_0);
        if self.version == Version::V1_0 && !actions.is_empty() {
            writeln!(f, "actions: {actions}")?;
        }
        let mut ports: Vec<&PortDesc> = self.ports.iter().collect();
        ports.sort_by_key(|port| port.port);
        let known = |port: &PortDesc| port.with_known_bits(self.version);
        ports.iter().try_for_each(|port| write!(f, "{}", known(port)))
    }
}

/// `OFPT_GET_CONFIG_REPLY` and `OFPT_SET_CONFIG` (`struct ofp_switch_config`): `flags u16,
/// miss_send_len u16`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SwitchConfig {
    /// The version, which gives some flags their meaning.
    pub version: Version,
    /// What is done with fragments (bits 0 and 1), and before OpenFlow 1.3 whether packets of invalid
    /// TTL go to the controller (bit 2).
    pub flags: u16,
    /// How many bytes of a packet that matches no flow go to the controller.
    pub miss_send_len: u16,
}

impl SwitchConfig {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// If it ends too early.
    pub fn decode(message: &Message<'_>) -> Result<Self, DecodeError> {
        let mut body = message.body();
        Ok(SwitchConfig {
            version: message.header().version,
            flags: body.u16("flags")?,
            miss_send_len: body.u16("miss_send_len")?,
        })
    }

    /// Writes the body.
    pub fn encode(&self, writer: &mut Writer<'_>) {
        writer.u16(self.flags);
        writer.u16(self.miss_send_len);
    }
}

impl SwitchConfig {
    /// Checks that a request to set it has no flag that the version does not have.
    pub(crate) fn check(&self, message: &Message<'_>) -> Result<(), DecodeError> {
        let known = match self.version < Version::V1_3 {
            true => FRAGMENTS | INVALID_TTL_TO_CONTROLLER,
            false => FRAGMENTS,
        };
        match self.flags & !known {
            0 => Ok(()),
            flags => {
                let body = message.body().named("OFPSCFC_BAD_FLAGS");
                Err(body.error("flags", Fault::Value(flags.into())))
            }
        }
    }
}

/// As `ovs-ofctl show` prints it.
impl fmt::Display for SwitchConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let frags = ["normal", "drop", "reassemble", "nx-match"];
        write!(f, " frags={}", frags[usize::from(self.flags & FRAGMENTS)])?;
        if self.flags & INVALID_TTL_TO_CONTROLLER != 0 && self.version < Version::V1_3 {
            write!(f, " invalid_ttl_to_controller")?;
        }
        writeln!(f, " miss_send_len={}", self.miss_send_len)
    }
}

/// `OFPST_DESC` (`struct ofp_desc_stats`): five texts of 256, 256, 256, 32 and 256 bytes, filled up
/// with zeros. What is not UTF-8 in them is replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Who made it: `Nicira, Inc.`
    pub manufacturer: Box<str>,
    /// What it is: `Open vSwitch`.
    pub hardware: Box<str>,
    /// Its release: `3.1.0`.
    pub software: Box<str>,
    /// Its serial number.
    pub serial_number: Box<str>,
    /// What it was called by who set it up.
    pub datapath: Box<str>,
}

impl Description {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// If it ends too early.
    pub fn decode(message: &Message<'_>) -> Result<Self, DecodeError> {
        let mut body = message.body();
        let mut text = |len, what| {
            let bytes: &[u8] = body.bytes(len, what)?;
            let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(len);
            Ok(String::from_utf8_lossy(&bytes[..end]).into())
        };
        Ok(Description {
            manufacturer: text(256, "manufacturer")?,
            hardware: text(256, "hardware")?,
            software: text(256, "software")?,
            serial_number: text(32, "serial number")?,
            datapath: text(256, "datapath description")?,
        })
    }
}

impl Description {
    /// Writes the body.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLong`] for a text that has no room with a zero behind it.
    pub fn encode(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        for (what, text, room) in [
            ("manufacturer", &self.manufacturer, 256),
            ("hardware", &self.hardware, 256),
            ("software", &self.software, 256),
            ("serial number", &self.serial_number, 32),
            ("datapath description", &self.datapath, 256),
        ] {
            encode_text(text, room - 1, what, writer)?;
            writer.zeros(1);
        }
        Ok(())
    }
}

/// As `ovs-ofctl dump-desc` prints it.
impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f)?;
        writeln!(f, "Manufacturer: {}", self.manufacturer)?;
        writeln!(f, "Hardware: {}", self.hardware)?;
        writeln!(f, "Software: {}", self.software)?;
        writeln!(f, "Serial Num: {}", self.serial_number)?;
        writeln!(f, "DP Description: {}", self.datapath)
    }
}

const FRAGMENTS: u16 = 3;
const INVALID_TTL_TO_CONTROLLER: u16 = 1 << 2;

const CAPABILITIES_1_0: [(u32, &str); 7] = [
    (1 << 0, "FLOW_STATS"),
    (1 << 1, "TABLE_STATS"),
    (1 << 2, "PORT_STATS"),
    (1 << 3, "STP"),
    (1 << 5, "IP_REASM"),
    (1 << 6, "QUEUE_STATS"),
    (1 << 7, "ARP_MATCH_IP"),
];
