//! Flow keys and flow lines beside those of Open vSwitch.

use netlink_genl::nlattr::{Attrs, Counter, Sink, align};
use odp_actions::{Flow, FlowKey, Key, MaskedKey, ParseError};

use crate::random::Random;

const KEYS: &str = include_str!("../vectors/keys.tsv");
const BAD: &str = include_str!("../vectors/keys-bad.tsv");
const SET: &str = include_str!("../vectors/set.tsv");
const FLOWS: &str = include_str!("../vectors/flows.txt");

/// A row of `keys.tsv`.
struct Row {
    text: &'static str,
    key: Vec<u8>,
    mask: Vec<u8>,
    terse: &'static str,
    verbose: &'static str,
    /// Terse and verbose without the mask.
    exact: Option<[&'static str; 2]>,
}

fn rows() -> impl Iterator<Item = Row> {
    KEYS.lines().skip(1).map(|row| {
        let mut columns = row.split('\t');
        let text = columns.next().unwrap();
        let [key, mask] = [(); 2].map(|()| bytes(columns.next().unwrap()));
        let mut before = text;
        let [terse, verbose, exact_terse, exact_verbose] = [(); 4].map(|()| {
            match columns.next().unwrap() {
                "=" => {}
                column => before = column,
            }
            before
        });
        Row {
            text,
            key,
            mask,
            terse,
            verbose,
            exact: (exact_terse != "-").then_some([exact_terse, exact_verbose]),
        }
    })
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap())
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn encode(key: &FlowKey) -> (Vec<u8>, Vec<u8>) {
    let (mut keys, mut masks) = (Vec::new(), Vec::new());
    key.encode(&mut keys).unwrap();
    key.encode_masks(&mut masks).unwrap();
    let mut counter = Counter::new();
    key.encode(&mut counter).unwrap();
    assert_eq!(counter.position(), keys.len());
    (keys, masks)
}

/// The captured bytes are little endian, as the host that made them.
#[test]
#[cfg(target_endian = "little")]
fn bytes_masks_and_texts_equal_those_of_open_vswitch() {
    let (mut kinds, mut exact_rows) = (std::collections::BTreeSet::new(), 0);
    for row in rows() {
        let text = row.text;
        let parsed: FlowKey = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(encode(&parsed), (row.key.clone(), row.mask.clone()), "{text}");
        let decoded = FlowKey::decode(&row.key, &row.mask).unwrap();
        assert_eq!(decoded, parsed, "{text}");
        assert_eq!(decoded.to_string(), row.terse, "{text}");
        assert_eq!(decoded.verbose().to_string(), row.verbose, "{text}");
        kinds.extend(decoded.keys().iter().map(Key::kind));
        if let Some(exact) = row.exact {
            let decoded = decoded.without_masks();
            assert_eq!(
                [decoded.to_string(), decoded.verbose().to_string()],
                exact,
                "{text}"
            );
            exact_rows += 1;
        }
    }
    // NSH has no text that Open vSwitch reads.
    let all: Vec<u16> = (1..=30).filter(|kind| *kind != 28).collect();
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), all);
    assert!(exact_rows > 2000, "only {exact_rows}");
}

/// Also where Open vSwitch itself reads something else: `flags(+key)` without `tun_id`, a mask without a value.
#[test]
#[cfg(target_endian = "little")]
fn what_open_vswitch_prints_for_a_masked_key_prints_back_the_same() {
    for row in rows() {
        for text in [row.terse, row.verbose] {
            let line = format!("{text}, packets:0, bytes:0, used:never, actions:drop");
            let flow: Flow = line.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(flow.to_string(), line);
        }
    }
}

/// `keys-differences.md` beside the vectors has the list of what may differ, and why.
#[test]
#[cfg(target_endian = "little")]
fn rejects_what_open_vswitch_rejects_but_for_the_listed_differences() {
    let (mut rejected, mut more, mut less) = (0, 0, 0);
    for row in BAD.lines().skip(1) {
        let mut columns = row.splitn(3, '\t');
        let [masked, exact, text] = [(); 3].map(|()| columns.next().unwrap());
        let parsed = text.parse::<FlowKey>();
        match (&parsed, masked) {
            (Ok(_), "ERR") => {
                assert!(text.contains("nsh(") || text.contains("recirc_id("), "{text}");
                more += 1;
            }
            (Err(_), "ERR") => rejected += 1,
            (Err(error), good) if good != "-" => {
                let is_listed = match error {
                    ParseError::TooBig { .. } => true,
                    ParseError::Expected { wanted, .. } => *wanted == "an Ethernet address",
                    _ => false,
                };
                assert!(is_listed, "{text}: {error}");
                less += 1;
            }
            (Ok(key), good) if good != "-" => {
                let (key, mask) = encode(key);
                assert_eq!(format!("{}/{}", hex(&key), hex(&mask)), good, "{text}");
            }
            _ => {}
        }
        if exact == "ERR" && parsed.is_ok() {
            let has_mask = text.contains(['/', '+', '-']);
            assert!(has_mask || text.contains("nsh("), "{text}");
        }
    }
    assert!(
        rejected > 1200 && more < 400 && less < 20,
        "{rejected}, {more}, {less}"
    );
}

