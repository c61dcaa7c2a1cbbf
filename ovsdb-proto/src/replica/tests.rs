use super::*;
use crate::value::{Atom, Datum};

const A: &str = "00000000-0000-0000-0000-00000000000a";
const B: &str = "00000000-0000-0000-0000-00000000000b";

fn schema() -> DatabaseSchema {
    DatabaseSchema::parse(
        r#"{"name":"db","tables":{"T":{"columns":{
            "n":{"type":"integer"},
            "opt":{"type":{"key":"string","min":0}},
            "set":{"type":{"key":"integer","min":0,"max":3}},
            "map":{"type":{"key":"string","value":"string","min":0,"max":"unlimited"}},
            "other":{"type":"string"}}}}}"#,
    )
    .unwrap()
}

fn replica() -> Replica {
    let schema = schema();
    let request = MonitorRequest::new("db").table("T", ["set", "n", "opt", "map"]);
    Replica::new(&schema, &request).unwrap()
}

fn updates(text: &str) -> String {
    text.replace("$A", A).replace("$B", B)
}

fn uuid(text: &str) -> Uuid {
    text.parse().unwrap()
}

fn table() -> Arc<str> {
    "T".into()
}

fn row(text: &str) -> Arc<Row> {
    let columns: BTreeMap<String, Datum> = serde_json::from_str(text).unwrap();
    Arc::new(columns.into_iter().collect())
}

