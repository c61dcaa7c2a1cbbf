//! Translations beside those of a real ovs-vswitchd: `ofproto/trace` is the oracle.

use std::collections::BTreeMap;

use odp_actions::Actions;
use odp_actions::xlate::{Last, OvsVersion, Packet, Port, Rules, Unpredictable, Vlan, Xlate};
use testbed::{Switch, or_skip};

use crate::random::{Random, rounds};

/// Interface name, type, options.
const PORTS: [(&str, &str, &str); 13] = [
    ("p1", "dummy", ""),
    ("p2", "dummy", ""),
    ("p3", "internal", ""),
    ("v1", "vxlan", "remote_ip=10.0.0.1,key=flow"),
    ("v2", "vxlan", "remote_ip=10.0.0.2,key=flow,local_ip=10.0.0.9"),
    (
        "v3",
        "vxlan",
        "remote_ip=10.0.0.3,key=7,df_default=false,dst_port=8472",
    ),
    ("v4", "vxlan", "remote_ip=10.0.0.4,tos=8,ttl=3,csum=true"),
    (
        "v5",
        "vxlan",
        "remote_ip=10.0.0.5,in_key=1,out_key=0x20,tos=inherit",
    ),
    ("v6", "vxlan", "remote_ip=fc00::6,key=flow"),
    (
        "v7",
        "geneve",
        "remote_ip=fc00::7,key=flow,local_ip=fc00::9,csum=false",
    ),
    ("v8", "geneve", "remote_ip=10.0.0.8,key=flow"),
    ("v9", "gre", "remote_ip=10.0.0.1"),
    ("va", "gre", "remote_ip=10.0.0.2,key=4294967295,csum=true"),
];

/// The same of the bridge behind the patch port.
const PEER_PORTS: [(&str, &str, &str); 3] = [
    ("q1", "dummy", ""),
    ("w1", "vxlan", "remote_ip=10.0.1.1,key=flow"),
    ("w2", "gre", "remote_ip=10.0.1.2"),
];

/// A packet as `ofproto/trace` takes it, and what our translation is told of it.
const PACKETS: [(&str, Packet); 5] = [
    (
        "in_port=LOCAL,dl_type=0x0806",
        Packet {
            vlan: None,
            ip_tos: None,
            mark: 0,
        },
    ),
    (
        "in_port=LOCAL,ip,nw_tos=0",
        Packet {
            vlan: None,
            ip_tos: Some(0),
            mark: 0,
        },
    ),
    (
        "in_port=LOCAL,ip,nw_tos=32,nw_ecn=1",
        Packet {
            vlan: None,
            ip_tos: Some(33),
            mark: 0,
        },
    ),
    (
        "in_port=LOCAL,ipv6,nw_tos=4,nw_ecn=3",
        Packet {
            vlan: None,
            ip_tos: Some(7),
            mark: 0,
        },
    ),
    (
        "in_port=LOCAL,dl_type=0x0806,dl_vlan=5,dl_vlan_pcp=2",
        Packet {
            vlan: Some(Vlan {
                vid: Some(5),
                pcp: Some(2),
            }),
            ip_tos: None,
            mark: 0,
        },
    ),
];

#[test]
fn random_action_lists_become_what_ofproto_trace_shows() {
    let Some(switch) = or_skip(Switch::start()) else {
        return;
    };
    switch.add_bridge("br0").unwrap();
    switch.add_bridge("br1").unwrap();
    // Without this the dummy datapath encapsulates by itself, as the kernel's does not.
    switch
        .appctl(&["dpif/set-dp-features", "br0", "tnl_push_pop", "false"])
        .unwrap();
    let ports = add_ports(&switch, "br0", &PORTS);
    let patch = add_patch(&switch);
    let peer_ports = add_ports(&switch, "br1", &PEER_PORTS);
    let rules = Rules::try_from(version()).unwrap();
    let mut random = Random::new();
    let (mut peer, mut buckets) = (Vec::new(), Vec::new());
    for round in 0..rounds(300) {
        let (packet_text, packet) = PACKETS[random.below(PACKETS.len())];
        let mut list = List {
            openflow: Vec::new(),
            xlate: Xlate::new(rules, packet),
            pushed: 0,
        };
        // Each version has its own way to tag a packet, and refuses the other's.
        let (protocol, tag): (_, fn(&mut List, &mut Random)) = match round % 2 {
            0 => ("OpenFlow10", List::mod_vlan),
            _ => ("OpenFlow13", List::push_vlan),
        };
        if round % 10 == 0 {
            peer = steps(&mut random, &peer_ports);
            buckets = (0..random.below(4))
                .map(|_| bucket(&mut random, &ports))
                .collect();
            set_peer_and_group(&switch, &peer, &buckets);
        }
        for _ in 0..=random.below(12) {
            match random.below(11) {
                9 => list.patch(patch, &peer, Last::No),
                10 if protocol == "OpenFlow13" => {
                    let mut ahead = list.xlate.clone();
                    let mut all = buckets.iter();
                    if all
                        .try_for_each(|bucket| ahead.bucket(|xlate| apply(bucket, xlate)))
                        .is_ok()
                    {
                        list.xlate = ahead;
                        list.openflow.push("group:1".to_owned());
                    }
                }
                0 => {
                    let id = [0, 7, u64::from(u32::MAX)][random.below(3)];
                    list.xlate.set_tunnel_id(id);
                    list.openflow.push(format!("set_tunnel:{id:#x}"));
                }
                1..=3 => tag(&mut list, &mut random),
                _ => list.output(&ports, &mut random),
            }
        }
        match random.below(3) {
            0 => list.patch(patch, &peer, Last::Yes),
            _ => list.output(&ports, &mut random),
        }
        let openflow = list.openflow.join(",");
        let flow = format!("table=0,priority=1,actions={openflow}");
        switch
            .ofctl(&["-O", protocol, "add-flow", &switch.mgmt("br0"), &flow])
            .unwrap();
        let traced = traced(&switch, "br0", packet_text);
        let ours = list.xlate.finish();
        assert_eq!(
            ours.to_string(),
            traced,
            "round {round}: {packet_text}: {openflow}"
        );
        let parsed: Actions = traced.parse().unwrap();
        // The text of an empty list is also that of an action.
        if !ours.is_empty() {
            assert_eq!(parsed.encoded_len(), ours.encoded_len());
        }
    }
}

