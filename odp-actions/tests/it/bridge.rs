//! Random bridges, joined by patch ports: NORMAL, FLOOD, ALL and mirrors beside `ofproto/trace` of a real ovs-vswitchd.

use std::collections::BTreeMap;

use odp_actions::xlate::{
    Bridge, MirrorOutput, OvsVersion, Packet, Prediction, Rules, Unpredictable, Vlan, Xlate,
};
use odp_actions::{Actions, PortNames};
use testbed::{Switch, or_skip};

use crate::flows::{Allowed, List};
use crate::random::{Random, rounds};
use crate::topology::{add_flow, make, name_of, ofports};
use crate::trace::{traced, version};

const ROUNDS: usize = 12;

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
    let ovs = version();
    // Whether mirrors may have a filter, the schema says.
    let has_filters = switch.vsctl(&["--columns=filter", "list", "Mirror"]).is_ok();
    assert!(Rules::try_from(ovs).unwrap().mirror_filters || !has_filters);
    let mut random = Random::new();
    let mut seen = Seen::default();
    for round in 0..rounds(ROUNDS) {
        let name = format!("b{round}");
        let is_ip = random.below(2) == 0;
        let count = 1 + random.below(4);
        let mut bridges = make(&switch, &name, count, is_ip, has_filters, &mut random);
        let top = name_of(&name, 0);
        let ofports: Vec<u32> = ofports(&bridges[0]).collect();
        for flow in 0..5 {
            let allowed = Allowed {
                is_ip,
                in_port: true,
                groups: true,
            };
            let list = List::random(&ofports, allowed, &mut random);
            add_flow(&switch, &top, &list);
            // A mirror may send a copy back.
            bridges[0].actions = list.actions();
            for in_port in &ofports {
                let tag = TAGS[random.below(TAGS.len())];
                let protocol = if is_ip { "udp" } else { "arp" };
                let mut packet = format!("in_port={in_port},{protocol},dl_dst=ff:ff:ff:ff:ff:ff");
                if let Some((vid, pcp)) = tag {
                    packet.push_str(&format!(",dl_vlan={vid},dl_vlan_pcp={pcp}"));
                }
                let theirs = traced(&switch, &top, &packet);
                if flow == 0 {
                    check_names(&switch, &top, &packet, &theirs);
                }
                let what = format!("round {round}: {packet}: {}", list.text());
                let packet = Packet {
                    vlan: tag.map(|(vid, pcp)| Vlan {
                        vid: Some(vid),
                        pcp: Some(pcp),
                    }),
                    ip_tos: is_ip.then_some(0),
                    mark: 0,
                };
                let mut inputs = vec![(true, Some(*in_port)), (false, Some(*in_port))];
                let is_unseen = list.ignores_input(*in_port) && !is_mirror_output(&bridges[0], *in_port);
                inputs.extend(is_unseen.then_some((true, None)));
                for (is_in_order, in_port) in inputs {
                    for bridge in &mut bridges {
                        bridge.is_in_order = is_in_order;
                    }
                    let ours = predict(&bridges, ovs, packet, in_port, &list);
                    let what = format!("{what}: {bridges:#?}\n{ours:?}\n{theirs}");
                    assert!(holds(&ours, &theirs), "{what}");
                    seen.add(&ours);
                }
                // Less is known of other releases, and what is known holds.
                let branch = OvsVersion::new(ovs.branch().0, ovs.branch().1);
                for ovs in [branch, OvsVersion::new(9, 0), OvsVersion::UNKNOWN] {
                    let ours = predict(&bridges, ovs, packet, Some(*in_port), &list);
                    let what = format!("Open vSwitch {ovs}: {what}: {bridges:#?}\n{ours:?}\n{theirs}");
                    assert!(holds(&ours, &theirs), "{what}");
                }
            }
        }
        for at in 0..bridges.len() {
            switch.vsctl(&["del-br", &name_of(&name, at)]).unwrap();
        }
    }
    println!("{ovs}: {seen:?}");
    assert!(seen.exact > 150 && seen.within > 150, "{seen:?}");
    let unknown: usize = seen.unknown.values().sum();
    assert!(unknown < seen.exact + seen.within, "{seen:?}");
}

/// How often which kind of prediction was made.
#[derive(Debug, Default)]
struct Seen {
    exact: usize,
    within: usize,
    unknown: BTreeMap<String, usize>,
}

impl Seen {
    fn add(&mut self, prediction: &Prediction) {
        match prediction {
            Prediction::Exact(_) => self.exact += 1,
            Prediction::Within { .. } => self.within += 1,
            Prediction::Unknown(why) => *self.unknown.entry(why.to_string()).or_default() += 1,
        }
    }
}

fn is_mirror_output(bridge: &Bridge, ofport: u32) -> bool {
    bridge.mirrors.iter().any(|mirror| match mirror.output {
        MirrorOutput::Port(place) => bridge.ports[place]
            .interfaces
            .iter()
            .any(|interface| interface.ofport == ofport),
        MirrorOutput::Vlan(_) => false,
    })
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
            kind if kind.starts_with("geneve") => format!("genev_sys_{odp_port}"),
            kind if kind.starts_with("gre") => "gre_sys".to_owned(),
            _ => name.to_owned(),
        };
        Some((odp_port.parse().ok()?, name))
    });
    let trace = switch
        .appctl(&["ofproto/trace", "--names", bridge, packet])
        .unwrap();
    let named = trace
        .lines()
        .find_map(|line| line.strip_prefix("Datapath actions: "))
        .unwrap();
    let ports: PortNames = ports.collect();
    let list = Actions::parse_named(named, &ports);
    assert_eq!(list, numbered.parse(), "{trace}");
    if numbered != "drop" {
        assert_eq!(list.unwrap().named(&ports).to_string(), named);
    }
}

/// Whether a prediction is true of a list, or has one of the reasons not to be made.
fn holds(prediction: &Prediction, list: &str) -> bool {
    match prediction {
        Prediction::Exact(actions) => actions.to_string() == list,
        Prediction::Within {
            sample,
            bytes,
            outputs,
        } => {
            let list: Actions = if list == "drop" { "" } else { list }.parse().unwrap();
            let len = list.encoded_len().unwrap();
            let count = list.output_count();
            // Open vSwitch counts before it takes the actions of a clone at the end out of it, and the list shows them.
            let taken_out = sample.output_count().saturating_sub(outputs.most);
            let outputs = outputs.least..=outputs.most + taken_out;
            (bytes.least..=bytes.most).contains(&len) && outputs.contains(&count)
        }
        Prediction::Unknown(why) => matches!(
            why,
            Unpredictable::Bond
                | Unpredictable::MirrorOrder
                | Unpredictable::CloneOrder
                | Unpredictable::Input
                | Unpredictable::Flows
                | Unpredictable::Circle
                | Unpredictable::Filter
                | Unpredictable::Tags { .. }
                | Unpredictable::Underlay
                | Unpredictable::MirrorsOfBridges
        ),
    }
}

fn predict(
    bridges: &[Bridge],
    ovs: OvsVersion,
    packet: Packet,
    in_port: Option<u32>,
    list: &List,
) -> Prediction {
    Prediction::under(ovs, |rules| {
        let mut packet = Bridge::receive_among(bridges, 0, Xlate::new(rules, packet), in_port)?;
        list.run(&mut packet)?;
        Ok(packet.xlate.predict())
    })
}
