//! A match as the bits that it looks at: what several fields say of the same bits is one thing.

use alloc::{
    boxed::Box,
    string::{String, ToString},
    vec::Vec,
};

use crate::model::{
    field::{Field, FieldMap, Prerequisite},
    matches::{FieldMatch, Match, MatchEntry, Value},
};

/// The bits that a match looks at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct MatchBits {
    /// By field: of fields that overlap, the one that holds the bits.
    bits: FieldMap<(u128, u128)>,
    /// Ports by name.
    names: FieldMap<Box<str>>,
    /// Options of tunnels.
    pub(crate) options: FieldMap<FieldMatch>,
    /// What is not known.
    pub(crate) unknown: Vec<MatchEntry>,
}

/// A match, to compare and to sort.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct MatchKey {
    bits: Vec<(Field, (u128, u128))>,
    /// Options of tunnels, ports by name, and what is not known.
    texts: Vec<String>,
}

/// Where the bits of a field are: part by part, the field that holds them, how far up they are
/// there, how far down they are in the field's own value, and as many ones as they are.
#[derive(Clone, Copy)]
struct Part {
    holder: Field,
    up: u32,
    down: u32,
    ones: u128,
}

impl MatchBits {
    pub(crate) fn of(matches: &Match) -> Self {
        let mut bits = MatchBits::default();
        matches.0.iter().for_each(|entry| bits.add(entry));
        bits
    }

    pub(crate) fn add(&mut self, entry: &MatchEntry) {
        match entry {
            MatchEntry::Protocol(protocol) => {
                self.set(Field::EthType, protocol.eth_type().into(), None);
                if let Some(proto) = protocol.ip_proto() {
                    self.set(Field::IpProto, proto.into(), None);
                }
            }
            MatchEntry::Field(found) if found.field.info().bits > 128 => {
                let mut found = found.clone();
                if let (Value::Number(number), Some(mask)) = (&mut found.value, found.mask) {
                    *number &= mask;
                }
                self.options.insert(found.field, found);
            }
            MatchEntry::Field(FieldMatch { field, value, mask }) => match value {
                Value::Number(number) => self.set(*field, *number, *mask),
                Value::Name(name) => {
                    self.bits.remove(part(*field).holder);
                    self.names.insert(part(*field).holder, name.clone());
                }
                Value::Wide(_) | Value::Absent => {}
            },
            MatchEntry::Unknown(_) | MatchEntry::UnknownOxm(_) => self.unknown.push(entry.clone()),
        }
    }

    /// Whether a bit of the field counts (`mf_is_all_wild` in lib/meta-flow.c).
    pub(crate) fn speak_of(&self, field: Field) -> bool {
        let tag = |bits: u128| self.masked(Field::VlanTci).1 & bits != 0;
        match field {
            Field::VlanVid => tag(VID | CFI),
            Field::DlVlan => tag(VID),
            Field::VlanPcp | Field::DlVlanPcp => tag(PCP),
            _ if field.info().bits > 128 => self.options.contains(field),
            _ => parts(field).any(|part| self.masked(part.holder).1 & part.ones << part.up != 0),
        }
    }

    /// As `mf_set` (lib/meta-flow.c): what was said of the same bits before is forgotten.
    fn set(&mut self, field: Field, value: u128, mask: Option<u128>) {
        let full = field.mask_max();
        let mask = mask.unwrap_or(full) & full;
        match field {
            // `OFP10_VLAN_NONE`: no tag.
            Field::DlVlan if value == 0xffff => return self.put(Field::VlanTci, 0, 0xffff, 0xffff),
            Field::DlVlan => return self.put(Field::VlanTci, value & VID | CFI, VID | CFI, VID | CFI),
            Field::DlVlanPcp | Field::VlanPcp => {
                return self.put(Field::VlanTci, (value << 13) & PCP | CFI, PCP | CFI, PCP | CFI);
            }
            // Without the id the tag of a priority is still there (`match_set_any_vid` in lib/match.c).
            Field::VlanVid if mask & (VID | CFI) == 0 && self.masked(Field::VlanTci).1 & PCP != 0 => {
                return self.put(Field::VlanTci, 0, 0, VID);
            }
            Field::VlanVid => return self.put(Field::VlanTci, value, mask & (VID | CFI), VID | CFI),
            _ => {}
        }
        match registers(field) {
            None => self.set_part(part(field), value, mask, mask == full),
            Some(_) => parts(field).for_each(|part| self.set_part(part, value, mask, mask == full)),
        }
    }

