//! Lists of actions.

use std::collections::BTreeSet;

use netlink_genl::message::Errno;
use odp_actions::{Actions, Flow, FlowKey, Limits, Ufid, Verdict};

use super::{Kernel, bytes, ovs_dpctl, series, ufid};

const TABLE: &str = include_str!("../../src/action/table.md");
const VECTORS: &str = include_str!("../vectors/kernel-actions.tsv");

/// Packets that differ in what may be done with them.
const PACKETS: [&str; 7] = [
    "in_port(0),eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),eth_type(0x0800),ipv4(src=10.0.0.1,dst=10.0.0.2,proto=6,\
     tos=0,ttl=64,frag=no),tcp(src=1,dst=2),tcp_flags(0)",
    "in_port(0),eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),eth_type(0x86dd),ipv6(src=fc00::1,dst=fc00::2,label=0,\
     proto=6,tclass=0,hlimit=64,frag=no),tcp(src=1,dst=2),tcp_flags(0)",
    "in_port(0),eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),eth_type(0x0800),ipv4(src=10.0.0.1,dst=10.0.0.2,proto=17,\
     tos=0,ttl=64,frag=no),udp(src=1,dst=2)",
    "in_port(0),eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),eth_type(0x0800),ipv4(src=10.0.0.1,dst=10.0.0.2,proto=132,\
     tos=0,ttl=64,frag=no),sctp(src=1,dst=2)",
    "in_port(0),eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),eth_type(0x894f),nsh(flags=0,ttl=63,mdtype=1,np=3,spi=0x1,\
     si=255,c1=0x1,c2=0x2,c3=0x3,c4=0x4)",
    "in_port(0),eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),eth_type(0x8847),mpls(label=1,tc=0,ttl=64,bos=1)",
    "in_port(0),eth_type(0x0800),ipv4(src=10.0.0.1,dst=10.0.0.2,proto=6,tos=0,ttl=64,frag=no),tcp(src=1,dst=2),tcp_flags(0)",
];

fn packets() -> Vec<Vec<u8>> {
    let encode = |text: &&str| {
        let mut bytes = Vec::new();
        text.parse::<FlowKey>().unwrap().encode(&mut bytes).unwrap();
        bytes
    };
    PACKETS.iter().map(encode).collect()
}

/// The actions as the kernel has them for the first of the packets with which it takes them.
fn put(kernel: &mut Kernel, packets: &[Vec<u8>], actions: &[u8]) -> Result<Vec<u8>, Errno> {
    let mut last = Errno::EINVAL;
    for packet in packets {
        match kernel.flow(packet, None, actions) {
            Ok(flow) => return Ok(flow.actions.unwrap()),
            Err(errno) => last = errno,
        }
    }
    Err(last)
}

fn assert_comes_back(sent: &Actions, dumped: &[u8]) {
    assert_eq!(Actions::decode(dumped).unwrap(), sent.redumped(), "{sent}");
    assert_eq!(sent.redumped().to_bytes().unwrap(), dumped, "{sent}");
}

/// One of each action that the table of the documentation has.
pub(crate) fn of_the_table() {
    let mut kernel = Kernel::with_datapath(c"table");
    let packets = packets();
    let mut refused = Vec::new();
    for row in TABLE.lines().skip(2) {
        let example = row.split('|').nth(3).unwrap().trim().trim_matches('`');
        let list: Actions = example.parse().unwrap();
        match put(&mut kernel, &packets, &list.to_bytes().unwrap()) {
            Ok(dumped) => assert_comes_back(&list, &dumped),
            Err(errno) => {
                assert_eq!(errno, Errno::EINVAL, "{example}");
                refused.push(list[0].name());
            }
        }
    }
    let userspace = ["tnl_push", "tnl_pop", "lb_output"];
    let newer = [(6, 6, "drop"), (6, 11, "psample")];
    let newer = newer
        .into_iter()
        .filter(|(major, minor, _)| series() < (*major, *minor));
    let expected: Vec<_> = newer.map(|(.., name)| name).chain(userspace).collect();
    assert_eq!(refused, expected);
}

