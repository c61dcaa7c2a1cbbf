//! Random flows: every field, every action and every instruction, with values at and beyond each border.

use ofp_codec::{Field, Format};

use crate::random::Random;

/// A flow as `add-flow` reads it.
pub(crate) fn flow(random: &mut Random) -> String {
    let mut words = vec![format!("table={}", random.pick(&[0, 0, 1, 3, 253, 254]))];
    match random.below(12) {
        0 => words.push(format!("priority={}", number(random, 16))),
        1 => words.push(format!("idle_timeout={}", number(random, 16))),
        2 => words.push("send_flow_rem,check_overlap".into()),
        3 => words.push(format!("cookie={}", number(random, 64))),
        4 => words.push(format!("importance={}", number(random, 16))),
        _ => {}
    }
    words.extend(matches(random));
    let count = 1 + random.below(3);
    let mut actions: Vec<String> = (0..count).map(|_| action(random, 0)).collect();
    if random.below(12) == 0 {
        actions.insert(random.below(count + 1), instruction(random, 0));
    }
    if random.below(40) == 0 {
        let again = random.pick(&actions).clone();
        actions.push(again);
    }
    format!("{} actions={}", words.join(","), actions.join(","))
}

/// Whether the text has registers or samples that releases before 3.4 or 3.7 do not know.
pub(crate) fn is_younger_than_3_7(text: &str) -> bool {
    let text = text.to_uppercase();
    let mut names = (16..32)
        .map(|n| format!("REG{n}"))
        .chain((8..16).flat_map(|n| [format!("XREG{n}"), format!("PKT_REG{n}")]))
        .chain((4..8).map(|n| format!("XXREG{n}")));
    text.contains("SAMPLE(") || names.any(|name| text.contains(&name))
}

/// What is matched: a protocol, what may go with it, and other fields.
fn matches(random: &mut Random) -> Vec<String> {
    let mut words = Vec::new();
    match random.below(8) {
        0 => {}
        1 => words.push(format!("dl_type={}", random.pick(&KINDS))),
        2 => words.push(format!(
            "packet_type=({},{})",
            random.pick(&[0, 1, 2]),
            random.pick(&KINDS)
        )),
        _ => words.push((*random.pick(&PROTOCOLS)).into()),
    }
    if random.below(6) == 0 {
        words.push(
            random
                .pick(&["dl_vlan=5", "vlan_tci=0x1005", "vlan_tci=0", "dl_vlan_pcp=3"])
                .to_string(),
        );
    }
    if random.below(8) == 0 {
        words.push(format!(
            "ip_frag={}",
            random.pick(&["no", "yes", "first", "later", "not_later"])
        ));
    }
    if random.below(8) == 0 {
        words.push(format!("ct_state={}", ct_state(random)));
    }
    for _ in 0..random.below(3) {
        let field = field(random);
        let value = value(random, field, true);
        words.push(format!("{}={value}", field.name()));
    }
    words
}

const PROTOCOLS: [&str; 17] = [
    "ip", "ipv6", "icmp", "icmp6", "tcp", "tcp6", "udp", "udp6", "sctp", "sctp6", "arp", "rarp", "mpls",
    "mplsm", "tcp", "udp", "ip",
];
const KINDS: [&str; 9] = [
    "0", "0x800", "0x806", "0x86dd", "0x8847", "0x8848", "0x894f", "0x8100", "0xffff",
];

/// A field; those that need no protocol more often.
pub(crate) fn field(random: &mut Random) -> Field {
    match random.below(6) {
        0..=3 => *random.pick(&[
            Field::Reg0,
            Field::Reg1,
            Field::Reg3,
            Field::Reg15,
            Field::PktMark,
            Field::TunSrc,
            Field::TunMetadata0,
            Field::TunMetadata5,
            Field::Xreg1,
            Field::Xxreg1,
            Field::Metadata,
            Field::TunId,
            Field::EthSrc,
            Field::EthType,
            Field::VlanTci,
            Field::VlanVid,
            Field::IpSrc,
            Field::NwTos,
            Field::IpDscp,
            Field::NwEcn,
            Field::TcpSrc,
            Field::UdpDst,
            Field::InPort,
            Field::CtMark,
            Field::CtLabel,
        ]),
        _ => *random.pick(Field::ALL),
    }
}

