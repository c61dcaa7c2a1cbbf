//! Random bridges: NORMAL, FLOOD, ALL and mirrors beside `ofproto/trace` of a real ovs-vswitchd.

use odp_actions::Actions;
use odp_actions::xlate::{
    BondMode, Bridge, BridgePort, Interface, Mirror, MirrorOutput, Packet, Port, Prediction, PriorityTags,
    Unpredictable, Vlan, VlanMode, Xlate,
};
use testbed::{Switch, or_skip};

use crate::random::Random;
use crate::trace::{numbers, pairs, traced, version};

const ROUNDS: usize = 12;

/// Type and options of an interface, tunnels without `remote_ip`.
const INTERFACES: [(&str, &str); 7] = [
    ("dummy", ""),
    ("dummy", ""),
    ("dummy", ""),
    ("internal", ""),
    ("vxlan", "key=flow"),
    ("vxlan", "key=flow,local_ip=10.0.0.9"),
    ("gre", "key=7"),
];

/// What comes in: VLAN id and priority, if there is a tag.
const TAGS: [Option<(u16, u8)>; 6] = [
    None,
    Some((5, 0)),
    Some((6, 0)),
    Some((5, 3)),
    Some((0, 3)),
    Some((0, 0)),
];

#[test]
fn random_bridges_forward_as_ofproto_trace_shows() {
    let Some(switch) = or_skip(Switch::start()) else {
        return;
    };
    let ovs = version(&switch);
    let mut random = Random::new();
    let (mut exact, mut within) = (0, 0);
    for round in 0..ROUNDS {
        let name = format!("b{round}");
        let mut bridge = make(&switch, &name, &mut random);
        let ofports: Vec<u32> = bridge
            .ports
            .iter()
            .flat_map(|port| &port.interfaces)
            .map(|interface| interface.ofport)
            .collect();
        for action in ["NORMAL", "FLOOD", "ALL", "outputs"] {
            let outputs: Vec<u32> = (0..5).map(|_| ofports[random.below(ofports.len())]).collect();
            let openflow = match action {
                "outputs" => outputs
                    .iter()
                    .map(|port| format!("output:{port}"))
                    .collect::<Vec<_>>()
                    .join(","),
                // Outputs behind an open order.
                "FLOOD" => format!("FLOOD,output:{},set_tunnel:9,output:{}", outputs[0], outputs[1]),
                action => action.to_owned(),
            };
            switch
                .ofctl(&["add-flow", &switch.mgmt(&name), &format!("actions={openflow}")])
                .unwrap();
            for in_port in &ofports {
                let tag = TAGS[random.below(TAGS.len())];
                let mut packet = format!("in_port={in_port},arp,dl_dst=ff:ff:ff:ff:ff:ff");
                if let Some((vid, pcp)) = tag {
                    packet.push_str(&format!(",dl_vlan={vid},dl_vlan_pcp={pcp}"));
                }
                let theirs = traced(&switch, &name, &packet);
                if action == "ALL" {
                    check_names(&switch, &name, &packet, &theirs);
                }
                let vlan = tag.map(|(vid, pcp)| Vlan {
                    vid: Some(vid),
                    pcp: Some(pcp),
                });
                let is_output = bridge.mirrors.iter().any(|mirror| match mirror.output {
                    MirrorOutput::Port(place) => bridge.ports[place]
                        .interfaces
                        .iter()
                        .any(|i| i.ofport == *in_port),
                    MirrorOutput::Vlan(_) => false,
                });
                let is_unseen = action == "outputs" && !outputs.contains(in_port) && !is_output;
                let mut inputs = vec![(true, Some(*in_port)), (false, Some(*in_port))];
                inputs.extend(is_unseen.then_some((true, None)));
                for (is_in_order, in_port) in inputs {
                    bridge.is_in_order = is_in_order;
                    let xlate = Xlate::new(ovs, Packet { vlan, ip_tos: None });
                    let ours = predict(&bridge, xlate, in_port, action, &outputs);
                    let what =
                        format!("round {round}: {packet}: {openflow}: {bridge:#?}\n{ours:?}\n{theirs}");
                    match &ours {
                        Prediction::Exact(_) => exact += 1,
                        Prediction::Within { .. } => within += 1,
                        Prediction::Unknown(_) => {}
                    }
                    assert!(holds(&ours, &theirs), "{what}");
                }
            }
        }
        switch.vsctl(&["del-br", &name]).unwrap();
    }
    assert!(
        exact > 150 && within > 150,
        "{exact} exact, {within} within bounds"
    );
}

