//! What the reader, the writer and the callers of one connection share: the calls that wait, the
//! updates that wait, and why the connection ended.
//!
//! Updates are never dropped. When too many wait, the reader stops reading, and the server then
//! merges what it has to say. It may stop only while no call waits: a reply stands behind the
//! updates in the stream. Two rules keep that safe. Once a second the shut gate lets a little
//! through, so that an `echo` of the server behind the updates is answered in time (it drops a
//! silent client after 10 s). And if updates pile up while a call waits, the connection ends with
//! an error at a hard limit.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep, sleep_until};
use tracing::debug;

use self::updates::Queue;
use super::error::Error;
use crate::frame::{Frame, Member};
use crate::rpc::{self, ErrorReply, Message};

mod call;
mod locks;
mod updates;

pub(super) use self::call::Call;
pub(super) use self::locks::LockState;
pub(super) use self::updates::{Notice, Updates};

pub(super) struct Link {
    state: Mutex<State>,
    /// Tells the reader that the gate may have opened.
    gate: Notify,
    /// Tells everybody that the connection has ended.
    closed: Notify,
    /// Calls whose reply nobody waits for. They come from the program, a few bytes for each call
    /// that it drops, so they need no bound.
    control: mpsc::UnboundedSender<Vec<u8>>,
    /// Replies to the peer's requests.
    replies: mpsc::Sender<Vec<u8>>,
    limits: QueueLimits,
}

/// What the writer takes from the link.
pub(super) struct Outbox {
    pub(super) control: mpsc::UnboundedReceiver<Vec<u8>>,
    pub(super) replies: mpsc::Receiver<Vec<u8>>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct QueueLimits {
    /// Bytes of updates at which the reader stops, if no call waits.
    pub(super) soft: usize,
    /// Bytes of updates at which the connection ends.
    pub(super) hard: usize,
}

/// What a call gave.
pub(super) type Body = Result<Bytes, ErrorReply>;

/// What a call starts on the server, to be ended if nobody waits for it any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Starts {
    Nothing,
    Monitor(u64),
    Lock(String),
}

/// How much the shut gate lets through, still.
#[derive(Default)]
pub(super) struct Allowance(usize);

#[derive(Default)]
struct State {
    next_id: u64,
    slots: HashMap<u64, Slot>,
    queues: HashMap<u64, Queue>,
    /// Bytes in all queues.
    queued: usize,
    /// Locks that were asked for.
    locks: HashMap<String, LockState>,
    /// Calls that wait.
    calls: usize,
    /// Those of them whose reply may take any time.
    patient: usize,
    received: u64,
    last_received: Option<Instant>,
    closed: Option<Error>,
}

/// Where the reply to a request goes.
enum Slot {
    Waiting {
        /// Bytes of it may have reached the peer.
        sent: bool,
        starts: Starts,
    },
    Done(Body, Starts),
    /// The caller is gone.
    Abandoned {
        starts: Starts,
    },
    /// Nobody ever waited, and the call engine does not know the request.
    Ignored,
}

impl Link {
    pub(super) fn new(limits: QueueLimits) -> (Arc<Self>, Outbox) {
        let (control, control_queue) = mpsc::unbounded_channel();
        let (replies, reply_queue) = mpsc::channel(MAX_REPLIES);
        let link = Self {
            state: Mutex::default(),
            gate: Notify::new(),
            closed: Notify::new(),
            control,
            replies,
            limits,
        };
        let outbox = Outbox {
            control: control_queue,
            replies: reply_queue,
        };
        (Arc::new(link), outbox)
    }

    /// Starts a call.
    pub(super) fn call(self: &Arc<Self>, starts: Starts) -> Result<Call, Error> {
        let mut state = self.state();
        if let Some(reason) = &state.closed {
            return Err(reason.clone());
        }
        let id = state.take_id();
        let patient = matches!(starts, Starts::Monitor(_));
        state.slots.insert(id, Slot::Waiting { sent: false, starts });
        state.calls += 1;
        state.patient += usize::from(patient);
        self.gate.notify_one();
        Ok(Call {
            link: Arc::clone(self),
            id,
            patient,
        })
    }

    /// Sends a request whose reply nobody waits for.
    pub(super) fn send_and_forget(&self, method: &str, params: &(impl Serialize + ?Sized)) {
        let mut state = self.state();
        let id = state.take_id();
        let request = rpc::encode_request(id, method, params);
        // If the connection has ended, there is nothing to be done any more.
        if request.is_ok_and(|request| self.control.send(request).is_ok()) {
            state.slots.insert(id, Slot::Ignored);
        }
    }

