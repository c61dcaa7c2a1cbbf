//! A monitor on a connection.

use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};
use tracing::debug;

use super::Client;
use super::error::Error;
use super::link::Updates;
use crate::connection::{Notice, Starts};
use crate::cursor::Cursor;
use crate::monitor::MonitorRequest;
use crate::operation::Condition;
use crate::replica::{Misfit, Replica, RowChange, RowForm, SchemaError};
use crate::rpc::JsonError;
use crate::schema::DatabaseSchema;
use crate::value::{Row, Uuid};

/// Follows columns of tables. Made by [`Client::monitor`]; dropped, it ends the monitor.
///
/// The first batch is the rows that were there at the start, also if there were none. Each later
/// one is one message of the server, in the server's order. A batch is not a transaction: the
/// server merges transactions that it could not send in time. It never leaves out the last state
/// of a row.
///
/// The monitors of one connection share it: when one is not read for long, the others wait, too.
/// Give each its own connection if that is not wanted.
///
/// ```no_run
/// use ovsdb_proto::client::{Client, Error};
/// use ovsdb_proto::monitor::MonitorRequest;
/// use ovsdb_proto::replica::Change;
///
/// # async fn example(client: &Client) -> Result<(), Error> {
/// let request = MonitorRequest::new("Open_vSwitch").table("Interface", ["name", "ofport"]);
/// let mut monitor = client.monitor(&request).await?;
/// loop {
///     for change in monitor.next().await? {
///         if let Change::Modify { new, changed, .. } = &change.change {
///             println!("{}: {changed:?} changed, now {new:?}", change.uuid);
///         }
///     }
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct Monitor<R = Row> {
    client: Client,
    request: MonitorRequest,
    schema: Arc<DatabaseSchema>,
    updates: Result<Updates, Error>,
    initial: Option<Vec<RowChange<R>>>,
    replica: Replica<R>,
    last_transaction: Option<Uuid>,
    /// The conditions of `request` are those of the replica.
    settled: bool,
}

/// What a monitor knew when its connection ended.
#[derive(Debug)]
pub(super) struct Past<R> {
    pub(super) replica: Replica<R>,
    /// `None`: the server never said it, or the replica is not known to be that of a request.
    pub(super) since: Option<Since>,
}

/// Where the server may go on.
#[derive(Debug, Clone)]
pub(super) struct Since {
    last: Uuid,
    /// It must still be this one: else a diff means something else.
    schema: Arc<DatabaseSchema>,
}

/// A monitor that the server has, with its first rows.
#[derive(Debug)]
pub(super) struct Started<R> {
    monitor: Monitor<R>,
    /// They are what happened since.
    found: bool,
    rows: Bytes,
}

impl<R: RowForm> Started<R> {
    /// Takes the first rows. If there is a past, the first batch is what happened since: as the
    /// server says it, or by comparison. The past is taken only on success. True: the server said
    /// it.
    pub(super) fn finish(self, past: &mut Option<Past<R>>) -> Result<(Monitor<R>, bool), Error> {
        let Self {
            mut monitor,
            found,
            rows,
        } = self;
        let initial = match past {
            Some(there) if found => {
                let changes = there.replica.apply(rows).inspect_err(|_| there.since = None)?;
                std::mem::swap(&mut monitor.replica, &mut there.replica);
                changes
            }
            Some(there) => {
                monitor.replica.load(rows)?;
                there.replica.changes_to(&monitor.replica)
            }
            None => monitor.replica.load(rows)?,
        };
        *past = None;
        monitor.initial = Some(initial);
        Ok((monitor, found))
    }
}

/// The methods, the newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    CondSince,
    Cond,
    Plain,
}

impl Monitor {
    /// The rows of a table, read into a type of yours: see [`Replica::rows`].
    ///
    /// # Errors
    ///
    /// [`Error::Replica`] if the table is not monitored.
    pub fn rows<'a, T: Deserialize<'a>>(
        &'a self,
        table: &str,
    ) -> Result<impl Iterator<Item = Result<T, Misfit>> + 'a, Error> {
        Ok(self.replica.rows(table)?)
    }
}

