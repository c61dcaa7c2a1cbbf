//! Random bridges with VLANs, tunnels, bonds, mirrors and patch ports, in a switch and as our translation knows them.

use std::collections::BTreeMap;

use odp_actions::xlate::{
    Bond, BondMode, Bridge, BridgePort, Interface, Mirror, MirrorOutput, Peer, Port, PriorityTags,
    Unpredictable, VlanMode,
};
use testbed::Switch;

use crate::flows::{Allowed, List};
use crate::random::Random;
use crate::trace::{numbers, pairs};

/// Type and options of an interface, tunnels without `remote_ip`, which is what follows but for its last number.
const INTERFACES: [(&str, &str, &str); 12] = [
    ("dummy", "", ""),
    ("dummy", "", ""),
    ("dummy", "", ""),
    ("dummy", "", ""),
    ("internal", "", ""),
    ("vxlan", "key=flow", "10.0."),
    ("vxlan", "key=flow,local_ip=10.0.0.9", "10.0."),
    ("vxlan", "key=flow,csum=true,ttl=9", "10.0."),
    ("vxlan", "key=flow", "fc00::"),
    ("geneve", "key=flow,tos=8", "10.0."),
    ("gre", "key=7", "10.0."),
    ("gre", "df_default=false", "10.0."),
];

/// Bridges whose ports were added one after the other, so that their order is known; patch ports join each to one
/// before it.
pub(crate) fn make(
    switch: &Switch,
    name: &str,
    count: usize,
    is_ip: bool,
    has_filters: bool,
    random: &mut Random,
) -> Vec<Bridge> {
    let mut rows: Vec<_> = (0..count)
        .map(|at| add_ports(switch, &name_of(name, at), at, random))
        .collect();
    for at in 1..count {
        add_patch(switch, name, at, &mut rows, random);
    }
    let show = switch.appctl(&["dpif/show"]).unwrap();
    let numbers: BTreeMap<String, u32> = rows
        .iter()
        .flatten()
        .flat_map(|(members, _)| members)
        .map(|member| (member.name.clone(), ofport(&show, &member.name)))
        .collect();
    let mut bridges: Vec<_> = rows
        .into_iter()
        .enumerate()
        .map(|(at, rows)| {
            let name = name_of(name, at);
            let rows = rows.into_iter();
            let ports: Vec<_> = rows
                .map(|row| port(switch, &name, row, &show, &numbers, random))
                .collect();
            let mirrors = (0..random.below(3))
                .map(|number| add_mirror(switch, &name, number, ports.len(), has_filters, random));
            Bridge {
                mirrors: mirrors.collect(),
                is_in_order: true,
                ports,
                actions: None,
            }
        })
        .collect();
    for (at, bridge) in bridges.iter_mut().enumerate().skip(1) {
        let ofports: Vec<_> = ofports(bridge).collect();
        let allowed = Allowed {
            is_ip,
            in_port: false,
            groups: false,
        };
        let list = List::random(&ofports, allowed, random);
        add_flow(switch, &name_of(name, at), &list);
        bridge.actions = list.actions();
    }
    bridges
}

/// Replaces what a bridge does.
pub(crate) fn add_flow(switch: &Switch, bridge: &str, list: &List) {
    let mgmt = switch.mgmt(bridge);
    if let Some(group) = list.group() {
        switch
            .ofctl(&["-O", "OpenFlow13", "--may-create", "mod-group", &mgmt, &group])
            .unwrap();
    }
    let flow = format!("actions={}", list.text());
    switch
        .ofctl(&["-O", list.protocol, "add-flow", &mgmt, &flow])
        .unwrap();
}

/// The name of the bridge at this place.
pub(crate) fn name_of(name: &str, at: usize) -> String {
    format!("{name}x{at}")
}

type Row = (Vec<Member>, BridgePort);

fn add_ports(switch: &Switch, bridge: &str, subnet: usize, random: &mut Random) -> Vec<Row> {
    switch.add_bridge(bridge).unwrap();
    // Without this the dummy datapath encapsulates by itself, as the kernel's does not.
    switch
        .appctl(&["dpif/set-dp-features", bridge, "tnl_push_pop", "false"])
        .unwrap();
    let local = Member::new(bridge, "internal", "");
    let mut rows = vec![(vec![local], BridgePort::new(unknown()))];
    for number in 0..3 + random.below(5) {
        rows.push(add_port(switch, bridge, subnet, number, random));
    }
    rows
}

