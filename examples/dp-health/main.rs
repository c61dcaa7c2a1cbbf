//! The health of a switch, for a probe or for Prometheus. See `--help`.

#![allow(
    unreachable_pub,
    reason = "in a program `pub` says what a module gives to the others"
)]

mod look;
mod metrics;
mod probe;

use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, Instant};

use examples::cli::{self, Failure, Status};
use examples::db::{CertificateOption, Server};
use examples::http;

use self::look::Look;
use self::probe::Probe;

const TOOL: &str = "dp-health";
const HELP: &str = "\
dp-health: the health of a switch, for a probe or for Prometheus

  dp-health                          one line, as Nagios, Icinga and their like read it
  dp-health --prom                   Prometheus' text format, once
  dp-health --listen 127.0.0.1:9475  the same at http://127.0.0.1:9475/metrics, for each request anew

  --db REMOTE         unix:FILE, tcp: or ssl:IP:PORT of the switch of this host (default: unix:/run/openvswitch/db.sock)
  -p, -c, -C FILE     for ssl:, as ovsdb-client has them: --private-key, --certificate and --ca-cert
  --pid N             the process id of ovs-vswitchd (default: as /run/openvswitch/ovs-vswitchd.pid says)
  --interval SECONDS  a probe looks twice, so far apart (default: 1)
  --json              the probe as one JSON object

It tells of packets that were lost on their way to ovs-vswitchd, of flows and masks, of sockets that ovs-vswitchd has
lost, of ports with nothing behind them, and how near a flood of each bridge is to the limits of datapath actions. For
details see upcall-audit, port-audit, dp-flows and action-budget. It only reads. Without root it cannot tell whose the
sockets are.

Exit status: 0 all is well, 1 packets are being lost, a port is in error, or a flood is near a limit, 2 sockets are
lost, ports are stale, or a flood is over a limit, 3 could not look everywhere, 64 wrong command line. With --prom and
--listen 0: there, what could not be read is ovs_up 0.
";

fn main() -> ExitCode {
    cli::main(TOOL, HELP, Options::parse, run)
}

struct Options {
    db: Server,
    pid: Option<u32>,
    interval: Duration,
    json: bool,
    prom: bool,
    listen: Option<String>,
}

impl Options {
    fn parse(mut parser: lexopt::Parser) -> Result<Option<Self>, Failure> {
        use lexopt::prelude::*;

        let mut options = Self {
            db: Server::default(),
            pid: None,
            interval: Duration::from_secs(1),
            json: false,
            prom: false,
            listen: None,
        };
        while let Some(arg) = parser.next()? {
            match arg {
                Long("db") => options.db.remote = parser.value()?.parse()?,
                Long("pid") => options.pid = Some(cli::number(&mut parser)?),
                Long("interval") => options.interval = cli::seconds(&mut parser)?,
                Long("json") => options.json = true,
                Long("prom") => options.prom = true,
                Long("listen") => options.listen = Some(parser.value()?.string()?),
                Long("help") | Short('h') => return Ok(None),
                arg => options
                    .db
                    .certificates
                    .read(CertificateOption::of(arg)?, &mut parser)?,
            }
        }
        Ok(Some(options))
    }
}

fn run(options: &Options) -> Result<Status, Failure> {
    let page = || metrics::page(&Look::take(options));
    if let Some(address) = &options.listen {
        return http::serve(TOOL, address, "/metrics", page).map(|()| Status::Fine);
    }
    if options.prom {
        return cli::print(page().trim_end()).map(|()| Status::Fine);
    }
    let start = Instant::now();
    let before = Look::take(options);
    sleep(options.interval);
    let now = Look::take(options);
    let probe = Probe::of(&before, &now, start.elapsed().as_secs_f64());
    cli::print(match options.json {
        true => probe.json()?,
        false => probe.line(),
    })?;
    Ok(probe.status)
}
