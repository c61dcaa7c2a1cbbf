//! What changed between releases, on the one that runs.

use odp_actions::xlate::{
    Bridge, BridgePort, Change, FlowAction, Interface, Mirror, MirrorOutput, OvsVersion, Packet, Peer, Port,
    Prediction, Rules, VlanMode, Xlate,
};
use odp_actions::{KernelRule, Limits, Verdict};
use testbed::{Switch, or_skip};

use crate::trace::{numbers, pairs, traced, version};

#[test]
fn mirrors_copy_changed_packets_as_the_release_does() {
    let Some(switch) = or_skip(Switch::start()) else {
        return;
    };
    add_bridge(&switch, "b");
    for port in ["in", "out", "copies"] {
        switch.add_port("b", port, &["type=dummy"]).unwrap();
    }
    let options = "remote_ip=10.0.0.1,key=flow";
    add_tunnel(&switch, "b", "vx", options);
    let place = |name| format!("--id=@{name} get Port {name} -- ");
    let mirror = "--id=@m create Mirror name=m select_dst_port=@out,@vx output_port=@copies -- set Bridge b mirrors=@m";
    let args = ["out", "vx", "copies"].map(place).concat() + mirror;
    switch
        .vsctl(&args.split_whitespace().collect::<Vec<_>>())
        .unwrap();
    let map = "{class=0x102,type=0x80,len=4}->tun_metadata0";
    switch.ofctl(&["add-tlv-map", &switch.mgmt("b"), map]).unwrap();

    let show = switch.appctl(&["dpif/show"]).unwrap();
    let names = [
        ("b", "", ""),
        ("in", "", ""),
        ("out", "", ""),
        ("copies", "", ""),
        ("vx", "vxlan", options),
    ];
    let bridge = Bridge {
        ports: names
            .map(|(name, kind, options)| port(&show, name, kind, options))
            .into(),
        mirrors: [Mirror {
            sources: Vec::new(),
            destinations: [2, 4].into(),
            vlans: Vec::new(),
            output: MirrorOutput::Port(3),
            snaplen: None,
            has_filter: false,
        }]
        .into(),
        ..Bridge::default()
    };
    let [input, out, vx] = ["in", "out", "vx"].map(|name| numbers(&show, name).0);
    let field = FlowAction::Change(Change::Field);
    let cases = [
        ("OpenFlow10", "", None),
        ("OpenFlow10", "set_tunnel:9,", Some(FlowAction::SetTunnelId(9))),
        (
            "OpenFlow10",
            "load:9->NXM_NX_TUN_ID[],",
            Some(FlowAction::LoadTunnelId(9)),
        ),
        (
            "OpenFlow13",
            "set_field:9->tun_id,",
            Some(FlowAction::LoadTunnelId(9)),
        ),
        ("OpenFlow10", "mod_vlan_vid:5,", Some(FlowAction::SetVlanVid(5))),
        ("OpenFlow10", "strip_vlan,", Some(FlowAction::PopVlan)),
        ("OpenFlow10", "mod_dl_src:00:00:00:00:00:00,", Some(field)),
        (
            "OpenFlow13",
            "set_field:1->reg0,",
            Some(FlowAction::Change(Change::Register)),
        ),
        (
            "OpenFlow13",
            "set_field:1->metadata,",
            Some(FlowAction::Change(Change::Register)),
        ),
        (
            "OpenFlow13",
            "set_field:1->tun_metadata0,",
            Some(FlowAction::Change(Change::GeneveOption)),
        ),
    ];
    for (protocol, word, change) in cases {
        let flow = format!("actions=output:{out},{word}output:{vx}");
        switch
            .ofctl(&["-O", protocol, "add-flow", &switch.mgmt("b"), &flow])
            .unwrap();
        let mut theirs = traced(
            &switch,
            "b",
            &format!("in_port={input},arp,dl_dst=ff:ff:ff:ff:ff:ff"),
        );
        // VXLAN does not carry it.
        theirs = theirs.replace("geneve({class=0x102,type=0x80,len=4,0x1}),", "");
        let actions: Vec<_> = [
            Some(FlowAction::Output(out)),
            change,
            Some(FlowAction::Output(vx)),
        ]
        .into_iter()
        .flatten()
        .collect();
        let ours = predict(core::slice::from_ref(&bridge), version(), input, &actions);
        assert_eq!(exact(ours), theirs, "{flow}");
        let of_unknown = predict(
            core::slice::from_ref(&bridge),
            OvsVersion::UNKNOWN,
            input,
            &actions,
        );
        assert!(
            matches!(of_unknown, Prediction::Within { .. }),
            "{flow}: {of_unknown:?}"
        );
    }
}

