//! Taking the initial state of up to 10 000 interfaces, beside a minimal hand-written typed reader; then that of up to
//! 140 000 from a real server, beside the peers, updates and calls.
#![allow(missing_docs, reason = "criterion's macros make public functions")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot start has failed")]

#[path = "ovsdb-proto/interfaces.rs"]
mod interfaces;
#[path = "ovsdb-proto/traffic.rs"]
mod traffic;

use std::collections::BTreeMap;
use std::hint::black_box;

use benches::race;
use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group};
use ovsdb_proto::frame::{Limits, Member, Splitter};
use ovsdb_proto::monitor::MonitorRequest;
use ovsdb_proto::replica::Replica;
use ovsdb_proto::schema::DatabaseSchema;
use ovsdb_proto::value::Uuid;
use serde::Deserialize;

use interfaces::{ByHand, Interface};

const SIZES: [usize; 4] = [10, 100, 1000, 10_000];

const SCHEMA: &str = r#"{"name":"db","tables":{"Interface":{"columns":{
    "name":{"type":"string"},"type":{"type":"string"},"error":{"type":{"key":"string","min":0}},
    "admin_state":{"type":{"key":"string","min":0}},"link_state":{"type":{"key":"string","min":0}},
    "ifindex":{"type":{"key":"integer","min":0}},
    "ofport":{"type":{"key":"integer","min":0}},"mtu":{"type":{"key":"integer","min":0}},
    "mac_in_use":{"type":{"key":"string","min":0}},
    "options":{"type":{"key":"string","value":"string","min":0,"max":"unlimited"}},
    "external_ids":{"type":{"key":"string","value":"string","min":0,"max":"unlimited"}},
    "status":{"type":{"key":"string","value":"string","min":0,"max":"unlimited"}},
    "statistics":{"type":{"key":"string","value":"integer","min":0,"max":"unlimited"}}}}}}"#;

/// What a program with no library would write, for this one message.
#[derive(Deserialize)]
struct Reply<'a> {
    #[serde(borrow)]
    result: (bool, &'a str, BTreeMap<&'a str, BTreeMap<&'a str, Update>>),
}

#[derive(Deserialize)]
struct Update {
    initial: ByHand,
}

fn reply(rows: usize) -> String {
    let rows = (0..rows).map(|n| {
        format!(
            r#""{n:08x}-0000-4000-8000-000000000000":{{"initial":{{"name":"tap{n}","type":"internal",
            "admin_state":"up","link_state":"up","ofport":{n},"mtu":1500,"ifindex":{n},"mac_in_use":"02:00:00:00:00:01",
            "options":["map",[["key","{n}"],["remote_ip","192.0.2.1"]]],
            "external_ids":["map",[["attached-mac","02:00:00:00:00:01"],["iface-id","{n:08x}-0000-4000-8000-000000000001"],["iface-status","active"]]],
            "status":["map",[["driver_name","tun"],["driver_version","1.6"]]],
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
    let schema = DatabaseSchema::parse(SCHEMA).unwrap();
    let request = MonitorRequest::new("db").all_columns("Interface");
    let mut group = c.benchmark_group("ovsdb-proto/initial");
    group.sample_size(20);
    for rows in SIZES {
        let reply = Bytes::from(reply(rows));
        let text = || std::str::from_utf8(black_box(&reply)).unwrap();
        let split = || {
            Splitter::new(Limits::default())
                .split(black_box(&reply))
                .unwrap()
                .unwrap()
        };
        let updates = || {
            let result = reply.slice(split().member(Member::Result).unwrap());
            let start = result.iter().position(|&byte| byte == b'{').unwrap();
            result.slice(start..result.len() - 1)
        };
        group.throughput(Throughput::Bytes(reply.len().try_into().unwrap()));
        group.bench_function(BenchmarkId::new("typed by hand (baseline)", rows), |b| {
            b.iter(|| {
                let reply: Reply<'_> = serde_json::from_str(text()).unwrap();
                let rows = reply.result.2.into_values().flatten();
                let rows = rows.map(|(uuid, update)| (uuid.parse().unwrap(), update.initial));
                rows.collect::<BTreeMap<Uuid, ByHand>>()
            });
        });
        group.bench_function(BenchmarkId::new("serde_json::Value", rows), |b| {
            b.iter(|| serde_json::from_str::<serde_json::Value>(text()).unwrap());
        });
        group.bench_function(BenchmarkId::new("split", rows), |b| b.iter(split));
        group.bench_function(BenchmarkId::new("split, load into a replica", rows), |b| {
            b.iter(|| {
                let mut replica = Replica::new(&schema, &request).unwrap();
                assert_eq!(replica.load(updates()).unwrap().len(), rows);
                replica
            });
        });
        group.bench_function(BenchmarkId::new("split, load into a typed replica", rows), |b| {
            b.iter(|| {
                let mut replica = Replica::typed::<Interface>(&schema, &request).unwrap();
                assert_eq!(replica.load(updates()).unwrap().len(), rows);
                replica
            });
        });
    }
    group.finish();
}

criterion_group!(benches, initial_state);

fn main() {
    if let Some((contender, socket)) = race::job() {
        let taken = interfaces::take_part(&contender, &socket) || traffic::take_part(&contender, &socket);
        assert!(taken, "nobody does {contender}");
        return;
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
    if race::wanted() {
        interfaces::compare();
        traffic::compare();
    }
}
