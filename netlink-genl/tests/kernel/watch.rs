//! Ports that come, go, move and vanish while somebody watches.

use std::time::{Duration, Instant};

use netlink_genl::exchange::{Event as Answer, Exchange};
use netlink_genl::message::Errno;
use netlink_genl::ovs::DpIfindex;
use netlink_genl::ovs::vport::{self, Kind, Vport};
use netlink_genl::socket::{Options, Socket};
use netlink_genl::watch::{Ask, Event, Watcher, Why};

use testbed::sh;

use super::{Kernel, add_datapath, name};

both! { wait;
    fn a_watcher_tells_of_ports_that_come_move_and_vanish() {
        let dp = add_datapath("w0");
        sh("ovs-dpctl add-if w0 before,type=internal");
        let ovs = wait!(Ovs::open()).unwrap();
        let mut watch = wait!(ovs.watch(dp, &Options::default())).unwrap();
        let ports: Vec<_> = watch.ports().map(|port| name(port).to_owned()).collect();
        assert_eq!(
            (&ports[..], watch.generation()),
            (&["w0".into(), "before".into()][..], 1)
        );

        sh("ovs-dpctl add-if w0 wint,type=internal");
        let Event::Added(added) = wait!(event(&mut watch, SOON)).unwrap() else {
            panic!()
        };
        assert_eq!((name(&added), added.netnsid), ("wint", None));
        // Of another datapath.
        add_datapath("w1");
        sh("ip netns add wns");
        sh("ip link set wint netns wns");
        let Event::Changed(moved) = wait!(event(&mut watch, SOON)).unwrap() else {
            panic!()
        };
        assert_eq!((name(&moved.before), moved.before.netnsid), ("wint", None));
        assert_eq!(moved.now.port_no, added.port_no);
        let nsid = moved.now.netnsid.unwrap();
        sh("ip netns del wns");
        let start = Instant::now();
        let Event::Removed { port, why } = wait!(event(&mut watch, SOON)).unwrap() else {
            panic!()
        };
        assert!(
            start.elapsed() < Duration::from_secs(1),
            "after {:?}",
            start.elapsed()
        );
        assert_eq!((port.port_no, why), (added.port_no, Why::Vanished { nsid }));

        sh("ovs-dpctl del-if w0 before");
        let Event::Removed { port, why } = wait!(event(&mut watch, SOON)).unwrap() else {
            panic!()
        };
        assert_eq!((name(&port), why), ("before", Why::Notified));
        sh("ip link add wveth type veth peer name wpeer");
        sh("ovs-dpctl add-if w0 wveth");
        assert!(matches!(wait!(event(&mut watch, SOON)).unwrap(), Event::Added(port) if name(&port) == "wveth"));
        // Here the kernel does tell, and nobody asked it to.
        sh("ip link del wveth");
        let Event::Removed { port, why } = wait!(event(&mut watch, SOON)).unwrap() else {
            panic!()
        };
        assert_eq!((name(&port), why), ("wveth", Why::Notified));
        assert_eq!(wait!(event(&mut watch, Duration::from_millis(1200))), None);
        assert_eq!((watch.ports().len(), watch.generation()), (1, 1));
        sh("ovs-dpctl del-dp w0");
        sh("ovs-dpctl del-dp w1");
    }

    fn a_watcher_tells_of_the_end_of_a_datapath() {
        let dp = add_datapath("w2");
        sh("ovs-dpctl add-if w2 w2int,type=internal");
        let ovs = wait!(Ovs::open()).unwrap();
        let mut watch = wait!(ovs.watch(dp, &Options::default())).unwrap();
        sh("ovs-dpctl del-dp w2");
        for expected in ["w2", "w2int"] {
            let Event::Removed { port, why } = wait!(event(&mut watch, SOON)).unwrap() else {
                panic!()
            };
            assert_eq!((name(&port), why), (expected, Why::DatapathDeleted));
        }
        assert!(watch.is_deleted());
        assert_eq!(wait!(event(&mut watch, Duration::from_secs(60))), None);
        let ovs = wait!(Ovs::open()).unwrap();
        let absent = wait!(ovs.watch(dp, &Options::default()));
        assert_eq!(absent.unwrap_err().errno(), Some(Errno::ENODEV));
    }

    fn a_watcher_that_slept_through_10_000_events_says_what_changed() {
        let dp = add_datapath("w4");
        let mut kernel = Kernel::open();
        for name in ["w4stays", "w4changes", "w4goes"] {
            kernel.add(dp, name, Kind::INTERNAL, |_| Ok(())).unwrap();
        }
        let ovs = wait!(Ovs::open()).unwrap();
        let mut watch = wait!(ovs.watch(dp, &with_buffer(64 << 10))).unwrap();
        for pid in 1..=10_000 {
            kernel.set_upcall_pid(dp, 2, pid).unwrap();
        }
        kernel.delete(dp, 3).unwrap();
        kernel.add(dp, "w4comes", Kind::INTERNAL, |_| Ok(())).unwrap();
        kernel.add(dp, "w4also", Kind::INTERNAL, |_| Ok(())).unwrap();

        // What came before the loss may be told one by one.
        let resync = loop {
            match wait!(event(&mut watch, SOON)).unwrap() {
                Event::Resynced(resync) => break resync,
                Event::Changed(change) => assert_eq!(name(&change.now), "w4changes"),
                other => panic!("{other:?}"),
            }
        };
        let names = |ports: &[Vport]| ports.iter().map(|port| name(port).to_owned()).collect::<Vec<_>>();
        assert_eq!((resync.generation, watch.generation()), (2, 2));
        assert_eq!(names(&resync.added), ["w4also"]);
        assert!(resync.removed.is_empty());
        let changed: Vec<_> = resync
            .changed
            .iter()
            .map(|change| (name(&change.before), name(&change.now), change.now.upcall_pids[0]))
            .collect();
        // The port that came has the number of the one that went.
        assert_eq!(
            changed,
            [("w4changes", "w4changes", 10_000), ("w4goes", "w4comes", 0)]
        );
        let ports: Vec<Vport> = watch.ports().cloned().collect();
        assert_eq!(names(&ports), ["w4", "w4stays", "w4changes", "w4comes", "w4also"]);
        assert_eq!(wait!(event(&mut watch, Duration::from_millis(100))), None);
        sh("ovs-dpctl del-dp w4");
    }
}

