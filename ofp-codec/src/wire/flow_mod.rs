//! `OFPT_FLOW_MOD` of OpenFlow 1.0 and of 1.1 to 1.5, and Nicira's `NXT_FLOW_MOD`.

mod head;

use alloc::vec::Vec;

use crate::{
    model::{
        canonical::actions::Context,
        flow::FlowFlags,
        flow_mod::{FlowCommand, FlowMod},
        version::Version,
    },
    wire::{
        error::{DecodeError, EncodeError, Fault},
        instruction::encode_instructions,
        kind::{MessageKind, Namespace},
        matches::{Match10, Match11, MatchRef, MatchWriter, check_connection},
        message::Message,
        port::port_in_16_bits,
        program::ProgramRef,
        read::Reader,
        write::Writer,
    },
};

use self::head::NO_BUFFER;
pub use self::head::{FlowMod10, FlowMod11, FlowModHead, NxFlowMod};

/// A `FLOW_MOD` as it stands in a message. It encodes to the bytes that it was decoded from.
///
/// ```
/// use ofp_codec::{FlowMod, Version, text::FlowRef, wire::{FlowModRef, Message}};
///
/// let flow = FlowRef::parse(b"priority=7,arp actions=NORMAL")?.to_flow()?;
/// let mut bytes = Vec::new();
/// FlowMod::add(flow).encode(Version::V1_3, 1, &mut bytes)?;
///
/// let message = Message::parse(&bytes)?;
/// let flow_mod = FlowModRef::decode(&message)?;
/// let add = flow_mod.to_flow_mod()?.canonical(Version::V1_3);
/// assert_eq!(add.to_string(), "ADD priority=7,arp actions=NORMAL");
///
/// let mut again = Vec::new();
/// flow_mod.encode(1, &mut again)?;
/// assert_eq!(again, bytes);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct FlowModRef<'a> {
    version: Version,
    /// What is there beside match and actions.
    pub head: FlowModHead,
    /// The match.
    pub matches: MatchRef<'a>,
    /// The instructions, in OpenFlow 1.0 actions.
    pub program: ProgramRef<'a>,
}

impl<'a> FlowModRef<'a> {
    /// Reads the parts of a message of the kind `FlowMod`.
    ///
    /// # Errors
    ///
    /// If the message is of another kind, or the match is longer than the message.
    pub fn decode(message: &Message<'a>) -> Result<Self, DecodeError> {
        let version = message.header().version;
        let mut reader = message.body();
        let form = message.expect(MessageKind::FlowMod)?;
        let (head, matches) = if form.namespace != Namespace::Openflow {
            let head = NxFlowMod::decode(&mut reader)?;
            let matches = MatchRef::decode_nxm(&mut reader, head.match_len)?;
            (FlowModHead::Nicira(head), matches)
        } else if version == Version::V1_0 {
            let matches = MatchRef::Fixed10(Match10::decode(&mut reader)?);
            (FlowModHead::Of10(FlowMod10::decode(&mut reader)?), matches)
        } else {
            let head = FlowMod11::decode(&mut reader)?;
            (FlowModHead::Of11(head), MatchRef::decode(&mut reader)?)
        };
        Ok(FlowModRef {
            version,
            head,
            matches,
            program: ProgramRef::new(reader, version),
        })
    }

    /// Appends the message: the very bytes that it was decoded from, where no part was changed.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLong`] if the parts were made longer than a message may be.
    pub fn encode(&self, xid: u32, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let nicira = matches!(self.head, FlowModHead::Nicira(_));
        let form = MessageKind::FlowMod.form_of(self.version, nicira)?;
        MessageKind::FlowMod.encode_form(form, self.version, xid, out, |writer| {
            match &self.head {
                FlowModHead::Of10(head) => {
                    self.matches.encode(writer)?;
                    head.encode(writer);
                }
                FlowModHead::Of11(head) => {
                    head.encode(writer);
                    self.matches.encode(writer)?;
                }
                FlowModHead::Nicira(head) => {
                    head.encode(writer);
                    self.matches.encode(writer)?;
                }
            }
            self.program.encode(writer);
            Ok(())
        })
    }

