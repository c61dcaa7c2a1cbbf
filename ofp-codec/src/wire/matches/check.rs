//! What Open vSwitch refuses of a match whose parts are all there (`nx_pull_raw` in lib/nx-match.c).

use crate::{
    model::{
        canonical::bits::{IPV4, IPV6, MatchBits},
        field::{Field, Prerequisite},
        matches::{FieldMatch, Match, MatchEntry},
        validity::has_value,
    },
    wire::{
        error::{DecodeError, Fault},
        matches::{MatchRef, OxmList, is_cookie},
        oxm::OxmRef,
        read::Reader,
    },
};

impl MatchRef<'_> {
    /// Checks what Open vSwitch checks, which is more than the model needs: masks and values of
    /// fields, their prerequisites in the order of the entries, and that none comes twice.
    ///
    /// # Errors
    ///
    /// Of the first entry that it refuses, with the name of its error. An unknown field is
    /// `OFPBMC_BAD_FIELD`.
    pub fn check(&self) -> Result<(), DecodeError> {
        self.check_as(Use::Request)
    }

    /// The same, where a message of this use has the match.
    pub(in crate::wire) fn check_as(&self, used: Use) -> Result<(), DecodeError> {
        match self {
            MatchRef::Oxm(list) => list.check(used, false),
            MatchRef::Nxm(list) => list.check(used, used == Use::Request),
            MatchRef::Fixed10(_) | MatchRef::Fixed11(_) => self.to_match().map(|_| ()),
        }
    }
}

/// What a match is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::wire) enum Use {
    /// To find flows or to make one; in Nicira's form it may ask for a cookie.
    Request,
    /// To say what a flow matches.
    Report,
    /// To say what a packet has: without a look at prerequisites, and what is not known is skipped
    /// (`nx_pull_match_loose` in lib/nx-match.c).
    Packet,
    /// To give a packet what it has before its headers are looked at.
    PacketOut,
}

impl OxmList<'_> {
    fn check(&self, used: Use, allow_cookie: bool) -> Result<(), DecodeError> {
        let strict = matches!(used, Use::Request | Use::Report);
        let mut bits = MatchBits::default();
        let mut cookie = false;
        for entry in self.entries() {
            let entry = entry?;
            if let Some(mask) = entry.mask {
                let wild = |(value, mask): (&u8, &u8)| value & !mask != 0;
                if entry.value.iter().zip(mask).any(wild) {
                    return Err(entry.error(Fault::Mask, "OFPBMC_BAD_WILDCARDS"));
                }
            }
            if allow_cookie && is_cookie(entry.header) {
                if cookie {
                    return Err(entry.error(Fault::Repeated, "OFPBMC_DUP_FIELD"));
                }
                cookie = entry.mask.is_none_or(|mask| mask.iter().any(|byte| *byte != 0));
                continue;
            }
            let Some(field) = entry.header.field() else {
                if !strict {
                    continue;
                }
                let unknown = Fault::Value(entry.header.0);
                return Err(entry.error(unknown, "OFPBMC_BAD_FIELD"));
            };
            check_entry(field, &entry, &mut bits, used)?;
        }
        Ok(())
    }
}

fn check_entry(field: Field, entry: &OxmRef<'_>, bits: &mut MatchBits, used: Use) -> Result<(), DecodeError> {
    let strict = matches!(used, Use::Request | Use::Report);
    let info = field.info();
    let mask = entry.mask.map(|mask| &mask[..entry.value.len()]);
    if !info.maskable
        && mask.is_some_and(|mask| mask.iter().any(|byte| *byte != mask[0]) || ![0, 0xff].contains(&mask[0]))
    {
        return Err(entry.error(Fault::Mask, "OFPBMC_BAD_MASK"));
    }
    let found = entry.to_field_match(field)?;
    if !has_value(field, &found.value) {
        let number = found.value.number().and_then(|number| u64::try_from(number).ok());
        let value = Fault::Value(number.unwrap_or(u64::MAX));
        return Err(entry.error(value, "OFPBMC_BAD_VALUE"));
    }
    let has_vlan = bits.has_vlan() && bits.masked(Field::PacketType).0 == 0;
    let later = bits.masked(Field::IpFrag).0 & FRAG_LATER != 0;
    let is_port = matches!(
        info.prerequisite,
        Prerequisite::Tcp | Prerequisite::Udp | Prerequisite::Sctp
    );
    let meets = bits.meet(info.prerequisite, bits.eth_type(), has_vlan) && !(is_port && later);
    if strict && !meets {
        return Err(entry.error(Fault::Prerequisite, "OFPBMC_BAD_PREREQ"));
    }
    if bits.speak_of(field) {
        return Err(entry.error(Fault::Repeated, "OFPBMC_DUP_FIELD"));
    }
    if used == Use::PacketOut && !is_pipeline(field) {
        let number = Fault::Value(entry.header.0 >> 32);
        return Err(entry.error(number, "OFPBRC_PIPELINE_FIELDS_ONLY"));
    }
    bits.add(&MatchEntry::Field(found));
    // What has a prerequisite is in Ethernet, if nothing else is said (`match_add_ethernet_prereq`).
    if info.prerequisite != Prerequisite::None && !bits.speak_of(Field::PacketType) {
        bits.add(&MatchEntry::Field(FieldMatch::exact(Field::PacketType, 0)));
    }
    Ok(())
}

/// Whether a packet has it before its headers are looked at (`mf_is_pipeline_field` in lib/meta-flow.c).
fn is_pipeline(field: Field) -> bool {
    let of_tunnel = (Field::TunId..=Field::TunMetadata63).contains(&field)
        && !matches!(field, Field::TunTtl | Field::TunTos);
    let register = (Field::Reg0..=Field::Xxreg7).contains(&field);
    let other = matches!(
        field,
        Field::Metadata | Field::InPort | Field::InPortOxm | Field::PacketType
    );
    of_tunnel || register || other
}

/// A match on the addresses of a connection is one on packets of their kind
/// (`ofputil_decode_flow_mod` in lib/ofp-flow.c).
pub(crate) fn check_connection(matches: &Match, reader: &Reader<'_>) -> Result<(), DecodeError> {
    let bits = MatchBits::of(matches);
    let kind = bits.masked(Field::EthType).0;
    let looks_at = |fields: [Field; 2]| fields.iter().any(|field| bits.masked(*field).1 != 0);
    if looks_at([Field::CtNwSrc, Field::CtNwDst]) && kind != IPV4
        || looks_at([Field::CtIpv6Src, Field::CtIpv6Dst]) && kind != IPV6
    {
        let reader = reader.named("OFPBAC_MATCH_INCONSISTENT");
        return Err(reader.error("match", Fault::Prerequisite));
    }
    Ok(())
}

const FRAG_LATER: u128 = 2;