/// Over the parts that [`Watch`] is made of, to stop in the middle of a list.
pub(crate) fn deleted_while_listing() {
    let dp = add_datapath("w3");
    let mut kernel = Kernel::open();
    for n in 1..=1500 {
        kernel
            .add(dp, &format!("w3port{n}"), Kind::INTERNAL, |_| Ok(()))
            .unwrap();
    }
    let listener = Socket::open(&with_buffer(4 << 20)).unwrap();
    let group = kernel
        .connection
        .family(vport::FAMILY)
        .unwrap()
        .group(vport::FAMILY);
    listener.join(group.unwrap()).unwrap();
    let mut watcher = Watcher::new(dp, kernel.vport, 0);
    let start = Instant::now();

    assert_eq!(watcher.ask(start.elapsed()), Some(Ask::List));
    let mut to_delete = 1..=1000;
    let first = list(dp, kernel.vport, || {
        for port_no in to_delete.by_ref() {
            kernel.delete(dp, port_no).unwrap();
        }
    });
    assert_ne!(first.len(), 501, "this list should have ghosts");
    watcher.listed(first, start.elapsed());
    let mut lists = 1;
    loop {
        let mut buffer = [0; 4096];
        while let Some(datagram) = listener.try_receive(&mut buffer).unwrap() {
            watcher.generic(datagram.source, datagram.bytes).unwrap();
        }
        match watcher.ask(start.elapsed()) {
            Some(Ask::List) => watcher.listed(list(dp, kernel.vport, || ()), start.elapsed()),
            Some(other) => panic!("{other:?}"),
            None => break,
        }
        lists += 1;
    }
    assert_eq!((lists, watcher.generation()), (2, 1));
    let numbers: Vec<_> = watcher.ports().map(|port| port.port_no).collect();
    assert_eq!(numbers, [0].into_iter().chain(1001..=1500).collect::<Vec<_>>());
    sh("ovs-dpctl del-dp w3");
}

/// A list of ports, with something that happens after its first datagram.
fn list(dp: DpIfindex, family: u16, mut meanwhile: impl FnMut()) -> Vec<Vport> {
    let socket = Socket::open(&Options::default()).unwrap();
    let mut exchange = Exchange::new(socket.port(), 1);
    let mut request = vec![];
    exchange.begin(&vport::dump(family, dp), &mut request).unwrap();
    socket.send(&request).unwrap();
    let mut buffer = vec![0; 1 << 17];
    let mut ports = vec![];
    while exchange.is_pending() {
        let datagram = socket.receive(&mut buffer).unwrap();
        for event in exchange.datagram(datagram.source, datagram.bytes).unwrap() {
            match event.unwrap() {
                Answer::Reply(message) => ports.push(Vport::decode(&message).unwrap()),
                // The kernel sees nothing wrong.
                Answer::Done { interrupted: false } => {}
                other => panic!("{other:?}"),
            }
        }
        meanwhile();
    }
    ports
}

fn with_buffer(bytes: usize) -> Options {
    let mut options = Options::default();
    options.receive_buffer = Some(bytes);
    options
}

const SOON: Duration = Duration::from_secs(20);
