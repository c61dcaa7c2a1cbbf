//! Flows from the wire of a real switch: all of them, in every version, where `ovs-ofctl` loses some.

use std::{
    io::{Read, Write},
    os::unix::net::UnixStream,
};

use ofp_codec::{
    Flow, Port, Version,
    diff::diff,
    recover::Recovery,
    text::{FlowRef, Item, items},
    wire::{
        Aggregate, FlowRemovedReason, FlowRemovedRef, FlowRequest, FlowStatsRef, Message, MessageKind, Writer,
    },
};
use testbed::Switch;

use crate::{
    oracle,
    switch::{REFUSED, switch},
};

/// A switch that is asked in one version.
struct Peer {
    stream: UnixStream,
    version: Version,
}

impl Peer {
    fn new(switch: &Switch, version: Version) -> Self {
        let mgmt = switch.mgmt("br0");
        let mut stream = UnixStream::connect(mgmt.trim_start_matches("unix:")).unwrap();
        stream.write_all(&[version.0, 0, 0, 8, 0, 0, 0, 1]).unwrap();
        let mut peer = Peer { stream, version };
        assert_eq!(
            Message::parse(&peer.read()).unwrap().kind(),
            Some(MessageKind::Hello)
        );
        peer
    }

    /// The messages of the reply to a request about all flows.
    fn ask(&mut self, kind: MessageKind) -> Vec<Vec<u8>> {
        let mut request = Vec::new();
        FlowRequest::default()
            .encode(kind, self.version, 7, &mut request)
            .unwrap();
        self.stream.write_all(&request).unwrap();
        let mut messages = Vec::new();
        loop {
            let bytes = self.read();
            let message = Message::parse(&bytes).unwrap();
            let more = message.more();
            if message.header().xid == 7 {
                messages.push(bytes);
                if !more {
                    return messages;
                }
            }
        }
    }

    fn read(&mut self) -> Vec<u8> {
        let mut message = vec![0; 8];
        self.stream.read_exact(&mut message).unwrap();
        let len = u16::from_be_bytes([message[2], message[3]]);
        message.resize(len.into(), 0);
        self.stream.read_exact(&mut message[8..]).unwrap();
        message
    }
}

/// The flows of a reply, each of which encodes to the bytes that it came in.
fn flows(messages: &[Vec<u8>]) -> Vec<Flow> {
    let mut flows = Vec::new();
    for bytes in messages {
        let message = Message::parse(bytes).unwrap();
        let mut again = bytes[..bytes.len() - message.body().len()].to_vec();
        for entry in FlowStatsRef::entries(&message).unwrap() {
            let entry = entry.unwrap();
            entry.encode(&mut Writer::new(&mut again)).unwrap();
            flows.push(entry.to_flow().unwrap());
        }
        assert_eq!(&again, bytes);
    }
    flows
}

fn printed(dump: &str) -> Vec<String> {
    let flows = items(dump.as_bytes()).filter_map(|item| match item.unwrap() {
        Item::Flow(flow) => Some(flow.to_string().trim_start().to_owned()),
        _ => None,
    });
    flows.collect()
}

fn lost_flows(dump: &str) -> Vec<Flow> {
    let mut recovery = Recovery::default();
    let messages = items(dump.as_bytes()).filter_map(|item| recovery.push(&item.unwrap()));
    let flows = messages.flat_map(|message| message.flows());
    let flows = flows.collect::<Result<_, _>>().unwrap();
    assert_eq!(recovery.missing(), 0);
    flows
}

#[test]
fn a_dump_that_ends_within_the_bytes_of_a_message_says_so() {
    let dumps = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/dumps");
    let dump = std::fs::read_to_string(dumps.join("br-nsh.of10.txt")).unwrap();
    let mut recovery = Recovery::default();
    for item in items(&dump.as_bytes()[..dump.len() / 2]) {
        assert_eq!(item.ok().and_then(|item| recovery.push(&item)), None);
    }
    assert_eq!(recovery.missing(), 1);
}

