//! What is sent is what was asked for, or an error: every field with and without what it needs, every action, in every
//! version, encoded and read back. And what differs in one value is a difference.

use std::net::{IpAddr, Ipv4Addr};

use ofp_codec::{
    Action, Controller, Ct, Encap, Field, FieldMatch, Flow, FlowCommand, FlowFlags, FlowMod, Learn,
    LearnSpec, Match, MatchEntry, Nat, NatSide, NumberOrSubfield, Port, PortRef, Prerequisite, Protocol,
    Sample, Subfield, TableRef, Value, Version,
    diff::diff,
    text::FlowRef,
    wire::{EncodeError, FlowModRef, Message},
};

use crate::random::Random;

const VERSIONS: [Version; 6] = [
    Version::V1_0,
    Version::V1_1,
    Version::V1_2,
    Version::V1_3,
    Version::V1_4,
    Version::V1_5,
];

/// How many rounds: a few thousand, or as many as are asked for.
fn rounds(default: usize) -> usize {
    let asked = std::env::var("OVS_RS_ROUNDS").ok();
    asked.and_then(|rounds| rounds.parse().ok()).unwrap_or(default)
}

/// A line as typed.
fn line(text: &str) -> Flow {
    FlowRef::parse(text.as_bytes()).unwrap().to_flow().unwrap()
}

/// What must stand beside a field, as text.
fn beside(needs: Prerequisite) -> &'static str {
    match needs {
        Prerequisite::None | Prerequisite::Ethernet => "",
        Prerequisite::Vlan => "vlan_tci=0x1000/0x1000,",
        Prerequisite::Mpls => "mpls,",
        Prerequisite::Ipv4 | Prerequisite::Ip => "ip,",
        Prerequisite::Ipv6 => "ipv6,",
        Prerequisite::Arp => "arp,",
        Prerequisite::Tcp => "tcp,",
        Prerequisite::Udp => "udp6,",
        Prerequisite::Sctp => "sctp,",
        Prerequisite::Icmpv4 => "icmp,",
        Prerequisite::Icmpv6 => "icmp6,",
        Prerequisite::Nd | Prerequisite::NdSolicit => "icmp6,icmp_type=135,icmp_code=0,",
        Prerequisite::NdAdvert => "icmp6,icmp_type=136,icmp_code=0,",
        Prerequisite::Nsh => "dl_type=0x894f,",
        Prerequisite::Ct => "ct_state=+trk+est,ip,",
        other => panic!("{other}"),
    }
}

/// The field, and what it needs beside it.
fn with_needs(field: Field, value: Value, mask: Option<u128>) -> Match {
    let mut matches = line(&format!("{}actions=drop", beside(field.info().prerequisite))).matches;
    if matches!(field, Field::CtTpSrc | Field::CtTpDst) {
        let proto = FieldMatch::exact(Field::CtNwProto, 6);
        matches.0.push(MatchEntry::Field(proto));
    }
    matches
        .0
        .push(MatchEntry::Field(FieldMatch { field, value, mask }));
    matches
}

fn flow(matches: Match) -> Flow {
    Flow {
        matches,
        actions: vec![Action::Drop],
        ..Flow::default()
    }
}

/// What is read of what is sent.
fn read_back(flow_mod: &FlowMod, version: Version) -> Result<FlowMod, EncodeError> {
    let mut bytes = Vec::new();
    let encoded = flow_mod.encode(version, 1, &mut bytes);
    if encoded.is_err() {
        assert!(bytes.is_empty(), "{flow_mod}");
        encoded?;
    }
    let message = Message::parse(&bytes).unwrap();
    let decoded = FlowModRef::decode(&message).and_then(|flow_mod| flow_mod.to_flow_mod());
    Ok(decoded.unwrap_or_else(|error| panic!("{version:?} {flow_mod:?}: {error} {}", error.name)))
}

/// Whether two flows are one, but for what statistics say.
fn is_same(one: &Flow, other: &Flow) -> bool {
    diff(std::slice::from_ref(one), std::slice::from_ref(other)).is_empty()
}

