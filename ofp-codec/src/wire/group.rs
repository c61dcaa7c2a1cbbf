//! Groups: descriptions, statistics, features, and the message that changes them.

use alloc::vec::Vec;
use core::fmt;

use crate::{
    model::canonical::actions::Context,
    model::{
        group::{Bucket, BucketId, BucketStats, Group, GroupStats, GroupType, Selection, SelectionField},
        matches::Value,
        port::{NumberOrName, Port, PortRef},
        print::Hex,
        version::Version,
    },
    wire::{
        action::{decode_actions, encode_actions},
        action_set::ActionSet,
        counter::{decode_counter, decode_duration},
        entries::Entry,
        error::{DecodeError, EncodeError, Fault},
        kind::MessageKind,
        message::Message,
        oxm::{OxmHeader, OxmRef},
        property::decode_property,
        read::Reader,
        write::Writer,
    },
};

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

/// What a switch can do with groups: `OFPMP_GROUP_FEATURES`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GroupFeatures {
    /// A bit for each [`GroupType`].
    pub types: u32,
    /// `OFPGFC_*`: weights 1, liveness 2, chains 4, checks of chains 8.
    pub capabilities: u32,
    /// How many groups of each type there may be.
    pub max_groups: [u32; 4],
    /// For each type, a bit for each number of an action of the version.
    pub actions: [u32; 4],
}

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

/// Length, padding, group, flows, padding, packets, bytes; since OpenFlow 1.3 and in 1.0 duration;
/// packets and bytes of each bucket (`struct ofp11_group_stats`, `struct ofp13_group_stats`).
impl<'a> Entry<'a> for GroupStats {
    const WHAT: &'static str = "group statistics";

    fn len(mut reader: Reader<'a>, _: Version) -> Result<usize, DecodeError> {
        reader.u16("length").map(usize::from)
    }

    fn decode(mut entry: Reader<'a>, version: Version) -> Result<Self, DecodeError> {
        let reader = &mut entry;
        reader.u32("length")?;
        let id = reader.u32(Self::WHAT)?;
        let ref_count = reader.u32(Self::WHAT)?;
        reader.u32(Self::WHAT)?;
        let (n_packets, n_bytes) = (reader.u64(Self::WHAT)?, reader.u64(Self::WHAT)?);
        let duration = match version {
            Version::V1_1 | Version::V1_2 => None,
            _ => decode_duration(reader)?,
        };
        let mut buckets = Vec::new();
        while reader.len() >= 16 {
            buckets.push(BucketStats {
                n_packets: decode_counter(reader)?,
                n_bytes: decode_counter(reader)?,
            });
        }
        Ok(GroupStats {
            id,
            duration,
            ref_count,
            n_packets,
            n_bytes,
            buckets,
        })
    }
}

impl GroupFeatures {
    /// Reads the reply: types, capabilities, greatest numbers, actions.
    ///
    /// # Errors
    ///
    /// If it is too short.
    pub fn decode(message: &Message<'_>) -> Result<Self, DecodeError> {
        let mut body = message.body();
        let mut features = GroupFeatures {
            types: body.u32(WHAT)?,
            capabilities: body.u32(WHAT)?,
            ..GroupFeatures::default()
        };
        for number in features.max_groups.iter_mut().chain(&mut features.actions) {
            *number = body.u32(WHAT)?;
        }
        Ok(features)
    }

    /// Writes the body of the reply.
    pub fn encode(&self, writer: &mut Writer<'_>) {
        writer.u32(self.types);
        writer.u32(self.capabilities);
        let numbers = self.max_groups.iter().chain(&self.actions);
        numbers.for_each(|number| writer.u32(*number));
    }

    /// As `ovs-ofctl dump-group-features` prints it; the version gives the actions their numbers.
    pub(crate) fn print(&self, version: Version) -> impl fmt::Display {
        struct Printed(GroupFeatures, Version);
        impl fmt::Display for Printed {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let Printed(features, version) = self;
                writeln!(f, "\n Group table:\n    Types:  0x{:x}", features.types)?;
                writeln!(f, "    Capabilities:  0x{:x}", features.capabilities)?;
                let limits = features.max_groups.iter().zip(features.actions);
                // Groups themselves print as `ff`.
                let words = ["all", "select", "indirect", "fast failover"];
                for (kind, (word, (max, actions))) in words.iter().zip(limits).enumerate() {
                    if features.types & 1 << kind != 0 {
                        let actions = ActionSet::from_bits(actions, *version);
                        writeln!(f, "    {word} group:")?;
                        writeln!(f, "       max_groups={}", Hex((*max).into()))?;
                        writeln!(f, "       actions: {actions}")?;
                    }
                }
                Ok(())
            }
        }
        Printed(*self, version)
    }
}

/// Whether groups have properties and their buckets numbers: in OpenFlow 1.5, and in Nicira's form for
/// 1.0.
fn has_properties(version: Version) -> bool {
    version == Version::V1_0 || version >= Version::V1_5
}

