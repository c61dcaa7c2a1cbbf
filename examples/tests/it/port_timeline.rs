//! `port-timeline` beside the database. What needs a kernel is in `tests/kernel`.

use serde_json::Value;
use testbed::{Switch, or_skip};

use crate::tool::{Background, command, run};

const TAP: &str = "tap99a07591-94";

fn timeline(switch: &Switch, args: &[&str]) -> Background {
    let db = switch.db().remote();
    Background::start(command("port-timeline"), &[args, &["--db", &db]].concat())
}

/// Adds the port as nova does, and deletes it.
fn live_and_die(switch: &Switch) {
    let ids = ["external_ids:iface-id=x1", "external_ids:iface-status=active"];
    switch
        .add_port("br-int", TAP, &[&["type=dummy"][..], &ids].concat())
        .unwrap();
    switch.vsctl(&["set", "port", TAP, "tag=1"]).unwrap();
    switch.vsctl(&["del-port", "br-int", TAP]).unwrap();
}

fn texts(stdout: &str) -> Vec<(String, String)> {
    let lines = stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    lines
        .map(|line| (text(&line["lane"]), text(&line["text"])))
        .collect()
}

/// The first event of the lane with these words.
#[track_caller]
fn place(events: &[(String, String)], lane: &str, words: &str) -> usize {
    let found = events
        .iter()
        .position(|(in_lane, text)| in_lane == lane && text.contains(words));
    found.unwrap_or_else(|| panic!("{lane}: {words}: {events:?}"))
}

#[test]
fn tells_the_steps_of_a_port_in_order() {
    let Some(switch) = or_skip(Switch::start()) else {
        return;
    };
    switch.add_bridge("br-int").unwrap();
    // It has to be told once it listens, so there is something before.
    switch
        .add_port("br-int", "p0", &["external_ids:iface-id=x0"])
        .unwrap();
    let dir = tempfile::tempdir().unwrap();
    let svg = dir.path().join("lanes.svg");
    for (args, of_first) in [([TAP].as_slice(), "lo"), (&["--iface-id", "x1"], "x1")] {
        let other = timeline(&switch, &["p0", "--json"]);
        let args = [args, &["--json", "--svg", svg.to_str().unwrap()]].concat();
        let mut own = timeline(&switch, &args);
        other.wait_for(|stdout| stdout.contains("row is there"));
        // Nobody says when the second one listens, too; it has as long to start.
        std::thread::sleep(std::time::Duration::from_millis(1500));
        live_and_die(&switch);
        let stdout = own.wait_for(|stdout| stdout.matches("row deleted").count() == 2);
        let events = texts(&stdout);
        let steps = [
            place(&events, "interface", "row inserted"),
            // The server may send both in one.
            place(&events, "interface", "ofport"),
            place(&events, "port", "tag [] -> 1"),
            place(&events, "interface", "row deleted"),
        ];
        assert!(steps.is_sorted(), "{of_first}: {events:?}");
        assert!(
            events[steps[0]]
                .1
                .contains("external_ids {iface-id=x1, iface-status=active}"),
            "{events:?}"
        );
        assert!(place(&events, "port", "row inserted") < steps[2]);
        assert!(!stdout.contains("x0") && !stdout.contains("\"p0\""), "{stdout}");
        own.interrupt();
        assert_eq!(own.wait(), None);
        assert!(!own.stderr().contains("panicked"), "{}", own.stderr());
        let svg = std::fs::read_to_string(&svg).unwrap();
        assert!(
            svg.contains("row inserted") && svg.matches("class=\"there\"").count() >= 2,
            "{svg}"
        );
    }
}

