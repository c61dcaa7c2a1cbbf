//! Flows as people write them: what `ovs-ofctl parse-flows` reads is read, and is the same flow.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use ofp_codec::{Flow, Version, text::FlowRef};
use testbed::{or_skip, program};

use crate::{
    flow_mods::{Row, rows},
    oracle::flow_mod,
    random::Random,
};

fn canonical(line: &str, version: Version) -> String {
    flow_mod(&flow(line).canonical(version))
}

fn flow(line: &str) -> Flow {
    let flow = FlowRef::parse(line.as_bytes()).and_then(|flow| flow.to_flow());
    flow.unwrap_or_else(|error| panic!("{line:?}: {error}"))
}

#[test]
fn each_spelling_is_the_flow_that_open_vswitch_reads() {
    for (line, canonical) in [
        ("actions=pop_vlan output:0", "actions=pop_vlan,output:0"),
        (
            "in_port=1,action=pop_mpls:0x0800,output:LOCAL",
            "in_port=1 actions=pop_mpls:0x0800,LOCAL",
        ),
        (
            "actions=bundle_load(symmetric_l4,60,hrw,ofport,reg0[0..15],members:[2,3])",
            "actions=bundle_load(symmetric_l4,60,hrw,ofport,NXM_NX_REG0[0..15],members:2,3)",
        ),
        (
            "actions=load:0x0123456789abcdeffedcba9876543210->NXM_NX_XXREG1[]",
            "actions=set_field:0x123456789abcdeffedcba9876543210->xxreg1",
        ),
        ("ip,actions=DROP", "ip actions=drop"),
        (
            "ip actions=ct(commit,nat(src=0.0.0.0),table=10)",
            "ip actions=ct(commit,table=10,nat(src))",
        ),
        (
            "actions=output(max_len=100,port=1)",
            "actions=output(port=1,max_len=100)",
        ),
        ("in_port:1,actions=,2,", "in_port=1 actions=output:2"),
        (
            "eth,ip,nw_src(10.0.0.1) actions= 1",
            "ip,nw_src=10.0.0.1 actions=output:1",
        ),
        (
            "tcp\ttp_dst:80,,actions=Output:1\tmod_NW_tos(8)",
            "tcp,tp_dst=80 actions=output:1,set_field:2->ip_dscp",
        ),
        ("actions=", "actions=drop"),
    ] {
        assert_eq!(
            flow_mod(&flow(line).canonical(Version::V1_5)),
            canonical,
            "{line}"
        );
        let raw = FlowRef::parse(line.as_bytes()).unwrap();
        assert_eq!(raw.to_string(), line);
    }
}

#[test]
fn a_switchs_own_words_print_back() {
    let line = "priority=194,ipv6,reg14=0x1,metadata=0x4,ipv6_dst=fe80::/64 actions=dec_ttl(),resubmit(,22)";
    assert_eq!(flow(line).to_string(), line);
}

/// Writes a flow in another way that means the same.
fn rewrite(line: &str, random: &mut Random) -> String {
    let (matches, actions) = line.split_once("actions=").unwrap();
    let mut out = String::new();
    for item in items(matches) {
        out += &match item.split_once('=') {
            Some((key, value)) => value_of(key, value, "=", random),
            None => item.to_owned(),
        };
        out += *random.pick(&[",", ", ", " ", ",,", " , ", "\t"]);
    }
    out += *random.pick(&["actions=", "action=", "actions= ", "actions=,"]);
    for (number, item) in items(actions).into_iter().enumerate() {
        if number > 0 {
            out += *random.pick(&[",", ", ", " ", ",,", "\t"]);
        }
        let end = item.find([':', '(', '=']).unwrap_or(item.len());
        let (name, rest) = item.split_at(end);
        let name = match random.below(4) {
            0 => name.to_uppercase(),
            1 => name[..1].to_uppercase() + &name[1..],
            _ => name.to_owned(),
        };
        out += &match rest.as_bytes() {
            [b':', ..] => value_of(&name, &rest[1..], ":", random),
            [b'(', inner @ .., b')'] if !inner.iter().any(|byte| b"(), \t".contains(byte)) => {
                value_of(&name, &rest[1..rest.len() - 1], ":", random)
            }
            _ => name + rest,
        };
    }
    out += *random.pick(&["", "", ",", " ,", " "]);
    out
}

