//! Ports with everything that the recorded ones lack.

use netlink_genl::message::{DecodeError, Message, Messages, Request};
use netlink_genl::nlattr::{self, NESTED, RawAttr, Sink};
use netlink_genl::ovs::DpIfindex;
use netlink_genl::ovs::vport::{Extensions, Kind, Options, Stats, UpcallStats, Vport, VportRef};

fn answer(fill: impl FnOnce(&mut Vec<u8>) -> Result<(), nlattr::EncodeError>) -> Vec<u8> {
    let request = Request::genl(0x21, 1, 1, &9i32.to_ne_bytes());
    let mut datagram = vec![];
    let request = request.attrs(fill).unwrap();
    request.encode(1, &mut datagram).unwrap();
    datagram
}

fn decode(datagram: &[u8]) -> Result<Vport, DecodeError> {
    let message: Message<'_> = Messages::new(datagram).next().unwrap().unwrap();
    let port = Vport::decode(&message);
    // What the other way of reading says is the same.
    match (VportRef::decode(&message), &port) {
        (Ok(it), Ok(port)) => {
            assert_eq!(
                (it.datapath, it.port_no, it.kind),
                (port.datapath, port.port_no, port.kind)
            );
            assert_eq!((it.ifindex, it.netnsid), (port.ifindex, port.netnsid));
            assert_eq!(it.name, port.name.as_c_str());
            assert_eq!(it.upcall_pids().unwrap().collect::<Vec<_>>(), port.upcall_pids);
            assert_eq!(it.stats().unwrap(), port.stats);
        }
        (Err(_), Err(_)) => {}
        (Ok(it), Err(error)) => {
            let lazily = it.stats().err().or(it.upcall_pids().err());
            // Options and counters of upcalls are not read.
            assert!(lazily.is_none_or(|it| it == *error), "{lazily:?} {error}");
        }
        (Err(it), Ok(_)) => panic!("{it}"),
    }
    port
}

fn everything(s: &mut Vec<u8>) -> Result<(), nlattr::EncodeError> {
    s.attr_u32(1, 65_534)?;
    s.attr_u32(2, Kind::VXLAN.0)?;
    s.attr(3, b"vxlan\xff\0")?;
    s.attr_u32(8, 12)?;
    s.attr(9, &(-1i32).to_ne_bytes())?;
    let stats: Vec<u8> = (1..=8u64).flat_map(u64::to_ne_bytes).collect();
    s.flag(7)?;
    s.attr(6, &stats)?;
    s.nest(10, |s| {
        s.attr_u64(0, 100)?;
        s.attr_u64(1, 3)?;
        s.attr_u16(2, 7)
    })?;
    let pids: Vec<u8> = [0xf000_0001u32, 2].map(u32::to_ne_bytes).concat();
    s.attr(5, &pids)?;
    s.nest(4, |s| {
        s.attr_u16(1, 4789)?;
        s.nest(2, |s| {
            s.flag(1)?;
            s.attr_u8(9, 1)
        })?;
        s.attr_u8(3, 5)
    })?;
    s.attr(77 | NESTED, &[1, 2, 3])
}

fn raw(raw_kind: u16, payload: &[u8]) -> Vec<RawAttr> {
    vec![RawAttr {
        raw_kind,
        payload: payload.into(),
    }]
}

#[test]
fn reads_every_attribute_and_keeps_unknown_ones_at_every_depth() {
    let expected = Vport {
        datapath: DpIfindex(9),
        port_no: 65_534,
        kind: Kind::VXLAN,
        name: c"vxlan\xff".into(),
        options: Some(Options {
            dst_port: Some(4789),
            extensions: Some(Extensions {
                gbp: true,
                other: raw(9, &[1]),
            }),
            other: raw(3, &[5]),
        }),
        upcall_pids: vec![0xf000_0001, 2],
        stats: Some(Stats {
            rx_packets: 1,
            tx_packets: 2,
            rx_bytes: 3,
            tx_bytes: 4,
            rx_errors: 5,
            tx_errors: 6,
            rx_dropped: 7,
            tx_dropped: 8,
        }),
        ifindex: Some(12),
        netnsid: Some(-1),
        upcall_stats: Some(UpcallStats {
            success: 100,
            fail: 3,
            other: raw(2, &7u16.to_ne_bytes()),
        }),
        other: raw(77 | NESTED, &[1, 2, 3]),
    };
    assert_eq!(decode(&answer(everything)), Ok(expected));
}

