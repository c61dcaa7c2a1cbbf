//! The configuration of a bridge.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::{Bond, FlowAction, Forwarding, Port, PriorityTags, Unpredictable, VlanMode, Xlate};

/// A bridge, as far as its configuration decides where packets go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bridge {
    /// The rows of table Port, the bridge's own port among them.
    pub ports: Vec<BridgePort>,
    /// Whether the ports stand in the order in which Open vSwitch took them up, which the database does not tell. NORMAL
    /// follows it; FLOOD and ALL follow no order that could be known.
    pub is_in_order: bool,
    /// The rows of table Mirror, in the order in which they were made.
    pub mirrors: Vec<Mirror>,
    /// What its flows do with every packet that comes by a patch port; `None` if that is not known.
    pub actions: Option<Vec<FlowAction>>,
}

/// A row of table Port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BridgePort {
    /// Its interfaces; more than one are a bond.
    pub interfaces: Vec<Interface>,
    /// How it sends, which has no bearing on a port with one interface.
    pub bond: Bond,
    /// Its VLANs.
    pub vlan: VlanMode,
    /// `other_config:priority-tags`.
    pub priority_tags: PriorityTags,
}

impl BridgePort {
    /// A trunk with one interface.
    pub fn new(interface: Interface) -> Self {
        Self {
            interfaces: [interface].into(),
            bond: Bond::default(),
            vlan: VlanMode::TRUNK,
            priority_tags: PriorityTags::Never,
        }
    }
}

/// A row of table Interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its OpenFlow number.
    pub ofport: u32,
    /// What an output to it becomes, or why that is not known.
    pub port: Result<Port, Unpredictable>,
    /// Whether FLOOD and NORMAL reach it: OpenFlow's `NO_FLOOD` is not set.
    pub floods: bool,
}

/// A row of table Mirror.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirror {
    /// The ports, by their place in [`Bridge::ports`], of which incoming packets are selected (`select_src_port`).
    pub sources: Vec<usize>,
    /// The same for outgoing packets (`select_dst_port`).
    pub destinations: Vec<usize>,
    /// `select_vlan`; none are all.
    pub vlans: Vec<u16>,
    /// Where the copies go.
    pub output: MirrorOutput,
    /// `snaplen`: the length to which copies are cut.
    pub snaplen: Option<u16>,
    /// Whether it has a `filter`, which is not read: what such a mirror selects is not known.
    pub has_filter: bool,
}

/// Where a mirror sends its copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MirrorOutput {
    /// `output_port`, by its place in [`Bridge::ports`]. It gets nothing else from NORMAL.
    Port(usize),
    /// `output_vlan`: all ports that carry this VLAN.
    Vlan(u16),
}

