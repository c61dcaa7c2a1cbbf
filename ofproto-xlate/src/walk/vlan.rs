//! Tags of the packet.

use super::Walk;
use crate::{
    commit::count_vlans,
    fields::{CFI, Place, at},
};

impl Walk<'_> {
    /// Sets the number or the priority of the outer tag; `pushes` one if there is none.
    pub(super) fn set_vlan(&mut self, tci: Place, value: u16, bits: u16, pushes: bool) {
        self.mask.mask_bits(tci, bits | CFI);
        let before = self.flow.u16(tci);
        if before & CFI != 0 || pushes {
            if self.flow.u16(at::TPID[0]) == 0 {
                self.flow.put(at::TPID[0], 0x8100_u16);
            }
            self.flow.put(tci, before & !bits | value & bits | CFI);
        }
    }

    pub(super) fn pop_vlan(&mut self) {
        let count = count_vlans(&self.flow);
        if count > 1 {
            self.mask.mask(at::VLAN[1]);
            let inner = self.flow.get_at(at::VLAN[1]);
            self.flow.put(at::VLAN[0], inner);
        }
        if count > 0 {
            self.flow.clear(at::VLAN[count - 1]);
        }
    }

    pub(super) fn push_vlan(&mut self, tpid: u16) {
        for tag in 0..count_vlans(&self.flow) {
            self.mask.mask(at::VLAN[tag]);
        }
        let outer = self.flow.get_at(at::VLAN[0]);
        self.flow.put(at::VLAN[1], outer);
        self.flow.put(at::TPID[0], tpid);
        self.flow.put(at::TCI[0], CFI);
    }
}
