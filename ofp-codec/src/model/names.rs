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
        self.references(&mut |reference| match reference {
            Reference::Port(port) => {
                if let Some(known) = port.name().and_then(|name| names.ports.get(name)) {
                    *port = NumberOrName::Number(*known);
                }
            }
            Reference::Table(table) => {
                if let Some(known) = table.name().and_then(|name| names.tables.get(name)) {
                    *table = NumberOrName::Number(*known);
                }
            }
            Reference::Value(value) => {
                let known = value.name().and_then(|name| names.ports.get(name));
                if let Some(Port(number)) = known {
                    *value = Value::Number((*number).into());
                }
            }
        });
    }

    /// Visits each port and each table that the flow speaks of: its own table, those of the match,
    /// those of the actions.
    pub(crate) fn references(&mut self, visit: &mut dyn FnMut(Reference<'_>)) {
        visit(Reference::Table(&mut self.table));
        for entry in &mut self.matches.0 {
            if let MatchEntry::Field(found) = entry {
                value(found.field, &mut found.value, visit);
            }
        }
        actions(&mut self.actions, visit);
    }
}

/// A port or a table that a flow speaks of.
pub(crate) enum Reference<'a> {
    Port(&'a mut PortRef),
    Table(&'a mut TableRef),
    /// The value of a field that is a port.
    Value(&'a mut Value),
}

impl Reference<'_> {
    /// The name, if it is one.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Reference::Port(port) => port.name(),
            Reference::Table(table) => table.name(),
            Reference::Value(value) => value.name(),
        }
    }
}

fn actions(actions: &mut [Action], visit: &mut dyn FnMut(Reference<'_>)) {
    actions.iter_mut().for_each(|found| action(found, visit));
}

fn action(action: &mut Action, visit: &mut dyn FnMut(Reference<'_>)) {
    match action {
        Action::Output(port) | Action::OutputTrunc { port, .. } | Action::Enqueue { port, .. } => {
            visit(Reference::Port(port));
        }
        Action::SetField {
            field, value: set, ..
        } => value(*field, set, visit),
        Action::Resubmit { port, table, .. } => {
            port.iter_mut().for_each(|port| visit(Reference::Port(port)));
            table.iter_mut().for_each(|table| visit(Reference::Table(table)));
        }
        Action::GotoTable(table) => visit(Reference::Table(table)),
        Action::Bundle(bundle) => {
            bundle
                .members
                .iter_mut()
                .for_each(|port| visit(Reference::Port(port)));
        }
        Action::Sample(sample) => {
            sample
                .sampling_port
                .iter_mut()
                .for_each(|port| visit(Reference::Port(port)));
        }
        Action::Learn(learn) => {
            visit(Reference::Table(&mut learn.table));
            for spec in &mut learn.specs {
                if let LearnSpec::MatchField {
                    field,
                    value: learned,
                } = spec
                {
                    value(*field, learned, visit);
                }
            }
        }
        Action::Ct(ct) => {
            ct.table
                .iter_mut()
                .for_each(|table| visit(Reference::Table(table)));
            actions(&mut ct.exec, visit);
        }
        Action::Clone(inner) | Action::WriteActions(inner) => actions(inner, visit),
        _ => {}
    }
}

fn value(field: Field, value: &mut Value, visit: &mut dyn FnMut(Reference<'_>)) {
    if field.info().format == Format::Port {
        visit(Reference::Value(value));
    }
}
