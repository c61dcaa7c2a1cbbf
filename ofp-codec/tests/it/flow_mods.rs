//! The messages that `ovs-ofctl` sends for thousands of flows, and how it prints them.

use std::{collections::BTreeMap, fs, path::PathBuf};

use ofp_codec::{
    FlowMod, TableRef, Version,
    text::FlowRef,
    wire::{EncodeError, FlowModRef, Message},
};

/// A row of a file.
pub(crate) struct Row {
    pub(crate) version: Version,
    pub(crate) flow: String,
    pub(crate) bytes: Vec<u8>,
    /// What Open vSwitch prints for the bytes, or the name of the error with which it refuses them.
    pub(crate) printed: Result<String, String>,
}

pub(crate) fn rows() -> Vec<Row> {
    let files = [
        (Version::V1_0, "OpenFlow10", 1318),
        (Version::V1_1, "OpenFlow11", 739),
        (Version::V1_3, "OpenFlow13", 1325),
        (Version::V1_5, "OpenFlow15", 1325),
    ];
    let mut rows = Vec::new();
    for (version, name, count) in files {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/flows-wire");
        let text = fs::read(path.join(format!("{name}.tsv"))).unwrap();
        let text: String = text.into_iter().map(char::from).collect();
        let before = rows.len();
        rows.extend(text.lines().map(|line| row(version, line)));
        assert_eq!(rows.len() - before, count);
    }
    rows
}

fn row(version: Version, line: &str) -> Row {
    let [flow, hex, printed] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
    let error = printed
        .split_once("***decode error: ")
        .map(|(_, error)| error.trim_end_matches('*').to_owned());
    Row {
        version,
        flow: flow.into(),
        bytes: unhex(hex),
        printed: match error {
            Some(name) => Err(name),
            None => Ok(printed.split_once("(xid=0x0): ").unwrap().1.into()),
        },
    }
}

pub(crate) fn unhex(hex: &str) -> Vec<u8> {
    let digits = hex
        .as_bytes()
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).unwrap());
    digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

/// The flow as `ovs-ofctl add-flow` understands it: without a table it is the switch's choice.
pub(crate) fn add(flow: &str) -> FlowMod {
    let mut flow_mod = FlowMod::add(FlowRef::parse(flow.as_bytes()).unwrap().to_flow().unwrap());
    if !flow.contains("table=") || flow.find("table=") > flow.find("actions=") {
        flow_mod.flow.table = TableRef::Number(FlowMod::ANY_TABLE);
    }
    // As it does, with a warning.
    flow_mod.flow.matches.take_ignored();
    flow_mod
}

/// Why we write other bytes, or none.
pub(crate) fn bytes_exception(
    version: Version,
    flow: &str,
    encoded: &Result<(), EncodeError>,
) -> Option<&'static str> {
    match encoded {
        Err(EncodeError::OutOfRange {
            what: "arp_op" | "nw_tos",
            ..
        }) => {
            return Some("it cuts a number, and the flow matches another one");
        }
        Err(EncodeError::NotMaskable { .. }) => {
            return Some("it sets the whole field, whatever the mask is");
        }
        Err(EncodeError::NotInVersion {
            what: "importance" | "push_vlan",
            ..
        }) => {
            return Some("it leaves out what the version does not have");
        }
        Err(EncodeError::NotInVersion {
            what: "vlan_tci" | "vlan_vid" | "vlan_pcp",
            ..
        }) => {
            return Some("the version says other bits of a tag only");
        }
        _ => {}
    }
    let (matches, actions) = flow.split_once("actions=").unwrap();
    if matches.starts_with("tun_erspan_") || matches.starts_with("tun_gtpu_") {
        return Some("release 3.1 takes the values of these fields for their masks");
    }
    let no_header = ["tun_ttl", "tun_tos", "skb_priority", "dl_vlan"];
    if no_header.iter().any(|field| actions.contains(field)) {
        return Some("a field without any header becomes another one");
    }
    if actions.starts_with("output:") {
        return Some("more than 64 bits do not fit into its output action, and others come out");
    }
    if actions.starts_with("ct(zone=") {
        return Some("a zone from bits without a short header becomes a number");
    }
    if version <= Version::V1_0
        && ["nw_src=", "nw_dst="]
            .iter()
            .any(|field| matches.starts_with(field))
    {
        return Some("it sends what is not looked at");
    }
    let vlan = matches.starts_with("vlan_tci=") || matches.starts_with("vlan_vid=");
    if version <= Version::V1_1 && (vlan || matches.contains("nw_ecn=")) {
        return Some("the match of OpenFlow 1.1, and of 1.0, cannot say it, and the flow matches more");
    }
    None
}

