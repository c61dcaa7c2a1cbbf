//! From an OpenFlow flow to the datapath actions of a packet that it matches, or the reason why they cannot be told.

use std::collections::BTreeSet;
use std::fmt;

use odp_actions::Actions;
use odp_actions::xlate::{
    self, Bounds, BridgePort, Change, Forwarding, Last, OvsVersion, Packet, Port, Rules, TunnelFields,
    Unpredictable, Vlan, Xlate,
};
use ofp_codec::{Action, Field, Flow, Match, NumberOrName, Port as OfPort, PortRef};

use crate::bridge::Bridge;

/// The actions of a flow.
#[derive(Clone, Debug)]
pub struct Prediction {
    /// A list that one of the packets gets that the flow can match, the longest of those that were looked at.
    pub actions: Actions,
    /// Bytes of the lists of all of them.
    pub bytes: Bounds,
    /// What a difference depends on, and what else was taken for granted.
    pub notes: Vec<String>,
}

/// Why the actions of a flow cannot be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untold {
    /// The action that is the reason, if one is.
    pub action: Option<String>,
    /// The reason, which many flows may share.
    pub why: String,
}

impl Untold {
    /// The reason with the name of the action, but not what it is about.
    pub fn kind(&self) -> String {
        match &self.action {
            Some(action) if self.why == NOT_MODELLED => {
                let name = action.split(['(', ':', '=', ' ']).next().unwrap_or(action);
                format!("{name}: {}", self.why)
            }
            _ => self.why.clone(),
        }
    }

    fn of_action(action: &Action, why: String) -> Self {
        Self {
            action: Some(short(action)),
            why,
        }
    }
}

impl From<String> for Untold {
    fn from(why: String) -> Self {
        Self { action: None, why }
    }
}

impl fmt::Display for Untold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.action {
            Some(action) => write!(f, "{action}: {}", self.why),
            None => f.write_str(&self.why),
        }
    }
}

/// Translates a flow of `bridge` for release `ovs`: each of the sets of rules that it may follow.
///
/// The packet carries no ECN bits, which would cost each tunnel output 8 bytes, and comes from no port that the flow
/// names as an output.
///
/// # Errors
/// Why the actions do not follow from the flow and the database alone.
pub fn predict(flow: &Flow, bridge: &Bridge, ovs: OvsVersion) -> Result<Prediction, Untold> {
    if let Some(hindrance) = &bridge.hindrance {
        return Err(hindrance.clone().into());
    }
    let own = bridge.own();
    let outputs_to = |wanted: &[OfPort]| {
        flow.actions.iter().any(|action| match action {
            Action::Output(PortRef::Number(port)) => wanted.contains(port),
            _ => false,
        })
    };
    let is_normal = outputs_to(&[OfPort::NORMAL]);
    let is_flood = outputs_to(&[OfPort::ALL, OfPort::FLOOD]);
    let tags = tags(&flow.matches)?;
    let by_vlan = is_normal || !own.mirrors.is_empty();
    let tags = if by_vlan { spelled_out(&tags, bridge) } else { tags };
    let all_inputs = match flow.matches.in_port() {
        // Nothing goes back to a port that is not there.
        Some(port) => {
            let port = number(&port, bridge)?;
            Some(vec![bridge.names.contains_key(&port).then_some(port)])
        }
        None if is_normal || is_flood || has_sources(bridge) => None,
        None => Some(vec![None]),
    };
    let sets = ovs.rules();
    let mut whole: Option<xlate::Prediction> = None;
    let mut is_ordered = true;
    let mut has_inputs = false;
    for &rules in &sets {
        let inputs = all_inputs.clone();
        let inputs = inputs.unwrap_or_else(|| one_of_each_input(bridge, rules, &|port| outputs_to(&[port])));
        has_inputs |= inputs.len() > 1;
        for &vlan in &tags {
            let packet = Packet {
                vlan,
                ..Packet::default()
            };
            for &in_port in &inputs {
                let one = translate(flow, bridge, Xlate::new(rules, packet), in_port)?;
                is_ordered &= one.bytes().is_some_and(|bytes| bytes.is_exact());
                whole = Some(match whole {
                    None => one,
                    Some(whole) => whole.or(one),
                });
            }
        }
    }
    let (bytes, actions) = match whole.ok_or_else(|| "it matches no packet".to_owned())? {
        xlate::Prediction::Exact(actions) => {
            let bytes = actions.encoded_len().map_err(|error| error.to_string())?;
            (Bounds::exactly(bytes), actions)
        }
        xlate::Prediction::Within { sample, bytes, .. } => (bytes, sample),
        xlate::Prediction::Unknown(why) => return Err(why.to_string().into()),
    };
    let varies = !bytes.is_exact();
    let notes = [
        (varies && tags.len() > 1, "for a tagged packet"),
        (varies && has_inputs, "for the input port that adds least"),
        (varies && sets.len() > 1, "in a release that adds most"),
        (!is_ordered, "in the order of outputs that adds most"),
        (outputs_to(&[OfPort::FLOOD]) || is_normal, "if every port floods"),
        (is_normal, "if the address is not learned"),
    ];
    let notes = notes
        .into_iter()
        .filter(|(holds, _)| *holds)
        .map(|(_, note)| note.to_owned());
    let through = bridge.as_started.iter().filter(|_| goes_on(flow, bridge));
    let started =
        through.map(|other| format!("if bridge {other} has no flow but the NORMAL that it starts with"));
    let notes = notes.chain(started).collect();
    Ok(Prediction {
        actions,
        bytes,
        notes,
    })
}

