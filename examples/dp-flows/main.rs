//! Every flow of a datapath, why some are slow, and how they spread over masks. See `--help`.

#![allow(
    unreachable_pub,
    reason = "in a program `pub` says what a module gives to the others"
)]

mod report;

use std::cmp::Reverse;
use std::path::PathBuf;
use std::process::ExitCode;

use examples::cli::{self, Failure, Status};
use examples::datapath::Dump;

use self::report::Row;

const TOOL: &str = "dp-flows";
const HELP: &str = "\
dp-flows: every flow of a datapath, why some are slow, and how they spread over masks

  dp-flows                               the flows of the kernel's datapath, and what is slow
  dp-flows --masks                       how many flows each mask has
  ovs-appctl dpctl/dump-flows -m | dp-flows --offline - --slow

  --dp NAME           the datapath (default: ovs-system)
  --offline FILE      read what ovs-dpctl dump-flows or ovs-appctl dpctl/dump-flows printed; - is standard input
  --slow              only flows whose packets go through ovs-vswitchd, and why
  --top packets|bytes|actions
                      the largest first; actions are counted in bytes
  --limit N           at most N flows, or masks
  --full              do not cut long actions
  --masks             flows for each mask, instead of the flows
  --json              one JSON object for each flow; with --masks one in all

The kernel leaves actions out of a list if they are too long; then it is asked for the flow alone. What no release that
is known here has is printed as Open vSwitch prints the unknown. It only reads, and needs no privilege. Each mask costs
a lookup of every packet that the cache does not know: hundreds of masks with few flows each make a datapath slow.

Exit status: 0 no flow is slow but by a protocol of the switch, 1 a match makes one slow, 2 actions make one slow,
3 could not look, or not at every flow, 64 wrong command line.
";

fn main() -> ExitCode {
    cli::main(TOOL, HELP, Options::parse, run)
}

struct Options {
    datapath: String,
    offline: Option<PathBuf>,
    slow: bool,
    top: Option<Top>,
    limit: usize,
    full: bool,
    masks: bool,
    json: bool,
}

/// What comes first.
#[derive(Clone, Copy)]
enum Top {
    Packets,
    Bytes,
    Actions,
}

const TOPS: [(&str, Top); 3] = [
    ("packets", Top::Packets),
    ("bytes", Top::Bytes),
    ("actions", Top::Actions),
];

impl Options {
    fn parse(mut parser: lexopt::Parser) -> Result<Option<Self>, Failure> {
        use lexopt::prelude::*;

        let mut options = Self {
            datapath: "ovs-system".to_owned(),
            offline: None,
            slow: false,
            top: None,
            limit: usize::MAX,
            full: false,
            masks: false,
            json: false,
        };
        while let Some(arg) = parser.next()? {
            match arg {
                Long("dp") => options.datapath = parser.value()?.string()?,
                Long("offline") => options.offline = Some(parser.value()?.into()),
                Long("slow") => options.slow = true,
                Long("top") => options.top = Some(cli::one_of(&mut parser, &TOPS)?),
                Long("limit") => options.limit = cli::number(&mut parser)?,
                Long("full") => options.full = true,
                Long("masks") => options.masks = true,
                Long("json") => options.json = true,
                Long("help") | Short('h') => return Ok(None),
                _ => return Err(arg.unexpected().into()),
            }
        }
        Ok(Some(options))
    }
}

fn run(options: &Options) -> Result<Status, Failure> {
    let dump = match &options.offline {
        Some(path) => Dump::of_text(TOOL, path)?,
        None => Dump::of_kernel(TOOL, &options.datapath)?,
    };
    let rows: Vec<Row<'_>> = dump.flows.iter().map(|seen| Row::of(seen, &dump.ports)).collect();
    let status = judge(&dump, &rows);
    let done = |result: Result<(), Failure>| result.map(|()| status);
    match (options.masks, options.json) {
        (true, true) => return done(cli::print(report::histogram_json(&dump)?)),
        (true, false) => return done(cli::print(report::histogram(&dump, options.limit))),
        _ => {}
    }
    let mut shown: Vec<&Row<'_>> = rows
        .iter()
        .filter(|row| !options.slow || !row.reasons.is_empty())
        .collect();
    match options.top {
        None => {}
        Some(Top::Packets) => shown.sort_by_key(|row| Reverse(row.packets())),
        Some(Top::Bytes) => shown.sort_by_key(|row| Reverse(row.octets())),
        Some(Top::Actions) => shown.sort_by_key(|row| Reverse(row.bytes)),
    }
    for row in shown.into_iter().take(options.limit) {
        let line = match options.json {
            true => row.json()?,
            false => row.text(options.full),
        };
        if cli::emit(line)?.is_break() {
            return Ok(status);
        }
    }
    match options.json {
        true => Ok(status),
        false => done(cli::print(report::summary(&dump, &rows))),
    }
}

fn judge(dump: &Dump, rows: &[Row<'_>]) -> Status {
    let slow = rows.iter().flat_map(|row| &row.reasons);
    let slow = slow.fold(Status::Fine, |status, reason| {
        status.or(match *reason {
            "action" => Status::Finding,
            "match" => Status::Warning,
            // A protocol of the switch.
            _ => Status::Fine,
        })
    });
    match dump.unread {
        0 => slow,
        _ => slow.or(Status::Blind),
    }
}
