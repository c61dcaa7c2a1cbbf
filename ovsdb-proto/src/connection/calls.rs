//! Calls: what waits for a reply, and for how long.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{CallError, CallId, Connection, Event, MonitorId};
use crate::rpc::{self, JsonError, Unnumbered};

/// How long a call waits for its reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Patience {
    /// For this long in all; `None`: for ever.
    Total(Option<Duration>),
    /// As long as bytes arrive, until none has for this long; `None`: for ever. That is for a
    /// large initial state, for which the peer may think long: while such a call waits, it is not
    /// given up as silent.
    Quiet(Option<Duration>),
}

/// What a call starts on the server, to be ended if nobody waits for the reply any more.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Starts {
    /// Nothing.
    Nothing,
    /// A monitor: `monitor_cancel` ends it.
    Monitor(MonitorId),
    /// A lock of this name: `unlock` gives it back.
    Lock(String),
}

#[derive(Debug, Default)]
pub(super) struct Calls {
    waiting: BTreeMap<u64, Waiting>,
    over: BTreeMap<u64, Over>,
    /// Calls that nobody waits for, but whose reply is still to come. They come from the program,
    /// a few bytes for each call that it drops, so they need no bound.
    abandoned: BTreeMap<u64, Starts>,
    /// How many of those that wait are patient.
    patient: usize,
}

#[derive(Debug)]
struct Waiting {
    request: Request,
    patience: Patience,
    since: Duration,
    starts: Starts,
}

#[derive(Debug)]
enum Request {
    Held(Unnumbered),
    /// Its place in the stream.
    Given(u64),
}

/// A call whose reply is to be taken.
#[derive(Debug)]
struct Over {
    reply: Result<Bytes, CallError>,
    starts: Starts,
}

impl Calls {
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn is_any_patient(&self) -> bool {
        self.patient > 0
    }

    fn take_waiting(&mut self, id: u64) -> Option<Waiting> {
        let call = self.waiting.remove(&id)?;
        self.patient -= usize::from(call.is_patient());
        Some(call)
    }
}

impl Waiting {
    fn is_patient(&self) -> bool {
        matches!(self.patience, Patience::Quiet(_))
    }

    /// When it is given up, if nothing arrives any more.
    fn due(&self, last_received: Duration) -> Option<(Duration, Duration)> {
        let (since, after) = match self.patience {
            Patience::Total(after) => (self.since, after?),
            Patience::Quiet(after) => (self.since.max(last_received), after?),
        };
        Some((since.saturating_add(after), after))
    }
}

impl Connection {
    /// Calls a method. `params` must be an array.
    ///
    /// # Errors
    ///
    /// [`CallError::Ended`] if the connection has, [`CallError::Params`] if the parameters cannot
    /// be written as JSON.
    pub fn call(
        &mut self,
        now: Duration,
        method: &str,
        params: &(impl Serialize + ?Sized),
        patience: Patience,
        starts: Starts,
    ) -> Result<CallId, CallError> {
        let request = Unnumbered::encode(method, params).map_err(CallError::Params)?;
        let call = self.prepare_call(now, request, patience, starts)?;
        self.send_call(call);
        Ok(call)
    }

    /// Gives up a call, or what it gave, and no event is about it any more. The peer is asked to
    /// break it off, and what it starts is ended as soon as it has started.
    pub fn cancel(&mut self, call: CallId) {
        if let Some(Waiting { request, starts, .. }) = self.calls.take_waiting(call.0) {
            if let Request::Given(_) = request {
                self.abandon(call, starts);
            }
        } else if let Some(Over { reply: Ok(_), starts }) = self.calls.over.remove(&call.0) {
            self.stop(&starts);
        }
    }

    /// What a call gave: the JSON text of its result, not checked. `None`: it still waits, or it
    /// was taken.
    ///
    /// # Errors
    ///
    /// [`CallError`]: why it gave nothing.
    pub fn take_reply(&mut self, call: CallId) -> Option<Result<Bytes, CallError>> {
        if let Some(Over { reply, .. }) = self.calls.over.remove(&call.0) {
            return Some(reply);
        }
        let end = self.ended.clone()?;
        let sent = match self.calls.take_waiting(call.0)?.request {
            Request::Held(_) => false,
            Request::Given(place) => self.outbox.is_begun(place),
        };
        Some(Err(CallError::Ended { end, sent }))
    }

