#![cfg_attr(feature = "blocking", doc = include_str!("../README.md"))]
#![cfg_attr(
    not(feature = "blocking"),
    doc = "Generic netlink for Open vSwitch, without the `blocking` feature: the codecs alone, `no_std + alloc`."
)]
#![no_std]
#![deny(unsafe_code)]
#![cfg_attr(not(feature = "blocking"), forbid(unsafe_code))]

extern crate alloc;
#[cfg(feature = "blocking")]
extern crate std;

#[macro_use]
mod numbers;
#[macro_use]
#[cfg(feature = "blocking")]
mod both;

#[cfg(feature = "serde")]
mod json;

pub mod nlattr;

pub mod message;

mod error;

pub mod ctrl;
pub mod ovs;
pub mod route;

pub mod exchange;
pub mod watch;

#[cfg(feature = "blocking")]
pub mod socket;

#[cfg(feature = "blocking")]
mod link;

#[cfg(feature = "blocking")]
pub mod blocking;
#[cfg(feature = "client")]
pub mod client;

// What both clients can do.
#[cfg(feature = "write")]
mod admin;
#[cfg(feature = "blocking")]
mod connection;
#[cfg(feature = "blocking")]
mod reader;

#[cfg(feature = "blocking")]
pub mod accounting;

pub use self::error::Error;
