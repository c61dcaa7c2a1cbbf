//! `upcall-audit` beside a switch whose ports lose their namespaces.

use std::thread::sleep;
use std::time::Duration;

use netlink_genl::blocking::Ovs;
use serde_json::{Value, json};
use testbed::{Switch, sh, version, wait_until};

use crate::tool::{Background, Run, command, run, run_without_reader};

fn audit(switch: &Switch, args: &[&str]) -> Run {
    let (pid, db) = (switch.pid().to_string(), switch.db().remote());
    run(
        "upcall-audit",
        &[&["--pid", &pid, "--db", &db], args].concat(),
        "",
    )
}

/// A port whose namespace is deleted before the port.
pub(crate) fn lose(switch: &Switch, port: &str) {
    switch.add_port("br0", port, &["type=internal"]).unwrap();
    sh(&format!(
        "ip netns add dies && ip link set {port} netns dies && ip netns del dies"
    ));
    // Not by ovs-dpctl, which makes the datapath dispatch per CPU.
    let name = std::ffi::CString::new(port).unwrap();
    wait_until("the port goes", || {
        Ovs::open().unwrap().vport_by_name(&name).is_err()
    });
    switch.vsctl(&["del-port", "br0", port]).unwrap();
}

pub(crate) fn per_port() {
    {
        let switch = Switch::in_guest_per_port().unwrap();
        switch.add_bridge("br0").unwrap();
        // As ovs-ctl does when it starts a switch.
        let version = version().unwrap();
        let ovs_version = format!("ovs_version={version}");
        switch.vsctl(&["set", "Open_vSwitch", ".", &ovs_version]).unwrap();
        let run = audit(&switch, &["--json"]);
        let before = run.json();
        assert_eq!(run.status, 0, "{before}");
        assert_eq!(before["dispatch"], "per port");
        assert_eq!(
            ["attributed", "orphaned", "referenced", "unknown"].map(|key| before[key].clone()),
            [json!(true), json!(0), json!(2), json!(0)],
            "{before}"
        );
        assert_eq!((&before["missing"], &before["deaf"]), (&json!([]), &json!(false)));

        (0..ROUNDS).for_each(|round| lose(&switch, &format!("lost{round}")));
        let run = audit(&switch, &["--json"]);
        let after = run.json();
        if !version.loses_upcall_sockets() {
            // Each port had the number of the one before.
            assert_eq!((run.status, &after["orphaned"]), (0, &json!(1)), "{after}");
            let advice = after["advice"].to_string();
            assert!(
                advice.contains("until the number of the port is used again"),
                "{advice}"
            );
            drop(switch);
            sh("ovs-dpctl del-dp ovs-system");
            return;
        }
        assert_eq!((run.status, &after["orphaned"]), (2, &json!(ROUNDS)), "{after}");
        let grown = |key: &str| after[key].as_u64().unwrap() - before[key].as_u64().unwrap();
        assert_eq!(
            (
                grown("open_descriptors"),
                grown("sockets"),
                grown("referenced"),
                grown("own")
            ),
            (ROUNDS, ROUNDS, 0, 0)
        );
        assert_eq!(after["orphans"].as_array().unwrap().len(), 10);
        let advice = after["advice"].to_string();
        assert!(
            advice.contains("loses a socket whenever the network namespace"),
            "{advice}"
        );
        assert!(advice.contains("has room for"), "{advice}");

        let run = audit(&switch, &["--list"]);
        assert_eq!(run.status, 2);
        assert!(
            run.stdout.contains("  lost                        10  <-\n"),
            "{run:?}"
        );
        let mended = audit(&switch, &["--ovs", "3.7.0"]);
        assert!(mended.stdout.contains("This is not the known loss"), "{mended:?}");

        watches_them_grow(&switch);
        as_nobody(&switch);

        sh("ovs-dpctl show");
        let run = audit(&switch, &["--json"]);
        assert_eq!((run.status, &run.json()["deaf"]), (2, &json!(true)), "{run:?}");
    }
    sh("ovs-dpctl del-dp ovs-system");
}

fn watches_them_grow(switch: &Switch) {
    let (pid, db) = (switch.pid().to_string(), switch.db().remote());
    let args = ["--pid", &pid, "--db", &db, "--watch", "1", "--json"];
    let mut watch = Background::start(command("upcall-audit"), &args);
    watch.wait_for(|stdout| stdout.lines().count() > 0);
    lose(switch, "one0");
    lose(switch, "one1");
    sleep(Duration::from_secs(1));
    let lines = watch.stdout().lines().count();
    let lines = watch.wait_for(|stdout| stdout.lines().count() > lines + 1);
    let last: Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    assert_eq!(last["orphaned"], ROUNDS + 2);
    assert!(last["orphans_per_minute"].as_f64().unwrap() > 0.0, "{last}");
    assert!(last["seconds_left"].as_u64().unwrap() > 0, "{last}");
    watch.interrupt();
    // A slow guest may wait for the release.
    let said = watch.stderr();
    let complaints = said.lines().filter(|line| !line.contains(": waiting for "));
    assert_eq!((watch.wait(), complaints.count()), (None, 0), "{said}");
    // Long before it looks again.
    let args = ["--pid", &pid, "--db", &db, "--watch", "3600"];
    let run = run_without_reader("upcall-audit", &args);
    assert_eq!((run.status, run.stderr.as_str()), (0, ""));
}

/// Without the right to read descriptors there are counts, and it says so.
fn as_nobody(switch: &Switch) {
    let mut command = command("upcall-audit");
    std::os::unix::process::CommandExt::uid(&mut command, 65534);
    let pid = switch.pid().to_string();
    let mut run = Background::start(command, &["--pid", &pid, "--json", "--db", "unix:/nonexistent"]);
    assert_eq!(run.wait(), Some(3));
    assert!(
        run.stderr().contains("the release is not known"),
        "{}",
        run.stderr()
    );
    let report: Value = serde_json::from_str(&run.stdout()).unwrap();
    assert_eq!(
        ["attributed", "orphaned", "referenced", "open_descriptors"].map(|key| report[key].clone()),
        [json!(false), json!(0), json!(2), Value::Null]
    );
    assert!(report["unknown"].as_u64().unwrap() > ROUNDS);
}

pub(crate) fn per_cpu() {
    {
        let switch = Switch::in_guest().unwrap();
        switch.add_bridge("br0").unwrap();
        (0..3).for_each(|round| lose(&switch, &format!("kept{round}")));
        let run = audit(&switch, &[]);
        assert_eq!(run.status, 0, "{run:?}");
        assert!(
            run.stdout.contains("dispatches per CPU to its sockets, 2 ports"),
            "{run:?}"
        );
        assert!(!run.stdout.contains("loses"), "{run:?}");
    }
    sh("ovs-dpctl del-dp ovs-system");
}

const ROUNDS: u64 = 10;
