//! The messages that `ovs-ofctl add-flows` sends, in the versions and forms that there are no vectors of: it is
//! run against a switch that only listens.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use ofp_codec::{
    Version,
    wire::{FlowModRef, Message, MessageKind as Kind, Session, Versions},
};
use testbed::{or_skip, program};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{UnixListener, UnixStream},
};

use crate::flow_mods::{add, bytes_exception, rows};

/// Says hello and answers barriers; gives the messages that change flows.
async fn listen(mut stream: UnixStream, version: Version) -> Vec<Vec<u8>> {
    let mut session = Session::new(Versions::from_iter([version]));
    let (mut flow_mods, mut buffer) = (Vec::new(), vec![0; 1 << 16]);
    loop {
        let len = session.outgoing().len();
        if stream.write_all(session.outgoing()).await.is_err() {
            return flow_mods;
        }
        session.sent(len);
        let len = stream.read(&mut buffer).await.unwrap_or(0);
        if len == 0 {
            return flow_mods;
        }
        session.receive(&buffer[..len]);
        let mut barriers = Vec::new();
        while let Some(received) = session.next().unwrap() {
            let message = Message::parse(received.bytes()).unwrap();
            match message.kind() {
                Some(Kind::FlowMod) => flow_mods.push(message.bytes().to_vec()),
                Some(Kind::BarrierRequest) => barriers.push(message.header().xid),
                _ => {}
            }
        }
        for xid in barriers {
            let reply =
                |version, _, out: &mut Vec<u8>| Kind::BarrierReply.encode(version, xid, out, |_| Ok(()));
            session.send(reply).unwrap();
        }
    }
}

/// What `ovs-ofctl` sends for those of the flows that it can say in this form.
async fn sent(version: Version, options: &'static [&'static str]) -> Vec<(String, Vec<u8>)> {
    let dir = tempfile::tempdir().unwrap();
    let (socket, file) = (dir.path().join("switch"), dir.path().join("flows"));
    let flows = usable(&flows(), options, &file);
    fs::write(&file, flows.join("\n") + "\n").unwrap();
    let listener = UnixListener::bind(&socket).unwrap();
    let ofctl = tokio::task::spawn_blocking(move || {
        let mut ofctl = Command::new(program("ovs-ofctl").unwrap());
        let remote = format!("unix:{}", socket.display());
        ofctl
            .args(options)
            .args(["--no-names", "add-flows", &remote])
            .arg(&file);
        assert!(ofctl.output().unwrap().status.success());
    });
    let (stream, _) = listener.accept().await.unwrap();
    let flow_mods = listen(stream, version).await;
    ofctl.await.unwrap();
    assert_eq!(flow_mods.len(), flows.len(), "{options:?}");
    flows.into_iter().zip(flow_mods).collect()
}

/// The flows of the vectors.
fn flows() -> Vec<String> {
    let flows: BTreeSet<String> = rows().into_iter().map(|row| row.flow).collect();
    flows.into_iter().collect()
}

/// Those of the flows that have this form; one that has not spoils all that are asked for with it.
pub(crate) fn usable(flows: &[String], options: &[&str], file: &Path) -> Vec<String> {
    fs::write(file, flows.join("\n") + "\n").unwrap();
    let parsed = Command::new(program("ovs-ofctl").unwrap())
        .args(options)
        .arg("parse-flows")
        .arg(file)
        .output();
    match flows.len() {
        _ if parsed.unwrap().status.success() => flows.to_vec(),
        0 | 1 => Vec::new(),
        len => {
            let (first, second) = flows.split_at(len / 2);
            [usable(first, options, file), usable(second, options, file)].concat()
        }
    }
}

/// Compares what we send: the text of the message always, the bytes but where release 3.1 is wrong.
async fn compare(version: Version, options: &'static [&'static str], counts: (usize, usize), own: bool) {
    if or_skip(program("ovs-ofctl")).is_none() {
        return;
    }
    let (mut equal, mut exceptions) = (0, 0);
    for (flow, theirs) in sent(version, options).await {
        let mut ours = Vec::new();
        let xid = u32::from_be_bytes(theirs[4..8].try_into().unwrap());
        let encoded = match own {
            true => add(&flow).encode_of10(xid, &mut ours),
            false => add(&flow).encode(version, xid, &mut ours),
        };
        // What is read is written again.
        let mut again = Vec::new();
        let message = Message::parse(&theirs).unwrap();
        FlowModRef::decode(&message)
            .unwrap()
            .encode(xid, &mut again)
            .unwrap();
        assert_eq!(again, theirs, "{flow}");
        if encoded.is_ok() && ours == theirs {
            equal += 1;
        } else if bytes_exception(version, &flow, &encoded).is_some() {
            exceptions += 1;
        } else {
            panic!("{version:?} {flow} {encoded:?}\n{theirs:02x?}\n{ours:02x?}");
        }
    }
    assert_eq!((equal, exceptions), counts);
}

#[tokio::test]
async fn flows_are_written_as_ovs_ofctl_writes_them_in_openflow_1_2() {
    compare(Version::V1_2, &["-O", "OpenFlow12"], (1262, 56), false).await;
}

#[tokio::test]
async fn flows_are_written_as_ovs_ofctl_writes_them_in_openflow_1_4() {
    compare(Version::V1_4, &["-O", "OpenFlow14"], (1270, 55), false).await;
}

#[tokio::test]
async fn flows_are_written_as_ovs_ofctl_writes_them_in_openflow_1_0_of_its_own() {
    let options = &["-O", "OpenFlow10", "-F", "OpenFlow10+table_id"];
    compare(Version::V1_0, options, (659, 40), true).await;
}