#[test]
fn the_flows_behind_a_decode_error_are_read_from_its_bytes() {
    let dumps = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/dumps");
    let read = |name: &str| std::fs::read_to_string(dumps.join(name)).unwrap();
    let of10 = read("br-nsh.of10.txt");
    assert_eq!((printed(&of10).len(), lost_flows(&of10).len()), (1, 12));
    // The same table in a version whose dump is whole.
    let mut flows = lost_flows(&of10);
    flows.extend(items(of10.as_bytes()).filter_map(|item| match item.unwrap() {
        Item::Flow(flow) => Some(flow.to_flow().unwrap()),
        _ => None,
    }));
    let of13 = read("br-nsh.of13.txt");
    let whole = items(of13.as_bytes()).filter_map(|item| match item.unwrap() {
        Item::Flow(flow) => Some(flow.to_flow().unwrap()),
        _ => None,
    });
    assert_eq!(diff(&flows, &whole.collect::<Vec<_>>()), []);

    let first = read("br-nsh-first.of10.txt");
    assert_eq!((printed(&first).len(), lost_flows(&first).len()), (0, 2));
}

#[test]
fn a_table_of_every_field_and_action_is_dumped_wholly_in_every_version() {
    let Some(switch) = switch() else { return };
    let br0 = switch.mgmt("br0");
    let lines: Vec<_> = oracle::flows_read_back_in(&["OpenFlow13", "OpenFlow15"])
        .into_iter()
        .filter(|flow| REFUSED.iter().all(|word| !flow.contains(word)))
        .zip(1..)
        .map(|(flow, priority)| format!("priority={priority},{flow}\n"))
        .collect();
    assert!(lines.len() > 900);
    let add = ["-O", "OpenFlow15", "add-flows", &br0, "-"];
    switch.ofctl_stdin(&add, &lines.concat()).unwrap();

    let mut first = None;
    for version in (1..=6).rev() {
        let version = Version(version);
        let mut peer = Peer::new(&switch, version);
        let found = flows(&peer.ask(MessageKind::FlowRequest));
        assert_eq!(found.len(), lines.len(), "{version:?}");

        let sum = peer.ask(MessageKind::AggregateRequest);
        let sum = Aggregate::decode(&Message::parse(&sum[0]).unwrap()).unwrap();
        assert_eq!(usize::try_from(sum.n_flows), Ok(found.len()));

        let name = format!("OpenFlow1{}", version.0 - 1);
        let dump = switch.ofctl(&["-O", &name, "dump-flows", &br0]).unwrap();
        let theirs = printed(&dump);
        if version < Version::V1_3 {
            // An action that it does not know costs it the rest of a message.
            assert!(theirs.len() < found.len(), "{version:?} {}", theirs.len());
        } else {
            assert_eq!(theirs.len(), found.len());
        }
        // The bytes of what it does not know are in its dump.
        let recovered = theirs.len() + lost_flows(&dump).len();
        assert_eq!(recovered, found.len(), "{version:?}");

        let known = first.get_or_insert_with(|| found.clone());
        let known: Vec<_> = known.iter().map(|flow| flow.canonical(version)).collect();
        let found: Vec<_> = found.iter().map(|flow| flow.canonical(version)).collect();
        let changes: Vec<_> = diff(&known, &found).iter().map(ToString::to_string).collect();
        assert_eq!(changes, [""; 0], "{version:?}");

        // What it prints at all, we print as it does; between the two dumps the clock went on.
        let still = |line: &str| {
            let (before, after) = line.split_once("duration=").unwrap();
            let (_, after) = after.split_once(", ").unwrap();
            let line = format!("{before}{after}");
            let ages = ["idle_age=", "hard_age="];
            let words = line
                .split(' ')
                .filter(|word| ages.iter().all(|age| !word.starts_with(age)));
            words.collect::<Vec<_>>().join(" ")
        };
        let ours: std::collections::BTreeSet<_> = found.iter().map(|flow| still(&flow.to_string())).collect();
        for line in &theirs {
            assert!(ours.contains(&still(line)), "{version:?} {line}");
        }
    }
}

