//! The matches of fixed length of OpenFlow 1.0 and 1.1.

mod fields;

use alloc::vec::Vec;

use crate::{
    model::{
        addr::EthAddr,
        canonical::bits::{ARP, CFI, ICMP, IPV4, MPLS, MPLS_MULTICAST, PCP, RARP, SCTP, TCP, UDP, VID},
        field::Field,
        matches::Match,
        port::Port,
        version::Version,
    },
    wire::{
        error::{DecodeError, EncodeError, Fault},
        matches::fixed::fields::{Fields, Holders},
        read::Reader,
        record::record,
    },
};

record! {
    /// `struct ofp10_match` of `openflow-1.0.h`.
    pub struct Match10 "match" {
        /// `OFPFW10_*`: the fields that do not count; of IPv4 addresses, how many low bits.
        wildcards: u32,
        /// The port of entry.
        in_port: u16,
        /// The Ethernet source.
        dl_src: [u8; 6],
        /// The Ethernet destination.
        dl_dst: [u8; 6],
        /// The VLAN id; 0xffff is no tag.
        dl_vlan: u16,
        /// The VLAN priority.
        dl_vlan_pcp: u8,
        /// Padding.
        pad1: [u8; 1],
        /// The Ethernet type; 0x5ff is none.
        dl_type: u16,
        /// The DSCP, in the upper 6 bits.
        nw_tos: u8,
        /// The IP protocol, or the low byte of ARP's operation.
        nw_proto: u8,
        /// Padding.
        pad2: [u8; 2],
        /// The IPv4 source.
        nw_src: u32,
        /// The IPv4 destination.
        nw_dst: u32,
        /// The source port, or the ICMP type.
        tp_src: u16,
        /// The destination port, or the ICMP code.
        tp_dst: u16,
    }

    /// `struct ofp11_match` of `openflow-1.1.h`. A bit of a mask that is 1 does not count.
    pub struct Match11 "match" {
        /// `OFPMT_STANDARD`: 0.
        kind: u16,
        /// 88.
        len: u16,
        /// The port of entry.
        in_port: u32,
        /// `OFPFW11_*`: the fields that do not count.
        wildcards: u32,
        /// The Ethernet source.
        dl_src: [u8; 6],
        /// Its mask.
        dl_src_mask: [u8; 6],
        /// The Ethernet destination.
        dl_dst: [u8; 6],
        /// Its mask.
        dl_dst_mask: [u8; 6],
        /// The VLAN id; 0xfffe is any, 0xffff is no tag.
        dl_vlan: u16,
        /// The VLAN priority.
        dl_vlan_pcp: u8,
        /// Padding.
        pad1: [u8; 1],
        /// The Ethernet type; 0x5ff is none.
        dl_type: u16,
        /// The DSCP, in the upper 6 bits.
        nw_tos: u8,
        /// The IP protocol, or the low byte of ARP's operation.
        nw_proto: u8,
        /// The IPv4 source.
        nw_src: u32,
        /// Its mask.
        nw_src_mask: u32,
        /// The IPv4 destination.
        nw_dst: u32,
        /// Its mask.
        nw_dst_mask: u32,
        /// The source port, or the ICMP type.
        tp_src: u16,
        /// The destination port, or the ICMP code.
        tp_dst: u16,
        /// The MPLS label.
        mpls_label: u32,
        /// The MPLS traffic class.
        mpls_tc: u8,
        /// Padding.
        pad2: [u8; 3],
        /// The metadata that tables hand on.
        metadata: u64,
        /// Its mask.
        metadata_mask: u64,
    }
}

impl Match10 {
    /// Whether every field counts, and all bits of each.
    pub(crate) fn is_exact(&self) -> bool {
        self.wildcards & ALL10 == 0
    }