/// A value, perhaps with a mask.
pub(crate) fn value(random: &mut Random, field: Field, mask: bool) -> String {
    let info = field.info();
    let bits = u32::from(info.bits.min(128));
    let one = |random: &mut Random| match info.format {
        Format::Ipv4 => random
            .pick(&["10.0.0.1", "0.0.0.0", "255.255.255.255", "10.1.0.0"])
            .to_string(),
        Format::Ipv6 => random.pick(&["fe80::1", "::", "2001:db8::5"]).to_string(),
        Format::Ethernet => random
            .pick(&["00:11:22:33:44:55", "ff:ff:ff:ff:ff:ff", "01:00:00:00:00:00"])
            .to_string(),
        Format::Port => port(random),
        Format::CtState => ct_state(random),
        Format::Frag => random
            .pick(&["no", "yes", "first", "later", "not_later"])
            .to_string(),
        Format::TunnelFlags => random
            .pick(&["+df", "+csum-key", "-oam", "0", "+df+csum+key+oam"])
            .to_string(),
        Format::TcpFlags => random
            .pick(&["+syn-ack", "0x12", "0xfff", "0x1000", "+ack"])
            .to_string(),
        Format::PacketType => format!("({},{})", random.below(3), random.pick(&KINDS)),
        _ => number(random, bits),
    };
    let value = one(random);
    if !mask || random.below(4) != 0 {
        return value;
    }
    match info.format {
        Format::Ipv4 | Format::Ipv6 if random.below(2) == 0 => format!("{value}/{}", random.below(33)),
        Format::CtState | Format::Frag | Format::TunnelFlags | Format::PacketType => value,
        _ => format!("{value}/{}", one(random)),
    }
}

fn ct_state(random: &mut Random) -> String {
    random
        .pick(&[
            "+trk",
            "+new",
            "-trk",
            "+est-inv+trk",
            "+inv+trk",
            "+trk-inv",
            "0x30/0x30",
            "+snat",
            "0x100/0x100",
            "+dnat+trk",
        ])
        .to_string()
}

/// A number of so many bits: small, at the border, or beyond it.
pub(crate) fn number(random: &mut Random, bits: u32) -> String {
    let max = u128::MAX >> (128 - bits);
    match random.below(20) {
        0..=9 => random.below(9).to_string(),
        10 => "0".into(),
        11 => format!("{max:#x}"),
        12 => format!("{:#x}", max - u128::from(max > 0)),
        13 => format!("{:#x}", max.saturating_add(1)),
        14 => format!("{:#x}", max / 2 + 1),
        15..=18 => random.pick(&["63", "64", "255", "256"]).to_string(),
        _ => format!("{:#x}", u128::from(random.next()) & max),
    }
}

fn port(random: &mut Random) -> String {
    match random.below(3) {
        0 => (1 + random.below(9)).to_string(),
        1 => random.pick(&WORDS).to_string(),
        _ => random.pick(&PORTS).to_string(),
    }
}

const WORDS: [&str; 10] = [
    "IN_PORT",
    "TABLE",
    "NORMAL",
    "FLOOD",
    "ALL",
    "CONTROLLER",
    "LOCAL",
    "ANY",
    "NONE",
    "UNSET",
];
const TABLES: [u16; 9] = [0, 1, 2, 3, 10, 253, 254, 255, 256];
const PORTS: [u32; 12] = [
    0,
    1,
    65279,
    65280,
    65281,
    65527,
    65528,
    65534,
    65535,
    65536,
    4_294_901_760,
    4_294_967_295,
];

/// Bits of a field; `len` of them, if given.
fn bits(random: &mut Random, len: Option<u16>) -> String {
    let field = field(random);
    subfield(random, field, len)
}

fn subfield(random: &mut Random, field: Field, len: Option<u16>) -> String {
    let width = field.info().bits;
    let name = match (random.below(3), field.info().headers.first()) {
        (0, _) | (_, None) => field.name(),
        (_, Some(header)) => header.name,
    };
    match (len, random.below(6)) {
        (None, 0..=2) => format!("{name}[]"),
        (None, _) => {
            let first = random.below(width.into());
            let beyond = usize::from(random.below(12) == 0);
            let last = first + random.below(usize::from(width) - first + beyond);
            format!("{name}[{first}..{last}]")
        }
        (Some(len), _) => {
            let first = random.below(usize::from(width.saturating_sub(len)) + 1);
            format!("{name}[{first}..{}]", first + usize::from(len) - 1)
        }
    }
}

fn width(random: &mut Random) -> u16 {
    *random.pick(&[1, 1, 4, 8, 15, 16, 16, 17, 31, 32, 32, 33, 48, 63, 64, 65, 128])
}