/// What `ovs-ofctl ofp-print` prints of a message.
fn ofp_print(switch: &Switch, bytes: &[u8]) -> String {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    switch.ofctl(&["ofp-print", &hex]).unwrap().trim_end().to_owned()
}

#[test]
fn a_flow_that_goes_is_told_in_every_version_and_printed_as_ovs_ofctl_prints_it() {
    let Some(switch) = switch() else { return };
    let br0 = switch.mgmt("br0");
    for version in 1..=6 {
        let mut peer = Peer::new(&switch, Version(version));
        // OFPT_SET_CONFIG: who wants whole packets gets messages of its own accord, too.
        peer.stream
            .write_all(&[version, 9, 0, 12, 0, 0, 0, 2, 0, 0, 0xff, 0xff])
            .unwrap();
        let flow = "table=2,cookie=0x7,priority=9,idle_timeout=300,hard_timeout=400,send_flow_rem,\
                    tcp,in_port=1,nw_dst=10.0.0.0/8,tp_dst=80,actions=NORMAL";
        // The switch answers an echo when it has read what came before.
        peer.stream.write_all(&[version, 2, 0, 8, 0, 0, 0, 3]).unwrap();
        while Message::parse(&peer.read()).unwrap().kind() != Some(MessageKind::EchoReply) {}
        switch
            .ofctl(&["-O", "OpenFlow14", "add-flow", &br0, flow])
            .unwrap();
        switch.ofctl(&["-O", "OpenFlow14", "del-flows", &br0]).unwrap();
        let bytes = loop {
            let bytes = peer.read();
            if Message::parse(&bytes).unwrap().kind() == Some(MessageKind::FlowRemoved) {
                break bytes;
            }
        };
        let message = Message::parse(&bytes).unwrap();
        assert_eq!(message.to_string(), ofp_print(&switch, &bytes));
        let removed = FlowRemovedRef::decode(&message).unwrap();
        let mut again = Vec::new();
        removed.encode(message.header().xid, &mut again).unwrap();
        assert_eq!(again, bytes);
        let removed = removed.to_flow_removed().unwrap();
        assert_eq!(removed.reason, FlowRemovedReason::DELETE);
        assert_eq!((removed.flow.cookie, removed.flow.priority), (7, 9));
    }
}

#[test]
fn requests_print_as_ovs_ofctl_prints_them_and_decode_to_what_they_were() {
    let Some(switch) = switch() else { return };
    let flow = FlowRef::parse(b"tcp,in_port=3,dl_vlan=5,nw_src=10.1.0.0/16 actions=drop");
    let request = FlowRequest {
        table: 3.into(),
        out_port: Port::LOCAL,
        cookie: (5, 0xf),
        matches: flow.unwrap().to_flow().unwrap().matches,
        ..FlowRequest::default()
    };
    for version in (1..=6).map(Version) {
        for kind in [MessageKind::FlowRequest, MessageKind::AggregateRequest] {
            let mut bytes = Vec::new();
            request.encode(kind, version, 1, &mut bytes).unwrap();
            let message = Message::parse(&bytes).unwrap();
            assert_eq!(message.to_string(), ofp_print(&switch, &bytes));
            let again = FlowRequest::decode(&message).unwrap();
            assert_eq!(again.canonical(version), request.canonical(version));
            for len in 0..bytes.len() {
                let mut short = bytes[..len].to_vec();
                if let Some(len_at) = short.get_mut(2..4) {
                    len_at.copy_from_slice(&u16::try_from(len).unwrap().to_be_bytes());
                }
                let short = Message::parse(&short);
                assert!(short.and_then(|message| FlowRequest::decode(&message)).is_err());
            }
        }
    }
}
