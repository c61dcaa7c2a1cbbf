//! Ports of a datapath or a bridge that no row of the database explains.

use std::collections::{BTreeMap, HashSet};

use ofp_codec::Port as Number;
use ofp_codec::wire::PortDesc;

use super::{Datapath, Listed, Port, Vport};
use crate::kernel::DATAPATH;

/// The ports of the datapath whose name no interface has.
pub(super) fn of_datapath(
    ports: &[Port],
    vports: &BTreeMap<Vec<u8>, Vport>,
    netdevs: &HashSet<String>,
) -> Vec<Port> {
    let rows: HashSet<&[u8]> = ports.iter().map(|port| port.interface.as_bytes()).collect();
    let datapath = DATAPATH.to_string_lossy();
    let strays = vports.iter().filter(|(name, _)| !rows.contains(name.as_slice()));
    let strays = strays.map(|(name, vport)| Port {
        vport: Some(*vport),
        ..stray(&datapath, &String::from_utf8_lossy(name), Datapath::Kernel)
    });
    // The datapath's own port has its name.
    let strays = strays.filter(|stray| stray.interface != datapath && !is_shared(&stray.interface, ports));
    strays
        .map(|stray| Port {
            netdev: netdevs.contains(&stray.interface),
            ..stray
        })
        .collect()
}

/// The OpenFlow ports of a bridge whose number and name no interface of it has.
pub(super) fn of_bridge(bridge: &str, ports: &[&Port], list: &[PortDesc]) -> Vec<Port> {
    let explains = |port: &Port, there: &PortDesc| match port.number() {
        Some(number) => number == there.port,
        None => port.is_named(there),
    };
    let datapath = ports.first().map_or(Datapath::Userspace, |port| port.datapath);
    let strays = list.iter().filter(|there| {
        !ports
            .iter()
            .any(|port| explains(port, there) || port.is_named(there))
    });
    strays
        .map(|there| Port {
            ofport: Some(text_number(there.port)),
            openflow: Some(Listed::Present),
            ..stray(bridge, &there.name, datapath)
        })
        .collect()
}

/// Tunnels of one kind share a port, which is made for the first of them: `vxlan_sys_4789`, `genev_sys_6081`.
fn is_shared(name: &str, ports: &[Port]) -> bool {
    name.split_once("_sys")
        .is_some_and(|(kind, _)| ports.iter().any(|port| port.kind.starts_with(kind)))
}

/// As the database would have it.
fn text_number(port: Number) -> i64 {
    match port {
        Number::LOCAL => LOCAL,
        port => port.0.into(),
    }
}

/// Something of which nothing but the name is known.
fn stray(bridge: &str, name: &str, datapath: Datapath) -> Port {
    Port {
        uuid: None,
        bridge: bridge.to_owned(),
        port: name.to_owned(),
        interface: name.to_owned(),
        kind: String::new(),
        datapath,
        bonded: false,
        transient: false,
        iface_id: None,
        owned: false,
        down: false,
        ofport: None,
        error: None,
        netdev: false,
        vport: None,
        openflow: None,
    }
}

const LOCAL: i64 = 65534;
