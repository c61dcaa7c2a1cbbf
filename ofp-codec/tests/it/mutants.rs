//! 40,000 corrupted messages: what `ovs-ofctl ofp-parse` takes is taken, what it refuses is refused.

use std::{collections::BTreeMap, fs, process::Command};

use ofp_codec::{
    Version,
    wire::{FlowModRef, Message},
};
use testbed::{or_skip, program};

use crate::{
    flow_mods::{Row, rows},
    random::Random,
};

const COUNT: usize = 40_000;

/// Corrupts a message in one to three places; its headers and its length stay those of a `FLOW_MOD`.
fn mutate(random: &mut Random, row: &Row) -> Vec<u8> {
    let mut bytes = row.bytes.clone();
    // In OpenFlow 1.0 an experimenter's header follows.
    let head = if row.version.0 == 1 { 16 } else { 8 };
    for _ in 0..=random.below(3) {
        let at = head + random.below(bytes.len() - head - 1);
        match random.below(9) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = *random.pick(&[0, 1, 7, 8, 0x10, 0x7f, 0x80, 0xff]),
            2 => bytes[at] = bytes[at].wrapping_add(1),
            3 => bytes[at] = bytes[at].wrapping_sub(1),
            // A length, more often than not.
            4 => bytes[at | 1] = *random.pick(&[0, 4, 8, 16, 24, 0xff]),
            5 => bytes.truncate(bytes.len() - (bytes.len() - at).min(8)),
            6 => {
                let end = (at + 8).min(bytes.len());
                bytes.drain(at..end);
            }
            7 => {
                let end = (at + 8).min(bytes.len());
                let copy = bytes[at..end].to_vec();
                bytes.splice(at..at, copy);
            }
            _ => bytes[at] = u8::try_from(random.below(256)).unwrap(),
        }
        if bytes.len() <= head + 1 {
            break;
        }
    }
    bytes
}

/// The messages, each with its number as its transaction, and its length set right.
fn mutants() -> Vec<Vec<u8>> {
    let rows = rows();
    let mut random = Random::seeded(0x6d75_7461_6e74);
    let number = |mut bytes: Vec<u8>, xid: usize| {
        let len = u16::try_from(bytes.len()).unwrap();
        bytes[2..4].copy_from_slice(&len.to_be_bytes());
        bytes[4..8].copy_from_slice(&u32::try_from(xid).unwrap().to_be_bytes());
        bytes
    };
    let mutants = (1..=COUNT).map(|xid| {
        let row = random.pick(&rows);
        number(mutate(&mut random, row), xid)
    });
    mutants.collect()
}

/// What `ovs-ofctl ofp-parse` says of each message: its text, or the name of its error.
fn verdicts(mutants: &[Vec<u8>]) -> Option<Vec<Result<String, String>>> {
    let file = std::env::temp_dir().join(format!("ofp-codec-mutants-{}", std::process::id()));
    fs::write(&file, mutants.concat()).unwrap();
    let ofctl = or_skip(program("ovs-ofctl"));
    let parse = ofctl.map(|ofctl| Command::new(ofctl).arg("ofp-parse").arg(&file).output().unwrap());
    fs::remove_file(&file).unwrap();
    let parse = parse?;
    assert!(parse.status.success());
    let text: String = parse.stdout.into_iter().map(char::from).collect();
    let mut verdicts = Vec::new();
    for line in text.lines() {
        // A message whose length is none of its kind has no name before its error.
        let error = line.split_once("***decode error: ");
        if let Some((_, name)) = error {
            verdicts.push(Err(name.trim_end_matches('*').to_owned()));
        } else if let Some((_, text)) = line
            .split_once("(xid=0x")
            .and_then(|(_, rest)| rest.split_once("): "))
        {
            verdicts.push(Ok(text.to_owned()));
        }
    }
    assert_eq!(verdicts.len(), mutants.len());
    Some(verdicts)
}

/// Why we judge otherwise.
fn exception(ours: &Result<String, String>, theirs: &Result<String, String>) -> Option<&'static str> {
    match (ours, theirs) {
        (Err(_), Ok(text)) if text.contains("bundle_load(") => Some("a bundle of a kind that has no name"),
        (Err(_), Ok(text)) if text.contains("in_port_oxm=ANY") => {
            Some("a port that no version has, in learn")
        }
        _ => None,
    }
}

#[test]
fn mutants_are_taken_and_refused_as_ovs_ofctl_does() {
    let mutants = mutants();
    let Some(verdicts) = verdicts(&mutants) else {
        return;
    };
    let (mut same_text, mut same_error, mut taken, mut refused) = (0, 0, 0, 0);
    let mut exceptions = BTreeMap::new();
    for (bytes, theirs) in mutants.iter().zip(&verdicts) {
        let message = Message::parse(bytes);
        let decoded = message.and_then(|message| FlowModRef::decode(&message));
        let ours = decoded
            .and_then(|flow_mod| flow_mod.check())
            .map(|flow_mod| flow_mod.canonical(Version(bytes[0])).to_string())
            .map_err(|error| error.name.to_owned());
        match (&ours, theirs) {
            (Ok(ours), Ok(theirs)) => {
                taken += 1;
                same_text += usize::from(ours == theirs);
            }
            (Err(ours), Err(theirs)) => {
                refused += 1;
                same_error += usize::from(ours == theirs);
            }
            _ => {
                let Some(reason) = exception(&ours, theirs) else {
                    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                    panic!("{hex}\n{ours:?}\n{theirs:?}");
                };
                *exceptions.entry(reason).or_insert(0) += 1;
            }
        }
    }
    // Of several faults each finds another one first.
    assert!(same_text * 100 > taken * 99, "{same_text} of {taken}");
    assert!(same_error * 100 > refused * 94, "{same_error} of {refused}");
    let expected = [
        ("a bundle of a kind that has no name", 4),
        ("a port that no version has, in learn", 1),
    ];
    assert_eq!(exceptions, BTreeMap::from(expected));
}
