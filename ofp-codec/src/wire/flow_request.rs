use alloc::vec::Vec;
use core::fmt;

use crate::{
    model::{
        flow_mod::FlowMod,
        matches::Match,
        port::{Port, TableRef},
        version::Version,
    },
    wire::{
        error::{DecodeError, EncodeError, Fault},
        kind::{MessageKind, Namespace},
        matches::{Match10, Match11, MatchRef, MatchWriter},
        message::Message,
        port::port_in_16_bits,
        read::Reader,
        record::record,
        write::Writer,
    },
};

record! {
    /// `struct ofp11_flow_stats_request` of `openflow-1.1.h`; a match follows.
    struct FlowRequest11 "flow request" {
        table_id: u8,
        pad: [u8; 3],
        out_port: u32,
        out_group: u32,
        pad2: [u8; 4],
        cookie: u64,
        cookie_mask: u64,
    }

    /// `struct nx_flow_stats_request` of `nicira-ext.h`; a match follows.
    struct NxFlowRequest "flow request" {
        out_port: u16,
        match_len: u16,
        table_id: u8,
        pad: [u8; 3],
    }
}

/// Which flows a request is about: their statistics one by one (`OFPST_FLOW`), or the sum of them
/// (`OFPST_AGGREGATE`). By default all of them.
///
/// ```
/// use ofp_codec::{Version, wire::{FlowRequest, MessageKind}};
///
/// let mut bytes = Vec::new();
/// FlowRequest::default().encode(MessageKind::FlowRequest, Version::V1_3, 7, &mut bytes)?;
/// assert_eq!(bytes.len(), 56);
/// # Ok::<(), ofp_codec::wire::EncodeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowRequest {
    /// The table; [`FlowMod::ANY_TABLE`] is every one.
    pub table: TableRef,
    /// Flows that send to this port; [`Port::ANY`]: or do not.
    pub out_port: Port,
    /// Flows that use this group; [`FlowMod::ANY_GROUP`]: or do not. Not in OpenFlow 1.0.
    pub out_group: u32,
    /// Flows with this cookie, and the bits of it that count.
    pub cookie: (u64, u64),
    /// Flows whose match this one covers.
    pub matches: Match,
}

impl Default for FlowRequest {
    fn default() -> Self {
        FlowRequest {
            table: TableRef::Number(FlowMod::ANY_TABLE),
            out_port: Port::ANY,
            out_group: FlowMod::ANY_GROUP,
            cookie: (0, 0),
            matches: Match::default(),
        }
    }
}

impl FlowRequest {
    /// Reads a message of the kind `FlowRequest` or `AggregateRequest`.
    ///
    /// # Errors
    ///
    /// If the message is of another kind, or malformed.
    pub fn decode(message: &Message<'_>) -> Result<Self, DecodeError> {
        let form = match message.kind() {
            Some(MessageKind::AggregateRequest) => message.expect(MessageKind::AggregateRequest)?,
            _ => message.expect(MessageKind::FlowRequest)?,
        };
        let mut reader = message.body();
        if form.namespace != Namespace::Multipart {
            let head = NxFlowRequest::decode(&mut reader)?;
            let matches = MatchRef::decode_nxm(&mut reader, head.match_len)?;
            reader.finish("flow request")?;
            matches.check()?;
            return Ok(FlowRequest {
                table: TableRef::Number(head.table_id),
                out_port: Port::from_16_bits(head.out_port),
                cookie: matches.cookie().unwrap_or((0, 0)),
                matches: matches.to_match()?,
                ..FlowRequest::default()
            });
        }
        if message.header().version == Version::V1_0 {
            // `struct ofp10_flow_stats_request` of `openflow-1.0.h`.
            let matches = Match10::decode(&mut reader)?.to_match();
            let [table, _] = reader.array("table")?;
            return Ok(FlowRequest {
                table: TableRef::Number(table),
                out_port: Port::from_16_bits(reader.u16("out_port")?),
                matches,
                ..FlowRequest::default()
            });
        }
        let head = FlowRequest11::decode(&mut reader)?;
        let matches = MatchRef::decode(&mut reader)?;
        matches.check()?;
        Ok(FlowRequest {
            table: TableRef::Number(head.table_id),
            out_port: out_port(head.out_port, &reader)?,
            out_group: head.out_group,
            cookie: (head.cookie, head.cookie_mask),
            matches: matches.to_match()?,
        })
    }

