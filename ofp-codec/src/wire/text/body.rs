//! What follows the header of a message.

use alloc::{
    string::{String, ToString as _},
    vec::Vec,
};
use core::fmt::Write as _;

use crate::{
    model::{
        action::Action,
        group::{Group, GroupStats},
        matches::{Match, MatchEntry},
        meter::{Meter, MeterId, MeterStats},
        port::Port,
        print::Hex,
        version::Version,
    },
    wire::{
        aggregate::Aggregate,
        async_config::AsyncConfig,
        bundle::{BundleAdd, BundleControl},
        ct_flush::CtFlush,
        entries::Entries,
        error::{DecodeError, Fault},
        error_message::ErrorMessage,
        flow_mod::{FlowModHead, FlowModRef},
        flow_removed::FlowRemovedRef,
        flow_request::FlowRequest,
        group::{GroupFeatures, GroupMod},
        hello::Hello,
        ipfix::{IpfixStats, write_ipfix},
        kind::MessageKind,
        matches::{MatchRef, Use},
        message::Message,
        meter::{MeterFeatures, MeterMod},
        monitor::{FlowUpdate, MonitorRequest},
        packet::{Continuation, Packet, PacketIn, PacketOut},
        port::{PortDesc, PortMod, PortStats, PortStatus, decode_port},
        program::unknown,
        queue::{QueueConfig, QueueStats, write_queues},
        request_forward::RequestForward,
        role::RoleMessage,
        switch::{Description, Features, SwitchConfig},
        table::{TableDesc, TableFeatures, TableMod, TableStats, TableStatus, Tables},
        text::{
            Level, hex_dump, hex_lines,
            lists::{each, every, flows, lines},
            put, raw_match,
        },
        tlv_table::{TlvTable, TlvTableMod},
    },
};

