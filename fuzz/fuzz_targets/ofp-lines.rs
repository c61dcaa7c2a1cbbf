//! Any bytes as a dump: nothing is lost, errors point into their line, and a stream reads as the whole does.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ofp_codec::{
    Flow,
    text::{DumpReader, Item, ReadError, items},
};

fuzz_target!(|dump: &[u8]| {
    let mut printed = Vec::new();
    let mut whole = items(dump);
    let mut stream = DumpReader::new(dump);
    while let Some(item) = whole.next() {
        printed.extend_from_slice(whole.line());
        printed.push(b'\n');
        match (item, stream.next_item()) {
            (Ok(item), Some(Ok(streamed))) => {
                assert_eq!(item.raw(), whole.line());
                assert_eq!(item.raw(), streamed.raw());
                assert_eq!(item.to_string(), String::from_utf8_lossy(item.raw()));
            }
            (Err(error), Some(Err(ReadError::Parse(streamed)))) => {
                assert!(error.span.start <= error.span.end && error.span.end <= whole.line().len());
                assert_eq!(error, streamed);
            }
            (item, streamed) => panic!("{item:?} and {streamed:?}"),
        }
    }
    assert!(stream.next_item().is_none());

    let mut typed = DumpReader::new(dump);
    let mut flow = Flow::default();
    for item in items(dump) {
        let expected = match item {
            Ok(Item::Flow(line)) => line.to_flow(),
            Ok(_) => continue,
            Err(error) => Err(error),
        };
        match (expected, typed.read_flow(&mut flow)) {
            (Ok(expected), Ok(true)) => assert_eq!(expected, flow),
            // A line that is neither whole nor of the right types has two faults.
            (Err(expected), Err(ReadError::Parse(error))) => assert_eq!(expected.line, error.line),
            (expected, read) => panic!("{expected:?} and {read:?}"),
        }
    }
    // The last line may lack its end.
    printed.truncate(dump.len());
    assert_eq!(printed, dump);
});
