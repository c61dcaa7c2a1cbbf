//! OpenFlow actions, as far as they decide sizes.

use super::{Forwarding, Unpredictable};

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
    /// `push_vlan:TPID`.
    PushVlan(u16),
    /// `pop_vlan`.
    PopVlan,
    /// `mod_vlan_vid:VID`.
    SetVlanVid(u16),
    /// `mod_vlan_pcp:PCP`.
    SetVlanPcp(u8),
}

impl Forwarding<'_> {
    /// Carries out one action.
    ///
    /// # Errors
    /// [`Unpredictable`]: what it becomes is not known.
    pub fn apply(&mut self, action: FlowAction) -> Result<(), Unpredictable> {
        match action {
            FlowAction::Normal => self.normal()?,
            FlowAction::Flood => self.flood(false)?,
            FlowAction::All => self.flood(true)?,
            FlowAction::Output(ofport) => self.output(ofport)?,
            FlowAction::InPort => self.output_in_port()?,
            FlowAction::SetTunnelId(id) => self.xlate.set_tunnel_id(id),
            FlowAction::PushVlan(tpid) => self.xlate.push_vlan(tpid)?,
            FlowAction::PopVlan => self.xlate.pop_vlan(),
            FlowAction::SetVlanVid(vid) => self.xlate.set_vlan_vid(vid)?,
            FlowAction::SetVlanPcp(pcp) => self.xlate.set_vlan_pcp(pcp)?,
        }
        Ok(())
    }
}
