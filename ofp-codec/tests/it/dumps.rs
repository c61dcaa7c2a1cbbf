//! Every line that Open vSwitch printed is read, prints back the same, and types.

use std::{fs, path::PathBuf};

use ofp_codec::{
    Action, MatchEntry,
    text::{FlowRef, Item, items},
};

/// The dumps, each with its name.
pub(crate) fn dumps() -> Vec<(String, Vec<u8>)> {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/dumps");
    let mut dumps: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .map(|path| {
            (
                path.file_name().unwrap().to_string_lossy().into_owned(),
                fs::read(path).unwrap(),
            )
        })
        .collect();
    dumps.sort();
    assert_eq!(dumps.len(), 23);
    dumps
}

/// The flows of the dumps, each with the name of its dump.
pub(crate) fn for_each_flow(mut check: impl FnMut(&str, &FlowRef<'_>)) {
    let mut flows = 0;
    for (name, dump) in dumps() {
        for item in items(&dump) {
            if let Item::Flow(flow) = item.unwrap() {
                check(&name, &flow);
                flows += 1;
            }
        }
    }
    assert_eq!(flows, FLOWS);
}

#[test]
fn every_dump_prints_back_byte_for_byte() {
    for (name, dump) in dumps() {
        let mut printed = Vec::new();
        for item in items(&dump) {
            let item = item.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(item.to_string().as_bytes(), item.raw(), "{name}");
            printed.extend_from_slice(item.raw());
            printed.push(b'\n');
        }
        assert!(printed == dump, "{name}");
    }
}

#[test]
fn every_typed_match_and_action_prints_as_open_vswitch_printed_it() {
    for_each_flow(|name, line| {
        let flow = line.to_flow().unwrap_or_else(|error| panic!("{name}: {error}"));
        let matches = line.match_text();
        let matches = match matches.strip_prefix("priority=") {
            Some(rest) => rest.split_once(',').map_or("", |(_, rest)| rest),
            None => &matches,
        };
        assert_eq!(flow.matches.to_string(), matches, "{name}");
        let actions: Vec<_> = flow.actions.iter().map(ToString::to_string).collect();
        // With colours, Open vSwitch forgets to take the comma after `exec(..)` off.
        let printed = line.actions_text().replace(",)", ")");
        assert_eq!(actions.join(","), printed, "{name}");
        assert!(
            !flow
                .actions
                .iter()
                .any(|action| matches!(action, Action::Unknown { .. }))
        );
        assert!(
            !flow
                .matches
                .0
                .iter()
                .any(|entry| matches!(entry, MatchEntry::Unknown(_)))
        );
        assert_eq!(flow.unknown, [], "{name}");
    });
}

#[test]
fn every_typed_flow_prints_as_ovs_ofctl_printed_it() {
    for_each_flow(|name, line| {
        let ofctl = !name.contains("bridge-dump-flows") && !name.contains("color");
        if ofctl {
            let flow = line.to_flow().unwrap();
            assert_eq!(flow.to_string(), line.to_string().trim_start(), "{name}");
        }
    });
}

/// Lines with `actions=` in the dumps.
const FLOWS: usize = 2456;

#[test]
fn what_a_switch_prints_first_reads_as_it_does_elsewhere() {
    // Behind a tab nothing is where a switch prints it.
    let same = |line: &str| {
        let typed = |line: &str| FlowRef::parse(line.as_bytes()).and_then(|line| line.to_flow());
        assert_eq!(typed(&format!(" {line}")), typed(&format!("\t{line}")), "{line}");
    };
    let mut lines = 0;
    for_each_flow(|_, line| {
        same(line.to_string().trim_start());
        lines += 1;
    });
    assert!(lines > 1000, "{lines}");
    let values = [
        "",
        "0",
        "00",
        "07",
        "08",
        "0x",
        "0xg",
        "1.5",
        "1.5s",
        "1.s",
        "1ss",
        "?",
        "255",
        "256",
        "65535",
        "65536",
        "9999999999999999",
        "18446744073709551615",
        "18446744073709551616",
        "0xffffffffffffffff",
        "0x10000000000000000",
        "1 ",
        "1,",
        "1, ,",
        "\"1\"",
        "(1)",
    ];
    let keys = ["cookie", "duration", "table", "n_packets", "n_bytes", "priority"];
    for (key, value) in keys.iter().flat_map(|key| values.map(|value| (key, value))) {
        for end in [", ", ",", " ", ""] {
            same(&format!("{key}={value}{end}new=1, tcp,tp_dst=80 actions=drop"));
            same(&format!("cookie=0x1, {key}={value}{end}{key}=2{end}actions=drop"));
            same(&format!("{key}={value}{end}"));
        }
    }
}
