//! `openvswitch.ko` unloaded and loaded again, under a client that is open.

use netlink_genl::Error;
use netlink_genl::blocking::{Connection, Ovs};
use netlink_genl::ovs::{DpIfindex, vport};

use testbed::sh;

use super::datapath;

pub(crate) fn reloaded() {
    let mut ovs = Ovs::open().unwrap();
    let mut connection = Connection::open().unwrap();
    let before = connection.family(vport::FAMILY).unwrap();
    assert_eq!(connection.family(vport::FAMILY).unwrap(), before);
    let users: Vec<_> = ["vport_vxlan", "vport_gre", "vport_geneve", "openvswitch"].into();
    for module in &users {
        sh(&format!("rmmod {module}"));
    }

    let missing = [
        ovs.datapaths().map(drop),
        ovs.vport(DpIfindex(1), 0).map(drop),
        ovs.flows(DpIfindex(1)).map(drop),
        Ovs::open().map(drop),
        connection.family(vport::FAMILY).map(drop),
        #[cfg(feature = "write")]
        netlink_genl::blocking::Admin::open().map(drop),
        #[cfg(feature = "client")]
        super::client::open(),
    ];
    for error in missing.map(Result::unwrap_err) {
        assert!(matches!(error, Error::FamilyMissing { .. }), "{error}");
        assert!(error.to_string().ends_with("(modprobe openvswitch)"), "{error}");
    }

    for module in users.iter().rev() {
        sh(&format!("insmod /guest/modules/{}", module.replace('_', "-")));
    }
    sh("ovs-dpctl add-dp again");
    let dp = datapath("again").ifindex;
    assert_eq!(ovs.vport(dp, 0).unwrap().name.as_c_str(), c"again");
    assert_eq!(ovs.vports(dp).unwrap().count(), 1);
    let after = connection.family(vport::FAMILY).unwrap();
    assert_ne!(after.id, before.id, "the test is about this");
    sh("ovs-dpctl del-dp again");
}
