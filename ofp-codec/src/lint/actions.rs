//! Actions that the packets of a flow do not allow, or that stand where they may not.

use alloc::vec::Vec;

use crate::{
    lint::{
        Problem,
        packet::{Packet, needs},
    },
    model::{
        action::{
            Action,
            ct::NumberOrSubfield,
            learn::{Learn, LearnSpec},
        },
        field::{Field, Prerequisite},
        flow::Flow,
        matches::{FieldMatch, Match, MatchEntry, Value},
        subfield::Subfield,
    },
};

/// Follows the actions of a flow in their order, and what they make of its packets.
pub(super) fn check(flow: &Flow, found: &mut Vec<Problem>) {
    Checker {
        packet: Packet::of(&flow.matches),
        in_ct: false,
        in_set: false,
        found,
    }
    .list(&flow.actions);
}

struct Checker<'a> {
    packet: Packet,
    in_ct: bool,
    /// In the action set, of which it is not known what packets it is for.
    in_set: bool,
    found: &'a mut Vec<Problem>,
}

impl Checker<'_> {
    fn list(&mut self, actions: &[Action]) {
        actions.iter().for_each(|action| self.action(action));
    }

    /// The actions inside another one, which see the packet as it is and do not change it.
    fn nested(&mut self, actions: &[Action], in_ct: bool) {
        let mut inner = Checker {
            packet: self.packet.clone(),
            in_ct,
            in_set: self.in_set,
            found: &mut *self.found,
        };
        inner.list(actions);
    }

    fn action(&mut self, action: &Action) {
        if let Some((packets, word)) = needs(action).filter(|_| !self.in_set) {
            if !packets.iter().any(|packet| self.packet.has(*packet)) {
                self.found.push(Problem::Inconsistent(word));
            }
        }
        match action {
            Action::SetField { field, value, mask } => {
                self.writes(*field);
                match mask {
                    Some(0) => self.found.push(Problem::Printed(*field)),
                    Some(mask) if !field.info().maskable && *mask != field.mask_max() => {
                        self.found.push(Problem::Mask(*field));
                    }
                    _ => {}
                }
                self.only_in_ct(*field);
                self.needs_tag(*field);
                if !has_value(*field, value) {
                    self.found.push(Problem::Value(*field));
                }
            }
            Action::Load { dst, .. } => {
                self.sets_in_ct(dst);
                dst.field().into_iter().for_each(|field| self.needs_tag(field));
            }
            Action::Pop(dst) | Action::CheckPktLarger { dst, .. } => self.sets(dst),
            Action::Move { src, dst } => {
                self.reads(src);
                self.sets_in_ct(dst);
            }
            Action::OutputReg(src) | Action::Push(src) => self.reads(src),
            Action::Bundle(bundle) => {
                if let Some(dst) = &bundle.dst {
                    self.sets(dst);
                }
            }
            Action::Multipath(multipath) => self.sets(&multipath.dst),
            Action::Sample(sample) => {
                for id in [&sample.obs_domain_id, &sample.obs_point_id] {
                    if let NumberOrSubfield::Subfield(src) = id {
                        self.reads(src);
                    }
                }
            }
            Action::Ct(ct) => {
                if let Some(NumberOrSubfield::Subfield(src)) = &ct.zone {
                    self.reads(src);
                }
                if !self.packet.has(Prerequisite::Ip) {
                    self.found.push(Problem::CtNotIp);
                }
                self.nested(&ct.exec, true);
            }
            Action::Nat(_) if !self.in_ct => self.found.push(Problem::NatOutsideCt),
            Action::Clone(actions) => self.nested(actions, self.in_ct),
            Action::WriteActions(actions) => {
                self.in_set = true;
                self.nested(actions, self.in_ct);
                self.in_set = false;
            }
            Action::Learn(learn) => self.learn(learn),
            Action::PushVlan(_) | Action::ModVlanVid(_) | Action::ModVlanPcp(_) => {
                self.packet.has_vlan = true;
            }
            Action::StripVlan | Action::PopVlan => self.packet.has_vlan = false,
            Action::PushMpls(kind) | Action::PopMpls(kind) => self.packet.eth_type = (*kind).into(),
            Action::Encap(_) | Action::Decap(_) => self.packet.lost = true,
            Action::UnrollXlate { .. } => self.found.push(Problem::Internal("unroll_xlate")),
            _ => {}
        }
    }

    fn reads(&mut self, src: &Subfield) {
        if let Some(field) = src.field().filter(|field| !self.has(*field)) {
            self.found.push(Problem::Prerequisite(field));
        }
    }

    fn sets(&mut self, dst: &Subfield) {
        if let Some(field) = dst.field() {
            self.writes(field);
        }
    }

    fn sets_in_ct(&mut self, dst: &Subfield) {
        self.sets(dst);
        if let Some(field) = dst.field() {
            self.only_in_ct(field);
        }
    }

    /// `pop` and others that are not named here may set these fields anywhere.
    fn only_in_ct(&mut self, field: Field) {
        if matches!(field, Field::CtMark | Field::CtLabel) && !self.in_ct {
            self.found.push(Problem::OutsideCt(field));
        }
    }

    fn writes(&mut self, field: Field) {
        if !field.info().writable {
            self.found.push(Problem::ReadOnly(field));
        } else if !self.has(field) {
            self.found.push(Problem::Prerequisite(field));
        }
    }

    /// `set_field` and `load` set the id of a tag that is there; setting all of it makes one.
    fn needs_tag(&mut self, field: Field) {
        if field == Field::VlanVid && !self.packet.has(Prerequisite::Vlan) {
            self.found.push(Problem::Prerequisite(field));
        }
        self.packet.has_vlan |= field == Field::VlanTci;
    }

    fn has(&self, field: Field) -> bool {
        self.packet.has(field.info().prerequisite)
    }

    /// What the learned flow matches is what its own actions may use (`learn_check`).
    fn learn(&mut self, learn: &Learn) {
        let mut learned = Match::default();
        for spec in &learn.specs {
            let (src, dst, field) = match spec {
                LearnSpec::MatchField { field, value } => {
                    learned.0.push(MatchEntry::Field(FieldMatch {
                        field: *field,
                        value: value.clone(),
                        mask: None,
                    }));
                    (None, None, Some(*field))
                }
                LearnSpec::MatchNumber { dst, .. } => (None, None, dst.field()),
                LearnSpec::MatchPacket { dst, src } => (Some(src.as_ref().unwrap_or(dst)), None, dst.field()),
                LearnSpec::LoadNumber { dst, .. } => (None, Some(dst), dst.field()),
                LearnSpec::LoadPacket { src, dst } => (Some(src), Some(dst), dst.field()),
                LearnSpec::Output(src) => (Some(src), None, None),
            };
            if let Some(src) = src {
                self.reads(src);
            }
            let packet = Packet::of(&learned);
            let Some(field) = field else { continue };
            let nxm = |field: Field| field.info().headers.iter().any(|header| header.experimenter == 0);
            if !nxm(field) {
                self.found.push(Problem::Learn(field));
            } else if !packet.has(field.info().prerequisite) {
                self.found.push(Problem::Prerequisite(field));
            } else if dst.is_some() && !field.info().writable {
                self.found.push(Problem::ReadOnly(field));
            }
        }
    }
}

/// `mf_is_value_valid` in lib/meta-flow.c, as far as a value's width does not say it.
pub(crate) fn has_value(field: Field, value: &Value) -> bool {
    match (field, value.number()) {
        (Field::NwTos, Some(tos)) => tos & 3 == 0,
        (Field::ArpOp, Some(op)) => op <= 0xff,
        (Field::NshTtl, Some(ttl)) => ttl <= 63,
        _ => true,
    }
}
