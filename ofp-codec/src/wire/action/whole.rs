//! All of a list of actions, or an error: what is written must not do something else than was asked for.
//!
//! Some of the words of a version say less than the action that they stand for, and some places have less room than a
//! value. Open vSwitch's encoder has the lists checked before it; here each is checked as it is written.

use crate::{
    model::{
        action::{Action, ct::Nat, report::Controller},
        canonical::{
            actions::Context,
            bits::{CFI, TCP, UDP},
        },
        field::{Field, Format, Prerequisite},
        matches::Value,
        port::{NumberOrName, Port, TableRef},
        subfield::Subfield,
        validity::order::Instruction,
        version::Version,
    },
    wire::{
        action::{args::NO_TABLE, args::unresolved},
        error::EncodeError,
    },
};

/// Checks a list before it is put into the words of a version.
pub(in crate::wire) fn check(actions: &[Action], context: &Context) -> Result<(), EncodeError> {
    let mut list = List {
        version: context.version,
        has_vlan: context.has_vlan,
        ip_proto: context.ip_proto,
    };
    let mut rest = actions;
    while let [action, behind @ ..] = rest {
        match action {
            Action::Drop if actions.len() > 1 => return Err(misplaced("drop beside others")),
            action => list.action(action, behind.first())?,
        }
        rest = behind;
    }
    Ok(())
}

/// Checks that instructions stand in the order in which they are executed, each once.
pub(in crate::wire) fn check_order(actions: &[Action], version: Version) -> Result<(), EncodeError> {
    let mut last = Instruction::Meter;
    let mut is_first = true;
    for action in actions {
        let next = Instruction::of(action, version);
        if !is_first && (next < last || next == last && next != Instruction::Apply) {
            return Err(misplaced(match next {
                Instruction::Meter => "meter behind another instruction",
                Instruction::Apply => "action behind an instruction",
                Instruction::Clear => "clear_actions behind a later instruction, or twice",
                Instruction::Write => "write_actions behind a later instruction, or twice",
                Instruction::Metadata => "write_metadata behind goto_table, or twice",
                Instruction::Goto => "goto_table twice",
            }));
        }
        (last, is_first) = (next, false);
    }
    Ok(())
}

struct List {
    version: Version,
    has_vlan: bool,
    ip_proto: u128,
}

impl List {
    fn action(&mut self, action: &Action, next: Option<&Action>) -> Result<(), EncodeError> {
        let of10 = self.version <= Version::V1_0;
        match action {
            Action::WriteActions(_) if of10 => Err(self.not_in_version("write_actions")),
            Action::ClearActions if of10 => Err(self.not_in_version("clear_actions")),
            Action::Meter(_) if self.version < Version::V1_3 => Err(self.not_in_version("meter")),
            // `resubmit` has another meaning for it.
            Action::GotoTable(table) if of10 => a_table(Some(table)),
            Action::StripVlan | Action::PopVlan => {
                self.has_vlan = false;
                Ok(())
            }
            Action::PushVlan(kind) => {
                // In OpenFlow 1.0 setting the tag's bits pushes it, of this type and where there is none.
                let is_implied = *kind == TPID && !self.has_vlan && next.is_some_and(sets_tag);
                self.has_vlan = true;
                match of10 && !is_implied {
                    true => Err(self.not_in_version("push_vlan")),
                    false => Ok(()),
                }
            }
            Action::ModVlanVid(vid) => {
                self.has_vlan = true;
                up_to("VLAN id", *vid, 0xfff)
            }
            Action::ModVlanPcp(pcp) => {
                self.has_vlan = true;
                up_to("VLAN priority", *pcp, 7)
            }
            Action::SetVlanVid(vid) => {
                up_to("VLAN id", *vid, 0xfff)?;
                self.set_tag(Field::VlanVid)
            }
            Action::SetVlanPcp(pcp) => {
                up_to("VLAN priority", *pcp, 7)?;
                self.set_tag(Field::VlanPcp)
            }
            Action::ModNwTos(tos) if tos & 3 != 0 => Err(out_of_range("DSCP", *tos)),
            Action::ModNwEcn(ecn) => up_to("ECN", *ecn, 3),
            Action::SetMplsLabel(label) => up_to("MPLS label", *label, 0xf_ffff),
            Action::SetMplsTc(tc) => up_to("MPLS traffic class", *tc, 7),
            Action::SetField { field, value, mask } => self.set_field(*field, value, *mask),
            Action::Load { value, dst } => {
                inside(dst)?;
                up_to("value to load", *value, dst.max())
            }
            Action::Move { src, dst } => same_width(src, dst),
            Action::CheckPktLarger { dst, .. } => one_bit(dst),
            Action::Resubmit { table, .. } => a_table(table.as_ref()),
            Action::Ct(ct) => {
                a_table(ct.table.as_ref())?;
                ct.nat.as_ref().map_or(Ok(()), check_nat)
            }
            Action::Nat(nat) => check_nat(nat),
            Action::ControllerWith(controller) => check_controller(controller),
            Action::Learn(learn) => super::learn::check(learn),
            Action::Raw(bytes) => check_raw(bytes),
            Action::Unknown { text, .. } => Err(unresolved("action", text)),
            _ => Ok(()),
        }
    }

