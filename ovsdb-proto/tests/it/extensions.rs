//! What ovsdb-server has beyond the plain monitor: conditions, locks, probes, conversion.

use std::time::{Duration, Instant};

use ovsdb_proto::client::{Client, ClientOptions, Error, Monitor};
use ovsdb_proto::connection::End;
use ovsdb_proto::monitor::MonitorRequest;
use ovsdb_proto::operation::{Condition, Function};
use ovsdb_proto::replica::{Change, RowChange};
use ovsdb_proto::rpc::ErrorKind;
use ovsdb_proto::transaction::Transaction;
use testbed::{OvsdbServer, or_skip};
use tokio::time::timeout;

use super::peer::pair;

async fn connect(server: &OvsdbServer) -> Client {
    Client::connect(&server.remote().parse().unwrap()).await.unwrap()
}

fn named(name: &str) -> Condition {
    Condition::equal("name", name)
}

/// `+` or `-` and the name of each row that came or went.
fn names(changes: &[RowChange]) -> Vec<String> {
    let mut names: Vec<String> = changes
        .iter()
        .map(|change| match &change.change {
            Change::Initial(row) | Change::Insert(row) => ("+", row),
            Change::Delete(row) => ("-", row),
            other => panic!("{other:?}"),
        })
        .map(|(sign, row)| {
            format!(
                "{sign}{}",
                row.get("name").unwrap().as_scalar().unwrap().as_str().unwrap()
            )
        })
        .collect();
    names.sort();
    names
}

async fn next(monitor: &mut Monitor) -> Vec<RowChange> {
    timeout(Duration::from_secs(10), monitor.next())
        .await
        .unwrap()
        .unwrap()
}

#[tokio::test]
async fn a_monitor_follows_the_rows_for_which_any_condition_is_true() {
    let Some(server) = or_skip(OvsdbServer::start()) else {
        return;
    };
    for bridge in ["a", "b", "c"] {
        server.vsctl(&["add-br", bridge]).unwrap();
    }
    let client = connect(&server).await;
    let request = MonitorRequest::new("Open_vSwitch")
        .table("Interface", ["name"])
        .rows_where("Interface", [named("c")])
        .table("Bridge", ["name"])
        .rows_where("Bridge", [named("a"), named("b")]);
    let mut monitor = client.monitor(&request).await.unwrap();
    assert_eq!(names(&next(&mut monitor).await), ["+a", "+b", "+c"]);

    // The rows that come and go are there when the call returns, and not mixed with others.
    monitor.set_conditions("Bridge", [named("c")]).await.unwrap();
    assert_eq!(names(&next(&mut monitor).await), ["+c", "-a", "-b"]);
    monitor
        .set_conditions("Interface", [Condition::Constant(false)])
        .await
        .unwrap();
    assert_eq!(names(&next(&mut monitor).await), ["-c"]);
    monitor.set_conditions("Bridge", []).await.unwrap();
    assert_eq!(names(&next(&mut monitor).await), ["+a", "+b"]);
    assert_eq!(monitor.request().tables()[1].conditions, []);

    let error = monitor.set_conditions("Port", []).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "table Port is not monitored, but Bridge, Interface"
    );
    let order = Condition::new("name", Function::Less, "a");
    let error = monitor.set_conditions("Bridge", [order]).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "column name of table Bridge cannot be compared by <"
    );
    // It goes on as it was.
    server.vsctl(&["del-br", "a"]).unwrap();
    assert_eq!(names(&next(&mut monitor).await), ["-a"]);
}

