//! The ports of a datapath as they come and go, without a socket: a replica that knows when it has missed something.
//!
//! The kernel tells of new and deleted ports in the group of `ovs_vport`, but not of everything, and not always:
//!
//! - A list that is made while ports are deleted has ghosts and gaps, and nothing in it says so. A [`Watcher`]
//!   therefore lists again until nothing happened meanwhile.
//! - When the receive buffer is full, notifications are lost. Then the watcher lists again, and says what changed.
//! - An internal port that was in a network namespace goes with it, without any notification. Rtnetlink says that the
//!   namespace is dead, and the watcher looks at the ports that were in there until the kernel has let go of them.
//!
//! Who drives it: join the groups, then, over and over, give it all datagrams that are there, take the events, and
//! do what it [asks](Watcher::ask); wait for datagrams until it is [due](Watcher::due). Time is a [`Duration`] since
//! whenever, as long as it never goes back. `blocking::Watch` is such a driver.
//!
//! ```
//! use core::time::Duration;
//! use netlink_genl::ovs::DpIfindex;
//! use netlink_genl::watch::{Ask, Watcher};
//!
//! let (vport, datapath) = (0x21, 0x20);
//! let mut watcher = Watcher::new(DpIfindex(9), vport, datapath);
//! let now = Duration::ZERO;
//! assert_eq!(watcher.ask(now), Some(Ask::List));
//! watcher.listed([], now);
//! assert_eq!(watcher.ask(now), None);
//! assert_eq!((watcher.generation(), watcher.ports().count()), (1, 0));
//! ```

mod check;
mod event;

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use core::mem;
use core::time::Duration;

pub use self::event::{Change, Event, Resync, Why};

use self::check::Checks;
use crate::exchange::UnexpectedSource;
use crate::message::{DecodeError, Message, Messages};
use crate::ovs::datapath::Datapath;
use crate::ovs::vport::Vport;
use crate::ovs::{Command, DpIfindex};
use crate::route::Notification;

/// The ports of one datapath.
#[derive(Clone, Debug)]
pub struct Watcher {
    datapath: DpIfindex,
    vport_family: u16,
    datapath_family: u16,
    ports: BTreeMap<u32, Vport>,
    generation: u64,
    events: VecDeque<Event>,
    resync: Option<Resyncing>,
    /// When to list once more, since something may have happened that nobody tells of.
    audit: Option<Duration>,
    checks: Checks,
    deleted: bool,
}

/// What a [`Watcher`] wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// All ports: answer with [`Watcher::listed`], or [`Watcher::datapath_deleted`] for `ENODEV`.
    List,
    /// The port with this number: answer with [`Watcher::looked_up`], `None` for `ENODEV`.
    Port(u32),
}

/// The replica is being made anew; changes are gathered, not told.
#[derive(Clone, Debug)]
struct Resyncing {
    /// What was known before.
    before: BTreeMap<u32, Vport>,
    lists: u32,
    /// Nothing happened since the last list.
    settled: bool,
    /// Something was lost. Otherwise it is to be sure, and the difference is told as if nothing had been missed.
    lost: bool,
    /// How ports went meanwhile.
    gone: BTreeMap<u32, Why>,
}

impl Watcher {
    /// For the ports of `datapath`. The others are the numbers of [`vport::FAMILY`](crate::ovs::vport::FAMILY) and
    /// [`datapath::FAMILY`](crate::ovs::datapath::FAMILY). It knows nothing until it has been told a list.
    pub fn new(datapath: DpIfindex, vport_family: u16, datapath_family: u16) -> Self {
        Self {
            datapath,
            vport_family,
            datapath_family,
            ports: BTreeMap::new(),
            generation: 0,
            events: VecDeque::new(),
            resync: Some(Resyncing::new(BTreeMap::new(), false)),
            audit: None,
            checks: Checks::default(),
            deleted: false,
        }
    }

    /// The datapath that is watched.
    pub fn datapath(&self) -> DpIfindex {
        self.datapath
    }

    /// The ports, by number, as the events up to now have left them.
    pub fn ports(&self) -> impl ExactSizeIterator<Item = &Vport> {
        self.ports.values()
    }

    /// How often the replica was made: 0 before the first time, 1 after it, and one more after every loss.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether the datapath is gone: there will be no more events.
    pub fn is_deleted(&self) -> bool {
        self.deleted
    }

    /// What happened, in its order.
    pub fn event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Whether [`Watcher::event`] has one.
    pub fn has_event(&self) -> bool {
        !self.events.is_empty()
    }

    /// Takes a datagram from the groups of `ovs_vport` and `ovs_datapath`, sent by the socket with port `source`.
    ///
    /// What cannot be read counts as lost.
    ///
    /// # Errors
    /// [`UnexpectedSource`] if `source` is not the kernel.
    pub fn generic(&mut self, source: u32, datagram: &[u8]) -> Result<(), UnexpectedSource> {
        self.datagram(source, datagram, Self::generic_message)
    }