    /// What it says.
    ///
    /// # Errors
    ///
    /// If match or actions are malformed.
    pub fn to_flow_mod(&self) -> Result<FlowMod, DecodeError> {
        let out_port = self.head.out_port()?;
        let matches = self.matches.to_match()?;
        let actions = self.program.to_actions()?;
        let mut flow_mod = self.head.to_flow_mod(self.version, out_port, matches, actions);
        // A flow that looks at all of a packet that OpenFlow 1.0 knows has the highest priority.
        if let MatchRef::Fixed10(fixed) = &self.matches {
            if fixed.is_exact() {
                flow_mod.flow.priority = u16::MAX;
            }
        }
        if let Some(cookie) = self.matches.cookie() {
            flow_mod.cookie = cookie;
        }
        Ok(flow_mod)
    }

    /// Checks what Open vSwitch checks when it reads the message, and gives what it says.
    ///
    /// # Errors
    ///
    /// With the name of the error that Open vSwitch answers with.
    pub fn check(&self) -> Result<FlowMod, DecodeError> {
        let start = Reader::at(&[], HEADER_LEN);
        let error = |name, what, value: u64| Err(start.named(name).error(what, Fault::Value(value)));
        self.matches.check()?;
        let matches = self.matches.to_match()?;
        let command = self.head.command();
        if let FlowModHead::Of11(head) = &self.head {
            let all = head.table_id == FlowMod::ANY_TABLE;
            if all && (self.version == Version::V1_1 || !command.deletes()) {
                return error("OFPFMFC_BAD_TABLE_ID", "table_id", head.table_id.into());
            }
        }
        let cookie = self.matches.cookie().filter(|(_, mask)| *mask != 0);
        if let (Some((cookie, _)), FlowCommand::ADD) = (cookie, command) {
            return error("NXBRC_NXM_INVALID", "cookie", cookie);
        }
        self.head.out_port()?;
        check_connection(&matches, &start)?;
        if command.0 > FlowCommand::DELETE_STRICT.0 {
            return error("OFPFMFC_BAD_COMMAND", "command", command.0.into());
        }
        let mut flow_mod = self.to_flow_mod()?;
        self.program.check_known(&flow_mod.flow.actions)?;
        self.program.check_order(&flow_mod.flow.actions)?;
        let flags = flow_mod.flow.flags;
        if flags.0 & !u32::from(known_flags(self.version)) != 0 {
            return error("OFPFMFC_BAD_FLAGS", "flags", flags.0.into());
        }
        if self.version == Version::V1_0 && flags.0 & EMERG != 0 {
            let timeout = flow_mod.flow.idle_timeout | flow_mod.flow.hard_timeout;
            let name = match timeout {
                0 => "OFPFMFC_TABLE_FULL",
                _ => "OFPFMFC_BAD_EMERG_TIMEOUT",
            };
            return error(name, "flags", flags.0.into());
        }
        if let FlowModHead::Of10(_) = self.head {
            // Other messages keep what lacks its prerequisites.
            flow_mod.flow.matches = matches.canonical(Version::V1_0);
        }
        self.program.check(&flow_mod.flow)?;
        Ok(flow_mod)
    }
}

