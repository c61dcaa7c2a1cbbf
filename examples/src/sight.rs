//! The ports of a switch, and where they are found: what database, kernel and bridges say at one moment.

use std::collections::{BTreeMap, HashSet};
use std::fs;

use netlink_genl::Error;
use ovsdb_proto::value::Uuid;

use crate::cli::{Failure, chain};
use crate::db::Server;
use crate::db::rows::{BridgeRow, Bridges, InterfaceRow, PortRow};
use crate::kernel::{self, DATAPATH};

pub use self::openflow::Listed;

mod openflow;
mod strays;

/// The ports, and where they were found.
#[derive(Clone, Debug)]
pub struct Sight {
    /// By bridge, port and interface; then what has no row.
    pub ports: Vec<Port>,
    /// What somebody needs and could not be read: the ports of the kernel's datapaths, those of a bridge.
    pub unseen: Vec<String>,
}

/// An interface of a port: most ports have one, bonds more. Or what looks like one, and the database does not have.
#[derive(Clone, Debug)]
pub struct Port {
    /// Of the interface's row; `None`: it has none.
    pub uuid: Option<Uuid>,
    /// The name of its bridge; of a datapath's port without a row that of the datapath.
    pub bridge: String,
    /// The port's name.
    pub port: String,
    /// The interface's name, which is that of its device.
    pub interface: String,
    /// The interface's type.
    pub kind: String,
    /// What forwards for its bridge.
    pub datapath: Datapath,
    /// The port has other interfaces, too.
    pub bonded: bool,
    /// `other_config:transient=true`.
    pub transient: bool,
    /// `external_ids:iface-id`.
    pub iface_id: Option<String>,
    /// Somebody has written down whose it is.
    pub owned: bool,
    /// The switch sees its device down.
    pub down: bool,
    /// The number that the switch gave it; -1 if it could not open it.
    pub ofport: Option<i64>,
    /// Why the switch could not open it.
    pub error: Option<String>,
    /// Whether this namespace has a network device of the name.
    pub netdev: bool,
    /// What the datapath says of it, if it was asked.
    pub vport: Option<Vport>,
    /// What its bridge says of it, if it was asked.
    pub openflow: Option<Listed>,
}

/// A port in the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vport {
    /// There is none of this name.
    Absent,
    /// There is one.
    Present {
        /// Its number in the datapath.
        number: u32,
        /// Its device is in another namespace.
        away: bool,
    },
}

/// What forwards for a bridge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Datapath {
    /// The kernel.
    Kernel,
    /// `ovs-vswitchd` itself, with real devices.
    Userspace,
    /// A datapath of tests, whose devices need not exist.
    Dummy,
}

impl Sight {
    /// Looks at all bridges, of which `only` is the one that counts.
    ///
    /// # Errors
    /// [`Failure`]: the database cannot be read, or has no such bridge.
    pub async fn take(server: &Server, only: Option<&str>) -> Result<Self, Failure> {
        let netdevs = netdevs()?;
        let vports = vports();
        let bridges = Bridges::read(server).await?;
        if let Some(name) = only {
            if !bridges.rows.iter().any(|bridge| bridge.name == name) {
                return Err(Failure::blind(format_args!("{server}: no bridge {name}")));
            }
        }
        let mut found = Vec::new();
        for bridge in &bridges.rows {
            for (port, row) in bridges.interfaces(bridge) {
                found.push(Port::of_row(row, bridge, port, &netdevs, vports.as_ref().ok()));
            }
        }
        found.sort_by(|a, b| (&a.bridge, &a.port, &a.interface).cmp(&(&b.bridge, &b.port, &b.interface)));
        let wanted = |port: &&Port| only.is_none_or(|name| name == port.bridge);
        let needed = found
            .iter()
            .filter(wanted)
            .any(|port| port.datapath == Datapath::Kernel);
        if let Ok(vports) = &vports {
            let strays = strays::of_datapath(&found, vports, &netdevs);
            found.extend(strays);
        }
        Ok(Self {
            ports: found,
            unseen: vports
                .err()
                .filter(|_| needed)
                .map(|error| format!("the ports of the datapath are not known: {}", chain(&error)))
                .into_iter()
                .collect(),
        })
    }
}

