//! Packets for controllers.

use odp_actions::{
    Action as Datapath, Actions,
    action::{Cookie, Sample, SampleAttr, Userspace, UserspaceAttr},
};

use super::{Walk, Walked};

impl Walk<'_> {
    /// `controller`: the packet, and a state to go on from, for whoever wants it.
    pub(super) fn send_to_controller(
        &mut self,
        max_len: u16,
        reason: u8,
        id: u16,
        meter: Option<u32>,
        userdata: &[u8],
    ) -> Walked {
        self.commit()?;
        let reason = if reason == REASON_ACTION && self.is_table_miss() {
            REASON_EXPLICIT_MISS
        } else {
            reason
        };
        let state = self.state_for_controller(userdata);
        let recirc_id = self.number_of(state);
        let cookie = Cookie::Controller {
            reason: reason.into(),
            dont_send: true,
            continuation: false,
            recirc_id,
            rule_cookie: self.cookie,
            controller_id: id,
            max_len,
        };
        let userspace = Datapath::Userspace(Userspace::new([
            UserspaceAttr::Pid(NO_SOCKET),
            UserspaceAttr::Userdata(cookie.into()),
        ]));
        let meter = meter.or(self.bridge_ref().config.controller_meter);
        self.actions.push(match meter {
            None => userspace,
            Some(meter) => Datapath::Sample(Sample::new([
                SampleAttr::Probability(u32::MAX),
                SampleAttr::Actions(Actions::from_iter([Datapath::Meter(meter), userspace])),
            ])),
        });
        Ok(())
    }

    /// Whether the flow is one of priority 0 that matches everything.
    fn is_table_miss(&self) -> bool {
        self.rule.is_some_and(|(bridge, index)| {
            let flow = &self.switch.bridges[bridge].config.flows[index];
            flow.priority == 0 && flow.matches.0.is_empty()
        })
    }
}

const REASON_ACTION: u8 = 1;
const REASON_EXPLICIT_MISS: u8 = 6;
/// The dummy datapath has no sockets; a kernel's differ from port to port.
const NO_SOCKET: u32 = 0;
