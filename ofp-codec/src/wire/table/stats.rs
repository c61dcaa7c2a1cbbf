use alloc::collections::BTreeSet;

use crate::{
    model::{field::Field, version::Version},
    wire::{
        action_set::ActionSet,
        entries::Entry,
        error::DecodeError,
        oxm::OxmHeader,
        port::decode_name_of,
        read::Reader,
        record::record,
        table::features::{InstructionSet, TableFeatures, TableMiss},
        write::Writer,
    },
};

record! {
    /// `struct ofp10_table_stats` of `openflow-1.0.h`.
    pub struct TableStats10 "table statistics" {
        /// The table.
        table_id: u8,
        /// Zeros.
        padding: [u8; 3],
        /// The name, filled up with zeros.
        name: [u8; 32],
        /// The fields that need not be matched, as bits of `enum ofp10_flow_wildcards`.
        wildcards: u32,
        /// How many flows it holds.
        max_entries: u32,
        /// How many flows it has.
        active_count: u32,
        /// How many packets were looked up.
        lookup_count: u64,
        /// How many of them matched a flow.
        matched_count: u64,
    }

    /// `struct ofp11_table_stats` of `openflow-1.1.h`.
    pub struct TableStats11 "table statistics" {
        /// The table.
        table_id: u8,
        /// Zeros.
        padding: [u8; 7],
        /// The name, filled up with zeros.
        name: [u8; 32],
        /// The fields that need not be matched, as bits of `enum ofp11_flow_match_fields`.
        wildcards: u32,
        /// The fields that may be matched.
        match_fields: u32,
        /// The instructions, as bits of their numbers.
        instructions: u32,
        /// The actions that flows may keep for the end.
        write_actions: u32,
        /// The actions that flows may do at once.
        apply_actions: u32,
        /// What becomes of packets that match no flow.
        config: u32,
        /// How many flows it holds.
        max_entries: u32,
        /// How many flows it has.
        active_count: u32,
        /// How many packets were looked up.
        lookup_count: u64,
        /// How many of them matched a flow.
        matched_count: u64,
    }

    /// `struct ofp12_table_stats` of `openflow-1.2.h`.
    pub struct TableStats12 "table statistics" {
        /// The table.
        table_id: u8,
        /// Zeros.
        padding: [u8; 7],
        /// The name, filled up with zeros.
        name: [u8; 32],
        /// The fields that may be matched, as bits of their OXM numbers.
        match_fields: u64,
        /// The fields that need not be matched.
        wildcards: u64,
        /// The actions that flows may keep for the end.
        write_actions: u32,
        /// The actions that flows may do at once.
        apply_actions: u32,
        /// The fields that actions may set that are kept for the end.
        write_setfields: u64,
        /// The fields that actions may set that are done at once.
        apply_setfields: u64,
        /// The bits of metadata that may be matched.
        metadata_match: u64,
        /// The bits of metadata that may be written.
        metadata_write: u64,
        /// The instructions, as bits of their numbers.
        instructions: u32,
        /// What becomes of packets that match no flow.
        config: u32,
        /// How many flows it holds.
        max_entries: u32,
        /// How many flows it has.
        active_count: u32,
        /// How many packets were looked up.
        lookup_count: u64,
        /// How many of them matched a flow.
        matched_count: u64,
    }

    /// `struct ofp13_table_stats` of `openflow-1.3.h`.
    pub struct TableStats13 "table statistics" {
        /// The table.
        table_id: u8,
        /// Zeros.
        padding: [u8; 3],
        /// How many flows it has.
        active_count: u32,
        /// How many packets were looked up.
        lookup_count: u64,
        /// How many of them matched a flow.
        matched_count: u64,
    }
}

/// An entry of `OFPST_TABLE`, as it stands. It encodes to the bytes that it was decoded from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TableStatsRef {
    /// In OpenFlow 1.0.
    Of10(TableStats10),
    /// In OpenFlow 1.1.
    Of11(TableStats11),
    /// In OpenFlow 1.2.
    Of12(TableStats12),
    /// Since OpenFlow 1.3.
    Of13(TableStats13),
}

