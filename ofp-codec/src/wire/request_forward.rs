use alloc::vec::Vec;
use core::fmt;

use crate::{
    model::version::Version,
    wire::{
        error::{DecodeError, EncodeError, Fault},
        group::GroupMod,
        header::Header,
        kind::MessageKind,
        message::Message,
        meter::MeterMod,
        write::Writer,
    },
};

/// `OFPT_REQUESTFORWARD`: what another controller changed, as a whole message of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestForward {
    /// The number of the other's message.
    pub xid: u32,
    /// What it changed.
    pub request: ForwardedRequest,
}

/// A change that a switch tells other controllers of (`enum ofp14_requestforward_reason`).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ForwardedRequest {
    /// Of a group.
    Group(GroupMod),
    /// Of a meter.
    Meter(MeterMod),
}

impl RequestForward {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// If the message in it is not whole, of another version, of another kind, or malformed.
    pub fn decode(message: &Message<'_>) -> Result<Self, DecodeError> {
        let body = message.body().named("OFPBFC_MSG_BAD_LEN");
        let inner = Header::decode(&{ body }.array(WHAT)?);
        let len = usize::from(inner.len);
        if len < Header::LEN {
            let wanted = Header::LEN;
            return Err(body.error(WHAT, Fault::Length { wanted, got: len }));
        }
        let bytes = { body }.bytes(len, WHAT)?;
        if inner.version != message.header().version {
            let fault = Fault::Value(inner.version.0.into());
            return Err(body.named("OFPBRC_BAD_VERSION").error(WHAT, fault));
        }
        let inner = Message::parse(bytes)?;
        let request = match inner.kind() {
            Some(MessageKind::GroupMod) => ForwardedRequest::Group(GroupMod::decode(&inner)?),
            Some(MessageKind::MeterMod) => ForwardedRequest::Meter(MeterMod::decode(&inner)?),
            kind => {
                let name = match kind {
                    Some(_) => "OFPBFC_MSG_UNSUP",
                    None => inner.unknown_kind().name(),
                };
                let fault = Fault::Value(inner.number().number.into());
                return Err(body.named(name).error(WHAT, fault));
            }
        };
        Ok(RequestForward {
            xid: inner.header().xid,
            request,
        })
    }

    /// Writes the body.
    ///
    /// # Errors
    ///
    /// As [`GroupMod::encode`] and [`MeterMod::encode`].
    pub fn encode(&self, version: Version, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let mut message = Vec::new();
        match &self.request {
            ForwardedRequest::Group(change) => change.encode(version, self.xid, &mut message),
            ForwardedRequest::Meter(change) => change.encode(version, self.xid, &mut message),
        }?;
        writer.bytes(&message);
        Ok(())
    }
}

/// As `ovs-ofctl` prints it.
impl fmt::Display for RequestForward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.request {
            ForwardedRequest::Group(change) => write!(f, " reason=group_mod\n {change}"),
            ForwardedRequest::Meter(change) => writeln!(f, " reason=meter_mod{change}"),
        }
    }
}

const WHAT: &str = "forwarded request";
