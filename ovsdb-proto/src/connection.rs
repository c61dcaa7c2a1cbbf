//! A connection without a socket and without a clock.
//!
//! [`Connection`] is the protocol: it splits what arrives, numbers calls and joins them with their
//! replies, answers the peer's `echo`, asks a silent peer whether it is there, gives up calls that
//! take too long, and keeps updates until they are taken. Bytes and times are given to it; what is
//! to be sent, what happened, and when it wants to be asked again, are taken from it.
//! [`Client`](crate::client::Client) is it with a socket and tokio's clock.
//!
//! Times are counted from any fixed moment, and never go back.
//!
//! ```
//! use std::time::Duration;
//! use ovsdb_proto::connection::{Connection, ConnectionOptions, Event, Patience, Starts};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let at = Duration::from_millis;
//! let mut connection = Connection::new(ConnectionOptions::default(), at(0));
//! let patience = Patience::Total(Some(at(30_000)));
//! let call = connection.call(at(1), "list_dbs", &[(); 0], patience, Starts::Nothing)?;
//! let len = connection.outgoing().len();
//! assert!(connection.outgoing().ends_with(br#"{"id":1,"method":"list_dbs","params":[]}"#));
//! connection.sent(len);
//!
//! connection.receive(at(2), br#"{"id":"echo","method":"echo","params":[]}{"id":1,"resu"#);
//! assert_eq!(connection.next(at(2)), None);
//! assert_eq!(connection.outgoing(), br#"{"id":"echo","result":[],"error":null}"#);
//!
//! connection.receive(at(3), br#"lt":["Open_vSwitch"],"error":null}"#);
//! assert_eq!(connection.next(at(3)), Some(Event::Completed(call)));
//! let reply = connection.take_reply(call).expect("it is complete")?;
//! assert_eq!(&reply[..], br#"["Open_vSwitch"]"#);
//! # Ok(())
//! # }
//! ```

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use serde::{Deserialize, Serialize};

use self::calls::Calls;
use self::outbox::Outbox;
use self::pulse::Pulse;
use self::updates::Updates;
use crate::frame::{Frame, FrameDecoder, FrameError, Limits, Member};
use crate::rpc::{self, JsonError, Message};

mod calls;
mod error;
mod outbox;
mod pulse;
mod updates;

pub use self::calls::{Patience, Starts};
pub use self::error::{CallError, End};

/// A connection without a socket and without a clock: see the [module](self).
///
/// Whoever drives it does the following again and again: [`next`](Self::next) until there is
/// nothing; send [`outgoing`](Self::outgoing); if [`wants_bytes`](Self::wants_bytes), wait for
/// bytes, but not beyond [`wake_at`](Self::wake_at).
#[derive(Debug)]
pub struct Connection {
    options: ConnectionOptions,
    decoder: FrameDecoder,
    inbox: BytesMut,
    received: u64,
    outbox: Outbox,
    next_id: u64,
    calls: Calls,
    updates: Updates,
    /// Locks that were asked for, and whether they are owned.
    locks: HashMap<String, bool>,
    /// What happened, if it was not a message that it happened by.
    events: VecDeque<Event>,
    pulse: Pulse,
    ended: Option<End>,
}

/// What a connection may take.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionOptions {
    /// After this time without a byte from the peer it is asked for an answer, and given up with
    /// [`End::Silent`] after this time again. `None`: never. Default 4 s.
    pub probe_interval: Option<Duration>,
    /// How large and how deep one message may be.
    pub message: Limits,
    /// Bytes of updates not yet taken at which no more bytes are wanted, so that the server holds
    /// back and merges. Default 4 MiB.
    pub hold_back_at: usize,
    /// Bytes of updates not yet taken at which the connection is given up with [`End::Lagged`].
    /// That happens only if a call waits for long while nobody takes updates. One message alone
    /// may be larger. Default 256 MiB.
    pub max_queued: usize,
}

/// The number of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CallId(pub(crate) u64);

