//! What changed between two dumps.

use std::{fs, path::PathBuf};

use ofp_codec::{
    Action, Ct, Flow, Names, Nat, NatSide, Port, Version,
    diff::{Change, compare, diff, sort},
    text::{FlowRef, items},
};

pub(crate) fn flows(dump: &[u8]) -> Vec<Flow> {
    items(dump).flows().collect::<Result<_, _>>().unwrap()
}

fn file(path: &str) -> Vec<Flow> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/vectors")
        .join(path);
    flows(&fs::read(path).unwrap())
}

fn line(line: &str) -> Flow {
    FlowRef::parse(line.as_bytes()).unwrap().to_flow().unwrap()
}

/// How many flows came, went and changed.
pub(crate) fn counts(before: &[Flow], after: &[Flow]) -> [usize; 3] {
    let mut counts = [0; 3];
    for change in diff(before, after) {
        counts[match change {
            Change::Added(_) => 0,
            Change::Removed(_) => 1,
            _ => 2,
        }] += 1;
    }
    counts
}

#[test]
fn a_port_that_is_protected_and_unbound_adds_6_flows_and_takes_5_and_1_away() {
    let dumps = [
        "1-bound.txt",
        "2-protected.txt",
        "3-unbinding.txt",
        "4-unbound.txt",
        "5-unbound.of10.txt",
    ]
    .map(|name| file(&format!("tap-port/{name}")));
    let steps: Vec<_> = dumps.windows(2).map(|pair| counts(&pair[0], &pair[1])).collect();
    assert_eq!(steps, [[6, 0, 0], [0, 5, 0], [0, 1, 0], [0, 0, 0]]);
    assert_eq!(counts(&dumps[0], &dumps[4]), [0, 0, 0]);

    let added: Vec<_> = diff(&dumps[0], &dumps[1])
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        added,
        [
            "+cookie=0x6b1f4c0d2a7e9351, table=0, priority=10,arp,in_port=3 actions=resubmit(,24)",
            "+cookie=0x6b1f4c0d2a7e9351, table=0, priority=10,icmp6,in_port=3,icmp_type=136 actions=resubmit(,24)",
            "+cookie=0x6b1f4c0d2a7e9351, table=0, priority=9,in_port=3 actions=resubmit(,25)",
            "+cookie=0x6b1f4c0d2a7e9351, table=24, priority=2,arp,in_port=3,arp_spa=10.20.0.14 actions=resubmit(,25)",
            "+cookie=0x6b1f4c0d2a7e9351, table=24, priority=2,icmp6,in_port=3,icmp_type=136,\
             nd_target=fe80::f816:3eff:fe4a:19c5 actions=resubmit(,60)",
            "+cookie=0x6b1f4c0d2a7e9351, table=25, priority=2,in_port=3,dl_src=fa:16:3e:4a:19:c5 actions=resubmit(,60)",
        ]
    );
}

#[test]
fn dumps_of_one_bridge_are_equal_in_every_version_and_with_every_option() {
    // The client could not print all flows of OpenFlow 1.0 and 1.1; these are of one version each.
    for (bridge, first, others) in [
        (
            "br-int",
            "of13",
            &["of13.nostats", "of14", "of15", "color", "timestamp", "of10"][..],
        ),
        ("br-ovn", "of13", &["of13.nostats", "of15", "of10"][..]),
    ] {
        let first = file(&format!("dumps/{bridge}.{first}.txt"));
        for other in others {
            let other_flows = file(&format!("dumps/{bridge}.{other}.txt"));
            let changes = diff(&first, &other_flows);
            let lines: Vec<_> = changes.iter().map(ToString::to_string).collect();
            assert_eq!(lines, [""; 0], "{bridge} {other}");
        }
    }
}

