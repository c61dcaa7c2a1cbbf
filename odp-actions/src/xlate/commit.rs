//! Committing: the actions that make the packet what an output needs, and what they cost where an order is open.

use alloc::vec::Vec;
use core::mem::take;

use super::Xlate;
use super::clone::CLONE;
use super::prediction::{Bounds, Step, Ways, bytes_of, same_tags};
use super::vlan::Tag;
use crate::{Action, Key};

/// What is not certain of the actions of a translation.
#[derive(Clone, Debug, Default)]
pub(super) struct Certainty {
    /// Whether there are numbers among them that are not known.
    pub(super) is_open: bool,
    /// How many bytes less, and how many more, they may be.
    pub(super) less: usize,
    pub(super) more: usize,
    /// How many outputs more Open vSwitch may count.
    pub(super) more_outputs: usize,
    /// How the packet may stand, unless there is one way.
    pub(super) ways: Option<Ways>,
    /// The outputs whose order is open, while they are collected.
    pub(super) steps: Option<Vec<Step>>,
    /// What stands in clones among them.
    pub(super) nested: Vec<Nested>,
    /// Whether another order would do without one of the clones.
    pub(super) has_loose_clones: bool,
    /// How many actions there were behind the last open order, if it had clones.
    pub(super) order_with_clones: Option<usize>,
    /// Whether a mark or tunnel fields cost more in some orders than in others.
    pub(super) is_unknown: bool,
    /// In an open order: the mark that ports of it set, if any does.
    pub(super) order_of_marks: Option<Option<u32>>,
}

impl Certainty {
    /// Whatever tunnel key has been written, the next one is another.
    pub(super) fn forget_tunnels(&mut self) {
        if let Some(ways) = &mut self.ways {
            ways.tunnels = [None].into();
        }
    }
}

/// Outputs in a clone, which leaves the packet as it is.
#[derive(Clone, Debug)]
pub(super) struct Nested {
    /// The tags of the packet before it.
    pub(super) entry: Vec<Tag>,
    pub(super) steps: Vec<Step>,
    /// Whether there may be no clone.
    pub(super) is_optional: bool,
}

/// Where an open order begins.
#[derive(Debug)]
pub(super) struct Opened {
    /// How many actions there were.
    actions: usize,
    /// How the packet might stand.
    ways: Ways,
}

impl Xlate {
    /// Begins to collect outputs whose order is open; `None` if they are collected already.
    pub(super) fn open_order(&mut self) -> Option<Opened> {
        let is_open = self.certainty.steps.is_some();
        if !is_open {
            self.forget_other_fields();
            self.certainty.order_of_marks = Some(None);
        }
        self.certainty.steps.get_or_insert_default();
        (!is_open).then(|| Opened {
            actions: self.actions.len(),
            ways: take(&mut self.certainty.ways).unwrap_or_else(|| Ways {
                tags: [self.committed_tags.clone()].into(),
                tunnels: [self.committed_tunnel.clone()].into(),
            }),
        })
    }

    /// Whether outputs are collected whose order is open.
    pub(super) fn is_in_any_order(&self) -> bool {
        self.certainty.steps.is_some()
    }

    /// Says what the outputs since then may cost in another order.
    pub(super) fn close_order(&mut self, opened: Option<Opened>) {
        let Some(Opened { actions, ways }) = opened else {
            return;
        };
        let steps = take(&mut self.certainty.steps).unwrap_or_default();
        self.certainty.order_of_marks = None;
        let nested = take(&mut self.certainty.nested);
        self.certainty.is_open |= steps.len() > 1 || !nested.is_empty();
        if !nested.is_empty() {
            self.certainty.order_with_clones = Some(self.actions.len());
        }
        let entries = ways.at_entries(steps.iter().chain(nested.iter().flat_map(|nested| &nested.steps)));
        let (mut bounds, ways) = ways.through(&steps);
        for nested in nested {
            let (inside, _) = entries.with_tags(nested.entry).through(&nested.steps);
            bounds.most += inside.most;
            if nested.is_optional {
                self.certainty.less += CLONE;
            } else {
                bounds.least += inside.least;
            }
        }
        self.certainty.ways = Some(ways);
        self.widen(actions, bounds);
    }

    /// Makes the packet what an output needs.
    pub(super) fn commit(&mut self, step: &Step) {
        let before = self.actions.len();
        // A plain output in between changes nothing: tunnel metadata stays with the packet.
        if let Some(key) = step
            .tunnel
            .as_ref()
            .filter(|key| self.committed_tunnel.as_ref() != Some(*key))
        {
            self.committed_tunnel = Some(key.clone());
            self.actions.push(Action::Set(Key::Tunnel(key.clone())));
        }
        self.commit_tags();
        if self.committed_mark != self.metadata.mark {
            self.committed_mark = self.metadata.mark;
            self.actions.push(Action::Set(Key::SkbMark(self.metadata.mark)));
        }
        if let Some(steps) = &mut self.certainty.steps {
            steps.push(step.clone());
        } else if let Some(mut ways) = take(&mut self.certainty.ways) {
            let bounds = ways.to(step);
            ways.tags = [step.tags.clone()].into();
            if step.tunnel.is_some() {
                ways.tunnels = [step.tunnel.clone()].into();
            }
            self.certainty.ways = Some(ways);
            self.widen(before, bounds);
        }
    }

    /// Says that the changes of the packet since an action may have cost something else within `bounds`.
    fn widen(&mut self, since: usize, bounds: Bounds) {
        let spent = changes(&self.actions[since..]);
        self.certainty.less += spent - bounds.least;
        self.certainty.more += bounds.most - spent;
        let is_settled = |ways: &Ways| ways.tags.len() == 1 && ways.tunnels.len() == 1;
        self.certainty.ways = take(&mut self.certainty.ways).filter(|ways| !is_settled(ways));
    }

    /// Pops every tag down to those that stay, then pushes the new ones.
    fn commit_tags(&mut self) {
        let same = same_tags(&self.tags, &self.committed_tags);
        self.actions
            .extend(self.committed_tags.drain(same..).map(|_| Action::PopVlan));
        for tag in &self.tags[same..] {
            self.certainty.is_open |= tag.vid.is_none() || tag.pcp.is_none();
            self.actions.push(Action::PushVlan(tag.push()));
        }
        self.committed_tags.clone_from(&self.tags);
    }
}

/// Bytes of what changes the packet, also inside clones.
fn changes(actions: &[Action]) -> usize {
    let bytes = actions.iter().map(|action| match action {
        Action::Clone(inside) => changes(inside),
        // A mark costs the same in each order, or its cost is unknown.
        Action::Set(Key::Tunnel(_)) | Action::PopVlan | Action::PushVlan(_) => bytes_of([action].into_iter()),
        _ => 0,
    });
    bytes.sum()
}
