//! What a packet may be put out to besides, before it comes to a flow and after it.

use std::cmp::Reverse;
use std::net::Ipv6Addr;

use odp_actions::key::GeneveOpts;
use odp_actions::xlate::{self, Interface, OvsVersion, Port};
use odp_actions::{Action, Actions, Key, PushVlan, Tunnel, TunnelAttr};
use ofp_codec::{Flow, NumberOrName};

use super::Bridge;
use super::endpoint::{is_patch, metadata};

/// Which other flows may have seen the packet of a flow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Elsewhere {
    /// Those of bridges behind patch ports.
    pub(crate) bridges: bool,
    /// Those of other tables.
    pub(crate) tables: bool,
}

impl Bridge {
    /// Which other flows may have seen the packets of a flow.
    pub(crate) fn elsewhere(&self, flow: &Flow) -> Elsewhere {
        let in_port = flow.matches.in_port().and_then(|port| match port {
            NumberOrName::Number(port) => Some(port),
            NumberOrName::Name(name) => self.port_named(&name),
        });
        Elsewhere {
            bridges: match in_port {
                Some(port) => self.is_patch(port),
                None => self.interfaces().any(is_patch),
            },
            tables: flow.table != NumberOrName::Number(0),
        }
    }

    /// The list that `actions` may be part of, if the packet goes once to each port that those other flows can send it to, with
    /// another tag for each but the tunnels. `None` if there is no such port.
    pub(crate) fn with_others(
        &self,
        elsewhere: Elsewhere,
        actions: &Actions,
        ovs: OvsVersion,
    ) -> Option<Actions> {
        let ports = |bridge: &'_ xlate::Bridge| {
            let ports = bridge.ports.iter().flat_map(|port| port.interfaces.clone());
            Vec::from_iter(ports.filter(|interface| !is_patch(interface)))
        };
        let own = ports(self.own());
        let others = self.forwarding.iter().skip(1).flat_map(ports);
        let others: Vec<_> = others.filter(|_| elsewhere.bridges).collect();
        // What the flow does itself is done, here and then behind patch ports, and a packet does not go back to where it came from.
        let outputs = actions.output_count();
        let here = own.len().saturating_sub(outputs);
        let there = others.len().saturating_sub(outputs.saturating_sub(own.len()));
        let missing = (if elsewhere.tables { here } else { 0 } + there).saturating_sub(1);
        let own = own.iter().filter(|_| elsewhere.tables);
        let mut keys: Vec<Action> = own
            .chain(&others)
            .filter_map(|interface| self.key(interface, ovs))
            .collect();
        let written = actions
            .iter()
            .filter(|action| matches!(action, Action::Set(Key::Tunnel(_))));
        let written = if elsewhere.tables { written.count() } else { 0 };
        keys.sort_by_key(|key| Reverse(key.encoded_len().unwrap_or(0)));
        keys.truncate(keys.len().saturating_sub(written).min(missing));
        let tags = missing - keys.len() + usize::from(!keys.is_empty());
        let tags = (0..tags).flat_map(|_| [Action::PopVlan, Action::PushVlan(PushVlan::new(1, 0))]);
        let plain = (keys.len()..missing).map(|_| Action::Output(0));
        let outputs = keys
            .into_iter()
            .flat_map(|key| [key, Action::Output(0)])
            .chain(plain);
        (missing > 0).then(|| actions.iter().cloned().chain(tags).chain(outputs).collect())
    }

    /// What an output to a tunnel sets, and nothing for other ports.
    fn key(&self, interface: &Interface, ovs: OvsVersion) -> Option<Action> {
        let key = match &interface.port {
            Ok(Port::Tunnel { tunnel, .. }) => metadata(tunnel, ovs, &self.tunnel_fields(), None).ok(),
            Ok(_) => return None,
            Err(_) => None,
        };
        Some(Action::Set(Key::Tunnel(key.unwrap_or_else(largest))))
    }
}

/// The longest key that Open vSwitch writes.
fn largest() -> Tunnel {
    let mut options = GeneveOpts::default();
    for len in [124, 120] {
        options.push(0, 0, &vec![0; len]);
    }
    let address = Ipv6Addr::UNSPECIFIED;
    let attrs = [
        TunnelAttr::Id(0),
        TunnelAttr::Ipv6Src(address),
        TunnelAttr::Ipv6Dst(address),
        TunnelAttr::Tos(0),
        TunnelAttr::Ttl(0),
        TunnelAttr::DontFragment,
        TunnelAttr::Csum,
        TunnelAttr::TpSrc(0),
        TunnelAttr::TpDst(0),
        TunnelAttr::Oam,
        TunnelAttr::Geneve(options),
    ];
    Tunnel::new(attrs).unwrap_or_default()
}
