//! Requests about meters, and what is answered.

use alloc::vec;
use alloc::vec::Vec;

use super::{Band, BandAttr, Bands, MeterAttr, VERSION};
use crate::message::{DecodeError, EncodeError, Errno, Message, Request};
use crate::nlattr::RawAttr;
use crate::ovs::flow::Stats;
use crate::ovs::{self, DpIfindex, Object};

/// A meter that is to be made, or to replace the one with its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMeter {
    /// The datapath that shall have it.
    pub datapath: DpIfindex,
    /// Its number.
    pub id: u32,
    /// Whether rates are in kilobits per second; otherwise in packets.
    pub kbps: bool,
    /// Its limits. The kernel takes [`MeterFeatures::max_bands`], which is 1.
    pub bands: Vec<NewBand>,
}

/// A limit, beyond which packets are dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewBand {
    /// The rate, in the unit of the meter.
    pub rate: u32,
    /// What may exceed the rate for a short time.
    pub burst: u32,
}

/// What a meter has counted. The kernel does not tell its rates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Meter {
    /// The datapath that has it.
    pub datapath: DpIfindex,
    /// Its number. `None` in the answer to a deletion of one that was not there.
    pub id: Option<u32>,
    /// Packets and bytes that it has seen.
    pub stats: Option<Stats>,
    /// Milliseconds of the monotonic clock when it was used last.
    pub used_ms: Option<u64>,
    /// Of each limit, packets and bytes that exceeded it.
    pub bands: Vec<Stats>,
    /// Attributes that are not known here, byte for byte and in their order.
    pub other: Vec<RawAttr>,
}

/// What meters of a datapath can do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct MeterFeatures {
    /// How many meters there may be.
    pub max_meters: u32,
    /// How many limits a meter may have.
    pub max_bands: u32,
    /// Kinds of limits: 1 for those that drop.
    pub band_types: Vec<u32>,
}

impl Meter {
    /// Reads a meter from an answer of the family.
    ///
    /// # Errors
    /// [`DecodeError::Attr`] for a bad attribute; [`DecodeError::Short`] if the headers do not fit.
    pub fn decode(message: &Message<'_>) -> Result<Self, DecodeError> {
        let Object { datapath, attrs, .. } = Object::<MeterAttr>::decode(message)?;
        let mut meter = Self {
            datapath,
            ..Self::default()
        };
        for attr in attrs {
            match attr {
                MeterAttr::Id(id) => meter.id = Some(id),
                MeterAttr::Stats(stats) => meter.stats = Some(stats),
                MeterAttr::Used(used) => meter.used_ms = Some(used),
                MeterAttr::Bands(bands) => {
                    meter.bands = bands.each(|attr| match attr {
                        BandAttr::Stats(stats) => Some(*stats),
                        _ => None,
                    });
                }
                MeterAttr::Unknown(raw) => meter.other.push(raw),
                _ => {}
            }
        }
        Ok(meter)
    }
}

impl MeterFeatures {
    /// Reads the answer to [`features`].
    ///
    /// # Errors
    /// As [`Meter::decode`].
    pub fn decode(message: &Message<'_>) -> Result<Self, DecodeError> {
        let mut features = Self::default();
        for attr in Object::<MeterAttr>::decode(message)?.attrs {
            match attr {
                MeterAttr::MaxMeters(max) => features.max_meters = max,
                MeterAttr::MaxBands(max) => features.max_bands = max,
                MeterAttr::Bands(bands) => {
                    features.band_types = bands.each(|attr| match attr {
                        BandAttr::Type(kind) => Some(*kind),
                        _ => None,
                    });
                }
                _ => {}
            }
        }
        Ok(features)
    }
}

impl Bands {
    /// What `find` finds among the attributes of the limits.
    fn each<T>(&self, find: fn(&BandAttr) -> Option<T>) -> Vec<T> {
        let attrs = self.0.iter().flat_map(|band| &band.attrs);
        attrs.filter_map(find).collect()
    }
}

/// A request for what meters can do.
///
/// # Errors
/// None: an [`EncodeError`] is for attributes that are too big.
pub fn features(family: u16, dp: DpIfindex) -> Result<Request, EncodeError> {
    request(family, dp, CMD_FEATURES, vec![])
}

/// A request for a meter; `ENOENT` if there is none.
///
/// # Errors
/// As [`features`].
pub fn get(family: u16, dp: DpIfindex, id: u32) -> Result<Request, EncodeError> {
    request(family, dp, CMD_GET, vec![MeterAttr::Id(id)])
}

/// A request to make a meter, answered with what the one that it replaces has counted.
///
/// # Errors
/// [`EncodeError::Attr`] if the limits exceed an attribute.
pub fn set(family: u16, meter: &NewMeter) -> Result<Request, EncodeError> {
    let bands = meter.bands.iter().map(|band| Band {
        kind: 0,
        attrs: vec![
            BandAttr::Type(BAND_DROP),
            BandAttr::Rate(band.rate),
            BandAttr::Burst(band.burst),
        ],
    });
    let mut attrs = vec![MeterAttr::Id(meter.id)];
    attrs.extend(meter.kbps.then_some(MeterAttr::Kbps(())));
    attrs.push(MeterAttr::Bands(Bands(bands.collect())));
    request(family, meter.datapath, CMD_SET, attrs)
}

/// A request to delete a meter, answered with what it has counted.
///
/// # Errors
/// As [`features`].
pub fn delete(family: u16, dp: DpIfindex, id: u32) -> Result<Request, EncodeError> {
    request(family, dp, CMD_DEL, vec![MeterAttr::Id(id)])
}

/// The kernel answers every command of this family with an object.
fn request(
    family: u16,
    datapath: DpIfindex,
    command: u8,
    attrs: Vec<MeterAttr>,
) -> Result<Request, EncodeError> {
    let request = ovs::change(family, VERSION, datapath, command, attrs)?;
    Ok(request.suspecting(&[(Errno::ENOENT, ATTR_ID)]))
}

const ATTR_ID: u16 = 1;
// enum ovs_meter_cmd, enum ovs_meter_band_type
const CMD_FEATURES: u8 = 1;
const CMD_SET: u8 = 2;
const CMD_DEL: u8 = 3;
const CMD_GET: u8 = 4;
const BAND_DROP: u32 = 1;
