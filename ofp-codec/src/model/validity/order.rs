//! Which actions may stand together, and where.

use alloc::vec::Vec;

use crate::model::{action::Action, field::Field, validity::Problem, version::Version};

/// Where a list of actions stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In OpenFlow 1.0 all of a flow, later all of its instructions.
    Flow,
    /// Where there are no instructions: a bucket, a packet-out.
    List,
    /// In a `clone`.
    Clone,
    /// In a `ct`.
    Ct,
    /// In the action set.
    Set,
}

/// The instructions in the order in which they are executed (`OVS_INSTRUCTIONS`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Instruction {
    Meter,
    Apply,
    Clear,
    Write,
    Metadata,
    Goto,
}

impl Instruction {
    pub(crate) const COUNT: usize = Instruction::Goto as usize + 1;

    /// The instruction that an action stands for or in.
    pub(crate) fn of(action: &Action, version: Version) -> Self {
        match action {
            Action::Meter(_) if version < Version::V1_5 => Instruction::Meter,
            Action::ClearActions => Instruction::Clear,
            Action::WriteActions(_) => Instruction::Write,
            Action::WriteMetadata { .. } => Instruction::Metadata,
            Action::GotoTable(_) => Instruction::Goto,
            _ => Instruction::Apply,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Instruction::Meter => "meter",
            Instruction::Apply => "an action",
            Instruction::Clear => "clear_actions",
            Instruction::Write => "write_actions",
            Instruction::Metadata => "write_metadata",
            Instruction::Goto => "goto_table",
        }
    }
}

/// All lists of a flow, as text has them: of no version, and of the order of OpenFlow 1.1.
pub(super) fn check(actions: &[Action], found: &mut Vec<Problem>) {
    list(actions, Place::Flow, found);
}

fn list(actions: &[Action], place: Place, found: &mut Vec<Problem>) {
    found.extend(verify(actions, Version::V1_1, place).err());
    let is_drop = |action: &Action| matches!(action, Action::Drop);
    if actions.iter().any(is_drop) && !actions.iter().all(is_drop) {
        found.push(Problem::Drop);
    }
    for action in actions {
        match action {
            Action::Clone(inner) => list(inner, Place::Clone, found),
            Action::WriteActions(inner) => {
                let other = inner.iter().find(|action| !may_be_written(action));
                found.extend(other.map(|_| Problem::Nested {
                    outer: "write_actions",
                    inner: "such an action",
                }));
                list(inner, Place::Set, found);
            }
            Action::Ct(ct) => list(&ct.exec, Place::Ct, found),
            _ => {}
        }
    }
}

/// The first of these actions that may not stand with those before it, or here
/// (`ofpacts_verify` in lib/ofp-actions.c).
pub(crate) fn verify(actions: &[Action], version: Version, place: Place) -> Result<(), Problem> {
    let mut last = None;
    for action in actions {
        if matches!(action, Action::Conjunction { .. }) {
            let allowed = |action: &Action| matches!(action, Action::Conjunction { .. } | Action::Note(_));
            let all = actions.iter().all(allowed);
            return if all { Ok(()) } else { Err(Problem::Conjunction) };
        }
        inside(action, place)?;
        let next = Instruction::of(action, version);
        match last {
            Some(last) if next < last => return Err(Problem::Order(next.word())),
            Some(last) if next == last && next != Instruction::Apply => {
                return Err(Problem::Duplicate(next.word()));
            }
            _ => {}
        }
        let allowed = match place {
            Place::Flow => true,
            Place::List => next <= Instruction::Apply,
            Place::Clone | Place::Ct | Place::Set => next == Instruction::Apply,
        };
        if !allowed {
            return Err(Problem::Nested {
                outer: place.word(),
                inner: next.word(),
            });
        }
        last = Some(next);
    }
    Ok(())
}

impl Place {
    fn word(self) -> &'static str {
        match self {
            Place::Flow | Place::List => "a list",
            Place::Clone => "clone",
            Place::Ct => "ct",
            Place::Set => "write_actions",
        }
    }
}

/// `ofpacts_verify_nested`.
fn inside(action: &Action, place: Place) -> Result<(), Problem> {
    let field = match action {
        Action::SetField { field, .. } => Some(*field),
        Action::Load { dst, .. } | Action::Move { dst, .. } => dst.field(),
        _ => None,
    };
    let of_connection = field.filter(|field| matches!(field, Field::CtMark | Field::CtLabel));
    let nat = matches!(action, Action::Nat(_));
    let refuse = |inner| {
        Err(Problem::Nested {
            outer: place.word(),
            inner,
        })
    };
    match (place, of_connection) {
        // What Open vSwitch does not know it does not allow anywhere.
        (Place::Ct, None) if !nat && !matches!(action, Action::Raw(_)) => refuse("such an action"),
        (Place::Flow | Place::List | Place::Clone | Place::Set, Some(field)) => {
            Err(Problem::OutsideCt(field))
        }
        (Place::Flow | Place::List | Place::Clone | Place::Set, None) if nat => Err(Problem::NatOutsideCt),
        (Place::Clone | Place::Set, _) if matches!(action, Action::Meter(_)) => refuse("meter"),
        _ => Ok(()),
    }
}

/// Whether an action may be in the action set (`action_set_classify`).
pub(crate) fn may_be_written(action: &Action) -> bool {
    use Action as A;
    matches!(
        action,
        A::StripVlan | A::PopVlan | A::PopMpls(_) | A::Decap(_) | A::Encap(_) | A::PushMpls(_) | A::PushVlan(_)
            | A::DecTtl(_) | A::DecMplsTtl | A::DecNshTtl
            // Of these the last one counts.
            | A::Ct(_) | A::CtClear | A::Resubmit { .. } | A::Output(_) | A::Controller { .. } | A::Group(_)
            // Of these all do.
            | A::SetField { .. } | A::Load { .. } | A::Move { .. } | A::ModDlDst(_) | A::ModDlSrc(_) | A::ModNwTos(_)
            | A::ModNwEcn(_) | A::ModNwTtl(_) | A::ModNwDst(_) | A::ModNwSrc(_) | A::ModTpDst(_) | A::ModTpSrc(_)
            | A::SetMplsLabel(_) | A::SetMplsTc(_) | A::SetMplsTtl(_) | A::SetQueue(_) | A::SetTunnel(_)
            | A::SetTunnel64(_) | A::SetVlanPcp(_) | A::SetVlanVid(_) | A::ModVlanPcp(_) | A::ModVlanVid(_)
            | A::Raw(_)
    )
}
