//! What a real server once sent.

use ovsdb_proto::frame::{Limits, Splitter};
use ovsdb_proto::monitor::MonitorRequest;
use ovsdb_proto::replica::{Change, Replica, RowChange};
use ovsdb_proto::rpc::Message;
use ovsdb_proto::schema::{AtomicType, DatabaseSchema, RefType};
use ovsdb_proto::value::{Atom, Uuid};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

const CALLS: &[u8] = include_bytes!("../vectors/calls.stream");
const MONITORS: &[u8] = include_bytes!("../vectors/monitors.stream");

/// The messages of a recorded stream.
pub(crate) fn messages(recorded: &'static [u8]) -> Vec<&'static [u8]> {
    let header = recorded.iter().position(|&byte| byte == b'\n').unwrap();
    let mut rest = &recorded[header + 1..];
    let mut splitter = Splitter::new(Limits::default());
    let mut messages = Vec::new();
    while let Some(spans) = splitter.split(rest).unwrap() {
        messages.push(&rest[..spans.len()]);
        rest = &rest[spans.len()..];
    }
    splitter.finish(rest).unwrap();
    messages
}

/// The result of the recorded call with this id.
pub(crate) fn result(recorded: &'static [u8], wanted: &str) -> &'static [u8] {
    messages(recorded)
        .into_iter()
        .find_map(|message| match decode(message) {
            Message::Reply { id, result } if id == wanted => Some(result),
            _ => None,
        })
        .unwrap()
}

#[cfg(feature = "client")]
pub(crate) fn calls() -> &'static [u8] {
    CALLS
}

#[cfg(feature = "client")]
pub(crate) fn monitors() -> &'static [u8] {
    MONITORS
}

