use alloc::{boxed::Box, collections::BTreeSet, vec::Vec};

use crate::{
    model::{field::Field, version::Version},
    wire::{
        action_set::ActionSet,
        bits::bits,
        entries::Entry,
        error::{DecodeError, EncodeError, Fault},
        oxm::OxmHeader,
        port::decode_name_of,
        property::{BAD_LEN, Property, check_property},
        read::Reader,
        record::record,
        write::Writer,
    },
};

record! {
    /// `struct ofp13_table_features` of `openflow-1.3.h`, without its properties.
    pub struct TableFeaturesHead "table features" {
        /// The bytes of the entry, properties included.
        length: u16,
        /// The table.
        table_id: u8,
        /// In OpenFlow 1.5 what a request does to it (`enum ofp15_table_features_command`).
        command: u8,
        /// Zeros.
        padding: [u8; 4],
        /// The name, filled up with zeros.
        name: [u8; 32],
        /// The bits of metadata that may be matched.
        metadata_match: u64,
        /// The bits of metadata that may be written.
        metadata_write: u64,
        /// Since OpenFlow 1.4 eviction (4) and vacancy events (8).
        capabilities: u32,
        /// How many flows it holds.
        max_entries: u32,
    }
}

/// An entry of `OFPMP_TABLE_FEATURES`, as it stands. It encodes to the bytes that it was decoded from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableFeaturesRef {
    /// Its beginning.
    pub head: TableFeaturesHead,
    /// What the table can do (`enum ofp13_table_feature_prop_type`).
    pub properties: Vec<Property>,
}

/// What a table can do: an entry of `OFPMP_TABLE_FEATURES`, and before OpenFlow 1.3 a part of its
/// statistics.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableFeatures {
    /// The table.
    pub table: u8,
    /// In OpenFlow 1.5 what a request does to it: replace 0, modify 1, enable 2, disable 3.
    pub command: u8,
    /// Its name, of 31 bytes at most. Mostly it has none.
    pub name: Box<str>,
    /// The bits of metadata that may be matched.
    pub metadata_match: u64,
    /// The bits of metadata that may be written.
    pub metadata_write: u64,
    /// What becomes of packets that match no flow; OpenFlow 1.1 and 1.2.
    pub on_miss: Option<TableMiss>,
    /// Whether it can make room for flows; since OpenFlow 1.4.
    pub eviction: Option<bool>,
    /// Whether it tells when it becomes full; since OpenFlow 1.4.
    pub vacancy_events: Option<bool>,
    /// How many flows it holds; 0 if it does not say.
    pub max_entries: u32,
    /// What flows may do.
    pub flows: TableAbilities,
    /// What the flow may do that matches all packets and has priority 0.
    pub miss: TableAbilities,
    /// The fields that may be matched.
    pub matches: BTreeSet<Field>,
    /// Those of them that may be matched with any mask.
    pub masks: BTreeSet<Field>,
    /// Those of them that need not be matched.
    pub wildcards: BTreeSet<Field>,
}

/// What flows of a table may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableAbilities {
    /// The instructions.
    pub instructions: InstructionSet,
    /// The tables that they may go on with.
    pub next_tables: BTreeSet<u8>,
    /// The actions that they may keep for the end.
    pub write: ActionAbilities,
    /// The actions that they may do at once.
    pub apply: ActionAbilities,
}

/// Which actions there may be, and which fields they may set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActionAbilities {
    /// The actions.
    pub actions: ActionSet,
    /// The fields that may be set.
    pub set_fields: BTreeSet<Field>,
}

/// What becomes of packets that match no flow (`enum ofp11_table_config`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableMiss {
    /// They go to the controller.
    Controller,
    /// They go on with the next table.
    Continue,
    /// They are dropped.
    Drop,
}

