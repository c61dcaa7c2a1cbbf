//! What can go wrong between a program and the kernel.

use alloc::ffi::CString;
#[cfg(feature = "blocking")]
use alloc::{borrow::ToOwned, string::String};
use core::ffi::CStr;
use core::time::Duration;
#[cfg(feature = "blocking")]
use std::{
    io,
    path::{Path, PathBuf},
};

use crate::exchange::UnexpectedSource;
use crate::message::{DecodeError, EncodeError, Errno, Status};

/// A request that did not go through, or an answer that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A system call on the socket.
    #[cfg(feature = "blocking")]
    #[error("netlink socket: {operation}")]
    Io {
        /// The system call.
        operation: &'static str,
        /// Its error.
        source: io::Error,
    },
    /// A file of the kernel that cannot be read.
    #[cfg(feature = "blocking")]
    #[error("{}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
    /// `/proc/net/netlink` has another shape than expected.
    #[cfg(feature = "blocking")]
    #[error("/proc/net/netlink, line {line}: not a netlink socket: {text:?}")]
    Row {
        /// Number of the line, from 1.
        line: usize,
        /// The line.
        text: String,
    },
    /// The kernel did not answer in time.
    #[error("no answer within {} ms", after.as_millis())]
    Timeout {
        /// How long the socket waits.
        after: Duration,
    },
    /// `ENOBUFS`: the receive buffer was full and the kernel dropped messages.
    #[error("the receive buffer overflowed, and the kernel dropped messages")]
    Overrun,
    /// A datagram was longer than the buffer for it, and its end is lost.
    #[error("a datagram of {wanted} bytes was cut to the {got} of the buffer")]
    Truncated {
        /// Bytes of the datagram.
        wanted: usize,
        /// Bytes of the buffer.
        got: usize,
    },
    /// Another process sent to the socket.
    #[error(transparent)]
    UnexpectedSource(#[from] UnexpectedSource),
    /// The running kernel has no such family: its module is not loaded.
    #[error(
        "the kernel has no generic netlink family {}: its module is not loaded{}",
        name.to_string_lossy(),
        hint(name)
    )]
    FamilyMissing {
        /// Name of the family.
        name: CString,
    },
    /// The kernel refused the request, or broke off the dump.
    #[error("the kernel answered {0}")]
    Kernel(Status),
    /// The dump is not consistent: what it lists changed meanwhile (`NLM_F_DUMP_INTR`).
    #[error("the dump was interrupted by a change")]
    DumpInterrupted,
    /// The kernel reported success without the object that was asked for.
    #[error("the answer holds no object")]
    NoReply,
    /// A message that cannot be read. Others of the same dump are not concerned.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A request that cannot be written.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

impl Error {
    /// Whether the same request may well succeed if it is sent again.
    ///
    /// So it is after a timeout, an overrun, an interrupted dump, and when the kernel was busy or short of memory.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Timeout { .. } | Self::Overrun | Self::DumpInterrupted | Self::UnexpectedSource(_) => true,
            Self::Kernel(status) => matches!(
                status.errno,
                Errno::EBUSY | Errno::EAGAIN | Errno::EINTR | Errno::ENOMEM
            ),
            _ => false,
        }
    }

    #[cfg(feature = "blocking")]
    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        |source| Self::File {
            path: path.to_owned(),
            source,
        }
    }

    /// The error number, if it was the kernel that refused.
    pub fn errno(&self) -> Option<Errno> {
        match self {
            Self::Kernel(status) => Some(status.errno),
            _ => None,
        }
    }
}

/// How to get a family.
fn hint(family: &CStr) -> &'static str {
    if family.to_bytes().starts_with(b"ovs_") {
        " (modprobe openvswitch)"
    } else {
        ""
    }
}
