//! A bridge: its ports, as far as they decide what an output to them becomes.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use odp_actions::xlate::{OutKey, OvsVersion, Packet, Port, TunnelKind, TunnelPort, Unpredictable};
use odp_actions::{Action, Actions, Key};
use ofp_codec::Port as OfPort;
use ovsdb_proto::client::Remote;

use crate::cli::Failure;
use crate::db::rows::{BridgeRow, Bridges, InterfaceRow};

/// What the database says of a bridge.
#[derive(Clone, Debug)]
pub struct Bridge {
    /// Its name.
    pub name: String,
    /// The release of Open vSwitch, if the database has it.
    pub ovs: Option<OvsVersion>,
    /// Its ports by OpenFlow number.
    pub ports: BTreeMap<OfPort, Interface>,
    /// Settings of the bridge that add to every translation what is not modelled.
    pub hindrance: Option<String>,
    /// What to say of a port that is not among them; its number or name follows.
    pub absent: &'static str,
}

/// A port of a bridge.
#[derive(Clone, Debug)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// What an output to it becomes, or why that cannot be said.
    pub port: Result<Port, Unpredictable>,
}

/// What each endpoint adds to a flooded packet's actions.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The actions of one: its tunnel metadata and the output, or the output alone where there are no tunnels.
    pub actions: Actions,
    /// How many ports are endpoints.
    pub count: usize,
    /// How many of them have exactly this size; the others have less.
    pub same: usize,
}

impl Bridge {
    /// The deployment of the incident: OpenStack's `br-tun` with VXLAN, `local_ip`, `key=flow`, `df_default=true`, on
    /// Open vSwitch 2.5.0.
    pub fn incident(endpoints: usize) -> Self {
        let patch = Interface {
            name: "patch-int".to_owned(),
            port: Err(Unpredictable::Patch),
        };
        let local = Ipv4Addr::new(192, 168, 0, 1);
        let tunnels = (1..).take(endpoints).map(|n: u32| {
            let remote = Ipv4Addr::from_bits(local.to_bits() + n);
            let tunnel = TunnelPort {
                local: Some(IpAddr::V4(local)),
                out_key: OutKey::Flow,
                ..TunnelPort::new(TunnelKind::Vxlan, IpAddr::V4(remote))
            };
            let name = format!("vxlan-{:08x}", remote.to_bits());
            (
                OfPort(n + 1),
                Interface {
                    name,
                    port: Ok(Port::Tunnel { odp_port: 4, tunnel }),
                },
            )
        });
        Self {
            name: "br-tun".to_owned(),
            ovs: Some(OvsVersion::new(2, 5)),
            ports: [(OfPort(1), patch)].into_iter().chain(tunnels).collect(),
            hindrance: None,
            absent: "the example has no port",
        }
    }

    /// A bridge of which nothing is known.
    pub fn unknown() -> Self {
        Self {
            name: String::new(),
            ovs: None,
            ports: BTreeMap::new(),
            hindrance: None,
            absent: "without --db nothing is known of port",
        }
    }

    /// The flow of that deployment that floods a broadcast of one network to every endpoint, as `ovs-ofctl` prints it.
    pub fn incident_flow(&self) -> String {
        let outputs: Vec<_> = self
            .ports
            .keys()
            .skip(1)
            .map(|port| format!("output:{port}"))
            .collect();
        format!(
            " cookie=0x0, duration=1.0s, table=22, n_packets=0, n_bytes=0, priority=1,dl_vlan=1 \
             actions=strip_vlan,load:0x1->NXM_NX_TUN_ID[],{}\n",
            outputs.join(",")
        )
    }

    /// Reads a bridge from a database. Without a name it takes the only bridge, or the only one with tunnels.
    ///
    /// # Errors
    /// As [`Bridge::read_all`], or there is no such bridge.
    pub async fn read(remote: &Remote, name: Option<&str>) -> Result<Self, Failure> {
        let bridges = Self::read_all(remote).await?;
        choose(bridges, name).map_err(|text| Failure::blind(format_args!("{remote}: {text}")))
    }

    /// Reads the bridges of a database.
    ///
    /// # Errors
    /// [`Failure`]: the server cannot be reached or does not answer as it should.
    pub async fn read_all(remote: &Remote) -> Result<Vec<Self>, Failure> {
        let bridges = Bridges::read(remote).await?;
        let ovs = bridges.ovs_version.as_ref();
        let ovs = ovs.and_then(|version| version.parse().ok());
        let of_row = |row| Self::of_row(row, ovs, bridges.interfaces(row).map(|(_, interface)| interface));
        Ok(bridges.rows.iter().map(of_row).collect())
    }

