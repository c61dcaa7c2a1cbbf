//! The order in which Open vSwitch prints a match (`match_format` in lib/match.c).

use alloc::vec::Vec;

use crate::model::{
    canonical::bits::{ARP, CFI, ICMP, ICMPV6, IPV4, IPV6, MatchBits, NSH, PCP, RARP, SCTP, UDP, VID},
    field::Field,
    flags::Flags,
    matches::{FieldMatch, Match, MatchEntry, Value},
    protocol::Protocol,
    version::Version,
};

impl MatchBits {
    /// The match as the version can say it.
    pub(super) fn into_match(self, version: Version) -> Match {
        self.listed(version, false)
    }

    /// The match with all that it says, also what no print shows.
    pub(in crate::model) fn into_whole_match(self) -> Match {
        // What this version prints of a tag has every bit.
        self.listed(Version::V1_0, true)
    }

    fn listed(self, version: Version, whole: bool) -> Match {
        let mut printer = Printer {
            bits: &self,
            entries: Vec::with_capacity(8),
            whole,
        };
        printer.print(version);
        let mut entries = printer.entries;
        entries.extend(self.unknown);
        Match(entries)
    }
}

struct Printer<'a> {
    bits: &'a MatchBits,
    entries: Vec<MatchEntry>,
    /// Masks that are not printed, and fields that are printed beside others only.
    whole: bool,
}

impl Printer<'_> {
    fn print(&mut self, version: Version) {
        let kind = self.bits.eth_type();
        self.fields(&FIRST);
        if self.whole || self.bits.masked(Field::CtNwProto).1 != 0 {
            self.fields(&[Field::CtNwProto, Field::CtTpSrc, Field::CtTpDst]);
        }
        self.fields(&[Field::PacketType]);
        let word = self.protocol();
        self.fields(&Field::ALL[Field::Reg0 as usize..=Field::Reg31 as usize]);
        self.fields(&TUNNEL);
        self.without_mask();
        self.fields(&[Field::TunFlags]);
        let options = self.bits.options.iter().map(|(_, option)| option.shortest());
        self.entries.extend(options.map(MatchEntry::Field));
        self.fields(&[Field::Metadata, Field::InPort]);
        self.vlan(version);
        self.fields(&[Field::EthSrc, Field::EthDst]);
        if word.is_none() && self.bits.exact(Field::PacketType).is_none() {
            self.fields(&[Field::EthType]);
        }
        self.network(kind, word);
        self.transport(kind);
    }

    #[inline]
    fn fields(&mut self, fields: &[Field]) {
        // A match has few of them.
        let bits = self.bits;
        let there = fields.iter().filter(|field| bits.has(**field));
        there.for_each(|field| self.field(*field, *field));
    }

    /// The bits of `holder` under the name of `field`.
    fn field(&mut self, holder: Field, field: Field) {
        if let Some(name) = self.bits.name(holder) {
            let value = Value::Name(name.into());
            let mask = None;
            self.entries
                .push(MatchEntry::Field(FieldMatch { field, value, mask }));
            return;
        }
        let (number, mask) = self.bits.masked(holder);
        self.push(field, number, mask);
    }

    fn push(&mut self, field: Field, number: u128, mask: u128) {
        if mask == 0 {
            return;
        }
        let full = match (field, Flags::of(field.info().format)) {
            // All that is printed of them is one.
            (Field::TunFlags, _) if self.whole => field.mask_max(),
            (_, Some(flags)) => flags.all(),
            // Open vSwitch keeps the low byte.
            (Field::ArpOp, _) => 0xff,
            _ => u128::MAX >> 128_u32.saturating_sub(field.info().bits.into()),
        };
        let value = Value::Number(number);
        let mask = (mask & full != full).then_some(mask & field.mask_max());
        self.entries
            .push(MatchEntry::Field(FieldMatch { field, value, mask }));
    }

    /// The word for the Ethernet type and perhaps the IP protocol.
    fn protocol(&mut self) -> Option<Protocol> {
        let (kind, mask) = self.bits.masked(Field::EthType);
        let kind = if self.bits.exact(Field::PacketType).is_some() {
            self.bits.eth_type()
        } else {
            kind
        };
        if mask == 0 {
            return None;
        }
        let proto = self.bits.exact(Field::IpProto);
        let word = Protocol::of(kind, proto)?;
        self.entries.push(MatchEntry::Protocol(word));
        Some(word)
    }

    /// Fields that print without their mask; ERSPAN's with their version only.
    fn without_mask(&mut self) {
        if self.whole {
            return self.fields(&WITHOUT_MASK);
        }
        let of_version: &[Field] = match self.bits.masked(Field::TunErspanVer).0 {
            1 => &[Field::TunErspanIdx],
            2 => &[Field::TunErspanDir, Field::TunErspanHwid],
            _ => &[],
        };
        let fields = [
            Field::TunGbpFlags,
            Field::TunTos,
            Field::TunTtl,
            Field::TunErspanVer,
        ]
        .into_iter()
        .chain(of_version.iter().copied())
        .chain([Field::TunGtpuFlags, Field::TunGtpuMsgtype]);
        for field in fields {
            let (number, mask) = self.bits.masked(field);
            if mask != 0 {
                self.push(field, number, u128::MAX);
            }
        }
    }

    fn vlan(&mut self, version: Version) {
        let (tci, mut mask) = self.bits.masked(Field::VlanTci);
        // OXM says a priority only of a tag that is there.
        if version >= Version::V1_2 && tci & (VID | CFI) == 0 {
            mask &= VID | CFI;
        } else if version >= Version::V1_2 && mask & PCP != 0 {
            mask |= PCP;
        }
        let (vid, pcp) = (mask & VID, mask & PCP);
        let whole = (vid == 0 || vid == VID) && (pcp == 0 || pcp == PCP);
        if mask & CFI != 0 && tci & CFI != 0 && whole && vid | pcp != 0 {
            self.push(Field::DlVlan, tci & VID, vid);
            self.push(Field::DlVlanPcp, tci >> 13, pcp >> 13);
        } else {
            self.push(Field::VlanTci, tci & mask, mask);
        }
    }

    fn network(&mut self, kind: u128, word: Option<Protocol>) {
        match kind {
            IPV6 if !self.whole => self.fields(&[Field::Ipv6Src, Field::Ipv6Dst, Field::Ipv6Label]),
            ARP | RARP => {
                self.field(Field::IpSrc, Field::ArpSpa);
                self.field(Field::IpDst, Field::ArpTpa);
            }
            _ if self.whole && kind != NSH => {
                self.fields(&[Field::IpSrc, Field::IpDst]);
                self.fields(&[Field::Ipv6Src, Field::Ipv6Dst, Field::Ipv6Label]);
                self.fields(&NSH_FIELDS);
                self.fields(&[Field::NshC1, Field::NshC2, Field::NshC3, Field::NshC4]);
            }
            NSH => {
                self.fields(&NSH_FIELDS);
                if self.whole || self.bits.exact(Field::NshMdtype) == Some(1) {
                    self.fields(&[Field::NshC1, Field::NshC2, Field::NshC3, Field::NshC4]);
                }
            }
            _ => self.fields(&[Field::IpSrc, Field::IpDst]),
        }
        if word.and_then(Protocol::ip_proto).is_none() {
            let field = match kind {
                ARP | RARP => Field::ArpOp,
                _ => Field::IpProto,
            };
            self.field(Field::IpProto, field);
        }
        if kind == ARP || kind == RARP {
            self.fields(&[Field::ArpSha, Field::ArpTha]);
        }
        let (tos, mask) = self.bits.masked(Field::NwTos);
        if mask & DSCP != 0 {
            self.push(Field::NwTos, tos & DSCP, u128::MAX);
        }
        if mask & ECN != 0 {
            self.push(Field::NwEcn, tos & ECN, u128::MAX);
        }
        self.fields(&[
            Field::NwTtl,
            Field::MplsLabel,
            Field::MplsTc,
            Field::MplsTtl,
            Field::MplsBos,
            Field::IpFrag,
        ]);
    }

    fn transport(&mut self, kind: u128) {
        let names = match (kind, self.bits.ip_proto()) {
            (IPV4, ICMP) => [Field::IcmpType, Field::IcmpCode],
            (IPV6, ICMPV6) => [Field::Icmpv6Type, Field::Icmpv6Code],
            (_, UDP) => [Field::UdpSrc, Field::UdpDst],
            (_, SCTP) => [Field::SctpSrc, Field::SctpDst],
            _ => [Field::TcpSrc, Field::TcpDst],
        };
        for (holder, field) in [Field::TcpSrc, Field::TcpDst].into_iter().zip(names) {
            match self.bits.masked(holder) {
                // The type and the code of ICMP are the low byte of a port, and have no mask.
                (number, mask) if field.info().bits == 8 && mask != 0 => {
                    self.push(field, number & 0xff, u128::MAX);
                }
                _ => self.field(holder, field),
            }
        }
        if names[0] == Field::Icmpv6Type {
            self.fields(&[Field::NdTarget]);
            self.field(Field::ArpSha, Field::NdSll);
            self.field(Field::ArpTha, Field::NdTll);
            self.fields(&[Field::NdReserved, Field::NdOptionsType]);
        }
        self.fields(&[Field::TcpFlags]);
    }
}

