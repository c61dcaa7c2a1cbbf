//! The changes, as lines for people or as one JSON object.

use std::collections::BTreeMap;

use examples::cli::{Colour, line, table};
use examples::dump::selector;
use ofp_codec::diff::{Alike, Change, Comparison};
use ofp_codec::{Action, Flow, TableRef};
use serde_json::{Map, Value, json};

/// What the tool says.
pub struct Report<'a> {
    pub found: &'a Comparison<'a>,
    pub counts: BTreeMap<TableRef, Counts>,
    pub unread_lines: usize,
}

/// The numbers of one table.
#[derive(Clone, Copy, Default)]
pub struct Counts {
    before: usize,
    after: usize,
    added: usize,
    removed: usize,
    changed: usize,
}

impl<'a> Report<'a> {
    pub fn new(before: &[Flow], after: &[Flow], found: &'a Comparison<'a>, unread_lines: usize) -> Self {
        let mut counts: BTreeMap<TableRef, Counts> = BTreeMap::new();
        let mut of = |flow: &Flow, count: fn(&mut Counts) -> &mut usize| {
            *count(counts.entry(flow.table.clone()).or_default()) += 1;
        };
        before
            .iter()
            .for_each(|flow| of(flow, |counts| &mut counts.before));
        after.iter().for_each(|flow| of(flow, |counts| &mut counts.after));
        for change in &found.changes {
            match *change {
                Change::Added(flow) => of(flow, |counts| &mut counts.added),
                Change::Removed(flow) => of(flow, |counts| &mut counts.removed),
                Change::Changed { after, .. } => of(after, |counts| &mut counts.changed),
                _ => {}
            }
        }
        Self {
            found,
            counts,
            unread_lines,
        }
    }

    pub fn json(&self) -> Value {
        json!({
            "changes": self.found.changes.iter().filter_map(change_json).collect::<Vec<_>>(),
            "tables": self.counts.iter().map(counts_json).collect::<Vec<_>>(),
            "unread_lines": self.unread_lines,
            "alike": self.found.alike.iter().map(alike_json).collect::<Vec<_>>(),
            "not_compared": self.not_compared(),
            "hidden": self.found.hidden.len(),
        })
    }

    /// What could not be compared, a line each.
    pub fn unknown(&self) -> String {
        let alike = self.found.alike.iter().filter_map(|alike| {
            let flow = alike.before.first().or(alike.after.first())?;
            let (before, after) = (alike.before.len(), alike.after.len());
            Some(format!(
                "? {}: {before} flows before and {after} after that print alike; which of them changed is not known\n",
                selector(flow)
            ))
        });
        let mut text: String = alike.collect();
        let not_compared = self.not_compared();
        if !not_compared.is_empty() {
            let list = not_compared.join(", ");
            text += &format!("not compared, since one of the two does not print them: {list}\n");
        }
        let hidden = self.found.hidden.len();
        if hidden > 0 {
            text +=
                &format!("not compared: {hidden} flows of table 254, which only bridge/dump-flows prints\n");
        }
        if !text.is_empty() {
            text += "\n";
        }
        text
    }

    fn not_compared(&self) -> Vec<&'static str> {
        let unsaid = self.found.unsaid;
        let cookie = unsaid.cookie.then_some("cookie");
        let settings = ["idle_timeout", "hard_timeout", "importance"];
        let settings = settings.into_iter().filter(|_| unsaid.settings);
        cookie.into_iter().chain(settings).collect()
    }

    /// A line for each change, and an empty one.
    pub fn text(&self) -> String {
        let lines = self.found.changes.iter().filter_map(|change| {
            let (colour, text) = change_line(change)?;
            Some(line(&text, Some(colour)) + "\n")
        });
        let end = if self.found.changes.is_empty() {
            None
        } else {
            Some("\n".to_owned())
        };
        lines.chain(end).collect()
    }

    /// The numbers of each table.
    pub fn summary(&self) -> String {
        let all = self.counts.values().copied();
        let all = all.fold(Counts::default(), Counts::plus);
        let rows = self
            .counts
            .iter()
            .map(|(table, counts)| counts.cells(table.to_string()));
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
            changed: self.changed + other.changed,
        }
    }

    fn cells(&self, name: String) -> [String; 6] {
        let [a, b, c, d, e] =
            [self.before, self.after, self.added, self.removed, self.changed].map(|n| n.to_string());
        [name, a, b, c, d, e]
    }
}

