//! Updates that say something twice: of a column the last value counts, all else is refused, for rows of every form alike.

use std::collections::{BTreeMap, BTreeSet};

use ovsdb_proto::monitor::MonitorRequest;
use ovsdb_proto::replica::{Replica, Typed};
use ovsdb_proto::schema::DatabaseSchema;
use ovsdb_proto::value::Uuid;
use serde::Deserialize;
use serde_json::Value;

#[derive(Clone, Deserialize)]
#[expect(dead_code, reason = "that it is read is enough")]
struct Columns {
    n: u8,
    r: f64,
    o: Option<String>,
    s: BTreeSet<i64>,
    m: BTreeMap<String, Uuid>,
}

struct Both {
    plain: Replica,
    typed: Replica<Typed<Columns>>,
}

impl Both {
    fn new() -> Self {
        let schema = DatabaseSchema::parse(
            r#"{"name":"db","tables":{"T":{"columns":{"n":{"type":"integer"},"r":{"type":"real"},
            "o":{"type":{"key":"string","min":0}},"s":{"type":{"key":"integer","min":0,"max":"unlimited"}},
            "m":{"type":{"key":"string","value":"uuid","min":0,"max":"unlimited"}}}}}}"#,
        )
        .unwrap();
        let request = MonitorRequest::new("db")
            .all_columns("T")
            .index("T", "s")
            .index("T", "o");
        Self {
            plain: Replica::new(&schema, &request).unwrap(),
            typed: Replica::typed(&schema, &request).unwrap(),
        }
    }

    /// Applies it to both. Gives whether it was taken.
    fn apply(&mut self, text: &str) -> bool {
        let before = self.plain.clone();
        let (plain, typed) = (
            self.plain.apply(text.to_owned()),
            self.typed.apply(text.to_owned()),
        );
        let Ok(plain) = plain else {
            assert_eq!(self.plain, before, "{text}");
            assert!(typed.is_err(), "{text}");
            return false;
        };
        let typed = typed.unwrap_or_else(|error| panic!("{error}: {text}"));
        assert!(
            plain.iter().map(|c| c.uuid).eq(typed.iter().map(|c| c.uuid)),
            "{text}"
        );
        self.check(text);
        true
    }

    fn check(&self, text: &str) {
        let (plain, typed) = (self.plain.table("T").unwrap(), self.typed.table("T").unwrap());
        assert_eq!(plain.len(), typed.len(), "{text}");
        for (uuid, row) in plain.rows() {
            let fits = row.read::<Columns>(uuid).is_ok();
            assert_eq!(typed.row(uuid).unwrap().value().is_ok(), fits, "{text}: {row:?}");
        }
    }
}

const A: &str = "00000000-0000-0000-0000-00000000000a";

#[test]
fn of_a_column_that_comes_twice_the_last_value_counts() {
    let mut both = Both::new();
    assert!(both.apply(&format!(
        r#"{{"T":{{"{A}":{{"insert":{{"s":1,"s":["set",[2,3]],"n":1000,"n":2}}}}}}}}"#
    )));
    let value = |both: &Both, column: &str| {
        let row = both.plain.table("T").unwrap().rows().next().unwrap().1;
        serde_json::to_string(row.get(column).unwrap()).unwrap()
    };
    assert_eq!(
        (value(&both, "s"), value(&both, "n")),
        (r#"["set",[2,3]]"#.into(), "2".into())
    );
    assert!(both.apply(&format!(
        r#"{{"T":{{"{A}":{{"modify":{{"s":2,"n":4,"s":9,"n":1e0}}}}}}}}"#
    )));
    assert_eq!(
        (value(&both, "s"), value(&both, "n")),
        (r#"["set",[2,3,9]]"#.into(), "1".into())
    );
}

#[test]
fn a_row_or_a_table_that_comes_twice_is_refused() {
    let mut both = Both::new();
    let insert = format!(r#""{A}":{{"insert":{{"n":1}}}}"#);
    let (modify, delete) = (
        format!(r#""{A}":{{"modify":{{"n":2}}}}"#),
        format!(r#""{A}":{{"delete":null}}"#),
    );
    assert!(both.apply(&format!(r#"{{"T":{{{insert}}}}}"#)));
    for rows in [
        [&modify, &modify],
        [&modify, &delete],
        [&delete, &insert],
        [&delete, &delete],
    ] {
        let [first, second] = rows;
        assert!(
            !both.apply(&format!(r#"{{"T":{{{first},{second}}}}}"#)),
            "{rows:?}"
        );
        assert!(
            !both.apply(&format!(r#"{{"T":{{{first}}},"T":{{{second}}}}}"#)),
            "{rows:?}"
        );
    }
}

#[test]
fn random_updates_do_what_they_do_without_what_comes_twice() {
    let rounds = std::env::var("OVS_RS_ROUNDS")
        .ok()
        .and_then(|rounds| rounds.parse().ok());
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut below = |n: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) % n
    };
    let mut both = Both::new();
    let (mut taken, mut twice) = (0, 0);
    for _ in 0..rounds.unwrap_or(3000) {
        let row = |below: &mut dyn FnMut(u64) -> u64| {
            let count = below(7);
            let columns = (0..count).map(|_| {
                let values: &[&str] = match below(5) {
                    0 => &[r#""n":1"#, r#""n":1e2"#, r#""n":7.0"#, r#""n":300"#, r#""n":-0"#],
                    1 => &[r#""r":1"#, r#""r":-0.0"#, r#""r":0.5"#, r#""r":0"#],
                    2 => &[r#""o":"a""#, r#""o":["set",[]]"#, r#""o":["set",["b"]]"#],
                    3 => &[
                        r#""s":1"#,
                        r#""s":["set",[1,2]]"#,
                        r#""s":["set",[]]"#,
                        r#""s":["set",[1.0,3]]"#,
                    ],
                    _ => &[
                        r#""m":["map",[["k",["uuid","00000000-0000-0000-0000-000000000001"]]]]"#,
                        r#""m":["map",[]]"#,
                    ],
                };
                values[usize::try_from(below(values.len() as u64)).unwrap()].to_owned()
            });
            columns.collect::<Vec<_>>().join(",")
        };
        let uuid = below(3);
        let update = match below(6) {
            0 | 1 => format!(r#"{{"insert":{{{}}}}}"#, row(&mut below)),
            2 => r#"{"delete":null}"#.to_owned(),
            3 => format!(r#"{{"modify":{{{0}}},"modify":{{{0}}}}}"#, row(&mut below)),
            _ => format!(r#"{{"modify":{{{}}}}}"#, row(&mut below)),
        };
        let text = format!(r#"{{"T":{{"00000000-0000-0000-0000-00000000000{uuid}":{update}}}}}"#);
        // serde_json keeps the last of what comes twice.
        let once = serde_json::from_str::<Value>(&text).unwrap().to_string();
        let mut naive = Both {
            plain: both.plain.clone(),
            typed: both.typed.clone(),
        };
        if both.apply(&text) {
            assert!(naive.apply(&once), "{text}");
            assert_eq!(both.plain, naive.plain, "{text}");
            taken += 1;
            twice += usize::from(once.len() < text.len());
        } else if !text.contains(r#"},"modify""#) {
            assert!(!naive.apply(&once), "{text}");
        }
    }
    assert!(
        taken > 500 && twice > 100,
        "{taken} taken, {twice} with duplicates"
    );
}
