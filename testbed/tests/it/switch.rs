use std::{fmt::Write as _, fs};

use testbed::{Switch, or_skip};

use crate::ovsdb::runs;

#[test]
fn a_bridge_takes_flows_and_traces_packets() {
    let Some(switch) = or_skip(Switch::start()) else {
        return;
    };
    switch.add_bridge("br0").unwrap();
    let mgmt = switch.mgmt("br0");
    switch
        .vsctl(&[
            "add-port",
            "br0",
            "p1",
            "--",
            "set",
            "interface",
            "p1",
            "type=dummy",
        ])
        .unwrap();
    switch
        .ofctl_stdin(&["add-flows", &mgmt, "-"], "in_port=LOCAL,actions=p1\n")
        .unwrap();
    assert!(
        switch
            .ofctl(&["dump-flows", "--names", &mgmt])
            .unwrap()
            .contains("actions=output:p1")
    );
    let trace = switch.appctl(&["ofproto/trace", "br0", "in_port=LOCAL"]).unwrap();
    assert!(trace.contains("Datapath actions: 1"), "{trace}");
}

#[test]
fn the_switch_is_of_the_release_and_its_process_is_named_as_its_program() {
    let Some(switch) = or_skip(Switch::start()) else {
        return;
    };
    let said = switch.appctl(&["version"]).unwrap();
    assert!(
        said.ends_with(&format!(" {}\n", testbed::version().unwrap())),
        "{said}"
    );
    let schema = fs::read_to_string(testbed::schema().unwrap()).unwrap();
    let version = switch
        .db()
        .client(&["get-schema-version", &switch.db().remote(), "Open_vSwitch"]);
    assert!(schema.contains(&format!("\"version\": \"{}\"", version.unwrap().trim())));
    for (pid, name) in [
        (switch.pid(), "ovs-vswitchd\n"),
        (switch.db().pid(), "ovsdb-server\n"),
    ] {
        assert_eq!(fs::read_to_string(format!("/proc/{pid}/comm")).unwrap(), name);
    }
}

#[test]
fn a_tunnel_sets_its_key_and_its_destination() {
    let Some(switch) = or_skip(Switch::start()) else {
        return;
    };
    switch.add_bridge("br0").unwrap();
    let port = [
        "add-port",
        "br0",
        "vx1",
        "--",
        "set",
        "interface",
        "vx1",
        "type=vxlan",
    ];
    let options = ["options:remote_ip=192.0.2.1", "options:key=5"];
    switch.vsctl(&[&port[..], &options].concat()).unwrap();
    // Else the switch would look for the host's own route to that address.
    switch
        .appctl(&["dpif/set-dp-features", "br0", "tnl_push_pop", "false"])
        .unwrap();
    switch
        .ofctl(&["add-flow", &switch.mgmt("br0"), "in_port=LOCAL,actions=vx1"])
        .unwrap();
    let trace = switch.appctl(&["ofproto/trace", "br0", "in_port=LOCAL"]).unwrap();
    assert!(trace.contains("set(tunnel(tun_id=0x5,dst=192.0.2.1,"), "{trace}");
}

#[test]
fn drop_leaves_neither_process_nor_directory() {
    let Some(switch) = or_skip(Switch::start()) else {
        return;
    };
    let (pids, dir) = ([switch.pid(), switch.db().pid()], switch.db().dir().to_owned());
    assert!(pids.map(runs) == [true, true] && dir.is_dir());
    drop(switch);
    assert!(pids.map(runs) == [false, false] && !dir.exists());
}

#[test]
fn more_outputs_than_the_hosts_backlog_are_slow() {
    let Some(switch) = or_skip(Switch::start()) else {
        return;
    };
    // ovs-vswitchd takes 1000 for a value that it cannot read or finds too low.
    let limit = fs::read_to_string("/proc/sys/net/core/netdev_max_backlog")
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .filter(|value| *value > 100)
        .unwrap_or(1000);
    assert_eq!(is_slow(&switch, 1000), 1000 > limit);
    assert_eq!(is_slow(&switch, 1001), 1001 > limit);
}

#[test]
fn with_backlog_moves_the_limit() {
    let Some(switch) = or_skip(Switch::with_backlog(20_000)) else {
        return;
    };
    assert!(!is_slow(&switch, 1001));
    drop(switch);

    let Some(switch) = or_skip(Switch::with_backlog(200)) else {
        return;
    };
    assert!(!is_slow(&switch, 200));
    assert!(is_slow(&switch, 201));
}

/// Whether a flow with this many plain outputs is handled in userspace.
fn is_slow(switch: &Switch, outputs: u32) -> bool {
    let bridge = format!("br{outputs}");
    switch.add_bridge(&bridge).unwrap();
    let mut args = Vec::new();
    let mut flow = String::from("in_port=LOCAL,actions=");
    for port in 1..=outputs {
        let name = format!("p{outputs}-{port}");
        let request = format!("ofport_request={port}");
        for arg in ["--", "add-port", &bridge, &name, "--", "set", "interface", &name] {
            args.push(arg.to_owned());
        }
        args.extend(["type=dummy".to_owned(), request]);
        write!(flow, "{}output:{port}", if port == 1 { "" } else { "," }).unwrap();
    }
    switch
        .vsctl(&args.iter().map(String::as_str).collect::<Vec<_>>())
        .unwrap();
    switch
        .ofctl_stdin(&["add-flow", &switch.mgmt(&bridge), "-"], &flow)
        .unwrap();
    let trace = switch
        .appctl(&["ofproto/trace", &bridge, "in_port=LOCAL"])
        .unwrap();
    let (_, actions) = trace.split_once("Datapath actions: ").unwrap();
    assert_eq!(
        actions.lines().next().unwrap().split(',').count(),
        outputs as usize,
        "{trace}"
    );
    actions.contains("slow path")
}
