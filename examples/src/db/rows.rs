//! What a database says of bridges, ports and interfaces.

use std::collections::HashMap;

use ovsdb_proto::client::Remote;
use ovsdb_proto::monitor::MonitorRequest;
use ovsdb_proto::value::Uuid;
use serde::Deserialize;

use super::{RootRow, Snapshot};
use crate::cli::Failure;

/// The bridges of a switch with all that is below them, at one moment.
pub(crate) struct Bridges {
    /// The release of Open vSwitch, if it is written down.
    pub(crate) ovs_version: Option<String>,
    pub(crate) rows: Vec<BridgeRow>,
    ports: HashMap<Uuid, PortRow>,
    interfaces: HashMap<Uuid, InterfaceRow>,
}

#[derive(Deserialize)]
pub(crate) struct BridgeRow {
    pub(crate) name: String,
    ports: Vec<Uuid>,
    pub(crate) datapath_type: String,
    pub(crate) mirrors: Vec<Uuid>,
    pub(crate) sflow: Option<Uuid>,
    pub(crate) ipfix: Option<Uuid>,
    pub(crate) stp_enable: bool,
    pub(crate) rstp_enable: bool,
}

#[derive(Deserialize)]
pub(crate) struct PortRow {
    #[serde(rename = "_uuid")]
    uuid: Uuid,
    pub(crate) name: String,
    pub(crate) interfaces: Vec<Uuid>,
    pub(crate) other_config: HashMap<String, String>,
}

#[derive(Deserialize)]
pub(crate) struct InterfaceRow {
    #[serde(rename = "_uuid")]
    pub(crate) uuid: Uuid,
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) options: HashMap<String, String>,
    pub(crate) ofport: Option<i64>,
    pub(crate) error: Option<String>,
    pub(crate) admin_state: Option<String>,
    pub(crate) external_ids: HashMap<String, String>,
}

impl Bridges {
    /// Reads them.
    ///
    /// # Errors
    /// As [`Snapshot::read`] and [`Snapshot::rows`].
    pub(crate) async fn read(remote: &Remote) -> Result<Self, Failure> {
        let bridge = [
            "name",
            "ports",
            "datapath_type",
            "mirrors",
            "sflow",
            "ipfix",
            "stp_enable",
            "rstp_enable",
        ];
        let interface = [
            "name",
            "type",
            "options",
            "ofport",
            "error",
            "admin_state",
            "external_ids",
        ];
        let request = MonitorRequest::new("Open_vSwitch")
            .table("Open_vSwitch", ["ovs_version"])
            .table("Bridge", bridge)
            .table("Port", ["name", "interfaces", "other_config"])
            .table("Interface", interface);
        let snapshot = Snapshot::read(remote, &request).await?;
        let root: Vec<RootRow> = snapshot.rows("Open_vSwitch")?;
        Ok(Self {
            ovs_version: root.into_iter().find_map(|row| row.ovs_version),
            rows: snapshot.rows("Bridge")?,
            ports: by_uuid(snapshot.rows("Port")?, |row: &PortRow| row.uuid),
            interfaces: by_uuid(snapshot.rows("Interface")?, |row: &InterfaceRow| row.uuid),
        })
    }

    /// The interfaces of a bridge, each with its port.
    pub(crate) fn interfaces(&self, bridge: &BridgeRow) -> impl Iterator<Item = (&PortRow, &InterfaceRow)> {
        let ports = bridge.ports.iter().filter_map(|uuid| self.ports.get(uuid));
        ports.flat_map(move |port| {
            let interfaces = port.interfaces.iter();
            interfaces.filter_map(move |uuid| Some((port, self.interfaces.get(uuid)?)))
        })
    }
}

fn by_uuid<T>(rows: Vec<T>, uuid: impl Fn(&T) -> Uuid) -> HashMap<Uuid, T> {
    rows.into_iter().map(|row| (uuid(&row), row)).collect()
}
