#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "codec")]
pub mod codec;
pub mod commands;
pub mod diff;
pub mod lint;
mod model;
pub mod recover;
pub mod text;
pub mod wire;

pub use crate::model::{
    action::{
        Action,
        ct::{Ct, Nat, NatSide, NumberOrSubfield},
        encap::{Encap, NshProperty, PacketType},
        learn::{Learn, LearnSpec},
        report::{Controller, PacketInReason, Sample, SampleDirection},
        select::{Bundle, BundleAlgorithm, HashFields, Multipath, MultipathAlgorithm},
    },
    addr::EthAddr,
    field::{Field, FieldHeader, FieldInfo, Format, Prerequisite},
    flow::{DEFAULT_PRIORITY, Flow, FlowFlags, Stats, Unsaid},
    flow_mod::{FlowCommand, FlowMod},
    group::{Bucket, BucketStats, Group, GroupStats, GroupType, Selection, SelectionField},
    matches::{FieldMatch, Match, MatchEntry, Unknown, UnknownOxm, Value, Wide},
    meter::{BandStats, BandType, Meter, MeterBand, MeterFlags, MeterStats},
    names::Names,
    port::{NumberOrName, Port, PortRef, TableRef},
    protocol::Protocol,
    subfield::Subfield,
    version::Version,
};
