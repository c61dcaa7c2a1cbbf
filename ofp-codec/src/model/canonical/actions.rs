//! Actions in the words of a version (the `encode_*` functions of lib/ofp-actions.c).

use alloc::{boxed::Box, vec::Vec};

use crate::model::{
    action::{
        Action,
        ct::{Nat, NumberOrSubfield},
        learn::LearnSpec,
    },
    addr::EthAddr,
    canonical::bits::{CFI, MatchBits, PCP, SCTP, TCP, UDP, VID},
    field::{Field, Format},
    matches::{Value, Wide},
    port::{NumberOrName, Port},
    subfield::Subfield,
    version::Version,
};

/// Writes actions in the words of a version.
pub(super) struct Writer {
    version: Version,
    /// Of the flow: which ports `mod_tp_src` sets.
    ip_proto: u128,
    /// Whether the packet has a VLAN tag by now.
    has_vlan: bool,
    actions: Vec<Action>,
}

impl Writer {
    pub(super) fn new(version: Version, bits: &MatchBits) -> Self {
        Writer {
            version,
            ip_proto: bits.ip_proto(),
            has_vlan: bits.has_vlan(),
            actions: Vec::new(),
        }
    }

    pub(super) fn list(&mut self, actions: &[Action]) {
        actions.iter().for_each(|action| self.action(action));
    }

    /// The actions; [`Action::Drop`] for none.
    pub(super) fn into_actions(self) -> Vec<Action> {
        match self.actions.is_empty() {
            true => alloc::vec![Action::Drop],
            false => self.actions,
        }
    }

    /// A list inside an action; the packet is the same or a copy of it.
    fn nested(&self, actions: &[Action]) -> Vec<Action> {
        let mut writer = Writer {
            actions: Vec::new(),
            ..*self
        };
        writer.list(actions);
        writer.actions
    }

    fn push(&mut self, action: Action) {
        self.actions.push(action);
    }

    fn action(&mut self, action: &Action) {
        let of10 = self.version <= Version::V1_0;
        let set_field = self.version >= Version::V1_2;
        match action {
            Action::Drop => {}
            // Instructions that the version does not have.
            Action::WriteActions(_) | Action::ClearActions if of10 => {}
            Action::Meter(_) if self.version < Version::V1_3 => {}
            Action::SetField { field, value, mask } => self.set_field(*field, value, *mask),
            Action::Load { value, dst } => self.load(*value, dst),
            Action::StripVlan | Action::PopVlan => {
                self.has_vlan = false;
                self.push(if of10 { Action::StripVlan } else { Action::PopVlan });
            }
            // In OpenFlow 1.0 setting a tag's bits pushes it.
            Action::PushVlan(_) if of10 => self.has_vlan = true,
            Action::PushVlan(_) => {
                self.has_vlan = true;
                self.push(action.clone());
            }
            Action::ModVlanVid(_) | Action::SetVlanVid(_) if of10 => {
                let vid = vid(action);
                self.has_vlan = true;
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
                self.has_vlan = true;
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
                let ports = match self.ip_proto {
                    TCP => [Field::TcpSrc, Field::TcpDst],
                    UDP => [Field::UdpSrc, Field::UdpDst],
                    SCTP => [Field::SctpSrc, Field::SctpDst],
                    _ => return self.push(action.clone()),
                };
                let dst = matches!(action, Action::ModTpDst(_));
                self.set(ports[usize::from(dst)], (*port).into());
            }
            Action::SetMplsLabel(label) if set_field => self.set(Field::MplsLabel, (*label).into()),
            Action::SetMplsTc(tc) if set_field => self.set(Field::MplsTc, (*tc).into()),
            Action::SetTunnel(id) if set_field => self.set(Field::TunId, (*id).into()),
            Action::SetTunnel64(id) if set_field => self.set(Field::TunId, (*id).into()),
            Action::GotoTable(table) if of10 => self.push(Action::Resubmit {
                port: None,
                table: Some(table.clone()),
                ct: false,
            }),
            Action::Enqueue { port, queue } if !of10 => {
                self.push(Action::SetQueue(*queue));
                self.push(Action::Output(port.clone()));
                self.push(Action::PopQueue);
            }
            action => {
                let action = self.same(action);
                self.push(action);
            }
        }
    }

