//! Prints rows of a database, and every change of them, as `ovsdb-client monitor` does, and goes on when the server is
//! restarted: what was deleted, inserted and changed meanwhile is printed then. See `--help`.

#![allow(
    unreachable_pub,
    reason = "in a program `pub` says what a module gives to the others"
)]

mod condition;
mod print;
mod value;

use std::process::ExitCode;

use examples::cli::{self, Failure, Status, complain, patiently};
use examples::db;
use ovsdb_proto::client::{Client, Error, Event, Remote, Session, SessionOptions, SyncKind};
use ovsdb_proto::monitor::MonitorRequest;
use ovsdb_proto::schema::DatabaseSchema;

use self::condition::Where;
use self::print::{FORMATS, Format, Layout, Printer};

const TOOL: &str = "ovsdb-monitor";
const HELP: &str = "\
ovsdb-monitor: print rows of a database and every change of them, across restarts of the server

  ovsdb-monitor unix:/run/openvswitch/db.sock Open_vSwitch Interface,name,ofport,external_ids --format json
  ovsdb-monitor tcp:127.0.0.1:6640 Open_vSwitch Bridge,name Port,name,tag --timestamp
  ovsdb-monitor unix:/run/openvswitch/db.sock Open_vSwitch Interface,name --where external_ids:iface-id=vm1
  ovsdb-monitor unix:/run/openvswitch/db.sock Open_vSwitch ALL

  REMOTE DATABASE TABLE[,COLUMN]...   what to follow: unix:FILE or tcp:IP:PORT, and tables; without columns all of them,
                                      and ALL is every table
  --where CONDITION                   of the table before it only rows for which this holds, or another one of its
                                      conditions: COLUMN=VALUE, COLUMN:KEY=VALUE, and != < <= > >= likewise; [] is the
                                      empty value. A row that begins or ceases to fit is inserted or deleted
  --format table|json|csv|list        as ovsdb-client monitor prints it; json is one object per line and table
  --json                              the same as --format json
  --timestamp                         the time (UTC) with each table
  --probe SECONDS                     ask a silent server for a sign of life, and give it up after as long again; 0:
                                      never (default: 4)

Of a row that changed there are two lines: old, with the former values of the columns that changed, and new. When the
connection is lost the tool tries again until it has another one. Then it prints each table once, marked resync, with
what changed meanwhile: also the rows that were deleted.

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
    session: SessionOptions,
}

/// A table of the command line. Without columns it means all of them.
struct Table {
    name: String,
    columns: Vec<String>,
    conditions: Vec<Where>,
}

impl Options {
    fn parse(mut parser: lexopt::Parser) -> Result<Option<Self>, Failure> {
        use lexopt::prelude::*;

        let (mut remote, mut database, mut tables) = (None, None, Vec::<Table>::new());
        let (mut format, mut timestamp, mut session) = (Format::Table, false, SessionOptions::default());
        while let Some(arg) = parser.next()? {
            match arg {
                Value(value) if remote.is_none() => remote = Some(value.parse()?),
                Value(value) if database.is_none() => database = Some(value.string()?),
                Value(value) => tables.push(value.parse_with(Table::parse)?),
                Long("where") => match tables.last_mut() {
                    Some(table) => table.conditions.push(parser.value()?.parse()?),
                    None => return Err(Failure::usage("--where stands behind the table that it is about")),
                },
                Long("format") => format = cli::one_of(&mut parser, &FORMATS)?,
                Long("json") => format = Format::Json,
                Long("timestamp") => timestamp = true,
                Long("probe") => {
                    let interval = cli::seconds(&mut parser)?;
                    session.client.connection.probe_interval =
                        Some(interval).filter(|interval| !interval.is_zero());
                }
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
            session,
        }))
    }

    fn layouts(&self, schema: &DatabaseSchema) -> Vec<Layout> {
        if let [Table { name, columns, .. }] = &self.tables[..] {
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

    fn request(&self, schema: &DatabaseSchema) -> Result<MonitorRequest, Failure> {
        let mut request = MonitorRequest::new(&self.database);
        for layout in &self.layouts(schema) {
            request = request.table(layout.name(), layout.columns());
        }
        for Table { name, conditions, .. } in &self.tables {
            let conditions = conditions
                .iter()
                .map(|condition| condition.condition(schema, name));
            request = request.rows_where(name, conditions.collect::<Result<Vec<_>, _>>()?);
        }
        Ok(request)
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
        Ok(Self {
            name,
            columns,
            conditions: Vec::new(),
        })
    }
}

async fn follow(options: &Options) -> Result<Status, Failure> {
    let failed = db::failed(&options.remote);
    let schema = patiently(TOOL, &options.remote, schema(options))
        .await
        .map_err(&failed)?;
    let mut printer = Printer::new(options.format, options.timestamp, options.layouts(&schema));
    let remotes = [options.remote.clone()];
    let mut session = Session::new(remotes, options.request(&schema)?, options.session.clone());
    cli::end_with_reader();
    let mut resync = false;
    loop {
        let printed = match session.next().await {
            Event::Connected { sync, .. } => {
                resync = sync != SyncKind::Initial;
                continue;
            }
            Event::Changes(changes) if std::mem::take(&mut resync) => printer.resync(&changes),
            Event::Changes(changes) => printer.update(&changes),
            Event::Unreachable { reason, .. } if session.replica().is_none() => return Err(failed(reason)),
            // That there is no server is known already.
            Event::Unreachable { reason, .. } if reason.is_connection_lost() => continue,
            Event::Lost { reason, .. } | Event::Unreachable { reason, .. } => {
                complain(TOOL, format_args!("{}; trying again", failed(reason).text));
                continue;
            }
            _ => continue,
        };
        if printed?.is_break() {
            return Ok(Status::Fine);
        }
    }
}

/// What tables and columns there are.
async fn schema(options: &Options) -> Result<DatabaseSchema, Error> {
    let client = Client::connect_with(&options.remote, options.session.client.clone()).await?;
    client.get_schema(&options.database).await
}
