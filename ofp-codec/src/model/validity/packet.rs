//! What a flow knows of the packets that it is for, and what its actions make of them.

use crate::model::{
    action::{Action, encap::Encap},
    canonical::bits::{IPV4, IPV6, MPLS, MPLS_MULTICAST, MatchBits, NSH, SCTP, TCP, UDP},
    field::{Field, Prerequisite},
    matches::{FieldMatch, Match, MatchEntry},
};

/// What is known of a packet.
#[derive(Clone)]
pub(super) struct Packet {
    bits: MatchBits,
    /// Whether it has a first and a second tag.
    tags: [bool; 2],
}

impl Packet {
    pub(super) fn of(matches: &Match) -> Self {
        let bits = MatchBits::of(matches);
        Packet {
            tags: [bits.has_vlan(), false],
            bits,
        }
    }

    /// Whether it has what a field needs (`mf_are_prereqs_ok__` in lib/meta-flow.c).
    pub(super) fn has(&self, prerequisite: Prerequisite) -> bool {
        use Prerequisite as P;
        let of_ports = matches!(prerequisite, P::Tcp | P::Udp | P::Sctp);
        self.matches(prerequisite) && !(of_ports && self.is_later_fragment())
    }

    /// Whether a word or value that is matched has what it needs, fragment or not.
    pub(super) fn matches(&self, prerequisite: Prerequisite) -> bool {
        self.bits
            .meet(prerequisite, self.kind(), self.tags[0] && self.is_ethernet())
    }

    pub(super) fn is_later_fragment(&self) -> bool {
        self.bits.masked(Field::IpFrag).0 & FRAG_LATER != 0
    }

    /// Whether it is a fragment whose ports are those of another one.
    pub(super) fn is_later_port(&self) -> bool {
        self.is_later_fragment() && self.is_ip() && matches!(self.ip_proto(), TCP | UDP | SCTP)
    }

    pub(super) fn has_tag(&self) -> bool {
        self.tags[0]
    }

    /// The Ethernet type of what comes first.
    pub(super) fn kind(&self) -> u128 {
        self.bits.eth_type()
    }

    pub(super) fn is_ip(&self) -> bool {
        matches!(self.kind(), IPV4 | IPV6)
    }

    pub(super) fn ip_proto(&self) -> u128 {
        self.bits.ip_proto()
    }

    pub(super) fn masked(&self, field: Field) -> (u128, u128) {
        self.bits.masked(field)
    }

    fn packet_type(&self) -> u128 {
        self.bits.masked(Field::PacketType).0
    }

    fn is_ethernet(&self) -> bool {
        self.packet_type() == 0
    }

    fn is_mpls(&self) -> bool {
        matches!(self.kind(), MPLS | MPLS_MULTICAST)
    }

    pub(super) fn set(&mut self, field: Field, value: u128, mask: Option<u128>) {
        let entry = FieldMatch {
            mask,
            ..FieldMatch::exact(field, value)
        };
        self.bits.add(&MatchEntry::Field(entry));
    }