#[test]
fn patch_ports_commit_as_the_release_does() {
    let Some(switch) = or_skip(Switch::start()) else {
        return;
    };
    add_bridge(&switch, "int");
    add_bridge(&switch, "tun");
    let access = ["vm1", "vm2"];
    let add = |port| {
        switch.vsctl(&[
            "add-port",
            "int",
            port,
            "tag=1",
            "--",
            "set",
            "Interface",
            port,
            "type=dummy",
        ])
    };
    add(access[0]).unwrap();
    switch
        .add_port("int", "to-tun", &["type=patch", "options:peer=to-int"])
        .unwrap();
    add(access[1]).unwrap();
    switch
        .add_port("tun", "to-int", &["type=patch", "options:peer=to-tun"])
        .unwrap();
    let options = ["1", "2"].map(|n| format!("remote_ip=10.0.0.{n},key=flow,local_ip=10.0.0.9"));
    for (name, options) in ["vx1", "vx2"].into_iter().zip(&options) {
        add_tunnel(&switch, "tun", name, options);
    }
    switch.add_port("tun", "tap", &["type=dummy"]).unwrap();

    let show = switch.appctl(&["dpif/show"]).unwrap();
    let ofport = |name: &str| -> u32 {
        let ofport = switch.vsctl(&["get", "Interface", name, "ofport"]).unwrap();
        ofport.trim().parse().unwrap()
    };
    let patch = |name: &str, bridge, peer: &str| {
        let peer = Peer {
            bridge,
            ofport: ofport(peer),
        };
        BridgePort::new(Interface {
            ofport: ofport(name),
            port: Ok(Port::Patch(peer)),
            floods: true,
        })
    };
    let tagged = |name: &str| BridgePort {
        vlan: VlanMode::Access(1),
        ..port(&show, name, "", "")
    };
    let bridge = |ports: Vec<BridgePort>| Bridge {
        ports,
        is_in_order: true,
        ..Bridge::default()
    };
    let int = bridge(
        [
            port(&show, "int", "", ""),
            tagged("vm1"),
            patch("to-tun", 1, "to-int"),
            tagged("vm2"),
        ]
        .into(),
    );
    let mut tun = bridge(
        [
            port(&show, "tun", "", ""),
            patch("to-int", 0, "to-tun"),
            port(&show, "vx1", "vxlan", &options[0]),
            port(&show, "vx2", "vxlan", &options[1]),
            port(&show, "tap", "", ""),
        ]
        .into(),
    );
    let outputs = [ofport("vx1"), ofport("vx2")];
    tun.actions = Some(
        [FlowAction::PopVlan, FlowAction::SetTunnelId(5)]
            .into_iter()
            .chain(outputs.map(FlowAction::Output))
            .collect(),
    );
    let flow = format!(
        "actions=strip_vlan,set_tunnel:0x5,output:{},output:{}",
        outputs[0], outputs[1]
    );
    switch.ofctl(&["add-flow", &switch.mgmt("tun"), &flow]).unwrap();
    let bridges = [int, tun];
    let (input, through, vm2) = (ofport("vm1"), ofport("to-tun"), ofport("vm2"));
    let tag = ("mod_vlan_vid:1".to_owned(), FlowAction::SetVlanVid(1));
    let strip = ("strip_vlan".to_owned(), FlowAction::PopVlan);
    let output = |ofport: u32| (format!("output:{ofport}"), FlowAction::Output(ofport));
    for list in [
        vec![("NORMAL".to_owned(), FlowAction::Normal)],
        vec![tag.clone(), output(through), strip.clone(), output(vm2)],
        vec![tag.clone(), output(through)],
        vec![tag.clone(), output(through), strip.clone()],
        vec![tag, output(vm2), output(through), output(vm2)],
    ] {
        let (words, actions): (Vec<_>, Vec<_>) = list.into_iter().unzip();
        let flow = format!("actions={}", words.join(","));
        switch.ofctl(&["add-flow", &switch.mgmt("int"), &flow]).unwrap();
        let theirs = traced(
            &switch,
            "int",
            &format!("in_port={input},arp,dl_dst=ff:ff:ff:ff:ff:ff"),
        );
        assert_eq!(
            exact(predict(&bridges, version(), input, &actions)),
            theirs,
            "{flow}"
        );
        // NORMAL does not tell the order of its outputs when it is read from a database.
        let mut bridges = bridges.clone();
        bridges[0].is_in_order = false;
        let ours = predict(&bridges, version(), input, &actions).bytes().unwrap();
        let theirs = theirs
            .parse::<odp_actions::Actions>()
            .unwrap()
            .encoded_len()
            .unwrap();
        assert!(
            (ours.least..=ours.most).contains(&theirs),
            "{flow}: {ours:?} {theirs}"
        );
    }
}

