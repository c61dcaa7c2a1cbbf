//! Actions with a list of arguments, or of actions.

use alloc::{boxed::Box, vec::Vec};

use crate::{
    model::{
        action::{
            Action,
            ct::NumberOrSubfield,
            encap::{Encap, NshProperty, PacketType},
            report::{Controller, PacketInReason, Sample, SampleDirection},
            select::{Bundle, BundleAlgorithm, HashFields, Multipath, MultipathAlgorithm},
        },
        port::PortRef,
    },
    text::{
        action::{
            Argument, Entry,
            ct::{ct, nat},
            entries,
            learn::learn,
            list, pair,
        },
        error::Fault,
        value::Token,
    },
};

/// `None`: it is none of these, or has an argument that is not known.
pub(super) fn action(item: Token<'_>, entry: Entry<'_>, depth: usize) -> Result<Option<Action>, Fault> {
    let end = item.from(item.text.len());
    let arguments = match entry.argument {
        Argument::None => end,
        Argument::Value(arguments) => arguments,
        _ => return Ok(None),
    };
    let bare = matches!(entry.argument, Argument::None);
    Ok(match entry.key {
        b"ct" => ct(arguments, depth)?.map(Action::Ct),
        b"nat" => nat(arguments)?.map(|nat| Action::Nat(Box::new(nat))),
        b"controller" | b"CONTROLLER" => controller(arguments)?,
        key if key.eq_ignore_ascii_case(b"controller") => controller(arguments)?,
        _ if bare => None,
        b"learn" => learn(arguments)?.map(Action::Learn),
        b"clone" => Some(Action::Clone(list(arguments, depth)?)),
        b"write_actions" => Some(Action::WriteActions(list(arguments, depth)?)),
        b"bundle" | b"bundle_load" => bundle(arguments, entry.key == b"bundle_load")?,
        b"multipath" => multipath(arguments)?,
        b"sample" => sample(arguments)?,
        b"encap" => encap(arguments)?.map(Action::Encap),
        b"decap" => decap(arguments)?,
        b"fin_timeout" => fin_timeout(arguments)?,
        b"unroll_xlate" => unroll_xlate(arguments)?,
        _ => None,
    })
}

pub(super) fn number_or_subfield<'a, T>(
    value: Token<'a>,
    number: impl FnOnce(Token<'a>) -> Result<T, Fault>,
) -> Result<NumberOrSubfield<T>, Fault> {
    match value.text.first() {
        Some(b'0'..=b'9') | None => number(value).map(NumberOrSubfield::Number),
        Some(_) => value.subfield().map(NumberOrSubfield::Subfield),
    }
}

fn controller(arguments: Token<'_>) -> Result<Option<Action>, Fault> {
    if !arguments.text.is_empty() && arguments.text.iter().all(u8::is_ascii_digit) {
        let max_len = arguments.u16()?;
        return Ok(Some(Action::Controller { max_len }));
    }
    let mut controller = Controller::default();
    for item in entries(arguments) {
        let (key, value) = pair(item?);
        match key {
            b"reason" => {
                let reason = PacketInReason::from_word(value.text);
                controller.reason = reason.ok_or_else(|| value.expected("a reason"))?;
            }
            b"max_len" => controller.max_len = value.u16()?,
            b"id" => controller.id = value.u16()?,
            b"userdata" => controller.userdata = value.dotted()?,
            b"pause" => controller.pause = true,
            b"meter_id" => controller.meter_id = Some(value.u32()?),
            _ => return Ok(None),
        }
    }
    let max_len = controller.max_len;
    let only = Controller {
        max_len,
        ..Controller::default()
    };
    Ok(Some(match controller == only {
        true => Action::Controller { max_len },
        false => Action::ControllerWith(Box::new(controller)),
    }))
}

/// `FIELDS,BASIS,ALGORITHM,ofport,[DST,]members:PORT,..`.
fn bundle(arguments: Token<'_>, load: bool) -> Result<Option<Action>, Fault> {
    let mut items = entries(arguments);
    let mut next = || {
        items
            .next()
            .unwrap_or_else(|| Err(arguments.expected("more arguments")))
    };
    let Some(fields) = HashFields::from_word(next()?.text) else {
        return Ok(None);
    };
    let basis = next()?.u16()?;
    let Some(algorithm) = BundleAlgorithm::from_word(next()?.text) else {
        return Ok(None);
    };
    let kind = next()?;
    if kind.text != b"ofport" {
        return Err(kind.expected("`ofport`"));
    }
    let dst = if load { Some(next()?.subfield()?) } else { None };
    let first = next()?;
    let (key, first_port) = pair(first);
    // The older word was printed until release 2.14.
    if key != b"members" && key != b"slaves" {
        return Err(first.expected("`members:`"));
    }
    let mut members: Vec<PortRef> = Vec::new();
    for port in core::iter::once(Ok(first_port)).chain(items) {
        let mut port = port?;
        // Brackets around them are for people.
        if let [b'[', ..] = port.text {
            port = port.from(1);
        }
        if let [.., b']'] = port.text {
            port = port.until(port.text.len() - 1);
        }
        if !port.text.is_empty() {
            members.push(port.port()?);
        }
    }
    Ok(Some(Action::Bundle(Box::new(Bundle {
        fields,
        basis,
        algorithm,
        members,
        dst,
    }))))
}

