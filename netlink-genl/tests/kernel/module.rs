//! `openvswitch.ko` unloaded and loaded again, under clients that are open.

use netlink_genl::Error;
use netlink_genl::ovs::{DpIfindex, ct_limit, datapath, flow, meter, packet, vport};
use netlink_genl::socket::Options;

use testbed::sh;

both! { wait;
    fn a_module_that_is_loaded_again_is_found_again() {
        let mut ovs = wait!(Ovs::open()).unwrap();
        let watching = wait!(Ovs::open()).unwrap();
        let mut connection = Connection::open().unwrap();
        let before = wait!(connection.family(vport::FAMILY)).unwrap();
        assert_eq!(wait!(connection.family(vport::FAMILY)).unwrap(), before);
        #[cfg(feature = "write")]
        let mut admin = wait!(Admin::open()).unwrap();
        let users = ["vport_vxlan", "vport_gre", "vport_geneve", "openvswitch"];
        for module in users {
            sh(&format!("rmmod {module}"));
        }

        // Every way in, also from what was opened before.
        let dp = DpIfindex(1);
        let mut missing = vec![
            wait!(Ovs::open()).map(drop),
            wait!(Ovs::with_options(&Options::default())).map(drop),
            wait!(ovs.datapaths()).map(drop),
            wait!(ovs.datapath(dp)).map(drop),
            wait!(ovs.datapath_by_name(c"dp")).map(drop),
            wait!(ovs.vports(dp)).map(drop),
            wait!(ovs.vport(dp, 0)).map(drop),
            wait!(ovs.vport_by_name(c"port")).map(drop),
            wait!(ovs.flows(dp)).map(drop),
            wait!(ovs.flow(dp, &[1])).map(drop),
            wait!(ovs.complete(big_flow(dp))).map(drop),
            wait!(ovs.meter_features(dp)).map(drop),
            wait!(ovs.meter(dp, 1)).map(drop),
            wait!(ovs.ct_limits(&[])).map(drop),
            wait!(ovs.accounting(1)).map(drop),
            wait!(watching.watch(dp, &Options::default())).map(drop),
        ];
        for family in [
            datapath::FAMILY, vport::FAMILY, flow::FAMILY, packet::FAMILY, meter::FAMILY, ct_limit::FAMILY,
        ] {
            missing.push(wait!(connection.family(family)).map(drop));
        }
        #[cfg(feature = "write")]
        missing.extend([
            wait!(Admin::open()).map(drop),
            wait!(Admin::with_options(&Options::default())).map(drop),
            wait!(admin.add_vport(&NewVport::internal(dp, c"port", Upcall::Drop))).map(drop),
            wait!(admin.set_upcall(dp, 1, &Upcall::Drop)).map(drop),
            wait!(admin.delete_vport(dp, 1)).map(drop),
            wait!(admin.add_datapath(c"dp", Default::default(), 0)).map(drop),
            wait!(admin.set_datapath(dp, |_| ())).map(drop),
            wait!(admin.delete_datapath(dp)).map(drop),
            wait!(admin.add_flow(&new_flow(dp))),
            wait!(admin.put_flow(&new_flow(dp))),
            wait!(admin.delete_flow(dp, &[1])),
            wait!(admin.delete_flow_by_key(dp, &[])),
            wait!(admin.flush_flows(dp)),
            wait!(admin.execute(dp, &[0; 60], &[], &[])),
            wait!(admin.commit(Default::default())).map(drop),
            wait!(admin.set_meter(&NewMeter { datapath: dp, id: 1, kbps: false, bands: vec![] })).map(drop),
            wait!(admin.delete_meter(dp, 1)).map(drop),
            wait!(admin.set_ct_limits(&[(1, 1)])),
            wait!(admin.delete_ct_limits(&[1])),
            wait!(admin.upcalls(&Options::default())).map(drop),
        ]);
        for (number, way) in missing.into_iter().enumerate() {
            let error = way.unwrap_err();
            assert!(matches!(error, Error::FamilyMissing { .. }), "{number}: {error}");
            assert!(error.to_string().ends_with("(modprobe openvswitch)"), "{number}: {error}");
        }

        for module in users.iter().rev() {
            sh(&format!("insmod /guest/modules/{}", module.replace('_', "-")));
        }
        sh("ovs-dpctl add-dp again");
        let dp = wait!(ovs.datapath_by_name(c"again")).unwrap().ifindex;
        assert_eq!(wait!(ovs.vport(dp, 0)).unwrap().name.as_c_str(), c"again");
        assert_eq!(wait!(list(wait!(ovs.vports(dp)))).len(), 1);
        let after = wait!(connection.family(vport::FAMILY)).unwrap();
        assert_ne!(after.id, before.id, "the test is about this");
        sh("ovs-dpctl del-dp again");
    }
}

/// A flow of a list, without its actions.
fn big_flow(datapath: DpIfindex) -> flow::Flow {
    flow::Flow {
        datapath,
        key: None,
        mask: None,
        actions: None,
        ufid: Some(vec![1; 16]),
        stats: None,
        tcp_flags: None,
        used_ms: None,
        other: vec![],
    }
}

#[cfg(feature = "write")]
fn new_flow(datapath: DpIfindex) -> flow::NewFlow {
    flow::NewFlow {
        datapath,
        key: vec![],
        mask: None,
        actions: vec![],
        ufid: None,
    }
}