/// What a table counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableStats {
    /// How many flows it has.
    pub active: u32,
    /// How many packets were looked up.
    pub lookups: u64,
    /// How many of them matched a flow.
    pub matched: u64,
    /// The table; before OpenFlow 1.3 also what it can do.
    pub features: TableFeatures,
}

impl<'a> Entry<'a> for TableStatsRef {
    const WHAT: &'static str = "table statistics";

    fn len(_: Reader<'a>, version: Version) -> Result<usize, DecodeError> {
        Ok(match version {
            Version::V1_0 => TableStats10::LEN,
            Version::V1_1 => TableStats11::LEN,
            Version::V1_2 => TableStats12::LEN,
            _ => TableStats13::LEN,
        })
    }

    fn decode(mut entry: Reader<'a>, version: Version) -> Result<Self, DecodeError> {
        Ok(match version {
            Version::V1_0 => TableStatsRef::Of10(TableStats10::decode(&mut entry)?),
            Version::V1_1 => TableStatsRef::Of11(TableStats11::decode(&mut entry)?),
            Version::V1_2 => TableStatsRef::Of12(TableStats12::decode(&mut entry)?),
            _ => TableStatsRef::Of13(TableStats13::decode(&mut entry)?),
        })
    }
}

impl TableStatsRef {
    /// Writes the very bytes that it was decoded from.
    pub fn encode(&self, writer: &mut Writer<'_>) {
        match self {
            TableStatsRef::Of10(stats) => stats.encode(writer),
            TableStatsRef::Of11(stats) => stats.encode(writer),
            TableStatsRef::Of12(stats) => stats.encode(writer),
            TableStatsRef::Of13(stats) => stats.encode(writer),
        }
    }
}

impl<'a> Entry<'a> for TableStats {
    const WHAT: &'static str = TableStatsRef::WHAT;

    fn len(reader: Reader<'a>, version: Version) -> Result<usize, DecodeError> {
        TableStatsRef::len(reader, version)
    }

    fn decode(entry: Reader<'a>, version: Version) -> Result<Self, DecodeError> {
        macro_rules! stats {
            ($from:ident, $features:expr) => {
                TableStats {
                    active: $from.active_count,
                    lookups: $from.lookup_count,
                    matched: $from.matched_count,
                    features: $features,
                }
            };
        }
        Ok(match TableStatsRef::decode(entry, version)? {
            TableStatsRef::Of10(from) => stats!(from, of10(&from)?),
            TableStatsRef::Of11(from) => stats!(from, of11(&from)?),
            TableStatsRef::Of12(from) => stats!(from, of12(&from)?),
            TableStatsRef::Of13(from) => {
                let table = from.table_id;
                stats!(
                    from,
                    TableFeatures {
                        table,
                        ..TableFeatures::default()
                    }
                )
            }
        })
    }
}

fn of10(from: &TableStats10) -> Result<TableFeatures, DecodeError> {
    let fields = fields(from.wildcards, &FIELDS_1_0);
    Ok(TableFeatures {
        table: from.table_id,
        name: decode_name_of(from.name.len(), &mut Reader::new(&from.name))?,
        max_entries: from.max_entries,
        matches: fields.clone(),
        wildcards: fields,
        ..TableFeatures::default()
    })
}

fn of11(from: &TableStats11) -> Result<TableFeatures, DecodeError> {
    let mut features = TableFeatures {
        table: from.table_id,
        name: decode_name_of(from.name.len(), &mut Reader::new(&from.name))?,
        on_miss: Some(TableMiss::from_config(from.config)),
        max_entries: from.max_entries,
        matches: fields(from.match_fields | from.wildcards, &FIELDS_1_1),
        wildcards: fields(from.wildcards, &FIELDS_1_1),
        ..TableFeatures::default()
    };
    let flows = &mut features.flows;
    flows.instructions = InstructionSet(from.instructions & INSTRUCTIONS);
    flows.write.actions = ActionSet::from_bits(from.write_actions, Version::V1_1);
    // Open vSwitch reads the same number for both.
    flows.apply.actions = flows.write.actions;
    features.miss = features.flows.clone();
    Ok(features)
}

