//! Instructions: what OpenFlow 1.1 and later do with a packet, with lists of actions in some of them.

use alloc::vec::Vec;

use crate::{
    model::{
        action::Action,
        canonical::actions::{Context, Sink},
        port::NumberOrName,
        validity::order::{Instruction, Place, may_be_written, verify},
        version::Version,
    },
    wire::{
        action::{
            Actions, broken, check, check_order, count, decode_into, decode_list, encode_action,
            encode_actions, metadata, refused,
        },
        error::{DecodeError, EncodeError, Fault},
        read::Reader,
        write::Writer,
    },
};

/// The instructions of a flow, one after the other, in the order of the message.
///
/// Ends after an instruction whose length cannot be right.
///
/// ```
/// use ofp_codec::{Version, wire::{Instructions, Reader}};
///
/// // OFPIT_GOTO_TABLE to table 7, then OFPIT_CLEAR_ACTIONS.
/// let bytes = [0, 1, 0, 8, 7, 0, 0, 0, 0, 5, 0, 8, 0, 0, 0, 0];
/// let numbers: Vec<_> = Instructions::new(Reader::new(&bytes), Version::V1_3)
///     .map(|instruction| instruction.map(|instruction| instruction.number()))
///     .collect::<Result<_, _>>()?;
/// assert_eq!(numbers, [1, 5]);
/// # Ok::<(), ofp_codec::wire::DecodeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Instructions<'a> {
    reader: Reader<'a>,
    version: Version,
}

/// An instruction: its bytes, and where in the message they are.
#[derive(Clone, Copy, Debug)]
pub struct InstructionRef<'a> {
    part: Reader<'a>,
    version: Version,
    number: u16,
}

impl<'a> Instructions<'a> {
    /// The instructions that `reader` still has to read, of a message of this version.
    pub fn new(reader: Reader<'a>, version: Version) -> Self {
        Instructions {
            reader: reader.named(BAD_LEN),
            version,
        }
    }

    fn read(&mut self) -> Result<InstructionRef<'a>, DecodeError> {
        let mut rest = self.reader;
        let (number, len) = (rest.u16(WHAT)?, rest.u16(WHAT)?);
        if len < 8 || len % 8 != 0 {
            let fault = Fault::Length {
                wanted: 8,
                got: len.into(),
            };
            return Err(self.reader.error(WHAT, fault));
        }
        Ok(InstructionRef {
            part: self.reader.part(len.into(), WHAT)?,
            version: self.version,
            number,
        })
    }
}

impl<'a> Iterator for Instructions<'a> {
    type Item = Result<InstructionRef<'a>, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.is_empty() {
            return None;
        }
        let instruction = self.read();
        if instruction.is_err() {
            self.reader = Reader::at(&[], self.reader.offset());
        }
        Some(instruction)
    }
}

