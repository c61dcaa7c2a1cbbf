//! Any text as a line of `dump-flows` and as a flow key: no panic, and a line that is read prints back the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use odp_actions::{Flow, FlowKey, ParseError};

fuzz_target!(|text: &str| {
    match text.parse::<Flow>() {
        Ok(flow) => assert_eq!(flow.to_string(), text),
        Err(error) => assert_inside(&error, text),
    }
    match text.parse::<FlowKey>() {
        Ok(key) => {
            let printed = key.verbose().to_string();
            assert_eq!(printed.parse::<FlowKey>().map(|again| again.verbose().to_string()), Ok(printed));
        }
        Err(error) => assert_inside(&error, text),
    }
});

fn assert_inside(error: &ParseError, text: &str) {
    match error {
        ParseError::Expected { offset, .. }
        | ParseError::TooBig { offset, .. }
        | ParseError::TooDeep { offset, .. }
        | ParseError::TooLong { offset, .. } => assert!(*offset <= text.len()),
        other => panic!("{other}"),
    }
}
