//! The entries of a match in the order in which Open vSwitch writes them (`nx_put_raw` in
//! lib/nx-match.c).

use crate::{
    model::{
        canonical::bits::{self, CFI, MatchBits, PCP, VID},
        field::{Field, Prerequisite},
        matches::{Match, MatchEntry, UnknownOxm, Value},
        version::Version,
    },
    wire::{
        error::EncodeError,
        matches::{HEADER_LEN, OFPMT_OXM},
        oxm::OxmHeader,
        write::Writer,
    },
};

/// Writes `OFPMT_OXM` with its type, length and padding.
///
/// # Errors
///
/// If the version cannot say it, or something is known by its name only.
pub(crate) fn encode_oxm(
    matches: &Match,
    version: Version,
    writer: &mut Writer<'_>,
) -> Result<(), EncodeError> {
    let start = writer.len();
    writer.u16(OFPMT_OXM);
    writer.u16(0);
    entries(matches, Some(version), None, writer)?;
    writer.fill_len(start + HEADER_LEN - 2, start, "match")?;
    writer.pad(start, 8);
    Ok(())
}

/// Writes Nicira's form with its padding, and gives the length without it. Of a cookie and its mask
/// it is an entry more.
///
/// # Errors
///
/// As [`encode_oxm`].
pub(crate) fn encode_nxm(
    matches: &Match,
    cookie: Option<(u64, u64)>,
    writer: &mut Writer<'_>,
) -> Result<u16, EncodeError> {
    let start = writer.len();
    entries(matches, None, cookie, writer)?;
    let len = writer.len() - start;
    writer.pad(start, 8);
    let limit = u16::MAX.into();
    u16::try_from(len).map_err(|_| EncodeError::TooLong {
        what: "match",
        len,
        limit,
    })
}

/// Writes the entries alone, as a property has them.
///
/// # Errors
///
/// As [`encode_oxm`].
pub(crate) fn encode_entries(
    matches: &Match,
    version: Version,
    writer: &mut Writer<'_>,
) -> Result<(), EncodeError> {
    entries(matches, Some(version), None, writer)
}

fn entries(
    matches: &Match,
    version: Option<Version>,
    cookie: Option<(u64, u64)>,
    writer: &mut Writer<'_>,
) -> Result<(), EncodeError> {
    matches.check_resolved()?;
    let bits = MatchBits::of(matches);
    let ethernet = is_ethernet(matches, &bits);
    let start = writer.len();
    let mut list = List {
        bits: &bits.pruned(),
        version,
        implied_ethernet: false,
        writer,
    };
    list.known()?;
    let implied = list.implied_ethernet;
    if let Some((value, mask)) = cookie {
        let exact = mask == u64::MAX;
        if let Some(header) = OxmHeader::COOKIE.with_len(8, !exact) {
            header.encode(writer);
        }
        writer.u64(value & mask);
        (!exact).then(|| writer.u64(mask));
    }
    for entry in &matches.0 {
        if let MatchEntry::UnknownOxm(unknown) = entry {
            encode_unknown(unknown, writer)?;
        }
    }
    if ethernet && !implied {
        // Nothing else would say that the packets are Ethernet.
        let mut entry = alloc::vec::Vec::new();
        if let Some(header) = OxmHeader::of(Field::PacketType, version) {
            header.encode_entry(&Value::Number(0), None, &mut Writer::new(&mut entry))?;
        }
        writer.insert(start, &entry);
    }
    Ok(())
}

/// Whether something of the match, even what is not looked at, says that the packets are Ethernet
/// (`match_add_ethernet_prereq` in lib/match.c).
fn is_ethernet(matches: &Match, bits: &MatchBits) -> bool {
    let needs = |entry: &MatchEntry| match entry {
        MatchEntry::Field(found) => found.field.info().prerequisite != Prerequisite::None,
        MatchEntry::Protocol(_) => true,
        _ => false,
    };
    match bits.exact(Field::PacketType) {
        Some(kind) => kind == 0,
        None => matches.0.iter().any(needs),
    }
}

struct List<'a, 'w> {
    bits: &'a MatchBits,
    version: Option<Version>,
    implied_ethernet: bool,
    writer: &'a mut Writer<'w>,
}