    /// Asks the peer to break off a call: RFC 7047 section 4.1.4. The call is then answered.
    fn cancel(&self, id: u64) {
        if let Ok(message) = rpc::encode_notification("cancel", &[id]) {
            let _ = self.control.send(message);
        }
    }

    /// Starts to keep the updates of a new monitor.
    pub(super) fn subscribe(self: &Arc<Self>) -> Updates {
        let mut state = self.state();
        let monitor = state.take_id();
        let arrived = Arc::new(Notify::new());
        let queue = Queue::new(&arrived);
        state.queues.insert(monitor, queue);
        Updates {
            link: Arc::clone(self),
            monitor,
            arrived,
            live: false,
        }
    }

    /// Takes one message from the peer. Gives the id of the call that it completes, if any.
    pub(super) fn accept(&self, frame: &Frame) -> Result<Option<u64>, Error> {
        match Message::decode(frame.bytes(), frame.spans()).map_err(Error::Message)? {
            Message::Reply { id, .. } => {
                let result = frame.member(Member::Result).unwrap_or_default();
                Ok(self.complete(id, Ok(result)))
            }
            Message::Error { id, error } => Ok(self.complete(id, Err(error))),
            Message::Request { id, method, params } => {
                let reply = match method.as_str() {
                    "echo" => rpc::encode_reply(id, params),
                    _ => rpc::encode_error(id, "\"unknown method\""),
                };
                match self.replies.try_send(reply) {
                    Ok(()) => Ok(None),
                    Err(_) => Err(Error::Flooded { limit: MAX_REPLIES }),
                }
            }
            Message::Notification { method, params } => {
                let bytes = frame.member(Member::Params).unwrap_or_default();
                let notice = match method.as_str() {
                    "update" => Notice::Update("update", bytes),
                    "update2" => Notice::Update("update2", bytes),
                    "update3" => Notice::Update("update3", bytes),
                    "monitor_canceled" => Notice::Canceled,
                    "locked" | "stolen" => {
                        self.note_lock(params, method == "locked");
                        return Ok(None);
                    }
                    _ => {
                        debug!(method, "notification ignored");
                        return Ok(None);
                    }
                };
                self.push(params, notice).map(|()| None)
            }
        }
    }

    /// Waits until the reader may read on.
    pub(super) async fn may_read(&self, allowance: &mut Allowance) {
        if allowance.0 > 0 || !self.is_gate_shut() {
            return;
        }
        // One timer for the whole wait: the gate is looked at each time that an update is taken.
        let mut trickle = pin!(sleep(TRICKLE_INTERVAL));
        while self.is_gate_shut() {
            tokio::select! {
                () = self.gate.notified() => {}
                () = &mut trickle => {
                    allowance.0 = TRICKLE_LEN;
                    return;
                }
            }
        }
    }

    /// Notes that bytes have arrived.
    pub(super) fn note_received(&self, len: usize, allowance: &mut Allowance) {
        allowance.0 = allowance.0.saturating_sub(len);
        let mut state = self.state();
        state.received = state
            .received
            .saturating_add(u64::try_from(len).unwrap_or(u64::MAX));
        state.last_received = Some(Instant::now());
    }

    /// Ends the connection when nothing arrives for twice `interval`, although the peer is asked
    /// for something half way.
    pub(super) async fn probe(self: Arc<Self>, interval: Duration) {
        let start = Instant::now();
        loop {
            let last = self.state().last_received.unwrap_or(start);
            tokio::select! {
                () = sleep_until(last + interval) => {}
                _ = self.closed() => return,
            }
            if self.state().last_received.unwrap_or(start) != last {
                continue;
            }
            if !self.is_gate_shut() {
                self.send_and_forget("echo", &[(); 0]);
            }
            // Who does not read, or waits for a large initial state, cannot tell.
            let silent = || {
                let state = self.state();
                state.patient == 0 && state.last_received.unwrap_or(start) == last
            };
            tokio::select! {
                () = sleep(interval) => {}
                _ = self.closed() => return,
            }
            // If the program kept the runtime busy, the reader has not been asked yet.
            if silent() && !self.is_gate_shut() {
                sleep(READER_TURN).await;
            }
            if silent() && !self.is_gate_shut() {
                self.close(Error::Silent { after: interval * 2 });
                return;
            }
        }
    }

    /// Bytes that have arrived since the connection was made.
    pub(super) fn received(&self) -> u64 {
        self.state().received
    }

