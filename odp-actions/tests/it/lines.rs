//! Lines of other releases, of vendors, and of people who changed them.

use odp_actions::action::Actions;
use odp_actions::flow::FlowActions;
use odp_actions::{Flow, FlowKey, ParseError, PortNames};

use crate::invariant;
use crate::random::{Random, rounds};

/// Ports stand by name in these.
const NAMES: &str = include_str!("../vectors/flows-names.txt");
const KEYS: &str = include_str!("../vectors/keys.tsv");

fn flow(line: &str) -> Flow {
    let flow: Flow = line.parse().unwrap_or_else(|e| panic!("{line}: {e}"));
    assert_eq!(flow.to_string(), line);
    flow
}

#[test]
fn an_unknown_attribute_or_field_costs_neither_counters_nor_its_neighbours() {
    let known = flow(
        "recirc_id(0),in_port(1),eth(),eth_type(0x0800),ipv4(frag=no), packets:1, bytes:2, used:1.500s, actions:2",
    );
    for (line, unknown) in [
        (
            "recirc_id(0),in_port(1),newattr(5),eth(),eth_type(0x0800),ipv4(frag=no), packets:1, bytes:2, used:1.500s, actions:2",
            &["newattr(5)"][..],
        ),
        (
            "recirc_id(0),in_port(1),eth(),eth_type(0x0800),ipv4(frag=no,newfield=3), packets:1, bytes:2, used:1.500s, actions:2",
            &["ipv4(newfield=3)"],
        ),
        (
            "new-attr,recirc_id(0,a/b),in_port(1),eth(x=(1,2)),eth_type(0x0800),ipv4(a,frag=no,b), packets:1, bytes:2, used:1.500s, actions:2",
            &["new-attr", "recirc_id(a/b)", "eth(x=(1,2))", "ipv4(a,b)"],
        ),
        (
            "recirc_id(0),in_port(1),eth(),eth_type(0x0800),ipv4(frag=no),key4(bad key length 2, expected 1)(05 00), packets:1, bytes:2, used:1.500s, actions:2",
            &["key4(bad key length 2, expected 1)(05 00)"],
        ),
    ] {
        let flow = flow(line);
        assert_eq!(flow.key, known.key, "{line}");
        assert_eq!((flow.packets, flow.bytes, flow.used_ms), (1, 2, Some(1500)));
        assert_eq!(flow.actions, known.actions);
        assert_eq!(flow.other_keys, unknown);
    }
}

#[test]
fn flags_and_options_with_an_unknown_part_keep_the_others() {
    let known = "tunnel(tun_id=0x1,geneve({class=0x102,type=0x80,len=4,0x5}{class=0x1}),flags(df|key)),ct_state(+new-est),in_port(1)";
    let line = |key: &str| format!("{key}, packets:0, bytes:0, used:never, actions:1");
    let whole = flow(&line(known));
    for (from, to, unknown) in [
        ("df|key", "df|newflag|key", "tunnel(flags(newflag))"),
        ("+new-est", "+new+newst-est", "ct_state(+newst)"),
        ("{class=0x1}", "{class=0x1,new=5}", "tunnel(geneve({new=5}))"),
        ("),flags", "),newopt(a=1),flags", "tunnel(newopt(a=1))"),
        ("type=0x80,", "type=0x80,new,", "tunnel(geneve({new}))"),
    ] {
        let flow = flow(&line(&known.replacen(from, to, 1)));
        assert_eq!(flow.key, whole.key, "{to}");
        assert_eq!(flow.other_keys, [unknown]);
    }
}

#[test]
fn fields_before_the_actions_stand_in_any_order() {
    let flow = flow(
        "recirc_id(0),in_port(1),eth(),eth_type(0x0800),ipv4(frag=no), packets:3, bytes:126, offload_packets:2, offload_bytes:84, used:0.512s, actions:2",
    );
    assert_eq!((flow.packets, flow.bytes, flow.used_ms), (3, 126, Some(512)));
    assert_eq!(flow.other, ["offload_packets:2", "offload_bytes:84"]);
    assert!(flow.actions.parsed().is_some());
    let line = "in_port(1), hits:7, flags:SX, used:-0.001s, dp:tc, dp:ovs, bytes:6, packets:5,offloaded:no, actions:drop";
    let flow = self::flow(line);
    // A packet came after the switch looked at its clock.
    assert_eq!((flow.packets, flow.bytes, flow.used_ms), (5, 6, Some(0)));
    assert_eq!(flow.other, ["hits:7", "flags:SX", "dp:ovs", "offloaded:no"]);
    assert_eq!((flow.tcp_flags, flow.dp_layer.as_deref()), (0, Some("tc")));
}

