//! Reading flows, as text and as messages: by parts beside finding line ends or copying, and whole files beside the peers.
#![allow(missing_docs, reason = "criterion's macros make public functions")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot start has failed")]

#[path = "ofp-codec/peers.rs"]
mod peers;
#[path = "ofp-codec/wire.rs"]
mod wire;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group};
use ofp_codec::text::{DumpReader, Item, items};

fn dumps(c: &mut Criterion) {
    let flows = 30_000;
    let dump: Vec<u8> = testbed::ovn_flows(flows)
        .flat_map(|flow| (flow + "\n").into_bytes())
        .collect();
    let mut group = c.benchmark_group("ofp-codec/text");
    group.throughput(Throughput::Elements(flows.into()));
    group.sample_size(20);
    group.bench_function("line ends (baseline)", |b| {
        b.iter(|| black_box(&dump).iter().filter(|byte| **byte == b'\n').count());
    });
    group.bench_function("spans of borrowed flows", |b| {
        b.iter(|| {
            items(black_box(&dump))
                .filter(|item| matches!(item, Ok(Item::Flow(_))))
                .count()
        });
    });
    group.bench_function("typed flows", |b| {
        b.iter(|| {
            let flows = items(black_box(&dump)).filter_map(|item| match item {
                Ok(Item::Flow(flow)) => Some(flow.to_flow().unwrap().actions.len()),
                _ => None,
            });
            flows.sum::<usize>()
        });
    });
    group.bench_function("spans, streaming", |b| {
        b.iter(|| {
            let mut reader = DumpReader::new(black_box(&dump[..]));
            let mut flows = 0;
            while let Some(item) = reader.next_item() {
                flows += usize::from(matches!(item, Ok(Item::Flow(_))));
            }
            flows
        });
    });
    group.finish();
}

criterion_group!(benches, dumps, wire::benches);

fn main() {
    if peers::take_part() {
        return;
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
    peers::compare();
    peers::print_messages();
}
