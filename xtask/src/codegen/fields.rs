//! Match fields: from the comments of `include/openvswitch/meta-flow.h` to rows of a table.

use std::fmt::Write as _;

use super::camel;

/// The facts in the header, one line for each field.
pub(super) fn facts(header: &str) -> Result<String, String> {
    let mut lines = String::from(FACTS_HEAD);
    let start = header.find("enum OVS_PACKED_ENUM mf_field_id {");
    let body = &header[start.ok_or("no `enum mf_field_id`")?..];
    let body = &body[..body.find("MFF_N_IDS").ok_or("no `MFF_N_IDS`")?];
    for comment in body.split("/*").skip(1) {
        let comment = comment.split("*/").next().unwrap_or_default();
        if !comment.contains("Formatting:") {
            continue;
        }
        let fact = Fact::of(comment)?;
        for n in fact.instances() {
            lines.push_str(&fact.line(n)?);
        }
    }
    Ok(lines)
}

/// The table's source for these facts.
pub(super) fn table(facts: &str) -> Result<String, String> {
    let mut rows = String::new();
    for line in facts.lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<&str> = line.split('\t').collect();
        let columns: [&str; 10] = columns
            .try_into()
            .map_err(|_| format!("not ten columns: {line}"))?;
        row(&mut rows, columns).map_err(|_| format!("no table row: {line}"))?;
    }
    Ok(format!("{TABLE_HEAD}fields! {{\n{rows}}}\n"))
}

/// What a comment says of one field, or of all that it folds together.
struct Fact<'a> {
    /// The names in quotes: the name and perhaps the older one.
    names: Vec<&'a str>,
    /// The `Key: value.` lines.
    pairs: Vec<(&'a str, &'a str)>,
    /// The headers, each with the instance it is of.
    headers: Vec<(&'a str, Option<usize>)>,
}

impl<'a> Fact<'a> {
    fn of(comment: &'a str) -> Result<Self, String> {
        let lines = comment.lines().map(|line| line.trim_start_matches([' ', '*']));
        let lines: Vec<&str> = lines.map(str::trim).collect();
        let first = lines.iter().find(|line| line.starts_with('"'));
        let first = first.ok_or_else(|| format!("no name: {comment}"))?;
        let names = first.split('"').skip(1).step_by(2).collect();
        let mut fact = Fact {
            names,
            pairs: Vec::new(),
            headers: Vec::new(),
        };
        for line in &lines {
            let Some((key, value)) = line.split_once(": ") else {
                continue;
            };
            match key {
                "NXM" | "OXM" if value != "none." => {
                    let (value, instance) = match value.split_once('<') {
                        Some((value, n)) => (value, n.trim_end_matches('>').parse().ok()),
                        None => (value, None),
                    };
                    let names = value
                        .split_terminator(',')
                        .map(|header| (header.trim(), instance));
                    fact.headers.extend(names);
                }
                _ => fact.pairs.push((key, value.trim_end_matches('.'))),
            }
        }
        // A list of headers that goes on in the next line.
        for line in lines.iter().filter(|line| line.starts_with("OXM_")) {
            fact.headers.push((line, None));
        }
        Ok(fact)
    }

    fn instances(&self) -> Vec<Option<usize>> {
        let mut instances: Vec<_> = self.headers.iter().map(|(_, n)| *n).collect();
        instances.sort();
        instances.dedup();
        match instances[..] {
            [] => vec![None],
            _ => instances,
        }
    }

    fn value(&self, key: &str) -> Result<&'a str, String> {
        let found = self.pairs.iter().find(|(known, _)| *known == key);
        found
            .map(|(_, value)| *value)
            .ok_or_else(|| format!("{:?}: no {key}", self.names))
    }

    fn line(&self, n: Option<usize>) -> Result<String, String> {
        let number = n.map_or(String::new(), |n| n.to_string());
        let names: Vec<_> = self
            .names
            .iter()
            .map(|name| name.replace("<N>", &number))
            .collect();
        let (kind, low) = match self.value("Type")?.split_once(" (low ") {
            Some((kind, low)) => (kind, low.split(' ').next()),
            None => (self.value("Type")?, None),
        };
        let bytes: usize = match kind {
            "u8" => 1,
            "be16" => 2,
            "be32" => 4,
            "be64" => 8,
            "MAC" => 6,
            "IPv6" | "be128" => 16,
            "tunnelMD" => 124,
            _ => return Err(format!("{names:?}: unknown type {kind}")),
        };
        let bits = low.map_or(Ok(8 * bytes), str::parse);
        let bits = bits.map_err(|_| format!("{names:?}: low bits"))?;
        let headers = self.headers.iter().filter(|(_, instance)| *instance == n);
        let headers: Result<Vec<_>, _> = headers.map(|(text, _)| header(text)).collect();
        Ok(format!(
            "{}\t{bytes}\t{bits}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\n",
            names.join(","),
            self.value("Maskable")?,
            self.value("Formatting")?,
            self.value("Prerequisites")?,
            self.value("Access")?,
            self.value("OF1.0").unwrap_or("no"),
            self.value("OF1.1").unwrap_or("no"),
            headers?.join(",")
        ))
    }
}

