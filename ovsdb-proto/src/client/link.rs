//! What the engine's tasks and the callers of one connection share: the [`Connection`], which is
//! the protocol, the way to the socket, and who waits for what.

use std::collections::BTreeMap;
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use serde::Serialize;
use tokio::io::AsyncWrite;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::error::Error;
use crate::connection::{CallId, Connection, ConnectionOptions, End, Event, MonitorId, Patience, Starts};
use crate::rpc::Unnumbered;

mod call;
mod updates;

pub(super) use self::call::Call;
pub(super) use self::updates::Updates;

pub(super) struct Link {
    state: Mutex<State>,
    /// Tells everybody that the connection has ended.
    closed: Notify,
    /// Tells everybody that a lock has come or gone.
    locks: Notify,
}

pub(super) struct State {
    pub(super) connection: Connection,
    /// The clock of the connection starts here.
    start: Instant,
    /// `None`: nothing can be sent any more.
    writer: Option<Pin<Box<dyn AsyncWrite + Send>>>,
    /// The reader sleeps.
    reader: Option<Waker>,
    /// Who waits for the reply to a call.
    callers: BTreeMap<CallId, Waker>,
    /// Who waits for the updates of a monitor.
    arrivals: BTreeMap<MonitorId, Arc<Notify>>,
}

impl Link {
    pub(super) fn new(options: ConnectionOptions, writer: impl AsyncWrite + Send + 'static) -> Arc<Self> {
        let state = State {
            connection: Connection::new(options, Duration::ZERO),
            start: Instant::now(),
            writer: Some(Box::pin(writer)),
            reader: None,
            callers: BTreeMap::new(),
            arrivals: BTreeMap::new(),
        };
        Arc::new(Self {
            state: Mutex::new(state),
            closed: Notify::new(),
            locks: Notify::new(),
        })
    }

    /// Starts a call, which is sent when the engine says so.
    pub(super) fn call(
        self: &Arc<Self>,
        method: &'static str,
        params: &(impl Serialize + ?Sized),
        patience: Patience,
        starts: Starts,
    ) -> Result<Call, Error> {
        let request = Unnumbered::encode(method, params).map_err(|source| Error::Json { method, source })?;
        let mut state = self.state();
        let now = state.now();
        let (wake_at, was_shut) = (state.connection.wake_at(), state.connection.is_shut());
        let id = state
            .connection
            .prepare_call(now, request, patience, starts)
            .map_err(Error::call(method))?;
        if was_shut || state.connection.wake_at() != wake_at {
            state.wake_reader();
        }
        let link = Arc::clone(self);
        Ok(Call { link, id })
    }

    /// Sends a call, as far as the socket takes it. The reader sends the rest.
    pub(super) fn send_call(&self, id: CallId, cx: &mut Context<'_>) {
        let mut state = self.state();
        state.connection.send_call(id);
        if state.poll_flush(cx).is_pending() {
            state.wake_reader();
        }
    }

    /// Starts to keep the updates of a new monitor.
    pub(super) fn subscribe(self: &Arc<Self>) -> Updates {
        let mut state = self.state();
        let monitor = state.connection.subscribe();
        let arrived = Arc::new(Notify::new());
        state.arrivals.insert(monitor, Arc::clone(&arrived));
        Updates {
            link: Arc::clone(self),
            monitor,
            arrived,
            live: false,
        }
    }

    /// Gives a lock back.
    pub(super) fn unlock(&self, name: &str) {
        let mut state = self.state();
        state.connection.unlock(name);
        state.wake_reader();
    }

    /// Whether a lock is owned; `None` if the connection has ended.
    pub(super) fn is_lock_owned(&self, name: &str) -> Option<bool> {
        self.state().connection.lock(name)
    }

    /// Waits until a lock is owned, or is not.
    pub(super) async fn lock_becomes(&self, name: &str, owned: bool) -> Result<(), Error> {
        loop {
            let mut changed = pin!(self.locks.notified());
            changed.as_mut().enable();
            match self.is_lock_owned(name) {
                Some(now) if now == owned => return Ok(()),
                Some(_) => changed.await,
                None => return Err(self.closed().await.into()),
            }
        }
    }