bits! {
    /// Instructions, as bits of their numbers.
    InstructionSet {
        /// Limits the rate; OpenFlow 1.3 and 1.4.
        METER = 1 << 6, "meter";
        /// Does actions at once.
        APPLY_ACTIONS = 1 << 4, "apply_actions";
        /// Forgets actions that are kept for the end.
        CLEAR_ACTIONS = 1 << 5, "clear_actions";
        /// Keeps actions for the end.
        WRITE_ACTIONS = 1 << 3, "write_actions";
        /// Writes metadata.
        WRITE_METADATA = 1 << 2, "write_metadata";
        /// Goes on with another table.
        GOTO_TABLE = 1 << 1, "goto_table";
    }
}

impl InstructionSet {
    /// Those that Open vSwitch knows.
    pub(crate) const KNOWN: u32 = 0x7e;
}

impl<'a> Entry<'a> for TableFeaturesRef {
    const WHAT: &'static str = "table features";

    fn len(reader: Reader<'a>, _: Version) -> Result<usize, DecodeError> {
        let reader = reader.named(BAD_LEN);
        let head = TableFeaturesHead::decode(&mut { reader })?;
        let (wanted, got) = (TableFeaturesHead::LEN, head.length.into());
        match got < wanted || got % 8 != 0 || got > reader.len() {
            true => Err(reader.error("length", Fault::Length { wanted, got })),
            false => Ok(got),
        }
    }

    fn decode(mut entry: Reader<'a>, _: Version) -> Result<Self, DecodeError> {
        let head = TableFeaturesHead::decode(&mut entry)?;
        let properties = Property::decode_all(entry)?;
        Ok(TableFeaturesRef { head, properties })
    }
}

impl TableFeaturesRef {
    /// Writes the very bytes that it was decoded from.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLong`] for a property of more than 64 KiB.
    pub fn encode(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        self.head.encode(writer);
        self.properties
            .iter()
            .try_for_each(|property| property.encode(writer))
    }
}

impl<'a> Entry<'a> for TableFeatures {
    const WHAT: &'static str = TableFeaturesRef::WHAT;

    fn len(reader: Reader<'a>, version: Version) -> Result<usize, DecodeError> {
        TableFeaturesRef::len(reader, version)
    }

    /// As Open vSwitch reads it as a controller: what is not known is passed over.
    fn decode(mut entry: Reader<'a>, version: Version) -> Result<Self, DecodeError> {
        let start = entry;
        let head = TableFeaturesHead::decode(&mut entry)?;
        if version >= Version::V1_5 && head.command > 3 {
            let at = start.named("OFPTFFC_BAD_COMMAND");
            return Err(at.error("command", Fault::Value(head.command.into())));
        }
        if head.table_id == u8::MAX {
            return Err(start
                .named("OFPTFFC_BAD_TABLE")
                .error("table", Fault::Value(u8::MAX.into())));
        }
        let since_1_4 = |bit| (version >= Version::V1_4).then_some(head.capabilities & bit != 0);
        let mut features = TableFeatures {
            table: head.table_id,
            command: if version >= Version::V1_5 { head.command } else { 0 },
            name: decode_name_of(head.name.len(), &mut Reader::new(&head.name))?,
            metadata_match: head.metadata_match,
            metadata_write: head.metadata_write,
            eviction: since_1_4(EVICTION),
            vacancy_events: since_1_4(VACANCY_EVENTS),
            max_entries: head.max_entries,
            ..TableFeatures::default()
        };
        let has_any = !entry.is_empty();
        let seen = features.decode_properties(entry, version)?;
        if seen & REQUIRED != REQUIRED && (has_any || version < Version::V1_5) {
            return Err(bad_features(entry));
        }
        features.complete(seen);
        Ok(features)
    }
}