/// A number that the field may have, with many at the ends of its range.
fn number(field: Field, random: &mut Random) -> u128 {
    let all = u128::from(random.next()) << 96
        | u128::from(random.next()) << 64
        | u128::from(random.next()) << 32
        | u128::from(random.next());
    let max = match field {
        Field::DlVlan => 0xfff,
        Field::NwTos => return all & 0xfc,
        Field::ArpOp => 0xff,
        // The bit that says that there is a tag.
        Field::VlanVid => return all & 0xfff | 0x1000,
        Field::CtState => return all & 0xff | 0x20,
        Field::PacketType => return 0,
        Field::InPort | Field::InPortOxm | Field::ActsetOutput => {
            return *random.pick(&[1, 5, 0xfeff, 0xffff_fffe, 0xffff_fffd]);
        }
        Field::TunFlags => 1,
        Field::IpFrag => 3,
        _ if field.info().bits > 128 => u128::MAX,
        _ => u128::MAX >> (128 - u32::from(field.info().bits)),
    };
    match random.below(4) {
        0 => max,
        1 => 1,
        _ => (all & max).max(1),
    }
}

#[test]
fn a_field_without_what_it_needs_is_refused_by_name_in_every_version() {
    let mut refused = 0;
    for &field in Field::ALL {
        let needs = field.info().prerequisite;
        // A tag is what the field itself says.
        if matches!(
            needs,
            Prerequisite::None | Prerequisite::Ethernet | Prerequisite::Vlan
        ) {
            continue;
        }
        for version in VERSIONS {
            let value = if field == Field::NwTos { 4 } else { 1 };
            let alone = Match(vec![MatchEntry::Field(FieldMatch::exact(field, value))]);
            let add = FlowMod::add(flow(alone));
            let mut bytes = vec![7];
            let error = add.encode(version, 1, &mut bytes).unwrap_err();
            assert_eq!(bytes, [7]);
            assert_eq!(error, EncodeError::Prerequisite { field, needs }, "{version:?}");
            assert!(
                error.to_string().starts_with(&format!("{field} needs ")),
                "{error}"
            );
            refused += 1;
        }
    }
    assert!(refused > 6 * 40, "{refused}");
}

#[test]
fn what_goes_is_given_and_the_rest_is_sent() {
    let mut flow = line("table=60,priority=9,tcp_dst=81,reg0=1,ipv6_src=::1 actions=output:5");
    let gone: Vec<_> = flow
        .matches
        .take_ignored()
        .iter()
        .map(|found| found.field)
        .collect();
    assert_eq!(gone, [Field::TcpDst, Field::Ipv6Src]);
    let add = FlowMod::add(flow);
    for version in [Version::V1_0, Version::V1_3, Version::V1_5] {
        let read = read_back(&add, version).unwrap();
        let wanted = line("table=60,priority=9,reg0=1 actions=output:5");
        assert!(is_same(&read.flow, &wanted), "{version:?}");
    }
}

#[test]
fn every_field_is_read_back_as_it_was_sent_and_another_value_or_mask_is_another_flow() {
    let mut random = Random::seeded(5);
    let mut sent = 0;
    for round in 0..rounds(20).max(1) {
        for &field in Field::ALL {
            let info = field.info();
            let value = number(field, &mut random);
            let mask = match info.maskable && random.below(3) > 0 && info.bits <= 128 {
                true => Some(number(field, &mut random)).filter(|_| field != Field::VlanVid),
                false => None,
            };
            let one = flow(with_needs(field, Value::Number(value), mask));
            for version in VERSIONS {
                let Ok(read) = read_back(&FlowMod::add(one.clone()), version) else {
                    continue;
                };
                assert!(
                    is_same(&one, &read.flow),
                    "{round} {version:?} {field}: {} and {}\n{:?}\n{:?}",
                    one.normal(),
                    read.flow.normal(),
                    one.matches,
                    read.flow.matches
                );
                sent += 1;
            }
            // A bit of the value that counts, or of the mask.
            let bit = 1 << random.below(usize::from(info.bits.min(128)));
            let counts = mask.is_none_or(|mask| mask & bit != 0);
            let whole = matches!(field, Field::PacketType);
            if counts && !whole && usable(field, value ^ bit) && !implied(field, value ^ bit) {
                let other = flow(with_needs(field, Value::Number(value ^ bit), mask));
                assert!(!is_same(&one, &other), "{field} {value:#x} {mask:?} ^ {bit:#x}");
            }
            if info.maskable
                && info.bits <= 128
                && !matches!(field, Field::VlanVid | Field::VlanTci | Field::CtState)
            {
                let max = u128::MAX >> (128 - u32::from(info.bits));
                let other = mask.unwrap_or(max) ^ bit;
                let other = flow(with_needs(field, Value::Number(value), Some(other)));
                assert!(!is_same(&one, &other), "{field} {value:#x}/{mask:?} ^ {bit:#x}");
            }
        }
    }
    assert!(sent > 3000, "{sent}");
}

