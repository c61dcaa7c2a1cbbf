//! Actions and instructions as bytes, beside `ovs-ofctl parse-actions` and `parse-instructions`, which
//! read bytes and print text, or the name of the error.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use ofp_codec::{
    Action, Field, NumberOrSubfield, Version,
    text::FlowRef,
    wire::{
        Actions, Context, DecodeError, EncodeError, Fault, Instructions, PrintedActions, Reader, Writer,
        decode_actions, decode_instructions, encode_actions, encode_instructions,
    },
};
use testbed::{Switch, or_skip};

use crate::{oracle, random::Random};

const VERSIONS: [(&str, Version); 6] = [
    ("OpenFlow10", Version::V1_0),
    ("OpenFlow11", Version::V1_1),
    ("OpenFlow12", Version::V1_2),
    ("OpenFlow13", Version::V1_3),
    ("OpenFlow14", Version::V1_4),
    ("OpenFlow15", Version::V1_5),
];

/// What `ovs-ofctl` says of each of these: the text, or the name of the error; and whether it would write
/// the same bytes.
fn ask(
    switch: &Switch,
    command: &str,
    version: &str,
    inputs: &[Vec<u8>],
) -> Vec<(Result<String, String>, bool)> {
    let mut lines = String::new();
    for input in inputs {
        // A table of 0 and a comma before the bytes, of which there may be none.
        lines.push_str("0,");
        input.iter().for_each(|byte| write!(lines, "{byte:02x}").unwrap());
        lines.push('\n');
    }
    let output = switch.ofctl_stdin(&[command, version], &lines).unwrap();
    let answers: Vec<_> = output
        .split_terminator("\n\n")
        .map(|answer| {
            let (first, rest) = answer.split_once('\n').unwrap_or((answer, ""));
            let verdict = match first.strip_prefix("actions=") {
                Some(text) => Ok(text.into()),
                None => Err(first.rsplit(' ').next().unwrap().into()),
            };
            (verdict, rest.is_empty())
        })
        .collect();
    assert_eq!(answers.len(), inputs.len(), "{output}");
    answers
}

/// The flows of the text oracle that a version can say: what they do, in the words of the version.
fn samples(name: &str, version: Version) -> Vec<(Vec<Action>, Context)> {
    // The file has no rows of OpenFlow 1.2 and 1.4.
    let like = match name {
        "OpenFlow12" => "OpenFlow11",
        "OpenFlow14" => "OpenFlow13",
        name => name,
    };
    let more = MORE.iter().map(|actions| format!("tcp actions={actions}"));
    let flows = oracle::flows_read_back_in(&[like]).into_iter().chain(more);
    let samples = flows.map(|flow| {
        let flow = FlowRef::parse(flow.as_bytes()).unwrap().to_flow().unwrap();
        (flow.actions, Context::of_match(version, &flow.matches))
    });
    samples.collect()
}

/// Actions of which the file of flows has too few.
const MORE: [&str; 18] = [
    "mod_vlan_vid:5",
    "ct_clear",
    "clone(output:1,clone(set_field:1->reg0,exit))",
    "sample(probability=1,collector_set_id=2,obs_domain_id=NXM_NX_REG0[],obs_point_id=NXM_NX_REG1[0..15],egress)",
    "output:NXM_NX_REG0[16..31]",
    "output:tun_erspan_idx[0..15]",
    "resubmit(1,2,ct)",
    "set_tunnel:5",
    "set_mpls_ttl(3)",
    "pop_vlan",
    "dec_ttl",
    "debug_recirc",
    "debug_slow",
    "ct(commit,nat(src=10.0.0.1-10.0.0.9:1-5,random),exec(set_field:5->ct_mark,load:1->NXM_NX_CT_LABEL[3]))",
    "ct(table=1,nat)",
    "ct(commit,nat(dst=[fe80::1]-[fe80::2]:7,persistent,hash))",
    "enqueue:1:2",
    "learn(table=2,limit=5,result_dst=NXM_NX_REG0[0],NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[])",
];

