//! The CPU time that readers of flow dumps take for the same file, each in a process of its own.

use std::{
    env, fs,
    io::{BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
};

use ofp_codec::text::{DumpReader, Item};

/// Prints what each reader takes, and how that compares with this crate.
pub(super) fn compare() {
    if env::args().any(|arg| arg == "--test") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, flows: u32| {
        let path = dir.path().join(name);
        let mut file = std::io::BufWriter::new(fs::File::create(&path).unwrap());
        for flow in testbed::ovn_flows(flows) {
            writeln!(file, "{flow}").unwrap();
        }
        file.into_inner().unwrap();
        path
    };
    let (all, some) = (file("all", ALL), file("some", SOME));
    println!(
        "\n{:<42}{:>10}{:>9}{:>13}{:>8}",
        "reader of OVN-like flows", "flows", "CPU s", "flows/s", "ratio"
    );
    let ours = measure(Command::new(env::current_exe().unwrap()).env(READ, &all));
    let row = |name: &str, flows: u32, seconds: Option<f64>| {
        let Some(seconds) = seconds else {
            println!("{name:<42} skipped: it is not installed");
            return;
        };
        let per_second = f64::from(flows) / seconds;
        let ratio = f64::from(ALL) / ours.unwrap() / per_second;
        println!("{name:<42}{flows:>10}{seconds:>9.2}{per_second:>13.0}{ratio:>8.1}");
    };
    row("ofp-codec, typed and streaming", ALL, ours);
    row("ovs-ofctl parse-flows", ALL, measure(&mut ofctl(&all)));
    row(
        "ovs.flow of Python (PYTHON=python3)",
        SOME,
        measure(&mut python(&some)),
    );
}

/// Reads the file that the parent names, if it names one.
pub(super) fn is_reader() -> bool {
    let Some(path) = env::var_os(READ) else {
        return false;
    };
    let mut reader = DumpReader::new(BufReader::with_capacity(1 << 16, fs::File::open(path).unwrap()));
    let mut flows = 0;
    while let Some(item) = reader.next_item() {
        if let Item::Flow(line) = item.unwrap() {
            let flow = line.to_flow().unwrap();
            flows += usize::from(!flow.actions.is_empty());
        }
    }
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap_or("?");
    eprintln!("{flows} typed in {} of memory", peak.trim());
    true
}

fn ofctl(file: &Path) -> Command {
    let mut command = Command::new("ovs-ofctl");
    command.args(["-OOpenFlow13", "parse-flows"]).arg(file);
    command
}

fn python(file: &Path) -> Command {
    let mut command = Command::new(env::var_os("PYTHON").unwrap_or("python3".into()));
    command.arg("-c").arg(PYTHON_READER).arg(file);
    command
}

/// The CPU seconds of a process. `None`: it cannot run.
fn measure(command: &mut Command) -> Option<f64> {
    let before = children_seconds();
    let status = command.stdout(Stdio::null()).status().ok()?;
    status.success().then(|| children_seconds() - before)
}

/// The CPU seconds of the children that have ended: `cutime` and `cstime` of proc(5), in hundredths.
fn children_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let ticks = fields
        .split(' ')
        .skip(13)
        .take(2)
        .map(|ticks| ticks.parse::<f64>().unwrap());
    ticks.sum::<f64>() / 100.0
}

/// Names the file to read in the environment of a child.
const READ: &str = "OFP_CODEC_BENCH_READ";
const ALL: u32 = 1_000_000;
/// Python's is too slow for all.
const SOME: u32 = 20_000;
const PYTHON_READER: &str = "
import sys
from ovs.flow.ofp import OFPFlow
for line in open(sys.argv[1]):
    OFPFlow(line)
";
