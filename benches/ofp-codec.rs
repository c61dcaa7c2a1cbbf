//! Reading flows, as text and as messages: by parts beside finding line ends or copying, and whole files beside the peers.
#![allow(missing_docs, reason = "criterion's macros make public functions")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot start has failed")]

#[path = "ofp-codec/flood.rs"]
mod flood;
#[path = "ofp-codec/peers.rs"]
mod peers;
#[path = "ofp-codec/wire.rs"]
mod wire;

use std::{fmt::Write as _, hint::black_box, io::BufRead};

use benches::race;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group};
use ofp_codec::{
    Flow,
    text::{DumpReader, Item, items},
};

fn dumps(c: &mut Criterion) {
    let mut group = c.benchmark_group("ofp-codec/text");
    group.sample_size(10);
    let sizes = if race::only_tried() { &SIZES[..1] } else { &SIZES };
    for &flows in sizes {
        let dump: Vec<u8> = testbed::ovn_flows(flows)
            .flat_map(|flow| (flow + "\n").into_bytes())
            .collect();
        group.throughput(Throughput::Elements(flows.into()));
        group.bench_function(BenchmarkId::new("line ends (baseline)", flows), |b| {
            b.iter(|| memchr::memchr_iter(b'\n', black_box(&dump)).count());
        });
        group.bench_function(BenchmarkId::new("spans of borrowed flows", flows), |b| {
            b.iter(|| {
                items(black_box(&dump))
                    .filter(|item| matches!(item, Ok(Item::Flow(_))))
                    .count()
            });
        });
        group.bench_function(BenchmarkId::new("spans, streaming", flows), |b| {
            b.iter(|| {
                let mut reader = DumpReader::new(black_box(&dump[..]));
                let mut flows = 0;
                while let Some(item) = reader.next_item() {
                    flows += usize::from(matches!(item, Ok(Item::Flow(_))));
                }
                flows
            });
        });
        group.bench_function(BenchmarkId::new("typed flows", flows), |b| {
            b.iter(|| {
                let flows = items(black_box(&dump)).flows();
                flows.map(|flow| flow.unwrap().actions.len()).sum::<usize>()
            });
        });
        group.bench_function(BenchmarkId::new("typed flows, streaming", flows), |b| {
            b.iter(|| actions(black_box(&dump[..])));
        });
        group.bench_function(BenchmarkId::new("typed flows, printed", flows), |b| {
            let mut line = String::new();
            b.iter(|| {
                let mut len = 0;
                for flow in items(black_box(&dump)).flows() {
                    line.clear();
                    write!(line, "{}", flow.unwrap()).unwrap();
                    len += line.len();
                }
                len
            });
        });
    }
    group.finish();
}

/// Types every flow in the memory of one: how many actions there are.
fn actions(dump: impl BufRead) -> usize {
    let (mut reader, mut flow, mut actions) = (DumpReader::new(dump), Flow::default(), 0);
    while reader.read_flow(&mut flow).unwrap() {
        actions += flow.actions.len();
    }
    actions
}

const SIZES: [u32; 3] = [10_000, 100_000, 1_000_000];

criterion_group!(benches, dumps, wire::benches, flood::benches);

fn main() {
    if peers::take_part() {
        return;
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
    if race::wanted() {
        peers::compare();
        peers::print_messages();
    }
}
