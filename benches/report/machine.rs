//! What the figures were measured on.

use std::{fs, process::Command, thread};

/// A list: processor, kernel, compiler, Open vSwitch.
pub(crate) fn describe() -> String {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    [
        ("processor", format!("{}, {cores} cores", processor())),
        ("kernel", said_by("uname", &["-sr"])),
        ("compiler", said_by("rustc", &["--version"])),
        ("Open vSwitch", said_by("ovs-ofctl", &["--version"])),
        ("Python", said_by("python3", &["--version"])),
    ]
    .map(|(what, is)| format!("- {what}: {is}\n"))
    .concat()
}

fn processor() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    model.map_or("unknown", |(_, name)| name).to_owned()
}

/// The first line that a program says of itself.
fn said_by(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output();
    output
        .ok()
        .filter(|output| output.status.success())
        .and_then(|output| Some(String::from_utf8_lossy(&output.stdout).lines().next()?.to_owned()))
        .unwrap_or_else(|| "**missing**".to_owned())
}