fn decode_buckets(
    mut reader: Reader<'_>,
    version: Version,
    kind: GroupType,
) -> Result<Vec<Bucket>, DecodeError> {
    let mut buckets: Vec<Bucket> = Vec::new();
    reader = reader.named(BAD_BUCKET);
    let all = reader;
    while !reader.is_empty() {
        let len = usize::from({ reader }.u16("bucket length")?);
        let bucket = reader.part(len, "bucket")?;
        buckets.push(decode_bucket(bucket, version, kind)?);
    }
    let mut ids: Vec<u32> = buckets.iter().filter_map(|bucket| bucket.id).collect();
    ids.sort_unstable();
    match ids.windows(2).any(|pair| pair[0] == pair[1]) {
        true => Err(all.error("bucket", Fault::Repeated)),
        false => Ok(buckets),
    }
}

/// Before OpenFlow 1.5 length, weight, port, group, padding, actions (`struct ofp11_bucket`); then and in
/// 1.0 length, length of the actions, number, actions, properties (`struct ofp15_bucket`).
fn decode_bucket(mut reader: Reader<'_>, version: Version, kind: GroupType) -> Result<Bucket, DecodeError> {
    let start = reader;
    reader.u16("bucket")?;
    let watch = |number| match Port::from_32_bits(number) {
        Some(port) => Ok(Some(PortRef::from(port)).filter(|_| port != Port::ANY)),
        None => Err(start
            .named("OFPGMFC_BAD_WATCH")
            .error("watched port", Fault::Value(number.into()))),
    };
    if !has_properties(version) {
        let weight = reader.u16("bucket")?;
        let (port, group) = (reader.u32("bucket")?, reader.u32("bucket")?);
        reader.u32("bucket")?;
        return Ok(Bucket {
            id: None,
            weight,
            actions: decode_actions(reader, version)?,
            watch_port: watch(port)?,
            watch_group: Some(group).filter(|group| *group != Group::ANY),
        });
    }
    let actions_len = usize::from(reader.u16("bucket")?);
    let id = reader.u32("bucket")?;
    let actions = decode_actions(reader.part(actions_len, "actions")?, version)?;
    let mut bucket = Bucket {
        id: Some(id),
        weight: kind.default_weight(),
        actions,
        ..Bucket::default()
    };
    let mut port = Port::ANY.0;
    while !reader.is_empty() {
        let (kind, mut property) = decode_property(&mut reader)?;
        match kind {
            WEIGHT => bucket.weight = property.u16("weight")?,
            WATCH_PORT => port = exactly_u32(property, "watched port")?,
            WATCH_GROUP => {
                let group = exactly_u32(property, "watched group")?;
                bucket.watch_group = Some(group).filter(|group| *group != Group::ANY);
            }
            _ => return Err(unknown_property(kind, property)),
        }
    }
    bucket.watch_port = watch(port)?;
    if id > MAX_BUCKET {
        return Err(start.error("bucket number", Fault::Value(id.into())));
    }
    Ok(bucket)
}

