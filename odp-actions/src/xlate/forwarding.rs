//! What NORMAL, FLOOD, ALL and mirrors make of the ports of a bridge.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::bond::{BondOutput, mirrors_recirculated};
use super::prediction::bytes_of;
use super::vlan::Inside;
use super::{
    Bridge, BridgePort, Interface, Mirror, MirrorOutput, Peer, Port, PriorityTags, Unpredictable, Xlate,
};
use crate::Action;
use crate::action::Hash;

/// A packet that a bridge forwards.
#[derive(Clone, Debug)]
pub struct Forwarding<'a> {
    /// All bridges.
    bridges: &'a [Bridge],
    at: Place<'a>,
    /// How many patch ports it went through to come there, and how many in all.
    depth: usize,
    entered: usize,
    snaplen: Option<u16>,
    /// The translation, which tags and tunnel ids are set in.
    pub xlate: Xlate,
}

/// Where a packet is.
#[derive(Clone, Debug)]
struct Place<'a> {
    bridge: &'a Bridge,
    in_port: Option<u32>,
    /// The place of the port that it came from.
    input: Option<usize>,
    /// Which mirrors have their copy.
    mirrored: Vec<bool>,
    /// Where interfaces are, as soon as one was asked for by its number.
    places: Option<BTreeMap<u32, (usize, &'a Interface)>>,
}

impl<'a> Place<'a> {
    fn new(bridge: &'a Bridge, in_port: Option<u32>, input: Option<usize>) -> Self {
        Self {
            bridge,
            in_port,
            input,
            mirrored: alloc::vec![false; bridge.mirrors.len()],
            places: None,
        }
    }
}

impl<'a> Forwarding<'a> {
    /// A packet comes in by a port of `bridge`, and mirrors of that port get their copies.
    pub(super) fn start(
        bridges: &'a [Bridge],
        bridge: &'a Bridge,
        xlate: Xlate,
        in_port: Option<u32>,
        input: Option<usize>,
    ) -> Result<Self, Unpredictable> {
        let mut packet = Self {
            bridges,
            at: Place::new(bridge, in_port, input),
            depth: 0,
            entered: 0,
            snaplen: None,
            xlate,
        };
        match input {
            None if bridge.mirrors.iter().any(|mirror| !mirror.sources.is_empty()) => {
                Err(Unpredictable::Input)
            }
            Some(place) if !packet.is_dropped() => {
                packet.mirror(place, |mirror| &mirror.sources)?;
                Ok(packet)
            }
            _ => Ok(packet),
        }
    }

    /// `output:OFPORT`, and the copies for mirrors. A packet does not go back to where it came from.
    ///
    /// # Errors
    /// [`Unpredictable`]: there is no such port, or what an output to it becomes is not known.
    pub fn output(&mut self, ofport: u32) -> Result<(), Unpredictable> {
        if Some(ofport) == self.at.in_port {
            return Ok(());
        }
        self.send_to(ofport)
    }

    /// `output:IN_PORT`: back to where it came from.
    ///
    /// # Errors
    /// As [`Forwarding::output`]; [`Unpredictable::Input`].
    pub fn output_in_port(&mut self) -> Result<(), Unpredictable> {
        self.send_to(self.at.in_port.ok_or(Unpredictable::Input)?)
    }

