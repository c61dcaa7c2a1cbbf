//! Clones: what Open vSwitch puts around the actions behind a patch port that it could not undo after them.

use alloc::vec::Vec;

use super::commit::Nested;
use super::prediction::{Step, Ways};
use super::vlan::Tag;
use super::{TunnelFields, Unpredictable, Xlate};
use crate::{Action, Tunnel};

/// Whether something is the last that a translation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Last {
    /// Other actions, or outputs, follow.
    No,
    /// Nothing follows.
    Yes,
    /// It is one of several whose order is open, and one of them is the last.
    Perhaps,
}

impl Last {
    /// Of an action at this place of so many.
    pub fn of(place: usize, count: usize) -> Self {
        if place + 1 == count { Self::Yes } else { Self::No }
    }

    /// The same, of one of several whose order is open.
    pub(super) fn among(self, count: usize) -> Self {
        match (self, count) {
            (last, 0 | 1) | (last @ Self::No, _) => last,
            _ => Self::Perhaps,
        }
    }
}

/// Where what may become a clone begins, and how the packet stands there.
#[derive(Debug)]
pub(super) struct CloneStart {
    last: Last,
    actions: usize,
    tags: Vec<Tag>,
    tunnel: Option<Tunnel>,
    fields: TunnelFields,
    mark: u32,
    ways: Option<Ways>,
    steps: usize,
    /// Whether there was a clone before that another order would not have.
    is_loose: bool,
}

/// What the order of outputs decides of the last action.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Trailing {
    pub(super) less: usize,
    pub(super) more: usize,
}

impl Xlate {
    /// Commits what is pending before what may become a clone; `None` if this release makes none there.
    pub(super) fn open_clone(&mut self, last: Last) -> Option<CloneStart> {
        if last == Last::Yes || !self.rules.clones_what_stays {
            return None;
        }
        let tags = self.tags.clone();
        self.commit(&Step {
            is_optional: last == Last::Perhaps,
            ..Step::new(tags, None)
        });
        Some(CloneStart {
            last,
            actions: self.actions.len(),
            tags: self.committed_tags.clone(),
            tunnel: self.committed_tunnel.clone(),
            fields: self.committed_fields.clone(),
            mark: self.committed_mark,
            ways: self.certainty.ways.clone(),
            steps: self.certainty.steps.as_ref().map_or(0, Vec::len),
            is_loose: core::mem::take(&mut self.certainty.has_loose_clones),
        })
    }

    /// Puts the actions since then into a clone, if the packet could not be made again what it was.
    pub(super) fn close_clone(&mut self, start: Option<CloneStart>) -> Result<(), Unpredictable> {
        let Some(start) = start else {
            return Ok(());
        };
        let has_loose_clones = self.certainty.has_loose_clones;
        self.certainty.has_loose_clones = start.is_loose;
        if self.actions[start.actions..].iter().all(is_reversible) {
            // In another order what stands in an inner clone may stand here.
            return match has_loose_clones {
                true => Err(Unpredictable::CloneOrder),
                false => Ok(()),
            };
        }
        let body = self.actions.split_off(start.actions);
        if let Some(steps) = &mut self.certainty.steps {
            let inside = steps.split_off(start.steps);
            if start.last == Last::Perhaps {
                // As the last it stands there without a clone.
                let optional = inside.iter().cloned().map(|step| Step {
                    is_optional: true,
                    ..step
                });
                steps.extend(optional);
                self.certainty.has_loose_clones = true;
                self.certainty.more_outputs += body.output_count();
            }
            self.certainty.nested.push(Nested {
                entry: start.tags.clone(),
                steps: inside,
                is_optional: start.last == Last::Perhaps,
            });
        } else {
            self.certainty.ways = start.ways;
        }
        self.actions.push(Action::Clone(body));
        self.committed_tags = start.tags;
        self.committed_tunnel = start.tunnel;
        self.committed_fields = start.fields;
        self.committed_mark = start.mark;
        Ok(())
    }

    /// A clone that is the last action is of no use, and Open vSwitch takes its actions out.
    pub(super) fn unwrap_last_clone(&mut self) -> Trailing {
        let is_open = self.certainty.order_with_clones == Some(self.actions.len());
        let Some(Action::Clone(_)) = self.actions.last() else {
            return Trailing {
                less: if is_open { CLONE } else { 0 },
                more: 0,
            };
        };
        let last = self.actions.split_off(self.actions.len() - 1);
        for inside in last.iter().flat_map(Action::lists) {
            self.actions.extend(inside.iter().cloned());
        }
        Trailing {
            less: 0,
            more: if is_open { CLONE } else { 0 },
        }
    }
}

/// Whether a later commit can undo what an action did to the packet (`odp_actions_are_reversible`), of those that there
/// are.
fn is_reversible(action: &Action) -> bool {
    !matches!(action, Action::Trunc(_) | Action::Hash(_))
}

/// Bytes of the header of a clone.
pub(super) const CLONE: usize = 4;