fn translate(
    flow: &Flow,
    bridge: &Bridge,
    xlate: Xlate,
    in_port: Option<OfPort>,
) -> Result<xlate::Prediction, Untold> {
    let packet = xlate::Bridge::receive_among(&bridge.forwarding, 0, xlate, in_port.map(|port| port.0));
    let packet = packet.map_err(|why| named(bridge, &why))?;
    let translation = Translation {
        bridge,
        in_port,
        has_output: false,
        packet,
    };
    translation.run(flow)
}

/// For NORMAL and mirrors the VLAN id decides: each that makes a difference, and one that does not, in place of one that is not known.
fn spelled_out(tags: &[Option<Vlan>], bridge: &Bridge) -> Vec<Option<Vlan>> {
    let named = bridge.forwarding.iter().flat_map(xlate::Bridge::vlans);
    let named: BTreeSet<_> = named.collect();
    let other = (1..=MAX_VID).find(|vid| !named.contains(vid));
    let vids: Vec<u16> = named.into_iter().chain(other).filter(|vid| *vid > 0).collect();
    let spell = |tag: &Option<Vlan>| match tag {
        Some(Vlan { vid: None, pcp }) => {
            let pcp = *pcp;
            vids.iter()
                .map(|vid| Some(Vlan { vid: Some(*vid), pcp }))
                .collect()
        }
        tag => vec![*tag],
    };
    tags.iter().flat_map(spell).collect()
}

/// Whether a mirror selects packets by the port that they came from.
fn has_sources(bridge: &Bridge) -> bool {
    bridge
        .own()
        .mirrors
        .iter()
        .any(|mirror| !mirror.sources.is_empty())
}

/// One input port of each kind: what is put out does not depend on which of a kind it is.
fn one_of_each_input(
    bridge: &Bridge,
    rules: Rules,
    is_output: &dyn Fn(OfPort) -> bool,
) -> Vec<Option<OfPort>> {
    let own = bridge.own();
    let (ports, mirrors) = (&own.ports, &own.mirrors);
    let fields = bridge.tunnel_fields();
    let share = |port: &BridgePort| {
        let interfaces = port.interfaces.iter().map(|interface| match &interface.port {
            Ok(Port::Tunnel { tunnel, .. }) => {
                let key = tunnel.metadata(rules, &fields, None);
                (key.map_or(0, |key| key.as_bytes().len()), None)
            }
            // What comes from another bridge does not go back there.
            Ok(Port::Patch(peer)) => (0, Some((peer.bridge, peer.ofport))),
            _ => (0, None),
        });
        interfaces.collect::<Vec<_>>()
    };
    let mut kinds = Vec::new();
    let mut inputs = Vec::new();
    for (place, port) in ports.iter().enumerate() {
        let mirrored = mirrors.iter().map(|mirror| {
            let is_copy = mirror.output == xlate::MirrorOutput::Port(place);
            (
                mirror.sources.contains(&place),
                mirror.destinations.contains(&place),
                is_copy,
            )
        });
        let outputs = port
            .interfaces
            .iter()
            .map(|interface| is_output(OfPort(interface.ofport)));
        let kind = (
            &port.vlan,
            share(port),
            mirrored.collect::<Vec<_>>(),
            outputs.collect::<Vec<_>>(),
        );
        if let Some(interface) = port.interfaces.first().filter(|_| !kinds.contains(&kind)) {
            inputs.push(Some(OfPort(interface.ofport)));
            kinds.push(kind);
        }
    }
    if inputs.is_empty() { vec![None] } else { inputs }
}

/// Why it cannot be told, with the name of the port that is the reason.
fn named(bridge: &Bridge, why: &Unpredictable) -> String {
    let is_reason = |interface: &&xlate::Interface| interface.port.as_ref().err() == Some(why);
    let name = bridge
        .interfaces()
        .find(is_reason)
        .and_then(|interface| bridge.names.get(&OfPort(interface.ofport)));
    match name {
        Some(name) => format!("port {name}: {why}"),
        None => why.to_string(),
    }
}

