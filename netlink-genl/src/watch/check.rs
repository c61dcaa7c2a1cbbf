//! Ports to look at, since nobody may tell that they are gone.

use alloc::collections::BTreeMap;
use core::time::Duration;

/// Ports whose namespace changed or died, by number.
#[derive(Clone, Debug, Default)]
pub(super) struct Checks {
    ports: BTreeMap<u32, Check>,
}

#[derive(Clone, Debug)]
struct Check {
    nsid: i32,
    /// The namespace is dead: look until the port is gone.
    dead: bool,
    /// It was gone once, but its deletion may be about to be told.
    gone: bool,
    due: Duration,
    delay: Duration,
    until: Duration,
}

impl Checks {
    /// Looks at a port that went to the namespace `nsid`, or was there when it died.
    pub(super) fn add(&mut self, port_no: u32, nsid: i32, dead: bool, now: Duration) {
        let check = Check {
            nsid,
            dead,
            gone: false,
            due: now,
            delay: MIN_DELAY,
            until: now + CHECK_FOR,
        };
        self.ports.insert(port_no, check);
    }

    /// Looks at a port no more. The namespace that it was thought to be in.
    pub(super) fn remove(&mut self, port_no: u32) -> Option<i32> {
        self.ports.remove(&port_no).map(|check| check.nsid)
    }

    pub(super) fn clear(&mut self) {
        self.ports.clear();
    }

    /// The namespace that a port is thought to be in.
    pub(super) fn nsid(&self, port_no: u32) -> Option<i32> {
        self.ports.get(&port_no).map(|check| check.nsid)
    }

    /// The ports that are thought to be in a namespace.
    pub(super) fn inside(&self, nsid: i32) -> impl Iterator<Item = u32> {
        let inside = self.ports.iter().filter(move |(_, check)| check.nsid == nsid);
        inside.map(|(port_no, _)| *port_no)
    }

    /// A port to look at now.
    pub(super) fn ask(&self, now: Duration) -> Option<u32> {
        let due = self.ports.iter().find(|(_, check)| check.due <= now);
        due.map(|(port_no, _)| *port_no)
    }

    /// When there is one to look at.
    pub(super) fn due(&self) -> Option<Duration> {
        self.ports.values().map(|check| check.due).min()
    }

    /// A port that is looked at is gone: the namespace that it went with, or `None` if that may still be told.
    pub(super) fn absent(&mut self, port_no: u32, now: Duration) -> Option<i32> {
        let check = self.ports.get_mut(&port_no)?;
        if check.dead || check.gone {
            return self.remove(port_no);
        }
        check.gone = true;
        check.due = now + TOLD_WITHIN;
        None
    }

    /// A port that is looked at is there, in the namespace `nsid` if in another one. Whether that is worth knowing.
    pub(super) fn present(&mut self, port_no: u32, nsid: Option<i32>, now: Duration) -> bool {
        let Some(check) = self.ports.get_mut(&port_no) else {
            return false;
        };
        // The kernel has no number for a namespace that is dying.
        let dying = nsid.is_some_and(|nsid| nsid < 0);
        check.dead |= dying;
        if check.dead && (dying || nsid == Some(check.nsid)) && now < check.until {
            check.due = now + check.delay;
            check.delay = (check.delay * 2).min(MAX_DELAY);
        } else {
            self.ports.remove(&port_no);
        }
        !dying
    }
}

/// The kernel lets go of a port 15 to 133 ms after its namespace is dead, as measured under emulation.
const MIN_DELAY: Duration = Duration::from_millis(5);
const MAX_DELAY: Duration = Duration::from_millis(200);
const CHECK_FOR: Duration = Duration::from_secs(10);
/// A deletion is told right after it was done.
const TOLD_WITHIN: Duration = Duration::from_millis(50);
