//! Groups: descriptions, statistics, features, and the message that changes them.

mod bucket;
mod features;
mod selection;
mod stats;

use alloc::vec::Vec;
use core::fmt;

use self::{
    bucket::{decode_buckets, encode_buckets},
    selection::{decode_selection, encode_selection},
};
use crate::{
    model::{
        group::{BucketId, Group, GroupType},
        version::Version,
    },
    wire::{
        entries::Entry,
        error::{DecodeError, EncodeError, Fault},
        kind::MessageKind,
        message::Message,
        read::Reader,
        write::Writer,
    },
};

pub use features::GroupFeatures;

/// `OFPT_GROUP_MOD`: makes, changes and deletes groups and their buckets.
///
/// `Display` prints it as `ovs-ofctl ofp-print` does, without the new line in front.
///
/// ```
/// use ofp_codec::{Group, GroupType, Version, wire::{GroupCommand, GroupMod, Message}};
///
/// let group = Group::new(5, GroupType::ALL);
/// let add = GroupMod { command: GroupCommand::ADD, bucket: GroupMod::ALL_BUCKETS, group };
/// let mut bytes = Vec::new();
/// add.encode(Version::V1_5, 1, &mut bytes)?;
/// let decoded = GroupMod::decode(&Message::parse(&bytes).unwrap()).unwrap();
/// assert_eq!(decoded, add);
/// assert_eq!(decoded.to_string(), "ADD group_id=5,type=all");
/// # Ok::<(), ofp_codec::wire::EncodeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupMod {
    /// What is done.
    pub command: GroupCommand,
    /// The bucket before which buckets are put in or which is removed, in OpenFlow 1.5 and Nicira's
    /// form for 1.0; else [`ALL_BUCKETS`](Self::ALL_BUCKETS).
    pub bucket: u32,
    /// The group, or those of its buckets that the command is about.
    pub group: Group,
}

/// What is done to a group (`enum ofp15_group_mod_command`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GroupCommand(pub u16);

impl GroupCommand {
    /// `OFPGC_ADD`: make a group.
    pub const ADD: GroupCommand = GroupCommand(0);
    /// `OFPGC_MODIFY`: replace a group.
    pub const MODIFY: GroupCommand = GroupCommand(1);
    /// `OFPGC_DELETE`: delete a group, or all.
    pub const DELETE: GroupCommand = GroupCommand(2);
    /// `OFPGC_INSERT_BUCKET`: put buckets in; since OpenFlow 1.5.
    pub const INSERT_BUCKET: GroupCommand = GroupCommand(3);
    /// `OFPGC_REMOVE_BUCKET`: remove buckets; since OpenFlow 1.5.
    pub const REMOVE_BUCKET: GroupCommand = GroupCommand(5);
    /// Open vSwitch's own: make or replace a group.
    pub const ADD_OR_MOD: GroupCommand = GroupCommand(0x8000);

    /// Whether it is about buckets.
    fn is_of_buckets(self) -> bool {
        [GroupCommand::INSERT_BUCKET, GroupCommand::REMOVE_BUCKET].contains(&self)
    }
}

impl GroupMod {
    /// Every bucket.
    pub const ALL_BUCKETS: u32 = BucketId::ALL;

