//! Schemas, taken and refused as `ovsdb-tool create` takes and refuses them.

use std::path::Path;
use std::process::Command;

use ovsdb_proto::schema::DatabaseSchema;
use serde_json::{Value, json};
use testbed::or_skip;

const BASE: &str = r#"{"name":"d","version":"1.2.3","cksum":"1 2","tables":{
    "T":{"isRoot":true,"maxRows":9,"mutable":true,"indexes":[["i","s"]],"columns":{
        "i":{"type":{"key":{"type":"integer","minInteger":-1,"maxInteger":5}},"mutable":false},
        "r":{"type":{"key":{"type":"real","minReal":0.5,"maxReal":2},"min":0,"max":3},"ephemeral":true},
        "s":{"type":{"key":{"type":"string","minLength":1,"maxLength":3}}},
        "e":{"type":{"key":{"type":"string","enum":["set",["a","b"]]},"min":0,"max":1}},
        "m":{"type":{"key":"string","value":{"type":"uuid","refTable":"U","refType":"weak"},"min":0,"max":"unlimited"}}}},
    "U":{"columns":{"b":{"type":"boolean"},"u":{"type":{"key":{"type":"uuid","refTable":"T"},"min":0}}}}}}"#;

/// Whether `ovsdb-tool` makes a database of it.
fn is_taken(tool: &Path, dir: &Path, schema: &str) -> bool {
    let (file, database) = (dir.join("ovsschema"), dir.join("db"));
    std::fs::write(&file, schema).unwrap();
    let _ = std::fs::remove_file(&database);
    let made = Command::new(tool).arg("create").args([&database, &file]).output();
    made.unwrap().status.success()
}

fn compare(schemas: impl IntoIterator<Item = String>) -> Option<(usize, usize)> {
    let tool = or_skip(testbed::program("ovsdb-tool"))?;
    let dir = tempfile::tempdir().unwrap();
    let (mut taken, mut refused, mut differences) = (0, 0, Vec::new());
    for schema in schemas {
        let ours = DatabaseSchema::parse(&schema);
        let real = is_taken(&tool, dir.path(), &schema);
        *(if real { &mut taken } else { &mut refused }) += 1;
        if ours.is_ok() != real {
            differences.push(format!("taken: {real}; ours: {:?}\n{schema}", ours.err()));
        }
    }
    assert!(
        differences.is_empty(),
        "{} differences\n{}",
        differences.len(),
        differences.join("\n")
    );
    Some((taken, refused))
}

/// `BASE` with another value in one place, given as a JSON pointer.
fn with(at: &str, value: &str) -> String {
    let mut schema: Value = serde_json::from_str(BASE).unwrap();
    let (parent, name) = at.rsplit_once('/').unwrap();
    schema.pointer_mut(parent).unwrap()[name] = json!("PLACE");
    schema.to_string().replace("\"PLACE\"", value)
}