impl<R: RowForm> Monitor<R> {
    /// The next batch of changes. They are in the [`replica`](Self::replica) when it is given.
    ///
    /// Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// Why the connection has ended, after everything that had arrived was given.
    /// [`Error::MonitorCanceled`], [`Error::Replica`] and [`Error::Json`] end this monitor only.
    /// The monitor gives the same error again then.
    pub async fn next(&mut self) -> Result<Vec<RowChange<R>>, Error> {
        if let Some(first) = self.take_first() {
            return Ok(first);
        }
        let updates = self.updates.as_ref().map_err(Error::clone)?;
        let changes = match updates.next().await? {
            Notice::Update { method, params } => self.apply(method, &params),
            Notice::Canceled => Err(Error::MonitorCanceled {
                database: self.replica.database().to_owned(),
            }),
        };
        changes.inspect_err(|error| self.updates = Err(error.clone()))
    }

    /// The rows as the last batch left them. Before the first call of [`next`](Self::next) they
    /// are those of the start.
    #[must_use]
    pub fn replica(&self) -> &Replica<R> {
        &self.replica
    }

    /// Ends the monitor and keeps the rows.
    #[must_use]
    pub fn into_replica(self) -> Replica<R> {
        self.replica
    }

    /// The server's last transaction that the monitor has seen. A server too old for
    /// `monitor_cond_since` does not say it; one with a database that is not clustered says zero.
    #[must_use]
    pub fn last_transaction(&self) -> Option<Uuid> {
        self.last_transaction
    }

    /// The connection.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Changes which rows of a table are followed: those for which any of the conditions is true;
    /// without conditions, all. The rows that come and go by that are in the next batch.
    ///
    /// If the future is dropped, either conditions may hold from then on.
    ///
    /// # Errors
    ///
    /// [`Error::Schema`] if a condition does not fit the schema, [`Error::Replica`] if the table
    /// is not monitored, [`Error::Rpc`] if the server is too old; else as
    /// [`Client::call`].
    pub async fn set_conditions(
        &mut self,
        table: &str,
        conditions: impl IntoIterator<Item = Condition>,
    ) -> Result<(), Error> {
        let updates = self.updates.as_ref().map_err(Error::clone)?;
        if self.replica.table(table).is_none() {
            return Err(self.replica.no_table(table).into());
        }
        let conditions: Vec<Condition> = conditions.into_iter().collect();
        for condition in &conditions {
            condition
                .check(&self.schema, table)
                .map_err(SchemaError::Condition)?;
        }
        let id = updates.monitor();
        let mut tables = Map::new();
        tables.insert(table.to_owned(), json!([{ "where": where_any(&conditions) }]));
        // From here to the reply it is not known which conditions the server's state is for.
        self.settled = false;
        let params = (id, id, tables);
        self.client.call_json("monitor_cond_change", &params).await?;
        self.settled = true;
        self.request.set_conditions(table, conditions);
        Ok(())
    }

    /// What is followed.
    #[must_use]
    pub fn request(&self) -> &MonitorRequest {
        &self.request
    }

    /// Starts a monitor, from what an earlier one knew if the server still knows that, too.
    pub(super) async fn start(
        client: Client,
        request: &MonitorRequest,
        since: Option<&Since>,
    ) -> Result<Started<R>, Error> {
        let schema = Arc::new(client.get_schema(request.database()).await?);
        let replica = Replica::of(&schema, request)?;
        let updates = client.link().subscribe();
        let mut monitor = Self {
            client,
            request: request.clone(),
            schema,
            updates: Ok(updates),
            initial: None,
            replica,
            last_transaction: None,
            settled: true,
        };
        let plain = request.tables().iter().all(|table| table.conditions.is_empty());
        let mut methods = [Method::CondSince, Method::Cond, Method::Plain]
            .into_iter()
            .peekable();
        while let Some(method) = methods.next() {
            // Without conditions every row would come.
            let is_last = methods.peek().is_none_or(|next| *next == Method::Plain && !plain);
            match monitor.start_with(method, since).await {
                Err(error) if error.is_unknown_method() && !is_last => {
                    debug!(method = method.name(), "not known to the server");
                }
                result => {
                    let (found, rows) = result?;
                    return Ok(Started { monitor, found, rows });
                }
            }
        }
        Err(Error::json("monitor")(JsonError::custom("no method to monitor")))
    }