/// Every list that was put to real kernels before.
pub(crate) fn of_the_vectors() {
    let column = match series() {
        (6, 1) => Some(2),
        (6, 12) => Some(3),
        _ => None,
    };
    // Only the kernel's own rule counts here.
    let limits = Limits::host().with_backlog(usize::MAX);
    let mut kernel = Kernel::with_datapath(c"vectors");
    let packets = packets();
    let (mut taken, mut refused) = (0, BTreeSet::new());
    for row in VECTORS.lines().skip(1) {
        let columns: Vec<&str> = row.split('\t').collect();
        let sent = bytes(columns[0]);
        let list = Actions::decode(&sent).unwrap();
        let answer = put(&mut kernel, &packets, &sent);
        let said = match &answer {
            Ok(_) => "ok".to_owned(),
            Err(errno) => errno.to_string(),
        };
        if let Some(column) = column {
            assert_eq!(said, columns[column], "{list}");
        }
        let rejection = match limits.verdict(&list).unwrap() {
            Verdict::Kernel(rejection) => rejection.errno(),
            verdict => {
                assert_eq!(verdict, Verdict::Fast);
                None
            }
        };
        match answer {
            Ok(dumped) => {
                assert_comes_back(&list, &dumped);
                assert_eq!(rejection, None, "{list}");
                taken += 1;
            }
            // Refused for what the actions are, not for how many.
            Err(Errno::EINVAL) => {}
            Err(errno) => {
                assert_eq!(rejection, Some(errno.0), "{list}");
                refused.insert(said);
            }
        }
    }
    assert!(taken > 900 && !refused.is_empty(), "{taken}, {refused:?}");
}

/// `ovs-dpctl` prints what we print for the bytes that the kernel gives us. (Not of `dec_ttl`, which its releases before
/// 3.4 take for another action.)
pub(crate) fn beside_ovs_dpctl() {
    let mut kernel = Kernel::with_datapath(c"dpctl");
    let lists = [
        "set(tunnel(tun_id=0x1,dst=10.0.0.1,ttl=64,tp_dst=4789,flags(df|key))),4",
        "set(ipv6(hlimit=64/0xf0)),trunc(100),1,recirc(0x7)",
        "userspace(pid=1,flow_sample(probability=1,collector_set_id=2,obs_domain_id=3,obs_point_id=4,output_port=5))",
        "sample(sample=50.0%,actions(ct(commit,zone=5,mark=0x1/0xff,nat(src=10.0.0.1-10.0.0.9)),clone(1,2)))",
        "pop_nsh()",
        "pop_mpls(eth_type=0x800),check_pkt_len(size=200,gt(drop),le(1))",
        "push_eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),meter(5),hash(l4(7)),3",
    ];
    for ((number, packet), list) in (1..).zip(packets()).zip(lists) {
        let list: Actions = list.parse().unwrap();
        kernel
            .add(number, &packet, None, &list.to_bytes().unwrap())
            .unwrap_or_else(|errno| panic!("{list}: {errno}"));
    }
    for verbose in [false, true] {
        let options: &[&str] = if verbose { &["-m", "--no-names"] } else { &[] };
        let dump = ovs_dpctl(&[&["dump-flows", "dpctl"], options].concat());
        let theirs: BTreeSet<&str> = dump.lines().collect();
        let ours: BTreeSet<String> = (1..=7)
            .map(|number| {
                let flow = kernel.ovs.flow(kernel.dp, &ufid(number)).unwrap();
                let key = FlowKey::decode(&flow.key.unwrap(), &flow.mask.unwrap()).unwrap();
                let actions = Actions::decode(&flow.actions.unwrap()).unwrap();
                let (ufid, key, dp) = match verbose {
                    true => (
                        format!("{}, ", Ufid([number; 16])),
                        key.verbose().to_string(),
                        ", dp:ovs",
                    ),
                    false => (String::new(), key.to_string(), ""),
                };
                format!("{ufid}{key}, packets:0, bytes:0, used:never{dp}, actions:{actions}")
            })
            .collect();
        let ours: BTreeSet<&str> = ours.iter().map(String::as_str).collect();
        let differ = |a: &BTreeSet<&str>, b: &BTreeSet<&str>| {
            a.difference(b)
                .map(|line| format!("{line}\n"))
                .collect::<String>()
        };
        assert_eq!(differ(&ours, &theirs), differ(&theirs, &ours));
        for line in theirs {
            assert_eq!(line.parse::<Flow>().unwrap().to_string(), line);
        }
    }
}
