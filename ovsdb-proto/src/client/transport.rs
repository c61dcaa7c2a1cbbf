//! The bytes: reads and writes JSON-RPC 1.0, and shows the call engine a JSON-RPC 2.0 that has
//! nothing but calls in it.
//!
//! The engine never sees a notification, a request of the peer, or the body of a reply: those go
//! to the [`Link`]. It gets an empty reply for each call that is complete, and that is all.

use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use jsonrpsee::core::client::{ReceivedMessage, TransportReceiverT, TransportSenderT};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::error::Error;
use super::link::{Allowance, Link, Outbox};
use crate::frame::{FrameDecoder, FrameError};

/// The engine's way to the writer.
pub(super) struct Sender {
    pub(super) requests: mpsc::Sender<Request>,
}

/// A call, to be written.
pub(super) struct Request {
    id: u64,
    message: Vec<u8>,
}

/// The reader.
pub(super) struct Receiver<R> {
    link: Arc<Link>,
    io: R,
    decoder: FrameDecoder,
    buf: BytesMut,
    allowance: Allowance,
}

/// The engine is told no more; the [`Link`] knows why.
#[derive(Debug, Clone, Copy, Error)]
#[error("connection ended")]
pub(super) struct Ended;

impl TransportSenderT for Sender {
    type Error = Ended;

    async fn send(&mut self, message: String) -> Result<(), Ended> {
        // The engine writes the members in the order jsonrpc, id, method, params. The server
        // closes the connection when it meets the first.
        let rest = message.strip_prefix(VERSION_MEMBER).ok_or(Ended)?;
        let id = rest.strip_prefix(ID_MEMBER).ok_or(Ended)?;
        let digits = id.bytes().take_while(u8::is_ascii_digit).count();
        let id = id[..digits].parse().map_err(|_| Ended)?;
        let message = ["{", rest].concat().into_bytes();
        let request = Request { id, message };
        self.requests.send(request).await.map_err(|_| Ended)
    }
}

impl<R> Receiver<R> {
    pub(super) fn new(link: Arc<Link>, io: R, decoder: FrameDecoder) -> Self {
        Self {
            link,
            io,
            decoder,
            buf: BytesMut::new(),
            allowance: Allowance::default(),
        }
    }
}

/// However the reader ends, nobody waits for it any longer.
impl<R> Drop for Receiver<R> {
    fn drop(&mut self) {
        let received = self.link.received();
        self.link.close(Error::Closed { received });
    }
}

impl<R: AsyncRead + Unpin + Send + 'static> TransportReceiverT for Receiver<R> {
    type Error = Ended;

    async fn receive(&mut self) -> Result<ReceivedMessage, Ended> {
        match self.next_reply().await {
            Ok(id) => {
                let reply = format!("{{\"id\":{id},\"result\":null}}");
                Ok(ReceivedMessage::Bytes(reply.into_bytes()))
            }
            Err(reason) => {
                self.link.close(reason);
                Err(Ended)
            }
        }
    }
}

impl<R: AsyncRead + Unpin> Receiver<R> {
    /// Reads until a call is complete. Everything else that arrives is dealt with on the way.
    async fn next_reply(&mut self) -> Result<u64, Error> {
        loop {
            while let Some(frame) = self.decoder.next_frame(&mut self.buf).map_err(Error::Frame)? {
                if let Some(id) = self.link.accept(&frame)? {
                    return Ok(id);
                }
            }
            self.link.may_read(&mut self.allowance).await;
            self.buf.reserve(READ_LEN);
            let read = tokio::select! {
                read = self.io.read_buf(&mut self.buf) => read,
                reason = self.link.closed() => return Err(reason),
            };
            match read {
                Ok(0) => return Err(self.end()),
                Ok(len) => self.link.note_received(len, &mut self.allowance),
                Err(error) if is_hang_up(&error) => return Err(self.end()),
                Err(error) => return Err(Error::io(&error)),
            }
        }
    }

    fn end(&self) -> Error {
        let received = self.link.received();
        match self.decoder.finish(&self.buf) {
            Ok(()) => Error::Closed { received },
            Err(FrameError::Truncated { len }) => Error::Truncated {
                partial: len,
                received,
            },
            Err(error) => Error::Frame(error),
        }
    }
}

/// Writes what the engine and the link have to say, until the connection ends.
pub(super) async fn write(
    link: Arc<Link>,
    mut io: impl AsyncWrite + Unpin,
    mut outbox: Outbox,
    mut requests: mpsc::Receiver<Request>,
) {
    loop {
        let message = tokio::select! {
            biased;
            _ = link.closed() => break,
            Some(message) = outbox.replies.recv() => message,
            Some(message) = outbox.control.recv() => message,
            Some(Request { id, message }) = requests.recv() => match link.start_writing(id) {
                true => message,
                false => break,
            },
            else => break,
        };
        let written = tokio::select! {
            written = write_one(&mut io, &message) => written,
            _ = link.closed() => break,
        };
        if let Err(error) = written {
            // The reader may still find the reply, or the half of one, that came before the peer
            // went away. It knows better.
            if timeout(READER_GRACE, link.closed()).await.is_err() {
                link.close(Error::io(&error));
            }
            break;
        }
    }
    // The peer may be gone.
    let _ = timeout(READER_GRACE, io.shutdown()).await;
}

async fn write_one(io: &mut (impl AsyncWrite + Unpin), message: &[u8]) -> std::io::Result<()> {
    io.write_all(message).await?;
    io.flush().await
}

/// The peer went away without reading all that we sent: for us that is an end like another.
fn is_hang_up(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(
        error.kind(),
        BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof
    )
}

const VERSION_MEMBER: &str = "{\"jsonrpc\":\"2.0\",";
const ID_MEMBER: &str = "\"id\":";

/// Room made in the buffer before each read.
const READ_LEN: usize = 64 * 1024;

const READER_GRACE: Duration = Duration::from_secs(1);
