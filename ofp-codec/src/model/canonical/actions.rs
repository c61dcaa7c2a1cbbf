//! Actions in the words of a version (the `encode_*` functions of lib/ofp-actions.c).

use alloc::vec::Vec;

use crate::model::{
    action::Action,
    addr::EthAddr,
    canonical::bits::{CFI, MatchBits, PCP, SCTP, TCP, UDP, VID},
    field::{Field, Format},
    matches::{Match, Value, Wide},
    port::Port,
    subfield::Subfield,
    version::Version,
};

/// Takes actions in the words of a version, one after the other.
pub(crate) trait Sink {
    /// `context` is that before the action, for the actions inside of it.
    fn put(&mut self, action: &Action, context: Context);
}

/// What the words for an action depend on: the version, and a little of the flow that the action is
/// of, as long as nothing has changed that.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    pub(crate) version: Version,
    /// Which ports `mod_tp_src` sets.
    pub(crate) ip_proto: u128,
    /// Whether the packet has a VLAN tag by now.
    pub(crate) has_vlan: bool,
}

impl Context {
    /// Actions of no flow, or of one that matches all packets.
    pub fn new(version: Version) -> Self {
        Context {
            version,
            ip_proto: 0,
            has_vlan: false,
        }
    }

    /// Actions of a flow that matches this.
    pub fn of_match(version: Version, matches: &Match) -> Self {
        Context::of(version, &MatchBits::of(matches))
    }

    /// The version.
    pub fn version(&self) -> Version {
        self.version
    }

    pub(crate) fn of(version: Version, bits: &MatchBits) -> Self {
        Context {
            version,
            ip_proto: bits.ip_proto(),
            has_vlan: bits.has_vlan(),
        }
    }

    /// Gives `sink` the words for these actions.
    pub(crate) fn translate(self, actions: &[Action], sink: &mut impl Sink) {
        let mut writer = Writer { context: self, sink };
        actions.iter().for_each(|action| writer.action(action));
    }
}

/// Writes actions in the words of a version.
struct Writer<'s, S> {
    context: Context,
    sink: &'s mut S,
}