/// The forms of `format_odp_key_attr` and `packet_format_tcp_flags` in these releases.
#[test]
fn forms_of_open_vswitch_2_0_to_2_5_are_read() {
    for (old, new) in [
        (
            "in_port(2),eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),eth_type(0x8100),vlan(vid=5,pcp=0),encap(eth_type(0x0800),ipv4(src=10.0.0.1/0.0.0.0,dst=10.0.0.2/0.0.0.0,proto=1/0,tos=0/0,ttl=64/0,frag=no/0xff))",
            "in_port(2),eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),eth_type(0x8100),vlan(vid=5,pcp=0),encap(eth_type(0x0800),ipv4(src=10.0.0.1/0.0.0.0,dst=10.0.0.2/0.0.0.0,proto=1/0,tos=0/0,ttl=64/0,frag=no))",
        ),
        (
            "ipv6(src=::1/::,dst=::2/::,label=0/0,proto=6/0,tclass=0/0,hlimit=64/0,frag=later/0xff)",
            "ipv6(src=::1/::,dst=::2/::,label=0/0,proto=6/0,tclass=0/0,hlimit=64/0,frag=later)",
        ),
        (
            "tunnel(tun_id=0x1/0xff,src=10.0.0.1/255.0.0.0,dst=10.0.0.2/0.0.0.0,tos=0/0,ttl=64/0,flags(df,csum,key))",
            "tunnel(tun_id=0x1/0xff,src=10.0.0.1/255.0.0.0,dst=10.0.0.2/0.0.0.0,tos=0/0,ttl=64/0,flags(df|csum|key))",
        ),
        (
            "eth_type(0x0800),sctp((src=1,dst=2))",
            "eth_type(0x0800),sctp(src=1,dst=2)",
        ),
        ("tcp_flags(0x012)", "tcp_flags(syn|ack)"),
        ("tcp_flags(0x002/0x012)", "tcp_flags(+syn-ack)"),
        (
            "mpls(lse0=0x64140,lse1=0xc8140/0xfff00000)",
            "mpls(label=100/0xfffff,tc=0/7,ttl=64/0xff,bos=1/1,label=200/0xfff00,tc=0/0,ttl=64/0x0,bos=1/0)",
        ),
        (
            "vlan(vid=5/0xfff,pcp=0/0x7,cfi=1/0),encap()",
            "vlan(vid=5,pcp=0,cfi=1/0),encap()",
        ),
    ] {
        let line = |key: &str| {
            format!("{key}, packets:12, bytes:1176, used:0.410s, flags:SP.[40][80], actions:pop_vlan,1")
        };
        let old = flow(&line(old));
        assert_eq!(old.key, flow(&line(new)).key, "{new}");
        assert!(old.other_keys.is_empty() && old.other.is_empty());
        assert_eq!((old.packets, old.tcp_flags), (12, 0xda));
        assert!(old.actions.parsed().is_some());
    }
    let flow = flow(
        "recirc_id(0),skb_priority(0),in_port(2),eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),eth_type(0x0800),ipv4(src=10.0.0.1/0.0.0.0,dst=10.0.0.2/0.0.0.0,proto=17/0,tos=0/0x3,ttl=64/0,frag=no/0xff), packets:7, bytes:700, used:1.004s, actions:set(tunnel(tun_id=0x1,src=0.0.0.0,dst=10.0.2.2,tos=0x0,ttl=64,flags(df,key))),3",
    );
    assert_eq!((flow.packets, flow.key.keys().len()), (7, 6));
    // Zeros there are attributes that the list does not have: its size would be wrong.
    assert!(matches!(flow.actions, FlowActions::Text { error: Some(_), .. }));
}