impl Port {
    /// Whether its network device is there; `None`: it need not be.
    pub fn has_netdev(&self) -> Option<bool> {
        let away = self.is_away();
        let wanted = match self.kind.as_str() {
            "" | "system" | "tap" => self.datapath != Datapath::Dummy,
            "internal" => self.datapath == Datapath::Kernel,
            _ => false,
        };
        (self.netdev || wanted && !away).then_some(self.netdev)
    }

    /// Whether its device is known to be in another namespace.
    pub fn is_away(&self) -> bool {
        matches!(self.vport, Some(Vport::Present { away: true, .. }))
    }

    /// Whether the datapath has a port of its name; `None`: it need not, or could not be asked. Tunnels of one kind
    /// share one, patch ports have none.
    pub fn has_vport(&self) -> Option<bool> {
        let there = self.vport? != Vport::Absent;
        let wanted = matches!(self.kind.as_str(), "" | "system" | "tap" | "internal");
        (there || wanted).then_some(there)
    }

    /// Whether its bridge has it among its OpenFlow ports, if it was asked.
    pub fn is_listed(&self) -> Option<bool> {
        self.openflow.as_ref().map(|listed| *listed == Listed::Present)
    }

    fn of_row(
        row: &InterfaceRow,
        bridge: &BridgeRow,
        port: &PortRow,
        netdevs: &HashSet<String>,
        vports: Option<&BTreeMap<Vec<u8>, Vport>>,
    ) -> Self {
        let datapath = match bridge.datapath_type.as_str() {
            "" | "system" => Datapath::Kernel,
            "dummy" => Datapath::Dummy,
            _ => Datapath::Userspace,
        };
        let vports = vports.filter(|_| datapath == Datapath::Kernel);
        Self {
            uuid: Some(row.uuid),
            bridge: bridge.name.clone(),
            port: port.name.clone(),
            interface: row.name.clone(),
            kind: row.kind.clone(),
            datapath,
            bonded: port.interfaces.len() > 1,
            transient: port
                .other_config
                .get("transient")
                .is_some_and(|value| value == "true"),
            iface_id: row.external_ids.get("iface-id").cloned(),
            owned: !row.external_ids.is_empty(),
            down: row.admin_state.as_deref() == Some("down"),
            ofport: row.ofport,
            error: row.error.clone(),
            netdev: netdevs.contains(&row.name),
            vport: vports.map(|vports| vports.get(row.name.as_bytes()).copied().unwrap_or(Vport::Absent)),
            openflow: None,
        }
    }
}

/// The network devices of this process's namespace.
fn netdevs() -> Result<HashSet<String>, Failure> {
    let text =
        fs::read_to_string(NETDEVS).map_err(|error| Failure::blind(format_args!("{NETDEVS}: {error}")))?;
    // A name has neither colons nor white space.
    let names = text.lines().filter_map(|line| line.split_once(':'));
    Ok(names.map(|(name, _)| name.trim().to_owned()).collect())
}

/// The ports of the datapath of `ovs-vswitchd` by name; none if there is no such datapath.
fn vports() -> Result<BTreeMap<Vec<u8>, Vport>, Error> {
    let mut datapaths = kernel::datapaths()?.into_iter();
    let ports = datapaths.find(|(datapath, _)| datapath.name.as_c_str() == DATAPATH);
    Ok(ports
        .into_iter()
        .flat_map(|(_, ports)| ports)
        .map(|port| {
            let present = Vport::Present {
                number: port.port_no,
                away: port.netnsid.is_some(),
            };
            (port.name.into_bytes(), present)
        })
        .collect())
}

const NETDEVS: &str = "/proc/self/net/dev";
