//! The fields of a packet and its metadata as one row of words, of which a mask has the same form.
//!
//! The order is that of `struct flow` (`include/openvswitch/flow.h`), since lookups go through it in four segments:
//! metadata, Ethernet, IP, transport. A field is a run of bits of one word, or two whole words.

use core::fmt;

use ofp_codec::Field;

/// A packet's fields with its metadata, or the mask of a match on them. All zeros at first.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fields(pub(crate) [u64; WORDS]);

/// Where a field stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// `width` bits of a word, the lowest of them at `shift`.
    Bits { word: usize, shift: u32, width: u32 },
    /// Two words, the upper half first.
    Wide(usize),
    /// `width` bits of two words, the lowest of them at `shift`.
    Across { word: usize, shift: u32, width: u32 },
    /// An option of a tunnel, whose place only the bridge's map tells.
    Option(usize),
}

impl Fields {
    /// Nothing.
    pub(crate) const ZERO: Self = Self([0; WORDS]);

    /// Every bit of what a place holds.
    pub(crate) fn get_at(&self, place: Place) -> u128 {
        match place {
            Place::Bits { word, shift, width } => u128::from(self.0[word] >> shift & ones(width)),
            Place::Wide(word) => u128::from(self.0[word]) << 64 | u128::from(self.0[word + 1]),
            Place::Across { word, shift, width } => {
                self.get_at(Place::Wide(word)) >> shift & (u128::MAX >> (128 - width.clamp(1, 128)))
            }
            Place::Option(_) => 0,
        }
    }

    /// Replaces the bits that `mask` has.
    pub(crate) fn set_at(&mut self, place: Place, value: u128, mask: u128) {
        match place {
            Place::Bits { word, shift, width } => {
                let mask = (low(mask) & ones(width)) << shift;
                self.0[word] = self.0[word] & !mask | low(value) << shift & mask;
            }
            Place::Wide(word) => {
                let (high_mask, low_mask) = (low(mask >> 64), low(mask));
                self.0[word] = self.0[word] & !high_mask | low(value >> 64) & high_mask;
                self.0[word + 1] = self.0[word + 1] & !low_mask | low(value) & low_mask;
            }
            Place::Across { word, shift, width } => {
                let ones = u128::MAX >> (128 - width.clamp(1, 128));
                self.set_at(Place::Wide(word), (value & ones) << shift, (mask & ones) << shift);
            }
            Place::Option(_) => {}
        }
    }

    /// A field's value.
    pub fn get(&self, field: Field) -> u128 {
        self.get_at(place(field))
    }

    /// The fields that differ, each as `name=own/other`, for people.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        Field::ALL
            .iter()
            .filter(|field| self.get(**field) != other.get(**field))
            .map(|field| {
                format!(
                    "{}={:#x}/{:#x}",
                    field.name(),
                    self.get(*field),
                    other.get(*field)
                )
            })
            .collect()
    }

    /// Replaces the bits of a field that `mask` has.
    pub(crate) fn set_masked(&mut self, field: Field, value: u128, mask: u128) {
        self.set_at(place(field), value, mask);
    }

    /// Replaces a field; of flags of a tunnel all 16 bits, of which OpenFlow knows one.
    pub fn set(&mut self, field: Field, value: u128) {
        self.set_masked(field, value, u128::MAX);
    }

    pub(crate) fn u64(&self, place: Place) -> u64 {
        low(self.get_at(place))
    }

    pub(crate) fn u32(&self, place: Place) -> u32 {
        u32::try_from(self.get_at(place)).unwrap_or(u32::MAX)
    }

    pub(crate) fn u16(&self, place: Place) -> u16 {
        u16::try_from(self.get_at(place)).unwrap_or(u16::MAX)
    }

    pub(crate) fn u8(&self, place: Place) -> u8 {
        u8::try_from(self.get_at(place)).unwrap_or(u8::MAX)
    }

    pub(crate) fn put(&mut self, place: Place, value: impl Into<u128>) {
        self.set_at(place, value.into(), u128::MAX);
    }

    pub(crate) fn mask(&mut self, place: Place) {
        self.set_at(place, u128::MAX, u128::MAX);
    }

    /// Adds these bits of a place to a mask.
    pub(crate) fn mask_bits(&mut self, place: Place, bits: impl Into<u128>) {
        let bits = bits.into();
        self.set_at(place, bits, bits);
    }

    pub(crate) fn clear(&mut self, place: Place) {
        self.set_at(place, 0, u128::MAX);
    }

    /// Copies these words of another.
    pub(crate) fn copy_words(&mut self, other: &Self, words: core::ops::Range<usize>) {
        self.0[words.clone()].copy_from_slice(&other.0[words]);
    }

    pub(crate) fn clear_words(&mut self, words: core::ops::Range<usize>) {
        self.0[words].fill(0);
    }
}