    /// What it says.
    pub fn to_match(&self) -> Match {
        let counts = |bit: u32| self.wildcards & bit == 0;
        let mut fields = Fields(Vec::new());
        if counts(IN_PORT10) {
            fields.exact(Field::InPort, Port::from_16_bits(self.in_port).0);
        }
        if counts(DL_SRC10) {
            fields.exact(Field::EthSrc, mac(self.dl_src));
        }
        if counts(DL_DST10) {
            fields.exact(Field::EthDst, mac(self.dl_dst));
        }
        if counts(DL_VLAN10) && self.dl_vlan == VLAN_NONE {
            fields.masked(Field::VlanTci, 0, 0xffff);
        } else {
            let vid = if counts(DL_VLAN10) { VID | CFI } else { 0 };
            let pcp = if counts(DL_VLAN_PCP10) { PCP | CFI } else { 0 };
            let tci = u128::from(self.dl_vlan) & VID | u128::from(self.dl_vlan_pcp) << 13 & PCP | CFI;
            fields.masked(Field::VlanTci, tci, vid | pcp);
        }
        if counts(DL_TYPE10) {
            fields.exact(Field::EthType, self.dl_type);
        }
        if counts(NW_TOS10) {
            fields.exact(Field::NwTos, self.nw_tos & DSCP);
        }
        let kind = fields.exact_value(Field::EthType).unwrap_or(0);
        if counts(NW_PROTO10) {
            fields.proto(kind, self.nw_proto);
        }
        let mask = |shift: u32| u32::MAX.checked_shl(self.wildcards >> shift & 0x3f).unwrap_or(0);
        fields.addresses(
            kind,
            [
                (self.nw_src, mask(NW_SRC_SHIFT)),
                (self.nw_dst, mask(NW_DST_SHIFT)),
            ],
        );
        let proto = if counts(NW_PROTO10) {
            self.nw_proto.into()
        } else {
            0
        };
        fields.ports(
            kind,
            proto,
            [
                counts(TP_SRC10).then_some(self.tp_src),
                counts(TP_DST10).then_some(self.tp_dst),
            ],
        );
        Match(fields.0)
    }

    /// The match in this form.
    ///
    /// # Errors
    ///
    /// [`EncodeError::NotInVersion`] if it cannot say all of it; [`EncodeError::Unresolved`] for a name.
    pub fn from_match(matches: &Match) -> Result<Self, EncodeError> {
        let bits = Holders::of(matches, Version::V1_0)?;
        let [src, dst] = [Field::IpSrc, Field::IpDst].map(|field| bits.number::<u32>(field));
        let mut fixed = Match10 {
            in_port: bits.in_port().to_16_bits().unwrap_or(0),
            dl_src: bits.mac(Field::EthSrc).0,
            dl_dst: bits.mac(Field::EthDst).0,
            dl_type: bits.number(Field::EthType).0,
            nw_tos: bits.number::<u8>(Field::NwTos).0 & DSCP,
            nw_proto: bits.number(Field::IpProto).0,
            nw_src: src.0,
            nw_dst: dst.0,
            tp_src: bits.number(Field::TcpSrc).0,
            tp_dst: bits.number(Field::TcpDst).0,
            ..Match10::default()
        };
        for (bit, field) in WILDCARDS10 {
            if !bits.looks_at(field) {
                fixed.wildcards |= bit;
            }
        }
        fixed.wildcards |= src.1.leading_ones().abs_diff(32) << NW_SRC_SHIFT;
        fixed.wildcards |= dst.1.leading_ones().abs_diff(32) << NW_DST_SHIFT;
        let vlan = bits.vlan();
        if vlan.is_none {
            fixed.dl_vlan = VLAN_NONE;
        } else {
            match vlan.vid {
                Some(vid) => fixed.dl_vlan = vid,
                None => fixed.wildcards |= DL_VLAN10,
            }
            match vlan.pcp {
                Some(pcp) => fixed.dl_vlan_pcp = pcp,
                None => fixed.wildcards |= DL_VLAN_PCP10,
            }
        }
        bits.says(&fixed.to_match())?;
        Ok(fixed)
    }
}

