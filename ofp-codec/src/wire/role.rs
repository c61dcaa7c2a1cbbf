use core::fmt;

use crate::{
    model::version::Version,
    wire::{
        error::{DecodeError, EncodeError, Fault},
        kind::{MessageKind, Namespace, experimenter},
        message::Message,
        read::Reader,
        write::Writer,
    },
};

/// The role of a controller among those of a switch (`enum ofp12_controller_role`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Only asks.
    NoChange,
    /// Like all others.
    Equal,
    /// The one that changes the switch.
    Primary,
    /// One that only reads.
    Secondary,
}

/// `OFPT_ROLE_REQUEST` and its reply: `role u32`, four bytes of padding, `generation_id u64`; Nicira's
/// form has the role only. `OFPT_ROLE_STATUS` has a reason in the first byte of the padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoleMessage {
    /// The role.
    pub role: Role,
    /// The number that tells older requests for a role from newer ones.
    pub generation_id: Option<u64>,
}

impl RoleMessage {
    /// Reads a request, a reply or a status.
    ///
    /// # Errors
    ///
    /// If the role is none.
    pub fn decode(message: &Message<'_>) -> Result<Self, DecodeError> {
        let mut body = message.body();
        if message.number().namespace == Namespace::Experimenter(experimenter::NICIRA) {
            let role = decode_role(&mut body, &[Role::Equal, Role::Primary, Role::Secondary])?;
            let generation_id = None;
            return Ok(RoleMessage { role, generation_id });
        }
        let all = [Role::NoChange, Role::Equal, Role::Primary, Role::Secondary];
        let role = decode_role(&mut body, &all)?;
        body.u32("padding")?;
        let generation_id = body.u64("generation id")?;
        let is_request = message.kind() == Some(MessageKind::RoleRequest);
        let none = match is_request {
            true => role == Role::NoChange,
            false => generation_id == u64::MAX,
        };
        Ok(RoleMessage {
            role,
            generation_id: (!none).then_some(generation_id),
        })
    }
}

impl RoleMessage {
    /// Writes the body of a request or a reply, in OpenFlow's form or, before OpenFlow 1.2, in Nicira's.
    ///
    /// # Errors
    ///
    /// [`EncodeError::NotInVersion`] for a role that Nicira's form does not have.
    pub fn encode(&self, version: Version, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let number = match self.role {
            Role::NoChange => 0,
            Role::Equal => 1,
            Role::Primary => 2,
            Role::Secondary => 3,
        };
        if version >= Version::V1_2 {
            writer.u32(number);
            writer.zeros(4);
            // Open vSwitch has this number for none.
            writer.u64(self.generation_id.unwrap_or(u64::MAX));
            return Ok(());
        }
        let what = "role";
        let number = u32::checked_sub(number, 1).ok_or(EncodeError::NotInVersion { what, version })?;
        writer.u32(number);
        Ok(())
    }
}

/// The role of this number.
fn decode_role(body: &mut Reader<'_>, roles: &[Role]) -> Result<Role, DecodeError> {
    let at = body.named("OFPRRFC_BAD_ROLE");
    let number = body.u32("role")?;
    let role = usize::try_from(number).ok().and_then(|number| roles.get(number));
    role.copied()
        .ok_or_else(|| at.error("role", Fault::Value(number.into())))
}

/// As `ovs-ofctl` prints it.
impl fmt::Display for RoleMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let role = match self.role {
            Role::NoChange => "nochange",
            Role::Equal => "equal",
            Role::Primary => "primary",
            Role::Secondary => "secondary",
        };
        write!(f, " role={role}")?;
        // Open vSwitch has this number for none.
        let generation_id = self.generation_id.filter(|id| *id != u64::MAX);
        generation_id.map_or(Ok(()), |id| write!(f, " generation_id={id}"))
    }
}
