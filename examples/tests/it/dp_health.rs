//! `dp-health` on a host whose kernel has no datapath. What needs one is in `tests/kernel`.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;

use testbed::{Switch, or_skip};

use crate::tool::{Background, command, run};

/// A bridge of tunnels with 3 of them, and a port without a device.
fn switch() -> Option<Switch> {
    let switch = or_skip(Switch::start())?;
    switch.add_bridge("br-tun").unwrap();
    for n in 1..4 {
        let (port, remote) = (format!("vx{n}"), format!("options:remote_ip=10.0.0.{n}"));
        switch
            .add_port(
                "br-tun",
                &port,
                &["type=vxlan", &remote, &format!("options:key={n}")],
            )
            .unwrap();
    }
    Some(switch)
}

#[test]
fn a_page_has_what_could_be_read_and_says_what_could_not() {
    let Some(switch) = switch() else { return };
    let (db, pid) = (switch.db().remote(), switch.pid().to_string());
    let page = run("dp-health", &["--prom", "--db", &db, "--pid", &pid], "");
    assert_eq!((page.status, page.stderr.as_str()), (0, ""), "{page:?}");
    for line in [
        "ovs_up{source=\"database\"} 1",
        "ovs_interfaces{state=\"ok\"} 4",
        "ovs_bridge_flood_endpoints{bridge=\"br-tun\"} 3",
        "# TYPE ovs_bridge_flood_endpoints_max gauge",
    ] {
        assert!(page.stdout.lines().any(|found| found == line), "{line}: {page:?}");
    }
    let blind = run(
        "dp-health",
        &["--prom", "--db", "unix:/nonexistent", "--pid", "4194304"],
        "",
    );
    assert!(
        blind.stdout.contains("ovs_up{source=\"database\"} 0\n"),
        "{blind:?}"
    );
    assert!(!blind.stdout.contains("ovs_interfaces"), "{blind:?}");
}