    /// The word of an action that does nothing to such packets, as far as no field says it.
    pub(super) fn ignores(&self, action: &Action) -> Option<&'static str> {
        use Action as A;
        let (fits, word) = match action {
            A::SetVlanVid(_) => (self.tags[0], "set_vlan_vid"),
            A::SetVlanPcp(_) => (self.tags[0], "set_vlan_pcp"),
            A::StripVlan => (self.tags[0], "strip_vlan"),
            A::PopVlan => (self.tags[0], "pop_vlan"),
            A::ModNwSrc(_) => (self.kind() == IPV4, "mod_nw_src"),
            A::ModNwDst(_) => (self.kind() == IPV4, "mod_nw_dst"),
            A::ModNwTos(_) => (self.is_ip(), "mod_nw_tos"),
            A::ModNwEcn(_) => (self.is_ip(), "mod_nw_ecn"),
            A::ModNwTtl(_) => (self.is_ip(), "mod_nw_ttl"),
            A::DecTtl(_) => (self.is_ip(), "dec_ttl"),
            A::ModTpSrc(_) => (self.has_ports(), "mod_tp_src"),
            A::ModTpDst(_) => (self.has_ports(), "mod_tp_dst"),
            A::FinTimeout { .. } => (self.ip_proto() == TCP, "fin_timeout"),
            A::SetMplsLabel(_) => (self.is_mpls(), "set_mpls_label"),
            A::SetMplsTc(_) => (self.is_mpls(), "set_mpls_tc"),
            A::SetMplsTtl(_) => (self.is_mpls(), "set_mpls_ttl"),
            A::DecMplsTtl => (self.is_mpls(), "dec_mpls_ttl"),
            A::PushMpls(_) => (self.is_ethernet(), "push_mpls"),
            A::PopMpls(_) => (self.is_ethernet() && self.is_mpls(), "pop_mpls"),
            A::DecNshTtl => {
                let inner = self.bits.masked(Field::EthType).0;
                (
                    inner == NSH || self.packet_type() == ETHERTYPE | NSH,
                    "dec_nsh_ttl",
                )
            }
            _ => return None,
        };
        (!fits).then_some(word)
    }

    fn has_ports(&self) -> bool {
        self.is_ip() && !self.is_later_fragment() && matches!(self.ip_proto(), TCP | UDP | SCTP)
    }

    /// What an action makes of the packet, as far as later ones depend on it. `false`: it cannot.
    #[must_use]
    pub(super) fn apply(&mut self, action: &Action) -> bool {
        match action {
            Action::ModVlanVid(_) | Action::ModVlanPcp(_) | Action::SetVlanVid(_) | Action::SetVlanPcp(_) => {
                self.tags[0] = true;
            }
            Action::StripVlan | Action::PopVlan if self.tags[0] => self.tags = [self.tags[1], false],
            Action::PushVlan(_) if self.tags[1] => return false,
            Action::PushVlan(_) => self.tags = [true, self.tags[0]],
            Action::PushMpls(kind) => {
                self.set(Field::EthType, (*kind).into(), None);
                // What is inside cannot be seen.
                self.set(Field::IpProto, 0, None);
            }
            Action::PopMpls(kind) => self.set(Field::EthType, (*kind).into(), None),
            Action::SetField {
                field: Field::VlanTci,
                value,
                ..
            } => self.tags[0] = value.number().is_some_and(|tci| tci & CFI != 0),
            Action::Load { value, dst } if dst.field() == Some(Field::VlanTci) => {
                let first = dst.bits().map_or(0, |(first, _)| first.min(15));
                self.tags[0] = *value << first & CFI != 0;
            }
            Action::Encap(encap) => self.encap(encap),
            Action::Decap(_) if self.is_ethernet() => {
                let kind = self.bits.masked(Field::EthType).0;
                self.set(Field::PacketType, ETHERTYPE | kind, None);
            }
            // What comes is known when it is there.
            Action::Decap(_) => {
                self.set(Field::PacketType, UNKNOWN, None);
                self.set(Field::EthType, 0xffff, None);
            }
            _ => {}
        }
        true
    }

    fn encap(&mut self, encap: &Encap) {
        let kind = match encap {
            Encap::Ethernet => None,
            Encap::Mpls => Some(MPLS),
            Encap::MplsMulticast => Some(MPLS_MULTICAST),
            Encap::Nsh(_) => Some(NSH),
        };
        self.set(Field::PacketType, kind.map_or(0, |kind| ETHERTYPE | kind), None);
        if let Some(kind) = kind {
            self.set(Field::EthType, kind, None);
        }
        if !self.is_ip() {
            self.set(Field::IpProto, 0, None);
        }
    }
}

/// `OFPHTN_ETHERTYPE`, the upper half of a packet type.
const ETHERTYPE: u128 = 1 << 16;
/// `PT_UNKNOWN`.
const UNKNOWN: u128 = 0xffff_ffff;
/// `FLOW_NW_FRAG_LATER`.
const FRAG_LATER: u128 = 2;
/// The bit of a tag that says that there is one.
const CFI: u128 = 0x1000;
