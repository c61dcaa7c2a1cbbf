//! VLAN tags, and what the ports of a bridge do with them.

use alloc::vec::Vec;

use super::{Unpredictable, Vlan};
use crate::PushVlan;

/// A tag of a packet. What is not known of it is as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tag {
    pub(super) tpid: u16,
    pub(super) vid: Option<u16>,
    pub(super) pcp: Option<u8>,
}

impl Tag {
    /// The 802.1Q tag that a packet came with.
    pub(super) const fn received(vlan: Vlan) -> Self {
        Self {
            tpid: DOT1Q,
            vid: vlan.vid,
            pcp: vlan.pcp,
        }
    }

    pub(super) const fn new(tpid: u16, vid: u16, pcp: u8) -> Self {
        Self {
            tpid,
            vid: Some(vid),
            pcp: Some(pcp),
        }
    }

    /// The action that adds it, with 0 for what is not known.
    pub(super) fn push(self) -> PushVlan {
        PushVlan {
            tpid: self.tpid,
            ..PushVlan::new(self.vid.unwrap_or(0), self.pcp.unwrap_or(0))
        }
    }

    /// Whether Open vSwitch takes it for no tag: it asks for the bits of VLAN id and priority.
    fn is_empty(self) -> Result<bool, Unpredictable> {
        match (self.vid, self.pcp) {
            (Some(0), None) | (None, _) => Err(Unpredictable::Tag),
            (vid, pcp) => Ok((vid, pcp) == (Some(0), Some(0))),
        }
    }
}

/// How a port takes part in VLANs: `vlan_mode`, `tag`, `trunks` and `cvlans` of its row.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VlanMode {
    /// `access`: packets of this VLAN, without its tag.
    Access(u16),
    /// `trunk`: packets of these VLANs, with their tags. No VLANs are all of them.
    Trunk(Vec<u16>),
    /// `native-tagged`: as a trunk, and untagged packets that come in are of the first VLAN.
    NativeTagged(u16, Vec<u16>),
    /// `native-untagged`: as native-tagged, and packets of that VLAN go out untagged.
    NativeUntagged(u16, Vec<u16>),
    /// `dot1q-tunnel`: packets of this VLAN, which keep the tags (of these VLANs) that they came with.
    Dot1qTunnel {
        /// The VLAN outside.
        vlan: u16,
        /// `cvlans`; none are all.
        customers: Vec<u16>,
        /// `other_config:qinq-ethtype`, 0x88a8 unless it says `802.1q`.
        tpid: u16,
    },
}

impl VlanMode {
    /// A port without settings.
    pub const TRUNK: Self = Self::Trunk(Vec::new());

    /// What the columns `vlan_mode`, `tag`, `trunks`, `cvlans` and `other_config:qinq-ethtype` of a row of table Port mean
    /// together.
    pub fn of_port(
        mode: Option<&str>,
        tag: Option<u16>,
        trunks: Vec<u16>,
        customers: Vec<u16>,
        qinq: Option<&str>,
    ) -> Self {
        let vlan = tag.unwrap_or(0);
        match (mode, tag) {
            (Some("access"), _) | (None, Some(_)) => Self::Access(vlan),
            (Some("native-tagged"), _) => Self::NativeTagged(vlan, trunks),
            (Some("native-untagged"), _) => Self::NativeUntagged(vlan, trunks),
            (Some("dot1q-tunnel"), _) => Self::Dot1qTunnel {
                vlan,
                customers,
                tpid: if qinq == Some("802.1q") { DOT1Q } else { DOT1AD },
            },
            _ => Self::Trunk(trunks),
        }
    }

