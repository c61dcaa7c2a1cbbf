//! What a watcher makes of what it is told, and what it asks.

use std::time::Duration;

use netlink_genl::exchange::UnexpectedSource;
use netlink_genl::message::{DecodeError, Messages, Request};
use netlink_genl::nlattr::Sink;
use netlink_genl::ovs::vport::Vport;
use netlink_genl::ovs::{Command, DpIfindex};
use netlink_genl::route::{Link, Notification};
use netlink_genl::watch::{Ask, Event, Watcher, Why};

const VPORT: u16 = 0x21;
const DATAPATH: u16 = 0x20;
const DP: DpIfindex = DpIfindex(9);

#[derive(Clone, Copy)]
struct Port {
    number: u32,
    ifindex: u32,
    nsid: Option<i32>,
}

fn port(number: u32) -> Port {
    Port {
        number,
        ifindex: 100 + number,
        nsid: None,
    }
}

fn in_namespace(number: u32, nsid: i32) -> Port {
    Port {
        nsid: Some(nsid),
        ..port(number)
    }
}

/// A notification, `dp` being the datapath that it is of.
fn told(command: Command, dp: DpIfindex, port: Port) -> Vec<u8> {
    let request = Request::genl(VPORT, command.0, 1, &dp.0.to_ne_bytes()).attrs(|s| {
        s.attr_u32(1, port.number)?;
        s.attr_u32(2, 2)?;
        s.attr(3, format!("port{}\0", port.ifindex).as_bytes())?;
        s.attr_u32(8, port.ifindex)?;
        port.nsid.map_or(Ok(()), |nsid| s.attr(9, &nsid.to_ne_bytes()))
    });
    encoded(&request.unwrap())
}

fn encoded(request: &Request) -> Vec<u8> {
    let mut datagram = vec![];
    request.encode(0, &mut datagram).unwrap();
    datagram
}

fn vport(port: Port) -> Vport {
    let datagram = told(Command::NEW, DP, port);
    Vport::decode(&Messages::new(&datagram).next().unwrap().unwrap()).unwrap()
}

/// A message of rtnetlink: `header` and attributes.
fn route(kind: u16, header: &[u8], attrs: &[(u16, i32)]) -> Vec<u8> {
    let mut body = header.to_vec();
    for &(kind, value) in attrs {
        body.attr(kind, &value.to_ne_bytes()).unwrap();
    }
    let mut bytes = u32::try_from(16 + body.len()).unwrap().to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend([0; 10]);
    bytes.extend(body);
    bytes
}

fn link_moved(ifindex: i32, nsid: i32) -> Vec<u8> {
    let mut header = [0; 16];
    header[4..8].copy_from_slice(&ifindex.to_ne_bytes());
    route(17, &header, &[(45, nsid), (49, ifindex)])
}

