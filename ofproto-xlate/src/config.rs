//! What a switch is configured for, and what it shows of its state: the input of a walk.
//!
//! A value begins with [`Port::new`], [`Bundle::trunk`], [`Mirror::new`] or a `default()`, and its fields are public.

use std::{borrow::Cow, collections::BTreeMap, net::IpAddr};

use ofp_codec::{Field, Flow, Group};

use crate::options::OptionMap;

/// What the datapath can do, and how ovs-vswitchd is configured for all bridges.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Datapath {
    /// The VLAN tags that are looked at: 1, or 2 (`other_config:vlan-limit`, 0 being 2).
    pub vlan_limit: u8,
    /// It has the action `drop`.
    pub explicit_drop: bool,
    /// Tunnels are made by ovs-vswitchd (`tnl_push`), not by the kernel.
    pub native_tunnels: bool,
    /// The greatest algorithm of `hash` (`Max dp_hash algorithm`).
    pub max_hash_algorithm: u32,
    /// How queues become priorities of packets.
    pub queues: Queues,
    /// The hash that ovs-vswitchd was built with; `None` if it is not known, which makes choices by it unknown.
    pub hash: Option<HashFunction>,
}

/// The hash by which ovs-vswitchd chooses buckets, members and the order of ports. It depends on the processor that it was built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HashFunction {
    /// A build for any x86-64 processor, as Debian's.
    Murmur,
}

/// How a queue becomes the priority of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Queues {
    /// As Linux' traffic control numbers classes: `1:QUEUE+1`.
    Kernel,
    /// The number itself, in the userspace datapath.
    Userspace,
}

impl Default for Datapath {
    /// A kernel's of Linux 6.
    fn default() -> Self {
        Self {
            vlan_limit: 1,
            explicit_drop: true,
            native_tunnels: false,
            max_hash_algorithm: 1,
            queues: Queues::Kernel,
            hash: None,
        }
    }
}

/// A bridge as it is configured.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct BridgeConfig {
    /// Its name.
    pub name: Box<str>,
    /// Its OpenFlow ports.
    pub ports: Vec<Port>,
    /// Its ports as the database has them: one OpenFlow port, or several that make a bond.
    pub bundles: Vec<Bundle>,
    /// Whether `bundles` stand in the order in which ovs-vswitchd has added them, the bridge's own port first. No switch tells this
    /// order; without it a flood to several ports is unknown.
    pub in_order_of_addition: bool,
    /// Its flows, in the order in which they were added.
    pub flows: Vec<Flow>,
    /// Its groups.
    pub groups: Vec<Group>,
    /// Its meters: the number in OpenFlow and that of the datapath.
    pub meters: Vec<(u32, u32)>,
    /// The meter of packets for controllers, by the datapath's number.
    pub controller_meter: Option<u32>,
    /// The MAC table: address, VLAN, OpenFlow port.
    pub macs: Vec<(u64, u16, u16)>,
    /// The options of tunnels.
    pub options: OptionMap,
    /// Its mirrors, 32 at most.
    pub mirrors: Vec<Mirror>,
    /// The fields whose prefixes are looked up in tries, of tables that are not to use the release's.
    pub prefixes: BTreeMap<u8, Vec<Field>>,
    /// VLANs in which nothing is learned (`flood_vlans`).
    pub flood_vlans: Vec<u16>,
    /// The probability of sFlow's samples, of 2^32 - 1, if it has an agent with an address.
    pub sflow: Option<u32>,
    /// IPFIX of the bridge.
    pub ipfix: Option<Ipfix>,
    /// Whether a `Flow_Sample_Collector_Set` of the bridge has IPFIX.
    pub flow_ipfix: bool,
    /// Whether a `Flow_Sample_Collector_Set` of the bridge has a `local_group_id`.
    pub local_sampling: bool,
    /// Whether NetFlow is on.
    pub netflow: bool,
    /// `other_config:forward-bpdu`.
    pub forward_bpdu: bool,
    /// What is configured and not modelled: every answer is unknown for it.
    pub unmodelled: Option<&'static str>,
}

