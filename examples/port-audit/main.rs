//! Which ports of the database have nothing behind them? See `--help`.

#![allow(
    unreachable_pub,
    reason = "in a program `pub` says what a module gives to the others"
)]

mod report;

use std::path::PathBuf;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::Duration;

use examples::cli::{self, Failure, Status, complain};
use examples::db::{CertificateOption, Server};
use examples::judge::{State, Verdict, judge};
use examples::sight::Sight;

use self::report::Report;

const TOOL: &str = "port-audit";
const HELP: &str = "\
port-audit: which ports of the database have nothing behind them?

  port-audit                     ports that are not as they should be, seen twice, 5 seconds apart
  port-audit --bridge br-int --suggest

  --db REMOTE         unix:FILE, tcp: or ssl:IP:PORT of the switch of this host (default: unix:/run/openvswitch/db.sock)
  -p, -c, -C FILE     for ssl:, as ovsdb-client has them: --private-key, --certificate and --ca-cert
  --rundir DIRECTORY  where the bridges listen, as BRIDGE.mgmt (default: where the database does)
  --bridge NAME       only this bridge
  --observe 1|2       look once or twice; what was seen only once is undecided (default: 2)
  --interval SECONDS  between the two (default: 5)
  --all               list the ports that are well, too
  --suggest           print the ovs-vsctl lines that would remove stale ports; read them before you run them
  --json              one JSON object
  --svg FILE          draw ports against where they were found

It joins the rows of the database with the network devices and the datapath ports of this host and the OpenFlow ports of
each bridge, so it must run on the host of the switch and in its network namespace. It changes nothing. The states:

  ok                  as far as can be seen
  no device           there is no such network device: it was deleted, or a reboot has left the row behind
  vport vanished      the database shows no fault, but the datapath has no such port: its namespace was deleted
  zombie              an internal port with external_ids, in this namespace and down: made again by the switch after a
                      reboot or such a deletion, with nobody to use it
  error               the switch says why it cannot use it, has not taken it up, or has another port by its ofport
  duplicate iface-id  another interface has the same external_ids:iface-id
  vport without row   the datapath has a port that no row explains: a switch that died left it, or it is somebody else's
  openflow without row
                      the bridge has a port that this database does not have
  undecided           one of the faults above, but seen only once: it may just be coming or going

A port with other_config:transient=true is marked: Open vSwitch itself removes it at the next boot. Tunnels and patch
ports have no device of their own; of them, and of ports of a userspace datapath, the switch's word is taken.

Exit status: 0 all ports are ok, 1 undecided ones, 2 any other fault, 3 could not look, 64 wrong command line.
";

fn main() -> ExitCode {
    cli::main(TOOL, HELP, Options::parse, run)
}

struct Options {
    db: Server,
    rundir: PathBuf,
    bridge: Option<String>,
    once: bool,
    interval: Duration,
    all: bool,
    suggest: bool,
    json: bool,
    svg: Option<PathBuf>,
}

impl Options {
    fn parse(mut parser: lexopt::Parser) -> Result<Option<Self>, Failure> {
        use lexopt::prelude::*;

        let mut rundir = None;
        let mut options = Self {
            db: Server::default(),
            rundir: PathBuf::new(),
            bridge: None,
            once: false,
            interval: Duration::from_secs(5),
            all: false,
            suggest: false,
            json: false,
            svg: None,
        };
        while let Some(arg) = parser.next()? {
            match arg {
                Long("db") => options.db.remote = parser.value()?.parse()?,
                Long("rundir") => rundir = Some(parser.value()?.into()),
                Long("bridge") => options.bridge = Some(parser.value()?.string()?),
                Long("observe") => options.once = cli::one_of(&mut parser, &[("1", true), ("2", false)])?,
                Long("interval") => options.interval = cli::seconds(&mut parser)?,
                Long("all") => options.all = true,
                Long("suggest") => options.suggest = true,
                Long("json") => options.json = true,
                Long("svg") => options.svg = Some(parser.value()?.into()),
                Long("help") | Short('h') => return Ok(None),
                arg => options
                    .db
                    .certificates
                    .read(CertificateOption::of(arg)?, &mut parser)?,
            }
        }
        options.rundir = rundir.unwrap_or_else(|| options.db.directory());
        Ok(Some(options))
    }
}

fn run(options: &Options) -> Result<Status, Failure> {
    let only = options.bridge.as_deref();
    let look = || {
        let sight = async {
            let mut sight = Sight::take(&options.db, only).await?;
            sight.ask_bridges(&options.rundir, only).await;
            Ok(sight)
        };
        cli::block_on(cli::patiently(TOOL, &options.db, sight))
    };
    let mut sight = look()?;
    let mut verdicts = judge(&sight, only, None);
    let faults = verdicts.iter().any(|verdict| verdict.state != State::Ok);
    if faults && !options.once {
        let seconds = options.interval.as_secs();
        complain(TOOL, format_args!("looking again in {seconds} s"));
        sleep(options.interval);
        sight = look()?;
        verdicts = judge(&sight, only, Some(&verdicts));
    } else {
        verdicts.iter_mut().for_each(Verdict::doubt);
    }
    let mut status = verdicts.iter().fold(Status::Fine, |status, verdict| {
        status.or(match verdict.state {
            State::Ok => Status::Fine,
            State::Undecided => Status::Warning,
            _ => Status::Finding,
        })
    });
    for unseen in &sight.unseen {
        complain(TOOL, unseen);
        status = status.or(Status::Blind);
    }
    if let Some(path) = &options.svg {
        if let Err(error) = std::fs::write(path, report::matrix(&verdicts).svg()) {
            complain(TOOL, format_args!("{}: {error}", path.display()));
            status = status.or(Status::Blind);
        }
    }
    let report = Report {
        verdicts: &verdicts,
        all: options.all,
        suggest: options.suggest,
    };
    cli::print(if options.json {
        report.json()?
    } else {
        report.text()
    })?;
    Ok(status)
}