fn exactly_u32(mut property: Reader<'_>, what: &'static str) -> Result<u32, DecodeError> {
    let number = property.u32(what)?;
    property.finish(what)?;
    Ok(number)
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

fn encode_buckets(group: &Group, version: Version, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
    let mut free = 0..;
    for bucket in &group.buckets {
        let start = writer.len();
        let port = match &bucket.watch_port {
            None => Port::ANY,
            Some(NumberOrName::Number(port)) => *port,
            Some(NumberOrName::Name(name)) => {
                let (what, name) = ("port", name.clone());
                return Err(EncodeError::Unresolved { what, name });
            }
        };
        let watched = bucket.watch_group.unwrap_or(Group::ANY);
        writer.u16(0);
        if !has_properties(version) {
            writer.u16(bucket.weight);
            writer.u32(port.0);
            writer.u32(watched);
            writer.u32(0);
            encode_actions(&bucket.actions, &Context::new(version), writer)?;
            writer.fill_len(start, start, "bucket")?;
            continue;
        }
        let is_free = |id: &u32| group.buckets.iter().all(|bucket| bucket.id != Some(*id));
        let id = bucket.id.or_else(|| free.by_ref().find(is_free));
        writer.u16(0);
        writer.u32(id.unwrap_or(0));
        encode_actions(&bucket.actions, &Context::new(version), writer)?;
        writer.fill_len(start + 2, start + 8, "actions")?;
        if group.kind == GroupType::SELECT || bucket.weight != 0 {
            let [high, low] = bucket.weight.to_be_bytes();
            encode_property(WEIGHT, [high, low, 0, 0], writer);
        }
        if port != Port::ANY {
            encode_property(WATCH_PORT, port.0.to_be_bytes(), writer);
        }
        if watched != Group::ANY {
            encode_property(WATCH_GROUP, watched.to_be_bytes(), writer);
        }
        writer.fill_len(start, start, "bucket")?;
    }
    Ok(())
}

fn encode_property(kind: u16, value: [u8; 4], writer: &mut Writer<'_>) {
    writer.u16(kind);
    writer.u16(8);
    writer.bytes(&value);
}

/// Netronome's property: experimenter, type, padding, method in 16 bytes, argument, and the fields as
/// entries whose value has the bits that count (`struct ntr_group_prop_selection_method`).
fn decode_selection(
    mut reader: Reader<'_>,
    kind: GroupType,
    allowed: Result<(), &'static str>,
) -> Result<Option<Selection>, DecodeError> {
    let mut selection = None;
    while !reader.is_empty() {
        let (number, property) = decode_property(&mut reader)?;
        let mut rest = property;
        let known = number == EXPERIMENTER
            && rest
                .u32("experimenter")
                .is_ok_and(|id| [NETRONOME, NETRONOME_BEFORE].contains(&id))
            && rest.u32("type").is_ok_and(|kind| kind == SELECTION_METHOD);
        if !known {
            return Err(unknown_property(number, property));
        }
        let refuse = |name| Err(property.named(name).error("selection method", Fault::Combination));
        if kind.0 > GroupType::FAST_FAILOVER.0 {
            return refuse("OFPGMFC_BAD_TYPE");
        }
        if kind != GroupType::SELECT {
            return refuse("OFPBPC_BAD_VALUE");
        }
        if let Err(name) = allowed {
            return refuse(name);
        }
        rest.u32("padding")?;
        let name: [u8; 16] = rest.array("selection method")?;
        let Some(end) = name.iter().position(|byte| *byte == 0) else {
            return refuse("OFPBPC_BAD_VALUE");
        };
        let method = core::str::from_utf8(&name[..end]).ok();
        let Some(method) = method.filter(|method| ["hash", "dp_hash"].contains(method)) else {
            return refuse("OFPBPC_BAD_VALUE");
        };
        let param = rest.u64("selection method")?;
        let mut fields: Vec<SelectionField> = Vec::new();
        if method != "hash" && !rest.is_empty() {
            return refuse("OFPBPC_BAD_VALUE");
        }
        rest = rest.named("OFPBMC_BAD_LEN");
        while !rest.is_empty() {
            let entry = OxmRef::decode(&mut rest)?;
            let Some(field) = entry.header.field() else {
                return refuse("OFPBMC_BAD_FIELD");
            };
            if entry.mask.is_some() {
                return refuse("OFPBMC_BAD_MASK");
            }
            if fields.iter().any(|known| known.field == field) {
                return refuse("OFPBMC_DUP_FIELD");
            }
            let found = entry.to_field_match(field)?;
            fields.push(SelectionField {
                field,
                bits: found.value.number().filter(|bits| *bits != field.mask_max()),
            });
        }
        fields.sort_by_key(|found| found.field);
        selection = Some(Selection {
            method: method.into(),
            param,
            fields,
        });
    }
    Ok(selection)
}

fn encode_selection(
    selection: &Selection,
    version: Version,
    writer: &mut Writer<'_>,
) -> Result<(), EncodeError> {
    let start = writer.len();
    writer.u16(EXPERIMENTER);
    writer.u16(0);
    writer.u32(NETRONOME);
    writer.u32(SELECTION_METHOD);
    writer.u32(0);
    let method = selection.method.as_bytes();
    // One byte is for the zero at the end.
    if method.len() > 15 {
        return Err(EncodeError::TooLong {
            what: "selection method",
            len: method.len(),
            limit: 15,
        });
    }
    writer.bytes(method);
    writer.zeros(16 - method.len());
    writer.u64(selection.param);
    for SelectionField { field, bits } in &selection.fields {
        let header = OxmHeader::of(*field, Some(version));
        let what = field.name();
        let header = header.ok_or(EncodeError::NotInVersion { what, version })?;
        let bits = Value::Number(bits.unwrap_or(field.mask_max()));
        header.encode_entry(&bits, None, writer)?;
    }
    writer.fill_len(start + 2, start, "selection method")?;
    writer.pad(start, 8);
    Ok(())
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

// `enum ofp15_group_bucket_prop_type`.
const WEIGHT: u16 = 0;
const WATCH_PORT: u16 = 1;
const WATCH_GROUP: u16 = 2;
/// `OFPGPT15_EXPERIMENTER`.
const EXPERIMENTER: u16 = 0xffff;
/// `NTR_VENDOR_ID`, and its one type of property.
const NETRONOME: u32 = 0x154d;
const SELECTION_METHOD: u32 = 1;
/// `NTR_COMPAT_VENDOR_ID`: what Open vSwitch 2.5 wrote by mistake.
const NETRONOME_BEFORE: u32 = 0x1540;
/// `OFPG15_BUCKET_MAX`.
const MAX_BUCKET: u32 = 0xffff_ff00;
const BAD_BUCKET: &str = "OFPGMFC_BAD_BUCKET";
const WHAT: &str = "group_mod";
