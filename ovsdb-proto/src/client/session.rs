//! A monitor that outlives its connections.

use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tracing::{debug, warn};

use self::changes::{Filter, Streams};
use self::live::{Live, Seen};
use self::peers::Peers;
use super::monitor::Past;
use super::{Client, ClientOptions, Error, Listener, Monitor, Remote};
use crate::monitor::MonitorRequest;
use crate::operation::Condition;
use crate::replica::{Misfit, Replica, ReplicaError, RowChange, RowForm, Typed};
use crate::value::{Row, Uuid};

mod changes;
mod live;
mod peers;

pub use self::changes::Changes;

/// Follows columns of tables as [`Monitor`] does, over as many connections as it takes.
///
/// Whatever happens, the [`replica`](Self::replica) is a copy of what some server had, and the
/// batches of changes lead from each state of it to the next. Rows that were deleted while there
/// was no connection are deleted in the batch that follows it; rows that did not change are in no
/// batch. Every loss of a connection, and every new one, is an [`Event`].
///
/// All remotes are tried once without delay; then again and again, with a delay that doubles.
/// Of a clustered database, a server without a majority is not used, and none that has less than
/// was seen before.
///
/// ```no_run
/// use ovsdb_proto::client::{Event, Session, SessionOptions};
/// use ovsdb_proto::monitor::MonitorRequest;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let remotes = ["tcp:10.0.0.1:6641".parse()?, "tcp:10.0.0.2:6641".parse()?];
/// let request = MonitorRequest::new("OVN_Northbound").table("Logical_Switch", ["name"]);
/// let mut session = Session::new(remotes, request, SessionOptions::default());
/// loop {
///     match session.next().await {
///         Event::Changes(changes) => println!("{} rows changed", changes.len()),
///         Event::Connected { remote, .. } => println!("connected to {remote}"),
///         event => println!("{event:?}"),
///     }
/// }
/// # }
/// ```
pub struct Session<R = Row> {
    peers: Peers,
    request: MonitorRequest,
    options: SessionOptions,
    state: State<R>,
    /// What the last connection left, while there is none.
    past: Option<Past<R>>,
    seen: Option<Seen>,
    /// Peers tried in this sweep.
    tried: usize,
    /// One of them is alive, if of no use.
    alive: bool,
    backoff: Duration,
    clients: watch::Sender<Option<Client>>,
    streams: Streams<R>,
    /// What happened, to be said when every stream has it.
    held: Option<Event<R>>,
}

/// What a session may take, and what it wants.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionOptions {
    /// Of each connection.
    pub client: ClientOptions,
    /// The delay after the first sweep over the remotes. Each further one doubles it. A quarter of
    /// it, more or less, is left to chance. Default 100 ms.
    pub min_backoff: Duration,
    /// The greatest delay. Default 8 s. While a server answers that is of no use, because it is
    /// not the leader or has no majority, the delay is no longer than 500 ms: an election is
    /// short.
    pub max_backoff: Duration,
    /// Of a clustered database, use no server but the leader. A follower forwards transactions and
    /// has the same data a little later. Default no.
    pub leader_only: bool,
}

/// What happened to a session.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event<R = Row> {
    /// A connection is there, and the replica is a copy again. The next event is
    /// [`Changes`](Self::Changes).
    Connected {
        /// To whom.
        remote: Remote,
        /// What the changes that follow are.
        sync: SyncKind,
    },
    /// Rows changed. They are in the replica.
    Changes(Vec<RowChange<R>>),
    /// The connection is lost, or was given up. The replica stays as it is until the next one.
    Lost {
        /// To whom.
        remote: Remote,
        /// Why.
        reason: Error,
    },
    /// The database was converted: of what the session follows [if it is there](MonitorRequest::if_there), some came or went.
    /// [`Connected`](Self::Connected) follows, and its changes have the rows that came and went with that.
    Converted {
        /// What is there now: `Table`, `Table.column`.
        came: Vec<String>,
        /// What is no longer there.
        went: Vec<String>,
    },
    /// A connection was not made. The next remote is tried; with pauses that grow if the
    /// [reason is permanent](Error::is_permanent).
    Unreachable {
        /// To whom.
        remote: Remote,
        /// Why not.
        reason: Error,
    },
}

