//! Updates as the tables that `ovsdb-client monitor` prints of them.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::SystemTime;

use examples::cli::{self, Failure, timestamp};
use examples::page::{Format, Page};
use ovsdb_proto::replica::{Change, RowChange};
use ovsdb_proto::schema::DatabaseSchema;
use ovsdb_proto::value::{Row, Uuid};

/// A table, and its columns in the order in which they are printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Layout {
    name: String,
    columns: Vec<Column>,
}

#[derive(Clone, PartialEq, Eq)]
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
    /// A blank line stands between tables.
    first: bool,
}

impl Printer {
    pub fn new(format: Format, timestamp: bool) -> Self {
        Self {
            format,
            timestamp,
            first: true,
        }
    }

    /// Prints each table that has changes; after a `resync` each, with the mark that something may have been missed
    /// before, and what it was.
    pub fn update(
        &mut self,
        tables: &[Layout],
        changes: &[RowChange],
        resync: bool,
    ) -> Result<ControlFlow<()>, Failure> {
        let mut out = String::new();
        let time = self.timestamp.then(|| timestamp(SystemTime::now()));
        for table in tables {
            let changes = changes.iter().filter(|change| *change.table == table.name);
            let rows: Vec<_> = changes
                .flat_map(|change| rows(change, &table.columns, self.format))
                .collect();
            if rows.is_empty() && !resync {
                continue;
            }
            let page = Page {
                caption: (tables.len() > 1).then_some(&table.name),
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
                (Some(value), Format::Json) => value.to_client_json().unwrap_or_default(),
                (Some(value), _) if column.many => format!("{value:#}"),
                (Some(value), _) => value.to_string(),
            }
        });
        let head = [uuid, action.to_owned()].map(|cell| match format {
            Format::Json => format!("\"{cell}\""),
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