#[test]
fn every_flow_has_the_bytes_that_ovs_ofctl_sends() {
    let mut exceptions = BTreeMap::new();
    let mut equal = 0;
    for row in rows() {
        let mut ours = Vec::new();
        let encoded = add(&row.flow).encode(row.version, 0, &mut ours);
        if encoded.is_ok() && ours == row.bytes {
            equal += 1;
            continue;
        }
        let Some(reason) = bytes_exception(row.version, &row.flow, &encoded) else {
            println!(
                "{:?} {} {encoded:?}\n  {:02x?}\n  {ours:02x?}",
                row.version, row.flow, row.bytes
            );
            continue;
        };
        // We say that it cannot be said, where Open vSwitch says something else.
        assert!(
            encoded.is_err() || reason.starts_with("release 3.1"),
            "{}",
            row.flow
        );
        *exceptions.entry(reason).or_insert(0) += 1;
    }
    let expected = [
        ("release 3.1 takes the values of these fields for their masks", 54),
        ("a field without any header becomes another one", 44),
        (
            "more than 64 bits do not fit into its output action, and others come out",
            41,
        ),
        ("a zone from bits without a short header becomes a number", 8),
        (
            "the match of OpenFlow 1.1, and of 1.0, cannot say it, and the flow matches more",
            7,
        ),
        ("it cuts a number, and the flow matches another one", 32),
        ("it leaves out what the version does not have", 3),
        ("the version says other bits of a tag only", 11),
        ("it sets the whole field, whatever the mask is", 10),
    ];
    assert_eq!((equal, exceptions), (4495, BTreeMap::from(expected)));
}

/// Why we print another text.
fn text_exception(row: &Row) -> Option<&'static str> {
    if row.flow.starts_with("tun_erspan_ver=") {
        return Some("release 3.1 takes the values of these fields for their masks");
    }
    if row.flow.starts_with("actions=load:0xa3c->dl_vlan") {
        return Some("a field without any header becomes another one");
    }
    None
}

#[test]
fn all_bytes_print_as_ovs_ofctl_prints_them_and_are_refused_where_it_refuses_them() {
    let mut exceptions = BTreeMap::new();
    let mut equal = 0;
    for row in rows() {
        let message = Message::parse(&row.bytes).unwrap();
        let ours = FlowModRef::decode(&message)
            .and_then(|flow_mod| flow_mod.check())
            .map(|flow_mod| flow_mod.canonical(row.version).to_string())
            .map_err(|error| error.name.to_owned());
        if ours == row.printed {
            equal += 1;
            continue;
        }
        let Some(reason) = text_exception(&row) else {
            panic!(
                "{:?} {}\n{:02x?}\n{ours:?}\n{:?}",
                row.version, row.flow, row.bytes, row.printed
            );
        };
        *exceptions.entry(reason).or_insert(0) += 1;
    }
    let expected = [
        ("release 3.1 takes the values of these fields for their masks", 6),
        ("a field without any header becomes another one", 3),
    ];
    assert_eq!((equal, exceptions), (4698, BTreeMap::from(expected)));
}

#[test]
fn what_is_decoded_encodes_to_the_same_bytes() {
    for row in rows() {
        let message = Message::parse(&row.bytes).unwrap();
        let mut ours = Vec::new();
        let flow_mod = FlowModRef::decode(&message).unwrap();
        flow_mod.encode(0, &mut ours).unwrap();
        assert_eq!(ours, row.bytes, "{}", row.flow);
    }
}