#[test]
fn indentation_and_headings_cost_nothing() {
    let dump = "  flow-dump from non-dpdk interfaces:\r\n\
        \t  in_port(1),eth(), packets:1, bytes:2, used:never, actions:2\r\n \r\n\
        flow-dump from the main thread:\n\
        ufid:f3f74c3f-2fcb-4ea6-b803-b0a54afe9975 in_port(1),eth(), packets:1, bytes:2, used:never, actions:2 \n\
        \u{20}ufid:f3f74c3f-2fcb-4ea6-b803-b0a54afe9975,in_port(1),eth(), packets:1, bytes:2, used:never, actions:2\n\
        in_port(1),eth(),ufid:f3f74c3f-2fcb-4ea6-b803-b0a54afe9975, packets:1, bytes:2, used:never, actions:2\n";
    let flows: Vec<Flow> = Flow::parse_dump(dump).collect::<Result<_, _>>().unwrap();
    assert_eq!(flows.len(), 4);
    for flow in &flows {
        assert!(dump.contains(&flow.to_string()));
        assert_eq!(flow.key, flows[0].key);
        assert_eq!(flow.actions, flows[0].actions);
    }
    assert!(
        flows[1..]
            .iter()
            .all(|flow| flow.ufid == flows[1].ufid && flow.ufid.is_some())
    );
    // A shape is a mask, however its line is spelled.
    assert!(flows.iter().all(|flow| flow.shape() == "in_port,eth"));
}

#[test]
fn a_flow_that_is_changed_prints_what_it_says_and_loses_nothing() {
    let mut flow =
        flow("  recirc_id(0),new(1),in_port(v1), hits:1, packets:3, bytes:4, used:never, actions:2");
    flow.packets = 5;
    assert_eq!(
        flow.to_string(),
        "recirc_id(0),in_port(v1),new(1), packets:5, bytes:4, used:never, hits:1, actions:2"
    );
    flow.resolve_in_port(7);
    assert_eq!(
        flow.to_string(),
        "recirc_id(0),in_port(7),new(1), packets:5, bytes:4, used:never, hits:1, actions:2"
    );
    assert_eq!(flow.shape(), "recirc_id,in_port,new");
}

#[test]
fn names_stand_in_a_line_as_they_are_known() {
    let ports = PortNames::from_iter([(1, "eth0"), (2, "eth1")]);
    let line = " in_port(eth0),new(1), packets:3, bytes:4, used:never, actions:eth1";
    let flow = Flow::parse_named(line, &ports).unwrap();
    assert_eq!(flow.named(&ports).to_string(), line);
    assert_eq!(
        flow.to_string(),
        "in_port(1),new(1), packets:3, bytes:4, used:never, actions:2"
    );
    let others = PortNames::from_iter([(1, "eth1"), (2, "eth0")]);
    assert_eq!(
        flow.named(&others).to_string(),
        "in_port(eth1),new(1), packets:3, bytes:4, used:never, actions:eth0"
    );
}

#[test]
fn what_is_no_flow_stays_an_error() {
    for (line, at) in [
        ("nothing", 7),
        ("flow-dump from the main thread:", 0),
        (
            "Nov 22 03:14:06 host: recirc_id(0), packets:1, bytes:2, used:never, actions:2",
            0,
        ),
        ("host:recirc_id(0), packets:1, bytes:2, used:never, actions:2", 0),
        ("in_port(1), packets:x, bytes:2, used:never, actions:2", 20),
        ("in_port(1), packets:1 bytes:2, used:never, actions:2", 21),
        ("in_port(1), packets:1, bytes:2, used:5s, actions:2", 38),
        ("in_port(1), packets:1, bytes:2, actions:2", 40),
        ("in_port(1),new(2, packets:1, bytes:2, used:never, actions:2", 11),
        ("in_port(1),new)2(, packets:1, bytes:2, used:never, actions:2", 11),
        ("in_port(1), packets:1, bytes:2, used:never", 42),
    ] {
        match line.parse::<Flow>() {
            Err(ParseError::Expected { offset, .. }) => assert_eq!(offset, at, "{line}"),
            other => panic!("{line}: {other:?}"),
        }
    }
    let hostile = ["encap(", "tunnel(geneve({", "new("].map(|open| open.repeat(100_000));
    for open in hostile {
        for text in [open.clone(), format!("{open}{}", open.replace(['(', '{'], ")"))] {
            assert!(text.parse::<Flow>().is_err());
        }
    }
    let wide = format!(
        "tunnel({}), packets:1, bytes:2, used:never, actions:2",
        "new=1,".repeat(50_000)
    );
    assert_eq!(flow(&wide).packets, 1);
}

