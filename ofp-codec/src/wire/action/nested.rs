//! Actions with actions inside, and address translation, which stands in one of them.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::{
    model::{
        action::{
            Action,
            ct::{Ct, Nat, NatSide, NumberOrSubfield},
        },
        validity::order::Place,
    },
    wire::{
        action::{
            args::{Args, BAD_ARGUMENT, Bits, NO_TABLE, Out, split_ofs_nbits},
            table::Form,
        },
        error::{DecodeError, EncodeError},
    },
};

/// Padding and actions (`NXAST_CLONE`).
pub(super) fn clone(args: &mut Args<'_>) -> Result<Action, DecodeError> {
    args.bytes(6)?;
    let actions = args.actions()?;
    args.verify(&actions, Place::Clone)?;
    Ok(Action::Clone(actions))
}

/// Flags, field of the zone, its bits or the zone, table, padding, helper, then actions
/// (`struct nx_action_conntrack`).
pub(super) fn ct(args: &mut Args<'_>) -> Result<Action, DecodeError> {
    let flags = args.u16()?;
    let (commit, force) = (flags & COMMIT != 0, flags & FORCE != 0);
    args.check(commit || !force, flags, BAD_ARGUMENT)?;
    let header = args.reader;
    let zone = match args.u32()? {
        0 => Some(args.u16()?)
            .filter(|zone| *zone != 0)
            .map(NumberOrSubfield::Number),
        _ => {
            args.reader = header;
            let field = args.field()?;
            let (first, len) = split_ofs_nbits(args.u16()?);
            let bits = args.bits(field, first, len)?;
            args.check(len == 16, len, "OFPBAC_BAD_SET_LEN")?;
            Some(NumberOrSubfield::Subfield(bits))
        }
    };
    let table = args.u8()?;
    args.bytes(3)?;
    let alg = args.u16()?;
    let mut exec = args.actions()?;
    args.verify(&exec, Place::Ct)?;
    let plain = |action: &Action| matches!(action, Action::Nat(nat) if **nat == Nat::default());
    args.check(commit || exec.iter().all(plain), flags, BAD_ARGUMENT)?;
    // Only the first one is printed beside `exec`.
    let nat = match exec.first() {
        Some(Action::Nat(nat)) => Some((**nat).clone()),
        _ => None,
    };
    exec.drain(..usize::from(nat.is_some()));
    Ok(Action::Ct(
        Ct {
            commit,
            force,
            table: Some(table.into()).filter(|_| table != NO_TABLE),
            zone,
            nat,
            exec,
            alg,
        }
        .into(),
    ))
}

