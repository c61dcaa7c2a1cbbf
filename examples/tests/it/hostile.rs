//! What people and machines do to tools: a clear sentence and the right status, and never a panic.

use testbed::{OvsdbServer, Switch, or_skip};

use crate::tool::{Background, Run, command, run, run_on_terminal_of};

#[test]
fn a_wrong_command_line_is_status_64_and_says_what_is_wrong() {
    for (name, args, words) in [
        (
            "action-budget",
            &["--endpoints", "0"][..],
            "a number from 1 to 65278",
        ),
        ("action-budget", &["--backlog", "-1"], "a whole number is wanted"),
        ("action-budget", &["--db", "unix:"], "names no file"),
        (
            "action-budget",
            &["--db", "tcp:localhost:6640"],
            "not an ip address",
        ),
        (
            "action-budget",
            &["--openflow", "tcp:"],
            "neither unix:FILE nor tcp:HOST:PORT",
        ),
        ("action-budget", &["extra"], "\"extra\""),
        ("dp-flows", &["--top", "colour"], "one of packets, bytes, actions"),
        (
            "dp-flows",
            &["--limit", "99999999999999999999999"],
            "a whole number is wanted",
        ),
        ("dp-health", &["--listen", "127.0.0.1:99999"], "port"),
        ("dp-health", &["--interval", "-1"], "a whole number is wanted"),
        ("flow-diff", &["one"], "two dumps"),
        (
            "flow-diff",
            &["--live", "file"],
            "neither unix:FILE nor tcp:HOST:PORT",
        ),
        ("flow-diff", &["--live", "unix:/x", "--every", "0"], "from 1 on"),
        ("flow-dump", &[], "a FILE is needed"),
        (
            "flow-dump",
            &["ssl:192.0.2.1:6653"],
            "neither unix:FILE nor tcp:HOST:PORT",
        ),
        ("flow-dump", &["x", "--filter", "tcp &&"], "column 7"),
        ("netdev-wait", &["a", "b"], "\"b\""),
        (
            "ovsdb-monitor",
            &["ssl:127.0.0.1:1", "Open_vSwitch", "Bridge"],
            "needs --private-key",
        ),
        (
            "ovsdb-monitor",
            &["unix:/x", "Open_vSwitch", "ALL", "Bridge"],
            "ALL stands alone",
        ),
        (
            "ovsdb-monitor",
            &["unix:/x", "Open_vSwitch", ""],
            "no name of a table",
        ),
        ("port-audit", &["--observe", "3"], "one of 1, 2"),
        ("port-timeline", &[""], "NAME"),
        (
            "port-timeline",
            &["p", "--openflow", "ssl:127.0.0.1:1"],
            "neither unix:FILE nor tcp:HOST:PORT",
        ),
        ("upcall-audit", &["--watch", "0"], "from 1 on"),
        ("upcall-audit", &["--pid", "self"], "a whole number is wanted"),
    ] {
        let run = run(name, args, "");
        assert_eq!((run.status, run.stdout.as_str()), (64, ""), "{args:?} {run:?}");
        assert!(
            run.stderr.lines().next().unwrap().contains(words),
            "{args:?} {run:?}"
        );
    }
}

#[test]
fn a_directory_is_no_dump_and_no_picture() {
    for (name, args) in [
        ("action-budget", &["--flows", "/"][..]),
        ("dp-flows", &["--offline", "/"]),
        ("flow-diff", &["/dev/null", "/"]),
        ("flow-dump", &["/"]),
        ("netdev-wait", &["/"]),
        ("flow-dump", &["/dev/null", "--html", "/"]),
    ] {
        let run = run(name, args, "");
        assert_eq!(run.status, 3, "{args:?} {run:?}");
        let line = run
            .stderr
            .lines()
            .find(|line| line.contains("directory"))
            .unwrap();
        assert_eq!(line.matches(name).count(), 1, "{run:?}");
    }
}