const FIRST: [Field; 14] = [
    Field::PktMark,
    Field::RecircId,
    Field::DpHash,
    Field::ConjId,
    Field::SkbPriority,
    Field::ActsetOutput,
    Field::CtState,
    Field::CtZone,
    Field::CtMark,
    Field::CtLabel,
    Field::CtNwSrc,
    Field::CtIpv6Src,
    Field::CtNwDst,
    Field::CtIpv6Dst,
];
const TUNNEL: [Field; 6] = [
    Field::TunId,
    Field::TunSrc,
    Field::TunDst,
    Field::TunIpv6Src,
    Field::TunIpv6Dst,
    Field::TunGbpId,
];
const NSH_FIELDS: [Field; 6] = [
    Field::NshFlags,
    Field::NshTtl,
    Field::NshMdtype,
    Field::NshNp,
    Field::NshSpi,
    Field::NshSi,
];
const WITHOUT_MASK: [Field; 9] = [
    Field::TunGbpFlags,
    Field::TunTos,
    Field::TunTtl,
    Field::TunErspanVer,
    Field::TunErspanIdx,
    Field::TunErspanDir,
    Field::TunErspanHwid,
    Field::TunGtpuFlags,
    Field::TunGtpuMsgtype,
];
/// The bits of the traffic class.
const DSCP: u128 = 0xfc;
const ECN: u128 = 0x03;
