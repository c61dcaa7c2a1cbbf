//! What happens to the ports of a datapath.

use alloc::vec::Vec;

use crate::ovs::vport::Vport;

/// What happened to the ports of a datapath.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[expect(
    clippy::large_enum_variant,
    reason = "events are handed out one by one, and not kept"
)]
pub enum Event {
    /// There is a new port.
    Added(Vport),
    /// A port is not what it was: its device went to another namespace, or it was given other upcall ports. Counters
    /// alone are no change.
    Changed(Change),
    /// A port is gone.
    Removed {
        /// What is last known of it.
        port: Vport,
        /// How it went.
        why: Why,
    },
    /// Notifications were lost, and what changed meanwhile has been found. It may be nothing.
    Resynced(Resync),
}

/// A port before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Change {
    /// As it was.
    pub before: Vport,
    /// As it is.
    pub now: Vport,
}

/// How a port went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Why {
    /// The kernel told of it: somebody deleted the port, or its device is gone.
    Notified,
    /// The network namespace where its device was has died, and the port with it. The kernel told nobody: also
    /// `ovs-vswitchd` believes that the port is there.
    Vanished {
        /// The number that the namespace had in the watcher's.
        nsid: i32,
    },
    /// Nobody told, but there is a new port under its number.
    Replaced,
    /// Its datapath is gone.
    DatapathDeleted,
    /// It is not there any more, and what happened was not told, or lost.
    Missed,
}

/// What changed while nobody told.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Resync {
    /// How often the replica was made anew, this time included.
    pub generation: u64,
    /// Ports that are there now.
    pub added: Vec<Vport>,
    /// Ports that are not what they were. A port may also be another one under the same number.
    pub changed: Vec<Change>,
    /// Ports that are gone.
    pub removed: Vec<(Vport, Why)>,
}

impl Resync {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty()
    }

    /// The same, one by one.
    pub(super) fn into_events(self) -> impl Iterator<Item = Event> {
        let removed = self.removed.into_iter();
        let removed = removed.map(|(port, why)| Event::Removed { port, why });
        let changed = self.changed.into_iter().map(Event::Changed);
        let added = self.added.into_iter().map(Event::Added);
        removed.chain(changed).chain(added)
    }
}