impl<'a> InstructionRef<'a> {
    /// All its bytes.
    pub fn bytes(&self) -> &'a [u8] {
        self.part.rest()
    }

    /// The byte of the message at which it begins.
    pub fn offset(&self) -> usize {
        self.part.offset()
    }

    /// Its type: `OFPIT_GOTO_TABLE` is 1.
    pub fn number(&self) -> u16 {
        self.number
    }

    /// Whether it applies the actions in it.
    pub(crate) fn is_apply(&self) -> bool {
        self.number == APPLY_ACTIONS
    }

    /// The actions in it, if it is one that has actions.
    pub fn actions(&self) -> Option<Actions<'a>> {
        matches!(self.number, WRITE_ACTIONS | APPLY_ACTIONS).then(|| Actions::new(self.body(8), self.version))
    }

    /// What it does: one action, but for a list of actions to apply.
    ///
    /// # Errors
    ///
    /// As of [`ActionRef::to_action`](crate::wire::ActionRef::to_action), and for an instruction that
    /// is not known or has a wrong length; these keep their bytes here.
    pub fn to_actions(&self) -> Result<Vec<Action>, DecodeError> {
        let kind = self.kind()?;
        let mut actions = Vec::with_capacity(self.count());
        self.decode(kind, &mut actions)?;
        Ok(actions)
    }

    /// Which instruction it is, if it has the length of one.
    fn kind(&self) -> Result<Instruction, DecodeError> {
        let (kind, exactly) = match self.number {
            GOTO_TABLE => (Instruction::Goto, Some(8)),
            WRITE_METADATA => (Instruction::Metadata, Some(24)),
            WRITE_ACTIONS => (Instruction::Write, None),
            APPLY_ACTIONS => (Instruction::Apply, None),
            CLEAR_ACTIONS => (Instruction::Clear, Some(8)),
            METER => (Instruction::Meter, Some(8)),
            EXPERIMENTER => return Err(self.unknown("OFPBIC_BAD_EXPERIMENTER")),
            _ => return Err(self.unknown("OFPBIC_UNKNOWN_INST")),
        };
        let got = self.part.len();
        match exactly {
            Some(wanted) if wanted != got => Err(self.error(Fault::Length { wanted, got }, BAD_LEN)),
            _ if kind == Instruction::Meter && self.version >= Version::V1_5 => {
                Err(self.unknown("OFPBIC_UNKNOWN_INST"))
            }
            _ => Ok(kind),
        }
    }

    /// How many actions it is.
    fn count(&self) -> usize {
        match self.is_apply() {
            true => count(self.body(8).rest()),
            false => 1,
        }
    }

    /// Appends what it does.
    fn decode(&self, kind: Instruction, actions: &mut Vec<Action>) -> Result<(), DecodeError> {
        actions.push(match kind {
            Instruction::Apply => return decode_into(actions, self.body(8), self.version, 0),
            Instruction::Meter => Action::Meter(self.body(4).u32(WHAT)?),
            Instruction::Clear => Action::ClearActions,
            Instruction::Write => {
                let written = decode_list(self.body(8), self.version, 1)?;
                if !written.iter().all(may_be_written) {
                    return Err(refused(self.part, "OFPBAC_BAD_TYPE"));
                }
                Action::WriteActions(written)
            }
            Instruction::Metadata => {
                let mut body = self.body(8);
                metadata(body.u64(WHAT)?, body.u64(WHAT)?)
            }
            Instruction::Goto => Action::GotoTable(self.body(4).u8(WHAT)?.into()),
        });
        Ok(())
    }

    /// What follows the first `len` bytes.
    fn body(&self, len: usize) -> Reader<'a> {
        let mut body = self.part;
        // An instruction has 8 bytes at least.
        let _ = body.bytes(len, WHAT);
        body
    }

    fn unknown(&self, name: &'static str) -> DecodeError {
        self.error(Fault::Value(self.number.into()), name)
    }

    fn error(&self, fault: Fault, name: &'static str) -> DecodeError {
        self.part.named(name).error(WHAT, fault)
    }
}

/// What the instructions do that `reader` still has to read, in the order in which they are executed;
/// in OpenFlow 1.0, which has no instructions, the actions.
///
/// # Errors
///
/// As of [`InstructionRef::to_actions`]; for an instruction that is there twice; and for actions that
/// Open vSwitch does not allow together.
pub fn decode_instructions(reader: Reader<'_>, version: Version) -> Result<Vec<Action>, DecodeError> {
    let all = decode_program(reader, version)?;
    verify(&all, version, Place::Flow).map_err(|problem| broken(reader, problem, version))?;
    Ok(all)
}

/// The same without a look at what may stand together.
pub(super) fn decode_program(reader: Reader<'_>, version: Version) -> Result<Vec<Action>, DecodeError> {
    if version <= Version::V1_0 {
        return decode_list(reader, version, 0);
    }
    let mut found = [const { None }; Instruction::COUNT];
    for instruction in Instructions::new(reader, version) {
        let instruction = instruction?;
        let kind = instruction.kind()?;
        if found[kind as usize].replace((kind, instruction)).is_some() {
            return Err(instruction.unknown("OFPBIC_DUP_INST"));
        }
    }
    let found = found.iter().flatten();
    let count = found.clone().map(|(_, instruction)| instruction.count()).sum();
    let mut all = Vec::with_capacity(count);
    for (kind, instruction) in found {
        instruction.decode(*kind, &mut all)?;
    }
    Ok(all)
}

