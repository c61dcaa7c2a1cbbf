//! Flows over a connection to a real switch: read, changed, watched.

use std::{process::Command, time::Duration};

use ofp_codec::{
    Flow, FlowMod, Port, Version,
    client::{Admin, Connection, Error, FlowMonitor, FlowWatch, MonitorEvent, Options, WatchEvent},
    text::FlowRef,
    wire::{
        Continuation, FlowRequest, FlowUpdate, Message, MessageKind, MonitorFlags, MonitorRequest, Ofperr,
        PacketIn, PacketInFormat, PacketOut, Versions,
    },
};

use tokio::{
    io::copy_bidirectional,
    net::{UnixListener, UnixStream},
    sync::mpsc,
    time::timeout,
};

use crate::{
    client::{VERSIONS, connect},
    switch::{has_monitors, switch},
};

fn flow(text: &str) -> Flow {
    FlowRef::parse(text.as_bytes()).unwrap().to_flow().unwrap()
}

/// Adds of this many flows that do not overlap.
fn adds(count: u32) -> Vec<FlowMod> {
    let add = |n: u32| {
        let [_, b, c, d] = n.to_be_bytes();
        FlowMod::add(flow(&format!(
            "priority=7,ip,nw_dst=10.{b}.{c}.{d} actions=output:1"
        )))
    };
    (0..count).map(add).collect()
}

/// The flows, without what differs from moment to moment.
async fn read(connection: &mut Connection) -> Vec<String> {
    let version = connection.version();
    let mut dump = connection.flows(&FlowRequest::default()).unwrap();
    let mut flows = Vec::new();
    while let Some(flow) = dump.next().await.unwrap() {
        let mut flow = flow.unwrap().canonical(version);
        flow.stats = Default::default();
        flows.push(flow.to_string());
    }
    flows.sort();
    flows
}

#[tokio::test]
async fn flows_are_those_that_ovs_ofctl_dumps_in_every_version() {
    let Some(switch) = switch() else { return };
    let br0 = switch.mgmt("br0");
    for flow in [
        "table=3,cookie=0x5,priority=7,tcp,tp_dst=80,actions=resubmit(,4)",
        "reg0=0x1/0xf,actions=load:0x7->NXM_NX_REG1[],output:2",
        "idle_timeout=600,icmp6,icmp_type=135,actions=drop",
        "priority=0,actions=NORMAL",
    ] {
        switch
            .ofctl(&["-O", "OpenFlow13", "add-flow", &br0, flow])
            .unwrap();
    }
    for (version, name) in VERSIONS {
        let mut connection = connect(&switch, version).await;
        let shown = switch
            .ofctl(&["-O", name, "--no-stats", "dump-flows", &br0])
            .unwrap();
        let mut shown: Vec<&str> = shown.lines().map(|line| line.trim_start()).collect();
        shown.sort_unstable();
        assert_eq!(read(&mut connection).await, shown, "{name}");
        let aggregate = connection.aggregate(&FlowRequest::default()).await.unwrap();
        assert_eq!(
            aggregate.to_string(),
            "packet_count=0 byte_count=0 flow_count=4",
            "{name}"
        );
    }
}

#[tokio::test]
async fn one_bad_flow_in_a_bundle_of_10000_leaves_the_table_as_it_was_and_is_named() {
    let Some(switch) = switch() else { return };
    let br0 = switch.mgmt("br0");
    for version in [Version::V1_3, Version::V1_4, Version::V1_5] {
        let mut admin = Admin::new(connect(&switch, version).await);
        admin.add_flow(flow("priority=1,actions=drop")).await.unwrap();
        let before = read(admin.connection()).await;
        let mut changes = adds(10_000);
        changes[6_789] = FlowMod::add(flow("priority=9,actions=group:99"));
        let error = admin.change_all(&changes).await.unwrap_err();
        let Error::Change { index, change, error } = error else {
            panic!("{error}");
        };
        assert_eq!((index, *change), (6_789, changes[6_789].clone()));
        let Error::Refused(error) = *error else {
            panic!("{error}")
        };
        assert_eq!(error.error(), Some(Ofperr::OFPBAC_BAD_OUT_GROUP));
        assert_eq!(read(admin.connection()).await, before);
        // The same connection takes the bundle without it.
        changes.remove(6_789);
        admin.change_all(&changes).await.unwrap();
        assert_eq!(read(admin.connection()).await.len(), 10_000);
        switch.ofctl(&["-O", "OpenFlow13", "del-flows", &br0]).unwrap();
    }
}