    /// Reads the message: command (16 bits), type, padding, group; in OpenFlow 1.0 and 1.5 also the
    /// length of the buckets, padding, a bucket; buckets; properties.
    ///
    /// # Errors
    ///
    /// The names of Open vSwitch for what it refuses of the message alone.
    pub fn decode(message: &Message<'_>) -> Result<Self, DecodeError> {
        let version = message.header().version;
        let mut body = message.body();
        let start = body;
        let command = GroupCommand(body.u16(WHAT)?);
        let kind = GroupType(body.u8(WHAT)?);
        body.u8(WHAT)?;
        let mut group = Group::new(body.u32(WHAT)?, kind);
        let mut bucket = GroupMod::ALL_BUCKETS;
        let refused = |name| start.named(name).error(WHAT, Fault::Combination);
        if has_properties(version) {
            let len = usize::from(body.u16(WHAT)?);
            body.u16(WHAT)?;
            bucket = body.u32(WHAT)?;
            let reserved = match command {
                GroupCommand::REMOVE_BUCKET => &[BucketId::FIRST, BucketId::LAST, BucketId::ALL][..],
                GroupCommand::INSERT_BUCKET => &[BucketId::FIRST, BucketId::LAST],
                _ => &[BucketId::ALL],
            };
            let numbered = command.is_of_buckets() && bucket <= MAX_BUCKET;
            if !numbered && !reserved.contains(&bucket) {
                return Err(refused("OFPGMFC_BAD_BUCKET"));
            }
            group.buckets = decode_buckets(body.part(len, WHAT)?, version, kind)?;
            let may_select = match command {
                GroupCommand::ADD | GroupCommand::MODIFY | GroupCommand::ADD_OR_MOD => Ok(()),
                GroupCommand(0..=3 | 5) => Err("OFPBPC_BAD_VALUE"),
                _ => Err("OFPGMFC_BAD_COMMAND"),
            };
            group.selection = decode_selection(body, kind, may_select)?;
        } else {
            group.buckets = decode_buckets(body, version, kind)?;
            if version >= Version::V1_3 && command == GroupCommand::DELETE && !group.buckets.is_empty() {
                return Err(refused("OFPGMFC_INVALID_GROUP"));
            }
        }
        let decoded = GroupMod {
            command,
            bucket,
            group,
        };
        decoded.check().map_err(refused)?;
        Ok(decoded)
    }

    /// `ofputil_check_group_mod` in lib/ofp-group.c.
    fn check(&self) -> Result<(), &'static str> {
        let (kind, buckets) = (self.group.kind, &self.group.buckets);
        if kind.0 > GroupType::FAST_FAILOVER.0 {
            return Err("OFPGMFC_BAD_TYPE");
        }
        if kind == GroupType::INDIRECT && self.command != GroupCommand::DELETE && buckets.len() != 1 {
            return Err("OFPGMFC_INVALID_GROUP");
        }
        match self.command {
            GroupCommand::REMOVE_BUCKET if !buckets.is_empty() => return Err("OFPGMFC_BAD_BUCKET"),
            GroupCommand(0..=3 | 5 | 0x8000) => {}
            _ => return Err("OFPGMFC_BAD_COMMAND"),
        }
        for bucket in buckets {
            let inserted = self.command == GroupCommand::INSERT_BUCKET;
            if bucket.weight != 0 && kind != GroupType::SELECT && !inserted {
                return Err("OFPGMFC_INVALID_GROUP");
            }
            let watches = bucket.watch_port.is_some() || bucket.watch_group.is_some();
            match kind {
                GroupType::ALL | GroupType::INDIRECT if watches => return Err("OFPGMFC_WATCH_UNSUPPORTED"),
                GroupType::FAST_FAILOVER if !watches => return Err("OFPGMFC_INVALID_GROUP"),
                _ => {}
            }
        }
        Ok(())
    }

    /// Appends the message. Buckets without numbers get the lowest that are free.
    ///
    /// # Errors
    ///
    /// [`EncodeError::NotInVersion`] for a command or a way of selection that the version does not have,
    /// and what actions have no bytes for.
    pub fn encode(&self, version: Version, xid: u32, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let group = &self.group;
        let newer = has_properties(version);
        if !newer && (self.command.is_of_buckets() || group.selection.is_some()) {
            let what = "change of buckets or way of selection";
            return Err(EncodeError::NotInVersion { what, version });
        }
        if !newer && self.bucket != GroupMod::ALL_BUCKETS {
            let what = "bucket that a command is about";
            return Err(EncodeError::NotInVersion { what, version });
        }
        MessageKind::GroupMod.encode(version, xid, out, |writer| {
            writer.u16(self.command.0);
            writer.u8(group.kind.0);
            writer.u8(0);
            writer.u32(group.id);
            if !newer {
                return encode_buckets(group, version, writer);
            }
            let len = writer.len();
            writer.zeros(4);
            writer.u32(self.bucket);
            let start = writer.len();
            encode_buckets(group, version, writer)?;
            writer.fill_len(len, start, "buckets")?;
            match &group.selection {
                Some(selection) => encode_selection(selection, version, writer),
                None => Ok(()),
            }
        })
    }
}

/// Length, type, padding, group; in OpenFlow 1.0 and 1.5 the length of the buckets and padding; buckets;
/// properties (`struct ofp11_group_desc_stats`, `struct ofp15_group_desc_stats`).
impl<'a> Entry<'a> for Group {
    const WHAT: &'static str = "group description";

