//! What can be wrong with a flow.

use crate::model::{field::Field, port::Port, version::Version};

/// What is wrong with a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Problem {
    /// The match speaks twice of a field: what it said first is forgotten.
    #[error("{} is matched more than once: only the last one counts", .0.info().printed)]
    Repeated(Field),
    /// The match on a field is ignored, because what it needs beside it is not matched.
    #[error("the match on {} is ignored: its prerequisite is not matched", .0.info().printed)]
    Ignored(Field),
    /// OpenFlow has no way to match the field.
    #[error("no OpenFlow version can match {0}")]
    NotMatchable(Field),
    /// An action uses a field that the matched packets need not have.
    #[error("an action uses {0}, which the matched packets need not have")]
    Prerequisite(Field),
    /// An action sets a field that cannot be set.
    #[error("an action sets {0}, which cannot be set")]
    ReadOnly(Field),
    /// An action sets a field to a value that it cannot have.
    #[error("an action sets {0} to a value that it cannot have")]
    Value(Field),
    /// A field of the connection is set where no `ct` is around it.
    #[error("{0} is set outside of ct")]
    OutsideCt(Field),
    /// `nat` stands where no `ct` is around it.
    #[error("nat outside of ct")]
    NatOutsideCt,
    /// `ct` on packets that are not IP.
    #[error("ct on packets that are not IP")]
    CtNotIp,
    /// `learn` uses a field that only an experimenter's header has.
    #[error("learn cannot use {0}")]
    Learn(Field),
    /// An action does nothing to packets that the match lets pass. OpenFlow 1.0 has it so, later
    /// versions refuse the flow.
    #[error("{0} does nothing to some of the packets that match, and OpenFlow 1.1 and later refuse that")]
    Inconsistent(&'static str),
    /// An action sets some bits of a field that is read as a whole only: dumps of OpenFlow 1.5
    /// print that.
    #[error("an action sets some bits of {0}, which has no mask")]
    Mask(Field),
    /// A field prints under a name that it is not read by, or an action that sets none of its bits
    /// as `set_field:ANY`.
    #[error("open vSwitch cannot read what it prints for {0}")]
    Printed(Field),
    /// A port that no switch has: numbers have 16 bits, but for those of reserved ports.
    #[error("there is no port {}", .0.0)]
    Port(Port),
    /// A name of a port or a table that breaks the line: Open vSwitch prints quotes, but does not
    /// understand them.
    #[error("the name of a port or a table breaks the line")]
    Name,
    /// An action that exists inside Open vSwitch only.
    #[error("{0} is internal to Open vSwitch")]
    Internal(&'static str),
    /// An action that is an instruction of OpenFlow 1.1 stands in the wrong place.
    #[error("{0} is in the wrong place")]
    Order(&'static str),
}

impl Problem {
    /// Whether Open vSwitch refuses the flow for it, in every version.
    pub fn is_refused(self) -> bool {
        !matches!(
            self,
            Problem::Repeated(_) | Problem::Ignored(_) | Problem::Inconsistent(_) | Problem::Printed(_)
        )
    }

    /// The name of the error with which Open vSwitch refuses a message for it. What is wrong with
    /// values and with the order of actions it finds when it reads them.
    pub(crate) fn ofperr(self, version: Version) -> Option<&'static str> {
        match self {
            Problem::Inconsistent(_) if version == Version::V1_0 => None,
            Problem::Inconsistent(_) | Problem::Prerequisite(_) | Problem::CtNotIp => {
                Some("OFPBAC_MATCH_INCONSISTENT")
            }
            Problem::ReadOnly(_) => Some("OFPBAC_BAD_SET_ARGUMENT"),
            _ => None,
        }
    }
}
