//! Reading and writing flows as OpenFlow messages, beside copying their bytes.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use ofp_codec::{
    Flow, FlowMod, Version,
    text::FlowRef,
    wire::{FlowModRef, FlowStatsRef, MatchRef, Message, MessageKind, ProgramRef, Writer, frame_len},
};

/// Flows of the kinds that OVN makes.
pub(super) fn flows() -> Vec<Flow> {
    testbed::ovn_flows(COUNT)
        .map(|line| FlowRef::parse(line.as_bytes()).unwrap().to_flow().unwrap())
        .collect()
}

/// The reply of a switch that has these flows.
pub(super) fn reply(flows: &[Flow], version: Version) -> Vec<u8> {
    let mut reply = Vec::new();
    FlowStatsRef::encode_reply(flows, version, 1, &mut reply).unwrap();
    reply
}

/// The messages of a stream.
pub(super) fn messages(mut stream: &[u8]) -> impl Iterator<Item = Message<'_>> {
    std::iter::from_fn(move || {
        let (message, rest) = stream.split_at(frame_len(stream).unwrap()?);
        stream = rest;
        Some(Message::parse(message).unwrap())
    })
}

/// Types every flow of replies and of messages that add flows: how many actions there are.
pub(super) fn decode(stream: &[u8]) -> usize {
    let actions = |message: Message<'_>| match message.kind() {
        Some(MessageKind::FlowMod) => {
            let flow_mod = FlowModRef::decode(&message).unwrap().to_flow_mod();
            flow_mod.unwrap().flow.actions.len()
        }
        _ => {
            let entries = FlowStatsRef::entries(&message).unwrap();
            let flows = entries.map(|flow| flow.unwrap().to_flow().unwrap());
            flows.map(|flow| flow.actions.len()).sum()
        }
    };
    messages(stream).map(actions).sum()
}

/// The messages that add these flows.
pub(super) fn flow_mods(flows: &[Flow]) -> Vec<u8> {
    written(&adds(flows))
}

fn adds(flows: &[Flow]) -> Vec<FlowMod> {
    flows.iter().cloned().map(FlowMod::add).collect()
}

fn written(changes: &[FlowMod]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for change in changes {
        change.encode(Version::V1_3, XID, &mut bytes).unwrap();
    }
    bytes
}

fn mods(stream: &[u8]) -> impl Iterator<Item = FlowModRef<'_>> {
    messages(stream).map(|message| FlowModRef::decode(&message).unwrap())
}

/// Looks at every entry of the match and every action: how many there are.
fn parts(matches: &MatchRef<'_>, program: &ProgramRef<'_>) -> usize {
    let entries = match matches {
        MatchRef::Oxm(list) | MatchRef::Nxm(list) => {
            list.entries().map(|entry| entry.unwrap().value.len()).sum()
        }
        _ => 0,
    };
    let actions = program.actions().into_iter().flatten();
    entries + actions.map(|action| action.unwrap().bytes().len()).sum::<usize>()
}

pub(super) fn benches(c: &mut Criterion) {
    let flows = flows();
    for (version, name) in [
        (Version::V1_0, "1.0"),
        (Version::V1_3, "1.3"),
        (Version::V1_5, "1.5"),
    ] {
        let reply = reply(&flows, version);
        let mut group = c.benchmark_group(format!("ofp-codec/reply of 100,000 flows, OpenFlow {name}"));
        group.throughput(Throughput::Elements(COUNT.into()));
        group.sample_size(10);
        group.bench_function("copy (baseline)", |b| b.iter(|| black_box(&reply).to_vec()));
        let entries = |reply| messages(reply).flat_map(|message| FlowStatsRef::entries(&message).unwrap());
        group.bench_function("flows in parts", |b| {
            b.iter(|| {
                entries(black_box(&reply))
                    .map(|flow| flow.unwrap())
                    .map(|flow| parts(&flow.matches, &flow.program))
                    .sum::<usize>()
            });
        });
        group.bench_function("typed flows", |b| {
            b.iter(|| decode(black_box(&reply)));
        });
        group.bench_function("parts written again", |b| {
            b.iter(|| {
                let mut again = Vec::with_capacity(reply.len());
                for flow in entries(black_box(&reply)) {
                    flow.unwrap().encode(&mut Writer::new(&mut again)).unwrap();
                }
                again
            });
        });
        group.bench_function("typed flows written", |b| {
            b.iter(|| self::reply(black_box(&flows), version));
        });
        group.finish();
    }
    changes(c, &flow_mods(&flows), &adds(&flows));
}

fn changes(c: &mut Criterion, bytes: &[u8], adds: &[FlowMod]) {
    let mut group = c.benchmark_group("ofp-codec/flow_mods, OpenFlow 1.3");
    group.throughput(Throughput::Elements(COUNT.into()));
    group.sample_size(10);
    group.bench_function("copy (baseline)", |b| b.iter(|| black_box(bytes).to_vec()));
    group.bench_function("in parts", |b| {
        b.iter(|| {
            mods(black_box(bytes))
                .map(|flow_mod| parts(&flow_mod.matches, &flow_mod.program))
                .sum::<usize>()
        });
    });
    let again = |bytes: &[u8]| {
        let mut again = Vec::with_capacity(bytes.len());
        for flow_mod in mods(bytes) {
            flow_mod.encode(XID, &mut again).unwrap();
        }
        again
    };
    assert!(again(bytes) == bytes, "the parts of a flow_mod lose something");
    group.bench_function("parts written again", |b| b.iter(|| again(black_box(bytes))));
    group.bench_function("typed", |b| b.iter(|| decode(black_box(bytes))));
    group.bench_function("written", |b| b.iter(|| written(black_box(adds))));
    group.finish();
}

const COUNT: u32 = 100_000;
const XID: u32 = 1;