#[test]
fn a_chassis_of_ovn_reads_typed() {
    let taps = (1..=2).flat_map(|chassis| (1..=20).map(move |n| format!("v{chassis}-{n}")));
    let ports: PortNames = (1..).zip(taps.chain(["genev_sys_6081".to_owned()])).collect();
    let flows: Vec<Flow> = Flow::parse_named_dump(NAMES.split_once('\n').unwrap().1, &ports)
        .collect::<Result<_, _>>()
        .unwrap();
    let lines: Vec<_> = NAMES.lines().skip(2).collect();
    assert_eq!(flows.len(), lines.len());
    for (flow, line) in flows.iter().zip(lines) {
        assert_eq!(flow.named(&ports).to_string(), line);
        assert!(flow.in_port_name().is_none() && flow.other.is_empty() && flow.other_keys.is_empty());
        assert!(flow.actions.parsed().is_some(), "{line}");
    }
    let actions = flows.iter().filter_map(|flow| flow.actions.parsed());
    let biggest = actions
        .max_by_key(|actions| actions.encoded_len().unwrap())
        .unwrap();
    assert_eq!((biggest.encoded_len(), biggest.output_count()), (Ok(14_552), 219));
}

/// The header of version 2 is one of Open vSwitch's own test `tunnel_push_pop.at`.
#[test]
fn erspan_headers_print_back() {
    for text in [
        "tnl_push(tnl_port(3),header(size=50,type=107,eth(dst=f8:bc:12:44:34:b6,src=aa:55:aa:55:00:00,dl_type=0x0800),ipv4(src=1.1.2.88,dst=1.1.2.92,proto=47,tos=0,ttl=64,frag=0x4000),erspan(ver=1,sid=0x7b,idx=0x3)),out_port(100))",
        "tnl_push(tnl_port(4),header(size=54,type=107,eth(dst=f8:bc:12:44:34:b6,src=aa:55:aa:55:00:00,dl_type=0x0800),ipv4(src=1.1.2.88,dst=1.1.2.93,proto=47,tos=0,ttl=64,frag=0x4000),erspan(ver=2,sid=0x237,dir=1,hwid=0x7)),out_port(100))",
    ] {
        assert_eq!(
            text.parse::<Actions>().map(|actions| actions.to_string()),
            Ok(text.to_owned())
        );
    }
    for sid in 0..0x400 {
        let text = format!(
            "tnl_push(tnl_port(3),header(size=50,type=107,eth(dst=00:00:00:00:00:01,src=00:00:00:00:00:02,dl_type=0x0800),ipv4(src=1.1.2.88,dst=1.1.2.92,proto=47,tos=0,ttl=64,frag=0x4000),erspan(ver=1,sid={sid:#x},idx=0x3)),out_port(100))"
        );
        assert_eq!(
            text.parse::<Actions>().map(|actions| actions.to_string()),
            Ok(text)
        );
    }
}

#[test]
fn the_id_of_a_flow_may_stand_before_its_key() {
    let key: FlowKey = "in_port(1),eth_type(0x0800)".parse().unwrap();
    for text in [
        "ufid:f3f74c3f-2fcb-4ea6-b803-b0a54afe9975 in_port(1),eth_type(0x0800)",
        "ufid:f3f74c3f-2fcb-4ea6-b803-b0a54afe9975, in_port(1),eth_type(0x0800)",
        "in_port(1),ufid:f3f74c3f-2fcb-4ea6-b803-b0a54afe9975eth_type(0x0800)",
    ] {
        assert_eq!(text.parse::<FlowKey>().as_ref(), Ok(&key), "{text}");
    }
    assert!("ufid:f3f74c3f in_port(1)".parse::<FlowKey>().is_err());
}

/// Keys as the rows print them, terse and verbose.
fn keys() -> impl Iterator<Item = &'static str> {
    let rows = KEYS.lines().skip(1).flat_map(|row| {
        let mut columns = row.split('\t').skip(3);
        let terse = columns.next().unwrap();
        let verbose = columns.next().unwrap();
        [terse, if verbose == "=" { terse } else { verbose }]
    });
    rows.filter(|key| key.contains('('))
}

