//! Meters: configuration, statistics, features, and the message that changes them. Since OpenFlow 1.3.

use alloc::vec::Vec;
use core::fmt;

use crate::{
    model::{
        meter::{BandStats, BandType, Meter, MeterBand, MeterFlags, MeterStats},
        version::Version,
    },
    wire::{
        bits::write_bit_names,
        counter::{decode_duration, encode_duration},
        entries::Entry,
        error::{DecodeError, EncodeError, Fault},
        kind::MessageKind,
        message::Message,
        read::Reader,
        write::Writer,
    },
};

/// `OFPT_METER_MOD`: makes, changes and deletes meters.
///
/// `Display` prints it as `ovs-ofctl ofp-print` does.
///
/// ```
/// use ofp_codec::{BandType, Meter, MeterBand, MeterFlags, Version};
/// use ofp_codec::wire::{Message, MeterCommand, MeterMod};
///
/// let band = MeterBand { kind: BandType::DROP, rate: 100, burst_size: 0, prec_level: 0 };
/// let meter = Meter { id: 3, flags: MeterFlags::KBPS, bands: vec![band] };
/// let add = MeterMod { command: MeterCommand::ADD, meter };
/// let mut bytes = Vec::new();
/// add.encode(Version::V1_3, 1, &mut bytes)?;
/// let decoded = MeterMod::decode(&Message::parse(&bytes).unwrap()).unwrap();
/// assert_eq!(decoded, add);
/// assert_eq!(decoded.to_string(), " ADD meter=3 kbps bands=\ntype=drop rate=100");
/// # Ok::<(), ofp_codec::wire::EncodeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeterMod {
    /// What is done.
    pub command: MeterCommand,
    /// The meter. Of one that is deleted only the number counts.
    pub meter: Meter,
}

/// What is done to a meter (`enum ofp13_meter_mod_command`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MeterCommand(pub u16);

/// What a switch can do with meters: `OFPMP_METER_FEATURES`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MeterFeatures {
    /// How many meters there may be.
    pub max_meters: u32,
    /// A bit for each [`BandType`].
    pub band_types: u32,
    /// The [`MeterFlags`] that are understood.
    pub capabilities: u32,
    /// How many bands a meter may have.
    pub max_bands: u8,
    /// How many colours there may be.
    pub max_color: u8,
}

impl MeterCommand {
    /// `OFPMC_ADD`: make a meter.
    pub const ADD: MeterCommand = MeterCommand(0);
    /// `OFPMC_MODIFY`: replace a meter.
    pub const MODIFY: MeterCommand = MeterCommand(1);
    /// `OFPMC_DELETE`: delete a meter, or all.
    pub const DELETE: MeterCommand = MeterCommand(2);
}

impl MeterMod {
    /// Reads the message: command, flags (16 bits each), meter (32 bits), bands.
    ///
    /// # Errors
    ///
    /// `OFPMMFC_BAD_COMMAND`, `OFPMMFC_BAD_FLAGS` for rates in two units, `OFPMMFC_BAD_BAND` for a type
    /// of band that is not known, `OFPBRC_BAD_LEN`.
    pub fn decode(message: &Message<'_>) -> Result<Self, DecodeError> {
        let mut body = message.body();
        let start = body;
        let command = MeterCommand(body.u16(WHAT)?);
        let flags = MeterFlags(body.u16(WHAT)?);
        let id = body.u32(WHAT)?;
        let refuse = |name, value: u16| Err(start.named(name).error(WHAT, Fault::Value(value.into())));
        if command.0 > MeterCommand::DELETE.0 {
            return refuse("OFPMMFC_BAD_COMMAND", command.0);
        }
        let mut meter = Meter {
            id,
            flags: MeterFlags::default(),
            bands: Vec::new(),
        };
        if command != MeterCommand::DELETE {
            if flags.contains(MeterFlags::KBPS) && flags.contains(MeterFlags::PKTPS) {
                return refuse("OFPMMFC_BAD_FLAGS", flags.0);
            }
            meter.flags = flags;
            meter.bands = decode_bands(body)?;
        }
        Ok(MeterMod { command, meter })
    }