impl TableFeatures {
    /// Reads the properties; gives the types of those that are there, as bits.
    fn decode_properties(&mut self, mut left: Reader<'_>, version: Version) -> Result<u32, DecodeError> {
        let mut seen = 0;
        while !left.is_empty() {
            let at = left;
            let (kind, value) = check_property(&mut left, u16::MAX)?;
            if kind < 32 {
                if seen & 1 << kind != 0 {
                    return Err(bad_features(at));
                }
                seen |= 1 << kind;
            }
            let of = if kind & 1 == 0 {
                &mut self.flows
            } else {
                &mut self.miss
            };
            match kind & !1 {
                INSTRUCTIONS => of.instructions = InstructionSet(decode_ids(value)? & InstructionSet::KNOWN),
                NEXT_TABLES => of.next_tables = decode_tables(value)?,
                WRITE_ACTIONS => of.write.actions = ActionSet::from_bits(decode_ids(value)?, version),
                APPLY_ACTIONS => of.apply.actions = ActionSet::from_bits(decode_ids(value)?, version),
                WRITE_SETFIELD => of.write.set_fields = decode_fields(value, None)?,
                APPLY_SETFIELD => of.apply.set_fields = decode_fields(value, None)?,
                MATCH if kind == MATCH => self.matches = decode_fields(value, Some(&mut self.masks))?,
                WILDCARDS if kind == WILDCARDS => self.wildcards = decode_fields(value, None)?,
                _ => {}
            }
        }
        Ok(seen)
    }

    /// What is not said of the flow for all packets is as for others; a field that may have a mask may be
    /// matched and may be left out.
    fn complete(&mut self, seen: u32) {
        let TableFeatures { flows, miss, .. } = self;
        let is_missing = |kind: u16| seen != 0 && seen & 2 << kind == 0;
        if is_missing(INSTRUCTIONS) {
            miss.instructions = flows.instructions;
        }
        if is_missing(NEXT_TABLES) {
            miss.next_tables.clone_from(&flows.next_tables);
        }
        if is_missing(WRITE_ACTIONS) {
            miss.write.actions = flows.write.actions;
        }
        if is_missing(APPLY_ACTIONS) {
            miss.apply.actions = flows.apply.actions;
        }
        if is_missing(WRITE_SETFIELD) {
            miss.write.set_fields.clone_from(&flows.write.set_fields);
        }
        if is_missing(APPLY_SETFIELD) {
            miss.apply.set_fields.clone_from(&flows.apply.set_fields);
        }
        self.matches.extend(&self.masks);
        self.wildcards.extend(&self.masks);
        self.wildcards.retain(|field| self.matches.contains(field));
    }

    /// Writes the entry as Open vSwitch does, with all properties.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLong`] for a name of more than 31 bytes.
    pub fn encode(&self, version: Version, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let mut head = TableFeaturesHead {
            table_id: self.table,
            command: if version >= Version::V1_5 { self.command } else { 0 },
            metadata_match: self.metadata_match,
            metadata_write: self.metadata_write,
            max_entries: self.max_entries,
            ..TableFeaturesHead::default()
        };
        let limit = head.name.len() - 1;
        if self.name.len() > limit {
            let (what, len) = ("name of a table", self.name.len());
            return Err(EncodeError::TooLong { what, len, limit });
        }
        head.name[..self.name.len()].copy_from_slice(self.name.as_bytes());
        if version >= Version::V1_4 {
            let bit = |has: Option<bool>, bit| if has == Some(true) { bit } else { 0 };
            head.capabilities = bit(self.eviction, EVICTION) | bit(self.vacancy_events, VACANCY_EVENTS);
        }
        let start = writer.len();
        head.encode(writer);
        for (miss, abilities) in [(0, &self.flows), (1, &self.miss)] {
            let TableAbilities {
                instructions,
                next_tables,
                write,
                apply,
            } = abilities;
            let tables: Vec<u8> = next_tables.iter().copied().collect();
            ids(INSTRUCTIONS | miss, instructions.0).encode(writer)?;
            Property::new(NEXT_TABLES | miss, &tables).encode(writer)?;
            ids(WRITE_ACTIONS | miss, write.actions.to_bits(version)).encode(writer)?;
            fields(WRITE_SETFIELD | miss, &write.set_fields, None, version).encode(writer)?;
            ids(APPLY_ACTIONS | miss, apply.actions.to_bits(version)).encode(writer)?;
            fields(APPLY_SETFIELD | miss, &apply.set_fields, None, version).encode(writer)?;
        }
        fields(MATCH, &self.matches, Some(&self.masks), version).encode(writer)?;
        fields(WILDCARDS, &self.wildcards, None, version).encode(writer)?;
        writer.fill_len(start, start, "table features")
    }
}