impl FlowMod {
    /// Appends the message that Open vSwitch would send for it: in OpenFlow 1.0 it is Nicira's, with
    /// the table in the command (`NXT_FLOW_MOD_TABLE_ID`).
    ///
    /// # Errors
    ///
    /// Nothing is left out or changed: [`EncodeError::NotInVersion`] for what the version cannot say,
    /// [`EncodeError::Prerequisite`] for a field without what it needs beside it, [`EncodeError::NotMaskable`],
    /// [`EncodeError::OutOfRange`], [`EncodeError::Misplaced`]; [`EncodeError::Unresolved`] for what only a switch
    /// knows the number of, and for what is unknown in text; [`EncodeError::TooLong`]. Nothing is appended then.
    ///
    /// What a command does not look at is no part of it: the cookie, the importance and the actions of flows that are
    /// deleted.
    pub fn encode(&self, version: Version, xid: u32, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let form = MessageKind::FlowMod.form_of(version, version == Version::V1_0)?;
        MessageKind::FlowMod.encode_form(form, version, xid, out, |writer| match version {
            Version::V1_0 => self.encode_nicira(writer),
            _ => self.encode_of11(version, writer),
        })
    }

    /// The same in OpenFlow 1.0's own form, which can match less.
    ///
    /// # Errors
    ///
    /// As [`encode`](Self::encode).
    pub fn encode_of10(&self, xid: u32, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let form = MessageKind::FlowMod.form_of(Version::V1_0, false)?;
        MessageKind::FlowMod.encode_form(form, Version::V1_0, xid, out, |writer| {
            let matches = Match10::from_match(&self.flow.matches)?;
            if matches.is_exact() && self.flow.priority != u16::MAX {
                return Err(self.not_in("priority of a flow that looks at every field", Version::V1_0));
            }
            if self.cookie.1 != 0 {
                return Err(self.not_in("cookie that flows must have", Version::V1_0));
            }
            matches.encode(writer);
            let head = self.nicira_head()?;
            FlowMod10 {
                cookie: head.cookie,
                command: head.command,
                idle_timeout: head.idle_timeout,
                hard_timeout: head.hard_timeout,
                priority: head.priority,
                buffer_id: head.buffer_id,
                out_port: head.out_port,
                flags: head.flags,
            }
            .encode(writer);
            let context = Context::of_match(Version::V1_0, &self.flow.matches);
            encode_instructions(&self.flow.actions, &context, writer)
        })
    }

    fn encode_nicira(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let start = writer.len();
        self.nicira_head()?.encode(writer);
        let cookie = Some(self.cookie).filter(|(_, mask)| *mask != 0);
        let matches = MatchWriter::new(&self.flow.matches)?;
        let context = matches.context(Version::V1_0);
        let match_len = matches.encode_nxm(cookie, writer)?;
        writer.fill(start + MATCH_LEN_AT, match_len.to_be_bytes());
        encode_instructions(&self.flow.actions, &context, writer)
    }

    fn nicira_head(&self) -> Result<NxFlowMod, EncodeError> {
        let flow = &self.flow;
        self.check_said(Version::V1_0)?;
        Ok(NxFlowMod {
            cookie: flow.cookie,
            command: u16::from_be_bytes([self.flow.table.encode()?, self.command.0]),
            idle_timeout: flow.idle_timeout,
            hard_timeout: flow.hard_timeout,
            priority: flow.priority,
            buffer_id: self.buffer_id.unwrap_or(NO_BUFFER),
            out_port: port_in_16_bits(self.out_port, "out_port")?,
            flags: check_flags(flow.flags, Version::V1_0)?,
            match_len: 0,
            pad: [0; 6],
        })
    }