fn namespace_deleted(nsid: i32) -> Vec<u8> {
    route(89, &[0; 4], &[(1, nsid)])
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A watcher that knows `ports`.
fn watcher(ports: &[Port]) -> Watcher {
    let mut watcher = Watcher::new(DP, VPORT, DATAPATH);
    assert_eq!(watcher.ask(ms(0)), Some(Ask::List));
    watcher.listed(ports.iter().copied().map(vport), ms(0));
    assert_eq!((watcher.ask(ms(0)), watcher.event()), (None, None));
    assert_eq!(watcher.generation(), 1);
    watcher
}

fn numbers(watcher: &Watcher) -> Vec<u32> {
    watcher.ports().map(|port| port.port_no).collect()
}

fn tell(watcher: &mut Watcher, command: Command, port: Port) {
    watcher.generic(0, &told(command, DP, port)).unwrap();
}

#[test]
fn tells_what_it_is_told() {
    let mut watcher = watcher(&[port(0)]);
    tell(&mut watcher, Command::NEW, port(1));
    assert_eq!(watcher.event(), Some(Event::Added(vport(port(1)))));
    tell(&mut watcher, Command::SET, in_namespace(1, 3));
    let Some(Event::Changed(change)) = watcher.event() else {
        panic!()
    };
    assert_eq!((change.before.netnsid, change.now.netnsid), (None, Some(3)));
    // Nothing new.
    tell(&mut watcher, Command::SET, in_namespace(1, 3));
    tell(&mut watcher, Command::DEL, port(7));
    watcher
        .generic(0, &told(Command::NEW, DpIfindex(10), port(2)))
        .unwrap();
    assert_eq!(watcher.event(), None);
    tell(&mut watcher, Command::DEL, port(1));
    let removed = Event::Removed {
        port: vport(port(1)),
        why: Why::Notified,
    };
    assert_eq!((watcher.event(), watcher.event()), (Some(removed), None));
    assert_eq!((numbers(&watcher), watcher.generation()), (vec![0], 1));
}

#[test]
fn a_new_port_under_a_number_that_is_held_is_another_one() {
    let mut watcher = watcher(&[port(1)]);
    let other = Port {
        ifindex: 55,
        ..port(1)
    };
    tell(&mut watcher, Command::NEW, other);
    let removed = Event::Removed {
        port: vport(port(1)),
        why: Why::Replaced,
    };
    assert_eq!(watcher.event(), Some(removed));
    assert_eq!(watcher.event(), Some(Event::Added(vport(other))));
}

#[test]
fn a_list_that_was_disturbed_is_made_again() {
    let mut watcher = Watcher::new(DP, VPORT, DATAPATH);
    assert_eq!(watcher.ask(ms(0)), Some(Ask::List));
    // A ghost: it was deleted while the list was made.
    watcher.listed([port(0), port(1)].map(vport), ms(0));
    tell(&mut watcher, Command::DEL, port(1));
    assert_eq!(watcher.ask(ms(0)), Some(Ask::List));
    // A port that the first list lacked.
    watcher.listed([port(0), port(2)].map(vport), ms(0));
    assert_eq!((watcher.ask(ms(0)), watcher.event()), (None, None));
    assert_eq!((numbers(&watcher), watcher.generation()), (vec![0, 2], 1));
}

#[test]
fn a_datapath_that_is_never_calm_is_listed_once_more_when_it_is() {
    let mut watcher = Watcher::new(DP, VPORT, DATAPATH);
    let mut lists = 0;
    while watcher.ask(ms(0)) == Some(Ask::List) {
        lists += 1;
        watcher.listed([vport(port(0))], ms(0));
        tell(&mut watcher, Command::NEW, port(lists));
    }
    assert_eq!((lists, watcher.generation()), (10, 1));
    assert_eq!(numbers(&watcher), [0, 10]);
    let due = watcher.due().unwrap();
    assert_eq!(watcher.ask(due - ms(1)), None);
    assert_eq!(watcher.ask(due), Some(Ask::List));
    watcher.listed((0..=10).map(|n| vport(port(n))), due);
    assert_eq!(watcher.ask(due), None);
    for number in 1..10 {
        assert_eq!(watcher.event(), Some(Event::Added(vport(port(number)))));
    }
    assert_eq!((watcher.event(), watcher.generation()), (None, 1));
}

#[test]
fn after_a_loss_it_says_what_changed() {
    let mut watcher = watcher(&[port(0), port(1), port(2)]);
    watcher.overrun();
    assert_eq!(watcher.due(), Some(ms(0)));
    // What is told now is part of the difference.
    tell(&mut watcher, Command::DEL, port(1));
    assert_eq!((watcher.event(), watcher.ask(ms(5))), (None, Some(Ask::List)));
    watcher.listed([port(0), in_namespace(2, 4), port(3)].map(vport), ms(5));
    assert_eq!(watcher.ask(ms(5)), None);
    let Some(Event::Resynced(resync)) = watcher.event() else {
        panic!()
    };
    assert_eq!((resync.generation, watcher.generation()), (2, 2));
    assert_eq!(resync.added, [vport(port(3))]);
    assert_eq!(resync.removed, [(vport(port(1)), Why::Notified)]);
    assert_eq!(resync.changed.len(), 1);
    assert_eq!(resync.changed[0].now, vport(in_namespace(2, 4)));
}

#[test]
fn says_that_there_was_a_loss_also_if_nothing_changed() {
    let mut watcher = watcher(&[port(0)]);
    watcher.overrun();
    assert_eq!(watcher.ask(ms(1)), Some(Ask::List));
    watcher.listed([vport(port(0))], ms(1));
    assert_eq!(watcher.ask(ms(1)), None);
    assert!(matches!(watcher.event(), Some(Event::Resynced(resync)) if resync.is_empty()));
}

#[test]
fn what_cannot_be_read_counts_as_lost() {
    let whole = told(Command::NEW, DP, port(1));
    let route = link_moved(101, 3);
    for end in 1..whole.len() {
        let mut watcher = watcher(&[port(0)]);
        watcher.generic(0, &whole[..end]).unwrap();
        assert_eq!(watcher.ask(ms(0)), Some(Ask::List), "cut at {end}");
    }
    for end in 1..route.len() {
        let mut watcher = watcher(&[port(0)]);
        watcher.route(0, &route[..end], ms(0)).unwrap();
        assert_eq!(watcher.ask(ms(0)), Some(Ask::List), "cut at {end}");
    }
}

#[test]
fn a_datagram_of_another_process_is_refused() {
    let mut watcher = watcher(&[port(0)]);
    let refused = watcher.generic(7, &told(Command::DEL, DP, port(0)));
    assert_eq!(refused, Err(UnexpectedSource { port: 7 }));
    let refused = watcher.route(8, &link_moved(100, 1), ms(0));
    assert_eq!(refused, Err(UnexpectedSource { port: 8 }));
    assert_eq!((watcher.ask(ms(0)), watcher.event()), (None, None));
}

#[test]
fn a_port_that_moved_is_looked_up() {
    let mut watcher = watcher(&[port(0), port(1)]);
    watcher.route(0, &link_moved(999, 3), ms(0)).unwrap();
    assert_eq!(watcher.ask(ms(0)), None);
    watcher.route(0, &link_moved(101, 3), ms(0)).unwrap();
    assert_eq!(watcher.ask(ms(0)), Some(Ask::Port(1)));
    watcher.looked_up(1, Some(vport(in_namespace(1, 3))), ms(0));
    assert!(matches!(watcher.event(), Some(Event::Changed(change)) if change.now.netnsid == Some(3)));
    assert_eq!((watcher.ask(ms(100)), watcher.due()), (None, None));
}

#[test]
fn a_port_vanishes_some_time_after_its_namespace() {
    let mut watcher = watcher(&[port(0), in_namespace(1, 3), in_namespace(2, 4)]);
    watcher.route(0, &namespace_deleted(3), ms(0)).unwrap();
    let mut looks = vec![];
    for now in 0..130 {
        if let Some(ask) = watcher.ask(ms(now)) {
            assert_eq!(ask, Ask::Port(1));
            looks.push(now);
            // The kernel has no number for it any more, or still has.
            let nsid = if now < 20 { 3 } else { -1 };
            watcher.looked_up(1, Some(vport(in_namespace(1, nsid))), ms(now));
        }
    }
    assert_eq!(looks, [0, 5, 15, 35, 75]);
    assert_eq!(watcher.event(), None);
    let due = watcher.due().unwrap();
    assert_eq!((due, watcher.ask(due)), (ms(155), Some(Ask::Port(1))));
    watcher.looked_up(1, None, due);
    let vanished = Event::Removed {
        port: vport(in_namespace(1, 3)),
        why: Why::Vanished { nsid: 3 },
    };
    assert_eq!((watcher.event(), watcher.event()), (Some(vanished), None));
    assert_eq!(numbers(&watcher), [0, 2]);
}

#[test]
fn a_port_that_moved_into_a_dying_namespace_vanishes_too() {
    let mut watcher = watcher(&[port(1)]);
    watcher.route(0, &link_moved(101, 3), ms(0)).unwrap();
    watcher.route(0, &namespace_deleted(3), ms(0)).unwrap();
    assert_eq!(watcher.ask(ms(0)), Some(Ask::Port(1)));
    watcher.looked_up(1, None, ms(0));
    let why = Why::Vanished { nsid: 3 };
    assert_eq!(
        watcher.event(),
        Some(Event::Removed {
            port: vport(port(1)),
            why
        })
    );
}

#[test]
fn a_deletion_that_is_about_to_be_told_is_not_taken_for_a_vanished_port() {
    let mut watcher = watcher(&[port(1)]);
    watcher.route(0, &link_moved(101, 3), ms(0)).unwrap();
    assert_eq!(watcher.ask(ms(0)), Some(Ask::Port(1)));
    watcher.looked_up(1, None, ms(0));
    assert_eq!((watcher.ask(ms(1)), watcher.event()), (None, None));
    tell(&mut watcher, Command::DEL, in_namespace(1, 3));
    assert!(matches!(
        watcher.event(),
        Some(Event::Removed {
            why: Why::Notified,
            ..
        })
    ));
    assert_eq!(watcher.ask(ms(60)), None);
}

#[test]
fn a_port_made_anew_tells_that_the_old_one_vanished() {
    let mut watcher = watcher(&[in_namespace(1, 3)]);
    watcher.route(0, &namespace_deleted(3), ms(0)).unwrap();
    tell(&mut watcher, Command::NEW, port(1));
    let vanished = Event::Removed {
        port: vport(in_namespace(1, 3)),
        why: Why::Vanished { nsid: 3 },
    };
    assert_eq!(watcher.event(), Some(vanished));
    assert_eq!(watcher.event(), Some(Event::Added(vport(port(1)))));
    assert_eq!(watcher.ask(ms(0)), None);
}

#[test]
fn a_port_that_left_before_its_namespace_died_stays() {
    let mut watcher = watcher(&[in_namespace(1, 3)]);
    watcher.route(0, &namespace_deleted(3), ms(0)).unwrap();
    assert_eq!(watcher.ask(ms(0)), Some(Ask::Port(1)));
    watcher.looked_up(1, Some(vport(in_namespace(1, 5))), ms(0));
    assert!(matches!(watcher.event(), Some(Event::Changed(_))));
    assert_eq!(watcher.ask(ms(500)), None);
}

#[test]
fn after_the_death_of_any_namespace_ports_are_listed_to_be_sure() {
    // The port went on to namespace 4, which nobody told.
    let mut watcher = watcher(&[in_namespace(1, 3)]);
    watcher.route(0, &namespace_deleted(4), ms(0)).unwrap();
    assert_eq!(watcher.ask(ms(999)), None);
    assert_eq!(watcher.ask(ms(1000)), Some(Ask::List));
    watcher.listed([], ms(1000));
    assert_eq!(watcher.ask(ms(1000)), None);
    let removed = Event::Removed {
        port: vport(in_namespace(1, 3)),
        why: Why::Missed,
    };
    assert_eq!((watcher.event(), watcher.event()), (Some(removed), None));
    assert_eq!(watcher.generation(), 1);
}

#[test]
fn what_is_told_while_ports_are_listed_to_be_sure_keeps_its_reason() {
    let known = [port(0), port(1), in_namespace(2, 3), port(4)];
    let mut watcher = watcher(&known);
    watcher.route(0, &namespace_deleted(9), ms(0)).unwrap();
    assert_eq!(watcher.ask(ms(1000)), Some(Ask::List));
    watcher.listed([port(0), port(1)].map(vport), ms(1000));
    // It was gone before its namespace was called dead.
    watcher.route(0, &namespace_deleted(3), ms(1001)).unwrap();
    tell(&mut watcher, Command::DEL, port(1));
    tell(&mut watcher, Command::DEL, port(4));
    assert_eq!((watcher.event(), watcher.ask(ms(1001))), (None, Some(Ask::List)));
    watcher.listed([vport(port(0))], ms(1001));
    assert_eq!(watcher.ask(ms(1001)), None);
    let mut told = vec![];
    while let Some(Event::Removed { port, why }) = watcher.event() {
        told.push((port.port_no, why));
    }
    let expected = [
        (1, Why::Notified),
        (2, Why::Vanished { nsid: 3 }),
        (4, Why::Notified),
    ];
    assert_eq!(told, expected);
}

#[test]
fn the_end_of_the_datapath_is_the_end_of_its_ports() {
    let deleted = |dp: DpIfindex| {
        let request = Request::genl(DATAPATH, Command::DEL.0, 2, &dp.0.to_ne_bytes());
        encoded(&request.attrs(|s| s.attr(1, b"dp\0")).unwrap())
    };
    let mut watcher = watcher(&[port(0), port(1)]);
    watcher.generic(0, &deleted(DpIfindex(10))).unwrap();
    assert!(!watcher.is_deleted());
    let both = [deleted(DP), told(Command::NEW, DP, port(5))].concat();
    watcher.generic(0, &both).unwrap();
    assert!(watcher.is_deleted());
    for number in [0, 1] {
        let why = Why::DatapathDeleted;
        let removed = Event::Removed {
            port: vport(port(number)),
            why,
        };
        assert_eq!(watcher.event(), Some(removed));
    }
    assert_eq!(
        (watcher.event(), watcher.ask(ms(0)), watcher.due()),
        (None, None, None)
    );
}

#[test]
fn reads_what_rtnetlink_tells() {
    let read = |bytes: &[u8]| Notification::decode(&Messages::new(bytes).next().unwrap().unwrap());
    let link = Link {
        ifindex: 8,
        name: None,
        new_nsid: Some(0),
        new_ifindex: Some(8),
    };
    assert_eq!(read(&link_moved(8, 0)), Ok(Some(Notification::LinkDeleted(link))));
    let number = |kind| read(&route(kind, &[0; 4], &[(1, 6)]));
    assert_eq!(number(88), Ok(Some(Notification::NamespaceAdded { nsid: 6 })));
    assert_eq!(number(89), Ok(Some(Notification::NamespaceDeleted { nsid: 6 })));
    assert_eq!(number(20), Ok(None));
    let missing = DecodeError::Missing { offset: 0, kind: 1 };
    assert_eq!(read(&route(89, &[0; 4], &[])), Err(missing));
    let short = DecodeError::Short {
        offset: 0,
        wanted: 32,
        got: 31,
    };
    assert_eq!(read(&route(16, &[0; 15], &[])), Err(short));
}