#[test]
#[cfg(target_endian = "little")]
fn set_shows_keys_of_any_length_as_open_vswitch_does() {
    let mut masked_sets = 0;
    for row in SET.lines().skip(1) {
        let (list, text) = row.split_once('\t').unwrap();
        let list = bytes(list);
        let set = Attrs::new(&list).next().unwrap().unwrap();
        let Some(Ok(inner)) = set.attrs().next() else {
            continue;
        };
        let printed = if set.kind() == 3 {
            let key = Key::decode(&inner);
            let mut encoded = Vec::new();
            key.encode(&mut encoded).unwrap();
            assert_eq!(
                encoded[..4 + inner.payload().len()],
                set.payload()[..4 + inner.payload().len()],
                "{text}"
            );
            format!("set({key})")
        } else if let Some(masked) = MaskedKey::decode(&inner) {
            let mut encoded = Vec::new();
            masked.encode(&mut encoded).unwrap();
            assert_eq!(
                encoded[..4 + inner.payload().len()],
                set.payload()[..4 + inner.payload().len()],
                "{text}"
            );
            masked_sets += 1;
            format!("set({masked})")
        } else {
            format!("set({})", Key::decode(&inner).terse())
        };
        assert_eq!(printed, text, "{}", hex(&list));
    }
    assert!(masked_sets > 100, "only {masked_sets}");
}

#[test]
fn masked_nsh_keeps_attributes_with_flags() {
    let mut bytes = Vec::new();
    bytes
        .nest(28, |sink| {
            sink.attr(0x4001, &[1; 16])?;
            sink.attr(1, &[2; 16])?;
            sink.attr(7, &[3, 4])
        })
        .unwrap();
    let attr = Attrs::new(&bytes).next().unwrap().unwrap();
    let mut encoded = Vec::new();
    MaskedKey::decode(&attr).unwrap().encode(&mut encoded).unwrap();
    assert_eq!(encoded, bytes);
}

#[test]
fn flow_lines_print_back_the_same() {
    let lines: Vec<_> = FLOWS
        .lines()
        .skip(1)
        .filter(|line| !line.starts_with("flow-dump"))
        .collect();
    let flows: Vec<Flow> = Flow::parse_dump(FLOWS.split_once('\n').unwrap().1)
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(flows.len(), lines.len());
    for (flow, line) in flows.iter().zip(&lines) {
        assert_eq!(flow.to_string(), **line);
        assert_eq!(flow.verbose, line.starts_with("ufid:"));
    }
    assert!(flows.iter().any(|flow| flow.in_port_name() == Some("eth0")));
    assert!(flows.iter().any(|flow| flow.tcp_flags == 2));
    assert!(flows.iter().any(|flow| flow.used_ms.is_some()));
    assert!(flows.iter().any(|flow| flow.actions.parsed().is_some()));
}

#[test]
fn what_decodes_encodes_to_the_same_bytes_whatever_was_changed() {
    let mut random = Random::new();
    let (mut same, mut refused) = (0, 0);
    for row in rows().filter(|row| !row.key.is_empty()).step_by(3) {
        for _ in 0..10 {
            let mut key = row.key.clone();
            for _ in 0..=random.below(3) {
                let at = random.below(key.len());
                key[at] ^= 1 << random.below(8);
            }
            key.truncate(key.len() - random.below(2) * random.below(key.len()));
            let Ok(decoded) = FlowKey::decode(&key, &row.mask) else {
                refused += 1;
                continue;
            };
            if !has_padding_of_zeros(&key) {
                continue;
            }
            assert_eq!(encode(&decoded), (key, row.mask.clone()));
            // Every text ends, and says nothing about bytes that are not there.
            let longest = 40 * (row.key.len() + row.mask.len()) + 400;
            assert!(decoded.to_string().len() < longest && decoded.verbose().to_string().len() < longest);
            same += 1;
        }
    }
    assert!(same > 2000 && refused > 100, "only {same} and {refused}");
}

