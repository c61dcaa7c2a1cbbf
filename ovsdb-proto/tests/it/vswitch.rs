//! The same change by `ovs-vsctl` and by this crate.

use std::time::Duration;

use ovsdb_proto::client::{Client, TransactError, Vswitch, VswitchError};
use ovsdb_proto::rpc::ErrorKind;
use ovsdb_proto::transaction::Transaction;
use ovsdb_proto::vswitch::{self, DATABASE, NewPort};
use testbed::{OvsdbServer, Switch, or_skip};

/// What the database holds, but for its UUIDs.
fn state(server: &OvsdbServer) -> String {
    let mut state = String::new();
    for (table, columns) in [
        ("Bridge", "name,fail_mode,external_ids,other_config,protocols"),
        ("Port", "name,tag,other_config,external_ids,bond_fake_iface"),
        (
            "Interface",
            "name,type,options,external_ids,ofport_request,mtu_request",
        ),
    ] {
        let columns = format!("--columns={columns}");
        let rows = server
            .vsctl(&["--format=csv", "--no-headings", &columns, "list", table])
            .unwrap();
        let mut rows: Vec<&str> = rows.lines().collect();
        rows.sort_unstable();
        state += &format!("{table}\n{}\n", rows.join("\n"));
    }
    for bridge in server.vsctl(&["list-br"]).unwrap().lines() {
        for list in ["list-ports", "list-ifaces"] {
            state += &format!("{list} {bridge}\n{}", server.vsctl(&[list, bridge]).unwrap());
        }
    }
    state
}

#[tokio::test]
async fn ten_everyday_commands_leave_the_database_that_ovs_vsctl_leaves() {
    let (Some(theirs), Some(ours)) = (or_skip(OvsdbServer::start()), or_skip(OvsdbServer::start())) else {
        return;
    };
    theirs.vsctl(&["init"]).unwrap();
    ours.vsctl(&["init"]).unwrap();
    let client = Client::connect(&ours.remote().parse().unwrap()).await.unwrap();
    let switch = Vswitch::new(client.clone());
    let vxlan = NewPort::new("vx0")
        .ty("vxlan")
        .option("remote_ip", "192.0.2.1")
        .option("key", "7")
        .external_id("a", "b c")
        .ofport_request(9)
        .tag(5)
        .transient();
    let set_key = |key, value| vswitch::set_key("Interface", "p1", "external_ids", key, value);
    let commands: Vec<(&[&str], Transaction)> = vec![
        (&["add-br", "br0"], vswitch::add_br("br0")),
        (
            &["add-port", "br0", "p1"],
            vswitch::add_port("br0", &NewPort::new("p1")),
        ),
        (
            &[
                "add-port",
                "br0",
                "vx0",
                "tag=5",
                "other_config:transient=true",
                "--",
                "set",
                "interface",
                "vx0",
                "type=vxlan",
                "ofport_request=9",
                "options:remote_ip=192.0.2.1",
                "options:key=7",
                "external_ids:a=\"b c\"",
            ],
            vswitch::add_port("br0", &vxlan),
        ),
        (&["set", "interface", "p1", "external_ids:x=1"], set_key("x", "1")),
        (&["set", "interface", "p1", "external_ids:x=2"], set_key("x", "2")),
        (&["set", "interface", "p1", "external_ids:y=3"], set_key("y", "3")),
        (
            &["remove", "interface", "p1", "external_ids", "x"],
            vswitch::remove_key("Interface", "p1", "external_ids", "x"),
        ),
        (
            &["set", "interface", "p1", "mtu_request=1400"],
            vswitch::set("Interface", "p1", "mtu_request", 1400),
        ),
        (
            &["set", "bridge", "br0", "fail_mode=secure"],
            vswitch::set("Bridge", "br0", "fail_mode", "secure"),
        ),
        (
            &["clear", "bridge", "br0", "fail_mode"],
            vswitch::clear("Bridge", "br0", "fail_mode"),
        ),
    ];
    for (args, transaction) in commands {
        theirs.vsctl(args).unwrap();
        client.transact(&transaction).await.unwrap();
        assert_eq!(state(&ours), state(&theirs), "{args:?}");
    }
    assert_eq!(switch.transient_ports().await.unwrap(), ["vx0"]);

    theirs.vsctl(&["del-port", "p1"]).unwrap();
    switch.del_port("p1").await.unwrap();
    assert_eq!(state(&ours), state(&theirs));
    theirs.vsctl(&["--if-exists", "del-port", "p1"]).unwrap();
    assert!(!switch.del_port_if_exists("p1").await.unwrap());
    assert!(!switch.del_port_if_exists("br0").await.unwrap());
    assert!(switch.del_port_if_exists("vx0").await.unwrap());
    theirs.vsctl(&["--if-exists", "del-port", "vx0"]).unwrap();
    assert_eq!(state(&ours), state(&theirs));
    theirs.vsctl(&["del-br", "br0"]).unwrap();
    switch.del_br("br0").await.unwrap();
    assert_eq!(state(&ours), state(&theirs));
}

