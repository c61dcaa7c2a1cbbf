//! A table as the tools of Open vSwitch print it, byte for byte: `lib/table.c` there.

use std::fmt::Write as _;

/// How a table is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Columns below their headings.
    Table,
    /// One object on one line.
    Json,
    /// RFC 4180.
    Csv,
    /// A line for each cell.
    List,
}

/// Their names.
pub const FORMATS: [(&str, Format); 4] = [
    ("table", Format::Table),
    ("json", Format::Json),
    ("csv", Format::Csv),
    ("list", Format::List),
];

/// A table as it is printed once.
#[derive(Clone, Debug)]
pub struct Page<'a> {
    /// What stands above it.
    pub caption: Option<&'a str>,
    /// When it was made.
    pub time: Option<&'a str>,
    /// Something may have been missed before, and this is what it was. Open vSwitch has no such mark.
    pub resync: bool,
    /// Names of columns.
    pub headings: Vec<&'a str>,
    /// A cell for each heading; for [`Format::Json`] each is JSON.
    pub rows: Vec<Vec<String>>,
}

// Writing to a String does not fail.
impl Page<'_> {
    /// Appends the table to `out`, with a line feed at its end.
    pub fn print(&self, format: Format, out: &mut String) {
        if format == Format::Json {
            return self.json(out);
        }
        let mark = self.resync.then_some("resync");
        for line in [self.time, mark, self.caption].into_iter().flatten() {
            let _ = writeln!(out, "{line}");
        }
        match format {
            Format::Csv => self.csv(out),
            Format::List => self.list(out),
            Format::Table | Format::Json => self.table(out),
        }
    }

    fn json(&self, out: &mut String) {
        let text = |text: &str| serde_json::Value::from(text).to_string();
        let headings: Vec<_> = self.headings.iter().map(|name| text(name)).collect();
        let rows: Vec<_> = self
            .rows
            .iter()
            .map(|row| format!("[{}]", row.join(",")))
            .collect();
        // In the order of their names, as everything that Open vSwitch prints.
        let members = [
            ("caption", self.caption.map(text)),
            ("data", Some(format!("[{}]", rows.join(",")))),
            ("headings", Some(format!("[{}]", headings.join(",")))),
            ("resync", self.resync.then(|| "true".to_owned())),
            ("time", self.time.map(text)),
        ];
        let members = members
            .into_iter()
            .filter_map(|(name, value)| Some(format!("\"{name}\":{}", value?)));
        let members: Vec<_> = members.collect();
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
