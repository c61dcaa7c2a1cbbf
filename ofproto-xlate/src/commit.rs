//! The datapath actions that make the packet what the flow says: written before an output, and only for what differs
//! (`commit_odp_actions` in `lib/odp-util.c`).

use std::net::{Ipv4Addr, Ipv6Addr};

use odp_actions::{
    Action,
    key::{
        Arp, Ethernet, Icmp, Ipv4, Ipv6, Key, MacAddr, MaskedKey, Nd, NdExt, Nsh, NshAttr, NshBase,
        NshContext, Ports,
    },
};

use crate::{
    fields::{CFI, Fields, Place, at},
    mpls,
    prerequisites::{ARP, ICMPV6, IPV4, IPV6, NSH, SCTP, TCP, UDP, is_icmpv4, is_icmpv6, is_ip, is_mpls},
    release::Rules,
    unknown::Unknown,
};

/// A header that is to be added or taken off with the next commit.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pending {
    pub(crate) encap: bool,
    pub(crate) decap: bool,
    /// The options of a network service header.
    pub(crate) encap_data: Vec<u8>,
}

/// What a commit works on.
pub(crate) struct Commit<'a> {
    pub(crate) flow: &'a Fields,
    /// The packet as the actions so far have made it.
    pub(crate) base: &'a mut Fields,
    pub(crate) mask: &'a mut Fields,
    pub(crate) actions: &'a mut Vec<Action>,
    pub(crate) rules: &'a Rules,
    /// Whether something was changed that the datapath cannot change.
    pub(crate) slow: &'a mut bool,
}

