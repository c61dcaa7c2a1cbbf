//! Filters: what they say of a flow, where they are malformed, and what Python's ovs.flow says.

use std::{collections::BTreeMap, fs, path::PathBuf};

use ofp_codec::{
    Field, Format,
    text::{ErrorKind, Filter, FlowRef},
};

use crate::dumps::dumps;

fn matches(expression: &str, line: &str) -> bool {
    let flow = FlowRef::parse(line.as_bytes()).unwrap();
    Filter::parse(expression)
        .unwrap_or_else(|error| panic!("{expression}: {error}"))
        .matches(&flow)
}

const FLOW: &str = " cookie=0x5, duration=315.4s, table=3, n_packets=7, n_bytes=?, idle_timeout=10, send_flow_rem \
    priority=50,ct_state=+est-rpl+trk,tcp,reg0=0x5/0xff,reg1=0x7,in_port=\"a b\",dl_src=01:00:00:00:00:00/01:00:00:00:00:00,\
    nw_src=10.1.2.3,nw_dst=10.0.0.0/8,tp_dst=0x50/0xfff0 \
    actions=ct(commit,zone=NXM_NX_REG13[0..15],table=13,nat(dst=10.0.0.7),exec(load:0x1->NXM_NX_CT_MARK[1])),\
    load:0x2->NXM_NX_REG10[4],set_field:02:00:00:00:00:01->eth_dst,move:NXM_OF_IP_DST[]->NXM_NX_XXREG0[64..95],\
    output:2,LOCAL,\"c,d\",resubmit(,9),resubmit:4,clone(ct_clear,output:8),output(port=5,max_len=100),\
    conjunction(6,1/2),enqueue:3:1,check_pkt_larger(1500)->NXM_NX_REG0[0],write_metadata:0x1/0xf";

#[test]
fn a_clause_holds_for_what_the_flow_has() {
    for expression in [
        "tcp",
        "send_flow_rem",
        "nw_src",
        "ip_src",
        "priority",
        "cookie=5",
        "cookie=0x5",
        "duration>315",
        "duration<315.5s",
        "n_bytes",
        "n_bytes=?",
        "table=3",
        "table!=4",
        "n_packets>=7",
        "n_packets<=7",
        "n_packets<8",
        "n_packets>6",
        "idle_timeout=10",
        "hard_timeout=0",
        "importance<1",
        "reg0=0x5/0xff",
        "reg0~=0x105",
        "reg0!=5",
        "reg1=7",
        "reg1~=7",
        "reg1>6",
        "reg0~=0x5/0xffff",
        "ct_state~=+trk",
        "ct_state~=-rpl+est",
        "ct_state=+trk+est-rpl",
        "in_port=\"a b\"",
        "in_port~=b",
        "in_port!=eth0",
        "dl_src~=03:00:00:00:00:09",
        "eth_src=01:00:00:00:00:00/01:00:00:00:00:00",
        "nw_src=10.1.2.3",
        "ip_dst=10.0.0.0/8",
        "nw_dst~=10.1.0.0/16",
        "nw_dst~=10.255.1.2",
        "nw_dst!=10.0.0.0/9",
        "tp_dst~=80",
        "tcp_dst~=0x5f",
        "tp_dst=0x50/0xfff0",
        "ct",
        "ct.commit",
        "ct.table=13",
        "ct.zone.field=NXM_NX_REG13",
        "ct.zone.end=15",
        "ct.nat.dst=10.0.0.7",
        "ct.nat.type=dst",
        "ct.nat.addrs.start=10.0.0.7",
        "ct.nat.addrs.end~=10.0.0.7",
        "ct.nat.addrs.end<10.0.0.8",
        "ct.exec.load.value=1",
        "load.value=2",
        "load.dst.field=NXM_NX_REG10",
        "load.dst.start=4",
        "load.dst.end=4",
        "set_field.value.eth_dst=02:00:00:00:00:01",
        "set_field.value.dl_dst~=02:00:00:00:00:01",
        "set_field.dst=eth_dst",
        "move.src.field=NXM_OF_IP_DST",
        "move.dst.start=64",
        "output.port=2",
        "output.port=LOCAL",
        "output.port=\"c,d\"",
        "output.port=5",
        "output.max_len=100",
        "output",
        "resubmit.table=9",
        "resubmit.port=4",
        "clone.output.port=8",
        "clone.ct_clear",
        "conjunction.id=6",
        "conjunction.n=2",
        "enqueue.queue=1",
        "check_pkt_larger.pkt_len>1000",
        "check_pkt_larger.dst.field=NXM_NX_REG0",
        "write_metadata~=0x11",
    ] {
        assert!(matches(expression, FLOW), "{expression}");
        assert!(!matches(&format!("!({expression})"), FLOW), "{expression}");
    }
}

