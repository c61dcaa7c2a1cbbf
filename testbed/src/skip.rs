//! What becomes of a test whose real part cannot start.

use std::{
    env,
    io::{self, Write as _},
};

use crate::Error;

/// Gives the part, or `None` if the test cannot run on this machine, after printing
/// `skipped: WHY` to file descriptor 2, where libtest does not capture it.
///
/// # Panics
/// With any error but [`Error::Missing`] and [`Error::TurnedOff`]; with [`Error::Missing`] too
/// when the environment variable `CI` is set and not empty: a CI machine must have the parts.
#[expect(
    clippy::panic,
    reason = "a part that should start and does not is a failed test"
)]
pub fn or_skip<T>(result: Result<T, Error>) -> Option<T> {
    match result {
        Ok(part) => Some(part),
        Err(error) if may_skip(&error) => {
            // Not `eprintln!`, which libtest captures.
            let _ = writeln!(io::stderr(), "skipped: {error}");
            None
        }
        Err(error) => panic!("{}", error.with_causes()),
    }
}

fn may_skip(error: &Error) -> bool {
    match error {
        Error::TurnedOff => true,
        Error::Missing(_) => env::var_os("CI").is_none_or(|value| value.is_empty()),
        _ => false,
    }
}
