//! What a real switch prints of a flow is the flow that was put in.

use ofp_codec::{
    Action, EthAddr, Field, FieldMatch, Flow, Format, Match, MatchEntry, Port, PortRef, Protocol, Value,
    Version,
    diff::diff,
    text::{FlowRef, Item, items},
};
use testbed::{Switch, or_skip};

use crate::{oracle, random::Random};

/// A switch with the bridge `br0`, which speaks every version, and group 5.
pub(crate) fn switch() -> Option<Switch> {
    let switch = or_skip(Switch::start())?;
    switch.add_bridge("br0").unwrap();
    let versions = "protocols=OpenFlow10,OpenFlow11,OpenFlow12,OpenFlow13,OpenFlow14,OpenFlow15";
    switch.vsctl(&["set", "bridge", "br0", versions]).unwrap();
    let br0 = switch.mgmt("br0");
    switch
        .ofctl(&["-O", "OpenFlow13", "add-group", &br0, "group_id=5,type=all"])
        .unwrap();
    Some(switch)
}

fn flows(dump: &str) -> Vec<Flow> {
    items(dump.as_bytes()).flows().collect::<Result<_, _>>().unwrap()
}

/// What must be the same: all but the statistics, and the order of the match.
fn sorted(flow: &Flow) -> Flow {
    let mut flow = Flow {
        stats: Default::default(),
        ..flow.clone()
    };
    flow.matches.0.sort_by_key(|entry| format!("{entry:?}"));
    flow
}

#[test]
fn generated_flows_come_back_as_they_were_put_in() {
    let Some(switch) = switch() else { return };
    let br0 = switch.mgmt("br0");
    for (version, seed) in [("OpenFlow10", 10), ("OpenFlow13", 13), ("OpenFlow14", 14)] {
        let mut random = Random::seeded(seed);
        let put: Vec<_> = (1..=400).map(|i| generate(&mut random, i, version)).collect();
        let lines: Vec<_> = put.iter().map(ToString::to_string).collect();
        let version = ["-O", version];
        switch.ofctl(&["del-flows", &br0]).unwrap();
        let add = [&version[..], &["add-flows", &br0, "-"]].concat();
        switch.ofctl_stdin(&add, &(lines.join("\n") + "\n")).unwrap();

        for options in [
            &["dump-flows"][..],
            &["--no-stats", "dump-flows"],
            &["--color=always", "dump-flows"],
        ] {
            let dump = switch.ofctl(&[&version, options, &[&br0]].concat()).unwrap();
            let mut found = flows(&dump);
            found.sort_by_key(|flow| flow.priority);
            assert_eq!(found.len(), put.len(), "{options:?}");
            for ((found, put), line) in found.iter().zip(&put).zip(&lines) {
                assert_eq!(sorted(found), sorted(put), "{version:?} {options:?} {line}");
            }
        }

        // The same flows, and hidden ones in table 254.
        let has_cookies = testbed::version().unwrap() >= testbed::Version::new(3, 2, 0);
        let mut found = flows(&switch.appctl(&["bridge/dump-flows", "br0"]).unwrap());
        found.retain(|flow| flow.table.number() != Some(&254));
        found.sort_by_key(|flow| flow.priority);
        assert_eq!(found.len(), put.len());
        for (found, put) in found.iter().zip(&put) {
            assert!(found.unsaid.settings && found.unsaid.cookie != has_cookies);
            let put = Flow {
                cookie: if has_cookies { put.cookie } else { 0 },
                unsaid: found.unsaid,
                ..put.clone()
            };
            assert_eq!(sorted(found), sorted(&put));
        }
    }
}

#[test]
fn ports_with_odd_names_come_back_by_name() {
    let Some(switch) = switch() else { return };
    let names = ["a,b", "a b", "c(d", "actions=", "e\"f", "eth0", "LOCAL2", "3com"];
    for (port, name) in (10..).zip(names) {
        let request = format!("ofport_request={port}");
        switch
            .vsctl(&[
                "add-port",
                "br0",
                name,
                "--",
                "set",
                "interface",
                name,
                "type=dummy",
                &request,
            ])
            .unwrap();
    }
    let br0 = switch.mgmt("br0");
    for port in (10..).take(names.len()) {
        let flow = format!("priority={port},in_port={port},ip,actions=resubmit:{port},output:{port}");
        switch
            .ofctl(&["-O", "OpenFlow13", "add-flow", &br0, &flow])
            .unwrap();
    }
    let dump = switch
        .ofctl(&["-O", "OpenFlow13", "--names", "dump-flows", &br0])
        .unwrap();
    let mut found = flows(&dump);
    found.sort_by_key(|flow| flow.priority);
    assert_eq!(found.len(), names.len());
    for (flow, name) in found.iter().zip(names) {
        let name = PortRef::Name(name.into());
        assert_eq!(flow.matches.in_port(), Some(name.clone()));
        assert_eq!(flow.matches.exact(Field::EthType), Some(0x800));
        let resubmit = Action::Resubmit {
            port: Some(name.clone()),
            table: None,
            ct: false,
        };
        assert_eq!(flow.actions, [resubmit, Action::Output(name)]);
    }
}

