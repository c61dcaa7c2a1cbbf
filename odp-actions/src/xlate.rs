//! What Open vSwitch makes of OpenFlow outputs: the part of its translation that decides sizes.
//!
//! ovs-vswitchd keeps a picture of the packet as OpenFlow actions have changed it, and *commits* the difference to
//! the packet as it is only when something is output. [`Xlate`] follows the same rules for tunnel metadata and VLAN
//! tags (`compose_output_action`, `commit_odp_tunnel_action` and `commit_vlan_action` of Open vSwitch), for the kernel
//! datapath, also through groups of type `all` and patch ports; [`Bridge`] adds what ports, VLANs, bonds, mirrors and the
//! bridges behind patch ports do to NORMAL, FLOOD and ALL. What changed between releases are [`Rules`]. A [`Prediction`] has
//! the bytes where they are certain, bounds where only an order, a number or the patch level of the release is open, and
//! else the reason, an [`Unpredictable`]: never a guess.
//!
//! ```
//! use odp_actions::xlate::{OvsVersion, Packet, Port, Rules, Xlate};
//!
//! let options = [("remote_ip", "10.0.0.1"), ("local_ip", "10.0.0.2"), ("key", "flow")];
//! let vxlan = Port::of_interface("vxlan", 4, options)?;
//! let rules: Rules = "2.5.0".parse::<OvsVersion>()?.try_into()?;
//! let mut xlate = Xlate::new(rules, Packet::tagged(100));
//! xlate.pop_vlan();
//! xlate.set_tunnel_id(7);
//! xlate.output(&vxlan)?;
//! assert_eq!(
//!     xlate.finish().to_string(),
//!     "set(tunnel(tun_id=0x7,src=10.0.0.2,dst=10.0.0.1,ttl=64,flags(df|key))),pop_vlan,4"
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bond;
mod bridge;
mod clone;
mod commit;
mod flow_action;
mod forwarding;
mod metadata;
mod port;
mod prediction;
mod releases;
mod tunnel;
mod unpredictable;
mod vlan;

use alloc::vec::Vec;

pub use self::bond::{Bond, BondMode, Lacp};
pub use self::bridge::{Bridge, BridgePort, Interface, Mirror, MirrorOutput};
pub use self::clone::Last;
use self::commit::Certainty;
pub use self::flow_action::{Change, FlowAction};
pub use self::forwarding::Forwarding;
use self::metadata::Metadata;
pub use self::metadata::{GeneveField, TunnelFields};
pub use self::port::{Peer, Port};
pub use self::prediction::{Bounds, Prediction};
use self::prediction::{Step, bytes_of};
pub use self::releases::Rules;
pub use self::tunnel::{Checksum, OutKey, TunnelKind, TunnelPort};
pub use self::unpredictable::Unpredictable;
use self::vlan::{DOT1Q, Tag};
pub use self::vlan::{PriorityTags, VlanMode};
pub use crate::version::{OvsVersion, OvsVersionError};
use crate::{Action, Actions, Tunnel};

/// What the sizes depend on in the packet that is translated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Packet {
    /// Its 802.1Q tag. Packets with more than one are not modelled.
    pub vlan: Option<Vlan>,
    /// The TOS byte or traffic class of an IP packet. Tunnels inherit its ECN bits always, the rest on request; a TOS
    /// of 0 costs nothing, any other 8 bytes for each tunnel output.
    pub ip_tos: Option<u8>,
    /// Its mark (`pkt_mark`). A tunnel port with `egress_pkt_mark` sets another one, which costs 12 bytes once.
    pub mark: u32,
}

impl Packet {
    /// A packet with a tag of which only the VLAN id is known, no TOS and no mark.
    pub const fn tagged(vid: u16) -> Self {
        Self {
            vlan: Some(Vlan {
                vid: Some(vid),
                pcp: None,
            }),
            ip_tos: None,
            mark: 0,
        }
    }
}

/// What is known of a packet's tag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vlan {
    /// VLAN id.
    pub vid: Option<u16>,
    /// Priority.
    pub pcp: Option<u8>,
}

/// A translation in progress.
#[derive(Clone, Debug)]
pub struct Xlate {
    rules: Rules,
    ip_tos: Option<u8>,
    metadata: Metadata,
    /// Tags as OpenFlow sees them, the innermost first.
    tags: Vec<Tag>,
    /// Tags as the packet has them where the actions so far end.
    committed_tags: Vec<Tag>,
    committed_tunnel: Option<Tunnel>,
    committed_fields: TunnelFields,
    committed_mark: u32,
    /// Whether an action has changed the packet since mirrors last looked.
    is_changed: bool,
    actions: Actions,
    certainty: Certainty,
}