/// What the first changes on a connection are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SyncKind {
    /// Every row: there was nothing before.
    Initial,
    /// What happened since, as the server says.
    Resumed,
    /// What happened since, by comparing all rows with those that were there.
    Compared,
}

/// The connection that a session has at present, for transactions and other calls. Any number of
/// tasks may have one while another follows the session.
///
/// It is there only while somebody polls [`Session::next`].
#[derive(Debug, Clone)]
pub struct SessionClient(watch::Receiver<Option<Client>>);

type Opening<R> = (Remote, Result<live::Opened<R>, Error>);

enum State<R> {
    Waiting(Instant),
    Connecting(Pin<Box<dyn Future<Output = Opening<R>> + Send>>),
    Live(Box<Live<R>>),
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self {
            client: ClientOptions::default(),
            min_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(8),
            leader_only: false,
        }
    }
}

impl Session {
    /// A session that connects when [`next`](Self::next) is called. Without remotes it never
    /// does.
    #[must_use]
    pub fn new(
        remotes: impl IntoIterator<Item = Remote>,
        request: MonitorRequest,
        options: SessionOptions,
    ) -> Self {
        Self::of(Peers::remotes(remotes), request, options)
    }

    /// A session with a server that connects to us, again whenever its connection is lost. The
    /// options of the connections are those of the listener. What else comes waits until then.
    #[must_use]
    pub fn accepting(listener: Listener, request: MonitorRequest, options: SessionOptions) -> Self {
        Self::of(Peers::listener(listener), request, options)
    }

    /// As [`new`](Self::new), with rows kept as a type of yours: see [`Typed`].
    #[must_use]
    pub fn typed<T>(
        remotes: impl IntoIterator<Item = Remote>,
        request: MonitorRequest,
        options: SessionOptions,
    ) -> Session<Typed<T>>
    where
        T: DeserializeOwned + Send + Sync + 'static,
    {
        Session::of(Peers::remotes(remotes), request, options)
    }

    /// The rows of a table, read into a type of yours: see [`Replica::rows`]. None before the
    /// first connection.
    ///
    /// # Errors
    ///
    /// [`Error::Replica`] if the table is not monitored.
    pub fn rows<'a, T: Deserialize<'a>>(
        &'a self,
        table: &str,
    ) -> Result<impl Iterator<Item = Result<T, Misfit>> + 'a, Error> {
        let rows = self.replica().map(|replica| replica.rows(table)).transpose()?;
        Ok(rows.into_iter().flatten())
    }
}

impl<R: RowForm> Session<R> {
    fn of(peers: Peers, request: MonitorRequest, options: SessionOptions) -> Self {
        Self {
            peers,
            request,
            state: State::Waiting(Instant::now()),
            past: None,
            seen: None,
            tried: 0,
            alive: false,
            backoff: options.min_backoff,
            options,
            clients: watch::Sender::new(None),
            streams: Streams::default(),
            held: None,
        }
    }

    /// What happens next. It never ends.
    ///
    /// Dropping the future loses nothing: what was under way goes on at the next call.
    pub async fn next(&mut self) -> Event<R> {
        if self.peers.len() == 0 {
            std::future::pending::<()>().await;
        }
        loop {
            self.streams.deliver().await;
            if let Some(event) = self.held.take() {
                return event;
            }
            match &mut self.state {
                State::Waiting(until) => {
                    sleep_until(*until).await;
                    self.connect();
                }
                State::Connecting(opening) => {
                    let opened = opening.await;
                    return self.opened(opened);
                }
                State::Live(live) => match live.next(self.options.leader_only).await {
                    Ok(changes) => {
                        self.streams.take(&changes);
                        self.held = Some(Event::Changes(changes));
                    }
                    Err(reason) => {
                        let now = State::Waiting(Instant::now());
                        if let State::Live(live) = std::mem::replace(&mut self.state, now) {
                            return self.lost(*live, reason);
                        }
                    }
                },
            }
        }
    }