#[test]
fn a_port_needs_no_more_than_number_kind_and_name() {
    let port = decode(&answer(|s| {
        s.attr_u32(1, 0)?;
        s.attr_u32(2, 99)?;
        s.attr(3, b"\0")
    }))
    .unwrap();
    assert_eq!(
        (port.port_no, port.kind.name(), port.kind.to_string()),
        (0, None, "99".into())
    );
    assert_eq!(
        (port.stats, port.netnsid, port.upcall_pids.len()),
        (None, None, 0)
    );
}

#[test]
fn names_what_a_port_lacks() {
    for lacking in 1..=3 {
        let datagram = answer(|s| {
            (1..=3)
                .filter(|&kind| kind != lacking)
                .try_for_each(|kind| s.attr(kind, b"abc\0"))
        });
        let missing = DecodeError::Missing {
            offset: 0,
            kind: lacking,
        };
        assert_eq!(decode(&datagram), Err(missing));
    }
}

#[test]
fn every_truncation_is_an_error_at_its_place_or_lacks_only_what_was_cut() {
    let whole = answer(everything);
    // Where the attributes of the outermost list begin.
    let mut starts = vec![];
    let message = Messages::new(&whole).next().unwrap().unwrap();
    for attr in message.genl().unwrap().split_header::<4>().unwrap().1 {
        starts.push(attr.unwrap());
    }
    for end in 16..whole.len() - 1 {
        let mut cut = whole[..end].to_vec();
        cut[..4].copy_from_slice(&u32::try_from(end).unwrap().to_ne_bytes());
        let decoded = decode(&cut);
        if end < 24 {
            let wanted = if end < 20 { 20 } else { 24 };
            let short = DecodeError::Short {
                offset: 0,
                wanted,
                got: end,
            };
            assert_eq!(decoded, Err(short));
            continue;
        }
        let last = starts.iter().rev().find(|attr| attr.offset() <= end).unwrap();
        let expected = match end - last.offset() {
            0 => None,
            got @ 1..4 => Some(nlattr::DecodeError::Truncated {
                offset: last.offset(),
                got,
            }),
            got if got < 4 + last.payload().len() => Some(nlattr::DecodeError::Overrun {
                offset: last.offset(),
                kind: last.kind(),
                len: 4 + last.payload().len(),
                got,
            }),
            _ => None,
        };
        match (decoded, expected) {
            (Err(DecodeError::Attr(error)), Some(expected)) => assert_eq!(error, expected),
            (Err(DecodeError::Missing { offset: 0, .. }), None) => assert!(end < starts[3].offset()),
            (Ok(port), None) => assert_eq!(port.port_no, 65_534),
            other => panic!("cut at {end}: {other:?}"),
        }
    }
}

#[test]
fn refuses_attributes_of_the_wrong_size() {
    let sizes: [(u16, usize, usize); 9] = [
        (1, 3, 4),
        (2, 5, 4),
        (5, 6, 8),
        (6, 63, 64),
        (6, 65, 64),
        (8, 2, 4),
        (9, 8, 4),
        (1, 0, 4),
        (5, 1, 4),
    ];
    for (kind, got, wanted) in sizes {
        let datagram = answer(|s| s.attr(kind, &[0; 65][..got]));
        let wrong = nlattr::DecodeError::WrongSize {
            offset: 24,
            kind,
            wanted,
            got,
        };
        assert_eq!(decode(&datagram), Err(wrong.into()));
    }
    // The kernel's own description of the family calls DST_PORT a u32; the kernel does not.
    let datagram = answer(|s| s.nest(4, |s| s.attr_u32(1, 4789)));
    let wrong = nlattr::DecodeError::WrongSize {
        offset: 28,
        kind: 1,
        wanted: 2,
        got: 4,
    };
    assert_eq!(decode(&datagram), Err(wrong.into()));
    let unterminated = nlattr::DecodeError::NotTerminated { offset: 24, kind: 3 };
    let datagram = answer(|s| s.attr(3, b"int0"));
    assert_eq!(decode(&datagram), Err(unterminated.into()));
}
