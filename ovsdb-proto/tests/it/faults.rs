//! Random faults under a random writer: after each the replicas are those of the servers, the
//! changes alone lead to them, and what the writer was told of its transactions is true.
//!
//! A long run: `OVS_RS_FAULTS=1000 cargo test -p ovsdb-proto --test it any_fault -- --nocapture`.
//! `OVS_RS_SEED` repeats one.

use std::collections::BTreeMap;
use std::env;
use std::time::{Duration, Instant};

use testbed::{OvsdbCluster, OvsdbServer, or_skip};
use tokio::time::{sleep, timeout};

use self::follower::{Follower, settle};
use self::writer::Open;
pub(crate) use self::writer::{Random, leader, write};
use super::session::offline;

mod follower;
mod writer;

/// What is done to a server of its own, or to a cluster of three.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    Kill,
    /// The database is changed while no server runs.
    Offline,
    /// The connections are closed.
    Cut,
    Pause,
    KillLeader,
    PauseLeader,
    /// A member, whichever it is.
    KillMember,
    CutMember,
}

struct Standalone {
    server: OvsdbServer,
    followers: Vec<Follower>,
}

struct Cluster {
    cluster: OvsdbCluster,
    followers: Vec<Follower>,
    /// The longest time from an election to a connection with the new leader.
    failover: Duration,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_any_fault_the_replicas_are_those_of_the_servers_and_the_changes_lead_to_them() {
    let (Some(server), Some(cluster)) = (or_skip(OvsdbServer::start()), or_skip(OvsdbCluster::start()))
    else {
        return;
    };
    let (faults, seed) = (
        setting("OVS_RS_FAULTS", 32),
        setting("OVS_RS_SEED", 0x9e37_79b9_7f4a_7c15),
    );
    let mut random = Random(seed);
    let mut standalone = Standalone::new(server);
    let mut cluster = Cluster::new(cluster);
    let (start, mut done, mut open) = (Instant::now(), BTreeMap::<Fault, u64>::new(), Open::default());
    let all = u64::try_from(Fault::ALL.len()).unwrap();
    for nth in 0..faults {
        // Each once, and then by chance.
        let which = if nth < all { nth } else { random.below(all) };
        let fault = Fault::ALL[usize::try_from(which).unwrap()];
        let left_open = match fault {
            Fault::Kill | Fault::Offline | Fault::Cut | Fault::Pause => {
                standalone.hurt(fault, nth, &mut random).await
            }
            Fault::KillLeader | Fault::PauseLeader | Fault::KillMember | Fault::CutMember => {
                cluster.hurt(fault, &mut random).await
            }
        };
        open.all += left_open.all;
        open.committed += left_open.committed;
        *done.entry(fault).or_default() += 1;
        if (nth + 1) % 20 == 0 || nth + 1 == faults {
            println!(
                "{} of {faults} faults in {:.0?}, seed {seed}: {done:?}; at most {:.1?} from an election to the new leader; \
                 of {} open outcomes {} were commits",
                nth + 1,
                start.elapsed(),
                cluster.failover,
                open.all,
                open.committed,
            );
        }
    }
}

impl Fault {
    const ALL: [Self; 8] = [
        Self::Kill,
        Self::Offline,
        Self::Cut,
        Self::Pause,
        Self::KillLeader,
        Self::PauseLeader,
        Self::KillMember,
        Self::CutMember,
    ];
}

impl Standalone {
    fn new(server: OvsdbServer) -> Self {
        let followers = vec![Follower::start([server.remote(), server.tcp_remote()], false)];
        Self { server, followers }
    }

    async fn hurt(&mut self, fault: Fault, nth: u64, random: &mut Random) -> Open {
        let Self { server, followers } = self;
        let remote = server.remote();
        let write = tokio::spawn(write(remote.clone(), Random::of(random), 1 + random.below(40)));
        // The fault falls into the writing.
        sleep(Duration::from_millis(random.below(20))).await;
        match fault {
            Fault::Cut => server.drop_clients().unwrap(),
            Fault::Pause => {
                server.pause().unwrap();
                sleep(Duration::from_millis(random.below(900))).await;
                server.resume().unwrap();
            }
            _ => {
                server.kill();
                if fault == Fault::Offline {
                    offline(server, &offline_changes(nth, random));
                }
                server.restart().unwrap();
            }
        }
        let open = write.await.unwrap().check(async || remote.clone()).await;
        settle(followers, async || remote.clone()).await;
        open
    }
}

impl Cluster {
    fn new(cluster: OvsdbCluster) -> Self {
        let remotes: Vec<String> = (0..cluster.len()).map(|nth| cluster.remote(nth)).collect();
        // One that stays with the leader, and one that takes whom it gets.
        let followers = [true, false].map(|leader_only| Follower::start(remotes.clone(), leader_only));
        Self {
            cluster,
            followers: followers.into(),
            failover: Duration::ZERO,
        }
    }

    async fn hurt(&mut self, fault: Fault, random: &mut Random) -> Open {
        let Self { cluster, .. } = self;
        let mut member = || usize::try_from(random.below(3)).unwrap();
        let (writes_to, other) = (member(), member());
        let leads = leader(cluster).await;
        let write = tokio::spawn(write(
            cluster.remote(writes_to),
            Random::of(random),
            1 + random.below(20),
        ));
        sleep(Duration::from_millis(random.below(30))).await;
        match fault {
            Fault::KillLeader => self.kill_leader(leads).await,
            Fault::PauseLeader => {
                cluster.pause(leads).unwrap();
                // An election is due after one to two seconds.
                sleep(Duration::from_millis(random.below(3000))).await;
                cluster.resume(leads).unwrap();
            }
            Fault::KillMember => {
                cluster.kill(other);
                sleep(Duration::from_millis(random.below(500))).await;
                cluster.restart(other).unwrap();
                cluster.wait_connected(other).unwrap();
            }
            _ => drop(cluster.control(other, &["ovsdb-server/reconnect"]).unwrap()),
        }
        let written = write.await.unwrap();
        let Self {
            cluster, followers, ..
        } = self;
        let leading = async || cluster.remote(leader(cluster).await);
        let open = written.check(leading).await;
        settle(followers, leading).await;
        open
    }

    /// Kills the leader, and has it back when there is another.
    async fn kill_leader(&mut self, old: usize) {
        let mut session = self.followers[0].client();
        let before = session.current();
        self.cluster.kill(old);
        leader(&self.cluster).await;
        let elected = Instant::now();
        if let Some(before) = before {
            // Not if there was another leader already, which this one did not know of.
            if timeout(Duration::from_secs(5), before.closed()).await.is_ok() {
                session.connected().await.unwrap();
                self.failover = self.failover.max(elected.elapsed());
            }
        }
        self.cluster.restart(old).unwrap();
        self.cluster.wait_connected(old).unwrap();
    }
}

fn offline_changes(nth: u64, random: &mut Random) -> String {
    format!(
        r#"{{"op":"delete","table":"QoS","where":[["type","==","{}"]]}},
           {{"op":"insert","table":"QoS","row":{{"type":"offline{nth}"}}}},
           {{"op":"update","table":"QoS","where":[["type","==","{}"]],
            "row":{{"external_ids":["map",[["offline","{nth}"]]]}}}}"#,
        random.below(30),
        random.below(30)
    )
}

/// A number from the environment.
fn setting(variable: &str, default: u64) -> u64 {
    env::var(variable).map_or(default, |number| number.parse().unwrap())
}