#[test]
fn each_kind_of_fault_is_refused() {
    let c = "/tables/T/columns";
    let schemas = [
        (
            format!("{c}/i/type"),
            r#"{"key":{"type":"integer","minInteger":5,"maxInteger":3}}"#,
        ),
        (
            format!("{c}/r/type"),
            r#"{"key":{"type":"real","minReal":5,"maxReal":3}}"#,
        ),
        (
            format!("{c}/s/type"),
            r#"{"key":{"type":"string","minLength":5,"maxLength":3}}"#,
        ),
        (
            format!("{c}/s/type"),
            r#"{"key":{"type":"string","minLength":-1}}"#,
        ),
        (
            format!("{c}/s/type"),
            r#"{"key":{"type":"string","maxLength":4294967296}}"#,
        ),
        (
            format!("{c}/s/type"),
            r#"{"key":{"type":"string","minInteger":1}}"#,
        ),
        (
            format!("{c}/u/type"),
            r#"{"key":{"type":"uuid","refTable":"a-b-c"}}"#,
        ),
        (format!("{c}/u/type"), r#"{"key":{"type":"uuid","refTable":"W"}}"#),
        (
            format!("{c}/u/type"),
            r#"{"key":{"type":"uuid","refTable":"T","refType":"loose"}}"#,
        ),
        (
            format!("{c}/u/type"),
            r#"{"key":{"type":"uuid","refType":"weak"}}"#,
        ),
        (
            format!("{c}/e/type"),
            r#"{"key":{"type":"string","enum":["set",[]]}}"#,
        ),
        (
            format!("{c}/e/type"),
            r#"{"key":{"type":"string","enum":["set",["a","a"]]}}"#,
        ),
        (
            format!("{c}/e/type"),
            r#"{"key":{"type":"integer","enum":["set",[1]],"minInteger":1}}"#,
        ),
        (
            format!("{c}/e/type"),
            r#"{"key":{"type":"integer","enum":["set",[1,1.0]]}}"#,
        ),
        (
            format!("{c}/e/type"),
            r#"{"key":{"type":"integer","enum":["set",["a"]]}}"#,
        ),
        (format!("{c}/e/type"), r#"{"key":"string","min":5,"max":3}"#),
        (format!("{c}/e/type"), r#"{"key":"string","min":2,"max":3}"#),
        (format!("{c}/e/type"), r#"{"key":"string","max":0}"#),
        (format!("{c}/e/type"), r#"{"key":"string","max":"many"}"#),
        (format!("{c}/e/type"), r#"{"key":"string","max":4294967295}"#),
        (format!("{c}/_x"), r#"{"type":"string"}"#),
        (format!("{c}/x-y"), r#"{"type":"string"}"#),
        ("/tables/_X".to_owned(), r#"{"columns":{"c":{"type":"string"}}}"#),
        ("/tables/U/columns".to_owned(), "{}"),
        ("/tables/T/indexes".to_owned(), "[[]]"),
        ("/tables/T/indexes".to_owned(), r#"[["r"]]"#),
        ("/tables/T/indexes".to_owned(), r#"[["_version"]]"#),
        ("/tables/T/indexes".to_owned(), r#"[["i","i"]]"#),
        ("/tables/T/maxRows".to_owned(), "0"),
        ("/tables/T/x".to_owned(), "1"),
        ("/version".to_owned(), r#""1,2,3""#),
        ("/name".to_owned(), r#""a-b""#),
    ];
    let count = schemas.len();
    let schemas = schemas.map(|(at, value)| with(&at.replace("/T/columns/u", "/U/columns/u"), value));
    if let Some(found) = compare(schemas) {
        assert_eq!(found, (0, count));
    }
}

#[test]
fn what_only_looks_wrong_is_taken() {
    let schemas = [
        ("/tables/T/maxRows", "1e1"),
        ("/tables/T/maxRows", "99999999999"),
        ("/tables/T/indexes", r#"[["_uuid"]]"#),
        (
            "/tables/T/columns/i/type",
            r#"{"key":{"type":"integer","minInteger":-0,"maxInteger":5.0}}"#,
        ),
        ("/tables/T/columns/m/mutable", "false"),
        ("/tables/U/columns/u/ephemeral", "true"),
        (
            "/tables/U/columns/b/type",
            r#"{"key":"boolean","value":"string","min":1.0,"max":1}"#,
        ),
        ("/version", r#"" 1.+2.-3""#),
        ("/tables", "{}"),
    ];
    let count = schemas.len();
    if let Some(found) = compare(schemas.map(|(at, value)| with(at, value))) {
        assert_eq!(found, (count, 0));
    }
    let schema = DatabaseSchema::parse(&with("/tables/T/columns/m/mutable", "false")).unwrap();
    assert!(
        schema.tables["T"].columns["m"].mutable,
        "weak references change with their rows"
    );
    let schema = DatabaseSchema::parse(&with("/tables/T/mutable", "false")).unwrap();
    assert!(!schema.tables["T"].mutable && schema.tables["T"].is_root && !schema.tables["U"].is_root);
}

#[test]
fn random_schemas_are_taken_and_refused_as_by_the_tool() {
    let rounds = std::env::var("OVS_RS_ROUNDS")
        .ok()
        .and_then(|rounds| rounds.parse().ok());
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut below = move |n: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap() % n
    };
    let base: Value = serde_json::from_str(BASE).unwrap();
    let schemas = (0..rounds.unwrap_or(150)).map(|_: u64| {
        let mut schema = base.clone();
        for _ in 0..=below(5) / 4 {
            change(&mut schema, &mut below);
        }
        // Numbers as people may write them.
        let text = schema.to_string();
        match below(4) {
            0 => text.replace(":5", ":5.0").replace(":9", ":0.9e1"),
            _ => text,
        }
    });
    if let Some((taken, refused)) = compare(schemas) {
        assert!(
            taken * 20 > refused && refused > 20,
            "{taken} taken, {refused} refused"
        );
    }
}

/// Changes a random part.
fn change(value: &mut Value, below: &mut impl FnMut(usize) -> usize) {
    let inner = match value {
        Value::Object(members) if !members.is_empty() && below(6) > 0 => {
            let at = below(members.len());
            members.iter_mut().nth(at).map(|(_, member)| member)
        }
        Value::Array(elements) if !elements.is_empty() && below(4) > 0 => {
            let at = below(elements.len());
            elements.get_mut(at)
        }
        _ => None,
    };
    if let Some(inner) = inner {
        return change(inner, below);
    }
    let name = NAMES[below(NAMES.len())];
    let new: Value = serde_json::from_str(VALUES[below(VALUES.len())]).unwrap();
    match value {
        Value::Object(members) => match below(3) {
            0 => {
                let gone = members.keys().nth(below(members.len().max(1))).cloned();
                gone.and_then(|name| members.remove(&name));
            }
            _ => drop(members.insert(name.to_owned(), new)),
        },
        Value::Array(elements) if below(2) == 0 => elements.push(new),
        other => *other = new,
    }
}

const NAMES: [&str; 22] = [
    "type",
    "key",
    "value",
    "min",
    "max",
    "enum",
    "minInteger",
    "maxInteger",
    "minReal",
    "maxReal",
    "minLength",
    "maxLength",
    "refTable",
    "refType",
    "mutable",
    "ephemeral",
    "isRoot",
    "indexes",
    "maxRows",
    "columns",
    "x",
    "_y",
];

const VALUES: [&str; 36] = [
    "0",
    "1",
    "2",
    "-1",
    "5",
    "0.5",
    "1.0",
    "1e1",
    "4294967294",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "null",
    "true",
    "false",
    "\"\"",
    "\"integer\"",
    "\"real\"",
    "\"boolean\"",
    "\"string\"",
    "\"uuid\"",
    "\"unlimited\"",
    "\"weak\"",
    "\"strong\"",
    "\"T\"",
    "\"U\"",
    "\"a-b\"",
    "[]",
    "[\"i\"]",
    "[[\"s\"]]",
    "{}",
    "[\"set\",[1,2]]",
    "[\"set\",[\"a\"]]",
    "{\"type\":\"string\"}",
    "{\"key\":\"integer\"}",
    "\"1.2.3\"",
];