/// Whether it is one where there are instructions. `write_metadata` is none in OpenFlow 1.0, and
/// `parse-actions` refuses it all the same.
fn is_instruction(action: &Action, version: Version) -> bool {
    match action {
        Action::Meter(_) => version < Version::V1_5,
        Action::GotoTable(_) => version > Version::V1_0,
        Action::ClearActions | Action::WriteActions(_) | Action::WriteMetadata { .. } => true,
        _ => false,
    }
}

type Encode = fn(&[Action], &Context, &mut Writer<'_>) -> Result<(), EncodeError>;

/// The bytes of those samples that have bytes.
fn encoded(encode: Encode, samples: &[(Vec<Action>, Context)]) -> Vec<Vec<u8>> {
    let mut encoded: Vec<Vec<u8>> = Vec::new();
    for (actions, context) in samples {
        let mut bytes = Vec::new();
        match encode(actions, context, &mut Writer::new(&mut bytes)) {
            Ok(()) => encoded.push(bytes),
            // No other reason: a few fields have no header, or one that an action has no room for.
            Err(EncodeError::NotInVersion { what, .. }) => {
                let instruction = actions
                    .iter()
                    .any(|action| is_instruction(action, context.version()));
                let field = Field::from_name(what).is_some();
                assert!(field || instruction, "{what} {actions:?}");
            }
            Err(EncodeError::OutOfRange {
                what: "bits of a field",
                value,
            }) => assert!(value > 64),
            // These set whole fields.
            Err(EncodeError::NotMaskable { .. }) => assert!(context.version() < Version::V1_2),
            Err(error) => panic!("{error}: {actions:?}"),
        }
    }
    // `ovs-ofctl` takes no bytes at all for an error.
    encoded.retain(|bytes| !bytes.is_empty());
    encoded.sort();
    encoded.dedup();
    encoded
}

/// Compares what is read with what `ovs-ofctl` says. `Some`: they differ, for this reason.
fn judge(bytes: &[u8], version: Version, answer: &Result<String, String>) -> Option<&'static str> {
    let actions = match (decode_actions(Reader::new(bytes), version), answer) {
        (Err(error), Err(name)) if error.name == name => return None,
        (Err(error), Err(name)) => {
            let why = other_name(error, name);
            assert!(
                why.is_some(),
                "{error} {} where it says {name}: {bytes:02x?}",
                error.name
            );
            return why;
        }
        (Err(error), Ok(text)) => {
            let why = refused_at_once(error);
            assert!(
                why.is_some(),
                "{error} {} where it says {text}: {bytes:02x?}",
                error.name
            );
            return why;
        }
        (Ok(actions), _) => actions,
    };
    let text = PrintedActions(&actions).to_string();
    match answer {
        Ok(answer) => assert_eq!(text, *answer, "{version:?} {bytes:02x?}"),
        Err(name) => {
            let kept = kept_though_refused(&actions, version) || has_young_register(&text);
            assert!(kept, "{name} {text} {bytes:02x?}");
            return Some(KEPT);
        }
    }
    None
}

/// Release 3.1 has 16 registers.
fn has_young_register(text: &str) -> bool {
    let young =
        |prefix: &'static str, from: usize, to: usize| (from..to).map(move |n| format!("{prefix}{n}"));
    let names = young("OXM_OF_PKT_REG", 8, 16).chain(young("xreg", 8, 16));
    let names = names.chain(young("REG", 16, 32)).chain(young("reg", 16, 32));
    let names = names.chain(young("XXREG", 4, 8)).chain(young("xxreg", 4, 8));
    names.into_iter().any(|name| text.contains(&name))
}

