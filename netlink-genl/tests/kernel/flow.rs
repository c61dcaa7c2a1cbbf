//! Flows, as big as they get.

use netlink_genl::message::{Errno, Flags};
use netlink_genl::nlattr::Sink;
use netlink_genl::ovs::flow::{self, FlowAttr};
use netlink_genl::ovs::{Command, DpIfindex, Object};

use testbed::sh;

use super::{Kernel, add_datapath};

both! { wait;
    fn a_flow_that_is_too_big_for_a_list_is_read_alone() {
        let dp = add_datapath("f0");
        let mut kernel = Kernel::open();
        // 65 520 bytes, 11 less than an attribute may have.
        let big = outputs(8190);
        put(&mut kernel, dp, &[FlowAttr::Ufid(vec![1; 16])], 1, &big);
        put(&mut kernel, dp, &[], 2, &big);
        put(&mut kernel, dp, &[FlowAttr::Ufid(vec![3; 16])], 3, &outputs(1));
        put(&mut kernel, dp, &[FlowAttr::Ufid(vec![4; 16])], 4, &[]);

        let mut ovs = wait!(Ovs::open()).unwrap();
        let mut listed = wait!(all(wait!(ovs.flows(dp))));
        listed.sort_by_key(|flow| flow.key.clone());
        let actions: Vec<_> = listed.iter().map(|flow| flow.actions.as_deref()).collect();
        assert_eq!(actions, [None, None, Some(&outputs(1)[..]), Some(&[][..])]);
        let ufids: Vec<_> = listed
            .iter()
            .map(|flow| flow.ufid.as_ref().map(|ufid| ufid[0]))
            .collect();
        assert_eq!(ufids, [Some(1), None, Some(3), Some(4)]);

        assert_eq!(wait!(ovs.flow(dp, &[1; 16])).unwrap().actions.as_deref(), Some(&big[..]));
        for (flow, expected) in listed.clone().into_iter().zip([&big, &big, &outputs(1), &vec![]]) {
            assert_eq!(wait!(ovs.complete(flow)).unwrap().actions.as_ref(), Some(expected));
        }

        sh("ovs-dpctl del-flows f0");
        assert_eq!(wait!(list(wait!(ovs.flows(dp)))).len(), 0);
        let gone = [
            wait!(ovs.flow(dp, &[3; 16])).unwrap_err(),
            wait!(ovs.complete(listed[0].clone())).unwrap_err(),
            wait!(ovs.complete(listed[1].clone())).unwrap_err(),
        ];
        for error in gone {
            assert_eq!(error.errno(), Some(Errno::ENOENT));
        }
        let absent = wait!(list(wait!(ovs.flows(DpIfindex(9999)))));
        let [Err(error)] = &absent[..] else {
            panic!("{absent:?}");
        };
        assert_eq!(error.errno(), Some(Errno::ENODEV));
        sh("ovs-dpctl del-dp f0");
    }

    fn reads_a_flow_of_1170_outputs_through_tunnels() {
        let dp = add_datapath("f1");
        let mut kernel = Kernel::open();
        // OVS_ACTION_ATTR_SET { OVS_KEY_ATTR_TUNNEL { ID, IPV4_DST, TOS, TTL, DONT_FRAGMENT } }, OVS_ACTION_ATTR_OUTPUT
        let mut actions = vec![];
        for number in 0..1170u32 {
            let tunnel = |s: &mut Vec<u8>| {
                s.attr(0, &u64::from(number).to_be_bytes())?;
                s.attr(2, &(0x0a00_0001 + number).to_be_bytes())?;
                s.attr(3, &[1])?;
                s.attr(4, &[64])?;
                s.flag(5)
            };
            actions.nest(3, |s| s.nest(16, tunnel)).unwrap();
            actions.attr_u32(1, 0).unwrap();
        }
        assert_eq!(actions.len(), 65_520);
        let ufid = [5; 16];
        put(&mut kernel, dp, &[FlowAttr::Ufid(ufid.to_vec())], 1, &actions);

        let family = kernel.connection.family(flow::FAMILY).unwrap().id;
        let request = flow::get(family, dp, &ufid).unwrap();
        let reply = kernel
            .connection
            .reply(&request, |message| Ok(16 + message.payload().len()));
        assert!(reply.as_ref().is_ok_and(|&len| len > 65_536), "{reply:?}");
        println!("a reply of {} bytes", reply.unwrap());
        let mut ovs = wait!(Ovs::open()).unwrap();
        assert_eq!(wait!(ovs.flow(dp, &ufid)).unwrap().actions.as_ref(), Some(&actions));
        let listed = wait!(all(wait!(ovs.flows(dp))));
        assert_eq!((listed.len(), &listed[0].actions), (1, &None));
        assert_eq!(wait!(ovs.complete(listed[0].clone())).unwrap().actions, Some(actions));
        sh("ovs-dpctl del-dp f1");
    }
}

/// OVS_ACTION_ATTR_OUTPUT to port 0, `count` times.
pub(crate) fn outputs(count: usize) -> Vec<u8> {
    let mut actions = vec![];
    for _ in 0..count {
        actions.attr_u32(1, 0).unwrap();
    }
    actions
}

/// Adds a flow for packets with the Ethernet type `0x9000 + number`, which the kernel does not look into.
fn put(kernel: &mut Kernel, dp: DpIfindex, attrs: &[FlowAttr], number: u8, actions: &[u8]) {
    let mut key = vec![];
    // OVS_KEY_ATTR_IN_PORT, _ETHERNET, _ETHERTYPE
    key.attr_u32(3, 0).unwrap();
    key.attr(4, &[2; 12]).unwrap();
    key.attr_be16(6, 0x9000 + u16::from(number)).unwrap();
    let object = Object {
        datapath: dp,
        command: Command::NEW.0,
        version: flow::VERSION,
        attrs: [attrs, &[FlowAttr::Key(key), FlowAttr::Actions(actions.to_vec())]].concat(),
    };
    let family = kernel.connection.family(flow::FAMILY).unwrap().id;
    let request = object.request(family, Flags::ACK | Flags::CREATE).unwrap();
    kernel.send(&request).unwrap();
}
