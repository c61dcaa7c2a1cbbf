//! What changed between two dumps of a bridge's flows, or changes now? Counters and ages do not count. See `--help`.

#![allow(
    unreachable_pub,
    reason = "in a program `pub` says what a module gives to the others"
)]

mod report;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, SystemTime};

use examples::cli::{self, Failure, Status, complain, timestamp};
use examples::dump::{self, Unread};
use examples::openflow;
use ofp_codec::Flow;
use ofp_codec::diff::diff;

use self::report::Report;

const TOOL: &str = "flow-diff";
const HELP: &str = "\
flow-diff: what changed between two dumps of a bridge's flows, or changes now?

  ovs-ofctl dump-flows br-int > before
  ...
  ovs-ofctl dump-flows br-int | flow-diff before -
  flow-diff --live unix:/run/openvswitch/br-int.mgmt

  BEFORE AFTER      what ovs-ofctl dump-flows or ovs-appctl bridge/dump-flows printed; - is standard input;
                    unix:FILE or tcp:HOST:PORT asks a switch
  --live REMOTE     ask a switch again and again, and print what has changed since the last time, with the time (UTC)
  --every SECONDS   how often, at least 1 (default: 1)
  --ignore-cookie   leave cookies out: agents write another one after each restart
  --json            one JSON object; with --live one for each time that something changed

Prints - for a flow that has gone, + for a new one, and ~ for one that has the same table, priority and match, with what
changed in it, and then the numbers of each table. Flows are compared and printed in one form, whatever -O they were
dumped with; packets, bytes, ages, flags and importance are not compared. Take both dumps with the same --names: a name
is not compared with a number. Lines are cut at the width of a terminal; a pipe gets them whole. A switch that goes away
is asked again until it is back.

Exit status: 0 the same, or the reader of --live has gone away, 1 different, 3 could not look, or not at every line,
64 wrong command line.
";

fn main() -> ExitCode {
    cli::main(TOOL, HELP, Options::parse, run)
}

struct Options {
    source: Source,
    ignore_cookie: bool,
    json: bool,
}

enum Source {
    /// Before and after.
    Dumps([PathBuf; 2]),
    /// A switch, and how often to ask it.
    Live(PathBuf, Duration),
}

impl Options {
    fn parse(mut parser: lexopt::Parser) -> Result<Option<Self>, Failure> {
        use lexopt::prelude::*;

        let (mut files, mut ignore_cookie, mut json) = (Vec::new(), false, false);
        let (mut live, mut every) = (None, Duration::from_secs(1));
        while let Some(arg) = parser.next()? {
            match arg {
                Value(file) => files.push(PathBuf::from(file)),
                Long("live") => live = Some(openflow::remote(&parser.value()?.string()?)?.into()),
                Long("every") => every = cli::pause(&mut parser)?,
                Long("ignore-cookie") => ignore_cookie = true,
                Long("json") => json = true,
                Long("help") | Short('h') => return Ok(None),
                _ => return Err(arg.unexpected().into()),
            }
        }
        let source = match live {
            Some(remote) if files.is_empty() => Source::Live(remote, every),
            Some(_) => return Err(Failure::usage("--live takes no dumps")),
            None => {
                let [before, after] = <[PathBuf; 2]>::try_from(files).map_err(|files| {
                    Failure::usage(format_args!("two dumps are needed, not {}", files.len()))
                })?;
                if before == Path::new("-") && after == before {
                    return Err(Failure::usage("standard input can be one of the two only"));
                }
                Source::Dumps([before, after])
            }
        };
        Ok(Some(Self {
            source,
            ignore_cookie,
            json,
        }))
    }
}

fn run(options: &Options) -> Result<Status, Failure> {
    match &options.source {
        Source::Dumps([before, after]) => compare(options, before, after),
        Source::Live(remote, every) => follow(options, remote, *every),
    }
}

/// Flows in their normal form.
fn load(options: &Options, source: &Path) -> Result<(Vec<Flow>, Unread), Failure> {
    let mut flows = Vec::new();
    let name = format!("{TOOL}: {}", source.display());
    let unread = dump::read(&name, dump::open_or_ask(TOOL, source)?, |flow| {
        let mut flow = flow.normal();
        if options.ignore_cookie {
            flow.cookie = 0;
        }
        flows.push(flow);
    })?;
    Ok((flows, unread))
}

fn compare(options: &Options, before: &Path, after: &Path) -> Result<Status, Failure> {
    let ((before, unread_before), (after, unread_after)) = (load(options, before)?, load(options, after)?);
    let changes = diff(&before, &after);
    let report = Report::new(
        &before,
        &after,
        &changes,
        unread_before.lines + unread_after.lines,
    );
    match options.json {
        true => cli::print(report.json())?,
        false => cli::print(report.text() + &report.summary())?,
    }
    let status = unread_before.status().or(unread_after.status());
    Ok(match changes.is_empty() {
        true => status,
        false => status.or(Status::Warning),
    })
}

/// Prints what changes until the reader goes away.
fn follow(options: &Options, remote: &Path, every: Duration) -> Result<Status, Failure> {
    let (mut before, _) = load(options, remote)?;
    cli::end_with_reader();
    let mut gone = false;
    loop {
        sleep(every);
        let (after, unread) = match load(options, remote) {
            Ok(loaded) => loaded,
            Err(failure) => {
                if !gone {
                    complain(TOOL, format_args!("{}; trying again", failure.text));
                }
                gone = true;
                continue;
            }
        };
        gone = false;
        let changes = diff(&before, &after);
        if !changes.is_empty() {
            let report = Report::new(&before, &after, &changes, unread.lines);
            let time = timestamp(SystemTime::now());
            let text = match options.json {
                true => {
                    let mut object = report.json();
                    object["time"] = time.into();
                    object.to_string()
                }
                false => format!("{time}\n{}", report.text()),
            };
            if cli::emit(text)?.is_break() {
                return Ok(Status::Fine);
            }
        }
        before = after;
    }
}