    /// `ALL`: every interface but that it came from, in an order that is not known; `FLOOD` if it leaves out those with
    /// `NO_FLOOD`.
    ///
    /// # Errors
    /// As [`Forwarding::output`]; [`Unpredictable::MirrorOrder`].
    pub fn flood(&mut self, all: bool) -> Result<(), Unpredictable> {
        self.check_mirror_order(false)?;
        let ports = self.at.bridge.ports.iter().enumerate();
        self.in_any_order(|packet| {
            for (place, port) in ports {
                let others = port
                    .interfaces
                    .iter()
                    .filter(|interface| Some(interface.ofport) != packet.at.in_port);
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
        let bridge = self.at.bridge;
        let from = self.at.input.ok_or(Unpredictable::Input)?;
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
        let (metadata, tags) = (self.xlate.metadata.clone(), self.xlate.tags.clone());
        let done = run(self);
        self.xlate.restore(metadata);
        self.xlate.tags = tags;
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
        let ports = &self.at.bridge.ports;
        let missing = self
            .at
            .bridge
            .mirrors
            .iter()
            .zip(&self.at.mirrored)
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
        self.at
            .input
            .is_some_and(|place| self.at.bridge.is_mirror_output(place))
    }

    fn send_to(&mut self, ofport: u32) -> Result<(), Unpredictable> {
        let bridge = self.at.bridge;
        let places = self.at.places.get_or_insert_with(|| bridge.places());
        let (place, interface) = *places.get(&ofport).ok_or(Unpredictable::Port { ofport })?;
        self.send(place, interface)
    }

    /// An output as it is, and the copies for mirrors.
    fn send(&mut self, place: usize, interface: &Interface) -> Result<(), Unpredictable> {
        if self.depth == 0 && self.is_dropped() {
            return Ok(());
        }
        match interface.port.as_ref().map_err(Clone::clone)? {
            Port::Patch(peer) if self.snaplen.is_none() => return self.patch(*peer),
            // A copy that is to be cut does not go through, and mirrors do not see what does.
            Port::Patch(_) => return Ok(()),
            port => self.xlate.output_cut(port, self.snaplen)?,
        }
        self.mirror(place, |mirror| &mirror.destinations)
    }

    /// What the bridge behind a patch port does, after which the packet is as before. Its mirrors are its own.
    fn patch(&mut self, peer: Peer) -> Result<(), Unpredictable> {
        let bridge = self.bridges.get(peer.bridge).ok_or(Unpredictable::Patch)?;
        let actions = bridge.actions.as_ref().ok_or(Unpredictable::Flows)?;
        if self.depth == MAX_DEPTH || self.entered == MAX_RESUBMITS {
            return Err(Unpredictable::Circle);
        }
        // Such a list is too long anyway, and Open vSwitch looks into no more tables.
        if bytes_of(self.xlate.actions.iter()) > usize::from(u16::MAX) {
            return Ok(());
        }
        let mut at = Place::new(bridge, Some(peer.ofport), Some(bridge.port_of(peer.ofport)?));
        if core::ptr::eq(bridge, self.at.bridge) {
            at.mirrored.clone_from(&self.at.mirrored);
        }
        let before = core::mem::replace(&mut self.at, at);
        self.depth += 1;
        self.entered += 1;
        let done = self.bucket(|packet| {
            packet.xlate.metadata = packet.xlate.metadata.behind_patch();
            actions.iter().try_for_each(|action| packet.apply(*action))
        });
        self.depth -= 1;
        let there = core::mem::replace(&mut self.at, before);
        if core::ptr::eq(bridge, self.at.bridge) {
            self.at.mirrored = there.mirrored;
        }
        done
    }

    /// An output with the tags that the port gives the packet.
    fn send_tagged(&mut self, place: usize, inside: Inside) -> Result<(), Unpredictable> {
        let Some(port) = self.at.bridge.ports.get(place) else {
            return Ok(());
        };
        let Some(interface) = port.interfaces.first() else {
            return Ok(());
        };
        let mut leaving = port.vlan.leave(inside)?;
        if port.priority_tags != PriorityTags::Never {
            leaving.0[0].pcp = Inside::of(&self.xlate.tags).0[0].pcp;
        }
        let tags = leaving.tags(port.priority_tags)?;
        let before = core::mem::replace(&mut self.xlate.tags, tags);
        let sent = match port.interfaces.len() {
            1 => self.send(place, interface),
            _ => self.send_bonded(place, port),
        };
        self.xlate.tags = before;
        sent
    }

    /// An output to a bond, and the copies for mirrors.
    fn send_bonded(&mut self, place: usize, port: &BridgePort) -> Result<(), Unpredictable> {
        let is_plain = |interface: &Interface| matches!(interface.port, Ok(Port::Plain { .. }));
        if !port.interfaces.iter().all(is_plain) {
            return Err(Unpredictable::Bond);
        }
        let output = port.bond.output()?;
        // Whichever member it is, and whatever id the switch chose: all cost the same.
        self.xlate.certainty.is_open |= output != BondOutput::Nothing;
        match output {
            BondOutput::Nothing => return Ok(()),
            BondOutput::Member => return self.send(place, &port.interfaces[0]),
            BondOutput::Balanced => self.xlate.commit_and(None, [Action::LbOutput(0)]),
            BondOutput::Recirculated => {
                let hash = Hash {
                    algorithm: 0,
                    basis: port.bond.hash_basis,
                };
                self.xlate
                    .commit_and(None, [Action::Hash(hash), Action::Recirc(0)]);
                let selects = |mirror: &Mirror| mirror.destinations.contains(&place);
                match mirrors_recirculated(self.xlate.ovs) {
                    Some(false) => return Ok(()),
                    None if self.at.bridge.mirrors.iter().any(selects) => return Err(Unpredictable::Bond),
                    _ => {}
                }
            }
        }
        self.mirror(place, |mirror| &mirror.destinations)
    }

    /// Sends copies to the mirrors that select a port and have none yet.
    fn mirror(&mut self, place: usize, selects: fn(&Mirror) -> &Vec<usize>) -> Result<(), Unpredictable> {
        let bridge = self.at.bridge;
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
            if self.at.mirrored[number] || !is_selected {
                continue;
            }
            // Mirrors to the same place are one.
            for (mirrored, other) in self.at.mirrored.iter_mut().zip(&bridge.mirrors) {
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

/// Open vSwitch's `MAX_DEPTH` and `MAX_RESUBMITS`.
const MAX_DEPTH: usize = 64;
const MAX_RESUBMITS: usize = 4096;

#[cfg(test)]
mod tests;