/// Why an error is no error of `parse-actions`.
fn refused_at_once(error: DecodeError) -> Option<&'static str> {
    let bits = ["OFPBAC_BAD_SET_LEN", "OFPBAC_BAD_SET_ARGUMENT"];
    match error.what {
        // `learn_check` refuses these, but only beside a match.
        "NXAST_LEARN" | "NXAST_LEARN2" if bits.contains(&error.name) => {
            Some("bits that a learned flow cannot have")
        }
        "OXM entry" if error.name == "OFPBMC_BAD_VALUE" => {
            Some("a port of a learned flow that no version has")
        }
        "NXAST_BUNDLE_LOAD" if error.name == "OFPBAC_BAD_ARGUMENT" => {
            Some("bundle_load forgets what it found")
        }
        "NXAST_ENCAP" if error.name == "NXBAC_BAD_ED_PROP" => Some("properties of a header that has none"),
        _ => None,
    }
}

/// Why an error has another name.
fn other_name(error: DecodeError, name: &str) -> Option<&'static str> {
    let unknown = ["OFPBAC_BAD_TYPE", "OFPBAC_BAD_VENDOR", "OFPBAC_BAD_VENDOR_TYPE"];
    let set = ["OFPBAC_BAD_SET_LEN", "OFPBAC_BAD_SET_TYPE"];
    match error.what {
        _ if unknown.contains(&name) => Some("an action before it is not known"),
        // `nxm_field_by_header` compares with fields that by chance have the same place in a hash table.
        "NXAST_REG_LOAD2" | "OFPAT_SET_FIELD" if set.contains(&error.name) && set.contains(&name) => {
            Some("length of a field that is not known")
        }
        // The registers above 15 are younger than release 3.1.
        _ if ["OFPBMC_BAD_FIELD", "OFPBAC_BAD_SET_TYPE"].contains(&name) => {
            Some("a field that it does not know")
        }
        _ => refused_at_once(error),
    }
}

#[test]
fn ovs_ofctl_reads_what_is_written_and_would_write_the_same() {
    let Some(switch) = or_skip(Switch::start()) else {
        return;
    };
    for (name, version) in VERSIONS {
        let mut samples = samples(name, version);
        samples.retain(|(actions, _)| !actions.iter().any(|action| is_instruction(action, version)));
        let bytes = encoded(encode_actions, &samples);
        assert!(bytes.len() > 250, "{name}: {}", bytes.len());
        let answers = ask(&switch, "parse-actions", name, &bytes);
        for (bytes, (answer, same)) in bytes.iter().zip(answers) {
            let difference = judge(bytes, version, &answer);
            assert!(
                [None, Some(KEPT)].contains(&difference),
                "{name} {answer:?} {bytes:02x?}"
            );
            assert!(same || answer.is_err(), "{name} {answer:?} {bytes:02x?}");
        }
    }
}

/// Open vSwitch refuses what a newer or other switch may say, and even some of what its own switch says:
/// actions that it does not know, those for its tests, and in older versions those on packet types.
fn kept_though_refused(actions: &[Action], version: Version) -> bool {
    actions.iter().any(|action| match action {
        Action::Raw(_) | Action::DebugRecirc | Action::DebugSlow => true,
        Action::Encap(_) | Action::Decap(_) | Action::DecNshTtl => version < Version::V1_3,
        // Younger than release 3.1.
        Action::Sample(sample) => [&sample.obs_domain_id, &sample.obs_point_id]
            .iter()
            .any(|id| matches!(id, NumberOrSubfield::Subfield(_))),
        Action::Clone(actions) | Action::WriteActions(actions) => kept_though_refused(actions, version),
        Action::Ct(ct) => kept_though_refused(&ct.exec, version),
        _ => false,
    })
}

