//! OpenFlow messages: from the comments of `include/openvswitch/ofp-msgs.h` to rows of a table.

use std::fmt::Write as _;

use super::{camel, described, versions};

/// The facts in the header: a line for each kind of message, with its forms.
///
/// The header has an `OFPRAW_` for each form; forms that differ only by version and experimenter
/// are of one kind.
pub(super) fn facts(header: &str) -> Result<String, String> {
    let start = header.find("enum ofpraw {").ok_or("no `enum ofpraw`")?;
    let mut kinds: Vec<(&str, Vec<String>)> = Vec::new();
    for (comment, raw) in described(&header[start..], "OFPRAW_") {
        let name = raw.split_once('_').map(|(_, name)| name);
        let name = name.ok_or_else(|| format!("no name: {raw}"))?;
        let form = form(&comment).ok_or_else(|| format!("{raw}: {comment}"))?;
        match kinds.iter_mut().find(|(known, _)| *known == name) {
            Some((_, forms)) => forms.push(form),
            None => kinds.push((name, vec![form])),
        }
    }
    let mut lines = String::from(FACTS_HEAD);
    for (name, forms) in kinds {
        lines.push_str(&format!("{name}\t{}\n", forms.join(",")));
    }
    Ok(lines)
}

/// The table's source for these facts.
pub(super) fn table(facts: &str) -> Result<String, String> {
    let mut rows = String::new();
    for line in facts.lines().filter(|line| !line.starts_with('#')) {
        let bad = || format!("no message: {line}");
        let (name, forms) = line.split_once('\t').ok_or_else(bad)?;
        let forms: Option<Vec<String>> = forms.split(',').map(row_form).collect();
        let variant = camel(&name.to_ascii_lowercase());
        let doc = name.replace('_', " ").to_ascii_lowercase();
        let forms = forms.ok_or_else(bad)?.join(", ");
        writeln!(
            rows,
            "    /// `{name}`: {doc}.\n    {variant} = {name:?}, [{forms}];"
        )
        .map_err(|error| error.to_string())?;
    }
    Ok(format!("{TABLE_HEAD}messages! {{\n{rows}}}\n"))
}

/// `OFPT 1.1+ (14): struct ofp11_flow_mod, struct ofp11_instruction[].` as `OFPT:1.1+:14:40:8`:
/// name space, versions, number, bytes of the body, and what more bytes must be a multiple of.
fn form(comment: &str) -> Option<String> {
    let (place, body) = comment.split_once("): ")?;
    let (place, number) = place.split_once(" (")?;
    let (space, versions) = place.split_once(' ')?;
    let (mut least, mut multiple) = (0, 0);
    for part in body.trim_end_matches(['.', ' ']).split(", ") {
        match part.strip_suffix("[]") {
            Some(part) => multiple = size(part)?,
            None => least += size(part)?,
        }
    }
    Some(format!("{space}:{versions}:{number}:{least}:{multiple}"))
}

/// The size of a C type.
fn size(part: &str) -> Option<usize> {
    let part = part.strip_prefix("struct ").unwrap_or(part);
    SIZES
        .iter()
        .find(|(name, _)| *name == part)
        .map(|&(_, size)| size)
}

/// `OFPT:1.1+:14:40:8` as `(OFPT 2 6 14 40 8)`.
fn row_form(text: &str) -> Option<String> {
    let columns: Vec<&str> = text.split(':').collect();
    let &[space, version, number, least, multiple] = &columns[..] else {
        return None;
    };
    let (first, last) = match version {
        "<all>" => (1, u8::MAX),
        version => versions(version).ok()?,
    };
    Some(format!("({space} {first} {last} {number} {least} {multiple})"))
}

