//! Runs a tool.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// What a tool printed, and its exit status.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The one line that a failure is.
    #[track_caller]
    pub(crate) fn complaint(&self) -> &str {
        assert_eq!(self.stderr.lines().count(), 1, "{self:?}");
        self.stderr.trim_end()
    }
}

/// The example `name`, which `cargo test` built beside this test.
pub(crate) fn path(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let tool = test.ancestors().nth(2).unwrap().join("examples").join(name);
    assert!(
        tool.exists(),
        "{}: `cargo build --examples` makes it",
        tool.display()
    );
    tool
}

/// Whoever runs the tests in the background has them ignore interrupts, and they would pass that on.
pub(crate) fn command(name: &str) -> Command {
    let mut command = Command::new("env");
    command.arg("--default-signal=INT").arg(path(name));
    command
}

/// Runs the example `name` with `input` on its standard input.
pub(crate) fn run(name: &str, args: &[&str], input: &str) -> Run {
    let mut child = command(name)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    // A tool that stops early does not read to the end.
    let writer = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Run {
        status: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs the example `name` with a standard output that nobody reads any more.
pub(crate) fn run_without_reader(name: &str, args: &[&str]) -> Run {
    let mut child = command(name)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    Run {
        status: output.status.code().unwrap(),
        stdout: String::new(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs the example `name` on a terminal of 60 columns, which is its standard error, too.
pub(crate) fn run_on_terminal(name: &str, args: &[&str], environment: &str) -> String {
    run_on_terminal_of(60, name, args, environment)
}

/// The same on one of so many columns.
pub(crate) fn run_on_terminal_of(columns: u16, name: &str, args: &[&str], environment: &str) -> String {
    let quoted = |word: &str| format!("'{}'", word.replace('\'', r"'\''"));
    let words: Vec<_> = args.iter().map(|word| quoted(word)).collect();
    let tool = quoted(path(name).to_str().unwrap());
    let script = format!(
        "stty rows 24 cols {columns}; {environment} {tool} {}",
        words.join(" ")
    );
    let output = Command::new("script")
        .args(["--quiet", "--command", &script, "/dev/null"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().replace("\r\n", "\n")
}

/// A tool that runs until it is stopped; dropped, it is killed.
pub(crate) struct Background {
    child: Child,
    files: TempDir,
}

impl Background {
    pub(crate) fn start(mut command: Command, args: &[&str]) -> Self {
        let files = tempfile::tempdir().unwrap();
        let file = |name| File::create(files.path().join(name)).unwrap();
        let child = command
            .args(args)
            .stdin(Stdio::null())
            .stdout(file("stdout"))
            .stderr(file("stderr"))
            .spawn()
            .unwrap();
        Self { child, files }
    }

    /// What it has printed up to now.
    pub(crate) fn stdout(&self) -> String {
        std::fs::read_to_string(self.files.path().join("stdout")).unwrap()
    }

    pub(crate) fn stderr(&self) -> String {
        std::fs::read_to_string(self.files.path().join("stderr")).unwrap()
    }

    /// Waits until `enough` holds of what it has printed.
    #[track_caller]
    pub(crate) fn wait_for(&self, mut enough: impl FnMut(&str) -> bool) -> String {
        self.poll(|| Some(self.stdout()).filter(|stdout| enough(stdout)))
    }

    /// Waits until these words stand on its standard error.
    #[track_caller]
    pub(crate) fn wait_for_error(&self, words: &str) {
        self.poll(|| self.stderr().contains(words).then_some(()));
    }

    #[track_caller]
    fn poll<T>(&self, mut done: impl FnMut() -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(value) = done() {
                return value;
            }
            assert!(Instant::now() < deadline, "{}{}", self.stdout(), self.stderr());
            sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn interrupt(&self) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-INT", &pid])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Waits for its end. `None` is the status of what a signal has ended.
    pub(crate) fn wait(&mut self) -> Option<i32> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < deadline, "{}{}", self.stdout(), self.stderr());
            sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const PATIENCE: Duration = Duration::from_secs(30);