#[test]
fn ovs_ofctl_reads_the_instructions_that_are_written() {
    let Some(switch) = or_skip(Switch::start()) else {
        return;
    };
    for (name, version) in &VERSIONS[1..] {
        // `parse-instructions` knows no match, and refuses actions that need one.
        let applied = [
            "output:1",
            "set_field:5->reg0",
            "meter:3",
            "clear_actions",
            "goto_table:7",
        ];
        let written = "write_actions(set_field:2->reg1,pop_vlan,output:3)";
        let mut random = Random::seeded(u64::from(version.0));
        let samples: Vec<_> = (0..200)
            .map(|_| {
                let mut words = Vec::new();
                if random.below(3) == 0 && *version >= Version::V1_3 {
                    words.push(applied[2]);
                }
                (0..random.below(3)).for_each(|_| words.push(applied[random.below(2)]));
                for (one_in, word) in [
                    (3, applied[3]),
                    (2, written),
                    (2, "write_metadata:0x5/0xf"),
                    (2, applied[4]),
                ] {
                    if random.below(one_in) == 0 {
                        words.push(word);
                    }
                }
                let line = format!(
                    "actions={}",
                    if words.is_empty() {
                        "drop".into()
                    } else {
                        words.join(",")
                    }
                );
                let flow = FlowRef::parse(line.as_bytes()).unwrap().to_flow().unwrap();
                (flow.actions, Context::new(*version))
            })
            .collect();
        let bytes = encoded(encode_instructions, &samples);
        let answers = ask(&switch, "parse-instructions", name, &bytes);
        for (bytes, (answer, same)) in bytes.iter().zip(answers) {
            let actions = decode_instructions(Reader::new(bytes), *version).unwrap();
            let text = PrintedActions(&actions).to_string();
            assert_eq!((Ok(text), true), (answer, same), "{name} {bytes:02x?}");
            let parts: Vec<_> = Instructions::new(Reader::new(bytes), *version)
                .flat_map(|instruction| instruction.unwrap().bytes())
                .copied()
                .collect();
            assert_eq!(parts, *bytes);
        }
    }
}

/// Forms that Open vSwitch reads, and writes only where it has read them.
const ONLY_READ: [(u8, &[u8]); 4] = [
    // NXAST_NAT, which stands in a `ct` otherwise.
    (4, &[0xff, 0xff, 0, 16, 0, 0, 0x23, 0x20, 0, 36, 0, 0, 0, 0, 0, 0]),
    // NXAST_RESUBMIT to port 3.
    (1, &[0xff, 0xff, 0, 16, 0, 0, 0x23, 0x20, 0, 1, 0, 3, 0, 0, 0, 0]),
    // NXAST_SAMPLE2 without a port.
    (
        4,
        &[
            0xff, 0xff, 0, 32, 0, 0, 0x23, 0x20, 0, 38, 0xff, 0xff, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0xff,
            0xff, 0, 0, 0, 0, 0, 0,
        ],
    ),
    // ONFACT_COPY_FIELD of NXM_NX_REG0[] to NXM_NX_REG1[].
    (
        4,
        &[
            0xff, 0xff, 0, 32, 0x4f, 0x4e, 0x46, 0, 0x0c, 0x80, 0, 0, 0, 32, 0, 0, 0, 0, 0, 0, 0, 1, 0, 4, 0,
            1, 2, 4, 0, 0, 0, 0,
        ],
    ),
];

/// Names of forms, several of which share one: the output of OpenFlow 1.0 and that of later versions.
#[test]
fn every_form_is_read_and_no_truncation_is() {
    let mut names = BTreeSet::new();
    let written = VERSIONS.iter().flat_map(|(name, version)| {
        let bytes = encoded(encode_actions, &samples(name, *version));
        bytes.into_iter().map(|bytes| (version.0, bytes))
    });
    let read = ONLY_READ.map(|(version, bytes)| (version, bytes.to_vec()));
    for (version, bytes) in written.chain(read) {
        let version = Version(version);
        let reader = Reader::at(&bytes, 4);
        let parts: Vec<_> = Actions::new(reader, version).map(Result::unwrap).collect();
        let again: Vec<u8> = parts.iter().flat_map(|part| part.bytes()).copied().collect();
        assert_eq!(again, bytes);
        for part in parts {
            let whole = part.bytes();
            if names.insert(part.name().unwrap()) {
                assert!(part.to_action().is_ok(), "{whole:02x?}");
            }
            let len = |len: usize| Actions::new(Reader::new(&whole[..len]), version).next().unwrap();
            assert!((1..whole.len()).all(|end| len(end).is_err()), "{whole:02x?}");
        }
    }
    let missing: Vec<_> = NAMES
        .split_whitespace()
        .filter(|name| !names.contains(name))
        .collect();
    assert_eq!(
        (missing, names.len()),
        (vec![], NAMES.split_whitespace().count()),
        "{names:?}"
    );
}

