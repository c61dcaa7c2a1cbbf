//! A packet that goes on later: what is left to do is kept under a number, which the datapath brings back (`recirc`).

use odp_actions::{Action as Datapath, action::Hash};
use ofp_codec::{Action, Field, Value};

use super::{NO_OUTPUT, Walk, Walked};
use crate::fields::{Fields, REGS, TUNNEL, at};

/// What is kept of a walk. Equal states have the same number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frozen {
    pub(crate) table: u8,
    pub(crate) bridge: usize,
    pub(crate) stack: Vec<(u128, u32)>,
    mirrors: u32,
    conntracked: bool,
    was_mpls: bool,
    metadata: Metadata,
    pub(crate) actions: Vec<Action>,
    action_set: Vec<Action>,
    userdata: Vec<u8>,
    /// Whether a controller gets it.
    pause: bool,
    /// The port by which the packet came into the first bridge.
    entry: Option<(usize, u16)>,
}

/// What belongs to a packet while it is in ovs-vswitchd.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Metadata(Fields);

impl Metadata {
    fn of(flow: &Fields) -> Self {
        let mut kept = Fields::ZERO;
        kept.copy_words(flow, TUNNEL);
        kept.copy_words(flow, REGS);
        for place in [at::METADATA, at::IN_PORT] {
            kept.put(place, flow.get_at(place));
        }
        Self(kept)
    }

    fn restore(&self, flow: &mut Fields) {
        flow.copy_words(&self.0, TUNNEL);
        flow.copy_words(&self.0, REGS);
        for place in [at::METADATA, at::IN_PORT] {
            flow.put(place, self.0.get_at(place));
        }
    }
}

impl Walk<'_> {
    /// Everything behind this is for later.
    pub(super) fn freeze(&mut self) {
        self.exit = true;
        self.freezing.is_on = true;
    }

    pub(super) fn freeze_with_hash(&mut self, algorithm: u32, basis: u32) {
        self.freeze();
        self.freezing.hash = Some((algorithm, basis));
    }

    pub(super) fn cancel_freezing(&mut self) {
        if self.freezing.is_on {
            self.freezing = super::Freezing::default();
        }
    }

    /// Adds actions to those for later (`freeze_unroll_actions`).
    pub(super) fn keep_for_later(&mut self, actions: &[Action]) {
        for action in actions {
            let kept = match action {
                Action::Note(_) | Action::Conjunction { .. } => continue,
                Action::GotoTable(table) => Action::Resubmit {
                    port: None,
                    table: Some(table.clone()),
                    ct: false,
                },
                Action::WriteMetadata { value, mask } => Action::SetField {
                    field: Field::Metadata,
                    value: Value::Number((*value).into()),
                    mask: mask.map(u128::from),
                },
                other => {
                    if depends_on_table(other) && self.freezing.unroll != Some((self.table, self.cookie)) {
                        self.freezing.unroll = Some((self.table, self.cookie));
                        self.freezing.actions.push(Action::UnrollXlate {
                            table: self.table,
                            cookie: self.cookie,
                        });
                    }
                    other.clone()
                }
            };
            self.freezing.actions.push(kept);
        }
    }

    /// Commits, and lets the packet go on later with what was kept.
    pub(super) fn finish_freezing(&mut self) -> Walked {
        self.commit()?;
        self.recirculate(0);
        Ok(())
    }

    /// The number under which the packet goes on in `table`; none if a controller would have to resume it.
    pub(super) fn recirculate(&mut self, table: u8) -> Option<u32> {
        let pause = self.freezing.pause.clone();
        let state = Frozen {
            table,
            actions: self.freezing.actions.clone(),
            action_set: self.action_set.clone(),
            userdata: pause
                .as_ref()
                .map_or_else(Vec::new, |pause| pause.userdata.clone()),
            pause: pause.is_some(),
            entry: self.entry,
            ..self.state()
        };
        let number = self.number_of(state);
        if pause.is_some() {
            // Without side effects nothing is sent, and what was kept stays.
            return None;
        }
        if let Some((algorithm, basis)) = self.freezing.hash {
            self.actions.push(Datapath::Hash(Hash { algorithm, basis }));
        }
        self.actions.push(Datapath::Recirc(number));
        self.cancel_freezing();
        Some(number)
    }

    pub(super) fn state(&self) -> Frozen {
        Frozen {
            table: self.table,
            bridge: self.bridge,
            stack: self.stack.clone(),
            mirrors: self.mirrors,
            conntracked: self.conntracked,
            was_mpls: self.was_mpls,
            metadata: Metadata::of(&self.flow),
            actions: Vec::new(),
            action_set: Vec::new(),
            userdata: Vec::new(),
            pause: false,
            entry: None,
        }
    }

    /// As [`state`](Self::state), for a controller.
    pub(super) fn state_for_controller(&self, userdata: &[u8]) -> Frozen {
        Frozen {
            userdata: userdata.to_vec(),
            ..self.state()
        }
    }

    pub(super) fn number_of(&mut self, state: Frozen) -> u32 {
        let at = self
            .frozen
            .iter()
            .position(|known| *known == state)
            .unwrap_or_else(|| {
                self.frozen.push(state);
                self.frozen.len() - 1
            });
        u32::try_from(at).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// Goes on with a packet that was set aside; the actions that are left, if it does not begin with a look-up.
    pub(super) fn thaw(&mut self, frozen: &Frozen) -> Option<Vec<Action>> {
        self.bridge = frozen.bridge;
        self.table = frozen.table;
        self.conntracked = frozen.conntracked;
        if !frozen.conntracked {
            self.clear_conntrack();
        }
        frozen.metadata.restore(&mut self.flow);
        self.stack.clone_from(&frozen.stack);
        self.mirrors = frozen.mirrors;
        if !frozen.action_set.is_empty() {
            self.flow.put(at::ACTSET_OUTPUT, NO_OUTPUT);
            // A port's name was refused when it was written.
            let _ = self.write_actions(&frozen.action_set);
        }
        (!frozen.actions.is_empty()).then(|| frozen.actions.clone())
    }
}

/// Whether what an action does depends on the table or the cookie of its flow.
fn depends_on_table(action: &Action) -> bool {
    matches!(
        action,
        Action::OutputReg(_)
            | Action::OutputTrunc { .. }
            | Action::Group(_)
            | Action::Output(_)
            | Action::Controller { .. }
            | Action::ControllerWith(_)
            | Action::DecMplsTtl
            | Action::DecNshTtl
            | Action::DecTtl(_)
            | Action::Resubmit { table: None, .. }
    )
}
