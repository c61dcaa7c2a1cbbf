pub(crate) mod ct;
pub(crate) mod encap;
pub(crate) mod learn;
pub(crate) mod report;
pub(crate) mod select;

use alloc::{boxed::Box, vec::Vec};
use core::{fmt, net::Ipv4Addr};

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
    print,
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
            serde(serialize_with = "json::hex", deserialize_with = "crate::text::json::hex")
        )]
        value: u64,
        /// The bits to set.
        dst: Subfield,
    },
    /// `set_tunnel:0x5`: set the tunnel's key.
    SetTunnel(u32),
    /// `set_tunnel64:0x5`: set the tunnel's key, in a form that has 64 bits.
    #[cfg_attr(
        feature = "serde",
        serde(serialize_with = "json::hex", deserialize_with = "crate::text::json::hex")
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
            serde(serialize_with = "json::hex", deserialize_with = "crate::text::json::hex")
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
            serde(serialize_with = "json::hex", deserialize_with = "crate::text::json::hex")
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
            Action::OutputReg(_) | Action::OutputTrunc { .. } => "output",
            Action::ControllerWith(_) => "controller",
            Action::Enqueue { .. } => "enqueue",
            Action::Bundle(bundle) if bundle.dst.is_some() => "bundle_load",
            Action::Bundle(_) => "bundle",
            Action::Multipath(_) => "multipath",
            Action::ModNwSrc(_) => "mod_nw_src",
            Action::ModNwDst(_) => "mod_nw_dst",
            Action::ModNwTos(_) => "mod_nw_tos",
            Action::ModNwEcn(_) => "mod_nw_ecn",
            Action::ModNwTtl(_) => "mod_nw_ttl",
            Action::ModTpSrc(_) => "mod_tp_src",
            Action::ModTpDst(_) => "mod_tp_dst",
            Action::Move { .. } => "move",
            Action::Push(_) => "push",
            Action::Pop(_) => "pop",
            Action::DecTtl(_) => "dec_ttl",
            Action::SetMplsLabel(_) => "set_mpls_label",
            Action::SetMplsTc(_) => "set_mpls_tc",
            Action::SetMplsTtl(_) => "set_mpls_ttl",
            Action::DecMplsTtl => "dec_mpls_ttl",
            Action::PushMpls(_) => "push_mpls",
            Action::PopMpls(_) => "pop_mpls",
            Action::Encap(_) => "encap",
            Action::Decap(_) => "decap",
            Action::DecNshTtl => "dec_nsh_ttl",
            Action::DeleteField(_) => "delete_field",
            Action::SetQueue(_) => "set_queue",
            Action::PopQueue => "pop_queue",
            Action::FinTimeout { .. } => "fin_timeout",
            Action::Learn(_) => "learn",
            Action::Conjunction { .. } => "conjunction",
            Action::Note(_) => "note",
            Action::Exit => "exit",
            Action::Sample(_) => "sample",
            Action::Ct(_) => "ct",
            Action::Nat(_) => "nat",
            Action::CtClear => "ct_clear",
            Action::Clone(_) => "clone",
            Action::CheckPktLarger { .. } => "check_pkt_larger",
            Action::Meter(_) => "meter",
            Action::ClearActions => "clear_actions",
            Action::WriteActions(_) => "write_actions",
            Action::WriteMetadata { .. } => "write_metadata",
            Action::UnrollXlate { .. } => "unroll_xlate",
            Action::DebugRecirc => "debug_recirc",
            Action::DebugSlow => "debug_slow",
            Action::Raw(_) => "raw",
            Action::Unknown { name, .. } => name,
        }
    }

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

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name();
        match self {
            Action::Output(PortRef::Number(port)) if port.word().is_some() => f.write_str(name),
            Action::Output(port) => write!(f, "{name}:{port}"),
            Action::Controller { max_len } => write!(f, "{name}:{max_len}"),
            Action::Drop
            | Action::StripVlan
            | Action::PopVlan
            | Action::DecMplsTtl
            | Action::DecNshTtl
            | Action::PopQueue
            | Action::Exit
            | Action::CtClear
            | Action::ClearActions
            | Action::DebugRecirc
            | Action::DebugSlow => f.write_str(name),
            Action::PushVlan(kind) | Action::PushMpls(kind) | Action::PopMpls(kind) => {
                write!(f, "{name}:{kind:#06x}")
            }
            Action::ModVlanVid(number)
            | Action::SetVlanVid(number)
            | Action::ModTpSrc(number)
            | Action::ModTpDst(number) => write!(f, "{name}:{number}"),
            Action::ModVlanPcp(number)
            | Action::SetVlanPcp(number)
            | Action::ModNwTos(number)
            | Action::ModNwEcn(number)
            | Action::ModNwTtl(number) => write!(f, "{name}:{number}"),
            Action::SetMplsTc(number) | Action::SetMplsTtl(number) => write!(f, "{name}({number})"),
            Action::SetMplsLabel(label) => write!(f, "{name}({label})"),
            Action::ModNwSrc(addr) | Action::ModNwDst(addr) => write!(f, "{name}:{addr}"),
            Action::OutputReg(bits) | Action::Push(bits) | Action::Pop(bits) => {
                write!(f, "{name}:{bits}")
            }
            Action::OutputTrunc { port, max_len } => write!(f, "{name}(port={port},max_len={max_len})"),
            Action::ControllerWith(controller) => controller.fmt(f),
            Action::Enqueue { port, queue } => write!(f, "{name}:{port}:{queue}"),
            Action::Bundle(bundle) => bundle.fmt(f),
            Action::Multipath(multipath) => multipath.fmt(f),
            Action::Move { src, dst } => write!(f, "{name}:{src}->{dst}"),
            Action::DecTtl(None) => f.write_str(name),
            Action::DecTtl(Some(ids)) => {
                write!(f, "{name}(")?;
                write_list(f, ids)?;
                f.write_str(")")
            }
            Action::Encap(encap) => encap.fmt(f),
            Action::Decap(None) => write!(f, "{name}()"),
            Action::Decap(Some(below)) => write!(f, "{name}({below})"),
            Action::DeleteField(field) => write!(f, "{name}:{field}"),
            Action::FinTimeout {
                idle_timeout,
                hard_timeout,
            } => {
                write!(f, "{name}(")?;
                let mut list = print::Separated::new(f);
                if *idle_timeout != 0 {
                    list.item(&format_args!("idle_timeout={idle_timeout}"))?;
                }
                if *hard_timeout != 0 {
                    list.item(&format_args!("hard_timeout={hard_timeout}"))?;
                }
                f.write_str(")")
            }
            Action::Learn(learn) => learn.fmt(f),
            Action::Conjunction {
                id,
                clause,
                n_clauses,
            } => write!(f, "{name}({id},{clause}/{n_clauses})"),
            Action::Note(bytes) => write!(f, "{name}:{}", print::Dotted(bytes)),
            Action::Sample(sample) => sample.fmt(f),
            Action::Ct(ct) => ct.fmt(f),
            Action::Nat(nat) => nat.fmt(f),
            Action::Clone(actions) | Action::WriteActions(actions) => {
                write!(f, "{name}(")?;
                write_list(f, actions)?;
                f.write_str(")")
            }
            Action::CheckPktLarger { len, dst } => write!(f, "{name}({len})->{dst}"),
            Action::WriteMetadata { value, mask } => {
                write!(f, "{name}:{}", print::Hex((*value).into()))?;
                match mask.filter(|mask| *mask != u64::MAX) {
                    Some(mask) => write!(f, "/{}", print::Hex(mask.into())),
                    None => Ok(()),
                }
            }
            Action::UnrollXlate { table, cookie } => write!(f, "{name}(table={table}, cookie={cookie})"),
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
            Action::Group(id) | Action::Meter(id) | Action::SetQueue(id) => write!(f, "{name}:{id}"),
            Action::Raw(bytes) => write!(f, "{name}({})", print::Dotted(bytes)),
            Action::Unknown { text, .. } => f.write_str(text),
        }
    }
}

/// Items with a comma between two.
pub(crate) fn write_list<T: fmt::Display>(f: &mut fmt::Formatter<'_>, items: &[T]) -> fmt::Result {
    let mut list = print::Separated::new(f);
    items.iter().try_for_each(|item| list.item(item))
}