impl Default for Fields {
    fn default() -> Self {
        Self::ZERO
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = Field::ALL
            .iter()
            .filter(|field| self.get(**field) != 0)
            .map(|field| (field.name(), self.get(*field)));
        f.debug_map().entries(set).finish()
    }
}

/// The lower half.
fn low(number: u128) -> u64 {
    u64::try_from(number & u128::from(u64::MAX)).unwrap_or(0)
}

const fn ones(width: u32) -> u64 {
    if width >= 64 { u64::MAX } else { (1 << width) - 1 }
}

const fn bits(word: usize, shift: u32, width: u32) -> Place {
    Place::Bits { word, shift, width }
}

/// Places of what is not a field of OpenFlow, or is part of several.
pub(crate) mod at {
    use super::{OPTIONS, Place, REGS, bits};

    pub(crate) const TUN_ID: Place = bits(0, 0, 64);
    pub(crate) const TUN_SRC: Place = bits(1, 32, 32);
    pub(crate) const TUN_DST: Place = bits(1, 0, 32);
    pub(crate) const TUN_IPV6_SRC: Place = Place::Wide(2);
    pub(crate) const TUN_IPV6_DST: Place = Place::Wide(4);
    pub(crate) const TUN_FLAGS: Place = bits(6, 48, 16);
    pub(crate) const TUN_TOS: Place = bits(6, 40, 8);
    pub(crate) const TUN_TTL: Place = bits(6, 32, 8);
    pub(crate) const TUN_TP_SRC: Place = bits(6, 16, 16);
    pub(crate) const TUN_TP_DST: Place = bits(6, 0, 16);
    pub(crate) const GBP_ID: Place = bits(7, 48, 16);
    pub(crate) const GBP_FLAGS: Place = bits(7, 40, 8);
    pub(crate) const ERSPAN_VER: Place = bits(7, 32, 8);
    pub(crate) const ERSPAN_DIR: Place = bits(7, 24, 8);
    pub(crate) const ERSPAN_HWID: Place = bits(7, 16, 8);
    pub(crate) const GTPU_FLAGS: Place = bits(7, 8, 8);
    pub(crate) const GTPU_MSGTYPE: Place = bits(7, 0, 8);
    pub(crate) const ERSPAN_IDX: Place = bits(8, 0, 32);
    /// Which options of a tunnel are there, a bit a `tun_metadata` field.
    pub(crate) const OPTIONS_PRESENT: Place = bits(OPTIONS.end, 0, 64);
    pub(crate) const METADATA: Place = bits(REGS.start - 1, 0, 64);
    pub(crate) const SKB_PRIORITY: Place = bits(REGS.end, 32, 32);
    pub(crate) const PKT_MARK: Place = bits(REGS.end, 0, 32);
    pub(crate) const DP_HASH: Place = bits(REGS.end + 1, 32, 32);
    pub(crate) const IN_PORT: Place = bits(REGS.end + 1, 0, 32);
    pub(crate) const RECIRC_ID: Place = bits(REGS.end + 2, 32, 32);
    pub(crate) const CT_STATE: Place = bits(REGS.end + 2, 24, 8);
    pub(crate) const CT_NW_PROTO: Place = bits(REGS.end + 2, 16, 8);
    pub(crate) const CT_ZONE: Place = bits(REGS.end + 2, 0, 16);
    pub(crate) const CT_MARK: Place = bits(REGS.end + 3, 32, 32);
    pub(crate) const PACKET_TYPE: Place = bits(REGS.end + 3, 0, 32);
    pub(crate) const CT_LABEL: Place = Place::Wide(REGS.end + 4);
    pub(crate) const CONJ_ID: Place = bits(REGS.end + 6, 32, 32);
    pub(crate) const ACTSET_OUTPUT: Place = bits(REGS.end + 6, 0, 32);

