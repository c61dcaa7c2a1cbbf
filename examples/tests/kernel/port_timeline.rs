//! `port-timeline` of a tap port as it starts and stops.

use serde_json::Value;
use testbed::{Switch, sh};

use crate::tool::{Background, command};

const TAP: &str = "tap99a07591-94";

pub(crate) fn start_and_stop() {
    {
        let switch = Switch::in_guest().unwrap();
        switch.add_bridge("br-int").unwrap();
        let db = switch.db().remote();
        let watch = |name: &str, args: &[&str]| {
            Background::start(command("port-timeline"), &[&[name, "--db", &db], args].concat())
        };
        let own = watch(TAP, &["--json"]);
        let bridge = watch("br-int", &[]);
        bridge.wait_for(|stdout| {
            ["row is there", "vport ", "device is there"]
                .iter()
                .all(|words| stdout.contains(words))
        });
        std::thread::sleep(std::time::Duration::from_secs(2));

        // As libvirt and nova do it. The guest has no taps.
        sh(&format!(
            "ip link add {TAP} type veth peer name peer0 && ip link set peer0 up"
        ));
        switch
            .add_port("br-int", TAP, &["external_ids:iface-id=x1"])
            .unwrap();
        switch.vsctl(&["set", "port", TAP, "tag=1"]).unwrap();
        sh(&format!("ip link set {TAP} up"));
        own.wait_for(|stdout| stdout.contains("\"up without carrier\"") || stdout.contains("\"up\""));
        sh(&format!("ip link del {TAP}"));
        own.wait_for(|stdout| stdout.contains("ofport 1 -> -1"));
        switch.vsctl(&["del-port", "br-int", TAP]).unwrap();
        let stdout = own.wait_for(|stdout| stdout.matches("row deleted").count() == 2);

        let events: Vec<Value> = stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let place = |lane: &str, words: &str| {
            let found = events
                .iter()
                .position(|event| event["lane"] == lane && event["text"].as_str().unwrap().contains(words));
            found.unwrap_or_else(|| panic!("{lane}: {words}: {stdout}"))
        };
        for steps in [
            [
                place("netdev", "device is there, down"),
                place("interface", "row inserted"),
                // The server may send both in one.
                place("interface", "ofport"),
                place("port", "tag [] -> 1"),
                place("netdev", "up"),
                place("interface", "ofport 1 -> -1"),
                place("interface", "row deleted"),
            ],
            [
                place("netdev", "device is there, down"),
                place("netdev", "device is there, down"),
                place("vport", "vport "),
                place("port", "tag [] -> 1"),
                place("netdev", "up"),
                place("netdev", "device gone"),
                place("port", "row deleted"),
            ],
        ] {
            assert!(steps.is_sorted(), "{steps:?}: {stdout}");
        }
        assert!(place("vport", "vport gone") < place("interface", "row deleted"));
    }
    sh("ovs-dpctl del-dp ovs-system");
}
