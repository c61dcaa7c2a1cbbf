//! What an exchange does with datagrams that are cut, split, damaged or foreign.

use netlink_genl::exchange::{Event, Exchange, UnexpectedSource};
use netlink_genl::message::{DecodeError, Errno, Flags, MessageType, Messages, Request};
use netlink_genl::ovs::vport::Vport;

use crate::capture::{Capture, capture};

/// The datagram of `ovs-dpctl show` that lists seven ports, and the one that ends the list.
fn dump(capture: &Capture) -> (Exchange, [Vec<u8>; 2]) {
    let conversation = capture.dump("ovs_vport");
    let mut answers = conversation.after.iter().filter(|d| d.from_kernel);
    let datagrams = [(); 2].map(|()| answers.next().unwrap().bytes.clone());
    assert_eq!(Messages::new(&datagrams[0]).count(), 7);
    (conversation.exchange, datagrams)
}

fn starts(datagram: &[u8]) -> Vec<usize> {
    Messages::new(datagram).map(|m| m.unwrap().offset()).collect()
}

fn port_no(event: &Result<Event<'_>, DecodeError>) -> u32 {
    match event {
        Ok(Event::Reply(message)) => Vport::decode(message).unwrap().port_no,
        other => panic!("{other:?}"),
    }
}

/// One netlink message with `payload`.
fn message(kind: MessageType, flags: Flags, seq: u32, port: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = u32::try_from(16 + payload.len()).unwrap().to_ne_bytes().to_vec();
    bytes.extend(kind.0.to_ne_bytes());
    bytes.extend(flags.0.to_ne_bytes());
    bytes.extend(seq.to_ne_bytes());
    bytes.extend(port.to_ne_bytes());
    bytes.extend(payload);
    bytes
}

fn ack(seq: u32) -> Vec<u8> {
    message(MessageType::ERROR, Flags::CAPPED, seq, 7, &[0; 20])
}

fn object(seq: u32) -> Vec<u8> {
    message(MessageType(0x21), Flags(0), seq, 7, &[1, 1, 0, 0, 9, 0, 0, 0])
}

fn begun(flags: Flags) -> Exchange {
    let mut exchange = Exchange::new(7, 1);
    let request = Request::genl(0x21, 3, 1, &[]).with(flags);
    exchange.begin(&request, &mut vec![]).unwrap();
    exchange
}

#[test]
fn a_datagram_cut_at_any_byte_delivers_the_whole_messages_before_the_cut() {
    let capture = capture!("dpctl-show");
    let (exchange, [datagram, _]) = dump(&capture);
    let starts = starts(&datagram);
    for end in 0..datagram.len() {
        let mut exchange = exchange.clone();
        let events: Vec<_> = exchange.datagram(0, &datagram[..end]).unwrap().collect();
        let whole = starts.iter().filter(|&&start| start <= end).count() - 1;
        let got = end - starts[whole];
        let broken = match (got, events.get(whole)) {
            (0, None) => 0,
            (1..16, Some(Err(DecodeError::HeaderTruncated { offset, got: g })))
            | (16.., Some(Err(DecodeError::Overrun { offset, got: g, .. }))) => {
                assert_eq!((*offset, *g), (starts[whole], got));
                1
            }
            other => panic!("cut at {end}: {other:?}"),
        };
        assert_eq!(events.len(), whole + broken);
        let ports: Vec<_> = events[..whole].iter().map(port_no).collect();
        assert_eq!(ports, [0, 1, 2, 3, 4, 5, 7][..whole]);
        assert!(exchange.is_pending());
    }
}

#[test]
fn a_dump_may_be_split_over_datagrams_anywhere() {
    let capture = capture!("dpctl-show");
    let (exchange, [datagram, done]) = dump(&capture);
    for split in starts(&datagram) {
        let mut exchange = exchange.clone();
        let mut ports = vec![];
        for part in [&datagram[..split], &datagram[split..]] {
            ports.extend(exchange.datagram(0, part).unwrap().map(|event| port_no(&event)));
        }
        assert_eq!(ports, [0, 1, 2, 3, 4, 5, 7]);
        assert!(exchange.is_pending());
        let end: Vec<_> = exchange.datagram(0, &done).unwrap().collect();
        assert_eq!(end, [Ok(Event::Done { interrupted: false })]);
        assert!(!exchange.is_pending());
    }
}

#[test]
fn the_end_may_stand_in_the_datagram_of_the_last_object() {
    let capture = capture!("dpctl-show");
    let (mut exchange, [datagram, done]) = dump(&capture);
    let both = [datagram, done].concat();
    assert_eq!(exchange.datagram(0, &both).unwrap().count(), 8);
    assert!(!exchange.is_pending());
}

#[test]
fn a_bad_port_is_an_error_with_its_place_and_its_neighbours_are_delivered() {
    let capture = capture!("dpctl-show");
    let (mut exchange, [mut datagram, _]) = dump(&capture);
    let bad = starts(&datagram)[2];
    // nla_len of the port's second attribute.
    datagram[bad + 32] = 3;
    let ports: Vec<_> = exchange
        .datagram(0, &datagram)
        .unwrap()
        .map(|event| match event.unwrap() {
            Event::Reply(message) => Vport::decode(&message).map(|port| port.port_no),
            other => panic!("{other:?}"),
        })
        .collect();
    let error = DecodeError::Attr(netlink_genl::nlattr::DecodeError::BadLength {
        offset: bad + 32,
        kind: 2,
        len: 3,
    });
    assert_eq!(ports, [Ok(0), Ok(1), Err(error), Ok(3), Ok(4), Ok(5), Ok(7)]);
}

