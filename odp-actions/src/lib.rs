#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

#[macro_use]
mod table;
mod port_names;
mod version;

pub mod action;
pub mod advice;
pub mod capacity;
pub mod dialect;
pub mod flood;
pub mod flow;
pub mod key;
pub mod limits;
pub mod text;
pub mod xlate;

pub use self::action::{Action, Actions, Part, PushVlan};
pub use self::capacity::{Bound, Capacity, Template};
pub use self::flow::Flow;

pub use self::key::{FlowKey, Key, MacAddr, MaskedKey, Tunnel, TunnelAttr, Ufid};
pub use self::limits::{KernelRule, Limit, Limits, Rejection, Verdict};
pub use self::port_names::PortNames;
pub use self::text::ParseError;
pub use netlink_genl::nlattr::{DecodeError, EncodeError, RawAttr};
