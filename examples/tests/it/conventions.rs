//! What all tools have in common: a row a tool.

use std::os::unix::net::UnixListener;

use serde_json::Value;
use tempfile::TempDir;
use testbed::{Switch, or_skip};

use crate::tool::{Background, command, run, run_on_terminal, run_without_reader};

/// Words in capitals stand for what [`Place`] has.
struct Tool {
    name: &'static str,
    /// Looks at the switch.
    look: &'static [&'static str],
    /// The same for programs.
    json: &'static [&'static str],
    /// Asks at a socket where nobody is, or, with [`SILENT`], somebody who says nothing. Empty: it asks the kernel only.
    ask: &'static [&'static str],
    /// Goes on until it is stopped, without a need to print anything. Empty: it never does.
    stream: &'static [&'static str],
}

const TOOLS: [Tool; 10] = [
    Tool {
        name: "action-budget",
        look: &["--db", "DB", "--bridge", "br0", "--openflow", "MGMT"],
        json: &["--db", "DB", "--bridge", "br0", "--openflow", "MGMT", "--json"],
        ask: &["--db", "SOCKET"],
        stream: &[],
    },
    Tool {
        name: "dp-flows",
        look: &["--offline", "DATAPATH"],
        json: &["--offline", "DATAPATH", "--json"],
        ask: &[],
        stream: &[],
    },
    Tool {
        name: "dp-health",
        look: &["--db", "DB", "--interval", "0"],
        json: &["--db", "DB", "--interval", "0", "--json"],
        ask: &["--db", "SOCKET", "--interval", "0"],
        stream: &[],
    },
    Tool {
        name: "flow-diff",
        look: &["DUMP", "MGMT"],
        json: &["DUMP", "MGMT", "--json"],
        ask: &["DUMP", "SOCKET"],
        stream: &["--live", "MGMT"],
    },
    Tool {
        name: "flow-dump",
        look: &["MGMT"],
        json: &["MGMT", "--json"],
        ask: &["SOCKET"],
        stream: &[],
    },
    Tool {
        name: "netdev-wait",
        look: &["--offline", "LOG", "--db", "DB"],
        json: &["--offline", "LOG", "--db", "DB", "--json"],
        ask: &["--offline", "LOG", "--db", "SOCKET"],
        stream: &["--follow", "--offline", "FIFO", "--db", "DB"],
    },
    Tool {
        name: "ovsdb-monitor",
        look: &["DB", "Open_vSwitch", "Interface,name,external_ids"],
        json: &["DB", "Open_vSwitch", "ALL", "--json"],
        ask: &["SOCKET", "Open_vSwitch", "Interface"],
        stream: &["DB", "Open_vSwitch", "Bridge,name"],
    },
    Tool {
        name: "port-audit",
        look: &["--db", "DB", "--all", "--suggest", "--interval", "0"],
        json: &["--db", "DB", "--json", "--interval", "0"],
        ask: &["--db", "SOCKET"],
        stream: &[],
    },
    Tool {
        name: "port-timeline",
        look: &["d0", "--db", "DB", "--openflow", "MGMT"],
        json: &["d0", "--db", "DB", "--openflow", "MGMT", "--json"],
        ask: &["d0", "--db", "SOCKET"],
        stream: &["nothing", "--db", "DB"],
    },
    // What it sees of a switch it sees in the kernel: tests/kernel.
    Tool {
        name: "upcall-audit",
        look: &[],
        json: &[],
        ask: &["--db", "SOCKET", "--pid", "1"],
        stream: &[],
    },
];

#[test]
fn help_has_an_example_and_the_exit_statuses() {
    for Tool { name, .. } in TOOLS {
        let run = run(name, &["--help"], "");
        assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{run:?}");
        let mut lines = run.stdout.lines();
        let title = format!("{name}: ");
        assert!(
            lines.next().is_some_and(|line| line.starts_with(&title)),
            "{run:?}"
        );
        let example = |line: &str| line.starts_with("  ") && line.contains(&format!("{name} "));
        assert!(lines.any(example), "{run:?}");
        assert!(run.stdout.contains("\nExit status: 0 "), "{run:?}");
        assert!(
            run.stdout.lines().all(|line| line.chars().count() <= 120),
            "{run:?}"
        );
    }
}

