//! Flows of the kernel's datapath, or of a dump.

use std::ffi::CString;
use std::fs;
use std::io::BufRead as _;
use std::path::Path;
use std::time::Instant;

use examples::cli::{Failure, PATIENCE, chain, complain};
use examples::dump;
use netlink_genl::blocking::Ovs;
use netlink_genl::message::Errno;
use odp_actions::Flow;

use crate::TOOL;

/// A flow, and where its actions come from.
pub struct Seen {
    pub flow: Flow,
    pub source: Source,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The kernel's list of flows.
    List,
    /// The kernel, asked for this flow alone: its actions do not fit a list.
    Get,
    /// A line of text.
    Text,
}

/// What was read.
#[derive(Default)]
pub struct Dump {
    pub flows: Vec<Seen>,
    /// Flows that could not be read. Each has been complained about.
    pub unread: usize,
    /// Masks that the kernel says it has.
    pub masks: Option<u32>,
}

impl Dump {
    /// The flows of a datapath of the kernel.
    pub fn of_kernel(name: &str) -> Result<Self, Failure> {
        let failed = |error: netlink_genl::Error| Failure::blind(format_args!("{name}: {}", chain(&error)));
        let c_name = CString::new(name).map_err(Failure::usage)?;
        let mut ovs = Ovs::open().map_err(failed)?;
        let datapath = ovs.datapath_by_name(&c_name).map_err(failed)?;
        let mut dump = Self {
            masks: datapath.megaflow_stats.map(|stats| stats.masks),
            ..Self::default()
        };
        let mut patience = Patience::new();
        let listed: Vec<_> = ovs.flows(datapath.ifindex).map_err(failed)?.collect();
        // Flows came and went meanwhile, so that the list may lack some.
        for item in listed {
            patience.check();
            let kernel = match item {
                Ok(flow) => flow,
                Err(error) => {
                    dump.lose(chain(&error));
                    continue;
                }
            };
            let source = if kernel.actions.is_some() {
                Source::List
            } else {
                Source::Get
            };
            let kernel = match ovs.complete(kernel) {
                // It is gone since.
                Err(error) if error.errno() == Some(Errno::ENOENT) => continue,
                Err(error) => {
                    dump.lose(chain(&error));
                    continue;
                }
                Ok(kernel) => kernel,
            };
            match Flow::of_kernel(&kernel, uptime_ms()) {
                Ok(Some(flow)) => dump.flows.push(Seen { flow, source }),
                Ok(None) => dump.lose("the kernel left its actions out"),
                Err(error) => dump.lose(error),
            }
        }
        Ok(dump)
    }

    /// The lines of a dump; `-` is standard input.
    pub fn of_text(path: &Path) -> Result<Self, Failure> {
        let mut dump = Self::default();
        let mut patience = Patience::new();
        for (number, line) in (1..).zip(dump::open(path)?.split(b'\n')) {
            patience.check();
            let line = line.map_err(|error| Failure::blind(format_args!("{}: {error}", path.display())))?;
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end();
            if line.is_empty() || line.starts_with("flow-dump from ") {
                continue;
            }
            match line.parse() {
                Ok(flow) => dump.flows.push(Seen {
                    flow,
                    source: Source::Text,
                }),
                Err(error) => dump.lose(format_args!("{}:{number}: {error}", path.display())),
            }
        }
        Ok(dump)
    }

    fn lose(&mut self, why: impl std::fmt::Display) {
        self.unread += 1;
        complain(TOOL, why);
    }
}

impl Source {
    pub fn name(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Get => "get",
            Self::Text => "text",
        }
    }
}

/// Says once that it takes longer.
struct Patience(Option<Instant>);

impl Patience {
    fn new() -> Self {
        Self(Some(Instant::now() + PATIENCE))
    }

    fn check(&mut self) {
        if self.0.take_if(|end| Instant::now() > *end).is_some() {
            complain(TOOL, "still reading");
        }
    }
}

/// Milliseconds since the boot, which the kernel's clock of flows counts too (but not those of a suspended machine).
fn uptime_ms() -> u64 {
    let text = fs::read_to_string("/proc/uptime").unwrap_or_default();
    let (seconds, rest) = text.split_once('.').unwrap_or_default();
    let hundredths = rest.get(..2).and_then(|digits| digits.parse::<u64>().ok());
    seconds.parse::<u64>().unwrap_or(0) * 1000 + hundredths.unwrap_or(0) * 10
}