    /// Ends the connection, because nobody needs it any more.
    pub(super) fn close(&self) {
        let mut state = self.state();
        let received = state.connection.received_len();
        state.connection.end(End::Closed { received });
        state.wake_reader();
        self.tell_end(state);
    }

    /// Waits until the connection has ended, and says why.
    pub(super) async fn closed(&self) -> End {
        loop {
            let mut closed = pin!(self.closed.notified());
            closed.as_mut().enable();
            if let Some(end) = self.state().connection.ended() {
                return end.clone();
            }
            closed.await;
        }
    }

    /// Tells everybody what happened by the bytes that are there.
    pub(super) fn tell_events(&self, state: &mut State, now: Duration) {
        while let Some(event) = state.connection.next(now) {
            match event {
                Event::Completed(call) => {
                    if let Some(caller) = state.callers.remove(&call) {
                        caller.wake();
                    }
                }
                Event::Arrived(monitor) => {
                    if let Some(arrived) = state.arrivals.get(&monitor) {
                        arrived.notify_one();
                    }
                }
                Event::Lock => self.locks.notify_waiters(),
            }
        }
    }

    /// Tells everybody that the connection has ended.
    pub(super) fn tell_end(&self, mut state: MutexGuard<'_, State>) {
        while let Some((_, caller)) = state.callers.pop_first() {
            caller.wake();
        }
        for arrived in state.arrivals.values() {
            arrived.notify_one();
        }
        let writer = state.writer.take();
        drop(state);
        self.closed.notify_waiters();
        self.locks.notify_waiters();
        if let Some(mut writer) = writer {
            // A goodbye, for those who have one. The peer may be gone.
            let _ = writer
                .as_mut()
                .poll_shutdown(&mut Context::from_waker(Waker::noop()));
        }
    }

    // Nothing that holds the lock can panic half way, so a poisoned state is still a good one.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    pub(super) fn now(&self) -> Duration {
        self.start.elapsed()
    }

    pub(super) fn instant(&self, at: Duration) -> Option<Instant> {
        self.start.checked_add(at)
    }

    /// Sends what is to be sent.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(writer) = &mut self.writer else {
            return Poll::Ready(());
        };
        let written = loop {
            let bytes = self.connection.outgoing();
            if bytes.is_empty() {
                break writer.as_mut().poll_flush(cx);
            }
            match writer.as_mut().poll_write(cx, bytes) {
                Poll::Ready(Ok(0)) => break Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(len)) => self.connection.sent(len),
                Poll::Ready(Err(error)) => break Poll::Ready(Err(error)),
                Poll::Pending => break Poll::Pending,
            }
        };
        written.map(|written| {
            if let Err(error) = written {
                self.connection.broken(self.now(), End::io(&error));
                self.writer = None;
                self.wake_reader();
            }
        })
    }

    /// Lets the reader look again.
    pub(super) fn wake_reader(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }

    /// Says that the reader sleeps.
    pub(super) fn reader_sleeps(&mut self, cx: &Context<'_>) {
        match &mut self.reader {
            Some(reader) => reader.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parameters that look, while they are written, whether the connection is free.
    struct Nosy(Arc<Link>);

    impl Serialize for Nosy {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            assert!(self.0.state.try_lock().is_ok(), "others have to wait");
            ["written"].serialize(serializer)
        }
    }

    #[test]
    fn a_call_that_takes_long_to_write_keeps_nobody_waiting() {
        let link = Link::new(ConnectionOptions::default(), tokio::io::sink());
        let params = Nosy(Arc::clone(&link));
        let call = link.call("transact", &params, Patience::Total(None), Starts::Nothing);
        let call = call.unwrap();
        link.send_call(call.id(), &mut Context::from_waker(Waker::noop()));
        assert_eq!(call.id(), CallId(1));
        assert_eq!(link.state().connection.outgoing(), b"");
    }
}
