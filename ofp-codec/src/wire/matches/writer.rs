//! A match as entries, as Open vSwitch writes them (`nx_put_raw` in lib/nx-match.c).

use crate::{
    model::{
        canonical::{
            actions::Context,
            bits::{self, CFI, MatchBits, PCP, VID},
        },
        field::{Field, Prerequisite},
        matches::{Match, MatchEntry, UnknownOxm},
        version::Version,
    },
    wire::{
        error::EncodeError,
        matches::{HEADER_LEN, OFPMT_OXM, order::Places, whole},
        oxm::OxmHeader,
        write::Writer,
    },
};

/// A match that is to be written, and the bits that it looks at, which are found once.
pub(crate) struct MatchWriter<'m> {
    matches: &'m Match,
    bits: MatchBits,
}

impl<'m> MatchWriter<'m> {
    /// # Errors
    ///
    /// If something is known by its text only, or would be left out or changed.
    pub(crate) fn new(matches: &'m Match) -> Result<Self, EncodeError> {
        let bits = whole::bits(matches)?;
        Ok(MatchWriter { matches, bits })
    }

    /// What the words for the actions of its flow depend on.
    pub(crate) fn context(&self, version: Version) -> Context {
        Context::of(version, &self.bits)
    }

    /// Writes `OFPMT_OXM` with its type, length and padding.
    ///
    /// # Errors
    ///
    /// If the version cannot say it, or a port is known by its name only.
    pub(crate) fn encode_oxm(self, version: Version, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let start = writer.len();
        writer.u16(OFPMT_OXM);
        writer.u16(0);
        self.encode_entries(version, writer)?;
        writer.fill_len(start + HEADER_LEN - 2, start, "match")?;
        writer.pad(start, 8);
        Ok(())
    }

