//! Prints rows of a database, and every change of them, as `ovsdb-client monitor` does, and goes on when the server is
//! restarted: what was deleted, inserted and changed meanwhile is printed then. See `--help`.

#![allow(
    unreachable_pub,
    reason = "in a program `pub` says what a module gives to the others"
)]

mod print;

use std::process::ExitCode;

use examples::cli::{self, Failure, Status, complain, patiently};
use examples::db::{CertificateOption, Server};
use examples::page::{FORMATS, Format};
use ovsdb_proto::client::{Event, SyncKind};
use ovsdb_proto::monitor::MonitorRequest;
use ovsdb_proto::operation::{Comparison, ComparisonError, Condition};
use ovsdb_proto::schema::DatabaseSchema;

use self::print::{Layout, Printer};

const TOOL: &str = "ovsdb-monitor";
const HELP: &str = "\
ovsdb-monitor: print rows of a database and every change of them, across restarts of the server

  ovsdb-monitor unix:/run/openvswitch/db.sock Open_vSwitch Interface,name,ofport,external_ids --format json
  ovsdb-monitor tcp:127.0.0.1:6640 Open_vSwitch Bridge,name Port,name,tag --timestamp
  ovsdb-monitor unix:/run/openvswitch/db.sock Open_vSwitch Interface,name --where external_ids:iface-id=vm1
  ovsdb-monitor unix:/run/openvswitch/db.sock Open_vSwitch ALL

  REMOTE DATABASE TABLE[,COLUMN]...   what to follow: unix:FILE, tcp:IP:PORT or ssl:IP:PORT, and tables; without columns
                                      all of them, and ALL is every table
  -p, -c, -C FILE                     for ssl:, as ovsdb-client has them: --private-key, --certificate and --ca-cert
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
what changed meanwhile: also the rows that were deleted. If the schema was converted to one with other tables or columns
where all were asked for, it says so, and prints all rows anew, also marked resync.

Exit status: 0 the reader has gone away, 3 could not look, 64 wrong command line.
";

/// Every table.
const ALL: &str = "ALL";

fn main() -> ExitCode {
    cli::main(TOOL, HELP, Options::parse, |options| {
        cli::block_on(follow(options))
    })
}

struct Options {
    server: Server,
    database: String,
    tables: Vec<Table>,
    format: Format,
    timestamp: bool,
}

/// A table of the command line. Without columns it means all of them.
struct Table {
    name: String,
    columns: Vec<String>,
    conditions: Vec<Comparison>,
}

impl Options {
    fn parse(mut parser: lexopt::Parser) -> Result<Option<Self>, Failure> {
        use lexopt::prelude::*;

        let (mut remote, mut database, mut tables) = (None, None, Vec::<Table>::new());
        let (mut format, mut timestamp, mut server) = (Format::Table, false, Server::default());
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
                    server.options.connection.probe_interval =
                        Some(interval).filter(|interval| !interval.is_zero());
                }
                Long("help") | Short('h') => return Ok(None),
                arg => server
                    .certificates
                    .read(CertificateOption::of(arg)?, &mut parser)?,
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
        let all = tables.iter().find(|table| table.name == ALL);
        let is_alone = |all: &Table| tables.len() == 1 && all.columns.is_empty() && all.conditions.is_empty();
        if all.is_some_and(|all| !is_alone(all)) {
            return Err(Failure::usage("ALL stands alone, without columns and conditions"));
        }
        Ok(Some(Self {
            server: Server { remote, ..server },
            database,
            tables,
            format,
            timestamp,
        }))
    }

    fn layouts(&self, schema: &DatabaseSchema) -> Vec<Layout> {
        let layout = |name: &String, columns: &[String]| Layout::new(schema, name, columns);
        match &self.tables[..] {
            [all] if all.name == ALL => schema.tables.keys().map(|name| layout(name, &[])).collect(),
            tables => tables
                .iter()
                .map(|table| layout(&table.name, &table.columns))
                .collect(),
        }
    }

    fn request(&self, schema: &DatabaseSchema) -> Result<MonitorRequest, Failure> {
        let mut request = MonitorRequest::new(&self.database);
        for layout in &self.layouts(schema) {
            request = request.table(layout.name(), layout.columns());
        }
        for table in &self.tables {
            request = request.rows_where(&table.name, table.conditions(schema)?);
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

    fn conditions(&self, schema: &DatabaseSchema) -> Result<Vec<Condition>, Failure> {
        let name = &self.name;
        let condition = |comparison: &Comparison| {
            let table = schema.tables.get(name);
            let table = table.ok_or_else(|| Failure::blind(format_args!("there is no table {name}")))?;
            comparison.condition(table).map_err(|error| match error {
                ComparisonError::Column(_) => Failure::blind(format_args!("{error} in table {name}")),
                error => Failure::usage(format_args!("--where: {error}")),
            })
        };
        self.conditions.iter().map(condition).collect()
    }
}

/// Follows the rows until the reader goes away, through one schema after the other.
async fn follow(options: &Options) -> Result<Status, Failure> {
    let mut schema = patiently(TOOL, &options.server, schema(options)).await?;
    let mut printer = Printer::new(options.format, options.timestamp);
    cli::end_with_reader();
    let mut is_first = true;
    while let Some(other) = follow_schema(options, &schema, &mut printer, is_first).await? {
        let name = &options.database;
        complain(
            TOOL,
            format_args!("{name} has other tables or columns now; all rows follow"),
        );
        schema = other;
        is_first = false;
    }
    Ok(Status::Fine)
}

/// Follows the rows of a schema until there is another one, which it gives, or the reader goes away.
async fn follow_schema(
    options: &Options,
    schema: &DatabaseSchema,
    printer: &mut Printer,
    is_first: bool,
) -> Result<Option<DatabaseSchema>, Failure> {
    let server = &options.server;
    let layouts = options.layouts(schema);
    let mut session = server.session(options.request(schema)?)?;
    let mut resync = !is_first;
    // What has been complained of last, so that it is said once.
    let mut complaint = None;
    loop {
        match session.next().await {
            Event::Changes(changes) => {
                let printed = printer.update(&layouts, &changes, std::mem::take(&mut resync))?;
                if printed.is_break() {
                    return Ok(None);
                }
                continue;
            }
            Event::Connected {
                sync: SyncKind::Initial,
                ..
            } => continue,
            Event::Connected { .. } => (resync, complaint) = (true, None),
            Event::Unreachable { reason, .. } if session.replica().is_none() && is_first => {
                return Err(server.failed(reason));
            }
            // That there is no server is known already.
            Event::Unreachable { reason, .. } if reason.is_connection_lost() => continue,
            Event::Lost { reason, .. } | Event::Unreachable { reason, .. } => {
                let has_server = !reason.is_connection_lost();
                let text = server.failed(reason).text;
                if complaint.as_ref() != Some(&text) {
                    complain(TOOL, format_args!("{text}; trying again"));
                }
                complaint = Some(text);
                if !has_server {
                    continue;
                }
            }
            _ => continue,
        }
        // It may have been converted.
        let now = self::schema(options).await.ok();
        if let Some(now) = now.filter(|now| options.layouts(now) != layouts) {
            return Ok(Some(now));
        }
    }
}

/// What tables and columns there are.
async fn schema(options: &Options) -> Result<DatabaseSchema, Failure> {
    let client = options.server.connect().await?;
    let schema = client.get_schema(&options.database).await;
    schema.map_err(|error| options.server.failed(error))
}
