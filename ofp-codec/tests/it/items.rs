//! What a dump is made of besides its flows, and what a bad line costs.

use ofp_codec::{
    Version,
    text::{ErrorKind, Item, Limits, items},
};

use crate::dumps::dumps;

#[test]
fn a_garbage_line_costs_that_line_only() {
    let (_, dump) = dumps()
        .into_iter()
        .find(|(name, _)| name == "br-int.of13.txt")
        .unwrap();
    let good = items(&dump).count();
    let ends = dump
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'\n')
        .map(|(at, _)| at + 1);
    for (number, at) in ends.enumerate() {
        let spoilt = [&dump[..at], b"*garbage*\n", &dump[at..]].concat();
        let (read, errors): (Vec<_>, Vec<_>) = items(&spoilt).partition(Result::is_ok);
        assert_eq!((read.len(), errors.len()), (good, 1));
        let error = errors.into_iter().next().unwrap().unwrap_err();
        assert_eq!(error.kind, ErrorKind::Expected("a key"));
        assert_eq!(error.line, u64::try_from(number).unwrap() + 2);
        assert_eq!(error.offset, u64::try_from(at).unwrap());
        assert_eq!(&*error.token, "*");
    }
}

#[test]
fn the_line_of_an_error_is_there_to_be_kept() {
    let mut items = items(b"a\nb");
    assert!(items.next().unwrap().is_err());
    assert_eq!(items.line(), b"a");
    assert!(items.next().unwrap().is_err());
    assert_eq!(items.line(), b"b");
    assert!(items.next().is_none());
}

#[test]
fn headers_tell_version_transaction_and_whether_more_follows() {
    for (line, version, xid, more, nxst) in [
        ("NXST_FLOW reply (xid=0x4):", Version::V1_0, 4, false, true),
        ("OFPST_FLOW reply (xid=0x2):", Version::V1_0, 2, false, false),
        (
            "OFPST_FLOW reply (OF1.1) (xid=0x2):",
            Version::V1_1,
            2,
            false,
            false,
        ),
        (
            "OFPST_FLOW reply (OF1.5) (xid=0xffffffff): flags=[more]",
            Version::V1_5,
            u32::MAX,
            true,
            false,
        ),
        (
            "OFPST_FLOW reply (OF1.3) (xid=0x2): flags=[more]\r",
            Version::V1_3,
            2,
            true,
            false,
        ),
    ] {
        let Some(Ok(Item::Header(header))) = items(line.as_bytes()).next() else {
            panic!("{line}")
        };
        assert_eq!((header.version, header.xid), (version, xid), "{line}");
        assert_eq!((header.more, header.nxst), (more, nxst), "{line}");
    }
}

#[test]
fn a_header_tells_the_flags_that_have_no_name() {
    for (line, more, unknown) in [
        (
            "OFPST_FLOW reply (OF1.3) (xid=0x2): flags=[***unknown flags 0x0002***]",
            false,
            2,
        ),
        (
            "OFPST_FLOW reply (OF1.3) (xid=0x2): flags=[more][***unknown flags 0xfffe***]",
            true,
            0xfffe,
        ),
    ] {
        let Some(Ok(Item::Header(header))) = items(line.as_bytes()).next() else {
            panic!("{line}")
        };
        assert_eq!((header.more, header.unknown_flags), (more, unknown), "{line}");
    }
}

#[test]
fn a_broken_header_says_where_it_broke() {
    for (line, column, expected) in [
        ("NXST_FLOW reply", 16, "` (xid=0x`"),
        ("NXST_FLOW reply (xid=0x", 24, "a hexadecimal number"),
        ("NXST_FLOW reply (xid=0x4", 25, "`):`"),
        ("NXST_FLOW reply (xid=0x4): flags=[less]", 34, "end of line"),
        ("NXST_FLOW reply (xid=0x4): more", 27, "end of line"),
        ("NXST_FLOW reply (xid=0x4): ***decode error: A**", 46, "`***`"),
        (
            "NXST_FLOW reply (xid=0x4): flags=[***unknown flags 0x12345***]",
            1,
            "flags of 16 bits",
        ),
        ("***decode error: A*** b", 22, "end of line"),
        ("OFPST_FLOW reply (OF1.x) (xid=0x2):", 23, "a version"),
        ("OFPST_FLOW reply (OF1.255) (xid=0x2):", 1, "an OpenFlow version"),
        (
            "OFPST_FLOW reply (xid=0x100000000):",
            1,
            "a transaction id of 32 bits",
        ),
        ("***decode error: ***", 18, "the name of an error"),
        ("***decode error: OFPBAC_BAD_TYPE**", 33, "`***`"),
    ] {
        let error = items(line.as_bytes()).next().unwrap().expect_err(line);
        assert_eq!(
            (error.column, error.expected()),
            (column, Some(expected)),
            "{line}"
        );
    }
}

#[test]
fn the_bytes_behind_a_decode_error_are_the_whole_message() {
    for (file, flows) in [("br-nsh.of10.txt", 1), ("br-nsh-first.of10.txt", 0)] {
        assert_eq!(decode_error(file), flows, "{file}");
    }
}

/// The number of flows in a dump that must have one decode error and one whole message.
fn decode_error(file: &str) -> usize {
    let (_, dump) = dumps().into_iter().find(|(name, _)| name == file).unwrap();
    let mut names = Vec::new();
    let mut message = Vec::new();
    let mut flows = 0;
    for item in items(&dump) {
        match item.unwrap() {
            Item::DecodeError(error) => names.push(error.name),
            Item::Header(header) => names.extend(header.decode_error),
            Item::HexLine(line) => {
                assert_eq!(usize::try_from(line.offset).unwrap(), message.len());
                message.extend(line.bytes());
            }
            Item::Flow(_) => flows += 1,
            _ => {}
        }
    }
    assert_eq!(names, [b"OFPBAC_BAD_VENDOR_TYPE"]);
    // An ofp_header: version 1.0, OFPT_STATS_REPLY, and the length of the message.
    assert_eq!(message[..2], [1, 17]);
    assert_eq!(
        usize::from(u16::from_be_bytes([message[2], message[3]])),
        message.len()
    );
    flows
}

#[test]
fn blank_lines_and_line_ends_of_either_kind_are_kept() {
    let raws: Vec<_> = items(b"\n \r\nactions=drop\r\n\nactions=")
        .map(|item| item.unwrap().raw())
        .collect();
    assert_eq!(raws, [&b""[..], b" \r", b"actions=drop\r", b"", b"actions="]);
    assert!(items(b"").next().is_none());
}

#[test]
fn limits_are_the_callers_choice() {
    let limits = Limits::default().with_line_len(12).with_depth(1);
    let kinds: Vec<_> = items(b"actions=drop\nactions=drop1\nactions=a(b)\n")
        .with_limits(limits)
        .map(|item| item.map(|_| ()).map_err(|error| error.kind))
        .collect();
    assert_eq!(kinds, [Ok(()), Err(ErrorKind::LineTooLong { limit: 12 }), Ok(())]);
    let error = items(b"actions=a(b)")
        .with_limits(limits.with_depth(0))
        .next()
        .unwrap();
    assert_eq!(error.unwrap_err().kind, ErrorKind::TooDeep { limit: 0 });
}
