use alloc::vec::Vec;
use core::fmt;

use crate::{
    model::version::Version,
    wire::{
        bits::{bits, write_bit_names},
        entries::Entry,
        error::{DecodeError, EncodeError, Fault},
        message::Message,
        property::{BAD_LEN, Property, check_property},
        read::Reader,
        record::record,
        table::features::{EVICTION, TableMiss, VACANCY_EVENTS},
        write::Writer,
    },
};

record! {
    /// `struct ofp14_table_desc` of `openflow-1.4.h`, without its properties.
    pub struct TableDescHead "table description" {
        /// The bytes of the entry, properties included.
        length: u16,
        /// The table.
        table_id: u8,
        /// Zeros.
        padding: u8,
        /// Eviction (4) and vacancy events (8).
        config: u32,
    }

    /// `struct ofp11_table_mod` of `openflow-1.1.h` and `struct ofp14_table_mod`, without its properties.
    pub struct TableModHead "table_mod" {
        /// The table; 255 is every one.
        table_id: u8,
        /// Zeros.
        padding: [u8; 3],
        /// In OpenFlow 1.1 and 1.2 what becomes of packets that match no flow; since 1.4 eviction (4) and
        /// vacancy events (8).
        config: u32,
    }

    /// The value of a property about vacancy (`struct ofp14_table_mod_prop_vacancy`), in percent.
    pub struct Vacancy "vacancy" {
        /// Below this much room the table tells that it becomes full.
        down: u8,
        /// Above this much room it tells that there is room again.
        up: u8,
        /// The room that there is; not in a request.
        now: u8,
        /// Zero.
        padding: u8,
    }
}

bits! {
    /// By what a table chooses the flow that goes (`enum ofp14_table_mod_prop_eviction_flag`).
    EvictionFlags {
        /// By something else.
        OTHER = 1 << 0, "OTHER";
        /// By its importance.
        IMPORTANCE = 1 << 1, "IMPORTANCE";
        /// By how long it has left.
        LIFETIME = 1 << 2, "LIFETIME";
    }
}

/// How a table is configured: an entry of `OFPMP_TABLE_DESC`. Since OpenFlow 1.4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableDesc {
    /// Its beginning.
    pub head: TableDescHead,
    /// How it makes room, and when it tells.
    pub properties: Vec<Property>,
}

/// `OFPT_TABLE_MOD`: configures a table. Properties since OpenFlow 1.4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableMod {
    /// Its beginning.
    pub head: TableModHead,
    /// How it is to make room, and when to tell.
    pub properties: Vec<Property>,
}

/// `OFPT_TABLE_STATUS`: `reason u8`, seven bytes of padding, the table. Since OpenFlow 1.4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableStatus {
    /// What happened: 3 for little room, 4 for room again (`enum ofp14_table_reason`).
    pub reason: u8,
    /// Zeros.
    pub padding: [u8; 7],
    /// The table.
    pub table: TableDesc,
}

impl TableDesc {
    /// By what it chooses the flow that goes, if it says.
    pub fn eviction_flags(&self) -> Option<EvictionFlags> {
        let property = last(&self.properties, EVICTION_PROPERTY)?;
        property.number().map(u32::from_be_bytes).map(EvictionFlags)
    }

    /// When it tells that it becomes full, if it says.
    pub fn vacancy(&self) -> Option<Vacancy> {
        let property = last(&self.properties, VACANCY_PROPERTY)?;
        Vacancy::decode(&mut Reader::new(&property.value)).ok()
    }

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

impl<'a> Entry<'a> for TableDesc {
    const WHAT: &'static str = "table description";

    fn len(reader: Reader<'a>, _: Version) -> Result<usize, DecodeError> {
        let (wanted, got) = (TableDescHead::LEN, { reader }.u16("length")?.into());
        match got < wanted {
            true => Err(reader.error("length", Fault::Length { wanted, got })),
            false => Ok(got),
        }
    }

    fn decode(mut entry: Reader<'a>, _: Version) -> Result<Self, DecodeError> {
        let head = TableDescHead::decode(&mut entry)?;
        let mut left = entry;
        while !left.is_empty() {
            let (kind, value) = check_property(&mut left, u16::MAX)?;
            check_len(kind, value)?;
        }
        let properties = Property::decode_all(entry)?;
        Ok(TableDesc { head, properties })
    }
}

impl TableMod {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// As Open vSwitch: if it ends too early, for a property that there is not, and for thresholds that
    /// are no percentages or the wrong way round.
    pub fn decode(message: &Message<'_>) -> Result<Self, DecodeError> {
        let mut body = message.body();
        let head = TableModHead::decode(&mut body)?;
        let mut left = body;
        while !left.is_empty() {
            let at = left;
            let (kind, value) = check_property(&mut left, u16::MAX)?;
            check_len(kind, value)?;
            match kind {
                EVICTION_PROPERTY => {}
                VACANCY_PROPERTY => {
                    let Vacancy { down, up, now, .. } = Vacancy::decode(&mut { value })?;
                    if down > up || up > 100 || now != 0 {
                        let at = at.named("OFPBPC_BAD_VALUE");
                        return Err(at.error("vacancy", Fault::Value(up.into())));
                    }
                }
                _ => {
                    return Err(at
                        .named("OFPBRC_BAD_TYPE")
                        .error("property", Fault::Value(kind.into())));
                }
            }
        }
        let properties = Property::decode_all(body)?;
        Ok(TableMod { head, properties })
    }

