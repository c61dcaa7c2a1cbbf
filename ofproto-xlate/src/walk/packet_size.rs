//! `check_pkt_larger`: what follows in the list is done twice, once for larger packets and once for the others.

use odp_actions::{
    Action as Datapath,
    action::{CheckPktLen, CheckPktLenAttr},
};
use ofp_codec::{Action, Subfield};

use super::{Walk, Walked};

impl Walk<'_> {
    pub(super) fn check_packet_larger(&mut self, len: u16, dst: &Subfield, rest: &[Action]) -> Walked {
        let place = self.place_of(dst)?;
        let flow = self.flow;
        let stack = core::mem::take(&mut self.stack);
        let action_set = core::mem::take(&mut self.action_set);
        self.commit()?;
        let base = self.base;
        let (was_mpls, conntracked) = (self.was_mpls, self.conntracked);
        let branch = |walk: &mut Self, larger: u8| {
            walk.nested(|walk| {
                walk.flow.put(place, larger);
                walk.list(rest, true, false)?;
                if !walk.freezing.is_on {
                    walk.run_action_set()?;
                }
                if walk.freezing.is_on {
                    walk.finish_freezing()?;
                }
                Ok(())
            })
        };
        let greater = branch(self, 1)?;
        self.base = base;
        self.flow = flow;
        self.was_mpls = was_mpls;
        self.conntracked = conntracked;
        let exit = core::mem::replace(&mut self.exit, false);
        let less = branch(self, 0)?;
        self.was_mpls = was_mpls;
        self.conntracked = conntracked;
        self.exit = exit;
        self.base = base;
        self.flow = flow;
        self.stack = stack;
        self.action_set = action_set;
        self.actions.push(Datapath::CheckPktLen(CheckPktLen::new([
            CheckPktLenAttr::PktLen(len),
            CheckPktLenAttr::Greater(greater.into_iter().collect()),
            CheckPktLenAttr::LessEqual(less.into_iter().collect()),
        ])));
        Ok(())
    }
}