/// Appends the instructions for these actions, or in OpenFlow 1.0 the actions, as Open vSwitch writes
/// them.
///
/// ```
/// use ofp_codec::{Action, Version, wire::{Context, Reader, Writer, decode_instructions, encode_instructions}};
///
/// let mut bytes = Vec::new();
/// let actions = [Action::Group(7), Action::ClearActions, Action::GotoTable(5.into())];
/// encode_instructions(&actions, &Context::new(Version::V1_3), &mut Writer::new(&mut bytes))?;
/// assert_eq!(bytes.len(), 16 + 8 + 8);
/// assert_eq!(decode_instructions(Reader::new(&bytes), Version::V1_3).unwrap(), actions);
/// # Ok::<(), ofp_codec::wire::EncodeError>(())
/// ```
///
/// # Errors
///
/// As of [`encode_actions`], and [`EncodeError::Misplaced`] for instructions that are not in the order in which they are
/// executed, or there twice.
pub fn encode_instructions(
    actions: &[Action],
    context: &Context,
    writer: &mut Writer<'_>,
) -> Result<(), EncodeError> {
    check_order(actions, context.version)?;
    if context.version <= Version::V1_0 {
        return encode_actions(actions, context, writer);
    }
    check(actions, context)?;
    let mut list = List {
        writer,
        applied: None,
        result: Ok(()),
    };
    context.translate(actions, &mut list);
    list.result?;
    list.applied
        .map_or(Ok(()), |start| list.writer.fill_len(start + 2, start, WHAT))
}

/// Writes instructions. Actions that follow each other are applied by one.
struct List<'w, 'v> {
    writer: &'w mut Writer<'v>,
    /// Where the instruction begins that applies the last action.
    applied: Option<usize>,
    result: Result<(), EncodeError>,
}

impl Sink for List<'_, '_> {
    fn put(&mut self, action: &Action, context: Context) {
        if self.result.is_ok() {
            self.result = self.encode(action, context);
        }
    }
}

impl List<'_, '_> {
    fn encode(&mut self, action: &Action, context: Context) -> Result<(), EncodeError> {
        let kind = Instruction::of(action, context.version);
        if kind == Instruction::Apply {
            if self.applied.is_none() {
                self.applied = Some(self.begin(APPLY_ACTIONS));
                self.writer.zeros(4);
            }
            return encode_action(action, context, self.writer);
        }
        if let Some(start) = self.applied.take() {
            self.writer.fill_len(start + 2, start, WHAT)?;
        }
        let start = match action {
            Action::Meter(id) => {
                let start = self.begin(METER);
                self.writer.u32(*id);
                start
            }
            Action::ClearActions => {
                let start = self.begin(CLEAR_ACTIONS);
                self.writer.zeros(4);
                start
            }
            Action::WriteActions(actions) => {
                let start = self.begin(WRITE_ACTIONS);
                self.writer.zeros(4);
                encode_actions(actions, &context, self.writer)?;
                if self.writer.len() == start + 8 {
                    self.writer.truncate(start);
                    return Ok(());
                }
                start
            }
            Action::WriteMetadata { value, mask } => {
                let start = self.begin(WRITE_METADATA);
                self.writer.zeros(4);
                self.writer.u64(*value);
                self.writer.u64(mask.unwrap_or(u64::MAX));
                start
            }
            Action::GotoTable(NumberOrName::Number(table)) => {
                let start = self.begin(GOTO_TABLE);
                self.writer.u8(*table);
                self.writer.zeros(3);
                start
            }
            Action::GotoTable(NumberOrName::Name(name)) => {
                return Err(EncodeError::Unresolved {
                    what: "table",
                    name: name.clone(),
                });
            }
            // The others are no instructions.
            _ => return Ok(()),
        };
        self.writer.fill_len(start + 2, start, WHAT)
    }

    fn begin(&mut self, number: u16) -> usize {
        let start = self.writer.len();
        self.writer.u16(number);
        self.writer.u16(0);
        start
    }
}

// `OFPIT_*`.
const GOTO_TABLE: u16 = 1;
const WRITE_METADATA: u16 = 2;
const WRITE_ACTIONS: u16 = 3;
const APPLY_ACTIONS: u16 = 4;
const CLEAR_ACTIONS: u16 = 5;
const METER: u16 = 6;
const EXPERIMENTER: u16 = 0xffff;
const BAD_LEN: &str = "OFPBIC_BAD_LEN";
const WHAT: &str = "instruction";
