//! The tools, run as a person runs them, beside the real parts.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper of a test fails as the test does"
)]

mod action_budget;
mod conventions;
mod dp_flows;
mod dp_health;
mod endpoints;
mod flow_diff;
mod flow_dump;
mod hostile;
mod netdev_wait;
mod ovsdb_monitor;
mod port_audit;
mod port_timeline;
mod tls;
mod tool;
mod upcall_audit;
