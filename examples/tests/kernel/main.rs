//! The tools beside a real kernel, in a guest.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what fails here is a failed test"
)]

#[path = "../it/tool.rs"]
#[allow(dead_code, reason = "shared with the tests that need no kernel")]
mod tool;

mod dp_flows;
mod dp_health;
mod netdev_wait;
mod port_audit;
mod port_timeline;
mod upcall_audit;

use std::process::ExitCode;
use std::time::Duration;

use testbed::vm::Guest;

fn main() -> ExitCode {
    let equip = |guest: Guest| {
        let guest = guest.dispatch_per_port().program("ip").program("env");
        let guest = TOOLS
            .iter()
            .map(|name| tool::path(name))
            .fold(guest, Guest::program);
        guest.timeout(Duration::from_secs(1200))
    };
    testbed::vm::main(equip, || {
        let tests: [(&str, fn()); 8] = [
            (
                "dp_health_counts_what_the_kernel_counts_and_what_is_lost",
                dp_health::beside_the_kernel,
            ),
            (
                "dp_flows_shows_what_a_list_leaves_out_and_counts_the_masks_of_the_kernel",
                dp_flows::beside_ovs_dpctl,
            ),
            (
                "netdev_wait_says_whose_device_an_injected_message_names",
                netdev_wait::attributes_what_is_injected,
            ),
            (
                "port_audit_sees_what_the_database_does_not_show",
                port_audit::beside_the_database,
            ),
            (
                "port_audit_finds_a_thousand_ports_that_a_reboot_left_behind",
                port_audit::after_a_reboot,
            ),
            (
                "port_timeline_tells_start_and_stop_of_a_tap_port_in_order",
                port_timeline::start_and_stop,
            ),
            ("upcall_audit_finds_the_lost_sockets", upcall_audit::per_port),
            (
                "upcall_audit_finds_none_where_none_are_lost",
                upcall_audit::per_cpu,
            ),
        ];
        testbed::vm::run_tests(&tests)
    })
}

const TOOLS: [&str; 6] = [
    "dp-flows",
    "dp-health",
    "netdev-wait",
    "port-audit",
    "port-timeline",
    "upcall-audit",
];
