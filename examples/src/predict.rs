//! From an OpenFlow flow to the datapath actions of a packet that it matches, or the reason why they cannot be told.

use odp_actions::Actions;
use odp_actions::xlate::{OvsVersion, Packet, Unpredictable, Vlan, Xlate};
use ofp_codec::{Action, Field, Flow, Match, NumberOrName, Port as OfPort, PortRef};

use crate::bridge::Bridge;

/// The actions of a flow.
#[derive(Clone, Debug)]
pub struct Prediction {
    /// The longest list, over the packets that the flow can match.
    pub actions: Actions,
    /// Bytes of the shortest list, if that is another.
    pub least_bytes: Option<usize>,
    /// What the difference depends on, and what else was taken for granted.
    pub notes: Vec<&'static str>,
}

/// Translates a flow of `bridge` for release `ovs`.
///
/// The packet carries no ECN bits, which would cost each tunnel output 8 bytes, and comes from no port that the flow
/// names as an output.
///
/// # Errors
/// Why the actions do not follow from the flow and the database alone.
pub fn predict(flow: &Flow, bridge: &Bridge, ovs: OvsVersion) -> Result<Prediction, String> {
    if let Some(hindrance) = &bridge.hindrance {
        return Err(hindrance.clone());
    }
    let outputs_to = |wanted: &[OfPort]| {
        flow.actions.iter().any(|action| match action {
            Action::Output(PortRef::Number(port)) => wanted.contains(port),
            _ => false,
        })
    };
    let tags = tags(&flow.matches)?;
    let inputs = match flow.matches.in_port() {
        Some(port) => vec![Some(number(&port, bridge)?)],
        None if outputs_to(&[OfPort::ALL, OfPort::FLOOD]) => extremes(bridge, ovs)?,
        None => vec![None],
    };
    let mut lists = Vec::new();
    for vlan in tags.iter().copied() {
        for in_port in inputs.iter().copied() {
            let xlate = Xlate::new(ovs, Packet { vlan, ip_tos: None });
            let actions = Translation {
                bridge,
                in_port,
                tun_id: 0,
                xlate,
            }
            .run(flow)?;
            let bytes = actions.encoded_len().map_err(|error| error.to_string())?;
            lists.push((bytes, actions));
        }
    }
    lists.sort_by_key(|(bytes, _)| *bytes);
    let least = lists.first().map(|(bytes, _)| *bytes);
    let (bytes, actions) = lists.pop().ok_or("it matches no packet")?;
    let least_bytes = least.filter(|least| *least < bytes);
    let notes = [
        (least_bytes.is_some() && tags.len() > 1, "for a tagged packet"),
        (
            least_bytes.is_some() && inputs.len() > 1,
            "for the input port that adds least",
        ),
        (outputs_to(&[OfPort::FLOOD]), "if every port floods"),
    ];
    let notes = notes
        .into_iter()
        .filter(|(holds, _)| *holds)
        .map(|(_, note)| note)
        .collect();
    Ok(Prediction {
        actions,
        least_bytes,
        notes,
    })
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

/// The input ports with which a flood gets longest and shortest: those whose own share is least and most.
fn extremes(bridge: &Bridge, ovs: OvsVersion) -> Result<Vec<Option<OfPort>>, String> {
    let mut shares = Vec::new();
    for port in bridge.ports.keys() {
        let xlate = Xlate::new(ovs, Packet::default());
        let mut alone = Translation {
            bridge,
            in_port: None,
            tun_id: 0,
            xlate,
        };
        alone.output_to(*port)?;
        shares.push((
            alone
                .xlate
                .finish()
                .encoded_len()
                .map_err(|error| error.to_string())?,
            *port,
        ));
    }
    shares.sort_unstable();
    Ok(match &shares[..] {
        [] => vec![None],
        [(_, only)] => vec![Some(*only)],
        [(_, least), .., (_, most)] => vec![Some(*least), Some(*most)],
    })
}

/// A translation of one flow for one packet.
struct Translation<'a> {
    bridge: &'a Bridge,
    in_port: Option<OfPort>,
    tun_id: u64,
    xlate: Xlate,
}