    /// Takes a datagram from rtnetlink's groups of links and namespaces, sent by the socket with port `source`.
    ///
    /// What cannot be read counts as lost.
    ///
    /// # Errors
    /// [`UnexpectedSource`] if `source` is not the kernel.
    pub fn route(&mut self, source: u32, datagram: &[u8], now: Duration) -> Result<(), UnexpectedSource> {
        self.datagram(source, datagram, |watcher, message| {
            match Notification::decode(message)? {
                Some(Notification::LinkDeleted(link)) => {
                    if let Some(nsid) = link.new_nsid {
                        watcher.moved(link.ifindex, nsid, now);
                    }
                }
                Some(Notification::NamespaceDeleted { nsid }) => watcher.namespace_deleted(nsid, now),
                _ => {}
            }
            Ok(())
        })
    }

    /// Notifications were lost: all ports will be listed again.
    pub fn overrun(&mut self) {
        match &mut self.resync {
            Some(resync) => {
                resync.settled = false;
                resync.lost = true;
            }
            None => self.resync = Some(Resyncing::new(self.ports.clone(), true)),
        }
    }

    /// What the watcher wants to know now. Call it when no datagram is left to take.
    pub fn ask(&mut self, now: Duration) -> Option<Ask> {
        if self.deleted {
            return None;
        }
        if let Some(resync) = &self.resync {
            let settled = resync.settled;
            if !settled && resync.lists < MAX_LISTS {
                return Some(Ask::List);
            }
            if !settled {
                // Ports come and go all the time. What the last list lacks will be seen when it is calm.
                self.audit = Some(now + AUDIT_AFTER);
            }
            self.finish();
        }
        while let Some(port_no) = self.checks.ask(now) {
            if self.ports.contains_key(&port_no) {
                return Some(Ask::Port(port_no));
            }
            self.checks.remove(port_no);
        }
        if self.audit.is_none_or(|due| due > now) {
            return None;
        }
        self.audit = None;
        self.resync = Some(Resyncing::new(self.ports.clone(), false));
        Some(Ask::List)
    }

    /// When the watcher will ask something, if nothing happens before.
    pub fn due(&self) -> Option<Duration> {
        if self.resync.is_some() {
            return Some(Duration::ZERO);
        }
        self.checks.due().into_iter().chain(self.audit).min()
    }

    /// Answers [`Ask::List`]. The groups must have been joined before the list was begun.
    pub fn listed(&mut self, ports: impl IntoIterator<Item = Vport>, now: Duration) {
        let Some(resync) = &mut self.resync else { return };
        resync.settled = true;
        resync.lists += 1;
        self.ports = ports.into_iter().map(|port| (port.port_no, port)).collect();
        // A namespace that died between list and now is still to be told; one that died before is in doubt.
        if self
            .ports
            .values()
            .any(|port| port.netnsid.is_some_and(|nsid| nsid < 0))
        {
            self.audit = Some(now + AUDIT_AFTER);
        }
    }

    /// Answers [`Ask::Port`], with `None` if there is no such port.
    pub fn looked_up(&mut self, port_no: u32, port: Option<Vport>, now: Duration) {
        match port {
            Some(port) => {
                if self.checks.present(port_no, port.netnsid, now) {
                    self.store(port);
                }
            }
            None => {
                let Some(nsid) = self.checks.absent(port_no, now) else {
                    return;
                };
                if let Some(port) = self.ports.remove(&port_no) {
                    let why = Why::Vanished { nsid };
                    self.tell(Event::Removed { port, why });
                }
            }
        }
    }

    /// The datapath is gone, and so are its ports.
    pub fn datapath_deleted(&mut self) {
        self.deleted = true;
        self.checks.clear();
        self.audit = None;
        // What was known to others is what they knew before a resynchronisation.
        let ports = match self.resync.take() {
            Some(resync) => resync.before,
            None => mem::take(&mut self.ports),
        };
        self.ports.clear();
        self.events.extend(ports.into_values().map(|port| Event::Removed {
            port,
            why: Why::DatapathDeleted,
        }));
    }

