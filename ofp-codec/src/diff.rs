//! What changed between two tables.
//!
//! ```
//! use ofp_codec::{Flow, diff::{Change, diff}, text::{ParseError, items}};
//!
//! let flows = |dump| items(dump).flows().collect::<Result<Vec<Flow>, ParseError>>();
//! let before = flows(b"NXST_FLOW reply (xid=0x4):\n cookie=0x0, table=0, ip actions=mod_dl_src:02:00:00:00:00:01,2\n")?;
//! let after = flows(b" table=0, ip actions=set_field:02:00:00:00:00:01->eth_src,output:2\n table=1, actions=drop\n")?;
//! let changes = diff(&before, &after);
//! assert!(matches!(changes[..], [Change::Added(flow)] if flow.table.number() == Some(&1)));
//! # Ok::<(), ofp_codec::text::ParseError>(())
//! ```

use alloc::vec::Vec;
use core::{cmp::Reverse, fmt};

use crate::model::{
    action::Action,
    canonical::bits::{MatchBits, MatchKey},
    flow::{Flow, Unsaid},
    matches::Unknown,
    normal::normal_actions,
    port::TableRef,
};

/// A flow that differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Change<'a> {
    /// It is new.
    Added(&'a Flow),
    /// It is gone.
    Removed(&'a Flow),
    /// Its cookie, its timeouts, its importance or its actions are others.
    Changed {
        /// The flow before.
        before: &'a Flow,
        /// The flow now.
        after: &'a Flow,
    },
}

/// What [`compare`] finds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Comparison<'a> {
    /// What changed: by table, then from the highest priority down, then by match.
    pub changes: Vec<Change<'a>>,
    /// Flows of a switch that the texts do not tell apart: which of them changed is not known.
    pub alike: Vec<Alike<'a>>,
    /// What one of the two does not say of flows that both have, so that it was not compared.
    pub unsaid: Unsaid,
    /// Flows of the table that is internal to Open vSwitch, which one of the two does not list.
    pub hidden: Vec<&'a Flow>,
}

/// Flows of one table, priority and match, as far as they were printed: a switch has one of these only, so that
/// their matches differ in what is not printed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Alike<'a> {
    /// Those before.
    pub before: Vec<&'a Flow>,
    /// Those now.
    pub after: Vec<&'a Flow>,
}

/// What changed from `before` to `after`: by table, then from the highest priority down, then by
/// match.
///
/// As [`compare`], of which these are the changes.
pub fn diff<'a>(before: &'a [Flow], after: &'a [Flow]) -> Vec<Change<'a>> {
    compare(before, after).changes
}

/// What changed from `before` to `after`, and what could not be compared.
///
/// A flow is known by its table, its priority and the bits of its match; if there are two of these, the later
/// one counts, as in a switch. Only those with statistics are flows of a switch already, which differ in what is not
/// printed: they are counted, and are [`Alike`].
///
/// Actions are compared in their [normal form](Flow::normal), so the two
/// may be of different OpenFlow versions. Flags are not compared, and importance where both say one: not every version
/// has them. What one of the two does [not say](Flow::unsaid) is not compared.
///
/// Both must call ports and tables by number, or both by name:
/// [`Flow::resolve`](crate::Flow::resolve) helps. A text that was printed compares with a text: of flows from a switch,
/// [`Flow::canonical`] gives what is printed.
pub fn compare<'a>(before: &'a [Flow], after: &'a [Flow]) -> Comparison<'a> {
    let lists_hidden = |flows: &[Flow]| flows.iter().any(|flow| flow.unsaid.settings);
    let one_lists_hidden = lists_hidden(before) != lists_hidden(after);
    let (before, after) = (keyed(before), keyed(after));
    let (mut before, mut after) = (groups(&before).peekable(), groups(&after).peekable());
    let mut found = Comparison::default();
    let is_hidden = |flow: &Entry<'a>| {
        let hidden = one_lists_hidden && flow.flow.table == TableRef::Number(INTERNAL_TABLE);
        hidden && flow.flow.unsaid.settings
    };
    loop {
        let order = match (before.peek(), after.peek()) {
            (None, None) => return found,
            (Some(_), None) => core::cmp::Ordering::Less,
            (None, Some(_)) => core::cmp::Ordering::Greater,
            (Some(old), Some(new)) => old[0].key.cmp(&new[0].key),
        };
        let old = if order.is_le() { before.next() } else { None };
        let new = if order.is_ge() { after.next() } else { None };
        let (old, new) = (old.unwrap_or_default(), new.unwrap_or_default());
        match (old, new) {
            ([old], [new]) => found.pair(old, new),
            ([one], []) | ([], [one]) if is_hidden(one) => found.hidden.push(one.flow),
            (old, new) => found.several(old, new),
        }
    }
}

/// Sorts flows by table, then from the highest priority down, then by match; equal ones stay in
/// their order.
pub fn sort(flows: &mut [Flow]) {
    flows.sort_by_cached_key(|flow| key(flow, MatchBits::of(&flow.matches).settled()));
}

