use std::{boxed::Box, format, io, string::String, time::Duration};

use crate::model::{flow_mod::FlowMod, version::Version};
use crate::wire::{DecodeError, EncodeError, ErrorMessage, SessionError};

/// Why a request, or a connection, failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address is none.
    #[error("{remote:?} is neither unix:FILE nor tcp:HOST:PORT")]
    Remote {
        /// The text.
        remote: String,
    },
    /// The connection was not made.
    #[error("{remote}: no connection")]
    Connect {
        /// Where to.
        remote: String,
        /// What the system says.
        #[source]
        error: io::Error,
    },
    /// The system reports an error on the connection.
    #[error("connection lost")]
    Io(#[from] io::Error),
    /// The switch closed the connection. What was received before is good.
    #[error("connection closed by the switch{}", partial(.pending))]
    Closed {
        /// Bytes of a message that is not whole; 0 between two messages.
        pending: usize,
    },
    /// Nothing arrived for too long, not even the answer to a probe.
    #[error("connection silent for {after:?}")]
    Silent {
        /// The time allowed.
        after: Duration,
    },
    /// The reply, or its next part, did not come in time. The connection goes on.
    #[error("no reply within {after:?}")]
    Deadline {
        /// The time allowed.
        after: Duration,
    },
    /// The two sides do not understand each other.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The switch is older than the request, and would pass over a part of it; or its release is not known. Nothing was
    /// sent.
    #[error("{what} needs release {needs}; the switch says {release:?}")]
    Release {
        /// The part.
        what: &'static str,
        /// The first release that has it.
        needs: &'static str,
        /// What the switch says of its software.
        release: String,
    },
    /// The switch refused the request.
    #[error("refused: {0}")]
    Refused(ErrorMessage),
    /// The switch has no flow monitors in this version, and so never will. (Open vSwitch up to 2.17 has them in OpenFlow 1.0
    /// alone.)
    #[error("the switch has no flow monitors in OpenFlow 1.{}", .version.0.saturating_sub(1))]
    NoFlowMonitors {
        /// The version that was spoken.
        version: Version,
        /// What the switch said: a refusal, or a message of another version.
        #[source]
        error: Box<Error>,
    },
    /// The switch refused one of several changes, or it has no bytes in this version.
    #[error("change {index}, {change}")]
    Change {
        /// Which one, from 0.
        index: usize,
        /// The change.
        change: Box<FlowMod>,
        /// Why.
        #[source]
        error: Box<Error>,
    },
    /// The reply is malformed.
    #[error("malformed reply")]
    Malformed(#[from] DecodeError),
    /// The request has no bytes in this version.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

impl Error {
    /// Whether the same request will fail in the same way again, over whatever connection.
    pub(crate) fn is_final(&self) -> bool {
        match self {
            Error::Remote { .. } | Error::Refused(_) | Error::NoFlowMonitors { .. } | Error::Encode(_) => {
                true
            }
            Error::Session(error) => matches!(error, SessionError::Encode(_)),
            _ => false,
        }
    }

    /// Whether the connection is gone, so that only a new one helps.
    pub fn is_connection_lost(&self) -> bool {
        match self {
            Error::Io(_) | Error::Closed { .. } | Error::Silent { .. } | Error::Connect { .. } => true,
            Error::Session(error) => !matches!(error, SessionError::Encode(_)),
            Error::NoFlowMonitors { error, .. } => error.is_connection_lost(),
            _ => false,
        }
    }
}

fn partial(pending: &usize) -> String {
    match pending {
        0 => String::new(),
        pending => format!(" inside a message, after {pending} bytes of it"),
    }
}
