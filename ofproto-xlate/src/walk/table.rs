//! Look-ups in flow tables, and how deep they may go.

use ofp_codec::Action;

use super::{MAX_DEPTH, MAX_RESUBMITS, Walk, Walked, clone::Lists};
use crate::{
    fields::{Fields, at},
    prerequisites::{IPV4, is_ip},
    trace::{Failure, What},
};

impl Walk<'_> {
    /// The actions of the flow that the packet takes in a table, `port` being its port of entry for the look-up.
    pub(super) fn look_up(
        &mut self,
        table: u8,
        port: u16,
        may_packet_in: bool,
        honours_miss: bool,
    ) -> Walked<Vec<Action>> {
        let bridge = self.bridge_ref();
        let before = self.flow;
        if self.flow.u8(at::NW_FRAG) & 1 != 0 {
            self.flow.clear(at::TP);
        }
        self.flow.put(at::IN_PORT, port);
        let found = match bridge.table(table) {
            Some(table) => match &table.unknown {
                Some(unknown) => Err(unknown.clone()),
                None => Ok(table
                    .classifier
                    .find(&mut self.flow, &mut self.mask)
                    .map(|entry| table.flows[entry as usize])),
            },
            None => Ok(None),
        };
        self.flow.set_at(at::TP, before.get_at(at::TP), u128::MAX);
        self.flow
            .set_at(at::IN_PORT, before.get_at(at::IN_PORT), u128::MAX);
        // What a table does with what it has no flow for is not in a dump; without controllers it is dropped.
        let _ = (may_packet_in, honours_miss);
        Ok(match found? {
            Some(index) => {
                self.rule = Some((self.bridge, index));
                let flow = &bridge.config.flows[index];
                self.say(What::Flow {
                    table,
                    priority: flow.priority,
                    cookie: flow.cookie,
                    matches: flow.matches.to_string().into(),
                });
                flow.actions.clone()
            }
            None => {
                self.rule = None;
                self.say(What::Miss(table));
                Vec::new()
            }
        })
    }

    /// `resubmit`, `goto_table` with `is_goto`, and what a packet meets behind a port.
    pub(super) fn table_action(
        &mut self,
        port: u16,
        table: u8,
        is_goto: bool,
        swaps_ct: bool,
        last: bool,
        lists: Lists,
    ) -> Walked {
        if self.was_mpls {
            self.freeze();
            return Ok(());
        }
        if !self.may_go_deeper() {
            return Ok(());
        }
        let old_table = core::mem::replace(&mut self.table, table);
        if swaps_ct && (self.flow.u8(at::CT_NW_PROTO) == 0 || !is_ip(&self.flow)) {
            self.say(What::Note("resubmit(ct) with non-tracked or non-IP packet!"));
            self.table = old_table;
            return Ok(());
        }
        if swaps_ct {
            self.swap_tuples();
        }
        let (old_rule, old_cookie) = (self.rule, self.cookie);
        let list = self.look_up(table, port, is_goto, is_goto);
        if swaps_ct {
            self.swap_tuples();
        }
        let list = list?;
        let deepens = u32::from(table <= old_table);
        self.resubmits += 1;
        self.depth += deepens;
        self.nesting += 1;
        if let Some((bridge, index)) = self.rule {
            self.cookie = self.switch.bridges[bridge].config.flows[index].cookie;
        }
        let result = match lists {
            Lists::Plain => self.list(&list, last, false),
            Lists::Copied => self.copy(&list, last),
        };
        self.nesting -= 1;
        self.depth -= deepens;
        (self.rule, self.cookie) = (old_rule, old_cookie);
        self.table = old_table;
        result
    }

    /// Whether the limits let the packet go into another table (`xlate_resubmit_resource_check`).
    pub(super) fn may_go_deeper(&mut self) -> bool {
        if self.depth >= MAX_DEPTH {
            self.failure = Some(Failure::RecursionTooDeep);
        } else if self.resubmits >= MAX_RESUBMITS {
            self.failure = Some(Failure::TooManyResubmits);
        } else if self.size() > usize::from(u16::MAX) {
            self.say(What::Note("resubmits yielded over 64 kB of actions"));
            self.exit = true;
        } else if self.stack_bytes() >= 65_536 {
            self.failure = Some(Failure::StackTooDeep);
        } else {
            return true;
        }
        false
    }

    /// Swaps the packet's addresses for those of its connection.
    fn swap_tuples(&mut self) {
        let is_ipv4 = self.flow.u16(at::DL_TYPE) == IPV4;
        for fields in [&mut self.flow, &mut self.mask] {
            swap(fields, is_ipv4);
        }
    }
}

fn swap(fields: &mut Fields, is_ipv4: bool) {
    let addresses = match is_ipv4 {
        true => [(at::NW_SRC, at::CT_NW_SRC), (at::NW_DST, at::CT_NW_DST)],
        false => [(at::IPV6_SRC, at::CT_IPV6_SRC), (at::IPV6_DST, at::CT_IPV6_DST)],
    };
    let others = [
        (at::NW_PROTO, at::CT_NW_PROTO),
        (at::TP_SRC, at::CT_TP_SRC),
        (at::TP_DST, at::CT_TP_DST),
    ];
    for (one, other) in addresses.into_iter().chain(others) {
        let (first, second) = (fields.get_at(one), fields.get_at(other));
        fields.put(one, second);
        fields.put(other, first);
    }
}
