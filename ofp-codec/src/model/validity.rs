//! What Open vSwitch refuses of a flow that is well-formed: one set of rules for `lint` and for messages.

mod actions;
mod arguments;
mod matches;
pub(crate) mod order;
mod packet;
mod problem;
mod references;
mod value;

use alloc::vec::Vec;

use crate::model::{flow::Flow, version::Version};

pub use self::problem::Problem;
pub(crate) use self::{actions::is_output, value::has_value};

/// What is wrong with a flow: first with its match, then with its actions in their order.
pub(crate) fn problems(flow: &Flow) -> Vec<Problem> {
    let mut found = Vec::new();
    matches::check(&flow.matches, &mut found);
    arguments::check(flow, &mut found);
    actions::check(flow, &mut found);
    references::check(flow, &mut found);
    order::check(&flow.actions, &mut found);
    found
}

/// The name of the error with which a switch refuses the actions of a flow, which are well-formed and
/// may stand together, for what they do to its packets (`ofpacts_check_consistency` in
/// lib/ofp-actions.c).
pub(crate) fn refused(flow: &Flow, version: Version) -> Option<&'static str> {
    let mut found = Vec::new();
    actions::check(flow, &mut found);
    // What OpenFlow 1.0 allows is found last.
    found.sort_by_key(|problem| matches!(problem, Problem::Inconsistent(_)));
    found.iter().find_map(|problem| problem.error_name(version))
}
