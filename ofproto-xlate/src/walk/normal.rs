//! NORMAL: a switch that learns addresses, with VLANs (`xlate_normal`).

use super::{Walk, Walked};
use crate::{
    config::{Bundle, NO_PORT, PriorityTags, VlanMode},
    fields::{CFI, Fields, at},
    prerequisites::{ARP, is_vlan},
    trace::What,
};

/// The tags of a packet inside of the switch, from the outside: number, priority (in place), EtherType.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tags([Tag; 2]);

#[derive(Clone, Copy, Debug, Default)]
struct Tag {
    tpid: u16,
    vid: u16,
    pcp: u16,
}

impl Tags {
    pub(super) fn of(flow: &Fields) -> Self {
        let mut tags = Self::default();
        for (n, tag) in tags.0.iter_mut().enumerate() {
            let (tpid, tci) = (flow.u16(at::TPID[n]), flow.u16(at::TCI[n]));
            if !is_vlan(tpid) || tci & CFI == 0 {
                break;
            }
            *tag = Tag {
                tpid,
                vid: tci & 0xfff,
                pcp: tci & 0xe000,
            };
        }
        tags
    }

    fn pop(&mut self) {
        self.0 = [self.0[1], Tag::default()];
    }

    fn write(&self, flow: &mut Fields, tags: PriorityTags) {
        for (n, tag) in self.0.iter().enumerate() {
            let mut tci = tag.vid | tag.pcp;
            if tci != 0 || tags == PriorityTags::Always && tag.tpid != 0 {
                tci |= CFI;
                flow.put(at::TPID[n], if tag.tpid == 0 { VLAN } else { tag.tpid });
            }
            flow.put(at::TCI[n], tci);
        }
    }

    /// The outer VLAN.
    pub(super) fn vid(&self) -> u16 {
        self.0[0].vid
    }

    pub(super) fn with_vid(mut self, vid: u16) -> Self {
        self.0[0].vid = vid;
        self
    }

    /// What a packet of these tags is inside of the switch.
    pub(super) fn received_by(self, bundle: Option<&Bundle>) -> Self {
        let Some(bundle) = bundle else { return self };
        let own = |tag: Tag| Tag {
            tpid: if tag.tpid == 0 { VLAN } else { tag.tpid },
            vid: bundle.tag,
            pcp: tag.pcp,
        };
        match bundle.mode {
            VlanMode::Access => Self([own(self.0[0]), Tag::default()]),
            VlanMode::Trunk => self,
            VlanMode::NativeTagged | VlanMode::NativeUntagged if self.0[0].vid == 0 => {
                Self([own(self.0[0]), self.0[1]])
            }
            VlanMode::NativeTagged | VlanMode::NativeUntagged => self,
            VlanMode::Dot1qTunnel => Self([
                Tag {
                    tpid: bundle.qinq_ethtype,
                    vid: bundle.tag,
                    pcp: 0,
                },
                self.0[0],
            ]),
        }
    }

    /// What leaves the switch by this port.
    fn sent_by(mut self, bundle: &Bundle) -> Self {
        match bundle.mode {
            VlanMode::Access => Self::default(),
            VlanMode::Trunk | VlanMode::NativeTagged => self,
            VlanMode::NativeUntagged => {
                if self.0[0].vid == bundle.tag {
                    self.pop();
                }
                self
            }
            VlanMode::Dot1qTunnel => {
                self.pop();
                self
            }
        }
    }
}

impl Bundle {
    /// Whether packets with this tag may come in.
    pub(super) fn accepts(&self, vid: u16) -> bool {
        match self.mode {
            VlanMode::Access => vid == 0,
            VlanMode::NativeTagged | VlanMode::NativeUntagged => vid == 0 || self.trunks_vlan(vid),
            VlanMode::Trunk => self.trunks_vlan(vid),
            VlanMode::Dot1qTunnel => self.allows_cvlan(vid),
        }
    }

    pub(super) fn includes(&self, tags: &Tags) -> bool {
        let [outer, inner] = tags.0;
        match self.mode {
            VlanMode::Access => outer.vid == self.tag && inner.vid == 0,
            VlanMode::Trunk | VlanMode::NativeTagged | VlanMode::NativeUntagged => {
                self.trunks_vlan(outer.vid)
            }
            VlanMode::Dot1qTunnel => outer.vid == self.tag && self.allows_cvlan(inner.vid),
        }
    }
}

