//! What NORMAL, FLOOD, ALL and mirrors make of the ports of a bridge.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::bond::BondOutput;
use super::prediction::bytes_of;
use super::vlan::Inside;
use super::{
    Bridge, BridgePort, Interface, Last, Mirror, MirrorOutput, Peer, Port, PriorityTags, Unpredictable, Xlate,
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
    pub fn output(&mut self, ofport: u32, last: Last) -> Result<(), Unpredictable> {
        if Some(ofport) == self.at.in_port {
            return Ok(());
        }
        self.send_to(ofport, last)
    }

    /// `output:IN_PORT`: back to where it came from.
    ///
    /// # Errors
    /// As [`Forwarding::output`]; [`Unpredictable::Input`].
    pub fn output_in_port(&mut self, last: Last) -> Result<(), Unpredictable> {
        self.send_to(self.at.in_port.ok_or(Unpredictable::Input)?, last)
    }

    /// `ALL`: every interface but that it came from, in an order that is not known; `FLOOD` if it leaves out those with
    /// `NO_FLOOD`.
    ///
    /// # Errors
    /// As [`Forwarding::output`]; [`Unpredictable::MirrorOrder`].
    pub fn flood(&mut self, all: bool, last: Last) -> Result<(), Unpredictable> {
        self.check_mirror_order(false)?;
        let ports = self.at.bridge.ports.iter().enumerate();
        let interfaces = ports.flat_map(|(place, port)| port.interfaces.iter().map(move |is| (place, is)));
        let is_reached = |(_, interface): &(usize, &Interface)| {
            Some(interface.ofport) != self.at.in_port && (all || interface.floods)
        };
        let reached: Vec<_> = interfaces.filter(is_reached).collect();
        let last = last.among(reached.len());
        self.in_any_order(|packet| {
            let mut reached = reached.into_iter();
            reached.try_for_each(|(place, interface)| packet.send(place, interface, last))
        })
    }

    /// `NORMAL` of a broadcast, or of a packet to an address that was not learned: every port that carries its VLAN, once.
    ///
    /// # Errors
    /// As [`Forwarding::output`]; [`Unpredictable::Input`]; [`Unpredictable::Tag`]: the VLAN decides, and is not known;
    /// [`Unpredictable::Bond`]; [`Unpredictable::MirrorOrder`].
    pub fn normal(&mut self, last: Last) -> Result<(), Unpredictable> {
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
        let mut reached = Vec::new();
        for (place, port) in bridge.ports.iter().enumerate() {
            let floods = port.interfaces.iter().all(|interface| interface.floods);
            let is_reached = place != from && floods && !bridge.is_mirror_output(place);
            if is_reached && port.vlan.carries(&inside)? {
                reached.push(place);
            }
        }
        let count = reached.len();
        if bridge.is_in_order {
            let mut places = reached.into_iter().enumerate();
            return places.try_for_each(|(number, place)| {
                let last = if number + 1 == count { last } else { Last::No };
                self.send_tagged(place, inside, last)
            });
        }
        self.check_mirror_order(inside.0[0].pcp == Some(0))?;
        self.in_any_order(|packet| {
            let mut reached = reached.into_iter();
            reached.try_for_each(|place| packet.send_tagged(place, inside, last.among(count)))
        })
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
    fn check_mirror_order(&mut self, is_plain: bool) -> Result<(), Unpredictable> {
        self.see_changes();
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

    fn send_to(&mut self, ofport: u32, last: Last) -> Result<(), Unpredictable> {
        let bridge = self.at.bridge;
        let places = self.at.places.get_or_insert_with(|| bridge.places());
        let (place, interface) = *places.get(&ofport).ok_or(Unpredictable::Port { ofport })?;
        self.send(place, interface, last)
    }

    /// An output as it is, and the copies for mirrors.
    fn send(&mut self, place: usize, interface: &Interface, last: Last) -> Result<(), Unpredictable> {
        if self.depth == 0 && self.is_dropped() {
            return Ok(());
        }
        match interface.port.as_ref().map_err(Clone::clone)? {
            Port::Patch(peer) if self.snaplen.is_none() => return self.patch(*peer, last),
            // A copy that is to be cut does not go through, and mirrors do not see what does.
            Port::Patch(_) => return Ok(()),
            port => self.xlate.output_cut(port, self.snaplen)?,
        }
        self.mirror(place, |mirror| &mirror.destinations)
    }

    /// What the bridge behind a patch port does, after which the packet is as before. Its mirrors are its own.
    fn patch(&mut self, peer: Peer, last: Last) -> Result<(), Unpredictable> {
        let bridge = self.bridges.get(peer.bridge).ok_or(Unpredictable::Patch)?;
        let actions = bridge.actions.as_ref().ok_or(Unpredictable::Flows)?;
        if self.depth == MAX_DEPTH || self.entered == MAX_RESUBMITS {
            return Err(Unpredictable::Circle);
        }
        // Such a list is too long anyway, and Open vSwitch looks into no more tables.
        if bytes_of(self.xlate.actions.iter()) > usize::from(u16::MAX) {
            return Ok(());
        }
        self.see_changes();
        let mut at = Place::new(bridge, Some(peer.ofport), Some(bridge.port_of(peer.ofport)?));
        let is_same = core::ptr::eq(bridge, self.at.bridge);
        if is_same {
            // In the bridge that it came from it is the same packet to mirrors, which may have changed when other ports are
            // put out to.
            let may_copy_again = self.xlate.rules.mirrors_changed_packets && !bridge.mirrors.is_empty();
            if may_copy_again && self.xlate.is_in_any_order() {
                return Err(Unpredictable::MirrorOrder);
            }
            at.mirrored.clone_from(&self.at.mirrored);
        } else if [bridge, self.at.bridge]
            .iter()
            .all(|bridge| !bridge.mirrors.is_empty())
            && !self.xlate.rules.mirrors_of_each_bridge
        {
            return Err(Unpredictable::MirrorsOfBridges);
        }
        let start = self.xlate.open_clone(last);
        let before = core::mem::replace(&mut self.at, at);
        self.depth += 1;
        self.entered += 1;
        let done = self.bucket(|packet| {
            packet.xlate.metadata = packet.xlate.metadata.behind_patch();
            packet.run(actions)?;
            packet.see_changes();
            Ok(())
        });
        self.depth -= 1;
        let there = core::mem::replace(&mut self.at, before);
        if is_same {
            self.at.mirrored = there.mirrored;
        }
        done.and_then(|()| self.xlate.close_clone(start))
    }

    /// Lets mirrors make another copy if an action has changed the packet.
    fn see_changes(&mut self) {
        if core::mem::take(&mut self.xlate.is_changed) {
            self.at.mirrored.fill(false);
        }
    }

    /// An output with the tags that the port gives the packet.
    fn send_tagged(&mut self, place: usize, inside: Inside, last: Last) -> Result<(), Unpredictable> {
        let Some(port) = self.at.bridge.ports.get(place) else {
            return Ok(());
        };
        let Some(interface) = port.interfaces.first() else {
            return Ok(());
        };
        let mut leaving = port.vlan.leave(inside)?;
        let priority_tags = match port.priority_tags {
            PriorityTags::Always if !self.xlate.rules.priority_tags_always => PriorityTags::Never,
            priority_tags => priority_tags,
        };
        if priority_tags != PriorityTags::Never {
            leaving.0[0].pcp = Inside::of(&self.xlate.tags).0[0].pcp;
        }
        let tags = leaving.tags(priority_tags)?;
        let before = core::mem::replace(&mut self.xlate.tags, tags);
        let sent = match port.interfaces.len() {
            1 => self.send(place, interface, last),
            _ => self.send_bonded(place, port, last),
        };
        self.xlate.tags = before;
        sent
    }

    /// An output to a bond, and the copies for mirrors.
    fn send_bonded(&mut self, place: usize, port: &BridgePort, last: Last) -> Result<(), Unpredictable> {
        let is_plain = |interface: &Interface| matches!(interface.port, Ok(Port::Plain { .. }));
        if !port.interfaces.iter().all(is_plain) {
            return Err(Unpredictable::Bond);
        }
        let output = port.bond.output()?;
        // Whichever member it is, and whatever id the switch chose: all cost the same.
        self.xlate.certainty.is_open |= output != BondOutput::Nothing;
        match output {
            BondOutput::Nothing => return Ok(()),
            BondOutput::Member => return self.send(place, &port.interfaces[0], last),
            BondOutput::Balanced => self.xlate.commit_and(None, [Action::LbOutput(0)]),
            BondOutput::Recirculated => {
                let hash = Hash {
                    algorithm: 0,
                    basis: port.bond.hash_basis,
                };
                self.xlate
                    .commit_and(None, [Action::Hash(hash), Action::Recirc(0)]);
                if self.xlate.rules.recirculates_without_copies {
                    return Ok(());
                }
            }
        }
        self.mirror(place, |mirror| &mirror.destinations)
    }

    /// Sends copies to the mirrors that select a port and have none yet.
    fn mirror(&mut self, place: usize, selects: fn(&Mirror) -> &Vec<usize>) -> Result<(), Unpredictable> {
        self.see_changes();
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
            if mirror.has_filter && self.xlate.rules.mirror_filters {
                return Err(Unpredictable::Filter);
            }
            // Mirrors to the same place are one.
            for (mirrored, other) in self.at.mirrored.iter_mut().zip(&bridge.mirrors) {
                *mirrored |= other.output == mirror.output;
            }
            self.snaplen = mirror.snaplen;
            match mirror.output {
                MirrorOutput::Port(output) => self.send_tagged(output, inside, Last::No)?,
                MirrorOutput::Vlan(vlan) if vlan != vid => {
                    let mut inside = inside;
                    inside.0[0].vid = Some(vlan);
                    for (output, port) in bridge.ports.iter().enumerate() {
                        if port.vlan.carries(&inside)? && !bridge.is_mirror_output(output) {
                            self.send_tagged(output, inside, Last::No)?;
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
