//! `cargo xtask codegen`: tables that are made from Open vSwitch's headers, and checked in.
//!
//! Two steps, so that the check needs no network: a header gives facts, one line for each thing,
//! which are checked in as `xtask/data/`; facts give the Rust table.

mod fields;

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
    let (facts, table) = (top.join(FACTS), top.join(TABLE));
    if let Mode::From(header) = mode {
        let header = Path::new(header);
        let text = fields::facts(&read(header)?).map_err(|what| of(header, what))?;
        write(&facts, &text)?;
    }
    let text = fields::table(&read(&facts)?).map_err(|what| of(&facts, what))?;
    match mode {
        Mode::Check if read(&table)? != text => Err(of(&table, "not what `cargo xtask codegen` writes")),
        Mode::Check => Ok(()),
        Mode::Write | Mode::From(_) => write(&table, &text),
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

const FACTS: &str = "xtask/data/ofp-fields.tsv";
const TABLE: &str = "ofp-codec/src/model/field/table.rs";
