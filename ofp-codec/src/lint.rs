//! What is wrong with a flow that reads well.
//!
//! Open vSwitch refuses some flows, and of others it silently ignores a part: `nw_src=10.0.0.1`
//! without `ip` matches every packet. [`problems`] names both, and what a dump prints that `add-flow`
//! would not read.
//!
//! ```
//! use ofp_codec::{Field, lint::{Problem, problems}, text::FlowRef};
//!
//! let flow = FlowRef::parse(b"nw_src=10.0.0.1,reg0=1,reg0=2 actions=load:1->ct_mark,drop")?.to_flow()?;
//! let found = problems(&flow);
//! assert_eq!(found, [
//!     Problem::Repeated(Field::Reg0),
//!     Problem::Ignored(Field::IpSrc),
//!     Problem::OutsideCt(Field::CtMark),
//! ]);
//! assert_eq!(found[1].to_string(), "the match on nw_src is ignored: its prerequisite is not matched");
//! assert!(!found[1].is_refused() && found[2].is_refused());
//! # Ok::<(), ofp_codec::text::ParseError>(())
//! ```

mod references;
mod tables;

use alloc::{collections::BTreeSet, vec::Vec};

use crate::model::{
    action::{
        Action,
        ct::NumberOrSubfield,
        learn::{Learn, LearnSpec},
    },
    canonical::bits::MatchBits,
    field::{Field, Prerequisite},
    flow::Flow,
    matches::{Match, MatchEntry, Value},
    port::Port,
    subfield::Subfield,
    version::Version,
};

pub use crate::lint::tables::{TableProblem, table_problems};

