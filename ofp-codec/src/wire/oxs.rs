use crate::{
    model::flow::Stats,
    wire::{
        error::{DecodeError, EncodeError, Fault},
        matches::OxmList,
        oxm::{OxmHeader, number},
        read::Reader,
        write::Writer,
    },
};
use core::time::Duration;

/// Statistics as a list of fields, each with its type and length: OpenFlow 1.5's OXS
/// (`struct ofp_oxs_stat` in lib/ox-stat.c).
#[derive(Clone, Copy, Debug)]
pub struct OxsRef<'a> {
    /// Two bytes without a meaning.
    pub reserved: u16,
    list: OxmList<'a>,
}

impl<'a> OxsRef<'a> {
    /// Reads the list with its head and its padding.
    ///
    /// # Errors
    ///
    /// [`Fault::Truncated`], [`Fault::Length`]; `OFPBMC_BAD_LEN`.
    pub fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let start = reader.named("OFPBMC_BAD_LEN");
        let mut head = start;
        let reserved = head.u16(WHAT)?;
        let got = usize::from(head.u16(WHAT)?);
        let Some(len) = got.checked_sub(HEAD_LEN) else {
            let wanted = HEAD_LEN;
            return Err(start.error(WHAT, Fault::Length { wanted, got }));
        };
        let mut rest = start;
        let mut part = rest.part(got.next_multiple_of(8), WHAT)?;
        reader.bytes(part.len(), WHAT)?;
        part.bytes(HEAD_LEN, WHAT)?;
        let list = OxmList::of(part, len)?;
        Ok(OxsRef { reserved, list })
    }

    /// Writes the very bytes that it was decoded from.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLong`] if the fields are more than 65535 bytes.
    pub fn encode(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let start = writer.len();
        writer.u16(self.reserved);
        writer.u16(0);
        self.list.encode(start + 2, start, writer)
    }

    /// The statistics, and of an aggregate how many flows they are of. Fields that are not known
    /// say nothing here.
    ///
    /// # Errors
    ///
    /// Of the first field that does not fit into the list.
    pub fn to_stats(&self) -> Result<(Stats, Option<u32>), DecodeError> {
        let (mut stats, mut flows) = (Stats::default(), None);
        for entry in self.list.entries() {
            let entry = entry?;
            let seconds = |number: u128| u64::try_from(number >> 32).unwrap_or(0);
            let low = |number: u128| u32::try_from(number & 0xffff_ffff).unwrap_or(0);
            let whole = |number: u128| u64::try_from(number).ok().filter(|number| *number != u64::MAX);
            match (entry.header, number(entry.value)) {
                (DURATION, time) => stats.duration = Some(duration(seconds(time), low(time))),
                (IDLE_TIME, time) => stats.idle_age = Some(low(time >> 32)),
                (FLOW_COUNT, count) => flows = Some(low(count)),
                (PACKET_COUNT, count) => stats.n_packets = whole(count),
                (BYTE_COUNT, count) => stats.n_bytes = whole(count),
                _ => {}
            }
        }
        Ok((stats, flows))
    }
}

/// Writes the list that Open vSwitch would write.
///
/// # Errors
///
/// [`EncodeError::OutOfRange`] if the duration is more than 32 bits of seconds.
pub(crate) fn encode_oxs(
    stats: &Stats,
    flows: Option<u32>,
    writer: &mut Writer<'_>,
) -> Result<(), EncodeError> {
    let start = writer.len();
    writer.u32(0);
    let mut field = |header: OxmHeader, bytes: &[u8]| {
        header.encode(writer);
        writer.bytes(bytes);
    };
    if let Some(duration) = stats.duration {
        let (seconds, nanoseconds) = parts(duration)?;
        field(
            DURATION,
            &(u64::from(seconds) << 32 | u64::from(nanoseconds)).to_be_bytes(),
        );
    }
    if let Some(age) = stats.idle_age {
        field(IDLE_TIME, &(u64::from(age) << 32).to_be_bytes());
    }
    if let Some(count) = stats.n_packets {
        field(PACKET_COUNT, &count.to_be_bytes());
    }
    if let Some(count) = stats.n_bytes {
        field(BYTE_COUNT, &count.to_be_bytes());
    }
    if let Some(count) = flows {
        field(FLOW_COUNT, &count.to_be_bytes());
    }
    writer.fill_len(start + 2, start, WHAT)?;
    writer.pad(start, 8);
    Ok(())
}

/// A duration of two numbers; more nanoseconds than a second has are kept.
pub(crate) fn duration(seconds: u64, nanoseconds: u32) -> Duration {
    Duration::from_secs(seconds).saturating_add(Duration::from_nanos(nanoseconds.into()))
}

/// The two numbers of a duration.
pub(crate) fn parts(duration: Duration) -> Result<(u32, u32), EncodeError> {
    match u32::try_from(duration.as_secs()) {
        Ok(seconds) => Ok((seconds, duration.subsec_nanos())),
        Err(_) => Err(EncodeError::OutOfRange {
            what: "duration",
            value: duration.as_secs().into(),
        }),
    }
}

/// A field of class `OFPXSC_OPENFLOW_BASIC`.
const fn basic(number: u64, len: u64) -> OxmHeader {
    OxmHeader(0x8002 << 48 | number << 41 | len << 32)
}

const DURATION: OxmHeader = basic(0, 8);
const IDLE_TIME: OxmHeader = basic(1, 8);
const FLOW_COUNT: OxmHeader = basic(3, 4);
const PACKET_COUNT: OxmHeader = basic(4, 8);
const BYTE_COUNT: OxmHeader = basic(5, 8);
/// The reserved bytes and the length.
const HEAD_LEN: usize = 4;
const WHAT: &str = "OXS statistics";