    /// The rows as the last batch left them; on a new connection, those of its start. `None`
    /// before the first.
    #[must_use]
    pub fn replica(&self) -> Option<&Replica<R>> {
        match &self.state {
            State::Live(live) => Some(live.monitor.replica()),
            _ => self.past.as_ref().map(|past| &past.replica),
        }
    }

    /// The changes of one table, for another task: first its rows as they are now, then every
    /// change of them, over all connections to come.
    ///
    /// The stream gets them while somebody polls [`next`](Self::next), which waits for streams that
    /// are not read: nothing is lost. A stream that is not read holds 1024 changes, and the session
    /// the rest of the batch that they are of, which is one message of the server.
    ///
    /// ```no_run
    /// use ovsdb_proto::client::Session;
    /// use serde::Deserialize;
    ///
    /// #[derive(Debug, Deserialize)]
    /// struct Interface {
    ///     name: String,
    /// }
    ///
    /// # async fn example(mut session: Session) -> Result<(), ovsdb_proto::client::Error> {
    /// let mut interfaces = session.changes("Interface")?;
    /// tokio::spawn(async move {
    ///     loop {
    ///         session.next().await;
    ///     }
    /// });
    /// while let Some(change) = interfaces.next().await {
    ///     match change.read::<Interface>() {
    ///         Ok(change) => println!("{:?}", change.change),
    ///         Err(misfit) => println!("{misfit}: {}", misfit.error()),
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Replica`] if the table is not followed.
    pub fn changes(&mut self, table: &str) -> Result<Changes<R>, Error> {
        self.subscribe(table, None)
    }

    /// The changes of one row: see [`changes`](Self::changes).
    ///
    /// # Errors
    ///
    /// [`Error::Replica`] if the table is not followed.
    pub fn row_changes(&mut self, table: &str, row: Uuid) -> Result<Changes<R>, Error> {
        self.subscribe(table, Some(row))
    }

    fn subscribe(&mut self, table: &str, row: Option<Uuid>) -> Result<Changes<R>, Error> {
        self.check_followed(table)?;
        let filter = Filter::new(table, row);
        let initial = self.replica().map(|replica| filter.initial(replica));
        // The replica has what is yet to be said of the start of a connection.
        let is_ahead = matches!(&self.state, State::Live(live) if live.monitor.has_first());
        Ok(self.streams.open(filter, initial.unwrap_or_default(), is_ahead))
    }

    fn check_followed(&self, table: &str) -> Result<(), Error> {
        let followed = self.request.tables().iter().map(|table| &table.name);
        match followed.clone().any(|name| *name == table) {
            true => Ok(()),
            false => Err(ReplicaError::no_table(table, followed).into()),
        }
    }

    /// The connection, for calls from anywhere.
    #[must_use]
    pub fn client(&self) -> SessionClient {
        SessionClient(self.clients.subscribe())
    }

    /// What is followed.
    #[must_use]
    pub fn request(&self) -> &MonitorRequest {
        &self.request
    }

    /// Changes which rows of a table are followed: see [`Monitor::set_conditions`]. Without a
    /// connection it holds for the next one, which then also says if it does not fit.
    ///
    /// # Errors
    ///
    /// As [`Monitor::set_conditions`], but a lost connection is none: the new conditions hold.
    pub async fn set_conditions(
        &mut self,
        table: &str,
        conditions: impl IntoIterator<Item = Condition>,
    ) -> Result<(), Error> {
        self.check_followed(table)?;
        let conditions: Vec<Condition> = conditions.into_iter().collect();
        match &mut self.state {
            State::Live(live) => match live.monitor.set_conditions(table, conditions.clone()).await {
                Err(error) if !error.is_connection_lost() => return Err(error),
                _ => {}
            },
            // The rows that are asked for are the wrong ones.
            State::Connecting(_) => self.state = State::Waiting(Instant::now()),
            State::Waiting(_) => {}
        }
        if let Some(past) = &mut self.past {
            past.since = None;
        }
        self.request.set_conditions(table, conditions);
        Ok(())
    }

    fn connect(&mut self) {
        let since = self.past.as_ref().and_then(|past| past.since.clone());
        let opening = live::open(
            self.peers.way(),
            self.request.clone(),
            self.options.clone(),
            since,
            self.seen,
        );
        self.state = State::Connecting(Box::pin(opening));
    }

    fn opened(&mut self, (remote, opened): Opening<R>) -> Event<R> {
        let first = self.past.is_none();
        let absent = self.past.as_ref().map(|past| absent(&past.replica));
        match opened.and_then(|opened| opened.finish(remote.clone(), &mut self.past)) {
            Ok((live, resumed)) => {
                debug!(%remote, resumed, "session connected");
                self.alive = false;
                self.clients.send_replace(Some(live.monitor.client().clone()));
                let absent_now = self::absent(live.monitor.replica());
                self.state = State::Live(Box::new(live));
                let sync = match (first, resumed) {
                    (true, _) => SyncKind::Initial,
                    (false, true) => SyncKind::Resumed,
                    (false, false) => SyncKind::Compared,
                };
                let connected = Event::Connected { remote, sync };
                match absent.filter(|before| *before != absent_now) {
                    None => connected,
                    Some(before) => {
                        self.held = Some(connected);
                        Event::Converted {
                            came: before.difference(&absent_now).cloned().collect(),
                            went: absent_now.difference(&before).cloned().collect(),
                        }
                    }
                }
            }
            Err(reason) => {
                debug!(%remote, %reason, "session not connected");
                self.alive |= !reason.is_connection_lost() && !reason.is_permanent();
                self.try_next();
                Event::Unreachable { remote, reason }
            }
        }
    }

    /// Ends the connection that was there.
    fn lost(&mut self, live: Live<R>, reason: Error) -> Event<R> {
        let Live { remote, .. } = live;
        warn!(%remote, %reason, "session lost its connection");
        self.clients.send_replace(None);
        // A server that takes connections only to drop them again is as good as none.
        if live.since.elapsed() < self.backoff {
            self.try_next();
        } else {
            self.backoff = self.options.min_backoff;
            self.tried = 0;
            self.peers.advance();
        }
        self.seen = live.seen.or(self.seen);
        self.past = Some(live.monitor.into_past());
        Event::Lost { remote, reason }
    }

    /// Goes on with the next remote; after the last, with a delay.
    fn try_next(&mut self) {
        self.peers.advance();
        self.tried += 1;
        self.state = State::Waiting(Instant::now());
        if self.tried >= self.peers.len() {
            let max = match self.alive {
                true => self.options.max_backoff.min(ELECTION_BACKOFF),
                false => self.options.max_backoff,
            };
            self.tried = 0;
            self.alive = false;
            self.wait(max);
        }
    }

    fn wait(&mut self, max: Duration) {
        let delay = self.backoff.min(max);
        // 3/4 to 5/4 of it, so that many clients of one server do not come at once.
        let chance = u32::from(Uuid::random().as_bytes()[0]);
        self.state = State::Waiting(Instant::now() + delay * (384 + chance) / 512);
        self.backoff = (delay * 2).clamp(self.options.min_backoff, self.options.max_backoff);
    }
}

impl<R> Drop for Session<R> {
    fn drop(&mut self) {
        self.clients.send_replace(None);
    }
}

impl<R> fmt::Debug for Session<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Waiting(_) => "waiting",
            State::Connecting(_) => "connecting",
            State::Live(_) => "connected",
        };
        f.debug_struct("Session")
            .field("peers", &self.peers)
            .field("state", &state)
            .finish_non_exhaustive()
    }
}

impl SessionClient {
    /// The connection, if there is one.
    #[must_use]
    pub fn current(&self) -> Option<Client> {
        self.0.borrow().clone()
    }

    /// Waits until there is a connection. `None`: the session is gone.
    pub async fn connected(&mut self) -> Option<Client> {
        let client = self.0.wait_for(Option::is_some).await.ok()?;
        client.clone()
    }
}

/// What is asked for if it is there, and is not.
fn absent<R>(replica: &Replica<R>) -> BTreeSet<String> {
    replica.absent().map(str::to_owned).collect()
}

/// While an election is under way.
const ELECTION_BACKOFF: Duration = Duration::from_millis(500);
