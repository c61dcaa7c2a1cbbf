//! Copies of the packet: `clone`, and what is behind a patch port.

use odp_actions::{Action as Datapath, Actions};
use ofp_codec::Action;

use super::{Walk, Walked};

/// How the actions of a flow are done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lists {
    /// On the packet itself.
    Plain,
    /// On a copy of it.
    Copied,
}

impl Walk<'_> {
    /// Does the actions with a copy of the packet (`clone_xlate_actions`).
    pub(super) fn copy(&mut self, actions: &[Action], is_last: bool) -> Walked {
        if self.switch.rules.clones_by_result {
            return self.copy_by_result(is_last, |walk| walk.list_to_its_end(actions, true));
        }
        let flow = self.flow;
        let stack = core::mem::take(&mut self.stack);
        let action_set = core::mem::take(&mut self.action_set);
        let result = if is_last || actions.iter().all(can_be_undone) {
            self.list_to_its_end(actions, is_last)
        } else {
            self.copy_in_datapath(|walk| walk.list_to_its_end(actions, true))
        };
        self.flow = flow;
        self.stack = stack;
        self.action_set = action_set;
        result
    }

    /// The actions, and what they have left in the action set or for later.
    fn list_to_its_end(&mut self, actions: &[Action], is_last: bool) -> Walked {
        self.list(actions, is_last, false)?;
        if !self.freezing.is_on {
            self.run_action_set()?;
        }
        if self.freezing.is_on {
            self.finish_freezing()?;
        }
        Ok(())
    }

    /// Commits, and puts what `body` does into an action `clone`.
    fn copy_in_datapath(&mut self, body: impl FnOnce(&mut Self) -> Walked) -> Walked {
        self.commit()?;
        let base = self.base;
        let (was_mpls, conntracked) = (self.was_mpls, self.conntracked);
        let inner = self.nested(body)?;
        if !inner.is_empty() {
            self.actions.push(Datapath::Clone(Actions::from_iter(inner)));
        }
        self.conntracked = conntracked;
        self.was_mpls = was_mpls;
        self.base = base;
        Ok(())
    }

    /// As Open vSwitch does since d7ec77f69: all changes are committed before a copy that is not the last thing, and what the
    /// copy has done decides whether the datapath has to make one.
    pub(super) fn copy_by_result(&mut self, is_last: bool, body: impl FnOnce(&mut Self) -> Walked) -> Walked {
        let flow = self.flow;
        let stack = core::mem::take(&mut self.stack);
        let action_set = core::mem::take(&mut self.action_set);
        let (was_mpls, conntracked) = (self.was_mpls, self.conntracked);
        let result = if is_last {
            body(self)
        } else {
            self.commit().and_then(|()| {
                let base = self.base;
                let inner = self.nested(body)?;
                if inner.iter().all(is_reversible) {
                    self.actions.extend(inner);
                } else {
                    self.actions.push(Datapath::Clone(Actions::from_iter(inner)));
                    self.base = base;
                }
                Ok(())
            })
        };
        self.flow = flow;
        self.stack = stack;
        self.action_set = action_set;
        self.was_mpls = was_mpls;
        self.conntracked = conntracked;
        result
    }
}

/// Whether a later commit undoes what the action does (`reversible_actions` before 4.0).
fn can_be_undone(action: &Action) -> bool {
    !matches!(
        action,
        Action::Ct(_)
            | Action::Meter(_)
            | Action::Nat(_)
            | Action::OutputTrunc { .. }
            | Action::Encap(_)
            | Action::Decap(_)
            | Action::DecNshTtl
    )
}

/// Whether a later commit undoes what the datapath's action does (since 4.0).
fn is_reversible(action: &Datapath) -> bool {
    !matches!(
        action,
        Datapath::Hash(_)
            | Datapath::Ct(_)
            | Datapath::CtClear
            | Datapath::Trunc(_)
            | Datapath::PushEth(_)
            | Datapath::PopEth
            | Datapath::PushNsh(_)
            | Datapath::PopNsh
            | Datapath::Meter(_)
            | Datapath::AddMpls(_)
            | Datapath::DecTtl(_)
            | Datapath::Drop(_)
            | Datapath::TunnelPush(_)
            | Datapath::TunnelPop(_)
    ) && match action {
        Datapath::CheckPktLen(_) => action.lists().all(|list| list.iter().all(is_reversible)),
        _ => true,
    }
}
