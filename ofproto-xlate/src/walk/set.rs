//! Actions that set fields, and the stack.

use ofp_codec::{Action, Field, Learn, LearnSpec, Subfield, Value};

use super::{Walk, Walked, list::CONTROLLER};
use crate::{
    fields::{CFI, Fields, Place, at, option_number, place, sub},
    matching::narrow,
    mpls,
    prerequisites::{self, ARP, IPV4, LATER, is_ip, is_mpls},
    trace::{Failure, What},
    unknown::Unknown,
};

impl Walk<'_> {
    /// Sets a place and puts it into the mask.
    pub(super) fn set_place(&mut self, place: Place, value: impl Into<u128>) {
        self.mask.mask(place);
        self.flow.put(place, value);
    }

    pub(super) fn set_ipv4(&mut self, place: Place, value: u32) {
        if self.flow.u16(at::DL_TYPE) == IPV4 {
            self.mask_ip_proto();
            self.set_place(place, value);
        }
    }

    pub(super) fn set_ip(&mut self, place: Place, value: u8) {
        if is_ip(&self.flow) {
            self.mask_ip_proto();
            self.set_place(place, value);
        }
    }

    pub(super) fn set_port(&mut self, place: Place, value: u16) {
        if is_ip(&self.flow) && self.flow.u8(at::NW_FRAG) & LATER == 0 {
            self.mask.mask(at::NW_PROTO);
            self.set_place(place, value);
        }
    }

    pub(super) fn mask_ip_proto(&mut self) {
        if self.switch.rules.masks_ip_proto {
            self.mask.mask(at::NW_PROTO);
        }
    }

    /// `set_field`: nothing, if the packet has no such field.
    pub(super) fn set_field(&mut self, field: Field, value: &Value, mask: Option<u128>) -> Walked {
        let Value::Number(number) = value else {
            return Err(Unknown::Field(field.name().into()));
        };
        let whole = u128::MAX >> (128 - u32::from(field.info().bits).min(128));
        self.set_bits(
            field,
            *number,
            mask.unwrap_or(u128::MAX).min(match field {
                Field::VlanVid => 0x1fff,
                Field::ArpOp => 0xff,
                _ => whole,
            }),
        )
    }

    /// `load`, which is a `set_field` of some bits.
    pub(super) fn load(&mut self, dst: &Subfield, value: u128) -> Walked {
        let unknown = || Unknown::Field(dst.to_string().into());
        let field = dst.field().ok_or_else(unknown)?;
        let (first, last) = dst.bits().ok_or_else(unknown)?;
        if last > 127 {
            return Err(unknown());
        }
        let mask = (u128::MAX >> (127 - (last - first))) << first;
        self.set_bits(field, value << first, mask)
    }

    fn set_bits(&mut self, field: Field, value: u128, mask: u128) -> Walked {
        if !prerequisites::check(field, &self.flow, &mut self.mask) {
            self.say(What::Note("unmet prerequisites, set_field ignored"));
            return Ok(());
        }
        self.mask_l3(field);
        if let Some(option) = option_number(field) {
            let there = sub(at::OPTIONS_PRESENT, u32::try_from(option).unwrap_or(0), 1);
            let place = self.bridge_ref().config.options.place(option);
            let place = place.ok_or_else(|| Unknown::Field(field.name().into()))?;
            self.flow.set_at(place, value, mask);
            self.flow.put(there, 1_u8);
            self.mask_write(place, mask);
            self.mask_write(there, 1);
            return Ok(());
        }
        let value = match field {
            Field::InPort | Field::InPortOxm | Field::ActsetOutput if mask >= 0xffff => narrow(value),
            _ => value,
        };
        self.mask_write(place(field), mask);
        self.flow.set_masked(field, value, mask);
        if matches!(field, Field::DlVlan | Field::VlanPcp | Field::DlVlanPcp) {
            self.flow.set_at(at::TCI[0], CFI.into(), CFI.into());
        }
        self.fix_tpid();
        Ok(())
    }

    fn fix_tpid(&mut self) {
        let has_tag = self.flow.u16(at::TCI[0]) & CFI != 0;
        if has_tag && self.flow.u16(at::TPID[0]) == 0 {
            self.flow.put(at::TPID[0], 0x8100_u16);
        } else if !has_tag {
            self.flow.clear(at::TPID[0]);
        }
    }

    /// What is written is looked at, but for the fields of tunnels since b21ba0834.
    fn mask_write(&mut self, place: Place, bits: u128) {
        let is_tunnel = match place {
            Place::Bits { word, .. } | Place::Wide(word) | Place::Across { word, .. } => {
                crate::fields::TUNNEL.contains(&word)
            }
            Place::Option(_) => true,
        };
        if !(is_tunnel && self.switch.rules.tunnel_writes_unmasked) {
            self.mask.mask_bits(place, bits);
        }
    }

    fn mask_l3(&mut self, field: Field) {
        use Field as F;
        if !self.switch.rules.masks_ip_proto {
            return;
        }
        let is_ip_field = matches!(
            field,
            F::IpSrc | F::IpDst | F::Ipv6Src | F::Ipv6Dst | F::Ipv6Label | F::NwTos | F::NwEcn | F::NwTtl
        );
        let is_arp_field = matches!(field, F::ArpOp | F::ArpSha | F::ArpTha | F::ArpSpa | F::ArpTpa);
        if is_ip(&self.flow) && is_ip_field || self.flow.u16(at::DL_TYPE) == ARP && is_arp_field {
            self.mask.mask(at::NW_PROTO);
        }
    }

    /// `move`: both fields are looked at, and both have to be there.
    pub(super) fn move_bits(&mut self, src: &Subfield, dst: &Subfield) -> Walked {
        let field = |subfield: &Subfield| {
            subfield
                .field()
                .ok_or_else(|| Unknown::Field(subfield.to_string().into()))
        };
        let (from, to) = (field(src)?, field(dst)?);
        if !prerequisites::check(to, &self.flow, &mut self.mask)
            || !prerequisites::check(from, &self.flow, &mut self.mask)
        {
            return Ok(());
        }
        let from_place = self.place_of(src)?;
        let value = self.flow.get_at(from_place);
        self.mask.mask(from_place);
        self.write(dst, value)
    }

    /// Writes bits of a field, whether the packet has it or not.
    pub(super) fn write(&mut self, dst: &Subfield, value: u128) -> Walked {
        let place = self.place_of(dst)?;
        self.mask_write(place, u128::MAX);
        self.flow.put(place, value);
        if let Some(option) = dst.field().and_then(option_number) {
            let there = sub(at::OPTIONS_PRESENT, u32::try_from(option).unwrap_or(0), 1);
            self.flow.put(there, 1_u8);
            self.mask_write(there, 1);
        }
        if matches!(
            dst.field(),
            Some(Field::DlVlan | Field::VlanPcp | Field::DlVlanPcp)
        ) {
            self.flow.set_at(at::TCI[0], CFI.into(), CFI.into());
        }
        self.fix_tpid();
        Ok(())
    }

    pub(super) fn push(&mut self, subfield: &Subfield) -> Walked {
        let place = self.place_of(subfield)?;
        let width = subfield
            .bits()
            .map_or(0, |(first, last)| u32::from(last - first) + 1);
        self.mask.mask(place);
        self.stack.push((self.flow.get_at(place), width.div_ceil(8)));
        Ok(())
    }

    pub(super) fn pop(&mut self, subfield: &Subfield) -> Walked {
        match self.stack.pop() {
            Some((value, _)) => self.write(subfield, value),
            None => {
                self.say(What::Note("stack underflow"));
                Ok(())
            }
        }
    }

    /// The bytes of the stack, with a byte of length for each entry.
    pub(super) fn stack_bytes(&self) -> usize {
        self.stack
            .iter()
            .map(|(_, bytes)| usize::try_from(*bytes).unwrap_or(0) + 1)
            .sum()
    }

    /// `true`: the list ends.
    pub(super) fn dec_ttl(&mut self, controllers: Option<&[u16]>) -> Walked<bool> {
        if self.switch.rules.masks_ip_proto {
            self.mask.mask(at::NW_PROTO);
        }
        self.mask.mask(at::NW_TTL);
        if !is_ip(&self.flow) {
            return Ok(false);
        }
        self.mask.mask(at::NW_TTL);
        match self.flow.u8(at::NW_TTL) {
            ttl @ 2.. => {
                self.flow.put(at::NW_TTL, ttl - 1);
                Ok(false)
            }
            _ => {
                for id in controllers.unwrap_or(&[0]) {
                    self.send_to_controller(u16::MAX, INVALID_TTL, *id, None, &[])?;
                }
                self.say(What::Note("decrement TTL exception"));
                Ok(true)
            }
        }
    }

    pub(super) fn set_mpls(&mut self, first: u32, width: u32, value: u32) {
        if is_mpls(self.flow.u16(at::DL_TYPE)) {
            self.set_place(sub(at::MPLS[0], first, width), value);
        }
    }

    pub(super) fn dec_mpls_ttl(&mut self) -> Walked<bool> {
        if is_mpls(self.flow.u16(at::DL_TYPE)) {
            let place = sub(at::MPLS[0], 0, 8);
            self.mask.mask(place);
            if let ttl @ 2.. = self.flow.u8(place) {
                self.flow.put(place, ttl - 1);
                return Ok(false);
            }
            self.send_to_controller(u16::MAX, INVALID_TTL, 0, None, &[])?;
        }
        self.say(What::Note("MPLS decrement TTL exception"));
        Ok(true)
    }

    pub(super) fn push_mpls(&mut self, eth_type: u16) -> Walked {
        let count = mpls::count(&self.flow, &mut self.mask);
        if count == 0 {
            self.commit()?;
        } else if count >= at::MPLS.len() {
            self.failure = Some(Failure::TooManyMplsLabels);
            return Ok(());
        }
        mpls::push(&mut self.flow, count, eth_type, &mut self.mask, true);
        Ok(())
    }

    pub(super) fn pop_mpls(&mut self, eth_type: u16) {
        let count = mpls::count(&self.flow, &mut self.mask);
        if mpls::pop(&mut self.flow, count, eth_type, &mut self.mask) {
            if !is_mpls(eth_type) {
                self.was_mpls = true;
            }
        } else if count >= at::MPLS.len() {
            self.failure = Some(Failure::TooManyMplsLabels);
            self.actions.clear();
        }
    }

    /// A trace learns nothing, but the fields that would be learned from are looked at.
    pub(super) fn learn(&mut self, learn: &Learn) -> Walked {
        for spec in &learn.specs {
            if let Some(source) = source_of(spec) {
                let place = self.place_of(source)?;
                self.mask.mask(place);
            }
        }
        self.say(What::Note("suppressing side effects, so learn action ignored"));
        Ok(())
    }

    /// Whether a copy of the packet has to be kept until the labels below are known.
    pub(super) fn freeze_for_mpls(&mut self, action: &Action) {
        if self.exit || !self.was_mpls {
            return;
        }
        let goes_on = match action {
            Action::Output(_)
            | Action::OutputTrunc { .. }
            | Action::Enqueue { .. }
            | Action::OutputReg(_)
            | Action::ModVlanVid(_)
            | Action::ModVlanPcp(_)
            | Action::SetVlanVid(_)
            | Action::SetVlanPcp(_)
            | Action::ModDlSrc(_)
            | Action::ModDlDst(_)
            | Action::SetTunnel(_)
            | Action::SetTunnel64(_)
            | Action::SetQueue(_)
            | Action::Group(_) => true,
            Action::SetField { field, .. } => !is_l3(*field),
            Action::Load { dst, .. } => dst.field().is_some_and(|field| !is_l3(field)),
            _ => false,
        };
        if !goes_on {
            self.freeze();
        }
    }

    pub(super) fn write_actions(&mut self, actions: &[Action]) -> Walked {
        for action in actions {
            if self.set_has_group {
                break;
            }
            match action {
                Action::Output(port) => {
                    let port = self.port_number(port)?;
                    self.flow.put(at::ACTSET_OUTPUT, port);
                }
                Action::Controller { .. } => self.flow.put(at::ACTSET_OUTPUT, CONTROLLER),
                Action::Group(_) => {
                    self.flow.put(at::ACTSET_OUTPUT, super::NO_OUTPUT);
                    self.set_has_group = true;
                }
                _ => {}
            }
        }
        self.action_set.extend_from_slice(actions);
        Ok(())
    }

    /// What the action set holds, in its order, and nothing more (`xlate_action_set`).
    pub(super) fn run_action_set(&mut self) -> Walked {
        let list = in_order(&core::mem::take(&mut self.action_set));
        if list.is_empty() {
            return Ok(());
        }
        self.in_action_set = true;
        self.say(What::Note("executing action set"));
        let result = self.list(&list, true, false);
        self.in_action_set = false;
        result
    }
}