    /// Makes a call that is sent later.
    pub(crate) fn prepare_call(
        &mut self,
        now: Duration,
        request: Unnumbered,
        patience: Patience,
        starts: Starts,
    ) -> Result<CallId, CallError> {
        if let Some(end) = self.ended.clone() {
            return Err(CallError::Ended { end, sent: false });
        }
        let id = self.take_id();
        let call = Waiting {
            request: Request::Held(request),
            patience,
            since: now,
            starts,
        };
        if let Some((at, _)) = call.due(now) {
            self.pulse.wake_before(at);
        }
        self.calls.patient += usize::from(call.is_patient());
        self.calls.waiting.insert(id, call);
        Ok(CallId(id))
    }

    /// Sends it, unless it is over by now.
    pub(crate) fn send_call(&mut self, call: CallId) {
        if let Some(Waiting { request, .. }) = self.calls.waiting.get_mut(&call.0) {
            if let Request::Held(unnumbered) = request {
                let (head, rest) = unnumbered.parts(Some(call.0));
                let place = self.outbox.push(head.as_bytes());
                self.outbox.push(rest);
                *request = Request::Given(place);
            }
        }
    }

    /// Sends a request whose reply nobody waits for.
    pub(super) fn send_and_forget(&mut self, method: &str, params: &(impl Serialize + ?Sized)) {
        if self.ended.is_some() {
            return;
        }
        let id = self.take_id();
        if let Ok(request) = rpc::encode_request(id, method, params) {
            self.calls.abandoned.insert(id, Starts::Nothing);
            self.outbox.push(&request);
        }
    }

    /// Joins a reply with its call.
    pub(super) fn complete(&mut self, id: &str, reply: Result<Bytes, CallError>) {
        let Ok(id) = id.parse::<u64>() else {
            return;
        };
        if let Some(Waiting { starts, .. }) = self.calls.take_waiting(id) {
            if let (Starts::Lock(name), Ok(reply)) = (&starts, &reply) {
                self.locks.insert(name.clone(), is_locked(reply));
            }
            self.calls.over.insert(id, Over { reply, starts });
            self.events.push_back(Event::Completed(CallId(id)));
        } else if let Some(starts) = self.calls.abandoned.remove(&id) {
            if reply.is_ok() {
                self.stop(&starts);
            }
        }
    }

    /// Gives up the calls that are due. Gives when the next one is.
    pub(super) fn expire_calls(&mut self, now: Duration) -> Option<Duration> {
        let last_received = self.pulse.last_received();
        let mut next = None;
        let mut expired = Vec::new();
        for (id, call) in &self.calls.waiting {
            match call.due(last_received) {
                Some((at, after)) if at <= now => expired.push((CallId(*id), after)),
                Some((at, _)) => next = Some(next.map_or(at, |next: Duration| next.min(at))),
                None => {}
            }
        }
        for (call, after) in expired {
            self.expire(call, after);
        }
        next
    }

    fn expire(&mut self, call: CallId, after: Duration) {
        if let Some(Waiting { request, starts, .. }) = self.calls.take_waiting(call.0) {
            if let Request::Given(_) = request {
                self.abandon(call, starts);
            }
            let reply = Err(CallError::Timeout { after });
            let starts = Starts::Nothing;
            self.calls.over.insert(call.0, Over { reply, starts });
            self.events.push_back(Event::Completed(call));
        }
    }

    /// Asks the peer to break off a call: RFC 7047 section 4.1.4. The call is then answered.
    fn abandon(&mut self, call: CallId, starts: Starts) {
        if self.ended.is_some() {
            return;
        }
        self.calls.abandoned.insert(call.0, starts);
        if let Ok(message) = rpc::encode_notification("cancel", &[call]) {
            self.outbox.push(&message);
        }
    }

    /// Ends what a call started.
    fn stop(&mut self, starts: &Starts) {
        match starts {
            Starts::Nothing => {}
            Starts::Monitor(monitor) => self.send_and_forget("monitor_cancel", &[monitor]),
            Starts::Lock(name) => {
                self.locks.remove(name);
                self.send_and_forget("unlock", &[name]);
            }
        }
    }
}

/// Reads the reply to `lock` or `steal`.
fn is_locked(reply: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Reply {
        locked: bool,
    }
    JsonError::decode::<Reply>(reply).is_ok_and(|reply| reply.locked)
}