#[test]
fn the_flows_before_a_decode_error_are_read_and_the_error_is_an_item() {
    let Some(switch) = switch() else { return };
    let br0 = switch.mgmt("br0");
    // OpenFlow 1.0 has no encap: the client refuses the rest of the message.
    for flow in [
        "priority=2,in_port=1,actions=2",
        "priority=1,in_port=2,actions=encap(nsh(md_type=1)),output:3",
    ] {
        switch
            .ofctl(&["-O", "OpenFlow13", "add-flow", &br0, flow])
            .unwrap();
    }
    let dump = switch.ofctl(&["-O", "OpenFlow10", "dump-flows", &br0]).unwrap();
    let (mut priorities, mut errors, mut bytes) = (vec![], 0, 0);
    for item in items(dump.as_bytes()) {
        match item.unwrap() {
            Item::Flow(flow) => priorities.push(flow.to_flow().unwrap().priority),
            Item::DecodeError(_) => errors += 1,
            Item::Header(header) => errors += usize::from(header.decode_error.is_some()),
            Item::HexLine(line) => bytes += line.bytes().count(),
            _ => {}
        }
    }
    assert_eq!((priorities, errors), (vec![2], 1));
    assert!(bytes > 100, "{bytes}");
}

#[test]
fn numbers_are_read_as_the_switch_reads_them() {
    let Some(switch) = switch() else { return };
    let br0 = switch.mgmt("br0");
    for line in [
        "priority=010,reg0=0x1F,dl_vlan=5 actions=output:65534",
        "priority=0x10,in_port=65534,ct_state=+trk-new actions=normal,3",
        "priority=7,udp,tp_src=0x50/0xfff0,nw_src=10.1.2.3/255.0.255.0 actions=CONTROLLER,output:controller",
        "priority=9,dl_type=0x800,nw_proto=17,tp_dst=53 actions=resubmit(3,)",
        "priority=11,ipv6,ipv6_src=fe80::1:2/ffff::ffff actions=load:011->reg1[3..9]",
    ] {
        let ours = FlowRef::parse(line.as_bytes()).unwrap().to_flow().unwrap();
        switch.ofctl(&["del-flows", &br0]).unwrap();
        switch
            .ofctl(&["-O", "OpenFlow13", "add-flow", &br0, line])
            .unwrap();
        let [theirs] = &flows(&switch.ofctl(&["-O", "OpenFlow13", "dump-flows", &br0]).unwrap())[..] else {
            panic!("{line}")
        };
        assert_eq!(ours.priority, theirs.priority, "{line}");
        for field in Field::ALL {
            let masked = |flow: &Flow| {
                flow.matches
                    .masked(*field)
                    .map(|(value, mask)| (value & mask, mask))
            };
            assert_eq!(masked(&ours), masked(theirs), "{field}: {line}");
        }
        let printed = |flow: &Flow| -> Vec<_> { flow.actions.iter().map(plain).collect() };
        assert_eq!(printed(&ours), printed(theirs), "{line}");
    }
}

/// An action as it prints, with the header names of registers for their own.
fn plain(action: &Action) -> String {
    action.to_string().replace("reg1[", "NXM_NX_REG1[")
}

/// Flow number `i`, of what is printed in this version as it is put in.
fn generate(random: &mut Random, i: u16, version: &str) -> Flow {
    Flow {
        table: u8::try_from(random.below(200)).unwrap().into(),
        priority: i,
        cookie: random.next() << 32 | random.next(),
        matches: generate_match(random),
        actions: generate_actions(random, version == "OpenFlow10"),
        ..Flow::default()
    }
}

