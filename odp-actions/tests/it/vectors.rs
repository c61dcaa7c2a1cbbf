//! Rows that Open vSwitch's own parser and printer, and real kernels, made.

use std::cell::Cell;

use netlink_genl::nlattr::{Attr, Attrs, Sink, align};
use odp_actions::{Actions, DecodeError, KernelRule, Key, Limit, Limits, MaskedKey, Verdict};

use crate::invariant;
use crate::random::Random;

const ACTIONS: &str = include_str!("../vectors/actions.tsv");
const DECODE: &str = include_str!("../vectors/decode-actions.tsv");
const BAD: &str = include_str!("../vectors/bad-actions.tsv");
const KERNEL: &str = include_str!("../vectors/kernel-actions.tsv");
const FUZZED: &str = include_str!("../vectors/fuzzed.tsv");
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
    let tunnels = Cell::new(0);
    compare::<3>("actions", ACTIONS, 0, |[text, hex, _]| {
        let parsed: Actions = text.parse().map_err(|error| format!("{error}"))?;
        let encoded = parsed.to_bytes().map_err(|error| format!("{error}"))?;
        let other = compare_lists(Attrs::new(&encoded), Attrs::new(&bytes(hex)))
            .ok_or_else(|| format!("bytes: got {encoded:02x?}"))?;
        tunnels.set(tunnels.get() + usize::from(other > 0));
        Ok(())
    });
    assert_eq!(
        tunnels.get(),
        118,
        "rows with a tunnel key that Open vSwitch masks"
    );
}

#[test]
#[cfg(target_endian = "little")]
fn the_bytes_that_open_vswitch_makes_of_text_decode_and_print_as_it_prints_them() {
    for [text, hex, printed] in rows::<3>(ACTIONS) {
        let bytes = bytes(hex);
        let decoded = Actions::decode_lossless(&bytes);
        match Actions::decode(&bytes) {
            Ok(strict) => assert_eq!(strict, decoded),
            // Open vSwitch does not halve a masked tunnel key, but prints it as one value.
            Err(error) => assert!(
                matches!(error, DecodeError::WrongSize { kind: TUNNEL, .. }),
                "{text}"
            ),
        }
        assert_eq!(decoded.to_string(), printed);
        assert_eq!(decoded.to_bytes().unwrap(), bytes, "{text}");
        assert_eq!(decoded.encoded_len().unwrap(), bytes.len(), "{text}");
    }
}

/// Whether ours are theirs but for tunnel keys that are set, and how many of those are not.
///
/// Of a key that is set whole Open vSwitch makes a masked one, which no kernel takes.
fn compare_lists(ours: Attrs<'_>, theirs: Attrs<'_>) -> Option<usize> {
    let (ours, theirs): (Vec<_>, Vec<_>) = (ours.collect(), theirs.collect());
    if ours.len() != theirs.len() {
        return None;
    }
    let compare = |(ours, theirs): (Result<Attr<'_>, _>, Result<Attr<'_>, _>)| {
        let (ours, theirs) = (ours.ok()?, theirs.ok()?);
        match (ours.raw_kind(), theirs.raw_kind()) {
            (a, b) if a == b && ours.payload() == theirs.payload() => Some(0),
            (SET, SET_MASKED) => is_same_tunnel(&ours, &theirs).then_some(1),
            (a, b) if a == b && !ours.payload().is_empty() => compare_lists(ours.attrs(), theirs.attrs()),
            _ => None,
        }
    };
    ours.into_iter().zip(theirs).map(compare).sum()
}

fn is_same_tunnel(set: &Attr<'_>, masked: &Attr<'_>) -> bool {
    let tunnel = |set: &Attr<'_>| {
        let key = set.attrs().next()?.ok()?;
        (key.raw_kind() == TUNNEL).then(|| key.payload().to_vec())
    };
    let (Some(ours), Some(theirs)) = (tunnel(set), tunnel(masked)) else {
        return false;
    };
    let (value, mask) = theirs.split_at(theirs.len() / 2);
    let [key, mask] = [value, mask].map(|payload| {
        let mut bytes = Vec::new();
        bytes.attr(TUNNEL, payload).unwrap();
        Key::decode(&Attrs::new(&bytes).next().unwrap().unwrap())
    });
    value == ours && MaskedKey { key, mask }.is_exact()
}

#[test]
#[cfg(target_endian = "little")]
fn bytes_print_as_open_vswitch_prints_them() {
    compare::<2>("decode-actions", DECODE, 0, |[hex, printed]| {
        let actions = Actions::decode_lossless(&bytes(hex));
        expect("text", &actions.to_string().as_str(), printed)
    });
}

