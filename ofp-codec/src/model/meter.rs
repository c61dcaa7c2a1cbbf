use alloc::vec::Vec;
use core::{fmt, time::Duration};

#[cfg(feature = "serde")]
use crate::model::json;
use crate::model::print::Elapsed;

/// A meter: what becomes of packets above a rate.
///
/// `Display` prints an entry of `ovs-ofctl dump-meters`: a line, and one for each band.
///
/// ```
/// use ofp_codec::{BandType, Meter, MeterBand, MeterFlags};
///
/// let meter = Meter {
///     id: 7,
///     flags: MeterFlags::KBPS,
///     bands: vec![MeterBand { kind: BandType::DROP, rate: 10, burst_size: 0, prec_level: 0 }],
/// };
/// assert_eq!(meter.to_string(), "meter=7 kbps bands=\ntype=drop rate=10");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Meter {
    /// The number.
    pub id: u32,
    /// The flags.
    #[cfg_attr(feature = "serde", serde(default))]
    pub flags: MeterFlags,
    /// The bands; of those whose rate is exceeded that with the highest rate applies.
    #[cfg_attr(feature = "serde", serde(default))]
    pub bands: Vec<MeterBand>,
}

/// A band of a meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct MeterBand {
    /// The type.
    pub kind: BandType,
    /// The rate above which it applies, in kbit or packets a second.
    pub rate: u32,
    /// How much may come at once, in kbit or packets; with [`MeterFlags::BURST`].
    #[cfg_attr(feature = "serde", serde(default))]
    pub burst_size: u32,
    /// How many classes of drop precedence are added; of [`BandType::DSCP_REMARK`].
    #[cfg_attr(feature = "serde", serde(default))]
    pub prec_level: u8,
}

/// What a band does (`enum ofp13_meter_band_type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BandType(pub u16);

/// The flags of a meter; unknown bits are kept (`enum ofp13_meter_flags`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct MeterFlags(pub u16);

/// What a meter counted: an entry of `ovs-ofctl meter-stats`, a line, and one for each band.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default)
)]
pub struct MeterStats {
    /// The number of the meter.
    pub id: u32,
    /// Flows that use it.
    pub flow_count: u32,
    /// Packets that came to it.
    #[cfg_attr(
        feature = "serde",
        serde(
            serialize_with = "json::decimal",
            deserialize_with = "crate::text::json::number"
        )
    )]
    pub packet_in_count: u64,
    /// Bytes of these packets.
    #[cfg_attr(
        feature = "serde",
        serde(
            serialize_with = "json::decimal",
            deserialize_with = "crate::text::json::number"
        )
    )]
    pub byte_in_count: u64,
    /// How long it has been there.
    #[cfg_attr(
        feature = "serde",
        serde(
            serialize_with = "json::seconds",
            deserialize_with = "crate::text::json::duration"
        )
    )]
    pub duration: Duration,
    /// Of each band the packets and bytes that it applied to.
    pub bands: Vec<BandStats>,
}

/// What a band counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default)
)]
pub struct BandStats {
    /// Packets.
    #[cfg_attr(
        feature = "serde",
        serde(
            serialize_with = "json::decimal",
            deserialize_with = "crate::text::json::number"
        )
    )]
    pub n_packets: u64,
    /// Bytes.
    #[cfg_attr(
        feature = "serde",
        serde(
            serialize_with = "json::decimal",
            deserialize_with = "crate::text::json::number"
        )
    )]
    pub n_bytes: u64,
}

impl Meter {
    /// `OFPM_SLOWPATH`: the meter of packets that ovs-vswitchd handles itself.
    pub const SLOWPATH: u32 = 0xffff_fffd;
    /// `OFPM_CONTROLLER`: the meter of packets for controllers.
    pub const CONTROLLER: u32 = 0xffff_fffe;
    /// `OFPM_ALL`: every meter, where meters are deleted or asked for.
    pub const ALL: u32 = 0xffff_ffff;
}

impl BandType {
    /// `OFPMBT_DROP`: drop the packet.
    pub const DROP: BandType = BandType(1);
    /// `OFPMBT_DSCP_REMARK`: raise its drop precedence.
    pub const DSCP_REMARK: BandType = BandType(2);

