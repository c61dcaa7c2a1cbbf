//! Fields of a match that do not count.

use alloc::{collections::BTreeSet, vec::Vec};

use crate::{
    lint::{Problem, packet::Packet},
    model::{
        field::Field,
        matches::{Match, MatchEntry},
    },
};

/// Fields that are matched twice, without what they need, or cannot be matched or printed.
pub(super) fn check(matches: &Match, found: &mut Vec<Problem>) {
    let packet = Packet::of(matches);
    let mut seen = BTreeSet::new();
    for entry in &matches.0 {
        if let MatchEntry::Field(entry) = entry {
            if !seen.insert(entry.field) {
                found.push(Problem::Repeated(entry.field));
            }
        }
    }
    for field in [Field::EthType, Field::IpProto] {
        if !found.contains(&Problem::Repeated(field)) && contradicts(matches, field) {
            found.push(Problem::Repeated(field));
        }
    }
    for field in seen {
        let info = field.info();
        // `gtpu_flags` and `gtpu_msgtype` are no names of fields.
        if matches!(field, Field::TunGtpuFlags | Field::TunGtpuMsgtype) {
            found.push(Problem::Printed(field));
        }
        if info.headers.is_empty() && !has_own_place(field) {
            found.push(Problem::NotMatchable(field));
        } else if !packet.has(info.prerequisite) {
            found.push(Problem::Ignored(field));
        }
    }
}

/// Whether words and values say different things of a field: `tcp,udp`, but not `ip,tcp`.
fn contradicts(matches: &Match, field: Field) -> bool {
    let mut said = matches.0.iter().filter_map(|entry| match entry {
        MatchEntry::Protocol(protocol) => protocol.implies(field),
        MatchEntry::Field(entry) if entry.field == field => entry.value.number(),
        _ => None,
    });
    let first = said.next();
    said.any(|value| Some(value) != first)
}

/// Fields without a header that say what another one can.
fn has_own_place(field: Field) -> bool {
    matches!(field, Field::DlVlan | Field::DlVlanPcp)
}
