//! `ovs-ofctl parse-flow` on thousands of flows: what it accepts, and how it prints them.

use std::{collections::BTreeMap, fs, path::PathBuf};

use ofp_codec::{
    Action, DEFAULT_PRIORITY, Flow, FlowFlags, MatchEntry, TableRef, Version, lint, text::FlowRef,
};

/// A row of the file.
struct Row {
    options: String,
    accepted: bool,
    chosen: String,
    printed: String,
    error: String,
    flow: String,
}

impl Row {
    fn version(&self) -> Version {
        match &*self.options {
            "" | "-OOpenFlow10" => Version::V1_0,
            "-OOpenFlow11" => Version::V1_1,
            "-OOpenFlow13" => Version::V1_3,
            "-OOpenFlow15" => Version::V1_5,
            options => panic!("{options}"),
        }
    }

    fn flow(&self) -> Flow {
        let flow = FlowRef::parse(self.flow.as_bytes()).and_then(|line| line.to_flow());
        flow.unwrap()
    }
}

/// The flows that Open vSwitch takes, each with a version in which it does.
pub(crate) fn accepted_flows() -> impl Iterator<Item = (Version, Flow)> {
    let rows = rows().into_iter().filter(|row| row.accepted);
    rows.map(|row| (row.version(), row.flow()))
}

fn rows() -> Vec<Row> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/flow-text-oracle.tsv");
    let text: String = fs::read(path).unwrap().into_iter().map(char::from).collect();
    let rows: Vec<Row> = text
        .lines()
        .skip(1)
        .map(|line| {
            let [options, status, _, chosen, printed, error, flow] =
                line.split('\t').collect::<Vec<_>>().try_into().unwrap();
            Row {
                options: options.into(),
                accepted: status == "0",
                chosen: chosen.into(),
                printed: printed.into(),
                error: error.into(),
                flow: flow.into(),
            }
        })
        .collect();
    assert_eq!(rows.len(), 8475);
    rows
}

/// The flows that Open vSwitch takes and can read back in all these versions.
pub(crate) fn flows_read_back_in(versions: &[&str]) -> Vec<String> {
    let mut flows = BTreeMap::new();
    for row in rows() {
        let version = row
            .options
            .strip_prefix("-O")
            .is_some_and(|version| versions.contains(&version));
        if version && row.accepted && print_exception(&row).is_none() {
            *flows.entry(row.flow).or_insert(0) += 1;
        }
    }
    flows.retain(|_, count| *count == versions.len());
    flows.into_keys().collect()
}

/// Why a row is not judged, or judged otherwise.
fn accept_exception(row: &Row) -> Option<&'static str> {
    let error = &row.error;
    let has = |words: &[&str]| words.iter().any(|word| error.contains(word));
    if error.ends_with("no usable protocol") {
        return Some("only an encoder knows what a version can say");
    }
    let newer = (16..32)
        .map(|n| format!("reg{n}"))
        .chain((8..16).map(|n| format!("xreg{n}")))
        .chain((4..8).map(|n| format!("xxreg{n}")));
    if newer.into_iter().any(|name| row.flow.contains(&name)) {
        return Some("registers above 15 are younger than release 3.1");
    }
    if has(&["invalid numeric format NXM_NX_REG0"]) {
        return Some("sample with bits of a field is younger than release 3.1");
    }
    None
}

#[test]
fn what_ovs_ofctl_accepts_is_accepted_and_what_it_refuses_is_refused() {
    let mut exceptions = BTreeMap::new();
    for row in rows() {
        let refused = match FlowRef::parse(row.flow.as_bytes()).and_then(|line| line.to_flow()) {
            Err(error) => Some(error.to_string()),
            Ok(flow) if is_unknown(&flow) => Some("unknown".into()),
            Ok(flow) => lint::problems(&flow)
                .into_iter()
                .find(|problem| problem.is_refused())
                .map(|problem| problem.to_string()),
        };
        // What it makes of the text a switch can refuse.
        let taken = row.accepted && !row.printed.contains("***decode error");
        if taken == refused.is_none() {
            continue;
        }
        if row.accepted && !taken {
            *exceptions
                .entry("a switch refuses the bytes of this version")
                .or_insert(0) += 1;
            continue;
        }
        let Some(reason) = accept_exception(&row).filter(|_| !row.accepted) else {
            panic!("{:?}: {} {refused:?}\n{}", row.options, row.error, row.flow);
        };
        *exceptions.entry(reason).or_insert(0) += 1;
    }
    let expected = [
        ("a switch refuses the bytes of this version", REFUSED_ROWS),
        ("only an encoder knows what a version can say", ENCODER_ROWS),
        ("registers above 15 are younger than release 3.1", REGISTER_ROWS),
        ("sample with bits of a field is younger than release 3.1", 5),
    ];
    assert_eq!(exceptions, BTreeMap::from(expected));
}

