//! The formats of `ovsdb-client`, byte for byte.

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::SystemTime;

use examples::cli::{self, Failure, timestamp};
use ovsdb_proto::replica::{Change, RowChange};
use ovsdb_proto::schema::DatabaseSchema;
use ovsdb_proto::value::{Row, Uuid};

use crate::value::{json, quoted, text};

/// How a table is printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Table,
    Json,
    Csv,
    List,
}

/// Their names.
pub const FORMATS: [(&str, Format); 4] = [
    ("table", Format::Table),
    ("json", Format::Json),
    ("csv", Format::Csv),
    ("list", Format::List),
];

/// A table, and its columns in the order in which they are printed.
pub struct Layout {
    name: String,
    columns: Vec<Column>,
}

struct Column {
    name: String,
    /// The type allows more than one element: then it stands in brackets also where there is one.
    many: bool,
}

impl Layout {
    /// `columns` as they were asked for; none: all, and the `_version` that every row has. What the schema does not have
    /// is the server's to refuse.
    pub fn new(schema: &DatabaseSchema, name: &str, columns: &[String]) -> Self {
        let table = schema.tables.get(name);
        let all: Vec<String>;
        let columns = match (columns, table) {
            ([], Some(table)) => {
                let names = table.columns.keys().map(String::as_str);
                all = names.chain(["_version"]).map(str::to_owned).collect();
                &all
            }
            (columns, _) => columns,
        };
        let column = |name: &String| {
            let ty = table.and_then(|table| table.column_type(name));
            Column {
                name: name.clone(),
                many: ty.is_some_and(|ty| ty.max != Some(1)),
            }
        };
        Self {
            name: name.to_owned(),
            columns: columns.iter().map(column).collect(),
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str())
    }
}

/// Prints updates.
pub struct Printer {
    format: Format,
    timestamp: bool,
    tables: Vec<Layout>,
    /// A blank line stands between tables.
    first: bool,
}

impl Printer {
    pub fn new(format: Format, timestamp: bool, tables: Vec<Layout>) -> Self {
        Self {
            format,
            timestamp,
            tables,
            first: true,
        }
    }

    /// Prints each table that has changes.
    pub fn update(&mut self, changes: &[RowChange]) -> Result<ControlFlow<()>, Failure> {
        self.print(changes, false)
    }

    /// Prints each table with the mark that something may have been missed before, and what it was.
    pub fn resync(&mut self, changes: &[RowChange]) -> Result<ControlFlow<()>, Failure> {
        self.print(changes, true)
    }

    fn print(&mut self, changes: &[RowChange], resync: bool) -> Result<ControlFlow<()>, Failure> {
        let mut out = String::new();
        let time = self.timestamp.then(|| timestamp(SystemTime::now()));
        for table in &self.tables {
            let changes = changes.iter().filter(|change| *change.table == table.name);
            let rows: Vec<_> = changes
                .flat_map(|change| rows(change, &table.columns, self.format))
                .collect();
            if rows.is_empty() && !resync {
                continue;
            }
            let page = Page {
                caption: (self.tables.len() > 1).then_some(&table.name),
                time: time.as_deref(),
                resync,
                headings: ["row", "action"].into_iter().chain(table.columns()).collect(),
                rows,
            };
            if self.format != Format::Json && !std::mem::take(&mut self.first) {
                out.push('\n');
            }
            page.print(self.format, &mut out);
        }
        match out.strip_suffix('\n') {
            Some(out) => cli::emit(out),
            None => Ok(ControlFlow::Continue(())),
        }
    }
}

