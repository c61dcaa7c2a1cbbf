//! Random messages print as `ovs-ofctl ofp-print` prints them: the same text, and the same error for
//! those that are refused.

use std::{fmt::Debug, io::Write as _, process::Command};

use ofp_codec::{
    Version,
    wire::{
        CtFlush, Description, EncodeError, Entries, Entry, ErrorMessage, Message, MessageKind as Kind,
        Ofperr, PortStats, QueueStats, RoleMessage, Writer, print,
    },
};
use testbed::{or_skip, program};

use crate::random::Random;

mod bodies;

/// The kinds whose text is compared here; those with flows, actions, ports and packets have tests of their own.
const KINDS: [Kind; 53] = [
    Kind::Hello,
    Kind::Error,
    Kind::FeaturesRequest,
    Kind::GetConfigRequest,
    Kind::GetConfigReply,
    Kind::SetConfig,
    Kind::BarrierRequest,
    Kind::BarrierReply,
    Kind::RoleRequest,
    Kind::RoleReply,
    Kind::RoleStatus,
    Kind::GetAsyncRequest,
    Kind::BundleControl,
    Kind::BundleAddMessage,
    Kind::DescRequest,
    Kind::DescReply,
    Kind::TableRequest,
    Kind::PortRequest,
    Kind::PortReply,
    Kind::QueueRequest,
    Kind::QueueReply,
    Kind::PortDescRequest,
    Kind::FlowMonitorCancel,
    Kind::FlowMonitorPaused,
    Kind::FlowMonitorResumed,
    Kind::SetFlowFormat,
    Kind::FlowModTableId,
    Kind::SetPacketInFormat,
    Kind::SetControllerId,
    Kind::FlowAge,
    Kind::CtFlushZone,
    Kind::CtFlush,
    Kind::IpfixBridgeReply,
    Kind::IpfixFlowReply,
    Kind::PortMod,
    Kind::TableMod,
    Kind::TableReply,
    Kind::TableStatus,
    Kind::TableDescReply,
    Kind::TableFeaturesRequest,
    Kind::TableFeaturesReply,
    Kind::GroupFeaturesReply,
    Kind::QueueGetConfigRequest,
    Kind::QueueGetConfigReply,
    Kind::QueueDescRequest,
    Kind::QueueDescReply,
    Kind::FlowMonitorRequest,
    Kind::GetAsyncReply,
    Kind::SetAsync,
    Kind::SetAsyncConfig,
    Kind::SetAsyncConfig2,
    Kind::TlvTableMod,
    Kind::TlvTableReply,
];

/// Bytes of which most are zero or small.
pub(crate) fn fill(random: &mut Random, len: usize) -> Vec<u8> {
    let rare = random.below(4) == 0;
    let byte = |random: &mut Random| match random.below(8) {
        0 | 1 => random.below(if rare { 256 } else { 8 }),
        2 => random.below(4),
        _ => 0,
    };
    (0..len).map(|_| u8::try_from(byte(random)).unwrap()).collect()
}

/// `ovs-ofctl ofp-print` of 3.5.0 and 4.0.0 prints the mark; 3.1.0 leaves it out.
#[test]
fn a_flush_of_connections_has_marks_and_labels() {
    let bytes = crate::flow_mods::unhex("01040020000000030000232000000020060000000000000000030008000000ab");
    let message = Message::parse(&bytes).unwrap();
    let flush = CtFlush::decode(&message).unwrap();
    assert_eq!((flush.mark, flush.labels), (Some((0xab, u32::MAX)), None));
    assert!(
        flush.to_string().starts_with(" zone=0 mark=0xab 'ct_ipv6_src=::"),
        "{flush}"
    );
    let flush = CtFlush {
        mark: Some((5, 0xff0)),
        labels: Some((0xabcd, 0xffff)),
        ..flush
    };
    let mut bytes = Vec::new();
    Kind::CtFlush
        .encode(Version::V1_3, 1, &mut bytes, |writer| flush.encode(writer))
        .unwrap();
    let read = CtFlush::decode(&Message::parse(&bytes).unwrap()).unwrap();
    assert_eq!(read, flush);
    assert!(
        read.to_string().contains("mark=0x5/0xff0 labels=0xabcd/0xffff '"),
        "{read}"
    );
    // Labels have 16 bytes behind the header, and no padding before: these three releases refuse others.
    let padded = crate::flow_mods::unhex(
        "010400300000002a00002320000000200600000000000000000500180000000000000000000000000000000000000000000abcd0"
            .get(..96)
            .unwrap(),
    );
    let error = CtFlush::decode(&Message::parse(&padded).unwrap()).unwrap_err();
    assert_eq!(error.name, "OFPBPC_BAD_LEN");
}

