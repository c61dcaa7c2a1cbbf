//! The order in which Open vSwitch writes the fields of a match (`nx_put_raw` in lib/nx-match.c).

use core::iter;

use crate::model::field::Field;

/// Fields, each a bit at its place in the order.
#[derive(Default)]
pub(super) struct Places([u64; COUNT.div_ceil(64)]);

impl Places {
    pub(super) fn add(&mut self, field: Field) {
        let place = PLACES[field as usize];
        self.0[usize::from(place / 64)] |= 1 << (place % 64);
    }

    /// The fields in the order.
    pub(super) fn fields(&self) -> impl Iterator<Item = Field> {
        let words = self.0.into_iter().zip(ORDER.chunks(64));
        words.flat_map(|(mut word, fields)| {
            iter::from_fn(move || {
                let field = fields.get(word.trailing_zeros() as usize)?;
                word &= word - 1;
                Some(*field)
            })
        })
    }
}

/// The fields that a match is written as, in the order of Open vSwitch.
static ORDER: [Field; COUNT] = order();
/// The place of each field in [`ORDER`].
static PLACES: [u8; Field::ALL.len()] = places();

const fn order() -> [Field; COUNT] {
    let options = run(Field::TunMetadata0, OPTIONS);
    let registers = run(Field::Reg0, REGISTERS);
    let groups: [&[Field]; 5] = [&FIRST, options, &AFTER_OPTIONS, registers, &AFTER_REGISTERS];
    let mut order = [Field::PacketType; COUNT];
    let (mut place, mut group) = (0, 0);
    while group < groups.len() {
        let mut at = 0;
        while at < groups[group].len() {
            order[place] = groups[group][at];
            place += 1;
            at += 1;
        }
        group += 1;
    }
    order
}

/// So many fields that follow each other in the table.
const fn run(first: Field, count: usize) -> &'static [Field] {
    let (_, fields) = Field::ALL.split_at(first as usize);
    fields.split_at(count).0
}

const fn places() -> [u8; Field::ALL.len()] {
    let order = order();
    let mut places = [u8::MAX; Field::ALL.len()];
    let mut place = 0_u8;
    while (place as usize) < COUNT {
        places[order[place as usize] as usize] = place;
        place += 1;
    }
    places
}

const COUNT: usize = FIRST.len() + OPTIONS + AFTER_OPTIONS.len() + REGISTERS + AFTER_REGISTERS.len();
/// `tun_metadata0` to `tun_metadata63`.
const OPTIONS: usize = 64;
/// `reg0` to `reg31` and `xreg0` to `xreg15`, which a match has never both.
const REGISTERS: usize = 48;

const FIRST: [Field; 57] = [
    Field::PacketType,
    Field::DpHash,
    Field::RecircId,
    Field::ConjId,
    Field::InPort,
    Field::InPortOxm,
    Field::ActsetOutput,
    Field::EthSrc,
    Field::EthDst,
    Field::EthType,
    Field::VlanTci,
    Field::VlanVid,
    Field::VlanPcp,
    Field::MplsTc,
    Field::MplsBos,
    Field::MplsTtl,
    Field::MplsLabel,
    Field::IpSrc,
    Field::IpDst,
    Field::Ipv6Src,
    Field::Ipv6Dst,
    Field::IpFrag,
    Field::NwTos,
    Field::IpDscp,
    Field::NwEcn,
    Field::NwTtl,
    Field::Ipv6Label,
    Field::IpProto,
    Field::TcpSrc,
    Field::TcpDst,
    Field::UdpSrc,
    Field::UdpDst,
    Field::SctpSrc,
    Field::SctpDst,
    Field::IcmpType,
    Field::IcmpCode,
    Field::Icmpv6Type,
    Field::Icmpv6Code,
    Field::TcpFlags,
    Field::NdReserved,
    Field::NdTarget,
    Field::NdOptionsType,
    Field::NdSll,
    Field::NdTll,
    Field::ArpOp,
    Field::ArpSpa,
    Field::ArpTpa,
    Field::ArpSha,
    Field::ArpTha,
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
const AFTER_REGISTERS: [Field; 16] = [
    Field::PktMark,
    Field::CtState,
    Field::CtZone,
    Field::CtMark,
    Field::CtLabel,
    Field::CtNwSrc,
    Field::CtIpv6Src,
    Field::CtNwDst,
    Field::CtIpv6Dst,
    Field::CtNwProto,
    Field::CtTpSrc,
    Field::CtTpDst,
    Field::Metadata,
    // Fields that no header has: a match on one is refused.
    Field::TunTtl,
    Field::TunTos,
    Field::SkbPriority,
];
