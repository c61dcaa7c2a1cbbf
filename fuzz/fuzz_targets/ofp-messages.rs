//! Whatever bytes are a message: it prints, its parts give its bytes back, and what is typed is written as what it
//! was read as.
#![no_main]

use std::fmt::Debug;

use libfuzzer_sys::fuzz_target;
use ofp_codec::{
    Group, GroupStats, Meter, MeterStats,
    wire::{
        AsyncConfig, CtFlush, DecodeError, Description, EncodeError, Entries, Entry, Features, FlowModRef,
        FlowRemovedRef, FlowStatsRef, Header, Message, MessageKind as Kind, MonitorRequest, PacketIn,
        PacketInFormat, PortDesc, PortStats, PortStatus, QueueConfig, QueueStats, RequestForward,
        RoleMessage, TableDesc, TableFeatures, TableFeaturesRef, TableMod, TableStatsRef, TlvTable,
        TlvTableMod, Writer, print,
    },
};

fuzz_target!(|input: &[u8]| {
    let _ = print(input);
    // A length that is right, most of the time.
    let mut bytes = input.to_vec();
    if let (Ok(len), Some(field)) = (u16::try_from(bytes.len()), bytes.get_mut(2..4)) {
        field.copy_from_slice(&len.to_be_bytes());
    }
    let _ = print(&bytes);
    let Ok(message) = Message::parse(&bytes) else {
        return;
    };
    let Header { version, xid, .. } = message.header();
    let body = message.body().rest();
    let mut out = Vec::new();
    let Some(kind) = message.kind() else { return };
    match kind {
        Kind::FlowMod => {
            if let Ok(flow_mod) = FlowModRef::decode(&message) {
                flow_mod.encode(xid, &mut out).unwrap();
                assert_eq!(out, bytes);
                let _ = flow_mod.check();
            }
        }
        Kind::FlowReply => {
            for entry in FlowStatsRef::entries(&message).into_iter().flatten().flatten() {
                let _ = entry.to_flow().map(|flow| flow.canonical(version).to_string());
            }
        }
        Kind::FlowRemoved => drop(FlowRemovedRef::decode(&message).map(|removed| removed.to_flow_removed())),
        Kind::TableFeaturesReply => {
            if let Ok(tables) = Entries::<TableFeaturesRef>::of(&message).collect::<Result<Vec<_>, _>>() {
                let mut writer = Writer::new(&mut out);
                tables.iter().for_each(|table| table.encode(&mut writer).unwrap());
                assert_eq!(out, body);
            }
            for table in Entries::<TableFeatures>::of(&message).flatten() {
                let mut out = Vec::new();
                let _ = table.encode(version, &mut Writer::new(&mut out));
            }
        }
        Kind::TableReply => {
            let mut writer = Writer::new(&mut out);
            for table in Entries::<TableStatsRef>::of(&message).flatten() {
                table.encode(&mut writer);
            }
            assert_eq!(out, body);
        }
        Kind::TableDescReply => {
            if let Ok(tables) = Entries::<TableDesc>::of(&message).collect::<Result<Vec<_>, _>>() {
                let mut writer = Writer::new(&mut out);
                tables.iter().for_each(|table| table.encode(&mut writer).unwrap());
                assert_eq!(out, body);
            }
        }
        Kind::TableMod => {
            if let Ok(change) = TableMod::decode(&message) {
                change.encode(&mut Writer::new(&mut out)).unwrap();
                assert_eq!(out, body);
            }
        }
        Kind::TlvTableMod => {
            if let Ok(change) = TlvTableMod::decode(&message) {
                change.encode(&mut Writer::new(&mut out));
                assert_eq!(out, body);
            }
        }
        Kind::TlvTableReply => {
            if let Ok(table) = TlvTable::decode(&message) {
                table.encode(&mut Writer::new(&mut out));
                assert_eq!(out, body);
            }
        }
        Kind::SetAsync | Kind::GetAsyncReply | Kind::SetAsyncConfig | Kind::SetAsyncConfig2 => {
            if let Ok(config) = AsyncConfig::decode(&message) {
                config.encode(kind, version, &mut Writer::new(&mut out)).unwrap();
                assert_eq!(out, body);
            }
        }
        Kind::QueueDescReply | Kind::QueueGetConfigReply => {
            let queues: Vec<_> = QueueConfig::entries(&message)
                .into_iter()
                .flatten()
                .flatten()
                .collect();
            let mut writer = Writer::new(&mut out);
            let _ = QueueConfig::encode_reply(ofp_codec::Port(1), &queues, version, &mut writer);
        }
        Kind::FlowMonitorRequest => {
            if let Ok(request) = MonitorRequest::decode(&mut message.body(), version) {
                let _ = request.encode(version, &mut Writer::new(&mut out));
            }
        }
        Kind::PacketIn | Kind::PacketIn2 => {
            if let Ok(packet) = PacketIn::decode(&message) {
                let _ = packet.encode(PacketInFormat::Nicira2, version, xid, &mut out);
                let _ = packet.encode(PacketInFormat::Standard, version, xid, &mut out);
            }
        }
        Kind::FeaturesReply => same(&message, Features::decode, Features::encode),
        Kind::DescReply => same(&message, Description::decode, Description::encode),
        Kind::CtFlush => same(&message, CtFlush::decode, CtFlush::encode),
        Kind::PortStatus => same(&message, PortStatus::decode, |it, out| it.encode(version, out)),
        Kind::RoleRequest | Kind::RoleReply => {
            same(&message, RoleMessage::decode, |it, out| it.encode(version, out));
        }
        Kind::Requestforward => {
            if let Ok(request) = RequestForward::decode(&message) {
                let _ = request.encode(version, &mut Writer::new(&mut out));
            }
        }
        Kind::PortDescReply => same(&message, all::<PortDesc>, |ports, out| {
            ports.iter().try_for_each(|port| port.encode(version, out))
        }),
        Kind::PortReply => same(&message, all::<PortStats>, |ports, out| {
            ports.iter().try_for_each(|port| port.encode(version, out))
        }),
        Kind::QueueReply => same(&message, all::<QueueStats>, |queues, out| {
            queues.iter().try_for_each(|queue| queue.encode(version, out))
        }),
        Kind::GroupReply => same(&message, all::<GroupStats>, |groups, out| {
            groups.iter().try_for_each(|group| group.encode(version, out))
        }),
        Kind::GroupDescReply => {
            for group in Entries::<Group>::of(&message).flatten() {
                let _ = group.encode(version, &mut Writer::new(&mut out));
            }
        }
        Kind::MeterConfigReply => same(&message, all::<Meter>, |meters, out| {
            meters.iter().try_for_each(|meter| meter.encode(out))
        }),
        Kind::MeterReply => same(&message, all::<MeterStats>, |meters, out| {
            meters.iter().try_for_each(|meter| meter.encode(out))
        }),
        _ => {}
    }
});

/// What is written is read as the same, unless there is no room for it.
fn same<T: PartialEq + Debug>(
    message: &Message<'_>,
    decode: impl Fn(&Message<'_>) -> Result<T, DecodeError>,
    encode: impl Fn(&T, &mut Writer<'_>) -> Result<(), EncodeError>,
) {
    let Ok(first) = decode(message) else { return };
    let mut out = Vec::new();
    let kind = message.kind().unwrap();
    let version = message.header().version;
    if kind
        .encode(version, 0, &mut out, |writer| encode(&first, writer))
        .is_ok()
    {
        assert_eq!(decode(&Message::parse(&out).unwrap()).unwrap(), first);
    }
}

fn all<T: for<'a> Entry<'a>>(message: &Message<'_>) -> Result<Vec<T>, DecodeError> {
    let entries = Entries::of(message).map(|entry| entry.map_err(|bad| bad.error));
    entries.collect()
}