pub(crate) fn instruction(random: &mut Random, depth: usize) -> String {
    match random.below(6) {
        0 => format!(
            "goto_table:{}",
            random.pick(&[0, 1, 2, 3, 4, 10, 253, 254, 255, 256])
        ),
        1 => format!(
            "meter:{}",
            random.pick(&[
                0,
                1,
                2,
                4_294_901_760,
                4_294_901_761,
                4_294_967_293,
                4_294_967_295_u32
            ])
        ),
        2 => "clear_actions".into(),
        3 => format!(
            "write_metadata:{}",
            random.pick(&["1", "0", "0xff/0xf", "5/0", "0xffffffffffffffff"])
        ),
        4 => format!("goto_table:{}", 4 + random.below(9)),
        _ => format!("write_actions({})", list(random, depth + 1)),
    }
}

fn list(random: &mut Random, depth: usize) -> String {
    let count = random.below(3) + usize::from(depth > 2 || random.below(4) != 0);
    let actions: Vec<String> = (0..count).map(|_| action(random, depth)).collect();
    actions.join(",")
}

/// An action; at some depth none with others inside.
pub(crate) fn action(random: &mut Random, depth: usize) -> String {
    let kind = random.below(if depth > 2 { 48 } else { 54 });
    match kind {
        0 => format!("output:{}", port(random)),
        1 => port(random),
        2 => format!("output:{}", bits(random, None)),
        3 => format!(
            "output(port={},max_len={})",
            port(random),
            random.pick(&[0, 13, 14, 100, 65536])
        ),
        4 => format!("enqueue:{}:{}", port(random), number(random, 32)),
        5 => match random.below(4) {
            0 => format!("resubmit:{}", port(random)),
            1 => format!("resubmit({},{})", port(random), random.pick(&TABLES)),
            2 => format!("resubmit(,{})", random.pick(&TABLES)),
            _ => format!("resubmit(,{},ct)", random.pick(&TABLES)),
        },
        6 => format!(
            "push_vlan:{}",
            random.pick(&["0x8100", "0x88a8", "0x8847", "0", "0x10000"])
        ),
        7 => random.pick(&["pop_vlan", "strip_vlan"]).to_string(),
        8 => format!("mod_vlan_vid:{}", number(random, 12)),
        9 => format!("mod_vlan_pcp:{}", number(random, 3)),
        10 => format!("set_vlan_vid:{}", number(random, 12)),
        11 => format!("set_vlan_pcp:{}", number(random, 3)),
        12 => format!(
            "mod_nw_tos:{}",
            random.pick(&["0", "1", "2", "3", "4", "252", "255", "256"])
        ),
        13 => format!("mod_nw_ecn:{}", number(random, 2)),
        14 => format!("mod_nw_ttl:{}", number(random, 8)),
        15 => format!("mod_nw_src:{}", value(random, Field::IpSrc, false)),
        16 => format!("mod_nw_dst:{}", value(random, Field::IpDst, false)),
        17 => format!("mod_tp_src:{}", number(random, 16)),
        18 => format!("mod_tp_dst:{}", number(random, 16)),
        19 => format!("mod_dl_src:{}", value(random, Field::EthSrc, false)),
        20 => random
            .pick(&[
                "dec_ttl",
                "dec_ttl(1,2)",
                "dec_ttl(65535)",
                "dec_ttl(65536)",
                "dec_ttl()",
            ])
            .to_string(),
        21 => format!("set_mpls_label:{}", number(random, 20)),
        22 => format!("set_mpls_tc:{}", number(random, 3)),
        23 => format!("set_mpls_ttl:{}", number(random, 8)),
        24 => random
            .pick(&["dec_mpls_ttl", "dec_nsh_ttl", "ct_clear", "exit", "pop_queue"])
            .to_string(),
        25 => format!(
            "push_mpls:{}",
            random.pick(&["0x8847", "0x8848", "0x8100", "0x800"])
        ),
        26 => format!("pop_mpls:{}", random.pick(&KINDS)),
        27 => format!("set_queue:{}", number(random, 32)),
        28 => format!("group:{}", number(random, 32)),
        29 => format!("set_tunnel:{}", number(random, 32)),
        30 => format!("set_tunnel64:{}", number(random, 64)),
        31 => format!(
            "fin_timeout(idle_timeout={},hard_timeout={})",
            number(random, 16),
            number(random, 16)
        ),
        32 | 33 => {
            let field = field(random);
            format!("set_field:{}->{}", value(random, field, true), field.name())
        }
        34 | 35 => {
            let field = field(random);
            let wide = field.info().bits.min(64);
            let len = width(random).min(wide);
            format!(
                "load:{}->{}",
                number(random, len.into()),
                subfield(random, field, Some(len))
            )
        }
        36 | 37 => {
            let (src, dst) = (field(random), field(random));
            let len = width(random).min(src.info().bits).min(dst.info().bits);
            format!(
                "move:{}->{}",
                subfield(random, src, Some(len)),
                subfield(random, dst, Some(len))
            )
        }
        38 => format!("push:{}", bits(random, None)),
        39 => format!("pop:{}", bits(random, None)),
        40 => format!(
            "note:{}",
            random.pick(&["00", "01.02.03", "00.11.22.33.44.55.66"])
        ),
        41 => format!(
            "conjunction({},{}/{})",
            number(random, 32),
            random.pick(&[0, 1, 2, 3, 64, 65]),
            random.pick(&[0, 1, 2, 3, 64, 65])
        ),
        42 => format!(
            "delete_field:{}",
            random.pick(&["tun_metadata0", "tun_metadata63", "reg0", "tun_id"])
        ),
        43 => {
            let len = if random.below(3) == 0 { None } else { Some(1) };
            format!("check_pkt_larger({})->{}", number(random, 16), bits(random, len))
        }
        44 => encap(random),
        45 => sample(random),
        46 => select(random),
        47 => controller(random),
        48 | 49 => ct(random, depth),
        50 => format!("clone({})", list(random, depth + 1)),
        51 => learn(random),
        52 => match random.below(4) {
            0 => "drop".into(),
            1 => random.pick(&["nat", "nat(src)", "nat(src=10.0.0.1)"]).to_string(),
            2 => random.pick(&["debug_slow", "debug_recirc"]).to_string(),
            _ => instruction(random, depth + 1),
        },
        _ => format!("write_actions({})", list(random, depth + 1)),
    }
}

