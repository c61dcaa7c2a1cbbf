//! `port-audit` on rows as `ovs-vswitchd` writes them. What needs a kernel is in `tests/kernel.rs`.

use std::path::Path;

use serde_json::{Value, json};
use testbed::{OvsdbServer, Switch, or_skip};

use crate::tool::{Background, Run, command, run, run_without_reader};

fn audit(server: &OvsdbServer, args: &[&str]) -> Run {
    let db = server.remote();
    let common = ["--db", &db, "--interval", "0"];
    run("port-audit", &[&common[..], args].concat(), "")
}

/// Name and state of each interface.
fn states(run: &Run) -> Vec<(String, String)> {
    let report = run.json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let ports = report["ports"].as_array().unwrap().iter();
    ports
        .map(|port| (text(&port["interface"]), text(&port["state"])))
        .collect()
}

/// A bridge of real devices without a switch, so that its rows say what they are told to say.
fn server(ports: &[(&str, &[&str])]) -> Option<OvsdbServer> {
    let server = or_skip(OvsdbServer::start())?;
    let bridge = [
        "add-br",
        "br0",
        "--",
        "set",
        "bridge",
        "br0",
        "datapath_type=netdev",
    ];
    server.vsctl(&bridge).unwrap();
    server
        .vsctl(&["set", "interface", "br0", "ofport=65534"])
        .unwrap();
    for (name, settings) in ports {
        server.vsctl(&["add-port", "br0", name]).unwrap();
        if !settings.is_empty() {
            server
                .vsctl(&[&["set", "interface", name], *settings].concat())
                .unwrap();
        }
    }
    Some(server)
}

/// What ovs-vswitchd writes of a device that does not exist.
const ABSENT: &[&str] = &[
    "ofport=-1",
    "error=\"could not open network device (No such device)\"",
];
const FINE: &[&str] = &["ofport=5"];

#[test]
fn patch_dummy_and_live_ports_are_no_false_alarms() {
    let Some(switch) = or_skip(Switch::start()) else {
        return;
    };
    switch.add_bridge("br0").unwrap();
    switch.add_bridge("br1").unwrap();
    for (bridge, port, settings) in [
        ("br0", "d0", &["type=dummy"][..]),
        ("br0", "s0", &[]),
        ("br0", "i0", &["type=internal"]),
        ("br0", "x0", &["type=vxlan", "options:remote_ip=10.9.9.9"]),
    ] {
        let add = ["add-port", bridge, port];
        let set = ["--", "set", "interface", port];
        let set = if settings.is_empty() { &[] } else { &set[..] };
        switch.vsctl(&[&add[..], set, settings].concat()).unwrap();
    }
    let patch = |bridge: &str, port: &str, peer: &str| {
        let peer = format!("options:peer={peer}");
        let add = [
            "add-port",
            bridge,
            port,
            "--",
            "set",
            "interface",
            port,
            "type=patch",
        ];
        switch.db().vsctl(&[&add[..], &[&peer]].concat()).unwrap();
    };
    patch("br0", "a-patch-port-to-br1", "p1");
    patch("br1", "p1", "a-patch-port-to-br1");
    switch.vsctl(&["add-bond", "br0", "b0", "m0", "m1"]).unwrap();

    let run = audit(switch.db(), &["--json"]);
    assert!(states(&run).iter().all(|(_, state)| state == "ok"), "{run:?}");
    assert_eq!((run.status, run.stderr.as_str(), states(&run).len()), (0, "", 10));
    let listed = |port: &Value| port["openflow"] == true;
    assert!(
        run.json()["ports"].as_array().unwrap().iter().all(listed),
        "{run:?}"
    );
    let run = audit(switch.db(), &[]);
    assert_eq!(run.stdout, "10 interfaces: 10 ok\n");
    let run = audit(switch.db(), &["--all", "--bridge", "br1"]);
    assert_eq!(run.stdout.lines().count(), 5, "{run:?}");
}

