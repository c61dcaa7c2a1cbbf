//! The way of a packet through tables, bridges and groups (`ofproto/ofproto-dpif-xlate.c`).
//!
//! Changes of a packet are recorded in `flow` and become datapath actions when the packet is about to leave
//! ([`commit`](crate::commit)): `base` is the packet as the actions so far have made it.

mod clone;
mod controller;
mod ct;
mod encap;
mod freeze;
mod group;
mod list;
mod mirror;
mod normal;
mod output;
mod packet_size;
mod sample;
mod select;
mod set;
mod table;
mod tunnel;
mod vlan;

use odp_actions::Action as Datapath;
use ofp_codec::{Action, Controller, Nat};

use crate::{
    commit::{Commit, Pending},
    config::{BridgeConfig, PortKind},
    fields::{Fields, TUNNEL, at},
    packet::Packet,
    prerequisites::{TRACKED, is_ip, is_vlan},
    switch::{Bridge, Switch},
    trace::{Failure, Flags, Step, What},
    unknown::Unknown,
};

pub(crate) use freeze::Frozen;

/// What a step of a walk gives: it goes on, or it cannot be told how.
pub(crate) type Walked<T = ()> = Result<T, Unknown>;

/// The state of a walk.
pub(crate) struct Walk<'a> {
    pub(crate) switch: &'a Switch,
    /// The bridge that the packet is in.
    bridge: usize,
    pub(crate) flow: Fields,
    base: Fields,
    /// What was looked at.
    pub(crate) mask: Fields,
    /// The packet as it came.
    came: Fields,
    pub(crate) actions: Vec<Datapath>,
    /// The bytes of the lists around `actions`.
    outer: usize,
    counted: (usize, usize),
    table: u8,
    /// The flow whose actions are done: bridge, and its index there.
    rule: Option<(usize, usize)>,
    cookie: u64,
    pub(crate) depth: u32,
    pub(crate) resubmits: u32,
    exit: bool,
    pub(crate) failure: Option<Failure>,
    conntracked: bool,
    was_mpls: bool,
    stack: Vec<(u128, u32)>,
    action_set: Vec<Action>,
    set_has_group: bool,
    in_action_set: bool,
    pending: Pending,
    nat: Option<Nat>,
    freezing: Freezing,
    mirrors: u32,
    snaplen: u16,
    came_from_tunnel: (u32, u128),
    /// The states of packets that go on later; the number of one is its index and 1.
    pub(crate) frozen: Vec<Frozen>,
    /// Those that a trace follows: the number, and the packet then.
    pub(crate) forks: Vec<(u32, Fields)>,
    pub(crate) flags: Flags,
    pub(crate) steps: Vec<Step>,
    nesting: u32,
    /// Whether the packet came back from the datapath.
    is_thawed: bool,
    /// The port by which the packet came into the first bridge, unless it is a patch port.
    entry: Option<(usize, u16)>,
    first_bridge: usize,
    outputs: sample::Outputs,
}

/// What is left for later.
#[derive(Clone, Debug, Default)]
struct Freezing {
    is_on: bool,
    actions: Vec<Action>,
    /// The table and the cookie that the actions behind the last note have.
    unroll: Option<(u8, u64)>,
    hash: Option<(u32, u32)>,
    pause: Option<Box<Controller>>,
}

/// As many levels of resubmission as there may be (`MAX_DEPTH`).
pub(crate) const MAX_DEPTH: u32 = 64;
/// As many resubmissions as there may be (`MAX_RESUBMITS`).
pub(crate) const MAX_RESUBMITS: u32 = MAX_DEPTH * MAX_DEPTH;

impl<'a> Walk<'a> {
    pub(crate) fn new(switch: &'a Switch, bridge: usize, packet: &Packet) -> Self {
        let flow = packet.fields;
        let mut base = flow;
        base.clear_words(TUNNEL);
        Self {
            switch,
            bridge,
            base,
            mask: Fields::ZERO,
            came: flow,
            actions: Vec::new(),
            outer: 0,
            counted: (0, 0),
            table: 0,
            rule: None,
            cookie: u64::MAX,
            depth: 0,
            resubmits: 0,
            exit: false,
            failure: None,
            conntracked: false,
            was_mpls: false,
            stack: Vec::new(),
            action_set: Vec::new(),
            set_has_group: false,
            in_action_set: false,
            pending: Pending::default(),
            nat: None,
            freezing: Freezing::default(),
            mirrors: 0,
            snaplen: 0,
            came_from_tunnel: (flow.u32(at::TUN_DST), flow.get_at(at::TUN_IPV6_DST)),
            frozen: Vec::new(),
            forks: Vec::new(),
            flags: Flags::default(),
            steps: Vec::new(),
            nesting: 0,
            is_thawed: false,
            entry: None,
            first_bridge: bridge,
            outputs: sample::Outputs::default(),
            flow,
        }
    }

