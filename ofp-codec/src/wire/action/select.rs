//! Hashes, samples and conjunctions.

use crate::{
    model::{
        action::{
            Action,
            ct::NumberOrSubfield,
            report::{Sample, SampleDirection},
            select::{Bundle, BundleAlgorithm, HashFields, Multipath, MultipathAlgorithm},
        },
        field::Field,
        port::{NumberOrName, Port, PortRef},
        validity::is_output,
    },
    wire::{
        action::{
            args::{Args, BAD_ARGUMENT, BAD_LEN, Bits, MUST_BE_ZERO, Out, split_ofs_nbits},
            table::Form,
        },
        error::{DecodeError, EncodeError, Fault},
    },
};

/// Fields, basis, padding, algorithm, links - 1, argument, padding, bits, field
/// (`struct nx_action_multipath`).
pub(super) fn multipath(args: &mut Args<'_>) -> Result<Action, DecodeError> {
    let (fields, basis) = (args.u16()?, args.u16()?);
    args.u16()?;
    let (algorithm, max_link, arg) = (args.u16()?, args.u16()?, args.u32()?);
    args.u16()?;
    let (first, len) = split_ofs_nbits(args.u16()?);
    let field = args.field()?;
    let n_links = u32::from(max_link) + 1;
    let (fields, algorithm) = (
        HashFields::from_number(fields).ok_or_else(|| args.refuse(fields, BAD_ARGUMENT))?,
        MultipathAlgorithm::from_number(algorithm).ok_or_else(|| args.refuse(algorithm, BAD_ARGUMENT))?,
    );
    args.check(
        n_links.next_power_of_two().trailing_zeros() <= len.into(),
        n_links,
        BAD_ARGUMENT,
    )?;
    Ok(Action::Multipath(
        Multipath {
            fields,
            basis,
            algorithm,
            n_links,
            arg,
            dst: args.writable(field, first, len)?,
        }
        .into(),
    ))
}

/// Algorithm, fields, basis, kind of member, members, bits, field, zeros, then the members, ports of 16
/// bits (`struct nx_action_bundle`).
pub(super) fn bundle(args: &mut Args<'_>, load: bool) -> Result<Action, DecodeError> {
    let (algorithm, fields, basis) = (args.u16()?, args.u16()?, args.u16()?);
    let (kind, count, ofs_nbits) = (args.u32()?, args.u16()?, args.u16()?);
    let header = args.reader;
    let dst = args.u32()?;
    let is_zero = args.zeros(4, BAD_ARGUMENT);
    let known = HashFields::from_number(fields).zip(BundleAlgorithm::from_number(algorithm));
    let in_port = kind == IN_PORT && count <= MAX_MEMBERS;
    let allowed = in_port && is_zero.is_ok() && known.is_some();
    let (first, len) = split_ofs_nbits(ofs_nbits);
    let field = match load {
        true => {
            let members = core::mem::replace(&mut args.reader, header);
            let field = args.field()?;
            args.reader = members;
            Some(field)
        }
        false => None,
    };
    if args.reader.len() < 2 * usize::from(count) {
        let fault = Fault::Truncated {
            wanted: 2 * usize::from(count),
            got: args.reader.len(),
        };
        return Err(args.error(fault, BAD_LEN));
    }
    let Some((fields, algorithm)) = known.filter(|_| allowed) else {
        return Err(args.refuse(kind, BAD_ARGUMENT));
    };
    let wide_enough = if load {
        len >= 16
    } else {
        ofs_nbits == 0 && dst == 0
    };
    args.check(wide_enough, ofs_nbits, BAD_ARGUMENT)?;
    let dst = field.map(|field| args.writable(field, first, len)).transpose()?;
    let members = (0..count).map(|_| {
        let port = args.port16()?;
        // There is no place for the bytes that a controller gets.
        let allowed = port == Port::ANY || is_output(port) && port != Port::CONTROLLER;
        args.check(allowed, port.0, "OFPBAC_BAD_OUT_PORT")?;
        Ok(port.into())
    });
    let members = members.collect::<Result<_, _>>()?;
    Ok(Action::Bundle(
        Bundle {
            fields,
            basis,
            algorithm,
            members,
            dst,
        }
        .into(),
    ))
}

