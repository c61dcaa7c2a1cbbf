//! Encoding, sizing, decoding and judging flood lists, beside copying the same bytes.
#![allow(missing_docs, reason = "criterion's macros make public functions")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot start has failed")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use netlink_genl::nlattr::Slice;
use odp_actions::flood::{Cell, Endpoint};
use odp_actions::{Action, Actions, KernelRule, Key, Limits, Template};

/// The endpoints of a small cloud, of the incident's two limits, and one.
const ENDPOINTS: [usize; 4] = [1, 10, 585, 1170];

fn flood(endpoints: usize) -> Actions {
    let endpoint = |n: u32| {
        let dst = std::net::Ipv4Addr::from_bits(0x0a00_0000 + n);
        format!("set(tunnel(tun_id=0x1,dst={dst},ttl=64,tp_dst=4789,flags(df|key))),4")
    };
    (1..)
        .take(endpoints)
        .map(endpoint)
        .collect::<Vec<_>>()
        .join(",")
        .parse()
        .unwrap()
}

/// The same flood as a cell and what differs.
fn cell(endpoints: usize) -> (Cell, Vec<Endpoint>) {
    let [Action::Set(Key::Tunnel(tunnel)), Action::Output(_)] = &flood(1)[..] else {
        unreachable!()
    };
    let patch = |n: u32| Endpoint {
        tun_id: 1,
        dst: std::net::Ipv4Addr::from_bits(0x0a00_0000 + n).into(),
        odp_port: 4,
    };
    (
        Cell::new(tunnel.clone()).unwrap(),
        (1..).take(endpoints).map(patch).collect(),
    )
}

fn lists(c: &mut Criterion) {
    let mut group = c.benchmark_group("odp-actions");
    for endpoints in ENDPOINTS {
        let actions = flood(endpoints);
        let bytes = actions.to_bytes().unwrap();
        let text = actions.to_string();
        let mut buffer = vec![0; bytes.len()];
        let limits = Limits::new(20_000, KernelRule::None);
        group.throughput(Throughput::Bytes(bytes.len().try_into().unwrap()));
        group.bench_function(BenchmarkId::new("copy (baseline)", endpoints), |b| {
            b.iter(|| black_box(&mut buffer).copy_from_slice(black_box(&bytes)));
        });
        group.bench_function(BenchmarkId::new("encode into a buffer", endpoints), |b| {
            b.iter(|| black_box(&actions).encode(&mut Slice::new(black_box(&mut buffer))));
        });
        let (cell, patches) = cell(endpoints);
        group.bench_function(BenchmarkId::new("patch a prebuilt cell", endpoints), |b| {
            b.iter(|| {
                cell.encode(black_box(&patches), black_box(&mut buffer))
                    .map(<[u8]>::len)
            });
        });
        group.bench_function(BenchmarkId::new("size only", endpoints), |b| {
            b.iter(|| black_box(&actions).encoded_len());
        });
        group.bench_function(BenchmarkId::new("verdict", endpoints), |b| {
            b.iter(|| limits.verdict(black_box(&actions)));
        });
        group.bench_function(BenchmarkId::new("decode", endpoints), |b| {
            b.iter(|| Actions::decode(black_box(&bytes)));
        });
        group.bench_function(BenchmarkId::new("parse text", endpoints), |b| {
            b.iter(|| black_box(&text).parse::<Actions>());
        });
        group.bench_function(BenchmarkId::new("print text", endpoints), |b| {
            b.iter(|| black_box(&actions).to_string());
        });
    }
    group.finish();
}

fn capacity(c: &mut Criterion) {
    let flood = Template::new("pop_vlan".parse().unwrap(), flood(1)).unwrap();
    let mut group = c.benchmark_group("odp-actions/capacity");
    for (name, rule) in [
        ("no rule", KernelRule::None),
        ("4.15 to 6.13", KernelRule::Converted32K),
    ] {
        let limits = Limits::new(1000, rule);
        group.bench_function(name, |b| {
            b.iter(|| {
                let capacity = black_box(&flood).capacity(black_box(&limits));
                capacity.first().last
            });
        });
    }
    group.finish();
}

criterion_group!(benches, lists, capacity);
criterion_main!(benches);