/// `FIELDS,BASIS,ALGORITHM,N_LINKS,ARG,DST`.
fn multipath(arguments: Token<'_>) -> Result<Option<Action>, Fault> {
    let mut items = entries(arguments);
    let mut next = || {
        items
            .next()
            .unwrap_or_else(|| Err(arguments.expected("more arguments")))
    };
    let Some(fields) = HashFields::from_word(next()?.text) else {
        return Ok(None);
    };
    let basis = next()?.u16()?;
    let Some(algorithm) = MultipathAlgorithm::from_word(next()?.text) else {
        return Ok(None);
    };
    let links = next()?;
    let n_links = links.uint(MAX_LINKS)?;
    if n_links == 0 {
        return Err(links.expected("1 link or more"));
    }
    let (arg, dst) = (next()?.u32()?, next()?.subfield()?);
    Ok(Some(Action::Multipath(Box::new(Multipath {
        fields,
        basis,
        algorithm,
        n_links,
        arg,
        dst,
    }))))
}

fn sample(arguments: Token<'_>) -> Result<Option<Action>, Fault> {
    let mut sample = Sample {
        probability: 0,
        collector_set_id: 0,
        obs_domain_id: NumberOrSubfield::Number(0),
        obs_point_id: NumberOrSubfield::Number(0),
        sampling_port: None,
        direction: None,
    };
    for item in entries(arguments) {
        let (key, value) = pair(item?);
        match key {
            b"probability" => sample.probability = value.u16()?,
            b"collector_set_id" => sample.collector_set_id = value.u32()?,
            b"obs_domain_id" => sample.obs_domain_id = number_or_subfield(value, Token::u32)?,
            b"obs_point_id" => sample.obs_point_id = number_or_subfield(value, Token::u32)?,
            b"sampling_port" => sample.sampling_port = Some(value.port()?),
            b"ingress" => sample.direction = Some(SampleDirection::Ingress),
            b"egress" => sample.direction = Some(SampleDirection::Egress),
            _ => return Ok(None),
        }
    }
    if sample.probability == 0 {
        return Err(arguments.expected("a probability above 0"));
    }
    Ok(Some(Action::Sample(Box::new(sample))))
}

fn encap(arguments: Token<'_>) -> Result<Option<Encap>, Fault> {
    let (key, properties) = pair(arguments);
    let mut found = Vec::new();
    for item in entries(properties) {
        let (key, value) = pair(item?);
        match key {
            b"md_type" => found.push(NshProperty::MdType(value.u8()?)),
            b"tlv" => {
                let parts = value.split(b",").and_then(|(a, b)| Some((a, b.split(b",")?)));
                let (class, (kind, data)) =
                    parts.ok_or_else(|| value.expected("a class, a type and a value"))?;
                found.push(NshProperty::Tlv {
                    class: class.u16()?,
                    kind: kind.u8()?,
                    value: data.hex_bytes()?,
                });
            }
            _ => return Ok(None),
        }
    }
    Ok(match key {
        b"nsh" => Some(Encap::Nsh(found)),
        _ if !found.is_empty() => None,
        b"ethernet" => Some(Encap::Ethernet),
        b"mpls" => Some(Encap::Mpls),
        b"mpls_mc" => Some(Encap::MplsMulticast),
        _ => None,
    })
}

fn decap(arguments: Token<'_>) -> Result<Option<Action>, Fault> {
    let (key, value) = pair(arguments);
    let (mut namespace, mut kind) = (None, None);
    match key {
        [] if arguments.text.is_empty() => return Ok(Some(Action::Decap(None))),
        b"packet_type" => {}
        _ => return Ok(None),
    }
    for item in entries(value) {
        let (key, value) = pair(item?);
        match key {
            b"ns" => namespace = Some(value.u16()?),
            b"type" => kind = Some(value.u16()?),
            _ => return Ok(None),
        }
    }
    match (namespace, kind) {
        (Some(namespace), Some(kind)) => Ok(Some(Action::Decap(Some(PacketType { namespace, kind })))),
        _ => Err(value.expected("`ns=` and `type=`")),
    }
}

fn fin_timeout(arguments: Token<'_>) -> Result<Option<Action>, Fault> {
    let (mut idle_timeout, mut hard_timeout) = (0, 0);
    for item in entries(arguments) {
        let (key, value) = pair(item?);
        match key {
            b"idle_timeout" => idle_timeout = value.u16()?,
            b"hard_timeout" => hard_timeout = value.u16()?,
            _ => return Ok(None),
        }
    }
    Ok(Some(Action::FinTimeout {
        idle_timeout,
        hard_timeout,
    }))
}

fn unroll_xlate(arguments: Token<'_>) -> Result<Option<Action>, Fault> {
    let (mut table, mut cookie) = (0, 0);
    for item in entries(arguments) {
        let (key, value) = pair(item?);
        match key {
            b"table" => table = value.u8()?,
            b"cookie" => cookie = value.u64()?,
            _ => return Ok(None),
        }
    }
    Ok(Some(Action::UnrollXlate { table, cookie }))
}

/// `multipath_parse__` in lib/multipath.c.
const MAX_LINKS: u32 = 65536;
