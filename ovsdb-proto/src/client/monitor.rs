//! A monitor on a connection.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};
use tracing::debug;

use super::Client;
use super::error::Error;
use super::link::{Notice, Updates};
use crate::monitor::{MonitorRequest, TableUpdates};
use crate::replica::{Replica, RowChange};
use crate::rpc::JsonError;
use crate::value::{RowError, Uuid};

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
pub struct Monitor {
    client: Client,
    updates: Result<Updates, Error>,
    initial: Option<Vec<RowChange>>,
    replica: Replica,
    last_transaction: Option<Uuid>,
}

/// The methods, the newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    CondSince,
    Cond,
    Plain,
}

impl Monitor {
    /// The next batch of changes. They are in the [`replica`](Self::replica) when it is given.
    ///
    /// Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// Why the connection has ended, after everything that had arrived was given.
    /// [`Error::MonitorCanceled`], [`Error::Replica`] and [`Error::Json`] end this monitor only.
    /// The monitor gives the same error again then.
    pub async fn next(&mut self) -> Result<Vec<RowChange>, Error> {
        if let Some(initial) = self.initial.take() {
            return Ok(initial);
        }
        let updates = self.updates.as_ref().map_err(Error::clone)?;
        let changes = match updates.next().await? {
            Notice::Update(method, params) => self.apply(method, &params),
            Notice::Canceled => Err(Error::MonitorCanceled {
                database: self.replica.database().to_owned(),
            }),
        };
        changes.inspect_err(|error| self.updates = Err(error.clone()))
    }

    /// The rows as the last batch left them. Before the first call of [`next`](Self::next) they
    /// are those of the start.
    #[must_use]
    pub fn replica(&self) -> &Replica {
        &self.replica
    }

    /// The rows of a table, read into a type of yours: see [`Replica::rows`].
    ///
    /// # Errors
    ///
    /// [`Error::Replica`] if the table is not monitored.
    pub fn rows<'a, T: Deserialize<'a>>(
        &'a self,
        table: &str,
    ) -> Result<impl Iterator<Item = Result<T, RowError>> + 'a, Error> {
        Ok(self.replica.rows(table)?)
    }

    /// Ends the monitor and keeps the rows.
    #[must_use]
    pub fn into_replica(self) -> Replica {
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

    pub(super) async fn start(client: Client, request: &MonitorRequest) -> Result<Self, Error> {
        let schema = client.get_schema(request.database()).await?;
        let replica = Replica::new(&schema, request)?;
        let updates = client.link().subscribe();
        let mut monitor = Self {
            client,
            updates: Ok(updates),
            initial: None,
            replica,
            last_transaction: None,
        };
        for method in [Method::CondSince, Method::Cond, Method::Plain] {
            match monitor.start_with(method).await {
                Err(error) if error.is_unknown_method() && method != Method::Plain => {
                    debug!(method = method.name(), "not known to the server");
                }
                result => {
                    result?;
                    break;
                }
            }
        }
        Ok(monitor)
    }

    async fn start_with(&mut self, method: Method) -> Result<(), Error> {
        let updates = self.updates.as_mut().map_err(|error| error.clone())?;
        let id = updates.monitor();
        let tables = self.replica.tables().map(|table| {
            let columns: Vec<&str> = table.columns().collect();
            let request = json!([{ "columns": columns }]);
            (table.name().to_owned(), request)
        });
        let tables: Map<String, Value> = tables.collect();
        let mut params = vec![json!(self.replica.database()), json!(id), tables.into()];
        if method == Method::CondSince {
            params.push(json!(Uuid::ZERO));
        }
        let name = method.name();
        let result = self.client.call_patiently(name, &params, id).await?;
        updates.started();
        let rows = if method == Method::CondSince {
            let (_, last, rows): (bool, Uuid, TableUpdates) =
                JsonError::decode(&result).map_err(Error::json(name))?;
            self.last_transaction = Some(last);
            rows
        } else {
            JsonError::decode(&result).map_err(Error::json(name))?
        };
        self.initial = Some(self.replica.load(rows)?);
        Ok(())
    }

    fn apply(&mut self, method: &'static str, params: &[u8]) -> Result<Vec<RowChange>, Error> {
        let (last, updates) = if method == "update3" {
            let (_, last, updates): (IgnoredAny, Uuid, TableUpdates) =
                JsonError::decode(params).map_err(Error::json(method))?;
            (Some(last), updates)
        } else {
            let (_, updates): (IgnoredAny, TableUpdates) =
                JsonError::decode(params).map_err(Error::json(method))?;
            (None, updates)
        };
        let changes = self.replica.apply(updates)?;
        self.last_transaction = last.or(self.last_transaction);
        Ok(changes)
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
