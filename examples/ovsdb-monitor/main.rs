//! Prints rows of a database, and every change of them, as `ovsdb-client monitor` does, and goes on when the server is
//! restarted: what was deleted, inserted and changed meanwhile is printed then. See `--help`.

#![allow(
    unreachable_pub,
    reason = "in a program `pub` says what a module gives to the others"
)]

mod difference;
mod print;

use std::process::ExitCode;
use std::time::Duration;

use examples::cli::{self, Failure, Status, chain, complain, patiently};
use ovsdb_proto::client::{Client, Error, Monitor, Remote};
use ovsdb_proto::monitor::MonitorRequest;
use ovsdb_proto::schema::DatabaseSchema;

use self::difference::differences;
use self::print::{Format, Layout, Printer};

const TOOL: &str = "ovsdb-monitor";
const HELP: &str = "\
ovsdb-monitor: print rows of a database and every change of them, across restarts of the server

  ovsdb-monitor unix:/run/openvswitch/db.sock Open_vSwitch Interface,name,ofport,external_ids --format json
  ovsdb-monitor tcp:127.0.0.1:6640 Open_vSwitch Bridge,name Port,name,tag --timestamp
  ovsdb-monitor unix:/run/openvswitch/db.sock Open_vSwitch ALL

  REMOTE DATABASE TABLE[,COLUMN]...   what to follow: unix:FILE or tcp:IP:PORT, and tables; without columns all of them,
                                      and ALL is every table
  --format table|json|csv|list        as ovsdb-client monitor prints it; json is one object per line and table
  --timestamp                         the time (UTC) with each table

Of a row that changed there are two lines: old, with the former values of the columns that changed, and new. When the
connection is lost the tool tries again until it has another one. Then it prints each table once, marked resync, with
what changed meanwhile: also the rows that were deleted. There is no answer to a server that is stopped but keeps its
connections.

Exit status: 0 the reader has gone away, 3 could not look, 64 wrong command line.
";

fn main() -> ExitCode {
    cli::main(TOOL, HELP, Options::parse, |options| {
        cli::block_on(follow(options))
    })
}

struct Options {
    remote: Remote,
    database: String,
    tables: Vec<Table>,
    format: Format,
    timestamp: bool,
}

/// A table of the command line. Without columns it means all of them.
struct Table {
    name: String,
    columns: Vec<String>,
}

impl Options {
    fn parse(mut parser: lexopt::Parser) -> Result<Option<Self>, Failure> {
        use lexopt::prelude::*;

        let (mut remote, mut database, mut tables) = (None, None, Vec::new());
        let (mut format, mut timestamp) = (Format::Table, false);
        while let Some(arg) = parser.next()? {
            match arg {
                Value(value) if remote.is_none() => remote = Some(value.parse()?),
                Value(value) if database.is_none() => database = Some(value.string()?),
                Value(value) => tables.push(value.parse_with(Table::parse)?),
                Long("format") => format = parser.value()?.parse()?,
                Long("timestamp") => timestamp = true,
                Long("help") | Short('h') => return Ok(None),
                _ => return Err(arg.unexpected().into()),
            }
        }
        let (Some(remote), Some(database), false) = (remote, database, tables.is_empty()) else {
            return Err(Failure::usage("REMOTE, DATABASE and a TABLE are needed"));
        };
        let mut names: Vec<_> = tables.iter().map(|table: &Table| &table.name).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(Failure::usage("a table is named twice"));
        }
        Ok(Some(Self {
            remote,
            database,
            tables,
            format,
            timestamp,
        }))
    }
}

impl Table {
    fn parse(text: &str) -> Result<Self, String> {
        let mut words = text.split(',').map(str::to_owned);
        let name = words.next().filter(|name| !name.is_empty());
        let name = name.ok_or("no name of a table")?;
        let mut columns: Vec<String> = Vec::new();
        for column in words {
            if column.is_empty() || columns.contains(&column) {
                return Err(format!("column {column:?} is named twice or has no name"));
            }
            columns.push(column);
        }
        Ok(Self { name, columns })
    }
}

async fn follow(options: &Options) -> Result<Status, Failure> {
    let failed = |error: Error| match error {
        // What fails there names the remote already.
        Error::Connect { .. } | Error::ConnectTimeout { .. } => Failure::blind(chain(&error)),
        error => Failure::blind(format_args!("{}: {}", options.remote, chain(&error))),
    };
    let started = patiently(TOOL, &options.remote, start(options)).await;
    let (mut monitor, tables) = started.map_err(failed)?;
    let mut printer = Printer::new(options.format, options.timestamp, tables);
    let mut delay = FIRST_DELAY;
    loop {
        let printed = match monitor.next().await {
            Ok(changes) => {
                delay = FIRST_DELAY;
                printer.update(&changes)
            }
            Err(error) if may_come_back(&error) => {
                complain(
                    TOOL,
                    format_args!("{}: {}; trying again", options.remote, chain(&error)),
                );
                let before = monitor.into_replica();
                let tables;
                (monitor, tables) = start_again(options, &mut delay).await.map_err(failed)?;
                printer.set_tables(tables);
                // The initial rows: most of them are known.
                monitor.next().await.map_err(failed)?;
                printer.resync(&differences(&before, monitor.replica()))
            }
            Err(error) => return Err(failed(error)),
        };
        if printed?.is_break() {
            return Ok(Status::Fine);
        }
    }
}

/// Connects and asks for the tables; says how they are to be printed.
async fn start(options: &Options) -> Result<(Monitor, Vec<Layout>), Error> {
    let client = Client::connect(&options.remote).await?;
    let schema = client.get_schema(&options.database).await?;
    let tables = options.layouts(&schema);
    let mut request = MonitorRequest::new(&options.database);
    for table in &tables {
        request = request.table(table.name(), table.columns());
    }
    Ok((client.monitor(&request).await?, tables))
}

async fn start_again(options: &Options, delay: &mut Duration) -> Result<(Monitor, Vec<Layout>), Error> {
    loop {
        tokio::time::sleep(*delay).await;
        *delay = LAST_DELAY.min(*delay * 2);
        match start(options).await {
            Err(error) if may_come_back(&error) => {}
            result => return result,
        }
    }
}

impl Options {
    fn layouts(&self, schema: &DatabaseSchema) -> Vec<Layout> {
        if let [Table { name, columns }] = &self.tables[..] {
            if name == "ALL" && columns.is_empty() {
                let names = schema.tables.keys();
                return names.map(|name| Layout::new(schema, name, &[])).collect();
            }
        }
        let tables = self.tables.iter();
        tables
            .map(|table| Layout::new(schema, &table.name, &table.columns))
            .collect()
    }
}

/// Whether another connection may find the database again.
fn may_come_back(error: &Error) -> bool {
    // A conversion of the database cancels its monitors.
    error.is_connection_lost() || matches!(error, Error::Timeout { .. } | Error::MonitorCanceled { .. })
}

const FIRST_DELAY: Duration = Duration::from_millis(100);
const LAST_DELAY: Duration = Duration::from_secs(8);
