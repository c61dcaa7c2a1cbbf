//! What we say of random flows and messages is what Open vSwitch says: it takes what we take, and refuses what we
//! refuse.

use std::{collections::BTreeMap, process::Command};

use ofp_codec::{
    Action, Flow, FlowMod, MatchEntry, Version,
    lint::{Problem, problems},
    text::FlowRef,
    wire::{FlowModRef, Message},
};

use testbed::{or_skip, program};

use crate::random::Random;

mod flows;
mod messages;

const VERSIONS: [(Version, &str); 6] = [
    (Version::V1_3, "OpenFlow13"),
    (Version::V1_5, "OpenFlow15"),
    (Version::V1_0, "OpenFlow10"),
    (Version::V1_4, "OpenFlow14"),
    (Version::V1_1, "OpenFlow11"),
    (Version::V1_2, "OpenFlow12"),
];

/// How many random flows or messages; many by the environment.
fn rounds(few: usize) -> usize {
    let rounds = std::env::var("OVS_RS_ROUNDS").ok();
    rounds.map_or(few, |rounds| rounds.parse().unwrap())
}

/// What `ovs-ofctl parse-flow` says: `Err` with the name of the error, or its sentence.
fn theirs(flow: &str, version: &str) -> Result<String, String> {
    let out = Command::new(program("ovs-ofctl").unwrap())
        .args(["-O", version, "parse-flow", flow])
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| bytes.into_iter().map(char::from).collect::<String>();
    let (stdout, stderr) = (text(out.stdout), text(out.stderr));
    if !out.status.success() {
        return Err(stderr.lines().last().unwrap_or_default().to_owned());
    }
    match stdout.split_once("***decode error: ") {
        Some((_, name)) => Err(name.split_once("***").unwrap().0.to_owned()),
        None => Ok(stdout.lines().last().unwrap_or_default().to_owned()),
    }
}

/// What we say: of the text, of the flow, and of its bytes; all that we find.
fn ours(text: &str, version: Version) -> Result<(), Vec<String>> {
    let flow = FlowRef::parse(text.as_bytes()).and_then(|line| line.to_flow());
    let flow = flow.map_err(|error| vec![error.to_string()])?;
    if is_unknown(&flow) {
        return Err(vec!["unknown".into()]);
    }
    let found = problems(&flow).into_iter().filter(|problem| match problem {
        Problem::Inconsistent(_) => version > Version::V1_0,
        problem => problem.is_refused(),
    });
    let name = |problem: Problem| {
        problem
            .error_name(version)
            .map_or_else(|| problem.to_string(), str::to_owned)
    };
    let mut found: Vec<String> = found.map(name).collect();
    let mut bytes = Vec::new();
    let mut flow = flow;
    flow.matches.take_ignored();
    match FlowMod::add(flow).encode(version, 0, &mut bytes) {
        Err(error) => found.push(format!("encode: {error}")),
        Ok(()) => {
            let message = Message::parse(&bytes).unwrap();
            let checked = FlowModRef::decode(&message).and_then(|flow_mod| flow_mod.check());
            found.extend(checked.err().map(|error| error.name.to_owned()));
        }
    }
    if found.is_empty() { Ok(()) } else { Err(found) }
}

fn is_unknown(flow: &Flow) -> bool {
    fn any(actions: &[Action]) -> bool {
        actions.iter().any(|action| match action {
            Action::Unknown { .. } => true,
            Action::Clone(actions) | Action::WriteActions(actions) => any(actions),
            Action::Ct(ct) => any(&ct.exec),
            _ => false,
        })
    }
    let entry = |entry: &MatchEntry| matches!(entry, MatchEntry::Unknown(_));
    any(&flow.actions) || flow.matches.0.iter().any(entry) || !flow.unknown.is_empty()
}

