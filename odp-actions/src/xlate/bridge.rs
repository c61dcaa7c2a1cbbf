//! A bridge: what NORMAL, FLOOD, ALL and mirrors make of its ports.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::vlan::Inside;
use super::{Port, PriorityTags, Unpredictable, VlanMode, Xlate};

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
}

/// A row of table Port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BridgePort {
    /// Its interfaces; more than one are a bond.
    pub interfaces: Vec<Interface>,
    /// `bond_mode`, which has no bearing on a port with one interface.
    pub bond_mode: BondMode,
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
            bond_mode: BondMode::ActiveBackup,
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

/// How a bond chooses a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BondMode {
    /// `active-backup`: one member for all packets.
    ActiveBackup,
    /// `balance-slb`: one member for each source address and VLAN.
    BalanceSlb,
    /// `balance-tcp`: what it does depends on the state of LACP.
    BalanceTcp,
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
    /// use odp_actions::xlate::{Bridge, BridgePort, Interface, Packet, Port, VlanMode, Xlate};
    ///
    /// let port = |ofport, vlan| {
    ///     let port = Ok(Port::Plain { odp_port: ofport });
    ///     BridgePort { vlan, ..BridgePort::new(Interface { ofport, port, floods: true }) }
    /// };
    /// let ports = [port(1, VlanMode::Access(5)), port(2, VlanMode::TRUNK), port(3, VlanMode::Access(5))];
    /// let bridge = Bridge { ports: ports.into(), is_in_order: true, mirrors: Vec::new() };
    /// let mut packet = bridge.receive(Xlate::new("3.1".parse()?, Packet::default()), Some(1))?;
    /// packet.normal()?;
    /// assert_eq!(packet.xlate.finish().to_string(), "push_vlan(vid=5,pcp=0),2,pop_vlan,3");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Unpredictable::Port`]: there is no such port; [`Unpredictable::Input`]: a mirror selects packets by the port that
    /// they came from; others as [`Forwarding::output`].
    pub fn receive(&self, xlate: Xlate, in_port: Option<u32>) -> Result<Forwarding<'_>, Unpredictable> {
        let input = in_port.map(|ofport| self.port_of(ofport)).transpose()?;
        let mut packet = Forwarding {
            bridge: self,
            in_port,
            input,
            xlate,
            mirrored: alloc::vec![false; self.mirrors.len()],
            snaplen: None,
            places: None,
        };
        match input {
            None if self.mirrors.iter().any(|mirror| !mirror.sources.is_empty()) => Err(Unpredictable::Input),
            Some(place) if !packet.is_dropped() => {
                packet.mirror(place, |mirror| &mirror.sources)?;
                Ok(packet)
            }
            _ => Ok(packet),
        }
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
    fn port_of(&self, ofport: u32) -> Result<usize, Unpredictable> {
        let has = |port: &BridgePort| port.interfaces.iter().any(|interface| interface.ofport == ofport);
        self.ports
            .iter()
            .position(has)
            .ok_or(Unpredictable::Port { ofport })
    }

    /// The interfaces by their OpenFlow numbers, each with the place of its port.
    fn places(&self) -> BTreeMap<u32, (usize, &Interface)> {
        let ports = self.ports.iter().enumerate();
        let interfaces =
            ports.flat_map(|(place, port)| port.interfaces.iter().map(move |interface| (place, interface)));
        interfaces
            .map(|(place, interface)| (interface.ofport, (place, interface)))
            .collect()
    }

    fn is_mirror_output(&self, port: usize) -> bool {
        self.mirrors
            .iter()
            .any(|mirror| mirror.output == MirrorOutput::Port(port))
    }
}

/// A packet that a bridge forwards.
#[derive(Clone, Debug)]
pub struct Forwarding<'a> {
    bridge: &'a Bridge,
    in_port: Option<u32>,
    /// The place of the port that it came from.
    input: Option<usize>,
    /// Which mirrors have their copy.
    mirrored: Vec<bool>,
    snaplen: Option<u16>,
    /// Where interfaces are, as soon as one was asked for by its number.
    places: Option<BTreeMap<u32, (usize, &'a Interface)>>,
    /// The translation, which tags and tunnel ids are set in.
    pub xlate: Xlate,
}