/// A row for each kind. What is written before an error stays.
pub(super) fn write(message: &Message<'_>, level: Level, text: &mut String) -> Result<(), DecodeError> {
    use MessageKind as Kind;
    let verbosity = level.verbosity;
    let version = message.header().version;
    match message.kind() {
        Some(Kind::Hello) => text.push_str(&hello(message)),
        Some(Kind::Error) => error(message, level, text)?,
        Some(Kind::EchoRequest | Kind::EchoReply) => {
            let _ = writeln!(text, " {} bytes of payload", message.body().len());
            if verbosity > 1 {
                hex_dump(text, message.body().rest());
            }
        }
        Some(Kind::FeaturesReply) => put(text, &Features::decode(message)?),
        Some(Kind::GetConfigReply) => put(text, &SwitchConfig::decode(message)?),
        Some(Kind::SetConfig) => {
            let config = SwitchConfig::decode(message)?;
            config.check(message)?;
            put(text, &config);
        }
        Some(Kind::DescReply) => put(text, &Description::decode(message)?),
        Some(Kind::PortStatus) => {
            let mut status = PortStatus::decode(message)?;
            status.port = status.port.with_known_bits(version);
            put(text, &status);
        }
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
            ports
                .iter()
                .for_each(|port| put(text, &port.with_known_bits(version)));
            return error.map_or(Ok(()), Err);
        }
        Some(Kind::PortReply) => {
            let entries = Entries::<PortStats>::of(message);
            let _ = writeln!(text, " {} ports", entries.take_while(Result::is_ok).count());
            if verbosity > 0 {
                each::<PortStats>(message, "", text)?;
            }
        }
        Some(Kind::FlowMonitorReply) => {
            for update in Entries::<FlowUpdate>::of(message) {
                let update = update.map_err(|bad| bad.error)?;
                let refused = |name| message.body().named(name).error("actions", Fault::Combination);
                update.check(version).map_err(refused)?;
                update
                    .flow()
                    .map_or(Ok(()), |flow| check_known(message, &flow.actions))?;
                put(text, &format_args!("\n {}", update.as_received()));
            }
        }
        Some(Kind::PacketIn | Kind::PacketIn2 | Kind::Resume) => {
            let mut packet = PacketIn::decode(message)?;
            packet.metadata = metadata(&packet.metadata);
            let continuation = Continuation::decode(packet.continuation.unwrap_or_default(), version)?;
            let lists = continuation.actions.iter().map(|continued| &continued.actions);
            lists
                .chain([&continuation.action_set])
                .try_for_each(|actions| check_known(message, actions))?;
            put(text, &format_args!("{packet}{continuation}"));
            packet_text(&packet.packet(), verbosity, text);
        }
        Some(Kind::PacketOut) => {
            let mut packet = PacketOut::decode(message)?;
            packet.metadata = metadata(&packet.metadata);
            check_known(message, &packet.actions)?;
            put(text, &packet);
            if !packet.data.is_empty() && verbosity > 0 {
                text.push('\n');
                packet_text(&packet.packet(), verbosity, text);
            }
        }
        Some(Kind::QueueReply) => {
            let entries = Entries::<QueueStats>::of(message);
            let _ = writeln!(text, " {} queues", entries.take_while(Result::is_ok).count());
            if verbosity > 0 {
                each::<QueueStats>(message, "", text)?;
            }
        }
        Some(Kind::QueueRequest) => {
            let port = match port(message)? {
                // There it is the word for every port.
                Port::ALL if version == Version::V1_0 => Port::ANY,
                port => port,
            };
            let _ = write!(text, " port={port}");
            let mut body = message.body();
            body.u32("port")?;
            match body.u32("queue")? {
                u32::MAX => text.push_str(" queue=ALL"),
                queue => put(text, &format_args!(" queue={queue}")),
            }
        }
        Some(Kind::GroupMod) => {
            let group_mod = GroupMod::decode(message)?;
            check_buckets(message, &group_mod.group)?;
            put(text, &format_args!("\n {group_mod}"));
        }
        Some(Kind::GroupDescReply) => {
            for group in Entries::<Group>::of(message) {
                let group = group.map_err(|bad| bad.error)?;
                check_buckets(message, &group)?;
                put(text, &format_args!("\n {group}"));
            }
        }
        Some(Kind::GroupReply) => {
            let stats = each::<GroupStats>(message, "\n ", text);
            stats.inspect_err(|_| text.push_str(" ***parse error***"))?;
        }
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
        Some(Kind::GroupFeaturesReply) => put(text, &GroupFeatures::decode(message)?.print(version)),
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
            super::bytes(message, level, text);
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
        Some(Kind::CtFlush) => put(text, &CtFlush::decode_known(message)?),
        Some(Kind::Requestforward) => put(text, &RequestForward::decode(message)?),
        Some(Kind::IpfixBridgeReply) => {
            text.push_str("\n  bridge ipfix: ");
            write_ipfix(text, &IpfixStats::decode(&mut message.body())?, 16);
        }
        Some(Kind::IpfixFlowReply) => {
            put(
                text,
                &format_args!(" {} ids\n", message.body().len() / IpfixStats::LEN),
            );
            return every(Entries::<IpfixStats>::of(message), |stats| {
                put(text, &format_args!("  id {:3}: ", stats.collector_set_id));
                write_ipfix(text, &stats, 10);
            });
        }
        Some(Kind::FlowMod) => {
            let received = FlowModRef::decode(message)?;
            let flow_mod = received.check()?.as_received();
            let raw = match (&received.head, &received.matches) {
                _ if verbosity < 3 => None,
                (_, MatchRef::Fixed10(found)) => Some(raw_match::fixed(found)),
                (FlowModHead::Nicira(_), MatchRef::Nxm(list)) => Some(raw_match::entries(list)),
                _ => None,
            };
            text.push(' ');
            let _ = flow_mod.write(text, raw.as_deref());
        }
        Some(Kind::FlowRequest | Kind::AggregateRequest) => {
            let request = FlowRequest::decode(message)?;
            put(text, &request.as_received());
        }
        Some(Kind::FlowReply) => flows(message, text)?,
        Some(Kind::AggregateReply) => put(text, &format_args!(" {}", Aggregate::decode(message)?)),
        Some(Kind::FlowRemoved) => {
            let removed = FlowRemovedRef::decode(message)?;
            removed.matches.check_as(Use::Report)?;
            let removed = removed.to_flow_removed()?;
            let _ = writeln!(text, " {}", removed.as_received());
        }
        Some(Kind::FlowMonitorRequest) => {
            let mut body = message.body();
            while !body.is_empty() {
                put(text, &MonitorRequest::decode(&mut body, version)?.as_received());
            }
        }
        Some(Kind::GetAsyncReply | Kind::SetAsync | Kind::SetAsyncConfig | Kind::SetAsyncConfig2) => {
            put(text, &AsyncConfig::check(message)?);
        }
        Some(Kind::TlvTableMod) => put(text, &TlvTableMod::decode(message)?),
        Some(Kind::TlvTableReply) => put(text, &TlvTable::decode(message)?),
        Some(Kind::PortMod) => {
            let _ = PortMod::decode(message)?.write(version, text);
        }
        Some(Kind::TableMod) => {
            let _ = TableMod::decode(message)?.write(version, text);
        }
        Some(Kind::TableDescReply) => each::<TableDesc>(message, "", text)?,
        Some(Kind::TableStatus) => put(text, &TableStatus::decode(message)?),
        Some(Kind::TableReply) => {
            let mut tables = Tables::default();
            let stats = Entries::<TableStats>::of(message);
            let done = every(stats, |stats| tables.stats(text, stats));
            tables.end(text);
            return done;
        }
        Some(Kind::TableFeaturesRequest | Kind::TableFeaturesReply) => {
            let mut tables = Tables::default();
            let features = Entries::<TableFeatures>::of(message);
            let done = every(features, |features| tables.features(text, features));
            tables.end(text);
            return done;
        }
        Some(Kind::QueueGetConfigRequest | Kind::QueueDescRequest) => queue_request(message, text)?,
        Some(Kind::QueueGetConfigReply | Kind::QueueDescReply) => {
            let mut queues = Vec::new();
            let done = every(QueueConfig::entries(message)?, |queue| queues.push(queue));
            write_queues(text, &mut queues, version);
            return done;
        }
        _ => {}
    }
    Ok(())
}

