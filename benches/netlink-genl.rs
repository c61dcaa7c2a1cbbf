//! Reading a vport, beside the list of enums that other crates make of it; reading and writing a big flow.
#![allow(missing_docs, reason = "criterion's macros make public functions")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot start has failed")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use netlink_genl::message::{Flags, Messages};
use netlink_genl::nlattr::Sink;
use netlink_genl::ovs::flow::{Flow, FlowAttr};
use netlink_genl::ovs::vport::{Kind, Stats, Vport, VportAttr, VportRef};
use netlink_genl::ovs::{Command, DpIfindex, Object};

/// An answer of the kernel.
fn answer() -> Vec<u8> {
    let object = Object {
        datapath: DpIfindex(9),
        command: Command::NEW.0,
        version: 1,
        attrs: vec![
            VportAttr::PortNo(2),
            VportAttr::Type(Kind::INTERNAL),
            VportAttr::Name(c"int0".into()),
            VportAttr::Ifindex(10),
            VportAttr::Netnsid(0),
            VportAttr::Stats(Stats::default()),
            VportAttr::UpcallPid(vec![7]),
        ],
    };
    let mut datagram = vec![];
    let request = object.request(0x21, Flags::MULTI).unwrap();
    request.encode(1, &mut datagram).unwrap();
    datagram
}

fn vport(c: &mut Criterion) {
    let datagram = answer();
    let mut group = c.benchmark_group("netlink-genl/vport");
    group.throughput(Throughput::Elements(1));
    group.bench_function("list of enums (baseline)", |b| {
        b.iter(|| {
            let message = Messages::new(black_box(&datagram)).next().unwrap().unwrap();
            let object = Object::<VportAttr>::decode(&message).unwrap();
            // Each field is looked for in the list.
            let find = |wanted: fn(&VportAttr) -> Option<u32>| object.attrs.iter().find_map(wanted);
            let port_no = find(|attr| {
                if let VportAttr::PortNo(it) = attr {
                    Some(*it)
                } else {
                    None
                }
            });
            let ifindex = find(|attr| {
                if let VportAttr::Ifindex(it) = attr {
                    Some(*it)
                } else {
                    None
                }
            });
            black_box((port_no, ifindex, object));
        });
    });
    group.bench_function("Vport", |b| {
        b.iter(|| {
            let message = Messages::new(black_box(&datagram)).next().unwrap().unwrap();
            black_box(Vport::decode(&message).unwrap());
        });
    });
    group.bench_function("VportRef", |b| {
        b.iter(|| {
            let message = Messages::new(black_box(&datagram)).next().unwrap().unwrap();
            black_box(VportRef::decode(&message).unwrap());
        });
    });
    group.finish();
}

/// 1 170 outputs, each through a tunnel: 56 bytes.
fn actions(sink: &mut Vec<u8>) {
    for _ in 0..1170 {
        sink.nest(3, |s| s.nest(16, |s| s.attr(0, &[0; 36]))).unwrap();
        sink.attr_u32(1, 1).unwrap();
    }
}

fn flow(c: &mut Criterion) {
    let mut big = vec![];
    actions(&mut big);
    assert_eq!(big.len(), 65_520);
    let object = Object {
        datapath: DpIfindex(9),
        command: Command::NEW.0,
        version: 1,
        attrs: vec![
            FlowAttr::Ufid(vec![1; 16]),
            FlowAttr::Key(vec![0; 136]),
            FlowAttr::Actions(big.clone()),
        ],
    };
    let mut datagram = vec![];
    object
        .request(0x22, Flags::ACK)
        .unwrap()
        .encode(1, &mut datagram)
        .unwrap();

    let mut group = c.benchmark_group("netlink-genl/flow of 1 170 outputs");
    group.throughput(Throughput::Bytes(datagram.len().try_into().unwrap()));
    group.bench_function("copy (baseline)", |b| b.iter(|| black_box(&datagram).clone()));
    group.bench_function("actions", |b| {
        b.iter(|| {
            let mut bytes = Vec::with_capacity(big.len());
            actions(&mut bytes);
            bytes
        });
    });
    group.bench_function("message", |b| {
        b.iter(|| {
            let mut bytes = vec![];
            let request = black_box(&object).request(0x22, Flags::ACK).unwrap();
            request.encode(1, &mut bytes).unwrap();
            bytes
        });
    });
    group.bench_function("Flow", |b| {
        b.iter(|| {
            let message = Messages::new(black_box(&datagram)).next().unwrap().unwrap();
            Flow::decode(&message).unwrap()
        });
    });
    group.finish();
}

criterion_group!(benches, vport, flow);
criterion_main!(benches);