#[test]
fn serves_the_page_to_curl_whoever_else_connects() {
    let Some(curl) = or_skip(testbed::program("curl")) else {
        return;
    };
    let Some(switch) = switch() else { return };
    let (db, pid) = (switch.db().remote(), switch.pid().to_string());
    let args = ["--listen", "127.0.0.1:0", "--db", &db, "--pid", &pid];
    let mut server = Background::start(command("dp-health"), &args);
    server.wait_for_error("/metrics");
    let url = server.stderr().trim().rsplit(' ').next().unwrap().to_owned();
    let get = |args: &[&str]| {
        let output = Command::new(&curl)
            .args(["-sS", "-i", "-m", "20"])
            .args(args)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let answer = get(&[&url]);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(
        head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("text/plain; version=0.0.4"),
        "{head}"
    );
    assert!(
        head.contains(&format!("Content-Length: {}", body.len())),
        "{head}"
    );
    assert!(body.contains("ovs_interfaces{state=\"ok\"} 4\n"), "{body}");

    let address = url
        .strip_prefix("http://")
        .unwrap()
        .strip_suffix("/metrics")
        .unwrap();
    let raw = |bytes: &[u8]| {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(bytes).unwrap();
        let mut answer = String::new();
        // It may close before it has read all.
        let _ = stream.read_to_string(&mut answer);
        answer
    };
    assert_eq!(raw(&[b'x'; 40_000]), "");
    assert!(raw(b"POST /metrics HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405 "));
    let silent = TcpStream::connect(address).unwrap();
    assert!(get(&["-I", &url]).ends_with("\r\n\r\n"));
    drop(silent);
    assert!(get(&[&url.replace("/metrics", "/")]).starts_with("HTTP/1.1 404 "));

    // Each request looks anew.
    switch.vsctl(&["del-port", "br-tun", "vx3"]).unwrap();
    assert!(get(&[&url]).contains("ovs_bridge_flood_endpoints{bridge=\"br-tun\"} 2\n"));
    server.interrupt();
    assert_eq!(server.wait(), None);
}

#[test]
fn a_probe_is_one_line_with_figures() {
    let Some(switch) = switch() else { return };
    let (db, pid) = (switch.db().remote(), switch.pid().to_string());
    let probe = |args: &[&str]| {
        let common = ["--db", &db, "--pid", &pid, "--interval", "0"];
        run("dp-health", &[&common[..], args].concat(), "")
    };
    // Two switches, so that the second one cannot be had, and the port of a name twice.
    switch
        .db()
        .vsctl(&[
            "--no-wait",
            "add-port",
            "br-tun",
            "p0",
            "--",
            "set",
            "interface",
            "p0",
            "type=patch",
        ])
        .unwrap();
    testbed::wait_until("the port is in error", || {
        probe(&[]).stdout.contains("1 ports in error")
    });
    let line = probe(&[]);
    assert_eq!(line.stdout.lines().count(), 1, "{line:?}");
    assert!(
        line.stdout.starts_with("OVS ") && line.stdout.contains(" stale_ports=0 flood_used=0.3%"),
        "{line:?}"
    );
    // Without a kernel of Open vSwitch nobody knows of lost packets.
    let unknown = " | lost=U flows=U masks=U orphaned_sockets=U ";
    let not_read = line.stdout.contains("kernel not read");
    assert_eq!(line.stdout.contains(unknown), not_read, "{line:?}");
    assert!(line.status == 1 || line.status == 3, "{line:?}");
    let json = probe(&["--json"]).json();
    assert!(
        json["findings"].to_string().contains("1 ports in error"),
        "{json}"
    );
    assert_eq!(json["figures"]["stale_ports"], 0);
}

#[test]
fn a_flood_over_its_limit_is_critical() {
    let Some(switch) = switch() else { return };
    // Without a kernel's datapath there is nothing else to find.
    let mut add: Vec<String> = Vec::new();
    for n in 0..1001 {
        let (high, low) = (n / 250, n % 250);
        add.extend([
            "--".to_owned(),
            "add-port".to_owned(),
            "br-tun".to_owned(),
            format!("t{n}"),
            "--".to_owned(),
        ]);
        add.extend([
            "set".to_owned(),
            "interface".to_owned(),
            format!("t{n}"),
            "type=vxlan".to_owned(),
        ]);
        add.extend([
            format!("options:remote_ip=10.1.{high}.{low}"),
            format!("ofport={}", n + 100),
        ]);
    }
    let add: Vec<&str> = add.iter().map(String::as_str).collect();
    // A database alone, so that no switch has to make a thousand tunnels.
    let Some(server) = or_skip(testbed::OvsdbServer::start()) else {
        return;
    };
    server.vsctl(&["add-br", "br-tun"]).unwrap();
    server.vsctl(&add[1..]).unwrap();
    let pid = switch.pid().to_string();
    let run = run(
        "dp-health",
        &["--db", &server.remote(), "--pid", &pid, "--interval", "0"],
        "",
    );
    assert_eq!(run.status, 2, "{run:?}");
    assert!(
        run.stdout
            .contains("br-tun floods to 1001 of 1000 ports (netdev_max_backlog)"),
        "{run:?}"
    );
}

#[test]
fn what_it_cannot_do_has_its_status() {
    // The second one is kept for documents: no host has it.
    for (address, status) in [("nonsense", 64), ("192.0.2.1:9475", 3)] {
        assert_eq!(
            run("dp-health", &["--listen", address], "").status,
            status,
            "{address}"
        );
    }
    assert_eq!(run("dp-health", &["--interval", "x"], "").status, 64);
    let blind = run(
        "dp-health",
        &["--db", "unix:/nonexistent", "--pid", "4194304", "--interval", "0"],
        "",
    );
    assert_eq!(
        (blind.status, blind.stdout.starts_with("OVS UNKNOWN: ")),
        (3, true),
        "{blind:?}"
    );
}
