//! A long-running child process and its log.

use std::{
    fs::OpenOptions,
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    task::Poll,
    thread,
    time::{Duration, Instant},
};

use crate::{Error, tools};

/// A child that is killed, by its process id, when this value is dropped.
#[derive(Debug)]
pub(crate) struct Daemon {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Daemon {
    /// Starts `command` with its standard output and error appended to `log`.
    pub(crate) fn spawn(name: &str, command: &mut Command, log: &Path) -> Result<Self, Error> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .map_err(Error::io(log))?;
        let stdout = file.try_clone().map_err(Error::io(log))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(file)
            .spawn()
            .map_err(Error::io(command.get_program()))?;
        Ok(Self {
            name: name.to_owned(),
            child,
            log: log.to_owned(),
        })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Polls `ready` until it gives a value.
    ///
    /// # Errors
    /// [`Error::Start`] as soon as the child has ended, [`Error::Timeout`] after a minute.
    pub(crate) fn wait_until<T>(
        &mut self,
        what: &str,
        mut ready: impl FnMut() -> Option<T>,
    ) -> Result<T, Error> {
        self.poll(what, START_TIMEOUT, |ended| match (ready(), ended) {
            (Some(value), _) => Poll::Ready(Ok(value)),
            (None, Some(status)) => Poll::Ready(Err(status)),
            (None, None) => Poll::Pending,
        })?
        .map_err(|status| self.ended(&self.name, status))
    }

    /// Waits for the child's end.
    ///
    /// # Errors
    /// [`Error::Timeout`] after `limit`: the child still runs then.
    pub(crate) fn wait(&mut self, limit: Duration) -> Result<ExitStatus, Error> {
        self.poll("end", limit, |ended| ended.map_or(Poll::Pending, Poll::Ready))
    }

    /// The error of a child that ended without what it owes.
    pub(crate) fn ended(&self, what: &str, status: ExitStatus) -> Error {
        Error::Start {
            what: what.to_owned(),
            status,
            log: tools::tail(&self.log),
        }
    }

    /// Ends the child with SIGKILL and reaps it. Does nothing if it has ended.
    pub(crate) fn kill(&mut self) {
        // An error says that the child is gone already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn poll<T>(
        &mut self,
        what: &str,
        limit: Duration,
        mut done: impl FnMut(Option<ExitStatus>) -> Poll<T>,
    ) -> Result<T, Error> {
        let deadline = Instant::now() + limit;
        loop {
            let ended = self.child.try_wait().map_err(Error::io(&self.name))?;
            if let Poll::Ready(value) = done(ended) {
                return Ok(value);
            }
            if Instant::now() > deadline {
                let what = format!("{}: {what}", self.name);
                return Err(Error::Timeout {
                    what,
                    after: limit,
                    log: tools::tail(&self.log),
                });
            }
            thread::sleep(POLL_INTERVAL);
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Whether somebody listens on a loopback port.
pub(crate) fn tcp_answers(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

const START_TIMEOUT: Duration = Duration::from_secs(60);
const POLL_INTERVAL: Duration = Duration::from_millis(10);
