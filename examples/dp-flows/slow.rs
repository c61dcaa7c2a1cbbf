//! Why the packets of a flow go through `ovs-vswitchd`.

use netlink_genl::nlattr::MAX_PAYLOAD;
use odp_actions::action::{Cookie, SLOW_PATH_REASONS, UserspaceAttr};
use odp_actions::{Action, Actions};

/// A reason that the flow itself states.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reason(&'static str);

impl Reason {
    /// As `slow_path(..)` has it.
    pub fn name(self) -> &'static str {
        self.0
    }

    /// Packets of a protocol that `ovs-vswitchd` speaks have to come to it.
    pub fn is_normal(self) -> bool {
        !matches!(self.0, "action" | "match")
    }

    pub fn explanation(self) -> String {
        match self.0 {
            "action" => format!(
                "the datapath cannot have these actions: more than {MAX_PAYLOAD} bytes, more outputs than \
                 net.core.netdev_max_backlog, or one that it does not know; `action-budget` tells which"
            ),
            "match" => "the datapath cannot match as specifically as the OpenFlow flows do, as on ND options without \
                        support for them"
                .to_owned(),
            protocol => format!("ovs-vswitchd speaks {}: this is as it should be", protocol.to_uppercase()),
        }
    }
}

/// The reasons in a list of actions, at any depth.
pub fn reasons(actions: &Actions) -> Vec<Reason> {
    let mut reasons = Vec::new();
    gather(actions, &mut reasons);
    reasons.sort_unstable();
    reasons.dedup();
    reasons
}

fn gather(actions: &Actions, reasons: &mut Vec<Reason>) {
    for action in actions.iter() {
        if let Action::Userspace(userspace) = action {
            for attr in userspace.attrs() {
                let UserspaceAttr::Userdata(data) = attr else {
                    continue;
                };
                if let Some(Cookie::SlowPath { reason }) = data.cookie() {
                    let named = SLOW_PATH_REASONS.iter().filter(|(bit, _)| reason & bit != 0);
                    reasons.extend(named.map(|(_, name)| Reason(name)));
                }
            }
        }
        action.lists().for_each(|list| gather(list, reasons));
    }
}