/// The number of a monitor: what the server calls its `<json-value>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MonitorId(pub(crate) u64);

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A call is over: [`Connection::take_reply`].
    Completed(CallId),
    /// A notification for a monitor is there: [`Connection::take_notice`].
    Arrived(MonitorId),
    /// The peer gave a lock, or took it: [`Connection::lock`].
    Lock,
}

/// One notification for a monitor.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// Rows changed.
    Update {
        /// `update`, `update2` or `update3`.
        method: &'static str,
        /// Its parameters: a JSON array, not checked.
        params: Bytes,
    },
    /// `monitor_canceled`: the server has ended the monitor.
    Canceled,
}

impl Default for ConnectionOptions {
    fn default() -> Self {
        Self {
            probe_interval: Some(Duration::from_secs(4)),
            message: Limits::default(),
            hold_back_at: 4 << 20,
            max_queued: 256 << 20,
        }
    }
}

impl Connection {
    /// A connection that is made at this moment.
    #[must_use]
    pub fn new(options: ConnectionOptions, now: Duration) -> Self {
        let mut connection = Self {
            decoder: FrameDecoder::new(options.message),
            inbox: BytesMut::new(),
            received: 0,
            outbox: Outbox::default(),
            next_id: 0,
            calls: Calls::default(),
            updates: Updates::default(),
            locks: HashMap::new(),
            events: VecDeque::new(),
            pulse: Pulse::new(options.probe_interval, now),
            ended: None,
            options,
        };
        // Before anything else: without it a canceled call is never answered, and the server
        // closes the connection when a database is converted (ovsdb-server(7) section 4.1.18).
        connection.send_and_forget("set_db_change_aware", &[true]);
        connection
    }

    /// Takes bytes of the peer.
    pub fn receive(&mut self, now: Duration, bytes: &[u8]) {
        self.inbox.extend_from_slice(bytes);
        self.received(now, bytes.len());
    }

    /// Says that the peer sends no more.
    pub fn finish(&mut self) {
        let received = self.received;
        self.end(match self.decoder.finish(&self.inbox) {
            Ok(()) => End::Closed { received },
            Err(FrameError::Truncated { len }) => End::Truncated {
                partial: len,
                received,
            },
            Err(error) => End::Frame(error),
        });
    }

    /// Says that nothing can be sent any more. The connection ends a second later: until then the
    /// reply, or the half of one, may be found that came before the peer went away.
    pub fn broken(&mut self, now: Duration, end: End) {
        self.outbox.clear();
        self.pulse.set_last_words(now, end);
    }

    /// Ends the connection. The first reason stays. Updates that are there can still be taken.
    pub fn end(&mut self, end: End) {
        if self.ended.is_none() {
            self.ended = Some(end);
        }
        self.locks.clear();
        self.outbox.clear();
    }

    /// Why the connection has ended, if it has. Every call that waited is over then.
    #[must_use]
    pub fn ended(&self) -> Option<&End> {
        self.ended.as_ref()
    }

    /// Bytes that have arrived since the connection was made.
    #[must_use]
    pub fn received_len(&self) -> u64 {
        self.received
    }

