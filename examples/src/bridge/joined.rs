//! Bridges that patch ports join.

use std::collections::HashMap;

use odp_actions::xlate::{self, FlowAction, Peer};

use super::forwarding;
use crate::db::rows::{BridgeRow, Bridges};

/// A bridge, and those that a packet can come to from there.
pub(super) struct Joined {
    /// How they forward, the bridge itself first.
    pub(super) forwarding: Vec<xlate::Bridge>,
    /// The names of the others.
    pub(super) names: Vec<String>,
    /// Those of them that are taken to have the one flow that they start with.
    pub(super) as_started: Vec<String>,
}

/// The bridges that patch ports join with that at `start`. What stands in the way of a translation there, `hindrance` says.
pub(super) fn from(
    start: usize,
    bridges: &Bridges,
    hindrance: &dyn Fn(&BridgeRow) -> Option<String>,
) -> Joined {
    let ends = ends(bridges);
    let far_end = |name: &str| {
        let (at, end) = ends.get(name)?;
        let (far, other) = ends.get(end.peer.as_str())?;
        // Each names the other, and both are of one datapath.
        let is_pair = other.peer == name && kind(&bridges.rows[*at]) == kind(&bridges.rows[*far]);
        is_pair.then_some((*far, other.ofport))
    };
    let mut places = vec![start];
    let mut next = 0;
    while let Some(at) = places.get(next).copied() {
        let names = bridges.interfaces(&bridges.rows[at]);
        let mut found: Vec<_> = names
            .filter_map(|(_, row)| far_end(&row.name))
            .map(|(far, _)| far)
            .collect();
        // Whatever the order of the rows.
        found.sort_by_key(|far| &bridges.rows[*far].name);
        found.retain(|far| !places.contains(far));
        found.dedup();
        places.extend(found);
        next += 1;
    }
    let peer = |name: &str| {
        let (far, ofport) = far_end(name)?;
        let bridge = places.iter().position(|place| *place == far)?;
        Some(Peer { bridge, ofport })
    };
    let rows: Vec<_> = places.iter().map(|place| &bridges.rows[*place]).collect();
    let is_as_started = |row: &&BridgeRow| {
        let standalone = row.controller.is_empty() && row.fail_mode.as_deref() != Some("secure");
        standalone && hindrance(row).is_none()
    };
    let (_, others) = rows.split_first().unwrap_or((&rows[0], &[]));
    Joined {
        forwarding: rows
            .iter()
            .enumerate()
            .map(|(place, row)| {
                let normal = place > 0 && is_as_started(row);
                let actions = normal.then(|| vec![FlowAction::Normal]);
                forwarding::of_row(row, bridges, &peer, actions)
            })
            .collect(),
        names: others.iter().map(|row| row.name.clone()).collect(),
        as_started: others
            .iter()
            .filter(|row| is_as_started(row))
            .map(|row| row.name.clone())
            .collect(),
    }
}

/// One end of a pair of patch ports.
struct End {
    ofport: u32,
    peer: String,
}

/// Patch ports that the switch has, by name, each with the place of its bridge.
fn ends(bridges: &Bridges) -> HashMap<&str, (usize, End)> {
    let mut ends = HashMap::new();
    for (at, bridge) in bridges.rows.iter().enumerate() {
        for (_, row) in bridges.interfaces(bridge).filter(|(_, row)| row.kind == "patch") {
            if let (Some(ofport), Some(peer)) = (forwarding::of_port(row), row.options.get("peer")) {
                let end = End {
                    ofport: ofport.0,
                    peer: peer.clone(),
                };
                ends.insert(row.name.as_str(), (at, end));
            }
        }
    }
    ends
}

/// The type of a bridge's datapath.
fn kind(row: &BridgeRow) -> &str {
    match row.datapath_type.as_str() {
        "" => "system",
        kind => kind,
    }
}
