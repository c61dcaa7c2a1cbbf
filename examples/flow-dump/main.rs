//! The flows of a bridge: searched, sorted, summed up, and as a page. See `--help`.

#![allow(
    unreachable_pub,
    reason = "in a program `pub` says what a module gives to the others"
)]

mod html;
mod row;

use std::path::PathBuf;
use std::process::ExitCode;

use examples::cli::{self, Failure, Status, complain, table};
use examples::dump::{self, Unread};
use ofp_codec::text::Filter;
use serde_json::json;

use self::row::{Group, Order, Row, sort, sums};

const TOOL: &str = "flow-dump";
const HELP: &str = "\
flow-dump: the flows of a bridge: searched, sorted, summed up, and as a page

  flow-dump unix:/run/openvswitch/br-int.mgmt
  ovs-ofctl dump-flows br-int | flow-dump -
  flow-dump dump.txt --filter 'tcp && n_packets > 0' --sort packets --limit 20
  flow-dump dump.txt --by cookie
  flow-dump dump.txt --html flows.html

  [--offline] FILE    what ovs-ofctl dump-flows or ovs-appctl bridge/dump-flows printed, of any OpenFlow version;
                      - is standard input; unix:FILE or tcp:HOST:PORT asks a switch
  --filter EXPRESSION only flows that it holds for, in the language of ovs-flowviz
  --sort table|packets|bytes|age
                      the largest first; by table, those of the highest priority first (default: table)
  --limit N           at most N flows, or groups
  --by table|cookie   sums of flows, packets and bytes, instead of the flows
  --lines             the lines as they were
  --json              one JSON object for each flow, or group
  --html FILE         write one page with everything in it: search, fold and sort, and bars where the traffic is

Match and actions are printed as they stood there, also what is not known here. A line that cannot be read, and what
ovs-ofctl lost itself, is told on standard error, and the others go on. Rows are cut at the width of a terminal; a pipe
gets them whole.

Exit status: 0 all flows were read, 3 could not look, or not at every line, 64 wrong command line.
";

fn main() -> ExitCode {
    cli::main(TOOL, HELP, Options::parse, run)
}

struct Options {
    source: PathBuf,
    filter: Option<Filter>,
    order: Order,
    limit: usize,
    by: Option<Group>,
    lines: bool,
    json: bool,
    html: Option<PathBuf>,
}

impl Options {
    fn parse(mut parser: lexopt::Parser) -> Result<Option<Self>, Failure> {
        use lexopt::prelude::*;

        let mut source = None;
        let mut filter = None;
        let (mut order, mut limit, mut by) = (Order::Table, usize::MAX, None);
        let (mut lines, mut json, mut html) = (false, false, None);
        while let Some(arg) = parser.next()? {
            match arg {
                Value(value) if source.is_none() => source = Some(value.into()),
                Long("offline") if source.is_none() => source = Some(parser.value()?.into()),
                Long("filter") => {
                    let text = parser.value()?.string()?;
                    filter = Some(
                        Filter::parse(&text)
                            .map_err(|error| Failure::usage(format_args!("--filter {text}: {error}")))?,
                    );
                }
                Long("sort") => order = cli::one_of(&mut parser, &row::ORDERS)?,
                Long("limit") => limit = cli::number(&mut parser)?,
                Long("by") => by = Some(cli::one_of(&mut parser, &row::GROUPS)?),
                Long("lines") => lines = true,
                Long("json") => json = true,
                Long("html") => html = Some(parser.value()?.into()),
                Long("help") | Short('h') => return Ok(None),
                _ => return Err(arg.unexpected().into()),
            }
        }
        let source = source.ok_or_else(|| Failure::usage("a FILE is needed, or -"))?;
        Ok(Some(Self {
            source,
            filter,
            order,
            limit,
            by,
            lines,
            json,
            html,
        }))
    }
}

fn run(options: &Options) -> Result<Status, Failure> {
    let (mut rows, unread) = read(options)?;
    let status = unread.status();
    sort(&mut rows, options.order);
    if let Some(path) = &options.html {
        let title = match options.source.to_str() {
            Some("-") => "flows".to_owned(),
            _ => format!("flows of {}", options.source.display()),
        };
        std::fs::write(path, html::page(&title, &rows))
            .map_err(|error| Failure::blind(format_args!("{}: {error}", path.display())))?;
        complain(TOOL, format_args!("{}: {} flows", path.display(), rows.len()));
        return Ok(status);
    }
    if let Some(group) = options.by {
        cli::print(groups(&rows, group, options))?;
        return Ok(status);
    }
    rows.truncate(options.limit);
    let lines: Box<dyn Iterator<Item = String>> = match (options.json, options.lines) {
        (true, _) => Box::new(rows.iter().map(|row| row.json().to_string())),
        (false, true) => Box::new(rows.iter().map(|row| row.line.clone())),
        (false, false) => Box::new(row::lines(&rows).map(|line| cli::line(&line, None))),
    };
    for line in lines {
        if cli::emit(line)?.is_break() {
            break;
        }
    }
    Ok(status)
}

/// The flows that the filter holds for.
fn read(options: &Options) -> Result<(Vec<Row>, Unread), Failure> {
    let mut rows = Vec::new();
    let reader = format!("{TOOL}: {}", options.source.display());
    let unread = dump::read_lines(&reader, dump::open_or_ask(TOOL, &options.source)?, |flow| {
        if options.filter.as_ref().is_none_or(|filter| filter.matches(flow)) {
            rows.push(Row::of(flow)?);
        }
        Ok(())
    })?;
    Ok((rows, unread))
}

fn groups(rows: &[Row], group: Group, options: &Options) -> String {
    let mut sums = sums(rows, group);
    match options.order {
        Order::Packets => sums.sort_by_key(|(_, sum)| std::cmp::Reverse(sum.packets)),
        Order::Bytes => sums.sort_by_key(|(_, sum)| std::cmp::Reverse(sum.bytes)),
        Order::Table | Order::Age => {}
    }
    sums.truncate(options.limit);
    let name = match group {
        Group::Table => "table",
        Group::Cookie => "cookie",
    };
    if options.json {
        let lines = sums.iter().map(|(of, sum)| {
            json!({
                name: of, "flows": sum.flows, "packets": sum.packets, "bytes": sum.bytes, "unused": sum.unused,
            })
            .to_string()
        });
        return lines.collect::<Vec<_>>().join("\n");
    }
    let rows = sums.into_iter().map(|(of, sum)| {
        let [flows, unused] = [sum.flows, sum.unused].map(|n| n.to_string());
        [of, flows, unused, sum.packets.to_string(), sum.bytes.to_string()]
    });
    table(
        [&format!("{name}>"), "flows>", "unused>", "packets>", "bytes>"],
        rows,
    )
}
