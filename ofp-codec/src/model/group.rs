use alloc::{boxed::Box, vec::Vec};
use core::{fmt, time::Duration};

#[cfg(feature = "serde")]
use crate::model::json;
use crate::model::{
    action::Action,
    canonical::printed::PrintedActions,
    field::Field,
    matches::Value,
    port::PortRef,
    print::{self, Elapsed, write_list},
};

/// A group: lists of actions, of which its type says which are executed.
///
/// `Display` prints a line of `ovs-ofctl dump-groups`, without the space in front.
///
/// ```
/// use ofp_codec::{Bucket, Group, GroupType, Port};
///
/// let group = Group {
///     buckets: vec![Bucket { id: Some(0), weight: 100, actions: vec![], ..Bucket::default() }],
///     ..Group::new(5, GroupType::SELECT)
/// };
/// assert_eq!(group.to_string(), "group_id=5,type=select,bucket=bucket_id:0,weight:100,actions=drop");
/// assert_eq!(Group::parse(group.to_string().as_bytes())?.buckets[0].weight, 100);
/// # Ok::<(), ofp_codec::text::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Group {
    /// The number.
    pub id: u32,
    /// The type.
    pub kind: GroupType,
    /// How a bucket is selected, for [`GroupType::SELECT`] (an extension of Netronome's). `None`: as
    /// the switch likes.
    pub selection: Option<Selection>,
    /// The buckets, in order.
    #[cfg_attr(feature = "serde", serde(default))]
    pub buckets: Vec<Bucket>,
}

/// What a group does with its buckets (`enum ofp11_group_type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GroupType(pub u8);

/// How a bucket is selected: `selection_method=hash,selection_method_param=5,fields(ip_src,ip_dst)`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Selection {
    /// The method: `hash`, `dp_hash`.
    pub method: Box<str>,
    /// An argument of the method.
    #[cfg_attr(
        feature = "serde",
        serde(
            default,
            serialize_with = "json::decimal",
            deserialize_with = "crate::text::json::number"
        )
    )]
    pub param: u64,
    /// The fields that are hashed.
    #[cfg_attr(feature = "serde", serde(default))]
    pub fields: Vec<SelectionField>,
}

/// A field that is hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectionField {
    /// The field.
    pub field: Field,
    /// The bits of it that are hashed. `None`: all.
    pub bits: Option<u128>,
}

/// A bucket of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default)
)]
pub struct Bucket {
    /// The number, which OpenFlow 1.5 and Nicira's extension of 1.0 have.
    pub id: Option<u32>,
    /// The weight, for [`GroupType::SELECT`].
    pub weight: u16,
    /// The port that must be up, for [`GroupType::FAST_FAILOVER`].
    pub watch_port: Option<PortRef>,
    /// The group that must be up, for [`GroupType::FAST_FAILOVER`].
    pub watch_group: Option<u32>,
    /// What is done.
    pub actions: Vec<Action>,
}

/// What a group counted: a line of `ovs-ofctl dump-group-stats`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default)
)]
pub struct GroupStats {
    /// The number of the group.
    pub id: u32,
    /// How long it has been there; since OpenFlow 1.3.
    #[cfg_attr(
        feature = "serde",
        serde(
            serialize_with = "json::seconds",
            deserialize_with = "crate::text::json::seconds"
        )
    )]
    pub duration: Option<Duration>,
    /// Flows and groups that refer to it.
    pub ref_count: u32,
    /// Packets; all ones if the switch does not count them.
    #[cfg_attr(
        feature = "serde",
        serde(
            serialize_with = "json::decimal",
            deserialize_with = "crate::text::json::number"
        )
    )]
    pub n_packets: u64,
    /// Bytes; all ones if the switch does not count them.
    #[cfg_attr(
        feature = "serde",
        serde(
            serialize_with = "json::decimal",
            deserialize_with = "crate::text::json::number"
        )
    )]
    pub n_bytes: u64,
    /// Of each bucket, the packets and bytes.
    pub buckets: Vec<BucketStats>,
}

/// What a bucket counted. `None` if the switch does not count by bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default)
)]
pub struct BucketStats {
    /// Packets.
    #[cfg_attr(
        feature = "serde",
        serde(
            serialize_with = "json::decimal",
            deserialize_with = "crate::text::json::decimal"
        )
    )]
    pub n_packets: Option<u64>,
    /// Bytes.
    #[cfg_attr(
        feature = "serde",
        serde(
            serialize_with = "json::decimal",
            deserialize_with = "crate::text::json::decimal"
        )
    )]
    pub n_bytes: Option<u64>,
}

