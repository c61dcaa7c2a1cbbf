//! What changed between two dumps of a bridge's flows? Counters and ages do not count. See `--help`.

#![allow(
    unreachable_pub,
    reason = "in a program `pub` says what a module gives to the others"
)]

mod diff;
mod report;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use examples::cli::{self, Failure, Status};
use examples::dump;

use self::diff::{Changes, Table};
use self::report::Report;

const TOOL: &str = "flow-diff";
const HELP: &str = "\
flow-diff: what changed between two dumps of a bridge's flows?

  ovs-ofctl dump-flows br-int > before
  ...
  ovs-ofctl dump-flows br-int | flow-diff before -

  BEFORE AFTER      what ovs-ofctl dump-flows or ovs-appctl bridge/dump-flows printed; - is standard input
  --ignore-cookie   flows that differ only in their cookie are the same: agents write another one after each restart
  --json            one JSON object

Prints - for a flow that has gone, + for a new one, and ~ for one that has the same table, priority and match, with what
changed in it, and then the numbers of each table. Packets, bytes, ages and durations are not compared, and neither are
spelling and order of a match. Take both dumps with the same -O and --names: a name is not compared with a number, and
strip_vlan not with pop_vlan. Lines are cut at the width of a terminal; a pipe gets them whole.

Exit status: 0 the same, 1 different, 3 could not look, or not at every line, 64 wrong command line.
";

fn main() -> ExitCode {
    cli::main(TOOL, || match Options::parse(lexopt::Parser::from_env())? {
        Some(options) => run(&options),
        None => cli::print(HELP.trim_end()).map(|()| Status::Fine),
    })
}

struct Options {
    before: PathBuf,
    after: PathBuf,
    ignore_cookie: bool,
    json: bool,
}

impl Options {
    fn parse(mut parser: lexopt::Parser) -> Result<Option<Self>, Failure> {
        use lexopt::prelude::*;

        let (mut files, mut ignore_cookie, mut json) = (Vec::new(), false, false);
        while let Some(arg) = parser.next()? {
            match arg {
                Value(file) => files.push(PathBuf::from(file)),
                Long("ignore-cookie") => ignore_cookie = true,
                Long("json") => json = true,
                Long("help") | Short('h') => return Ok(None),
                _ => return Err(arg.unexpected().into()),
            }
        }
        let [before, after] = <[PathBuf; 2]>::try_from(files)
            .map_err(|files| Failure::usage(format_args!("two dumps are needed, not {}", files.len())))?;
        if before == Path::new("-") && after == before {
            return Err(Failure::usage("standard input can be one of the two only"));
        }
        Ok(Some(Self {
            before,
            after,
            ignore_cookie,
            json,
        }))
    }
}

fn run(options: &Options) -> Result<Status, Failure> {
    let (mut status, mut unread_lines) = (Status::Fine, 0);
    let mut load = |path: &Path| {
        let mut flows = Table::default();
        let name = format!("{TOOL}: {}", path.display());
        let unread = dump::read(&name, dump::open(path)?, |flow| flows.insert(flow))?;
        status = status.or(unread.status());
        unread_lines += unread.lines;
        Ok::<_, Failure>(flows)
    };
    let (before, after) = (load(&options.before)?, load(&options.after)?);
    let changes = Changes::new(before, after, options.ignore_cookie);
    let report = Report {
        changes: &changes,
        unread_lines,
    };
    match options.json {
        true => cli::print(report.json()?)?,
        false => cli::print(report.text())?,
    }
    Ok(match changes.is_empty() {
        true => status,
        false => status.or(Status::Warning),
    })
}
