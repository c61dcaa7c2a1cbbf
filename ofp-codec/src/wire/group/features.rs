use core::fmt;

use crate::{
    model::{print::Hex, version::Version},
    wire::{action_set::ActionSet, error::DecodeError, message::Message, write::Writer},
};

/// What a switch can do with groups: `OFPMP_GROUP_FEATURES`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GroupFeatures {
    /// A bit for each [`GroupType`](crate::GroupType).
    pub types: u32,
    /// `OFPGFC_*`: weights 1, liveness 2, chains 4, checks of chains 8.
    pub capabilities: u32,
    /// How many groups of each type there may be.
    pub max_groups: [u32; 4],
    /// For each type, a bit for each number of an action of the version.
    pub actions: [u32; 4],
}

impl GroupFeatures {
    /// Reads the reply: types, capabilities, greatest numbers, actions.
    ///
    /// # Errors
    ///
    /// If it is too short.
    pub fn decode(message: &Message<'_>) -> Result<Self, DecodeError> {
        let mut body = message.body();
        let mut features = GroupFeatures {
            types: body.u32("group features")?,
            capabilities: body.u32("group features")?,
            ..GroupFeatures::default()
        };
        for number in features.max_groups.iter_mut().chain(&mut features.actions) {
            *number = body.u32("group features")?;
        }
        Ok(features)
    }

    /// Writes the body of the reply.
    pub fn encode(&self, writer: &mut Writer<'_>) {
        writer.u32(self.types);
        writer.u32(self.capabilities);
        let numbers = self.max_groups.iter().chain(&self.actions);
        numbers.for_each(|number| writer.u32(*number));
    }

    /// As `ovs-ofctl dump-group-features` prints it; the version gives the actions their numbers.
    pub(crate) fn print(&self, version: Version) -> impl fmt::Display {
        struct Printed(GroupFeatures, Version);
        impl fmt::Display for Printed {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let Printed(features, version) = self;
                writeln!(f, "\n Group table:\n    Types:  0x{:x}", features.types)?;
                writeln!(f, "    Capabilities:  0x{:x}", features.capabilities)?;
                let limits = features.max_groups.iter().zip(features.actions);
                // Groups themselves print as `ff`.
                let words = ["all", "select", "indirect", "fast failover"];
                for (kind, (word, (max, actions))) in words.iter().zip(limits).enumerate() {
                    if features.types & 1 << kind != 0 {
                        let actions = ActionSet::from_bits(actions, *version);
                        writeln!(f, "    {word} group:")?;
                        writeln!(f, "       max_groups={}", Hex((*max).into()))?;
                        writeln!(f, "       actions: {actions}")?;
                    }
                }
                Ok(())
            }
        }
        Printed(*self, version)
    }
}
