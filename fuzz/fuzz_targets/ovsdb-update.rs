//! Lines of text as updates of a replica: the changes lead from each state to the next, a refused update changes
//! nothing, and rows as a type change when plain rows do.
#![no_main]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use ovsdb_proto::monitor::MonitorRequest;
use ovsdb_proto::replica::{Change, Replica, RowChange};
use ovsdb_proto::schema::DatabaseSchema;
use ovsdb_proto::value::{Row, Uuid};
use serde::Deserialize;

static SCHEMA: LazyLock<DatabaseSchema> = LazyLock::new(|| {
    DatabaseSchema::parse(
        r#"{"name":"db","tables":{"T":{"columns":{"n":{"type":"integer"},"r":{"type":"real"},
        "o":{"type":{"key":"string","min":0}},"s":{"type":{"key":"integer","min":0,"max":"unlimited"}},
        "m":{"type":{"key":"string","value":"uuid","min":0,"max":"unlimited"}}}}}}"#,
    )
    .unwrap()
});

#[derive(Deserialize)]
#[expect(dead_code, reason = "that it is read is enough")]
struct Typed {
    n: u8,
    r: f64,
    o: Option<String>,
    s: BTreeSet<i64>,
    m: BTreeMap<String, Uuid>,
}

fuzz_target!(|text: &str| {
    let request = MonitorRequest::new("db").all_columns("T").index("T", "s").index("T", "o");
    let mut plain = Replica::new(&SCHEMA, &request).unwrap();
    let mut typed = Replica::typed::<Typed>(&SCHEMA, &request).unwrap();
    let mut shadow = BTreeMap::new();
    for line in text.lines() {
        // A short hand, so that there is something to change.
        let line = line.replace("$A", "00000000-0000-0000-0000-00000000000a");
        let line = line.replace("$B", "00000000-0000-0000-0000-00000000000b");
        let before = plain.clone();
        let changes = plain.apply(line.clone());
        let typed_changes = typed.apply(line.clone());
        let Ok(changes) = changes else {
            assert_eq!(plain, before);
            continue;
        };
        let typed_changes = typed_changes.expect("only what is no row is refused");
        assert!(changes.iter().map(place).eq(typed_changes.iter().map(place)));
        for change in &changes {
            follow(&mut shadow, change);
        }
        let table = plain.table("T").unwrap();
        assert!(table.rows().eq(shadow.iter().map(|(uuid, row)| (*uuid, row))));
        // Each row has come in at least the bytes of its uuid.
        assert!(table.len() * 36 <= text.len() * 18);
        for (uuid, row) in table.rows() {
            assert_eq!(typed.table("T").unwrap().row(uuid).unwrap().value().is_ok(), row.read::<Typed>(uuid).is_ok());
        }
        let mut back: BTreeMap<_, _> = table.rows().map(|(uuid, row)| (uuid, Arc::clone(row))).collect();
        for change in plain.changes_to(&before) {
            follow(&mut back, &change);
        }
        assert!(before.table("T").unwrap().rows().eq(back.iter().map(|(uuid, row)| (*uuid, row))));
    }
});

fn place<R>(change: &RowChange<R>) -> (Uuid, u8) {
    let kind = match change.change {
        Change::Initial(_) => 0,
        Change::Insert(_) => 1,
        Change::Modify { .. } => 2,
        _ => 3,
    };
    (change.uuid, kind)
}

fn follow(rows: &mut BTreeMap<Uuid, Arc<Row>>, change: &RowChange) {
    let (old, new) = match &change.change {
        Change::Initial(new) | Change::Insert(new) => (None, Some(new)),
        Change::Modify { old, new, .. } => (Some(old), Some(new)),
        Change::Delete(old) => (Some(old), None),
        other => panic!("{other:?}"),
    };
    let there = match new {
        Some(new) => rows.insert(change.uuid, Arc::clone(new)),
        None => rows.remove(&change.uuid),
    };
    assert_eq!(there.as_ref(), old);
}
