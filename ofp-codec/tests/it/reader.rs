//! A dump that streams reads as one that is in memory.

use std::io::{self, BufRead, BufReader, Read};

use ofp_codec::{
    Flow,
    text::{DumpReader, ErrorKind, Item, Limits, ReadError, items},
};

use crate::dumps::dumps;

/// What came of each line, with the line of an item.
fn of_slice(dump: &[u8], limits: Limits) -> Vec<String> {
    items(dump)
        .with_limits(limits)
        .map(|item| match item {
            Ok(item) => format!("{item:?}"),
            Err(error) => format!("{error:?}"),
        })
        .collect()
}

fn of_reader(input: impl BufRead, limits: Limits) -> Vec<String> {
    let mut reader = DumpReader::new(input).with_limits(limits);
    let mut found = Vec::new();
    while let Some(item) = reader.next_item() {
        found.push(match item {
            Ok(item) => format!("{item:?}"),
            Err(ReadError::Parse(error)) => format!("{error:?}"),
            Err(error) => panic!("{error}"),
        });
    }
    found
}

#[test]
fn one_byte_at_a_time_gives_what_the_whole_gives() {
    for (name, dump) in dumps() {
        let found = of_reader(BufReader::with_capacity(1, &dump[..]), Limits::default());
        assert_eq!(found, of_slice(&dump, Limits::default()), "{name}");
    }
}

#[test]
fn every_split_point_gives_what_the_whole_gives() {
    let dump = b"NXST_FLOW reply (xid=0x4):\n priority=1 actions=drop\n\n*bad*\r\n too_long=1 actions=output:123456789\nactions=3";
    let limits = Limits::default().with_line_len(30);
    let whole = of_slice(dump, limits);
    assert_eq!(whole.len(), 6);
    for split in 0..=dump.len() {
        let (head, tail) = dump.split_at(split);
        assert_eq!(of_reader(head.chain(tail), limits), whole, "{split}");
    }
}

#[test]
fn flows_typed_at_once_are_those_of_borrowed_lines() {
    let bad = b"priority=1 actions=drop\n\nNXST_FLOW reply (xid=0x4):\nreg0=x actions=1\n???\nin_port=2,tcp actions=2,note:01\n";
    for (name, dump) in dumps().into_iter().chain([("bad".into(), bad.to_vec())]) {
        let borrowed: Vec<_> = items(&dump)
            .filter_map(|item| match item {
                Ok(Item::Flow(line)) => Some(line.to_flow()),
                Ok(_) => None,
                Err(error) => Some(Err(error)),
            })
            .collect();
        assert_eq!(items(&dump).flows().collect::<Vec<_>>(), borrowed, "{name}");
        // What was in a flow before leaves no trace.
        let (mut reader, mut flow) = (DumpReader::new(&dump[..]), Flow::default());
        for expected in borrowed {
            match reader.read_flow(&mut flow) {
                Ok(read) => assert_eq!((read, Ok(&flow)), (true, expected.as_ref()), "{name}"),
                Err(ReadError::Parse(error)) => assert_eq!(Err(error), expected, "{name}"),
                Err(error) => panic!("{name}: {error}"),
            }
        }
        assert!(!reader.read_flow(&mut flow).unwrap(), "{name}");
    }
}

#[test]
fn a_line_that_never_ends_costs_no_more_memory_than_the_limit() {
    let endless = BufReader::new(io::repeat(b'a').take(10 << 20));
    let mut reader = DumpReader::new(endless.chain(&b"\nactions=drop"[..]));
    let error = match reader.next_item() {
        Some(Err(ReadError::Parse(error))) => error,
        other => panic!("{other:?}"),
    };
    assert_eq!(error.kind, ErrorKind::LineTooLong { limit: 1 << 20 });
    assert_eq!(reader.line().len(), (1 << 20) + 1);
    assert!(reader.next_item().unwrap().is_ok());
    assert_eq!(reader.line(), b"actions=drop");
    assert!(reader.next_item().is_none());
}

/// Fails at every other call.
struct Flaky<'a>(&'a [u8], bool);

impl Read for Flaky<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.1 = !self.1;
        match self.1 {
            true => Err(io::ErrorKind::WouldBlock.into()),
            false => self.0.read(buf),
        }
    }
}

#[test]
fn an_input_that_fails_for_a_while_loses_nothing() {
    let input = BufReader::with_capacity(1, Flaky(b"priority=1 actions=drop\nactions=2", false));
    let mut reader = DumpReader::new(input);
    let (mut lines, mut failures) = (Vec::new(), 0);
    while let Some(item) = reader.next_item() {
        match item {
            Ok(item) => lines.push(item.to_string()),
            Err(ReadError::Io(_)) => failures += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(lines, ["priority=1 actions=drop", "actions=2"]);
    // Once for each byte, and once for the end.
    assert!(failures >= 33, "{failures}");
}
