//! What can go wrong with a connection.

use std::io;
use std::time::Duration;

use thiserror::Error;

use super::remote::{Passive, Remote};
use crate::connection::{CallError, End};
use crate::replica::{ReplicaError, SchemaError};
use crate::rpc::{ErrorReply, JsonError};

/// Why a call, or a connection, failed.
///
/// An error that ends the connection is given to every call that waits, and to every later one.
/// [`is_connection_lost`](Self::is_connection_lost) tells those from the others.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum Error {
    /// The connection was not made.
    #[error("{remote}: {message}")]
    Connect {
        /// Where to.
        remote: Remote,
        /// The kind of the system's error.
        kind: io::ErrorKind,
        /// What the system says.
        message: String,
    },
    /// The connection was not made in time.
    #[error("{remote}: no connection within {after:?}")]
    ConnectTimeout {
        /// Where to.
        remote: Remote,
        /// The time allowed.
        after: Duration,
    },
    /// The system does not let us wait for connections.
    #[error("{passive}: {message}")]
    Listen {
        /// Where.
        passive: Passive,
        /// The kind of the system's error.
        kind: io::ErrorKind,
        /// What the system says.
        message: String,
    },
    /// The connection has ended.
    #[error(transparent)]
    Ended(#[from] End),
    /// The peer did not reply in time. The connection is still good.
    #[error("{method}: no reply within {after:?}")]
    Timeout {
        /// The method called.
        method: &'static str,
        /// The time allowed.
        after: Duration,
    },
    /// The peer refused a call.
    #[error("{method}: {error}")]
    Rpc {
        /// The method called.
        method: &'static str,
        /// What the peer says.
        error: ErrorReply,
    },
    /// A parameter, a reply or an update is not the JSON that it must be.
    #[error("{method}: unexpected JSON")]
    Json {
        /// The method called, or that of the notification.
        method: &'static str,
        /// What is wrong in it.
        #[source]
        source: JsonError,
    },
    /// The server has lost the majority of its cluster: what it has may be old.
    #[error("server is not connected to its cluster")]
    NotConnected,
    /// The server is not the leader of its cluster, and one was asked for.
    #[error("server is not the leader")]
    NotLeader,
    /// The server has older data than was seen before.
    #[error("server is at index {found}, index {seen} was seen")]
    Stale {
        /// Where it is.
        found: i64,
        /// What was seen.
        seen: i64,
    },
    /// The database does not have what was asked for.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// An update does not fit what is there. Make the monitor anew.
    #[error(transparent)]
    Replica(#[from] ReplicaError),
    /// The server has ended a monitor, because the database was converted or removed. Make the
    /// monitor anew.
    #[error("monitor of {database} canceled by the server")]
    MonitorCanceled {
        /// The database.
        database: String,
    },
}

impl Error {
    /// Whether the connection is gone, so that a new one must be made.
    #[must_use]
    pub fn is_connection_lost(&self) -> bool {
        match self {
            Self::Connect { .. } | Self::ConnectTimeout { .. } | Self::Listen { .. } | Self::Ended(_) => true,
            Self::Timeout { .. }
            | Self::Rpc { .. }
            | Self::Json { .. }
            | Self::Schema(_)
            | Self::Replica(_)
            | Self::NotConnected
            | Self::NotLeader
            | Self::Stale { .. }
            | Self::MonitorCanceled { .. } => false,
        }
    }

    /// Whether to wait is pointless: the server's schema does not have what was asked for, and only a conversion of its
    /// database changes that. [`MonitorRequest`](crate::monitor::MonitorRequest) can ask for what need not be there.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        matches!(self, Self::Schema(_))
    }

    pub(super) fn connect(remote: &Remote, error: &io::Error) -> Self {
        Self::Connect {
            remote: remote.clone(),
            kind: error.kind(),
            message: io_message(error),
        }
    }

    pub(super) fn listen(passive: &Passive, error: &io::Error) -> Self {
        Self::Listen {
            passive: passive.clone(),
            kind: error.kind(),
            message: io_message(error),
        }
    }

    pub(super) fn call(method: &'static str) -> impl FnOnce(CallError) -> Self {
        move |error| match error {
            CallError::Refused(error) => Self::Rpc { method, error },
            CallError::Timeout { after } => Self::Timeout { method, after },
            CallError::Ended { end, .. } => Self::Ended(end),
            CallError::Params(source) => Self::Json { method, source },
        }
    }

    pub(super) fn json(method: &'static str) -> impl FnOnce(JsonError) -> Self {
        move |source| Self::Json { method, source }
    }

    /// Whether the peer does not know the method.
    pub(super) fn is_unknown_method(&self) -> bool {
        matches!(self, Self::Rpc { error, .. } if error.error == "unknown method")
    }
}

impl End {
    pub(super) fn io(error: &io::Error) -> Self {
        Self::Io {
            kind: error.kind(),
            message: io_message(error),
        }
    }
}

/// The system's text in the style of our own: "No such file or directory (os error 2)" without
/// the capital and the number.
fn io_message(error: &io::Error) -> String {
    let text = error.to_string();
    let text = match error.raw_os_error() {
        Some(code) => text.strip_suffix(&format!(" (os error {code})")).unwrap_or(&text),
        None => &text,
    };
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_lowercase().chain(chars).collect())
        .unwrap_or_default()
}