#[test]
fn arguments_without_names_have_those_of_ovs_flow() {
    let nat = "actions=ct(commit,nat(src=[fe80::1]-[fe80::9]:80-90,persistent)),ct(nat),ct(commit,exec(nat(dst=10.0.0.1-10.0.0.3)))";
    let bundle = "actions=bundle(eth_src,7,hrw,ofport,members:2,3),bundle_load(symmetric_l4,9,active_backup,ofport,reg0[0..15],members:4,5)";
    let encap = "actions=encap(nsh(md_type=2,tlv(0x1000,10,0x12))),encap(ethernet)";
    for (line, held, refused) in [
        (
            nat,
            &[
                "ct.nat.type=src",
                "ct.nat.addrs.start=fe80::1",
                "ct.nat.addrs.end=fe80:0::9",
                "ct.nat.addrs.end>fe80::8",
                "ct.nat.ports.start=80",
                "ct.nat.ports.end<91",
                "ct.nat.ports",
                "ct.nat.persistent",
                "ct.exec.nat.addrs.start=10.0.0.1",
                "ct.exec.nat.addrs.end~=10.0.0.3",
            ][..],
            &[
                "ct.nat.type=dst",
                "ct.nat.hash",
                "ct.nat.addrs.start=10.0.0.1",
                "ct.nat.addrs.middle",
                "ct.exec.nat.ports",
                "ct.exec.nat.addrs.start~=fe80::1",
            ][..],
        ),
        (
            bundle,
            &[
                "bundle.fields=eth_src",
                "bundle.basis=7",
                "bundle.algorithm=hrw",
                "bundle.members=2",
                "bundle.members=3",
                "bundle_load.dst.field=reg0",
                "bundle_load.dst.end=15",
                "bundle_load.members>4",
            ],
            &[
                "bundle.members=4",
                "bundle_load.members>5",
                "bundle.dst",
                "bundle.ofport",
            ],
        ),
        (
            encap,
            &[
                "encap.header=nsh",
                "encap.header=ethernet",
                "encap.props.md_type=2",
                "encap.props.tlv.class=0x1000",
                "encap.props.tlv.type=10",
                "encap.props.tlv.value>0x11",
            ],
            &[
                "encap.header=mpls",
                "encap.props.md_type=1",
                "encap.props.tlv.type=11",
            ],
        ),
    ] {
        for expression in held {
            assert!(matches(expression, line), "{expression}");
        }
        for expression in refused {
            assert!(!matches(expression, line), "{expression}");
        }
    }
}

#[test]
fn every_field_is_asked_for_by_each_of_its_names() {
    let mut names = 0;
    for &field in Field::ALL {
        let info = field.info();
        let (value, other) = match info.format {
            Format::Ipv4 => ("10.0.0.1", "10.0.0.2"),
            Format::Ipv6 => ("fe80::1", "fe80::2"),
            Format::Ethernet => ("02:00:00:00:00:01", "02:00:00:00:00:02"),
            Format::Frag => ("yes", "no"),
            Format::PacketType => ("(1,0x800)", "(1,0x86dd)"),
            _ => ("1", "0"),
        };
        // A number in quotes is the name of a port.
        let quote = if info.format == Format::Port { "" } else { "\"" };
        let line = format!("priority=5,{}={value} actions=drop", info.name);
        let headers = info.headers.iter().map(|header| header.name);
        let aliases = info.aliases.iter().copied();
        for name in [info.name, info.printed]
            .into_iter()
            .chain(aliases)
            .chain(headers)
        {
            assert!(matches(name, &line), "{name}");
            for operator in ["=", "~="] {
                let ask = |value| matches(&format!("{name}{operator}{quote}{value}{quote}"), &line);
                assert!(ask(value) && !ask(other), "{name}{operator}{value}");
            }
            assert!(
                matches(&format!("{name}!={quote}{other}{quote}"), &line),
                "{name}"
            );
            names += 1;
        }
        assert!(!matches(info.name, "priority=5 actions=drop"), "{field}");
    }
    assert!(names > 500, "{names}");
}