/// The actions of a set in the order of OpenFlow (`ofpacts_execute_action_set` in `lib/ofp-actions.c`); without an output
/// nothing is left.
pub(super) fn in_order(set: &[Action]) -> Vec<Action> {
    let once = [
        |action: &Action| matches!(action, Action::StripVlan | Action::PopVlan),
        |action: &Action| matches!(action, Action::PopMpls(_)),
        |action: &Action| matches!(action, Action::Decap(_)),
        |action: &Action| matches!(action, Action::Encap(_)),
        |action: &Action| matches!(action, Action::PushMpls(_)),
        |action: &Action| matches!(action, Action::PushVlan(_)),
        |action: &Action| matches!(action, Action::DecTtl(_)),
        |action: &Action| matches!(action, Action::DecMplsTtl),
        |action: &Action| matches!(action, Action::DecNshTtl),
    ];
    let mut list: Vec<Action> = once
        .into_iter()
        .filter_map(|is| set.iter().rev().find(|action| is(action)).cloned())
        .collect();
    list.extend(set.iter().filter(|action| is_set_or_move(action)).cloned());
    let rank = |action: &Action| match action {
        Action::Ct(_) => 1,
        Action::CtClear => 2,
        Action::Resubmit { .. } => 3,
        Action::Output(_)
        | Action::Controller { .. }
        | Action::ControllerWith(_)
        | Action::OutputReg(_)
        | Action::OutputTrunc { .. } => 4,
        Action::Group(_) => 5,
        _ => 0,
    };
    let last = set
        .iter()
        .filter(|action| rank(action) > 0)
        .max_by_key(|action| rank(action));
    match last {
        Some(last) => {
            list.push(last.clone());
            list
        }
        None => Vec::new(),
    }
}

