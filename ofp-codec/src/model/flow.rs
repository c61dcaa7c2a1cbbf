use alloc::vec::Vec;
use core::{
    fmt,
    ops::{BitOr, BitOrAssign},
    time::Duration,
};

#[cfg(feature = "serde")]
use crate::model::json;
use crate::model::{
    action::Action,
    matches::{Match, Unknown},
    port::TableRef,
    print::{Elapsed, Separated, write_list},
};

/// The priority of a flow that names none (`OFP_DEFAULT_PRIORITY`).
pub const DEFAULT_PRIORITY: u16 = 32768;

/// A flow of an OpenFlow table.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default)
)]
pub struct Flow {
    /// The table that the flow is in.
    pub table: TableRef,
    /// The priority; of the flows that match a packet, the highest wins.
    pub priority: u16,
    /// The number that the controller tagged the flow with.
    #[cfg_attr(
        feature = "serde",
        serde(serialize_with = "json::hex", deserialize_with = "crate::text::json::number")
    )]
    pub cookie: u64,
    /// Seconds without a packet after which the flow goes; 0 is never.
    pub idle_timeout: u16,
    /// Seconds after which the flow goes; 0 is never.
    pub hard_timeout: u16,
    /// The eviction precedence of OpenFlow 1.4 and later.
    pub importance: u16,
    /// The flags.
    pub flags: FlowFlags,
    /// The statistics, as far as they were given.
    pub stats: Stats,
    /// What a packet must look like.
    pub matches: Match,
    /// What is done with the packet, in order. A dump prints an empty list as `drop`, which is
    /// read as one [`Action::Drop`].
    pub actions: Vec<Action>,
    /// What else stood before the match and is not known here, in order.
    pub unknown: Vec<Unknown>,
    /// What the text does not say of it: not known, where the value here is 0 or none.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Unsaid::is_nothing"))]
    pub unsaid: Unsaid,
}

/// What a text does not say of a flow. `ovs-appctl bridge/dump-flows` prints no timeouts, importance and flags, and
/// cookies since release 3.3, if they are not 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Unsaid {
    /// The cookie.
    pub cookie: bool,
    /// Timeouts, importance and flags.
    pub settings: bool,
}

impl Unsaid {
    /// Whether all of the flow is known.
    pub fn is_nothing(&self) -> bool {
        *self == Unsaid::default()
    }
}

impl BitOr for Unsaid {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Unsaid {
            cookie: self.cookie || other.cookie,
            settings: self.settings || other.settings,
        }
    }
}

impl Default for Flow {
    /// The flow of table 0 that matches every packet, at the default priority, without actions.
    fn default() -> Self {
        Flow {
            table: TableRef::Number(0),
            priority: DEFAULT_PRIORITY,
            cookie: 0,
            idle_timeout: 0,
            hard_timeout: 0,
            importance: 0,
            flags: FlowFlags::default(),
            stats: Stats::default(),
            matches: Match::default(),
            actions: Vec::new(),
            unknown: Vec::new(),
            unsaid: Unsaid::default(),
        }
    }
}

impl Flow {
    /// The priority and the match.
    pub(crate) fn selector(&self) -> Selector<'_> {
        Selector(self)
    }
}

/// `priority=5,tcp,tp_dst=80`; nothing for a flow of the default priority that matches all packets.
pub(crate) struct Selector<'a>(&'a Flow);

impl Selector<'_> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.priority == DEFAULT_PRIORITY && self.0.matches.0.is_empty()
    }
}

impl fmt::Display for Selector<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = Separated::new(f);
        if self.0.priority != DEFAULT_PRIORITY {
            list.item(&format_args!("priority={}", self.0.priority))?;
        }
        if !self.0.matches.0.is_empty() {
            list.item(&self.0.matches)?;
        }
        Ok(())
    }
}

/// Actions with commas; `drop` for none.
pub(crate) struct ActionList<'a>(pub(crate) &'a [Action]);

impl fmt::Display for ActionList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] => f.write_str("drop"),
            actions => write_list(f, actions),
        }
    }
}

