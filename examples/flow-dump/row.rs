//! A flow with what it is sorted and summed by.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use ofp_codec::text::{FlowRef, ParseError};
use ofp_codec::{NumberOrName, TableRef};
use serde_json::{Value, json};

/// A flow. Its match and actions are the text that was there, so that nothing is lost that is not known here.
pub struct Row {
    pub table: TableRef,
    pub priority: u16,
    pub cookie: u64,
    pub packets: Option<u64>,
    pub bytes: Option<u64>,
    /// Seconds since the flow was made.
    pub age: Option<f64>,
    /// The match without the priority.
    pub matches: String,
    pub actions: String,
    /// The line as it was.
    pub line: String,
}

/// What rows are sorted by.
#[derive(Clone, Copy)]
pub enum Order {
    /// Table, then priority, as a switch looks at them.
    Table,
    Packets,
    Bytes,
    Age,
}

/// Their names.
pub const ORDERS: [(&str, Order); 4] = [
    ("table", Order::Table),
    ("packets", Order::Packets),
    ("bytes", Order::Bytes),
    ("age", Order::Age),
];

/// What rows are summed by.
#[derive(Clone, Copy)]
pub enum Group {
    Table,
    Cookie,
}

/// Their names.
pub const GROUPS: [(&str, Group); 2] = [("table", Group::Table), ("cookie", Group::Cookie)];

/// The sums of a group.
#[derive(Default)]
pub struct Sum {
    pub flows: usize,
    pub packets: u64,
    pub bytes: u64,
    /// Flows that no packet has met.
    pub unused: usize,
}

impl Row {
    pub fn of(flow: &FlowRef<'_>) -> Result<Self, ParseError> {
        let typed = flow.to_flow()?;
        let text = flow.match_text();
        let parts = flow.matches().filter(|pair| pair.key != b"priority");
        let parts: Vec<_> = parts
            .map(|pair| {
                let key = String::from_utf8_lossy(pair.key);
                match pair.value {
                    Some(value) => format!("{key}={}", String::from_utf8_lossy(value)),
                    None => key.into_owned(),
                }
            })
            .collect();
        // Where there is no priority, the text is the match.
        let matches = match text.contains("priority=") {
            true => parts.join(","),
            false => text.into_owned(),
        };
        Ok(Self {
            priority: typed.priority,
            cookie: typed.cookie,
            packets: typed.stats.n_packets,
            bytes: typed.stats.n_bytes,
            age: typed.stats.duration.map(|duration| duration.as_secs_f64()),
            table: typed.table,
            matches,
            actions: flow.actions_text().into_owned(),
            line: String::from_utf8_lossy(flow.raw()).trim().to_owned(),
        })
    }

    pub fn json(&self) -> Value {
        json!({
            "table": self.table,
            "priority": self.priority,
            "cookie": format!("{:#x}", self.cookie),
            "packets": self.packets,
            "bytes": self.bytes,
            "seconds": self.age,
            "match": self.matches,
            "actions": self.actions,
        })
    }

    fn cells(&self) -> [String; 7] {
        let number = |number: Option<u64>| number.map_or("?".to_owned(), |number| number.to_string());
        let matches = match self.matches.as_str() {
            "" => "any",
            matches => matches,
        };
        [
            self.table.to_string(),
            self.priority.to_string(),
            number(self.packets),
            number(self.bytes),
            format!("{:#x}", self.cookie),
            matches.to_owned(),
            self.actions.clone(),
        ]
    }
}

/// A heading, and a line for each row. Numbers are as wide as they need to be; match and actions are of any length, and
/// have no columns.
pub fn lines(rows: &[Row]) -> impl Iterator<Item = String> {
    let headings = ["table", "prio", "packets", "bytes", "cookie", "match", "actions"].map(str::to_owned);
    let mut widths = headings.each_ref().map(String::len);
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row.cells()) {
            *width = cell.len().max(*width);
        }
    }
    let [a, b, c, d, e, ..] = widths;
    let cells = std::iter::once(headings).chain(rows.iter().map(Row::cells));
    cells.map(
        move |[table, priority, packets, bytes, cookie, matches, actions]| {
            format!(
                "{table:>a$}  {priority:>b$}  {packets:>c$}  {bytes:>d$}  {cookie:<e$}  {matches}  {actions}"
            )
        },
    )
}

pub fn sort(rows: &mut [Row], order: Order) {
    // Rows that are equal stay in the order of the dump.
    match order {
        Order::Table => rows.sort_by(|a, b| {
            let key = |row: &Row| (table_key(&row.table), Reverse(row.priority));
            key(a).cmp(&key(b))
        }),
        Order::Packets => rows.sort_by_key(|row| Reverse(row.packets)),
        Order::Bytes => rows.sort_by_key(|row| Reverse(row.bytes)),
        Order::Age => rows.sort_by(|a, b| b.age.unwrap_or(-1.0).total_cmp(&a.age.unwrap_or(-1.0))),
    }
}

/// The sums, by what they are of, in its order.
pub fn sums(rows: &[Row], group: Group) -> Vec<(String, Sum)> {
    let mut sums: BTreeMap<_, (String, Sum)> = BTreeMap::new();
    for row in rows {
        let (key, name) = match group {
            Group::Table => (table_key(&row.table), row.table.to_string()),
            Group::Cookie => ((row.cookie, String::new()), format!("{:#x}", row.cookie)),
        };
        let (_, sum) = sums.entry(key).or_insert_with(|| (name, Sum::default()));
        let packets = row.packets.unwrap_or(0);
        sum.flows += 1;
        sum.packets = sum.packets.saturating_add(packets);
        sum.bytes = sum.bytes.saturating_add(row.bytes.unwrap_or(0));
        sum.unused += usize::from(row.packets == Some(0));
    }
    sums.into_values().collect()
}

/// Numbers come before names.
fn table_key(table: &TableRef) -> (u64, String) {
    match table {
        NumberOrName::Number(number) => (u64::from(*number), String::new()),
        NumberOrName::Name(name) => (u64::MAX, name.to_string()),
    }
}