/// An OpenFlow port.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Port {
    /// Its number, of 16 bits as in OpenFlow 1.0.
    pub number: u16,
    /// Its name.
    pub name: Box<str>,
    /// Its number in the datapath; patch ports have none.
    pub datapath: Option<u32>,
    /// What it is.
    pub kind: PortKind,
    /// Whether it is up.
    pub up: bool,
    /// `OFPPC_NO_FLOOD`.
    pub no_flood: bool,
    /// `OFPPC_NO_FWD`.
    pub no_forward: bool,
    /// `OFPPC_NO_RECV`.
    pub no_receive: bool,
    /// `OFPPC_NO_RECV_STP`.
    pub no_receive_stp: bool,
    /// The number of its device; 0 if it has none. sFlow names outputs by it.
    pub ifindex: u32,
    /// What about it is not modelled.
    pub unmodelled: Option<Cow<'static, str>>,
}

/// IPFIX of a bridge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ipfix {
    /// The probability of samples, of 2^32 - 1.
    pub probability: u32,
    /// Whether packets are sampled when they come in.
    pub samples_input: bool,
    /// Whether they are when they leave.
    pub samples_output: bool,
    /// Whether headers of tunnels are told.
    pub samples_tunnels: bool,
}

impl Ipfix {
    /// IPFIX with one sample in `rate` packets.
    pub fn new(rate: u32) -> Self {
        Self {
            probability: probability(rate),
            samples_input: true,
            samples_output: true,
            samples_tunnels: false,
        }
    }
}

/// The probability of one sample in `rate` packets.
pub fn probability(rate: u32) -> u32 {
    (u32::MAX / rate.max(1)).max(1)
}

impl Port {
    /// A port that is up.
    pub fn new(number: u16, name: &str, datapath: Option<u32>, kind: PortKind) -> Self {
        Self {
            number,
            name: name.into(),
            datapath,
            kind,
            up: true,
            no_flood: false,
            no_forward: false,
            no_receive: false,
            no_receive_stp: false,
            ifindex: 0,
            unmodelled: None,
        }
    }
}

/// What a port is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PortKind {
    /// A device.
    Device,
    /// One end of a patch: the name of the other one.
    Patch(Box<str>),
    /// A tunnel.
    Tunnel(Box<Tunnel>),
}

/// A tunnel port's options.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tunnel {
    /// The interface's type: `vxlan`, `geneve`, `gre`.
    pub kind: Box<str>,
    /// `local_ip`; `None` if there is none.
    pub local: Option<IpAddr>,
    /// `local_ip=flow`.
    pub local_flow: bool,
    /// `remote_ip`.
    pub remote: Option<IpAddr>,
    /// `remote_ip=flow`.
    pub remote_flow: bool,
    /// `out_key`: 0 if there is none.
    pub out_key: u64,
    /// Whether there is an `out_key`.
    pub has_out_key: bool,
    /// `out_key=flow`.
    pub out_key_flow: bool,
    /// `dst_port`.
    pub port: u16,
    /// `ttl`.
    pub ttl: u8,
    /// `ttl=inherit`.
    pub ttl_inherit: bool,
    /// `tos`, all 8 bits.
    pub tos: u8,
    /// `tos=inherit`.
    pub tos_inherit: bool,
    /// `df_default`.
    pub dont_fragment: bool,
    /// `csum`, if it is given.
    pub csum: Option<bool>,
    /// `egress_pkt_mark`.
    pub egress_mark: Option<u32>,
    /// `erspan_ver`, 0 if there is none; `None` for `flow`.
    pub erspan_version: Option<u8>,
    /// `erspan_idx`; `None` for `flow`.
    pub erspan_index: Option<u32>,
    /// `erspan_dir`; `None` for `flow`.
    pub erspan_direction: Option<u8>,
    /// `erspan_hwid`; `None` for `flow`.
    pub erspan_hardware_id: Option<u8>,
}

impl Default for Tunnel {
    /// No options: not even a remote address.
    fn default() -> Self {
        Self {
            kind: Box::default(),
            local: None,
            local_flow: false,
            remote: None,
            remote_flow: false,
            out_key: 0,
            has_out_key: false,
            out_key_flow: false,
            port: 0,
            ttl: 64,
            ttl_inherit: false,
            tos: 0,
            tos_inherit: false,
            dont_fragment: true,
            csum: None,
            egress_mark: None,
            erspan_version: Some(0),
            erspan_index: Some(0),
            erspan_direction: Some(0),
            erspan_hardware_id: Some(0),
        }
    }
}

