//! Peers that send more than is taken.

use std::time::Duration;

use ovsdb_proto::client::Error;
use ovsdb_proto::connection::End;
use serde_json::json;
use tokio::time::timeout;

use super::canned::{PIPE, options};
use super::monitors::{insert, inserted, monitor};
use super::peer::pair;

#[tokio::test]
async fn a_monitor_that_is_not_read_holds_the_peer_back_and_loses_nothing() {
    const UPDATES: usize = 5000;
    let mut options = options();
    options.connection.hold_back_at = 64 * 1024;
    let (client, mut peer) = pair(&options, PIPE);
    let (mut monitor, id) = monitor(&client, &mut peer).await;

    let mut sent = 0;
    while timeout(Duration::from_millis(300), peer.send(&insert(id, sent + 1)))
        .await
        .is_ok()
    {
        sent += 1;
        assert!(sent < UPDATES, "nothing holds the peer back");
    }
    // What is queued, what the pipe holds, and what the reader holds.
    let bytes: usize = (1..=sent).map(|n| insert(id, n).len()).sum();
    assert!(bytes < 64 * 1024 + 64 * 1024 + 4 * PIPE, "{bytes} bytes");
    for n in 1..=sent {
        let n = i64::try_from(n).unwrap();
        assert_eq!(inserted(&mut monitor).await, Ok(vec![n]));
    }
}

#[tokio::test]
async fn a_call_is_answered_while_a_monitor_is_not_read() {
    const UPDATES: usize = 5000;
    let mut options = options();
    options.connection.hold_back_at = 64 * 1024;
    let (client, mut peer) = pair(&options, PIPE);
    let (mut monitor, id) = monitor(&client, &mut peer).await;
    let serve = tokio::spawn(async move {
        for n in 1..=UPDATES {
            peer.send(&insert(id, n)).await;
        }
        let call = peer.request("list_dbs").await;
        peer.reply(call, "[\"db\"]").await;
        peer
    });
    let call = timeout(Duration::from_secs(10), client.list_dbs()).await;
    assert_eq!(call.unwrap(), Ok(vec!["db".into()]));
    for n in 1..=UPDATES {
        let n = i64::try_from(n).unwrap();
        assert_eq!(inserted(&mut monitor).await, Ok(vec![n]));
    }
    drop(serve.await.unwrap());
}

/// The server drops a client that leaves its echo unanswered for 5 s, also a client that is busy.
#[tokio::test]
async fn an_echo_behind_more_updates_than_may_wait_is_answered_in_time() {
    let mut options = options();
    options.connection.hold_back_at = 64 * 1024;
    let (client, mut peer) = pair(&options, PIPE);
    let (mut monitor, id) = monitor(&client, &mut peer).await;
    let serve = async {
        for n in 1..=5000 {
            peer.send(&insert(id, n)).await;
        }
        peer.send(r#"{"id":"echo","method":"echo","params":[]}"#).await;
        peer.message().await.unwrap()
    };
    let take_slowly = async {
        loop {
            inserted(&mut monitor).await.unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let reply = tokio::select! {
        reply = timeout(Duration::from_secs(4), serve) => reply.unwrap(),
        () = take_slowly => panic!("updates never end"),
    };
    assert_eq!(reply, json!({"id": "echo", "result": [], "error": null}));
}

#[tokio::test]
async fn a_flood_of_requests_whose_replies_are_not_taken_ends_the_connection() {
    let (client, mut peer) = pair(&options(), 1024);
    let echo = format!(r#"{{"id":1,"method":"echo","params":["{}"]}}"#, "x".repeat(500));
    let flood = async {
        for _ in 0..1000 {
            peer.send(&echo).await;
        }
    };
    let error = tokio::select! {
        // First, because the end of the connection breaks the flood off, too.
        biased;
        error = client.closed() => error,
        () = flood => panic!("the flood is over"),
    };
    assert_eq!(error, End::Flooded { limit: 64 }.into());
}

#[tokio::test]
async fn updates_that_pile_up_behind_a_call_end_the_connection_at_the_limit() {
    let mut options = options();
    options.connection.hold_back_at = 1024;
    options.connection.max_queued = 16 * 1024;
    let (client, mut peer) = pair(&options, PIPE);
    let (mut monitor, id) = monitor(&client, &mut peer).await;
    let serve = tokio::spawn(async move {
        peer.request("list_dbs").await;
        for n in 1..=200 {
            peer.send(&insert(id, n)).await;
        }
        peer
    });
    let error = client.list_dbs().await.unwrap_err();
    let Error::Ended(End::Lagged { queued, limit }) = error else {
        panic!("{error:?} is not the limit");
    };
    assert_eq!(limit, 16 * 1024);
    assert!((limit..limit + 1024).contains(&queued), "{queued}");
    // What had arrived is there, then the error.
    let mut next = 1;
    let end = loop {
        match inserted(&mut monitor).await {
            Ok(rows) => assert_eq!(rows, [next]),
            Err(end) => break end,
        }
        next += 1;
    };
    assert_eq!(end, error);
    assert!(next > 50, "{next}");
    drop(serve.await.unwrap());
}
