//! Packets in messages print as `ovs-ofctl ofp-parse` prints them: built by protocol, as they are and
//! with wrong bytes and lengths, in every form of message that has one.

use std::collections::BTreeMap;

use ofp_codec::{
    Action, Field, FieldMatch, Match, MatchEntry, PacketInReason, PacketType, Port, Version,
    wire::{MessageKind as Kind, Packet, PacketIn, PacketInFormat, PacketOut, Property, Writer},
};

use crate::{
    messages::{compare, fill},
    random::Random,
};

/// How many packets are compared; each is in one message.
const COUNT: usize = 12_000;

#[test]
fn packets_print_as_ovs_ofctl_prints_them() {
    let mut random = Random::seeded(0x7061_636b_6574);
    let (mut messages, mut words) = (Vec::new(), BTreeMap::new());
    for _ in 0..COUNT {
        let (kind, bytes) = packet(&mut random);
        messages.push(message(kind, &bytes, &mut random));
        let text = Packet { kind, bytes: &bytes }.to_string();
        let word = text.split(['=', ',']).next().unwrap_or_default().to_owned();
        *words.entry(word).or_insert(0) += 1;
    }
    compare(&messages);
    // Each has been met, and often.
    let wanted = [
        "arp",
        "dl_vlan",
        "icmp",
        "icmp6",
        "ip",
        "ipv6",
        "mpls",
        "mplsm",
        "packet_type",
        "rarp",
        "sctp",
        "sctp6",
        "tcp",
        "tcp6",
        "udp",
        "udp6",
        "vlan_tci",
    ];
    assert!(words.keys().eq(wanted), "{words:?}");
    assert!(words.values().all(|count| *count > 50), "{words:?}");
}

#[test]
fn a_packet_that_is_cut_off_anywhere_prints_as_ovs_ofctl_prints_it() {
    let mut random = Random::seeded(0x6375_7473);
    let mut messages = Vec::new();
    for eth_type in ETH_TYPES {
        for _ in 0..8 {
            let whole = frame(eth_type, &mut random);
            let cuts = (0..=whole.len()).map(|len| &whole[..len]);
            messages.extend(cuts.map(|bytes| packet_in(PacketType::ETHERNET, bytes, Version::V1_0)));
        }
    }
    assert!(messages.len() > 3000);
    compare(&messages);
}

#[test]
fn corrupted_messages_with_packets_print_as_ovs_ofctl_prints_them() {
    let mut random = Random::seeded(0x636f_7272);
    let mutants = (0..COUNT).map(|_| {
        let (kind, bytes) = packet(&mut random);
        let mut message = message(kind, &bytes, &mut random);
        // The kind stays as it is.
        let head = if message[1] == 4 { 16 } else { 8 };
        let mut body = message.split_off(head);
        for _ in 0..=random.below(3) {
            mutate(&mut body, &mut random);
        }
        message.extend(body);
        let len = u16::try_from(message.len()).unwrap();
        message[2..4].copy_from_slice(&len.to_be_bytes());
        message
    });
    let mutants: Vec<_> = mutants.collect();
    compare(&mutants);
}

/// A message that carries the packet: of Ethernet in every form, of another kind in those with metadata.
fn message(kind: PacketType, bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let version = Version(u8::try_from(1 + random.below(6)).unwrap());
    let with_type = kind != PacketType::ETHERNET;
    let mut out = Vec::new();
    let userdata_len = random.below(6);
    let userdata = any(random, userdata_len);
    let continuation = continuation(version, random);
    let mut packet = PacketIn {
        total_len: bytes.len(),
        buffer_id: (random.below(4) == 0).then_some(7),
        reason: PacketInReason(u8::try_from(random.below(3)).unwrap()),
        table: u8::try_from(random.below(3)).unwrap(),
        cookie: None,
        metadata: metadata(kind),
        userdata: &userdata,
        continuation: (random.below(2) == 0).then_some(&*continuation),
        data: bytes,
        other: Vec::new(),
    };
    let encoded = match random.below(5) {
        0 | 1 if !with_type => return packet_in(kind, bytes, *random.pick(&[Version::V1_0, Version::V1_3])),
        // Before OpenFlow 1.5 a switch does not give others in this form.
        0 if version >= Version::V1_2 => packet.encode(PacketInFormat::Standard, version, 9, &mut out),
        2 if !with_type || version >= Version::V1_5 => {
            let packet = PacketOut {
                buffer_id: packet.buffer_id,
                metadata: metadata(kind),
                actions: vec![Action::PopVlan],
                data: match packet.buffer_id {
                    Some(_) => Vec::new(),
                    None => bytes.to_vec(),
                },
            };
            Kind::PacketOut.encode(version, 9, &mut out, |writer| packet.encode(version, writer))
        }
        3 => packet.encode(PacketInFormat::Nicira, version, 9, &mut out),
        _ if bytes.is_empty() => return packet_in(PacketType::ETHERNET, bytes, version),
        4 => {
            packet.buffer_id = None;
            packet.encode_resume(version, 9, &mut out)
        }
        _ => packet.encode(PacketInFormat::Nicira2, version, 9, &mut out),
    };
    encoded.unwrap();
    out
}

