//! Actions as they are printed: what no text says is gone, and names are those that Open vSwitch
//! has.

use alloc::{boxed::Box, vec::Vec};
use core::fmt;

use crate::model::{
    action::{
        Action,
        ct::{Nat, NumberOrSubfield},
        learn::LearnSpec,
    },
    canonical::actions::{Context, Sink},
    matches::Value,
    port::{NumberOrName, Port},
    print::write_list,
    subfield::Subfield,
    version::Version,
};

/// The actions as a switch of this version prints them; [`Action::Drop`] for none.
pub(super) fn printed(actions: &[Action], context: Context) -> Vec<Action> {
    or_drop(nested(actions, context))
}

/// The actions as a program prints them that has them from a message; [`Action::Drop`] for none.
pub(super) fn received(actions: &[Action]) -> Vec<Action> {
    or_drop(as_received(actions))
}

fn as_received(actions: &[Action]) -> Vec<Action> {
    let print = |action| print(action, &as_received, Detail::Printed);
    actions.iter().map(print).collect()
}

fn or_drop(actions: Vec<Action>) -> Vec<Action> {
    match actions.is_empty() {
        true => alloc::vec![Action::Drop],
        false => actions,
    }
}

/// The actions as a version says them, with all that they are, and under the names that are printed.
pub(in crate::model) fn whole(actions: &[Action], context: Context) -> Vec<Action> {
    translated(actions, context, Detail::All)
}

/// A list inside an action; the packet is the same or a copy of it.
fn nested(actions: &[Action], context: Context) -> Vec<Action> {
    translated(actions, context, Detail::Printed)
}

fn translated(actions: &[Action], context: Context, detail: Detail) -> Vec<Action> {
    let list = Vec::with_capacity(actions.len());
    let mut printer = Printer { list, detail };
    context.translate(actions, &mut printer);
    printer.list
}

/// How much of an action stays.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Detail {
    /// What there are words for.
    Printed,
    All,
}

/// Actions as Open vSwitch prints them that it has from the wire: what its words leave out is left out
/// here, too (the flags of a `nat` without an address), and an empty list is `drop`.
///
/// ```
/// use ofp_codec::{Action, Nat, NatSide, wire::PrintedActions};
///
/// let nat = Action::Nat(Box::new(Nat { side: Some(NatSide::Src), random: true, ..Nat::default() }));
/// assert_eq!(nat.to_string(), "nat(src,random)");
/// assert_eq!(PrintedActions(&[nat]).to_string(), "nat(src)");
/// assert_eq!(PrintedActions(&[]).to_string(), "drop");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PrintedActions<'a>(pub &'a [Action]);

impl fmt::Display for PrintedActions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_list(f, &received(self.0))
    }
}

struct Printer {
    list: Vec<Action>,
    detail: Detail,
}

impl Sink for Printer {
    fn put(&mut self, action: &Action, context: Context) {
        match action {
            Action::Enqueue { port, queue } if context.version > Version::V1_0 => self.list.extend([
                Action::SetQueue(*queue),
                Action::Output(port.clone()),
                Action::PopQueue,
            ]),
            action => {
                let detail = self.detail;
                let nested = |actions: &[Action]| translated(actions, context, detail);
                self.list.push(print(action, &nested, detail));
            }
        }
    }
}

