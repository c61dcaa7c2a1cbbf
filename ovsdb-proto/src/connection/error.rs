//! How calls and connections end.

use std::io;
use std::time::Duration;

use thiserror::Error;

use crate::frame::FrameError;
use crate::rpc::{ErrorReply, JsonError, MessageError};

/// Why a call gave nothing.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum CallError {
    /// The peer refused.
    #[error("{0}")]
    Refused(ErrorReply),
    /// There was no reply in time. The peer was asked to break the call off.
    #[error("no reply within {after:?}")]
    Timeout {
        /// The time allowed.
        after: Duration,
    },
    /// The connection has ended.
    #[error("connection ended")]
    Ended {
        /// Why.
        #[source]
        end: End,
        /// Bytes of the call may have reached the peer.
        sent: bool,
    },
    /// The parameters are no JSON.
    #[error("parameters are not json")]
    Params(#[source] JsonError),
}

/// Why a connection ended.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum End {
    /// The connection is closed, between two messages: by the peer, or because nobody needs it any
    /// more.
    #[error("connection closed, after {received} bytes in all")]
    Closed {
        /// Bytes received since the connection was made.
        received: u64,
    },
    /// The peer closed the connection inside a message.
    #[error("connection closed inside a message, after {partial} bytes of it")]
    Truncated {
        /// Bytes of the message that are there.
        partial: usize,
        /// Bytes received since the connection was made.
        received: u64,
    },
    /// The system reports an error on the connection.
    #[error("connection lost: {message}")]
    Io {
        /// The kind of the system's error.
        kind: io::ErrorKind,
        /// What the system says.
        message: String,
    },
    /// Nothing arrived for too long, not even the answer to a probe.
    #[error("connection lost: silent for {after:?}")]
    Silent {
        /// The time allowed.
        after: Duration,
    },
    /// What the peer sends is not a sequence of JSON-RPC messages.
    #[error("malformed stream")]
    Frame(#[source] FrameError),
    /// A message is not JSON-RPC.
    #[error("malformed message")]
    Message(#[source] MessageError),
    /// The updates were not taken, while a call kept the connection from being held back: more of
    /// them piled up than [`max_queued`](super::ConnectionOptions::max_queued) allows.
    #[error("{queued} bytes of updates are not read, limit {limit}")]
    Lagged {
        /// Bytes waiting.
        queued: usize,
        /// The limit.
        limit: usize,
    },
    /// The peer sent more requests than it took replies.
    #[error("more than {limit} replies are not taken by the peer")]
    Flooded {
        /// The limit.
        limit: usize,
    },
}