#[test]
fn one_interrupted_part_makes_the_whole_dump_interrupted() {
    let capture = capture!("dpctl-show");
    let (exchange, [datagram, done]) = dump(&capture);
    for start in starts(&datagram) {
        let mut exchange = exchange.clone();
        let mut datagram = datagram.clone();
        datagram[start + 6] |= 0x10;
        assert_eq!(exchange.datagram(0, &datagram).unwrap().count(), 7);
        let end: Vec<_> = exchange.datagram(0, &done).unwrap().collect();
        assert_eq!(end, [Ok(Event::Done { interrupted: true })]);
    }
    let (mut exchange, [_, mut done]) = dump(&capture);
    done[6] |= 0x10;
    let end: Vec<_> = exchange.datagram(0, &done).unwrap().collect();
    assert_eq!(end, [Ok(Event::Done { interrupted: true })]);
}

#[test]
fn events_that_nobody_reads_still_count() {
    let capture = capture!("dpctl-show");
    let (mut exchange, datagrams) = dump(&capture);
    let _ = exchange.datagram(0, &datagrams.concat()).unwrap().next();
    assert!(!exchange.is_pending());
}

#[test]
fn answers_to_others_are_passed_over() {
    let capture = capture!("dpctl-show");
    let (mut exchange, [datagram, done]) = dump(&capture);
    let with = |at: usize, value: u32| {
        let mut foreign = [datagram.clone(), done.clone()].concat();
        for start in starts(&foreign) {
            foreign[start + at..start + at + 4].copy_from_slice(&value.to_ne_bytes());
        }
        foreign
    };
    // Another request of this socket, what the kernel says by itself, another socket's request.
    for foreign in [with(8, 1), with(8, 0), with(12, 0), with(12, 99)] {
        assert_eq!(exchange.datagram(0, &foreign).unwrap().count(), 0);
        assert!(exchange.is_pending());
    }
}

#[test]
fn a_datagram_of_another_process_is_refused_whole() {
    let capture = capture!("dpctl-show");
    let (mut exchange, [datagram, _]) = dump(&capture);
    let refused = exchange.datagram(4711, &datagram).unwrap_err();
    assert_eq!(refused, UnexpectedSource { port: 4711 });
    assert!(exchange.is_pending());
    assert_eq!(exchange.datagram(0, &datagram).unwrap().count(), 7);
}

#[test]
fn a_request_without_acknowledgement_ends_with_its_object() {
    let mut exchange = begun(Flags::ECHO);
    let answer = [object(1), object(1)].concat();
    assert_eq!(exchange.datagram(0, &answer).unwrap().count(), 1);
    assert!(!exchange.is_pending());
}

#[test]
fn a_request_with_acknowledgement_ends_with_that() {
    let mut exchange = begun(Flags::ACK | Flags::ECHO);
    let object = object(1);
    assert_eq!(exchange.datagram(0, &object).unwrap().count(), 1);
    assert!(exchange.is_pending());
    let answer = ack(1);
    let end: Vec<_> = exchange.datagram(0, &answer).unwrap().collect();
    assert_eq!(end, [Ok(Event::Done { interrupted: false })]);
    assert!(!exchange.is_pending());
}

#[test]
fn the_acknowledgement_of_a_dump_is_not_its_end() {
    let mut exchange = begun(Flags::ACK | Flags::DUMP);
    assert_eq!(exchange.datagram(0, &ack(1)).unwrap().count(), 0);
    assert!(exchange.is_pending());
}

#[test]
fn a_refused_dump_ends_with_the_refusal() {
    let mut exchange = begun(Flags::DUMP);
    let mut refusal = ack(1);
    refusal[16..20].copy_from_slice(&(-16i32).to_ne_bytes());
    let end: Vec<_> = exchange.datagram(0, &refusal).unwrap().collect();
    assert!(matches!(&end[..], [Ok(Event::Failed(status))] if status.errno == Errno::EBUSY));
    assert!(!exchange.is_pending());
}

#[test]
fn an_end_without_an_error_number_is_an_error_and_an_end() {
    let mut exchange = begun(Flags::DUMP);
    let done = message(MessageType::DONE, Flags::MULTI, 1, 7, &[0, 0]);
    let end: Vec<_> = exchange.datagram(0, &done).unwrap().collect();
    let short = DecodeError::Short {
        offset: 0,
        wanted: 20,
        got: 18,
    };
    assert_eq!(end, [Err(short)]);
    assert!(!exchange.is_pending());
}

#[test]
fn an_object_of_another_family_is_an_error() {
    let mut exchange = begun(Flags::DUMP);
    let other = message(MessageType(0x20), Flags::MULTI, 1, 7, &[1, 2, 0, 0]);
    let events: Vec<_> = exchange.datagram(0, &other).unwrap().collect();
    let unexpected = DecodeError::UnexpectedType {
        offset: 0,
        wanted: MessageType(0x21),
        got: MessageType(0x20),
    };
    assert_eq!(events, [Err(unexpected)]);
    assert!(exchange.is_pending());
}

#[test]
fn what_comes_of_an_abandoned_answer_is_passed_over() {
    let mut exchange = begun(Flags::DUMP);
    exchange.abandon();
    assert!(!exchange.is_pending());
    assert_eq!(exchange.datagram(0, &object(1)).unwrap().count(), 0);
}

#[test]
fn numbers_wrap_and_leave_out_zero() {
    let mut exchange = Exchange::new(7, u32::MAX);
    let request = Request::genl(0x21, 3, 1, &[]);
    let mut datagram = vec![];
    for _ in 0..2 {
        exchange.begin(&request, &mut datagram).unwrap();
    }
    let numbers: Vec<_> = Messages::new(&datagram).map(|m| m.unwrap().seq()).collect();
    assert_eq!(numbers, [u32::MAX, 1]);
}
