//! The match of a flow: a list of OXM or NXM entries, or the fixed form of OpenFlow 1.0 or 1.1.
//!
//! ```
//! use ofp_codec::{Version, wire::{DecodeError, MatchRef, Reader}};
//!
//! // OFPMT_OXM of 10 bytes: OXM_OF_ETH_TYPE is 0x0806; 6 bytes of padding.
//! let bytes = [0, 1, 0, 10, 0x80, 0x00, 0x0a, 0x02, 0x08, 0x06, 0, 0, 0, 0, 0, 0];
//! let found = MatchRef::decode(&mut Reader::new(&bytes))?;
//! assert_eq!(found.to_match()?.canonical(Version::V1_3).to_string(), "arp");
//! # Ok::<(), DecodeError>(())
//! ```

mod check;
mod fixed;
mod order;
mod whole;
mod writer;

use alloc::vec::Vec;
use core::iter;

use crate::{
    model::matches::{FieldMatch, Match, MatchEntry, Value},
    wire::{
        error::{DecodeError, EncodeError, Fault},
        oxm::{OxmHeader, OxmRef, number},
        read::Reader,
        write::Writer,
    },
};

pub(in crate::wire) use check::Use;
pub(crate) use check::check_connection;
pub use fixed::{Match10, Match11};
pub(crate) use writer::MatchWriter;

/// A match as it stands in a message. It encodes to the bytes that it was decoded from.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum MatchRef<'a> {
    /// `struct ofp10_match`.
    Fixed10(Match10),
    /// `OFPMT_STANDARD`: `struct ofp11_match`.
    Fixed11(Match11),
    /// `OFPMT_OXM`: entries behind a type and a length.
    Oxm(OxmList<'a>),
    /// `nx_match`: entries whose length stands elsewhere.
    Nxm(OxmList<'a>),
}

/// The entries of a match, and the zeros behind them that make it a multiple of 8 bytes.
#[derive(Clone, Copy, Debug)]
pub struct OxmList<'a> {
    entries: Reader<'a>,
    padding: &'a [u8],
}

/// The entries of a list, in order.
#[derive(Clone, Debug)]
pub struct OxmEntries<'a>(Reader<'a>);

impl<'a> MatchRef<'a> {
    /// Reads a match of OpenFlow 1.1 or later, by its type.
    ///
    /// # Errors
    ///
    /// [`Fault::Truncated`], [`Fault::Length`] (both `OFPBMC_BAD_LEN`), [`Fault::Value`] for a type that is
    /// not known (`OFPBMC_BAD_TYPE`).
    pub fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let named = reader.named("OFPBMC_BAD_LEN");
        let mut header = named;
        let kind = header.u16("match type")?;
        let len = header.u16("match length")?;
        match kind {
            OFPMT_STANDARD if usize::from(len) != Match11::LEN => {
                let (wanted, got) = (Match11::LEN, len.into());
                Err(named.error("match", Fault::Length { wanted, got }))
            }
            OFPMT_STANDARD => {
                let mut part = reader.part(Match11::LEN, "match").map_err(bad_len)?;
                Ok(MatchRef::Fixed11(Match11::decode(&mut part)?))
            }
            OFPMT_OXM => {
                let Some(len) = usize::from(len).checked_sub(HEADER_LEN) else {
                    let (wanted, got) = (HEADER_LEN, len.into());
                    return Err(named.error("match", Fault::Length { wanted, got }));
                };
                let padded = (len + HEADER_LEN).next_multiple_of(8);
                let mut part = reader.part(padded, "match").map_err(bad_len)?;
                part.bytes(HEADER_LEN, "match")?;
                Ok(MatchRef::Oxm(OxmList::of(part, len)?))
            }
            kind => Err(named
                .named("OFPBMC_BAD_TYPE")
                .error("match type", Fault::Value(kind.into()))),
        }
    }

    /// Reads a match where only one of OpenFlow 1.2 and later may stand (`oxm_pull_match__` in
    /// lib/nx-match.c).
    pub(in crate::wire) fn decode_oxm(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let named = reader.named("OFPBMC_BAD_LEN");
        let mut header = named;
        let kind = header.u16("match type")?;
        let len = usize::from(header.u16("match length")?);
        if len < HEADER_LEN {
            let (wanted, got) = (HEADER_LEN, len);
            return Err(named.error("match", Fault::Length { wanted, got }));
        }
        if kind != OFPMT_OXM {
            let named = named.named("OFPBMC_BAD_TYPE");
            return Err(named.error("match type", Fault::Value(kind.into())));
        }
        MatchRef::decode(reader)
    }

    /// Reads a match of Nicira's, of `len` bytes and their padding.
    ///
    /// # Errors
    ///
    /// [`Fault::Truncated`]; `OFPBMC_BAD_LEN`.
    pub fn decode_nxm(reader: &mut Reader<'a>, len: u16) -> Result<Self, DecodeError> {
        let len = usize::from(len);
        let part = reader.part(len.next_multiple_of(8), "match").map_err(bad_len)?;
        Ok(MatchRef::Nxm(OxmList::of(part, len)?))
    }

    /// Writes the very bytes that it was decoded from.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLong`] if the entries are more than 65535 bytes.
    pub fn encode(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        match self {
            MatchRef::Fixed10(fixed) => fixed.encode(writer),
            MatchRef::Fixed11(fixed) => fixed.encode(writer),
            MatchRef::Oxm(list) => {
                let start = writer.len();
                writer.u16(OFPMT_OXM);
                writer.u16(0);
                list.encode(start + 2, start, writer)?;
            }
            MatchRef::Nxm(list) => {
                list.encode_entries(writer);
                writer.bytes(list.padding);
            }
        }
        Ok(())
    }

    /// What the match says.
    ///
    /// # Errors
    ///
    /// Of the first entry that does not fit into its list, or has a port number that no version
    /// has. What more Open vSwitch refuses, [`check`](Self::check) finds.
    pub fn to_match(&self) -> Result<Match, DecodeError> {
        match self {
            MatchRef::Fixed10(fixed) => Ok(fixed.to_match()),
            MatchRef::Fixed11(fixed) => fixed.to_match(),
            MatchRef::Oxm(list) | MatchRef::Nxm(list) => list.to_match(),
        }
    }

    /// The cookie that a request of Nicira's asks for, and the bits of it that count.
    pub fn cookie(&self) -> Option<(u64, u64)> {
        let MatchRef::Nxm(list) = self else { return None };
        let mut entries = list.entries().map_while(Result::ok);
        let entry = entries.find(|entry| is_cookie(entry.header))?;
        let number = |bytes| u64::try_from(number(bytes)).ok();
        let mask = match entry.mask {
            Some(mask) => number(mask)?,
            None => u64::MAX,
        };
        Some((number(entry.value)?, mask))
    }
}

