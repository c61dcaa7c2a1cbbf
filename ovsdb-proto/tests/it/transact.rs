//! Transactions on a real `ovsdb-server`.

use std::collections::BTreeMap;
use std::time::Duration;

use ovsdb_proto::client::{Client, Error, TransactError};
use ovsdb_proto::operation::{Condition, Function, Mutation, Mutator, Operation, Until};
use ovsdb_proto::rpc::ErrorKind;
use ovsdb_proto::transaction::{Aborted, Transaction};
use ovsdb_proto::value::{Datum, Map, Row, Set, Uuid};
use serde::Deserialize;
use serde_json::json;
use testbed::{OvsdbServer, Version, or_skip, version};

const DATABASE: &str = "Open_vSwitch";

pub(crate) async fn connect(server: &OvsdbServer) -> Client {
    Client::connect(&server.remote().parse().unwrap()).await.unwrap()
}

pub(crate) fn aborted(result: Result<impl std::fmt::Debug, TransactError>) -> Aborted {
    match result {
        Err(TransactError::Aborted(aborted)) => aborted,
        other => panic!("{other:?} is no abort"),
    }
}

#[tokio::test]
async fn every_operation_does_what_it_says() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Interface {
        _uuid: Uuid,
        name: String,
        ofport_request: Option<i64>,
        options: BTreeMap<String, String>,
    }

    let Some(server) = or_skip(OvsdbServer::start()) else {
        return;
    };
    server.vsctl(&["add-br", "br0"]).unwrap();
    let client = connect(&server).await;
    let chosen = Uuid::random();

    let mut transaction = Transaction::new(DATABASE);
    transaction.comment("adds a port");
    transaction.require(
        "Bridge",
        [Condition::equal("name", "br0")],
        "name",
        Until::Equal,
        "br0",
    );
    let interface = transaction.insert_with_uuid(
        "Interface",
        chosen,
        [
            ("name", "p1".into()),
            (
                "options",
                BTreeMap::from([("key", "5"), ("remote_ip", "1.2.3.4")]).into(),
            ),
        ],
    );
    let port = transaction.insert(
        "Port",
        [("name", "p1".into()), ("interfaces", (&interface).into())],
    );
    let mutate = transaction.mutate(
        "Bridge",
        [Condition::equal("name", "br0")],
        [Mutation::insert("ports", [&port])],
    );
    let update = transaction.update(
        "Interface",
        [Condition::uuid(chosen)],
        [("ofport_request", Some(7).into())],
    );
    let map = transaction.mutate(
        "Interface",
        [Condition::includes("options", Map::from_iter([("key", "5")]))],
        [
            Mutation::delete("options", ["key"]),
            Mutation::new("ofport_request", Mutator::Add, 1),
        ],
    );
    let select = transaction.select(
        "Interface",
        [Condition::new("ofport_request", Function::GreaterOrEqual, 8)],
        ["_uuid", "name", "ofport_request", "options"],
    );
    let none = transaction.delete("QoS", []);
    transaction.durable();
    let committed = client.transact(&transaction).await.unwrap();

    assert_eq!(committed.uuid(&interface), Some(chosen));
    assert_ne!(committed.uuid(&port), None);
    let count = |operation| committed.count(operation).unwrap();
    assert_eq!([mutate, update, map, none].map(count), [1, 1, 1, 0]);
    let rows: Vec<Interface> = committed.read(select).collect::<Result<_, _>>().unwrap();
    let expected = Interface {
        _uuid: chosen,
        name: "p1".into(),
        ofport_request: Some(8),
        options: BTreeMap::from([("remote_ip".into(), "1.2.3.4".into())]),
    };
    assert_eq!(rows, [expected]);
    assert_eq!(server.vsctl(&["list-ports", "br0"]).unwrap(), "p1\n");

    // All columns, _uuid and _version included.
    let mut transaction = Transaction::new(DATABASE);
    let select = transaction.push(Operation::Select {
        table: "Port".into(),
        conditions: vec![Condition::equal("name", "p1")],
        columns: None,
        sort: None,
    });
    let committed = client.transact(&transaction).await.unwrap();
    let row = &committed.rows(select).unwrap()[0];
    assert!(row.get("_uuid").is_some() && row.get("_version").is_some() && row.get("tag").is_some());

    let empty = client.transact(&Transaction::new(DATABASE)).await.unwrap();
    assert!(empty.results().is_empty());
}

