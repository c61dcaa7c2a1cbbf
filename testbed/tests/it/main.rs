//! Against the real `ovsdb-server` and `ovs-vswitchd`.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

mod cluster;
mod ovsdb;
mod skip;
mod switch;
