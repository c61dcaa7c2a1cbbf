//! `ovs_meter`: the rate limits of a datapath.
//!
//! Its commands are `FEATURES` (1), `SET` (2), `DEL` (3) and `GET` (4), unlike those of other families. It cannot be
//! dumped.
//!
//! Source: `linux/openvswitch.h` (`enum ovs_meter_attr`, `enum ovs_band_attr`); the rules are those of
//! `net/openvswitch/meter.c`.
//!
//! ```
//! use netlink_genl::ovs::Attribute;
//! use netlink_genl::ovs::meter::MeterAttr;
//!
//! assert_eq!(MeterAttr::name(4), Some("OVS_METER_ATTR_BANDS"));
//! ```

mod request;

use alloc::vec::Vec;
use core::ffi::CStr;

pub use self::request::{Meter, MeterFeatures, NewBand, NewMeter, delete, features, get, set};

use super::Attribute;
use super::flow::Stats;
use super::table::Payload;
use crate::nlattr::{Attr, DecodeError, EncodeError, Sink};

/// Name of the family, and of its multicast group.
pub const FAMILY: &CStr = c"ovs_meter";

/// `OVS_METER_VERSION`.
pub const VERSION: u8 = 1;

attributes! {
    /// `enum ovs_meter_attr`. All numbers are in host byte order.
    pub enum MeterAttr "OVS_METER_ATTR_" {
        /// The number of the meter.
        1 Id(u32) "ID",
        /// Rates are in kilobits per second, and not in packets.
        2 Kbps(()) "KBPS",
        /// Packets and bytes that it has seen.
        3 Stats(Stats) "STATS",
        /// Its limits.
        4 Bands(Bands) "BANDS",
        /// Milliseconds of the monotonic clock when it was used last.
        5 Used(u64) "USED",
        /// Sets the counters to zero.
        6 Clear(()) "CLEAR",
        /// How many meters there may be.
        7 MaxMeters(u32) "MAX_METERS",
        /// How many bands a meter may have.
        8 MaxBands(u32) "MAX_BANDS",
        /// Nothing, to align what follows.
        9 Pad(()) "PAD",
    }
}

attributes! {
    /// `enum ovs_band_attr`. All numbers are in host byte order.
    pub enum BandAttr "OVS_BAND_ATTR_" {
        /// 1: drop what exceeds the rate.
        1 Type(u32) "TYPE",
        /// The rate, in the unit of the meter.
        2 Rate(u32) "RATE",
        /// What may exceed the rate for a short time.
        3 Burst(u32) "BURST",
        /// Packets and bytes that exceeded it.
        4 Stats(Stats) "STATS",
    }
}

/// The limits of a meter: attributes whose type means nothing, each with the attributes of a limit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bands(pub Vec<Band>);

/// One limit of a meter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Band {
    /// Type of the attribute around it. The kernel neither looks at it nor keeps it.
    pub kind: u16,
    /// What the limit is.
    pub attrs: Vec<BandAttr>,
}

impl Payload for Bands {
    fn decode(attr: &Attr<'_>) -> Result<Self, DecodeError> {
        let band = |attr: Result<Attr<'_>, DecodeError>| {
            let attr = attr?;
            Ok(Band {
                kind: attr.kind(),
                attrs: Payload::decode(&attr)?,
            })
        };
        attr.attrs().map(band).collect::<Result<_, _>>().map(Self)
    }

    fn encode<S: Sink>(&self, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        sink.nest(kind, |s| {
            self.0.iter().try_for_each(|band| band.attrs.encode(band.kind, s))
        })
    }

    fn name_at(path: &[u16]) -> Option<&'static str> {
        BandAttr::name_at(path.get(1..)?)
    }
}
