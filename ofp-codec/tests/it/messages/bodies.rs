//! Random bodies of messages that have a structure of their own: most of them are well-formed.

use std::net::{Ipv4Addr, Ipv6Addr};

use ofp_codec::{
    Field, Version,
    wire::{
        AsyncConfig, CtFlush, CtTuple, DecodeError, EncodeError, Entries, Entry, Form, GroupFeatures,
        Message, MessageKind as Kind, OxmHeader, PortMod, Property, QueueConfig, TableDesc, TableFeaturesRef,
        TableMod, TableStatsRef, TableStatus, TlvTable, TlvTableMod, Writer,
    },
};

use super::fill;
use crate::random::Random;

/// A body of this kind, or nothing for kinds that random bytes are good enough for.
pub(super) fn body(kind: Kind, version: Version, form: &Form, random: &mut Random) -> Option<Vec<u8>> {
    let with_properties = version >= Version::V1_4;
    let mut out = match kind {
        Kind::PortMod | Kind::TableMod if with_properties => {
            let mut out = fill(random, form.body_len);
            properties(&[0, 2, 3, 9, 0xffff], random, &mut out);
            out
        }
        Kind::TableStatus => {
            let mut out = fill(random, 8);
            out[0] = *random.pick(&[3, 4, 4, 5]);
            let mut table = table_desc(random);
            // Bytes behind the table are lost.
            let len = u16::try_from(table.len()).unwrap();
            table[..2].copy_from_slice(&len.to_be_bytes());
            out.extend(table);
            out
        }
        Kind::TableDescReply => (0..=random.below(3)).flat_map(|_| table_desc(random)).collect(),
        Kind::TableReply => table_stats(version, random),
        Kind::TableFeaturesReply | Kind::TableFeaturesRequest => table_features(version, random),
        Kind::QueueGetConfigReply | Kind::QueueDescReply => queues(version, random),
        Kind::FlowMonitorRequest => monitors(version, random),
        Kind::SetAsyncConfig2 | Kind::GetAsyncReply | Kind::SetAsync
            if with_properties || kind == Kind::SetAsyncConfig2 =>
        {
            let mut out = Vec::new();
            for _ in 0..random.below(8) {
                let kind = u16::try_from(random.below(13)).unwrap();
                let reasons = [0, 0, 0, *random.pick(&[0, 1, 2, 3, 7, 0x18, 0x3f, 0x1f])];
                out.extend(bytes(&Property::new(kind, &reasons)));
            }
            if random.below(4) == 0 {
                properties(&[0, 13, 0xfffe, 0xffff], random, &mut out);
            }
            out
        }
        Kind::TlvTableMod | Kind::TlvTableReply => tlv_table(form, random),
        Kind::CtFlush => ct_flush(random),
        _ => return None,
    };
    // A message has its length in 16 bits.
    out.truncate(60_000);
    Some(out)
}

/// The body of a message as it is written after it was read; nothing for other kinds.
pub(super) fn written_again(message: &Message<'_>) -> Option<Result<Vec<u8>, DecodeError>> {
    let (kind, version) = (message.kind()?, message.header().version);
    let mut out = Vec::new();
    let writer = &mut Writer::new(&mut out);
    let done = match kind {
        Kind::GetAsyncReply | Kind::SetAsync | Kind::SetAsyncConfig | Kind::SetAsyncConfig2 => {
            AsyncConfig::decode(message).map(|config| config.encode(kind, version, writer))
        }
        Kind::TlvTableMod => TlvTableMod::decode(message).map(|change| {
            change.encode(writer);
            Ok(())
        }),
        Kind::TlvTableReply => TlvTable::decode(message).map(|table| {
            table.encode(writer);
            Ok(())
        }),
        Kind::TableMod => TableMod::decode(message).map(|change| change.encode(writer)),
        Kind::TableStatus => TableStatus::decode(message).map(|status| status.encode(writer)),
        Kind::TableDescReply => each::<TableDesc>(message, |entry| entry.encode(writer)),
        Kind::TableFeaturesReply | Kind::TableFeaturesRequest => {
            each::<TableFeaturesRef>(message, |entry| entry.encode(writer))
        }
        Kind::TableReply => each::<TableStatsRef>(message, |entry| {
            entry.encode(writer);
            Ok(())
        }),
        Kind::GroupFeaturesReply => GroupFeatures::decode(message).map(|features| {
            features.encode(writer);
            Ok(())
        }),
        // Padding in these is written as zeros.
        Kind::PortMod => {
            let Ok(change) = PortMod::decode(message) else {
                return None;
            };
            change.encode(version, writer).unwrap();
            let padding: &[usize] = match version {
                Version::V1_0 => &[20, 21, 22, 23],
                Version::V1_1 | Version::V1_2 | Version::V1_3 => &[4, 5, 6, 7, 14, 15, 28, 29, 30, 31],
                _ => &[4, 5, 6, 7, 14, 15],
            };
            padding.iter().for_each(|&at| out[at] = message.body().rest()[at]);
            return Some(Ok(out));
        }
        _ => return None,
    };
    Some(done.map(|done| {
        done.unwrap();
        out
    }))
}