impl<S: Sink> Writer<'_, S> {
    fn push(&mut self, action: Action) {
        self.sink.put(&action, self.context);
    }

    fn action(&mut self, action: &Action) {
        let of10 = self.context.version <= Version::V1_0;
        let set_field = self.context.version >= Version::V1_2;
        match action {
            Action::Drop => {}
            // Instructions that the version does not have.
            Action::WriteActions(_) | Action::ClearActions if of10 => {}
            Action::Meter(_) if self.context.version < Version::V1_3 => {}
            Action::SetField { field, value, mask } => self.set_field(*field, value, *mask),
            Action::Load { value, dst } => self.load(*value, dst),
            Action::StripVlan | Action::PopVlan => {
                self.context.has_vlan = false;
                self.push(if of10 { Action::StripVlan } else { Action::PopVlan });
            }
            // In OpenFlow 1.0 setting a tag's bits pushes it.
            Action::PushVlan(_) if of10 => self.context.has_vlan = true,
            Action::PushVlan(_) => {
                self.context.has_vlan = true;
                self.sink.put(action, self.context);
            }
            Action::ModVlanVid(_) | Action::SetVlanVid(_) if of10 => {
                let vid = vid(action);
                self.context.has_vlan = true;
                self.push(Action::ModVlanVid(vid));
            }
            Action::ModVlanVid(_) | Action::SetVlanVid(_) => {
                self.tag(matches!(action, Action::ModVlanVid(_)));
                match set_field {
                    true => self.set(Field::VlanVid, u128::from(vid(action)) | CFI),
                    false => self.push(Action::SetVlanVid(vid(action))),
                }
            }
            Action::ModVlanPcp(pcp) | Action::SetVlanPcp(pcp) if of10 => {
                self.context.has_vlan = true;
                self.push(Action::ModVlanPcp(*pcp));
            }
            Action::ModVlanPcp(pcp) | Action::SetVlanPcp(pcp) => {
                self.tag(matches!(action, Action::ModVlanPcp(_)));
                match set_field {
                    true => self.set(Field::VlanPcp, (*pcp).into()),
                    false => self.push(Action::SetVlanPcp(*pcp)),
                }
            }
            Action::ModDlSrc(addr) if set_field => self.set(Field::EthSrc, addr.to_bits().into()),
            Action::ModDlDst(addr) if set_field => self.set(Field::EthDst, addr.to_bits().into()),
            Action::ModNwSrc(addr) if set_field => self.set(Field::IpSrc, addr.to_bits().into()),
            Action::ModNwDst(addr) if set_field => self.set(Field::IpDst, addr.to_bits().into()),
            Action::ModNwTos(tos) if set_field => self.set(Field::IpDscp, (*tos >> 2).into()),
            Action::ModNwEcn(ecn) if set_field => self.set(Field::NwEcn, (*ecn).into()),
            Action::ModNwEcn(ecn) if of10 => self.segments(Field::NwEcn, (*ecn).into(), u128::MAX),
            Action::ModNwTtl(ttl) if of10 => self.segments(Field::NwTtl, (*ttl).into(), u128::MAX),
            Action::ModTpSrc(port) | Action::ModTpDst(port) if set_field => {
                let ports = match self.context.ip_proto {
                    TCP => [Field::TcpSrc, Field::TcpDst],
                    UDP => [Field::UdpSrc, Field::UdpDst],
                    SCTP => [Field::SctpSrc, Field::SctpDst],
                    _ => return self.sink.put(action, self.context),
                };
                let dst = matches!(action, Action::ModTpDst(_));
                self.set(ports[usize::from(dst)], (*port).into());
            }
            Action::SetMplsLabel(label) if set_field => self.set(Field::MplsLabel, (*label).into()),
            Action::SetMplsTc(tc) if set_field => self.set(Field::MplsTc, (*tc).into()),
            Action::SetTunnel(id) if set_field => self.set(Field::TunId, (*id).into()),
            Action::SetTunnel64(id) if set_field => self.set(Field::TunId, (*id).into()),
            // A switch prints it of Nicira's form without a controller, and reads it as the form without a list.
            Action::DecTtl(Some(ids)) if ids.is_empty() => self.push(Action::DecTtl(None)),
            Action::GotoTable(table) if of10 => self.push(Action::Resubmit {
                port: None,
                table: Some(table.clone()),
                ct: false,
            }),
            // The same in every version.
            action => self.sink.put(action, self.context),
        }
    }

    /// Makes sure of a tag before its bits are set, if `push` says so.
    fn tag(&mut self, push: bool) {
        if push && !self.context.has_vlan {
            self.push(Action::PushVlan(TPID));
        }
        self.context.has_vlan |= push;
    }

    /// `set_field` of a whole field.
    fn set(&mut self, field: Field, number: u128) {
        self.push(Action::SetField {
            field,
            value: Value::Number(number),
            mask: None,
        });
    }

    fn set_field(&mut self, field: Field, value: &Value, mask: Option<u128>) {
        let full = field.mask_max();
        let narrow = field.info().bits <= 128;
        let whole = mask.is_none_or(|mask| narrow && mask & full == full);
        let Value::Number(number) = *value else {
            return self.push(Action::SetField {
                field,
                value: value.clone(),
                mask,
            });
        };
        // It does so without a look at the mask.
        if self.context.version < Version::V1_2 && self.legacy(field, number) {
            return;
        }
        if whole && field.info().format == Format::Port && self.context.version >= Version::V1_2 {
            return self.set(field, number);
        }
        let mask = mask.unwrap_or(full);
        if self.context.version >= Version::V1_5 || self.context.version >= Version::V1_2 && whole {
            return self.push(Action::SetField {
                field,
                value: Value::Number(number),
                mask: (!whole).then_some(mask),
            });
        }
        // `load` has the number of a port as NXM has it.
        let port = |number| Port(u32::try_from(number).ok()?).to_16_bits();
        let number = match field {
            Field::InPort if whole => port(number).map_or(number, u128::from),
            _ => number,
        };
        self.segments(field, number, mask);
    }

    fn load(&mut self, value: u128, dst: &Subfield) {
        let (Some(field), Some((first, last))) = (dst.field(), dst.bits()) else {
            return self.push(Action::Load {
                value,
                dst: dst.clone(),
            });
        };
        let len = u32::from(last - first) + 1;
        if field.info().bits > 128 {
            let bits = |bits: u128| wide(bits, first.into());
            let ones = u128::MAX >> 128_u32.saturating_sub(len);
            let (value, mask) = (bits(value), Some(bits(ones)));
            return self.push(Action::SetField {
                field,
                value: Value::Wide(Wide { value, mask }.into()),
                mask: None,
            });
        }
        let ones = u128::MAX >> 128_u32.saturating_sub(len);
        let shift = |bits: u128| bits.checked_shl(first.into()).unwrap_or(0);
        let (number, mask) = (shift(value), shift(ones));
        if self.context.version < Version::V1_5 {
            return self.segments(field, number, mask);
        }
        let whole = mask & field.mask_max() == field.mask_max();
        let number = match field {
            Field::InPort if whole => {
                u16::try_from(number).map_or(number, |port| Port::from_16_bits(port).0.into())
            }
            _ => number,
        };
        self.push(Action::SetField {
            field,
            value: Value::Number(number),
            mask: (!whole).then_some(mask),
        });
    }

    /// `load`, once for each run of bits (`set_field_to_nxast`). Fields that only an
    /// experimenter's header has are set by NXAST_REG_LOAD2: a `set_field` with a mask, also with
    /// that of all bits.
    fn segments(&mut self, field: Field, number: u128, mask: u128) {
        let info = field.info();
        let nxm = info.headers.iter().any(|header| header.experimenter == 0);
        if !nxm || info.bits > 128 {
            return self.push(Action::SetField {
                field,
                value: Value::Number(number),
                mask: Some(mask & field.mask_max()),
            });
        }
        let mut start = 0;
        while start < u32::from(info.bits) {
            let gap = (mask >> start).trailing_zeros();
            start = start.saturating_add(gap);
            if start >= u32::from(info.bits) {
                return;
            }
            let run = (mask >> start).trailing_ones();
            let len = run.min(64).min(u32::from(info.bits) - start);
            let value = number >> start & (u128::MAX >> (128 - len));
            let dst = Subfield::of(field, start, len);
            self.push(Action::Load { value, dst });
            start += len;
        }
    }

    /// The actions of OpenFlow 1.0 and 1.1 (`set_field_to_legacy_openflow`). `false`: they have
    /// none for this field.
    fn legacy(&mut self, field: Field, number: u128) -> bool {
        let of10 = self.context.version <= Version::V1_0;
        let u8 = |number: u128| u8::try_from(number & 0xff).unwrap_or(0);
        let u16 = |number: u128| u16::try_from(number & 0xffff).unwrap_or(0);
        let ipv4 = u32::try_from(number & 0xffff_ffff).unwrap_or(0).into();
        match field {
            Field::VlanTci if number & CFI == 0 => self.action(&Action::PopVlan),
            Field::VlanTci => {
                self.action(&Action::ModVlanVid(u16(number & VID)));
                self.action(&Action::ModVlanPcp(u8((number & PCP) >> 13)));
            }
            Field::VlanVid => self.action(&Action::SetVlanVid(u16(number & VID))),
            Field::VlanPcp => self.action(&Action::SetVlanPcp(u8(number))),
            Field::EthSrc => self.push(Action::ModDlSrc(EthAddr::from_bits(number))),
            Field::EthDst => self.push(Action::ModDlDst(EthAddr::from_bits(number))),
            Field::IpSrc => self.push(Action::ModNwSrc(ipv4)),
            Field::IpDst => self.push(Action::ModNwDst(ipv4)),
            Field::NwTos => self.push(Action::ModNwTos(u8(number))),
            Field::IpDscp => self.push(Action::ModNwTos(u8(number << 2))),
            Field::NwEcn if of10 => self.segments(field, number, u128::MAX),
            Field::NwEcn => self.push(Action::ModNwEcn(u8(number))),
            Field::TcpSrc | Field::UdpSrc => self.push(Action::ModTpSrc(u16(number))),
            Field::TcpDst | Field::UdpDst => self.push(Action::ModTpDst(u16(number))),
            _ => return false,
        }
        true
    }
}

fn vid(action: &Action) -> u16 {
    match action {
        Action::ModVlanVid(vid) | Action::SetVlanVid(vid) => *vid,
        _ => 0,
    }
}

/// Bits from bit `first` on, as bytes without zeros in front.
fn wide(bits: u128, first: u32) -> Vec<u8> {
    let shift = first % 8;
    let over = bits.checked_shr(128 - shift).unwrap_or(0).to_be_bytes();
    let shifted = (bits << shift).to_be_bytes();
    let zeros = core::iter::repeat_n(0, usize::try_from(first / 8).unwrap_or(0));
    let bytes = over.into_iter().chain(shifted).chain(zeros);
    bytes.skip_while(|byte| *byte == 0).collect()
}

/// `ETH_TYPE_VLAN_8021Q`.
const TPID: u16 = 0x8100;