/// Padding between the attributes of the outer list is all that a decoded key does not keep.
fn has_padding_of_zeros(list: &[u8]) -> bool {
    Attrs::new(list).map(Result::unwrap).all(|attr| {
        let end = attr.offset() + 4 + attr.payload().len();
        list.get(end..align(end))
            .is_some_and(|padding| padding.iter().all(|byte| *byte == 0))
    })
}

#[test]
fn changed_text_ends_in_a_value_or_an_error_inside_of_it() {
    let mut random = Random::new();
    let (mut good, mut bad) = (0, 0);
    for row in rows().filter(|row| !row.text.is_empty()).step_by(3) {
        for _ in 0..10 {
            let mut text = row.verbose.as_bytes().to_vec();
            for _ in 0..=random.below(2) {
                let at = random.below(text.len());
                text[at] = b"(){}=,/+-|0x9aF g"[random.below(17)];
            }
            text.truncate(text.len() - random.below(2) * random.below(text.len()));
            let text = String::from_utf8(text).unwrap();
            match text.parse::<FlowKey>() {
                Ok(key) => {
                    let printed = key.verbose().to_string();
                    let again: FlowKey = printed
                        .parse()
                        .unwrap_or_else(|e| panic!("{text}\n{printed}: {e}"));
                    assert_eq!(again.verbose().to_string(), printed);
                    good += 1;
                }
                Err(
                    ParseError::Expected { offset, .. }
                    | ParseError::TooBig { offset, .. }
                    | ParseError::TooDeep { offset, .. }
                    | ParseError::TooLong { offset, .. },
                ) => {
                    assert!(offset <= text.len(), "{text}");
                    bad += 1;
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
    assert!(good > 300 && bad > 1000, "only {good} and {bad}");
}

#[test]
fn takes_65535_bytes_of_attributes_and_not_more() {
    // 8 bytes each, and one of 4 * 3 to come to 65 532.
    let ports = "in_port(1),".repeat(8190);
    let fits = format!("{ports}packet_type(),encap()");
    assert_eq!(encode(&fits.parse().unwrap()).0.len(), 65_532);
    assert_eq!(
        format!("{fits},encap()").parse::<FlowKey>(),
        Err(ParseError::TooLong {
            offset: fits.len() + 1,
            limit: 65_535
        })
    );
}

#[test]
fn a_nest_that_is_hostile_neither_overflows_the_stack_nor_is_lost() {
    let wrap = |inner: Vec<u8>, _| {
        let mut nest = Vec::new();
        nest.nest(1, |sink| sink.put(&inner)).unwrap();
        nest
    };
    let nest = (0..16_000).fold(Vec::new(), wrap);
    let key = FlowKey::decode(&nest, &[]).unwrap();
    assert_eq!(encode(&key).0, nest);
    assert!(key.verbose().to_string().starts_with("encap(encap("));
    // The same around something that cannot be read.
    let broken = (0..16_000).fold(vec![1, 0, 0, 0], wrap);
    let key = FlowKey::decode(&broken, &[]).unwrap();
    assert_eq!(encode(&key).0, broken);
    assert!(key.to_string().starts_with("encap(encap("));
    let text = format!("{}{}", "encap(".repeat(100_000), ")".repeat(100_000));
    assert!(matches!(
        text.parse::<FlowKey>(),
        Err(ParseError::TooDeep { offset: 186, .. })
    ));
}

#[test]
fn points_at_the_fault() {
    let expected = |offset, wanted, found: &str| ParseError::Expected {
        offset,
        wanted,
        found: found.to_owned(),
    };
    for (text, error) in [
        (
            "eth(src=00:01:02:03:04)",
            expected(8, "an Ethernet address", "00:01:02:03:04"),
        ),
        (
            "in_port(1),ip4(src=1.1.1.1)",
            expected(11, "a flow key attribute", "ip4"),
        ),
        ("ipv4(src=1.1.1.1 ,proto=6)", expected(16, ")", " ")),
        ("ipv4(source=1.1.1.1)", expected(5, ")", "source")),
        ("ipv4(frag=yes)", expected(10, "no, first or later", "yes")),
        ("in_port(eth0)", expected(8, "a port number", "eth0")),
        ("ct_state(+new+new)", expected(13, "each flag once", "+new")),
        ("ct_state(+new|est)", expected(13, ")", "|est")),
        ("tcp_flags(xyz)", expected(10, "a flag", "xyz")),
        (
            "tunnel(geneve({class=1,len=5}))",
            expected(27, "a multiple of 4 up to 124", "5}"),
        ),
        (
            "tunnel(geneve({len=4,0x100000000}))",
            expected(21, "a hexadecimal number that fits", "0x100000000}"),
        ),
        ("tunnel(erspan(ver=3))", expected(14, "ver=1 or ver=2", "ver")),
        ("tunnel(ttl=64", expected(13, ")", "")),
    ] {
        assert_eq!(text.parse::<FlowKey>(), Err(error), "{text}");
    }
    for (text, offset, limit) in [
        ("vlan(vid=4096)", 9, 4095),
        ("vlan(pcp=8)", 9, 7),
        ("ipv6(label=0x100000)", 11, 0xf_ffff),
        ("mpls(label=0x100000)", 11, 0xf_ffff),
        ("ct_zone(65536)", 8, 65_535),
        ("ipv4(ttl=64/0x100)", 12, 255),
    ] {
        match text.parse::<FlowKey>() {
            Err(ParseError::TooBig {
                offset: at,
                limit: max,
                ..
            }) => assert_eq!((at, max), (offset, limit), "{text}"),
            other => panic!("{text}: {other:?}"),
        }
    }
    let four = "mpls(label=1,label=2,label=3,label=4)".parse::<FlowKey>();
    assert_eq!(four, Err(expected(29, "at most 3 label stack entries", "label")));
}

#[test]
fn a_flow_line_that_cannot_be_read_does_not_cost_the_others() {
    let dump = "flow-dump from pmd on cpu core: 2\n\
        in_port(1),eth(),eth_type(0x0806), packets:1, bytes:2, used:0.003s, flags:SFP[800], offloaded:yes, dp:tc, new:7, actions:flod(1)\n\
        nothing\n\
        ct_state(0),eth(),encap(vlan(vid=5,pcp=0),eth_type(0/0xffff)),eth_type(0/0xffff), packets:18446744073709551615, bytes:0, used:never, offloaded:partial, dp:ovs, actions:drop";
    let flows: Vec<_> = Flow::parse_dump(dump).collect();
    let lines: Vec<_> = dump.lines().skip(1).collect();
    let [Ok(first), Err(_), Ok(last)] = &flows[..] else {
        panic!("{flows:?}");
    };
    assert_eq!([first.to_string(), last.to_string()], [lines[0], lines[2]]);
    assert_eq!(
        (first.used_ms, first.tcp_flags, &first.other[..]),
        (Some(3), 0x80b, &["new:7".to_owned()][..])
    );
    assert!(first.actions.parsed().is_none() && last.actions.parsed().is_some());
    // The packet has no EtherType: a mask without a value.
    assert_eq!((last.key.keys().len(), last.key.masks().len()), (3, 4));
    assert_eq!(last.key.keys()[2], Key::Encap(vec![Key::Vlan(0x1005)]));
}

#[test]
fn a_terse_line_with_tunnel_options_that_are_not_matched_prints_back() {
    for options in [
        "geneve({class=0x102,type=0x80,len=4,0x5}{class=0x1})",
        "geneve({}{type=0x1/0x3,len=8/0x3}{class=0x1,len=4})",
        "geneve({0x12345/0xfffff}{class=0x1,0x5/0xff00000000})",
        "vxlan(gbp())",
        "vxlan(gbp(flags=0x1))",
        "vxlan()",
        "erspan(idx=0x7/0)",
        "erspan(ver=1/0x1,idx=0x7/0xffff)",
        "erspan(ver=2,dir=1/0x1,hwid=0x4/0xf)",
        "erspan(hwid=0x4/0x4)",
        "erspan()",
        "gtpu()",
        "gtpu(msgtype=255)",
        "key99(01 02/ff 00)",
    ] {
        let line = format!(
            "tunnel(tun_id=0x1,src=10.0.0.1,{options},flags(-df+key)),in_port(1), packets:0, bytes:0, used:never, actions:1"
        );
        let flow: Flow = line.parse().unwrap_or_else(|e| panic!("{line}: {e}"));
        assert_eq!(flow.to_string(), line);
        let (key, mask) = encode(&flow.key);
        assert_eq!(FlowKey::decode(&key, &mask).unwrap(), flow.key);
    }
}

#[test]
fn the_name_of_a_port_gives_way_to_its_number() {
    let line =
        "recirc_id(0),in_port(veth0@if5),eth(),eth_type(0x0806), packets:0, bytes:0, used:never, actions:1";
    let mut flow: Flow = line.parse().unwrap();
    assert_eq!(flow.in_port_name(), Some("veth0@if5"));
    assert_eq!(flow.key.keys().len(), 3);
    flow.resolve_in_port(7);
    assert_eq!(flow.to_string(), line.replace("veth0@if5", "7"));
    assert_eq!(flow.key.keys()[1], Key::InPort(7));
}