/// Tells the bridge behind the patch port what to do, and group 1 what its buckets are.
fn set_peer_and_group(switch: &Switch, peer: &[Step], buckets: &[Vec<Step>]) {
    let (br0, br1) = (switch.mgmt("br0"), switch.mgmt("br1"));
    let flow = format!("table=0,priority=1,actions={}", text(peer));
    let buckets = buckets.iter().map(|bucket| format!(",bucket={}", text(bucket)));
    let group = format!("group_id=1,type=all{}", buckets.collect::<String>());
    let of13 = ["-O", "OpenFlow13"];
    for command in [
        &["add-flow", &br1, &flow][..],
        &["--may-create", "mod-group", &br0, &group][..],
    ] {
        switch.ofctl(&[&of13[..], command].concat()).unwrap();
    }
}

/// A part of what a peer bridge or a bucket does, in the words of OpenFlow 1.3.
enum Step {
    Tag(u16),
    Tunnel(u64),
    Output(u32, Port),
}

type Ports = BTreeMap<&'static str, (u32, Port)>;

fn steps(random: &mut Random, ports: &Ports) -> Vec<Step> {
    let mut steps = Vec::new();
    for _ in 0..random.below(6) {
        steps.push(match random.below(5) {
            // Open vSwitch refuses lists with more tags than it follows.
            0 if !steps.iter().any(|step| matches!(step, Step::Tag(_))) => Step::Tag([5, 6][random.below(2)]),
            1 => Step::Tunnel([7, 9][random.below(2)]),
            _ => output(random, ports),
        });
    }
    steps
}

/// An action set has each action once, in this order.
fn bucket(random: &mut Random, ports: &Ports) -> Vec<Step> {
    let tag = (random.below(3) == 0).then(|| Step::Tag([5, 6][random.below(2)]));
    let tunnel = (random.below(3) == 0).then(|| Step::Tunnel([7, 9][random.below(2)]));
    let output = Some(output(random, ports));
    [tag, tunnel, output].into_iter().flatten().collect()
}

fn output(random: &mut Random, ports: &Ports) -> Step {
    let (ofport, port) = ports.values().nth(random.below(ports.len())).unwrap();
    Step::Output(*ofport, port.clone())
}

fn text(steps: &[Step]) -> String {
    let words = steps.iter().map(|step| match step {
        Step::Tag(vid) => format!("push_vlan:0x8100,set_field:{}->vlan_vid", 0x1000 | vid),
        Step::Tunnel(id) => format!("set_field:{id}->tun_id"),
        Step::Output(ofport, _) => format!("output:{ofport}"),
    });
    let words: Vec<_> = words.collect();
    if words.is_empty() {
        "drop".to_owned()
    } else {
        words.join(",")
    }
}

fn apply(steps: &[Step], xlate: &mut Xlate) -> Result<(), Unpredictable> {
    steps.iter().try_for_each(|step| match step {
        Step::Tag(vid) => {
            xlate.push_vlan(0x8100)?;
            xlate.set_vlan_vid(*vid)
        }
        Step::Tunnel(id) => {
            xlate.set_tunnel_id(*id);
            Ok(())
        }
        Step::Output(_, port) => xlate.output(port),
    })
}

/// An OpenFlow action list, and our translation as far as the list goes.
struct List {
    openflow: Vec<String>,
    xlate: Xlate,
    pushed: usize,
}

