//! Monitors at peers that do what a real server does not do when asked: to lie, to be old.

use ovsdb_proto::client::{Client, Error, Monitor};
use ovsdb_proto::connection::End;
use ovsdb_proto::monitor::MonitorRequest;
use ovsdb_proto::replica::{Change, ReplicaError};
use ovsdb_proto::value::Atom;
use serde_json::json;

use super::canned::{PIPE, options};
use super::peer::{Peer, pair};
use super::recorded;

const SCHEMA: &str =
    r#"{"name":"db","tables":{"T":{"columns":{"n":{"type":"integer"},"s":{"type":"string"}}}}}"#;

fn request() -> MonitorRequest {
    MonitorRequest::new("db").all_columns("T")
}

fn uuid(n: usize) -> String {
    format!("00000000-0000-0000-0000-{n:012x}")
}

pub(crate) fn insert(monitor: u64, n: usize) -> String {
    let row = uuid(n);
    format!(
        r#"{{"id":null,"method":"update2","params":[{monitor},{{"T":{{"{row}":{{"insert":{{"n":{n}}}}}}}}}]}}"#
    )
}

/// A monitor of table T that is empty, with its id.
pub(crate) async fn monitor(client: &Client, peer: &mut Peer) -> (Monitor, u64) {
    let request = request();
    let start = client.monitor(&request);
    let serve = async {
        let id = peer.request("get_schema").await;
        peer.reply(id, SCHEMA).await;
        let (id, params) = peer.request_with_params("monitor_cond_since").await;
        let zero = uuid(0);
        peer.reply(id, &format!("[false,\"{zero}\",{{}}]")).await;
        params[1].as_u64().unwrap()
    };
    let (monitor, id) = tokio::join!(start, serve);
    let mut monitor = monitor.unwrap();
    assert_eq!(monitor.next().await, Ok(vec![]));
    (monitor, id)
}

pub(crate) async fn inserted(monitor: &mut Monitor) -> Result<Vec<i64>, Error> {
    let changes = monitor.next().await?;
    let rows = changes.iter().map(|change| match &change.change {
        Change::Insert(row) => row.get("n").unwrap().as_scalar().unwrap().as_integer(),
        other => panic!("{other:?} is no insertion"),
    });
    Ok(rows.map(Option::unwrap).collect())
}

/// Replays what a real server answers to the older methods, after refusing the newer ones.
#[tokio::test]
async fn falls_back_to_the_methods_of_older_servers() {
    let text = |id| String::from_utf8(recorded::result(recorded::monitors(), id).to_vec()).unwrap();
    let request = recorded::request();
    let all = [
        ("monitor_cond_since", "4"),
        ("monitor_cond", "3"),
        ("monitor", "2"),
    ];
    let mut replicas = Vec::new();
    for known in 0..all.len() {
        let (client, mut peer) = pair(&options(), PIPE);
        let serve = async {
            let id = peer.request("get_schema").await;
            peer.reply(id, &text("1")).await;
            for (method, _) in &all[..known] {
                let id = peer.request(method).await;
                peer.refuse(id, "\"unknown method\"").await;
            }
            let (method, recorded) = all[known];
            let (id, params) = peer.request_with_params(method).await;
            assert_eq!(params.as_array().unwrap().len(), if known == 0 { 4 } else { 3 });
            peer.reply(id, &text(recorded)).await;
        };
        let (replica, ()) = tokio::join!(client.snapshot(&request), serve);
        replicas.push(replica.unwrap());
    }
    assert_eq!(replicas[0].table("Bridge").unwrap().len(), 1);
    assert_eq!(replicas[0], replicas[1]);
    assert_eq!(replicas[1], replicas[2]);
}

#[tokio::test]
async fn updates_around_the_reply_come_after_the_initial_state() {
    let (client, mut peer) = pair(&options(), PIPE);
    let serve = async {
        let id = peer.request("get_schema").await;
        peer.reply(id, SCHEMA).await;
        let (id, params) = peer.request_with_params("monitor_cond_since").await;
        let monitor = params[1].as_u64().unwrap();
        let reply = format!(
            r#"{{"id":{id},"result":[false,"{}",{{"T":{{"{}":{{"initial":{{"n":1}}}}}}}}],"error":null}}"#,
            uuid(0),
            uuid(1)
        );
        // Whoever sends an update first, the initial state comes first.
        peer.send(&[insert(monitor, 2), reply, insert(monitor, 3)].concat())
            .await;
    };
    let request = request();
    let (monitor, ()) = tokio::join!(client.monitor(&request), serve);
    let mut monitor = monitor.unwrap();
    let initial = monitor.next().await.unwrap();
    assert!(matches!(&initial[0].change, Change::Initial(row)
        if row.get("n") == Some(&Atom::Integer(1).into())));
    assert_eq!(monitor.replica().table("T").unwrap().len(), 1);
    assert_eq!(inserted(&mut monitor).await, Ok(vec![2]));
    assert_eq!(inserted(&mut monitor).await, Ok(vec![3]));
    drop(peer);
    assert!(matches!(
        monitor.next().await,
        Err(Error::Ended(End::Closed { .. }))
    ));
}

