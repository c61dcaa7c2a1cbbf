#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod classifier;
mod commit;
mod config;
mod fields;
mod hash;
mod matching;
mod mpls;
mod options;
mod packet;
mod prerequisites;
mod release;
mod switch;
mod trace;
mod trie;
mod unknown;
mod walk;

pub use crate::{
    config::{
        Bond, BridgeConfig, Bundle, Datapath, HashFunction, Ipfix, Mirror, MirrorOutput, Port, PortKind,
        PriorityTags, Queues, Tunnel, VlanMode, probability,
    },
    fields::Fields,
    options::{OptionMap, TunnelOption},
    packet::{Packet, PacketError},
    release::Rules,
    switch::Switch,
    trace::{Failure, Flags, Round, Step, Trace, What},
    unknown::Unknown,
};
