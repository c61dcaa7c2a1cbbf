//! The server in memory beside a real one: the same messages, the same replies and notifications.

use std::io::Read as _;

use ovsdb_proto::client::Vswitch;
use ovsdb_proto::monitor::MonitorRequest;
use ovsdb_proto::replica::Change;
use ovsdb_proto::server::Server;
use ovsdb_proto::vswitch::{self, NewPort};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use self::both::{Peer, both, compare, normal};

mod both;
mod dice;
mod random;
mod raw;

fn row(n: u8) -> String {
    format!("00000000-0000-4000-8000-0000000000{n:02x}")
}

fn uuid(n: u8) -> Value {
    json!(["uuid", row(n)])
}

fn transact(operations: &[Value]) -> (&'static str, Value) {
    let mut params = vec![json!("Open_vSwitch")];
    params.extend_from_slice(operations);
    ("transact", params.into())
}

#[test]
fn replies_to_every_method_and_operation_are_those_of_the_real_server() {
    let Some(both) = both() else { return };
    let everything = json!({"QoS": [{}], "Queue": {"columns": ["dscp"]}, "Bridge": [{"columns": ["name", "ports", "flood_vlans"]}],
        "Port": [{"columns": ["name", "tag", "trunks"], "select": {"modify": false}}], "Mirror": [{"columns": ["select_src_port"]}]});
    let conditional = json!({"QoS": [{"columns": ["type", "external_ids"], "where": [["type", "==", "a"], ["type", "==", "b"]]}]});
    let plain = json!({"QoS": {"columns": ["type", "external_ids", "queues"]}});
    let insert =
        |n: u8, ty: &str| json!({"op": "insert", "table": "QoS", "uuid": row(n), "row": {"type": ty}});
    let qos =
        |condition: Value| json!({"op": "select", "table": "QoS", "where": [condition], "columns": ["type"]});
    let mutate = |column: &str, mutator: &str, value: Value| json!({"op": "mutate", "table": "QoS", "where": [["type", "==", "a"]], "mutations": [[column, mutator, value]]});
    let dscp = |mutator: &str, value: Value| json!({"op": "mutate", "table": "Queue", "where": [], "mutations": [["dscp", mutator, value]]});
    let wait = |until: &str, ty: &str, timeout: Value| {
        json!({"op": "wait", "table": "QoS", "where": [["type", "==", ty]], "columns": ["type"], "until": until,
            "rows": [{"type": ty}], "timeout": timeout})
    };
    let script = vec![
        ("echo", json!(["a", {"b": [1.5, null]}])),
        ("nonsense", json!([])),
        ("get_schema", json!(["nope"])),
        ("get_schema", json!([])),
        ("set_db_change_aware", json!([true])),
        ("transact", json!(["nope"])),
        ("transact", json!([])),
        transact(&[]),
        (
            "monitor_cond_since",
            json!(["Open_vSwitch", 3, everything, row(0)]),
        ),
        ("monitor_cond", json!(["Open_vSwitch", {"x": 2}, conditional])),
        ("monitor", json!(["Open_vSwitch", null, plain])),
        ("monitor", json!(["Open_vSwitch", null, plain])),
        ("monitor", json!(["Open_vSwitch", 9, {"Nope": {}}])),
        (
            "monitor",
            json!(["Open_vSwitch", 9, {"QoS": {"columns": ["nope"]}}]),
        ),
        (
            "monitor",
            json!(["Open_vSwitch", 9, {"QoS": {"columns": ["type", "type"]}}]),
        ),
        ("monitor", json!(["Open_vSwitch", 9, {"QoS": {"where": []}}])),
        // Rows, and what a monitor says of them.
        transact(&[
            insert(1, "a"),
            insert(2, "b"),
            insert(3, "c"),
            json!({"op": "comment", "comment": "x"}),
        ]),
        transact(&[insert(1, "again")]),
        transact(&[
            json!({"op": "insert", "table": "QoS", "row": {"type": "d"}}),
            json!({"op": "abort"}),
            insert(9, "e"),
        ]),
        transact(&[mutate(
            "external_ids",
            "insert",
            json!(["map", [["k", "v"], ["l", "w"]]]),
        )]),
        transact(&[mutate(
            "external_ids",
            "insert",
            json!(["map", [["k", "other"], ["m", "x"]]]),
        )]),
        transact(&[mutate("external_ids", "delete", json!(["set", ["l"]]))]),
        transact(&[mutate(
            "external_ids",
            "delete",
            json!(["map", [["k", "other"], ["m", "x"]]]),
        )]),
        transact(&[mutate("type", "insert", json!("x"))]),
        transact(&[mutate("nope", "insert", json!("x"))]),
        transact(&[mutate("external_ids", "+=", json!(1))]),
        transact(&[
            json!({"op": "update", "table": "QoS", "where": [["type", "==", "a"]], "row": {"external_ids": ["map", [["k", "2"]]]}}),
        ]),
        transact(&[
            json!({"op": "update", "table": "QoS", "where": [["_uuid", "==", uuid(2)]], "row": {"type": "a"}}),
        ]),
        transact(&[
            json!({"op": "update", "table": "QoS", "where": [["_uuid", "==", uuid(2)]], "row": {"type": "c"}}),
        ]),
        transact(&[json!({"op": "update", "table": "QoS", "where": [], "row": {"type": 7}})]),
        transact(&[json!({"op": "update", "table": "QoS", "where": [], "row": {"nope": 7}})]),
        transact(&[json!({"op": "update", "table": "Nope", "where": [], "row": {}})]),
        transact(&[json!({"op": "jump"})]),
        transact(&[json!({"op": "select", "table": "QoS", "where": []})]),
        transact(&[qos(json!(["type", "==", "c"]))]),
        transact(&[qos(json!(["type", "!=", "c"]))]),
        transact(&[qos(json!(["type", "<", "c"]))]),
        transact(&[qos(json!(["external_ids", "includes", ["map", [["k", "2"]]]]))]),
        transact(&[qos(json!(["external_ids", "excludes", ["map", [["k", "2"]]]]))]),
        transact(&[qos(json!(["type", "includes", "c"]))]),
        transact(&[qos(json!(["type", "==", ["set", []]]))]),
        transact(&[qos(json!(true))]),
        // Numbers.
        transact(&[
            json!({"op": "insert", "table": "Queue", "uuid": row(16), "row": {"dscp": 60}}),
            json!({"op": "insert", "table": "Queue", "uuid": row(17), "row": {}}),
        ]),
        transact(&[dscp("+=", json!(3))]),
        transact(&[dscp("+=", json!(1))]),
        transact(&[
            dscp("/=", json!(2)),
            dscp("%=", json!(16)),
            dscp("*=", json!(3)),
            dscp("-=", json!(1)),
        ]),
        transact(&[dscp("/=", json!(0))]),
        transact(&[dscp("insert", json!(1))]),
        transact(&[
            json!({"op": "select", "table": "Queue", "where": [["dscp", ">=", 44]], "columns": ["dscp"]}),
            json!({"op": "select", "table": "Queue", "where": [["dscp", "<", 44]], "columns": ["dscp"]}),
        ]),
        transact(&[json!({"op": "insert", "table": "Queue", "row": {"dscp": 64}})]),
        // References.
        transact(&[
            json!({"op": "update", "table": "QoS", "where": [["_uuid", "==", uuid(1)]],
            "row": {"queues": ["map", [[1, uuid(16)], [2, uuid(17)]]]}}),
        ]),
        transact(&[json!({"op": "delete", "table": "Queue", "where": []})]),
        transact(&[
            json!({"op": "update", "table": "QoS", "where": [], "row": {"queues": ["map", [[1, ["named-uuid", "nobody"]]]]}}),
        ]),
        transact(&[json!({"op": "insert", "table": "Interface", "uuid": row(32), "row": {"name": "i"}})]),
        transact(&[json!({"op": "select", "table": "Interface", "where": [], "columns": ["name"]})]),
        transact(&[
            json!({"op": "insert", "table": "Open_vSwitch", "uuid": row(40), "row": {"bridges": ["named-uuid", "b"]}}),
            json!({"op": "insert", "table": "Bridge", "uuid": row(41), "uuid-name": "b", "row": {"name": "br0", "ports": ["named-uuid", "p"], "mirrors": ["named-uuid", "m"], "flood_vlans": ["set", [5, 6]]}}),
            json!({"op": "insert", "table": "Mirror", "uuid": row(44), "uuid-name": "m", "row": {"name": "m", "select_src_port": ["named-uuid", "p"]}}),
            json!({"op": "insert", "table": "Port", "uuid": row(42), "uuid-name": "p", "row": {"name": "p", "tag": 7, "interfaces": ["named-uuid", "i"]}}),
            json!({"op": "insert", "table": "Interface", "uuid": row(43), "uuid-name": "i", "row": {"name": "p"}}),
        ]),
        transact(&[json!({"op": "insert", "table": "Open_vSwitch", "row": {}})]),
        transact(&[
            json!({"op": "insert", "table": "Bridge", "uuid": row(50), "uuid-name": "b2", "row": {"name": "br0"}}),
            json!({"op": "mutate", "table": "Open_vSwitch", "where": [], "mutations": [["bridges", "insert", ["named-uuid", "b2"]]]}),
        ]),
        transact(&[
            json!({"op": "mutate", "table": "Bridge", "where": [], "mutations": [["flood_vlans", "insert", ["set", [6, 7]]], ["flood_vlans", "delete", 5]]}),
        ]),
        transact(&[json!({"op": "update", "table": "Bridge", "where": [], "row": {"name": "br1"}})]),
        transact(&[
            json!({"op": "update", "table": "Port", "where": [], "row": {"interfaces": ["set", []]}}),
        ]),
        transact(&[json!({"op": "update", "table": "Port", "where": [], "row": {"tag": ["set", []]}})]),
        transact(&[json!({"op": "delete", "table": "Port", "where": []})]),
        transact(&[
            json!({"op": "mutate", "table": "Bridge", "where": [], "mutations": [["ports", "delete", uuid(42)]]}),
        ]),
        transact(&[
            json!({"op": "select", "table": "Mirror", "where": [], "columns": ["select_src_port"]}),
            json!({"op": "select", "table": "Interface", "where": [], "columns": ["name"]}),
        ]),
        // Waits and locks.
        transact(&[wait("==", "a", json!(0)), wait("!=", "nope", json!(0))]),
        transact(&[wait("!=", "a", json!(0))]),
        transact(&[wait("!=", "a", json!(20))]),
        transact(&[json!({"op": "assert", "lock": "l"})]),
        ("unlock", json!(["l"])),
        ("lock", json!(["l"])),
        ("lock", json!(["l"])),
        transact(&[
            json!({"op": "assert", "lock": "l"}),
            json!({"op": "commit", "durable": true}),
        ]),
        ("steal", json!(["k"])),
        ("unlock", json!(["k"])),
        // Conditions of a monitor.
        (
            "monitor_cond_change",
            json!([{"x": 2}, {"y": 2}, {"QoS": [{"where": [["type", "==", "c"]]}]}]),
        ),
        ("monitor_cond_change", json!([{"x": 2}, {"y": 2}, {}])),
        (
            "monitor_cond_change",
            json!([{"y": 2}, {"y": 2}, {"Port": [{"where": []}]}]),
        ),
        (
            "monitor_cond_change",
            json!([{"y": 2}, {"y": 2}, {"QoS": [{"columns": ["type"]}]}]),
        ),
        ("monitor_cancel", json!([{"x": 2}])),
        ("monitor_cancel", json!([{"y": 2}])),
        ("monitor_cancel", json!([])),
        transact(&[json!({"op": "delete", "table": "QoS", "where": []})]),
    ];
    compare(&both, &script);
}