impl Commit<'_> {
    /// Appends all actions; `pending` is done.
    pub(crate) fn all(&mut self, pending: &mut Pending) -> Result<(), Unknown> {
        self.encap_decap(pending)?;
        if self.flow.u32(at::PACKET_TYPE) == 0 && self.base.u32(at::PACKET_TYPE) == 0 {
            self.key(&[at::DL_SRC, at::DL_DST], ethernet);
        }
        let was_mpls = is_mpls(self.base.u16(at::DL_TYPE)) && !is_mpls(self.flow.u16(at::DL_TYPE));
        if was_mpls {
            self.mpls(false);
        }
        self.nsh();
        if self.flow.u8(at::NW_PROTO) != 0 {
            self.network();
            self.transport();
        }
        self.icmp();
        if !was_mpls {
            self.mpls(false);
        }
        self.vlans();
        self.key(&[at::SKB_PRIORITY], |fields| {
            Key::Priority(fields.u32(at::SKB_PRIORITY))
        });
        self.key(&[at::PKT_MARK], |fields| Key::SkbMark(fields.u32(at::PKT_MARK)));
        *pending = Pending::default();
        Ok(())
    }

    /// Writes the fields of a key that differ, under the mask of what was looked at or set.
    fn key(&mut self, places: &[Place], make: impl Fn(&Fields) -> Key) -> bool {
        self.key_with(places, make, |_| {})
    }

    fn key_with(
        &mut self,
        places: &[Place],
        make: impl Fn(&Fields) -> Key,
        narrow: impl Fn(&mut Fields),
    ) -> bool {
        let mut mask = Fields::ZERO;
        let mut differs = false;
        for place in places {
            if self.flow.get_at(*place) != self.base.get_at(*place) {
                differs = true;
                mask.set_at(*place, self.mask.get_at(*place), u128::MAX);
            }
        }
        if !differs {
            return false;
        }
        narrow(&mut mask);
        let mut value = Fields::ZERO;
        for place in places {
            value.set_at(*place, self.flow.get_at(*place), mask.get_at(*place));
            self.base.set_at(*place, self.flow.get_at(*place), u128::MAX);
        }
        let masked = MaskedKey {
            key: make(&value),
            mask: make(&mask),
        };
        self.actions.push(match masked.is_exact() {
            true => Action::Set(masked.key),
            false => Action::SetMasked(Box::new(masked)),
        });
        true
    }

    fn network(&mut self) {
        let keeps_ecn =
            has_tunnel(self.base) && (self.base.u8(at::NW_TOS) ^ self.flow.u8(at::NW_TOS)) & ECN == 0;
        let narrow = |mask: &mut Fields| {
            if keeps_ecn {
                mask.put(at::NW_TOS, mask.u8(at::NW_TOS) & !ECN);
            }
            mask.put(at::IPV6_LABEL, mask.u32(at::IPV6_LABEL) & 0xf_ffff);
        };
        match self.base.u16(at::DL_TYPE) {
            IPV4 => {
                self.key_with(&[at::NW_SRC, at::NW_DST, at::NW_TOS, at::NW_TTL], ipv4, narrow);
            }
            IPV6 => {
                let places = [at::IPV6_SRC, at::IPV6_DST, at::IPV6_LABEL, at::NW_TOS, at::NW_TTL];
                self.key_with(&places, ipv6, narrow);
                if self.base.u8(at::NW_PROTO) == ICMPV6 {
                    let changed = self.key(&[at::IGMP_GROUP, at::TCP_FLAGS], nd_ext)
                        | self.key(&[at::ND_TARGET, at::ARP_SHA, at::ARP_THA], nd);
                    *self.slow |= changed;
                }
            }
            ARP => {
                let places = [at::NW_SRC, at::NW_DST, at::NW_PROTO, at::ARP_SHA, at::ARP_THA];
                *self.slow |= self.key(&places, arp);
            }
            _ => {}
        }
    }

    fn transport(&mut self) {
        if !is_ip(self.base) {
            return;
        }
        let make: fn(Ports) -> Key = match self.flow.u8(at::NW_PROTO) {
            TCP => Key::Tcp,
            UDP => Key::Udp,
            SCTP => Key::Sctp,
            _ => return,
        };
        self.key(&[at::TP_SRC, at::TP_DST], |fields| {
            make(Ports {
                src: fields.u16(at::TP_SRC),
                dst: fields.u16(at::TP_DST),
            })
        });
    }

    /// Never under a mask.
    fn icmp(&mut self) {
        let mut unused = Fields::ZERO;
        let make: fn(Icmp) -> Key = if is_icmpv4(self.flow, &mut unused) {
            Key::Icmp
        } else if is_icmpv6(self.flow, &mut unused) {
            Key::Icmpv6
        } else {
            return;
        };
        let places = [at::TP_SRC, at::TP_DST];
        if places
            .iter()
            .any(|place| self.flow.get_at(*place) != self.base.get_at(*place))
        {
            self.actions.push(Action::Set(make(Icmp {
                kind: self.flow.u16(at::TP_SRC).to_be_bytes()[1],
                code: self.flow.u16(at::TP_DST).to_be_bytes()[1],
            })));
            for place in places {
                self.base.set_at(place, self.flow.get_at(place), u128::MAX);
                self.mask.mask_bits(place, 0xff_u16);
            }
            *self.slow = true;
        }
    }

    fn vlans(&mut self) {
        let base_count = count_vlans(self.base);
        let flow_count = count_vlans(self.flow);
        let tag = |fields: &Fields, from_inside: usize, count: usize| {
            fields.get_at(at::VLAN[count - 1 - from_inside])
        };
        let common = (0..base_count.min(flow_count))
            .take_while(|n| tag(self.base, *n, base_count) == tag(self.flow, *n, flow_count))
            .count();
        for tag in (0..base_count - common).rev() {
            self.actions.push(Action::PopVlan);
            self.mask.mask(at::VLAN[tag]);
        }
        for tag in (0..flow_count - common).rev() {
            self.actions.push(Action::PushVlan(odp_actions::action::PushVlan {
                tpid: self.flow.u16(at::TPID[tag]),
                tci: self.flow.u16(at::TCI[tag]),
            }));
        }
        self.base
            .set_at(at::VLANS, self.flow.get_at(at::VLANS), u128::MAX);
    }

    fn mpls(&mut self, pending_encap: bool) {
        use odp_actions::action::{AddMpls, MplsLse, PushMpls};
        let mut base = mpls::count(self.base, &mut Fields::default());
        let flow = mpls::count(self.flow, &mut Fields::default());
        let lse = |fields: &Fields, n: usize| fields.u32(at::MPLS[n]);
        let mut common = (0..base.min(flow))
            .take_while(|n| lse(self.base, base - 1 - n) == lse(self.flow, flow - 1 - n))
            .count();
        let eth_type = self.flow.u16(at::DL_TYPE);
        while base > common {
            if base - 1 == common && flow > common {
                let top = lse(self.flow, flow - base);
                self.actions.push(Action::Set(Key::Mpls(vec![top])));
                self.base.put(at::MPLS[0], top);
                common += 1;
            } else {
                let kind = if !is_mpls(eth_type) && base > 1 {
                    0x8847
                } else {
                    eth_type
                };
                self.actions.push(Action::PopMpls(kind));
                mpls::pop(self.base, base, eth_type, &mut Fields::default());
                base -= 1;
            }
        }
        while base < flow {
            let lse = MplsLse(lse(self.flow, flow - base - 1));
            self.actions.push(match pending_encap {
                true => Action::AddMpls(AddMpls {
                    lse,
                    eth_type,
                    tun_flags: 0,
                }),
                false => Action::PushMpls(PushMpls {
                    lse,
                    eth_type,
                    padding: [0; 2],
                }),
            });
            mpls::push(self.base, base, eth_type, &mut Fields::default(), false);
            self.base.put(at::MPLS[0], lse.0);
            base += 1;
        }
    }

    fn nsh(&mut self) {
        let base_places = [at::NSH_FLAGS, at::NSH_TTL, at::NSH_PATH];
        let same = |commit: &Self| {
            let places = base_places
                .into_iter()
                .chain([at::NSH_MDTYPE, at::NSH_NP, at::NSH_CONTEXT]);
            places
                .into_iter()
                .all(|place| commit.flow.get_at(place) == commit.base.get_at(place))
        };
        if self.flow.u16(at::DL_TYPE) != NSH || same(self) {
            return;
        }
        let mut mask = Fields::ZERO;
        let has_context = self.flow.u8(at::NSH_MDTYPE) == 1;
        for place in base_places.into_iter().chain([at::NSH_CONTEXT]) {
            mask.set_at(place, self.mask.get_at(place), u128::MAX);
        }
        let differs = |places: &[Place]| {
            places
                .iter()
                .any(|place| self.flow.get_at(*place) != self.base.get_at(*place))
        };
        let writes_base = !self.rules.nsh_by_part || differs(&base_places);
        let writes_context = has_context && (!self.rules.nsh_by_part || differs(&[at::NSH_CONTEXT]));
        if self.rules.nsh_by_part {
            for place in base_places {
                if self.flow.get_at(place) == self.base.get_at(place) {
                    mask.clear(place);
                }
            }
        }
        let mut value = Fields::ZERO;
        for place in base_places.into_iter().chain([at::NSH_CONTEXT]) {
            value.set_at(place, self.flow.get_at(place), mask.get_at(place));
        }
        let attrs = |fields: &Fields| {
            let mut attrs = Vec::new();
            if writes_base {
                attrs.push(NshAttr::Base(nsh_base(fields)));
            }
            if writes_context {
                attrs.push(NshAttr::Md1(nsh_context(fields)));
            }
            Key::Nsh(Nsh::new(attrs))
        };
        self.actions.push(Action::SetMasked(Box::new(MaskedKey {
            key: attrs(&value),
            mask: attrs(&mask),
        })));
        for place in base_places.into_iter().chain([at::NSH_CONTEXT]) {
            self.base.set_at(place, self.flow.get_at(place), u128::MAX);
        }
    }

    fn encap_decap(&mut self, pending: &Pending) -> Result<(), Unknown> {
        let packet_type = self.flow.u32(at::PACKET_TYPE);
        let base_type = self.base.u32(at::PACKET_TYPE);
        self.mask.mask(at::PACKET_TYPE);
        if pending.encap {
            match packet_type {
                0 => {
                    self.actions.push(Action::PushEth(odp_actions::action::PushEth {
                        src: mac(self.flow, at::DL_SRC).0,
                        dst: mac(self.flow, at::DL_DST).0,
                    }));
                    for place in [at::PACKET_TYPE, at::DL_SRC, at::DL_DST] {
                        self.base.set_at(place, self.flow.get_at(place), u128::MAX);
                    }
                }
                PT_NSH => {
                    let mut attrs = vec![NshAttr::Base(nsh_base(self.flow))];
                    match self.flow.u8(at::NSH_MDTYPE) {
                        1 => attrs.push(NshAttr::Md1(nsh_context(self.flow))),
                        2 if !pending.encap_data.is_empty() => {
                            attrs.push(NshAttr::Md2(pending.encap_data.clone()));
                        }
                        _ => {}
                    }
                    self.actions.push(Action::PushNsh(Nsh::new(attrs)));
                    self.base.put(at::PACKET_TYPE, packet_type);
                    self.base.copy_words(self.flow, at::L2..at::END);
                }
                PT_MPLS | PT_MPLS_MC => self.mpls(true),
                _ => return Err(Unknown::Abort),
            }
        } else if pending.decap || packet_type != base_type {
            if packet_type >> 16 == 1 && base_type == 0 {
                self.actions.push(Action::PopEth);
                self.base.put(at::PACKET_TYPE, packet_type);
                self.base.clear(at::DL_SRC);
                self.base.clear(at::DL_DST);
            } else {
                match base_type {
                    PT_NSH => self.actions.push(Action::PopNsh),
                    PT_MPLS | PT_MPLS_MC => self.mpls(false),
                    _ => return Err(Unknown::Abort),
                }
            }
        }
        Ok(())
    }
}

