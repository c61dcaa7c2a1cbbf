//! Flows of a datapath: the kernel's, or those of a dump.

use std::ffi::CString;
use std::fs;
use std::io::BufRead as _;
use std::path::Path;

use netlink_genl::blocking::Ovs;
use netlink_genl::message::Errno;
use odp_actions::flow::FlowActions;
use odp_actions::{Flow, ParseError, PortNames};

use crate::cli::{Failure, Patience, chain, complain};
use crate::dump;

/// A flow, and where its actions come from.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The flow.
    pub flow: Flow,
    /// Where its actions come from.
    pub source: Source,
}

/// Where actions come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The kernel's list of flows.
    List,
    /// The kernel, asked for this flow alone: its actions do not fit a list.
    Get,
    /// A line of text.
    Text,
}

/// What was read.
#[derive(Clone, Debug, Default)]
pub struct Dump {
    /// The flows, in the order in which they came.
    pub flows: Vec<Seen>,
    /// Flows that could not be read. Each has been complained about.
    pub unread: usize,
    /// Masks that the kernel says it has.
    pub masks: Option<u32>,
    /// Ports that stand there by name. Their numbers are not those of the datapath, which the text does not tell.
    pub ports: PortNames,
}

impl Dump {
    /// The flows of a datapath of the kernel. Where it leaves actions out of its list it is asked for the flow alone.
    /// `tool` complains of flows that cannot be read.
    ///
    /// # Errors
    /// [`Failure`]: there is no such datapath, or the kernel cannot be asked.
    pub fn of_kernel(tool: &str, name: &str) -> Result<Self, Failure> {
        let failed = |error: netlink_genl::Error| Failure::blind(format_args!("{name}: {}", chain(&error)));
        let c_name = CString::new(name).map_err(Failure::usage)?;
        let mut ovs = Ovs::open().map_err(failed)?;
        let datapath = ovs.datapath_by_name(&c_name).map_err(failed)?;
        let mut dump = Self {
            masks: datapath.megaflow_stats.map(|stats| stats.masks),
            ..Self::default()
        };
        let mut patience = Patience::new(tool);
        let listed: Vec<_> = ovs.flows(datapath.ifindex).map_err(failed)?.collect();
        // Flows came and went meanwhile, so that the list may lack some.
        for item in listed {
            patience.check();
            let kernel = match item {
                Ok(flow) => flow,
                Err(error) => {
                    dump.lose(tool, chain(&error));
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
                    dump.lose(tool, chain(&error));
                    continue;
                }
                Ok(kernel) => kernel,
            };
            match Flow::of_kernel(&kernel, uptime_ms()) {
                Ok(Some(flow)) => dump.flows.push(Seen { flow, source }),
                Ok(None) => dump.lose(tool, "the kernel left its actions out"),
                Err(error) => dump.lose(tool, error),
            }
        }
        Ok(dump)
    }

    /// The lines of a dump; `-` is standard input. `tool` complains of lines that cannot be read.
    ///
    /// # Errors
    /// [`Failure`]: there is no such file.
    pub fn of_text(tool: &str, path: &Path) -> Result<Self, Failure> {
        let mut dump = Self::default();
        let mut names = Names::default();
        let mut patience = Patience::new(tool);
        for (number, line) in (1..).zip(dump::open(path)?.split(b'\n')) {
            patience.check();
            let line = line.map_err(|error| Failure::blind(format_args!("{}: {error}", path.display())))?;
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end();
            if line.is_empty() || line.starts_with("flow-dump from ") {
                continue;
            }
            match names.parse(line) {
                Ok(flow) => dump.flows.push(Seen {
                    flow,
                    source: Source::Text,
                }),
                Err(error) => dump.lose(tool, format_args!("{}:{number}: {error}", path.display())),
            }
        }
        dump.ports = names.ports;
        Ok(dump)
    }

    fn lose(&mut self, tool: &str, why: impl std::fmt::Display) {
        self.unread += 1;
        complain(tool, why);
    }
}

/// Ports that lines have by name. A name counts as much as a number, so that any number will do.
#[derive(Default)]
struct Names {
    all: Vec<(u32, String)>,
    ports: PortNames,
}

impl Names {
    /// Reads a line. Where it has a port by name, a word alone among its actions is a port, too.
    fn parse(&mut self, line: &str) -> Result<Flow, ParseError> {
        loop {
            let flow = Flow::parse_named(line, &self.ports)?;
            let unknown = match &flow.actions {
                FlowActions::Text {
                    text,
                    error: Some(ParseError::Expected { offset, .. }),
                } if self.has_names(&flow) => word(text, *offset),
                _ => None,
            };
            match unknown {
                Some(name) => self.learn(name),
                None => return Ok(flow),
            }
        }
    }

    /// Whether the dump has ports by name: this flow's, or others before.
    fn has_names(&mut self, flow: &Flow) -> bool {
        flow.in_port_name().is_some() || !self.all.is_empty()
    }

    fn learn(&mut self, name: &str) {
        // No datapath has so many ports.
        let taken = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        self.all.push((u32::MAX - 1 - taken, name.to_owned()));
        self.ports = self.all.iter().cloned().collect();
    }
}

/// The word at this place, if it stands alone in a list.
fn word(text: &str, offset: usize) -> Option<&str> {
    let rest = text.get(offset..)?;
    let end = rest.find([',', '(', ')']).unwrap_or(rest.len());
    let (word, behind) = rest.split_at(end);
    let is_name = word.starts_with(|c: char| !c.is_ascii_digit()) && !word.contains(['=', ':', ' ']);
    let is_alone = text[..offset].is_empty() || text[..offset].ends_with([',', '(']);
    (is_name && is_alone && !behind.starts_with('(')).then_some(word)
}

impl Source {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Get => "get",
            Self::Text => "text",
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
