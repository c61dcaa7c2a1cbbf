//! Where the kernel ends.

use netlink_genl::Error;
use netlink_genl::blocking::NewFlow;
use netlink_genl::message::Errno;
use netlink_genl::nlattr::MAX_PAYLOAD;
use odp_actions::{Actions, FlowKey, KernelRule, Limits, Template, Verdict};

use super::{Kernel, ufid};

const VXLAN: &str = "set(tunnel(tun_id=0x1,dst=10.0.0.1,ttl=64,tp_dst=4789,flags(df|key))),4";

/// What of a list is repeated, how often it fits, and what the kernel says of one more; nothing if that does not fit an
/// attribute.
const BOUNDARIES: [(&str, usize, Option<Errno>); 6] = [
    ("3", 8191, None),
    (VXLAN, 1170, None),
    ("push_vlan(vid=1,pcp=0),4,pop_vlan", 3276, None),
    (
        "set(eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02)),3",
        2340,
        None,
    ),
    ("ct(zone=1)", 5460, None),
    ("ct", 16_376, Some(Errno::ENOMEM)),
];

/// The same inside of `clone(..)`, on kernels that bound it.
const NESTED: [(&str, usize); 2] = [
    ("set(eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02)),3", 1638),
    ("ct(zone=1)", 399),
];

pub(crate) fn boundaries() {
    let mut kernel = Kernel::with_datapath(c"limits");
    let limits = Limits::host().with_backlog(usize::MAX);
    let is_bounded = limits.kernel() == KernelRule::Nested64K;
    assert!(
        matches!(limits.kernel(), KernelRule::None | KernelRule::Nested64K),
        "{}",
        limits.kernel()
    );

    for (each, last, next) in BOUNDARIES {
        let template = Template::new(Actions::new(), each.parse().unwrap()).unwrap();
        for endpoints in [1, last] {
            assert_eq!(
                template.verdict(endpoints, &limits),
                Verdict::Fast,
                "{endpoints} x {each}"
            );
            let list = repeated(each, endpoints);
            assert_eq!(judge(&mut kernel, &list), Ok(()), "{endpoints} x {each}");
        }
        match (template.verdict(last + 1, &limits), next) {
            (Verdict::Oversized { .. }, None) => refuses_to_send(&mut kernel, &repeated(each, last + 1)),
            (Verdict::Kernel(rejection), Some(errno)) => {
                assert_eq!(rejection.errno(), Some(errno.0));
                assert_eq!(judge(&mut kernel, &repeated(each, last + 1)), Err(errno));
            }
            (verdict, _) => panic!("{each}: {verdict}"),
        }
    }

    for (each, last) in NESTED.iter().filter(|_| is_bounded) {
        for (count, answer) in [(*last, Ok(())), (last + 1, Err(Errno::EMSGSIZE))] {
            let list: Actions = format!("clone({})", repeated(each, count)).parse().unwrap();
            assert_eq!(judge(&mut kernel, &list), answer, "clone({count} x {each})");
            assert_eq!(expected(&limits, &list), answer);
        }
    }
    for depth in 1..=18 {
        let list: Actions = format!("{}1{}", "clone(".repeat(depth), ")".repeat(depth))
            .parse()
            .unwrap();
        assert_eq!(
            judge(&mut kernel, &list),
            expected(&limits, &list),
            "{depth} levels"
        );
        assert_eq!(expected(&limits, &list).is_ok(), depth <= 16);
    }
    let port = |number: u32| Actions::from_iter([odp_actions::Action::Output(number)]);
    assert_eq!(judge(&mut kernel, &port(65_534)), Ok(()));
    assert_eq!(judge(&mut kernel, &port(65_535)), Err(Errno::EINVAL));
}

fn repeated(each: &str, count: usize) -> Actions {
    let each: Actions = each.parse().unwrap();
    std::iter::repeat_n(&each[..], count).flatten().cloned().collect()
}

/// What the kernel says, which has to give a list back that it takes, if that fits an attribute.
fn judge(kernel: &mut Kernel, list: &Actions) -> Result<(), Errno> {
    let flow = kernel.flow(&key(), None, &list.to_bytes().unwrap())?;
    let expected = Some(list.redumped()).filter(|list| list.encoded_len().unwrap() <= MAX_PAYLOAD);
    assert_eq!(
        flow.actions.map(|actions| Actions::decode(&actions).unwrap()),
        expected
    );
    Ok(())
}

/// What our model says.
fn expected(limits: &Limits, list: &Actions) -> Result<(), Errno> {
    match limits.verdict(list).unwrap() {
        Verdict::Fast => Ok(()),
        Verdict::Kernel(rejection) => Err(Errno(rejection.errno().unwrap_or_else(|| panic!("{rejection}")))),
        verdict => panic!("{verdict}"),
    }
}

fn refuses_to_send(kernel: &mut Kernel, list: &Actions) {
    let flow = NewFlow {
        datapath: kernel.dp,
        key: key(),
        mask: None,
        actions: list.to_bytes().unwrap(),
        ufid: Some(ufid(1)),
    };
    assert!(matches!(kernel.admin.add_flow(&flow), Err(Error::Encode(_))));
}

fn key() -> Vec<u8> {
    let text = "in_port(0),eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),eth_type(0x0800),\
                ipv4(src=10.0.0.1,dst=10.0.0.2,proto=6,tos=0,ttl=64,frag=no),tcp(src=1,dst=2),tcp_flags(0)";
    let mut bytes = Vec::new();
    text.parse::<FlowKey>().unwrap().encode(&mut bytes).unwrap();
    bytes
}