fn generate_match(random: &mut Random) -> Match {
    let mut entries = Vec::new();
    let word = *random.pick(&[
        "", "ip", "tcp", "udp6", "sctp", "ipv6", "arp", "icmp6", "icmp", "udp", "mpls",
    ]);
    entries.extend(Protocol::from_word(word).map(MatchEntry::Protocol));
    let mut fields = vec![
        Field::InPort,
        Field::EthSrc,
        Field::EthDst,
        Field::DlVlan,
        Field::DlVlanPcp,
        Field::TunId,
        Field::TunSrc,
        Field::TunDst,
        Field::Metadata,
        Field::PktMark,
        Field::CtMark,
        Field::Reg0,
        Field::Reg7,
        Field::Reg15,
        Field::CtState,
    ];
    match word {
        "" | "mpls" => {}
        "arp" => fields.extend([Field::ArpSpa, Field::ArpTpa, Field::ArpOp]),
        "ipv6" | "udp6" | "icmp6" => {
            fields.extend([Field::Ipv6Src, Field::Ipv6Dst, Field::NwEcn, Field::NwTtl]);
        }
        _ => fields.extend([Field::IpSrc, Field::IpDst, Field::NwTos, Field::NwEcn]),
    }
    match word {
        "tcp" => fields.extend([Field::TcpSrc, Field::TcpDst]),
        "udp" | "udp6" => fields.extend([Field::UdpSrc, Field::UdpDst]),
        "sctp" => fields.extend([Field::SctpSrc, Field::SctpDst]),
        "icmp" => fields.extend([Field::IcmpType, Field::IcmpCode]),
        "icmp6" => fields.extend([Field::Icmpv6Type, Field::Icmpv6Code]),
        _ => {}
    }
    fields.retain(|_| random.below(4) == 0);
    entries.extend(
        fields
            .into_iter()
            .map(|field| MatchEntry::Field(generate_field(random, field))),
    );
    Match(entries)
}

fn generate_field(random: &mut Random, field: Field) -> FieldMatch {
    let info = field.info();
    let ones = u128::MAX >> (128 - u32::from(info.bits));
    let bits = |random: &mut Random| (0..4).fold(0, |bits, _| bits << 32 | u128::from(random.next())) & ones;
    let number = match field {
        Field::InPort => return FieldMatch::exact(field, *random.pick(&[1, 300, 0xfeff, 0xffff_fffe])),
        Field::CtState => {
            let (value, mask) = *random.pick(&[(0x20, 0x20), (0x21, 0x21), (0x22, 0x23), (0x30, 0x30)]);
            return FieldMatch {
                mask: Some(mask),
                ..FieldMatch::exact(field, value)
            };
        }
        // Open vSwitch keeps what has a meaning.
        Field::DlVlan => bits(random) & 0xfff,
        Field::NwTos => bits(random) & 0xfc,
        Field::ArpOp => bits(random) & 0xff,
        _ => bits(random),
    };
    let mask = match random.below(3) {
        // `ovs-ofctl` takes an IPv6 mask that begins with a digit for a prefix length.
        0 if info.format == Format::Ipv6 => bits(random) | 0xf << 124,
        0 if info.maskable => bits(random),
        // A prefix of some bytes.
        1 if info.maskable => ones << (8 * random.below(usize::from(info.bits) / 8)) & ones,
        _ => ones,
    };
    // A mask of nothing is no match.
    match mask {
        0 => FieldMatch::exact(field, number),
        mask => FieldMatch {
            field,
            value: Value::Number(number & mask),
            mask: (mask != ones).then_some(mask),
        },
    }
}

fn generate_actions(random: &mut Random, of10: bool) -> Vec<Action> {
    let mut actions = Vec::new();
    for _ in 0..random.below(12) {
        let number = random.next();
        let addr = EthAddr([2, 0, 0, 0, 0, u8::try_from(number & 0xff).unwrap()]);
        let set = |field, number| Action::SetField {
            field,
            value: Value::Number(number),
            mask: None,
        };
        let vid = u16::try_from(number & 0xfff).unwrap();
        match random.below(10) {
            0 => actions.push(Action::Output(Port(u32::from(vid) + 1).into())),
            1 => actions.push(Action::Output(
                (*random.pick(&[Port::LOCAL, Port::IN_PORT, Port::NORMAL, Port::FLOOD, Port::ALL])).into(),
            )),
            2 => actions.push(Action::Controller { max_len: vid }),
            3 => actions.push(Action::Group(5)),
            4 => actions.push(Action::Resubmit {
                port: None,
                table: Some(3.into()),
                ct: false,
            }),
            5 => actions.push(Action::Resubmit {
                port: Some(Port(u32::from(vid) + 1).into()),
                table: (vid & 1 == 0).then(|| 201.into()),
                ct: false,
            }),
            6 => {
                let text = format!("actions=load:{:#x}->NXM_NX_REG3[4..11]", number & 0xff | 1);
                actions.extend(
                    FlowRef::parse(text.as_bytes())
                        .unwrap()
                        .to_flow()
                        .unwrap()
                        .actions,
                );
            }
            7 if of10 => actions.extend([Action::ModVlanVid(vid), Action::ModVlanPcp(5), Action::StripVlan]),
            7 => actions.extend([
                Action::PushVlan(0x8100),
                set(Field::VlanVid, u128::from(vid) | 0x1000),
                Action::PopVlan,
            ]),
            8 if of10 => actions.extend([Action::SetTunnel(7), Action::SetTunnel64(number << 8)]),
            8 => actions.push(set(Field::TunId, u128::from(number) << 8)),
            _ if of10 => actions.extend([Action::ModDlSrc(addr), Action::ModDlDst(addr)]),
            _ => actions.push(set(Field::EthSrc, addr.to_bits().into())),
        }
    }
    match actions.is_empty() {
        true => vec![Action::Drop],
        false => actions,
    }
}