fn each<'a, T: Entry<'a>>(
    message: &Message<'a>,
    mut encode: impl FnMut(T) -> Result<(), EncodeError>,
) -> Result<Result<(), EncodeError>, DecodeError> {
    for entry in Entries::<T>::of(message) {
        encode(entry.map_err(|bad| bad.error)?).unwrap();
    }
    Ok(Ok(()))
}

fn bytes(property: &Property) -> Vec<u8> {
    let mut out = Vec::new();
    property.encode(&mut Writer::new(&mut out)).unwrap();
    out
}

/// A few properties of these types; most values have four bytes.
fn properties(kinds: &[u16], random: &mut Random, out: &mut Vec<u8>) {
    for _ in 0..random.below(4) {
        let len = *random.pick(&[4, 4, 4, 4, 4, 2, 8, 12, 0]);
        let (kind, mut value) = (*random.pick(kinds), fill(random, len));
        // Of an experimenter's type Open vSwitch looks at the low half only, and takes it for its own.
        if let (0xffff, Some(byte)) = (kind, value.get_mut(7)) {
            *byte |= 0x40;
        }
        out.extend(bytes(&Property::new(kind, &value)));
    }
    if random.below(16) == 0 {
        out.extend([0, 2, 0, 3, 0, 0, 0, 0]);
    }
}

/// Fills in the length of the entry.
fn with_len(mut entry: Vec<u8>, at: usize, random: &mut Random) -> Vec<u8> {
    let mut len = u16::try_from(entry.len()).unwrap();
    if random.below(24) == 0 {
        len = len.wrapping_add(*random.pick(&[8, 1, u16::MAX - 7]));
    }
    entry[at..at + 2].copy_from_slice(&len.to_be_bytes());
    entry
}

fn table_desc(random: &mut Random) -> Vec<u8> {
    let mut entry = fill(random, 8);
    entry[7] = u8::try_from(random.below(16)).unwrap();
    properties(&[2, 3, 3, 2, 9, 0xffff], random, &mut entry);
    with_len(entry, 0, random)
}

/// Entries of which some are as the one before.
fn repeated(random: &mut Random, mut entry: impl FnMut(&mut Random) -> Vec<u8>, table_at: usize) -> Vec<u8> {
    let (mut out, mut last) = (Vec::new(), Vec::new());
    for table in 0..random.below(7) {
        if last.is_empty() || random.below(3) == 0 {
            last = entry(random);
        }
        last[table_at] = u8::try_from(table).unwrap();
        out.extend_from_slice(&last);
    }
    out
}

/// A name, or none.
fn name(entry: &mut [u8], random: &mut Random) {
    entry.fill(0);
    if random.below(3) == 0 {
        entry[..3].copy_from_slice(b"acl");
    }
}

fn table_stats(version: Version, random: &mut Random) -> Vec<u8> {
    let (len, name_at) = match version {
        Version::V1_0 => (64, 4),
        Version::V1_1 => (88, 8),
        Version::V1_2 => (128, 8),
        _ => (24, 0),
    };
    let entry = |random: &mut Random| {
        let mut entry = fill(random, len);
        if version < Version::V1_3 {
            name(&mut entry[name_at..name_at + 32], random);
        }
        entry
    };
    repeated(random, entry, 0)
}

