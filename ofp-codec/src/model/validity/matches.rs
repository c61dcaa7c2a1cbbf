//! Fields of a match that do not count.

use alloc::{collections::BTreeSet, vec::Vec};

use crate::model::{
    canonical::bits::{IPV4, IPV6, MatchBits, holder},
    field::{Field, Prerequisite},
    matches::{FieldMatch, Match, MatchEntry, Value},
    validity::{Problem, has_value, packet::Packet},
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
    let sent = MatchBits::of(matches).pruned();
    for field in seen {
        let info = field.info();
        // `gtpu_flags` and `gtpu_msgtype` are no names of fields.
        if matches!(field, Field::TunGtpuFlags | Field::TunGtpuMsgtype) {
            found.push(Problem::Printed(field));
        }
        let later = is_port(field) && packet.is_later_port() && sent.speak_of(field);
        if info.headers.is_empty() && !has_own_place(field) {
            found.push(Problem::NotMatchable(field));
        } else if !later && !packet.matches(info.prerequisite) && !is_sent(field, &sent) {
            found.push(Problem::Ignored(field));
        } else if !packet.matches(info.prerequisite) || later {
            found.push(Problem::MatchPrerequisite(field));
        }
    }
    values(matches, found);
    connection(&packet, found);
    options(matches, found);
}

/// Values that the message has room for, and a switch refuses.
fn values(matches: &Match, found: &mut Vec<Problem>) {
    for entry in &matches.0 {
        let MatchEntry::Field(FieldMatch { field, value, mask }) = entry else {
            continue;
        };
        let mask = mask.unwrap_or(u128::MAX);
        let number = match field {
            _ if mask == 0 => None,
            // Text is read bit by bit, whether they count or not.
            Field::CtState | Field::TcpFlags => value.number(),
            Field::NshTtl | Field::NshMdtype => value.number().map(|number| number & mask),
            _ => None,
        };
        let value = number.map(Value::Number);
        if value.is_some_and(|value| !has_value(*field, &value)) {
            found.push(Problem::MatchValue(*field));
        }
    }
}

/// A match on the original addresses of a connection is one on packets of their family
/// (`ofputil_decode_flow_mod` in lib/ofp-flow.c).
fn connection(packet: &Packet, found: &mut Vec<Problem>) {
    let kind = packet.masked(Field::EthType).0;
    for (field, family) in [
        (Field::CtNwSrc, IPV4),
        (Field::CtNwDst, IPV4),
        (Field::CtIpv6Src, IPV6),
        (Field::CtIpv6Dst, IPV6),
    ] {
        let wrong = packet.masked(field).1 != 0 && kind != family && packet.matches(Prerequisite::Ct);
        found.extend(wrong.then_some(Problem::Connection(field)));
    }
}

/// Options of tunnels: without a table of a switch there are 256 bytes for them, and each is there once.
fn options(matches: &Match, found: &mut Vec<Problem>) {
    let mut used = 0;
    for entry in &matches.0 {
        let MatchEntry::Field(entry) = entry else { continue };
        if entry.field.info().bits > 128 {
            used += option_len(entry);
            found.extend((used > MAX_OPTIONS).then_some(Problem::Options(entry.field)));
        }
    }
}

/// The bytes of an option, of which zeros at the beginning are none (`mf_field_len` in lib/meta-flow.c).
fn option_len(entry: &FieldMatch) -> usize {
    let of_number = |number: u128| 16 - usize::try_from(number.leading_zeros() / 8).unwrap_or(0);
    let of_bytes = |bytes: &[u8]| bytes.len() - bytes.iter().take_while(|byte| **byte == 0).count();
    let len = match &entry.value {
        Value::Number(number) => of_number(*number).max(entry.mask.map_or(0, of_number)),
        Value::Wide(wide) => of_bytes(&wide.value).max(wide.mask.as_deref().map_or(0, of_bytes)),
        _ => 0,
    };
    len.max(1)
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

/// Whether the field is one of a port, of whatever protocol.
fn is_port(field: Field) -> bool {
    matches!(holder(field), Field::TcpSrc | Field::TcpDst)
        && !matches!(
            field.info().prerequisite,
            Prerequisite::Icmpv4 | Prerequisite::Icmpv6
        )
}

/// Whether Open vSwitch writes a field without a look at its prerequisite (`nx_put_raw` in
/// lib/nx-match.c). Bits that fields of several protocols share it writes as those of the protocol that
/// is matched.
fn is_sent(field: Field, sent: &MatchBits) -> bool {
    let shared = matches!(
        holder(field),
        Field::TcpSrc
            | Field::TcpDst
            | Field::IpProto
            | Field::IpSrc
            | Field::IpDst
            | Field::ArpSha
            | Field::ArpTha
    );
    let ip = matches!(sent.eth_type(), IPV4 | IPV6);
    match field {
        Field::EthSrc | Field::EthDst => true,
        Field::Ipv6Label => ip,
        _ => !shared && sent.speak_of(field),
    }
}

/// Fields without a header that say what another one can.
fn has_own_place(field: Field) -> bool {
    matches!(field, Field::DlVlan | Field::DlVlanPcp)
}

/// `TUN_METADATA_TOT_OPT_SIZE`.
const MAX_OPTIONS: usize = 256;
