//! The connection, on a real switch.

use std::{error::Error as _, time::Duration};

use ofp_codec::{
    FlowMod, Version,
    client::{Admin, Connection, Error, Options},
    text::FlowRef,
    wire::{
        CtFlush, Entries, Message, MessageKind, Session, SessionError, TableFeatures, Versions, frame_len,
    },
};
use testbed::{Switch, or_skip};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, duplex},
    net::UnixStream,
};

use crate::{sessions::written, switch::switch};

/// The versions, and what `ovs-ofctl` calls them.
pub(crate) const VERSIONS: [(Version, &str); 6] = [
    (Version::V1_0, "OpenFlow10"),
    (Version::V1_1, "OpenFlow11"),
    (Version::V1_2, "OpenFlow12"),
    (Version::V1_3, "OpenFlow13"),
    (Version::V1_4, "OpenFlow14"),
    (Version::V1_5, "OpenFlow15"),
];

pub(crate) async fn connect(switch: &Switch, version: Version) -> Connection {
    let mut options = Options::default();
    options.versions = Versions::from_iter([version]);
    let connection = Connection::connect(&switch.mgmt("br0"), options).await.unwrap();
    assert_eq!(connection.version(), version);
    connection
}

/// What follows the line of the header.
fn body(text: &str) -> &str {
    text.split_once("):").unwrap().1
}

#[tokio::test]
async fn a_switch_describes_itself_and_its_ports_as_ovs_ofctl_prints_them() {
    let Some(switch) = switch() else { return };
    switch
        .vsctl(&[
            "add-port",
            "br0",
            "a b",
            "--",
            "set",
            "interface",
            "a b",
            "type=dummy",
        ])
        .unwrap();
    switch
        .vsctl(&[
            "add-port",
            "br0",
            "eth0",
            "--",
            "set",
            "interface",
            "eth0",
            "type=dummy",
        ])
        .unwrap();
    let br0 = switch.mgmt("br0");
    for (version, name) in VERSIONS {
        let mut connection = connect(&switch, version).await;
        let desc = switch.ofctl(&["-O", name, "dump-desc", &br0]).unwrap();
        assert_eq!(connection.description().await.unwrap().to_string(), body(&desc));
        let shown = switch.ofctl(&["-O", name, "dump-ports-desc", &br0]).unwrap();
        let mut ports = connection.ports().await.unwrap();
        ports.sort_by_key(|port| port.port);
        assert_eq!(ports.len(), 3);
        let ports: String = ports.iter().map(ToString::to_string).collect();
        assert_eq!(format!("\n{ports}"), body(&shown), "{name}");
        let names = connection.port_names().await.unwrap();
        assert!(names.ports.contains_key("eth0"));
        let features = connection.features().await.unwrap().to_string();
        let shown = switch.ofctl(&["-O", name, "show", &br0]).unwrap();
        assert!(body(&shown).starts_with(&features), "{name}: {features} {shown}");
        connection.barrier().await.unwrap();
        connection.echo(b"payload").await.unwrap();
    }
}

#[tokio::test]
async fn tables_have_the_names_of_the_database_in_every_version() {
    let Some(switch) = switch() else { return };
    let table = [
        "--id=@acl",
        "create",
        "flow_table",
        "name=acl",
        "--",
        "set",
        "bridge",
        "br0",
    ];
    switch
        .vsctl(&[&["--"], &table[..], &["flow_tables:5=@acl"]].concat())
        .unwrap();
    for (version, name) in VERSIONS {
        let names = connect(&switch, version).await.table_names().await.unwrap();
        assert_eq!(names.tables.get("acl"), Some(&5), "{name}");
    }
}

#[tokio::test]
async fn what_tables_can_do_is_written_as_the_switch_writes_it_and_prints_as_ovs_ofctl_prints_it() {
    let Some(switch) = switch() else { return };
    let br0 = switch.mgmt("br0");
    for (version, name) in VERSIONS {
        let mut connection = connect(&switch, version).await;
        let stats = connection.tables().unwrap().collect().await.unwrap();
        assert!(stats.len() > 200, "{name}");
        if version < Version::V1_3 {
            assert!(connection.table_features().is_err());
            continue;
        }
        let tables = connection.table_features().unwrap().collect().await.unwrap();
        assert_eq!(tables.len(), stats.len(), "{name}");
        // A table that says all; most of what is then compared is the order of fields and actions.
        let shown = switch.ofctl(&["-O", name, "dump-table-features", &br0]).unwrap();
        let one = |table: &TableFeatures| {
            let mut message = Vec::new();
            let kind = MessageKind::TableFeaturesReply;
            let encoded = kind.encode(version, 2, &mut message, |writer| table.encode(version, writer));
            encoded.unwrap();
            message
        };
        let first = one(&tables[0]);
        let message = Message::parse(&first).unwrap();
        assert_eq!(
            Entries::<TableFeatures>::of(&message).next().unwrap().unwrap(),
            tables[0]
        );
        let text = message.to_string();
        assert!(
            shown.trim_start().starts_with(body(&text).trim_start()),
            "{text}\n{shown}"
        );
        let replies = replies(&switch, version, MessageKind::TableFeaturesRequest, &[]).await;
        let entries = replies
            .iter()
            .map(|reply| Message::parse(reply).unwrap().body().rest());
        assert_eq!(
            entries.collect::<Vec<_>>().concat(),
            tables
                .iter()
                .flat_map(|table| one(table).split_off(16))
                .collect::<Vec<u8>>()
        );
    }
}

