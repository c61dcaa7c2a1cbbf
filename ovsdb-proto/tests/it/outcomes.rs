//! What became of transactions on connections that break.

use std::time::Duration;

use ovsdb_proto::client::{ClientOptions, Error, Resolution, TransactError};
use ovsdb_proto::connection::End;
use ovsdb_proto::operation::Until;
use ovsdb_proto::transaction::Transaction;
use ovsdb_proto::value::{Set, Uuid};
use serde_json::json;
use testbed::{OvsdbServer, or_skip};

use super::peer::pair;
use super::session::DATABASE;
use super::transact::{aborted, connect};

const SCHEMA: &str = r#"{"name":"db","tables":{"T":{"columns":{"n":{"type":"integer"}},"isRoot":true}}}"#;

fn guarded() -> Transaction {
    let mut transaction = Transaction::new("db");
    transaction.insert_with_uuid("T", Uuid::random(), [("n", 1.into())]);
    transaction
}

#[tokio::test]
async fn a_connection_lost_before_the_reply_leaves_the_outcome_open() {
    let (client, mut peer) = pair(&ClientOptions::default(), 65536);
    let transaction = guarded();
    let serve = async {
        let id = peer.request("get_schema").await;
        peer.reply(id, SCHEMA).await;
        peer.request("transact").await;
        drop(peer);
    };
    let (outcome, ()) = tokio::join!(client.transact(&transaction), serve);
    assert!(
        matches!(
            outcome,
            Err(TransactError::Indeterminate(Error::Ended(End::Closed { .. })))
        ),
        "{outcome:?}"
    );
    // The next one does not leave this program.
    let outcome = client.transact(&transaction).await;
    assert!(
        matches!(
            outcome,
            Err(TransactError::NotSent(Error::Ended(End::Closed { .. })))
        ),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn a_transaction_that_was_never_written_is_not_sent() {
    // Not a byte of a call fits into the pipe behind the one before it.
    let (client, mut peer) = pair(&ClientOptions::default(), 256);
    let transaction = guarded();
    let empty = Transaction::new("db");
    let serve = async {
        let id = peer.request("get_schema").await;
        peer.reply(id, SCHEMA).await;
        let id = peer.request("transact").await;
        peer.reply(id, "[]").await;
    };
    let (known, ()) = tokio::join!(client.transact(&empty), serve);
    known.unwrap();
    let long = [json!("x".repeat(4096))];
    let echo = client.echo(&long);
    let transact = client.transact(&transaction);
    let close = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        drop(peer);
    };
    let (_, outcome, ()) = tokio::join!(echo, transact, close);
    assert!(matches!(outcome, Err(TransactError::NotSent(_))), "{outcome:?}");
}

#[tokio::test]
async fn no_reply_in_time_and_a_canceled_one_leave_the_outcome_open() {
    let mut options = ClientOptions::default();
    options.call_timeout = Some(Duration::from_millis(50));
    let (client, mut peer) = pair(&options, 65536);
    let transaction = guarded();
    let serve = async {
        let id = peer.request("get_schema").await;
        peer.reply(id, SCHEMA).await;
        let id = peer.request("transact").await;
        assert_eq!(peer.notification("cancel").await, json!([id]));
        peer.refuse(id, "\"canceled\"").await;
    };
    let (outcome, ()) = tokio::join!(client.transact(&transaction), serve);
    assert!(
        matches!(outcome, Err(TransactError::Indeterminate(Error::Timeout { .. }))),
        "{outcome:?}"
    );
    let serve = async {
        let id = peer.request("transact").await;
        peer.refuse(id, "\"canceled\"").await;
    };
    let (outcome, ()) = tokio::join!(client.transact(&transaction), serve);
    assert!(
        matches!(outcome, Err(TransactError::Indeterminate(Error::Rpc { .. }))),
        "{outcome:?}"
    );
    // A reply that is none says nothing, too.
    let serve = async {
        let id = peer.request("transact").await;
        peer.reply(id, "[{}]").await;
    };
    let (outcome, ()) = tokio::join!(client.transact(&transaction), serve);
    assert!(
        matches!(outcome, Err(TransactError::Indeterminate(Error::Json { .. }))),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn an_open_outcome_is_resolved_by_the_guard() {
    let Some(mut server) = or_skip(OvsdbServer::start()) else {
        return;
    };
    server.vsctl(&["add-br", "br0"]).unwrap();
    let attach = |name: &str| {
        let mut transaction = Transaction::new(DATABASE);
        // After the first time it is no longer true: the guard must be looked at before it.
        transaction.require("Bridge", [], "fail_mode", Until::Equal, Set::default());
        let qos = transaction.insert_with_uuid("QoS", Uuid::random(), [("type", name.into())]);
        transaction.update("Bridge", [], [("fail_mode", "secure".into())]);
        (transaction, qos)
    };
    let (transaction, qos) = attach("first");
    let client = connect(&server).await;
    client.transact(&transaction).await.unwrap();
    server.kill();
    server.restart().unwrap();

    let client = connect(&server).await;
    assert_eq!(client.resolve(&transaction).await.unwrap(), Resolution::Before);
    let (other, _) = attach("second");
    let aborted = aborted(client.resolve(&other).await);
    assert_eq!(aborted.operation.unwrap().index(), 0, "its own first operation");

    server.vsctl(&["del-fail-mode", "br0"]).unwrap();
    let Resolution::Now(committed) = client.resolve(&other).await.unwrap() else {
        panic!("it was never committed before");
    };
    assert_eq!(committed.results().len(), other.operations().len());
    assert_ne!(committed.uuid(&qos), None);
    assert_eq!(client.resolve(&other).await.unwrap(), Resolution::Before);

    let unguarded = Transaction::new(DATABASE);
    assert_eq!(client.resolve(&unguarded).await, Err(TransactError::Unguarded));
}

/// So it is if a member of a cluster tries by itself what it has committed without learning of it. The
/// random faults come upon that.
#[tokio::test]
async fn an_abort_because_its_uuid_is_there_may_be_about_one_attempt_too_many() {
    let Some(server) = or_skip(OvsdbServer::start()) else {
        return;
    };
    let client = connect(&server).await;
    let mut transaction = Transaction::new(DATABASE);
    transaction.insert_with_uuid("QoS", Uuid::random(), [("type", "x".into())]);
    client.transact(&transaction).await.unwrap();
    let again = client.transact(&transaction).await.unwrap_err();
    assert!(again.is_indeterminate(), "{again:?}");
    assert!(matches!(again, TransactError::Aborted(_)));
    assert_eq!(client.resolve(&transaction).await.unwrap(), Resolution::Before);
}
