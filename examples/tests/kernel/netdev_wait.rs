//! `netdev-wait` on the kernel's messages. A kernel that leaks a reference cannot be had here, so its line is injected, by
//! writing to `/dev/kmsg`; the kernel marks it as a process's.

use netlink_genl::blocking::Ovs;
use serde_json::{Value, json};
use testbed::{Switch, sh};

use crate::tool::run;

pub(crate) fn attributes_what_is_injected() {
    {
        let switch = Switch::in_guest().unwrap();
        switch.add_bridge("br-int").unwrap();
        sh("ip link add tap0 type veth peer name foreign0");
        switch
            .add_port("br-int", "tap0", &["external_ids:iface-id=x1"])
            .unwrap();
        let db = switch.db().remote();
        let wait = |args: &[&str]| run("netdev-wait", &[&["--db", &db], args].concat(), "");
        let none = wait(&[]);
        assert_eq!(
            (none.status, none.stdout.as_str()),
            (0, "The kernel waits for no device.\n")
        );

        for device in ["foreign0", "tap0", "tap0"] {
            sh(&format!(
                "echo '<0>unregister_netdevice: waiting for {device} to become free. Usage count = 1' > /dev/kmsg"
            ));
        }
        let summary = wait(&["--json"]);
        assert_eq!(summary.status, 1, "{summary:?}");
        let devices = summary.json()["devices"].clone();
        assert_eq!(
            (&devices[0]["device"], &devices[0]["port"]),
            (&json!("foreign0"), &Value::Null)
        );
        let tap = &devices[1];
        assert_eq!(
            (&tap["messages"], &tap["injected"]),
            (&json!(2), &json!(true)),
            "{tap}"
        );
        let port = &tap["port"];
        // Releases number br-int and tap0 in another order.
        let vport = Ovs::open().unwrap().vport_by_name(c"tap0").unwrap();
        assert_eq!(
            ["bridge", "iface_id", "ofport", "vport"].map(|key| port[key].clone()),
            [json!("br-int"), json!("x1"), json!(1), json!(vport.port_no)]
        );
        let text = wait(&[]).stdout;
        assert!(
            text.contains("injected: a process wrote this message, not the kernel"),
            "{text}"
        );
        // From a log nobody can tell, so it is taken for the kernel's.
        sh("dmesg > /tmp/dmesg");
        assert_eq!(wait(&["/tmp/dmesg"]).status, 2);
        sh("ip link del tap0");
    }
    sh("ovs-dpctl del-dp ovs-system");
}
