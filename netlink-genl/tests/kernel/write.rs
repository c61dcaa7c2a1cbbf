//! Datapaths and ports that are made, changed and deleted.

use netlink_genl::Error;
use netlink_genl::message::Errno;
use netlink_genl::nlattr::Sink;
use netlink_genl::ovs::DpIfindex;
use netlink_genl::ovs::datapath::{Features, PerCpu};
use netlink_genl::ovs::flow::NewFlow;
use netlink_genl::ovs::vport::{Kind, NewVport, Upcall};

use testbed::sh;

use super::Kernel;

both! { wait;
    fn makes_changes_and_deletes_ports() {
        let mut admin = wait!(Admin::open()).unwrap();
        let mut ovs = wait!(Ovs::open()).unwrap();
        let dp = wait!(admin.add_datapath(c"a0", Features::default(), 0)).unwrap().ifindex;
        sh("ip link add a0veth type veth peer name a0peer");
        let new = [
            NewVport::internal(dp, c"a0int", Upcall::Drop),
            NewVport::netdev(dp, c"a0veth", Upcall::Ports(vec![77])),
            NewVport::vxlan(dp, c"a0vxlan", 5789, Upcall::Drop),
            NewVport::geneve(dp, c"a0geneve", 5081, Upcall::Drop),
        ];
        for (number, new) in (1..).zip(&new) {
            let made = wait!(admin.add_vport(new)).unwrap();
            assert_eq!(
                (made.port_no, made.kind, &made.name),
                (number, new.kind, &new.name)
            );
            let dst_port = |options: &Option<_>| match options {
                Some(netlink_genl::ovs::vport::Options { dst_port, .. }) => *dst_port,
                None => None,
            };
            assert_eq!(dst_port(&made.options), dst_port(&new.options));
            assert!(wait!(ovs.vport(dp, number)).unwrap().is_like(&made));
        }
        assert_eq!(wait!(ovs.vport(dp, 2)).unwrap().upcall_pids, [77]);
        let changed = wait!(admin.set_upcall(dp, 2, &Upcall::Ports(vec![78]))).unwrap();
        assert_eq!(
            (changed.upcall_pids, wait!(ovs.vport(dp, 2)).unwrap().upcall_pids),
            (vec![78], vec![78])
        );

        let at = |port_no| NewVport {
            port_no: Some(port_no),
            ..NewVport::internal(dp, c"a0at", Upcall::Drop)
        };
        assert_eq!(wait!(admin.add_vport(&at(100))).unwrap().port_no, 100);
        let other = |new: NewVport| NewVport {
            name: c"a0other".into(),
            ..new
        };
        let second = wait!(admin.add_datapath(c"a0second", Features::default(), 0)).unwrap().ifindex;
        // Its master is the first datapath.
        let busy = |port_no| NewVport {
            datapath: second,
            port_no,
            ..new[1].clone()
        };
        let refused = [
            (busy(None), Errno::EBUSY, Some(NAME)),
            // It could also be the number.
            (busy(Some(9)), Errno::EBUSY, None),
            (new[0].clone(), Errno::EEXIST, Some(NAME)),
            (new[1].clone(), Errno::EEXIST, Some(NAME)),
            (other(at(100)), Errno::EBUSY, Some("OVS_VPORT_ATTR_PORT_NO")),
            (other(at(65_535)), Errno::EFBIG, Some("OVS_VPORT_ATTR_PORT_NO")),
            (other(new[1].clone()), Errno::ENODEV, Some(NAME)),
            (
                NewVport::internal(DpIfindex(9999), c"a0none", Upcall::Drop),
                Errno::ENODEV,
                None,
            ),
            (
                NewVport::internal(dp, c"a0none", Upcall::Ports(vec![])),
                Errno::EINVAL,
                None,
            ),
            (
                NewVport {
                    kind: Kind(99),
                    ..other(at(7))
                },
                Errno::EAFNOSUPPORT,
                Some("OVS_VPORT_ATTR_TYPE"),
            ),
        ];
        for (new, errno, suspect) in refused {
            let Err(Error::Kernel(status)) = wait!(admin.add_vport(&new)) else {
                panic!("{new:?}")
            };
            let named = status.ext_ack.suspect.map(|path| path.to_string());
            assert_eq!((status.errno, named.as_deref()), (errno, suspect), "{new:?}");
        }
        let by_name = wait!(ovs.vport_by_name(c"a0none")).unwrap_err();
        assert_eq!(
            by_name.to_string(),
            "the kernel answered ENODEV (OVS_VPORT_ATTR_NAME)"
        );
        let too_long = NewVport::internal(dp, c"sixteen_bytes_xx", Upcall::Drop);
        let Err(Error::Kernel(status)) = wait!(admin.add_vport(&too_long)) else {
            panic!()
        };
        let attribute = status.ext_ack.attribute.unwrap();
        assert_eq!(
            (status.errno, attribute.to_string().as_str()),
            (Errno::EINVAL, NAME)
        );

        assert_eq!(wait!(admin.delete_vport(dp, 1)).unwrap().name, new[0].name);
        assert_eq!(
            wait!(admin.delete_vport(dp, 1)).unwrap_err().errno(),
            Some(Errno::ENODEV)
        );
        assert_eq!(
            wait!(admin.delete_vport(dp, 0)).unwrap_err().errno(),
            Some(Errno::EINVAL)
        );
        assert_eq!(wait!(list(wait!(ovs.vports(dp)))).len(), 5);
        wait!(admin.delete_datapath(dp)).unwrap();
        wait!(admin.delete_datapath(second)).unwrap();
        sh("ip link del a0veth");
    }

    fn a_change_of_a_datapath_keeps_its_other_features() {
        let mut admin = wait!(Admin::open()).unwrap();
        let mut ovs = wait!(Ovs::open()).unwrap();
        let features = Features(Features::UNALIGNED.0 | Features::VPORT_PIDS.0);
        let made = wait!(admin.add_datapath(c"a1", features, 0)).unwrap();
        let dp = made.ifindex;
        assert_eq!((made.name.as_c_str(), made.features), (c"a1", features));
        let again = wait!(admin.add_datapath(c"a1", features, 0)).unwrap_err();
        assert_eq!(again.errno(), Some(Errno::EEXIST));

        let changed = wait!(admin.set_datapath(dp, |settings| settings.masks_cache_size = Some(128))).unwrap();
        assert_eq!(
            (changed.features, changed.masks_cache_size),
            (features, Some(128))
        );
        let changed = wait!(admin.set_datapath(dp, |settings| {
                settings.per_cpu = Some(PerCpu::new(5, &[6]));
            })).unwrap();
        assert_eq!(
            (changed.features, &changed.per_cpu_pids[..]),
            (Features(0xb), &[5, 6][..])
        );
        let changed = wait!(admin.set_datapath(dp, |settings| settings.masks_cache_size = Some(64))).unwrap();
        assert_eq!(
            (changed.masks_cache_size, &changed.per_cpu_pids[..]),
            (Some(64), &[5, 6][..])
        );
        // The trap: per CPU, and no port for any.
        let without_ports = Features(features.0 | Features::DISPATCH_UPCALL_PER_CPU.0);
        let changed = wait!(admin.set_datapath(dp, |settings| {
                settings.features = without_ports;
                settings.per_cpu = None;
            })).unwrap();
        assert_eq!(changed.features, features);
        let trap = wait!(admin.add_datapath(c"a1trap", without_ports, 0)).unwrap();
        assert_eq!(trap.features, features);
        // Somebody else sets it, and the next change of anything heals it.
        let mut kernel = Kernel::open();
        kernel.set_features(trap.ifindex, without_ports).unwrap();
        let set = wait!(ovs.datapath(trap.ifindex)).unwrap();
        assert_eq!((set.features, set.per_cpu_pids.len()), (without_ports, 0));
        let healed = wait!(admin.set_datapath(trap.ifindex, |settings| settings.masks_cache_size = Some(32))).unwrap();
        assert_eq!((healed.features, healed.masks_cache_size), (features, Some(32)));
        wait!(admin.delete_datapath(trap.ifindex)).unwrap();

        let changed = wait!(admin.set_datapath(dp, |settings| settings.per_cpu = Some(PerCpu::new(7, &[])))).unwrap();
        assert_eq!(
            (changed.features, &changed.per_cpu_pids[..]),
            (without_ports, &[7][..])
        );
        let unknown = wait!(admin.set_datapath(dp, |settings| settings.features.0 |= 1 << 31));
        assert_eq!(unknown.unwrap_err().errno(), Some(Errno::EOPNOTSUPP));

        let read = wait!(ovs.datapath(dp)).unwrap();
        assert_eq!((read.features, read.masks_cache_size), (Features(0xb), Some(64)));
        assert_eq!(wait!(admin.delete_datapath(dp)).unwrap().name.as_c_str(), c"a1");
        assert_eq!(
            wait!(admin.delete_datapath(dp)).unwrap_err().errno(),
            Some(Errno::ENODEV)
        );
    }

    fn makes_and_deletes_flows_and_sends_packets() {
        let mut admin = wait!(Admin::open()).unwrap();
        let mut ovs = wait!(Ovs::open()).unwrap();
        let dp = wait!(admin.add_datapath(c"a2", Features::default(), 0)).unwrap().ifindex;
        let port = wait!(admin.add_vport(&NewVport::internal(dp, c"a2int", Upcall::Drop))).unwrap()
            .port_no;
        sh("ip link set a2int up");
        // OVS_KEY_ATTR_IN_PORT, _ETHERNET, _ETHERTYPE; OVS_ACTION_ATTR_OUTPUT
        let key = |number: u16| {
            let mut key = vec![];
            key.attr_u32(3, 0).unwrap();
            key.attr(4, &[2; 12]).unwrap();
            key.attr_be16(6, 0x9000 + number).unwrap();
            key
        };
        let mut output = vec![];
        output.attr_u32(1, port).unwrap();
        let new = NewFlow {
            datapath: dp,
            key: key(1),
            mask: None,
            actions: vec![],
            ufid: Some(vec![9; 16]),
        };
        wait!(admin.add_flow(&new)).unwrap();
        assert_eq!(wait!(admin.add_flow(&new)).unwrap_err().errno(), Some(Errno::EEXIST));
        let changed = NewFlow {
            actions: output.clone(),
            ..new.clone()
        };
        wait!(admin.put_flow(&changed)).unwrap();
        let read = wait!(ovs.flow(dp, &[9; 16])).unwrap();
        assert_eq!((read.actions, read.stats), (Some(output.clone()), None));

        let packet = [&[2; 12][..], &0x9001u16.to_be_bytes(), &[0; 46]].concat();
        let sent = || packets(dp, port);
        let before = sent();
        let mut in_port = vec![];
        in_port.attr_u32(3, 0).unwrap();
        wait!(admin.execute(dp, &packet, &in_port, &output)).unwrap();
        assert_eq!(sent() - before, 1);

        let by_key = NewFlow {
            key: key(2),
            ufid: None,
            ..new.clone()
        };
        wait!(admin.add_flow(&by_key)).unwrap();
        assert_eq!(wait!(list(wait!(ovs.flows(dp)))).len(), 2);
        wait!(admin.delete_flow_by_key(dp, &key(2))).unwrap();
        wait!(admin.delete_flow(dp, &[9; 16])).unwrap();
        let gone = wait!(admin.delete_flow(dp, &[9; 16])).unwrap_err();
        assert_eq!(gone.errno(), Some(Errno::ENOENT));
        wait!(admin.add_flow(&new)).unwrap();
        wait!(admin.add_flow(&by_key)).unwrap();
        wait!(admin.flush_flows(dp)).unwrap();
        assert_eq!(wait!(list(wait!(ovs.flows(dp)))).len(), 0);

        let too_big = NewFlow {
            actions: vec![0; 65_532],
            ..new
        };
        assert!(matches!(wait!(admin.add_flow(&too_big)), Err(Error::Encode(_))));
        wait!(admin.delete_datapath(dp)).unwrap();
    }
}

const NAME: &str = "OVS_VPORT_ATTR_NAME";

/// Packets that the datapath sent to a port.
fn packets(dp: DpIfindex, port_no: u32) -> u64 {
    let mut ovs = netlink_genl::blocking::Ovs::open().unwrap();
    ovs.vport(dp, port_no).unwrap().stats.unwrap().rx_packets
}