#[test]
fn a_lock_goes_from_client_to_client_as_on_the_real_server() {
    let Some(both) = both() else { return };
    let run = |path: &std::path::Path| {
        let (mut a, mut b) = (Peer::connect(path), Peer::connect(path));
        let mut seen = a.call("lock", &json!(["l"]));
        seen.extend(b.call("lock", &json!(["l"])));
        seen.extend(a.call("unlock", &json!(["l"])));
        seen.push(b.message());
        seen.extend(a.call("steal", &json!(["l"])));
        seen.push(b.message());
        drop(a);
        seen.push(b.message());
        seen
    };
    assert_eq!(run(&both.ours), run(both.real.socket()));
}

#[test]
fn a_wait_ends_when_it_is_true_or_canceled_as_on_the_real_server() {
    let Some(both) = both() else { return };
    let wait = json!({"op": "wait", "table": "QoS", "where": [], "columns": ["type"], "until": "==", "rows": [{"type": "x"}]});
    let params = json!(["Open_vSwitch", wait]);
    let run = |path: &std::path::Path| {
        let (mut a, mut b) = (Peer::connect(path), Peer::connect(path));
        a.call("set_db_change_aware", &json!([true]));
        a.send(&json!({"id": 1, "method": "transact", "params": params}));
        a.send(&json!({"id": 2, "method": "transact", "params": params}));
        a.send(&json!({"id": null, "method": "cancel", "params": [1]}));
        let mut seen = vec![normal(a.message())];
        seen.extend(b.call(
            "transact",
            &json!(["Open_vSwitch", {"op": "insert", "table": "QoS", "row": {"type": "x"}}]),
        ));
        seen.push(normal(a.message()));
        seen
    };
    assert_eq!(run(&both.ours), run(both.real.socket()));
}

