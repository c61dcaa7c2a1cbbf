//! A flow in the words that Open vSwitch has for it.

pub(crate) mod actions;
pub(crate) mod bits;
mod matches;
pub(crate) mod printed;

use alloc::vec::Vec;

use crate::model::{
    canonical::{
        actions::Context,
        bits::{MatchBits, holder, registers},
        printed::{printed, received},
    },
    field::{Field, Prerequisite},
    flow::Flow,
    flow_mod::FlowMod,
    matches::{FieldMatch, Match, MatchEntry},
    version::Version,
};

impl Flow {
    /// The flow as a switch prints it that speaks this version of OpenFlow: its fields in their
    /// order, without those that it does not look at, its actions in the words of the version.
    ///
    /// Open vSwitch keeps of a flow what the version can say, so the same flow prints differently.
    /// Statistics and flags stay as they are.
    ///
    /// ```
    /// use ofp_codec::{Version, text::FlowRef};
    ///
    /// let line = b"nw_dst=10.1.2.3/8,tcp,in_port=1 actions=mod_vlan_vid:5,load:1->reg0[0..3],2";
    /// let flow = FlowRef::parse(line)?.to_flow()?;
    /// let print = |version| {
    ///     let flow = flow.canonical(version);
    ///     let actions: Vec<_> = flow.actions.iter().map(ToString::to_string).collect();
    ///     format!("{} actions={}", flow.matches, actions.join(","))
    /// };
    /// assert_eq!(
    ///     print(Version::V1_0),
    ///     "tcp,in_port=1,nw_dst=10.0.0.0/8 actions=mod_vlan_vid:5,load:0x1->NXM_NX_REG0[0..3],output:2"
    /// );
    /// assert_eq!(
    ///     print(Version::V1_5),
    ///     "tcp,in_port=1,nw_dst=10.0.0.0/8 \
    ///      actions=push_vlan:0x8100,set_field:4101->vlan_vid,set_field:0x1/0xf->reg0,output:2"
    /// );
    /// # Ok::<(), ofp_codec::text::ParseError>(())
    /// ```
    #[must_use]
    pub fn canonical(&self, version: Version) -> Flow {
        let bits = MatchBits::of(&self.matches).pruned();
        let context = Context::of(version, &bits);
        Flow {
            matches: bits.into_match(version),
            actions: printed(&self.actions, context),
            importance: if version < Version::V1_4 {
                0
            } else {
                self.importance
            },
            ..self.clone()
        }
    }
}

impl Flow {
    /// The flow as `ovs-ofctl` prints one that it has read from a message: its fields in their order, also those
    /// that lack their prerequisites, and each action as it came.
    pub(crate) fn as_received(&self) -> Flow {
        Flow {
            matches: self.matches.as_received(),
            actions: received(&self.actions),
            ..self.clone()
        }
    }
}

impl FlowMod {
    /// As [`Flow::as_received`].
    pub(crate) fn as_received(&self) -> FlowMod {
        FlowMod {
            flow: self.flow.as_received(),
            ..self.clone()
        }
    }

    /// The change as a switch prints it that speaks this version of OpenFlow.
    ///
    /// As of [`Flow::canonical`].
    #[must_use]
    pub fn canonical(&self, version: Version) -> FlowMod {
        FlowMod {
            flow: self.flow.canonical(version),
            ..self.clone()
        }
    }
}

impl Match {
    /// The match as a switch prints it that speaks this version of OpenFlow.
    ///
    /// As of [`Flow::canonical`].
    #[must_use]
    pub fn canonical(&self, version: Version) -> Match {
        MatchBits::of(self).pruned().into_match(version)
    }

    /// Takes out the fields that Open vSwitch does not look at, since what they need is not matched beside them, and
    /// gives them. `ovs-ofctl` does so with a warning; the match is wider then.
    ///
    /// ```
    /// use ofp_codec::{FlowMod, Version, text::FlowRef};
    ///
    /// let mut flow = FlowRef::parse(b"table=60,tcp_dst=81 actions=output:5")?.to_flow()?;
    /// let error = FlowMod::add(flow.clone()).encode(Version::V1_3, 1, &mut Vec::new()).unwrap_err();
    /// assert_eq!(error.to_string(), "tcp_dst needs tcp or tcp6 beside it");
    ///
    /// let gone = flow.matches.take_ignored();
    /// assert_eq!(gone[0].to_string(), "tp_dst=81");
    /// assert_eq!(FlowMod::add(flow).encode(Version::V1_3, 1, &mut Vec::new()), Ok(()));
    /// # Ok::<(), ofp_codec::text::ParseError>(())
    /// ```
    pub fn take_ignored(&mut self) -> Vec<FieldMatch> {
        let bits = MatchBits::of(self);
        let kept = bits.clone().pruned();
        let goes = |field: Field| {
            // Without other packets than Ethernet's it says nothing, and stays.
            field != Field::PacketType && registers(field).is_none() && {
                let holder = holder(field);
                bits.has(holder) && !kept.has(holder)
            }
        };
        let mut gone = Vec::new();
        self.0.retain(|entry| match entry {
            MatchEntry::Field(found) if goes(found.field) => {
                gone.push(found.clone());
                false
            }
            _ => true,
        });
        // What goes has said that the packets are Ethernet's, which stays.
        let needs = |found: &FieldMatch| found.field.info().prerequisite != Prerequisite::None;
        if gone.iter().any(needs) && !bits.has(Field::PacketType) {
            self.0
                .push(MatchEntry::Field(FieldMatch::exact(Field::PacketType, 0)));
        }
        gone
    }

    /// As [`Flow::as_received`].
    pub(crate) fn as_received(&self) -> Match {
        // That version changes nothing.
        MatchBits::of(self).received().into_match(Version::V1_0)
    }
}
