//! Sending packets to ports, controllers and tables.

use alloc::vec::Vec;

use crate::{
    model::{
        action::{
            Action,
            report::{Controller, PacketInReason},
        },
        port::{NumberOrName, Port, PortRef, TableRef},
        subfield::Subfield,
        validity::is_output,
        version::Version,
    },
    wire::{
        action::{
            args::{Args, BAD_ARGUMENT, Bits, MUST_BE_ZERO, NO_TABLE, Out, port_number, split_ofs_nbits},
            table::Form,
        },
        error::{DecodeError, EncodeError, Fault},
        read::Reader,
    },
};

/// Port of 16 bits, bytes for the controller (`struct ofp10_action_output`).
pub(super) fn output10(args: &mut Args<'_>) -> Result<Action, DecodeError> {
    let port = args.port16()?;
    let max_len = args.u16()?;
    to_port(args, port, max_len)
}

/// Port of 32 bits, bytes for the controller, padding (`struct ofp11_action_output`).
pub(super) fn output(args: &mut Args<'_>) -> Result<Action, DecodeError> {
    let number = args.u32()?;
    let port = Port::from_32_bits(number).ok_or_else(|| args.refuse(number, BAD_OUT_PORT))?;
    let max_len = args.u16()?;
    to_port(args, port, max_len)
}

fn to_port(args: &Args<'_>, port: Port, max_len: u16) -> Result<Action, DecodeError> {
    args.check(is_output(port), port.0, BAD_OUT_PORT)?;
    Ok(match port {
        Port::CONTROLLER => Action::Controller { max_len },
        port => Action::Output(port.into()),
    })
}

/// Port of 16 bits, padding, queue (`struct ofp10_action_enqueue`).
pub(super) fn enqueue(args: &mut Args<'_>) -> Result<Action, DecodeError> {
    let port = args.port16()?;
    args.bytes(6)?;
    let queue = args.u32()?;
    let allowed = port.0 < MAX_PORT || port == Port::IN_PORT || port == Port::LOCAL;
    args.check(allowed, port.0, BAD_OUT_PORT)?;
    Ok(Action::Enqueue {
        port: port.into(),
        queue,
    })
}

/// Port of 16 bits, bytes (`struct nx_action_output_trunc`).
pub(super) fn output_trunc(args: &mut Args<'_>) -> Result<Action, DecodeError> {
    let port = args.port16()?.into();
    let max_len = args.u32()?;
    args.check(max_len >= MIN_TRUNC, max_len, BAD_ARGUMENT)?;
    Ok(Action::OutputTrunc { port, max_len })
}

/// Bits, field, bytes for the controller, zeros (`struct nx_action_output_reg`).
pub(super) fn output_reg(args: &mut Args<'_>) -> Result<Action, DecodeError> {
    let (first, len) = split_ofs_nbits(args.u16()?);
    let header = args.reader;
    args.bytes(4)?;
    args.u16()?;
    args.zeros(6, BAD_ARGUMENT)?;
    args.reader = header;
    let field = args.field()?;
    args.bits(field, first, len).map(Action::OutputReg)
}

/// Bits, bytes for the controller, field, zeros (`struct nx_action_output_reg2`).
pub(super) fn output_reg2(args: &mut Args<'_>) -> Result<Action, DecodeError> {
    let (first, len) = split_ofs_nbits(args.u16()?);
    args.u16()?;
    let field = args.oxm_field()?;
    args.rest_is_zero(MUST_BE_ZERO)?;
    args.bits(field, first, len).map(Action::OutputReg)
}

/// Port of 16 bits, which counts alone.
pub(super) fn resubmit(args: &mut Args<'_>) -> Result<Action, DecodeError> {
    let port = args.port16()?;
    Ok(to_table(port, NO_TABLE, false))
}

/// Port of 16 bits, table, zeros (`struct nx_action_resubmit`).
pub(super) fn resubmit_table(args: &mut Args<'_>, ct: bool) -> Result<Action, DecodeError> {
    let (port, table) = (args.port16()?, args.u8()?);
    args.zeros(3, BAD_ARGUMENT)?;
    Ok(to_table(port, table, ct))
}

fn to_table(port: Port, table: u8, ct: bool) -> Action {
    Action::Resubmit {
        port: Some(port.into()).filter(|_| port != Port::IN_PORT),
        table: Some(table.into()).filter(|_| table != NO_TABLE),
        ct,
    }
}

/// Number of controllers, zeros, controllers (`struct nx_action_cnt_ids`).
pub(super) fn dec_ttl(args: &mut Args<'_>) -> Result<Action, DecodeError> {
    let count = args.u16()?;
    args.zeros(4, MUST_BE_ZERO)?;
    let ids: Result<Vec<_>, _> = (0..count).map(|_| args.u16()).collect();
    ids.map(Some).map(Action::DecTtl)
}