    /// What happens next, in the order of the stream: to be asked after every
    /// [`receive`](Self::receive), and at [`wake_at`](Self::wake_at), until there is nothing.
    pub fn next(&mut self, now: Duration) -> Option<Event> {
        let mut ticked = false;
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some(event);
            }
            if self.ended.is_some() {
                return None;
            }
            match self.decoder.next_frame(&mut self.inbox) {
                Ok(Some(frame)) => {
                    if let Err(end) = self.accept(&frame) {
                        self.end(end);
                    }
                }
                Ok(None) if self.pulse.is_due(now) && !ticked => {
                    ticked = true;
                    self.tick(now);
                }
                Ok(None) => return None,
                Err(error) => self.end(End::Frame(error)),
            }
        }
    }

    /// The bytes to be sent.
    #[must_use]
    pub fn outgoing(&self) -> &[u8] {
        self.outbox.bytes()
    }

    /// Says that so many of them are sent.
    pub fn sent(&mut self, len: usize) {
        self.outbox.sent(len);
    }

    /// Whether bytes of the peer are welcome. If too many updates wait, they are not, unless a call
    /// waits, too: a reply stands behind the updates in the stream. And once a second a little is
    /// let through, so that an `echo` behind the updates is answered in time: a server drops a
    /// silent client after 10 s.
    pub fn wants_bytes(&mut self, now: Duration) -> bool {
        let shut = self.is_shut();
        self.pulse.wants_bytes(now, shut)
    }

    /// When to ask for the [`next`](Self::next) event at the latest, bytes or no bytes. `None`:
    /// there is nothing to wait for but bytes.
    #[must_use]
    pub fn wake_at(&self) -> Option<Duration> {
        self.pulse.wake_at()
    }

    /// A number for a monitor, under which updates are kept from now on.
    pub fn subscribe(&mut self) -> MonitorId {
        let monitor = MonitorId(self.take_id());
        self.updates.subscribe(monitor);
        monitor
    }

    /// Drops the updates of a monitor. If the server has it, it is told.
    pub fn unsubscribe(&mut self, monitor: MonitorId, is_live: bool) {
        self.updates.unsubscribe(monitor);
        if is_live {
            self.send_and_forget("monitor_cancel", &[monitor]);
        }
    }

    /// The next notification for a monitor.
    pub fn take_notice(&mut self, monitor: MonitorId) -> Option<Notice> {
        self.updates.take(monitor)
    }

    /// Whether a lock is owned; `None` if it is not asked for.
    #[must_use]
    pub fn lock(&self, name: &str) -> Option<bool> {
        self.locks.get(name).copied()
    }

    /// Gives a lock back.
    pub fn unlock(&mut self, name: &str) {
        if self.locks.remove(name).is_some() {
            self.send_and_forget("unlock", &[name]);
        }
    }

    /// Where bytes of the peer may be put, to be [`received`](Self::received).
    #[cfg(feature = "client")]
    pub(crate) fn inbox(&mut self) -> &mut BytesMut {
        &mut self.inbox
    }

    /// Says that bytes were put into the inbox.
    pub(crate) fn received(&mut self, now: Duration, len: usize) {
        self.received = self
            .received
            .saturating_add(u64::try_from(len).unwrap_or(u64::MAX));
        self.pulse.received(now, len);
    }

    pub(crate) fn is_shut(&self) -> bool {
        self.updates.len() >= self.options.hold_back_at && self.calls.is_empty() && self.ended.is_none()
    }

    /// Takes one message.
    fn accept(&mut self, frame: &Frame) -> Result<(), End> {
        match Message::decode(frame.bytes(), frame.spans()).map_err(End::Message)? {
            Message::Reply { id, .. } => {
                let result = frame.member(Member::Result).unwrap_or_default();
                self.complete(id, Ok(result));
            }
            Message::Error { id, error } => self.complete(id, Err(CallError::Refused(error))),
            Message::Request { id, method, params } => {
                let reply = match method.as_str() {
                    "echo" => rpc::encode_reply(id, params),
                    _ => rpc::encode_error(id, "\"unknown method\""),
                };
                self.outbox.push_reply(&reply)?;
            }
            Message::Notification { method, params } => {
                let update = |method| Notice::Update {
                    method,
                    params: frame.member(Member::Params).unwrap_or_default(),
                };
                let notice = match method.as_str() {
                    "update" => update("update"),
                    "update2" => update("update2"),
                    "update3" => update("update3"),
                    "monitor_canceled" => Notice::Canceled,
                    "locked" | "stolen" => {
                        self.note_lock(params, method == "locked");
                        return Ok(());
                    }
                    _ => return Ok(()),
                };
                if let Some(monitor) = self.updates.push(params, notice, self.options.max_queued)? {
                    self.events.push_back(Event::Arrived(monitor));
                }
            }
        }
        Ok(())
    }

    fn note_lock(&mut self, params: &[u8], owned: bool) {
        let name = JsonError::decode::<(String,)>(params).ok();
        if let Some(lock) = name.and_then(|(name,)| self.locks.get_mut(&name)) {
            *lock = owned;
            self.events.push_back(Event::Lock);
        }
    }

    fn take_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }
}

#[cfg(test)]
mod tests;