    #[inline]
    fn set_part(&mut self, part: Part, value: u128, mask: u128, is_whole: bool) {
        let place = |bits: u128| (bits >> part.down & part.ones) << part.up;
        let scope = widest(part.holder, part.ones << part.up);
        self.names.remove(part.holder);
        // The upper byte of an ICMP type is nothing.
        let whole = if is_whole { scope } else { 0 };
        self.put(part.holder, place(value), place(mask) | whole, scope);
    }

    /// Replaces the bits `scope` of `holder`.
    fn put(&mut self, holder: Field, value: u128, mask: u128, scope: u128) {
        let (old, old_mask) = self.masked(holder);
        let mask = mask | old_mask & !scope;
        let value = (value & scope | old & !scope) & mask;
        match mask {
            0 => self.bits.remove(holder),
            _ => self.bits.insert(holder, (value, mask)),
        };
    }

    /// Whether something is said of it: a bit, or a name.
    #[inline]
    pub(crate) fn has(&self, holder: Field) -> bool {
        self.bits.contains(holder) || self.names.contains(holder)
    }

    /// The value and the mask; zeros if nothing is said.
    #[inline]
    pub(crate) fn masked(&self, holder: Field) -> (u128, u128) {
        self.bits.get(holder).copied().unwrap_or((0, 0))
    }

    /// The value, if all its bits count.
    pub(crate) fn exact(&self, holder: Field) -> Option<u128> {
        let (value, mask) = self.masked(holder);
        (mask == widest(holder, holder.mask_max())).then_some(value)
    }

