//! Messages as `ovs-ofctl ofp-print` prints them.

use alloc::{
    string::{String, ToString as _},
    vec::Vec,
};
use core::fmt::{self, Write as _};

use crate::{
    model::{
        group::{Group, GroupStats},
        meter::{Meter, MeterId, MeterStats},
        port::Port,
        print::Hex,
        version::Version,
    },
    wire::{
        aggregate::Aggregate,
        bundle::{BundleAdd, BundleControl},
        entries::{Entries, Entry},
        error::{DecodeError, Fault},
        error_message::ErrorMessage,
        flow_mod::FlowModRef,
        flow_removed::FlowRemovedRef,
        flow_request::FlowRequest,
        flow_stats::FlowStatsRef,
        group::GroupMod,
        header::Header,
        hello::Hello,
        kind::MessageKind,
        message::Message,
        meter::{MeterFeatures, MeterMod},
        monitor::FlowUpdate,
        packet::{PacketIn, PacketOut},
        port::{PortDesc, PortStats, PortStatus, decode_port},
        queue::QueueStats,
        role::RoleMessage,
        switch::{Description, Features, SwitchConfig},
    },
};

/// What `ovs-ofctl ofp-print` prints of it, without the end of the last line. Of a body that is
/// malformed, and of a kind that is not known, it is the error and the bytes in hexadecimal.
impl fmt::Display for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(whole(self, 0).trim_end_matches('\n'))
    }
}

/// The text of the message; `depth` is that of an error in whose data it stands.
fn whole(message: &Message<'_>, depth: u32) -> String {
    if message.kind().is_none() {
        let mut text = String::new();
        decode_error(&mut text, message.unknown_kind().name(), message.bytes());
        return text;
    }
    let mut text = head(message);
    let head_len = text.len();
    let written = body(message, depth, &mut text);
    if text.ends_with(' ') {
        text.pop();
    }
    if let Err(error) = written {
        match text.len() > head_len {
            true => end_line(&mut text),
            false => text.push(' '),
        }
        decode_error(&mut text, error.name, message.bytes());
    }
    end_line(&mut text);
    text
}

fn decode_error(text: &mut String, name: &str, bytes: &[u8]) {
    // Nothing fails that only appends to a string.
    let _ = writeln!(text, "***decode error: {name}***");
    hex_dump(text, bytes);
}

/// `OFPST_FLOW reply (OF1.3) (xid=0x2): flags=[more]`.
fn head(message: &Message<'_>) -> String {
    let header = message.header();
    let mut text = match (message.form(), message.kind()) {
        (Some(form), Some(kind)) => {
            let name = kind.name();
            let name = match form.namespace.is_multipart() {
                true => name.replace("_REPLY", " reply").replace("_REQUEST", " request"),
                false => name.to_string(),
            };
            alloc::format!("{}_{name}", form.prefix())
        }
        _ => String::new(),
    };
    let _ = match header.version {
        Version::V1_0 => Ok(()),
        Version(number @ 2..=6) => write!(text, " (OF1.{})", number - 1),
        Version(number) => write!(text, " (OF 0x{number:02x})"),
    };
    let _ = write!(text, " (xid={:#x}):", header.xid);
    let mut flags = message.flags();
    if flags != 0 {
        text.push_str(" flags=");
        if message.more() && (message.number().reply || header.version >= Version::V1_3) {
            text.push_str("[more]");
            flags &= !1;
        }
        if flags != 0 {
            let _ = write!(text, "[***unknown flags 0x{flags:04x}***]");
        }
    }
    text
}

