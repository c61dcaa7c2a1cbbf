//! Encoding, sizing, decoding, parsing and printing lists, beside copying the same bytes and looking for line ends in the
//! same text; then floods parsed and printed beside `ovs-dpctl`.
#![allow(missing_docs, reason = "criterion's macros make public functions")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot start has failed")]

#[path = "odp-actions/peers.rs"]
mod peers;

use std::hint::black_box;

use benches::race;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group};
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

/// Floods, as many outputs as an attribute holds, and actions of every kind.
fn lists(c: &mut Criterion) {
    let floods = ENDPOINTS.map(|endpoints| (endpoints, Lists::of(vec![flood(endpoints)])));
    let outputs = Lists::of(vec![(1..=8191).map(Action::Output).collect()]);
    // Text, its bytes, and what Open vSwitch prints of them.
    let rows = include_str!("../odp-actions/tests/vectors/actions.tsv").lines();
    let texts = rows.skip(1).filter_map(|row| row.split('\t').nth(2));
    let mixed = Lists::of(texts.filter_map(|text| text.parse().ok()).collect());

    let mut group = c.benchmark_group("odp-actions");
    for (endpoints, lists) in &floods {
        lists.bytes(&mut group, *endpoints);
        verdict_and_cell(&mut group, *endpoints, lists);
    }
    group.finish();
    let mut group = c.benchmark_group("odp-actions/text");
    for (endpoints, lists) in &floods {
        lists.text(&mut group, *endpoints);
    }
    group.finish();
    for (name, lists, size) in [("outputs", outputs, 8191), ("mixed lists", mixed, 1)] {
        let mut group = c.benchmark_group(format!("odp-actions/{name}"));
        lists.bytes(&mut group, size);
        group.finish();
        let mut group = c.benchmark_group(format!("odp-actions/text of {name}"));
        lists.text(&mut group, size);
        group.finish();
    }
}

fn verdict_and_cell(group: &mut BenchmarkGroup<'_, WallTime>, endpoints: usize, lists: &Lists) {
    let mut buffer = vec![0; lists.bytes[0].len()];
    let limits = Limits::new(20_000, KernelRule::None);
    let (cell, patches) = cell(endpoints);
    group.bench_function(BenchmarkId::new("patch a prebuilt cell", endpoints), |b| {
        b.iter(|| {
            cell.encode(black_box(&patches), black_box(&mut buffer))
                .map(<[u8]>::len)
        });
    });
    group.bench_function(BenchmarkId::new("verdict", endpoints), |b| {
        b.iter(|| limits.verdict(black_box(&lists.actions[0])));
    });
}

/// Lists in their three forms.
struct Lists {
    actions: Vec<Actions>,
    bytes: Vec<Vec<u8>>,
    text: Vec<String>,
}

impl Lists {
    fn of(actions: Vec<Actions>) -> Self {
        Self {
            bytes: actions.iter().map(|list| list.to_bytes().unwrap()).collect(),
            text: actions.iter().map(Actions::to_string).collect(),
            actions,
        }
    }

    /// Room for the longest.
    fn buffer(&self) -> Vec<u8> {
        vec![0; self.bytes.iter().map(Vec::len).max().unwrap()]
    }

    fn copy(&self, buffer: &mut [u8]) {
        for bytes in &self.bytes {
            black_box(&mut *buffer)[..bytes.len()].copy_from_slice(black_box(bytes));
        }
    }

    /// From actions to bytes and back.
    fn bytes(&self, group: &mut BenchmarkGroup<'_, WallTime>, size: usize) {
        let id = |name: &str| BenchmarkId::new(name, size);
        let mut buffer = self.buffer();
        let all: usize = self.bytes.iter().map(Vec::len).sum();
        group.throughput(Throughput::Bytes(all.try_into().unwrap()));
        group.bench_function(id("copy (baseline)"), |b| {
            b.iter(|| self.copy(&mut buffer));
        });
        group.bench_function(id("encode into a buffer"), |b| {
            b.iter(|| {
                for list in black_box(&self.actions) {
                    let _ = black_box(list.encode(&mut Slice::new(black_box(&mut buffer))));
                }
            });
        });
        group.bench_function(id("size only"), |b| {
            b.iter(|| {
                for list in black_box(&self.actions) {
                    let _ = black_box(list.encoded_len());
                }
            });
        });
        group.bench_function(id("decode"), |b| {
            b.iter(|| {
                for bytes in black_box(&self.bytes) {
                    let _ = black_box(Actions::decode(bytes));
                }
            });
        });
    }

    /// From actions to text and back, beside finding line ends in it, and beside copying the bytes.
    fn text(&self, group: &mut BenchmarkGroup<'_, WallTime>, size: usize) {
        let id = |name: &str| BenchmarkId::new(name, size);
        let mut buffer = self.buffer();
        let all: usize = self.text.iter().map(String::len).sum();
        group.throughput(Throughput::Bytes(all.try_into().unwrap()));
        group.bench_function(id("line ends (baseline)"), |b| {
            b.iter(|| {
                let lines = black_box(&self.text).iter();
                lines
                    .map(|text| text.bytes().filter(|byte| *byte == b'\n').count())
                    .sum::<usize>()
            });
        });
        group.bench_function(id("copy of the bytes"), |b| {
            b.iter(|| self.copy(&mut buffer));
        });
        group.bench_function(id("parse text"), |b| {
            b.iter(|| {
                for text in black_box(&self.text) {
                    let _ = black_box(text.parse::<Actions>());
                }
            });
        });
        group.bench_function(id("print text"), |b| {
            b.iter(|| {
                for list in black_box(&self.actions) {
                    black_box(list.to_string());
                }
            });
        });
    }
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

fn main() {
    if peers::take_part() {
        return;
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
    if race::wanted() {
        peers::compare();
    }
}