#[test]
fn a_wrong_option_is_status_64_and_two_lines() {
    for Tool { name, .. } in TOOLS {
        let run = run(name, &["--bogus"], "");
        let said = (run.status, run.stdout.as_str(), run.stderr.lines().count());
        assert_eq!(said, (64, "", 2), "{run:?}");
        assert!(
            run.stderr.ends_with(&format!("{name}: see {name} --help\n")),
            "{run:?}"
        );
    }
}

#[test]
fn what_cannot_be_reached_is_status_3_and_named() {
    let Some(place) = Place::new() else { return };
    for Tool { name, ask, .. } in TOOLS {
        let run = run(name, &place.args(ask, "unix:/nonexistent"), "");
        assert_eq!(run.status, 3, "{name}: {run:?}");
        let named = run.stderr.contains("unix:/nonexistent") || run.stdout.contains("unix:/nonexistent");
        assert!(named || ask.is_empty(), "{name}: {run:?}");
        assert!(
            run.stderr
                .lines()
                .all(|line| line.starts_with(&format!("{name}: "))),
            "{run:?}"
        );
    }
}

#[test]
fn who_waits_for_more_than_a_second_says_for_what() {
    let Some(place) = Place::new() else { return };
    let socket = place.dir.path().join("silent");
    // Whoever connects is neither refused nor answered.
    let listener = UnixListener::bind(&socket).unwrap();
    let remote = format!("unix:{}", socket.display());
    let asking = TOOLS.iter().filter(|tool| !tool.ask.is_empty());
    let mut asking: Vec<_> = asking
        .map(|tool| {
            let args = place.args(tool.ask, &remote);
            (tool.name, Background::start(command(tool.name), &args))
        })
        .collect();
    for (name, tool) in &mut asking {
        tool.wait_for_error(&format!("{name}: waiting for {remote}"));
        tool.interrupt();
        assert_eq!((tool.wait(), tool.stdout().as_str()), (None, ""), "{name}");
    }
    drop(listener);
}

#[test]
fn json_is_an_object_a_line() {
    let Some(place) = Place::new() else { return };
    for Tool { name, json, .. } in TOOLS {
        let text = place.first_output(name, json);
        assert!(!text.is_empty() || json.is_empty(), "{name}");
        for line in text.lines() {
            let value: Value =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{name}: {error}: {line}"));
            assert!(value.is_object(), "{name}: {line}");
        }
    }
}

#[test]
fn a_pipe_gets_no_escapes_and_a_terminal_only_those_of_the_tool() {
    let Some(place) = Place::new() else { return };
    for Tool { name, look, json, .. } in TOOLS {
        for args in [look, json] {
            let text = place.first_output(name, args);
            let control = |c: char| c.is_control() && c != '\n';
            assert!(!text.contains(control), "{name}: {text:?}");
        }
    }
    let diff = place.args(&["DUMP", "MGMT"], "");
    let coloured = run_on_terminal("flow-diff", &diff, "");
    assert!(coloured.contains("\u{1b}[31m- table=0"), "{coloured:?}");
    let plain = run_on_terminal("flow-diff", &diff, "NO_COLOR=1");
    assert!(
        plain.contains("- table=0") && !plain.contains('\u{1b}'),
        "{plain:?}"
    );
}

#[test]
fn rows_and_lines_fit_the_terminal() {
    let Some(place) = Place::new() else { return };
    for (name, args) in [
        ("flow-diff", &["DUMP", "MGMT"][..]),
        ("flow-dump", &["DUMP"]),
        ("flow-dump", &["DUMP", "--by", "table"]),
        (
            "port-timeline",
            &["d0", "--db", "DB", "--openflow", "MGMT", "--for", "1"],
        ),
    ] {
        let text = run_on_terminal(name, &place.args(args, ""), "NO_COLOR=1");
        // Sentences are the terminal's to wrap.
        let rows = text.lines().take_while(|line| !line.is_empty());
        let rows: Vec<_> = rows.filter(|line| !line.starts_with(name)).collect();
        assert!(rows.len() > 1, "{text}");
        assert!(rows.iter().all(|row| row.chars().count() <= 60), "{name}: {text}");
    }
}

