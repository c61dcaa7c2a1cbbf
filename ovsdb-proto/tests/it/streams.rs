//! The changes of one table and of one row, beside the session that they are of.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ovsdb_proto::client::{Changes, Client, Error, Session, SessionOptions};
use ovsdb_proto::monitor::MonitorRequest;
use ovsdb_proto::replica::{Change, ReplicaError, Table};
use ovsdb_proto::transaction::Transaction;
use ovsdb_proto::value::{Row, Uuid};
use serde::Deserialize;
use testbed::{OvsdbServer, or_skip};
use tokio::time::timeout;

use super::session::{offline, request, synced};

/// The rows that a stream leads to, to which each change must fit.
#[derive(Default)]
struct Rows(BTreeMap<Uuid, Arc<Row>>);

impl Rows {
    async fn take(&mut self, changes: &mut Changes) {
        let change = timeout(Duration::from_secs(30), changes.next()).await.unwrap();
        let change = change.expect("the session is there");
        match change.change {
            Change::Initial(new) | Change::Insert(new) => {
                assert_eq!(self.0.insert(change.uuid, new), None);
            }
            Change::Modify { old, new, .. } => assert_eq!(self.0.insert(change.uuid, new), Some(old)),
            Change::Delete(old) => assert_eq!(self.0.remove(&change.uuid), Some(old)),
            other => panic!("{other:?}"),
        }
    }

    async fn until(&mut self, changes: &mut Changes, wanted: impl Fn(&Self) -> bool) {
        while !wanted(self) {
            self.take(changes).await;
        }
    }

    fn has(&self, ty: &str) -> bool {
        self.0.values().any(|row| row.get("type") == Some(&ty.into()))
    }

    fn are_those_of(&self, table: &Table) -> bool {
        let rows = self.0.iter().map(|(uuid, row)| (*uuid, row));
        rows.eq(table.rows())
    }
}

#[tokio::test]
async fn streams_of_a_table_and_of_a_row_have_its_changes_over_lost_connections() {
    let Some(mut server) = or_skip(OvsdbServer::start()) else {
        return;
    };
    server.vsctl(&["create", "QoS", "type=kept"]).unwrap();
    server.vsctl(&["create", "QoS", "type=deleted"]).unwrap();
    server.vsctl(&["create", "Queue", "external_ids:a=1"]).unwrap();
    let remote = server.remote().parse().unwrap();
    let request = request().table("Queue", ["external_ids"]);
    let mut session = Session::new([remote], request, SessionOptions::default());

    // One that is there before the first connection, and two after it.
    let (mut early, mut early_rows) = (session.changes("QoS").unwrap(), Rows::default());
    synced(&mut session).await;
    let kept = session
        .replica()
        .unwrap()
        .table("QoS")
        .unwrap()
        .find("type", "kept")
        .next()
        .unwrap()
        .0;
    let (mut late, mut late_rows) = (session.changes("QoS").unwrap(), Rows::default());
    let (mut one, mut one_rows) = (session.row_changes("QoS", kept).unwrap(), Rows::default());
    let (mut queues, mut queue_rows) = (session.changes("Queue").unwrap(), Rows::default());
    let driver = tokio::spawn(async move {
        loop {
            session.next().await;
        }
    });
    for (changes, rows) in [(&mut early, &mut early_rows), (&mut late, &mut late_rows)] {
        rows.until(changes, |rows| rows.has("kept") && rows.has("deleted"))
            .await;
    }
    one_rows.until(&mut one, |rows| rows.has("kept")).await;
    queue_rows.take(&mut queues).await;

    server.kill();
    offline(
        &server,
        r#"{"op":"delete","table":"QoS","where":[["type","==","deleted"]]},
           {"op":"update","table":"QoS","where":[["type","==","kept"]],"row":{"type":"renamed"}},
           {"op":"insert","table":"QoS","row":{"type":"new"}}"#,
    );
    server.restart().unwrap();
    for (changes, rows) in [(&mut early, &mut early_rows), (&mut late, &mut late_rows)] {
        rows.until(changes, |rows| {
            rows.has("new") && rows.has("renamed") && !rows.has("deleted")
        })
        .await;
        assert_eq!(rows.0.len(), 2);
    }
    one_rows.until(&mut one, |rows| rows.has("renamed")).await;
    assert_eq!(one_rows.0.len(), 1);
    // What happens elsewhere is no business of theirs.
    let quiet = timeout(Duration::from_millis(100), queues.next()).await;
    assert!(quiet.is_err(), "{quiet:?}");
    driver.abort();
    assert!(driver.await.unwrap_err().is_cancelled());
    assert_eq!(late.next().await, None);
}

