//! `cargo xtask test`: every check that a change must pass, in the order in which a fault costs
//! the least time.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::Instant,
};

use crate::{
    codegen, machine,
    steps::{self, Step},
};

/// How much to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Everything.
    Full,
    /// Not what needs real processes, a kernel or the network.
    Quick,
}

/// Runs the steps; the last line says how it ended.
pub(crate) fn run(extent: Extent) -> ExitCode {
    let start = Instant::now();
    let (command, without) = match extent {
        Extent::Full => ("xtask test", ""),
        Extent::Quick => ("xtask test --quick", QUICK),
    };
    match steps::run(steps(extent)) {
        Ok(count) => {
            let seconds = start.elapsed().as_secs();
            println!("\n{command}: all {count} steps passed in {seconds} s{without}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            println!("\n{command}: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn steps(extent: Extent) -> Vec<Step> {
    let full = extent == Extent::Full;
    let cargo = |title: &str, args: &[&str]| cargo_step(title, args, &[], 0);
    let selections = [
        ("default features", vec!["--workspace"]),
        // Other members turn features of the libraries on, so only the libraries alone have none.
        (
            "no features",
            [&["--no-default-features"], &LIBRARIES[..]].concat(),
        ),
        (ALL_FEATURES, vec!["--workspace", "--all-features"]),
    ];
    let mut steps = Vec::new();
    if full {
        steps.push(Step::new("the machine", machine::prepare));
    }
    steps.push(Step::new("no marks of a merge", || {
        let marks = ["grep", "--no-index", "--exclude-standard", "-nE", "^(<{7}|>{7}) "];
        steps::command(Command::new("git").args(marks).current_dir(top()), NOTHING_FOUND)
    }));
    steps.push(cargo("formatting", &["fmt", "--all", "--check"]));
    steps.push(Step::new("generated tables", || {
        codegen::tables(&top(), codegen::Mode::Check)
    }));
    for (features, selection) in &selections {
        let args = [
            &["clippy"],
            &selection[..],
            &["--all-targets", "--", "-Dwarnings"],
        ]
        .concat();
        steps.push(cargo(&format!("clippy, {features}"), &args));
    }
    for (features, selection) in &selections {
        let args = [&["test"], &selection[..]].concat();
        // Real processes and kernels once, where no test is left out for want of a feature.
        steps.push(if full && *features == ALL_FEATURES {
            cargo(
                &format!("tests, {features}, with real processes and kernel"),
                &args,
            )
        } else {
            let title = format!("tests, {features}, REAL PROCESSES AND KERNEL LEFT OUT HERE");
            cargo_step(&title, &args, &[("OVS_RS_REAL", "0")], 0)
        });
    }
    if full {
        // The tests inside of examples are in none of the above, where examples are only built.
        let args = ["test", "--workspace", "--all-features", "--examples"];
        steps.push(cargo("tests inside of the tools", &args));
    }
    let doc = ["doc", "--workspace", "--no-deps", "--all-features"];
    steps.push(cargo_step(
        "documentation",
        &doc,
        &[("RUSTDOCFLAGS", "-Dwarnings")],
        0,
    ));
    if full {
        // Also before the last commit, so what is not committed is packaged too.
        let package = ["package", "--allow-dirty"];
        let list = [&package[..], &["--list"], &LIBRARIES].concat();
        steps.push(cargo("what the packages hold", &list));
        let alone = LIBRARIES.iter().copied().filter(|library| *library != DEPENDENT);
        let alone: Vec<&str> = package.into_iter().chain(alone).collect();
        steps.push(cargo("packages", &alone));
        // cargo before 1.90 looks for its sister on the registry, which need not have this version.
        let patch = [
            "--config",
            "patch.crates-io.netlink-genl.path='netlink-genl'",
            DEPENDENT,
        ];
        steps.push(cargo(
            "the package that needs another",
            &[&package[..], &patch].concat(),
        ));
    }
    let example = ["run", "--release", "--example", "action-budget"];
    steps.push(cargo_step(
        "the example of the front page finds its incident",
        &example,
        &[],
        OVER_LIMIT,
    ));
    steps
}

/// A step that runs cargo at the top of the workspace.
pub(crate) fn cargo_step(title: &str, args: &[&str], variables: &[(&str, &str)], wanted: i32) -> Step {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args(args)
        .envs(variables.iter().copied())
        .current_dir(top());
    Step::new(title, move || steps::command(&mut command, wanted))
}

/// The workspace's directory, as cargo told it to its child, else as it was at build time.
pub(crate) fn top() -> PathBuf {
    let own = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&own).join("..")
}

const QUICK: &str = "; real processes, kernel and packages were left out";
const ALL_FEATURES: &str = "all features";
/// The libraries, as arguments.
const LIBRARIES: [&str; 4] = [
    "--package=netlink-genl",
    DEPENDENT,
    "--package=ofp-codec",
    "--package=ovsdb-proto",
];
/// The library that depends on another one.
const DEPENDENT: &str = "--package=odp-actions";
/// What git-grep(1) says when it found nothing.
const NOTHING_FOUND: i32 = 1;
/// What `action-budget` says of a list that no host takes.
const OVER_LIMIT: i32 = 2;