impl Translation<'_> {
    fn run(mut self, flow: &Flow) -> Result<Actions, String> {
        for action in &flow.actions {
            self.apply(action)
                .map_err(|why| format!("{}: {why}", short(action)))?;
        }
        Ok(self.xlate.finish())
    }

    fn apply(&mut self, action: &Action) -> Result<(), String> {
        let told = |result: Result<(), Unpredictable>| result.map_err(|why| why.to_string());
        match action {
            Action::StripVlan | Action::PopVlan => self.xlate.pop_vlan(),
            Action::PushVlan(tpid) => told(self.xlate.push_vlan(*tpid))?,
            Action::ModVlanVid(vid) => told(self.xlate.set_vlan_vid(*vid))?,
            Action::ModVlanPcp(pcp) => told(self.xlate.set_vlan_pcp(*pcp))?,
            Action::SetVlanVid(vid) => {
                // Unlike the two above, these leave an untagged packet alone.
                if self.xlate.is_tagged() {
                    told(self.xlate.set_vlan_vid(*vid))?;
                }
            }
            Action::SetVlanPcp(pcp) => {
                if self.xlate.is_tagged() {
                    told(self.xlate.set_vlan_pcp(*pcp))?;
                }
            }
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
                    u128::from(*value).checked_shl(shift).unwrap_or(0),
                    mask.checked_shl(shift).unwrap_or(0),
                )?;
            }
            Action::Output(port) => self.output(port)?,
            Action::Resubmit { .. } | Action::GotoTable(_) => {
                return Err("continues in another table".to_owned());
            }
            Action::Drop => {}
            // These change a table or nothing, but no packet.
            Action::Learn(_) | Action::Note(_) => {}
            _ => return Err("not modelled".to_owned()),
        }
        Ok(())
    }

    fn set_tunnel_id(&mut self, id: u64) {
        self.tun_id = id;
        self.xlate.set_tunnel_id(id);
    }

    fn set_field(&mut self, field: Field, value: u128, mask: u128) -> Result<(), String> {
        let told = |result: Result<(), Unpredictable>| result.map_err(|why| why.to_string());
        match field {
            Field::TunId => {
                let keep = u128::from(self.tun_id) & !mask;
                let id = u64::try_from(keep | value & mask).map_err(|_| "more than 64 bits for tun_id")?;
                self.set_tunnel_id(id);
                Ok(())
            }
            Field::VlanVid if mask & (CFI | VID) == CFI | VID && value & CFI != 0 => {
                let vid = u16::try_from(value & VID).map_err(|_| "more than 13 bits for vlan_vid")?;
                told(self.xlate.set_vlan_vid(vid))
            }
            Field::VlanPcp | Field::DlVlanPcp if mask & PCP == PCP => match u8::try_from(value) {
                Ok(pcp) if self.xlate.is_tagged() => told(self.xlate.set_vlan_pcp(pcp)),
                Ok(_) => Ok(()),
                Err(_) => Err("more than 3 bits for vlan_pcp".to_owned()),
            },
            // Registers and metadata exist in Open vSwitch only.
            Field::Metadata => Ok(()),
            _ if field.name().trim_start_matches('x').starts_with("reg") => Ok(()),
            _ => Err(format!("setting {} is not modelled", field.name())),
        }
    }

    fn output(&mut self, port: &PortRef) -> Result<(), String> {
        match number(port, self.bridge)? {
            OfPort::ALL | OfPort::FLOOD => {
                let bridge = self.bridge;
                let others = bridge.ports.keys().filter(|port| Some(**port) != self.in_port);
                others
                    .copied()
                    .collect::<Vec<_>>()
                    .into_iter()
                    .try_for_each(|port| self.output_to(port))
            }
            OfPort::IN_PORT => match self.in_port {
                Some(port) => self.output_to(port),
                None => Err("the flow does not match the input port".to_owned()),
            },
            OfPort::NORMAL => Err("depends on learned addresses".to_owned()),
            // To send a packet back takes the word IN_PORT.
            port if Some(port) == self.in_port => Ok(()),
            port => self.output_to(port),
        }
    }

    fn output_to(&mut self, port: OfPort) -> Result<(), String> {
        let interface = self
            .bridge
            .ports
            .get(&port)
            .ok_or_else(|| format!("{} {port}", self.bridge.absent))?;
        let named = |why: &Unpredictable| format!("port {}: {why}", interface.name);
        let port = interface.port.as_ref().map_err(named)?;
        self.xlate.output(port).map_err(|why| named(&why))
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

/// The action, cut where it gets long.
fn short(action: &Action) -> String {
    let mut text = action.to_string();
    if let Some((end, _)) = text.char_indices().nth(SHORT) {
        text.truncate(end);
        text.push('…');
    }
    text
}

const CFI: u128 = 0x1000;
const VID: u128 = 0x0fff;
const PCP: u128 = 0x7;
const SHORT: usize = 40;