pub(crate) fn has_tunnel(fields: &Fields) -> bool {
    fields.u32(at::TUN_DST) != 0 || fields.get_at(at::TUN_IPV6_DST) != 0
}

/// The tags of a packet, from the outside.
pub(crate) fn count_vlans(fields: &Fields) -> usize {
    at::TCI
        .iter()
        .take_while(|tci| fields.u16(**tci) & CFI != 0)
        .count()
}

fn mac(fields: &Fields, place: Place) -> MacAddr {
    let [_, _, a, b, c, d, e, f] = fields.u64(place).to_be_bytes();
    MacAddr([a, b, c, d, e, f])
}

fn ethernet(fields: &Fields) -> Key {
    Key::Ethernet(Ethernet {
        src: mac(fields, at::DL_SRC),
        dst: mac(fields, at::DL_DST),
    })
}

fn ip(fields: &Fields, place: Place) -> Ipv4Addr {
    Ipv4Addr::from_bits(fields.u32(place))
}

fn ip6(fields: &Fields, place: Place) -> Ipv6Addr {
    Ipv6Addr::from_bits(fields.get_at(place))
}

fn ipv4(fields: &Fields) -> Key {
    Key::Ipv4(Ipv4 {
        src: ip(fields, at::NW_SRC),
        dst: ip(fields, at::NW_DST),
        proto: 0,
        tos: fields.u8(at::NW_TOS),
        ttl: fields.u8(at::NW_TTL),
        frag: 0,
    })
}

