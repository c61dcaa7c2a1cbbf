//! What happens to flows, as the switch tells it.

use std::collections::HashMap;
use std::sync::mpsc::Sender;

use examples::cli::{self, Failure, complain};
use examples::dump::selector;
use examples::openflow;
use ofp_codec::client::MonitorEvent;
use ofp_codec::wire::{FlowUpdate, MonitorRequest};
use ofp_codec::{Action, Flow, NumberOrName, Version};

use crate::TOOL;
use crate::event::{Lane, Said, What};

/// Tells of all flows until nobody listens.
///
/// # Errors
/// The switch cannot be reached, or the connection ends.
pub fn flows(remote: &str, said: &Sender<Result<Said, Failure>>) -> Result<(), Failure> {
    let failed = openflow::failed(remote);
    cli::block_on(async {
        let mut switch = cli::patiently(TOOL, remote, openflow::connect(remote)).await?;
        let version = switch.version();
        let mut monitor = switch.monitor(&MonitorRequest::default()).map_err(&failed)?;
        let mut known = Known::default();
        // Before OpenFlow 1.4 a switch does not tell flows that were there from new ones.
        let mut first = true;
        loop {
            let told = match monitor.next().await.map_err(&failed)? {
                MonitorEvent::InSync => {
                    first = false;
                    None
                }
                MonitorEvent::Update(update) => known.tell(&update, first, version),
                MonitorEvent::Bad(bad) => {
                    complain(TOOL, format_args!("{remote}: a flow that cannot be read: {bad}"));
                    None
                }
                _ => None,
            };
            if told.is_some_and(|told| said.send(Ok(told)).is_err()) {
                return Ok(());
            }
        }
    })
}

/// The ports that flows name, by what tells one flow from another: what is told of a flow that goes lacks its actions.
#[derive(Default)]
struct Known(HashMap<String, Vec<u32>>);

impl Known {
    fn tell(&mut self, update: &FlowUpdate, first: bool, version: Version) -> Option<Said> {
        let (what, flow) = match update {
            FlowUpdate::Initial(flow) => (What::Is, flow),
            FlowUpdate::Added(flow) if first => (What::Is, flow),
            FlowUpdate::Added(flow) => (What::Came, flow),
            FlowUpdate::Modified(flow) => (What::Changed, flow),
            FlowUpdate::Removed { flow, .. } => (What::Went, flow),
            _ => return None,
        };
        let flow = flow.canonical(version);
        let key = selector(&flow);
        let (ofports, text) = match what {
            What::Went => (self.0.remove(&key).unwrap_or_else(|| ports(&flow)), key),
            _ => {
                let ofports = ports(&flow);
                self.0.insert(key.clone(), ofports.clone());
                let actions: Vec<_> = flow.actions.iter().map(ToString::to_string).collect();
                (
                    ofports,
                    format!("{key} cookie={:#x} actions={}", flow.cookie, actions.join(",")),
                )
            }
        };
        Some(Said {
            ofports,
            ..Said::of(String::new(), Lane::Flow, what, text)
        })
    }
}

/// The ports that a flow matches, or sends to.
fn ports(flow: &Flow) -> Vec<u32> {
    let outputs = flow.actions.iter().filter_map(|action| match action {
        Action::Output(port) => Some(port.clone()),
        _ => None,
    });
    let named = flow.matches.in_port().into_iter().chain(outputs);
    named
        .filter_map(|port| match port {
            NumberOrName::Number(port) => Some(port.0),
            NumberOrName::Name(_) => None,
        })
        .collect()
}
