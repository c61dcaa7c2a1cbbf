//! What happens to flows, as the switch tells it.

use ofp_codec::client::{FlowWatch, Options, WatchEvent};
use ofp_codec::wire::MonitorRequest;
use ofp_codec::{Action, Flow, NumberOrName, PortRef};

use super::{Lane, Step, Steps, What};
use crate::cli::{self, Failure, complain};
use crate::dump::selector;
use crate::openflow;

/// Tells of all flows until nobody listens, over lost connections.
///
/// # Errors
/// The switch cannot be reached at first.
pub(super) fn flows(tool: &str, remote: &str, steps: &Steps) -> Result<(), Failure> {
    cli::block_on(async {
        let failed = openflow::failed(remote);
        let mut watch = FlowWatch::new(remote, Options::default(), MonitorRequest::default());
        let (mut first, mut lost) = (true, false);
        let mut event = cli::patiently(tool, remote, watch.next()).await;
        loop {
            let told = match event {
                WatchEvent::Added(flow) if first => Some(tell(What::Is, &flow)),
                WatchEvent::Added(flow) => Some(tell(What::Came, &flow)),
                WatchEvent::Modified(flow) => Some(tell(What::Changed, &flow)),
                WatchEvent::Removed(flow) => Some(tell(What::Went, &flow)),
                WatchEvent::InSync => {
                    (first, lost) = (false, false);
                    None
                }
                WatchEvent::Lost(error) if first => return Err(failed(error)),
                WatchEvent::Refused(error) => return Err(failed(error)),
                WatchEvent::Lost(error) => {
                    if !lost {
                        complain(tool, format_args!("{}; trying again", failed(error).text));
                    }
                    lost = true;
                    None
                }
                WatchEvent::Bad(bad) => {
                    complain(tool, format_args!("{remote}: a flow that cannot be read: {bad}"));
                    None
                }
                _ => None,
            };
            if told.is_some_and(|told| steps.send(Ok(told)).is_err()) {
                return Ok(());
            }
            event = watch.next().await;
        }
    })
}

fn tell(what: What, flow: &Flow) -> Step {
    let flow = flow.normal();
    let mut ofports: Vec<u32> = flow.matches.in_port().iter().filter_map(number).collect();
    outputs(&flow.actions, &mut ofports);
    let key = selector(&flow);
    let text = match what {
        What::Went => key,
        _ => {
            let actions: Vec<_> = flow.actions.iter().map(ToString::to_string).collect();
            format!("{key} cookie={:#x} actions={}", flow.cookie, actions.join(","))
        }
    };
    Step {
        ofports,
        ..Step::now(String::new(), Lane::Flow, what, text)
    }
}

/// The ports that actions send to, also from within others.
fn outputs(actions: &[Action], ofports: &mut Vec<u32>) {
    for action in actions {
        match action {
            Action::Output(port) | Action::OutputTrunc { port, .. } | Action::Enqueue { port, .. } => {
                ofports.extend(number(port));
            }
            Action::Bundle(bundle) => ofports.extend(bundle.members.iter().filter_map(number)),
            Action::Clone(actions) | Action::WriteActions(actions) => outputs(actions, ofports),
            _ => {}
        }
    }
}

fn number(port: &PortRef) -> Option<u32> {
    match port {
        NumberOrName::Number(port) => Some(port.0),
        NumberOrName::Name(_) => None,
    }
}