/// The flow as `ovs-ofctl dump-flows` prints it, without the space in front; without statistics, as with
/// `--no-stats`.
///
/// ```
/// use ofp_codec::text::FlowRef;
///
/// let line = "cookie=0x5, duration=3.500s, table=0, n_packets=7, n_bytes=?, priority=9,tcp actions=resubmit(,4)";
/// let mut flow = FlowRef::parse(line.as_bytes())?.to_flow()?;
/// assert_eq!(flow.to_string(), line);
/// flow.stats = ofp_codec::Stats::default();
/// assert_eq!(flow.to_string(), "cookie=0x5, priority=9,tcp actions=resubmit(,4)");
/// # Ok::<(), ofp_codec::text::ParseError>(())
/// ```
impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stats = &self.stats;
        // `ofputil_flow_stats_format` in lib/ofp-flow.c prints these with statistics even if they are 0.
        let full = stats.duration.is_some();
        if full && !self.unsaid.cookie || self.cookie != 0 {
            write!(f, "cookie={:#x}, ", self.cookie)?;
        }
        if let Some(duration) = stats.duration {
            write!(f, "duration={}, ", Elapsed(duration))?;
        }
        if full || self.table != TableRef::Number(0) {
            write!(f, "table={}, ", self.table)?;
        }
        let counters = [
            ("n_packets", stats.n_packets, full),
            ("n_bytes", stats.n_bytes, full),
            ("n_offload_packets", stats.n_offload_packets, false),
            ("n_offload_bytes", stats.n_offload_bytes, false),
        ];
        for (key, counter, always) in counters {
            match counter {
                Some(counter) => write!(f, "{key}={counter}, ")?,
                None if always => write!(f, "{key}=?, ")?,
                None => {}
            }
        }
        for (key, seconds) in [
            ("idle_timeout", self.idle_timeout),
            ("hard_timeout", self.hard_timeout),
        ] {
            if seconds != 0 {
                write!(f, "{key}={seconds}, ")?;
            }
        }
        if self.flags != FlowFlags::default() {
            write!(f, "{} ", self.flags)?;
        }
        if self.importance != 0 {
            write!(f, "importance={}, ", self.importance)?;
        }
        for (key, age) in [("idle_age", stats.idle_age), ("hard_age", stats.hard_age)] {
            age.map_or(Ok(()), |age| write!(f, "{key}={age}, "))?;
        }
        self.unknown
            .iter()
            .try_for_each(|unknown| write!(f, "{unknown}, "))?;
        let selector = self.selector();
        if !selector.is_empty() {
            write!(f, "{selector} ")?;
        }
        write!(f, "actions={}", ActionList(&self.actions))
    }
}

/// The statistics of a flow. What the dump did not give, or gave as `?`, is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default)
)]
pub struct Stats {
    /// How long the flow has been there.
    #[cfg_attr(
        feature = "serde",
        serde(
            serialize_with = "json::seconds",
            deserialize_with = "crate::text::json::seconds"
        )
    )]
    pub duration: Option<Duration>,
    /// Packets that matched.
    #[cfg_attr(
        feature = "serde",
        serde(
            serialize_with = "json::decimal",
            deserialize_with = "crate::text::json::decimal"
        )
    )]
    pub n_packets: Option<u64>,
    /// Bytes of these packets.
    #[cfg_attr(
        feature = "serde",
        serde(
            serialize_with = "json::decimal",
            deserialize_with = "crate::text::json::decimal"
        )
    )]
    pub n_bytes: Option<u64>,
    /// Packets that an offload handled (`bridge/dump-flows --offload-stats`).
    #[cfg_attr(
        feature = "serde",
        serde(
            serialize_with = "json::decimal",
            deserialize_with = "crate::text::json::decimal"
        )
    )]
    pub n_offload_packets: Option<u64>,
    /// Bytes of these packets.
    #[cfg_attr(
        feature = "serde",
        serde(
            serialize_with = "json::decimal",
            deserialize_with = "crate::text::json::decimal"
        )
    )]
    pub n_offload_bytes: Option<u64>,
    /// Seconds since the last packet.
    pub idle_age: Option<u32>,
    /// Seconds since the last change of the flow, if that differs from its duration.
    pub hard_age: Option<u32>,
}

