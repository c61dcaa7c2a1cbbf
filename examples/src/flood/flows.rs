//! Flow by flow: what becomes of its actions.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::BufRead;

use netlink_genl::nlattr::MAX_PAYLOAD;
use odp_actions::xlate::OvsVersion;
use odp_actions::{Actions, EncodeError, Limits, Template, Verdict};
use ofp_codec::{Action, Flow, NumberOrName};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Flood, NEAR, used, words};
use crate::bridge::{Bridge, Elsewhere};
use crate::cli::{Failure, Status, complain};
use crate::dump::{self, Unread};
use crate::predict::{Prediction, predict};

/// The flows of a dump, judged.
#[derive(Clone, Debug)]
pub struct Flows<'a> {
    bridge: &'a Bridge,
    ovs: OvsVersion,
    limits: Limits,
    /// What an endpoint more would cost, if that can be told.
    endpoint: Option<&'a Actions>,
    /// In the order of the dump.
    pub rows: Vec<Row>,
    /// How much of it could not be read.
    pub unread: Unread,
    /// Whether flows set tunnel fields that are taken to be unset.
    pub set_tunnel_options: bool,
}

/// One flow.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Its table, by number or by name.
    pub table: Value,
    /// Its priority.
    pub priority: u16,
    /// Its cookie, in hexadecimal.
    pub cookie: String,
    /// Its match.
    #[serde(rename = "match")]
    pub matches: String,
    /// Output actions of its datapath flow.
    pub outputs: Option<usize>,
    /// Bytes of its datapath flow's actions, at most.
    pub bytes: Option<usize>,
    /// Where the packet decides: the least that it can be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_min: Option<usize>,
    /// Where other flows have seen the packet: outputs and bytes if it goes to each other port as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outputs_max: Option<usize>,
    /// Bytes then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_max: Option<usize>,
    /// As [`words`] has it.
    pub verdict: &'static str,
    /// Why it is not simply fast, or cannot be told.
    pub reason: Option<String>,
    /// How many more endpoints fit.
    pub headroom_endpoints: Option<usize>,
    /// The part of the reason that other flows may share, of one that cannot be told.
    #[serde(skip)]
    pub untold: Option<String>,
    #[serde(skip)]
    status: Status,
}

impl Row {
    fn of(flow: &Flow) -> Self {
        Self {
            table: json!(flow.table),
            priority: flow.priority,
            cookie: format!("{:#x}", flow.cookie),
            matches: flow.matches.to_string(),
            outputs: None,
            bytes: None,
            bytes_min: None,
            outputs_max: None,
            bytes_max: None,
            verdict: "unknown",
            reason: None,
            headroom_endpoints: None,
            untold: None,
            status: Status::Fine,
        }
    }

    fn untold(self, reason: String, kind: String) -> Self {
        Self {
            reason: Some(reason),
            untold: Some(kind),
            ..self
        }
    }
}

impl<'a> Flows<'a> {
    /// None yet. What an endpoint more would cost is that of `flood`, if there is one.
    pub fn new(bridge: &'a Bridge, ovs: OvsVersion, limits: Limits, flood: Option<&'a Flood>) -> Self {
        Self {
            bridge,
            ovs,
            limits,
            endpoint: flood.map(|flood| &flood.endpoint.actions),
            rows: Vec::new(),
            unread: Unread::default(),
            set_tunnel_options: false,
        }
    }

    /// What an endpoint more would cost is not known after all.
    pub fn forget_endpoint(&mut self) {
        self.endpoint = None;
        for row in &mut self.rows {
            row.headroom_endpoints = None;
        }
    }

    /// How many flows cannot be told for which reason, the most frequent first.
    pub fn untold(&self) -> Vec<(usize, &str)> {
        let mut counts = BTreeMap::new();
        for why in self.rows.iter().filter_map(|row| row.untold.as_deref()) {
            *counts.entry(why).or_insert(0) += 1;
        }
        let mut counts: Vec<_> = counts.into_iter().map(|(why, count)| (count, why)).collect();
        counts.sort_by_key(|(count, _)| Reverse(*count));
        counts
    }