/// `NXM_OF_IN_PORT(0) since v1.1.` as `NXM_OF_IN_PORT:0x0000:0x0:0:1.0:1.1`: name, class,
/// experimenter, number, first version of OpenFlow and of Open vSwitch.
fn header(text: &str) -> Result<String, String> {
    let bad = || format!("not a header: {text}");
    let (name, rest) = text.split_once('(').ok_or_else(bad)?;
    let (number, since) = rest.split_once(") since ").ok_or_else(bad)?;
    let (_, class, experimenter) = CLASSES
        .iter()
        .find(|(prefix, ..)| name.starts_with(prefix))
        .ok_or_else(bad)?;
    let mut words = since.trim_end_matches('.').split(" and ");
    let openflow = words.clone().find_map(|word| word.strip_prefix("OF"));
    let release = words.find_map(|word| word.strip_prefix('v')).ok_or_else(bad)?;
    Ok(format!(
        "{name}:{class:#06x}:{experimenter:#x}:{number}:{}:{release}",
        openflow.unwrap_or("1.0")
    ))
}

fn row(rows: &mut String, columns: [&str; 10]) -> Result<(), std::fmt::Error> {
    let [names, bytes, bits, mask, format, prereq, access, _, _, headers] = columns;
    let (name, alias) = match names.split_once(',') {
        Some((name, alias)) => (name, Some(alias)),
        None => (names, None),
    };
    let (_, variant, printed, shown) = SPECIAL
        .iter()
        .find(|(special, ..)| *special == name)
        .unwrap_or(&("", "", "", ""));
    let variant = match *variant {
        "" => camel(name),
        variant => variant.into(),
    };
    let printed = match *printed {
        "" => name,
        printed => printed,
    };
    let shown = match *shown {
        "" => value_format(format),
        shown => shown.into(),
    };
    let aliases: Vec<_> = alias
        .into_iter()
        .filter(|alias| *alias != printed)
        .map(|alias| format!("{alias:?}"))
        .collect();
    let headers: Vec<_> = headers
        .split(',')
        .filter(|header| !header.is_empty())
        .map(|header| {
            let columns: Vec<_> = header.split(':').collect();
            let minor = columns[4].trim_start_matches("1.");
            format!(
                "{:?} {} {} {} {minor}",
                columns[0], columns[1], columns[2], columns[3]
            )
        })
        .collect();
    let doc = match alias {
        Some(alias) => format!("`{name}`, also `{alias}`: {bits} bits."),
        None => format!("`{name}`: {bits} bits."),
    };
    writeln!(rows, "    /// {doc}")?;
    writeln!(
        rows,
        "    {variant} = {name:?}, {printed:?}, [{}], [{}], {bytes}, {bits}, {}, {shown}, {}, {};",
        aliases.join(", "),
        headers.join(", "),
        mask == "bitwise",
        prerequisite(prereq),
        access == "read/write",
    )
}

fn value_format(text: &str) -> String {
    match text {
        "hexadecimal" => "Hex".into(),
        "OpenFlow 1.0 port" | "OpenFlow 1.1+ port" => "Port".into(),
        "TCP flags" => "TcpFlags".into(),
        text => camel(&text.replace("IP", "ip")),
    }
}

fn prerequisite(text: &str) -> String {
    let text = text.replace("IPv4/IPv6", "ip").replace("VLAN VID", "vlan");
    camel(&text.to_ascii_lowercase().replace(' ', "_"))
}

/// Fields whose variant is not their name, whose name in a match is another one
/// (`match_format` in lib/match.c), or whose format in a match is: name, variant, printed, format.
const SPECIAL: [(&str, &str, &str, &str); 22] = [
    ("in_port_oxm", "", "in_port", ""),
    ("nw_proto", "IpProto", "", ""),
    ("eth_src", "", "dl_src", ""),
    ("eth_dst", "", "dl_dst", ""),
    ("eth_type", "", "dl_type", "Hex16"),
    ("vlan_tci", "", "", "Hex16"),
    ("ip_src", "", "nw_src", ""),
    ("ip_dst", "", "nw_dst", ""),
    ("ip_frag", "", "nw_frag", ""),
    ("ipv6_label", "", "", "Hex20"),
    ("tcp_src", "", "tp_src", ""),
    ("tcp_dst", "", "tp_dst", ""),
    ("udp_src", "", "tp_src", ""),
    ("udp_dst", "", "tp_dst", ""),
    ("sctp_src", "", "tp_src", ""),
    ("sctp_dst", "", "tp_dst", ""),
    ("icmpv6_type", "", "icmp_type", ""),
    ("icmpv6_code", "", "icmp_code", ""),
    ("tun_gtpu_flags", "", "gtpu_flags", ""),
    ("tun_gtpu_msgtype", "", "gtpu_msgtype", ""),
    ("recirc_id", "", "", "Hex"),
    ("tun_tos", "", "", "HexBare"),
];

