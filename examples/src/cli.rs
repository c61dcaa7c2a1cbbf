//! Conventions of all tools: exit status as monitoring systems read it, one line for a failure, tables for people.

use std::fmt::Display;
use std::future::Future;
use std::io::{self, Write as _};
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};
use tokio::time::timeout;

/// What a tool found, as its exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// 0: all is well.
    Fine,
    /// 1: something is near its limit.
    Warning,
    /// 2: something is over its limit, or broken.
    Finding,
    /// 3: could not look, or not everywhere.
    Blind,
    /// 64: the command line is wrong.
    Usage,
}

impl Status {
    /// The more pressing of two: a finding counts even if something else could not be looked at.
    pub fn or(self, other: Self) -> Self {
        let rank = |status| match status {
            Self::Fine => 0,
            Self::Blind => 1,
            Self::Warning => 2,
            Self::Finding => 3,
            Self::Usage => 4,
        };
        if rank(other) > rank(self) { other } else { self }
    }

    fn code(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::Warning => 1,
            Self::Finding => 2,
            Self::Blind => 3,
            Self::Usage => 64,
        }
    }
}

/// Why a tool stops: one line, and its status.
#[derive(Debug)]
pub struct Failure {
    /// The exit status.
    pub status: Status,
    /// The line.
    pub text: String,
}

impl Failure {
    /// It could not look.
    pub fn blind(text: impl Display) -> Self {
        Self {
            status: Status::Blind,
            text: text.to_string(),
        }
    }

    /// The command line is wrong.
    pub fn usage(text: impl Display) -> Self {
        Self {
            status: Status::Usage,
            text: text.to_string(),
        }
    }
}

impl From<lexopt::Error> for Failure {
    fn from(error: lexopt::Error) -> Self {
        Self::usage(error)
    }
}

/// Runs a tool to its exit status, and prints its failure if there is one.
pub fn main(tool: &str, run: impl FnOnce() -> Result<Status, Failure>) -> ExitCode {
    let status = run().unwrap_or_else(|failure| {
        complain(tool, &failure.text);
        if failure.status == Status::Usage {
            complain(tool, format_args!("see {tool} --help"));
        }
        failure.status
    });
    ExitCode::from(status.code())
}

/// One line on standard error.
pub fn complain(tool: &str, line: impl Display) {
    // Nobody is left to tell if standard error is closed.
    let _ = writeln!(io::stderr(), "{tool}: {line}");
}

/// Text on standard output. A reader that has gone away wants no more, and is no failure.
///
/// # Errors
/// [`Failure`] if the text cannot be written.
pub fn print(text: impl Display) -> Result<(), Failure> {
    match writeln!(io::stdout(), "{text}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::blind(format_args!("standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Runs `future` to its end. If that takes more than a second, a line on standard error says what it waits for.
///
/// # Errors
/// Those of `future`; [`Failure`] if the system gives no runtime.
pub fn block_on<T>(
    tool: &str,
    awaited: impl Display,
    future: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::blind)?;
    runtime.block_on(async {
        let mut future = pin!(future);
        match timeout(PATIENCE, &mut future).await {
            Ok(result) => result,
            Err(_) => {
                complain(tool, format_args!("waiting for {awaited}"));
                future.await
            }
        }
    })
}

/// An error and what caused it, on one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// A table without rules. Columns whose heading ends in `>` are set flush right; cells wrap at the terminal's width,
/// and at none where there is no terminal. Control characters are escaped: cells come from outside.
pub fn table<const N: usize>(headings: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_preset(comfy_table::presets::NOTHING);
    if let Some((terminal_size::Width(width), _)) = terminal_size::terminal_size_of(io::stdout()) {
        table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width);
    }
    table.set_header(headings.map(|heading| heading.trim_end_matches('>')));
    table.add_rows(
        rows.into_iter()
            .map(|row| row.map(|cell| Cell::new(printable(&cell)))),
    );
    for (column, heading) in table.column_iter_mut().zip(headings) {
        column.set_padding((0, 2));
        if heading.ends_with('>') {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt()
}

/// The text with its control characters escaped, so that a terminal only shows it.
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

const PATIENCE: Duration = Duration::from_secs(1);
