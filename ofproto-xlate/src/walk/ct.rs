//! Connection tracking.

use core::net::IpAddr;

use odp_actions::{
    Action as Datapath,
    action::{Ct as DatapathCt, CtAttr, Masked, Nat as DatapathNat, NatAttr},
};
use ofp_codec::{Ct, Nat, NatSide, NumberOrSubfield};

use super::{Walk, Walked};
use crate::{fields::at, unknown::Unknown};

impl Walk<'_> {
    pub(super) fn clear_conntrack(&mut self) {
        self.conntracked = false;
        self.flow.clear_conntrack();
    }

    pub(super) fn ct(&mut self, ct: &Ct, last: bool) -> Walked {
        let zone = match &ct.zone {
            None => 0,
            Some(NumberOrSubfield::Number(zone)) => *zone,
            Some(NumberOrSubfield::Subfield(field)) => {
                let place = self.place_of(field)?;
                if !(self.is_thawed && crate::fields::is_frozen(place)) {
                    self.mask.mask(place);
                }
                u16::try_from(self.flow.get_at(place)).unwrap_or(u16::MAX)
            }
            Some(_) => return Err(Unknown::Action(ct.to_string().into())),
        };
        self.commit()?;
        let (mark, label) = (self.mask.get_at(at::CT_MARK), self.mask.get_at(at::CT_LABEL));
        self.mask.clear(at::CT_MARK);
        self.mask.clear(at::CT_LABEL);
        self.nat.clone_from(&ct.nat);
        if self.nat.is_some() && self.switch.rules.mirrors_changed {
            self.mirrors = 0;
        }
        self.list(&ct.exec, last, false)?;
        let mut attrs = Vec::new();
        if ct.commit {
            attrs.push(if ct.force {
                CtAttr::ForceCommit
            } else {
                CtAttr::Commit
            });
            attrs.push(CtAttr::EventMask(EVENTS));
        }
        attrs.push(CtAttr::Zone(zone));
        let mark_mask = self.mask.u32(at::CT_MARK);
        if mark_mask != 0 {
            attrs.push(CtAttr::Mark(Masked {
                value: self.flow.u32(at::CT_MARK) & mark_mask,
                mask: mark_mask,
            }));
        }
        let label_mask = self.mask.get_at(at::CT_LABEL);
        if label_mask != 0 {
            attrs.push(CtAttr::Labels(Masked {
                value: self.flow.get_at(at::CT_LABEL) & label_mask,
                mask: label_mask,
            }));
        }
        let helper = match ct.alg {
            21 => Some(c"ftp"),
            69 => Some(c"tftp"),
            _ => None,
        };
        attrs.extend(helper.map(|helper| CtAttr::Helper(helper.into())));
        attrs.extend(self.nat.as_ref().map(|nat| CtAttr::Nat(datapath_nat(nat))));
        self.actions.push(Datapath::Ct(DatapathCt::new(attrs)));
        self.mask.put(at::CT_MARK, mark);
        self.mask.put(at::CT_LABEL, label);
        if let Some(table) = &ct.table {
            let table = *table.number().ok_or(Unknown::Missing("the name of a table"))?;
            self.conntracked = true;
            self.freezing.is_on = true;
            let (flow, nat) = (self.flow, self.nat.clone());
            if let Some(number) = self.recirculate(table) {
                self.forks.push((number, forked(flow, zone, nat.as_ref())));
            }
        }
        self.nat = None;
        self.clear_conntrack();
        Ok(())
    }
}

/// The packet as it comes back from connection tracking, but for the state, which the caller chooses.
fn forked(mut flow: crate::fields::Fields, zone: u16, nat: Option<&Nat>) -> crate::fields::Fields {
    flow.put(at::CT_ZONE, zone);
    let Some(nat) = nat else { return flow };
    let (v4, v6, port) = match nat.side {
        Some(NatSide::Src) => (at::NW_SRC, at::IPV6_SRC, at::TP_SRC),
        Some(NatSide::Dst) => (at::NW_DST, at::IPV6_DST, at::TP_DST),
        _ => return flow,
    };
    match nat.min_addr {
        Some(IpAddr::V4(addr)) => flow.put(v4, addr.to_bits()),
        Some(IpAddr::V6(addr)) => flow.put(v6, addr.to_bits()),
        None => {}
    }
    if let Some(number) = nat.min_port.filter(|number| *number != 0) {
        flow.put(port, number);
    }
    flow
}

fn datapath_nat(nat: &Nat) -> DatapathNat {
    let mut attrs = Vec::new();
    match nat.side {
        Some(NatSide::Src) => attrs.push(NatAttr::Src),
        Some(NatSide::Dst) => attrs.push(NatAttr::Dst),
        _ => return DatapathNat::new(attrs),
    }
    if nat.persistent {
        attrs.push(NatAttr::Persistent);
    }
    if nat.hash {
        attrs.push(NatAttr::ProtoHash);
    } else if nat.random {
        attrs.push(NatAttr::ProtoRandom);
    }
    if let Some(min) = nat.min_addr {
        attrs.push(NatAttr::IpMin(min));
        attrs.extend(nat.max_addr.filter(|max| *max > min).map(NatAttr::IpMax));
        if let Some(min) = nat.min_port.filter(|min| *min != 0) {
            attrs.push(NatAttr::ProtoMin(min));
            attrs.extend(nat.max_port.filter(|max| *max > min).map(NatAttr::ProtoMax));
        }
    }
    DatapathNat::new(attrs)
}

/// `OVS_CT_EVENTMASK_DEFAULT`: new, related, destroyed, mark and labels.
const EVENTS: u32 = 0x487;
