//! Mirrors: copies of packets that come in on some ports or leave by them (`mirror_packet`).

use ofp_codec::Action;

use super::{Walk, Walked, normal::Tags};
use crate::{
    config::{Mirror, MirrorOutput},
    fields::{CFI, Fields, Place, at},
    prerequisites::{self, IPV4, LATER, is_ip},
};

impl Walk<'_> {
    /// Copies what comes in.
    pub(super) fn mirror_ingress(&mut self) -> Walked {
        let bridge = self.bridge_ref();
        if bridge.config.mirrors.is_empty() {
            return Ok(());
        }
        match bridge.bundle(self.flow.u16_port()) {
            Some(bundle) => self.mirror(bundle, |mirror, name| {
                mirror.select_all || mirror.sources.iter().any(|source| **source == *name)
            }),
            None => Ok(()),
        }
    }

    /// Copies what has left by a port.
    pub(super) fn mirror_output(&mut self, port: u16) -> Walked {
        let bridge = self.bridge_ref();
        if bridge.config.mirrors.is_empty() {
            return Ok(());
        }
        match bridge.bundle(port) {
            Some(bundle) => self.mirror(bundle, |mirror, name| {
                mirror.select_all
                    || mirror
                        .destinations
                        .iter()
                        .any(|destination| **destination == *name)
            }),
            None => Ok(()),
        }
    }

    /// Whether a port takes nothing but copies.
    pub(super) fn is_mirror_output(&self, port: u16) -> bool {
        self.bridge_ref()
            .bundle(port)
            .is_some_and(|bundle| self.is_reserved_for_mirrors(bundle))
    }

    pub(super) fn is_reserved_for_mirrors(&self, bundle: usize) -> bool {
        let config = &self.bridge_ref().config;
        let name = &config.bundles[bundle].name;
        config
            .mirrors
            .iter()
            .any(|mirror| matches!(&mirror.output, MirrorOutput::Port(output) if output == name))
    }

    fn mirror(&mut self, bundle: usize, selects: impl Fn(&Mirror, &str) -> bool) -> Walked {
        let bridge = self.bridge_ref();
        let config = &bridge.config.bundles[bundle];
        let tags = Tags::of(&self.flow);
        if !config.accepts(tags.vid()) {
            return Ok(());
        }
        let tags = tags.received_by(Some(config));
        let mirrors = &bridge.config.mirrors;
        let mut waiting: Vec<usize> = (0..mirrors.len())
            .filter(|number| self.mirrors >> number & 1 == 0 && selects(&mirrors[*number], &config.name))
            .collect();
        if waiting.len() > 1 {
            return Err(self.unknown_bridge("the order of several mirrors"));
        }
        while let Some(number) = waiting.pop() {
            let mirror = &mirrors[number];
            if !mirror.vlans.is_empty() {
                self.mask.mask_bits(at::TCI[0], 0xfff | CFI);
                if !mirror.vlans.contains(&tags.vid()) {
                    continue;
                }
            }
            if mirror.has_filter {
                return Err(self.unknown_bridge("the filter of a mirror"));
            }
            // All that have this output have their copy now.
            for (other, config) in mirrors.iter().enumerate() {
                if config.output == mirror.output {
                    self.mirrors |= 1 << other;
                }
            }
            self.snaplen = mirror.snaplen;
            match &mirror.output {
                MirrorOutput::Port(name) => {
                    if let Some(out) = bridge
                        .config
                        .bundles
                        .iter()
                        .position(|bundle| bundle.name == *name)
                    {
                        self.output_normal(out, tags, false)?;
                    }
                }
                MirrorOutput::Vlan(vlan) => {
                    if tags.vid() != *vlan && !super::normal::is_reserved(self.flow.u64(at::DL_DST)) {
                        let tags = tags.with_vid(*vlan);
                        for out in 0..bridge.config.bundles.len() {
                            if bridge.config.bundles[out].includes(&tags)
                                && !self.is_reserved_for_mirrors(out)
                            {
                                self.output_normal(out, tags, false)?;
                            }
                        }
                    }
                }
            }
            self.snaplen = 0;
        }
        Ok(())
    }

    /// Whether mirrors see a new packet behind the action (`reset_mirror_ctx`).
    pub(super) fn changes_packet(&self, action: &Action, but_metadata: bool) -> bool {
        let flow = &self.flow;
        match action {
            Action::StripVlan
            | Action::PopVlan
            | Action::PushVlan(_)
            | Action::ModDlSrc(_)
            | Action::ModDlDst(_)
            | Action::PushMpls(_)
            | Action::PopMpls(_)
            | Action::SetMplsLabel(_)
            | Action::SetMplsTc(_)
            | Action::SetMplsTtl(_)
            | Action::DecMplsTtl
            | Action::DecNshTtl
            | Action::DecTtl(_)
            | Action::ModVlanVid(_)
            | Action::SetVlanVid(_)
            | Action::ModVlanPcp(_)
            | Action::SetVlanPcp(_)
            | Action::Encap(_)
            | Action::Decap(_)
            | Action::Nat(_) => true,
            Action::SetField { field, .. } => changes_field(flow, *field, but_metadata),
            Action::Load { dst, .. } => dst
                .field()
                .is_some_and(|field| changes_field(flow, field, but_metadata)),
            Action::ModNwSrc(_) | Action::ModNwDst(_) => flow.u16(at::DL_TYPE) == IPV4,
            Action::ModNwTos(_) | Action::ModNwEcn(_) | Action::ModNwTtl(_) => is_ip(flow),
            Action::ModTpSrc(_) | Action::ModTpDst(_) => is_ip(flow) && flow.u8(at::NW_FRAG) & LATER == 0,
            _ => false,
        }
    }
}

/// Options of tunnels are no part of the packet; since 49a249fb2 no metadata is.
fn changes_field(flow: &Fields, field: ofp_codec::Field, but_metadata: bool) -> bool {
    let is_metadata = match crate::fields::place(field) {
        Place::Option(_) => true,
        Place::Bits { word, .. } | Place::Wide(word) | Place::Across { word, .. } => {
            but_metadata && word < at::L2
        }
    };
    !is_metadata && prerequisites::hold(field, flow)
}