impl Walk<'_> {
    pub(super) fn normal(&mut self, last: bool) -> Walked {
        self.mask.mask(at::DL_SRC);
        self.mask.mask(at::DL_DST);
        self.mask.mask_bits(at::TCI[0], 0xfff | CFI);
        let bridge = self.bridge_ref();
        let number = self.flow.u16_port();
        let in_bundle = bridge.bundle(number);
        let in_config = in_bundle.map(|bundle| &bridge.config.bundles[bundle]);
        if in_config.is_none() && !matches!(number, NO_PORT | CONTROLLER) {
            self.say(What::Note("no input bundle, dropping"));
            return Ok(());
        }
        if in_config.is_some_and(|bundle| bundle.bond.is_some()) {
            return Err(self.unknown_port(number, "packets that come in on a bond".into()));
        }
        if let Some(why) = in_config.and_then(|bundle| bundle.unmodelled) {
            return Err(self.unknown_port(number, why.into()));
        }
        if is_vlan(self.flow.u16(at::DL_TYPE)) && self.flow.u16(at::TCI[0]) & CFI == 0 {
            self.say(What::Note("partial VLAN tag, dropping"));
            return Ok(());
        }
        if in_bundle.is_some_and(|bundle| self.is_reserved_for_mirrors(bundle)) {
            self.say(What::Note("input port is mirror output port, dropping"));
            return Ok(());
        }
        let tags = Tags::of(&self.flow);
        if in_config.is_some_and(|bundle| !bundle.accepts(tags.0[0].vid)) {
            self.say(What::Note("disallowed VLAN VID for this input port, dropping"));
            return Ok(());
        }
        let tags = tags.received_by(in_config);
        let dst = self.flow.u64(at::DL_DST);
        if in_config.is_some() && !bridge.config.forward_bpdu && is_reserved(dst) {
            self.say(What::Note("packet has reserved destination MAC, dropping"));
            return Ok(());
        }
        self.look_for_gratuitous_arp();
        let vlan = tags.0[0].vid;
        let is_multicast = dst >> 40 & 1 == 1;
        let learns = !is_multicast && !bridge.config.flood_vlans.contains(&vlan);
        let learned = bridge.macs.get(&(dst, vlan)).copied().filter(|_| learns);
        let Some(port) = learned else {
            self.say(What::Note("no learned MAC for destination, flooding"));
            return self.flood_vlan(in_bundle, tags, last);
        };
        match bridge.bundle(port) {
            None => self.say(What::Note("learned port is unknown, dropping")),
            found if found == in_bundle => self.say(What::Note("learned port is input port, dropping")),
            Some(bundle) if self.is_reserved_for_mirrors(bundle) => {
                self.say(What::Note("learned port is a mirror port, dropping"));
            }
            Some(bundle) => {
                self.say(What::Note("forwarding to learned port"));
                self.output_normal(bundle, tags, last && self.switch.rules.clones_by_result)?;
            }
        }
        Ok(())
    }

    fn flood_vlan(&mut self, in_bundle: Option<usize>, tags: Tags, last: bool) -> Walked {
        let bridge = self.bridge_ref();
        let targets: Vec<usize> = (0..bridge.config.bundles.len())
            .filter(|bundle| Some(*bundle) != in_bundle && bridge.config.bundles[*bundle].includes(&tags))
            .filter(|bundle| !self.is_reserved_for_mirrors(*bundle))
            .filter(|bundle| {
                let ports = &bridge.config.bundles[*bundle].ports;
                ports
                    .iter()
                    .all(|port| bridge.port(*port).is_none_or(|port| !port.no_flood))
            })
            .collect();
        if targets.len() > 1 && !bridge.config.in_order_of_addition {
            return Err(self.unknown_bridge("the order of ports in a flood was not given"));
        }
        for (n, bundle) in targets.iter().enumerate() {
            let is_last = last && self.switch.rules.clones_by_result && n + 1 == targets.len();
            self.output_normal(*bundle, tags, is_last)?;
        }
        Ok(())
    }

    pub(super) fn output_normal(&mut self, bundle: usize, tags: Tags, last: bool) -> Walked {
        let bridge = self.bridge_ref();
        let config = &bridge.config.bundles[bundle];
        if config.mode == VlanMode::Dot1qTunnel && !config.cvlans.is_empty() {
            self.mask.mask(at::TCI[1]);
        }
        let mut out = tags.sent_by(config);
        if config.priority_tags != PriorityTags::Never {
            out.0[0].pcp = self.flow.u16(at::TCI[0]) & 0xe000;
        }
        let port = match (&config.ports[..], &config.bond) {
            ([], _) => return Ok(()),
            ([port], None) => *port,
            // Nothing leaves by a bond without a member that is enabled.
            (_, Some(bond)) if bond.enabled.is_empty() => return Ok(()),
            (_, Some(bond)) if bond.is_active_backup && bond.active.is_some() => {
                bond.active.unwrap_or_default()
            }
            ([port, ..], _) => return Err(self.unknown_port(*port, "a member of a bond".into())),
        };
        if let Some(why) = config.unmodelled {
            return Err(self.unknown_port(port, why.into()));
        }
        let before = self.flow.get_at(at::VLANS);
        out.write(&mut self.flow, config.priority_tags);
        self.send(port, true, last, false)?;
        self.flow.put(at::VLANS, before);
        Ok(())
    }

    /// What is looked at to know whether an ARP packet tells of a move (`is_gratuitous_arp`).
    fn look_for_gratuitous_arp(&mut self) {
        if self.flow.u16(at::DL_TYPE) != ARP {
            return;
        }
        self.mask.mask(at::DL_DST);
        if self.flow.u64(at::DL_DST) != BROADCAST {
            return;
        }
        self.mask.mask(at::NW_PROTO);
        if self.flow.u8(at::NW_PROTO) == 1 {
            self.mask.mask(at::NW_SRC);
            self.mask.mask(at::NW_DST);
        }
    }
}

/// 01:80:c2:00:00:00 to 01:80:c2:00:00:0f, and those of other vendors' link protocols (`eth_addr_is_reserved`).
pub(super) fn is_reserved(mac: u64) -> bool {
    mac & !0xf == 0x0180_c200_0000 || RESERVED.contains(&mac)
}

const BROADCAST: u64 = 0xffff_ffff_ffff;
const CONTROLLER: u16 = super::list::CONTROLLER;
const VLAN: u16 = 0x8100;
/// Extreme's and Cisco's.
const RESERVED: [u64; 8] = [
    0x00e0_2b00_0000,
    0x00e0_2b00_0004,
    0x00e0_2b00_0006,
    0x0100_0c00_0000,
    0x0100_0ccc_cccc,
    0x0100_0ccc_cccd,
    0x0100_0ccd_cdcd,
    0x0100_0cff_ffff,
];