/// The same list with ports by name becomes the same actions.
fn check_names(switch: &Switch, bridge: &str, packet: &str, numbered: &str) {
    let show = switch.appctl(&["dpif/show"]).unwrap();
    // "    v1 4/4789: (vxlan: remote_ip=..)"; the ports of tunnels have names of the datapath's own.
    let ports = show.lines().filter_map(|line| {
        let (name, rest) = line.trim().split_once(' ')?;
        let (odp_port, kind) = rest.split_once('/')?.1.split_once(':')?;
        let name = match kind.trim().trim_start_matches('(') {
            kind if kind.starts_with("vxlan") => format!("vxlan_sys_{odp_port}"),
            kind if kind.starts_with("gre") => "gre_sys".to_owned(),
            _ => name.to_owned(),
        };
        Some((name, odp_port.parse().ok()?))
    });
    let trace = switch
        .appctl(&["ofproto/trace", "--names", bridge, packet])
        .unwrap();
    let named = trace
        .lines()
        .find_map(|line| line.strip_prefix("Datapath actions: "))
        .unwrap();
    let named = Actions::parse_named(named, &ports.collect());
    assert_eq!(named, numbered.parse(), "{trace}");
}

/// Whether a prediction is true of a list, or has one of the reasons not to be made.
fn holds(prediction: &Prediction, list: &str) -> bool {
    match prediction {
        Prediction::Exact(actions) => actions.to_string() == list,
        Prediction::Within { bytes, outputs, .. } => {
            let list: Actions = if list == "drop" { "" } else { list }.parse().unwrap();
            let len = list.encoded_len().unwrap();
            let count = list.output_count();
            (bytes.least..=bytes.most).contains(&len) && (outputs.least..=outputs.most).contains(&count)
        }
        Prediction::Unknown(why) => [
            Unpredictable::Bond,
            Unpredictable::MirrorOrder,
            Unpredictable::Input,
        ]
        .contains(why),
    }
}

fn predict(bridge: &Bridge, xlate: Xlate, in_port: Option<u32>, action: &str, outputs: &[u32]) -> Prediction {
    let run = || {
        let mut packet = bridge.receive(xlate, in_port)?;
        match action {
            "NORMAL" => packet.normal()?,
            "ALL" => packet.flood(true)?,
            "FLOOD" => {
                packet.flood(false)?;
                packet.output(outputs[0])?;
                packet.xlate.set_tunnel_id(9);
                packet.output(outputs[1])?;
            }
            _ => outputs.iter().try_for_each(|port| packet.output(*port))?,
        }
        Ok(packet.xlate.predict())
    };
    run().into()
}

/// A bridge whose ports were added one after the other, so that their order is known.
fn make(switch: &Switch, name: &str, random: &mut Random) -> Bridge {
    switch.add_bridge(name).unwrap();
    // Without this the dummy datapath encapsulates by itself, as the kernel's does not.
    switch
        .appctl(&["dpif/set-dp-features", name, "tnl_push_pop", "false"])
        .unwrap();
    let local = Member::new(name, "internal", "");
    let mut rows = vec![(vec![local], BridgePort::new(unknown()))];
    for number in 0..3 + random.below(5) {
        rows.push(add_port(switch, name, number, random));
    }
    let show = switch.appctl(&["dpif/show"]).unwrap();
    let port = |(members, mut port): (Vec<Member>, BridgePort)| {
        let floods = random.below(6) > 0;
        let interface = |member: Member| {
            let (ofport, odp_port) = numbers(&show, &member.name);
            if !floods {
                switch
                    .ofctl(&["mod-port", &switch.mgmt(name), &member.name, "no-flood"])
                    .unwrap();
            }
            let port = Port::of_interface(member.kind, odp_port, pairs(&member.options));
            Interface { ofport, port, floods }
        };
        port.interfaces = members.into_iter().map(interface).collect();
        port
    };
    let ports: Vec<_> = rows.into_iter().map(port).collect();
    let mirrors = (0..random.below(3)).map(|number| add_mirror(switch, name, number, ports.len(), random));
    Bridge {
        mirrors: mirrors.collect(),
        is_in_order: true,
        ports,
    }
}

/// A row of table Interface.
struct Member {
    name: String,
    kind: &'static str,
    options: String,
}

impl Member {
    fn new(name: impl Into<String>, kind: &'static str, options: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            kind,
            options: options.into(),
        }
    }
}

/// Until the switch has told its numbers.
fn unknown() -> Interface {
    Interface {
        ofport: 0,
        port: Err(Unpredictable::Patch),
        floods: true,
    }
}

