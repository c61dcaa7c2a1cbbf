//! Meters, limits of connection tracking, many changes at once, and packets that come from a datapath.

use std::time::Duration;

use netlink_genl::Error;
use netlink_genl::message::Errno;
use netlink_genl::nlattr::Sink;
use netlink_genl::ovs::ct_limit::{CtLimits, ZoneLimit};
use netlink_genl::ovs::datapath::{Features, PerCpu};
use netlink_genl::ovs::flow::NewFlow;
use netlink_genl::ovs::meter::{NewBand, NewMeter};
use netlink_genl::ovs::packet::Reason;
use netlink_genl::ovs::vport::{NewVport, Upcall};
use netlink_genl::ovs::{Batch, DpIfindex};
use netlink_genl::socket::Options;

use super::flow::outputs;

both! { wait;
    fn makes_and_deletes_meters() {
        let mut admin = wait!(Admin::open()).unwrap();
        let mut ovs = wait!(Ovs::open()).unwrap();
        let dp = wait!(admin.add_datapath(c"m0", Features::default(), 0)).unwrap().ifindex;
        let features = wait!(ovs.meter_features(dp)).unwrap();
        assert!(features.max_meters > 0, "{features:?}");
        assert_eq!((features.max_bands, &features.band_types[..]), (1, &[1][..]));

        let band = NewBand {
            rate: 1000,
            burst: 100,
        };
        let new = NewMeter {
            datapath: dp,
            id: 2,
            kbps: true,
            bands: vec![band],
        };
        assert_eq!(wait!(admin.set_meter(&new)).unwrap().id, Some(2));
        let meter = wait!(ovs.meter(dp, 2)).unwrap();
        assert_eq!((meter.id, meter.bands.len()), (Some(2), 1));
        assert_eq!(meter.stats.map(|stats| stats.packets), Some(0));
        let absent = wait!(ovs.meter(dp, 3)).unwrap_err();
        assert_eq!(
            absent.to_string(),
            "the kernel answered ENOENT (OVS_METER_ATTR_ID)"
        );
        let too_many = NewMeter {
            bands: vec![band; 2],
            ..new
        };
        let refused = wait!(admin.set_meter(&too_many)).unwrap_err();
        assert_eq!(refused.errno(), Some(Errno::EINVAL));
        assert_eq!(wait!(admin.delete_meter(dp, 2)).unwrap().id, Some(2));
        assert_eq!(wait!(admin.delete_meter(dp, 2)).unwrap().stats, None);
        let no_datapath = wait!(ovs.meter_features(DpIfindex(9999))).unwrap_err();
        assert_eq!(no_datapath.errno(), Some(Errno::ENODEV));
        wait!(admin.delete_datapath(dp)).unwrap();
    }

    fn limits_the_connections_of_zones() {
        let mut admin = wait!(Admin::open()).unwrap();
        let mut ovs = wait!(Ovs::open()).unwrap();
        wait!(admin.set_ct_limits(&[(ZoneLimit::DEFAULT, 10), (1, 5), (2, 7)])).unwrap();
        assert_eq!(sorted(wait!(ovs.ct_limits(&[]))), [(-1, 10), (1, 5), (2, 7)]);
        assert_eq!(sorted(wait!(ovs.ct_limits(&[2, 3]))), [(2, 7), (3, 10)]);
        wait!(admin.delete_ct_limits(&[1, ZoneLimit::DEFAULT])).unwrap();
        assert_eq!(sorted(wait!(ovs.ct_limits(&[]))), [(-1, 0), (2, 7)]);
        wait!(admin.delete_ct_limits(&[2])).unwrap();
    }

    fn makes_many_changes_at_once() {
        let mut admin = wait!(Admin::open()).unwrap();
        let mut ovs = wait!(Ovs::open()).unwrap();
        let dp = wait!(admin.add_datapath(c"m1", Features::default(), 0)).unwrap().ifindex;
        let flow = |number: u16| NewFlow {
            datapath: dp,
            key: key(0x9000 + number),
            mask: None,
            actions: vec![],
            ufid: Some(number.to_be_bytes().repeat(8)),
        };
        // More than one datagram takes, the tenth twice, and a packet for no datapath.
        let mut batch = Batch::default();
        for number in 0..300 {
            batch.add_flow(&flow(number.max(1))).unwrap();
        }
        batch.execute(DpIfindex(9999), &[0; 60], &in_port(), &[]).unwrap();
        let results = wait!(admin.commit(batch)).unwrap();
        let errors: Vec<_> = results
            .iter()
            .enumerate()
            .filter_map(|(at, result)| Some((at, result.as_ref().err()?.errno().unwrap())))
            .collect();
        assert_eq!(errors, [(1, Errno::EEXIST), (300, Errno::ENODEV)]);
        assert_eq!((results.len(), wait!(list(wait!(ovs.flows(dp)))).len()), (301, 299));

        // Two of these are all that a socket sends at once.
        let big = |number| NewFlow {
            actions: outputs(8190),
            ..flow(number)
        };
        let mut batch = Batch::default();
        for number in 400..405 {
            batch.put_flow(&big(number)).unwrap();
        }
        for number in 1..300 {
            batch.delete_flow(dp, &flow(number).ufid.unwrap()).unwrap();
        }
        assert!(wait!(admin.commit(batch)).unwrap().iter().all(Result::is_ok));
        assert_eq!(wait!(list(wait!(ovs.flows(dp)))).len(), 5);
        assert!(wait!(admin.commit(Batch::default())).unwrap().is_empty());
        wait!(admin.delete_datapath(dp)).unwrap();
    }

    fn takes_the_packets_of_a_port_and_of_a_cpu() {
        let mut admin = wait!(Admin::open()).unwrap();
        let dp = wait!(admin.add_datapath(c"m2", Features::UNALIGNED, 0)).unwrap().ifindex;
        let mut first = wait!(admin.upcalls(&Options::default())).unwrap();
        let mut second = wait!(admin.upcalls(&Options::default())).unwrap();
        let policy = Upcall::Ports(vec![first.port()]);
        let port = wait!(admin.add_vport(&NewVport::internal(dp, c"m2int", policy))).unwrap();
        let mut from_port = vec![];
        from_port.attr_u32(3, port.port_no).unwrap();
        let frame = [&[2; 12][..], &0x9001u16.to_be_bytes(), &[7; 47]].concat();

        // OVS_ACTION_ATTR_USERSPACE { PID, USERDATA }
        let mut userspace = vec![];
        userspace
            .nest(2, |s| {
                s.attr_u32(1, second.port())?;
                s.attr(2, b"why")
            })
            .unwrap();
        wait!(admin.execute(dp, &frame, &from_port, &userspace)).unwrap();
        let sent = wait!(packet(&mut second, SOON)).unwrap();
        assert_eq!((sent.datapath, sent.reason), (dp, Reason::ACTION));
        assert_eq!(
            (&sent.packet, sent.userdata.as_deref()),
            (&frame, Some(&b"why"[..]))
        );
        assert!(!sent.key.is_empty() && sent.other.is_empty());

        // OVS_ACTION_ATTR_RECIRC: it meets no flow then.
        let mut recirculate = vec![];
        recirculate.attr_u32(7, 1).unwrap();
        wait!(admin.execute(dp, &frame, &from_port, &recirculate)).unwrap();
        let missed = wait!(packet(&mut first, SOON)).unwrap();
        assert_eq!((missed.reason, &missed.packet), (Reason::MISS, &frame));

        let pids = PerCpu::new(second.port(), &[]);
        wait!(admin.set_datapath(dp, |settings| settings.per_cpu = Some(pids))).unwrap();
        wait!(admin.execute(dp, &frame, &from_port, &recirculate)).unwrap();
        assert_eq!(wait!(packet(&mut second, SOON)).unwrap().packet, frame);
        assert_eq!(wait!(packet(&mut first, BRIEFLY)), None);
        wait!(admin.set_datapath(dp, |settings| settings.per_cpu = None)).unwrap();
        wait!(admin.set_upcall(dp, port.port_no, &Upcall::Drop)).unwrap();
        wait!(admin.execute(dp, &frame, &from_port, &recirculate)).unwrap();
        assert_eq!(wait!(packet(&mut second, BRIEFLY)), None);
        wait!(admin.delete_datapath(dp)).unwrap();
    }
}

/// Zones and their limits.
fn sorted(limits: Result<CtLimits, Error>) -> Vec<(i32, u32)> {
    let limits = limits.unwrap().0;
    let mut limits: Vec<_> = limits.iter().map(|limit| (limit.zone, limit.limit)).collect();
    limits.sort();
    limits
}

/// OVS_KEY_ATTR_IN_PORT, _ETHERNET, _ETHERTYPE
fn key(ether_type: u16) -> Vec<u8> {
    let mut key = in_port();
    key.attr(4, &[2; 12]).unwrap();
    key.attr_be16(6, ether_type).unwrap();
    key
}

fn in_port() -> Vec<u8> {
    let mut key = vec![];
    key.attr_u32(3, 0).unwrap();
    key
}

const SOON: Duration = Duration::from_secs(5);
const BRIEFLY: Duration = Duration::from_millis(50);
