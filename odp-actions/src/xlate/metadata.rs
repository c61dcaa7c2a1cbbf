//! What goes with a packet and is no header of it: the mark, and the tunnel fields that flows set.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::{Change, TunnelPort, Xlate};
use crate::key::Gbp;

/// The tunnel fields that flows set (`tun_id`, `tun_gbp_id`, `tun_metadata0` ..). A packet that comes from a tunnel has some
/// from there, which is not modelled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TunnelFields {
    /// `tun_id`.
    pub id: u64,
    /// `tun_gbp_id` and `tun_gbp_flags`, which VXLAN carries; 0 is not written.
    pub gbp: Gbp,
    /// Geneve options by the number N of `tun_metadataN`, which is their order.
    pub options: BTreeMap<u8, GeneveField>,
}

impl TunnelFields {
    /// A tunnel id, and nothing else.
    pub fn of_id(id: u64) -> Self {
        Self {
            id,
            ..Self::default()
        }
    }
}

/// A Geneve option that a switch maps to a field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GeneveField {
    /// Class.
    pub class: u16,
    /// Type.
    pub kind: u8,
    /// Data, a multiple of 4 bytes.
    pub data: Vec<u8>,
}

/// What a packet has with it.
#[derive(Clone, Debug, Default)]
pub(super) struct Metadata {
    pub(super) fields: TunnelFields,
    pub(super) mark: u32,
}

impl Metadata {
    /// What the bridge behind a patch port sees of it.
    pub(super) fn behind_patch(&self) -> Self {
        Self {
            fields: TunnelFields::default(),
            mark: self.mark,
        }
    }
}

impl Xlate {
    /// The tunnel fields, to set them. Mirrors take that for a [change](Xlate::change) of the packet.
    pub fn tunnel_fields(&mut self) -> &mut TunnelFields {
        &mut self.metadata.fields
    }

    /// `set_field:MARK->pkt_mark`.
    pub fn set_mark(&mut self, mark: u32) {
        self.change(Change::Register);
        self.metadata.mark = mark;
    }

    /// Makes ready for an output to a tunnel.
    pub(super) fn enter_tunnel(&mut self, tunnel: &TunnelPort) {
        let is_ordered = self.certainty.order_of_marks.is_none();
        if self.forget_other_fields() && !is_ordered {
            self.certainty.is_unknown = true;
        }
        let Some(mark) = tunnel.egress_mark else {
            return;
        };
        if let Some(marks) = &mut self.certainty.order_of_marks {
            // In another order another port may be the last to set it.
            let is_pending = self.metadata.mark != self.committed_mark;
            self.certainty.is_unknown |= is_pending || marks.is_some_and(|other| other != mark);
            *marks = Some(mark);
        }
        self.metadata.mark = mark;
    }

    /// Open vSwitch compares all tunnel fields with those that it wrote last, also those that an encapsulation does not
    /// carry, and writes a key again if one differs. Says whether one does.
    pub(super) fn forget_other_fields(&mut self) -> bool {
        let (now, before) = (&self.metadata.fields, &self.committed_fields);
        let differs = (now.gbp, &now.options) != (before.gbp, &before.options);
        if differs {
            self.committed_fields.clone_from(&self.metadata.fields);
            self.committed_tunnel = None;
            self.certainty.forget_tunnels();
        }
        differs
    }

    /// Gives a packet back what it had before a bucket or a patch port. If that is another mark, whatever comes next
    /// commits it, and in an open order that can be nothing or anything.
    pub(super) fn restore(&mut self, before: Metadata) {
        let is_ordered = self.certainty.order_of_marks.is_none();
        self.certainty.is_unknown |= !is_ordered && self.metadata.mark != before.mark;
        self.metadata = before;
    }
}