impl List {
    fn output(&mut self, ports: &Ports, random: &mut Random) {
        let (ofport, port) = ports.values().nth(random.below(ports.len())).unwrap();
        self.xlate.output(port).unwrap();
        self.openflow.push(format!("output:{ofport}"));
    }

    /// What does not fit into the packet is not sent through the port.
    fn patch(&mut self, ofport: u32, peer: &[Step], last: Last) {
        let mut ahead = self.xlate.clone();
        if ahead.patch(last, |xlate| apply(peer, xlate)).is_ok() {
            self.xlate = ahead;
            self.openflow.push(format!("output:{ofport}"));
        }
    }

    /// The ways of OpenFlow 1.0, which work on any packet.
    fn mod_vlan(&mut self, random: &mut Random) {
        self.openflow.push(match random.below(3) {
            0 => {
                let vid = [5, 6, 4095][random.below(3)];
                self.xlate.set_vlan_vid(vid).unwrap();
                format!("mod_vlan_vid:{vid}")
            }
            1 => {
                let pcp = [0, 2, 7][random.below(3)];
                self.xlate.set_vlan_pcp(pcp).unwrap();
                format!("mod_vlan_pcp:{pcp}")
            }
            _ => {
                self.xlate.pop_vlan();
                "strip_vlan".to_owned()
            }
        });
    }

    /// The ways of OpenFlow 1.3, which wants to see in the list that there is a tag to pop or to fill in.
    fn push_vlan(&mut self, random: &mut Random) {
        if self.pushed > 0 && random.below(2) == 0 {
            self.pushed -= 1;
            self.xlate.pop_vlan();
            self.openflow.push("pop_vlan".to_owned());
        } else if self.xlate.push_vlan(0x8100).is_ok() {
            let vid = [5, 6, 4095][random.below(3)];
            self.pushed += 1;
            self.xlate.set_vlan_vid(vid).unwrap();
            self.openflow
                .push(format!("push_vlan:0x8100,set_field:{}->vlan_vid", 0x1000 | vid));
        }
    }
}

/// Joins the bridges; the OpenFlow number of the port at br0.
fn add_patch(switch: &Switch) -> u32 {
    for (bridge, name, peer) in [("br0", "patch0", "patch1"), ("br1", "patch1", "patch0")] {
        let peer = format!("options:peer={peer}");
        let set = ["--", "set", "Interface", name, "type=patch", &peer];
        switch
            .vsctl(&[&["add-port", bridge, name], &set[..]].concat())
            .unwrap();
    }
    let ofport = switch.vsctl(&["get", "Interface", "patch0", "ofport"]).unwrap();
    ofport.trim().parse().unwrap()
}

/// Adds ports; by name, their OpenFlow number and what our translation knows of them.
fn add_ports(switch: &Switch, bridge: &str, ports: &[(&'static str, &'static str, &'static str)]) -> Ports {
    let mut args: Vec<String> = Vec::new();
    for &(name, kind, options) in ports {
        args.extend(["--", "add-port", bridge, name, "--", "set", "Interface", name].map(str::to_owned));
        args.push(format!("type={kind}"));
        args.extend(pairs(options).map(|(name, value)| format!("options:{name}=\"{value}\"")));
    }
    switch
        .vsctl(&args.iter().map(String::as_str).collect::<Vec<_>>())
        .unwrap();
    // "    v1 4/4789: (vxlan: remote_ip=..)": OpenFlow and datapath number.
    let show = switch.appctl(&["dpif/show"]).unwrap();
    ports
        .iter()
        .map(|&(name, kind, options)| {
            let (ofport, odp_port) = numbers(&show, name);
            let port = Port::of_interface(kind, odp_port, pairs(options)).unwrap();
            (name, (ofport, port))
        })
        .collect()
}

/// The OpenFlow number and the datapath number of an interface in what `dpif/show` says.
pub(crate) fn numbers(show: &str, name: &str) -> (u32, u32) {
    let numbers = show
        .lines()
        .find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(' '))
        .unwrap();
    let (ofport, rest) = numbers.split_once('/').unwrap();
    let (odp_port, _) = rest.split_once(':').unwrap();
    (ofport.parse().unwrap(), odp_port.parse().unwrap())
}

/// The datapath actions that a switch says a packet gets.
pub(crate) fn traced(switch: &Switch, bridge: &str, packet: &str) -> String {
    let trace = switch.appctl(&["ofproto/trace", bridge, packet]).unwrap();
    let actions = trace
        .lines()
        .find_map(|line| line.strip_prefix("Datapath actions: "));
    actions.unwrap_or_else(|| panic!("{packet}: {trace}")).to_owned()
}

pub(crate) fn pairs(options: &str) -> impl Iterator<Item = (&str, &str)> {
    options.split(',').filter_map(|option| option.split_once('='))
}

/// The release that runs.
pub(crate) fn version() -> OvsVersion {
    testbed::version().unwrap().to_string().parse().unwrap()
}
