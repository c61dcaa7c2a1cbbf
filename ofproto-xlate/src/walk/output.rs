//! Outputs (`xlate_output_action`, `compose_output_action__`).

use odp_actions::Action as Datapath;
use ofp_codec::Subfield;

use super::{
    Walk, Walked,
    clone::Lists,
    list::{ALL, CONTROLLER, FLOOD, IN_PORT, NORMAL, TABLE},
};
use crate::{
    config::{NO_PORT, Port, PortKind, Queues},
    fields::{REGS, TUNNEL, at},
    trace::What,
    unknown::Unknown,
};

impl Walk<'_> {
    pub(super) fn output(
        &mut self,
        port: u16,
        max_len: u16,
        may_packet_in: bool,
        last: bool,
        truncates: bool,
        in_bucket: bool,
    ) -> Walked {
        match port {
            IN_PORT => self.send(self.flow.u16_port(), true, last, truncates),
            TABLE => {
                let port = self.flow.u16_port();
                let _ = may_packet_in;
                self.table_action(port, 0, true, false, false, Lists::Plain)
            }
            NORMAL => self.normal(last),
            FLOOD => self.flood(false, last),
            ALL => self.flood(true, last),
            CONTROLLER => {
                let reason = if in_bucket {
                    REASON_GROUP
                } else if self.in_action_set {
                    REASON_ACTION_SET
                } else {
                    REASON_ACTION
                };
                self.send_to_controller(max_len, reason, 0, None, &[])
            }
            NO_PORT => Ok(()),
            port if port == self.flow.u16_port() => {
                self.say(What::Note("skipping output to input port"));
                Ok(())
            }
            port => self.send(port, true, last, truncates),
        }
    }

    pub(super) fn output_register(&mut self, source: &Subfield, last: bool, in_bucket: bool) -> Walked {
        let place = self.place_of(source)?;
        match u16::try_from(self.flow.get_at(place)) {
            Ok(port) => {
                self.mask.mask(place);
                self.output(port, u16::MAX, false, last, false, in_bucket)
            }
            Err(_) => {
                self.say(What::Note("output port is out of range"));
                Ok(())
            }
        }
    }

    pub(super) fn output_truncated(
        &mut self,
        port: u16,
        max_len: u32,
        last: bool,
        in_bucket: bool,
    ) -> Walked {
        match port {
            TABLE | NORMAL | FLOOD | ALL | CONTROLLER | NO_PORT => {
                self.say(What::Note("output_trunc does not support this port"));
                Ok(())
            }
            port if port == self.flow.u16_port() => {
                self.say(What::Note("skipping output to input port"));
                Ok(())
            }
            port => {
                if self
                    .bridge_ref()
                    .port(port)
                    .is_none_or(|port| port.datapath.is_none())
                {
                    self.say(What::Note("output_trunc does not support patch ports"));
                    return Ok(());
                }
                self.actions.push(Datapath::Trunc(max_len));
                self.output(port, 0, false, last, true, in_bucket)
            }
        }
    }

    pub(super) fn enqueue(&mut self, port: u16, queue: u32, last: bool, in_bucket: bool) -> Walked {
        self.mask.mask(at::SKB_PRIORITY);
        let Some(priority) = self.priority_of(queue) else {
            return self.output(port, 0, false, last, false, in_bucket);
        };
        let port = match port {
            IN_PORT => self.flow.u16_port(),
            port if port == self.flow.u16_port() => return Ok(()),
            port => port,
        };
        let before = self.flow.u32(at::SKB_PRIORITY);
        self.flow.put(at::SKB_PRIORITY, priority);
        let result = self.send(port, true, last, false);
        self.flow.put(at::SKB_PRIORITY, before);
        result
    }

    /// The priority that stands for a queue, where the datapath has queues.
    pub(super) fn priority_of(&self, queue: u32) -> Option<u32> {
        match self.switch.datapath.queues {
            Queues::Userspace => Some(queue),
            Queues::Kernel => (queue < 0xf000).then(|| 0x1_0000 | (queue + 1)),
        }
    }

    fn flood(&mut self, all: bool, last: bool) -> Walked {
        let in_port = self.flow.u16_port();
        let bridge = self.bridge_ref();
        let ports: Vec<u16> = bridge
            .flood_order
            .iter()
            .copied()
            .filter(|number| {
                *number != in_port && (all || bridge.port(*number).is_some_and(|port| !port.no_flood))
            })
            .collect();
        let is_known = bridge.config.in_order_of_addition && self.switch.datapath.hash.is_some();
        if ports.len() > 1 && !is_known {
            return Err(self.unknown_bridge("the order of ports in a flood was not given"));
        }
        for (n, port) in ports.iter().enumerate() {
            self.send(*port, !all, last && n + 1 == ports.len(), false)?;
        }
        Ok(())
    }

    /// Sends the packet to a port, whatever port it came in on.
    pub(super) fn send(&mut self, number: u16, checks_stp: bool, last: bool, truncates: bool) -> Walked {
        let _ = checks_stp;
        let bridge = self.bridge_ref();
        let Some(port) = bridge.port(number) else {
            self.say(What::Note("Nonexistent output port"));
            return Ok(());
        };
        if let Some(why) = &port.unmodelled {
            return Err(self.unknown_port(number, why.clone()));
        }
        if port.no_forward {
            self.say(What::Note("OFPPC_NO_FWD set, skipping output"));
            return Ok(());
        }
        if self.snaplen != 0 && port.datapath.is_none() {
            self.say(What::Note("Mirror truncate to ODPP_NONE, skipping output"));
            return Ok(());
        }
        if self.is_protected(number) {
            self.say(What::Note("Flow is between protected ports, skipping output."));
            return Ok(());
        }
        if self.flow.u32(at::PACKET_TYPE) != 0 {
            self.say(What::Note(
                "Trying to send non-Ethernet packet through legacy L2 port. Dropping packet.",
            ));
            return Ok(());
        }
        if let PortKind::Patch(peer) = &port.kind {
            if truncates {
                self.say(What::Note("Cannot truncate output to patch port"));
            }
            return self.cross_patch(number, peer, last);
        }
        self.emit(port, last)
    }

    fn emit(&mut self, port: &Port, last: bool) -> Walked {
        let _ = last;
        let before = self.flow;
        if let PortKind::Tunnel(tunnel) = &port.kind {
            if self.switch.datapath.native_tunnels {
                return Err(self.unknown_port(port.number, "tunnels of the userspace datapath".into()));
            }
            self.set_tunnel(tunnel);
            if (self.flow.u32(at::TUN_DST), self.flow.get_at(at::TUN_IPV6_DST)) == self.came_from_tunnel {
                // The fields of the tunnel stay as they are, too.
                self.say(What::Note("Not tunneling to our own address"));
                self.restore_after_output(&before);
                return Ok(());
            }
            self.commit_tunnel(tunnel)?;
            self.flow.copy_words(&before, TUNNEL);
        }
        if let Some(number) = port.datapath {
            self.commit()?;
            if self.may_end_tunnel(port) {
                return Err(
                    self.unknown_port(port.number, "packets of tunnels of the userspace datapath".into())
                );
            }
            self.sample_output(number)?;
            if self.snaplen > 0 && self.snaplen < u16::MAX {
                self.actions.push(Datapath::Trunc(self.snaplen.into()));
            }
            self.actions.push(Datapath::Output(number));
            self.outputs.add(port.ifindex);
        } else {
            return Err(self.unknown_port(port.number, "its datapath port is not known".into()));
        }
        self.mirror_output(port.number)?;
        self.restore_after_output(&before);
        Ok(())
    }

    /// What an output changes for itself.
    fn restore_after_output(&mut self, before: &crate::fields::Fields) {
        for place in [
            at::VLANS,
            at::NW_TOS,
            at::DL_DST,
            at::DL_SRC,
            at::PACKET_TYPE,
            at::DL_TYPE,
        ] {
            self.flow.put(place, before.get_at(place));
        }
    }

    /// Whether the packet may be one of a tunnel that ends here: the userspace datapath takes it out (`tnl_pop`).
    fn may_end_tunnel(&self, port: &Port) -> bool {
        let proto = self.flow.u8(at::NW_PROTO);
        self.switch.datapath.native_tunnels
            && matches!(port.kind, PortKind::Device)
            && port.number == super::list::LOCAL
            && matches!(proto, GRE | crate::prerequisites::UDP | crate::prerequisites::TCP)
            && self.switch.bridges.iter().any(|bridge| {
                bridge
                    .config
                    .ports
                    .iter()
                    .any(|port| matches!(port.kind, PortKind::Tunnel(_)))
            })
    }

    fn is_protected(&self, number: u16) -> bool {
        let bridge = self.bridge_ref();
        let is = |port: u16| {
            bridge
                .bundle(port)
                .is_some_and(|bundle| bridge.config.bundles[bundle].protected)
        };
        is(self.flow.u16_port()) && is(number)
    }

    /// Goes on in the bridge behind a patch port (`patch_port_output`).
    fn cross_patch(&mut self, number: u16, peer: &str, last: bool) -> Walked {
        let Some((bridge, index)) = self.switch.find_port(peer) else {
            return Err(self.unknown_port(number, "a patch port without a peer".into()));
        };
        let peer = &self.switch.bridges[bridge].config.ports[index];
        // A pair of ports that name each other.
        let own = self.bridge_ref().port(number);
        if !matches!((&peer.kind, own), (PortKind::Patch(back), Some(own)) if *back == own.name) {
            return Err(self.unknown_port(number, "a patch port whose peer is another's".into()));
        }
        let target = &self.switch.bridges[bridge];
        if let Some(why) = target.config.unmodelled {
            return Err(Unknown::Bridge {
                bridge: target.config.name.clone(),
                why,
            });
        }
        let (flow, own_bridge) = (self.flow, self.bridge);
        let stack = core::mem::take(&mut self.stack);
        let action_set = core::mem::take(&mut self.action_set);
        let (was_mpls, conntracked, mirrors) = (self.was_mpls, self.conntracked, self.mirrors);
        let tunnel_mask = self.mask;
        self.flow.put(at::IN_PORT, peer.number);
        self.flow.clear(at::METADATA);
        self.flow.clear_words(TUNNEL);
        self.mask.clear_words(TUNNEL);
        self.flow.clear_words(REGS);
        self.flow.put(at::ACTSET_OUTPUT, super::NO_OUTPUT);
        self.clear_conntrack();
        if bridge != own_bridge {
            self.mirrors = 0;
        }
        self.bridge = bridge;
        self.say(What::Bridge(target.config.name.clone()));
        if !(if self.is_stp() {
            peer.no_receive_stp
        } else {
            peer.no_receive
        }) {
            self.behind_patch(peer.number, last)?;
        }
        self.bridge = own_bridge;
        if bridge != own_bridge {
            self.mirrors = mirrors;
        }
        self.mask.copy_words(&tunnel_mask, TUNNEL);
        self.flow = flow;
        self.stack = stack;
        self.action_set = action_set;
        self.was_mpls = was_mpls;
        self.conntracked = conntracked;
        self.exit = false;
        self.failure = None;
        Ok(())
    }

    fn behind_patch(&mut self, port: u16, last: bool) -> Walked {
        self.nesting += 1;
        self.table_action(port, 0, true, false, last, Lists::Copied)?;
        self.nesting -= 1;
        if !self.freezing.is_on {
            self.run_action_set()?;
        }
        if self.freezing.is_on {
            self.finish_freezing()?;
        }
        Ok(())
    }
}

const GRE: u8 = 47;
const REASON_ACTION: u8 = 1;
const REASON_ACTION_SET: u8 = 3;
const REASON_GROUP: u8 = 4;
