use alloc::string::ToString;
use alloc::vec;

use super::*;
use crate::{Tunnel, TunnelAttr};
use netlink_genl::nlattr::{DecodeError, NESTED};

fn one_of_each() -> Actions {
    let tunnel = Tunnel::new([
        TunnelAttr::Id(0x1234),
        TunnelAttr::Ipv4Src([10, 0, 0, 1].into()),
        TunnelAttr::Ipv4Dst([10, 0, 0, 2].into()),
        TunnelAttr::Ipv6Src([1; 16].into()),
        TunnelAttr::Ipv6Dst([2; 16].into()),
        TunnelAttr::Tos(0x20),
        TunnelAttr::Ttl(64),
        TunnelAttr::TpSrc(1000),
        TunnelAttr::TpDst(4789),
        TunnelAttr::DontFragment,
        TunnelAttr::Csum,
        TunnelAttr::Oam,
    ])
    .unwrap();
    Actions::from_iter([
        Action::Output(7),
        Action::Set(Key::Tunnel(tunnel)),
        Action::PushVlan(PushVlan::new(5, 3)),
        Action::PopVlan,
    ])
}

#[test]
fn every_action_comes_back_from_its_bytes_and_its_text() {
    let actions = one_of_each();
    let bytes = actions.to_bytes().unwrap();
    assert_eq!(Actions::decode(&bytes).unwrap(), actions);
    assert_eq!(actions.encoded_len().unwrap(), bytes.len());
    assert_eq!(actions.to_string().parse::<Actions>().unwrap(), actions);
}

#[test]
fn the_parts_add_up_to_the_size() {
    for action in one_of_each().iter() {
        let sum: usize = action.parts().unwrap().iter().map(|part| part.bytes).sum();
        assert_eq!(sum, action.encoded_len().unwrap(), "{action}");
    }
}

#[test]
fn every_truncation_fails_or_ends_between_two_actions() {
    let actions = one_of_each();
    let bytes = actions.to_bytes().unwrap();
    let mut ends = vec![0];
    for action in actions.iter() {
        ends.push(ends[ends.len() - 1] + action.encoded_len().unwrap());
    }
    for end in 0..bytes.len() {
        assert_eq!(
            Actions::decode(&bytes[..end]).is_ok(),
            ends.contains(&end),
            "cut at {end}"
        );
    }
}

#[test]
fn keeps_what_it_does_not_know_byte_for_byte() {
    let mut bytes = vec![];
    bytes.attr(29, &[1, 2, 3]).unwrap();
    bytes.attr_u32(1 | NESTED, 9).unwrap();
    bytes.nest(3, |s| s.attr(90, &[1, 2, 3, 4])).unwrap();
    bytes.nest(20, |s| s.attr_u32(1, 8)).unwrap();
    let actions = Actions::decode(&bytes).unwrap();
    assert_eq!(actions.to_bytes().unwrap(), bytes);
    assert_eq!(
        actions.output_count(),
        0,
        "Open vSwitch counts by the whole type word"
    );
    let text = actions.to_string();
    assert_eq!(
        text,
        "bad length 3, expected -1 for: action29(01 02 03),9,set(key90(01 02 03 04)),clone(8)"
    );
    assert_eq!(text.parse::<Actions>().unwrap().to_string(), text);
}

#[test]
fn the_table_in_the_docs_is_that_of_the_code() {
    let rows = include_str!("table.md").lines().skip(2);
    let mut numbers = vec![];
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        let [_, number, name, example, bytes, since, _] = cells[..] else {
            panic!("{row}")
        };
        let actions: Actions = example
            .parse()
            .unwrap_or_else(|error| panic!("{example}: {error}"));
        let [action] = &actions[..] else {
            panic!("{example}")
        };
        assert_eq!(
            (action.kind().to_string().as_str(), action.name()),
            (number, name)
        );
        assert_eq!(action.encoded_len().unwrap().to_string(), bytes, "{example}");
        assert_eq!(
            action.since().map(|since| since.to_string()).as_deref(),
            Some(since)
        );
        assert_eq!(actions.to_string(), example);
        assert_eq!(Actions::decode(&actions.to_bytes().unwrap()).unwrap(), actions);
        numbers.push((action.kind(), action.name()));
    }
    assert_eq!(numbers, Action::ROWS, "one example of each");
}

#[test]
fn a_bad_action_costs_no_other() {
    let mut bytes = vec![];
    bytes.attr_u32(1, 9).unwrap();
    bytes.attr(13, &[1, 2]).unwrap();
    bytes.nest(20, |s| s.put(&[1, 2, 3])).unwrap();
    bytes.extend([9, 9]);
    let wrong = DecodeError::WrongSize {
        offset: 8,
        kind: 13,
        wanted: 4,
        got: 2,
    };
    assert_eq!(Actions::decode(&bytes), Err(wrong));
    let actions = Actions::decode_lossless(&bytes);
    assert_eq!(
        actions.to_string(),
        "9,bad length 2, expected 4 for: action13(01 02),clone(<empty>,***3 leftover bytes*** (010203)),\
         ***2 leftover bytes*** (0909)"
    );
    assert_eq!(actions.to_bytes().unwrap(), bytes);
    assert_eq!(actions.to_string().parse::<Actions>().unwrap(), actions);
    let by_number: Actions = "action20(00)".parse().unwrap();
    assert_eq!(
        by_number,
        Actions::decode_lossless(&by_number.to_bytes().unwrap())
    );
}

#[test]
fn hostile_nesting_ends_in_an_error() {
    let clones = |levels: usize| "clone(".repeat(levels) + "1" + &")".repeat(levels);
    assert!(clones(128).parse::<Actions>().is_ok());
    assert!(matches!(
        clones(129).parse::<Actions>(),
        Err(ParseError::TooDeep { limit: 128, .. })
    ));
    assert!(clones(100_000).parse::<Actions>().is_err());
    // 16 thousand levels in one attribute.
    let mut bytes = vec![];
    for len in (1..=16_383_u16).rev() {
        bytes.extend((4 * len).to_ne_bytes());
        bytes.extend(20_u16.to_ne_bytes());
    }
    assert!(matches!(
        Actions::decode(&bytes),
        Err(DecodeError::TooDeep { .. })
    ));
    assert_eq!(Actions::decode_lossless(&bytes).to_bytes().unwrap(), bytes);
}

#[test]
fn points_at_the_fault() {
    let expected = |offset, wanted, found: &str| {
        Err::<Actions, _>(ParseError::Expected {
            offset,
            wanted,
            found: found.into(),
        })
    };
    for (text, error) in [
        ("1,flod", expected(2, "an action", "flod")),
        ("pop_vlanX", expected(0, "an action", "pop_vlanX")),
        ("pop_vlan;", expected(8, ", or the end", ";")),
        (
            "set(tunnel(ttl=64,bogus=1))",
            expected(18, "a tunnel attribute", "bogus"),
        ),
        ("set(tunnel(ttl=))", expected(15, "a number", ")")),
        (
            "set(tunnel(dst=10.0.0))",
            expected(15, "an IPv4 address", "10.0.0"),
        ),
        ("set(tunnel(df))", expected(11, "a tunnel attribute", "df")),
        ("set(tunnel(flags(ttl))", expected(17, "a flag", "ttl")),
        ("set(tunnel(ttl=64)", expected(18, ")", "")),
        (
            "4294967296",
            Err(ParseError::TooBig {
                offset: 0,
                found: "4294967296".into(),
                limit: 0xffff_ffff,
            }),
        ),
    ] {
        assert_eq!(text.parse::<Actions>(), error, "{text}");
    }
}
