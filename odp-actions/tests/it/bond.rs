//! Bonds in every state of LACP, also behind a patch port, beside `ofproto/trace` of a real ovs-vswitchd.

use std::thread::sleep;
use std::time::{Duration, Instant};

use odp_actions::xlate::{
    Bond, BondMode, Bridge, BridgePort, FlowAction, Interface, Lacp, Mirror, MirrorOutput, Packet, Peer,
    Port, Prediction, Xlate,
};
use odp_actions::{Action, Actions};
use testbed::{Switch, or_skip};

use crate::trace::{numbers, traced, version};

#[test]
fn bonds_send_as_their_state_of_lacp_lets_them() {
    let Some(switch) = or_skip(Switch::start()) else {
        return;
    };
    add_bonds(&switch);
    let modes = [
        (BondMode::ActiveBackup, "active-backup"),
        (BondMode::BalanceSlb, "balance-slb"),
        (BondMode::BalanceTcp, "balance-tcp"),
    ];
    let pending = |falls_back| Lacp::Pending { falls_back };
    // What this side speaks, whether the other side does, and whether it does without.
    let states = [
        (Lacp::Off, "off", "off", false),
        (pending(false), "active", "off", false),
        (pending(true), "active", "off", true),
        (Lacp::Negotiated, "active", "passive", false),
    ];
    for (lacp, ours, theirs, falls_back) in states {
        let fallback = format!("other_config:lacp-fallback-ab={falls_back}");
        switch
            .vsctl(&["set", "Port", "near", &format!("lacp={ours}"), &fallback])
            .unwrap();
        switch
            .vsctl(&["set", "Port", "far", &format!("lacp={theirs}")])
            .unwrap();
        for (mode, text) in modes {
            switch
                .vsctl(&["set", "Port", "near", &format!("bond_mode={text}")])
                .unwrap();
            settle(&switch, lacp);
            for (lb_output, hash_basis, mirrors) in [
                (false, 0, vec![]),
                (false, 7, vec![of_the_bond()]),
                (true, 7, vec![of_the_bond()]),
                (false, 7, vec![to_the_bond()]),
            ] {
                let basis = format!("other_config:bond-hash-basis={hash_basis}");
                let lb = format!("other_config:lb-output-action={lb_output}");
                switch.vsctl(&["set", "Port", "near", &basis, &lb]).unwrap();
                let bond = Bond {
                    mode,
                    lacp,
                    hash_basis,
                    lb_output,
                };
                check(&switch, bond, mirrors);
            }
        }
    }
}