#[tokio::test]
async fn every_failure_names_its_operation_and_its_kind() {
    let Some(server) = or_skip(OvsdbServer::start()) else {
        return;
    };
    server.vsctl(&["add-br", "br0"]).unwrap();
    let client = connect(&server).await;
    let known: Uuid = server
        .vsctl(&["get", "bridge", "br0", "_uuid"])
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    let br0 = || [Condition::equal("name", "br0")];

    // Each stands behind a comment, so that the place is not 0.
    let mut failures: Vec<(Transaction, ErrorKind, bool)> = Vec::new();
    let mut fails = |kind, in_operation, build: &dyn Fn(&mut Transaction)| {
        let mut transaction = Transaction::new(DATABASE);
        transaction.comment("first");
        build(&mut transaction);
        failures.push((transaction, kind, in_operation));
    };
    fails(ErrorKind::Aborted, true, &|t| {
        t.push(Operation::Abort);
    });
    fails(ErrorKind::TimedOut, true, &|t| {
        t.require("Bridge", br0(), "name", Until::NotEqual, "br0");
    });
    fails(ErrorKind::TimedOut, true, &|t| {
        t.push(Operation::Wait {
            table: "Bridge".into(),
            conditions: vec![],
            columns: Some(vec!["name".into()]),
            until: Until::Equal,
            rows: vec![],
            timeout: Some(Duration::from_millis(50)),
        });
    });
    fails(ErrorKind::NotOwner, true, &|t| {
        t.assert("a_lock");
    });
    fails(ErrorKind::DuplicateUuid, true, &|t| {
        t.insert_with_uuid("Bridge", known, [("name", "br1".into())]);
    });
    fails(ErrorKind::DomainError, true, &|t| {
        t.mutate(
            "Open_vSwitch",
            [],
            [Mutation::new("next_cfg", Mutator::Divide, 0)],
        );
    });
    fails(ErrorKind::RangeError, true, &|t| {
        t.update("Open_vSwitch", [], [("next_cfg", i64::MAX.into())]);
        t.mutate("Open_vSwitch", [], [Mutation::new("next_cfg", Mutator::Add, 1)]);
    });
    fails(ErrorKind::ConstraintViolation, true, &|t| {
        t.update("Bridge", br0(), [("flood_vlans", Set::from_iter([1]).into())]);
        t.mutate(
            "Bridge",
            br0(),
            [Mutation::new("flood_vlans", Mutator::Add, 5000)],
        );
    });
    // The index on the name, and a reference to nothing, are found at the end.
    fails(ErrorKind::ConstraintViolation, false, &|t| {
        let bridge = t.insert("Bridge", [("name", "br0".into())]);
        t.mutate("Open_vSwitch", [], [Mutation::insert("bridges", [&bridge])]);
    });
    fails(ErrorKind::ReferentialIntegrityViolation, false, &|t| {
        t.update("Bridge", br0(), [("ports", Uuid::random().into())]);
    });

    for (transaction, kind, in_operation) in failures {
        let aborted = aborted(client.transact(&transaction).await);
        assert_eq!(aborted.error.kind(), kind, "{aborted}");
        let last = transaction.operations().len() - 1;
        let place = aborted.operation.map(|operation| operation.index());
        assert_eq!(place, in_operation.then_some(last), "{aborted}");
    }

    let mut transaction = Transaction::new("nope");
    transaction.comment("c");
    let refused = client.transact(&transaction).await.unwrap_err();
    assert_eq!(refused.reply().unwrap().kind(), ErrorKind::UnknownDatabase);

    let mut transaction = Transaction::new("_Server");
    transaction.update("Database", [], [("name", "x".into())]);
    let not_allowed = client.transact(&transaction).await.unwrap_err();
    assert_eq!(not_allowed.reply().unwrap().kind(), ErrorKind::NotAllowed);
}

#[tokio::test]
async fn a_server_that_takes_no_changes_says_so() {
    let Some(server) = or_skip(OvsdbServer::start()) else {
        return;
    };
    server.make_read_only().unwrap();
    let client = Client::connect(&server.remote().parse().unwrap()).await.unwrap();
    let mut transaction = Transaction::new("Open_vSwitch");
    transaction.select("QoS", [], ["type"]);
    client.transact(&transaction).await.unwrap();
    let insert = transaction.insert("QoS", [("type", "x".into())]);
    let aborted = aborted(client.transact(&transaction).await);
    assert_eq!(aborted.error.kind(), ErrorKind::NotAllowed);
    assert_eq!(
        aborted.operation.map(|operation| operation.index()),
        Some(1),
        "{insert:?}"
    );
    let locked = client.lock("l").await;
    if version().unwrap() >= Version::new(3, 3, 0) {
        // It is the database that takes no changes, and locks are the server's.
        locked.unwrap();
        return;
    }
    let Err(Error::Rpc { error, .. }) = locked else {
        panic!("there are no locks");
    };
    assert_eq!(
        error.error,
        "lock and unlock methods not allowed, DB server is read only."
    );
}

#[tokio::test]
async fn a_disk_without_room_is_an_error_of_the_whole_transaction() {
    let Some(mut server) = or_skip(OvsdbServer::start()) else {
        return;
    };
    server.restart_with_room(8).unwrap();
    let client = Client::connect(&server.remote().parse().unwrap()).await.unwrap();
    let insert = |len: usize| {
        let mut transaction = Transaction::new("Open_vSwitch");
        transaction.insert("QoS", [("type", "x".repeat(len).into())]);
        transaction
    };
    client.transact(&insert(1)).await.unwrap();
    let aborted = aborted(client.transact(&insert(64 << 10)).await);
    assert_eq!(aborted.error.kind(), ErrorKind::IoError);
    assert_eq!(aborted.error.io_error.as_deref(), Some("File too large"));
    assert_eq!(aborted.operation, None);
    assert_eq!(client.list_dbs().await.unwrap().len(), 2);
}

