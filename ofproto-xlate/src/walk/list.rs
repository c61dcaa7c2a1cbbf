//! A list of actions, one after the other (`do_xlate_actions`). What an action does stands in the module that is named after it.

use ofp_codec::{Action, PortRef, Subfield, TableRef};

use super::{Walk, Walked, clone::Lists};
use crate::{
    config::NO_PORT,
    fields::{Place, at, place, sub},
    matching::narrow,
    release::Rules,
    trace::What,
    unknown::Unknown,
};

/// How a list goes on behind an action.
pub(super) enum Flow {
    /// With the next action.
    Next,
    /// With the next one; what freezes in it has kept it already.
    Done,
    /// Not at all.
    Return,
    /// The action behind this one is the first that is done later.
    FreezeBehind,
    /// What follows was done inside of the action.
    Consumed,
}

impl Walk<'_> {
    /// Does the actions. `is_last`: no action of a flow follows behind the list; `in_bucket`: they are those of a group.
    pub(super) fn list(&mut self, actions: &[Action], is_last: bool, in_bucket: bool) -> Walked {
        let mut consumed = false;
        let mut at = 0;
        while at < actions.len() {
            let action = &actions[at];
            if self.failure.is_some() {
                break;
            }
            self.freeze_for_mpls(action);
            if self.exit || consumed {
                if self.freezing.is_on {
                    self.keep_for_later(&actions[at..]);
                }
                break;
            }
            self.forget_mirrors(action);
            self.say(What::Action(action.to_string().into()));
            let last = is_last && at + 1 == actions.len() && self.action_set.is_empty();
            let mut first_kept = at;
            match self.action(action, &actions[at + 1..], last, in_bucket)? {
                Flow::Next => {}
                Flow::Done => {
                    at += 1;
                    continue;
                }
                Flow::Return => return Ok(()),
                Flow::FreezeBehind => first_kept = at + 1,
                Flow::Consumed => consumed = true,
            }
            if self.failure.is_none() && self.exit && self.freezing.actions.is_empty() {
                self.keep_for_later(&actions[first_kept..]);
                break;
            }
            at = first_kept + 1;
        }
        Ok(())
    }

    #[allow(clippy::too_many_lines, reason = "a row an action")]
    fn action(&mut self, action: &Action, rest: &[Action], last: bool, in_bucket: bool) -> Walked<Flow> {
        match action {
            Action::Drop | Action::Note(_) => {}
            Action::Output(port) => {
                let port = self.port_number(port)?;
                self.output(port, u16::MAX, true, last, false, in_bucket)?;
            }
            Action::Controller { max_len } => {
                self.output(CONTROLLER, *max_len, true, last, false, in_bucket)?;
            }
            Action::ControllerWith(controller) => {
                if controller.pause {
                    self.freezing.pause = Some(controller.clone());
                    self.freeze();
                    return Ok(Flow::FreezeBehind);
                }
                let meter = controller
                    .meter_id
                    .map(|meter| self.meter_of(meter))
                    .transpose()?
                    .flatten();
                self.send_to_controller(
                    controller.max_len,
                    controller.reason.0,
                    controller.id,
                    meter,
                    &controller.userdata,
                )?;
            }
            Action::OutputReg(source) => self.output_register(source, last, in_bucket)?,
            Action::OutputTrunc { port, max_len } => {
                let port = self.port_number(port)?;
                self.output_truncated(port, *max_len, last, in_bucket)?;
            }
            Action::Enqueue { port, queue } => {
                let port = self.port_number(port)?;
                self.enqueue(port, *queue, last, in_bucket)?;
            }
            Action::SetQueue(queue) => {
                self.mask.mask(at::SKB_PRIORITY);
                if let Some(priority) = self.priority_of(*queue) {
                    self.flow.put(at::SKB_PRIORITY, priority);
                }
            }
            Action::PopQueue => {
                self.mask.mask(at::SKB_PRIORITY);
                self.flow.put(at::SKB_PRIORITY, self.came.u32(at::SKB_PRIORITY));
            }
            Action::Group(id) => {
                if self.group(*id, last)? {
                    return Ok(Flow::Return);
                }
            }
            Action::Resubmit { port, table, ct } => {
                let port = match port {
                    Some(port) => self.port_number(port)?,
                    None => IN_PORT,
                };
                let port = if port == IN_PORT {
                    self.flow.u16_port()
                } else {
                    port
                };
                let table = self.table_number(table.as_ref())?;
                self.table_action(port, table, false, *ct, last, Lists::Plain)?;
                return Ok(Flow::Done);
            }
            Action::GotoTable(table) => {
                let port = self.flow.u16_port();
                let table = self.table_number(Some(table))?;
                self.table_action(port, table, true, false, last, Lists::Plain)?;
                return Ok(Flow::Done);
            }
            Action::StripVlan | Action::PopVlan => self.pop_vlan(),
            Action::PushVlan(tpid) => self.push_vlan(*tpid),
            Action::ModVlanVid(vid) => self.set_vlan(at::TCI[0], *vid, 0xfff, true),
            Action::SetVlanVid(vid) => self.set_vlan(at::TCI[0], *vid, 0xfff, false),
            Action::ModVlanPcp(pcp) => self.set_vlan(at::TCI[0], u16::from(*pcp) << 13, 0xe000, true),
            Action::SetVlanPcp(pcp) => self.set_vlan(at::TCI[0], u16::from(*pcp) << 13, 0xe000, false),
            Action::ModDlSrc(mac) => self.set_place(at::DL_SRC, mac.to_bits()),
            Action::ModDlDst(mac) => self.set_place(at::DL_DST, mac.to_bits()),
            Action::ModNwSrc(addr) => self.set_ipv4(at::NW_SRC, addr.to_bits()),
            Action::ModNwDst(addr) => self.set_ipv4(at::NW_DST, addr.to_bits()),
            Action::ModNwTos(tos) => self.set_ip(sub(at::NW_TOS, 2, 6), tos >> 2),
            Action::ModNwEcn(ecn) => self.set_ip(sub(at::NW_TOS, 0, 2), *ecn),
            Action::ModNwTtl(ttl) => self.set_ip(at::NW_TTL, *ttl),
            Action::ModTpSrc(port) => self.set_port(at::TP_SRC, *port),
            Action::ModTpDst(port) => self.set_port(at::TP_DST, *port),
            Action::SetTunnel(id) => self.flow.put(at::TUN_ID, *id),
            Action::SetTunnel64(id) => self.flow.put(at::TUN_ID, *id),
            Action::SetField { field, value, mask } => self.set_field(*field, value, *mask)?,
            Action::Load { value, dst } => self.load(dst, *value)?,
            Action::Move { src, dst } => self.move_bits(src, dst)?,
            Action::Push(subfield) => self.push(subfield)?,
            Action::Pop(subfield) => self.pop(subfield)?,
            Action::DecTtl(controllers) => {
                if self.dec_ttl(controllers.as_deref())? {
                    return Ok(Flow::Return);
                }
            }
            Action::SetMplsLabel(label) => self.set_mpls(12, 20, *label),
            Action::SetMplsTc(tc) => self.set_mpls(9, 3, (*tc).into()),
            Action::SetMplsTtl(ttl) => self.set_mpls(0, 8, (*ttl).into()),
            Action::DecMplsTtl => {
                if self.dec_mpls_ttl()? {
                    return Ok(Flow::Return);
                }
            }
            Action::PushMpls(eth_type) => self.push_mpls(*eth_type)?,
            Action::PopMpls(eth_type) => self.pop_mpls(*eth_type),
            Action::Encap(encap) => self.encap(encap)?,
            Action::Decap(packet_type) => {
                if self.decap(*packet_type)? && self.failure.is_none() {
                    self.freeze();
                    return Ok(Flow::FreezeBehind);
                }
            }
            Action::DecNshTtl => {
                if self.dec_nsh_ttl()? {
                    return Ok(Flow::Return);
                }
            }
            Action::Multipath(multipath) => self.multipath(multipath)?,
            Action::Bundle(bundle) => self.bundle_action(bundle, last, in_bucket)?,
            Action::Learn(learn) => self.learn(learn)?,
            Action::FinTimeout { .. } => self.mask.mask(at::NW_PROTO),
            Action::Conjunction { .. } => self.say(What::Note("executing no-op conjunction action")),
            Action::Exit => self.exit = true,
            Action::UnrollXlate { table, cookie } => {
                self.table = *table;
                self.cookie = *cookie;
            }
            Action::ClearActions => {
                self.action_set.clear();
                self.flow.put(at::ACTSET_OUTPUT, super::NO_OUTPUT);
                self.set_has_group = false;
            }
            Action::WriteActions(actions) => self.write_actions(actions)?,
            Action::WriteMetadata { value, mask } => {
                let mask = mask.unwrap_or(u64::MAX);
                self.flow.set_at(at::METADATA, (*value).into(), mask.into());
            }
            Action::Meter(id) => {
                if let Some(meter) = self.meter_of(*id)? {
                    self.actions.push(odp_actions::Action::Meter(meter));
                }
            }
            Action::Sample(sample) => self.sample(sample)?,
            Action::Clone(actions) => self.copy(actions, last)?,
            Action::Ct(ct) => self.ct(ct, last)?,
            Action::Nat(nat) => self.nat = Some((**nat).clone()),
            Action::CtClear => {
                if self.conntracked {
                    self.clear_conntrack();
                    self.actions.push(odp_actions::Action::CtClear);
                }
            }
            Action::CheckPktLarger { len, dst } => {
                self.check_packet_larger(*len, dst, rest)?;
                return Ok(Flow::Consumed);
            }
            Action::DeleteField(field) => {
                let option = crate::fields::option_number(*field)
                    .ok_or_else(|| Unknown::Field(field.name().into()))?;
                let there = sub(at::OPTIONS_PRESENT, u32::try_from(option).unwrap_or(0), 1);
                self.flow.clear(there);
                if let Some(place) = self.bridge_ref().config.options.place(option) {
                    self.flow.clear(place);
                }
            }
            Action::DebugRecirc => {
                self.freeze();
                return Ok(Flow::FreezeBehind);
            }
            Action::DebugSlow => self.flags.slow_action = true,
            other => return Err(Unknown::Action(other.to_string().into())),
        }
        Ok(Flow::Next)
    }

    /// The number of a port, of 16 bits.
    pub(super) fn port_number(&self, port: &PortRef) -> Walked<u16> {
        match port {
            PortRef::Number(port) => Ok(u16::try_from(narrow(port.0.into())).unwrap_or(NO_PORT)),
            PortRef::Name(name) => {
                let port = self.bridge_ref().port_named(name);
                port.map(|port| port.number).ok_or_else(|| Unknown::Port {
                    port: name.clone(),
                    why: "there is none of this name".into(),
                })
            }
        }
    }

    fn table_number(&self, table: Option<&TableRef>) -> Walked<u8> {
        match table {
            None | Some(TableRef::Number(255)) => Ok(self.table),
            Some(TableRef::Number(number)) => Ok(*number),
            Some(TableRef::Name(_)) => Err(Unknown::Missing("the name of a table")),
        }
    }

    fn meter_of(&self, id: u32) -> Walked<Option<u32>> {
        let meters = &self.bridge_ref().config.meters;
        Ok(meters
            .iter()
            .find(|(number, _)| *number == id)
            .map(|(_, meter)| *meter))
    }

    /// Where the bits of a subfield stand.
    pub(super) fn place_of(&self, subfield: &Subfield) -> Walked<Place> {
        let unknown = || Unknown::Field(subfield.to_string().into());
        let field = subfield.field().ok_or_else(unknown)?;
        let (first, last) = subfield.bits().ok_or_else(unknown)?;
        let whole = match crate::fields::option_number(field) {
            Some(option) => self
                .bridge_ref()
                .config
                .options
                .place(option)
                .ok_or_else(unknown)?,
            None => place(field),
        };
        Ok(crate::fields::part(
            whole,
            first.into(),
            u32::from(last - first) + 1,
        ))
    }

    /// Whether a packet that was changed is a new one for mirrors.
    fn forget_mirrors(&mut self, action: &Action) {
        let rules: &Rules = &self.switch.rules;
        if rules.mirrors_changed && self.changes_packet(action, rules.mirrors_not_metadata) {
            self.mirrors = 0;
        }
    }
}

pub(super) const IN_PORT: u16 = 0xfff8;
pub(super) const TABLE: u16 = 0xfff9;
pub(super) const NORMAL: u16 = 0xfffa;
pub(super) const FLOOD: u16 = 0xfffb;
pub(super) const ALL: u16 = 0xfffc;
pub(super) const CONTROLLER: u16 = 0xfffd;
pub(super) const LOCAL: u16 = 0xfffe;