#[test]
fn outputs_in_a_clone_do_not_count() {
    let plain = |ofport| {
        BridgePort::new(Interface {
            ofport,
            port: Ok(Port::Plain { odp_port: ofport }),
            floods: true,
        })
    };
    let patch = |bridge| {
        let port = Ok(Port::Patch(Peer { bridge, ofport: 9 }));
        BridgePort::new(Interface {
            ofport: 9,
            port,
            floods: true,
        })
    };
    // A copy is cut in the bridge behind, so that all that it does stands in a clone.
    let mut behind = Bridge {
        ports: (10..1000).map(plain).chain([patch(0)]).collect(),
        ..Bridge::default()
    };
    behind.actions = Some((11..900).map(FlowAction::Output).collect());
    behind.mirrors.push(Mirror {
        sources: Vec::new(),
        destinations: [1].into(),
        vlans: Vec::new(),
        output: MirrorOutput::Port(0),
        snaplen: Some(100),
        has_filter: false,
    });
    let front = Bridge {
        ports: (10..200).map(plain).chain([patch(1)]).collect(),
        ..Bridge::default()
    };
    let bridges = [front, behind];
    let actions: Vec<_> = [9].into_iter().chain(11..150).map(FlowAction::Output).collect();
    let limits = Limits::new(1000, KernelRule::None);
    for (ovs, outputs, is_fast) in [("3.5.0", 890 + 139, false), ("4.0.0", 139, true)] {
        let Prediction::Exact(list) = predict(&bridges, ovs.parse().unwrap(), 10, &actions) else {
            panic!("{ovs}")
        };
        assert_eq!(list.output_count(), outputs, "{ovs}");
        assert_eq!(limits.verdict(&list).unwrap() == Verdict::Fast, is_fast, "{ovs}");
    }
    // At the end of the list the clone is counted as one, and then is none.
    let last = [actions[0], FlowAction::PopVlan];
    let Prediction::Within {
        sample,
        bytes,
        outputs,
    } = predict(&bridges, "4.0.0".parse().unwrap(), 10, &last)
    else {
        panic!()
    };
    assert_eq!((sample.output_count(), outputs.least, outputs.most), (890, 0, 0));
    assert!(bytes.is_exact());
}

/// Debian's 3.1.0 has two changes of 3.1.1, which both are in the megaflow.
#[test]
fn a_build_may_hold_more_than_its_number_says() {
    let Some(switch) = or_skip(Switch::start()) else {
        return;
    };
    let Ok(mut rules) = Rules::try_from(version()) else {
        panic!("{}", version())
    };
    add_bridge(&switch, "b");
    switch.add_port("b", "p", &["type=dummy"]).unwrap();
    let megaflow = |packet: &str| {
        let trace = switch.appctl(&["ofproto/trace", "b", packet]).unwrap();
        let megaflow = trace.lines().find_map(|line| line.strip_prefix("Megaflow: "));
        megaflow.unwrap_or_else(|| panic!("{trace}")).to_owned()
    };
    let add = |flow: &str| switch.ofctl(&["add-flow", &switch.mgmt("b"), flow]).unwrap();
    add("priority=1,ip,actions=mod_nw_dst:10.0.0.1,LOCAL");
    let of_protocol = megaflow("in_port=p,tcp,nw_dst=10.0.0.2");
    add("priority=9,icmp6,icmp_type=136,icmp_code=0,nd_target=fe80::1,actions=drop");
    let of_stage = megaflow("in_port=p,icmp6,icmpv6_type=136,icmpv6_code=0,nd_target=fe80::2");
    let seen = (of_protocol.contains("tcp"), of_stage.contains("nd_target"));
    let expected = (rules.ip_protocol_in_masks, rules.last_stage_in_masks);
    if version() == OvsVersion::new(3, 1).at_patch(0) {
        assert_eq!(expected, (false, false));
        rules.ip_protocol_in_masks = true;
        rules.last_stage_in_masks = true;
    }
    assert_eq!(
        seen,
        (rules.ip_protocol_in_masks, rules.last_stage_in_masks),
        "{of_protocol}\n{of_stage}"
    );
}

fn add_bridge(switch: &Switch, name: &str) {
    switch.add_bridge(name).unwrap();
    // Without this the dummy datapath encapsulates by itself, as the kernel's does not.
    switch
        .appctl(&["dpif/set-dp-features", name, "tnl_push_pop", "false"])
        .unwrap();
}

fn add_tunnel(switch: &Switch, bridge: &str, name: &str, options: &str) {
    let settings = pairs(options).map(|(option, value)| format!("options:{option}={value}"));
    let settings: Vec<_> = ["type=vxlan".to_owned()].into_iter().chain(settings).collect();
    let settings: Vec<_> = settings.iter().map(String::as_str).collect();
    switch.add_port(bridge, name, &settings).unwrap();
}

fn port(show: &str, name: &str, kind: &str, options: &str) -> BridgePort {
    let (ofport, odp_port) = numbers(show, name);
    let port = Port::of_interface(kind, odp_port, pairs(options));
    BridgePort::new(Interface {
        ofport,
        port,
        floods: true,
    })
}

fn predict(bridges: &[Bridge], ovs: OvsVersion, input: u32, actions: &[FlowAction]) -> Prediction {
    Prediction::under(ovs, |rules| {
        let xlate = Xlate::new(rules, Packet::default());
        let mut packet = Bridge::receive_among(bridges, 0, xlate, Some(input))?;
        packet.run(actions)?;
        Ok(packet.xlate.predict())
    })
}

fn exact(prediction: Prediction) -> String {
    match prediction {
        Prediction::Exact(actions) => actions.to_string(),
        other => panic!("{other:?}"),
    }
}
