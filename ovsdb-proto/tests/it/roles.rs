//! What a real server refuses by the role of its client: ovsdb-server(7), "Role-Based Access Control".

use std::collections::BTreeMap;

use ovsdb_proto::client::{Client, TransactError};
use ovsdb_proto::monitor::MonitorRequest;
use ovsdb_proto::operation::{Condition, Mutation, Mutator};
use ovsdb_proto::rpc::ErrorKind;
use ovsdb_proto::transaction::{Aborted, OperationId, Transaction};
use ovsdb_proto::value::{Datum, Map};
use serde::Deserialize;
use testbed::{OvsdbServer, Pki, or_skip};

use super::tls::{options, with};

/// Who has the role "owner" makes, deletes and changes its own things, but never their owner.
const SCHEMA: &str = r#"{"name":"Roles","version":"1.0.0","tables":{
    "RBAC_Role":{"isRoot":true,"columns":{"name":{"type":"string"},"permissions":{"type":
        {"key":"string","value":{"type":"uuid","refTable":"RBAC_Permission"},"min":0,"max":"unlimited"}}}},
    "RBAC_Permission":{"columns":{"table":{"type":"string"},"insert_delete":{"type":"boolean"},
        "authorization":{"type":{"key":"string","min":0,"max":"unlimited"}},
        "update":{"type":{"key":"string","min":0,"max":"unlimited"}}}},
    "Top":{"isRoot":true,"columns":{"remotes":
        {"type":{"key":{"type":"uuid","refTable":"Remote"},"min":0,"max":"unlimited"}}}},
    "Remote":{"columns":{"target":{"type":"string"},"role":{"type":"string"}}},
    "Secret":{"isRoot":true,"columns":{"value":{"type":"integer"}}},
    "Thing":{"isRoot":true,"columns":{"owner":{"type":"string"},"value":{"type":"integer"}}}}}"#;

fn roles() -> Transaction {
    let mut transaction = Transaction::new("Roles");
    let permission = transaction.insert(
        "RBAC_Permission",
        [
            ("table", "Thing".into()),
            ("insert_delete", true.into()),
            ("authorization", "owner".into()),
            ("update", "value".into()),
        ],
    );
    let permissions: Map = [("Thing", &permission)].into_iter().collect();
    transaction.insert(
        "RBAC_Role",
        [("name", "owner".into()), ("permissions", permissions.into())],
    );
    let remote = transaction.insert(
        "Remote",
        [("target", "pssl:0:127.0.0.1".into()), ("role", "owner".into())],
    );
    transaction.insert("Top", [("remotes", (&remote).into())]);
    transaction
}

fn thing(owner: &str) -> [(&'static str, Datum); 2] {
    [("owner", owner.into()), ("value", 1.into())]
}

/// Commits an operation behind one that is allowed, and gives what the server says against it.
async fn refused(client: &Client, add: impl FnOnce(&mut Transaction) -> OperationId) -> String {
    let mut transaction = Transaction::new("Roles");
    transaction.comment("what is refused is the second");
    let added = add(&mut transaction);
    let Err(TransactError::Aborted(Aborted { operation, error, .. })) = client.transact(&transaction).await
    else {
        panic!("the role does not allow it");
    };
    assert_eq!(
        (operation, error.kind()),
        (Some(added), ErrorKind::PermissionError)
    );
    error.details.unwrap()
}

#[tokio::test]
async fn what_a_role_does_not_allow_is_an_error_of_its_operation() {
    let (Some(mut server), Some(pki)) = (or_skip(OvsdbServer::with_schema(SCHEMA)), or_skip(Pki::new()))
    else {
        return;
    };
    let admin = Client::connect(&server.remote().parse().unwrap()).await.unwrap();
    admin.transact(&roles()).await.unwrap();
    let remote = server.restart_with_tls(&pki, "db:Roles,Top,remotes").unwrap();
    let (remote, options) = (remote.parse().unwrap(), with(Some(options(&pki))));
    let client = Client::connect_with(&remote, options).await.unwrap();

    let insertion = refused(&client, |it| {
        it.insert("Secret", [("value", 1.into())]).operation()
    })
    .await;
    // The name in our certificate, by which the server knows us.
    let me = insertion.split('"').nth(1).unwrap();
    let rules = format!("RBAC rules for client \"{me}\" role \"owner\" prohibit");
    assert_eq!(insertion, format!("{rules} row insertion into table \"Secret\"."));

    let mut mine = Transaction::new("Roles");
    mine.insert("Thing", thing(me));
    mine.update("Thing", of(me), [("value", 2.into())]);
    client.transact(&mine).await.unwrap();
    let admin = Client::connect(&server.remote().parse().unwrap()).await.unwrap();
    let mut others = Transaction::new("Roles");
    others.insert("Thing", thing("other"));
    admin.transact(&others).await.unwrap();

    let value = Mutation::new("value", Mutator::Add, 1);
    for (refusal, what) in [
        (
            refused(&client, |it| it.insert("Thing", thing("other")).operation()).await,
            "row insertion into table \"Thing\".",
        ),
        (
            refused(&client, |it| {
                it.update("Thing", of(me), [("owner", "other".into())])
            })
            .await,
            "modification of table \"Thing\".",
        ),
        (
            refused(&client, |it| {
                it.update("Thing", of("other"), [("value", 2.into())])
            })
            .await,
            "modification of table \"Thing\".",
        ),
        (
            refused(&client, |it| it.mutate("Thing", of("other"), [value])).await,
            "mutate operation on table \"Thing\".",
        ),
        (
            refused(&client, |it| it.delete("Thing", of("other"))).await,
            "row deletion from table \"Thing\".",
        ),
    ] {
        assert_eq!(refusal, format!("{rules} {what}"));
    }

    // Nothing of what was refused is there.
    let things = MonitorRequest::new("Roles")
        .table_of::<Thing>("Thing")
        .all_columns("Secret");
    let rows = admin.snapshot(&things).await.unwrap();
    let there = rows.rows::<Thing>("Thing").unwrap().map(Result::unwrap);
    let there: BTreeMap<String, i64> = there.map(|thing| (thing.owner, thing.value)).collect();
    assert_eq!(
        there,
        BTreeMap::from([(me.to_owned(), 2), ("other".to_owned(), 1)])
    );
    assert_eq!(rows.table("Secret").unwrap().len(), 0);
}

#[derive(Deserialize)]
struct Thing {
    owner: String,
    value: i64,
}

fn of(owner: &str) -> [Condition; 1] {
    [Condition::equal("owner", owner)]
}
