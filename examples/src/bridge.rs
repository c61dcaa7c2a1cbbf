//! A bridge: its ports, as far as they decide what an output to them becomes.

mod forwarding;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use odp_actions::xlate::{
    self, BridgePort, Interface, OutKey, OvsVersion, Packet, Port, TunnelFields, TunnelKind, TunnelPort,
    Unpredictable,
};
use odp_actions::{Action, Actions, Key};
use ofp_codec::Port as OfPort;

use crate::cli::Failure;
use crate::db::Server;
use crate::db::rows::{BridgeRow, Bridges};

/// What the database says of a bridge.
#[derive(Clone, Debug)]
pub struct Bridge {
    /// Its name.
    pub name: String,
    /// The release of Open vSwitch, if the database has it.
    pub ovs: Option<OvsVersion>,
    /// The names of its interfaces by OpenFlow number.
    pub names: BTreeMap<OfPort, String>,
    /// Its ports and mirrors. The database has no datapath numbers, and sizes do not depend on them: all are 0.
    pub forwarding: xlate::Bridge,
    /// Settings of the bridge that add to every translation what is not modelled.
    pub hindrance: Option<String>,
    /// What to say of a port that is not among them; its number or name follows.
    pub absent: &'static str,
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
        let local = Ipv4Addr::new(192, 168, 0, 1);
        let tunnels = (1..).take(endpoints).map(|n: u32| {
            let remote = Ipv4Addr::from_bits(local.to_bits() + n);
            let tunnel = TunnelPort {
                local: Some(IpAddr::V4(local)),
                out_key: OutKey::Flow,
                ..TunnelPort::new(TunnelKind::Vxlan, IpAddr::V4(remote))
            };
            let name = format!("vxlan-{:08x}", remote.to_bits());
            (n + 1, name, Ok(Port::Tunnel { odp_port: 4, tunnel }))
        });
        let patch = (1, "patch-int".to_owned(), Err(Unpredictable::Patch));
        let (mut names, mut forwarding) = (BTreeMap::new(), xlate::Bridge::default());
        for (ofport, name, port) in [patch].into_iter().chain(tunnels) {
            names.insert(OfPort(ofport), name);
            forwarding.ports.push(BridgePort::new(Interface {
                ofport,
                port,
                floods: true,
            }));
        }
        Self {
            name: "br-tun".to_owned(),
            ovs: Some(OvsVersion::new(2, 5)),
            names,
            forwarding,
            hindrance: None,
            absent: "the example has no port",
        }
    }

    /// A bridge of which nothing is known.
    pub fn unknown() -> Self {
        Self {
            name: String::new(),
            ovs: None,
            names: BTreeMap::new(),
            forwarding: xlate::Bridge::default(),
            hindrance: None,
            absent: "without --db nothing is known of port",
        }
    }

    /// The flow of that deployment that floods a broadcast of one network to every endpoint, as `ovs-ofctl` prints it.
    pub fn incident_flow(&self) -> String {
        let outputs: Vec<_> = self
            .names
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
    pub async fn read(server: &Server, name: Option<&str>) -> Result<Self, Failure> {
        let bridges = Self::read_all(server).await?;
        choose(bridges, name).map_err(|text| Failure::blind(format_args!("{server}: {text}")))
    }

    /// Reads the bridges of a database.
    ///
    /// # Errors
    /// [`Failure`]: the server cannot be reached or does not answer as it should.
    pub async fn read_all(server: &Server) -> Result<Vec<Self>, Failure> {
        let bridges = Bridges::read(server).await?;
        let ovs = bridges.ovs_version.as_ref();
        let ovs = ovs.and_then(|version| version.parse().ok());
        Ok(bridges
            .rows
            .iter()
            .map(|row| Self::of_row(row, ovs, &bridges))
            .collect())
    }

    fn of_row(row: &BridgeRow, ovs: Option<OvsVersion>, bridges: &Bridges) -> Self {
        let hindrance = [
            (
                bridges.mirrors(row).any(|mirror| mirror.newer.has("filter")),
                "a mirror has a filter",
            ),
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
        let names = bridges
            .interfaces(row)
            .filter_map(|(_, interface)| Some((forwarding::of_port(interface)?, interface.name.clone())));
        Self {
            name: row.name.clone(),
            ovs,
            names: names.collect(),
            forwarding: forwarding::of_row(row, bridges),
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
            .interfaces()
            .filter_map(|interface| interface.port.as_ref().ok())
            .collect();
        let tunnels = ports.iter().any(|port| matches!(port, Port::Tunnel { .. }));
        let endpoints = ports
            .into_iter()
            .filter(|port| !tunnels || matches!(port, Port::Tunnel { .. }));
        let mut shapes: Vec<(usize, Actions)> = endpoints
            .filter_map(|port| {
                let key = match port {
                    Port::Plain { .. } | Port::Patch(_) => None,
                    Port::Tunnel { tunnel, .. } => Some(
                        tunnel
                            .metadata(ovs, &TunnelFields::default(), packet.ip_tos)
                            .ok()
                            .map(Key::Tunnel)?,
                    ),
                };
                let set = key.map(Action::Set);
                let output = Action::Output(port.odp_port()?);
                let actions: Actions = set.into_iter().chain([output]).collect();
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
        self.names
            .iter()
            .find(|(_, interface)| *interface == name)
            .map(|(port, _)| *port)
    }

    /// Whether one of its ports is a tunnel whose output can be told.
    pub fn has_tunnels(&self) -> bool {
        self.interfaces()
            .any(|interface| matches!(interface.port, Ok(Port::Tunnel { .. })))
    }

    /// Its interfaces.
    pub fn interfaces(&self) -> impl Iterator<Item = &Interface> {
        self.forwarding.ports.iter().flat_map(|port| &port.interfaces)
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

/// What a switch that does not say its release is taken for. No later release changed what these tools model.
pub const NEWEST: OvsVersion = OvsVersion::new(4, 0);
