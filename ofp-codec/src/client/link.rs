//! Joins a session and a socket, and watches the time.

use std::{
    boxed::Box,
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
    vec,
    vec::Vec,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, timeout_at},
};

use crate::{
    client::error::Error,
    model::version::Version,
    wire::{EncodeError, MessageKind, Session, Versions},
};

/// What a connection runs over.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send {}

impl<S: AsyncRead + AsyncWrite + Send> Stream for S {}

/// All state is here and none in a future, so that every method can be dropped half-way and called
/// again.
pub(crate) struct Link {
    io: Pin<Box<dyn Stream>>,
    session: Session,
    buffer: Box<[u8]>,
    /// The peer went away while we wrote; what it said before may still be there to be read.
    write_error: Option<io::Error>,
    probe_interval: Duration,
    heard: Instant,
    /// The question whether the peer is there, until it says something.
    probe: Option<Probe>,
}

struct Probe {
    /// From when on it could be answered.
    since: Instant,
    /// Whether it has left, or waits behind what is still to be sent.
    sent: bool,
}

impl Link {
    pub(crate) fn new(io: impl Stream + 'static, versions: Versions, probe_interval: Duration) -> Self {
        Link {
            io: Box::pin(io),
            session: Session::new(versions),
            buffer: vec![0; READ_LEN].into(),
            write_error: None,
            probe_interval,
            heard: Instant::now(),
            probe: None,
        }
    }

    /// Adds a message to what is to be sent; it is sent while something is waited for.
    pub(crate) fn send(
        &mut self,
        encode: impl FnOnce(Version, u32, &mut Vec<u8>) -> Result<(), EncodeError>,
    ) -> Result<u32, Error> {
        Ok(self.session.send(encode)?)
    }

    /// Waits for the peer's hello, and gives the version that both speak.
    pub(crate) async fn handshake(&mut self) -> Result<Version, Error> {
        loop {
            if let Some(version) = self.session.handshake()? {
                return Ok(version);
            }
            self.exchange().await?;
        }
    }

    /// The next message.
    pub(crate) async fn message(&mut self) -> Result<Vec<u8>, Error> {
        loop {
            if let Some(message) = self.received()? {
                return Ok(message);
            }
            self.exchange().await?;
        }
    }

    /// How many bytes are still to be sent.
    pub(crate) fn unsent(&self) -> usize {
        self.session.outgoing().len()
    }

    /// The next message, if it is here already.
    pub(crate) fn received(&mut self) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.session.next()?.map(|received| received.bytes().to_vec()))
    }

    /// Sends what there is to send and receives what there is to receive: at least one byte of either.
    /// A peer that is silent for an interval is probed, and one that does not answer for another is gone.
    /// The time in which nobody listened is not held against it.
    pub(crate) async fn exchange(&mut self) -> Result<(), Error> {
        let since = self.probe.as_ref().map_or(self.heard, |probe| probe.since);
        let limit = since + self.probe_interval;
        match timeout_at(limit, poll_fn(|cx| self.poll_exchange(cx))).await {
            Ok(done) => done,
            // The handshake has a deadline of its own.
            Err(_) if self.session.version().is_none() => poll_fn(|cx| self.poll_exchange(cx)).await,
            Err(_) if self.probe.is_some() => Err(Error::Silent {
                after: self.heard.elapsed(),
            }),
            Err(_) => {
                self.session.request(MessageKind::EchoRequest, |_| Ok(()))?;
                self.probe = Some(Probe {
                    since: Instant::now(),
                    sent: false,
                });
                Ok(())
            }
        }
    }

    fn poll_exchange(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let mut wrote = false;
        while self.write_error.is_none() && !self.session.outgoing().is_empty() {
            match self.io.as_mut().poll_write(cx, self.session.outgoing()) {
                Poll::Ready(Ok(len)) => {
                    self.session.sent(len);
                    wrote = true;
                }
                Poll::Ready(Err(error)) => self.write_error = Some(error),
                Poll::Pending => break,
            }
        }
        if self.write_error.is_none() {
            if let Poll::Ready(Err(error)) = self.io.as_mut().poll_flush(cx) {
                self.write_error = Some(error);
            }
        }
        let mut read = ReadBuf::new(&mut self.buffer);
        if let Some(probe) = self.probe.as_mut().filter(|probe| !probe.sent) {
            if self.session.outgoing().is_empty() {
                *probe = Probe {
                    since: Instant::now(),
                    sent: true,
                };
            }
        }
        match self.io.as_mut().poll_read(cx, &mut read) {
            Poll::Pending if wrote => return Poll::Ready(Ok(())),
            read => ready!(read)?,
        }
        let read = read.filled();
        if read.is_empty() {
            let pending = self.session.pending();
            return Poll::Ready(Err(match (self.write_error.take(), pending) {
                (Some(error), 0) if !is_hang_up(&error) => Error::Io(error),
                _ => Error::Closed { pending },
            }));
        }
        self.session.receive(read);
        self.heard = Instant::now();
        self.probe = None;
        Poll::Ready(Ok(()))
    }
}

/// The peer went away without reading all that we sent: for us that is an end like another.
fn is_hang_up(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset)
}

/// A message has at most 65535 bytes.
const READ_LEN: usize = 64 * 1024;
