//! What replies count.

use core::{fmt, time::Duration};

use crate::wire::{
    error::{DecodeError, EncodeError},
    read::Reader,
    write::Writer,
};

/// A counter; all ones stand for one that there is not.
pub(crate) fn decode_counter(reader: &mut Reader<'_>) -> Result<Option<u64>, DecodeError> {
    let counter = reader.u64("counter")?;
    Ok((counter != u64::MAX).then_some(counter))
}

/// Seconds and nanoseconds beyond them; all ones in the seconds stand for none.
pub(crate) fn decode_duration(reader: &mut Reader<'_>) -> Result<Option<Duration>, DecodeError> {
    let (seconds, nanos) = (reader.u32("seconds")?, reader.u32("nanoseconds")?);
    let duration = Duration::from_secs(seconds.into()) + Duration::from_nanos(nanos.into());
    Ok((seconds != u32::MAX).then_some(duration))
}

/// Writes what [`decode_counter`] reads.
pub(crate) fn encode_counter(counter: Option<u64>, writer: &mut Writer<'_>) {
    writer.u64(counter.unwrap_or(u64::MAX));
}

/// Writes what [`decode_duration`] reads.
pub(crate) fn encode_duration(
    duration: Option<Duration>,
    writer: &mut Writer<'_>,
) -> Result<(), EncodeError> {
    let (seconds, nanos) = match duration {
        None => (u32::MAX, u32::MAX),
        Some(duration) => (
            u32::try_from(duration.as_secs()).map_err(|_| EncodeError::OutOfRange {
                what: "duration",
                value: duration.as_secs().into(),
            })?,
            duration.subsec_nanos(),
        ),
    };
    writer.u32(seconds);
    writer.u32(nanos);
    Ok(())
}

/// Counters in a line, `?` for those that there are not: `pkts=7, bytes=?`.
pub(crate) struct Counters<'a>(pub(crate) &'a [(&'a str, Option<u64>)]);

impl fmt::Display for Counters<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut comma = "";
        for (name, counter) in self.0 {
            match counter {
                Some(counter) => write!(f, "{comma}{name}={counter}")?,
                None => write!(f, "{comma}{name}=?")?,
            }
            comma = ", ";
        }
        Ok(())
    }
}