    pub(crate) const L2: usize = REGS.end + 7;
    pub(crate) const DL_DST: Place = bits(L2, 16, 48);
    pub(crate) const DL_TYPE: Place = bits(L2, 0, 16);
    pub(crate) const DL_SRC: Place = bits(L2 + 1, 16, 48);
    pub(crate) const TPID: [Place; 2] = [bits(L2 + 2, 48, 16), bits(L2 + 2, 16, 16)];
    pub(crate) const TCI: [Place; 2] = [bits(L2 + 2, 32, 16), bits(L2 + 2, 0, 16)];
    pub(crate) const VLANS: Place = bits(L2 + 2, 0, 64);
    pub(crate) const VLAN: [Place; 2] = [bits(L2 + 2, 32, 32), bits(L2 + 2, 0, 32)];
    pub(crate) const MPLS: [Place; 3] = [bits(L2 + 3, 32, 32), bits(L2 + 3, 0, 32), bits(L2 + 4, 32, 32)];

    pub(crate) const L3: usize = L2 + 5;
    pub(crate) const NW_SRC: Place = bits(L3, 32, 32);
    pub(crate) const NW_DST: Place = bits(L3, 0, 32);
    pub(crate) const CT_NW_SRC: Place = bits(L3 + 1, 32, 32);
    pub(crate) const CT_NW_DST: Place = bits(L3 + 1, 0, 32);
    pub(crate) const IPV6_SRC: Place = Place::Wide(L3 + 2);
    pub(crate) const IPV6_DST: Place = Place::Wide(L3 + 4);
    pub(crate) const CT_IPV6_SRC: Place = Place::Wide(L3 + 6);
    pub(crate) const CT_IPV6_DST: Place = Place::Wide(L3 + 8);
    pub(crate) const IPV6_LABEL: Place = bits(L3 + 10, 32, 32);
    pub(crate) const NW_FRAG: Place = bits(L3 + 10, 24, 8);
    pub(crate) const NW_TOS: Place = bits(L3 + 10, 16, 8);
    pub(crate) const NW_TTL: Place = bits(L3 + 10, 8, 8);
    pub(crate) const NW_PROTO: Place = bits(L3 + 10, 0, 8);

    pub(crate) const L4: usize = L3 + 11;
    pub(crate) const ND_TARGET: Place = Place::Wide(L4);
    pub(crate) const ARP_SHA: Place = bits(L4 + 2, 16, 48);
    /// TCP's flags, or the type of an option of neighbour discovery.
    pub(crate) const TCP_FLAGS: Place = bits(L4 + 2, 0, 16);
    pub(crate) const ARP_THA: Place = bits(L4 + 3, 16, 48);
    pub(crate) const NSH_FLAGS: Place = bits(L4 + 4, 56, 8);
    pub(crate) const NSH_TTL: Place = bits(L4 + 4, 48, 8);
    pub(crate) const NSH_MDTYPE: Place = bits(L4 + 4, 40, 8);
    pub(crate) const NSH_NP: Place = bits(L4 + 4, 32, 8);
    pub(crate) const NSH_PATH: Place = bits(L4 + 4, 0, 32);
    pub(crate) const NSH_CONTEXT: Place = Place::Wide(L4 + 5);
    /// A transport's port or ICMP's type.
    pub(crate) const TP_SRC: Place = bits(L4 + 7, 48, 16);
    pub(crate) const TP_DST: Place = bits(L4 + 7, 32, 16);
    /// Both, as the trie of ports has them.
    pub(crate) const TP: Place = bits(L4 + 7, 32, 32);
    pub(crate) const CT_TP_SRC: Place = bits(L4 + 7, 16, 16);
    pub(crate) const CT_TP_DST: Place = bits(L4 + 7, 0, 16);
    /// IGMP's group, or the reserved word of neighbour discovery.
    pub(crate) const IGMP_GROUP: Place = bits(L4 + 8, 32, 32);
    pub(crate) const END: usize = L4 + 9;
}