/// Whether the field may have this number.
fn usable(field: Field, number: u128) -> bool {
    match field {
        Field::DlVlan => number <= 0xfff,
        Field::NwTos => number & 3 == 0,
        Field::ArpOp => number <= 0xff,
        Field::CtState => number & 0x20 != 0 && number <= 0xff,
        Field::VlanVid => number & 0x1000 != 0,
        _ => true,
    }
}

/// Numbers that say that nothing is matched.
fn implied(field: Field, number: u128) -> bool {
    field == Field::CtNwProto && number == 0
}

#[test]
fn a_normal_flow_has_all_that_its_match_says() {
    let mut random = Random::seeded(8);
    for _ in 0..20 {
        for &field in Field::ALL {
            let mask = match field.info().maskable && field.info().bits <= 128 {
                true => Some(number(field, &mut random)),
                false => None,
            };
            let one = flow(with_needs(field, Value::Number(number(field, &mut random)), mask));
            assert!(
                is_same(&one, &one.normal()),
                "{field} {:?} {:?}",
                one.matches,
                one.normal().matches
            );
            assert_eq!(one.normal(), one.normal().normal(), "{field}");
        }
    }
}

#[test]
fn what_has_no_room_in_its_place_is_an_error() {
    let bits = |text: &str| match &line(&format!("actions=push:{text}")).actions[0] {
        Action::Push(bits) => bits.clone(),
        other => panic!("{other}"),
    };
    let set = |field, number, mask| Action::SetField {
        field,
        value: Value::Number(number),
        mask,
    };
    let nat = |nat| {
        Action::Ct(Box::new(Ct {
            commit: true,
            nat: Some(nat),
            ..Ct::default()
        }))
    };
    let cases = [
        vec![Action::Drop, Action::Output(Port(3).into())],
        vec![Action::Clone(vec![Action::Exit, Action::Drop])],
        vec![Action::CheckPktLarger {
            len: 1500,
            dst: Subfield::whole(Field::Reg0),
        }],
        vec![Action::ModVlanVid(0x1000)],
        vec![Action::ModVlanPcp(8)],
        vec![Action::ModNwTos(5)],
        vec![Action::ModNwEcn(4)],
        vec![Action::SetMplsLabel(1 << 20)],
        vec![Action::SetMplsTc(8)],
        vec![Action::Load {
            value: 16,
            dst: bits("reg0[0..3]"),
        }],
        vec![Action::Move {
            src: bits("reg0[0..3]"),
            dst: bits("reg1[0..4]"),
        }],
        vec![set(Field::NwTtl, 0x100, None)],
        vec![set(Field::InPort, 0x1_0000, None)],
        vec![set(Field::NwTos, 7, None)],
        vec![set(Field::VlanPcp, 8, None)],
        vec![Action::Resubmit {
            port: None,
            table: Some(255.into()),
            ct: false,
        }],
        vec![Action::Ct(Box::new(Ct {
            table: Some(255.into()),
            ..Ct::default()
        }))],
        vec![nat(Nat {
            side: Some(NatSide::Src),
            min_addr: Some(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            ..Nat::default()
        })],
        vec![nat(Nat {
            side: Some(NatSide::Src),
            min_port: Some(5),
            ..Nat::default()
        })],
        vec![Action::ControllerWith(Box::new(Controller {
            meter_id: Some(0),
            ..Controller::default()
        }))],
        vec![Action::Learn(Box::new(Learn {
            result_dst: Some(Subfield::whole(Field::Reg0)),
            ..learn(LearnSpec::Output(Subfield::whole(Field::Reg0)))
        }))],
        vec![Action::Learn(Box::new(learn(LearnSpec::LoadNumber {
            value: 16,
            dst: bits("reg0[0..3]"),
        })))],
        vec![Action::Learn(Box::new(learn(LearnSpec::MatchField {
            field: Field::NwTtl,
            value: Value::Number(0x100),
        })))],
        vec![Action::GotoTable(3.into()), Action::Output(Port(1).into())],
        vec![Action::GotoTable(3.into()), Action::GotoTable(4.into())],
        vec![
            Action::WriteMetadata { value: 1, mask: None },
            Action::WriteMetadata { value: 2, mask: None },
        ],
        vec![Action::Raw(Box::new([0xff, 0xff, 0, 16, 0, 0, 0, 1]))],
        vec![Action::Unknown {
            name: "x".into(),
            text: "x(1)".into(),
        }],
    ];
    for actions in cases {
        for version in VERSIONS {
            let add = FlowMod::add(Flow {
                actions: actions.clone(),
                ..line("ip actions=drop")
            });
            let mut bytes = Vec::new();
            assert!(
                add.encode(version, 1, &mut bytes).is_err(),
                "{version:?} {actions:?}"
            );
        }
    }
}

fn learn(spec: LearnSpec) -> Learn {
    match line("actions=learn(table=1,reg0=5)").actions.remove(0) {
        Action::Learn(learn) => Learn {
            specs: vec![spec],
            ..*learn
        },
        other => panic!("{other}"),
    }
}

#[test]
fn what_a_version_does_not_have_is_an_error_in_it() {
    let add = |flow: Flow| FlowMod::add(flow);
    let plain = || line("priority=5,ip actions=output:1");
    let acts = |actions| Flow { actions, ..plain() };
    let cases: [(&str, FlowMod, &[usize]); 14] = [
        (
            "flag",
            add(Flow {
                flags: FlowFlags::NO_BYTE_COUNTS,
                ..plain()
            }),
            &[3, 4, 5],
        ),
        (
            "flag",
            add(Flow {
                flags: FlowFlags(0x400),
                ..plain()
            }),
            &[],
        ),
        (
            "importance",
            add(Flow {
                importance: 5,
                ..plain()
            }),
            &[4, 5],
        ),
        (
            "unknown",
            add(line("idle_timout=5, priority=5,ip actions=output:1")),
            &[],
        ),
        (
            "cookie mask",
            FlowMod {
                cookie: (1, 1),
                ..add(plain())
            },
            &[],
        ),
        (
            "new cookie",
            FlowMod {
                cookie: (1, 1),
                ..FlowMod::new(FlowCommand::MODIFY, Flow { cookie: 7, ..plain() })
            },
            &[0],
        ),
        (
            "new cookie",
            FlowMod::new(FlowCommand::MODIFY, Flow { cookie: 7, ..plain() }),
            &[0, 1],
        ),
        (
            "out_group",
            FlowMod {
                out_group: 5,
                ..FlowMod::new(FlowCommand::DELETE, plain())
            },
            &[1, 2, 3, 4, 5],
        ),
        (
            "all tables",
            FlowMod::new(
                FlowCommand::MODIFY,
                Flow {
                    table: TableRef::Number(FlowMod::ANY_TABLE),
                    ..plain()
                },
            ),
            &[0],
        ),
        (
            "all tables",
            FlowMod::new(
                FlowCommand::DELETE,
                Flow {
                    table: TableRef::Number(FlowMod::ANY_TABLE),
                    ..plain()
                },
            ),
            &[0, 2, 3, 4, 5],
        ),
        (
            "write_actions",
            add(acts(vec![Action::WriteActions(vec![Action::Group(1)])])),
            &[1, 2, 3, 4, 5],
        ),
        ("meter", add(acts(vec![Action::Meter(1)])), &[3, 4, 5]),
        (
            "push_vlan",
            add(acts(vec![
                Action::PushVlan(0x8100),
                Action::Output(Port(1).into()),
            ])),
            &[1, 2, 3, 4, 5],
        ),
        (
            "masked set_field",
            add(line(
                "actions=set_field:00:00:00:00:00:01/00:00:00:00:00:01->eth_src",
            )),
            &[2, 3, 4, 5],
        ),
    ];
    for (what, change, versions) in cases {
        for (place, version) in VERSIONS.into_iter().enumerate() {
            let sent = change.encode(version, 1, &mut Vec::new());
            assert_eq!(
                sent.is_ok(),
                versions.contains(&place),
                "{what} {version:?} {sent:?}"
            );
        }
    }
}

/// Actions with random arguments, of which some have no room for them.
fn action(random: &mut Random, depth: usize) -> Action {
    let small = |random: &mut Random| u16::try_from(random.next() & 0xffff).unwrap() >> (4 * random.below(4));
    let byte = |random: &mut Random| u8::try_from(random.next() & 0xff).unwrap() >> (2 * random.below(4));
    let port = |random: &mut Random| -> PortRef {
        let ports = [
            Port(1),
            Port(0xfeff),
            Port::IN_PORT,
            Port::LOCAL,
            Port::NORMAL,
            Port::CONTROLLER,
        ];
        (*random.pick(&ports)).into()
    };
    let bits = |random: &mut Random| {
        let names = [
            "reg0[]",
            "reg5[3]",
            "xreg1[0..35]",
            "xxreg2[7..127]",
            "metadata[1..9]",
            "reg0[0..15]",
            "eth_src[]",
        ];
        match line(&format!("actions=push:{}", random.pick(&names)))
            .actions
            .remove(0)
        {
            Action::Push(bits) => bits,
            other => panic!("{other}"),
        }
    };
    let list = |random: &mut Random| match depth {
        0 => vec![Action::Exit],
        depth => (0..random.below(3)).map(|_| action(random, depth - 1)).collect(),
    };
    match random.below(45) {
        0 => Action::Output(port(random)),
        1 => Action::Controller {
            max_len: small(random),
        },
        2 => Action::StripVlan,
        3 => Action::PushVlan(*random.pick(&[0x8100, 0x88a8])),
        4 => Action::ModVlanVid(small(random)),
        5 => Action::ModVlanPcp(byte(random)),
        6 => Action::SetVlanVid(small(random)),
        7 => Action::SetVlanPcp(byte(random)),
        8..=15 => {
            let fields: Vec<Field> = Field::ALL
                .iter()
                .copied()
                .filter(|field| field.info().writable)
                .collect();
            let field = *random.pick(&fields);
            let number = number(field, random) >> random.below(3);
            let mask =
                (random.below(3) == 0 && field.info().bits <= 128).then(|| self::number(field, random));
            Action::SetField {
                field,
                value: Value::Number(number),
                mask,
            }
        }
        16 | 17 => {
            let dst = bits(random);
            let value = random.next() >> random.below(32);
            Action::Load {
                value: value.into(),
                dst,
            }
        }
        18 => Action::SetTunnel(u32::try_from(random.next()).unwrap()),
        19 => Action::SetTunnel64(random.next() << 20),
        20 => Action::Resubmit {
            port: (random.below(2) == 0).then(|| Port(5).into()),
            table: Some(byte(random).into()),
            ct: random.below(2) == 0,
        },
        21 => Action::Group(5),
        22 => Action::OutputReg(bits(random)),
        23 => Action::OutputTrunc {
            port: port(random),
            max_len: 14 + u32::from(small(random)),
        },
        24 => Action::ControllerWith(Box::new(Controller {
            max_len: small(random),
            id: small(random),
            meter_id: (random.below(2) == 0).then(|| u32::from(byte(random))),
            pause: random.below(2) == 0,
            userdata: vec![1; random.below(4)],
            ..Controller::default()
        })),
        25 => Action::Enqueue {
            port: Port(3).into(),
            queue: 1,
        },
        26 => Action::ModNwTos(byte(random)),
        27 => Action::ModNwEcn(byte(random)),
        28 => Action::ModNwTtl(byte(random)),
        29 => Action::ModTpSrc(small(random)),
        30 => Action::Move {
            src: bits(random),
            dst: bits(random),
        },
        31 => Action::Push(bits(random)),
        32 => Action::DecTtl((random.below(2) == 0).then(|| vec![1, 2])),
        33 => Action::SetMplsLabel(u32::try_from(random.next()).unwrap() >> random.below(20)),
        34 => Action::Encap(Encap::Ethernet),
        35 => Action::FinTimeout {
            idle_timeout: small(random),
            hard_timeout: small(random),
        },
        36 => Action::Note(vec![5; random.below(20)]),
        37 => Action::Sample(Box::new(Sample {
            probability: small(random).max(1),
            collector_set_id: 5,
            obs_domain_id: NumberOrSubfield::Number(6),
            obs_point_id: match random.below(2) {
                0 => NumberOrSubfield::Number(1),
                _ => NumberOrSubfield::Subfield(Subfield::whole(Field::Reg0)),
            },
            sampling_port: (random.below(2) == 0).then(|| Port(9).into()),
            direction: None,
        })),
        38 => Action::Ct(Box::new(Ct {
            commit: true,
            force: random.below(2) == 0,
            table: (random.below(2) == 0).then(|| byte(random).into()),
            zone: (random.below(2) == 0).then(|| NumberOrSubfield::Number(small(random))),
            nat: (random.below(2) == 0).then(|| Nat {
                side: *random.pick(&[None, Some(NatSide::Src)]),
                min_addr: (random.below(2) == 0).then_some(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1))),
                min_port: (random.below(3) == 0).then(|| small(random)),
                random: random.below(2) == 0,
                ..Nat::default()
            }),
            exec: Vec::new(),
            alg: 0,
        })),
        39 => Action::Clone(list(random)),
        40 => Action::CheckPktLarger {
            len: small(random),
            dst: bits(random),
        },
        41 => Action::Meter(3),
        42 => Action::WriteActions(vec![Action::Output(Port(2).into()), Action::SetQueue(3)]),
        43 => Action::WriteMetadata {
            value: random.next(),
            mask: Some(random.next() | 1),
        },
        _ => Action::GotoTable(byte(random).into()),
    }
}