#[tokio::test]
async fn changes_one_by_one_stop_at_the_first_that_is_refused() {
    let Some(switch) = switch() else { return };
    for (version, name) in VERSIONS {
        let mut admin = Admin::new(connect(&switch, version).await);
        let mut changes = adds(3);
        changes.push(FlowMod::add(flow("priority=9,actions=output:0xfff7")));
        changes.push(FlowMod::add(flow("priority=9,in_port=1,actions=drop")));
        let error = admin.change(&changes).await.unwrap_err();
        assert!(matches!(error, Error::Change { index: 3, .. }), "{name}: {error}");
        assert!(read(admin.connection()).await.len() >= 3, "{name}");
        admin.change(&changes[..3]).await.unwrap();
        for change in changes {
            admin.delete_flow(change.flow).await.ok();
        }
        assert_eq!(read(admin.connection()).await, [""; 0], "{name}");
    }
}

#[tokio::test]
async fn a_bundle_needs_openflow_1_3() {
    let Some(switch) = switch() else { return };
    let mut admin = Admin::new(connect(&switch, Version::V1_0).await);
    let error = admin.change_all(&adds(1)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "BUNDLE_CONTROL cannot be expressed in OpenFlow version 1"
    );
}

/// The next event that is not of the switch itself.
async fn next(monitor: &mut FlowMonitor<'_>) -> String {
    loop {
        let event = timeout(Duration::from_secs(10), monitor.next()).await;
        match event.expect("an event").unwrap() {
            MonitorEvent::Update(update) => return update.canonical(monitor.version()).to_string(),
            MonitorEvent::InSync => return "in sync".to_owned(),
            MonitorEvent::Bad(bad) => panic!("{bad}"),
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_monitor_tells_what_is_there_and_then_each_change() {
    let Some(switch) = switch() else { return };
    let br0 = switch.mgmt("br0");
    for (version, name) in VERSIONS.into_iter().filter(|(version, _)| has_monitors(*version)) {
        let ofctl = |args: &[&str]| switch.ofctl(&[&["-O", name][..], args].concat()).unwrap();
        ofctl(&[
            "add-flow",
            &br0,
            "table=1,cookie=0x7,priority=5,tcp,actions=output:2",
        ]);
        let mut connection = connect(&switch, version).await;
        let mut monitor = connection.monitor(&MonitorRequest::default()).unwrap();
        let first = if version < Version::V1_4 {
            "ADDED"
        } else {
            "INITIAL"
        };
        assert_eq!(
            next(&mut monitor).await,
            format!("event={first} table=1 cookie=0x7 tcp actions=output:2"),
            "{name}"
        );
        assert_eq!(next(&mut monitor).await, "in sync", "{name}");
        ofctl(&["add-flow", &br0, "idle_timeout=60,udp,actions=NORMAL"]);
        assert_eq!(
            next(&mut monitor).await,
            "event=ADDED table=0 idle_timeout=60 cookie=0 udp actions=NORMAL",
            "{name}"
        );
        ofctl(&["mod-flows", &br0, "udp,actions=drop"]);
        let changed = next(&mut monitor).await;
        assert!(
            changed.starts_with("event=MODIFIED table=0 idle_timeout=60 cookie=0 udp"),
            "{name}: {changed}"
        );
        // OpenFlow 1.1 cannot say "every table".
        switch.ofctl(&["-O", "OpenFlow14", "del-flows", &br0]).unwrap();
        let mut gone = [next(&mut monitor).await, next(&mut monitor).await];
        gone.sort();
        assert_eq!(
            gone,
            [
                "event=DELETED reason=delete table=0 idle_timeout=60 cookie=0 udp",
                "event=DELETED reason=delete table=1 cookie=0x7 tcp actions=output:2",
            ],
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_consumer_that_sleeps_is_told_that_updates_paused_and_loses_none() {
    let Some(switch) = switch() else { return };
    let mut connection = connect(&switch, Version::V1_4).await;
    let mut admin = Admin::new(connect(&switch, Version::V1_4).await);
    let mut monitor = connection.monitor(&MonitorRequest::default()).unwrap();
    assert_eq!(next(&mut monitor).await, "in sync");
    // More than the sockets hold; and then some that the switch has to keep to itself.
    let changes = adds(11_000);
    admin.change_all(&changes[..10_000]).await.unwrap();
    admin.change_all(&changes[10_000..]).await.unwrap();
    let (mut added, mut paused, mut resumed) = (0, 0, 0);
    while added < changes.len() || paused > resumed {
        match monitor.next().await.unwrap() {
            MonitorEvent::Update(FlowUpdate::Added(_)) => added += 1,
            MonitorEvent::Update(FlowUpdate::Paused) => paused += 1,
            MonitorEvent::Update(FlowUpdate::Resumed) => resumed += 1,
            MonitorEvent::Update(update) => panic!("{update}"),
            _ => {}
        }
    }
    assert_eq!((added, paused, resumed), (changes.len(), 1, 1));
}

#[tokio::test]
async fn a_switch_that_dies_in_the_middle_of_a_reply_costs_only_the_rest() {
    let Some(switch) = switch() else { return };
    let mut admin = Admin::new(connect(&switch, Version::V1_3).await);
    admin.change_all(&adds(15_000)).await.unwrap();
    let mut connection = connect(&switch, Version::V1_3).await;
    let mut dump = connection.flows(&FlowRequest::default()).unwrap();
    let mut flows = 0;
    let error = loop {
        match dump.next().await {
            Ok(Some(flow)) => {
                flow.unwrap();
                flows += 1;
            }
            Ok(None) => panic!("the whole reply was there"),
            Err(error) => break error,
        }
        if flows == 1 {
            let killed = Command::new("kill")
                .args(["-KILL", &switch.pid().to_string()])
                .status();
            assert!(killed.unwrap().success());
        }
    };
    assert!(flows > 100, "{flows}");
    assert!(matches!(error, Error::Closed { .. }), "{error}");
    assert!(error.is_connection_lost());
    let error = connection.barrier().await.unwrap_err();
    assert!(error.is_connection_lost(), "{error}");
}

#[tokio::test]
async fn a_packet_goes_to_the_switch_and_comes_back_in_every_version() {
    let Some(switch) = switch() else { return };
    let data: Vec<u8> = [[0xff; 6], [2; 6]]
        .concat()
        .into_iter()
        .chain([8, 0])
        .chain([0; 46])
        .collect();
    for (version, name) in VERSIONS {
        let mut receiver = connect(&switch, version).await;
        receiver.receive_packets(u16::MAX).await.unwrap();
        let mut admin = Admin::new(connect(&switch, version).await);
        for actions in ["CONTROLLER:65535", "controller(userdata=01.02.03)"] {
            let actions = flow(&format!("actions={actions}")).actions;
            let packet = PacketOut::new(Port::LOCAL, actions, data.clone());
            admin.packet_out(&packet).await.unwrap();
            let event = timeout(Duration::from_secs(10), receiver.event())
                .await
                .expect("an event");
            let event = event.unwrap();
            let message = event.message().unwrap();
            let packet = PacketIn::decode(&message).unwrap();
            assert_eq!((packet.data, packet.total_len), (&data[..], data.len()), "{name}");
            assert_eq!(packet.metadata.to_string(), "in_port=LOCAL", "{name}");
        }
        let nowhere = flow("actions=group:99").actions;
        let packet = PacketOut::new(Port::LOCAL, nowhere, data.clone());
        let error = admin.packet_out(&packet).await.unwrap_err();
        assert_eq!(error.to_string(), "refused: OFPBAC_BAD_OUT_GROUP", "{name}");
    }
}

/// A packet that nobody else has.
fn packet() -> Vec<u8> {
    let head = [[0xff; 6], [2; 6]].concat().into_iter().chain([8, 0]);
    head.chain([0; 46]).collect()
}

/// The next packet, as it comes.
async fn next_packet(receiver: &mut Connection) -> Vec<u8> {
    loop {
        let event = timeout(Duration::from_secs(10), receiver.event())
            .await
            .expect("an event")
            .unwrap();
        let message = event.message().unwrap();
        if matches!(
            message.kind(),
            Some(MessageKind::PacketIn | MessageKind::PacketIn2)
        ) {
            return message.bytes().to_vec();
        }
    }
}

#[tokio::test]
async fn a_packet_is_written_as_the_switch_writes_it_in_every_form_and_version() {
    let Some(switch) = switch() else { return };
    for (version, name) in VERSIONS {
        let mut receiver = connect(&switch, version).await;
        receiver.receive_packets(u16::MAX).await.unwrap();
        let mut admin = Admin::new(connect(&switch, version).await);
        for format in [
            PacketInFormat::Standard,
            PacketInFormat::Nicira,
            PacketInFormat::Nicira2,
        ] {
            receiver.set_packet_in_format(format).await.unwrap();
            let actions = flow("actions=load:0x7->NXM_NX_REG3[],controller(userdata=01.02.03)").actions;
            admin
                .packet_out(&PacketOut::new(Port::LOCAL, actions, packet()))
                .await
                .unwrap();
            let bytes = next_packet(&mut receiver).await;
            let message = Message::parse(&bytes).unwrap();
            let received = PacketIn::decode(&message).unwrap();
            let mut again = Vec::new();
            received
                .encode(format, version, message.header().xid, &mut again)
                .unwrap();
            assert_eq!(again, bytes, "{name} {format:?} {message}");
            assert_eq!(received.data, packet());
            let userdata = if format == PacketInFormat::Nicira2 {
                &[1, 2, 3][..]
            } else {
                &[]
            };
            assert_eq!(received.userdata, userdata);
        }
    }
}

#[tokio::test]
async fn a_packet_that_waits_goes_on_when_it_is_resumed() {
    let Some(switch) = switch() else { return };
    for (version, name) in VERSIONS {
        let mut receiver = connect(&switch, version).await;
        receiver.receive_packets(u16::MAX).await.unwrap();
        receiver
            .set_packet_in_format(PacketInFormat::Nicira2)
            .await
            .unwrap();
        let mut admin = Admin::new(connect(&switch, version).await);
        let text =
            "cookie=0x5,actions=push:NXM_NX_REG3[],controller(userdata=01,pause),controller(userdata=02)";
        admin.add_flow(flow(text)).await.unwrap();
        let to_table = flow("actions=load:0x7->NXM_NX_REG3[],output:TABLE").actions;
        admin
            .packet_out(&PacketOut::new(Port::LOCAL, to_table, packet()))
            .await
            .unwrap();
        let bytes = next_packet(&mut receiver).await;
        let message = Message::parse(&bytes).unwrap();
        let waiting = PacketIn::decode(&message).unwrap();
        assert_eq!(waiting.userdata, [1]);
        // What is in it prints as ovs-ofctl prints it, but for the packet itself.
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let shown = switch.ofctl(&["ofp-print", &hex]).unwrap();
        let ours = message.to_string();
        assert!(shown.starts_with(&ours), "{ours}\n{shown}");
        assert!(
            ours.contains("continuation.actions=unroll_xlate(table=0, cookie="),
            "{ours}"
        );
        let continuation = Continuation::decode(waiting.continuation.unwrap(), version).unwrap();
        assert_eq!(continuation.stack.len(), 1, "{name}");
        admin.resume(&waiting).await.unwrap();
        let bytes = next_packet(&mut receiver).await;
        let message = Message::parse(&bytes).unwrap();
        let resumed = PacketIn::decode(&message).unwrap();
        assert_eq!(
            (resumed.userdata, resumed.data),
            (&[2][..], &packet()[..]),
            "{name}"
        );
        // Without the continuation there is nothing to go on with.
        let nothing = PacketIn {
            continuation: Some(&[0x80, 4, 0, 4, 0, 0, 0, 0]),
            ..waiting
        };
        let error = admin.resume(&nothing).await.unwrap_err();
        assert!(matches!(error, Error::Refused(_)), "{error}");
        admin.delete_flow(flow("actions=drop")).await.unwrap();
    }
}

#[tokio::test]
async fn a_watch_tells_what_changed_while_the_connection_was_lost() {
    let Some(switch) = switch() else { return };
    let br0 = switch.mgmt("br0");
    let ofctl = |args: &[&str]| switch.ofctl(&[&["-O", "OpenFlow14"][..], args].concat()).unwrap();
    for flow in ["tcp,actions=drop", "udp,actions=drop", "sctp,actions=drop"] {
        ofctl(&["add-flow", &br0, flow]);
    }
    // A relay that can be cut.
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("relay");
    let listener = UnixListener::bind(&socket).unwrap();
    let (cut, mut cuts) = mpsc::channel::<()>(1);
    let path = br0.trim_start_matches("unix:").to_owned();
    tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let mut server = UnixStream::connect(&path).await.unwrap();
            tokio::select! {
                _ = copy_bidirectional(&mut client, &mut server) => {}
                _ = cuts.recv() => {}
            }
        }
    });
    let remote = format!("unix:{}", socket.display());
    let mut watch = FlowWatch::new(&remote, Options::default(), MonitorRequest::default());
    let first = [
        watched(&mut watch).await,
        watched(&mut watch).await,
        watched(&mut watch).await,
    ];
    assert!(first.iter().all(|event| event.starts_with("+ ")), "{first:?}");
    assert_eq!(watched(&mut watch).await, "in sync");
    cut.send(()).await.unwrap();
    assert_eq!(watched(&mut watch).await, "lost");
    ofctl(&["--strict", "del-flows", &br0, "udp"]);
    ofctl(&["mod-flows", &br0, "tcp,actions=NORMAL"]);
    ofctl(&["add-flow", &br0, "icmp,actions=drop"]);
    let mut changes = [
        watched(&mut watch).await,
        watched(&mut watch).await,
        watched(&mut watch).await,
    ];
    changes.sort();
    assert_eq!(changes, ["* tcp", "+ icmp", "- udp"]);
    assert_eq!(watched(&mut watch).await, "in sync");
    assert_eq!(watch.flows().count(), 3);
    ofctl(&["del-flows", &br0, "sctp"]);
    assert_eq!(watched(&mut watch).await, "- sctp");
}

/// Open vSwitch before 3.0 has flow monitors in OpenFlow 1.0 alone.
#[tokio::test]
async fn a_switch_without_flow_monitors_in_a_version_is_asked_in_one_that_has_them() {
    let Some(switch) = switch() else { return };
    let br0 = switch.mgmt("br0");
    switch.ofctl(&["add-flow", &br0, "tcp,actions=drop"]).unwrap();
    let has_all = has_monitors(Version::V1_5);
    for (version, name) in VERSIONS {
        let mut connection = connect(&switch, version).await;
        let mut monitor = connection.monitor(&MonitorRequest::default()).unwrap();
        match monitor.next().await {
            Ok(_) => assert!(has_monitors(version), "{name}"),
            Err(Error::NoFlowMonitors { version: spoken, .. }) => {
                assert!(!has_monitors(version) && spoken == version, "{name}");
            }
            Err(error) => panic!("{name}: {error:?}"),
        }
    }
    let mut watch = FlowWatch::new(&br0, Options::default(), MonitorRequest::default());
    assert_eq!(watched(&mut watch).await, "+ tcp");
    assert_eq!(watched(&mut watch).await, "in sync");
    switch.ofctl(&["add-flow", &br0, "udp,actions=drop"]).unwrap();
    assert_eq!(watched(&mut watch).await, "+ udp");
    let mut options = Options::default();
    options.versions = [Version::V1_3].into_iter().collect();
    let mut watch = FlowWatch::new(&br0, options, MonitorRequest::default());
    if has_all {
        assert!(watched(&mut watch).await.starts_with("+ "));
        return;
    }
    let WatchEvent::Refused(Error::NoFlowMonitors { version, .. }) = watch.next().await else {
        panic!("not refused");
    };
    assert_eq!(version, Version::V1_3);
    // Nothing follows it.
    assert!(timeout(Duration::from_secs(1), watch.next()).await.is_err());
}

/// A request that has no bytes is no lost connection either.
#[tokio::test]
async fn a_watch_that_cannot_ask_says_so_once() {
    let Some(switch) = switch() else { return };
    let mut options = Options::default();
    options.versions = Versions::up_to(Version::V1_0);
    let request = MonitorRequest {
        flags: MonitorFlags(0x8000),
        ..MonitorRequest::default()
    };
    let mut watch = FlowWatch::new(&switch.mgmt("br0"), options, request);
    let event = watch.next().await;
    assert!(
        matches!(event, WatchEvent::Refused(Error::Session(_))),
        "{event:?}"
    );
    assert!(timeout(Duration::from_secs(1), watch.next()).await.is_err());
}

/// The next event of a watch.
async fn watched(watch: &mut FlowWatch) -> String {
    let matches = |flow: Flow| flow.canonical(Version::V1_4).matches;
    match timeout(Duration::from_secs(10), watch.next())
        .await
        .expect("an event")
    {
        WatchEvent::Added(flow) => format!("+ {}", matches(flow)),
        WatchEvent::Modified(flow) => format!("* {}", matches(flow)),
        WatchEvent::Removed(flow) => format!("- {}", matches(flow)),
        WatchEvent::InSync => "in sync".to_owned(),
        WatchEvent::Lost(_) => "lost".to_owned(),
        event => panic!("{event:?}"),
    }
}
