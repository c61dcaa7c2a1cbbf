//! The order of instructions.

use alloc::vec::Vec;

use crate::{lint::Problem, model::action::Action};

/// The instructions of OpenFlow 1.1 have an order (`ofpacts_verify` in lib/ofp-actions.c).
pub(super) fn check(actions: &[Action], found: &mut Vec<Problem>) {
    let mut last = 0;
    for action in actions {
        let (place, name) = match action {
            Action::Meter(_) => (0, "meter"),
            Action::ClearActions => (2, "clear_actions"),
            Action::WriteActions(_) => (3, "write_actions"),
            Action::WriteMetadata { .. } => (4, "write_metadata"),
            Action::GotoTable(_) => (5, "goto_table"),
            _ => (1, "an action"),
        };
        if place < last {
            found.push(Problem::Order(name));
        }
        last = last.max(place);
    }
}
