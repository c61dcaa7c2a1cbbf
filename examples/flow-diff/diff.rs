//! Two sets of flows, compared.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use ofp_codec::{Action, Flow, FlowFlags, Match, NumberOrName};

/// Flows by what tells one from another.
#[derive(Clone, Default)]
pub struct Table(BTreeMap<Key, Vec<Flow>>);

/// Table, priority and match: no two flows of a bridge have the same. In the order in which a switch looks at them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub table: TableKey,
    priority: Reverse<u16>,
    /// The entries of the match as they are printed: one spelling for each, in one order.
    matches: String,
}

/// Numbers come before names.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum TableKey {
    Number(u8),
    Name(Box<str>),
}

/// What happened to a flow.
pub enum Change {
    Removed(Flow),
    Added(Flow),
    /// As it was, and as it is.
    Modified(Box<(Flow, Flow)>),
}

/// All that happened.
pub struct Changes {
    /// In the order of the tables.
    pub changes: Vec<Change>,
    pub tables: BTreeMap<TableKey, Counts>,
    /// Cookies are not compared.
    ignore_cookie: bool,
}

/// The numbers of one table.
#[derive(Clone, Copy, Default)]
pub struct Counts {
    pub before: usize,
    pub after: usize,
    pub added: usize,
    pub removed: usize,
    pub modified: usize,
}

impl Table {
    pub fn insert(&mut self, mut flow: Flow) {
        // There may be many.
        flow.matches.0.shrink_to_fit();
        flow.actions.shrink_to_fit();
        self.0.entry(Key::of(&flow)).or_default().push(flow);
    }
}

impl Key {
    fn of(flow: &Flow) -> Self {
        let entries = flow.matches.0.iter();
        let mut matches: Vec<String> = entries
            .map(|entry| Match(vec![entry.clone()]).to_string())
            .collect();
        matches.sort_unstable();
        Self {
            table: match &flow.table {
                NumberOrName::Number(number) => TableKey::Number(*number),
                NumberOrName::Name(name) => TableKey::Name(name.clone()),
            },
            priority: Reverse(flow.priority),
            matches: matches.join(","),
        }
    }
}

impl Changes {
    pub fn new(before: Table, mut after: Table, ignore_cookie: bool) -> Self {
        let mut tables: BTreeMap<TableKey, Counts> = BTreeMap::new();
        let mut keys: BTreeMap<Key, [Vec<Flow>; 2]> = BTreeMap::new();
        for (key, old) in before.0 {
            let new = after.0.remove(&key).unwrap_or_default();
            keys.insert(key, [old, new]);
        }
        keys.extend(after.0.into_iter().map(|(key, new)| (key, [Vec::new(), new])));
        let mut changes = Vec::new();
        for (key, [old, new]) in keys {
            let counts = tables.entry(key.table).or_default();
            counts.before += old.len();
            counts.after += new.len();
            // One of each, but in a dump that was put together from several.
            let (mut old, mut new) = (old.into_iter(), new.into_iter());
            loop {
                changes.push(match (old.next(), new.next()) {
                    (None, None) => break,
                    (Some(old), Some(new)) if are_same(&old, &new, ignore_cookie) => continue,
                    (Some(old), Some(new)) => {
                        counts.modified += 1;
                        Change::Modified(Box::new((old, new)))
                    }
                    (Some(old), None) => {
                        counts.removed += 1;
                        Change::Removed(old)
                    }
                    (None, Some(new)) => {
                        counts.added += 1;
                        Change::Added(new)
                    }
                });
            }
        }
        Self {
            changes,
            tables,
            ignore_cookie,
        }
    }

    /// What differs between the two flows of a change, as far as it is compared.
    pub fn differences(&self, old: &Flow, new: &Flow) -> Vec<Difference> {
        differences(old, new, self.ignore_cookie)
    }

    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

/// Whether nothing differs, without a list of it.
fn are_same(old: &Flow, new: &Flow, ignore_cookie: bool) -> bool {
    let numbers = |flow: &Flow| (flow.idle_timeout, flow.hard_timeout, flow.importance, flags(flow));
    (ignore_cookie || old.cookie == new.cookie)
        && numbers(old) == numbers(new)
        && old.unknown == new.unknown
        && old.actions == new.actions
}

/// What differs: its name, and both values as they are printed.
pub type Difference = (&'static str, String, String);

/// What differs between two flows beside their keys.
pub fn differences(old: &Flow, new: &Flow, ignore_cookie: bool) -> Vec<Difference> {
    let timeout = |seconds: u16| match seconds {
        0 => "none".to_owned(),
        seconds => seconds.to_string(),
    };
    let unknown = |flow: &Flow| join(flow.unknown.iter());
    let parts = |flow: &Flow| {
        [
            ("cookie", format!("{:#x}", flow.cookie)),
            ("idle_timeout", timeout(flow.idle_timeout)),
            ("hard_timeout", timeout(flow.hard_timeout)),
            ("importance", flow.importance.to_string()),
            ("flags", flags(flow).to_string()),
            ("other", unknown(flow)),
        ]
    };
    let both = parts(old).into_iter().zip(parts(new));
    let mut differences: Vec<_> = both
        .filter(|((name, old), (_, new))| old != new && !(ignore_cookie && *name == "cookie"))
        .map(|((name, old), (_, new))| (name, old, new))
        .collect();
    if old.actions != new.actions {
        differences.push(("actions", join(old.actions.iter()), join(new.actions.iter())));
    }
    differences
}

/// Without the one that says what a change does to the counters: replies of OpenFlow 1.0 do not have it.
fn flags(flow: &Flow) -> FlowFlags {
    FlowFlags(flow.flags.0 & !FlowFlags::RESET_COUNTS.0)
}

/// The part in which two lists of actions differ, and how many stand before and behind it in both.
pub fn middle<'a>(old: &'a [Action], new: &'a [Action]) -> (&'a [Action], &'a [Action], usize, usize) {
    let same = |pairs: &mut dyn Iterator<Item = (&Action, &Action)>| {
        pairs.take_while(|(old, new)| old == new).count()
    };
    let before = same(&mut old.iter().zip(new));
    let (old, new) = (&old[before..], &new[before..]);
    let behind = same(&mut old.iter().rev().zip(new.iter().rev()));
    (
        &old[..old.len() - behind],
        &new[..new.len() - behind],
        before,
        behind,
    )
}

/// Items as a list with commas.
pub fn join<T: ToString>(items: impl Iterator<Item = T>) -> String {
    items.map(|item| item.to_string()).collect::<Vec<_>>().join(",")
}