impl List<'_, '_> {
    fn known(&mut self) -> Result<(), EncodeError> {
        self.fields(&[Field::PacketType, Field::DpHash, Field::RecircId, Field::ConjId])?;
        match self.version {
            Some(_) => self.field(Field::InPort, Field::InPortOxm)?,
            None => self.field(Field::InPort, Field::InPort)?,
        }
        self.fields(&[Field::ActsetOutput, Field::EthSrc, Field::EthDst, Field::EthType])?;
        self.vlan()?;
        self.fields(&[Field::MplsTc, Field::MplsBos, Field::MplsTtl, Field::MplsLabel])?;
        match self.bits.eth_type() {
            bits::IPV4 | bits::IPV6 => self.ip()?,
            bits::ARP | bits::RARP => {
                self.field(Field::IpProto, Field::ArpOp)?;
                self.field(Field::IpSrc, Field::ArpSpa)?;
                self.field(Field::IpDst, Field::ArpTpa)?;
                self.fields(&[Field::ArpSha, Field::ArpTha])?;
            }
            _ => {}
        }
        self.fields(&TUNNEL)?;
        for (field, found) in self.bits.options.iter() {
            // The option is looked at even where none of its bits are.
            self.entry(field, &found.value, found.mask)?;
        }
        self.fields(&AFTER_OPTIONS)?;
        self.registers()?;
        self.fields(&CONNECTION)?;
        if self.bits.masked(Field::CtNwProto).0 != 0 {
            self.fields(&[Field::CtNwProto, Field::CtTpSrc, Field::CtTpDst])?;
        }
        self.fields(&[Field::Metadata])?;
        self.fields(&UNSPEAKABLE)
    }

    fn vlan(&mut self) -> Result<(), EncodeError> {
        if self.version.is_none() {
            return self.field(Field::VlanTci, Field::VlanTci);
        }
        let (tci, mask) = self.bits.masked(Field::VlanTci);
        self.number(Field::VlanVid, tci & (VID | CFI), mask & (VID | CFI))?;
        if tci & (VID | CFI) != 0 {
            self.number(Field::VlanPcp, tci >> 13, (mask & PCP) >> 13)?;
        }
        Ok(())
    }

    fn ip(&mut self) -> Result<(), EncodeError> {
        self.fields(&[
            Field::IpSrc,
            Field::IpDst,
            Field::Ipv6Src,
            Field::Ipv6Dst,
            Field::IpFrag,
        ])?;
        let (tos, mask) = self.bits.masked(Field::NwTos);
        match self.version {
            Some(_) => self.number(Field::IpDscp, tos >> 2, mask >> 2)?,
            None => self.number(Field::NwTos, tos & !ECN, mask & !ECN)?,
        }
        self.number(Field::NwEcn, tos & ECN, mask & ECN)?;
        self.fields(&[Field::NwTtl, Field::Ipv6Label, Field::IpProto])?;
        let names = match (self.bits.eth_type(), self.bits.ip_proto()) {
            (_, bits::TCP) => [Field::TcpSrc, Field::TcpDst],
            (_, bits::UDP) => [Field::UdpSrc, Field::UdpDst],
            (_, bits::SCTP) => [Field::SctpSrc, Field::SctpDst],
            (bits::IPV4, bits::ICMP) => [Field::IcmpType, Field::IcmpCode],
            (bits::IPV6, bits::ICMPV6) => [Field::Icmpv6Type, Field::Icmpv6Code],
            _ => return Ok(()),
        };
        self.field(Field::TcpSrc, names[0])?;
        self.field(Field::TcpDst, names[1])?;
        self.fields(&[
            Field::TcpFlags,
            Field::NdReserved,
            Field::NdTarget,
            Field::NdOptionsType,
        ])?;
        self.field(Field::ArpSha, Field::NdSll)?;
        self.field(Field::ArpTha, Field::NdTll)
    }

