//! A real kernel with `openvswitch.ko` judges our bytes: flows are put into it and read back.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what fails here is a failed test"
)]

mod actions;
mod keys;
mod limits;

use std::ffi::CStr;
use std::fs;
use std::process::{Command, ExitCode};
use std::time::Duration;

use netlink_genl::blocking::{Admin, NewFlow, Ovs};
use netlink_genl::message::Errno;
use netlink_genl::ovs::DpIfindex;
use netlink_genl::ovs::datapath::Features;
use netlink_genl::ovs::flow::Flow;

fn main() -> ExitCode {
    let equip = |guest: testbed::vm::Guest| guest.openvswitch().timeout(Duration::from_secs(300));
    testbed::vm::main(equip, || {
        let tests: [(&str, fn()); 6] = [
            (
                "takes_every_action_that_it_has_and_gives_it_back",
                actions::of_the_table,
            ),
            ("judges_lists_as_its_release_did_before", actions::of_the_vectors),
            ("takes_every_key_and_gives_it_back", keys::one_of_each),
            ("matches_what_our_masks_say", keys::of_the_vectors),
            ("prints_flows_as_ovs_dpctl_does", actions::beside_ovs_dpctl),
            ("ends_where_the_limits_say", limits::boundaries),
        ];
        testbed::vm::run_tests(&tests)
    })
}

/// A datapath for one test.
struct Kernel {
    admin: Admin,
    ovs: Ovs,
    dp: DpIfindex,
}

impl Kernel {
    fn with_datapath(name: &CStr) -> Self {
        let mut admin = Admin::open().unwrap();
        let dp = admin.add_datapath(name, Features::default(), 0).unwrap().ifindex;
        Self {
            admin,
            ovs: Ovs::open().unwrap(),
            dp,
        }
    }

    /// Puts one flow into the datapath, alone, and reads it back.
    fn flow(&mut self, key: &[u8], mask: Option<&[u8]>, actions: &[u8]) -> Result<Flow, Errno> {
        self.admin.flush_flows(self.dp).unwrap();
        self.add(1, key, mask, actions)?;
        Ok(self.ovs.flow(self.dp, &ufid(1)).unwrap())
    }

    fn add(&mut self, number: u8, key: &[u8], mask: Option<&[u8]>, actions: &[u8]) -> Result<(), Errno> {
        let flow = NewFlow {
            datapath: self.dp,
            key: key.to_vec(),
            mask: mask.map(<[u8]>::to_vec),
            actions: actions.to_vec(),
            ufid: Some(ufid(number)),
        };
        self.admin.add_flow(&flow).map_err(|error| {
            error
                .errno()
                .unwrap_or_else(|| panic!("not the kernel's answer: {error}"))
        })
    }
}

impl Drop for Kernel {
    fn drop(&mut self) {
        // A test that fails has failed already.
        let _ = self.admin.delete_datapath(self.dp);
    }
}

fn ufid(number: u8) -> Vec<u8> {
    vec![number; 16]
}

/// The two numbers of the kernel's release.
fn series() -> (u32, u32) {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers = release.split('.').map(|number| number.parse().unwrap());
    (numbers.next().unwrap(), numbers.next().unwrap())
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

fn ovs_dpctl(args: &[&str]) -> String {
    let output = Command::new("ovs-dpctl").args(args).output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}
