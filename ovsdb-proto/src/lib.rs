#![cfg_attr(feature = "server", doc = include_str!("../README.md"))]
#![cfg_attr(
    not(feature = "server"),
    doc = "OVSDB (RFC 7047): see the page of all features."
)]
#![forbid(unsafe_code)]

#[cfg(feature = "client")]
pub mod client;
pub mod connection;
mod cursor;
pub mod frame;
mod json;
pub mod monitor;
pub mod operation;
pub mod replica;
pub mod rpc;
pub mod schema;
#[cfg(feature = "server")]
pub mod server;
pub mod transaction;
pub mod value;
pub mod vswitch;
