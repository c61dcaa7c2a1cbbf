//! Which actions may stand together.

use crate::model::{action::Action, field::Field, version::Version};

/// Where a list of actions stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::wire) enum Place {
    /// In OpenFlow 1.0 all of a flow, later all of its instructions.
    Flow,
    /// Where there are no instructions: a bucket, a packet-out.
    List,
    /// In a `clone`.
    Nested,
    /// In a `ct`.
    Ct,
}

/// The instructions in the order in which they are executed (`OVS_INSTRUCTIONS`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::wire) enum Instruction {
    Meter,
    Apply,
    Clear,
    Write,
    Metadata,
    Goto,
}

impl Instruction {
    pub(in crate::wire) const COUNT: usize = Instruction::Goto as usize + 1;

    /// The instruction that an action stands for or in.
    pub(in crate::wire) fn of(action: &Action, version: Version) -> Self {
        match action {
            Action::Meter(_) if version < Version::V1_5 => Instruction::Meter,
            Action::ClearActions => Instruction::Clear,
            Action::WriteActions(_) => Instruction::Write,
            Action::WriteMetadata { .. } => Instruction::Metadata,
            Action::GotoTable(_) => Instruction::Goto,
            _ => Instruction::Apply,
        }
    }
}

/// The name of the error with which Open vSwitch refuses these actions together (`ofpacts_verify` in
/// lib/ofp-actions.c).
pub(in crate::wire) fn verify(
    actions: &[Action],
    version: Version,
    place: Place,
) -> Result<(), &'static str> {
    let mut last = None;
    for action in actions {
        if matches!(action, Action::Conjunction { .. }) {
            let allowed = |action: &Action| matches!(action, Action::Conjunction { .. } | Action::Note(_));
            let all = actions.iter().all(allowed);
            return if all { Ok(()) } else { Err("NXBAC_BAD_CONJUNCTION") };
        }
        inside(action, place)?;
        let next = Instruction::of(action, version);
        let ordered = last.is_none_or(|last| match last {
            Instruction::Apply => next >= last,
            _ => next > last,
        });
        if !ordered {
            return Err("OFPBAC_UNSUPPORTED_ORDER");
        }
        let allowed = match place {
            Place::Flow => true,
            Place::List => next <= Instruction::Apply,
            Place::Nested | Place::Ct => next == Instruction::Apply,
        };
        if !allowed {
            return Err("OFPBIC_UNSUP_INST");
        }
        last = Some(next);
    }
    Ok(())
}

/// `ofpacts_verify_nested`.
fn inside(action: &Action, place: Place) -> Result<(), &'static str> {
    let field = match action {
        Action::SetField { field, .. } => Some(*field),
        Action::Load { dst, .. } | Action::Move { dst, .. } => dst.field(),
        _ => None,
    };
    let of_connection = matches!(field, Some(Field::CtMark | Field::CtLabel));
    let nat = matches!(action, Action::Nat(_));
    if (of_connection || nat) && place != Place::Ct {
        return Err("OFPBAC_BAD_SET_ARGUMENT");
    }
    // What Open vSwitch does not know it does not allow anywhere.
    let allowed = of_connection || nat || matches!(action, Action::Raw(_));
    if place == Place::Ct && !allowed {
        return Err("OFPBAC_BAD_ARGUMENT");
    }
    Ok(())
}

/// Whether an action may be in the action set (`action_set_classify`).
pub(in crate::wire) fn may_be_written(action: &Action) -> bool {
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