    /// Ends the connection. The first reason stays.
    pub(super) fn close(&self, reason: Error) {
        let mut state = self.state();
        if state.closed.is_none() {
            debug!(%reason, "connection ended");
            state.closed = Some(reason);
        }
        for queue in state.queues.values() {
            queue.arrived.notify_one();
        }
        state.locks.clear();
        drop(state);
        self.gate.notify_one();
        self.closed.notify_waiters();
    }

    /// Waits until the connection has ended, and says why.
    pub(super) async fn closed(&self) -> Error {
        loop {
            let mut closed = pin!(self.closed.notified());
            closed.as_mut().enable();
            if let Some(reason) = &self.state().closed {
                return reason.clone();
            }
            closed.await;
        }
    }

    /// Says that the writer is about to write a call. False: the connection has ended, and it must
    /// not.
    pub(super) fn start_writing(&self, id: u64) -> bool {
        let mut state = self.state();
        if let Some(Slot::Waiting { sent, .. }) = state.slots.get_mut(&id) {
            *sent = true;
        }
        state.closed.is_none()
    }

    fn complete(&self, id: &str, body: Body) -> Option<u64> {
        let id: u64 = id.parse().ok()?;
        let mut state = self.state();
        match state.slots.remove(&id) {
            Some(Slot::Waiting { starts, .. }) => {
                if let (Starts::Lock(name), Ok(reply)) = (&starts, &body) {
                    let locked = locks::is_locked(reply);
                    state.locks.insert(name.clone(), LockState::new(locked));
                }
                state.slots.insert(id, Slot::Done(body, starts));
                Some(id)
            }
            Some(Slot::Abandoned { starts }) => {
                drop(state);
                if body.is_ok() {
                    self.end(&starts);
                }
                Some(id)
            }
            Some(Slot::Ignored) => None,
            Some(done @ Slot::Done(..)) => {
                state.slots.insert(id, done);
                debug!(id, "second reply to a call ignored");
                None
            }
            None => {
                debug!(id, "reply to no call ignored");
                None
            }
        }
    }

    /// Ends what a call started.
    fn end(&self, starts: &Starts) {
        match starts {
            Starts::Nothing => {}
            Starts::Monitor(monitor) => self.send_and_forget("monitor_cancel", &[monitor]),
            Starts::Lock(name) => {
                self.state().locks.remove(name);
                self.send_and_forget("unlock", &[name]);
            }
        }
    }

    fn push(&self, params: &[u8], notice: Notice) -> Result<(), Error> {
        let mut state = self.state();
        let monitor = monitor_id(params);
        let Some(queue) = monitor.and_then(|monitor| state.queues.get_mut(&monitor)) else {
            debug!("notification for no monitor ignored");
            return Ok(());
        };
        let len = notice.len();
        queue.notices.push_back(notice);
        queue.bytes += len;
        queue.arrived.notify_one();
        state.queued += len;
        // However large, one message that waits alone is no backlog.
        match state.queued {
            queued if queued > self.limits.hard && queued > len => Err(Error::Lagged {
                queued,
                limit: self.limits.hard,
            }),
            _ => Ok(()),
        }
    }

    fn is_gate_shut(&self) -> bool {
        let state = self.state();
        state.queued >= self.limits.soft && state.calls == 0 && state.closed.is_none()
    }

    // Nothing that holds the lock can panic half way, so a poisoned state is still a good one.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }
}

/// The id of the monitor, which is the first parameter. Ours are plain numbers.
fn monitor_id(params: &[u8]) -> Option<u64> {
    let first = params.strip_prefix(b"[")?.trim_ascii_start();
    let end = first.iter().position(|byte| !byte.is_ascii_digit())?;
    std::str::from_utf8(&first[..end]).ok()?.parse().ok()
}

/// The server sends one echo and then waits. A peer that sends this many requests and takes no
/// reply wants our memory.
const MAX_REPLIES: usize = 64;

/// For the reader to take what has arrived.
const READER_TURN: Duration = Duration::from_millis(100);

const TRICKLE_INTERVAL: Duration = Duration::from_secs(1);

/// More than the kernel holds for a socket by default, in the 5 s that the server waits for the
/// reply to its echo.
const TRICKLE_LEN: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_parameter_is_the_monitor() {
        assert_eq!(monitor_id(b"[7,{}]"), Some(7));
        assert_eq!(monitor_id(b"[ 18446744073709551615 ]"), Some(u64::MAX));
        for other in [
            "[]",
            "[null,{}]",
            "[\"7\",{}]",
            "[-7]",
            "[18446744073709551616,{}]",
            "7",
            "[7",
        ] {
            assert_eq!(monitor_id(other.as_bytes()), None, "{other}");
        }
    }
}