fn is_set_or_move(action: &Action) -> bool {
    matches!(
        action,
        Action::Load { .. }
            | Action::Move { .. }
            | Action::SetField { .. }
            | Action::ModDlSrc(_)
            | Action::ModDlDst(_)
            | Action::ModNwTos(_)
            | Action::ModNwEcn(_)
            | Action::ModNwTtl(_)
            | Action::ModNwSrc(_)
            | Action::ModNwDst(_)
            | Action::ModTpSrc(_)
            | Action::ModTpDst(_)
            | Action::SetMplsLabel(_)
            | Action::SetMplsTc(_)
            | Action::SetMplsTtl(_)
            | Action::SetQueue(_)
            | Action::SetTunnel(_)
            | Action::SetTunnel64(_)
            | Action::ModVlanPcp(_)
            | Action::SetVlanPcp(_)
            | Action::ModVlanVid(_)
            | Action::SetVlanVid(_)
    )
}

/// The field that a learned flow takes a value from.
fn source_of(spec: &LearnSpec) -> Option<&Subfield> {
    match spec {
        LearnSpec::MatchPacket { src: Some(src), .. }
        | LearnSpec::LoadPacket { src, .. }
        | LearnSpec::Output(src) => Some(src),
        // The field that has the same value.
        LearnSpec::MatchPacket { dst, src: None } => Some(dst),
        _ => None,
    }
}

/// Whether a field is that of a network header or one above it (`mf_is_l3_or_higher`).
fn is_l3(field: Field) -> bool {
    let word = match place(field) {
        Place::Bits { word, .. } | Place::Wide(word) | Place::Across { word, .. } => word,
        Place::Option(_) => 0,
    };
    word >= at::L3
}

const INVALID_TTL: u8 = 2;

impl Fields {
    /// Clears what connection tracking knows of the packet.
    pub(super) fn clear_conntrack(&mut self) {
        for place in [
            at::CT_STATE,
            at::CT_ZONE,
            at::CT_MARK,
            at::CT_LABEL,
            at::CT_NW_PROTO,
            at::CT_TP_SRC,
            at::CT_TP_DST,
            at::CT_NW_SRC,
            at::CT_NW_DST,
            at::CT_IPV6_SRC,
            at::CT_IPV6_DST,
        ] {
            self.clear(place);
        }
    }
}