#[test]
fn says_which_flow_outlived_its_port() {
    let Some(switch) = or_skip(Switch::start()) else {
        return;
    };
    switch.add_bridge("br-int").unwrap();
    let mgmt = switch.mgmt("br-int");
    switch
        .ofctl(&["add-flow", &mgmt, "table=5,in_port=21,actions=drop"])
        .unwrap();
    switch
        .ofctl(&["add-flow", &mgmt, "table=6,in_port=22,actions=drop"])
        .unwrap();
    let mut life = timeline(&switch, &[TAP, "--json", "--openflow", &mgmt, "--for", "9"]);
    std::thread::sleep(std::time::Duration::from_millis(1500));
    switch
        .add_port("br-int", TAP, &["type=dummy", "ofport_request=21"])
        .unwrap();
    for flow in [
        "table=25,in_port=21,actions=resubmit(,60)",
        "table=60,dl_vlan=1,actions=clone(strip_vlan,output:21)",
        "table=60,actions=output:22",
    ] {
        switch.ofctl(&["add-flow", &mgmt, flow]).unwrap();
    }
    switch
        .ofctl(&["mod-flows", &mgmt, "table=25,in_port=21,actions=NORMAL"])
        .unwrap();
    switch.ofctl(&["del-flows", &mgmt, "table=60,dl_vlan=1"]).unwrap();
    switch.vsctl(&["del-port", "br-int", TAP]).unwrap();
    life.wait_for(|stdout| stdout.contains("row deleted"));
    switch.ofctl(&["del-flows", &mgmt, "table=25"]).unwrap();
    assert_eq!(life.wait(), Some(1), "{}{}", life.stdout(), life.stderr());
    let events = texts(&life.stdout());
    let flows: Vec<_> = events
        .iter()
        .filter(|(lane, _)| lane == "flow")
        .map(|(_, text)| text.as_str())
        .collect();
    assert_eq!(flows.len(), 7, "{flows:?}");
    let steps = [
        place(
            &events,
            "flow",
            "table=5, priority=32768,in_port=21 cookie=0x0 actions=drop",
        ),
        place(
            &events,
            "flow",
            "table=25, priority=32768,in_port=21 cookie=0x0 actions=resubmit(,60)",
        ),
        place(
            &events,
            "flow",
            "table=60, priority=32768,dl_vlan=1 cookie=0x0 actions=clone(pop_vlan,output:21)",
        ),
        place(&events, "flow", "in_port=21 cookie=0x0 actions=NORMAL"),
        place(&events, "interface", "row deleted"),
        place(
            &events,
            "flow",
            "table=25, priority=32768,in_port=21 outlived its port by ",
        ),
        place(
            &events,
            "flow",
            "table=5, priority=32768,in_port=21 is still there, ",
        ),
    ];
    assert!(steps.is_sorted(), "{events:?}");
    let gone = events
        .iter()
        .position(|(_, text)| text == "table=60, priority=32768,dl_vlan=1");
    assert!(gone.is_some_and(|gone| gone < steps[4]), "{events:?}");
}

#[test]
fn lines_have_the_time_since_the_one_before() {
    let Some(switch) = or_skip(Switch::start()) else {
        return;
    };
    switch.add_bridge("br-int").unwrap();
    live_and_die(&switch);
    let mut bridge = timeline(&switch, &["br-int", "--for", "2"]);
    let stdout = bridge.wait_for(|stdout| stdout.lines().count() >= 2);
    let second = stdout.lines().nth(1).unwrap();
    assert!(
        second.contains(" ms  ") && second.contains("  br-int  row is there"),
        "{stdout}"
    );
    assert_eq!(bridge.wait(), Some(0));
}

#[test]
fn what_it_cannot_do_has_its_status() {
    let blind = run("port-timeline", &["p0", "--db", "unix:/nonexistent/db.sock"], "");
    assert_eq!(blind.status, 3);
    assert!(blind.stderr.contains("/nonexistent/db.sock"), "{blind:?}");
    for args in [
        &[][..],
        &["a", "b"],
        &["a", "--for", "x"],
        &["a", "--iface-id", "b"],
    ] {
        assert_eq!(run("port-timeline", args, "").status, 64, "{args:?}");
    }
}