#[tokio::test]
async fn a_stream_of_a_table_that_is_not_followed_is_refused_at_once() {
    let remote = "unix:/nobody/is/there".parse().unwrap();
    let request = request().table("Queue", ["external_ids"]);
    let mut session = Session::new([remote], request, SessionOptions::default());
    let refused = [
        session.changes("Port").unwrap_err(),
        session.row_changes("Port", Uuid::ZERO).unwrap_err(),
        session.set_conditions("Port", []).await.unwrap_err(),
    ];
    let not_followed = ReplicaError::NoTable {
        table: "Port".into(),
        monitored: vec!["QoS".into(), "Queue".into()],
    };
    assert_eq!(refused, [(); 3].map(|()| Error::from(not_followed.clone())));
}

/// A stream that is not read holds the session back, and through it the server, and loses nothing.
#[tokio::test]
async fn a_stream_that_is_read_late_loses_nothing() {
    const ROUNDS: i64 = 3000;
    let Some(server) = or_skip(OvsdbServer::start()) else {
        return;
    };
    server.vsctl(&["create", "QoS", "type=counted"]).unwrap();
    let mut session = Session::new(
        [server.remote().parse().unwrap()],
        request(),
        SessionOptions::default(),
    );
    let (mut changes, mut rows) = (session.changes("QoS").unwrap(), Rows::default());
    let writer = Client::connect(&server.remote().parse().unwrap()).await.unwrap();
    let write = async {
        for round in 0..ROUNDS {
            let mut transaction = Transaction::new("Open_vSwitch");
            let pair = BTreeMap::from([("n", round.to_string())]);
            transaction.update("QoS", [], [("external_ids", pair.into())]);
            writer.transact(&transaction).await.unwrap();
        }
    };
    let last = (ROUNDS - 1).to_string();
    let is_last =
        |row: &Arc<Row>| row.get("external_ids") == Some(&BTreeMap::from([("n", last.as_str())]).into());
    let (held, session) = (std::cell::Cell::new(0), &mut session);
    let drive = async {
        loop {
            session.next().await;
            held.set(held.get() + 1);
        }
    };
    let read = async {
        // Nobody reads while everything is written.
        write.await;
        let before = held.get();
        rows.until(&mut changes, |rows| rows.0.values().any(is_last))
            .await;
        before
    };
    let before = tokio::select! {
        before = read => before,
        () = drive => unreachable!("it never ends"),
    };
    assert!(
        before < 1100,
        "{before} batches went past a stream that nobody read"
    );
    assert!(rows.are_those_of(session.replica().unwrap().table("QoS").unwrap()));
}

#[tokio::test]
async fn a_row_that_does_not_fit_ends_no_typed_monitor() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Qos {
        r#type: Kind,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    enum Kind {
        #[serde(rename = "linux-htb")]
        Htb,
    }
    let Some(server) = or_skip(OvsdbServer::start()) else {
        return;
    };
    let other = server.vsctl(&["create", "QoS", "type=other"]).unwrap();
    server.vsctl(&["create", "QoS", "type=linux-htb"]).unwrap();
    let client = Client::connect(&server.remote().parse().unwrap()).await.unwrap();
    let request = MonitorRequest::new("Open_vSwitch").table_of::<Qos>("QoS");
    let mut monitor = client.monitor_typed::<Qos>(&request).await.unwrap();
    let first = monitor.next().await.unwrap();
    assert_eq!(first.len(), 2);
    let table = monitor.replica().table("QoS").unwrap();
    let (fit, misfits): (Vec<_>, Vec<_>) = table.rows().map(|(_, row)| row.value()).partition(Result::is_ok);
    assert_eq!(fit, [Ok(&Qos { r#type: Kind::Htb })]);
    let [Err(misfit)] = misfits.as_slice() else {
        panic!("{misfits:?}");
    };
    assert_eq!(misfit.uuid().to_string(), other.trim());
    assert_eq!(
        misfit.error().to_string(),
        "column type: unknown variant `other`, expected `linux-htb`"
    );
    // It goes on, and the row may come to fit.
    server
        .vsctl(&["set", "QoS", other.trim(), "type=linux-htb"])
        .unwrap();
    let changes = monitor.next().await.unwrap();
    let [Change::Modify { old, new, .. }] = [&changes[0].change] else {
        panic!("{changes:?}");
    };
    assert!(old.value().is_err());
    assert_eq!(new.value(), Ok(&Qos { r#type: Kind::Htb }));
}
