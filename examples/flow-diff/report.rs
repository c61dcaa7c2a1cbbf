//! The changes, as lines for people or as one JSON object.

use examples::cli::{colours, printable, table, width};
use examples::dump::table_json;
use ofp_codec::{Action, Flow};
use serde_json::{Map, Value, json};

use crate::diff::{Change, Changes, Counts, TableKey, differences, join, middle};

/// What the tool says.
pub struct Report<'a> {
    pub changes: &'a Changes,
    pub unread_lines: usize,
}

impl Report<'_> {
    pub fn json(&self) -> Value {
        let Changes { changes, tables, .. } = self.changes;
        json!({
            "changes": changes.iter().map(|change| self.change_json(change)).collect::<Vec<_>>(),
            "tables": tables.iter().map(counts_json).collect::<Vec<_>>(),
            "unread_lines": self.unread_lines,
        })
    }

    /// A line for each change, and an empty one.
    pub fn text(&self) -> String {
        let (colours, width) = (colours(), width().map(usize::from));
        let mut out = String::new();
        for change in &self.changes.changes {
            let (colour, line) = self.line(change);
            let mut line = printable(&line);
            if let Some((end, _)) = width.and_then(|width| line.char_indices().nth(width)) {
                // A column for the sign that something is missing.
                let end = line[..end].char_indices().next_back().map_or(0, |(at, _)| at);
                line.truncate(end);
                line.push('…');
            }
            out.push_str(&match colours {
                true => format!("\u{1b}[{colour}m{line}\u{1b}[0m\n"),
                false => line + "\n",
            });
        }
        if !out.is_empty() {
            out.push('\n');
        }
        out
    }

    /// The line of a change, and its colour as a terminal counts them.
    fn line(&self, change: &Change) -> (u8, String) {
        match change {
            Change::Removed(flow) => (31, format!("- {} {}", key(flow), rest(flow))),
            Change::Added(flow) => (32, format!("+ {} {}", key(flow), rest(flow))),
            Change::Modified(flows) => {
                let (old, new) = &**flows;
                let parts = self.changes.differences(old, new);
                let parts = parts.into_iter().map(|(name, before, after)| match name {
                    "actions" => actions(old, new),
                    _ => format!("{name}={before} -> {after}"),
                });
                (
                    33,
                    format!("~ {} {}", key(new), parts.collect::<Vec<_>>().join(" ")),
                )
            }
        }
    }

    fn change_json(&self, change: &Change) -> Value {
        let (name, flow) = match change {
            Change::Removed(flow) => ("removed", flow),
            Change::Added(flow) => ("added", flow),
            Change::Modified(flows) => ("modified", &flows.1),
        };
        let mut object = json!({
            "change": name,
            "table": table_json(&flow.table),
            "priority": flow.priority,
            "match": flow.matches.to_string(),
            "cookie": format!("{:#x}", flow.cookie),
            "actions": join(flow.actions.iter()),
        });
        if let Change::Modified(flows) = change {
            let (mut before, mut after) = (Map::new(), Map::new());
            for (name, old, new) in self.changes.differences(&flows.0, &flows.1) {
                before.insert(name.to_owned(), old.into());
                after.insert(name.to_owned(), new.into());
            }
            object["before"] = before.into();
            object["after"] = after.into();
        }
        object
    }

    /// The numbers of each table.
    pub fn summary(&self) -> String {
        let rows = self.changes.tables.iter().map(|(key, counts)| {
            let name = match key {
                TableKey::Number(number) => number.to_string(),
                TableKey::Name(name) => name.to_string(),
            };
            counts.cells(name)
        });
        let all = self.changes.tables.values().copied();
        let all = all.fold(Counts::default(), Counts::plus);
        let rows: Vec<_> = rows.chain([all.cells("all".to_owned())]).collect();
        table(["table>", "before>", "after>", "+>", "->", "~>"], rows)
    }
}

impl Counts {
    fn plus(self, other: Self) -> Self {
        Self {
            before: self.before + other.before,
            after: self.after + other.after,
            added: self.added + other.added,
            removed: self.removed + other.removed,
            modified: self.modified + other.modified,
        }
    }

    fn cells(&self, name: String) -> [String; 6] {
        let [a, b, c, d, e] =
            [self.before, self.after, self.added, self.removed, self.modified].map(|n| n.to_string());
        [name, a, b, c, d, e]
    }
}

fn key(flow: &Flow) -> String {
    let matches = flow.matches.to_string();
    let comma = if matches.is_empty() { "" } else { "," };
    format!("table={}, priority={}{comma}{matches}", flow.table, flow.priority)
}

/// What a flow has beside its key, where it is not what most have.
fn rest(flow: &Flow) -> String {
    let plain = Flow::default();
    let parts = differences(&plain, flow, false).into_iter();
    let parts = parts.filter(|(name, _, _)| *name != "actions");
    let parts: Vec<_> = parts.map(|(name, _, value)| format!("{name}={value} ")).collect();
    format!("{}actions={}", parts.concat(), join(flow.actions.iter()))
}

/// The actions that differ.
fn actions(old: &Flow, new: &Flow) -> String {
    let (old, new, before, behind) = middle(&old.actions, &new.actions);
    let side = |sign: char, actions: &[Action]| match actions {
        [] => String::new(),
        actions => format!(" {sign}{}", join(actions.iter())),
    };
    let same = match (before, behind) {
        (0, 0) => String::new(),
        _ => format!(" ({before} before and {behind} behind are the same)"),
    };
    format!("actions:{}{}{same}", side('-', old), side('+', new))
}

fn counts_json((key, counts): (&TableKey, &Counts)) -> Value {
    json!({
        "table": match key {
            TableKey::Number(number) => Value::from(*number),
            TableKey::Name(name) => Value::from(&**name),
        },
        "before": counts.before,
        "after": counts.after,
        "added": counts.added,
        "removed": counts.removed,
        "modified": counts.modified,
    })
}