#[test]
fn another_cookie_timeout_or_action_is_a_change_and_another_statistic_is_not() {
    let flow = line("cookie=0x1, duration=1s, n_packets=5, idle_timeout=9, ip actions=drop");
    let with = |text: &str| counts(std::slice::from_ref(&flow), &[line(text)]);
    assert_eq!(
        with("cookie=0x1, n_packets=6, idle_timeout=9, ip actions=drop"),
        [0, 0, 0]
    );
    assert_eq!(
        with("cookie=0x1, idle_timeout=9, dl_type=0x800 actions="),
        [0, 0, 0]
    );
    assert_eq!(with("cookie=0x2, idle_timeout=9, ip actions=drop"), [0, 0, 1]);
    assert_eq!(with("cookie=0x1, idle_timeout=8, ip actions=drop"), [0, 0, 1]);
    assert_eq!(with("cookie=0x1, idle_timeout=9, ip actions=1"), [0, 0, 1]);
    assert_eq!(with("cookie=0x1, idle_timeout=9, tcp actions=drop"), [1, 1, 0]);
    assert_eq!(with("table=1, ip actions=drop"), [1, 1, 0]);
}

#[test]
fn what_is_said_in_several_ways_is_one() {
    for (one, other) in [
        (
            "actions=load:0x1->NXM_NX_REG0[0..3],load:0x2->NXM_NX_REG0[4..7]",
            "actions=set_field:0x21/0xff->reg0",
        ),
        (
            "actions=set_field:0x100000002->xreg1",
            "actions=set_field:2->reg3,set_field:1->reg2",
        ),
        (
            "actions=load:0x1->NXM_NX_XXREG0[64..127],load:0x2->NXM_NX_XXREG0[0..63]",
            "actions=set_field:0x10000000000000002->xxreg0",
        ),
        ("actions=enqueue:3:1", "actions=set_queue:1,output:3,pop_queue"),
        (
            "ip actions=mod_nw_tos:4,mod_nw_ttl:9",
            "ip actions=load:9->NXM_NX_IP_TTL[],set_field:1->ip_dscp",
        ),
        ("udp actions=mod_tp_src:5", "udp actions=set_field:5->udp_src"),
        (
            "actions=mod_vlan_vid:5,mod_vlan_pcp:1",
            "actions=push_vlan:0x8100,set_field:4101->vlan_vid,set_field:1->vlan_pcp",
        ),
        (
            "dl_vlan=9 actions=mod_vlan_vid:5",
            "vlan_tci=0x1009/0x1fff actions=set_field:4101->vlan_vid",
        ),
        ("actions=set_tunnel:5", "actions=load:5->NXM_NX_TUN_ID[]"),
        (
            "xreg0=0x1/0x1 actions=goto_table:5",
            "reg1=0x1/0x1 actions=resubmit(,5)",
        ),
        (
            "nw_dst=10.1.1.1/255.0.0.0,ip actions=1",
            "ip,nw_dst=10.0.0.0/8 actions=output:1",
        ),
        (
            "tcp,tcp_dst=80 actions=1",
            "dl_type=0x0800,nw_proto=6,tp_dst=80/0xffff actions=1",
        ),
        (
            "actions=clone(ct(commit,exec(load:1->NXM_NX_CT_MARK[])))",
            "actions=clone(ct(commit,exec(set_field:1->ct_mark)))",
        ),
    ] {
        assert_eq!(
            counts(&[line(one)], &[line(other)]),
            [0, 0, 0],
            "{one} and {other}"
        );
    }
    for (one, other) in [
        ("actions=set_field:1->reg0,2", "actions=2,set_field:1->reg0"),
        (
            "actions=load:1->NXM_NX_REG0[0..3]",
            "actions=load:1->NXM_NX_REG0[0..4]",
        ),
        ("actions=strip_vlan,mod_vlan_vid:5", "actions=mod_vlan_vid:5"),
        (
            "actions=write_actions(1),goto_table:5",
            "actions=write_actions(1),resubmit(,5)",
        ),
    ] {
        assert_eq!(
            counts(&[line(one)], &[line(other)]),
            [0, 0, 1],
            "{one} and {other}"
        );
    }
}

