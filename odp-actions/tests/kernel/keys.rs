//! Flow keys with their masks.

use std::collections::{BTreeMap, BTreeSet};

use netlink_genl::message::Errno;
use netlink_genl::nlattr::Attrs;
use odp_actions::{FlowKey, Key};

use super::{Kernel, bytes};

const VECTORS: &str = include_str!("../vectors/keys.tsv");

/// Keys that together have every attribute and every tunnel option.
const EXAMPLES: [&str; 14] = [
    "recirc_id(0x7),dp_hash(0x5/0xff),skb_priority(0x1),in_port(1),skb_mark(0x2),ct_state(+trk-new),ct_zone(0x5),\
     ct_mark(0x1/0xff),ct_label(0x1/0xffffffffffffffffffffffff),eth(src=02:00:00:00:00:01,dst=01:00:00:00:00:00/01:00:00:00:00:00),\
     eth_type(0x0800),ipv4(src=10.0.0.0/255.0.0.0,dst=10.0.0.2,proto=6,tos=0x4/0xfc,ttl=64,frag=no),tcp(src=1,dst=2/0xff00),\
     tcp_flags(+syn-ack)",
    "in_port(1),ct_state(+trk),ct_tuple4(src=10.0.0.1,dst=10.0.0.2,proto=17,tp_src=1,tp_dst=2),eth(),eth_type(0x0800),\
     ipv4(proto=17,frag=no),udp(src=1,dst=2)",
    "in_port(1),ct_state(+trk),ct_tuple6(src=fc00::1,dst=fc00::2,proto=17,src_port=1,dst_port=2),eth(),eth_type(0x86dd),\
     ipv6(src=fc00::/ffff::,dst=fc00::2,label=0x12345,proto=17,tclass=0x1,hlimit=3,frag=later)",
    "in_port(1),eth(),eth_type(0x86dd),ipv6(proto=58,frag=no),icmpv6(type=135,code=0),nd(target=fc00::1,sll=02:00:00:00:00:01)",
    "in_port(1),eth(),eth_type(0x0800),ipv4(proto=132,frag=first),sctp(src=1,dst=2)",
    "in_port(1),eth(),eth_type(0x0800),ipv4(proto=1,frag=no),icmp(type=8,code=0)",
    "in_port(1),eth(),eth_type(0x0806),arp(sip=10.0.0.1,tip=10.0.0.2,op=1/0xff,sha=02:00:00:00:00:01,tha=00:00:00:00:00:00)",
    "in_port(1),eth(),eth_type(0x8847),mpls(label=7,tc=1,ttl=64,bos=0,label=8,tc=0,ttl=64,bos=1)",
    "in_port(1),eth(),eth_type(0x8100),vlan(vid=5,pcp=0),encap(eth_type(0x0800),ipv4(frag=no))",
    "in_port(1),eth(),eth_type(0x88a8),vlan(vid=5,pcp=0),encap(eth_type(0x8100),vlan(vid=6,pcp=1),encap(eth_type(0x88b5)))",
    "tunnel(tun_id=0x1,src=10.0.0.1,dst=10.0.0.2,tos=0x4,ttl=64,tp_src=1,tp_dst=6081,geneve({class=0x102,type=0x80,len=4,0x5}),\
     flags(df|csum|oam|key)),in_port(1),eth(),eth_type(0x88b5)",
    "tunnel(tun_id=0x1,dst=10.0.0.2,ttl=64,vxlan(gbp(id=5,flags=0x1)),flags(key)),in_port(1),eth(),eth_type(0x88b5)",
    "tunnel(ipv6_src=fc00::1,ipv6_dst=fc00::2,ttl=64,erspan(ver=1,idx=0x7),flags()),in_port(1),eth(),eth_type(0x88b5)",
    "in_port(1),eth(),eth_type(0x894f),nsh(flags=0,ttl=63,mdtype=1,np=3,spi=0x1,si=255,c1=0x1,c2=0x2,c3=0x3,c4=0x4)",
];

pub(crate) fn one_of_each() {
    let mut kernel = Kernel::with_datapath(c"keys");
    let (mut kinds, mut tunnel_kinds) = (BTreeSet::new(), BTreeSet::new());
    for text in EXAMPLES {
        let key: FlowKey = text.parse().unwrap();
        let (sent, mask) = encode(&key);
        comes_back(&mut kernel, &sent, &mask).unwrap_or_else(|errno| panic!("{text}: {errno}"));
        kinds.extend(key.keys().iter().map(Key::kind));
        for key in key.keys() {
            if let Key::Tunnel(tunnel) = key {
                tunnel_kinds.extend(tunnel.attrs().map(|attr| attr.kind()));
            }
        }
    }
    // 29 and 30 are the userspace datapath's; so is the tunnel attribute 16, and 14 is padding.
    assert_eq!(kinds, (1..=28).collect());
    assert_eq!(tunnel_kinds, (0..=15).filter(|kind| *kind != 14).collect());
}

