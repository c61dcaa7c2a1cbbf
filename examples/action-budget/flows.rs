//! Flow by flow: what becomes of its actions.

use std::io::BufRead;

use examples::bridge::Bridge;
use examples::cli::{Failure, Status, complain};
use examples::dump::{self, Unread};
use examples::flood::{Flood, NEAR, used};
use examples::predict::{Prediction, predict};
use netlink_genl::nlattr::MAX_PAYLOAD;
use odp_actions::{Template, Verdict};
use ofp_codec::Flow;
use serde::Serialize;
use serde_json::{Value, json};

use crate::TOOL;
use crate::report::words;

/// The flows of a dump, judged.
pub struct Flows<'a> {
    bridge: &'a Bridge,
    flood: &'a Flood,
    pub rows: Vec<Row>,
    pub unread: Unread,
}

/// One flow.
#[derive(Debug, Serialize)]
pub struct Row {
    pub table: Value,
    pub priority: u16,
    pub cookie: String,
    #[serde(rename = "match")]
    pub matches: String,
    pub outputs: Option<usize>,
    pub bytes: Option<usize>,
    /// Where the packet decides: the least that it can be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_min: Option<usize>,
    pub verdict: &'static str,
    pub reason: Option<String>,
    pub headroom_endpoints: Option<usize>,
    #[serde(skip)]
    status: Status,
}

impl<'a> Flows<'a> {
    pub fn new(bridge: &'a Bridge, flood: &'a Flood) -> Self {
        Self {
            bridge,
            flood,
            rows: Vec::new(),
            unread: Unread::default(),
        }
    }

    /// Judges every flow of a dump. A line that cannot be read is complained about, and the others go on.
    pub fn read(&mut self, input: impl BufRead) -> Result<(), Failure> {
        let mut rows = Vec::new();
        self.unread = dump::read(TOOL, input, |flow| rows.push(self.judge(&flow)))?;
        self.rows.append(&mut rows);
        Ok(())
    }

    pub fn status(&self) -> Status {
        self.rows
            .iter()
            .fold(self.unread.status(), |status, row| status.or(row.status))
    }

    fn judge(&self, flow: &Flow) -> Row {
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
            Ok(prediction) => self.weigh(prediction, row),
            Err(why) => Row {
                reason: Some(why),
                ..row
            },
        }
    }

    fn weigh(&self, prediction: Prediction, row: Row) -> Row {
        let Prediction {
            actions,
            bytes: bounds,
            notes,
        } = prediction;
        let outputs = actions.output_count();
        let growing = Template::new(actions, self.flood.endpoint.actions.clone());
        let Ok(growing) = growing.map_err(|error| complain(TOOL, error)) else {
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
