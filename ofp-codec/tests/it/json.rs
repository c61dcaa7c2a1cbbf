//! The JSON of flows is what it was.

use std::{fmt::Debug, fs, path::PathBuf, time::Duration};

use ofp_codec::{
    BandType, Bucket, BucketStats, Field, Flow, Group, GroupStats, GroupType, Meter, MeterFlags, MeterStats,
    Port, PortRef, SelectionField,
    diff::diff,
    lint::{line_problems, problems, table_problems},
    text::{FlowRef, group_stats, groups, meter_stats, meters},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json, to_value};

use crate::{diff::flows, dumps::for_each_flow, oracle};

fn vector(name: &str) -> Vec<u8> {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/json");
    fs::read(dir.join(name)).unwrap()
}

#[test]
fn flows_are_written_as_they_were() {
    let found = to_value(flows(&vector("flows.txt"))).unwrap();
    let expected: Value = serde_json::from_slice(&vector("flows.json")).unwrap();
    for (found, expected) in found.as_array().unwrap().iter().zip(expected.as_array().unwrap()) {
        assert_eq!(found, expected, "{found:#}");
    }
    assert_eq!(found, expected);
}

#[test]
fn flows_are_read_as_they_are_written() {
    let read: Vec<Flow> = serde_json::from_slice(&vector("flows.json")).unwrap();
    assert_eq!(read, flows(&vector("flows.txt")));
    let mut checked = 0;
    let mut check = |flow: &Flow| {
        let text = serde_json::to_string(flow).unwrap();
        let again: Flow =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{flow}: {error}: {text}"));
        assert_eq!(again.to_string(), flow.to_string(), "{text}");
        assert_eq!(serde_json::to_string(&again).unwrap(), text);
        checked += 1;
    };
    for_each_flow(|_, line| check(&line.to_flow().unwrap()));
    // Every field and every action.
    oracle::accepted_flows().for_each(|(_, flow)| check(&flow));
    assert!(checked > 5000, "{checked}");
}

