//! Reading flow dumps, beside finding their line ends.
#![allow(missing_docs, reason = "criterion's macros make public functions")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot start has failed")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ofp_codec::text::{DumpReader, Item, items};

/// A bridge as OVN fills it: 300 flows.
const DUMP: &[u8] = include_bytes!("../ofp-codec/tests/vectors/dumps/br-ovn.of13.txt");

fn dumps(c: &mut Criterion) {
    let dump = DUMP.repeat(100);
    let mut group = c.benchmark_group("ofp-codec/text");
    group.throughput(Throughput::Bytes(dump.len().try_into().unwrap()));
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

criterion_group!(benches, dumps);
criterion_main!(benches);