    /// Setting the bits of a tag that is there; OpenFlow 1.0 would push one where there is none.
    fn set_tag(&self, field: Field) -> Result<(), EncodeError> {
        match self.version <= Version::V1_0 && !self.has_vlan {
            true => Err(self.not_in_version(field.name())),
            false => Ok(()),
        }
    }

    fn set_field(&mut self, field: Field, value: &Value, mask: Option<u128>) -> Result<(), EncodeError> {
        if field.info().bits > 128 {
            return Ok(());
        }
        let number = match value {
            Value::Number(number) => *number,
            Value::Name(name) => return Err(unresolved(field.name(), name)),
            Value::Wide(_) | Value::Absent => return Err(out_of_range(field.name(), 0_u8)),
        };
        let is_whole = mask.is_none_or(|mask| mask & field.max() == field.max());
        let counts = number & mask.unwrap_or(u128::MAX);
        let fits = match field {
            Field::NwTos => counts & 3 == 0 && counts <= 0xff,
            Field::InPort if is_whole => {
                let port = u32::try_from(counts).ok();
                port.and_then(|port| Port(port).to_16_bits()).is_some()
            }
            _ if field.info().format == Format::Port && is_whole => counts <= u32::MAX.into(),
            field => counts <= field.max(),
        };
        if !fits {
            return Err(out_of_range(field.name(), counts));
        }
        if self.version >= Version::V1_2 {
            return Ok(());
        }
        // The actions of these versions set whole fields.
        let needs = match field {
            Field::VlanTci => return Err(self.not_in_version(field.name())),
            Field::VlanVid if counts & CFI == 0 => return Err(out_of_range(field.name(), counts)),
            Field::VlanVid | Field::VlanPcp => {
                self.set_tag(field)?;
                None
            }
            Field::TcpSrc | Field::TcpDst => Some((Prerequisite::Tcp, TCP)),
            Field::UdpSrc | Field::UdpDst => Some((Prerequisite::Udp, UDP)),
            Field::EthSrc
            | Field::EthDst
            | Field::IpSrc
            | Field::IpDst
            | Field::NwTos
            | Field::IpDscp
            | Field::NwEcn => None,
            _ => return Ok(()),
        };
        match needs {
            _ if !is_whole => Err(EncodeError::NotMaskable { field }),
            Some((needs, proto)) if self.ip_proto != proto => Err(EncodeError::Prerequisite { field, needs }),
            _ => Ok(()),
        }
    }

    fn not_in_version(&self, what: &'static str) -> EncodeError {
        EncodeError::NotInVersion {
            what,
            version: self.version,
        }
    }
}