/// The items of a list.
fn items(text: &str) -> Vec<&str> {
    let (mut depth, mut items, mut start) = (0, Vec::new(), 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' | '{' => depth += 1,
            ')' | '}' => depth -= 1,
            ',' if depth == 0 => {
                items.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    items.push(&text[start..]);
    items
}

/// Fields and attributes that nobody has.
const UNKNOWN: [&str; 6] = [
    "newer=3",
    "newer",
    "newer(5)",
    "newer=0x1/0xff",
    "newer(a=1,b(c),{d})",
    "newer-1.2=+x",
];

/// Puts something unknown into a key, between two items at any depth.
fn insert(random: &mut Random, key: &str) -> Option<String> {
    let unknown = UNKNOWN[random.below(UNKNOWN.len())];
    let places: Vec<_> = key
        .char_indices()
        .filter(|(_, c)| matches!(c, '(' | '{' | ',' | ')' | '}'))
        .collect();
    let (at, c) = *places.get(random.below(places.len()))?;
    let (before, behind) = key.split_at(at);
    // The name of a port, and bytes of which all are one item.
    let name = before.rsplit(['(', ',', '{']).next().unwrap_or_default();
    if before.ends_with([')', '}']) && matches!(c, '(' | '{') || name == "in_port" || in_port(before) {
        return None;
    }
    Some(match c {
        '(' | '{' => {
            let behind = &behind[1..];
            let comma = if behind.starts_with([')', '}']) { "" } else { "," };
            format!("{before}{c}{unknown}{comma}{behind}")
        }
        _ => {
            let comma = if before.ends_with(['(', '{']) { "" } else { "," };
            format!("{before}{comma}{unknown}{behind}")
        }
    })
}

fn in_port(before: &str) -> bool {
    before
        .rsplit_once("in_port(")
        .is_some_and(|(_, behind)| !behind.contains(')'))
}

#[test]
fn whatever_is_inserted_anywhere_leaves_the_rest_as_it_was() {
    let mut random = Random::new();
    let rows: Vec<_> = keys().collect();
    for _ in 0..rounds(500) {
        let key = rows[random.below(rows.len())];
        let stats = [
            "packets:3",
            "bytes:126",
            "used:0.512s",
            "flags:SF",
            "offloaded:yes",
            "dp:tc",
        ];
        let line = |key: &str, stats: &[&str]| format!("{key}, {}, actions:2,drop_x", stats.join(", "));
        let known = flow(&line(key, &stats));
        let mut odd = key.to_owned();
        let mut inserted = 0;
        for _ in 0..random.below(4) {
            if let Some(more) = insert(&mut random, &odd) {
                odd = more;
                inserted += 1;
            }
        }
        let mut fields = stats.to_vec();
        let mut others = Vec::new();
        for _ in 0..random.below(3) {
            let (a, b) = (random.below(fields.len()), random.below(fields.len()));
            fields.swap(a, b);
            let other = ["hits:7", "offload_packets:2", "new:a.b"][random.below(3)];
            fields.insert(random.below(fields.len() + 1), other);
            others.push(other);
        }
        let odd = flow(&line(&odd, &fields));
        assert_eq!(odd.key, known.key, "{odd}\n{key}");
        assert_eq!(odd.other_keys.is_empty(), inserted == 0, "{odd}");
        assert_eq!(
            (odd.packets, odd.bytes, odd.used_ms, odd.tcp_flags, odd.offloaded),
            (
                known.packets,
                known.bytes,
                known.used_ms,
                known.tcp_flags,
                known.offloaded
            )
        );
        assert_eq!(odd.dp_layer, known.dp_layer);
        assert_eq!(odd.actions, known.actions);
        let mut kept = odd.other.iter().map(String::as_str).collect::<Vec<_>>();
        kept.sort_unstable();
        others.sort_unstable();
        assert_eq!(kept, others);
    }
}

#[test]
fn attributes_in_any_order_and_more_than_once_stay_as_they_were_read() {
    let mut random = Random::new();
    // (Open vSwitch has no comma behind some `eth()`.)
    let pool: Vec<_> = keys()
        .flat_map(items)
        .filter(|item| !item.starts_with("eth()") || item.len() == 5)
        .collect();
    let mut same = 0;
    for _ in 0..rounds(500) {
        let mut chosen: Vec<_> = (0..1 + random.below(5))
            .map(|_| pool[random.below(pool.len())])
            .collect();
        // The same attribute once more, and another of its type.
        let again = chosen[random.below(chosen.len())];
        chosen.insert(random.below(chosen.len() + 1), again);
        let name = again.split('(').next().unwrap();
        let others: Vec<_> = pool
            .iter()
            .filter(|item| item.split('(').next() == Some(name))
            .collect();
        chosen.insert(random.below(chosen.len() + 1), others[random.below(others.len())]);
        let key = chosen.join(",");
        invariant::of_line(&key);
        let line = format!("{key}, packets:3, bytes:126, used:never, actions:2");
        invariant::of_line(&line);
        let read = flow(&line);
        // A mask without a value is no attribute.
        let lone = usize::from(line.contains("eth_type(0/0xffff), packets"));
        let keys = read.key.keys().len() + read.other_keys.len() + usize::from(read.in_port_name().is_some());
        assert_eq!(keys + lone, chosen.len(), "{line}");
        same += usize::from(read.other_keys.is_empty());
    }
    assert!(same > 50, "{same}");
}
