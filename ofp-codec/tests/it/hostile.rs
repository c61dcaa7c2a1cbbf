//! Lines that no switch printed: nothing panics, and an error points into its line.

use ofp_codec::{
    Version,
    lint::{line_problems, problems},
    text::{Item, items},
};

use crate::{dumps::dumps, random::Random};

/// Goes through every layer. Whether the line was refused.
fn survives(line: &[u8]) -> bool {
    let mut refused = false;
    let mut errors = Vec::new();
    for item in items(line) {
        match item {
            Ok(Item::Flow(flow)) => {
                assert!(flow.info().count() <= line.len() && flow.matches().count() <= line.len());
                assert!(line_problems(&flow).len() <= line.len());
                errors.extend(flow.actions().filter_map(|action| action.to_action().err()));
                errors.extend(flow.to_flow().err());
                let _ = flow.to_flow().map(|flow| {
                    let canonical = [1, 2, 4, 6].map(|version| flow.canonical(Version(version)));
                    format!("{flow:?} {canonical:?} {:?}", problems(&flow))
                });
            }
            Ok(Item::HexLine(hex)) => assert!(hex.bytes().count() <= line.len()),
            Ok(Item::DecodeError(error)) => assert!(error.name.len() <= line.len()),
            Ok(_) => {}
            Err(error) => errors.push(error),
        }
    }
    for error in errors {
        refused = true;
        let start = usize::try_from(error.offset).unwrap();
        let end = start + error.span.len();
        assert!(
            error.span.start <= error.span.end && end <= line.len(),
            "{error:?}"
        );
        let token = String::from_utf8_lossy(&line[start..end.min(start + 64)]);
        assert_eq!(*error.token, *token, "{error:?}");
    }
    refused
}

/// The lines of some dumps of every dialect.
fn some_lines() -> Vec<Vec<u8>> {
    let all = dumps();
    let picked = [
        "br-int.of13.names.txt",
        "br-int.of15.txt",
        "br-int.color.txt",
        "br-int.bridge-dump-flows.txt",
        "br-nsh.of10.txt",
        "br-nsh.of13.txt",
    ];
    let lines: Vec<_> = picked
        .iter()
        .flat_map(|name| {
            let (_, dump) = all.iter().find(|(dump, _)| dump == name).expect(name);
            dump.split(|byte| *byte == b'\n')
                .filter(|line| !line.is_empty())
                .map(<[u8]>::to_vec)
        })
        .collect();
    assert!(lines.len() > 200);
    lines
}

#[test]
fn every_truncation_is_read_or_refused() {
    let mut refused = 0;
    for line in some_lines() {
        for end in 0..=line.len() {
            refused += usize::from(survives(&line[..end]));
        }
    }
    // Every line is refused at least while its `actions=` is cut.
    assert!(refused > 10_000, "{refused}");
}

#[test]
fn random_changes_are_read_or_refused() {
    let lines = some_lines();
    let mut random = Random::seeded(0x9e37_79b9_7f4a_7c15);
    let mut refused = 0;
    for _ in 0..40_000 {
        let mut line = random.pick(&lines).clone();
        for _ in 0..=random.below(4) {
            let at = random.below(line.len());
            match random.below(4) {
                0 => line[at] = *random.pick(b"()[]\"\\,:=/->. \t\x1b\r\n0f_\xff"),
                1 => line[at] ^= 1 << random.below(8),
                2 => line.insert(at, *random.pick(b"()\"\\,=/- \x1b9")),
                _ => drop(line.remove(at)),
            }
            if line.is_empty() {
                break;
            }
        }
        refused += usize::from(survives(&line));
    }
    assert!(refused > 5_000, "{refused}");
}

#[test]
fn a_line_of_a_megabyte_takes_time_in_proportion() {
    for part in [
        "reg0=0x1/0x1,",
        "nw_src=1.2.3.4,new=5,",
        "reg0[3]=1,reg1[4]=1,",
        "tun_metadata0=1,",
        "in_port=\"a, b\",",
    ] {
        let line = format!("{}actions=drop", part.repeat(1_000_000 / part.len()));
        survives(line.as_bytes());
    }
    for part in [
        "output:1,",
        "ct(commit,nat(src)),",
        "set_field:0x55/0x55->xxreg0,",
        "clone(1,2),",
    ] {
        let line = format!("actions={}drop", part.repeat(100_000 / part.len()));
        survives(line.as_bytes());
    }
}