/// What the match says of the packet's tag: one case, or two if it leaves open whether there is one.
fn tags(matches: &Match) -> Result<Vec<Option<Vlan>>, String> {
    let pcp = [Field::DlVlanPcp, Field::VlanPcp]
        .iter()
        .find_map(|field| matches.exact(*field));
    let pcp = pcp.and_then(|pcp| u8::try_from(pcp).ok());
    let tagged = |vid: Option<u128>| {
        vec![Some(Vlan {
            vid: vid.and_then(|vid| u16::try_from(vid).ok()),
            pcp,
        })]
    };
    if let Some(vid) = matches.exact(Field::DlVlan) {
        return Ok(tagged(Some(vid)));
    }
    for field in [Field::VlanVid, Field::VlanTci] {
        match matches.masked(field) {
            None => {}
            Some((_, mask)) if mask & CFI == 0 => {
                return Err(format!("a mask on {} without CFI", field.name()));
            }
            Some((value, _)) if value & CFI == 0 => return Ok(vec![None]),
            Some((value, mask)) => return Ok(tagged((mask & VID == VID).then_some(value & VID))),
        }
    }
    // A priority alone is matched on tagged packets only.
    Ok(if pcp.is_some() {
        tagged(None)
    } else {
        vec![None, Some(Vlan::default())]
    })
}

/// A translation of one flow for one packet.
struct Translation<'a> {
    bridge: &'a Bridge,
    in_port: Option<OfPort>,
    has_output: bool,
    packet: Forwarding<'a>,
}