fn add_port(switch: &Switch, bridge: &str, number: usize, random: &mut Random) -> (Vec<Member>, BridgePort) {
    let name = format!("{bridge}p{number}");
    let (vlan, mut columns) = vlan_mode(random);
    let (priority_tags, text) = [
        (PriorityTags::Never, None),
        (PriorityTags::IfNonZero, Some("if-nonzero")),
        (PriorityTags::Always, Some("always")),
    ][random.below(3)];
    columns.extend(text.map(|text| format!("other_config:priority-tags={text}")));
    let (bond_mode, text) = [
        (BondMode::ActiveBackup, "active-backup"),
        (BondMode::BalanceSlb, "balance-slb"),
    ][random.below(2)];
    let (kind, options) = INTERFACES[random.below(INTERFACES.len())];
    // No two tunnels may be the same.
    let remote = match options {
        "" => String::new(),
        options => format!("{options},remote_ip=10.0.1.{number}"),
    };
    let mut args: Vec<String> = ["add-port", bridge, &name].map(str::to_owned).into();
    let members = if random.below(5) == 0 {
        let members = ["a", "b"].map(|end| Member::new(format!("{name}{end}"), "dummy", ""));
        args[0] = "add-bond".to_owned();
        args.extend(members.iter().map(|member| member.name.clone()));
        columns.push(format!("bond_mode={text}"));
        members.into()
    } else {
        vec![Member::new(&name, kind, remote)]
    };
    args.extend(columns);
    for member in &members {
        args.extend(["--", "set", "Interface", &member.name].map(str::to_owned));
        args.push(format!("type={}", member.kind));
        args.extend(pairs(&member.options).map(|(name, value)| format!("options:{name}=\"{value}\"")));
    }
    switch
        .vsctl(&args.iter().map(String::as_str).collect::<Vec<_>>())
        .unwrap();
    let port = BridgePort {
        bond_mode,
        vlan,
        priority_tags,
        ..BridgePort::new(unknown())
    };
    (members, port)
}

/// A mode, and the columns that say so.
fn vlan_mode(random: &mut Random) -> (VlanMode, Vec<String>) {
    let vlan = [5, 5, 6, 0][random.below(4)];
    let trunks = [vec![], vec![5], vec![0, 6], vec![5, 6]][random.below(4)].clone();
    let (mode, tag, cvlans) = match random.below(9) {
        0..=2 => (None, Some(vlan), false),
        3 => (Some("access"), Some(vlan), false),
        4 => (Some("native-tagged"), Some(vlan), false),
        5 => (Some("native-untagged"), Some(vlan), false),
        6 => (Some("dot1q-tunnel"), Some(vlan), true),
        _ => (None, None, false),
    };
    let list = |name, vlans: &[u16]| {
        let vlans: Vec<_> = vlans.iter().map(u16::to_string).collect();
        (!vlans.is_empty()).then(|| format!("{name}={}", vlans.join(",")))
    };
    let (trunks, cvlans) = if cvlans {
        (vec![], trunks)
    } else {
        (trunks, vec![])
    };
    let columns = [
        mode.map(|mode| format!("vlan_mode={mode}")),
        tag.map(|tag| format!("tag={tag}")),
        list("trunks", &trunks),
        list("cvlans", &cvlans),
    ];
    (
        VlanMode::of_port(mode, tag, trunks, cvlans, None),
        columns.into_iter().flatten().collect(),
    )
}

fn add_mirror(switch: &Switch, bridge: &str, number: usize, ports: usize, random: &mut Random) -> Mirror {
    let mut some = || (0..ports).filter(|_| random.below(3) == 0).collect::<Vec<_>>();
    let (sources, destinations) = (some(), some());
    let vlans = [vec![], vec![], vec![5]][random.below(3)].clone();
    let snaplen = [None, Some(100)][random.below(2)];
    let output = match random.below(3) {
        0 => MirrorOutput::Vlan([5, 6, 9][random.below(3)]),
        _ => MirrorOutput::Port(1 + random.below(ports - 1)),
    };
    let mut args: Vec<String> = Vec::new();
    let name = |place: usize| match place {
        0 => bridge.to_owned(),
        place => format!("{bridge}p{}", place - 1),
    };
    for place in 0..ports {
        args.extend([
            format!("--id=@p{place}"),
            "get".into(),
            "Port".into(),
            name(place),
            "--".into(),
        ]);
    }
    let list = |column: &str, places: &[usize]| {
        let places: Vec<_> = places.iter().map(|place| format!("@p{place}")).collect();
        format!("{column}=[{}]", places.join(","))
    };
    args.extend(["--id=@m", "create", "Mirror"].map(str::to_owned));
    args.push(format!("name=m{number}"));
    args.push(list("select_src_port", &sources));
    args.push(list("select_dst_port", &destinations));
    args.extend(vlans.iter().map(|vlan| format!("select_vlan={vlan}")));
    args.extend(snaplen.map(|len: u16| format!("snaplen={len}")));
    args.push(match output {
        MirrorOutput::Port(place) => format!("output_port=@p{place}"),
        MirrorOutput::Vlan(vlan) => format!("output_vlan={vlan}"),
    });
    args.extend(["--", "add", "Bridge", bridge, "mirrors", "@m"].map(str::to_owned));
    switch
        .vsctl(&args.iter().map(String::as_str).collect::<Vec<_>>())
        .unwrap();
    Mirror {
        sources,
        destinations,
        vlans,
        output,
        snaplen,
    }
}
