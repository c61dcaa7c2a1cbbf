//! One port's life as it happens. See `--help`.

#![allow(
    unreachable_pub,
    reason = "in a program `pub` says what a module gives to the others"
)]

mod database;
mod event;
mod kernel;
mod lanes;

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use examples::cli::{self, Failure, Status, chain, complain, printable};
use ovsdb_proto::client::Remote;

use self::event::Said;

const TOOL: &str = "port-timeline";
const HELP: &str = "\
port-timeline: one port's life as it happens, in the database and in the kernel

  port-timeline tap99a07591-94                  a line for each step, until it is interrupted
  port-timeline --iface-id 5f03d167 --for 60    the port of a virtual machine, whatever its name, for a minute

  NAME                the interface, by the name of its device
  --iface-id ID       or by external_ids:iface-id; what its device did before the database said so is told then
  --db REMOTE         unix:FILE or tcp:IP:PORT of the switch of this host (default: unix:/run/openvswitch/db.sock)
  --for SECONDS       how long
  --svg FILE          draw swimlanes, anew with each step
  --json              one JSON object for each step

Each line has the time since the one before. The rows of Port and Interface and the ports of the kernel's datapath are
told as they change; network devices are looked at 50 times a second. A port that vanishes with its network namespace is
told as that, though the kernel tells nobody. It only reads.

Exit status: 0 the time is over or the reader has gone away, 3 could not look, 64 wrong command line.
";
const DEFAULT_DB: &str = "unix:/run/openvswitch/db.sock";

fn main() -> ExitCode {
    cli::main(TOOL, || match Options::parse(lexopt::Parser::from_env())? {
        Some(options) => run(&options),
        None => cli::print(HELP.trim_end()).map(|()| Status::Fine),
    })
}

struct Options {
    port: Port,
    db: Remote,
    length: Option<Duration>,
    svg: Option<PathBuf>,
    json: bool,
}

/// Whose life it is.
enum Port {
    Name(String),
    IfaceId(String),
}

impl Options {
    fn parse(mut parser: lexopt::Parser) -> Result<Option<Self>, Failure> {
        use lexopt::prelude::*;

        let mut port = None;
        let mut db = DEFAULT_DB.parse().map_err(Failure::blind)?;
        let (mut length, mut svg, mut json) = (None, None, false);
        while let Some(arg) = parser.next()? {
            match arg {
                Value(name) if port.is_none() => port = Some(Port::Name(name.string()?)),
                Long("iface-id") if port.is_none() => port = Some(Port::IfaceId(parser.value()?.string()?)),
                Long("db") => db = parser.value()?.parse()?,
                Long("for") => length = Some(Duration::from_secs(parser.value()?.parse::<u32>()?.into())),
                Long("svg") => svg = Some(parser.value()?.into()),
                Long("json") => json = true,
                Long("help") | Short('h') => return Ok(None),
                _ => return Err(arg.unexpected().into()),
            }
        }
        let port = port.ok_or_else(|| Failure::usage("the NAME of a port or --iface-id is needed"))?;
        Ok(Some(Self {
            port,
            db,
            length,
            svg,
            json,
        }))
    }
}

fn run(options: &Options) -> Result<Status, Failure> {
    let heard = listen(&options.db);
    let end = options.length.map(|length| Instant::now() + length);
    let mut filter = Filter::of(&options.port);
    let mut events: VecDeque<Said> = VecDeque::new();
    loop {
        let left = end.map(|end| end.saturating_duration_since(Instant::now()));
        let said = match heard.recv_timeout(left.unwrap_or(FOREVER)) {
            Ok(said) => said?,
            Err(RecvTimeoutError::Timeout) if end.is_none() => continue,
            Err(_) => return Ok(Status::Fine),
        };
        for said in filter.pass(said) {
            let before = events.back();
            let line = match options.json {
                true => said.json(before).to_string(),
                false => printable(&said.line(before)),
            };
            events.push_back(said);
            if events.len() > KEPT {
                events.pop_front();
            }
            if let Some(path) = &options.svg {
                let picture = lanes::svg(&options.port.to_string(), events.make_contiguous());
                std::fs::write(path, picture)
                    .map_err(|error| Failure::blind(format_args!("{}: {error}", path.display())))?;
            }
            if cli::emit(line)?.is_break() {
                return Ok(Status::Fine);
            }
        }
    }
}

/// What the sources say, each in a thread of its own. Without the database there is nothing to listen to.
fn listen(db: &Remote) -> Receiver<Result<Said, Failure>> {
    let (said, heard) = mpsc::channel();
    let (db, from_database, from_netdevs) = (db.clone(), said.clone(), said.clone());
    thread::spawn(move || {
        if let Err(failure) = database::rows(&db, &from_database) {
            // Nobody listens at the end.
            let _ = from_database.send(Err(failure));
        }
    });
    thread::spawn(move || kernel::netdevs(&from_netdevs));
    thread::spawn(move || {
        if let Err(error) = kernel::vports(&said) {
            complain(
                TOOL,
                format_args!("no ports of the kernel's datapath: {}", chain(&error)),
            );
        }
    });
    heard
}

/// Picks what is of one port.
struct Filter<'a> {
    port: &'a Port,
    /// Devices that have had the iface-id.
    devices: BTreeSet<String>,
    /// What others did; one of them may get it yet.
    others: VecDeque<Said>,
}

impl<'a> Filter<'a> {
    fn of(port: &'a Port) -> Self {
        Self {
            port,
            devices: BTreeSet::new(),
            others: VecDeque::new(),
        }
    }

    /// What is to be told now.
    fn pass(&mut self, said: Said) -> Vec<Said> {
        let id = match self.port {
            Port::Name(name) => {
                return if said.device == *name {
                    vec![said]
                } else {
                    Vec::new()
                };
            }
            Port::IfaceId(id) => id,
        };
        let mut told = Vec::new();
        if said.iface_id.as_ref() == Some(id) && self.devices.insert(said.device.clone()) {
            let (own, others): (VecDeque<_>, _) = std::mem::take(&mut self.others)
                .into_iter()
                .partition(|other| other.device == said.device);
            self.others = others;
            told.extend(own);
        }
        if self.devices.contains(&said.device) {
            told.push(said);
        } else {
            self.others.push_back(said);
            if self.others.len() > KEPT {
                self.others.pop_front();
            }
        }
        told
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::IfaceId(id) => write!(f, "iface-id {id}"),
        }
    }
}

const FOREVER: Duration = Duration::from_secs(3600);
/// More than a picture shows, and than a host has ports.
const KEPT: usize = 10_000;
