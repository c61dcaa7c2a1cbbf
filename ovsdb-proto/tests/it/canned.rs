//! What a real server does not do when asked: to break off, to lie, to say nothing.

use std::io::Write as _;
use std::time::Duration;

use ovsdb_proto::client::{Client, ClientOptions, Error, Remote};
use ovsdb_proto::connection::End;
use ovsdb_proto::frame::FrameError;
use serde_json::{Value, json};

use super::monitors::monitor;
use super::peer::pair;
use super::recorded;

pub(crate) const PIPE: usize = 64 * 1024;

pub(crate) fn options() -> ClientOptions {
    ClientOptions::default()
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