impl Match11 {
    /// What it says.
    ///
    /// # Errors
    ///
    /// [`Fault::Value`] for a port, a VLAN id or priority, a DSCP or an ICMP type or code that there is
    /// none of; `OFPBMC_BAD_VALUE` or `OFPBMC_BAD_FIELD`.
    pub fn to_match(&self) -> Result<Match, DecodeError> {
        let bad = |what, value: u32, name| {
            let fault = Fault::Value(value.into());
            Err(Reader::new(&[]).named(name).error(what, fault))
        };
        let bad_value = |what, value| bad(what, value, "OFPBMC_BAD_VALUE");
        let counts = |bit: u32| self.wildcards & bit == 0;
        let mut fields = Fields(Vec::new());
        if counts(IN_PORT11) {
            let Some(port) = Port::from_32_bits(self.in_port) else {
                return bad_value("in_port", self.in_port);
            };
            fields.exact(Field::InPort, port.0);
        }
        fields.masked(
            Field::EthSrc,
            mac(self.dl_src).into(),
            (!mac(self.dl_src_mask)).into(),
        );
        fields.masked(
            Field::EthDst,
            mac(self.dl_dst).into(),
            (!mac(self.dl_dst_mask)).into(),
        );
        if counts(DL_VLAN11) {
            let (vid, vid_mask) = match self.dl_vlan {
                VLAN_NONE => (0, 0xffff),
                VLAN_ANY => (CFI, CFI),
                vid if u128::from(vid) <= VID => (CFI | u128::from(vid), CFI | VID),
                vid => return bad_value("dl_vlan", vid.into()),
            };
            let has_pcp = counts(DL_VLAN_PCP11) && self.dl_vlan != VLAN_NONE;
            if has_pcp && self.dl_vlan_pcp > 7 {
                return bad_value("dl_vlan_pcp", self.dl_vlan_pcp.into());
            }
            let (pcp, pcp_mask) = match has_pcp {
                true => (u128::from(self.dl_vlan_pcp) << 13, PCP),
                false => (0, 0),
            };
            fields.masked(Field::VlanTci, vid | pcp, vid_mask | pcp_mask);
        }
        if counts(DL_TYPE11) {
            fields.exact(Field::EthType, self.dl_type);
        }
        let kind = fields.exact_value(Field::EthType).unwrap_or(0);
        if kind == IPV4 && counts(NW_TOS11) {
            if self.nw_tos & !DSCP != 0 {
                return bad_value("nw_tos", self.nw_tos.into());
            }
            fields.exact(Field::NwTos, self.nw_tos);
        }
        if matches!(kind, IPV4 | ARP | RARP) {
            if counts(NW_PROTO11) {
                fields.proto(kind, self.nw_proto);
            }
            fields.addresses(
                kind,
                [(self.nw_src, !self.nw_src_mask), (self.nw_dst, !self.nw_dst_mask)],
            );
        }
        let proto = if counts(NW_PROTO11) {
            self.nw_proto.into()
        } else {
            0
        };
        if kind == IPV4 && matches!(proto, ICMP | TCP | UDP | SCTP) {
            let ports = [(TP_SRC11, self.tp_src), (TP_DST11, self.tp_dst)];
            let ports = ports.map(|(bit, port)| counts(bit).then_some(port));
            if let Some(port) = ports.iter().flatten().find(|port| proto == ICMP && **port > 0xff) {
                return bad("icmp", (*port).into(), "OFPBMC_BAD_FIELD");
            }
            fields.ports(kind, proto, ports);
        }
        if kind == MPLS || kind == MPLS_MULTICAST {
            if counts(MPLS_LABEL11) {
                fields.exact(Field::MplsLabel, self.mpls_label & 0xf_ffff);
            }
            if counts(MPLS_TC11) {
                fields.exact(Field::MplsTc, self.mpls_tc & 7);
            }
        }
        fields.masked(
            Field::Metadata,
            self.metadata.into(),
            (!self.metadata_mask).into(),
        );
        Ok(Match(fields.0))
    }