    /// The fields that hold bits, the bits, and those that count.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Field, (u128, u128))> {
        self.bits.iter().map(|(holder, bits)| (holder, *bits))
    }

    pub(crate) fn name(&self, holder: Field) -> Option<&str> {
        self.names.get(holder).map(|name| &**name)
    }

    #[inline]
    pub(super) fn forget(&mut self, holders: &[Field]) {
        for holder in holders {
            self.bits.remove(*holder);
        }
    }

    /// The Ethernet type, also of a packet that is not Ethernet.
    pub(crate) fn eth_type(&self) -> u128 {
        match self.exact(Field::PacketType) {
            Some(kind) if kind >> 16 == 1 => kind & 0xffff,
            Some(kind) if kind != 0 => 0,
            _ => self.masked(Field::EthType).0,
        }
    }

    pub(crate) fn ip_proto(&self) -> u128 {
        self.masked(Field::IpProto).0
    }

    /// Whether a tag is matched.
    pub(crate) fn has_vlan(&self) -> bool {
        let (value, mask) = self.masked(Field::VlanTci);
        value & mask & CFI != 0
    }

    /// Whether a packet of these bits, of this Ethernet type and with or without a tag, has what a
    /// field needs beside it (`mf_are_prereqs_ok__` in lib/meta-flow.c).
    pub(crate) fn meet(&self, prerequisite: Prerequisite, kind: u128, has_vlan: bool) -> bool {
        let ip = kind == IPV4 || kind == IPV6;
        let proto = |proto| ip && self.ip_proto() == proto;
        let icmp6 = kind == IPV6 && proto(ICMPV6);
        let nd = |of: &[u128]| {
            icmp6 && of.contains(&self.masked(Field::TcpSrc).0) && self.masked(Field::TcpDst).0 == 0
        };
        match prerequisite {
            Prerequisite::None => true,
            Prerequisite::Ethernet => self.exact(Field::PacketType).is_none_or(|kind| kind == 0),
            Prerequisite::Vlan => has_vlan,
            Prerequisite::Mpls => kind == MPLS || kind == MPLS_MULTICAST,
            Prerequisite::Ipv4 => kind == IPV4,
            Prerequisite::Ipv6 => kind == IPV6,
            Prerequisite::Ip => ip,
            Prerequisite::Arp => kind == ARP || kind == RARP,
            Prerequisite::Tcp => proto(TCP),
            Prerequisite::Udp => proto(UDP),
            Prerequisite::Sctp => proto(SCTP),
            Prerequisite::Icmpv4 => kind == IPV4 && proto(ICMP),
            Prerequisite::Icmpv6 => icmp6,
            Prerequisite::Nd => nd(&[135, 136]),
            Prerequisite::NdSolicit => nd(&[135]),
            Prerequisite::NdAdvert => nd(&[136]),
            Prerequisite::Nsh => kind == NSH,
            Prerequisite::Ct => {
                let (state, mask) = self.masked(Field::CtState);
                state & CT_ENTRY != 0 || state & CT_TRACKED != 0 && mask & !state & CT_INVALID != 0
            }
        }
    }

    /// The bits of each field that count, and the fields that are given by name.
    pub(crate) fn masks(&self) -> (Vec<(Field, u128)>, Vec<Field>) {
        let masks = self.bits.iter().map(|(field, (_, mask))| (field, *mask));
        (
            masks.collect(),
            self.names.iter().map(|(field, _)| field).collect(),
        )
    }

    /// The values of these bits and names. `None`: not all of them count.
    pub(crate) fn under(&self, masks: &(Vec<(Field, u128)>, Vec<Field>)) -> Option<(Vec<u128>, Vec<&str>)> {
        let values = masks.0.iter().map(|(field, wanted)| {
            let (value, mask) = self.masked(*field);
            (mask & wanted == *wanted).then_some(value & wanted)
        });
        let names = masks.1.iter().map(|field| self.name(*field));
        Some((values.collect::<Option<_>>()?, names.collect::<Option<_>>()?))
    }

    /// Without what Open vSwitch does not print of a match that it has read from a message (`match_format` and
    /// `format_flow_tunnel` in lib/match.c).
    pub(super) fn received(mut self) -> Self {
        // Beside what only datapaths have it is printed.
        if self.exact(Field::PacketType) == Some(0) && !self.has(Field::RecircId) {
            self.forget(&[Field::PacketType]);
        }
        for field in [
            Field::TunErspanVer,
            Field::TunErspanDir,
            Field::TunErspanHwid,
            Field::TunGtpuFlags,
            Field::TunGtpuMsgtype,
        ] {
            // It takes the value for the mask (`match_set_tun_erspan_ver_masked`).
            if self.masked(field).0 == 0 {
                self.forget(&[field]);
            }
        }
        let (state, mask) = self.masked(Field::CtState);
        // It keeps 8 bits.
        self.put(Field::CtState, state, mask & 0xff, u128::MAX);
        self
    }

    /// Without bits that no packet has, so that what matches the same is the same: of flags that do not exist, of a
    /// priority where there is no tag.
    pub(crate) fn settled(mut self) -> Self {
        self.prune();
        for (holder, (value, mask)) in self.bits.iter_mut() {
            *mask &= match holder {
                Field::InPort | Field::InPortOxm | Field::NwTos | Field::TunFlags => u128::MAX,
                Field::CtState => CT_STATE,
                Field::VlanTci if *mask & CFI != 0 && *value & *mask == 0 => VID | CFI,
                Field::VlanTci => u128::MAX,
                holder => holder.max(),
            };
            *value &= *mask;
        }
        self
    }

    /// What tells the match from others, by bits and in an order.
    pub(crate) fn key(self) -> MatchKey {
        let mut texts: Vec<String> = self
            .options
            .iter()
            .map(|(_, option)| option.shortest().to_string())
            .collect();
        texts.extend(
            self.names
                .iter()
                .map(|(field, name)| alloc::format!("{field}={name}")),
        );
        texts.extend(self.unknown.iter().map(ToString::to_string));
        texts.sort_unstable();
        let mut bits = self.bits.into_values();
        bits.retain(|(_, (_, mask))| *mask != 0);
        MatchKey { bits, texts }
    }

    /// Without what Open vSwitch does not look at.
    pub(crate) fn pruned(mut self) -> Self {
        self.prune();
        self
    }

    /// Forgets what Open vSwitch does not look at (`ofputil_normalize_match__` in
    /// lib/ofp-match.c, `nx_put_raw` in lib/nx-match.c).
    pub(crate) fn prune(&mut self) {
        let (kind, proto) = (self.eth_type(), self.ip_proto());
        let ip = kind == IPV4 || kind == IPV6;
        let arp = kind == ARP || kind == RARP;
        if self.exact(Field::PacketType).is_some_and(|kind| kind != 0) {
            self.forget(&[Field::EthSrc, Field::EthDst]);
        } else {
            self.forget(&[Field::PacketType]);
        }
        if kind != IPV4 && !arp {
            self.forget(&[Field::IpSrc, Field::IpDst]);
        }
        if !ip && !arp {
            self.forget(&[Field::IpProto]);
        }
        if !ip {
            self.forget(&[Field::NwTos, Field::NwTtl, Field::IpFrag]);
        }
        if kind != IPV6 {
            self.forget(&[Field::Ipv6Src, Field::Ipv6Dst, Field::Ipv6Label]);
        }
        let ports = ip && matches!(proto, TCP | UDP | SCTP);
        let icmp6 = kind == IPV6 && proto == ICMPV6;
        if !(ports || icmp6 || kind == IPV4 && proto == ICMP) {
            self.forget(&[Field::TcpSrc, Field::TcpDst]);
        }
        if !(ip && proto == TCP) {
            self.forget(&[Field::TcpFlags]);
        }
        let (kind_of_nd, code) = (self.masked(Field::TcpSrc).0, self.masked(Field::TcpDst).0);
        let solicit = icmp6 && kind_of_nd == 135;
        let advert = icmp6 && kind_of_nd == 136;
        // A code that is not matched counts as 0 (`is_nd` in lib/flow.h).
        if !(solicit || advert) || code != 0 {
            self.forget(&[Field::NdTarget, Field::NdReserved, Field::NdOptionsType]);
            if !arp {
                self.forget(&[Field::ArpSha, Field::ArpTha]);
            }
        }
        if !arp && !solicit {
            self.forget(&[Field::ArpSha]);
        }
        if !arp && !advert {
            self.forget(&[Field::ArpTha]);
        }
        if kind != MPLS && kind != MPLS_MULTICAST {
            self.forget(&[Field::MplsLabel, Field::MplsTc, Field::MplsBos, Field::MplsTtl]);
        }
        if self.masked(Field::CtNwProto).0 == 0 {
            self.forget(&[Field::CtNwProto, Field::CtTpSrc, Field::CtTpDst]);
        }
    }
}

