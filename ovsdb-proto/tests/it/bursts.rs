//! Many changes of a real server at once.

use std::collections::BTreeSet;
use std::time::Duration;

use ovsdb_proto::client::{Client, ClientOptions};
use ovsdb_proto::monitor::MonitorRequest;
use ovsdb_proto::replica::Change;
use ovsdb_proto::transaction::Transaction;
use ovsdb_proto::value::Uuid;
use serde_json::json;
use tokio::time::timeout;

use super::real::{Interface, add_port, connect, interfaces, server, set_external_id, transact};

/// Each transaction is one insertion. The server merges transactions only if the client does not
/// keep up, and then their order within one batch is lost, but not that of the batches.
#[tokio::test]
async fn a_burst_of_500_insertions_is_delivered_in_order() {
    const INSERTIONS: usize = 500;
    let Some(server) = server() else { return };
    server.vsctl(&["add-br", "br0"]).unwrap();
    let client = connect(&server.remote()).await;
    let mut monitor = client.monitor(&interfaces()).await.unwrap();
    let initial = monitor.next().await.unwrap();
    assert_eq!(initial.len(), 1);
    assert!(matches!(initial[0].change, Change::Initial(_)));

    let writer = connect(&server.tcp_remote()).await;
    let writes = tokio::spawn(async move {
        for n in 0..INSERTIONS {
            add_port(&writer, &format!("p{n}")).await;
        }
    });
    let mut seen = Vec::new();
    while seen.len() < INSERTIONS {
        let batch = timeout(Duration::from_secs(20), monitor.next()).await;
        let mut inserted: Vec<usize> = batch
            .unwrap()
            .unwrap()
            .iter()
            .map(|change| match &change.change {
                Change::Insert(row) => {
                    let row: Interface = row.read(change.uuid).unwrap();
                    row.name.strip_prefix('p').unwrap().parse().unwrap()
                }
                other => panic!("{other:?} is no insertion"),
            })
            .collect();
        inserted.sort_unstable();
        seen.extend(inserted);
    }
    writes.await.unwrap();
    assert_eq!(seen, (0..INSERTIONS).collect::<Vec<_>>());
    assert_eq!(
        monitor.rows::<Interface>("Interface").unwrap().count(),
        INSERTIONS + 1
    );
}

#[tokio::test]
async fn a_burst_of_500_modifications_never_goes_back_and_ends_with_the_last() {
    let Some(server) = server() else { return };
    server.vsctl(&["add-br", "br0"]).unwrap();
    let client = connect(&server.remote()).await;
    let mut monitor = client.monitor(&interfaces()).await.unwrap();
    monitor.next().await.unwrap();
    let writer = client.clone();
    let writes = tokio::spawn(async move {
        for n in 1..=500 {
            set_external_id(&writer, "br0", &n.to_string()).await;
        }
    });
    let mut last = 0;
    while last < 500 {
        let batch = timeout(Duration::from_secs(20), monitor.next()).await;
        for change in batch.unwrap().unwrap() {
            let Change::Modify { old, new, changed } = &change.change else {
                panic!("{change:?} is no modification");
            };
            assert_eq!(changed.len(), 1);
            assert_eq!(&*changed[0], "external_ids");
            let old: Interface = old.read(change.uuid).unwrap();
            let new: Interface = new.read(change.uuid).unwrap();
            let value = |row: &Interface| row.external_ids.get("n").map_or(0, |n| n.parse().unwrap());
            // The old row is the one that was given last: nothing was left out in between.
            assert_eq!(value(&old), last);
            assert!(value(&new) > last, "{} after {last}", value(&new));
            last = value(&new);
        }
    }
    writes.await.unwrap();
    assert_eq!(last, 500);
}

/// The server may tell of both, or of neither; never of one.
#[tokio::test]
async fn a_row_that_comes_and_goes_between_two_reads_leaves_nothing() {
    let Some(server) = server() else { return };
    let client = connect(&server.remote()).await;
    let request = MonitorRequest::new("Open_vSwitch").table("QoS", ["type"]);
    let mut monitor = client.monitor(&request).await.unwrap();
    monitor.next().await.unwrap();
    let writer = connect(&server.tcp_remote()).await;
    for n in 0..100 {
        let ty = n.to_string();
        let insert = json!({"op": "insert", "table": "QoS", "row": {"type": ty}});
        transact(&writer, vec![insert]).await;
        let delete = json!({"op": "delete", "table": "QoS", "where": [["type", "==", ty]]});
        transact(&writer, vec![delete]).await;
    }
    let last = json!({"op": "insert", "table": "QoS", "row": {"type": "last"}});
    transact(&writer, vec![last]).await;
    let mut there = BTreeSet::new();
    let is_last = |change: &Change| match change {
        Change::Insert(row) => row.get("type") == Some(&"last".into()),
        _ => false,
    };
    loop {
        let batch = timeout(Duration::from_secs(20), monitor.next()).await;
        let batch = batch.unwrap().unwrap();
        for change in &batch {
            match change.change {
                Change::Insert(_) => assert!(there.insert(change.uuid)),
                Change::Delete(_) => assert!(there.remove(&change.uuid)),
                ref other => panic!("{other:?}"),
            }
        }
        if batch.iter().any(|change| is_last(&change.change)) {
            break;
        }
    }
    assert_eq!(there.len(), 1);
    assert_eq!(monitor.replica().table("QoS").unwrap().len(), 1);
}

/// More by `OVS_RS_UPDATES`.
#[tokio::test]
async fn bursts_of_insertions_reach_a_consumer_that_sleeps_each_once() {
    const WRITERS: usize = 50;
    let Some(server) = server() else { return };
    let wanted: usize = std::env::var("OVS_RS_UPDATES").map_or(10_000, |wanted| wanted.parse().unwrap());
    let mut options = ClientOptions::default();
    options.connection.hold_back_at = 64 * 1024;
    options.connection.max_queued = 16 << 20;
    let remote = server.tcp_remote().parse().unwrap();
    let client = Client::connect_with(&remote, options).await.unwrap();
    let request = MonitorRequest::new("Open_vSwitch").table("QoS", ["type", "external_ids"]);
    let mut monitor = client.monitor(&request).await.unwrap();
    assert_eq!(monitor.next().await.unwrap(), []);

    let writer = connect(&server.remote()).await;
    let writers: Vec<_> = (0..WRITERS)
        .map(|nth| {
            let writer = writer.clone();
            tokio::spawn(async move {
                for n in (nth..wanted).step_by(WRITERS) {
                    let mut transaction = Transaction::new("Open_vSwitch");
                    transaction.insert("QoS", [("type", n.to_string().into())]);
                    writer.transact(&transaction).await.unwrap();
                }
            })
        })
        .collect();
    let mut seen: BTreeSet<Uuid> = BTreeSet::new();
    for batch in 0.. {
        if seen.len() == wanted {
            break;
        }
        // Sleeps longer than it takes to fill the queue, again and again.
        if batch % 500 == 0 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let databases = timeout(Duration::from_secs(5), client.list_dbs()).await.unwrap();
            assert_eq!(databases.unwrap().len(), 2);
        }
        for change in timeout(Duration::from_secs(20), monitor.next())
            .await
            .unwrap()
            .unwrap()
        {
            assert!(matches!(change.change, Change::Insert(_)));
            assert!(seen.insert(change.uuid), "seen twice");
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(client.snapshot(&request).await.unwrap(), *monitor.replica());
}
