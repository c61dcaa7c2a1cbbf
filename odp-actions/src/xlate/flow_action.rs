//! OpenFlow actions, as far as they decide sizes.

use super::{Forwarding, Last, Unpredictable};

/// An OpenFlow action that [`Forwarding::apply`] carries out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FlowAction {
    /// `NORMAL`.
    Normal,
    /// `FLOOD`.
    Flood,
    /// `ALL`.
    All,
    /// `output:OFPORT`.
    Output(u32),
    /// `IN_PORT`.
    InPort,
    /// `set_tunnel:ID`.
    SetTunnelId(u64),
    /// `load:ID->NXM_NX_TUN_ID[]`, `set_field:ID->tun_id`.
    LoadTunnelId(u64),
    /// `push_vlan:TPID`.
    PushVlan(u16),
    /// `pop_vlan`.
    PopVlan,
    /// `mod_vlan_vid:VID`.
    SetVlanVid(u16),
    /// `mod_vlan_pcp:PCP`.
    SetVlanPcp(u8),
    /// One that has no bearing on sizes but for the copies of mirrors.
    Change(Change),
}

/// What an action changes, as far as mirrors make a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// The packet, or a field of its tunnel such as `tun_id`.
    Field,
    /// An option of a Geneve tunnel: `tun_metadata0`.
    GeneveOption,
    /// A register, `metadata`, `pkt_mark`: what belongs to Open vSwitch.
    Register,
}

impl Forwarding<'_> {
    /// Carries out the actions of a flow, one after the other.
    ///
    /// # Errors
    /// [`Unpredictable`]: what one of them becomes is not known.
    pub fn run(&mut self, actions: &[FlowAction]) -> Result<(), Unpredictable> {
        let mut places = actions.iter().enumerate();
        places.try_for_each(|(place, action)| self.apply(*action, Last::of(place, actions.len())))
    }

    /// Carries out one action; `last` says whether it is the last that is done to the packet.
    ///
    /// # Errors
    /// [`Unpredictable`]: what it becomes is not known.
    pub fn apply(&mut self, action: FlowAction, last: Last) -> Result<(), Unpredictable> {
        match action {
            FlowAction::Normal => self.normal(last)?,
            FlowAction::Flood => self.flood(false, last)?,
            FlowAction::All => self.flood(true, last)?,
            FlowAction::Output(ofport) => self.output(ofport, last)?,
            FlowAction::InPort => self.output_in_port(last)?,
            FlowAction::SetTunnelId(id) => self.xlate.set_tunnel_id(id),
            FlowAction::LoadTunnelId(id) => self.xlate.load_tunnel_id(id),
            FlowAction::Change(change) => self.xlate.change(change),
            FlowAction::PushVlan(tpid) => self.xlate.push_vlan(tpid)?,
            FlowAction::PopVlan => self.xlate.pop_vlan(),
            FlowAction::SetVlanVid(vid) => self.xlate.set_vlan_vid(vid)?,
            FlowAction::SetVlanPcp(pcp) => self.xlate.set_vlan_pcp(pcp)?,
        }
        Ok(())
    }
}
