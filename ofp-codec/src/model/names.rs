use alloc::{boxed::Box, collections::BTreeMap};

use crate::model::{
    action::{Action, learn::LearnSpec},
    field::{Field, Format},
    flow::Flow,
    matches::{MatchEntry, Value},
    port::{NumberOrName, Port, PortRef, TableRef},
};

/// The numbers of a bridge's ports and tables, by name.
///
/// ```
/// use ofp_codec::{Names, Port, text::FlowRef};
///
/// let mut names = Names::default();
/// names.ports.insert("eth0".into(), Port(3));
/// let mut flow = FlowRef::parse(b"in_port=eth0 actions=clone(output:eth0),output:eth1")?.to_flow()?;
/// flow.resolve(&names);
/// assert_eq!(flow.matches.to_string(), "in_port=3");
/// assert_eq!(flow.actions[0].to_string(), "clone(output:3)");
/// assert_eq!(flow.actions[1].to_string(), "output:eth1");
/// # Ok::<(), ofp_codec::text::ParseError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// The ports.
    pub ports: BTreeMap<Box<str>, Port>,
    /// The tables.
    pub tables: BTreeMap<Box<str>, u8>,
}

impl Flow {
    /// Puts numbers in the place of the names that are known, in the match and in every action.
    pub fn resolve(&mut self, names: &Names) {
        names.table(&mut self.table);
        for entry in &mut self.matches.0 {
            if let MatchEntry::Field(found) = entry {
                names.value(found.field, &mut found.value);
            }
        }
        names.actions(&mut self.actions);
    }
}

impl Names {
    fn actions(&self, actions: &mut [Action]) {
        actions.iter_mut().for_each(|action| self.action(action));
    }

    fn action(&self, action: &mut Action) {
        match action {
            Action::Output(port) | Action::OutputTrunc { port, .. } | Action::Enqueue { port, .. } => {
                self.port(port);
            }
            Action::SetField { field, value, .. } => self.value(*field, value),
            Action::Resubmit { port, table, .. } => {
                port.iter_mut().for_each(|port| self.port(port));
                table.iter_mut().for_each(|table| self.table(table));
            }
            Action::GotoTable(table) => self.table(table),
            Action::Bundle(bundle) => bundle.members.iter_mut().for_each(|port| self.port(port)),
            Action::Sample(sample) => sample.sampling_port.iter_mut().for_each(|port| self.port(port)),
            Action::Learn(learn) => {
                self.table(&mut learn.table);
                for spec in &mut learn.specs {
                    if let LearnSpec::MatchField { field, value } = spec {
                        self.value(*field, value);
                    }
                }
            }
            Action::Ct(ct) => {
                ct.table.iter_mut().for_each(|table| self.table(table));
                self.actions(&mut ct.exec);
            }
            Action::Clone(actions) | Action::WriteActions(actions) => self.actions(actions),
            _ => {}
        }
    }

    fn port(&self, port: &mut PortRef) {
        let known = port.name().and_then(|name| self.ports.get(name));
        if let Some(known) = known {
            *port = NumberOrName::Number(*known);
        }
    }

    fn table(&self, table: &mut TableRef) {
        let known = table.name().and_then(|name| self.tables.get(name));
        if let Some(known) = known {
            *table = NumberOrName::Number(*known);
        }
    }

    fn value(&self, field: Field, value: &mut Value) {
        if let (Format::Port, Value::Name(name)) = (field.info().format, &*value) {
            if let Some(Port(number)) = self.ports.get(name) {
                *value = Value::Number((*number).into());
            }
        }
    }
}