#[tokio::test]
async fn a_server_without_conditions_is_not_asked_for_all_rows() {
    let (client, mut peer) = pair(&ClientOptions::default(), 65536);
    let request = MonitorRequest::new("db")
        .all_columns("T")
        .rows_where("T", [Condition::equal("n", 1)]);
    let serve = async {
        let id = peer.request("get_schema").await;
        peer.reply(
            id,
            r#"{"name":"db","tables":{"T":{"columns":{"n":{"type":"integer"}}}}}"#,
        )
        .await;
        for method in ["monitor_cond_since", "monitor_cond"] {
            let (id, params) = peer.request_with_params(method).await;
            assert_eq!(params[2]["T"][0]["where"].to_string(), r#"[["n","==",1]]"#);
            peer.refuse(id, "\"unknown method\"").await;
        }
    };
    let (monitor, ()) = tokio::join!(client.monitor(&request), serve);
    let Err(Error::Rpc { method, error }) = monitor else {
        panic!("it cannot be had");
    };
    assert_eq!((method, error.kind()), ("monitor_cond", ErrorKind::UnknownMethod));
}

#[tokio::test]
async fn a_lock_is_owned_stolen_and_given_back() {
    let Some(server) = or_skip(OvsdbServer::start()) else {
        return;
    };
    let (one, two) = (connect(&server).await, connect(&server).await);
    let within = Duration::from_secs(5);
    let mut first = one.lock("a_lock").await.unwrap();
    assert!(first.is_owned());
    let mut second = two.lock("a_lock").await.unwrap();
    assert!(!second.is_owned());

    let mut transaction = Transaction::new("Open_vSwitch");
    transaction.assert("a_lock");
    one.transact(&transaction).await.unwrap();
    let error = two.transact(&transaction).await.unwrap_err();
    assert_eq!(error.reply().unwrap().kind(), ErrorKind::NotOwner);

    // One and the same connection cannot ask twice.
    let error = one.lock("a_lock").await.unwrap_err();
    assert!(matches!(error, Error::Rpc { .. }), "{error}");
    assert!(first.is_owned());

    let third = connect(&server).await;
    let stolen = third.steal("a_lock").await.unwrap();
    assert!(stolen.is_owned());
    timeout(within, first.lost()).await.unwrap().unwrap();
    // Who waits has it next, in the order of asking.
    drop(stolen);
    timeout(within, first.owned()).await.unwrap().unwrap();
    drop(first);
    timeout(within, second.owned()).await.unwrap().unwrap();

    let error = one.lock("no-lock").await.unwrap_err();
    assert!(matches!(error, Error::Rpc { .. }), "{error}");
    // The lock goes with its connection.
    drop(server);
    let lost = timeout(within, second.lost()).await.unwrap().unwrap_err();
    assert!(lost.is_connection_lost());
    assert!(!second.is_owned());
}

#[tokio::test]
async fn a_lock_whose_asking_is_dropped_is_given_back() {
    let (client, mut peer) = pair(&ClientOptions::default(), 65536);
    let asking = timeout(Duration::from_millis(50), client.lock("l"));
    let (given_up, id) = tokio::join!(asking, peer.request("lock"));
    assert!(given_up.is_err());
    assert_eq!(peer.notification("cancel").await[0], id);
    peer.reply(id, r#"{"locked":true}"#).await;
    let (_, params) = peer.request_with_params("unlock").await;
    assert_eq!(params[0], "l");
}

#[tokio::test]
async fn the_server_has_an_id_and_databases_can_be_converted() {
    let Some(server) = or_skip(OvsdbServer::start()) else {
        return;
    };
    let client = connect(&server).await;
    let id = client.server_id().await.unwrap();
    assert_eq!(connect(&server).await.server_id().await.unwrap(), id);

    let request = MonitorRequest::new("Open_vSwitch").table("Bridge", ["name"]);
    let mut monitor = client.monitor(&request).await.unwrap();
    next(&mut monitor).await;
    let schema = std::fs::read_to_string(testbed::schema().unwrap()).unwrap();
    let other = schema.replace("\"Open_vSwitch\",\n \"version\"", "\"Other\",\n \"version\"");
    let error = client.convert("Open_vSwitch", &other).await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::Rpc {
                method: "convert",
                ..
            }
        ),
        "{error}"
    );
    let error = client.convert("Open_vSwitch", "{").await.unwrap_err();
    assert!(matches!(error, Error::Json { .. }), "{error}");
    client.convert("Open_vSwitch", &schema).await.unwrap();
    let ended = timeout(Duration::from_secs(5), monitor.next()).await.unwrap();
    assert!(matches!(ended, Err(Error::MonitorCanceled { .. })), "{ended:?}");
    assert_eq!(client.server_id().await.unwrap(), id);
}

#[tokio::test]
async fn a_stopped_server_is_noticed_within_10_seconds_on_both_transports() {
    let Some(server) = or_skip(OvsdbServer::start()) else {
        return;
    };
    let unix = connect(&server).await;
    let tcp = Client::connect(&server.tcp_remote().parse().unwrap())
        .await
        .unwrap();
    let request = MonitorRequest::new("Open_vSwitch").table("Bridge", ["name"]);
    let mut monitor = unix.monitor(&request).await.unwrap();
    next(&mut monitor).await;
    tcp.list_dbs().await.unwrap();
    server.pause().unwrap();
    let start = Instant::now();
    let noticed = async { tokio::join!(monitor.next(), tcp.closed()) };
    let (unix, tcp) = timeout(Duration::from_secs(10), noticed).await.unwrap();
    let silent: Error = End::Silent {
        after: Duration::from_secs(8),
    }
    .into();
    assert_eq!((unix.unwrap_err(), tcp), (silent.clone(), silent));
    assert!(start.elapsed() > Duration::from_secs(4));
    server.resume().unwrap();
}

#[tokio::test]
async fn a_quiet_server_that_answers_is_not_given_up() {
    let Some(server) = or_skip(OvsdbServer::start()) else {
        return;
    };
    let mut options = ClientOptions::default();
    options.connection.probe_interval = Some(Duration::from_millis(100));
    let remote = server.remote().parse().unwrap();
    let client = Client::connect_with(&remote, options).await.unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(client.list_dbs().await.unwrap().len(), 2);
}
