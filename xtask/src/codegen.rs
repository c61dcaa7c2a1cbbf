//! `cargo xtask codegen`: tables that are made from Open vSwitch's headers, and checked in.
//!
//! Two steps, so that the check needs no network: a header gives facts, one line for each thing,
//! which are checked in as `xtask/data/`; facts give the Rust table.

mod errors;
mod fields;
mod messages;

use std::{fmt::Display, fs, path::Path, process::ExitCode};

/// What to do with the tables.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mode<'a> {
    /// Write them.
    Write,
    /// Only tell whether they are as they would be written.
    Check,
    /// Take the facts anew from the header at this path, then write.
    From(&'a str),
}

/// Runs the command.
pub(crate) fn run(top: &Path, mode: Mode<'_>) -> ExitCode {
    match tables(top, mode) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask codegen: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Writes or checks every table; an error says which one, and what is wrong with it.
pub(crate) fn tables(top: &Path, mode: Mode<'_>) -> Result<(), String> {
    if let Mode::From(header) = mode {
        let path = Path::new(header);
        let name = path.file_name().and_then(|name| name.to_str());
        let known = TABLES.iter().find(|table| Some(table.header) == name);
        let table = known.ok_or_else(|| of(path, "no table is made from a header of this name"))?;
        let text = (table.facts)(&read(path)?).map_err(|what| of(path, what))?;
        write(&top.join(table.data), &text)?;
    }
    TABLES
        .iter()
        .try_for_each(|table| table.bring_up_to_date(top, mode))
}

/// A table, and the way from the header to it.
struct Table {
    /// The file name of the header.
    header: &'static str,
    /// Where the facts are.
    data: &'static str,
    /// Where the table's source is.
    source: &'static str,
    /// The facts in the header.
    facts: fn(&str) -> Result<String, String>,
    /// The table's source for these facts.
    rows: fn(&str) -> Result<String, String>,
}

impl Table {
    fn bring_up_to_date(&self, top: &Path, mode: Mode<'_>) -> Result<(), String> {
        let (data, source) = (top.join(self.data), top.join(self.source));
        let text = (self.rows)(&read(&data)?).map_err(|what| of(&data, what))?;
        match mode {
            Mode::Check if read(&source)? != text => {
                Err(of(&source, "not what `cargo xtask codegen` writes"))
            }
            Mode::Check => Ok(()),
            Mode::Write | Mode::From(_) => write(&source, &text),
        }
    }
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| of(path, error))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| of(path, error))
}

fn of(path: &Path, what: impl Display) -> String {
    format!("{}: {what}", path.display())
}

/// The text of every comment that gives something its numbers, on one line, with the name that
/// follows the comment.
fn described<'a>(body: &'a str, prefix: &str) -> Vec<(String, &'a str)> {
    let comments = body.split("/*").skip(1);
    let pairs = comments.filter_map(|rest| rest.split_once("*/"));
    pairs
        .filter_map(|(comment, rest)| {
            let name = rest.trim_start().strip_prefix(prefix)?;
            let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
            let lines = comment.lines().map(|line| line.trim_matches([' ', '*', '\t']));
            let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
            Some((lines.join(" "), &name[..end]))
        })
        .collect()
}

/// The versions of OpenFlow of a header, `1.0`, `1.1-1.4` or `1.3+`, as the first and the last of
/// their numbers on the wire.
fn versions(text: &str) -> Result<(u8, u8), String> {
    let number = |text: &str| {
        let minor = text.strip_prefix("1.").and_then(|minor| minor.parse::<u8>().ok());
        let known = minor.map(|minor| minor + 1).filter(|number| *number <= NEWEST);
        known.ok_or_else(|| format!("no version of OpenFlow: {text}"))
    };
    match (text.strip_suffix('+'), text.split_once('-')) {
        (Some(first), _) => Ok((number(first)?, NEWEST)),
        (_, Some((first, last))) => Ok((number(first)?, number(last)?)),
        _ => Ok((number(text)?, number(text)?)),
    }
}

/// `ct_nw_src` as `CtNwSrc`.
fn camel(words: &str) -> String {
    let words = words.split(['_', ' ']);
    words
        .map(|word| {
            let (first, rest) = word.split_at(word.len().min(1));
            first.to_ascii_uppercase() + rest
        })
        .collect()
}

/// OpenFlow 1.5.
const NEWEST: u8 = 6;

const TABLES: [Table; 3] = [
    Table {
        header: "meta-flow.h",
        data: "xtask/data/ofp-fields.tsv",
        source: "ofp-codec/src/model/field/table.rs",
        facts: fields::facts,
        rows: fields::table,
    },
    Table {
        header: "ofp-errors.h",
        data: "xtask/data/ofp-errors.tsv",
        source: "ofp-codec/src/wire/ofperr/table.rs",
        facts: errors::facts,
        rows: errors::table,
    },
    Table {
        header: "ofp-msgs.h",
        data: "xtask/data/ofp-messages.tsv",
        source: "ofp-codec/src/wire/kind/table.rs",
        facts: messages::facts,
        rows: messages::table,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_one_a_range_or_open() {
        assert_eq!(versions("1.0"), Ok((1, 1)));
        assert_eq!(versions("1.1-1.4"), Ok((2, 5)));
        assert_eq!(versions("1.3+"), Ok((4, 6)));
        assert!(versions("1.6").is_err());
        assert!(versions("2.0+").is_err());
    }
}
