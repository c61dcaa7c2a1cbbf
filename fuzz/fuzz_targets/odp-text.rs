//! Any text as a list of datapath actions: no panic, and what parses is stable.
#![no_main]

use libfuzzer_sys::fuzz_target;
use odp_actions::{Actions, ParseError};

fuzz_target!(|text: &str| {
    match text.parse::<Actions>() {
        Ok(actions) => {
            let printed = actions.to_string();
            let bytes = match actions.to_bytes() {
                Ok(bytes) => bytes,
                // A list may outgrow an attribute.
                Err(_) => return,
            };
            assert_eq!(actions.encoded_len().ok(), Some(bytes.len()));
            assert_eq!(Actions::decode_lossless(&bytes).to_string(), printed);
        }
        Err(ParseError::Expected { offset, .. } | ParseError::TooBig { offset, .. } | ParseError::TooDeep { offset, .. }) => {
            assert!(offset <= text.len());
        }
        Err(_) => {}
    }
});
