use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::*;
use crate::monitor::MonitorRequest;
use crate::replica::{Change, Replica, SchemaError};
use crate::schema::DatabaseSchema;
use crate::value::Datum;

/// Every kind of column and every kind of field.
#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Everything {
    #[serde(rename = "_uuid")]
    uuid: Uuid,
    integer: i64,
    real: f64,
    boolean: bool,
    string: String,
    color: Color,
    opt_integer: Option<u16>,
    opt_string: Option<Name>,
    opt_color: Option<Color>,
    opt_uuid: Option<Uuid>,
    opt_as_list: Vec<String>,
    integers: BTreeSet<i64>,
    uuids: Vec<Uuid>,
    pairs: BTreeMap<String, String>,
    numbers: HashMap<Name, i64>,
    names: BTreeMap<i64, Uuid>,
    keys: Keys,
    raw: Datum,
}

#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Color {
    #[default]
    #[serde(rename = "")]
    None,
    Red,
    Green,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize, Serialize)]
struct Name(String);

/// Some keys of a map.
#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Keys {
    a: Option<String>,
    #[serde(default)]
    b: String,
}

const SCHEMA: &str = r#"{"name":"db","tables":{"T":{"columns":{
    "integer":{"type":"integer"},"real":{"type":"real"},"boolean":{"type":"boolean"},"string":{"type":"string"},
    "color":{"type":"string"},
    "opt_integer":{"type":{"key":"integer","min":0}},"opt_string":{"type":{"key":"string","min":0}},
    "opt_color":{"type":{"key":"string","min":0}},"opt_uuid":{"type":{"key":"uuid","min":0}},
    "opt_as_list":{"type":{"key":"string","min":0}},
    "integers":{"type":{"key":"integer","min":0,"max":"unlimited"}},
    "uuids":{"type":{"key":"uuid","min":0,"max":"unlimited"}},
    "pairs":{"type":{"key":"string","value":"string","min":0,"max":"unlimited"}},
    "numbers":{"type":{"key":"string","value":"integer","min":0,"max":"unlimited"}},
    "names":{"type":{"key":"integer","value":"uuid","min":0,"max":"unlimited"}},
    "keys":{"type":{"key":"string","value":"string","min":0,"max":"unlimited"}},
    "raw":{"type":{"key":"string","min":0,"max":"unlimited"}}}}}}"#;

const A: &str = "00000000-0000-0000-0000-00000000000a";

fn schema() -> DatabaseSchema {
    DatabaseSchema::parse(SCHEMA).unwrap()
}

fn request() -> MonitorRequest {
    MonitorRequest::new("db").table_of::<Everything>("T")
}

fn typed() -> Replica<Typed<Everything>> {
    Replica::typed(&schema(), &request()).unwrap()
}

struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }

    fn one_of(&mut self, texts: &[&str]) -> String {
        let at = usize::try_from(self.below(texts.len() as u64)).unwrap();
        texts[at].to_owned()
    }

    fn set(&mut self, atoms: &[&str]) -> String {
        let some: Vec<&str> = atoms.iter().copied().filter(|_| self.below(2) == 0).collect();
        match some.as_slice() {
            [one] if self.below(4) > 0 => (*one).to_owned(),
            some => format!(r#"["set",[{}]]"#, some.join(",")),
        }
    }

    fn map(&mut self, keys: &[&str], values: &[&str]) -> String {
        let keys: Vec<&str> = keys.iter().copied().filter(|_| self.below(2) == 0).collect();
        let pairs: Vec<String> = keys
            .iter()
            .map(|key| format!("[{key},{}]", self.one_of(values)))
            .collect();
        format!(r#"["map",[{}]]"#, pairs.join(","))
    }

    /// Some columns, in any order.
    fn row(&mut self) -> String {
        const STRINGS: &[&str] = &[r#""""#, r#""a""#, r#""b\"\\\u00e9""#, r#""\ud83d\ude00""#];
        const UUIDS: &[&str] = &[
            r#"["uuid","00000000-0000-0000-0000-00000000000c"]"#,
            r#"["uuid","00000000-0000-0000-0000-00000000000d"]"#,
        ];
        let optional = |random: &mut Self, texts| match random.below(3) {
            0 => r#"["set",[]]"#.to_owned(),
            _ => random.one_of(texts),
        };
        let keys = &[r#""a""#, r#""b""#, r#""c d""#];
        let mut columns = vec![
            (
                "integer",
                self.one_of(&["0", "-9223372036854775808", "9223372036854775807"]),
            ),
            ("real", self.one_of(&["0", "100", "0.1", "1e-300"])),
            ("boolean", self.one_of(&["true", "false"])),
            ("string", self.one_of(STRINGS)),
            ("color", self.one_of(&[r#""red""#, r#""green""#])),
            ("opt_integer", optional(self, &["0", "65535"])),
            ("opt_string", optional(self, STRINGS)),
            ("opt_color", optional(self, &[r#""red""#])),
            ("opt_uuid", optional(self, UUIDS)),
            ("opt_as_list", optional(self, STRINGS)),
            ("integers", self.set(&["1", "2", "3"])),
            ("uuids", self.set(UUIDS)),
            ("pairs", self.map(keys, STRINGS)),
            ("numbers", self.map(keys, &["1", "2"])),
            ("names", self.map(&["1", "2"], UUIDS)),
            ("keys", self.map(keys, STRINGS)),
            ("raw", self.set(STRINGS)),
        ];
        columns.retain(|_| self.below(3) > 0);
        let half = columns.len() / 2;
        columns.rotate_left(half);
        let columns: Vec<String> = columns
            .iter()
            .map(|(name, value)| format!(r#""{name}":{value}"#))
            .collect();
        format!("{{{}}}", columns.join(", "))
    }

    fn update(&mut self) -> String {
        let rows: Vec<String> = (0..=self.below(3))
            .map(|n| {
                let uuid = format!("00000000-0000-0000-0000-0000000000{:02x}", 16 * n + self.below(4));
                let update = match self.below(5) {
                    0 => r#"{"delete":null}"#.to_owned(),
                    1 | 2 => format!(r#"{{"insert":{}}}"#, self.row()),
                    _ => format!(r#"{{"modify":{}}}"#, self.row()),
                };
                format!(r#""{uuid}":{update}"#)
            })
            .collect();
        format!(r#"{{"T":{{{}}}}}"#, rows.join(","))
    }
}

#[test]
fn of_a_large_message_only_the_rows_of_the_start_keep_its_memory() {
    let message = |action: &str| {
        let row = |n| format!(r#""00000000-0000-0000-0000-{n:012x}":{{"{action}":{{"string":"some"}}}}"#);
        let rows: Vec<String> = (0..2000).map(row).collect();
        Bytes::from(format!(r#"{{"T":{{{}}}}}"#, rows.join(",")))
    };
    for (action, keeps) in [("initial", true), ("insert", false)] {
        let (mut replica, message) = (typed(), message(action));
        assert!(message.len() > PINNED_LEN);
        assert_eq!(replica.apply(message.clone()).unwrap().len(), 2000);
        assert_eq!(!message.is_unique(), keeps, "{action}");
    }
}

/// Typed rows are what reading plain rows gives, and they change at the same time.
#[test]
fn typed_rows_and_plain_rows_say_the_same() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (mut plain, mut typed) = (Replica::new(&schema(), &request()).unwrap(), typed());
    let (mut applied, mut refused) = (0, 0);
    for _ in 0..5000 {
        let text = random.update();
        let before = typed.clone();
        match (plain.apply(text.clone()), typed.apply(text.clone())) {
            (Ok(plain), Ok(typed)) => {
                applied += 1;
                assert_eq!(plain.len(), typed.len());
                for (plain, typed) in plain.iter().zip(&typed) {
                    assert_eq!((&plain.table, plain.uuid), (&typed.table, typed.uuid));
                    let read = |row: &Row| row.read::<Everything>(plain.uuid).unwrap();
                    match (&plain.change, &typed.change) {
                        (Change::Insert(plain), Change::Insert(typed))
                        | (Change::Delete(plain), Change::Delete(typed)) => {
                            assert_eq!(read(plain), *typed.value().unwrap());
                        }
                        (
                            Change::Modify { old, new, changed },
                            Change::Modify {
                                old: typed_old,
                                new: typed_new,
                                changed: typed_changed,
                            },
                        ) => {
                            assert_eq!(
                                (read(old), read(new)),
                                (
                                    typed_old.value().unwrap().clone(),
                                    typed_new.value().unwrap().clone()
                                )
                            );
                            assert_eq!(changed, typed_changed);
                        }
                        other => panic!("{other:?}"),
                    }
                }
                let back = typed.iter().map(|change| change.uuid).collect::<BTreeSet<_>>();
                let all = before.changes_to(&typed_clone(&before, &text));
                assert!(all.iter().all(|change| back.contains(&change.uuid)));
            }
            (Err(plain), Err(typed)) => {
                refused += 1;
                assert_eq!(plain, typed, "{text}");
            }
            (plain, typed) => panic!("{text}: {plain:?} {typed:?}"),
        }
        let rows = plain.rows::<Everything>("T").unwrap().map(Result::unwrap);
        let table = typed.table("T").unwrap();
        assert_eq!(
            rows.collect::<Vec<_>>(),
            table
                .rows()
                .map(|(_, row)| row.value().unwrap().clone())
                .collect::<Vec<_>>()
        );
    }
    assert!(applied > 500 && refused > 500, "{applied} {refused}");
}

fn typed_clone(before: &Replica<Typed<Everything>>, text: &str) -> Replica<Typed<Everything>> {
    let mut after = before.clone();
    after.apply(text.to_owned()).unwrap();
    after
}

const B: &str = "00000000-0000-0000-0000-00000000000b";

#[test]
fn a_row_that_does_not_fit_the_type_is_kept_beside_why_and_costs_no_other() {
    for (column, value, wanted) in [
        (
            "opt_integer",
            "65536",
            "column opt_integer: invalid value: integer `65536`, expected u16",
        ),
        ("color", r#""blue""#, "column color: unknown variant `blue`"),
    ] {
        let mut replica = typed();
        let misfit = format!(r#""{A}":{{"insert":{{"string":"s","{column}":{value}}}}}"#);
        let text = format!(r#"{{"T":{{{misfit},"{B}":{{"insert":{{"integer":7}}}}}}}}"#);
        let changes = replica.apply(text).unwrap();
        let [Change::Insert(first), Change::Insert(second)] = [&changes[0].change, &changes[1].change] else {
            panic!("{changes:?}");
        };
        let misfit = first.value().unwrap_err();
        assert_eq!((misfit.table(), misfit.uuid()), ("T", A.parse().unwrap()));
        assert_eq!(misfit.row().get("string"), Some(&"s".into()));
        assert_eq!(misfit.error().column(), Some(column));
        let found = misfit.error().to_string();
        assert!(found.starts_with(wanted), "{found}");
        assert_eq!(second.value().unwrap().integer, 7);
        // It is found, changes and goes like any other.
        let table = replica.table("T").unwrap();
        assert_eq!(table.find("string", "s").count(), 1);
        let modify =
            |column: &str, value| format!(r#"{{"T":{{"{A}":{{"modify":{{"{column}":{value}}}}}}}}}"#);
        replica.apply(modify("integer", "8")).unwrap();
        let row = |replica: &Replica<Typed<Everything>>| {
            let row = replica.table("T").unwrap().row(A.parse().unwrap()).cloned();
            row.unwrap().value().cloned().map_err(Clone::clone)
        };
        assert_eq!(row(&replica).unwrap_err().row().get("integer"), Some(&8.into()));
        let good = if column == "color" {
            r#""red""#
        } else {
            r#"["set",[]]"#
        };
        let changes = replica.apply(modify(column, good)).unwrap();
        assert!(matches!(&changes[0].change, Change::Modify { changed, .. } if *changed == [column.into()]));
        assert_eq!(row(&replica).unwrap().integer, 8);
        replica.apply(modify(column, value)).unwrap();
        let gone = replica
            .apply(format!(r#"{{"T":{{"{A}":{{"delete":null}}}}}}"#))
            .unwrap();
        assert!(matches!(&gone[0].change, Change::Delete(row) if row.value().is_err()));
        assert_eq!(replica.table("T").unwrap().len(), 1);
    }
}

/// What does not even fit the schema is no row: then the replica is not a copy any more.
#[test]
fn what_does_not_fit_the_schema_is_refused_as_for_a_plain_row() {
    let mut plain = Replica::new(&schema(), &request()).unwrap();
    for row in [
        r#"{"integer":"x"}"#,
        r#"{"opt_integer":["set",[1,2]]}"#,
        r#"{"pairs":"x"}"#,
        r#"{"pairs":["map",[["a"]]]}"#,
        r#"{"pairs":["map",[["a",1]]]}"#,
        r#"{"numbers":["map",[["a","1"]]]}"#,
        r#"{"integers":["set",[1.5]]}"#,
        r#"{"integers":["set",[["set",[]]]]}"#,
        r#"{"uuids":["uuid"]}"#,
        r#"{"uuids":["sets",[]]}"#,
        r#"{"other":1}"#,
        "[]",
    ] {
        let text = format!(r#"{{"T":{{"{A}":{{"insert":{row}}}}}}}"#);
        assert_eq!(
            typed().apply(text.clone()).unwrap_err(),
            plain.apply(text).unwrap_err()
        );
    }
}

#[test]
fn every_field_must_be_requested() {
    let request = MonitorRequest::new("db").table("T", ["integer"]);
    let error = Replica::typed::<Everything>(&schema(), &request).unwrap_err();
    assert_eq!(
        error,
        SchemaError::NotRequested {
            table: "T".into(),
            column: "real".into()
        }
    );
}

#[test]
fn whole_rows_must_be_whole() {
    #[derive(Debug, Clone, PartialEq, Deserialize)]
    struct Two {
        integer: i64,
        string: Option<String>,
    }
    let request = MonitorRequest::new("db").table_of::<Two>("T");
    let mut replica = Replica::typed::<Two>(&schema(), &request).unwrap();
    let error = replica
        .apply(format!(r#"{{"T":{{"{A}":{{"new":{{"integer":1}}}}}}}}"#))
        .unwrap_err();
    assert!(matches!(error, ReplicaError::MissingColumn { column, .. } if &*column == "string"));
    replica
        .apply(format!(
            r#"{{"T":{{"{A}":{{"new":{{"integer":1,"string":"x"}}}}}}}}"#
        ))
        .unwrap();
    let error = replica
        .apply(format!(r#"{{"T":{{"{A}":{{"old":{{"integer":2}}}}}}}}"#))
        .unwrap_err();
    assert!(matches!(error, ReplicaError::OldValue { .. }));
}

#[test]
fn a_table_may_have_more_columns_than_a_word_has_bits() {
    let columns: Vec<String> = (0..70)
        .map(|n| format!(r#""c{n:02}":{{"type":"integer"}}"#))
        .collect();
    let schema = format!(
        r#"{{"name":"db","tables":{{"T":{{"columns":{{{}}}}}}}}}"#,
        columns.join(",")
    );
    let schema = DatabaseSchema::parse(&schema).unwrap();
    let request = MonitorRequest::new("db").all_columns("T");
    let mut replica = Replica::typed::<BTreeMap<String, Datum>>(&schema, &request).unwrap();
    let text = |row: &str| format!(r#"{{"T":{{"{A}":{{"insert":{row}}}}}}}"#);
    replica.apply(text(r#"{"c69":69,"c63":63,"c64":64}"#)).unwrap();
    let (_, row) = replica.table("T").unwrap().rows().next().unwrap();
    let row = row.value().unwrap();
    assert_eq!(row.len(), 71, "and _uuid");
    for n in 0..70 {
        let wanted = if [63, 64, 69].contains(&n) { n } else { 0 };
        assert_eq!(row[&format!("c{n:02}")], wanted.into());
    }
}