    /// The word, if it has one.
    pub(crate) fn word(self) -> Option<&'static str> {
        match self {
            BandType::DROP => Some("drop"),
            BandType::DSCP_REMARK => Some("dscp_remark"),
            _ => None,
        }
    }

    pub(crate) fn from_word(word: &[u8]) -> Option<Self> {
        match word {
            b"drop" => Some(BandType::DROP),
            b"dscp_remark" => Some(BandType::DSCP_REMARK),
            _ => None,
        }
    }
}

impl MeterFlags {
    /// `OFPMF_KBPS`: rates are kbit/s.
    pub const KBPS: MeterFlags = MeterFlags(1);
    /// `OFPMF_PKTPS`: rates are packets/s.
    pub const PKTPS: MeterFlags = MeterFlags(2);
    /// `OFPMF_BURST`: bands have a burst size.
    pub const BURST: MeterFlags = MeterFlags(4);
    /// `OFPMF_STATS`: statistics are collected.
    pub const STATS: MeterFlags = MeterFlags(8);

    /// Whether every flag of `other` is set.
    pub fn contains(self, other: MeterFlags) -> bool {
        self.0 & other.0 == other.0
    }

    /// The words of the flags that are set.
    pub(crate) fn words(self) -> impl Iterator<Item = &'static str> {
        let set = FLAGS.iter().filter(move |(_, flag)| self.contains(*flag));
        set.map(|(word, _)| *word)
    }

    /// The bits that are set and have no word.
    pub(crate) fn unknown(self) -> u16 {
        self.0 & !KNOWN_FLAGS
    }

    pub(crate) fn from_word(word: &[u8]) -> Option<Self> {
        let known = FLAGS.iter().find(|(known, _)| known.as_bytes() == word);
        known.map(|(_, flag)| *flag)
    }
}

impl fmt::Display for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "meter={} ", MeterId(self.id))?;
        for word in self.flags.words() {
            write!(f, "{word} ")?;
        }
        match self.flags.unknown() {
            0 => {}
            unknown => write!(f, "flags:{unknown:#x} ")?,
        }
        f.write_str("bands=")?;
        for band in &self.bands {
            write!(f, "\ntype={} rate={}", band.kind, band.rate)?;
            if self.flags.contains(MeterFlags::BURST) {
                write!(f, " burst_size={}", band.burst_size)?;
            }
            if band.kind == BandType::DSCP_REMARK {
                write!(f, " prec_level={}", band.prec_level)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for BandType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.word() {
            Some(word) => f.write_str(word),
            None => self.0.fmt(f),
        }
    }
}

impl fmt::Display for MeterStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "meter:{} flow_count:{} packet_in_count:{} byte_in_count:{} duration:{} bands:",
            MeterId(self.id),
            self.flow_count,
            self.packet_in_count,
            self.byte_in_count,
            Elapsed(self.duration)
        )?;
        for (number, BandStats { n_packets, n_bytes }) in self.bands.iter().enumerate() {
            write!(f, "\n{number}: packet_count:{n_packets} byte_count:{n_bytes}")?;
        }
        Ok(())
    }
}

/// The number of a meter, or the word for one of the reserved numbers.
pub(crate) struct MeterId(pub(crate) u32);

impl MeterId {
    pub(crate) const WORDS: [(&'static str, u32); 3] = [
        ("slowpath", Meter::SLOWPATH),
        ("controller", Meter::CONTROLLER),
        ("all", Meter::ALL),
    ];
}

impl fmt::Display for MeterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match MeterId::WORDS.iter().find(|(_, id)| *id == self.0) {
            Some((word, _)) => f.write_str(word),
            None if self.0 > MAX => f.write_str("unknown"),
            None => write!(f, "{}", self.0),
        }
    }
}

const FLAGS: [(&str, MeterFlags); 4] = [
    ("kbps", MeterFlags::KBPS),
    ("pktps", MeterFlags::PKTPS),
    ("burst", MeterFlags::BURST),
    ("stats", MeterFlags::STATS),
];
const KNOWN_FLAGS: u16 = 0xf;
/// `OFPM13_MAX`.
const MAX: u32 = 0xffff_0000;