/// A field that release 3.1 of Open vSwitch has, in a form for this version.
fn header(version: Version, random: &mut Random) -> Vec<u8> {
    let newer = |name: &str| {
        let number = |prefix| name.strip_prefix(prefix).and_then(|rest| rest.parse::<u8>().ok());
        let first = [("reg", 16), ("xreg", 8), ("xxreg", 4)];
        first
            .iter()
            .any(|(prefix, first)| number(*prefix).is_some_and(|number| number >= *first))
    };
    loop {
        // Those next to each other print in short.
        let field = Field::ALL[random.below(Field::ALL.len())];
        if newer(field.info().name) {
            continue;
        }
        if let Some(header) = OxmHeader::of(field, Some(version)) {
            let mut out = Vec::new();
            header.encode(&mut Writer::new(&mut out));
            return out;
        }
    }
}

fn table_features(version: Version, random: &mut Random) -> Vec<u8> {
    let entry = |random: &mut Random| {
        let mut entry = fill(random, 64);
        name(&mut entry[8..40], random);
        entry[3] = *random.pick(&[0, 0, 1, 2, 3, 4]);
        if random.below(8) == 0 && version >= Version::V1_5 {
            return with_len(entry, 0, random);
        }
        for kind in 0..16u16 {
            let miss = kind % 2 == 1;
            // Those that must be there, and others at times.
            let left_out = if miss {
                random.below(3) == 0
            } else {
                random.below(64) == 0
            };
            if left_out || [9, 11].contains(&kind) {
                continue;
            }
            let count = random.below(12);
            let value: Vec<u8> = match kind & !1 {
                0 => (0..count.min(6))
                    .flat_map(|n| [0, u8::try_from(n + 1).unwrap(), 0, 4])
                    .collect(),
                2 => (0..count)
                    .map(|n| u8::try_from(n * (1 + random.below(2))).unwrap())
                    .collect(),
                4 | 6 => (0..count)
                    .flat_map(|_| [0, u8::try_from(random.below(30)).unwrap(), 0, 4])
                    .collect(),
                _ => (0..count * 4).flat_map(|_| header(version, random)).collect(),
            };
            entry.extend(bytes(&Property::new(kind, &value)));
        }
        if random.below(4) == 0 {
            properties(&[0xfffe, 0xffff, 99, 2], random, &mut entry);
        }
        with_len(entry, 0, random)
    };
    repeated(random, entry, 2)
}

fn queues(version: Version, random: &mut Random) -> Vec<u8> {
    let mut out = match version {
        Version::V1_0 => vec![0, u8::try_from(random.below(9)).unwrap(), 0, 0, 0, 0, 0, 0],
        Version::V1_1 | Version::V1_2 | Version::V1_3 => {
            vec![0, 0, *random.pick(&[0, 0, 0, 0xff]), 3, 0, 0, 0, 0]
        }
        _ => Vec::new(),
    };
    for _ in 0..random.below(4) {
        let port = u32::try_from(random.below(3)).unwrap();
        let queue = u32::try_from(random.below(9)).unwrap();
        let rates = [None, Some(0), Some(500), Some(1000), Some(1001), Some(0xffff)];
        let (min, max) = (*random.pick(&rates), *random.pick(&rates));
        let config = QueueConfig::new(ofp_codec::Port(port), queue, min, max, version);
        let mut entry = Vec::new();
        let mut writer = Writer::new(&mut entry);
        QueueConfig::encode_reply(ofp_codec::Port(0), &[config], version, &mut writer).unwrap();
        let entry = entry.split_off(if version < Version::V1_4 { 8 } else { 0 });
        let len_at = if version < Version::V1_2 { 4 } else { 8 };
        out.extend(with_len(entry, len_at, random));
    }
    out
}