    fn of_row<'a>(
        row: &BridgeRow,
        ovs: Option<OvsVersion>,
        interfaces: impl Iterator<Item = &'a InterfaceRow>,
    ) -> Self {
        let hindrance = [
            (!row.mirrors.is_empty(), "a mirror adds outputs"),
            (row.sflow.is_some(), "sFlow adds an action"),
            (row.ipfix.is_some(), "IPFIX adds actions"),
            (
                row.stp_enable || row.rstp_enable,
                "spanning tree decides which ports forward",
            ),
            (
                row.datapath_type == "netdev",
                "the userspace datapath encapsulates by itself",
            ),
        ];
        let hindrance = hindrance
            .into_iter()
            .find(|(is, _)| *is)
            .map(|(_, why)| why.to_owned());
        Self {
            name: row.name.clone(),
            ovs,
            ports: interfaces
                .filter_map(|row| Some((of_port(row)?, Interface::of_row(row))))
                .collect(),
            hindrance,
            absent: "the database has no port",
        }
    }

    /// The largest share that one endpoint has in a flood of `packet`, under release `ovs`.
    ///
    /// Endpoints are the tunnel ports, or all ports of a bridge without tunnels. `None` if there are none whose
    /// translation can be told.
    pub fn endpoint(&self, ovs: OvsVersion, packet: Packet) -> Option<Endpoint> {
        let ports: Vec<&Port> = self
            .ports
            .values()
            .filter_map(|interface| interface.port.as_ref().ok())
            .collect();
        let tunnels = ports.iter().any(|port| matches!(port, Port::Tunnel { .. }));
        let endpoints = ports
            .into_iter()
            .filter(|port| !tunnels || matches!(port, Port::Tunnel { .. }));
        let mut shapes: Vec<(usize, Actions)> = endpoints
            .filter_map(|port| {
                let key = match port {
                    Port::Plain { .. } => None,
                    Port::Tunnel { tunnel, .. } => {
                        Some(tunnel.metadata(ovs, 0, packet.ip_tos).ok().map(Key::Tunnel)?)
                    }
                };
                let set = key.map(Action::Set);
                let actions: Actions = set.into_iter().chain([Action::Output(port.odp_port())]).collect();
                Some((actions.encoded_len().ok()?, actions))
            })
            .collect();
        let count = shapes.len();
        let largest = shapes.iter().map(|(bytes, _)| *bytes).max()?;
        shapes.retain(|(bytes, _)| *bytes == largest);
        let same = shapes.len();
        let (_, actions) = shapes.swap_remove(0);
        Some(Endpoint { actions, count, same })
    }

    /// What a flood has besides the endpoints: the flood flows of overlay networks strip the tag of the network first.
    pub fn once(&self) -> Actions {
        self.has_tunnels()
            .then_some(Action::PopVlan)
            .into_iter()
            .collect()
    }

    /// The port of this name.
    pub fn port_named(&self, name: &str) -> Option<OfPort> {
        self.ports
            .iter()
            .find(|(_, interface)| interface.name == name)
            .map(|(port, _)| *port)
    }

    /// Whether one of its ports is a tunnel whose output can be told.
    pub fn has_tunnels(&self) -> bool {
        self.ports
            .values()
            .any(|interface| matches!(interface.port, Ok(Port::Tunnel { .. })))
    }
}

fn choose(bridges: Vec<Bridge>, name: Option<&str>) -> Result<Bridge, String> {
    let names: Vec<_> = bridges.iter().map(|bridge| bridge.name.clone()).collect();
    let among = if names.is_empty() {
        "it has none".to_owned()
    } else {
        format!("it has {}", names.join(", "))
    };
    let (mut chosen, wrong): (Vec<Bridge>, _) = match name {
        Some(name) => (
            bridges.into_iter().filter(|bridge| bridge.name == name).collect(),
            format!("no bridge {name}"),
        ),
        None if names.len() == 1 => (bridges, String::new()),
        None => (
            bridges.into_iter().filter(Bridge::has_tunnels).collect(),
            "which bridge? name it by --bridge".into(),
        ),
    };
    match chosen.len() {
        1 => Ok(chosen.remove(0)),
        _ => Err(format!("{wrong}; {among}")),
    }
}

impl Interface {
    fn of_row(row: &InterfaceRow) -> Self {
        let options = row.options.iter();
        let options = options.map(|(name, value)| (name.as_str(), value.as_str()));
        // The database does not have datapath numbers. Sizes do not depend on them.
        Self {
            name: row.name.clone(),
            port: Port::of_interface(&row.kind, 0, options),
        }
    }
}

/// The number of an interface, if the switch could open it: -1 says that it could not.
fn of_port(row: &InterfaceRow) -> Option<OfPort> {
    u32::try_from(row.ofport?).ok().map(OfPort::from_text_number)
}

/// What a switch that does not say its release is taken for. No later release changed what these tools model.
pub const NEWEST: OvsVersion = OvsVersion::new(4, 0);
