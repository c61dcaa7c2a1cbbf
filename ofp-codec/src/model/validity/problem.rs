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
    /// The match on a field is sent to the switch without what it needs beside it, such as a port in later
    /// fragments, and refused there.
    #[error("{0} is matched without its prerequisite")]
    MatchPrerequisite(Field),
    /// The match asks for a value that the field cannot have.
    #[error("{0} cannot have the value that is matched")]
    MatchValue(Field),
    /// The options of tunnels that are matched have more than 256 bytes together with this one.
    #[error("the match on {0} makes more than 256 bytes of options")]
    Options(Field),
    /// The match looks at the original addresses of a connection of another family.
    #[error("the match on {0} needs a match on its family of addresses")]
    Connection(Field),
    /// An action uses a field that the matched packets need not have.
    #[error("an action uses {0}, which the matched packets need not have")]
    Prerequisite(Field),
    /// An action uses a field that has no number in messages.
    #[error("no message can say that an action uses {0}")]
    Unnamed(Field),
    /// An action sets a field that cannot be set.
    #[error("an action sets {0}, which cannot be set")]
    ReadOnly(Field),
    /// An action sets a field to a value that it cannot have.
    #[error("an action sets {0} to a value that it cannot have")]
    Value(Field),
    /// An action uses more or fewer bits of a field than it can.
    #[error("{action} cannot use so many bits of {field}")]
    Bits {
        /// The word of the action.
        action: &'static str,
        /// The field.
        field: Field,
    },
    /// An action has an argument that it cannot have.
    #[error("{0} cannot have such an argument")]
    Argument(&'static str),
    /// A field of the connection is set where no `ct` is around it.
    #[error("{0} is set outside of ct")]
    OutsideCt(Field),
    /// `nat` stands where no `ct` is around it.
    #[error("nat outside of ct")]
    NatOutsideCt,
    /// `ct` on packets that are not IP.
    #[error("ct on packets that are not IP")]
    CtNotIp,
    /// `ct` commits a connection that the match says is invalid.
    #[error("ct commits an invalid connection")]
    CtInvalid,
    /// `ct` has a helper for a protocol that the packets are not of.
    #[error("ct has a helper for another protocol")]
    CtHelper,
    /// `ct` changes a connection that it does not commit.
    #[error("ct has actions without commit")]
    CtWithoutCommit,
    /// `nat` to an address of another family than that of the packets.
    #[error("nat to an address of another family than that of the packets")]
    NatFamily,
    /// `resubmit` with the original addresses of a connection that the packets need not have.
    #[error("resubmit looks at a connection that the matched packets need not have")]
    ResubmitCt,
    /// `resubmit` to where the packet is.
    #[error("resubmit without a port or a table")]
    ResubmitNowhere,
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
    /// A port that an action cannot send packets to.
    #[error("no packets can be sent to port {0} this way")]
    OutPort(Port),
    /// A meter that no switch has: numbers are from 1 to 0xffff0000.
    #[error("there is no meter {0}")]
    Meter(u32),
    /// `goto_table` to a table that is not behind the flow's own.
    #[error("goto_table goes to table {0}, which is not behind that of the flow")]
    GotoTable(u8),
    /// A tag is put on packets that have as many as Open vSwitch knows of.
    #[error("push_vlan on packets that have two tags")]
    TooManyTags,
    /// A name of a port or a table that breaks the line: Open vSwitch prints quotes, but does not
    /// understand them.
    #[error("the name of a port or a table breaks the line")]
    Name,
    /// An action that exists inside Open vSwitch only, or in its tests.
    #[error("{0} is internal to Open vSwitch")]
    Internal(&'static str),
    /// An action that is an instruction of OpenFlow 1.1 stands in the wrong place.
    #[error("{0} is in the wrong place")]
    Order(&'static str),
    /// An instruction of OpenFlow 1.1 is there twice.
    #[error("{0} is there more than once")]
    Duplicate(&'static str),
    /// An action stands inside another one that does not take it.
    #[error("{outer} does not take {inner} inside")]
    Nested {
        /// The word of the action around.
        outer: &'static str,
        /// The word of the action inside, or of its kind.
        inner: &'static str,
    },
    /// `conjunction` stands beside other actions than itself and `note`.
    #[error("conjunction beside other actions")]
    Conjunction,
    /// `drop` stands beside other actions.
    #[error("drop beside other actions")]
    Drop,
}

impl Problem {
    /// Whether Open vSwitch refuses the flow for it, in every version.
    pub fn is_refused(self) -> bool {
        match self {
            // An option of a tunnel is there once.
            Problem::Repeated(field) => field.info().bits > 128,
            Problem::Ignored(_) | Problem::Inconsistent(_) | Problem::Printed(_) => false,
            _ => true,
        }
    }

    /// The name of the error with which Open vSwitch refuses a message of this version for it.
    /// `None`: a message cannot say it, or is not refused for it; text is refused in a sentence.
    pub fn error_name(self, version: Version) -> Option<&'static str> {
        Some(match self {
            Problem::Inconsistent(_) if version == Version::V1_0 => return None,
            Problem::Inconsistent(_)
            | Problem::Prerequisite(_)
            | Problem::Connection(_)
            | Problem::CtNotIp
            | Problem::CtInvalid
            | Problem::CtHelper
            | Problem::NatFamily
            | Problem::ResubmitCt => "OFPBAC_MATCH_INCONSISTENT",
            Problem::Repeated(_) => "OFPBMC_DUP_FIELD",
            Problem::MatchPrerequisite(_) => "OFPBMC_BAD_PREREQ",
            Problem::MatchValue(_) => "OFPBMC_BAD_VALUE",
            Problem::ReadOnly(field) if field.info().headers.is_empty() => return None,
            Problem::ReadOnly(_) | Problem::Value(_) | Problem::OutsideCt(_) | Problem::NatOutsideCt => {
                "OFPBAC_BAD_SET_ARGUMENT"
            }
            Problem::Bits { action: "ct", .. } => "OFPBAC_BAD_SET_LEN",
            // A message has room for any.
            Problem::Argument("decap" | "alg") => return None,
            Problem::Argument("conjunction") => "NXBAC_BAD_CONJUNCTION",
            Problem::Nested {
                outer: "write_actions",
                ..
            } => "OFPBAC_BAD_TYPE",
            Problem::Argument(_)
            | Problem::Bits { .. }
            | Problem::CtWithoutCommit
            | Problem::Nested { outer: "ct", .. }
            | Problem::Nested { inner: "meter", .. } => "OFPBAC_BAD_ARGUMENT",
            Problem::Nested { .. } => "OFPBIC_UNSUP_INST",
            Problem::Learn(_) => "OFPBAC_BAD_SET_TYPE",
            Problem::OutPort(_) | Problem::Port(_) => "OFPBAC_BAD_OUT_PORT",
            Problem::Meter(_) => "OFPMMFC_INVALID_METER",
            Problem::GotoTable(_) => "OFPBIC_BAD_TABLE_ID",
            Problem::TooManyTags => "OFPBAC_BAD_TAG",
            Problem::Unnamed(_) => "OFPBMC_BAD_FIELD",
            Problem::Internal("debug_slow" | "debug_recirc") => "OFPBAC_BAD_VENDOR_TYPE",
            Problem::Internal(_) => "OFPBAC_BAD_TYPE",
            Problem::Order(_) | Problem::Duplicate(_) => "OFPBAC_UNSUPPORTED_ORDER",
            Problem::Conjunction => "NXBAC_BAD_CONJUNCTION",
            Problem::Ignored(_)
            | Problem::ResubmitNowhere
            | Problem::Mask(_)
            | Problem::Printed(_)
            | Problem::Name
            | Problem::Options(_)
            | Problem::NotMatchable(_)
            | Problem::Drop => return None,
        })
    }
}