fn monitors(version: Version, random: &mut Random) -> Vec<u8> {
    let mut out = Vec::new();
    for _ in 0..random.below(3) {
        let mut head = fill(random, 16);
        let flags = *random.pick(&[0x0e, 0x1f, 0x3f, 0x4e, 0x20]);
        let (flags_at, zeros_from) = match version {
            Version::V1_0 | Version::V1_1 | Version::V1_2 => (4, 11),
            Version::V1_3 => (4, 13),
            _ => (12, 16),
        };
        (head[flags_at], head[flags_at + 1]) = (0, flags);
        if random.below(8) != 0 {
            head[zeros_from..].fill(0);
        }
        match version {
            Version::V1_0 | Version::V1_1 | Version::V1_2 => (head[8], head[9]) = (0, 6),
            Version::V1_3 => {
                (head[8], head[9], head[10], head[11]) = *random.pick(&[(0, 0, 0, 1), (255, 255, 255, 255)]);
            }
            _ => {
                (head[4], head[5], head[6], head[7]) = *random.pick(&[(0, 0, 0, 1), (255, 255, 255, 255)]);
                head[15] = *random.pick(&[0, 0, 1, 2]);
            }
        }
        out.extend(head);
        match version {
            Version::V1_0 | Version::V1_1 | Version::V1_2 => out.extend([0, 0, 0x06, 2, 8, 6, 0, 0]),
            _ => out.extend([0, 1, 0, 10, 0x80, 0, 0x0a, 2, 8, 6, 0, 0, 0, 0, 0, 0]),
        }
    }
    out
}

fn ct_flush(random: &mut Random) -> Vec<u8> {
    let ipv4 = random.below(2) == 0;
    let other = |random: &mut Random| match random.below(8) {
        0 => vec![Property::new(77, &[1, 2, 3])],
        _ => Vec::new(),
    };
    let tuple = |random: &mut Random| {
        let address = |random: &mut Random| match (random.below(4), ipv4) {
            (0, _) => Ipv6Addr::UNSPECIFIED,
            (1, true) | (_, false) if random.below(8) != 0 => Ipv6Addr::from_bits(0xfd00 << 112 | 5),
            _ => Ipv4Addr::new(10, 0, 0, 7).to_ipv6_mapped(),
        };
        let port = |random: &mut Random| *random.pick(&[0, 80, 0x0503, 65535]);
        CtTuple {
            src: address(random),
            dst: address(random),
            ports: [port(random), port(random)],
            other: other(random),
        }
    };
    let flush = CtFlush {
        ip_proto: *random.pick(&[0, 1, 6, 17, 58]),
        original: tuple(random),
        reply: tuple(random),
        zone: *random.pick(&[None, Some(0), Some(9)]),
        mark: *random.pick(&[None, None, Some((0, 0)), Some((5, u32::MAX)), Some((7, 0xf0))]),
        labels: *random.pick(&[
            None,
            None,
            Some((9, 0)),
            Some((u128::MAX, u128::MAX)),
            Some((0xab, 1 << 100)),
        ]),
        other: other(random),
    };
    let mut out = Vec::new();
    flush.encode(&mut Writer::new(&mut out)).unwrap();
    match random.below(16) {
        0 => out[7] = 1,
        1 => properties(&[2, 3, 4, 5, 6, 7, 0xffff], random, &mut out),
        2 => {
            let at = random.below(out.len());
            out[at] = *random.pick(&[0, 1, 4, 8, 17, 20]);
        }
        _ => {}
    }
    out
}

fn tlv_table(form: &Form, random: &mut Random) -> Vec<u8> {
    let mut out = fill(random, form.body_len);
    match form.body_len {
        8 => (out[0], out[1]) = (0, *random.pick(&[0, 1, 2, 3])),
        _ => (out[4], out[5]) = (0, *random.pick(&[64, 64, 8])),
    }
    for _ in 0..random.below(4) {
        let mut mapping = fill(random, 8);
        mapping[3] = *random.pick(&[4, 8, 124, 128, 3, 0]);
        (mapping[4], mapping[5]) = (0, *random.pick(&[0, 7, 8, 63, 64]));
        out.extend(mapping);
    }
    out
}
