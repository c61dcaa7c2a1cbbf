//! What is wrong with flows together.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use crate::model::{
    action::Action,
    canonical::bits::MatchBits,
    field::Field,
    flow::Flow,
    port::{NumberOrName, TableRef},
};

/// What is wrong with a flow beside others.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum TableProblem {
    /// No packet reaches the flow: another one of its table matches every packet that it matches,
    /// at a higher priority.
    #[error("flow {flow} is shadowed by flow {by}")]
    Shadowed {
        /// The flow's place in the list.
        flow: usize,
        /// The place of the other one.
        by: usize,
    },
    /// An action goes on in a table that has no flows.
    #[error("flow {flow} goes on in table {table}, which is empty")]
    EmptyTable {
        /// The flow's place in the list.
        flow: usize,
        /// The table.
        table: TableRef,
    },
}

/// What is wrong with the flows of a bridge together, by their places in the list.
///
/// Time grows with the number of flows and the number of different sets of masks in a table, as
/// in Open vSwitch's own classifier. Flows of a conjunctive match shadow nothing, nor do flows with
/// options of tunnels or with fields that are not known.
///
/// ```
/// use ofp_codec::{lint::{TableProblem, table_problems}, text::FlowRef};
///
/// let lines = ["priority=9,ip actions=resubmit(,7)", "priority=5,tcp,tp_dst=80 actions=drop"];
/// let flows = lines.map(|line| FlowRef::parse(line.as_bytes()).unwrap().to_flow().unwrap());
/// assert_eq!(table_problems(&flows), [
///     TableProblem::EmptyTable { flow: 0, table: 7.into() },
///     TableProblem::Shadowed { flow: 1, by: 0 },
/// ]);
/// ```
pub fn table_problems(flows: &[Flow]) -> Vec<TableProblem> {
    let tables: BTreeSet<&TableRef> = flows.iter().map(|flow| &flow.table).collect();
    let matches: Vec<MatchBits> = flows
        .iter()
        .map(|flow| MatchBits::of(&flow.matches).pruned())
        .collect();
    let classifier = Classifier::of(flows, &matches);
    let mut found = Vec::new();
    for (flow, bits) in matches.iter().enumerate() {
        let priority = flows[flow].priority;
        if let Some(by) = classifier.above(&flows[flow].table, priority, bits) {
            found.push(TableProblem::Shadowed { flow, by });
        }
        let mut targets = BTreeSet::new();
        next_tables(&flows[flow].actions, &mut targets);
        let empty = targets.into_iter().filter(|table| !tables.contains(table));
        found.extend(empty.map(|table| TableProblem::EmptyTable {
            flow,
            table: table.clone(),
        }));
    }
    found
}

/// The flows of a table by the bits that they look at, and then by the values of these.
#[derive(Default)]
struct Classifier<'a> {
    tables: BTreeMap<&'a TableRef, BTreeMap<Masks, Best<'a>>>,
}

/// By value the highest priority, and the place of the flow that has it.
type Best<'a> = BTreeMap<Values<'a>, (u16, usize)>;

/// The bits of each field, and fields that are given by name.
type Masks = (Vec<(Field, u128)>, Vec<Field>);
/// The values of these bits, and the names.
type Values<'a> = (Vec<u128>, Vec<&'a str>);

impl<'a> Classifier<'a> {
    fn of(flows: &'a [Flow], matches: &'a [MatchBits]) -> Self {
        let mut classifier = Classifier::default();
        for (place, (flow, bits)) in flows.iter().zip(matches).enumerate() {
            let conjunctive = |action: &Action| matches!(action, Action::Conjunction { .. });
            if flow.actions.iter().any(conjunctive) || !bits.is_plain() {
                continue;
            }
            let masks = bits.masks();
            let Some(values) = bits.under(&masks) else {
                continue;
            };
            let table = classifier.tables.entry(&flow.table).or_default();
            let best = table
                .entry(masks)
                .or_default()
                .entry(values)
                .or_insert((flow.priority, place));
            if flow.priority > best.0 {
                *best = (flow.priority, place);
            }
        }
        classifier
    }

