//! Flow by flow: what becomes of its actions.

use std::io::BufRead;

use examples::bridge::Bridge;
use examples::cli::{Failure, Status, chain, complain};
use examples::predict::{Prediction, predict};
use odp_actions::{Rejection, Template, Verdict};
use ofp_codec::text::{DumpReader, FlowRef, Item, ReadError};
use ofp_codec::{Flow, NumberOrName};
use serde::Serialize;
use serde_json::Value;

use crate::TOOL;
use crate::budget::{Budget, WARN, used};

/// The flows of a dump, judged.
pub struct Flows<'a> {
    bridge: &'a Bridge,
    budget: &'a Budget,
    pub rows: Vec<Row>,
    /// Lines that could not be read.
    pub unread: usize,
    /// A dump had no line, not even a header.
    empty: bool,
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
    pub fn new(bridge: &'a Bridge, budget: &'a Budget) -> Self {
        Self {
            bridge,
            budget,
            rows: Vec::new(),
            unread: 0,
            empty: false,
        }
    }

    /// Judges every flow of a dump. A line that cannot be read is complained about, and the others go on.
    pub fn read(&mut self, dump: impl BufRead) -> Result<(), Failure> {
        let mut reader = DumpReader::new(dump);
        self.empty = true;
        while let Some(item) = reader.next_item() {
            self.empty = false;
            let lost = |name: &[u8]| {
                Err(format!(
                    "ovs-ofctl lost flows here: {}",
                    String::from_utf8_lossy(name)
                ))
            };
            let judged = match item {
                Ok(Item::Flow(flow)) => self.judge(&flow).map_err(|error| error.to_string()),
                Ok(Item::DecodeError(error)) => lost(error.name),
                Ok(Item::Header(header)) => header.decode_error.map_or(Ok(()), lost),
                Ok(_) => Ok(()),
                Err(ReadError::Parse(error)) => Err(error.to_string()),
                Err(error) => return Err(Failure::blind(chain(&error))),
            };
            if let Err(line) = judged {
                self.unread += 1;
                complain(TOOL, line);
            }
        }
        if self.empty {
            complain(
                TOOL,
                "the dump is empty: either there are no flows, or ovs-ofctl failed",
            );
        }
        Ok(())
    }

    pub fn status(&self) -> Status {
        let status = self
            .rows
            .iter()
            .fold(Status::Fine, |status, row| status.or(row.status));
        if self.unread > 0 || self.empty {
            status.or(Status::Blind)
        } else {
            status
        }
    }

    fn judge(&mut self, flow: &FlowRef<'_>) -> Result<(), ofp_codec::text::ParseError> {
        let flow = flow.to_flow()?;
        let row = Row {
            table: match &flow.table {
                NumberOrName::Number(number) => Value::from(*number),
                NumberOrName::Name(name) => Value::from(&**name),
            },
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
        self.rows.push(self.weigh(&flow, row));
        Ok(())
    }

    fn weigh(&self, flow: &Flow, row: Row) -> Row {
        let Prediction {
            actions,
            least_bytes,
            notes,
        } = match predict(flow, self.bridge, self.budget.ovs) {
            Ok(prediction) => prediction,
            Err(why) => {
                return Row {
                    reason: Some(why),
                    ..row
                };
            }
        };
        let outputs = actions.output_count();
        let growing = Template::new(actions, self.budget.endpoint.actions.clone());
        let Ok(growing) = growing.map_err(|error| complain(TOOL, error)) else {
            return row;
        };
        let limits = &self.budget.limits;
        let verdict = growing.verdict(0, limits);
        let room = growing.capacity(limits).first().last;
        let bytes = growing.bytes(0);
        let reasons = (verdict != Verdict::Fast).then(|| verdict.to_string());
        let reasons: Vec<String> = reasons
            .into_iter()
            .chain(notes.iter().map(|note| (*note).to_owned()))
            .collect();
        let (verdict, status) = match verdict {
            Verdict::Fast if used(outputs, room.map(|room| outputs + room)) >= WARN => {
                ("fast", Status::Warning)
            }
            Verdict::Fast => ("fast", Status::Fine),
            Verdict::Kernel(Rejection::Unknown { .. }) => ("unknown", Status::Fine),
            Verdict::Kernel(_) => ("kernel-reject", Status::Finding),
            _ => ("slow", Status::Finding),
        };
        Row {
            outputs: Some(outputs),
            bytes: Some(bytes),
            bytes_min: least_bytes,
            verdict,
            reason: (!reasons.is_empty()).then(|| reasons.join("; ")),
            headroom_endpoints: room,
            status,
            ..row
        }
    }
}