/// Compares NORMAL and mirrors of and to a bond with the trace of a packet that comes from elsewhere, or through a patch
/// port.
fn check(switch: &Switch, bond: Bond, mirrors: Vec<Mirror>) {
    let show = switch.appctl(&["dpif/show"]).unwrap();
    let port = |name: &str| {
        let (ofport, odp_port) = numbers(&show, name);
        BridgePort::new(interface(ofport, Port::Plain { odp_port }))
    };
    let ofport = |name: &str| -> u32 {
        let ofport = switch.vsctl(&["get", "Interface", name, "ofport"]).unwrap();
        ofport.trim().parse().unwrap()
    };
    let patch = |name: &str, bridge, peer: &str| {
        let peer = Peer {
            bridge,
            ofport: ofport(peer),
        };
        BridgePort::new(interface(ofport(name), Port::Patch(peer)))
    };
    let mut bonded = port("near1");
    bonded.interfaces.extend(port("near2").interfaces);
    bonded.bond = bond;
    set_mirrors(switch, &mirrors);
    let what = format!("{bond:?} {mirrors:?}");
    let bridge = |ports: Vec<BridgePort>, mirrors| Bridge {
        ports,
        is_in_order: true,
        mirrors,
        actions: None,
    };
    let ports = [
        port("b"),
        port("in"),
        port("copies"),
        bonded,
        patch("to-d", 1, "to-b"),
    ];
    let near = bridge(ports.into(), mirrors);
    let ports = [port("d"), port("other"), port("out"), patch("to-b", 0, "to-d")];
    let mut bridges = [near, bridge(ports.into(), Vec::new())];
    let [behind, out] = ["to-b", "out"].map(|name| FlowAction::Output(ofport(name)));
    for action in [FlowAction::Normal, FlowAction::All] {
        for list in [[behind, out], [out, behind]] {
            for (bridge, name, actions) in [(0, "b", &[action][..]), (1, "d", &list)] {
                let words: Vec<_> = actions.iter().map(word).collect();
                let flow = format!("actions={}", words.join(","));
                switch.ofctl(&["add-flow", &switch.mgmt(name), &flow]).unwrap();
                bridges[bridge].actions = Some(actions.into());
            }
            for (at, bridge, input) in [(0, "b", "in"), (1, "d", "other")] {
                let in_port = ofport(input);
                let packet = format!("in_port={in_port},udp,dl_dst=ff:ff:ff:ff:ff:ff");
                let theirs = traced(switch, bridge, &packet);
                let ours = Prediction::under(version(), |rules| {
                    let xlate = Xlate::new(rules, Packet::default());
                    let mut packet = Bridge::receive_among(&bridges, at, xlate, Some(in_port))?;
                    packet.run(bridges[at].actions.as_deref().unwrap_or_default())?;
                    Ok(packet.xlate.predict())
                });
                let what = format!("{bridge} {list:?} {action:?} {what}: {ours:?}\n{theirs}");
                compare(&ours, &theirs, action == FlowAction::All, &what);
            }
        }
    }
}

fn compare(ours: &Prediction, theirs: &str, is_open: bool, what: &str) {
    let theirs: Actions = theirs.parse().unwrap();
    let counted = theirs.output_count();
    match ours {
        Prediction::Exact(ours) => assert_eq!(named(ours), named(&theirs), "{what}"),
        // ALL takes the members one by one, in an open order.
        Prediction::Within { bytes, outputs, .. } if is_open => {
            let len = theirs.encoded_len().unwrap();
            assert!((bytes.least..=bytes.most).contains(&len), "{what}");
            assert!((outputs.least..=outputs.most).contains(&counted), "{what}");
        }
        Prediction::Within {
            sample,
            bytes,
            outputs,
        } => {
            assert!(bytes.is_exact() && outputs.is_exact(), "{what}");
            assert_eq!(named(sample), named(&theirs), "{what}");
            assert_eq!(outputs.least, counted, "{what}");
        }
        Prediction::Unknown(_) => panic!("{what}"),
    }
}

fn interface(ofport: u32, port: Port) -> Interface {
    Interface {
        ofport,
        port: Ok(port),
        floods: true,
    }
}

fn word(action: &FlowAction) -> String {
    match action {
        FlowAction::Normal => "NORMAL".to_owned(),
        FlowAction::All => "ALL".to_owned(),
        FlowAction::Output(ofport) => format!("output:{ofport}"),
        action => unreachable!("{action:?}"),
    }
}

fn of_the_bond() -> Mirror {
    Mirror {
        sources: Vec::new(),
        destinations: [3].into(),
        vlans: Vec::new(),
        output: MirrorOutput::Port(2),
        snaplen: None,
        has_filter: false,
    }
}

/// Of what comes in by a port; what is put out is to be cut.
fn to_the_bond() -> Mirror {
    Mirror {
        sources: [1].into(),
        destinations: Vec::new(),
        vlans: Vec::new(),
        output: MirrorOutput::Port(3),
        snaplen: Some(100),
        has_filter: false,
    }
}

/// A list without the numbers that only the switch knows: which member, which id.
fn named(actions: &Actions) -> Vec<Action> {
    let blind = |action: &Action| match action {
        Action::Recirc(_) => Action::Recirc(0),
        Action::LbOutput(_) => Action::LbOutput(0),
        Action::Output(_) => Action::Output(0),
        Action::Clone(inside) => Action::Clone(named(inside).into_iter().collect()),
        action => action.clone(),
    };
    // `drop` is what an empty list prints as.
    let list = actions.iter().filter(|action| !matches!(action, Action::Drop(_)));
    list.map(blind).collect()
}