#[tokio::test]
async fn what_a_switch_says_of_itself_is_written_as_it_says_it_in_every_version() {
    let Some(switch) = switch() else { return };
    let br0 = switch.mgmt("br0");
    for port in ["p1", "p2"] {
        let add = [
            "add-port",
            "br0",
            port,
            "--",
            "set",
            "interface",
            port,
            "type=dummy",
        ];
        switch.vsctl(&add).unwrap();
    }
    for (version, name) in VERSIONS {
        switch
            .ofctl(&["-O", name, "mod-port", &br0, "p1", "down"])
            .unwrap();
        let any = match version {
            Version::V1_0 => &[0xff, 0xff, 0, 0, 0, 0, 0, 0],
            _ => &[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0],
        };
        let ports: &[u8] = if version >= Version::V1_5 { any } else { &[] };
        for (kind, body) in [
            (MessageKind::FeaturesRequest, &[][..]),
            (MessageKind::DescRequest, &[]),
            (MessageKind::PortDescRequest, ports),
            (MessageKind::PortRequest, any),
            (MessageKind::GetConfigRequest, &[]),
        ] {
            for reply in replies(&switch, version, kind, body).await {
                let message = Message::parse(&reply).unwrap();
                let body = message.body().rest();
                assert_eq!(written(&message).as_deref(), Some(body), "{name} {message}");
            }
        }
    }
}

/// The messages of a reply, as the switch sends them.
async fn replies(switch: &Switch, version: Version, kind: MessageKind, body: &[u8]) -> Vec<Vec<u8>> {
    let mut stream = UnixStream::connect(switch.mgmt("br0").trim_start_matches("unix:"))
        .await
        .unwrap();
    let mut session = Session::new(Versions::from_iter([version]));
    let (mut replies, mut asked, mut buffer) = (Vec::new(), None, vec![0; 1 << 16]);
    loop {
        let len = session.outgoing().len();
        stream.write_all(session.outgoing()).await.unwrap();
        session.sent(len);
        let len = stream.read(&mut buffer).await.unwrap();
        session.receive(&buffer[..len]);
        if session.handshake().unwrap().is_some() && asked.is_none() {
            let request = session.request(kind, |writer| {
                writer.bytes(body);
                Ok(())
            });
            asked = Some(request.unwrap());
        }
        while let Some(received) = session.next().unwrap() {
            let message = Message::parse(received.bytes()).unwrap();
            if Some(message.header().xid) == asked {
                replies.push(message.bytes().to_vec());
                if !message.more() {
                    return replies;
                }
            }
        }
    }
}

#[tokio::test]
async fn a_version_that_the_switch_does_not_allow_is_refused_with_its_reason() {
    let Some(switch) = or_skip(Switch::start()) else {
        return;
    };
    switch.add_bridge("br0").unwrap();
    switch
        .vsctl(&["set", "bridge", "br0", "protocols=OpenFlow13"])
        .unwrap();
    let mut options = Options::default();
    options.versions = Versions::from_iter([Version::V1_0]);
    let error = Connection::connect(&switch.mgmt("br0"), options)
        .await
        .unwrap_err();
    assert!(error.is_connection_lost());
    assert_eq!(error.to_string(), "we speak OpenFlow 0x01, the peer 0x04");
    let all = Connection::connect(&switch.mgmt("br0"), Options::default())
        .await
        .unwrap();
    assert_eq!(all.version(), Version::V1_3);
}

#[tokio::test]
async fn an_address_that_is_none_and_one_where_nobody_is_are_errors() {
    let error = Connection::connect("ssl:127.0.0.1", Options::default())
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "\"ssl:127.0.0.1\" is neither unix:FILE nor tcp:HOST:PORT"
    );
    let error = Connection::connect("unix:/nonexistent/br0.mgmt", Options::default())
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "unix:/nonexistent/br0.mgmt: no connection");
    let cause = error.source().unwrap().to_string();
    assert!(cause.starts_with("No such file"), "{cause}");
}

/// A peer that says hello, then sends this, and keeps the connection open.
async fn peer(then: Vec<u8>) -> (Connection, tokio::task::JoinHandle<Vec<u8>>) {
    let (ours, mut theirs) = duplex(1 << 20);
    let task = tokio::spawn(async move {
        theirs.write_all(&[4, 0, 0, 8, 0, 0, 0, 1]).await.unwrap();
        theirs.write_all(&then).await.unwrap();
        let mut got = Vec::new();
        theirs.read_to_end(&mut got).await.unwrap();
        got
    });
    let mut options = Options::default();
    options.deadline = Duration::from_millis(50);
    options.probe_interval = Duration::from_millis(200);
    options.max_events = 2;
    (Connection::over(ours, options).await.unwrap(), task)
}