    /// Writes the body.
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

    /// As `ovs-ofctl` prints it in this version.
    pub(crate) fn write(&self, version: Version, f: &mut impl fmt::Write) -> fmt::Result {
        match self.head.table_id {
            u8::MAX => write!(f, " table_id: ALL_TABLES")?,
            table => write!(f, " table_id={table}")?,
        }
        let config = self.head.config;
        if matches!(version, Version::V1_1 | Version::V1_2) {
            write!(f, ", flow_miss_config={}", TableMiss::from_config(config).word())?;
        }
        if version < Version::V1_4 {
            return Ok(());
        }
        // Open vSwitch puts the flags where it keeps whether there is eviction.
        let flags = last(&self.properties, EVICTION_PROPERTY).and_then(Property::number);
        match flags.map(u32::from_be_bytes) {
            Some(0) => {}
            Some(1) => write!(f, ", eviction=on")?,
            Some(2) => write!(f, ", eviction=off")?,
            Some(_) => write!(f, ", eviction=***error***")?,
            None => write!(f, ", eviction={}", on_off(config, EVICTION))?,
        }
        write!(f, ", vacancy={}", on_off(config, VACANCY_EVENTS))?;
        if config & VACANCY_EVENTS == 0 {
            return Ok(());
        }
        let vacancy = last(&self.properties, VACANCY_PROPERTY);
        let vacancy = vacancy.and_then(|property| Vacancy::decode(&mut Reader::new(&property.value)).ok());
        let Vacancy { down, up, .. } = vacancy.unwrap_or_default();
        write!(f, " vacancy:{down},{up}")
    }
}

impl TableStatus {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// If it ends too early, the reason is none, or the table is malformed.
    pub fn decode(message: &Message<'_>) -> Result<Self, DecodeError> {
        let mut body = message.body();
        let at = body.named("OFPBPC_BAD_VALUE");
        let reason = body.u8("reason")?;
        let padding = body.array("padding")?;
        if ![LITTLE_ROOM, ROOM].contains(&reason) {
            return Err(at.error("reason", Fault::Value(reason.into())));
        }
        let version = message.header().version;
        let table = body.part(TableDesc::len(body, version)?, "table")?;
        let table = TableDesc::decode(table, version)?;
        Ok(TableStatus {
            reason,
            padding,
            table,
        })
    }

    /// Writes the body.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLong`] for a property of more than 64 KiB.
    pub fn encode(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        writer.u8(self.reason);
        writer.bytes(&self.padding);
        self.table.encode(writer)
    }
}

/// As `ovs-ofctl dump-table-desc` prints it.
impl fmt::Display for TableDesc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TableDescHead { table_id, config, .. } = self.head;
        writeln!(f, "\n  table {table_id}:")?;
        write!(f, "   eviction={} eviction_flags=", on_off(config, EVICTION))?;
        match self.eviction_flags() {
            None | Some(EvictionFlags(u32::MAX)) => f.write_str("(default)")?,
            Some(flags) => write_bit_names(f, flags.0, EvictionFlags::NAMES, "|")?,
        }
        write!(f, "\n   vacancy={}", on_off(config, VACANCY_EVENTS))?;
        if config & VACANCY_EVENTS != 0 {
            let Vacancy { down, up, now, .. } = self.vacancy().unwrap_or_default();
            write!(f, " vacancy_down={down}% vacancy_up={up}% vacancy={now}%")?;
        }
        writeln!(f)
    }
}

/// As `ovs-ofctl monitor` prints it.
impl fmt::Display for TableStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = if self.reason == ROOM { "UP" } else { "DOWN" };
        write!(f, " reason=VACANCY_{reason}\ntable_desc:-{}", self.table)
    }
}

fn on_off(config: u32, bit: u32) -> &'static str {
    if config & bit == 0 { "off" } else { "on" }
}

/// Of several properties the last one counts.
fn last(properties: &[Property], kind: u16) -> Option<&Property> {
    properties.iter().rev().find(|property| property.kind == kind)
}

/// The values of both properties have four bytes.
fn check_len(kind: u16, value: Reader<'_>) -> Result<(), DecodeError> {
    let (wanted, got) = (4, value.len());
    match [EVICTION_PROPERTY, VACANCY_PROPERTY].contains(&kind) && got != wanted {
        true => Err(value
            .named(BAD_LEN)
            .error("property", Fault::Length { wanted, got })),
        false => Ok(()),
    }
}

const EVICTION_PROPERTY: u16 = 2;
const VACANCY_PROPERTY: u16 = 3;

/// `OFPTR_VACANCY_DOWN`.
const LITTLE_ROOM: u8 = 3;
/// `OFPTR_VACANCY_UP`.
const ROOM: u8 = 4;