#[test]
fn names_become_the_numbers_that_are_known_wherever_they_stand() {
    let mut names = Names::default();
    names.ports.insert("a, b".into(), Port(3));
    names.tables.insert("ingress".into(), 7);
    let mut named = line(
        "table=ingress, in_port=\"a, b\" actions=output:\"a, b\",enqueue:\"a, b\":1,output(port=\"a, b\",max_len=99),\
         set_field:\"a, b\"->in_port,resubmit(\"a, b\",ingress),bundle(eth_src,0,hrw,ofport,members:\"a, b\",other),\
         sample(probability=1,sampling_port=\"a, b\"),learn(table=ingress,in_port=\"a, b\"),ct(table=ingress),\
         clone(\"a, b\"),write_actions(\"a, b\"),goto_table:ingress",
    );
    let numbered = line(
        "table=7, in_port=3 actions=output:3,enqueue:3:1,output(port=3,max_len=99),\
         set_field:3->in_port,resubmit(3,7),bundle(eth_src,0,hrw,ofport,members:3,other),\
         sample(probability=1,sampling_port=3),learn(table=7,in_port=3),ct(table=7),\
         clone(3),write_actions(3),goto_table:7",
    );
    named.resolve(&names);
    assert_eq!(named, numbered);
}

#[test]
fn sorting_is_by_table_then_priority_then_match() {
    let mut flows = [
        "table=1, priority=5,in_port=2 actions=1",
        "table=0, priority=5,ip actions=1",
        "table=1, priority=7 actions=1",
        "table=1, priority=5,in_port=1 actions=1",
        "table=10, actions=1",
    ]
    .map(line);
    sort(&mut flows);
    let order: Vec<_> = flows
        .iter()
        .map(|flow| format!("{} {} {}", flow.table, flow.priority, flow.matches))
        .collect();
    assert_eq!(
        order,
        ["0 5 ip", "1 7 ", "1 5 in_port=1", "1 5 in_port=2", "10 32768 "]
    );
}

/// `real-inport-of13` and `-of15`: a flow of OVN as one switch prints it in two versions; the others are of another switch.
#[test]
fn a_reserved_port_that_is_loaded_is_one_value_in_every_version() {
    let of13 = "table=64, priority=100,reg10=0x1/0x1,reg15=0x1,metadata=0x4 \
                actions=push:NXM_OF_IN_PORT[],load:0xffff->NXM_OF_IN_PORT[],resubmit(,65),pop:NXM_OF_IN_PORT[]";
    let of15 = of13.replace("load:0xffff->NXM_OF_IN_PORT[]", "set_field:ANY->in_port");
    assert_eq!(counts(&[line(of13)], &[line(&of15)]), [0, 0, 0]);
    let local = of13.replace("0xffff", "0xfffe");
    assert_eq!(counts(&[line(&local)], &[line(&of15)]), [0, 0, 1]);
}

/// What `ovs-ofctl -O OpenFlow15 parse-flow` and `-O OpenFlow13` print.
#[test]
fn ports_that_are_set_print_as_ovs_ofctl_prints_them() {
    for (actions, of13, of15) in [
        (
            "load:0xffff->NXM_OF_IN_PORT[]",
            "load:0xffff->NXM_OF_IN_PORT[]",
            "set_field:ANY->in_port",
        ),
        (
            "load:0xfffd->NXM_OF_IN_PORT[]",
            "load:0xfffd->NXM_OF_IN_PORT[]",
            "set_field:CONTROLLER->in_port",
        ),
        (
            "load:0->NXM_OF_IN_PORT[]",
            "load:0->NXM_OF_IN_PORT[]",
            "set_field:0->in_port",
        ),
        (
            "load:0xff00->NXM_OF_IN_PORT[]",
            "load:0xff00->NXM_OF_IN_PORT[]",
            "set_field:65280->in_port",
        ),
        (
            "load:1->NXM_OF_IN_PORT[0..3]",
            "load:0x1->NXM_OF_IN_PORT[0..3]",
            "set_field:1/0xf->in_port",
        ),
        (
            "set_field:LOCAL->in_port",
            "set_field:LOCAL->in_port",
            "set_field:LOCAL->in_port",
        ),
        (
            "set_field:65535->in_port",
            "set_field:ANY->in_port",
            "set_field:ANY->in_port",
        ),
    ] {
        let flow = line(&format!("actions={actions}"));
        let print = |version| flow.canonical(version).actions[0].to_string();
        assert_eq!(
            (print(Version::V1_3), print(Version::V1_5)),
            (of13.into(), of15.into()),
            "{actions}"
        );
        if actions.starts_with("set_field:LOCAL") {
            assert_eq!(print(Version::V1_0), "load:0xfffe->NXM_OF_IN_PORT[]");
        }
    }
}

