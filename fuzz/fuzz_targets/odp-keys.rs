//! Any bytes as a flow key and its masks: no panic, and nothing is lost. The first two bytes say where the masks begin.
#![no_main]

use libfuzzer_sys::fuzz_target;
use netlink_genl::nlattr::{Counter, Sink};
use odp_actions::FlowKey;

fuzz_target!(|input: &[u8]| {
    let Some((at, bytes)) = input.split_first_chunk() else {
        return;
    };
    let (keys, masks) = bytes.split_at(usize::from(u16::from_le_bytes(*at)) % (bytes.len() + 1));
    let Ok(key) = FlowKey::decode(keys, masks) else {
        return;
    };
    let [keys, masks] = encode(&key);
    let again = FlowKey::decode(&keys, &masks).expect("what was encoded decodes");
    // Padding is all that may differ, and it differs once only.
    assert_eq!(encode(&again), [keys, masks]);
    for (printed, again) in [
        (key.to_string(), again.to_string()),
        (key.verbose().to_string(), again.verbose().to_string()),
    ] {
        assert_eq!(printed, again);
        // Text leaves things out, but once read it stays as it is.
        if let Ok(parsed) = printed.parse::<FlowKey>() {
            let verbose = parsed.verbose().to_string();
            assert_eq!(verbose.parse::<FlowKey>().map(|again| again.verbose().to_string()), Ok(verbose));
        }
    }
});

fn encode(key: &FlowKey) -> [Vec<u8>; 2] {
    let (mut keys, mut masks) = (Vec::new(), Vec::new());
    key.encode(&mut keys).expect("what was decoded fits");
    key.encode_masks(&mut masks).expect("what was decoded fits");
    let mut counter = Counter::new();
    key.encode(&mut counter).and_then(|()| key.encode_masks(&mut counter)).expect("counting has no end");
    assert_eq!(counter.position(), keys.len() + masks.len());
    [keys, masks]
}