#[test]
fn a_table_of_every_field_and_action_is_the_same_in_every_version() {
    let Some(switch) = switch() else { return };
    // Each flow that the release takes, at a priority of its own; of those that Open vSwitch can
    // read back in versions 1.0 and 1.1 as well, where one that it cannot costs a whole message.
    for (judged, versions, at_least) in [
        (&["OpenFlow13", "OpenFlow15"][..], &ALL_VERSIONS[2..], 900),
        (
            &["OpenFlow10", "OpenFlow11", "OpenFlow13", "OpenFlow15"],
            &ALL_VERSIONS[..2],
            400,
        ),
    ] {
        let lines: Vec<_> = oracle::flows_read_back_in(judged)
            .into_iter()
            .filter(|flow| REFUSED.iter().all(|word| !flow.contains(word)))
            .zip(1..)
            .map(|(flow, priority)| format!("priority={priority},{flow}\n"))
            .collect();
        assert!(lines.len() >= at_least, "{}", lines.len());
        is_the_same_in_every_version(&switch, &lines, versions);
    }
}

#[test]
fn the_tables_of_neutron_and_of_ovn_are_the_same_in_every_version() {
    let Some(switch) = switch() else { return };
    let br0 = switch.mgmt("br0");
    // A field of the tunnels of OVN.
    let option = "{class=0x102,type=0x80,len=4}->tun_metadata0";
    switch.ofctl(&["add-tlv-map", &br0, option]).unwrap();
    let neutron = include_str!("../vectors/dumps/br-int.of13.nostats.txt");
    let neutron: Vec<_> = neutron.lines().map(|line| format!("{line}\n")).collect();
    let ovn: Vec<_> = testbed::ovn_flows(2000).map(|line| line + "\n").collect();
    for lines in [neutron, ovn] {
        is_the_same_in_every_version(&switch, &lines, &ALL_VERSIONS);
    }
}

/// Puts the flows in, and compares what the switch prints of them.
fn is_the_same_in_every_version(switch: &Switch, lines: &[String], versions: &[(u8, &str)]) {
    let br0 = switch.mgmt("br0");
    switch.ofctl(&["del-flows", &br0]).unwrap();
    let add = ["-O", "OpenFlow15", "add-flows", &br0, "-"];
    switch.ofctl_stdin(&add, &lines.concat()).unwrap();
    let dump = |version: &str, options: &[&str]| {
        let arguments = [&["-O", version], options, &["dump-flows", &br0]].concat();
        flows(&switch.ofctl(&arguments).unwrap())
    };
    let first = dump("OpenFlow15", &[]);
    assert_eq!(first.len(), lines.len());
    for (number, version) in versions {
        // Of a `set_field` with a mask the older versions keep the value only.
        let known: Vec<_> = match number {
            1 | 2 => first
                .iter()
                .map(|flow| flow.canonical(Version(*number)))
                .collect(),
            _ => first.clone(),
        };
        for options in [&[][..], &["--no-stats"], &["--names"]] {
            let other = dump(version, options);
            let changes: Vec<_> = diff(&known, &other).iter().map(ToString::to_string).collect();
            assert_eq!(changes, [""; 0], "{version} {options:?}");
        }
    }
}

const ALL_VERSIONS: [(u8, &str); 5] = [
    (1, "OpenFlow10"),
    (2, "OpenFlow11"),
    (4, "OpenFlow13"),
    (5, "OpenFlow14"),
    (6, "OpenFlow15"),
];

/// What this switch does not take: fields that are internal, options of tunnels and groups and meters
/// that it does not know; and what these tests say otherwise.
pub(crate) const REFUSED: [&str; 7] = [
    "priority=",
    "table=",
    "group:",
    "meter",
    "tun_metadata",
    "dp_hash=",
    "recirc_id=",
];

/// Whether the switch has flow monitors in this version. Open vSwitch before 3.0 has them in OpenFlow 1.0 alone.
#[cfg(feature = "client")]
pub(crate) fn has_monitors(version: Version) -> bool {
    version == Version::V1_0 || testbed::version().unwrap() >= testbed::Version::new(3, 0, 0)
}