/// Whether it sets bits of the outer tag.
fn sets_tag(action: &Action) -> bool {
    match action {
        Action::ModVlanVid(_) | Action::ModVlanPcp(_) | Action::SetVlanVid(_) | Action::SetVlanPcp(_) => true,
        Action::SetField { field, .. } => [Field::VlanVid, Field::VlanPcp].contains(field),
        _ => false,
    }
}

/// A table of its own, not the number that stands for none.
pub(super) fn a_table(table: Option<&TableRef>) -> Result<(), EncodeError> {
    match table {
        Some(NumberOrName::Number(NO_TABLE)) => Err(out_of_range("table", NO_TABLE)),
        _ => Ok(()),
    }
}

/// A place for one bit has no room for how many there are.
pub(super) fn one_bit(bits: &Subfield) -> Result<(), EncodeError> {
    inside(bits)?;
    match bits.len() {
        Some(1) | None => Ok(()),
        Some(len) => Err(out_of_range("number of bits of a result", len)),
    }
}

/// Actions that copy say how many bits once.
pub(super) fn same_width(src: &Subfield, dst: &Subfield) -> Result<(), EncodeError> {
    inside(src)?;
    inside(dst)?;
    match (src.len(), dst.len()) {
        (Some(src), Some(dst)) if src != dst => Err(out_of_range("number of bits to copy", src)),
        _ => Ok(()),
    }
}

/// The bits are some of the field's.
fn inside(bits: &Subfield) -> Result<(), EncodeError> {
    let Some(field) = bits.field() else {
        return Err(unresolved("field", bits.name()));
    };
    match bits.bits() {
        Some((first, last)) if first > last || last >= field.info().bits => {
            Err(out_of_range("bits of a field", last))
        }
        _ => Ok(()),
    }
}

/// Zeros are how the action says that there is none.
fn check_nat(nat: &Nat) -> Result<(), EncodeError> {
    let Nat {
        min_addr,
        max_addr,
        min_port,
        max_port,
        ..
    } = nat;
    let is_zero = [min_addr, max_addr]
        .into_iter()
        .flatten()
        .any(|addr| addr.is_unspecified());
    if is_zero {
        return Err(out_of_range("address of nat", 0_u8));
    }
    if [min_port, max_port].into_iter().flatten().any(|port| *port == 0) {
        return Err(out_of_range("port of nat", 0_u8));
    }
    let alone = max_addr.is_some() && min_addr.is_none()
        || min_port.is_some() && min_addr.is_none()
        || max_port.is_some() && min_port.is_none();
    match alone {
        true => Err(misplaced(
            "port or end of a range of nat without what it belongs to",
        )),
        false => Ok(()),
    }
}

fn check_controller(controller: &Controller) -> Result<(), EncodeError> {
    match controller.meter_id {
        Some(0) => Err(out_of_range("meter of a controller action", 0_u8)),
        _ => Ok(()),
    }
}

/// Bytes that are one action.
fn check_raw(bytes: &[u8]) -> Result<(), EncodeError> {
    let said = match bytes {
        [_, _, a, b, ..] => usize::from(u16::from_be_bytes([*a, *b])),
        _ => 0,
    };
    match said == bytes.len() && said >= 8 && said % 8 == 0 {
        true => Ok(()),
        false => Err(out_of_range(
            "length of a raw action",
            u64::try_from(said).unwrap_or(0),
        )),
    }
}

fn up_to(what: &'static str, value: impl Into<u128>, limit: u128) -> Result<(), EncodeError> {
    let value = value.into();
    match value <= limit {
        true => Ok(()),
        false => Err(EncodeError::OutOfRange { what, value }),
    }
}

pub(super) fn out_of_range(what: &'static str, value: impl Into<u128>) -> EncodeError {
    EncodeError::OutOfRange {
        what,
        value: value.into(),
    }
}

fn misplaced(what: &'static str) -> EncodeError {
    EncodeError::Misplaced { what }
}

/// `ETH_TYPE_VLAN_8021Q`.
const TPID: u16 = 0x8100;