/// `ovs-ofctl diff-flows` reports each pair, of which both print alike.
#[test]
fn fields_and_masks_that_are_not_printed_differ() {
    for (one, other) in [
        ("dl_type=0x894f,nsh_c1=1", "dl_type=0x894f,nsh_c1=2"),
        ("tun_erspan_idx=1", "tun_erspan_idx=2"),
        ("tun_gbp_flags=1/1", "tun_gbp_flags=1/3"),
        ("tun_gtpu_flags=1", "tun_gtpu_flags=1/1"),
        ("tun_erspan_dir=1", "tun_erspan_ver=2"),
    ] {
        let flows = [one, other].map(|text| line(&format!("priority=1,{text} actions=drop")));
        assert_eq!(counts(&flows[..1], &flows[1..]), [1, 1, 0], "{one} and {other}");
        assert_eq!(counts(&flows[..1], &flows), [1, 0, 0], "{one} and {other}");
    }
    // As typed values: no print shows the flags of an address translation without an address.
    let nat = |random| Flow {
        actions: vec![Action::Ct(Box::new(Ct {
            commit: true,
            nat: Some(Nat {
                side: Some(NatSide::Src),
                random,
                ..Nat::default()
            }),
            ..Ct::default()
        }))],
        ..Flow::default()
    };
    assert_eq!(counts(&[nat(true)], &[nat(false)]), [0, 0, 1]);
}

#[test]
fn a_flow_that_prints_as_another_one_is_counted_and_named() {
    let printed =
        "cookie=0x0, duration=9s, table=0, n_packets=0, n_bytes=0, priority=1,dl_type=0x894f actions=drop";
    let (before, after) = ([line(printed)], [line(printed), line(printed)]);
    let found = compare(&before, &after);
    assert!(matches!(found.changes[..], [Change::Added(_)]));
    assert_eq!((found.alike[0].before.len(), found.alike[0].after.len()), (1, 2));
    let same = compare(&after, &after);
    assert_eq!((same.changes.len(), same.alike.len()), (0, 1));
    // In a file for `add-flows` the later one replaces the other.
    let written = ["priority=1,ip actions=1", "priority=1,ip actions=2"].map(line);
    assert_eq!(counts(&written, &written[1..]), [0, 0, 0]);
}

/// `bridge-of13` and `bridge-appctl`: the flows of one bridge; of those of table 254 only one of the two knows.
#[test]
fn what_bridge_dump_flows_does_not_print_is_no_change() {
    let of13 = flows(
        b"OFPST_FLOW reply (OF1.3) (xid=0x2):\n cookie=0x5, duration=0.005s, table=3, n_packets=0, n_bytes=0, \
          idle_timeout=60, send_flow_rem priority=8,arp actions=output:2\n cookie=0x5, duration=0.023s, table=3, \
          n_packets=0, n_bytes=0, priority=7,ip,nw_src=10.0.0.1 actions=output:2\n",
    );
    let bridge = |cookie: &str, port: u8| {
        let text = format!(
            "{cookie}table_id=3, duration=0s, n_packets=0, n_bytes=0, priority=8,arp,actions=output:{port}\n\
             {cookie}table_id=3, duration=0s, n_packets=0, n_bytes=0, priority=7,ip,nw_src=10.0.0.1,actions=output:2\n\
             table_id=254, duration=608s, n_packets=0, n_bytes=0, priority=0,reg0=0x3,actions=drop\n"
        );
        flows(text.as_bytes())
    };
    let (without, with) = (bridge("", 2), bridge("cookie=0x5, ", 2));
    let found = compare(&of13, &without);
    assert_eq!(found.changes, []);
    assert!(found.unsaid.cookie && found.unsaid.settings);
    assert_eq!(found.hidden.len(), 1);
    let found = compare(&with, &of13);
    assert_eq!(
        (found.changes.len(), found.unsaid.cookie, found.hidden.len()),
        (0, false, 1)
    );
    assert_eq!(counts(&of13, &bridge("cookie=0x6, ", 2)), [0, 0, 2]);
    assert_eq!(counts(&of13, &bridge("", 3)), [0, 0, 1]);
    assert_eq!(counts(&without, &without[..2]), [0, 1, 0]);
    assert_eq!(compare(&without, &with).changes, []);
}