impl Xlate {
    /// Starts with `packet` as it came in.
    pub fn new(rules: Rules, packet: Packet) -> Self {
        let tags: Vec<_> = packet.vlan.into_iter().map(Tag::received).collect();
        Self {
            rules,
            ip_tos: packet.ip_tos,
            metadata: Metadata {
                mark: packet.mark,
                ..Metadata::default()
            },
            committed_mark: packet.mark,
            committed_fields: TunnelFields::default(),
            committed_tags: tags.clone(),
            tags,
            committed_tunnel: None,
            is_changed: false,
            actions: Actions::new(),
            certainty: Certainty::default(),
        }
    }

    /// `set_tunnel:ID`.
    pub fn set_tunnel_id(&mut self, id: u64) {
        self.metadata.fields.id = id;
    }

    /// `load:ID->NXM_NX_TUN_ID[]`, `set_field:ID->tun_id`: the same, but mirrors take it for a change of the packet.
    pub fn load_tunnel_id(&mut self, id: u64) {
        self.change(Change::Field);
        self.set_tunnel_id(id);
    }

    /// An action that does something to the packet without bearing on its size, such as `load` into a register. Mirrors may
    /// make another copy after it.
    pub fn change(&mut self, change: Change) {
        self.is_changed |= self.rules.mirrors_changed_packets
            && match change {
                Change::Field => true,
                Change::GeneveOption => !self.rules.options_change_no_packet,
                Change::Register => !self.rules.registers_change_no_packet,
            };
    }

    /// Whether the packet, as the actions so far changed it, has a tag.
    pub fn is_tagged(&self) -> bool {
        !self.tags.is_empty()
    }

    /// `pop_vlan`, `strip_vlan`. Does nothing to a packet without a tag.
    pub fn pop_vlan(&mut self) {
        self.change(Change::Field);
        self.tags.pop();
    }

    /// `push_vlan:TPID`: a tag with VLAN id 0, for `set_field` to fill in.
    ///
    /// # Errors
    /// [`Unpredictable::Tags`] beyond two tags (before 2.8: beyond one).
    pub fn push_vlan(&mut self, tpid: u16) -> Result<(), Unpredictable> {
        let most = if self.rules.two_tags { 2 } else { 1 };
        self.change(Change::Field);
        if self.tags.len() >= most {
            return Err(Unpredictable::Tags { most });
        }
        self.tags.push(Tag::new(tpid, 0, 0));
        Ok(())
    }

    /// `mod_vlan_vid:VID`, `set_field:VID->vlan_vid`: changes the outermost tag, or adds one.
    ///
    /// # Errors
    /// [`Unpredictable::Tag`]: whether that changes anything depends on the VLAN id of the packet, which is not known.
    pub fn set_vlan_vid(&mut self, vid: u16) -> Result<(), Unpredictable> {
        self.change(Change::Field);
        match self.tags.last_mut() {
            None => self.tags.push(Tag::new(DOT1Q, vid, 0)),
            Some(Tag { vid: None, .. }) => return Err(Unpredictable::Tag),
            Some(tag) => tag.vid = Some(vid),
        }
        Ok(())
    }

    /// `mod_vlan_pcp:PCP`, `set_field:PCP->vlan_pcp`: changes the outermost tag, or adds one.
    ///
    /// # Errors
    /// [`Unpredictable::Tag`]: whether that changes anything depends on the priority of the packet, which is not known.
    pub fn set_vlan_pcp(&mut self, pcp: u8) -> Result<(), Unpredictable> {
        self.change(Change::Field);
        match self.tags.last_mut() {
            None => self.tags.push(Tag::new(DOT1Q, 0, pcp)),
            Some(Tag { pcp: None, .. }) => return Err(Unpredictable::Tag),
            Some(tag) => tag.pcp = Some(pcp),
        }
        Ok(())
    }

    /// Outputs to `port`: commits what changed since the last output, then writes the output itself.
    ///
    /// # Errors
    /// [`Unpredictable::Underlay`]: a tunnel over IPv6 from a release that has none; [`Unpredictable::Patch`].
    pub fn output(&mut self, port: &Port) -> Result<(), Unpredictable> {
        self.output_cut(port, None)
    }