fn encap(random: &mut Random) -> String {
    random
        .pick(&[
            "encap(ethernet)",
            "encap(nsh)",
            "encap(nsh(md_type=1))",
            "encap(nsh(md_type=2,tlv(0x1000,10,0x12345678)))",
            "encap(nsh(md_type=3))",
            "encap(nsh(md_type=0))",
            "encap(nsh(md_type=2,tlv(0xffff,255,0x01)))",
            "encap(mpls)",
            "encap(mpls_mc)",
            "encap(gre)",
            "decap",
            "decap()",
            "decap(packet_type(ns=0,type=0))",
            "decap(packet_type(ns=1,type=0x894f))",
            "decap(packet_type(ns=2,type=0))",
            "decap(packet_type(ns=65535,type=1))",
        ])
        .to_string()
}

fn sample(random: &mut Random) -> String {
    let mut words = vec![format!("probability={}", number(random, 16))];
    if random.below(3) > 0 {
        words.push(format!("collector_set_id={}", number(random, 32)));
    }
    for key in ["obs_domain_id", "obs_point_id"] {
        match random.below(4) {
            0 => words.push(format!("{key}={}", number(random, 32))),
            1 => {
                let len = width(random);
                let field = field(random);
                let len = len.min(field.info().bits);
                words.push(format!("{key}={}", subfield(random, field, Some(len))));
            }
            _ => {}
        }
    }
    if random.below(3) == 0 {
        words.push(format!("sampling_port={}", port(random)));
    }
    words.extend((random.below(4) == 0).then(|| "egress".to_owned()));
    format!("sample({})", words.join(","))
}

/// Hashes.
fn select(random: &mut Random) -> String {
    let fields = random.pick(&[
        "eth_src",
        "symmetric_l4",
        "symmetric_l3l4",
        "symmetric_l3l4+udp",
        "nw_src",
        "nw_dst",
        "none",
    ]);
    let basis = number(random, 16);
    let algorithm = random.pick(&["hrw", "active_backup"]);
    let members = |random: &mut Random| {
        let count = random.below(4);
        let ports: Vec<String> = (0..count).map(|_| port(random)).collect();
        ports.join(",")
    };
    let dst = |random: &mut Random| {
        let field = field(random);
        let len = width(random).min(field.info().bits);
        subfield(random, field, Some(len))
    };
    match random.below(3) {
        0 => format!(
            "bundle({fields},{basis},{algorithm},ofport,members:{})",
            members(random)
        ),
        1 => {
            let dst = dst(random);
            format!(
                "bundle_load({fields},{basis},{algorithm},ofport,{dst},members:{})",
                members(random)
            )
        }
        _ => {
            let algorithm = random.pick(&["modulo_n", "hash_threshold", "hrw", "iter_hash"]);
            let links = random.pick(&[0, 1, 2, 3, 16, 17, 32, 256, 65535, 65536, 65537]);
            format!(
                "multipath({fields},{basis},{algorithm},{links},{},{})",
                number(random, 32),
                dst(random)
            )
        }
    }
}

