pub(crate) mod ct;
pub(crate) mod encap;
pub(crate) mod learn;
mod printed;
pub(crate) mod report;
pub(crate) mod select;

use alloc::{boxed::Box, vec::Vec};
use core::net::Ipv4Addr;

#[cfg(feature = "serde")]
use crate::model::json;
use crate::model::{
    action::{
        ct::{Ct, Nat},
        encap::{Encap, PacketType},
        learn::Learn,
        report::{Controller, Sample},
        select::{Bundle, Multipath},
    },
    addr::EthAddr,
    field::Field,
    matches::Value,
    port::{Port, PortRef, TableRef},
    subfield::Subfield,
};

/// What is done with a packet.
///
/// `Display` prints an action as Open vSwitch does, but [`Action::Raw`], for which that has no words.
/// Which of the words for one effect
/// (`mod_vlan_vid`, `set_vlan_vid`, `set_field` on `vlan_vid`) is kept: they need different
/// OpenFlow versions, and what they do to an untagged packet differs.
///
/// ```
/// use ofp_codec::{Action, Field, Port, text::FlowRef};
///
/// let flow = FlowRef::parse(b"actions=set_field:7->reg1,output:2,new_thing(1,2)")?.to_flow()?;
/// let [Action::SetField { field: Field::Reg1, .. }, Action::Output(port), other] = &flow.actions[..]
/// else { panic!("{flow:?}") };
/// assert_eq!(port.number(), Some(&Port(2)));
/// assert_eq!(other.name(), "new_thing");
/// assert_eq!(other.to_string(), "new_thing(1,2)");
/// # Ok::<(), ofp_codec::text::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
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
    #[cfg_attr(
        feature = "serde",
        serde(serialize_with = "json::field", deserialize_with = "crate::text::json::field")
    )]
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
        #[cfg_attr(
            feature = "serde",
            serde(serialize_with = "json::hex", deserialize_with = "crate::text::json::number")
        )]
        value: u128,
        /// The bits to set.
        dst: Subfield,
    },
    /// `set_tunnel:0x5`: set the tunnel's key.
    SetTunnel(u32),
    /// `set_tunnel64:0x5`: set the tunnel's key, in a form that has 64 bits.
    #[cfg_attr(
        feature = "serde",
        serde(serialize_with = "json::hex", deserialize_with = "crate::text::json::number")
    )]
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
    /// `output:NXM_NX_REG0[16..31]`: send it to the port in these bits.
    OutputReg(Subfield),
    /// `output(port=1,max_len=100)`: send the first bytes of it to a port.
    OutputTrunc {
        /// The port.
        port: PortRef,
        /// How many bytes, at least 14.
        max_len: u32,
    },
    /// `controller(id=7,userdata=01.02)`: send it to a controller, with more to say than
    /// [`Action::Controller`] has.
    ControllerWith(Box<Controller>),
    /// `enqueue:3:1`: send it to a queue of a port.
    Enqueue {
        /// The port.
        port: PortRef,
        /// The queue.
        queue: u32,
    },
    /// `bundle(..)`, `bundle_load(..)`: choose a port that is up.
    Bundle(Box<Bundle>),
    /// `multipath(..)`: load a number that a hash chooses.
    Multipath(Box<Multipath>),
    /// `mod_nw_src:10.0.0.1`: set the IPv4 source.
    ModNwSrc(Ipv4Addr),
    /// `mod_nw_dst:10.0.0.1`: set the IPv4 destination.
    ModNwDst(Ipv4Addr),
    /// `mod_nw_tos:4`: set the DSCP, in the upper 6 of 8 bits.
    ModNwTos(u8),
    /// `mod_nw_ecn:2`: set the ECN bits.
    ModNwEcn(u8),
    /// `mod_nw_ttl:64`: set the IPv4 TTL or IPv6 hop limit.
    ModNwTtl(u8),
    /// `mod_tp_src:80`: set the source port of TCP, UDP or SCTP.
    ModTpSrc(u16),
    /// `mod_tp_dst:80`: set the destination port of TCP, UDP or SCTP.
    ModTpDst(u16),
    /// `move:NXM_NX_REG0[]->NXM_NX_REG1[]`: copy bits.
    Move {
        /// Where they come from.
        src: Subfield,
        /// Where they go.
        dst: Subfield,
    },
    /// `push:NXM_NX_REG0[]`: put bits on the stack.
    Push(Subfield),
    /// `pop:NXM_NX_REG0[]`: take bits off the stack.
    Pop(Subfield),
    /// `dec_ttl`, `dec_ttl(1,2)`: take 1 off the TTL; these controllers hear if nothing is left.
    /// `None`: the one with id 0.
    DecTtl(Option<Vec<u16>>),
    /// `set_mpls_label(10)`: set the label.
    SetMplsLabel(u32),
    /// `set_mpls_tc(3)`: set the traffic class.
    SetMplsTc(u8),
    /// `set_mpls_ttl(64)`: set the TTL of the label.
    SetMplsTtl(u8),
    /// `dec_mpls_ttl`: take 1 off it.
    DecMplsTtl,
    /// `push_mpls:0x8847`: push a label, of this Ethernet type.
    PushMpls(u16),
    /// `pop_mpls:0x0800`: pop the label; this Ethernet type is below it.
    PopMpls(u16),
    /// `encap(nsh(md_type=1))`: put a header on.
    Encap(Encap),
    /// `decap()`, `decap(packet_type(ns=1,type=0x800))`: take the outer header off, and what is
    /// below it if that is not plain.
    Decap(Option<PacketType>),
    /// `dec_nsh_ttl`: take 1 off the TTL of the network service header.
    DecNshTtl,
    /// `delete_field:tun_metadata0`: remove an option of the tunnel.
    DeleteField(Field),
    /// `set_queue:2`: use this queue from here on.
    SetQueue(u32),
    /// `pop_queue`: use the queue from before.
    PopQueue,
    /// `fin_timeout(idle_timeout=10,hard_timeout=20)`: timeouts after a TCP FIN or RST.
    FinTimeout {
        /// Seconds without a packet; 0: no change.
        idle_timeout: u16,
        /// Seconds; 0: no change.
        hard_timeout: u16,
    },
    /// `learn(..)`: make a flow.
    Learn(Box<Learn>),
    /// `conjunction(5,1/2)`: the match is one part of a conjunctive match.
    Conjunction {
        /// The number that `conj_id` matches when every part does.
        id: u32,
        /// Which part, from 1.
        clause: u8,
        /// How many parts.
        n_clauses: u8,
    },
    /// `note:01.02`: does nothing.
    Note(Vec<u8>),
    /// `exit`: stop here.
    Exit,
    /// `sample(..)`: send a sample to collectors.
    Sample(Box<Sample>),
    /// `ct(..)`: track the connection.
    Ct(Box<Ct>),
    /// `nat(..)` where no `ct` is around it.
    Nat(Box<Nat>),
    /// `ct_clear`: forget the connection.
    CtClear,
    /// `clone(..)`: do this with a copy.
    Clone(Vec<Action>),
    /// `check_pkt_larger(1500)->NXM_NX_REG0[0]`: whether the packet is larger, as a bit.
    CheckPktLarger {
        /// The size.
        len: u16,
        /// Where the bit goes.
        dst: Subfield,
    },
    /// `meter:3`: limit the rate.
    Meter(u32),
    /// `clear_actions`: empty the action set.
    ClearActions,
    /// `write_actions(..)`: add to the action set.
    WriteActions(Vec<Action>),
    /// `write_metadata:0x1/0xf`: set `metadata`, or the bits of it that the mask has.
    WriteMetadata {
        /// The value.
        #[cfg_attr(
            feature = "serde",
            serde(serialize_with = "json::hex", deserialize_with = "crate::text::json::number")
        )]
        value: u64,
        /// The bits to set. `None`: all.
        #[cfg_attr(
            feature = "serde",
            serde(
                serialize_with = "json::hex_mask",
                deserialize_with = "crate::text::json::hex_mask"
            )
        )]
        mask: Option<u64>,
    },
    /// `unroll_xlate(table=0, cookie=5)`: internal to Open vSwitch.
    UnrollXlate {
        /// The table.
        table: u8,
        /// The cookie.
        #[cfg_attr(
            feature = "serde",
            serde(serialize_with = "json::hex", deserialize_with = "crate::text::json::number")
        )]
        cookie: u64,
    },
    /// `debug_recirc`: for tests of Open vSwitch.
    DebugRecirc,
    /// `debug_slow`: for tests of Open vSwitch.
    DebugSlow,
    /// An action on the wire that is not known here, byte for byte, its header included.
    Raw(Box<[u8]>),
    /// An action in text that is not typed here, byte for byte.
    Unknown {
        /// The word that it begins with.
        name: Box<str>,
        /// All of it, `name` included.
        text: Box<str>,
    },
}

impl Action {
    /// The port, if the action sends the packet to one port, reserved ones included.
    pub fn output_port(&self) -> Option<PortRef> {
        match self {
            Action::Output(port) | Action::OutputTrunc { port, .. } | Action::Enqueue { port, .. } => {
                Some(port.clone())
            }
            Action::Controller { .. } | Action::ControllerWith(_) => Some(Port::CONTROLLER.into()),
            _ => None,
        }
    }
}