    /// Appends the message that Open vSwitch would send for it, which in OpenFlow 1.0 is Nicira's.
    /// `kind` is `FlowRequest` or `AggregateRequest`.
    ///
    /// # Errors
    ///
    /// [`EncodeError::NotInVersion`] for what the version cannot say, [`EncodeError::Unresolved`] for what
    /// only a switch knows the number of, [`EncodeError::TooLong`]. Nothing is appended then.
    pub fn encode(
        &self,
        kind: MessageKind,
        version: Version,
        xid: u32,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        let form = kind.form_of(version, version == Version::V1_0)?;
        kind.encode_form(form, version, xid, out, |writer| match version {
            Version::V1_0 => self.encode_nicira(writer),
            version => self.encode_of11(version, writer),
        })
    }

    fn encode_nicira(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let start = writer.len();
        if self.out_group != FlowMod::ANY_GROUP {
            let (what, version) = ("group of flows", Version::V1_0);
            return Err(EncodeError::NotInVersion { what, version });
        }
        let head = NxFlowRequest {
            out_port: port_in_16_bits(self.out_port, "out_port")?,
            table_id: self.table.encode()?,
            ..NxFlowRequest::default()
        };
        head.encode(writer);
        let cookie = Some(self.cookie).filter(|(_, mask)| *mask != 0);
        let match_len = MatchWriter::new(&self.matches)?.encode_nxm(cookie, writer)?;
        writer.fill(start + MATCH_LEN_AT, match_len.to_be_bytes());
        Ok(())
    }

    fn encode_of11(&self, version: Version, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let head = FlowRequest11 {
            table_id: self.table.encode()?,
            out_port: self.out_port.0,
            out_group: self.out_group,
            cookie: self.cookie.0,
            cookie_mask: self.cookie.1,
            ..FlowRequest11::default()
        };
        head.encode(writer);
        match version {
            Version::V1_1 => Match11::from_match(&self.matches)?.encode(writer),
            _ => MatchWriter::new(&self.matches)?.encode_oxm(version, writer)?,
        }
        Ok(())
    }
}

impl FlowRequest {
    /// The request as a switch prints it that speaks this version of OpenFlow.
    #[must_use]
    pub fn canonical(&self, version: Version) -> FlowRequest {
        FlowRequest {
            matches: self.matches.canonical(version),
            ..self.clone()
        }
    }

    /// The request as `ovs-ofctl` prints it that has read it.
    pub(crate) fn as_received(&self) -> FlowRequest {
        FlowRequest {
            matches: self.matches.as_received(),
            ..self.clone()
        }
    }
}

/// As Open vSwitch prints it, behind the name of the message.
impl fmt::Display for FlowRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.table != TableRef::Number(FlowMod::ANY_TABLE) {
            write!(f, " table={}", self.table)?;
        }
        if self.out_port != Port::ANY {
            write!(f, " out_port={}", self.out_port)?;
        }
        write!(f, " {}", self.matches)
    }
}

impl TableRef {
    /// The number of the table.
    pub(crate) fn encode(&self) -> Result<u8, EncodeError> {
        match self {
            TableRef::Number(number) => Ok(*number),
            TableRef::Name(name) => Err(EncodeError::Unresolved {
                what: "table",
                name: name.clone(),
            }),
        }
    }
}

/// The port that flows are asked for by (`ofputil_port_from_ofp11` in lib/ofp-port.c).
pub(crate) fn out_port(number: u32, reader: &Reader<'_>) -> Result<Port, DecodeError> {
    let fault = Fault::Value(number.into());
    Port::from_32_bits(number).ok_or(reader.named("OFPBAC_BAD_OUT_PORT").error("out_port", fault))
}

/// Of `NxFlowRequest::match_len`.
const MATCH_LEN_AT: usize = 2;