#[test]
fn json_that_is_no_flow_is_refused_for_what_it_says() {
    let flow: Flow = serde_json::from_str("{}").unwrap();
    assert_eq!(flow, Flow::default());
    for (text, expected) in [
        (r#"{"table": 256}"#, "out of range"),
        (r#"{"cookie": "0x10000000000000000"}"#, "out of range"),
        (
            r#"{"matches": [{"field": "reg99", "value": "0x1"}]}"#,
            "expected a field, found \"reg99\"",
        ),
        (r#"{"matches": [{"field": "reg0"}]}"#, "missing field `value`"),
        (
            r#"{"matches": [{"field": "reg0", "value": "0x100000000"}]}"#,
            "number above the limit of 4294967295",
        ),
        (
            r#"{"matches": [{"protocol": "tcp7"}]}"#,
            "expected a protocol, found \"tcp7\"",
        ),
        (r#"{"actions": ["frop"]}"#, "unknown variant `frop`"),
        (r#"{"flags": ["new"]}"#, "expected a number, found \"new\""),
        (r#"{"stats": {"duration": -1.0}}"#, "negative"),
    ] {
        let error = serde_json::from_str::<Flow>(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn groups_and_meters_are_written_as_they_were() {
    const GROUPS: &[u8] =
        b"group_id=9,type=select,selection_method=hash,fields(ip_dst=255.255.255.0,nw_proto),\
        bucket=bucket_id:1,weight:50,watch_port:3,actions=output:1\n";
    const GROUP_STATS: &[u8] = b"group_id=9,duration=5.250s,ref_count=1,packet_count=7,byte_count=490,\
        bucket0:packet_count=7,byte_count=490\n";
    const METERS: &[u8] = b"meter=2 pktps burst stats bands=\ntype=drop rate=1000 burst_size=100\n";
    const METER_STATS: &[u8] =
        b"meter:2 flow_count:1 packet_in_count:9 byte_in_count:630 duration:3.5s bands:\n\
        0: packet_count:2 byte_count:140\n";
    let found = json!({
        "groups": groups(GROUPS).collect::<Result<Vec<_>, _>>().unwrap(),
        "group_stats": group_stats(GROUP_STATS).collect::<Result<Vec<_>, _>>().unwrap(),
        "meters": meters(METERS).collect::<Result<Vec<_>, _>>().unwrap(),
        "meter_stats": meter_stats(METER_STATS).collect::<Result<Vec<_>, _>>().unwrap(),
    });
    let expected: Value = serde_json::from_slice(&vector("groups.json")).unwrap();
    assert_eq!(found, expected, "{found:#}");
}

/// Writes a value and reads it back.
pub(crate) fn comes_back<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let text = serde_json::to_string(value).unwrap();
    let again: T = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{value:?}: {error}: {text}"));
    assert_eq!(again, *value, "{text}");
}

#[test]
fn groups_and_meters_are_read_as_they_are_written() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct All {
        groups: Vec<Group>,
        group_stats: Vec<GroupStats>,
        meters: Vec<Meter>,
        meter_stats: Vec<MeterStats>,
    }
    let all: All = serde_json::from_slice(&vector("groups.json")).unwrap();
    let fields = all.groups[0].selection.as_ref().unwrap().fields.iter();
    assert_eq!(
        fields.map(|field| (field.field, field.bits)).collect::<Vec<_>>(),
        [(Field::IpDst, Some(0xffff_ff00)), (Field::IpProto, None)]
    );
    assert_eq!(all.meters[0].bands[0].kind, BandType::DROP);
    assert_eq!(all.meter_stats[0].duration, Duration::from_millis(3500));
    comes_back(&all);

    // What has no word, what has two readings, and what is not there.
    for number in [0, 3, 4, 255] {
        comes_back(&GroupType(number));
        comes_back(&BandType(number.into()));
        comes_back(&MeterFlags(u16::from(number) << 4 | 5));
    }
    comes_back(&BucketStats::default());
    comes_back(&GroupStats {
        n_packets: u64::MAX,
        ..GroupStats::default()
    });
    let bucket = Bucket {
        watch_port: Some(PortRef::Name("a, b".into())),
        ..Bucket::default()
    };
    comes_back(&[
        bucket.clone(),
        Bucket {
            watch_port: Some(Port::ANY.into()),
            ..bucket
        },
    ]);
    for &field in Field::ALL {
        let whole = u128::MAX >> 128_u32.saturating_sub(8 * u32::from(field.info().bytes));
        for bits in [None, Some(0), Some(1), Some(whole / 3), Some(whole)] {
            comes_back(&SelectionField { field, bits });
        }
    }
}

#[test]
fn what_json_leaves_out_of_groups_and_meters_has_its_default() {
    let group: Group = serde_json::from_str(r#"{"id": 5, "kind": "select"}"#).unwrap();
    assert_eq!(group, Group::new(5, GroupType::SELECT));
    let group: Group =
        serde_json::from_str(r#"{"id": 5, "kind": 7, "selection": {"method": "hash"}, "buckets": [{}]}"#)
            .unwrap();
    assert_eq!(
        (group.kind, &group.buckets[..]),
        (GroupType(7), &[Bucket::default()][..])
    );
    assert_eq!(
        group.to_string(),
        "group_id=5,type=unknown,selection_method=hash,bucket=actions=drop"
    );
    let meter: Meter = serde_json::from_str(r#"{"id": 2, "bands": [{"kind": "drop", "rate": 5}]}"#).unwrap();
    assert_eq!(meter.to_string(), "meter=2 bands=\ntype=drop rate=5");
}

#[test]
fn json_that_is_no_group_is_refused_for_what_it_says() {
    for (text, expected) in [
        (r#"{"kind": "all"}"#, "missing field `id`"),
        (r#"{"id": 1}"#, "missing field `kind`"),
        (r#"{"id": 1, "kind": 256}"#, "out of range"),
        (
            r#"{"id": 1, "kind": "some"}"#,
            "expected a type of groups, found \"some\"",
        ),
        (
            r#"{"id": 1, "kind": "all", "buckets": [{"actions": ["frop"]}]}"#,
            "unknown variant `frop`",
        ),
        (
            r#"{"id": 1, "kind": "all", "selection": {"method": "hash", "fields": [{"field": "ip_src", "mask": "255"}]}}"#,
            "expected an IPv4 address",
        ),
    ] {
        let error = serde_json::from_str::<Group>(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
    let error = serde_json::from_str::<MeterFlags>(r#"["kbps", "0x10000"]"#).unwrap_err();
    assert!(
        error.to_string().contains("number above the limit of 65535"),
        "{error}"
    );
}

#[test]
fn no_number_of_any_flow_is_above_what_a_double_keeps() {
    for_each_flow(|name, line| {
        let json = to_value(line.to_flow().unwrap()).unwrap();
        assert!(largest(&json) < 1 << 53, "{name}: {json}");
    });
}

fn largest(json: &Value) -> u64 {
    match json {
        Value::Number(number) => number.as_u64().unwrap_or(0),
        Value::Array(items) => items.iter().map(largest).max().unwrap_or(0),
        Value::Object(members) => members.values().map(largest).max().unwrap_or(0),
        _ => 0,
    }
}

#[test]
fn changes_and_problems_are_written_by_name() {
    let before = flows(b"priority=9 actions=drop\n");
    let after = flows(b"priority=9 actions=drop\npriority=5,nw_src=10.0.0.1 actions=resubmit(,7)\n");
    let change = to_value(diff(&before, &after)).unwrap();
    assert_eq!(change, json!([{ "added": to_value(&after[1]).unwrap() }]));
    assert_eq!(
        to_value(problems(&after[1])).unwrap(),
        json!([{ "ignored": "ip_src" }])
    );
    assert_eq!(
        to_value(table_problems(&after)).unwrap(),
        json!([{ "shadowed": { "flow": 1, "by": 0 } }, { "empty_table": { "flow": 1, "table": 7 } }])
    );
    let line = FlowRef::parse(b"cookie=1,cookie=2 actions=drop").unwrap();
    assert_eq!(
        to_value(line_problems(&line)).unwrap(),
        json!([{ "overridden": "cookie" }])
    );
}
