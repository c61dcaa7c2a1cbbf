//! One connection of a session.

use serde::Deserialize;
use tokio::time::Instant;

use super::peers::Way;
use super::{Monitor, SessionOptions};
use crate::client::monitor::{Past, Since, Started};
use crate::client::{Client, Error, Remote};
use crate::monitor::MonitorRequest;
use crate::operation::Condition;
use crate::replica::{RowChange, RowForm};
use crate::rpc::ErrorKind;
use crate::value::Uuid;

/// A connection with its monitors.
pub(super) struct Live<R> {
    pub(super) remote: Remote,
    pub(super) monitor: Monitor<R>,
    /// Follows what the server says of itself. Old servers do not.
    status: Option<Monitor>,
    pub(super) seen: Option<Seen>,
    pub(super) since: Instant,
}

/// A connection whose first rows have not been taken.
pub(super) struct Opened<R> {
    started: Started<R>,
    status: Option<Monitor>,
    seen: Option<Seen>,
}

/// How far the log of a cluster was seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    cluster: Uuid,
    index: i64,
}

/// A row of table Database of `_Server`: ovsdb-server(5).
#[derive(Debug, Deserialize)]
struct Status {
    model: String,
    connected: bool,
    leader: bool,
    cid: Option<Uuid>,
    index: Option<i64>,
}

impl<R: RowForm> Live<R> {
    pub(super) async fn next(&mut self, leader_only: bool) -> Result<Vec<RowChange<R>>, Error> {
        // The replica has them already, so nothing may come between.
        if let Some(first) = self.monitor.take_first() {
            return Ok(first);
        }
        loop {
            let Some(status) = &mut self.status else {
                return self.monitor.next().await;
            };
            tokio::select! {
                changes = self.monitor.next() => return changes,
                changed = status.next() => {
                    changed?;
                    let seen = suitable(status, leader_only, None)?;
                    self.seen = later(self.seen, seen);
                }
            }
        }
    }
}

impl<R: RowForm> Opened<R> {
    pub(super) fn finish(self, remote: Remote, past: &mut Option<Past<R>>) -> Result<(Live<R>, bool), Error> {
        let (monitor, resumed) = self.started.finish(past)?;
        let live = Live {
            remote,
            monitor,
            status: self.status,
            seen: self.seen,
            since: Instant::now(),
        };
        Ok((live, resumed))
    }
}

/// Connects and starts the monitors. Says with whom it did, or did not.
pub(super) async fn open<R: RowForm>(
    way: Way,
    request: MonitorRequest,
    options: SessionOptions,
    since: Option<Since>,
    seen: Option<Seen>,
) -> (Remote, Result<Opened<R>, Error>) {
    let (remote, connected) = way.connect(options.client).await;
    let opening = async {
        let client = connected?;
        let status = watch_status(&client, request.database()).await?;
        let seen = match &status {
            Some(status) => later(seen, suitable(status, options.leader_only, seen)?),
            None => seen,
        };
        let started = Monitor::start(client, &request, since.as_ref()).await?;
        Ok(Opened {
            started,
            status,
            seen,
        })
    };
    (remote, opening.await)
}

/// Follows what the server says of a database, if it says anything.
async fn watch_status(client: &Client, database: &str) -> Result<Option<Monitor>, Error> {
    let request = MonitorRequest::new("_Server")
        .table(
            "Database",
            ["name", "model", "connected", "leader", "cid", "index"],
        )
        .rows_where("Database", [Condition::equal("name", database)]);
    match client.monitor(&request).await {
        Ok(mut monitor) => {
            monitor.next().await?;
            Ok(Some(monitor))
        }
        // Before 2.9 there was no such database.
        Err(Error::Rpc { error, .. })
            if matches!(
                error.kind(),
                ErrorKind::UnknownDatabase | ErrorKind::UnknownMethod
            ) =>
        {
            Ok(None)
        }
        Err(Error::Schema(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether the server is of use, and how far it is.
fn suitable(status: &Monitor, leader_only: bool, seen: Option<Seen>) -> Result<Option<Seen>, Error> {
    // A database that is not there is refused by what comes next.
    let Some(Ok(status)) = status.rows::<Status>("Database")?.next() else {
        return Ok(None);
    };
    if status.model == "standalone" {
        return Ok(None);
    }
    if !status.connected {
        return Err(Error::NotConnected);
    }
    if leader_only && !status.leader {
        return Err(Error::NotLeader);
    }
    let (Some(cluster), Some(index)) = (status.cid, status.index) else {
        return Ok(None);
    };
    match seen.filter(|seen| seen.cluster == cluster) {
        Some(seen) if index < seen.index => Err(Error::Stale {
            found: index,
            seen: seen.index,
        }),
        _ => Ok(Some(Seen { cluster, index })),
    }
}

fn later(old: Option<Seen>, new: Option<Seen>) -> Option<Seen> {
    match (old, new) {
        (Some(old), Some(new)) if old.cluster == new.cluster && old.index > new.index => Some(old),
        (old, new) => new.or(old),
    }
}
