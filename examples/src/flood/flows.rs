//! Flow by flow: what becomes of its actions.

use std::io::BufRead;

use netlink_genl::nlattr::MAX_PAYLOAD;
use odp_actions::{Template, Verdict};
use ofp_codec::Flow;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Flood, NEAR, used, words};
use crate::bridge::Bridge;
use crate::cli::{Failure, Status, complain};
use crate::dump::{self, Unread};
use crate::predict::{Prediction, predict};

/// The flows of a dump, judged.
#[derive(Clone, Debug)]
pub struct Flows<'a> {
    bridge: &'a Bridge,
    flood: &'a Flood,
    /// In the order of the dump.
    pub rows: Vec<Row>,
    /// How much of it could not be read.
    pub unread: Unread,
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
    /// As [`words`] has it.
    pub verdict: &'static str,
    /// Why it is not simply fast, or cannot be told.
    pub reason: Option<String>,
    /// How many more endpoints fit.
    pub headroom_endpoints: Option<usize>,
    #[serde(skip)]
    status: Status,
}

impl<'a> Flows<'a> {
    /// None yet. What an endpoint more would cost is that of `flood`.
    pub fn new(bridge: &'a Bridge, flood: &'a Flood) -> Self {
        Self {
            bridge,
            flood,
            rows: Vec::new(),
            unread: Unread::default(),
        }
    }

    /// Judges every flow of a dump. `tool` complains of a line that cannot be read, and the others go on.
    ///
    /// # Errors
    /// [`Failure`] if the input fails.
    pub fn read(&mut self, tool: &str, input: impl BufRead) -> Result<(), Failure> {
        let mut rows = Vec::new();
        self.unread = dump::read(tool, input, |flow| rows.push(self.judge(tool, &flow)))?;
        self.rows.append(&mut rows);
        Ok(())
    }

    /// The most pressing of all flows.
    pub fn status(&self) -> Status {
        self.rows
            .iter()
            .fold(self.unread.status(), |status, row| status.or(row.status))
    }

    fn judge(&self, tool: &str, flow: &Flow) -> Row {
        let row = Row {
            table: json!(flow.table),
            priority: flow.priority,
            cookie: format!("{:#x}", flow.cookie),
            matches: flow.matches.to_string(),
            outputs: None,
            bytes: None,
            bytes_min: None,
            verdict: "unknown",
            reason: None,
            headroom_endpoints: None,
            status: Status::Fine,
        };
        match predict(flow, self.bridge, self.flood.ovs) {
            Ok(prediction) => self.weigh(tool, prediction, row),
            Err(why) => Row {
                reason: Some(why),
                ..row
            },
        }
    }

    fn weigh(&self, tool: &str, prediction: Prediction, row: Row) -> Row {
        let Prediction {
            actions,
            bytes: bounds,
            notes,
        } = prediction;
        let outputs = actions.output_count();
        let growing = Template::new(actions, self.flood.endpoint.actions.clone());
        let Ok(growing) = growing.map_err(|error| complain(tool, error)) else {
            return row;
        };
        // In another order, or of another packet, the list may be longer than the one that is looked at.
        let verdict = match growing.verdict(0, &self.flood.limits) {
            Verdict::Fast if bounds.most > MAX_PAYLOAD => Verdict::Oversized { bytes: bounds.most },
            verdict => verdict,
        };
        let room = growing.capacity(&self.flood.limits).first().last;
        let (name, why) = words(&verdict);
        let notes = notes.iter().map(|note| (*note).to_owned());
        let reasons: Vec<String> = why.into_iter().chain(notes).collect();
        let status = match name {
            "fast" if used(outputs, room.map(|room| outputs + room)) >= NEAR => Status::Warning,
            "fast" | "unknown" => Status::Fine,
            _ => Status::Finding,
        };
        Row {
            outputs: Some(outputs),
            bytes: Some(bounds.most),
            bytes_min: (!bounds.is_exact()).then_some(bounds.least),
            verdict: name,
            reason: (!reasons.is_empty()).then(|| reasons.join("; ")),
            headroom_endpoints: room,
            status,
            ..row
        }
    }
}
