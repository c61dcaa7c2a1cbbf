//! Recorded sessions of Open vSwitch's own tools, answered as they were.

use netlink_genl::exchange::Event;
use netlink_genl::message::{Errno, Message, Status};
use netlink_genl::ovs::datapath::{Datapath, Dispatch};
use netlink_genl::ovs::vport::{Kind, Stats, Vport};

use crate::capture::{Capture, capture};

fn captures() -> [Capture; 7] {
    [
        capture!("dpctl-show-dp0"),
        capture!("dpctl-dump-dps"),
        capture!("dpctl-show"),
        capture!("dpctl-del-if-missing"),
        capture!("dpctl-del-dp"),
        capture!("dpctl-unprivileged-add-dp"),
        capture!("vswitchd-port-in-other-netns"),
    ]
}

fn ports(capture: &Capture) -> Vec<Vport> {
    let events = capture.dump("ovs_vport").replay();
    events
        .into_iter()
        .filter_map(|event| match event.unwrap() {
            Event::Reply(message) => Some(Vport::decode(&message).unwrap()),
            _ => None,
        })
        .collect()
}

#[test]
fn every_recorded_answer_is_complete_and_means_what_the_other_decoder_says() {
    let mut compared = 0;
    for capture in captures() {
        let (dp, vport) = (capture.family("ovs_datapath"), capture.family("ovs_vport"));
        for mut conversation in capture.conversations() {
            let events = conversation.replay();
            assert!(!conversation.exchange.is_pending());
            let described = conversation.described();
            if conversation.is_dump() {
                assert_eq!(events.len(), described.len());
            } else {
                // Behind it may be copies for those who listen.
                assert_eq!(events.len(), 1);
            }
            for (event, described) in events.iter().zip(described) {
                let ours = match event.as_ref().unwrap() {
                    Event::Reply(message) if message.kind().0 == vport => vport_line(message),
                    Event::Reply(message) if message.kind().0 == dp => datapath_line(message),
                    Event::Reply(_) => continue,
                    Event::Done { interrupted: false } => "DONE errno=0".into(),
                    Event::Failed(status) if conversation.is_dump() => status_line("DONE", status),
                    Event::Failed(status) => status_line("ERROR", status),
                    other => panic!("{other:?}"),
                };
                assert_eq!(described, ours);
                compared += 1;
            }
        }
    }
    assert!(compared > 150, "{compared}");
}

#[test]
fn lists_the_ports_and_counters_that_ovs_dpctl_printed() {
    let capture = capture!("dpctl-show");
    let printed: Vec<String> = capture
        .output()
        .filter(|line| line.contains(" port "))
        .map(|line| line.trim().split(" (").next().unwrap().into())
        .collect();
    let ports = ports(&capture);
    let ours: Vec<String> = ports
        .iter()
        .map(|port| format!("port {}: {}", port.port_no, port.name.to_str().unwrap()))
        .collect();
    assert_eq!(ours, printed);

    let internal: Vec<_> = ports
        .iter()
        .filter(|port| port.kind == Kind::INTERNAL)
        .map(|port| port.port_no)
        .collect();
    assert_eq!(internal, [0, 2, 7]);
    // "TX packets:8", "TX bytes:656"
    let expected = Stats {
        tx_packets: 8,
        tx_bytes: 656,
        ..Stats::default()
    };
    assert_eq!((ports[2].port_no, ports[2].stats), (2, Some(expected)));
}

#[test]
fn reads_who_takes_the_packets_without_a_flow() {
    let capture = capture!("vswitchd-port-in-other-netns");
    let (events, capture) = (capture.dump("ovs_datapath").replay(), &capture!("dpctl-show"));
    let Ok(Event::Reply(message)) = &events[0] else {
        panic!("{events:?}");
    };
    let switched = Datapath::decode(message).unwrap();
    assert_eq!(
        (switched.dispatch(), switched.per_cpu_pids.len()),
        (Dispatch::PerCpu, 2)
    );
    let events = capture.dump("ovs_datapath").replay();
    let Ok(Event::Reply(message)) = &events[0] else {
        panic!("{events:?}");
    };
    let alone = Datapath::decode(message).unwrap();
    assert_eq!(
        (alone.dispatch(), alone.per_cpu_pids.len()),
        (Dispatch::PerCpu, 0)
    );
}

