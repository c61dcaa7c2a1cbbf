use alloc::vec::Vec;

use crate::{
    model::{
        action::Action,
        flow::Flow,
        validity::{
            self,
            order::{Place, verify},
        },
        version::Version,
    },
    wire::{
        action::{Actions, broken},
        error::{DecodeError, Fault},
        instruction::{Instructions, decode_program},
        read::Reader,
        write::Writer,
    },
};

/// What a flow does, as it stands in a message: instructions, or in OpenFlow 1.0 actions.
#[derive(Clone, Copy, Debug)]
pub struct ProgramRef<'a> {
    reader: Reader<'a>,
    version: Version,
}

impl<'a> ProgramRef<'a> {
    /// All that `reader` still has to read, of a message of this version.
    pub fn new(reader: Reader<'a>, version: Version) -> Self {
        ProgramRef { reader, version }
    }

    /// All its bytes.
    pub fn bytes(&self) -> &'a [u8] {
        self.reader.rest()
    }

    /// The instructions, of OpenFlow 1.1 and later.
    pub fn instructions(&self) -> Option<Instructions<'a>> {
        (self.version > Version::V1_0).then(|| Instructions::new(self.reader, self.version))
    }

    /// The actions: all of them in OpenFlow 1.0, later those that are applied.
    pub fn actions(&self) -> Option<Actions<'a>> {
        match self.instructions() {
            None => Some(Actions::new(self.reader, self.version)),
            Some(instructions) => instructions
                .map_while(Result::ok)
                .find(|instruction| instruction.is_apply())
                .and_then(|instruction| instruction.actions()),
        }
    }

    /// What it does, in the order in which it is done. Which parts may stand together is not looked at: in
    /// OpenFlow 1.0 a switch sends flows that `ovs-ofctl` refuses.
    ///
    /// # Errors
    ///
    /// The first part that Open vSwitch refuses, with the name of its error.
    pub fn to_actions(&self) -> Result<Vec<Action>, DecodeError> {
        decode_program(self.reader, self.version)
    }

    /// Checks that these actions, which are its own, may stand together.
    pub(crate) fn check_order(&self, actions: &[Action]) -> Result<(), DecodeError> {
        verify(actions, self.version, Place::Flow)
            .map_err(|problem| broken(self.reader, problem, self.version))
    }

    /// Checks that Open vSwitch knows these actions, which are its own, and that they fit the match of
    /// their flow.
    pub(crate) fn check(&self, flow: &Flow) -> Result<(), DecodeError> {
        self.check_known(&flow.actions)?;
        validity::refused(flow, self.version).map_or(Ok(()), |name| self.refuse(name))
    }

    /// Checks that Open vSwitch knows these actions, which are its own.
    pub(crate) fn check_known(&self, actions: &[Action]) -> Result<(), DecodeError> {
        unknown(actions, self.version).map_or(Ok(()), |name| self.refuse(name))
    }

    fn refuse(&self, name: &'static str) -> Result<(), DecodeError> {
        Err(self.reader.named(name).error("actions", Fault::Combination))
    }

    /// Writes the very bytes that it was decoded from.
    pub(crate) fn encode(&self, writer: &mut Writer<'_>) {
        writer.bytes(self.bytes());
    }
}

/// Why Open vSwitch refuses one of these actions as one that it does not know.
pub(in crate::wire) fn unknown(actions: &[Action], version: Version) -> Option<&'static str> {
    actions.iter().find_map(|action| match action {
        // A switch sends them in every version, and `ovs-ofctl` refuses them: a bug of long standing.
        Action::Encap(_) | Action::Decap(_) | Action::DecNshTtl if version < Version::V1_3 => {
            Some("OFPBAC_BAD_VENDOR_TYPE")
        }
        // Known to a switch with the dummy datapath only.
        Action::DebugRecirc | Action::DebugSlow => Some("OFPBAC_BAD_VENDOR_TYPE"),
        Action::Raw(bytes) => Some(match **bytes {
            [0xff, 0xff, _, _, 0, 0, 0x23, 0x20, ..] => "OFPBAC_BAD_VENDOR_TYPE",
            [0xff, 0xff, ..] => "OFPBAC_BAD_VENDOR",
            _ => "OFPBAC_BAD_TYPE",
        }),
        Action::Clone(actions) | Action::WriteActions(actions) => unknown(actions, version),
        Action::Ct(ct) => unknown(&ct.exec, version),
        _ => None,
    })
}
