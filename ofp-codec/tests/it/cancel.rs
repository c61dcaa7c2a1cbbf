//! Requests that are given up at every point where they wait: the connection goes on, and nothing of one
//! request is taken for another's.

use std::{
    future::{Future, poll_fn},
    io,
    pin::{Pin, pin},
    task::{Context, Poll},
    time::Duration,
};

use ofp_codec::{
    Flow, FlowMod, Version,
    client::{Admin, Connection, FlowMonitor, MonitorEvent, Options},
    text::FlowRef,
    wire::{FlowRequest, FlowUpdate, MonitorRequest, Versions},
};
use testbed::Switch;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::UnixStream,
    time::timeout,
};

use crate::switch::{has_monitors, switch};

/// A stream that gives and takes a few bytes at a time, and waits in between.
struct Trickle {
    stream: UnixStream,
    step: usize,
    may_read: bool,
    may_write: bool,
}

impl AsyncRead for Trickle {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.may_read = !self.may_read;
        if !self.may_read {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let mut few = buffer.take(self.step);
        let read = Pin::new(&mut self.stream).poll_read(cx, &mut few);
        let len = few.filled().len();
        // What is behind was just filled.
        buffer.set_filled(buffer.filled().len() + len);
        read
    }
}

impl AsyncWrite for Trickle {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.may_write = !self.may_write;
        if !self.may_write {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let few = &bytes[..bytes.len().min(self.step)];
        Pin::new(&mut self.stream).poll_write(cx, few)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

async fn connect(switch: &Switch, version: Version, step: usize) -> Connection {
    let path = switch.mgmt("br0");
    let stream = UnixStream::connect(path.trim_start_matches("unix:"))
        .await
        .unwrap();
    let mut options = Options::default();
    options.versions = Versions::from_iter([version]);
    let trickle = Trickle {
        stream,
        step,
        may_read: false,
        may_write: false,
    };
    Connection::over(trickle, options).await.unwrap()
}

/// Polls a future so many times, and drops it then.
async fn polled<F: Future>(future: F, mut times: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    let polled = poll_fn(|cx| {
        if times == 0 {
            return Poll::Ready(None);
        }
        times -= 1;
        future.as_mut().poll(cx).map(Some)
    });
    timeout(Duration::from_secs(20), polled)
        .await
        .expect("no progress")
}

fn flow(text: &str) -> Flow {
    FlowRef::parse(text.as_bytes()).unwrap().to_flow().unwrap()
}

fn adds(count: u16) -> Vec<FlowMod> {
    let add = |n| FlowMod::add(flow(&format!("priority={n},tcp,tp_dst={n},actions=output:1")));
    (1..=count).map(add).collect()
}

async fn priorities(connection: &mut Connection) -> Vec<u16> {
    let flows = connection
        .flows(&FlowRequest::default())
        .unwrap()
        .collect()
        .await
        .unwrap();
    let mut priorities: Vec<u16> = flows.iter().map(|flow| flow.priority).collect();
    priorities.sort_unstable();
    priorities
}

#[tokio::test]
async fn a_request_given_up_anywhere_costs_only_its_reply() {
    let Some(switch) = switch() else { return };
    let mut connection = connect(&switch, Version::V1_4, 5).await;
    let id = connection.features().await.unwrap().datapath_id;
    let mut cancelled = 0;
    for times in 0.. {
        let given_up = polled(connection.description(), times).await;
        // The next request gets its own reply.
        assert_eq!(connection.features().await.unwrap().datapath_id, id, "{times}");
        match given_up {
            None => cancelled += 1,
            Some(description) => {
                assert_eq!(&*description.unwrap().manufacturer, "Nicira, Inc.");
                break;
            }
        }
    }
    assert!(cancelled > 20, "{cancelled}");
    assert_eq!(connection.events_lost(), 0);
}

#[tokio::test]
async fn a_dump_given_up_anywhere_leaves_the_next_one_whole() {
    let Some(switch) = switch() else { return };
    let mut admin = Admin::new(connect(&switch, Version::V1_3, 2048).await);
    admin.change(&adds(1500)).await.unwrap();
    let mut connection = admin.into_connection();
    let wanted: Vec<u16> = (1..=1500).collect();
    let mut cancelled = 0;
    for times in (0..).step_by(3) {
        let mut dump = connection.flows(&FlowRequest::default()).unwrap();
        let all = polled(
            async {
                let mut flows = 0;
                while let Some(flow) = dump.next().await.unwrap() {
                    flow.unwrap();
                    flows += 1;
                }
                flows
            },
            times,
        );
        let all = all.await;
        assert_eq!(priorities(&mut connection).await, wanted, "{times}");
        match all {
            None => cancelled += 1,
            Some(flows) => {
                assert_eq!(flows, 1500);
                break;
            }
        }
    }
    assert!(cancelled > 10, "{cancelled}");
}

#[tokio::test]
async fn a_dump_whose_waits_are_given_up_goes_on_and_misses_nothing() {
    let Some(switch) = switch() else { return };
    let mut admin = Admin::new(connect(&switch, Version::V1_5, 1000).await);
    admin.change(&adds(1500)).await.unwrap();
    let mut connection = admin.into_connection();
    let mut dump = connection.flows(&FlowRequest::default()).unwrap();
    let (mut seen, mut given_up) = (Vec::new(), 0);
    loop {
        match polled(dump.next(), 1).await {
            None => given_up += 1,
            Some(next) => match next.unwrap() {
                Some(flow) => seen.push(flow.unwrap().priority),
                None => break,
            },
        }
        tokio::task::yield_now().await;
    }
    seen.sort_unstable();
    assert_eq!(seen, (1..=1500).collect::<Vec<u16>>());
    assert!(given_up > 100, "{given_up}");
}

#[tokio::test]
async fn a_bundle_given_up_anywhere_is_made_as_a_whole_or_not_at_all() {
    let Some(switch) = switch() else { return };
    let changes = adds(40);
    for version in [Version::V1_3, Version::V1_5] {
        let mut admin = Admin::new(connect(&switch, version, 100).await);
        let (mut unchanged, mut made) = (0, 0);
        for times in 0.. {
            let done = polled(admin.change_all(&changes), times).await;
            // What was asked for before is done before the reply to this.
            let there = priorities(admin.connection()).await;
            match there.len() {
                0 => unchanged += 1,
                40 => made += 1,
                some => panic!("{some} flows of 40 after {times}"),
            }
            if let Some(done) = done {
                done.unwrap();
                assert_eq!(there.len(), 40);
                break;
            }
            let flows = switch.mgmt("br0");
            switch.ofctl(&["-O", "OpenFlow13", "del-flows", &flows]).unwrap();
        }
        assert!(unchanged > 5 && made > 0, "{unchanged} {made}");
        let flows = switch.mgmt("br0");
        switch.ofctl(&["-O", "OpenFlow13", "del-flows", &flows]).unwrap();
    }
}

#[tokio::test]
async fn changes_given_up_anywhere_are_made_up_to_a_point_and_their_errors_are_nobodys() {
    let Some(switch) = switch() else { return };
    let mut changes = adds(30);
    changes.push(FlowMod::add(flow("priority=99,actions=group:77")));
    let mut admin = Admin::new(connect(&switch, Version::V1_0, 300).await);
    let mut refused = false;
    for times in 0.. {
        let done = polled(admin.change(&changes), times).await;
        let there = priorities(admin.connection()).await;
        let first: Vec<u16> = (1..=30).take(there.len()).collect();
        assert_eq!(there, first, "{times}");
        // One that is not refused is not told that another was.
        admin
            .add_flow(flow("priority=200,udp,actions=drop"))
            .await
            .unwrap();
        let br0 = switch.mgmt("br0");
        switch.ofctl(&["-O", "OpenFlow10", "del-flows", &br0]).unwrap();
        if let Some(done) = done {
            refused = done.is_err();
            break;
        }
    }
    assert!(refused);
}

#[tokio::test]
async fn a_monitor_whose_waits_are_given_up_tells_each_change_once() {
    let Some(switch) = switch() else { return };
    let versions = [Version::V1_0, Version::V1_3, Version::V1_4];
    for version in versions.into_iter().filter(|version| has_monitors(*version)) {
        let mut admin = Admin::new(connect(&switch, version, 4096).await);
        admin.change(&adds(20)).await.unwrap();
        let mut connection = connect(&switch, version, 50).await;
        let mut monitor = connection.monitor(&MonitorRequest::default()).unwrap();
        let mut added = told(&mut monitor, 20).await;
        let more = |n| FlowMod::add(flow(&format!("priority={n},udp,tp_dst={n},actions=drop")));
        let changes: Vec<FlowMod> = (21..=40).map(more).collect();
        admin.change(&changes).await.unwrap();
        added.extend(told(&mut monitor, 20).await);
        added.sort_unstable();
        let names: Vec<String> = (1..=20).map(|n| format!("tcp,tp_dst={n}")).collect();
        let more: Vec<String> = (21..=40).map(|n| format!("udp,tp_dst={n}")).collect();
        let mut wanted = [names, more].concat();
        wanted.sort_unstable();
        assert_eq!(added, wanted);
        // Given up itself, it leaves a connection that works.
        drop(monitor);
        assert_eq!(priorities(&mut connection).await.len(), 40);
        let br0 = switch.mgmt("br0");
        switch.ofctl(&["-O", "OpenFlow13", "del-flows", &br0]).unwrap();
    }
}

/// The matches of so many flows that came, where every wait is given up many times.
async fn told(monitor: &mut FlowMonitor<'_>, count: usize) -> Vec<String> {
    let mut matches = Vec::new();
    while matches.len() < count {
        match polled(monitor.next(), 1).await.transpose().unwrap() {
            Some(MonitorEvent::Update(FlowUpdate::Initial(flow) | FlowUpdate::Added(flow))) => {
                matches.push(flow.canonical(Version::V1_0).matches.to_string());
            }
            Some(MonitorEvent::InSync) | None => {}
            Some(event) => panic!("{event:?}"),
        }
        tokio::task::yield_now().await;
    }
    matches
}