/// What a switch gives with a packet for itself.
fn continuation(version: Version, random: &mut Random) -> Vec<u8> {
    let mut out = Vec::new();
    let action = match version {
        Version::V1_0 => vec![0, 0, 0, 8, 0, 5, 0, 0],
        _ => vec![0, 0, 0, 16, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0],
    };
    for kind in 0..9 {
        let value = match kind {
            0 => any(random, 16),
            1 => any(random, 5),
            3 => Vec::new(),
            4 => any(random, 1),
            5 => [vec![0; 4], any(random, 8)].concat(),
            6 | 7 => [vec![0; 4], action.clone()].concat(),
            _ => any(random, 4),
        };
        if random.below(3) == 0 {
            let property = Property::new(0x8000 + kind, &value);
            property.encode(&mut Writer::new(&mut out)).unwrap();
        }
    }
    out
}

fn packet_in(kind: PacketType, bytes: &[u8], version: Version) -> Vec<u8> {
    let packet = PacketIn {
        total_len: bytes.len(),
        buffer_id: None,
        reason: PacketInReason(1),
        table: 0,
        cookie: None,
        metadata: metadata(kind),
        userdata: &[],
        continuation: None,
        data: bytes,
        other: Vec::new(),
    };
    let mut out = Vec::new();
    let encoded = packet.encode(PacketInFormat::Standard, version, 9, &mut out);
    encoded.unwrap();
    out
}

fn metadata(kind: PacketType) -> Match {
    let mut entries = vec![FieldMatch::exact(Field::InPort, Port(5).0.into())];
    if kind != PacketType::ETHERNET {
        let number = u128::from(kind.namespace) << 16 | u128::from(kind.kind);
        entries.push(FieldMatch::exact(Field::PacketType, number));
    }
    Match(entries.into_iter().map(MatchEntry::Field).collect())
}

/// Half of them are well-formed.
fn packet(random: &mut Random) -> (PacketType, Vec<u8>) {
    let eth_type = *random.pick(&ETH_TYPES);
    let (kind, mut bytes) = match random.below(8) {
        0 => {
            let kind = PacketType {
                namespace: *random.pick(&[1, 1, 1, 0, 2, 0xffff]),
                kind: if eth_type == 0 { 0x1234 } else { eth_type },
            };
            (kind, network(eth_type, random))
        }
        _ => (PacketType::ETHERNET, frame(eth_type, random)),
    };
    if random.below(2) == 0 {
        for _ in 0..=random.below(3) {
            mutate(&mut bytes, random);
        }
    }
    (kind, bytes)
}

fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    // Lengths are near the start.
    let near = if random.below(3) == 0 { 300 } else { 60 };
    let at = random.below(bytes.len().min(near));
    let Some(byte) = bytes.get_mut(at) else { return };
    match random.below(7) {
        0 => *byte ^= 1 << random.below(8),
        1 => *byte = *random.pick(&[0, 1, 2, 5, 6, 8, 0x40, 0x45, 0x60, 0x80, 0xff]),
        2 => *byte = byte.wrapping_add(1),
        3 => *byte = byte.wrapping_sub(1),
        4 => *byte = u8::try_from(random.next() & 0xff).unwrap(),
        5 => bytes.truncate(at),
        _ => {
            let end = at.saturating_add(random.below(9)).min(bytes.len());
            bytes.drain(at..end);
        }
    }
}

/// An Ethernet frame, perhaps with tags or with the header of 802.2, and with padding.
fn frame(eth_type: u16, random: &mut Random) -> Vec<u8> {
    let mut out = any(random, 12);
    for _ in 0..*random.pick(&[0, 0, 0, 1, 1, 2, 3]) {
        out.extend(*random.pick(&[[0x81, 0x00], [0x88, 0xa8]]));
        out.extend(any(random, 2));
    }
    match random.below(8) {
        0 => {
            out.extend([0, 60, 0xaa, 0xaa, 3, 0, 0, 0]);
            if random.below(4) == 0 {
                let at = out.len() - 1 - random.below(6);
                out[at] = 0x42;
            }
        }
        1 if eth_type == 0 => out.extend([5, 0xff]),
        _ => {}
    }
    out.extend(eth_type.to_be_bytes());
    out.extend(network(eth_type, random));
    if random.below(4) == 0 {
        let len = random.below(40);
        out.extend(fill(random, len));
    }
    out
}