fn controller(random: &mut Random) -> String {
    match random.below(5) {
        0 => format!("controller:{}", number(random, 16)),
        1 => format!(
            "controller(max_len={},id={})",
            number(random, 16),
            number(random, 16)
        ),
        2 => format!(
            "controller(reason={},pause)",
            random.pick(&[
                "action",
                "no_match",
                "invalid_ttl",
                "action_set",
                "group",
                "packet_out",
                "other"
            ])
        ),
        3 => format!("controller(userdata=01.02.03,meter_id={})", number(random, 32)),
        _ => format!("CONTROLLER:{}", number(random, 16)),
    }
}

fn ct(random: &mut Random, depth: usize) -> String {
    let mut words: Vec<String> = Vec::new();
    words.extend((random.below(3) > 0).then(|| "commit".into()));
    words.extend((random.below(8) == 0).then(|| "force".into()));
    if random.below(3) == 0 {
        words.push(format!("table={}", random.pick(&TABLES)));
    }
    match random.below(5) {
        0 => words.push(format!("zone={}", number(random, 16))),
        1 => words.push(format!("zone={}", bits(random, Some(16)))),
        2 => {
            let len = width(random);
            words.push(format!("zone={}", bits(random, Some(len))));
        }
        _ => {}
    }
    if random.below(3) == 0 {
        words.push(random.pick(&NATS).to_string());
    }
    if random.below(4) == 0 {
        words.push(format!("alg={}", random.pick(&["ftp", "tftp", "5"])));
    }
    if random.below(3) == 0 {
        let inner = match random.below(6) {
            0 => list(random, depth + 1),
            1 => "set_field:0x5/0xff->ct_label".into(),
            2 => "move:NXM_NX_REG0[]->NXM_NX_CT_MARK[]".into(),
            3 => "load:1->NXM_NX_CT_MARK[0..3],nat(dst=10.0.0.9)".into(),
            _ => "set_field:7->ct_mark".into(),
        };
        words.push(format!("exec({inner})"));
    }
    format!("ct({})", words.join(","))
}

const NATS: [&str; 16] = [
    "nat",
    "nat(src)",
    "nat(dst)",
    "nat(src=10.0.0.1)",
    "nat(dst=10.0.0.1-10.0.0.9)",
    "nat(dst=10.0.0.9-10.0.0.1)",
    "nat(src=fe80::1)",
    "nat(src=[fe80::1]:1-5,hash)",
    "nat(src=10.0.0.1:1-5,random,persistent)",
    "nat(src=10.0.0.1:5-1)",
    "nat(src=10.0.0.1,hash,random)",
    "nat(hash)",
    "nat(src,dst)",
    "nat(src=10.0.0.1-fe80::1)",
    "nat(src=10.0.0.1:65535)",
    "nat(dst=fe80::1-fe80::9)",
];

fn learn(random: &mut Random) -> String {
    let mut words = Vec::new();
    if random.below(2) == 0 {
        words.push(format!("table={}", random.pick(&TABLES)));
    }
    match random.below(8) {
        0 => words.push(format!("limit={}", number(random, 32))),
        1 => words.push(format!("result_dst={}", bits(random, Some(1)))),
        2 => words.push(format!("result_dst={}", bits(random, None))),
        3 => words.push("send_flow_rem,delete_learned".into()),
        4 => words.push(format!("fin_idle_timeout={}", number(random, 16))),
        _ => {}
    }
    let kinds = random.below(3);
    words.extend((kinds > 0).then(|| format!("eth_type={}", random.pick(&KINDS))));
    words.extend((kinds > 1).then(|| format!("nw_proto={}", random.pick(&[6, 17, 1, 58]))));
    for _ in 0..random.below(3) {
        let (src, dst) = (field(random), field(random));
        let len = width(random).min(src.info().bits).min(dst.info().bits);
        words.push(match random.below(6) {
            0 => format!("{}={}", dst.name(), value(random, dst, false)),
            1 => subfield(random, dst, None),
            2 => {
                let (dst, src) = (subfield(random, dst, Some(len)), subfield(random, src, Some(len)));
                format!("{dst}={src}")
            }
            3 => {
                let (dst, src) = (subfield(random, dst, Some(len)), subfield(random, src, Some(len)));
                format!("load:{src}->{dst}")
            }
            4 => {
                let number = number(random, len.into());
                format!("load:{number}->{}", subfield(random, dst, Some(len)))
            }
            _ => format!("output:{}", bits(random, None)),
        });
    }
    format!("learn({})", words.join(","))
}