/// All bits of `holder` that stand for `scope`: an ICMP type stands for the whole port.
fn widest(holder: Field, scope: u128) -> u128 {
    match holder {
        Field::TcpSrc | Field::TcpDst => 0xffff,
        Field::IpProto => 0xff,
        _ => scope,
    }
}

/// The field that holds the bits of `field`, which is no register of several.
pub(crate) fn holder(field: Field) -> Field {
    part(field).holder
}

/// Where the bits of `field` are.
fn parts(field: Field) -> impl Iterator<Item = Part> {
    let (parts, count) = match registers(field) {
        Some((first, count)) => {
            let part = |n: usize| Part {
                holder: Field::ALL[first + n.min(count - 1)],
                up: 0,
                down: 32 * u32::try_from(count.saturating_sub(n + 1)).unwrap_or(0),
                ones: 0xffff_ffff,
            };
            ([part(0), part(1), part(2), part(3)], count)
        }
        None => ([part(field); 4], 1),
    };
    parts.into_iter().take(count)
}

/// Where the bits of a field are that is no register of several.
fn part(field: Field) -> Part {
    PARTS[field as usize]
}

static PARTS: [Part; Field::ALL.len()] = {
    let mut parts = [one(Field::InPort, 0, 0); Field::ALL.len()];
    let mut place = 0;
    while place < Field::ALL.len() {
        parts[place] = only_part(Field::ALL[place]);
        place += 1;
    }
    parts
};

