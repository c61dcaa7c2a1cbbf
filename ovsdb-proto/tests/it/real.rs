//! A real `ovsdb-server`.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use ovsdb_proto::client::{Client, ClientOptions, Error, Remote};
use ovsdb_proto::connection::End;
use ovsdb_proto::monitor::MonitorRequest;
use ovsdb_proto::replica::Change;
use ovsdb_proto::rpc::ErrorReply;
use ovsdb_proto::value::Uuid;
use serde::Deserialize;
use serde_json::{Value, json};
use testbed::{OvsdbServer, or_skip};
use tokio::time::{sleep, timeout};

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Interface {
    #[serde(rename = "_uuid")]
    uuid: Uuid,
    pub(crate) name: String,
    ofport: Option<i64>,
    pub(crate) external_ids: BTreeMap<String, String>,
}

pub(crate) fn server() -> Option<OvsdbServer> {
    or_skip(OvsdbServer::start())
}

pub(crate) async fn connect(remote: &str) -> Client {
    Client::connect(&remote.parse().unwrap()).await.unwrap()
}

pub(crate) fn interfaces() -> MonitorRequest {
    MonitorRequest::new("Open_vSwitch").table("Interface", ["name", "ofport", "external_ids"])
}

pub(crate) async fn transact(client: &Client, operations: Vec<Value>) {
    let mut params = vec![json!("Open_vSwitch")];
    params.extend(operations);
    let results = client.call("transact", &params).await.unwrap();
    for result in results.as_array().unwrap() {
        assert!(result.get("error").is_none(), "{results}");
    }
}

/// Adds a port with its interface to every bridge. An interface that nothing refers to would be
/// removed at once.
pub(crate) async fn add_port(client: &Client, name: &str) {
    let add = json!(["ports", "insert", ["named-uuid", "port"]]);
    let operations = vec![
        json!({"op": "insert", "table": "Interface", "uuid-name": "interface", "row": {"name": name}}),
        json!({"op": "insert", "table": "Port", "uuid-name": "port",
            "row": {"name": name, "interfaces": ["named-uuid", "interface"]}}),
        json!({"op": "mutate", "table": "Bridge", "where": [], "mutations": [add]}),
    ];
    transact(client, operations).await;
}

pub(crate) async fn set_external_id(client: &Client, name: &str, value: &str) {
    let row = json!({"external_ids": ["map", [["n", value]]]});
    let update = json!({"op": "update", "table": "Interface", "where": [["name", "==", name]], "row": row});
    transact(client, vec![update]).await;
}

#[tokio::test]
async fn lists_databases_reads_schemas_and_echoes() {
    let Some(server) = server() else { return };
    for remote in [server.remote(), server.tcp_remote()] {
        let client = connect(&remote).await;
        let mut databases = client.list_dbs().await.unwrap();
        databases.sort();
        assert_eq!(databases, ["Open_vSwitch", "_Server"]);

        let schema = client.get_schema("Open_vSwitch").await.unwrap();
        let text = server.client(&["get-schema", &remote, "Open_vSwitch"]).unwrap();
        let expected = ovsdb_proto::schema::DatabaseSchema::parse(&text).unwrap();
        assert_eq!(schema, expected);
        assert!(schema.tables["Interface"].columns["external_ids"].ty.is_map());

        let params = [json!("a\"{b]\\é😀"), json!({"x": [null, 1.5, true]})];
        assert_eq!(client.echo(&params).await.unwrap(), params);
    }
}