/// Padding, flags, which of the following there are, then these: addresses and ports, each from and to
/// (`struct nx_action_nat`).
pub(super) fn nat(args: &mut Args<'_>) -> Result<Action, DecodeError> {
    args.bytes(2)?;
    let (flags, present) = (args.u16()?, args.u16()?);
    let both = |bits| flags & bits == bits;
    let allowed =
        flags & !(SRC | DST | PERSISTENT | HASH | RANDOM) == 0 && !both(SRC | DST) && !both(HASH | RANDOM);
    args.check(allowed, flags, BAD_ARGUMENT)?;
    let has = |bit| present & bit != 0;
    let needs = [
        (IPV4_MAX, IPV4_MIN),
        (IPV6_MAX, IPV6_MIN),
        (PORT_MAX, PORT_MIN),
        (PORT_MIN, IPV4_MIN | IPV6_MIN),
    ];
    let alone = needs.iter().any(|(bit, other)| has(*bit) && !has(*other));
    let mixed = has(IPV4_MIN) && has(IPV6_MIN);
    args.check(!alone && !mixed, present, BAD_ARGUMENT)?;
    let mut nat = Nat {
        side: match flags & (SRC | DST) {
            SRC => Some(NatSide::Src),
            DST => Some(NatSide::Dst),
            _ => None,
        },
        persistent: flags & PERSISTENT != 0,
        hash: flags & HASH != 0,
        random: flags & RANDOM != 0,
        ..Nat::default()
    };
    // Too few bytes are an argument that is not there.
    let argument = |error: DecodeError| DecodeError {
        name: BAD_ARGUMENT,
        ..error
    };
    let v4 = |args: &mut Args<'_>| args.array().map(|bytes: [u8; 4]| IpAddr::V4(bytes.into()));
    let v6 = |args: &mut Args<'_>| args.array().map(|bytes: [u8; 16]| IpAddr::V6(bytes.into()));
    for (bit, read) in [
        (IPV4_MIN, v4 as fn(&mut Args<'_>) -> _),
        (IPV4_MAX, v4),
        (IPV6_MIN, v6),
        (IPV6_MAX, v6),
    ] {
        if has(bit) {
            let addr = read(args).map_err(argument)?;
            match bit {
                IPV4_MIN | IPV6_MIN => nat.min_addr = Some(addr),
                _ => nat.max_addr = Some(addr),
            }
        }
    }
    if has(PORT_MIN) {
        nat.min_port = Some(args.reader.u16("port").map_err(argument)?);
    }
    if has(PORT_MAX) {
        nat.max_port = Some(args.reader.u16("port").map_err(argument)?);
    }
    let ordered = nat.max_addr.is_none_or(|max| Some(max) >= nat.min_addr)
        && nat.max_port.is_none_or(|max| Some(max) >= nat.min_port);
    let zero = nat.min_addr.is_some_and(|addr| addr.is_unspecified()) || nat.min_port == Some(0);
    args.check(ordered && !zero, present, BAD_ARGUMENT)?;
    Ok(Action::Nat(nat.into()))
}

impl Out<'_, '_> {
    pub(super) fn clone(&mut self, actions: &[Action]) -> Result<(), EncodeError> {
        self.action(Form::Clone, |out| {
            out.writer.zeros(6);
            out.list(actions)
        })
    }

    pub(super) fn ct(&mut self, ct: &Ct) -> Result<(), EncodeError> {
        self.action(Form::Ct, |out| {
            let flag = |set, flag| if set { flag } else { 0 };
            out.writer.u16(flag(ct.commit, COMMIT) | flag(ct.force, FORCE));
            match &ct.zone {
                Some(NumberOrSubfield::Subfield(bits)) => {
                    let bits = Bits::of(bits)?;
                    out.field(bits.field)?;
                    out.ofs_nbits(&bits)?;
                }
                Some(NumberOrSubfield::Number(zone)) => {
                    out.writer.u32(0);
                    out.writer.u16(*zone);
                }
                None => out.writer.zeros(6),
            }
            out.table(ct.table.as_ref())?;
            out.writer.zeros(3);
            out.writer.u16(ct.alg);
            if let Some(nat) = &ct.nat {
                out.nat(nat)?;
            }
            out.list(&ct.exec)
        })
    }

    pub(super) fn nat(&mut self, nat: &Nat) -> Result<(), EncodeError> {
        let flags = [
            (nat.side == Some(NatSide::Src), SRC),
            (nat.side == Some(NatSide::Dst), DST),
            (nat.persistent, PERSISTENT),
            (nat.hash, HASH),
            (nat.random, RANDOM),
        ];
        let addr = |addr: Option<IpAddr>, v4, v6| match addr {
            Some(IpAddr::V4(Ipv4Addr::UNSPECIFIED) | IpAddr::V6(Ipv6Addr::UNSPECIFIED)) | None => 0,
            Some(IpAddr::V4(_)) => v4,
            Some(IpAddr::V6(_)) => v6,
        };
        let ports = if nat.min_addr.is_some() {
            [nat.min_port, nat.max_port]
        } else {
            [None; 2]
        };
        let ports = ports.map(|port| port.filter(|port| *port != 0));
        let present = addr(nat.min_addr, IPV4_MIN, IPV6_MIN)
            | addr(nat.max_addr, IPV4_MAX, IPV6_MAX)
            | if ports[0].is_some() { PORT_MIN } else { 0 }
            | if ports[1].is_some() { PORT_MAX } else { 0 };
        self.action(Form::Nat, |out| {
            out.writer.zeros(2);
            out.writer
                .u16(flags.iter().filter(|(set, _)| *set).map(|(_, flag)| flag).sum());
            out.writer.u16(present);
            for addr in [nat.min_addr, nat.max_addr].into_iter().flatten() {
                match addr {
                    addr if addr.is_unspecified() => {}
                    IpAddr::V4(addr) => out.writer.bytes(&addr.octets()),
                    IpAddr::V6(addr) => out.writer.bytes(&addr.octets()),
                }
            }
            ports.into_iter().flatten().for_each(|port| out.writer.u16(port));
            Ok(())
        })
    }
}

// `enum nx_conntrack_flags`.
const COMMIT: u16 = 1;
const FORCE: u16 = 2;
// `enum nx_nat_flags`.
const SRC: u16 = 1;
const DST: u16 = 2;
const PERSISTENT: u16 = 4;
const HASH: u16 = 8;
const RANDOM: u16 = 16;
// `enum nx_nat_range`.
const IPV4_MIN: u16 = 1;
const IPV4_MAX: u16 = 2;
const IPV6_MIN: u16 = 4;
const IPV6_MAX: u16 = 8;
const PORT_MIN: u16 = 16;
const PORT_MAX: u16 = 32;
