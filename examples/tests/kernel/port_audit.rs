//! `port-audit` beside a kernel.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::{Child, Command};

use serde_json::Value;
use testbed::{Switch, sh, wait_until};

use crate::tool;

/// Status, and state by interface.
fn audit(switch: &Switch) -> (i32, BTreeMap<String, Value>) {
    let db = switch.db().remote();
    let run = tool::run("port-audit", &["--json", "--interval", "1", "--db", &db], "");
    let report = run.json();
    let ports = report["ports"].as_array().unwrap().iter();
    let ports = ports.map(|port| (port["interface"].as_str().unwrap().to_owned(), port.clone()));
    (run.status, ports.collect())
}

/// An internal port whose namespace lives and one whose namespace was deleted are the same in the database.
pub(crate) fn beside_the_database() {
    let switch = Switch::in_guest().unwrap();
    switch.add_bridge("br0").unwrap();
    switch.add_bridge("br1").unwrap();
    sh("ip netns add n1 && ip netns add n2 && ip link add v0 type veth peer name v1");
    let internal = |name: &str| switch.add_port("br0", name, &["type=internal"]);
    for (port, namespace) in [("live", "n1"), ("gone", "n2")] {
        internal(port).unwrap();
        sh(&format!("ip link set {port} netns {namespace}"));
    }
    internal("here").unwrap();
    switch.vsctl(&["add-port", "br0", "v0"]).unwrap();
    for (bridge, port, peer) in [("br0", "p0", "p1"), ("br1", "p1", "p0")] {
        let peer = format!("options:peer={peer}");
        switch
            .vsctl(&[
                "--no-wait",
                "add-port",
                bridge,
                port,
                "--",
                "set",
                "interface",
                port,
                "type=patch",
                &peer,
            ])
            .unwrap();
    }
    switch
        .add_port("br0", "x0", &["type=vxlan", "options:remote_ip=10.9.9.9"])
        .unwrap();
    let (status, ports) = audit(&switch);
    assert_eq!(status, 0, "{ports:?}");

    sh("ip netns del n2");
    wait_until("the port goes", || !sh("ovs-dpctl show").contains(": gone "));
    let rows = ["live", "gone"].map(|port| {
        let row = switch
            .vsctl(&[
                "--columns=error,link_state,admin_state",
                "list",
                "interface",
                port,
            ])
            .unwrap();
        let ofport: i32 = switch
            .vsctl(&["get", "interface", port, "ofport"])
            .unwrap()
            .trim()
            .parse()
            .unwrap();
        assert!(ofport > 0);
        row
    });
    assert!(
        rows[0].contains("error               : []") && rows[1].contains("error               : []"),
        "{rows:?}"
    );
    let (status, ports) = audit(&switch);
    let gone = &ports["gone"];
    assert_eq!((status, &gone["state"]), (2, &"vport vanished".into()), "{gone}");
    // The bridge shows no difference either.
    let listed = [&ports["live"], gone].map(|port| &port["openflow"]);
    assert_eq!(listed, [true, true], "{ports:?}");
    let fine = ports.iter().filter(|(_, port)| port["state"] == "ok");
    let fine: Vec<_> = fine.map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        fine,
        ["br0", "br1", "here", "live", "p0", "p1", "v0", "x0"],
        "{ports:?}"
    );
    // Of a switch that is dead, ports outlive their rows. (One that runs deletes ports that are not its own.)
    sh(&format!("kill -9 {}", switch.pid()));
    switch.vsctl(&["--no-wait", "del-port", "here"]).unwrap();
    let (status, ports) = audit(&switch);
    let here = &ports["here"];
    assert_eq!(
        (status, &here["state"]),
        (2, &"vport without row".into()),
        "{here}"
    );
    assert_eq!(
        [&here["row"], &here["netdev"], &here["vport"]],
        [false, true, true],
        "{here}"
    );
    let foreign = ports.values().filter(|port| port["row"] == false).count();
    assert_eq!(foreign, 1, "the tunnel's port is explained: {ports:?}");
    sh("ip netns del n1 && ip link del v0");
}

