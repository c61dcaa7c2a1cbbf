//! How a schema writes types.

use serde::Deserialize;

use super::{AtomicType, RefType};
use crate::value::Set;

#[derive(Deserialize)]
#[serde(untagged, expecting = "invalid column type")]
pub(super) enum ColumnType {
    Atomic(AtomicType),
    Full {
        key: BaseType,
        #[serde(default)]
        value: Option<BaseType>,
        #[serde(default = "one")]
        min: u64,
        #[serde(default)]
        max: Max,
    },
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "invalid max")]
pub(super) enum Max {
    Count(u64),
    Word(String),
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "invalid base type")]
pub(super) enum BaseType {
    Atomic(AtomicType),
    Full(Box<Limits>),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Limits {
    #[serde(rename = "type")]
    pub(super) atomic: AtomicType,
    #[serde(default, rename = "enum")]
    pub(super) allowed: Option<Set>,
    #[serde(default)]
    pub(super) min_integer: Option<i64>,
    #[serde(default)]
    pub(super) max_integer: Option<i64>,
    #[serde(default)]
    pub(super) min_real: Option<f64>,
    #[serde(default)]
    pub(super) max_real: Option<f64>,
    #[serde(default)]
    pub(super) min_length: Option<u64>,
    #[serde(default)]
    pub(super) max_length: Option<u64>,
    #[serde(default)]
    pub(super) ref_table: Option<String>,
    #[serde(default)]
    pub(super) ref_type: RefType,
}

impl Default for Max {
    fn default() -> Self {
        Self::Count(1)
    }
}

impl From<BaseType> for super::BaseType {
    fn from(base: BaseType) -> Self {
        match base {
            BaseType::Atomic(atomic) => Self::plain(atomic),
            BaseType::Full(limits) => Self {
                atomic: limits.atomic,
                allowed: limits.allowed,
                min_integer: limits.min_integer,
                max_integer: limits.max_integer,
                min_real: limits.min_real,
                max_real: limits.max_real,
                min_length: limits.min_length,
                max_length: limits.max_length,
                ref_table: limits.ref_table,
                ref_type: limits.ref_type,
            },
        }
    }
}

fn one() -> u64 {
    1
}
