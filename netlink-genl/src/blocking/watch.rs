//! Watching the ports of a datapath, waiting for each event.

use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;
use std::time::Instant;

use tracing::debug;

use super::{DATAGRAM_MAX, Ovs};
use crate::Error;
use crate::ctrl::Family;
use crate::message::Errno;
use crate::ovs::DpIfindex;
use crate::ovs::vport::Vport;
use crate::route;
use crate::socket::{self, Options, Protocol, Socket};
use crate::watch::{Ask, Event, Watcher};

impl Ovs {
    /// Watches the ports of a datapath: joins the groups, lists the ports, and takes in what happened meanwhile.
    ///
    /// `options` is for the two sockets that listen; a larger `receive_buffer` lets more happen between two calls of
    /// [`Watch::event`] before the ports must be listed again. It needs no privilege.
    ///
    /// # Errors
    /// [`Error::Kernel`] with `ENODEV` if there is no such datapath; otherwise as [`Ovs::open`] and [`Ovs::vports`].
    pub fn watch(mut self, datapath: DpIfindex, options: &Options) -> Result<Watch, Error> {
        let mut options = options.clone();
        options.protocol = Protocol::Generic;
        let generic = Socket::open(&options)?;
        for family in [&self.vport, &self.datapath] {
            generic.join(own_group(family)?)?;
        }
        options.protocol = Protocol::Route;
        let route = Socket::open(&options)?;
        for group in [route::GROUP_LINK, route::GROUP_NSID] {
            route.join(group)?;
        }
        self.datapath(datapath)?;
        let mut watch = Watch {
            watcher: Watcher::new(datapath, self.vport.id, self.datapath.id),
            ovs: self,
            generic,
            route,
            buffer: vec![0; DATAGRAM_MAX],
            start: Instant::now(),
        };
        while watch.watcher.generation() == 0 && !watch.watcher.is_deleted() {
            watch.step()?;
        }
        Ok(watch)
    }
}

/// The ports of a datapath, and what happens to them.
///
/// Nothing is lost silently: see [`watch`](crate::watch). It sees the network namespace that the thread was in when it
/// was made, and does nothing between two calls of [`Watch::event`].
///
/// ```no_run
/// use std::time::Duration;
///
/// use netlink_genl::blocking::Ovs;
/// use netlink_genl::socket::Options;
/// use netlink_genl::watch::{Event, Why};
///
/// let mut ovs = Ovs::open()?;
/// let datapath = ovs.datapath_by_name(c"ovs-system")?;
/// let mut watch = ovs.watch(datapath.ifindex, &Options::default())?;
/// println!("{} ports", watch.ports().count());
/// while !watch.is_deleted() {
///     match watch.event(Duration::from_secs(60))? {
///         Some(Event::Removed { port, why: Why::Vanished { nsid } }) => {
///             println!("{:?} went with namespace {nsid}, and nobody was told", port.name);
///         }
///         Some(event) => println!("{event:?}"),
///         None => println!("a quiet minute"),
///     }
/// }
/// # Ok::<(), netlink_genl::Error>(())
/// ```
pub struct Watch {
    ovs: Ovs,
    generic: Socket,
    route: Socket,
    watcher: Watcher,
    buffer: Vec<u8>,
    start: Instant,
}

impl Watch {
    /// The ports, by number, as the events up to now have left them.
    pub fn ports(&self) -> impl ExactSizeIterator<Item = &Vport> {
        self.watcher.ports()
    }

    /// 1, and one more after every loss of notifications.
    pub fn generation(&self) -> u64 {
        self.watcher.generation()
    }

    /// Whether the datapath is gone. Its last ports are told as removed; after that there are no events.
    pub fn is_deleted(&self) -> bool {
        self.watcher.is_deleted()
    }

    /// For other questions between two events.
    pub fn ovs(&mut self) -> &mut Ovs {
        &mut self.ovs
    }

    /// Waits for the next event, not longer than `within`; `None` if there is none, and at once if the datapath is
    /// gone.
    ///
    /// # Errors
    /// [`Error::UnexpectedSource`] if another process sent to the groups; [`Error::Io`]; and as [`Ovs::vports`] and its
    /// items if ports cannot be listed. After an error the next call goes on: no event is lost by it.
    pub fn event(&mut self, within: Duration) -> Result<Option<Event>, Error> {
        let start = Instant::now();
        loop {
            if let Some(event) = self.watcher.event() {
                return Ok(Some(event));
            }
            if self.watcher.is_deleted() {
                return Ok(None);
            }
            // Without a question there may yet be an event: what a list has changed.
            if self.step()? || self.watcher.has_event() {
                continue;
            }
            let left = within.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Ok(None);
            }
            let now = self.start.elapsed();
            let due = self.watcher.due().map(|due| due.saturating_sub(now));
            socket::wait_for_any(
                [&self.generic, &self.route],
                due.map_or(left, |due| due.min(left)),
            )?;
        }
    }

    /// Takes a datagram, or answers a question of the watcher. `false` if there was neither.
    fn step(&mut self) -> Result<bool, Error> {
        // What each socket tells is in order by itself, and the watcher does not mind the order between them.
        if self.take(Protocol::Generic)? || self.take(Protocol::Route)? {
            return Ok(true);
        }
        let datapath = self.watcher.datapath();
        match self.watcher.ask(self.start.elapsed()) {
            None => return Ok(false),
            Some(Ask::List) => {
                debug!(%datapath, "lists the ports");
                match self.ovs.vports(datapath)?.collect::<Result<Vec<_>, _>>() {
                    Ok(ports) => self.watcher.listed(ports, self.start.elapsed()),
                    Err(error) if error.errno() == Some(Errno::ENODEV) => self.watcher.datapath_deleted(),
                    Err(error) => return Err(error),
                }
            }
            Some(Ask::Port(port_no)) => {
                let port = match self.ovs.vport(datapath, port_no) {
                    Ok(port) => Some(port),
                    Err(error) if error.errno() == Some(Errno::ENODEV) => None,
                    Err(error) => return Err(error),
                };
                // What was told while the kernel answered comes first.
                while self.take(Protocol::Generic)? {}
                self.watcher.looked_up(port_no, port, self.start.elapsed());
            }
        }
        Ok(true)
    }

    /// Takes one datagram from a socket; `false` if there was none.
    fn take(&mut self, protocol: Protocol) -> Result<bool, Error> {
        let socket = match protocol {
            Protocol::Generic => &self.generic,
            Protocol::Route => &self.route,
        };
        match socket.try_receive(&mut self.buffer) {
            Ok(None) => return Ok(false),
            Ok(Some((datagram, source))) => match protocol {
                Protocol::Generic => self.watcher.generic(source, datagram)?,
                Protocol::Route => self.watcher.route(source, datagram, self.start.elapsed())?,
            },
            Err(Error::Overrun | Error::Truncated { .. }) => {
                debug!(datapath = %self.watcher.datapath(), "notifications were lost");
                self.watcher.overrun();
            }
            Err(error) => return Err(error),
        }
        Ok(true)
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch")
            .field("datapath", &self.watcher.datapath())
            .field("generation", &self.watcher.generation())
            .finish_non_exhaustive()
    }
}

/// The group of a family of Open vSwitch, which has the family's name.
fn own_group(family: &Family) -> Result<u32, Error> {
    family.group(&family.name).ok_or_else(|| Error::FamilyMissing {
        name: family.name.clone(),
    })
}
