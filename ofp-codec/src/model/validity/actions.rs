//! Actions that the packets of a flow, its table or the ports of a switch do not allow.

use alloc::vec::Vec;

use crate::model::{
    action::{
        Action,
        ct::{Ct, FTP, Nat, NumberOrSubfield, TFTP},
        learn::{Learn, LearnSpec},
    },
    canonical::bits::{IPV4, IPV6, TCP, UDP},
    field::{Field, Prerequisite},
    flow::Flow,
    matches::Match,
    port::{NumberOrName, Port, PortRef, TableRef},
    subfield::Subfield,
    validity::{Problem, packet::Packet},
};

/// Follows the actions of a flow in their order, and what they make of its packets (`ofpacts_check` in
/// lib/ofp-actions.c).
pub(super) fn check(flow: &Flow, found: &mut Vec<Problem>) {
    Checker {
        packet: Packet::of(&flow.matches),
        table: &flow.table,
        in_set: false,
        found,
    }
    .list(&flow.actions);
}

struct Checker<'a> {
    packet: Packet,
    table: &'a TableRef,
    /// In the action set, of which it is not known what packets it is for.
    in_set: bool,
    found: &'a mut Vec<Problem>,
}

impl Checker<'_> {
    fn list(&mut self, actions: &[Action]) {
        actions.iter().for_each(|action| self.action(action));
    }

    /// The actions inside another one, which see the packet as it is and do not change it.
    fn nested(&mut self, actions: &[Action], in_set: bool) {
        let mut inner = Checker {
            packet: self.packet.clone(),
            table: self.table,
            in_set: self.in_set || in_set,
            found: &mut *self.found,
        };
        inner.list(actions);
    }

    fn action(&mut self, action: &Action) {
        let ignored = self.packet.ignores(action).filter(|_| !self.in_set);
        self.found.extend(ignored.map(Problem::Inconsistent));
        match action {
            Action::Output(port) | Action::OutputTrunc { port, .. } => self.out_port(port, is_output),
            Action::Enqueue { port, .. } => self.out_port(port, is_queued),
            Action::SetField { field, mask, .. } => {
                match mask {
                    Some(0) => self.found.push(Problem::Printed(*field)),
                    Some(mask) if !field.info().maskable && *mask != field.mask_max() => {
                        self.found.push(Problem::Mask(*field));
                    }
                    _ => {}
                }
                self.writes(*field);
                self.needs_tag(*field);
            }
            Action::Load { dst, .. } => {
                self.sets(dst);
                dst.field().into_iter().for_each(|field| self.needs_tag(field));
            }
            Action::Pop(dst) => {
                self.named(dst);
                self.sets(dst);
            }
            Action::CheckPktLarger { dst, .. } => {
                self.named(dst);
                let read_only = dst.field().filter(|field| !field.info().writable);
                self.found.extend(read_only.map(Problem::ReadOnly));
            }
            Action::Move { src, dst } => {
                self.named(src);
                self.named(dst);
                self.reads(src);
                self.sets(dst);
            }
            Action::OutputReg(src) | Action::Push(src) => {
                self.named(src);
                self.reads(src);
            }
            Action::Bundle(bundle) => {
                bundle.dst.iter().for_each(|dst| self.sets(dst));
                let members = bundle.members.iter();
                members.for_each(|port| self.out_port(port, is_member));
            }
            Action::Multipath(multipath) => self.sets(&multipath.dst),
            Action::Ct(ct) => self.ct(ct),
            Action::Nat(nat) => self.nat(nat),
            Action::Resubmit { ct: true, .. } if !self.packet.has(Prerequisite::Ct) => {
                self.found.push(Problem::ResubmitCt);
            }
            Action::Meter(id) if !(1..=MAX_METER).contains(id) => self.found.push(Problem::Meter(*id)),
            Action::GotoTable(NumberOrName::Number(next)) => match self.table {
                NumberOrName::Number(table) if *table != ANY_TABLE && next <= table => {
                    self.found.push(Problem::GotoTable(*next));
                }
                _ => {}
            },
            Action::DeleteField(field) if field.info().bits <= 128 => {
                self.found.push(Problem::Argument("delete_field"));
            }
            Action::Clone(actions) => self.nested(actions, false),
            Action::WriteActions(actions) => self.nested(actions, true),
            Action::Learn(learn) => self.learn(learn),
            Action::UnrollXlate { .. } => self.found.push(Problem::Internal("unroll_xlate")),
            Action::DebugSlow => self.found.push(Problem::Internal("debug_slow")),
            Action::DebugRecirc => self.found.push(Problem::Internal("debug_recirc")),
            _ => {}
        }
        if !self.packet.apply(action) {
            self.found.push(Problem::TooManyTags);
        }
    }

    /// A port that there is and that packets cannot go to.
    fn out_port(&mut self, port: &PortRef, allowed: fn(Port) -> bool) {
        let wrong = port.number().filter(|port| port.exists() && !allowed(**port));
        self.found.extend(wrong.copied().map(Problem::OutPort));
    }

    /// A message names fields by their headers. Of other actions Open vSwitch makes something else.
    fn named(&mut self, bits: &Subfield) {
        let unnamed = bits.field().filter(|field| field.info().headers.is_empty());
        self.found.extend(unnamed.map(Problem::Unnamed));
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

    fn writes(&mut self, field: Field) {
        if !field.info().writable {
            self.found.push(Problem::ReadOnly(field));
        }
        if !self.has(field) {
            self.found.push(Problem::Prerequisite(field));
        }
    }

    /// `set_field` and `load` set the id of a tag that is there; setting all of it makes one.
    fn needs_tag(&mut self, field: Field) {
        if field == Field::VlanVid && !self.packet.has_tag() {
            self.found.push(Problem::Prerequisite(field));
        }
    }

    fn has(&self, field: Field) -> bool {
        self.packet.has(field.info().prerequisite)
    }

    /// `check_CT`.
    fn ct(&mut self, ct: &Ct) {
        let proto = self.packet.ip_proto();
        let invalid = self.packet.masked(Field::CtState).0 & CT_INVALID != 0;
        if !self.packet.is_ip() {
            self.found.push(Problem::CtNotIp);
        } else if ct.commit && invalid {
            self.found.push(Problem::CtInvalid);
        } else if ct.alg == FTP && proto != TCP || ct.alg == TFTP && proto != UDP {
            self.found.push(Problem::CtHelper);
        } else if let Some(NumberOrSubfield::Subfield(src)) = &ct.zone {
            // Open vSwitch looks no further then.
            self.reads(src);
        } else {
            ct.nat.iter().for_each(|nat| self.nat(nat));
            self.nested(&ct.exec, false);
        }
    }

    /// `check_NAT`.
    fn nat(&mut self, nat: &Nat) {
        let kind = self.packet.kind();
        let fits = match nat.min_addr {
            Some(addr) if addr.is_unspecified() => self.packet.is_ip(),
            Some(addr) => kind == if addr.is_ipv4() { IPV4 } else { IPV6 },
            None => self.packet.is_ip(),
        };
        if !fits {
            self.found.push(Problem::NatFamily);
        }
    }

    /// What the learned flow matches is what its own actions may use (`learn_check`).
    fn learn(&mut self, learn: &Learn) {
        let mut learned = Packet::of(&Match::default());
        for spec in &learn.specs {
            let (src, dst) = match spec {
                LearnSpec::MatchField { .. } => (None, None),
                LearnSpec::MatchNumber { dst, .. } | LearnSpec::LoadNumber { dst, .. } => (None, Some(dst)),
                LearnSpec::MatchPacket { dst, src } => (Some(src.as_ref().unwrap_or(dst)), Some(dst)),
                LearnSpec::LoadPacket { src, dst } => (Some(src), Some(dst)),
                LearnSpec::Output(src) => (Some(src), None),
            };
            if let Some(src) = src {
                self.reads(src);
            }
            let loads = matches!(spec, LearnSpec::LoadNumber { .. } | LearnSpec::LoadPacket { .. });
            let field = match spec {
                LearnSpec::MatchField { field, .. } => Some(*field),
                _ => dst.and_then(Subfield::field),
            };
            let Some(field) = field else { continue };
            let nxm = field.info().headers.iter().any(|header| header.experimenter == 0);
            if !nxm {
                self.found.push(Problem::Learn(field));
            } else if !learned.has(field.info().prerequisite) {
                self.found.push(Problem::Prerequisite(field));
            } else if loads && !field.info().writable {
                self.found.push(Problem::ReadOnly(field));
            }
            match spec {
                LearnSpec::MatchField { value, .. } => {
                    if let Some(number) = value.number() {
                        learned.set(field, number, None);
                    }
                }
                LearnSpec::MatchNumber { dst, value } => {
                    let (first, _) = dst.bits().unwrap_or((0, 0));
                    let shift = |bits: u128| bits.checked_shl(first.into()).unwrap_or(0);
                    let (old, mask) = learned.masked(field);
                    let (old, mask) = (old & !shift(dst.max()), mask | shift(dst.max()));
                    // What is not maskable is matched as a whole or not at all.
                    if field.info().maskable || mask == field.mask_max() {
                        learned.set(field, old | shift(*value), Some(mask));
                    }
                }
                _ => {}
            }
        }
    }
}

/// Whether packets can go to it (`ofpact_check_output_port`).
pub(crate) fn is_output(port: Port) -> bool {
    port.0 < MAX_PORT || (Port::IN_PORT..=Port::LOCAL).contains(&port)
}

/// Whether packets can wait for it in a queue.
fn is_queued(port: Port) -> bool {
    port.0 < MAX_PORT || port == Port::IN_PORT || port == Port::LOCAL
}

/// Whether it can be one of a bundle: there is no place for the bytes that a controller gets.
fn is_member(port: Port) -> bool {
    port == Port::ANY || is_output(port) && port != Port::CONTROLLER
}

/// `OFPP_MAX`: greater numbers are reserved ports, or none.
const MAX_PORT: u32 = 0xff00;
/// `OFPM13_MAX`.
const MAX_METER: u32 = 0xffff_0000;
/// The table of a message that is for every one.
const ANY_TABLE: u8 = 255;
/// `CS_INVALID`.
const CT_INVALID: u128 = 0x10;