/// Timeouts (`struct nx_action_fin_timeout`).
pub(super) fn fin_timeout(args: &mut Args<'_>) -> Result<Action, DecodeError> {
    Ok(Action::FinTimeout {
        idle_timeout: args.u16()?,
        hard_timeout: args.u16()?,
    })
}

/// Bytes, controller, reason, a zero (`struct nx_action_controller`).
pub(super) fn controller(args: &mut Args<'_>) -> Result<Action, DecodeError> {
    Ok(to_controller(Controller {
        max_len: args.u16()?,
        id: args.u16()?,
        reason: PacketInReason(args.u8()?),
        ..Controller::default()
    }))
}

/// Zeros and properties (`enum nx_action_controller2_prop_type`).
///
/// Open vSwitch pads a property to a multiple of 8 bytes of the *message* (`ofpprop_end` in
/// lib/ofp-prop.c) where the receiver counts from the action: of the flow dump of OpenFlow 1.0, whose
/// header has 12 bytes, it does not take what it writes itself. Both are read here.
pub(super) fn controller2(args: &mut Args<'_>) -> Result<Action, DecodeError> {
    args.zeros(6, MUST_BE_ZERO)?;
    let from_action = properties(args, args.reader.offset());
    let controller = from_action.or_else(|error| properties(args, 0).map_err(|_| error))?;
    Ok(to_controller(controller))
}

/// Reads properties that begin at multiples of 8 bytes from byte `origin` of the message on.
fn properties(args: &Args<'_>, origin: usize) -> Result<Controller, DecodeError> {
    let mut controller = Controller::default();
    let mut reader = args.reader.named(BAD_PROPERTY);
    // Zeros that make the whole action a multiple of 8.
    while !reader.is_empty() && (reader.len() >= 8 || reader.rest().iter().any(|byte| *byte != 0)) {
        let start = reader;
        let (kind, len) = (reader.u16("property")?, reader.u16("property")?.into());
        reader = start;
        let mut property = reader.part(len, "property")?;
        let end = reader.offset() - origin;
        reader.bytes(end.next_multiple_of(8) - end, "property")?;
        if property.bytes(4, "property").is_err() {
            return Err(start.error("property", Fault::Length { wanted: 4, got: len }));
        }
        match kind {
            0 => controller.max_len = property.u16("max_len")?,
            1 => controller.id = property.u16("controller id")?,
            2 => controller.reason = PacketInReason(property.u8("reason")?),
            3 => controller.userdata = property.rest().into(),
            4 => controller.pause = true,
            5 if property.len() == 4 => {
                controller.meter_id = Some(property.u32("meter")?).filter(|id| *id != 0);
            }
            5 => return Err(start.error("meter", Fault::Length { wanted: 8, got: len })),
            _ => return Err(args.refuse(kind, unknown_property(kind, property))),
        }
    }
    Ok(controller)
}