#[test]
fn each_fault_has_its_state() {
    let Some(server) = server(&[
        ("lo", FINE),
        ("absent0", ABSENT),
        ("gone0", FINE),
        ("new0", &[]),
        ("bad0", &["type=patch", "ofport=-1", "error=\"no usable peer\""]),
        ("dup0", &["type=patch", "ofport=7", "external_ids:iface-id=x1"]),
        ("dup1", &["type=patch", "ofport=8", "external_ids:iface-id=x1"]),
        ("one0", &["type=patch", "ofport=9", "external_ids:iface-id=x2"]),
    ]) else {
        return;
    };
    let run = audit(&server, &["--json"]);
    let states: Vec<_> = states(&run);
    let states: Vec<_> = states
        .iter()
        .map(|(name, state)| (name.as_str(), state.as_str()))
        .collect();
    assert_eq!(
        states,
        [
            ("absent0", "no device"),
            ("bad0", "error"),
            ("br0", "ok"),
            ("dup0", "duplicate iface-id"),
            ("dup1", "duplicate iface-id"),
            ("gone0", "no device"),
            ("lo", "ok"),
            ("new0", "no device"),
            ("one0", "ok"),
        ]
    );
    assert_eq!(run.status, 2);
    let said: Vec<_> = run.stderr.lines().collect();
    assert_eq!((said.len(), said[0]), (2, "port-audit: looking again in 0 s"));
    assert!(
        said[1].starts_with("port-audit: the OpenFlow ports of br0 are not known: unix:"),
        "{run:?}"
    );
    let report = run.json();
    assert_eq!(report["ports"][0]["openflow"], Value::Null);
    assert_eq!(report["ports"][3]["reason"], "dup1 of br0 has the same");
    assert_eq!(report["states"]["ok"], 3);
    assert_eq!(
        report["ports"][0]["error"],
        "could not open network device (No such device)"
    );
}

#[test]
fn a_number_that_the_bridge_does_not_have_or_has_of_another_port_is_an_error() {
    let Some(switch) = or_skip(Switch::start()) else {
        return;
    };
    switch.add_bridge("br0").unwrap();
    for port in ["d0", "d1", "d2"] {
        switch.add_port("br0", port, &["type=dummy"]).unwrap();
    }
    let ofport = |port: &str| -> u32 {
        let text = switch.vsctl(&["get", "interface", port, "ofport"]).unwrap();
        text.trim().parse().unwrap()
    };
    let other = format!("ofport={}", ofport("d1"));
    // The switch does not write it again until it configures the port.
    switch
        .db()
        .vsctl(&[
            "set",
            "interface",
            "d0",
            &other,
            "--",
            "set",
            "interface",
            "d1",
            "ofport=77",
        ])
        .unwrap();
    let run = audit(
        switch.db(),
        &["--json", "--rundir", switch.db().dir().to_str().unwrap()],
    );
    let ports = run.json()["ports"].clone();
    let found = |nth: usize| (ports[nth]["openflow"].clone(), ports[nth]["reason"].clone());
    assert_eq!(run.status, 2);
    assert_eq!(found(0), (json!(true), Value::Null), "br0");
    assert_eq!(
        found(1),
        (
            json!(false),
            json!(format!("{} is d1 to the bridge", other.replace('=', " ")))
        )
    );
    assert_eq!(
        found(2),
        (json!(false), json!("the bridge has no OpenFlow port 77"))
    );
    assert_eq!(found(3), (json!(true), Value::Null));

    let run = audit(switch.db(), &["--rundir", "/nonexistent"]);
    assert_eq!((run.status, run.stdout.as_str()), (3, "4 interfaces: 4 ok\n"));
    assert!(run.complaint().contains("unix:/nonexistent/br0.mgmt"), "{run:?}");
}

#[test]
fn an_openflow_port_without_a_row_has_a_state_of_its_own() {
    let (Some(switch), Some(rows)) = (or_skip(Switch::start()), or_skip(OvsdbServer::start())) else {
        return;
    };
    switch.add_bridge("br0").unwrap();
    for port in ["d0", "d1"] {
        switch
            .add_port("br0", port, &["type=dummy", "ofport_request=5"])
            .unwrap();
    }
    // The database of another day: the switch has been without one since, and still has the port.
    let bridge = ["set", "bridge", "br0", "datapath_type=dummy"];
    rows.vsctl(&[&["add-br", "br0", "--"], &bridge[..]].concat())
        .unwrap();
    rows.vsctl(&["add-port", "br0", "d0"]).unwrap();
    rows.vsctl(&["set", "interface", "br0", "ofport=65534"]).unwrap();
    let ofport = switch.vsctl(&["get", "interface", "d0", "ofport"]).unwrap();
    let ofport = format!("ofport={}", ofport.trim());
    rows.vsctl(&["set", "interface", "d0", "type=dummy", &ofport])
        .unwrap();
    let rundir = switch.db().dir().to_str().unwrap();
    let run = audit(&rows, &["--json", "--rundir", rundir]);
    let found = states(&run);
    assert_eq!((run.status, found.len()), (2, 3), "{run:?}");
    assert_eq!(found[2], ("d1".to_owned(), "openflow without row".to_owned()));
    assert_eq!(run.json()["ports"][2]["row"], false);
    // Its own database explains all.
    let run = audit(switch.db(), &["--rundir", rundir]);
    assert_eq!(
        (run.status, run.stdout.as_str()),
        (0, "3 interfaces: 3 ok\n"),
        "{run:?}"
    );
    let once = audit(&rows, &["--rundir", rundir, "--observe", "1"]);
    assert_eq!(once.status, 1, "{once:?}");
    assert!(
        once.stdout.contains("seen once: openflow without row"),
        "{once:?}"
    );
}