    fn len(mut reader: Reader<'a>, _: Version) -> Result<usize, DecodeError> {
        reader.u16("length").map(usize::from)
    }

    fn decode(mut entry: Reader<'a>, version: Version) -> Result<Self, DecodeError> {
        let reader = &mut entry;
        reader.u16("length")?;
        let kind = GroupType(reader.u8(Self::WHAT)?);
        reader.u8(Self::WHAT)?;
        let mut group = Group::new(reader.u32(Self::WHAT)?, kind);
        if !has_properties(version) {
            group.buckets = decode_buckets(entry, version, kind)?;
            return Ok(group);
        }
        let len = usize::from(reader.u16(Self::WHAT)?);
        reader.bytes(6, Self::WHAT)?;
        group.buckets = decode_buckets(reader.part(len, Self::WHAT)?, version, kind)?;
        group.selection = decode_selection(entry, kind, Ok(()))?;
        Ok(group)
    }
}

impl Group {
    /// Writes the entry of a reply that describes groups.
    ///
    /// # Errors
    ///
    /// [`EncodeError::NotInVersion`] for a way of selection that the version does not have, and what actions
    /// have no bytes for.
    pub fn encode(&self, version: Version, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let start = writer.len();
        writer.u16(0);
        writer.u8(self.kind.0);
        writer.u8(0);
        writer.u32(self.id);
        match &self.selection {
            Some(_) if !has_properties(version) => {
                let what = "way of selection";
                return Err(EncodeError::NotInVersion { what, version });
            }
            _ if !has_properties(version) => encode_buckets(self, version, writer)?,
            selection => {
                let len = writer.len();
                writer.zeros(8);
                let buckets = writer.len();
                encode_buckets(self, version, writer)?;
                writer.fill_len(len, buckets, "buckets")?;
                if let Some(selection) = selection {
                    encode_selection(selection, version, writer)?;
                }
            }
        }
        writer.fill_len(start, start, Self::WHAT)
    }
}

/// Whether groups have properties and their buckets numbers: in OpenFlow 1.5, and in Nicira's form for
/// 1.0.
fn has_properties(version: Version) -> bool {
    version == Version::V1_0 || version >= Version::V1_5
}

fn unknown_property(kind: u16, mut property: Reader<'_>) -> DecodeError {
    let name = match (kind, property.u32("experimenter"), property.u32("type")) {
        (EXPERIMENTER, Ok(0), _) => "OFPBPC_BAD_EXPERIMENTER",
        (EXPERIMENTER, Ok(_), Ok(_)) => "OFPBPC_BAD_EXP_TYPE",
        (EXPERIMENTER, ..) => "OFPBPC_BAD_LEN",
        _ => "OFPBPC_BAD_TYPE",
    };
    property.named(name).error("property", Fault::Value(kind.into()))
}

impl fmt::Display for GroupMod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.command {
            GroupCommand::ADD => f.write_str("ADD ")?,
            GroupCommand::MODIFY => f.write_str("MOD ")?,
            GroupCommand::ADD_OR_MOD => f.write_str("ADD_OR_MOD ")?,
            GroupCommand::DELETE => f.write_str("DEL ")?,
            GroupCommand::INSERT_BUCKET => f.write_str("INSERT_BUCKET ")?,
            GroupCommand::REMOVE_BUCKET => f.write_str("REMOVE_BUCKET ")?,
            GroupCommand(number) => write!(f, "cmd:{number} ")?,
        }
        if !self.command.is_of_buckets() {
            return self.group.fmt(f);
        }
        // The type says nothing here.
        let Group {
            id, kind, buckets, ..
        } = &self.group;
        write!(f, "command_bucket_id:{},group_id={id}", BucketId(self.bucket))?;
        buckets.iter().try_for_each(|bucket| {
            f.write_str(",")?;
            bucket.print(f, *kind)
        })
    }
}

/// `OFPGPT15_EXPERIMENTER`.
const EXPERIMENTER: u16 = 0xffff;
/// `OFPG15_BUCKET_MAX`.
const MAX_BUCKET: u32 = 0xffff_ff00;
const WHAT: &str = "group_mod";