    /// Appends the message.
    ///
    /// # Errors
    ///
    /// [`EncodeError::NotInVersion`] before OpenFlow 1.3; [`EncodeError::OutOfRange`] for a level of a band that has none.
    pub fn encode(&self, version: Version, xid: u32, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let deletes = self.command == MeterCommand::DELETE;
        let meter = &self.meter;
        MessageKind::MeterMod.encode(version, xid, out, |writer| {
            writer.u16(self.command.0);
            writer.u16(if deletes { 0 } else { meter.flags.0 });
            writer.u32(meter.id);
            match deletes {
                true => Ok(()),
                false => meter.bands.iter().try_for_each(|band| encode_band(band, writer)),
            }
        })
    }
}

/// Type, length (16 bits each), rate, burst size (32 bits each), level, padding
/// (`struct ofp13_meter_band_dscp_remark`); other types have padding for the level.
fn decode_bands(mut reader: Reader<'_>) -> Result<Vec<MeterBand>, DecodeError> {
    let mut bands = Vec::new();
    while !reader.is_empty() {
        let mut band = reader.part(BAND_LEN, "band")?;
        let start = band;
        let (kind, len) = (BandType(band.u16("band")?), band.u16("band")?);
        if usize::from(len) != BAND_LEN {
            let fault = Fault::Length {
                wanted: BAND_LEN,
                got: len.into(),
            };
            return Err(start.error("band", fault));
        }
        if ![BandType::DROP, BandType::DSCP_REMARK].contains(&kind) {
            let fault = Fault::Value(kind.0.into());
            return Err(start.named("OFPMMFC_BAD_BAND").error("band", fault));
        }
        let (rate, burst_size) = (band.u32("band")?, band.u32("band")?);
        let level = band.u8("band")?;
        bands.push(MeterBand {
            kind,
            rate,
            burst_size,
            prec_level: if kind == BandType::DSCP_REMARK { level } else { 0 },
        });
    }
    Ok(bands)
}

fn encode_band(band: &MeterBand, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
    if band.prec_level != 0 && band.kind != BandType::DSCP_REMARK {
        return Err(EncodeError::OutOfRange {
            what: "level of a band that drops",
            value: band.prec_level.into(),
        });
    }
    writer.u16(band.kind.0);
    writer.u16(16);
    writer.u32(band.rate);
    writer.u32(band.burst_size);
    writer.u8(band.prec_level);
    writer.zeros(3);
    Ok(())
}

/// Length, flags (16 bits each), meter, bands (`struct ofp13_meter_config`).
impl<'a> Entry<'a> for Meter {
    const WHAT: &'static str = "meter";

    fn len(mut reader: Reader<'a>, _: Version) -> Result<usize, DecodeError> {
        reader.u16("length").map(usize::from)
    }

    fn decode(mut entry: Reader<'a>, _: Version) -> Result<Self, DecodeError> {
        entry.u16("length")?;
        let flags = MeterFlags(entry.u16(Self::WHAT)?);
        Ok(Meter {
            id: entry.u32(Self::WHAT)?,
            flags,
            bands: decode_bands(entry)?,
        })
    }
}

/// Meter, length (16 bits), padding, flows, packets, bytes, duration, packets and bytes of each band
/// (`struct ofp13_meter_stats`).
impl<'a> Entry<'a> for MeterStats {
    const WHAT: &'static str = "meter statistics";

    fn len(mut reader: Reader<'a>, _: Version) -> Result<usize, DecodeError> {
        reader.u32("meter")?;
        reader.u16("length").map(usize::from)
    }