impl Group {
    /// `OFPG_ALL`: every group, where groups are deleted or asked for.
    pub const ALL: u32 = 0xffff_fffc;
    /// `OFPG_ANY`: no group in particular.
    pub const ANY: u32 = 0xffff_ffff;

    /// A group without buckets.
    pub fn new(id: u32, kind: GroupType) -> Self {
        Group {
            id,
            kind,
            selection: None,
            buckets: Vec::new(),
        }
    }
}

impl GroupType {
    /// `OFPGT_ALL`: every bucket.
    pub const ALL: GroupType = GroupType(0);
    /// `OFPGT_SELECT`: one of them.
    pub const SELECT: GroupType = GroupType(1);
    /// `OFPGT_INDIRECT`: the one that there is.
    pub const INDIRECT: GroupType = GroupType(2);
    /// `OFPGT_FF`: the first that is up.
    pub const FAST_FAILOVER: GroupType = GroupType(3);

    /// The weight of a bucket that names none.
    pub(crate) fn default_weight(self) -> u16 {
        u16::from(self == GroupType::SELECT)
    }

    /// The word, if it has one.
    pub(crate) fn word(self) -> Option<&'static str> {
        TYPES.get(usize::from(self.0)).copied()
    }

    pub(crate) fn from_word(word: &[u8]) -> Option<Self> {
        // The longer word is for people.
        let word = if word == b"fast_failover" { b"ff" } else { word };
        let at = TYPES.iter().position(|known| known.as_bytes() == word)?;
        u8::try_from(at).ok().map(GroupType)
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "group_id={},type={}", self.id, self.kind)?;
        if let Some(selection) = &self.selection {
            write!(f, ",{selection}")?;
        }
        for bucket in &self.buckets {
            f.write_str(",")?;
            bucket.print(f, self.kind)?;
        }
        Ok(())
    }
}

impl fmt::Display for GroupType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word().unwrap_or("unknown"))
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "selection_method={}", self.method)?;
        if self.param != 0 {
            write!(f, ",selection_method_param={}", self.param)?;
        }
        match &self.fields[..] {
            [] => Ok(()),
            [field] => write!(f, ",fields={field}"),
            fields => {
                f.write_str(",fields(")?;
                write_list(f, fields)?;
                f.write_str(")")
            }
        }
    }
}

impl fmt::Display for SelectionField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let full = self.field.mask_max();
        self.field.fmt(f)?;
        match self.bits.filter(|bits| *bits != full) {
            None => Ok(()),
            Some(bits) => {
                f.write_str("=")?;
                print::value(f, self.field, &Value::Number(bits), None, print::Place::SetField)
            }
        }
    }
}

impl Bucket {
    /// In a group of this type.
    pub(crate) fn print(&self, f: &mut fmt::Formatter<'_>, kind: GroupType) -> fmt::Result {
        f.write_str("bucket=")?;
        if let Some(id) = self.id {
            write!(f, "bucket_id:{},", BucketId(id))?;
        }
        if self.weight != kind.default_weight() {
            write!(f, "weight:{},", self.weight)?;
        }
        if let Some(port) = &self.watch_port {
            write!(f, "watch_port:{port},")?;
        }
        if let Some(group) = self.watch_group {
            write!(f, "watch_group:{group},")?;
        }
        write!(f, "actions={}", PrintedActions(&self.actions))
    }
}

/// The number of a bucket, or the word for one of the reserved numbers.
pub(crate) struct BucketId(pub(crate) u32);

impl BucketId {
    pub(crate) const FIRST: u32 = 0xffff_fffd;
    pub(crate) const LAST: u32 = 0xffff_fffe;
    pub(crate) const ALL: u32 = 0xffff_ffff;
}

impl fmt::Display for BucketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            BucketId::FIRST => f.write_str("first"),
            BucketId::LAST => f.write_str("last"),
            BucketId::ALL => f.write_str("all"),
            id => write!(f, "{id}"),
        }
    }
}

impl fmt::Display for GroupStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "group_id={},", self.id)?;
        if let Some(duration) = self.duration {
            write!(f, "duration={},", Elapsed(duration))?;
        }
        let GroupStats {
            ref_count,
            n_packets,
            n_bytes,
            ..
        } = self;
        write!(
            f,
            "ref_count={ref_count},packet_count={n_packets},byte_count={n_bytes}"
        )?;
        for (number, bucket) in self.buckets.iter().enumerate() {
            if let Some(packets) = bucket.n_packets {
                let bytes = bucket.n_bytes.unwrap_or(u64::MAX);
                write!(f, ",bucket{number}:packet_count={packets},byte_count={bytes}")?;
            }
        }
        Ok(())
    }
}

/// The types from 0 (`ofp_print_group` in lib/ofp-group.c).
const TYPES: [&str; 4] = ["all", "select", "indirect", "ff"];