fn network(eth_type: u16, random: &mut Random) -> Vec<u8> {
    match eth_type {
        0x0800 => ipv4(random),
        0x86dd => ipv6(random),
        0x0806 | 0x8035 => {
            let mut out = vec![0, 1, 8, 0, 6, 4, 0, *random.pick(&[0, 1, 2, 3, 4, 255])];
            out[6] = u8::from(random.below(8) == 0);
            out.extend(any(random, 20));
            out
        }
        0x8847 | 0x8848 => {
            let count = random.below(6);
            let mut out = any(random, 4 * count);
            for label in out.chunks_mut(4) {
                label[2] = label[2] & 0xfe | u8::from(random.below(3) == 0);
            }
            out.extend(ipv4(random));
            out
        }
        0x894f => {
            let (kind, words) =
                *random.pick(&[(1, 6), (1, 6), (1, 5), (2, 2), (2, 9), (2, 1), (3, 1), (0, 0)]);
            let mut out = vec![
                u8::try_from(random.below(64)).unwrap(),
                u8::try_from(random.below(4) << 6).unwrap() | words,
                kind,
                3,
            ];
            out.extend(any(random, 4 * usize::from(words).max(2) - 4));
            out.extend(any(random, 30));
            out
        }
        _ => {
            let len = random.below(50);
            any(random, len)
        }
    }
}

fn ipv4(random: &mut Random) -> Vec<u8> {
    let proto = *random.pick(&PROTOCOLS);
    let payload = transport(proto, random);
    let options = 4 * *random.pick(&[0, 0, 0, 1, 10]);
    let len = u16::try_from(20 + options + payload.len()).unwrap().to_be_bytes();
    let head = 0x40 | u8::try_from(5 + options / 4).unwrap();
    let mut out = vec![
        head,
        u8::try_from(random.below(256)).unwrap(),
        len[0],
        len[1],
        0,
        0,
    ];
    out.extend(*random.pick(&[[0, 0], [0, 0], [0x40, 0], [0x20, 0], [0x20, 1], [0, 9], [0x80, 0]]));
    out.extend([64, proto, 0, 0]);
    out.extend(any(random, 8 + options));
    out.extend(payload);
    out
}

/// With up to three headers of extension.
fn ipv6(random: &mut Random) -> Vec<u8> {
    let mut proto = *random.pick(&PROTOCOLS);
    let mut payload = transport(proto, random);
    for _ in 0..*random.pick(&[0, 0, 0, 1, 1, 2, 3]) {
        let extension = *random.pick(&[0, 43, 44, 51, 60]);
        let words = match extension {
            44 => 0,
            _ => random.below(3),
        };
        let len = match extension {
            51 => 4 * (words + 2),
            _ => 8 * (words + 1),
        };
        let mut header = any(random, len);
        (header[0], header[1]) = (proto, u8::try_from(words).unwrap());
        if extension == 44 {
            let offset = *random.pick(&[[0, 0], [0, 1], [0, 1], [0, 2], [0, 9], [5, 0]]);
            header[2..4].copy_from_slice(&offset);
        }
        header.extend(payload);
        (payload, proto) = (header, extension);
    }
    let len = u16::try_from(payload.len()).unwrap().to_be_bytes();
    let mut out = any(random, 4);
    out[0] = 0x60 | out[0] & 0xf;
    out.extend([len[0], len[1], proto, 64]);
    // Also addresses that have a short form.
    match random.below(3) {
        0 => out.extend(fill(random, 32)),
        _ => out.extend(any(random, 32)),
    }
    out.extend(payload);
    out
}

fn transport(proto: u8, random: &mut Random) -> Vec<u8> {
    let more = *random.pick(&[0, 0, 4, 8, 20]);
    let mut out = match proto {
        6 => {
            let options = random.below(4);
            let mut out = any(random, 20 + 4 * options);
            out[12] = u8::try_from(5 + options).unwrap() << 4 | out[12] & 0xf;
            out
        }
        58 => neighbor(random),
        _ => any(random, 12),
    };
    out.extend(any(random, more));
    out
}

/// ICMPv6, mostly neighbor discovery with options.
fn neighbor(random: &mut Random) -> Vec<u8> {
    let mut out = any(random, 8);
    (out[0], out[1]) = (*random.pick(&[135, 136, 128]), *random.pick(&[0, 0, 0, 1]));
    out.extend(any(random, 16));
    for _ in 0..random.below(4) {
        let words = *random.pick(&[1, 1, 1, 2, 0]);
        out.extend([*random.pick(&[1, 2, 1, 2, 5]), words]);
        out.extend(any(random, 8 * usize::from(words.max(1)) - 2));
        if random.below(6) == 0 {
            let at = out.len() - 6;
            out[at..].fill(0);
        }
    }
    out
}

/// Bytes of every value.
fn any(random: &mut Random, len: usize) -> Vec<u8> {
    (0..len)
        .map(|_| u8::try_from(random.next() & 0xff).unwrap())
        .collect()
}

const ETH_TYPES: [u16; 12] = [
    0x0800, 0x0800, 0x0800, 0x86dd, 0x86dd, 0x86dd, 0x0806, 0x8035, 0x8847, 0x8848, 0x894f, 0,
];
const PROTOCOLS: [u8; 10] = [1, 2, 6, 6, 17, 58, 58, 132, 47, 255];
