//! Messages of the kernel, from itself or from a file, that it waits for a network device.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use crate::cli::Failure;
use crate::dump;

/// Where messages come from.
pub enum Messages {
    /// `/dev/kmsg`, which gives one record for each read: `PRIORITY,NUMBER,MICROSECONDS,FLAGS;TEXT`.
    Kernel(File),
    /// What `dmesg`, `journalctl -k` or a log has.
    Text(Box<dyn BufRead>),
}

/// The kernel waits for a device to become free.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The device.
    pub device: String,
    /// References that somebody still has.
    pub usage: i64,
    /// What stands before it: a time, and what else a log writes there.
    pub stamp: String,
    /// A process wrote the message, and not the kernel. Only the kernel's own records tell.
    pub injected: bool,
}

impl Messages {
    /// Opens the kernel's messages, or a file; `-` is standard input. With `follow` the kernel's have no end.
    ///
    /// # Errors
    /// [`Failure`]: there is no such file, or no right to read it.
    pub fn open(path: Option<&Path>, follow: bool) -> Result<Self, Failure> {
        let Some(path) = path else {
            let flags = if follow { 0 } else { libc::O_NONBLOCK };
            let file = OpenOptions::new().read(true).custom_flags(flags).open(KMSG);
            let file = file.map_err(|error| Failure::blind(format_args!("{KMSG}: {error}")))?;
            return Ok(Self::Kernel(file));
        };
        dump::open(path).map(Self::Text)
    }

    /// The next message of a device that is waited for; `None` at the end.
    ///
    /// # Errors
    /// [`Failure`] if reading fails.
    pub fn next_waiting(&mut self) -> Result<Option<Waiting>, Failure> {
        loop {
            let Some(bytes) = self
                .read()
                .map_err(|error| Failure::blind(format_args!("messages: {error}")))?
            else {
                return Ok(None);
            };
            let line = String::from_utf8_lossy(&bytes);
            let found = match self {
                Self::Kernel(_) => Waiting::of_record(&line),
                Self::Text(_) => Waiting::of_line(&line),
            };
            if found.is_some() {
                return Ok(found);
            }
        }
    }

    fn read(&mut self) -> io::Result<Option<Vec<u8>>> {
        match self {
            Self::Kernel(file) => loop {
                let mut record = vec![0; RECORD_MAX];
                match file.read(&mut record) {
                    Ok(0) => return Ok(None),
                    Ok(len) => {
                        record.truncate(len);
                        return Ok(Some(record));
                    }
                    Err(error) => match error.kind() {
                        io::ErrorKind::WouldBlock => return Ok(None),
                        // Records were overwritten before they were read; the next read goes on behind them.
                        io::ErrorKind::BrokenPipe | io::ErrorKind::Interrupted => {}
                        _ => return Err(error),
                    },
                }
            },
            Self::Text(input) => {
                let mut line = Vec::new();
                // A longer line comes in pieces.
                let len = input.take(RECORD_MAX as u64).read_until(b'\n', &mut line)?;
                Ok((len > 0).then_some(line))
            }
        }
    }
}

impl Waiting {
    /// A record of `/dev/kmsg`; lines that begin with a space belong to the record before them.
    pub fn of_record(record: &str) -> Option<Self> {
        let (prefix, text) = record.split_once(';')?;
        let mut prefix = prefix.split(',');
        let priority: u32 = prefix.next()?.parse().ok()?;
        let micros: u64 = prefix.nth(1)?.parse().ok()?;
        let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
        let waiting = Self::of_line(text.lines().next()?)?;
        Some(Self {
            stamp: format!("[{seconds:5}.{micros:06}]"),
            // The kernel's facility is 0, and it lets nobody else have that.
            injected: priority >> 3 != 0,
            ..waiting
        })
    }

    /// A line of text.
    pub fn of_line(line: &str) -> Option<Self> {
        let (stamp, rest) = line.split_once(BEFORE)?;
        let (device, usage) = rest.split_once(BETWEEN)?;
        Some(Self {
            device: device.to_owned(),
            usage: usage.trim_end().parse().ok()?,
            stamp: stamp.trim().to_owned(),
            injected: false,
        })
    }

    /// The seconds in a stamp like `[  123.456789]`.
    pub fn seconds(&self) -> Option<f64> {
        let (_, rest) = self.stamp.split_once('[')?;
        rest.split_once(']')?.0.trim().parse().ok()
    }
}

const KMSG: &str = "/dev/kmsg";
const BEFORE: &str = "unregister_netdevice: waiting for ";
const BETWEEN: &str = " to become free. Usage count = ";
/// The kernel's records have 8 KiB at most.
const RECORD_MAX: usize = 8192;

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "unregister_netdevice: waiting for tap0 to become free. Usage count = 1";

    #[test]
    fn a_record_tells_who_wrote_it() {
        let kernel = Waiting::of_record(&format!("0,1203,98765432,-;{TEXT}\n SUBSYSTEM=net\n")).unwrap();
        assert_eq!(
            (kernel.device.as_str(), kernel.usage, kernel.injected),
            ("tap0", 1, false)
        );
        assert_eq!(
            (kernel.stamp.as_str(), kernel.seconds()),
            ("[   98.765432]", Some(98.765_432))
        );
        let process = Waiting::of_record(&format!("12,1204,98765432,-;{TEXT}\n")).unwrap();
        assert!(process.injected);
        assert_eq!(Waiting::of_record("6,1,2,-;eth0: link up\n"), None);
        assert_eq!(Waiting::of_record(TEXT), None);
    }

    #[test]
    fn a_line_of_any_log_is_read() {
        let dmesg = Waiting::of_line(&format!("[ 1234.567890] {TEXT}\n")).unwrap();
        assert_eq!(dmesg.seconds(), Some(1_234.567_89));
        let syslog = Waiting::of_line(&format!("Nov 21 09:18:51 n1 kernel: {TEXT}")).unwrap();
        assert_eq!(
            (syslog.stamp.as_str(), syslog.seconds()),
            ("Nov 21 09:18:51 n1 kernel:", None)
        );
        for line in [
            &TEXT[..60],
            "unregister_netdevice: waiting for x to become free. Usage count = many",
        ] {
            assert_eq!(Waiting::of_line(line), None, "{line}");
        }
    }
}