/// A port of the database.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Bundle {
    /// Its name.
    pub name: Box<str>,
    /// Its OpenFlow ports; more than one make a bond.
    pub ports: Vec<u16>,
    /// `vlan_mode`, or what follows from the other columns.
    pub mode: VlanMode,
    /// `tag`.
    pub tag: u16,
    /// `trunks`; all if it is empty.
    pub trunks: Vec<u16>,
    /// `cvlans`; all if it is empty.
    pub cvlans: Vec<u16>,
    /// `other_config:qinq-ethtype`.
    pub qinq_ethtype: u16,
    /// `other_config:priority-tags`.
    pub priority_tags: PriorityTags,
    /// `protected`.
    pub protected: bool,
    /// What a bond does at this moment, if it is one.
    pub bond: Option<Bond>,
    /// What about it is not modelled.
    pub unmodelled: Option<&'static str>,
}

/// What a bond does at this moment, as `bond/show` tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Bond {
    /// Whether one member has all the traffic.
    pub is_active_backup: bool,
    /// The OpenFlow ports of the members that are enabled.
    pub enabled: Vec<u16>,
    /// The OpenFlow port of the active member.
    pub active: Option<u16>,
}

/// A mirror.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Mirror {
    /// `select_all`
    pub select_all: bool,
    /// `select_src_port`, by name.
    pub sources: Vec<Box<str>>,
    /// `select_dst_port`, by name.
    pub destinations: Vec<Box<str>>,
    /// `select_vlan`; all if it is empty.
    pub vlans: Vec<u16>,
    /// Where the copies go.
    pub output: MirrorOutput,
    /// `snaplen`, 0 for whole packets.
    pub snaplen: u16,
    /// Whether there is a `filter`.
    pub has_filter: bool,
}

impl Mirror {
    /// A mirror of nothing.
    pub fn new(output: MirrorOutput) -> Self {
        Self {
            select_all: false,
            sources: Vec::new(),
            destinations: Vec::new(),
            vlans: Vec::new(),
            output,
            snaplen: 0,
            has_filter: false,
        }
    }
}

/// Where the copies of a mirror go.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MirrorOutput {
    /// `output_port`, by name.
    Port(Box<str>),
    /// `output_vlan`
    Vlan(u16),
}

impl Bundle {
    /// One port that takes all VLANs.
    pub fn trunk(name: &str, port: u16) -> Self {
        Self {
            name: name.into(),
            ports: vec![port],
            mode: VlanMode::Trunk,
            tag: 0,
            trunks: Vec::new(),
            cvlans: Vec::new(),
            qinq_ethtype: 0x88a8,
            priority_tags: PriorityTags::Never,
            protected: false,
            bond: None,
            unmodelled: None,
        }
    }

    pub(crate) fn trunks_vlan(&self, vlan: u16) -> bool {
        let is_listed = self.trunks.is_empty() || self.trunks.contains(&vlan);
        match self.mode {
            VlanMode::Access => false,
            // Its own VLAN always is, and VLAN 0 is not.
            VlanMode::NativeTagged | VlanMode::NativeUntagged if self.tag != 0 => {
                vlan == self.tag || vlan != 0 && is_listed
            }
            _ => is_listed,
        }
    }

    pub(crate) fn allows_cvlan(&self, vlan: u16) -> bool {
        self.cvlans.is_empty() || self.cvlans.contains(&vlan)
    }
}

/// What a port does to VLAN tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VlanMode {
    /// `access`
    Access,
    /// `trunk`
    Trunk,
    /// `native-tagged`
    NativeTagged,
    /// `native-untagged`
    NativeUntagged,
    /// `dot1q-tunnel`
    Dot1qTunnel,
}

/// Whether packets that leave untagged get a tag with VLAN 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PriorityTags {
    /// `no`
    Never,
    /// `if-nonzero`
    IfNonzero,
    /// `always`
    Always,
}

/// `OFPP_NONE`.
pub(crate) const NO_PORT: u16 = 0xffff;