#[tokio::test]
async fn everyday_changes_of_a_switch_can_be_made_on_it() {
    let client = Server::switch().unwrap().client();
    let request = MonitorRequest::new("Open_vSwitch").table("Port", ["name", "tag"]);
    let mut monitor = client.monitor(&request).await.unwrap();
    assert_eq!(monitor.next().await.unwrap(), []);
    client.transact(&vswitch::add_br("br0")).await.unwrap();
    let port = NewPort::new("p1").tag(7).transient();
    client.transact(&vswitch::add_port("br0", &port)).await.unwrap();
    let switch = Vswitch::new(client.clone());
    assert_eq!(switch.transient_ports().await.unwrap(), ["p1"]);
    switch.del_port("p1").await.unwrap();
    let mut kinds = String::new();
    for _ in 0..3 {
        for change in monitor.next().await.unwrap() {
            kinds.push(match change.change {
                Change::Insert(_) => '+',
                Change::Delete(_) => '-',
                other => panic!("{other:?}"),
            });
        }
    }
    assert_eq!(kinds, "++-");
}

#[test]
fn the_servers_own_database_is_read_as_on_the_real_server() {
    let Some(both) = both() else { return };
    let status = json!({"op": "select", "table": "Database", "where": [],
        "columns": ["name", "model", "connected", "leader", "cid", "sid", "index"]});
    let own = |operation: Value| ("transact", json!(["_Server", operation]));
    compare(
        &both,
        &[
            ("list_dbs", json!([])),
            ("get_schema", json!(["_Server"])),
            own(status),
            own(json!({"op": "insert", "table": "Database", "row": {"model": "relay"}})),
            own(json!({"op": "insert", "table": "Database", "row": {}})),
            own(json!({"op": "update", "table": "Database", "where": [], "row": {"name": "x"}})),
            own(json!({"op": "mutate", "table": "Database", "where": [], "mutations": [["index", "+=", 1]]})),
            own(json!({"op": "delete", "table": "Database", "where": []})),
            own(json!({"op": "comment", "comment": "x"})),
        ],
    );
}