/// What is wrong with a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Problem {
    /// The match speaks twice of a field: what it said first is forgotten.
    #[error("{} is matched more than once: only the last one counts", .0.info().printed)]
    Repeated(Field),
    /// The match on a field is ignored, because what it needs beside it is not matched.
    #[error("the match on {} is ignored: its prerequisite is not matched", .0.info().printed)]
    Ignored(Field),
    /// OpenFlow has no way to match the field.
    #[error("no OpenFlow version can match {0}")]
    NotMatchable(Field),
    /// An action uses a field that the matched packets need not have.
    #[error("an action uses {0}, which the matched packets need not have")]
    Prerequisite(Field),
    /// An action sets a field that cannot be set.
    #[error("an action sets {0}, which cannot be set")]
    ReadOnly(Field),
    /// An action sets a field to a value that it cannot have.
    #[error("an action sets {0} to a value that it cannot have")]
    Value(Field),
    /// A field of the connection is set where no `ct` is around it.
    #[error("{0} is set outside of ct")]
    OutsideCt(Field),
    /// `nat` stands where no `ct` is around it.
    #[error("nat outside of ct")]
    NatOutsideCt,
    /// `ct` on packets that are not IP.
    #[error("ct on packets that are not IP")]
    CtNotIp,
    /// `learn` uses a field that only an experimenter's header has.
    #[error("learn cannot use {0}")]
    Learn(Field),
    /// An action does nothing to packets that the match lets pass. OpenFlow 1.0 has it so, later
    /// versions refuse the flow.
    #[error("{0} does nothing to some of the packets that match, and OpenFlow 1.1 and later refuse that")]
    Inconsistent(&'static str),
    /// An action sets some bits of a field that is read as a whole only: dumps of OpenFlow 1.5
    /// print that.
    #[error("an action sets some bits of {0}, which has no mask")]
    Mask(Field),
    /// A field prints under a name that it is not read by, or an action that sets none of its bits
    /// as `set_field:ANY`.
    #[error("open vSwitch cannot read what it prints for {0}")]
    Printed(Field),
    /// A port that no switch has: numbers have 16 bits, but for those of reserved ports.
    #[error("there is no port {}", .0.0)]
    Port(Port),
    /// A name of a port or a table that breaks the line: Open vSwitch prints quotes, but does not
    /// understand them.
    #[error("the name of a port or a table breaks the line")]
    Name,
    /// An action that exists inside Open vSwitch only.
    #[error("{0} is internal to Open vSwitch")]
    Internal(&'static str),
    /// An action that is an instruction of OpenFlow 1.1 stands in the wrong place.
    #[error("{0} is in the wrong place")]
    Order(&'static str),
}

impl Problem {
    /// Whether Open vSwitch refuses the flow for it, in every version.
    pub fn is_refused(self) -> bool {
        !matches!(
            self,
            Problem::Repeated(_) | Problem::Ignored(_) | Problem::Inconsistent(_) | Problem::Printed(_)
        )
    }

    /// The name of the error with which Open vSwitch refuses a message for it. What is wrong with
    /// values and with the order of actions it finds when it reads them.
    pub(crate) fn ofperr(self, version: Version) -> Option<&'static str> {
        match self {
            Problem::Inconsistent(_) if version == Version::V1_0 => None,
            Problem::Inconsistent(_) | Problem::Prerequisite(_) | Problem::CtNotIp => {
                Some("OFPBAC_MATCH_INCONSISTENT")
            }
            Problem::ReadOnly(_) => Some("OFPBAC_BAD_SET_ARGUMENT"),
            _ => None,
        }
    }
}

/// What is wrong with a flow: first with its match, then with its actions in their order.
pub fn problems(flow: &Flow) -> Vec<Problem> {
    let mut found = Vec::new();
    matches(&flow.matches, &mut found);
    let packet = Packet::of(&flow.matches);
    Checker {
        packet,
        in_ct: false,
        in_set: false,
        found: &mut found,
    }
    .list(&flow.actions);
    references::check(flow, &mut found);
    order(&flow.actions, &mut found);
    found
}

fn matches(matches: &Match, found: &mut Vec<Problem>) {
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

/// What is known of a packet.
#[derive(Clone)]
struct Packet {
    bits: MatchBits,
    eth_type: u128,
    has_vlan: bool,
    /// After `encap` or `decap` nothing is.
    lost: bool,
}

impl Packet {
    fn of(matches: &Match) -> Self {
        let bits = MatchBits::of(matches);
        Packet {
            eth_type: bits.eth_type(),
            has_vlan: bits.has_vlan(),
            bits,
            lost: false,
        }
    }

    /// Whether it has what a field needs.
    fn has(&self, prerequisite: Prerequisite) -> bool {
        let meets = |prerequisite| self.bits.meet(prerequisite, self.eth_type, self.has_vlan);
        // An action needs no valid connection, only a packet that may have one.
        let may_have = prerequisite == Prerequisite::Ct && meets(Prerequisite::Ip);
        self.lost || may_have || meets(prerequisite)
    }
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
                    learned.0.push(MatchEntry::Field(crate::FieldMatch {
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

/// What packets an action is for, one of these, as far as no field says it (`check_*` in
/// lib/ofp-actions.c); and its word.
fn needs(action: &Action) -> Option<(&'static [Prerequisite], &'static str)> {
    use Action as A;
    use Prerequisite as P;
    Some(match action {
        A::SetVlanVid(_) => (&[P::Vlan], "set_vlan_vid"),
        A::SetVlanPcp(_) => (&[P::Vlan], "set_vlan_pcp"),
        A::StripVlan => (&[P::Vlan], "strip_vlan"),
        A::PopVlan => (&[P::Vlan], "pop_vlan"),
        A::ModNwSrc(_) => (&[P::Ipv4], "mod_nw_src"),
        A::ModNwDst(_) => (&[P::Ipv4], "mod_nw_dst"),
        A::ModNwTos(_) => (&[P::Ip], "mod_nw_tos"),
        A::ModNwEcn(_) => (&[P::Ip], "mod_nw_ecn"),
        A::ModNwTtl(_) => (&[P::Ip], "mod_nw_ttl"),
        A::DecTtl(_) => (&[P::Ip], "dec_ttl"),
        A::ModTpSrc(_) => (&[P::Tcp, P::Udp, P::Sctp], "mod_tp_src"),
        A::ModTpDst(_) => (&[P::Tcp, P::Udp, P::Sctp], "mod_tp_dst"),
        A::FinTimeout { .. } => (&[P::Tcp], "fin_timeout"),
        A::SetMplsLabel(_) => (&[P::Mpls], "set_mpls_label"),
        A::SetMplsTc(_) => (&[P::Mpls], "set_mpls_tc"),
        A::SetMplsTtl(_) => (&[P::Mpls], "set_mpls_ttl"),
        A::DecMplsTtl => (&[P::Mpls], "dec_mpls_ttl"),
        A::PopMpls(_) => (&[P::Mpls], "pop_mpls"),
        A::DecNshTtl => (&[P::Nsh], "dec_nsh_ttl"),
        _ => return None,
    })
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

/// The instructions of OpenFlow 1.1 have an order (`ofpacts_verify` in lib/ofp-actions.c).
fn order(actions: &[Action], found: &mut Vec<Problem>) {
    let mut last = 0;
    for action in actions {
        let (place, name) = match action {
            Action::Meter(_) => (0, "meter"),
            Action::ClearActions => (2, "clear_actions"),
            Action::WriteActions(_) => (3, "write_actions"),
            Action::WriteMetadata { .. } => (4, "write_metadata"),
            Action::GotoTable(_) => (5, "goto_table"),
            _ => (1, "an action"),
        };
        if place < last {
            found.push(Problem::Order(name));
        }
        last = last.max(place);
    }
}
