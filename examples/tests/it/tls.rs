//! Tools that ask a database by TLS, with certificates of `ovs-pki`.

use testbed::{OvsdbServer, Pki, or_skip};

use crate::tool::{Background, Run, command, run};

/// Those that ask a database. `DB` stands for its address; what only a kernel could tell is left out.
const TOOLS: [(&str, &[&str]); 7] = [
    (
        "action-budget",
        &["--db", "DB", "--bridge", "br0", "--backlog", "1000"],
    ),
    ("dp-health", &["--db", "DB", "--interval", "0", "--json"]),
    ("netdev-wait", &["-", "--db", "DB"]),
    ("ovsdb-monitor", &["DB", "Open_vSwitch", "Interface,name"]),
    (
        "port-audit",
        &[
            "--db",
            "DB",
            "--observe",
            "1",
            "--rundir",
            "/nonexistent",
            "--json",
        ],
    ),
    ("port-timeline", &["d0", "--db", "DB", "--for", "1", "--json"]),
    ("upcall-audit", &["--db", "DB", "--pid", "1"]),
];
const LOG: &str = "unregister_netdevice: waiting for d0 to become free. Usage count = 1\n";

fn ask(name: &str, args: &[&str], remote: &str, certificates: &[&str]) -> Run {
    let args = args.iter().map(|word| if *word == "DB" { remote } else { word });
    run(
        name,
        &args.chain(certificates.iter().copied()).collect::<Vec<_>>(),
        LOG,
    )
}

#[test]
fn every_tool_that_asks_a_database_does_so_by_tls() {
    let (Some(mut server), Some(pki)) = (or_skip(OvsdbServer::start()), or_skip(Pki::new())) else {
        return;
    };
    server
        .vsctl(&["add-br", "br0", "--", "add-port", "br0", "d0"])
        .unwrap();
    server.vsctl(&["set", "interface", "d0", "ofport=1"]).unwrap();
    let remote = server.restart_with_tls(&pki, "pssl:0:127.0.0.1").unwrap();
    let file = |path: std::path::PathBuf| path.display().to_string();
    let (key, certificate) = pki.client();
    let (key, certificate, authority) = (file(key), file(certificate), file(pki.server_authority()));
    let trusted = ["-p", &key, "--certificate", &certificate, "-C", &authority];
    let foreign = file(pki.client_authority());
    let mistrusted = ["--private-key", &key, "-c", &certificate, "--ca-cert", &foreign];
    for (name, args) in TOOLS {
        let incomplete = ask(name, args, &remote, &trusted[..4]);
        let text = incomplete.stderr.clone() + &incomplete.stdout;
        let wanted = format!("{remote} needs --private-key, --certificate and --ca-cert");
        assert!(text.contains(&wanted), "{name}: {incomplete:?}");
        // Those that look at more than the database go on without it.
        let status = if ["dp-health", "upcall-audit"].contains(&name) {
            3
        } else {
            64
        };
        assert_eq!(incomplete.status, status, "{name}: {incomplete:?}");

        let refused = ask(name, args, &remote, &mistrusted);
        let text = refused.stderr.clone() + &refused.stdout;
        assert!(
            text.contains(&remote) && text.contains("certificate"),
            "{name}: {refused:?}"
        );
        assert_eq!(refused.status, 3, "{name}: {refused:?}");
        if name == "ovsdb-monitor" {
            continue;
        }
        let [by_tls, by_socket] = [(&remote, &trusted[..]), (&server.remote(), &[])]
            .map(|(remote, certificates)| ask(name, args, remote, certificates));
        assert_eq!(
            by_tls.status, by_socket.status,
            "{name}: {by_tls:?} {by_socket:?}"
        );
        assert!(!by_tls.stderr.contains("ssl:"), "{name}: {by_tls:?}");
        if name != "port-timeline" {
            assert_eq!(by_tls.stdout, by_socket.stdout, "{name}");
        } else {
            assert!(by_tls.stdout.contains("row is there"), "{by_tls:?}");
        }
    }
    let args = [&[&*remote, "Open_vSwitch", "Interface,name"], &trusted[..]].concat();
    let monitor = Background::start(command("ovsdb-monitor"), &args);
    monitor.wait_for(|text| text.contains("initial d0"));
    server.vsctl(&["del-port", "d0"]).unwrap();
    monitor.wait_for(|text| text.contains("delete d0"));
}
