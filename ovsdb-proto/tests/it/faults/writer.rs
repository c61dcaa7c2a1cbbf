//! Who writes while a server is hurt.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ovsdb_proto::client::Client;
use ovsdb_proto::operation::{Condition, Mutation};
use ovsdb_proto::transaction::Transaction;
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

    /// A transaction of one to three operations on rows with small numbers as types.
    fn transaction(&mut self) -> Transaction {
        let mut transaction = Transaction::new(DATABASE);
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

/// Writes through `remote` until it is gone, or `count` transactions are committed: `true`.
pub(crate) async fn write(remote: String, mut random: Random, count: u64) -> bool {
    let Ok(client) = Client::connect(&remote.parse().unwrap()).await else {
        return false;
    };
    for _ in 0..count {
        if client.transact(&random.transaction()).await.is_err() {
            return false;
        }
    }
    true
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
