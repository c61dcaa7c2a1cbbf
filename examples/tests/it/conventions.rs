//! What all tools have in common.

use crate::tool::{Background, command, run, run_without_reader};

#[test]
fn help_has_an_example_and_the_exit_statuses() {
    for tool in TOOLS {
        let run = run(tool, &["--help"], "");
        assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{run:?}");
        let mut lines = run.stdout.lines();
        assert!(
            lines
                .next()
                .is_some_and(|line| line.starts_with(&format!("{tool}: "))),
            "{run:?}"
        );
        assert!(
            lines.any(|line| line.starts_with("  ") && line.contains(&format!("{tool} "))),
            "{run:?}"
        );
        assert!(run.stdout.contains("\nExit status: 0 "), "{run:?}");
        assert!(
            run.stdout.lines().all(|line| line.chars().count() <= 120),
            "{run:?}"
        );
    }
}

#[test]
fn a_wrong_option_is_status_64_and_two_lines() {
    for tool in TOOLS {
        let run = run(tool, &["--bogus"], "");
        assert_eq!(
            (run.status, run.stdout.as_str(), run.stderr.lines().count()),
            (64, "", 2),
            "{run:?}"
        );
        assert!(
            run.stderr.ends_with(&format!("{tool}: see {tool} --help\n")),
            "{run:?}"
        );
    }
}

#[test]
fn a_reader_that_went_away_ends_each_quietly() {
    for tool in TOOLS {
        let run = run_without_reader(tool, &["--help"]);
        assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{tool}: {run:?}");
    }
}

#[test]
fn an_interrupt_ends_each_that_waits_for_its_input_quietly() {
    let dir = tempfile::tempdir().unwrap();
    let fifo = dir.path().join("fifo").display().to_string();
    testbed::sh(&format!("mkfifo {fifo}"));
    for (tool, args) in [
        ("action-budget", &["--flows"][..]),
        ("dp-flows", &["--offline"]),
        ("flow-diff", &["/dev/null"]),
        ("flow-dump", &[]),
        ("netdev-wait", &[]),
    ] {
        let mut waiting = Background::start(command(tool), &[args, &[&fifo]].concat());
        // It has the pipe open once this returns.
        let input = std::fs::OpenOptions::new().write(true).open(&fifo).unwrap();
        waiting.interrupt();
        let status = waiting.wait();
        drop(input);
        let said = waiting.stdout() + &waiting.stderr();
        let quiet = said.lines().all(|line| line.contains("the dump is empty"));
        assert!(status.is_none() && quiet, "{tool}: {status:?} {said}");
    }
}

const TOOLS: [&str; 10] = [
    "action-budget",
    "dp-flows",
    "dp-health",
    "flow-diff",
    "flow-dump",
    "netdev-wait",
    "ovsdb-monitor",
    "port-audit",
    "port-timeline",
    "upcall-audit",
];
