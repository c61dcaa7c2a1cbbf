//! Reading ports: one message, and the lists that a kernel gives.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use netlink_genl::message::{Flags, Messages};
use netlink_genl::ovs::vport::{Kind, Stats, Vport, VportAttr, VportRef};
use netlink_genl::ovs::{Command, DpIfindex, Object};

use crate::peers;

/// Ports of a list.
const PORTS: [u32; 4] = [10, 100, 1000, 10_000];

pub(crate) fn benches(c: &mut Criterion) {
    one(c);
    lists(c);
}

/// Every reader tells datapath, number and name, and has seen all the rest.
fn one(c: &mut Criterion) {
    let datagram = answer(2);
    let expected = (9, 2, "port2".to_owned());
    assert_eq!(peers::netlink_packet::read(&datagram), expected);
    assert_eq!(peers::neli::read(&datagram), expected);

    let mut group = c.benchmark_group("netlink-genl/vport");
    group.throughput(Throughput::Elements(1));
    group.bench_function("netlink-packet-generic (baseline)", |b| {
        b.iter(|| peers::netlink_packet::read(black_box(&datagram)));
    });
    group.bench_function("neli", |b| b.iter(|| peers::neli::read(black_box(&datagram))));
    group.bench_function("Object, attribute by attribute", |b| {
        b.iter(|| objects(black_box(&datagram)));
    });
    group.bench_function("Vport, owned", |b| b.iter(|| owned(black_box(&datagram))));
    group.bench_function("VportRef, borrowed", |b| {
        b.iter(|| borrowed(black_box(&datagram)));
    });
    group.finish();
}

fn lists(c: &mut Criterion) {
    let mut group = c.benchmark_group("netlink-genl/list of ports");
    for ports in PORTS {
        let messages: Vec<Vec<u8>> = (1..=ports).map(answer).collect();
        let datagram = messages.concat();
        group.throughput(Throughput::Elements(ports.into()));
        // The crate leaves it to its users to find where a message ends.
        group.bench_function(
            BenchmarkId::new("netlink-packet-generic (baseline)", ports),
            |b| {
                b.iter(|| {
                    let read = messages
                        .iter()
                        .map(|it| peers::netlink_packet::read(black_box(it)).1);
                    read.sum::<u32>()
                });
            },
        );
        group.bench_function(BenchmarkId::new("Vport, owned", ports), |b| {
            b.iter(|| owned(black_box(&datagram)));
        });
        group.bench_function(BenchmarkId::new("VportRef, borrowed", ports), |b| {
            b.iter(|| borrowed(black_box(&datagram)));
        });
    }
    group.finish();
}

fn objects(datagram: &[u8]) -> u32 {
    let messages = Messages::new(datagram).map(|message| {
        let object = Object::<VportAttr>::decode(&message.unwrap()).unwrap();
        let number = object.attrs.iter().find_map(|attr| match attr {
            VportAttr::PortNo(it) => Some(*it),
            _ => None,
        });
        let name = object.attrs.iter().find_map(|attr| match attr {
            VportAttr::Name(it) => Some(it),
            _ => None,
        });
        black_box((object.datapath, name.unwrap()));
        number.unwrap()
    });
    messages.sum()
}

fn owned(datagram: &[u8]) -> u32 {
    let messages = Messages::new(datagram).map(|message| {
        let port = Vport::decode(&message.unwrap()).unwrap();
        black_box((port.datapath, &port.name));
        port.port_no
    });
    messages.sum()
}

fn borrowed(datagram: &[u8]) -> u32 {
    let messages = Messages::new(datagram).map(|message| {
        let port = VportRef::decode(&message.unwrap()).unwrap();
        black_box((port.datapath, port.name));
        port.port_no
    });
    messages.sum()
}

/// An answer of the kernel.
fn answer(port_no: u32) -> Vec<u8> {
    let object = Object {
        datapath: DpIfindex(9),
        command: Command::NEW.0,
        version: 1,
        attrs: vec![
            VportAttr::PortNo(port_no),
            VportAttr::Type(Kind::INTERNAL),
            VportAttr::Name(std::ffi::CString::new(format!("port{port_no}")).unwrap()),
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
