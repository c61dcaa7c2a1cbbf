//! Ports and tables that a flow speaks of.

use alloc::vec::Vec;

use crate::model::{
    flow::Flow,
    matches::Value,
    names::Reference,
    port::{NumberOrName, Port},
    validity::Problem,
};

/// Ports that no switch has, and names that Open vSwitch would not read back.
pub(super) fn check(flow: &Flow, found: &mut Vec<Problem>) {
    let mut flow = flow.clone();
    flow.references(&mut |reference| {
        let port = match &reference {
            Reference::Port(NumberOrName::Number(port)) => Some(*port),
            Reference::Value(Value::Number(number)) => u32::try_from(*number).ok().map(Port),
            _ => None,
        };
        found.extend(port.filter(|port| !port.exists()).map(Problem::Port));
        found.extend(
            reference
                .name()
                .filter(|name| breaks(name))
                .map(|_| Problem::Name),
        );
    });
    // The actions begin for Open vSwitch at the first `action` of the line.
    flow.actions.clear();
    flow.references(&mut |reference| {
        let early = reference.name().is_some_and(|name| name.contains("action"));
        found.extend(early.then_some(Problem::Name));
    });
}

/// Whether a value ends inside the name or behind it (`ofputil_parse_key_value` in lib/ofp-parse.c).
fn breaks(name: &str) -> bool {
    let mut open = 0_usize;
    for c in name.chars() {
        match c {
            '(' => open += 1,
            ')' if open > 0 => open -= 1,
            ',' | ' ' | ')' if open == 0 => return true,
            _ => {}
        }
    }
    open > 0
}
