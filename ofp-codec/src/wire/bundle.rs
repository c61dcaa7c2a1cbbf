use core::fmt;

use crate::{
    model::print::Hex,
    wire::{
        bits::bits,
        error::{DecodeError, EncodeError, Fault},
        header::Header,
        kind::MessageKind,
        message::Message,
        write::Writer,
    },
};

bits! {
    /// What a bundle promises (`enum ofp14_bundle_flags`); unknown bits are kept.
    BundleFlags {
        /// All of it or nothing.
        ATOMIC = 1 << 0, "atomic";
        /// In the order in which it was sent.
        ORDERED = 1 << 1, "ordered";
    }
}

/// A step in the life of a bundle (`enum ofp14_bundle_ctrl_type`). The number of a reply is that of its
/// request and one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BundleStep(pub u16);

impl BundleStep {
    /// Begin a bundle.
    pub const OPEN: BundleStep = BundleStep(0);
    /// Nothing more will be added.
    pub const CLOSE: BundleStep = BundleStep(2);
    /// Do it.
    pub const COMMIT: BundleStep = BundleStep(4);
    /// Forget it.
    pub const DISCARD: BundleStep = BundleStep(6);

    /// The reply to this request.
    #[must_use]
    pub fn reply(self) -> Self {
        BundleStep(self.0 | 1)
    }
}

/// `OFPT_BUNDLE_CONTROL` (`struct ofp14_bundle_ctrl_msg`): `bundle_id u32, type u16, flags u16`. Since
/// OpenFlow 1.4, and in 1.3 as an extension of the ONF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BundleControl {
    /// The number of the bundle among those of its connection.
    pub bundle: u32,
    /// The step.
    pub step: BundleStep,
    /// What it promises.
    pub flags: BundleFlags,
}

impl BundleControl {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// If it ends too early.
    pub fn decode(message: &Message<'_>) -> Result<Self, DecodeError> {
        let mut body = message.body();
        Ok(BundleControl {
            bundle: body.u32("bundle id")?,
            step: BundleStep(body.u16("bundle control type")?),
            flags: BundleFlags(body.u16("bundle flags")?.into()),
        })
    }

    /// Writes the body.
    ///
    /// # Errors
    ///
    /// If a flag has no bit on the wire.
    pub fn encode(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        encode_head(self.bundle, self.step.0, self.flags, writer)
    }
}

/// As `ovs-ofctl` prints it.
impl fmt::Display for BundleControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = ["OPEN", "CLOSE", "COMMIT", "DISCARD"];
        write!(f, "\n bundle_id={} type=", Hex(self.bundle.into()))?;
        if let Some(name) = names.get(usize::from(self.step.0 / 2)) {
            let ends = ["REQUEST", "REPLY"];
            write!(f, "{name}_{}", ends[usize::from(self.step.0 % 2)])?;
        }
        write!(f, " flags={}", self.flags)
    }
}

/// `OFPT_BUNDLE_ADD_MESSAGE`: the same eight bytes, the type unused, and a message, which has the same
/// number as this one.
#[derive(Clone, Copy, Debug)]
pub struct BundleAdd<'a> {
    /// The bundle that it is added to.
    pub bundle: u32,
    /// What the bundle promises.
    pub flags: BundleFlags,
    /// The message that is added.
    pub message: &'a [u8],
}

impl<'a> BundleAdd<'a> {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// If the message in it is not whole, has another number or version, or is of a kind that no bundle
    /// takes.
    pub fn decode(message: &Message<'a>) -> Result<Self, DecodeError> {
        let mut body = message.body();
        let bundle = body.u32("bundle id")?;
        body.u16("padding")?;
        let flags = BundleFlags(body.u16("bundle flags")?.into());
        let body = body.named("OFPBFC_MSG_BAD_LEN");
        let mut inner = body;
        let outer = message.header();
        let header = Header::decode(&inner.array("message in a bundle")?);
        let what = "message in a bundle";
        if header.version != outer.version {
            let fault = Fault::Value(header.version.0.into());
            return Err(body.named("OFPBFC_BAD_VERSION").error(what, fault));
        }
        if usize::from(header.len) < Header::LEN {
            let (wanted, got) = (Header::LEN, header.len.into());
            return Err(body.error(what, Fault::Length { wanted, got }));
        }
        let added = { body }.bytes(header.len.into(), what)?;
        if header.xid != outer.xid {
            let fault = Fault::Value(header.xid.into());
            return Err(body.named("OFPBFC_MSG_BAD_XID").error(what, fault));
        }
        let kind = Message::parse(added).ok().and_then(|message| message.kind());
        if !kind.is_some_and(|kind| MAY_BE_ADDED.contains(&kind)) {
            let fault = Fault::Value(header.message_type.into());
            return Err(body.named("OFPBFC_MSG_UNSUP").error(what, fault));
        }
        Ok(BundleAdd {
            bundle,
            flags,
            message: added,
        })
    }

    /// Writes the body.
    ///
    /// # Errors
    ///
    /// If a flag has no bit on the wire.
    pub fn encode(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        encode_head(self.bundle, 0, self.flags, writer)?;
        writer.bytes(self.message);
        Ok(())
    }
}

fn encode_head(
    bundle: u32,
    step: u16,
    flags: BundleFlags,
    writer: &mut Writer<'_>,
) -> Result<(), EncodeError> {
    let range = |_| EncodeError::OutOfRange {
        what: "bundle flags",
        value: flags.0.into(),
    };
    writer.u32(bundle);
    writer.u16(step);
    writer.u16(flags.0.try_into().map_err(range)?);
    Ok(())
}

/// The kinds of messages that Open vSwitch takes into a bundle.
const MAY_BE_ADDED: [MessageKind; 4] = [
    MessageKind::PortMod,
    MessageKind::FlowMod,
    MessageKind::GroupMod,
    MessageKind::PacketOut,
];
