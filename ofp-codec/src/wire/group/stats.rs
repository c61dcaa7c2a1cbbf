use alloc::vec::Vec;

use crate::{
    model::{
        group::{BucketStats, GroupStats},
        version::Version,
    },
    wire::{
        counter::{decode_counter, decode_duration, encode_counter, encode_duration},
        entries::Entry,
        error::{DecodeError, EncodeError},
        read::Reader,
        write::Writer,
    },
};

/// Length, padding, group, flows, padding, packets, bytes; since OpenFlow 1.3 and in 1.0 duration;
/// packets and bytes of each bucket (`struct ofp11_group_stats`, `struct ofp13_group_stats`).
impl<'a> Entry<'a> for GroupStats {
    const WHAT: &'static str = "group statistics";

    /// Open vSwitch leaves what no bucket is to the next entry.
    fn len(mut reader: Reader<'a>, version: Version) -> Result<usize, DecodeError> {
        let len = usize::from(reader.u16("length")?);
        let head = match version {
            Version::V1_1 | Version::V1_2 => 32,
            _ => 40,
        };
        Ok(len
            .checked_sub(head)
            .map_or(len, |buckets| head + buckets / 16 * 16))
    }

    fn decode(mut entry: Reader<'a>, version: Version) -> Result<Self, DecodeError> {
        let reader = &mut entry;
        reader.u32("length")?;
        let id = reader.u32(Self::WHAT)?;
        let ref_count = reader.u32(Self::WHAT)?;
        reader.u32(Self::WHAT)?;
        let (n_packets, n_bytes) = (reader.u64(Self::WHAT)?, reader.u64(Self::WHAT)?);
        let duration = match version {
            Version::V1_1 | Version::V1_2 => None,
            _ => decode_duration(reader)?,
        };
        let mut buckets = Vec::new();
        while reader.len() >= 16 {
            buckets.push(BucketStats {
                n_packets: decode_counter(reader)?,
                n_bytes: decode_counter(reader)?,
            });
        }
        Ok(GroupStats {
            id,
            duration,
            ref_count,
            n_packets,
            n_bytes,
            buckets,
        })
    }
}

impl GroupStats {
    /// Writes the entry of a reply.
    ///
    /// # Errors
    ///
    /// [`EncodeError::OutOfRange`] for more seconds than 32 bits, [`EncodeError::TooLong`] for more buckets than
    /// fit.
    pub fn encode(&self, version: Version, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let start = writer.len();
        writer.zeros(4);
        writer.u32(self.id);
        writer.u32(self.ref_count);
        writer.zeros(4);
        writer.u64(self.n_packets);
        writer.u64(self.n_bytes);
        if ![Version::V1_1, Version::V1_2].contains(&version) {
            encode_duration(self.duration, writer)?;
        }
        for bucket in &self.buckets {
            encode_counter(bucket.n_packets, writer);
            encode_counter(bucket.n_bytes, writer);
        }
        writer.fill_len(start, start, Self::WHAT)
    }
}
