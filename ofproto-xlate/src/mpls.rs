//! The label stack of a packet (`lib/flow.c`).

use crate::{
    fields::{Fields, at},
    prerequisites::{IPV6, is_ip, is_mpls},
};

/// The labels of a packet, of which three are known at most; what was looked at is added to the mask.
pub(crate) fn count(flow: &Fields, mask: &mut Fields) -> usize {
    if !is_mpls(flow.u16(at::DL_TYPE)) {
        return 0;
    }
    for (n, place) in at::MPLS.into_iter().enumerate() {
        mask.mask_bits(place, BOTTOM);
        if flow.u32(place) & BOTTOM != 0 {
            return n + 1;
        }
    }
    at::MPLS.iter().filter(|place| flow.u32(**place) != 0).count()
}

/// Takes the outer one of `count` labels off. `false`: there is none, or it is not known what stands below the last one.
pub(crate) fn pop(flow: &mut Fields, count: usize, eth_type: u16, mask: &mut Fields) -> bool {
    if count == 0 {
        return false;
    }
    if count == at::MPLS.len() {
        mask.mask_bits(at::MPLS[count - 1], BOTTOM);
        if flow.u32(at::MPLS[count - 1]) & BOTTOM == 0 {
            return false;
        }
    }
    for n in 1..count {
        mask.mask(at::MPLS[n]);
        flow.put(at::MPLS[n - 1], flow.u32(at::MPLS[n]));
    }
    flow.clear(at::MPLS[count - 1]);
    flow.put(at::DL_TYPE, eth_type);
    true
}

/// Puts a label on `count` that are there.
pub(crate) fn push(flow: &mut Fields, count: usize, eth_type: u16, mask: &mut Fields, clears: bool) {
    if count > 0 {
        for n in (1..=count.min(at::MPLS.len() - 1)).rev() {
            mask.mask(at::MPLS[n - 1]);
            flow.put(at::MPLS[n], flow.u32(at::MPLS[n - 1]));
        }
        flow.put(at::MPLS[0], flow.u32(at::MPLS[0]) & !BOTTOM);
    } else {
        let label = if flow.u16(at::DL_TYPE) == IPV6 {
            EXPLICIT_NULL_IPV6
        } else {
            0
        };
        let (mut tc, mut ttl) = (0, 64);
        if is_ip(flow) {
            tc = flow.u8(at::NW_TOS) >> 2;
            mask.mask_bits(at::NW_TOS, 0xfc_u8);
            mask.mask(at::NW_TTL);
            if flow.u8(at::NW_TTL) != 0 {
                ttl = flow.u8(at::NW_TTL);
            }
        }
        let lse = label << 12 | u32::from(tc & 7) << 9 | BOTTOM | u32::from(ttl);
        flow.put(at::MPLS[0], lse);
        if clears {
            flow.clear_words(at::L3..at::END);
            flow.clear(at::DP_HASH);
        }
    }
    flow.put(at::DL_TYPE, eth_type);
}

/// The bit of the last label.
const BOTTOM: u32 = 0x100;
const EXPLICIT_NULL_IPV6: u32 = 2;