/// Clause, clauses, number (`struct nx_action_conjunction`).
pub(super) fn conjunction(args: &mut Args<'_>) -> Result<Action, DecodeError> {
    let (clause, n_clauses) = (args.u8()?, args.u8()?);
    let allowed = (2..=64).contains(&n_clauses) && clause < n_clauses;
    args.check(allowed, clause, "NXBAC_BAD_CONJUNCTION")?;
    Ok(Action::Conjunction {
        id: args.u32()?,
        clause: clause + 1,
        n_clauses,
    })
}

/// Probability, collectors, domain, point (`struct nx_action_sample`).
pub(super) fn sample(args: &mut Args<'_>) -> Result<Action, DecodeError> {
    let sample = numbers(args)?;
    finish(args, sample)
}

/// The same, then port and padding (`struct nx_action_sample2`).
pub(super) fn sample2(args: &mut Args<'_>) -> Result<Action, DecodeError> {
    let sample = numbers(args)?;
    let sampling_port = sampling_port(args)?;
    finish(
        args,
        Sample {
            sampling_port,
            ..sample
        },
    )
}

/// The same, then port, direction and zeros (`struct nx_action_sample2`).
pub(super) fn sample3(args: &mut Args<'_>) -> Result<Action, DecodeError> {
    let numbers = numbers(args)?;
    let sample = ported(args, numbers)?;
    finish(args, sample)
}

/// As the third, with bits or a number for domain and point (`struct nx_action_sample4`). These are checked last.
pub(super) fn sample4(args: &mut Args<'_>) -> Result<Action, DecodeError> {
    let (probability, collector_set_id) = (args.u16()?, args.u32()?);
    let ids = args.reader;
    args.bytes(16)?;
    let none = NumberOrSubfield::Number(0);
    let sample = ported(
        args,
        Sample {
            probability,
            collector_set_id,
            obs_domain_id: none.clone(),
            obs_point_id: none,
            sampling_port: None,
            direction: None,
        },
    )?;
    check(args, &sample)?;
    let end = core::mem::replace(&mut args.reader, ids);
    let (obs_domain_id, obs_point_id) = (number_or_bits(args)?, number_or_bits(args)?);
    args.reader = end;
    finish(
        args,
        Sample {
            obs_domain_id,
            obs_point_id,
            ..sample
        },
    )
}

fn numbers(args: &mut Args<'_>) -> Result<Sample, DecodeError> {
    Ok(Sample {
        probability: args.u16()?,
        collector_set_id: args.u32()?,
        obs_domain_id: NumberOrSubfield::Number(args.u32()?),
        obs_point_id: NumberOrSubfield::Number(args.u32()?),
        sampling_port: None,
        direction: None,
    })
}

fn number_or_bits(args: &mut Args<'_>) -> Result<NumberOrSubfield<u32>, DecodeError> {
    let header = args.reader;
    if args.u32()? == 0 {
        return args.u32().map(NumberOrSubfield::Number);
    }
    args.reader = header;
    let field = args.field()?;
    let (first, len) = split_ofs_nbits(args.u16()?);
    args.bytes(2)?;
    let bits = args.bits(field, first, len)?;
    args.check(len <= 32, len, BAD_ARGUMENT)?;
    Ok(NumberOrSubfield::Subfield(bits))
}

fn ported(args: &mut Args<'_>, sample: Sample) -> Result<Sample, DecodeError> {
    let sampling_port = sampling_port(args)?;
    let direction = args.u8()?;
    args.zeros(5, MUST_BE_ZERO)?;
    let direction = match direction {
        0 => None,
        1 => Some(SampleDirection::Ingress),
        2 => Some(SampleDirection::Egress),
        other => return Err(args.refuse(other, BAD_ARGUMENT)),
    };
    Ok(Sample {
        sampling_port,
        direction,
        ..sample
    })
}

fn sampling_port(args: &mut Args<'_>) -> Result<Option<PortRef>, DecodeError> {
    let port = args.port16()?;
    Ok(Some(port.into()).filter(|_| port != Port::ANY))
}

fn finish(args: &Args<'_>, sample: Sample) -> Result<Action, DecodeError> {
    check(args, &sample)?;
    Ok(Action::Sample(sample.into()))
}

fn check(args: &Args<'_>, sample: &Sample) -> Result<(), DecodeError> {
    args.check(sample.probability != 0, 0_u8, BAD_ARGUMENT)
}