    /// The same of the first `snaplen` bytes.
    fn output_cut(&mut self, port: &Port, snaplen: Option<u16>) -> Result<(), Unpredictable> {
        let (odp_port, tunnel) = match port {
            Port::Plain { odp_port } => (*odp_port, None),
            Port::Tunnel { odp_port, tunnel } => {
                let key = tunnel.metadata(self.rules, &self.metadata.fields, self.ip_tos)?;
                self.enter_tunnel(tunnel);
                (*odp_port, Some(key))
            }
            Port::Patch(_) => return Err(Unpredictable::Patch),
        };
        // Nothing is longer than the highest number says.
        let cut = snaplen
            .filter(|len| *len < u16::MAX)
            .map(|len| Action::Trunc(len.into()));
        self.commit_and(tunnel, cut.into_iter().chain([Action::Output(odp_port)]));
        Ok(())
    }

    /// Makes the packet what an output needs, and adds the actions that put it out.
    fn commit_and(&mut self, tunnel: Option<Tunnel>, output: impl IntoIterator<Item = Action>) {
        let tags = self.tags.clone();
        self.commit(&Step::new(tags, tunnel));
        self.actions.extend(output);
    }

    /// What `run` puts out, in an order that is not known, as that of FLOOD and ALL. Changes of the packet that stay after
    /// `run` are not part of that.
    ///
    /// ```
    /// use odp_actions::xlate::{Bounds, OvsVersion, Packet, Port, Prediction, Unpredictable, Xlate};
    ///
    /// let rules = "3.1.0".parse::<OvsVersion>()?.try_into()?;
    /// let mut xlate = Xlate::new(rules, Packet::default());
    /// xlate.in_any_order(|flood| {
    ///     for vid in [5, 0, 5] {
    ///         flood.bucket(|port| {
    ///             if vid > 0 {
    ///                 port.set_vlan_vid(vid)?;
    ///             }
    ///             port.output(&Port::Plain { odp_port: 1 })
    ///         })?;
    ///     }
    ///     Ok::<(), Unpredictable>(())
    /// })?;
    /// // Three outputs and a tag, which may be pushed twice, and popped.
    /// assert_eq!(xlate.predict().bytes(), Some(Bounds { least: 32, most: 44 }));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Those of `run`.
    pub fn in_any_order<E>(&mut self, run: impl FnOnce(&mut Self) -> Result<(), E>) -> Result<(), E> {
        let before = self.open_order();
        let done = run(self);
        self.close_order(before);
        done
    }

    /// A bucket of a group of type `all`: `run` puts out a packet that it may change, and after it the packet is as before.
    ///
    /// What Open vSwitch does in a bucket is an action set: tags, then fields, then the output.
    ///
    /// ```
    /// use odp_actions::xlate::{OvsVersion, Packet, Port, Xlate};
    ///
    /// let rules = "3.1.0".parse::<OvsVersion>()?.try_into()?;
    /// let mut xlate = Xlate::new(rules, Packet::default());
    /// xlate.bucket(|bucket| {
    ///     bucket.set_vlan_vid(5)?;
    ///     bucket.output(&Port::Plain { odp_port: 1 })
    /// })?;
    /// xlate.output(&Port::Plain { odp_port: 2 })?;
    /// assert_eq!(xlate.finish().to_string(), "push_vlan(vid=5,pcp=0),1,pop_vlan,2");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Those of `run`.
    pub fn bucket<E>(&mut self, run: impl FnOnce(&mut Self) -> Result<(), E>) -> Result<(), E> {
        let (metadata, tags) = (self.metadata.clone(), self.tags.clone());
        let done = run(self);
        self.restore(metadata);
        self.tags = tags;
        done
    }

    /// An output to a patch port: `run` is what the bridge behind it does. It sees no tunnel fields, and after it the packet is
    /// as before. The port itself costs nothing, but [commits](Rules::clones_what_stays) changes in late releases.
    ///
    /// This holds while that bridge only changes tags and tunnel ids and puts packets out; around anything that it cannot
    /// undo (`ct`, `meter`) Open vSwitch puts a `clone`.
    ///
    /// # Errors
    /// Those of `run`.
    pub fn patch<E>(&mut self, last: Last, run: impl FnOnce(&mut Self) -> Result<(), E>) -> Result<(), E>
    where
        E: From<Unpredictable>,
    {
        let start = self.open_clone(last);
        self.bucket(|peer| {
            peer.metadata = peer.metadata.behind_patch();
            run(peer)
        })?;
        Ok(self.close_clone(start)?)
    }

    /// The datapath actions; where an order is open, those of the order in which the outputs came.
    pub fn finish(mut self) -> Actions {
        self.unwrap_last_clone();
        self.actions
    }