const fn only_part(field: Field) -> Part {
    match field {
        Field::InPort | Field::InPortOxm => one(Field::InPort, 0, 0xffff_ffff),
        Field::NwTos => Part {
            down: 2,
            ..one(Field::NwTos, 2, 0x3f)
        },
        Field::IpDscp => one(Field::NwTos, 2, 0x3f),
        Field::NwEcn => one(Field::NwTos, 0, 3),
        Field::TcpSrc | Field::UdpSrc | Field::SctpSrc => one(Field::TcpSrc, 0, 0xffff),
        Field::TcpDst | Field::UdpDst | Field::SctpDst => one(Field::TcpDst, 0, 0xffff),
        Field::IcmpType | Field::Icmpv6Type => one(Field::TcpSrc, 0, 0xff),
        Field::IcmpCode | Field::Icmpv6Code => one(Field::TcpDst, 0, 0xff),
        Field::ArpSpa => one(Field::IpSrc, 0, 0xffff_ffff),
        Field::ArpTpa => one(Field::IpDst, 0, 0xffff_ffff),
        Field::ArpOp => one(Field::IpProto, 0, 0xff),
        Field::NdSll => one(Field::ArpSha, 0, 0xffff_ffff_ffff),
        Field::NdTll => one(Field::ArpTha, 0, 0xffff_ffff_ffff),
        _ => match field.info().bytes {
            bytes @ ..16 => one(field, 0, (1 << (8 * bytes)) - 1),
            _ => one(field, 0, u128::MAX),
        },
    }
}

const fn one(holder: Field, up: u32, ones: u128) -> Part {
    Part {
        holder,
        up,
        down: 0,
        ones,
    }
}

/// The registers of 32 bits that a register is: the place of the first one in `Field::ALL`, and
/// how many.
pub(crate) fn registers(field: Field) -> Option<(usize, usize)> {
    let place = |field: Field| field as usize;
    let (first, count) = match field {
        _ if (Field::Xreg0..=Field::Xreg15).contains(&field) => (place(field) - place(Field::Xreg0), 2),
        _ if (Field::Xxreg0..=Field::Xxreg7).contains(&field) => (place(field) - place(Field::Xxreg0), 4),
        _ => return None,
    };
    Some((place(Field::Reg0) + first * count, count))
}

/// The bits of a VLAN tag.
pub(crate) const VID: u128 = 0x0fff;
pub(crate) const CFI: u128 = 0x1000;
pub(crate) const PCP: u128 = 0xe000;
/// Bits of `ct_state`: those of a packet that is part of a connection, and others.
const CT_ENTRY: u128 = 0xcf;
const CT_INVALID: u128 = 0x10;
const CT_TRACKED: u128 = 0x20;
/// All bits that there are of it; Open vSwitch keeps no others.
const CT_STATE: u128 = 0xff;
/// Ethernet types.
pub(crate) const IPV4: u128 = 0x0800;
pub(crate) const ARP: u128 = 0x0806;
pub(crate) const RARP: u128 = 0x8035;
pub(crate) const IPV6: u128 = 0x86dd;
pub(crate) const MPLS: u128 = 0x8847;
pub(crate) const MPLS_MULTICAST: u128 = 0x8848;
pub(crate) const NSH: u128 = 0x894f;
/// IP protocols.
pub(crate) const ICMP: u128 = 1;
pub(crate) const TCP: u128 = 6;
pub(crate) const UDP: u128 = 17;
pub(crate) const ICMPV6: u128 = 58;
pub(crate) const SCTP: u128 = 132;
