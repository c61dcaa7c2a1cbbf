//! Arguments that an action cannot have, whatever packets it is for.

use alloc::vec::Vec;

use crate::model::{
    action::{
        Action,
        ct::{FTP, Nat, NumberOrSubfield, TFTP},
        encap::{Encap, NshProperty},
    },
    field::Field,
    flow::Flow,
    port::{NumberOrName, Port, PortRef, TableRef},
    subfield::Subfield,
    validity::{Problem, has_value},
};

/// The arguments of all actions of a flow, those inside of others included.
pub(super) fn check(flow: &Flow, found: &mut Vec<Problem>) {
    list(&flow.actions, found);
}

fn list(actions: &[Action], found: &mut Vec<Problem>) {
    for action in actions {
        found.extend(argument(action));
        match action {
            Action::Clone(inner) | Action::WriteActions(inner) => list(inner, found),
            Action::Ct(ct) => list(&ct.exec, found),
            _ => {}
        }
    }
}

/// What is wrong with the arguments of one action.
fn argument(action: &Action) -> Option<Problem> {
    let refuse = |wrong: bool, word| wrong.then_some(Problem::Argument(word));
    match action {
        Action::PushVlan(kind) => refuse(!matches!(kind, 0x8100 | 0x88a8), "push_vlan"),
        Action::PushMpls(kind) => refuse(!matches!(kind, 0x8847 | 0x8848), "push_mpls"),
        Action::ModVlanVid(vid) => refuse(*vid > 0xfff, "mod_vlan_vid"),
        Action::SetVlanVid(vid) => refuse(*vid > 0xfff, "set_vlan_vid"),
        Action::ModVlanPcp(pcp) => refuse(*pcp > 7, "mod_vlan_pcp"),
        Action::SetVlanPcp(pcp) => refuse(*pcp > 7, "set_vlan_pcp"),
        Action::ModNwTos(tos) => refuse(tos & 3 != 0, "mod_nw_tos"),
        Action::ModNwEcn(ecn) => refuse(*ecn > 3, "mod_nw_ecn"),
        Action::SetMplsLabel(label) => refuse(*label > 0xf_ffff, "set_mpls_label"),
        Action::SetMplsTc(tc) => refuse(*tc > 7, "set_mpls_tc"),
        Action::OutputTrunc { port, max_len } => {
            let reserved = reserved(port, |port| matches!(port, Port::IN_PORT | Port::LOCAL));
            refuse(*max_len < MIN_TRUNC, "output").or(reserved)
        }
        Action::Conjunction {
            clause, n_clauses, ..
        } => {
            let allowed = (2..=64).contains(n_clauses) && (1..=*n_clauses).contains(clause);
            refuse(!allowed, "conjunction")
        }
        Action::Resubmit { port, table, .. } => {
            let here = port.is_none() || *port == Some(Port::IN_PORT.into());
            let same = table.is_none() || *table == Some(NO_TABLE);
            (here && same).then_some(Problem::ResubmitNowhere)
        }
        Action::Learn(learn) => {
            let wide = learn.result_dst.as_ref().is_some_and(|dst| dst.len() != Some(1));
            refuse(learn.table == NO_TABLE || wide, "learn")
        }
        Action::Multipath(multipath) => {
            let links = multipath.n_links;
            let bits = links.next_power_of_two().trailing_zeros();
            let few = multipath.dst.len().is_some_and(|len| u32::from(len) < bits);
            refuse(few || !(1..=0x1_0000).contains(&links), "multipath")
        }
        Action::Bundle(bundle) => {
            let few = bundle
                .dst
                .as_ref()
                .is_some_and(|dst| dst.len().is_some_and(|len| len < 16));
            refuse(few || bundle.members.len() > MAX_MEMBERS, "bundle")
        }
        Action::Sample(sample) => {
            let bits = |id: &NumberOrSubfield<u32>| match id {
                NumberOrSubfield::Subfield(src) => bits(src, "sample", |len| len <= 32),
                NumberOrSubfield::Number(_) => None,
            };
            refuse(sample.probability == 0, "sample")
                .or_else(|| bits(&sample.obs_domain_id))
                .or_else(|| bits(&sample.obs_point_id))
        }
        Action::Ct(ct) => {
            let zone = match &ct.zone {
                Some(NumberOrSubfield::Subfield(src)) => bits(src, "ct", |len| len == 16),
                _ => None,
            };
            let plain = |nat: &Nat| *nat == Nat::default();
            let plain_action = |action: &Action| matches!(action, Action::Nat(nat) if plain(nat));
            let changes = !ct.nat.iter().all(plain) || !ct.exec.iter().all(plain_action);
            refuse(ct.force && !ct.commit || ct.table == Some(NO_TABLE), "ct")
                .or(zone)
                .or_else(|| refuse(!matches!(ct.alg, 0 | FTP | TFTP), "alg"))
                .or((changes && !ct.commit).then_some(Problem::CtWithoutCommit))
        }
        Action::CheckPktLarger { dst, .. } => bits(dst, "check_pkt_larger", |len| len == 1),
        Action::Encap(Encap::Nsh(properties)) => refuse(!properties.iter().all(is_known), "encap"),
        Action::Decap(Some(below)) => refuse(below.namespace > MAX_NAMESPACE, "decap"),
        Action::SetField { field, value, mask } => {
            // OpenFlow 1.5, section 7.2.3.8: the bit that says that there is a tag must be set.
            let untagged = *field == Field::VlanVid
                && mask.is_none()
                && value.number().is_some_and(|vid| vid & CFI == 0);
            (untagged || !has_value(*field, value)).then_some(Problem::Value(*field))
        }
        _ => None,
    }
}

fn is_known(property: &NshProperty) -> bool {
    match property {
        NshProperty::MdType(kind) => matches!(kind, 1 | 2),
        NshProperty::Tlv { value, .. } => value.len() <= MAX_TLV,
    }
}

/// Bits of a field that an action cannot use.
fn bits(subfield: &Subfield, action: &'static str, fits: impl Fn(u16) -> bool) -> Option<Problem> {
    let field = subfield.field()?;
    let wrong = !fits(subfield.len()?);
    wrong.then_some(Problem::Bits { action, field })
}

/// A reserved port that is none of those allowed.
fn reserved(port: &PortRef, allowed: impl Fn(Port) -> bool) -> Option<Problem> {
    let port = *port.number()?;
    (port.exists() && port.0 >= MAX_PORT && !allowed(port)).then_some(Problem::OutPort(port))
}

/// The table that stands for none.
const NO_TABLE: TableRef = NumberOrName::Number(255);
/// `ETH_HEADER_LEN`.
const MIN_TRUNC: u32 = 14;
/// `BUNDLE_MAX_MEMBERS`.
const MAX_MEMBERS: usize = 2048;
/// Bytes of an option of NSH: with its header a property of 255 bytes at most, padded.
const MAX_TLV: usize = 240;
/// Of `enum ofp_header_type_namespaces`.
const MAX_NAMESPACE: u16 = 4;
/// `OFPP_MAX`.
const MAX_PORT: u32 = 0xff00;
/// `OFPVID12_PRESENT`.
const CFI: u128 = 0x1000;