/// Those that read a database, with what they print of an empty one, and their status.
#[test]
fn an_empty_database_is_no_riddle() {
    let Some(server) = or_skip(OvsdbServer::start()) else {
        return;
    };
    let db = server.remote();
    let ask = |name: &str, args: &[&str], input: &str| run(name, &[&["--db", &db], args].concat(), input);
    let said = |run: &Run| (run.status, run.stdout.clone() + &run.stderr);
    let (status, text) = said(&ask("action-budget", &[], ""));
    assert_eq!((status, text.contains("it has none")), (3, true), "{text}");
    assert_eq!(
        said(&ask("port-audit", &["--rundir", "/nonexistent"], "")),
        (0, "no interfaces\n".to_owned())
    );
    let waiting = "unregister_netdevice: waiting for x to become free. Usage count = 1\n";
    let (status, text) = said(&ask("netdev-wait", &["-"], waiting));
    assert_eq!((status, text.as_str()), (0, "None of this switch's ports: x\n"));
    let (status, text) = said(&ask("dp-health", &["--interval", "0"], ""));
    assert!(status == 3 && !text.contains("database not read"), "{text}");
    let timeline = ask("port-timeline", &["p", "--for", "1"], "");
    assert_eq!((timeline.status, timeline.stdout.as_str()), (0, ""));
    let monitor = Background::start(
        command("ovsdb-monitor"),
        &[&db, "Open_vSwitch", "Bridge,name", "Port,name"],
    );
    // There is nothing to print until there is something.
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert_eq!(monitor.stdout() + &monitor.stderr(), "");
    server.vsctl(&["add-br", "br0"]).unwrap();
    monitor.wait_for(|text| text.contains("insert br0"));
}

#[test]
fn long_names_and_narrow_terminals_break_nothing() {
    let Some(switch) = or_skip(Switch::start()) else {
        return;
    };
    let name = "patch-".to_owned() + &"x".repeat(200);
    switch.add_bridge("br0").unwrap();
    let peer = ["type=patch", "options:peer=nobody"];
    switch.db().vsctl(&["add-port", "br0", &name]).unwrap();
    switch
        .db()
        .vsctl(&[&["set", "interface", &name], &peer[..]].concat())
        .unwrap();
    let dir = tempfile::tempdir().unwrap();
    let picture = dir.path().join("audit.svg").display().to_string();
    let db = switch.db().remote();
    let audit = ["--db", &db, "--interval", "0", "--all", "--svg", &picture];
    let whole = run("port-audit", &audit, "");
    assert!(whole.stdout.contains(&name), "{whole:?}");
    let svg = std::fs::read_to_string(&picture).unwrap();
    assert!(
        svg.contains("patch-xxx") && svg.contains("x…") && !svg.contains(&name),
        "{svg}"
    );
    let flow = "table=1,priority=5,tcp,tp_dst=80,actions=output:2,output:3,output:4";
    switch.ofctl(&["add-flow", &switch.mgmt("br0"), flow]).unwrap();
    let mgmt = switch.mgmt("br0");
    for columns in [0, 1, 2, 5, 24] {
        for (tool, args) in [
            ("port-audit", &audit[..5]),
            ("flow-dump", &[&mgmt]),
            ("flow-dump", &[&mgmt, "--by", "table"]),
            ("flow-diff", &["/dev/null", &mgmt]),
            ("action-budget", &["--backlog", "1000"]),
        ] {
            let text = run_on_terminal_of(columns, tool, args, "NO_COLOR=1");
            assert!(
                !text.is_empty() && !text.contains("panicked"),
                "{tool} {columns}: {text}"
            );
            if columns == 0 && tool == "flow-dump" {
                assert!(!text.contains('…'), "an unknown width cuts nothing: {text}");
            }
        }
    }
}

#[test]
fn a_peer_that_is_killed_is_told_once() {
    let Some(mut server) = or_skip(OvsdbServer::start()) else {
        return;
    };
    server.vsctl(&["add-br", "br0"]).unwrap();
    let db = server.remote();
    let mut timeline = Background::start(command("port-timeline"), &["br0", "--db", &db]);
    let mut monitor = Background::start(command("ovsdb-monitor"), &[&db, "Open_vSwitch", "Bridge,name"]);
    timeline.wait_for(|text| text.contains("row is there"));
    monitor.wait_for(|text| text.contains("initial br0"));
    server.kill();
    for tool in [&timeline, &monitor] {
        tool.wait_for_error("trying again");
    }
    std::thread::sleep(std::time::Duration::from_millis(1500));
    for tool in [&timeline, &monitor] {
        assert_eq!(
            tool.stderr().matches("trying again").count(),
            1,
            "{}",
            tool.stderr()
        );
    }
    server.restart().unwrap();
    server.vsctl(&["del-br", "br0"]).unwrap();
    timeline.wait_for(|text| text.contains("row deleted"));
    monitor.wait_for(|text| text.contains("delete br0"));
    for tool in [&mut timeline, &mut monitor] {
        tool.interrupt();
        assert_eq!(tool.wait(), None);
    }
}
