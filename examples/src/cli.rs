//! Conventions of all tools: exit status as monitoring systems read it, one line for a failure, tables for people.

use std::fmt::Display;
use std::future::Future;
use std::io::{self, IsTerminal as _, Write as _};
use std::num::NonZeroU32;
use std::ops::ControlFlow;
use std::os::unix::fs::FileTypeExt as _;
use std::pin::pin;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::{Duration, Instant, SystemTime};

use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table};
use lexopt::ValueExt as _;
use tokio::io::Interest;
use tokio::net::unix::pipe;
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

/// Runs a tool to its exit status: `parse` reads the command line, and finds nothing to do if it only asks for help. A
/// failure is printed.
pub fn main<O>(
    tool: &str,
    help: &str,
    parse: impl FnOnce(lexopt::Parser) -> Result<Option<O>, Failure>,
    run: impl FnOnce(&O) -> Result<Status, Failure>,
) -> ExitCode {
    let status = parse(lexopt::Parser::from_env()).and_then(|options| match options {
        Some(options) => run(&options),
        None => print(help.trim_end()).map(|()| Status::Fine),
    });
    let status = status.unwrap_or_else(|failure| {
        complain(tool, &failure.text);
        if failure.status == Status::Usage {
            complain(tool, format_args!("see {tool} --help"));
        }
        failure.status
    });
    ExitCode::from(status.code())
}

/// The value of an option that is a number of seconds.
///
/// # Errors
/// It is missing, or no such number.
pub fn seconds(parser: &mut lexopt::Parser) -> Result<Duration, lexopt::Error> {
    number::<u32>(parser).map(|seconds| Duration::from_secs(seconds.into()))
}

/// As [`seconds`], but not 0: to look again and again without a pause would leave the others no time.
///
/// # Errors
/// As [`seconds`].
pub fn pause(parser: &mut lexopt::Parser) -> Result<Duration, lexopt::Error> {
    let wanted = |text: &str| {
        text.parse()
            .map_err(|_| "a number of seconds is wanted, from 1 on")
    };
    let seconds: NonZeroU32 = parser.value()?.parse_with(wanted)?;
    Ok(Duration::from_secs(seconds.get().into()))
}

/// The value of an option that is a whole number.
///
/// # Errors
/// It is missing, no such number, or beyond what `T` has.
pub fn number<T: FromStr>(parser: &mut lexopt::Parser) -> Result<T, lexopt::Error> {
    let wanted = |text: &str| text.parse().map_err(|_| "a whole number is wanted");
    parser.value()?.parse_with(wanted)
}

/// The value of an option that is one of these words.
///
/// # Errors
/// It is missing, or another one.
pub fn one_of<T: Copy>(parser: &mut lexopt::Parser, words: &[(&str, T)]) -> Result<T, lexopt::Error> {
    parser.value()?.parse_with(|text| {
        let found = words.iter().find(|(word, _)| *word == text);
        let all: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        found
            .map(|(_, value)| *value)
            .ok_or(format!("it is one of {}", all.join(", ")))
    })
}

/// One line on standard error, whole or not at all. What came from outside does not end it, nor speak to the terminal.
pub fn complain(tool: &str, line: impl Display) {
    let line = printable(&line.to_string());
    // Nobody is left to tell if standard error is closed.
    let _ = io::stderr().write_all(format!("{tool}: {line}\n").as_bytes());
}

/// Text on standard output. A reader that has gone away wants no more, and is no failure.
///
/// # Errors
/// [`Failure`] if the text cannot be written.
pub fn print(text: impl Display) -> Result<(), Failure> {
    emit(text).map(drop)
}

/// A piece of a stream on standard output. It ends with the reader that goes away: [`ControlFlow::Break`].
///
/// # Errors
/// [`Failure`] if the text cannot be written.
pub fn emit(text: impl Display) -> Result<ControlFlow<()>, Failure> {
    match writeln!(io::stdout(), "{text}") {
        Ok(()) => Ok(ControlFlow::Continue(())),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ControlFlow::Break(())),
        Err(error) => Err(Failure::blind(format_args!("standard output: {error}"))),
    }
}

/// Ends the process, with status 0, once nobody reads the pipe that is its standard output: a stream that has nothing to
/// print for a long time would not notice. What is no pipe has no reader that can go.
pub fn end_with_reader() {
    if !std::fs::metadata(STDOUT).is_ok_and(|stdout| stdout.file_type().is_fifo()) {
        return;
    }
    std::thread::spawn(|| {
        let gone = block_on(async {
            // Opened anew, because it must not block, and that is a property of all who share it.
            let stdout = match pipe::OpenOptions::new().open_sender(STDOUT) {
                Ok(stdout) => stdout,
                Err(error) if error.raw_os_error() == Some(libc::ENXIO) => return Ok(()),
                Err(error) => return Err(Failure::blind(error)),
            };
            stdout
                .ready(Interest::ERROR)
                .await
                .map(drop)
                .map_err(Failure::blind)
        });
        if gone.is_ok() {
            std::process::exit(0);
        }
    });
}

