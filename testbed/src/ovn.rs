//! Flows of the kinds that OVN fills a bridge with.

use std::fmt::Write as _;

/// `count` different flows as `ovs-ofctl -O OpenFlow13 dump-flows` prints them, with statistics and
/// without the headers of replies: what `ovs-ofctl add-flows` takes, too.
///
/// The same flows on every call. The kinds and how often each comes are those of a logical network
/// with switches, routers, access lists, load balancers and tunnels.
///
/// ```
/// let flows: Vec<String> = testbed::ovn_flows(2).collect();
/// assert!(flows[0].starts_with(" cookie=0x"));
/// assert_ne!(flows[0], flows[1]);
/// ```
pub fn ovn_flows(count: u32) -> impl Iterator<Item = String> {
    (0..count).map(|number| {
        let random = mix(number.into());
        let kind = usize::try_from(random >> 32).unwrap_or_default() % KINDS.len();
        flow(KINDS[kind], number, random)
    })
}

/// Fills in one of [`KINDS`].
fn flow(kind: &str, number: u32, random: u64) -> String {
    let [_, a, b, c] = number.to_be_bytes();
    let low = number & 0xffff;
    let (packets, size) = (random & 0xffff, 64 + (random >> 20 & 0x3ff));
    let mut line = String::with_capacity(300);
    let cookie = mix(random) >> 32;
    let _ = write!(line, " cookie={cookie:#x}, duration=216.{:03}s, ", random % 1000);
    for (i, part) in kind.split(['{', '}']).enumerate() {
        let _ = match part {
            part if i % 2 == 0 => write!(line, "{part}"),
            "stats" => write!(line, "n_packets={packets}, n_bytes={}", packets * size),
            "datapath" => write!(line, "{:#x}", number / 64 + 1),
            "port" => write!(line, "{:#x}", number + 1),
            "id" => write!(line, "{}", number + 1),
            "mac" => write!(line, "0a:58:{a:02x}:{b:02x}:{c:02x}:01"),
            "machex" => write!(line, "0xa58{a:02x}{b:02x}{c:02x}01"),
            "ip" => write!(line, "10.{a}.{b}.{c}"),
            "iphex" => write!(line, "0xa{a:02x}{b:02x}{c:02x}"),
            "ip6" => write!(line, "fd00:10:244::{:x}:{:x}", (number >> 16) + 1, low),
            "vlan" => write!(line, "{}", number / 0xf000 + 1),
            "l4" => write!(line, "{}", low % 0xf000 + 1),
            other => write!(line, "{{{other}}}"),
        };
    }
    line
}

