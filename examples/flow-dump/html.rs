//! The flows as one page that needs nothing else: no server, no network, and scripts only for comfort.

use std::fmt::Write as _;

use examples::picture::escaped;

use crate::row::{Group, Row, sums};

/// The page. Flows stand by table; the page itself searches, folds and sorts them.
pub fn page(title: &str, rows: &[Row]) -> String {
    let most = |value: fn(&Row) -> Option<u64>| rows.iter().filter_map(value).max().unwrap_or(0);
    let (most_packets, most_bytes) = (most(|row| row.packets), most(|row| row.bytes));
    let mut body = String::new();
    // Writing to a String does not fail.
    for (table, sum) in sums(rows, Group::Table) {
        let _ = write!(
            body,
            "<tbody data-table=\"{0}\"><tr class=\"fold\"><th colspan=\"6\"><button>table {0}</button> \
             flows: <span class=\"count\">{1}</span>, packets: {2}</th></tr>",
            escaped(&table),
            sum.flows,
            sum.packets
        );
        for row in rows.iter().filter(|row| row.table.to_string() == table) {
            let _ = write!(body, "<tr><td>{}</td>", row.priority);
            for (value, most) in [(row.packets, most_packets), (row.bytes, most_bytes)] {
                let number = value.map_or("?".to_owned(), |value| value.to_string());
                let _ = write!(body, "<td style=\"--heat:{}%\">{number}</td>", heat(value, most));
            }
            let _ = write!(
                body,
                "<td>{:#x}</td><td>{}</td><td>{}</td></tr>",
                row.cookie,
                breakable(&row.matches),
                breakable(&row.actions)
            );
        }
        body += "</tbody>\n";
    }
    // The body last: flows may have anything in them.
    PAGE.replace("{{title}}", &escaped(title))
        .replace("{{flows}}", &rows.len().to_string())
        .replace("{{body}}", &body)
}

/// Lines may break behind commas that are not in parentheses, and not within an arrow.
fn breakable(list: &str) -> String {
    let mut depth = 0_usize;
    let mut out = String::with_capacity(list.len());
    for c in escaped(list).chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        out.push(c);
        if c == ',' && depth == 0 {
            out += "<wbr>";
        }
    }
    let out = out.replace("-&gt;", "<nobr>-&gt;</nobr>");
    match list.len() > LONG {
        true => format!("<div class=\"long\">{out}</div>"),
        false => out,
    }
}

/// Hundredths of the greatest, by their bits: traffic differs by powers of ten.
fn heat(value: Option<u64>, most: u64) -> u32 {
    let bits = |value: u64| u64::BITS - value.leading_zeros();
    (100 * bits(value.unwrap_or(0)))
        .checked_div(bits(most))
        .unwrap_or(0)
}

/// Letters of a list that gets a scroll bar of its own.
const LONG: usize = 600;
const PAGE: &str = include_str!("page.html");