    /// The whole way of the packet. `frozen` is the state of one that was set aside.
    pub(crate) fn run(&mut self, frozen: Option<&Frozen>) -> Walked {
        self.flow.put(at::ACTSET_OUTPUT, NO_OUTPUT);
        self.start_mask();
        let entry = self.bridge_ref().port(self.base.u16_port());
        let entry = entry.filter(|port| !matches!(port.kind, PortKind::Patch(_)));
        self.entry = entry.map(|port| (self.bridge, port.number));
        self.say(What::Bridge(self.bridge_ref().config.name.clone()));
        if let Some(why) = self.bridge_ref().config.unmodelled {
            return Err(self.unknown_bridge(why));
        }
        let mut list: Option<Vec<Action>> = None;
        if let Some(frozen) = frozen {
            list = self.thaw(frozen);
        } else if self.flow.u32(at::RECIRC_ID) != 0 {
            self.failure = Some(Failure::NoRecirculationContext);
        } else if self.flow.u8(at::CT_STATE) & TRACKED != 0 {
            self.conntracked = true;
        }
        if self.failure.is_none() {
            self.go(frozen.is_some(), list)?;
        }
        if self.failure.is_some() {
            self.actions.clear();
            self.flags.slow_action = false;
        }
        self.finish_mask();
        self.tidy();
        Ok(())
    }

    fn go(&mut self, is_thawed: bool, list: Option<Vec<Action>>) -> Walked {
        self.is_thawed = is_thawed;
        let in_port = self.base.u16_port();
        let port = self.bridge_ref().port(in_port);
        if let Some(why) = port.and_then(|port| port.unmodelled.clone()) {
            return Err(self.unknown_port(in_port, why));
        }
        if self.flow.u32(at::PACKET_TYPE) != 0 && port.is_some() {
            return Err(self.unknown_bridge("packets without an Ethernet header"));
        }
        let receives = port.is_none_or(|port| {
            !(if self.is_stp() {
                port.no_receive_stp
            } else {
                port.no_receive
            })
        });
        let list = match list {
            Some(list) => list,
            None => {
                let port = self.flow.u16_port();
                let table = self.table;
                self.look_up(table, port, true, true)?
            }
        };
        if self.is_mirror_output(in_port) {
            self.say(What::Note(
                "received on a port that is reserved exclusively for mirroring",
            ));
            return Ok(());
        }
        let has_sflow = !is_thawed && self.sample_input();
        let result = match (self.take_ecn(), receives) {
            (false, _) => {
                self.failure = Some(Failure::CongestionDrop);
                Ok(())
            }
            (true, false) => Ok(()),
            (true, true) => self.do_actions(&list),
        };
        if has_sflow && self.failure.is_none() {
            self.complete_sflow();
        }
        result
    }

    fn do_actions(&mut self, list: &[Action]) -> Walked {
        if let Some(rule) = self.rule {
            self.cookie = self.switch.bridges[rule.0].config.flows[rule.1].cookie;
        }
        self.mirror_ingress()?;
        self.list(list, true, false)?;
        if self.failure.is_some() {
            return Ok(());
        }
        if !self.freezing.is_on {
            self.run_action_set()?;
        }
        if self.freezing.is_on {
            self.finish_freezing()?;
        }
        Ok(())
    }

