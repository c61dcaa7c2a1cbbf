use crate::{
    model::version::Version,
    wire::{
        error::{DecodeError, EncodeError},
        kind::{Namespace, experimenter},
        read::Reader,
        write::Writer,
    },
};

/// The eight bytes that every message begins with (`struct ofp_header`): version, type, length of the
/// whole message, transaction id; big-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Header {
    /// The version that gives all that follows its meaning.
    pub version: Version,
    /// The type.
    pub message_type: u8,
    /// The length of the message, these eight bytes included.
    pub len: u16,
    /// The transaction: a reply has the number of its request.
    pub xid: u32,
}

impl Header {
    /// How many bytes it has.
    pub const LEN: usize = 8;

    /// Reads it.
    pub fn decode(&[version, message_type, l0, l1, x0, x1, x2, x3]: &[u8; Header::LEN]) -> Self {
        Header {
            version: Version(version),
            message_type,
            len: u16::from_be_bytes([l0, l1]),
            xid: u32::from_be_bytes([x0, x1, x2, x3]),
        }
    }

    /// Writes it.
    pub fn encode(&self, writer: &mut Writer<'_>) {
        writer.u8(self.version.0);
        writer.u8(self.message_type);
        writer.u16(self.len);
        writer.u32(self.xid);
    }
}

/// What makes a message of its kind: a number, and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Number {
    /// Where it stands.
    pub namespace: Namespace,
    /// The number.
    pub number: u32,
    /// For statistics: a reply, not a request.
    pub reply: bool,
}

impl Number {
    /// Reads what stands between the header and the body; gives the flags of statistics, too.
    ///
    /// ```text
    /// experimenter:                    id u32, number u32
    /// statistics:                      number u16, flags u16, since 1.1 four bytes of padding
    /// statistics of an experimenter:   the same with 0xffff, id u32, number u32, in 1.0 four of padding
    /// ```
    pub(crate) fn decode(header: Header, reader: &mut Reader<'_>) -> Result<(Self, u16), DecodeError> {
        let [request, reply] = multipart_types(header.version);
        let old = header.version == Version::V1_0;
        let mut number = Number {
            namespace: Namespace::Openflow,
            number: header.message_type.into(),
            reply: header.message_type == reply,
        };
        let mut flags = 0;
        if header.message_type == EXPERIMENTER {
            number.namespace = Namespace::Experimenter(reader.u32("experimenter")?);
            number.number = reader.u32("experimenter type")?;
        } else if [request, reply].contains(&header.message_type) {
            number.namespace = Namespace::Multipart;
            number.number = reader.u16("multipart type")?.into();
            flags = reader.u16("multipart flags")?;
            if !old {
                reader.u32("padding")?;
            }
            if number.number == EXPERIMENTER_MULTIPART.into() {
                let experimenter = reader.u32("experimenter")?;
                number.namespace = Namespace::ExperimenterMultipart(experimenter);
                let mut rest = match old && experimenter != experimenter::NICIRA {
                    // It has no other there, and looks no further (`ofphdrs_decode` in lib/ofp-msgs.c).
                    true => reader.named("OFPBRC_BAD_VENDOR"),
                    false => *reader,
                };
                number.number = rest.u32("experimenter type")?;
                *reader = rest;
                if old {
                    reader.u32("padding")?;
                }
            }
        }
        Ok((number, flags))
    }

    /// Writes the header, its length yet zero, and what stands between it and the body.
    pub(crate) fn encode(
        self,
        version: Version,
        xid: u32,
        writer: &mut Writer<'_>,
    ) -> Result<(), EncodeError> {
        let range = |_| EncodeError::OutOfRange {
            what: "message type",
            value: self.number.into(),
        };
        let message_type = match self.namespace {
            Namespace::Openflow => u8::try_from(self.number).map_err(range)?,
            Namespace::Experimenter(_) => EXPERIMENTER,
            _ => multipart_types(version)[usize::from(self.reply)],
        };
        let header = Header {
            version,
            message_type,
            len: 0,
            xid,
        };
        header.encode(writer);
        let old = version == Version::V1_0;
        let multipart = match self.namespace {
            Namespace::Multipart => Some(u16::try_from(self.number).map_err(range)?),
            Namespace::ExperimenterMultipart(_) => Some(EXPERIMENTER_MULTIPART),
            _ => None,
        };
        if let Some(number) = multipart {
            writer.u16(number);
            writer.zeros(if old { 2 } else { 6 });
        }
        if let Namespace::Experimenter(id) | Namespace::ExperimenterMultipart(id) = self.namespace {
            writer.u32(id);
            writer.u32(self.number);
            writer.zeros(if old && multipart.is_some() { 4 } else { 0 });
        }
        Ok(())
    }
}

/// The types of requests and replies of statistics.
fn multipart_types(version: Version) -> [u8; 2] {
    match version {
        Version::V1_0 => [16, 17],
        _ => [18, 19],
    }
}

const EXPERIMENTER: u8 = 4;
const EXPERIMENTER_MULTIPART: u16 = 0xffff;