#[test]
fn names_the_namespace_that_a_port_went_to() {
    let ports = ports(&capture!("vswitchd-port-in-other-netns"));
    let away: Vec<_> = ports.iter().map(|port| (port.port_no, port.netnsid)).collect();
    assert_eq!(away, [(0, None), (1, None), (2, Some(1)), (4, None), (5, None)]);
    assert!(ports.iter().all(|port| port.other.is_empty()));
}

#[test]
fn an_error_number_in_the_end_of_a_dump_is_an_error() {
    let capture = capture!("dpctl-del-dp");
    let failed: Vec<_> = capture
        .conversations()
        .filter(|conversation| conversation.is_dump())
        .flat_map(|mut conversation| conversation.replay())
        .filter_map(|event| match event.unwrap() {
            Event::Failed(status) => Some(status.errno),
            _ => None,
        })
        .collect();
    assert_eq!(failed, [Errno::ENODEV]);
}

fn vport_line(message: &Message<'_>) -> String {
    let port = Vport::decode(message).unwrap();
    let mut line = format!(
        "ovs_vport.{} dp={} PORT_NO={} TYPE={} NAME='{}' IFINDEX={}",
        command(message),
        port.datapath,
        port.port_no,
        port.kind.0,
        port.name.to_str().unwrap(),
        port.ifindex.unwrap(),
    );
    if let Some(nsid) = port.netnsid {
        line += &format!(" NETNSID={nsid}");
    }
    let stats = port.stats.unwrap();
    let words = [
        stats.rx_packets,
        stats.tx_packets,
        stats.rx_bytes,
        stats.tx_bytes,
        stats.rx_errors,
        stats.tx_errors,
        stats.rx_dropped,
        stats.tx_dropped,
    ];
    let pids = list(&port.upcall_pids);
    line + &format!(" STATS={}..(64B) UPCALL_PID={pids}", &hex(&words)[..96])
}

fn datapath_line(message: &Message<'_>) -> String {
    let datapath = Datapath::decode(message).unwrap();
    assert!(datapath.other.is_empty());
    let name = datapath.name.to_str().unwrap();
    let stats = datapath.stats.unwrap();
    let megaflow = datapath.megaflow_stats.unwrap();
    let mut line = format!(
        "ovs_datapath.{} dp={} NAME='{name}' STATS={} MEGAFLOW_STATS={} USER_FEATURES={} MASKS_CACHE_SIZE={}",
        command(message),
        datapath.ifindex,
        hex(&[stats.hit, stats.missed, stats.lost, stats.flows]),
        hex(&[megaflow.mask_hit, megaflow.masks.into(), megaflow.cache_hit, 0]),
        datapath.features.0,
        datapath.masks_cache_size.unwrap(),
    );
    if !datapath.per_cpu_pids.is_empty() {
        line += &format!(" PER_CPU_PIDS={}", list(&datapath.per_cpu_pids));
    }
    line
}

/// As the other decoder prints them: byte by byte.
fn hex(words: &[u64]) -> String {
    words
        .iter()
        .map(|word| format!("{:016x}", word.swap_bytes()))
        .collect()
}

fn list(numbers: &[u32]) -> String {
    let numbers: Vec<String> = numbers.iter().map(u32::to_string).collect();
    numbers.join(",")
}

fn status_line(kind: &str, status: &Status) -> String {
    format!("{kind} errno=-{}", status.errno.0)
}

fn command(message: &Message<'_>) -> String {
    let genl = message.genl().unwrap();
    let name = ["NEW", "DEL", "GET", "SET"][usize::from(genl.cmd()) - 1];
    format!("{name} v{}", genl.version())
}
