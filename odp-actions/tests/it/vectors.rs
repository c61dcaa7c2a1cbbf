//! Rows that Open vSwitch's own parser and printer, and real kernels, made.

use netlink_genl::nlattr::{Attrs, align};
use odp_actions::{Actions, KernelRule, Limit, Limits, Verdict};

use crate::random::Random;

const ACTIONS: &str = include_str!("../vectors/actions.tsv");
const DECODE: &str = include_str!("../vectors/decode-actions.tsv");
const BAD: &str = include_str!("../vectors/bad-actions.tsv");
const KERNEL: &str = include_str!("../vectors/kernel-actions.tsv");
/// What we read otherwise than Open vSwitch on purpose: file, text or bytes, reason.
const DIFFERENCES: &str = include_str!("../vectors/differences.tsv");

/// The rows of a file, each as its first columns.
fn rows<const N: usize>(file: &'static str) -> impl Iterator<Item = [&'static str; N]> {
    file.lines().skip(1).map(|row| {
        let mut columns = row.splitn(N, '\t');
        [(); N].map(|()| columns.next().unwrap())
    })
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap())
        .collect()
}

/// Rows of `file` that may differ.
fn differences(file: &str) -> Vec<&'static str> {
    let rows = rows::<3>(DIFFERENCES).filter(|[of, ..]| *of == file);
    rows.map(|[_, what, _]| what).collect()
}

/// Checks every row, and that exactly those differ which the list says.
fn compare<const N: usize>(
    file: &'static str,
    content: &'static str,
    key: usize,
    check: impl Fn(&[&'static str; N]) -> Result<(), String>,
) {
    let known = differences(file);
    let mut wrong = Vec::new();
    let mut seen = 0;
    for row in rows::<N>(content) {
        seen += 1;
        match (check(&row), known.contains(&row[key])) {
            (Ok(()), false) | (Err(_), true) => {}
            (Ok(()), true) => wrong.push(format!("no longer different: {}", row[key])),
            (Err(why), false) => wrong.push(format!("{why}\n    {}", row.join("\n    "))),
        }
    }
    assert!(seen > 500, "only {seen} rows");
    assert!(
        wrong.is_empty(),
        "{} of {seen} rows:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(20)].join("\n")
    );
}

/// The captured bytes are little endian, as the host that made them.
#[test]
#[cfg(target_endian = "little")]
fn text_becomes_the_bytes_that_open_vswitch_makes_of_it() {
    compare::<3>("actions", ACTIONS, 0, |[text, hex, printed]| {
        let parsed: Actions = text.parse().map_err(|error| format!("{error}"))?;
        let encoded = parsed.to_bytes().map_err(|error| format!("{error}"))?;
        let decoded = Actions::decode(&bytes(hex)).map_err(|error| format!("{error}"))?;
        expect("bytes", &encoded, &bytes(hex))?;
        expect("text", &decoded.to_string().as_str(), printed)?;
        expect("identity", &decoded.to_bytes().unwrap(), &bytes(hex))?;
        expect("size", &decoded.encoded_len().unwrap(), &bytes(hex).len())
    });
}

#[test]
#[cfg(target_endian = "little")]
fn bytes_print_as_open_vswitch_prints_them() {
    compare::<2>("decode-actions", DECODE, 0, |[hex, printed]| {
        let actions = Actions::decode_lossless(&bytes(hex));
        expect("text", &actions.to_string().as_str(), printed)
    });
}

#[test]
fn what_open_vswitch_rejects_is_rejected() {
    compare::<2>("bad-actions", BAD, 1, |[verdict, text]| {
        let accepted = text.parse::<Actions>();
        expect("accepted", &accepted.is_ok(), &(*verdict == "OK"))
    });
}

/// A kernel that refuses a list for its size or nesting does so where `Limits` says, and takes what `Limits` lets pass.
#[test]
#[cfg(target_endian = "little")]
fn limits_explain_every_refusal_for_size_by_real_kernels() {
    let kernels = ["5.10.223", "6.1.192", "6.12.117"].map(|release| {
        // Only the kernel's own rule counts here.
        Limits::new(usize::MAX, KernelRule::of_release(release))
    });
    let mut refused = 0;
    for [hex, verdicts @ ..] in rows::<4>(KERNEL) {
        let actions = Actions::decode(&bytes(hex)).unwrap();
        for (limits, said) in kernels.iter().zip(verdicts) {
            let verdict = limits.verdict(&actions).unwrap();
            let errno = match verdict {
                Verdict::Kernel(rejection) => rejection.errno(),
                _ => None,
            };
            match said {
                "EMSGSIZE" => assert_eq!(errno, Some(90), "{hex}"),
                "EOVERFLOW" => assert_eq!(errno, Some(75), "{hex}"),
                "ok" => assert_eq!(verdict, Verdict::Fast, "{hex}"),
                // Refused for what the actions are, not for how many.
                _ => assert_ne!(verdict.limit(), Some(Limit::Nlattr)),
            }
            refused += usize::from(matches!(said, "EMSGSIZE" | "EOVERFLOW"));
        }
    }
    assert!(refused > 20, "only {refused}");
}

#[test]
fn what_decodes_encodes_to_the_same_bytes_whatever_was_changed() {
    let mut random = Random::new();
    let (mut same, mut tidied) = (0, 0);
    for [_, hex, _] in rows::<3>(ACTIONS) {
        let original = bytes(hex);
        for _ in 0..if original.is_empty() { 0 } else { 10 } {
            let mut bytes = original.clone();
            for _ in 0..=random.below(3) {
                let at = random.below(bytes.len());
                bytes[at] ^= 1 << random.below(8);
            }
            bytes.truncate(bytes.len() - random.below(2) * random.below(bytes.len()));
            let lossless = Actions::decode_lossless(&bytes);
            let text = lossless.to_string();
            assert!(!text.is_empty());
            let Ok(actions) = Actions::decode(&bytes) else {
                continue;
            };
            assert_eq!(actions, lossless, "{bytes:02x?}");
            let encoded = actions.to_bytes().unwrap();
            assert_eq!(actions.encoded_len().unwrap(), encoded.len());
            if encoded == bytes {
                same += 1;
            } else {
                // Padding is all that is not kept.
                assert_eq!(encoded.len(), align(bytes.len()));
                assert_eq!(Actions::decode(&encoded).unwrap(), actions, "{bytes:02x?}");
                assert!(Attrs::new(&encoded).all(|attr| attr.is_ok()));
                tidied += 1;
            }
        }
    }
    assert!(same > 5000 && tidied > 100, "only {same} and {tidied}");
}

fn expect<T: PartialEq + std::fmt::Debug>(what: &str, got: &T, wanted: &T) -> Result<(), String> {
    if got == wanted {
        Ok(())
    } else {
        Err(format!("{what}: got {got:?}"))
    }
}
