//! What the parts of a line become.

use std::time::Duration;

use ofp_codec::{
    Action, EthAddr, Field, Flow, FlowFlags, LearnSpec, MatchEntry, NatSide, NumberOrSubfield, Port, PortRef,
    Subfield, TableRef, Unknown, Value, Version, text::FlowRef,
};

fn flow(line: &str) -> Flow {
    let flow = FlowRef::parse(line.as_bytes()).and_then(|flow| flow.to_flow());
    flow.unwrap_or_else(|error| panic!("{line}: {error}"))
}

fn actions(text: &str) -> Vec<Action> {
    flow(&format!("actions={text}")).actions
}

#[test]
fn the_information_before_the_match_is_typed() {
    let flow = flow(
        " cookie=0x9a8d3e2f11c0ffee, duration=315.546s, table=201, n_packets=7, n_bytes=?, \
         idle_timeout=60, hard_timeout=61, send_flow_rem reset_counts importance=5, idle_age=315, \
         hard_age=9, priority=6,ip actions=drop",
    );
    assert_eq!(flow.cookie, 0x9a8d_3e2f_11c0_ffee);
    assert_eq!(flow.table, TableRef::Number(201));
    assert_eq!(
        (flow.idle_timeout, flow.hard_timeout, flow.importance),
        (60, 61, 5)
    );
    assert_eq!(flow.flags, FlowFlags::SEND_FLOW_REM | FlowFlags::RESET_COUNTS);
    assert_eq!(flow.stats.duration, Some(Duration::from_millis(315_546)));
    assert_eq!((flow.stats.n_packets, flow.stats.n_bytes), (Some(7), None));
    assert_eq!((flow.stats.idle_age, flow.stats.hard_age), (Some(315), Some(9)));
    assert_eq!(flow.priority, 6);
    assert_eq!(flow.actions, [Action::Drop]);
}

#[test]
fn a_flow_without_match_has_the_default_priority_in_every_dialect() {
    for line in [
        " cookie=0x0, duration=1.5s, table=4, n_packets=3, n_bytes=0, actions=NORMAL",
        " table=4, actions=NORMAL",
        "table_id=4, duration=316s, n_packets=0, n_bytes=0, ,actions=NORMAL",
        "\x1b[33m\x1b[Ktable=\x1b[m\x1b[K4, \x1b[1;31m\x1b[Kactions=\x1b[m\x1b[K\x1b[35mNORMAL\x1b[m",
    ] {
        let flow = flow(line);
        assert_eq!(flow.table, TableRef::Number(4), "{line}");
        assert_eq!(flow.priority, ofp_codec::DEFAULT_PRIORITY);
        assert_eq!(flow.matches.0, []);
        assert_eq!(flow.actions, [Action::Output(Port::NORMAL.into())]);
    }
}

#[test]
fn the_connection_state_is_bits_and_a_mask_or_exact() {
    let state = |text: &str| flow(&format!("ct_state={text} actions=")).matches;
    assert_eq!(state("+trk-new").masked(Field::CtState), Some((0x20, 0x21)));
    assert_eq!(state("new|trk").exact(Field::CtState), Some(0x21));
    assert_eq!(state("0").exact(Field::CtState), Some(0));
    for text in ["-new+trk", "new|trk", "0"] {
        assert_eq!(state(text).to_string(), format!("ct_state={text}"));
    }
}

#[test]
fn ports_are_those_of_the_protocol_that_the_match_names() {
    for (line, field) in [
        ("tcp,tp_src=5 actions=", Field::TcpSrc),
        ("udp6,tp_src=5 actions=", Field::UdpSrc),
        ("sctp,tp_dst=5 actions=", Field::SctpDst),
        ("tp_dst=5,ip,nw_proto=17 actions=", Field::UdpDst),
        ("icmp,icmp_type=5 actions=", Field::IcmpType),
        ("icmp6,icmp_code=5 actions=", Field::Icmpv6Code),
        ("tp_src=5 actions=", Field::TcpSrc),
    ] {
        assert_eq!(flow(line).matches.exact(field), Some(5), "{line}");
    }
}

