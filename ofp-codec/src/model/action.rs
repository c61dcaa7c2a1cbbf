use alloc::boxed::Box;
use core::fmt;

use crate::model::{
    addr::EthAddr,
    field::Field,
    matches::Value,
    port::{Port, PortRef, TableRef},
    print,
    subfield::Subfield,
};

/// What is done with a packet.
///
/// `Display` prints an action as Open vSwitch does. Which of the words for one effect
/// (`mod_vlan_vid`, `set_vlan_vid`, `set_field` on `vlan_vid`) is kept: they need different
/// OpenFlow versions, and what they do to an untagged packet differs.
///
/// ```
/// use ofp_codec::{Action, Field, Port, text::FlowRef};
///
/// let flow = FlowRef::parse(b"actions=set_field:7->reg1,output:2,dec_ttl(1,2)")?.to_flow()?;
/// let [Action::SetField { field: Field::Reg1, .. }, Action::Output(port), other] = &flow.actions[..]
/// else { panic!("{flow:?}") };
/// assert_eq!(port.number(), Some(&Port(2)));
/// assert_eq!(other.name(), "dec_ttl");
/// assert_eq!(other.to_string(), "dec_ttl(1,2)");
/// # Ok::<(), ofp_codec::text::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// `output:3`, `NORMAL`: send it to a port. Never [`Port::CONTROLLER`] from text.
    Output(PortRef),
    /// `CONTROLLER:128`: send the first bytes of it to the controller.
    Controller {
        /// How many bytes; 65535 is the whole packet.
        max_len: u16,
    },
    /// `drop`: nothing is done. The word that a dump prints for an empty list.
    Drop,
    /// `strip_vlan`: pop the outer VLAN tag, in the words of OpenFlow 1.0.
    StripVlan,
    /// `pop_vlan`: pop the outer VLAN tag.
    PopVlan,
    /// `push_vlan:0x8100`: push a VLAN tag of this Ethernet type.
    PushVlan(u16),
    /// `mod_vlan_vid:5`: set the VLAN id, pushing a tag if there is none.
    ModVlanVid(u16),
    /// `mod_vlan_pcp:5`: set the VLAN priority, pushing a tag if there is none.
    ModVlanPcp(u8),
    /// `set_vlan_vid:5`: set the VLAN id of a tagged packet.
    SetVlanVid(u16),
    /// `set_vlan_pcp:5`: set the VLAN priority of a tagged packet.
    SetVlanPcp(u8),
    /// `mod_dl_src:02:00:00:00:00:01`: set the Ethernet source.
    ModDlSrc(EthAddr),
    /// `mod_dl_dst:02:00:00:00:00:01`: set the Ethernet destination.
    ModDlDst(EthAddr),
    /// `set_field:0x1/0xf->reg0`: set a field, or the bits of it that the mask has.
    SetField {
        /// The field.
        field: Field,
        /// The value.
        value: Value,
        /// The bits to set. `None`: all.
        mask: Option<u128>,
    },
    /// `load:0x1->NXM_NX_REG0[0..15]`: set a run of bits.
    Load {
        /// The value.
        value: u64,
        /// The bits to set.
        dst: Subfield,
    },
    /// `set_tunnel:0x5`: set the tunnel's key.
    SetTunnel(u32),
    /// `set_tunnel64:0x5`: set the tunnel's key, in a form that has 64 bits.
    SetTunnel64(u64),
    /// `resubmit:3`, `resubmit(3,7)`, `resubmit(,7,ct)`: look the packet up again.
    Resubmit {
        /// The port of entry to use. `None`: the packet's own.
        port: Option<PortRef>,
        /// The table to look in. `None`: the one that the flow is in.
        table: Option<TableRef>,
        /// Swap the packet's addresses for those of its connection during the lookup.
        ct: bool,
    },
    /// `goto_table:7`: go on in a later table.
    GotoTable(TableRef),
    /// `group:5`: process it by a group.
    Group(u32),
    /// An action that is not typed here, byte for byte.
    Unknown {
        /// The word that it begins with.
        name: Box<str>,
        /// All of it, `name` included.
        text: Box<str>,
    },
}