    /// The datapath actions as far as they are certain.
    pub fn predict(mut self) -> Prediction {
        // Open vSwitch counts before it looks for a clone that is the last action.
        let counted = self.actions.output_count();
        let trailing = self.unwrap_last_clone();
        let Certainty {
            is_open,
            less,
            more,
            more_outputs,
            is_unknown,
            ..
        } = self.certainty;
        if is_unknown {
            return Prediction::Unknown(Unpredictable::MetadataOrder);
        }
        if !is_open && counted == self.actions.output_count() {
            return Prediction::Exact(self.actions);
        }
        let bytes = bytes_of(self.actions.iter());
        Prediction::Within {
            outputs: Bounds {
                least: counted,
                most: counted + more_outputs,
            },
            bytes: Bounds {
                least: bytes - less - trailing.less,
                most: bytes + more + trailing.more,
            },
            sample: self.actions,
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::{String, ToString};

    use super::*;

    fn rules(ovs: &str) -> Rules {
        ovs.parse::<OvsVersion>().unwrap().try_into().unwrap()
    }

    fn xlate(packet: Packet, run: impl FnOnce(&mut Xlate)) -> String {
        let mut xlate = Xlate::new(rules("3.1.0"), packet);
        run(&mut xlate);
        xlate.finish().to_string()
    }

    fn plain(odp_port: u32) -> Port {
        Port::Plain { odp_port }
    }

    fn vxlan(last: u8) -> Port {
        let remote = alloc::format!("10.0.0.{last}");
        Port::of_interface("vxlan", 4, [("remote_ip", remote.as_str()), ("key", "flow")]).unwrap()
    }

    #[test]
    fn repeats_tunnel_metadata_only_when_it_changed() {
        let text = xlate(Packet::default(), |x| {
            for port in [vxlan(1), vxlan(1), plain(2), vxlan(1), vxlan(2), vxlan(1)] {
                x.output(&port).unwrap();
            }
        });
        let set = |last| {
            alloc::format!("set(tunnel(tun_id=0x0,dst=10.0.0.{last},ttl=64,tp_dst=4789,flags(df|key)))")
        };
        assert_eq!(
            text,
            alloc::format!("{a},4,4,2,4,{b},4,{a},4", a = set(1), b = set(2))
        );
    }

    #[test]
    fn commits_tags_at_the_output_and_not_before() {
        let untagged = Packet::default();
        assert_eq!(xlate(untagged, |x| x.pop_vlan()), "drop");
        assert_eq!(xlate(Packet::tagged(5), |x| x.pop_vlan()), "drop");
        let pop_then_restore = xlate(Packet::tagged(5), |x| {
            x.output(&plain(1)).unwrap();
            x.pop_vlan();
            x.output(&plain(2)).unwrap();
            x.output(&plain(3)).unwrap();
        });
        assert_eq!(pop_then_restore, "1,pop_vlan,2,3");
        let access_to_trunk = xlate(untagged, |x| {
            x.set_vlan_vid(7).unwrap();
            x.output(&plain(1)).unwrap();
            x.pop_vlan();
            x.output(&plain(2)).unwrap();
        });
        assert_eq!(access_to_trunk, "push_vlan(vid=7,pcp=0),1,pop_vlan,2");
        let retagged = xlate(Packet::tagged(5), |x| {
            x.set_vlan_vid(5).unwrap();
            x.output(&plain(1)).unwrap();
            x.set_vlan_vid(6).unwrap();
            x.output(&plain(2)).unwrap();
        });
        assert_eq!(retagged, "1,pop_vlan,push_vlan(vid=6,pcp=0),2");
        let stacked = xlate(Packet::tagged(5), |x| {
            x.push_vlan(0x88a8).unwrap();
            x.set_vlan_vid(9).unwrap();
            x.output(&plain(1)).unwrap();
        });
        assert_eq!(stacked, "push_vlan(tpid=0x88a8,vid=9,pcp=0),1");
    }

    #[test]
    fn says_so_when_the_tag_decides_and_is_not_known() {
        let tagged = Packet {
            vlan: Some(Vlan::default()),
            ..Packet::default()
        };
        let mut xlate = Xlate::new(rules("3.1.0"), tagged);
        assert_eq!(xlate.set_vlan_vid(1), Err(Unpredictable::Tag));
        assert_eq!(xlate.set_vlan_pcp(1), Err(Unpredictable::Tag));
        assert_eq!(xlate.push_vlan(0x8100), Ok(()));
        assert_eq!(xlate.push_vlan(0x8100), Err(Unpredictable::Tags { most: 2 }));
        let mut old = Xlate::new(rules("2.5.0"), tagged);
        assert_eq!(old.push_vlan(0x8100), Err(Unpredictable::Tags { most: 1 }));
    }
}