    fn decode(mut entry: Reader<'a>, _: Version) -> Result<Self, DecodeError> {
        let reader = &mut entry;
        let id = reader.u32(Self::WHAT)?;
        reader.u64("length")?;
        let mut stats = MeterStats {
            id,
            flow_count: reader.u32(Self::WHAT)?,
            packet_in_count: reader.u64(Self::WHAT)?,
            byte_in_count: reader.u64(Self::WHAT)?,
            duration: decode_duration(reader)?.unwrap_or_default(),
            bands: Vec::new(),
        };
        while !reader.is_empty() {
            stats.bands.push(BandStats {
                n_packets: reader.u64("band")?,
                n_bytes: reader.u64("band")?,
            });
        }
        Ok(stats)
    }
}

impl Meter {
    /// Writes the entry of a reply that describes meters.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLong`] for more bands than fit.
    pub fn encode(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let start = writer.len();
        writer.u16(0);
        writer.u16(self.flags.0);
        writer.u32(self.id);
        self.bands.iter().try_for_each(|band| encode_band(band, writer))?;
        writer.fill_len(start, start, Self::WHAT)
    }
}

impl MeterStats {
    /// Writes the entry of a reply.
    ///
    /// # Errors
    ///
    /// [`EncodeError::OutOfRange`] for more seconds than 32 bits, [`EncodeError::TooLong`] for more bands than
    /// fit.
    pub fn encode(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let start = writer.len();
        writer.u32(self.id);
        writer.zeros(8);
        writer.u32(self.flow_count);
        writer.u64(self.packet_in_count);
        writer.u64(self.byte_in_count);
        encode_duration(Some(self.duration), writer)?;
        for band in &self.bands {
            writer.u64(band.n_packets);
            writer.u64(band.n_bytes);
        }
        writer.fill_len(start + 4, start, Self::WHAT)
    }
}

impl MeterFeatures {
    /// Writes the reply.
    pub fn encode(&self, writer: &mut Writer<'_>) {
        writer.u32(self.max_meters);
        writer.u32(self.band_types);
        writer.u32(self.capabilities);
        writer.bytes(&[self.max_bands, self.max_color, 0, 0]);
    }

    /// Reads the reply: meters, types, capabilities (32 bits each), bands, colours (8 bits each), padding.
    ///
    /// # Errors
    ///
    /// If it is too short.
    pub fn decode(message: &Message<'_>) -> Result<Self, DecodeError> {
        let mut body = message.body();
        Ok(MeterFeatures {
            max_meters: body.u32(WHAT)?,
            band_types: body.u32(WHAT)?,
            capabilities: body.u32(WHAT)?,
            max_bands: body.u8(WHAT)?,
            max_color: body.u8(WHAT)?,
        })
    }
}

impl fmt::Display for MeterMod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.command {
            MeterCommand::ADD => f.write_str(" ADD ")?,
            MeterCommand::MODIFY => f.write_str(" MOD ")?,
            MeterCommand::DELETE => f.write_str(" DEL ")?,
            MeterCommand(number) => write!(f, " cmd:{number} ")?,
        }
        self.meter.fmt(f)
    }
}

/// As `ovs-ofctl meter-features` prints it.
impl fmt::Display for MeterFeatures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let MeterFeatures {
            max_meters,
            max_bands,
            max_color,
            ..
        } = self;
        write!(
            f,
            "\nmax_meter:{max_meters} max_bands:{max_bands} max_color:{max_color}\nband_types: "
        )?;
        write_bit_names(
            f,
            self.band_types,
            &[(1 << 1, "drop"), (1 << 2, "dscp_remark")],
            " ",
        )?;
        f.write_str("\ncapabilities: ")?;
        write_bit_names(
            f,
            self.capabilities,
            &[(1, "kbps"), (2, "pktps"), (4, "burst"), (8, "stats")],
            " ",
        )?;
        f.write_str("\n")
    }
}

const BAND_LEN: usize = 16;
const WHAT: &str = "meter_mod";