/// Why we judge otherwise.
fn exception(
    flow: &str,
    ours: &Result<(), Vec<String>>,
    theirs: &Result<String, String>,
) -> Option<&'static str> {
    let ours = match ours {
        Ok(()) => Ok(()),
        Err(found) => Err(found.join(", ")),
    };
    match (&ours, theirs) {
        (Ok(()), Err(error)) => {
            if error.contains("actions are invalid")
                && ["push_vlan", "meter:"].iter().any(|word| flow.contains(word))
            {
                return Some(
                    "two reasons for two versions: no version takes the flow, and this one ignores one",
                );
            }
            if error.ends_with("no usable protocol") {
                return Some("only an encoder knows what a version can say");
            }
            if error.contains("IPv6 network prefix bits") {
                return Some("a mask that begins with digits is read as a number of bits");
            }
            let newer = [
                "unknown keyword",
                "unknown field",
                "not a valid OXM field name",
                "to unknown port",
            ];
            if newer.iter().any(|word| error.contains(word)) && flows::is_younger_than_3_7(flow) {
                return Some("registers that are younger than the release");
            }
            (error.contains("invalid numeric format") && flow.contains("sample("))
                .then_some("sample with bits of a field, which is younger than the release")
        }
        (Err(error), Ok(printed)) if error.contains("OFPBAC_BAD_SET_LEN") && printed.contains("zone=") => {
            Some("a zone from bits without a short header becomes a number")
        }
        (Err(_), Ok(printed)) if !printed.contains(" (OF1.") && flow.contains("write_actions(") => {
            Some("OpenFlow 1.0 leaves out the action set")
        }
        (Err(error), Ok(_)) if error.starts_with("encode") && !error.contains(", ") => {
            Some("what would be sent is not what was asked for")
        }
        (Err(error), Ok(_)) if error.contains("cannot be expressed") => {
            Some("a field without a header of 4 bytes becomes another one, or a number")
        }
        (Err(error), Ok(_)) if error.contains("BAD_PREREQ") && flow.contains("packet_type=") => Some(
            "bits of a priority have no place in a message, and are left out of packets that have no tag",
        ),
        (Err(error), Ok(_)) if error.contains("mask on a field that has none") => {
            Some("a mask of zeros or of ones on a field that has none")
        }
        (Err(error), Ok(_)) if error.contains("number above the limit of") => {
            Some("a number that does not fit: Open vSwitch keeps its lower bits")
        }
        (Err(error), Ok(_)) if error.contains("bits of a field of") => {
            Some("more than 64 bits, of which Open vSwitch sends others")
        }
        _ => None,
    }
}

#[test]
fn random_flows_are_taken_and_refused_as_ovs_ofctl_does() {
    if or_skip(program("ovs-ofctl")).is_none() {
        return;
    }
    let mut random = Random::seeded(0x7665_7264);
    let mut exceptions = BTreeMap::new();
    let (mut taken, mut refused, mut bad) = (0, 0, 0);
    let (mut names, mut same) = (0, 0);
    for _ in 0..rounds(300) {
        let flow = flows::flow(&mut random);
        let versions = if random.below(3) == 0 { 6 } else { 2 };
        let (version, name) = *random.pick(&VERSIONS[..versions]);
        let (ours, theirs) = (ours(&flow, version), theirs(&flow, name));
        match (&ours, &theirs) {
            (Ok(()), Ok(_)) => taken += 1,
            (Err(ours), Err(theirs)) => {
                refused += 1;
                let named = theirs
                    .rsplit_once('(')
                    .map_or(theirs.as_str(), |(_, name)| name.trim_end_matches(')'));
                if ["OFP", "NXB"].iter().any(|prefix| named.starts_with(prefix)) {
                    names += 1;
                    let known = ours.iter().any(|name| name == named);
                    same += usize::from(known);
                    // That no version is left has the same name, and so has a state that is not there.
                    let inconsistent = named == "OFPBAC_MATCH_INCONSISTENT" && flow.contains("ct_state");
                    let other = version < Version::V1_3 || inconsistent;
                    if !known && !other && ours.iter().all(|name| name.starts_with("OFP")) {
                        bad += 1;
                        println!("{name} {flow}\n  {ours:?}\n  {theirs}");
                    }
                }
            }
            _ => match exception(&flow, &ours, &theirs) {
                Some(reason) => *exceptions.entry(reason).or_insert(0) += 1,
                None => {
                    bad += 1;
                    println!("{name} {flow}\n  {ours:?}\n  {theirs:?}");
                }
            },
        }
    }
    println!("{taken} taken, {refused} refused, {same} of {names} by the same name, {exceptions:?}");
    assert_eq!(bad, 0);
}
