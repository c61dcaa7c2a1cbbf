//! Packets for controllers and collectors.

use alloc::vec::Vec;
use core::fmt;

use crate::model::{
    action::ct::NumberOrSubfield,
    port::PortRef,
    print::{Dotted, Separated},
};

/// The arguments of `controller(reason=no_match,id=7,userdata=01.02,pause)`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Controller {
    /// Why the packet is sent.
    pub reason: PacketInReason,
    /// How many bytes; 65535 is the whole packet.
    pub max_len: u16,
    /// Which controllers get it.
    pub id: u16,
    /// Bytes that come with it.
    pub userdata: Vec<u8>,
    /// Stop here, until a controller resumes.
    pub pause: bool,
    /// The meter that limits it.
    pub meter_id: Option<u32>,
}

/// Why a packet goes to a controller (`enum ofp_packet_in_reason`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PacketInReason(pub u8);

/// The arguments of `sample(probability=65535,collector_set_id=1,obs_domain_id=2,obs_point_id=3)`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Sample {
    /// Of 65535 packets, how many are sampled.
    pub probability: u16,
    /// The collectors.
    pub collector_set_id: u32,
    /// The observation domain.
    pub obs_domain_id: NumberOrSubfield<u32>,
    /// The observation point.
    pub obs_point_id: NumberOrSubfield<u32>,
    /// The port on which it counts as sampled.
    pub sampling_port: Option<PortRef>,
    /// The direction in which it counts as sampled.
    pub direction: Option<SampleDirection>,
}

/// The direction of a sampled packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum SampleDirection {
    /// `ingress`.
    Ingress,
    /// `egress`.
    Egress,
}

impl Default for Controller {
    fn default() -> Self {
        Controller {
            reason: PacketInReason::ACTION,
            max_len: u16::MAX,
            id: 0,
            userdata: Vec::new(),
            pause: false,
            meter_id: None,
        }
    }
}

impl PacketInReason {
    /// `OFPR_ACTION`: an action said so.
    pub const ACTION: PacketInReason = PacketInReason(1);

    pub(crate) fn from_word(word: &[u8]) -> Option<Self> {
        // Two internal reasons print as nothing; which one it was is lost.
        if word.is_empty() {
            return Some(PacketInReason(EXPLICIT_MISS));
        }
        let at = REASONS.iter().position(|known| known.as_bytes() == word)?;
        u8::try_from(at).ok().map(PacketInReason)
    }
}

impl fmt::Display for PacketInReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0, REASONS.get(usize::from(self.0))) {
            (_, Some(word)) => f.write_str(word),
            (EXPLICIT_MISS | IMPLICIT_MISS, None) => Ok(()),
            (number, None) => write!(f, "{number}"),
        }
    }
}

impl fmt::Display for Controller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("controller(")?;
        let mut list = Separated::new(f);
        if self.reason != PacketInReason::ACTION {
            list.item(&format_args!("reason={}", self.reason))?;
        }
        if self.max_len != u16::MAX {
            list.item(&format_args!("max_len={}", self.max_len))?;
        }
        if self.id != 0 {
            list.item(&format_args!("id={}", self.id))?;
        }
        if !self.userdata.is_empty() {
            list.item(&format_args!("userdata={}", Dotted(&self.userdata)))?;
        }
        if self.pause {
            list.item(&"pause")?;
        }
        if let Some(id) = self.meter_id {
            list.item(&format_args!("meter_id={id}"))?;
        }
        f.write_str(")")
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Sample {
            probability,
            collector_set_id,
            obs_domain_id,
            obs_point_id,
            ..
        } = self;
        write!(
            f,
            "sample(probability={probability},collector_set_id={collector_set_id},\
             obs_domain_id={obs_domain_id},obs_point_id={obs_point_id}"
        )?;
        if let Some(port) = &self.sampling_port {
            write!(f, ",sampling_port={port}")?;
        }
        f.write_str(match self.direction {
            None => ")",
            Some(SampleDirection::Ingress) => ",ingress)",
            Some(SampleDirection::Egress) => ",egress)",
        })
    }
}

/// The reasons from 0 (`ofputil_packet_in_reason_to_string` in lib/ofp-packet.c).
const REASONS: [&str; 6] = [
    "no_match",
    "action",
    "invalid_ttl",
    "action_set",
    "group",
    "packet_out",
];
/// Open vSwitch's own reasons.
const EXPLICIT_MISS: u8 = 6;
const IMPLICIT_MISS: u8 = 7;
