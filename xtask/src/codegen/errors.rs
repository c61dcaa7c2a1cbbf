//! OpenFlow errors: from the comments of `include/openvswitch/ofp-errors.h` to rows of a table.

use std::fmt::Write as _;

use super::{described, versions};

/// The facts in the header: a line for each error, with its name and the numbers that it has.
pub(super) fn facts(header: &str) -> Result<String, String> {
    let start = header.find("enum ofperr {").ok_or("no `enum ofperr`")?;
    let mut lines = String::from(FACTS_HEAD);
    for (comment, name) in described(&header[start..], "OFPERR_") {
        let (numbers, _) = comment
            .split_once(".  ")
            .ok_or_else(|| format!("{name}: no numbers"))?;
        lines.push_str(&format!("{name}\t{numbers}\n"));
    }
    Ok(lines)
}

/// The table's source for these facts.
pub(super) fn table(facts: &str) -> Result<String, String> {
    let mut rows = String::new();
    for line in facts.lines().filter(|line| !line.starts_with('#')) {
        let row = line.split_once('\t').and_then(|(name, numbers)| {
            let numbers: Option<Vec<String>> = numbers.split(", ").map(number).collect();
            Some(format!("    {name} = [{}];\n", numbers?.join(", ")))
        });
        rows.push_str(&row.ok_or_else(|| format!("no error: {line}"))?);
    }
    let mut text = String::from(TABLE_HEAD);
    write!(text, "errors! {{\n{rows}}}\n").map_err(|error| error.to_string())?;
    Ok(text)
}

/// `NX1.0-1.1(1,256)` as `(NICIRA 1 2 1 256)`: experimenter, first and last version, type, code. An
/// experimenter's errors have no code since OpenFlow 1.2.
fn number(text: &str) -> Option<String> {
    let (place, numbers) = text.strip_suffix(')')?.split_once('(')?;
    let digits = place.find(|c: char| c.is_ascii_digit())?;
    let (_, experimenter) = EXPERIMENTERS.iter().find(|(name, _)| *name == &place[..digits])?;
    let (first, last) = versions(&place[digits..]).ok()?;
    let (kind, code) = numbers.split_once(',').unwrap_or((numbers, "0"));
    let (kind, code): (u16, u16) = (kind.parse().ok()?, code.parse().ok()?);
    Some(format!("({experimenter} {first} {last} {kind} {code})"))
}

const EXPERIMENTERS: [(&str, &str); 3] = [("OF", "OPENFLOW"), ("NX", "NICIRA"), ("ONF", "ONF")];

const FACTS_HEAD: &str = "\
# cargo xtask codegen --from include/openvswitch/ofp-errors.h, Open vSwitch of 2026-07 (d6a632a9b16e)
# name\tvendor and versions(type,code), ..
";

const TABLE_HEAD: &str = "\
//! The rows: `cargo xtask codegen` made them from xtask/data/ofp-errors.tsv. Source:
//! include/openvswitch/ofp-errors.h of Open vSwitch.

use crate::{
    model::version::Version,
    wire::{
        kind::experimenter,
        ofperr::{ErrorNumber, NumberForm, Ofperr, Row},
    },
};

";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_gives_a_row() {
        let header = "
enum ofperr {
    /* Expected: 0x0,1,5 in OF1.0 means both OFPBRC_EPERM and OFPBRC_IS_SECONDARY. */

    /* NX1.0(1,512), OF1.1+(1,9).  Specified table-id
     * invalid. */
    OFPERR_OFPBRC_BAD_TABLE_ID,
";
        let facts = facts(header).unwrap();
        let rows: Vec<&str> = facts.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(rows, ["OFPBRC_BAD_TABLE_ID\tNX1.0(1,512), OF1.1+(1,9)"]);
        let row = "    OFPBRC_BAD_TABLE_ID = [(NICIRA 1 1 1 512), (OPENFLOW 2 6 1 9)];\n";
        assert!(table(&facts).unwrap().contains(row));
    }

    #[test]
    fn numbers_that_are_none_are_an_error() {
        assert!(table("OFPBRC_EPERM\tOF1.0+(1)x").is_err());
        assert!(table("OFPBRC_EPERM\tXX1.0+(1,1)").is_err());
        assert!(facts("int x;").is_err());
    }
}