fn with_row() -> Replica {
    let mut replica = replica();
    replica
        .load(updates(r#"{"T":{"$A":{"initial":{"n":1,"set":["set",[1,2]]}}}}"#))
        .unwrap();
    replica
}

const EMPTY: &str = r#"{"n":0,"opt":["set",[]],"set":["set",[]],"map":["map",[]]}"#;
const FULL: &str = r#"{"n":1,"opt":["set",[]],"set":["set",[1,2]],"map":["map",[]]}"#;

#[test]
fn columns_left_out_have_their_default_values() {
    let mut replica = replica();
    let changes = replica.apply(updates(r#"{"T":{"$A":{"insert":{}}}}"#)).unwrap();
    assert_eq!(
        changes,
        [RowChange {
            table: table(),
            uuid: uuid(A),
            change: Change::Insert(row(EMPTY))
        }]
    );
    assert_eq!(replica.table("T").unwrap().row(uuid(A)), Some(&row(EMPTY)));
}

#[test]
fn every_row_of_the_start_is_initial() {
    for text in [
        r#"{"T":{"$A":{"initial":{"n":1,"set":["set",[2,1]]}}}}"#.to_owned(),
        format!(r#"{{"T":{{"$A":{{"new":{FULL}}}}}}}"#),
    ] {
        let changes = replica().load(updates(&text)).unwrap();
        assert_eq!(changes.len(), 1);
        assert_eq!(changes[0].change, Change::Initial(row(FULL)));
    }
}

#[test]
fn a_modification_has_both_whole_rows_and_the_columns_that_differ() {
    let new = r#"{"n":1,"opt":"x","set":["set",[2,3]],"map":["map",[["k","v"]]]}"#;
    for text in [
        r#"{"T":{"$A":{"modify":{"set":["set",[1,3]],"opt":"x","map":["map",[["k","v"]]]}}}}"#.to_owned(),
        format!(
            r#"{{"T":{{"$A":{{"old":{{"opt":["set",[]],"set":["set",[1,2]],"map":["map",[]]}},"new":{new}}}}}}}"#
        ),
    ] {
        let changes = with_row().apply(updates(&text)).unwrap();
        let changed = ["map", "opt", "set"].map(Arc::from).to_vec();
        assert_eq!(
            changes,
            [RowChange {
                table: table(),
                uuid: uuid(A),
                change: Change::Modify {
                    old: row(FULL),
                    new: row(new),
                    changed
                }
            }]
        );
    }
}

#[test]
fn a_deletion_has_the_row_that_was_there() {
    for text in [
        r#"{"T":{"$A":{"delete":null}}}"#.to_owned(),
        format!(r#"{{"T":{{"$A":{{"old":{FULL}}}}}}}"#),
    ] {
        let mut replica = with_row();
        let changes = replica.apply(updates(&text)).unwrap();
        assert_eq!(changes[0].change, Change::Delete(row(FULL)));
        assert!(replica.table("T").unwrap().is_empty());
    }
}

#[test]
fn an_update_that_does_not_fit_is_refused_and_changes_nothing() {
    let no_row = |row: &str| ReplicaError::NoRow {
        table: table(),
        uuid: uuid(row),
    };
    let value = |column: &str, source| ReplicaError::Value {
        table: table(),
        uuid: uuid(A),
        column: column.into(),
        source,
    };
    let old_value = |column: &str| ReplicaError::OldValue {
        table: table(),
        uuid: uuid(A),
        column: column.into(),
    };
    let cases = [
        (r#"{"modify":{"n":2}}"#, B, no_row(B)),
        (r#"{"delete":null}"#, B, no_row(B)),
        (r#"{"old":{}}"#, B, no_row(B)),
        (
            r#"{"old":{},"new":{"n":0,"opt":"","set":1,"map":["map",[]]}}"#,
            B,
            no_row(B),
        ),
        (
            r#"{"insert":{}}"#,
            A,
            ReplicaError::RowExists {
                table: table(),
                uuid: uuid(A),
            },
        ),
        (
            r#"{"modify":{"other":"x"}}"#,
            A,
            ReplicaError::NoColumn {
                table: table(),
                column: "other".into(),
            },
        ),
        (
            r#"{"modify":{"set":["set",[3,4]]}}"#,
            A,
            value(
                "set",
                TypeError::Count {
                    found: 4,
                    min: 0,
                    max: Some(3),
                },
            ),
        ),
        (r#"{"modify":{"map":"x"}}"#, A, value("map", TypeError::NotAMap)),
        (r#"{"old":{"n":2}}"#, A, old_value("n")),
        (
            r#"{"old":{"n":2},"new":{"n":3,"opt":"","set":1,"map":["map",[]]}}"#,
            A,
            old_value("n"),
        ),
        (
            r#"{"old":{"n":1},"new":{"n":3,"opt":"","map":["map",[]]}}"#,
            A,
            ReplicaError::MissingColumn {
                table: table(),
                uuid: uuid(A),
                column: "set".into(),
            },
        ),
    ];
    for (update, row, error) in cases {
        let mut replica = with_row();
        let before = replica.clone();
        // Good ones before and after it, which must not stay either.
        let text = format!(
            r#"{{"T":{{"00000000-0000-0000-0000-000000000001":{{"insert":{{}}}},"{row}":{update}}},"T":{{"{A}":{{"delete":null}}}}}}"#
        );
        assert_eq!(replica.apply(updates(&text)), Err(error), "{update}");
        assert_eq!(replica, before, "{update}");
    }
}

#[test]
fn a_failed_message_is_taken_back_step_by_step() {
    let mut replica = with_row();
    let before = replica.clone();
    let text = r#"{"T":{"$A":{"modify":{"n":7}},"$A":{"delete":null},"$A":{"insert":{"n":9}},"$B":{"insert":{}},"$B":{"insert":{}}}}"#;
    assert_eq!(
        replica.apply(updates(text)),
        Err(ReplicaError::RowExists {
            table: table(),
            uuid: uuid(B)
        })
    );
    assert_eq!(replica, before);
}

#[test]
fn a_table_that_is_not_monitored_is_refused() {
    let unknown = ReplicaError::NoTable {
        table: "U".into(),
        monitored: vec!["T".into()],
    };
    assert_eq!(unknown.to_string(), "table U is not monitored, but T");
    let error = with_row().apply(updates(r#"{"U":{}}"#)).unwrap_err();
    assert_eq!(error, unknown);
    let error = with_row().rows::<Row2>("U").map(|_| ()).unwrap_err();
    assert_eq!(error, unknown);
}

#[derive(Debug, PartialEq, Deserialize)]
struct Row2 {
    #[serde(rename = "_uuid")]
    uuid: Uuid,
    n: u8,
}

#[test]
fn a_row_that_does_not_fit_its_type_costs_no_other() {
    let mut replica = with_row();
    replica
        .apply(updates(r#"{"T":{"$B":{"insert":{"n":-1}}}}"#))
        .unwrap();
    let rows: Vec<_> = replica.rows::<Row2>("T").unwrap().collect();
    assert_eq!(rows[0], Ok(Row2 { uuid: uuid(A), n: 1 }));
    let misfit = rows[1].as_ref().unwrap_err();
    assert_eq!((misfit.table(), misfit.uuid()), ("T", uuid(B)));
    assert_eq!(misfit.row().get("n"), Some(&Atom::Integer(-1).into()));
    assert_eq!(misfit.error().column(), Some("n"));
}

#[test]
fn a_request_that_the_schema_does_not_have_is_refused() {
    let schema =
        DatabaseSchema::parse(r#"{"name":"db","tables":{"T":{"columns":{"c":{"type":"string"}}}}}"#).unwrap();
    let refusal = |request: MonitorRequest| Replica::new(&schema, &request).unwrap_err();
    assert_eq!(
        refusal(MonitorRequest::new("other")),
        SchemaError::Database {
            found: "db".into(),
            wanted: "other".into()
        }
    );
    assert_eq!(
        refusal(MonitorRequest::new("db").all_columns("U")),
        SchemaError::NoTable {
            database: "db".into(),
            version: None,
            table: "U".into()
        }
    );
    assert_eq!(
        refusal(MonitorRequest::new("db").table("T", ["c", "d"])),
        SchemaError::NoColumn {
            database: "db".into(),
            version: None,
            table: "T".into(),
            column: "d".into()
        }
    );
}

#[test]
fn the_columns_that_every_table_has_can_be_asked_for() {
    let schema =
        DatabaseSchema::parse(r#"{"name":"db","tables":{"T":{"columns":{"n":{"type":"integer"}}}}}"#)
            .unwrap();
    let request = MonitorRequest::new("db").table("T", ["_version", "_uuid", "n"]);
    let mut replica = Replica::new(&schema, &request).unwrap();
    let text = r#"{"T":{"$A":{"insert":{"_uuid":["uuid","$A"],"_version":["uuid","$B"]}}}}"#;
    replica.apply(updates(text)).unwrap();
    let row = replica.table("T").unwrap().row(uuid(A)).unwrap();
    assert_eq!(row.get("_version"), Some(&Atom::Uuid(uuid(B)).into()));
    let read: Row2 = row.read(Uuid::ZERO).unwrap();
    assert_eq!(read.uuid, uuid(A));
}

#[test]
fn the_changes_to_a_later_state_are_exactly_what_differs() {
    let load = |text: &str| {
        let mut replica = replica();
        replica.load(updates(text)).unwrap();
        replica
    };
    let (a, b, c) = (
        "00000000-0000-0000-0000-00000000000a",
        "00000000-0000-0000-0000-00000000000b",
        "00000000-0000-0000-0000-00000000000c",
    );
    let old = load(&format!(
        r#"{{"T":{{"{a}":{{"initial":{{}}}},"{b}":{{"initial":{{}}}}}}}}"#
    ));
    let new = load(&format!(
        r#"{{"T":{{"{c}":{{"initial":{{}}}},"{b}":{{"initial":{{}}}}}}}}"#
    ));
    assert_eq!(old.changes_to(&old.clone()), []);
    let changes = old.changes_to(&new);
    let uuids: Vec<Uuid> = changes.iter().map(|change| change.uuid).collect();
    assert_eq!(uuids, [uuid(a), uuid(c)]);
    assert!(matches!(changes[0].change, Change::Delete(_)));
    assert!(matches!(changes[1].change, Change::Insert(_)));
}

#[test]
fn other_row_updates_are_refused() {
    let error = |update: &str| {
        let text = updates(&format!(r#"{{"T":{{"$A":{update}}}}}"#));
        match replica().apply(text).unwrap_err() {
            ReplicaError::Json(error) => error.to_string(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(error("{}"), "row update without an action at line 1 column 47");
    for text in [
        r#"{"insert":{},"delete":null}"#,
        r#"{"old":{},"old":{}}"#,
        r#"{"insert":{},"initial":{}}"#,
    ] {
        assert!(error(text).starts_with("row update with two actions"));
    }
    assert!(error(r#"{"move":{}}"#).starts_with("unknown action `move`"));
    assert!(error(r#"{"insert":null}"#).starts_with("invalid type: null, expected a row"));
    let placed = error("{\"insert\":{\"n\":\n [7]}}");
    assert!(placed.ends_with("at line 2 column 3"), "{placed}");
    for text in [
        r#"{"T":{"no-uuid":{}}}"#,
        r#"{"T":{}"#,
        r#"{"T":{}}}"#,
        r#"{"T":{},}"#,
        r#"{"T" {}}"#,
        "[]",
        "",
    ] {
        let result = replica().apply(text);
        assert!(matches!(result, Err(ReplicaError::Json(_))), "{text}: {result:?}");
    }
    let latin1: &[u8] = b"{\"T\xe9\":{}}";
    assert!(matches!(replica().apply(latin1), Err(ReplicaError::Json(_))));
    assert_eq!(replica().apply(" { \"\\u0054\" : { } } "), Ok(vec![]));
}

#[test]
fn every_prefix_of_an_update_is_refused() {
    let text = updates(r#"{"T":{"$A":{"modify":{"set":["set",[1,3]],"opt":"x"}},"$B":{"insert":{}}}}"#);
    for len in 0..text.len() {
        let mut replica = with_row();
        let result = replica.apply(text[..len].to_owned());
        assert!(matches!(result, Err(ReplicaError::Json(_))), "{len}: {result:?}");
        assert_eq!(replica, with_row());
    }
}

#[test]
fn a_row_that_lacks_a_field_is_not_read() {
    #[derive(Debug, Deserialize)]
    struct Other {
        #[expect(dead_code, reason = "it is never read")]
        other: Option<String>,
    }
    let replica = with_row();
    let error = replica.rows::<Other>("T").unwrap().next().unwrap().unwrap_err();
    assert_eq!(error.error().to_string(), "column other: not in the row");
}

/// Whatever happens, an index finds what a look at all rows finds.
#[test]
fn an_index_finds_what_all_rows_show() {
    let schema = schema();
    let request = MonitorRequest::new("db").all_columns("T");
    let columns = ["n", "opt", "set", "map"];
    let indexed = columns
        .iter()
        .fold(request.clone(), |request, column| request.index("T", *column));
    let mut plain = Replica::new(&schema, &request).unwrap();
    let mut indexed = Replica::new(&schema, &indexed).unwrap();
    for text in [
        r#"{"T":{"$A":{"insert":{"n":1,"set":["set",[1,2]]}},"$B":{"insert":{"opt":"x"}}}}"#,
        r#"{"T":{"$A":{"modify":{"set":["set",[2,3]],"opt":"x","map":["map",[["k","v"],["l","w"]]]}}}}"#,
        r#"{"T":{"$B":{"modify":{"n":1,"map":["map",[["k","v"]]]}}}}"#,
        r#"{"T":{"$A":{"modify":{"map":["map",[["k","v2"]]]}},"$B":{"insert":{}}}}"#,
        r#"{"T":{"$A":{"modify":{"map":["map",[["k","v2"]]]}}}}"#,
        r#"{"T":{"$B":{"delete":null}}}"#,
    ] {
        let text = updates(text);
        assert_eq!(plain.apply(text.clone()), indexed.apply(text));
        let (plain, indexed) = (plain.table("T").unwrap(), indexed.table("T").unwrap());
        for atom in [
            Atom::from(0),
            Atom::from(1),
            Atom::from(2),
            Atom::from("x"),
            Atom::from("v"),
        ] {
            for column in ["n", "opt", "set", "map", "other", "nope"] {
                let found: Vec<_> = indexed.find(column, atom.clone()).collect();
                assert_eq!(found, plain.find(column, atom.clone()).collect::<Vec<_>>());
                for key in ["k", "l"] {
                    let found: Vec<_> = indexed.find_pair(column, key, atom.clone()).collect();
                    assert_eq!(
                        found,
                        plain.find_pair(column, key, atom.clone()).collect::<Vec<_>>()
                    );
                }
            }
        }
    }
    let table = indexed.table("T").unwrap();
    assert_eq!(
        table.find("set", 3).map(|(uuid, _)| uuid).collect::<Vec<_>>(),
        [uuid(A)]
    );
    assert_eq!(table.find_pair("map", "k", "v2").count(), 1);
    assert_eq!(table.find_pair("map", "l", "w").count(), 1);
}

#[test]
fn an_index_of_a_column_that_is_not_requested_is_refused() {
    let request = MonitorRequest::new("db").table("T", ["n"]).index("T", "set");
    let error = Replica::new(&schema(), &request).unwrap_err();
    assert_eq!(error.to_string(), "column set of table T is not requested");
}