impl Forwarding<'_> {
    /// `output:OFPORT`, and the copies for mirrors. A packet does not go back to where it came from.
    ///
    /// # Errors
    /// [`Unpredictable`]: there is no such port, or what an output to it becomes is not known.
    pub fn output(&mut self, ofport: u32) -> Result<(), Unpredictable> {
        if Some(ofport) == self.in_port {
            return Ok(());
        }
        self.send_to(ofport)
    }

    /// `output:IN_PORT`: back to where it came from.
    ///
    /// # Errors
    /// As [`Forwarding::output`]; [`Unpredictable::Input`].
    pub fn output_in_port(&mut self) -> Result<(), Unpredictable> {
        self.send_to(self.in_port.ok_or(Unpredictable::Input)?)
    }

    /// `ALL`: every interface but that it came from, in an order that is not known; `FLOOD` if it leaves out those with
    /// `NO_FLOOD`.
    ///
    /// # Errors
    /// As [`Forwarding::output`]; [`Unpredictable::MirrorOrder`].
    pub fn flood(&mut self, all: bool) -> Result<(), Unpredictable> {
        self.check_mirror_order(false)?;
        let ports = self.bridge.ports.iter().enumerate();
        self.in_any_order(|packet| {
            for (place, port) in ports {
                let others = port
                    .interfaces
                    .iter()
                    .filter(|interface| Some(interface.ofport) != packet.in_port);
                let flooded: Vec<_> = others.filter(|interface| all || interface.floods).collect();
                flooded
                    .into_iter()
                    .try_for_each(|interface| packet.send(place, interface))?;
            }
            Ok(())
        })
    }

    /// `NORMAL` of a broadcast, or of a packet to an address that was not learned: every port that carries its VLAN, once.
    ///
    /// # Errors
    /// As [`Forwarding::output`]; [`Unpredictable::Input`]; [`Unpredictable::Tag`]: the VLAN decides, and is not known;
    /// [`Unpredictable::Bond`]; [`Unpredictable::MirrorOrder`].
    pub fn normal(&mut self) -> Result<(), Unpredictable> {
        let bridge = self.bridge;
        let from = self.input.ok_or(Unpredictable::Input)?;
        let input = &bridge.ports[from];
        let received = Inside::of(&self.xlate.tags);
        if self.is_dropped() || !input.vlan.admits(received.vids()?[0]) {
            return Ok(());
        }
        // A bond drops what comes in by a member that it does not use.
        if input.interfaces.len() > 1 {
            return Err(Unpredictable::Bond);
        }
        let inside = input.vlan.enter(received)?;
        let flood = |packet: &mut Self| {
            for (place, port) in bridge.ports.iter().enumerate() {
                let floods = port.interfaces.iter().all(|interface| interface.floods);
                let is_reached = place != from && floods && !bridge.is_mirror_output(place);
                if is_reached && port.vlan.carries(&inside)? {
                    packet.send_tagged(place, inside)?;
                }
            }
            Ok(())
        };
        if bridge.is_in_order {
            return flood(self);
        }
        self.check_mirror_order(inside.0[0].pcp == Some(0))?;
        self.in_any_order(flood)
    }

    /// What `run` does to the packet is undone after it, as behind a bucket of a group of type `all`.
    ///
    /// # Errors
    /// Those of `run`.
    pub fn bucket<E>(&mut self, run: impl FnOnce(&mut Self) -> Result<(), E>) -> Result<(), E> {
        let (tun_id, tags) = (self.xlate.tun_id, self.xlate.tags.clone());
        let done = run(self);
        (self.xlate.tun_id, self.xlate.tags) = (tun_id, tags);
        done
    }

    fn in_any_order(
        &mut self,
        run: impl FnOnce(&mut Self) -> Result<(), Unpredictable>,
    ) -> Result<(), Unpredictable> {
        let before = self.xlate.open_order();
        let done = run(self);
        self.xlate.close_order(before);
        done
    }

    /// A mirror that selects outgoing packets gets the first of them. In an open order that can be any, so they have to
    /// look alike to it: if `is_plain` they do, since tags differ by nothing but the priority.
    fn check_mirror_order(&self, is_plain: bool) -> Result<(), Unpredictable> {
        let ports = &self.bridge.ports;
        let missing = self
            .bridge
            .mirrors
            .iter()
            .zip(&self.mirrored)
            .filter(|(_, done)| !**done);
        let mut modes = missing.map(|(mirror, _)| {
            mirror
                .destinations
                .iter()
                .map(|place| ports.get(*place).map(|port| &port.vlan))
        });
        let alike = modes.all(|mut modes| {
            let first = modes.next();
            modes.all(|mode| Some(mode) == first)
        });
        match is_plain || alike {
            true => Ok(()),
            false => Err(Unpredictable::MirrorOrder),
        }
    }

    /// The output of a mirror is for copies alone; what comes in by it goes nowhere.
    fn is_dropped(&self) -> bool {
        self.input
            .is_some_and(|place| self.bridge.is_mirror_output(place))
    }

    fn send_to(&mut self, ofport: u32) -> Result<(), Unpredictable> {
        let bridge = self.bridge;
        let places = self.places.get_or_insert_with(|| bridge.places());
        let (place, interface) = *places.get(&ofport).ok_or(Unpredictable::Port { ofport })?;
        self.send(place, interface)
    }

    /// An output as it is, and the copies for mirrors.
    fn send(&mut self, place: usize, interface: &Interface) -> Result<(), Unpredictable> {
        if self.is_dropped() {
            return Ok(());
        }
        let port = interface.port.as_ref().map_err(Clone::clone)?;
        self.xlate.output_cut(port, self.snaplen)?;
        self.mirror(place, |mirror| &mirror.destinations)
    }

    /// An output with the tags that the port gives the packet.
    fn send_tagged(&mut self, place: usize, inside: Inside) -> Result<(), Unpredictable> {
        let Some(port) = self.bridge.ports.get(place) else {
            return Ok(());
        };
        let Some(interface) = port.interfaces.first() else {
            return Ok(());
        };
        if port.interfaces.len() > 1 {
            let is_plain = |interface: &Interface| matches!(interface.port, Ok(Port::Plain { .. }));
            if port.bond_mode == BondMode::BalanceTcp || !port.interfaces.iter().all(is_plain) {
                return Err(Unpredictable::Bond);
            }
            // One member, whichever it is, and all cost the same.
            self.xlate.certainty.is_open = true;
        }
        let mut leaving = port.vlan.leave(inside)?;
        if port.priority_tags != PriorityTags::Never {
            leaving.0[0].pcp = Inside::of(&self.xlate.tags).0[0].pcp;
        }
        let tags = leaving.tags(port.priority_tags)?;
        let before = core::mem::replace(&mut self.xlate.tags, tags);
        let sent = self.send(place, interface);
        self.xlate.tags = before;
        sent
    }

    /// Sends copies to the mirrors that select a port and have none yet.
    fn mirror(&mut self, place: usize, selects: fn(&Mirror) -> &Vec<usize>) -> Result<(), Unpredictable> {
        let bridge = self.bridge;
        if !bridge
            .mirrors
            .iter()
            .any(|mirror| selects(mirror).contains(&place))
        {
            return Ok(());
        }
        let (mode, received) = (&bridge.ports[place].vlan, Inside::of(&self.xlate.tags));
        if !mode.admits(received.vids()?[0]) {
            return Ok(());
        }
        let inside = mode.enter(received)?;
        let vid = inside.vids()?[0];
        for (number, mirror) in bridge.mirrors.iter().enumerate() {
            let is_selected =
                selects(mirror).contains(&place) && (mirror.vlans.is_empty() || mirror.vlans.contains(&vid));
            if self.mirrored[number] || !is_selected {
                continue;
            }
            // Mirrors to the same place are one.
            for (mirrored, other) in self.mirrored.iter_mut().zip(&bridge.mirrors) {
                *mirrored |= other.output == mirror.output;
            }
            self.snaplen = mirror.snaplen;
            match mirror.output {
                MirrorOutput::Port(output) => self.send_tagged(output, inside)?,
                MirrorOutput::Vlan(vlan) if vlan != vid => {
                    let mut inside = inside;
                    inside.0[0].vid = Some(vlan);
                    for (output, port) in bridge.ports.iter().enumerate() {
                        if port.vlan.carries(&inside)? && !bridge.is_mirror_output(output) {
                            self.send_tagged(output, inside)?;
                        }
                    }
                }
                MirrorOutput::Vlan(_) => {}
            }
            self.snaplen = None;
        }
        Ok(())
    }
}