/// A packet: its headers, and with more verbosity its bytes.
fn packet_text(packet: &Packet<'_>, verbosity: u8, text: &mut String) {
    if verbosity > 0 {
        put(text, &format_args!("{packet}\n"));
    }
    if verbosity > 2 {
        hex_lines(text, packet.bytes, false);
    }
}

/// Checks that Open vSwitch knows these actions of the message.
fn check_known(message: &Message<'_>, actions: &[Action]) -> Result<(), DecodeError> {
    match unknown(actions, message.header().version) {
        Some(name) => Err(message.body().named(name).error("actions", Fault::Combination)),
        None => Ok(()),
    }
}

fn check_buckets(message: &Message<'_>, group: &Group) -> Result<(), DecodeError> {
    let mut buckets = group.buckets.iter();
    buckets.try_for_each(|bucket| check_known(message, &bucket.actions))
}

/// The metadata of a packet, of which Open vSwitch skips what it does not know.
fn metadata(metadata: &Match) -> Match {
    let mut metadata = metadata.as_received();
    metadata
        .0
        .retain(|entry| !matches!(entry, MatchEntry::UnknownOxm(_)));
    metadata
}

/// The port, and the queue if it is one, whose configuration is asked for.
fn queue_request(message: &Message<'_>, text: &mut String) -> Result<(), DecodeError> {
    let mut body = message.body();
    let at = body.named("OFPQOFC_BAD_PORT");
    let port = port(message)?;
    let is_any = port == Port::ANY && message.header().version > Version::V1_0;
    if message.header().version < Version::V1_4 && !is_any && port.0 >= MAX_PORT {
        return Err(at.error("port", Fault::Value(port.0.into())));
    }
    put(text, &format_args!(" port={port}"));
    if message.header().version >= Version::V1_4 {
        body.u32("port")?;
        match body.u32("queue")? {
            u32::MAX => {}
            queue => put(text, &format_args!(" queue={queue}")),
        }
    }
    Ok(())
}

/// The number of the group that is asked for, or its word.
fn group_id(message: &Message<'_>) -> Result<String, DecodeError> {
    Ok(match message.body().u32("group")? {
        Group::ALL => "ALL".to_string(),
        Group::ANY => "ANY".to_string(),
        id => id.to_string(),
    })
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
fn error(message: &Message<'_>, level: Level, text: &mut String) -> Result<(), DecodeError> {
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
        let verbosity = 1;
        super::bytes(&error.data, Level { verbosity, ..level }, text);
    }
    Ok(())
}

/// Ports from this one on are reserved.
const MAX_PORT: u32 = 0xff00;