/// What it prints of lists that were broken on purpose, too, and does not read back itself.
#[test]
fn what_open_vswitch_prints_is_read_unless_it_shows_too_little() {
    let mut same = 0;
    for [_, text] in rows::<2>(DECODE) {
        let (list, shown) = match text.parse::<Actions>() {
            Ok(actions) if actions.to_string() == text => {
                same += 1;
                continue;
            }
            Ok(_) => (&READ_AS_OPEN_VSWITCH_DOES[..], "other actions"),
            Err(_) => (&TOO_LITTLE[..], "an error"),
        };
        assert!(list.iter().any(|part| text.contains(part)), "{shown}: {text}");
    }
    assert!(same > 1900, "only {same}");
}

/// Where bytes are left out, or the type of an attribute, or numbers are beyond their field: the list of README.md.
const TOO_LITTLE: [&str; 12] = [
    "truncated",
    // 50 bytes of them are shown.
    "header(size=92,type=4,",
    ",),out_port(",
    "(bad key length ",
    "(bad mask length ",
    "(opt len ",
    "nat(error: ",
    "nat(range error",
    "[Unknown]",
    "encap(<empty>",
    "set(tcp_flags(",
    ",label=0x",
];

/// Text that Open vSwitch reads, too, as something else than it has printed.
const READ_AS_OPEN_VSWITCH_DOES: [&str; 3] = ["set(tunnel(", "set(ct_state(", "userspace(pid="];

#[test]
fn what_open_vswitch_rejects_is_rejected() {
    compare::<2>("bad-actions", BAD, 1, |[verdict, text]| {
        let accepted = text.parse::<Actions>();
        expect("accepted", &accepted.is_ok(), &(*verdict == "OK"))
    });
}

/// A kernel that refuses a list for its size or nesting does so where `Limits` says, and takes what `Limits` lets pass;
/// what it takes it gives back as `redumped` says.
#[test]
#[cfg(target_endian = "little")]
fn limits_explain_every_refusal_for_size_by_real_kernels() {
    let kernels = ["5.10.223", "6.1.192", "6.12.117"].map(|release| {
        // Only the kernel's own rule counts here.
        Limits::new(usize::MAX, KernelRule::of_release(release))
    });
    let (mut refused, mut changed) = (0, 0);
    for [hex, columns @ ..] in rows::<7>(KERNEL) {
        let actions = Actions::decode(&bytes(hex)).unwrap();
        let (verdicts, dumps) = columns.split_at(kernels.len());
        for ((limits, said), dump) in kernels.iter().zip(verdicts).zip(dumps) {
            let verdict = limits.verdict(&actions).unwrap();
            let errno = match verdict {
                Verdict::Kernel(rejection) => rejection.errno(),
                _ => None,
            };
            match *said {
                "EMSGSIZE" => assert_eq!(errno, Some(90), "{hex}"),
                "EOVERFLOW" => assert_eq!(errno, Some(75), "{hex}"),
                "ok" => {
                    assert_eq!(verdict, Verdict::Fast, "{hex}");
                    let dump = if dump.is_empty() { hex } else { dump };
                    assert_eq!(
                        actions.redumped(),
                        Actions::decode(&bytes(dump)).unwrap(),
                        "{hex}"
                    );
                }
                // Refused for what the actions are, not for how many.
                _ => assert_ne!(verdict.limit(), Some(Limit::Nlattr)),
            }
            refused += usize::from(matches!(*said, "EMSGSIZE" | "EOVERFLOW"));
            changed += usize::from(!dump.is_empty());
        }
    }
    assert!(refused > 20 && changed > 500, "only {refused} and {changed}");
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

#[test]
fn what_fuzzing_found_stays_mended() {
    for [target, input] in rows::<2>(FUZZED) {
        let input = bytes(input);
        let text = || std::str::from_utf8(&input).unwrap();
        match target {
            "bytes" => invariant::of_bytes(&input),
            "text" => invariant::of_text(text()),
            "keys" => invariant::of_key_and_masks(&input),
            "flow" => invariant::of_line(text()),
            other => panic!("{other}"),
        }
    }
}

fn expect<T: PartialEq + std::fmt::Debug>(what: &str, got: &T, wanted: &T) -> Result<(), String> {
    if got == wanted {
        Ok(())
    } else {
        Err(format!("{what}: got {got:?}"))
    }
}

/// `OVS_ACTION_ATTR_SET` and `SET_MASKED`, `OVS_KEY_ATTR_TUNNEL`.
const SET: u16 = 3;
const SET_MASKED: u16 = 11;
const TUNNEL: u16 = 16;
