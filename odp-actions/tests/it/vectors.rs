//! Rows that Open vSwitch's own parser and printer made.

use netlink_genl::nlattr::{Attrs, align};
use odp_actions::Actions;

use crate::random::Random;

const ROWS: &str = include_str!("../vectors/actions.tsv");

fn rows() -> impl Iterator<Item = (&'static str, Vec<u8>, &'static str)> {
    ROWS.lines().skip(1).map(|row| {
        let mut columns = row.split('\t');
        let mut column = || columns.next().unwrap();
        (column(), bytes(column()), column())
    })
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap())
        .collect()
}

/// The captured bytes are little endian, as the host that made them.
#[test]
#[cfg(target_endian = "little")]
fn our_bytes_and_text_equal_those_of_open_vswitch() {
    let mut checked = 0;
    for (text, bytes, printed) in rows() {
        // Open vSwitch wraps numbers around and drops masks without a word; here they are errors.
        let lossy = text.contains('/') || text.starts_with(['-', '+']) || text == "4294967297";
        match text.parse::<Actions>() {
            Ok(parsed) => assert_eq!(parsed.to_bytes().unwrap(), bytes, "{text}"),
            Err(error) => assert!(lossy, "{text}: {error}"),
        }
        let decoded = Actions::decode(&bytes).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(decoded.to_string(), printed, "{text}");
        assert_eq!(decoded.to_bytes().unwrap(), bytes, "{text}");
        assert_eq!(decoded.encoded_len().unwrap(), bytes.len(), "{text}");
        checked += 1;
    }
    assert!(checked > 100, "only {checked} rows");
}

#[test]
fn what_decodes_encodes_to_the_same_bytes_whatever_was_changed() {
    let mut random = Random::new();
    let (mut same, mut tidied) = (0, 0);
    for (_, bytes, _) in rows() {
        for _ in 0..50 {
            let mut bytes = bytes.clone();
            for _ in 0..=random.below(3) {
                let at = random.below(bytes.len());
                bytes[at] ^= 1 << random.below(8);
            }
            bytes.truncate(bytes.len() - random.below(2) * random.below(bytes.len()));
            let Ok(actions) = Actions::decode(&bytes) else {
                continue;
            };
            let encoded = actions.to_bytes().unwrap();
            assert_eq!(actions.encoded_len().unwrap(), encoded.len());
            if is_tidy(0, Attrs::new(&bytes), &bytes) {
                assert_eq!(encoded, bytes);
                same += 1;
            } else {
                assert_eq!(Actions::decode(&encoded).unwrap(), actions, "{bytes:02x?}");
                tidied += 1;
            }
        }
    }
    assert!(same > 1000 && tidied > 100, "only {same} and {tidied}");
}

/// Whether a list has none of what the doc of `Actions::decode` says is not kept: type flags and padding.
fn is_tidy(depth: usize, list: Attrs<'_>, bytes: &[u8]) -> bool {
    list.map(Result::unwrap).all(|attr| {
        let known = match depth {
            0 => matches!(attr.kind(), 1 | 3..=5),
            1 => attr.kind() == 16,
            _ => attr.kind() <= 13 && attr.kind() != 8 && attr.kind() != 11,
        };
        let end = attr.offset() + 4 + attr.payload().len();
        let nest = known && matches!((depth, attr.kind()), (0, 3) | (1, 16));
        (!known || attr.raw_kind() == attr.kind())
            && bytes
                .get(end..align(end))
                .is_some_and(|padding| padding.iter().all(|byte| *byte == 0))
            && (!nest || attr.payload().len() == align(attr.payload().len()))
            && (!nest || is_tidy(depth + 1, attr.attrs(), bytes))
    })
}