    /// Since OpenFlow 1.5 in pairs.
    fn registers(&mut self) -> Result<(), EncodeError> {
        let all = &Field::ALL[Field::Reg0 as usize..=Field::Reg31 as usize];
        if self.version < Some(Version::V1_5) {
            return self.fields(all);
        }
        let of = |first: Field, last: Field| Field::ALL[first as usize..=last as usize].iter().copied();
        for (pair, low) in
            of(Field::Xreg0, Field::Xreg15).zip(of(Field::Reg0, Field::Reg31).skip(1).step_by(2))
        {
            let high = Field::ALL[low as usize - 1];
            let (high, low) = (self.bits.masked(high), self.bits.masked(low));
            self.number(pair, high.0 << 32 | low.0, high.1 << 32 | low.1)?;
        }
        Ok(())
    }

    #[inline]
    fn fields(&mut self, fields: &[Field]) -> Result<(), EncodeError> {
        // A match has few of them.
        let bits = self.bits;
        let mut there = fields.iter().filter(|field| bits.has(**field));
        there.try_for_each(|field| self.field(*field, *field))
    }

    /// The bits of `holder` under the name of `field`.
    fn field(&mut self, holder: Field, field: Field) -> Result<(), EncodeError> {
        if let Some(name) = self.bits.name(holder) {
            return Err(EncodeError::Unresolved {
                what: field.name(),
                name: name.into(),
            });
        }
        let (number, mask) = self.bits.masked(holder);
        self.number(field, number, mask)
    }

    /// Writes an entry if a bit of it counts. A field without masks has them all.
    fn number(&mut self, field: Field, number: u128, mask: u128) -> Result<(), EncodeError> {
        if mask == 0 {
            return Ok(());
        }
        let ones = u128::MAX >> 128_u32.saturating_sub(field.info().bits.into());
        let whole = match field {
            // All of the bits that the field has are all of its bytes.
            Field::Ipv6Label | Field::IpFrag => mask & ones == ones,
            Field::VlanVid => mask & field.max() == field.max(),
            field => !field.info().maskable,
        };
        self.entry(field, &Value::Number(number), (!whole).then_some(mask))
    }

    fn entry(&mut self, field: Field, value: &Value, mask: Option<u128>) -> Result<(), EncodeError> {
        let header = OxmHeader::of(field, self.version).ok_or(EncodeError::NotInVersion {
            what: field.name(),
            version: self.version.unwrap_or(Version::V1_0),
        })?;
        self.implied_ethernet |= field.info().prerequisite != Prerequisite::None;
        header.encode_entry(value, mask, self.writer)
    }
}

fn encode_unknown(unknown: &UnknownOxm, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
    let (class, number) = (u64::from(unknown.class), u64::from(unknown.number));
    let header = OxmHeader(class << 48 | number << 41 | u64::from(unknown.experimenter));
    let mask = unknown.mask.as_deref().unwrap_or_default();
    let len = unknown.value.len() + mask.len();
    let too_long = EncodeError::TooLong {
        what: "OXM value",
        len,
        limit: 255,
    };
    let header = header.with_payload(len, unknown.mask.is_some()).ok_or(too_long)?;
    header.encode(writer);
    writer.bytes(&unknown.value);
    writer.bytes(mask);
    Ok(())
}

const TUNNEL: [Field; 8] = [
    Field::TunId,
    Field::TunFlags,
    Field::TunSrc,
    Field::TunDst,
    Field::TunIpv6Src,
    Field::TunIpv6Dst,
    Field::TunGbpId,
    Field::TunGbpFlags,
];
const AFTER_OPTIONS: [Field; 16] = [
    Field::TunErspanIdx,
    Field::TunErspanVer,
    Field::TunErspanDir,
    Field::TunErspanHwid,
    Field::TunGtpuFlags,
    Field::TunGtpuMsgtype,
    Field::NshFlags,
    Field::NshTtl,
    Field::NshMdtype,
    Field::NshNp,
    Field::NshSpi,
    Field::NshSi,
    Field::NshC1,
    Field::NshC2,
    Field::NshC3,
    Field::NshC4,
];
const CONNECTION: [Field; 9] = [
    Field::PktMark,
    Field::CtState,
    Field::CtZone,
    Field::CtMark,
    Field::CtLabel,
    Field::CtNwSrc,
    Field::CtIpv6Src,
    Field::CtNwDst,
    Field::CtIpv6Dst,
];
/// Fields that no header has: a match on one is refused.
const UNSPEAKABLE: [Field; 3] = [Field::TunTtl, Field::TunTos, Field::SkbPriority];
const ECN: u128 = 3;