fn ipv6(fields: &Fields) -> Key {
    Key::Ipv6(Ipv6 {
        src: ip6(fields, at::IPV6_SRC),
        dst: ip6(fields, at::IPV6_DST),
        label: fields.u32(at::IPV6_LABEL),
        proto: 0,
        tclass: fields.u8(at::NW_TOS),
        hlimit: fields.u8(at::NW_TTL),
        frag: 0,
    })
}

fn arp(fields: &Fields) -> Key {
    Key::Arp(Arp {
        sip: ip(fields, at::NW_SRC),
        tip: ip(fields, at::NW_DST),
        // As a mask: all of it.
        op: match fields.u8(at::NW_PROTO) {
            u8::MAX => u16::MAX,
            op => op.into(),
        },
        sha: mac(fields, at::ARP_SHA),
        tha: mac(fields, at::ARP_THA),
        padding: [0; 2],
    })
}

fn nd(fields: &Fields) -> Key {
    Key::Nd(Nd {
        target: ip6(fields, at::ND_TARGET),
        sll: mac(fields, at::ARP_SHA),
        tll: mac(fields, at::ARP_THA),
    })
}

fn nd_ext(fields: &Fields) -> Key {
    Key::NdExt(NdExt {
        reserved: fields.u32(at::IGMP_GROUP),
        options_type: fields.u16(at::TCP_FLAGS).to_be_bytes()[1],
        padding: [0; 3],
    })
}

fn nsh_base(fields: &Fields) -> NshBase {
    NshBase {
        flags: fields.u8(at::NSH_FLAGS),
        ttl: fields.u8(at::NSH_TTL),
        mdtype: fields.u8(at::NSH_MDTYPE),
        np: fields.u8(at::NSH_NP),
        path: fields.u32(at::NSH_PATH),
    }
}

fn nsh_context(fields: &Fields) -> NshContext {
    let context = fields.get_at(at::NSH_CONTEXT);
    let word = |shift: u32| u32::try_from(context >> shift & 0xffff_ffff).unwrap_or(0);
    NshContext {
        c1: word(96),
        c2: word(64),
        c3: word(32),
        c4: word(0),
    }
}

pub(crate) const PT_NSH: u32 = 0x1_894f;
pub(crate) const PT_MPLS: u32 = 0x1_8847;
pub(crate) const PT_MPLS_MC: u32 = 0x1_8848;
const ECN: u8 = 3;