/// A bond of bridge b, another one at the other ends of its wires, and a bridge that a patch port joins to b.
fn add_bonds(switch: &Switch) {
    for bridge in ["b", "c", "d"] {
        switch.add_bridge(bridge).unwrap();
    }
    for (bridge, port) in [("b", "in"), ("b", "copies"), ("d", "other"), ("d", "out")] {
        switch.add_port(bridge, port, &["type=dummy"]).unwrap();
    }
    for (bridge, bond, end) in [("b", "near", "pstream=punix"), ("c", "far", "stream=unix")] {
        let members = ["1", "2"].map(|number| format!("{bond}{number}"));
        let mut args = vec![
            "add-bond",
            bridge,
            bond,
            &members[0],
            &members[1],
            "other_config:lacp-time=fast",
        ];
        let wires = ["1", "2"].map(|number| {
            let socket = switch.db().dir().join(format!("wire{number}"));
            format!("options:{end}:{}", socket.display())
        });
        for (member, wire) in members.iter().zip(&wires) {
            args.extend(["--", "set", "Interface", member, "type=dummy", wire]);
        }
        switch.vsctl(&args).unwrap();
    }
    for (bridge, port, peer) in [("b", "to-d", "to-b"), ("d", "to-b", "to-d")] {
        let peer = format!("options:peer={peer}");
        switch.add_port(bridge, port, &["type=patch", &peer]).unwrap();
    }
}

/// Waits until the two bonds have come to this.
fn settle(switch: &Switch, lacp: Lacp) {
    let wanted = match lacp {
        Lacp::Negotiated => "lacp_status: negotiated",
        Lacp::Off => "lacp_status: off",
        _ => "lacp_status: configured",
    };
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let show = switch.appctl(&["bond/show", "near"]).unwrap();
        let is_up = |name: &str| show.contains(&format!("member {name}: enabled"));
        // Without a member that may send nothing is sent, for another reason.
        let sends = !matches!(lacp, Lacp::Pending { falls_back: false });
        if show.contains(wanted) && (!sends || is_up("near1") && is_up("near2")) {
            return;
        }
        assert!(Instant::now() < deadline, "{lacp:?}: {show}");
        sleep(Duration::from_millis(100));
    }
}

/// Replaces the mirrors of bridge b by these.
fn set_mirrors(switch: &Switch, mirrors: &[Mirror]) {
    switch.vsctl(&["clear", "Bridge", "b", "mirrors"]).unwrap();
    let port = |place: &usize| ["b", "in", "copies", "near"][*place];
    for (number, mirror) in mirrors.iter().enumerate() {
        let name = format!("name=m{number}");
        let mut args: Vec<String> = Vec::new();
        let MirrorOutput::Port(output) = &mirror.output else {
            unreachable!()
        };
        for place in [0, 1, 2, 3] {
            args.extend([&format!("--id=@p{place}"), "get", "Port", port(&place), "--"].map(str::to_owned));
        }
        let list = |column: &str, places: &[usize]| {
            let places: Vec<_> = places.iter().map(|place| format!("@p{place}")).collect();
            format!("{column}=[{}]", places.join(","))
        };
        args.extend(["--id=@m", "create", "Mirror", &name].map(str::to_owned));
        args.push(list("select_src_port", &mirror.sources));
        args.push(list("select_dst_port", &mirror.destinations));
        args.push(format!("output_port=@p{output}"));
        args.extend(mirror.snaplen.map(|len| format!("snaplen={len}")));
        args.extend(["--", "add", "Bridge", "b", "mirrors", "@m"].map(str::to_owned));
        switch
            .vsctl(&args.iter().map(String::as_str).collect::<Vec<_>>())
            .unwrap();
    }
}
