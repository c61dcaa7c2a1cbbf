//! Flows from the wire of a real switch: all of them, in every version, where `ovs-ofctl` loses some.

use std::{
    io::{Read, Write},
    os::unix::net::UnixStream,
};

use ofp_codec::{
    Flow, Version,
    diff::diff,
    recover::Recovery,
    text::{Item, items},
    wire::{Aggregate, FlowRequest, FlowStatsRef, Message, MessageKind, Writer},
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
    flows.collect::<Result<_, _>>().unwrap()
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
