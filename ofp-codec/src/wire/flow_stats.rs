//! The flows of a reply (`OFPST_FLOW`, `NXST_FLOW`): one entry a flow, each of which tells its length, so that one
//! that cannot be read costs none of its neighbours.
//!
//! ```
//! use ofp_codec::{Flow, Version, text::FlowRef, wire::{FlowStatsRef, Message, MessageKind}};
//!
//! let line = b"cookie=0x7, duration=3.5s, table=1, n_packets=2, n_bytes=84, priority=9,arp actions=NORMAL";
//! let flow = FlowRef::parse(line)?.to_flow()?;
//! let mut bytes = Vec::new();
//! FlowStatsRef::encode_reply(&[flow], Version::V1_3, 1, &mut bytes)?;
//!
//! let message = Message::parse(&bytes)?;
//! for entry in FlowStatsRef::entries(&message)? {
//!     match entry.map_err(|bad| bad.error).and_then(|entry| entry.to_flow()) {
//!         Ok(flow) => println!("{}", flow.canonical(Version::V1_3)),
//!         Err(error) => println!("{error}"),
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod head;

use alloc::vec::Vec;

use crate::{
    model::{flow::Flow, version::Version},
    wire::{
        entries::{BadEntry, Entries, Entry},
        error::{DecodeError, EncodeError},
        flow_mod::encode_flags,
        instruction::encode_instructions,
        kind::{MessageKind, Namespace},
        matches::{Match10, MatchRef, MatchWriter, Use},
        message::Message,
        oxs::{OxsRef, encode_oxs, parts},
        program::ProgramRef,
        read::Reader,
        write::Writer,
    },
};

pub use self::head::{FlowDesc15, FlowStats10, FlowStats11, FlowStatsHead, FlowStatsHead10, NxFlowStats};

/// A flow with its statistics, as it stands in a reply. It encodes to the bytes that it was decoded
/// from.
#[derive(Clone, Copy, Debug)]
pub struct FlowStatsRef<'a> {
    version: Version,
    bytes: &'a [u8],
    /// What is there beside match and actions.
    pub head: FlowStatsHead,
    /// The match.
    pub matches: MatchRef<'a>,
    /// The statistics, in OpenFlow 1.5.
    pub stats: Option<OxsRef<'a>>,
    /// The instructions, in OpenFlow 1.0 actions.
    pub program: ProgramRef<'a>,
}

/// The flows of a message of the kind `FlowReply`, in order. One that cannot be split into its parts
/// is an error and costs only itself.
#[derive(Clone, Debug)]
pub struct FlowEntries<'a>(Forms<'a>);

#[derive(Clone, Debug)]
enum Forms<'a> {
    Openflow(Entries<'a, FlowStatsRef<'a>>),
    Nicira(Entries<'a, Nicira<'a>>),
}

/// A flow in Nicira's form.
#[derive(Clone, Debug)]
struct Nicira<'a>(FlowStatsRef<'a>);