    /// The flow of the highest priority above `priority` that matches all that `bits` does.
    fn above(&self, table: &TableRef, priority: u16, bits: &'a MatchBits) -> Option<usize> {
        let sets = self.tables.get(table)?.iter();
        let found = sets.filter_map(|(masks, flows)| flows.get(&bits.under(masks)?));
        let (best, place) = found.max_by_key(|(priority, _)| *priority)?;
        (*best > priority).then_some(*place)
    }
}

/// The tables in which the actions go on.
fn next_tables<'a>(actions: &'a [Action], found: &mut BTreeSet<&'a TableRef>) {
    for action in actions {
        match action {
            Action::GotoTable(table)
            | Action::Resubmit {
                table: Some(table), ..
            } => drop(found.insert(table)),
            Action::Ct(ct) => found.extend(&ct.table),
            Action::Clone(actions) | Action::WriteActions(actions) => next_tables(actions, found),
            _ => {}
        }
    }
    // A resubmit's way to say its own table.
    found.remove(&NumberOrName::Number(255));
}

impl MatchBits {
    /// Whether all of it is bits and names.
    fn is_plain(&self) -> bool {
        self.options.is_empty() && self.unknown.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::FlowRef;

    fn problems<const N: usize>(lines: [&str; N]) -> Vec<TableProblem> {
        let flows = lines.map(|line| FlowRef::parse(line.as_bytes()).unwrap().to_flow().unwrap());
        table_problems(&flows)
    }

    #[test]
    fn a_flow_below_one_that_matches_all_of_its_packets_is_shadowed() {
        for (high, low) in [
            ("priority=2 actions=", "priority=1,ip actions="),
            (
                "priority=2,ip,nw_dst=10.0.0.0/8 actions=",
                "priority=1,ip,nw_dst=10.1.0.0/16 actions=",
            ),
            (
                "priority=2,reg1=0x1/0x1 actions=",
                "priority=1,xxreg0=0x30000000000000000 actions=",
            ),
            (
                "priority=2,reg1=0x1/0x1 actions=",
                "priority=1,xreg0=0x3 actions=",
            ),
            (
                "priority=2,vlan_tci=0x1000/0x1000 actions=",
                "priority=1,dl_vlan=5 actions=",
            ),
            (
                "priority=2,in_port=eth0 actions=",
                "priority=1,in_port=eth0,arp actions=",
            ),
        ] {
            let shadowed = TableProblem::Shadowed { flow: 1, by: 0 };
            assert_eq!(problems([high, low]), [shadowed], "{high} {low}");
        }
    }

    #[test]
    fn a_flow_with_packets_of_its_own_is_not() {
        for (high, low) in [
            ("priority=1 actions=", "priority=1,ip actions="),
            ("table=1,priority=2 actions=", "priority=1,ip actions="),
            ("priority=2,tcp actions=", "priority=1,ip actions="),
            ("priority=2,reg0=1/1 actions=", "priority=1,reg0=2/2 actions="),
            (
                "priority=2,in_port=eth0 actions=",
                "priority=1,in_port=eth1 actions=",
            ),
            ("priority=2,in_port=eth0 actions=", "priority=1,ip actions="),
            (
                "priority=2,ip actions=conjunction(1,1/2)",
                "priority=1,ip actions=",
            ),
            (
                "priority=2,tun_metadata0=1 actions=",
                "priority=1,tun_metadata0=1 actions=",
            ),
            ("priority=2,new=1 actions=", "priority=1,new=1 actions="),
        ] {
            assert_eq!(problems([high, low]), [], "{high} {low}");
        }
    }

    #[test]
    fn a_table_without_flows_is_named_wherever_an_action_goes_there() {
        let lines = [
            "table=0 actions=clone(resubmit(,3)),ct(table=4),resubmit:2,resubmit(1,255)",
            "table=4 actions=goto_table:5",
        ];
        let empty = |flow, table: u8| TableProblem::EmptyTable {
            flow,
            table: table.into(),
        };
        assert_eq!(problems(lines), [empty(0, 3), empty(1, 5)]);
    }
}
