//! Tables: what they can do, what they counted, and how they are configured.

mod config;
mod features;
mod stats;
mod text;

use alloc::boxed::Box;

use crate::{
    model::version::Version,
    wire::{
        entries::Entry,
        error::{DecodeError, Fault},
        port::decode_name_of,
        read::Reader,
    },
};

pub use config::{EvictionFlags, TableDesc, TableDescHead, TableMod, TableModHead, TableStatus, Vacancy};
pub use features::{
    ActionAbilities, InstructionSet, TableAbilities, TableFeatures, TableFeaturesHead, TableFeaturesRef,
    TableMiss,
};
pub use stats::{TableStats, TableStats10, TableStats11, TableStats12, TableStats13, TableStatsRef};
pub(crate) use text::Tables;

/// The name of a flow table: the beginning of `struct ofp13_table_features` in a reply of the kind
/// `TableFeaturesReply`, and before OpenFlow 1.3 of `struct ofp10_table_stats` (64 bytes),
/// `ofp11_table_stats` (88) and `ofp12_table_stats` (128) in one of the kind `TableReply`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableName {
    /// The table.
    pub table: u8,
    /// Its name, of 31 bytes at most; what is not UTF-8 in it is replaced. Mostly it has none.
    pub name: Box<str>,
}

impl<'a> Entry<'a> for TableName {
    const WHAT: &'static str = "table";

    fn len(mut reader: Reader<'a>, version: Version) -> Result<usize, DecodeError> {
        match version {
            Version::V1_0 => Ok(64),
            Version::V1_1 => Ok(88),
            Version::V1_2 => Ok(128),
            _ => {
                let at = reader;
                let len = usize::from(reader.u16("length")?);
                match len < FEATURES_LEN {
                    false => Ok(len.next_multiple_of(8)),
                    true => Err(at.error(
                        "length",
                        Fault::Length {
                            wanted: FEATURES_LEN,
                            got: len,
                        },
                    )),
                }
            }
        }
    }

    fn decode(mut entry: Reader<'a>, version: Version) -> Result<Self, DecodeError> {
        if version >= Version::V1_3 {
            entry.u16("length")?;
        }
        let table = entry.u8("table")?;
        let padding = match version {
            Version::V1_0 => 3,
            Version::V1_1 | Version::V1_2 => 7,
            _ => 5,
        };
        entry.bytes(padding, "padding")?;
        let name = decode_name_of(32, &mut entry)?;
        Ok(TableName { table, name })
    }
}

/// `struct ofp13_table_features`, without its properties.
const FEATURES_LEN: usize = 64;