#[tokio::test]
async fn a_reply_that_does_not_come_in_time_costs_the_request_and_not_the_connection() {
    let (mut connection, task) = peer(Vec::new()).await;
    let error = connection.barrier().await.unwrap_err();
    assert!(matches!(error, Error::Deadline { .. }), "{error}");
    assert!(!error.is_connection_lost());
    let error = connection.barrier().await.unwrap_err();
    assert!(matches!(error, Error::Deadline { .. }), "{error}");
    drop(connection);
    // A machine that is busy may take long enough for a probe, too.
    let sent = task.await.unwrap();
    let barriers = sent.chunks(8).filter(|message| message[1] == 20);
    assert_eq!(barriers.count(), 2);
}

#[tokio::test]
async fn a_peer_that_asks_for_echoes_and_reads_none_is_given_up() {
    let (ours, mut theirs) = duplex(1 << 16);
    tokio::spawn(async move {
        theirs.write_all(&[4, 0, 0, 8, 0, 0, 0, 1]).await.unwrap();
        let mut echo = vec![0; 32_768];
        echo[..8].copy_from_slice(&[4, 2, 0x80, 0, 0, 0, 0, 9]);
        while theirs.write_all(&echo).await.is_ok() {}
        std::future::pending::<()>().await;
    });
    let mut connection = Connection::over(ours, Options::default()).await.unwrap();
    let error = connection.event().await.unwrap_err();
    assert!(
        matches!(error, Error::Session(SessionError::Unread { .. })),
        "{error}"
    );
    assert!(error.is_connection_lost());
    let again = connection.barrier().await.unwrap_err();
    assert_eq!(again.to_string(), error.to_string());
}

#[tokio::test]
async fn a_peer_that_takes_no_changes_costs_the_caller_no_more_than_the_deadline() {
    let (ours, mut theirs) = duplex(1 << 16);
    tokio::spawn(async move {
        theirs.write_all(&[4, 0, 0, 8, 0, 0, 0, 1]).await.unwrap();
        // It is not silent, but reads nothing.
        while theirs.write_all(&[4, 3, 0, 8, 0, 0, 0, 9]).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    let mut options = Options::default();
    options.deadline = Duration::from_millis(50);
    let connection = Connection::over(ours, options).await.unwrap();
    let flow = FlowRef::parse(b"actions=drop").unwrap().to_flow().unwrap();
    let changes = vec![FlowMod::add(flow); 10_000];
    let error = Admin::new(connection).change(&changes).await.unwrap_err();
    assert!(matches!(error, Error::Deadline { .. }), "{error}");
}

#[tokio::test]
async fn a_silent_peer_is_probed_and_then_gone() {
    let (mut connection, task) = peer(Vec::new()).await;
    let error = connection.event().await.unwrap_err();
    assert!(matches!(error, Error::Silent { .. }), "{error}");
    drop(connection);
    let sent = task.await.unwrap();
    assert_eq!(frame_len(&sent[8..]), Ok(Some(8)));
    assert_eq!(sent[9], 2, "an echo request");
}

#[tokio::test]
async fn a_peer_that_nobody_listened_to_is_not_held_to_be_silent() {
    let Some(switch) = switch() else { return };
    let mut options = Options::default();
    options.probe_interval = Duration::from_secs(1);
    let connection = Connection::connect(&switch.mgmt("br0"), options).await;
    let mut connection = connection.unwrap();
    // Longer than the peer may be silent and then leave a probe unanswered.
    tokio::time::sleep(Duration::from_millis(2100)).await;
    connection.barrier().await.unwrap();
}

#[tokio::test]
async fn events_beyond_the_limit_are_counted() {
    let paused = [4, 4, 0, 16, 0, 0, 0, 0, 0x4f, 0x4e, 0x46, 0, 0, 0, 7, 0x4f];
    let (mut connection, _task) = peer(paused.repeat(5)).await;
    connection.barrier().await.unwrap_err();
    assert_eq!(connection.events_lost(), 3);
    for _ in 0..2 {
        let event = connection.event().await.unwrap();
        assert_eq!(event.message().unwrap().bytes(), paused);
    }
}

/// Releases before 3.3 pass over the mark, and would flush more.
#[tokio::test]
async fn connections_are_flushed_by_mark_only_where_the_switch_looks_at_it() {
    let Some(switch) = switch() else { return };
    let mut admin = Admin::new(connect(&switch, Version::V1_3).await);
    let mut flush = CtFlush {
        zone: Some(3),
        ..CtFlush::default()
    };
    admin.flush_connections(&flush).await.unwrap();
    flush.mark = Some((5, 0xff));
    flush.labels = Some((9, u128::MAX));
    let result = admin.flush_connections(&flush).await;
    if testbed::version().unwrap() >= testbed::Version::new(3, 3, 0) {
        result.unwrap();
    } else {
        let error = result.unwrap_err();
        assert!(matches!(error, Error::Release { needs: "3.3", .. }), "{error}");
    }
}
