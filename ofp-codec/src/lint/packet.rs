//! What a flow knows of the packets that it is for, and what its actions need of them.

use crate::model::{action::Action, canonical::bits::MatchBits, field::Prerequisite, matches::Match};

/// What is known of a packet.
#[derive(Clone)]
pub(super) struct Packet {
    bits: MatchBits,
    pub(super) eth_type: u128,
    pub(super) has_vlan: bool,
    /// After `encap` or `decap` nothing is.
    pub(super) lost: bool,
}

impl Packet {
    pub(super) fn of(matches: &Match) -> Self {
        let bits = MatchBits::of(matches);
        Packet {
            eth_type: bits.eth_type(),
            has_vlan: bits.has_vlan(),
            bits,
            lost: false,
        }
    }

    /// Whether it has what a field needs.
    pub(super) fn has(&self, prerequisite: Prerequisite) -> bool {
        let meets = |prerequisite| self.bits.meet(prerequisite, self.eth_type, self.has_vlan);
        // An action needs no valid connection, only a packet that may have one.
        let may_have = prerequisite == Prerequisite::Ct && meets(Prerequisite::Ip);
        self.lost || may_have || meets(prerequisite)
    }
}

/// What packets an action is for, one of these, as far as no field says it (`check_*` in
/// lib/ofp-actions.c); and its word.
pub(super) fn needs(action: &Action) -> Option<(&'static [Prerequisite], &'static str)> {
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
