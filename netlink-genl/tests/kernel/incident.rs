//! Internal ports of a running `ovs-vswitchd` whose network namespaces die: nobody is told, and sockets are lost.

use std::time::{Duration, Instant};

use netlink_genl::accounting::Role;
use netlink_genl::blocking::{Ovs, Watch};
use netlink_genl::message::Messages;
use netlink_genl::ovs::datapath::Dispatch;
use netlink_genl::ovs::vport;
use netlink_genl::socket::{Options, Socket};
use netlink_genl::watch::{Event, Why};
use testbed::{Switch, sh, version};

use super::{Kernel, name};

pub(crate) fn per_cpu() {
    incident(&Switch::in_guest().unwrap(), Dispatch::PerCpu, 0);
    sh("ovs-dpctl del-dp ovs-system");
}

pub(crate) fn per_vport() {
    let loses = version().unwrap().loses_upcall_sockets();
    let orphans = if loses { ROUNDS } else { 1 };
    incident(&Switch::in_guest_per_port().unwrap(), Dispatch::PerVport, orphans);
    sh("ovs-dpctl del-dp ovs-system");
}

fn incident(switch: &Switch, dispatch: Dispatch, orphans: usize) {
    switch.add_bridge("br0").unwrap();
    let mut ovs = Ovs::open().unwrap();
    let datapath = ovs.datapath_by_name(c"ovs-system").unwrap();
    assert_eq!(datapath.dispatch(), dispatch);
    let account = |ovs: &mut Ovs| ovs.accounting(switch.pid()).unwrap();

    let before = account(&mut ovs);
    assert!(before.attributed);
    assert_eq!(before.dispatch.get(&datapath.ifindex), Some(&dispatch));
    assert_eq!(
        (before.count(Role::Orphaned), before.count(Role::Unknown)),
        (0, 0)
    );
    assert_eq!(before.dangling.len(), 0, "{before:?}");
    // One for each CPU, or one for each of the ports ovs-system and br0.
    assert_eq!(before.count(Role::Referenced), 2, "{before:?}");

    let others = group_of_vports();
    let mut watch = Ovs::open()
        .unwrap()
        .watch(datapath.ifindex, &Options::default())
        .unwrap();
    for round in 0..ROUNDS {
        let port = format!("incident{round}");
        switch
            .vsctl(&[
                "add-port",
                "br0",
                &port,
                "--",
                "set",
                "interface",
                &port,
                "type=internal",
            ])
            .unwrap();
        let added = until(&mut watch, |event| match event {
            Event::Added(added) if name(added) == port => Some(added.port_no),
            _ => None,
        });
        sh("ip netns add dies");
        sh(&format!("ip link set {port} netns dies"));
        let moved = until(&mut watch, |event| match event {
            Event::Changed(change) if change.now.port_no == added => change.now.netnsid,
            _ => None,
        });
        sh("ip netns del dies");
        let died = Instant::now();
        let vanished = until(&mut watch, |event| match event {
            Event::Removed {
                port,
                why: Why::Vanished { nsid },
            } if port.port_no == added => Some(*nsid),
            _ => None,
        });
        assert!(
            // A guest beside others is slow.
            died.elapsed() < Duration::from_secs(10),
            "after {:?}",
            died.elapsed()
        );
        assert_eq!(vanished, moved);
        // The switch still believes in it.
        assert_eq!(
            switch
                .vsctl(&["get", "interface", &port, "error"])
                .unwrap()
                .trim(),
            "[]"
        );
        switch.vsctl(&["del-port", "br0", &port]).unwrap();
    }

    assert_eq!(
        told(&others),
        (ROUNDS, 0),
        "what the kernel told of new and of deleted ports"
    );
    let after = account(&mut ovs);
    assert_eq!(after.count(Role::Orphaned), orphans, "{after:?}");
    assert_eq!(after.count(Role::Referenced), before.count(Role::Referenced));
    assert_eq!(after.count(Role::Own), before.count(Role::Own));
}

/// The first thing that `find` finds.
fn until<T>(watch: &mut Watch, find: impl Fn(&Event) -> Option<T>) -> T {
    let mut others = vec![];
    loop {
        let event = watch.event(Duration::from_secs(20)).unwrap();
        let event =
            event.unwrap_or_else(|| panic!("only {others:?} among {:?}", watch.ports().collect::<Vec<_>>()));
        match find(&event) {
            Some(found) => return found,
            None => others.push(event),
        }
    }
}

/// A socket that hears what the kernel tells everybody.
fn group_of_vports() -> (Socket, u32) {
    let socket = Socket::open(&Options::default()).unwrap();
    let family = Kernel::open().connection.family(vport::FAMILY).unwrap();
    let group = family.group(vport::FAMILY).unwrap();
    socket.join(group).unwrap();
    (socket, group)
}

/// How many ports the kernel called new, and how many deleted.
fn told((socket, group): &(Socket, u32)) -> (usize, usize) {
    let mut buffer = vec![0; 1 << 16];
    let (mut new, mut deleted) = (0, 0);
    while let Some(datagram) = socket.try_receive(&mut buffer).unwrap() {
        assert_eq!((datagram.source, datagram.group), (0, *group));
        for message in Messages::new(datagram.bytes) {
            match message.unwrap().genl().unwrap().cmd() {
                1 => new += 1,
                2 => deleted += 1,
                _ => {}
            }
        }
    }
    (new, deleted)
}

const ROUNDS: usize = 20;