    /// The VLAN ids that it names.
    pub(super) fn named(&self) -> impl Iterator<Item = u16> + '_ {
        let (vlan, others) = match self {
            Self::Access(vlan) => (Some(*vlan), &[][..]),
            Self::Trunk(trunks) => (None, &trunks[..]),
            Self::NativeTagged(vlan, trunks) | Self::NativeUntagged(vlan, trunks) => {
                (Some(*vlan), &trunks[..])
            }
            Self::Dot1qTunnel { vlan, customers, .. } => (Some(*vlan), &customers[..]),
        };
        vlan.into_iter().chain(others.iter().copied())
    }

    /// Whether a packet whose outermost tag has this VLAN id (0 without a tag) may come in.
    pub(super) fn admits(&self, vid: u16) -> bool {
        match self {
            Self::Access(_) => vid == 0,
            Self::NativeTagged(..) | Self::NativeUntagged(..) => vid == 0 || self.trunks(vid),
            Self::Trunk(_) => self.trunks(vid),
            Self::Dot1qTunnel { customers, .. } => is_in(customers, vid),
        }
    }

    /// Whether packets go out that have these tags inside the bridge.
    pub(super) fn carries(&self, inside: &Inside) -> Result<bool, Unpredictable> {
        let [outer, inner] = inside.vids()?;
        Ok(match self {
            Self::Access(vlan) => outer == *vlan && inner == 0,
            Self::Dot1qTunnel { vlan, customers, .. } => outer == *vlan && is_in(customers, inner),
            _ => self.trunks(outer),
        })
    }

    /// A native VLAN is always carried, and then no packets without one.
    fn trunks(&self, vid: u16) -> bool {
        match self {
            Self::Trunk(trunks) => is_in(trunks, vid),
            Self::NativeTagged(vlan, trunks) | Self::NativeUntagged(vlan, trunks) => match vid {
                _ if *vlan == 0 => is_in(trunks, vid),
                0 => false,
                vid => vid == *vlan || is_in(trunks, vid),
            },
            Self::Access(_) | Self::Dot1qTunnel { .. } => false,
        }
    }

    /// The tags that a packet has inside the bridge, of those that it came with.
    pub(super) fn enter(&self, received: Inside) -> Result<Inside, Unpredictable> {
        let [outer, inner] = received.0;
        let native = |vlan| {
            let tpid = if outer.tpid == 0 { DOT1Q } else { outer.tpid };
            Tag {
                tpid,
                vid: Some(vlan),
                pcp: outer.pcp,
            }
        };
        Ok(Inside(match self {
            Self::Access(vlan) => [native(*vlan), NONE],
            Self::NativeTagged(vlan, _) | Self::NativeUntagged(vlan, _) if received.vids()?[0] == 0 => {
                [native(*vlan), inner]
            }
            Self::Dot1qTunnel { vlan, tpid, .. } => [Tag::new(*tpid, *vlan, 0), outer],
            _ => [outer, inner],
        }))
    }

    /// The tags with which a packet leaves.
    pub(super) fn leave(&self, inside: Inside) -> Result<Inside, Unpredictable> {
        let [outer, inner] = inside.0;
        Ok(Inside(match self {
            Self::Access(_) => [NONE, NONE],
            Self::NativeUntagged(vlan, _) if inside.vids()?[0] == *vlan => [inner, NONE],
            Self::Dot1qTunnel { .. } => [inner, NONE],
            _ => [outer, inner],
        }))
    }
}

/// `other_config:priority-tags` of a port: tags without a VLAN that keep a packet's priority.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PriorityTags {
    /// None.
    #[default]
    Never,
    /// `true` or `if-nonzero`: if there is a priority to keep.
    IfNonZero,
    /// `always`: also a tag of nothing but zeros stays.
    Always,
}

impl PriorityTags {
    /// What the text in the database means.
    pub fn of_text(text: &str) -> Self {
        match text {
            "true" | "if-nonzero" => Self::IfNonZero,
            "always" => Self::Always,
            _ => Self::Never,
        }
    }
}

/// The two outermost tags of a packet as a bridge handles it, the outermost first. One that is not there is all zeros.
#[derive(Clone, Copy, Debug)]
pub(super) struct Inside(pub(super) [Tag; 2]);

impl Inside {
    /// Of tags with the innermost first.
    pub(super) fn of(tags: &[Tag]) -> Self {
        let mut outer = tags.iter().rev().copied();
        Self([(); 2].map(|()| outer.next().unwrap_or(NONE)))
    }

    /// The VLAN ids.
    pub(super) fn vids(&self) -> Result<[u16; 2], Unpredictable> {
        let [outer, inner] = self.0.map(|tag| tag.vid.ok_or(Unpredictable::Tag));
        Ok([outer?, inner?])
    }

    /// The tags that are written, the innermost first.
    pub(super) fn tags(&self, priority: PriorityTags) -> Result<Vec<Tag>, Unpredictable> {
        let mut tags = Vec::new();
        for tag in self.0 {
            let is_kept = priority == PriorityTags::Always && tag.tpid != 0;
            if !is_kept && tag.is_empty()? {
                break;
            }
            let tpid = if tag.tpid == 0 { DOT1Q } else { tag.tpid };
            tags.insert(0, Tag { tpid, ..tag });
        }
        Ok(tags)
    }
}

fn is_in(vlans: &[u16], vid: u16) -> bool {
    vlans.is_empty() || vlans.contains(&vid)
}

const NONE: Tag = Tag::new(0, 0, 0);
/// `ETH_P_8021Q`.
pub(super) const DOT1Q: u16 = 0x8100;
/// `ETH_P_8021AD`.
const DOT1AD: u16 = 0x88a8;
