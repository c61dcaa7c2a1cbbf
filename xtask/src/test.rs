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
    platform::Platform,
    steps::{self, Step},
    tested,
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
    let platforms = match extent {
        Extent::Full => {
            println!("\n==== the machine");
            machine::prepare().and_then(|()| machine::platforms())
        }
        Extent::Quick => Ok(Vec::new()),
    };
    let platforms = match platforms {
        Ok(platforms) => platforms,
        Err(reason) => {
            println!("\n{command}: failed at the machine: {reason}");
            return ExitCode::FAILURE;
        }
    };
    match steps::run(steps(extent, platforms)) {
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

fn steps(extent: Extent, platforms: Vec<Platform>) -> Vec<Step> {
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
        // Real processes and kernels where no test is left out for want of a feature.
        if full && *features == ALL_FEATURES {
            steps.push(cargo("tests are built", &[&args[..], &["--no-run"]].concat()));
            steps.extend(steps::side_by_side(tests_with_real_parts(&args, &platforms)));
        } else {
            let title = format!("tests, {features}, REAL PROCESSES AND KERNEL LEFT OUT HERE");
            steps.push(cargo_step(&title, &args, &[("OVS_RS_REAL", "0")], 0));
        }
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
        let alone = LIBRARIES
            .iter()
            .copied()
            .filter(|library| DEPENDENT.iter().all(|(dependent, _)| dependent != library));
        let alone: Vec<&str> = package.into_iter().chain(alone).collect();
        steps.push(cargo("packages", &alone));
        // cargo before 1.90 looks for its sisters on the registry, which need not have this version.
        for (library, sisters) in DEPENDENT {
            let patches: Vec<String> = sisters
                .iter()
                .map(|sister| format!("patch.crates-io.{sister}.path='{sister}'"))
                .collect();
            let patches = patches.iter().flat_map(|patch| ["--config", patch]);
            let args: Vec<&str> = package.into_iter().chain(patches).chain([library]).collect();
            steps.push(cargo("a package that needs others", &args));
        }
    }
    let example = ["run", "--release", "--example", "action-budget"];
    steps.push(cargo_step(
        "the example of the front page finds its incident",
        &example,
        &[],
        OVER_LIMIT,
    ));
    if full {
        steps.push(Step::new("the tables of releases", move || {
            tested::tables(&top(), &platforms)
        }));
    }
    steps
}

/// All tests on the first platform, and on the others those that compare with something real: integration tests.
fn tests_with_real_parts(all: &[&str], platforms: &[Platform]) -> Vec<(String, Command)> {
    let of = |(number, platform): (usize, &Platform)| {
        let (what, targets) = match number {
            0 => ("tests", &[][..]),
            _ => ("integration tests", &["--test", "it", "--test", "kernel"][..]),
        };
        let mut command = cargo_command(&[all, &["--no-fail-fast"], targets].concat());
        command.envs(platform.variables());
        (format!("{what}, {platform}"), command)
    };
    platforms.iter().enumerate().map(of).collect()
}

/// A step that runs cargo at the top of the workspace.
pub(crate) fn cargo_step(title: &str, args: &[&str], variables: &[(&str, &str)], wanted: i32) -> Step {
    let mut command = cargo_command(args);
    command.envs(variables.iter().copied());
    Step::new(title, move || steps::command(&mut command, wanted))
}

fn cargo_command(args: &[&str]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args).current_dir(top());
    command
}

/// The workspace's directory, as cargo told it to its child, else as it was at build time.
pub(crate) fn top() -> PathBuf {
    let own = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&own).join("..")
}

const QUICK: &str = "; real processes, kernel and packages were left out";
const ALL_FEATURES: &str = "all features";
/// The libraries, as arguments.
const LIBRARIES: [&str; 5] = [
    "--package=netlink-genl",
    ODP_ACTIONS,
    "--package=ofp-codec",
    OFPROTO_XLATE,
    "--package=ovsdb-proto",
];
const ODP_ACTIONS: &str = "--package=odp-actions";
const OFPROTO_XLATE: &str = "--package=ofproto-xlate";
/// The libraries that depend on others, and on which.
const DEPENDENT: [(&str, &[&str]); 2] = [
    (ODP_ACTIONS, &["netlink-genl"]),
    (OFPROTO_XLATE, &["netlink-genl", "odp-actions", "ofp-codec"]),
];

/// What git-grep(1) says when it found nothing.
const NOTHING_FOUND: i32 = 1;
/// What `action-budget` says of a list that no host takes.
const OVER_LIMIT: i32 = 2;