    /// Writes Nicira's form with its padding, and gives the length without it. Of a cookie and its mask
    /// it is an entry more.
    ///
    /// # Errors
    ///
    /// As [`encode_oxm`](Self::encode_oxm).
    pub(crate) fn encode_nxm(
        self,
        cookie: Option<(u64, u64)>,
        writer: &mut Writer<'_>,
    ) -> Result<u16, EncodeError> {
        let start = writer.len();
        self.entries(None, cookie, writer)?;
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
    /// As [`encode_oxm`](Self::encode_oxm).
    pub(crate) fn encode_entries(self, version: Version, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        self.entries(Some(version), None, writer)
    }

    fn entries(
        mut self,
        version: Option<Version>,
        cookie: Option<(u64, u64)>,
        writer: &mut Writer<'_>,
    ) -> Result<(), EncodeError> {
        if let Some(version) = version {
            whole::check_tag(&self.bits, version)?;
        }
        let ethernet = is_ethernet(self.matches, &self.bits);
        self.bits.prune();
        let bits = &self.bits;
        let mut names = Names::of(bits, version);
        if ethernet && !names.imply_ethernet {
            // Nothing else would say that the packets are Ethernet.
            names.add(Field::PacketType);
        }
        let mut entries = Entries {
            bits,
            version,
            writer,
        };
        names.places.fields().try_for_each(|name| entries.write(name))?;
        if let Some((value, mask)) = cookie {
            let exact = mask == u64::MAX;
            let header = if exact {
                OxmHeader::COOKIE
            } else {
                OxmHeader::COOKIE_MASKED
            };
            header.encode(writer);
            writer.u64(value & mask);
            (!exact).then(|| writer.u64(mask));
        }
        for entry in &self.matches.0 {
            if let MatchEntry::UnknownOxm(unknown) = entry {
                encode_unknown(unknown, writer)?;
            }
        }
        Ok(())
    }
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

/// The fields under whose names the bits are written.
#[derive(Default)]
struct Names {
    places: Places,
    /// One of them is only of packets that are Ethernet.
    imply_ethernet: bool,
}

impl Names {
    fn of(bits: &MatchBits, version: Option<Version>) -> Self {
        let mut names = Names::default();
        let (kind, proto) = (bits.eth_type(), bits.ip_proto());
        for (holder, (value, mask)) in bits.iter() {
            match holder {
                Field::InPort if version.is_some() => names.add(Field::InPortOxm),
                Field::VlanTci if version.is_some() => {
                    if mask & (VID | CFI) != 0 {
                        names.add(Field::VlanVid);
                    }
                    if value & (VID | CFI) != 0 && mask & PCP != 0 {
                        names.add(Field::VlanPcp);
                    }
                }
                Field::NwTos => {
                    if mask & !ECN != 0 {
                        names.add(if version.is_some() {
                            Field::IpDscp
                        } else {
                            Field::NwTos
                        });
                    }
                    if mask & ECN != 0 {
                        names.add(Field::NwEcn);
                    }
                }
                // Since OpenFlow 1.5 in pairs.
                _ if (Field::Reg0..=Field::Reg31).contains(&holder) && version >= Some(Version::V1_5) => {
                    let pair = (holder as usize - Field::Reg0 as usize) / 2;
                    names.add(Field::ALL[Field::Xreg0 as usize + pair]);
                }
                holder => names.add(name(holder, kind, proto)),
            }
        }
        bits.options.iter().for_each(|(option, _)| names.add(option));
        names
    }

    fn add(&mut self, field: Field) {
        self.imply_ethernet |= field.info().prerequisite != Prerequisite::None;
        self.places.add(field);
    }
}

/// What `holder` is called in packets of this type and protocol.
fn name(holder: Field, kind: u128, proto: u128) -> Field {
    let arp = kind == bits::ARP || kind == bits::RARP;
    match holder {
        Field::IpProto if arp => Field::ArpOp,
        Field::IpSrc if arp => Field::ArpSpa,
        Field::IpDst if arp => Field::ArpTpa,
        Field::ArpSha if !arp => Field::NdSll,
        Field::ArpTha if !arp => Field::NdTll,
        Field::TcpSrc | Field::TcpDst => {
            let names = match proto {
                bits::UDP => [Field::UdpSrc, Field::UdpDst],
                bits::SCTP => [Field::SctpSrc, Field::SctpDst],
                bits::ICMP => [Field::IcmpType, Field::IcmpCode],
                bits::ICMPV6 => [Field::Icmpv6Type, Field::Icmpv6Code],
                _ => [Field::TcpSrc, Field::TcpDst],
            };
            names[usize::from(holder == Field::TcpDst)]
        }
        holder => holder,
    }
}

struct Entries<'a, 'w> {
    bits: &'a MatchBits,
    version: Option<Version>,
    writer: &'a mut Writer<'w>,
}

impl Entries<'_, '_> {
    /// Writes the bits that have this name.
    fn write(&mut self, name: Field) -> Result<(), EncodeError> {
        let of = |holder| self.bits.masked(holder);
        let (number, mask) = match name {
            Field::VlanVid => {
                let (tci, mask) = of(Field::VlanTci);
                (tci & (VID | CFI), mask & (VID | CFI))
            }
            Field::VlanPcp => {
                let (tci, mask) = of(Field::VlanTci);
                (tci >> 13, (mask & PCP) >> 13)
            }
            Field::IpDscp => {
                let (tos, mask) = of(Field::NwTos);
                (tos >> 2, mask >> 2)
            }
            Field::NwTos => {
                let (tos, mask) = of(name);
                (tos & !ECN, mask & !ECN)
            }
            Field::NwEcn => {
                let (tos, mask) = of(Field::NwTos);
                (tos & ECN, mask & ECN)
            }
            _ if (Field::Xreg0..=Field::Xreg15).contains(&name) => {
                let high = Field::Reg0 as usize + 2 * (name as usize - Field::Xreg0 as usize);
                let (high, low) = (of(Field::ALL[high]), of(Field::ALL[high + 1]));
                (high.0 << 32 | low.0, high.1 << 32 | low.1)
            }
            // Where nothing is said of it, it is written for being Ethernet.
            Field::PacketType if !self.bits.has(name) => (0, u128::MAX),
            name => match self.bits.options.get(name) {
                // The option is looked at even where none of its bits are.
                Some(option) => {
                    return self
                        .header(name)?
                        .encode_entry(&option.value, option.mask, self.writer);
                }
                None => of(bits::holder(name)),
            },
        };
        let ones = u128::MAX >> 128_u32.saturating_sub(name.info().bits.into());
        let whole = match name {
            // All of the bits that the field has are all of its bytes.
            Field::Ipv6Label | Field::IpFrag => mask & ones == ones,
            Field::VlanVid => mask & name.max() == name.max(),
            // A field without masks has all its bits.
            name => !name.info().maskable,
        };
        let header = self.header(name)?;
        header.encode_number(name, number, (!whole).then_some(mask), self.writer)
    }

    fn header(&self, name: Field) -> Result<OxmHeader, EncodeError> {
        OxmHeader::of(name, self.version).ok_or(EncodeError::NotInVersion {
            what: name.name(),
            version: self.version.unwrap_or(Version::V1_0),
        })
    }
}

fn encode_unknown(unknown: &UnknownOxm, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
    let (class, number) = (u64::from(unknown.class), u64::from(unknown.number));
    let header = OxmHeader(class << 48 | number << 41 | u64::from(unknown.experimenter));
    let mask = unknown.mask.as_deref().unwrap_or_default();
    let has_experimenter = unknown.class == OxmHeader::EXPERIMENTER;
    let fits = unknown.number < 128
        && (has_experimenter || unknown.experimenter == 0)
        && (unknown.mask.is_none() || mask.len() == unknown.value.len());
    if !fits {
        return Err(EncodeError::OutOfRange {
            what: "OXM field",
            value: unknown.number.into(),
        });
    }
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

const ECN: u128 = 3;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::matches::FieldMatch;

    #[test]
    fn all_that_a_match_can_say_has_a_place_under_every_name() {
        for &field in Field::ALL {
            let said = FieldMatch::exact(field, 1);
            let bits = MatchBits::of(&Match(alloc::vec![MatchEntry::Field(said)]));
            for version in [None, Some(Version::V1_3), Some(Version::V1_5)] {
                assert!(
                    Names::of(&bits, version).places.fields().next().is_some(),
                    "{field}"
                );
            }
            for ((holder, _), (kind, proto)) in bits.iter().flat_map(|it| KINDS.map(|kind| (it, kind))) {
                let name = name(holder, kind, proto);
                let mut places = Places::default();
                places.add(name);
                assert!(places.fields().eq([name]), "{field}");
            }
        }
    }

    const KINDS: [(u128, u128); 7] = [
        (bits::ARP, 1),
        (bits::IPV4, bits::TCP),
        (bits::IPV4, bits::UDP),
        (bits::IPV4, bits::SCTP),
        (bits::IPV4, bits::ICMP),
        (bits::IPV6, bits::ICMPV6),
        (bits::IPV6, bits::TCP),
    ];
}
