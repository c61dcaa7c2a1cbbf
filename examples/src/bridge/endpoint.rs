//! What each endpoint adds to a flooded packet's actions.

use std::collections::BTreeSet;

use odp_actions::xlate::{
    GeneveField, Interface, OvsVersion, Packet, Port, TunnelFields, TunnelKind, TunnelPort, Unpredictable,
};
use odp_actions::{Action, Actions, Key, Tunnel};
use ofp_codec::Port as OfPort;

use super::Bridge;

/// What each endpoint adds to a flooded packet's actions.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The actions of one: its tunnel metadata and the output, or the output alone where there are no tunnels.
    pub actions: Actions,
    /// How many ports are endpoints.
    pub count: usize,
    /// How many of them have exactly this size; the others have less.
    pub same: usize,
    /// The mark that they set, if they do.
    pub mark: Option<u32>,
}

impl Bridge {
    /// The largest share that one endpoint has in a flood of `packet`, under release `ovs`.
    ///
    /// Endpoints are the tunnel ports, or all ports of a bridge without tunnels. `None` if there are none.
    ///
    /// # Errors
    /// Why they cannot be told: one that cannot makes all of them unknown, since it may be the largest.
    pub fn endpoint(&self, ovs: OvsVersion, packet: Packet) -> Result<Option<Endpoint>, String> {
        if let Some(hindrance) = &self.hindrance {
            return Err(hindrance.clone());
        }
        let is_overlay = self.has_tunnels();
        let fields = self.tunnel_fields();
        let mut untold = Vec::from_iter(self.untaken.iter().map(|name| {
            let why = "the switch has not taken it up";
            format!("port {name}: {why}")
        }));
        let mut shapes = Vec::new();
        let mut marks = BTreeSet::new();
        for interface in self.interfaces() {
            let set = match &interface.port {
                Ok(Port::Plain { .. }) if !is_overlay => Ok(None),
                Ok(Port::Plain { .. } | Port::Patch(_)) | Err(Unpredictable::Patch) => continue,
                Ok(Port::Tunnel { tunnel, .. }) => {
                    marks.insert(tunnel.egress_mark);
                    let key = metadata(tunnel, ovs, &fields, packet.ip_tos);
                    key.map(|key| Some(Action::Set(Key::Tunnel(key))))
                }
                Err(why) => Err(why.clone()),
            };
            match set {
                Ok(set) => {
                    let actions: Actions = set.into_iter().chain([Action::Output(0)]).collect();
                    let bytes = actions.encoded_len().map_err(|error| error.to_string())?;
                    shapes.push((bytes, actions));
                }
                Err(why) => untold.push(format!("{}: {why}", self.label(interface))),
            }
        }
        if let [first, others @ ..] = &untold[..] {
            let others = match others.len() {
                0 => String::new(),
                others => format!(", and {others} more ports"),
            };
            return Err(format!("{first}{others}"));
        }
        // A packet that gets one mark after the other pays for each.
        let marks: Vec<u32> = marks.into_iter().flatten().collect();
        if marks.len() > 1 {
            return Err(
                "the tunnel ports set different marks, and what that costs depends on their order".to_owned(),
            );
        }
        let count = shapes.len();
        let Some(largest) = shapes.iter().map(|(bytes, _)| *bytes).max() else {
            return Ok(None);
        };
        shapes.retain(|(bytes, _)| *bytes == largest);
        let same = shapes.len();
        let (_, actions) = shapes.swap_remove(0);
        Ok(Some(Endpoint {
            actions,
            count,
            same,
            mark: marks.first().copied(),
        }))
    }

    /// What a flood of `packet` to these endpoints has besides them: the flood flows of overlay networks strip the tag of the
    /// network first, but OVN's packets have none by then; and the mark that tunnel ports set.
    pub fn once(&self, endpoint: &Endpoint, packet: Packet) -> Actions {
        let tag = (self.has_tunnels() && !self.is_ovn).then_some(Action::PopVlan);
        let mark = endpoint.mark.filter(|mark| *mark != packet.mark);
        let mark = mark.map(|mark| Action::Set(Key::SkbMark(mark)));
        tag.into_iter().chain(mark).collect()
    }

    /// What is taken for granted of flows, in words for people.
    pub fn assumption(&self) -> Option<&'static str> {
        let is_geneve = |interface: &Interface| match &interface.port {
            Ok(Port::Tunnel { tunnel, .. }) => tunnel.kind == TunnelKind::Geneve,
            _ => false,
        };
        let has_geneve = !self.is_ovn && self.interfaces().any(is_geneve);
        match (has_geneve, self.has_policies) {
            (true, _) => Some("flows set no Geneve options, which would make each endpoint larger"),
            (false, true) => {
                Some("flows set no group policy, which would make each endpoint 12 bytes larger")
            }
            (false, false) => None,
        }
    }

    /// The tunnel fields that the flows of whoever made the tunnel ports set.
    pub(crate) fn tunnel_fields(&self) -> TunnelFields {
        let mut fields = TunnelFields::default();
        if self.is_ovn {
            fields.options.insert(0, ovn_ports());
        }
        fields
    }

    /// Whether one of its ports is a tunnel, also one whose output cannot be told.
    pub fn has_tunnels(&self) -> bool {
        !self.untaken.is_empty() || self.interfaces().any(is_tunnel)
    }

    /// Whether this port is a tunnel.
    pub(crate) fn is_tunnel(&self, port: OfPort) -> bool {
        self.interface(port).is_some_and(is_tunnel)
    }

    /// Whether this port is a patch port.
    pub(crate) fn is_patch(&self, port: OfPort) -> bool {
        self.interface(port).is_some_and(is_patch)
    }

    fn interface(&self, port: OfPort) -> Option<&Interface> {
        self.interfaces().find(|interface| interface.ofport == port.0)
    }

    fn label(&self, interface: &Interface) -> String {
        match self.names.get(&OfPort(interface.ofport)) {
            Some(name) => format!("port {name}"),
            None => format!("port {}", interface.ofport),
        }
    }
}

pub(super) fn is_patch(interface: &Interface) -> bool {
    matches!(interface.port, Ok(Port::Patch(_)) | Err(Unpredictable::Patch))
}

fn is_tunnel(interface: &Interface) -> bool {
    let is_plain = matches!(interface.port, Ok(Port::Plain { .. }));
    !is_plain && !is_patch(interface)
}

/// The key that a tunnel port sets under every set of rules that a release may follow.
pub(super) fn metadata(
    tunnel: &TunnelPort,
    ovs: OvsVersion,
    fields: &TunnelFields,
    ip_tos: Option<u8>,
) -> Result<Tunnel, Unpredictable> {
    let differs = Unpredictable::Release { ovs };
    let keys = ovs.rules().into_iter();
    let keys = keys.map(|rules| tunnel.metadata(rules, fields, ip_tos));
    keys.reduce(|one, other| if one == other { one } else { Err(differs.clone()) })
        .unwrap_or_else(|| Err(differs.clone()))
}

/// What OVN keeps in `tun_metadata0`: the logical ports that a packet comes from and goes to.
fn ovn_ports() -> GeneveField {
    GeneveField {
        class: 0x102,
        kind: 0x80,
        data: vec![0; 4],
    }
}
