//! Everyday changes of a switch's database.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use thiserror::Error;
use tokio::time::timeout;

use super::{Client, Error, TransactError};
use crate::monitor::MonitorRequest;
use crate::operation::{Condition, Function};
use crate::transaction::{Committed, Transaction};
use crate::value::{Set, Uuid};
use crate::vswitch::{self, DATABASE};

/// What `ovs-vsctl` does to a switch, on a [`Client`]: looks up what must be looked up, and
/// commits the transactions of [`vswitch`].
#[derive(Debug, Clone)]
pub struct Vswitch {
    client: Client,
}

/// Why a switch is not as it was to be.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum VswitchError {
    /// There is no such row.
    #[error("no {table} named {name}")]
    NotFound {
        /// Its table.
        table: &'static str,
        /// Its name.
        name: String,
    },
    /// The port of a bridge's own name goes only with the bridge.
    #[error("{name} is the local port of its bridge")]
    LocalPort {
        /// Its name.
        name: String,
    },
    /// The transaction was not committed, or may not have been.
    #[error(transparent)]
    Transact(#[from] TransactError),
    /// It was committed, but ovs-vswitchd has not done it, as far as is known.
    #[error("committed, but ovs-vswitchd has not answered")]
    Unconfirmed(#[source] Error),
}

/// What became of a transaction in ovs-vswitchd.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Configured {
    /// What the transaction gave; behind it, what asking ovs-vswitchd gave.
    pub committed: Committed,
    /// Interfaces, by name, that ovs-vswitchd could not set up, and why. Those of earlier
    /// transactions, too.
    pub failed: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Named {
    _uuid: Uuid,
    name: String,
}

impl Vswitch {
    /// The switch behind a connection.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// `del-port PORT`.
    ///
    /// # Errors
    ///
    /// [`VswitchError::NotFound`], [`VswitchError::LocalPort`]; else as [`Client::transact`].
    pub async fn del_port(&self, name: &str) -> Result<(), VswitchError> {
        if self.find("Bridge", name).await?.is_some() {
            let name = name.to_owned();
            return Err(VswitchError::LocalPort { name });
        }
        let port = self.find("Port", name).await?;
        let port = port.ok_or_else(|| not_found("Port", name))?;
        self.delete(&vswitch::del_port(port), "Port", name).await
    }

    /// `--if-exists del-port PORT`. False: there is none, or it is a bridge's own.
    ///
    /// # Errors
    ///
    /// As [`Client::transact`].
    pub async fn del_port_if_exists(&self, name: &str) -> Result<bool, VswitchError> {
        match self.del_port(name).await {
            Ok(()) => Ok(true),
            Err(VswitchError::NotFound { .. } | VswitchError::LocalPort { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// `del-br BRIDGE`.
    ///
    /// # Errors
    ///
    /// [`VswitchError::NotFound`]; else as [`Client::transact`].
    pub async fn del_br(&self, name: &str) -> Result<(), VswitchError> {
        let bridge = self.find("Bridge", name).await?;
        let bridge = bridge.ok_or_else(|| not_found("Bridge", name))?;
        self.delete(&vswitch::del_br(bridge), "Bridge", name).await
    }

    /// The names of the ports that are marked by `other_config:transient=true`.
    ///
    /// # Errors
    ///
    /// As [`Client::transact`].
    pub async fn transient_ports(&self) -> Result<Vec<String>, VswitchError> {
        let mut transaction = Transaction::new(DATABASE);
        let select = vswitch::select_transient_ports(&mut transaction);
        let committed = self.client.transact(&transaction).await?;
        // A row of another shape has no name.
        Ok(committed
            .read::<Named>(select)
            .flatten()
            .map(|port| port.name)
            .collect())
    }

    /// Commits a transaction, and waits until ovs-vswitchd has done what it says, as `ovs-vsctl`
    /// does it without `--no-wait`.
    ///
    /// # Errors
    ///
    /// [`VswitchError::Unconfirmed`] if ovs-vswitchd has not done it in time after the commit; else
    /// as [`Client::transact`].
    pub async fn configure(
        &self,
        transaction: &Transaction,
        within: Duration,
    ) -> Result<Configured, VswitchError> {
        #[derive(Deserialize)]
        struct Next {
            next_cfg: i64,
        }
        #[derive(Deserialize)]
        struct Current {
            cur_cfg: i64,
        }
        let mut transaction = transaction.clone();
        let select = vswitch::request_cfg(&mut transaction);
        let committed = self.client.transact(&transaction).await?;
        let Some(Ok(Next { next_cfg })) = committed.read(select).next() else {
            return Err(not_found("Open_vSwitch", "."));
        };
        let request = MonitorRequest::new(DATABASE)
            .table("Open_vSwitch", ["cur_cfg"])
            .table("Interface", ["name", "error", "ofport"])
            .rows_where(
                "Interface",
                [
                    Condition::new("error", Function::NotEqual, Set::default()),
                    Condition::equal("ofport", -1),
                ],
            );
        let done = async {
            let mut monitor = self.client.monitor(&request).await?;
            loop {
                monitor.next().await?;
                let done = |row: Result<Current, _>| row.is_ok_and(|row| row.cur_cfg >= next_cfg);
                if monitor.rows("Open_vSwitch")?.any(done) {
                    return Ok(monitor.into_replica());
                }
            }
        };
        let no_answer = Err(Error::Timeout {
            method: "cur_cfg",
            after: within,
        });
        let done = timeout(within, done).await.unwrap_or(no_answer);
        let replica = done.map_err(VswitchError::Unconfirmed)?;
        #[derive(Deserialize)]
        struct Interface {
            name: String,
            error: Option<String>,
        }
        let failed = replica.rows::<Interface>("Interface").map_err(Error::from);
        let failed = failed.map_err(VswitchError::Unconfirmed)?.flatten();
        let failed = failed.map(|row| (row.name, row.error.unwrap_or_else(|| "no ofport".to_owned())));
        Ok(Configured {
            committed,
            failed: failed.collect(),
        })
    }

    /// Commits the deletion of a row. Somebody else may be quicker: then the row that it requires is
    /// not there any more.
    async fn delete(
        &self,
        deletion: &Transaction,
        table: &'static str,
        name: &str,
    ) -> Result<(), VswitchError> {
        match self.client.transact(deletion).await {
            Ok(_) => Ok(()),
            Err(TransactError::Aborted(aborted)) if aborted.is_first_unmet() => Err(not_found(table, name)),
            Err(error) => Err(error.into()),
        }
    }

    async fn find(&self, table: &str, name: &str) -> Result<Option<Uuid>, VswitchError> {
        let mut transaction = Transaction::new(DATABASE);
        let select = transaction.select(table, [Condition::equal("name", name)], ["_uuid", "name"]);
        let committed = self.client.transact(&transaction).await?;
        Ok(committed
            .read::<Named>(select)
            .flatten()
            .map(|row| row._uuid)
            .next())
    }
}

fn not_found(table: &'static str, name: &str) -> VswitchError {
    let name = name.to_owned();
    VswitchError::NotFound { table, name }
}