    /// The first batch, unless it was given already.
    pub(super) fn take_first(&mut self) -> Option<Vec<RowChange<R>>> {
        self.initial.take()
    }

    /// Whether the first batch was not given yet.
    pub(super) fn has_first(&self) -> bool {
        self.initial.is_some()
    }

    /// What a later monitor can go on from.
    pub(super) fn into_past(self) -> Past<R> {
        let last = self.last_transaction.filter(|_| self.settled);
        let schema = self.schema;
        Past {
            replica: self.replica,
            since: last.map(|last| Since { last, schema }),
        }
    }

    async fn start_with(&mut self, method: Method, since: Option<&Since>) -> Result<(bool, Bytes), Error> {
        let updates = self.updates.as_mut().map_err(|error| error.clone())?;
        let id = updates.monitor();
        let asked = self.request.sorted_tables().into_iter();
        let asked = asked.filter(|asked| self.replica.table(&asked.name).is_some());
        let tables = self.replica.tables().zip(asked);
        let tables = tables.map(|(table, asked)| {
            let columns: Vec<&str> = table.columns().collect();
            let request = match asked.conditions.as_slice() {
                [] => json!([{ "columns": columns }]),
                any => json!([{ "columns": columns, "where": where_any(any) }]),
            };
            (table.name().to_owned(), request)
        });
        let tables: Map<String, Value> = tables.collect();
        let mut params = vec![json!(self.replica.database()), json!(id), tables.into()];
        if method == Method::CondSince {
            let since = since.filter(|since| since.schema == self.schema);
            params.push(json!(since.map_or(Uuid::ZERO, |since| since.last)));
        }
        let name = method.name();
        let starts = Starts::Monitor(id);
        let result = self.client.call_starting(name, &params, starts).await?;
        updates.started();
        if method != Method::CondSince {
            return Ok((false, result));
        }
        let behind = updates_behind(&result, |cursor| Ok((cursor.element()?, cursor.element()?)));
        let ((found, last), rows) = behind.map_err(Error::json(name))?;
        self.last_transaction = Some(last);
        Ok((found, rows))
    }

    fn apply(&mut self, method: &'static str, params: &Bytes) -> Result<Vec<RowChange<R>>, Error> {
        let behind = updates_behind(params, |cursor| {
            cursor.element::<IgnoredAny>()?;
            let last = (method == "update3").then(|| cursor.element::<Uuid>());
            last.transpose()
        });
        let (last, updates) = behind.map_err(Error::json(method))?;
        let changes = self.replica.apply(updates)?;
        self.last_transaction = last.or(self.last_transaction);
        Ok(changes)
    }
}

/// The updates, which are the last element of an array and read later, and what `read` makes of the
/// elements before. None of these is an object.
fn updates_behind<T>(
    array: &Bytes,
    read: impl FnOnce(&mut Cursor<'_>) -> Result<T, JsonError>,
) -> Result<(T, Bytes), JsonError> {
    let start = array.iter().position(|&byte| byte == b'{');
    let (before, updates) = array.split_at(start.unwrap_or(array.len()));
    let mut cursor = Cursor::over(before)?;
    cursor.array()?;
    let read = read(&mut cursor)?;
    cursor.finish()?;
    match updates.trim_ascii_end().strip_suffix(b"]") {
        Some(updates) => Ok((read, array.slice_ref(updates))),
        None => Err(cursor.error("expected an object at the end of the array")),
    }
}

impl Method {
    fn name(self) -> &'static str {
        match self {
            Self::CondSince => "monitor_cond_since",
            Self::Cond => "monitor_cond",
            Self::Plain => "monitor",
        }
    }
}

/// Conditions of which any must be true. Without any the server takes all rows and its other
/// clients none, so that is said in so many words.
fn where_any(conditions: &[Condition]) -> Value {
    match conditions {
        [] => json!([true]),
        any => json!(any),
    }
}
