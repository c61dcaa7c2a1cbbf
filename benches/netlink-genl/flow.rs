//! Building and reading flows of many outputs, up to the most that fit.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use netlink_genl::message::{Flags, Messages};
use netlink_genl::nlattr::Sink;
use netlink_genl::ovs::flow::{Flow, FlowAttr};
use netlink_genl::ovs::{Command, DpIfindex, Object};

const OUTPUTS: [usize; 4] = [1, 10, 100, 1170];

pub(crate) fn benches(c: &mut Criterion) {
    let mut group = c.benchmark_group("netlink-genl/flow by outputs");
    for outputs in OUTPUTS {
        let list = actions(outputs);
        assert_eq!(list.len(), 56 * outputs);
        let object = Object {
            datapath: DpIfindex(9),
            command: Command::NEW.0,
            version: 1,
            attrs: vec![
                FlowAttr::Ufid(vec![1; 16]),
                FlowAttr::Key(vec![0; 136]),
                FlowAttr::Actions(list),
            ],
        };
        let datagram = message(&object);
        group.throughput(Throughput::Bytes(datagram.len().try_into().unwrap()));
        group.bench_function(BenchmarkId::new("copy (baseline)", outputs), |b| {
            b.iter(|| black_box(&datagram).clone());
        });
        group.bench_function(BenchmarkId::new("build the actions", outputs), |b| {
            b.iter(|| actions(black_box(outputs)));
        });
        group.bench_function(BenchmarkId::new("build the message", outputs), |b| {
            b.iter(|| message(black_box(&object)));
        });
        group.bench_function(BenchmarkId::new("read the message", outputs), |b| {
            b.iter(|| {
                let message = Messages::new(black_box(&datagram)).next().unwrap().unwrap();
                Flow::decode(&message).unwrap()
            });
        });
    }
    group.finish();
}

/// Outputs, each through a tunnel: 56 bytes.
fn actions(outputs: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(56 * outputs);
    for _ in 0..outputs {
        bytes.nest(3, |s| s.nest(16, |s| s.attr(0, &[0; 36]))).unwrap();
        bytes.attr_u32(1, 1).unwrap();
    }
    bytes
}

fn message(object: &Object<FlowAttr>) -> Vec<u8> {
    let mut bytes = vec![];
    let request = object.request(0x22, Flags::ACK).unwrap();
    request.encode(1, &mut bytes).unwrap();
    bytes
}
