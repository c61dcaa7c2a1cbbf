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

use alloc::{
    collections::BTreeMap,
    string::{String, ToString},
    vec::Vec,
};
use core::{cmp::Reverse, fmt};

use crate::model::{flow::Flow, matches::Match, port::TableRef};

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
    /// Its cookie, its timeouts or its actions are others.
    Changed {
        /// The flow before.
        before: &'a Flow,
        /// The flow now.
        after: &'a Flow,
    },
}

/// What changed from `before` to `after`: by table, then from the highest priority down, then by
/// match.
///
/// A flow is known by its table, its priority and its match; if there are two of these, the later
/// one counts, as in a switch. Flows are compared in their [normal form](Flow::normal), so the two
/// dumps may be of different OpenFlow versions.
///
/// Both must call ports and tables by number, or both by name:
/// [`Flow::resolve`](crate::Flow::resolve) helps.
pub fn diff<'a>(before: &'a [Flow], after: &'a [Flow]) -> Vec<Change<'a>> {
    let before = by_key(before);
    let mut after = by_key(after);
    let mut changes = BTreeMap::new();
    for (key, (old, old_normal)) in before {
        let change = match after.remove(&key) {
            None => Some(Change::Removed(old)),
            Some((new, new_normal)) => (old_normal != new_normal).then_some(Change::Changed {
                before: old,
                after: new,
            }),
        };
        changes.extend(change.map(|change| (key, change)));
    }
    let added = after
        .into_iter()
        .map(|(key, (flow, _))| (key, Change::Added(flow)));
    changes.extend(added);
    changes.into_values().collect()
}

/// Sorts flows by table, then from the highest priority down, then by match; equal ones stay in
/// their order.
pub fn sort(flows: &mut [Flow]) {
    flows.sort_by_cached_key(|flow| key(&flow.normal()));
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

type Key = (TableRef, Reverse<u16>, String);

fn key(normal: &Flow) -> Key {
    (
        normal.table.clone(),
        Reverse(normal.priority),
        normal.matches.to_string(),
    )
}

fn by_key(flows: &[Flow]) -> BTreeMap<Key, (&Flow, Flow)> {
    let flows = flows.iter().map(|flow| {
        let normal = flow.normal();
        (key(&normal), (flow, normal_values(normal)))
    });
    flows.collect()
}

/// What is compared of flows of one key: their matches are the same, but may be written otherwise.
fn normal_values(normal: Flow) -> Flow {
    Flow {
        matches: Match::default(),
        unknown: Vec::new(),
        ..normal
    }
}

fn write_flow(f: &mut fmt::Formatter<'_>, sign: char, flow: &Flow) -> fmt::Result {
    write!(
        f,
        "{sign}cookie={:#x}, table={}, priority={}",
        flow.cookie, flow.table, flow.priority
    )?;
    if !flow.matches.0.is_empty() {
        write!(f, ",{}", flow.matches)?;
    }
    for (i, action) in flow.actions.iter().enumerate() {
        write!(f, "{}{action}", if i == 0 { " actions=" } else { "," })?;
    }
    Ok(())
}