#[test]
fn a_duplicate_on_another_bridge_counts_also_for_one_bridge() {
    let patch = ["type=patch", "ofport=7", "external_ids:iface-id=x1"];
    let Some(server) = server(&[("dup0", &patch)]) else {
        return;
    };
    server
        .vsctl(&[
            "add-br",
            "br1",
            "--",
            "set",
            "bridge",
            "br1",
            "datapath_type=netdev",
        ])
        .unwrap();
    let add = ["add-port", "br1", "dup1", "--", "set", "interface", "dup1"];
    server.vsctl(&[&add[..], &patch].concat()).unwrap();
    let run = audit(&server, &["--bridge", "br0", "--json"]);
    let found = states(&run);
    assert_eq!(found.len(), 2, "{run:?}");
    assert_eq!(found[1], ("dup0".to_owned(), "duplicate iface-id".to_owned()));
}

#[test]
fn suggests_lines_that_a_shell_takes_and_never_runs_them() {
    let Some(server) = server(&[("it's", ABSENT), ("plain0", ABSENT)]) else {
        return;
    };
    server
        .vsctl(&["set", "port", "plain0", "other_config:transient=true"])
        .unwrap();
    server.vsctl(&["add-bond", "br0", "bond0", "m0", "lo"]).unwrap();
    server.vsctl(&["set", "interface", "lo", "ofport=1"]).unwrap();
    server
        .vsctl(&[&["set", "interface", "m0"], ABSENT].concat())
        .unwrap();
    // The bridge's own port is never to be deleted.
    server
        .vsctl(&[&["set", "interface", "br0", "type=system"], ABSENT].concat())
        .unwrap();

    let before = server.vsctl(&["show"]).unwrap();
    let run = audit(&server, &["--suggest"]);
    assert_eq!(server.vsctl(&["show"]).unwrap(), before);
    assert!(
        run.stdout
            .contains("5 interfaces: 4 no device, 1 ok; 1 of the stale ones are transient\n"),
        "{run:?}"
    );
    let uuid = server.vsctl(&["get", "interface", "m0", "_uuid"]).unwrap();
    let lines: Vec<_> = run
        .stdout
        .lines()
        .filter(|line| line.starts_with("ovs-vsctl"))
        .collect();
    assert_eq!(
        lines,
        [
            &format!("ovs-vsctl remove Port bond0 interfaces {}", uuid.trim()),
            r"ovs-vsctl --if-exists del-port br0 'it'\''s'",
            "ovs-vsctl --if-exists del-port br0 plain0",
        ]
    );
    for line in lines {
        let words = std::process::Command::new("sh")
            .args([
                "-c",
                &format!("set -- {line}; shift; for word; do echo \"$word\"; done"),
            ])
            .output()
            .unwrap();
        let words = String::from_utf8(words.stdout).unwrap();
        server.vsctl(&words.lines().collect::<Vec<_>>()).unwrap();
    }
    let left = audit(&server, &["--json"]).json();
    assert_eq!(
        left["states"],
        json!({ "ok": 1, "no device": 1 }),
        "the bridge's own port and lo"
    );
}

#[test]
fn a_name_that_no_line_can_carry_is_not_suggested() {
    let Some(server) = server(&[("tab\there", ABSENT), (r"tab\there", ABSENT)]) else {
        return;
    };
    let run = audit(&server, &["--suggest"]);
    let lines: Vec<_> = run
        .stdout
        .lines()
        .filter(|line| line.starts_with("ovs-vsctl"))
        .collect();
    assert_eq!(
        lines,
        [r"ovs-vsctl --if-exists del-port br0 'tab\there'"],
        "{run:?}"
    );
    let comments = run.stdout.lines().filter(|line| line.starts_with("# port "));
    assert_eq!(comments.count(), 1, "{run:?}");
    let report = audit(&server, &["--suggest", "--json"]).json();
    let ports = report["ports"].as_array().unwrap();
    let suggested = ports.iter().filter(|port| port["suggestion"].is_string());
    assert_eq!(
        suggested.map(|port| port["port"].clone()).collect::<Vec<_>>(),
        [json!(r"tab\there")]
    );
}

