//! What Open vSwitch prints and cannot read: asked of the real `ovs-ofctl`.

use std::collections::{BTreeMap, BTreeSet};

use ofp_codec::{
    Field, Flow, Version,
    lint::{Problem, problems},
    text::FlowRef,
};
use testbed::{Switch, or_skip};

use crate::oracle;

fn read(line: &str) -> Flow {
    FlowRef::parse(line.as_bytes()).unwrap().to_flow().unwrap()
}

fn is_unreadable(flow: &Flow) -> bool {
    let printed = |problem: &Problem| matches!(problem, Problem::Printed(_));
    problems(flow)
        .iter()
        .any(|problem| problem.is_refused() || printed(problem))
}

#[test]
fn what_a_version_prints_and_ovs_ofctl_cannot_read_is_named() {
    let Some(switch) = or_skip(Switch::start()) else {
        return;
    };
    let mut lines: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for (version, flow) in oracle::accepted_flows() {
        let flow = flow.canonical(version);
        let option = match version {
            Version::V1_0 => "OpenFlow10",
            Version::V1_1 => "OpenFlow11",
            Version::V1_3 => "OpenFlow13",
            _ => "OpenFlow15",
        };
        lines
            .entry((option, is_unreadable(&flow)))
            .or_default()
            .insert(flow.to_string());
    }
    let mut counts = [0, 0];
    for ((option, unreadable), lines) in &lines {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let unread = unread(&switch, option, &lines, *unreadable);
        match unreadable {
            true => assert_eq!(unread, lines, "{option}"),
            false => assert_eq!(unread, [""; 0], "{option}"),
        }
        counts[usize::from(*unreadable)] += lines.len();
    }
    assert_eq!(counts, [4399, 169]);
}

/// The lines that `ovs-ofctl` cannot read, each by itself, or those too that a switch refuses of which it makes
/// messages. What it reads but the version cannot say is none of them.
fn unread<'a>(switch: &Switch, option: &str, lines: &[&'a str], refused: bool) -> Vec<&'a str> {
    let parsed = switch.ofctl_stdin(&["-O", option, "parse-flows", "-"], &lines.join("\n"));
    match (parsed, lines) {
        (Ok(printed), _) if !refused || !printed.contains("***decode error") => Vec::new(),
        (Err(error), [_]) if format!("{error:?}").contains("no usable protocol") => Vec::new(),
        (_, [line]) => vec![line],
        (_, lines) => {
            let (left, right) = lines.split_at(lines.len() / 2);
            [
                unread(switch, option, left, refused),
                unread(switch, option, right, refused),
            ]
            .concat()
        }
    }
}

#[test]
fn names_that_break_the_line_are_named() {
    let Some(switch) = or_skip(Switch::start()) else {
        return;
    };
    switch.add_bridge("br0").unwrap();
    let br0 = switch.mgmt("br0");
    let names = [
        "a,b", "a b", "c(d", "c(d)", "action", "e\"f", "eth0", "eth.1", "eth-1", "3com", "x_action", "act",
        "a:b", "a=b",
    ];
    for (name, port) in names.iter().zip(10..) {
        let request = format!("ofport_request={port}");
        let set = ["set", "interface", name, "type=dummy", &request];
        switch
            .vsctl(&[&["add-port", "br0", name, "--"], &set[..]].concat())
            .unwrap();
    }
    for port in (10..).take(names.len()) {
        for line in [
            format!("in_port={port},actions=drop"),
            format!("actions=output:{port},output:1"),
        ] {
            switch.ofctl(&["del-flows", &br0]).unwrap();
            switch.ofctl(&["add-flow", &br0, &line]).unwrap();
            let dump = switch
                .ofctl(&["--names", "--no-stats", "dump-flows", &br0])
                .unwrap();
            let printed = dump.trim();
            let taken = switch.ofctl(&["--names", "add-flow", &br0, printed]).is_ok();
            assert_eq!(taken, !is_unreadable(&read(printed)), "{printed}");
        }
    }
}

#[test]
fn of_protocols_that_differ_the_last_counts_and_is_named() {
    let Some(switch) = or_skip(Switch::start()) else {
        return;
    };
    let parse = |line: &str| switch.ofctl(&["-O", "OpenFlow13", "parse-flow", line]).unwrap();
    for (first, last, repeated) in [
        ("tcp", "udp", Some(Field::IpProto)),
        ("ip", "arp", Some(Field::EthType)),
        ("tcp", "tcp6", Some(Field::EthType)),
        ("nw_proto=6", "udp", Some(Field::IpProto)),
        ("ip", "tcp", None),
        ("dl_type=0x800", "tcp", None),
        ("reg0=1", "reg0=2", Some(Field::Reg0)),
    ] {
        let line = |key| format!("{key} actions=drop");
        let both = line(format!("{first},{last}"));
        assert_eq!(parse(&both), parse(&line(last.into())), "{both}");
        let expected: Vec<_> = repeated.map(Problem::Repeated).into_iter().collect();
        assert_eq!(problems(&read(&both)), expected, "{both}");
    }
}

#[test]
fn internal_actions_and_ports_that_no_switch_has_are_named() {
    let Some(switch) = or_skip(Switch::start()) else {
        return;
    };
    for (line, problems_of) in [
        ("actions=unroll_xlate(table=0, cookie=5)", 1),
        ("in_port=65576 actions=drop", 1),
        (
            "actset_output=70000 actions=output:70000,enqueue:70000:1,resubmit:70000,resubmit(70000,1)",
            5,
        ),
        (
            "actions=bundle(eth_src,0,hrw,ofport,members:70000,2),output(port=70000,max_len=100)",
            2,
        ),
        (
            "actions=sample(probability=1,collector_set_id=2,obs_domain_id=3,obs_point_id=4,sampling_port=70000)",
            1,
        ),
        ("actions=learn(in_port=70000),set_field:70000->in_port", 2),
        ("in_port=65279 actions=output:65279,LOCAL", 0),
    ] {
        let found = problems(&read(line));
        assert_eq!(found.len(), problems_of, "{found:?}");
        let parsed = switch.ofctl(&["-O", "OpenFlow13", "parse-flow", line]);
        assert_eq!(parsed.is_ok(), problems_of == 0, "{line}");
    }
}

#[test]
fn the_type_of_icmp_is_the_low_byte_of_a_port() {
    let Some(switch) = or_skip(Switch::start()) else {
        return;
    };
    for line in [
        "tcp6,tcp_src=10681,icmp6 actions=drop",
        "tcp,tcp_dst=10681/0xff00,icmp actions=drop",
    ] {
        let theirs = switch.ofctl(&["-O", "OpenFlow13", "parse-flow", line]).unwrap();
        let ours = oracle::flow_mod(&read(line).canonical(Version::V1_3));
        assert_eq!(
            theirs.lines().last().unwrap().split_once("ADD ").unwrap().1,
            ours,
            "{line}"
        );
    }
}