/// What follows it; a row for each kind. What is written before an error stays.
fn body(message: &Message<'_>, depth: u32, text: &mut String) -> Result<(), DecodeError> {
    use MessageKind as Kind;
    match message.kind() {
        Some(Kind::Hello) => text.push_str(&hello(message)),
        Some(Kind::Error) => error(message, depth, text)?,
        Some(Kind::EchoRequest | Kind::EchoReply) => {
            let _ = writeln!(text, " {} bytes of payload", message.body().len());
        }
        Some(Kind::FeaturesReply) => put(text, &Features::decode(message)?),
        Some(Kind::GetConfigReply) => put(text, &SwitchConfig::decode(message)?),
        Some(Kind::SetConfig) => {
            let config = SwitchConfig::decode(message)?;
            config.check(message)?;
            put(text, &config);
        }
        Some(Kind::DescReply) => put(text, &Description::decode(message)?),
        Some(Kind::PortStatus) => put(text, &PortStatus::decode(message)?),
        Some(Kind::PortDescRequest) => {
            let all = message.body().is_empty();
            let port = if all {
                Port::ANY
            } else {
                decode_port(&mut message.body())?
            };
            let _ = write!(text, " port={port}");
        }
        Some(Kind::PortRequest) => {
            let _ = write!(text, " port_no={}", port(message)?);
        }
        Some(Kind::PortDescReply) => {
            let mut error = None;
            let ports = Entries::of(message).map_while(|port| match port {
                Ok(port) => Some(port),
                Err(bad) => {
                    error = Some(bad.error);
                    None
                }
            });
            let mut ports: Vec<PortDesc> = ports.collect();
            ports.sort_by_key(|port| port.port);
            text.push('\n');
            ports.iter().for_each(|port| put(text, port));
            return error.map_or(Ok(()), Err);
        }
        Some(Kind::PortReply) => {
            let entries = Entries::<PortStats>::of(message);
            let _ = writeln!(text, " {} ports", entries.take_while(Result::is_ok).count());
            each::<PortStats>(message, "", text)?;
        }
        Some(Kind::FlowMonitorReply) => {
            for update in Entries::<FlowUpdate>::of(message) {
                let update = update.map_err(|bad| bad.error)?;
                put(
                    text,
                    &format_args!("\n {}", update.canonical(message.header().version)),
                );
            }
        }
        Some(Kind::PacketIn | Kind::PacketIn2 | Kind::Resume) => put(text, &PacketIn::decode(message)?),
        Some(Kind::PacketOut) => put(text, &PacketOut::decode(message)?),
        Some(Kind::QueueReply) => {
            let entries = Entries::<QueueStats>::of(message);
            let _ = writeln!(text, " {} queues", entries.take_while(Result::is_ok).count());
            each::<QueueStats>(message, "", text)?;
        }
        Some(Kind::QueueRequest) => {
            let _ = write!(text, " port={}", port(message)?);
            let mut body = message.body();
            body.u32("port")?;
            match body.u32("queue")? {
                u32::MAX => text.push_str(" queue=ALL"),
                queue => put(text, &format_args!(" queue={queue}")),
            }
        }
        Some(Kind::GroupMod) => put(text, &format_args!("\n {}", GroupMod::decode(message)?)),
        Some(Kind::GroupDescReply) => each::<Group>(message, "\n ", text)?,
        Some(Kind::GroupReply) => each::<GroupStats>(message, "\n ", text)?,
        Some(Kind::GroupRequest) => put(text, &format_args!(" group_id={}", group_id(message)?)),
        Some(Kind::GroupDescRequest) => {
            let all = message.body().is_empty();
            let id = if all {
                "ALL".to_string()
            } else {
                group_id(message)?
            };
            put(text, &format_args!(" group_id={id}"));
        }
        Some(Kind::MeterMod) => put(text, &format_args!("{}\n", MeterMod::decode(message)?)),
        Some(Kind::MeterConfigReply) => lines::<Meter>(message, text)?,
        Some(Kind::MeterReply) => lines::<MeterStats>(message, text)?,
        Some(Kind::MeterRequest | Kind::MeterConfigRequest) => {
            let id = message.body().u32("meter")?;
            put(text, &format_args!(" meter={}", MeterId(id)));
        }
        Some(Kind::MeterFeaturesReply) => put(text, &MeterFeatures::decode(message)?),
        Some(Kind::RoleRequest | Kind::RoleReply) => put(text, &RoleMessage::decode(message)?),
        Some(Kind::RoleStatus) => {
            put(text, &RoleMessage::decode(message)?);
            let reasons = [
                "primary_request",
                "configuration_changed",
                "experimenter_data_changed",
            ];
            let reason = message
                .body()
                .rest()
                .get(4)
                .and_then(|at| reasons.get(usize::from(*at)));
            put(text, &format_args!(" reason={}", reason.unwrap_or(&"(unknown)")));
        }
        Some(Kind::BundleControl) => put(text, &BundleControl::decode(message)?),
        Some(Kind::BundleAddMessage) => {
            let BundleAdd {
                bundle,
                flags,
                message,
            } = BundleAdd::decode(message)?;
            put(
                text,
                &format_args!("\n bundle_id={} flags={flags}\n", Hex(bundle.into())),
            );
            bytes(message, depth, text);
        }
        Some(Kind::SetFlowFormat) => {
            let format = match message.body().u32("flow format")? {
                0 => "openflow10",
                2 => "nxm",
                _ => "(unknown)",
            };
            put(text, &format_args!(" format={format}"));
        }
        Some(Kind::SetPacketInFormat) => {
            let mut body = message.body().named("OFPBRC_EPERM");
            let at = body;
            let format = match body.u32("packet-in format")? {
                0 => "standard",
                1 => "nxt_packet_in",
                2 => "nxt_packet_in2",
                format => return Err(at.error("packet-in format", Fault::Value(format.into()))),
            };
            put(text, &format_args!(" format={format}"));
        }
        Some(Kind::FlowModTableId) => {
            let enable = message.body().u8("enable")? != 0;
            text.push_str(if enable { " enable" } else { " disable" });
        }
        Some(Kind::SetControllerId) => {
            let mut body = message.body();
            body.bytes(6, "padding")?;
            put(text, &format_args!(" id={}", body.u16("controller id")?));
        }
        Some(Kind::FlowMonitorCancel) => {
            put(text, &format_args!(" id={}", message.body().u32("monitor id")?));
        }
        Some(Kind::CtFlushZone) => {
            let mut body = message.body();
            body.bytes(6, "padding")?;
            put(text, &format_args!(" zone_id={}", body.u16("zone")?));
        }
        Some(Kind::FlowMod) => {
            let flow_mod = FlowModRef::decode(message)?.check()?;
            put(
                text,
                &format_args!(" {}", flow_mod.canonical(message.header().version)),
            );
        }
        Some(Kind::FlowRequest | Kind::AggregateRequest) => {
            let request = FlowRequest::decode(message)?;
            put(text, &request.canonical(message.header().version));
        }
        Some(Kind::FlowReply) => flows(message, text)?,
        Some(Kind::AggregateReply) => put(text, &format_args!(" {}", Aggregate::decode(message)?)),
        Some(Kind::FlowRemoved) => {
            let removed = FlowRemovedRef::decode(message)?;
            removed.matches.check()?;
            let removed = removed.to_flow_removed()?;
            let _ = writeln!(text, " {}", removed.canonical(message.header().version));
        }
        _ => {}
    }
    Ok(())
}