/// Vigna's splitmix64.
fn mix(number: u64) -> u64 {
    let z = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

/// The kinds of flows, from the first table on; one that comes more often is there more often.
#[rustfmt::skip]
const KINDS: [&str; 44] = [
    "table=0, {stats}, priority=150,in_port={l4},dl_vlan={vlan} actions=load:{port}->NXM_NX_REG13[],load:0x1->NXM_NX_REG11[],load:0x3->NXM_NX_REG12[],load:{datapath}->OXM_OF_METADATA[],load:{port}->NXM_NX_REG14[],resubmit(,8)",
    "table=8, {stats}, priority=100,reg14={port},metadata={datapath},vlan_tci=0x1000/0x1000 actions=drop",
    "table=8, {stats}, priority=50,reg14={port},metadata={datapath},dl_src={mac} actions=load:0x1->NXM_NX_XXREG0[111],resubmit(,9)",
    "table=8, {stats}, priority=50,reg14={port},metadata={datapath},dl_src={mac} actions=load:0x1->NXM_NX_XXREG0[111],resubmit(,9)",
    "table=9, {stats}, priority=90,ipv6,reg14={port},metadata={datapath},dl_src={mac},ipv6_src={ip6} actions=resubmit(,10)",
    "table=9, {stats}, priority=90,ip,reg14={port},metadata={datapath},dl_src={mac},nw_src={ip} actions=resubmit(,10)",
    "table=9, {stats}, priority=90,ip,reg14={port},metadata={datapath},dl_src={mac},nw_src={ip} actions=resubmit(,10)",
    "table=10, {stats}, priority=90,arp,reg14={port},metadata={datapath},dl_src={mac},arp_spa={ip},arp_sha={mac} actions=resubmit(,11)",
    "table=10, {stats}, priority=90,arp,reg14={port},metadata={datapath},dl_src={mac},arp_spa={ip},arp_sha={mac} actions=resubmit(,11)",
    "table=10, {stats}, priority=50,arp,metadata={datapath},arp_tpa={ip},arp_op=1 actions=move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[],set_field:{mac}->eth_src,load:0x2->NXM_OF_ARP_OP[],move:NXM_NX_ARP_SHA[]->NXM_NX_ARP_THA[],load:{machex}->NXM_NX_ARP_SHA[],move:NXM_OF_ARP_SPA[]->NXM_OF_ARP_TPA[],load:{iphex}->NXM_OF_ARP_SPA[],move:NXM_NX_REG14[]->NXM_NX_REG15[],load:0x1->NXM_NX_REG10[0],resubmit(,37)",
    "table=12, {stats}, priority=120,ct_state=+trk,tcp,metadata={datapath},nw_dst={ip},tp_dst={l4} actions=move:NXM_OF_IP_DST[]->NXM_NX_XXREG0[64..95],load:0x1bb->NXM_NX_XXREG0[32..47],ct(table=13,zone=NXM_NX_REG13[0..15],nat)",
    "table=12, {stats}, priority=120,ct_state=+trk,tcp,metadata={datapath},nw_dst={ip},tp_dst={l4} actions=move:NXM_OF_IP_DST[]->NXM_NX_XXREG0[64..95],load:0x1bb->NXM_NX_XXREG0[32..47],ct(table=13,zone=NXM_NX_REG13[0..15],nat)",
    "table=14, {stats}, priority=2002,ct_state=+est+trk,ip,metadata={datapath},nw_src={ip} actions=conjunction({id},1/2)",
    "table=14, {stats}, priority=2002,ct_state=+est+trk,ip,metadata={datapath},nw_src={ip} actions=conjunction({id},1/2)",
    "table=14, {stats}, priority=2002,ct_state=+est+trk,ip,metadata={datapath},nw_src={ip} actions=conjunction({id},1/2),conjunction(7,1/2)",
    "table=14, {stats}, priority=2002,ct_state=+est+trk,tcp,reg15={port},metadata={datapath},tp_dst={l4} actions=conjunction({id},2/2)",
    "table=14, {stats}, priority=2002,ct_state=+est+trk,tcp,reg15={port},metadata={datapath},tp_dst={l4} actions=conjunction({id},2/2)",
    "table=14, {stats}, priority=2001,conj_id={id},ct_state=-new+est-rpl+trk,ct_label=0/0x1,ip,metadata={datapath} actions=load:0x1->NXM_NX_XXREG0[97],ct(commit,zone=NXM_NX_REG13[0..15],exec(load:0->NXM_NX_CT_LABEL[0])),resubmit(,15)",
    "table=14, {stats}, priority=2001,conj_id={id},ct_state=-new+est-rpl+trk,ct_label=0/0x1,ip,metadata={datapath} actions=load:0x1->NXM_NX_XXREG0[97],ct(commit,zone=NXM_NX_REG13[0..15],exec(load:0->NXM_NX_CT_LABEL[0])),resubmit(,15)",
    "table=14, {stats}, priority=1500,ct_state=+new-est+trk,tcp,metadata={datapath},nw_src=10.0.0.0/16,nw_dst={ip},tp_dst=443 actions=load:0x1->NXM_NX_XXREG0[97],resubmit(,15)",
    "table=14, {stats}, priority=1500,ct_state=+new-est+trk,tcp,metadata={datapath},nw_src=10.0.0.0/16,nw_dst={ip},tp_dst=0x1f00/0xff00 actions=load:0x1->NXM_NX_XXREG0[97],resubmit(,15)",
    "table=14, {stats}, priority=1500,ct_state=+new-est+trk,udp,metadata={datapath},nw_src=10.0.0.0/16,nw_dst={ip},tp_dst=53 actions=load:0x1->NXM_NX_XXREG0[97],resubmit(,15)",
    "table=17, {stats}, priority=120,ct_state=+new+trk,tcp,metadata={datapath},nw_dst={ip},tp_dst={l4} actions=load:0x1->NXM_NX_XXREG0[98],group:5",
    "table=17, {stats}, priority=120,ct_state=+new+trk,tcp,metadata={datapath},nw_dst={ip},tp_dst={l4} actions=ct(commit,table=18,zone=NXM_NX_REG11[0..15],nat(dst=10.0.0.7:8080),exec(load:0x1->NXM_NX_CT_MARK[1]))",
    "table=17, {stats}, priority=120,ct_state=+new+trk,tcp,metadata={datapath},nw_dst={ip},tp_dst={l4} actions=ct(commit,table=18,zone=NXM_NX_REG11[0..15],nat(dst=10.0.0.7:8080),exec(load:0x1->NXM_NX_CT_MARK[1]))",
    "table=18, {stats}, priority=81,ip,reg14={port},metadata={datapath},nw_dst={ip} actions=dec_ttl,load:0->OXM_OF_PKT_REG4[32..47],move:NXM_OF_IP_DST[]->NXM_NX_XXREG0[96..127],load:{iphex}->NXM_NX_XXREG0[64..95],set_field:{mac}->eth_src,load:0x2->NXM_NX_REG15[],load:0x1->NXM_NX_REG10[0],resubmit(,19)",
    "table=18, {stats}, priority=81,ip,reg14={port},metadata={datapath},nw_dst={ip} actions=dec_ttl,load:0->OXM_OF_PKT_REG4[32..47],move:NXM_OF_IP_DST[]->NXM_NX_XXREG0[96..127],load:{iphex}->NXM_NX_XXREG0[64..95],set_field:{mac}->eth_src,load:0x2->NXM_NX_REG15[],load:0x1->NXM_NX_REG10[0],resubmit(,19)",
    "table=18, {stats}, priority=129,ipv6,reg14={port},metadata={datapath},ipv6_dst={ip6}/128 actions=dec_ttl,load:0->OXM_OF_PKT_REG4[32..47],move:NXM_NX_IPV6_DST[]->NXM_NX_XXREG0[],set_field:{mac}->eth_src,load:0x2->NXM_NX_REG15[],load:0x1->NXM_NX_REG10[0],resubmit(,19)",
    "table=19, {stats}, priority=100,reg0={port},reg15=0x3,metadata={datapath} actions=set_field:{mac}->eth_dst,load:0x1->NXM_NX_REG10[4]",
    "table=19, {stats}, priority=100,reg0={port},reg15=0x3,metadata={datapath} actions=set_field:{mac}->eth_dst,load:0x1->NXM_NX_REG10[4]",
    "table=20, {stats}, priority=80,icmp6,reg14={port},metadata={datapath},icmp_type=135,icmp_code=0,nd_target={ip6} actions=push:NXM_NX_REG0[],push:NXM_NX_XXREG0[],push:NXM_NX_ND_SLL[],push:NXM_NX_ND_TARGET[],pop:NXM_NX_XXREG0[],pop:NXM_OF_ETH_SRC[],controller(userdata=00.00.00.04.00.00.00.00),pop:NXM_NX_XXREG0[],pop:NXM_NX_REG0[]",
    "table=21, {stats}, priority=31,icmp,reg14={port},metadata={datapath},nw_ttl=1,nw_frag=not_later actions=controller(userdata=00.00.00.0a.00.00.00.00.00.00.00.19,pause),resubmit(,22)",
    "table=22, {stats}, priority=95,tcp,reg1={port},metadata={datapath},nw_dst={ip} actions=learn(table=78,idle_timeout=30,priority=100,delete_learned,cookie=0x5,OXM_OF_METADATA[],eth_type=0x800,NXM_OF_IP_SRC[],ip_dst={ip},nw_proto=6,NXM_OF_TCP_DST[]=NXM_NX_REG1[0..15],load:0x1->NXM_NX_REG10[7],load:{iphex}->NXM_NX_REG4[],load:0x50->NXM_NX_REG8[0..15]),resubmit(,23)",
    "table=24, {stats}, priority=50,metadata={datapath},dl_dst={mac} actions=load:{port}->NXM_NX_REG15[],resubmit(,37)",
    "table=24, {stats}, priority=50,metadata={datapath},dl_dst={mac} actions=load:{port}->NXM_NX_REG15[],resubmit(,37)",
    "table=24, {stats}, priority=50,metadata={datapath},dl_dst={mac} actions=load:{port}->NXM_NX_REG15[],resubmit(,37)",
    "table=24, {stats}, priority=50,metadata={datapath},dl_dst={mac} actions=load:{port}->NXM_NX_REG15[],resubmit(,37)",
    "table=37, {stats}, priority=100,reg15={port},metadata={datapath} actions=load:{datapath}->NXM_NX_TUN_ID[0..23],set_field:{port}->tun_metadata0,move:NXM_NX_REG14[0..14]->NXM_NX_TUN_METADATA0[16..30],output:1,resubmit(,38)",
    "table=37, {stats}, priority=100,reg15={port},metadata={datapath} actions=load:{datapath}->NXM_NX_TUN_ID[0..23],set_field:{port}->tun_metadata0,move:NXM_NX_REG14[0..14]->NXM_NX_TUN_METADATA0[16..30],output:1,resubmit(,38)",
    "table=38, {stats}, priority=100,reg15={port},metadata={datapath} actions=load:{port}->NXM_NX_REG13[],load:0x1->NXM_NX_REG11[],load:0x2->NXM_NX_REG12[],resubmit(,39)",
    "table=65, {stats}, priority=100,reg15={port},metadata={datapath} actions=clone(ct_clear,load:0->NXM_NX_REG11[],load:0->NXM_NX_REG12[],load:0->NXM_NX_REG13[],load:{port}->NXM_NX_REG11[],load:{datapath}->OXM_OF_METADATA[],load:0x1->NXM_NX_REG14[],load:0->NXM_NX_REG10[],load:0->NXM_NX_REG15[],load:0->NXM_NX_REG0[],load:0->NXM_NX_REG1[],resubmit(,8))",
    "table=65, {stats}, priority=100,reg15={port},metadata={datapath} actions=output:{l4}",
    "table=65, {stats}, priority=100,reg15={port},metadata={datapath} actions=output:{l4}",
    "table=65, {stats}, priority=100,reg15={port},metadata={datapath} actions=output:{l4}",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_of_every_kind_is_filled_and_every_kind_comes() {
        let flows: Vec<String> = ovn_flows(2000).collect();
        assert!(flows.iter().all(|flow| !flow.contains(['{', '}'])));
        for kind in KINDS {
            let head = kind.split_once(',').map_or(kind, |(head, _)| head);
            assert!(flows.iter().any(|flow| flow.contains(head)), "{kind}");
        }
    }
}
