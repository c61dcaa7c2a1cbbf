#![cfg_attr(feature = "client", doc = include_str!("../README.md"))]
#![cfg_attr(
    not(feature = "client"),
    doc = "OVSDB (RFC 7047) without the client: see the page of the default features."
)]
#![forbid(unsafe_code)]

#[cfg(feature = "client")]
pub mod client;
mod cursor;
pub mod frame;
pub mod monitor;
pub mod operation;
pub mod replica;
pub mod rpc;
pub mod schema;
pub mod transaction;
pub mod value;
pub mod vswitch;
