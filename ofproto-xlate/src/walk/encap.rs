//! Headers that are put on and taken off: `encap`, `decap`.

use ofp_codec::{Encap, NshProperty, PacketType};

use super::{Walk, Walked};
use crate::{
    commit::{PT_MPLS, PT_MPLS_MC, PT_NSH},
    fields::{CFI, at},
    mpls,
    trace::{Failure, What},
    unknown::Unknown,
};

impl Walk<'_> {
    pub(super) fn encap(&mut self, encap: &Encap) -> Walked {
        self.commit()?;
        match encap {
            Encap::Ethernet => self.encap_ethernet(),
            Encap::Nsh(properties) => self.encap_nsh(properties),
            Encap::Mpls => self.encap_mpls(PT_MPLS),
            Encap::MplsMulticast => self.encap_mpls(PT_MPLS_MC),
            other => return Err(Unknown::Action(other.to_string().into())),
        }
        self.pending.encap = self.failure.is_none();
        Ok(())
    }

    fn encap_ethernet(&mut self) {
        self.mask.mask(at::PACKET_TYPE);
        let packet_type = self.flow.u32(at::PACKET_TYPE);
        if packet_type >> 16 == 1 {
            self.flow.clear(at::PACKET_TYPE);
            self.flow.clear(at::DL_SRC);
            self.flow.clear(at::DL_DST);
            self.flow.put(at::DL_TYPE, packet_type & 0xffff);
        } else {
            self.failure = Some(Failure::UnsupportedPacketType);
        }
    }

    fn encap_nsh(&mut self, properties: &[NshProperty]) {
        let mut md_type = 1;
        let mut options = Vec::new();
        for property in properties {
            match property {
                NshProperty::MdType(kind) => md_type = *kind,
                NshProperty::Tlv { class, kind, value } => {
                    options.extend(class.to_be_bytes());
                    options.push(*kind);
                    options.push(u8::try_from(value.len()).unwrap_or(u8::MAX));
                    options.extend(value);
                    options.resize(options.len().next_multiple_of(4), 0);
                }
                _ => {}
            }
        }
        let next: u8 = match self.flow.u32(at::PACKET_TYPE) {
            0 => 3,
            0x1_0800 => 1,
            0x1_86dd => 2,
            PT_NSH => 4,
            _ => {
                self.failure = Some(Failure::UnsupportedPacketType);
                return;
            }
        };
        self.mask.mask(at::PACKET_TYPE);
        self.flow.clear_words(at::L2..at::END);
        self.flow.put(at::PACKET_TYPE, PT_NSH);
        self.flow.put(at::DL_TYPE, crate::prerequisites::NSH);
        self.flow.put(at::NSH_TTL, 63_u8);
        self.flow.put(at::NSH_NP, next);
        self.flow.put(at::NSH_PATH, 255_u8);
        self.flow.put(at::NSH_MDTYPE, md_type & 0xf);
        self.pending.encap_data = if md_type == 2 && options.len() <= NSH_OPTIONS_MAX {
            options
        } else {
            Vec::new()
        };
    }

    fn encap_mpls(&mut self, packet_type: u32) {
        let count = mpls::count(&self.flow, &mut self.mask);
        if count >= at::MPLS.len() {
            self.failure = Some(Failure::TooManyMplsLabels);
            return;
        }
        self.mask.mask(at::PACKET_TYPE);
        if self.flow.u32(at::PACKET_TYPE) == 0 && self.flow.u16(at::DL_TYPE) == 0x8847 {
            for place in at::MPLS {
                self.mask.clear(place);
                self.flow.clear(place);
                self.base.clear(place);
            }
        }
        self.flow.put(at::PACKET_TYPE, packet_type);
        let [.., high, low] = packet_type.to_be_bytes();
        mpls::push(
            &mut self.flow,
            count,
            u16::from_be_bytes([high, low]),
            &mut self.mask,
            true,
        );
        self.flow.clear(at::DL_SRC);
        self.flow.clear(at::DL_DST);
    }

    /// `true`: the packet has to come back before it can be looked at.
    pub(super) fn decap(&mut self, new: Option<PacketType>) -> Walked<bool> {
        self.commit()?;
        match self.flow.u32(at::PACKET_TYPE) {
            0 => {
                if self.flow.u16(at::TCI[0]) & CFI != 0 {
                    self.failure = Some(Failure::UnsupportedPacketType);
                } else {
                    let eth_type = self.flow.u16(at::DL_TYPE);
                    self.flow.put(at::PACKET_TYPE, 0x1_0000 | u32::from(eth_type));
                    self.flow.clear(at::DL_SRC);
                    self.flow.clear(at::DL_DST);
                    self.mask.mask(at::DL_TYPE);
                }
                Ok(false)
            }
            PT_NSH => {
                let packet_type = match self.flow.u8(at::NSH_NP) {
                    3 => 0,
                    1 => 0x1_0800,
                    2 => 0x1_86dd,
                    4 => PT_NSH,
                    _ => {
                        self.failure = Some(Failure::UnsupportedPacketType);
                        return Ok(false);
                    }
                };
                self.flow.put(at::PACKET_TYPE, packet_type);
                self.mask.mask(at::NSH_NP);
                self.pending.decap = true;
                Ok(true)
            }
            PT_MPLS | PT_MPLS_MC => {
                let new = new.map_or(NEXT_PROTOCOL, |new| {
                    u32::from(new.namespace) << 16 | u32::from(new.kind)
                });
                self.flow.put(at::PACKET_TYPE, new);
                let eth_type = match u16::try_from(new & 0xffff).unwrap_or(0) {
                    0 => 0x6558,
                    eth_type => eth_type,
                };
                let count = mpls::count(&self.flow, &mut self.mask);
                if mpls::pop(&mut self.flow, count, eth_type, &mut self.mask) {
                    self.pending.decap = true;
                    return Ok(count == 1);
                }
                if count >= at::MPLS.len() {
                    self.failure = Some(Failure::TooManyMplsLabels);
                    self.actions.clear();
                }
                Ok(false)
            }
            _ => {
                self.failure = Some(Failure::UnsupportedPacketType);
                Ok(false)
            }
        }
    }

    pub(super) fn dec_nsh_ttl(&mut self) -> Walked<bool> {
        if self.flow.u32(at::PACKET_TYPE) == PT_NSH || self.flow.u16(at::DL_TYPE) == crate::prerequisites::NSH
        {
            self.mask.mask(at::NSH_TTL);
            if let ttl @ 2.. = self.flow.u8(at::NSH_TTL) {
                self.flow.put(at::NSH_TTL, ttl - 1);
                return Ok(false);
            }
            self.send_to_controller(u16::MAX, 2, 0, None, &[])?;
        }
        self.say(What::Note("NSH decrement TTL exception"));
        Ok(true)
    }
}

/// `PT_USE_NEXT_PROTO`.
const NEXT_PROTOCOL: u32 = 0xfffe;
const NSH_OPTIONS_MAX: usize = 248;