/// A key and its value.
fn value_of(key: &str, value: &str, usual: &str, random: &mut Random) -> String {
    let plain = !value.is_empty() && !value.contains(['(', ')', ',', '"', ' ', '=', '>']);
    match random.below(6) {
        0 if plain => format!("{key}({value})"),
        1 if plain => format!("{key}={value}"),
        2 | 3 => format!("{key}:{value}"),
        _ => format!("{key}{usual}{value}"),
    }
}

/// What commas and white space separate, outside of parentheses.
fn items(list: &str) -> Vec<&str> {
    let (mut depth, mut start, mut items) = (0, 0, Vec::new());
    for (at, c) in list.char_indices().chain([(list.len(), ',')]) {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' | ' ' | '\t' if depth == 0 => {
                items.extend(Some(&list[start..at]).filter(|item| !item.is_empty()));
                start = at + 1;
            }
            _ => {}
        }
    }
    items
}

/// What `ovs-ofctl parse-flows` prints of each; those that it refuses go.
fn parsed(ofctl: &Path, version: &str, lines: &mut Vec<String>, file: &Path) -> Vec<String> {
    loop {
        fs::write(file, lines.join("\n") + "\n").unwrap();
        let mut parse = Command::new(ofctl);
        parse.args(["-O", version, "--no-names", "parse-flows"]).arg(file);
        let done = parse.output().unwrap();
        if done.status.success() {
            let text = String::from_utf8_lossy(&done.stdout).into_owned();
            let flows = text.lines().filter_map(|line| line.split_once(" ADD "));
            return flows.map(|(_, flow)| flow.to_owned()).collect();
        }
        let error = String::from_utf8_lossy(&done.stderr).into_owned();
        let line = error
            .lines()
            .find_map(|line| line.split_once(&format!("{}:", file.display())));
        let Some((_, line)) = line else { panic!("{error}") };
        let (number, _) = line.split_once(':').unwrap();
        lines.remove(number.parse::<usize>().unwrap() - 1);
    }
}

#[test]
fn flows_in_every_spelling_are_read_as_ovs_ofctl_reads_them() {
    let Some(ofctl) = or_skip(program("ovs-ofctl")) else {
        return;
    };
    let rounds = std::env::var("OVS_RS_ROUNDS").map_or(1500, |rounds| rounds.parse().unwrap());
    let mut random = Random::seeded(0x7370_656c_6c69);
    let dir = tempfile::tempdir().unwrap();
    let (mut read, mut differ) = (0, Vec::new());
    for (version, name) in [(Version::V1_3, "OpenFlow13"), (Version::V1_5, "OpenFlow15")] {
        // What is printed otherwise as it stands has its reasons in the tests of each.
        let same =
            |row: &Row| row.printed.as_deref() == Ok(&format!("ADD {}", canonical(&row.flow, version)));
        let rows = rows()
            .into_iter()
            .filter(|row| row.version == version && same(row));
        let flows: BTreeSet<String> = rows
            .map(|row| row.flow)
            .filter(|flow| !flow.contains('"'))
            .collect();
        assert!(flows.len() > 1000);
        let flows: Vec<_> = flows.into_iter().collect();
        let mut left: usize = rounds / 2;
        while left > 0 {
            let count = left.min(1000);
            left -= count;
            let mut lines: Vec<_> = (0..count)
                .map(|_| rewrite(&flows[random.below(flows.len())], &mut random))
                .collect();
            let theirs = parsed(&ofctl, name, &mut lines, &dir.path().join("flows"));
            assert_eq!(lines.len(), theirs.len());
            assert!(lines.len() * 10 > count * 9, "{} of {count}", lines.len());
            read += lines.len();
            for (line, theirs) in lines.iter().zip(theirs) {
                let ours = FlowRef::parse(line.as_bytes()).and_then(|flow| flow.to_flow());
                let ours = ours.map(|flow| flow_mod(&flow.canonical(version)));
                if ours.as_ref() != Ok(&theirs) && !theirs.contains("***decode error") {
                    differ.push(format!("{line}\n{ours:?}\n{theirs}"));
                }
            }
        }
    }
    eprintln!("{} of {read} differ", differ.len());
    assert!(differ.is_empty(), "{}", differ.join("\n\n"));
}
