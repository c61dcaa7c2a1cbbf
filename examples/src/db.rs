//! Reading rows of a database.

pub(crate) mod rows;
mod server;

use ovsdb_proto::monitor::MonitorRequest;
use ovsdb_proto::replica::Replica;
use serde::Deserialize;

use crate::cli::{Failure, chain};

pub use self::server::{CertificateOption, Certificates, Server};

/// Rows of a database at one moment.
pub struct Snapshot<'a> {
    server: &'a Server,
    replica: Replica,
}

impl<'a> Snapshot<'a> {
    /// Reads what `request` asks for.
    ///
    /// # Errors
    /// [`Failure`]: the server cannot be reached or does not answer as it should.
    pub async fn read(server: &'a Server, request: &MonitorRequest) -> Result<Self, Failure> {
        let snapshot = server.connect().await?.snapshot(request).await;
        let replica = snapshot.map_err(|error| server.failed(error))?;
        Ok(Self { server, replica })
    }

    /// The rows of a table.
    ///
    /// # Errors
    /// [`Failure`] if a row is not a `T`.
    pub fn rows<T: for<'de> Deserialize<'de>>(&self, table: &str) -> Result<Vec<T>, Failure> {
        let failed =
            |error: &dyn std::error::Error| Failure::blind(format_args!("{}: {}", self.server, chain(error)));
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
pub async fn release(server: &Server) -> Result<Option<String>, Failure> {
    let request = MonitorRequest::new("Open_vSwitch").table("Open_vSwitch", ["ovs_version"]);
    let rows: Vec<RootRow> = Snapshot::read(server, &request).await?.rows("Open_vSwitch")?;
    Ok(rows.into_iter().find_map(|row| row.ovs_version))
}

#[derive(Deserialize)]
struct RootRow {
    ovs_version: Option<String>,
}
