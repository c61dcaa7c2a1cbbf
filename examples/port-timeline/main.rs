//! One port's life as it happens. See `--help`.

#![allow(
    unreachable_pub,
    reason = "in a program `pub` says what a module gives to the others"
)]

mod life;
mod print;

use std::collections::VecDeque;
use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use examples::cli::{self, Failure, Status};
use examples::db::{CertificateOption, Server};
use examples::follow::{Step, follow};
use examples::openflow;

use self::life::Life;

const TOOL: &str = "port-timeline";
const HELP: &str = "\
port-timeline: one port's life as it happens, in the database, in the kernel and among flows

  port-timeline tap99a07591-94                  a line for each step, until it is interrupted
  port-timeline --iface-id 5f03d167 --for 60    the port of a virtual machine, whatever its name, for a minute

  NAME                the interface, by the name of its device
  --iface-id ID       or by external_ids:iface-id; what its device did before the database said so is told then
  --db REMOTE         unix:FILE, tcp: or ssl:IP:PORT of the switch of this host (default: unix:/run/openvswitch/db.sock)
  -p, -c, -C FILE     for ssl:, as ovsdb-client has them: --private-key, --certificate and --ca-cert
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
    db: Server,
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
        let mut db = Server::default();
        let (mut openflow, mut length, mut svg, mut json) = (None, None, None, false);
        while let Some(arg) = parser.next()? {
            match arg {
                Value(name) if port.is_none() => port = Some(Port::Name(name.string()?)),
                Long("iface-id") if port.is_none() => port = Some(Port::IfaceId(parser.value()?.string()?)),
                Long("db") => db.remote = parser.value()?.parse()?,
                Long("openflow") => openflow = Some(openflow::remote(&parser.value()?.string()?)?),
                Long("for") => length = Some(cli::seconds(&mut parser)?),
                Long("svg") => svg = Some(parser.value()?.into()),
                Long("json") => json = true,
                Long("help") | Short('h') => return Ok(None),
                arg => db.certificates.read(CertificateOption::of(arg)?, &mut parser)?,
            }
        }
        let port = port.filter(|(Port::Name(text) | Port::IfaceId(text))| !text.is_empty());
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
    let told = follow(TOOL, options.db.clone(), options.openflow.clone());
    cli::end_with_reader();
    let end = options.length.map(|length| Instant::now() + length);
    let mut life = Life::of(&options.port);
    let mut steps: VecDeque<Step> = VecDeque::new();
    loop {
        let left = end.map(|end| end.saturating_duration_since(Instant::now()));
        let (own, over) = match told.recv_timeout(left.unwrap_or(FOREVER)) {
            Ok(step) => (life.pass(step?), false),
            Err(RecvTimeoutError::Timeout) if end.is_none() => continue,
            Err(_) => (life.outlived(), true),
        };
        for step in own {
            let before = steps.back();
            let line = match options.json {
                true => print::json(&step, before).to_string(),
                false => cli::line(&print::line(&step, before), None),
            };
            steps.push_back(step);
            if steps.len() > KEPT {
                steps.pop_front();
            }
            if let Some(path) = &options.svg {
                let picture = print::lanes(&options.port.to_string(), steps.make_contiguous()).svg();
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