    fn encode_of11(&self, version: Version, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let flow = &self.flow;
        let of11 = version == Version::V1_1;
        let modifies = matches!(self.command, FlowCommand::MODIFY | FlowCommand::MODIFY_STRICT);
        let adds = self.command == FlowCommand::ADD || of11 && modifies && self.cookie.1 == 0;
        self.check_said(version)?;
        // Every table is one to delete from; the switch's choice is the first.
        let table_id = match self.flow.table.encode()? {
            FlowMod::ANY_TABLE if self.command == FlowCommand::ADD => 0,
            FlowMod::ANY_TABLE if of11 || !self.command.deletes() => {
                return Err(self.not_in("change in all tables", version));
            }
            table => table,
        };
        let head = FlowMod11 {
            cookie: if adds {
                flow.cookie
            } else {
                self.cookie.0 & self.cookie.1
            },
            cookie_mask: self.cookie.1,
            table_id,
            command: self.command.0,
            idle_timeout: flow.idle_timeout,
            hard_timeout: flow.hard_timeout,
            priority: flow.priority,
            buffer_id: self.buffer_id.unwrap_or(NO_BUFFER),
            out_port: self.out_port.0,
            out_group: self.out_group,
            flags: check_flags(flow.flags, version)?,
            importance: match self.command == FlowCommand::ADD {
                true => flow.importance,
                false => 0,
            },
        };
        head.encode(writer);
        let matches = MatchWriter::new(&flow.matches)?;
        let context = matches.context(version);
        match of11 {
            true => Match11::from_match(&flow.matches)?.encode(writer),
            false => matches.encode_oxm(version, writer)?,
        }
        encode_instructions(&flow.actions, &context, writer)
    }
}

impl FlowMod {
    /// Checks what the fields of a message have no room for.
    fn check_said(&self, version: Version) -> Result<(), EncodeError> {
        let flow = &self.flow;
        if let Some(unknown) = flow.unknown.first() {
            return Err(EncodeError::Unresolved {
                what: "part of a flow",
                name: unknown.key.clone(),
            });
        }
        let (adds, deletes) = (self.command == FlowCommand::ADD, self.command.deletes());
        let modifies = !adds && !deletes;
        if flow.importance != 0 && (modifies || adds && version < Version::V1_4) {
            return Err(self.not_in("importance", version));
        }
        if self.out_group != FlowMod::ANY_GROUP && version == Version::V1_0 {
            return Err(self.not_in("group of flows that are deleted", version));
        }
        let keeps = [0, FlowMod::KEEP_COOKIE].contains(&flow.cookie);
        let sets = version == Version::V1_0 || version == Version::V1_1 && self.cookie.1 == 0;
        if modifies && !keeps && !sets {
            return Err(self.not_in("new cookie of a flow that is changed", version));
        }
        if adds && self.cookie.1 != 0 {
            let what = "cookie that flows must have, in one that is added";
            return Err(EncodeError::Misplaced { what });
        }
        match self.buffer_id {
            Some(NO_BUFFER) => Err(EncodeError::OutOfRange {
                what: "buffer id",
                value: NO_BUFFER.into(),
            }),
            _ => Ok(()),
        }
    }

    fn not_in(&self, what: &'static str, version: Version) -> EncodeError {
        EncodeError::NotInVersion { what, version }
    }
}

/// The flags in 16 bits.
///
/// # Errors
///
/// [`EncodeError::NotInVersion`] for a flag that the version does not have.
fn check_flags(flags: FlowFlags, version: Version) -> Result<u16, EncodeError> {
    let encoded = encode_flags(flags, version);
    match u32::from(encoded) == flags.0 {
        true => Ok(encoded),
        false => Err(EncodeError::NotInVersion {
            what: "flag of a flow",
            version,
        }),
    }
}

/// The flags that a version has.
fn known_flags(version: Version) -> u16 {
    match version {
        Version::V1_0 => 0x7,
        Version::V1_1 => 0x3,
        Version::V1_2 => 0x7,
        _ => 0x1f,
    }
}

/// Open vSwitch leaves out what the version does not have.
pub(crate) fn encode_flags(flags: FlowFlags, version: Version) -> u16 {
    let known = match version {
        // `OFPFF10_EMERG` is no flag of the model.
        Version::V1_0 => 0x3,
        version => known_flags(version),
    };
    u16::try_from(flags.0 & u32::from(known)).unwrap_or(0)
}

/// `OFPFF10_EMERG`: for when the connection is lost. Open vSwitch has none.
const EMERG: u32 = 4;
/// Of `NxFlowMod::match_len`.
const MATCH_LEN_AT: usize = 24;
/// Of a message.
const HEADER_LEN: usize = 8;
