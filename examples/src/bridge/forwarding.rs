//! Ports and mirrors, from rows to what a translation reads.

use odp_actions::xlate::{
    Bond, BondMode, Bridge, BridgePort, FlowAction, Interface, Lacp, Mirror, MirrorOutput, Peer, Port,
    PriorityTags, Unpredictable, VlanMode,
};
use ofp_codec::Port as OfPort;

use crate::db::rows::{BridgeRow, Bridges, InterfaceRow, MirrorRow, PortRow};

/// How a bridge forwards; `peer` knows the other ends of patch ports, and `actions` is what its flows do with what comes by
/// one.
pub(super) fn of_row(
    row: &BridgeRow,
    bridges: &Bridges,
    peer: &dyn Fn(&str) -> Option<Peer>,
    actions: Option<Vec<FlowAction>>,
) -> Bridge {
    let rows: Vec<_> = bridges.ports(row).collect();
    Bridge {
        ports: rows.iter().map(|row| port(row, bridges, peer)).collect(),
        is_in_order: false,
        mirrors: bridges
            .mirrors(row)
            .filter_map(|row| mirror(row, &rows))
            .collect(),
        actions,
    }
}

/// The number of an interface, if the switch could open it: -1 says that it could not.
pub(super) fn of_port(row: &InterfaceRow) -> Option<OfPort> {
    u32::try_from(row.ofport?).ok().map(OfPort::from_text_number)
}

fn port(row: &PortRow, bridges: &Bridges, peer: &dyn Fn(&str) -> Option<Peer>) -> BridgePort {
    let setting = |name: &str| row.other_config.get(name).map(String::as_str);
    BridgePort {
        interfaces: bridges
            .members(row)
            .filter_map(|row| interface(row, peer))
            .collect(),
        bond: Bond {
            mode: match row.bond_mode.as_deref() {
                Some("balance-slb") => BondMode::BalanceSlb,
                Some("balance-tcp") => BondMode::BalanceTcp,
                _ => BondMode::ActiveBackup,
            },
            lacp: lacp(row, bridges),
            hash_basis: setting("bond-hash-basis")
                .and_then(|basis| basis.parse().ok())
                .unwrap_or(0),
            lb_output: setting("lb-output-action") == Some("true"),
        },
        vlan: VlanMode::of_port(
            row.vlan_mode.as_deref(),
            row.tag,
            row.trunks.clone(),
            row.newer.numbers("cvlans"),
            setting("qinq-ethtype"),
        ),
        priority_tags: setting("priority-tags")
            .map(PriorityTags::of_text)
            .unwrap_or_default(),
    }
}

/// What the interfaces say of the other side.
fn lacp(row: &PortRow, bridges: &Bridges) -> Lacp {
    if !matches!(row.lacp.as_deref(), Some("active" | "passive")) {
        return Lacp::Off;
    }
    let current: Vec<_> = bridges
        .members(row)
        .map(|interface| interface.lacp_current)
        .collect();
    if current.iter().all(|is| *is == Some(true)) {
        Lacp::Negotiated
    } else if current.iter().all(|is| *is == Some(false)) {
        Lacp::Pending {
            falls_back: row
                .other_config
                .get("lacp-fallback-ab")
                .is_some_and(|is| is == "true"),
        }
    } else {
        Lacp::Unknown
    }
}

fn interface(row: &InterfaceRow, peer: &dyn Fn(&str) -> Option<Peer>) -> Option<Interface> {
    let port = match (of_interface(row), peer(&row.name)) {
        (Err(Unpredictable::Patch), Some(peer)) => Ok(Port::Patch(peer)),
        (port, _) => port,
    };
    Some(Interface {
        ofport: of_port(row)?.0,
        port,
        // The database does not have this setting.
        floods: true,
    })
}

/// What an output to an interface becomes. The database has no datapath numbers, and sizes do not depend on them.
pub(super) fn of_interface(row: &InterfaceRow) -> Result<Port, Unpredictable> {
    let options = row.options.iter();
    Port::of_interface(
        &row.kind,
        0,
        options.map(|(name, value)| (name.as_str(), value.as_str())),
    )
}

/// With ports by their place in the bridge; nothing of a mirror without an output.
fn mirror(row: &MirrorRow, ports: &[&PortRow]) -> Option<Mirror> {
    let place = |port| ports.iter().position(|row| row.uuid == port);
    let selected = |selected: &[_]| match row.select_all {
        true => (0..ports.len()).collect(),
        false => selected.iter().filter_map(|port| place(*port)).collect(),
    };
    Some(Mirror {
        sources: selected(&row.select_src_port),
        destinations: selected(&row.select_dst_port),
        vlans: row.select_vlan.clone(),
        output: match (row.output_port, row.output_vlan) {
            (Some(port), _) => MirrorOutput::Port(place(port)?),
            (None, vlan) => MirrorOutput::Vlan(vlan?),
        },
        has_filter: row.newer.has("filter"),
        snaplen: row.newer.numbers("snaplen").first().copied(),
    })
}