impl Action {
    /// The word that the action begins with when printed.
    pub fn name(&self) -> &str {
        match self {
            Action::Output(PortRef::Number(port)) => port.word().unwrap_or("output"),
            Action::Output(PortRef::Name(_)) => "output",
            Action::Controller { .. } => "CONTROLLER",
            Action::Drop => "drop",
            Action::StripVlan => "strip_vlan",
            Action::PopVlan => "pop_vlan",
            Action::PushVlan(_) => "push_vlan",
            Action::ModVlanVid(_) => "mod_vlan_vid",
            Action::ModVlanPcp(_) => "mod_vlan_pcp",
            Action::SetVlanVid(_) => "set_vlan_vid",
            Action::SetVlanPcp(_) => "set_vlan_pcp",
            Action::ModDlSrc(_) => "mod_dl_src",
            Action::ModDlDst(_) => "mod_dl_dst",
            Action::SetField { .. } => "set_field",
            Action::Load { .. } => "load",
            Action::SetTunnel(_) => "set_tunnel",
            Action::SetTunnel64(_) => "set_tunnel64",
            Action::Resubmit { .. } => "resubmit",
            Action::GotoTable(_) => "goto_table",
            Action::Group(_) => "group",
            Action::Unknown { name, .. } => name,
        }
    }

    /// The port, if the action sends the packet to one port, reserved ones included.
    pub fn output_port(&self) -> Option<PortRef> {
        match self {
            Action::Output(port) => Some(port.clone()),
            Action::Controller { .. } => Some(Port::CONTROLLER.into()),
            _ => None,
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name();
        match self {
            Action::Output(PortRef::Number(port)) if port.word().is_some() => f.write_str(name),
            Action::Output(port) => write!(f, "{name}:{port}"),
            Action::Controller { max_len } => write!(f, "{name}:{max_len}"),
            Action::Drop | Action::StripVlan | Action::PopVlan => f.write_str(name),
            Action::PushVlan(tpid) => write!(f, "{name}:{tpid:#06x}"),
            Action::ModVlanVid(number) | Action::SetVlanVid(number) => {
                write!(f, "{name}:{number}")
            }
            Action::ModVlanPcp(number) | Action::SetVlanPcp(number) => {
                write!(f, "{name}:{number}")
            }
            Action::ModDlSrc(addr) | Action::ModDlDst(addr) => write!(f, "{name}:{addr}"),
            Action::SetField { field, value, mask } => {
                write!(f, "{name}:")?;
                print::value(f, *field, value, *mask, print::Place::SetField)?;
                write!(f, "->{field}")
            }
            Action::Load { value, dst } => {
                write!(f, "{name}:{}->{dst}", print::Hex((*value).into()))
            }
            Action::SetTunnel(id) => write!(f, "{name}:{}", print::Hex((*id).into())),
            Action::SetTunnel64(id) => write!(f, "{name}:{}", print::Hex((*id).into())),
            Action::Resubmit {
                port: Some(port),
                table: None,
                ct: false,
            } => {
                write!(f, "{name}:{port}")
            }
            Action::Resubmit { port, table, ct } => {
                write!(f, "{name}(")?;
                port.as_ref().map_or(Ok(()), |port| port.fmt(f))?;
                f.write_str(",")?;
                table.as_ref().map_or(Ok(()), |table| table.fmt(f))?;
                f.write_str(if *ct { ",ct)" } else { ")" })
            }
            Action::GotoTable(table) => write!(f, "{name}:{table}"),
            Action::Group(id) => write!(f, "{name}:{id}"),
            Action::Unknown { text, .. } => f.write_str(text),
        }
    }
}