#[test]
fn the_padding_of_controller2_that_open_vswitch_writes_at_odd_places_is_read() {
    let Action::ControllerWith(controller) = action("controller(id=7,userdata=01.02.03.04.05,pause)") else {
        panic!("another action")
    };
    let mut bytes = Vec::new();
    let actions = [Action::ControllerWith(controller)];
    encode_actions(
        &actions,
        &Context::new(Version::V1_0),
        &mut Writer::new(&mut bytes),
    )
    .unwrap();
    assert_eq!(
        decode_actions(Reader::at(&bytes, 4), Version::V1_0).unwrap(),
        actions
    );
    // The same at byte 12 of a message: each property ends at a multiple of 8 bytes of the message.
    let shifted = [
        &[0xff, 0xff, 0, 56, 0, 0, 0x23, 0x20, 0, 37, 0, 0, 0, 0, 0, 0][..],
        &[0, 1, 0, 8, 0, 7, 0, 0, 0, 0, 0, 0],
        &[0, 3, 0, 9, 1, 2, 3, 4, 5, 0, 0, 0, 0, 0, 0, 0],
        &[0, 4, 0, 4, 0, 0, 0, 0],
        &[0, 0, 0, 0],
    ]
    .concat();
    assert_eq!(
        decode_actions(Reader::at(&shifted, 12), Version::V1_0).unwrap(),
        actions
    );
    let error = decode_actions(Reader::at(&shifted, 16), Version::V1_0).unwrap_err();
    assert_eq!(error.name, "OFPBPC_BAD_LEN");
}

fn action(text: &str) -> Action {
    let line = format!("actions={text}");
    FlowRef::parse(line.as_bytes())
        .unwrap()
        .to_flow()
        .unwrap()
        .actions
        .remove(0)
}

#[test]
fn actions_nested_too_deeply_are_refused() {
    let clone = |inner: Vec<u8>| {
        let len = u16::try_from(16 + inner.len()).unwrap().to_be_bytes();
        let head = [
            0xff, 0xff, len[0], len[1], 0, 0, 0x23, 0x20, 0, 42, 0, 0, 0, 0, 0, 0,
        ];
        [&head[..], &inner].concat()
    };
    let nested = |depth| (0..depth).fold(Vec::new(), |inner, _| clone(inner));
    assert!(decode_actions(Reader::new(&nested(64)), Version::V1_3).is_ok());
    let error = decode_actions(Reader::new(&nested(65)), Version::V1_3).unwrap_err();
    assert_eq!(error.fault, Fault::TooDeep { limit: 64 });
    assert!(decode_actions(Reader::new(&nested(4000)), Version::V1_3).is_err());
}

