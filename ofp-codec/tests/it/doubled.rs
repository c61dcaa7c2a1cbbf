//! Keys that a line has twice: asked of the real `ovs-ofctl`.

use ofp_codec::{
    Flow, FlowFlags, Version,
    lint::{LineProblem, line_problems},
    text::FlowRef,
};
use testbed::{Switch, or_skip};

use crate::{oracle, random::Random};

/// Each key with two values that differ; a flag without.
const KEYS: [(&str, &[&str]); 21] = [
    ("cookie", &["=0x1", "=0x2"]),
    ("table", &["=1", "=2"]),
    ("table_id", &["=1", "=2"]),
    ("priority", &["=1", "=2"]),
    ("idle_timeout", &["=1", "=2"]),
    ("hard_timeout", &["=1", "=2"]),
    ("importance", &["=1", "=2"]),
    ("send_flow_rem", &[""]),
    ("check_overlap", &[""]),
    ("reset_counts", &[""]),
    ("no_packet_counts", &[""]),
    ("no_byte_counts", &[""]),
    ("allow_hidden_fields", &[""]),
    ("no_readonly_table", &[""]),
    ("duration", &["=1s", "=2s"]),
    ("n_packets", &["=1", "=?"]),
    ("n_bytes", &["=1", "=2"]),
    ("n_offload_packets", &["=1", "=2"]),
    ("n_offload_bytes", &["=1", "=2"]),
    ("idle_age", &["=1", "=2"]),
    ("hard_age", &["=1", "=2"]),
];

#[test]
fn ovs_ofctl_does_with_each_key_that_is_there_twice_what_the_lint_says() {
    let Some(switch) = or_skip(Switch::start()) else {
        return;
    };
    let parse = |keys: &str| {
        let line = format!("{keys} actions=drop");
        switch.ofctl(&["-O", "OpenFlow15", "parse-flow", &line]).ok()
    };
    let mut refused = 0;
    for (key, values) in KEYS {
        for (first, last) in values.iter().zip(values.iter().rev()) {
            let both = format!("{key}{first},tcp,{key}{last}");
            let [first, last] = [first, last].map(|value| format!("{key}{value},tcp"));
            let parsed = parse(&both);
            let found = line_problems(&FlowRef::parse(format!("{both} actions=").as_bytes()).unwrap());
            let [problem] = *found else {
                panic!("{both}: {found:?}");
            };
            assert_eq!(parsed.is_none(), problem.is_refused(), "{both}");
            match problem {
                LineProblem::Overridden(_) => {
                    assert_eq!(parsed, parse(&last), "{both}");
                    assert_ne!(parsed, parse(&first), "{both}");
                }
                LineProblem::Redundant(_) => assert_eq!(parsed, parse(&first), "{both}"),
                LineProblem::Statistic(_) => assert_eq!(parsed, parse("tcp"), "{both}"),
                LineProblem::Unreadable(_) => {
                    assert_eq!((parse(&first), parse(&last)), (None, None), "{both}");
                    refused += 1;
                }
                _ => panic!("{problem:?}"),
            }
            assert_eq!(parse(&first).is_none(), problem.is_refused(), "{first}");
        }
    }
    assert_eq!(refused, 6);
    for both in ["table=1,table_id=2", "table_id=1,table=2"] {
        assert_eq!(parse(both), None, "{both}");
    }
}

#[test]
fn of_random_keys_the_typed_flow_keeps_what_ovs_ofctl_keeps() {
    let Some(switch) = or_skip(Switch::start()) else {
        return;
    };
    let mut random = Random::seeded(0xd0b1ed);
    let readable: Vec<_> = KEYS
        .into_iter()
        .filter(|(key, _)| *key != "table_id" && !key.starts_with("n_offload"))
        .collect();
    let lines: Vec<String> = (0..1000)
        .map(|_| {
            let items = (0..=random.below(12)).map(|_| {
                let (key, values) = random.pick(&readable);
                format!("{key}{}", random.pick(values))
            });
            let items: Vec<_> = items.collect();
            format!("{} actions=drop", items.join(","))
        })
        .collect();
    let parsed = switch
        .ofctl_stdin(&["-O", "OpenFlow15", "parse-flows", "-"], &lines.join("\n"))
        .unwrap();
    let theirs: Vec<_> = parsed
        .lines()
        .filter_map(|line| line.split_once(" ADD "))
        .collect();
    assert_eq!(theirs.len(), lines.len());
    let mut doubled = 0;
    for (line, (_, theirs)) in lines.iter().zip(theirs) {
        let read = FlowRef::parse(line.as_bytes()).unwrap();
        let flow = Flow {
            // What exists inside Open vSwitch only has no place in a message.
            flags: FlowFlags(read.to_flow().unwrap().flags.0 & 0xffff),
            ..read.to_flow().unwrap()
        };
        assert_eq!(theirs, oracle::flow_mod(&flow.canonical(Version::V1_5)), "{line}");
        doubled += usize::from(!line_problems(&read).is_empty());
    }
    assert!(doubled > 500, "{doubled}");
}