/// Joins a bridge to one before it.
fn add_patch(switch: &Switch, name: &str, at: usize, rows: &mut [Vec<Row>], random: &mut Random) {
    let bridges = [random.below(at), at];
    let ports = bridges.map(|at| format!("{}p{}", name_of(name, at), rows[at].len() - 1));
    for (end, at) in bridges.into_iter().enumerate() {
        let (vlan, columns) = vlan_mode(random);
        let peer = format!("options:peer={}", ports[1 - end]);
        let bridge = name_of(name, at);
        let mut args = vec!["add-port", &bridge, &ports[end]];
        args.extend(columns.iter().map(String::as_str));
        args.extend(["--", "set", "Interface", &ports[end], "type=patch", &peer]);
        switch.vsctl(&args).unwrap();
        let member = Member {
            peer: Some((bridges[1 - end], ports[1 - end].clone())),
            ..Member::new(&ports[end], "patch", "")
        };
        let port = BridgePort {
            vlan,
            ..BridgePort::new(unknown())
        };
        rows[at].push((vec![member], port));
    }
}

/// A port as the switch has numbered it.
fn port(
    switch: &Switch,
    bridge: &str,
    (members, mut port): Row,
    show: &str,
    ofports: &BTreeMap<String, u32>,
    random: &mut Random,
) -> BridgePort {
    let floods = random.below(6) > 0;
    let interface = |member: Member| {
        if !floods {
            switch
                .ofctl(&["mod-port", &switch.mgmt(bridge), &member.name, "no-flood"])
                .unwrap();
        }
        let port = match &member.peer {
            Some((bridge, name)) => Ok(Port::Patch(Peer {
                bridge: *bridge,
                ofport: ofports[name],
            })),
            None => Port::of_interface(member.kind, numbers(show, &member.name).1, pairs(&member.options)),
        };
        Interface {
            ofport: ofports[&member.name],
            port,
            floods,
        }
    };
    port.interfaces = members.into_iter().map(interface).collect();
    port
}

pub(crate) fn ofports(bridge: &Bridge) -> impl Iterator<Item = u32> + '_ {
    let interfaces = bridge.ports.iter().flat_map(|port| &port.interfaces);
    interfaces.map(|interface| interface.ofport)
}

/// The OpenFlow number in what `dpif/show` says; patch ports have no other.
fn ofport(show: &str, name: &str) -> u32 {
    let mut lines = show.lines();
    let numbers = lines.find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(' '));
    let numbers = numbers.unwrap_or_else(|| panic!("{name}: {show}"));
    numbers.split_once('/').unwrap().0.parse().unwrap()
}

/// A row of table Interface.
struct Member {
    name: String,
    kind: &'static str,
    options: String,
    /// The other end of a patch port: the place of its bridge, and its name.
    peer: Option<(usize, String)>,
}

impl Member {
    fn new(name: impl Into<String>, kind: &'static str, options: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            kind,
            options: options.into(),
            peer: None,
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

fn add_port(switch: &Switch, bridge: &str, subnet: usize, number: usize, random: &mut Random) -> Row {
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
        (BondMode::BalanceTcp, "balance-tcp"),
    ][random.below(3)];
    let (kind, options, net) = INTERFACES[random.below(INTERFACES.len())];
    // No two tunnels may be the same.
    let remote = match net {
        "" => String::new(),
        "fc00::" => format!("{options},remote_ip=fc00::{subnet}:{}", number + 1),
        net => format!("{options},remote_ip={net}{subnet}.{}", number + 1),
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
        bond: Bond {
            mode: bond_mode,
            ..Bond::default()
        },
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

fn add_mirror(
    switch: &Switch,
    bridge: &str,
    number: usize,
    ports: usize,
    has_filters: bool,
    random: &mut Random,
) -> Mirror {
    let mut some = || (0..ports).filter(|_| random.below(3) == 0).collect::<Vec<_>>();
    let (mut sources, mut destinations) = (some(), some());
    let selects_all = random.below(4) == 0;
    if selects_all {
        (sources, destinations) = ((0..ports).collect(), (0..ports).collect());
    }
    let has_filter = has_filters && random.below(8) == 0;
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
    if selects_all {
        args.push("select_all=true".to_owned());
    } else {
        args.push(list("select_src_port", &sources));
        args.push(list("select_dst_port", &destinations));
    }
    args.extend(has_filter.then(|| "filter=arp".to_owned()));
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
        has_filter,
    }
}
