#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

#[macro_use]
mod table;

pub mod action;
pub mod capacity;
pub mod key;
pub mod limits;
pub mod text;
pub mod xlate;

pub use self::action::{Action, Actions, Part, PushVlan};
pub use self::capacity::{Bound, Capacity, Template};

pub use self::key::{Key, Tunnel, TunnelAttr};
pub use self::limits::{KernelRule, Limit, Limits, Rejection, Verdict};
pub use self::text::ParseError;
pub use netlink_genl::nlattr::{DecodeError, EncodeError, RawAttr};