#[test]
fn random_messages_print_as_ovs_ofctl_prints_them() {
    let mut random = Random::seeded(0x6d65_7373);
    let mut messages = Vec::new();
    for kind in KINDS {
        for version in (1..=6).map(Version) {
            let Some(form) = kind.form(version) else { continue };
            for _ in 0..50 {
                let body = bodies::body(kind, version, form, &mut random).unwrap_or_else(|| {
                    let scale = match form.more {
                        1 => 8,
                        _ if version >= Version::V1_4 => 4,
                        _ => 1,
                    };
                    let more = form.more * random.below(4) * scale;
                    let mut body = fill(&mut random, form.body_len + more);
                    shape(kind, version, &mut body, &mut random);
                    body
                });
                let mut out = Vec::new();
                let xid = u32::try_from(random.next()).unwrap() & 0xff;
                let encoded = kind.encode(version, xid, &mut out, |writer| {
                    writer.bytes(&body);
                    Ok(())
                });
                encoded.unwrap();
                if kind == Kind::BundleAddMessage {
                    // The message in it has the same number.
                    let at = out.len() - body.len() + 8;
                    if let Some(inner) = out.get_mut(at..at + 8) {
                        inner.copy_from_slice(&[version.0, 14, 0, 8, 0, 0, 0, 0]);
                        inner[4..].copy_from_slice(&xid.to_be_bytes());
                    }
                }
                messages.push(out);
            }
        }
    }
    // Before release 3.3 it passed over marks, labels and whatever it did not know in flushes of connections, and lost
    // letters of the names of fields.
    let is_old = testbed::version().is_ok_and(|version| version < testbed::Version::new(3, 3, 0));
    let has_lost = |text: &str| {
        is_old
            && text
                .lines()
                .any(|line| line.contains("tun_") && line.contains('{'))
    };
    let compared: Vec<_> = messages
        .iter()
        .filter(|message| !has_lost(&print(message)))
        .cloned()
        .collect();
    compare_but(&compared, |ours, theirs| {
        is_old && theirs.starts_with("NXT_CT_FLUSH ") && is_passed_over(ours, theirs)
    });
    let written = messages
        .iter()
        .filter(|message| is_written_again(message))
        .count();
    assert!(written > 2000, "{written}");
    let alike = messages.iter().filter(|message| is_read_alike(message)).count();
    assert!(alike > 600, "{alike}");
}

/// Whether the texts of a flush of connections differ in what Open vSwitch did not know.
fn is_passed_over(ours: &str, theirs: &str) -> bool {
    let without = |name, ours: &str| match ours.split_once(name) {
        Some((before, rest)) => before.to_owned() + rest.split_once(' ').unwrap().1,
        None => ours.to_owned(),
    };
    ["OFPBPC_BAD_TYPE", "OFPBPC_BAD_EXPERIMENTER", "OFPBPC_BAD_LEN"]
        .iter()
        .any(|name| ours.contains(name))
        || without("labels=", &without("mark=", ours)) == theirs
}