/// What the check lets pass, the server accepts; what it refuses, the server refuses, too.
#[tokio::test]
async fn the_check_agrees_with_the_server() {
    let Some(server) = or_skip(OvsdbServer::start()) else {
        return;
    };
    server.vsctl(&["add-br", "br0"]).unwrap();
    let client = connect(&server).await;
    let schema = client.get_schema(DATABASE).await.unwrap();
    let set = |atoms: &[i64]| atoms.iter().copied().collect::<Set>().into();
    let values: [Datum; 15] = [
        1.into(),
        i64::MAX.into(),
        (-1).into(),
        1.5.into(),
        true.into(),
        "secure".into(),
        "".into(),
        Uuid::ZERO.into(),
        set(&[]),
        set(&[1, 2]),
        set(&[5000]),
        Map::from_iter([("a", "b")]).into(),
        Map::from_iter([("a", 1)]).into(),
        Map::default().into(),
        Set::from_iter(["OpenFlow10", "OpenFlow13"]).into(),
    ];
    let columns = [
        "name",
        "fail_mode",
        "flood_vlans",
        "protocols",
        "external_ids",
        "mcast_snooping_enable",
        "ports",
        "_uuid",
        "nope",
    ];
    let functions = [
        Function::Equal,
        Function::NotEqual,
        Function::Less,
        Function::GreaterOrEqual,
        Function::Includes,
        Function::Excludes,
    ];
    let mutators = [
        Mutator::Add,
        Mutator::Remainder,
        Mutator::Multiply,
        Mutator::Insert,
        Mutator::Delete,
    ];
    let mut operations = Vec::new();
    let table = || "Bridge".to_owned();
    // No row has this name: a question of types alone, not of what is there.
    let nothing = || vec![Condition::equal("name", "none")];
    for value in values {
        for column in columns {
            operations.push(Operation::Update {
                table: table(),
                conditions: nothing(),
                row: Row::from([(column, value.clone())]),
            });
            operations.extend(functions.map(|function| Operation::Select {
                table: table(),
                conditions: vec![Condition::new(column, function, value.clone())],
                columns: Some(vec![]),
                sort: None,
            }));
            operations.extend(mutators.map(|mutator| Operation::Mutate {
                table: table(),
                conditions: nothing(),
                mutations: vec![Mutation::new(column, mutator, value.clone())],
            }));
        }
    }
    let (mut accepted, mut refused) = (0, 0);
    for operation in operations {
        let params = [json!(DATABASE), json!(operation)];
        let reply = client.call("transact", &params).await.unwrap();
        let there = reply[0].get("error").is_none();
        let check = operation.check(&schema);
        assert_eq!(check.is_ok(), there, "{operation:?}: {check:?}, server: {reply}");
        *if there { &mut accepted } else { &mut refused } += 1;
    }
    assert!(accepted > 100 && refused > 100, "{accepted} and {refused}");
}

#[tokio::test]
async fn what_does_not_fit_the_schema_is_not_sent() {
    let Some(server) = or_skip(OvsdbServer::start()) else {
        return;
    };
    let client = connect(&server).await;
    let mut transaction = Transaction::new(DATABASE);
    transaction.comment("c");
    transaction.update("Bridge", [], [("fail_mode", "open".into())]);
    let Err(TransactError::Invalid(invalid)) = client.transact(&transaction).await else {
        panic!("it does not fit");
    };
    assert_eq!(invalid.operation.index(), 1);
    assert_eq!(
        invalid.source.to_string(),
        "column fail_mode of table Bridge has a wrong value"
    );
}

#[tokio::test]
async fn updates_of_a_transaction_come_before_its_reply() {
    let Some(server) = or_skip(OvsdbServer::start()) else {
        return;
    };
    server.vsctl(&["add-br", "br0"]).unwrap();
    let client = connect(&server).await;
    let request = ovsdb_proto::monitor::MonitorRequest::new(DATABASE).table("Bridge", ["fail_mode"]);
    let mut monitor = client.monitor(&request).await.unwrap();
    monitor.next().await.unwrap();
    for mode in ["secure", "standalone"].repeat(20) {
        let mut transaction = Transaction::new(DATABASE);
        transaction.update("Bridge", [], [("fail_mode", mode.into())]);
        client.transact(&transaction).await.unwrap();
        let next = tokio::time::timeout(Duration::ZERO, monitor.next()).await;
        assert_eq!(next.unwrap().unwrap().len(), 1, "it is there already");
        let (_, bridge) = monitor.replica().table("Bridge").unwrap().rows().next().unwrap();
        assert_eq!(bridge.get("fail_mode"), Some(&mode.into()));
    }
}
