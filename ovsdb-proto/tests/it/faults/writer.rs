//! Who writes while a server is hurt.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use ovsdb_proto::client::{Client, Resolution, TransactError};
use ovsdb_proto::operation::{Condition, Mutation};
use ovsdb_proto::transaction::{Committed, Transaction};
use ovsdb_proto::value::Uuid;
use serde::Deserialize;
use testbed::OvsdbCluster;
use tokio::time::sleep;

use crate::session::DATABASE;

pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// Another one, which does not take from the first when it is used.
    pub(super) fn of(random: &mut Self) -> Self {
        Self(random.below(u64::MAX) | 1)
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }

    /// A row with this UUID, and one to three operations on rows with small numbers as types.
    fn transaction(&mut self, tag: Uuid) -> Transaction {
        let mut transaction = Transaction::new(DATABASE);
        transaction.insert_with_uuid("Queue", tag, [("dscp", 1.into())]);
        for _ in 0..=self.below(3) {
            let one = [Condition::equal("type", self.below(30).to_string())];
            match self.below(4) {
                0 => {
                    let ty = self.below(30).to_string();
                    transaction.insert("QoS", [("type", ty.into())]);
                }
                1 => {
                    transaction.delete("QoS", one);
                }
                2 => {
                    let pair = (self.below(4).to_string(), self.below(100).to_string());
                    let key = [pair.0.clone()];
                    let mutations = [
                        Mutation::delete("external_ids", key),
                        Mutation::insert_pairs("external_ids", [pair]),
                    ];
                    transaction.mutate("QoS", one, mutations);
                }
                _ => {
                    let pairs = BTreeMap::from([(self.below(4).to_string(), "x".to_owned())]);
                    transaction.update("QoS", one, [("external_ids", pairs.into())]);
                }
            }
        }
        transaction
    }
}

/// What was written, and what the client said became of it.
#[derive(Default)]
pub(crate) struct Written(Vec<Attempt>);

struct Attempt {
    transaction: Transaction,
    /// The row of its own.
    tag: Uuid,
    outcome: Result<Committed, TransactError>,
}

/// How many outcomes were open, and how many of those transactions were committed nevertheless.
#[derive(Default)]
pub(super) struct Open {
    pub(super) all: usize,
    pub(super) committed: usize,
}

/// Writes `count` transactions through `remote`, unless it is gone before.
pub(crate) async fn write(remote: String, mut random: Random, count: u64) -> Written {
    let mut written = Written::default();
    let Ok(client) = Client::connect(&remote.parse().unwrap()).await else {
        return written;
    };
    for _ in 0..count {
        let tag = Uuid::random();
        let transaction = random.transaction(tag);
        let outcome = client.transact(&transaction).await;
        let failed = outcome.is_err();
        written.0.push(Attempt {
            transaction,
            tag,
            outcome,
        });
        if failed {
            break;
        }
    }
    written
}

impl Written {
    /// How many transactions were committed for certain.
    pub(crate) fn committed(&self) -> usize {
        self.0.iter().filter(|attempt| attempt.outcome.is_ok()).count()
    }

    /// Holds the client to what it said, on a server that is good again. What was open is resolved
    /// first, and is then committed, too.
    pub(super) async fn check(&self, remote: impl AsyncFn() -> String) -> Open {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            match self.try_check(&remote().await).await {
                Ok(open) => return open,
                Err(error) => assert!(Instant::now() < deadline, "{error}"),
            }
        }
    }

    async fn try_check(&self, remote: &str) -> Result<Open, TransactError> {
        let client = Client::connect(&remote.parse().unwrap()).await;
        let client = client.map_err(TransactError::NotSent)?;
        let mut open = Open::default();
        for attempt in self.0.iter().filter(|attempt| attempt.is_open()) {
            open.all += 1;
            if client.resolve(&attempt.transaction).await? == Resolution::Before {
                open.committed += 1;
            }
        }
        // A member of a cluster that commits something knows all that was committed before.
        let mut last = Transaction::new(DATABASE);
        last.insert("Queue", [("dscp", 2.into())]);
        client.transact(&last).await?;
        let mut look = Transaction::new(DATABASE);
        let tags = look.select("Queue", [], ["_uuid"]);
        let rows = client.transact(&look).await?;
        let there: BTreeSet<Uuid> = rows.read::<Tag>(tags).map(|row| row.unwrap()._uuid).collect();
        for attempt in &self.0 {
            let Attempt { tag, outcome, .. } = attempt;
            let is_committed = outcome.is_ok() || attempt.is_open();
            assert_eq!(there.contains(tag), is_committed, "{outcome:?}");
        }
        let mut clean = Transaction::new(DATABASE);
        clean.delete("Queue", []);
        // If it is not done, the next round does it.
        let _ = client.transact(&clean).await;
        Ok(open)
    }
}

impl Attempt {
    fn is_open(&self) -> bool {
        let error = self.outcome.as_ref().err();
        error.is_some_and(TransactError::is_indeterminate)
    }
}

#[derive(Deserialize)]
struct Tag {
    _uuid: Uuid,
}

/// Waits until a member says that it leads.
pub(crate) async fn leader(cluster: &OvsdbCluster) -> usize {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        match cluster.leader() {
            Some(leader) => return leader,
            None if Instant::now() > deadline => panic!("no leader"),
            None => sleep(Duration::from_millis(20)).await,
        }
    }
}
