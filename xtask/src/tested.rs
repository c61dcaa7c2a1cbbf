//! The table of releases in the READMEs: the test run writes it, and in CI holds it to what has been tested.

use std::{env, fs, path::Path};

use crate::platform::{self, Platform};

/// Writes the tables. In CI it only checks that they claim no release that this run has not seen: a newer patch level in the
/// archive, or a newer release of its unstable suite, is no reason to fail.
pub(crate) fn tables(top: &Path, platforms: &[Platform]) -> Result<(), String> {
    if platform::is_chosen_by_caller() {
        println!("not written: the releases were chosen by the caller");
        return Ok(());
    }
    let in_ci = env::var_os("CI").is_some_and(|value| !value.is_empty());
    for (readme, has_kernel) in READMES {
        let path = top.join(readme);
        let of = |what: String| format!("{readme}: {what}");
        let text = fs::read_to_string(&path).map_err(|error| of(error.to_string()))?;
        let table = table(platforms, has_kernel);
        if in_ci {
            check(claimed(&text).map_err(of)?, &table).map_err(of)?;
        } else {
            let new = replaced(&text, &table).map_err(of)?;
            if new != text {
                fs::write(&path, new).map_err(|error| of(error.to_string()))?;
                println!("{readme}: written");
            }
        }
    }
    Ok(())
}

fn table(platforms: &[Platform], has_kernel: bool) -> String {
    let head = if has_kernel {
        "| Open vSwitch | Linux |\n|---|---|\n"
    } else {
        "| Open vSwitch |\n|---|\n"
    };
    let row = |platform: &Platform| match has_kernel {
        true => format!("| {} | {} |\n", platform.openvswitch, platform.linux),
        false => format!("| {} |\n", platform.openvswitch),
    };
    platforms
        .iter()
        .map(row)
        .fold(head.to_owned(), |table, row| table + &row)
}

/// What stands between the marks.
fn claimed(readme: &str) -> Result<&str, String> {
    let between = readme
        .split_once(BEGIN)
        .and_then(|(_, rest)| rest.split_once(END));
    between
        .map(|(table, _)| table)
        .ok_or_else(|| format!("has no {BEGIN:?} and {END:?}"))
}

fn replaced(readme: &str, table: &str) -> Result<String, String> {
    let old = claimed(readme)?;
    Ok(readme.replacen(&format!("{BEGIN}{old}{END}"), &format!("{BEGIN}{table}{END}"), 1))
}

/// Whether each row of `claimed` is of the series of the same row of `tested`, or of an earlier one.
fn check(claimed: &str, tested: &str) -> Result<(), String> {
    let (claims, tests) = (series(claimed), series(tested));
    let is_covered = |(claim, test): (&Vec<_>, &Vec<_>)| {
        claim.len() == test.len() && claim.iter().zip(test).all(|(a, b)| a <= b)
    };
    if claims.len() == tests.len() && claims.iter().zip(&tests).all(is_covered) {
        return Ok(());
    }
    Err(format!(
        "claims what was not tested; it was:\n{tested}run `cargo xtask test` without CI, which writes it"
    ))
}

/// The first two numbers of each release in each row.
fn series(table: &str) -> Vec<Vec<Vec<u32>>> {
    let release = |cell: &str| {
        let numbers: Vec<u32> = cell
            .trim()
            .split('.')
            .map_while(|part| part.parse().ok())
            .take(2)
            .collect();
        (!numbers.is_empty()).then_some(numbers)
    };
    let rows = table
        .lines()
        .map(|line| line.split('|').filter_map(release).collect());
    rows.filter(|row: &Vec<_>| !row.is_empty()).collect()
}

/// The pages with a table, and whether the crate is tested with kernels.
const READMES: [(&str, bool); 5] = [
    ("netlink-genl/README.md", true),
    ("odp-actions/README.md", true),
    ("ofp-codec/README.md", false),
    ("ovsdb-proto/README.md", false),
    ("examples/README.md", true),
];
const BEGIN: &str = "<!-- tested with, as `cargo xtask test` writes it -->\n\n";
const END: &str = "\n<!-- tested with: end -->\n";

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "| Open vSwitch | Linux |\n|---|---|\n| 3.1.0 | 6.1.192 |\n| 4.0.0 | 7.2.13 |\n";

    #[test]
    fn what_stands_between_the_marks_is_replaced_alone() {
        let page = format!("# a\n{BEGIN}old\n{END}b\n");
        assert_eq!(replaced(&page, TABLE), Ok(format!("# a\n{BEGIN}{TABLE}{END}b\n")));
        assert!(replaced("# a\n", TABLE).is_err());
    }

    #[test]
    fn another_patch_level_or_a_newer_series_is_no_false_claim() {
        for tested in ["3.1.0 | 6.1.193", "3.1.4 | 6.1.1", "3.2.0 | 6.12.0"] {
            assert_eq!(
                check(TABLE, &TABLE.replace("3.1.0 | 6.1.192", tested)),
                Ok(()),
                "{tested}"
            );
        }
        for tested in ["3.0.9 | 6.1.192", "2.17.9 | 6.1.192", "3.1.0 | 5.15.1", "3.1.0"] {
            assert!(
                check(TABLE, &TABLE.replace("3.1.0 | 6.1.192", tested)).is_err(),
                "{tested}"
            );
        }
        assert!(check(TABLE, "| 3.1.0 | 6.1.192 |\n").is_err());
        assert!(check("", TABLE).is_err());
    }
}
