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
use ofp_codec::{Flow, Version, diff};

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
dumped with; packets, bytes, ages and flags are not compared, and importance where both say it. What one of the two does
not print is not compared, and the report says so: bridge/dump-flows has no timeouts, and not always cookies. Two
switches are compared by all bits of their matches; a text does not show all of them. Of flows that it prints alike
nobody knows which have changed. Take both dumps with the same --names: a name is not compared with a number. Lines are
cut at the width of a terminal; a pipe gets them whole. A switch that goes away is asked again until it is back.

Exit status: 0 the same, or the reader of --live has gone away, 1 different, 3 could not look, or not at every line, or
flows print alike, 64 wrong command line.
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

/// The flows of a source.
struct Loaded {
    flows: Vec<Flow>,
    /// The version of the switch that was asked; of a text it is none.
    version: Option<Version>,
    unread: Unread,
}

impl Loaded {
    /// Asks a switch or reads a text.
    fn from(source: &Path) -> Result<Self, Failure> {
        let name = format!("{TOOL}: {}", source.display());
        if let Some(remote) = source.to_str().filter(|text| openflow::is_remote(text)) {
            let remote = openflow::remote(remote)?;
            let asked = cli::patiently(TOOL, &remote, openflow::flows(&name, &remote));
            let (version, flows, lines) = cli::block_on(asked)?;
            let unread = Unread { lines, empty: false };
            return Ok(Self {
                flows,
                version: Some(version),
                unread,
            });
        }
        let mut flows = Vec::new();
        let unread = dump::read(&name, dump::open(source)?, |flow| flows.push(flow))?;
        Ok(Self {
            flows,
            version: None,
            unread,
        })
    }

    /// In the form in which they are compared and printed; beside a text as they would be printed, which says less.
    fn normal(self, options: &Options, beside_text: bool) -> Vec<Flow> {
        let version = self.version.filter(|_| beside_text);
        let normal = |flow: Flow| {
            let flow = version.map_or_else(|| flow.clone(), |version| flow.canonical(version));
            Flow {
                cookie: if options.ignore_cookie { 0 } else { flow.cookie },
                // That these are there says that the flow was in a switch.
                stats: flow.stats,
                importance: flow.importance,
                ..flow.normal()
            }
        };
        self.flows.into_iter().map(normal).collect()
    }
}

fn compare(options: &Options, before: &Path, after: &Path) -> Result<Status, Failure> {
    let (before, after) = (Loaded::from(before)?, Loaded::from(after)?);
    let unread_lines = before.unread.lines + after.unread.lines;
    let mut status = before.unread.status().or(after.unread.status());
    let texts = before.version.is_none() || after.version.is_none();
    let (before, after) = (before.normal(options, texts), after.normal(options, texts));
    let found = diff::compare(&before, &after);
    let report = Report::new(&before, &after, &found, unread_lines);
    match options.json {
        true => cli::print(report.json())?,
        false => cli::print(report.text() + &report.unknown() + &report.summary())?,
    }
    if !found.alike.is_empty() {
        status = status.or(Status::Blind);
    }
    Ok(match found.changes.is_empty() {
        true => status,
        false => status.or(Status::Warning),
    })
}

/// Prints what changes until the reader goes away.
fn follow(options: &Options, remote: &Path, every: Duration) -> Result<Status, Failure> {
    let load = || {
        let loaded = Loaded::from(remote)?;
        let unread = loaded.unread;
        Ok::<_, Failure>((loaded.normal(options, false), unread))
    };
    let (mut before, _) = load()?;
    cli::end_with_reader();
    let mut gone = false;
    loop {
        sleep(every);
        let (after, unread) = match load() {
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
        let found = diff::compare(&before, &after);
        if !found.changes.is_empty() {
            let report = Report::new(&before, &after, &found, unread.lines);
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