impl<'a> FlowStatsRef<'a> {
    /// The flows of a message of the kind `FlowReply`.
    ///
    /// # Errors
    ///
    /// If the message is of another kind.
    pub fn entries(message: &Message<'a>) -> Result<FlowEntries<'a>, DecodeError> {
        let form = message.expect(MessageKind::FlowReply)?;
        Ok(FlowEntries(match form.namespace {
            Namespace::Multipart => Forms::Openflow(Entries::of(message)),
            _ => Forms::Nicira(Entries::of(message)),
        }))
    }

    /// The bytes that it was decoded from.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Appends the entry: the very bytes that it was decoded from, where no part was changed.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLong`] if the parts were made longer than an entry may be.
    pub fn encode(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        match &self.head {
            FlowStatsHead::Of10(head, stats) => {
                head.encode(writer);
                self.matches.encode(writer)?;
                stats.encode(writer);
            }
            FlowStatsHead::Of11(head) => {
                head.encode(writer);
                self.matches.encode(writer)?;
            }
            FlowStatsHead::Of15(head) => {
                head.encode(writer);
                self.matches.encode(writer)?;
            }
            FlowStatsHead::Nicira(head) => {
                head.encode(writer);
                self.matches.encode(writer)?;
            }
        }
        self.stats.map_or(Ok(()), |stats| stats.encode(writer))?;
        self.program.encode(writer);
        Ok(())
    }

    /// The flow.
    ///
    /// # Errors
    ///
    /// If the match, the statistics or the actions are malformed.
    pub fn to_flow(&self) -> Result<Flow, DecodeError> {
        let mut flow = self.head.to_flow(self.version);
        if let Some(stats) = self.stats {
            flow.stats = stats.to_stats()?.0;
        }
        flow.matches = self.matches.to_match()?;
        flow.actions = self.program.to_actions()?;
        Ok(flow)
    }

    /// Checks what `ovs-ofctl` checks when it reads the entry, and gives the flow.
    ///
    /// # Errors
    ///
    /// With the name of the error that it prints.
    pub fn check(&self) -> Result<Flow, DecodeError> {
        self.matches.check_as(Use::Report)?;
        let flow = self.to_flow()?;
        self.program.check_order(&flow.actions)?;
        self.program.check_known(&flow.actions)?;
        Ok(flow)
    }

    /// Appends the messages in which a switch gives these flows, as many to a message as fit.
    ///
    /// # Errors
    ///
    /// [`EncodeError::NotInVersion`] for what the version cannot say, [`EncodeError::Unresolved`] for what
    /// only a switch knows the number of, [`EncodeError::TooLong`] for a flow that does not fit into a
    /// message. What was appended stays.
    pub fn encode_reply(
        flows: &[Flow],
        version: Version,
        xid: u32,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        let mut body = Vec::new();
        for flow in flows {
            let start = body.len();
            encode_entry(flow, version, &mut Writer::new(&mut body))?;
            if start > 0 && body.len() > BODY_LEN {
                let entry = body.split_off(start);
                encode_message(&body, true, version, xid, out)?;
                body = entry;
            }
        }
        encode_message(&body, false, version, xid, out)
    }
}

impl<'a> Entry<'a> for FlowStatsRef<'a> {
    const WHAT: &'static str = WHAT;

    fn len(mut reader: Reader<'a>, _: Version) -> Result<usize, DecodeError> {
        reader.u16(WHAT).map(usize::from)
    }

    #[inline]
    fn decode(mut reader: Reader<'a>, version: Version) -> Result<Self, DecodeError> {
        let bytes = reader.rest();
        let mut stats = None;
        let (head, matches) = if version == Version::V1_0 {
            let head = FlowStatsHead10::decode(&mut reader)?;
            let matches = MatchRef::Fixed10(Match10::decode(&mut reader)?);
            (
                FlowStatsHead::Of10(head, FlowStats10::decode(&mut reader)?),
                matches,
            )
        } else if version < Version::V1_5 {
            let head = FlowStatsHead::Of11(FlowStats11::decode(&mut reader)?);
            (head, MatchRef::decode(&mut reader)?)
        } else {
            let head = FlowStatsHead::Of15(FlowDesc15::decode(&mut reader)?);
            let matches = MatchRef::decode(&mut reader)?;
            stats = Some(OxsRef::decode(&mut reader)?);
            (head, matches)
        };
        Ok(FlowStatsRef {
            version,
            bytes,
            head,
            matches,
            stats,
            program: ProgramRef::new(reader, version),
        })
    }
}

impl<'a> Entry<'a> for Nicira<'a> {
    const WHAT: &'static str = WHAT;

    fn len(mut reader: Reader<'a>, _: Version) -> Result<usize, DecodeError> {
        reader.u16(WHAT).map(usize::from)
    }

    #[inline]
    fn decode(mut reader: Reader<'a>, version: Version) -> Result<Self, DecodeError> {
        let bytes = reader.rest();
        let head = NxFlowStats::decode(&mut reader)?;
        let matches = MatchRef::decode_nxm(&mut reader, head.match_len)?;
        Ok(Nicira(FlowStatsRef {
            version,
            bytes,
            head: FlowStatsHead::Nicira(head),
            matches,
            stats: None,
            program: ProgramRef::new(reader, version),
        }))
    }
}