#[tokio::test]
async fn what_ovs_vsctl_refuses_is_refused() {
    let Some(server) = or_skip(OvsdbServer::start()) else {
        return;
    };
    server.vsctl(&["add-br", "br0"]).unwrap();
    server.vsctl(&["add-port", "br0", "p1"]).unwrap();
    let before = state(&server);
    let client = Client::connect(&server.remote().parse().unwrap()).await.unwrap();
    for (transaction, kind) in [
        (vswitch::add_port("br1", &NewPort::new("p2")), ErrorKind::TimedOut),
        (
            vswitch::add_port("br0", &NewPort::new("p1")),
            ErrorKind::ConstraintViolation,
        ),
        (vswitch::add_br("br0"), ErrorKind::ConstraintViolation),
        (vswitch::set("Port", "p9", "tag", 1), ErrorKind::TimedOut),
        (
            vswitch::del_port(ovsdb_proto::value::Uuid::ZERO),
            ErrorKind::TimedOut,
        ),
    ] {
        match client.transact(&transaction).await {
            Err(TransactError::Aborted(aborted)) => assert_eq!(aborted.error.kind(), kind, "{aborted}"),
            other => panic!("{other:?}"),
        }
    }
    let switch = Vswitch::new(client);
    let local = switch.del_port("br0").await.unwrap_err();
    assert_eq!(local.to_string(), "br0 is the local port of its bridge");
    let none = switch.del_port("p9").await.unwrap_err();
    assert_eq!(none.to_string(), "no Port named p9");
    let none = switch.del_br("p1").await.unwrap_err();
    assert_eq!(none.to_string(), "no Bridge named p1");
    assert_eq!(state(&server), before);
}

#[tokio::test]
async fn of_many_that_delete_a_port_one_does() {
    let Some(server) = or_skip(OvsdbServer::start()) else {
        return;
    };
    server.vsctl(&["add-br", "br0"]).unwrap();
    server.vsctl(&["add-port", "br0", "p1"]).unwrap();
    let switch = Vswitch::new(Client::connect(&server.remote().parse().unwrap()).await.unwrap());
    // All look for the port before the first deletes it.
    let delete = || switch.del_port_if_exists("p1");
    let (a, b, c) = tokio::join!(delete(), delete(), delete());
    let deleted = [a, b, c].map(Result::unwrap);
    assert_eq!(
        deleted.iter().filter(|deleted| **deleted).count(),
        1,
        "{deleted:?}"
    );
}

#[tokio::test]
async fn ovs_vswitchd_says_what_it_has_done_and_what_not() {
    let Some(switch) = or_skip(Switch::start()) else {
        return;
    };
    let client = Client::connect(&switch.db().remote().parse().unwrap())
        .await
        .unwrap();
    let vswitch = Vswitch::new(client.clone());
    let within = Duration::from_secs(20);
    let done = vswitch.configure(&vswitch::add_br("br0"), within).await.unwrap();
    assert!(done.failed.is_empty());

    // A tunnel without its remote cannot be set up.
    let good = vswitch::add_port("br0", &NewPort::new("p1").ty("internal"));
    vswitch.configure(&good, within).await.unwrap();
    let ofport = switch.vsctl(&["get", "interface", "p1", "ofport"]).unwrap();
    assert!(
        ofport.trim().parse::<u16>().is_ok(),
        "it has a number when the call returns: {ofport}"
    );
    let bad = vswitch::add_port("br0", &NewPort::new("vx0").ty("vxlan"));
    let done = vswitch.configure(&bad, within).await.unwrap();
    assert_eq!(done.failed.keys().collect::<Vec<_>>(), ["vx0"]);
    assert!(done.committed.results().len() > bad.operations().len());

    // Nobody is there to do it.
    let Some(server) = or_skip(OvsdbServer::start()) else {
        return;
    };
    server.vsctl(&["init"]).unwrap();
    let client = Client::connect(&server.remote().parse().unwrap()).await.unwrap();
    let soon = Duration::from_millis(200);
    let error = Vswitch::new(client)
        .configure(&Transaction::new(DATABASE), soon)
        .await
        .unwrap_err();
    assert!(matches!(error, VswitchError::Unconfirmed(_)), "{error}");
}