/// The flows up to the first one that Open vSwitch would refuse.
fn flows(message: &Message<'_>, text: &mut String) -> Result<(), DecodeError> {
    FlowStatsRef::entries(message)?.try_for_each(|entry| {
        let entry = entry.map_err(|bad| bad.error)?;
        let flow = entry.check()?.canonical(message.header().version);
        put(text, &format_args!("\n {flow}"));
        Ok(())
    })
}

/// The entries, each with this before it, up to the first one that is malformed.
fn each<'a, T: Entry<'a> + fmt::Display>(
    message: &Message<'a>,
    before: &str,
    text: &mut String,
) -> Result<(), DecodeError> {
    Entries::<T>::of(message).try_for_each(|entry| {
        let entry = entry.map_err(|bad| bad.error)?;
        text.push_str(before);
        put(text, &entry);
        Ok(())
    })
}

/// The entries, each with a line feed before and behind it.
fn lines<'a, T: Entry<'a> + fmt::Display>(
    message: &Message<'a>,
    text: &mut String,
) -> Result<(), DecodeError> {
    Entries::<T>::of(message).try_for_each(|entry| {
        let entry = entry.map_err(|bad| bad.error)?;
        put(text, &format_args!("\n{entry}\n"));
        Ok(())
    })
}

/// The number of the group that is asked for, or its word.
fn group_id(message: &Message<'_>) -> Result<String, DecodeError> {
    Ok(match message.body().u32("group")? {
        Group::ALL => "ALL".to_string(),
        Group::ANY => "ANY".to_string(),
        id => id.to_string(),
    })
}