#[tokio::test]
async fn an_unknown_database_is_an_error_and_the_connection_goes_on() {
    let Some(server) = server() else { return };
    let client = connect(&server.remote()).await;
    let error = client.get_schema("nope").await.unwrap_err();
    assert!(!error.is_connection_lost());
    assert_eq!(
        error.to_string(),
        "get_schema: unknown database: get_schema request specifies unknown database nope"
    );
    let Error::Rpc {
        method: "get_schema",
        error: ErrorReply { error, syntax, .. },
    } = error
    else {
        panic!("{error:?} is no refusal");
    };
    assert_eq!(error, "unknown database");
    assert_eq!(syntax.as_deref(), Some("[\"nope\"]"));
    assert_eq!(client.list_dbs().await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_hundred_calls_at_once_are_all_answered() {
    let Some(server) = server() else { return };
    let client = connect(&server.remote()).await;
    let calls: Vec<_> = (0..100)
        .map(|n| {
            let client = client.clone();
            tokio::spawn(async move { client.echo(&[json!(n)]).await })
        })
        .collect();
    for (n, call) in calls.into_iter().enumerate() {
        assert_eq!(call.await.unwrap(), Ok(vec![json!(n)]));
    }
}

#[tokio::test]
async fn a_connection_to_nothing_names_the_remote_and_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("x.sock");
    let remote = Remote::Unix(socket.clone());
    let error = Client::connect(&remote).await.unwrap_err();
    assert_eq!(
        error,
        Error::Connect {
            remote,
            kind: std::io::ErrorKind::NotFound,
            message: "no such file or directory".into()
        }
    );
    assert_eq!(
        error.to_string(),
        format!("unix:{}: no such file or directory", socket.display())
    );

    // A port that was free a moment ago.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = Client::connect(&Remote::Tcp(address)).await.unwrap_err();
    assert_eq!(error.to_string(), format!("tcp:{address}: connection refused"));
}

#[tokio::test]
async fn a_snapshot_has_what_ovs_vsctl_wrote() {
    let Some(server) = server() else { return };
    server
        .vsctl(&[
            "add-br",
            "br0",
            "--",
            "add-port",
            "br0",
            "p1",
            "--",
            "set",
            "interface",
            "p1",
            "ofport_request=3",
            "external_ids:iface-id=abc",
            r#"external_ids:q="a,b \"c\"""#,
        ])
        .unwrap();
    let uuid = server.vsctl(&["get", "interface", "p1", "_uuid"]).unwrap();
    let client = connect(&server.tcp_remote()).await;
    let request = interfaces().table("Bridge", ["name", "ports", "protocols"]);
    let replica = client.snapshot(&request).await.unwrap();

    let rows = replica.rows::<Interface>("Interface").unwrap();
    let mut rows: Vec<Interface> = rows.collect::<Result<_, _>>().unwrap();
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0].name, "br0");
    assert_eq!(
        rows[1],
        Interface {
            uuid: uuid.trim().parse().unwrap(),
            name: "p1".into(),
            ofport: None,
            external_ids: [
                ("iface-id".into(), "abc".into()),
                ("q".into(), "a,b \"c\"".into())
            ]
            .into(),
        }
    );
    let bridges = replica.table("Bridge").unwrap();
    let (_, bridge) = bridges.rows().next().unwrap();
    assert_eq!(bridge.get("ports").unwrap().len(), 2);
    assert!(bridge.get("protocols").unwrap().is_empty());
}

#[tokio::test]
async fn what_the_schema_does_not_have_is_an_error() {
    let Some(server) = server() else { return };
    let client = connect(&server.remote()).await;
    let request = MonitorRequest::new("Open_vSwitch").table("Interface", ["nope"]);
    let error = client.monitor(&request).await.unwrap_err();
    let version = client.get_schema("Open_vSwitch").await.unwrap().version.unwrap();
    let of = |what: &str| format!("{what} in version {version} of its schema");
    assert_eq!(
        error.to_string(),
        of("table Interface of database Open_vSwitch has no column nope")
    );
    let request = MonitorRequest::new("Open_vSwitch").all_columns("Nope");
    let error = client.monitor(&request).await.unwrap_err();
    assert_eq!(error.to_string(), of("database Open_vSwitch has no table Nope"));
}

#[tokio::test]
async fn every_column_of_every_table_can_be_monitored() {
    let Some(server) = server() else { return };
    server.vsctl(&["add-br", "br0"]).unwrap();
    let client = connect(&server.remote()).await;
    let schema = client.get_schema("Open_vSwitch").await.unwrap();
    let all = schema
        .tables
        .keys()
        .fold(MonitorRequest::new("Open_vSwitch"), |request, table| {
            request.all_columns(table.as_str())
        });
    let replica = client.snapshot(&all).await.unwrap();
    let rows: usize = replica.tables().map(|table| table.len()).sum();
    // Open_vSwitch, Bridge, Port, Interface.
    assert_eq!(rows, 4);
}

/// The server sends an echo after 5 s of silence on TCP, and gives up 5 s later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_tcp_connection_is_still_alive_after_60_seconds() {
    let Some(server) = server() else { return };
    let remote = server.tcp_remote();
    let address = remote.strip_prefix("tcp:").unwrap().to_owned();
    // Who does not answer is dropped: else this test would prove nothing.
    let silent = tokio::task::spawn_blocking(move || {
        let mut socket = TcpStream::connect(address).unwrap();
        let start = Instant::now();
        let mut received = Vec::new();
        socket.set_read_timeout(Some(Duration::from_secs(25))).unwrap();
        socket.read_to_end(&mut received).unwrap();
        (received, start.elapsed())
    });
    let client = connect(&remote).await;
    let mut monitor = client.monitor(&interfaces()).await.unwrap();
    monitor.next().await.unwrap();
    let lost = timeout(Duration::from_secs(60), client.closed()).await;
    assert!(lost.is_err(), "{lost:?}");
    assert_eq!(client.list_dbs().await.unwrap().len(), 2);
    server.vsctl(&["add-br", "br0"]).unwrap();
    assert_eq!(monitor.next().await.unwrap().len(), 1);

    let (received, after) = silent.await.unwrap();
    let received = String::from_utf8(received).unwrap();
    assert!(received.contains("\"method\":\"echo\""), "{received}");
    assert!(after < Duration::from_secs(20), "{after:?}");
}

