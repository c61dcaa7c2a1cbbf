//! Messages print as `ovs-ofctl ofp-print` prints them at every verbosity, also those that are malformed: recorded
//! sessions, messages of vectors, and mutants of both.

use std::{collections::BTreeMap, fs, io::Write as _, path::PathBuf, process::Command};

use ofp_codec::wire::print_verbose;
use testbed::{or_skip, program};

use crate::{flow_mods, random::Random, sessions};

/// Of `ofp-parse`, which prints with verbosity 2, and 1 more for each `-m`.
const VERBOSITIES: [u8; 4] = [2, 3, 4, 5];

/// What `ovs-ofctl` prints of each of the messages, whose lengths are right.
fn theirs(messages: &[Vec<u8>], verbosity: u8) -> Option<Vec<String>> {
    let ofctl = or_skip(program("ovs-ofctl"))?;
    let mut file = tempfile::NamedTempFile::new().unwrap();
    for (number, message) in messages.iter().enumerate() {
        file.write_all(message).unwrap();
        file.write_all(&mark(number)).unwrap();
    }
    let more = (2..verbosity).map(|_| "-m");
    let parse = Command::new(ofctl)
        .args(more)
        .arg("ofp-parse")
        .arg(file.path())
        .output();
    let text = parse.unwrap().stdout;
    let mut text = &*String::from_utf8_lossy(&text).into_owned();
    let mut texts = Vec::new();
    for number in 0..messages.len() {
        let mark = print_verbose(&mark(number), verbosity);
        let (before, behind) = text.split_once(&mark).unwrap();
        texts.push(before.to_owned());
        text = behind;
    }
    assert_eq!(text, "");
    Some(texts)
}

/// A message between two others.
fn mark(number: usize) -> [u8; 8] {
    let [_, _, a, b] = u32::try_from(number).unwrap().to_be_bytes();
    [1, 3, 0, 8, 0xfe, 0xdc, a, b]
}

fn named() -> Vec<(String, Vec<u8>)> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/print/messages.hex");
    let text = fs::read_to_string(path).unwrap();
    let named = text.lines().skip(1).map(|line| {
        let (name, hex) = line.split_once(' ').unwrap();
        (name.to_owned(), bytes(hex))
    });
    named.collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2);
    digits
        .map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap())
        .collect()
}

#[test]
fn what_was_printed_otherwise_is_printed_as_ovs_ofctl_prints_it() {
    let (names, messages): (Vec<_>, Vec<_>) = named().into_iter().unzip();
    for verbosity in VERBOSITIES {
        let Some(theirs) = theirs(&messages, verbosity) else {
            return;
        };
        for ((name, message), theirs) in names.iter().zip(&messages).zip(theirs) {
            assert_eq!(print_verbose(message, verbosity), theirs, "{name} at {verbosity}");
        }
    }
}

#[test]
fn less_is_printed_where_less_is_asked_for() {
    let Some(ofctl) = or_skip(program("ovs-ofctl")) else {
        return;
    };
    let mut messages = sessions::all_messages();
    messages.extend(named().into_iter().map(|(_, message)| message));
    let mut seen = BTreeMap::new();
    messages.retain(|message| {
        let count: &mut u32 = seen.entry(message[..2].to_vec()).or_default();
        *count += 1;
        *count <= 3 && message.len() < 2000
    });
    assert!(messages.len() > 60);
    for message in messages {
        let hex: String = message.iter().map(|byte| format!("{byte:02x}")).collect();
        for verbosity in [0, 1] {
            let printed = Command::new(&ofctl)
                .args(["ofp-print", &hex, &verbosity.to_string()])
                .output();
            let theirs = String::from_utf8(printed.unwrap().stdout).unwrap();
            assert_eq!(print_verbose(&message, verbosity), theirs);
        }
    }
}