#[test]
fn a_clause_does_not_hold_for_what_the_flow_has_not() {
    for expression in [
        "udp",
        "ip",
        "drop",
        "reg2",
        "nw_proto",
        "n_packets>7",
        "n_packets<7",
        "table!=3",
        "cookie!=5",
        "n_bytes>0",
        "reg0=5",
        "reg0=0x5",
        "reg0>1",
        "reg0~=0x6",
        "reg0!=0x5/0xff",
        "reg9!=1",
        "reg0~=0x5/0xf",
        "ct_state~=+rpl",
        "ct_state~=+new",
        "ct_state=+trk",
        "in_port=a",
        "in_port~=c",
        "dl_src~=02:00:00:00:00:00",
        "nw_dst=10.0.0.1",
        "nw_dst~=11.0.0.1",
        "nw_dst~=0.0.0.0/0",
        "nw_src~=10.1.2.0/24",
        "tp_dst>1",
        "tp_dst~=0x60",
        "hard_timeout",
        "importance",
        "hard_timeout>0",
        "ct.zone=5",
        "ct.force",
        "ct.table=1",
        "load.value=3",
        "load.value.start",
        "output.port=8",
        "output.port=c",
        "resubmit.ct",
        "resubmit.port=9",
        "set_field.value.eth_src=02:00:00:00:00:01",
        "drop.port",
        "table.3",
        "output.port.x",
        "clone.output.port=2",
    ] {
        assert!(!matches(expression, FLOW), "{expression}");
        assert!(matches(&format!("not {expression}"), FLOW), "{expression}");
    }
}

#[test]
fn and_is_tighter_than_or_and_not_than_both() {
    let line = "tcp actions=drop";
    for (expression, expected) in [
        ("tcp || udp && arp", true),
        ("(tcp || udp) && arp", false),
        ("tcp or udp and arp", true),
        ("!udp && tcp", true),
        ("not udp and not arp", true),
        ("! ! tcp", true),
        ("!(udp || arp)&&drop", true),
        ("udp || arp || drop", true),
        ("note", false),
        ("order||nothing||android", false),
    ] {
        assert_eq!(matches(expression, line), expected, "{expression}");
    }
}

#[test]
fn what_a_flow_does_not_say_has_its_default_in_comparisons() {
    for expression in [
        "priority=32768",
        "priority>100",
        "table=0",
        "cookie=0",
        "idle_timeout=0",
    ] {
        assert!(matches(expression, "tcp actions=drop"), "{expression}");
    }
    assert!(!matches("priority", "tcp actions=drop"));
    assert!(!matches("n_packets=0", "tcp actions=drop"));
}

#[test]
fn a_malformed_expression_is_refused_where_it_is() {
    let expected = ErrorKind::Expected;
    for (expression, column, kind, token) in [
        ("", 1, expected("a key"), ""),
        ("tcp &&", 7, expected("a key"), ""),
        ("tcp && || udp", 8, expected("a key"), "|| udp"),
        ("=5", 1, expected("a key"), "=5"),
        ("n_packets >", 12, expected("a value"), ""),
        ("n_packets > && tcp", 13, expected("a value"), "&& tcp"),
        ("(tcp", 5, expected("`&&`, `||` or `)`"), ""),
        ("tcp)", 4, expected("`&&`, `||` or the end"), ")"),
        ("tcp udp", 5, expected("`&&`, `||` or the end"), "udp"),
        ("in_port=\"eth0", 9, expected("`\"`"), "\"eth0"),
        ("nw_src=10.0.0", 8, expected("an IPv4 address"), "10.0.0"),
        (
            "reg0 = 0x100000000",
            8,
            ErrorKind::TooLarge {
                limit: u32::MAX.into(),
            },
            "0x100000000",
        ),
        ("ct_state=+neu", 10, expected("flags of ct_state"), "+neu"),
        (
            "set_field.value.eth_dst=x",
            25,
            expected("an Ethernet address"),
            "x",
        ),
    ] {
        let error = Filter::parse(expression).expect_err(expression);
        assert_eq!(
            (error.column, error.kind, &*error.token),
            (column, kind, token),
            "{expression}"
        );
    }
}

