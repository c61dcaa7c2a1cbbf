//! `dp-health` beside a switch that loses sockets, ports and packets.

use std::ffi::CString;

use netlink_genl::blocking::Ovs;
use testbed::{Switch, sh, version, wait_until};

use crate::tool::{Run, run};
use crate::upcall_audit::lose;

pub(crate) fn beside_the_kernel() {
    {
        let switch = Switch::in_guest_per_port().unwrap();
        switch.add_bridge("br0").unwrap();
        // As ovs-ctl does when it starts a switch.
        let version = version().unwrap();
        let ovs_version = format!("ovs_version={version}");
        switch.vsctl(&["set", "Open_vSwitch", ".", &ovs_version]).unwrap();
        let (db, pid) = (switch.db().remote(), switch.pid().to_string());
        let health =
            |args: &[&str]| -> Run { run("dp-health", &[&["--db", &db, "--pid", &pid], args].concat(), "") };
        let well = health(&[]);
        assert_eq!(well.status, 0, "{well:?}");
        assert!(
            well.stdout
                .starts_with("OVS OK: nothing lost, nothing stale | lost=0c flows="),
            "{well:?}"
        );

        lose(&switch, "lost0");
        lose(&switch, "lost1");
        switch.add_port("br0", "gone0", &["type=internal"]).unwrap();
        sh("ip netns add dies && ip link set gone0 netns dies && ip netns del dies");
        let gone = CString::new("gone0").unwrap();
        wait_until("the port goes", || {
            Ovs::open().unwrap().vport_by_name(&gone).is_err()
        });
        let probe = health(&[]);
        assert_eq!(probe.status, 2, "{probe:?}");
        let (lost, said) = match version.loses_upcall_sockets() {
            true => (3, "OVS CRITICAL: 3 sockets lost; 1 stale ports | "),
            false => (1, "OVS CRITICAL: 1 stale ports"),
        };
        assert!(probe.stdout.starts_with(said), "{probe:?}");

        let page = health(&["--prom"]).stdout;
        let value = |name: &str| -> u64 {
            let line = page.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_else(|| panic!("{name}: {page}"))
                .trim()
                .parse()
                .unwrap()
        };
        assert_eq!(value("ovs_vswitchd_netlink_sockets{role=\"orphaned\"}"), lost);
        assert_eq!(value("ovs_interfaces{state=\"vport vanished\"}"), 1);
        assert_eq!(value("ovs_up{source=\"kernel\"}"), 1);
        let mut ovs = Ovs::open().unwrap();
        let datapath = ovs.datapath_by_name(c"ovs-system").unwrap();
        assert_eq!(
            value("ovs_datapath_masks{datapath=\"ovs-system\"}"),
            u64::from(datapath.megaflow_stats.unwrap().masks)
        );
        assert_eq!(value("ovs_datapath_ports{datapath=\"ovs-system\"}"), 2);

        // ovs-dpctl turns it deaf, and then every packet without a flow is lost.
        sh("ovs-dpctl show && ip link set br0 up && ip address add 10.0.0.1/24 dev br0");
        let mut pings = std::process::Command::new("ping")
            .args(["-i", "0.2", "10.0.0.9"])
            .spawn()
            .unwrap();
        let deaf = health(&["--interval", "3"]);
        pings.kill().unwrap();
        pings.wait().unwrap();
        assert_eq!(deaf.status, 2);
        assert!(
            deaf.stdout
                .contains("the datapath has no socket to send packets to"),
            "{deaf:?}"
        );
        assert!(deaf.stdout.contains("upcalls lost a second"), "{deaf:?}");
    }
    sh("ovs-dpctl del-dp ovs-system");
}
