//! Packets that come from a datapath.

use alloc::vec::Vec;

use super::PacketAttr;
use crate::message::{DecodeError, Message};
use crate::nlattr::RawAttr;
use crate::ovs::{Attribute, DpIfindex};

/// A packet that a datapath sent to user space.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Packet {
    /// The datapath.
    pub datapath: DpIfindex,
    /// Why it came.
    pub reason: Reason,
    /// The packet from its Ethernet header on, as much of it as was sent.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::hex"))]
    pub packet: Vec<u8>,
    /// Attributes: what the packet has.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::hex"))]
    pub key: Vec<u8>,
    /// What the action that sent it was given.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::hex_if_any"))]
    pub userdata: Option<Vec<u8>>,
    /// Attributes: the actions of its flow, if the action that sent it asked for them.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::hex_if_any"))]
    pub actions: Option<Vec<u8>>,
    /// Attributes: the tunnel that it is to leave through.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::hex_if_any"))]
    pub egress_tun_key: Option<Vec<u8>>,
    /// The largest fragment that it was reassembled from.
    pub mru: Option<u16>,
    /// Its length before it was cut.
    pub len: Option<u32>,
    /// Its hash, with two flags in bits 32 and 33.
    pub hash: Option<u64>,
    /// Attributes that are not known here, or that only requests have.
    pub other: Vec<RawAttr>,
}

numbers! {
    /// `OVS_PACKET_CMD_*`: why a packet came.
    pub struct Reason(u8);
    /// `OVS_PACKET_CMD_MISS`: it met no flow.
    MISS = 1 "miss",
    /// `OVS_PACKET_CMD_ACTION`: an action sent it.
    ACTION = 2 "action",
}

impl Packet {
    /// Reads a packet from a message of the family.
    ///
    /// # Errors
    /// [`DecodeError::Missing`] without the packet or its key; [`DecodeError::Attr`] for a bad attribute;
    /// [`DecodeError::Short`] if the headers do not fit.
    pub fn decode(message: &Message<'_>) -> Result<Self, DecodeError> {
        let (datapath, attrs) = crate::ovs::split(message)?;
        let (mut packet, mut key) = (None, None);
        let mut upcall = Self {
            datapath,
            reason: Reason(message.genl()?.cmd()),
            packet: Vec::new(),
            key: Vec::new(),
            userdata: None,
            actions: None,
            egress_tun_key: None,
            mru: None,
            len: None,
            hash: None,
            other: Vec::new(),
        };
        for attr in attrs {
            let attr = attr?;
            match Attribute::decode(&attr)? {
                PacketAttr::Packet(it) => packet = Some(it),
                PacketAttr::Key(it) => key = Some(it),
                PacketAttr::Actions(it) => upcall.actions = Some(it),
                PacketAttr::Userdata(it) => upcall.userdata = Some(it),
                PacketAttr::EgressTunKey(it) => upcall.egress_tun_key = Some(it),
                PacketAttr::Mru(it) => upcall.mru = Some(it),
                PacketAttr::Len(it) => upcall.len = Some(it),
                PacketAttr::Hash(it) => upcall.hash = Some(it),
                PacketAttr::Probe(()) | PacketAttr::UpcallPid(_) | PacketAttr::Unknown(_) => {
                    upcall.other.push(attr.into());
                }
            }
        }
        let missing = |kind| DecodeError::Missing {
            offset: message.offset(),
            kind,
        };
        Ok(Self {
            packet: packet.ok_or(missing(ATTR_PACKET))?,
            key: key.ok_or(missing(ATTR_KEY))?,
            ..upcall
        })
    }
}

const ATTR_PACKET: u16 = 1;
const ATTR_KEY: u16 = 2;