fn decode(message: &'static [u8]) -> Message<'static> {
    let spans = Splitter::new(Limits::default()).split(message).unwrap();
    Message::decode(message, &spans.unwrap()).unwrap()
}

fn json<T: DeserializeOwned>(bytes: &[u8]) -> T {
    serde_json::from_slice(bytes).unwrap()
}

fn schema(result: &[u8]) -> DatabaseSchema {
    DatabaseSchema::parse(std::str::from_utf8(result).unwrap()).unwrap()
}

/// What the recorded monitors asked for.
pub(crate) fn request() -> MonitorRequest {
    MonitorRequest::new("Open_vSwitch")
        .table(
            "Bridge",
            [
                "name",
                "protocols",
                "flood_vlans",
                "fail_mode",
                "mcast_snooping_enable",
                "external_ids",
                "ports",
            ],
        )
        .table(
            "Interface",
            ["name", "ofport", "external_ids", "ingress_policing_rate"],
        )
}

#[test]
fn recorded_replies_are_decoded() {
    let decoded: Vec<_> = messages(CALLS).into_iter().map(decode).collect();
    assert_eq!(decoded.len(), 6);
    assert_eq!(
        decoded[0],
        Message::Reply {
            id: "0",
            result: br#"["Open_vSwitch","_Server"]"#
        }
    );
    let errors: Vec<String> = decoded
        .iter()
        .filter_map(|message| match message {
            Message::Error { error, .. } => Some(error.to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(
        errors,
        [
            "unknown database: get_schema request specifies unknown database nope",
            "unknown method",
            "unknown monitor"
        ]
    );
    let echo: serde_json::Value = json(result(CALLS, "4"));
    assert_eq!(
        echo,
        serde_json::json!(["a\"{b", "é😀\\", 1, -1.5, null, {"x": [true]}])
    );
}

#[test]
fn the_recorded_schema_is_read_whole() {
    let schema = schema(result(CALLS, "1"));
    assert_eq!(schema.name, "Open_vSwitch");
    assert_eq!(schema.version.as_deref(), Some("8.3.1"));
    assert_eq!(schema.tables.len(), 19);
    let columns: usize = schema.tables.values().map(|table| table.columns.len()).sum();
    assert_eq!(columns, 184);

    let root = &schema.tables["Open_vSwitch"];
    assert!(root.is_root);
    assert_eq!(root.max_rows, Some(1));
    let bridge = &schema.tables["Bridge"];
    assert_eq!(bridge.indexes, [["name"]]);
    assert!(!bridge.columns["name"].mutable);

    let vlans = &bridge.columns["flood_vlans"].ty;
    assert_eq!((vlans.min, vlans.max), (0, Some(4096)));
    assert_eq!(vlans.key.max_integer, Some(4095));
    let ports = &bridge.columns["ports"].ty;
    assert_eq!(ports.key.ref_table.as_deref(), Some("Port"));
    assert_eq!((ports.max, ports.key.ref_type), (None, RefType::Strong));
    assert_eq!(
        schema.tables["Mirror"].columns["select_src_port"].ty.key.ref_type,
        RefType::Weak
    );

    let fail_mode = &bridge.columns["fail_mode"].ty;
    assert!(fail_mode.is_optional_scalar());
    let modes = fail_mode.key.allowed.as_ref().unwrap();
    assert_eq!(modes.as_slice(), [Atom::from("secure"), Atom::from("standalone")]);
    let statistics = &schema.tables["Interface"].columns["statistics"];
    assert!(statistics.ephemeral && statistics.ty.is_map());
    let value = statistics.ty.value.as_ref().unwrap();
    assert_eq!(value.atomic, AtomicType::Integer);
}

/// One server sent the same changes in all three forms: to `monitor`, `monitor_cond` and
/// `monitor_cond_since`, whose ids are 1, 2 and 3.
#[test]
fn the_three_monitor_methods_give_the_same_changes() {
    let schema = schema(result(MONITORS, "1"));
    let replays: Vec<(Vec<Vec<RowChange>>, Replica)> = [1, 2, 3]
        .into_iter()
        .map(|monitor| replay(&schema, monitor))
        .collect();
    assert_eq!(replays[0], replays[1]);
    assert_eq!(replays[1], replays[2]);

    let (batches, replica) = &replays[0];
    let kinds: String = batches.iter().flatten().map(kind).collect();
    assert_eq!(kinds, "**MMMMMMMMMM+MMMMMMM--");
    assert_eq!(replica.table("Interface").unwrap().len(), 0);
    assert_eq!(replica.table("Bridge").unwrap().len(), 1);
}

fn kind(change: &RowChange) -> char {
    match change.change {
        Change::Initial(_) => '*',
        Change::Insert(_) => '+',
        Change::Modify { .. } => 'M',
        Change::Delete(_) => '-',
        _ => '?',
    }
}

/// The changes that one monitor gives, sorted within each message, and what is there at the end.
fn replay(schema: &DatabaseSchema, monitor: u64) -> (Vec<Vec<RowChange>>, Replica) {
    let mut replica = Replica::new(schema, &request()).unwrap();
    let mut batches = Vec::new();
    for message in messages(MONITORS) {
        let batch = match decode(message) {
            Message::Reply { id: "2", result } if monitor == 1 => replica.load(result.to_vec()),
            Message::Reply { id: "3", result } if monitor == 2 => replica.load(result.to_vec()),
            Message::Reply { id: "4", result } if monitor == 3 => {
                let (found, last, rows): (bool, Uuid, Box<RawValue>) = json(result);
                assert_eq!((found, last), (false, Uuid::ZERO));
                replica.load(String::from(Box::<str>::from(rows)))
            }
            Message::Notification { method, params } => match (method.as_str(), monitor) {
                ("update", 1) | ("update2", 2) => {
                    let (id, updates): (u64, Box<RawValue>) = json(params);
                    assert_eq!(id, monitor);
                    replica.apply(String::from(Box::<str>::from(updates)))
                }
                ("update3", 3) => {
                    let (id, _, updates): (u64, Uuid, Box<RawValue>) = json(params);
                    assert_eq!(id, monitor);
                    replica.apply(String::from(Box::<str>::from(updates)))
                }
                _ => continue,
            },
            _ => continue,
        };
        let mut batch = batch.unwrap();
        batch.sort_by(|a, b| (&a.table, a.uuid).cmp(&(&b.table, b.uuid)));
        batches.push(batch);
    }
    (batches, replica)
}
