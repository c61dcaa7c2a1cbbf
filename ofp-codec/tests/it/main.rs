//! The integration tests, in one binary.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed assertion in a test is what a test is for"
)]

#[cfg(feature = "client")]
mod add_flows;
#[cfg(feature = "client")]
mod cancel;
#[cfg(feature = "client")]
mod client;
#[cfg(feature = "client")]
mod client_flows;
mod commands;
mod diff;
mod doubled;
mod dumps;
mod errors;
#[cfg(feature = "client")]
mod every_flow;
mod faithful;
mod filters;
mod flow_dumps;
mod flow_mods;
mod groups;
mod hostile;
mod items;
#[cfg(feature = "serde")]
mod json;
mod messages;
mod mutants;
mod oracle;
mod packets;
mod peers;
mod printed;
mod random;
mod read_back;
#[cfg(feature = "std")]
mod reader;
mod sessions;
mod spellings;
mod switch;
mod traces;
mod typed;
mod verdicts;
mod wire_actions;