#[test]
fn names_with_commas_spaces_and_words_of_the_language_are_names() {
    let flow = flow(r#"in_port="a actions=b, c",ip actions=output:"x,y)",resubmit("p q","t,1")"#);
    assert_eq!(
        flow.matches.in_port(),
        Some(PortRef::Name("a actions=b, c".into()))
    );
    let resubmit = Action::Resubmit {
        port: Some(PortRef::Name("p q".into())),
        table: Some(TableRef::Name("t,1".into())),
        ct: false,
    };
    assert_eq!(
        flow.actions,
        [Action::Output(PortRef::Name("x,y)".into())), resubmit]
    );
}

#[test]
fn what_is_unknown_is_kept_byte_for_byte() {
    let flow = flow(
        "cookie=0x1, new_stat=5, new_flag table=3, a_field=(1,2),flag,b=\"x, y\" actions=new(a,(b)->c),x:1->y[],new",
    );
    let unknown = |key: &str, value: Option<&str>| Unknown {
        key: key.into(),
        value: value.map(Into::into),
    };
    assert_eq!(
        flow.unknown,
        [unknown("new_stat", Some("5")), unknown("new_flag", None)]
    );
    assert_eq!(flow.table, TableRef::Number(3));
    assert_eq!(
        flow.matches.0,
        [
            ("a_field", Some("(1,2)")),
            ("flag", None),
            ("b", Some("\"x, y\""))
        ]
        .map(|(key, value)| MatchEntry::Unknown(unknown(key, value))),
    );
    assert_eq!(
        flow.matches.unknown("a_field").unwrap().value.as_deref(),
        Some("(1,2)")
    );
    let texts: Vec<_> = flow.actions.iter().map(ToString::to_string).collect();
    assert_eq!(texts, ["new(a,(b)->c)", "x:1->y[]", "new"]);
    assert!(
        flow.actions
            .iter()
            .all(|action| matches!(action, Action::Unknown { .. }))
    );
    assert_eq!(flow.actions[1].name(), "x");
}

#[test]
fn every_form_of_an_output_is_one() {
    let output = |port: Port| Action::Output(port.into());
    assert_eq!(
        actions("output:3,3,LOCAL,local,output:LOCAL"),
        [
            output(Port(3)),
            output(Port(3)),
            output(Port::LOCAL),
            output(Port::LOCAL),
            output(Port::LOCAL),
        ]
    );
    assert_eq!(
        actions("output:65534,in_port,output:eth0,\"a b\""),
        [
            output(Port::LOCAL),
            output(Port::IN_PORT),
            Action::Output(PortRef::Name("eth0".into())),
            Action::Output(PortRef::Name("a b".into())),
        ]
    );
    let controller = |max_len| Action::Controller { max_len };
    assert_eq!(
        actions("CONTROLLER:128,CONTROLLER,output:CONTROLLER"),
        [controller(128), controller(65535), controller(65535),]
    );
    assert_eq!(
        actions("controller(max_len=5),controller"),
        [controller(5), controller(65535)]
    );
}

#[test]
fn every_typed_action_is_typed_and_prints_back() {
    let addr = EthAddr([2, 0, 0, 0, 0, 1]);
    let load = |field, bits: &str| match &actions(&format!("load:1->{field}{bits}"))[..] {
        [Action::Load { dst, .. }] => dst.clone(),
        other => panic!("{other:?}"),
    };
    let set = |field, value, mask| Action::SetField {
        field,
        value: Value::Number(value),
        mask,
    };
    for (text, action) in [
        ("drop", Action::Drop),
        ("strip_vlan", Action::StripVlan),
        ("pop_vlan", Action::PopVlan),
        ("push_vlan:0x8100", Action::PushVlan(0x8100)),
        ("mod_vlan_vid:1", Action::ModVlanVid(1)),
        ("mod_vlan_pcp:2", Action::ModVlanPcp(2)),
        ("set_vlan_vid:3", Action::SetVlanVid(3)),
        ("set_vlan_pcp:4", Action::SetVlanPcp(4)),
        ("mod_dl_src:02:00:00:00:00:01", Action::ModDlSrc(addr)),
        ("mod_dl_dst:02:00:00:00:00:01", Action::ModDlDst(addr)),
        ("set_field:0x1/0xf->reg1", set(Field::Reg1, 1, Some(0xf))),
        ("set_field:4097->vlan_vid", set(Field::VlanVid, 4097, None)),
        (
            "set_field:1.2.3.0/24->tun_dst",
            set(Field::TunDst, 0x0102_0300, Some(0xffff_ff00)),
        ),
        ("set_field:::1->ipv6_dst", set(Field::Ipv6Dst, 1, None)),
        ("set_field:ANY->reg0", set(Field::Reg0, 0, Some(0))),
        ("set_field:2->nw_ecn", set(Field::NwEcn, 2, None)),
        (
            "load:0->NXM_NX_REG5[]",
            Action::Load {
                value: 0,
                dst: load("NXM_NX_REG5", "[]"),
            },
        ),
        (
            "load:0x1->NEW[3..9]",
            Action::Load {
                value: 1,
                dst: load("NEW", "[3..9]"),
            },
        ),
        ("set_tunnel:0x7", Action::SetTunnel(7)),
        ("set_tunnel64:0x500000000", Action::SetTunnel64(0x5_0000_0000)),
        (
            "resubmit:4",
            Action::Resubmit {
                port: Some(Port(4).into()),
                table: None,
                ct: false,
            },
        ),
        (
            "resubmit(LOCAL,7)",
            Action::Resubmit {
                port: Some(Port::LOCAL.into()),
                table: Some(7.into()),
                ct: false,
            },
        ),
        (
            "resubmit(,8,ct)",
            Action::Resubmit {
                port: None,
                table: Some(8.into()),
                ct: true,
            },
        ),
        ("goto_table:7", Action::GotoTable(7.into())),
        ("group:5", Action::Group(5)),
    ] {
        assert_eq!(actions(text), [action], "{text}");
        assert_eq!(actions(text)[0].to_string(), text);
    }
}

#[test]
fn every_action_that_open_vswitch_prints_is_typed_and_prints_back() {
    for text in EVERY_ACTION {
        let found = actions(text);
        assert_eq!(found.len(), 1, "{text}");
        assert!(!matches!(found[0], Action::Unknown { .. }), "{text}");
        assert_eq!(found[0].to_string(), *text);
        assert_eq!(text.split([':', '(']).next(), Some(found[0].name()), "{text}");
    }
}

#[test]
fn a_nested_action_is_typed_and_what_is_unknown_in_it_is_kept() {
    let [Action::Ct(ct)] = &actions(
        "ct(commit,zone=reg0[0..15],nat(src=[fe80::1]-[fe80::9]:1-9,hash),exec(new:1,load:0x1->NXM_NX_CT_MARK[]),alg=ftp)",
    )[..] else {
        panic!()
    };
    assert!(ct.commit && !ct.force);
    let Some(NumberOrSubfield::Subfield(zone)) = &ct.zone else {
        panic!()
    };
    assert_eq!((zone.field(), zone.bits()), (Some(Field::Reg0), Some((0, 15))));
    let nat = ct.nat.as_ref().unwrap();
    assert_eq!(nat.side, Some(NatSide::Src));
    assert_eq!(nat.min_addr, Some("fe80::1".parse().unwrap()));
    assert_eq!((nat.min_port, nat.max_port, nat.hash), (Some(1), Some(9), true));
    assert_eq!((ct.alg, ct.exec.len()), (21, 2));
    assert_eq!(ct.exec[0].to_string(), "new:1");

    let [Action::Learn(learn)] = &actions(
        "learn(table=7 hard_timeout=300,NXM_OF_VLAN_TCI[0..11],eth_type=0x800,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],load:0->NXM_OF_VLAN_TCI[],output:in_port)",
    )[..] else {
        panic!()
    };
    assert_eq!((&learn.table, learn.hard_timeout), (&TableRef::Number(7), 300));
    assert!(matches!(
        &learn.specs[0],
        LearnSpec::MatchPacket { src: None, .. }
    ));
    assert!(matches!(
        &learn.specs[1],
        LearnSpec::MatchField {
            field: Field::EthType,
            ..
        }
    ));
    assert!(matches!(
        &learn.specs[2],
        LearnSpec::MatchPacket { src: Some(_), .. }
    ));
    assert!(matches!(&learn.specs[3], LearnSpec::LoadNumber { value: 0, .. }));
    assert!(matches!(&learn.specs[4], LearnSpec::Output(_)));
    assert_eq!(learn.specs.len(), 5);

    // An argument that is not known costs its action's type, and no text.
    for text in [
        "ct(commit,new=5)",
        "learn(table=1,new)",
        "bundle(new,0,hrw,ofport,members:1)",
        "encap(new)",
    ] {
        let found = actions(text);
        assert!(matches!(found[0], Action::Unknown { .. }), "{text}");
        assert_eq!(found[0].to_string(), text);
    }
}

#[test]
fn the_older_and_other_spellings_of_an_action_are_understood() {
    for (text, printed) in [
        ("enqueue(1,2),enqueue:1q2", "enqueue:1:2,enqueue:1:2"),
        ("enqueue:\"a:b\":2", "enqueue:\"a:b\":2"),
        ("set_nw_ttl:5,mod_nw_ttl(5)", "mod_nw_ttl:5,mod_nw_ttl:5"),
        ("dec_ttl(),decap", "dec_ttl(),decap()"),
        (
            "bundle(eth_src,0,hrw,ofport,slaves:1,2)",
            "bundle(eth_src,0,hrw,ofport,members:1,2)",
        ),
        ("move:reg0->reg1,push:reg2", "move:reg0[]->reg1[],push:reg2[]"),
        ("load:1->NXM_NX_REG0[0..31]", "load:0x1->NXM_NX_REG0[]"),
        ("set_mpls_label:5", "set_mpls_label(5)"),
        ("conjunction(-1, 1 / 2)", "conjunction(4294967295,1/2)"),
        ("note:0102.03", "note:01.02.03"),
        ("ct,ct()", "ct(),ct()"),
        (
            "ct(nat,exec(load:1->ct_mark),table=5,commit)",
            "ct(commit,table=5,nat,exec(load:0x1->ct_mark[]))",
        ),
        ("output(5),group(5)", "output:5,group:5"),
    ] {
        let found: Vec<_> = actions(text).iter().map(ToString::to_string).collect();
        assert_eq!(found.join(","), printed);
    }
}

#[test]
fn a_subfield_knows_its_field_under_every_name() {
    for (text, field, bits) in [
        ("NXM_NX_REG0[0..15]", Some(Field::Reg0), Some((0, 15))),
        ("reg0[8]", Some(Field::Reg0), Some((8, 8))),
        ("OXM_OF_ETH_SRC[]", Some(Field::EthSrc), Some((0, 47))),
        ("NEW_FIELD[1..2]", None, Some((1, 2))),
        ("NEW_FIELD[0..65535]", None, Some((0, 65535))),
        ("NEW_FIELD[]", None, None),
    ] {
        let Action::Load { dst, .. } = &actions(&format!("load:1->{text}"))[0] else {
            panic!()
        };
        assert_eq!((dst.field(), dst.bits()), (field, bits), "{text}");
        assert_eq!(dst.to_string(), text);
    }
    assert_eq!(Subfield::whole(Field::TunId).to_string(), "tun_id[]");
}

#[test]
fn a_flow_as_add_flow_takes_it_has_no_fixed_order() {
    let flow = flow("table=3 in_port=1,priority=5, ip,cookie=7,idle_timeout=9,actions=output:1, drop");
    assert_eq!((flow.priority, flow.cookie, flow.idle_timeout), (5, 7, 9));
    assert_eq!(flow.table, TableRef::Number(3));
    assert_eq!(flow.matches.to_string(), "in_port=1,ip");
    assert_eq!((flow.unknown, flow.actions.len()), (vec![], 2));
}

/// Lines that Python's `ovs.flow` (4.0.0 of PyPI, `OFPFlow(line)`) refuses with a `ParseError`.
const PEERS_FAIL: &[&str] = &[
    // The plainest flow there is.
    " cookie=0x0, duration=1.5s, table=0, n_packets=3, n_bytes=0, actions=NORMAL",
    " cookie=0x0, duration=1.5s, table=ingress, n_packets=?, n_bytes=?, importance=5, priority=1,ip actions=drop",
    " cookie=0x0, duration=1.5s, table=0, n_packets=3, n_bytes=0, send_flow_rem idle_age=4, priority=1 actions=drop",
    " cookie=0x0, duration=1s, table=0, n_packets=0, n_bytes=0, in_port=\"a, b\" actions=output:\"c,d\",output:\"e f\"",
    " table=3, tun_metadata0=NP,gtpu_flags=0x1,packet_type=(1,0x894f) actions=decap()",
    " table=3, tun_metadata0 actions=learn(table=1,load:0x5->NXM_NX_REG0[0..15])",
    "table_id=254, duration=315s, n_packets=0, n_bytes=0, recirc_id=0x1,actions=resubmit(,0)",
    "\u{1b}[36m\u{1b}[Kpriority=\u{1b}[m\u{1b}[K1 \u{1b}[31m\u{1b}[Kactions=\u{1b}[m\u{1b}[K\u{1b}[35mdrop\u{1b}[m",
    " table=0, ip actions=clone(clone(1)),ct(commit,exec(load:0x1->NXM_NX_CT_MARK[],nat(src=1.2.3.4)))",
    " table=0, actions=bundle(eth_src,0,hrw,ofport,members:),unroll_xlate(table=0, cookie=5)",
];

#[test]
fn lines_that_the_python_parser_refuses_are_typed_whole() {
    for line in PEERS_FAIL {
        let parsed = FlowRef::parse(line.as_bytes()).unwrap();
        assert_eq!(parsed.to_string(), *line);
        let flow = parsed.to_flow().unwrap_or_else(|error| panic!("{line}: {error}"));
        assert_eq!(flow.unknown, [], "{line}");
        assert!(!format!("{flow:?}").contains("Unknown"), "{line}");
    }
}

/// An action of every kind and form, as Open vSwitch prints it.
const EVERY_ACTION: &[&str] = &[
    "output:NXM_NX_REG0[16..31]",
    "output(port=1,max_len=100)",
    "controller(id=7)",
    "controller(reason=no_match,max_len=128,id=5,userdata=01.02.ff,pause,meter_id=9)",
    "controller(reason=)",
    "enqueue:3:1",
    "bundle(eth_src,50,active_backup,ofport,members:1,2)",
    "bundle(symmetric_l3l4+udp,0,hrw,ofport,members:)",
    "bundle_load(eth_src,0,hrw,ofport,NXM_NX_REG0[],members:\"a, b\",4)",
    "multipath(nw_dst,50,iter_hash,12,7,NXM_NX_REG5[5..10])",
    "mod_nw_src:10.0.0.1",
    "mod_nw_dst:10.0.0.2",
    "mod_nw_tos:4",
    "mod_nw_ecn:3",
    "mod_nw_ttl:64",
    "mod_tp_src:80",
    "mod_tp_dst:65535",
    "move:NXM_NX_REG0[0..15]->NXM_OF_VLAN_TCI[]",
    "push:NXM_NX_REG0[3]",
    "pop:NXM_NX_XXREG0[0..126]",
    "dec_ttl",
    "dec_ttl(1,2)",
    "set_mpls_label(1048575)",
    "set_mpls_tc(7)",
    "set_mpls_ttl(64)",
    "dec_mpls_ttl",
    "push_mpls:0x8847",
    "pop_mpls:0x0800",
    "encap(ethernet)",
    "encap(mpls)",
    "encap(mpls_mc)",
    "encap(nsh)",
    "encap(nsh(md_type=2,tlv(0x1000,10,0x12345678),tlv(0x0020,1,0)))",
    "decap()",
    "decap(packet_type(ns=1,type=0x800))",
    "dec_nsh_ttl",
    "delete_field:tun_metadata0",
    "set_queue:4294967295",
    "pop_queue",
    "fin_timeout(idle_timeout=10,hard_timeout=20)",
    "fin_timeout()",
    "learn(table=1)",
    "learn(table=\"a table\",idle_timeout=1,hard_timeout=2,fin_idle_timeout=3,fin_hard_timeout=4,priority=5,\
     send_flow_rem,delete_learned,cookie=0x6,limit=7,result_dst=NXM_NX_REG0[8],NXM_OF_VLAN_TCI[0..11],\
     NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],eth_type=0x800,ip_src=10.0.0.1,in_port=LOCAL,NXM_NX_REG1[0..7]=0x5,\
     load:0x5->NXM_NX_REG0[0..15],load:NXM_OF_IN_PORT[]->NXM_NX_REG0[16..31],output:NXM_OF_IN_PORT[])",
    "conjunction(1,2/3)",
    "note:01.02.03.04.05.06",
    "exit",
    "sample(probability=65535,collector_set_id=1,obs_domain_id=2,obs_point_id=NXM_NX_REG0[],sampling_port=LOCAL,egress)",
    "sample(probability=1,collector_set_id=0,obs_domain_id=0,obs_point_id=0,ingress)",
    "ct()",
    "ct(commit,force,table=7,zone=5,nat(src=10.0.0.1-10.0.0.9:1024-2048,persistent,hash),\
     exec(set_field:0x1->ct_mark),alg=tftp)",
    "ct(zone=NXM_NX_REG0[0..15],nat(dst=fe80::1),alg=99)",
    "ct(nat(src=[fe80::1]-[fe80::9]:5))",
    "ct(nat(src,random))",
    "ct(nat)",
    "nat(dst=10.0.0.1)",
    "ct_clear",
    "clone(push_vlan:0x8100,clone(output:1,drop),output:\"a)b\")",
    "check_pkt_larger(1500)->NXM_NX_REG0[0]",
    "meter:3",
    "clear_actions",
    "write_actions(group:5,output:1)",
    "write_metadata:0x1/0xf",
    "write_metadata:0",
    "unroll_xlate(table=0, cookie=5)",
    "debug_recirc",
    "debug_slow",
];

#[test]
fn the_name_of_a_port_wins_over_that_of_a_field() {
    for text in ["in_port", "output:in_port", "output:IN_PORT", "IN_PORT"] {
        let flow = FlowRef::parse(format!("actions={text}").as_bytes())
            .unwrap()
            .to_flow()
            .unwrap();
        assert_eq!(flow.actions, [Action::Output(Port::IN_PORT.into())], "{text}");
    }
    let flow = FlowRef::parse(b"actions=output:in_port[]")
        .unwrap()
        .to_flow()
        .unwrap();
    assert!(matches!(flow.actions[..], [Action::OutputReg(_)]));
}

#[test]
fn more_than_64_bits_are_loaded_as_open_vswitch_loads_them() {
    let text = b"actions=load:0x0123456789abcdeffedcba9876543210->NXM_NX_XXREG1[]";
    let flow = FlowRef::parse(text).unwrap().to_flow().unwrap();
    let print = |version| {
        let actions = flow.canonical(version).actions;
        actions
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(",")
    };
    // `ovs-ofctl -O OpenFlow15 parse-flow`; in 1.3 it has two words for it.
    assert_eq!(
        print(Version::V1_5),
        "set_field:0x123456789abcdeffedcba9876543210->xxreg1"
    );
    let words = b"actions=load:0xfedcba9876543210->NXM_NX_XXREG1[0..63],load:0x123456789abcdef->NXM_NX_XXREG1[64..127]";
    assert_eq!(
        flow.normal(),
        FlowRef::parse(words).unwrap().to_flow().unwrap().normal()
    );
    let narrow = b"actions=load:0x0123456789abcdeffedcba9876543210->NXM_NX_XREG1[]";
    assert!(FlowRef::parse(narrow).unwrap().to_flow().is_err());
}
