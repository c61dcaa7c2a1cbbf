use alloc::vec::Vec;
use core::fmt;

use crate::{
    model::{flow::Stats, version::Version},
    wire::{
        error::{DecodeError, EncodeError},
        kind::{MessageKind, Namespace},
        message::Message,
        oxs::{OxsRef, encode_oxs},
    },
};

/// The statistics of all the flows that a request is about (`OFPST_AGGREGATE`, `NXST_AGGREGATE`).
///
/// ```
/// use ofp_codec::{Version, wire::{Aggregate, Message}};
///
/// let all = Aggregate { n_packets: Some(5), n_bytes: Some(420), n_flows: 3 };
/// let mut bytes = Vec::new();
/// all.encode(Version::V1_5, 1, &mut bytes)?;
/// let again = Aggregate::decode(&Message::parse(&bytes)?)?;
/// assert_eq!(again.to_string(), "packet_count=5 byte_count=420 flow_count=3");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aggregate {
    /// Packets that matched; `None` if the switch does not know.
    pub n_packets: Option<u64>,
    /// Bytes of these packets; `None` if the switch does not know.
    pub n_bytes: Option<u64>,
    /// How many flows there are.
    pub n_flows: u32,
}

impl Aggregate {
    /// Reads a message of the kind `AggregateReply`.
    ///
    /// # Errors
    ///
    /// If the message is of another kind, or malformed.
    pub fn decode(message: &Message<'_>) -> Result<Self, DecodeError> {
        let form = message.expect(MessageKind::AggregateReply)?;
        let mut reader = message.body();
        if message.header().version >= Version::V1_5 && form.namespace == Namespace::Multipart {
            let (stats, flows) = OxsRef::decode(&mut reader)?.to_stats()?;
            return Ok(Aggregate {
                n_packets: stats.n_packets,
                n_bytes: stats.n_bytes,
                n_flows: flows.unwrap_or(u32::MAX),
            });
        }
        let known = |count: u64| Some(count).filter(|count| *count != u64::MAX);
        Ok(Aggregate {
            n_packets: known(reader.u64("packet_count")?),
            n_bytes: known(reader.u64("byte_count")?),
            n_flows: reader.u32("flow_count")?,
        })
    }

    /// Appends the message that a switch sends, which in OpenFlow 1.0 is Nicira's.
    ///
    /// # Errors
    ///
    /// If the version is none that there is.
    pub fn encode(&self, version: Version, xid: u32, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let kind = MessageKind::AggregateReply;
        let form = kind.form_of(version, version == Version::V1_0)?;
        kind.encode_form(form, version, xid, out, |writer| {
            if version >= Version::V1_5 {
                let stats = Stats {
                    n_packets: self.n_packets,
                    n_bytes: self.n_bytes,
                    ..Stats::default()
                };
                return encode_oxs(&stats, Some(self.n_flows), writer);
            }
            writer.u64(self.n_packets.unwrap_or(u64::MAX));
            writer.u64(self.n_bytes.unwrap_or(u64::MAX));
            writer.u32(self.n_flows);
            writer.zeros(4);
            Ok(())
        })
    }
}

/// `packet_count=5 byte_count=420 flow_count=3`.
impl fmt::Display for Aggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (packets, bytes) = (
            self.n_packets.unwrap_or(u64::MAX),
            self.n_bytes.unwrap_or(u64::MAX),
        );
        write!(
            f,
            "packet_count={packets} byte_count={bytes} flow_count={}",
            self.n_flows
        )
    }
}