fn change_line(change: &Change<'_>) -> Option<(Colour, String)> {
    match *change {
        Change::Removed(flow) => Some((Colour::Red, format!("- {} {}", selector(flow), rest(flow)))),
        Change::Added(flow) => Some((Colour::Green, format!("+ {} {}", selector(flow), rest(flow)))),
        Change::Changed { before, after } => {
            let parts = differences(before, after).map(|(name, old, new)| format!(" {name}={old} -> {new}"));
            let parts = parts.collect::<String>() + &actions(before, after);
            Some((Colour::Yellow, format!("~ {}{parts}", selector(after))))
        }
        _ => None,
    }
}

fn change_json(change: &Change<'_>) -> Option<Value> {
    let (name, flow) = match *change {
        Change::Removed(flow) => ("removed", flow),
        Change::Added(flow) => ("added", flow),
        Change::Changed { after, .. } => ("modified", after),
        _ => return None,
    };
    let mut object = json!({
        "change": name,
        "table": flow.table,
        "priority": flow.priority,
        "match": flow.matches.to_string(),
        "cookie": format!("{:#x}", flow.cookie),
        "actions": join(&flow.actions),
    });
    if let Change::Changed { before, after } = *change {
        let (mut old, mut new) = (Map::new(), Map::new());
        let actions = (before.actions != after.actions)
            .then(|| ("actions", join(&before.actions), join(&after.actions)));
        for (name, was, is) in differences(before, after).chain(actions) {
            old.insert(name.to_owned(), was.into());
            new.insert(name.to_owned(), is.into());
        }
        object["before"] = old.into();
        object["after"] = new.into();
    }
    Some(object)
}

fn counts_json((table, counts): (&TableRef, &Counts)) -> Value {
    json!({
        "table": table,
        "before": counts.before,
        "after": counts.after,
        "added": counts.added,
        "removed": counts.removed,
        "modified": counts.changed,
    })
}

fn alike_json(alike: &Alike<'_>) -> Value {
    let flow = alike.before.first().or(alike.after.first());
    json!({
        "flow": flow.map(|flow| selector(flow)),
        "before": alike.before.len(),
        "after": alike.after.len(),
    })
}

/// What a flow has beside its selector, where it is not what most have.
fn rest(flow: &Flow) -> String {
    let plain = Flow::default();
    let parts = differences(&plain, flow).map(|(name, _, value)| format!("{name}={value} "));
    format!("{}actions={}", parts.collect::<String>(), join(&flow.actions))
}

/// What differs between two flows beside their actions: its name, and both values.
fn differences(before: &Flow, after: &Flow) -> impl Iterator<Item = (&'static str, String, String)> {
    let timeout = |seconds: u16| match seconds {
        0 => "none".to_owned(),
        seconds => seconds.to_string(),
    };
    let parts = |flow: &Flow| {
        [
            ("cookie", format!("{:#x}", flow.cookie)),
            ("idle_timeout", timeout(flow.idle_timeout)),
            ("hard_timeout", timeout(flow.hard_timeout)),
            ("importance", timeout(flow.importance)),
        ]
    };
    let unsaid = before.unsaid | after.unsaid;
    let is_said = move |name: &str| match name {
        "cookie" => !unsaid.cookie,
        _ => !unsaid.settings,
    };
    let both = parts(before).into_iter().zip(parts(after));
    let both = both.filter(move |((name, _), _)| is_said(name));
    both.filter(|((_, old), (_, new))| old != new)
        .map(|((name, old), (_, new))| (name, old, new))
}

/// The part of the actions in which two flows differ.
fn actions(before: &Flow, after: &Flow) -> String {
    let (old, new) = (&before.actions[..], &after.actions[..]);
    if old == new {
        return String::new();
    }
    let same = |pairs: &mut dyn Iterator<Item = (&Action, &Action)>| {
        pairs.take_while(|(old, new)| old == new).count()
    };
    let front = same(&mut old.iter().zip(new));
    let (old, new) = (&old[front..], &new[front..]);
    let back = same(&mut old.iter().rev().zip(new.iter().rev()));
    let side = |sign: char, actions: &[Action]| match &actions[..actions.len() - back] {
        [] => String::new(),
        middle => format!(" {sign}{}", join(middle)),
    };
    let same = match (front, back) {
        (0, 0) => String::new(),
        _ => format!(" ({front} before and {back} behind are the same)"),
    };
    format!(" actions:{}{}{same}", side('-', old), side('+', new))
}

/// Actions as a list with commas.
fn join(actions: &[Action]) -> String {
    actions
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(",")
}
