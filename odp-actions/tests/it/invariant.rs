//! What holds of any input. The fuzz targets include this file, and `fuzzed.tsv` has what they found.

use std::collections::BTreeSet;

use netlink_genl::nlattr::{Attrs, Counter, Sink};
use odp_actions::{Action, Actions, Flow, FlowKey, Key, ParseError};

/// Any bytes as a list of actions: nothing is lost, and what is read strictly is what is read anyway.
pub(crate) fn of_bytes(bytes: &[u8]) {
    let lossless = Actions::decode_lossless(bytes);
    let encoded = lossless.to_bytes().expect("what was decoded fits");
    assert_eq!(lossless.encoded_len(), Ok(encoded.len()));
    // Padding is all that may differ, and it differs once only.
    assert_eq!(Actions::decode_lossless(&encoded).to_bytes(), Ok(encoded));
    let text = lossless.to_string();
    if let Ok(actions) = Actions::decode(bytes) {
        assert_eq!(actions, lossless);
        // Text leaves things out (a zone of 0, the padding of a header), but once read it stays as it is. (In a masked tunnel
        // key, which no kernel takes, two attributes of one type share the first mask, which need not be as long.)
        if let Ok(parsed) = text.parse::<Actions>() {
            let printed = parsed.to_string();
            if !has_masked_tunnel(&parsed) {
                assert_eq!(
                    printed.parse::<Actions>().map(|again| again.to_string()),
                    Ok(printed)
                );
            }
        }
    }
}

fn has_masked_tunnel(actions: &Actions) -> bool {
    actions.iter().any(|action| match action {
        Action::SetMasked(set) => matches!(set.key, Key::Tunnel(_)),
        other => other.lists().any(has_masked_tunnel),
    })
}

/// Any text as a list of actions: what is read prints as its bytes do.
pub(crate) fn of_text(text: &str) {
    match text.parse::<Actions>() {
        Ok(actions) => {
            // A list inside may outgrow an attribute.
            let Ok(bytes) = actions.to_bytes() else {
                return;
            };
            assert_eq!(actions.encoded_len(), Ok(bytes.len()));
            assert_eq!(Actions::decode_lossless(&bytes).to_string(), actions.to_string());
        }
        Err(error) => assert_inside(&error, text),
    }
}

/// Any bytes as a flow key and its masks. The first two bytes say where the masks begin.
pub(crate) fn of_key_and_masks(input: &[u8]) {
    let Some((at, bytes)) = input.split_first_chunk() else {
        return;
    };
    let (keys, masks) = bytes.split_at(usize::from(u16::from_le_bytes(*at)) % (bytes.len() + 1));
    let Ok(key) = FlowKey::decode(keys, masks) else {
        return;
    };
    let [keys, masks] = encode(&key);
    let again = FlowKey::decode(&keys, &masks).expect("what was encoded decodes");
    let texts = |key: &FlowKey| [key.to_string(), key.verbose().to_string()];
    assert_eq!(texts(&again), texts(&key));
    // Text leaves things out, but once read it stays as it is. (Two attributes of one type share the first mask.)
    let stays = texts(&key).into_iter().filter(|_| !has_repetition(&keys));
    for parsed in stays.filter_map(|text| text.parse::<FlowKey>().ok()) {
        let verbose = parsed.verbose().to_string();
        assert_eq!(
            verbose
                .parse::<FlowKey>()
                .map(|again| again.verbose().to_string()),
            Ok(verbose)
        );
    }
    // Padding is all that may differ, and it differs once only.
    assert_eq!(encode(&again), [keys, masks]);
}

/// Any text as a line of `dump-flows` and as a flow key: a line that is read prints back the same.
pub(crate) fn of_line(text: &str) {
    match text.parse::<Flow>() {
        Ok(flow) => assert_eq!(flow.to_string(), text),
        Err(error) => assert_inside(&error, text),
    }
    match text.parse::<FlowKey>() {
        Ok(key) => {
            let printed = |key: &FlowKey| key.verbose().to_string();
            if let Ok(again) = printed(&key).parse::<FlowKey>() {
                let stays = printed(&again);
                // An attribute that its number names, `key28(..)`, may be too short, and print zeros that do not count.
                if !text.contains("key") {
                    assert_eq!(stays, printed(&key));
                }
                assert_eq!(stays.parse().map(|again| printed(&again)), Ok(stays));
            }
        }
        Err(error) => assert_inside(&error, text),
    }
}

fn encode(key: &FlowKey) -> [Vec<u8>; 2] {
    let (mut keys, mut masks, mut counter) = (Vec::new(), Vec::new(), Counter::new());
    key.encode(&mut keys).expect("what was decoded fits");
    key.encode_masks(&mut masks).expect("what was decoded fits");
    key.encode(&mut counter).expect("counting has no end");
    key.encode_masks(&mut counter).expect("counting has no end");
    assert_eq!(counter.position(), keys.len() + masks.len());
    [keys, masks]
}

/// Whether an attribute comes twice, in what may be a list at any depth.
fn has_repetition(list: &[u8]) -> bool {
    let mut kinds = BTreeSet::new();
    Attrs::new(list)
        .map_while(Result::ok)
        .any(|attr| !kinds.insert(attr.kind()) || attr.payload().len() > 4 && has_repetition(attr.payload()))
}

fn assert_inside(error: &ParseError, text: &str) {
    match error {
        ParseError::Expected { offset, .. }
        | ParseError::TooBig { offset, .. }
        | ParseError::TooDeep { offset, .. }
        | ParseError::TooLong { offset, .. } => assert!(*offset <= text.len(), "{error}"),
        other => panic!("{other}"),
    }
}
