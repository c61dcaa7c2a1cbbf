//! Whatever bytes are a message: it prints, its parts give its bytes back, and what is typed is written as what it
//! was read as.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ofp_codec::wire::{
    AsyncConfig, Entries, FlowModRef, FlowRemovedRef, FlowStatsRef, Header, Message, MessageKind as Kind,
    MonitorRequest, PacketIn, PacketInFormat, QueueConfig, TableDesc, TableFeatures, TableFeaturesRef,
    TableMod, TableStatsRef, TlvTable, TlvTableMod, Writer, print,
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
        _ => {}
    }
});
