//! A bridge: its ports, as far as they decide what an output to them becomes.

mod elsewhere;
mod endpoint;
mod forwarding;
mod joined;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use odp_actions::xlate::{
    self, BridgePort, Interface, OutKey, OvsVersion, Port, TunnelKind, TunnelPort, Unpredictable,
};
use ofp_codec::Port as OfPort;

use crate::cli::Failure;
use crate::db::Server;
use crate::db::rows::{BridgeRow, Bridges};

pub(crate) use self::elsewhere::Elsewhere;
pub use self::endpoint::Endpoint;
use self::joined::Joined;

/// What the database says of a bridge.
#[derive(Clone, Debug)]
pub struct Bridge {
    /// Its name.
    pub name: String,
    /// The release of Open vSwitch, if the database has it.
    pub ovs: Option<OvsVersion>,
    /// The names of its interfaces by OpenFlow number.
    pub names: BTreeMap<OfPort, String>,
    /// Its ports and mirrors, and after them those of the bridges that patch ports join it with.
    pub(crate) forwarding: Vec<xlate::Bridge>,
    /// The names of those bridges.
    pub others: Vec<String>,
    /// Those of them that are taken to have no flow but the one that a bridge starts with, `NORMAL`.
    pub as_started: Vec<String>,
    /// Settings of the bridge that add to every translation what is not modelled.
    pub hindrance: Option<String>,
    /// Tunnel ports of the database that the switch has not taken up, nor refused.
    pub untaken: Vec<String>,
    /// Whether OVN made its tunnel ports.
    pub is_ovn: bool,
    /// Whether one of its tunnel ports may carry a group policy.
    pub has_policies: bool,
    /// What to say of a port that is not among them; its number or name follows.
    pub absent: &'static str,
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
            forwarding: vec![forwarding],
            absent: "the example has no port",
            ..Self::unknown()
        }
    }

    /// A bridge of which nothing is known.
    pub fn unknown() -> Self {
        Self {
            name: String::new(),
            ovs: None,
            names: BTreeMap::new(),
            forwarding: vec![xlate::Bridge::default()],
            others: Vec::new(),
            as_started: Vec::new(),
            hindrance: None,
            untaken: Vec::new(),
            is_ovn: false,
            has_policies: false,
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
            .enumerate()
            .map(|(at, row)| Self::of_row(at, row, ovs, &bridges))
            .collect())
    }

    fn of_row(at: usize, row: &BridgeRow, ovs: Option<OvsVersion>, bridges: &Bridges) -> Self {
        let Joined {
            forwarding,
            names: others,
            as_started,
        } = joined::from(at, bridges, &|row| hindrance(row, bridges));
        let names = bridges
            .interfaces(row)
            .filter_map(|(_, interface)| Some((forwarding::of_port(interface)?, interface.name.clone())));
        let tunnels = || {
            let interfaces = bridges.interfaces(row);
            interfaces.filter(|(_, row)| {
                let port = forwarding::of_interface(row);
                !matches!(port, Ok(Port::Plain { .. }) | Err(Unpredictable::Patch))
            })
        };
        Self {
            name: row.name.clone(),
            ovs,
            names: names.collect(),
            forwarding,
            others,
            as_started,
            hindrance: hindrance(row, bridges),
            untaken: tunnels()
                .filter(|(_, row)| row.ofport.is_none())
                .map(|(_, row)| row.name.clone())
                .collect(),
            is_ovn: tunnels().any(|(port, _)| port.external_ids.contains_key("ovn-chassis-id")),
            has_policies: tunnels().any(|(_, row)| row.options.get("exts").is_some_and(|exts| exts == "gbp")),
            absent: "the database has no port",
        }
    }

    /// The port of this name.
    pub fn port_named(&self, name: &str) -> Option<OfPort> {
        self.names
            .iter()
            .find(|(_, interface)| *interface == name)
            .map(|(port, _)| *port)
    }

    /// How it forwards itself.
    pub fn own(&self) -> &xlate::Bridge {
        &self.forwarding[0]
    }

    /// Its interfaces.
    pub fn interfaces(&self) -> impl Iterator<Item = &Interface> {
        self.own().ports.iter().flat_map(|port| &port.interfaces)
    }
}

/// What a bridge does besides that is not modelled.
fn hindrance(row: &BridgeRow, bridges: &Bridges) -> Option<String> {
    let hindrances = [
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
    let mut hindrances = hindrances.into_iter();
    hindrances.find(|(is, _)| *is).map(|(_, why)| why.to_owned())
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
pub const NEWEST: OvsVersion = OvsVersion::new(4, 0).at_patch(0);
