//! What a real server does not do when asked: to break off, to lie, to be old.

use std::io::Write as _;
use std::time::Duration;

use ovsdb_proto::client::{Client, ClientOptions, Error, Monitor, Remote};
use ovsdb_proto::connection::End;
use ovsdb_proto::frame::FrameError;
use ovsdb_proto::monitor::MonitorRequest;
use ovsdb_proto::replica::{Change, ReplicaError};
use ovsdb_proto::value::Atom;
use serde_json::{Value, json};

use super::peer::{Peer, pair};
use super::recorded;

const SCHEMA: &str =
    r#"{"name":"db","tables":{"T":{"columns":{"n":{"type":"integer"},"s":{"type":"string"}}}}}"#;

pub(crate) const PIPE: usize = 64 * 1024;

fn request() -> MonitorRequest {
    MonitorRequest::new("db").all_columns("T")
}

pub(crate) fn options() -> ClientOptions {
    ClientOptions::default()
}

pub(crate) fn uuid(n: usize) -> String {
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

#[tokio::test]
async fn half_a_reply_is_an_error_with_the_bytes_that_were_there() {
    let recorded = recorded::messages(recorded::calls())[1];
    let half = &recorded[..recorded.len() / 2];
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let remote = Remote::Tcp(listener.local_addr().unwrap());
    // Answers nothing of what it is asked, and does not even read it.
    let server = std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        std::thread::sleep(Duration::from_millis(200));
        socket.write_all(half).unwrap();
    });
    let client = Client::connect(&remote).await.unwrap();
    let (schema, databases, echo) = tokio::join!(
        client.get_schema("Open_vSwitch"),
        client.list_dbs(),
        client.echo(&[])
    );
    let truncated: Error = End::Truncated {
        partial: half.len(),
        received: u64::try_from(half.len()).unwrap(),
    }
    .into();
    assert_eq!(schema, Err(truncated.clone()));
    assert_eq!(databases, Err(truncated.clone()));
    assert_eq!(echo, Err(truncated.clone()));
    assert_eq!(client.list_dbs().await, Err(truncated.clone()));
    assert_eq!(client.closed().await, truncated);
    server.join().unwrap();
}

#[tokio::test]
async fn a_close_between_messages_fails_every_call_that_waits() {
    let (client, mut peer) = pair(&options(), PIPE);
    let calls = async { tokio::join!(client.list_dbs(), client.echo(&[])) };
    let close = async {
        let id = peer.request("list_dbs").await;
        peer.reply(id, "[]").await;
        peer.request("echo").await;
        drop(peer);
    };
    let ((databases, echo), ()) = tokio::join!(calls, close);
    assert_eq!(databases, Ok(vec![]));
    assert!(
        matches!(echo, Err(Error::Ended(End::Closed { received: 1.. }))),
        "{echo:?}"
    );
    assert!(echo.unwrap_err().is_connection_lost());
}

#[tokio::test]
async fn replies_may_come_in_any_order_and_glued_together() {
    let (client, mut peer) = pair(&options(), PIPE);
    let (a, b) = ([json!("a")], [json!("b")]);
    let calls = async { tokio::join!(client.echo(&a), client.echo(&b)) };
    let serve = async {
        let first = peer.request("echo").await;
        let second = peer.request("echo").await;
        peer.send(&format!(
            "{{\"error\":null,\"result\":[\"b\"],\"id\":{second}}}\n{{\"id\":{first},\"result\":[\"a\"]}}"
        ))
        .await;
    };
    let ((first, second), ()) = tokio::join!(calls, serve);
    assert_eq!(first.unwrap(), a);
    assert_eq!(second.unwrap(), b);
}

