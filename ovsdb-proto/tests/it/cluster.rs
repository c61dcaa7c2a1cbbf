//! Sessions with a cluster of three.

use std::time::{Duration, Instant};

use ovsdb_proto::client::{Error, Event, Session, SessionOptions, SyncKind};
use testbed::{OvsdbCluster, or_skip};
use tokio::time::timeout;

use super::faults::{Random, leader, write};
use super::session::{next, request, synced};

async fn cluster_session(cluster: &OvsdbCluster, leader_only: bool) -> Session {
    let remotes = (0..cluster.len()).map(|nth| cluster.remote(nth).parse().unwrap());
    let mut options = SessionOptions::default();
    options.leader_only = leader_only;
    Session::new(remotes, request(), options)
}

#[tokio::test]
async fn a_cluster_is_followed_over_leader_kills_and_resumed_where_it_can_be() {
    let Some(mut cluster) = or_skip(OvsdbCluster::start()) else {
        return;
    };
    let remote = cluster.remote(leader(&cluster).await);
    assert_eq!(write(remote, Random(5), 120).await.committed(), 120);
    let mut session = cluster_session(&cluster, true).await;
    synced(&mut session).await;
    let mut resumed = 0;
    for round in 1..=3 {
        let old = leader(&cluster).await;
        let write = tokio::spawn(write(cluster.remote(old), Random(round), 20));
        tokio::time::sleep(Duration::from_millis(10 * round)).await;
        cluster.kill(old);
        let killed = Instant::now();
        let _ = write.await;
        // When a new leader is there, the session has it soon.
        let mut elected = None;
        let sync = loop {
            if let Ok(Event::Connected { sync, .. }) =
                timeout(Duration::from_millis(50), session.next()).await
            {
                break sync;
            }
            if elected.is_none() && cluster.leader().is_some() {
                elected = Some(Instant::now());
            }
            assert!(killed.elapsed() < Duration::from_secs(20), "no leader");
        };
        let late = elected.map_or(Duration::ZERO, |elected| elected.elapsed());
        assert!(late < Duration::from_secs(2), "{late:?} after the election");
        resumed += usize::from(sync == SyncKind::Resumed);
        assert_ne!(leader(&cluster).await, old);
        cluster.restart(old).unwrap();
        cluster.wait_connected(old).unwrap();
    }
    assert!(resumed > 0, "a cluster keeps 100 transactions");
}

#[tokio::test]
async fn a_server_without_majority_or_with_older_data_is_refused() {
    let Some(mut cluster) = or_skip(OvsdbCluster::start()) else {
        return;
    };
    let old = (leader(&cluster).await + 1) % 3;
    let mut session = cluster_session(&cluster, false).await;
    synced(&mut session).await;
    // One member sleeps through what the session sees.
    cluster.kill(old);
    let remote = cluster.remote(leader(&cluster).await);
    assert_eq!(write(remote, Random(7), 20).await.committed(), 20);
    let _ = timeout(Duration::from_secs(1), async {
        while session.next().await != Event::Changes(vec![]) {}
    })
    .await;
    for nth in (0..3).filter(|nth| *nth != old) {
        cluster.kill(nth);
    }
    cluster.restart(old).unwrap();
    let mut refused = false;
    for _ in 0..30 {
        match next(&mut session).await {
            Event::Unreachable {
                reason: Error::NotConnected | Error::Stale { .. },
                ..
            } => {
                refused = true;
                break;
            }
            Event::Connected { .. } => panic!("it is alone"),
            _ => {}
        }
    }
    assert!(refused);
    for nth in (0..3).filter(|nth| *nth != old) {
        cluster.restart(nth).unwrap();
    }
    assert_ne!(synced(&mut session).await.0, SyncKind::Initial);
}
