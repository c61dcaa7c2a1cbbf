//! `flow-diff` on what `ovs-ofctl` prints of a real switch.

use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;
use testbed::{Switch, or_skip};

use crate::tool::{Background, Run, command, run, run_without_reader};

fn diff(args: &[&str], input: &str) -> Run {
    run("flow-diff", args, input)
}

fn file(dir: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = dir.path().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

/// Compares two texts.
fn compare(before: &str, after: &str, options: &[&str]) -> Run {
    let dir = tempfile::tempdir().unwrap();
    let before = file(&dir, "before", before);
    diff(&[&[before.to_str().unwrap(), "-"], options].concat(), after)
}

fn lines(run: &Run) -> Vec<&str> {
    let marked = |line: &&str| line.starts_with(['+', '-', '~']);
    run.stdout.lines().filter(marked).collect()
}

fn dump(switch: &Switch, options: &[&str]) -> String {
    let mgmt = switch.mgmt("br0");
    switch.ofctl(&[options, &["dump-flows", &mgmt]].concat()).unwrap()
}

/// Bridge `br0` with port `p1`, number 1, and some flows.
fn switch() -> Option<Switch> {
    let switch = or_skip(Switch::start())?;
    switch.add_bridge("br0").unwrap();
    let port = [
        "add-port",
        "br0",
        "p1",
        "--",
        "set",
        "interface",
        "p1",
        "type=dummy",
    ];
    switch
        .vsctl(&[&port[..], &["ofport_request=1"]].concat())
        .unwrap();
    let flows = "\
        table=0,cookie=0x1,priority=2,in_port=1,actions=resubmit(,23)
        table=0,cookie=0x1,priority=0,actions=NORMAL
        table=23,cookie=0x1,priority=0,actions=drop
        table=24,cookie=0x1,priority=2,icmp6,in_port=1,icmp_type=136,actions=output:2,output:3,output:4
        table=25,cookie=0x1,priority=2,in_port=1,dl_src=fa:16:3e:00:00:01,actions=NORMAL
    ";
    switch
        .ofctl_stdin(&["add-flows", &switch.mgmt("br0"), "-"], flows)
        .unwrap();
    Some(switch)
}

#[test]
fn a_bridge_that_only_counts_has_not_changed() {
    let Some(switch) = switch() else { return };
    let before = dump(&switch, &[]);
    let packet = "in_port(1),eth(src=50:54:00:00:00:01,dst=50:54:00:00:00:02),eth_type(0x0800),\
                  ipv4(src=10.0.0.1,dst=10.0.0.2,proto=17,tos=0,ttl=64,frag=no),udp(src=1,dst=2)";
    switch.appctl(&["netdev-dummy/receive", "p1", packet]).unwrap();
    let counted = |text: &str| text.contains("n_packets=1,");
    while !counted(&dump(&switch, &[])) {
        switch.appctl(&["revalidator/wait"]).unwrap();
    }
    let run = compare(&before, &dump(&switch, &[]), &[]);
    assert_eq!(
        (run.status, lines(&run).len(), run.stderr.as_str()),
        (0, 0, ""),
        "{run:?}"
    );
    // Without statistics, and in another version's reply.
    for options in [&["--no-stats"][..], &["-O", "OpenFlow13"], &["-O", "OpenFlow15"]] {
        let run = compare(&before, &dump(&switch, options), &[]);
        assert_eq!((run.status, lines(&run).len()), (0, 0), "{run:?}");
    }
}

#[test]
fn each_version_has_words_of_its_own_for_the_same_flows() {
    let Some(switch) = switch() else { return };
    let actions = "mod_vlan_vid:7,load:0x5->NXM_NX_REG0[0..15],strip_vlan,mod_nw_tos:4,output:1";
    let flow = format!("table=30,ip,tcp,tp_dst=80,vlan_tci=0x1000/0x1000,actions={actions}");
    switch.ofctl(&["add-flow", &switch.mgmt("br0"), &flow]).unwrap();
    let before = dump(&switch, &["-O", "OpenFlow10"]);
    assert!(before.contains("strip_vlan"), "{before}");
    for version in ["OpenFlow12", "OpenFlow13", "OpenFlow15"] {
        let after = dump(&switch, &["-O", version]);
        assert!(after.contains("pop_vlan"), "{after}");
        let run = compare(&before, &after, &[]);
        assert_eq!((run.status, lines(&run).len()), (0, 0), "{run:?}");
    }
}

#[test]
fn a_bridge_that_comes_back_is_asked_again() {
    let Some(switch) = switch() else { return };
    let mut live = Background::start(command("flow-diff"), &["--live", &switch.mgmt("br0"), "--json"]);
    // It has asked once before it can tell a change.
    let mut n = 0;
    live.wait_for(|stdout| {
        n += 1;
        let flow = format!("table=40,priority={n},actions=drop");
        switch.ofctl(&["add-flow", &switch.mgmt("br0"), &flow]).unwrap();
        !stdout.is_empty()
    });
    switch.vsctl(&["del-br", "br0"]).unwrap();
    live.wait_for_error("trying again");
    switch.add_bridge("br0").unwrap();
    // The new one has none of the flows.
    let gone = |line: &str| line.contains("removed") && line.contains("\"table\":23");
    live.wait_for(|stdout| stdout.lines().any(gone));
    assert_eq!(live.stderr().lines().count(), 1, "{}", live.stderr());
    live.interrupt();
    assert_eq!(live.wait(), None);
}

#[test]
fn what_was_added_deleted_and_modified_is_told_apart() {
    let Some(switch) = switch() else { return };
    let before = dump(&switch, &[]);
    let mgmt = switch.mgmt("br0");
    let add = |flow: &str| switch.ofctl(&["add-flow", &mgmt, flow]).unwrap();
    add("table=0,cookie=0x7,priority=5,idle_timeout=300,in_port=1,arp,actions=resubmit(,24)");
    switch
        .ofctl(&[
            "mod-flows",
            &mgmt,
            "table=24,cookie=0x1,icmp6,actions=output:2,output:9,output:10,output:4",
        ])
        .unwrap();
    switch
        .ofctl(&["--strict", "del-flows", &mgmt, "table=23,priority=0"])
        .unwrap();
    let after = dump(&switch, &[]);

    let run = compare(&before, &after, &[]);
    assert_eq!(run.status, 1);
    assert_eq!(
        lines(&run),
        [
            "+ table=0, priority=5,arp,in_port=1 cookie=0x7 idle_timeout=300 actions=resubmit(,24)",
            "- table=23, priority=0 cookie=0x1 actions=drop",
            "~ table=24, priority=2,icmp6,in_port=1,icmp_type=136 actions: -output:3 +output:9,output:10 \
             (1 before and 1 behind are the same)",
        ]
    );
    let summary: Vec<Vec<&str>> = run
        .stdout
        .lines()
        .skip(5)
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(
        summary,
        [
            ["0", "2", "3", "1", "0", "0"],
            ["23", "1", "0", "0", "1", "0"],
            ["24", "1", "1", "0", "0", "1"],
            ["25", "1", "1", "0", "0", "0"],
            ["all", "5", "5", "1", "1", "1"],
        ]
    );

    let report = compare(&before, &after, &["--json"]).json();
    let modified = &report["changes"][2];
    assert_eq!(
        (&modified["change"], &modified["table"]),
        (&json!("modified"), &json!(24))
    );
    assert_eq!(
        modified["before"],
        json!({ "actions": "output:2,output:3,output:4" })
    );
    assert_eq!(
        modified["after"],
        json!({ "actions": "output:2,output:9,output:10,output:4" })
    );
    assert_eq!(report["changes"][0]["cookie"], "0x7");
    assert_eq!(report["tables"][1]["removed"], 1);
    let same = compare(&after, &after, &["--json"]).json();
    assert_eq!(same["changes"], json!([]));
}

#[test]
fn a_restarted_agent_changes_cookies_only() {
    let flow = |cookie, rest: &str| format!(" cookie={cookie}, table=0, priority=1 actions={rest}\n");
    let run = compare(&flow("0x1", "NORMAL"), &flow("0x2", "NORMAL"), &[]);
    assert_eq!(lines(&run), ["~ table=0, priority=1 cookie=0x1 -> 0x2"]);
    let run = compare(
        &flow("0x1", "NORMAL"),
        &flow("0x2", "NORMAL"),
        &["--ignore-cookie"],
    );
    assert_eq!((run.status, lines(&run).len()), (0, 0));
    let run = compare("", &flow("0x2", "NORMAL"), &["--ignore-cookie"]);
    assert_eq!(lines(&run), ["+ table=0, priority=1 actions=NORMAL"]);
    let run = compare(&flow("0x1", "NORMAL"), &flow("0x2", "drop"), &["--ignore-cookie"]);
    assert_eq!(lines(&run), ["~ table=0, priority=1 actions: -NORMAL +drop"]);
}

#[test]
fn spelling_and_order_of_a_match_do_not_count() {
    let run = compare(
        " table=0,priority=1,tcp,tp_dst=0x50,nw_src=10.0.0.0/255.0.0.0 actions=output:1\n",
        "NXST_FLOW reply (xid=0x4):\n cookie=0x0, duration=1s, table=0, n_packets=9, \
         priority=1,tcp,nw_src=10.0.0.0/8,tp_dst=80 actions=output:1\n",
        &[],
    );
    assert_eq!((run.status, lines(&run).len()), (0, 0), "{run:?}");
}

#[test]
fn a_line_that_cannot_be_read_is_named_with_its_file() {
    let good = " table=0,priority=1 actions=drop\n";
    let run = compare(&format!("{good}% garbage %\n"), good, &["--json"]);
    assert_eq!(run.status, 3);
    assert!(run.complaint().contains("before: line 2"), "{run:?}");
    assert_eq!(run.json()["unread_lines"], 1);

    let run = compare(good, "", &[]);
    assert_eq!(
        (run.status, lines(&run)),
        (1, vec!["- table=0, priority=1 actions=drop"])
    );
    assert!(run.complaint().contains("empty"), "{run:?}");
}

#[test]
fn wrong_files_and_wrong_lines_have_their_status() {
    for (args, status) in [
        (&[][..], 64),
        (&["a"], 64),
        (&["a", "b", "c"], 64),
        (&["-", "-"], 64),
        (&["--live", "unix:x", "--every", "0"], 64),
        (&["--bogus"], 64),
        (&["/nonexistent/a", "/nonexistent/b"], 3),
    ] {
        let run = diff(args, "");
        assert_eq!((run.status, run.stdout.as_str()), (status, ""), "{run:?}");
    }
    let help = diff(&["--help"], "");
    assert_eq!(help.status, 0);
    let dir = tempfile::tempdir().unwrap();
    let dump = file(&dir, "dump", " table=0,priority=1 actions=drop\n");
    let dump = dump.to_str().unwrap();
    let run = run_without_reader("flow-diff", &[dump, dump]);
    assert_eq!((run.status, run.stderr.as_str()), (0, ""));
}

#[test]
fn large_tables_take_no_more_than_their_size() {
    let table = |shift| -> String {
        let flow = |n: u32| {
            format!(
                " cookie=0x1, duration={n}s, table={}, n_packets={n}, priority=1,reg0={:#x} actions=output:{}\n",
                n % 60,
                n + shift,
                n % 100
            )
        };
        (0..50_000).map(flow).collect()
    };
    let report: Value = compare(&table(0), &table(60), &["--json"]).json();
    let sum = |name: &str| -> u64 {
        let tables = report["tables"].as_array().unwrap();
        tables.iter().map(|table| table[name].as_u64().unwrap()).sum()
    };
    // The first 60 go, 60 come, and all others move to another output: 60 is not a multiple of 100.
    assert_eq!((sum("removed"), sum("added"), sum("modified")), (60, 60, 49_940));
}

#[test]
fn table_names_and_port_names_are_kept() {
    let before = " cookie=0x0, table=classifier, priority=1,in_port=\"patch-tun\" actions=output:\"tap a\"\n";
    let after = before.replace("tap a", "tap b");
    let run = compare(before, &after, &[]);
    assert_eq!(
        lines(&run),
        ["~ table=classifier, priority=1,in_port=\"patch-tun\" actions: -output:\"tap a\" +output:\"tap b\""]
    );
}

#[test]
fn tells_the_changes_of_a_running_switch() {
    let Some(switch) = or_skip(Switch::start()) else {
        return;
    };
    switch.add_bridge("br0").unwrap();
    let mgmt = switch.mgmt("br0");
    switch
        .ofctl(&["add-flow", &mgmt, "table=1,actions=drop"])
        .unwrap();
    let mut live = Background::start(command("flow-diff"), &["--live", &mgmt, "--json"]);
    // It has asked once when it is connected, which it does not say: so change until it has seen one.
    let mut n = 0;
    let seen = live.wait_for(|stdout| {
        n += 1;
        let flow = format!("priority={n},in_port=21,actions=output:4");
        switch.ofctl(&["add-flow", &mgmt, &flow]).unwrap();
        stdout.ends_with('\n')
    });
    let first: Value = serde_json::from_str(seen.lines().next().unwrap()).unwrap();
    let change = &first["changes"][0];
    assert_eq!(
        (&change["change"], &change["match"]),
        (&"added".into(), &"in_port=21".into()),
        "{first}"
    );
    assert!(first["time"].as_str().unwrap().starts_with("20"), "{first}");
    let lines = seen.lines().count();
    switch.ofctl(&["del-flows", &mgmt, "table=1"]).unwrap();
    let seen = live.wait_for(|stdout| {
        stdout.lines().skip(lines).any(|line| line.contains("removed")) && stdout.ends_with('\n')
    });
    assert!(seen.contains("\"table\":1"), "{seen}");
    live.interrupt();
    assert_eq!(live.wait(), None);

    let both = run("flow-diff", &[&mgmt, &mgmt], "");
    assert_eq!((both.status, both.stderr.as_str()), (0, ""), "{both:?}");
    assert_eq!(run("flow-diff", &["--live", "unix:/nonexistent"], "").status, 3);
    assert_eq!(run("flow-diff", &["--live", &mgmt, "x"], "").status, 64);
}

/// `ovs-ofctl diff-flows` reports each of these.
#[test]
fn two_switches_are_compared_by_what_is_not_printed_too() {
    let pair = (or_skip(Switch::start()), or_skip(Switch::start()));
    let (Some(one), Some(other)) = pair else { return };
    for switch in [&one, &other] {
        switch.add_bridge("br0").unwrap();
    }
    let (first, second) = (one.mgmt("br0"), other.mgmt("br0"));
    for (left, right) in [
        ("dl_type=0x894f,nsh_c1=1", "dl_type=0x894f,nsh_c1=2"),
        ("tun_gbp_flags=1/1", "tun_gbp_flags=1/3"),
    ] {
        for (switch, text) in [(&one, left), (&other, right)] {
            let mgmt = switch.mgmt("br0");
            switch.ofctl(&["del-flows", &mgmt]).unwrap();
            switch
                .ofctl(&["add-flow", &mgmt, &format!("priority=1,{text},actions=drop")])
                .unwrap();
        }
        let run = diff(&[&first, &second], "");
        assert_eq!(
            (run.status, lines(&run).len()),
            (1, 2),
            "{}{}",
            run.stdout,
            run.stderr
        );
        assert_eq!(diff(&[&first, &first], "").status, 0);
    }

    // A text has lost the difference: one flow more is an addition, as many are not known to be the same.
    let dir = tempfile::tempdir().unwrap();
    one.ofctl(&["del-flows", &first]).unwrap();
    let add = |value: u8| {
        let flow = format!("priority=1,dl_type=0x894f,nsh_c1={value},actions=drop");
        one.ofctl(&["add-flow", &first, &flow]).unwrap();
    };
    add(1);
    let text = file(&dir, "one.txt", &dump(&one, &[]));
    add(2);
    let run = diff(&[text.to_str().unwrap(), &first], "");
    assert_eq!(
        (run.status, lines(&run).len()),
        (1, 1),
        "{}{}",
        run.stdout,
        run.stderr
    );
    assert!(
        run.stdout.contains("1 flows before and 2 after that print alike"),
        "{}",
        run.stdout
    );
    let both = file(&dir, "two.txt", &dump(&one, &[]));
    assert_eq!(diff(&[both.to_str().unwrap(), &first], "").status, 3);
}