/// The flags of a flow; unknown bits are kept. The low bits are those of OpenFlow 1.3's
/// `ofp_flow_mod_flags`, the bits above 0x8000 exist inside Open vSwitch only.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct FlowFlags(pub u32);

impl FlowFlags {
    /// `OFPFF_SEND_FLOW_REM`: tell the controller when the flow goes.
    pub const SEND_FLOW_REM: FlowFlags = FlowFlags(0x1);
    /// `OFPFF_CHECK_OVERLAP`: refuse the flow if it overlaps another of its priority.
    pub const CHECK_OVERLAP: FlowFlags = FlowFlags(0x2);
    /// `OFPFF12_RESET_COUNTS`: a change resets the counters.
    pub const RESET_COUNTS: FlowFlags = FlowFlags(0x4);
    /// `OFPFF13_NO_PKT_COUNTS`: packets need not be counted.
    pub const NO_PACKET_COUNTS: FlowFlags = FlowFlags(0x8);
    /// `OFPFF13_NO_BYT_COUNTS`: bytes need not be counted.
    pub const NO_BYTE_COUNTS: FlowFlags = FlowFlags(0x10);
    /// `allow_hidden_fields`: internal to Open vSwitch.
    pub const ALLOW_HIDDEN_FIELDS: FlowFlags = FlowFlags(0x1_0000);
    /// `no_readonly_table`: internal to Open vSwitch.
    pub const NO_READONLY_TABLE: FlowFlags = FlowFlags(0x2_0000);

    /// Whether every flag of `other` is set.
    pub fn contains(self, other: FlowFlags) -> bool {
        self.0 & other.0 == other.0
    }

    /// The words of the flags that are set.
    pub(crate) fn words(self) -> impl Iterator<Item = &'static str> {
        let set = WORDS.iter().filter(move |(_, flag)| self.contains(*flag));
        set.map(|(word, _)| *word)
    }

    /// The bits that are set and have no word.
    #[cfg(feature = "serde")]
    pub(crate) fn unknown(self) -> u32 {
        WORDS.iter().fold(self.0, |bits, (_, flag)| bits & !flag.0)
    }

    /// The flag of this word.
    pub(crate) fn from_word(word: &[u8]) -> Option<Self> {
        let known = |&&(name, _): &&(&str, FlowFlags)| name.as_bytes() == word;
        WORDS.iter().find(known).map(|&(_, flag)| flag)
    }
}

impl BitOr for FlowFlags {
    type Output = FlowFlags;

    fn bitor(self, other: FlowFlags) -> FlowFlags {
        FlowFlags(self.0 | other.0)
    }
}

impl BitOrAssign for FlowFlags {
    fn bitor_assign(&mut self, other: FlowFlags) {
        self.0 |= other.0;
    }
}

/// The words of the flags as a dump prints them, with a space between two.
impl fmt::Display for FlowFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut space = "";
        for word in self.words() {
            write!(f, "{space}{word}")?;
            space = " ";
        }
        Ok(())
    }
}

impl fmt::Debug for FlowFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FlowFlags({:#x}: {self})", self.0)
    }
}

// In the order in which `ofputil_flow_mod_flags_format` (lib/ofp-flow.c) prints them.
const WORDS: [(&str, FlowFlags); 7] = [
    ("send_flow_rem", FlowFlags::SEND_FLOW_REM),
    ("check_overlap", FlowFlags::CHECK_OVERLAP),
    ("reset_counts", FlowFlags::RESET_COUNTS),
    ("no_packet_counts", FlowFlags::NO_PACKET_COUNTS),
    ("no_byte_counts", FlowFlags::NO_BYTE_COUNTS),
    ("allow_hidden_fields", FlowFlags::ALLOW_HIDDEN_FIELDS),
    ("no_readonly_table", FlowFlags::NO_READONLY_TABLE),
];