impl TableMiss {
    /// From the configuration of a table in OpenFlow 1.1 and 1.2.
    pub(crate) fn from_config(config: u32) -> Self {
        match config & 3 {
            1 => TableMiss::Continue,
            2 => TableMiss::Drop,
            _ => TableMiss::Controller,
        }
    }

    /// The word that `ovs-ofctl` has for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            TableMiss::Controller => "controller",
            TableMiss::Continue => "continue",
            TableMiss::Drop => "drop",
        }
    }
}

fn bad_features(at: Reader<'_>) -> DecodeError {
    at.named("OFPTFFC_BAD_FEATURES")
        .error("table features", Fault::Combination)
}

/// Instructions or actions, each with its number and length, as bits of the numbers below 32.
fn decode_ids(mut left: Reader<'_>) -> Result<u32, DecodeError> {
    let mut bits = 0;
    while !left.is_empty() {
        let at = left;
        let number = left.u16("number")?;
        let len = usize::from(left.u16("length")?);
        let wanted = 4;
        if len < wanted {
            return Err(at.error("length", Fault::Length { wanted, got: len }));
        }
        left.bytes(len - wanted, "number")?;
        bits |= 1u32.checked_shl(number.into()).unwrap_or(0);
    }
    Ok(bits)
}

fn ids(kind: u16, bits: u32) -> Property {
    let numbers = (0..32u8).filter(|number| bits & 1 << number != 0);
    let value: Vec<u8> = numbers.flat_map(|number| [0, number, 0, 4]).collect();
    Property::new(kind, &value)
}

fn decode_tables(value: Reader<'_>) -> Result<BTreeSet<u8>, DecodeError> {
    match value.rest().contains(&u8::MAX) {
        true => Err(value
            .named("OFPBPC_BAD_VALUE")
            .error("table", Fault::Value(u8::MAX.into()))),
        false => Ok(value.rest().iter().copied().collect()),
    }
}

/// The fields of these headers; those with a mask go to `masked`, where there is such a set.
fn decode_fields(
    left: Reader<'_>,
    mut masked: Option<&mut BTreeSet<Field>>,
) -> Result<BTreeSet<Field>, DecodeError> {
    let mut left = left.named("OFPBMC_BAD_LEN");
    let mut exact = BTreeSet::new();
    let mut has_mask = false;
    while !left.is_empty() {
        let header = OxmHeader::decode(&mut left)?;
        let Some(field) = header.field() else { continue };
        match &mut masked {
            Some(masked) if header.has_mask() => masked.insert(field),
            _ => exact.insert(field),
        };
        has_mask |= header.has_mask();
    }
    match has_mask && masked.is_none() {
        true => Err(left.named("OFPBMC_BAD_MASK").error("OXM header", Fault::Mask)),
        false => Ok(exact),
    }
}

fn fields(
    kind: u16,
    fields: &BTreeSet<Field>,
    masked: Option<&BTreeSet<Field>>,
    version: Version,
) -> Property {
    let mut value = Vec::new();
    let mut writer = Writer::new(&mut value);
    for field in fields {
        let header = OxmHeader::of(*field, Some(version));
        let header = match masked.is_some_and(|masked| masked.contains(field)) {
            true => header.and_then(|header| header.with_len(field.info().bytes.into(), true)),
            false => header,
        };
        // A field without a header cannot be said.
        header.into_iter().for_each(|header| header.encode(&mut writer));
    }
    Property::new(kind, &value)
}

pub(super) const EVICTION: u32 = 1 << 2;
pub(super) const VACANCY_EVENTS: u32 = 1 << 3;

// `enum ofp13_table_feature_prop_type`; the number and one is for the flow that matches all packets.
const INSTRUCTIONS: u16 = 0;
const NEXT_TABLES: u16 = 2;
const WRITE_ACTIONS: u16 = 4;
const APPLY_ACTIONS: u16 = 6;
const MATCH: u16 = 8;
const WILDCARDS: u16 = 10;
const WRITE_SETFIELD: u16 = 12;
const APPLY_SETFIELD: u16 = 14;

/// The types that must be there.
const REQUIRED: u32 = 0x5555;
