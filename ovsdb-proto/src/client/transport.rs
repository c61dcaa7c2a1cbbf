//! The two ends of the call engine. It believes to speak JSON-RPC 2.0: a notification that reaches
//! [`Sender`] is the number of a call to be sent, and [`Receiver`] gives it nothing but the end.
//! Everything else is between the [`Link`] and the socket.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use jsonrpsee::core::client::{ReceivedMessage, TransportReceiverT, TransportSenderT};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::{Sleep, sleep_until};
use tracing::debug;

use super::link::{Link, State};
use crate::connection::{CallId, End};

/// The engine's way to the connection.
pub(super) struct Sender {
    link: Arc<Link>,
}

/// The connection's task: reads, writes what nobody else does, and watches the clock.
pub(super) struct Receiver<R> {
    link: Arc<Link>,
    io: R,
    timer: Timer,
}

/// The engine is told no more; the [`Link`] knows why.
#[derive(Debug, Clone, Copy, Error)]
#[error("connection ended")]
pub(super) struct Ended;

/// Set anew only when it must go off at another time.
#[derive(Default)]
struct Timer {
    sleep: Option<Pin<Box<Sleep>>>,
    at: Option<Duration>,
}

impl Sender {
    pub(super) fn new(link: Arc<Link>) -> Self {
        Self { link }
    }
}

impl TransportSenderT for Sender {
    type Error = Ended;

    async fn send(&mut self, message: String) -> Result<(), Ended> {
        // The engine writes the members in the order jsonrpc, method, params.
        let id = message.strip_prefix(BEFORE_METHOD).ok_or(Ended)?;
        let digits = id.bytes().take_while(u8::is_ascii_digit).count();
        let id = CallId(id[..digits].parse().map_err(|_| Ended)?);
        poll_fn(|cx| {
            self.link.send_call(id, cx);
            Poll::Ready(Ok(()))
        })
        .await
    }
}

impl<R> Receiver<R> {
    pub(super) fn new(link: Arc<Link>, io: R) -> Self {
        Self {
            link,
            io,
            timer: Timer::default(),
        }
    }
}

/// However the reader ends, nobody waits for it any longer.
impl<R> Drop for Receiver<R> {
    fn drop(&mut self) {
        self.link.close();
    }
}

impl<R: AsyncRead + Unpin + Send + 'static> TransportReceiverT for Receiver<R> {
    type Error = Ended;

    async fn receive(&mut self) -> Result<ReceivedMessage, Ended> {
        poll_fn(|cx| self.poll_end(cx)).await;
        Err(Ended)
    }
}

impl<R: AsyncRead + Unpin> Receiver<R> {
    /// Drives the connection until it has ended.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.link.state();
        loop {
            let now = state.now();
            self.link.tell_events(&mut state, now);
            if let Some(end) = state.connection.ended() {
                debug!(reason = %end, "connection ended");
                self.link.tell_end(state);
                return Poll::Ready(());
            }
            // If the socket takes no more, that is no reason not to read.
            let _ = state.poll_flush(cx);
            if state.connection.wants_bytes(now) && read(&mut self.io, &mut state, now, cx).is_ready() {
                continue;
            }
            if self.timer.poll(&state, cx).is_pending() {
                state.reader_sleeps(cx);
                return Poll::Pending;
            }
        }
    }
}

fn read(
    io: &mut (impl AsyncRead + Unpin),
    state: &mut State,
    now: Duration,
    cx: &mut Context<'_>,
) -> Poll<()> {
    let inbox = state.connection.inbox();
    inbox.reserve(READ_LEN);
    let read = pin!(io.read_buf(inbox)).poll(cx);
    read.map(|read| match read {
        Ok(0) => state.connection.finish(),
        Ok(len) => state.connection.received(now, len),
        Err(error) if is_hang_up(&error) => state.connection.finish(),
        Err(error) => state.connection.end(End::io(&error)),
    })
}

impl Timer {
    fn poll(&mut self, state: &State, cx: &mut Context<'_>) -> Poll<()> {
        let at = state.connection.wake_at();
        if self.at != at {
            self.at = at;
            // What is too far to be a time is never.
            self.sleep = at
                .and_then(|at| state.instant(at))
                .map(|at| Box::pin(sleep_until(at)));
        }
        match &mut self.sleep {
            Some(sleep) => {
                let due = sleep.as_mut().poll(cx);
                if due.is_ready() {
                    self.at = None;
                    self.sleep = None;
                }
                due
            }
            None => Poll::Pending,
        }
    }
}

/// The peer went away without reading all that we sent: for us that is an end like another.
fn is_hang_up(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(
        error.kind(),
        BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof
    )
}

const BEFORE_METHOD: &str = "{\"jsonrpc\":\"2.0\",\"method\":\"";

/// Room made in the buffer before each read.
const READ_LEN: usize = 64 * 1024;