#[test]
fn a_reader_that_went_away_ends_each_quietly() {
    let Some(place) = Place::new() else { return };
    for Tool {
        name, stream, look, ..
    } in TOOLS
    {
        let run = run_without_reader(name, &["--help"]);
        assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{name}: {run:?}");
        if !stream.is_empty() {
            let run = run_without_reader(name, &place.args(stream, ""));
            assert_eq!(
                (run.status, quiet(&run.stderr).as_str()),
                (0, ""),
                "{name}: {run:?}"
            );
        }
        // It may have a warning of its own, but none of the reader.
        let run = run_without_reader(name, &place.args(look, ""));
        assert!(!run.stderr.contains("pipe") && run.status <= 3, "{name}: {run:?}");
    }
}

#[test]
fn an_interrupt_ends_each_that_goes_on_quietly() {
    let Some(place) = Place::new() else { return };
    let streams = TOOLS.iter().filter(|tool| !tool.stream.is_empty());
    let waits = [
        ("port-audit", &["--db", "DB", "--interval", "60"][..]),
        ("dp-health", &["--listen", "127.0.0.1:0"]),
    ];
    let running: Vec<_> = streams
        .map(|tool| (tool.name, tool.stream))
        .chain(waits)
        .map(|(name, args)| (name, Background::start(command(name), &place.args(args, ""))))
        .collect();
    // Long enough that they have connected.
    std::thread::sleep(std::time::Duration::from_millis(500));
    for (name, mut tool) in running {
        tool.interrupt();
        assert_eq!(
            (tool.wait(), quiet(&tool.stderr()).as_str()),
            (None, ""),
            "{name}"
        );
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

/// What tools look at: a switch with a flow and a port in error, and files, all with escapes where there may be some.
struct Place {
    switch: Switch,
    dir: TempDir,
}

impl Place {
    fn new() -> Option<Self> {
        let switch = or_skip(Switch::start())?;
        switch.add_bridge("br0").unwrap();
        let hostile = "external_ids:iface-id=\"\\u001b[31mx\"";
        switch
            .add_port("br0", "d0", &["type=dummy", "ofport_request=1", hostile])
            .unwrap();
        switch
            .add_port("br0", "p0", &["type=patch", "options:peer=q"])
            .unwrap();
        let flow = "table=1,priority=5,tcp,tp_dst=80,in_port=1,dl_src=fa:16:3e:00:00:01,actions=output:2,output:3,output:4";
        switch.ofctl(&["add-flow", &switch.mgmt("br0"), flow]).unwrap();
        let dir = tempfile::tempdir().unwrap();
        // Nobody writes to it, so whoever reads it waits.
        testbed::sh(&format!("mkfifo {}", dir.path().join("FIFO").display()));
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
        write(
            "DUMP",
            " table=0,priority=1,in_port=\"a\u{1b}[31m\",dl_src=fa:16:3e:00:00:01 actions=resubmit(,23),resubmit(,24)\n",
        );
        write(
            "LOG",
            "[1.0] unregister_netdevice: waiting for d0 to become free. Usage count = 1\n\
                      [2.0] unregister_netdevice: waiting for \u{1b}[31m to become free. Usage count = 1\n",
        );
        write(
            "DATAPATH",
            "in_port(1),eth(), packets:1, bytes:2, used:never, actions:new\u{1b}[31m(7)\n",
        );
        Some(Self { switch, dir })
    }

    fn args(&self, args: &[&str], socket: &str) -> Vec<&'static str> {
        let word = |word: &&str| match *word {
            "DB" => self.switch.db().remote(),
            "MGMT" => self.switch.mgmt("br0"),
            "SOCKET" => socket.to_owned(),
            file @ ("DUMP" | "LOG" | "DATAPATH" | "FIFO") => self.dir.path().join(file).display().to_string(),
            word => word.to_owned(),
        };
        // A test is short, and so are its words.
        args.iter().map(|text| &*word(text).leak()).collect()
    }

    /// What it prints; of a stream what it prints at first.
    fn first_output(&self, name: &str, args: &[&str]) -> String {
        if args.is_empty() {
            return String::new();
        }
        let args = self.args(args, "");
        match name {
            "ovsdb-monitor" | "port-timeline" => {
                let stream = Background::start(command(name), &args);
                stream.wait_for(|text| text.ends_with('\n'))
            }
            _ => run(name, &args, "").stdout,
        }
    }
}

/// Without what a tool says because there is no kernel of Open vSwitch.
fn quiet(stderr: &str) -> String {
    let expected = ["no ports of the kernel's datapath", "looking again in", "metrics"];
    let lines = stderr
        .lines()
        .filter(|line| !expected.iter().any(|words| line.contains(words)));
    lines.collect()
}