    /// An action that is the same in every version, with the names that are printed in it.
    fn same(&self, action: &Action) -> Action {
        match action {
            Action::OutputReg(bits) => Action::OutputReg(header(bits)),
            Action::Push(bits) => Action::Push(header(bits)),
            Action::Pop(bits) => Action::Pop(header(bits)),
            Action::Move { src, dst } => Action::Move {
                src: header(src),
                dst: header(dst),
            },
            Action::CheckPktLarger { len, dst } => Action::CheckPktLarger {
                len: *len,
                dst: header(dst),
            },
            Action::Resubmit { port, table, ct } => Action::Resubmit {
                port: port
                    .clone()
                    .filter(|port| *port != NumberOrName::Number(Port::IN_PORT)),
                table: table
                    .clone()
                    .filter(|table| *table != NumberOrName::Number(NO_TABLE)),
                ct: *ct,
            },
            Action::Note(bytes) => Action::Note(padded(bytes)),
            Action::Bundle(bundle) => {
                let mut bundle = bundle.clone();
                bundle.dst = bundle.dst.as_ref().map(header);
                Action::Bundle(bundle)
            }
            Action::Multipath(multipath) => {
                let mut multipath = multipath.clone();
                multipath.dst = header(&multipath.dst);
                Action::Multipath(multipath)
            }
            Action::Sample(sample) => {
                let mut sample = sample.clone();
                sample.obs_domain_id = number_or_header(&sample.obs_domain_id);
                sample.obs_point_id = number_or_header(&sample.obs_point_id);
                Action::Sample(sample)
            }
            Action::Ct(ct) => {
                let mut ct = ct.clone();
                ct.zone = match &ct.zone {
                    Some(NumberOrSubfield::Number(0)) => None,
                    zone => zone.as_ref().map(number_or_header),
                };
                ct.nat = ct.nat.as_ref().map(nat);
                ct.exec = self.nested(&ct.exec);
                Action::Ct(ct)
            }
            Action::Nat(inner) => Action::Nat(Box::new(nat(inner))),
            Action::Learn(learn) => {
                let mut learn = learn.clone();
                learn.result_dst = learn.result_dst.as_ref().map(header);
                learn.specs = learn.specs.iter().map(learn_spec).collect();
                Action::Learn(learn)
            }
            Action::Clone(actions) => Action::Clone(self.nested(actions)),
            Action::WriteActions(actions) => Action::WriteActions(self.nested(actions)),
            Action::WriteMetadata { value, mask } => Action::WriteMetadata {
                value: value & mask.unwrap_or(u64::MAX),
                mask: *mask,
            },
            action => action.clone(),
        }
    }

    /// Makes sure of a tag before its bits are set, if `push` says so.
    fn tag(&mut self, push: bool) {
        if push && !self.has_vlan {
            self.push(Action::PushVlan(TPID));
        }
        self.has_vlan |= push;
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
        let whole = mask.is_none_or(|mask| mask & full == full);
        let Value::Number(number) = *value else {
            return self.push(Action::SetField {
                field,
                value: value.clone(),
                mask,
            });
        };
        // It does so without a look at the mask.
        if self.version < Version::V1_2 && self.legacy(field, number) {
            return;
        }
        if whole && field.info().format == Format::Port && self.version >= Version::V1_2 {
            return self.set(field, number);
        }
        let mask = mask.unwrap_or(full);
        let number = number & mask;
        if self.version >= Version::V1_5 || self.version >= Version::V1_2 && whole {
            return self.push(Action::SetField {
                field,
                value: Value::Number(number),
                mask: (!whole).then_some(mask),
            });
        }
        self.segments(field, number, mask);
    }

    fn load(&mut self, value: u64, dst: &Subfield) {
        let (Some(field), Some((first, last))) = (dst.field(), dst.bits()) else {
            return self.push(Action::Load {
                value,
                dst: dst.clone(),
            });
        };
        let len = u32::from(last - first) + 1;
        if field.info().bits > 128 {
            let bits = |bits: u64| wide(bits, first.into());
            let ones = u64::MAX >> 64_u32.saturating_sub(len);
            let (value, mask) = (bits(value), Some(bits(ones)));
            return self.push(Action::SetField {
                field,
                value: Value::Wide(Wide { value, mask }.into()),
                mask: None,
            });
        }
        let ones = u128::MAX >> 128_u32.saturating_sub(len);
        let shift = |bits: u128| bits.checked_shl(first.into()).unwrap_or(0);
        let (number, mask) = (shift(value.into()), shift(ones));
        if self.version < Version::V1_5 {
            return self.segments(field, number, mask);
        }
        let whole = mask & field.mask_max() == field.mask_max();
        self.push(Action::SetField {
            field,
            value: Value::Number(number),
            mask: (!whole).then_some(mask),
        });
    }

