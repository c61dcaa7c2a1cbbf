//! Taking the initial state of 10 000 interfaces, beside a minimal hand-written typed reader.
#![allow(missing_docs, reason = "criterion's macros make public functions")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot start has failed")]

use std::collections::BTreeMap;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ovsdb_proto::frame::{Limits, Member, Splitter};
use ovsdb_proto::monitor::{MonitorRequest, TableUpdates};
use ovsdb_proto::replica::Replica;
use ovsdb_proto::schema::DatabaseSchema;
use serde::Deserialize;

const ROWS: usize = 10_000;

const SCHEMA: &str = r#"{"name":"db","tables":{"Interface":{"columns":{
    "name":{"type":"string"},"type":{"type":"string"},"admin_state":{"type":{"key":"string","min":0}},
    "ofport":{"type":{"key":"integer","min":0}},"mtu":{"type":{"key":"integer","min":0}},
    "mac_in_use":{"type":{"key":"string","min":0}},
    "options":{"type":{"key":"string","value":"string","min":0,"max":"unlimited"}},
    "external_ids":{"type":{"key":"string","value":"string","min":0,"max":"unlimited"}},
    "statistics":{"type":{"key":"string","value":"integer","min":0,"max":"unlimited"}}}}}}"#;

/// What a program with no library would write, for this one message.
#[derive(Deserialize)]
struct Reply<'a> {
    #[serde(borrow)]
    result: (bool, &'a str, BTreeMap<&'a str, BTreeMap<&'a str, Update>>),
}

#[derive(Deserialize)]
struct Update {
    initial: Interface,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "what is read is not used")]
struct Interface {
    name: String,
    r#type: String,
    admin_state: String,
    ofport: i64,
    mtu: i64,
    mac_in_use: String,
    options: (Tag, Vec<(String, String)>),
    external_ids: (Tag, Vec<(String, String)>),
    statistics: (Tag, Vec<(String, i64)>),
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Tag {
    Map,
}

fn reply() -> String {
    let rows = (0..ROWS).map(|n| {
        format!(
            r#""{n:08x}-0000-4000-8000-000000000000":{{"initial":{{"name":"tap{n}","type":"internal",
            "admin_state":"up","ofport":{n},"mtu":1500,"mac_in_use":"02:00:00:00:00:01",
            "options":["map",[["key","{n}"],["remote_ip","192.0.2.1"]]],
            "external_ids":["map",[["attached-mac","02:00:00:00:00:01"],["iface-id","{n:08x}-0000-4000-8000-000000000001"],["iface-status","active"]]],
            "statistics":["map",[["rx_bytes",{n}],["rx_packets",1],["tx_bytes",2],["tx_packets",3]]]}}}}"#
        )
    });
    let rows: Vec<String> = rows.collect();
    let rows = rows.join(",").replace(['\n'], "");
    format!(
        r#"{{"id":1,"result":[false,"00000000-0000-0000-0000-000000000000",{{"Interface":{{{rows}}}}}],"error":null}}"#
    )
}

fn initial_state(c: &mut Criterion) {
    let reply = reply();
    let schema = DatabaseSchema::parse(SCHEMA).unwrap();
    let request = MonitorRequest::new("db").all_columns("Interface");
    let mut group = c.benchmark_group("ovsdb-proto/initial");
    group.throughput(Throughput::Bytes(reply.len().try_into().unwrap()));
    group.sample_size(20);
    group.bench_function("typed by hand (baseline)", |b| {
        b.iter(|| {
            let reply: Reply<'_> = serde_json::from_str(black_box(&reply)).unwrap();
            let rows = reply.result.2.into_values().flatten();
            rows.map(|(_, update)| update.initial).collect::<Vec<_>>().len()
        });
    });
    group.bench_function("serde_json::Value", |b| {
        b.iter(|| serde_json::from_str::<serde_json::Value>(black_box(&reply)).unwrap());
    });
    group.bench_function("split", |b| {
        b.iter(|| {
            Splitter::new(Limits::default())
                .split(black_box(reply.as_bytes()))
                .unwrap()
                .unwrap()
        });
    });
    group.bench_function("split, read, load into a replica", |b| {
        b.iter(|| {
            let spans = Splitter::new(Limits::default())
                .split(reply.as_bytes())
                .unwrap()
                .unwrap();
            let result = spans.slice(reply.as_bytes(), Member::Result).unwrap();
            let result = std::str::from_utf8(result).unwrap();
            let (_, _, updates): (bool, &str, TableUpdates) = serde_json::from_str(result).unwrap();
            let mut replica = Replica::new(&schema, &request).unwrap();
            assert_eq!(replica.load(updates).unwrap().len(), ROWS);
            replica
        });
    });
    group.finish();
}

criterion_group!(benches, initial_state);
criterion_main!(benches);
