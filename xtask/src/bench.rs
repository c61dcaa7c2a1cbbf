//! `cargo xtask bench`: all benchmarks, several times, and the report made of them.

use std::{
    env, fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use crate::{
    machine,
    steps::{self, Step},
    test::{cargo_step, top},
};

/// Runs every benchmark `runs` times, each into a directory of its own, and writes `benches/REPORT.md` and the figures of
/// `README.md`.
pub(crate) fn run(runs: usize) -> ExitCode {
    let homes: Vec<String> = (1..=runs).map(home).collect();
    let python = target().join("bench-python");
    let interpreter = python.join("bin/python3").to_string_lossy().into_owned();
    let stale = homes.clone();
    let mut steps = vec![
        Step::new("the machine", machine::prepare),
        Step::new("the figures of last time", move || clear(&stale)),
        Step::new("Python's ovs", move || python_peer(&python)),
        Step::new("other crates", rival_crates),
    ];
    let rivals = rivals().join("release/rivals").to_string_lossy().into_owned();
    for (number, home) in (1..).zip(&homes) {
        steps.push(cargo_step(
            &format!("run {number} of {runs}"),
            &[&["bench", "-p", "benches", "--"], &SHORT[..]].concat(),
            &[
                ("CRITERION_HOME", home),
                ("PYTHON", &interpreter),
                ("RIVALS", &rivals),
                // Programs race in rounds, all in the first run.
                ("OVS_RS_BENCH_RACES", if number == 1 { "yes" } else { "no" }),
            ],
            0,
        ));
    }
    let report = [
        "run",
        "--release",
        "-p",
        "benches",
        "--bin",
        "report",
        "benches",
        "README.md",
    ];
    let homes: Vec<&str> = homes.iter().map(String::as_str).collect();
    steps.push(cargo_step("the report", &[&report[..], &homes].concat(), &[], 0));
    match steps::run(steps) {
        Ok(_) => ExitCode::SUCCESS,
        Err(failure) => {
            println!("\nxtask bench: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Installs the package `ovs` of PyPI. Without it the benchmarks run, and the report says that it was missing.
fn python_peer(venv: &Path) -> Result<(), String> {
    let install = ["install", "--quiet", "ovs", "netaddr", "pyparsing"];
    let done = machine::prepare_venv()
        .and_then(|()| steps::command(Command::new("python3").args(["-m", "venv"]).arg(venv), 0))
        .and_then(|()| steps::command(Command::new(venv.join("bin/pip")).args(install), 0));
    if let Err(reason) = done {
        println!("MISSING: {reason}");
    }
    Ok(())
}

/// Builds the other crates at work. They are outside the workspace, and as missing as Python's ovs if they do not build.
fn rival_crates() -> Result<(), String> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["build", "--quiet", "--release", "--target-dir"])
        .arg(rivals())
        .current_dir(top().join("benches/rivals"));
    if let Err(reason) = steps::command(&mut cargo, 0) {
        println!("MISSING: {reason}");
    }
    Ok(())
}

fn rivals() -> PathBuf {
    target().join("bench-rivals")
}

/// Removes what was measured before: a row that is no more would stay in the report.
fn clear(homes: &[String]) -> Result<(), String> {
    for home in homes {
        match fs::remove_dir_all(home) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(format!("{home}: {error}")),
            _ => {}
        }
    }
    Ok(())
}

/// Where a run's figures go: below the target directory, so that nothing lands in the tree.
fn home(number: usize) -> String {
    target()
        .join(format!("bench-{number}"))
        .to_string_lossy()
        .into_owned()
}

fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| top().join("target"), PathBuf::from)
}

/// The runs are paired and repeated, so each may be short.
const SHORT: [&str; 5] = [
    "--warm-up-time=0.1",
    "--measurement-time=0.4",
    "--nresamples=2000",
    "--noplot",
    "--quiet",
];
