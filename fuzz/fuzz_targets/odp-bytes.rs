//! Any bytes as a list of datapath actions: no panic, and nothing is lost.
#![no_main]

use libfuzzer_sys::fuzz_target;
use odp_actions::Actions;

fuzz_target!(|bytes: &[u8]| {
    let lossless = Actions::decode_lossless(bytes);
    let encoded = lossless.to_bytes().expect("what was decoded fits");
    assert_eq!(lossless.encoded_len().ok(), Some(encoded.len()));
    // Padding is all that may differ, and it differs once only.
    assert_eq!(Actions::decode_lossless(&encoded).to_bytes().ok(), Some(encoded));
    let text = lossless.to_string();
    if let Ok(actions) = Actions::decode(bytes) {
        assert_eq!(actions, lossless);
        // Text leaves things out (a zone of 0, the padding of a header), but once read it stays as it is.
        if let Ok(parsed) = text.parse::<Actions>() {
            let printed = parsed.to_string();
            assert_eq!(printed.parse::<Actions>().map(|again| again.to_string()), Ok(printed));
        }
    }
});