/// Runs `future` to its end.
///
/// # Errors
/// Those of `future`; [`Failure`] if the system gives no runtime.
pub fn block_on<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::blind)?;
    runtime.block_on(future)
}

/// The output of `future`. If that takes more than a second, a line on standard error says what it waits for.
pub async fn patiently<T>(tool: &str, awaited: impl Display, future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    match timeout(PATIENCE, &mut future).await {
        Ok(output) => output,
        Err(_) => {
            complain(tool, format_args!("waiting for {awaited}"));
            future.await
        }
    }
}

/// Says once, on standard error, that reading takes more than a second.
pub struct Patience<'a> {
    reader: &'a str,
    end: Option<Instant>,
}

impl<'a> Patience<'a> {
    /// In the name of `reader`, from now on.
    pub fn new(reader: &'a str) -> Self {
        Self {
            reader,
            end: Some(Instant::now() + PATIENCE),
        }
    }

    /// To be called again and again.
    pub fn check(&mut self) {
        if self.end.take_if(|end| Instant::now() > *end).is_some() {
            complain(self.reader, "still reading");
        }
    }
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

/// A table without rules. Columns whose heading ends in `>` are set flush right; the last one wraps at the terminal's
/// width, and at none where there is no terminal. Names in the others stay whole, so that they can be copied. Control
/// characters are escaped: cells come from outside.
pub fn table<const N: usize>(headings: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_preset(comfy_table::presets::NOTHING);
    if let Some(width) = width() {
        table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width);
    }
    table.set_header(headings.map(|heading| heading.trim_end_matches('>')));
    let rows: Vec<_> = rows
        .into_iter()
        .map(|row| row.map(|cell| printable(&cell)))
        .collect();
    let last = rows.iter().filter_map(|row| row.last());
    let last = last.map(|cell| cell.chars().count()).max();
    let last = u16::try_from(last.unwrap_or(0))
        .unwrap_or(u16::MAX)
        .min(LAST_COLUMN_MIN);
    table.add_rows(rows.into_iter().map(|row| row.map(Cell::new)));
    for (n, (column, heading)) in table.column_iter_mut().zip(headings).enumerate() {
        column.set_padding((0, 2));
        column.set_constraint(match n + 1 < N {
            true => ColumnConstraint::ContentWidth,
            false => ColumnConstraint::LowerBoundary(comfy_table::Width::Fixed(last)),
        });
        if heading.ends_with('>') {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt()
}

/// A colour of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// What is wrong, or gone.
    Red = 31,
    /// What is new.
    Green = 32,
    /// What changed.
    Yellow = 33,
}

/// One line as a terminal shows it: cut at its width, coloured where colours are wanted, and with its control
/// characters escaped. Where there is no terminal, nothing is cut.
pub fn line(text: &str, colour: Option<Colour>) -> String {
    let mut text = printable(text);
    if let Some((end, _)) = width().and_then(|width| text.char_indices().nth(width.into())) {
        // A column for the sign that something is missing.
        let end = text[..end].char_indices().next_back().map_or(0, |(at, _)| at);
        text.truncate(end);
        text.push('…');
    }
    match colour.filter(|_| colours()) {
        Some(colour) => format!("\u{1b}[{}m{text}\u{1b}[0m", colour as u8),
        None => text,
    }
}

/// The width of the terminal that standard output is, if it is one and knows it.
pub fn width() -> Option<u16> {
    let (terminal_size::Width(width), _) = terminal_size::terminal_size_of(io::stdout())?;
    Some(width).filter(|width| *width > 0)
}

/// Whether to print colours: on a terminal, and where `NO_COLOR` does not ask for none.
pub fn colours() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
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

/// `2026-11-21 09:18:51.994`, in UTC, as Open vSwitch writes it.
pub fn timestamp(time: SystemTime) -> String {
    // No clock of a switch stands before 1970.
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let (seconds, milliseconds) = (since.as_secs(), since.subsec_millis());
    let (hours, minutes, rest) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    // Days are counted from a first of March, so that a leap day is the last of its year: 719 468 days lie between that
    // of the year 0 and 1970.
    let days = seconds / 86400 + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    let year = era * 400 + year + next;
    format!("{year:04}-{month:02}-{day:02} {hours:02}:{minutes:02}:{rest:02}.{milliseconds:03}")
}

const LAST_COLUMN_MIN: u16 = 20;
const STDOUT: &str = "/proc/self/fd/1";

/// How long a tool may work before it says what it does.
const PATIENCE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (milliseconds, text) in [
            (0, "1970-01-01 00:00:00.000"),
            (951_782_399_999, "2000-02-28 23:59:59.999"),
            (951_782_400_000, "2000-02-29 00:00:00.000"),
            (951_868_800_000, "2000-03-01 00:00:00.000"),
            (1_798_761_599_000, "2026-12-31 23:59:59.000"),
            (4_107_542_400_000, "2100-03-01 00:00:00.000"),
        ] {
            let time = SystemTime::UNIX_EPOCH + Duration::from_millis(milliseconds);
            assert_eq!(timestamp(time), text);
        }
    }
}