/// An action with the names that are printed in it; `nested` makes that of the actions inside.
fn print(action: &Action, nested: &dyn Fn(&[Action]) -> Vec<Action>, detail: Detail) -> Action {
    match action {
        Action::OutputReg(bits) => Action::OutputReg(header(bits)),
        Action::Push(bits) => Action::Push(header(bits)),
        Action::Pop(bits) => Action::Pop(header(bits)),
        Action::Move { src, dst } => Action::Move {
            src: header(src),
            dst: header(dst),
        },
        Action::CheckPktLarger { len, dst } => Action::CheckPktLarger {
            len: *len,
            dst: header(dst),
        },
        Action::Resubmit { port, table, ct } => Action::Resubmit {
            port: port
                .clone()
                .filter(|port| *port != NumberOrName::Number(Port::IN_PORT)),
            table: table
                .clone()
                .filter(|table| *table != NumberOrName::Number(NO_TABLE)),
            // `format_RESUBMIT` has no words for these together.
            ct: *ct && (detail == Detail::All || table.is_some() || port.is_none()),
        },
        Action::SetField { field, value, mask } => Action::SetField {
            field: *field,
            value: match (value, mask) {
                (Value::Number(number), Some(mask)) => Value::Number(number & mask),
                _ => value.clone(),
            },
            mask: mask.filter(|mask| *mask != field.mask_max()),
        },
        Action::Note(bytes) => Action::Note(padded(bytes)),
        Action::Bundle(bundle) => {
            let mut bundle = bundle.clone();
            bundle.dst = bundle.dst.as_ref().map(header);
            Action::Bundle(bundle)
        }
        Action::Multipath(multipath) => {
            let mut multipath = multipath.clone();
            multipath.dst = header(&multipath.dst);
            Action::Multipath(multipath)
        }
        Action::Sample(sample) => {
            let mut sample = sample.clone();
            sample.obs_domain_id = number_or_header(&sample.obs_domain_id);
            sample.obs_point_id = number_or_header(&sample.obs_point_id);
            Action::Sample(sample)
        }
        Action::Ct(ct) => {
            let mut ct = ct.clone();
            ct.zone = match &ct.zone {
                Some(NumberOrSubfield::Number(0)) => None,
                zone => zone.as_ref().map(number_or_header),
            };
            ct.nat = ct.nat.as_ref().map(|inner| nat(inner, detail));
            ct.exec = nested(&ct.exec);
            Action::Ct(ct)
        }
        Action::Nat(inner) => Action::Nat(Box::new(nat(inner, detail))),
        Action::Learn(learn) => {
            let mut learn = learn.clone();
            learn.result_dst = learn.result_dst.as_ref().map(header);
            learn.specs = learn.specs.iter().map(learn_spec).collect();
            Action::Learn(learn)
        }
        Action::Clone(actions) => Action::Clone(or_drop(nested(actions))),
        Action::WriteActions(actions) => Action::WriteActions(or_drop(nested(actions))),
        action => action.clone(),
    }
}

/// The bits under the name that Open vSwitch prints: that of the first header, if there is one.
fn header(bits: &Subfield) -> Subfield {
    match (bits.field(), bits.bits()) {
        (Some(field), Some((first, last))) => Subfield::of(field, first.into(), u32::from(last - first) + 1),
        _ => bits.clone(),
    }
}

fn number_or_header<T: Clone>(value: &NumberOrSubfield<T>) -> NumberOrSubfield<T> {
    match value {
        NumberOrSubfield::Number(number) => NumberOrSubfield::Number(number.clone()),
        NumberOrSubfield::Subfield(bits) => NumberOrSubfield::Subfield(header(bits)),
    }
}

/// `format_NAT` prints the flags only with an address, and the end of a range only if it has more.
fn nat(nat: &Nat, detail: Detail) -> Nat {
    // An address of zeros is none to `encode_NAT`.
    match nat.min_addr.filter(|addr| !addr.is_unspecified()) {
        None if detail == Detail::All => nat.clone(),
        Some(_) => Nat {
            max_addr: nat.max_addr.filter(|max| Some(*max) != nat.min_addr),
            max_port: nat.max_port.filter(|max| Some(*max) != nat.min_port),
            ..nat.clone()
        },
        None => Nat {
            side: nat.side,
            ..Nat::default()
        },
    }
}

fn learn_spec(spec: &LearnSpec) -> LearnSpec {
    match spec {
        LearnSpec::MatchField { .. } => spec.clone(),
        LearnSpec::MatchNumber { dst, value } => LearnSpec::MatchNumber {
            dst: header(dst),
            value: *value,
        },
        LearnSpec::MatchPacket { dst, src } => LearnSpec::MatchPacket {
            dst: header(dst),
            src: src.as_ref().map(header),
        },
        LearnSpec::LoadNumber { value, dst } => LearnSpec::LoadNumber {
            value: *value,
            dst: header(dst),
        },
        LearnSpec::LoadPacket { src, dst } => LearnSpec::LoadPacket {
            src: header(src),
            dst: header(dst),
        },
        LearnSpec::Output(src) => LearnSpec::Output(header(src)),
    }
}

/// A note fills its action: 6 bytes, then 8 at a time.
fn padded(bytes: &[u8]) -> Vec<u8> {
    let len = bytes.len().saturating_sub(6).div_ceil(8) * 8 + 6;
    let zeros = core::iter::repeat_n(0, len - bytes.len());
    bytes.iter().copied().chain(zeros).collect()
}

/// The table of a resubmit that names none.
const NO_TABLE: u8 = 255;
