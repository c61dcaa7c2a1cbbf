//! `netdev-wait` on the text of logs. The kernel's own messages are in `tests/kernel`.

use std::io::Write as _;

use serde_json::{Value, json};
use testbed::{Switch, or_skip};

use crate::tool::{Background, command, run};

#[test]
fn knows_its_ports_in_the_text_of_dmesg() {
    let Some(switch) = or_skip(Switch::start()) else {
        return;
    };
    switch.add_bridge("br-int").unwrap();
    switch
        .add_port("br-int", "tap0", &["type=dummy", "external_ids:iface-id=x1"])
        .unwrap();
    let db = switch.db().remote();
    let line = |seconds: &str, device: &str| {
        format!("[{seconds}] unregister_netdevice: waiting for {device} to become free. Usage count = 1\n")
    };
    let log = [
        "[    1.000000] Linux version 6.1\n".to_owned(),
        line("   18.500000", "tap0"),
        line("   20.000000", "lo"),
        line("   28.600000", "tap0"),
        line("   38.700000", "tap0"),
    ]
    .concat();

    let summary = run("netdev-wait", &["-", "--db", &db, "--json"], &log);
    assert_eq!(summary.status, 2, "{summary:?}");
    let devices = summary.json()["devices"].clone();
    let tap = &devices[0];
    assert_eq!((&tap["device"], &tap["messages"]), (&json!("tap0"), &json!(3)));
    assert!((tap["seconds"].as_f64().unwrap() - 20.2).abs() < 1e-6, "{tap}");
    assert_eq!(
        (&tap["port"]["bridge"], &tap["port"]["iface_id"]),
        (&json!("br-int"), &json!("x1"))
    );
    assert_eq!(
        (&devices[1]["device"], &devices[1]["port"]),
        (&json!("lo"), &Value::Null)
    );
    let text = run("netdev-wait", &["-", "--db", &db], &log).stdout;
    assert!(
        text.contains("a leaked reference") && text.ends_with("None of this switch's ports: lo\n"),
        "{text}"
    );

    // A stream has a line for each, and a summary of none asks nobody.
    let stream = run("netdev-wait", &["-", "--db", &db, "--follow"], &log);
    assert_eq!(
        (stream.status, stream.stdout.lines().count()),
        (2, 4),
        "{stream:?}"
    );
    let foreign = line("   20.000000", "lo");
    let run = |log: &str| run("netdev-wait", &["-", "--db", &db], log);
    assert_eq!(run(&foreign).status, 0);
    assert_eq!(run("").stdout, "The kernel waits for no device.\n");
}

#[test]
fn what_it_cannot_look_at_is_one_line_and_its_status() {
    let log = "unregister_netdevice: waiting for lo to become free. Usage count = 1\n";
    let blind = run("netdev-wait", &["-", "--db", "unix:/nonexistent/db.sock"], log);
    assert_eq!(blind.status, 3);
    assert!(blind.complaint().contains("/nonexistent/db.sock"));
    let absent = run("netdev-wait", &["/nonexistent/log"], "");
    assert_eq!(
        (absent.status, absent.complaint()),
        (
            3,
            "netdev-wait: /nonexistent/log: No such file or directory (os error 2)"
        )
    );
    let garbage = run("netdev-wait", &["-"], &"\u{0}x".repeat(1 << 20));
    assert_eq!(garbage.status, 0);
}

#[test]
fn an_interrupt_ends_a_stream_quietly() {
    let dir = tempfile::tempdir().unwrap();
    let fifo = dir.path().join("log").display().to_string();
    testbed::sh(&format!("mkfifo {fifo}"));
    let mut follow = Background::start(
        command("netdev-wait"),
        &[&fifo, "--follow", "--db", "unix:/nonexistent"],
    );
    // It has the pipe open once this returns.
    let mut log = std::fs::OpenOptions::new().write(true).open(&fifo).unwrap();
    log.write_all(b"nothing of interest\n").unwrap();
    follow.interrupt();
    assert_eq!(
        (follow.wait(), follow.stdout(), follow.stderr()),
        (None, String::new(), String::new())
    );
}
