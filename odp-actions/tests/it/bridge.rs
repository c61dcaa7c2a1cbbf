//! Random bridges, joined by patch ports: NORMAL, FLOOD, ALL and mirrors beside `ofproto/trace` of a real ovs-vswitchd.

use odp_actions::xlate::{Bridge, MirrorOutput, Packet, Prediction, Unpredictable, Vlan, Xlate};
use odp_actions::{Actions, PortNames};
use testbed::{Switch, or_skip};

use crate::random::Random;
use crate::topology::{make, name_of, ofports};
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
    let ovs = version(&switch);
    let mut random = Random::new();
    let (mut exact, mut within) = (0, 0);
    for round in 0..ROUNDS {
        let name = format!("b{round}");
        let mut bridges = make(&switch, &name, 1 + random.below(3), &mut random);
        let ofports: Vec<u32> = ofports(&bridges[0]).collect();
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
                .ofctl(&[
                    "add-flow",
                    &switch.mgmt(&name_of(&name, 0)),
                    &format!("actions={openflow}"),
                ])
                .unwrap();
            for in_port in &ofports {
                let tag = TAGS[random.below(TAGS.len())];
                let mut packet = format!("in_port={in_port},arp,dl_dst=ff:ff:ff:ff:ff:ff");
                if let Some((vid, pcp)) = tag {
                    packet.push_str(&format!(",dl_vlan={vid},dl_vlan_pcp={pcp}"));
                }
                let theirs = traced(&switch, &name_of(&name, 0), &packet);
                if action == "ALL" {
                    check_names(&switch, &name_of(&name, 0), &packet, &theirs);
                }
                let vlan = tag.map(|(vid, pcp)| Vlan {
                    vid: Some(vid),
                    pcp: Some(pcp),
                });
                let bridge = &bridges[0];
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
                    bridges[0].is_in_order = is_in_order;
                    let xlate = Xlate::new(
                        ovs,
                        Packet {
                            vlan,
                            ..Packet::default()
                        },
                    );
                    let ours = predict(&bridges, xlate, in_port, action, &outputs);
                    let what =
                        format!("round {round}: {packet}: {openflow}: {bridges:#?}\n{ours:?}\n{theirs}");
                    match &ours {
                        Prediction::Exact(_) => exact += 1,
                        Prediction::Within { .. } => within += 1,
                        Prediction::Unknown(_) => {}
                    }
                    assert!(holds(&ours, &theirs), "{what}");
                }
            }
        }
        for at in 0..bridges.len() {
            switch.vsctl(&["del-br", &name_of(&name, at)]).unwrap();
        }
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

fn predict(
    bridges: &[Bridge],
    xlate: Xlate,
    in_port: Option<u32>,
    action: &str,
    outputs: &[u32],
) -> Prediction {
    let run = || {
        let mut packet = Bridge::receive_among(bridges, 0, xlate, in_port)?;
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
