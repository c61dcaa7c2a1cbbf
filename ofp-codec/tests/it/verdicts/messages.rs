//! Random messages with a match in them: packets, requests, monitors, and flows.

use std::{collections::BTreeMap, fs, process::Command};

use ofp_codec::{
    FlowMod, Version,
    text::FlowRef,
    wire::{FlowModRef, MatchRef, Message, MessageKind as Kind, Writer, print},
};
use testbed::{or_skip, program};

use crate::{
    random::Random,
    verdicts::{flows, rounds},
};

/// The entries of a match of this version, and all that a flow message has behind its match.
fn parts(random: &mut Random, version: Version) -> (Vec<u8>, Vec<u8>) {
    loop {
        let text = flows::flow(random);
        if flows::is_younger_than_3_7(&text) {
            continue;
        }
        let Ok(mut flow) = FlowRef::parse(text.as_bytes()).and_then(|line| line.to_flow()) else {
            continue;
        };
        flow.matches.take_ignored();
        let mut bytes = Vec::new();
        if FlowMod::add(flow).encode(version, 0, &mut bytes).is_err() {
            continue;
        }
        let flow_mod = FlowModRef::decode(&Message::parse(&bytes).unwrap()).unwrap();
        let MatchRef::Oxm(list) = flow_mod.matches else {
            continue;
        };
        let mut entries = Vec::new();
        for entry in list.entries() {
            entry.unwrap().encode(&mut Writer::new(&mut entries));
        }
        return (entries, flow_mod.program.bytes().to_vec());
    }
}

/// Entries of two matches, mixed, doubled and corrupted.
fn entries(random: &mut Random, version: Version) -> Vec<u8> {
    let (mut first, _) = parts(random, version);
    if random.below(3) == 0 {
        first.extend(parts(random, version).0);
    }
    if random.below(8) == 0 {
        first.extend(first.clone());
    }
    if random.below(4) == 0 && !first.is_empty() {
        let at = random.below(first.len());
        first[at] ^= 1 << random.below(8);
    }
    // A mask on the port, and unknown fields of a known and of an unknown class.
    match random.below(16) {
        0 => first.extend([0x80, 0, 1, 8, 0, 0, 0, 4, 0, 0, 0, 5]),
        1 => first.extend([0x80, 0, 0x7e << 1, 1, 7]),
        2 => first.extend([0x12, 0x34, 0, 2, 7, 7]),
        3 => first.extend([0x80, 0, 0, 4, 0, 0, 0, 1]),
        _ => {}
    }
    first.truncate(1000);
    first
}

/// `OFPMT_OXM`, the length, the entries, zeros up to 8 bytes.
fn oxm(entries: &[u8]) -> Vec<u8> {
    let len = u16::try_from(entries.len() + 4).unwrap();
    let mut bytes = [&[0, 1][..], &len.to_be_bytes(), entries].concat();
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes
}

/// A message with a random match.
fn message(random: &mut Random, xid: u32) -> Vec<u8> {
    let version = *random.pick(&[Version::V1_2, Version::V1_3, Version::V1_4, Version::V1_5]);
    let matches = oxm(&entries(random, version));
    let monitor = [
        0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 1, 0xff, 0,
    ];
    let request = [
        0xff, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0,
    ];
    let in_port = oxm(&[&[0x80, 0, 0, 4, 0, 0, 0, 1][..], &matches[4..]].concat());
    let (kind, body) = match random.below(5) {
        0 => {
            let cookie: &[u8] = if version >= Version::V1_3 { &[0; 8] } else { &[] };
            let head = [&[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0][..], cookie].concat();
            (Kind::PacketIn, [&head[..], &matches, &[0, 0]].concat())
        }
        1 if version == Version::V1_5 => {
            let matches = if random.below(2) == 0 { matches } else { in_port };
            let head = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];
            (Kind::PacketOut, [&head[..], &matches].concat())
        }
        2 if version >= Version::V1_4 => (Kind::FlowMonitorRequest, [&monitor[..], &matches].concat()),
        3 => (
            Kind::AggregateRequest,
            [&request[..], &[0; 16], &matches].concat(),
        ),
        4 => {
            let (_, program) = parts(random, version);
            let table = *random.pick(&[0, 3, 254, 255]);
            let command = *random.pick(&[0, 0, 0, 1, 2, 3, 4, 5]);
            let head = [
                &[0; 16][..],
                &[table, command, 0, 0, 0, 0, 0, 9],
                &[0xff; 12],
                &[0; 4],
            ]
            .concat();
            (Kind::FlowMod, [&head[..], &matches, &program].concat())
        }
        _ => (Kind::FlowRequest, [&request[..], &[0; 16], &matches].concat()),
    };
    let mut out = Vec::new();
    kind.encode(version, xid, &mut out, |writer| {
        writer.bytes(&body);
        Ok(())
    })
    .unwrap();
    out
}

/// The name of the error in what is printed of each message, by its transaction.
fn errors(text: &str) -> BTreeMap<u32, Option<String>> {
    let mut found = BTreeMap::new();
    let mut last = 0;
    for line in text.lines() {
        let xid = line
            .split_once("(xid=0x")
            .and_then(|(_, rest)| rest.split_once(')'));
        if let Some((xid, _)) = xid.filter(|_| !line.starts_with(' ')) {
            last = u32::from_str_radix(xid, 16).unwrap();
            found.insert(last, None);
        }
        if let Some((_, name)) = line.split_once("***decode error: ") {
            found.insert(last, Some(name.trim_end_matches('*').to_owned()));
        }
    }
    found
}

#[test]
fn random_matches_in_messages_are_taken_and_refused_as_ovs_ofctl_does() {
    let Some(ofctl) = or_skip(program("ovs-ofctl")) else {
        return;
    };
    let mut random = Random::seeded(0x6d61_7463);
    let messages: Vec<Vec<u8>> = (1..=u32::try_from(rounds(4000)).unwrap())
        .map(|xid| message(&mut random, xid))
        .collect();
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), messages.concat()).unwrap();
    let out = Command::new(ofctl)
        .arg("ofp-parse")
        .arg(file.path())
        .output()
        .unwrap();
    let text: String = out.stdout.into_iter().map(char::from).collect();
    let theirs = errors(&text);
    assert_eq!(theirs.len(), messages.len());
    // Corrupted, a field becomes one that older releases do not have.
    let younger = |theirs: &Option<String>| theirs.as_deref() == Some("OFPBMC_BAD_FIELD");
    let (mut taken, mut refused, mut other, mut bad) = (0, 0, 0, 0);
    for (bytes, (xid, theirs)) in messages.iter().zip(&theirs) {
        let ours = errors(&print(bytes)).remove(xid).flatten();
        match (&ours, theirs) {
            (None, None) => taken += 1,
            (Some(ours), Some(theirs)) if ours == theirs => refused += 1,
            // Of several faults each finds another one first.
            (Some(_), Some(_)) => other += 1,
            (None, theirs) if younger(theirs) && other < messages.len() / 200 => other += 1,
            _ => {
                bad += 1;
                let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                println!("{hex}\n  {ours:?}\n  {theirs:?}");
            }
        }
    }
    println!("{taken} taken, {refused} refused by the same name, {other} by another one, {bad} otherwise");
    assert!(other <= messages.len() / 200, "{other}");
    assert_eq!(bad, 0);
}
