use core::fmt;

use crate::{
    model::version::Version,
    wire::{
        entries::Entry as _,
        error::{DecodeError, EncodeError, Fault},
        message::Message,
        port::PortDesc,
        write::Writer,
    },
};

/// `OFPT_PORT_STATUS`: a port came, went or changed. `reason u8`, seven bytes of padding, the port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortStatus {
    /// What happened.
    pub reason: PortReason,
    /// The port, as it is now or was last.
    pub port: PortDesc,
}

/// What happened to a port (`enum ofp_port_reason`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortReason {
    /// It came.
    Add,
    /// It went.
    Delete,
    /// It changed.
    Modify,
}

impl PortStatus {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// If the reason is none of these, or the port is malformed.
    pub fn decode(message: &Message<'_>) -> Result<Self, DecodeError> {
        let mut body = message.body();
        let at = body.named("NXBRC_BAD_REASON");
        let reason = match body.u8("reason")? {
            0 => PortReason::Add,
            1 => PortReason::Delete,
            2 => PortReason::Modify,
            reason => return Err(at.error("reason", Fault::Value(reason.into()))),
        };
        body.bytes(7, "padding")?;
        let version = message.header().version;
        let port = body.part(PortDesc::len(body, version)?, "port")?;
        Ok(PortStatus {
            reason,
            port: PortDesc::decode(port, version)?,
        })
    }
}

impl PortStatus {
    /// Writes the body.
    ///
    /// # Errors
    ///
    /// As [`PortDesc::encode`].
    pub fn encode(&self, version: Version, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        writer.u8(match self.reason {
            PortReason::Add => 0,
            PortReason::Delete => 1,
            PortReason::Modify => 2,
        });
        writer.zeros(7);
        self.port.encode(version, writer)
    }
}

/// As `ovs-ofctl monitor` prints it.
impl fmt::Display for PortStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = match self.reason {
            PortReason::Add => "ADD",
            PortReason::Delete => "DEL",
            PortReason::Modify => "MOD",
        };
        write!(f, " {reason}:{}", self.port)
    }
}
