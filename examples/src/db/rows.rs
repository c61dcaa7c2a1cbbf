//! What a database says of bridges, ports and interfaces.

use std::collections::{BTreeMap, HashMap};

use ovsdb_proto::monitor::MonitorRequest;
use ovsdb_proto::value::Uuid;
use serde::Deserialize;
use serde_json::Value;

use super::{RootRow, Server, Snapshot};
use crate::cli::Failure;

/// The bridges of a switch with all that is below them, at one moment.
pub(crate) struct Bridges {
    /// The release of Open vSwitch, if it is written down.
    pub(crate) ovs_version: Option<String>,
    pub(crate) rows: Vec<BridgeRow>,
    ports: HashMap<Uuid, PortRow>,
    interfaces: HashMap<Uuid, InterfaceRow>,
    mirrors: HashMap<Uuid, MirrorRow>,
}

#[derive(Deserialize)]
pub(crate) struct BridgeRow {
    pub(crate) name: String,
    ports: Vec<Uuid>,
    pub(crate) datapath_type: String,
    pub(crate) controller: Vec<Uuid>,
    pub(crate) fail_mode: Option<String>,
    mirrors: Vec<Uuid>,
    pub(crate) sflow: Option<Uuid>,
    pub(crate) ipfix: Option<Uuid>,
    pub(crate) stp_enable: bool,
    pub(crate) rstp_enable: bool,
}

#[derive(Deserialize)]
pub(crate) struct PortRow {
    #[serde(rename = "_uuid")]
    pub(crate) uuid: Uuid,
    pub(crate) name: String,
    pub(crate) interfaces: Vec<Uuid>,
    pub(crate) other_config: HashMap<String, String>,
    pub(crate) external_ids: HashMap<String, String>,
    pub(crate) vlan_mode: Option<String>,
    pub(crate) tag: Option<u16>,
    pub(crate) trunks: Vec<u16>,
    pub(crate) bond_mode: Option<String>,
    pub(crate) lacp: Option<String>,
    #[serde(flatten)]
    pub(crate) newer: Newer,
}

#[derive(Deserialize)]
pub(crate) struct MirrorRow {
    #[serde(rename = "_uuid")]
    uuid: Uuid,
    pub(crate) select_all: bool,
    pub(crate) select_src_port: Vec<Uuid>,
    pub(crate) select_dst_port: Vec<Uuid>,
    pub(crate) select_vlan: Vec<u16>,
    pub(crate) output_port: Option<Uuid>,
    pub(crate) output_vlan: Option<u16>,
    #[serde(flatten)]
    pub(crate) newer: Newer,
}

/// Columns that not every release has.
#[derive(Deserialize)]
pub(crate) struct Newer(BTreeMap<String, Value>);

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
    pub(crate) lacp_current: Option<bool>,
    pub(crate) external_ids: HashMap<String, String>,
}

impl Bridges {
    /// Reads them.
    ///
    /// # Errors
    /// As [`Snapshot::read`] and [`Snapshot::rows`].
    pub(crate) async fn read(server: &Server) -> Result<Self, Failure> {
        let bridge = [
            "name",
            "ports",
            "datapath_type",
            "controller",
            "fail_mode",
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
            "lacp_current",
            "external_ids",
        ];
        let request = MonitorRequest::new("Open_vSwitch")
            .table("Open_vSwitch", ["ovs_version"])
            .table("Bridge", bridge)
            .all_columns("Port")
            .all_columns("Mirror")
            .table("Interface", interface);
        let snapshot = Snapshot::read(server, &request).await?;
        let root: Vec<RootRow> = snapshot.rows("Open_vSwitch")?;
        Ok(Self {
            ovs_version: root.into_iter().find_map(|row| row.ovs_version),
            rows: snapshot.rows("Bridge")?,
            ports: by_uuid(snapshot.rows("Port")?, |row: &PortRow| row.uuid),
            interfaces: by_uuid(snapshot.rows("Interface")?, |row: &InterfaceRow| row.uuid),
            mirrors: by_uuid(snapshot.rows("Mirror")?, |row: &MirrorRow| row.uuid),
        })
    }

    /// The interfaces of a bridge, each with its port.
    pub(crate) fn interfaces(&self, bridge: &BridgeRow) -> impl Iterator<Item = (&PortRow, &InterfaceRow)> {
        self.ports(bridge)
            .flat_map(move |port| self.members(port).map(move |interface| (port, interface)))
    }

    /// The ports of a bridge.
    pub(crate) fn ports(&self, bridge: &BridgeRow) -> impl Iterator<Item = &PortRow> {
        bridge.ports.iter().filter_map(|uuid| self.ports.get(uuid))
    }

    /// The interfaces of a port.
    pub(crate) fn members(&self, port: &PortRow) -> impl Iterator<Item = &InterfaceRow> {
        port.interfaces
            .iter()
            .filter_map(|uuid| self.interfaces.get(uuid))
    }

    /// The mirrors of a bridge.
    pub(crate) fn mirrors(&self, bridge: &BridgeRow) -> impl Iterator<Item = &MirrorRow> {
        bridge.mirrors.iter().filter_map(|uuid| self.mirrors.get(uuid))
    }
}

impl Newer {
    /// The numbers of a set, which may be none or one.
    pub(crate) fn numbers(&self, column: &str) -> Vec<u16> {
        let atoms = match self.0.get(column) {
            Some(Value::Array(atoms)) => atoms.iter().collect(),
            atom => Vec::from_iter(atom),
        };
        let numbers = atoms.into_iter().filter_map(Value::as_u64);
        numbers.filter_map(|number| number.try_into().ok()).collect()
    }

    /// Whether a set has something.
    pub(crate) fn has(&self, column: &str) -> bool {
        let set = self.0.get(column);
        set.is_some_and(|value| value.as_array().is_none_or(|set| !set.is_empty()))
    }
}

fn by_uuid<T>(rows: Vec<T>, uuid: impl Fn(&T) -> Uuid) -> HashMap<Uuid, T> {
    rows.into_iter().map(|row| (uuid(&row), row)).collect()
}
