//! Malformed lines: what is said of them, and where.

use ofp_codec::text::{ErrorKind, FlowRef, Item, Limits, ParseError, items};

/// The error of a line that is no flow, or of its types.
fn error(line: &[u8]) -> ParseError {
    match FlowRef::parse(line) {
        Ok(flow) => flow.to_flow().expect_err(&String::from_utf8_lossy(line)),
        Err(error) => error,
    }
}

#[track_caller]
fn expect(line: &str, message: &str) {
    let error = error(line.as_bytes());
    assert_eq!(error.to_string(), format!("line 1, {message}"), "{line}");
    assert_eq!(error.column, error.span.start + 1);
    assert_eq!(error.offset, u64::try_from(error.span.start).unwrap());
}

#[test]
fn a_line_that_is_no_flow_says_what_was_expected() {
    expect("hello world", "column 12: expected `actions=`, found nothing");
    expect("%", "column 1: expected a key, found \"%\"");
    expect(
        " cookie=0x0, =3 actions=drop",
        "column 14: expected a key, found \"=\"",
    );
    expect("in_port=1,", "column 11: expected `actions=`, found nothing");
    expect(
        "in_port=1 actio=drop",
        "column 21: expected `actions=`, found nothing",
    );
    expect(
        "in_port=\"a actions=drop",
        "column 9: expected `\"`, found \"\\\"a actions=drop\"",
    );
    expect(
        "p=(1 actions=drop",
        "column 3: expected `)`, found \"(1 actions=drop\"",
    );
}

#[test]
fn a_list_of_actions_that_is_broken_says_where() {
    expect("actions=ct(a", "column 11: expected `)`, found \"(a\"");
    expect("actions=ct)", "column 11: expected `(` before `)`, found \")\"");
    expect("actions=%", "column 9: expected an action, found \"%\"");
}

#[test]
fn a_flow_behind_a_prefix_of_a_log_is_refused_with_a_hint() {
    let flow =
        "cookie=0x0, duration=183.827s, table=13, n_packets=1, n_bytes=98, priority=10,ip actions=drop";
    for (prefix, column, word) in [
        ("May 24 20:51:09 node ovs-vswitchd:  ", 1, "May"),
        (
            "2026-05-24T20:51:09Z|00012|bridge|INFO| ",
            1,
            "2026-05-24T20:51:09Z|00012|bridge|INFO|",
        ),
        (" node: ", 2, "node:"),
    ] {
        let hint =
            format!("column {column}: text before the flow, as of a log: take it away, found {word:?}");
        expect(&format!("{prefix}{flow}"), &hint);
    }
    // A flag of a newer release stays one that is not known.
    let flow = FlowRef::parse(b"new_flag,ip actions=drop").unwrap();
    assert_eq!(flow.to_flow().unwrap().to_string(), "new_flag,ip actions=drop");
}

#[test]
fn a_number_above_its_limit_is_named_with_the_limit() {
    for (line, column, token, limit) in [
        ("priority=65536 actions=drop", 10, "65536", 65535),
        ("table=256, actions=drop", 7, "256", 255),
        (
            "cookie=0x10000000000000000, actions=drop",
            8,
            "0x10000000000000000",
            u64::MAX,
        ),
        ("dl_vlan_pcp=8 actions=drop", 13, "8", 7),
        ("dl_vlan=65536 actions=drop", 9, "65536", 0xffff),
        ("actions=set_field:0x2000->vlan_vid", 19, "0x2000", 0x1fff),
        (
            "actions=load:1->OXM_OF_VLAN_VID[12]",
            17,
            "OXM_OF_VLAN_VID[12]",
            11,
        ),
        ("reg0=0x100000000 actions=drop", 6, "0x100000000", 0xffff_ffff),
        ("vlan_tci=0x1000/0x10000 actions=drop", 17, "0x10000", 0xffff),
        ("actions=mod_vlan_vid:4096", 22, "4096", 4095),
        ("actions=mod_vlan_pcp:8", 22, "8", 7),
        ("actions=set_field:0x10000->eth_type", 19, "0x10000", 0xffff),
        ("actions=load:16->NXM_NX_REG0[0..3]", 14, "16", 15),
        ("actions=load:1->NXM_NX_REG0[0..32]", 17, "NXM_NX_REG0[0..32]", 31),
        ("actions=group:4294967296", 15, "4294967296", 0xffff_ffff),
        ("actions=CONTROLLER:65536", 20, "65536", 65535),
        ("actions=output:4294967296", 16, "4294967296", 0xffff_ffff),
    ] {
        expect(
            line,
            &format!("column {column}: number above the limit of {limit}, found {token:?}"),
        );
    }
}

#[test]
fn a_number_at_its_limit_is_read() {
    for line in [
        "priority=65535 actions=drop",
        "table=255, actions=drop",
        "cookie=0xffffffffffffffff, actions=drop",
        "dl_vlan_pcp=7 actions=drop",
        "dl_vlan=65535 actions=drop",
        "actions=set_field:0x1fff->vlan_vid",
        "actions=load:1->OXM_OF_VLAN_VID[11]",
        "reg0=0xffffffff actions=drop",
        "vlan_tci=0x1000/0xffff actions=drop",
        "actions=mod_vlan_vid:4095",
        "actions=mod_vlan_pcp:7",
        "actions=load:15->NXM_NX_REG0[0..3]",
        "actions=load:1->NXM_NX_REG0[0..31]",
        "actions=load:0xffffffffffffffff->NXM_NX_XXREG0[]",
        "actions=group:4294967295",
        "actions=CONTROLLER:65535",
    ] {
        FlowRef::parse(line.as_bytes()).unwrap().to_flow().expect(line);
    }
}