impl Bridge {
    /// A packet comes in by a port, and mirrors of that port get their copies; `None` is any port that the packet is
    /// not put out to, and that is not the output of a mirror.
    ///
    /// Taken for granted is that the port may receive and the others may send: no spanning tree, no link that is down.
    ///
    /// ```
    /// use odp_actions::xlate::{Bridge, BridgePort, Interface, Last, OvsVersion, Packet, Port, VlanMode, Xlate};
    ///
    /// let port = |ofport, vlan| {
    ///     let port = Ok(Port::Plain { odp_port: ofport });
    ///     BridgePort { vlan, ..BridgePort::new(Interface { ofport, port, floods: true }) }
    /// };
    /// let ports = [port(1, VlanMode::Access(5)), port(2, VlanMode::TRUNK), port(3, VlanMode::Access(5))];
    /// let bridge = Bridge { ports: ports.into(), is_in_order: true, ..Bridge::default() };
    /// let rules = "3.1.0".parse::<OvsVersion>()?.try_into()?;
    /// let mut packet = bridge.receive(Xlate::new(rules, Packet::default()), Some(1))?;
    /// packet.normal(Last::Yes)?;
    /// assert_eq!(packet.xlate.finish().to_string(), "push_vlan(vid=5,pcp=0),2,pop_vlan,3");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Unpredictable::Port`]: there is no such port; [`Unpredictable::Input`]: a mirror selects packets by the port that
    /// they came from; others as [`Forwarding::output`].
    pub fn receive(&self, xlate: Xlate, in_port: Option<u32>) -> Result<Forwarding<'_>, Unpredictable> {
        Self::receive_among(core::slice::from_ref(self), 0, xlate, in_port)
    }

    /// The same of a bridge by its place among those that patch ports join. What goes to a patch port becomes what the
    /// [actions](Bridge::actions) of the bridge behind it do.
    ///
    /// ```
    /// use odp_actions::xlate::{
    ///     Bridge, BridgePort, FlowAction, Interface, Last, OvsVersion, Packet, Peer, Port, Xlate,
    /// };
    ///
    /// let port = |ofport, port| BridgePort::new(Interface { ofport, port: Ok(port), floods: true });
    /// let device = |odp_port| port(odp_port, Port::Plain { odp_port });
    /// let patch = |bridge| port(9, Port::Patch(Peer { bridge, ofport: 9 }));
    /// let bridge = |ports: [BridgePort; 3]| Bridge {
    ///     ports: ports.into(),
    ///     is_in_order: true,
    ///     actions: Some([FlowAction::Normal].into()),
    ///     ..Bridge::default()
    /// };
    /// let bridges = [bridge([device(1), patch(1), device(2)]), bridge([device(3), device(4), patch(0)])];
    /// let rules = "3.1.0".parse::<OvsVersion>()?.try_into()?;
    /// let mut packet = Bridge::receive_among(&bridges, 0, Xlate::new(rules, Packet::default()), Some(1))?;
    /// packet.normal(Last::Yes)?;
    /// assert_eq!(packet.xlate.finish().to_string(), "3,4,2");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Bridge::receive`]; [`Unpredictable::Patch`]: there is no such bridge.
    pub fn receive_among(
        bridges: &[Self],
        bridge: usize,
        xlate: Xlate,
        in_port: Option<u32>,
    ) -> Result<Forwarding<'_>, Unpredictable> {
        let at = bridges.get(bridge).ok_or(Unpredictable::Patch)?;
        let input = in_port.map(|ofport| at.port_of(ofport)).transpose()?;
        Forwarding::start(bridges, at, xlate, in_port, input)
    }

    /// The VLAN ids that ports and mirrors name. All others fare alike.
    pub fn vlans(&self) -> BTreeSet<u16> {
        let ports = self.ports.iter().flat_map(|port| port.vlan.named());
        let mirrors = self.mirrors.iter().flat_map(|mirror| {
            let output = match mirror.output {
                MirrorOutput::Vlan(vlan) => Some(vlan),
                MirrorOutput::Port(_) => None,
            };
            mirror.vlans.iter().copied().chain(output)
        });
        ports.chain(mirrors).collect()
    }

    /// The place of the port that has this interface.
    pub(super) fn port_of(&self, ofport: u32) -> Result<usize, Unpredictable> {
        let has = |port: &BridgePort| port.interfaces.iter().any(|interface| interface.ofport == ofport);
        self.ports
            .iter()
            .position(has)
            .ok_or(Unpredictable::Port { ofport })
    }

    /// The interfaces by their OpenFlow numbers, each with the place of its port.
    pub(super) fn places(&self) -> BTreeMap<u32, (usize, &Interface)> {
        let ports = self.ports.iter().enumerate();
        let interfaces =
            ports.flat_map(|(place, port)| port.interfaces.iter().map(move |interface| (place, interface)));
        interfaces
            .map(|(place, interface)| (interface.ofport, (place, interface)))
            .collect()
    }

    pub(super) fn is_mirror_output(&self, port: usize) -> bool {
        self.mirrors
            .iter()
            .any(|mirror| mirror.output == MirrorOutput::Port(port))
    }
}