    /// `load`, once for each run of bits (`set_field_to_nxast`). Fields that only an
    /// experimenter's header has are set by NXAST_REG_LOAD2, which prints as `set_field`.
    fn segments(&mut self, field: Field, number: u128, mask: u128) {
        let info = field.info();
        let nxm = info.headers.iter().any(|header| header.experimenter == 0);
        if !nxm || info.bits > 128 {
            let whole = mask & field.mask_max() == field.mask_max();
            return self.push(Action::SetField {
                field,
                value: Value::Number(number),
                mask: (!whole).then_some(mask),
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
            let value = u64::try_from(number >> start & (u128::MAX >> (128 - len))).unwrap_or(0);
            let dst = Subfield::of(field, start, len);
            self.push(Action::Load { value, dst });
            start += len;
        }
    }

    /// The actions of OpenFlow 1.0 and 1.1 (`set_field_to_legacy_openflow`). `false`: they have
    /// none for this field.
    fn legacy(&mut self, field: Field, number: u128) -> bool {
        let of10 = self.version <= Version::V1_0;
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

/// The bits under the name that Open vSwitch prints: that of the first header, if there is one.
fn header(bits: &Subfield) -> Subfield {
    match (bits.field(), bits.bits()) {
        (Some(field), Some((first, last))) => Subfield::of(field, first.into(), u32::from(last - first) + 1),
        _ => bits.clone(),
    }
}

fn number_or_header<T: Clone>(value: &NumberOrSubfield<T>) -> NumberOrSubfield<T> {
    match value {
        NumberOrSubfield::Number(number) => NumberOrSubfield::Number(number.clone()),
        NumberOrSubfield::Subfield(bits) => NumberOrSubfield::Subfield(header(bits)),
    }
}

/// `format_NAT` prints the flags only with an address.
fn nat(nat: &Nat) -> Nat {
    match nat.min_addr {
        Some(_) => nat.clone(),
        None => Nat {
            side: nat.side,
            ..Nat::default()
        },
    }
}

fn learn_spec(spec: &LearnSpec) -> LearnSpec {
    match spec {
        LearnSpec::MatchField { .. } => spec.clone(),
        LearnSpec::MatchNumber { dst, value } => LearnSpec::MatchNumber {
            dst: header(dst),
            value: *value,
        },
        LearnSpec::MatchPacket { dst, src } => LearnSpec::MatchPacket {
            dst: header(dst),
            src: src.as_ref().map(header),
        },
        LearnSpec::LoadNumber { value, dst } => LearnSpec::LoadNumber {
            value: *value,
            dst: header(dst),
        },
        LearnSpec::LoadPacket { src, dst } => LearnSpec::LoadPacket {
            src: header(src),
            dst: header(dst),
        },
        LearnSpec::Output(src) => LearnSpec::Output(header(src)),
    }
}

/// Bits from bit `first` on, as bytes without zeros in front.
fn wide(bits: u64, first: u32) -> Vec<u8> {
    let shifted = u128::from(bits) << (first % 8);
    let zeros = core::iter::repeat_n(0, usize::try_from(first / 8).unwrap_or(0));
    let bytes = shifted.to_be_bytes().into_iter().chain(zeros);
    bytes.skip_while(|byte| *byte == 0).collect()
}

/// A note fills its action: 6 bytes, then 8 at a time.
fn padded(bytes: &[u8]) -> Vec<u8> {
    let len = bytes.len().saturating_sub(6).div_ceil(8) * 8 + 6;
    let zeros = core::iter::repeat_n(0, len - bytes.len());
    bytes.iter().copied().chain(zeros).collect()
}

/// `ETH_TYPE_VLAN_8021Q`.
const TPID: u16 = 0x8100;
/// The table of a resubmit that names none.
const NO_TABLE: u8 = 255;
