use alloc::vec::Vec;
use core::fmt;

use crate::wire::{
    error::{DecodeError, Fault},
    message::Message,
    read::Reader,
    record::record,
    write::Writer,
};

record! {
    /// Which option of a tunnel a field `tun_metadataN` is (`struct nx_tlv_map`).
    pub struct TlvMapping "tunnel option" {
        /// The class of the option.
        option_class: u16,
        /// Its type.
        option_type: u8,
        /// Its length in bytes: a multiple of 4, of at most 124.
        option_len: u8,
        /// The number of the field, below 64.
        index: u16,
        /// Zeros.
        padding: [u8; 2],
    }

    /// The beginning of `NXT_TLV_TABLE_REPLY` (`struct nx_tlv_table_reply`).
    pub struct TlvSpace "tunnel options" {
        /// How many bytes the options of a packet may have together.
        max_option_space: u32,
        /// How many fields there are.
        max_fields: u16,
        /// Zeros.
        reserved: [u8; 10],
    }
}

/// What is done to the table of tunnel options (`enum nx_tlv_table_mod_command`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TlvCommand(pub u16);

impl TlvCommand {
    /// Adds mappings.
    pub const ADD: TlvCommand = TlvCommand(0);
    /// Deletes mappings.
    pub const DELETE: TlvCommand = TlvCommand(1);
    /// Deletes all.
    pub const CLEAR: TlvCommand = TlvCommand(2);
}

/// `NXT_TLV_TABLE_MOD`: `command u16`, six bytes of padding, mappings of 8 bytes.
///
/// ```
/// use ofp_codec::{Version, wire::{MessageKind, Message, TlvCommand, TlvMapping, TlvTableMod}};
///
/// let option = TlvMapping { option_class: 0x102, option_type: 0x80, option_len: 4, ..TlvMapping::default() };
/// let add = TlvTableMod { command: TlvCommand::ADD, padding: [0; 6], mappings: vec![option] };
/// let mut bytes = Vec::new();
/// MessageKind::TlvTableMod.encode(Version::V1_3, 1, &mut bytes, |writer| {
///     add.encode(writer);
///     Ok(())
/// })?;
/// assert_eq!(TlvTableMod::decode(&Message::parse(&bytes).unwrap()).unwrap(), add);
/// # Ok::<(), ofp_codec::wire::EncodeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlvTableMod {
    /// What is done.
    pub command: TlvCommand,
    /// Zeros.
    pub padding: [u8; 6],
    /// The mappings that it is about.
    pub mappings: Vec<TlvMapping>,
}

/// `NXT_TLV_TABLE_REPLY`: what room there is for tunnel options, and which are mapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlvTable {
    /// The room.
    pub space: TlvSpace,
    /// The mappings.
    pub mappings: Vec<TlvMapping>,
}

impl TlvTableMod {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// As Open vSwitch: for a command, a length of an option or a field that there is not.
    pub fn decode(message: &Message<'_>) -> Result<Self, DecodeError> {
        let mut body = message.body();
        let at = body.named("NXTTMFC_BAD_COMMAND");
        let command = TlvCommand(body.u16("command")?);
        let padding = body.array("padding")?;
        if command.0 > TlvCommand::CLEAR.0 {
            return Err(at.error("command", Fault::Value(command.0.into())));
        }
        let mappings = decode_mappings(body, FIELDS)?;
        Ok(TlvTableMod {
            command,
            padding,
            mappings,
        })
    }

    /// Writes the body.
    pub fn encode(&self, writer: &mut Writer<'_>) {
        writer.u16(self.command.0);
        writer.bytes(&self.padding);
        self.mappings.iter().for_each(|mapping| mapping.encode(writer));
    }
}

impl TlvTable {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// As Open vSwitch: for a length of an option or a field that there is not.
    pub fn decode(message: &Message<'_>) -> Result<Self, DecodeError> {
        let mut body = message.body();
        let space = TlvSpace::decode(&mut body)?;
        let mappings = decode_mappings(body, space.max_fields)?;
        Ok(TlvTable { space, mappings })
    }

    /// Writes the body.
    pub fn encode(&self, writer: &mut Writer<'_>) {
        self.space.encode(writer);
        self.mappings.iter().for_each(|mapping| mapping.encode(writer));
    }
}

/// The mappings, up to the end.
fn decode_mappings(mut body: Reader<'_>, max_fields: u16) -> Result<Vec<TlvMapping>, DecodeError> {
    let mut mappings = Vec::new();
    while !body.is_empty() {
        let at = body;
        let mapping = TlvMapping::decode(&mut body)?;
        let TlvMapping {
            option_len, index, ..
        } = mapping;
        if option_len % 4 != 0 || option_len > MAX_OPTION {
            let at = at.named("NXTTMFC_BAD_OPT_LEN");
            return Err(at.error("length of an option", Fault::Value(option_len.into())));
        }
        if index >= max_fields {
            let at = at.named("NXTTMFC_BAD_FIELD_IDX");
            return Err(at.error("field of an option", Fault::Value(index.into())));
        }
        mappings.push(mapping);
    }
    Ok(mappings)
}

/// As `ovs-ofctl` prints it.
impl fmt::Display for TlvTableMod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.command {
            TlvCommand::ADD => f.write_str("\n ADD")?,
            TlvCommand::DELETE => f.write_str("\n DEL")?,
            _ => return f.write_str("\n CLEAR"),
        }
        write_mappings(f, &self.mappings)
    }
}

/// As `ovs-ofctl dump-tlv-map` prints it.
impl fmt::Display for TlvTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TlvSpace {
            max_option_space,
            max_fields,
            ..
        } = self.space;
        let used: u32 = self
            .mappings
            .iter()
            .map(|mapping| u32::from(mapping.option_len))
            .sum();
        writeln!(
            f,
            "\n max option space={max_option_space} max fields={max_fields}"
        )?;
        writeln!(f, " allocated option space={used}\n")?;
        write_mappings(f, &self.mappings)
    }
}

fn write_mappings(f: &mut fmt::Formatter<'_>, mappings: &[TlvMapping]) -> fmt::Result {
    writeln!(f, " mapping table:\n  class  type  length  match field")?;
    write!(f, " ------  ----  ------  --------------")?;
    for mapping in mappings {
        // Zero has no prefix, as in C.
        let hex = |number: u16| match number {
            0 => alloc::string::String::from("0"),
            number => alloc::format!("{number:#x}"),
        };
        let (class, kind) = (hex(mapping.option_class), hex(mapping.option_type.into()));
        let TlvMapping {
            option_len, index, ..
        } = mapping;
        write!(
            f,
            "\n {class:>6}  {kind:>4}  {option_len:>6}  tun_metadata{index}"
        )?;
    }
    Ok(())
}

/// How many fields `tun_metadataN` there are.
const FIELDS: u16 = 64;

/// The greatest length of an option of Geneve, in bytes.
const MAX_OPTION: u8 = 124;