#[test]
fn every_list_of_actions_is_read_back_as_it_was_sent_or_is_refused() {
    let mut random = Random::seeded(9);
    let (mut sent, mut refused) = (0, 0);
    let matches = [
        "tcp,",
        "udp,",
        "dl_vlan=5,ip,",
        "vlan_tci=0/0x1fff,tcp6,",
        "",
        "icmp,",
        "mpls,",
    ];
    for _ in 0..rounds(5000) {
        let text = random.pick(&matches);
        let actions = (0..1 + random.below(3)).map(|_| action(&mut random, 2)).collect();
        let one = Flow {
            actions,
            ..line(&format!("{text}actions=drop"))
        };
        for version in VERSIONS {
            let mut bytes = Vec::new();
            if FlowMod::add(one.clone()).encode(version, 1, &mut bytes).is_err() {
                refused += 1;
                continue;
            }
            let message = Message::parse(&bytes).unwrap();
            // What a switch refuses is not made, and so no other thing than was asked for.
            let Ok(read) = FlowModRef::decode(&message).unwrap().to_flow_mod() else {
                refused += 1;
                continue;
            };
            assert!(
                is_same(&one, &read.flow),
                "{version:?}\n{:?}\n{:?}\n{}\n{}",
                one.actions,
                read.flow.actions,
                one.normal(),
                read.flow.normal()
            );
            sent += 1;
        }
    }
    assert!(sent > refused / 4, "{sent} {refused}");
}

#[test]
fn words_of_protocols_are_read_back() {
    for word in [
        "ip", "ipv6", "arp", "rarp", "tcp", "tcp6", "udp", "udp6", "sctp", "sctp6", "icmp", "icmp6", "mpls",
        "mplsm",
    ] {
        let protocol = Protocol::from_word(word).unwrap();
        let one = flow(Match(vec![MatchEntry::Protocol(protocol)]));
        for version in VERSIONS {
            if let Ok(read) = read_back(&FlowMod::add(one.clone()), version) {
                assert!(is_same(&one, &read.flow), "{version:?} {word}");
            }
        }
    }
}