/// The tunnel's words, its options included.
pub(crate) const TUNNEL: core::ops::Range<usize> = 0..OPTIONS.end + 1;
/// The values of a tunnel's options, each in words of its own in the order of the bridge's map, and the number's last bits in the
/// last word; the word behind them tells which are there.
pub(crate) const OPTIONS: core::ops::Range<usize> = 9..73;
/// The registers, two in a word.
pub(crate) const REGS: core::ops::Range<usize> = 75..91;
/// The first word of each segment behind the first.
pub(crate) const SEGMENTS: [usize; 3] = [at::L2, at::L3, at::L4];
/// All words.
pub(crate) const WORDS: usize = at::END;

/// The bit that says that there is a tag (`VLAN_CFI`).
pub(crate) const CFI: u16 = 0x1000;

/// Where OpenFlow's field stands.
#[allow(clippy::too_many_lines, reason = "a row a field")]
pub(crate) fn place(field: Field) -> Place {
    use Field as F;
    match field {
        F::DpHash => at::DP_HASH,
        F::RecircId => at::RECIRC_ID,
        F::PacketType => at::PACKET_TYPE,
        F::ConjId => at::CONJ_ID,
        F::TunId => at::TUN_ID,
        F::TunSrc => at::TUN_SRC,
        F::TunDst => at::TUN_DST,
        F::TunIpv6Src => at::TUN_IPV6_SRC,
        F::TunIpv6Dst => at::TUN_IPV6_DST,
        F::TunFlags => at::TUN_FLAGS,
        F::TunTtl => at::TUN_TTL,
        F::TunTos => at::TUN_TOS,
        F::TunGbpId => at::GBP_ID,
        F::TunGbpFlags => at::GBP_FLAGS,
        F::TunErspanIdx => at::ERSPAN_IDX,
        F::TunErspanVer => at::ERSPAN_VER,
        F::TunErspanDir => at::ERSPAN_DIR,
        F::TunErspanHwid => at::ERSPAN_HWID,
        F::TunGtpuFlags => at::GTPU_FLAGS,
        F::TunGtpuMsgtype => at::GTPU_MSGTYPE,
        F::Metadata => at::METADATA,
        F::InPort | F::InPortOxm => at::IN_PORT,
        F::SkbPriority => at::SKB_PRIORITY,
        F::PktMark => at::PKT_MARK,
        F::CtState => at::CT_STATE,
        F::CtZone => at::CT_ZONE,
        F::CtMark => at::CT_MARK,
        F::CtLabel => at::CT_LABEL,
        F::CtNwProto => at::CT_NW_PROTO,
        F::CtNwSrc => at::CT_NW_SRC,
        F::CtNwDst => at::CT_NW_DST,
        F::CtIpv6Src => at::CT_IPV6_SRC,
        F::CtIpv6Dst => at::CT_IPV6_DST,
        F::CtTpSrc => at::CT_TP_SRC,
        F::CtTpDst => at::CT_TP_DST,
        F::ActsetOutput => at::ACTSET_OUTPUT,
        F::EthSrc => at::DL_SRC,
        F::EthDst => at::DL_DST,
        F::EthType => at::DL_TYPE,
        F::VlanTci => at::TCI[0],
        F::DlVlan => sub(at::TCI[0], 0, 12),
        F::VlanVid => sub(at::TCI[0], 0, 13),
        F::DlVlanPcp | F::VlanPcp => sub(at::TCI[0], 13, 3),
        F::MplsLabel => sub(at::MPLS[0], 12, 20),
        F::MplsTc => sub(at::MPLS[0], 9, 3),
        F::MplsBos => sub(at::MPLS[0], 8, 1),
        F::MplsTtl => sub(at::MPLS[0], 0, 8),
        F::IpSrc | F::ArpSpa => at::NW_SRC,
        F::IpDst | F::ArpTpa => at::NW_DST,
        F::Ipv6Src => at::IPV6_SRC,
        F::Ipv6Dst => at::IPV6_DST,
        F::Ipv6Label => at::IPV6_LABEL,
        F::IpProto | F::ArpOp => at::NW_PROTO,
        F::NwTos => at::NW_TOS,
        F::IpDscp => sub(at::NW_TOS, 2, 6),
        F::NwEcn => sub(at::NW_TOS, 0, 2),
        F::NwTtl => at::NW_TTL,
        F::IpFrag => at::NW_FRAG,
        F::ArpSha | F::NdSll => at::ARP_SHA,
        F::ArpTha | F::NdTll => at::ARP_THA,
        F::TcpSrc | F::UdpSrc | F::SctpSrc | F::IcmpType | F::Icmpv6Type => at::TP_SRC,
        F::TcpDst | F::UdpDst | F::SctpDst | F::IcmpCode | F::Icmpv6Code => at::TP_DST,
        F::TcpFlags | F::NdOptionsType => at::TCP_FLAGS,
        F::NdTarget => at::ND_TARGET,
        F::NdReserved => at::IGMP_GROUP,
        F::NshFlags => at::NSH_FLAGS,
        F::NshMdtype => at::NSH_MDTYPE,
        F::NshNp => at::NSH_NP,
        F::NshSpi => sub(at::NSH_PATH, 8, 24),
        F::NshSi => sub(at::NSH_PATH, 0, 8),
        F::NshC1 => nsh_context(0),
        F::NshC2 => nsh_context(1),
        F::NshC3 => nsh_context(2),
        F::NshC4 => nsh_context(3),
        F::NshTtl => at::NSH_TTL,
        _ => match (register(field), option_number(field)) {
            (Some(place), _) => place,
            (None, number) => Place::Option(number.unwrap_or_default()),
        },
    }
}

