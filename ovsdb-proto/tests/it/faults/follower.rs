//! Who follows a server while it is hurt.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ovsdb_proto::client::{Client, Event, Session, SessionClient, SessionOptions};
use ovsdb_proto::operation::Condition;
use ovsdb_proto::replica::{Change, Replica, RowChange};
use ovsdb_proto::transaction::Transaction;
use ovsdb_proto::value::{Datum, Row, Uuid};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::session::{DATABASE, request};

/// A session in a task of its own, which is asked whether it is where a server is.
pub(super) struct Follower {
    client: SessionClient,
    wanted: mpsc::UnboundedSender<Arc<Replica>>,
    /// One for each of those that it came to.
    reached: mpsc::UnboundedReceiver<Arc<Replica>>,
}

/// The rows, from changes alone.
#[derive(Default)]
struct Replay(BTreeMap<Uuid, Arc<Row>>);

impl Follower {
    pub(super) fn start(remotes: impl IntoIterator<Item = String>, leader_only: bool) -> Self {
        let mut options = SessionOptions::default();
        options.leader_only = leader_only;
        options.client.connection.probe_interval = Some(Duration::from_millis(300));
        // The server breaks again and again, which is no reason to wait here.
        options.max_backoff = Duration::from_millis(200);
        let remotes = remotes.into_iter().map(|remote| remote.parse().unwrap());
        let session = Session::new(remotes, request(), options);
        let client = session.client();
        let (wanted, questions) = mpsc::unbounded_channel();
        let (answers, reached) = mpsc::unbounded_channel();
        tokio::spawn(follow(session, questions, answers));
        Self {
            client,
            wanted,
            reached,
        }
    }

    pub(super) fn client(&self) -> SessionClient {
        self.client.clone()
    }

    /// Whether it comes to these rows soon.
    async fn reaches(&mut self, truth: &Arc<Replica>) -> bool {
        self.wanted.send(Arc::clone(truth)).unwrap();
        let reached = async { while !Arc::ptr_eq(&self.reached.recv().await.expect("it failed"), truth) {} };
        timeout(Duration::from_secs(1), reached).await.is_ok()
    }
}

async fn follow(
    mut session: Session,
    mut questions: mpsc::UnboundedReceiver<Arc<Replica>>,
    answers: mpsc::UnboundedSender<Arc<Replica>>,
) {
    let mut replay = Replay::default();
    let mut wanted: Option<Arc<Replica>> = None;
    loop {
        tokio::select! {
            event = session.next() => if let Event::Changes(changes) = event {
                replay.apply(&changes);
                assert!(replay.is(session.replica().unwrap()), "the changes lead elsewhere");
            },
            question = questions.recv() => match question {
                Some(truth) => wanted = Some(truth),
                None => return,
            },
        }
        // What is left of a connection that is lost does not count.
        let here = session.replica().filter(|_| session.client().current().is_some());
        if wanted
            .as_deref()
            .is_some_and(|truth| here == Some(truth) && replay.is(truth))
        {
            let _ = answers.send(wanted.take().unwrap());
        }
    }
}

impl Replay {
    fn apply(&mut self, changes: &[RowChange]) {
        for RowChange { uuid, change, .. } in changes {
            let was = match change {
                Change::Initial(row) | Change::Insert(row) => {
                    assert_eq!(self.0.insert(*uuid, Arc::clone(row)), None, "inserted twice");
                    continue;
                }
                Change::Modify { old, new, changed } => {
                    assert!(!changed.is_empty());
                    (self.0.insert(*uuid, Arc::clone(new)), old)
                }
                Change::Delete(old) => (self.0.remove(uuid), old),
                other => panic!("{other:?}"),
            };
            assert_eq!(was.0.as_ref(), Some(was.1), "not what was there");
        }
    }

    fn is(&self, replica: &Replica) -> bool {
        let rows = self.0.iter().map(|(uuid, row)| (*uuid, row));
        rows.eq(replica.table("QoS").unwrap().rows())
    }
}

/// Waits until all are where the server is that `remote` names, behind everything that was written.
pub(super) async fn settle(followers: &mut [Follower], remote: impl AsyncFn() -> String) {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        // What a transaction whose outcome nobody knows does, it may do late: look again.
        if let Some(truth) = marked(&remote().await).await {
            let mut all = true;
            for follower in &mut *followers {
                all &= follower.reaches(&truth).await;
            }
            if all {
                return;
            }
        }
        assert!(Instant::now() < deadline, "a follower is not where the server is");
    }
}

/// The rows of a server with one more, by which they are behind all others. `None`: it is not
/// there yet.
async fn marked(remote: &str) -> Option<Arc<Replica>> {
    let client = Client::connect(&remote.parse().unwrap()).await.ok()?;
    let mark: Datum = BTreeMap::from([("mark", "")]).into();
    let mut transaction = Transaction::new(DATABASE);
    transaction.delete("QoS", [Condition::equal("external_ids", mark.clone())]);
    transaction.insert(
        "QoS",
        [
            ("type", Uuid::random().to_string().into()),
            ("external_ids", mark),
        ],
    );
    client.transact(&transaction).await.ok()?;
    Some(Arc::new(client.snapshot(&request()).await.ok()?))
}
