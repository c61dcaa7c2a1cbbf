//! The crate against recorded streams, against peers that misbehave on purpose, and against a
//! real `ovsdb-server`.

// clippy.toml exempts functions marked #[test]; the helpers of a test binary are tests, too.
#![allow(clippy::unwrap_used, clippy::panic)]

#[cfg(feature = "client")]
mod backpressure;
#[cfg(feature = "client")]
mod bursts;
#[cfg(feature = "client")]
mod canned;
#[cfg(feature = "client")]
mod cluster;
#[cfg(feature = "client")]
mod conversion;
mod duplicates;
#[cfg(feature = "client")]
mod extensions;
#[cfg(feature = "client")]
mod faults;
#[cfg(feature = "client")]
mod monitors;
#[cfg(feature = "client")]
mod outcomes;
#[cfg(feature = "client")]
mod passive;
#[cfg(feature = "client")]
mod peer;
#[cfg(feature = "client")]
mod real;
mod recorded;
#[cfg(feature = "client")]
mod refusals;
#[cfg(feature = "tls")]
mod roles;
mod schemas;
#[cfg(feature = "server")]
mod server;
#[cfg(feature = "client")]
mod session;
#[cfg(feature = "client")]
mod streams;
mod text;
#[cfg(feature = "tls")]
mod tls;
#[cfg(feature = "client")]
mod transact;
#[cfg(feature = "client")]
mod vswitch;
