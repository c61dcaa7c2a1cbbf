//! One port's life as it happens. See `--help`.

#![allow(
    unreachable_pub,
    reason = "in a program `pub` says what a module gives to the others"
)]

mod database;
mod event;
mod flows;
mod kernel;
mod lanes;
mod life;

use std::collections::VecDeque;
use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use examples::cli::{self, Failure, Status, chain, complain};
use examples::db;
use ovsdb_proto::client::Remote;

use self::event::Said;
use self::life::Life;

const TOOL: &str = "port-timeline";
const HELP: &str = "\
port-timeline: one port's life as it happens, in the database, in the kernel and among flows

  port-timeline tap99a07591-94                  a line for each step, until it is interrupted
  port-timeline --iface-id 5f03d167 --for 60    the port of a virtual machine, whatever its name, for a minute

  NAME                the interface, by the name of its device
  --iface-id ID       or by external_ids:iface-id; what its device did before the database said so is told then
  --db REMOTE         unix:FILE or tcp:IP:PORT of the switch of this host (default: unix:/run/openvswitch/db.sock)
  --openflow REMOTE   unix:FILE or tcp:HOST:PORT of the bridge, to tell of flows that match the port or send to it
  --for SECONDS       how long
  --svg FILE          draw swimlanes, anew with each step
  --json              one JSON object for each step

Each line has the time since the one before. The rows of Port and Interface and the ports of the kernel's datapath are
told as they change; network devices are looked at 50 times a second. A port that vanishes with its network namespace is
told as that, though the kernel tells nobody. Of flows = is there from the start, + new, ~ changed and - gone; of one
that goes later than the row of its interface it says by how long it outlived its port. Lines are cut at the width of a
terminal; a pipe gets them whole. It only reads.

Exit status: 0 the time is over or the reader has gone away, 1 a flow outlived its port, 3 could not look, 64 wrong
command line.
";

fn main() -> ExitCode {
    cli::main(TOOL, HELP, Options::parse, run)
}

struct Options {
    port: Port,
    db: Remote,
    openflow: Option<String>,
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
        let mut db = db::of_this_host()?;
        let (mut openflow, mut length, mut svg, mut json) = (None, None, None, false);
        while let Some(arg) = parser.next()? {
            match arg {
                Value(name) if port.is_none() => port = Some(Port::Name(name.string()?)),
                Long("iface-id") if port.is_none() => port = Some(Port::IfaceId(parser.value()?.string()?)),
                Long("db") => db = parser.value()?.parse()?,
                Long("openflow") => openflow = Some(parser.value()?.string()?),
                Long("for") => length = Some(cli::seconds(&mut parser)?),
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
            openflow,
            length,
            svg,
            json,
        }))
    }
}

fn run(options: &Options) -> Result<Status, Failure> {
    let heard = listen(options);
    cli::end_with_reader();
    let end = options.length.map(|length| Instant::now() + length);
    let mut life = Life::of(&options.port);
    let mut events: VecDeque<Said> = VecDeque::new();
    loop {
        let left = end.map(|end| end.saturating_duration_since(Instant::now()));
        let (told, over) = match heard.recv_timeout(left.unwrap_or(FOREVER)) {
            Ok(said) => (life.pass(said?), false),
            Err(RecvTimeoutError::Timeout) if end.is_none() => continue,
            Err(_) => (life.outlived(), true),
        };
        for said in told {
            let before = events.back();
            let line = match options.json {
                true => said.json(before).to_string(),
                false => cli::line(&said.line(before), None),
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
                return Ok(life.status());
            }
        }
        if over {
            return Ok(life.status());
        }
    }
}

/// What the sources say, each in a thread of its own. Without the database, or a switch that was
/// named, there is nothing to listen to.
fn listen(options: &Options) -> Receiver<Result<Said, Failure>> {
    let (said, heard) = mpsc::channel();
    let (db, from_database, from_netdevs) = (options.db.clone(), said.clone(), said.clone());
    if let Some(remote) = options.openflow.clone() {
        let from_switch = said.clone();
        thread::spawn(move || {
            if let Err(failure) = flows::flows(&remote, &from_switch) {
                let _ = from_switch.send(Err(failure));
            }
        });
    }
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