    fn bridge_of_entry(&self) -> &'a BridgeConfig {
        &self.switch.bridges[self.first_bridge].config
    }

    /// What is always looked at (`xlate_wc_init`).
    fn start_mask(&mut self) {
        for place in [at::PACKET_TYPE, at::IN_PORT, at::DL_TYPE, at::RECIRC_ID] {
            self.mask.mask(place);
        }
        if is_ip(&self.flow) {
            self.mask.mask_bits(at::NW_FRAG, 3_u8);
        }
        self.mask_netflow();
        if !crate::commit::has_tunnel(&self.flow) {
            return;
        }
        self.mask.mask(at::TUN_ID);
        if self.flow.u32(at::TUN_DST) != 0 {
            self.mask.mask(at::TUN_SRC);
            self.mask.mask(at::TUN_DST);
        } else {
            self.mask.mask(at::TUN_IPV6_SRC);
            self.mask.mask(at::TUN_IPV6_DST);
        }
        let flags = if self.switch.rules.tunnel_flags_key_only {
            F_KEY
        } else {
            F_DF | F_CSUM | F_KEY
        };
        self.mask.put(at::TUN_FLAGS, flags);
        self.mask.mask(at::TUN_TOS);
        if is_ip(&self.flow) && self.flow.u8(at::TUN_TOS) & 3 == 3 {
            self.mask.mask_bits(at::NW_TOS, 3_u8);
        }
    }

    /// Takes back what no datapath flow can have (`xlate_wc_finish`).
    fn finish_mask(&mut self) {
        use crate::prerequisites::{LATER, is_icmpv4, is_icmpv6, is_mpls};
        let mask = &mut self.mask;
        mask.clear_words(crate::fields::REGS);
        for place in [at::METADATA, at::ACTSET_OUTPUT, at::CONJ_ID] {
            mask.clear(place);
        }
        if self.came.u32(at::PACKET_TYPE) != 0 {
            mask.clear(at::DL_DST);
            mask.clear(at::DL_SRC);
        }
        let mut unused = Fields::ZERO;
        if is_icmpv4(&self.flow, &mut unused) || is_icmpv6(&self.flow, &mut unused) {
            mask.put(at::TP_SRC, mask.u16(at::TP_SRC) & 0xff);
            mask.put(at::TP_DST, mask.u16(at::TP_DST) & 0xff);
        }
        for tci in at::TCI {
            if mask.u16(tci) != 0 {
                mask.mask_bits(tci, crate::fields::CFI);
            }
        }
        if self.flow.u8(at::NW_FRAG) & LATER != 0 {
            mask.clear(at::TP);
        }
        if !is_mpls(self.came.u16(at::DL_TYPE)) {
            for place in at::MPLS {
                mask.clear(place);
            }
        }
        for (tpid, vlan) in at::TPID.into_iter().zip(at::VLAN) {
            if !is_vlan(self.came.u16(tpid)) {
                mask.clear(vlan);
            }
        }
        if !crate::commit::has_tunnel(&self.came) {
            mask.clear_words(TUNNEL);
        }
    }

    /// The last copy needs no copying, and an empty list is a drop (`xlate_tweak_odp_actions`).
    fn tidy(&mut self) {
        let is_too_big = self.size() > MAX_ATTRIBUTE;
        self.flags.oversized = is_too_big;
        if let Some(Datapath::Clone(_)) = self.actions.last() {
            if let Some(Datapath::Clone(inner)) = self.actions.pop() {
                self.actions.extend(inner.iter().cloned());
            }
        }
    }

    /// Appends the actions that make the packet what it should be.
    fn commit(&mut self) -> Walked {
        Commit {
            flow: &self.flow,
            base: &mut self.base,
            mask: &mut self.mask,
            actions: &mut self.actions,
            rules: &self.switch.rules,
            slow: &mut self.flags.slow_action,
        }
        .all(&mut self.pending)
    }

    /// The bytes of all actions so far.
    pub(crate) fn size(&mut self) -> usize {
        let (mut count, mut bytes) = self.counted;
        if count > self.actions.len() {
            (count, bytes) = (0, 0);
        }
        for action in &self.actions[count..] {
            bytes += action.encoded_len().unwrap_or(MAX_ATTRIBUTE);
        }
        self.counted = (self.actions.len(), bytes);
        self.outer + bytes
    }

    /// Does something whose actions make a list of their own.
    fn nested(&mut self, body: impl FnOnce(&mut Self) -> Walked) -> Walked<Vec<Datapath>> {
        let outer = self.outer;
        self.outer = self.size() + 4;
        let before = core::mem::take(&mut self.actions);
        self.counted = (0, 0);
        let result = body(self);
        let inner = core::mem::replace(&mut self.actions, before);
        self.outer = outer;
        self.counted = (0, 0);
        result.map(|()| inner)
    }

    pub(crate) fn bridge_ref(&self) -> &'a Bridge {
        &self.switch.bridges[self.bridge]
    }

    fn is_stp(&self) -> bool {
        self.flow.u64(at::DL_DST) == STP && self.flow.u16(at::DL_TYPE) == NO_TYPE
    }

    /// Congestion that the outer header tells of is passed on; `false`: the packet is dropped.
    fn take_ecn(&mut self) -> bool {
        if crate::commit::has_tunnel(&self.flow) && self.flow.u8(at::TUN_TOS) & 3 == 3 && is_ip(&self.flow) {
            if self.flow.u8(at::NW_TOS) & 3 == 0 {
                return false;
            }
            self.flow.put(at::NW_TOS, self.flow.u8(at::NW_TOS) | 3);
        }
        true
    }

    pub(crate) fn say(&mut self, what: What) {
        if self.steps.len() < MAX_STEPS {
            self.steps.push(Step {
                depth: self.nesting,
                what,
            });
        }
    }

    fn unknown_bridge(&self, why: &'static str) -> Unknown {
        Unknown::Bridge {
            bridge: self.bridge_ref().config.name.clone(),
            why,
        }
    }

    fn unknown_port(&self, number: u16, why: std::borrow::Cow<'static, str>) -> Unknown {
        let name = self.bridge_ref().port(number).map(|port| port.name.clone());
        Unknown::Port {
            port: name.unwrap_or_else(|| number.to_string().into()),
            why,
        }
    }
}

impl Fields {
    /// The port of entry.
    pub(crate) fn u16_port(&self) -> u16 {
        u16::try_from(self.u32(at::IN_PORT)).unwrap_or(crate::config::NO_PORT)
    }
}

/// `OFPP_UNSET`.
pub(crate) const NO_OUTPUT: u16 = 0xfff7;
/// The payload of a netlink attribute that Open vSwitch takes for too big begins behind this.
const MAX_ATTRIBUTE: usize = 65_531;
/// Steps that a trace keeps.
const MAX_STEPS: usize = 100_000;
/// The address of spanning trees, and the type of packets that have a length in its place.
const STP: u64 = 0x0180_c200_0000;
const NO_TYPE: u16 = 0x05ff;
pub(crate) const F_DF: u16 = 2;
pub(crate) const F_CSUM: u16 = 4;
pub(crate) const F_KEY: u16 = 8;