impl Translation<'_> {
    fn run(mut self, flow: &Flow) -> Result<xlate::Prediction, Untold> {
        for (place, action) in flow.actions.iter().enumerate() {
            let last = Last::of(place, flow.actions.len());
            self.apply(action, last)
                .map_err(|why| Untold::of_action(action, why))?;
        }
        Ok(self.packet.xlate.predict())
    }

    fn apply(&mut self, action: &Action, last: Last) -> Result<(), String> {
        let told = |result: Result<(), Unpredictable>| result.map_err(|why| why.to_string());
        match action {
            Action::StripVlan | Action::PopVlan => self.packet.xlate.pop_vlan(),
            Action::PushVlan(tpid) => told(self.packet.xlate.push_vlan(*tpid))?,
            Action::ModVlanVid(vid) => told(self.packet.xlate.set_vlan_vid(*vid))?,
            Action::ModVlanPcp(pcp) => told(self.packet.xlate.set_vlan_pcp(*pcp))?,
            Action::SetVlanVid(vid) => {
                // Unlike the two above, these leave an untagged packet alone.
                match self.packet.xlate.is_tagged() {
                    true => told(self.packet.xlate.set_vlan_vid(*vid))?,
                    false => self.packet.xlate.change(Change::Field),
                }
            }
            Action::SetVlanPcp(pcp) => match self.packet.xlate.is_tagged() {
                true => told(self.packet.xlate.set_vlan_pcp(*pcp))?,
                false => self.packet.xlate.change(Change::Field),
            },
            Action::SetTunnel(id) => self.set_tunnel_id(u64::from(*id)),
            Action::SetTunnel64(id) => self.set_tunnel_id(*id),
            Action::SetField { field, value, mask } => {
                let value = value.number().ok_or("sets a port by its name")?;
                self.set_field(*field, value, mask.unwrap_or(u128::MAX))?;
            }
            Action::Load { value, dst } => {
                let (Some(field), Some((first, last))) = (dst.field(), dst.bits()) else {
                    return Err("sets a field that is not known".to_owned());
                };
                let width = u32::from(last.saturating_sub(first)) + 1;
                let mask = u128::MAX.checked_shr(128 - width.min(128)).unwrap_or(0);
                let shift = u32::from(first);
                self.set_field(
                    field,
                    value.checked_shl(shift).unwrap_or(0),
                    mask.checked_shl(shift).unwrap_or(0),
                )?;
            }
            Action::Move { dst, .. } => match dst.field() {
                Some(field) if is_register(field) => {}
                // Mirrors do not take it for a change.
                Some(field) => self.write_field(field, 0, 0)?,
                None => return Err("sets a field that is not known".to_owned()),
            },
            Action::Output(port) => self.output(port, last)?,
            Action::Resubmit { .. } | Action::GotoTable(_) => {
                return Err("continues in another table".to_owned());
            }
            Action::Drop => {}
            // These change a table or nothing, but no packet.
            Action::Learn(_) | Action::Note(_) => {}
            _ => return Err(NOT_MODELLED.to_owned()),
        }
        Ok(())
    }

    fn set_tunnel_id(&mut self, id: u64) {
        self.packet.xlate.set_tunnel_id(id);
    }

    fn set_field(&mut self, field: Field, value: u128, mask: u128) -> Result<(), String> {
        match field {
            Field::TunId => self.packet.xlate.change(Change::Field),
            Field::TunMetadata0 => self.packet.xlate.change(Change::GeneveOption),
            _ if is_register(field) => self.packet.xlate.change(Change::Register),
            _ => {}
        }
        self.write_field(field, value, mask)
    }

    fn write_field(&mut self, field: Field, value: u128, mask: u128) -> Result<(), String> {
        let told = |result: Result<(), Unpredictable>| result.map_err(|why| why.to_string());
        match field {
            Field::TunId => {
                let keep = u128::from(self.packet.xlate.tunnel_fields().id) & !mask;
                let id = u64::try_from(keep | value & mask).map_err(|_| "more than 64 bits for tun_id")?;
                self.set_tunnel_id(id);
                Ok(())
            }
            Field::VlanVid if mask & (CFI | VID) == CFI | VID && value & CFI != 0 => {
                let vid = u16::try_from(value & VID).map_err(|_| "more than 13 bits for vlan_vid")?;
                told(self.packet.xlate.set_vlan_vid(vid))
            }
            Field::VlanPcp | Field::DlVlanPcp if mask & PCP == PCP => match u8::try_from(value) {
                Ok(pcp) if self.packet.xlate.is_tagged() => told(self.packet.xlate.set_vlan_pcp(pcp)),
                Ok(_) => Ok(()),
                Err(_) => Err("more than 3 bits for vlan_pcp".to_owned()),
            },
            Field::PktMark if mask & MARK == MARK => {
                let mark = u32::try_from(value).map_err(|_| "more than 32 bits for pkt_mark")?;
                self.packet.xlate.set_mark(mark);
                Ok(())
            }
            // Whatever the value is, it is the first that is written.
            Field::TunMetadata0 if self.bridge.is_ovn && !self.has_output => {
                *self.packet.xlate.tunnel_fields() = TunnelFields {
                    id: self.packet.xlate.tunnel_fields().id,
                    ..self.bridge.tunnel_fields()
                };
                Ok(())
            }
            _ if is_register(field) => Ok(()),
            _ => Err(format!("setting {} is not modelled", field.name())),
        }
    }

    fn output(&mut self, port: &PortRef, last: Last) -> Result<(), String> {
        let bridge = self.bridge;
        let port = number(port, bridge)?;
        self.has_output = true;
        if self.in_port.is_some_and(|from| bridge.is_tunnel(from)) && bridge.is_tunnel(port) {
            return Err(
                "a packet from a tunnel has tunnel fields already, which are not modelled".to_owned(),
            );
        }
        let done = match port {
            OfPort::ALL => self.packet.flood(true, last),
            OfPort::FLOOD => self.packet.flood(false, last),
            OfPort::NORMAL => self.packet.normal(last),
            // To send a packet back takes the word IN_PORT.
            OfPort::IN_PORT => self.packet.output_in_port(last),
            port if !bridge.names.contains_key(&port) => return Err(format!("{} {port}", bridge.absent)),
            port => self.packet.output(port.0, last),
        };
        done.map_err(|why| named(bridge, &why))
    }
}

/// The number of a port that may stand there by name.
fn number(port: &PortRef, bridge: &Bridge) -> Result<OfPort, String> {
    match port {
        NumberOrName::Number(port) => Ok(*port),
        NumberOrName::Name(name) => bridge
            .port_named(name)
            .ok_or_else(|| format!("{} {name}", bridge.absent)),
    }
}

/// Registers and metadata exist in Open vSwitch only.
fn is_register(field: Field) -> bool {
    field == Field::Metadata || field.name().trim_start_matches('x').starts_with("reg")
}

/// Whether a flow may send a packet through a patch port.
fn goes_on(flow: &Flow, bridge: &Bridge) -> bool {
    flow.actions.iter().any(|action| match action {
        Action::Output(port) => number(port, bridge).is_ok_and(|port| {
            [OfPort::NORMAL, OfPort::FLOOD, OfPort::ALL].contains(&port) || bridge.is_patch(port)
        }),
        _ => false,
    })
}

/// The action, cut where it gets long.
fn short(action: &Action) -> String {
    let mut text = action.to_string();
    if let Some((end, _)) = text.char_indices().nth(SHORT) {
        text.truncate(end);
        text.push('…');
    }
    text
}

const NOT_MODELLED: &str = "not modelled";
const CFI: u128 = 0x1000;
const VID: u128 = 0x0fff;
const PCP: u128 = 0x7;
const MARK: u128 = 0xffff_ffff;
const SHORT: usize = 40;
/// 4095 is reserved.
const MAX_VID: u16 = 4094;