impl<'a> OxmList<'a> {
    /// The first `len` bytes of `part` are entries, the rest is padding.
    pub(crate) fn of(mut part: Reader<'a>, len: usize) -> Result<Self, DecodeError> {
        let entries = part.part(len, "match")?.named("OFPBMC_BAD_LEN");
        Ok(OxmList {
            entries,
            padding: part.rest(),
        })
    }

    /// The entries. One that does not fit into the list is an error, and the last.
    pub fn entries(&self) -> OxmEntries<'a> {
        OxmEntries(self.entries)
    }

    /// Writes entries and padding; at position `at` their length from `start` on.
    pub(crate) fn encode(&self, at: usize, start: usize, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        self.encode_entries(writer);
        writer.fill_len(at, start, "match")?;
        writer.bytes(self.padding);
        Ok(())
    }

    /// Writes the entries; from one on that does not fit, as they are.
    fn encode_entries(&self, writer: &mut Writer<'_>) {
        let mut entries = self.entries();
        loop {
            let rest = entries.0.rest();
            match entries.next() {
                Some(Ok(entry)) => entry.encode(writer),
                Some(Err(_)) => writer.bytes(rest),
                None => return,
            }
        }
    }

    /// How many entries there are, if the lengths in them are right.
    fn count(self) -> usize {
        let (mut left, mut count) = (self.entries.rest(), 0);
        while let [_, _, _, len, rest @ ..] = left {
            left = rest.get(usize::from(*len)..).unwrap_or_default();
            count += 1;
        }
        count
    }

    fn to_match(self) -> Result<Match, DecodeError> {
        let mut entries = Vec::with_capacity(self.count());
        let mut left = self.entries;
        while !left.is_empty() {
            let entry = OxmRef::decode(&mut left)?;
            match entry.header.field() {
                // Most are of this kind, and go right where they belong: a processor that copies what was just
                // written waits.
                Some(field) if field.info().bits <= 128 => {
                    let (field, value) = entry.to_number(field)?;
                    let mask = entry.to_mask();
                    entries.extend(iter::once_with(|| {
                        MatchEntry::Field(FieldMatch {
                            field,
                            value: Value::Number(value),
                            mask,
                        })
                    }));
                }
                _ if is_cookie(entry.header) => {}
                _ => entries.push(entry.to_entry()?),
            }
        }
        Ok(Match(entries))
    }
}

impl<'a> Iterator for OxmEntries<'a> {
    type Item = Result<OxmRef<'a>, DecodeError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let entry = OxmRef::decode(&mut self.0);
        if entry.is_err() {
            self.0 = Reader::at(&[], self.0.offset());
        }
        Some(entry)
    }
}

fn is_cookie(header: OxmHeader) -> bool {
    header == OxmHeader::COOKIE || header == OxmHeader::COOKIE_MASKED
}

fn bad_len(error: DecodeError) -> DecodeError {
    DecodeError {
        name: "OFPBMC_BAD_LEN",
        ..error
    }
}

const OFPMT_STANDARD: u16 = 0;
const OFPMT_OXM: u16 = 1;
/// The type and the length.
const HEADER_LEN: usize = 4;
