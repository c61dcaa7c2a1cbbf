//! Between the fields of a fixed match and the bits that a match looks at.

use alloc::vec::Vec;

use crate::{
    model::{
        addr::EthAddr,
        canonical::bits::{ARP, CFI, ICMP, IPV4, MatchBits, PCP, RARP, SCTP, UDP, VID},
        field::Field,
        matches::{FieldMatch, Match, MatchEntry, Value},
        port::Port,
        version::Version,
    },
    wire::{error::EncodeError, matches::whole},
};

/// The entries that a fixed match is.
pub(super) struct Fields(pub(super) Vec<MatchEntry>);

impl Fields {
    pub(super) fn exact(&mut self, field: Field, number: impl Into<u128>) {
        self.0
            .push(MatchEntry::Field(FieldMatch::exact(field, number.into())));
    }

    pub(super) fn masked(&mut self, field: Field, number: u128, mask: u128) {
        let mask = mask & field.mask_max();
        if mask == 0 {
            return;
        }
        self.0.push(MatchEntry::Field(FieldMatch {
            field,
            value: Value::Number(number & mask),
            mask: (mask != field.mask_max()).then_some(mask),
        }));
    }

    pub(super) fn exact_value(&self, field: Field) -> Option<u128> {
        self.0.iter().find_map(|entry| match entry {
            MatchEntry::Field(found) if found.field == field => found.value.number(),
            _ => None,
        })
    }

    pub(super) fn proto(&mut self, kind: u128, proto: u8) {
        let field = if is_arp(kind) {
            Field::ArpOp
        } else {
            Field::IpProto
        };
        self.exact(field, proto);
    }

    pub(super) fn addresses(&mut self, kind: u128, addresses: [(u32, u32); 2]) {
        let fields = match is_arp(kind) {
            true => [Field::ArpSpa, Field::ArpTpa],
            false => [Field::IpSrc, Field::IpDst],
        };
        for (field, (address, mask)) in fields.into_iter().zip(addresses) {
            self.masked(field, address.into(), mask.into());
        }
    }

    pub(super) fn ports(&mut self, kind: u128, proto: u128, ports: [Option<u16>; 2]) {
        let fields = match (kind, proto) {
            (_, UDP) => [Field::UdpSrc, Field::UdpDst],
            (_, SCTP) => [Field::SctpSrc, Field::SctpDst],
            (IPV4, ICMP) => [Field::IcmpType, Field::IcmpCode],
            _ => [Field::TcpSrc, Field::TcpDst],
        };
        let ports = fields.into_iter().zip(ports);
        ports.for_each(|(field, port)| port.into_iter().for_each(|port| self.exact(field, port)));
    }
}

/// The bits of a match that is to become a fixed one.
pub(super) struct Holders {
    bits: MatchBits,
    version: Version,
}

/// What a match says of the tag of a packet.
pub(super) struct Vlan {
    /// There is none.
    pub(super) is_none: bool,
    /// It is looked at.
    pub(super) is_any: bool,
    pub(super) vid: Option<u16>,
    pub(super) pcp: Option<u8>,
}

impl Holders {
    pub(super) fn of(matches: &Match, version: Version) -> Result<Self, EncodeError> {
        let bits = whole::bits(matches)?;
        Ok(Holders { bits, version })
    }

    /// The value and the mask; zeros if nothing is said.
    pub(super) fn number<T: TryFrom<u128> + Default>(&self, field: Field) -> (T, T) {
        let of = |number| T::try_from(number).unwrap_or_default();
        let (number, mask) = self.bits.masked(field);
        (of(number), of(mask))
    }

    pub(super) fn mac(&self, field: Field) -> ([u8; 6], [u8; 6]) {
        let (number, mask) = self.bits.masked(field);
        (EthAddr::from_bits(number).0, EthAddr::from_bits(mask).0)
    }

    pub(super) fn in_port(&self) -> Port {
        Port(self.number(Field::InPort).0)
    }

    pub(super) fn looks_at(&self, field: Field) -> bool {
        self.bits.masked(field).1 != 0
    }

    pub(super) fn vlan(&self) -> Vlan {
        let (tci, mask) = self.bits.masked(Field::VlanTci);
        Vlan {
            is_none: mask & CFI != 0 && tci & CFI == 0,
            is_any: mask != 0,
            vid: (mask & VID != 0).then(|| u16::try_from(tci & VID).unwrap_or(0)),
            pcp: (mask & PCP != 0).then(|| u8::try_from(tci >> 13).unwrap_or(0)),
        }
    }

    /// Checks that the fixed match says all of it.
    pub(super) fn says(&self, said: &Match) -> Result<(), EncodeError> {
        if MatchBits::of(said).pruned() == self.bits.clone().pruned() {
            return Ok(());
        }
        Err(EncodeError::NotInVersion {
            what: "match",
            version: self.version,
        })
    }
}

fn is_arp(kind: u128) -> bool {
    kind == ARP || kind == RARP
}