/// Whether it is of a kind that is written with padding of zeros, and well-formed; checks that what is
/// written is read as the same.
fn is_read_alike(bytes: &[u8]) -> bool {
    fn alike<T: PartialEq + Debug>(
        message: &Message<'_>,
        decode: impl Fn(&Message<'_>) -> Option<T>,
        encode: impl Fn(&T, &mut Writer<'_>) -> Result<(), EncodeError>,
    ) -> bool {
        let Some(first) = decode(message) else {
            return false;
        };
        let (kind, version) = (message.kind().unwrap(), message.header().version);
        let mut out = Vec::new();
        kind.encode(version, 7, &mut out, |writer| encode(&first, writer))
            .unwrap();
        let second = Message::parse(&out).unwrap();
        assert_eq!(decode(&second), Some(first), "{message}\n{second}");
        true
    }
    fn all<T: for<'a> Entry<'a>>(message: &Message<'_>) -> Option<Vec<T>> {
        let all: Option<Vec<T>> = Entries::of(message).map(Result::ok).collect();
        all.filter(|all| !all.is_empty())
    }

    let Ok(message) = &Message::parse(bytes) else {
        return false;
    };
    let version = message.header().version;
    match message.kind() {
        Some(Kind::PortReply) => alike(message, all::<PortStats>, |ports, writer| {
            ports.iter().try_for_each(|port| port.encode(version, writer))
        }),
        Some(Kind::QueueReply) => alike(message, all::<QueueStats>, |queues, writer| {
            queues.iter().try_for_each(|queue| queue.encode(version, writer))
        }),
        Some(Kind::DescReply) => {
            let decode = |message: &Message<'_>| Description::decode(message).ok();
            alike(message, decode, Description::encode)
        }
        Some(Kind::RoleRequest | Kind::RoleReply) => {
            let decode = |message: &Message<'_>| RoleMessage::decode(message).ok();
            alike(message, decode, |role, writer| role.encode(version, writer))
        }
        Some(Kind::CtFlush) => {
            let decode = |message: &Message<'_>| CtFlush::decode(message).ok();
            alike(message, decode, CtFlush::encode)
        }
        _ => false,
    }
}

/// Whether it is of a kind that is written as it was read, and well-formed; checks that it is.
fn is_written_again(bytes: &[u8]) -> bool {
    let Ok(message) = Message::parse(bytes) else {
        return false;
    };
    let Some(Ok(body)) = bodies::written_again(&message) else {
        return false;
    };
    assert_eq!(body, message.body().rest(), "{message}");
    true
}

#[test]
fn every_error_of_every_version_has_the_name_that_ovs_ofctl_prints() {
    let mut messages = Vec::new();
    for version in (1..=6).map(Version) {
        for &error in Ofperr::ALL {
            let Some(number) = error.number(version) else {
                continue;
            };
            let error = ErrorMessage {
                version,
                number,
                data: vec![version.0, 20, 0, 8, 0, 0, 0, 7],
            };
            let mut out = Vec::new();
            let encoded = Kind::Error.encode(version, 7, &mut out, |writer| error.encode(writer));
            encoded.unwrap();
            messages.push(out);
        }
    }
    assert_eq!(messages.len(), 888);
    compare(&messages);
}

/// Compares the texts of messages.
pub(crate) fn compare(messages: &[Vec<u8>]) {
    compare_but(messages, |_, _| false);
}

/// Compares the texts of messages, but for exceptions, which are told by the first lines that differ: ours
/// and theirs. Gives false if there is nothing to compare them with.
pub(crate) fn compare_but(messages: &[Vec<u8>], mut is_exception: impl FnMut(&str, &str) -> bool) -> bool {
    let Some(ofctl) = or_skip(program("ovs-ofctl")) else {
        return false;
    };
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&messages.concat()).unwrap();
    let parse = Command::new(&ofctl)
        .arg("ofp-parse")
        .arg(file.path())
        .output()
        .unwrap();
    let wanted = String::from_utf8_lossy(&parse.stdout);
    let mut wanted = &*wanted;
    for message in messages {
        let got = print(message);
        if let Some(rest) = wanted.strip_prefix(&got) {
            wanted = rest;
            continue;
        }
        let differs = got
            .lines()
            .zip(wanted.lines())
            .find(|(got, wanted)| got != wanted);
        if !differs.is_some_and(|(got, wanted)| is_exception(got, wanted)) {
            panic!("{:?}\n{message:02x?}\n{differs:#?}", got.lines().next());
        }
        let refused = wanted
            .lines()
            .next()
            .is_some_and(|line| line.contains("***decode error"));
        let lines = match refused {
            true => 1 + message.len().div_ceil(16),
            false if got.contains("***decode error") => 1,
            false => got.lines().count(),
        };
        let theirs = wanted.split_inclusive('\n').take(lines);
        wanted = &wanted[theirs.map(str::len).sum()..];
    }
    assert_eq!(wanted, "");
    true
}

/// Makes lengths plausible, most of the time, and nanoseconds fewer than a second has.
fn shape(kind: Kind, version: Version, body: &mut [u8], random: &mut Random) {
    let (nanos_at, len) = match (kind, version) {
        // Text that is not UTF-8 has no place in a String.
        (Kind::DescReply, _) => return body.iter_mut().for_each(|byte| *byte &= 0x7f),
        (Kind::PortReply, Version::V1_3) => (108, 112),
        (Kind::QueueReply, Version::V1_3) => (36, 40),
        (Kind::PortReply, Version::V1_4 | Version::V1_5) => (12, body.len()),
        (Kind::QueueReply, Version::V1_4 | Version::V1_5) => (44, body.len()),
        _ => return,
    };
    for entry in body.chunks_mut(len.max(1)) {
        if let Some(nanos) = entry.get_mut(nanos_at) {
            *nanos &= 0x1f;
        }
    }
    if version >= Version::V1_4 && random.below(8) != 0 {
        let len = u16::try_from(body.len()).unwrap();
        if let Some(field) = body.get_mut(..2) {
            field.copy_from_slice(&len.to_be_bytes());
        }
    }
}