/// Every name in the table; a new row comes here, and a sample of it above.
const NAMES: &str = "\
    NXAST_BUNDLE NXAST_BUNDLE_LOAD NXAST_CHECK_PKT_LARGER NXAST_CLONE NXAST_CONJUNCTION NXAST_CONTROLLER \
    NXAST_CONTROLLER2 NXAST_CT NXAST_CT_CLEAR NXAST_DEBUG_RECIRC NXAST_DEBUG_SLOW NXAST_DECAP \
    NXAST_DEC_NSH_TTL NXAST_DEC_TTL_CNT_IDS NXAST_DELETE_FIELD NXAST_ENCAP NXAST_EXIT NXAST_FIN_TIMEOUT \
    NXAST_LEARN NXAST_LEARN2 NXAST_MULTIPATH NXAST_NAT NXAST_NOTE NXAST_OUTPUT_REG NXAST_OUTPUT_REG2 \
    NXAST_OUTPUT_TRUNC NXAST_POP_QUEUE NXAST_REG_LOAD NXAST_REG_LOAD2 NXAST_REG_MOVE NXAST_RESUBMIT \
    NXAST_RESUBMIT_TABLE NXAST_RESUBMIT_TABLE_CT NXAST_SAMPLE NXAST_SAMPLE2 NXAST_SAMPLE3 NXAST_SAMPLE4 \
    NXAST_SET_TUNNEL NXAST_SET_TUNNEL64 NXAST_STACK_POP NXAST_STACK_PUSH NXAST_WRITE_METADATA \
    OFPAT_COPY_FIELD OFPAT_DEC_MPLS_TTL OFPAT_DEC_NW_TTL OFPAT_ENQUEUE OFPAT_GROUP OFPAT_METER \
    OFPAT_OUTPUT OFPAT_POP_MPLS OFPAT_POP_VLAN OFPAT_PUSH_MPLS OFPAT_PUSH_VLAN OFPAT_SET_DL_DST \
    OFPAT_SET_DL_SRC OFPAT_SET_FIELD OFPAT_SET_MPLS_LABEL OFPAT_SET_MPLS_TC OFPAT_SET_MPLS_TTL \
    OFPAT_SET_NW_DST OFPAT_SET_NW_ECN OFPAT_SET_NW_SRC OFPAT_SET_NW_TOS OFPAT_SET_NW_TTL OFPAT_SET_QUEUE \
    OFPAT_SET_TP_DST OFPAT_SET_TP_SRC OFPAT_SET_VLAN_PCP OFPAT_SET_VLAN_VID OFPAT_STRIP_VLAN \
    ONFACT_COPY_FIELD";

/// Bytes as they are not written: of these actions, with a few bytes changed, doubled or gone.
fn mutated(random: &mut Random, bytes: &[Vec<u8>]) -> Vec<u8> {
    let mut mutant = random.pick(bytes).clone();
    for _ in 0..=random.below(2) {
        let at = random.below(mutant.len().min(64));
        match random.below(8) {
            0 => {
                let len = mutant.len() / 8;
                mutant.truncate(8 * random.below(len).max(1));
            }
            1 => mutant.extend(random.pick(bytes)),
            2 => mutant[at] = 0,
            3 => mutant[at] = 0xff,
            4 => mutant[at] ^= 1 << random.below(8),
            // The low byte of a length, of a subtype, or of a number.
            5 => mutant[3] = mutant[3].wrapping_add(8),
            6 => mutant[at] = mutant[at].wrapping_add(1),
            _ => mutant[at] = u8::try_from(random.below(256)).unwrap(),
        }
        mutant.truncate(2048);
    }
    mutant
}

#[test]
fn what_ovs_ofctl_refuses_is_refused_for_the_same_reason() {
    let Some(switch) = or_skip(Switch::start()) else {
        return;
    };
    let mut exceptions = BTreeMap::new();
    for (name, version) in VERSIONS {
        let bytes = encoded(encode_actions, &samples(name, version));
        let mut random = Random::seeded(777 + u64::from(version.0));
        let mutants: Vec<_> = (0..MUTANTS).map(|_| mutated(&mut random, &bytes)).collect();
        let answers = ask(&switch, "parse-actions", name, &mutants);
        for (mutant, (answer, _)) in mutants.iter().zip(answers) {
            if let Some(exception) = judge(mutant, version, &answer) {
                *exceptions.entry(exception).or_insert(0) += 1;
            }
        }
    }
    assert!(exceptions[KEPT] > 100, "{exceptions:?}");
    let others: usize = exceptions
        .iter()
        .filter(|(why, _)| **why != KEPT)
        .map(|(_, count)| count)
        .sum();
    assert!(others < MUTANTS / 5, "{exceptions:?}");
}

const MUTANTS: usize = 4000;
const KEPT: &str = "kept, and not known";