impl Out<'_, '_> {
    pub(super) fn multipath(&mut self, multipath: &Multipath) -> Result<(), EncodeError> {
        let dst = Bits::of(&multipath.dst)?;
        let max_link = multipath
            .n_links
            .checked_sub(1)
            .and_then(|max| u16::try_from(max).ok());
        let max_link = max_link.ok_or(EncodeError::OutOfRange {
            what: "number of links",
            value: multipath.n_links.into(),
        })?;
        self.action(Form::Multipath, |out| {
            out.writer.u16(multipath.fields.number());
            out.writer.u16(multipath.basis);
            out.writer.u16(0);
            out.writer.u16(multipath.algorithm.number());
            out.writer.u16(max_link);
            out.writer.u32(multipath.arg);
            out.writer.u16(0);
            out.ofs_nbits(&dst)?;
            out.field(dst.field)
        })
    }

    pub(super) fn bundle(&mut self, bundle: &Bundle) -> Result<(), EncodeError> {
        let dst = bundle.dst.as_ref().map(Bits::of).transpose()?;
        let form = if dst.is_some() {
            Form::BundleLoad
        } else {
            Form::Bundle
        };
        let count = u16::try_from(bundle.members.len()).map_err(|_| EncodeError::TooLong {
            what: "members of a bundle",
            len: bundle.members.len(),
            limit: MAX_MEMBERS.into(),
        })?;
        self.action(form, |out| {
            out.writer.u16(bundle.algorithm.number());
            out.writer.u16(bundle.fields.number());
            out.writer.u16(bundle.basis);
            out.field(Field::InPort)?;
            out.writer.u16(count);
            match &dst {
                Some(dst) => {
                    out.ofs_nbits(dst)?;
                    out.field(dst.field)?;
                    out.writer.zeros(4);
                }
                None => out.writer.zeros(10),
            }
            bundle.members.iter().try_for_each(|port| out.port16(port))
        })
    }

    pub(super) fn conjunction(&mut self, id: u32, clause: u8, n_clauses: u8) -> Result<(), EncodeError> {
        let clause = clause.checked_sub(1).ok_or(EncodeError::OutOfRange {
            what: "clause of a conjunction",
            value: 0,
        })?;
        self.action(Form::Conjunction, |out| {
            out.writer.u8(clause);
            out.writer.u8(n_clauses);
            out.writer.u32(id);
            Ok(())
        })
    }

    /// In the oldest form that has room for all arguments.
    pub(super) fn sample(&mut self, sample: &Sample) -> Result<(), EncodeError> {
        let ids = [&sample.obs_domain_id, &sample.obs_point_id];
        let has_bits = ids.iter().any(|id| matches!(id, NumberOrSubfield::Subfield(_)));
        let form = match (has_bits, sample.direction, &sample.sampling_port) {
            (true, ..) => Form::Sample4,
            (_, Some(_), _) => Form::Sample3,
            (.., Some(_)) => Form::Sample2,
            _ => Form::Sample,
        };
        self.action(form, |out| {
            out.writer.u16(sample.probability);
            out.writer.u32(sample.collector_set_id);
            for id in ids {
                out.sample_id(id, form)?;
            }
            if form == Form::Sample {
                return Ok(());
            }
            let any = NumberOrName::Number(Port::ANY);
            out.port16(sample.sampling_port.as_ref().unwrap_or(&any))?;
            out.writer.u8(match sample.direction {
                None => 0,
                Some(SampleDirection::Ingress) => 1,
                Some(SampleDirection::Egress) => 2,
            });
            out.writer.zeros(5);
            Ok(())
        })
    }

    fn sample_id(&mut self, id: &NumberOrSubfield<u32>, form: Form) -> Result<(), EncodeError> {
        match id {
            NumberOrSubfield::Number(number) => {
                if form == Form::Sample4 {
                    self.writer.u32(0);
                }
                self.writer.u32(*number);
            }
            NumberOrSubfield::Subfield(bits) => {
                let bits = Bits::of(bits)?;
                self.field(bits.field)?;
                self.ofs_nbits(&bits)?;
                self.writer.zeros(2);
            }
        }
        Ok(())
    }
}

/// `BUNDLE_MAX_MEMBERS`.
const MAX_MEMBERS: u16 = 2048;
/// `NXM_OF_IN_PORT`: the only kind of member there is.
const IN_PORT: u32 = 0x0000_0002;