impl<'a> Iterator for FlowEntries<'a> {
    type Item = Result<FlowStatsRef<'a>, BadEntry<'a>>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Forms::Openflow(entries) => entries.next(),
            Forms::Nicira(entries) => entries.next().map(|entry| entry.map(|Nicira(flow)| flow)),
        }
    }
}

/// Writes a flow as a switch does (`ofputil_append_flow_stats_reply` in lib/ofp-flow.c).
fn encode_entry(flow: &Flow, version: Version, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
    let table_id = flow.table.encode()?;
    let (duration_sec, duration_nsec) = parts(flow.stats.duration.unwrap_or_default())?;
    let matches = MatchWriter::new(&flow.matches)?;
    let context = matches.context(version);
    let importance = if version < Version::V1_4 {
        0
    } else {
        flow.importance
    };
    if version == Version::V1_0 {
        let head = NxFlowStats {
            table_id,
            duration_sec,
            duration_nsec,
            priority: flow.priority,
            idle_timeout: flow.idle_timeout,
            hard_timeout: flow.hard_timeout,
            idle_age: encode_age(flow.stats.idle_age),
            // What a dump does not say is what the duration says.
            hard_age: encode_age(flow.stats.hard_age.or(Some(duration_sec))),
            cookie: flow.cookie,
            packet_count: flow.stats.n_packets.unwrap_or(u64::MAX),
            byte_count: flow.stats.n_bytes.unwrap_or(u64::MAX),
            ..NxFlowStats::default()
        };
        head.encode(writer);
        let match_len = matches.encode_nxm(None, writer)?;
        writer.fill(MATCH_LEN_AT, match_len.to_be_bytes());
    } else if version < Version::V1_5 {
        let head = FlowStats11 {
            table_id,
            duration_sec,
            duration_nsec,
            priority: flow.priority,
            idle_timeout: flow.idle_timeout,
            hard_timeout: flow.hard_timeout,
            flags: if version < Version::V1_3 {
                0
            } else {
                encode_flags(flow.flags, version)
            },
            importance,
            cookie: flow.cookie,
            packet_count: flow.stats.n_packets.unwrap_or(0),
            byte_count: flow.stats.n_bytes.unwrap_or(0),
            ..FlowStats11::default()
        };
        head.encode(writer);
        matches.encode_oxm(version, writer)?;
    } else {
        let head = FlowDesc15 {
            table_id,
            priority: flow.priority,
            idle_timeout: flow.idle_timeout,
            hard_timeout: flow.hard_timeout,
            flags: encode_flags(flow.flags, version),
            importance,
            cookie: flow.cookie,
            ..FlowDesc15::default()
        };
        head.encode(writer);
        matches.encode_oxm(version, writer)?;
        encode_oxs(&flow.stats, None, writer)?;
    }
    encode_instructions(&flow.actions, &context, writer)?;
    writer.fill_len(0, 0, WHAT)
}

fn encode_message(
    body: &[u8],
    more: bool,
    version: Version,
    xid: u32,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let kind = MessageKind::FlowReply;
    let form = kind.form_of(version, version == Version::V1_0)?;
    kind.encode_form(form, version, xid, out, |writer| {
        if more {
            writer.fill(FLAGS_AT, [0, 1]);
        }
        writer.bytes(body);
        Ok(())
    })
}

fn encode_age(age: Option<u32>) -> u16 {
    age.map_or(0, |age| {
        u16::try_from(age).map_or(u16::MAX, |age| age.saturating_add(1))
    })
}

const WHAT: &str = "flow entry";
/// Of `NxFlowStats::match_len`.
const MATCH_LEN_AT: usize = 18;
/// Of the flags in the header of statistics.
const FLAGS_AT: usize = 10;
/// What is left of a message behind the longest header.
const BODY_LEN: usize = 65535 - 24;
