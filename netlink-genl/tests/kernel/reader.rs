//! What is read is what `ovs-dpctl` shows.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use netlink_genl::Error;
use netlink_genl::message::Errno;
use netlink_genl::ovs::DpIfindex;
use netlink_genl::ovs::vport::Kind;
use netlink_genl::socket::Options;
use netlink_genl::watch::Event;
use testbed::sh;

use super::{add_datapath, name};

both! { wait;
    fn a_kernel_without_datapaths_lists_none() {
        let mut ovs = wait!(Ovs::open()).unwrap();
        assert_eq!(wait!(list(wait!(ovs.datapaths()))).len(), 0);
    }

    fn lists_the_ports_that_ovs_dpctl_shows() {
        sh("ovs-dpctl add-dp dp0");
        sh("ip link add v0 type veth peer name v1");
        sh("ovs-dpctl add-if dp0 v0 int0,type=internal int7,type=internal,port_no=7");
        sh("ovs-dpctl add-if dp0 vx0,type=vxlan,remote_ip=flow,key=flow,dst_port=4789");
        sh("ovs-dpctl add-if dp0 gv0,type=geneve,remote_ip=flow,key=flow");
        sh("ovs-dpctl add-if dp0 gre0x,type=gre,remote_ip=flow,key=flow");
        let shown = sh("ovs-dpctl show dp0");
        let shown: BTreeSet<_> = shown.lines().filter_map(shown_port).collect();
        assert_eq!(shown.len(), 7, "{shown:?}");

        let mut ovs = wait!(Ovs::open()).unwrap();
        let datapaths = wait!(all(wait!(ovs.datapaths())));
        let names: Vec<_> = datapaths.iter().map(|dp| dp.name.to_str().unwrap()).collect();
        assert_eq!(names, ["dp0"]);
        let ports = wait!(all(wait!(ovs.vports(datapaths[0].ifindex))));
        let listed: BTreeSet<_> = ports
            .iter()
            .map(|port| (port.port_no, name(port).to_owned(), port.kind))
            .collect();
        assert_eq!(listed, shown);
        assert_eq!(ports.len(), shown.len());

        for port in &ports {
            let ifindex = fs::read_to_string(format!("/sys/class/net/{}/ifindex", name(port))).unwrap();
            assert_eq!(port.ifindex, Some(ifindex.trim().parse().unwrap()));
            assert_eq!(port.datapath, datapaths[0].ifindex);
            assert_eq!((port.netnsid, port.upcall_pids.len()), (None, 1));
            assert!(port.stats.is_some() && port.other.is_empty() && port.options.is_none());
        }
        sh("ovs-dpctl del-dp dp0");
        sh("ip link del v0");
    }

    fn an_absent_datapath_is_enodev() {
        let mut ovs = wait!(Ovs::open()).unwrap();
        let items = wait!(list(wait!(ovs.vports(DpIfindex(9999)))));
        let [Err(error @ Error::Kernel(_))] = &items[..] else {
            panic!("{items:?}");
        };
        assert_eq!(error.errno(), Some(Errno::ENODEV));
        assert_eq!(error.to_string(), "the kernel answered ENODEV");
        assert!(!error.is_retryable());
        // The error is that list's, not the socket's.
        assert!(wait!(list(wait!(ovs.datapaths()))).iter().all(Result::is_ok));
    }

    fn looks_one_object_up() {
        let dp = add_datapath("dp5");
        sh("ovs-dpctl add-if dp5 int5,type=internal,port_no=5");
        let mut ovs = wait!(Ovs::open()).unwrap();
        let by_number = wait!(ovs.vport(dp, 5)).unwrap();
        assert_eq!((name(&by_number), by_number.datapath), ("int5", dp));
        // Its counters may have moved in between: the host sends packets of its own.
        let by_name = wait!(ovs.vport_by_name(c"int5")).unwrap();
        assert_eq!((by_name.datapath, by_name.port_no), (dp, by_number.port_no));
        let datapath = wait!(ovs.datapath(dp)).unwrap();
        assert_eq!(datapath.name.as_c_str(), c"dp5");
        assert!(datapath.stats.is_some() && datapath.megaflow_stats.is_some() && datapath.other.is_empty());
        assert_eq!(wait!(ovs.datapath_by_name(c"dp5")).unwrap().ifindex, datapath.ifindex);

        let too_long = c"sixteen_bytes_xx";
        let refused = wait!(ovs.vport_by_name(too_long)).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "the kernel answered EINVAL: Attribute failed policy validation (OVS_VPORT_ATTR_NAME at byte \
             24 of the request: a string with NUL, at most 15 bytes)"
        );
        let refused = [
            (wait!(ovs.vport(dp, 6)).map(drop), Errno::ENODEV),
            (wait!(ovs.vport(DpIfindex(9999), 5)).map(drop), Errno::ENODEV),
            (wait!(ovs.vport_by_name(c"int6")).map(drop), Errno::ENODEV),
            (wait!(ovs.vport_by_name(too_long)).map(drop), Errno::EINVAL),
            (wait!(ovs.datapath(DpIfindex(9999))).map(drop), Errno::ENODEV),
            (wait!(ovs.datapath_by_name(c"int5")).map(drop), Errno::ENODEV),
            (wait!(ovs.datapath_by_name(too_long)).map(drop), Errno::EINVAL),
        ];
        for (result, errno) in refused {
            assert_eq!(result.unwrap_err().errno(), Some(errno));
        }
        sh("ovs-dpctl del-dp dp5");
    }

    fn reads_and_watches_another_network_namespace() {
        sh("ip netns add inner");
        sh("ip netns exec inner ovs-dpctl add-dp n0");
        let mut inside = Options::default();
        inside.namespace = Some("/run/netns/inner".into());
        let mut ovs = wait!(Ovs::with_options(&inside)).unwrap();
        let datapaths = wait!(all(wait!(ovs.datapaths())));
        let [datapath] = &datapaths[..] else {
            panic!("{datapaths:?}");
        };
        assert_eq!(datapath.name.as_c_str(), c"n0");
        // The thread is where it was.
        let mut here = wait!(Ovs::open()).unwrap();
        let absent = wait!(here.datapath_by_name(c"n0")).unwrap_err();
        assert_eq!(absent.errno(), Some(Errno::ENODEV));

        let mut watch = wait!(ovs.watch(datapath.ifindex, &Options::default())).unwrap();
        sh("ip netns exec inner ovs-dpctl add-if n0 n0int,type=internal");
        let added = wait!(event(&mut watch, Duration::from_secs(20)));
        assert!(matches!(added, Some(Event::Added(port)) if name(&port) == "n0int"));
        sh("ip netns del inner");
    }
}

/// "  port 1: v0", "  port 0: dp0 (internal)", "  port 3: vxlan_sys_4789 (vxlan: packet_type=ptap)"
fn shown_port(line: &str) -> Option<(u32, String, Kind)> {
    let (number, rest) = line.trim().strip_prefix("port ")?.split_once(": ")?;
    let (name, kind) = rest.split_once(" (").unwrap_or((rest, ""));
    let kind = if kind == "internal)" {
        Kind::INTERNAL
    } else {
        Kind::NETDEV
    };
    Some((number.parse().unwrap(), name.to_owned(), kind))
}
