//! Programs that do the same job, each in a process of its own: ours beside its peers.
//!
//! What a program takes is noted where criterion notes its figures, and in the same form, so that the report has one
//! source.

use std::{
    collections::BTreeMap,
    env, fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use nix::sys::{
    resource::{UsageWho, getrusage},
    time::{TimeVal, TimeValLike as _},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// A job that several programs do. The first of a size is the baseline of that size.
pub struct Race<'a> {
    group: String,
    contenders: Vec<Contender<'a>>,
}

struct Contender<'a> {
    name: String,
    size: Option<u32>,
    count: u32,
    run: Box<dyn FnMut() -> Option<Taken> + 'a>,
    /// Of each round.
    taken: Vec<Taken>,
}

/// What a process took.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Taken {
    /// CPU time, its own and the kernel's.
    seconds: f64,
    /// The most memory that it had.
    peak_kib: u64,
}

impl<'a> Race<'a> {
    /// A job: `ofp-codec/a dump of OVN-like flows`.
    pub fn new(group: &str) -> Self {
        Self {
            group: group.to_owned(),
            contenders: Vec::new(),
        }
    }

    /// A program that works through `count` things. One that cannot run, or is not done in two minutes, is said to be
    /// missing.
    pub fn enter(&mut self, name: &str, count: u32, mut command: Command) {
        self.enter_with(name, count, move || measure(&mut command));
    }

    /// What is measured some other way: once a round, as long as there is something.
    pub fn enter_with(&mut self, name: &str, count: u32, run: impl FnMut() -> Option<Taken> + 'a) {
        self.contenders.push(Contender {
            name: name.to_owned(),
            size: None,
            count,
            run: Box::new(run),
            taken: Vec::new(),
        });
    }

    /// A program at a job that the others do at other sizes, too: `size` things.
    pub fn enter_sized(&mut self, name: &str, size: u32, command: Command) {
        self.enter(name, size, command);
        if let Some(entered) = self.contenders.last_mut() {
            entered.size = Some(size);
        }
    }

    /// Runs them one after the other, round by round, because a noisy minute is noisy for all.
    ///
    /// # Errors
    ///
    /// A figure cannot be noted.
    pub fn run(mut self) -> io::Result<()> {
        println!("\n{}: CPU time and memory of a process", self.group);
        for round in 0..ROUNDS {
            for contender in &mut self.contenders {
                // What takes long is measured once.
                let again = contender.taken.last().is_some_and(|it| it.seconds < SHORT);
                if round == 0 || again {
                    let taken = (contender.run)();
                    let seconds = taken.map_or("-".to_owned(), |it| format!("{:.2} s", it.seconds));
                    let Contender { name, count, .. } = contender;
                    println!("  round {}, {count} of {name}: {seconds}", round + 1);
                    contender.taken.extend(taken);
                }
            }
        }
        println!(
            "{:<42}{:>11}{:>9}{:>12}{:>10}{:>8}",
            "", "count", "CPU s", "each", "MiB", "ratio"
        );
        let mut baselines = BTreeMap::new();
        for contender in &self.contenders {
            let baseline = baselines.entry(contender.size).or_insert(contender);
            contender.print(baseline);
            contender.note(&self.group, std::ptr::eq(contender, *baseline))?;
        }
        Ok(())
    }
}

impl Contender<'_> {
    /// The middle of the rounds.
    fn median(&self) -> Option<Taken> {
        let mut taken = self.taken.clone();
        taken.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
        taken.get(taken.len() / 2).copied()
    }

    fn nanoseconds(&self, taken: &Taken) -> f64 {
        taken.seconds / f64::from(self.count) * 1e9
    }

    fn print(&self, baseline: &Self) {
        let Some(taken) = self.median() else {
            println!(
                "{:<42} missing: not installed, or not done in {} s",
                self.name,
                PATIENCE.as_secs()
            );
            return;
        };
        let each = self.nanoseconds(&taken);
        let ratio = baseline
            .median()
            .map_or(f64::NAN, |it| each / baseline.nanoseconds(&it));
        println!(
            "{:<42}{:>11}{:>9.2}{:>12}{:>10}{ratio:>8.1}",
            self.name,
            self.count,
            taken.seconds,
            format!("{each:.0} ns"),
            taken.peak_kib / 1024
        );
    }

    /// Leaves nanoseconds and memory of each round where criterion would; nothing of a program that is missing.
    fn note(&self, group: &str, baseline: bool) -> io::Result<()> {
        let home =
            env::var_os("CRITERION_HOME").map_or_else(|| PathBuf::from("target/criterion"), PathBuf::from);
        let directory = |name: &str| name.replace(['/', ' ', ':', '(', ')'], "_");
        let size = self.size.map(|size| size.to_string());
        let name = if baseline {
            format!("{} (baseline)", self.name)
        } else {
            self.name.clone()
        };
        // With sizes an iteration is the whole job, as it is for criterion.
        let work = self.size.unwrap_or(1);
        let rounds: Vec<_> = match &self.taken[..] {
            [] => vec![None],
            taken => taken.iter().map(Some).collect(),
        };
        for (round, taken) in (1..).zip(rounds) {
            let dir = home
                .join(directory(group))
                .join(directory(&name))
                .join(size.as_deref().unwrap_or_default())
                .join(format!("round-{round}/new"));
            fs::create_dir_all(&dir)?;
            let benchmark = json!({
                "group_id": group, "function_id": name, "value_str": size, "throughput": {"Elements": work},
                "peak_kib": taken.map(|it| it.peak_kib),
            });
            fs::write(dir.join("benchmark.json"), benchmark.to_string())?;
            let median = taken.map(|it| json!({"point_estimate": self.nanoseconds(it) * f64::from(work)}));
            fs::write(dir.join("estimates.json"), json!({"median": median}).to_string())?;
        }
        Ok(())
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

/// Whether programs are to be raced. A race has rounds of its own, so of several runs one has the races.
pub fn wanted() -> bool {
    !only_tried() && env::var_os(RACES).is_none_or(|it| it != "no")
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

/// The CPU seconds of the children that have ended.
fn children_seconds() -> Option<f64> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).ok()?;
    let seconds = |time: TimeVal| Duration::from_micros(time.num_microseconds().unsigned_abs()).as_secs_f64();
    Some(seconds(usage.user_time()) + seconds(usage.system_time()))
}

const ROUNDS: usize = 3;
/// In seconds.
const SHORT: f64 = 3.0;
const LOOK: Duration = Duration::from_millis(3);
/// Python's IDL, say, has waited for ever for 100,000 rows.
const PATIENCE: Duration = Duration::from_secs(120);
const RACES: &str = "OVS_RS_BENCH_RACES";
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
