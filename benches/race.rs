//! Programs that do the same job, each in a process of its own: ours beside its peers.
//!
//! What a program takes is noted where criterion notes its figures, and in the same form, so that the report has one
//! source.

use std::{
    env, fs, io,
    ops::Add,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use serde_json::json;

/// A job that several programs do. The first that runs is the baseline.
#[derive(Debug)]
pub struct Race {
    group: String,
    baseline: Option<f64>,
}

/// What a process took, or what several took together.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Taken {
    /// CPU time, its own and the kernel's.
    seconds: f64,
    /// The most memory that one had.
    peak_kib: u64,
}

impl Add for Taken {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            seconds: self.seconds + other.seconds,
            peak_kib: self.peak_kib.max(other.peak_kib),
        }
    }
}

impl Race {
    /// A job: `ofp-codec/a dump of OVN-like flows`.
    pub fn new(group: &str) -> Self {
        println!(
            "\n{group}: CPU time and memory of a process\n{:<42}{:>11}{:>9}{:>12}{:>10}{:>8}",
            "", "count", "CPU s", "each", "MiB", "ratio"
        );
        Self {
            group: group.to_owned(),
            baseline: None,
        }
    }

    /// Runs a program that works through `count` things. One that cannot run, or is not done in two minutes, is said to be
    /// missing.
    ///
    /// # Errors
    ///
    /// The figure cannot be noted.
    pub fn run(&mut self, name: &str, count: u32, command: &mut Command) -> io::Result<()> {
        self.add(name, count, measure(command))
    }

    /// Notes what a program took that ran elsewhere.
    ///
    /// # Errors
    ///
    /// The figure cannot be noted.
    pub fn add(&mut self, name: &str, count: u32, taken: Option<Taken>) -> io::Result<()> {
        let Some(Taken { seconds, peak_kib }) = taken else {
            println!(
                "{name:<42} missing: not installed, or not done in {} s",
                PATIENCE.as_secs()
            );
            return self.note(name, None);
        };
        let each = seconds / f64::from(count) * 1e9;
        let first = self.baseline.is_none();
        let ratio = each / *self.baseline.get_or_insert(each);
        println!(
            "{name:<42}{count:>11}{seconds:>9.2}{:>12}{:>10}{ratio:>8.1}",
            format!("{each:.0} ns"),
            peak_kib / 1024
        );
        let name = if first {
            format!("{name} (baseline)")
        } else {
            name.to_owned()
        };
        self.note(&name, Some((each, peak_kib)))
    }

    /// Leaves nanoseconds and memory where criterion would; nothing of a program that is missing.
    fn note(&self, name: &str, taken: Option<(f64, u64)>) -> io::Result<()> {
        let home =
            env::var_os("CRITERION_HOME").map_or_else(|| PathBuf::from("target/criterion"), PathBuf::from);
        let directory = |name: &str| name.replace(['/', ' ', ':', '(', ')'], "_");
        let dir = home
            .join(directory(&self.group))
            .join(directory(name))
            .join("new");
        fs::create_dir_all(&dir)?;
        let benchmark = json!({
            "group_id": self.group, "function_id": name, "value_str": null, "throughput": {"Elements": 1},
            "peak_kib": taken.map(|(_, peak_kib)| peak_kib),
        });
        fs::write(dir.join("benchmark.json"), benchmark.to_string())?;
        let median = taken.map(|(nanoseconds, _)| json!({"point_estimate": nanoseconds}));
        fs::write(dir.join("estimates.json"), json!({"median": median}).to_string())
    }
}

/// This very program, asked to do `job` with `file`.
///
/// # Errors
///
/// The program does not know its own path.
pub fn ours(job: &str, file: &Path) -> io::Result<Command> {
    let mut command = Command::new(env::current_exe()?);
    command.env(JOB, job).env(FILE, file);
    Ok(command)
}

/// The job that [`ours`] asks this process for, and its file.
pub fn job() -> Option<(String, PathBuf)> {
    Some((env::var(JOB).ok()?, env::var_os(FILE)?.into()))
}

/// Whether the benchmarks are only tried, as `cargo test` does.
pub fn only_tried() -> bool {
    // `cargo bench` says so, and `cargo test` does not.
    let says = |option| env::args().any(|arg| arg == option);
    says("--test") || !says("--bench")
}

/// Runs a process to its end. `None`: it cannot run, fails, or is not done in time.
pub fn measure(command: &mut Command) -> Option<Taken> {
    let before = children_seconds()?;
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
    let mut peak_kib = 0;
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        // The high-water mark only rises, so the last look is the one that counts.
        peak_kib = peak_of(child.id()).unwrap_or(peak_kib);
        if let Some(status) = child.try_wait().ok()? {
            break status;
        }
        if Instant::now() > deadline {
            child.kill().ok()?;
            child.wait().ok()?;
            return None;
        }
        sleep(LOOK);
    };
    status.success().then_some(Taken {
        seconds: children_seconds()? - before,
        peak_kib,
    })
}

fn peak_of(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    peak.trim().strip_suffix(" kB")?.parse().ok()
}

/// The CPU seconds of the children that have ended: `cutime` and `cstime` of proc(5), in hundredths.
fn children_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let (_, fields) = stat.rsplit_once(") ")?;
    let ticks = fields.split(' ').skip(13).take(2).map(str::parse::<f64>);
    Some(ticks.sum::<Result<f64, _>>().ok()? / 100.0)
}

const LOOK: Duration = Duration::from_millis(3);
/// Python's IDL, say, has waited for ever for 100,000 rows.
const PATIENCE: Duration = Duration::from_secs(120);
const JOB: &str = "OVS_RS_BENCH_JOB";
const FILE: &str = "OVS_RS_BENCH_FILE";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_measured_and_one_that_is_missing_or_fails_is_not() {
        let taken =
            measure(Command::new("sh").args(["-c", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done"]));
        assert!(taken.is_some_and(|it| it.peak_kib > 0), "{taken:?}");
        assert!(measure(&mut Command::new("no such program")).is_none());
        assert!(measure(&mut Command::new("false")).is_none());
    }
}
