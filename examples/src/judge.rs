//! One state for each port.

use std::collections::{HashMap, HashSet};

use ovsdb_proto::value::Uuid;

use crate::sight::{Datapath, Listed, Port, Sight, Vport};

/// What is to be said of a port.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The port.
    pub port: Port,
    /// Its state.
    pub state: State,
    /// Why it is not simply ok.
    pub reason: Option<String>,
}

/// What a port is, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// There is no such network device.
    NoDevice,
    /// The database shows no fault, but the datapath has no such port.
    VportVanished,
    /// The switch made it again, and nobody uses it.
    Zombie,
    /// The switch says why it cannot use it, or has not taken it up.
    Error,
    /// Another interface has the same `iface-id`.
    DuplicateIfaceId,
    /// A port of the datapath that no row has.
    ForeignVport,
    /// An OpenFlow port that no row has.
    ForeignOpenflow,
    /// One of the above, but seen only once.
    Undecided,
    /// As far as can be seen.
    Ok,
}

impl State {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Zombie => "zombie",
            Self::NoDevice => "no device",
            Self::VportVanished => "vport vanished",
            Self::Error => "error",
            Self::DuplicateIfaceId => "duplicate iface-id",
            Self::ForeignVport => "vport without row",
            Self::ForeignOpenflow => "openflow without row",
            Self::Undecided => "undecided",
            Self::Ok => "ok",
        }
    }

    /// Whether nothing is behind the port.
    pub fn is_stale(self) -> bool {
        matches!(self, Self::Zombie | Self::NoDevice | Self::VportVanished)
    }
}

impl Verdict {
    /// Takes back what was seen only once.
    pub fn doubt(&mut self) {
        if self.state != State::Ok {
            let seen = self.reason.take().unwrap_or_default();
            self.reason = Some(format!("seen once: {}: {seen}", self.state.name()));
            self.state = State::Undecided;
        }
    }
}

/// Judges the ports of the bridge `only`, or all. What the verdicts `before` do not fault as well is undecided.
pub fn judge(sight: &Sight, only: Option<&str>, before: Option<&[Verdict]>) -> Vec<Verdict> {
    let faulted = before.into_iter().flatten();
    let faulted = faulted.filter(|verdict| verdict.state != State::Ok);
    let faulted: HashSet<_> = faulted.map(|verdict| identity(&verdict.port)).collect();
    let mut owners: HashMap<&str, Vec<&Port>> = HashMap::new();
    for port in &sight.ports {
        if let Some(id) = &port.iface_id {
            owners.entry(id).or_default().push(port);
        }
    }
    let verdict = |port: &Port| {
        let (mut state, mut reason) = alone(port);
        let others = port.iface_id.as_deref().and_then(|id| owners.get(id));
        let others = others.into_iter().flatten();
        let mut others = others.filter(|other| other.uuid != port.uuid);
        if let (State::Ok, Some(other)) = (state, others.next()) {
            state = State::DuplicateIfaceId;
            reason = Some(format!("{} of {} has the same", other.interface, other.bridge));
        }
        let mut verdict = Verdict {
            port: port.clone(),
            state,
            reason,
        };
        if before.is_some() && !faulted.contains(&identity(port)) {
            verdict.doubt();
        }
        verdict
    };
    let wanted = |port: &&Port| only.is_none_or(|name| name == port.bridge);
    sight.ports.iter().filter(wanted).map(verdict).collect()
}

/// What makes a port the same one at another look. One that was made anew has another row.
fn identity(port: &Port) -> (Option<Uuid>, &str, &str) {
    (port.uuid, &port.bridge, &port.interface)
}

/// What can be said of a port without the others.
fn alone(port: &Port) -> (State, Option<String>) {
    let switch = switch_says(port);
    let fault = |state, reason: String| (state, Some(reason));
    if port.uuid.is_none() {
        return match port.vport {
            Some(_) => fault(
                State::ForeignVport,
                "a switch that is gone left it there, or it is not the switch's".to_owned(),
            ),
            None => fault(
                State::ForeignOpenflow,
                "the bridge has it, and this database does not".to_owned(),
            ),
        };
    }
    let present = matches!(port.vport, Some(Vport::Present { .. }));
    match port.kind.as_str() {
        "" | "system" | "tap" if port.datapath != Datapath::Dummy && !port.netdev && !present => {
            let reason = switch.unwrap_or_else(|| match port.ofport {
                Some(ofport) => format!("the switch still gives it ofport {ofport}"),
                None => NOT_TAKEN_UP.to_owned(),
            });
            fault(State::NoDevice, reason)
        }
        // The switch makes the devices of internal ports itself when it starts, with the ofport that they had. Nobody
        // but their owner would move them to a namespace and up.
        "internal" if present && port.netdev && port.down && port.owned && switch.is_none() => fault(
            State::Zombie,
            "the switch made it again, in this namespace and down, and its owner has not come".to_owned(),
        ),
        _ => match (switch, port.ofport, port.has_vport()) {
            (Some(reason), _, _) => fault(State::Error, reason),
            (None, None, _) => fault(State::Error, NOT_TAKEN_UP.to_owned()),
            (None, Some(_), Some(false)) => {
                let reason = match port.netdev {
                    true => "the device is there, but the datapath has no such port",
                    false => "the datapath has no such port, and the database does not show it",
                };
                fault(State::VportVanished, reason.to_owned())
            }
            (None, Some(ofport), _) if port.is_listed() == Some(false) => {
                let reason = match &port.openflow {
                    Some(Listed::Other(name)) => format!("ofport {ofport} is {name} to the bridge"),
                    _ => format!("the bridge has no OpenFlow port {ofport}"),
                };
                fault(State::Error, reason)
            }
            _ => {
                let away = port.is_away();
                let reason = away.then(|| "its device is in another namespace".to_owned());
                (State::Ok, reason)
            }
        },
    }
}

/// The fault that the switch itself has found, if any.
fn switch_says(port: &Port) -> Option<String> {
    match (&port.error, port.ofport) {
        (Some(error), _) => Some(error.clone()),
        (None, Some(-1)) => Some("the switch could not open it: ofport -1".to_owned()),
        _ => None,
    }
}

const NOT_TAKEN_UP: &str = "the switch has not taken it up";