/// Nobody takes the updates for longer than the server's patience, while it has more to send than
/// the client lets wait.
#[tokio::test]
async fn a_monitor_on_tcp_that_is_not_read_for_20_seconds_loses_nothing() {
    let Some(server) = server() else { return };
    server.vsctl(&["add-br", "br0"]).unwrap();
    let mut options = ClientOptions::default();
    options.connection.hold_back_at = 64 * 1024;
    let remote = server.tcp_remote().parse().unwrap();
    let client = Client::connect_with(&remote, options).await.unwrap();
    let mut monitor = client.monitor(&interfaces()).await.unwrap();
    monitor.next().await.unwrap();

    let writer = connect(&server.remote()).await;
    let large = "x".repeat(40_000);
    for n in 1..=200 {
        set_external_id(&writer, "br0", &format!("{n} {large}")).await;
    }
    sleep(Duration::from_secs(20)).await;
    let mut last = 0;
    let mut batches = 0;
    while last < 200 {
        let batch = timeout(Duration::from_secs(20), monitor.next()).await;
        for change in batch.unwrap().unwrap() {
            let Change::Modify { new, .. } = &change.change else {
                panic!("{change:?} is no modification");
            };
            let new: Interface = new.read(change.uuid).unwrap();
            let n = new.external_ids["n"].split_once(' ').unwrap().0;
            let n: u32 = n.parse().unwrap();
            assert!(n > last, "{n} after {last}");
            last = n;
        }
        batches += 1;
    }
    assert!(batches > 1, "{batches}");
    assert_eq!(client.list_dbs().await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_server_that_is_killed_ends_the_monitor_with_an_error() {
    let Some(mut server) = server() else { return };
    for tcp in [false, true] {
        let remote = if tcp { server.tcp_remote() } else { server.remote() };
        let client = connect(&remote).await;
        let mut monitor = client.monitor(&interfaces()).await.unwrap();
        monitor.next().await.unwrap();
        server.kill();
        let error = timeout(Duration::from_secs(5), monitor.next())
            .await
            .unwrap()
            .unwrap_err();
        assert!(
            matches!(error, Error::Ended(End::Closed { received: 1.. })),
            "{error:?}"
        );
        assert!(error.is_connection_lost());
        assert_eq!(client.list_dbs().await, Err(error.clone()));
        assert_eq!(client.closed().await, error);
        server.restart().unwrap();
    }
}

#[tokio::test]
async fn a_call_that_is_dropped_is_canceled_on_the_server() {
    let Some(server) = server() else { return };
    let mut options = ClientOptions::default();
    options.call_timeout = Some(Duration::from_millis(200));
    let remote = server.remote().parse().unwrap();
    let client = Client::connect_with(&remote, options).await.unwrap();
    // Waits for ever: there is no such row.
    let wait = json!({"op": "wait", "table": "Bridge", "where": [], "columns": ["name"],
        "until": "==", "rows": [{"name": "never"}]});
    let error = client
        .call("transact", &[json!("Open_vSwitch"), wait])
        .await
        .unwrap_err();
    assert_eq!(
        error,
        Error::Timeout {
            method: "transact",
            after: Duration::from_millis(200)
        }
    );
    for _ in 0..10 {
        assert_eq!(client.list_dbs().await.unwrap().len(), 2);
    }
}

#[tokio::test]
async fn two_monitors_share_a_connection() {
    let Some(server) = server() else { return };
    let client = connect(&server.remote()).await;
    let bridges = MonitorRequest::new("Open_vSwitch").table("Bridge", ["name"]);
    let mut interfaces = client.monitor(&interfaces()).await.unwrap();
    let mut bridges = client.monitor(&bridges).await.unwrap();
    assert_eq!(interfaces.next().await, Ok(vec![]));
    assert_eq!(bridges.next().await, Ok(vec![]));
    server.vsctl(&["add-br", "br0"]).unwrap();
    assert_eq!(&*bridges.next().await.unwrap()[0].table, "Bridge");
    assert_eq!(&*interfaces.next().await.unwrap()[0].table, "Interface");
    // One less, and the other goes on.
    drop(bridges);
    server.vsctl(&["add-br", "br1"]).unwrap();
    assert_eq!(interfaces.next().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_converted_database_ends_the_monitor_and_not_the_connection() {
    let Some(server) = server() else { return };
    let client = connect(&server.remote()).await;
    let mut monitor = client.monitor(&interfaces()).await.unwrap();
    monitor.next().await.unwrap();
    let schema = testbed::schema().unwrap();
    server
        .client(&["convert", &server.remote(), &schema.to_string_lossy()])
        .unwrap();
    let ended = timeout(Duration::from_secs(5), monitor.next()).await.unwrap();
    assert_eq!(
        ended,
        Err(Error::MonitorCanceled {
            database: "Open_vSwitch".into()
        })
    );
    assert_eq!(client.list_dbs().await.unwrap().len(), 2);
    // Another one can be made.
    let mut monitor = client.monitor(&interfaces()).await.unwrap();
    assert_eq!(monitor.next().await, Ok(vec![]));
}