type Key = (TableRef, Reverse<u16>, MatchKey);

fn key(flow: &Flow, bits: MatchBits) -> Key {
    (flow.table.clone(), Reverse(flow.priority), bits.key())
}

/// A flow, what tells it from others, and what is compared of it.
struct Entry<'a> {
    key: Key,
    flow: &'a Flow,
    actions: Vec<Action>,
}

/// The flows by key; of those with one key the last counts, unless they are a switch's.
fn keyed(flows: &[Flow]) -> Vec<Entry<'_>> {
    let mut entries: Vec<Entry<'_>> = flows.iter().map(Entry::of).collect();
    // Equal ones stay in their order.
    entries.sort_by(|one, other| one.key.cmp(&other.key));
    entries.dedup_by(|later, earlier| {
        let replaces = later.key == earlier.key && !(later.is_of_switch() && earlier.is_of_switch());
        if replaces {
            core::mem::swap(later, earlier);
        }
        replaces
    });
    entries
}

/// Entries of one key each.
fn groups<'e, 'a>(entries: &'e [Entry<'a>]) -> impl Iterator<Item = &'e [Entry<'a>]> {
    entries.chunk_by(|one, other| one.key == other.key)
}

impl<'a> Entry<'a> {
    fn of(flow: &'a Flow) -> Self {
        let bits = MatchBits::of(&flow.matches).settled();
        let actions = normal_actions(&flow.actions, &bits);
        let key = key(flow, bits);
        Entry { key, flow, actions }
    }

    /// Whether it was in a table, which has no two of one match.
    fn is_of_switch(&self) -> bool {
        self.flow.stats.duration.is_some()
    }

    fn is_same(&self, other: &Self) -> bool {
        let (one, two) = (self.flow, other.flow);
        let unsaid = one.unsaid | two.unsaid;
        let settings = |flow: &Flow| (flow.idle_timeout, flow.hard_timeout);
        let unknown = |flow: &'a Flow| -> &'a [Unknown] { &flow.unknown };
        (unsaid.cookie || one.cookie == two.cookie)
            && (unsaid.settings || settings(one) == settings(two))
            && (one.importance == two.importance || one.importance == 0 || two.importance == 0)
            && self.actions == other.actions
            && unknown(one) == unknown(two)
    }
}

impl<'a> Comparison<'a> {
    fn pair(&mut self, old: &Entry<'a>, new: &Entry<'a>) {
        let one_says = old.flow.unsaid != new.flow.unsaid;
        if one_says {
            self.unsaid = self.unsaid | old.flow.unsaid | new.flow.unsaid;
        }
        if !old.is_same(new) {
            self.changes.push(Change::Changed {
                before: old.flow,
                after: new.flow,
            });
        }
    }

    /// Flows that are not told apart: those that are the same first, then one by one.
    fn several(&mut self, old: &[Entry<'a>], new: &[Entry<'a>]) {
        let mut left: Vec<&Entry<'a>> = new.iter().collect();
        let mut gone: Vec<&Entry<'a>> = Vec::new();
        for entry in old {
            match left.iter().position(|other| entry.is_same(other)) {
                Some(place) => self.pair(entry, left.remove(place)),
                None => gone.push(entry),
            }
        }
        let pairs = gone.len().min(left.len());
        for (old, new) in gone.iter().zip(&left) {
            self.pair(old, new);
        }
        let (removed, added) = (gone.iter().skip(pairs), left.iter().skip(pairs));
        self.changes
            .extend(removed.map(|entry| Change::Removed(entry.flow)));
        self.changes.extend(added.map(|entry| Change::Added(entry.flow)));
        if old.len().max(new.len()) > 1 {
            let flows = |entries: &[Entry<'a>]| entries.iter().map(|entry| entry.flow).collect();
            self.alike.push(Alike {
                before: flows(old),
                after: flows(new),
            });
        }
    }
}

/// `+`, `-` or, in two lines, both; then the flow without its statistics.
impl fmt::Display for Change<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::Added(flow) => write_flow(f, '+', flow),
            Change::Removed(flow) => write_flow(f, '-', flow),
            Change::Changed { before, after } => {
                write_flow(f, '-', before)?;
                f.write_str("\n")?;
                write_flow(f, '+', after)
            }
        }
    }
}

fn write_flow(f: &mut fmt::Formatter<'_>, sign: char, flow: &Flow) -> fmt::Result {
    write!(f, "{sign}")?;
    if !flow.unsaid.cookie {
        write!(f, "cookie={:#x}, ", flow.cookie)?;
    }
    write!(f, "table={}, priority={}", flow.table, flow.priority)?;
    if !flow.matches.0.is_empty() {
        write!(f, ",{}", flow.matches)?;
    }
    for (i, action) in flow.actions.iter().enumerate() {
        write!(f, "{}{action}", if i == 0 { " actions=" } else { "," })?;
    }
    Ok(())
}

/// `TBL_INTERNAL`: Open vSwitch's own.
const INTERNAL_TABLE: u8 = 254;