fn is_unknown(flow: &Flow) -> bool {
    let unknown = |action: &Action| matches!(action, Action::Unknown { .. });
    let entry = |entry: &MatchEntry| matches!(entry, MatchEntry::Unknown(_));
    flow.actions.iter().any(unknown) || flow.matches.0.iter().any(entry) || !flow.unknown.is_empty()
}

/// Why Open vSwitch prints a flow otherwise.
fn print_exception(row: &Row) -> Option<&'static str> {
    let flow = &row.flow;
    let (_, actions) = flow.split_once("actions=").unwrap();
    if row.printed.contains("***decode error") {
        return Some("it cannot decode what it encoded");
    }
    if ["tun_erspan_ver=", "tun_gtpu_flags=0x0 "]
        .iter()
        .any(|zero| flow.starts_with(zero))
    {
        return Some("release 3.1 forgets these fields if they are zero");
    }
    if actions.starts_with("output:") {
        return Some("more than 64 bits do not fit into its output action, and others come out");
    }
    if actions.starts_with("ct(zone=") {
        return Some("a zone from bits without a short header becomes a number");
    }
    if actions.starts_with("load:0xa3c->dl_vlan") {
        return Some("a field without any header becomes another one");
    }
    let fixed = row.chosen == "OpenFlow10-table_id" || row.chosen == "OpenFlow11";
    if fixed && (row.printed.contains("ADD vlan_tci=0x0000 ") || flow.contains("nw_ecn=")) {
        return Some("the fixed match of OpenFlow 1.0 and 1.1, which no dump uses, says less");
    }
    None
}

#[test]
fn every_flow_prints_as_ovs_ofctl_prints_it() {
    let mut exceptions = BTreeMap::new();
    let mut equal = 0;
    for row in rows().into_iter().filter(|row| row.accepted) {
        let (version, flow) = (row.version(), row.flow());
        let ours = flow_mod(&flow.canonical(version));
        if row
            .printed
            .split_once(" ADD ")
            .is_some_and(|(_, theirs)| theirs == ours)
        {
            equal += 1;
            continue;
        }
        let Some(reason) = print_exception(&row) else {
            panic!("{version:?} {}\n{}\n{ours}", row.flow, row.printed);
        };
        *exceptions.entry(reason).or_insert(0) += 1;
    }
    let expected = [
        ("it cannot decode what it encoded", 235),
        ("release 3.1 forgets these fields if they are zero", 20),
        (
            "more than 64 bits do not fit into its output action, and others come out",
            52,
        ),
        ("a zone from bits without a short header becomes a number", 15),
        ("a field without any header becomes another one", 5),
        (
            "the fixed match of OpenFlow 1.0 and 1.1, which no dump uses, says less",
            FIXED_ROWS,
        ),
    ];
    assert_eq!((equal, exceptions), (PRINTED_ROWS, BTreeMap::from(expected)));
}

/// The flow as OpenFlow messages print it.
pub(crate) fn flow_mod(flow: &Flow) -> String {
    let mut words = Vec::new();
    if flow.table != TableRef::Number(0) {
        words.push(format!("table:{}", flow.table));
    }
    let mut matches = Vec::new();
    if flow.priority != DEFAULT_PRIORITY {
        matches.push(format!("priority={}", flow.priority));
    }
    matches.extend(Some(flow.matches.to_string()).filter(|text| !text.is_empty()));
    words.extend(Some(matches.join(",")).filter(|text| !text.is_empty()));
    if flow.cookie != 0 && flow.cookie != u64::MAX {
        words.push(format!("cookie:{:#x}", flow.cookie));
    }
    for (key, number) in [
        ("idle", flow.idle_timeout),
        ("hard", flow.hard_timeout),
        ("importance", flow.importance),
    ] {
        words.extend((number != 0).then(|| format!("{key}:{number}")));
    }
    words.extend((flow.flags != FlowFlags::default()).then(|| flow.flags.to_string()));
    let actions: Vec<_> = flow.actions.iter().map(ToString::to_string).collect();
    words.push(format!("actions={}", actions.join(",")));
    words.join(" ")
}

const ENCODER_ROWS: usize = 606;
const REFUSED_ROWS: usize = 97;
const REGISTER_ROWS: usize = 1390;
const FIXED_ROWS: usize = 17;
const PRINTED_ROWS: usize = 5763;