pub(crate) fn after_a_reboot() {
    const PORTS: usize = 1000;
    let switch = Switch::in_guest().unwrap();
    switch.add_bridge("br0").unwrap();
    sh("ip link add v0 type veth peer name v1");
    let (mut links, mut ports) = (
        String::new(),
        vec!["add-port".to_owned(), "br0".to_owned(), "v0".to_owned()],
    );
    for n in (0..PORTS).step_by(2) {
        writeln!(
            links,
            "link add vethHOST{n} type veth peer name vethHOST{}",
            n + 1
        )
        .unwrap();
    }
    for n in 0..PORTS {
        let name = format!("vethHOST{n}");
        ports.extend(["--", "add-port", "br0", &name].map(str::to_owned));
        if n % 10 < 3 {
            ports.extend(["--", "set", "Port", &name, "other_config:transient=true"].map(str::to_owned));
        }
    }
    std::fs::write("/tmp/links", &links).unwrap();
    sh("ip -batch /tmp/links");
    switch
        .vsctl(&ports.iter().map(String::as_str).collect::<Vec<_>>())
        .unwrap();
    assert!(sh("ovs-dpctl show").contains(": vethHOST999"));
    // Of a container, and of the host.
    for (port, settings) in [
        ("c0", "external_ids:iface-id=x1"),
        ("h0", "external_ids:iface-id=x2"),
        ("i0", "mtu_request=1400"),
    ] {
        switch
            .add_port("br0", port, &["type=internal", settings])
            .unwrap();
    }
    sh("ip netns add n3 && ip link set c0 netns n3 && ip link set h0 up");

    // The switch, its datapath and the devices go, and the database stays.
    sh(&format!("kill -KILL {}", switch.pid()));
    wait_until("the datapath is gone", || {
        Command::new("ovs-dpctl")
            .args(["del-dp", "ovs-system"])
            .status()
            .unwrap()
            .success()
    });
    let links: String = (0..PORTS)
        .step_by(2)
        .map(|n| format!("link del vethHOST{n}\n"))
        .collect();
    std::fs::write("/tmp/links", links).unwrap();
    sh("ip -batch /tmp/links && ip netns del n3");
    let mut again = start_again(&switch);
    wait_until("all devices are missed", || {
        let failed = switch
            .db()
            .vsctl(&["--columns=name", "find", "interface", "ofport=-1"])
            .unwrap();
        failed.matches("vethHOST").count() == PORTS
    });

    sh("ip link set h0 up");
    wait_until("h0 is up", || {
        switch
            .db()
            .vsctl(&["get", "interface", "h0", "admin_state"])
            .unwrap()
            == "up\n"
    });
    let (status, ports) = audit(&switch);
    assert_eq!(status, 2);
    let (stale, others): (Vec<_>, Vec<_>) = ports.values().partition(|port| port["state"] == "no device");
    assert_eq!(stale.len(), PORTS);
    assert!(
        stale
            .iter()
            .all(|port| port["interface"].as_str().unwrap().starts_with("vethHOST"))
    );
    assert_eq!(
        stale.iter().filter(|port| port["transient"] == true).count(),
        PORTS * 3 / 10
    );
    let others: Vec<_> = others
        .iter()
        .map(|port| (&port["interface"], &port["state"]))
        .collect();
    let wanted = [
        ("br0", "ok"),
        ("c0", "zombie"),
        ("h0", "ok"),
        ("i0", "ok"),
        ("v0", "ok"),
    ];
    let wanted = wanted.map(|(port, state)| (Value::from(port), Value::from(state)));
    let others: Vec<_> = others
        .into_iter()
        .map(|(port, state)| (port.clone(), state.clone()))
        .collect();
    assert_eq!(others, wanted);
    // The database shows nothing of it.
    let row = switch
        .db()
        .vsctl(&["--columns=error,ofport", "list", "interface", "c0"])
        .unwrap();
    assert!(
        row.contains("error               : []") && !row.contains(": -1"),
        "{row}"
    );
    again.kill().unwrap();
    again.wait().unwrap();
}

/// Another ovs-vswitchd on the database of `switch`.
fn start_again(switch: &Switch) -> Child {
    let dir = switch.db().dir();
    let log = std::fs::File::create(dir.join("again.log")).unwrap();
    Command::new("ovs-vswitchd")
        .arg(switch.db().remote())
        .arg(format!("--unixctl={}", dir.join("again.ctl").display()))
        .envs(["OVS_RUNDIR", "OVS_LOGDIR", "OVS_DBDIR"].map(|variable| (variable, dir)))
        .stderr(log)
        .spawn()
        .unwrap()
}
