//! What the parts of a line become.

use std::time::Duration;

use ofp_codec::{
    Action, EthAddr, Field, Flow, FlowFlags, MatchEntry, Port, PortRef, Subfield, TableRef, Unknown, Value,
    text::FlowRef,
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
    for unknown in [
        "output:NXM_NX_REG0[16..31]",
        "output(port=1,max_len=100)",
        "controller(id=7)",
    ] {
        let found = actions(unknown);
        assert!(matches!(&found[..], [Action::Unknown { .. }]), "{found:?}");
        assert_eq!(found[0].to_string(), unknown);
    }
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
