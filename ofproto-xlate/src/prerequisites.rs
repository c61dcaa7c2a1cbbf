//! Whether a packet has a field (`mf_are_prereqs_ok` in `lib/meta-flow.c`).

use ofp_codec::{Field, Prerequisite};

use crate::fields::{CFI, Fields, at};

/// Whether the packet has the field.
pub(crate) fn hold(field: Field, flow: &Fields) -> bool {
    check(field, flow, &mut Fields::default())
}

/// As [`hold`]; what was looked at is added to the mask.
pub(crate) fn check(field: Field, flow: &Fields, mask: &mut Fields) -> bool {
    match field.info().prerequisite {
        Prerequisite::None => true,
        Prerequisite::Ethernet => is_ethernet(flow, mask),
        Prerequisite::Vlan => {
            if is_ethernet(flow, mask) {
                mask.mask_bits(at::TCI[0], CFI);
            }
            flow.u32(at::PACKET_TYPE) == 0 && flow.u16(at::TCI[0]) & CFI != 0
        }
        Prerequisite::Mpls => is_mpls(eth_type(flow)),
        Prerequisite::Ipv4 => eth_type(flow) == IPV4,
        Prerequisite::Ipv6 => eth_type(flow) == IPV6,
        Prerequisite::Ip => is_ip(flow),
        Prerequisite::Arp => matches!(eth_type(flow), ARP | RARP),
        Prerequisite::Tcp => is_transport(flow, mask, TCP),
        Prerequisite::Udp => is_transport(flow, mask, UDP),
        Prerequisite::Sctp => is_transport(flow, mask, SCTP),
        Prerequisite::Icmpv4 => is_icmpv4(flow, mask),
        Prerequisite::Icmpv6 => is_icmpv6(flow, mask),
        Prerequisite::Nd => is_nd(flow, mask),
        Prerequisite::NdSolicit => is_nd(flow, mask) && flow.u16(at::TP_SRC) == 135,
        Prerequisite::NdAdvert => is_nd(flow, mask) && flow.u16(at::TP_SRC) == 136,
        Prerequisite::Nsh => eth_type(flow) == NSH,
        Prerequisite::Ct => {
            mask.mask(at::CT_STATE);
            let state = flow.u8(at::CT_STATE);
            state & TRACKED != 0 && state & INVALID == 0 && flow.u8(at::CT_NW_PROTO) != 0
        }
        _ => false,
    }
}

fn is_ethernet(flow: &Fields, mask: &mut Fields) -> bool {
    mask.mask(at::PACKET_TYPE);
    flow.u32(at::PACKET_TYPE) == 0
}

pub(crate) fn is_ip(flow: &Fields) -> bool {
    matches!(eth_type(flow), IPV4 | IPV6)
}

/// The Ethernet type, which a packet without an Ethernet header has in its packet type.
pub(crate) fn eth_type(flow: &Fields) -> u16 {
    match flow.u32(at::PACKET_TYPE) {
        0 => flow.u16(at::DL_TYPE),
        packet_type if packet_type >> 16 == 1 => u16::try_from(packet_type & 0xffff).unwrap_or(0),
        _ => 0,
    }
}

pub(crate) fn is_mpls(eth_type: u16) -> bool {
    matches!(eth_type, 0x8847 | 0x8848)
}

pub(crate) fn is_vlan(eth_type: u16) -> bool {
    matches!(eth_type, 0x8100 | 0x88a8 | 0x9100)
}

fn is_transport(flow: &Fields, mask: &mut Fields, proto: u8) -> bool {
    if !is_ip(flow) {
        return false;
    }
    mask.mask(at::NW_PROTO);
    flow.u8(at::NW_PROTO) == proto && flow.u8(at::NW_FRAG) & LATER == 0
}

pub(crate) fn is_icmpv4(flow: &Fields, mask: &mut Fields) -> bool {
    if eth_type(flow) != IPV4 {
        return false;
    }
    mask.mask(at::NW_PROTO);
    flow.u8(at::NW_PROTO) == ICMP
}

pub(crate) fn is_icmpv6(flow: &Fields, mask: &mut Fields) -> bool {
    if eth_type(flow) != IPV6 {
        return false;
    }
    mask.mask(at::NW_PROTO);
    flow.u8(at::NW_PROTO) == ICMPV6
}

fn is_nd(flow: &Fields, mask: &mut Fields) -> bool {
    if !is_icmpv6(flow, mask) {
        return false;
    }
    mask.mask(at::TP_DST);
    if flow.u16(at::TP_DST) != 0 {
        return false;
    }
    mask.mask(at::TP_SRC);
    matches!(flow.u16(at::TP_SRC), 135 | 136)
}

pub(crate) const IPV4: u16 = 0x0800;
pub(crate) const ARP: u16 = 0x0806;
const RARP: u16 = 0x8035;
pub(crate) const IPV6: u16 = 0x86dd;
pub(crate) const NSH: u16 = 0x894f;
const ICMP: u8 = 1;
pub(crate) const TCP: u8 = 6;
pub(crate) const UDP: u8 = 17;
pub(crate) const SCTP: u8 = 132;
pub(crate) const ICMPV6: u8 = 58;
/// Not the first fragment (`FLOW_NW_FRAG_LATER`).
pub(crate) const LATER: u8 = 2;
/// `CS_INVALID`.
const INVALID: u8 = 0x10;
/// `CS_TRACKED`.
pub(crate) const TRACKED: u8 = 0x20;