fn unknown_property(kind: u16, mut property: Reader<'_>) -> &'static str {
    match (kind, property.u32("experimenter"), property.u32("type")) {
        (0xffff, Ok(0), _) => "OFPBPC_BAD_EXPERIMENTER",
        (0xffff, Ok(_), Ok(_)) => "OFPBPC_BAD_EXP_TYPE",
        (0xffff, ..) => BAD_PROPERTY,
        _ => "OFPBPC_BAD_TYPE",
    }
}

/// What says no more than [`Action::Controller`] is one, as in text.
fn to_controller(controller: Controller) -> Action {
    let max_len = controller.max_len;
    let plain = Controller {
        max_len,
        ..Controller::default()
    };
    match controller == plain {
        true => Action::Controller { max_len },
        false => Action::ControllerWith(controller.into()),
    }
}

impl Out<'_, '_> {
    /// The bytes are those for the controller; they say nothing of another port.
    pub(super) fn output(&mut self, port: &PortRef, max_len: u16) -> Result<(), EncodeError> {
        let number = port_number(port)?;
        if self.version() <= Version::V1_0 {
            return self.action(Form::Output10, |out| {
                out.port16(port)?;
                out.writer.u16(max_len);
                Ok(())
            });
        }
        self.action(Form::Output, |out| {
            out.writer.u32(number.0);
            out.writer.u16(max_len);
            out.writer.zeros(6);
            Ok(())
        })
    }

    /// After OpenFlow 1.0 three actions.
    pub(super) fn enqueue(&mut self, port: &PortRef, queue: u32) -> Result<(), EncodeError> {
        if self.version() > Version::V1_0 {
            self.number(Form::SetQueue, queue.to_be_bytes())?;
            self.output(port, u16::MAX)?;
            return self.empty(Form::PopQueue);
        }
        self.action(Form::Enqueue, |out| {
            out.port16(port)?;
            out.writer.zeros(6);
            out.writer.u32(queue);
            Ok(())
        })
    }

    pub(super) fn output_trunc(&mut self, port: &PortRef, max_len: u32) -> Result<(), EncodeError> {
        self.action(Form::OutputTrunc, |out| {
            out.port16(port)?;
            out.writer.u32(max_len);
            Ok(())
        })
    }

    /// In the newer form only where the field needs it.
    pub(super) fn output_reg(&mut self, src: &Subfield) -> Result<(), EncodeError> {
        let src = Bits::of(src)?;
        if src.has_experimenter() {
            return self.action(Form::OutputReg2, |out| {
                let start = out.writer.len();
                out.ofs_nbits(&src)?;
                out.writer.u16(u16::MAX);
                out.oxm_field(src.field, None)?;
                out.writer.zeros(start + 14 - out.writer.len());
                Ok(())
            });
        }
        self.action(Form::OutputReg, |out| {
            out.ofs_nbits(&src)?;
            out.field(src.field)?;
            out.writer.u16(u16::MAX);
            out.writer.zeros(6);
            Ok(())
        })
    }

    pub(super) fn resubmit(
        &mut self,
        port: Option<&PortRef>,
        table: Option<&TableRef>,
        ct: bool,
    ) -> Result<(), EncodeError> {
        let form = if ct {
            Form::ResubmitTableCt
        } else {
            Form::ResubmitTable
        };
        self.action(form, |out| {
            out.port16(port.unwrap_or(&NumberOrName::Number(Port::IN_PORT)))?;
            out.table(table)?;
            out.writer.zeros(3);
            Ok(())
        })
    }

    pub(super) fn dec_ttl(&mut self, ids: &[u16]) -> Result<(), EncodeError> {
        let count = u16::try_from(ids.len()).map_err(|_| EncodeError::TooLong {
            what: "dec_ttl",
            len: ids.len(),
            limit: u16::MAX.into(),
        })?;
        self.action(Form::DecTtlCntIds, |out| {
            out.writer.u16(count);
            out.writer.zeros(4);
            ids.iter().for_each(|id| out.writer.u16(*id));
            Ok(())
        })
    }

    pub(super) fn fin_timeout(&mut self, idle_timeout: u16, hard_timeout: u16) -> Result<(), EncodeError> {
        self.action(Form::FinTimeout, |out| {
            out.writer.u16(idle_timeout);
            out.writer.u16(hard_timeout);
            out.writer.zeros(2);
            Ok(())
        })
    }

    /// In the newer form only where the arguments need it.
    pub(super) fn controller(&mut self, controller: &Controller) -> Result<(), EncodeError> {
        let Controller {
            reason,
            max_len,
            id,
            userdata,
            pause,
            meter_id,
        } = controller;
        if userdata.is_empty() && !pause && meter_id.is_none() {
            return self.action(Form::Controller, |out| {
                out.writer.u16(*max_len);
                out.writer.u16(*id);
                out.writer.u8(reason.0);
                out.writer.zeros(1);
                Ok(())
            });
        }
        self.action(Form::Controller2, |out| {
            out.writer.zeros(6);
            if *max_len != u16::MAX {
                out.property(0, &[max_len.to_be_bytes(), [0; 2]].concat())?;
            }
            if *id != 0 {
                out.property(1, &[id.to_be_bytes(), [0; 2]].concat())?;
            }
            if *reason != PacketInReason::ACTION {
                out.property(2, &[reason.0])?;
            }
            if !userdata.is_empty() {
                out.property(3, userdata)?;
            }
            if *pause {
                out.property(4, &[])?;
            }
            if let Some(meter) = meter_id {
                out.property(5, &meter.to_be_bytes())?;
            }
            Ok(())
        })
    }

    fn property(&mut self, kind: u16, value: &[u8]) -> Result<(), EncodeError> {
        let start = self.writer.len();
        self.writer.u16(kind);
        self.writer.u16(0);
        self.writer.bytes(value);
        self.writer.fill_len(start + 2, start, "property")?;
        self.writer.pad(start, 8);
        Ok(())
    }
}

/// `OFPP_MAX`: greater numbers are reserved ports, or none.
const MAX_PORT: u32 = 0xff00;
/// `ETH_HEADER_LEN`.
const MIN_TRUNC: u32 = 14;
const BAD_OUT_PORT: &str = "OFPBAC_BAD_OUT_PORT";
const BAD_PROPERTY: &str = "OFPBPC_BAD_LEN";