#[test]
fn a_value_of_another_kind_says_what_was_expected() {
    expect(
        "cookie=x, actions=drop",
        "column 8: expected a number, found \"x\"",
    );
    expect("cookie, actions=drop", "column 7: expected `=`, found nothing");
    expect(
        "duration=3, actions=drop",
        "column 10: expected a duration in seconds, found \"3\"",
    );
    expect(
        "in_port=1/2 actions=drop",
        "column 9: mask on a field that has none, found \"1/2\"",
    );
    expect(
        "nw_src=1.2.3 actions=drop",
        "column 8: expected an IPv4 address, found \"1.2.3\"",
    );
    expect("dl_src actions=drop", "column 7: expected `=`, found nothing");
    expect("actions=output:", "column 16: expected a port, found nothing");
    expect(
        "actions=set_field:1",
        "column 19: expected `->` and a field, found \"1\"",
    );
    expect("actions=load:1->reg-0", "column 20: expected `[`, found \"-0\"");
    expect(
        "actions=resubmit(,)",
        "column 18: expected a port or a table, found \",\"",
    );
    expect("actions=resubmit(1,2,x)", "column 22: expected `ct`, found \"x\"");
    expect(
        "actions=mod_dl_src:1:2",
        "column 20: expected an Ethernet address, found \"1:2\"",
    );
}

#[test]
fn a_long_token_is_cut_and_its_span_is_not() {
    let error = error(format!("cookie={}, actions=drop", "9".repeat(100)).as_bytes());
    assert_eq!(
        error.kind,
        ErrorKind::TooLarge {
            limit: u64::MAX.into()
        }
    );
    assert_eq!(error.span, 7..107);
    assert_eq!(*error.token, *"9".repeat(64));
}

#[test]
fn parentheses_nest_as_deep_as_the_limit_and_no_deeper() {
    let nested = |depth| format!("actions={}drop{}", "clone(".repeat(depth), ")".repeat(depth));
    FlowRef::parse(nested(100).as_bytes()).unwrap().to_flow().unwrap();
    let error = error(nested(101).as_bytes());
    assert_eq!(error.kind, ErrorKind::TooDeep { limit: 100 });
    assert_eq!(error.span, 8 + 101 * 6 - 1..8 + 101 * 6);
}

#[test]
fn actions_nest_no_deeper_than_open_vswitch_reads_them_whatever_the_limit() {
    let nested = |depth| format!("actions={}drop{}", "clone(".repeat(depth), ")".repeat(depth));
    let typed = |depth| {
        let limits = Limits::default().with_depth(100_000);
        let line = nested(depth);
        let item = items(line.as_bytes())
            .with_limits(limits)
            .next()
            .unwrap()
            .unwrap();
        let Item::Flow(flow) = item else { panic!() };
        flow.to_flow().map_err(|error| error.kind)
    };
    assert!(typed(100).is_ok());
    assert_eq!(typed(101), Err(ErrorKind::TooDeep { limit: 100 }));
    assert_eq!(typed(20_000), Err(ErrorKind::TooDeep { limit: 100 }));
}

#[test]
fn a_line_is_as_long_as_the_limit_and_no_longer() {
    let line = |len: usize| format!("actions=nothing:{}", "0".repeat(len - 16));
    FlowRef::parse(line(1 << 20).as_bytes())
        .unwrap()
        .to_flow()
        .unwrap();
    let error = error(line((1 << 20) + 1).as_bytes());
    assert_eq!(error.kind, ErrorKind::LineTooLong { limit: 1 << 20 });
    assert_eq!(error.span, 1 << 20..(1 << 20) + 1);
}

#[test]
fn a_fault_in_a_coloured_line_is_where_it_is_in_that_line() {
    let line = b"\x1b[36m\x1b[Kpriority=\x1b[m\x1b[K65536 \x1b[31mactions=\x1b[mdrop";
    let error = error(line);
    assert_eq!(error.kind, ErrorKind::TooLarge { limit: 65535 });
    assert_eq!(&line[error.span.clone()], b"65536");
    assert_eq!(&*error.token, "65536");
}

#[test]
fn bytes_that_are_not_utf8_are_given_untyped_and_refused_typed() {
    let line = b"in_port=\"caf\xe9\" actions=drop";
    let flow = FlowRef::parse(line).unwrap();
    assert_eq!(flow.matches().next().unwrap().value, Some(&b"\"caf\xe9\""[..]));
    assert_eq!(flow.raw(), line);
    assert_eq!(flow.to_string(), "in_port=\"caf\u{fffd}\" actions=drop");
    let error = flow.to_flow().unwrap_err();
    assert_eq!((error.kind, error.span), (ErrorKind::NotUtf8, 9..13));
}

#[test]
fn an_error_in_a_header_with_an_escape_points_into_its_line() {
    let line = b"NXST_FLOW reply (xid=0x4): *\x1b[0m";
    let error = items(line).next().unwrap().unwrap_err();
    assert_eq!(
        (error.span, error.kind),
        (26..line.len(), ErrorKind::Expected("end of line"))
    );
}