#[tokio::test]
async fn updates_that_arrived_before_the_end_are_given_before_the_error() {
    let (client, mut peer) = pair(&options(), PIPE);
    let (mut monitor, id) = monitor(&client, &mut peer).await;
    for n in 1..=3 {
        peer.send(&insert(id, n)).await;
    }
    peer.send("{\"id\":").await;
    drop(peer);
    assert!(matches!(
        client.closed().await,
        Error::Ended(End::Truncated { partial: 6, .. })
    ));
    for n in 1..=3 {
        assert_eq!(inserted(&mut monitor).await, Ok(vec![n]));
    }
    let ended = monitor.next().await;
    assert!(
        matches!(ended, Err(Error::Ended(End::Truncated { partial: 6, .. }))),
        "{ended:?}"
    );
    assert_eq!(monitor.next().await, ended);
}

#[tokio::test]
async fn a_monitor_that_is_dropped_is_canceled() {
    let (client, mut peer) = pair(&options(), PIPE);
    let (monitor, id) = monitor(&client, &mut peer).await;
    drop(monitor);
    let (_, params) = peer.request_with_params("monitor_cancel").await;
    assert_eq!(params, json!([id]));
}

#[tokio::test]
async fn a_monitor_whose_start_is_dropped_is_canceled_when_it_has_started() {
    let (client, mut peer) = pair(&options(), PIPE);
    let request = request();
    let mut start = Box::pin(client.monitor(&request));
    let serve = async {
        let id = peer.request("get_schema").await;
        peer.reply(id, SCHEMA).await;
        peer.request_with_params("monitor_cond_since").await
    };
    let (id, params) = tokio::select! {
        _ = &mut start => panic!("the monitor has not started"),
        served = serve => served,
    };
    drop(start);
    assert_eq!(peer.notification("cancel").await, json!([id]));
    let zero = uuid(0);
    peer.reply(id, &format!("[false,\"{zero}\",{{}}]")).await;
    let (_, canceled) = peer.request_with_params("monitor_cancel").await;
    assert_eq!(canceled, json!([params[1]]));
}

#[tokio::test]
async fn an_update_that_does_not_fit_ends_the_monitor_and_nothing_else() {
    let (client, mut peer) = pair(&options(), PIPE);
    let (mut monitor, id) = monitor(&client, &mut peer).await;
    peer.send(&insert(id, 1)).await;
    peer.send(&insert(id, 1)).await;
    peer.send(&insert(id, 2)).await;
    assert_eq!(inserted(&mut monitor).await, Ok(vec![1]));
    let error = Error::Replica(ReplicaError::RowExists {
        table: "T".into(),
        uuid: uuid(1).parse().unwrap(),
    });
    assert_eq!(monitor.next().await, Err(error.clone()));
    assert_eq!(monitor.next().await, Err(error.clone()));
    assert!(!error.is_connection_lost());
    assert_eq!(monitor.replica().table("T").unwrap().len(), 1);
    // The server is told.
    let (_, canceled) = peer.request_with_params("monitor_cancel").await;
    assert_eq!(canceled, json!([id]));
}

#[tokio::test]
async fn updates_of_monitors_with_other_ids_are_nobodys() {
    let (client, mut peer) = pair(&options(), PIPE);
    let (mut monitor, id) = monitor(&client, &mut peer).await;
    let ours = insert(id, 1);
    let others = [
        "\"m1\"".to_owned(),
        "null".to_owned(),
        format!("\"{id}\""),
        format!("[{id}]"),
    ];
    for other in others {
        peer.send(&ours.replace(&format!("[{id},"), &format!("[{other},")))
            .await;
    }
    peer.send(&ours).await;
    assert_eq!(inserted(&mut monitor).await, Ok(vec![1]));
}
