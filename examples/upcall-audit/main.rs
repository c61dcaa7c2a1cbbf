//! Which netlink sockets does `ovs-vswitchd` have, and which of them are lost? See `--help`.

#![allow(
    unreachable_pub,
    reason = "in a program `pub` says what a module gives to the others"
)]

mod advice;
mod report;

use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, SystemTime};

use examples::cli::{self, Failure, Status, complain};
use examples::db::{self, CertificateOption, Server};
use examples::upcalls::{self, Release, Upcalls};
use netlink_genl::ovs::datapath::Dispatch;

use self::report::{Observation, Report};

const TOOL: &str = "upcall-audit";
const HELP: &str = "\
upcall-audit: which netlink sockets does ovs-vswitchd have, and which of them are lost?

  upcall-audit                        count, say which limit they head for, and what to do
  upcall-audit --watch 10             a line every 10 seconds, with the growth

  --pid N             the process id of ovs-vswitchd (default: as /run/openvswitch/ovs-vswitchd.pid says)
  --db REMOTE         unix:FILE, tcp: or ssl:IP:PORT, to ask for the release (default: unix:/run/openvswitch/db.sock)
  -p, -c, -C FILE     for ssl:, as ovsdb-client has them: --private-key, --certificate and --ca-cert
  --ovs VERSION       the release, if the database does not know it
  --watch SECONDS     look again and again
  --count N           end after N looks (default: 1, and with --watch none)
  --list              list the lost sockets
  --json              one JSON object for each look

A packet without a flow comes to ovs-vswitchd through a netlink socket. Ports name one each, or the datapath names one
for each CPU. A socket for packets that nobody names is lost: its descriptor stays open until ovs-vswitchd ends, which
it does when there are no more. Releases with the fix close it when the number of its port is used again; there one such
socket is no loss. It takes root, or the user of ovs-vswitchd, to tell whose sockets they are.

Exit status: 0 no socket is lost, 1 four fifths of the descriptors are in use or a port names a socket that is not
there, 2 sockets are lost or the datapath has none, 3 could not look, 64 wrong command line.
";

fn main() -> ExitCode {
    cli::main(TOOL, HELP, Options::parse, run)
}

struct Options {
    pid: Option<u32>,
    db: Server,
    release: Option<Release>,
    watch: Option<Duration>,
    count: Option<u32>,
    list: bool,
    json: bool,
}

impl Options {
    fn parse(mut parser: lexopt::Parser) -> Result<Option<Self>, Failure> {
        use lexopt::prelude::*;

        let mut options = Self {
            pid: None,
            db: Server::default(),
            release: None,
            watch: None,
            count: None,
            list: false,
            json: false,
        };
        while let Some(arg) = parser.next()? {
            match arg {
                Long("pid") => options.pid = Some(cli::number(&mut parser)?),
                Long("db") => options.db.remote = parser.value()?.parse()?,
                Long("ovs") => options.release = Some(parser.value()?.parse()?),
                Long("watch") => options.watch = Some(cli::pause(&mut parser)?),
                Long("count") => options.count = Some(cli::number(&mut parser)?),
                Long("list") => options.list = true,
                Long("json") => options.json = true,
                Long("help") | Short('h') => return Ok(None),
                arg => options
                    .db
                    .certificates
                    .read(CertificateOption::of(arg)?, &mut parser)?,
            }
        }
        Ok(Some(options))
    }

    /// The release, as far as it is known.
    fn release(&self) -> Option<Release> {
        let asked = || {
            let asked = cli::block_on(cli::patiently(TOOL, &self.db, db::release(&self.db)));
            match asked {
                Ok(text) => text?.parse().ok(),
                Err(failure) => {
                    complain(TOOL, format_args!("the release is not known: {}", failure.text));
                    None
                }
            }
        };
        self.release.or_else(asked)
    }
}

fn run(options: &Options) -> Result<Status, Failure> {
    let pid = options.pid.map_or_else(upcalls::running, Ok)?;
    let release = options.release();
    if options.watch.is_some() {
        cli::end_with_reader();
    }
    let mut left = options.count.or(options.watch.is_none().then_some(1));
    let mut first = None;
    let mut status = Status::Fine;
    while left != Some(0) {
        let now = Observation::of(Upcalls::read(pid)?, SystemTime::now());
        let first = &*first.get_or_insert_with(|| now.clone());
        status = status.or(judge(&now.upcalls, release));
        let report = Report {
            pid,
            release,
            first,
            now: &now,
            list: options.list,
        };
        let text = match (options.json, options.watch) {
            (true, _) => report.json()?,
            (false, None) => report.text(),
            (false, Some(_)) => report.line(),
        };
        left = left.map(|left| left - 1);
        if cli::emit(text)?.is_break() {
            break;
        }
        if left != Some(0) {
            sleep(options.watch.unwrap_or_default());
        }
    }
    Ok(status)
}

fn judge(upcalls: &Upcalls, release: Option<Release>) -> Status {
    let accounting = &upcalls.accounting;
    if upcalls.deaf || upcalls.orphaned() > 0 && !upcalls.is_held(release) {
        return Status::Finding;
    }
    let near = |(open, limit): (usize, usize)| open >= limit / 5 * 4;
    // A datapath that dispatches per CPU does not use what ports name.
    let missing = upcalls.dispatch == Some(Dispatch::PerVport) && !accounting.dangling.is_empty();
    if missing || upcalls.open.zip(upcalls.limit).is_some_and(near) {
        return Status::Warning;
    }
    match accounting.attributed {
        true => Status::Fine,
        false => Status::Blind,
    }
}
