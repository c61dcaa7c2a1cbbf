//! A flood as one flow, by its endpoints: text, typed flow and flow_mod, beside copying the message.

use std::{fmt::Write as _, hint::black_box};

use criterion::{BenchmarkId, Criterion, Throughput};
use ofp_codec::{
    Flow, FlowMod, Version,
    text::FlowRef,
    wire::{FlowModRef, Message},
};

/// An output to each endpoint of a tunnel mesh.
fn tunnels(endpoints: u32) -> String {
    let mut line = "table=22, priority=1,dl_vlan=1 actions=pop_vlan".to_owned();
    for n in 1..=endpoints {
        let dst = std::net::Ipv4Addr::from_bits(0x0a00_0000 + n);
        write!(line, ",set_field:0x1->tun_id,set_field:{dst}->tun_dst,output:4").unwrap();
    }
    line
}

/// Nothing but outputs.
fn outputs(ports: u32) -> String {
    let outputs: Vec<String> = (1..=ports).map(|port| format!("output:{port}")).collect();
    format!("table=22, priority=1 actions={}", outputs.join(","))
}

fn typed(line: &str) -> Flow {
    FlowRef::parse(line.as_bytes()).unwrap().to_flow().unwrap()
}

fn encode(flow_mod: &FlowMod, out: &mut Vec<u8>) {
    out.clear();
    flow_mod.encode(Version::V1_3, 0, out).unwrap();
}

pub(super) fn benches(c: &mut Criterion) {
    for (name, lines) in [
        (
            "tunnels",
            ENDPOINTS
                .map(|endpoints| (endpoints, tunnels(endpoints)))
                .to_vec(),
        ),
        ("outputs", OUTPUTS.map(|ports| (ports, outputs(ports))).to_vec()),
    ] {
        let mut group = c.benchmark_group(format!("ofp-codec/flow_mod by {name}"));
        for (size, line) in lines {
            let id = |function: &str| BenchmarkId::new(function, size);
            let flow_mod = FlowMod::add(typed(&line));
            let mut bytes = Vec::new();
            encode(&flow_mod, &mut bytes);
            group.throughput(Throughput::Bytes(bytes.len().try_into().unwrap()));
            group.bench_function(id("copy (baseline)"), |b| {
                let mut buffer = vec![0; bytes.len()];
                b.iter(|| black_box(&mut buffer[..]).copy_from_slice(black_box(&bytes)));
            });
            group.bench_function(id("encode"), |b| {
                let mut buffer = Vec::with_capacity(bytes.len());
                b.iter(|| encode(black_box(&flow_mod), black_box(&mut buffer)));
            });
            group.bench_function(id("decode"), |b| {
                b.iter(|| {
                    let message = Message::parse(black_box(&bytes)).unwrap();
                    FlowModRef::decode(&message).unwrap().to_flow_mod().unwrap()
                });
            });
            group.bench_function(id("parse text"), |b| b.iter(|| typed(black_box(&line))));
            group.bench_function(id("print text"), |b| {
                let mut text = String::with_capacity(line.len() * 2);
                b.iter(|| {
                    text.clear();
                    write!(text, "{}", black_box(&flow_mod.flow)).unwrap();
                });
            });
        }
        group.finish();
    }
}

/// Those of odp-actions.
const ENDPOINTS: [u32; 4] = [1, 10, 585, 1170];
/// The last is what a message of 65,535 bytes holds.
const OUTPUTS: [u32; 4] = [1, 10, 585, 4090];
