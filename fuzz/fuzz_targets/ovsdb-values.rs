//! Any text as a value, a row, an operation or a schema: what is read prints, and reads again as the same.
#![no_main]

use std::fmt::Debug;

use libfuzzer_sys::fuzz_target;
use ovsdb_proto::operation::{Condition, Mutation, Operation};
use ovsdb_proto::schema::{ColumnType, DatabaseSchema};
use ovsdb_proto::value::{Atom, Datum, Map, Row, Set, Uuid};
use serde::{Serialize, de::DeserializeOwned};

const TYPES: [&str; 6] = [
    r#""integer""#,
    r#"{"key":{"type":"integer","minInteger":-9,"maxInteger":9},"min":0}"#,
    r#"{"key":"real","min":0,"max":3}"#,
    r#"{"key":{"type":"string","enum":["set",["a","b"]]},"min":0,"max":"unlimited"}"#,
    r#"{"key":"string","value":"uuid","min":0,"max":"unlimited"}"#,
    r#"{"key":"boolean","value":{"type":"string","maxLength":2},"min":1,"max":2}"#,
];

fuzz_target!(|text: &str| {
    round_trip::<Atom>(text);
    round_trip::<Set>(text);
    round_trip::<Map>(text);
    round_trip::<Row>(text);
    round_trip::<Operation>(text);
    round_trip::<Condition>(text);
    round_trip::<Mutation>(text);
    if let Some(value) = round_trip::<Datum>(text) {
        for ty in TYPES {
            conforming(&serde_json::from_str(ty).unwrap(), &value);
        }
    }
    if let Ok(uuid) = text.parse::<Uuid>() {
        assert_eq!(uuid.to_string().parse(), Ok(uuid));
    }
    let _ = serde_json::from_str::<ColumnType>(text);
    if let Ok(schema) = DatabaseSchema::parse(text) {
        for table in schema.tables.values() {
            for column in table.columns.values() {
                let _ = column.ty.conform(column.ty.default_value());
            }
        }
    }
});

fn round_trip<T: DeserializeOwned + Serialize + PartialEq + Debug>(text: &str) -> Option<T> {
    let value: T = serde_json::from_str(text).ok()?;
    let printed = serde_json::to_string(&value).expect("what was read is written");
    let again: T = serde_json::from_str(&printed).expect("what was written is read");
    assert_eq!(again, value, "{printed}");
    assert_eq!(serde_json::to_string(&again).unwrap(), printed);
    Some(value)
}

/// A value that a column can have stays what it is, and a diff of it with itself is taken back by itself.
fn conforming(ty: &ColumnType, value: &Datum) {
    let Ok(conforming) = ty.conform(value.clone()) else { return };
    assert_eq!(ty.conform(conforming.clone()).as_ref(), Ok(&conforming));
    let Ok(new) = ty.apply_diff(&ty.default_value(), conforming.clone()) else { return };
    if ty.is_scalar() || ty.is_optional_scalar() {
        assert_eq!(new, conforming);
    } else if let Ok(old) = ty.apply_diff(&new, conforming) {
        assert_eq!(old, ty.default_value());
    }
}
