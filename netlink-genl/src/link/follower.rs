//! A [`Watcher`] with its sockets.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;
use std::time::Instant;

use tracing::debug;

use super::{DATAGRAM_MAX, Link};
use crate::Error;
use crate::ctrl::Family;
use crate::exchange::Answers;
use crate::message::Errno;
use crate::ovs::DpIfindex;
use crate::ovs::vport::{self, Vport};
use crate::route;
use crate::socket::{Options, Protocol, Socket};
use crate::watch::{Ask, Watcher};

/// The ports of a datapath, the sockets that tell of them, and the one that asks.
#[derive(Debug)]
pub(crate) struct Follower {
    pub(crate) watcher: Watcher,
    link: Link,
    family: u16,
    generic: Arc<Socket>,
    route: Arc<Socket>,
    question: Option<Question>,
    buffer: Vec<u8>,
    start: Instant,
}

/// What the watcher asked, and the answer as far as it is there.
#[derive(Debug)]
struct Question {
    ask: Ask,
    answers: Answers<Vport>,
    until: Duration,
}

/// What came of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Something was done, and there may be more to do.
    Done,
    /// There is nothing to do until something comes on a socket, or until then, counted from [`Follower::start`].
    Idle(Option<Duration>),
}

impl Follower {
    /// Joins the groups that tell of the datapath's ports, in the namespace of `link`, which asks.
    pub(crate) fn new(
        link: Link,
        datapath: DpIfindex,
        [vports, datapaths]: [&Family; 2],
        options: &Options,
    ) -> Result<Self, Error> {
        let mut options = options.clone();
        options.namespace.clone_from(&link.options.namespace);
        options.protocol = Protocol::Generic;
        let generic = Socket::open(&options)?;
        for family in [vports, datapaths] {
            // The group of a family of Open vSwitch has the family's name.
            let name = &family.name;
            let group = family
                .group(name)
                .ok_or_else(|| Error::FamilyMissing { name: name.clone() });
            generic.join(group?)?;
        }
        options.protocol = Protocol::Route;
        let route = Socket::open(&options)?;
        for group in [route::GROUP_LINK, route::GROUP_NSID] {
            route.join(group)?;
        }
        Ok(Self {
            watcher: Watcher::new(datapath, vports.id, datapaths.id),
            link,
            family: vports.id,
            generic: Arc::new(generic),
            route: Arc::new(route),
            question: None,
            buffer: vec![0; DATAGRAM_MAX],
            start: Instant::now(),
        })
    }

    /// When time began.
    pub(crate) fn start(&self) -> Instant {
        self.start
    }

    /// What to wait for.
    pub(crate) fn sockets(&self) -> [&Arc<Socket>; 3] {
        match self.is_listing() {
            // What else is there has to wait, too.
            true => [self.link.socket(); 3],
            false => [&self.generic, &self.route, self.link.socket()],
        }
    }

    /// Whether the ports are known, or known to be gone.
    pub(crate) fn is_settled(&self) -> bool {
        self.watcher.generation() > 0 || self.watcher.is_deleted()
    }

    /// Takes a datagram, or asks what the watcher wants to know.
    pub(crate) fn step(&mut self) -> Result<Step, Error> {
        // What was told while the kernel looked one port up comes before the answer. What was told while it listed
        // comes after: the watcher lists again then. What each socket tells is in order by itself, and the watcher does
        // not mind the order between them.
        let hears = !self.is_listing();
        if hears && (self.told(Protocol::Generic)? || self.told(Protocol::Route)?) {
            return Ok(Step::Done);
        }
        let now = self.start.elapsed();
        let Some(question) = &mut self.question else {
            // What comes without a question is of no interest.
            if matches!(self.link.take(|_| ()), Ok(true)) {
                return Ok(Step::Done);
            }
            let generation = self.watcher.generation();
            return match self.watcher.ask(now) {
                Some(ask) => self.ask(ask, now).map(|()| Step::Done),
                // It has looked at the last list meanwhile.
                None if self.watcher.has_event() || self.watcher.generation() > generation => Ok(Step::Done),
                None => Ok(Step::Idle(self.watcher.due())),
            };
        };
        if self.link.is_pending() {
            match self.link.take(|event| question.answers.add(event)) {
                Ok(true) => question.until = now + self.link.timeout(),
                Ok(false) if now < question.until => return Ok(Step::Idle(Some(question.until))),
                Ok(false) => question.answers.fail(self.link.timed_out()),
                // The rest is read, not used.
                Err(error) => question.answers.fail(error),
            }
        } else if let Some(Question { ask, answers, .. }) = self.question.take() {
            self.answered(ask, answers, now)?;
        }
        Ok(Step::Done)
    }

    fn is_listing(&self) -> bool {
        matches!(&self.question, Some(question) if question.ask == Ask::List)
    }

    fn ask(&mut self, ask: Ask, now: Duration) -> Result<(), Error> {
        let datapath = self.watcher.datapath();
        debug!(%datapath, ?ask, "looks at ports");
        let request = match ask {
            Ask::List => vport::dump(self.family, datapath),
            Ask::Port(port_no) => vport::get(self.family, datapath, port_no)?,
        };
        self.link.send([&request])?;
        self.question = Some(Question {
            ask,
            answers: Answers::new(Vport::decode),
            until: now + self.link.timeout(),
        });
        Ok(())
    }

    fn answered(&mut self, ask: Ask, answers: Answers<Vport>, now: Duration) -> Result<(), Error> {
        let ports = match answers.collect::<Result<Vec<_>, _>>() {
            Ok(ports) => Some(ports),
            Err(error) if error.errno() == Some(Errno::ENODEV) => None,
            Err(error) => return Err(error),
        };
        match (ask, ports) {
            (Ask::List, Some(ports)) => self.watcher.listed(ports, now),
            (Ask::List, None) => self.watcher.datapath_deleted(),
            (Ask::Port(port_no), ports) => {
                let port = ports.unwrap_or_default().into_iter().next();
                self.watcher.looked_up(port_no, port, now);
            }
        }
        Ok(())
    }

    /// Takes a datagram from a socket that listens; `false` if there was none.
    fn told(&mut self, protocol: Protocol) -> Result<bool, Error> {
        let socket = match protocol {
            Protocol::Generic => &self.generic,
            Protocol::Route => &self.route,
        };
        match socket.try_receive(&mut self.buffer) {
            Ok(None) => return Ok(false),
            Ok(Some(datagram)) => match protocol {
                Protocol::Generic => self.watcher.generic(datagram.source, datagram.bytes)?,
                Protocol::Route => {
                    self.watcher
                        .route(datagram.source, datagram.bytes, self.start.elapsed())?;
                }
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
