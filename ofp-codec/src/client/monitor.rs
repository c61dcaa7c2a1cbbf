use std::collections::VecDeque;

use crate::{
    client::{
        connection::{Connection, Event},
        dump::{BadEntry, decode_entries},
        error::Error,
    },
    model::version::Version,
    wire::{FlowUpdate, Message, MessageKind, MonitorRequest, Ofperr, SessionError},
};

/// What happens to flows, as it happens.
///
/// A consumer that is slower than the switch loses nothing: the switch then pauses, which is an
/// event, tells what changed meanwhile, and resumes, which is another. The connection serves nothing
/// else until this is dropped; the switch goes on telling, and what it tells are then events of the
/// connection.
#[derive(Debug)]
pub struct FlowMonitor<'c> {
    connection: &'c mut Connection,
    monitor: Monitor,
}

/// The same without its connection.
#[derive(Debug)]
pub(crate) struct Monitor {
    xid: u32,
    state: State,
    updates: VecDeque<Result<FlowUpdate, BadEntry>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The flows that are there at the beginning are being told.
    Initial,
    /// The last of them was received.
    InitialReceived,
    /// Changes are told.
    Live,
}

/// The next thing that a monitor has to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MonitorEvent {
    /// Something happened to a flow, or to the monitor.
    Update(FlowUpdate),
    /// All flows have been told that were there at the beginning. What follows are changes.
    InSync,
    /// An update that cannot be read; the next ones are not affected.
    Bad(BadEntry),
    /// Something else that the switch tells.
    Other(Event),
}

impl<'c> FlowMonitor<'c> {
    pub(crate) fn start(connection: &'c mut Connection, request: &MonitorRequest) -> Result<Self, Error> {
        let monitor = Monitor::start(connection, request)?;
        Ok(FlowMonitor { connection, monitor })
    }

    /// The version that both sides speak.
    pub fn version(&self) -> Version {
        self.connection.version()
    }

    /// Waits for the next event, for ever if need be; the switch is probed meanwhile.
    ///
    /// # Errors
    ///
    /// If the switch refuses the monitor, or the connection ends. [`Error::NoFlowMonitors`]: it has none in this version.
    pub async fn next(&mut self) -> Result<MonitorEvent, Error> {
        self.monitor.next(self.connection).await
    }
}

impl Monitor {
    pub(crate) fn start(connection: &mut Connection, request: &MonitorRequest) -> Result<Self, Error> {
        let kind = MessageKind::FlowMonitorRequest;
        let xid = connection.send(|version, xid, out| {
            kind.encode(version, xid, out, |writer| request.encode(version, writer))
        })?;
        Ok(Monitor {
            xid,
            state: State::Initial,
            updates: VecDeque::new(),
        })
    }

    pub(crate) async fn next(&mut self, connection: &mut Connection) -> Result<MonitorEvent, Error> {
        loop {
            match self.updates.pop_front() {
                Some(Ok(update)) => return Ok(MonitorEvent::Update(update)),
                Some(Err(bad)) => return Ok(MonitorEvent::Bad(bad)),
                None => {}
            }
            match self.state {
                State::Initial => {
                    let reply = connection.reply(self.xid).await;
                    let bytes = reply.map_err(|error| missing(connection.version(), error))?;
                    let message = Message::parse(&bytes)?;
                    self.updates = decode_entries(&message)?;
                    if !message.more() {
                        self.state = State::InitialReceived;
                    }
                }
                State::InitialReceived => {
                    self.state = State::Live;
                    return Ok(MonitorEvent::InSync);
                }
                State::Live => {
                    let event = connection.event().await?;
                    let message = event.message()?;
                    match message.kind() {
                        Some(MessageKind::FlowMonitorReply) => self.updates = decode_entries(&message)?,
                        Some(MessageKind::FlowMonitorPaused) => {
                            return Ok(MonitorEvent::Update(FlowUpdate::Paused));
                        }
                        Some(MessageKind::FlowMonitorResumed) => {
                            return Ok(MonitorEvent::Update(FlowUpdate::Resumed));
                        }
                        _ => return Ok(MonitorEvent::Other(event)),
                    }
                }
            }
        }
    }
}

/// Tells that a switch does not know the request from what else may be wrong.
fn missing(version: Version, error: Error) -> Error {
    let is_unknown = match &error {
        Error::Refused(refusal) => refusal.error().is_some_and(|error| UNKNOWN.contains(&error)),
        // Open vSwitch up to 2.17 may answer in its own version.
        Error::Session(SessionError::WrongVersion { .. }) => true,
        _ => false,
    };
    match is_unknown {
        true => Error::NoFlowMonitors {
            version,
            error: error.into(),
        },
        false => error,
    }
}

const UNKNOWN: [Ofperr; 5] = [
    Ofperr::OFPBRC_BAD_VERSION,
    Ofperr::OFPBRC_BAD_TYPE,
    Ofperr::OFPBRC_BAD_STAT,
    Ofperr::OFPBRC_BAD_VENDOR,
    Ofperr::OFPBRC_BAD_SUBTYPE,
];