#[test]
fn a_database_is_converted_as_on_the_real_server() {
    let Some(both) = both() else { return };
    let schema = std::fs::read_to_string(testbed::schema().unwrap()).unwrap();
    let mut schema: Value = serde_json::from_str(&schema).unwrap();
    schema["version"] = json!("99.0.0");
    let columns = schema["tables"]["QoS"]["columns"].as_object_mut().unwrap();
    columns.remove("external_ids");
    columns.insert("n".into(), json!({"type": "integer"}));
    let mut misfit = schema.clone();
    misfit["tables"]["QoS"]["columns"]["type"] =
        json!({"type": {"key": {"type": "string", "enum": ["set", ["z"]]}}});
    let monitor = json!(["Open_vSwitch", "m", {"QoS": {"columns": ["type"]}}]);
    let select = transact(&[json!({"op": "select", "table": "QoS", "where": []})]);
    let run = |path: &std::path::Path| {
        let (mut aware, mut unaware) = (Peer::connect(path), Peer::connect(path));
        let mut seen = aware.call("set_db_change_aware", &json!([true]));
        seen.extend(aware.call("convert", &json!(["nope", schema])));
        seen.extend(aware.call(
            "convert",
            &json!(["Open_vSwitch", {"name": "other", "tables": {}}]),
        ));
        seen.extend(aware.call("convert", &json!(["Open_vSwitch", {"tables": {}}])));
        seen.extend(aware.call("convert", &json!(["Open_vSwitch"])));
        let row = json!({"type": "q", "external_ids": ["map", [["a", "b"]]]});
        let insert = transact(&[json!({"op": "insert", "table": "QoS", "uuid": self::row(1), "row": row})]);
        seen.extend(aware.call(insert.0, &insert.1));
        seen.extend(aware.call("convert", &json!(["Open_vSwitch", misfit])));
        seen.extend(unaware.call("monitor", &monitor));
        seen.extend(aware.call("monitor", &monitor));
        let wait = json!({"op": "wait", "table": "QoS", "where": [], "columns": ["type"], "until": "==", "rows": []});
        aware.send(&json!({"id": "w", "method": "transact", "params": ["Open_vSwitch", wait]}));
        let mut converter = Peer::connect(path);
        converter.call("set_db_change_aware", &json!([true]));
        seen.extend(converter.call("convert", &json!(["Open_vSwitch", schema])));
        // The order of the two means nothing.
        let mut told = [normal(aware.message()), normal(aware.message())];
        told.sort_by_key(Value::to_string);
        seen.extend(told);
        let mut rest = Vec::new();
        unaware.socket.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, b"");
        seen.extend(aware.call("monitor", &monitor));
        seen.extend(aware.call(select.0, &select.1));
        seen
    };
    assert_eq!(run(&both.ours), run(both.real.socket()));
}

#[tokio::test]
async fn a_client_that_never_reads_loses_its_connection_and_costs_a_bounded_memory() {
    let server = Server::switch().unwrap();
    let (mut silent, theirs) = tokio::io::duplex(1 << 20);
    let serving = tokio::spawn({
        let server = server.clone();
        async move { server.serve(theirs).await }
    });
    let long = "x".repeat(3 << 20);
    for id in 0..9 {
        let echo = json!({"id": id, "method": "echo", "params": [long]}).to_string();
        silent.write_all(echo.as_bytes()).await.unwrap();
    }
    // What waits is still there to be read; then it is over.
    let mut read = 0;
    let mut buf = vec![0; 1 << 20];
    loop {
        match silent.read(&mut buf).await.unwrap() {
            0 => break,
            len => read += len,
        }
    }
    assert!((12 << 20..20 << 20).contains(&read), "{read}");
    serving.await.unwrap();
    assert_eq!(
        server.client().list_dbs().await.unwrap(),
        ["Open_vSwitch", "_Server"]
    );
}