/// A register of 32, 64 or 128 bits.
fn register(field: Field) -> Option<Place> {
    let number = |first: Field, last: Field| {
        (first..=last)
            .contains(&field)
            .then(|| field as usize - first as usize)
    };
    if let Some(n) = number(Field::Reg0, Field::Reg31) {
        return Some(bits(REGS.start + n / 2, if n % 2 == 0 { 32 } else { 0 }, 32));
    }
    if let Some(n) = number(Field::Xreg0, Field::Xreg15) {
        return Some(bits(REGS.start + n, 0, 64));
    }
    number(Field::Xxreg0, Field::Xxreg7).map(|n| Place::Wide(REGS.start + 2 * n))
}

const fn nsh_context(n: usize) -> Place {
    bits(at::L4 + 5 + n / 2, if n % 2 == 0 { 32 } else { 0 }, 32)
}

/// Part of a place that is in one word.
pub(crate) const fn sub(place: Place, first: u32, width: u32) -> Place {
    match place {
        Place::Bits { word, shift, .. } => bits(word, shift + first, width),
        other => other,
    }
}

/// Some bits of a place, counted from the lowest one; also of one that has two words.
pub(crate) const fn part(place: Place, first: u32, width: u32) -> Place {
    match place {
        Place::Bits { word, shift, .. } => bits(word, shift + first, width),
        Place::Wide(word) if first == 0 && width == 128 => Place::Wide(word),
        Place::Wide(word) => Place::Across {
            word,
            shift: first,
            width,
        },
        Place::Option(number) => Place::Option(number),
        Place::Across { word, shift, .. } => Place::Across {
            word,
            shift: shift + first,
            width,
        },
    }
}

/// The number of an option of a tunnel.
pub(crate) fn option_number(field: Field) -> Option<usize> {
    (Field::TunMetadata0..=Field::TunMetadata63)
        .contains(&field)
        .then(|| field as usize - Field::TunMetadata0 as usize)
}

/// Whether a place is part of what is kept of a packet that goes on later.
pub(crate) fn is_frozen(place: Place) -> bool {
    match place {
        Place::Bits { word, .. } if word == REGS.end + 1 => place == at::IN_PORT,
        Place::Bits { word, .. } | Place::Wide(word) | Place::Across { word, .. } => word < REGS.end,
        Place::Option(_) => true,
    }
}