fn of12(from: &TableStats12) -> Result<TableFeatures, DecodeError> {
    let mut features = TableFeatures {
        table: from.table_id,
        name: decode_name_of(from.name.len(), &mut Reader::new(&from.name))?,
        metadata_match: from.metadata_match,
        metadata_write: from.metadata_write,
        on_miss: Some(TableMiss::from_config(from.config)),
        max_entries: from.max_entries,
        matches: oxm_fields(from.match_fields | from.wildcards),
        wildcards: oxm_fields(from.wildcards),
        ..TableFeatures::default()
    };
    let flows = &mut features.flows;
    flows.instructions = InstructionSet(from.instructions & INSTRUCTIONS);
    flows.write.actions = ActionSet::from_bits(from.write_actions, Version::V1_2);
    flows.write.set_fields = oxm_fields(from.write_setfields);
    flows.apply.actions = ActionSet::from_bits(from.apply_actions, Version::V1_2);
    flows.apply.set_fields = oxm_fields(from.apply_setfields);
    features.miss = features.flows.clone();
    Ok(features)
}

fn fields(bits: u32, known: &[(u32, Field)]) -> BTreeSet<Field> {
    let known = known.iter().filter(|(bit, _)| bits & bit != 0);
    known.map(|(_, field)| *field).collect()
}

/// The fields whose numbers in OpenFlow's own class are bits of this, as far as OpenFlow 1.2 has them.
fn oxm_fields(bits: u64) -> BTreeSet<Field> {
    let version = Version::V1_2;
    let is_in = |field: &Field| {
        OxmHeader::of(*field, Some(version)).is_some_and(|header| {
            let mut headers = field.info().headers.iter();
            let known = headers.any(|known| known.class == header.class() && known.minor < version.0);
            known && header.class() == OPENFLOW_BASIC && bits & 1 << header.number() != 0
        })
    };
    Field::ALL.iter().copied().filter(is_in).collect()
}

const OPENFLOW_BASIC: u16 = 0x8000;

/// The instructions of OpenFlow 1.1 and 1.2.
const INSTRUCTIONS: u32 = 0x3e;

/// `enum ofp10_flow_wildcards`.
const FIELDS_1_0: [(u32, Field); 12] = [
    (1 << 0, Field::InPort),
    (1 << 1, Field::VlanVid),
    (1 << 2, Field::EthSrc),
    (1 << 3, Field::EthDst),
    (1 << 4, Field::EthType),
    (1 << 5, Field::IpProto),
    (1 << 6, Field::TcpSrc),
    (1 << 7, Field::TcpDst),
    (0x3f << 8, Field::IpSrc),
    (0x3f << 14, Field::IpDst),
    (1 << 20, Field::VlanPcp),
    (1 << 21, Field::NwTos),
];

/// `enum ofp11_flow_match_fields`.
const FIELDS_1_1: [(u32, Field); 15] = [
    (1 << 0, Field::InPort),
    (1 << 1, Field::VlanVid),
    (1 << 2, Field::VlanPcp),
    (1 << 3, Field::EthType),
    (1 << 4, Field::NwTos),
    (1 << 5, Field::IpProto),
    (1 << 6, Field::TcpSrc),
    (1 << 7, Field::TcpDst),
    (1 << 8, Field::MplsLabel),
    (1 << 9, Field::MplsTc),
    (1 << 11, Field::EthSrc),
    (1 << 12, Field::EthDst),
    (1 << 13, Field::IpSrc),
    (1 << 14, Field::IpDst),
    (1 << 15, Field::Metadata),
];