/// The classes of headers, from the beginning of their names: class and experimenter
/// (build-aux/extract-ofp-fields). Longer names first.
const CLASSES: [(&str, u16, u32); 8] = [
    ("NXM_OF_", 0x0000, 0),
    ("NXM_NX_", 0x0001, 0),
    ("NXOXM_NSH_", 0xffff, 0x005a_d650),
    ("NXOXM_ET_", 0xffff, 0x0000_2320),
    ("OXM_OF_PKT_REG", 0x8001, 0),
    ("OXM_OF_", 0x8000, 0),
    ("ONFOXM_ET_", 0xffff, 0x4f4e_4600),
    ("ERICOXM_OF_", 0x1000, 0),
];

const FACTS_HEAD: &str = "\
# cargo xtask codegen --from include/openvswitch/meta-flow.h, Open vSwitch of 2026-07 (d6a632a9b16e)
# name,alias\tbytes\tbits\tmaskable\tformatting\tprerequisites\taccess\tOpenFlow 1.0\tOpenFlow 1.1\theader:class:experimenter:number:OpenFlow:Open vSwitch,..
";

const TABLE_HEAD: &str = "\
//! The rows: `cargo xtask codegen` made them from xtask/data/ofp-fields.tsv. Source:
//! include/openvswitch/meta-flow.h of Open vSwitch.

use crate::model::field::{FieldHeader, FieldInfo, Format, Prerequisite};

";

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "\
enum OVS_PACKED_ENUM mf_field_id {
    /* \"eth_src\" (aka \"dl_src\").
     *
     * Some words: of no use.
     *
     * Type: MAC.
     * Maskable: bitwise.
     * Formatting: Ethernet.
     * Prerequisites: Ethernet.
     * Access: read/write.
     * NXM: NXM_OF_ETH_SRC(2) since v1.1.
     * OXM: OXM_OF_ETH_SRC(4) since OF1.2 and v1.7.
     * OF1.0: exact match.
     */
    MFF_ETH_SRC,
    /* \"xreg<N>\".
     *
     * Type: be64.
     * Maskable: bitwise.
     * Formatting: hexadecimal.
     * Prerequisites: none.
     * Access: read/write.
     * NXM: none.
     * OXM: OXM_OF_PKT_REG0(0) since OF1.3 and v2.4.  <0>
     * OXM: OXM_OF_PKT_REG1(1) since OF1.3 and v2.4.  <1>
     */
    MFF_XREG0, MFF_XREG1,
    MFF_N_IDS
";

    #[test]
    fn a_comment_gives_a_row_for_each_field() {
        let facts = facts(HEADER).unwrap();
        let rows: Vec<&str> = facts.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(
            rows,
            [
                "eth_src,dl_src\t6\t48\tbitwise\tEthernet\tEthernet\tread/write\texact match\tno\t\
                 NXM_OF_ETH_SRC:0x0000:0x0:2:1.0:1.1,OXM_OF_ETH_SRC:0x8000:0x0:4:1.2:1.7",
                "xreg0\t8\t64\tbitwise\thexadecimal\tnone\tread/write\tno\tno\tOXM_OF_PKT_REG0:0x8001:0x0:0:1.3:2.4",
                "xreg1\t8\t64\tbitwise\thexadecimal\tnone\tread/write\tno\tno\tOXM_OF_PKT_REG1:0x8001:0x0:1:1.3:2.4",
            ]
        );
        let table = table(&facts).unwrap();
        assert!(table.contains(
            "EthSrc = \"eth_src\", \"dl_src\", [], [\"NXM_OF_ETH_SRC\" 0x0000 0x0 2 0, \"OXM_OF_ETH_SRC\" 0x8000 0x0 4 2], \
             6, 48, true, Ethernet, Ethernet, true;"
        ));
    }

    #[test]
    fn a_header_without_fields_and_a_row_that_is_short_are_errors() {
        assert_eq!(facts("int x;").unwrap_err(), "no `enum mf_field_id`");
        assert_eq!(table("a\tb").unwrap_err(), "not ten columns: a\tb");
    }
}
