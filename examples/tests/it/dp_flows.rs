//! `dp-flows` on text. What needs a kernel is in `tests/kernel`.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use testbed::{Switch, or_skip};

use crate::tool::{Run, run, run_without_reader};

fn flows(args: &[&str], dump: &str) -> Run {
    run("dp-flows", &[&["--offline", "-"], args].concat(), dump)
}

const SLOW: &str = "recirc_id(0),in_port(8),eth(src=fa:16:3e:00:00:01),eth_type(0x0806), packets:3, bytes:126, \
                    used:0.679s, actions:userspace(pid=4294951940,slow_path(action))\n";
const NORMAL: &str = "recirc_id(0),in_port(2),eth(),eth_type(0x8809), packets:9, bytes:1116, used:0.100s, \
                      actions:userspace(pid=1,slow_path(lacp))\n";

#[test]
fn says_why_a_flow_is_slow() {
    let run = flows(&[], SLOW);
    assert_eq!((run.status, run.stderr.as_str()), (2, ""));
    assert!(run.stdout.starts_with(SLOW), "{run:?}");
    assert!(
        run.stdout
            .contains("\n1 slow by action, 3 packets: the datapath cannot have these actions"),
        "{run:?}"
    );
    let object: Value = serde_json::from_str(&flows(&["--json"], SLOW).stdout).unwrap();
    assert_eq!(
        (&object["slow"], &object["source"]),
        (&json!(["action"]), &json!("text"))
    );

    let run = flows(
        &["--slow"],
        &[NORMAL, "in_port(1), packets:0, bytes:0, used:never, actions:2\n"].concat(),
    );
    assert_eq!(run.status, 0, "a protocol of the switch is no fault: {run:?}");
    assert_eq!(
        run.stdout.lines().filter(|line| line.contains("in_port")).count(),
        1
    );
}

#[test]
fn unknown_keys_and_actions_cost_nobody() {
    let dump = "recirc_id(0),in_port(1),eth(),eth_type(0x86dd),key32(00 00/00 00), packets:1, bytes:2, used:never, actions:2\n\
                in_port(3),eth(), packets:1, bytes:2, used:never, actions:frobnicate(7),2\n\
                garbage\n";
    let run = flows(&["--full"], dump);
    assert_eq!((run.status, run.stderr.lines().count()), (3, 1), "{run:?}");
    assert!(run.complaint().starts_with("dp-flows: -:3: "), "{run:?}");
    let lines: Vec<_> = run.stdout.lines().collect();
    assert_eq!(lines[..2], dump.lines().collect::<Vec<_>>()[..2]);
}

#[test]
fn a_port_by_name_counts_as_any_port() {
    let named = "in_port(vnet1),eth(), packets:1, bytes:2, used:never, actions:push_vlan(vid=5,pcp=0),br-int,genev_sys_6081,clone(vnet2)\n";
    let numbered = "in_port(1),eth(), packets:1, bytes:2, used:never, actions:2,3\n";
    let run = flows(&["--top", "actions", "--json"], &[numbered, named].concat());
    let rows: Vec<Value> = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let figures = |key: &str| rows.iter().map(|row| row[key].clone()).collect::<Vec<_>>();
    assert_eq!(figures("actions_bytes"), [json!(36), json!(16)], "{run:?}");
    assert_eq!(figures("outputs"), [json!(2), json!(2)], "{run:?}");
    assert_eq!(
        rows[0]["actions"],
        "push_vlan(vid=5,pcp=0),br-int,genev_sys_6081,clone(vnet2)"
    );
    let run = flows(&["--full"], named);
    assert!(run.stdout.starts_with(named), "{run:?}");
    // Where ports are numbers a word is no port.
    let unknown = "in_port(1),eth(), packets:1, bytes:2, used:never, actions:frobnicate,2\n";
    assert_eq!(flows(&["--json"], unknown).json()["actions_bytes"], Value::Null);
}

#[test]
fn reads_back_what_a_switch_prints() {
    let Some(switch) = or_skip(Switch::start()) else {
        return;
    };
    switch.add_bridge("br0").unwrap();
    for port in ["p1", "p2"] {
        switch.add_port("br0", port, &["type=dummy"]).unwrap();
    }
    switch
        .ofctl(&["add-flow", &switch.mgmt("br0"), "ip,nw_dst=10.0.0.0/8,actions=2"])
        .unwrap();
    for n in 1..4 {
        let packet = format!(
            "in_port(1),eth(src=02:00:00:00:00:0{n},dst=02:00:00:00:00:09),eth_type(0x0800),\
             ipv4(src=10.0.0.{n},dst={n}0.0.0.9,proto=17,tos=0,ttl=64,frag=no),udp(src=1,dst=2)"
        );
        switch.appctl(&["netdev-dummy/receive", "p1", &packet]).unwrap();
    }
    let dump = switch.appctl(&["dpctl/dump-flows", "-m"]).unwrap();
    let run = flows(&["--full"], &dump);
    assert_eq!(run.status, 0, "{run:?}");
    let lines: BTreeSet<_> = dump.lines().filter(|line| line.contains(", actions:")).collect();
    let printed: BTreeSet<_> = run
        .stdout
        .lines()
        .filter(|line| line.contains(", actions:"))
        .collect();
    assert!(!lines.is_empty());
    assert_eq!(printed, lines);
    let masks = flows(&["--masks", "--json"], &dump).json();
    let counted: u64 = masks["masks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|mask| mask["flows"].as_u64().unwrap())
        .sum();
    assert_eq!(usize::try_from(counted).unwrap(), lines.len());
}

#[test]
fn long_actions_are_cut_and_the_largest_come_first() {
    let many = (0..500).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    let dump = format!("{SLOW}in_port(3),eth(), packets:1, bytes:2, used:never, actions:{many}\n");
    let run = flows(&["--top", "actions"], &dump);
    let first = run.stdout.lines().next().unwrap();
    assert!(
        first.ends_with("… (500 outputs, 4000 bytes)") && first.len() < 250,
        "{first}"
    );
    let run = flows(&["--top", "packets", "--limit", "1", "--json"], &dump);
    assert_eq!(run.json()["packets"], 3);
}

#[test]
fn what_it_cannot_look_at_has_its_status() {
    assert_eq!(run("dp-flows", &["--offline", "/nonexistent"], "").status, 3);
    assert_eq!(run("dp-flows", &["--dp", "nonexistent0"], "").status, 3);
    for args in [&["--top", "x"][..], &["--limit", "x"], &["x"]] {
        assert_eq!(flows(args, "").status, 64);
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), SLOW.repeat(100)).unwrap();
    let run = run_without_reader("dp-flows", &["--offline", file.path().to_str().unwrap()]);
    assert_eq!((run.status, run.stderr.as_str()), (2, ""));
}