pub(crate) fn of_the_vectors() {
    let mut kernel = Kernel::with_datapath(c"keys");
    let mut taken = 0;
    for row in VECTORS.lines().skip(1) {
        let columns: Vec<&str> = row.split('\t').collect();
        match comes_back(&mut kernel, &bytes(columns[1]), &bytes(columns[2])) {
            Ok(()) => taken += 1,
            Err(errno) => assert_eq!(errno, Errno::EINVAL, "{}", columns[0]),
        }
    }
    assert!(taken > 100, "only {taken}");
}

fn encode(key: &FlowKey) -> (Vec<u8>, Vec<u8>) {
    let (mut keys, mut masks) = (Vec::new(), Vec::new());
    key.encode(&mut keys).unwrap();
    key.encode_masks(&mut masks).unwrap();
    (keys, masks)
}

/// Puts a flow with this key into the kernel, and compares what it matches there.
fn comes_back(kernel: &mut Kernel, key: &[u8], mask: &[u8]) -> Result<(), Errno> {
    let flow = kernel.flow(key, Some(mask), &[])?;
    let (dumped_key, dumped_mask) = (flow.key.unwrap(), flow.mask.unwrap());
    let dumped = FlowKey::decode(&dumped_key, &dumped_mask).unwrap();
    assert_eq!(encode(&dumped), (dumped_key.clone(), dumped_mask.clone()));
    let text = FlowKey::decode(key, mask).unwrap();
    assert_eq!(
        Matched::of(key, mask).in_kernel(&text),
        Matched::of(&dumped_key, &dumped_mask),
        "{text}\n{dumped}"
    );
    Ok(())
}

/// The bits that count: by types, outermost first, value and mask of every attribute whose mask has a bit.
#[derive(Debug, Default, PartialEq)]
struct Matched(BTreeMap<Vec<u16>, (Vec<u8>, Vec<u8>)>);

impl Matched {
    fn of(key: &[u8], mask: &[u8]) -> Self {
        let mut matched = Self::default();
        matched.add(&[], key, mask);
        matched
    }

    fn add(&mut self, path: &[u16], key: &[u8], mask: &[u8]) {
        for key in Attrs::new(key).map(Result::unwrap) {
            let path = [path, &[key.kind()]].concat();
            let mask = Attrs::new(mask)
                .map(Result::unwrap)
                .find(|mask| mask.kind() == key.kind())
                .map(|mask| mask.payload().to_vec());
            match path[..] {
                [ENCAP] | [ENCAP, ENCAP] | [TUNNEL] | [TUNNEL, VXLAN] | [NSH] => {
                    self.add(&path, key.payload(), &mask.unwrap_or_default());
                }
                _ => {
                    let Some(mask) =
                        mask.filter(|mask| mask.is_empty() || mask.iter().any(|byte| *byte != 0))
                    else {
                        continue;
                    };
                    let value = key.payload().iter().zip(&mask).map(|(value, mask)| value & mask);
                    self.0.insert(path, (value.collect(), mask));
                }
            }
        }
    }

    /// What a kernel makes of it, in the ways that are known.
    fn in_kernel(mut self, key: &FlowKey) -> Self {
        // Of EtherType and input port all bits count if one does; of a port that does not count, those above any number.
        for key in key.keys() {
            let (path, value) = match key {
                Key::InPort(port) => (vec![IN_PORT], port.to_ne_bytes().to_vec()),
                Key::EtherType(kind) => (vec![ETHER_TYPE], kind.to_be_bytes().to_vec()),
                _ => continue,
            };
            if let Some(matched) = self.0.get_mut(&path) {
                *matched = (value.clone(), vec![0xff; value.len()]);
            }
        }
        let no_port = (vec![0; 4], 0xffff_0000_u32.to_ne_bytes().to_vec());
        self.0.entry(vec![IN_PORT]).or_insert(no_port);
        // The two bytes of an ARP operation are one there, and so are those of its mask.
        for (path, (_, mask)) in &mut self.0 {
            if matches!(path[..], [ARP] | [ENCAP, ARP] | [ENCAP, ENCAP, ARP]) {
                mask[8] = 0;
            }
        }
        // Zeros of a tunnel are not written.
        self.0.retain(|path, (value, _)| {
            !matches!(path[..], [TUNNEL, 1..=3 | 8..=10 | 12 | 13]) || value.iter().any(|byte| *byte != 0)
        });
        self
    }
}

const ENCAP: u16 = 1;
const IN_PORT: u16 = 3;
const ETHER_TYPE: u16 = 6;
const ARP: u16 = 13;
const TUNNEL: u16 = 16;
const NSH: u16 = 28;
const VXLAN: u16 = 11;