    fn datagram(
        &mut self,
        source: u32,
        datagram: &[u8],
        mut each: impl FnMut(&mut Self, &Message<'_>) -> Result<(), DecodeError>,
    ) -> Result<(), UnexpectedSource> {
        if source != 0 {
            return Err(UnexpectedSource { port: source });
        }
        for message in Messages::new(datagram) {
            if self.deleted {
                break;
            }
            if message.and_then(|message| each(self, &message)).is_err() {
                self.overrun();
            }
        }
        Ok(())
    }

    fn generic_message(&mut self, message: &Message<'_>) -> Result<(), DecodeError> {
        let kind = message.kind().0;
        if kind == self.vport_family {
            let port = Vport::decode(message)?;
            if port.datapath == self.datapath {
                self.notified(Command(message.genl()?.cmd()), port);
            }
        } else if kind == self.datapath_family && message.genl()?.cmd() == Command::DEL.0 {
            let deleted = Datapath::decode(message)?.ifindex;
            if deleted == self.datapath {
                self.datapath_deleted();
            }
        }
        Ok(())
    }

    fn notified(&mut self, command: Command, port: Vport) {
        if let Some(resync) = &mut self.resync {
            resync.settled = false;
        }
        let known = self.ports.get(&port.port_no);
        match command {
            Command::DEL => {
                self.checks.remove(port.port_no);
                // A list that was made meanwhile may already be without it.
                if self.ports.remove(&port.port_no).is_some() || self.resync.is_some() {
                    self.tell(Event::Removed {
                        port,
                        why: Why::Notified,
                    });
                }
            }
            // A number is given away again only after its port is gone, of which then nobody has told.
            Command::NEW if known.is_some_and(|known| !known.is_like(&port)) => {
                let nsid = self.checks.remove(port.port_no);
                let why = nsid.map_or(Why::Replaced, |nsid| Why::Vanished { nsid });
                if let Some(port) = self.ports.remove(&port.port_no) {
                    self.tell(Event::Removed { port, why });
                }
                self.store(port);
            }
            _ => self.store(port),
        }
    }

    /// A device went to the namespace `nsid`.
    fn moved(&mut self, ifindex: i32, nsid: i32, now: Duration) {
        let ifindex = u32::try_from(ifindex).ok();
        let it = |port: &&Vport| port.ifindex == ifindex && port.netnsid.is_none();
        let port_no = self.ports.values().find(it).map(|port| port.port_no);
        if let Some(port_no) = port_no {
            self.checks.add(port_no, nsid, false, now);
        }
    }

    fn namespace_deleted(&mut self, nsid: i32, now: Duration) {
        // A list that was made meanwhile may already be without them.
        let before = self.resync.iter().flat_map(|resync| resync.before.values());
        let inside = |port: &&Vport| port.netnsid == Some(nsid);
        let known = self
            .ports
            .values()
            .chain(before)
            .filter(inside)
            .map(|port| port.port_no);
        let ports: Vec<u32> = known.chain(self.checks.inside(nsid)).collect();
        for port_no in ports {
            self.checks.add(port_no, nsid, true, now);
        }
        // For a port that went from one foreign namespace to another: nobody tells of that.
        self.audit = self.audit.or(Some(now + AUDIT_AFTER));
    }

    fn store(&mut self, port: Vport) {
        let event = match self.ports.get(&port.port_no) {
            None => Event::Added(port.clone()),
            Some(before) if before.is_like(&port) => return,
            Some(before) => Event::Changed(Change {
                before: before.clone(),
                now: port.clone(),
            }),
        };
        self.ports.insert(port.port_no, port);
        self.tell(event);
    }

    /// Tells of a change, unless it will be part of the difference that is told at the end.
    fn tell(&mut self, event: Event) {
        match (&mut self.resync, event) {
            (None, event) => self.events.push_back(event),
            (Some(resync), Event::Removed { port, why }) => {
                resync.gone.insert(port.port_no, why);
            }
            (Some(_), _) => {}
        }
    }

    fn finish(&mut self) {
        let Some(Resyncing {
            before, lost, gone, ..
        }) = self.resync.take()
        else {
            return;
        };
        let mut resync = Resync {
            generation: self.generation + 1,
            added: Vec::new(),
            changed: Vec::new(),
            removed: Vec::new(),
        };
        for (port_no, now) in &self.ports {
            match before.get(port_no) {
                None => resync.added.push(now.clone()),
                Some(before) if before.is_like(now) => {}
                Some(before) => resync.changed.push(Change {
                    before: before.clone(),
                    now: now.clone(),
                }),
            }
        }
        for (port_no, port) in before {
            if self.ports.contains_key(&port_no) {
                continue;
            }
            let vanished = self.checks.nsid(port_no).map(|nsid| Why::Vanished { nsid });
            let why = gone.get(&port_no).copied().or(vanished);
            resync.removed.push((port, why.unwrap_or(Why::Missed)));
        }
        if self.generation == 0 {
            self.generation = 1;
        } else if lost {
            self.generation = resync.generation;
            self.events.push_back(Event::Resynced(resync));
        } else {
            self.events.extend(resync.into_events());
        }
    }
}

impl Resyncing {
    fn new(before: BTreeMap<u32, Vport>, lost: bool) -> Self {
        Self {
            before,
            lists: 0,
            settled: false,
            lost,
            gone: BTreeMap::new(),
        }
    }
}

/// Lists in a row that were disturbed, after which the last one has to do for the time being.
const MAX_LISTS: u32 = 10;
/// Calm before ports are listed again to be sure.
const AUDIT_AFTER: Duration = Duration::from_secs(1);
