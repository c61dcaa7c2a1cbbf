//! Steps of a test, which fail as the test does.

use std::{
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};

/// Runs a script of the shell and gives its standard output.
///
/// # Panics
/// If its status is not 0.
#[track_caller]
#[expect(clippy::panic, reason = "a step that fails is a failed test")]
pub fn sh(script: &str) -> String {
    let output = Command::new("sh").args(["-c", script]).output();
    let output = output.unwrap_or_else(|error| panic!("sh: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{script}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// Waits until `done`.
///
/// # Panics
/// After three minutes, saying `what` was awaited.
#[track_caller]
pub fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !done() {
        assert!(Instant::now() < deadline, "still not: {what}");
        sleep(INTERVAL);
    }
}

const LIMIT: Duration = Duration::from_secs(180);
const INTERVAL: Duration = Duration::from_millis(50);
