//! What a random bridge does not show.

use alloc::string::{String, ToString};

use super::super::{Bond, BondMode, FlowAction, Lacp, OvsVersion, Packet};
use super::*;

fn port(ofport: u32, port: Port) -> BridgePort {
    BridgePort::new(Interface {
        ofport,
        port: Ok(port),
        floods: true,
    })
}

fn plain(odp_port: u32) -> BridgePort {
    port(odp_port, Port::Plain { odp_port })
}

fn patch(ofport: u32, bridge: usize) -> BridgePort {
    port(ofport, Port::Patch(Peer { bridge, ofport }))
}

fn normal(ports: Vec<BridgePort>) -> Bridge {
    Bridge {
        ports,
        is_in_order: true,
        actions: Some([FlowAction::Normal].into()),
        ..Bridge::default()
    }
}

fn flood(bridges: &[Bridge], ovs: &str) -> Result<String, Unpredictable> {
    let ovs: OvsVersion = ovs.parse().unwrap();
    let xlate = Xlate::new(ovs.try_into()?, Packet::default());
    let mut packet = Bridge::receive_among(bridges, 0, xlate, Some(1))?;
    packet.normal(Last::Yes)?;
    Ok(packet.xlate.finish().to_string())
}

#[test]
fn a_circle_of_patch_ports_is_not_followed_for_ever() {
    let circle = [0, 1].map(|at| normal([plain(1), patch(8, 1 - at), patch(9, 1 - at)].into()));
    assert_eq!(flood(&circle, "3.1.0"), Err(Unpredictable::Circle));
    // No circle, but more ways than Open vSwitch follows: two from each bridge to the next.
    let to = |bridge, ofport| Port::Patch(Peer { bridge, ofport });
    let mut ways: Vec<_> = (1..=20)
        .map(|next| normal([plain(1), plain(2), port(8, to(next, 1)), port(9, to(next, 2))].into()))
        .collect();
    ways.push(normal([plain(1), plain(2)].into()));
    assert_eq!(flood(&ways, "3.1.0"), Err(Unpredictable::Circle));
}

#[test]
fn says_so_when_the_flows_behind_a_patch_port_are_not_known() {
    let silent = |bridge| Bridge {
        actions: None,
        ..bridge
    };
    let bridges = [
        normal([plain(1), patch(9, 1)].into()),
        silent(normal([patch(9, 0)].into())),
    ];
    assert_eq!(flood(&bridges, "3.1.0"), Err(Unpredictable::Flows));
    assert_eq!(flood(&bridges[..1], "3.1.0"), Err(Unpredictable::Patch));
}

#[test]
fn a_mirror_of_a_recirculated_packet_depends_on_the_release() {
    let mut bond = plain(2);
    bond.interfaces.extend(plain(3).interfaces);
    bond.bond = Bond {
        mode: BondMode::BalanceTcp,
        lacp: Lacp::Negotiated,
        ..Bond::default()
    };
    let mut bridge = normal([plain(1), bond, plain(4)].into());
    bridge.mirrors.push(Mirror {
        sources: Vec::new(),
        destinations: [1].into(),
        vlans: Vec::new(),
        output: MirrorOutput::Port(2),
        snaplen: None,
        has_filter: false,
    });
    let bridges = [bridge];
    let list = |ovs| flood(&bridges, ovs);
    assert_eq!(list("3.1.0").as_deref(), Ok("hash(l4(0)),recirc(0),4"));
    assert_eq!(list("3.5.2"), list("3.1.0"));
    assert_eq!(list("3.5.3").as_deref(), Ok("hash(l4(0)),recirc(0)"));
}
