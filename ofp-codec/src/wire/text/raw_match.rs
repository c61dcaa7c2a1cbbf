//! The match of a `FLOW_MOD` of OpenFlow 1.0 as it stands in the message: what `-mm` and above print of it.

use alloc::string::String;
use core::{fmt, net::Ipv4Addr};

use crate::{
    model::{addr::EthAddr, canonical::bits, port::Port, protocol::Protocol},
    wire::{
        matches::{Match10, OxmList},
        oxm::{OxmHeader, OxmRef},
        text::put,
    },
};

/// `ofp10_match_to_string` in lib/ofp-match.c: each field, those that do not count as `*`.
pub(super) fn fixed(found: &Match10) -> String {
    let mut text = String::new();
    let counts = |bit: u32| found.wildcards & 1 << bit == 0;
    let kind = Some(u128::from(found.dl_type)).filter(|_| counts(DL_TYPE));
    // It has words for what OpenFlow 1.0 knows.
    let kind = kind.filter(|kind| ![bits::IPV6, bits::NSH].contains(kind));
    let proto = Some(u128::from(found.nw_proto)).filter(|_| counts(NW_PROTO));
    let word = kind.and_then(|kind| Protocol::of(kind, proto));
    if let Some(word) = word {
        put(&mut text, &format_args!("{word},"));
    }
    let mut field = |name: &str, counts: bool, value: &dyn fmt::Display| {
        put(&mut text, &format_args!("{name}="));
        match counts {
            true => put(&mut text, value),
            false => text.push('*'),
        }
        text.push(',');
    };
    field("in_port", counts(IN_PORT), &Port::from_16_bits(found.in_port));
    field("dl_vlan", counts(DL_VLAN), &found.dl_vlan);
    field("dl_vlan_pcp", counts(DL_VLAN_PCP), &found.dl_vlan_pcp);
    field("dl_src", counts(DL_SRC), &EthAddr(found.dl_src));
    field("dl_dst", counts(DL_DST), &EthAddr(found.dl_dst));
    if word.is_none() {
        let dl_type = alloc::format!("0x{:04x}", found.dl_type);
        field("dl_type", counts(DL_TYPE), &dl_type);
    }
    for (name, addr, shift) in [("nw_src", found.nw_src, 8), ("nw_dst", found.nw_dst, 14)] {
        let wild = found.wildcards >> shift & 0x3f;
        let addr = Ipv4Addr::from_bits(addr);
        match wild {
            1..32 => field(name, true, &format_args!("{addr}/{}", 32 - wild)),
            _ => field(name, wild == 0, &addr),
        }
    }
    if word.and_then(Protocol::ip_proto).is_none() {
        let arp = [bits::ARP, bits::RARP].contains(&found.dl_type.into());
        let name = if arp { "arp_op" } else { "nw_proto" };
        field(name, counts(NW_PROTO), &found.nw_proto);
    }
    field("nw_tos", counts(NW_TOS), &found.nw_tos);
    let [src, dst] = match u128::from(found.nw_proto) {
        bits::ICMP => ["icmp_type", "icmp_code"],
        _ => ["tp_src", "tp_dst"],
    };
    field(src, counts(TP_SRC), &found.tp_src);
    field(dst, counts(TP_DST), &found.tp_dst);
    text.pop();
    text
}

/// `nx_match_to_string` in lib/nx-match.c: each entry by the name of its header, in hexadecimal.
pub(super) fn entries(list: &OxmList<'_>) -> String {
    let mut text = String::new();
    for entry in list.entries() {
        let separator = if text.is_empty() { "" } else { ", " };
        let Ok(entry) = entry else {
            // The text is that of a match that was read whole.
            break;
        };
        put(&mut text, &format_args!("{separator}{}", Raw(entry)));
    }
    if text.is_empty() {
        text.push_str("<any>");
    }
    text
}

/// `NXM_OF_IP_DST_W(0a000000/ff000000)`.
struct Raw<'a>(OxmRef<'a>);

impl fmt::Display for Raw<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Raw(entry) = self;
        match entry.header {
            OxmHeader::COOKIE => f.write_str("NXM_NX_COOKIE")?,
            OxmHeader::COOKIE_MASKED => f.write_str("NXM_NX_COOKIE_W")?,
            header => {
                let masked = header.has_mask() && header.field().is_some();
                write!(f, "{header}{}", if masked { "_W" } else { "" })?;
            }
        }
        f.write_str("(")?;
        entry.value.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        if let Some(mask) = entry.mask {
            f.write_str("/")?;
            let mask = mask.iter().take(entry.value.len());
            mask.into_iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        }
        f.write_str(")")
    }
}

// Bits of `OFPFW10_*`.
const IN_PORT: u32 = 0;
const DL_VLAN: u32 = 1;
const DL_SRC: u32 = 2;
const DL_DST: u32 = 3;
const DL_TYPE: u32 = 4;
const NW_PROTO: u32 = 5;
const TP_SRC: u32 = 6;
const TP_DST: u32 = 7;
const DL_VLAN_PCP: u32 = 20;
const NW_TOS: u32 = 21;