/// What the types measure that the header names (`include/openflow/*.h`).
const SIZES: [(&str, usize); 83] = [
    ("nx_async_config", 24),
    ("nx_controller_id", 8),
    ("nx_ct_flush", 8),
    ("nx_flow_mod", 32),
    ("nx_flow_monitor_cancel", 4),
    ("nx_flow_removed", 40),
    ("nx_flow_stats_request", 8),
    ("nx_ipfix_stats_reply", 88),
    ("nx_packet_in", 24),
    ("nx_role_request", 4),
    ("nx_tlv_map", 8),
    ("nx_tlv_table_mod", 8),
    ("nx_tlv_table_reply", 16),
    ("nx_zone_id", 8),
    ("ofp10_flow_mod", 64),
    ("ofp10_flow_removed", 80),
    ("ofp10_flow_stats_request", 44),
    ("ofp10_packet_in up to data", 10),
    ("ofp10_packet_out", 8),
    ("ofp10_phy_port", 48),
    ("ofp10_port_mod", 24),
    ("ofp10_port_stats", 104),
    ("ofp10_port_stats_request", 8),
    ("ofp10_queue_get_config_reply", 8),
    ("ofp10_queue_get_config_request", 4),
    ("ofp10_queue_stats", 32),
    ("ofp10_queue_stats_request", 8),
    ("ofp10_table_stats", 64),
    ("ofp11_flow_mod", 40),
    ("ofp11_flow_removed", 40),
    ("ofp11_flow_stats_request", 32),
    ("ofp11_group_mod", 8),
    ("ofp11_group_stats_request", 8),
    ("ofp11_instruction", 8),
    ("ofp11_packet_in", 16),
    ("ofp11_packet_out", 16),
    ("ofp11_port", 64),
    ("ofp11_port_mod", 32),
    ("ofp11_port_stats", 104),
    ("ofp11_port_stats_request", 8),
    ("ofp11_queue_get_config_reply", 8),
    ("ofp11_queue_get_config_request", 8),
    ("ofp11_queue_stats", 32),
    ("ofp11_queue_stats_request", 8),
    ("ofp11_table_mod", 8),
    ("ofp11_table_stats", 88),
    ("ofp12_group_features_stats", 40),
    ("ofp12_packet_in", 8),
    ("ofp12_role_request", 16),
    ("ofp12_table_stats", 128),
    ("ofp13_async_config", 24),
    ("ofp13_meter_features", 16),
    ("ofp13_meter_mod", 8),
    ("ofp13_meter_multipart_request", 8),
    ("ofp13_port_stats", 112),
    ("ofp13_queue_stats", 40),
    ("ofp13_table_features", 64),
    ("ofp13_table_stats", 24),
    ("ofp14_bundle_ctrl_msg", 8),
    ("ofp14_port", 40),
    ("ofp14_port_mod", 24),
    ("ofp14_queue_desc_request", 8),
    ("ofp14_requestforward", 8),
    ("ofp14_role_status", 16),
    ("ofp14_table_desc", 8),
    ("ofp14_table_mod", 8),
    ("ofp14_table_status", 8),
    ("ofp15_flow_removed", 16),
    ("ofp15_group_desc_request", 8),
    ("ofp15_group_mod", 16),
    ("ofp15_packet_out", 8),
    ("ofp15_port_desc_request", 8),
    ("ofp_aggregate_stats_reply", 24),
    ("ofp_desc_stats", 1056),
    ("ofp_error_msg", 4),
    ("ofp_port_status", 8),
    ("ofp_switch_config", 4),
    ("ofp_switch_features", 24),
    ("ovs_be32", 4),
    ("ovs_be64", 8),
    ("uint8_t", 1),
    ("uint8_t[8]", 8),
    ("void", 0),
];

const FACTS_HEAD: &str = "\
# cargo xtask codegen --from include/openvswitch/ofp-msgs.h, Open vSwitch of 2026-07 (d6a632a9b16e)
# name\tname space:versions:number:bytes of the body:more bytes are a multiple of,..
";

const TABLE_HEAD: &str = "\
//! The rows: `cargo xtask codegen` made them from xtask/data/ofp-messages.tsv. Source:
//! include/openvswitch/ofp-msgs.h of Open vSwitch.

use crate::{
    model::version::Version,
    wire::kind::{Form, NXST, NXT, OFPST, OFPT, ONFST, ONFT},
};

";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_one_name_are_one_row() {
        let header = "
enum ofpraw {
    /* OFPT <all> (0): uint8_t[]. */
    OFPRAW_OFPT_HELLO,

    /* OFPT 1.0 (14): struct ofp10_flow_mod, uint8_t[8][]. */
    OFPRAW_OFPT10_FLOW_MOD,
    /* NXT 1.0+ (13): struct nx_flow_mod, uint8_t[8][]. */
    OFPRAW_NXT_FLOW_MOD,
";
        let facts = facts(header).unwrap();
        let rows: Vec<&str> = facts.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(
            rows,
            [
                "HELLO\tOFPT:<all>:0:0:1",
                "FLOW_MOD\tOFPT:1.0:14:64:8,NXT:1.0+:13:32:8"
            ]
        );
        let table = table(&facts).unwrap();
        assert!(table.contains("    Hello = \"HELLO\", [(OFPT 1 255 0 0 1)];\n"));
        assert!(table.contains("FlowMod = \"FLOW_MOD\", [(OFPT 1 1 14 64 8), (NXT 1 6 13 32 8)];\n"));
    }

    #[test]
    fn an_unknown_type_and_a_short_row_are_errors() {
        let header = "enum ofpraw {\n/* OFPT 1.0 (14): struct new_thing. */\nOFPRAW_OFPT_NEW,\n";
        assert_eq!(
            facts(header).unwrap_err(),
            "OFPT_NEW: OFPT 1.0 (14): struct new_thing."
        );
        assert!(table("HELLO\tOFPT:1.0:1").is_err());
    }
}