    /// Judges every flow of a dump. `tool` complains of a line that cannot be read, and the others go on.
    ///
    /// # Errors
    /// [`Failure`] if the input fails.
    pub fn read(&mut self, tool: &str, input: impl BufRead) -> Result<(), Failure> {
        self.take(tool, |each| dump::read(tool, input, each))
    }

    /// Judges every flow of a switch.
    ///
    /// # Errors
    /// [`Failure`] if the switch cannot be reached.
    pub fn read_switch(&mut self, tool: &str, remote: &str) -> Result<(), Failure> {
        self.take(tool, |each| dump::read_switch(tool, remote, each))
    }

    fn take(
        &mut self,
        tool: &str,
        read: impl FnOnce(&mut dyn FnMut(Flow)) -> Result<Unread, Failure>,
    ) -> Result<(), Failure> {
        let mut told = Vec::new();
        let mut pipeline = Pipeline::default();
        let is_assumed = self.bridge.assumption().is_some();
        let mut sets_options = false;
        self.unread = read(&mut |flow| {
            sets_options |= is_assumed && sets_tunnel_options(&flow);
            pipeline.see(&flow);
            let row = Row::of(&flow);
            let elsewhere = self.bridge.elsewhere(&flow);
            told.push((predict(&flow, self.bridge, self.ovs), elsewhere, row));
        })?;
        self.set_tunnel_options |= sets_options;
        let is_one_flow = pipeline.has_one_flow_that_outputs() && self.unread.lines == 0;
        for (told, elsewhere, row) in told {
            let tables = elsewhere.tables && !is_one_flow;
            let weighed = told.map(|prediction| {
                let weights = self.weigh(Elsewhere { tables, ..elsewhere }, &prediction);
                (prediction, weights)
            });
            let row = match weighed {
                Ok((prediction, Ok((own, whole)))) => self.judge(row, prediction, &own, whole.as_ref()),
                Ok((_, Err(error))) => {
                    complain(tool, error);
                    row.untold(error.to_string(), error.to_string())
                }
                Err(why) => row.untold(why.to_string(), why.kind()),
            };
            self.rows.push(row);
        }
        Ok(())
    }

    /// The most pressing of all flows.
    pub fn status(&self) -> Status {
        self.rows
            .iter()
            .fold(self.unread.status(), |status, row| status.or(row.status))
    }

    /// What a flow's list meets, and the list that it may be part of.
    fn weigh(
        &self,
        elsewhere: Elsewhere,
        prediction: &Prediction,
    ) -> Result<(Weight, Option<Weight>), EncodeError> {
        let actions = &prediction.actions;
        // In another order, or of another packet, the list may be longer than the one that is looked at.
        let longer = prediction.bytes.most - actions.encoded_len()?;
        // A flow without outputs adds nothing to what others do.
        let whole = match actions.output_count() {
            0 => None,
            _ => self.bridge.with_others(elsewhere, actions, self.ovs),
        };
        let whole = whole.map(|whole| self.limit(whole, longer)).transpose()?;
        Ok((self.limit(actions.clone(), longer)?, whole))
    }

