//! Starts the real parts that the other crates are tested against: `ovsdb-server`,
//! `ovs-vswitchd` with the dummy datapath, and a Debian kernel with `openvswitch.ko` under QEMU.
//!
//! For the tests, examples and benches of this workspace; it is not published. Who wants to manage
//! a production switch should use the system's own service units.
//!
//! Every part lives in a temporary directory, is a child of the test, and is killed by its process
//! id when its value is dropped, also when the test panics; only a test that is itself killed leaves
//! them behind. Parts of parallel tests never meet.
//! A machine without the parts skips, loudly, through [`or_skip`]; with `CI` set it fails.
//! `OVS_RS_REAL=0` turns the real parts off, for a second run of the same tests.
//!
//! `OVS_RS_OPENVSWITCH=DIR` takes Open vSwitch and OVN from an unpacked root directory, with the C library and the loader
//! that came with them; else from what is installed. [`version`] says which release that is.
//!
//! Not supported yet: guests of other architectures than x86-64.

#![forbid(unsafe_code)]

mod browser;
mod cache;
mod closure;
mod cluster;
mod daemon;
mod debian;
mod error;
mod interfaces;
mod openvswitch;
mod ovn;
mod ovsdb;
mod pki;
mod skip;
mod step;
mod switch;
mod tools;
pub mod vm;

pub use crate::{
    browser::Browser,
    cluster::OvsdbCluster,
    debian::Debian,
    error::{Error, Missing},
    openvswitch::{Unpacked, Version, schema, unpacked, version},
    ovn::ovn_flows,
    ovsdb::OvsdbServer,
    pki::Pki,
    skip::or_skip,
    step::{sh, wait_until},
    switch::Switch,
    tools::{missing, program},
};