#[test]
fn parentheses_and_negations_nest_up_to_the_limit() {
    for (open, close) in [("(", ")"), ("!", "")] {
        let nested = |depth: usize| open.repeat(depth) + "tcp" + &close.repeat(depth);
        assert!(Filter::parse(&nested(100)).is_ok());
        let error = Filter::parse(&nested(101)).unwrap_err();
        assert_eq!(error.kind, ErrorKind::TooDeep { limit: 100 });
        assert!(Filter::parse(&nested(100_000)).is_err());
    }
}

/// A row of the answers of Python's ovs.flow, with the line that it is about.
struct Row {
    line: String,
    expression: String,
    answer: String,
}

fn rows() -> Vec<Row> {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let dumps: BTreeMap<_, _> = dumps()
        .into_iter()
        .map(|(name, dump)| (name, String::from_utf8_lossy(&dump).into_owned()))
        .collect();
    let text = fs::read_to_string(dir.join("filters/ovs-flow.tsv")).unwrap();
    let rows = text.lines().skip(1).map(|row| {
        let [name, number, expression, answer] = row.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let number: usize = number.parse().unwrap();
        Row {
            line: dumps[name].lines().nth(number - 1).unwrap().into(),
            expression: expression.into(),
            answer: answer.into(),
        }
    });
    rows.collect()
}

#[test]
fn ovs_flow_agrees_where_it_is_right() {
    let (mut agree, mut exceptions) = (0, BTreeMap::new());
    for row in rows() {
        let ours = matches(&row.expression, &row.line);
        if row.answer == if ours { "True" } else { "False" } {
            agree += 1;
            continue;
        }
        let Some(reason) = exception(&row) else {
            panic!("{}: {ours} and not {}\n{}", row.expression, row.answer, row.line);
        };
        *exceptions.entry(reason).or_insert(0) += 1;
    }
    let expected = [
        (NO_ANSWER, 322),
        (CUT_OFF, 194),
        (RAISES, 518),
        (TEXT_DURATION, 28),
        (ZERO, 20),
        (FIRST_ONLY, 30),
    ];
    assert_eq!((agree, exceptions), (1888, BTreeMap::from(expected)));
}

/// Why ovs.flow says something else.
fn exception(row: &Row) -> Option<&'static str> {
    let has = |parts: &[&str]| parts.iter().any(|part| row.expression.contains(part));
    if has(&["!="]) {
        return Some(NO_ANSWER);
    }
    if has(&["<=", ">="]) {
        return Some(CUT_OFF);
    }
    if has(&["duration="]) {
        return Some(TEXT_DURATION);
    }
    if has(&[".start", ".k"]) && !has(&["ports", "addrs"]) && row.line.contains("[0") {
        return Some(ZERO);
    }
    if row.answer.ends_with("Error") {
        return Some(RAISES);
    }
    is_repeated(row).then_some(FIRST_ONLY)
}

/// Whether the expression asks about an action that the flow has more than once.
fn is_repeated(row: &Row) -> bool {
    let flow = FlowRef::parse(row.line.as_bytes()).unwrap();
    let words = row
        .expression
        .split(|c: char| !c.is_ascii_alphanumeric() && !"._".contains(c));
    let mut paths = words.filter_map(|word| word.split_once('.'));
    paths.any(|(name, _)| {
        let same = |action: &[u8]| {
            action == name.as_bytes() || name == "output" && action.iter().all(u8::is_ascii_uppercase)
        };
        flow.actions().filter(|action| same(action.name())).count() > 1
    })
}

const NO_ANSWER: &str = "it knows `!=`, but has no answer";
const CUT_OFF: &str = "it reads up to the operator `<=` or `>=`, and forgets the rest";
const RAISES: &str = "it raises on `<` of fields and `~=` of numbers";
const TEXT_DURATION: &str = "it compares the number of `duration` with text";
const ZERO: &str = "a value of 0 inside an action is not there for it";
const FIRST_ONLY: &str = "of several actions of one name it asks the first";