    fn judge(&self, row: Row, prediction: Prediction, own: &Weight, whole: Option<&Weight>) -> Row {
        let (mut name, why) = words(&own.verdict);
        let mut reasons = Vec::from_iter(why);
        let most = whole.unwrap_or(own);
        let mut room = most.room;
        if let Some(whole) = whole.filter(|whole| name == "fast" && whole.verdict != Verdict::Fast) {
            name = "unknown";
            room = None;
            let others = match &self.bridge.others[..] {
                [] => "the bridge".to_owned(),
                others => format!("{} and {}", self.bridge.name, others.join(", ")),
            };
            reasons.push(format!(
                "fast by itself, but other flows may send the packet to other ports of {others}, {} in all: {}",
                whole.outputs, whole.verdict
            ));
        }
        reasons.extend(prediction.notes);
        let is_near = |weight: &Weight| {
            let fits = weight.room.map(|room| weight.outputs + room);
            used(weight.outputs, fits) >= NEAR
        };
        let status = match name {
            "fast" if is_near(most) => Status::Warning,
            "unknown" if whole.is_some() => Status::Warning,
            "fast" | "unknown" => Status::Fine,
            _ => Status::Finding,
        };
        let bytes = prediction.bytes;
        Row {
            outputs: Some(own.outputs),
            bytes: Some(bytes.most),
            bytes_min: (!bytes.is_exact()).then_some(bytes.least),
            outputs_max: whole.map(|whole| whole.outputs),
            bytes_max: whole.map(|whole| whole.bytes),
            verdict: name,
            reason: (!reasons.is_empty()).then(|| reasons.join("; ")),
            headroom_endpoints: self.endpoint.and(room),
            status,
            ..row
        }
    }

    /// What a list meets that may be so many bytes longer.
    fn limit(&self, actions: Actions, longer: usize) -> Result<Weight, EncodeError> {
        let (outputs, bytes) = (actions.output_count(), actions.encoded_len()? + longer);
        let each = self.endpoint.cloned();
        let each = each.unwrap_or_else(|| Actions::from_iter([odp_actions::Action::Output(0)]));
        let growing = Template::new(actions, each)?;
        Ok(Weight {
            outputs,
            bytes,
            verdict: match growing.verdict(0, &self.limits) {
                Verdict::Fast if bytes > MAX_PAYLOAD => Verdict::Oversized { bytes },
                verdict => verdict,
            },
            room: growing.capacity(&self.limits).first().last,
        })
    }
}

/// How the flows of a dump hang together.
#[derive(Debug, Default)]
struct Pipeline {
    has_first_table: bool,
    branches: bool,
}

impl Pipeline {
    fn see(&mut self, flow: &Flow) {
        self.has_first_table |= flow.table == NumberOrName::Number(0);
        let (mut nexts, mut others) = (0, 0);
        for action in &flow.actions {
            match action {
                Action::Resubmit { .. } | Action::GotoTable(_) => nexts += 1,
                _ if is_silent(action) => {}
                _ => others += 1,
            }
        }
        self.branches |= nexts > 1 || nexts == 1 && others > 0;
    }

    /// Whether a packet meets one flow at most that puts it out: of a whole dump, each flow goes on or puts out, but not both.
    fn has_one_flow_that_outputs(&self) -> bool {
        self.has_first_table && !self.branches
    }
}

/// Whether an action changes the packet or a table, and nothing else.
fn is_silent(action: &Action) -> bool {
    matches!(
        action,
        Action::StripVlan
            | Action::PopVlan
            | Action::PushVlan(_)
            | Action::ModVlanVid(_)
            | Action::ModVlanPcp(_)
            | Action::SetVlanVid(_)
            | Action::SetVlanPcp(_)
            | Action::SetTunnel(_)
            | Action::SetTunnel64(_)
            | Action::SetField { .. }
            | Action::Load { .. }
            | Action::Move { .. }
            | Action::Learn(_)
            | Action::Note(_)
    )
}

/// Whether a flow sets a Geneve option or a group policy, wherever in its actions.
fn sets_tunnel_options(flow: &Flow) -> bool {
    let mut actions = flow
        .actions
        .iter()
        .map(|action| action.to_string().to_lowercase());
    actions.any(|text| {
        ["tun_metadata", "tun_gbp"]
            .iter()
            .any(|field| text.contains(field))
    })
}

/// A list, and what it meets.
struct Weight {
    outputs: usize,
    bytes: usize,
    verdict: Verdict,
    room: Option<usize>,
}