    /// The match in this form.
    ///
    /// # Errors
    ///
    /// [`EncodeError::NotInVersion`] if it cannot say all of it; [`EncodeError::Unresolved`] for a name.
    pub fn from_match(matches: &Match) -> Result<Self, EncodeError> {
        let bits = Holders::of(matches, Version::V1_1)?;
        let [src, dst] = [Field::IpSrc, Field::IpDst].map(|field| bits.number::<u32>(field));
        let [dl_src, dl_dst] = [Field::EthSrc, Field::EthDst].map(|field| bits.mac(field));
        let metadata = bits.number::<u64>(Field::Metadata);
        let not = |bytes: [u8; 6]| bytes.map(|byte| !byte);
        let mut fixed = Match11 {
            len: 88,
            in_port: bits.in_port().0,
            dl_src: dl_src.0,
            dl_src_mask: not(dl_src.1),
            dl_dst: dl_dst.0,
            dl_dst_mask: not(dl_dst.1),
            dl_type: bits.number(Field::EthType).0,
            nw_tos: bits.number::<u8>(Field::NwTos).0 & DSCP,
            nw_proto: bits.number(Field::IpProto).0,
            nw_src: src.0,
            nw_src_mask: !src.1,
            nw_dst: dst.0,
            nw_dst_mask: !dst.1,
            tp_src: bits.number(Field::TcpSrc).0,
            tp_dst: bits.number(Field::TcpDst).0,
            mpls_label: bits.number(Field::MplsLabel).0,
            mpls_tc: bits.number(Field::MplsTc).0,
            metadata: metadata.0,
            metadata_mask: !metadata.1,
            ..Match11::default()
        };
        for (bit, field) in WILDCARDS11 {
            if !bits.looks_at(field) {
                fixed.wildcards |= bit;
            }
        }
        let vlan = bits.vlan();
        if vlan.is_none {
            fixed.dl_vlan = VLAN_NONE;
        } else if vlan.is_any {
            fixed.dl_vlan = vlan.vid.unwrap_or(VLAN_ANY);
        } else {
            fixed.wildcards |= DL_VLAN11;
        }
        match vlan.pcp.filter(|_| !vlan.is_none) {
            Some(pcp) => fixed.dl_vlan_pcp = pcp,
            None => fixed.wildcards |= DL_VLAN_PCP11,
        }
        bits.says(&fixed.to_match().unwrap_or_default())?;
        Ok(fixed)
    }
}

fn mac(bytes: [u8; 6]) -> u64 {
    EthAddr(bytes).to_bits()
}

const DSCP: u8 = 0xfc;
const VLAN_ANY: u16 = 0xfffe;
const VLAN_NONE: u16 = 0xffff;
// `OFPFW10_*`.
const IN_PORT10: u32 = 1;
const DL_VLAN10: u32 = 1 << 1;
const DL_SRC10: u32 = 1 << 2;
const DL_DST10: u32 = 1 << 3;
const DL_TYPE10: u32 = 1 << 4;
const NW_PROTO10: u32 = 1 << 5;
const TP_SRC10: u32 = 1 << 6;
const TP_DST10: u32 = 1 << 7;
const NW_SRC_SHIFT: u32 = 8;
const NW_DST_SHIFT: u32 = 14;
const DL_VLAN_PCP10: u32 = 1 << 20;
const NW_TOS10: u32 = 1 << 21;
const ALL10: u32 = (1 << 22) - 1;
const WILDCARDS10: [(u32, Field); 8] = [
    (IN_PORT10, Field::InPort),
    (DL_SRC10, Field::EthSrc),
    (DL_DST10, Field::EthDst),
    (DL_TYPE10, Field::EthType),
    (NW_PROTO10, Field::IpProto),
    (TP_SRC10, Field::TcpSrc),
    (TP_DST10, Field::TcpDst),
    (NW_TOS10, Field::NwTos),
];
// `OFPFW11_*`.
const IN_PORT11: u32 = 1;
const DL_VLAN11: u32 = 1 << 1;
const DL_VLAN_PCP11: u32 = 1 << 2;
const DL_TYPE11: u32 = 1 << 3;
const NW_TOS11: u32 = 1 << 4;
const NW_PROTO11: u32 = 1 << 5;
const TP_SRC11: u32 = 1 << 6;
const TP_DST11: u32 = 1 << 7;
const MPLS_LABEL11: u32 = 1 << 8;
const MPLS_TC11: u32 = 1 << 9;
const WILDCARDS11: [(u32, Field); 8] = [
    (IN_PORT11, Field::InPort),
    (DL_TYPE11, Field::EthType),
    (NW_TOS11, Field::NwTos),
    (NW_PROTO11, Field::IpProto),
    (TP_SRC11, Field::TcpSrc),
    (TP_DST11, Field::TcpDst),
    (MPLS_LABEL11, Field::MplsLabel),
    (MPLS_TC11, Field::MplsTc),
];