fn put(text: &mut String, part: &dyn fmt::Display) {
    let _ = write!(text, "{part}");
}

/// The port with which the body begins.
fn port(message: &Message<'_>) -> Result<Port, DecodeError> {
    let mut body = message.body();
    match message.header().version {
        Version::V1_0 => Ok(Port::from_text_number(body.u16("port")?.into())),
        _ => decode_port(&mut body),
    }
}

fn hello(message: &Message<'_>) -> String {
    let Hello { versions, unknown } = Hello::decode(message);
    let mut text = alloc::format!("\n version bitmap: {versions}");
    if unknown {
        text.push_str("\n unknown data in hello:\n");
        hex_dump(&mut text, message.bytes());
    }
    text
}

/// The name, and the message that was refused, as far as it is there; of a hello that failed, text. An
/// error without a name is malformed to Open vSwitch.
fn error(message: &Message<'_>, depth: u32, text: &mut String) -> Result<(), DecodeError> {
    let error = ErrorMessage::decode(message)?;
    let Some(name) = error.error() else {
        let fault = Fault::Value(error.number.kind.into());
        return Err(message.body().error("error type", fault));
    };
    put(text, &format_args!(" {name}\n"));
    if error.is_of_hello() {
        for &byte in &error.data {
            match byte {
                b'\\' | b'"' | 0..32 | 127.. => put(text, &format_args!("\\{byte:03o}")),
                byte => text.push(byte.into()),
            }
        }
    } else {
        bytes(&error.data, depth, text);
    }
    Ok(())
}

/// What `ovs-ofctl ofp-print` prints of these bytes, whether they are a whole message, the beginning of
/// one, or none.
pub fn print(bytes: &[u8]) -> String {
    let mut text = String::new();
    self::bytes(bytes, 0, &mut text);
    text
}

/// Bytes that should be a message.
fn bytes(data: &[u8], depth: u32, text: &mut String) {
    match data.first_chunk().map(Header::decode) {
        _ if data.is_empty() => text.push_str("OpenFlow message is empty\n"),
        None => put(
            text,
            &format_args!("OpenFlow packet too short (only {} bytes):\n", data.len()),
        ),
        Some(header) if usize::from(header.len) == data.len() && depth < MAX_DEPTH => {
            match Message::parse(data) {
                Ok(message) => text.push_str(&whole(&message, depth + 1)),
                Err(error) => decode_error(text, error.name, data),
            }
            return;
        }
        Some(header) if usize::from(header.len) > data.len() => {
            let start = Message::parse_start(data).ok();
            if let Some(message) = start.filter(|message| message.kind().is_some()) {
                put(text, &format_args!("{}\n", head(&message)));
            }
            put(
                text,
                &format_args!("(***truncated to {} bytes from {}***)\n", data.len(), header.len),
            );
        }
        Some(header) => put(
            text,
            &format_args!("(***only uses {} bytes out of {}***)\n", header.len, data.len()),
        ),
    }
    hex_dump(text, data);
}

fn end_line(text: &mut String) {
    if !text.ends_with('\n') {
        text.push('\n');
    }
}

/// Sixteen bytes a line: offset, hexadecimal, characters.
fn hex_dump(text: &mut String, bytes: &[u8]) {
    for (line, bytes) in bytes.chunks(16).enumerate() {
        let _ = write!(text, "{:08x}  ", 16 * line);
        for at in 0..16 {
            let _ = match bytes.get(at) {
                Some(byte) => write!(text, "{byte:02x}{}", if at == 7 { '-' } else { ' ' }),
                None => text.write_str("   "),
            };
        }
        text.push('|');
        let shown = |byte: u8| {
            if (32..127).contains(&byte) {
                char::from(byte)
            } else {
                '.'
            }
        };
        text.extend(bytes.iter().map(|byte| shown(*byte)));
        text.extend((bytes.len()..16).map(|_| ' '));
        text.push_str("|\n");
    }
}

/// How deep an error may stand in the data of errors.
const MAX_DEPTH: u32 = 8;