/// Corrupts a message in a few places, perhaps its version and its type; its length is right.
fn mutate(random: &mut Random, message: &[u8]) -> Vec<u8> {
    let mut bytes = message.to_vec();
    let byte = |number: usize| u8::try_from(number & 0xff).unwrap();
    for _ in 0..*random.pick(&[1, 1, 1, 2, 3, 5]) {
        while bytes.len() < 9 {
            bytes.push(byte(random.below(256)));
        }
        let at = 8 + random.below(bytes.len() - 8);
        let end = bytes.len().min(at + 8);
        match random.below(14) {
            0..=2 => bytes[at] ^= 1 << random.below(8),
            3 => bytes[at] = *random.pick(&[0, 1, 2, 3, 7, 8, 0x10, 0x7f, 0x80, 0xff]),
            4 => bytes[at] = byte(random.below(256)),
            5 => bytes.truncate(8.max(bytes.len() - *random.pick(&[1, 4, 8, 8, 16]).min(&bytes.len()))),
            6 => drop(bytes.drain(at..end)),
            7 => {
                let copy = bytes[at..end].to_vec();
                bytes.splice(at..at, copy);
            }
            // A length, more often than not.
            8 => bytes[(at | 1).min(end - 1)] = *random.pick(&[0, 4, 8, 16, 24, 32, 0xff]),
            9 => bytes[0] = byte(1 + random.below(6)),
            10 => bytes[1] = byte(random.below(36)),
            11 if bytes.len() > 9 => bytes[9] = byte(random.below(18)),
            12 => bytes.extend((0..8).map(|_| 0)),
            _ => bytes[at..end].fill(*random.pick(&[0, 0xff, 0x20])),
        }
    }
    if random.below(50) == 0 {
        bytes[0] = byte(random.below(256));
    }
    bytes.truncate(60_000);
    let len = u16::try_from(bytes.len()).unwrap();
    bytes[2..4].copy_from_slice(&len.to_be_bytes());
    bytes
}

/// Why the texts differ.
fn reason(ours: &str, theirs: &str) -> Option<&'static str> {
    let error = |text: &str| {
        let (_, name) = text.split_once("***decode error: ")?;
        Some(name.split_once("***")?.0.to_owned())
    };
    let differs = ours
        .lines()
        .zip(theirs.lines())
        .find(|(ours, theirs)| ours != theirs)?;
    match (error(ours), error(theirs)) {
        (ours, theirs) if ours != theirs => Some("of several faults each finds another one first"),
        _ if differs.1.contains("duration") => Some("more nanoseconds than a second has"),
        _ if differs.1.contains("rx_custom_packets") => Some("a counter whose name has control characters"),
        _ => None,
    }
}

#[test]
fn mutants_print_as_ovs_ofctl_prints_them() {
    let rounds = std::env::var("OVS_RS_ROUNDS").map_or(4000, |rounds| rounds.parse().unwrap());
    let mut random = Random::seeded(0x7072_696e_7465_6421);
    let mut kinds: BTreeMap<Vec<u8>, Vec<Vec<u8>>> = BTreeMap::new();
    let vectors = flow_mods::rows().into_iter().map(|row| row.bytes);
    let named = named().into_iter().map(|(_, message)| message);
    for message in sessions::all_messages().into_iter().chain(named).chain(vectors) {
        // Long ones are many.
        if message.len() < 3000 {
            let kind = [&message[..2], message.get(8..10).unwrap_or_default()].concat();
            kinds.entry(kind).or_default().push(message);
        }
    }
    let kinds: Vec<_> = kinds.into_values().collect();
    let mutants: Vec<_> = (0..rounds)
        .map(|_| {
            let messages = random.below(kinds.len());
            let message = random.below(kinds[messages].len());
            mutate(&mut random, &kinds[messages][message])
        })
        .collect();
    for verbosity in VERBOSITIES {
        let Some(theirs) = theirs(&mutants, verbosity) else {
            return;
        };
        let mut reasons = BTreeMap::new();
        for (message, theirs) in mutants.iter().zip(&theirs) {
            let ours = print_verbose(message, verbosity);
            if ours == *theirs {
                continue;
            }
            let Some(reason) = reason(&ours, theirs) else {
                let hex: String = message.iter().map(|byte| format!("{byte:02x}")).collect();
                panic!("{hex} at {verbosity}\n{ours}\n{theirs}");
            };
            *reasons.entry(reason).or_insert(0) += 1;
        }
        eprintln!("{verbosity}: of {rounds} {reasons:?}");
        let differ: usize = reasons.values().sum();
        assert!(differ * 100 < rounds, "{reasons:?}");
    }
}