/// The one or two rows of a change, as cells.
fn rows(change: &RowChange, columns: &[Column], format: Format) -> Vec<Vec<String>> {
    let row = |uuid: Option<Uuid>, action: &str, row: &Row, of: Option<&[Arc<str>]>| {
        let uuid = uuid.map_or(String::new(), |uuid| uuid.to_string());
        let values = columns.iter().map(|column| {
            let asked = of.is_none_or(|names| names.iter().any(|name| **name == *column.name));
            let value = row.get(&column.name).filter(|_| asked);
            match (value, format) {
                (None, Format::Json) => "null".to_owned(),
                (None, _) => String::new(),
                (Some(value), Format::Json) => json(value),
                (Some(value), _) => text(value, column.many),
            }
        });
        let head = [uuid, action.to_owned()].map(|cell| match format {
            Format::Json => quoted(&cell),
            _ => cell,
        });
        head.into_iter().chain(values).collect()
    };
    let uuid = Some(change.uuid);
    match &change.change {
        Change::Initial(new) => vec![row(uuid, "initial", new, None)],
        Change::Insert(new) => vec![row(uuid, "insert", new, None)],
        Change::Delete(old) => vec![row(uuid, "delete", old, None)],
        Change::Modify { changed, .. } if changed.is_empty() => Vec::new(),
        Change::Modify { old, new, changed } => {
            vec![row(uuid, "old", old, Some(changed)), row(None, "new", new, None)]
        }
        _ => Vec::new(),
    }
}

/// One table as it is printed once.
struct Page<'a> {
    caption: Option<&'a String>,
    time: Option<&'a str>,
    resync: bool,
    headings: Vec<&'a str>,
    rows: Vec<Vec<String>>,
}

// Writing to a String does not fail.
impl Page<'_> {
    fn print(&self, format: Format, out: &mut String) {
        if format == Format::Json {
            return self.json(out);
        }
        let caption = self.caption.map(String::as_str);
        let mark = self.resync.then_some("resync");
        for line in [self.time, mark, caption].into_iter().flatten() {
            let _ = writeln!(out, "{line}");
        }
        match format {
            Format::Csv => self.csv(out),
            Format::List => self.list(out),
            _ => self.table(out),
        }
    }

    fn json(&self, out: &mut String) {
        let member = |name: &str, value: Option<String>| value.map(|value| format!("\"{name}\":{value}"));
        let headings: Vec<_> = self.headings.iter().map(|name| quoted(name)).collect();
        let rows: Vec<_> = self
            .rows
            .iter()
            .map(|row| format!("[{}]", row.join(",")))
            .collect();
        // In the order of their names, as everything that Open vSwitch prints.
        let members = [
            member("caption", self.caption.map(|caption| quoted(caption))),
            member("data", Some(format!("[{}]", rows.join(",")))),
            member("headings", Some(format!("[{}]", headings.join(",")))),
            member("resync", self.resync.then(|| "true".to_owned())),
            member("time", self.time.map(quoted)),
        ];
        let members: Vec<_> = members.into_iter().flatten().collect();
        let _ = writeln!(out, "{{{}}}", members.join(","));
    }

    fn table(&self, out: &mut String) {
        let mut widths: Vec<usize> = self.headings.iter().map(|name| name.len()).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.len().max(*width);
            }
        }
        let mut line = |cells: &mut dyn Iterator<Item = &str>| {
            let mut line = String::new();
            for (cell, width) in cells.zip(&widths) {
                line.push_str(cell);
                // Widths are bytes there.
                line.extend(std::iter::repeat_n(' ', width - cell.len() + 1));
            }
            let _ = writeln!(out, "{}", line.trim_end_matches(' '));
        };
        line(&mut self.headings.iter().copied());
        let rules: Vec<_> = widths.iter().map(|width| "-".repeat(*width)).collect();
        line(&mut rules.iter().map(String::as_str));
        for row in &self.rows {
            line(&mut row.iter().map(String::as_str));
        }
    }

    fn csv(&self, out: &mut String) {
        let cell = |cell: &str| match cell.contains(['\n', '"', ',']) {
            true => format!("\"{}\"", cell.replace('"', "\"\"")),
            false => cell.to_owned(),
        };
        let headings: Vec<_> = self.headings.iter().map(|name| cell(name)).collect();
        let _ = writeln!(out, "{}", headings.join(","));
        for row in &self.rows {
            let cells: Vec<_> = row.iter().map(|text| cell(text)).collect();
            let _ = writeln!(out, "{}", cells.join(","));
        }
    }

    fn list(&self, out: &mut String) {
        for (i, row) in self.rows.iter().enumerate() {
            if i > 0 {
                out.push('\n');
            }
            for (name, cell) in self.headings.iter().zip(row) {
                let _ = writeln!(out, "{name:<20}: {cell}");
            }
        }
    }
}