#[tokio::test]
async fn replies_to_nothing_are_ignored() {
    let (client, mut peer) = pair(&options(), PIPE);
    let serve = async {
        let id = peer.request("list_dbs").await;
        peer.send(r#"{"id":"x","result":1}{"id":99,"result":1}{"id":-1,"error":"x"}"#)
            .await;
        peer.reply(id, "[\"a\"]").await;
        peer.reply(id, "[\"b\"]").await;
        let id = peer.request("list_dbs").await;
        peer.reply(id, "[\"c\"]").await;
    };
    let calls = async { (client.list_dbs().await, client.list_dbs().await) };
    let (calls, ()) = tokio::join!(calls, serve);
    assert_eq!(calls, (Ok(vec!["a".into()]), Ok(vec!["c".into()])));
}

#[tokio::test]
async fn requests_of_the_peer_are_answered_with_their_id_as_it_came() {
    let (_client, mut peer) = pair(&options(), PIPE);
    assert_eq!(peer.message().await.unwrap()["method"], "set_db_change_aware");
    peer.send(r#"{"id":"echo","method":"echo","params":[1,{"x":null}]}"#)
        .await;
    assert_eq!(
        peer.message().await.unwrap(),
        json!({"id": "echo", "result": [1, {"x": null}], "error": null})
    );
    peer.send(r#"{"id":{"a":[1]},"method":"steal","params":[]}"#)
        .await;
    assert_eq!(
        peer.message().await.unwrap(),
        json!({"id": {"a": [1]}, "result": null, "error": "unknown method"})
    );
}

#[tokio::test]
async fn a_call_that_takes_too_long_is_canceled_and_the_connection_goes_on() {
    let mut options = options();
    options.call_timeout = Some(Duration::from_millis(50));
    let (client, mut peer) = pair(&options, PIPE);
    let (slow, id) = tokio::join!(client.list_dbs(), peer.request("list_dbs"));
    assert_eq!(
        slow,
        Err(Error::Timeout {
            method: "list_dbs",
            after: Duration::from_millis(50)
        })
    );
    assert_eq!(peer.notification("cancel").await, json!([id]));
    peer.refuse(id, "\"canceled\"").await;
    let serve = async {
        let id = peer.request("echo").await;
        peer.reply(id, "[]").await;
    };
    let (echo, ()) = tokio::join!(client.echo(&[]), serve);
    assert_eq!(echo, Ok(vec![]));
}

#[tokio::test]
async fn a_stream_that_is_not_json_rpc_ends_the_connection() {
    let cases = [
        (
            r#"{"jsonrpc":"2.0","id":1,"result":[]}"#,
            End::Frame(FrameError::UnknownMember {
                offset: 1,
                name: "jsonrpc".into(),
            }),
        ),
        (
            "HTTP/1.1 400",
            End::Frame(FrameError::UnexpectedByte {
                offset: 0,
                found: b'H',
                wanted: "'{'",
            }),
        ),
    ];
    for (text, error) in cases {
        let (client, mut peer) = pair(&options(), PIPE);
        let serve = async {
            peer.request("list_dbs").await;
            peer.send(text).await;
        };
        let (databases, ()) = tokio::join!(client.list_dbs(), serve);
        assert_eq!(databases, Err(error.into()));
    }
}

#[tokio::test]
async fn a_message_above_the_limit_ends_the_connection() {
    let reply = r#"{"id":1,"result":["x"],"error":null}"#;
    for (limit, expected) in [
        (
            reply.len() - 1,
            Err(Error::Ended(End::Frame(FrameError::TooLong {
                limit: reply.len() - 1,
            }))),
        ),
        (reply.len(), Ok(vec!["x".to_owned()])),
    ] {
        let mut options = options();
        options.connection.message.max_len = limit;
        let (client, mut peer) = pair(&options, PIPE);
        let serve = async {
            assert_eq!(peer.request("list_dbs").await, 1);
            peer.send(reply).await;
        };
        let (databases, ()) = tokio::join!(client.list_dbs(), serve);
        assert_eq!(databases, expected);
    }
}

/// Replays what a real server answers to the older methods, after refusing the newer ones.
#[tokio::test]
async fn falls_back_to_the_methods_of_older_servers() {
    let text = |id| String::from_utf8(recorded::result(recorded::monitors(), id).to_vec()).unwrap();
    let request = MonitorRequest::new("Open_vSwitch")
        .table(
            "Interface",
            ["name", "ofport", "external_ids", "ingress_policing_rate"],
        )
        .table(
            "Bridge",
            [
                "name",
                "protocols",
                "flood_vlans",
                "fail_mode",
                "mcast_snooping_enable",
                "external_ids",
                "ports",
            ],
        );
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
async fn updates_that_arrive_with_the_reply_come_after_the_initial_state() {
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
        peer.send(&[reply, insert(monitor, 2), insert(monitor, 3)].concat())
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
async fn a_thousand_calls_dropped_at_once_leave_the_connection_good() {
    let (client, mut peer) = pair(&options(), PIPE);
    let calls: Vec<_> = (0..1000)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.echo(&[]).await })
        })
        .collect();
    let mut waiting = vec![peer.request("echo").await];
    while waiting.len() < 1000 {
        waiting.push(peer.request("echo").await);
    }
    for call in calls {
        call.abort();
    }
    for _ in 0..1000 {
        let canceled = peer.notification("cancel").await;
        assert!(waiting.contains(&canceled[0].as_u64().unwrap()));
    }
    let serve = async {
        for id in waiting {
            peer.refuse(id, "\"canceled\"").await;
        }
        let id = peer.request("list_dbs").await;
        peer.reply(id, "[]").await;
    };
    let (databases, ()) = tokio::join!(client.list_dbs(), serve);
    assert_eq!(databases, Ok(vec![]));
}

#[tokio::test]
async fn the_connection_closes_when_the_last_handle_is_dropped() {
    let (client, mut peer) = pair(&options(), PIPE);
    let (monitor, _) = monitor(&client, &mut peer).await;
    drop(client);
    peer.send(r#"{"id":1,"method":"echo","params":[]}"#).await;
    assert_eq!(peer.message().await.unwrap()["result"], json!([]));
    drop(monitor);
    let mut last = Value::Null;
    while let Some(message) = peer.message().await {
        last = message;
    }
    // Whether the goodbye still went out depends on who was faster.
    assert!(last.is_null() || last["method"] == "monitor_cancel", "{last}");
}