#[test]
fn what_was_seen_only_once_is_undecided() {
    let Some(server) = server(&[("old0", ABSENT), ("healed0", ABSENT)]) else {
        return;
    };
    let run = audit(&server, &["--observe", "1", "--json"]);
    assert_eq!(run.status, 1);
    assert!(run.complaint().contains("OpenFlow ports of br0"));
    let reason = run.json()["ports"][1]["reason"].clone();
    assert_eq!(
        reason,
        "seen once: no device: could not open network device (No such device)"
    );

    let db = server.remote();
    let args = ["--db", &db, "--interval", "2", "--json"];
    let mut audit = Background::start(command("port-audit"), &args);
    audit.wait_for_error("looking again in 2 s");
    server
        .vsctl(&[
            "set",
            "interface",
            "healed0",
            "type=patch",
            "ofport=1",
            "--",
            "clear",
            "interface",
            "healed0",
            "error",
        ])
        .unwrap();
    server
        .vsctl(
            &[
                &["add-port", "br0", "young0", "--", "set", "interface", "young0"],
                ABSENT,
            ]
            .concat(),
        )
        .unwrap();
    assert_eq!(audit.wait(), Some(2));
    let report: Value = serde_json::from_str(&audit.stdout()).unwrap();
    let states: Vec<_> = report["ports"]
        .as_array()
        .unwrap()
        .iter()
        .map(|port| port["state"].clone())
        .collect();
    assert_eq!(states, ["ok", "ok", "no device", "undecided"]);
}

#[test]
fn says_so_where_the_kernel_cannot_be_asked() {
    let Some(server) = or_skip(OvsdbServer::start()) else {
        return;
    };
    server
        .vsctl(&["add-br", "br0", "--", "set", "interface", "br0", "ofport=65534"])
        .unwrap();
    let run = audit(&server, &["--json"]);
    if Path::new("/sys/module/openvswitch").exists() {
        assert_eq!(states(&run), [("br0".to_owned(), "vport vanished".to_owned())]);
    } else {
        assert_eq!(run.status, 3);
        assert!(
            run.stderr.contains("the ports of the datapath are not known"),
            "{run:?}"
        );
        assert_eq!(run.json()["ports"][0]["vport"], Value::Null);
    }
}

#[test]
fn draws_a_hole_where_something_is_missing() {
    let ports: Vec<String> = (0..250).map(|n| format!("z{n:03}<")).collect();
    let rows: Vec<(&str, &[&str])> = ports.iter().map(|name| (name.as_str(), ABSENT)).collect();
    let Some(server) = server(&rows[..2]) else { return };
    let mut more = Vec::new();
    for (name, settings) in &rows[2..] {
        more.extend(["--", "add-port", "br0", name, "--", "set", "interface", name]);
        more.extend(*settings);
    }
    server.vsctl(&more[1..]).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("matrix.svg");
    let draw = || {
        let run = audit(&server, &["--svg", file.to_str().unwrap()]);
        assert_eq!(run.status, 2);
        std::fs::read_to_string(&file).unwrap()
    };
    let svg = draw();
    assert_eq!(
        svg.matches("class=\"hole\"").count(),
        2 * 200,
        "ofport and netdev of those that fit"
    );
    assert!(svg.contains("and 51 more") && svg.contains("z000&lt;") && !svg.contains("z000<"));
    assert_eq!(draw(), svg, "the same ports give the same picture");
    let run = audit(&server, &["--svg", "/nonexistent/matrix.svg", "--json"]);
    assert_eq!(
        (run.status, run.json()["states"]["no device"].as_u64()),
        (2, Some(250))
    );
    assert!(run.stderr.contains("/nonexistent/matrix.svg"));
}

#[test]
fn what_it_cannot_look_at_is_one_line_and_its_status() {
    let Some(server) = server(&[]) else { return };
    let run_with = |args: &[&str]| run("port-audit", args, "");
    for args in [
        &["--observe", "3"][..],
        &["--interval", "-1"],
        &["--db", "x"],
        &["br0"],
        &["--bogus"],
    ] {
        let run = run_with(args);
        assert_eq!(
            (run.status, run.stdout.as_str(), run.stderr.lines().count()),
            (64, "", 2),
            "{run:?}"
        );
    }
    let run = run_with(&["--db", "unix:/nonexistent/db.sock"]);
    assert_eq!(run.status, 3);
    assert!(run.complaint().contains("unix:/nonexistent/db.sock"));
    let run = audit(&server, &["--bridge", "br9"]);
    assert_eq!(run.status, 3);
    assert!(run.complaint().contains("no bridge br9"));
    assert_eq!(run_with(&["--help"]).status, 0);
    let run = run_without_reader("port-audit", &["--db", &server.remote()]);
    assert_eq!(run.status, 3);
    assert!(run.complaint().contains("OpenFlow ports of br0"));
}
