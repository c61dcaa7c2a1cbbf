//! Reading rows of a database.

pub(crate) mod rows;

use std::path::PathBuf;

use ovsdb_proto::client::{Client, Error, Remote};
use ovsdb_proto::monitor::MonitorRequest;
use ovsdb_proto::replica::Replica;
use serde::Deserialize;

use crate::cli::{Failure, chain};

/// The database of this host's switch, where distributions have it.
///
/// # Errors
/// None: the address is a valid one.
pub fn of_this_host() -> Result<Remote, Failure> {
    format!("unix:{RUNDIR}/db.sock").parse().map_err(Failure::blind)
}

/// Where the sockets of the switch are: beside that of its database, or where distributions have them.
pub fn directory(remote: &Remote) -> PathBuf {
    match remote {
        Remote::Unix(socket) => socket.parent().map(PathBuf::from).unwrap_or_default(),
        _ => RUNDIR.into(),
    }
}

/// What an error of a connection to this server is.
pub fn failed(remote: &Remote) -> impl Fn(Error) -> Failure {
    move |error| match error {
        // These name it already.
        Error::Connect { .. } | Error::ConnectTimeout { .. } => Failure::blind(chain(&error)),
        error => Failure::blind(format_args!("{remote}: {}", chain(&error))),
    }
}

/// Rows of a database at one moment.
pub struct Snapshot<'a> {
    remote: &'a Remote,
    replica: Replica,
}

impl<'a> Snapshot<'a> {
    /// Reads what `request` asks for.
    ///
    /// # Errors
    /// [`Failure`]: the server cannot be reached or does not answer as it should.
    pub async fn read(remote: &'a Remote, request: &MonitorRequest) -> Result<Self, Failure> {
        let failed = failed(remote);
        let client = Client::connect(remote).await.map_err(&failed)?;
        let replica = client.snapshot(request).await.map_err(&failed)?;
        Ok(Self { remote, replica })
    }

    /// The rows of a table.
    ///
    /// # Errors
    /// [`Failure`] if a row is not a `T`.
    pub fn rows<T: for<'de> Deserialize<'de>>(&self, table: &str) -> Result<Vec<T>, Failure> {
        let failed =
            |error: &dyn std::error::Error| Failure::blind(format_args!("{}: {}", self.remote, chain(error)));
        self.replica
            .rows(table)
            .map_err(|error| failed(&error))?
            .collect::<Result<_, _>>()
            .map_err(|error| failed(&error))
    }
}

/// The release of Open vSwitch that a switch has written down, if it has.
///
/// # Errors
/// As [`Snapshot::read`].
pub async fn release(remote: &Remote) -> Result<Option<String>, Failure> {
    let request = MonitorRequest::new("Open_vSwitch").table("Open_vSwitch", ["ovs_version"]);
    let rows: Vec<RootRow> = Snapshot::read(remote, &request).await?.rows("Open_vSwitch")?;
    Ok(rows.into_iter().find_map(|row| row.ovs_version))
}

#[derive(Deserialize)]
struct RootRow {
    ovs_version: Option<String>,
}

const RUNDIR: &str = "/run/openvswitch";
