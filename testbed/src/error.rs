//! What can go wrong when a real part is started or asked.

use std::{error::Error as _, io, path::PathBuf, process::ExitStatus, time::Duration};

/// Something that this machine does not have, and the Debian package that has it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} not found{}", self.hint())]
pub struct Missing {
    /// A program, a file or a right.
    pub what: String,
    /// The Debian package to install; `None` where no package helps.
    pub package: Option<&'static str>,
}

impl Missing {
    fn hint(&self) -> String {
        match self.package {
            Some(package) => format!(" (package {package})"),
            None => String::new(),
        }
    }
}

/// Why a real part did not start or did not answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The machine lacks a part: the test may be skipped, see [`or_skip`](crate::or_skip).
    #[error(transparent)]
    Missing(#[from] Missing),
    /// The caller asked for no real parts, by `OVS_RS_REAL=0`.
    #[error("real parts are turned off (OVS_RS_REAL=0)")]
    TurnedOff,
    /// A part ended before it was ready, or without the report that it owes.
    #[error("{what} ended ({status}); its log ends:\n{log}")]
    Start {
        /// The program.
        what: String,
        /// How it ended.
        status: ExitStatus,
        /// The last lines of its log.
        log: String,
    },
    /// A command ended with a status other than 0.
    #[error("{}: {status}: {}", argv.join(" "), stderr.trim_end())]
    Command {
        /// The program and its arguments.
        argv: Vec<String>,
        /// How it ended.
        status: ExitStatus,
        /// All it wrote to its standard error.
        stderr: String,
    },
    /// Something did not happen in time.
    #[error("{what}: not done after {} s; the log ends:\n{log}", after.as_secs())]
    Timeout {
        /// What was waited for.
        what: String,
        /// The time it had.
        after: Duration,
        /// The last lines of its log or of its standard error.
        log: String,
    },
    /// A kernel package or an ELF file does not look as expected.
    #[error("{}: {problem}", path.display())]
    Unexpected {
        /// The file or directory.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The system refused a file or a process.
    #[error("cannot use {}", path.display())]
    Io {
        /// The file or program.
        path: PathBuf,
        /// What the system answered.
        #[source]
        source: io::Error,
    },
}

impl Error {
    /// The error and what caused it, on one line.
    pub fn with_causes(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            text.push_str(&format!(": {error}"));
            cause = error.source();
        }
        text
    }

    /// For `map_err`: the path goes beside the system's answer.
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}
