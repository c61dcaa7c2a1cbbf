//! What a real server refuses that this crate would not send: each has its kind, and in a
//! transaction its operation.

use std::time::Duration;

use ovsdb_proto::client::{Error, TransactError};
use ovsdb_proto::operation::{Condition, Operation, Until};
use ovsdb_proto::rpc::ErrorKind::{self, *};
use ovsdb_proto::transaction::Transaction;
use serde_json::{Value, json};
use testbed::{OvsdbServer, or_skip};

use super::session::{DATABASE, request};
use super::transact::connect;

#[tokio::test]
async fn calls_that_a_server_refuses_have_a_kind() {
    let Some(server) = or_skip(OvsdbServer::start()) else {
        return;
    };
    let client = connect(&server).await;
    let converted = |schema: Value| json!([DATABASE, schema]);
    for (method, params, wanted) in [
        ("nope", json!([]), UnknownMethod),
        ("get_schema", json!(["nope"]), UnknownDatabase),
        ("monitor_cancel", json!(["nope"]), UnknownMonitor),
        ("monitor_cancel", json!([]), InvalidParameters),
        ("monitor", json!([DATABASE, 1, {"nope": {}}]), SyntaxError),
        ("monitor_cond", json!(["nope", 1, {}]), UnknownDatabase),
        ("monitor_cond_change", json!([1, 2, {}]), SyntaxError),
        ("lock", json!(["1"]), SyntaxError),
        ("unlock", json!(["not_locked"]), SyntaxError),
        ("transact", json!([]), SyntaxError),
        (
            "convert",
            converted(json!({"name": "other", "tables": {}})),
            InvalidParameters,
        ),
        ("convert", converted(json!({"name": DATABASE})), SyntaxError),
    ] {
        let Err(Error::Rpc { error, .. }) = client.call(method, params.as_array().unwrap()).await else {
            panic!("{method} {params} is refused");
        };
        assert_eq!(error.kind(), wanted, "{method} {params}: {error}");
    }
}

#[tokio::test]
async fn operations_that_a_server_refuses_have_a_kind_and_a_place() {
    let Some(server) = or_skip(OvsdbServer::start()) else {
        return;
    };
    let client = connect(&server).await;
    let schema = client.get_schema(DATABASE).await.unwrap();
    let select = |condition: Value| json!({"op": "select", "table": "Bridge", "where": [condition]});
    let named = json!({"op": "insert", "table": "QoS", "row": {}, "uuid-name": "name"});
    let insert = |row: Value| json!({"op": "insert", "table": "QoS", "row": row});
    let refusals: [(Value, ErrorKind); 11] = [
        (json!({"op": "nope"}), SyntaxError),
        (json!({"op": "select", "table": "nope", "where": []}), SyntaxError),
        (
            json!({"op": "insert", "table": "QoS", "row": {}, "uuid": "no uuid"}),
            SyntaxError,
        ),
        (select(json!(["nope", "==", 1])), UnknownColumn),
        (select(json!(["name", "~", ""])), UnknownFunction),
        (
            json!({"op": "mutate", "table": "Bridge", "where": [], "mutations": [["flood_vlans", "^", 1]]}),
            UnknownMutator,
        ),
        (insert(json!({"type": 1})), SyntaxError),
        (
            insert(json!({"external_ids": ["map", [["a", "1"], ["a", "2"]]]})),
            OvsdbError,
        ),
        (named.clone(), DuplicateUuidName),
        (
            json!({"op": "update", "table": "Interface", "where": [], "row": {"name": "immutable"}}),
            ConstraintViolation,
        ),
        (json!({"op": "commit"}), SyntaxError),
    ];
    for (operation, wanted) in refusals {
        let result = client
            .call("transact", &[DATABASE.into(), named.clone(), operation.clone()])
            .await;
        let result = result.unwrap().to_string();
        // The reply does not say what was asked for, but how much.
        let mut asked = Transaction::new(DATABASE);
        asked.insert("QoS", [("type", "".into())]);
        let refused = asked.comment("the operation");
        let aborted = asked.results(&schema, result.as_bytes()).unwrap().unwrap_err();
        assert_eq!(aborted.error.kind(), wanted, "{operation}: {aborted}");
        assert_eq!(aborted.operation, Some(refused), "{operation}");
    }
    let rows = client.snapshot(&request()).await.unwrap();
    assert_eq!(rows.table("QoS").unwrap().len(), 0, "nothing of it happened");
}

#[tokio::test]
async fn a_transaction_that_waits_while_its_database_is_converted_is_canceled() {
    let Some(server) = or_skip(OvsdbServer::start()) else {
        return;
    };
    let client = connect(&server).await;
    let schema = client.call("get_schema", &[DATABASE.into()]).await.unwrap();
    let mut transaction = Transaction::new(DATABASE);
    transaction.push(Operation::Wait {
        table: "Bridge".into(),
        conditions: vec![Condition::equal("name", "br0")],
        columns: Some(vec!["name".into()]),
        until: Until::NotEqual,
        rows: vec![],
        timeout: None,
    });
    let (waited, converted) = tokio::join!(client.transact(&transaction), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        connect(&server)
            .await
            .convert(DATABASE, &schema.to_string())
            .await
    });
    converted.unwrap();
    let Err(TransactError::Indeterminate(Error::Rpc { error, .. })) = waited else {
        panic!("{waited:?}");
    };
    assert_eq!(error.kind(), Canceled);
}
